"""Predicted probabilities beside what came true, in bins of equal mass."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._classwise import one_class
from imbkit.metrics._numbers import check_whole
from imbkit.metrics._probabilities import refuse_other_than_probabilities
from imbkit.metrics._proportion import proportion_interval

__all__ = ["Bins", "ReliabilityCurve", "binned", "check_bins", "reliability_curve"]

Strategy = Literal["quantile", "uniform"]


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityCurve:
    """One entry a bin of rows with similar predicted probabilities, lowest first.

    Parameters
    ----------
    predicted : ndarray of shape (n_bins,)
        Mean predicted probability.
    observed : ndarray of shape (n_bins,)
        Share of the positive rows.
    low, high : ndarray of shape (n_bins,)
        Wilson's interval of that share.
    rows : ndarray of shape (n_bins,)
        Weight of the rows.

    Examples
    --------
    >>> from imbkit.metrics import reliability_curve
    >>> curve = reliability_curve([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.7, 0.9], n_bins=2)
    >>> curve.predicted.round(2).tolist(), curve.observed.round(2).tolist()
    ([0.2, 0.67], [0.33, 0.67])
    """

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    rows: FloatArray


class Bins(NamedTuple):
    """Mean prediction, share of positive rows and weight of each bin that has a row."""

    predicted: FloatArray
    observed: FloatArray
    rows: FloatArray


def reliability_curve(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 10,
    strategy: Strategy = "quantile",
    confidence: float = 0.95,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> ReliabilityCurve:
    """Return mean predicted probability and share of positive rows, bin by bin.

    Choose it over scikit-learn's ``calibration_curve`` for weights, intervals, and bins that
    do not tear rows of equal probability apart. With a rare class most bins of equal width
    are empty and the first holds nearly all rows; bins of equal mass show them.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_prob : array-like of shape (n_rows,)
        Probabilities of the positive class.
    n_bins : int, default=10
        Number of bins, from 1.
    strategy : {"quantile", "uniform"}, default="quantile"
        Bins of equal weight, or of equal width on [0, 1].
    confidence : float, default=0.95
        Of the interval of each share.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    ReliabilityCurve
        Only bins with a row: fewer than `n_bins` where many probabilities are equal.

    Raises
    ------
    DataError
        If the data cannot be used, or `y_prob` does not hold probabilities.
    InvalidParameterError
        If `n_bins`, `strategy` or `confidence` is not permitted.

    See Also
    --------
    classwise_calibration_error : The mean gap of the curve.
    top_share_reliability : The highest scores alone.

    Notes
    -----
    With bins of equal weight, all rows of a probability go to the bin in which the middle of
    their weight lies. O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import reliability_curve
    >>> curve = reliability_curve([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.7, 0.9], n_bins=3)
    >>> curve.rows.tolist()
    [2.0, 2.0, 2.0]
    """
    who = "reliability_curve"
    n_bins = check_bins(who, n_bins, strategy)
    column = refuse_other_than_probabilities(who, y_prob)
    positive, prob, weight = one_class(who, y_true, column, pos_label, sample_weight)
    bins = binned(positive, prob, weight, n_bins, strategy)
    low, high = proportion_interval(bins.observed * bins.rows, bins.rows, confidence=confidence)
    return ReliabilityCurve(bins.predicted, bins.observed, low, high, bins.rows)


def binned(
    positive: BoolArray, prob: FloatArray, weight: FloatArray, n_bins: int, strategy: Strategy
) -> Bins:
    """Average prediction and truth in bins; weights are above zero."""
    value, row = np.unique(prob, return_inverse=True)
    rows = np.bincount(row, weight)
    if strategy == "quantile":
        end = np.cumsum(rows)
        middle = (end - rows / 2.0) / end[-1]
        place = np.minimum((middle * n_bins).astype(np.intp), n_bins - 1)
    else:
        place = np.searchsorted(np.linspace(0.0, 1.0, n_bins + 1)[1:-1], value)
    hits = np.bincount(row[positive], weight[positive], value.size)
    total = np.bincount(place, rows, n_bins)
    some = total > 0
    total = total[some]
    predicted = np.bincount(place, rows * value, n_bins)[some] / total
    return Bins(predicted, np.bincount(place, hits, n_bins)[some] / total, total.astype(float))


def check_bins(who: str, n_bins: object, strategy: object) -> int:
    """Return the number of bins, or complain about it or about how they are made."""
    if strategy not in ("quantile", "uniform"):
        rule = "strategy must be 'quantile' or 'uniform'"
        raise InvalidParameterError(message(who, rule, strategy))
    return check_whole(who, "n_bins", n_bins, 1)
