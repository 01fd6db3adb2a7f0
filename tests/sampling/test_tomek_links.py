"""Links by their definition, and the same rows as imbalanced-learn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.under_sampling import TomekLinks as Original
from scipy import sparse
from sklearn.utils import check_random_state

from imbkit.sampling import TomekLinks
from imbkit.sampling._tomek_links import tomek_links


def made(n, d, n_classes, dtype=np.float64, seed=0):
    rng = check_random_state(seed)
    y = rng.choice(
        n_classes,
        n,
        p=np.array([0.6, 0.25, 0.1, 0.05])[:n_classes] / sum([0.6, 0.25, 0.1, 0.05][:n_classes]),
    )
    return (rng.normal(size=(n, d)) + y[:, None] / np.sqrt(d)).astype(dtype), y * 3 - 1


def links_by_definition(X, y):
    """Mutual nearest rows of different classes; the smaller row number wins ties."""
    X = np.asarray(X, dtype=np.float64)
    nearest = []
    for i, row in enumerate(X):
        others = [(sum((row - X[j]) ** 2), j) for j in range(len(X)) if j != i]
        nearest.append(min(others)[1])
    return [(i, j) for i, j in enumerate(nearest) if i < j and nearest[j] == i and y[i] != y[j]]


@pytest.mark.parametrize("n", [300, 4_000])
@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_same_rows_as_imbalanced_learn(n, d, n_classes):
    dtype = np.float32 if n_classes == 3 else np.float64
    X, y = made(n, d, n_classes, dtype)
    dropped = 0
    for strategy in ("auto", "all", "majority", [2, -1]):
        ours, theirs = TomekLinks(sampling_strategy=strategy), Original(sampling_strategy=strategy)
        X_ours, y_ours = ours.fit_resample(X, y)
        X_theirs, y_theirs = theirs.fit_resample(X, y)
        np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)
        np.testing.assert_array_equal(X_ours, X_theirs)
        np.testing.assert_array_equal(y_ours, y_theirs)
        assert X_ours.dtype == dtype
        assert ours.sampling_strategy_ == theirs.sampling_strategy_
        dropped += y.size - y_ours.size
        if n > 300:
            break
    assert dropped


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_matrix, sparse.csc_matrix])
def test_same_rows_from_other_containers(kind):
    X, y = made(300, 8, 3, seed=1)
    ours, theirs = TomekLinks(), Original()
    ours.fit_resample(kind(X), y)
    theirs.fit_resample(kind(X), y)
    np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)


@settings(max_examples=150)
@given(st.data())
def test_links_by_definition_with_ties_and_duplicates(data):
    d = data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * d), min_size=2, max_size=25))
    X = np.array(rows, dtype=np.float64)
    codes = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X))))
    expected = links_by_definition(X, codes)
    found = tomek_links(X, codes)
    assert found.shape == (len(expected), 2)
    assert [tuple(pair) for pair in found.tolist()] == expected
    if np.unique(codes).size > 1:
        sampler = TomekLinks(sampling_strategy="majority").fit(X, codes)
        sampler.fit_resample(X, codes)
        ends = {i for pair in expected for i in pair if codes[i] in sampler.sampling_strategy_}
        assert sampler.sample_indices_.tolist() == sorted(set(range(len(X))) - ends)


@pytest.mark.parametrize("n", [200, 3_000])
def test_the_order_of_the_rows_does_not_matter(n):
    X, y = made(n, 5, 3, seed=2)
    shuffled = np.random.default_rng(0).permutation(n)
    pairs = {frozenset(pair) for pair in tomek_links(X, (y + 1) // 3).tolist()}
    again = tomek_links(X[shuffled], (y[shuffled] + 1) // 3)
    assert pairs
    assert {frozenset(pair) for pair in shuffled[again].tolist()} == pairs


def test_pairs_are_in_order_and_apart():
    X, y = made(500, 2, 4, seed=3)
    pairs = tomek_links(X, (y + 1) // 3)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert (np.diff(pairs[:, 0]) > 0).all()
    assert np.unique(pairs).size == pairs.size


def test_no_links():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    assert tomek_links(X, np.array([0, 0, 1, 1])).shape == (0, 2)
    assert tomek_links(X, np.array([2, 2, 2, 2])).shape == (0, 2)
    X_resampled, _ = TomekLinks().fit_resample(X, [0, 0, 1, 1])
    np.testing.assert_array_equal(X_resampled, X)


def test_the_static_function_of_the_original_still_works():
    y, nearest = np.array([0, 0, 1, 1]), np.array([1, 2, 1, 2])
    assert TomekLinks.is_tomek(y, nearest, [0]).tolist() == [False, True, False, False]
