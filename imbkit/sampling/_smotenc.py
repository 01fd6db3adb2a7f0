"""New rows of numbers and categories, between a row of a rare class and its neighbours."""

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from imblearn.over_sampling import SMOTENC as _Original
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import check_array, check_random_state
from sklearn.utils.sparsefuncs import mean_variance_axis

from imbkit._core.card import Card
from imbkit._core.columns import NUMERIC
from imbkit._core.constraints import constraints_of
from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import listing, message, shorten
from imbkit._core.mixed import mixed_nearest
from imbkit._core.neighbors import kneighbors_with
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.sampling._categories import (
    Coded,
    candidates,
    coded_columns,
    dense,
    draw_levels,
    examples,
    write_columns,
)
from imbkit.sampling._growing import (
    GROWING,
    GrowingSampler,
    draw_pairs,
    joined,
    limited,
    warn_identical,
)
from imbkit.sampling._segments import on_segments
from imbkit.sampling._smote import stated_neighbors
from imbkit.sampling._table import check_finite

__all__ = ["SMOTENC"]

_CARRIED = ("datetime", "duration")


class _Mixed(NamedTuple):
    """What distances are made of: numbers, and codes of categories."""

    numbers: FloatArray
    coded: Coded


class _Made(NamedTuple):
    """Values of the new rows."""

    numbers: FloatArray
    levels: list[AnyArray]


