"""The learners and strategies that a comparison runs, and how others are found by name.

A `Learner` knows how to prepare the columns of a table for its model. A `Strategy` builds an
estimator from a learner. Every pair is one entry of the comparison.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal, TypeAlias

from imblearn.ensemble import BalancedBaggingClassifier
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils.validation import has_fit_parameter

from imbkit._core.catalog import find
from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline import Pipeline as SamplingPipeline

__all__ = [
    "LEARNERS",
    "QUICK_STRATEGIES",
    "STRATEGIES",
    "CannotBuildError",
    "Learner",
    "Strategy",
    "Task",
    "check_weighted",
    "learner_names",
    "outside_limits",
    "resolve_learner",
    "resolve_strategy",
    "strategy_names",
]

Selector: TypeAlias = int | str
MAX_LEVELS = 50
"""Levels of a category that are encoded one by one; the rest are grouped."""
RARE_LEVEL = 10
"""Levels with fewer rows than this are grouped."""
NATIVE_LEVELS = 254
"""Levels that histogram boosting can tell apart."""


class CannotBuildError(Exception):
    """A strategy does not fit a learner or a table; its text is the reason on the page."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a strategy and a learner may know of a table before seeing training rows.

    Parameters
    ----------
    kind : {"binary", "multiclass"}
        Kind of target.
    numbers, categories : tuple of int or str
        The columns of either kind, as positions or names.
    missing : bool
        Whether any number is missing.
    n_train : int
        Rows of the largest training side.
    fewest : int
        Rows of the rarest class in the smallest set of rows that an estimator is fitted on.
    complete : bool, default=True
        Whether `numbers` and `categories` are all the columns that estimators are given.
    stages : tuple, default=()
        The classes of an ordered target from first to last, as the labels that an ordered
        learner is trained on; empty where classes have no order. The kind is then "binary":
        the last stage against the rest.

    Examples
    --------
    >>> from imbkit.bench import Task
    >>> task = Task("binary", ("amount",), ("country",), missing=False, n_train=800, fewest=20)
    >>> task.categories
    ('country',)
    """

    kind: Literal["binary", "multiclass"]
    numbers: tuple[Selector, ...]
    categories: tuple[Selector, ...]
    missing: bool
    n_train: int
    fewest: int
    complete: bool = True
    stages: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Learner:
    """A classifier together with the preparation of columns that it needs.

    Parameters
    ----------
    name : str
        Identifier.
    title : str
        For people.
    model : estimator
        Unfitted classifier.
    native : bool, default=False
        Whether the model takes missing values and integer-coded categories itself; then it
        has a parameter ``categorical_features``. Otherwise numbers are imputed and scaled
        and categories are encoded one-hot.
    two_classes : mapping, default=None
        Parameters that are set on the model where there are two classes.
    ordered : bool, default=False
        Whether the model is trained on all stages of an ordered target, instead of the last
        one against the rest; then it has a parameter ``categories`` for their order.
    changes_prior : bool, default=False
        Whether the model itself corrects the class shares, by its loss for instance, so that
        its probabilities are not the table's even if it is trained on all rows as they are.
    packages : tuple of str, default=()
        Packages whose versions its scores depend on, beside those that any comparison has.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from imbkit.bench import Learner, Task
    >>> bayes = Learner("bayes", "naive Bayes", GaussianNB())
    >>> task = Task("binary", ("amount",), ("country",), missing=False, n_train=800, fewest=20)
    >>> list(bayes.pipeline(task).named_steps)
    ['columns', 'model']
    """

    name: str
    title: str
    model: BaseEstimator
    native: bool = False
    two_classes: Mapping[str, object] | None = None
    ordered: bool = False
    changes_prior: bool = False
    packages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Complain of a model of stages that cannot be told their order."""
        if self.ordered and "categories" not in self.model.get_params(deep=False):
            rule = "an ordered model must have a parameter categories, for the order of the stages"
            todo = "Leave out ordered=True: the model is then one of the last stage"
            raise InvalidParameterError(message("Learner", rule, self.model, todo))

    def pipeline(
        self,
        task: Task,
        *,
        sampler: BaseEstimator | None = None,
        wrap: Callable[[BaseEstimator], BaseEstimator] | None = None,
        distances: bool = False,
        **parameters: object,
    ) -> Pipeline:
        """Return the unfitted pipeline: columns, sampler if any, model.

        Parameters
        ----------
        task : Task
            The table.
        sampler : sampler, default=None
            Put between columns and model.
        wrap : callable, default=None
            Makes the last step from the model, e.g. an ensemble.
        distances : bool, default=False
            Whether the sampler needs complete, scaled numbers even if the model does not.
        **parameters : object
            Set on the model.

        Returns
        -------
        Pipeline
            Scikit-learn's, or imbkit's if there is a sampler, with the steps ``columns`` (if
            anything is to be prepared), ``sampler`` (if given) and ``model``.
        """
        native = self.native and not distances
        model = clone(self.model).set_params(**parameters)
        if self.ordered:
            if wrap is not None:
                raise CannotBuildError(f"{self.title} must know the stages, which a wrapper hides")
            model.set_params(categories=list(task.stages))
        if self.two_classes and task.kind == "binary":
            model.set_params(**self.two_classes)
        if native and task.categories:
            codes = range(len(task.numbers), len(task.numbers) + len(task.categories))
            model.set_params(categorical_features=list(codes))
        columns = _native_columns(task) if native else _numeric_columns(task)
        steps = [
            ("columns", columns),
            ("sampler", sampler),
            ("model", model if wrap is None else wrap(model)),
        ]
        kind = Pipeline if sampler is None else SamplingPipeline
        return kind([step for step in steps if step[1] is not None])


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to deal with a rare class, as `compare` takes it.

    Parameters
    ----------
    name : str
        Identifier, unique within a comparison.
    build : callable
        ``build(learner, task) -> estimator``; usually ``learner.pipeline(task, ...)``.
    changes_prior : bool, default=True
        Whether training sees other class shares than the table has, so that the estimator's
        probabilities are not the table's.
    needs : mapping, default={}
        Limits outside which a default panel leaves the strategy out: ``"rows"`` is the most
        training rows, ``"class_rows"`` the fewest rows of the rarest class.
    title : str, default=""
        For people; the name if empty.

    Examples
    --------
    >>> from imbkit.bench import Strategy
    >>> from imbkit.sampling import ADASYN
    >>> adasyn = Strategy(
    ...     "adasyn",
    ...     lambda learner, task: learner.pipeline(task, sampler=ADASYN(), distances=True),
    ... )
    >>> adasyn.changes_prior
    True
    """

    name: str
    build: Callable[[Learner, Task], BaseEstimator]
    changes_prior: bool = True
    needs: Mapping[str, int] | None = None
    title: str = ""


def _numeric_columns(task: Task) -> ColumnTransformer:
    """Complete, scaled numbers and one-hot categories."""
    steps = []
    if task.numbers:
        scale: BaseEstimator = StandardScaler()
        if task.missing:
            fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
            scale = make_pipeline(fill, scale)
        steps.append(("numbers", scale, list(task.numbers)))
    if task.categories:
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=RARE_LEVEL,
            max_categories=MAX_LEVELS,
            sparse_output=False,
        )
        steps.append(("categories", encoder, list(task.categories)))
    return ColumnTransformer(steps)


def _native_columns(task: Task) -> ColumnTransformer | None:
    """Numbers as they are, categories as integer codes; None where nothing is to be done."""
    if not task.categories and task.complete:
        return None
    steps: list[tuple[str, Any, list[Selector]]] = []
    if task.numbers:
        steps.append(("numbers", "passthrough", list(task.numbers)))
    if task.categories:
        encoder = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=float("nan"),
            encoded_missing_value=float("nan"),
            max_categories=NATIVE_LEVELS,
        )
        steps.append(("categories", encoder, list(task.categories)))
    return ColumnTransformer(steps)


def _untouched(learner: Learner, task: Task) -> Pipeline:
    return learner.pipeline(task)


def _class_weight(learner: Learner, task: Task) -> Pipeline:
    if "class_weight" not in learner.model.get_params():
        raise CannotBuildError(f"{learner.title} has no parameter class_weight")
    return learner.pipeline(task, class_weight="balanced")


def _random_under(learner: Learner, task: Task) -> Pipeline:
    return learner.pipeline(task, sampler=find("RandomUnderSampler")())


def _random_over(learner: Learner, task: Task) -> Pipeline:
    return learner.pipeline(task, sampler=find("RandomOverSampler")())


def _smote_for(task: Task) -> Any:
    """SMOTE with as many of the usual five neighbours as the rarest class allows."""
    if task.fewest < 2:
        raise CannotBuildError("SMOTE needs 2 rows of every class wherever it is trained")
    # The same number in every cell, and no warning in those where a class is smaller.
    return find("SMOTE")(k_neighbors=min(5, task.fewest - 1))


def _smote(learner: Learner, task: Task) -> Pipeline:
    return learner.pipeline(task, sampler=_smote_for(task), distances=True)


def _smote_enn(learner: Learner, task: Task) -> Pipeline:
    return learner.pipeline(task, sampler=find("SMOTEENN")(smote=_smote_for(task)), distances=True)


def _under_ensemble(learner: Learner, task: Task) -> Pipeline:
    return learner.pipeline(task, wrap=lambda model: BalancedBaggingClassifier(estimator=model))


# Left to itself, boosting stops early above 10,000 rows only, on a tenth of them that may hold
# hardly any positive row: inner folds and the whole training side would then be trained in two
# ways, and a threshold of the one would not fit the other. Many classes have no thresholds, and
# there boosting needs to stop early: it diverges where a class is very rare.
LEARNERS = {
    learner.name: learner
    for learner in (
        Learner(
            "hist_gradient_boosting",
            "histogram boosting",
            HistGradientBoostingClassifier(),
            native=True,
            two_classes={"early_stopping": False},
        ),
        Learner("logistic", "logistic regression", LogisticRegression(max_iter=1000)),
    )
}
"""The default learners; the first is the strong one that the baseline uses."""

STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        Strategy("none", _untouched, changes_prior=False, title="untouched"),
        Strategy("class_weight", _class_weight, title="class weights"),
        Strategy("random_under", _random_under, title="random under-sampling"),
        Strategy("random_over", _random_over, title="random over-sampling"),
        Strategy("smote", _smote, needs={"class_rows": 2}, title="SMOTE"),
        Strategy("smote_enn", _smote_enn, needs={"class_rows": 2}, title="SMOTE + ENN"),
        Strategy("under_ensemble", _under_ensemble, title="under-sampling ensemble"),
    )
}
"""The default strategies; the first is the baseline's."""

