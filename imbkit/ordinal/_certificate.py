"""A proof of how far a lasso solution of the logit is from the best objective: a dual value."""

import numpy as np
from scipy.special import xlog1py, xlogy

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._hessian import hessian
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem, State
from imbkit.ordinal._solution import Solution

__all__ = ["duality_gap"]

_STEPS = 50
_HALVINGS = 40
_EXACT = 2e-16  # a slope of the mean loss that is 0 but for rounding
_VALID = 1e-10  # larger slopes of what is free leave the dual value unproven
_ROUNDING = 1e-14
_RIDGE = 1e-10
_SMALLEST = 1e-300


def duality_gap(problem: Problem, penalty: Penalty, alpha: float, solution: Solution) -> float:
    """Return an upper bound of how much the objective of a solution exceeds the best one.

    Parameters
    ----------
    problem : Problem
        The loss.
    penalty : Penalty
        What is shrunk.
    alpha : float
        How much.
    solution : Solution
        A point of finite loss, optimal or not.

    Returns
    -------
    float
        0 or more but for rounding. NaN where no dual value is at hand: for other links than the
        logit, ``l1_ratio`` below 1, alpha = 0, or unpenalised coordinates without an optimum.

    Notes
    -----
    For slopes u of the rows' losses l at any scores, of which no penalised coordinate sums up to
    more than alpha times its factor and no other to anything, ``-sum(w l*(u))`` with the convex
    conjugate l* is below every objective. The slopes at the solution, once what is free stands at
    its optimum, become such ones when they are divided by the largest excess. O(n p) for a step
    of Newton's method over the intercepts, of which a solution needs about two.
    """
    if problem.link.name != "logit" or penalty.l1_ratio != 1 or not alpha > 0:
        return np.nan
    free = (penalty.lasso == 0) & ~problem.design.constant
    polished = _polished(problem, penalty, solution, free)
    if polished is None:
        return np.nan
    state, gradient = polished
    bound = penalty.l1(alpha)
    held = np.abs(gradient) > bound
    held &= penalty.lasso > 0
    shrink = float(np.min(bound[held] / np.abs(gradient[held]), initial=1.0))
    return solution.objective + float(problem.design.weights @ _conjugates(problem, state, shrink))


def _polished(
    problem: Problem, penalty: Penalty, solution: Solution, free: BoolArray
) -> tuple[State, FloatArray] | None:
    """Return the state and the gradient in theta where all free slopes are 0; None if nowhere."""
    state, matrix, before = solution.state, None, np.inf
    for _ in range(_STEPS):
        slopes = _slopes(problem, penalty, state, free)
        worst = float(np.max(np.abs(slopes)))
        if worst <= _EXACT or (worst > before / 2 and before <= _VALID):
            break
        if matrix is None or worst > before / 10:
            matrix = _curvature(problem, penalty, state, free)
        step = np.linalg.solve(matrix, -slopes)
        found = _search(problem, state, _scores(problem, penalty, step, free))
        if found is None:
            break
        state, before = found, worst
    slopes, boundaries = problem.gradient(state)
    gradient = penalty.collect(boundaries)
    worst = max(np.max(np.abs(slopes)), np.max(np.abs(gradient[free]), initial=0.0))
    return (state, gradient) if worst <= _VALID else None


def _slopes(problem: Problem, penalty: Penalty, state: State, free: BoolArray) -> FloatArray:
    """Return the gradient in the intercepts and in what is free of theta."""
    if free.any():
        slopes, boundaries = problem.gradient(state)
        return np.concatenate([slopes, penalty.collect(boundaries)[free]])
    # The intercepts alone need no pass over the table.
    upper, lower = state.by_upper, state.by_lower
    starts = problem.design.starts
    sums = np.add.reduceat(upper, starts[:-1])[:-1]
    return np.asarray(sums + np.add.reduceat(lower, starts[:-1])[1:])


