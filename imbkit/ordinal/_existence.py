"""Whether the optimum is a point: unpenalised weights of separated classes run to infinity."""

import numpy as np
from scipy.linalg import lstsq

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._hessian import hessian
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solution import Solution, solution_at

__all__ = ["runs_away"]

_FAR = 1e-3  # steps, in standard deviations of a score, that are too short to tell
_STEADY = 0.5  # of the step before: near an optimum a step is about the square of it


def runs_away(problem: Problem, penalty: Penalty, alpha: float, solution: Solution) -> bool:
    """Say whether the objective seems to fall forever along some direction.

    Parameters
    ----------
    problem, penalty, alpha :
        The objective.
    solution : Solution
        Where a solver stopped.

    Returns
    -------
    bool
        False where everything is penalised. Else two more steps of Newton's method tell: near
        an optimum the second is far shorter, on the way to infinity both are as long.
    """
    l1, l2 = penalty.l1(alpha), penalty.l2(alpha)
    free = (l1 + l2 == 0) & ~problem.design.constant
    if not free.any():
        return False
    moving = free | (solution.theta != 0)
    first = _newton_step(problem, penalty, alpha, solution, moving)
    if np.max(np.abs(first)) < _FAR:
        return False
    n_intercepts = len(solution.intercepts)
    theta = solution.theta.copy()
    theta[moving] += first[n_intercepts:]
    ahead = solution_at(problem, penalty, alpha, solution.intercepts + first[:n_intercepts], theta)
    if not np.isfinite(ahead.objective) or ahead.objective > solution.objective:
        return False
    second = _newton_step(problem, penalty, alpha, ahead, moving)
    return bool(np.max(np.abs(second)) > _STEADY * np.max(np.abs(first)))


def _newton_step(
    problem: Problem, penalty: Penalty, alpha: float, here: Solution, moving: BoolArray
) -> FloatArray:
    """Return the step of the intercepts and of some coordinates, signs held."""
    columns = np.flatnonzero(moving.any(axis=0))
    matrix = hessian(problem, here.state, columns, penalty.structure).matrix
    n_intercepts = len(here.intercepts)
    chosen = n_intercepts + np.flatnonzero(moving[:, columns])
    places = np.concatenate([np.arange(n_intercepts), chosen])
    l1, l2 = penalty.l1(alpha)[moving], penalty.l2(alpha)[moving]
    values = here.theta[moving]
    slope = here.gradient[moving] + l1 * np.sign(values) + l2 * values
    square = matrix[np.ix_(places, places)]
    square[np.arange(n_intercepts, len(places)), np.arange(n_intercepts, len(places))] += l2
    # Columns that repeat others leave a plane of optima, on which the shortest step is taken.
    return np.asarray(lstsq(square, -np.concatenate([here.slopes, slope]))[0])
