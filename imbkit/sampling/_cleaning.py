"""What samplers that drop rows for their neighbours have in common: votes, passes, stops."""

import warnings
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from imbkit._core.constraints import N_JOBS
from imbkit._core.messages import message, shorten
from imbkit._core.neighborhood import Neighborhood
from imbkit._core.neighbors import kneighbors_with
from imbkit._core.types import AnyArray, BoolArray, IntArray
from imbkit.exceptions import ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.sampling._base import MISSING_CLASSES, PlannedSampler
from imbkit.sampling._target import coded

__all__ = [
    "CLEANING",
    "Cleaner",
    "Edition",
    "Labels",
    "enough",
    "is_euclidean",
    "most_common",
    "other_neighbors",
    "others_of",
]

# Constraints of the parameters that every cleaning sampler has besides its own.
CLEANING: dict[str, list[Any]] = {"missing_classes": MISSING_CLASSES, "n_jobs": N_JOBS}
_NARROW = 2**15  # classes up to which codes are sorted as short integers, in linear time


class Labels(NamedTuple):
    """Labels of rows and their numbers, under the names that `Target` has for them."""

    labels: AnyArray  # (n,)
    classes: AnyArray  # (c,) the distinct ones, sorted
    codes: AnyArray  # (n,) int32, position in `classes`
    counts: IntArray  # (c,) rows of each class

    @classmethod
    def of(cls, labels: AnyArray) -> "Labels":
        """Number the labels of a table."""
        classes, codes = coded(labels)
        codes = codes.astype(np.int32)
        counts = np.bincount(codes, minlength=classes.size)
        return cls(labels, classes, codes, counts)

    def first_seen(self) -> list[int]:
        """Return the codes in the order in which the classes first appear."""
        firsts = [np.argmax(self.codes == code) for code in range(self.classes.size)]
        return np.argsort(firsts).tolist()

    def among(self, chosen: Any) -> BoolArray:
        """Say of each class whether it is among some labels."""
        return np.array([label in chosen for label in self.classes])


class Cleaner(PlannedSampler):
    """Mixin of samplers that drop rows of the large classes for their neighbours."""

    n_jobs: int | None

    def _edition(self, X: Any, y: AnyArray, estimator: Any = None) -> "Edition":
        """Return the table before its first pass."""
        return Edition(X, Labels.of(y), estimator, self.n_jobs, type(self).__name__)

    def _edit(self, edition: "Edition", k: int, kind_sel: str) -> int:
        """Drop the rows that their neighbours outvote; return how many.

        The strategy is looked at anew in every pass, as in imbalanced-learn: a class that has
        become the smallest one is spared from then on.
        """
        if not edition.n_passes:
            targets = self.sampling_strategy_
        else:
            targets = self._resolve(edition.left(), type(self).__name__)
        return edition.edit(edition.start.among(targets), k, kind_sel)

    def _stops(self, edition: "Edition", allow_minority: bool = False) -> bool:
        """Whether another pass would take too much: a class has gone, or one fell too low.

        Too low is below the size of the smallest class at the start. Which of several equally
        small ones that is may decide; a warning says when it does.
        """
        if edition.counts().min() == 0:
            return True
        if allow_minority:
            return False
        rarest, rival = self._rarest(edition.start)
        stops = edition.fell_below(rarest)
        if rival is not None and stops != edition.fell_below(rival):
            rule = "stopped" if stops else "went on"
            self._warn_tied(edition.start, rarest, rival, f"the passes {rule} because of it")
        return stops

    def _rarest(self, start: Labels) -> tuple[int, int | None]:
        """Return the class seen as the rare one, and an equally small one that is spared.

        The second is None unless the strategy targets the first and spares the second.
        """
        rarest = min(start.first_seen(), key=start.counts.__getitem__)
        spared = ~start.among(self.sampling_strategy_)
        rivals = np.flatnonzero(spared & (start.counts == start.counts[rarest]))
        return rarest, None if spared[rarest] or not rivals.size else int(rivals[0])

    def _warn_tied(self, start: Labels, rarest: int, rival: int, effect: str) -> None:
        """Say that of two classes of one size, one was spared and the other seen as rare."""
        names = [shorten(start.classes.tolist()[code]) for code in (rarest, rival)]
        rule = (
            f"classes {names[0]} and {names[1]} are equally small; {names[1]} keeps its rows, yet "
            f"{names[0]} was seen as the rare one because its first row comes first, and {effect}"
        )
        todo = "List the classes that may lose rows in sampling_strategy"
        warnings.warn(message(type(self).__name__, rule, todo=todo), ImbkitWarning, 4)


