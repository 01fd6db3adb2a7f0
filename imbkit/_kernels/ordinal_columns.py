"""A table's columns as the kernels of ordered classes read them; curvatures, scores and leaps.

Rows stand sorted by class. A row of class c touches boundary c with its upper score and boundary
c - 1 with its lower one, so the weights of one column have a tridiagonal curvature.
"""

from typing import NamedTuple

import numpy as np

from imbkit._kernels._jit import kernel

__all__ = [
    "ADJACENT",
    "BACK",
    "FREE",
    "SHARED",
    "Columns",
    "Curvature",
    "curve",
    "leap",
    "score",
    "warm",
]

ADJACENT, SHARED, FREE = 0, 1, 2  # how the weights of one column follow from its coordinates
BACK = 5  # sweeps from whose moves the next ones are guessed


class Columns(NamedTuple):
    """The columns of a table of n rows, in one of three forms; the other arrays are empty.

    All three stand in one type, so that one compilation serves them.
    """

    double: np.ndarray  # (p, n) float64, C-ordered: one line a column
    single: np.ndarray  # (p, n) float32
    data: np.ndarray  # float64, of a CSC matrix
    indices: np.ndarray
    indptr: np.ndarray
    starts: np.ndarray  # (n_classes + 1,) first row of each class
    codes: np.ndarray  # (n,) class of each row


class Curvature(NamedTuple):
    """Second derivatives of each row's loss, times its weight."""

    upper: np.ndarray  # (n,) upper score twice
    lower: np.ndarray  # (n,) lower score twice
    mixed: np.ndarray  # (n,)


@kernel
def _moments(line, values, low, high):
    """Sums of the values times the entries of a column and times their squares."""
    a = b = c = d = 0.0
    i = low
    while i + 2 <= high:
        x, y = np.float64(line[i]), np.float64(line[i + 1])
        s, t = x * values[i], y * values[i + 1]
        a += s
        b += t
        c += s * x
        d += t * y
        i += 2
    while i < high:
        x = np.float64(line[i])
        s = x * values[i]
        a += s
        c += s * x
        i += 1
    return a + b, c + d


@kernel
def _curve_line(line, starts, curvature, squares, crosses):
    """The part of `_curve` for a dense column."""
    last = len(squares)
    for c in range(last + 1):
        low, high = starts[c], starts[c + 1]
        if c < last:
            cross, square = _moments(line, curvature.upper, low, high)
            crosses[c, 0] += cross
            squares[c, 0] += square
        if c > 0:
            cross, square = _moments(line, curvature.lower, low, high)
            crosses[c - 1, 0] += cross
            squares[c - 1, 0] += square
        if 0 < c < last:
            crosses[c, 1], squares[c, 1] = _moments(line, curvature.mixed, low, high)


@kernel
def _curve(columns, j, curvature, squares, crosses):
    """Write the tridiagonal curvature of a column's weights, and of them with the intercepts."""
    last = len(squares)
    for k in range(last):
        for side in range(2):
            squares[k, side] = crosses[k, side] = 0.0
    if columns.double.shape[0]:
        _curve_line(columns.double[j], columns.starts, curvature, squares, crosses)
        return
    if columns.single.shape[0]:
        _curve_line(columns.single[j], columns.starts, curvature, squares, crosses)
        return
    for s in range(columns.indptr[j], columns.indptr[j + 1]):
        i, x = columns.indices[s], columns.data[s]
        c = columns.codes[i]
        if c < last:
            crosses[c, 0] += x * curvature.upper[i]
            squares[c, 0] += x * x * curvature.upper[i]
        if c > 0:
            crosses[c - 1, 0] += x * curvature.lower[i]
            squares[c - 1, 0] += x * x * curvature.lower[i]
        if 0 < c < last:
            crosses[c, 1] += x * curvature.mixed[i]
            squares[c, 1] += x * x * curvature.mixed[i]


@kernel
def _add_line(line, starts, move, upper, lower):
    """The part of `_add` for a dense column."""
    last = len(move)
    for c in range(last + 1):
        if c < last and move[c] != 0.0:
            for i in range(starts[c], starts[c + 1]):
                upper[i] += move[c] * line[i]
        if c > 0 and move[c - 1] != 0.0:
            for i in range(starts[c], starts[c + 1]):
                lower[i] += move[c - 1] * line[i]


@kernel
def _add(columns, j, move, upper, lower):
    """Add a column times weights to the rows' scores."""
    last = len(move)
    if columns.double.shape[0]:
        _add_line(columns.double[j], columns.starts, move, upper, lower)
        return
    if columns.single.shape[0]:
        _add_line(columns.single[j], columns.starts, move, upper, lower)
        return
    for s in range(columns.indptr[j], columns.indptr[j + 1]):
        i, x = columns.indices[s], columns.data[s]
        c = columns.codes[i]
        if c < last:
            upper[i] += x * move[c]
        if c > 0:
            lower[i] += x * move[c - 1]


@kernel
def _spread(change, structure, out):
    """Write the change of the weights from that of the coordinates."""
    total = 0.0
    for k in range(len(out)):
        if structure == ADJACENT:
            total += change[k]
            out[k] = total
        else:
            out[k] = change[0] if structure == SHARED else change[k]


