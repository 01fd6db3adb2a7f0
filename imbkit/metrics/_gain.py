"""Cumulative gain and lift: what part of the positive rows a part of all rows holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._classwise import one_class
from imbkit.metrics._counts import cumulate_weights

__all__ = ["GainCurve", "cumulative_gain_curve"]


@dataclass(frozen=True, slots=True, eq=False)
class GainCurve:
    """Share of the positive rows found against the share of rows alerted.

    Parameters
    ----------
    share : ndarray of shape (n_distinct + 1,)
        Share of the rows that are alerted, rising from 0 to 1, one entry a distinct score.
    gain : ndarray of shape (n_distinct + 1,)
        Share of the positive rows among them, from 0 to 1.
    thresholds : ndarray of shape (n_distinct + 1,)
        Entry k alerts the rows with ``score >= thresholds[k]``; ``inf`` first.
    prevalence : float
        Share of the positive rows.

    Examples
    --------
    >>> from imbkit.metrics import cumulative_gain_curve
    >>> curve = cumulative_gain_curve([0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.6, 0.9])
    >>> curve.gain.tolist()
    [0.0, 0.5, 0.5, 1.0, 1.0, 1.0]
    >>> curve.lift.round(2).tolist()
    [2.5, 2.5, 1.25, 1.67, 1.25, 1.0]
    """

    share: FloatArray
    gain: FloatArray
    thresholds: FloatArray
    prevalence: float

    @property
    def lift(self) -> FloatArray:
        """Gain over share: how many times better than alerting at random.

        Its first entry is the limit for few alerts, that is, the next entry.
        """
        lift = self.gain[1:] / self.share[1:]
        return np.asarray(np.concatenate((lift[:1], lift)))

    def at(self, share: ArrayLike) -> FloatArray:
        """Return the gain at given shares of alerted rows.

        Parameters
        ----------
        share : float or array-like
            From 0 to 1.

        Returns
        -------
        ndarray
            Of the shape of `share`; within rows of equal scores the expected gain over
            their orders.

        Raises
        ------
        InvalidParameterError
            If a share is not between 0 and 1.
        """
        wanted = np.asarray(share, dtype=float)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            rule = "share must be between 0 and 1"
            raise InvalidParameterError(message("GainCurve.at", rule, share))
        return np.asarray(np.interp(wanted, self.share, self.gain))


def cumulative_gain_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> GainCurve:
    """Return the share of the positive rows found at every number of alerts.

    Choose it to set a budget: how much more would the next hundred alerts find?

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes, at least one row positive.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    GainCurve
        Gain and lift at every distinct score.

    Raises
    ------
    DataError
        If the data cannot be used, or no row is positive.

    See Also
    --------
    recall_at_budget : The gain at one budget.
    lift_score : The lift at one budget.

    Notes
    -----
    Gain is TPR, share is prevalence * TPR + (1 - prevalence) * FPR, both at every cut-off.
    O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import cumulative_gain_curve
    >>> curve = cumulative_gain_curve([0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.6, 0.9])
    >>> curve.at([0.2, 0.5]).tolist()
    [0.5, 0.75]
    """
    who = "cumulative_gain_curve"
    positive, score, weight = one_class(who, y_true, y_score, pos_label, sample_weight)
    if not positive.any():
        raise DataError(message(who, "at least one row must be positive", "none with a weight"))
    distinct, tp, fp = cumulate_weights(positive, score, weight)
    alerts = tp + fp
    thresholds = np.concatenate(([np.inf], distinct))
    return GainCurve(
        alerts / alerts[-1], tp / tp[-1], thresholds, float(tp[-1] / (tp[-1] + fp[-1]))
    )
