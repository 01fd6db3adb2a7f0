"""Passes by their definition, their stops, and the same rows as imbalanced-learn."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.under_sampling import RepeatedEditedNearestNeighbours as Original
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from imbkit.exceptions import ImbkitWarning
from imbkit.sampling import EditedNearestNeighbours, RepeatedEditedNearestNeighbours


def made(n, d, n_classes, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shares = np.array([0.6, 0.25, 0.1, 0.05])[:n_classes]
    y = rng.choice(n_classes, n, p=shares / shares.sum())
    return (rng.normal(size=(n, d)) + 2 * y[:, None] / np.sqrt(d)).astype(dtype), 5 - 2 * y


def passes_by_definition(X, y, k, kind_sel, spared, max_iter):
    """Rows left and number of passes, with the smaller row number as the nearer one of a tie."""
    left, labels = list(range(len(X))), y.tolist()
    start = {label: labels.count(label) for label in dict.fromkeys(labels)}
    rarest = min(start, key=start.get)
    number = 0
    while number < max_iter:
        number += 1
        gone = []
        for i in left:
            others = sorted((sum((X[i] - X[j]) ** 2), j) for j in left if j != i)
            votes = [labels[j] for _, j in others[:k]]
            winner = max(sorted(set(votes)), key=votes.count)
            wrong = set(votes) != {labels[i]} if kind_sel == "all" else winner != labels[i]
            if wrong and labels[i] not in spared:
                gone.append(i)
        left = [i for i in left if i not in gone]
        counts = {label: sum(labels[i] == label for i in left) for label in start}
        low = any(counts[label] < start[rarest] for label in start if label != rarest)
        if not gone or low or not all(counts.values()):
            break
    return sorted(left, key=lambda i: (labels[i], i)), number


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
    for k, strategy in [(3, "auto"), (5, "all"), (1, "majority")][: 3 if n == 300 else 1]:
        settings = {"n_neighbors": k, "kind_sel": kind_sel, "sampling_strategy": strategy}
        ours, theirs = RepeatedEditedNearestNeighbours(**settings), Original(**settings)
        X_ours, y_ours = ours.fit_resample(X, y)
        X_theirs, y_theirs = theirs.fit_resample(X, y)
        np.testing.assert_array_equal(X_ours, X_theirs)
        np.testing.assert_array_equal(y_ours, y_theirs)
        assert X_ours.dtype == dtype
        assert ours.n_iter_ == theirs.n_iter_
        # The original's indices need not be those of its rows.
        np.testing.assert_array_equal(X[ours.sample_indices_], X_ours)
        np.testing.assert_array_equal(y[ours.sample_indices_], y_ours)


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_matrix, sparse.csc_matrix])
def test_same_rows_from_other_containers(kind):
    X, y = made(300, 8, 3, seed=1)
    ours, theirs = RepeatedEditedNearestNeighbours(), Original()
    got, y_ours = ours.fit_resample(kind(X), y)
    expected, y_theirs = theirs.fit_resample(kind(X), y)
    assert y_ours.tolist() == y_theirs.tolist()
    if kind is pd.DataFrame:
        got, expected = (sparse.csr_matrix(each.to_numpy()) for each in (got, expected))
    assert np.abs(got - expected).max() == 0


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_a_neighbours_object_is_asked_in_every_pass(metric):
    X, y = made(300, 4, 2, seed=2)
    finder = NearestNeighbors(n_neighbors=4, metric=metric)
    ours, theirs = (c(n_neighbors=finder) for c in (RepeatedEditedNearestNeighbours, Original))
    got, _ = ours.fit_resample(X, y)
    expected, _ = theirs.fit_resample(X, y)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(X[ours.sample_indices_], got)
    assert ours.n_iter_ == theirs.n_iter_ > 1


@settings(max_examples=120)
@given(st.data())
def test_by_definition_with_ties_and_duplicates(data):
    d, k = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * d), min_size=8, max_size=30))
    X = np.array(rows, dtype=np.float64)
    y = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(X), max_size=len(X))))
    # One rare class, spared in every pass: another one that falls as low ends the passes.
    y[: len(X) // 2] = 1
    y[0] = 0
    y[1:][y[1:] == 0] = 2
    kind_sel = data.draw(st.sampled_from(["all", "mode"]))
    max_iter = data.draw(st.integers(1, 6))
    targets = sorted({1, 2} & set(y.tolist()))
    sampler = RepeatedEditedNearestNeighbours(
        sampling_strategy=targets, n_neighbors=k, kind_sel=kind_sel, max_iter=max_iter
    )
    sampler.fit_resample(X, y)
    kept, n_iter = passes_by_definition(X, y, k, kind_sel, {0}, max_iter)
    assert sampler.sample_indices_.tolist() == kept
    assert sampler.n_iter_ == n_iter


@pytest.mark.parametrize("n", [200, 3_000])
def test_the_order_of_the_rows_does_not_matter(n):
    X, y = made(n, 3, 2, seed=3)
    shuffled = np.random.default_rng(0).permutation(n)
    once, again = RepeatedEditedNearestNeighbours(), RepeatedEditedNearestNeighbours()
    once.fit_resample(X, y)
    again.fit_resample(X[shuffled], y[shuffled])
    assert set(shuffled[again.sample_indices_]) == set(once.sample_indices_)
    assert once.n_iter_ == again.n_iter_ > 1


def test_indices_are_those_of_the_rows_where_the_first_pass_changes_nothing():
    X, y = np.array([[0.0], [9.0], [0.1], [9.1], [0.2], [9.2], [0.3]]), np.array([1, 0] * 3 + [1])
    sampler = RepeatedEditedNearestNeighbours(n_neighbors=1)
    got, y_got = sampler.fit_resample(X, y)
    assert sampler.n_iter_ == 1
    assert sampler.sample_indices_.tolist() == [1, 3, 5, 0, 2, 4, 6]
    np.testing.assert_array_equal(got, X[sampler.sample_indices_])
    np.testing.assert_array_equal(y_got, y[sampler.sample_indices_])


def test_one_pass_is_edited_nearest_neighbours():
    X, y = made(300, 2, 2, seed=4)
    once = RepeatedEditedNearestNeighbours(max_iter=1)
    np.testing.assert_array_equal(
        once.fit_resample(X, y)[0], EditedNearestNeighbours().fit_resample(X, y)[0]
    )
    assert once.n_iter_ == 1
    more = RepeatedEditedNearestNeighbours()
    more.fit_resample(X, y)
    assert more.n_iter_ > 1
    assert set(more.sample_indices_) < set(once.sample_indices_)
    one_more = EditedNearestNeighbours().fit_resample(*more.fit_resample(X, y))[1]
    assert one_more.size == more.sample_indices_.size
    assert parameters(more.enn_) == parameters(EditedNearestNeighbours())


def parameters(sampler):
    return sampler.get_params(deep=False)


def test_it_stops_when_a_class_has_gone():
    X = np.array([[0.0], [1.0], [2.0], [1.4], [1.6], [2.6], [-1.0]])
    y = np.array([0, 0, 0, 1, 1, 1, 0])
    sampler, original = (
        c(sampling_strategy="all", n_neighbors=3)
        for c in (RepeatedEditedNearestNeighbours, Original)
    )
    _, y_resampled = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(y_resampled, original.fit_resample(X, y)[1])
    assert np.unique(y_resampled).size < 2
    assert sampler.n_iter_ == original.n_iter_ == 1


def test_it_stops_when_a_class_falls_below_the_smallest():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(200, 2)), np.repeat([0, 1], [110, 90])
    sampler, original = RepeatedEditedNearestNeighbours(), Original()
    _, y_resampled = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(y_resampled, original.fit_resample(X, y)[1])
    assert sampler.n_iter_ == original.n_iter_ == 1
    assert 0 < np.count_nonzero(y_resampled == 0) < 90


def test_a_class_that_has_become_the_smallest_is_spared_from_then_on():
    """The strategy is looked at anew in every pass, as in the original."""
    changed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y = rng.permutation(np.repeat([0, 1], [12, 10]))
        X = rng.normal(size=(22, 2)) + 2.0 * y[:, None]
        ours, theirs = RepeatedEditedNearestNeighbours(n_neighbors=1), Original(n_neighbors=1)
        got, _ = ours.fit_resample(X, y)
        np.testing.assert_array_equal(got, theirs.fit_resample(X, y)[0])
        assert ours.n_iter_ == theirs.n_iter_
        # Class 1 was spared at first.
        changed += np.count_nonzero(y[ours.sample_indices_] == 1) < 10
    assert changed


def test_a_callable_is_asked_before_every_pass():
    X, y = made(300, 2, 2, seed=4)
    seen = []
    sampler = RepeatedEditedNearestNeighbours(
        sampling_strategy=lambda labels: seen.append(np.bincount(labels)) or [5]
    )
    sampler.fit_resample(X, y)
    assert len(seen) == sampler.n_iter_ > 2
    assert seen[0].tolist() == np.bincount(y).tolist()
    assert (np.diff([counts[5] for counts in seen]) < 0).all()
    plain = RepeatedEditedNearestNeighbours().fit(X, y)
    plain.fit_resample(X, y)
    np.testing.assert_array_equal(sampler.sample_indices_, plain.sample_indices_)


def test_a_warning_says_when_the_order_of_rows_decided():
    """Two equally small classes: the first in y is the rare one, the first in order is spared."""
    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = np.concatenate([[1], rng.permutation(np.repeat([0, 1, 2], [20, 19, 60]))])
        X = rng.normal(size=(100, 2)) + 2.5 * np.array([[0, 0], [1, 0], [3, 3]])[y]
        ours = RepeatedEditedNearestNeighbours(n_neighbors=2, kind_sel="mode")
        theirs = Original(n_neighbors=2, kind_sel="mode")
        expected, _ = theirs.fit_resample(X, y)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            got, _ = ours.fit_resample(X, y)
        np.testing.assert_array_equal(got, expected)
        told += bool(caught)
        assert {each.category for each in caught} <= {ImbkitWarning}
        if caught:
            assert "classes 1 and 0 are equally small" in str(caught[0].message)
    assert 0 < told < 20
