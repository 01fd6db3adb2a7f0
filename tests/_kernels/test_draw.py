"""Kernels of new rows: the same bits as NumPy's expression."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imbkit._kernels.draw import segments, warm


@pytest.fixture(autouse=True, scope="module")
def compiled():
    warm()


def expected(X, base, mate, step):
    """Row by row, value by value."""
    out = np.empty((base.size, X.shape[1]), dtype=X.dtype)
    for i, (a, b, t) in enumerate(zip(base, mate, step, strict=True)):
        for j in range(X.shape[1]):
            start, end = X[a, j], X[b, j]
            if np.isnan(start):
                out[i, j] = end
            elif np.isnan(end):
                out[i, j] = start
            else:
                # The difference in the dtype of X, the rest in float64, rounded once.
                out[i, j] = X.dtype.type(np.float64(start) + t * np.float64(end - start))
    return out


def run(X, base, mate, step, low=0, high=None):
    out = np.full((base.size, X.shape[1]), -7, dtype=X.dtype)
    segments(low, base.size if high is None else high, X, base, mate, step, out)
    return out


@st.composite
def cases(draw):
    width = draw(st.sampled_from([32, 64]))
    dtype = np.dtype(f"float{width}")
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=6))
    values = st.floats(width=width, allow_infinity=False, min_value=-(2.0**100), max_value=2.0**100)
    X = draw(hnp.arrays(dtype, shape, elements=values))
    size = draw(st.integers(0, 12))
    rows = hnp.arrays(np.intp, size, elements=st.integers(0, shape[0] - 1))
    step = draw(hnp.arrays(np.float64, size, elements=st.floats(0, 1)))
    return X, draw(rows), draw(rows), step


@settings(max_examples=200)
@given(cases())
def test_new_rows_are_those_of_the_formula_to_the_bit(case):
    found = run(*case)
    assert found.dtype == case[0].dtype
    np.testing.assert_array_equal(found, expected(*case))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_is_that_of_numpy_without_a_fused_step(dtype):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(300, 40)) * 10.0 ** rng.integers(-6, 7, size=(300, 40))).astype(dtype)
    base, mate = rng.integers(0, 300, size=(2, 5000))
    step = rng.random(5000)
    plain = (X[base] + step[:, np.newaxis] * (X[mate] - X[base])).astype(dtype)
    np.testing.assert_array_equal(run(X, base, mate, step), plain)


@given(cases(), st.integers(0, 12), st.integers(0, 12))
def test_only_the_rows_of_the_block_are_written(case, one, two):
    size = case[1].size
    low, high = min(one, two, size), min(max(one, two), size)
    found = run(*case, low, high)
    np.testing.assert_array_equal(found[low:high], expected(*case)[low:high])
    assert np.all(found[:low] == -7)
    assert np.all(found[high:] == -7)


def test_missing_values_come_from_the_parent_that_has_them():
    X = np.array([[np.nan, 1.0, np.nan, 2.0], [5.0, np.nan, np.nan, 4.0]])
    found = run(X, np.array([0, 1]), np.array([1, 0]), np.array([0.25, 0.25]))
    np.testing.assert_array_equal(found, [[5, 1, np.nan, 2.5], [5, 1, np.nan, 3.5]])


def test_arrays_of_any_layout_and_read_only_ones_serve():
    rng = np.random.default_rng(0)
    X, base, mate, step = rng.normal(size=(9, 6)), *rng.integers(0, 9, (2, 20)), rng.random(20)
    plain = run(X, base, mate, step)
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    fixed = X.copy()
    fixed.flags.writeable = base.flags.writeable = False
    for layout in (np.asfortranarray(X), wide, fixed):
        np.testing.assert_array_equal(run(layout, base, mate, step), plain)
