"""The condensed store: which rows of a class a growing store of rows still gets wrong."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbkit._kernels._jit import kernel

__all__ = [
    "Grove",
    "condense",
    "condense_few",
    "plant",
    "squares",
    "store_all",
    "warm",
]

_LEAF = 16  # rows that are compared one by one
_SAMPLE = 256  # rows that tell which column of a node is the widest
_DEPTH = 64  # more levels than any table has


class Grove(NamedTuple):
    """A box tree over all rows of a class, whose boxes hold the stored rows alone.

    The slices of the tree are fixed from the start; a box is empty until a row of its slice
    is stored, and grows with every one. Node ``i`` has the children ``2 i + 1`` and
    ``2 i + 2``, which halve its slice.
    """

    points: NDArray[np.float64]  # (n, d), in the order of the leaves
    numbers: NDArray[np.int64]  # (n,) position of each point in the class
    places: NDArray[np.int64]  # (n,) where each position of the class lies among the points
    copies: NDArray[np.int64]  # (n,) how often each point is stored
    low: NDArray[np.float64]  # (n_nodes, d) corners of the boxes; infinite where empty
    high: NDArray[np.float64]


def plant(X: NDArray[np.float64]) -> Grove:
    """Return the tree of a class, nothing stored; O(n d + n log n) time, one copy of the rows."""
    n_rows, n_columns = X.shape
    n_nodes = 1
    while n_rows > _LEAF * (n_nodes + 1) // 2:
        n_nodes = 2 * n_nodes + 1
    numbers = np.arange(n_rows)
    arrange(0, n_nodes // 2, X, numbers)
    places = np.empty(n_rows, dtype=np.int64)
    places[numbers] = np.arange(n_rows)
    return Grove(
        np.ascontiguousarray(X[numbers]),
        numbers,
        places,
        np.zeros(n_rows, dtype=np.int64),
        np.full((n_nodes, n_columns), np.inf),
        np.full((n_nodes, n_columns), -np.inf),
    )


@kernel
def arrange(first, last, X, numbers):
    """Order the rows so that each node's slice splits at the median of its widest column."""
    n_rows, n_columns = X.shape
    values = np.empty(n_rows)
    for node in range(first, last):
        start, stop = _slice_of(node, n_rows)
        stride = max(1, (stop - start) // _SAMPLE)
        widest, width = 0, -1.0
        for j in range(n_columns):
            low, high = np.inf, -np.inf
            for i in range(start, stop, stride):
                value = X[numbers[i], j]
                low, high = min(low, value), max(high, value)
            if high - low > width:
                widest, width = j, high - low
        for i in range(start, stop):
            values[i] = X[numbers[i], widest]
        _select(values, numbers, start, stop, (start + stop) // 2)


@kernel
def squares(low, high, A, B, mates, out):
    """Squared distances of row i of `A` and row ``mates[i]`` of `B`, summed column by column."""
    for i in range(low, high):
        total = 0.0
        for j in range(A.shape[1]):
            gap = A[i, j] - B[mates[i], j]
            total += gap * gap
        out[i] = total


@kernel
def condense_few(low, high, X, rows, reach, rivals, limit, store, n_stored, chosen, verdict):
    """Judge the rows in turn against a short list of stored rows, and add to it.

    Parameters
    ----------
    low, high : int
        Positions in the class to judge.
    X : ndarray of float64, shape (n, d)
        The class.
    rows : ndarray of int64, shape (n,)
        Each position's number in the table.
    reach, rivals : ndarray of shape (n,)
        Squared distance to, and number of, the row that sets each position's reach.
    limit : int
        Stored rows within its reach that a row needs; one with fewer is stored.
    store : ndarray of int64
        Positions stored, `n_stored` of them; the list is reordered.
    chosen : ndarray of bool, shape (n,)
        Positions equal to the table number of a stored row: these are passed over.
    verdict : ndarray of int8, shape (n,)
        Set to 1 where the row was stored, 2 where it was passed over.

    Returns
    -------
    int
        The first position not judged: `high`, or the one for which the list was too short.
    """
    for position in range(low, high):
        found = 0
        for s in range(n_stored):
            other = store[s]
            first = rows[other] < rivals[position]
            if _nearer(X, position, X, other, reach[position], first):
                found += 1
                # What outvoted the last rivals is likely to do so again: it moves up.
                store[s], store[s // 2] = store[s // 2], other
                if found == limit:
                    break
        if found == limit:
            continue
        if chosen[position]:
            verdict[position] = 2
        elif n_stored == store.size:
            return position
        else:
            verdict[position] = 1
            store[n_stored] = position
            n_stored += 1
            if rows[position] < chosen.size:
                chosen[rows[position]] = True
    return high


@kernel
def condense(low, high, grove, rows, reach, rivals, limit, chosen, verdict):
    """Judge the rows in turn against the rows stored in a tree, and add to it.

    The parameters are those of `condense_few`, with a Grove in place of the list.
    """
    nodes, bounds = np.empty(_DEPTH, dtype=np.int64), np.empty(_DEPTH)
    for position in range(low, high):
        if _enough(grove, position, rows, reach[position], rivals[position], limit, nodes, bounds):
            continue
        if chosen[position]:
            verdict[position] = 2
        else:
            verdict[position] = 1
            _store(grove, position)
            if rows[position] < chosen.size:
                chosen[rows[position]] = True


@kernel
def store_all(grove, positions):
    """Store some rows of the class; a repeated one counts twice."""
    for position in positions:
        _store(grove, position)


@kernel
def _store(grove, position):
    """Store one row: widen the boxes from the root to its leaf."""
    place = grove.places[position]
    grove.copies[place] += 1
    node, start, stop = 0, 0, grove.points.shape[0]
    while True:
        for j in range(grove.points.shape[1]):
            value = grove.points[place, j]
            grove.low[node, j] = min(grove.low[node, j], value)
            grove.high[node, j] = max(grove.high[node, j], value)
        if 2 * node + 2 >= grove.low.shape[0]:
            return
        middle = (start + stop) // 2
        if place < middle:
            node, stop = 2 * node + 1, middle
        else:
            node, start = 2 * node + 2, middle


@kernel
def _enough(grove, position, rows, reach, rival, limit, nodes, bounds):
    """Whether at least `limit` stored rows are nearer to a row than its rival."""
    points, n_nodes = grove.points, grove.low.shape[0]
    place = grove.places[position]
    found, top = 0, 1
    nodes[0], bounds[0] = 0, _box(grove, 0, place, reach)
    while top:
        top -= 1
        node = nodes[top]
        if bounds[top] > reach:
            continue
        if 2 * node + 2 < n_nodes:
            left = _box(grove, 2 * node + 1, place, reach)
            right = _box(grove, 2 * node + 2, place, reach)
            nearer = 0 if left <= right else 1
            nodes[top], bounds[top] = 2 * node + 2 - nearer, max(left, right)
            nodes[top + 1], bounds[top + 1] = 2 * node + 1 + nearer, min(left, right)
            top += 2
            continue
        start, stop = _slice_of(node, points.shape[0])
        for other in range(start, stop):
            if grove.copies[other]:
                first = rows[grove.numbers[other]] < rival
                if _nearer(points, place, points, other, reach, first):
                    found += grove.copies[other]
                    if found >= limit:
                        return True
    return False


@kernel
def _box(grove, node, place, reach):
    """A squared distance from a point to a box, exact up to `reach`.

    No row of the box can have a smaller sum, rounding included: every term is rounded from
    a smaller number, and they are added in the same order.
    """
    total = 0.0
    for j in range(grove.points.shape[1]):
        value = grove.points[place, j]
        gap = max(grove.low[node, j] - value, value - grove.high[node, j], 0.0)
        total += gap * gap
        if total > reach:
            break
    return total


@kernel
def _nearer(A, i, B, s, reach, first):
    """Whether row `s` of `B` is nearer to row `i` of `A` than `reach`, or at it and first."""
    total = 0.0
    for j in range(A.shape[1]):
        gap = A[i, j] - B[s, j]
        total += gap * gap
        if total > reach:
            return False
    return total < reach or first


@kernel
def _slice_of(node, n_rows):
    """Bounds of the rows of a node."""
    start, stop = 0, n_rows
    bit = 1
    while 2 * bit <= node + 1:
        bit *= 2
    # After its leading bit, the number of the node plus one spells the way down from the root.
    bit //= 2
    while bit:
        middle = (start + stop) // 2
        if (node + 1) & bit:
            start = middle
        else:
            stop = middle
        bit //= 2
    return start, stop


@kernel
def _select(values, numbers, start, stop, middle):
    """Swap entries until none left of `middle` is larger than one right of it."""
    low, high = start, stop - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                numbers[i], numbers[j] = numbers[j], numbers[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


def warm() -> None:
    """Compile every kernel of this file."""
    X = np.arange(4.0)[:, np.newaxis]
    rows, zeros = np.arange(4), np.zeros(4)
    squares(0, 4, X, X, rows, zeros)
    chosen, verdict = np.zeros(4, dtype=bool), np.zeros(4, dtype=np.int8)
    condense_few(0, 4, X, rows, zeros, rows, 1, rows.copy(), 1, chosen, verdict)
    grove = plant(X)
    store_all(grove, rows)
    condense(0, 4, grove, rows, zeros, rows, 1, chosen, verdict)
