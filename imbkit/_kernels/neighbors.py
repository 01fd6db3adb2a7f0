"""Exact k nearest rows by a box tree over rotated rows, distances taken in the given columns."""

from typing import NamedTuple

import numpy as np

from imbkit._kernels._jit import kernel

__all__ = [
    "LEAD",
    "LEAF",
    "Tree",
    "enclose",
    "find_homes",
    "find_nearest",
    "grow",
    "settle",
    "turn",
    "warm",
]

LEAF = 16  # rows of a leaf: four vectors of four numbers
LEAD = 8  # rotated columns kept by rows, for a first look at a leaf
STEP = 4  # columns summed in one go; the rotated rows have a multiple of them
SAMPLE = 64  # rows that choose the side to split
FAR = np.iinfo(np.int64).max


class Tree(NamedTuple):
    """Rows cut at medians into u units of `LEAF`; 2 u - 1 nodes, parents before children.

    A leaf holds one unit, or any number of rows if they are all equal. The left child of a node
    comes right after it.
    """

    order: np.ndarray  # (n,) row number at each position, ascending within a leaf
    points: np.ndarray  # (u, d, LEAF) the rows of a unit, column by column, NaN beyond the end
    lead: np.ndarray  # (u, r, LEAF) their first rotated columns
    start: np.ndarray  # (nodes,) first position
    stop: np.ndarray  # (nodes,) one past the last position
    right: np.ndarray  # (nodes,) right child, 0 for a leaf, -1 for a node that was not needed
    parent: np.ndarray  # (nodes,)
    box: np.ndarray  # (nodes, 2, r) middles and half widths, of rotated values
    home: np.ndarray  # (u,) the leaf that holds the unit


@kernel
def turn(low, high, X, scale, centre, axes, out, norms):
    """Write the rows ``(scale X - centre) axes`` and squared norms, equal ones for equal rows."""
    d, r = axes.shape
    for i in range(low, high):
        for a in range(r):
            out[i, a] = 0.0
        norm = 0.0
        j = 0
        while j + STEP <= d:
            x0, x1 = X[i, j] * scale - centre[j], X[i, j + 1] * scale - centre[j + 1]
            x2, x3 = X[i, j + 2] * scale - centre[j + 2], X[i, j + 3] * scale - centre[j + 3]
            norm += x0 * x0 + x1 * x1 + x2 * x2 + x3 * x3
            for a in range(r):
                first = x0 * axes[j, a] + x1 * axes[j + 1, a]
                out[i, a] += first + (x2 * axes[j + 2, a] + x3 * axes[j + 3, a])
            j += STEP
        while j < d:
            x0 = X[i, j] * scale - centre[j]
            norm += x0 * x0
            for a in range(r):
                out[i, a] += x0 * axes[j, a]
            j += 1
        norms[i] = norm


