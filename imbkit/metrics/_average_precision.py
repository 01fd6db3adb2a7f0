"""Average precision beside the share of positive rows, on which it depends."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import BoolArray, FloatArray
from imbkit.metrics._areas import precision_area
from imbkit.metrics._classwise import against_the_rest
from imbkit.metrics._counts import cumulate_weights
from imbkit.metrics._numbers import check_between

__all__ = ["average_precision_from_fpr", "average_precision_skill_score"]


def average_precision_skill_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Average precision relative to the share of positive rows; 0 is chance, 1 is perfect.

    Choose it over average precision to read one number without its base rate. It is still
    not comparable across base rates: the same ROC curve has less skill where the class is
    rarer (see :func:`average_precision_from_fpr`).

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
        At most 1; about 0 for scores that know nothing, below 0 for worse ones. An array
        for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `average` or `zero_division` is not permitted.

    See Also
    --------
    average_precision_from_fpr : Average precision at another base rate.
    lift_score : The same comparison at one budget.

    Notes
    -----
    (AP - pi) / (1 - pi), with pi the share of positive rows and AP the mean over positive
    rows of the precision down to each, rows with equal scores taken together. The expected
    AP of random scores is somewhat above pi on few positive rows. O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import average_precision_skill_score
    >>> round(average_precision_skill_score([0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.6, 0.9]), 3)
    0.722
    """

    def measure(positive: BoolArray, score: FloatArray, weight: FloatArray) -> float:
        _, tp, fp = cumulate_weights(positive, score, weight)
        prevalence = tp[-1] / (tp[-1] + fp[-1])
        return float((precision_area(tp, fp) - prevalence) / (1.0 - prevalence))

    return against_the_rest(
        "average_precision_skill_score",
        measure,
        y_true,
        y_score,
        labels=labels,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
        zero_division=zero_division,
    )


def average_precision_from_fpr(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    prevalence: float | None = None,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float | FloatArray:
    """Average precision from the ROC curve, at the base rate of the rows or at another.

    Choose it to say what a ranking would be worth where the class is rarer or more frequent
    than in the rows at hand, as after sampling or in the next season.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
        Scores of the positive class, larger meaning more likely; or one column a class.
    prevalence : float, default=None
        Share of positive rows, between 0 and 1, both excluded; by default that of `y_true`.
        With a matrix the share of each class in turn.
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
        The average precision; an array for a matrix and ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `prevalence`, `average` or `zero_division` is out of range.

    See Also
    --------
    average_precision_skill_score : Relative to the base rate.
    per_group_ranking_report : What the identity means for groups of rows.

    Notes
    -----
    1 - P(y = 0) E[FPR(t) / P(s >= t)], the mean over the scores t of the positive rows, with
    P(s >= t) = P(y = 1) TPR(t) + P(y = 0) FPR(t). The area under the ROC curve is
    1 - E[FPR(t)]: it weighs all mistakes alike, while average precision weighs each by the
    inverse of the firing rate, so that those among the highest scores count most. McDermott
    et al. write s > t; counting the row itself makes the identity exact on finite data, ties
    included, where it equals scikit-learn's ``average_precision_score``. O(n log n).

    References
    ----------
    M. B. A. McDermott, L. H. Hansen, H. Zhang, G. Angelotti, J. Gallifant, "A closer look at
    AUROC and AUPRC under class imbalance", NeurIPS, 2024, arXiv:2401.06091.

    Examples
    --------
    >>> from imbkit.metrics import average_precision_from_fpr
    >>> y_true, y_score = [0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.6, 0.9]
    >>> round(average_precision_from_fpr(y_true, y_score), 3)
    0.833
    >>> round(average_precision_from_fpr(y_true, y_score, prevalence=0.01), 3)
    0.515
    """
    who = "average_precision_from_fpr"
    if prevalence is not None:
        prevalence = check_between(who, "prevalence", prevalence, 0.0, 1.0, excluded="both")

    def measure(positive: BoolArray, score: FloatArray, weight: FloatArray) -> float:
        _, tp, fp = cumulate_weights(positive, score, weight)
        tpr, fpr = tp / tp[-1], fp / fp[-1]
        share = tp[-1] / (tp[-1] + fp[-1]) if prevalence is None else prevalence
        hit = np.diff(tpr) > 0
        tpr_then, fpr_then = tpr[1:][hit], fpr[1:][hit]
        firing = share * tpr_then + (1.0 - share) * fpr_then
        return float(1.0 - (1.0 - share) * np.sum(np.diff(tpr)[hit] * fpr_then / firing))

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
