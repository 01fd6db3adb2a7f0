"""Whether the probabilities are right among the highest scores, where they are acted on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imbkit.metrics._classwise import one_class
from imbkit.metrics._counts import cumulate_weights
from imbkit.metrics._numbers import check_between
from imbkit.metrics._probabilities import refuse_other_than_probabilities
from imbkit.metrics._proportion import proportion_interval

__all__ = ["TopShare", "top_share_reliability"]


@dataclass(frozen=True, slots=True)
class TopShare:
    """Predicted and observed share of positive rows among the highest scores.

    Parameters
    ----------
    rows : float
        Weight of the rows looked at.
    predicted : float
        Their mean predicted probability.
    observed : float
        Their share of positive rows.
    low, high : float
        Wilson's interval of that share.

    Examples
    --------
    >>> from imbkit.metrics import TopShare
    >>> top = TopShare(rows=100.0, predicted=0.8, observed=0.5, low=0.40, high=0.60)
    >>> round(top.gap, 2)
    -0.3
    >>> top.agrees
    False
    """

    rows: float
    predicted: float
    observed: float
    low: float
    high: float

    @property
    def gap(self) -> float:
        """Observed less predicted: below zero the scores promise too much."""
        return self.observed - self.predicted

    @property
    def agrees(self) -> bool:
        """Whether the mean prediction lies within the interval."""
        return self.low <= self.predicted <= self.high


def top_share_reliability(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    share: float = 0.01,
    confidence: float = 0.95,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> TopShare:
    """Return predicted and observed share of positive rows among the highest scores.

    Choose it when only the top of the list is acted on: an error over all rows says little
    about the one row in a hundred that somebody looks at.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_prob : array-like of shape (n_rows,)
        Probabilities of the positive class.
    share : float, default=0.01
        Share of the rows (of the weight) to look at, above 0 and up to 1; it is not rounded
        to whole rows.
    confidence : float, default=0.95
        Of the interval.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    TopShare
        Both shares, and the interval of the observed one.

    Raises
    ------
    DataError
        If the data cannot be used, or `y_prob` does not hold probabilities.
    InvalidParameterError
        If `share` or `confidence` is out of range.

    See Also
    --------
    reliability_curve : All scores.
    precision_at_budget : The observed share alone.

    Notes
    -----
    Where the share ends within rows of equal probability, these count in proportion, so the
    result does not depend on the order of the rows. The interval takes the cut-off for
    given. O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import top_share_reliability
    >>> top = top_share_reliability([0, 0, 1, 0], [0.1, 0.2, 0.9, 0.7], share=0.5)
    >>> round(top.predicted, 2), top.observed
    (0.8, 0.5)
    """
    who = "top_share_reliability"
    part = check_between(who, "share", share, 0.0, 1.0, excluded="low")
    column = refuse_other_than_probabilities(who, y_prob)
    positive, prob, weight = one_class(who, y_true, column, pos_label, sample_weight)
    distinct, tp, fp = cumulate_weights(positive, prob, weight)
    alerts = tp + fp
    mass = np.concatenate(([0.0], np.cumsum(np.diff(alerts) * distinct)))
    rows = part * float(alerts[-1])
    hits = float(np.interp(rows, alerts, tp))
    predicted = float(np.interp(rows, alerts, mass)) / rows
    low, high = proportion_interval(hits, rows, confidence=confidence)
    return TopShare(rows, predicted, hits / rows, float(low), float(high))
