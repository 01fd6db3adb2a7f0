"""New rows of categories: what most of a row's neighbours in a rare class have."""

import warnings
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from imblearn.over_sampling import SMOTEN as _Original
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.preprocessing import OrdinalEncoder
from sklearn.utils import check_random_state

from imbkit._core.card import Card
from imbkit._core.columns import is_missing
from imbkit._core.constraints import N_JOBS, StrOptions, constraints_of
from imbkit._core.containers import Rows
from imbkit._core.messages import message
from imbkit._core.mixed import profile_distances, profile_nearest
from imbkit._core.neighbors import kneighbors_with
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError
from imbkit.sampling._base import COMPANION_POLICY, MISSING_CLASSES
from imbkit.sampling._categories import (
    Coded,
    coded_columns,
    dense,
    examples,
    most_frequent,
    write_columns,
)
from imbkit.sampling._growing import GrowingSampler, even_rows, joined
from imbkit.sampling._smote import stated_neighbors

__all__ = ["SMOTEN"]

_CARRIED = ("datetime", "duration")


class _Nominal(NamedTuple):
    """The columns of categories, and their codes."""

    columns: list[int]
    coded: Coded


class SMOTEN(GrowingSampler, _Original):
    """Make new rows of categories (SMOTE for nominal columns).

    A new row has in every column the category that most of a row of the class and its nearest
    neighbours in the class have. Two categories are near each other if the classes have the
    same shares among their rows. Choose it for tables of categories alone.

    Parameters
    ----------
    categorical_encoder : estimator, default=None
        Ordinal encoder whose ``categories_`` are the levels of the columns; None for an
        OrdinalEncoder.
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
        Neighbours in the class that vote besides the row itself; or a neighbours object, such
        as scikit-learn's NearestNeighbors, whose ``n_neighbors`` counts the row itself. It
        sees the distances of all pairs of rows of the class, as metric ``"precomputed"``.
    n_jobs : int, default=None
        Threads; None for the free cores.
    allocation : {"random", "even"}, default="random"
        Whether base rows are drawn at random, or each serves as often as any other.
    companion_policy : str, float, callable or dict, default=None
        Companions of new rows: ``"interpolate"``, ``"base"``, ``"mean"``, a constant, or
        ``f(base_values, mate_values, step)``; one for all, or a dictionary from their names.
        A new row has one parent, so all but a constant and a function give its base row's.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class -> rows to make, sorted by class.
    categorical_encoder_ : estimator
        Fitted encoder, whose ``categories_`` are the levels. The default one was fitted on a
        few rows that have every level.
    sample_indices_ : ndarray of int, shape (n_out,)
        All rows in their order, then the base row of every new row.
    parents_ : ndarray of int, shape (n_out, 2)
        The same rows, twice: a new row comes from its base row and the neighbours of that,
        which are not listed. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        0 for the rows that were there, NaN for new ones: they are on no segment. Not saved
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
    SMOTE : For numeric columns alone.
    SMOTENC : For numbers and categories.

    Notes
    -----
    The distance of two rows is the value difference metric: over the columns, the sum of
    (sum_c abs(p(c | a) - p(c | b))) ** 2, where p(c | a) is the share of class c among all
    rows with the category a. Of several categories with the most votes the first in sorted
    order is taken.

    A row is its own first neighbour. Rows of categories are often equally far away; then those
    with smaller numbers are nearer, where imbalanced-learn leaves the choice to the processor.
    Without such ties it makes the same rows for the same `random_state`. A class with no more
    rows than `k_neighbors` uses all of them, and one row is repeated, each with a
    :class:`~imbkit.exceptions.SmallClassWarning`. A missing value is a level of its own.
    Columns of dates and durations are carried from the base row. Sparse matrices become dense
    inside, with a warning.

    Rows that have the same distances to all others are searched once: O(u^2) time for u
    different ones of a class, and O(m k) memory for its m rows besides tables of at most 64
    MiB.

    References
    ----------
    N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic minority
    over-sampling technique", Journal of Artificial Intelligence Research 16, 2002,
    doi:10.1613/jair.953.

    C. Stanfill, D. Waltz, "Toward memory-based reasoning", Communications of the ACM 29 (12),
    1986, doi:10.1145/7902.7906.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import SMOTEN
    >>> X = np.array(["card"] * 10 + ["cash"] * 20, dtype=object).reshape(-1, 1)
    >>> y = np.repeat([1, 0], [8, 22])
    >>> X_resampled, y_resampled = SMOTEN(random_state=0).fit_resample(X, y)
    >>> np.bincount(y_resampled).tolist(), set(X_resampled[30:, 0])
    ([22, 22], {'card'})
    """

    card = Card(
        paper="Chawla et al. (2002), doi:10.1613/jair.953",
        cases=({}, {"allocation": "even"}),
    )

    _parameter_constraints = {
        **constraints_of(_Original),
        "allocation": [StrOptions({"random", "even"})],
        "companion_policy": COMPANION_POLICY,
        "missing_classes": MISSING_CLASSES,
        "n_jobs": N_JOBS,
    }

    def __init__(
        self,
        categorical_encoder: Any = None,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        k_neighbors: Any = 5,
        n_jobs: int | None = None,
        allocation: str = "random",
        companion_policy: Any = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            categorical_encoder,
            sampling_strategy=sampling_strategy,
            random_state=random_state,
            k_neighbors=k_neighbors,
        )
        self.n_jobs = n_jobs
        self.allocation = allocation
        self.companion_policy = companion_policy
        self.missing_classes = missing_classes

    def _read(self, rows: Rows[Any]) -> _Nominal:
        if sparse.issparse(rows.native):
            text = "Passing a sparse matrix is not really efficient: it becomes dense inside"
            warnings.warn(message(rows.who, text), DataConversionWarning, 4)
        columns = [j for j, kind in enumerate(rows.kinds()) if kind not in _CARRIED]
        if not columns or not rows.n_rows:
            rule = "X must have rows, and columns of categories"
            got = f"{rows.n_rows} rows, {len(columns)} columns of categories"
            raise DataError(message(rows.who, rule, got))
        if self.categorical_encoder is not None:
            self.categorical_encoder_ = clone(self.categorical_encoder)
            return _Nominal(columns, _encoded(self.categorical_encoder_, rows, columns))
        coded = coded_columns(rows, columns)
        # Integers have no code for missing values but one of the user's choice.
        gaps = any(is_missing(levels[-1:]).any() for levels in coded.levels)
        encoder = OrdinalEncoder(dtype=np.int32, encoded_missing_value=-1 if gaps else np.nan)
        self.categorical_encoder_ = encoder.fit(examples(rows, columns, coded))
        return _Nominal(columns, coded)

    def _plan(self, X: _Nominal, y: AnyArray) -> Plan:
        self.nn_k_ = stated_neighbors(self.k_neighbors).set_params(metric="precomputed")
        profiles = _class_shares(X.coded, y)
        bases, levels = [], []
        for label, k in self._few(y, self.k_neighbors).items():
            n = self.sampling_strategy_[label]
            members = np.flatnonzero(y == label)
            codes = X.coded.codes[members]
            rng = check_random_state(self.random_state)
            if self.allocation == "even":
                row = even_rows(rng, members.size, n)
            else:
                row = rng.randint(0, members.size, n)
            bases.append(members[row])
            # Only rows that were drawn need neighbours.
            asked, place = np.unique(row, return_inverse=True)
            voters = self._voters(codes, profiles, asked, k)
            votes = [most_frequent(column[voters]) for column in codes.T]
            levels.append(np.stack(votes, axis=1)[place])
        base = joined(bases)
        none = np.empty((0, len(X.columns)), dtype=np.int32)
        made = np.concatenate([none, *levels])
        return Plan.grown(y.size, base, base, np.full(base.size, np.nan), levels=made)

    def _voters(
        self, codes: NDArray[np.int32], profiles: list[FloatArray], asked: IntArray, k: int
    ) -> IntArray:
        """Return some rows of a class, each with its `k` nearest others."""
        if k == 0:
            return asked[:, np.newaxis]
        if isinstance(self.k_neighbors, Integral):
            nearest = profile_nearest(codes, profiles, asked, k, n_jobs=self.n_jobs)
            return np.column_stack([asked, nearest])
        distances = profile_distances(codes, profiles)
        return kneighbors_with(self.nn_k_, distances, distances)[asked]

    def _make(self, X: _Nominal, plan: Plan) -> tuple[list[int], list[AnyArray]]:
        made = plan.extras["levels"]
        if self.categorical_encoder is not None:
            table = np.asarray(self.categorical_encoder_.inverse_transform(made))
            return X.columns, list(table.T)
        levels = zip(X.coded.levels, made.T, strict=True)
        return X.columns, [level[codes] for level, codes in levels]

    def _write(self, rows: Rows[Any], plan: Plan, values: Any, renumber: bool) -> Any:
        if values is None:
            return rows.take(plan.base, renumber=renumber).native
        columns, levels = values
        return write_columns(rows, plan, None, [], levels, columns, renumber=renumber)


