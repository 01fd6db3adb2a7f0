"""How far a score separates the two classes, at the one cut-off that each measure asks about."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import BoolArray, FloatArray
from imbkit.metrics._classwise import against_the_rest
from imbkit.metrics._counts import cumulate_weights

__all__ = ["equal_error_rate", "ks_score"]


def ks_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Kolmogorov-Smirnov statistic: the largest gap between the classes' score distributions.

    Choose it where credit scoring asks for it. It is the best informedness of any cut-off,
    so it does not depend on how rare the class is; it looks at that one cut-off alone.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
        Scores of the positive class, larger meaning more likely; or one column a class.
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
        From 0 to 1; an array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `average` or `zero_division` is not permitted.

    See Also
    --------
    informedness_score : The gap at a given cut-off.
    equal_error_rate : Another cut-off, at which both errors are as frequent.

    Notes
    -----
    max over cut-offs of TPR - FPR, the one-sided statistic: a ranking turned upside down has
    0, not the value of the right one. O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import ks_score
    >>> ks_score([0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9])
    0.75
    """

    def measure(positive: BoolArray, score: FloatArray, weight: FloatArray) -> float:
        _, tp, fp = cumulate_weights(positive, score, weight)
        return float(np.max(tp / tp[-1] - fp / fp[-1]))

    return against_the_rest(
        "ks_score",
        measure,
        y_true,
        y_score,
        labels=labels,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
        zero_division=zero_division,
    )


def equal_error_rate(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Error rate where as large a share of either class is wrong; smaller is better.

    Choose it where biometrics asks for it. With a rare class nobody works at that cut-off:
    prefer :func:`detection_cost_at_fpr`.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
        Scores of the positive class, larger meaning more likely; or one column a class.
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
        0 is perfect, 0.5 chance; an array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `average` or `zero_division` is not permitted.

    See Also
    --------
    detection_cost_at_fpr : At a false positive rate that one can afford.

    Notes
    -----
    Where the ROC curve, with straight lines between its points, crosses FPR = 1 - TPR. On
    the line between two points the cut-off is drawn at random between theirs. O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import equal_error_rate
    >>> equal_error_rate([0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9])
    0.25
    """

    def measure(positive: BoolArray, score: FloatArray, weight: FloatArray) -> float:
        _, tp, fp = cumulate_weights(positive, score, weight)
        fpr, fnr = fp / fp[-1], 1.0 - tp / tp[-1]
        # The gap falls from 1 to -1, and never stays: each cut-off alerts more rows.
        gap = fnr - fpr
        k = int(np.argmax(gap <= 0.0))
        part = gap[k - 1] / (gap[k - 1] - gap[k])
        return float(fpr[k - 1] + part * (fpr[k] - fpr[k - 1]))

    return against_the_rest(
        "equal_error_rate",
        measure,
        y_true,
        y_score,
        labels=labels,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
        zero_division=zero_division,
    )
