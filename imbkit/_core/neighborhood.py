"""Whether the nearest rows still alive share a row's class, while rows are being removed.

``Neighborhood(X, codes)`` answers ``pure(rows, k)``, ``labels(rows, k)`` and ``nearest(rows, k)``
among the rows that ``remove(rows)`` has left.
"""

from typing import Any

import numpy as np
from scipy import sparse

from imbkit._core.neighbors import RowIndex, RowTree, batches, tree_pays
from imbkit._core.parallel import run_blocks
from imbkit._core.types import AnyArray, BoolArray, IntArray

__all__ = ["Neighborhood"]

_WIDTH = 3  # friends remembered for a row: the k of the usual cleaning methods
_SLACK = 6  # rows of a list beyond those asked for, to be used up by removals
_PROBE = 128  # leaves at most whose rows try both orders of a search
_UNKNOWN = -2


class Neighborhood:
    """Nearest alive rows of the rows of a table, and their classes.

    Parameters
    ----------
    X : ndarray or CSR/CSC matrix or array of shape (n, d)
        The rows, as :class:`imbkit._core.neighbors.RowIndex` takes them.
    codes : ndarray of shape (n,)
        Class of each row, integers of 0 or more.
    n_jobs : int or None, default=None
        Threads, as in :func:`imbkit._core.parallel.cores`.
    path : {"tree", "lists"} or None, default=None
        How to search; None chooses by size and kind of the table. The answer is the same.

    Attributes
    ----------
    alive : ndarray of bool, shape (n,)
        Rows not removed.

    Notes
    -----
    Neighbours have the order of :class:`RowIndex`, a row is none of its own, and only alive rows
    are any; a removed row may still be asked about. Where fewer than k other rows are alive, all
    of them are used: k is then the number of alive rows, less one if an alive row is among those
    asked.

    A row is pure if its k-th nearest friend comes before its nearest enemy, so the tree is asked
    for enemies within the distance of a few friends from the row's own leaf, and skips nodes
    whose rows all have its code. The friends found are remembered: as long as k of them live,
    the row stays pure without a search, and as long as the enemy that stopped them lives, it
    does not become so. Small, sparse and incomplete tables keep lists of k + 6 nearest rows
    instead, and search again for a row whose list has run out.

    Memory beyond :class:`RowIndex`: about 10 integers a row.
    """

    def __init__(
        self, X: Any, codes: AnyArray, *, n_jobs: int | None = None, path: str | None = None
    ) -> None:
        self.n_jobs = n_jobs
        self._codes = np.ascontiguousarray(codes, dtype=np.int32)  # as the kernels take them
        n = len(self._codes)
        self.alive = np.ones(n, dtype=bool)
        self._n_alive = n
        if path is None:
            path = "lists" if sparse.issparse(X) or not tree_pays(n, n, X.shape[1]) else "tree"
        if path == "tree":
            X = np.ascontiguousarray(X, dtype=np.float64)
            path = "lists" if np.isnan(X.min(initial=0.0)) else "tree"
        self._search: _Tree | _Lists
        if path == "tree":
            self._search = _Tree(X, self._codes, self.alive, n_jobs)
        else:
            self._search = _Lists(X, self._codes, self.alive, n_jobs)

    def remove(self, rows: AnyArray) -> None:
        """Take rows out of every neighbourhood from now on."""
        self.alive[rows] = False
        self._n_alive = int(self.alive.sum())

    def pure(self, rows: AnyArray, k: int) -> BoolArray:
        """Say of each row (m,) whether its k nearest alive other rows all have its code."""
        rows = np.asarray(rows, dtype=np.intp)
        k = self._available(rows, k)
        if k == 0 or not len(rows):
            return np.ones(len(rows), dtype=bool)
        return self._search.pure(rows, k)

    def labels(self, rows: AnyArray, k: int) -> IntArray:
        """Return the codes (m, k) of the k nearest alive other rows, in order."""
        return self._codes[self.nearest(rows, k)].astype(np.intp)

    def nearest(self, rows: AnyArray, k: int) -> IntArray:
        """Return the numbers (m, k) of the k nearest alive other rows, in order."""
        rows = np.asarray(rows, dtype=np.intp)
        k = self._available(rows, k)
        if k == 0 or not len(rows):
            return np.empty((len(rows), k), dtype=np.intp)
        return self._search.nearest(rows, k)

    def _available(self, rows: IntArray, k: int) -> int:
        """The k asked for, or as many rows as there are."""
        return min(k, self._n_alive - bool(self.alive[rows].any()))


