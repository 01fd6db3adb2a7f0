"""Nearest rows over numbers with missing values and over codes of categories.

Small searches are done by NumPy, larger ones by kernels over tiles of rows, with the same
result: squared differences are added column after column, and of two equally distant rows the
one with the smaller number is the nearer.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbkit._core.parallel import run_blocks
from imbkit._core.types import AnyArray, FloatArray, IntArray

__all__ = [
    "level_tables",
    "mixed_nearest",
    "nan_nearest",
    "nan_nearest_to",
    "profile_distances",
    "profile_nearest",
]

# Pairs of rows up to which NumPy is done before numba would have been imported.
_FEW = 4_000_000
_CELLS = 2**17  # entries of a block of distances: 1 MiB, within the processor's cache
_TABLE = 2**23  # entries of all tables of levels together: 64 MiB
_BLOCK = 128  # queries a call of a kernel


def nan_nearest(X: AnyArray, rows: IntArray, k: int, *, n_jobs: int | None = None) -> IntArray:
    """Return the nearest other rows by the distance that leaves missing values out.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Finite numbers or NaN.
    rows : ndarray of int, shape (m,)
        Rows whose neighbours are asked for.
    k : int
        Neighbours, fewer than `n_rows`.
    n_jobs : int, default=None
        Threads.

    Returns
    -------
    ndarray of int, shape (m, k)
        Row numbers, the nearest first. The squared distance is the sum over the columns that
        both rows have, times ``n_columns`` over their number; rows without a column in common
        are infinitely far apart.
    """
    return mixed_nearest(X, _no_codes(len(X)), 0.0, rows, k, n_jobs=n_jobs)


def nan_nearest_to(X: AnyArray, Q: AnyArray, k: int, *, n_jobs: int | None = None) -> IntArray:
    """Return the rows of `X` nearest to foreign rows `Q`, as :func:`nan_nearest` does."""
    query = _Query(_floats(Q), _no_codes(len(Q)), np.full(len(Q), -1, dtype=np.intp))
    return _search(_floats(X), _no_codes(len(X)), 0.0, query, k, n_jobs)


def mixed_nearest(
    numbers: AnyArray,
    codes: NDArray[np.int32],
    weight: float,
    rows: IntArray,
    k: int,
    *,
    n_jobs: int | None = None,
) -> IntArray:
    """Return the nearest other rows over numbers and codes.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, d)
        Finite numbers or NaN, with d of 1 or more; the distance is that of
        :func:`nan_nearest`.
    codes : ndarray of int32, shape (n_rows, c)
        Levels of categories.
    weight : float
        What each code that differs adds to the squared distance.
    rows : ndarray of int, shape (m,)
        Rows whose neighbours are asked for.
    k : int
        Neighbours, fewer than `n_rows`.
    n_jobs : int, default=None
        Threads.

    Returns
    -------
    ndarray of int, shape (m, k)
        Row numbers, the nearest first.
    """
    numbers, rows = _floats(numbers), np.asarray(rows, dtype=np.intp)
    query = _Query(numbers[rows], codes[rows], rows)
    return _search(numbers, codes, float(weight), query, k, n_jobs)


def profile_nearest(
    codes: NDArray[np.int32],
    profiles: Sequence[FloatArray],
    rows: IntArray,
    k: int,
    *,
    n_jobs: int | None = None,
) -> IntArray:
    """Return the nearest other rows by the profiles of their levels.

    Parameters
    ----------
    codes : ndarray of int32, shape (n_rows, c)
        Levels of categories.
    profiles : sequence of c ndarrays of shape (n_levels, n_classes)
        What describes the levels of each column, such as shares of the classes.
    rows : ndarray of int, shape (m,)
        Rows whose neighbours are asked for.
    k : int
        Neighbours, fewer than `n_rows`.
    n_jobs : int, default=None
        Threads.

    Returns
    -------
    ndarray of int, shape (m, k)
        Row numbers, the nearest first. The distance is the sum over the columns of the squared
        sum of absolute differences of the two profiles.
    """
    pool = _distinct(codes, profiles)
    kinds, place = np.unique(pool.combination[rows], return_inverse=True)
    nearest = _nearest_distinct(pool, kinds, k + 1, n_jobs)[place]
    # Every row's own number is left out; if rows as near had smaller numbers, the last one is.
    own = nearest == np.asarray(rows)[:, np.newaxis]
    gone = np.where(own.any(axis=1), own.argmax(axis=1), k)[:, np.newaxis]
    column = np.arange(k)
    return np.take_along_axis(nearest, column + (column >= gone), axis=1)


def profile_distances(codes: NDArray[np.int32], profiles: Sequence[FloatArray]) -> FloatArray:
    """Return all distances of :func:`profile_nearest`, shape (n_rows, n_rows)."""
    total = np.zeros((len(codes), len(codes)))
    for column, profile in zip(codes.T, profiles, strict=True):
        levels, place = np.unique(column, return_inverse=True)
        total += level_tables(profile[levels], profile[levels])[place][:, place]
    return total


def level_tables(these: FloatArray, those: FloatArray) -> FloatArray:
    """Return the squared city-block distance of each of `these` profiles to each of `those`."""
    out = np.empty((len(these), len(those)))
    step = max(1, _CELLS // max(1, those.size))
    for low in range(0, len(these), step):
        part = slice(low, low + step)
        out[part] = np.abs(these[part, np.newaxis] - those).sum(axis=-1) ** 2
    return out


class _Query(NamedTuple):
    """Rows whose neighbours are asked for, and their numbers in the pool or -1."""

    numbers: FloatArray
    codes: NDArray[np.int32]
    own: IntArray


def _search(
    numbers: FloatArray,
    codes: NDArray[np.int32],
    weight: float,
    query: _Query,
    k: int,
    n_jobs: int | None,
) -> IntArray:
    gaps = bool(np.isnan(numbers).any() or np.isnan(query.numbers).any())
    if len(query.own) * len(numbers) <= _FEW and not _compiled("nearest_mixed"):
        return _small_search(numbers, codes, weight, query, k, gaps)
    from imbkit._kernels.mixed import TILE, nearest_mixed

    order, floor, ceiling = _tiles(numbers, TILE, gaps)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    # Queries next to each other need the same tiles.
    home = np.where(query.own < 0, -1, place[query.own] // TILE)
    turn = np.argsort(home, kind="stable")
    out = np.empty((turn.size, k), dtype=np.intp)
    run_blocks(
        nearest_mixed,
        turn.size,
        query.numbers[turn],
        np.ascontiguousarray(query.codes[turn]),
        query.own[turn],
        home[turn],
        np.ascontiguousarray(numbers[order].T),
        np.ascontiguousarray(codes[order].T),
        weight,
        gaps,
        order,
        floor,
        ceiling,
        out,
        n_jobs=n_jobs,
        block=_BLOCK,
    )
    nearest = np.empty_like(out)
    nearest[turn] = out
    return nearest


def _compiled(name: str) -> bool:
    """Whether a kernel is there for the taking, compiled by an earlier call."""
    module = sys.modules.get("imbkit._kernels.mixed")
    return bool(getattr(getattr(module, name, None), "signatures", ()))


def _small_search(
    numbers: FloatArray,
    codes: NDArray[np.int32],
    weight: float,
    query: _Query,
    k: int,
    gaps: bool,
) -> IntArray:
    m, n, d = len(query.own), len(numbers), numbers.shape[1]
    out = np.empty((m, k), dtype=np.intp)
    step = max(1, _CELLS // max(1, n))
    for low in range(0, m, step):
        part = slice(low, low + step)
        points, marks, own = query.numbers[part], query.codes[part], query.own[part]
        total = np.zeros((len(own), n))
        shared = np.zeros((len(own), n)) if gaps else None
        with np.errstate(over="ignore"):
            for j in range(d):
                square = np.subtract(points[:, j, np.newaxis], numbers[:, j])
                square *= square
                if shared is not None:
                    there = ~np.isnan(square)
                    shared += there
                    square[~there] = 0.0
                total += square
            if shared is not None:
                with np.errstate(divide="ignore", invalid="ignore"):
                    total = np.where(shared > 0, total * (d / shared), np.inf)
        if codes.shape[1]:
            total += weight * _mismatches(marks, codes)
        mine = np.flatnonzero(own >= 0)
        total[mine, own[mine]] = np.nan
        out[part] = _smallest(total, k)
    return out


def _mismatches(marks: NDArray[np.int32], codes: NDArray[np.int32]) -> FloatArray:
    count = np.zeros((len(marks), len(codes)))
    for f in range(codes.shape[1]):
        count += marks[:, f, np.newaxis] != codes[:, f]
    return count


def _smallest(distances: FloatArray, k: int) -> IntArray:
    """Return the columns of the `k` smallest entries a row, the first of equal ones first.

    NaN is never among them, as long as there are `k` other entries.
    """
    limit = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    row, column = np.nonzero(distances <= limit)
    count = np.bincount(row, minlength=len(distances))
    if (count == k).all():
        near = column.reshape(-1, k)
        values = np.take_along_axis(distances, near, axis=1)
        return np.take_along_axis(near, np.argsort(values, axis=1, kind="stable"), axis=1)
    # More than k where entries are equal; a stable sort keeps the columns in order.
    order = np.lexsort((distances[row, column], row))
    start = np.cumsum(count) - count
    heads: IntArray = column[order][start[:, np.newaxis] + np.arange(k)]
    return heads


def _tiles(numbers: FloatArray, size: int, gaps: bool) -> tuple[IntArray, FloatArray, FloatArray]:
    """Order rows so that every `size` of them lie near each other, and return their boxes."""
    n = len(numbers)
    with np.errstate(over="ignore", invalid="ignore"):
        order = _spatial_order(_filled(numbers) if gaps else numbers, size)
    inside = numbers[order]
    if gaps:
        inside = np.where(np.isnan(inside), np.inf, inside)
    edges = np.arange(0, n, size)
    ceiling = np.maximum.reduceat(inside, edges, axis=0)
    floor = np.minimum.reduceat(np.where(np.isinf(inside), -np.inf, inside), edges, axis=0)
    return order, floor, ceiling


def _filled(numbers: FloatArray) -> FloatArray:
    """Put missing values at one place, away from the others."""
    absent = np.isnan(numbers)
    low = np.where(absent, np.inf, numbers).min(axis=0)
    high = np.where(absent, -np.inf, numbers).max(axis=0)
    away = np.where(np.isfinite(low), low - (high - low), 0.0)
    return np.where(absent, away, numbers)


def _spatial_order(numbers: FloatArray, size: int) -> IntArray:
    """Halve the rows at the median of their widest column until `size` are left."""
    order = np.arange(len(numbers))
    open_parts = [(0, len(numbers))]
    while open_parts:
        low, high = open_parts.pop()
        if high - low <= size:
            continue
        part = order[low:high]
        values = numbers[part]
        widest = np.argmax(values.max(axis=0) - values.min(axis=0))
        # Every part but the last is a multiple of the size, so that tiles do not straddle.
        half = size * -(-(high - low) // (2 * size))
        order[low:high] = part[np.argpartition(values[:, widest], half)]
        open_parts += [(low, low + half), (low + half, high)]
    return order


class _Pool(NamedTuple):
    """Rows of codes, reduced to the combinations of profiles that differ."""

    codes: NDArray[np.int32]  # (c, u)
    profiles: list[FloatArray]
    combination: IntArray  # (n,), of each row
    starts: IntArray  # (u + 1,)
    members: IntArray  # (n,), row numbers by combination, ascending


def _distinct(codes: NDArray[np.int32], profiles: Sequence[FloatArray]) -> _Pool:
    kept, reduced = [], np.empty(codes.shape, dtype=np.int32)
    key = np.zeros(len(codes), dtype=np.int64)
    for f, profile in enumerate(profiles):
        levels, place = np.unique(codes[:, f], return_inverse=True)
        # Levels of the same profile are at distance 0 of each other: one is as good as all.
        different, which = np.unique(profile[levels], axis=0, return_inverse=True)
        kept.append(different)
        reduced[:, f] = which.ravel()[place]
        key = np.unique(key * len(different) + reduced[:, f], return_inverse=True)[1]
    _, first, combination, count = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    starts = np.concatenate([[0], np.cumsum(count)])
    members = np.argsort(combination, kind="stable")
    return _Pool(np.ascontiguousarray(reduced[first].T), kept, combination, starts, members)


def _nearest_distinct(pool: _Pool, kinds: IntArray, k: int, n_jobs: int | None) -> IntArray:
    """Return the `k` rows nearest to each of some combinations, their own rows among them."""
    out = np.empty((kinds.size, k), dtype=np.intp)
    widths = np.array([len(profile) for profile in pool.profiles])
    small = kinds.size * pool.members.size <= _FEW and not _compiled("nearest_by_table")
    # Tables of all levels if they fit, else of those that a block of queries has.
    whole = int((widths**2).sum()) <= _TABLE
    step = max(1, _CELLS // pool.members.size) if small else max(1, kinds.size)
    if not whole:
        step = min(step, max(1, _TABLE // int(widths.sum())))
    full = [level_tables(p, p) for p in pool.profiles] if whole else None
    for low in range(0, kinds.size, step):
        part = slice(low, low + step)
        asked = pool.codes[:, kinds[part]]
        tables, rows = (full, asked) if full else _tables_of(pool.profiles, asked)
        if small:
            total = np.zeros((asked.shape[1], pool.codes.shape[1]))
            for table, row, column in zip(tables, rows, pool.codes, strict=True):
                total += table[row][:, column]
            out[part] = _smallest(total[:, pool.combination], k)
            continue
        _table_search(pool, tables, rows, kinds[part], out[part], n_jobs)
    return out


def _tables_of(profiles: list[FloatArray], asked: AnyArray) -> tuple[list[FloatArray], AnyArray]:
    """Tables of the levels asked for, and which row of them is whose."""
    tables, rows = [], np.empty(asked.shape, dtype=np.intp)
    for f, profile in enumerate(profiles):
        levels, rows[f] = np.unique(asked[f], return_inverse=True)
        tables.append(level_tables(profile[levels], profile))
    return tables, rows


def _table_search(
    pool: _Pool,
    tables: list[FloatArray],
    rows: AnyArray,
    kinds: IntArray,
    out: IntArray,
    n_jobs: int | None,
) -> None:
    from imbkit._kernels.mixed import nearest_by_table

    begin = np.cumsum([0, *(table.size for table in tables)])[:-1]
    widths = np.array([table.shape[1] for table in tables])
    offsets = np.ascontiguousarray((begin[:, np.newaxis] + rows * widths[:, np.newaxis]).T)
    flat = np.concatenate([table.ravel() for table in tables])
    args = (flat, offsets.astype(np.intp), kinds, pool.codes, pool.starts, pool.members, out)
    run_blocks(nearest_by_table, kinds.size, *args, n_jobs=n_jobs, block=_BLOCK)


def _no_codes(n_rows: int) -> NDArray[np.int32]:
    return np.empty((n_rows, 0), dtype=np.int32)


def _floats(values: Any) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)
