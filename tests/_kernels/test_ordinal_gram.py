"""The compiled sweep against its twin in NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit._kernels.ordinal_gram import sweep
from imbkit.ordinal._quadratic import _sweep_in_numpy


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(1, 9),
    seed=st.integers(0, 10**6),
    l1=st.sampled_from([0.0, 0.1, 1.0, 1e3]),
    l2=st.sampled_from([0.0, 0.5]),
)
def test_number_by_number_the_same(m, seed, l1, l2):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(m + 2, m))
    matrix = root.T @ root + 1e-6 * np.eye(m)
    z, slope = rng.normal(size=m) * rng.integers(0, 2, m), rng.normal(size=m)
    factors = l1 * rng.integers(0, 2, m), l2 * np.ones(m)
    ours, twin = (z.copy(), slope.copy()), (z.copy(), slope.copy())
    for _ in range(3):
        sweep(matrix, *ours, *factors)
        _sweep_in_numpy(matrix, *twin, *factors)
    np.testing.assert_array_equal(ours[0], twin[0])
    np.testing.assert_array_equal(ours[1], twin[1])


def test_one_coordinate_is_solved_at_once():
    z, slope = np.array([0.0]), np.array([-3.0])
    sweep(np.array([[2.0]]), z, slope, np.array([1.0]), np.array([0.0]))
    # 2 z - 3 + 1 = 0
    np.testing.assert_array_equal(z, [1.0])
    np.testing.assert_array_equal(slope, [-1.0])