@kernel
def _select(values, ids, low, high, middle):
    """Reorder two arrays so that no value before `middle` is larger than one from there on."""
    while high - low > 1:
        x, y, z = values[low], values[(low + high) // 2], values[high - 1]
        pivot = max(min(x, y), min(max(x, y), z))
        i, j = low, high - 1
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                ids[i], ids[j] = ids[j], ids[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j + 1
        elif middle >= i:
            low = i
        else:
            return


@kernel
def _widest(turned, order, start, stop, step):
    """The rotated column that varies most over every `step`-th row, and its variance."""
    r = turned.shape[1]
    first = order[start]
    sums, squares = np.zeros(r), np.zeros(r)
    n = 0
    for p in range(start, stop, step):
        row = order[p]
        n += 1
        for a in range(r):
            t = turned[row, a] - turned[first, a]
            sums[a] += t
            squares[a] += t * t
    widest, side = 0.0, 0
    for a in range(r):
        spread = squares[a] - sums[a] * sums[a] / n
        if spread > widest:
            widest, side = spread, a
    return side, widest


@kernel
def _all_equal(X, order, start, stop):
    """Whether the rows at these positions hold the same values."""
    first = order[start]
    for p in range(start + 1, stop):
        row = order[p]
        for j in range(X.shape[1]):
            if X[row, j] != X[first, j]:
                return False
    return True


@kernel
def grow(low, high, X, turned, tree, roots, depth):
    """Grow the subtrees under the nodes ``roots[low:high]``, at most `depth` levels.

    The nodes carry their positions already. Every node that the depth cuts off carries its own
    afterwards.
    """
    order, start, stop, right, parent = tree.order, tree.start, tree.stop, tree.right, tree.parent
    stack = np.empty((depth + 2, 2), np.int64)
    for b in range(low, high):
        top = 0
        stack[0, 0], stack[0, 1] = roots[b], depth
        values = np.empty(stop[roots[b]] - start[roots[b]])
        while top >= 0:
            node, left_depth = stack[top]
            top -= 1
            first, last = start[node], stop[node]
            n = last - first
            right[node] = 0
            if n <= LEAF or left_depth == 0:
                continue
            side, width = _widest(turned, order, first, last, max(1, n // SAMPLE))
            if width == 0.0:
                side, width = _widest(turned, order, first, last, 1)
                if width == 0.0 and _all_equal(X, order, first, last):
                    continue
            units = (n + LEAF - 1) // LEAF // 2
            for p in range(n):
                values[p] = turned[order[first + p], side]
            _select(values, order[first:last], 0, n, units * LEAF)
            middle = first + units * LEAF
            left, other = node + 1, node + 2 * units
            right[node] = other
            parent[left] = parent[other] = node
            start[left], stop[left] = first, middle
            start[other], stop[other] = middle, last
            right[left] = right[other] = 0
            stack[top + 1, 0], stack[top + 1, 1] = other, left_depth - 1
            stack[top + 2, 0], stack[top + 2, 1] = left, left_depth - 1
            top += 2


@kernel
def settle(low, high, X, turned, tree, leaves):
    """Sort the rows of the leaves ``leaves[low:high]``, copy them and draw their boxes."""
    d, r = X.shape[1], turned.shape[1]
    for b in range(low, high):
        node = leaves[b]
        first, last = tree.start[node], tree.stop[node]
        tree.order[first:last].sort()
        unit, m = first // LEAF, min(LEAF, last - first)
        for u in range(unit, (last + LEAF - 1) // LEAF):
            tree.home[u] = node
        points, lead, box = tree.points[unit], tree.lead[unit], tree.box[node]
        points[:, m:] = np.nan
        lead[:, m:] = np.nan
        for i in range(m):
            row = tree.order[first + i]
            for j in range(d):
                points[j, i] = X[row, j]
            for a in range(lead.shape[0]):
                lead[a, i] = turned[row, a]
        for a in range(r):
            lowest = highest = turned[tree.order[first], a]
            for i in range(1, m):
                lowest = min(lowest, turned[tree.order[first + i], a])
                highest = max(highest, turned[tree.order[first + i], a])
            box[0, a], box[1, a] = lowest, highest


@kernel
def enclose(tree):
    """Draw the boxes of the inner nodes around those of their children, then halve all."""
    box, right = tree.box, tree.right
    for node in range(len(right) - 1, -1, -1):
        for a in range(box.shape[2]):
            if right[node] > 0:
                box[node, 0, a] = min(box[node + 1, 0, a], box[right[node], 0, a])
                box[node, 1, a] = max(box[node + 1, 1, a], box[right[node], 1, a])
    for node in range(len(right)):
        for a in range(box.shape[2]):
            lowest, highest = box[node, 0, a], box[node, 1, a]
            middle = lowest + (highest - lowest) / 2
            box[node, 0, a] = middle
            box[node, 1, a] = max(highest - middle, middle - lowest)


@kernel
def find_homes(low, high, tree, turned, out):
    """Write the leaf that each rotated row reaches from the root, nearer child first."""
    right, box = tree.right, tree.box
    for i in range(low, high):
        node = 0
        while right[node] > 0:
            near = far = 0.0
            for a in range(turned.shape[1]):
                t = max(abs(turned[i, a] - box[node + 1, 0, a]) - box[node + 1, 1, a], 0.0)
                near += t * t
                t = max(abs(turned[i, a] - box[right[node], 0, a]) - box[right[node], 1, a], 0.0)
                far += t * t
            node = node + 1 if near <= far else right[node]
        out[i] = node


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
def _enter(acc, order, first, n, own, alive, best, rows, i):
    """Enter the rows of a leaf into the list of nearest rows of query `i`; say if it changed."""
    last = best.shape[1] - 1
    changed = False
    for c in range(n):
        # The rows of a leaf beyond the usual size are all equal, and in ascending order.
        squared = acc[c] if n <= LEAF else acc[0]
        if squared > best[i, last]:
            if n > LEAF:
                break
            continue
        row = order[first + c]
        if squared == best[i, last] and row > rows[i, last]:
            if n > LEAF:
                break
            continue
        if not squared <= best[i, last] or row == own:
            continue
        if len(alive) > 0 and not alive[row]:
            continue
        p = last
        while p > 0 and (
            squared < best[i, p - 1] or (squared == best[i, p - 1] and row < rows[i, p - 1])
        ):
            best[i, p], rows[i, p] = best[i, p - 1], rows[i, p - 1]
            p -= 1
        best[i, p], rows[i, p] = squared, row
        changed = True
    return changed


@kernel
def find_nearest(
    low, high, tree, values, turned, which, slot, edges, home, own_rows, alive, slack, out, work
):
    """Write the nearest rows of the queries of the batches ``low`` to ``high - 1``.

    Query q is row ``which[q]`` of `values`, its answer goes to ``out[slot[q]]``. Batch b holds the
    queries ``edges[b]`` to ``edges[b + 1] - 1``, at most `LEAF`, and starts in the leaf
    ``home[b]``. With `own_rows` a query is no neighbour of itself; `alive`, if not empty, says
    which rows may be found. `work` receives the number of distances computed for each batch.
    """
    order, start, stop, right, parent = tree.order, tree.start, tree.stop, tree.right, tree.parent
    points, leads, box = tree.points, tree.lead, tree.box
    k, r = out.shape[1], box.shape[2]
    best, rows = np.empty((LEAF, k)), np.empty((LEAF, k), np.int64)
    reach, within, acc = np.empty(LEAF), np.empty(LEAF), np.empty(LEAF)
    across, gap = np.zeros((r, LEAF)), np.empty((128, LEAF))
    stack = np.empty(128, np.int64)
    for b in range(low, high):
        first = edges[b]
        m = edges[b + 1] - first
        best[:] = np.inf
        rows[:] = FAR
        # A place without a query asks for nothing.
        reach[:] = np.inf
        within[:m], within[m:] = np.inf, -1.0
        for i in range(m):
            for a in range(r):
                across[a, i] = turned[which[first + i], a]
        node, top, count = home[b], 0, 0
        stack[0], gap[0] = node, 0.0
        while True:
            while top >= 0:
                at, top = top, top - 1
                close = 0
                for i in range(LEAF):
                    close |= gap[at, i] <= within[i]
                if not close:
                    continue
                here = stack[at]
                if right[here] > 0:
                    count += 2 * LEAF
                    near, far = here + 1, right[here]
                    # The parent's own place is free, so the farther child takes it.
                    far_gap = _gaps(across, box, far, within, gap, at)
                    near_gap = _gaps(across, box, near, within, gap, at + 1)
                    if far_gap < near_gap:
                        near, far, near_gap, far_gap = far, near, far_gap, near_gap
                        for i in range(LEAF):
                            gap[at, i], gap[at + 1, i] = gap[at + 1, i], gap[at, i]
                    if far_gap < np.inf:
                        stack[at], stack[at + 1], top = far, near, at + 1
                    elif near_gap < np.inf:
                        stack[at], top = near, at
                        for i in range(LEAF):
                            gap[at, i] = gap[at + 1, i]
                    continue
                unit, n = start[here] // LEAF, stop[here] - start[here]
                for i in range(m):
                    if gap[at, i] <= within[i]:
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
                            own = row if own_rows else -1
                            if _enter(acc, order, start[here], n, own, alive, best, rows, i):
                                if best[i, k - 1] < np.inf:
                                    reach[i] = _reach(best[i, k - 1], slack)
                                    within[i] = 4.0 * reach[i]
            if node == 0:
                break
            above = parent[node]
            sibling = above + 1 if right[above] == node else right[above]
            node = above
            count += LEAF
            if _gaps(across, box, sibling, within, gap, 0) < np.inf:
                stack[0], top = sibling, 0
        for i in range(m):
            for j in range(k):
                out[slot[first + i], j] = rows[i, j]
        work[b] = count


def warm():
    """Compile every kernel of this file."""
    n, d, r = 2 * LEAF + 1, 3, STEP
    X = np.arange(n * d, dtype=np.float64).reshape(n, d) % 7
    X.flags.writeable = False  # so that tables in read-only memory need no code of their own
    units, nodes = 3, 5
    turned, norms = np.zeros((n, r)), np.zeros(n)
    whole = np.arange(n)
    tree = Tree(
        whole.copy(),
        np.empty((units, d, LEAF)),
        np.empty((units, r, LEAF)),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.full(nodes, -1),
        np.zeros(nodes, np.int64),
        np.zeros((nodes, 2, r)),
        np.zeros(units, np.int64),
    )
    tree.stop[0] = n
    leaves = np.zeros(1, np.int64)
    slack, edges = np.array([1.0, 1e-9, 1e-9, 0.0]), np.array([0, 1])
    out, work = np.empty((1, 1), np.int64), np.empty(1, np.int64)
    turn(0, n, X, 1.0, np.zeros(d), np.eye(d, r), turned, norms)
    grow(0, 1, X, turned, tree, leaves, 64)
    settle(0, 1, X, turned, tree, np.flatnonzero(tree.right == 0))
    enclose(tree)
    find_homes(0, 1, tree, turned, leaves.copy())
    find_nearest(
        0, 1, tree, X, turned, whole, whole, edges, tree.home[:1], True,
        np.ones(n, np.bool_), slack, out, work,
    )  # fmt: skip
