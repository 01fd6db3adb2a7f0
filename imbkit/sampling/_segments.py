"""New rows on the segments between pairs of rows."""

from typing import Any

import numpy as np
from scipy import sparse

from imbkit._core.parallel import run_blocks
from imbkit._core.types import AnyArray, FloatArray, IntArray

__all__ = ["on_segments"]

# Values below which NumPy is done before numba would have been imported.
_FEW = 2_000_000


def on_segments(
    X: Any, base: IntArray, mate: IntArray, step: FloatArray, *, n_jobs: int | None = None
) -> Any:
    """Return rows ``X[base] + step * (X[mate] - X[base])``, as imbalanced-learn rounds them.

    Parameters
    ----------
    X : ndarray or CSR or CSC matrix of shape (n_rows, n_features)
        Floats. Where one of two values is missing, the other one is taken.
    base, mate : ndarray of int, shape (m,)
        Rows of `X`.
    step : ndarray of shape (m,)
        Position on the segment, 0 at the base row.
    n_jobs : int, default=None
        Threads.

    Returns
    -------
    ndarray or sparse matrix of shape (m, n_features)
        Of the dtype and format of `X`. The difference is rounded in that dtype, the rest is
        done in float64.
    """
    if sparse.issparse(X):
        return _sparse_segments(X, base, mate, step)
    if base.size * X.shape[1] < _FEW or X.dtype == np.float16:
        return _small_segments(X, base, mate, step)
    from imbkit._kernels.draw import segments

    out = np.empty((base.size, X.shape[1]), dtype=X.dtype)
    run_blocks(segments, base.size, X, base, mate, step, out, n_jobs=n_jobs, block=4096)
    return out


def _small_segments(X: AnyArray, base: IntArray, mate: IntArray, step: FloatArray) -> AnyArray:
    start, end = X[base], X[mate]
    out = (start + step[:, np.newaxis] * (end - start)).astype(X.dtype)
    gone = np.isnan(out)
    if gone.any():
        out = np.where(gone, np.where(np.isnan(start), end, start), out)
    return out


def _sparse_segments(X: Any, base: IntArray, mate: IntArray, step: FloatArray) -> Any:
    start, end = X[base], X[mate]
    # A diagonal matrix scales each row by its own step.
    made = (start + sparse.diags_array(step) @ (end - start)).astype(X.dtype)
    gone = made.tocoo()
    rows, columns = (where[np.isnan(gone.data)] for where in gone.coords)
    if rows.size:
        first, second = (np.asarray(part[rows, columns]).ravel() for part in (start, end))
        made = made.tolil()
        made[rows, columns] = np.where(np.isnan(first), second, first)
    return type(X)(made)