def _encoded(encoder: Any, rows: Rows[Any], columns: list[int]) -> Coded:
    """Return the levels by a user's ordinal encoder."""
    part = rows.select(columns).native
    table = np.asarray(encoder.fit_transform(dense(part)))
    levels = [np.asarray(values) for values in getattr(encoder, "categories_", ())]
    if table.shape != (rows.n_rows, len(columns)) or len(levels) != len(columns):
        rule = (
            "SMOTEN requires an encoder that gives one code per value, and whose attribute "
            "categories_ lists the levels of each column"
        )
        got = f"codes of shape {table.shape} and levels of {len(levels)} columns"
        raise DataError(message("categorical_encoder", rule, got, "Use an OrdinalEncoder"))
    sizes = np.array([len(values) for values in levels])
    if not np.all((table >= 0) & (table < sizes)):  # NaN neither
        rule = "codes must count the levels of a column from 0"
        todo = "Leave missing and unknown values to SMOTEN's own encoder"
        got = "missing, negative or too large codes"
        raise DataError(message("categorical_encoder", rule, got, todo))
    return Coded(np.asfortranarray(table.astype(np.int32)), levels, [])


def _class_shares(coded: Coded, y: AnyArray) -> list[FloatArray]:
    """Return the share of every class among the rows of every level, for each column."""
    classes, code = np.unique(y, return_inverse=True)
    shares = []
    for column, levels in zip(coded.codes.T, coded.levels, strict=True):
        size = (len(levels), classes.size)
        cell = column.astype(np.intp) * classes.size + code
        counts = np.bincount(cell, minlength=size[0] * size[1]).reshape(size)
        # A level without rows, which an encoder may list, has no shares.
        shares.append(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    return shares
