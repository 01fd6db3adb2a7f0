"""Coordinate descent for a lasso on a quadratic that is given by its matrix."""

import numpy as np

from imbkit._kernels._jit import kernel

__all__ = ["sweep", "warm"]


@kernel
def sweep(matrix, z, slope, l1, l2):
    """Minimise a quadratic with an elastic net over each coordinate in turn, once.

    Parameters
    ----------
    matrix : ndarray of shape (m, m)
        Second derivatives, C-ordered, positive on the diagonal.
    z, slope : ndarray of shape (m,)
        The point and the quadratic's gradient there; both are changed.
    l1, l2 : ndarray of shape (m,)
        Factors of ``|z|`` and ``z**2 / 2``.
    """
    m = z.shape[0]
    for i in range(m):
        curvature = matrix[i, i]
        pull = curvature * z[i] - slope[i]
        if pull > 0:
            shrunk = max(pull - l1[i], 0.0)
        else:
            shrunk = min(pull + l1[i], 0.0)
        value = shrunk / (curvature + l2[i])
        if value != z[i]:
            step = value - z[i]
            for j in range(m):
                slope[j] += step * matrix[i, j]
            z[i] = value


def warm() -> None:
    """Compile the kernel, or load it from the cache."""
    sweep(np.eye(1), np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1))
