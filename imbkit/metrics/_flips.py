"""What an update changes: rows that were right and are now wrong, and the reverse."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._classwise import averaged, check_zero_division
from imbkit.metrics._confusion import check_labels, check_targets
from imbkit.metrics._counts import check_weight, ratio

__all__ = ["negative_flip_rate", "positive_flip_rate"]

AVERAGES = ("micro", "macro", None)


def negative_flip_rate(
    y_true: ArrayLike,
    y_old: ArrayLike,
    y_new: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: str | None = "micro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = np.nan,
) -> float | FloatArray:
    """Share of the rows that the old model had right and the new one has wrong.

    Choose it before a model is replaced or pruned: two models of the same accuracy may
    disagree on many rows, and people notice what used to work. Look at the rare classes by
    themselves with ``average=None``. Smaller is better.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_old, y_new : array-like of shape (n_rows,)
        Labels predicted by the old and by the new model.
    labels : array-like of shape (n_classes,), default=None
        Classes to report or to average over, and their order; by default the sorted labels
        of `y_true`. Not for "micro".
    average : {"micro", "macro"} or None, default="micro"
        Share of all rows; mean over the classes' shares; or one share a true class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=NaN
        The value of a class without a row in `y_true`; NaN leaves it out of the mean.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        From 0 to 1; an array for ``average=None``.

    Raises
    ------
    DataError
        If the labels, their lengths or the weights cannot be used.
    InvalidParameterError
        If `average` or `zero_division` is not permitted, or `labels` stands beside "micro".

    See Also
    --------
    positive_flip_rate : What the update repairs; the difference is that of the accuracies.

    Notes
    -----
    mean of [old right and new wrong].

    References
    ----------
    S. Yan et al., "Positive-congruent training: towards regression-free model updates",
    CVPR, 2021, arXiv:2011.09161.

    Examples
    --------
    >>> from imbkit.metrics import negative_flip_rate
    >>> y_true, y_old, y_new = [0, 0, 0, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 1, 0]
    >>> negative_flip_rate(y_true, y_old, y_new)
    0.2
    >>> negative_flip_rate(y_true, y_old, y_new, average=None).tolist()
    [0.0, 0.5]
    """
    who = "negative_flip_rate"
    return _flips(
        who, y_true, y_old, y_new, labels, average, sample_weight, zero_division, was_right=True
    )


def positive_flip_rate(
    y_true: ArrayLike,
    y_old: ArrayLike,
    y_new: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: str | None = "micro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = np.nan,
) -> float | FloatArray:
    """Share of the rows that the old model had wrong and the new one has right.

    Choose it beside :func:`negative_flip_rate`, to see what its mistakes bought.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_old, y_new : array-like of shape (n_rows,)
        Labels predicted by the old and by the new model.
    labels : array-like of shape (n_classes,), default=None
        Classes to report or to average over, and their order; by default the sorted labels
        of `y_true`. Not for "micro".
    average : {"micro", "macro"} or None, default="micro"
        Share of all rows; mean over the classes' shares; or one share a true class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=NaN
        The value of a class without a row in `y_true`; NaN leaves it out of the mean.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        From 0 to 1, larger is better; an array for ``average=None``.

    Raises
    ------
    DataError
        If the labels, their lengths or the weights cannot be used.
    InvalidParameterError
        If `average` or `zero_division` is not permitted, or `labels` stands beside "micro".

    See Also
    --------
    negative_flip_rate : What the update breaks.

    Notes
    -----
    mean of [old wrong and new right]. Less the negative flip rate it is the gain in accuracy,
    by class the gain in recall.

    References
    ----------
    S. Yan et al., "Positive-congruent training: towards regression-free model updates",
    CVPR, 2021, arXiv:2011.09161.

    Examples
    --------
    >>> from imbkit.metrics import positive_flip_rate
    >>> positive_flip_rate([0, 0, 0, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 1, 0])
    0.2
    """
    who = "positive_flip_rate"
    return _flips(
        who, y_true, y_old, y_new, labels, average, sample_weight, zero_division, was_right=False
    )


def _flips(
    who: str,
    y_true: ArrayLike,
    y_old: ArrayLike,
    y_new: ArrayLike,
    labels: ArrayLike | None,
    average: str | None,
    sample_weight: ArrayLike | None,
    zero_division: float,
    *,
    was_right: bool,
) -> float | FloatArray:
    """Share of rows whose old prediction was right, or wrong, and whose new one is not."""
    if average not in AVERAGES:
        raise InvalidParameterError(
            message(who, f"average must be one of {listing(AVERAGES)}", average)
        )
    if average == "micro" and labels is not None:
        rule = "labels needs an average over classes: 'macro' or None"
        raise InvalidParameterError(message(who, rule, f"average={average!r}"))
    check_zero_division(who, zero_division)
    truth, old, _ = check_targets(who, y_true, y_old)
    _, new, present = check_targets(who, y_true, y_new)
    weight = check_weight(sample_weight, truth.size, who)
    weight = np.ones(truth.size) if weight is None else weight
    flipped: BoolArray = (
        (old == truth) & (new != truth) if was_right else (old != truth) & (new == truth)
    )
    if average == "micro":
        return float(weight[flipped].sum() / weight.sum())
    classes = np.unique(truth) if labels is None else check_labels(who, labels, present)
    every = np.union1d(truth, classes)
    codes = np.searchsorted(every, truth)
    wanted = np.searchsorted(every, classes)
    support = np.bincount(codes, weight, every.size)[wanted].astype(float)
    total = np.bincount(codes[flipped], weight[flipped], every.size)[wanted].astype(float)
    return averaged(ratio(total, support, zero_division), average, support)
