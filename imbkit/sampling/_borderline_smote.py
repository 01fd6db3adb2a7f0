"""New rows around the rows of a rare class that stand among other classes."""

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from imblearn.over_sampling import BorderlineSMOTE as _Original
from scipy import sparse
from sklearn.utils import check_random_state

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.messages import message, shorten
from imbkit._core.neighbors import RowIndex, kneighbors_with
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import ImbkitWarning, SmallClassWarning
from imbkit.sampling._cleaning import others_of
from imbkit.sampling._growing import GROWING, GrowingSampler, draw_pairs, warn_identical
from imbkit.sampling._smote import stated_neighbors

__all__ = ["BorderlineSMOTE", "neighbors_among_all"]


class BorderlineSMOTE(GrowingSampler, _Original):
    """Make new rows of the rare classes near their borders only (Borderline-SMOTE).

    Rows of the class that have at least half of their neighbours, but not all, in other
    classes are in danger; new rows start from these alone. For numeric, scaled columns where
    the bulk of the rare class is easy and its border is what a learner gets wrong. It makes
    label noise worse, and where no row is in danger it makes none at all.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow by how much, as in :class:`SMOTE`.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws. With an integer every class starts the same stream anew, as in
        imbalanced-learn.
    k_neighbors : int or object, default=5
        Neighbours that a mate is drawn from; or a neighbours object, such as scikit-learn's
        NearestNeighbors, whose ``n_neighbors`` counts the row itself.
    m_neighbors : int or object, default=10
        Neighbours, of any class, by which a row is found to be in danger; or an object as
        above.
    kind : {"borderline-1", "borderline-2"}, default="borderline-1"
        Whether mates are neighbours within the class, or of any class. A mate of another
        class pulls the new row less than half of the way towards it.
    exact_counts : bool, default=False
        What happens to a class without a row in danger. False leaves it as it is, with a
        warning. True makes it grow as :class:`SMOTE` does, from all of its rows.
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
    in_danger_indices : dict
        Class -> numbers of its rows in danger, of those classes that have any.
    sample_indices_ : ndarray of int, shape (n_out,)
        All rows in their order, then the base row of every new row.
    parents_ : ndarray of int, shape (n_out, 2)
        Base row and mate of every row. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        A row is ``X[a] + step * (X[b] - X[a])`` for its parents a and b, the difference rounded
        in the dtype of `X` first; 0 for the rows that were there; NaN where the parents are of
        two classes: the row lies in the first half of their segment. Not saved with the
        sampler.
    companions_ : dict
        Resampled `sample_weight`, `groups` and other companions; interpolated ones are the base
        row's where the step is NaN. Not saved with the sampler.
    effective_prior_ : dict
        Class -> its share of the output, by weight if there are weights.
    nn_k_, nn_m_ : estimator
        Unfitted copies of `k_neighbors` and `m_neighbors`, or a NearestNeighbors that counts
        the row itself.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Names of the columns, if they are all strings.

    See Also
    --------
    SMOTE : New rows from every row of the class.
    ADASYN : More new rows where there are more neighbours of other classes.

    Notes
    -----
    With m neighbours, m' of them in other classes, a row is in danger if m/2 <= m' < m. Same
    rows in the same order as imbalanced-learn for the same `random_state`, as long as no two
    distances are equal; then the row with the smaller number is the nearer one. A class without
    a row in danger is left out there without a word; here an
    :class:`~imbkit.exceptions.ImbkitWarning` names it. Sparse matrices may be of any kind. A
    table or class with too few rows for the neighbours asked for uses all of its other rows,
    with a :class:`~imbkit.exceptions.SmallClassWarning`. Missing values and columns of dates:
    as in :class:`SMOTE`.

    One search among all n rows serves the m rows of all growing classes: O((n + m) log n) on
    data of low intrinsic dimension, O(m n) at worst; memory O(n d).

    References
    ----------
    H. Han, W.-Y. Wang, B.-H. Mao, "Borderline-SMOTE: a new over-sampling method in imbalanced
    data sets learning", Advances in Intelligent Computing, LNCS 3644, 2005,
    doi:10.1007/11538059_91.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import BorderlineSMOTE
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 2)), np.repeat([0, 1], [80, 20])
    >>> X[y == 1] += 1
    >>> sampler = BorderlineSMOTE(random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y_resampled).tolist(), sampler.in_danger_indices[1].size
    ([80, 80], 12)
    """

    card = Card(
        paper="Han, Wang & Mao (2005), doi:10.1007/11538059_91",
        cases=({}, {"kind": "borderline-2", "allocation": "even", "exact_counts": True}),
    )

    _parameter_constraints = {
        **constraints_of(_Original),
        **GROWING,
        "exact_counts": ["boolean"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        k_neighbors: Any = 5,
        m_neighbors: Any = 10,
        kind: str = "borderline-1",
        exact_counts: bool = False,
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
            m_neighbors=m_neighbors,
            kind=kind,
        )
        self.exact_counts = exact_counts
        self.n_jobs = n_jobs
        self.allocation = allocation
        self.integer_features = integer_features
        self.bounds = bounds
        self.companion_policy = companion_policy
        self.missing_classes = missing_classes

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        self.nn_k_ = stated_neighbors(self.k_neighbors)
        self.nn_m_ = stated_neighbors(self.m_neighbors)
        members = {
            label: np.flatnonzero(y == label) for label, n in self.sampling_strategy_.items() if n
        }
        near = _per_class(members, self._near_all(X, members))
        self.in_danger_indices = self._in_danger(members, near, y)
        safe = [label for label in members if label not in self.in_danger_indices]
        if safe and not self.exact_counts:
            self._warn_safe(safe, members)
        parts: list[tuple[AnyArray, ...]] = [(np.empty(0, np.intp),) * 2 + (np.empty(0),) * 3]
        within = self._within(y, members, safe)
        for label, rows in members.items():
            if label in self.in_danger_indices and self.kind == "borderline-2":
                danger = np.isin(rows, self.in_danger_indices[label], assume_unique=True)
                parts.append(self._across(X, y, label, near[label][danger]))
            elif label in within:
                parts.append(self._inside(X, rows, label, within[label]))
        base, mate, step, stride, scale = map(np.concatenate, zip(*parts, strict=True))
        if self.kind == "borderline-1":
            return Plan.grown(y.size, base, mate, step)
        # `stride` is the step even where the plan cannot claim it, `scale` shortens the
        # difference of a pair of two classes before that.
        return Plan.grown(y.size, base, mate, step, stride=stride, scale=scale)

    def _near_all(self, X: Any, members: dict[Any, IntArray]) -> IntArray:
        """Return the neighbours, among all rows, of the rows of all growing classes."""
        rows = np.concatenate([np.empty(0, dtype=np.intp), *members.values()])
        m, k = self.m_neighbors, self.k_neighbors
        both = isinstance(m, Integral) and isinstance(k, Integral)
        # The neighbours that mates are drawn from are the first of a longer list.
        longest = max(m, k) if both and self.kind == "borderline-2" else m
        return neighbors_among_all(X, rows, longest, type(self).__name__, n_jobs=self.n_jobs)

    def _in_danger(
        self, members: dict[Any, IntArray], near: dict[Any, IntArray], y: AnyArray
    ) -> dict[Any, IntArray]:
        """Return the rows in danger of each class that has some."""
        found = {}
        for label, rows in members.items():
            m = near[label].shape[1]
            if isinstance(self.m_neighbors, Integral):
                m = min(int(self.m_neighbors), m)
            enemies = np.count_nonzero(y[near[label][:, :m]] != label, axis=1)
            danger = (enemies >= m / 2) & (enemies < m)
            if danger.any():
                found[label] = rows[danger]
        return found

    def _warn_safe(self, safe: list[Any], members: dict[Any, IntArray]) -> None:
        rule = (
            "new rows start from rows with at least half of their neighbours, but not all, in "
            "other classes; classes without any were left as they are"
        )
        each = [f"{members[label].size:,} rows of {shorten(label)}" for label in safe]
        more = f" and {len(each) - 5:,} more classes" if len(each) > 5 else ""
        got = f"none among the {', the '.join(each[:5])}{more}"
        todo = "Set exact_counts=True to make these classes grow as by SMOTE"
        warnings.warn(message(type(self).__name__, rule, got, todo), ImbkitWarning, stacklevel=3)

    def _within(self, y: AnyArray, members: dict[Any, IntArray], safe: list[Any]) -> dict[Any, int]:
        """Return the number of neighbours for each class whose mates are in the class."""
        inside = safe if self.kind == "borderline-2" else list(members)
        if not self.exact_counts:
            inside = [label for label in inside if label in self.in_danger_indices]
        return self._few(y, self.k_neighbors, inside) if inside else {}

    def _inside(self, X: Any, rows: IntArray, label: Any, k: int) -> tuple[AnyArray, ...]:
        """Return pairs of a row in danger, or of any row if none is, and one of its class."""
        n = self.sampling_strategy_[label]
        if k == 0:
            base = np.repeat(rows, n)
            return base, base, np.zeros(n), np.zeros(n), np.ones(n)
        X_class = X[rows]
        warn_identical(X_class, label, type(self).__name__)
        danger = np.searchsorted(rows, self.in_danger_indices.get(label, rows))
        if isinstance(self.k_neighbors, Integral):
            near = RowIndex(X_class, n_jobs=self.n_jobs).nearest(k, danger)
        else:
            near = kneighbors_with(self.k_neighbors, X_class, X_class[danger])[:, 1:]
        rng = check_random_state(self.random_state)
        row, column, step = draw_pairs(rng, danger.size, near.shape[1], n, self.allocation)
        return rows[danger[row]], rows[near[row, column]], step, step, np.ones(n)

    def _across(self, X: Any, y: AnyArray, label: Any, near: IntArray) -> tuple[AnyArray, ...]:
        """Return pairs of a row in danger and a neighbour of any class."""
        danger, n = self.in_danger_indices[label], self.sampling_strategy_[label]
        if not isinstance(self.k_neighbors, Integral):
            others_of(self.k_neighbors, type(self).__name__)
            near = kneighbors_with(self.k_neighbors, X, X[danger])[:, 1:]
        elif isinstance(self.m_neighbors, Integral):
            near = near[:, : self.k_neighbors]
        else:
            k, who = self.k_neighbors, type(self).__name__
            near = neighbors_among_all(X, danger, k, who, n_jobs=self.n_jobs)
        rng = check_random_state(self.random_state)
        row, column, stride = draw_pairs(rng, danger.size, near.shape[1], n, self.allocation)
        mate = near[row, column]
        foreign = y[mate] != label
        scale = np.ones(n)
        # An integer seed starts its stream once more for these, as in imbalanced-learn.
        again = check_random_state(self.random_state)
        scale[foreign] = again.uniform(0.0, 0.5, np.count_nonzero(foreign))
        return danger[row], mate, np.where(foreign, np.nan, stride), stride, scale

    def _make(self, X: Any, plan: Plan) -> Any:
        if "scale" not in plan.extras:
            return super()._make(X, plan)
        base, mate = plan.base[plan.made], plan.mate[plan.made]
        return _scaled_segments(X, base, mate, plan.extras["stride"], plan.extras["scale"])


def neighbors_among_all(
    X: Any, rows: IntArray, k_or_estimator: Any, who: str, *, n_jobs: int | None
) -> IntArray:
    """Return the nearest other rows of some rows, whatever their class.

    One search serves all classes. A table with no more rows than neighbours gives all of its
    other rows, with a warning.
    """
    if not isinstance(k_or_estimator, Integral):
        others = others_of(k_or_estimator, who)
        if not rows.size:
            return np.empty((0, others), dtype=np.intp)
        return kneighbors_with(k_or_estimator, X, X[rows])[:, 1:]
    k, others = int(k_or_estimator), X.shape[0] - 1
    if k > others:
        rule = f"{k} neighbours need {k + 1} rows; all of the others were used"
        warnings.warn(message(who, rule, f"{others + 1} rows"), SmallClassWarning, stacklevel=3)
    return RowIndex(X, n_jobs=n_jobs).nearest(min(k, others), rows)


def _per_class(members: dict[Any, IntArray], table: IntArray) -> dict[Any, IntArray]:
    """Cut a table with a line for each row of the classes, class after class."""
    if not members:
        return {}
    ends = np.cumsum([rows.size for rows in members.values()])
    return dict(zip(members, np.split(table, ends[:-1]), strict=True))


def _scaled_segments(
    X: Any, base: IntArray, mate: IntArray, step: FloatArray, scale: FloatArray
) -> Any:
    """Return rows ``X[base] + step * (scale * (X[mate] - X[base]))``.

    The difference is rounded in the dtype of `X`, and once more after it was scaled; the rest
    is done in float64. Where one of two values is missing, the other one is taken.
    """
    start, end = X[base], X[mate]
    if not isinstance(X, np.ndarray):
        short = (sparse.diags_array(scale) @ (end - start)).astype(X.dtype)
        made = (start + sparse.diags_array(step) @ short).astype(X.dtype).tocoo()
        gone = np.isnan(made.data)
        where = made.coords[0][gone], made.coords[1][gone]
        if gone.any():
            made.data[gone] = _present(*(np.asarray(part[where]).ravel() for part in (start, end)))
        return type(X)(made)
    difference = end - start
    difference *= scale[:, np.newaxis]
    out = (start + step[:, np.newaxis] * difference).astype(X.dtype)
    gone = np.isnan(out)
    if gone.any():
        out[gone] = _present(start[gone], end[gone])
    return out


def _present(start: AnyArray, end: AnyArray) -> AnyArray:
    """Return whichever of two values is there."""
    return np.where(np.isnan(start), end, start)
