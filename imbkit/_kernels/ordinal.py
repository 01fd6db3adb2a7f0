"""Coordinate descent on blocks of one column's weights, for the quadratic model of a loss.

Columns and curvatures stand in ``imbkit._kernels.ordinal_columns``, and one function there stands
here as well: a kernel that calls one of another file would not notice when that file changes.
"""

from typing import NamedTuple

import numpy as np

from imbkit._kernels._jit import kernel
from imbkit._kernels.ordinal_columns import (
    ADJACENT,
    BACK,
    FREE,
    SHARED,
    Columns,
    Curvature,
    leap,
)

__all__ = ["Model", "descend", "project", "warm"]

ROUNDS = 30  # of the descent within a block
SHARE = 1e-2  # of the first change, below which a change within a block counts no more


class Model(NamedTuple):
    """Tridiagonal curvatures of m columns' weights and of the intercepts.

    Column 0 of ``[..., 1]`` is unused: entry k couples boundaries k - 1 and k.
    """

    squares: np.ndarray  # (m, n_boundaries, 2) diagonal and coupling of a column with itself
    crosses: np.ndarray  # (m, n_boundaries, 2) of a column with the intercepts
    plain: np.ndarray  # (n_boundaries, 2) of the intercepts
    centre: np.ndarray  # (m,) how far the intercepts follow a column's weights


@kernel
def _dot(line, values, low, high):
    """Sum of products; four sums side by side, as one alone would wait for itself."""
    a = b = c = d = 0.0
    i = low
    while i + 4 <= high:
        a += line[i] * values[i]
        b += line[i + 1] * values[i + 1]
        c += line[i + 2] * values[i + 2]
        d += line[i + 3] * values[i + 3]
        i += 4
    while i < high:
        a += line[i] * values[i]
        i += 1
    return (a + b) + (c + d)


@kernel
def _project_line(line, starts, upper, lower, out):
    """The part of `_project` for a dense column."""
    last = len(out)
    for c in range(last + 1):
        if c < last:
            out[c] += _dot(line, upper, starts[c], starts[c + 1])
        if c > 0:
            out[c - 1] += _dot(line, lower, starts[c], starts[c + 1])


@kernel
def _project(columns, j, upper, lower, out):
    """Write what the column's entries times the rows' parts sum to, for each boundary."""
    last = len(out)
    for k in range(last):
        out[k] = 0.0
    if columns.double.shape[0]:
        _project_line(columns.double[j], columns.starts, upper, lower, out)
        return
    if columns.single.shape[0]:
        _project_line(columns.single[j], columns.starts, upper, lower, out)
        return
    for s in range(columns.indptr[j], columns.indptr[j + 1]):
        i, x = columns.indices[s], columns.data[s]
        c = columns.codes[i]
        if c < last:
            out[c] += x * upper[i]
        if c > 0:
            out[c - 1] += x * lower[i]


@kernel
def _shift_line(line, starts, curvature, move, upper, lower):
    """The part of `_shift` for a dense column."""
    last = len(move)
    for c in range(last + 1):
        above = move[c] if c < last else 0.0
        below = move[c - 1] if c > 0 else 0.0
        if above == 0.0 and below == 0.0:
            continue
        if c == 0:
            for i in range(starts[c], starts[c + 1]):
                upper[i] += above * line[i] * curvature.upper[i]
        elif c == last:
            for i in range(starts[c], starts[c + 1]):
                lower[i] += below * line[i] * curvature.lower[i]
        else:
            for i in range(starts[c], starts[c + 1]):
                up, down = above * line[i], below * line[i]
                upper[i] += up * curvature.upper[i] + down * curvature.mixed[i]
                lower[i] += down * curvature.lower[i] + up * curvature.mixed[i]


