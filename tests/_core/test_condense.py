"""The condensed store: every path gives what a vote among all stored rows gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics.pairwise import nan_euclidean_distances

import imbkit._core.condense as module
from imbkit._core.condense import condensed, misjudged, pair_squares, smallest_class


def squares_to(X, row, stored):
    """Squared distances of a row and stored rows, column by column; NaN-aware."""
    gaps = X[stored] - X[row]
    seen = ~np.isnan(gaps)
    total = np.zeros(len(stored))
    for term in np.where(seen, gaps, 0.0).T:
        total += term * term
    if not seen.all():
        total = total * X.shape[1] / seen.sum(axis=1)
    return total


def is_wrong(X, row, rivals, own, k, rival_wins_ties):
    """Whether the k nearest stored rows outvote a row's class; ties go to smaller numbers."""
    stored = np.concatenate([rivals, own])
    nearest = np.lexsort([stored, squares_to(X, row, stored)])[:k]
    against = np.count_nonzero(nearest < len(rivals))
    return 2 * against + rival_wins_ties > k


def walk(X, members, rivals, seeds, k, rival_wins_ties):
    """Judge each row in turn by the votes."""
    store, added, passed = members[seeds].tolist(), [], []
    for position, row in enumerate(members):
        if is_wrong(X, row, rivals, np.array(store), k, rival_wins_ties):
            if position in store:
                passed.append(position)
            else:
                added.append(position)
                store.append(row)
    return added, passed


def table(rng, n, d, *, grid):
    X = rng.integers(0, 5, (n, d)).astype(float) if grid else rng.normal(size=(n, d))
    own = rng.random(n) < 0.8
    own[:2], own[-2:] = True, False
    return X, np.flatnonzero(own), np.flatnonzero(~own)


@given(
    st.integers(0, 2**32),
    st.integers(5, 60),
    st.integers(1, 6),
    st.integers(1, 5),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["arrays", "kernels", "missing", "sparse"]),
)
def test_rows_are_added_as_a_vote_would(seed, n, d, k, rival_wins_ties, grid, path):
    rng = np.random.default_rng(seed)
    X, members, rivals = table(rng, n, d, grid=grid)
    if path == "missing":
        X[rng.random((n, d)) < 0.2] = np.nan
        X[:, 0] = np.nan_to_num(X[:, 0])  # some column is always common
    given = sparse.csr_array(X) if path == "sparse" else X
    if path == "sparse" and grid:
        return  # scikit-learn's distances of sparse rows may round ties apart
    seeds = rng.integers(0, members.size, 2)
    k = min(k, rivals.size + 2)
    options = {"rival_wins_ties": rival_wins_ties}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SMALL", 0 if path == "kernels" else 10**6)
        patch.setattr(module, "_FEW", 3)
        added, passed = condensed(given, members, rivals, seeds, k, **options)
        rest = np.delete(members, seeds)
        wrong = misjudged(given, rest, rivals, members[seeds], k, **options)
    assert (added.tolist(), passed.tolist()) == walk(X, members, rivals, seeds, k, rival_wins_ties)
    expected = [is_wrong(X, i, rivals, members[seeds], k, rival_wins_ties) for i in rest]
    assert wrong.tolist() == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_paths_agree_on_a_large_table_and_for_any_number_of_threads(monkeypatch, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 3)).astype(dtype)
    own = rng.random(2600) < 0.9
    members, rivals = np.flatnonzero(own), np.flatnonzero(~own)
    arguments = X, members, rivals, np.array([7]), 1
    results = []
    for small, few, n_jobs in [(10**6, 256, 1), (0, 256, 1), (0, 8, 2), (0, 10**4, 3)]:
        monkeypatch.setattr(module, "_SMALL", small)
        monkeypatch.setattr(module, "_FEW", few)
        monkeypatch.setattr(module, "_BLOCK", 2**12)
        monkeypatch.setattr(module, "_STRIDE", 300)
        added, passed = condensed(*arguments, rival_wins_ties=False, n_jobs=n_jobs)
        wrong = misjudged(*arguments, rival_wins_ties=False, n_jobs=n_jobs)
        results.append((added.tolist(), passed.tolist(), wrong.tolist()))
    assert len(results[0][0]) > 300
    assert results[1:] == results[:1] * 3


def test_rivals_too_few_to_win_a_vote_add_nothing():
    X = np.arange(10.0)[:, np.newaxis]
    members, rivals = np.arange(8), np.array([8, 9])
    added, passed = condensed(X, members, rivals, np.arange(4), 5, rival_wins_ties=False)
    assert (added.size, passed.size) == (0, 0)
    assert not misjudged(X, members, rivals, np.arange(4), 5, rival_wins_ties=False).any()


def test_distances_of_pairs_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 30, 7))
    A[rng.random(A.shape) < 0.3] = np.nan
    A[:, 0], A[3] = 1.0, np.nan
    expected = np.diag(nan_euclidean_distances(A, B, squared=True)).copy()
    expected[3] = np.inf  # no common column
    np.testing.assert_allclose(pair_squares(A, B), expected)
    C = np.where(rng.random(B.shape) < 0.5, 0, B)
    one = pair_squares(sparse.csr_array(C), sparse.csr_array(B[:1]))
    np.testing.assert_array_equal(one, pair_squares(C, B[:1]))
    assert pair_squares(sparse.csr_array(C[:0]), sparse.csr_array(B[:1])).size == 0


def test_the_smallest_class_is_the_first_of_its_size():
    assert smallest_class(np.array(["b", "a", "c", "c", "b", "a"])) == "b"
    assert smallest_class(np.array([3, 1, 1, 3, 3])) == 1
