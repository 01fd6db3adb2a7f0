"""Purity of neighbourhoods while rows are removed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from imbkit._core.neighborhood import Neighborhood
from imbkit._core.neighbors import RowIndex

PATHS = ("tree", "lists")


def nearest_alive(X, alive, rows, k):
    """The definition: sums in order of columns, ties by row number, only alive others."""
    squared = np.zeros((len(rows), len(X)))
    for j in range(X.shape[1]):
        squared += (X[rows, j][:, None] - X[:, j]) ** 2
    squared[:, ~alive] = np.nan
    squared[np.arange(len(rows)), rows] = np.nan
    return np.argsort(squared, axis=1, kind="stable")[:, :k]


def table(kind, n, d, rng):
    if kind == "lattice":
        return rng.integers(0, 3, (n, d)).astype(float)
    if kind == "equal":
        return np.full((n, d), 0.3)
    if kind == "near ties":
        return rng.integers(0, 3, (n, d)) + rng.integers(-1, 2, (n, d)) * 2.0**-50
    return rng.normal(size=(n, d))


@pytest.mark.parametrize("kind", ["normal", "lattice", "equal", "near ties"])
@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=25)
@given(
    n=st.integers(1, 200),
    d=st.integers(1, 7),
    k=st.integers(1, 6),
    share=st.floats(0.02, 0.5),
    seed=st.integers(0, 10**6),
)
def test_answers_follow_the_definition_after_any_removals(path, kind, n, d, k, share, seed):
    rng = np.random.default_rng(seed)
    X = table(kind, n, d, rng)
    codes = (rng.random(n) < share).astype(int) + 2 * (rng.random(n) < 0.05)
    codes = np.where(rng.random() < 0.5, np.where(X[:, 0] > 1, 1, codes), codes)
    hood = Neighborhood(X, codes, path=path, n_jobs=1)
    alive = np.ones(n, dtype=bool)
    for step in range(4):
        rows = rng.integers(0, n, rng.integers(1, n + 1))
        wanted = (k, 1, k + 1, k)[step]
        available = min(wanted, alive.sum() - bool(alive[rows].any()))
        expected = nearest_alive(X, alive, rows, available)
        pure = (codes[expected] == codes[rows, None]).all(axis=1)
        np.testing.assert_array_equal(hood.pure(rows, wanted), pure)
        np.testing.assert_array_equal(hood.nearest(rows[:9], wanted), expected[:9])
        np.testing.assert_array_equal(hood.labels(rows[:9], wanted), codes[expected[:9]])
        gone = rng.integers(0, n, n // 5 + 1)
        hood.remove(gone)
        alive[gone] = False
        np.testing.assert_array_equal(hood.alive, alive)


def test_both_paths_agree_on_larger_tables_and_any_number_of_threads():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 6))
    codes = (X[:, 0] + 0.3 * rng.normal(size=3000) > 1).astype(int)
    hoods = [
        Neighborhood(X, codes, path="tree", n_jobs=1),
        Neighborhood(X, codes, path="tree", n_jobs=2),
        Neighborhood(X, codes, path="lists"),
    ]
    rows = np.arange(3000)
    for _ in range(4):
        first, *others = [hood.pure(rows, 3) for hood in hoods]
        assert 0 < first.mean() < 1
        for other in others:
            np.testing.assert_array_equal(first, other)
        for hood in hoods:
            hood.remove(rows[~first & (codes == 0)])


def test_a_row_is_searched_again_only_when_it_lost_a_witness():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 3))
    codes = (X[:, 0] > 0).astype(int)
    hood = Neighborhood(X, codes, path="tree")
    rows = np.arange(400)
    hood.pure(rows, 3)
    searched = []
    find = hood._search._find
    hood._search._find = lambda rows: (searched.extend(rows), find(rows))
    hood.pure(rows, 3)
    hood.pure(rows, 2)
    hood.pure(rows, 1)
    assert searched == []
    hood.remove([7])
    lost = (hood._search.friends == 7).any(axis=1) | (hood._search.enemy == 7)
    hood.pure(rows, 3)
    assert set(searched) <= set(rows[lost])


@pytest.mark.parametrize("path", PATHS)
def test_the_last_rows(path):
    hood = Neighborhood(np.arange(4.0)[:, None], np.array([0, 0, 1, 1]), path=path)
    assert hood.nearest([0], 9).tolist() == [[1, 2, 3]]
    hood.remove([2, 3])
    assert hood.nearest([0], 9).tolist() == [[1]]
    assert hood.nearest([3], 9).tolist() == [[1, 0]]
    assert hood.pure([0, 1], 3).tolist() == [True, True]
    assert hood.pure([3], 1).tolist() == [False]
    hood.remove([0, 1])
    assert hood.nearest([0, 3], 3).shape == (2, 0)
    assert hood.pure([0, 3], 3).tolist() == [True, True]
    assert hood.pure([], 3).tolist() == []


def test_sparse_and_incomplete_tables_keep_lists():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4)) * (rng.random((150, 4)) < 0.6)
    codes = (X[:, 0] > 0).astype(int)
    dense, thin = Neighborhood(X, codes), Neighborhood(sparse.csr_matrix(X), codes)
    holed = Neighborhood(np.where(X == 0, np.nan, X), codes, path="tree")
    rows = np.arange(150)
    for hood in (dense, thin, holed):
        before = hood.pure(rows, 3)
        hood.remove(rows[~before])
        assert hood.labels(rows, 3).shape == (150, 3)
    np.testing.assert_array_equal(dense.alive, thin.alive)


def test_few_enemies_are_met_beforehand_and_change_nothing():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(14_000, 20))
    codes = (rng.random(14_000) < 0.01).astype(int)
    X[codes == 1] += 1.5
    rows = np.flatnonzero(codes == 0)
    hood = Neighborhood(X, codes, n_jobs=1, path="tree")
    pure = hood.pure(rows, 3)
    met = hood._search.foes
    assert (met[rows] >= 0).all()
    assert (codes[met[rows]] == 1).all()
    near = RowIndex(X, n_jobs=1).nearest(3, rows)
    np.testing.assert_array_equal(pure, (codes[near] == 0).all(axis=1))
    # The enemies met are gone: others take their place, or nobody does.
    hood.remove(np.flatnonzero(codes == 1)[::2])
    again = hood.pure(rows, 3)
    alone = Neighborhood(X[hood.alive], codes[hood.alive], n_jobs=1, path="tree")
    alone._search._meet = lambda rows: None
    place = np.cumsum(hood.alive) - 1
    np.testing.assert_array_equal(again, alone.pure(place[rows], 3))
    hood.remove(np.flatnonzero(codes == 1))
    assert hood.pure(rows, 3).all()
