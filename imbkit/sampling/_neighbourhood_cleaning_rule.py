"""Drop rows of large classes that their nearest rows outvote, and those that outvote rare ones."""

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from imblearn.under_sampling import NeighbourhoodCleaningRule as _Original
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.messages import message
from imbkit._core.neighborhood import Neighborhood
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import ImbkitWarning, InvalidParameterError
from imbkit.sampling._cleaning import (
    CLEANING,
    Cleaner,
    Edition,
    Labels,
    enough,
    is_euclidean,
    most_common,
    others_of,
)
from imbkit.sampling._edited_nearest_neighbours import EditedNearestNeighbours

__all__ = ["NeighbourhoodCleaningRule"]


class NeighbourhoodCleaningRule(Cleaner, _Original):
    """Drop the rows of large classes that are noise, and those that crowd out rare rows.

    First go the rows that most of their neighbours disagree with. Then, around each row of the
    smallest class that its neighbours misjudge, the neighbours of other classes go. Gentler on
    the large classes' bulk than EditedNearestNeighbours, kinder to the rare class. Distances
    decide, so scale the columns first.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Which classes may lose rows: ``"majority"``, ``"not minority"``, ``"not majority"``,
        ``"all"``, or ``"auto"`` for ``"not minority"``; a list of classes; or a callable that
        takes `y` and returns one of these, or a dictionary whose keys are the classes.
    edited_nearest_neighbours : object, default=None
        The sampler of the first step, one that sets ``sample_indices_``; None for
        EditedNearestNeighbours with ``kind_sel="mode"`` and `n_neighbors`.
    n_neighbors : int or object, default=3
        Neighbours that vote. A NearestNeighbors, whose ``n_neighbors`` counts the row itself,
        is asked in the first step; as in imbalanced-learn the second one takes no more than
        that number from it, and a warning says so if it searches by another distance. A
        classifier, such as KNeighborsClassifier, whose ``n_neighbors`` counts the row itself,
        is asked in both steps.
    threshold_cleaning : float, default=0.5
        The second step drops rows of classes with more rows than this multiple of the smallest
        class's.
    n_jobs : int, default=None
        Threads; None for the free cores.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Keys: the classes that may lose rows, sorted.
    edited_nearest_neighbours_ : object
        The sampler of the first step; unfitted unless it was a parameter.
    nn_ : estimator
        The classifier of the second step, unfitted unless `n_neighbors` is one.
    classes_to_clean_ : list
        Classes that the second step may drop rows of, in the order in which they first appear.
    sample_indices_ : ndarray of int, shape (n_out,)
        The rows that were kept, in their order.
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
    EditedNearestNeighbours : The first step alone.

    Notes
    -----
    With N(i) the k rows nearest to row i, itself left out, and N'(i) row i itself and the k - 1
    nearest others, these rows go, where T are the rows of targeted classes, R those of the
    smallest class and C those of `classes_to_clean_` ::

        {i in T: mode of y[j], j in N(i), is not y[i]}
        and {j in N(i) and C: i in R, mode of y[l], l in N'(i), is not y[i]}

    Of rows at the same distance the one with the smaller number is the nearer, and of classes
    with as many votes the first in sorted order wins. Same rows as imbalanced-learn where no
    two distances are equal; as there, of several smallest classes the first one in `y` is R.
    If the strategy spares another one of them, an :class:`~imbkit.exceptions.ImbkitWarning`
    says so. Fewer rows than neighbours, missing values, dates: as in EditedNearestNeighbours.

    One search serves both steps: O(n log n) on data of low intrinsic dimension, O(n^2) at
    worst; O(n d) memory.

    References
    ----------
    J. Laurikkala, "Improving identification of difficult small classes by balancing class
    distribution", Artificial Intelligence in Medicine, 2001, doi:10.1007/3-540-48229-6_9.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import NeighbourhoodCleaningRule
    >>> X = np.array([[0.0], [1.0], [2.1], [3.0], [3.2], [9.0], [9.5]])
    >>> y = np.array([0, 0, 0, 0, 1, 1, 1])
    >>> sampler = NeighbourhoodCleaningRule()
    >>> _, y_resampled = sampler.fit_resample(X, y)
    >>> sampler.sample_indices_.tolist()
    [0, 4, 5, 6]
    """

    card = Card(
        paper="Laurikkala (2001), doi:10.1007/3-540-48229-6_9",
        cases=({}, {"n_neighbors": 5, "threshold_cleaning": 0.1}),
    )

    _parameter_constraints = {**constraints_of(_Original), **CLEANING}

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        edited_nearest_neighbours: Any = None,
        n_neighbors: Any = 3,
        threshold_cleaning: float = 0.5,
        n_jobs: int | None = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            edited_nearest_neighbours=edited_nearest_neighbours,
            n_neighbors=n_neighbors,
            threshold_cleaning=threshold_cleaning,
            n_jobs=n_jobs,
        )
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        start = Labels.of(y)
        rarest, rival = self._rarest(start)
        if rival is not None:
            self._warn_tied(start, rarest, rival, "neighbours of its misjudged rows were dropped")
        size = start.counts[rarest] * self.threshold_cleaning
        cleaned = start.among(self.sampling_strategy_) & (start.counts > size)
        order = start.first_seen()
        self.classes_to_clean_ = [start.classes[code] for code in order if cleaned[code]]
        self._state_parts()
        outvoted, crowding = self._both_steps(X, start, rarest)
        kept = np.ones(y.size, dtype=bool)
        kept[outvoted] = False
        kept[crowding[cleaned[start.codes[crowding]]]] = False
        return Plan.copies(np.flatnonzero(kept))

    def _state_parts(self) -> None:
        """Set the sampler of the first step and the classifier of the second."""
        given = self.edited_nearest_neighbours
        if given is not None:
            self.edited_nearest_neighbours_ = clone(given)
        else:
            self.edited_nearest_neighbours_ = EditedNearestNeighbours(
                sampling_strategy=self.sampling_strategy,
                n_neighbors=self.n_neighbors,
                kind_sel="mode",
                n_jobs=self.n_jobs,
                missing_classes=self.missing_classes,
            )
        if not isinstance(self.n_neighbors, (Integral, NearestNeighbors)):
            self.nn_ = clone(self.n_neighbors)
            return
        k = self.n_neighbors
        if isinstance(k, NearestNeighbors):
            who = type(self).__name__
            if not is_euclidean(k):
                rule = (
                    "the second step takes n_neighbors alone from a NearestNeighbors; its "
                    "distances were Euclidean"
                )
                todo = "Pass a KNeighborsClassifier to use its distance in both steps"
                warnings.warn(message(who, rule, k, todo), ImbkitWarning, 4)
            k = others_of(k, who)
        self.nn_ = KNeighborsClassifier(n_neighbors=k, n_jobs=self.n_jobs)

    def _both_steps(self, X: Any, start: Labels, rarest: int) -> tuple[IntArray, IntArray]:
        """Return the rows that are outvoted, and the neighbours of misjudged rare rows."""
        rare = np.arange(start.classes.size) == rarest
        targeted = start.among(self.sampling_strategy_)
        before = None
        if self.edited_nearest_neighbours is not None:
            before = self._dropped_by_given(X, start)
        elif isinstance(self.n_neighbors, NearestNeighbors):
            edition = Edition(X, start, self.n_neighbors, self.n_jobs, type(self).__name__)
            edition.edit(targeted, 0, "mode")
            before = np.setdiff1d(np.arange(start.codes.size), edition.kept())
        if before is not None:
            targeted = np.zeros_like(rare)
        plain = isinstance(self.n_neighbors, (Integral, NearestNeighbors))
        search = self._one_search if plain else self._ask_classifier
        outvoted, crowding = search(X, start, targeted, rare)
        return outvoted if before is None else before, crowding

    def _one_search(
        self, X: Any, start: Labels, targeted: AnyArray, rare: AnyArray
    ) -> tuple[IntArray, IntArray]:
        """Take both steps with one search, for the rows of targeted classes and rare ones."""
        codes = start.codes
        k = enough(self.nn_.n_neighbors, codes.size, type(self).__name__)
        hood = Neighborhood(X, codes, n_jobs=self.n_jobs)
        rows = np.flatnonzero((targeted | rare)[codes])
        # Rows among their own are neither outvoted nor misjudged.
        rows = rows[~hood.pure(rows, k)]
        found, own = hood.nearest(rows, k), codes[rows]
        theirs = codes[found]
        outvoted = rows[targeted[own] & (most_common(theirs) != own)]
        voters = np.column_stack([own, theirs[:, : k - 1]])
        misjudged = rare[own] & (most_common(voters) != own)
        return outvoted, found[misjudged].ravel()

    def _dropped_by_given(self, X: Any, start: Labels) -> IntArray:
        """Return the rows that the user's sampler drops."""
        sampler = self.edited_nearest_neighbours_
        sampler.fit_resample(X, start.labels)
        if not hasattr(sampler, "sample_indices_"):
            rule = "edited_nearest_neighbours must say by sample_indices_ which rows it keeps"
            raise InvalidParameterError(message(type(self).__name__, rule, sampler))
        return np.setdiff1d(np.arange(start.codes.size), sampler.sample_indices_)

    def _ask_classifier(
        self, X: Any, start: Labels, targeted: AnyArray, rare: AnyArray
    ) -> tuple[IntArray, IntArray]:
        """Take both steps by the user's classifier, whose neighbours include the row itself."""
        who, codes = type(self).__name__, start.codes
        if not hasattr(self.nn_, "predict"):
            rule = "a neighbours object other than NearestNeighbors must predict classes"
            raise InvalidParameterError(message(who, rule, self.nn_))
        k = others_of(self.nn_, who) + 1
        if k >= codes.size:
            k = enough(k, codes.size, who)
            self.nn_.set_params(n_neighbors=k)
        self.nn_.fit(X, start.labels)
        rows = np.flatnonzero(targeted[codes])
        outvoted = rows
        if rows.size:
            found = self.nn_.kneighbors(X[rows], return_distance=False)[:, 1:]
            outvoted = rows[most_common(codes[found]) != codes[rows]]
        rows = np.flatnonzero(rare[codes])
        rows = rows[self.nn_.predict(X[rows]) != start.labels[rows]]
        if not rows.size:
            return outvoted, rows
        found = self.nn_.kneighbors(X[rows], n_neighbors=k + 1, return_distance=False)
        return outvoted, np.asarray(found[:, 1:], dtype=np.intp).ravel()
