"""How an object ships without the parts that only training needs."""

from typing import Any, Protocol, runtime_checkable

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError

__all__ = ["Deployable", "deploy"]


@runtime_checkable
class Deployable(Protocol):
    """An object that knows what to ship in its place.

    ``__deploy__`` returns a fitted object of scikit-learn (or one that needs nothing else),
    with the same predictions. An object that has no such form raises
    :class:`~imbkit.exceptions.InvalidParameterError` and says why.
    """

    def __deploy__(self) -> object:
        """Return the object to ship."""


def deploy(model: object) -> object:
    """Return what to ship in place of a fitted model.

    Parameters
    ----------
    model : object
        A fitted estimator.

    Returns
    -------
    object
        What ``model.__deploy__()`` returns, if it has that method. For a Pipeline of
        scikit-learn, imbalanced-learn or imbkit: a scikit-learn Pipeline of the same fitted
        steps, each deployed in turn, without the samplers and without nested pipelines that
        have nothing else. For scikit-learn's
        FixedThresholdClassifier: the same around the deployed estimator. Anything else as it
        is; estimators held by other meta-estimators are not looked at.

    Raises
    ------
    InvalidParameterError
        If a pipeline has nothing but samplers, or a part of the model cannot ship.

    Notes
    -----
    Nothing is copied: the shipped pipeline shares its fitted steps with `model`.
    """
    # A class has the method too, but only its instances are fitted.
    if isinstance(model, Deployable) and not isinstance(model, type):
        return model.__deploy__()
    if isinstance(model, Pipeline):
        return _deploy_pipeline(model)
    if isinstance(model, FixedThresholdClassifier) and hasattr(model, "estimator_"):
        return _deploy_threshold(model)
    return model


def _deploy_pipeline(model: Pipeline) -> Pipeline:
    """Leave the samplers out, which imbalanced-learn skips at prediction anyway.

    So are caching, verbosity and the routing of fit arguments: they matter to training alone.
    """
    kept = [(name, step) for name, step in model.steps if not _only_resamples(step)]
    if not kept:
        rule = "a pipeline must have a step that is not a sampler"
        todo = "Add the estimator as its last step"
        raise InvalidParameterError(
            message("deploy", rule, [name for name, _ in model.steps], todo)
        )
    steps = [(name, deploy(step)) for name, step in kept]
    same = all(new[1] is old[1] for new, old in zip(steps, model.steps, strict=False))
    if type(model) is Pipeline and len(steps) == len(model.steps) and same:
        return model
    return Pipeline(steps)


def _only_resamples(step: Any) -> bool:
    """Whether a step does nothing in prediction because it serves training."""
    if isinstance(step, Pipeline):
        # One that ends in a sampler may still scale before it.
        return bool(step.steps) and all(_only_resamples(inner) for _, inner in step.steps)
    return hasattr(step, "fit_resample")


def _deploy_threshold(model: FixedThresholdClassifier) -> FixedThresholdClassifier:
    """Put the threshold on the deployed estimator."""
    held = model.estimator_
    # A frozen estimator only stands for the one inside it.
    shipped = deploy(held.estimator if isinstance(held, FrozenEstimator) else held)
    if shipped is held:
        return model
    frozen = FixedThresholdClassifier(
        FrozenEstimator(shipped),
        threshold=model.threshold,
        pos_label=model.pos_label,
        response_method=model.response_method,
    )
    # The frozen estimator looks at no rows; fitting only marks the object as fitted.
    return frozen.fit(model.classes_, model.classes_)
