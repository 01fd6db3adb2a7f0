"""Newton's method for loss plus elastic net, on the coordinates that matter."""

from typing import Any

import numpy as np

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._hessian import Hessian, hessian
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._quadratic import Quadratic, minimise
from imbkit.ordinal._solution import Solution, rejudged, solution_at

__all__ = ["newton_cd"]

_ARMIJO = 1e-4
_HALVINGS = 40
_ROUNDING = 8 * np.finfo(np.float64).eps
_RIDGE = 1e-10  # of the mean curvature: duplicated columns make the matrix singular
_LEAST = 1e-18  # likewise where nothing but a curvature of 0 would do harm
_SLOW = 0.2  # a step that leaves more than this of the violation asks for a new matrix


def newton_cd(
    problem: Problem,
    penalty: Penalty,
    alpha: float,
    start: Solution,
    *,
    goal: float,
    max_iter: int,
    candidates: BoolArray,
) -> Solution:
    """Minimise by quadratic models of the loss; see `imbkit.ordinal._solution.Solver`.

    Notes
    -----
    The model's matrix is kept while it does its work, from one alpha to the next, too: a
    gradient costs 4 n p multiplications, the matrix 3 n m**2 for m working columns.
    """
    l1, l2 = penalty.l1(alpha), penalty.l2(alpha)
    moving = (candidates | (start.theta != 0) | (l1 == 0)) & ~problem.design.constant
    here = rejudged(start, penalty, alpha, goal)
    model: Hessian | None = problem.last_hessian
    for n_iter in range(1, max_iter + 1):
        if here.converged:
            break
        moving |= here.excess > goal
        columns = np.flatnonzero(moving.any(axis=0))
        fresh = model is None or not model.has[columns].all()
        if model is None or fresh:
            model = hessian(problem, here.state, columns, penalty.structure)
        step = _step(model, here, moving, l1, l2, goal)
        found = _search(problem, penalty, alpha, here, *step)
        if found is None:
            if fresh:
                break
            model = None
            continue
        point, size = found
        before = here.violation
        here = solution_at(problem, penalty, alpha, **point, n_iter=n_iter, goal=goal)
        problem.last_hessian = model
        if size < 1 or here.violation > _SLOW * before:
            model = None
    if here.n_iter == 0:
        return here
    # The scores were summed up step by step: what is told holds at the point itself.
    return solution_at(
        problem, penalty, alpha, here.intercepts, here.theta, n_iter=here.n_iter, goal=goal
    )


def _step(
    model: Hessian,
    here: Solution,
    moving: BoolArray,
    l1: FloatArray,
    l2: FloatArray,
    goal: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the change of intercepts and theta that minimises the quadratic model."""
    n_intercepts, m = len(here.intercepts), len(model.columns)
    chosen = np.flatnonzero(moving[:, model.columns])
    rows, columns = np.divmod(chosen, m)
    at = (rows, model.columns[columns])
    places = np.concatenate([np.arange(n_intercepts), n_intercepts + chosen])
    whole = len(places) == len(model.matrix)
    matrix = model.matrix.copy() if whole else model.matrix[np.ix_(places, places)]
    diagonal = np.einsum("ii->i", matrix)
    diagonal += (_RIDGE if l1[at].any() else _LEAST) * diagonal.mean()
    nothing = np.zeros(n_intercepts)
    quadratic = Quadratic(
        matrix,
        np.concatenate([here.slopes, here.gradient[at]]),
        np.concatenate([here.intercepts, here.theta[at]]),
        np.concatenate([nothing, l1[at]]),
        np.concatenate([nothing, l2[at]]),
    )
    change = minimise(quadratic, goal=0.1 * goal) - quadratic.start
    step = np.zeros_like(here.theta)
    step[at] = change[n_intercepts:]
    return change[:n_intercepts], step


def _search(
    problem: Problem,
    penalty: Penalty,
    alpha: float,
    here: Solution,
    d_intercepts: FloatArray,
    d_theta: FloatArray,
) -> tuple[dict[str, Any], float] | None:
    """Halve the step until the objective falls enough; None where no step makes it fall.

    The loss is infinite where a row's probability is not positive, so the search stays inside.
    """
    d_upper, d_lower = problem.scores(d_intercepts, penalty.spread(d_theta))
    promised = float(here.slopes @ d_intercepts + np.sum(here.gradient * d_theta))
    promised += penalty.value(here.theta + d_theta, alpha) - penalty.value(here.theta, alpha)
    slack = _ROUNDING * abs(here.objective)
    size = 1.0
    for _ in range(_HALVINGS):
        theta = here.theta + size * d_theta
        state = problem.state(here.state.upper + size * d_upper, here.state.lower + size * d_lower)
        objective = state.loss + penalty.value(theta, alpha)
        if objective <= here.objective + _ARMIJO * size * min(promised, 0.0) + slack:
            intercepts = here.intercepts + size * d_intercepts
            return {"intercepts": intercepts, "theta": theta, "state": state}, size
        size /= 2
    return None
