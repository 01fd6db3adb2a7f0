"""A point of the optimisation and what is known of it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._kkt import excess
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem, State

__all__ = ["Solution", "Solver", "rejudged", "solution_at"]


@dataclass(frozen=True, slots=True)
class Solution:
    """Where a solver stopped.

    Parameters
    ----------
    intercepts : ndarray of shape (K - 1,)
        Of the boundaries, for standardised columns.
    theta : ndarray of shape (q, p)
        The penalised coordinates.
    state : State
        The scores of all rows and the loss there.
    slopes : ndarray of shape (K - 1,)
        Gradient of the loss in the intercepts.
    gradient : ndarray of shape (q, p)
        Gradient of the loss in theta.
    objective : float
        Loss plus penalty.
    excess : ndarray of shape (q, p)
        By how much each coordinate violates its optimality condition.
    violation : float
        The largest of them, intercepts included.
    n_iter : int
        Outer iterations.
    converged : bool
        Whether the violation is as small as was asked for.
    """

    intercepts: FloatArray
    theta: FloatArray
    state: State
    slopes: FloatArray
    gradient: FloatArray
    objective: float
    excess: FloatArray
    violation: float
    n_iter: int = 0
    converged: bool = True

    @property
    def loss(self) -> float:
        """Mean negative log-likelihood."""
        return self.state.loss


class Solver(Protocol):
    """What minimises the objective from a start, here one of the functions in `_solve.py`."""

    def __call__(
        self,
        problem: Problem,
        penalty: Penalty,
        alpha: float,
        start: Solution,
        *,
        goal: float,
        max_iter: int,
        candidates: BoolArray,
    ) -> Solution:
        """Return a point whose violation is at most `goal`, or the best within `max_iter`.

        `start` must have a finite loss. `candidates` (q, p) says which coordinates may move at
        first; others join when they violate their condition.
        """


def solution_at(
    problem: Problem,
    penalty: Penalty,
    alpha: float,
    intercepts: FloatArray,
    theta: FloatArray,
    *,
    state: State | None = None,
    n_iter: int = 0,
    goal: float = np.inf,
) -> Solution:
    """Return all that a `Solution` tells, for a given point.

    Parameters
    ----------
    problem, penalty, alpha, intercepts, theta :
        The objective and the point.
    state : State, default=None
        The problem's state at the point, if it is known.
    n_iter : int, default=0
        Outer iterations made.
    goal : float, default=inf
        Violation up to which the point counts as converged.
    """
    if state is None:
        state = problem.evaluate(intercepts, penalty.spread(theta))
    slopes, boundaries = problem.gradient(state)
    known = (intercepts, theta, state, slopes, penalty.collect(boundaries))
    return _judged(known, penalty, alpha, n_iter, goal)


def rejudged(solution: Solution, penalty: Penalty, alpha: float, goal: float) -> Solution:
    """Return what the same point is for another alpha; no row is looked at again."""
    known = (solution.intercepts, solution.theta, solution.state, solution.slopes)
    return _judged((*known, solution.gradient), penalty, alpha, 0, goal)


def _judged(
    known: tuple[FloatArray, FloatArray, State, FloatArray, FloatArray],
    penalty: Penalty,
    alpha: float,
    n_iter: int,
    goal: float,
) -> Solution:
    _, theta, state, slopes, gradient = known
    off = excess(gradient, theta, penalty.l1(alpha), penalty.l2(alpha))
    violation = max(float(np.max(off, initial=0.0)), float(np.max(np.abs(slopes))))
    objective = state.loss + penalty.value(theta, alpha)
    return Solution(*known, objective, off, violation, n_iter, violation <= goal)
