"""Nearest rows and sums of distances: the same bits as sorting every distance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit._kernels import far
from imbkit._kernels.far import cluster, count_near, far_sums, near_rows, sums_to, warm


@pytest.fixture(autouse=True, scope="module")
def compiled():
    warm()


def squares_to(q, P):
    """Squared distances to all rows, summed column by column."""
    total = np.zeros(len(P))
    for value, column in zip(q, P.T, strict=True):
        total += (value - column) ** 2
    return total


def distances(q, P):
    return np.sqrt(squares_to(q, P))


@st.composite
def tables(draw):
    """Rows that ask and rows to be far from: outliers, ties, twins and constant columns."""
    n, m, d = draw(st.integers(1, 12)), draw(st.integers(1, 150)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    X = rng.integers(0, draw(st.sampled_from([1, 4, 100])), (n, d)).astype(float)
    P = rng.integers(0, draw(st.sampled_from([1, 4, 100])), (m, d)).astype(float)
    if draw(st.booleans()):
        X, P = X + rng.normal(size=X.shape), P + rng.standard_cauchy(size=P.shape)
    return X, P, draw(st.integers(1, m))


@settings(max_examples=150)
@given(tables(), st.sampled_from([1, 2, 32]))
def test_the_farthest_rows_are_found_and_summed_in_order(case, smallest):
    X, P, k = case
    rows = np.arange(len(X))[::-1].copy()
    before, far._SMALLEST = far._SMALLEST, smallest
    try:
        clusters = cluster(P)
    finally:
        far._SMALLEST = before
    out = np.empty(len(X))
    far_sums(0, len(X), X, rows, clusters, k, out)
    for row, found in zip(rows, out.tolist(), strict=True):
        expected = 0.0
        for distance in np.sort(distances(X[row], P))[-k:].tolist():
            expected += distance
        assert found == expected


@given(tables(), st.sampled_from([1, 4, 32]))
def test_clusters_hold_every_row_once(case, smallest):
    P = case[1]
    before, far._SMALLEST = far._SMALLEST, smallest
    try:
        clusters = cluster(P)
    finally:
        far._SMALLEST = before
    held = [c[:, :n].T for c, n in zip(clusters.points, clusters.sizes, strict=True)]
    found = np.concatenate(held)
    order, expected = (np.lexsort(rows.T) for rows in (found, P))
    np.testing.assert_array_equal(found[order], P[expected])
    for c, n in enumerate(clusters.sizes):
        np.testing.assert_array_equal(held[c], P[clusters.numbers[c, :n]])
    for rows, centre, radius in zip(held, clusters.centres.T, clusters.radii, strict=True):
        assert distances(centre, rows).max() <= radius * (1 + 1e-12)


def test_outliers_spare_the_other_clusters(monkeypatch):
    # Not looked at: a cluster that is too near to matter may even hold NaN.
    rng = np.random.default_rng(0)
    P = np.concatenate([rng.normal(size=(64, 2)), rng.normal(size=(32, 2)) + 1000])
    clusters = cluster(P)
    near = np.flatnonzero(np.abs(clusters.centres).max(axis=0) < 100)
    assert near.size
    clusters.points[near] = np.nan
    X, out = np.zeros((1, 2)), np.empty(1)
    far_sums(0, 1, X, np.zeros(1, dtype=np.intp), clusters, 3, out)
    np.testing.assert_allclose(out, np.sort(np.linalg.norm(P, axis=1))[-3:].sum())


@settings(max_examples=150)
@given(tables(), st.sampled_from([1, 2, 32]))
def test_the_nearest_rows_are_found_in_order(case, smallest):
    X, P, k = case
    rows = np.arange(len(X))[::-1].copy()
    before, far._SMALLEST = far._SMALLEST, smallest
    try:
        clusters = cluster(P)
    finally:
        far._SMALLEST = before
    mates, squares = np.empty((len(X), k), dtype=np.int64), np.empty((len(X), k))
    near_rows(0, len(X), X, rows, clusters, mates, squares)
    for i, row in enumerate(rows):
        expected = squares_to(X[row], P)
        order = np.lexsort([np.arange(len(P)), expected])[:k]
        np.testing.assert_array_equal(mates[i], order)
        np.testing.assert_array_equal(squares[i], expected[order])


@settings(max_examples=100)
@given(tables(), st.sampled_from([1, 2, 32]))
def test_near_rows_are_counted_up_to_the_limit(case, smallest):
    X, P, limit = case
    rng = np.random.default_rng(0)
    numbers, marks = rng.permutation(2 * len(P))[: len(P)], rng.integers(0, len(P), len(X))
    rows = np.arange(len(X))
    # As far as some row of the pool, exactly.
    reach = np.array([squares_to(q, P)[m] for q, m in zip(X, marks, strict=True)])
    before, far._SMALLEST = far._SMALLEST, smallest
    try:
        clusters = cluster(P)
    finally:
        far._SMALLEST = before
    out = np.full(len(X), -1)
    count_near(0, len(X), X, rows, clusters, numbers, reach, marks, limit, out)
    for i in rows:
        away = squares_to(X[i], P)
        near = (away < reach[i]) | ((away == reach[i]) & (numbers < marks[i]))
        assert out[i] == min(limit, np.count_nonzero(near))


@given(tables())
def test_distances_to_given_rows_are_added_in_order(case):
    X, P, k = case
    rng = np.random.default_rng(0)
    rows, mates = rng.integers(0, len(X), 5), rng.integers(0, len(P), (5, k))
    out = np.full(5, -1.0)
    sums_to(1, 5, X, rows, P, mates, out)
    assert out[0] == -1
    for i in range(1, 5):
        expected = 0.0
        for distance in distances(X[rows[i]], P)[mates[i]].tolist():
            expected += distance
        assert out[i] == expected


def test_distances_beyond_the_largest_number_are_ties():
    P = np.linspace(-1e200, 1e200, 100)[::-1, np.newaxis]
    mates, squares = np.empty((1, 40), dtype=np.int64), np.empty((1, 40))
    with np.errstate(over="ignore"):
        clusters = cluster(P)
    near_rows(0, 1, np.array([[3e200]]), np.zeros(1, dtype=np.intp), clusters, mates, squares)
    assert mates[0].tolist() == list(range(40))
    assert np.isinf(squares).all()
