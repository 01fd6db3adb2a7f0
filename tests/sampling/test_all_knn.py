"""Passes with ever more neighbours by their definition, and the same rows as imbalanced-learn."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.under_sampling import AllKNN as Original
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from imbkit.exceptions import ImbkitWarning
from imbkit.sampling import AllKNN, EditedNearestNeighbours


def made(n, d, n_classes, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shares = np.array([0.6, 0.25, 0.1, 0.05])[:n_classes]
    y = rng.choice(n_classes, n, p=shares / shares.sum())
    return (rng.normal(size=(n, d)) + 2 * y[:, None] / np.sqrt(d)).astype(dtype), 5 - 2 * y


def passes_by_definition(X, y, n_neighbors, kind_sel, spared, allow_minority):
    """Rows left, with the smaller row number as the nearer one of a tie."""
    left, labels = list(range(len(X))), y.tolist()
    start = {label: labels.count(label) for label in dict.fromkeys(labels)}
    rarest = min(start, key=start.get)
    for k in range(1, n_neighbors + 1):
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
        if (low and not allow_minority) or not all(counts.values()):
            break
    return sorted(left, key=lambda i: (labels[i], i))


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
    cases = [(3, "auto", False), (5, "all", True), (2, "majority", False), (4, "auto", True)]
    for k, strategy, allow_minority in cases[: 4 if n == 300 else 1]:
        settings = {
            "n_neighbors": k,
            "kind_sel": kind_sel,
            "sampling_strategy": strategy,
            "allow_minority": allow_minority,
        }
        ours, theirs = AllKNN(**settings), Original(**settings)
        X_ours, y_ours = ours.fit_resample(X, y)
        X_theirs, y_theirs = theirs.fit_resample(X, y)
        np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)
        np.testing.assert_array_equal(X_ours, X_theirs)
        np.testing.assert_array_equal(y_ours, y_theirs)
        assert X_ours.dtype == dtype
        assert ours.nn_.n_neighbors == theirs.nn_.n_neighbors == k + 1
        assert ours.enn_.n_neighbors == theirs.enn_.n_neighbors


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_matrix, sparse.csc_matrix])
def test_same_rows_from_other_containers(kind):
    X, y = made(300, 8, 3, seed=1)
    ours, theirs = AllKNN(), Original()
    ours.fit_resample(kind(X), y)
    theirs.fit_resample(kind(X), y)
    np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)


def test_of_an_object_the_number_of_neighbours_is_used():
    X, y = made(300, 4, 3, seed=2)
    number, plain = AllKNN(n_neighbors=4), AllKNN(n_neighbors=NearestNeighbors(n_neighbors=5))
    number.fit_resample(X, y)
    plain.fit_resample(X, y)
    np.testing.assert_array_equal(number.sample_indices_, plain.sample_indices_)
    finder = NearestNeighbors(n_neighbors=5, metric="manhattan")
    ours, theirs = AllKNN(n_neighbors=finder), Original(n_neighbors=finder)
    with pytest.warns(ImbkitWarning, match="distances were Euclidean"):
        ours.fit_resample(X, y)
    theirs.fit_resample(X, y)
    np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)


@settings(max_examples=120)
@given(st.data())
def test_by_definition_with_ties_and_duplicates(data):
    d, k = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * d), min_size=14, max_size=30))
    X = np.array(rows, dtype=np.float64)
    y = np.array(data.draw(st.lists(st.integers(1, 2), min_size=len(X), max_size=len(X))))
    n_rare = data.draw(st.integers(1, 3))
    y[:n_rare] = 0
    y[n_rare:12] = 1
    kind_sel = data.draw(st.sampled_from(["all", "mode"]))
    allow_minority = data.draw(st.booleans())
    sampler = AllKNN(
        sampling_strategy=sorted({1, 2} & set(y.tolist())),
        n_neighbors=k,
        kind_sel=kind_sel,
        allow_minority=allow_minority,
    )
    counts = np.bincount(y)
    if counts[1:].min(initial=99, where=counts[1:] > 0) <= n_rare:
        return  # another class is rare, for which other tests stand
    sampler.fit_resample(X, y)
    kept = passes_by_definition(X, y, k, kind_sel, {0}, allow_minority)
    assert sampler.sample_indices_.tolist() == kept


@pytest.mark.parametrize("n", [200, 3_000])
def test_the_order_of_the_rows_does_not_matter(n):
    X, y = made(n, 3, 3, seed=3)
    shuffled = np.random.default_rng(0).permutation(n)
    once, again = AllKNN(), AllKNN()
    once.fit_resample(X, y)
    again.fit_resample(X[shuffled], y[shuffled])
    assert set(shuffled[again.sample_indices_]) == set(once.sample_indices_) != set(range(n))


def test_it_is_a_chain_of_edited_nearest_neighbours():
    X, y = made(400, 3, 2, seed=4)
    expected = X, y
    for k in (1, 2, 3):
        expected = EditedNearestNeighbours(n_neighbors=k).fit_resample(*expected)
    got = AllKNN(n_neighbors=3).fit_resample(X, y)
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])


def test_allow_minority_goes_on_where_a_class_has_become_small():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(200, 2)), np.repeat([0, 1], [110, 90])
    sizes = {}
    for allowed in (False, True):
        sampler = AllKNN(n_neighbors=6, allow_minority=allowed)
        _, y_resampled = sampler.fit_resample(X, y)
        theirs = Original(n_neighbors=6, allow_minority=allowed).fit_resample(X, y)[1]
        np.testing.assert_array_equal(y_resampled, theirs)
        sizes[allowed] = y_resampled.size
    assert sizes[True] < sizes[False] < 200


def test_it_stops_when_a_class_has_gone():
    X = np.array([[0.0], [1.0], [2.0], [1.4], [1.6], [2.6], [-1.0]])
    y = np.array([0, 0, 0, 1, 2, 1, 0])
    sampler = AllKNN(sampling_strategy="all", allow_minority=True)
    _, y_resampled = sampler.fit_resample(X, y)
    expected = Original(sampling_strategy="all", allow_minority=True).fit_resample(X, y)[1]
    np.testing.assert_array_equal(y_resampled, expected)
    assert 2 not in y_resampled
    assert sampler.enn_.n_neighbors == 1
