"""Nearest rows: one order, whatever way they are found."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics.pairwise import nan_euclidean_distances
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from imbkit._core import neighbors
from imbkit._core.neighbors import RowIndex, RowTree, batches, kneighbors_with, tree_pays
from imbkit.exceptions import DataError

PATHS = ("tree", "brute", None)


def brute_force(X, Q, k, own=None):
    """The contract, written down: sums in order of columns, ties by row number."""
    squared = np.zeros((len(Q), len(X)))
    with np.errstate(over="ignore"):
        for j in range(X.shape[1]):
            difference = Q[:, j, None].astype(float) - X[:, j].astype(float)
            squared += difference * difference
    if own is not None:
        squared[np.arange(len(Q)), own] = np.nan
    return np.argsort(squared, axis=1, kind="stable")[:, :k]


def table(kind, n, d, seed):
    """Rows of many kinds, some of them hard to order."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(n, d))
    made = {
        "normal": lambda: normal,
        "float32": lambda: normal.astype(np.float32),
        "lattice": lambda: rng.integers(0, 3, (n, d)).astype(float),
        "equal": lambda: np.full((n, d), 0.1),
        "few": lambda: normal[rng.integers(0, min(5, n), n)],
        "zeros": lambda: np.where(rng.random((n, d)) < 0.7, 0.0, -normal) * 1.0,
        "constant": lambda: np.where(np.arange(d) % 2 == 0, 7.3, normal),
        "shifted": lambda: normal * 1e-3 + 1e6,
        "outlier": lambda: np.where(rng.random((n, 1)) < 0.02, 1e12, normal),
        "huge": lambda: normal * 1e300,
        "giant and tiny": lambda: normal * 10.0 ** rng.integers(-200, 200, (n, 1)),
        "tiny": lambda: normal * 1e-200,
        "denormal": lambda: np.round(normal) * 5e-324,
        "near ties": lambda: rng.integers(0, 3, (n, d)) + rng.integers(-1, 2, (n, d)) * 2.0**-50,
        "scaled lattice": lambda: rng.integers(0, 4, (n, d)) * 0.1,
    }
    return made[kind]()


