"""What class shares training made of the given ones, for a model and for each of its members."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, NuSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from imbkit._core.class_codes import class_codes
from imbkit._core.types import AnyArray, FloatArray, IntArray

__all__ = [
    "Member",
    "changes_shares",
    "induced",
    "is_averaged",
    "last_step",
    "members_of",
    "reported_by_sampler",
    "steps_of",
]

_BAGGING = (BaggingClassifier,)  # BalancedBaggingClassifier, EasyEnsembleClassifier are, too
_FORESTS = (RandomForestClassifier, ExtraTreesClassifier)  # so is BalancedRandomForestClassifier
_SEARCHES = (GridSearchCV, RandomizedSearchCV)
# Their class weights act on the margin, and the probabilities are fitted without them.
_UNWEIGHTED = (SVC, NuSVC)
# "balanced" makes the classes' weights equal for the first; for the others, it divides by
# the numbers of rows, whatever weights the rows have.
_BALANCES_WEIGHT = (LogisticRegression, LogisticRegressionCV)
_BALANCES_ROWS = (HistGradientBoostingClassifier, SGDClassifier)
_OTHER_WEIGHTS = ("is_unbalance", "class_weights", "auto_class_weights")
# Parameters that change the class shares unless they have these values.
_IDLE: dict[str, tuple[Any, ...]] = {
    "auto_class_weights": (None,),
    "class_prior": (None,),
    "class_weight": (None,),
    "class_weights": (None,),
    "fit_prior": (True,),
    "is_unbalance": (None, False),
    "priors": (None,),
    "sampling_strategy": (),
    "scale_pos_weight": (None, 1),
}
_INNER = ("estimator", "estimators", "base_estimator", "final_estimator")


@dataclass(frozen=True, slots=True)
class Member:
    """One of the models that an ensemble averages.

    Parameters
    ----------
    estimator : estimator
        The fitted member.
    features : ndarray or None
        Columns that it sees; None for all.
    columns : ndarray of shape (n_member_classes,)
        Positions of its classes among those of the ensemble.
    prior : ndarray of shape (n_classes,) or None
        Class shares that it was trained on, 0 for those it has not seen; None if not known.
    """

    estimator: Any
    features: IntArray | None
    columns: IntArray
    prior: FloatArray | None


class _Rows(NamedTuple):
    """Rows that reach a model: the codes of their classes, and their weights."""

    codes: IntArray
    weight: FloatArray | None

    def at(self, indices: IntArray) -> "_Rows":
        weight = None if self.weight is None else self.weight[indices]
        return _Rows(self.codes[indices], weight)

    def shares(self, n_classes: int) -> FloatArray | None:
        mass = np.bincount(self.codes, weights=self.weight, minlength=n_classes)
        total = mass.sum()
        return np.asarray(mass / total) if total else None


def induced(
    fitted: Any, y: ArrayLike, classes: ArrayLike, sample_weight: ArrayLike | None = None
) -> FloatArray | None:
    """Return the class shares behind a model's probabilities; see `prior.induced_prior`."""
    rows = _rows_of(y, classes, sample_weight)
    prior = _induced(fitted, rows, np.asarray(classes))
    return prior if prior is not None and (prior > 0).all() else None


def changes_shares(fitted: Any) -> bool:
    """Whether anything in a fitted model may have changed the class shares it was trained on.

    Samplers, class weights and priors anywhere in it, and a model that reports its own prior;
    a bootstrap does not. A frozen model may have seen other rows than those at hand.
    """
    last = last_step(fitted)
    if isinstance(last, FrozenEstimator) or hasattr(last, "effective_prior_"):
        return True
    parameters = fitted.get_params(deep=True) if hasattr(fitted, "get_params") else {}
    for name, value in parameters.items():
        if hasattr(value, "fit_resample") and not isinstance(value, (Pipeline, type)):
            return True
        idle = _IDLE.get(name.rpartition("__")[2])
        if idle is not None and not any(value is each or value == each for each in idle):
            return True
    return False


def reported_by_sampler(fitted: Any, classes: AnyArray) -> FloatArray | None:
    """Class shares that the last sampler of a pipeline reports; None if there is no report."""
    samplers = [step for step in steps_of(fitted) if hasattr(step, "fit_resample")]
    known = samplers and hasattr(samplers[-1], "effective_prior_")
    return _reported(samplers[-1], classes) if known else None