@kernel
def _shift(columns, j, curvature, move, upper, lower):
    """Add to the rows' slopes what a change of a column's weights does to them."""
    last = len(move)
    if columns.double.shape[0]:
        _shift_line(columns.double[j], columns.starts, curvature, move, upper, lower)
        return
    if columns.single.shape[0]:
        _shift_line(columns.single[j], columns.starts, curvature, move, upper, lower)
        return
    for s in range(columns.indptr[j], columns.indptr[j + 1]):
        i, x = columns.indices[s], columns.data[s]
        c = columns.codes[i]
        up = x * move[c] if c < last else 0.0
        down = x * move[c - 1] if c > 0 else 0.0
        upper[i] += up * curvature.upper[i] + down * curvature.mixed[i]
        lower[i] += down * curvature.lower[i] + up * curvature.mixed[i]


@kernel
def _times(bands, vector, at):
    """Entry `at` of a symmetric tridiagonal matrix times a vector."""
    total = bands[at, 0] * vector[at]
    if at > 0:
        total += bands[at, 1] * vector[at - 1]
    if at + 1 < len(vector):
        total += bands[at + 1, 1] * vector[at + 1]
    return total


@kernel
def _solve(bands, linked, vector, work):
    """Solve a tridiagonal system in place; entries with `linked` 0 stand apart and become 0."""
    n = len(vector)
    for k in range(n):
        if not linked[k]:
            vector[k] = 0.0
            continue
        work[k] = bands[k, 0]
        if k > 0 and linked[k - 1]:
            ratio = bands[k, 1] / work[k - 1]
            work[k] -= ratio * bands[k, 1]
            vector[k] -= ratio * vector[k - 1]
        # Rounding alone makes this negative; without curvature an entry stays where it is.
        if not work[k] > 1e-13 * bands[k, 0]:
            work[k] = np.inf
    for k in range(n - 1, -1, -1):
        if linked[k]:
            if k + 1 < n and linked[k + 1]:
                vector[k] -= bands[k + 1, 1] * vector[k + 1]
            vector[k] /= work[k]


@kernel
def _soft(value, width):
    """Move a value towards 0 by a width, at most to 0."""
    return np.sign(value) * max(abs(value) - width, 0.0)


@kernel
def _gather(slopes, structure, out):
    """Write the slopes in the coordinates from those in the weights."""
    total = 0.0
    for k in range(len(slopes) - 1, -1, -1):
        total += slopes[k]
        if structure == ADJACENT:
            out[k] = total
        elif structure == FREE:
            out[k] = slopes[k]
    if structure == SHARED:
        out[0] = total


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
def _excess(slope, value, l1, l2):
    """How much a coordinate violates its optimality condition."""
    slope = slope + l2 * value
    if value == 0.0:
        return max(abs(slope) - l1, 0.0)
    return abs(slope + l1 * np.sign(value))


@kernel
def _settle_adjacent(bands, slopes, values, l1, l2, within, change, tails):
    """Solve a block whose coordinates are the first weight and the differences of neighbours.

    The curvature of coordinates m < k is ``tails[k, 1]``, whatever m is, and of k with itself
    ``tails[k, 0]``; so a round over all of them takes one step each.
    """
    n = len(values)
    total = 0.0
    for k in range(n - 1, -1, -1):
        total += bands[k, 0]
        if k + 1 < n:
            total += 2.0 * bands[k + 1, 1]
        tails[k, 0] = total
        tails[k, 1] = total + bands[k, 1] if k > 0 else total
    largest = 0.0
    for turn in range(ROUNDS):
        before = after = moved = 0.0
        for k in range(1, n):
            after += tails[k, 1] * change[k]
        for k in range(n):
            if k > 0:
                after -= tails[k, 1] * change[k]
            bend = tails[k, 0] + l2[k]
            if tails[k, 0] > 0.0:
                value = values[k] + change[k]
                slope = slopes[k] + before * tails[k, 1] + tails[k, 0] * change[k] + after
                new = _soft(bend * value - slope - l2[k] * value, l1[k]) / bend
                moved = max(moved, abs(new - value) * bend)
                change[k] = new - values[k]
            before += change[k]
        if turn == 0:
            largest = moved
        if moved <= max(within, SHARE * largest):
            break


