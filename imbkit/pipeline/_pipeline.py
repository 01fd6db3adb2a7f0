"""A chain of transformers, samplers and a model that takes everything along with the rows."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Self

from imblearn.pipeline import Pipeline as _Original
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import HasMethods
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline._companions import check_not_lost
from imbkit.pipeline._flatten import check_steps, flatten, is_idle, is_sampler
from imbkit.pipeline._journey import resampled, timed, transformed, travel
from imbkit.pipeline._routes import router_of, routing_on

__all__ = ["Pipeline", "make_pipeline"]


def _last_has(*methods: str, or_idle: bool = True) -> Callable[[Any], bool]:
    """Return the test whether the last step has one of these methods, or does nothing."""

    def check(pipeline: Any) -> bool:
        last = pipeline._final_estimator
        if isinstance(last, str):  # a step None is "passthrough" here
            return or_idle
        return any(hasattr(last, method) for method in methods)

    return check


class Pipeline(_Original):
    """Chain transformers, samplers and a model; weights and groups travel with the rows.

    Use it wherever imbalanced-learn's Pipeline stands: it is the same, and each sampler also
    resamples what belongs to the rows, so that the model is fitted with the right weight for
    every row, whether it was kept, repeated or made. Samplers take part in training only.

    Parameters
    ----------
    steps : list of (str, estimator) tuples
        Names and steps, in their order. Those before the last transform or resample; the last
        may be anything with a ``fit``. A step may be a pipeline itself, ``"passthrough"`` or
        None.
    transform_input : list of str, default=None
        With metadata routing only: arguments of ``fit`` besides `X` that are transformed by
        the steps before the one that requests them.
    memory : str or object with ``cache``, default=None
        Folder or joblib.Memory that fitted transformers and samplers, with the rows and
        companions that left them, are cached in. The steps are then copied before they are
        fitted.
    verbose : bool, default=False
        Whether to print how long each step took.

    Attributes
    ----------
    named_steps : Bunch
        The steps by name.
    classes_ : ndarray of shape (n_classes,)
        The labels, if the last step is a classifier.
    n_features_in_ : int
        Number of features that the first step has seen.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if the first step knows them.
    companions_ : dict
        After :meth:`fit_resample` only: what was given with the rows, resampled. Not saved
        with the pipeline.

    See Also
    --------
    make_pipeline : The same without names for the steps.
    deployable : The fitted pipeline without its samplers, for saving.

    Notes
    -----
    **Companions** are arguments of ``fit``, ``fit_transform``, ``fit_predict`` or
    ``fit_resample`` with one value for each row. Every sampler on the way resamples them: those
    of imbkit themselves (a new row's weight lies between its parents'), those of
    imbalanced-learn if they only select rows (``sample_indices_``). Any other sampler is an
    error as soon as a step behind it asks for a companion.

    Without metadata routing, the default:

    - ``sample_weight=``, ``groups=`` and any other name, such as ``amount=``: must have a value
      for each row, and is handed to every step whose ``fit`` names it. Scalers that weigh do
      too, so that a weight of 2 means the row twice. At least one step must name it.
    - ``step__name=``: is handed to that step alone, and wins. It is resampled if it is
      ``sample_weight`` or ``groups``, or if it is an array, frame, list or tuple that has as
      many entries as `X` has rows and is not validation data. An array that is as long by
      chance would be resampled, too; put such options into the step's constructor.
    - ``eval_set`` (a pair ``(X, y)`` or a list of pairs), ``X_val`` and ``eval_X``, with or
      without ``step__``: are transformed by the fitted steps before theirs, so give them as
      raw as `X`. Nothing whose name begins with ``eval_`` or ends in ``_val`` or
      ``_eval_set`` is resampled.

    With metadata routing, whatever a step requests is routed as in scikit-learn, and resampled
    by the same rule on its way. Samplers of imbkit carry companions without requesting them.
    ``transform_input`` says what is transformed; ``eval_set`` always is.

    **A nested pipeline** behaves as if its steps stood in its place, ``outer__inner__name``
    being its parameters' and arguments' names: its samplers resample all that follows and are
    passed over in prediction. What is given to it by name, ``inner__sample_weight=``, is for
    the steps inside that name it.

    Different from imbalanced-learn: companions; nested pipelines; ``eval_set``; arguments of
    samplers by ``step__name``; :meth:`fit_resample` of a pipeline that ends in ``"passthrough"``
    returns the labels, too; :meth:`fit_transform` of a last step without that method is given
    the resampled labels. ``fit_transform`` resamples, ``fit`` and then ``transform`` does not.
    The pipeline adds no copy of the rows to those that its steps make.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.pipeline import Pipeline
    >>> from imbkit.sampling import SMOTE
    >>> X, y = make_classification(1000, weights=[0.9], random_state=0)
    >>> weight = np.random.default_rng(0).uniform(0.5, 2.0, size=1000)
    >>> steps = [("over", SMOTE(random_state=0)), ("model", LogisticRegression())]
    >>> model = Pipeline(steps).fit(X, y, sample_weight=weight)
    >>> model.named_steps["over"].companions_["sample_weight"].shape
    (1796,)
    """

    card = Card(
        cases=(
            {"steps": [("scale", StandardScaler()), ("model", LogisticRegression())]},
            {"steps": [("scale", StandardScaler()), ("idle", None), ("model", LinearSVC())]},
        ),
        known_failures={
            "check_estimators_overwrite_params": (
                "the steps are parameters and are fitted in place; scikit-learn's own Pipeline "
                "declares the same"
            ),
        },
    )

    _parameter_constraints = {
        "steps": [list, tuple],
        "transform_input": [list, None],
        "memory": [None, str, HasMethods(["cache"])],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        steps: Any,
        *,
        transform_input: list[str] | None = None,
        memory: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(steps, transform_input=transform_input, memory=memory, verbose=verbose)

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit every step on what the steps before it make of the rows.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Training rows.
        y : array-like of shape (n_rows,), default=None
            Their labels.
        **params : object
            Companions such as ``sample_weight=`` and ``groups=``, validation data, and
            ``step__name=``; see the notes of the class.

        Returns
        -------
        Pipeline
            This pipeline, fitted.
        """
        end = self._travel("fit", X, y, params)
        with timed(end.chain, len(end.chain) - 1):
            if not is_idle(end.last):
                end.last.fit(end.X, end.y, **end.arguments["fit"])
        return self

    @available_if(_last_has("transform", "fit_transform"))
    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit every step, and return the training rows as they leave the last one.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Training rows.
        y : array-like of shape (n_rows,), default=None
            Their labels.
        **params : object
            As in :meth:`fit`.

        Returns
        -------
        table of shape (n_out, n_features_out)
            Resampled, if there is a sampler: another table than ``fit(X, y).transform(X)``.
        """
        end = self._travel("fit_transform", X, y, params)
        with timed(end.chain, len(end.chain) - 1):
            if is_idle(end.last):
                return end.X
            return transformed(end.last, end.X, end.y, end.arguments)[0]

    @available_if(_last_has("fit_predict", or_idle=False))
    @fit_context(prefer_skip_nested_validation=False)
    def fit_predict(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit every step, and return the last one's predictions for the rows it was fitted on.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Training rows.
        y : array-like of shape (n_rows,), default=None
            Their labels.
        **params : object
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_out,)
            One for each row that reaches the last step.
        """
        end = self._travel("fit_predict", X, y, params)
        with timed(end.chain, len(end.chain) - 1):
            return end.last.fit_predict(end.X, end.y, **end.arguments["fit_predict"])

    @available_if(_last_has("fit_resample"))
    @fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X: Any, y: Any = None, **params: Any) -> tuple[Any, Any]:
        """Fit every step, and return the rows and labels as they leave the last one.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Training rows.
        y : array-like of shape (n_rows,), default=None
            Their labels.
        **params : object
            As in :meth:`fit`; resampled companions lie in ``companions_`` afterwards.

        Returns
        -------
        X_resampled : table of shape (n_out, n_features_out)
            The resampled rows.
        y_resampled : array-like of shape (n_out,)
            Their labels.
        """
        end = self._travel("fit_resample", X, y, params)
        X, y, companions = end.X, end.y, end.companions
        with timed(end.chain, len(end.chain) - 1):
            if not is_idle(end.last):
                X, y, companions, _ = resampled(end.last, X, y, companions, end.arguments)
        for name, values in companions.items():
            check_not_lost(values, name, "the end of the pipeline")
        self.companions_ = dict(companions)
        return X, y

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which step requests which metadata.

        Returns
        -------
        MetadataRouter
            As in scikit-learn; steps of nested pipelines have names ``outer__inner``.
        """
        return router_of(self)

    def _travel(self, method: str, X: Any, y: Any, params: dict[str, Any]) -> Any:
        if self.transform_input is not None and not routing_on():
            rule = "The `transform_input` parameter can only be set if metadata routing is enabled"
            todo = "Call sklearn.set_config(enable_metadata_routing=True)"
            text = message("Pipeline", rule, self.transform_input, todo)
            raise InvalidParameterError(text)
        self._validate_steps()
        return travel(self, method, X, y, params)

    def _validate_steps(self) -> None:
        """Refuse steps that cannot be chained; scikit-learn's tools call it, too."""
        check_steps(self)

    def _iter(
        self,
        with_final: bool = True,
        filter_passthrough: bool = True,
        filter_resample: bool = True,
    ) -> Iterator[tuple[int, str, Any]]:
        """Yield number, name and step, those of nested pipelines in their place.

        Everything that imbalanced-learn's and scikit-learn's Pipeline do with fitted steps,
        from ``predict`` to ``set_output``, goes through this method.
        """
        stop = len(self.steps) - (not with_final)
        for leaf in flatten(self):
            idle = filter_passthrough and is_idle(leaf.step)
            sampler = filter_resample and is_sampler(leaf.step)
            if (number := leaf.places[0][1]) < stop and not (idle or sampler):
                yield number, leaf.name, leaf.step

    def __sklearn_is_fitted__(self) -> bool:
        """Whether the last step that does anything is fitted."""
        steps = [leaf.step for leaf in flatten(self) if not is_idle(leaf.step)]
        try:
            if steps:
                check_is_fitted(steps[-1])
        except NotFittedError:
            return False
        return True

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "companions_"}


