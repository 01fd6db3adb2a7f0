"""Recall of the class that fares worst."""

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.metrics._count_metric import count_metric
from imbkit.metrics._counts import Counts

__all__ = ["worst_class_recall_score"]


@count_metric(over="classes")
def worst_class_recall_score(classes: Counts, *, zero_division: float = 0.0) -> FloatArray:
    """Smallest recall of any class.

    Choose it over :func:`gmean_score` when a promise is made to every class. It looks at one
    class alone, often one of few rows: it is noisy, and no guide among models that all give
    up some class.

    See Also
    --------
    gmean_score : Their geometric mean, which also falls to zero with one of them.
    shot_report : Means over frequent, medium and rare classes.

    Notes
    -----
    min over k of TP_k / (TP_k + FN_k), over the classes with a row in `y_true`.

    Examples
    --------
    >>> from imbkit.metrics import worst_class_recall_score
    >>> worst_class_recall_score(["a", "a", "b", "b", "c"], ["a", "a", "b", "c", "c"])
    0.5
    """
    some = classes.positives > 0
    worst = np.where(some, classes.tpr, np.inf).min(axis=0)
    return np.where(some.any(axis=0), worst, zero_division)
