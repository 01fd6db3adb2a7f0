"""The box tree: its shape, its boxes and its distances, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit._core.neighbors import RowTree
from imbkit._kernels import neighbors as kernels
from imbkit._kernels.neighbors import LEAF


def table(n, d, seed, kind):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    if kind == "lattice":
        X = rng.integers(0, 3, (n, d)) / 3
    elif kind == "few":
        X = X[rng.integers(0, min(4, n), n)]
    elif kind == "float32":
        X = X.astype(np.float32).astype(np.float64) * 1e7 + 1e9
    return X


shapes = given(
    n=st.integers(1, 300),
    d=st.integers(1, 12),
    seed=st.integers(0, 999),
    kind=st.sampled_from(["normal", "lattice", "few", "float32"]),
)


@shapes
def test_a_tree_holds_every_row_once_in_boxes_that_hold_it(n, d, seed, kind):
    X = table(n, d, seed, kind)
    rows = RowTree(X, n_jobs=1)
    tree = rows.tree
    np.testing.assert_array_equal(np.sort(tree.order), np.arange(n))
    np.testing.assert_array_equal(tree.order[rows.place], np.arange(n))
    tolerance = 1e-12 * (1 + np.abs(rows.turned).max())
    leaves = 0
    for node in np.flatnonzero(tree.right >= 0):
        held = tree.order[tree.start[node] : tree.stop[node]]
        assert len(held)
        low, high = rows.turned[held].min(axis=0), rows.turned[held].max(axis=0)
        middle, half = tree.box[node]
        assert (middle - half <= low + tolerance).all()
        assert (middle + half >= high - tolerance).all()
        assert (half <= (high - low) / 2 + tolerance).all()
        if tree.right[node]:
            left, right = node + 1, tree.right[node]
            assert tree.parent[left] == tree.parent[right] == node
            assert tree.start[node] == tree.start[left]
            assert tree.stop[left] == tree.start[right]
            assert tree.stop[right] == tree.stop[node]
            continue
        leaves += len(held)
        assert (np.diff(held) > 0).all()
        assert len(held) <= LEAF or (X[held] == X[held[0]]).all()
        unit = tree.start[node] // LEAF
        np.testing.assert_array_equal(tree.points[unit].T[: len(held)], X[held[:LEAF]])
        assert np.isnan(tree.points[unit].T[len(held) :]).all()
        np.testing.assert_array_equal(
            tree.lead[unit].T[: len(held)], rows.turned[held[:LEAF], : tree.lead.shape[1]]
        )
        assert (tree.home[unit : -(-tree.stop[node] // LEAF)] == node).all()
    assert leaves == n


@shapes
def test_turning_keeps_distances_within_the_stated_slack(n, d, seed, kind):
    X = table(n, d, seed, kind)
    rows = RowTree(X, n_jobs=1)
    squared = np.zeros((n, n))
    turned = np.zeros((n, n))
    for j in range(d):
        squared += (X[:, None, j] - X[None, :, j]) ** 2
    for j in range(rows.turned.shape[1]):
        turned += (rows.turned[:, None, j] - rows.turned[None, :, j]) ** 2
    reach = [[kernels._reach.py_func(s, rows.slack()) for s in line] for line in squared[:9]]
    assert (turned[:9] <= np.array(reach)).all()
    # The slack is no blank cheque.
    far = squared[:9] > 1e-6 * (1 + squared.max())
    assert (np.array(reach)[far] <= turned[:9][far] * (1 + 1e-4)).all() or kind == "float32"


@shapes
def test_equal_rows_turn_into_equal_rows(n, d, seed, kind):
    X = table(n, d, seed, "few")
    turned = RowTree(X, n_jobs=1).turned
    for row in range(n):
        same = (X == X[row]).all(axis=1)
        assert (turned[same] == turned[row]).all()


@given(n=st.integers(1, 60), middle=st.integers(0, 60), seed=st.integers(0, 999))
def test_selection_parts_the_values_and_keeps_their_ids(n, middle, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, n) / 2
    before, ids, middle = values.copy(), np.arange(n), min(middle, n)
    kernels._select(values, ids, 0, n, middle)
    np.testing.assert_array_equal(before[ids], values)
    np.testing.assert_array_equal(np.sort(ids), np.arange(n))
    assert values[:middle].max(initial=-1) <= values[middle:].min(initial=9)


@given(d=st.integers(1, 13), seed=st.integers(0, 999))
def test_distances_are_sums_in_the_order_of_the_columns(d, seed):
    rng = np.random.default_rng(seed)
    values, units = rng.normal(size=(3, d)) * 1e3, rng.normal(size=(2, d, LEAF))
    acc = np.empty(LEAF)
    kernels._apart(values, 2, units, 1, acc)
    total = np.zeros(LEAF)
    for j in range(d):
        total += (values[2, j] - units[1, j]) ** 2
    np.testing.assert_array_equal(acc, total)


@given(r=st.integers(1, 5), seed=st.integers(0, 999), reach=st.floats(0.01, 50))
def test_gaps_are_distances_to_a_box_or_bounds_beyond_reach(r, seed, reach):
    rng = np.random.default_rng(seed)
    across, box = rng.normal(size=(4 * r, LEAF)), np.abs(rng.normal(size=(2, 2, 4 * r)))
    gap, within = np.empty((2, LEAF)), np.full(LEAF, reach)
    least = kernels._gaps(across, box, 1, within, gap, 1)
    outside = np.maximum(np.abs(across - box[1, 0][:, None]) - box[1, 1][:, None], 0)
    expected = 4 * (outside**2).sum(axis=0)
    if least < np.inf:
        np.testing.assert_allclose(gap[1], expected)
        assert least == gap[1].min()
    else:
        assert (gap[1] > within).all()
        assert (gap[1] <= expected * (1 + 1e-12)).all()


@pytest.mark.parametrize("frozen", [False, True])
def test_one_compilation_serves_all_tables(frozen):
    kernels.warm()
    X = table(100, 3, 0, "normal")
    X.flags.writeable = not frozen
    rows = RowTree(X)
    rows.nearest(X, np.arange(100), 3, True)
    rows.nearest(rows.X, np.arange(9), 3, False, np.ones(100, dtype=bool))
    for name in ("turn", "grow", "settle", "enclose", "find_homes", "find_nearest"):
        assert len(getattr(kernels, name).signatures) == 1, name
