"""The inner problem: a quadratic with an elastic net, against its optimality conditions."""

import numpy as np
import pytest

from imbkit.ordinal import _quadratic
from imbkit.ordinal._kkt import excess
from imbkit.ordinal._quadratic import Quadratic, minimise


def model(seed, m=30, l1=0.5, l2=0.0, rank=None, free=2):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(rank or m + 5, m))
    matrix = root.T @ root / m + (1e-9 if rank else 0) * np.eye(m)
    start = rng.normal(size=m) * rng.integers(0, 2, m)
    penalised = np.arange(m) >= free
    # As of a loss of scores: flat wherever the matrix is.
    slope = root.T @ rng.normal(size=len(root)) / np.sqrt(m)
    return Quadratic(matrix, slope, start, l1 * penalised, l2 * np.ones(m))


def violation(quadratic, z):
    slope = quadratic.slope + quadratic.matrix @ (z - quadratic.start)
    return np.max(excess(slope, z, quadratic.l1, quadratic.l2))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("l1", "l2"), [(0.5, 0.0), (0.05, 0.3), (0.0, 0.0), (0.0, 1.0), (50.0, 0.0)]
)
def test_meets_the_conditions(seed, l1, l2):
    quadratic = model(seed, l1=l1, l2=l2)
    z = minimise(quadratic, goal=1e-11)
    assert violation(quadratic, z) <= 1e-11


def test_everything_is_exactly_zero_under_a_large_penalty():
    z = minimise(model(0, l1=50.0, free=0), goal=1e-11)
    np.testing.assert_array_equal(z, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_more_coordinates_than_the_matrix_has_ranks(seed):
    quadratic = model(seed, m=40, rank=10, l1=0.2)
    assert violation(quadratic, minimise(quadratic, goal=1e-9)) <= 1e-9


def test_compiled_and_plain_sweeps_give_the_same_bits(monkeypatch):
    import imbkit._kernels.ordinal_gram  # noqa: F401

    quadratic = model(3, l1=0.1)
    compiled = minimise(quadratic, goal=1e-11)
    monkeypatch.setattr(_quadratic, "_KERNELS", "never.imported")
    monkeypatch.setattr(_quadratic, "_PRICE", np.inf)
    np.testing.assert_array_equal(minimise(quadratic, goal=1e-11), compiled)


def test_neither_the_start_nor_the_matrix_is_written_to():
    quadratic = model(1)
    for part in (quadratic.matrix, quadratic.slope, quadratic.start, quadratic.l1, quadratic.l2):
        part.flags.writeable = False
    minimise(quadratic, goal=1e-9)