@kernel
def _settle_free(bands, slopes, values, l1, l2, within, change, ridged, moving, push, work):
    """Solve a block whose coordinates are the weights themselves.

    Neighbours are coupled so strongly that single steps crawl: after each round the coordinates
    that are not 0 take their joint Newton step, as far as none of them changes sign.
    """
    n = len(values)
    for k in range(n):
        ridged[k, 0], ridged[k, 1] = bands[k, 0] + l2[k], bands[k, 1]
    largest = 0.0
    for turn in range(ROUNDS):
        moved = 0.0
        for k in range(n):
            if not bands[k, 0] > 0.0:
                continue
            value = values[k] + change[k]
            slope = slopes[k] + _times(bands, change, k)
            new = _soft(bands[k, 0] * value - slope, l1[k]) / ridged[k, 0]
            moved = max(moved, abs(new - value) * ridged[k, 0])
            change[k] = new - values[k]
        if turn == 0:
            largest = moved
        if moved <= max(within, SHARE * largest):
            break
        for k in range(n):
            value = values[k] + change[k]
            moving[k] = value != 0.0 and bands[k, 0] > 0.0
            push[k] = -slopes[k] - _times(bands, change, k) - l2[k] * value
            push[k] -= l1[k] * np.sign(value) if moving[k] else 0.0
        _solve(ridged, moving, push, work)
        length, first = 1.0, -1
        for k in range(n):
            value = values[k] + change[k]
            if l1[k] > 0.0 and value * (value + length * push[k]) < 0.0:
                length, first = -value / push[k], k
        for k in range(n):
            change[k] += length * push[k]
        if first >= 0:
            change[first] = -values[first]


@kernel
def project(columns, which, upper, lower, out):
    """Write the sums over the rows of each boundary of their parts times the given columns."""
    for w in range(len(which)):
        _project(columns, which[w], upper, lower, out[w])


@kernel
def sweep(
    columns, which, curvature, model, structure, l1, l2, goal, every, active, history, theta,
    upper, lower, intercepts,
):  # fmt: skip
    """Sweep as often as `history` has rows, or until no condition is violated by more than `goal`.

    Sweeps over all given columns, as the first one if `every`, alternate with sweeps over those
    that have weight, the `active` ones. Returns the number of sweeps, whether the last one was
    the last that was needed, whether the next is over all columns, and the largest violation met.
    """
    m, q = theta.shape
    n = len(intercepts)
    starts, plain = columns.starts, model.plain
    slopes, move, level, follow, push, work = np.zeros((6, n))
    gathered, change = np.zeros((2, q))
    bands, ridged = np.zeros((2, n, 2))
    everyone, moving = np.ones(n, np.bool_), np.zeros(n, np.bool_)
    worst = np.inf
    for held in range(len(history)):
        for k in range(n):
            level[k] = 0.0
        for c in range(n + 1):
            for i in range(starts[c], starts[c + 1]):
                if c < n:
                    level[c] += upper[i]
                if c > 0:
                    level[c - 1] += lower[i]
        worst = 0.0
        for k in range(n):
            level[k] += _times(plain, intercepts, k)
            worst = max(worst, abs(level[k]))
        _follow(plain, everyone, level, follow, intercepts, work)
        for w in range(m):
            if not (every or active[w]):
                continue
            values, lasso, ridge = theta[w], l1[w], l2[w]
            _project(columns, which[w], upper, lower, slopes)
            for k in range(n):
                slopes[k] += _times(model.crosses[w], intercepts, k)
            _gather(slopes, structure, gathered)
            off, some = 0.0, False
            for k in range(q):
                off = max(off, _excess(gathered[k], values[k], lasso[k], ridge[k]))
                some |= values[k] != 0.0
            worst = max(worst, off)
            active[w] = some
            if off == 0.0:
                continue
            centre = model.centre[w]
            for k in range(n):
                slopes[k] -= centre * level[k]
                for side in range(2):
                    bands[k, side] = model.squares[w, k, side] - centre * (
                        2.0 * model.crosses[w, k, side] - centre * plain[k, side]
                    )
            for k in range(q):
                change[k] = 0.0
            if structure == SHARED:
                bend = slope = 0.0
                for k in range(n):
                    bend += bands[k, 0] + (2.0 * bands[k, 1] if k > 0 else 0.0)
                    slope += slopes[k]
                if bend > 0.0:
                    new = _soft(bend * values[0] - slope, lasso[0]) / (bend + ridge[0])
                    change[0] = new - values[0]
            elif structure == ADJACENT:
                _gather(slopes, structure, gathered)
                _settle_adjacent(bands, gathered, values, lasso, ridge, 0.1 * goal, change, ridged)
            else:
                _settle_free(
                    bands, slopes, values, lasso, ridge, 0.1 * goal, change, ridged, moving, push,
                    work,
                )  # fmt: skip
            moved = False
            active[w] = False
            for k in range(q):
                values[k] += change[k]
                moved |= change[k] != 0.0
                active[w] |= values[k] != 0.0
            if not moved:
                continue
            _spread(change, structure, move)
            _shift(columns, which[w], curvature, move, upper, lower)
            for k in range(n):
                intercepts[k] -= centre * move[k]
                level[k] += _times(model.crosses[w], move, k) - centre * _times(plain, move, k)
            _follow(plain, everyone, level, follow, intercepts, work)
        if worst <= goal and every:
            return held + 1, True, every, worst
        every = worst <= goal
        for w in range(m):
            for k in range(q):
                history[held, w * q + k] = theta[w, k]
        for k in range(n):
            history[held, m * q + k] = intercepts[k]
    return len(history), False, every, worst


