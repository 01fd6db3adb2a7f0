"""Weights of neighbours, counted by trees and by tiles, against all pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.rvfl import _nonmembership
from imbkit.rvfl._nonmembership import NeighborCounts, foreign_shares


def brute(X, codes, weights, radius):
    distances = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    near = distances < radius * (1 - 1e-11)
    same = codes[:, None] == codes
    return (near & same) @ weights, (near & ~same) @ weights


POINTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2), st.integers(0, 2)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(POINTS, st.sampled_from([0.0, 0.5, 1.0, 2**0.5, 2.0, 5**0.5, 3.0, np.inf]))
@pytest.mark.parametrize("path", ["tree", "tiles"])
def test_counts_of_points_on_a_grid(path, rows, radius):
    table = np.array(rows)
    X = table[:, :2] * 0.1 + 1e3  # no number that is exact, far from the origin
    codes, weights = table[:, 2].astype(np.intp), table[:, 3].astype(float)
    if not weights.any():
        weights[0] = 1.0
    counts = NeighborCounts(X, codes, weights, radius * 0.1, path)
    expected = brute(np.round(X, 6), codes, weights, radius * 0.1)
    # Differences of these numbers are right to 1e-12 only, relative to a step of the grid.
    touched = np.isclose(
        np.sqrt(((X[:, None] - X) ** 2).sum(axis=2)), radius * 0.1, rtol=1e-9, atol=0
    ).any()
    if not touched:
        np.testing.assert_array_equal(np.array(counts(1)), np.array(expected))
    exact = NeighborCounts(table[:, :2].astype(float), codes, weights, radius, path)
    at = brute(table[:, :2].astype(float), codes, weights, radius)
    np.testing.assert_array_equal(np.array(exact(1)), np.array(at))


@pytest.mark.parametrize("p", [1, 2, 4])
@pytest.mark.parametrize("radius", [0.01, 0.3, 2.0, 8.0])
def test_trees_and_tiles_count_the_same(p, radius):
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(3000, p)).round(2), rng.integers(0, 3, 3000)
    weights = rng.integers(0, 3, 3000) / 3
    one, other = (NeighborCounts(X, codes, weights, radius, path)(1) for path in ("tree", "tiles"))
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_far_from_the_origin_no_digit_decides():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3)) + 1e7
    codes = rng.integers(0, 2, 500)
    found = NeighborCounts(X, codes, np.ones(500), 1.0, "tiles")(1)
    np.testing.assert_array_equal(found, brute(X, codes, np.ones(500), 1.0))
    X[0] = 1e12  # makes the products of centred rows useless
    found = NeighborCounts(X, codes, np.ones(500), 1.0, "tiles")(1)
    np.testing.assert_array_equal(found, brute(X, codes, np.ones(500), 1.0))


def test_a_tree_is_chosen_where_it_is_less_work(monkeypatch):
    monkeypatch.setattr(_nonmembership, "_ROWS", 1000)
    rng = np.random.default_rng(0)
    codes, ones = rng.integers(0, 2, 40_000), np.ones(40_000)
    small = NeighborCounts(rng.normal(size=(40_000, 2)), codes, ones, 0.01)
    tiles = NeighborCounts(rng.normal(size=(40_000, 2)), codes, ones, 0.01, "tiles")
    assert small.work < tiles.work / 2
    wide = rng.normal(size=(40_000, 15))
    brute_work = NeighborCounts(wide, codes, ones, 5.0, "tiles").work
    assert NeighborCounts(wide, codes, ones, 5.0).work == brute_work
    # Weights that all differ would ask for a tree each.
    assert NeighborCounts(wide[:, :2], codes, rng.random(40_000), 0.01).work == tiles.work


def test_shares():
    share = foreign_shares(np.array([1.0, 0, 0, 3]), np.array([1.0, 0, 2, 0]))
    np.testing.assert_array_equal(share, [0.5, 0, 1, 0])
