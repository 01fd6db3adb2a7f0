"""Drop rows of large classes that their nearest rows disagree with."""

from numbers import Integral
from typing import Any

from imblearn.under_sampling import EditedNearestNeighbours as _Original

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.sampling._cleaning import CLEANING, Cleaner
from imbkit.sampling._smote import stated_neighbors

__all__ = ["EditedNearestNeighbours"]


class EditedNearestNeighbours(Cleaner, _Original):
    """Drop the rows of large classes that are not surrounded by their own class.

    A row goes if any of its nearest neighbours is of another class, or with
    ``kind_sel="mode"`` if most are. It widens the gap around the rare class, and takes noise
    out of the large ones; it balances little. Distances decide, so scale the columns first.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Which classes may lose rows: ``"majority"``, ``"not minority"``, ``"not majority"``,
        ``"all"``, or ``"auto"`` for ``"not minority"``; a list of classes; or a callable that
        takes `y` and returns one of these, or a dictionary whose keys are the classes.
    n_neighbors : int or object, default=3
        Neighbours that vote; or a neighbours object, such as scikit-learn's NearestNeighbors,
        whose ``n_neighbors`` counts the row itself.
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
        Keys: the classes that may lose rows, sorted.
    nn_ : estimator
        Unfitted copy of `n_neighbors`, or a NearestNeighbors that counts the row itself.
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
    RepeatedEditedNearestNeighbours : The same until nothing changes.
    AllKNN : The same with 1, 2, 3, ... neighbours.
    NeighbourhoodCleaningRule : Also drop what surrounds misjudged rows of the rare class.
    SMOTEENN : SMOTE first.

    Notes
    -----
    With N(i) the k rows nearest to row i, itself left out, row i is kept if ::

        y[j] = y[i] for all j in N(i)        kind_sel="all"
        mode of y[j], j in N(i), is y[i]     kind_sel="mode"

    Of rows at the same distance the one with the smaller number is the nearer. Same rows in
    the same order as imbalanced-learn where no two distances are equal. In a table with no
    more rows than `n_neighbors` all of the others vote, with a
    :class:`~imbkit.exceptions.SmallClassWarning`. Missing values: distances over the columns
    that both rows have, scaled up. Columns of dates and durations do not count.

    O(n log n) on data of low intrinsic dimension, O(n^2) at worst; O(n d) memory. A neighbours
    object costs what it costs.

    References
    ----------
    D. L. Wilson, "Asymptotic properties of nearest neighbor rules using edited data", IEEE
    Transactions on Systems, Man, and Cybernetics 2 (3), 1972, doi:10.1109/TSMC.1972.4309137.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import EditedNearestNeighbours
    >>> X = np.array([[0.0], [1.0], [2.1], [3.0], [3.2], [9.0]])
    >>> y = np.array([0, 0, 0, 0, 1, 1])
    >>> sampler = EditedNearestNeighbours(n_neighbors=2)
    >>> _, y_resampled = sampler.fit_resample(X, y)
    >>> sampler.sample_indices_.tolist()
    [0, 1, 2, 4, 5]
    """

    card = Card(
        paper="Wilson (1972), doi:10.1109/TSMC.1972.4309137",
        cases=({}, {"kind_sel": "mode", "sampling_strategy": "all"}),
    )

    _parameter_constraints = {**constraints_of(_Original), **CLEANING}

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_neighbors: Any = 3,
        kind_sel: str = "all",
        n_jobs: int | None = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            n_neighbors=n_neighbors,
            kind_sel=kind_sel,
            n_jobs=n_jobs,
        )
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        self.nn_ = stated_neighbors(self.n_neighbors)
        given = not isinstance(self.n_neighbors, Integral)
        edition = self._edition(X, y, self.nn_ if given else None)
        self._edit(edition, 0 if given else self.n_neighbors, self.kind_sel)
        return Plan.copies(edition.kept())
