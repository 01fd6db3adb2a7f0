"""Curves of single folds in a few hundred points, and their mean over folds."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.bench._money import Costs
from imbkit.bench._schema_curves import Band
from imbkit.metrics import CountMetric, Counts

__all__ = [
    "ThinCurve",
    "budget_bands",
    "objective_band",
    "recall_precision_band",
    "roc_band",
    "thin_curve",
]

ThinCurve: TypeAlias = dict[str, list[float | None]]
"""Lists of equal length, from no alert to all rows alerted: ``cut`` (lowest score that is
alerted; None where nothing is), ``fp`` and ``tp`` (counts), and with costs ``cost`` (of all
decisions) and ``amount`` (fn cost of the positives alerted)."""

N_RECALLS = 101
N_RATES = 60
N_CUTS = 120
LOWEST_RATE = 1e-5
_LARGEST = float(np.finfo(float).max)


def thin_curve(
    codes: IntArray, scores: FloatArray, costs: Costs | None, most: int = 300
) -> ThinCurve:
    """Return the points of a fold's curve, at most `most` of them.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        1 for positive rows.
    scores : ndarray of shape (n_rows,)
        Larger meaning more likely positive.
    costs : Costs or None
        Of these rows.
    most : int, default=300
        At least 8.

    Returns
    -------
    ThinCurve
        Numbers are exact at the points that are kept.

    Notes
    -----
    Every cut-off is a point (log(1 + fp) / log(1 + N), tp / P) of the unit square, and both
    coordinates grow along the curve, so that the sum u of both goes from 0 to 2. Where the
    points at which tp changes, with the point before each, are half of `most` or fewer, they
    are all kept: the curve then has no other corners. The remaining points are those at which
    u first reaches evenly spaced values and, where corners were not kept, the points before
    these. Between neighbours in the full curve nothing is lost; between any others u grows by
    less than one spacing, so linear interpolation errs by less than 4 / (most - 4) of P.
    """
    truth = codes == 1
    order = np.argsort(-scores, kind="stable")
    ranked, hit = scores[order], truth[order]
    changes = np.flatnonzero(ranked[1:] != ranked[:-1])
    last = np.append(changes, ranked.size - 1) if ranked.size else changes
    tp = _sums(hit.astype(np.intp), last)
    fp = _sums((~hit).astype(np.intp), last)
    kept = _kept_points(fp, tp, most)
    cuts = np.clip(ranked[last].astype(float), -_LARGEST, _LARGEST)
    curve: ThinCurve = {
        "cut": [None, *cuts.tolist()] if kept.size == last.size + 1 else _cuts_at(cuts, kept),
        "fp": fp[kept].tolist(),
        "tp": tp[kept].tolist(),
    }
    if costs is not None:
        missed = float(costs.fn[truth].sum())
        change = np.where(truth, -(costs.fn + costs.gain), costs.fp)[order]
        amount = np.where(truth, costs.fn, 0.0)[order]
        curve["cost"] = (missed + _sums(change, last)[kept]).tolist()
        curve["amount"] = _sums(amount, last)[kept].tolist()
    return curve


def recall_precision_band(curves: Sequence[ThinCurve], positives: Sequence[int]) -> Band:
    """Return the precision at each recall.

    It is that of the first cut-off that reaches the recall, and at recall 0 that of the first
    one that catches a positive row: precision is not interpolated, which would flatter it.
    """
    recalls = np.linspace(0, 1, N_RECALLS)
    lines: list[FloatArray] = []
    for curve, n_positive in zip(curves, positives, strict=True):
        if n_positive:
            tp, fp = _column(curve, "tp"), _column(curve, "fp")
            need = np.maximum(np.ceil(recalls * n_positive - 1e-9), 1)
            first = np.searchsorted(tp, need, side="left")
            lines.append(tp[first] / (tp[first] + fp[first]))
    return _band(recalls, lines)


def roc_band(
    curves: Sequence[ThinCurve], positives: Sequence[int], negatives: Sequence[int]
) -> Band:
    """Return the recall at each false-positive rate, evenly spaced by their logarithm.

    It is that of the lowest cut-off whose rate does not exceed the given one. The rates start
    at the smallest that every fold can show.
    """
    usable = [n for p, n in zip(positives, negatives, strict=True) if p and n]
    rates = np.geomspace(max([LOWEST_RATE, *(1 / n for n in usable)]), 1, N_RATES)
    lines: list[FloatArray] = []
    for curve, n_positive, n_negative in zip(curves, positives, negatives, strict=True):
        if n_positive and n_negative:
            tp, fp = _column(curve, "tp"), _column(curve, "fp")
            last = np.searchsorted(fp, rates * n_negative + 1e-9, side="right") - 1
            lines.append(tp[last] / n_positive)
    return _band(rates, lines)


def objective_band(
    curves: Sequence[ThinCurve],
    metric: CountMetric | None,
    positives: Sequence[int],
    negatives: Sequence[int],
) -> Band:
    """Return a metric, or the cost per 1,000 rows if it is None, at each threshold.

    The thresholds are quantiles of all folds' cut-offs.
    """
    cuts = [np.array([cut for cut in curve["cut"] if cut is not None]) for curve in curves]
    if not any(own.size for own in cuts):
        return _band(np.empty(0), [])
    every = np.concatenate(cuts)
    thresholds = np.unique(np.quantile(every, np.linspace(0, 1, N_CUTS), method="nearest"))
    lines: list[FloatArray] = []
    for curve, own, n_positive, n_negative in zip(curves, cuts, positives, negatives, strict=True):
        # Cut-offs fall along a curve; its first point alerts nothing.
        at = np.searchsorted(-own, -thresholds, side="right")
        if metric is None:
            lines.append(1000 * _column(curve, "cost")[at] / (n_positive + n_negative))
        else:
            tp, fp = _column(curve, "tp")[at], _column(curve, "fp")[at]
            lines.append(metric.of(Counts(tp=tp, fp=fp, fn=n_positive - tp, tn=n_negative - fp)))
    return _band(thresholds, lines)


def budget_bands(
    curves: Sequence[ThinCurve],
    positives: Sequence[int],
    negatives: Sequence[int],
    *,
    amounts: bool,
) -> tuple[Band, Band, Band | None]:
    """Return recall, precision and share of the positives' amount at each share of alerts.

    Shares are evenly spaced by their logarithm, from one row of the smallest fold. A budget
    that ends among equal scores gets its expected value over all orders of these rows. The
    amount is None unless it is asked for.
    """
    sizes = [p + n for p, n in zip(positives, negatives, strict=True)]
    usable = [n for p, n in zip(positives, sizes, strict=True) if p]
    shares = np.geomspace(max([LOWEST_RATE, *(1 / n for n in usable)]), 1, N_RATES)
    recall, precision, amount = [], [], []
    for curve, n_positive, size in zip(curves, positives, sizes, strict=True):
        if not n_positive:
            continue
        tp = _column(curve, "tp")
        alerts = tp + _column(curve, "fp")
        hits = np.interp(shares * size, alerts, tp)
        recall.append(hits / n_positive)
        precision.append(hits / (shares * size))
        if amounts:
            caught = _column(curve, "amount")
            if caught[-1]:
                amount.append(np.interp(shares * size, alerts, caught) / caught[-1])
    captured = _band(shares, amount) if amounts else None
    return _band(shares, recall), _band(shares, precision), captured


def _sums(values: FloatArray | IntArray, last: IntArray) -> FloatArray:
    """Running sum down to each distinct score, 0 for no row in front."""
    return np.asarray(np.concatenate(([0], np.cumsum(values)[last])))


def _kept_points(fp: FloatArray, tp: FloatArray, most: int) -> IntArray:
    """Positions of the points to keep; see `thin_curve`."""
    if fp.size <= most:
        return np.arange(fp.size)
    changes = np.flatnonzero(np.diff(tp)) + 1
    corners = np.union1d(changes, changes - 1)
    u = np.log1p(fp) / max(np.log1p(fp[-1]), 1.0) + tp / max(tp[-1], 1)
    ends = np.array([0, fp.size - 1])
    if corners.size <= most // 2:
        spaced = _first_reaching(u, most - corners.size - ends.size)
        return np.unique(np.concatenate((ends, corners, spaced)))
    spaced = _first_reaching(u, (most - ends.size) // 2)
    return np.unique(np.concatenate((ends, spaced, np.maximum(spaced - 1, 0))))


def _first_reaching(u: FloatArray, n: int) -> IntArray:
    """Positions at which ascending values first reach n evenly spaced ones."""
    return np.searchsorted(u, np.linspace(0, u[-1], n)).astype(np.intp)


def _cuts_at(cuts: FloatArray, kept: IntArray) -> list[float | None]:
    return [None if place == 0 else float(cuts[place - 1]) for place in kept]


def _column(curve: ThinCurve, name: str) -> FloatArray:
    return np.asarray(curve[name], dtype=float)


def _band(x: FloatArray, lines: Sequence[FloatArray]) -> Band:
    """Mean, lowest and highest of the folds' lines."""
    if not lines:
        gaps: list[float | None] = [None] * x.size
        return Band(x=x.tolist(), mean=gaps, low=gaps, high=gaps)
    every = np.array(lines)
    columns: list[Callable[..., FloatArray]] = [np.mean, np.min, np.max]
    mean, low, high = (column(every, axis=0).tolist() for column in columns)
    return Band(x=x.tolist(), mean=mean, low=low, high=high)
