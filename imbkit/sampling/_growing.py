"""What samplers that make new rows have in common: neighbours, draws, and limits of values."""

import warnings
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse

from imbkit._core.constraints import N_JOBS, StrOptions
from imbkit._core.containers import Rows
from imbkit._core.messages import message, shorten
from imbkit._core.neighbors import RowIndex, kneighbors_with
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import InvalidParameterError, SmallClassWarning
from imbkit.sampling._base import COMPANION_POLICY, MISSING_CLASSES, PlannedSampler
from imbkit.sampling._cleaning import others_of
from imbkit.sampling._table import measured_columns

__all__ = [
    "GROWING",
    "GrowingSampler",
    "draw_pairs",
    "even_rows",
    "joined",
    "limited",
    "warn_identical",
]

# Constraints of the parameters that every sampler which makes numeric rows has besides its own.
GROWING: dict[str, list[Any]] = {
    "allocation": [StrOptions({"random", "even"})],
    "integer_features": [None, StrOptions({"auto"}), "array-like"],
    "bounds": [None, StrOptions({"observed"}), Mapping],
    "companion_policy": COMPANION_POLICY,
    "missing_classes": MISSING_CLASSES,
    "n_jobs": N_JOBS,
}


class GrowingSampler(PlannedSampler):
    """Mixin of samplers that put new rows below the old ones."""

    n_jobs: int | None
    integer_features: Any
    bounds: Any
    random_state: Any

    def _neighbors_in(self, X: Any, k_or_estimator: Any, k: int) -> IntArray:
        """Return the `k` nearest other rows of every row, by a user's object if there is one."""
        if isinstance(k_or_estimator, Integral):
            return RowIndex(X, n_jobs=self.n_jobs).nearest(k)
        return kneighbors_with(k_or_estimator, X, X)[:, 1:]

    def _few(
        self, y: AnyArray, k_or_estimator: Any, labels: Iterable[Any] | None = None
    ) -> dict[Any, int]:
        """Return the number of neighbours for each class that is to grow; 0 is to repeat rows.

        `labels` are those classes, by default all with rows to make. One warning names every
        class with fewer rows than neighbours, another one every class with a single row.
        """
        given = isinstance(k_or_estimator, Integral)
        who = type(self).__name__
        k = int(k_or_estimator) if given else others_of(k_or_estimator, who)
        if labels is None:
            labels = [label for label, n in self.sampling_strategy_.items() if n]
        growing = {label: int(np.count_nonzero(y == label)) for label in labels}
        lone = [label for label, n in growing.items() if n == 1]
        short = [label for label, n in growing.items() if 1 < n <= k]
        if short and given:
            sizes = ", ".join(f"{shorten(label)}: {growing[label]}" for label in short[:5])
            rule = f"{k} neighbours need {k + 1} rows of a class; all of the others were used"
            warnings.warn(message(who, rule, f"classes of {sizes} rows"), SmallClassWarning, 3)
        if lone:
            rule = "a class needs 2 rows to make new ones from; its single row was repeated"
            names = ", ".join(map(shorten, lone[:5]))
            warnings.warn(message(who, rule, f"class {names}"), SmallClassWarning, 3)
        return {label: min(k, n - 1) if given or n == 1 else k for label, n in growing.items()}

    def _write(self, rows: Rows[Any], plan: Plan, values: Any, renumber: bool) -> Any:
        if values is not None:
            columns = measured_columns(rows)
            values = limited(values, rows, columns, self.integer_features, self.bounds)
        return super()._write(rows, plan, values, renumber)


def draw_pairs(
    rng: np.random.RandomState, n_base: int, k: int, n: int, allocation: str
) -> tuple[IntArray, IntArray, FloatArray]:
    """Draw `n` base rows, one of the `k` neighbours of each, and a step in [0, 1).

    The draws for ``allocation="random"`` are imbalanced-learn's, in its order.
    """
    if allocation == "even":
        row = even_rows(rng, n_base, n)
        column = rng.randint(0, k, n)
    else:
        row, column = np.divmod(rng.randint(low=0, high=n_base * k, size=n), k)
    return row, column, rng.uniform(size=n)


def even_rows(rng: np.random.RandomState, n_base: int, n: int) -> IntArray:
    """Return `n` row numbers below `n_base`, each as often as any other, or once more."""
    rounds, rest = divmod(n, n_base)
    return np.concatenate([np.tile(np.arange(n_base), rounds), rng.permutation(n_base)[:rest]])


def joined(parts: list[AnyArray], dtype: Any = np.intp) -> AnyArray:
    """Put the draws of the classes behind each other; there may be none."""
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def warn_identical(X: Any, label: object, who: str) -> None:
    """Say so if all rows of a class are the same, so that new rows only repeat them."""
    if sparse.issparse(X) or X.shape[0] < 2 or not np.array_equal(X[0], X[-1], equal_nan=True):
        return
    same = (X == X[0]) | (np.isnan(X) & np.isnan(X[0]))
    if same.all():
        rule = f"the rows of class {shorten(label)} are all identical, so new rows repeat them"
        todo = "Random over-sampling or class weights do the same at less cost"
        warnings.warn(message(who, rule, todo=todo), SmallClassWarning, 3)


