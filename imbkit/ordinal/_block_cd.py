"""Prox-Newton steps whose models are minimised column by column, without a Gram matrix."""

from typing import Any

import numpy as np
from scipy import sparse

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._kkt import excess
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solution import Solution, rejudged, solution_at

__all__ = ["block_cd"]

_ENOUGH = 1e-4  # share of the promised decrease that a step must bring
_RESOLUTION = 1e-14  # relative change of the objective that rounding can hide
_SHORTEST = 1e-12
_SWEEPS = 1000
_FORCING = 0.03  # violation left in the model, as a share of the one before the step
_MARGIN = 0.3  # the same as a share of the goal


def block_cd(
    problem: Problem,
    penalty: Penalty,
    alpha: float,
    start: Solution,
    *,
    goal: float,
    max_iter: int,
    candidates: BoolArray,
) -> Solution:
    """Minimise by prox-Newton steps with block coordinate descent inside.

    Parameters
    ----------
    problem, penalty, alpha :
        The objective.
    start : Solution
        First point, of finite loss.
    goal : float
        Largest permitted violation of the optimality conditions.
    max_iter : int
        Largest number of Newton steps.
    candidates : ndarray of bool, shape (q, p)
        A column with a candidate moves from the first step on; so does one with weight.

    Returns
    -------
    Solution
        Converged, or the point where `max_iter` or the numbers' resolution ended the search.

    Notes
    -----
    At a point, the loss is replaced by its quadratic model with the observed curvature. For each
    column, one pass over its entries gives the slopes of its K - 1 weights, whose curvature is
    tridiagonal; a small descent settles the column; a second pass brings the two slopes of every
    row up to date. A sweep over m columns of n rows costs O(n m) for any K, with O(n + m K) of
    memory. Intercepts follow each column at once, so uncentred columns do no harm. The step is
    halved until the objective falls, which also keeps it within the domain. Columns outside
    the working set are looked at when the set is solved; those that violate their conditions
    join it.
    """
    found = rejudged(start, penalty, alpha, goal)
    working = candidates.any(axis=0)
    done = 0
    while not found.converged and done < max_iter:
        working |= (found.excess > goal).any(axis=0) | (found.theta != 0).any(axis=0)
        descent = _Descent(problem, penalty, alpha, found, np.flatnonzero(working))
        violation, moved = found.violation, True
        while moved and violation > goal and done < max_iter:
            moved = descent.step(max(_MARGIN * goal, _FORCING * violation))
            violation = descent.violation()
            done += 1
        # The scores were summed up step by step: here they are what the point itself gives.
        found = solution_at(
            problem, penalty, alpha, descent.intercepts, descent.theta, n_iter=done, goal=goal
        )
        # Numbers' resolution ends the search, unless columns stand by that have not been tried.
        if not (moved or ((found.excess > goal).any(axis=0) & ~working).any()):
            break
    return found


