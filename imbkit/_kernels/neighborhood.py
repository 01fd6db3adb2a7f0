"""Friends nearer than the nearest enemy, by a box tree whose nodes know their rows' codes.

The first functions stand in ``imbkit._kernels.neighbors`` as well: a kernel that calls one of
another file would not notice when that file changes.
"""

import numpy as np

from imbkit._kernels._jit import kernel
from imbkit._kernels.neighbors import LEAD, LEAF, STEP, Tree

__all__ = ["find_friends", "mark", "warm"]

FAR = np.iinfo(np.int64).max
FRIENDS, ENEMIES, BOTH = 0, 1, 2


@kernel
def mark(tree, codes, out):
    """Write for each node the code that all its rows have, or -1."""
    for node in range(len(out) - 1, -1, -1):
        right = tree.right[node]
        if right > 0:
            out[node] = out[node + 1] if out[node + 1] == out[right] else -1
        elif right == 0:
            out[node] = codes[tree.order[tree.start[node]]]
            for p in range(tree.start[node] + 1, tree.stop[node]):
                if codes[tree.order[p]] != out[node]:
                    out[node] = -1


@kernel
def _gaps(across, box, node, within, gap, at):
    """Write 4 times the squared distance of each query to a box to row `at`; return the least.

    Once no query is `within`, the columns seen give bounds enough, and inf is returned.
    """
    r, n = across.shape
    for i in range(n):
        gap[at, i] = 0.0
    a = 0
    while a < r:
        b0, b1, b2, b3 = (
            box[node, 0, a],
            box[node, 0, a + 1],
            box[node, 0, a + 2],
            box[node, 0, a + 3],
        )
        h0, h1, h2, h3 = (
            box[node, 1, a],
            box[node, 1, a + 1],
            box[node, 1, a + 2],
            box[node, 1, a + 3],
        )
        # Sums of t + |t| in place of comparisons: only these become vector instructions, and
        # only while the number of queries is not known to the compiler.
        for i in range(n):
            t0, t1 = abs(across[a, i] - b0) - h0, abs(across[a + 1, i] - b1) - h1
            t2, t3 = abs(across[a + 2, i] - b2) - h2, abs(across[a + 3, i] - b3) - h3
            t0, t1, t2, t3 = t0 + abs(t0), t1 + abs(t1), t2 + abs(t2), t3 + abs(t3)
            gap[at, i] = gap[at, i] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
        a += STEP
        if a % LEAD == 0 or a == r:
            close = 0
            for i in range(n):
                close |= gap[at, i] <= within[i]
            if not close:
                return np.inf
    least = np.inf
    for i in range(n):
        least = min(least, gap[at, i])
    return least


@kernel
def _apart(values, row, units, unit, acc):
    """Squared distances of a row to those of a unit: sums over the columns in order."""
    d, n = units.shape[1:]
    for i in range(n):
        acc[i] = 0.0
    j = 0
    while j + STEP <= d:
        x0, x1, x2, x3 = values[row, j], values[row, j + 1], values[row, j + 2], values[row, j + 3]
        for i in range(n):
            t0, t1 = x0 - units[unit, j, i], x1 - units[unit, j + 1, i]
            t2, t3 = x2 - units[unit, j + 2, i], x3 - units[unit, j + 3, i]
            acc[i] = acc[i] + t0 * t0 + t1 * t1 + t2 * t2 + t3 * t3
        j += STEP
    while j < d:
        x = values[row, j]
        for i in range(n):
            t = x - units[unit, j, i]
            acc[i] += t * t
        j += 1


@kernel
def _reach(squared, slack):
    """What a rotated squared distance must exceed to be surely beyond `squared`.

    `slack` holds the scale, the relative and the absolute error and what underflow may hide.
    """
    t = np.sqrt(squared + slack[3]) * slack[0] * (1.0 + slack[1]) + slack[2]
    return t * t * (1.0 + slack[1]) + 1e-290


@kernel
def _enter(acc, order, first, n, own, kind, code, codes, alive, near, near_rows, i, foe, foe_rows):
    """Enter the rows of a leaf into a query's list of friends and its nearest enemy."""
    last = near.shape[1] - 1
    changed = False
    for c in range(n):
        # The rows of a leaf beyond the usual size are all equal, and in ascending order.
        squared = acc[c] if n <= LEAF else acc[0]
        row = order[first + c]
        # What comes after both the last friend and the nearest enemy settles nothing.
        if squared > near[i, last] and squared > foe[i]:
            continue
        if not alive[row] or row == own:
            continue
        if codes[row] != code:
            if kind != FRIENDS:
                if squared < foe[i] or (squared == foe[i] and row < foe_rows[i]):
                    foe[i], foe_rows[i] = squared, row
                    changed = True
            continue
        if kind == ENEMIES:
            continue
        if squared < near[i, last] or (squared == near[i, last] and row < near_rows[i, last]):
            p = last
            while p > 0 and (
                squared < near[i, p - 1]
                or (squared == near[i, p - 1] and row < near_rows[i, p - 1])
            ):
                near[i, p], near_rows[i, p] = near[i, p - 1], near_rows[i, p - 1]
                p -= 1
            near[i, p], near_rows[i, p] = squared, row
            changed = True
    return changed


