"""What share of a row's neighbours is of other classes."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.neighbors import KDTree

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._row_tiles import (
    Points,
    Transform,
    mutual_sums,
    sums_over,
    tiles_of,
    weighted_mean,
)

__all__ = ["NeighborCounts", "foreign_shares", "pair_work", "within"]

_SHRINK = 1e-12  # relative: at the radius itself a row is no neighbour, whatever rounding says
_COLUMNS = 15  # up to which a tree is tried
_ROWS = 2**13  # from which on
_PROBE = 64  # rows that try it
_GROUPS = 4  # different weights in a class up to which a tree is grown for each


def within(radius: float) -> Transform:
    """Return a transform that says which pairs are nearer than a radius, as 1.0 or 0.0."""
    limit = (radius * (1 - _SHRINK)) ** 2

    def near(tile: FloatArray, left: Points, right: Points) -> FloatArray:
        slack = left.slack(right)
        inside, sure = tile > -(limit + slack), tile > -(limit - slack)
        unsure = np.not_equal(inside, sure, out=sure)
        if unsure.any():
            i, j = np.nonzero(unsure)
            inside[i, j] = left.squared_distances(right, i, j) <= limit
        np.copyto(tile, inside)
        return tile

    return near


class NeighborCounts:
    """Count the neighbours of all rows, by trees or by tiles of distances: the same numbers.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        Rows.
    codes : ndarray of int, shape (n,)
        Class of each.
    weights : ndarray of shape (n,)
        How much a row counts as a neighbour; rows of weight 0 are asked about only.
    radius : float
        Rows strictly nearer than this are neighbours, and each row is its own.
    path : {"tree", "tiles"} or None, default=None
        How to count; None chooses by counted work.

    Attributes
    ----------
    work : float
        About how many nanoseconds of one core it takes.
    """

    def __init__(
        self, X: Any, codes: IntArray, weights: FloatArray, radius: float, path: str | None = None
    ) -> None:
        self.X, self.codes, self.weights, self.radius = X, codes, weights, radius
        self._reach = radius * (1 - _SHRINK)
        self._trees: list[tuple[int, float, KDTree]] = []
        self.work = 0.0 if radius == 0 else 0.5 * pair_work(X) * float(len(codes)) ** 2
        if path == "tree" or (path is None and self._may_grow()):
            self._grow()
            tree_work = self._tree_work()
            if path is None and tree_work > self.work:
                self._trees = []
            else:
                self.work = tree_work

    def __call__(self, n_jobs: int | None) -> tuple[FloatArray, FloatArray]:
        """Return the neighbours' weight (n,) of a row's own class, and that of the others."""
        n = len(self.codes)
        own, others = np.zeros(n), np.zeros(n)
        if self.radius == 0:
            return own, others
        for code, weight, tree in self._trees:
            found = weight * tree.query_radius(self.X, self._reach, count_only=True)
            inside = self.codes == code
            own[inside] += found[inside]
            others[~inside] += found[~inside]
        return (own, others) if self._trees else self._by_tiles(n_jobs)

    def _by_tiles(self, n_jobs: int | None) -> tuple[FloatArray, FloatArray]:
        """Compare all pairs."""
        X, codes, near = self.X, self.codes, within(self.radius)
        own, others = np.zeros(len(codes)), np.zeros(len(codes))
        counted, idle = np.flatnonzero(self.weights > 0), np.flatnonzero(self.weights == 0)
        counted = counted[np.argsort(codes[counted], kind="stable")]
        v, c = self.weights[counted], codes[counted]
        centre = weighted_mean(X, counted, v)
        points = Points(X, counted, centre)
        own[counted], others[counted] = mutual_sums(points, tiles_of(c), v, near, n_jobs)
        for code in np.unique(codes[idle]):
            asked = idle[codes[idle] == code]

            def queries(low: int, high: int, asked: IntArray = asked) -> Points:
                return Points(X, asked[low:high], centre)

            split = np.column_stack((v * (c == code), v * (c != code)))
            found = sums_over(queries, len(asked), points, split, near, n_jobs)
            own[asked], others[asked] = found.T
        return own, others

    def _may_grow(self) -> bool:
        """Whether trees may pay: few columns, many rows, a handful of different weights."""
        n, p = self.X.shape
        if sparse.issparse(self.X) or not (0 < p <= _COLUMNS and n >= _ROWS and self.radius > 0):
            return False
        return len(np.unique(self.weights)) <= _GROUPS * (int(self.codes.max()) + 1)

    def _grow(self) -> None:
        """Make a tree for the rows of each class and weight."""
        for code in np.unique(self.codes):
            inside = (self.codes == code) & (self.weights > 0)
            for weight in np.unique(self.weights[inside]):
                ids = inside & (self.weights == weight)
                self._trees.append((int(code), float(weight), KDTree(self.X[ids])))

    def _tree_work(self) -> float:
        """Estimate the nanoseconds from the distances that some rows take."""
        n, p = self.X.shape
        sample = self.X[np.linspace(0, n - 1, min(n, _PROBE)).astype(np.intp)]
        calls = 0
        for _, _, tree in self._trees:
            before = tree.get_n_calls()
            tree.query_radius(sample, self._reach, count_only=True)
            calls += int(tree.get_n_calls()) - int(before)
        each = (20.0 + 4.0 * p) * calls / len(sample) + 2000.0 * len(self._trees)
        return float(n * each)


def pair_work(X: Any) -> float:
    """Return about how many nanoseconds of one core it takes to compare two rows."""
    n, p = X.shape
    thin = sparse.issparse(X)
    return float(5.0 + 10.0 * X.nnz / max(1, n) if thin else 1.2 + 0.04 * p)


def foreign_shares(own: FloatArray, others: FloatArray) -> FloatArray:
    """Return the share of the others, 0 without neighbours."""
    total = own + others
    return np.divide(others, total, out=np.zeros_like(total), where=total > 0)