class _Descent:
    """A point, the columns that may move, and what is known of the loss there."""

    def __init__(
        self,
        problem: Problem,
        penalty: Penalty,
        alpha: float,
        start: Solution,
        working: np.ndarray,
    ) -> None:
        self.problem, self.penalty, self.alpha = problem, penalty, alpha
        self.l1, self.l2 = penalty.l1(alpha), penalty.l2(alpha)
        self.intercepts, self.theta, self.state = start.intercepts, start.theta, start.state
        self.objective = start.objective
        self.slopes = self.state.by_upper, self.state.by_lower
        self.working = working
        self.columns, self.which = _columns(problem, working)

    def violation(self) -> float:
        """Return by how much intercepts and working columns violate their conditions."""
        from imbkit._kernels.ordinal import project

        starts = self.problem.design.starts
        upper, lower = self.slopes
        out = np.empty((len(self.which), len(self.intercepts)))
        project(self.columns, self.which, upper, lower, out)
        some = self.working
        off = excess(
            self.penalty.collect(out.T), self.theta[:, some], self.l1[:, some], self.l2[:, some]
        )
        return max(
            float(np.max(off, initial=0.0)), float(np.abs(_ends(upper, lower, starts)).max())
        )

    def step(self, inner: float) -> bool:
        """Move to the minimum of the quadratic model, or part of the way; say if it moved."""
        from imbkit._kernels.ordinal import descend
        from imbkit._kernels.ordinal_columns import ADJACENT, FREE, SHARED, score

        structure = {"adjacent": ADJACENT, "shared": SHARED, "free": FREE}
        some, starts = self.working, self.problem.design.starts
        old = np.ascontiguousarray(self.theta[:, some].T)
        new, shift = old.copy(), np.zeros_like(self.intercepts)
        upper, lower = (side.copy() for side in self.slopes)
        descend(
            self.columns, self.which, *self._model(), structure[self.penalty.structure],
            np.ascontiguousarray(self.l1[:, some].T), np.ascontiguousarray(self.l2[:, some].T),
            inner, _SWEEPS, new, upper, lower, shift,
        )  # fmt: skip
        change = np.zeros_like(self.theta)
        change[:, some] = (new - old).T
        counts = np.diff(starts)
        upper = np.repeat(np.append(shift, 0.0), counts)
        lower = np.repeat(np.append(0.0, shift), counts)
        moves = np.ascontiguousarray(self.penalty.spread((new - old).T).T)
        score(self.columns, self.which, moves, upper, lower)
        return self._search(shift, change, upper, lower)

    def _model(self) -> tuple[Any, Any]:
        """Return the curvature of the rows, and that of intercepts and working columns."""
        from imbkit._kernels.ordinal import Model
        from imbkit._kernels.ordinal_columns import Curvature, curve

        starts = self.problem.design.starts
        curvature = Curvature(*self.problem.curvature(self.state))
        shape = (len(self.which), len(self.intercepts), 2)
        squares, crosses = np.empty(shape), np.empty(shape)
        curve(self.columns, self.which, curvature, squares, crosses)
        plain = np.empty(shape[1:])
        plain[:, 0] = _ends(curvature.upper, curvature.lower, starts)
        plain[:, 1] = np.add.reduceat(curvature.mixed, starts[:-1])[:-1]
        # The mean of a column under the curvature of a common shift of all scores.
        total = plain.sum() + plain[1:, 1].sum()
        centre = crosses.sum(axis=(1, 2)) + crosses[:, 1:, 1].sum(axis=1)
        centre = centre / total if total > 0 else np.zeros_like(centre)
        return curvature, Model(squares, crosses, plain, centre)

    def _search(
        self, shift: FloatArray, change: FloatArray, upper: FloatArray, lower: FloatArray
    ) -> bool:
        """Halve the step until it brings enough of what its slope promises."""
        before = self.objective - self.state.loss
        promise = float(self.slopes[0] @ upper + self.slopes[1] @ lower)
        promise += self.penalty.value(self.theta + change, self.alpha) - before
        slack = _RESOLUTION * abs(self.objective)
        length = 1.0
        while length > _SHORTEST:
            theta = self.theta + length * change
            state = self.problem.state(
                self.state.upper + length * upper, self.state.lower + length * lower
            )
            objective = state.loss + self.penalty.value(theta, self.alpha)
            if objective <= self.objective + _ENOUGH * length * min(promise, 0.0) + slack:
                break
            length /= 2
        else:
            return False
        self.intercepts = self.intercepts + length * shift
        self.theta, self.state, self.objective = theta, state, objective
        self.slopes = state.by_upper, state.by_lower
        return True


def _ends(upper: FloatArray, lower: FloatArray, starts: np.ndarray) -> FloatArray:
    """Sum parts of rows over the rows of each boundary."""
    above, below = (np.add.reduceat(side, starts[:-1]) for side in (upper, lower))
    return np.asarray(above[:-1] + below[1:])


def _columns(problem: Problem, working: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return the table in the kernels' form, and where in it the working columns stand."""
    from imbkit._kernels.ordinal_columns import Columns

    design = problem.design
    codes = np.repeat(np.arange(design.n_classes), np.diff(design.starts))
    double, single = np.zeros((0, 0)), np.zeros((0, 0), np.float32)
    data, none = np.zeros(0), np.zeros(0, np.int32)
    indices, indptr, which = none, none, working
    X: Any = design.X
    if sparse.issparse(design.X):
        X = X[:, working].tocsc()
        # In one type wherever that can be: each further one would be compiled for.
        kind = np.int32 if X.nnz <= np.iinfo(np.int32).max else np.int64
        data = X.data.astype(np.float64, copy=False)
        indices, indptr = (side.astype(kind, copy=False) for side in (X.indices, X.indptr))
        which = np.arange(len(working))
    elif X.dtype == np.float64:
        double = X.T
    else:
        single = X.T
    return Columns(double, single, data, indices, indptr, design.starts, codes), which