QUICK_STRATEGIES = ("none", "class_weight", "random_under")


def strategy_names() -> list[tuple[str, str]]:
    """Return name and title of each strategy of the default panel."""
    return [(strategy.name, strategy.title) for strategy in STRATEGIES.values()]


def learner_names() -> list[tuple[str, str]]:
    """Return name and title of each learner of the default panel of classes without order."""
    return [(learner.name, learner.title) for learner in LEARNERS.values()]


def outside_limits(strategy: Strategy, task: Task) -> str:
    """Return why a table is outside a strategy's limits; empty if it is not."""
    needs = strategy.needs or {}
    if task.fewest < needs.get("class_rows", 0):
        return (
            f"needs {needs['class_rows']} rows of every class wherever it is trained; "
            f"the rarest has {task.fewest}"
        )
    if task.n_train > needs.get("rows", task.n_train):
        return (
            f"its cost grows with the square of the rows; left out above {needs['rows']:,} "
            f"training rows (here {task.n_train:,}) unless asked for by name"
        )
    return ""


def check_weighted(estimator: BaseEstimator) -> None:
    """Raise CannotBuildError unless training weights reach the model."""
    steps = [step for _, step in getattr(estimator, "steps", [("model", estimator)])]
    for step in steps[:-1]:
        if hasattr(step, "fit_resample") and not _keeps_weights(step):
            raise CannotBuildError(
                f"{type(step).__name__} makes new rows without weights; a sampler of "
                "imbkit.sampling carries them along"
            )
    if not has_fit_parameter(steps[-1], "sample_weight"):
        raise CannotBuildError(f"{type(steps[-1]).__name__} takes no sample_weight")


