"""Nearest rows over numbers, codes and missing values.

The pool of rows is cut into tiles of `TILE` rows, one column after another in memory, so that
the distances of a whole tile are computed at once. Tiles whose box of values is too far away
are left out: a sum of rounded squares never falls below one of smaller terms, so this changes
no result. Of two equally distant rows the one with the smaller number is the nearer.
"""

import numpy as np

from imbkit._kernels._jit import kernel

__all__ = ["TILE", "nearest_by_table", "nearest_mixed", "warm"]

TILE = 64


@kernel
def nearest_mixed(
    low, high, points, marks, own, home, numbers, codes, weight, gaps, ids, floor, ceiling, out
):
    """Write the numbers of the nearest rows of a pool.

    The distance is the sum of the squared differences, scaled up where values are missing, plus
    `weight` for every code that differs.

    Parameters
    ----------
    low, high : int
        Block of queries.
    points, marks : ndarray of float64, shape (m, d), and of int32, shape (m, c)
        Queries: numbers and codes.
    own, home : ndarray of intp, shape (m,)
        Row to leave out, -1 for none, and tile to begin with, -1 for the nearest one.
    numbers, codes : ndarray of float64, shape (d, n), and of int32, shape (c, n)
        The pool.
    weight : float
        Squared distance of two different codes.
    gaps : bool
        Whether any number is missing.
    ids : ndarray of intp, shape (n,)
        Number of each row of the pool.
    floor, ceiling : ndarray of float64, shape (n_tiles, d)
        Smallest and largest value in each tile; infinite where one is missing.
    out : ndarray of intp, shape (m, k)
        Nearest rows, the nearest first.
    """
    n = ids.size
    n_tiles = floor.shape[0]
    last = out.shape[1] - 1
    best, found = np.empty(last + 1), np.empty(last + 1, dtype=np.intp)
    total, count = np.empty(TILE), np.empty(TILE)
    for i in range(low, high):
        best[:] = np.inf
        found[:] = n
        first = home[i]
        if first < 0:
            first = _nearest_tile(points[i], floor, ceiling)
        for turn in range(2 * n_tiles):
            # Tiles next to each other are near each other, so go outwards in both directions.
            tile = first + (turn + 1) // 2 if turn % 2 else first - turn // 2
            if tile < 0 or tile >= n_tiles:
                continue
            if (
                turn
                and _box_distance(points[i], floor[tile], ceiling[tile], best[last]) > (best[last])
            ):
                continue
            start = tile * TILE
            size = min(TILE, n - start)
            _tile_distances(
                points[i], marks[i], numbers, codes, weight, gaps, start, size, total, count
            )
            for b in range(size):
                if total[b] <= best[last] and ids[start + b] != own[i]:
                    _keep(best, found, total[b], ids[start + b])
        out[i] = found


@kernel
def nearest_by_table(low, high, tables, offsets, own, codes, starts, members, out):
    """Write the numbers of the nearest rows by distances that are looked up.

    Parameters
    ----------
    low, high : int
        Block of queries.
    tables : ndarray of float64, shape (t,)
        Squared distances of levels: for each query and column a run over the column's levels.
    offsets : ndarray of intp, shape (m, c)
        Where these runs begin.
    own : ndarray of intp, shape (m,)
        Which combination each query is; looked at first.
    codes : ndarray of int32, shape (c, u)
        Level of each column in each distinct combination.
    starts : ndarray of intp, shape (u + 1,)
        Where the rows of each combination begin in `members`.
    members : ndarray of intp, shape (n,)
        Row numbers, ascending within each combination.
    out : ndarray of intp, shape (m, k)
        Nearest rows, the nearest first, the rows of the query's own combination among them.
    """
    n_distinct = codes.shape[1]
    last = out.shape[1] - 1
    best, found = np.empty(last + 1), np.empty(last + 1, dtype=np.intp)
    total = np.empty(TILE)
    for i in range(low, high):
        best[:] = np.inf
        found[:] = members.size
        n_tiles = (n_distinct + TILE - 1) // TILE
        first = own[i] // TILE
        for turn in range(n_tiles):
            tile = (first + turn) % n_tiles
            start = tile * TILE
            size = min(TILE, n_distinct - start)
            total[:size] = 0.0
            for f in range(codes.shape[0]):
                run = tables[offsets[i, f] :]
                column = codes[f, start : start + size]
                near = 0
                for b in range(size):
                    total[b] += run[column[b]]
                    near += total[b] <= best[last]
                # Sums only grow: no later column brings any of these rows back.
                if near == 0:
                    break
            for b in range(size):
                if total[b] <= best[last]:
                    for place in range(starts[start + b], starts[start + b + 1]):
                        if not _keep(best, found, total[b], members[place]):
                            break
        out[i] = found


@kernel
def _keep(best, found, distance, number):
    """Insert a row among the nearest ones, and say whether it is one of them."""
    j = best.size - 1
    if distance > best[j] or (distance == best[j] and number > found[j]):
        return False
    while j > 0 and (best[j - 1] > distance or (best[j - 1] == distance and found[j - 1] > number)):
        best[j], found[j] = best[j - 1], found[j - 1]
        j -= 1
    best[j], found[j] = distance, number
    return True


@kernel
def _tile_distances(point, mark, numbers, codes, weight, gaps, start, size, total, count):
    """Write the squared distances of the rows of one tile."""
    total[:size] = 0.0
    if gaps:
        count[:size] = 0.0
    for j in range(point.size):
        x = point[j]
        column = numbers[j, start : start + size]
        if not gaps:
            for b in range(size):
                total[b] += (column[b] - x) * (column[b] - x)
        elif not np.isnan(x):
            for b in range(size):
                square = (column[b] - x) * (column[b] - x)
                there = not np.isnan(column[b])
                total[b] += square if there else 0.0
                count[b] += 1.0 if there else 0.0
    if gaps:
        for b in range(size):
            total[b] = total[b] * (point.size / count[b]) if count[b] > 0 else np.inf
    if mark.size:
        count[:size] = 0.0
        for f in range(mark.size):
            levels = codes[f, start : start + size]
            for b in range(size):
                count[b] += 0.0 if levels[b] == mark[f] else 1.0
        for b in range(size):
            total[b] += weight * count[b]


@kernel
def _box_distance(point, floor, ceiling, limit):
    """Return the squared distance of a point to a box, or of its first columns if beyond."""
    total = 0.0
    for j in range(point.size):
        x = point[j]
        if x < floor[j]:
            total += (floor[j] - x) * (floor[j] - x)
        elif x > ceiling[j]:
            total += (x - ceiling[j]) * (x - ceiling[j])
        if total > limit:
            break
    return total


@kernel
def _nearest_tile(point, floor, ceiling):
    nearest, best = 0, np.inf
    for tile in range(floor.shape[0]):
        distance = _box_distance(point, floor[tile], ceiling[tile], best)
        if distance < best:
            nearest, best = tile, distance
    return nearest


def warm():
    """Compile every kernel for the dtypes in use."""
    one, rows = np.zeros((1, 1)), np.zeros(1, dtype=np.intp)
    code, out = np.zeros((1, 1), dtype=np.int32), np.zeros((1, 1), dtype=np.intp)
    nearest_mixed(0, 1, one, code, rows, rows, one, code, 0.0, False, rows, one, one, out)
    starts = np.array([0, 1], dtype=np.intp)
    nearest_by_table(0, 1, np.zeros(1), out, rows, code, starts, rows, out)