@kernel
def _walk(
    tree, values, turned, codes, marks, which, first, m, home, kind, alive, slack,
    across, within, reach, asked, sure, near, near_rows, foe, foe_rows, stack, gap, acc,
):  # fmt: skip
    """Search rows of one kind outside the leaf `home` for the queries `asked` of a batch.

    A query whose nearest enemy is `sure` asks no more once its friends before that are enough.
    Returns the number of distances computed.
    """
    order, start, stop, right, parent = tree.order, tree.start, tree.stop, tree.right, tree.parent
    points, leads, box = tree.points, tree.lead, tree.box
    last = near.shape[1] - 1
    code = codes[which[first]]
    wanted = count = 0
    for i in range(LEAF):
        within[i] = -1.0
        if i < m and asked[i]:
            wanted += 1
            bound = min(near[i, last], foe[i])
            reach[i] = _reach(bound, slack) if bound < np.inf else np.inf
            within[i] = 4.0 * reach[i]
    node = home
    while wanted and node != 0:
        above = parent[node]
        sibling = above + 1 if right[above] == node else right[above]
        node, top = above, -1
        if _useful(marks[sibling], code, kind):
            count += LEAF
            if _gaps(across, box, sibling, within, gap, 0) < np.inf:
                stack[0], top = sibling, 0
        while top >= 0:
            at, top = top, top - 1
            close = 0
            for i in range(LEAF):
                close |= gap[at, i] <= within[i]
            if not close:
                continue
            here = stack[at]
            if right[here] > 0:
                closer, other = here + 1, right[here]
                far_gap = near_gap = np.inf
                if _useful(marks[other], code, kind):
                    count += LEAF
                    far_gap = _gaps(across, box, other, within, gap, at)
                if _useful(marks[closer], code, kind):
                    count += LEAF
                    near_gap = _gaps(across, box, closer, within, gap, at + 1)
                if far_gap < near_gap:
                    closer, other, near_gap, far_gap = other, closer, far_gap, near_gap
                    for i in range(LEAF):
                        gap[at, i], gap[at + 1, i] = gap[at + 1, i], gap[at, i]
                if far_gap < np.inf:
                    stack[at], stack[at + 1], top = other, closer, at + 1
                elif near_gap < np.inf:
                    stack[at], top = closer, at
                    for i in range(LEAF):
                        gap[at, i] = gap[at + 1, i]
                continue
            unit, n = start[here] // LEAF, stop[here] - start[here]
            for i in range(m):
                if not gap[at, i] <= within[i]:
                    continue
                row = which[first + i]
                close = reach[i] == np.inf
                if not close:
                    count += LEAF
                    _apart(turned, row, leads, unit, acc)
                    for c in range(LEAF):
                        close |= acc[c] <= reach[i]
                if close:
                    count += LEAF
                    _apart(values, row, points, unit, acc)
                    if _enter(
                        acc, order, start[here], n, row, kind, code, codes, alive,
                        near, near_rows, i, foe, foe_rows,
                    ):  # fmt: skip
                        bound = min(near[i, last], foe[i])
                        if sure[i] and _before(near, near_rows, last, foe, foe_rows, i):
                            within[i] = -1.0
                            wanted -= 1
                        elif bound < np.inf:
                            reach[i] = _reach(bound, slack)
                            within[i] = 4.0 * reach[i]
    return count


@kernel
def _before(near, near_rows, p, foe, foe_rows, i):
    """Whether friend number `p` comes before the nearest enemy."""
    return near[i, p] < foe[i] or (near[i, p] == foe[i] and near_rows[i, p] < foe_rows[i])


@kernel
def _useful(mark, code, kind):
    """Whether a node of this mark may hold rows of the kind."""
    return mark < 0 or kind == BOTH or (mark == code) == (kind == FRIENDS)


