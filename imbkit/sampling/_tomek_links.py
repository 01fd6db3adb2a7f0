"""Drop rows whose nearest row is of another class, and theirs them."""

from typing import Any

import numpy as np
from imblearn.under_sampling import TomekLinks as _Original

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.neighbors import RowIndex
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, IntArray
from imbkit.sampling._cleaning import CLEANING, Cleaner, Labels

__all__ = ["TomekLinks", "tomek_links"]


class TomekLinks(Cleaner, _Original):
    """Drop the rows of large classes that form a Tomek link.

    Two rows of different classes form a link if each is the nearest row of the other: one of
    them is noise, or both lie on the border. A light touch that rarely drops more than a few
    rows in a hundred; it balances nothing. Distances decide, so scale the columns first.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Which classes may lose rows: ``"majority"``, ``"not minority"``, ``"not majority"``,
        ``"all"``, or ``"auto"`` for ``"not minority"``; a list of classes; or a callable that
        takes `y` and returns one of these, or a dictionary whose keys are the classes.
    n_jobs : int, default=None
        Threads; None for the free cores.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Keys: the classes that may lose rows, sorted.
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
    EditedNearestNeighbours : Drop rows that any of their neighbours disagrees with.
    OneSidedSelection : Drop rows far from the border as well.
    SMOTETomek : SMOTE first.

    Notes
    -----
    Rows a and b form a link if y[a] != y[b] and ::

        a = argmin over i != b of |X[i] - X[b]|,  b = argmin over i != a of |X[i] - X[a]|

    Of rows at the same distance the one with the smaller number is the nearer. Same rows as
    imbalanced-learn where no two distances are equal. Missing values: distances over the
    columns that both rows have, scaled up. Columns of dates and durations do not count.

    One end of a link lies outside the largest class. So the nearest row is sought for those
    rows alone, and then for what was found, instead of for all n rows: m of them take
    O(n log n + m log n) on data of low intrinsic dimension, O(n m) at worst; O(n d) memory.

    References
    ----------
    I. Tomek, "Two modifications of CNN", IEEE Transactions on Systems, Man, and Cybernetics 6
    (11), 1976, doi:10.1109/TSMC.1976.4309452.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import TomekLinks
    >>> X = np.array([[0.0], [1.0], [2.1], [3.0], [3.2], [9.0]])
    >>> y = np.array([0, 0, 0, 0, 1, 1])
    >>> sampler = TomekLinks()
    >>> _, y_resampled = sampler.fit_resample(X, y)
    >>> sampler.sample_indices_.tolist()
    [0, 1, 2, 4, 5]
    """

    card = Card(
        paper="Tomek (1976), doi:10.1109/TSMC.1976.4309452",
        cases=({}, {"sampling_strategy": "all"}),
    )

    _parameter_constraints = {**constraints_of(_Original), **CLEANING}

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_jobs: int | None = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, n_jobs=n_jobs)
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        labels = Labels.of(y)
        ends = tomek_links(X, labels.codes, n_jobs=self.n_jobs).ravel()
        targeted = labels.among(self.sampling_strategy_)
        kept = np.ones(y.size, dtype=bool)
        kept[ends[targeted[labels.codes[ends]]]] = False
        return Plan.copies(np.flatnonzero(kept))


def tomek_links(X: Any, codes: AnyArray, *, n_jobs: int | None = None) -> IntArray:
    """Return the pairs of rows that form Tomek links, shape (n_links, 2).

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        The table, two rows or more.
    codes : ndarray of int, shape (n_rows,)
        Class of each row, 0 or more.
    n_jobs : int, default=None
        Threads.

    Returns
    -------
    ndarray of int
        Each pair and the list of pairs in ascending order. No row is in two pairs.
    """
    asked = np.flatnonzero(codes != np.argmax(np.bincount(codes)))
    if not asked.size:
        return np.empty((0, 2), dtype=np.intp)
    index = RowIndex(X, n_jobs=n_jobs)
    nearest = np.full(len(codes), -1, dtype=np.intp)
    nearest[asked] = index.nearest(1, asked)[:, 0]
    asked = asked[codes[nearest[asked]] != codes[asked]]
    back = np.unique(nearest[asked])
    back = back[nearest[back] < 0]
    if back.size:
        nearest[back] = index.nearest(1, back)[:, 0]
    linked = asked[nearest[nearest[asked]] == asked]
    pairs = np.sort(np.column_stack([linked, nearest[linked]]), axis=1)
    # A link between two classes that are both not the largest was found from both ends.
    return np.unique(pairs, axis=0) if pairs.size else pairs
