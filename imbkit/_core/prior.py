"""Class shares: checked, counted, exchanged, and those that a fitted model was trained on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.class_codes import class_codes
from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError

__all__ = [
    "averages_members",
    "check_prior",
    "class_shares",
    "induced_prior",
    "resampled_prior",
    "shift",
]

_TOLERANCE = 1e-6


def check_prior(prior: Any, classes: ArrayLike, who: str, name: str) -> FloatArray:
    """Return the share of each class, or complain.

    Parameters
    ----------
    prior : mapping, array-like of shape (n_classes,) or "uniform"
        Share by class, shares in the order of `classes`, or the same share for all.
    classes : array-like of shape (n_classes,)
        The labels, sorted.
    who, name : str
        The class that messages speak for, and its parameter.

    Returns
    -------
    ndarray of shape (n_classes,)
        Positive floats that sum to one.

    Raises
    ------
    InvalidParameterError
        If a share is no finite number above 0, they do not sum to one within 1e-6, or they
        are not those of exactly these classes.
    """
    labels = np.asarray(classes).tolist()
    if isinstance(prior, str):
        if prior != "uniform":
            rule = f'{name} must be a mapping, an array or "uniform"'
            raise InvalidParameterError(message(who, rule, prior))
        return np.full(len(labels), 1 / len(labels))
    given = _by_class(prior, labels, who, name) if isinstance(prior, Mapping) else prior
    try:
        shares = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        rule = f"{name} must hold numbers"
        raise InvalidParameterError(message(who, rule, prior)) from error
    if shares.shape != (len(labels),):
        rule = f"{name} must have one share for each of the {len(labels)} classes {listing(labels)}"
        got = f"shape {shares.shape}" if shares.ndim else prior
        raise InvalidParameterError(message(who, rule, got))
    bad = ~(np.isfinite(shares) & (shares > 0))
    if bad.any():
        place = int(bad.argmax())
        rule = f"{name} must be finite and above 0 for every class"
        got = f"{shares[place]:g} for class {listing([labels[place]])}"
        todo = "A class that does not occur has no place in a prior; give it a small share"
        raise InvalidParameterError(message(who, rule, got, todo))
    total = float(shares.sum())
    if abs(total - 1) > _TOLERANCE:
        rule = f"{name} must sum to one within {_TOLERANCE:g}"
        raise InvalidParameterError(message(who, rule, f"{total:.9g}", "Divide by the sum"))
    return np.asarray(shares / total)


def class_shares(
    y: ArrayLike, classes: ArrayLike, sample_weight: ArrayLike | None = None
) -> FloatArray:
    """Return the share of each class among labels.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels, all of them among `classes`.
    classes : array-like of shape (n_classes,)
        The labels, in any order.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights; shares are then those of the weight.

    Returns
    -------
    ndarray of shape (n_classes,)
        Floats that sum to one; 0 for a class without rows or weight.
    """
    codes = class_codes(y, classes)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    mass = np.bincount(codes, weights=weight, minlength=len(np.asarray(classes)))
    return np.asarray(mass / mass.sum())


def shift(probabilities: FloatArray, ratio: FloatArray) -> FloatArray:
    """Multiply each class's probability by a factor, and make rows sum to one again.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Probabilities.
    ratio : ndarray of shape (n_classes,)
        Positive factors: new shares of the classes over the old ones.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_classes)
        A row that would become all zero stays as it is.

    Notes
    -----
    Of two classes each output is computed from the odds, so that it never decreases where the
    input increases, to the last bit: a ranking is kept but for values that round to the same.
    """
    p = np.asarray(probabilities, dtype=float)
    factor = np.asarray(ratio, dtype=float)
    if factor.min() == factor.max():
        return p.copy()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if factor.size == 2:
            odds = p[:, 1] / p[:, 0] * (factor[1] / factor[0])
            against = p[:, 0] / p[:, 1] * (factor[0] / factor[1])
            shifted = np.column_stack((1 / (1 + odds), 1 / (1 + against)))
        else:
            shifted = p * (factor / factor.max())
            shifted /= shifted.sum(axis=1, keepdims=True)
    lost = ~np.isfinite(shifted).all(axis=1)
    shifted[lost] = p[lost]
    return np.asarray(shifted)


def induced_prior(
    fitted: Any, y: ArrayLike, classes: ArrayLike, sample_weight: ArrayLike | None = None
) -> FloatArray | None:
    """Return the class shares that a fitted model's last step was trained on.

    Parameters
    ----------
    fitted : estimator
        Fitted classifier or pipeline.
    y : array-like of shape (n_rows,)
        The labels that it was fitted on.
    classes : array-like of shape (n_classes,)
        The labels, sorted.
    sample_weight : array-like of shape (n_rows,), default=None
        The weights, if they reached the last step.

    Returns
    -------
    ndarray of shape (n_classes,) or None
        Shares after random sampling, class weights and sample weights. For a model that
        averages members (see `averages_members`) the mean of the members' own shares. None
        where the shares are not known, or where training changed more than them: samplers
        that make rows or choose them by their features, and models inside other models.
    """
    # Imported here because it imports imbalanced-learn, which takes long.
    from imbkit._core.induced import induced

    return induced(fitted, y, classes, sample_weight)


def resampled_prior(fitted: Any, classes: ArrayLike) -> tuple[FloatArray | None, bool]:
    """Return what is known of a model's class shares where `induced_prior` knows nothing.

    Parameters
    ----------
    fitted : estimator
        Fitted classifier or pipeline.
    classes : array-like of shape (n_classes,)
        The labels, sorted.

    Returns
    -------
    prior : ndarray of shape (n_classes,) or None
        Shares that the last sampler of a pipeline reports of the rows that it put out, although
        it changed more than them.
    changed : bool
        Whether training may have changed the shares at all.
    """
    from imbkit._core.induced import changes_shares, reported_by_sampler

    return reported_by_sampler(fitted, np.asarray(classes)), changes_shares(fitted)


def averages_members(fitted: Any) -> bool:
    """Return whether a model averages the probabilities of members fitted on samples of rows.

    The correction for the class shares then belongs to each member, not to their mean: it is
    no linear map. True for balanced ensembles of imbalanced-learn, bagging and forests, and
    for pipelines that end in one.
    """
    from imbkit._core.induced import is_averaged

    return is_averaged(fitted)


def _by_class(prior: Mapping[Any, Any], labels: list[Any], who: str, name: str) -> list[Any]:
    """Put the shares in the order of the classes."""
    absent = [label for label in labels if label not in prior]
    other = [label for label in prior if label not in labels]
    if absent or other:
        rule = f"{name} must have the classes {listing(labels)} and no others"
        return_of = [f"no share for {listing(absent)}"] if absent else []
        return_of += [f"a share for {listing(other)}"] if other else []
        raise InvalidParameterError(message(who, rule, " and ".join(return_of)))
    return [prior[label] for label in labels]
