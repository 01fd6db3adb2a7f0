"""Area under the part of the ROC curve that can be used."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import BoolArray, FloatArray
from imbkit.metrics._classwise import against_the_rest
from imbkit.metrics._counts import cumulate_weights
from imbkit.metrics._numbers import check_between

__all__ = ["partial_roc_auc_score"]


def partial_roc_auc_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    max_fpr: float = 0.1,
    *,
    min_tpr: float = 0.0,
    standardize: bool = True,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Area under the ROC curve where few negative rows are alerted.

    Choose it over the whole area where no one would work at a high false positive rate, and
    over :func:`recall_at_fpr` where the limit is not known to the digit. With `min_tpr` only
    the corner counts in which the recall is high enough too.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
        Scores of the positive class, larger meaning more likely; or one column a class.
    max_fpr : float, default=0.1
        Largest false positive rate that counts, above 0 and up to 1.
    min_tpr : float, default=0.0
        Smallest true positive rate that counts, from 0 to below 1.
    standardize : bool, default=True
        Scale the area so that 0.5 is chance and 1 is perfect. Otherwise the area itself, at
        most ``max_fpr * (1 - min_tpr)``.
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
        The area; an array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If a limit is out of range, or `average` or `zero_division` not permitted.

    See Also
    --------
    recall_at_fpr : The height of the curve at the limit.
    h_measure_score : Weighs cut-offs by costs instead of cutting some off.

    Notes
    -----
    With a and b the two limits, A = integral of max(TPR - b, 0) dFPR over 0 <= FPR <= a, on
    the ROC curve with straight lines between its points. Standardised it is
    0.5 (1 + (A - C) / (M - C)), with M = a (1 - b) for a perfect ranking and
    C = max(a - b, 0)^2 / 2 for the diagonal. At b = 0 this is McClish's form, and
    scikit-learn's ``roc_auc_score(max_fpr=a)``; Yang et al. give the two-way area without a
    scale, the standardised one is McClish's idea carried over. O(n log n).

    References
    ----------
    D. K. McClish, "Analyzing a portion of the ROC curve", Medical Decision Making 9, 1989,
    doi:10.1177/0272989X8900900307.

    H. Yang, K. Lu, X. Lyu, F. Hu, "Two-way partial AUC and its properties", Statistical
    Methods in Medical Research 28, 2019, doi:10.1177/0962280217718866.

    Examples
    --------
    >>> from imbkit.metrics import partial_roc_auc_score
    >>> y_true, y_score = [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9]
    >>> round(partial_roc_auc_score(y_true, y_score, 0.25), 3)
    0.714
    >>> partial_roc_auc_score(y_true, y_score, 0.5, standardize=False)
    0.375
    """
    who = "partial_roc_auc_score"
    a = check_between(who, "max_fpr", max_fpr, 0.0, 1.0, excluded="low")
    b = check_between(who, "min_tpr", min_tpr, 0.0, 1.0, excluded="high")
    best, chance = a * (1.0 - b), max(a - b, 0.0) ** 2 / 2.0

    def measure(positive: BoolArray, score: FloatArray, weight: FloatArray) -> float:
        _, tp, fp = cumulate_weights(positive, score, weight)
        area = _corner(fp / fp[-1], tp / tp[-1], a, b)
        return 0.5 * (1.0 + (area - chance) / (best - chance)) if standardize else area

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


def _corner(fpr: FloatArray, tpr: FloatArray, a: float, b: float) -> float:
    """Area between the curve and the height b, from the left up to the width a."""
    left, low, high = fpr[:-1], tpr[:-1], tpr[1:]
    width = np.diff(fpr)
    wide = width > 0
    left, low, high, width = left[wide], low[wide], high[wide], width[wide]
    part = np.clip((a - left) / width, 0.0, 1.0)
    width, high = part * width, low + part * (high - low)
    above, below = np.maximum(high - b, 0.0), np.maximum(low - b, 0.0)
    # Where the line crosses the height b, only its last part lies above.
    rise = np.maximum(high - low, np.finfo(float).tiny)
    share = np.where(low >= b, 1.0, np.minimum(above / rise, 1.0))
    return float(np.sum(width * share * (above + below)) / 2.0)