def _keeps_weights(sampler: Any) -> bool:
    """Whether a sampler carries weights itself, or says which rows it copies."""
    if "sample_weight" in signature(sampler.fit_resample).parameters:
        return True
    tags = getattr(sampler.__sklearn_tags__(), "sampler_tags", None)
    return bool(getattr(tags, "sample_indices", False))


def resolve_strategy(strategy: object) -> Strategy:
    """Return a strategy from itself, its name, a sampler, a meta-estimator, or its path.

    Raises
    ------
    InvalidParameterError
        If nothing has the name, or the object is none of these.
    """
    if isinstance(strategy, Strategy):
        return strategy
    if isinstance(strategy, str):
        if strategy in STRATEGIES:
            return STRATEGIES[strategy]
        strategy = _construct(strategy, "strategies", STRATEGIES)
    title = type(strategy).__name__
    if hasattr(strategy, "fit_resample"):
        return Strategy(title, _SamplerBuild(strategy), title=title)
    if isinstance(strategy, BaseEstimator) and "estimator" in strategy.get_params(deep=False):
        return Strategy(title, _WrapperBuild(strategy), title=title)
    rule = "a strategy must be a name, a Strategy, a sampler or a classifier with `estimator`"
    todo = "See `imbkit list` for the names"
    raise InvalidParameterError(message("compare", rule, strategy, todo))


