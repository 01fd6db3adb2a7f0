"""The table of a sampler: the columns that distances are made of, and the rows put out again."""

from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils import check_array

from imbkit._core.columns import NUMERIC
from imbkit._core.containers import Rows, stack
from imbkit._core.messages import message, shorten
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.exceptions import ColumnTypeError, DataError

__all__ = ["assemble", "check_finite", "measured_columns", "numeric_matrix", "sparse_like"]

_CARRIED = ("datetime", "duration")


def measured_columns(rows: Rows[Any]) -> list[int]:
    """Return the columns that distances are made of: all but dates and durations.

    Those have no scale in common with numbers; their values come from the base row.

    Raises
    ------
    DataError
        If a column is neither a number nor a time.
    """
    kinds = rows.kinds()
    usable = [j for j, kind in enumerate(kinds) if kind in (*NUMERIC, *_CARRIED)]
    if len(usable) < len(kinds):
        _refuse(rows, [j for j in range(len(kinds)) if j not in usable])
    return [j for j in usable if kinds[j] in NUMERIC]


def _refuse(rows: Rows[Any], wrong: list[int]) -> None:
    """Say which columns cannot be measured, and what to do about them."""
    kinds = rows.kinds()
    named = [f"{shorten(rows.names[j])} ({kinds[j]})" for j in wrong]
    got = ", ".join(named[:5]) + (f" and {len(named) - 5:,} more" if len(named) > 5 else "")
    if any(kinds[j] in ("mixed", "other") and _holds_objects(rows.column(j)) for j in wrong):
        rule = "the X argument must be a table of values, each a time, a string or a number"
        raise ColumnTypeError(message(rows.who, rule, got, "Turn objects into numbers first"))
    rule = "columns must be numbers; times are carried along, but text and categories are not"
    todo = "Use SMOTENC or SMOTEN, encode these columns, or leave them out"
    raise DataError(message(rows.who, rule, got, todo))


def _holds_objects(column: AnyArray) -> bool:
    return any(not isinstance(v, (str, Number, np.generic, type(None))) for v in column)


def numeric_matrix(rows: Rows[Any]) -> Any:
    """Return the measured columns as floats: an ndarray, or a sparse matrix.

    float16 and float32 are kept; anything else is float64, so that narrow integers cannot wrap
    around. Missing values are NaN. It may share memory with the table.

    Raises
    ------
    DataError
        If a column cannot be measured, or a value is infinite.
    ValueError
        If there are no rows or no columns.
    """
    if getattr(rows.native, "dtype", None) is not None and rows.native.dtype.kind == "c":
        rule = "Complex data not supported: columns must hold real numbers"
        todo = "Split them into real and imaginary parts"
        raise DataError(message(rows.who, rule, f"dtype {rows.native.dtype}", todo))
    measured = measured_columns(rows)
    part = rows if len(measured) == rows.n_columns else rows.select(measured)
    X: Any = part.matrix() if part.n_columns else np.empty((rows.n_rows, 0))
    if not X.dtype.isnative:
        X = X.astype(X.dtype.newbyteorder("="))
    check_finite(X, part)
    if not isinstance(X, np.ndarray) and not X.has_canonical_format:
        # Entries that are to be summed up would count one by one in distances and deviations.
        X = X.copy()
        X.sum_duplicates()
    # Shapes; the values were looked at above, with the names of their columns.
    return check_array(
        X,
        accept_sparse=("csr", "csc"),
        dtype=None,
        ensure_all_finite=False,
        estimator=rows.who,
    )


def check_finite(X: Any, rows: Rows[Any]) -> None:
    """Refuse infinite values, and name their columns."""
    values: AnyArray = X if isinstance(X, np.ndarray) else X.data
    with np.errstate(all="ignore"):
        total = values.sum(dtype=np.float64)
    # A finite sum settles it at a fraction of the cost; a sum may overflow without any.
    if np.isfinite(total) or not np.isinf(values).any():
        return
    counts = rows.infinite()
    names = [shorten(rows.names[j]) for j in np.flatnonzero(counts)]
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    rule = "every value must be finite or missing"
    got = f"{counts.sum():,} infinite (inf) values in {', '.join(names[:5])}{more}"
    raise DataError(message(rows.who, rule, got, "Cap these values, or make them missing"))


def sparse_like(X: Any, values: Any) -> Any:
    """Return values as a sparse matrix or array of the class of `X`."""
    return type(X)(values)


def assemble(
    rows: Rows[Any], plan: Plan, values: Any, columns: list[int] | None, *, renumber: bool
) -> Any:
    """Write the resampled table in the container that it came in.

    Parameters
    ----------
    rows : Rows
        The table before.
    plan : Plan
        Where the resampled rows come from.
    values : ndarray or sparse matrix of shape (n_made, k), sequence of k arrays, or None
        The new rows; None if there are none.
    columns : list of int or None
        The k columns they are values of; all if None. The others come from the base row.
    renumber : bool
        Whether a pandas index is numbered from 0.

    Returns
    -------
    DataFrame, ndarray, or sparse matrix
        Shape (plan.n_rows, n_features).
    """
    if values is None or not plan.made.any():
        return rows.take(plan.base, renumber=renumber).native
    native = rows.native
    if (
        isinstance(native, np.ndarray)
        and isinstance(values, np.ndarray)
        and native.dtype == values.dtype
        and columns is None
    ):
        return _assemble_array(native, plan, values)
    base = plan.base[plan.made]
    new = rows.rebuild(values, columns=columns, base=None if columns is None else base)
    kept = rows.take(plan.base[~plan.made], renumber=renumber)
    both = stack([kept, new])
    if np.all(plan.made[:-1] <= plan.made[1:]):
        return both.native
    # Copies and new rows are interleaved: each goes where the plan has it.
    place = np.empty(plan.n_rows, dtype=np.intp)
    place[np.concatenate([np.flatnonzero(~plan.made), np.flatnonzero(plan.made)])] = np.arange(
        plan.n_rows
    )
    return both.take(place, renumber=renumber).native


def _assemble_array(native: AnyArray, plan: Plan, values: AnyArray) -> AnyArray:
    """Write an array once, without copies in between."""
    out = np.empty((plan.n_rows, native.shape[1]), dtype=native.dtype)
    n = native.shape[0]
    grown = plan.n_rows - len(values) == n and not plan.made[:n].any()
    if grown and np.array_equal(plan.base[:n], np.arange(n)):
        np.copyto(out[:n], native)
        out[n:] = values
    else:
        out[~plan.made] = native[plan.base[~plan.made]]
        out[plan.made] = values
    return out
