"""From a problem and a penalty to solutions: the null model, and paths of penalties."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from imbkit._core.types import FloatArray
from imbkit.ordinal._block_cd import block_cd
from imbkit.ordinal._fista import fista
from imbkit.ordinal._newton_cd import newton_cd
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solution import Solution, Solver, solution_at

__all__ = ["SOLVERS", "Null", "null_model", "solve_path"]

SOLVERS: dict[str, Solver] = {"cd": block_cd, "fista": fista, "newton-cd": newton_cd}
_EVERYTHING = 1e100  # a penalty under which no penalised coordinate moves
_FLOOR = 0.01  # of l1_ratio, where the largest useful alpha is sought
_MANY = 2000  # working coordinates whose matrix is not worth its memory
# Working coordinates up to which steps with a matrix take less time (measured).
_FEW_DENSE = 400
_FEW_SPARSE = 200
_MANY_BOUNDARIES = 20  # from which blocks of one column's weights are worth their own steps
_LEAST_GOAL = 1e-14  # what rounding leaves of a gradient


@dataclass(frozen=True, slots=True)
class Null:
    """The model in which every penalised coordinate is 0.

    Parameters
    ----------
    solution : Solution
        The point.
    alpha_max : float
        The smallest alpha whose solution it is; with ``l1_ratio`` below 0.01, where no alpha
        makes all of them 0, that of 0.01.
    unit : float
        Of tolerances: the largest slope of the loss at the intercepts alone, or the share of the
        smallest class where that is less. The slopes of a boundary are of the size of the
        classes beyond it: in the unit of all rows, a rare last class would hardly be fitted.
    """

    solution: Solution
    alpha_max: float
    unit: float

    def goal(self, tol: float) -> float:
        """Return the violation that a relative tolerance permits."""
        return max(tol * self.unit, _LEAST_GOAL)


def null_model(problem: Problem, penalty: Penalty, *, tol: float, max_iter: int) -> Null:
    """Fit what the penalty leaves free: the intercepts, and coordinates of factor 0.

    Parameters
    ----------
    problem : Problem
        The loss.
    penalty : Penalty
        What is penalised.
    tol : float
        Violation to stop at, in units of ``Null.unit``.
    max_iter : int
        Outer iterations for the free coordinates, if there are any.
    """
    shares = problem.shares()
    intercepts = problem.link.quantile(np.cumsum(shares)[:-1])
    fixed = replace(penalty, l1_ratio=1.0)
    null = solution_at(problem, fixed, _EVERYTHING, intercepts, np.zeros_like(penalty.lasso))
    steepest = float(np.max(np.abs(null.gradient), initial=0.0))
    made = Null(null, 0.0, min(max(steepest, 1e-6), float(shares.min())))
    if (penalty.lasso == 0).any():
        free = newton_cd(
            problem,
            fixed,
            _EVERYTHING,
            null,
            goal=made.goal(tol),
            max_iter=max_iter,
            candidates=penalty.lasso == 0,
        )
        made = replace(made, solution=free)
    held = penalty.lasso > 0
    steep = np.abs(made.solution.gradient[held]) / penalty.lasso[held]
    most = float(np.max(steep, initial=0.0)) / max(penalty.l1_ratio, _FLOOR)
    return replace(made, alpha_max=most)


def solve_path(
    problem: Problem,
    penalty: Penalty,
    alphas: Sequence[float] | FloatArray,
    *,
    null: Null,
    solver: str = "auto",
    tol: float = 1e-5,
    max_iter: int = 100,
    start: Solution | None = None,
) -> Iterator[Solution]:
    """Yield the solution of each alpha in turn, each started from the one before.

    Parameters
    ----------
    problem : Problem
        The loss.
    penalty : Penalty
        What is penalised.
    alphas : sequence of float
        From the largest to the smallest.
    null : Null
        The model without penalised coordinates.
    solver : {"auto", "newton-cd", "cd", "fista"}, default="auto"
        How to minimise.
    tol : float, default=1e-5
        Largest violation of the optimality conditions, in units of ``null.unit``.
    max_iter : int, default=100
        Outer iterations for each alpha.
    start : Solution, default=None
        Where to begin instead of the null model.

    Notes
    -----
    Coordinates whose slope at the last alpha is below ``l1_ratio (2 alpha - last alpha)`` are
    left out at first (the sequential strong rule); every solver checks them before it stops.
    """
    last = null.solution if start is None else start
    # A given start may be the solution of any alpha: it says nothing of what may be left out.
    before = null.alpha_max if start is None else np.inf
    for alpha in alphas:
        least = 2 * alpha - max(before, alpha)
        keep = np.abs(last.gradient) >= penalty.l1(max(least, 0.0))
        chosen = solver
        if solver == "auto":
            chosen = _chosen(problem, penalty, float(alpha), int(np.count_nonzero(keep)))
        last = SOLVERS[chosen](
            problem,
            penalty,
            float(alpha),
            last,
            goal=null.goal(tol),
            max_iter=max_iter,
            candidates=keep,
        )
        before = alpha
        yield last


def _chosen(problem: Problem, penalty: Penalty, alpha: float, n_candidates: int) -> str:
    """Return the faster solver for so many coordinates that may move."""
    if not penalty.l1(alpha).any():
        # The matrix is solved at once, where columns one by one would crawl; but if it has no
        # inverse, that takes long, too.
        most = min(_MANY, len(problem.design.weights))
    elif penalty.structure != "shared" and penalty.n_boundaries > _MANY_BOUNDARIES:
        most = 0
    else:
        most = _FEW_SPARSE if sparse.issparse(problem.design.X) else _FEW_DENSE
    return "cd" if n_candidates > most else "newton-cd"
