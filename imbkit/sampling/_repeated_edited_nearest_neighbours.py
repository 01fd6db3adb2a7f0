"""Drop rows of large classes that their nearest rows disagree with, again and again."""

from numbers import Integral
from typing import Any

from imblearn.under_sampling import RepeatedEditedNearestNeighbours as _Original

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.sampling._cleaning import CLEANING, Cleaner
from imbkit.sampling._edited_nearest_neighbours import EditedNearestNeighbours
from imbkit.sampling._smote import stated_neighbors

__all__ = ["RepeatedEditedNearestNeighbours"]


class RepeatedEditedNearestNeighbours(Cleaner, _Original):
    """Repeat EditedNearestNeighbours on what is left of the table.

    It drops several times as many rows as a single pass. Distances decide, so scale the
    columns first.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Which classes may lose rows: ``"majority"``, ``"not minority"``, ``"not majority"``,
        ``"all"``, or ``"auto"`` for ``"not minority"``; a list of classes; or a callable that
        takes `y` and returns one of these, or a dictionary whose keys are the classes. It is
        applied anew to what is left before each pass.
    n_neighbors : int or object, default=3
        Neighbours that vote; or a neighbours object, such as scikit-learn's NearestNeighbors,
        whose ``n_neighbors`` counts the row itself.
    max_iter : int, default=100
        Passes at most.
    kind_sel : {"all", "mode"}, default="all"
        Whether a row is kept if all of its neighbours are of its class, or if its class is the
        most frequent one among them, the first in sorted order of several.
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
        The sampler of one pass, unfitted.
    n_iter_ : int
        Passes, the last one, which may have dropped nothing, included.
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
    AllKNN : Passes with 1, 2, 3, ... neighbours.

    Notes
    -----
    After each pass it stops if nothing was dropped, if a class has gone, or if a class other
    than the smallest at the start has fewer rows than that one had. The result of that pass is
    kept. Of several smallest classes the first one in `y` counts, as in imbalanced-learn; where
    it matters, an :class:`~imbkit.exceptions.ImbkitWarning` says so.

    Same rows in the same order as imbalanced-learn where no two distances are equal; else the
    row with the smaller number in `X` is the nearer one, in every pass. `sample_indices_` are
    always the rows of the output; imbalanced-learn's may not be. Fewer rows than neighbours,
    missing values, dates: as in EditedNearestNeighbours.

    One search serves all passes, so that later ones cost little: O(n log n) on data of low
    intrinsic dimension, O(n^2) a pass at worst; O(n d) memory. A neighbours object is asked in
    each pass.

    References
    ----------
    I. Tomek, "An experiment with the edited nearest-neighbor rule", IEEE Transactions on
    Systems, Man, and Cybernetics 6 (6), 1976, doi:10.1109/TSMC.1976.4309523.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import RepeatedEditedNearestNeighbours
    >>> X = np.array([[0.0], [1.0], [2.1], [3.0], [3.2], [9.0]])
    >>> y = np.array([0, 0, 0, 0, 1, 1])
    >>> sampler = RepeatedEditedNearestNeighbours(n_neighbors=1)
    >>> _, y_resampled = sampler.fit_resample(X, y)
    >>> sampler.sample_indices_.tolist(), sampler.n_iter_
    ([0, 1, 2, 4, 5], 2)
    """

    card = Card(
        paper="Tomek (1976), doi:10.1109/TSMC.1976.4309523",
        cases=({}, {"kind_sel": "mode", "max_iter": 2}),
    )

    _parameter_constraints = {**constraints_of(_Original), **CLEANING}

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_neighbors: Any = 3,
        max_iter: int = 100,
        kind_sel: str = "all",
        n_jobs: int | None = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            n_neighbors=n_neighbors,
            max_iter=max_iter,
            kind_sel=kind_sel,
            n_jobs=n_jobs,
        )
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        self.nn_ = stated_neighbors(self.n_neighbors)
        self.enn_ = EditedNearestNeighbours(
            sampling_strategy=self.sampling_strategy,
            n_neighbors=self.n_neighbors,
            kind_sel=self.kind_sel,
            n_jobs=self.n_jobs,
            missing_classes=self.missing_classes,
        )
        given = not isinstance(self.n_neighbors, Integral)
        edition = self._edition(X, y, self.nn_ if given else None)
        while edition.n_passes < self.max_iter:
            dropped = self._edit(edition, 0 if given else self.n_neighbors, self.kind_sel)
            if not dropped or self._stops(edition):
                break
        self.n_iter_ = edition.n_passes
        return Plan.copies(edition.kept())
