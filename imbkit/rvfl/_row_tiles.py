"""Squared distances between rows, in tiles that matrix products fill, and sums over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.utils.extmath import row_norms, safe_sparse_dot

from imbkit._core.messages import message
from imbkit._core.product_blocks import run_product_blocks
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = [
    "TILE",
    "Points",
    "Tile",
    "Transform",
    "check_distances",
    "mutual_sums",
    "sums_over",
    "tiles_of",
    "weighted_mean",
]

TILE = 512  # rows on either side: 2 MiB of distances, which a processor's cache holds
_TASKS = 16  # of a symmetric sum, each with sums of its own
_PAIRS = 2**14  # pairs compared column by column at a time
_CHUNK = 8192


class Points:
    """Rows of a table, prepared for squared distances by products.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        The table.
    ids : ndarray of shape (m,)
        Those of its rows that are meant.
    centre : ndarray of shape (p,) or None, default=None
        A point near them, subtracted so that no digits are lost; sparse rows are not moved.
    scale : float, default=1.0
        What distances are measured in.
    """

    def __init__(
        self, X: Any, ids: IntArray, centre: FloatArray | None = None, scale: float = 1.0
    ) -> None:
        self.X, self.ids, self.scale = X, ids, scale
        self.values: Any
        thin = sparse.issparse(X)
        with np.errstate(over="ignore", invalid="ignore"):
            if thin:
                self.values = X[ids].astype(np.float64) * (1 / scale)
                self.squares = row_norms(self.values, squared=True)
            else:
                p = X.shape[1]
                # With a column of squares and one of ones, a product is a squared distance.
                self.values = np.empty((len(ids), p + 2))
                inner = self.values[:, :p]
                inner[:] = X[ids]
                if centre is not None:
                    inner -= centre
                inner /= scale
                self.squares = np.einsum("ij,ij->i", inner, inner)
                self.values[:, p], self.values[:, p + 1] = self.squares, 1.0
        check_distances(self.squares)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    def part(self, low: int, high: int) -> "Points":
        """Return some of these rows, without a copy of dense ones."""
        out = object.__new__(Points)
        out.X, out.ids, out.scale = self.X, self.ids[low:high], self.scale
        out.values, out.squares = self.values[low:high], self.squares[low:high]
        return out

    def against(self, others: "Points", out: FloatArray) -> FloatArray:
        """Return minus the squared distances to other rows, as a view of `out`; see `slack`."""
        place = out[: len(self) * len(others)].reshape(len(self), len(others))
        if sparse.issparse(self.values):
            place[:] = safe_sparse_dot(self.values, others.values.T, dense_output=True)
            place *= 2.0
            place -= self.squares[:, None]
            place -= others.squares
            return place
        left = self.values * 2.0
        left[:, -2], left[:, -1] = -1.0, -self.squares
        return np.matmul(left, others.values.T, out=place)

    def slack(self, others: "Points") -> float:
        """Return more than what any of the distances of `against` may be wrong by."""
        width = self.X.shape[1] + 16
        return float(4 * width * 2.0**-52 * (self.squares.max() + others.squares.max()))

    def squared_distances(self, others: "Points", i: IntArray, j: IntArray) -> FloatArray:
        """Return those of pairs of places, from differences in the columns of the table."""
        out = np.empty(len(i))
        for low in range(0, len(i), _PAIRS):
            part = slice(low, low + _PAIRS)
            left, right = self.X[self.ids[i[part]]], self.X[others.ids[j[part]]]
            out[part] = row_norms(left.astype(np.float64) - right, squared=True)
        return out / self.scale**2


def check_distances(values: ArrayLike) -> None:
    """Refuse rows so far apart that their distances are no numbers."""
    if not np.isfinite(values).all():
        rule = "squared distances between rows must be finite"
        todo = "Standardise the columns first, by a StandardScaler in a pipeline"
        raise DataError(message("fuzzy scores", rule, "numbers that overflow", todo))


Transform: TypeAlias = Callable[[FloatArray, Points, Points], FloatArray]
"""What is done to a tile of minus squared distances, in place, between the rows named."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows `low` to ``high - 1``, all of one class."""

    low: int
    high: int
    code: int