@kernel
def find_friends(
    low, high, tree, values, turned, codes, marks, which, edges, home, alive, slack,
    apart, foes, friends, enemy, work,
):  # fmt: skip
    """Write friends that come before the nearest enemy, and that enemy.

    Queries are rows ``which[q]`` of the table, in batches as for nearest rows, of one code each.
    Row i of `friends` receives friends that come before the nearest enemy, as many as fit, and
    -1 behind them: the nearest ones, or where they fill the row some that are near.
    ``enemy[i]`` is the nearest enemy, or -1 where friends fill the row or nobody is an enemy.
    `apart` says to look for enemies first where friends are at hand, rather than for both at
    once; it changes the `work` alone, the number of distances computed for each batch.
    ``foes[row]`` is the nearest enemy of a row where it is known, else -1.
    """
    k, r = friends.shape[1], tree.box.shape[2]
    near, near_rows = np.empty((LEAF, k)), np.empty((LEAF, k), np.int64)
    foe, foe_rows = np.empty(LEAF), np.empty(LEAF, np.int64)
    within, reach, acc = np.empty(LEAF), np.empty(LEAF), np.empty(LEAF)
    asked, calm, alone, sure, short = np.zeros((5, LEAF), np.bool_)
    across, gap = np.zeros((r, LEAF)), np.empty((128, LEAF))
    stack = np.empty(128, np.int64)
    for b in range(low, high):
        first = edges[b]
        m = edges[b + 1] - first
        code = codes[which[first]]
        near[:] = foe[:] = np.inf
        near_rows[:] = foe_rows[:] = FAR
        unit, n = tree.start[home[b]] // LEAF, tree.stop[home[b]] - tree.start[home[b]]
        for i in range(m):
            row = which[first + i]
            for a in range(r):
                across[a, i] = turned[row, a]
            _apart(values, row, tree.points, unit, acc)
            _enter(
                acc, tree.order, tree.start[home[b]], n, row, BOTH, code, codes, alive,
                near, near_rows, i, foe, foe_rows,
            )  # fmt: skip
            sure[i] = foes[row] >= 0
            if sure[i]:
                squared = 0.0
                for j in range(values.shape[1]):
                    t = values[row, j] - values[foes[row], j]
                    squared += t * t
                foe[i], foe_rows[i] = squared, foes[row]
                short[i] = not _before(near, near_rows, k - 1, foe, foe_rows, i)
                calm[i] = alone[i] = False
                continue
            short[i] = False
            before = near[i, k - 1] < foe[i] or (
                near[i, k - 1] == foe[i] and near_rows[i, k - 1] <= foe_rows[i]
            )
            calm[i] = apart and before
            # Without any bound, friends are looked for first: they are usually closer.
            alone[i] = apart and near_rows[i, k - 1] == FAR and foe_rows[i] == FAR
        work[b] = 0
        for turn in range(4):
            for i in range(m):
                if turn == 0:
                    asked[i] = alone[i] or short[i]
                elif turn == 1:
                    asked[i] = calm[i]
                elif turn == 2:
                    asked[i] = not (calm[i] or sure[i])
                else:
                    # An enemy before the last friend known: more friends may be before it.
                    late = foe_rows[i] != FAR and foe[i] <= near[i, k - 1]
                    asked[i] = calm[i] and not alone[i] and late
            kind = FRIENDS if turn % 3 == 0 else (ENEMIES if turn == 1 else BOTH)
            work[b] += _walk(
                tree, values, turned, codes, marks, which, first, m, home[b], kind, alive, slack,
                across, within, reach, asked, sure, near, near_rows, foe, foe_rows, stack, gap,
                acc,
            )  # fmt: skip
        for i in range(m):
            row = which[first + i]
            enemy[row] = -1
            for p in range(k):
                friends[row, p] = -1
                if _before(near, near_rows, p, foe, foe_rows, i):
                    friends[row, p] = near_rows[i, p]
                elif foe_rows[i] != FAR:
                    enemy[row] = foe_rows[i]


def warm():
    """Compile every kernel of this file."""
    X = np.arange(6.0).reshape(3, 2)
    X.flags.writeable = False
    one, rows = np.zeros(1, np.int64), np.arange(3)
    tree = Tree(
        rows, np.full((1, 2, LEAF), np.nan), np.full((1, STEP, LEAF), np.nan), one, one + 3, one,
        one, np.zeros((1, 2, STEP)), one,
    )  # fmt: skip
    codes, marks = np.zeros(3, np.int32), np.zeros(1, np.int32)
    mark(tree, codes, marks)
    find_friends(
        0, 1, tree, X, np.zeros((3, STEP)), codes, marks, rows, np.array([0, 3]), one,
        np.ones(3, np.bool_), np.array([1.0, 1e-9, 1e-9, 0.0]), True,
        np.full(3, -1), np.empty((3, 1), np.int64), np.empty(3, np.int64), np.empty(1, np.int64),
    )  # fmt: skip
