"""How well the rows of each group are ranked, within the group and among all rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit.metrics._areas import precision_area, roc_area
from imbkit.metrics._classwise import check_zero_division, one_class
from imbkit.metrics._counts import check_weight, cumulate_weights, ratio
from imbkit.metrics._row_groups import group_codes

__all__ = ["GroupRanking", "per_group_ranking_report"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupRanking:
    """One entry a group, in the order of `groups`.

    Parameters
    ----------
    groups : ndarray of shape (n_groups,)
        The groups, sorted.
    rows, positives : ndarray of shape (n_groups,)
        Weight of the rows and of the positive rows.
    prevalence : ndarray of shape (n_groups,)
        Share of the positive rows.
    roc_auc, average_precision : ndarray of shape (n_groups,)
        Areas under the ROC curve and the precision-recall curve of the group's rows alone.
    average_precision_skill : ndarray of shape (n_groups,)
        The latter relative to the group's prevalence: 0 is chance, 1 perfect.
    roc_auc_among_all, average_precision_among_all : ndarray of shape (n_groups,)
        The group's part in the areas of all rows: the share of all negative rows below a
        positive row of the group, and the precision of the whole list down to it, averaged
        over the positive rows of the group. Their means over groups, weighted by
        `positives`, are the areas of all rows.

    Examples
    --------
    >>> from imbkit.metrics import per_group_ranking_report
    >>> report = per_group_ranking_report(
    ...     [1, 0, 0, 1, 1, 0], [0.3, 0.2, 0.1, 0.9, 0.6, 0.7], groups=["a"] * 3 + ["b"] * 3
    ... )
    >>> report.roc_auc.tolist()
    [1.0, 0.5]
    >>> report.roc_auc_among_all.round(2).tolist()
    [0.67, 0.83]
    """

    groups: AnyArray
    rows: FloatArray
    positives: FloatArray
    prevalence: FloatArray
    roc_auc: FloatArray
    average_precision: FloatArray
    average_precision_skill: FloatArray
    roc_auc_among_all: FloatArray
    average_precision_among_all: FloatArray


def per_group_ranking_report(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = np.nan,
) -> GroupRanking:
    """Return how well each group is ranked, within itself and among all rows.

    Choose it before a model is chosen by average precision. That area counts a mistake by
    the inverse of the firing rate at which it happens, so of two models it favours the one
    that ranks the groups with the higher base rate well; the area under the ROC curve counts
    all mistakes alike.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    groups : array-like of shape (n_rows,)
        The group of each row, e.g. a region or a channel.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=NaN
        The value of what is not defined: a group's own areas without a row of either class
        in it, its part among all rows without a positive one.

    Returns
    -------
    GroupRanking
        Arrays with one entry a group; ``pandas.DataFrame(dataclasses.asdict(report))`` makes
        a table of them.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `zero_division` is not permitted.

    See Also
    --------
    average_precision_from_fpr : The identity behind it.

    Notes
    -----
    O(n log n), whatever the number of groups.

    References
    ----------
    M. B. A. McDermott, L. H. Hansen, H. Zhang, G. Angelotti, J. Gallifant, "A closer look at
    AUROC and AUPRC under class imbalance", NeurIPS, 2024, arXiv:2401.06091.

    Examples
    --------
    >>> from imbkit.metrics import per_group_ranking_report
    >>> report = per_group_ranking_report(
    ...     [1, 0, 0, 1, 1, 0], [0.3, 0.2, 0.1, 0.9, 0.6, 0.7], groups=["a"] * 3 + ["b"] * 3
    ... )
    >>> report.average_precision_among_all.round(2).tolist()
    [0.75, 0.83]
    """
    who = "per_group_ranking_report"
    check_zero_division(who, zero_division)
    positive, score, weight = one_class(who, y_true, y_score, pos_label, sample_weight)
    n_rows = np.size(y_score)
    names, codes = group_codes(who, groups, n_rows)
    given = check_weight(sample_weight, n_rows, who)
    if given is not None and positive.size < n_rows:
        present, codes = np.unique(codes[given > 0], return_inverse=True)
        names = names[present]
    n = names.size
    rows = np.bincount(codes, weight, n).astype(float)
    positives = np.bincount(codes[positive], weight[positive], n).astype(float)
    own = np.full((3, n), float(zero_division))
    order = np.argsort(codes, kind="stable")
    for k, part in enumerate(np.split(order, np.cumsum(np.bincount(codes, minlength=n))[:-1])):
        if positive[part].any() and not positive[part].all():
            own[:, k] = _areas(positive[part], score[part], weight[part])
    among = np.full((2, n), float(zero_division))
    if positive.any():
        above, precision = _among_all(positive, score, weight)
        some = positives > 0
        mine = codes[positive]
        if not positive.all():
            total = np.bincount(mine, weight[positive] * above, n)
            among[0, some] = total[some] / positives[some]
        total = np.bincount(mine, weight[positive] * precision, n)
        among[1, some] = total[some] / positives[some]
    return GroupRanking(names, rows, positives, ratio(positives, rows), *own, *among)


def _areas(
    positive: BoolArray, score: FloatArray, weight: FloatArray
) -> tuple[float, float, float]:
    """Area under the ROC curve, average precision and its skill, of one group."""
    _, tp, fp = cumulate_weights(positive, score, weight)
    prevalence = float(tp[-1] / (tp[-1] + fp[-1]))
    precision = precision_area(tp, fp)
    return roc_area(tp, fp), precision, (precision - prevalence) / (1.0 - prevalence)


def _among_all(
    positive: BoolArray, score: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """For each positive row: the share of negative rows below it, and the precision there."""
    distinct, tp, fp = cumulate_weights(positive, score, weight)
    place = distinct.size - np.searchsorted(distinct[::-1], score[positive], side="left")
    negatives = fp[-1] if fp[-1] else 1.0
    above = 1.0 - (fp[place - 1] + fp[place]) / 2.0 / negatives
    return above, tp[place] / (tp[place] + fp[place])
