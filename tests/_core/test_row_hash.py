"""Hashes of rows: by contents alone, in every container."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from imbkit._core.row_hash import hash_rows, row_hashes


@pytest.fixture
def matrix():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, size=(500, 3)).astype(float)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


def test_equal_rows_and_only_they_share_a_hash(matrix):
    hashes = row_hashes(matrix)
    rows = [tuple(np.nan_to_num(row, nan=-1.0)) for row in matrix]
    assert len(set(hashes.tolist())) == len(set(rows))
    for row in set(rows):
        assert len({h for h, r in zip(hashes.tolist(), rows, strict=True) if r == row}) == 1


def test_a_hash_does_not_depend_on_the_other_rows(matrix):
    order = np.random.default_rng(1).permutation(len(matrix))
    np.testing.assert_array_equal(row_hashes(matrix)[order], row_hashes(matrix[order]))
    np.testing.assert_array_equal(row_hashes(matrix)[7:8], row_hashes(matrix[7:8]))


def test_columns_are_told_apart(matrix):
    swapped = row_hashes(matrix[:, [1, 0, 2]])
    differ = (matrix[:, 0] != matrix[:, 1]) & ~np.isnan(matrix[:, :2]).any(axis=1)
    assert (swapped[differ] != row_hashes(matrix)[differ]).all()
    np.testing.assert_array_equal(row_hashes(matrix, [0, 1]), row_hashes(matrix[:, :2]))


def test_zero_has_no_sign():
    assert row_hashes(np.array([[0.0]]))[0] == row_hashes(np.array([[-0.0]]))[0]


@pytest.mark.parametrize("container", [np.asarray, np.ndarray.tolist, pd.DataFrame, pl.DataFrame])
def test_every_container_gives_the_same(container, matrix):
    plain = container in (np.asarray, np.ndarray.tolist)
    table = container(matrix if plain else dict(zip("abc", matrix.T, strict=True)))
    np.testing.assert_array_equal(hash_rows(table, "test"), row_hashes(matrix))


def test_text_and_times_count():
    times = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-01", "2024-01-01"])
    frame = pd.DataFrame({"who": ["a", "b", "a", "b"], "when": times})
    hashes = hash_rows(frame, "test").tolist()
    assert hashes[0] == hashes[2]
    assert len(set(hashes)) == 3
    as_categories = frame.astype({"who": "category"})
    assert hash_rows(as_categories, "test").tolist() == hashes


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_rows(kind):
    X = np.random.default_rng(0).integers(0, 2, size=(60, 4)).astype(float)
    hashes = hash_rows(kind(X), "test")
    assert len(set(hashes.tolist())) == len({tuple(row) for row in X})
    order = np.arange(60)[::-1]
    np.testing.assert_array_equal(hash_rows(kind(X[order]), "test"), hashes[order])
