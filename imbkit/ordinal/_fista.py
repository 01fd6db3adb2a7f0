"""Accelerated proximal gradient steps: the plain solver that the others are held against."""

from dataclasses import dataclass

import numpy as np

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._kkt import excess
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem, State
from imbkit.ordinal._solution import Solution, solution_at

__all__ = ["fista"]

_BATCH = 100  # gradient steps that count as one outer iteration
_GROWTH = 1.05  # of the step length, tried with every step
_SHORTEST = 1e-14
_FLAT = 1e-12  # curvature below which a coordinate counts as flat, as a share of the largest


def fista(
    problem: Problem,
    penalty: Penalty,
    alpha: float,
    start: Solution,
    *,
    goal: float,
    max_iter: int,
    candidates: BoolArray,
) -> Solution:
    """Minimise by proximal gradient steps with momentum.

    Parameters
    ----------
    problem, penalty, alpha :
        The objective.
    start : Solution
        First point, of finite loss.
    goal : float
        Largest permitted violation of the optimality conditions.
    max_iter : int
        Largest number of outer iterations; here 100 gradient steps are one of them.
    candidates : ndarray of bool, shape (q, p)
        Not used: every step moves all coordinates.

    Returns
    -------
    Solution
        Converged, or the point where `max_iter` or the numbers' resolution ended the search.

    Notes
    -----
    The loss has a barrier, so no one step length serves everywhere: a step is halved until it is
    within the domain and the slope along it has changed no more than its length allows. Steps
    are measured by the curvature where the momentum last started: tridiagonal in the
    intercepts, which are not penalised, and diagonal in the rest. The momentum starts anew when
    it points uphill [2]_ or leads out of the domain. A step takes two gradients, O(n p) each for
    any number of classes.

    References
    ----------
    .. [1] A. Beck, M. Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear
       Inverse Problems", SIAM Journal on Imaging Sciences 2(1), 2009, doi:10.1137/080716542.
    .. [2] B. O'Donoghue, E. Candes, "Adaptive Restart for Accelerated Gradient Schemes",
       Foundations of Computational Mathematics 15, 2015, doi:10.1007/s10208-013-9150-3.
    """
    objective = _Objective(problem, penalty, alpha)
    at = before = objective.point(start.intercepts, start.theta)
    metric, length, momentum, steps = objective.metric(at), 1.0, 1.0, 0
    while at.violation > goal and steps < max_iter * _BATCH:
        steps += 1
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        share, ahead = (momentum - 1) / following, at
        if share > 0:
            ahead = objective.point(*((1 + share) * a - share * b for a, b in _pairs(at, before)))
        if not np.isfinite(ahead.state.loss):
            ahead, following = at, 1.0
        found = objective.step(ahead, metric, length * _GROWTH)
        if found is None:
            break
        new, length = found
        turn = metric.product(
            *(a - b for a, b in _pairs(ahead, new)), *(a - b for a, b in _pairs(new, at))
        )
        at, before, momentum = new, at, following
        if turn > 0 or following == 1.0:
            before, metric, length, momentum = at, objective.metric(at), 1.0, 1.0
    return solution_at(
        problem, penalty, alpha, at.intercepts, at.theta,
        n_iter=-(-steps // _BATCH), goal=goal,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Point:
    """Coordinates, and the loss with its slopes in them, which are empty out of the domain."""

    intercepts: FloatArray
    theta: FloatArray
    state: State
    level: FloatArray
    slopes: FloatArray
    violation: float


@dataclass(frozen=True, slots=True)
class _Metric:
    """A scale of steps: a matrix for the intercepts, a factor for each row of theta."""

    matrix: FloatArray
    factors: FloatArray  # (q, 1)

    def product(self, a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> float:
        """Return the inner product of (a, b) with (c, d), intercepts first."""
        return float(a @ self.matrix @ c + np.sum(self.factors * b * d))


@dataclass(frozen=True, slots=True)
class _Objective:
    """The loss, its penalty, and proximal steps on them."""

    problem: Problem
    penalty: Penalty
    alpha: float

    def point(self, intercepts: FloatArray, theta: FloatArray) -> _Point:
        """Evaluate loss, slopes and violation at coordinates."""
        state = self.problem.evaluate(intercepts, self.penalty.spread(theta))
        if not np.isfinite(state.loss):
            return _Point(intercepts, theta, state, intercepts[:0], theta[:0], np.inf)
        level, slopes = self.problem.gradient(state)
        slopes = self.penalty.collect(slopes)
        off = excess(slopes, theta, self.penalty.l1(self.alpha), self.penalty.l2(self.alpha))
        violation = max(float(np.abs(level).max()), float(off.max(initial=0.0)))
        return _Point(intercepts, theta, state, level, slopes, violation)

    def metric(self, at: _Point) -> _Metric:
        """Return the curvature in the intercepts; columns have mean square 1, so also theirs."""
        upper, lower, mixed = self.problem.curvature(at.state)
        first = self.problem.design.starts[:-1]
        matrix = np.diag(self.problem.collected(upper, lower)[0])
        beside = np.add.reduceat(mixed, first)[1:-1]
        matrix += np.diag(beside, 1) + np.diag(beside, -1)
        flat = _FLAT * matrix.max()
        matrix[np.diag_indices_from(matrix)] += flat
        weights = self.penalty.spread(np.eye(len(at.theta)))
        factors = np.einsum("kq,kl,lq->q", weights, matrix, weights)
        return _Metric(matrix, np.maximum(factors, flat)[:, None])

    def step(self, ahead: _Point, metric: _Metric, length: float) -> tuple[_Point, float] | None:
        """Return the proximal step and its length, or None where it must be too short."""
        down = np.linalg.solve(metric.matrix, ahead.level)
        l1, l2 = self.penalty.l1(self.alpha), self.penalty.l2(self.alpha)
        while length > _SHORTEST:
            scale = length / metric.factors
            moved = ahead.theta - scale * ahead.slopes
            moved = np.sign(moved) * np.maximum(np.abs(moved) - scale * l1, 0) / (1 + scale * l2)
            new = self.point(ahead.intercepts - length * down, moved)
            if np.isfinite(new.state.loss):
                a, b = (x - y for x, y in _pairs(new, ahead))
                bend = a @ (new.level - ahead.level) + np.sum(b * (new.slopes - ahead.slopes))
                if bend * length <= metric.product(a, b, a, b):
                    return new, length
            length /= 2
        return None


def _pairs(
    a: _Point, b: _Point
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Return the coordinates of two points beside each other."""
    return (a.intercepts, b.intercepts), (a.theta, b.theta)
