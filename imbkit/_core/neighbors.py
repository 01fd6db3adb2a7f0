"""Exact nearest rows, in one order whatever way they are found.

``RowIndex(X).nearest(k, rows)`` gives the nearest other rows, ``nearest_to(Q, k)`` those of
foreign rows; ``kneighbors_with(estimator, pool, queries)`` asks a neighbours object of the user.
Numba is imported only where a tree is worth its cost.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import KDTree, NearestNeighbors
from threadpoolctl import threadpool_limits

from imbkit._core.messages import message
from imbkit._core.mixed import nan_nearest, nan_nearest_to
from imbkit._core.parallel import cores, run_blocks
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["RowIndex", "RowTree", "kneighbors_with", "tree_pays"]

_EPS = 2.0**-52
_TINY = 2.3e-308  # what an underflow can take from one square
_CELLS = 2**18  # entries of a block of distances: 2 MiB
_FEW = 2**20  # pairs of rows up to which a k-d tree is as fast as matrix products
_FLAT = 15  # columns up to which it is
_LOW = 6  # columns up to which it is faster for any number of rows that gets here
_MANY = 64  # rows in doubt from which it is worth to look for equal ones
_LONG = 2**25  # pairs from which the tree is grown for rows in doubt, numba or not
_SMALL = 1e-140  # values from which on no difference has a square of 0
_SLACK = 4  # candidates beyond the k asked for
_PROBE = 32  # leaves whose rows try the tree out
_AXES = 48  # rotated columns at most
_KERNELS = "imbkit._kernels.neighbors"
_PRICE = 1.5e9  # nanoseconds of the import of numba and of loading the kernels
_lost = [0.0]  # nanoseconds that searches of this process lost without them


class RowIndex:
    """Find the nearest rows of a table, exactly and without ties.

    Parameters
    ----------
    X : ndarray or CSR/CSC matrix or array of shape (n, d)
        Rows to find. Dense values are used as float64 and may be NaN.
    n_jobs : int or None, default=None
        Threads, as in :func:`imbkit._core.parallel.cores`.
    path : {"tree", "brute"} or None, default=None
        How to search dense rows without NaN; None chooses by counted work. The answer is the
        same.

    Notes
    -----
    Rows are ordered by the squared distance, which is the sum over the columns, in their order,
    of squared differences in float64, and then by row number. With NaN in a row, it is the sum
    over the columns present in both rows, times d over their number, as in scikit-learn; rows
    without a common column are infinitely far. For sparse rows it is the distance that
    scikit-learn's brute force computes, which may round ties apart.

    Dense rows are searched by a box tree over rotated rows (from O(n log n) on data of low
    dimension to O(n**2) comparisons), or by blocks of matrix products whose candidates are
    compared again as above. Either discards a row only where the rounding error that
    it may hold cannot matter. Memory: two to four times X for the tree, and blocks of a
    few MiB.
    """

    def __init__(self, X: Any, *, n_jobs: int | None = None, path: str | None = None) -> None:
        self.n_jobs = n_jobs
        self._path = path
        self._tree: RowTree | None = None
        self._sparse = sparse.issparse(X)
        self._X: Any
        if self._sparse:
            self._X = sparse.csr_matrix(X, dtype=np.float64)
            self._missing = False
        else:
            self._X = _plain(X)
            self._missing = bool(np.isnan(self._X.min(initial=0.0)))
        self.n_rows, self.n_columns = self._X.shape

    def nearest(self, k: int, rows: AnyArray | None = None) -> IntArray:
        """Return the numbers (m, k) of the nearest other rows of the given rows, all if None."""
        rows = np.arange(self.n_rows) if rows is None else np.asarray(rows, dtype=np.intp)
        return self._search(self._X, rows, k, True)

    def nearest_to(self, Q: Any, k: int) -> IntArray:
        """Return the numbers (m, k) of the rows nearest to the foreign rows Q (m, d)."""
        if self._sparse:
            values: Any = sparse.csr_matrix(Q, dtype=np.float64)
        else:
            values = _plain(Q)
        return self._search(values, np.arange(values.shape[0]), k, False)

    def _search(self, values: Any, rows: IntArray, k: int, own: bool) -> IntArray:
        """Nearest rows of rows of `values`, which is X itself if `own`."""
        available = self.n_rows - own
        if not 0 <= k <= max(available, 0) and len(rows):
            rule = "k may not exceed the number of rows to choose from"
            raise DataError(message("RowIndex", rule, f"k={k} with {available} rows"))
        if k == 0 or not len(rows):
            return np.empty((len(rows), k), dtype=np.intp)
        if self._sparse:
            return self._sparse_search(values[rows], rows, k, own)
        if self._missing or np.isnan(values.min(initial=0.0)):
            if own:
                return nan_nearest(self._X, rows, k, n_jobs=self.n_jobs)
            return nan_nearest_to(self._X, values[rows], k, n_jobs=self.n_jobs)
        if not self.n_columns:
            return _all_tied(self.n_rows, rows, k, own)
        path = self._path
        if path is None:
            # A tree that is there already serves a few more rows at no cost.
            path = "tree" if self._tree is not None else "brute"
            if tree_pays(len(rows), self.n_rows, self.n_columns):
                path = self._grown().preferred_path(k)
        # Rows immensely far from all others would overflow once scaled as these are.
        if path == "tree" and (own or np.abs(values).max() / 1e100 < 1 / self._grown().scale):
            return self._grown().nearest(values, rows, k, own)
        return _Brute(self._X, self.n_jobs).nearest(values, rows, k, own)

    def _grown(self) -> "RowTree":
        """The tree, grown at its first use."""
        if self._tree is None:
            self._tree = RowTree(self._X, n_jobs=self.n_jobs)
        return self._tree

    def _sparse_search(self, Q: Any, rows: IntArray, k: int, own: bool) -> IntArray:
        """Rows in the order of scikit-learn's distances, asking for more while ties go on."""
        finder = NearestNeighbors(algorithm="brute", n_jobs=self.n_jobs).fit(self._X)
        out = np.empty((len(rows), k), dtype=np.intp)
        todo, m = np.arange(len(rows)), k + own + _SLACK
        while len(todo):
            m = min(m, self.n_rows)
            distances, ids = finder.kneighbors(Q[todo], m)
            last = distances[:, -1].copy()
            if own:
                distances[ids == rows[todo, None]] = np.nan  # sorted to the end
            order = np.lexsort((ids, distances), axis=-1)[:, :k]
            out[todo] = np.take_along_axis(ids, order, axis=1)
            kth = np.take_along_axis(distances, order[:, -1:], axis=1)[:, 0]
            todo = todo[kth == last] if m < self.n_rows else todo[:0]
            m *= 4
        return out


