"""A lasso on a quadratic: sweeps of coordinate descent, finished by solving on the support."""

import sys
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

from imbkit._core.types import FloatArray
from imbkit.ordinal._kkt import excess

__all__ = ["Quadratic", "minimise"]

_KERNELS = "imbkit._kernels.ordinal_gram"
_PRICE = 1.0e9  # nanoseconds of the import of numba and of loading the kernel
_lost = [0.0]  # nanoseconds that sweeps of this process lost without it
_ROUNDS = 200
_SINGULAR = 1e-12  # of the largest eigenvalue
_SWEEPS = 64


@dataclass(frozen=True, slots=True)
class Quadratic:
    """``slope @ (z - start) + (z - start) @ matrix @ (z - start) / 2`` and an elastic net on z.

    Parameters
    ----------
    matrix : ndarray of shape (m, m)
        Symmetric, positive on its diagonal, C-ordered.
    slope : ndarray of shape (m,)
        Gradient at the start.
    start : ndarray of shape (m,)
        Where the model was made.
    l1, l2 : ndarray of shape (m,)
        Factors of ``|z|`` and ``z**2 / 2``.
    """

    matrix: FloatArray
    slope: FloatArray
    start: FloatArray
    l1: FloatArray
    l2: FloatArray


def minimise(model: Quadratic, *, goal: float) -> FloatArray:
    """Return the minimiser of a quadratic with an elastic net.

    Parameters
    ----------
    model : Quadratic
        What to minimise.
    goal : float
        Largest violation of the optimality conditions to stop at.

    Returns
    -------
    ndarray of shape (m,)
        Zeros are exact. After many rounds without reaching the goal, the best point so far.
    """
    if not model.l1.any():
        return _solve_plain(model)
    z, slope = model.start.copy(), model.slope.copy()
    sweeps = 1
    for _ in range(_ROUNDS):
        for _ in range(sweeps):
            _sweep(model, z, slope)
        whole = _solve_on_support(model, z, slope)
        # Signs that change on the way are found sooner by sweeps than by solving.
        sweeps = min(2 * sweeps, _SWEEPS) if not whole else sweeps
        # Sums of updates drift; the gradient is cheap to have afresh.
        slope = model.slope + model.matrix @ (z - model.start)
        if np.max(excess(slope, z, model.l1, model.l2)) <= goal:
            break
    return z


def _solve_plain(model: Quadratic) -> FloatArray:
    """Return the minimiser of a quadratic with a ridge at most, the nearest if there are many.

    Columns that repeat others leave a plane of them: rounding must not choose among these.
    """
    square = model.matrix + np.diag(model.l2)
    unit = 1 / np.sqrt(np.diagonal(square))
    values, vectors = np.linalg.eigh(square * np.outer(unit, unit))
    kept = values > _SINGULAR * values[-1]
    push = -(model.slope + model.l2 * model.start) * unit
    along = vectors[:, kept]
    return np.asarray(model.start + unit * (along @ ((along.T @ push) / values[kept])))


def _solve_on_support(model: Quadratic, z: FloatArray, slope: FloatArray) -> bool:
    """Move to the minimiser among points of these signs, or as far as the signs hold.

    Returns whether it got there. Coordinates that meet 0 on the way stay there.
    """
    support = np.flatnonzero((z != 0) | (model.l1 == 0))
    if len(support) == 0:
        return True
    values, l1, l2 = z[support], model.l1[support], model.l2[support]
    push = -(slope[support] + l1 * np.sign(values) + l2 * values)
    square = model.matrix[np.ix_(support, support)]
    square[np.diag_indices_from(square)] += l2
    # LAPACK at once: the checks of scipy's wrappers take longer than small matrices.
    _, step, failed = dposv(square, push, overwrite_a=True)
    if failed:
        return False
    flips = (l1 > 0) & ((values + step) * values <= 0)
    if not flips.any():
        z[support] = values + step
        return True
    reach = -values[flips] / step[flips]
    far = reach.min()
    moved = values + far * step
    moved[np.flatnonzero(flips)[reach == far]] = 0
    z[support] = moved
    return False


def _sweep(model: Quadratic, z: FloatArray, slope: FloatArray) -> None:
    """Minimise over each coordinate in turn, once; compiled where that is worth it."""
    m = len(z)
    if _KERNELS not in sys.modules:
        # A coordinate takes some microseconds in NumPy and a nanosecond an entry compiled.
        _lost[0] += m * 6000.0
        if _lost[0] <= _PRICE:
            _sweep_in_numpy(model.matrix, z, slope, model.l1, model.l2)
            return
    from imbkit._kernels.ordinal_gram import sweep

    sweep(model.matrix, z, slope, model.l1, model.l2)


def _sweep_in_numpy(
    matrix: FloatArray, z: FloatArray, slope: FloatArray, l1: FloatArray, l2: FloatArray
) -> None:
    """Do what the kernel does, number by number."""
    for i in range(len(z)):
        curvature = matrix[i, i]
        pull = curvature * z[i] - slope[i]
        shrunk = max(pull - l1[i], 0.0) if pull > 0 else min(pull + l1[i], 0.0)
        value = shrunk / (curvature + l2[i])
        if value != z[i]:
            slope += (value - z[i]) * matrix[i]
            z[i] = value
