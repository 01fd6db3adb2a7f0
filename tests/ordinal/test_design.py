"""The sorted and standardised copy of a table."""

import numpy as np
import pytest
from scipy import sparse

from imbkit.ordinal._design import Design

RNG = np.random.default_rng(0)
N, P, K = 60, 4, 3
X = RNG.normal(size=(N, P)) * [1, 1e8, 1e-8, 3] + [0, 1e9, 5, -2]
CODES = RNG.permutation(np.arange(N) % K)
WEIGHTS = RNG.uniform(0.1, 3, N) * (np.arange(N) % 7 > 0)


def test_rows_stand_by_class_in_their_order_and_without_the_weightless():
    design = Design.of(X, CODES, WEIGHTS, K)
    kept = np.flatnonzero(WEIGHTS > 0)
    expected = np.concatenate([kept[CODES[kept] == c] for c in range(K)])
    np.testing.assert_array_equal(design.order, expected)
    np.testing.assert_array_equal(np.diff(design.starts), np.bincount(CODES[kept]))
    np.testing.assert_allclose(design.weights, WEIGHTS[expected] / WEIGHTS.sum(), rtol=1e-14)


def test_columns_have_weighted_mean_zero_and_deviation_one():
    design = Design.of(X, CODES, WEIGHTS, K)
    np.testing.assert_allclose(design.weights @ design.X, 0, atol=1e-7)
    np.testing.assert_allclose(design.weights @ design.X**2, 1, rtol=1e-7)
    np.testing.assert_allclose(design.X * design.scale + design.mean, X[design.order], rtol=1e-12)
    assert design.X.flags.f_contiguous


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_squares_of_columns_do_not_overflow(factor):
    plain, scaled = (Design.of(table, CODES, WEIGHTS, K) for table in (X, X * factor))
    np.testing.assert_allclose(scaled.X, plain.X, atol=1e-6)
    np.testing.assert_allclose(scaled.scale, plain.scale * factor, rtol=1e-7)


def test_weights_near_the_largest_float():
    design = Design.of(X, CODES, np.full(N, 1e308), K)
    np.testing.assert_allclose(design.weights, 1 / N, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_kind_of_float_is_kept(dtype):
    assert Design.of(X.astype(dtype), CODES, WEIGHTS, K).X.dtype == dtype
    csr = sparse.csr_array(X.astype(dtype))
    assert Design.of(csr, CODES, WEIGHTS, K).X.dtype == dtype


def test_constant_columns_become_zero_even_where_their_mean_is_rounded():
    table = np.column_stack([np.full(N, 0.1), X[:, 0], np.full(N, 1e300)])
    for given in (table, sparse.csr_array(table)):
        design = Design.of(given, CODES, WEIGHTS, K)
        np.testing.assert_array_equal(design.constant, [True, False, True])
        np.testing.assert_array_equal(design.scale[[0, 2]], 1)
        held = design.X if isinstance(design.X, np.ndarray) else design.X.toarray()
        np.testing.assert_array_equal(held[:, [0, 2]], 0)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_columns_are_scaled_alike_and_not_centred(kind):
    table = RNG.normal(size=(N, 5)) * (RNG.uniform(size=(N, 5)) < 0.3)
    dense = Design.of(table, CODES, WEIGHTS, K)
    design = Design.of(kind(table), CODES, WEIGHTS, K)
    np.testing.assert_allclose(design.scale, dense.scale, rtol=1e-12)
    np.testing.assert_array_equal(design.mean, 0)
    np.testing.assert_allclose(
        design.X.toarray(), table[design.order] / dense.scale, rtol=1e-12, atol=1e-300
    )


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("shift", [2.0, 1e6])
def test_sparse_columns_without_a_zero_are_centred(kind, shift):
    table = RNG.exponential(size=(N, 3)) * (RNG.uniform(size=(N, 3)) < [0.3, 2, 2])
    table[:, 2] += shift
    dense = Design.of(table, CODES, WEIGHTS, K)
    design = Design.of(kind(table), CODES, WEIGHTS, K)
    np.testing.assert_allclose(design.scale, dense.scale, rtol=1e-9)
    np.testing.assert_allclose(design.mean, [0, *dense.mean[1:]], rtol=1e-12)
    np.testing.assert_allclose(design.X.toarray()[:, 1:], dense.X[:, 1:], atol=1e-8)
    assert design.X.nnz == np.count_nonzero(table[design.order])


def test_a_column_constant_but_for_weightless_rows_is_constant():
    table = np.ones((N, 1))
    table[WEIGHTS == 0] = 5
    assert Design.of(table, CODES, WEIGHTS, K).constant.all()


def test_the_table_is_not_written_to():
    table = X.copy()
    table.flags.writeable = False
    Design.of(table, CODES, WEIGHTS, K)
    held = sparse.csr_array(X)
    before = held.data.copy()
    Design.of(held, CODES, WEIGHTS, K)
    np.testing.assert_array_equal(held.data, before)
