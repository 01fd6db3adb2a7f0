"""Which penalties a path goes through."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.constraints import Interval
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.ordinal._solve import Null

__all__ = ["GRID_CONSTRAINTS", "alpha_grid", "given_alphas"]

GRID_CONSTRAINTS: dict[str, list[Any]] = {
    "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
    "eps": [Interval(Real, 0, 1, closed="neither")],
}
_LEAST = 1e-15  # stands for the largest useful alpha where no column says anything


def given_alphas(alphas: int | ArrayLike, who: str) -> FloatArray | None:
    """Return explicit penalties from the largest to the smallest, None if only their number came.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,)
        Parameter of the caller.
    who : str
        The caller.
    """
    if isinstance(alphas, Integral) and not isinstance(alphas, bool):
        return None
    rule = "alphas must be a number of penalties, or a list of finite numbers of 0 or more"
    try:
        values = np.asarray(None if isinstance(alphas, bool) else alphas, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidParameterError(message(who, rule, alphas)) from None
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all() or values.min() < 0:
        raise InvalidParameterError(message(who, rule, alphas))
    return np.sort(values)[::-1]


def alpha_grid(n_alphas: Any, eps: float, null: Null) -> FloatArray:
    """Return penalties in equal ratios, from the smallest that leaves nothing down to `eps` of it.

    Parameters
    ----------
    n_alphas : int
        How many.
    eps : float
        The last one as a share of the first.
    null : Null
        The model of the first.
    """
    grid = np.geomspace(1.0, eps, int(n_alphas)) * max(null.alpha_max, _LEAST)
    return np.asarray(grid)
