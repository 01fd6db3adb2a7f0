"""The H-measure: expected loss over a distribution of costs, relative to knowing nothing."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc

from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._classwise import against_the_rest
from imbkit.metrics._hull import roc_hull
from imbkit.metrics._numbers import check_between

__all__ = ["h_measure_score"]


def h_measure_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    severity: Literal["prior", "symmetric"] | tuple[float, float] = "prior",
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Share of the expected loss of knowing nothing that the best use of a score saves.

    Choose it over the area under the ROC curve to compare models when costs are not known
    but the same for all of them: the area implies another distribution of costs for every
    model. With known costs use :func:`expected_cost`.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
        Scores of the positive class, larger meaning more likely; or one column a class.
    severity : {"prior", "symmetric"} or tuple of two floats, default="prior"
        Beta distribution of c, the cost of a false alarm relative to that of a false alarm
        and a miss together. "prior": Beta(1 + pi, 2 - pi) with pi the share of positive
        rows, whose mode is where both classes cost as much in total; made for rare classes.
        "symmetric": Beta(2, 2), which thinks misses and false alarms alike. Or its two
        parameters, above zero.
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
        The value of a class that has no row, or every row; NaN leaves it out of averages.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        1 is perfect. 0 is a score that is the same for all rows, or worse than that; random
        scores are a little above 0 on few rows. An array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `severity`, `average` or `zero_division` is not permitted.

    See Also
    --------
    cost_curve : The loss at every cost, instead of its mean.
    partial_roc_auc_score : Keeps a part of the ROC curve instead.

    Notes
    -----
    1 - L / L0. At cost c the loss of a cut-off is c (1 - pi) FPR + (1 - c) pi (1 - TPR). L is
    its expectation over c with the best cut-off for each c, which lies on the convex hull of
    the ROC curve; L0 that of the better of alerting all rows and none. On a block of the
    hull in which a share p of the rows is positive, the rows are alerted for c < p, so L is
    a sum of incomplete beta functions over blocks: exact, O(n log n). A ranking turned
    upside down has 0 here; the authors' code turns it round first.

    References
    ----------
    D. J. Hand, "Measuring classifier performance: a coherent alternative to the area under
    the ROC curve", Machine Learning 77, 2009, doi:10.1007/s10994-009-5119-5.

    D. J. Hand, C. Anagnostopoulos, "A better Beta for the H measure of classification
    performance", Pattern Recognition Letters 40, 2014, arXiv:1202.2564.

    Examples
    --------
    >>> from imbkit.metrics import h_measure_score
    >>> y_true, y_score = [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9]
    >>> round(h_measure_score(y_true, y_score), 3)
    0.635
    >>> round(h_measure_score(y_true, y_score, severity=(2, 2)), 3)
    0.616
    """
    _check_severity(severity)

    def measure(positive: BoolArray, score: FloatArray, weight: FloatArray) -> float:
        hull = roc_hull(positive, score, weight)
        hits, alarms = float(hull.hits.sum()), float(hull.alarms.sum())
        prevalence = hits / (hits + alarms)
        shapes = _shapes(severity, prevalence)
        alone = _losses(np.array([prevalence]), shapes)
        knowing_nothing = alarms * alone[0] + hits * alone[1]
        of_alarms, of_misses = _losses(hull.share, shapes)
        loss = hull.alarms @ of_alarms + hull.hits @ of_misses
        return 1.0 - float(loss / knowing_nothing[0])

    return against_the_rest(
        "h_measure_score",
        measure,
        y_true,
        y_score,
        labels=labels,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
        zero_division=zero_division,
    )


def _losses(share: FloatArray, shapes: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """Integrals of c over costs below each share, and of 1 - c over costs above it."""
    a, b = shapes
    below = a / (a + b) * betainc(a + 1.0, b, share)
    # The upper tail is the lower tail of the mirrored distribution, without cancellation.
    above = b / (a + b) * betainc(b + 1.0, a, 1.0 - share)
    return below, above


def _shapes(
    severity: Literal["prior", "symmetric"] | tuple[float, float], prevalence: float
) -> tuple[float, float]:
    """Parameters of the beta distribution of costs."""
    if severity == "prior":
        return 1.0 + prevalence, 2.0 - prevalence
    if severity == "symmetric":
        return 2.0, 2.0
    return float(severity[0]), float(severity[1])


def _check_severity(severity: Any) -> None:
    if isinstance(severity, str) and severity in ("prior", "symmetric"):
        return
    if isinstance(severity, (tuple, list)) and len(severity) == 2:
        for value in severity:
            check_between("h_measure_score", "severity", value, 0.0, np.inf, excluded="both")
        return
    rule = "severity must be 'prior', 'symmetric' or two numbers above zero"
    raise InvalidParameterError(message("h_measure_score", rule, severity))
