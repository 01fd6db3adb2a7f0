"""The confusion counts at every score, from one sort."""

import numpy as np

from imbkit._core.types import BoolArray, FloatArray
from imbkit.metrics import Counts
from imbkit.metrics._counts import check_ranking, cumulate

__all__ = ["every_cut"]


def every_cut(
    y_true: BoolArray, y_score: FloatArray, sample_weight: FloatArray | None
) -> tuple[FloatArray, Counts]:
    """Return the thresholds of a curve and the counts at each.

    Parameters
    ----------
    y_true : ndarray of bool, shape (n_rows,)
        Whether each row is positive.
    y_score : ndarray of shape (n_rows,)
        Scores, larger meaning more likely positive.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights; one for every row if None.

    Returns
    -------
    thresholds : ndarray of shape (n_entries,)
        ``inf`` and the distinct scores, descending, in the dtype of the scores.
    counts : Counts
        Those of :func:`imbkit.metrics.sweep`.
    """
    positive, score, weight = check_ranking("sweep", y_true, y_score, sample_weight)
    distinct, tp, fp = cumulate(positive, score, weight)
    # Exact: these are some of the scores.
    distinct = distinct.astype(y_score.dtype, copy=False)
    if distinct[0] == np.inf:
        # A row with this score is alerted at every cut-off.
        tp, fp = tp[1:], fp[1:]
    else:
        distinct = np.concatenate((np.array([np.inf], dtype=distinct.dtype), distinct))
    return distinct, Counts(tp=tp, fp=fp, fn=tp[-1] - tp, tn=fp[-1] - fp)
