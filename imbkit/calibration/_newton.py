"""Newton's method for smooth convex functions of few bounded parameters."""

from collections.abc import Callable

import numpy as np

from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import ImbkitWarning

__all__ = ["minimise"]

_TOLERANCE = 1e-10
_RIDGE = 1e-10
_RESOLUTION = 1e-14
_MAX_STEPS = 200
_WORRYING = 1e-6


def minimise(
    function: Callable[[FloatArray], tuple[float, FloatArray, FloatArray]],
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
    who: str,
) -> FloatArray:
    """Return where a convex function is smallest within bounds.

    Parameters
    ----------
    function : callable
        From parameters of shape (m,) to value, gradient (m,) and Hessian (m, m).
    start : ndarray of shape (m,)
        Within the bounds.
    low, high : ndarray of shape (m,)
        Bounds, infinite where there is none.
    who : str
        The class that warnings speak for.

    Returns
    -------
    ndarray of shape (m,)
        The gradient is below 1e-10 in every free parameter, and points outwards in those at
        a bound.

    Notes
    -----
    Bertsekas (1982), "Projected Newton methods for optimization problems with simple
    constraints", doi:10.1137/0320018: parameters that the gradient pushes against their bound
    are held, the others take a Newton step, which is halved and cut at the bounds until the
    function falls. A ridge of 1e-10 of the mean curvature makes the
    step unique, and keeps rounding errors from moving what makes no difference.
    """
    point = np.clip(start, low, high)
    value, gradient, hessian = function(point)
    for _ in range(_MAX_STEPS):
        push = np.abs(point - np.clip(point - gradient, low, high))
        if push.max() < _TOLERANCE:
            return point
        held = _held(point, gradient, low, high, min(1e-8, float(push.max())))
        step = np.where(held, gradient, 0.0)
        free = np.flatnonzero(~held)
        if free.size:
            inner = hessian[np.ix_(free, free)]
            ridge = _RIDGE * max(float(np.trace(inner)) / free.size, 1e-300)
            step[free] = np.linalg.solve(inner + ridge * np.eye(free.size), gradient[free])
        length = 1.0
        while length > 1e-12:
            candidate = np.clip(point - length * step, low, high)
            new = function(candidate)
            # Near the optimum the function itself no longer resolves a full Newton step.
            if new[0] <= value + _RESOLUTION * (1 + abs(value)):
                break
            length /= 2
        else:
            break
        if np.array_equal(candidate, point):
            break
        point, (value, gradient, hessian) = candidate, new
    left = float(np.abs(point - np.clip(point - gradient, low, high)).max())
    if left > _WORRYING:
        rule = f"the search for the best map should end with a gradient below {_WORRYING:g}"
        todo = "Look for extreme probabilities or weights"
        warn(message(who, rule, f"{left:.3g}", todo), ImbkitWarning)
    return point


def _held(
    point: FloatArray, gradient: FloatArray, low: FloatArray, high: FloatArray, margin: float
) -> BoolArray:
    """Which parameters lie at a bound that the gradient pushes them against."""
    below = (point <= low + margin) & (gradient > 0)
    above = (point >= high - margin) & (gradient < 0)
    return np.asarray(below | above)
