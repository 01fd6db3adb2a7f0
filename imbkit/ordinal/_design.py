"""The table as the solvers see it: rows sorted by class, columns standardised, made once."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["Design", "check_spread", "refuse_no_columns"]

_LEAST, _MOST = 1e-300, 1e300  # of a spread, so that neither it nor a weight overflows
_ROWS = 4096  # rows copied at a time: a block of them fits the cache for tens of columns


@dataclass(frozen=True, slots=True)
class Design:
    """A sorted, standardised copy of the rows that have weight.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n, p)
        Rows of class 0 first, then class 1 and so on. Dense columns are centred and contiguous
        (F-ordered), sparse ones only if they have no zero; float32 stays float32. Constant
        columns are 0.
    starts : ndarray of shape (n_classes + 1,)
        Rows of class c are ``starts[c]`` to ``starts[c + 1]``.
    weights : ndarray of shape (n,)
        Positive weights that sum to 1.
    mean, scale : ndarray of shape (p,)
        What was taken off each column (0 if sparse with a zero), and what it was divided by:
        the weighted population standard deviation, 1 for constant columns.
    constant : ndarray of bool, shape (p,)
        Columns of one value.
    order : ndarray of shape (n,)
        Row of the given table that stands in each row of `X`.
    """

    X: Any
    starts: IntArray
    weights: FloatArray
    mean: FloatArray
    scale: FloatArray
    constant: BoolArray
    order: IntArray

    @classmethod
    def of(cls, X: Any, codes: IntArray, weights: FloatArray, n_classes: int) -> Self:
        """Sort and standardise a table; it is not written to.

        Parameters
        ----------
        X : ndarray or sparse matrix or array of shape (n_rows, p)
            float32 or float64.
        codes : ndarray of int, shape (n_rows,)
            Class of each row, 0 to `n_classes` - 1; each has a row with weight.
        weights : ndarray of shape (n_rows,)
            Finite, not negative, some positive.
        n_classes : int
            Number of classes.
        """
        rows = np.flatnonzero(weights > 0)
        order = rows[np.argsort(codes[rows], kind="stable")]
        starts = np.searchsorted(codes[order], np.arange(n_classes + 1))
        # Divided by the largest first: weights near the largest float would sum to infinity.
        share = weights[order] / weights.max()
        share = share / share.sum()
        prepare = _sparse_copy if sparse.issparse(X) else _dense_copy
        # A spread that no float holds shows in the scale, and is refused there.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            copy, mean, scale, constant = prepare(X, order, share)
        return cls(copy, starts, share, mean, scale, constant, order)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.starts) - 1

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])


def refuse_no_columns(X: Any, who: str) -> None:
    """Refuse a frame without columns, of which scikit-learn's words do not tell what is wrong."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if hasattr(X, "columns") and len(shape) == 2 and not shape[1]:
        rule = "X must have a column at least"
        raise DataError(message(who, rule, f"0 feature(s), shape {tuple(shape)}"))


def check_spread(design: Design, names: Any, who: str) -> None:
    """Refuse columns whose spread, or whose weights, floats cannot hold.

    Parameters
    ----------
    design : Design
        The copy.
    names : sequence of str or None
        Names of the columns, if they have any.
    who : str
        The caller.
    """
    odd = np.flatnonzero(~((design.scale >= _LEAST) & (design.scale <= _MOST)))
    if odd.size:
        rule = f"columns must have a standard deviation from {_LEAST:g} to {_MOST:g}"
        shown = listing(odd.tolist() if names is None else [names[j] for j in odd])
        todo = "Put them in other units, or leave them out"
        raise DataError(message(who, rule, f"one beyond in column {shown}", todo))


def _dense_copy(
    X: AnyArray, order: IntArray, share: FloatArray
) -> tuple[AnyArray, FloatArray, FloatArray, BoolArray]:
    """Copy rows in order, column by column contiguous, and standardise the columns."""
    out = np.empty((len(order), X.shape[1]), dtype=X.dtype, order="F")
    for low in range(0, len(order), _ROWS):
        out[low : low + _ROWS] = X[order[low : low + _ROWS]]
    mean, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
    constant = np.zeros(X.shape[1], dtype=bool)
    for j in range(X.shape[1]):
        column = out[:, j].astype(np.float64)
        low, high = column.min(), column.max()
        constant[j] = low == high
        if constant[j]:
            mean[j], out[:, j] = low, 0
            continue
        # In units of the half range, so that no square overflows or underflows.
        half = high / 2 - low / 2
        mean[j] = low + half + half * (share @ ((column - low) / half - 1))
        column -= mean[j]
        column /= half
        spread = np.sqrt(share @ column**2)
        scale[j] = spread * half
        column /= spread
        out[:, j] = column
    return out, mean, scale, constant


def _sparse_copy(
    X: Any, order: IntArray, share: FloatArray
) -> tuple[Any, FloatArray, FloatArray, BoolArray]:
    """Copy rows in order and scale the columns; centring would make zeros numbers."""
    out = sparse.csr_array(X)[order]
    out.sum_duplicates()
    low, high = (np.asarray(side.toarray(), dtype=np.float64).ravel() for side in _ends(out))
    constant = low == high
    half = np.where(constant, 1.0, high / 2 - low / 2)
    rows = np.repeat(np.arange(len(order)), np.diff(out.indptr))
    at, columns = share[rows], out.indices
    # A column without zeros is centred, too: one far from 0 could not be told from the intercept.
    full = (np.bincount(columns, minlength=X.shape[1]) == len(order)) & ~constant
    offset = np.where(full, low + half, 0.0)
    entries = np.where(constant[columns], 0.0, (out.data - offset[columns]) / half[columns])
    mean = np.bincount(columns, at * entries, minlength=X.shape[1])
    offset[full] += half[full] * mean[full]
    entries -= np.where(full, mean, 0.0)[columns]
    mean[full] = 0.0
    absent = 1 - np.bincount(columns, at, minlength=X.shape[1])
    squares = np.bincount(columns, at * (entries - mean[columns]) ** 2, minlength=X.shape[1])
    scale = np.where(constant, 1.0, half * np.sqrt(squares + np.maximum(absent, 0) * mean**2))
    out.data = (entries * (half / scale)[columns]).astype(X.dtype)
    return out, offset, scale, constant


def _ends(table: Any) -> tuple[Any, Any]:
    return table.min(axis=0), table.max(axis=0)
