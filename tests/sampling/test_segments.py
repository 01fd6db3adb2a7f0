"""New rows between rows: small and large, dense and sparse, to the bit."""

import numpy as np
import pytest
from scipy import sparse

import imbkit.sampling._segments
from imbkit.sampling._segments import on_segments

DTYPES = [np.float16, np.float32, np.float64]


def draws(n=30, d=5, m=200, dtype=np.float64, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[rng.random(X.shape) < missing] = np.nan
    return X.astype(dtype), *rng.integers(0, n, size=(2, m)), rng.random(m)


def plain(X, base, mate, step):
    """The formula, and the present one of two values where one is missing."""
    out = (X[base] + step[:, None] * (X[mate] - X[base])).astype(X.dtype)
    out = np.where(np.isnan(X[base]), X[mate], out)
    return np.where(np.isnan(X[mate]), X[base], out)


@pytest.fixture(params=["numpy", "kernel"])
def path(request, monkeypatch):
    """Both ways, whatever the size."""
    few = 10**9 if request.param == "numpy" else 0
    monkeypatch.setattr(imbkit.sampling._segments, "_FEW", few)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("missing", [0, 0.3])
def test_both_ways_give_the_formula_to_the_bit(path, dtype, missing):
    for n_jobs in (1, 2):
        case = draws(dtype=dtype, missing=missing, m=9000)
        found = on_segments(*case, n_jobs=n_jobs)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, plain(*case))


def test_the_ends_of_a_segment_are_the_rows(path):
    X, base, mate, step = draws()
    np.testing.assert_array_equal(on_segments(X, base, mate, np.zeros(step.size)), X[base])
    np.testing.assert_allclose(on_segments(X, base, mate, np.ones(step.size)), X[mate], rtol=1e-12)
    np.testing.assert_array_equal(on_segments(X, base, base, step), X[base])


def test_the_table_may_be_read_only_and_of_any_layout(path):
    X, *rest = draws()
    expected = on_segments(X, *rest)
    fixed = X.copy()
    fixed.flags.writeable = False
    for layout in (fixed, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
        np.testing.assert_array_equal(on_segments(layout, *rest), expected)


def test_no_rows_are_none(path):
    none = np.empty(0, dtype=np.intp)
    assert on_segments(draws()[0], none, none, np.empty(0)).shape == (0, 5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "make", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array]
)
@pytest.mark.parametrize("missing", [0, 0.2])
def test_sparse_tables_give_the_same_rows(make, dtype, missing):
    X, *rest = draws(missing=missing, dtype=dtype)
    X[np.random.default_rng(1).random(X.shape) < 0.5] = 0
    found = on_segments(make(X), *rest)
    assert type(found) is make
    assert found.dtype == dtype
    np.testing.assert_array_equal(found.toarray(), plain(X, *rest))


def test_a_sparse_row_stores_no_more_than_its_parents():
    X = sparse.random_array((40, 200), density=0.02, format="csr", rng=np.random.default_rng(0))
    _, base, mate, step = draws(n=40)
    found = on_segments(X, base, mate, step)
    assert found.nnz <= X[base].nnz + X[mate].nnz
