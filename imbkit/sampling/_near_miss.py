"""Keep the rows of large classes that are near the smallest one, by one of three measures."""

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from imblearn.under_sampling import NearMiss as _Original
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors

from imbkit._core.card import Card
from imbkit._core.condense import POOL, near_rows, pair_squares, smallest_class
from imbkit._core.constraints import constraints_of
from imbkit._core.messages import message, shorten
from imbkit._core.neighbors import RowIndex
from imbkit._core.parallel import run_blocks
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import ImbkitWarning, SmallClassWarning
from imbkit.sampling._base import MISSING_CLASSES, PlannedSampler

__all__ = ["NearMiss"]

_SMALL = 2_000  # rows below which loading the kernels costs more than they save
_CELLS = 2**20  # entries of a working array: 8 MiB
_BLOCK = 2**21  # differences that are worth a thread


class NearMiss(PlannedSampler, _Original):
    """Keep the rows of large classes that are near the smallest one.

    Near means: a small mean distance to the nearest rows of the smallest class (version 1) or
    to the farthest ones (version 2). Version 3 takes the nearest rows of the large class to
    each rare row, and of these the ones that are farthest from the rare class. No seed and no
    chance; but the rows that are kept look nothing like their class, and outliers of the
    smallest class steer versions 1 and 2. Compare it with RandomUnderSampler before use.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes lose how many rows. A ratio in (0, 1] of the smallest class to the other
        (two classes); ``"majority"``, ``"not minority"``, ``"not majority"``, ``"all"``, or
        ``"auto"`` for ``"not minority"``: down to the smallest class; a dictionary
        class -> rows to keep (integer) or ratio (float in (0, 1]); or a callable that takes
        `y` and returns one of these.
    version : {1, 2, 3}, default=1
        Which measure of nearness.
    n_neighbors : int or object, default=3
        Rows of the smallest class that the distances to are averaged; or a neighbours object,
        such as scikit-learn's NearestNeighbors.
    n_neighbors_ver3 : int or object, default=3
        In version 3, rows of the large class that each row of the smallest one proposes; or a
        neighbours object.
    n_jobs : int, default=None
        Threads; None for the free cores.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class -> rows to keep, sorted by class.
    nn_ : estimator
        Neighbours object of `n_neighbors`, fitted on the smallest class.
    nn_ver3_ : estimator
        Neighbours object of `n_neighbors_ver3`, fitted on the last class that was reduced; for
        version 3.
    sample_indices_ : ndarray of int, shape (n_out,)
        The rows that were kept, grouped by class; in a reduced class, the best first.
    parents_ : ndarray of int, shape (n_out, 2)
        The same rows, twice: every row of the output is a copy. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        Zeros. Not saved with the sampler.
    companions_ : dict
        Resampled `sample_weight`, `groups` and other companions. Not saved with the sampler.
    effective_prior_ : dict
        Class -> its share of the output, by weight if there are weights.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Names of the columns, if they are all strings.

    See Also
    --------
    RandomUnderSampler : Keep rows at random instead.
    CondensedNearestNeighbour : Keep what a nearest-neighbour classifier needs instead.

    Notes
    -----
    Same rows in the same order as imbalanced-learn, as long as no two sums of distances are
    equal; then the row with the smaller number comes first. Distances are taken to the smallest
    class, of several to the first in `y`; if `sampling_strategy` reduces that class, too, its
    rows are measured against themselves, with a warning. Version 3 may propose fewer rows than
    were asked for; then all of them are kept, with a warning. A class with fewer rows than
    neighbours uses all of them, with a :class:`~imbkit.exceptions.SmallClassWarning`. Missing
    values: distances over the columns that both rows have, scaled up.

    For n rows to choose from and m rows of the smallest class, versions 1 and 3 take
    O((n + m) log m) time on data of low intrinsic dimension. Version 2 keeps no table of
    distances: it takes O(n m d) time at worst, much less where a few rows of the smallest class
    are far from everything, and O(m d) memory.

    References
    ----------
    I. Mani, I. Zhang, "kNN approach to unbalanced data distributions: a case study involving
    information extraction", Proceedings of the Workshop on Learning from Imbalanced Datasets,
    ICML 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import NearMiss
    >>> X, y = np.arange(12.0).reshape(-1, 1), np.repeat([0, 1], [9, 3])
    >>> sampler = NearMiss()
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> sampler.sample_indices_.tolist()
    [8, 7, 6, 9, 10, 11]
    """

    card = Card(
        paper="Mani and Zhang (2003)",
        cases=({}, {"version": 2}, {"version": 3, "n_neighbors_ver3": 5}),
    )

    _parameter_constraints = {
        **constraints_of(_Original),
        "missing_classes": MISSING_CLASSES,
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        version: int = 1,
        n_neighbors: Any = 3,
        n_neighbors_ver3: Any = 3,
        n_jobs: int | None = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            version=version,
            n_neighbors=n_neighbors,
            n_neighbors_ver3=n_neighbors_ver3,
            n_jobs=n_jobs,
        )
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        smallest = smallest_class(y)
        rare = np.flatnonzero(y == smallest)
        if self.sampling_strategy_.get(smallest, rare.size) < rare.size:
            self._warn_itself(smallest)
        X = sparse.csr_matrix(X) if bool(sparse.issparse(X)) else X
        self.nn_ = self._object(self.n_neighbors, X).fit(X[rare])
        self._short(self.nn_, self.n_neighbors, "n_neighbors", {smallest: rare.size})
        if self.version == 3:
            self.nn_ver3_ = self._object(self.n_neighbors_ver3, X)
            counts = {label: int(np.sum(y == label)) for label in self.sampling_strategy_}
            self._short(self.nn_ver3_, self.n_neighbors_ver3, "n_neighbors_ver3", counts)
        kept, lacking = [], {}
        for label in np.unique(y):
            members = np.flatnonzero(y == label)
            if label in self.sampling_strategy_:
                wanted = self.sampling_strategy_[label]
                members = self._best(X, members, rare, wanted)
                if members.size < wanted:
                    lacking[label] = members.size, wanted
            kept.append(members)
        self._warn_lacking(lacking)
        return Plan.copies(np.concatenate(kept))

    def _best(self, X: Any, members: IntArray, rare: IntArray, wanted: int) -> IntArray:
        """Return the rows of a class to keep, best first; no more than can be chosen from."""
        if self.version == 3:
            proposed = self._nearest(self.nn_ver3_.fit(X[members]), X, members, rare)
            members = members[np.unique(proposed)]
        sums = self._sums(X, members, rare)
        return members[_lowest(-sums if self.version == 3 else sums, wanted)]

    def _sums(self, X: Any, members: IntArray, rare: IntArray) -> FloatArray:
        """Add up the distances of every member to some rare rows."""
        k = min(self.nn_.n_neighbors, rare.size)
        if not _is_plain(self.nn_):
            return self._asked_sums(X, members, rare.size)
        if self.version == 2:
            return _far_sums(X, members, rare, k, self.n_jobs)
        nearest = self._nearest(self.nn_, X, rare, members)
        return _sums_to(X, members, rare, nearest, self.n_jobs)

    def _nearest(self, finder: Any, X: Any, pool: IntArray, queries: IntArray) -> IntArray:
        """Return positions in `pool` of the rows nearest to the rows `queries`."""
        if not _is_plain(finder):
            return np.asarray(finder.kneighbors(X[queries], return_distance=False))
        k = min(finder.n_neighbors, pool.size)
        if pool.size <= POOL and not _for_arrays(X, queries):
            X = _doubles(X)
            return near_rows(X, queries, X[pool], k, self.n_jobs)[0]
        return RowIndex(X[pool], n_jobs=self.n_jobs).nearest_to(X[queries], k)

    def _asked_sums(self, X: Any, members: IntArray, n_rare: int) -> FloatArray:
        """Add up the distances that a user's object gives, some members at a time."""
        k = self.nn_.n_neighbors
        asked = n_rare if self.version == 2 else k
        sums = np.empty(members.size)
        step = max(1, _CELLS // asked)
        for low in range(0, members.size, step):
            part = slice(low, low + step)
            distances, _ = self.nn_.kneighbors(X[members[part]], n_neighbors=asked)
            sums[part] = np.sum(distances[:, -k:], axis=1)
        return sums

    def _object(self, given: Any, X: Any) -> Any:
        """Return an unfitted neighbours object."""
        if isinstance(given, Integral):
            missing = not sparse.issparse(X) and bool(np.isnan(X.sum()))
            metric = "nan_euclidean" if missing else "minkowski"
            return NearestNeighbors(n_neighbors=int(given), metric=metric, n_jobs=self.n_jobs)
        finder = clone(given)
        if "n_jobs" in finder.get_params():
            finder.set_params(n_jobs=self.n_jobs)
        return finder

    def _short(self, finder: Any, given: Any, name: str, sizes: dict[Any, int]) -> None:
        """Warn of classes with fewer rows than neighbours; all of their rows are then used."""
        short = {label: n for label, n in sizes.items() if n < finder.n_neighbors}
        if short and _is_plain(finder):
            rule = f"{name}={finder.n_neighbors} needs as many rows of a class; all were used"
            shown = [f"{shorten(_plain(label))}: {n}" for label, n in short.items()]
            got = f"classes of {', '.join(shown[:5])} rows"
            warnings.warn(message(type(self).__name__, rule, got), SmallClassWarning, 3)

    def _warn_itself(self, smallest: Any) -> None:
        """Say that a class is reduced by distances to its own rows."""
        rule = (
            f"distances are taken to class {shorten(_plain(smallest))}, the smallest (of several, "
            "the first in y), which sampling_strategy asks to reduce, too; its rows were measured "
            "against themselves, as imbalanced-learn does"
        )
        got = f"sampling_strategy={shorten(self.sampling_strategy)}"
        todo = "Name only other classes in sampling_strategy to keep this one"
        warnings.warn(message(type(self).__name__, rule, got, todo), ImbkitWarning, 3)

    def _warn_lacking(self, lacking: dict[Any, tuple[int, int]]) -> None:
        """Say which classes have fewer rows to choose from than were asked for."""
        if not lacking:
            return
        rule = (
            "The number of the samples to be selected is larger than the number of samples "
            "available, so that the classes are not balanced as asked; all of these were kept"
        )
        shown = [
            f"{n:,} of {wanted:,} rows of class {shorten(_plain(label))}"
            for label, (n, wanted) in lacking.items()
        ]
        got = ", ".join(shown[:5]) + (f" and {len(shown) - 5:,} more" if len(shown) > 5 else "")
        todo = "Raise n_neighbors_ver3"
        warnings.warn(message(type(self).__name__, rule, got, todo), ImbkitWarning, 3)


def _is_plain(finder: Any) -> bool:
    """Whether a neighbours object measures Euclidean distances and nothing else."""
    if type(finder) is not NearestNeighbors or finder.metric_params:
        return False
    if finder.algorithm not in ("auto", "ball_tree", "brute", "kd_tree"):
        return False
    metric = finder.metric
    return metric in ("euclidean", "nan_euclidean") or (metric == "minkowski" and finder.p == 2)


def _plain(label: Any) -> Any:
    """Return a label as an object of Python, to be shown."""
    return label.item() if isinstance(label, np.generic) else label


def _lowest(values: FloatArray, n: int) -> IntArray:
    """Return the positions of the `n` lowest values in their order, equal ones as they come."""
    if not 0 < n < values.size:
        return np.argsort(values, kind="stable")[:n]
    few = np.flatnonzero(values <= np.partition(values, n - 1)[n - 1])
    return few[np.argsort(values[few], kind="stable")][:n]


def _sums_to(
    X: Any, members: IntArray, rare: IntArray, mates: IntArray, n_jobs: int | None
) -> FloatArray:
    """Add up the distances of the members to the rare rows at the positions `mates`, in order."""
    sums = np.empty(members.size)
    if _for_arrays(X, members):
        step = max(1, _CELLS // X.shape[1])
        for low in range(0, members.size, step):
            part = slice(low, low + step)
            own = _doubles(X[members[part]])
            total = np.zeros(own.shape[0])
            for mate in mates[part].T:
                total += np.sqrt(pair_squares(own, _doubles(X[rare[mate]])))
            sums[part] = total
        return sums
    from imbkit._kernels.far import sums_to

    X = _doubles(X)
    block = max(1, _BLOCK // mates[0].size // X.shape[1])
    run_blocks(sums_to, members.size, X, members, X[rare], mates, sums, n_jobs=n_jobs, block=block)
    return sums


def _far_sums(X: Any, members: IntArray, rare: IntArray, k: int, n_jobs: int | None) -> FloatArray:
    """Add up the distances of each member to the `k` rare rows that are farthest from it."""
    sums = np.empty(members.size)
    if _for_arrays(X, members):
        step = max(1, _CELLS // rare.size)
        for low in range(0, members.size, step):
            part = slice(low, low + step)
            table = _table(X[members[part]], X[rare])
            table.partition(rare.size - k, axis=1)
            farthest = np.sort(table[:, rare.size - k :], axis=1)
            sums[part] = np.add.accumulate(np.sqrt(farthest), axis=1)[:, -1]
        return sums
    from imbkit._kernels.far import cluster, far_sums

    X = _doubles(X)
    clusters = cluster(X[rare])
    # Most rows are compared with few of the others.
    block = max(1, 16 * _BLOCK // rare.size // X.shape[1])
    run_blocks(far_sums, members.size, X, members, clusters, k, sums, n_jobs=n_jobs, block=block)
    return sums


def _for_arrays(X: Any, members: IntArray) -> bool:
    """Whether whole arrays serve: few rows, or what the kernels do not read."""
    return members.size < _SMALL or sparse.issparse(X) or bool(np.isnan(X.sum()))


def _doubles(rows: Any) -> Any:
    """Rows as float64; arrays in row order."""
    if bool(sparse.issparse(rows)):
        return rows.astype(np.float64)
    return np.ascontiguousarray(rows, dtype=np.float64)


def _table(Q: Any, P: Any) -> FloatArray:
    """Squared distances of all rows of `Q` and all rows of `P`, summed column by column."""
    if sparse.issparse(Q):
        return np.asarray(euclidean_distances(_doubles(Q), _doubles(P), squared=True))
    Q, P = _doubles(Q), _doubles(P)
    squares, seen = np.zeros((len(Q), len(P))), np.zeros((len(Q), len(P)))
    missing = bool(np.isnan(Q.sum() + P.sum()))
    for q, p in zip(Q.T, P.T, strict=True):
        gaps = q[:, np.newaxis] - p
        gaps *= gaps
        if missing:
            seen += ~np.isnan(gaps)
            np.nan_to_num(gaps, copy=False)
        squares += gaps
    if missing:
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = np.where(seen > 0, squares * Q.shape[1] / seen, np.inf)
    return squares