def resolve_learner(learner: object, known: Mapping[str, Learner] = LEARNERS) -> Learner:
    """Return a learner from itself, its name among those that are known, a classifier, or a path.

    A classifier with a parameter ``categories`` is one of stages.

    Raises
    ------
    InvalidParameterError
        If nothing has the name, or the object is none of these.
    """
    if isinstance(learner, Learner):
        return learner
    if isinstance(learner, str):
        if learner in known:
            return known[learner]
        learner = _construct(learner, "learners", known)
    if isinstance(learner, BaseEstimator) and is_classifier(learner):
        title = type(learner).__name__
        native = isinstance(learner, HistGradientBoostingClassifier)
        ordered = "categories" in learner.get_params(deep=False)
        return Learner(title, title, learner, native=native, ordered=ordered)
    rule = "a learner must be a name, a classifier, or a path such as package.module:Name"
    todo = "See `imbkit list` for the names"
    raise InvalidParameterError(message("compare", rule, learner, todo))


def _construct(name: str, what: str, known: Sequence[str] | Mapping[str, object]) -> BaseEstimator:
    """Find a class by name or path and make an instance with its defaults."""
    try:
        found = find(name)
    except InvalidParameterError as error:
        near = nearest_names(name, known)
        if not near or ":" in name:
            raise
        rule = f"{what} must be on the panel, or a class that can be found"
        todo = f"Did you mean {listing(near)}?"
        raise InvalidParameterError(message("compare", rule, name, todo)) from error
    try:
        return found() if isinstance(found, type) else found
    except TypeError as error:
        rule = f"{what} given by name are made with their default parameters"
        got = f"{shorten(name)}, which says: {error}"
        todo = "Pass an instance from Python instead"
        raise InvalidParameterError(message("compare", rule, got, todo)) from error


@dataclass(frozen=True, slots=True)
class _SamplerBuild:
    """Builds a pipeline with a copy of a user's sampler."""

    sampler: BaseEstimator

    def __call__(self, learner: Learner, task: Task) -> Pipeline:
        return learner.pipeline(task, sampler=clone(self.sampler), distances=True)


@dataclass(frozen=True, slots=True)
class _WrapperBuild:
    """Builds a pipeline that ends in a copy of a user's meta-estimator around the model."""

    wrapper: BaseEstimator

    def __call__(self, learner: Learner, task: Task) -> Pipeline:
        return learner.pipeline(
            task, wrap=lambda model: clone(self.wrapper).set_params(estimator=model)
        )