def kneighbors_with(estimator: Any, pool: Any, queries: Any) -> IntArray:
    """Ask a neighbours object of the user.

    Parameters
    ----------
    estimator : object
        Anything that can be cloned and has ``fit`` and ``kneighbors``. Its own number of
        neighbours counts, which includes the row itself where the queries are in the pool.
    pool : array-like or sparse matrix of shape (n, d)
        Rows to find.
    queries : array-like or sparse matrix of shape (m, d)
        Rows to find neighbours of.

    Returns
    -------
    ndarray of intp, shape (m, n_neighbors)
        Row numbers of the pool, as the object orders them, the row itself not dropped. The
        object passed is left as it was.
    """
    fitted = clone(estimator).fit(pool)
    return np.asarray(fitted.kneighbors(queries, return_distance=False), dtype=np.intp)


def tree_pays(n_queries: int, n_rows: int, n_columns: int) -> bool:
    """Say whether so many queries may be worth growing a tree, and importing numba.

    The import is worth it for one large search, and for many small ones: once what they lost
    without it adds up to its price. Only time depends on the choice, never an answer.
    """
    # Rough nanoseconds: of a pair in a matrix product, and of a row in the tree and a query.
    brute = n_queries * n_rows * (2.0 + 0.1 * n_columns)
    saved = brute - 3000.0 * n_rows - 10000.0 * n_queries
    if saved <= 0 or _KERNELS in sys.modules:
        return saved > 0
    _lost[0] += saved
    return _lost[0] > _PRICE


