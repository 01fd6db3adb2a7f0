"""The class shares that a rule of priors starts from."""

from typing import Any

from imbkit._core.messages import message
from imbkit._core.prior import class_shares, induced_prior, resampled_prior
from imbkit._core.types import AnyArray, FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import ThresholdWarning

__all__ = ["training_prior"]


def training_prior(
    estimator: Any, target: AnyArray, classes: list[Any], weight: FloatArray | None, who: str
) -> FloatArray:
    """Return the class shares that an estimator was trained on, as far as it is known.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    target : ndarray of shape (n_rows,)
        The labels at hand.
    classes : list
        The distinct ones, sorted.
    weight : ndarray of shape (n_rows,) or None
        Their weights.
    who : str
        The class that messages speak for.

    Returns
    -------
    ndarray of shape (n_classes,)
        Exact where training changed nothing but the shares. Else what the last sampler says that
        it put out, or, with a warning, the shares of the labels at hand.
    """
    induced = induced_prior(estimator, target, classes, weight)
    if induced is not None:
        return induced
    reported, changed = resampled_prior(estimator, classes)
    if reported is not None:
        return reported
    if changed:
        rule = "the class shares that the estimator was trained on should be known"
        got = f"{type(estimator).__name__}, which may have changed them"
        todo = "Those of the given rows are taken; pass train_prior=... to the rule"
        warn(message(who, rule, got, todo), ThresholdWarning)
    return class_shares(target, classes, weight)
