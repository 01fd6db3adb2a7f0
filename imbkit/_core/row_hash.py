"""A 64-bit hash of each row's contents, the same wherever the row stands."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from imbkit._core.containers import wrap
from imbkit._core.types import AnyArray, FloatArray

__all__ = ["hash_rows", "row_hashes"]

UIntArray = NDArray[np.uint64]

# The finaliser of MurmurHash3 (Appleby, public domain).
_MIX = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
_SHIFT = np.uint64(33)


def row_hashes(matrix: FloatArray, positions: Iterable[int] | None = None) -> UIntArray:
    """Return a hash of each row's values in some columns of a matrix.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Numbers; all NaN count as equal, and so do 0.0 and -0.0.
    positions : iterable of int, default=None
        The columns; None for all.

    Returns
    -------
    ndarray of uint64, shape (n_rows,)
        Equal rows have equal hashes. Of n rows, two different ones share a hash by chance
        with probability n**2 / 2**65.
    """
    hashes = np.zeros(matrix.shape[0], dtype=np.uint64)
    for position in range(matrix.shape[1]) if positions is None else positions:
        hashes = _mixed(hashes ^ (_bits(matrix[:, position]) + np.uint64(position + 1)))
    return hashes


def hash_rows(X: Any, who: str) -> UIntArray:
    """Return a hash of each row of any table.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_rows, n_columns)
        Numbers, texts, categories or times.
    who : str
        The class that messages speak for.

    Returns
    -------
    ndarray of uint64, shape (n_rows,)
        As of `row_hashes`; a number has the same hash in every container but a sparse one.
    """
    if sparse.issparse(X):
        return _sparse_hashes(X)
    table = wrap(X, who=who)
    hashes = np.zeros(table.n_rows, dtype=np.uint64)
    for position in range(table.n_columns):
        hashes = _mixed(hashes ^ (_bits(table.column(position)) + np.uint64(position + 1)))
    return hashes


def _sparse_hashes(X: Any) -> UIntArray:
    """Add up the hashes of the entries that are not zero, in whatever order they are stored."""
    rows = sparse.coo_array(X)
    rows.sum_duplicates()
    place = rows.coords[1].astype(np.uint64) + np.uint64(1)
    entries = _mixed(_bits(rows.data) ^ _mixed(place))
    hashes = np.zeros(rows.shape[0], dtype=np.uint64)
    np.add.at(hashes, rows.coords[0][rows.data != 0], entries[rows.data != 0])
    return hashes


def _bits(values: AnyArray) -> UIntArray:
    """Sixty-four bits that stand for each value."""
    if values.dtype.kind in "biuf":
        # Adding zero turns -0.0 into 0.0; all NaN are made the same NaN.
        numbers = values.astype(np.float64) + 0.0
        numbers[np.isnan(numbers)] = np.nan
        return numbers.view(np.uint64)
    if values.dtype.kind in "mM":
        return values.astype(np.int64).view(np.uint64)
    levels, codes = np.unique(values.astype(str), return_inverse=True)
    digests = [hashlib.blake2b(str(level).encode(), digest_size=8).digest() for level in levels]
    return np.frombuffer(b"".join(digests), dtype=np.uint64)[codes.reshape(-1)]


def _mixed(hashes: UIntArray) -> UIntArray:
    """Spread every bit over all bits."""
    for factor in _MIX:
        hashes = (hashes ^ (hashes >> _SHIFT)) * factor
    return np.asarray(hashes ^ (hashes >> _SHIFT))