def make_pipeline(
    *steps: Any,
    memory: Any = None,
    transform_input: list[str] | None = None,
    verbose: bool = False,
) -> Pipeline:
    """Make a :class:`Pipeline` whose steps are named after their classes.

    Parameters
    ----------
    *steps : estimator, "passthrough" or None
        The steps, in their order.
    memory : str or object with ``cache``, default=None
        As in :class:`Pipeline`.
    transform_input : list of str, default=None
        As in :class:`Pipeline`.
    verbose : bool, default=False
        As in :class:`Pipeline`.

    Returns
    -------
    Pipeline
        The names are those of the classes in small letters; of several steps of one class
        they are numbered, ``smote-1`` and so on.

    See Also
    --------
    Pipeline : The same with names for the steps.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.pipeline import make_pipeline
    >>> from imbkit.sampling import SMOTE
    >>> make_pipeline(SMOTE(), LogisticRegression())
    Pipeline(steps=[('smote', SMOTE()), ('logisticregression', LogisticRegression())])
    """
    names = [step if isinstance(step, str) else type(step).__name__.lower() for step in steps]
    several = {name for name, count in Counter(names).items() if count > 1}
    numbers: Counter[str] = Counter()
    named = []
    for name, step in zip(names, steps, strict=True):
        numbers[name] += 1
        named.append((f"{name}-{numbers[name]}" if name in several else name, step))
    return Pipeline(named, memory=memory, transform_input=transform_input, verbose=verbose)
