"""Normalised expected cost at every ratio of costs and base rates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._classwise import one_class
from imbkit.metrics._hull import roc_hull

__all__ = ["CostCurve", "cost_curve"]


@dataclass(frozen=True, slots=True, eq=False)
class CostCurve:
    """Lowest normalised expected cost of any cut-off of a score, a concave broken line.

    The probability cost, on the horizontal axis, is p fn / (p fn + (1 - p) fp) with p the
    share of positive rows where the model is used, and fn and fp the costs of a miss and a
    false alarm. Alerting no row costs as much as the probability cost itself, alerting all
    rows one minus that.

    Parameters
    ----------
    probability_cost : ndarray of shape (n_corners + 1,)
        Rising from 0 to 1; between two entries one cut-off is best.
    cost : ndarray of shape (n_corners + 1,)
        The cost at each of them, as a share of the largest possible one; 0 at both ends.
    thresholds : ndarray of shape (n_corners,)
        The best cut-off between entries k and k + 1: predict positive where
        ``score >= thresholds[k]``. The first, ``inf``, alerts no row.
    fpr, tpr : ndarray of shape (n_corners,)
        False and true positive rate of that cut-off, the corners of the ROC convex hull.

    Examples
    --------
    >>> from imbkit.metrics import cost_curve
    >>> curve = cost_curve([0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9])
    >>> curve.at([0.1, 0.5, 0.9]).round(3).tolist()
    [0.05, 0.125, 0.025]
    >>> curve.thresholds.tolist()
    [inf, 0.9, 0.6, 0.1]
    """

    probability_cost: FloatArray
    cost: FloatArray
    thresholds: FloatArray
    fpr: FloatArray
    tpr: FloatArray

    @property
    def area(self) -> float:
        """Mean cost over all probability costs: 0 is perfect, 0.25 knows nothing."""
        return float(np.trapezoid(self.cost, self.probability_cost))

    def at(self, probability_cost: ArrayLike) -> FloatArray:
        """Return the cost at given probability costs.

        Parameters
        ----------
        probability_cost : float or array-like
            From 0 to 1.

        Returns
        -------
        ndarray
            Of the shape of `probability_cost`.

        Raises
        ------
        InvalidParameterError
            If one is not between 0 and 1.
        """
        wanted = _check_probability_cost("CostCurve.at", probability_cost)
        return np.asarray(np.interp(wanted, self.probability_cost, self.cost))

    def threshold_at(self, probability_cost: ArrayLike) -> FloatArray:
        """Return the best cut-off at given probability costs.

        Parameters
        ----------
        probability_cost : float or array-like
            From 0 to 1.

        Returns
        -------
        ndarray
            Of the shape of `probability_cost`; where two are as good, the higher one.

        Raises
        ------
        InvalidParameterError
            If one is not between 0 and 1.
        """
        wanted = _check_probability_cost("CostCurve.threshold_at", probability_cost)
        return self.thresholds[np.searchsorted(self.probability_cost[1:-1], wanted, side="left")]


def cost_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> CostCurve:
    """Return the lowest normalised expected cost at every ratio of costs and base rates.

    Choose it over the ROC curve to see at which costs one model beats another, and where
    neither beats alerting no row or all of them.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes, both present.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    CostCurve
        The curve; it can be evaluated anywhere, without a grid.

    Raises
    ------
    DataError
        If the data cannot be used, or one of the two classes has no row.

    See Also
    --------
    expected_cost : With ``normalize="constant"``, the cost of given decisions relative to
        the best constant one.
    h_measure_score : The mean over a distribution of costs.

    Notes
    -----
    A cut-off costs x (1 - TPR) + (1 - x) FPR at the probability cost x: a line. The curve is
    the lower envelope of the lines of all cut-offs, whose corners are the slopes of the ROC
    convex hull. To compare with a constant decision, divide by min(x, 1 - x). O(n log n).

    References
    ----------
    C. Drummond, R. C. Holte, "Cost curves: an improved method for visualizing classifier
    performance", Machine Learning 65, 2006, doi:10.1007/s10994-006-8199-5.

    Examples
    --------
    >>> from imbkit.metrics import cost_curve
    >>> curve = cost_curve([0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9])
    >>> round(curve.area, 3)
    0.083
    """
    positive, score, weight = one_class("cost_curve", y_true, y_score, pos_label, sample_weight)
    if positive.all() or not positive.any():
        rule = "both classes must have a row"
        got = f"{int(positive.sum()):,} positive of {positive.size:,} rows with a weight"
        raise DataError(message("cost_curve", rule, got))
    hull = roc_hull(positive, score, weight)
    hits, alarms = hull.hits / hull.hits.sum(), hull.alarms / hull.alarms.sum()
    # Rounding must not leave the far corner beside (1, 1).
    tpr = np.concatenate(([0.0], np.minimum(np.cumsum(hits[:-1]), 1.0), [1.0]))
    fpr = np.concatenate(([0.0], np.minimum(np.cumsum(alarms[:-1]), 1.0), [1.0]))
    # Rounding may leave two neighbouring slopes, equal but for the last bit, out of order.
    turns = np.maximum.accumulate(alarms / (hits + alarms))
    x = np.concatenate(([0.0], turns, [1.0]))
    cost = x[:-1] * (1.0 - tpr) + (1.0 - x[:-1]) * fpr
    return CostCurve(x, np.append(cost, 0.0), np.append(np.inf, hull.lowest), fpr, tpr)


def _check_probability_cost(who: str, value: ArrayLike) -> FloatArray:
    wanted = np.asarray(value, dtype=float)
    if not ((wanted >= 0) & (wanted <= 1)).all():
        rule = "probability_cost must be between 0 and 1"
        raise InvalidParameterError(message(who, rule, value))
    return wanted
