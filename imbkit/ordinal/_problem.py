"""The loss of a cumulative-link model on a table: value, gradient and curvature.

A row of class c touches two boundaries only: its upper score, of boundary c, and its lower score,
of boundary c - 1. Rows stand sorted by class, so every boundary works on blocks of rows, and
value and gradient cost the same for any number of classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from imbkit._core.types import FloatArray, IntArray
from imbkit.ordinal._design import Design
from imbkit.ordinal._link import Link

__all__ = ["Problem", "State"]

_ROWS = 8192  # rows of a float32 table that are taken to float64 at a time


@dataclass(frozen=True, slots=True)
class State:
    """The scores of all rows and the loss there.

    Parameters
    ----------
    loss : float
        Weighted mean of ``-log P(class of the row)``; inf where a probability is not positive.
    upper, lower : ndarray of shape (n,)
        Scores of the boundaries above and below the row's class: inf above the last class,
        -inf below the first.
    by_upper, by_lower : ndarray of shape (n,)
        Each row's part of the loss's slope in either score; finite also where the loss is not.
    """

    loss: float
    upper: FloatArray
    lower: FloatArray
    by_upper: FloatArray
    by_lower: FloatArray


class Problem:
    """The mean negative log-likelihood of a table under a link.

    Parameters
    ----------
    design : Design
        The table, sorted and standardised.
    link : Link
        The distribution function of the scores.
    """

    def __init__(self, design: Design, link: Link) -> None:
        self.design = design
        self.link = link
        starts = design.starts.tolist()
        self._spans = [slice(*pair) for pair in pairwise(starts)]
        # Slices of dense rows are views; of sparse ones copies, so they are made once.
        self.blocks = [design.X[span] for span in self._spans]
        # Along a path of penalties the curvature changes little: a solver may start from it.
        self.last_hessian: Any = None
        self._first = self._spans[0]
        self._last = self._spans[-1]
        self._between = slice(starts[1], starts[-2])

    def evaluate(self, intercepts: FloatArray, weights: FloatArray) -> State:
        """Return the state at a point.

        Parameters
        ----------
        intercepts : ndarray of shape (K - 1,)
            One a boundary.
        weights : ndarray of shape (K - 1, p)
            One row a boundary.
        """
        upper, lower = self.scores(intercepts, weights)
        upper[self._last], lower[self._first] = np.inf, -np.inf
        return self.state(upper, lower)

    def scores(self, intercepts: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return upper and lower scores, linear in the point: 0 where there is no boundary."""
        n, last = len(self.design.weights), self.design.n_classes - 1
        upper, lower = np.zeros(n), np.zeros(n)
        for c, (block, span) in enumerate(zip(self.blocks, self._spans, strict=True)):
            sides = [side for side in (c, c - 1) if 0 <= side < last]
            for side, scores in zip(sides, _products(block, weights[sides]), strict=True):
                (upper if side == c else lower)[span] = scores + intercepts[side]
        return upper, lower

    def state(self, upper: FloatArray, lower: FloatArray) -> State:
        """Return the state of given scores."""
        share, first, last, mid = self.design.weights, self._first, self._last, self._between
        by_upper, by_lower = np.zeros_like(upper), np.zeros_like(lower)
        loss, by_upper[first] = self.link.first(upper[first])
        total = share[first] @ loss
        loss, by_lower[last] = self.link.last(lower[last])
        total += share[last] @ loss
        if mid.start < mid.stop:
            loss, by_upper[mid], by_lower[mid] = self.link.between(upper[mid], lower[mid])
            total += share[mid] @ loss
        by_upper *= share
        by_lower *= share
        return State(float(total), upper, lower, by_upper, by_lower)

    def curvature(self, state: State) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return each row's second derivatives: upper twice, lower twice, and mixed."""
        first, last, mid = self._first, self._last, self._between
        upper, lower, mixed = (np.zeros_like(state.upper) for _ in range(3))
        upper[first] = self.link.first_curvature(state.upper[first])
        lower[last] = self.link.last_curvature(state.lower[last])
        if mid.start < mid.stop:
            parts = self.link.between_curvature(state.upper[mid], state.lower[mid])
            upper[mid], lower[mid], mixed[mid] = parts
        for part in (upper, lower, mixed):
            part *= self.design.weights
        return upper, lower, mixed

    def gradient(self, state: State) -> tuple[FloatArray, FloatArray]:
        """Return the gradient in the intercepts (K - 1,) and in the weights (K - 1, p)."""
        return self.collected(state.by_upper, state.by_lower)

    def collected(self, upper: FloatArray, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sum parts of rows over the rows of each boundary, plainly and times the columns.

        Parameters
        ----------
        upper, lower : ndarray of shape (n,)
            What a row adds to its upper and its lower boundary.

        Returns
        -------
        ndarray of shape (K - 1,)
            Plain sums.
        ndarray of shape (K - 1, p)
            Sums of the part times the row.
        """
        last = self.design.n_classes - 1
        sums = _class_sums(upper, self.design.starts)[:-1]
        sums += _class_sums(lower, self.design.starts)[1:]
        weighted = np.zeros((last, self.design.n_columns))
        for c, (block, span) in enumerate(zip(self.blocks, self._spans, strict=True)):
            sides = [side for side in (c, c - 1) if 0 <= side < last]
            parts = [(upper if side == c else lower)[span] for side in sides]
            for side, total in zip(sides, _sums_of_rows(block, parts), strict=True):
                weighted[side] += total
        return sums, weighted

    def shares(self) -> FloatArray:
        """Return the weight of each class, of shape (K,)."""
        return _class_sums(self.design.weights, self.design.starts)

    def crossings(self, intercepts: FloatArray, weights: FloatArray) -> int:
        """Count the rows at which some boundaries stand in the wrong order."""
        count = 0
        for block in self.blocks:
            scores = np.stack(_products(block, weights), axis=1) + intercepts
            count += int(np.count_nonzero((np.diff(scores, axis=1) < 0).any(axis=1)))
        return count


def _class_sums(values: FloatArray, starts: IntArray) -> FloatArray:
    """Sum over the rows of each class; every class has rows."""
    return np.add.reduceat(values, starts[:-1])


# A matrix times one vector after another is up to three times faster than times two columns.
def _products(block: Any, vectors: FloatArray) -> list[FloatArray]:
    """Return block @ vector for each vector, with float64 sums."""
    if sparse.issparse(block) or block.dtype == np.float64:
        return [block @ vector for vector in vectors]
    out = np.empty((len(vectors), block.shape[0]))
    for low in range(0, block.shape[0], _ROWS):
        rows = block[low : low + _ROWS].astype(np.float64)
        for each, vector in zip(out, vectors, strict=True):
            each[low : low + _ROWS] = rows @ vector
    return list(out)


def _sums_of_rows(block: Any, parts: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the sum of rows times their part for each list of parts, in float64."""
    if sparse.issparse(block) or block.dtype == np.float64:
        return [block.T @ part for part in parts]
    out = np.zeros((len(parts), block.shape[1]))
    for low in range(0, block.shape[0], _ROWS):
        rows = block[low : low + _ROWS].astype(np.float64)
        for each, part in zip(out, parts, strict=True):
            each += part[low : low + _ROWS] @ rows
    return list(out)