class Edition:
    """A table that loses rows pass by pass.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        The table.
    start : Labels
        Its labels.
    estimator : object or None
        A neighbours object to ask; None for the nearest rows by Euclidean distance.
    n_jobs : int or None
        Threads.
    who : str
        The class that messages speak for.
    """

    def __init__(self, X: Any, start: Labels, estimator: Any, n_jobs: int | None, who: str) -> None:
        self.start = start
        self.n_passes = 0
        self._X, self._estimator, self._n_jobs, self._who = X, estimator, n_jobs, who
        self._alive = np.ones(start.codes.size, dtype=bool)
        self._left = start.counts.copy()
        # Rows without any value are infinitely far from all others, and outvoted by none.
        self._judged = ~_blank(X)
        if estimator is None:
            self._hood = Neighborhood(X, start.codes, n_jobs=n_jobs)

    def counts(self) -> IntArray:
        """Return the rows of each class that are left."""
        return self._left

    def kept(self) -> IntArray:
        """Return the rows that are left, grouped by class."""
        alive = np.flatnonzero(self._alive)
        codes = self.start.codes[alive]
        if self.start.classes.size < _NARROW:
            codes = codes.astype(np.int16)
        return alive[np.argsort(codes, kind="stable")]

    def left(self) -> Any:
        """Return the `Labels` that are left, which a strategy takes for a target."""
        rows = self.kept()
        labels, _, codes, _ = self.start
        return Labels(labels[rows], self.start.classes, codes[rows], self._left)

    def fell_below(self, code: int) -> bool:
        """Whether any other class has fewer rows than this one had at the start."""
        low = self._left < self.start.counts[code]
        low[code] = False
        return bool(low.any())

    def edit(self, targeted: BoolArray, k: int, kind_sel: str) -> int:
        """Drop the rows of some classes that their neighbours outvote; return how many."""
        rows = np.flatnonzero(self._alive & self._judged & targeted[self.start.codes])
        dropped = self._outvoted(rows, k, kind_sel)
        self._alive[dropped] = False
        self._left = self._left - np.bincount(self.start.codes[dropped], minlength=self._left.size)
        if self._estimator is None:
            self._hood.remove(dropped)
        self.n_passes += 1
        return int(dropped.size)

    def _outvoted(self, rows: IntArray, k: int, kind_sel: str) -> IntArray:
        """Return those of the rows whose neighbours are not all, or not mostly, of their class."""
        codes = self.start.codes
        if self._estimator is None:
            # With all others voting, a pass drops a whole class or nothing: one warning at most.
            k = enough(k, int(self._left.sum()), self._who)
            rows = rows[~self._hood.pure(rows, k)]
            if kind_sel == "all" or not rows.size:
                return rows
            return rows[most_common(self._hood.labels(rows, k)) != codes[rows]]
        # In the order that earlier passes left the rows in, as the object would see them.
        pool = self.kept() if self.n_passes else np.arange(codes.size)
        found = other_neighbors(self._estimator, self._X, pool, rows, self._n_jobs, self._who)
        theirs = codes[found]
        if kind_sel == "all":
            return rows[(theirs != codes[rows, None]).any(axis=1)]
        return rows[most_common(theirs) != codes[rows]]


def _blank(X: Any) -> BoolArray:
    """Say of each row whether all of its values are missing."""
    if not isinstance(X, np.ndarray):
        return np.zeros(X.shape[0], dtype=bool)
    blank = np.isnan(X[:, 0])
    if blank.any():
        blank[blank] = np.isnan(X[blank]).all(axis=1)
    return blank


def enough(k: int, n_rows: int, who: str) -> int:
    """Return `k`, or with a warning the number of other rows if there are fewer."""
    if k < n_rows:
        return k
    rule = f"{k} neighbours need {k + 1} rows; all of the others were used"
    warnings.warn(message(who, rule, f"{n_rows} rows"), SmallClassWarning, 4)
    return n_rows - 1


def most_common(codes: AnyArray) -> AnyArray:
    """Return the most frequent code in each row, the smallest of several; shape (m, k) to (m,)."""
    codes = np.asarray(codes, dtype=np.int64)
    votes = np.zeros(codes.shape, dtype=np.int64)
    for column in range(codes.shape[1]):
        votes += codes == codes[:, column, None]
    # More votes first, then the smaller code.
    rank = votes * (codes.max(initial=0) + 1) - codes
    return np.take_along_axis(codes, rank.argmax(axis=1)[:, None], axis=1)[:, 0]


def other_neighbors(
    estimator: Any, X: Any, pool: IntArray, rows: IntArray, n_jobs: int | None, who: str
) -> IntArray:
    """Ask a user's neighbours object, which counts the row itself, for rows of a pool.

    The first neighbour is taken for the row itself and left out, as in imbalanced-learn.
    """
    asked = clone(estimator)
    k = others_of(asked, who)
    if k >= pool.size:
        asked.set_params(n_neighbors=enough(k, pool.size, who) + 1)
    if n_jobs is not None and "n_jobs" in asked.get_params():
        asked.set_params(n_jobs=n_jobs)
    whole = pool.size == X.shape[0] and bool(np.all(pool == np.arange(pool.size)))
    return pool[kneighbors_with(asked, X if whole else X[pool], X[rows])[:, 1:]]


def others_of(estimator: Any, who: str) -> int:
    """Return how many other rows a neighbours object, which counts the row itself, asks for."""
    k = getattr(estimator, "n_neighbors", None)
    if not isinstance(k, Integral) or k < 2:
        rule = (
            "n_neighbors of a neighbours object must be a whole number of 2 or more, because it "
            "counts the row itself"
        )
        raise InvalidParameterError(message(who, rule, k))
    return int(k) - 1


def is_euclidean(estimator: Any) -> bool:
    """Whether a neighbours object searches by plain Euclidean distance."""
    metric = getattr(estimator, "metric", None)
    if getattr(estimator, "metric_params", None):
        return False
    return bool(
        metric in ("euclidean", "l2") or (metric == "minkowski" and getattr(estimator, "p", 2) == 2)
    )
