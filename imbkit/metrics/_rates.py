"""Count metrics made of rates: how many are found, how many alerts are right."""

import numpy as np

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._count_metric import count_metric
from imbkit.metrics._counts import Counts, ratio

__all__ = [
    "accuracy_score",
    "balanced_accuracy_score",
    "f1_score",
    "fbeta_score",
    "gmean_score",
    "jaccard_score",
    "npv_score",
    "precision_score",
    "recall_score",
    "sensitivity_score",
    "specificity_score",
]


@count_metric(over="classes")
def accuracy_score(classes: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Share of all rows that are right.

    With a rare class it is close to one for a model that never raises an alert; prefer
    :func:`balanced_accuracy_score`, or a cost.

    See Also
    --------
    balanced_accuracy_score : Gives every class the same weight.

    Examples
    --------
    >>> from imbkit.metrics import accuracy_score
    >>> accuracy_score([0, 0, 0, 1], [0, 0, 0, 0])
    0.75
    """
    return ratio(classes.tp.sum(axis=0), classes.total[0], zero_division)


@count_metric(over="classes", paper="Brodersen et al. (2010)")
def balanced_accuracy_score(classes: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Mean of the recalls of the classes.

    Choose it over accuracy when every class counts the same, whatever its number of rows.

    See Also
    --------
    gmean_score : The geometric mean of the same recalls; zero if one class is never found.
    informedness_score : The same for two classes, scaled so that chance is 0.

    Notes
    -----
    The mean over k of TP_k / (TP_k + FN_k). Classes without a row in `y_true` are left out,
    as scikit-learn does with a warning.

    References
    ----------
    K. H. Brodersen, C. S. Ong, K. E. Stephan, J. M. Buhmann, "The balanced accuracy and its
    posterior distribution", ICPR, 2010, doi:10.1109/ICPR.2010.764.

    Examples
    --------
    >>> from imbkit.metrics import balanced_accuracy_score
    >>> balanced_accuracy_score([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    return ratio(classes.tpr.sum(axis=0), (classes.positives > 0).sum(axis=0), zero_division)


@count_metric()
def precision_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Share of the alerts that are right.

    Choose it when each alert takes somebody's time. It depends on how rare the class is:
    compare models on the same rows only.

    See Also
    --------
    npv_score : The same for the rows left alone.
    precision_at_budget : At a number of alerts instead of a cut-off.

    Notes
    -----
    TP / (TP + FP).

    Examples
    --------
    >>> from imbkit.metrics import precision_score
    >>> precision_score([0, 0, 1, 1], [0, 1, 1, 1])
    0.6666666666666666
    """
    return ratio(counts.tp, counts.alerts, zero_division)


@count_metric()
def recall_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Share of the positive rows that are found; also called sensitivity.

    Choose it together with :func:`precision_score` or :func:`specificity_score`: an alert on
    every row has the best recall. ``sensitivity_score`` is this same object.

    See Also
    --------
    recall_at_fpr : The best recall under a limit on false alarms.
    specificity_score : The same for the negative rows.

    Notes
    -----
    TP / (TP + FN).

    Examples
    --------
    >>> from imbkit.metrics import recall_score
    >>> recall_score([0, 0, 1, 1], [0, 1, 1, 0])
    0.5
    """
    return ratio(counts.tp, counts.positives, zero_division)


sensitivity_score = recall_score


@count_metric()
def specificity_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Share of the negative rows that are left alone.

    Choose it together with :func:`recall_score`. Where negative rows abound, even a
    specificity of 0.999 may mean more false alarms than hits; look at the precision too.

    See Also
    --------
    recall_score : The same for the positive rows.

    Notes
    -----
    TN / (TN + FP). With `sample_weight` imbalanced-learn 0.14 takes the true negatives as the
    *number* of rows less the *weights* of the other three cells. With every average its value
    is then wrong, and may be negative, unless the weights sum to the number of rows. Here all
    four cells are weights.

    Examples
    --------
    >>> from imbkit.metrics import specificity_score
    >>> specificity_score([0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    0.75
    """
    return ratio(counts.tn, counts.negatives, zero_division)


@count_metric()
def npv_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Share of the rows left alone that are right; negative predictive value.

    Choose it when a row left alone must be safe, as in screening.

    See Also
    --------
    precision_score : The same for the alerts.

    Notes
    -----
    TN / (TN + FN).

    Examples
    --------
    >>> from imbkit.metrics import npv_score
    >>> npv_score([0, 0, 0, 1, 1], [0, 0, 0, 0, 1])
    0.75
    """
    return ratio(counts.tn, counts.tn + counts.fn, zero_division)


@count_metric(paper="van Rijsbergen (1979)")
def fbeta_score(counts: Counts, *, beta: float = 1.0, zero_division: float = 0.0) -> FloatArray:
    """Weighted harmonic mean of precision and recall.

    Choose `beta` as the number of times that recall is more important than precision.

    Parameters
    ----------
    beta : float, default=1.0
        Above zero; infinity gives the recall.

    See Also
    --------
    f1_score : ``beta=1``.
    fowlkes_mallows_score : Their geometric mean.

    Notes
    -----
    (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP).

    References
    ----------
    C. J. van Rijsbergen, "Information Retrieval", 2nd edition, Butterworths, 1979.

    Examples
    --------
    >>> from imbkit.metrics import fbeta_score
    >>> round(fbeta_score([0, 0, 1, 1], [0, 1, 1, 1], beta=2.0), 3)
    0.909
    """
    if not beta > 0:
        raise InvalidParameterError(message("fbeta_score", "beta must be above zero", beta))
    # Divided by 1 + beta^2, so that an infinite beta is no special case.
    share = 1.0 / (1.0 + beta * beta)
    return ratio(
        counts.tp, counts.tp + (1.0 - share) * counts.fn + share * counts.fp, zero_division
    )


@count_metric(paper="van Rijsbergen (1979)")
def f1_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Harmonic mean of precision and recall.

    Choose it when both matter and true negatives do not. With probabilities that are right,
    the best cut-off is half the best value.

    See Also
    --------
    fbeta_score : Gives recall more or less weight.

    Notes
    -----
    2 TP / (2 TP + FN + FP).

    References
    ----------
    C. J. van Rijsbergen, "Information Retrieval", 2nd edition, Butterworths, 1979.

    Examples
    --------
    >>> from imbkit.metrics import f1_score
    >>> f1_score([0, 0, 1, 1], [0, 1, 1, 1])
    0.8
    >>> f1_score(["a", "b", "c", "c"], ["a", "c", "c", "c"], average=None).tolist()
    [1.0, 0.0, 0.8]
    """
    return ratio(2.0 * counts.tp, 2.0 * counts.tp + counts.fn + counts.fp, zero_division)


@count_metric(paper="Jaccard (1901)")
def jaccard_score(counts: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Right alerts over all rows that are positive, alerted or both; critical success index.

    It ranks predictions as :func:`f1_score` does, on a stricter scale.

    See Also
    --------
    f1_score : A rising function of this one, 2 J / (1 + J).

    Notes
    -----
    TP / (TP + FP + FN).

    References
    ----------
    P. Jaccard, "Étude comparative de la distribution florale dans une portion des Alpes et
    des Jura", Bulletin de la Société Vaudoise des Sciences Naturelles 37, 1901.

    Examples
    --------
    >>> from imbkit.metrics import jaccard_score
    >>> jaccard_score([0, 0, 1, 1], [0, 1, 1, 1])
    0.6666666666666666
    """
    return ratio(counts.tp, counts.tp + counts.fp + counts.fn, zero_division)


@count_metric(name="gmean", over="classes", paper="Kubat & Matwin (1997)")
def gmean_score(
    classes: Counts, *, correction: float = 0.0, zero_division: float = 0.0
) -> FloatArray:
    """Geometric mean of the recalls of the classes.

    Choose it over :func:`balanced_accuracy_score` when no class may be given up: a recall of
    zero makes it zero.

    Parameters
    ----------
    correction : float, default=0.0
        Put in place of a recall of zero, e.g. 0.001 where some of many classes are never
        found.

    See Also
    --------
    fowlkes_mallows_score : sqrt(precision * recall), which is called G-mean in places.
    geometric_mean_score : imbalanced-learn's function, with its own averages.

    Notes
    -----
    The K-th root of the product of TP_k / (TP_k + FN_k) over the K classes that occur in
    `y_true` or `y_pred`; for two classes sqrt(sensitivity * specificity). The averages
    "macro", "micro" and "weighted" take that binary value for each class against the rest;
    imbalanced-learn averages sensitivity and specificity first.

    References
    ----------
    M. Kubat, S. Matwin, "Addressing the curse of imbalanced training sets: one-sided
    selection", ICML, 1997.

    Examples
    --------
    >>> from imbkit.metrics import gmean_score
    >>> round(gmean_score([0, 0, 0, 0, 1], [0, 0, 0, 1, 1]), 3)
    0.866
    >>> gmean_score(["a", "b", "c"], ["a", "c", "c"])
    0.0
    """
    if not correction >= 0:
        rule = "correction must not be negative"
        raise InvalidParameterError(message("gmean_score", rule, correction))
    recall = ratio(classes.tp, classes.positives, zero_division)
    recall = np.where(recall == 0.0, correction, recall)
    # Two roots of numbers up to one do not underflow where the root of their product may.
    return np.asarray(np.prod(recall ** (1.0 / len(recall)), axis=0))