@kernel
def _follow(plain, everyone, level, follow, intercepts, work):
    """Let the intercepts take their joint Newton step; their slopes become 0 up to rounding."""
    n = len(level)
    for k in range(n):
        follow[k] = -level[k]
    _solve(plain, everyone, follow, work)
    for k in range(n):
        intercepts[k] += follow[k]
        level[k] += _times(plain, follow, k)


def descend(
    columns: Columns,
    which: np.ndarray,
    curvature: Curvature,
    model: Model,
    structure: int,
    l1: np.ndarray,
    l2: np.ndarray,
    goal: float,
    max_sweeps: int,
    theta: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray,
    intercepts: np.ndarray,
) -> tuple[int, float]:
    """Minimise the quadratic model plus penalty, column by column.

    `theta` (m, q) moves to the minimum; `upper` and `lower` hold the rows' slopes but for the
    part of the change of the intercepts, which is added to `intercepts`. These take their joint
    Newton step after every column that moves, and follow its mean at once: both cost nothing
    that depends on the rows. Every few sweeps, the point leaps to where they seem to lead.
    Returns the number of sweeps, and the largest violation met in the last one.
    """
    every, done, sweeps, worst = True, False, 0, np.inf
    active = np.zeros(len(theta), np.bool_)
    history = np.empty((BACK + 1, theta.size + len(intercepts)))
    while not done and sweeps < max_sweeps:
        if sweeps:
            leap(
                columns, which, curvature, structure, l1, l2, history, theta, upper, lower,
                intercepts,
            )  # fmt: skip
        count, done, every, worst = sweep(
            columns, which, curvature, model, structure, l1, l2, goal, every, active, history,
            theta, upper, lower, intercepts,
        )  # fmt: skip
        sweeps += count
    return sweeps, worst


def warm():
    """Compile every kernel of this file; one compilation serves dense and sparse columns."""
    none, one = np.zeros(0, np.int32), np.ones((1, 1))
    rows, which, bands = np.ones(2), np.zeros(1, np.intp), np.ones((1, 1, 2))
    columns = Columns(
        np.ones((1, 2)), np.zeros((0, 2), np.float32), np.zeros(0), none, none, np.arange(3),
        np.arange(2),
    )  # fmt: skip
    curvature = Curvature(rows, rows, rows)
    project(columns, which, rows, rows, one.copy())
    descend(
        columns, which, curvature, Model(bands, bands, bands[0], np.zeros(1)), FREE, one, one,
        1.0, 1, one.copy(), rows.copy(), rows.copy(), np.zeros(1),
    )  # fmt: skip
