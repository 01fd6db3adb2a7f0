"""Keep only the rows of large classes that a nearest-neighbour classifier needs."""

import warnings
from abc import abstractmethod
from numbers import Integral
from typing import Any

import numpy as np
from imblearn.under_sampling import CondensedNearestNeighbour as _Original
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import check_random_state

from imbkit._core.card import Card
from imbkit._core.condense import condensed, smallest_class
from imbkit._core.constraints import constraints_of
from imbkit._core.messages import message, shorten
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, BoolArray, IntArray
from imbkit.exceptions import ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.sampling._base import MISSING_CLASSES, PlannedSampler

__all__ = ["CondensedNearestNeighbour", "StoreSampler"]


class StoreSampler(PlannedSampler):
    """Mixin of samplers that judge each class by a store: the smallest class and some seeds."""

    n_neighbors: Any
    n_seeds_S: int
    n_jobs: int | None
    random_state: Any
    sampling_strategy: Any

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        classifier = self._classifier()
        smallest = smallest_class(y)
        rivals = np.flatnonzero(y == smallest)
        if smallest in self.sampling_strategy_:
            self._warn_reduced(smallest)
        voters = _plain_voters(classifier)
        if voters is not None:
            voters = self._few(voters, rivals.size, smallest)
            classifier.set_params(n_neighbors=voters)
            if not sparse.issparse(X) and np.isnan(X.sum()):
                classifier.set_params(metric="nan_euclidean", algorithm="auto")
        rng = check_random_state(self.random_state)
        kept, passed, self.estimators_ = [], {}, []
        for label in np.unique(y):
            members = np.flatnonzero(y == label)
            if label in self.sampling_strategy_:
                seeds = rng.randint(low=0, high=members.size, size=self.n_seeds_S)
                self.estimators_.append(clone(classifier))
                members, passed[label] = self._chosen(X, y, members, rivals, seeds, voters)
            kept.append(members)
        self._warn_passed({label: n for label, n in passed.items() if n})
        return self._cleaned(X, y, np.concatenate(kept))

    @abstractmethod
    def _chosen(
        self,
        X: Any,
        y: AnyArray,
        members: IntArray,
        rivals: IntArray,
        seeds: IntArray,
        voters: int | None,
    ) -> tuple[IntArray, int]:
        """Return the rows of a class to keep, and the number of rows passed over.

        It fits the last of ``estimators_``. `seeds` are positions in `members`. `voters` is
        None if only the estimator can judge.
        """

    def _cleaned(self, X: Any, y: AnyArray, kept: IntArray) -> Plan:
        """Return the plan for the rows that were kept."""
        return Plan.copies(kept)

    def _classifier(self) -> Any:
        """Return the classifier that judges, unfitted."""
        given = self.n_neighbors
        if given is None or isinstance(given, Integral):
            return KNeighborsClassifier(n_neighbors=given or 1, n_jobs=self.n_jobs)
        if not (hasattr(given, "fit") and hasattr(given, "predict")):
            rule = "n_neighbors must be an integer, None, or a classifier, which can predict"
            todo = "Use sklearn.neighbors.KNeighborsClassifier"
            raise InvalidParameterError(message(type(self).__name__, rule, given, todo))
        return clone(given)

    def _few(self, voters: int, n_rivals: int, label: object) -> int:
        """Return how many rows can vote from the start."""
        n_stored = n_rivals + self.n_seeds_S
        if voters > n_stored:
            rule = f"{voters} neighbours need as many rows in the store; all of them were used"
            got = f"{n_rivals} rows of class {shorten(_plain(label))} and {self.n_seeds_S} seeds"
            warnings.warn(message(type(self).__name__, rule, got), SmallClassWarning, 3)
        return min(voters, n_stored)

    def _warn_reduced(self, smallest: Any) -> None:
        """Say that the class that every store starts from is itself one to reduce."""
        rule = (
            f"the store starts from class {shorten(_plain(smallest))}, the smallest (of several, "
            "the first in y), which sampling_strategy asks to reduce, too; of it only the seeds "
            "were kept, as imbalanced-learn does"
        )
        got = f"sampling_strategy={shorten(self.sampling_strategy)}"
        todo = "Name only other classes in sampling_strategy to keep this one"
        warnings.warn(message(type(self).__name__, rule, got, todo), ImbkitWarning, 3)

    def _warn_passed(self, passed: dict[Any, int]) -> None:
        """Say how many rows were passed over, if any."""
        if not passed:
            return
        rule = (
            "rows that the store got wrong were passed over, because their position in the class "
            "equals the number of a row stored before; imbalanced-learn does so, and the same "
            "rows are kept here"
        )
        sizes = [f"{n:,} of class {shorten(_plain(label))}" for label, n in passed.items()]
        got = ", ".join(sizes[:5]) + (f" and {len(sizes) - 5:,} more" if len(sizes) > 5 else "")
        warnings.warn(message(type(self).__name__, rule, got), ImbkitWarning, 3)


