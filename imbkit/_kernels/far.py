"""Rows of a pool: the k nearest, how many are near, and sums of distances to the farthest."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbkit._kernels._jit import kernel

__all__ = ["Clusters", "cluster", "count_near", "far_sums", "near_rows", "sums_to", "warm"]

_SMALLEST, _LARGEST = 16, 512  # rows of a cluster
_SLACK = 1e-9  # far more than the rounding of any sum of squares
_HUGE = float(np.finfo(np.float64).max)


class Clusters(NamedTuple):
    """Rows in clusters of equal size, column by column, so that sums run over whole clusters."""

    points: NDArray[np.float64]  # (n_clusters, d, size)
    numbers: NDArray[np.int64]  # (n_clusters, size) position of each in the pool
    sizes: NDArray[np.int64]  # (n_clusters,) rows of each; what follows them is not looked at
    centres: NDArray[np.float64]  # (d, n_clusters)
    radii: NDArray[np.float64]  # (n_clusters,) largest distance of a row to its centre


def cluster(P: NDArray[np.floating[Any]]) -> Clusters:
    """Return the rows in clusters of about the square root of their number."""
    n_rows, n_columns = P.shape
    size = _SMALLEST
    while size < _LARGEST and size * size < n_rows:
        size *= 2
    slices = [np.arange(n_rows)]
    while len(slices[0]) > size:
        slices = [half for part in slices for half in _halves(P, part, size)]
    points = np.zeros((len(slices), n_columns, len(slices[0])))
    numbers = np.zeros((len(slices), len(slices[0])), dtype=np.int64)
    centres, radii = np.empty((n_columns, len(slices))), np.empty(len(slices))
    for c, part in enumerate(slices):
        rows = P[part]
        points[c, :, : len(part)] = rows.T
        numbers[c, : len(part)] = part
        with np.errstate(over="ignore", invalid="ignore"):
            centres[:, c] = (rows.min(axis=0) + rows.max(axis=0)) / 2
            radii[c] = np.sqrt(((rows - centres[:, c]) ** 2).sum(axis=1).max())
    sizes = np.array([len(part) for part in slices])
    return Clusters(points, numbers, sizes, centres, radii)


def _halves(
    P: NDArray[np.floating[Any]], part: NDArray[np.int64], size: int
) -> list[NDArray[np.int64]]:
    """Split rows across their widest column, into full clusters as far as they go."""
    if len(part) <= size:
        return [part]
    rows = P[part]
    widest = np.argmax(np.ptp(rows, axis=0))
    cut = size * -(-len(part) // (2 * size))
    order = np.argpartition(rows[:, widest], cut - 1)
    return [part[order[:cut]], part[order[cut:]]]


@kernel
def far_sums(low, high, X, rows, clusters, k, out):
    """Add up the distances of each row ``X[rows[i]]`` to the `k` clustered rows farthest off.

    Every squared distance is summed column by column, and the roots of the k largest are added
    from the smallest to the largest. A cluster is passed over when its centre's distance and
    its radius together say that no row of it can be among them.
    """
    n_clusters, _, size = clusters.points.shape
    squares, reach = np.empty(size), np.empty(n_clusters)
    best = np.empty(k)
    for i in range(low, high):
        row = X[rows[i]]
        _squares(row, clusters.centres, reach)
        for c in range(n_clusters):
            reach[c] = (np.sqrt(reach[c]) + clusters.radii[c]) ** 2 * (1.0 + _SLACK)
        best[:] = -1.0
        for _ in range(n_clusters):
            first = np.argmax(reach)
            if reach[first] < best[0]:
                break
            reach[first] = -2.0
            _squares(row, clusters.points[first], squares)
            for p in range(clusters.sizes[first]):
                if squares[p] > best[0]:
                    _insert(best, squares[p])
        total = 0.0
        for b in range(k):
            total += np.sqrt(best[b])
        out[i] = total


@kernel
def near_rows(low, high, X, rows, clusters, mates, squares):
    """Find the clustered rows nearest to each row ``X[rows[i]]``, and their squared distances.

    As many as `mates` and `squares` have columns, the nearest first; of rows at one distance,
    the one with the smaller number. Squares are summed column by column.
    """
    n_clusters, _, size = clusters.points.shape
    block, reach = np.empty(size), np.empty(n_clusters)
    for i in range(low, high):
        row, ids, best = X[rows[i]], mates[i], squares[i]
        last = best.size - 1
        _squares(row, clusters.centres, reach)
        _bound(reach, clusters.radii)
        ids[:], best[:] = np.iinfo(np.int64).max, np.inf
        for _ in range(n_clusters):
            first = np.argmin(reach)
            if reach[first] > best[last] or reach[first] == np.inf:
                break
            reach[first] = np.inf
            _squares(row, clusters.points[first], block)
            for p in range(clusters.sizes[first]):
                if block[p] <= best[last]:
                    _place(ids, best, clusters.numbers[first, p], block[p])


@kernel
def count_near(low, high, X, rows, clusters, numbers, reach, marks, limit, out):
    """Count the clustered rows nearer to each row ``X[rows[i]]`` than its reach, up to `limit`.

    `reach` are squared distances. `numbers` are the clustered rows' numbers in the table,
    `marks` those of the rows that set each reach: of two at one distance, the smaller number
    is the nearer.
    """
    n_clusters, _, size = clusters.points.shape
    block, bounds = np.empty(size), np.empty(n_clusters)
    for i in range(low, high):
        row, found = X[rows[i]], 0
        _squares(row, clusters.centres, bounds)
        _bound(bounds, clusters.radii)
        for _ in range(n_clusters):
            first = np.argmin(bounds)
            if found >= limit or bounds[first] > reach[i] or bounds[first] == np.inf:
                break
            bounds[first] = np.inf
            _squares(row, clusters.points[first], block)
            for p in range(clusters.sizes[first]):
                if block[p] <= reach[i]:
                    before = numbers[clusters.numbers[first, p]] < marks[i]
                    if block[p] < reach[i] or before:
                        found += 1
        out[i] = min(found, limit)


@kernel
def _bound(squares, radii):
    """Turn squared distances to centres into ones that no row of the cluster is below."""
    for c in range(squares.size):
        away = np.sqrt(squares[c]) * (1.0 - _SLACK) - radii[c] * (1.0 + _SLACK)
        # Overflow gives no bound; infinity is for marking clusters that were looked at.
        squares[c] = min(away * away, _HUGE) if away > 0.0 else 0.0


@kernel
def sums_to(low, high, X, rows, P, mates, out):
    """Add up the distances of each row ``X[rows[i]]`` to the rows ``P[mates[i]]``, in order."""
    for i in range(low, high):
        total = 0.0
        for m in mates[i]:
            square = 0.0
            for j in range(X.shape[1]):
                gap = X[rows[i], j] - P[m, j]
                square += gap * gap
            total += np.sqrt(square)
        out[i] = total


@kernel
def _squares(q, columns, out):
    """Squared distances of one row and the rows of a block, summed column by column."""
    n_columns, size = columns.shape
    out[:] = 0.0
    # Four columns a pass: each sum stays in a register while four terms are added in order.
    whole = n_columns - n_columns % 4
    for j in range(0, whole, 4):
        q0, q1, q2, q3 = q[j], q[j + 1], q[j + 2], q[j + 3]
        c0, c1, c2, c3 = columns[j], columns[j + 1], columns[j + 2], columns[j + 3]
        for p in range(size):
            gap = q0 - c0[p]
            total = out[p] + gap * gap
            gap = q1 - c1[p]
            total += gap * gap
            gap = q2 - c2[p]
            total += gap * gap
            gap = q3 - c3[p]
            out[p] = total + gap * gap
    for j in range(whole, n_columns):
        value, column = q[j], columns[j]
        for p in range(size):
            gap = value - column[p]
            out[p] += gap * gap


@kernel
def _place(ids, best, number, value):
    """Put a row into a list ordered by distance and number, if it is before the last."""
    b = best.size - 1
    if value == best[b] and number > ids[b]:
        return
    while b > 0 and (value < best[b - 1] or (value == best[b - 1] and number < ids[b - 1])):
        ids[b], best[b] = ids[b - 1], best[b - 1]
        b -= 1
    ids[b], best[b] = number, value


@kernel
def _insert(best, value):
    """Put a value into an ascending list, and drop the list's first."""
    b = 0
    while b + 1 < best.size and best[b + 1] < value:
        best[b] = best[b + 1]
        b += 1
    best[b] = value


def warm() -> None:
    """Compile every kernel of this file."""
    X, rows, out = np.zeros((1, 1)), np.zeros(1, dtype=np.intp), np.zeros(1)
    far_sums(0, 1, X, rows, cluster(X), 1, out)
    near_rows(0, 1, X, rows, cluster(X), rows[:, np.newaxis].copy(), X.copy())
    count_near(0, 1, X, rows, cluster(X), rows, out, rows, 1, rows.copy())
    sums_to(0, 1, X, rows, X, rows[:, np.newaxis], out)
