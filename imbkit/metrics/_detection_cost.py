"""Cost of misses and false alarms at the false positive rate that one can afford."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import BoolArray, FloatArray
from imbkit.metrics._classwise import against_the_rest
from imbkit.metrics._counts import cumulate_weights
from imbkit.metrics._numbers import check_between

__all__ = ["detection_cost_at_fpr"]

# A rate may miss its limit by rounding where weights are fractions; equal must pass.
_SLACK = 1e-12


def detection_cost_at_fpr(
    y_true: ArrayLike,
    y_score: ArrayLike,
    max_fpr: float = 0.01,
    *,
    fp: float = 1.0,
    fn: float = 1.0,
    prevalence: float | None = None,
    normalize: bool = False,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Expected cost a row at the best cut-off within a false positive rate; smaller is better.

    Choose it over :func:`recall_at_fpr` when misses and false alarms have a price, and the
    limit on false alarms stands whatever that price.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
        Scores of the positive class, larger meaning more likely; or one column a class.
    max_fpr : float, default=0.01
        Largest permitted share of negative rows that are alerted, from 0 to 1.
    fp, fn : float, default=1.0
        Cost of a false alarm and of a miss, not negative; a right decision costs nothing.
    prevalence : float, default=None
        Share of positive rows to reckon with, between 0 and 1, both excluded; by default
        that of `y_true`.
    normalize : bool, default=False
        Divide by the cost of the better of alerting no row and all of them.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns; by default the sorted labels that occur. Only for a
        matrix.
    pos_label : str, bool or int, default=1
        The positive class, for one column of scores.
    average : {"macro", "weighted"} or None, default="macro"
        For a matrix: mean over classes, each against the rest; that mean weighted by the
        rows of each class; or one value a class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value of a class that has no row, or every row, and of one whose better constant
        decision is free; NaN leaves it out of averages.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        The cost; an array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If a rate, a cost, `average` or `zero_division` is out of range.

    See Also
    --------
    expected_cost : The cost of given decisions, with one cost a row if need be.
    cost_curve : Without a limit, at every ratio of costs.

    Notes
    -----
    pi fn (1 - TPR) + (1 - pi) fp FPR at the cut-off with the highest recall among those with
    FPR <= max_fpr, of equal ones that with the fewest false alarms. It is the detection cost
    function of speaker recognition with its cut-off set by the limit; the rate that is
    reached counts, not the limit. O(n log n).

    References
    ----------
    A. Martin, M. Przybocki, "The NIST 1999 speaker recognition evaluation: an overview",
    Digital Signal Processing 10, 2000, doi:10.1006/dspr.1999.0355.

    Examples
    --------
    >>> from imbkit.metrics import detection_cost_at_fpr
    >>> y_true, y_score = [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9]
    >>> round(detection_cost_at_fpr(y_true, y_score, 0.1, fn=30.0), 3)
    5.0
    >>> round(detection_cost_at_fpr(y_true, y_score, 0.25, fn=30.0), 3)
    0.167
    """
    who = "detection_cost_at_fpr"
    limit = check_between(who, "max_fpr", max_fpr, 0.0, 1.0)
    alarm = check_between(who, "fp", fp, 0.0, np.inf, excluded="high")
    miss = check_between(who, "fn", fn, 0.0, np.inf, excluded="high")
    if prevalence is not None:
        prevalence = check_between(who, "prevalence", prevalence, 0.0, 1.0, excluded="both")

    def measure(positive: BoolArray, score: FloatArray, weight: FloatArray) -> float:
        _, hits, alarms = cumulate_weights(positive, score, weight)
        share = hits[-1] / (hits[-1] + alarms[-1]) if prevalence is None else prevalence
        tpr, fpr = hits / hits[-1], alarms / alarms[-1]
        # Recall rises with every cut-off: the first that has the most alerts the fewest rows.
        k = int(np.argmax(tpr[fpr <= limit + _SLACK]))
        cost = float(share * miss * (1.0 - tpr[k]) + (1.0 - share) * alarm * fpr[k])
        if not normalize:
            return cost
        constant = float(min(share * miss, (1.0 - share) * alarm))
        return cost / constant if constant else float(zero_division)

    return against_the_rest(
        who,
        measure,
        y_true,
        y_score,
        labels=labels,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
        zero_division=zero_division,
    )