class CondensedNearestNeighbour(StoreSampler, _Original):
    """Keep only the rows of large classes that a nearest-neighbour classifier needs.

    A store starts with the smallest class and a seed of the class to reduce. The rows of that
    class are looked at in turn, and those that the nearest rows of the store get wrong are
    added. It thins out the inside of a class and keeps its border, noise included; choose it
    before a nearest-neighbour classifier, and clean with TomekLinks or
    EditedNearestNeighbours first where labels are noisy.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Which classes lose rows: ``"majority"``, ``"not minority"``, ``"not majority"``,
        ``"all"``, or ``"auto"`` for ``"not minority"``; a list of classes; or a callable that
        takes `y` and returns one of these.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.
    n_neighbors : int, classifier or None, default=None
        Voters; None for 1. Or a KNeighborsClassifier or another classifier: one that is not a
        plain Euclidean vote is fitted anew for every row that is added, which is slow.
    n_seeds_S : int, default=1
        Seeds of each class, drawn with replacement.
    n_jobs : int, default=None
        Threads of the search; None for the free cores.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        The classes that lose rows, sorted.
    estimators_ : list of classifiers
        One for each of these classes, fitted on the store in the end.
    sample_indices_ : ndarray of int, shape (n_out,)
        The rows that were kept, grouped by class; of a reduced class the seeds, then the others
        in their order.
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
    OneSidedSelection : One pass over a fixed store, then Tomek links.
    EditedNearestNeighbours : Drop the rows that their neighbours get wrong instead.

    Notes
    -----
    Same rows in the same order as imbalanced-learn for the same `random_state`, as long as no
    two distances are equal; then the row with the smaller number is the nearer one. With
    several classes, each is reduced against the smallest one alone; of several smallest ones,
    the first in `y`.

    Two slips of the original change which rows come out, and so are kept, with a warning when
    they occur. The walk passes over a row whose position in its class equals the number in the
    table of a row stored before. And where `sampling_strategy` names the smallest class as
    well, only its seeds remain.

    A row is judged wrongly if, and only if, too few stored rows of its class lie nearer than
    one row of the smallest class that never changes. So one search in that class is enough,
    and what grows is a tree of the stored rows: O(n d log n) time on data of low intrinsic
    dimension, O(n d) memory. Sparse matrices and missing values take O(n d + s^2 d) for s rows
    kept. Distances of rows with missing values go over the columns that both rows have, scaled
    up.

    References
    ----------
    P. E. Hart, "The condensed nearest neighbor rule", IEEE Transactions on Information Theory
    14(3), 1968, doi:10.1109/TIT.1968.1054155.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import CondensedNearestNeighbour
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 2)), np.repeat([0, 1], [50, 10])
    >>> X[y == 1] += 3
    >>> sampler = CondensedNearestNeighbour(random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> bool(np.all(sampler.estimators_[0].predict(X) == y))
    True
    """

    card = Card(
        paper="Hart (1968), doi:10.1109/TIT.1968.1054155",
        cases=({}, {"n_neighbors": 3, "n_seeds_S": 2}),
    )

    _parameter_constraints = {
        **constraints_of(_Original),
        "missing_classes": MISSING_CLASSES,
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        n_neighbors: Any = None,
        n_seeds_S: int = 1,
        n_jobs: int | None = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            random_state=random_state,
            n_neighbors=n_neighbors,
            n_seeds_S=n_seeds_S,
            n_jobs=n_jobs,
        )
        self.missing_classes = missing_classes

    def _chosen(
        self,
        X: Any,
        y: AnyArray,
        members: IntArray,
        rivals: IntArray,
        seeds: IntArray,
        voters: int | None,
    ) -> tuple[IntArray, int]:
        label, rival = y[members[0]], y[rivals[0]]
        if label == rival:
            added = passed = np.empty(0, dtype=np.intp)
        elif voters is None:
            added, passed = _refitted(self.estimators_[-1], X, y, members, rivals, seeds)
        else:
            added, passed = condensed(
                X,
                members,
                rivals,
                seeds,
                voters,
                rival_wins_ties=bool(rival < label),
                n_jobs=self.n_jobs,
            )
        kept = members[np.concatenate([seeds, added])]
        store = np.concatenate([rivals, kept])
        self.estimators_[-1].fit(X[store], y[store])
        return kept, passed.size


def _plain(label: Any) -> Any:
    """Return a label as an object of Python, to be shown."""
    return label.item() if isinstance(label, np.generic) else label


def _plain_voters(classifier: Any) -> int | None:
    """Return the number of voters of a Euclidean vote; None for any other classifier."""
    if type(classifier) is not KNeighborsClassifier or classifier.metric_params:
        return None
    if classifier.weights not in ("uniform", None) or classifier.algorithm not in _EXACT:
        return None
    metric = classifier.metric
    if metric == "euclidean" or (metric == "minkowski" and classifier.p == 2):
        return int(classifier.n_neighbors)
    return None


_EXACT = ("auto", "ball_tree", "brute", "kd_tree")


def _refitted(
    classifier: Any, X: Any, y: AnyArray, members: IntArray, rivals: IntArray, seeds: IntArray
) -> tuple[IntArray, IntArray]:
    """Walk through a class with any classifier, fitted anew after each addition."""
    store = np.concatenate([rivals, members[seeds]])
    added, passed, start = [], [], 0
    while True:
        classifier.fit(X[store], y[store])
        rest = members[start:]
        if not rest.size:
            break
        wrong = start + np.flatnonzero(classifier.predict(X[rest]) != y[rest])
        slipped: BoolArray = np.isin(wrong, store[rivals.size :])
        stored = wrong[~slipped]
        passed.append(wrong[slipped & (wrong < (stored[0] if stored.size else members.size))])
        if not stored.size:
            break
        added.append(stored[0])
        store = np.append(store, members[stored[0]])
        start = stored[0] + 1
    none = np.empty(0, dtype=np.intp)
    return np.array(added, dtype=np.intp), np.concatenate([none, *passed])
