"""Confusion counts, and the counts at every cut-off of a score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = [
    "Counts",
    "check_ranking",
    "check_weight",
    "cumulate",
    "cumulate_weights",
    "ratio",
    "sweep",
    "sweep_for",
]


@dataclass(frozen=True, slots=True)
class Counts:
    """Weighted counts of a two-class confusion matrix, one or many at a time.

    All four fields have the same shape: scalars for one set of predictions, one entry a
    cut-off when they come from :func:`sweep`, one entry a class when each class in turn is
    taken as the positive one. Every count metric is a formula over this object.

    Parameters
    ----------
    tp, fp, fn, tn : float or ndarray
        Weight of the true positives, false positives, false negatives and true negatives.

    Examples
    --------
    >>> from imbkit.metrics import Counts
    >>> counts = Counts(tp=8.0, fp=2.0, fn=4.0, tn=86.0)
    >>> float(counts.precision)
    0.8
    >>> float(counts.alerts)
    10.0
    """

    tp: FloatArray
    fp: FloatArray
    fn: FloatArray
    tn: FloatArray

    @property
    def positives(self) -> FloatArray:
        """Weight of the rows whose true class is the positive one."""
        return self.tp + self.fn

    @property
    def negatives(self) -> FloatArray:
        """Weight of the rows whose true class is the negative one."""
        return self.fp + self.tn

    @property
    def alerts(self) -> FloatArray:
        """Weight of the rows predicted positive."""
        return self.tp + self.fp

    @property
    def total(self) -> FloatArray:
        """Weight of all rows."""
        return self.positives + self.negatives

    @property
    def tpr(self) -> FloatArray:
        """True positive rate (recall, sensitivity); 0 where there is no positive row."""
        return ratio(self.tp, self.positives)

    @property
    def tnr(self) -> FloatArray:
        """True negative rate (specificity); 0 where there is no negative row."""
        return ratio(self.tn, self.negatives)

    @property
    def fpr(self) -> FloatArray:
        """False positive rate; 0 where there is no negative row."""
        return ratio(self.fp, self.negatives)

    @property
    def precision(self) -> FloatArray:
        """Share of the alerts that are right; 0 where there is no alert."""
        return ratio(self.tp, self.alerts)

    @property
    def npv(self) -> FloatArray:
        """Share of the rows left alone that are right; 0 where every row is alerted."""
        return ratio(self.tn, self.tn + self.fn)


def ratio(numerator: FloatArray, denominator: FloatArray, empty: float = 0.0) -> FloatArray:
    """Divide, giving `empty` where the denominator is zero."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    )
    out = np.full(denominator.shape, float(empty))
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def sweep(
    y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[FloatArray, Counts]:
    """Return the confusion counts at every distinct cut-off of a score.

    A row is predicted positive where ``score >= cut``. One sort serves all cut-offs, so any
    count metric can be maximised exactly, without a grid.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Whether each row is positive: booleans, or numbers of which 0 and -1 mean negative
        and 1 positive.
    y_score : array-like of shape (n_rows,)
        Finite or infinite scores, larger meaning more likely positive. NaN is refused.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row, not all zero; one for every row if None.

    Returns
    -------
    cuts : ndarray of shape (n_distinct + 1,)
        Descending cut-offs: ``inf`` (no row positive), a point between each two neighbouring
        distinct scores (their midpoint where floating point has one), and ``-inf`` (every
        row positive). Where a score is ``inf`` itself, no cut-off leaves every row negative,
        and that first entry is missing.
    counts : Counts
        The counts at each cut-off; arrays of the same shape.

    Raises
    ------
    DataError
        If lengths differ, there are no rows, a score is NaN, a weight is negative or not
        finite, all weights are zero, or `y_true` is not two-valued.

    Notes
    -----
    O(n log n) time. Without weights only the scores are sorted, which is several times
    faster than sorting row numbers. Memory: about six arrays of n floats at the peak.

    Examples
    --------
    >>> from imbkit.metrics import gmean_score, sweep
    >>> cuts, counts = sweep([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> cuts.round(3).tolist()
    [inf, 0.6, 0.375, 0.225, -inf]
    >>> float(cuts[gmean_score.of(counts).argmax()].round(3))
    0.6
    """
    return sweep_for("sweep", y_true, y_score, sample_weight)


def sweep_for(
    who: str, y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[FloatArray, Counts]:
    """Do as `sweep`, complaining on behalf of `who`."""
    positive, score, weight = check_ranking(who, y_true, y_score, sample_weight)
    distinct, tp, fp = cumulate(positive, score, weight)
    cuts = _cuts_between(distinct)
    if distinct[0] == np.inf:
        cuts, tp, fp = cuts[1:], tp[1:], fp[1:]
    return cuts, Counts(tp=tp, fp=fp, fn=tp[-1] - tp, tn=fp[-1] - fp)


def cumulate(
    positive: BoolArray, score: FloatArray, weight: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct scores, descending, and the hits and false alarms down to each, from one sort."""
    if weight is not None:
        return cumulate_weights(positive, score, weight)
    ascending = np.sort(score)
    first = _first_of_each(ascending)
    distinct = ascending[first]
    # The hits are few as a rule: look them up among all scores, not the reverse.
    hits = np.searchsorted(distinct, np.sort(score[positive]))
    tp = np.cumsum(np.bincount(hits, minlength=distinct.size)[::-1]).astype(float)
    alerts = (score.size - first[::-1]).astype(float)
    return distinct[::-1], _from_zero(tp), _from_zero(alerts - tp)


def cumulate_weights(
    positive: BoolArray, score: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct scores, descending, and the weight of hits and false alarms down to each."""
    # The sign says which class a weight belongs to, so that one gather serves both.
    order = np.argsort(score)
    signed = np.where(positive, weight, -weight).take(order)[::-1]
    descending = score.take(order)[::-1]
    # Sums are made in place: beside the sort, fresh memory is what costs most.
    tp, fp = np.zeros(score.size + 1), np.zeros(score.size + 1)
    np.cumsum(np.maximum(signed, 0.0, out=tp[1:]), out=tp[1:])
    np.cumsum(np.minimum(signed, 0.0, out=fp[1:]), out=fp[1:])
    np.subtract(0.0, fp, out=fp)
    first = _first_of_each(descending)
    if first.size == score.size:
        return descending, tp, fp
    ends = np.append(first, score.size)
    return descending[ends[1:] - 1], tp[ends], fp[ends]


def _first_of_each(ordered: FloatArray) -> IntArray:
    """Positions at which a sorted array takes a new value."""
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))


def _from_zero(values: FloatArray) -> FloatArray:
    """Put the cut-off at which nothing is positive in front."""
    return np.concatenate(([0.0], values))


def _cuts_between(distinct: FloatArray) -> FloatArray:
    """Cut-offs that separate descending distinct scores, with both infinities."""
    upper, lower = distinct[:-1], distinct[1:]
    with np.errstate(invalid="ignore"):
        middle = upper / 2 + lower / 2
    # Between neighbouring floats, or beside an infinity, there is no midpoint that still
    # separates the two; the upper score itself always does.
    middle = np.where((middle > lower) & (middle <= upper), middle, upper)
    return np.concatenate(([np.inf], middle, [-np.inf]))


def check_ranking(
    who: str, y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[BoolArray, FloatArray, FloatArray | None]:
    """Return truth, scores and weights as arrays, or complain on behalf of `who`."""
    score = np.asarray(y_score)
    if score.dtype != np.float32:
        score = score.astype(float, copy=False)
    truth = np.asarray(y_true)
    if score.ndim != 1 or truth.shape != score.shape or not score.size:
        rule = "y_true and y_score must be one-dimensional, of the same length and not empty"
        raise DataError(message(who, rule, f"shapes {truth.shape} and {score.shape}"))
    if np.isnan(score).any():
        rule = "scores must not be NaN"
        got = f"{int(np.isnan(score).sum()):,} NaN in {score.size:,} scores"
        todo = "Look for missing values or overflow in the estimator's output"
        raise DataError(message(who, rule, got, todo))
    if truth.dtype != bool:
        positive = truth == 1
        if not (positive | (truth == 0) | (truth == -1)).all():
            rule = "y_true must hold booleans, or 1 for positive and 0 or -1 for negative rows"
            todo = "Pass `y_true == positive_label`"
            raise DataError(message(who, rule, np.unique(truth.astype(str))[:5].tolist(), todo))
        truth = positive
    return truth, score, check_weight(sample_weight, score.size, who)


def check_weight(sample_weight: ArrayLike | None, n_rows: int, who: str) -> FloatArray | None:
    """Return the weights as floats, or complain on behalf of `who`."""
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=float)
    if weight.shape != (n_rows,):
        rule = f"sample_weight must hold one number for each of the {n_rows:,} rows"
        raise DataError(message(who, rule, f"shape {weight.shape}"))
    if not np.isfinite(weight).all() or (weight < 0).any():
        bad = weight[~np.isfinite(weight) | (weight < 0)]
        rule = "sample_weight must be finite and not negative"
        raise DataError(message(who, rule, f"{bad.size:,} bad values, the first {bad[0]}"))
    if not weight.any():
        raise DataError(message(who, "sample_weight must not be zero for every row"))
    return weight
