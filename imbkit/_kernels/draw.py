"""New rows from pairs of rows."""

import numpy as np

from imbkit._kernels._jit import kernel

__all__ = ["segments", "warm"]


@kernel
def segments(low, high, X, base, mate, step, out):
    """Write rows ``X[base] + step * (X[mate] - X[base])``.

    The difference is rounded in the dtype of `X`, the rest is done in float64 without a fused
    multiply-add: the same bits as NumPy's expression. Where one of the two values is missing,
    the other one is taken.
    """
    for i in range(low, high):
        a, b, t = base[i], mate[i], step[i]
        for j in range(X.shape[1]):
            start, end = X[a, j], X[b, j]
            if np.isnan(start):
                out[i, j] = end
            elif np.isnan(end):
                out[i, j] = start
            else:
                out[i, j] = start + t * (end - start)


def warm():
    """Compile every kernel for the dtypes in use."""
    rows, step = np.zeros(1, dtype=np.intp), np.zeros(1)
    for dtype in (np.float32, np.float64):
        X = np.zeros((1, 1), dtype=dtype)
        segments(0, 1, X, rows, rows, step, np.empty_like(X))
