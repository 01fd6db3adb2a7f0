"""The smallest value of a quadratic over vectors without negative entries."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from imbkit._core.types import BoolArray, FloatArray

__all__ = ["lowest_nonnegative"]

# Relative to the diagonal; lets a singular matrix be factorised.
_RIDGE = 1e-13
# Entries as small as this, relative to the largest, are rounding.
_ROUNDING = 1e-13
# Whole exchanges without progress before one entry is exchanged at a time.
_PATIENCE = 3


def lowest_nonnegative(quadratic: FloatArray, linear: FloatArray, near: FloatArray) -> FloatArray:
    """Return the x >= 0 at which ``x' quadratic x / 2 + linear' x`` is smallest.

    Where several are, the one close to `near` (K,). Block principal pivoting (Judice & Pires
    1994, doi:10.1016/0305-0548(94)90106-6): all entries on the wrong side change it at once,
    and singly where that does not help, which ends after finitely many exchanges. O(K^3) an
    exchange; there are few, as most entries are positive where it is used.
    """
    diagonal = np.diag(quadratic)
    # Entries of a rare class are smaller by orders of magnitude; all get a diagonal of one.
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    matrix = quadratic * np.outer(scale, scale) + _RIDGE * np.eye(linear.size)
    slope = linear * scale - _RIDGE * near / scale
    return np.asarray(scale * _pivot(matrix, slope))


def _pivot(matrix: FloatArray, linear: FloatArray) -> FloatArray:
    """Exchange free entries and zeros until all are on the right side."""
    free = np.ones(linear.size, dtype=bool)
    fewest, patience = linear.size + 1, _PATIENCE
    x: FloatArray = np.zeros(linear.size)
    for _ in range(50 + 10 * linear.size):
        x, slope = _solve(matrix, linear, free)
        wrong = _wrong_side(x, slope, free)
        n_wrong = int(np.count_nonzero(wrong))
        if not n_wrong:
            break
        if n_wrong < fewest:
            fewest, patience = n_wrong, _PATIENCE
        elif patience:
            patience -= 1
        else:
            wrong = np.arange(linear.size) == np.flatnonzero(wrong)[-1]
        free ^= wrong
    return np.asarray(np.maximum(x, 0.0))


def _solve(
    matrix: FloatArray, linear: FloatArray, free: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """The stationary point over the free entries, and the slope in the others."""
    x = np.zeros(linear.size)
    if free.any():
        block = matrix[np.ix_(free, free)]
        try:
            x[free] = cho_solve(cho_factor(block), -linear[free])
        except LinAlgError:
            x[free] = np.linalg.lstsq(block, -linear[free], rcond=None)[0]
    slope = matrix @ x + linear
    slope[free] = 0.0
    return x, slope


def _wrong_side(x: FloatArray, slope: FloatArray, free: BoolArray) -> BoolArray:
    """Free entries that are negative, and others that would gain by being free."""
    least_x = -_ROUNDING * float(np.abs(x).max(initial=0.0))
    least_slope = -_ROUNDING * float(np.abs(slope).max(initial=0.0))
    return np.asarray(np.where(free, x < least_x, slope < least_slope))
