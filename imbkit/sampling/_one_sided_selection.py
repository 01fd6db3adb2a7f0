"""Drop the rows of large classes that lie far from a rare one, then those that touch others."""

from typing import Any

import numpy as np
from imblearn.under_sampling import OneSidedSelection as _Original

from imbkit._core.card import Card
from imbkit._core.condense import misjudged
from imbkit._core.constraints import constraints_of
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, IntArray
from imbkit.sampling._base import MISSING_CLASSES
from imbkit.sampling._condensed_nearest_neighbour import StoreSampler
from imbkit.sampling._tomek_links import tomek_links

__all__ = ["OneSidedSelection"]


class OneSidedSelection(StoreSampler, _Original):
    """Drop rows of large classes that lie far from the smallest one, and then Tomek links.

    A store holds the smallest class and a seed of the class to reduce. The rows that its
    nearest rows get right are dropped, the others and the seeds are kept. Of what is left, the
    rows of Tomek links go: pairs of rows of two classes that are each other's nearest. Much
    depends on where the seed lies; choose it to thin out a large class quickly, and look at
    CondensedNearestNeighbour for a result that represents the class.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Which classes lose rows: ``"majority"``, ``"not minority"``, ``"not majority"``,
        ``"all"``, or ``"auto"`` for ``"not minority"``; a list of classes; or a callable that
        takes `y` and returns one of these.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.
    n_neighbors : int, classifier or None, default=None
        Voters; None for 1. Or a KNeighborsClassifier or another classifier.
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
        One for each of these classes, fitted on its store.
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
    CondensedNearestNeighbour : Add rows until the store gets every row right.
    TomekLinks : The second half alone.

    Notes
    -----
    Same rows in the same order as imbalanced-learn for the same `random_state`, as long as no
    two distances are equal; then the row with the smaller number is the nearer one. With
    several classes, each is judged against the smallest one alone; of several smallest ones,
    the first in `y`. Where `sampling_strategy` names the smallest class as well, only its seeds
    remain, with a warning.

    The article grows its store as CondensedNearestNeighbour does and keeps all of it; this
    method, like imbalanced-learn's, judges every row once, by the store that it starts with.

    One search in the smallest class, one among the rows that remain: O(n d log n) time on data
    of low intrinsic dimension, O(n d) memory. Distances of rows with missing values go over the
    columns that both rows have, scaled up.

    References
    ----------
    M. Kubat, S. Matwin, "Addressing the curse of imbalanced training sets: one-sided
    selection", Proceedings of the 14th International Conference on Machine Learning, 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import OneSidedSelection
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 2)), np.repeat([0, 1], [50, 10])
    >>> X[y == 1] += 3
    >>> X_resampled, y_resampled = OneSidedSelection(random_state=1).fit_resample(X, y)
    >>> np.bincount(y_resampled).tolist()
    [17, 10]
    """

    card = Card(
        paper="Kubat and Matwin (1997)",
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
        stored, rest = members[seeds], np.delete(members, seeds)
        store = np.concatenate([rivals, stored])
        classifier = self.estimators_[-1].fit(X[store], y[store])
        if label == rival or not rest.size:
            return stored, 0
        if voters is None:
            wrong = classifier.predict(X[rest]) != label
        else:
            wrong = misjudged(
                X,
                rest,
                rivals,
                stored,
                voters,
                rival_wins_ties=bool(rival < label),
                n_jobs=self.n_jobs,
            )
        return np.concatenate([stored, rest[wrong]]), 0

    def _cleaned(self, X: Any, y: AnyArray, kept: IntArray) -> Plan:
        labels, codes = np.unique(y[kept], return_inverse=True)
        ends = tomek_links(X[kept], codes, n_jobs=self.n_jobs).ravel()
        targeted = np.array([label in self.sampling_strategy_ for label in labels])
        staying = np.ones(kept.size, dtype=bool)
        staying[ends[targeted[codes[ends]]]] = False
        return Plan.copies(kept[staying])
