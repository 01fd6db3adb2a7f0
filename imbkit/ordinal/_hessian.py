"""The matrix of second derivatives over the intercepts and some columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.ordinal._penalty import Structure
from imbkit.ordinal._problem import Problem, State

__all__ = ["Hessian", "hessian"]

_CELLS = 2**17  # entries of a block of weighted rows: 1 MiB


@dataclass(frozen=True, slots=True)
class Hessian:
    """Second derivatives of the loss in the intercepts and in theta of some columns.

    Parameters
    ----------
    matrix : ndarray of shape (K - 1 + q m, K - 1 + q m)
        Intercepts first, then the m columns of theta's first row, of its second, and so on.
    columns : ndarray of shape (m,)
        Which columns, sorted.
    has : ndarray of bool, shape (p,)
        The same for all columns of the table.
    """

    matrix: FloatArray
    columns: IntArray
    has: BoolArray


def hessian(problem: Problem, state: State, columns: IntArray, structure: Structure) -> Hessian:
    """Return the observed Hessian at a state.

    Parameters
    ----------
    problem : Problem
        The loss.
    state : State
        Where.
    columns : ndarray of shape (m,)
        Sorted columns to include.
    structure : {"adjacent", "shared", "free"}
        Which coordinates make the weights.

    Notes
    -----
    In the boundaries' own weights it is block tridiagonal, since a row touches two adjacent
    boundaries. It takes 3 n m**2 multiplications, one third of it where all share one vector.
    """
    make = _shared if structure == "shared" else _by_boundary
    has = np.zeros(problem.design.n_columns, dtype=bool)
    has[columns] = True
    return Hessian(make(problem, state, columns, structure), columns, has)


def _by_boundary(
    problem: Problem, state: State, columns: IntArray, structure: Structure
) -> FloatArray:
    """Sum per class into blocks of pairs of boundaries, then change the coordinates."""
    last, m = problem.design.n_classes - 1, len(columns) + 1
    pairs = np.zeros((last, last, m, m))
    starts = problem.design.starts
    curvature = problem.curvature(state)
    for c, block in enumerate(problem.blocks):
        uu, ll, ul = (part[starts[c] : starts[c + 1]] for part in curvature)
        # Mixed derivatives are never positive: the scores of a row pull at each other.
        uu_sum, ll_sum, ul_sum = _weighted_squares(block, columns, (uu, ll, -ul))
        if c < last:
            pairs[c, c] += uu_sum
        if c > 0:
            pairs[c - 1, c - 1] += ll_sum
        if 0 < c < last:
            pairs[c - 1, c] -= ul_sum
            pairs[c, c - 1] -= ul_sum
    if structure == "adjacent":
        # The first column of a block belongs to the intercept, which is not accumulated.
        for axis, part in ((0, pairs[:, :, 1:, :]), (1, pairs[:, :, :, 1:])):
            part[...] = np.flip(np.cumsum(np.flip(part, axis), axis=axis), axis)
    whole = np.empty((last * m, last * m))
    inner = whole[last:, last:].reshape(last, m - 1, last, m - 1)
    inner[...] = pairs[:, :, 1:, 1:].transpose(0, 2, 1, 3)
    whole[:last, :last] = pairs[:, :, 0, 0]
    whole[:last, last:] = pairs[:, :, 0, 1:].reshape(last, -1)
    whole[last:, :last] = whole[:last, last:].T
    return whole


def _shared(problem: Problem, state: State, columns: IntArray, structure: Structure) -> FloatArray:
    """Where a row's two scores move together, their curvatures add up before the columns."""
    last, m = problem.design.n_classes - 1, len(columns)
    starts = problem.design.starts
    uu, ll, ul = problem.curvature(state)
    whole = np.zeros((last + m, last + m))
    together = np.maximum(uu + ll + 2 * ul, 0)
    for c, block in enumerate(problem.blocks):
        squares = _weighted_squares(block, columns, (together[starts[c] : starts[c + 1]],))[0]
        whole[last:, last:] += squares[1:, 1:]
    sums, weighted = problem.collected(uu + ul, ll + ul)
    whole[:last, last:] = weighted[:, columns]
    whole[last:, :last] = whole[:last, last:].T
    mixed = np.add.reduceat(ul, starts[:-1])[1:-1]
    here = np.arange(last)
    # The plain sums hold the mixed derivatives of the classes on either side, too.
    whole[here, here] = sums
    whole[here[:-1], here[:-1]] -= mixed
    whole[here[1:], here[1:]] -= mixed
    whole[here[:-1], here[1:]] = whole[here[1:], here[:-1]] = mixed
    return whole


def _weighted_squares(
    block: Any, columns: IntArray, weights: Sequence[FloatArray]
) -> list[FloatArray]:
    """Return ``Z' diag(w) Z`` for each w >= 0, Z being ones beside some of the block's columns."""
    m = len(columns) + 1
    if not isinstance(block, np.ndarray):
        Z = block[:, columns].astype(np.float64)
        return [_sparse_squares(Z, each) for each in weights]
    total: list[FloatArray] = [np.zeros((m, m)) for _ in weights]
    rows = max(256, _CELLS // m)
    some = len(columns) < block.shape[1]
    for low in range(0, block.shape[0], rows):
        span = slice(low, min(low + rows, block.shape[0]))
        Z = np.ones((m, span.stop - low))
        turned: AnyArray = block.T[:, span]
        Z[1:] = turned[columns] if some else turned
        for out, each in zip(total, weights, strict=True):
            if each[span].any():
                rooted = Z * np.sqrt(each[span])
                out += rooted @ rooted.T
    return total


def _sparse_squares(Z: Any, weight: FloatArray) -> FloatArray:
    out = np.empty((Z.shape[1] + 1, Z.shape[1] + 1))
    scaled = Z.multiply(weight[:, None]).tocsr()
    out[1:, 1:] = (Z.T @ scaled).toarray()
    out[0, 0] = weight.sum()
    out[0, 1:] = out[1:, 0] = Z.T @ weight
    return out
