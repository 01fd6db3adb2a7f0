"""One pass by its definition, and the same rows as imbalanced-learn."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.under_sampling import EditedNearestNeighbours as Original
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from imbkit.sampling import EditedNearestNeighbours


def made(n, d, n_classes, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shares = np.array([0.6, 0.25, 0.1, 0.05])[:n_classes]
    y = rng.choice(n_classes, n, p=shares / shares.sum())
    return (rng.normal(size=(n, d)) + 2 * y[:, None] / np.sqrt(d)).astype(dtype), 5 - 2 * y


def by_definition(X, y, k, kind_sel, targets):
    """Rows kept, grouped by class, with the smaller row number as the nearer one of a tie."""
    X = np.asarray(X, dtype=np.float64)
    kept = []
    for label in sorted(set(y.tolist())):
        for i in np.flatnonzero(y == label):
            others = sorted((sum((X[i] - X[j]) ** 2), j) for j in range(len(X)) if j != i)
            votes = [y[j] for _, j in others[:k]]
            winner = max(sorted(set(votes)), key=votes.count)
            fine = all(vote == label for vote in votes) if kind_sel == "all" else winner == label
            if fine or label not in targets:
                kept.append(i)
    return kept


def settings_of_tables():
    """Every setting of small tables; of large ones every pair of values, the rest being slow."""
    for d, n_classes, kind_sel in itertools.product([2, 8, 40], [2, 3, 4], ["all", "mode"]):
        yield 300, d, n_classes, kind_sel
        spared = (d // 8 + n_classes + (kind_sel == "mode")) % 2
        marks = [pytest.mark.slow] if spared else []
        yield pytest.param(4_000, d, n_classes, kind_sel, marks=marks)


@pytest.mark.parametrize(("n", "d", "n_classes", "kind_sel"), [*settings_of_tables()])
def test_same_rows_as_imbalanced_learn(n, d, n_classes, kind_sel):
    dtype = np.float32 if n_classes == 3 else np.float64
    X, y = made(n, d, n_classes, dtype)
    for k, strategy in [(3, "auto"), (4, "all"), (1, "majority")][: 3 if n == 300 else 1]:
        settings = {"n_neighbors": k, "kind_sel": kind_sel, "sampling_strategy": strategy}
        ours, theirs = EditedNearestNeighbours(**settings), Original(**settings)
        X_ours, y_ours = ours.fit_resample(X, y)
        X_theirs, y_theirs = theirs.fit_resample(X, y)
        np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)
        np.testing.assert_array_equal(X_ours, X_theirs)
        np.testing.assert_array_equal(y_ours, y_theirs)
        assert X_ours.dtype == dtype
        assert 0 < y_ours.size < y.size
        assert ours.nn_.n_neighbors == theirs.nn_.n_neighbors


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("kind_sel", ["all", "mode"])
def test_same_rows_from_other_containers(kind, kind_sel):
    X, y = made(300, 8, 3, seed=1)
    ours, theirs = EditedNearestNeighbours(kind_sel=kind_sel), Original(kind_sel=kind_sel)
    ours.fit_resample(kind(X), y)
    theirs.fit_resample(kind(X), y)
    np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("kind_sel", ["all", "mode"])
def test_a_neighbours_object_is_asked(metric, kind_sel):
    X, y = made(300, 4, 3, seed=2)
    finder = NearestNeighbors(n_neighbors=5, metric=metric)
    settings = {"n_neighbors": finder, "kind_sel": kind_sel, "sampling_strategy": "all"}
    ours, theirs = EditedNearestNeighbours(**settings), Original(**settings)
    ours.fit_resample(X, y)
    theirs.fit_resample(X, y)
    np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)
    assert ours.nn_.metric == metric
    assert not hasattr(finder, "n_samples_fit_")
    if metric == "euclidean":
        number = EditedNearestNeighbours(**{**settings, "n_neighbors": 4})
        number.fit_resample(X, y)
        np.testing.assert_array_equal(ours.sample_indices_, number.sample_indices_)


@settings(max_examples=150)
@given(st.data())
def test_by_definition_with_ties_and_duplicates(data):
    d, k = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * d), min_size=k + 1, max_size=25))
    X = np.array(rows, dtype=np.float64)
    y = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X))))
    y[:2] = [0, 1]
    kind_sel = data.draw(st.sampled_from(["all", "mode"]))
    strategy = data.draw(st.sampled_from(["auto", "all", "majority"]))
    sampler = EditedNearestNeighbours(sampling_strategy=strategy, n_neighbors=k, kind_sel=kind_sel)
    _, y_resampled = sampler.fit_resample(X, y)
    expected = by_definition(X, y, k, kind_sel, sampler.sampling_strategy_)
    assert sampler.sample_indices_.tolist() == expected
    assert y_resampled.tolist() == y[expected].tolist()


@pytest.mark.parametrize("n", [200, 3_000])
@pytest.mark.parametrize("kind_sel", ["all", "mode"])
def test_the_order_of_the_rows_does_not_matter(n, kind_sel):
    X, y = made(n, 5, 3, seed=3)
    shuffled = np.random.default_rng(0).permutation(n)
    once, again = (EditedNearestNeighbours(kind_sel=kind_sel) for _ in range(2))
    once.fit_resample(X, y)
    again.fit_resample(X[shuffled], y[shuffled])
    assert set(shuffled[again.sample_indices_]) == set(once.sample_indices_) != set(range(n))


def test_a_vote_drawn_goes_to_the_first_class():
    X, y = np.array([[0.0], [1.0], [-1.1], [50.0], [51.0], [52.0]]), np.array([1, 0, 1, 0, 0, 0])
    votes = EditedNearestNeighbours(n_neighbors=2, kind_sel="mode", sampling_strategy=[1])
    votes.fit_resample(X, y)
    # Row 0 has a neighbour of either class, and class 0 wins the draw.
    assert 0 not in votes.sample_indices_
