"""How far predicted probabilities are from what came true: expected calibration errors."""

from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._classwise import (
    averaged,
    check_average,
    check_zero_division,
)
from imbkit.metrics._numbers import check_between
from imbkit.metrics._probabilities import Probabilities, check_probabilities
from imbkit.metrics._reliability import Strategy, binned, check_bins

__all__ = ["classwise_calibration_error", "predicted_positive_calibration_error"]

Norm = Literal["l1", "l2", "max"]


def classwise_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Strategy = "quantile",
    norm: Norm = "l1",
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = np.nan,
) -> float | FloatArray:
    """Expected calibration error of each class's probability; smaller is better.

    Choose it over the usual error of the predicted class, whose probability is that of the
    frequent class on nearly all rows, so that it does not see the rare one at all.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of the positive class, or of each class.
    n_bins : int, default=15
        Number of bins, from 1.
    strategy : {"quantile", "uniform"}, default="quantile"
        Bins of equal weight, or of equal width on [0, 1].
    norm : {"l1", "l2", "max"}, default="l1"
        Mean gap over the rows, root of its mean square, or the largest gap of any bin.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns; by default the sorted labels that occur.
    pos_label : str, bool or int, default=1
        The positive class, for one column of probabilities.
    average : {"macro", "weighted"} or None, default="macro"
        For a matrix: mean over classes; that mean weighted by the rows of each class; or one
        value a class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=NaN
        The value of a class without a row, for a matrix; NaN leaves it out of averages. One
        column of probabilities without a positive row is compared with a share of 0.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        From 0 to 1; an array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used, or `y_prob` does not hold probabilities.
    InvalidParameterError
        If a parameter is not permitted.

    See Also
    --------
    reliability_curve : The bins themselves.
    predicted_positive_calibration_error : Of the alerted rows alone.

    Notes
    -----
    For class k, the mean over bins, weighted by their rows, of the distance between the share
    of class k and its mean probability. It does not vanish for probabilities that are right:
    a bin of m rows and share p adds about sqrt(2 p (1 - p) / (pi m)). Compare models on the
    same rows and bins. O(K n log n).

    References
    ----------
    M. Kull et al., "Beyond temperature scaling: obtaining well-calibrated multi-class
    probabilities with Dirichlet calibration", NeurIPS, 2019, arXiv:1910.12656.

    J. Nixon et al., "Measuring calibration in deep learning", CVPR workshops, 2019,
    arXiv:1904.01685.

    Examples
    --------
    >>> from imbkit.metrics import classwise_calibration_error
    >>> y_true, y_prob = [0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.7, 0.9]
    >>> round(classwise_calibration_error(y_true, y_prob, n_bins=2), 3)
    0.067
    """
    who = "classwise_calibration_error"
    n_bins = _check(who, n_bins, strategy, norm, average, zero_division)
    given = check_probabilities(
        who, y_true, y_prob, labels=labels, pos_label=pos_label, sample_weight=sample_weight
    )
    gap = partial(_gap, n_bins=n_bins, strategy=strategy, norm=norm)
    if given.two_sided:
        return gap(given.codes == 1, given.matrix[:, 1], given.weight)
    support = np.bincount(given.codes, given.weight, given.classes.size).astype(float)
    values = np.full(support.size, float(zero_division))
    for k in np.flatnonzero(support):
        values[k] = gap(given.codes == k, given.matrix[:, k], given.weight)
    return averaged(values, average, support)


def predicted_positive_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    threshold: float | None = None,
    n_bins: int = 15,
    strategy: Strategy = "quantile",
    norm: Norm = "l1",
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Expected calibration error of the rows predicted positive; smaller is better.

    Choose it when a probability is looked at only once a row is alerted, to say how urgent
    it is. In the error over all rows these few hardly count.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of the positive class, or of each class.
    threshold : float, default=None
        A row is predicted positive from this probability on, 0.5 by default. For a matrix
        the default is the class with the highest probability, of equal ones the first.
    n_bins : int, default=15
        Number of bins, from 1.
    strategy : {"quantile", "uniform"}, default="quantile"
        Bins of equal weight, or of equal width on [0, 1].
    norm : {"l1", "l2", "max"}, default="l1"
        Mean gap over the rows, root of its mean square, or the largest gap of any bin.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns; by default the sorted labels that occur.
    pos_label : str, bool or int, default=1
        The positive class, for one column of probabilities.
    average : {"macro", "weighted"} or None, default="macro"
        For a matrix: mean over classes; that mean weighted by the rows of each class; or one
        value a class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value of a class that is predicted for no row; NaN leaves it out of averages.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        From 0 to 1; an array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used, or `y_prob` does not hold probabilities.
    InvalidParameterError
        If a parameter is not permitted.

    See Also
    --------
    classwise_calibration_error : Over all rows.
    top_share_reliability : Of a share of the rows instead of those above a threshold.

    Notes
    -----
    :func:`classwise_calibration_error` of the rows predicted as the class, with bins of
    their own. O(K n log n).

    Examples
    --------
    >>> from imbkit.metrics import predicted_positive_calibration_error
    >>> y_true, y_prob = [0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.9]
    >>> round(predicted_positive_calibration_error(y_true, y_prob, n_bins=1), 3)
    0.067
    """
    who = "predicted_positive_calibration_error"
    n_bins = _check(who, n_bins, strategy, norm, average, zero_division)
    if threshold is not None:
        threshold = check_between(who, "threshold", threshold, 0.0, 1.0)
    given = check_probabilities(
        who, y_true, y_prob, labels=labels, pos_label=pos_label, sample_weight=sample_weight
    )
    values = np.full(given.classes.size, float(zero_division))
    for k in range(values.size):
        alert = _predicted(given, k, threshold)
        if alert.any():
            rows = given.codes[alert] == k, given.matrix[alert, k], given.weight[alert]
            values[k] = _gap(*rows, n_bins=n_bins, strategy=strategy, norm=norm)
    if given.two_sided:
        return float(values[1])
    support = np.bincount(given.codes, given.weight, values.size).astype(float)
    return averaged(values, average, support)


def _predicted(given: Probabilities, k: int, threshold: float | None) -> BoolArray:
    """Which rows are predicted as class k."""
    if threshold is None and not given.two_sided:
        return np.asarray(given.matrix.argmax(axis=1) == k)
    return np.asarray(given.matrix[:, k] >= (0.5 if threshold is None else threshold))


def _gap(
    positive: BoolArray,
    prob: FloatArray,
    weight: FloatArray,
    *,
    n_bins: int,
    strategy: Strategy,
    norm: Norm,
) -> float:
    """Calibration error of one class's probability."""
    bins = binned(positive, prob, weight, n_bins, strategy)
    gaps = np.abs(bins.observed - bins.predicted)
    if norm == "max":
        return float(gaps.max())
    if norm == "l2":
        return float(np.sqrt(np.average(gaps**2, weights=bins.rows)))
    return float(np.average(gaps, weights=bins.rows))


def _check(
    who: str, n_bins: object, strategy: object, norm: object, average: str | None, zero: float
) -> int:
    if norm not in ("l1", "l2", "max"):
        raise InvalidParameterError(message(who, "norm must be 'l1', 'l2' or 'max'", norm))
    check_average(who, average)
    check_zero_division(who, zero)
    return check_bins(who, n_bins, strategy)