KINDS = ["normal", "float32", "lattice", "equal", "few", "zeros", "constant", "shifted"]
KINDS += ["outlier", "huge", "tiny", "denormal", "giant and tiny", "near ties", "scaled lattice"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(n=st.integers(2, 150), d=st.integers(1, 10), k=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_every_path_gives_the_one_order(path, kind, n, d, k, seed):
    X = table(kind, n, d, seed)
    k = min(k, n - 1)
    index = RowIndex(X, path=path, n_jobs=1)
    np.testing.assert_array_equal(index.nearest(k), brute_force(X, X, k, np.arange(n)))
    rows = np.random.default_rng(seed).integers(0, n, n // 3 + 1)
    np.testing.assert_array_equal(index.nearest(k, rows), brute_force(X, X[rows], k, rows))
    Q = np.concatenate([X[rows], table(kind, 5, d, seed + 1), X[rows] * 1.5])
    np.testing.assert_array_equal(index.nearest_to(Q, k), brute_force(X, Q, k))


@pytest.mark.parametrize("kind", ["normal", "lattice", "few", "shifted", "near ties", "outlier"])
def test_verified_candidates_of_larger_tables_give_it_too(kind):
    X = table(kind, 2200, 4, 3)
    expected = brute_force(X, X, 5, np.arange(len(X)))
    np.testing.assert_array_equal(RowIndex(X, path="brute").nearest(5), expected)
    np.testing.assert_array_equal(RowIndex(X, path="tree").nearest(5), expected)
    np.testing.assert_array_equal(RowIndex(X).nearest(5), expected)


def test_threads_and_blocks_change_nothing():
    X = table("normal", 3000, 6, 0)
    one, two = (RowIndex(X, path="tree", n_jobs=jobs).nearest(4) for jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_any_layout_of_memory_will_do(tmp_path):
    X = table("normal", 300, 5, 1)
    expected = RowIndex(X).nearest(3)
    wide = np.zeros((300, 10))
    wide[:, ::2] = X
    np.save(tmp_path / "x.npy", X)
    fixed = X.copy()
    fixed.flags.writeable = False
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for same in (np.asfortranarray(X), wide[:, ::2], fixed, mapped, X[::-1].copy()[::-1]):
        for path in PATHS:
            np.testing.assert_array_equal(RowIndex(same, path=path).nearest(3), expected)


@pytest.mark.parametrize("d", [2, 20])
def test_equals_scikit_learn_without_ties(d):
    X = table("normal", 800, d, 2)
    expected = NearestNeighbors(n_neighbors=6).fit(X).kneighbors(X, return_distance=False)[:, 1:]
    for path in PATHS:
        np.testing.assert_array_equal(RowIndex(X, path=path).nearest(5), expected)


@pytest.mark.parametrize("path", PATHS)
def test_queries_immensely_far_away_are_answered(path):
    X = table("normal", 200, 3, 4) * 1e-200
    Q = np.array([[1e150, 0, 0], [1e-200, 0, 0], [1e307, -1e307, 1e307]])
    np.testing.assert_array_equal(RowIndex(X, path=path).nearest_to(Q, 30), brute_force(X, Q, 30))


def test_equal_rows_cost_no_square():
    index = RowIndex(np.zeros((50_000, 3)), path="tree")
    found = index.nearest(3)
    np.testing.assert_array_equal(found[:4], [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    assert (found[4:] == [0, 1, 2]).all()
    assert index._tree.work <= 100_000 * 16


def test_missing_values_count_as_in_scikit_learn():
    rng = np.random.default_rng(0)
    X = table("normal", 120, 4, 5)
    X[rng.random(X.shape) < 0.3] = np.nan
    distances = nan_euclidean_distances(X)
    np.fill_diagonal(distances, np.nan)
    distances = np.where(np.isnan(distances), np.inf, distances)
    found = RowIndex(X).nearest(119)
    assert (np.sort(found, axis=1) == np.delete(np.tile(np.arange(120), (120, 1)), 0, 1)).sum()
    in_order = np.take_along_axis(distances, found, axis=1)
    assert (in_order[:, 1:] >= in_order[:, :-1] - 1e-12).all()
    for row, ids in enumerate(found):
        assert sorted([*ids, row]) == list(range(120))


def test_rows_with_nothing_in_common_come_last_by_number():
    X = np.array([[0.0, np.nan], [np.nan, 0.0], [5.0, np.nan], [np.nan, np.nan], [9.0, 9.0]])
    assert RowIndex(X).nearest(4).tolist()[0] == [2, 4, 1, 3]
    assert RowIndex(X).nearest(4).tolist()[3] == [0, 1, 2, 4]
    assert RowIndex(X[[0, 2, 4]]).nearest_to([[np.nan, 8.0]], 3).tolist() == [[2, 0, 1]]


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_sparse_rows_keep_ties_in_order(container):
    rng = np.random.default_rng(0)
    dense = rng.integers(0, 2, (200, 6)) * rng.integers(1, 3, (200, 6)).astype(float)
    index = RowIndex(container(dense))
    np.testing.assert_array_equal(index.nearest(5), brute_force(dense, dense, 5, np.arange(200)))
    np.testing.assert_array_equal(
        index.nearest_to(container(dense[:9]), 5), brute_force(dense, dense[:9], 5)
    )


def test_nothing_to_find():
    X = np.ones((3, 2))
    assert RowIndex(X).nearest(0).shape == (3, 0)
    assert RowIndex(X).nearest(2, []).shape == (0, 2)
    assert RowIndex(X[:1]).nearest(0).shape == (1, 0)
    assert RowIndex(np.empty((4, 0))).nearest(2).tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]
    assert RowIndex(np.empty((4, 0))).nearest_to(np.empty((1, 0)), 2).tolist() == [[0, 1]]
    assert RowIndex(X[:1], path="tree").nearest_to(X, 1).tolist() == [[0], [0], [0]]


def test_too_many_neighbours_are_refused():
    with pytest.raises(DataError, match="k=3 with 2 rows"):
        RowIndex(np.ones((3, 2))).nearest(3)


def test_the_probe_sees_that_a_tree_does_not_pay():
    X = table("normal", 3000, 40, 0)
    assert RowTree(X).preferred_path(3) == "brute"
    flat = X[:, :2] @ np.ones((2, 40)) + X * 1e-6
    assert RowTree(flat).preferred_path(3) == "tree"


def test_small_tables_do_not_import_numba():
    code = (
        "import sys, numpy as np\n"
        "from imbkit._core.neighborhood import Neighborhood\n"
        "from imbkit._core.neighbors import RowIndex\n"
        "X = np.random.default_rng(0).normal(size=(2000, 10))\n"
        "RowIndex(X).nearest(3); Neighborhood(X, np.arange(2000) % 2).pure(np.arange(2000), 3)\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_tree_is_considered_for_large_work_only():
    assert not tree_pays(1000, 1000, 10)
    assert not tree_pays(10, 100_000, 10)
    assert tree_pays(100_000, 100_000, 10)


def test_batches_hold_one_group_each_and_are_small():
    assert batches(np.array([1, 1, 1, 2, 3, 3, 3, 3, 3]), 2).tolist() == [0, 2, 3, 4, 6, 8, 9]


def test_a_neighbours_object_is_asked_and_left_alone():
    X = table("normal", 50, 3, 0)
    asked = NearestNeighbors(n_neighbors=4, metric="manhattan")
    found = kneighbors_with(asked, X, X[:7])
    expected = NearestNeighbors(n_neighbors=4, metric="manhattan").fit(X).kneighbors(X[:7])[1]
    np.testing.assert_array_equal(found, expected)
    assert not hasattr(asked, "n_samples_fit_")
    with pytest.raises(TypeError):
        kneighbors_with(KNeighborsClassifier(), X, X)


@pytest.mark.parametrize("k", [1, 3, 9])
def test_many_equal_rows_are_no_trouble_to_brute_force(k):
    rng = np.random.default_rng(k)
    X = np.vstack(
        [np.repeat(rng.normal(size=(3, 4)), [300, 5, 100], axis=0), rng.normal(size=(400, 4))]
    )
    X[:300][::2] *= [1.0, -0.0, 1.0, 1.0]
    X[:300][1::2] *= [1.0, 0.0, 1.0, 1.0]
    X = X[rng.permutation(len(X))]
    rows = rng.permutation(len(X))[:500]
    brute = RowIndex(X, path="brute").nearest(k, rows)
    np.testing.assert_array_equal(brute, RowIndex(X, path="tree").nearest(k, rows))


def test_a_grid_is_left_to_the_tree(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(700, 4)).astype(float)
    want = RowIndex(X, path="brute").nearest(3)
    monkeypatch.setattr("imbkit._core.neighbors._LONG", 1)
    np.testing.assert_array_equal(RowIndex(X, path="brute").nearest(3), want)
    np.testing.assert_array_equal(
        RowIndex(X, path="brute").nearest_to(X[:50] + 0.5, 3),
        RowIndex(X, path="tree").nearest_to(X[:50] + 0.5, 3),
    )


def test_many_small_searches_load_the_kernels_in_the_end(monkeypatch):
    monkeypatch.setattr(neighbors, "_KERNELS", "not.there")
    monkeypatch.setattr(neighbors, "_lost", [0.0])
    assert not any(neighbors.tree_pays(1000, 1000, 10) for _ in range(10_000))
    answers = [neighbors.tree_pays(10_000, 10_000, 6) for _ in range(20)]
    assert answers == sorted(answers)
    assert not answers[0]
    assert answers[-1]
    assert neighbors.tree_pays(100_000, 100_000, 6)
