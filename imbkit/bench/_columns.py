"""Read a table into one matrix of numbers, and say what each column is.

Categories become integer codes of their sorted levels and dates become seconds. Nothing is
learnt from labels or from the distribution of values, so doing this once for the whole table
leaks nothing; it makes one array that all workers share. Whatever is learnt (medians,
scales, which levels are rare) is learnt inside each training fold.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse

from imbkit._core.containers import Kind, Rows, wrap
from imbkit._core.messages import listing, message, require, shorten
from imbkit._core.row_hash import row_hashes
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["Column", "Table", "duplicate_groups", "plain_table", "read_columns"]

ColumnKind = Literal["number", "category", "date"]
_KINDS: dict[Kind, ColumnKind] = {
    "number": "number",
    "integer": "number",
    "boolean": "number",
    "category": "category",
    "string": "category",
    "datetime": "date",
    "duration": "date",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: ColumnKind
    levels: int
    """Number of distinct values, missing not counted."""
    missing: int
    """Number of missing values."""
    note: str = ""
    """Why it is not used, or what is odd about it."""


@dataclass(frozen=True, slots=True)
class Table:
    """The usable columns of a table as a matrix.

    Parameters
    ----------
    columns : tuple of Column
        The used columns, in the order of the matrix.
    unused : tuple of Column
        Columns that carry nothing.
    positions : tuple of int
        Where the used columns stand in the table itself.
    named : bool
        Whether the columns of the table itself can be asked for by name.
    matrix : ndarray of shape (n_rows, n_columns)
        Numbers, codes of categories and seconds; missing values are NaN.
    converted : bool
        Whether scikit-learn would not read some column of the table itself as it stands in
        the matrix, so that estimators on the table need :func:`plain_table` in front.
    """

    columns: tuple[Column, ...]
    unused: tuple[Column, ...]
    positions: tuple[int, ...]
    named: bool
    matrix: FloatArray
    converted: bool

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])


def read_columns(X: Any) -> Table:
    """Return the columns of a table.

    Parameters
    ----------
    X : DataFrame of pandas or polars, ndarray or sparse matrix
        The features.

    Raises
    ------
    DataError
        If `X` is not a table, a column has infinite values or values of several types, or
        no column carries anything.
    """
    rows = wrap(X, who="compare")
    kinds = _usable_kinds(rows)
    columns, infinite = [], {}
    for position, (name, kind) in enumerate(zip(rows.names, kinds, strict=True)):
        values = _encode(rows.column(position), kind)
        if count := int(np.count_nonzero(np.isinf(values))):
            infinite[name] = count
        columns.append(_describe(name, _KINDS[kind], values))
    if infinite:
        rule = "features must be finite"
        got = f"{sum(infinite.values()):,} infinite values in {listing(infinite)}"
        todo = "Replace them by missing values or by a large number, or drop the columns"
        raise DataError(message("compare", rule, got, todo))
    used = [j for j, column in enumerate(columns) if not column.note]
    if not used:
        rule = "at least one feature must take more than one value"
        raise DataError(message("compare", rule, f"{rows.n_columns:,} constant or empty columns"))
    # Encoded a second time, which is quick, so that no column is held that is not used.
    matrix = np.empty((rows.n_rows, len(used)))
    for place, position in enumerate(used):
        matrix[:, place] = _encode(rows.column(position), kinds[position])
    return Table(
        columns=tuple(columns[j] for j in used),
        unused=tuple(column for column in columns if column.note),
        positions=tuple(used),
        named=hasattr(X, "columns") and all(isinstance(name, str) for name in X.columns),
        matrix=matrix,
        converted=any(
            kinds[j] in {"boolean", "datetime", "duration"}
            or (columns[j].missing and _reads_otherwise(X, j, columns[j].kind))
            for j in used
        )
        or issparse(X),
    )


def plain_table(X: Any) -> Any:
    """Turn booleans, dates and durations of a table into numbers, for scikit-learn.

    Parameters
    ----------
    X : DataFrame of pandas or polars, ndarray or sparse matrix
        The features.

    Returns
    -------
    pandas.DataFrame, or ndarray if `X` has no column names
        The same columns: booleans as 0.0 and 1.0, dates as seconds since 1970, durations as
        seconds, anything else as it is. Missing values are NaN, the only ones that
        scikit-learn's encoders take for missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from imbkit.bench import plain_table
    >>> plain_table(pd.DataFrame({"paid": [True, False], "city": ["Oslo", None]}))
       paid  city
    0   1.0  Oslo
    1   0.0   NaN
    """
    rows = wrap(X, who="plain_table")
    columns = []
    for position, kind in enumerate(_usable_kinds(rows)):
        values = rows.column(position)
        if _KINDS[kind] == "category":
            values = np.array([np.nan if v is None else v for v in values.tolist()], dtype=object)
        elif kind not in {"number", "integer"}:
            values = _encode(values, kind)
        columns.append(values)
    if not hasattr(X, "columns"):
        mixed = any(column.dtype == object for column in columns)
        return np.stack([c.astype(object) if mixed else c for c in columns], axis=1)
    pandas = require("pandas", "compare", "plain_table")
    return pandas.DataFrame(dict(zip(rows.names, columns, strict=True)))


def duplicate_groups(matrix: FloatArray) -> IntArray:
    """Return the number of the group of equal rows that each row belongs to.

    Rows are compared by a 64-bit hash: of n rows, two different ones share a group by
    chance with probability n**2 / 2**65.
    """
    return np.unique(row_hashes(matrix), return_inverse=True)[1].reshape(-1)


def _usable_kinds(rows: Rows[Any]) -> list[Kind]:
    """Complain of an empty table and of columns that are neither numbers, texts nor dates."""
    if not rows.n_rows or not rows.n_columns:
        rule = "the table must have at least one row and one feature"
        raise DataError(message("compare", rule, f"shape ({rows.n_rows}, {rows.n_columns})"))
    kinds = list(rows.kinds())
    for position, kind in enumerate(kinds):
        if kind in _KINDS:
            continue
        types = _types_in(rows.column(position))
        if types:
            rule = "a column must hold numbers, texts, booleans or dates, of one type"
            got = f"{shorten(rows.names[position])}, which holds {types}"
            todo = "Convert it to one type, or drop it"
            raise DataError(message("compare", rule, got, todo))
        kinds[position] = "string"
    return kinds


def _reads_otherwise(X: Any, position: int, kind: ColumnKind) -> bool:
    """Whether missing values of a column may be None or pandas' NA, not the NaN of NumPy."""
    if not hasattr(X, "iloc"):
        return kind == "category" or getattr(X, "dtype", None) == np.dtype(object)
    dtype = X.dtypes.iloc[position]
    return dtype.name == "object" or type(getattr(dtype, "na_value", None)).__name__ == "NAType"


