"""How far a point is from optimal: the Karush-Kuhn-Tucker conditions of a convex problem."""

import numpy as np

from imbkit._core.types import FloatArray

__all__ = ["excess"]


def excess(gradient: FloatArray, values: FloatArray, l1: FloatArray, l2: FloatArray) -> FloatArray:
    """Return how much each coordinate violates its condition; all are 0 at the optimum.

    Parameters
    ----------
    gradient : ndarray
        Gradient of the loss.
    values, l1, l2 : ndarray of the same shape
        The coordinates, and the factors of ``|value|`` and ``value**2 / 2``.

    Returns
    -------
    ndarray of the same shape
        Distance of 0 from the subdifferential of loss plus penalty.
    """
    slope = gradient + l2 * values
    moved = np.abs(slope + l1 * np.sign(values))
    return np.where(values == 0, np.maximum(np.abs(slope) - l1, 0.0), moved)