def is_averaged(fitted: Any) -> bool:
    """Whether a model averages members; see `prior.averages_members`."""
    return isinstance(last_step(fitted), _BAGGING + _FORESTS)


def members_of(
    fitted: Any, y: ArrayLike, classes: ArrayLike, sample_weight: ArrayLike | None = None
) -> list[Member] | None:
    """Return the members of a bagging ensemble or a forest.

    Parameters
    ----------
    fitted : estimator
        A fitted ensemble, or a pipeline that ends in one.
    y : array-like of shape (n_rows,)
        The labels that it was fitted on.
    classes : array-like of shape (n_classes,)
        The labels, sorted.
    sample_weight : array-like of shape (n_rows,), default=None
        The weights, if they reached the ensemble.

    Returns
    -------
    list of Member or None
        None where the members give no probabilities or are not known.
    """
    rows: _Rows | None = _rows_of(y, classes, sample_weight)
    for step in steps_of(fitted):
        if hasattr(step, "fit_resample") and rows is not None:
            rows = _sampled(step, rows)
    return _members(last_step(fitted), rows, len(np.asarray(classes)))


def steps_of(model: Any) -> Iterator[Any]:
    """Yield the steps before the last one in the order in which rows pass them.

    Those of nested pipelines, and of the pipeline that a search has found, stand in its place;
    idle ones are left out.
    """
    model = _found(model)
    if isinstance(model, Pipeline):
        for _, step in model.steps[:-1]:
            yield from steps_of(step)
            if (end := last_step(step)) is not None and not isinstance(end, str):
                yield end
        yield from steps_of(model.steps[-1][1])


def last_step(model: Any) -> Any:
    """Return the last step of a pipeline, of a nested one the innermost; else the model."""
    model = _found(model)
    while isinstance(model, Pipeline):
        model = _found(model.steps[-1][1])
    return model


def _found(model: Any) -> Any:
    """What a fitted search predicts by, which it has fitted on all rows; else the model."""
    while isinstance(model, _SEARCHES) and hasattr(model, "best_estimator_"):
        model = model.best_estimator_
    return model


def _rows_of(y: ArrayLike, classes: ArrayLike, sample_weight: ArrayLike | None) -> _Rows:
    codes = class_codes(y, classes)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    return _Rows(codes, weight)


def _induced(fitted: Any, rows: _Rows, classes: AnyArray) -> FloatArray | None:
    """Follow the rows through the samplers to the model."""
    reached: _Rows | None = rows
    for step in steps_of(fitted):
        if hasattr(step, "fit_resample") and reached is not None:
            reached = _sampled(step, reached)
    model = last_step(fitted)
    if reached is None:
        return None
    if hasattr(model, "effective_prior_"):
        return _reported(model, classes)
    if isinstance(model, _BAGGING + _FORESTS):
        return _mean_share(_members(model, reached, classes.size))
    own = _fitted_share(model, classes.size)
    return own if own is not None else _weighted_share(model, reached, classes)


def _sampled(sampler: Any, rows: _Rows) -> _Rows | None:
    """Rows after a sampler that drew them regardless of their features; None after others."""
    random = isinstance(sampler, (RandomOverSampler, RandomUnderSampler))
    if not random or getattr(sampler, "shrinkage", None) is not None:
        return None
    if rows.weight is not None and getattr(sampler, "companion_policy", None) is not None:
        return None  # repeated rows weigh something else
    indices = getattr(sampler, "sample_indices_", None)
    return None if indices is None else rows.at(np.asarray(indices))


def _reported(model: Any, classes: AnyArray) -> FloatArray | None:
    """Prior that an estimator reports of itself, as a mapping or in the order of its classes."""
    prior = model.effective_prior_
    if not isinstance(prior, Mapping):
        known = np.asarray(getattr(model, "classes_", classes)).tolist()
        if len(known) != len(prior):
            return None
        prior = dict(zip(known, prior, strict=True))
    if not all(label in prior for label in classes.tolist()):
        return None
    return np.array([float(prior[label]) for label in classes.tolist()])


