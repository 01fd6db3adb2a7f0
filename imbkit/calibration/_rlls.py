"""Regularised learning under label shift: the weights of classes nearest to no shift."""

import numpy as np
from scipy.optimize import brentq

from imbkit._core.types import FloatArray
from imbkit.calibration._nonnegative import lowest_nonnegative

__all__ = ["rlls", "rlls_penalty"]

_ALPHA = 0.01  # the authors' fraction of the bound
_DELTA = 0.05  # probability that the bound fails
_TINY = 1e-14  # a ridge that is none, relative to the matrix


def rlls_penalty(n_classes: int, n_rows: float, alpha: float = _ALPHA) -> float:
    """Return the weight of the second norm, a fraction of the error bound of the matrix.

    ``3 alpha (2 log(2 K / delta) / (3 n) + sqrt(2 log(2 K / delta) / n))``, delta = 0.05.
    """
    logarithm = 2 * float(np.log(2 * n_classes / _DELTA))
    return 3 * alpha * (logarithm / (3 * n_rows) + float(np.sqrt(logarithm / n_rows)))


def rlls(
    joint: FloatArray, target: FloatArray, penalty: float, *, squared: bool = False
) -> FloatArray:
    """Return the weight ``1 + theta`` of each class.

    theta minimises ``|joint theta - b| + penalty |theta|`` over theta >= -1, where b is the
    target's mean prediction less the source's and both norms are not squared (Azizzadenesheli
    2019). With `squared` it is ``(joint' joint + penalty)^-1 joint' b``, clipped at -1.

    Where neither norm is zero, the optimum is that of a ridge regression whose strength is
    penalty |joint theta - b| / |theta|. That condition is monotone along the path of ridge
    regressions, so its root is bracketed; each trial is a quadratic program of K entries.

    Parameters
    ----------
    joint : ndarray of shape (K, K)
        Share of source rows by prediction and class.
    target : ndarray of shape (K,)
        Mean prediction on the target.
    penalty : float
        0 or more.
    squared : bool
        Which of the two problems.
    """
    b = target - joint.sum(axis=1)
    if squared:
        gram = joint.T @ joint + penalty * np.eye(b.size)
        theta = np.linalg.lstsq(gram, joint.T @ b, rcond=None)[0]
        return np.asarray(np.maximum(1 + theta, 0.0))
    length = float(np.linalg.norm(b))
    if length == 0 or float(np.linalg.norm(joint.T @ b)) <= penalty * length:
        return np.ones(b.size)
    size = float(np.square(joint).sum())

    def excess(log_ridge: float) -> float:
        theta, residual = _ridge(joint, b, float(np.exp(log_ridge)))
        return float(np.linalg.norm(theta)) - penalty * float(np.linalg.norm(residual))

    low, high = np.log(_TINY * size), np.log(size)
    if excess(low) >= 0:
        return _least_squares(joint, b)
    while excess(high) < 0:
        high += 3.0
    best = brentq(excess, low, high, xtol=1e-10, rtol=1e-12)
    return 1 + _ridge(joint, b, float(np.exp(best)))[0]


def _ridge(joint: FloatArray, b: FloatArray, ridge: float) -> tuple[FloatArray, FloatArray]:
    """Return theta >= -1 of a ridge regression, and its residual divided by -ridge.

    The residual is solved for, not subtracted: for a small ridge it is nearly zero.
    """
    ones = np.ones(b.size)
    gram = joint.T @ joint + ridge * np.eye(b.size)
    weights = lowest_nonnegative(gram, -(joint.T @ (b + joint @ ones) + ridge), ones)
    free = weights > 0
    part = joint[:, free]
    rest = b + joint[:, ~free].sum(axis=1)
    scaled = np.linalg.lstsq(part @ part.T + ridge * np.eye(b.size), rest, rcond=None)[0]
    theta = -ones
    theta[free] = part.T @ scaled
    return theta, scaled


def _least_squares(joint: FloatArray, b: FloatArray) -> FloatArray:
    """Weights that fit best, those nearest to one if there are several."""
    theta = np.linalg.lstsq(joint, b, rcond=None)[0]
    if (theta >= -1).all():
        return np.asarray(1 + theta)
    ones = np.ones(b.size)
    return lowest_nonnegative(joint.T @ joint, -(joint.T @ (b + joint @ ones)), ones)