def limited(
    values: Any, rows: Rows[Any], columns: list[int], integer_features: Any, bounds: Any
) -> Any:
    """Round and clip new values of some columns, as the user asked.

    Parameters
    ----------
    values : ndarray of shape (n_made, k), or sparse matrix
        New rows.
    rows : Rows
        The table they are made from.
    columns : list of int
        The k columns of the table that `values` holds.
    integer_features : None, "auto" or sequence of int or str
        Columns to round; "auto" for those whose every present value is whole.
    bounds : None, "observed" or mapping of int or str to (low, high)
        Columns to clip; "observed" for all, to their smallest and largest value.

    Returns
    -------
    ndarray or sparse matrix
        `values` itself if nothing was asked.

    Raises
    ------
    InvalidParameterError
        If an option does not fit the table.
    """
    if integer_features is None and bounds is None:
        return values
    if sparse.issparse(values):
        rule = "integer_features and bounds are for dense tables"
        todo = "Leave them at None, or convert X by .toarray()"
        raise InvalidParameterError(message(rows.who, rule, "a sparse matrix", todo))
    out = values.copy()
    place = {column: k for k, column in enumerate(columns)}
    ends = {
        _place(column, place, rows, "bounds"): pair
        for column, pair in _bounds(bounds, rows, columns).items()
    }
    for k, (low, high) in ends.items():
        out[:, k] = np.clip(out[:, k], low, high)
    asked = _whole_columns(integer_features, rows, columns)
    whole = {_place(column, place, rows, "integer_features") for column in asked}
    # Columns of an integer dtype are rounded later on, which must not lead out of the bounds.
    partial = {k for k, pair in ends.items() if not np.array_equal(np.rint(pair), pair)}
    for k in whole | {k for k in partial if rows.select([columns[k]]).kinds()[0] == "integer"}:
        low, high = ends.get(k, (-np.inf, np.inf))
        # Rounded inwards where a bound itself is no whole number.
        if np.ceil(low) > np.floor(high):
            rule = f"bounds of column {shorten(rows.names[columns[k]])} must hold a whole number"
            todo = "Values of this column are rounded"
            raise InvalidParameterError(message(rows.who, rule, (low, high), todo))
        out[:, k] = np.clip(np.rint(out[:, k]), np.ceil(low), np.floor(high))
    return out


def _whole_columns(asked: Any, rows: Rows[Any], columns: list[int]) -> Iterable[Any]:
    if asked is None or not isinstance(asked, str):
        return [] if asked is None else list(asked)
    return [j for j in columns if _is_whole(np.asarray(rows.column(j), dtype=np.float64))]


def _is_whole(column: FloatArray) -> bool:
    present = column[~np.isnan(column)]
    return bool(np.all(present == np.rint(present)))


def _bounds(asked: Any, rows: Rows[Any], columns: list[int]) -> dict[Any, tuple[float, float]]:
    if asked is None:
        return {}
    if isinstance(asked, Mapping):
        return {name: _pair(pair, name, rows.who) for name, pair in asked.items()}
    observed = {}
    for j in columns:
        column = np.asarray(rows.column(j), dtype=np.float64)
        if not np.isnan(column).all():
            observed[j] = (float(np.nanmin(column)), float(np.nanmax(column)))
    return observed


def _pair(pair: Any, name: object, who: str) -> tuple[float, float]:
    """Check one pair of bounds; None is no bound."""
    try:
        low, high = (
            limit if end is None else float(end)
            for end, limit in zip(pair, (-np.inf, np.inf), strict=True)
        )
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not low <= high:
        rule = f"bounds of column {shorten(name)} must be a pair (low, high) with low <= high"
        raise InvalidParameterError(message(who, rule, pair, "Use None for no bound"))
    return low, high


def _place(column: Any, place: dict[int, int], rows: Rows[Any], option: str) -> int:
    """Return where a column of the table, by name or position, stands among the new values."""
    if isinstance(column, str):
        position = rows.find(column)
    elif _is_number(column) and 0 <= int(column) < rows.n_columns:
        position = int(column)
    else:
        rule = f"{option} must name columns of the table or their positions from 0"
        raise InvalidParameterError(message(rows.who, rule, column))
    if position not in place:
        rule = f"{option} must name numeric columns"
        raise InvalidParameterError(message(rows.who, rule, shorten(rows.names[position])))
    return place[position]


def _is_number(column: Any) -> bool:
    """Whether it can be the number of a column; the entries of a mask cannot."""
    return isinstance(column, Integral) and not isinstance(column, bool)