class _Tree:
    """Friends before enemies by a tree that knows classes."""

    def __init__(self, X: AnyArray, codes: AnyArray, alive: BoolArray, n_jobs: int | None) -> None:
        from imbkit._kernels.neighborhood import mark

        self.codes, self.alive, self.n_jobs = codes, alive, n_jobs
        self.rows = RowTree(X, n_jobs=n_jobs)
        self.marks = np.full(len(self.rows.tree.right), -1, dtype=np.int32)
        mark(self.rows.tree, codes, self.marks)
        self.apart: bool | None = None
        self.effort = 0.0
        self.foes = np.full(len(codes), -1, dtype=np.intp)
        self._forget(_WIDTH)

    def nearest(self, rows: IntArray, k: int) -> IntArray:
        """Nearest alive rows, searched each time."""
        return self.rows.nearest(self.rows.X, rows, k, True, self.alive)

    def pure(self, rows: IntArray, k: int) -> BoolArray:
        """Whether k friends come before every enemy, searching only where that is not known."""
        if k > self.friends.shape[1]:
            self._forget(k)
        settled, pure = self._known(rows, k)
        if not settled.all():
            self._find(np.unique(rows[~settled]))
            pure = self._known(rows, k)[1]
        return pure

    def _forget(self, width: int) -> None:
        """Know nothing of any row."""
        n = len(self.codes)
        self.friends = np.full((n, width), -1, dtype=np.intp)
        self.enemy = np.full(n, _UNKNOWN, dtype=np.intp)

    def _known(self, rows: IntArray, k: int) -> tuple[BoolArray, BoolArray]:
        """Whether the answer is known, and whether it is yes."""
        friends, enemy = self.friends[rows], self.enemy[rows]
        count = ((friends >= 0) & self.alive[friends]).sum(axis=1)
        # Without enemies, rows that end before the width hold all the friends there are.
        lonely = (enemy == -1) & (friends[:, -1] < 0)
        pure = (count >= k) | lonely
        return pure | ((enemy >= 0) & self.alive[enemy]), pure

    def _find(self, rows: IntArray) -> None:
        """Search friends and enemy of these rows."""
        size = self.rows.tree.points.shape[2]
        leaves = min(_PROBE, len(rows) // (40 * size))
        if self.apart is None and leaves > 16:
            # Noisy classes are searched at once, tidy ones for enemies only.
            step = len(rows) // (size * leaves)
            sample = np.sort(self.rows.place[rows])
            sample = self.rows.tree.order[sample[np.arange(len(sample)) // size % step == 0]]
            first, both = self._work(sample, True), self._work(sample, False)
            self.apart = first <= 1.25 * both
            self.effort = min(first, both) / len(sample)
        if self.effort:
            self._meet(rows)
        self._work(rows, self.apart is not False)

    def _meet(self, rows: IntArray) -> None:
        """Find the nearest enemies beforehand where they are so few that this is cheaper.

        What is left to the tree is then to find enough friends before them, whichever.
        """
        d = self.rows.X.shape[1]
        known = self.foes[rows]
        rows = rows[(known < 0) | ~self.alive[known]]
        self.foes[rows] = -1
        for code in np.unique(self.codes[rows]):
            enemies = np.flatnonzero(self.alive & (self.codes != code))
            # Rough nanoseconds of a pair in a matrix product, and of a row in the tree.
            if 0 < 2 * len(enemies) * (2.0 + 0.1 * d) < self.effort * (3.0 + d / 3):
                asked = rows[self.codes[rows] == code]
                near = RowIndex(self.rows.X[enemies], n_jobs=self.n_jobs, path="brute")
                self.foes[asked] = enemies[near.nearest_to(self.rows.X[asked], 1)[:, 0]]

    def _work(self, rows: IntArray, apart: bool) -> int:
        """Search these rows and return the number of distances that it took."""
        from imbkit._kernels.neighborhood import find_friends

        tree = self.rows.tree
        size = tree.points.shape[2]
        units = self.rows.place[rows] // size
        order = np.lexsort((self.codes[rows], units))
        which, home = rows[order], tree.home[units[order]]
        edges = batches(home * (int(self.codes.max()) + 1) + self.codes[which], size)
        work = np.empty(len(edges) - 1, dtype=np.intp)
        run_blocks(
            find_friends, len(work), tree, self.rows.X, self.rows.turned, self.codes,
            self.marks, which, edges, home[edges[:-1]], self.alive, self.rows.slack(), apart,
            self.foes, self.friends, self.enemy, work, n_jobs=self.n_jobs, block=64,
        )  # fmt: skip
        return int(work.sum())


class _Lists:
    """Lists of nearest rows, longer than asked, from which the dead are struck."""

    def __init__(self, X: Any, codes: AnyArray, alive: BoolArray, n_jobs: int | None) -> None:
        thin = sparse.issparse(X)
        self.X = sparse.csr_matrix(X) if thin else np.asarray(X)
        self.codes, self.alive, self.n_jobs = codes, alive, n_jobs
        self.index = RowIndex(self.X, n_jobs=n_jobs)
        self.lists = np.full((len(codes), 0), -1, dtype=np.intp)
        self.listed = np.zeros(len(codes), dtype=bool)

    def pure(self, rows: IntArray, k: int) -> BoolArray:
        """Whether the k nearest all have the row's code."""
        same = self.codes[self.nearest(rows, k)] == self.codes[rows, None]
        return np.asarray(same.all(axis=1))

    def nearest(self, rows: IntArray, k: int) -> IntArray:
        """The first k alive rows of the lists."""
        if k > self.lists.shape[1]:
            width = min(k + _SLACK, len(self.codes) - 1)
            self.lists = np.full((len(self.codes), max(width, k)), -1, dtype=np.intp)
            self.listed[:] = False
        new = np.unique(rows[~self.listed[rows]])
        if len(new):
            found = self.index.nearest(min(self.lists.shape[1], len(self.codes) - 1), new)
            self.lists[new, : found.shape[1]] = found
            self.listed[new] = True
        lists = self.lists[rows]
        dead = ~self.alive[lists] | (lists < 0)
        order = np.argsort(dead, axis=1, kind="stable")[:, :k]
        out = np.take_along_axis(lists, order, axis=1)
        short = np.flatnonzero(np.take_along_axis(dead, order[:, -1:], axis=1)[:, 0])
        if len(short):
            out[short] = self._again(rows[short], k)
        return out

    def _again(self, rows: IntArray, k: int) -> IntArray:
        """Search the alive rows alone; their order is that of the whole table."""
        alive = np.flatnonzero(self.alive)
        index = RowIndex(self.X[alive], n_jobs=self.n_jobs)
        out = np.empty((len(rows), k), dtype=np.intp)
        own = self.alive[rows]
        out[own] = alive[index.nearest(k, np.searchsorted(alive, rows[own]))]
        out[~own] = alive[index.nearest_to(self.X[rows[~own]], k)]
        return out
