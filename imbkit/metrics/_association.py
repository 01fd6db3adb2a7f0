"""Count metrics of association: agreement beyond chance, and indices that join two rates.

All of them but the last two divide by products of margins the determinant TP TN - FP FN,
which is zero for predictions that know nothing of the class.
"""

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.metrics._count_metric import count_metric
from imbkit.metrics._counts import Counts, ratio

__all__ = [
    "cohen_kappa_score",
    "fowlkes_mallows_score",
    "iba_score",
    "informedness_score",
    "markedness_score",
    "matthews_corrcoef",
]


@count_metric(name="mcc", bounds=(-1, 1), over="classes", paper="Matthews (1975)")
def matthews_corrcoef(classes: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Correlation between the true and the predicted class.

    Choose it when a prediction must do well on all four cells of the confusion matrix. It
    is +1 for perfect, 0 for uninformed and negative for inverted predictions.

    See Also
    --------
    cohen_kappa_score : The same numerator over another denominator.
    informedness_score : Does not depend on how rare the class is.

    Notes
    -----
    (TP TN - FP FN) / sqrt(P N A Q) with P positive, N negative, A alerted and Q quiet rows;
    for more classes Gorodkin's R_K, the sum over classes of TP_k TN_k - FP_k FN_k over
    sqrt(sum_k P_k N_k * sum_k A_k Q_k). Written so, no difference of large numbers is taken
    in the denominator. `zero_division` stands in where a factor is zero.

    References
    ----------
    B. W. Matthews, "Comparison of the predicted and observed secondary structure of T4 phage
    lysozyme", Biochimica et Biophysica Acta 405, 1975, doi:10.1016/0005-2795(75)90109-9.

    J. Gorodkin, "Comparing two K-category assignments by a K-category correlation
    coefficient", Computational Biology and Chemistry 28, 2004,
    doi:10.1016/j.compbiolchem.2004.09.006.

    Examples
    --------
    >>> from imbkit.metrics import matthews_corrcoef
    >>> round(matthews_corrcoef([0, 0, 1, 1], [0, 0, 1, 0]), 3)
    0.577
    """
    spread_true = (classes.positives * classes.negatives).sum(axis=0)
    spread_pred = (classes.alerts * _quiet(classes)).sum(axis=0)
    return ratio(
        _determinant(classes).sum(axis=0),
        np.sqrt(spread_true) * np.sqrt(spread_pred),
        zero_division,
    )


@count_metric(bounds=(-1, 1), over="classes", paper="Cohen (1960)")
def cohen_kappa_score(classes: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Agreement of true and predicted classes beyond what their shares give by chance.

    Prefer :func:`matthews_corrcoef` for ranking models: kappa rewards predicting as many
    rows of each class as there are. For ordered classes use scikit-learn's function, which
    weighs the errors by their distance.

    See Also
    --------
    matthews_corrcoef : The same numerator over another denominator.

    Notes
    -----
    (p_o - p_e) / (1 - p_e), which is the sum over classes of TP_k TN_k - FP_k FN_k over the
    sum of P_k Q_k, with P_k rows of class k and Q_k rows not predicted as k. `zero_division`
    stands in where all rows are and are predicted as one class.

    References
    ----------
    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20, 1960, doi:10.1177/001316446002000104.

    Examples
    --------
    >>> from imbkit.metrics import cohen_kappa_score
    >>> cohen_kappa_score([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    beyond_chance = (classes.positives * _quiet(classes)).sum(axis=0)
    return ratio(_determinant(classes).sum(axis=0), beyond_chance, zero_division)


@count_metric(bounds=(-1, 1), paper="Youden (1950)")
def informedness_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Youden's J: recall + specificity - 1, the chance of an informed decision.

    Choose it when hits and false alarms are judged as rates. With probabilities that are
    right, the best cut-off is the share of positive rows.

    See Also
    --------
    markedness_score : The same between predictions and truth.

    Notes
    -----
    TP / P - FP / N. Each of the two rates counts with `zero_division` where it has no row.

    References
    ----------
    W. J. Youden, "Index for rating diagnostic tests", Cancer 3, 1950.

    Examples
    --------
    >>> from imbkit.metrics import informedness_score
    >>> informedness_score([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    sensitivity = ratio(counts.tp, counts.positives, zero_division)
    return sensitivity + ratio(counts.tn, counts.negatives, zero_division) - 1.0


@count_metric(bounds=(-1, 1), paper="Powers (2011)")
def markedness_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Precision + negative predictive value - 1: how far a decision tells the class.

    Choose it when decisions are judged by what they turn out to be.

    See Also
    --------
    informedness_score : The same between truth and predictions.

    Notes
    -----
    TP / A - FN / Q with A alerted and Q quiet rows. Each of the two shares counts with
    `zero_division` where it has no row.

    References
    ----------
    D. M. W. Powers, "Evaluation: from precision, recall and F-measure to ROC, informedness,
    markedness and correlation", Journal of Machine Learning Technologies 2, 2011,
    arXiv:2010.16061.

    Examples
    --------
    >>> from imbkit.metrics import markedness_score
    >>> round(markedness_score([0, 0, 1, 1], [0, 0, 1, 0]), 3)
    0.667
    """
    precision = ratio(counts.tp, counts.alerts, zero_division)
    return precision + ratio(counts.tn, _quiet(counts), zero_division) - 1.0


@count_metric(paper="Fowlkes & Mallows (1983)")
def fowlkes_mallows_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Geometric mean of precision and recall.

    It stands between the two, above their harmonic mean :func:`f1_score`. Some papers call
    it G-mean; :func:`gmean_score` is the mean of recall and specificity.

    See Also
    --------
    f1_score : Their harmonic mean.

    Notes
    -----
    TP / sqrt((TP + FP) (TP + FN)). scikit-learn's function of the same name compares two
    clusterings by counting pairs of rows; this one counts rows.

    References
    ----------
    E. B. Fowlkes, C. L. Mallows, "A method for comparing two hierarchical clusterings",
    Journal of the American Statistical Association 78, 1983,
    doi:10.1080/01621459.1983.10478008.

    Examples
    --------
    >>> from imbkit.metrics import fowlkes_mallows_score
    >>> round(fowlkes_mallows_score([0, 0, 1, 1], [0, 0, 1, 0]), 3)
    0.707
    """
    return ratio(counts.tp, np.sqrt(counts.alerts) * np.sqrt(counts.positives), zero_division)


@count_metric(paper="García et al. (2009)")
def iba_score(counts: Counts, *, alpha: float = 0.1, zero_division: float = 0.0) -> FloatArray:
    """Index of balanced accuracy: the squared G-mean, shifted towards the positive class.

    Choose it when of two predictions with the same G-mean the one that finds more positive
    rows should win.

    Parameters
    ----------
    alpha : float, default=0.1
        Weight of the dominance TPR - TNR; 0 gives TPR * TNR.

    See Also
    --------
    make_index_balanced_accuracy : imbalanced-learn's decorator.

    Notes
    -----
    (1 + alpha (TPR - TNR)) TPR TNR; between 0 and 1 as long as alpha is between -1 and 1.
    imbalanced-learn's ``make_index_balanced_accuracy(alpha=0.1)(geometric_mean_score)`` gives
    the same for ``average="binary"``; at its default ``average="multiclass"`` it takes the
    dominance from macro averages, where it is zero for two classes.

    References
    ----------
    V. García, R. A. Mollineda, J. S. Sánchez, "Index of balanced accuracy: a performance
    measure for skewed class distributions", IbPRIA, 2009,
    doi:10.1007/978-3-642-02172-5_57.

    Examples
    --------
    >>> from imbkit.metrics import iba_score
    >>> round(iba_score([0, 0, 0, 0, 1], [0, 0, 0, 1, 1]), 5)
    0.76875
    """
    sensitivity = ratio(counts.tp, counts.positives, zero_division)
    specificity = ratio(counts.tn, counts.negatives, zero_division)
    return (1.0 + alpha * (sensitivity - specificity)) * sensitivity * specificity


def _determinant(counts: Counts) -> FloatArray:
    return counts.tp * counts.tn - counts.fp * counts.fn


def _quiet(counts: Counts) -> FloatArray:
    """Weight of the rows predicted negative."""
    return counts.fn + counts.tn
