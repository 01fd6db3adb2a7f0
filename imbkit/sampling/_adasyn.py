"""More new rows of a rare class where more of the neighbours are of other classes."""

import warnings
from typing import Any

import numpy as np
from imblearn.over_sampling import ADASYN as _Original
from sklearn.utils import check_random_state

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.messages import message, shorten
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError, ImbkitWarning, NoEnemyError
from imbkit.sampling._borderline_smote import neighbors_among_all
from imbkit.sampling._growing import GROWING, GrowingSampler, warn_identical
from imbkit.sampling._smote import stated_neighbors

__all__ = ["ADASYN"]

# Share of the rows asked for beyond which a difference from rounding is worth a warning. Up to
# 3 % is usual: neighbours are few, so many rows have the same share and round the same way.
_NOTABLE = 0.05


class ADASYN(GrowingSampler, _Original):
    """Make new rows of the rare classes where they are hard to tell apart (ADASYN).

    Each row of the class gets new rows in proportion to how many of its neighbours belong to
    other classes. For numeric, scaled columns where errors cluster in the overlap of classes;
    label noise and outliers attract the most new rows of all.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow by how much, as in :class:`SMOTE`; the numbers are met up to
        rounding unless `exact_counts` is True.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws; one stream serves all classes, as in imbalanced-learn.
    n_neighbors : int or object, default=5
        Neighbours, of any class, that say how hard a row is, and neighbours in the class that
        a mate is drawn from; or a neighbours object, such as scikit-learn's NearestNeighbors,
        whose ``n_neighbors`` counts the row itself.
    exact_counts : bool, default=False
        Whether exactly as many rows are made as asked for. The rows' shares are rounded by
        largest remainders instead of one by one.
    n_jobs : int, default=None
        Threads; None for the free cores.
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
        Class -> rows asked for, sorted by class.
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
    nn_ : estimator
        Unfitted copy of `n_neighbors`, or a NearestNeighbors that counts the row itself.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Names of the columns, if they are all strings.

    Raises
    ------
    NoEnemyError
        If no row of a class that shall grow has a neighbour in another class.
    DataError
        If rounding leaves a class without a single new row.

    See Also
    --------
    SMOTE : Every row of the class alike.
    BorderlineSMOTE : New rows from rows in danger only.

    Notes
    -----
    Row i of a class, of whose k neighbours r_i belong to other classes, gets
    g_i = round(n r_i / sum r) of n new rows, halves to the even number; so their number is
    seldom n. Up to 3 % off is usual; a warning says so where it is more than 5 % and more rows
    than there are classes. With `exact_counts`, g_i is rounded
    down and what is missing goes to the rows with the largest remainders, of equal ones to the
    first. There is no parameter `allocation`, because how often a row serves is the method.

    Same rows in the same order as imbalanced-learn for the same `random_state`, as long as no
    two distances are equal; then the row with the smaller number is the nearer one. A class
    with no more rows than `n_neighbors` uses all of its other rows, and one row is repeated,
    each with a :class:`~imbkit.exceptions.SmallClassWarning`. Missing values and columns of
    dates: as in :class:`SMOTE`.

    One search among all n rows serves the m rows of all growing classes: O((n + m) log n) on
    data of low intrinsic dimension, O(m n) at worst; memory O(n d).

    References
    ----------
    H. He, Y. Bai, E. A. Garcia, S. Li, "ADASYN: adaptive synthetic sampling approach for
    imbalanced learning", IEEE International Joint Conference on Neural Networks, 2008,
    doi:10.1109/IJCNN.2008.4633969.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import ADASYN
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 2)), np.repeat([0, 1], [80, 20])
    >>> X[y == 1] += 1
    >>> np.bincount(ADASYN(random_state=0).fit_resample(X, y)[1]).tolist()
    [80, 82]
    >>> np.bincount(ADASYN(exact_counts=True, random_state=0).fit_resample(X, y)[1]).tolist()
    [80, 80]
    """

    card = Card(
        paper="He et al. (2008), doi:10.1109/IJCNN.2008.4633969",
        cases=({}, {"exact_counts": True, "integer_features": "auto", "bounds": "observed"}),
    )

    _parameter_constraints = {
        **constraints_of(_Original),
        **{name: rule for name, rule in GROWING.items() if name != "allocation"},
        "exact_counts": ["boolean"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        n_neighbors: Any = 5,
        exact_counts: bool = False,
        n_jobs: int | None = None,
        integer_features: Any = None,
        bounds: Any = None,
        companion_policy: Any = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            random_state=random_state,
            n_neighbors=n_neighbors,
        )
        self.exact_counts = exact_counts
        self.n_jobs = n_jobs
        self.integer_features = integer_features
        self.bounds = bounds
        self.companion_policy = companion_policy
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        self.nn_ = stated_neighbors(self.n_neighbors)
        who = type(self).__name__
        asked = {label: n for label, n in self.sampling_strategy_.items() if n}
        members = {label: np.flatnonzero(y == label) for label in asked}
        rows = np.concatenate([np.empty(0, dtype=np.intp), *members.values()])
        near = neighbors_among_all(X, rows, self.n_neighbors, who, n_jobs=self.n_jobs)
        enemies = np.count_nonzero(y[near] != y[rows, np.newaxis], axis=1)
        rng = check_random_state(self.random_state)
        bases, mates, steps, made, at = [], [], [], {}, 0
        for label, k in self._few(y, self.n_neighbors).items():
            own = members[label]
            # Shares as imbalanced-learn computes them, division by division: halves decide.
            hardness = enemies[at : at + own.size] / near.shape[1]
            at += own.size
            times = self._times(hardness, asked[label], label)
            made[label] = int(times.sum())
            base = np.repeat(np.arange(own.size), times)
            bases.append(own[base])
            mates.append(own[self._mates(X[own], base, k, rng, label)])
            steps.append(rng.uniform(size=base.size) if k else np.zeros(base.size))
        _warn_rounded(asked, made, np.unique(y).size, who)
        base, mate = (np.concatenate([rows[:0], *each]) for each in (bases, mates))
        return Plan.grown(y.size, base, mate, np.concatenate([np.empty(0), *steps]))

    def _times(self, hardness: FloatArray, n: int, label: Any) -> IntArray:
        """Return how many new rows start from each row of a class."""
        who = type(self).__name__
        if not hardness.any():
            rule = (
                f"some row of class {shorten(label)} must have a neighbour in another class, "
                "because new rows go where such neighbours are"
            )
            got = f"none among its {hardness.size:,} rows"
            todo = (
                "Use SMOTE instead, or larger n_neighbors; such a class is easy to tell apart "
                "and may need no new rows at all"
            )
            raise NoEnemyError(message(who, rule, got, todo))
        shares = hardness / np.sum(hardness) * n
        if self.exact_counts:
            return _largest_remainders(shares, n)
        times = np.rint(shares).astype(np.intp)
        if not times.any():
            rule = (
                f"No samples will be generated for class {shorten(label)} with the provided "
                "ratio settings: each row's share must round to 1 or more somewhere"
            )
            got = f"shares up to {shares.max():.2g} of {n:,} rows"
            raise DataError(message(who, rule, got, "Set exact_counts=True, or ask for more rows"))
        return times

    def _mates(
        self, X_class: Any, base: IntArray, k: int, rng: np.random.RandomState, label: Any
    ) -> IntArray:
        """Draw a neighbour in the class for each base row."""
        if k == 0:
            return base
        warn_identical(X_class, label, type(self).__name__)
        near = self._neighbors_in(X_class, self.n_neighbors, k)
        return near[base, rng.randint(0, near.shape[1], base.size)]


def _largest_remainders(shares: FloatArray, n: int) -> IntArray:
    """Round shares that sum to `n` so that they still do."""
    times = np.floor(shares).astype(np.intp)
    order = np.argsort(times - shares, kind="stable")
    times[order[: n - times.sum()]] += 1
    return times


def _warn_rounded(asked: dict[Any, int], made: dict[Any, int], n_classes: int, who: str) -> None:
    """Name the classes whose number of new rows differs from what was asked by more than a few."""
    off = [
        f"{made[label]:,} rows of class {shorten(label)} where {n:,} were asked for"
        for label, n in asked.items()
        if abs(made[label] - n) > max(_NOTABLE * n, n_classes)
    ]
    if off:
        rule = "the shares of the rows are rounded one by one, so another number of rows was made"
        got = ", ".join(off[:5]) + (f" and {len(off) - 5:,} more" if len(off) > 5 else "")
        todo = "Set exact_counts=True for exactly the number asked for"
        warnings.warn(message(who, rule, got, todo), ImbkitWarning, stacklevel=3)
