"""Drop rows of large classes that their nearest row disagrees with, then the nearest two, ..."""

import warnings
from numbers import Integral
from typing import Any

from imblearn.under_sampling import AllKNN as _Original

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.messages import message
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.exceptions import ImbkitWarning
from imbkit.sampling._cleaning import CLEANING, Cleaner, enough, is_euclidean, others_of
from imbkit.sampling._edited_nearest_neighbours import EditedNearestNeighbours
from imbkit.sampling._smote import stated_neighbors

__all__ = ["AllKNN"]


class AllKNN(Cleaner, _Original):
    """Apply EditedNearestNeighbours with 1 neighbour, then with 2, and so on.

    Each pass works on what the one before has left. It drops more rows than one pass with as
    many neighbours. Distances decide, so scale the columns first.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Which classes may lose rows: ``"majority"``, ``"not minority"``, ``"not majority"``,
        ``"all"``, or ``"auto"`` for ``"not minority"``; a list of classes; or a callable that
        takes `y` and returns one of these, or a dictionary whose keys are the classes. It is
        applied anew to what is left before each pass.
    n_neighbors : int or object, default=3
        Neighbours that vote in the last pass; or a neighbours object whose ``n_neighbors``
        counts the row itself. As in imbalanced-learn that number is all that is taken from the
        object; if it searches by another distance, a warning says so.
    kind_sel : {"all", "mode"}, default="all"
        Whether a row is kept if all of its neighbours are of its class, or if its class is the
        most frequent one among them, the first in sorted order of several.
    allow_minority : bool, default=False
        Whether to go on after a class has become smaller than the smallest one was.
    n_jobs : int, default=None
        Threads; None for the free cores.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Keys: the classes that may lose rows in the first pass, sorted.
    nn_ : estimator
        Unfitted copy of `n_neighbors`, or a NearestNeighbors that counts the row itself.
    enn_ : EditedNearestNeighbours
        The sampler of the last pass, unfitted.
    sample_indices_ : ndarray of int, shape (n_out,)
        The rows that were kept, grouped by class.
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
    EditedNearestNeighbours : A single pass.
    RepeatedEditedNearestNeighbours : Passes with as many neighbours each.

    Notes
    -----
    It stops early after a pass in which a class has gone or, unless `allow_minority`, in which
    a class other than the smallest at the start has fewer rows than that one had. The result
    of that pass is kept. Of several smallest classes the first one in `y` counts, as in
    imbalanced-learn; where it matters, an :class:`~imbkit.exceptions.ImbkitWarning` says so.

    Same rows in the same order as imbalanced-learn where no two distances are equal; else the
    row with the smaller number in `X` is the nearer one, in every pass. Fewer rows than
    neighbours, missing values, dates: as in EditedNearestNeighbours.

    One search serves all passes: O(n log n) on data of low intrinsic dimension, O(n^2) a pass
    at worst; O(n d) memory.

    References
    ----------
    I. Tomek, "An experiment with the edited nearest-neighbor rule", IEEE Transactions on
    Systems, Man, and Cybernetics 6 (6), 1976, doi:10.1109/TSMC.1976.4309523.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import AllKNN
    >>> X = np.array([[0.0], [1.0], [2.1], [3.0], [3.2], [9.0]])
    >>> y = np.array([0, 0, 0, 0, 1, 1])
    >>> sampler = AllKNN(n_neighbors=2)
    >>> _, y_resampled = sampler.fit_resample(X, y)
    >>> sampler.sample_indices_.tolist()
    [0, 1, 4, 5]
    """

    card = Card(
        paper="Tomek (1976), doi:10.1109/TSMC.1976.4309523",
        cases=({}, {"kind_sel": "mode", "allow_minority": True}),
    )

    _parameter_constraints = {**constraints_of(_Original), **CLEANING}

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_neighbors: Any = 3,
        kind_sel: str = "all",
        allow_minority: bool = False,
        n_jobs: int | None = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            n_neighbors=n_neighbors,
            kind_sel=kind_sel,
            allow_minority=allow_minority,
            n_jobs=n_jobs,
        )
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        who = type(self).__name__
        self.nn_ = stated_neighbors(self.n_neighbors)
        if not (isinstance(self.n_neighbors, Integral) or is_euclidean(self.nn_)):
            rule = "of a neighbours object n_neighbors alone is used; distances were Euclidean"
            todo = "RepeatedEditedNearestNeighbours asks the object itself"
            warnings.warn(message(who, rule, self.nn_, todo), ImbkitWarning, 3)
        edition = self._edition(X, y)
        most = others_of(self.nn_, who)
        for k in range(1, most + 1):
            if k >= edition.counts().sum():
                enough(most, int(edition.counts().sum()), who)
                break
            self._edit(edition, k, self.kind_sel)
            if self._stops(edition, self.allow_minority):
                break
        self.enn_ = EditedNearestNeighbours(
            sampling_strategy=self.sampling_strategy,
            n_neighbors=edition.n_passes,
            kind_sel=self.kind_sel,
            n_jobs=self.n_jobs,
            missing_classes=self.missing_classes,
        )
        return Plan.copies(edition.kept())