def _scores(
    problem: Problem, penalty: Penalty, step: FloatArray, free: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return how upper and lower scores change with the intercepts and what is free of theta."""
    n_intercepts = problem.design.n_classes - 1
    if free.any():
        theta = np.zeros(free.shape)
        theta[free] = step[n_intercepts:]
        return problem.scores(step[:n_intercepts], penalty.spread(theta))
    sizes = np.diff(problem.design.starts)
    return np.repeat(np.append(step, 0.0), sizes), np.repeat(np.append(0.0, step), sizes)


def _curvature(problem: Problem, penalty: Penalty, state: State, free: BoolArray) -> FloatArray:
    """Return the Hessian over the intercepts and the free coordinates."""
    columns = np.flatnonzero(free.any(axis=0))
    n_intercepts = problem.design.n_classes - 1
    structure, rows = penalty.structure, free[:, columns]
    if structure == "adjacent" and not rows[1:].any():
        # The first row of theta alone moves all boundaries together, as one shared vector does.
        structure, rows = "shared", rows[:1]
    places = np.concatenate([np.arange(n_intercepts), n_intercepts + np.flatnonzero(rows)])
    whole = hessian(problem, state, columns, structure).matrix
    matrix: FloatArray = whole[np.ix_(places, places)]
    diagonal = np.einsum("ii->i", matrix)
    diagonal += max(_RIDGE * float(diagonal.mean()), _SMALLEST)
    return matrix


def _search(problem: Problem, here: State, step: tuple[FloatArray, FloatArray]) -> State | None:
    """Halve a step of the scores until the loss does not rise."""
    size = 1.0
    for _ in range(_HALVINGS):
        state = problem.state(here.upper + size * step[0], here.lower + size * step[1])
        if state.loss <= here.loss + _ROUNDING * (1 + abs(here.loss)):
            return state
        size /= 2
    return None


def _conjugates(problem: Problem, state: State, shrink: float) -> FloatArray:
    """Return each row's conjugate at its slopes times a factor of at most 1."""
    starts = problem.design.starts
    out = np.empty_like(state.upper)
    first, last = slice(0, starts[1]), slice(starts[-2], None)
    out[first] = _of_end(-shrink * problem.link.first(state.upper[first])[1])
    out[last] = _of_end(shrink * problem.link.last(state.lower[last])[1])
    mid = slice(starts[1], starts[-2])
    upper, lower = state.upper[mid], state.lower[mid]
    if len(upper):
        cdf, survival = problem.link.cdf, problem.link.survival
        _, by_upper, by_lower = problem.link.between(upper, lower)
        # The slopes differ by F(lower) - (1 - F(upper)), in (-1, 1): from large slopes, or near
        # an end, only sums of positive terms have the digits of its distance from either.
        above = (1 - shrink) + shrink * (cdf(lower) + cdf(upper))
        below = (1 - shrink) + shrink * (survival(lower) + survival(upper))
        out[mid] = _of_between(shrink * by_lower, -shrink * by_upper, above, below)
    return out


def _of_end(u: FloatArray) -> FloatArray:
    """Return max of u z - log(1 + exp(z)) over z, for u in [0, 1]."""
    return np.asarray(xlogy(u, u) + xlog1py(1 - u, -u))


def _of_between(s: FloatArray, t: FloatArray, above: FloatArray, below: FloatArray) -> FloatArray:
    """Return max of s a - t b + log(F(b) - F(a)) over a < b, for s, t >= 0.

    ``above`` and ``below`` are 1 + s - t and 1 - s + t, both positive. At the maximum F(a) and
    1 - F(b) are ``low`` and ``high``, the roots of quadratics that are written so that no two
    close numbers are subtracted, and ``gap`` is F(b) - F(a).
    """
    q = np.sqrt(1 + 4 * s * t)
    gap = above * below / (q + s + t)
    low = np.maximum(2 * s * above / (1 + 2 * s + q), _SMALLEST)
    high = np.maximum(2 * t * below / (1 + 2 * t + q), _SMALLEST)
    value = 0.5 * (above - below) * np.log((low + gap) / (high + gap))
    value -= s * np.log1p(gap / low)
    value -= t * np.log1p(gap / high)
    value += np.log(gap)
    return np.asarray(value)
