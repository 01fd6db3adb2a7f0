"""New rows between a row of a rare class and one of its nearest neighbours in the class."""

from numbers import Integral
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE as _Original
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.sampling._growing import GROWING, GrowingSampler, draw_pairs, joined, warn_identical

__all__ = ["SMOTE", "stated_neighbors"]


class SMOTE(GrowingSampler, _Original):
    """Make new rows of the rare classes by interpolation (Synthetic Minority Over-sampling).

    A new row lies on the segment between a row of the class and one of its nearest neighbours
    in the class. The usual first choice among over-samplers for numeric columns; strong
    learners with a tuned threshold rarely gain from it, and it needs scaled columns, because
    distances decide.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow by how much. A ratio in (0, 1] of the rare class to the other one
        (two classes); ``"minority"``, ``"not minority"``, ``"not majority"``, ``"all"``, or
        ``"auto"`` for ``"not majority"``: up to the largest class; a dictionary
        class -> rows in the end (integer) or ratio to the largest class (float in (0, 1]); or
        a callable that takes `y` and returns one of these.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws. With an integer every class starts the same stream anew, as in
        imbalanced-learn.
    k_neighbors : int or object, default=5
        Neighbours in the class that a mate is drawn from; or a neighbours object, such as
        scikit-learn's NearestNeighbors, whose ``n_neighbors`` counts the row itself.
    n_jobs : int, default=None
        Threads; None for the free cores.
    allocation : {"random", "even"}, default="random"
        Whether base rows are drawn at random, or each serves as often as any other.
    integer_features : None, "auto" or sequence of int or str, default=None
        Columns of floats in which new values are rounded; ``"auto"`` for those that hold whole
        numbers only. Columns of an integer dtype always are.
    bounds : None, "observed" or dict, default=None
        Columns in which new values are clipped: column -> (low, high), None for an open end;
        ``"observed"`` for the range of every column.
    companion_policy : str, float, callable or dict, default=None
        Companions of new rows: ``"interpolate"``, ``"base"``, ``"mean"``, a constant, or
        ``f(base_values, mate_values, step)``; one for all, or a dictionary from their names.
        None interpolates floats and takes anything else from the base row.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class -> rows to make, sorted by class.
    sample_indices_ : ndarray of int, shape (n_out,)
        All rows in their order, then the base row of every new row.
    parents_ : ndarray of int, shape (n_out, 2)
        Base row and mate of every row. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        A row is ``X[a] + step * (X[b] - X[a])`` for its parents a and b, the difference rounded
        in the dtype of `X` first; 0 for the rows that were there. Rounding and clipping come
        after, and in columns where one parent is missing the other's value is taken. Not saved
        with the sampler.
    companions_ : dict
        Resampled `sample_weight`, `groups` and other companions. Not saved with the sampler.
    effective_prior_ : dict
        Class -> its share of the output, by weight if there are weights.
    nn_k_ : estimator
        Unfitted copy of `k_neighbors`, or a NearestNeighbors that counts the row itself.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Names of the columns, if they are all strings.

    See Also
    --------
    BorderlineSMOTE : New rows near the border of the class only.
    SMOTENC : The same with categories among the columns.
    SMOTEENN : SMOTE, then cleaning.

    Notes
    -----
    Same rows in the same order as imbalanced-learn for the same `random_state`, as long as no
    two distances are equal; then the row with the smaller number is the nearer one. A class
    with no more rows than `k_neighbors` uses all of its other rows, and one row is repeated,
    each with a :class:`~imbkit.exceptions.SmallClassWarning`. Missing values: distances over
    the columns that both rows have, scaled up. Columns of dates and durations are carried from
    the base row.

    Neighbours take O(m log m) per class of m rows on data of low intrinsic dimension, O(m^2) at
    worst, and O(m (k + d)) memory; new rows O(n d).

    References
    ----------
    N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic minority
    over-sampling technique", Journal of Artificial Intelligence Research 16, 2002,
    doi:10.1613/jair.953.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import SMOTE
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 2)), np.repeat([0, 1], [90, 10])
    >>> sampler = SMOTE(random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y_resampled).tolist()
    [90, 90]
    >>> a, b = sampler.parents_[-1]
    >>> bool(np.all(X_resampled[-1] == X[a] + sampler.steps_[-1] * (X[b] - X[a])))
    True
    """

    card = Card(
        paper="Chawla et al. (2002), doi:10.1613/jair.953",
        cases=({}, {"allocation": "even", "integer_features": "auto", "bounds": "observed"}),
    )

    _parameter_constraints = {**constraints_of(_Original), **GROWING}

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        k_neighbors: Any = 5,
        n_jobs: int | None = None,
        allocation: str = "random",
        integer_features: Any = None,
        bounds: Any = None,
        companion_policy: Any = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            random_state=random_state,
            k_neighbors=k_neighbors,
        )
        self.n_jobs = n_jobs
        self.allocation = allocation
        self.integer_features = integer_features
        self.bounds = bounds
        self.companion_policy = companion_policy
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        self.nn_k_ = stated_neighbors(self.k_neighbors)
        bases, mates, steps = [], [], []
        for label, k in self._few(y, self.k_neighbors).items():
            n = self.sampling_strategy_[label]
            members = np.flatnonzero(y == label)
            if k == 0:
                bases.append(np.repeat(members, n))
                mates.append(bases[-1])
                steps.append(np.zeros(n))
                continue
            X_class = X[members]
            warn_identical(X_class, label, type(self).__name__)
            neighbors = self._neighbors_in(X_class, self.k_neighbors, k)
            rng = check_random_state(self.random_state)
            row, column, step = draw_pairs(rng, members.size, k, n, self.allocation)
            bases.append(members[row])
            mates.append(members[neighbors[row, column]])
            steps.append(step)
        return Plan.grown(y.size, joined(bases), joined(mates), joined(steps))


def stated_neighbors(k_neighbors: Any) -> Any:
    """Return what imbalanced-learn's attribute ``nn_k_`` is, unfitted."""
    if isinstance(k_neighbors, Integral):
        return NearestNeighbors(n_neighbors=k_neighbors + 1)
    return clone(k_neighbors)