def tiles_of(codes: IntArray, size: int | None = None) -> list[Tile]:
    """Cut rows that are sorted by class into tiles of one class each."""
    size = TILE if size is None else size
    edges = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
    return [
        Tile(low, min(low + size, int(high)), int(codes[low]))
        for first, high in pairwise(edges)
        for low in range(int(first), int(high), size)
    ]


def mutual_sums(
    points: Points,
    tiles: Sequence[Tile],
    weights: FloatArray,
    transform: Transform,
    n_jobs: int | None,
) -> FloatArray:
    """Sum what a symmetric transform makes of the distances between rows, each pair once.

    Parameters
    ----------
    points : Points
        m rows.
    tiles : sequence of Tile
        Of these rows.
    weights : ndarray of shape (m,)
        Weight of a row in the sums of others, and in its own.
    transform : callable
        See `Transform`.
    n_jobs : int or None
        Threads.

    Returns
    -------
    ndarray of shape (2, m)
        Sums over rows of the same class, and over those of others.
    """
    tasks = min(_TASKS, len(tiles))
    largest = max((tile.high - tile.low for tile in tiles), default=0)

    def work(task: int, _: int) -> FloatArray:
        sums, room = np.zeros((2, len(points))), np.empty(largest**2)
        for number, one in enumerate(tiles):
            # There and back again: the first tiles have the most to do.
            turn, place = divmod(number, tasks)
            if (tasks - 1 - place if turn % 2 else place) != task:
                continue
            left = points.part(one.low, one.high)
            for other in tiles[number:]:
                right = points.part(other.low, other.high)
                tile = transform(left.against(right, room), left, right)
                into = sums[int(one.code != other.code)]
                into[one.low : one.high] += tile @ weights[other.low : other.high]
                if other is not one:
                    into[other.low : other.high] += weights[one.low : one.high] @ tile
        return sums

    parts = run_product_blocks(work, tasks, n_jobs=n_jobs, block=1)
    return np.asarray(np.sum(parts, axis=0)) if parts else np.zeros((2, 0))


def sums_over(
    queries: Callable[[int, int], Points],
    n_queries: int,
    points: Points,
    weights: FloatArray,
    transform: Transform,
    n_jobs: int | None,
) -> FloatArray:
    """Sum what a transform makes of the distances of some rows to others.

    Parameters
    ----------
    queries : callable
        Makes the query rows ``low`` to ``high - 1``, when they are needed.
    n_queries : int
        Their number.
    points : Points
        The rows to sum over.
    weights : ndarray of shape (n_points, k)
        Weights of these, k times.
    transform : callable
        See `Transform`.
    n_jobs : int or None
        Threads.

    Returns
    -------
    ndarray of shape (n_queries, k)
        Sums.
    """
    out = np.zeros((n_queries, weights.shape[1]))

    def work(low: int, high: int) -> None:
        left = queries(low, high)
        room = np.empty((high - low) * min(TILE, len(points)))
        for first in range(0, len(points), TILE):
            right = points.part(first, min(first + TILE, len(points)))
            tile = transform(left.against(right, room), left, right)
            out[low:high] += tile @ weights[first : first + TILE]

    run_product_blocks(work, n_queries, n_jobs=n_jobs, block=TILE)
    return out


def weighted_mean(X: Any, ids: IntArray, weights: FloatArray) -> FloatArray:
    """Return the mean (p,) of some rows, exact where all are equal; the plain one without weight.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        The table.
    ids : ndarray of shape (m,)
        Its rows, at least one.
    weights : ndarray of shape (m,)
        How often each counts.
    """
    v = weights if weights.any() else np.ones(len(ids))
    first: Any = 0.0
    if not sparse.issparse(X):
        # Sums of differences from a row: equal rows have none, whatever their number.
        first = X[ids[0]].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        rest = np.zeros(X.shape[1])
        for low in range(0, len(ids), _CHUNK):
            part = slice(low, low + _CHUNK)
            rest += v[part] @ (X[ids[part]] - first)
        return np.asarray(first + rest / v.sum())
