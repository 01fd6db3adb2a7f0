"""Sums over chunks: the same for any chunking, and equal to matrices written out."""

import itertools

import numpy as np
import pytest

from imbkit.rvfl._device import on_device
from imbkit.rvfl._statistics import Statistics

RNG = np.random.default_rng(1)
N, D, K = 90, 7, 3
H = RNG.normal(size=(N, D)) + 1e3
CODES = RNG.integers(0, K, N)
WEIGHTS = RNG.integers(0, 4, N).astype(float)
SCORES = RNG.uniform(0.1, 2, N)
DEVICE = on_device(None, "test")


def gathered(size, *, power=2, order=None, weights=WEIGHTS, rows=None):
    made = Statistics(K, D, 0, power=power, scatter=True, device=DEVICE)
    at = np.arange(N) if order is None else order
    at = at if rows is None else rows
    for low in range(0, len(at), size):
        part = at[low : low + size]
        made.add(H[part], CODES[part], weights[part], SCORES[part])
    return made


@pytest.mark.parametrize(("size", "power"), list(itertools.product([1, 13, 1000], [1, 2])))
def test_equal_to_the_matrices_written_out(size, power):
    made = gathered(size, power=power)
    for c in range(K):
        own = np.where(CODES == c, WEIGHTS, 0)
        gram = H.T @ ((own * SCORES**power)[:, None] * H)
        np.testing.assert_allclose(made.grams()[c], gram, rtol=1e-12)
        np.testing.assert_allclose(made.rights()[c][:, 0], (own * SCORES) @ H, rtol=1e-12)
    np.testing.assert_allclose(made.mass, np.bincount(CODES, WEIGHTS), rtol=1e-14)
    np.testing.assert_array_equal(made.n_rows, np.bincount(CODES, WEIGHTS > 0))


def test_integer_weights_are_repeated_rows():
    repeated = np.repeat(np.arange(N), WEIGHTS.astype(int))
    once, often = gathered(20), gathered(20, weights=np.ones(N), rows=repeated)
    for c in range(K):
        np.testing.assert_allclose(once.grams()[c], often.grams()[c], rtol=1e-12)
    np.testing.assert_allclose(once.mass, often.mass)


def test_second_moments_keep_their_digits_far_from_zero():
    """Raw moments of columns of 1e3 and spread 1 would lose six digits, twice."""
    made = gathered(10)
    mass, sums = WEIGHTS.sum(), made.sums().sum(axis=0)
    covariance = made.moment() / mass - np.outer(sums, sums) / mass**2
    expected = np.cov(H.T, aweights=WEIGHTS, ddof=0)
    np.testing.assert_allclose(covariance, expected, rtol=1e-12, atol=1e-13)


def test_targets_of_a_regressor():
    targets = RNG.normal(size=(N, 2))
    made = Statistics(1, D, 2, device=DEVICE)
    made.add(H, np.zeros(N, int), WEIGHTS, SCORES, targets)
    expected = H.T @ ((WEIGHTS * SCORES)[:, None] * targets)
    np.testing.assert_allclose(made.rights()[0], expected, rtol=1e-12)