@kernel
def _weigh(moves, gram, out):
    """Write the weights, of sum 1, under which the given moves nearly cancel."""
    for a in range(BACK):
        for b in range(a + 1):
            total = 0.0
            for i in range(moves.shape[1]):
                total += (moves[a + 1, i] - moves[a, i]) * (moves[b + 1, i] - moves[b, i])
            gram[a, b] = gram[b, a] = total
    # Slightly raised, since the moves of late sweeps point the same way.
    raised = 0.0
    for a in range(BACK):
        raised += 1e-12 * gram[a, a]
    for a in range(BACK):
        gram[a, a] += raised
        out[a] = 1.0
    for a in range(BACK):
        for b in range(a + 1, BACK):
            ratio = gram[b, a] / gram[a, a]
            for c in range(a, BACK):
                gram[b, c] -= ratio * gram[a, c]
            out[b] -= ratio * out[a]
    total = 0.0
    for a in range(BACK - 1, -1, -1):
        for c in range(a + 1, BACK):
            out[a] -= gram[a, c] * out[c]
        out[a] /= gram[a, a]
        total += out[a]
    for a in range(BACK):
        out[a] /= total


@kernel
def leap(
    columns, which, curvature, structure, l1, l2, history, theta, upper, lower, intercepts
):  # fmt: skip
    """Move to where the last sweeps seem to lead, if the objective is lower there.

    `history` holds the points after the last sweeps, coordinates first; only coordinates that
    are not 0 move.
    """
    m, q = theta.shape
    n = len(intercepts)
    weights = np.empty(BACK)
    _weigh(history, np.empty((BACK, BACK)), weights)
    change, shift = np.zeros((m, q)), np.zeros(n)
    gain = 0.0
    for w in range(m):
        for k in range(q):
            old = theta[w, k]
            if old == 0.0:
                continue
            new = 0.0
            for a in range(BACK):
                new += weights[a] * history[a + 1, w * q + k]
            change[w, k] = new - old
            gain -= l1[w, k] * (abs(new) - abs(old)) + l2[w, k] * (new * new - old * old) / 2.0
    for k in range(n):
        for a in range(BACK):
            shift[k] += weights[a] * history[a + 1, m * q + k]
        shift[k] -= intercepts[k]
    above, below = np.zeros(len(upper)), np.zeros(len(upper))
    move = np.zeros(n)
    for w in range(m):
        some = False
        for k in range(q):
            some |= change[w, k] != 0.0
        if some:
            _spread(change[w], structure, move)
            _add(columns, which[w], move, above, below)
    for c in range(n + 1):
        for i in range(columns.starts[c], columns.starts[c + 1]):
            up = down = 0.0
            slope_up, slope_down = upper[i], lower[i]
            if c < n:
                up = above[i] + shift[c]
                slope_up += curvature.upper[i] * intercepts[c]
                slope_down += curvature.mixed[i] * intercepts[c]
            if c > 0:
                down = below[i] + shift[c - 1]
                slope_up += curvature.mixed[i] * intercepts[c - 1]
                slope_down += curvature.lower[i] * intercepts[c - 1]
            bend_up = curvature.upper[i] * up + curvature.mixed[i] * down
            bend_down = curvature.lower[i] * down + curvature.mixed[i] * up
            gain -= up * (slope_up + bend_up / 2.0) + down * (slope_down + bend_down / 2.0)
    if not gain > 0.0:
        return
    for i in range(len(upper)):
        upper[i] += curvature.upper[i] * above[i] + curvature.mixed[i] * below[i]
        lower[i] += curvature.lower[i] * below[i] + curvature.mixed[i] * above[i]
    for w in range(m):
        for k in range(q):
            theta[w, k] += change[w, k]
    for k in range(n):
        intercepts[k] += shift[k]


@kernel
def curve(columns, which, curvature, squares, crosses):
    """Write the tridiagonal curvatures of the given columns' weights."""
    for w in range(len(which)):
        _curve(columns, which[w], curvature, squares[w], crosses[w])


@kernel
def score(columns, which, weights, upper, lower):
    """Add to the rows' scores the given columns times their weights (m, n_boundaries)."""
    for w in range(len(which)):
        _add(columns, which[w], weights[w], upper, lower)


def warm():
    """Compile every kernel of this file; one compilation serves dense and sparse columns."""
    none, one = np.zeros(0, np.int32), np.ones((1, 1))
    rows, which, bands = np.ones(2), np.zeros(1, np.intp), np.ones((1, 1, 2))
    columns = Columns(
        np.ones((1, 2)), np.zeros((0, 2), np.float32), np.zeros(0), none, none, np.arange(3),
        np.arange(2),
    )  # fmt: skip
    curvature = Curvature(rows, rows, rows)
    curve(columns, which, curvature, bands, bands.copy())
    score(columns, which, one, rows.copy(), rows.copy())
    leap(
        columns, which, curvature, FREE, one, one, np.eye(BACK + 1, 2), one.copy(), rows.copy(),
        rows.copy(), np.zeros(1),
    )  # fmt: skip