class RowTree:
    """A box tree over the rows of a dense table without NaN, turned onto its principal axes.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        C-ordered float64 values without NaN, n and d at least 1. Not copied.
    n_jobs : int or None, default=None
        Threads, as in :func:`imbkit._core.parallel.cores`.

    Notes
    -----
    X is scaled by a power of two, centred and turned, z = (scale x - centre) Q, only to decide
    what need not be looked at. Let u = 2**-53, M the largest norm of a centred row, and
    w = ||Q'Q - I||. Turning errs by at most (d**1.5 + 2 d) u M in norm, boxes and their
    distances by less than 8 u M; a turned distance is at most (1 + w) times the true one, and
    sums of d squares err by (d + 3) u of themselves, or by 2.3e-308 a term where squares
    underflow. So a box whose computed squared distance exceeds
    ``((s sqrt(t + 2.3e-308 d)) (1 + e) + E)**2 (1 + e)``, with s the scale,
    e = w + (4 d + 32) 2 u and E = 2 (d**1.5 + 4 d + 16) 2 u M, holds only rows whose
    squared distance, computed in the columns of X, is larger than t. All rows that may matter
    are compared by that one.
    """

    def __init__(self, X: FloatArray, *, n_jobs: int | None = None) -> None:
        self.n_jobs = n_jobs
        self.X = _plain(X)
        self._preferred: dict[int, str] = {}
        d = X.shape[1]
        self.scale, self.centre, self.axes, lost = _principal_axes(X)
        self.turned, self._norm = self.turn(self.X)
        self._relative = lost + (4 * d + 32) * _EPS
        self.tree = self._grow()
        self.place = np.empty(len(X), dtype=np.intp)  # position of each row in the tree
        self.place[self.tree.order] = np.arange(len(X))

    def turn(self, values: FloatArray) -> tuple[FloatArray, float]:
        """Return the rotated rows (m, r) and the largest norm of a centred row."""
        from imbkit._kernels.neighbors import turn

        out = np.empty((len(values), self.axes.shape[1]))
        norms = np.zeros(len(values))
        run_blocks(
            turn, len(values), values, self.scale, self.centre, self.axes, out, norms,
            n_jobs=self.n_jobs,
        )  # fmt: skip
        return out, float(np.sqrt(norms.max(initial=0.0)))

    def slack(self, norm: float = 0.0) -> FloatArray:
        """Scale, relative and absolute error, and underflow of a comparison with the tree."""
        d = self.X.shape[1]
        absolute = 2 * (d**1.5 + 4 * d + 16) * _EPS * max(norm, self._norm)
        return np.array([self.scale, self._relative, absolute, d * _TINY])

    def nearest(
        self, values: FloatArray, rows: IntArray, k: int, own: bool, alive: BoolArray | None = None
    ) -> IntArray:
        """Return the nearest rows, among those alive, of rows of `values` (X itself if `own`)."""
        from imbkit._kernels.neighbors import find_homes, find_nearest

        tree = self.tree
        values = self.X if own else _plain(values)
        if own:
            turned, norm = self.turned, 0.0
            units = self.place[rows] // tree.points.shape[2]
            slot = np.argsort(units, kind="stable")
            home = tree.home[units[slot]]
        else:
            turned, norm = self.turn(values)
            leaves = np.empty(len(rows), dtype=np.intp)
            run_blocks(find_homes, len(rows), tree, turned, leaves, n_jobs=self.n_jobs)
            slot = np.argsort(leaves, kind="stable")
            home = leaves[slot]
        edges = batches(home, tree.points.shape[2])
        out = np.empty((len(rows), k), dtype=np.intp)
        work = np.empty(len(edges) - 1, dtype=np.intp)
        run_blocks(
            find_nearest, len(work), tree, values, turned, rows[slot], slot, edges,
            home[edges[:-1]], own, np.empty(0, dtype=bool) if alive is None else alive,
            self.slack(norm), out, work, n_jobs=self.n_jobs, block=32,
        )  # fmt: skip
        self.work = int(work.sum())
        return out

    def preferred_path(self, k: int) -> str:
        """Name the cheaper way to search all rows, by the work of a few leaves' rows."""
        if k not in self._preferred:
            n, d = self.X.shape
            size = self.tree.points.shape[2]
            units = np.unique(np.linspace(0, n // size, _PROBE).astype(np.intp))
            places = (units[:, None] * size + np.arange(size)).ravel()
            rows = self.tree.order[places[places < n]]
            self.nearest(self.X, rows, k, True)
            tree_cost = self.work / len(rows) * (3.0 + d / 3)
            self._preferred[k] = "tree" if tree_cost < n * (2.0 + 0.1 * d) else "brute"
        return self._preferred[k]

    def _grow(self) -> Any:
        """Grow the tree: the top alone, then the subtrees at once."""
        from imbkit._kernels.neighbors import LEAD, LEAF, Tree, enclose, grow, settle

        (n, d), r = self.X.shape, self.turned.shape[1]
        units = -(-n // LEAF)
        nodes = 2 * units - 1
        tree = Tree(
            order=np.arange(n, dtype=np.intp),
            points=np.empty((units, d, LEAF)),
            lead=np.empty((units, min(LEAD, r), LEAF)),
            start=np.zeros(nodes, dtype=np.intp),
            stop=np.zeros(nodes, dtype=np.intp),
            right=np.full(nodes, -1, dtype=np.intp),
            parent=np.zeros(nodes, dtype=np.intp),
            box=np.zeros((nodes, 2, r)),
            home=np.zeros(units, dtype=np.intp),
        )
        tree.stop[0] = n
        grow(0, 1, self.X, self.turned, tree, np.zeros(1, dtype=np.intp), 3)
        roots = np.flatnonzero(tree.right == 0)
        # A depth that no tree reaches: n halves every time.
        arguments = (self.X, self.turned, tree)
        run_blocks(grow, len(roots), *arguments, roots, 64, n_jobs=self.n_jobs, block=1)
        leaves = np.flatnonzero(tree.right == 0)
        run_blocks(settle, len(leaves), *arguments, leaves, n_jobs=self.n_jobs, block=256)
        enclose(tree)
        return tree


def _plain(X: AnyArray) -> FloatArray:
    """C-ordered float64 values, read-only: for any other kind, kernels would compile again."""
    plain = np.require(X, np.float64, ["C_CONTIGUOUS", "ALIGNED"]).view(np.ndarray)
    plain.flags.writeable = False
    return plain


def batches(groups: IntArray, size: int) -> IntArray:
    """Cut runs of equal entries into pieces of at most `size`; the edges, first and last too."""
    change = np.flatnonzero(groups[1:] != groups[:-1]) + 1
    starts = np.concatenate(([0], change))
    lengths = np.diff(np.concatenate((starts, [len(groups)])))
    pieces = -(-lengths // size)
    within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.append(np.repeat(starts, pieces) + within * size, len(groups))


class _Brute:
    """All distances by matrix products, block by block; those that may matter once more."""

    def __init__(self, X: FloatArray, n_jobs: int | None) -> None:
        self.X, self.n_jobs = X, n_jobs
        n, d = X.shape
        self.scale = _scale(X)
        self.centre = (X[:: max(1, n // 4096)] * self.scale).mean(axis=0)
        self.centred = X * self.scale - self.centre
        self.squares = np.einsum("ij,ij->i", self.centred, self.centred)
        # A matrix product of centred rows x, y errs by less than `error` (|x| + |y|)**2.
        self.error = 4 * (d + 16) * _EPS

    def nearest(self, values: FloatArray, rows: IntArray, k: int, own: bool) -> IntArray:
        """Return the nearest rows of rows of `values` (X itself if `own`)."""
        with np.errstate(over="ignore", invalid="ignore"):  # overflow settles nothing below
            return self._nearest(values, rows, k, own)

    def _nearest(self, values: FloatArray, rows: IntArray, k: int, own: bool) -> IntArray:
        n = len(self.X)
        out = np.empty((len(rows), k), dtype=np.intp)
        todo = np.arange(len(rows))
        if k + own + _SLACK < n:
            d = self.X.shape[1]
            if d <= _FLAT and (d <= _LOW or len(rows) * n <= _FEW):
                # Its first call is the quickest, too: nothing asks for the machine's threads.
                find = KDTree(self.centred).query
                todo = self._candidates(find, values, rows, own, out)
            else:
                # Threads are started for work that they can speed up.
                threads = cores(self.n_jobs) if len(rows) * n > 16 * _CELLS else 1
                find = NearestNeighbors(algorithm="brute").fit(self.centred).kneighbors
                with threadpool_limits(threads):
                    todo = self._candidates(find, values, rows, own, out)
        if own and len(todo) > _MANY:
            todo = self._twins(rows, todo, out)
        if len(todo) * n > _LONG:
            # Rows on a grid, with ties wherever one looks: the tree does not mind them.
            tree = RowTree(self.X, n_jobs=self.n_jobs)
            out[todo] = tree.nearest(values, rows[todo], k, own)
            return out
        step = max(1, _CELLS // n)
        for low in range(0, len(todo), step):
            part = todo[low : low + step]
            out[part] = self._block(values, rows[part], k, own)
        return out

    def _twins(self, rows: IntArray, todo: IntArray, out: IntArray) -> IntArray:
        """Answer for rows with more than k equal ones; return the other places to do.

        Nothing is nearer than an equal row, and of those the smallest numbers come first.
        """
        k = out.shape[1]
        sizes = np.abs(self.X)
        if sizes[sizes > 0].min(initial=np.inf) < _SMALL:
            return todo  # the squares of small differences may be 0 as well
        # Adding zero turns negative zeros into positive ones, which equal them.
        _, group, count = np.unique(self.X + 0.0, axis=0, return_inverse=True, return_counts=True)
        group = group.ravel()
        many = count[group[rows[todo]]] > k
        mine = rows[todo[many]]
        members = np.argsort(group, kind="stable")
        first = np.cumsum(count) - count
        ids = members[first[group[mine]][:, None] + np.arange(k + 1)]
        # The row itself goes to the end, if it is among the first ones at all.
        order = np.argsort(ids == mine[:, None], axis=1, kind="stable")[:, :k]
        out[todo[many]] = np.take_along_axis(ids, order, axis=1)
        rest: IntArray = todo[~many]
        return rest

    def _candidates(
        self,
        find: Callable[..., Any],
        values: FloatArray,
        rows: IntArray,
        own: bool,
        out: IntArray,
    ) -> IntArray:
        """Order some more than k candidates; return the places where others may be as near."""
        k = out.shape[1]
        unsure = []
        for low in range(0, len(rows), 8192):
            part = rows[low : low + 8192]
            Q = values[part]
            centred = Q * self.scale - self.centre
            if not np.isfinite(centred).all():
                unsure.append(low + np.arange(len(part)))
                continue
            distances, ids = find(centred, k + own + _SLACK)
            squared = _squared_distances(self.X, Q, ids)
            if own:
                squared[ids == part[:, None]] = np.nan
            order = np.lexsort((ids, squared), axis=-1)[:, :k]
            out[low : low + len(part)] = np.take_along_axis(ids, order, axis=1)
            kth = np.take_along_axis(squared, order[:, -1:], axis=1)[:, 0]
            radius = np.sqrt(kth + self.X.shape[1] * _TINY) * self.scale * (1 + self.error)
            norms = np.sqrt(np.einsum("ij,ij->i", centred, centred))
            # A row that far from the centre that it could err by more is too far as well.
            margin = self.error * (2 * norms + 1.01 * radius) ** 2
            sure = radius**2 + margin < distances[:, -1] ** 2 * (1 - self.error)
            unsure.append(low + np.flatnonzero(~sure))
        return np.concatenate(unsure)

    def _block(self, values: FloatArray, rows: IntArray, k: int, own: bool) -> IntArray:
        """Compare all rows that the matrix product cannot tell from the k nearest."""
        Q = values[rows]
        centred = Q * self.scale - self.centre
        norms = np.einsum("ij,ij->i", centred, centred)
        rough = centred @ (-2.0 * self.centred.T)
        rough += self.squares
        kth = np.partition(rough, k + own - 1, axis=1)[:, k + own - 1]
        radius = np.sqrt(np.maximum(kth + norms, 0))
        underflow = (np.sqrt(self.X.shape[1] * _TINY) * self.scale) ** 2
        margin = 3 * self.error * (2 * np.sqrt(norms) + 1.01 * radius) ** 2 + 3 * underflow
        # Distances that overflow in the columns of X are all equal there.
        limit = np.where(
            radius + np.sqrt(margin) < 1e150 * self.scale, kth + margin + 1e-290, np.inf
        )
        query, ids = np.divmod(np.flatnonzero(~(rough > limit[:, None])), len(self.X))
        if own:
            keep = ids != rows[query]
            query, ids = query[keep], ids[keep]
        squared = _squared_distances(self.X, Q, ids, query)
        ids = ids[np.lexsort((ids, squared, query))]
        return _heads(ids, query, len(rows), k)


def _squared_distances(
    X: FloatArray, Q: FloatArray, ids: IntArray, query: IntArray | None = None
) -> FloatArray:
    """The distances that decide: sums over the columns, one after the other."""
    squared = np.zeros(ids.shape)
    with np.errstate(over="ignore"):
        for j in range(X.shape[1]):
            column = Q[:, j, None] if query is None else Q[query, j]
            difference = column - X[ids, j]
            squared += difference * difference
    return squared


def _heads(ids: IntArray, query: IntArray, m: int, k: int) -> IntArray:
    """The first k ids of each query, whose numbers ascend."""
    starts = np.searchsorted(query, np.arange(m))
    heads: IntArray = ids[starts[:, None] + np.arange(k)]
    return heads


def _all_tied(n: int, rows: IntArray, k: int, own: bool) -> IntArray:
    """The first rows for every query, of rows without columns."""
    first = np.tile(np.arange(k), (len(rows), 1))
    return first + (own & (first >= rows[:, None]))


def _scale(X: FloatArray) -> float:
    """A power of two that brings the largest value near 1."""
    largest = max(abs(float(X.max(initial=0.0))), abs(float(X.min(initial=0.0))))
    return 2.0 ** min(1000, -int(np.frexp(largest)[1])) if largest > 0 else 1.0


def _principal_axes(X: FloatArray) -> tuple[float, FloatArray, FloatArray, float]:
    """Scale, centre, axes (d, r) in falling order of variance and how far from orthogonal."""
    n, d = X.shape
    scale = _scale(X)
    sample = X[:: max(1, n // 8192)] * scale
    centre = sample.mean(axis=0)
    sample -= centre
    axes = np.linalg.eigh(sample.T @ sample)[1][:, ::-1][:, :_AXES]
    lost = float(np.linalg.norm(axes.T @ axes - np.eye(axes.shape[1])))
    # Columns of zeros fill up what the kernels take in one go.
    filled = np.hstack([axes, np.zeros((d, -axes.shape[1] % 4))])
    return scale, centre, np.ascontiguousarray(filled), lost