def _fitted_share(model: Any, n_classes: int) -> FloatArray | None:
    """Class shares that a fitted model holds, weights and parameters for them included."""
    shares = None
    if isinstance(model, DecisionTreeClassifier) and model.n_outputs_ == 1:
        shares = model.tree_.value[0, 0]
    elif isinstance(model, GaussianNB):
        shares = model.class_prior_
    elif isinstance(model, (LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis)):
        shares = model.priors_
    elif isinstance(model, (BernoulliNB, CategoricalNB, MultinomialNB)):
        shares = np.exp(model.class_log_prior_)
    if shares is None or len(shares) != n_classes:
        return None
    shares = np.asarray(shares, dtype=float)
    return np.asarray(shares / shares.sum())


def _weighted_share(model: Any, rows: _Rows, classes: AnyArray) -> FloatArray | None:
    """Share of each class's weight under a model's class weights."""
    given = model.get_params(deep=False) if hasattr(model, "get_params") else {}
    shares = rows.shares(classes.size)
    if shares is None or any(name in given for name in _INNER):
        return None
    if any(given.get(name) for name in _OTHER_WEIGHTS):
        return None
    weight, factor = given.get("class_weight"), given.get("scale_pos_weight")
    if factor not in (None, 1):
        if weight is not None or classes.size != 2:
            return None
        weight = {classes.tolist()[1]: factor}
    if weight is None:
        return shares
    if isinstance(model, _UNWEIGHTED):
        return None
    if isinstance(weight, Mapping):
        factors = np.array([float(weight.get(label, 1.0)) for label in classes.tolist()])
    elif weight == "balanced":
        balanced = _balance(model, rows, shares)
        if balanced is None:
            return None
        factors = balanced
    else:
        return None
    weighted = shares * factors
    return np.asarray(weighted / weighted.sum()) if weighted.sum() else None


def _balance(model: Any, rows: _Rows, shares: FloatArray) -> FloatArray | None:
    """Return the factors of class_weight="balanced" for a model."""
    by_rows = np.asarray(_Rows(rows.codes, None).shares(shares.size))
    if not (shares.all() and by_rows.all()):
        return None
    alike = np.allclose(shares, by_rows, rtol=1e-12, atol=0)
    if alike or isinstance(model, _BALANCES_WEIGHT):
        return np.asarray(1 / shares)
    return np.asarray(1 / by_rows) if isinstance(model, _BALANCES_ROWS) else None


def _mean_share(members: list[Member] | None) -> FloatArray | None:
    priors = [member.prior for member in members or () if member.prior is not None]
    if members is None or len(priors) < len(members):
        return None
    return np.asarray(np.mean(priors, axis=0))


def _members(model: Any, rows: _Rows | None, n_classes: int) -> list[Member] | None:
    """Members of an ensemble, with the shares that each was trained on."""
    if isinstance(model, _FORESTS):
        if model.n_outputs_ != 1:
            return None
        return [_tree(tree, rows is not None, n_classes) for tree in model.estimators_]
    if not isinstance(model, _BAGGING):
        return None
    if not all(hasattr(each, "predict_proba") for each in model.estimators_):
        return None
    samples = model.estimators_samples_ if rows is not None else [None] * len(model.estimators_)
    parts = zip(model.estimators_, model.estimators_features_, samples, strict=True)
    codes = np.arange(n_classes)  # members are fitted on the positions of the classes
    return [
        Member(
            estimator=member,
            features=np.asarray(features),
            columns=np.asarray(member.classes_, dtype=np.intp),
            prior=None if rows is None else _induced(member, _drawn(member, rows, drawn), codes),
        )
        for member, features, drawn in parts
    ]


def _tree(tree: Any, known: bool, n_classes: int) -> Member:
    """A tree of a forest: its root holds the shares, draws and weights included."""
    columns = np.asarray(tree.classes_, dtype=np.intp)
    prior = np.zeros(n_classes)
    prior[columns] = tree.tree_.value[0, 0] / tree.tree_.value[0, 0].sum()
    return Member(tree, None, columns, prior if known else None)


def _drawn(member: Any, rows: _Rows, drawn: IntArray) -> _Rows:
    """Rows that a member of a bagging ensemble was fitted on; how often is a weight for some."""
    if get_config()["enable_metadata_routing"]:
        weighs = bool(get_routing_for_object(member).consumes("fit", ("sample_weight",)))
    else:
        weighs = bool(has_fit_parameter(member, "sample_weight"))
    if weighs:
        counts = np.bincount(drawn, minlength=rows.codes.size)
        return _Rows(rows.codes, counts.astype(float))
    return _Rows(rows.codes[drawn], None)