def _types_in(values: AnyArray) -> str:
    """Name the types of a column of objects, missing values left out."""
    return " and ".join(sorted({type(v).__name__ for v in values.tolist() if v is not None})[:4])


def _encode(values: AnyArray, kind: Kind) -> FloatArray:
    """Return a column as floats, missing values as NaN."""
    if _KINDS.get(kind) == "category":
        # The order that scikit-learn's encoders give the levels of one type.
        levels = sorted(set(values.tolist()) - {None}, key=lambda v: (type(v).__name__, v))
        numbers = {level: float(k) for k, level in enumerate(levels)}
        codes = (numbers.get(value, np.nan) for value in values.tolist())
        return np.fromiter(codes, dtype=float, count=values.size)
    if _KINDS.get(kind) == "date":
        ticks = values.astype("M8[us]" if values.dtype.kind == "M" else "m8[us]")
        return np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64) / 1e6)
    if values.dtype == object:
        return np.array([np.nan if value is None else float(value) for value in values.tolist()])
    return values.astype(float, copy=False)


def _describe(name: str, kind: ColumnKind, values: FloatArray) -> Column:
    known = values[~np.isnan(values)]
    missing, levels = values.size - known.size, np.unique(known).size
    if not levels:
        note = "not used: every value is missing"
    elif levels == 1 and not missing:
        note = "not used: every value is the same"
    else:
        note = ""
    return Column(name, kind, levels, missing, note)
