"""Scores estimated from drawn rows or random frequencies, against the exact ones."""

import numpy as np
import pytest

from imbkit.rvfl import _fuzzy
from imbkit.rvfl._fuzzy import FuzzySettings, fuzzy_scores
from imbkit.rvfl._fuzzy_rff import fourier_squares
from imbkit.rvfl._fuzzy_subset import drawn_reference, subset_counts, subset_squares
from imbkit.rvfl._memberships import exact_squares
from imbkit.rvfl._nonmembership import NeighborCounts


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = (rng.random(3000) < 0.2).astype(np.intp)
    return rng.normal(size=(3000, 3)) + y[:, None], y, rng.integers(0, 3, 3000).astype(float)


@pytest.mark.parametrize("foreign", [False, True])
def test_a_reference_of_all_rows_is_exact(data, foreign):
    X, y, weights = data
    every = [np.flatnonzero((y == k) & (weights > 0)) for k in (0, 1)]
    found = subset_squares(X, y, weights, every, 2.0, foreign=foreign, n_jobs=1)
    expected = exact_squares(X, y, 2, weights, 2.0, foreign=foreign, n_jobs=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    counted = subset_counts(X, y, weights, every, 1.0, 1)
    # A row of weight 0 is none of its own neighbours, in either.
    np.testing.assert_allclose(counted, NeighborCounts(X, y, weights, 1.0)(1), rtol=1e-12)


def test_estimates_are_without_bias_and_get_better_with_the_reference(data):
    X, y, weights = data
    exact = exact_squares(X, y, 2, weights, 2.0, foreign=True, n_jobs=1)
    counts = NeighborCounts(X, y, weights, 1.0)(1)
    errors = {}
    for size in (40, 400):
        off, relative = [], []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            drawn = drawn_reference(y, 2, weights, rng, size)
            found = subset_squares(X, y, weights, drawn, 2.0, foreign=True, n_jobs=1)
            off.append(np.array(found) - exact)
            counted = subset_counts(X, y, weights, drawn, 1.0, 1)
            relative.append(np.mean(counted, axis=1) / np.mean(counts, axis=1) - 1)
        errors[size] = np.abs(off).mean()
        for values in (np.mean(off, axis=2), np.array(relative)):
            # Means over rows: no draw is more often too high than too low.
            assert (np.abs(values.mean(axis=0)) < 3.5 * values.std(axis=0) / np.sqrt(40)).all()
        drawn_rows = np.concatenate(drawn)
        own = np.mean(off, axis=0)[0]
        assert abs(own[drawn_rows].mean() - own.mean()) < errors[size]
    assert errors[400] < 0.45 * errors[40]  # a root of ten


def test_random_frequencies_get_better_with_their_number(data):
    X, y, weights = data
    own, other = exact_squares(X, y, 2, weights, 2.0, foreign=True, n_jobs=1)
    exact = np.where(np.arange(2) == y[:, None], own[:, None], other[:, None])
    errors = []
    for number in (30, 3000):
        rng = np.random.default_rng(0)
        found = fourier_squares(X, y, 2, weights, 2.0, rng, number, n_jobs=1)
        errors.append(np.abs(found - exact).mean())
    assert errors[1] < 0.2 * errors[0]
    assert errors[1] < 0.02


def test_frequencies_are_the_same_for_any_threads(data):
    X, y, weights = data
    one, two = (
        fourier_squares(X, y, 2, weights, 2.0, np.random.default_rng(0), 50, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_small_classes_are_taken_whole_and_leave_their_share():
    codes = np.repeat([0, 1, 2], [1000, 10, 500])
    weights = np.ones(1510)
    weights[1005] = 0
    rng = np.random.default_rng(0)
    sizes = [len(ids) for ids in drawn_reference(codes, 3, weights, rng, 300)]
    assert sizes == [146, 9, 145]
    for code, ids in enumerate(drawn_reference(codes, 3, weights, rng, 1)):
        assert len(ids) == 2
        assert (codes[ids] == code).all()


@pytest.mark.parametrize(
    ("fuzzy", "method"),
    [
        ("kernel", "subset"),
        ("kernel", "rff"),
        ("linear", "subset"),
        ("dual_center", "subset"),
        ("dual_center", "rff"),
    ],
)
def test_scores_are_near_the_exact_ones(data, monkeypatch, fuzzy, method):
    X, y, weights = data
    monkeypatch.setattr(_fuzzy, "_CENTRE", 1000)
    monkeypatch.setattr(_fuzzy, "_LEAST", 1000)
    monkeypatch.setattr(_fuzzy, "_WORK", 1.0)
    exact, found, again = (
        fuzzy_scores(
            X, y, 2, weights,
            FuzzySettings(
                fuzzy=fuzzy, kernel_width=3.0, score_method=each, random_state=0, n_jobs=1
            ),
        )
        for each in ("exact", method, method)
    )  # fmt: skip
    assert found.method == method
    np.testing.assert_array_equal(found.scores, again.scores)
    assert np.abs(found.membership - exact.membership).mean() < 0.04
    assert np.abs(found.nonmembership - exact.nonmembership).mean() < 0.04
    assert np.median(np.abs(found.scores - exact.scores)) < 0.04
