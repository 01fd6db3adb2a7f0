"""Distances to centres and neighbours, estimated from some rows of each class."""

from typing import Any

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._memberships import gap
from imbkit.rvfl._nonmembership import within
from imbkit.rvfl._row_tiles import Points, mutual_sums, sums_over, tiles_of, weighted_mean

__all__ = ["drawn_reference", "subset_counts", "subset_squares"]


def drawn_reference(
    codes: IntArray,
    n_classes: int,
    weights: FloatArray,
    rng: np.random.Generator,
    size: int,
) -> list[IntArray]:
    """Draw rows of positive weight from each class without replacement.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Class of each row.
    n_classes : int
        Number of classes.
    weights : ndarray of shape (n,)
        Their weights.
    rng : Generator
        What draws.
    size : int
        Rows to draw; at least two of each class are.

    Returns
    -------
    list of ndarray
        Sorted row numbers of each class. Classes with fewer rows than an equal share are
        taken whole, and leave the rest of it to the others.
    """
    pools = [np.flatnonzero((codes == code) & (weights > 0)) for code in range(n_classes)]
    quota = np.zeros(n_classes, dtype=np.intp)
    left = size
    order = np.argsort([len(pool) for pool in pools], kind="stable")
    for done, code in enumerate(order):
        quota[code] = min(len(pools[code]), max(2, left // (n_classes - done)))
        left -= quota[code]
    return [
        np.sort(rng.choice(pool, n, replace=False)) if n < len(pool) else pool
        for pool, n in zip(pools, quota, strict=True)
    ]


def subset_squares(
    X: Any,
    codes: IntArray,
    weights: FloatArray,
    reference: list[IntArray],
    width: float,
    *,
    foreign: bool,
    n_jobs: int | None,
) -> tuple[FloatArray, FloatArray]:
    """Estimate `imbkit.rvfl._memberships.exact_squares` from a reference of each class.

    Notes
    -----
    The mean of 1 - k over a class is that over the reference without the row itself, times the
    weight that other rows have in the class; so no row is closer to its centre for having been
    drawn, and a reference of all rows gives the exact answer.
    """
    own, other = np.zeros(len(codes)), np.full(len(codes), np.inf)
    mass = np.bincount(codes, weights, len(reference))
    for code, drawn in enumerate(reference):
        if not len(drawn):
            continue
        v = weights[drawn]
        held = v.sum()
        centre = weighted_mean(X, drawn, v)
        points = Points(X, drawn, centre, width)
        tiles = tiles_of(np.zeros(len(drawn), dtype=np.intp))
        inside = codes == code
        every = weights[inside]
        pairs = held**2 - v @ v
        spread = v @ mutual_sums(points, tiles, v, gap, n_jobs)[0]
        spread *= (1 - every @ every / mass[code] ** 2) / pairs if len(drawn) > 1 else 0.0
        asked = np.arange(len(codes)) if foreign else np.flatnonzero(inside)

        def queries(
            low: int, high: int, asked: IntArray = asked, centre: FloatArray = centre
        ) -> Points:
            return Points(X, asked[low:high], centre, width)

        sums = sums_over(queries, len(asked), points, v[:, None], gap, n_jobs)[:, 0]
        here = inside[asked]
        there = asked[~here]
        other[there] = np.minimum(other[there], 2 * sums[~here] / held - spread)
        rest = np.full(len(codes), held)
        rest[drawn] -= v
        ids = asked[here]
        means = np.divide(sums[here], rest[ids], out=np.zeros(len(ids)), where=len(drawn) > 1)
        own[ids] = 2 * means * (1 - weights[ids] / mass[code]) - spread
    return np.maximum(own, 0.0), np.maximum(other, 0.0)


def subset_counts(
    X: Any,
    codes: IntArray,
    weights: FloatArray,
    reference: list[IntArray],
    radius: float,
    n_jobs: int | None,
) -> tuple[FloatArray, FloatArray]:
    """Estimate the weight of a row's neighbours, of its own class and of others.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        Rows.
    codes : ndarray of int, shape (n,)
        Class of each.
    weights : ndarray of shape (n,)
        How much a row counts as a neighbour.
    reference : list of ndarray
        Rows drawn from each class.
    radius : float
        Rows nearer than this are neighbours.
    n_jobs : int or None
        Threads.

    Returns
    -------
    own, others : ndarray of shape (n,)
        A class's count in the reference, times its weight over that of the reference; a row
        itself is counted, once.
    """
    own, others = np.zeros(len(codes)), np.zeros(len(codes))
    if radius == 0:
        return own, others
    mass = np.bincount(codes, weights, len(reference))
    drawn = np.concatenate(reference)
    v = weights[drawn]
    held = np.bincount(codes[drawn], v, len(reference))
    centre, near = weighted_mean(X, drawn, v), within(radius)
    points = Points(X, drawn, centre)
    split = np.zeros((len(drawn), len(reference)))
    split[np.arange(len(drawn)), codes[drawn]] = v

    def queries(low: int, high: int) -> Points:
        return Points(X, np.arange(low, high), centre)

    found = sums_over(queries, len(codes), points, split, near, n_jobs)
    places = np.arange(len(codes))
    chosen = np.zeros(len(codes))
    chosen[drawn] = v
    # Without the row itself, which is its own neighbour for certain.
    mine = found[places, codes] - chosen
    rest = held[codes] - chosen
    scale = np.divide(mass[codes] - weights, rest, out=np.zeros(len(codes)), where=rest > 0)
    own[:] = weights + np.maximum(mine, 0.0) * scale
    found[places, codes] = 0.0
    found *= np.divide(mass, held, out=np.zeros(len(mass)), where=held > 0)
    others[:] = found.sum(axis=1)
    return own, others