class SMOTENC(GrowingSampler, _Original):
    """Make new rows of numbers and categories (SMOTE for nominal and continuous columns).

    Numbers lie on the segment between a row of the class and one of its nearest neighbours in
    the class; a category is the one that most of the row's neighbours have. Choose it for
    tables with categories among the columns. Numeric columns should be scaled alike, because
    distances decide.

    Parameters
    ----------
    categorical_features : "auto", or sequence of int, str or bool
        Columns of categories: names, positions, or a mask over all columns; ``"auto"`` for the
        columns of a categorical dtype of pandas or polars.
    categorical_encoder : estimator, default=None
        One-hot encoder whose ``categories_`` are the levels of the columns; None for a
        OneHotEncoder. No level may be dropped or merged.
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
        Neighbours in the class that a mate is drawn from, and that vote; or a neighbours
        object, such as scikit-learn's NearestNeighbors, whose ``n_neighbors`` counts the row
        itself. It sees one column for each level, in a sparse matrix.
    n_jobs : int, default=None
        Threads; None for the free cores.
    allocation : {"random", "even"}, default="random"
        Whether base rows are drawn at random, or each serves as often as any other.
    integer_features : None, "auto" or sequence of int or str, default=None
        Columns of floats in which new values are rounded; ``"auto"`` for those that hold whole
        numbers only. Columns of an integer dtype always are.
    bounds : None, "observed" or dict, default=None
        Columns in which new values are clipped: column -> (low, high), None for an open end;
        ``"observed"`` for the range of every numeric column.
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
    categorical_features_ : ndarray of int, shape (n_categorical,)
        Positions of the columns of categories.
    continuous_features_ : ndarray of int, shape (n_continuous,)
        Positions of the numeric columns.
    categorical_encoder_ : estimator
        Fitted encoder, whose ``categories_`` are the levels. The default one was fitted on a
        few rows that have every level.
    median_std_ : dict
        Class -> median of the standard deviations of its numeric columns; two rows of the class
        are as far apart by a category that differs.
    sample_indices_ : ndarray of int, shape (n_out,)
        All rows in their order, then the base row of every new row.
    parents_ : ndarray of int, shape (n_out, 2)
        Base row and mate of every row. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        In the numeric columns a row is ``X[a] + step * (X[b] - X[a])`` for its parents a and b,
        the difference rounded in the dtype of the numbers first; 0 for the rows that were
        there. Categories come from more rows than two. Not saved with the sampler.
    companions_ : dict
        Resampled `sample_weight`, `groups` and other companions. Not saved with the sampler.
    effective_prior_ : dict
        Class -> its share of the output, by weight if there are weights.
    nn_k_ : estimator
        Unfitted copy of `k_neighbors`, or a NearestNeighbors that counts the row itself.
    n_features_ : int
        Number of columns, under imbalanced-learn's name.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Names of the columns, if they are all strings.

    See Also
    --------
    SMOTE : For numeric columns alone.
    SMOTEN : For categories alone.

    Notes
    -----
    The squared distance of two rows of a class is the sum of their squared differences in the
    numeric columns plus, for each category that differs, the square of the class's
    ``median_std_``. Of several categories with the most votes one is drawn.

    Same rows in the same order as imbalanced-learn for the same `random_state`, as long as no
    two distances are equal; then the row with the smaller number is the nearer one. Integer
    columns are computed in float64 and rounded, where imbalanced-learn truncates the weight of
    categories too. Missing numbers: distances over the columns that both rows have, scaled up;
    a new number is missing only if both parents lack it. A missing category is a level of its
    own. New rows have no category that the table lacks, and keep the dtype of the column.
    Columns of dates and durations are carried from the base row.

    Neighbours take O(m^2) time for a class of m rows and O(m k) memory, whatever the number
    of levels; new rows O(n k).

    References
    ----------
    N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic minority
    over-sampling technique", Journal of Artificial Intelligence Research 16, 2002,
    doi:10.1613/jair.953.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import SMOTENC
    >>> rng = np.random.default_rng(0)
    >>> X = np.empty((100, 3), dtype=object)
    >>> X[:, :2], X[:, 2] = rng.normal(size=(100, 2)), rng.choice(["card", "cash"], 100)
    >>> y = np.repeat([0, 1], [90, 10])
    >>> sampler = SMOTENC(categorical_features=[2], random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y_resampled).tolist(), set(X_resampled[100:, 2]) <= {"card", "cash"}
    ([90, 90], True)
    """

    card = Card(
        paper="Chawla et al. (2002), doi:10.1613/jair.953",
        cases=(
            {"categorical_features": [0]},
            {"categorical_features": [0], "allocation": "even", "bounds": "observed"},
        ),
        known_failures=dict.fromkeys(
            ("check_samplers_string", "check_samplers_nan"),
            "the check's table has one column, and SMOTENC needs a number beside a category",
        ),
    )

    _parameter_constraints = {**constraints_of(_Original), **GROWING}

    def __init__(
        self,
        categorical_features: Any,
        *,
        categorical_encoder: Any = None,
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
            categorical_features,
            categorical_encoder=categorical_encoder,
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

    def _read_checked(self, X: Any, y: Any) -> Any:
        # imbalanced-learn's tests want to hear of this before the labels are looked at.
        if isinstance(self.categorical_features, str) and len(getattr(X, "shape", ())) == 2:
            _chosen(wrap(X, who=type(self).__name__), self.categorical_features)
        return super()._read_checked(X, y)

    def _read(self, rows: Rows[Any]) -> _Mixed:
        self.n_features_ = rows.n_columns
        self.categorical_features_ = _chosen(rows, self.categorical_features)
        self.continuous_features_, numbers = _numbers(rows, self.categorical_features_)
        columns = self.categorical_features_.tolist()
        if self.categorical_encoder is not None:
            encoder = clone(self.categorical_encoder)
            self.categorical_encoder_ = encoder
            return _Mixed(numbers, _encoded(encoder, rows, columns))
        coded = coded_columns(rows, columns)
        # float16 has no sparse matrix.
        dtype = np.result_type(numbers.dtype, np.float32)
        encoder = OneHotEncoder(handle_unknown="ignore", dtype=dtype)
        self.categorical_encoder_ = encoder.fit(examples(rows, columns, coded))
        return _Mixed(numbers, coded)

    def _plan(self, X: _Mixed, y: AnyArray) -> Plan:
        self.nn_k_ = stated_neighbors(self.k_neighbors)
        self.median_std_ = {}
        bases, mates, steps, levels = [], [], [], []
        for label, k in self._few(y, self.k_neighbors).items():
            n = self.sampling_strategy_[label]
            members = np.flatnonzero(y == label)
            numbers, codes = X.numbers[members], X.coded.codes[members]
            self.median_std_[label] = spread = _median_std(numbers)
            if k == 0:
                bases.append(np.repeat(members, n))
                mates.append(bases[-1])
                steps.append(np.zeros(n))
                levels.append(np.repeat(codes, n, axis=0))
                continue
            if (codes == codes[0]).all():
                warn_identical(numbers, label, type(self).__name__)
            rng = check_random_state(self.random_state)
            row, column, step = draw_pairs(rng, members.size, k, n, self.allocation)
            # Only rows that were drawn need neighbours.
            asked, place = np.unique(row, return_inverse=True)
            nearest = self._nearest(numbers, X.coded, codes, spread, asked, k)
            bases.append(members[row])
            mates.append(members[nearest[place, column]])
            steps.append(step)
            levels.append(self._vote(X, codes, nearest, place, spread))
        none = np.empty((0, len(X.coded.levels)), dtype=np.int32)
        extras = np.concatenate([none, *levels])
        return Plan.grown(y.size, joined(bases), joined(mates), joined(steps), levels=extras)

    def _nearest(
        self,
        numbers: FloatArray,
        coded: Coded,
        codes: NDArray[np.int32],
        spread: float,
        asked: IntArray,
        k: int,
    ) -> IntArray:
        """Return the `k` nearest other rows of some rows of a class."""
        given = isinstance(self.k_neighbors, Integral)
        if given and (codes >= 0).all():
            return mixed_nearest(numbers, codes, spread**2, asked, k, n_jobs=self.n_jobs)
        # A neighbours object, or values that the encoder does not know.
        estimator = NearestNeighbors(n_neighbors=k + 1) if given else self.k_neighbors
        matrix = _one_hot(numbers, codes, coded.levels, spread)
        return kneighbors_with(estimator, matrix, matrix)[asked, 1:]

    def _vote(
        self,
        X: _Mixed,
        codes: NDArray[np.int32],
        nearest: IntArray,
        voters: IntArray,
        spread: float,
    ) -> NDArray[np.int32]:
        """Return the levels of the new rows, given the neighbours of the rows drawn."""
        rng = check_random_state(self.random_state)
        least = _as_good(nearest.shape[1], _unit(spread, X.numbers.dtype))
        if (least[1:] == 0).any():
            rule = "categories were drawn among all levels of a column, as by imbalanced-learn"
            got = f"numbers of a class with a median standard deviation of {spread:.3g}"
            todo = "Scale the numeric columns to a spread of about 1"
            warnings.warn(message("SMOTENC", rule, got, todo), ImbkitWarning, 3)
        out = np.empty((voters.size, codes.shape[1]), dtype=np.int32)
        for c, level in enumerate(X.coded.levels):
            winners = candidates(codes[:, c][nearest], least, len(level))
            out[:, c] = draw_levels(rng, winners, voters)
        return out

    def _make(self, X: _Mixed, plan: Plan) -> _Made:
        made = plan.made
        parts = plan.base[made], plan.mate[made], plan.step[made]
        numbers = on_segments(X.numbers, *parts, n_jobs=self.n_jobs)
        levels = zip(X.coded.levels, plan.extras["levels"].T, strict=True)
        return _Made(numbers, [level[codes] for level, codes in levels])

    def _write(self, rows: Rows[Any], plan: Plan, values: Any, renumber: bool) -> Any:
        if values is None:
            return rows.take(plan.base, renumber=renumber).native
        columns = self.continuous_features_.tolist()
        numbers = limited(values.numbers, rows, columns, self.integer_features, self.bounds)
        return write_columns(
            rows,
            plan,
            numbers,
            columns,
            values.levels,
            self.categorical_features_.tolist(),
            renumber=renumber,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _chosen(rows: Rows[Any], asked: Any) -> IntArray:
    """Return the positions of the columns of categories, in the order they were named."""
    framed = not isinstance(rows.native, np.ndarray) and not sparse.issparse(rows.native)
    if isinstance(asked, str):
        if not framed:
            rule = (
                'with categorical_features="auto" the input data should be a pandas.DataFrame, '
                "or one of polars"
            )
            todo = "Name the columns or their positions"
            raise DataError(message(rows.who, rule, f"{type(rows.native)}", todo))
        found = [j for j, kind in enumerate(rows.kinds()) if kind == "category"]
    else:
        found = _positions(rows, list(asked), framed)
    if len(found) == rows.n_columns:
        rule = "SMOTE-NC is not designed to work only with categorical features"
        got = f"{rows.n_columns} feature(s), none of them numeric"
        raise DataError(message(rows.who, rule, got, "Use SMOTEN"))
    if not found:
        rule = "SMOTE-NC is not designed to work only with numerical features"
        todo = "Use SMOTE, or name the columns of categories"
        raise DataError(message(rows.who, rule, "no column of categories", todo))
    return np.array(found, dtype=np.intp)


def _positions(rows: Rows[Any], asked: list[Any], framed: bool) -> list[int]:
    n = rows.n_columns
    if asked and all(isinstance(item, bool | np.bool_) for item in asked):
        if len(asked) != n:
            rule = f"a mask as categorical_features must have an entry for each of {n} columns"
            raise InvalidParameterError(message(rows.who, rule, f"{len(asked)} entries"))
        return np.flatnonzero(asked).tolist()
    if any(isinstance(item, str) for item in asked) and not framed:
        rule = "names as categorical_features need a data frame"
        todo = "Use positions, or pass a DataFrame"
        raise InvalidParameterError(message(rows.who, rule, listing(asked), todo))
    found = []
    for item in asked:
        if isinstance(item, str):
            found.append(rows.find(item))
        elif isinstance(item, Integral) and -n <= int(item) < n:
            found.append(int(item) % n)
        else:
            rule = f"all features must be in [0, {n - 1}] or [-{n}, 0], or names of columns"
            raise InvalidParameterError(
                message(rows.who, f"categorical_features: {rule}", shorten(item))
            )
    if len(set(found)) < len(found):
        rule = "categorical_features must not name a column twice"
        raise InvalidParameterError(message(rows.who, rule, listing(asked)))
    return found


def _numbers(rows: Rows[Any], categorical: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the positions of the numeric columns, and their values as floats."""
    others = np.setdiff1d(np.arange(rows.n_columns), categorical)
    part = rows.select(others.tolist())
    native = part.native
    if isinstance(native, np.ndarray) and native.dtype == object:
        # Plain numbers are settled in one pass over the objects.
        if set(map(type, native.ravel().tolist())) <= {float, int}:
            numbers = native.astype(np.float64)
            check_finite(numbers, part)
            return others, numbers
    kinds = part.kinds()
    wrong = [
        f"{shorten(name)} ({kind})"
        for name, kind in zip(part.names, kinds, strict=True)
        if kind not in (*NUMERIC, *_CARRIED)
    ]
    if wrong:
        rule = "columns that are not among categorical_features must be numbers or times"
        todo = "Name these columns in categorical_features, or leave them out"
        raise DataError(message(rows.who, rule, ", ".join(wrong[:5]), todo))
    numeric = [c for c, kind in enumerate(kinds) if kind in NUMERIC]
    if not numeric:
        rule = "SMOTE-NC is not designed to work only with categorical features"
        got = f"{rows.n_columns} feature(s), none of them numeric"
        raise DataError(message(rows.who, rule, got, "Use SMOTEN"))
    measured = part.select(numeric)
    numbers = dense(measured.matrix())
    # Kernels know this machine's order of bytes alone.
    numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    check_finite(numbers, measured)
    numbers = check_array(numbers, dtype=None, ensure_all_finite=False, estimator=rows.who)
    return others[numeric], numbers


def _encoded(encoder: Any, rows: Rows[Any], columns: Sequence[int]) -> Coded:
    """Return the levels by a user's one-hot encoder; -1 for values that it does not know."""
    part = rows.select(columns).native
    one_hot = encoder.fit_transform(dense(part))
    one_hot = sparse.csc_array(one_hot)
    levels = [np.asarray(values) for values in getattr(encoder, "categories_", ())]
    n_levels = sum(len(values) for values in levels)
    if len(levels) != len(columns) or one_hot.shape[1] != n_levels:
        rule = (
            "SMOTENC requires a one-hot encoding with one column per category, and an encoder "
            "whose attribute categories_ lists them"
        )
        got = f"{one_hot.shape[1]} columns for {n_levels} categories"
        todo = "Use an encoder that neither drops nor merges any, such as OneHotEncoder()"
        raise DataError(message("categorical_encoder", rule, got, todo))
    codes = np.full((rows.n_rows, len(columns)), -1, dtype=np.int32, order="F")
    begin = 0
    for c, values in enumerate(levels):
        row, level = one_hot[:, begin : begin + len(values)].nonzero()
        codes[row, c] = level
        begin += len(values)
    return Coded(codes, levels, [])


def _one_hot(
    numbers: FloatArray, codes: NDArray[np.int32], levels: list[AnyArray], spread: float
) -> Any:
    """Return numbers and scaled one-hot columns, for a neighbours object."""
    n_rows = len(numbers)
    begin = np.cumsum([0, *map(len, levels)])
    row, column = np.nonzero(codes >= 0)
    place = begin[column] + codes[row, column]
    # Some metrics of scikit-learn read narrow indices only.
    row, place = row.astype(np.int32), place.astype(np.int32)
    unit = numbers.dtype.type(spread / np.sqrt(2))
    entries = np.full(row.size, unit)
    marks = sparse.csr_array((entries, (row, place)), shape=(n_rows, begin[-1]))
    return sparse.csr_matrix(sparse.hstack([sparse.csr_array(numbers), marks]))


def _median_std(numbers: FloatArray) -> float:
    """Return the median of the columns' population standard deviations."""
    exact = numbers.astype(np.result_type(numbers.dtype, np.float32), copy=False)
    _, variance = mean_variance_axis(sparse.csr_matrix(exact), axis=0)
    known = variance[~np.isnan(variance)]
    return np.median(np.sqrt(known)) if known.size else 0.0


def _unit(spread: float, dtype: np.dtype[Any]) -> Any:
    """Return what a vote is worth in imbalanced-learn's sums."""
    kind = np.result_type(dtype, np.float32).type
    return kind(1) if spread == 0 else kind(spread / np.sqrt(2))


def _as_good(k: int, unit: Any) -> IntArray:
    """Return, for each highest number of votes from 0 to `k`, the fewest that count as equal.

    imbalanced-learn compares sums of the scaled one-hot columns by ``numpy.isclose``, so votes
    worth less than its absolute tolerance are all alike.
    """
    sums = np.zeros(k + 1, dtype=unit.dtype)
    np.cumsum(np.full(k, unit), out=sums[1:])
    return np.isclose(sums[:, np.newaxis], sums).argmax(axis=0)
