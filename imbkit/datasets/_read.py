"""Turn a shipped file and its entry in the table of tables into arrays or frames."""

import csv
import gzip
import io
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from imbkit._core.messages import listing, message, require
from imbkit._core.types import AnyArray, FloatArray
from imbkit.datasets._tables import TABLES, Column, Table
from imbkit.exceptions import DataError

__all__ = ["describe", "load"]


def load(
    names: Sequence[str],
    *,
    who: str,
    return_X_y: bool,
    as_frame: bool,
    source: Column | None = None,
) -> Any:
    """Load one table, or several of the same columns under one another.

    Parameters
    ----------
    names : sequence of str
        Entries of ``TABLES``.
    who : str
        The function that answers for errors.
    return_X_y, as_frame : bool
        As in the public loaders.
    source : Column, default=None
        A nominal column to append, with one level a table; it says where a row comes from.

    Returns
    -------
    Bunch, or a pair of data and target
    """
    pandas = require("pandas", "compare", who) if as_frame else None
    from sklearn.utils import Bunch  # brings all of scikit-learn's utilities along

    tables = [TABLES[name] for name in names]
    columns, target = tables[0].columns, _joint_target(tables)
    cells = _stack([_read(name) for name in names])
    codes = [_parse(column, cells[column.name]) for column in columns]
    if source is not None:
        columns = (*columns, source)
        lengths = [sum(table.counts) for table in tables]
        codes.append(np.repeat(np.arange(len(tables), dtype=float), lengths))
    labels = _parse(target, cells[target.name])

    frame = None
    if pandas is None:
        data, y = np.column_stack(codes), np.array(target.levels)[labels.astype(np.intp)]
    else:
        series = [_series(pandas, *pair) for pair in zip(columns, codes, strict=True)]
        series.append(_series(pandas, target, labels))
        frame = pandas.concat(series, axis=1)
        data, y = frame.iloc[:, :-1], frame.iloc[:, -1]
    if return_X_y:
        return data, y
    return Bunch(
        data=data,
        target=y,
        frame=frame,
        feature_names=[column.name for column in columns],
        target_names=list(target.levels),
        positive_label=tables[0].positive,
        categories={c.name: list(c.levels) for c in columns if c.levels},
        DESCR="\n\n".join(describe(table) for table in tables),
    )


def describe(table: Table) -> str:
    """Return the text that a loaded table carries as ``DESCR``."""
    counts = ", ".join(
        f"{label} {count:,}" for label, count in zip(table.target.levels, table.counts, strict=True)
    )
    kinds = ", ".join(f"{column.name} ({column.kind})" for column in table.columns)
    lines = [
        table.title,
        "=" * len(table.title),
        f"{sum(table.counts):,} rows, {len(table.columns)} features, {len(table.counts)} classes.",
        f"Target: {table.target.name} ({counts})",
        f"Features: {kinds}",
        f"Source: {table.creators} ({table.year}). UCI Machine Learning Repository, "
        f"data set {table.uci}, https://doi.org/{table.doi}",
        "Licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    ]
    return "\n".join([*lines, f"Notes: {table.notes}"] if table.notes else lines)


def _read(name: str) -> dict[str, list[str]]:
    """Return the cells of a file by column, after comparing its header with the entry."""
    table = TABLES[name]
    path = files("imbkit.datasets") / "data" / f"{name}.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode("utf-8")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    expected = [column.name for column in (*table.columns, table.target)]
    if header != expected or len(rows) != sum(table.counts):
        rule = f"the file must have {sum(table.counts):,} rows and the columns {listing(expected)}"
        got = f"{len(rows):,} rows and {listing(header)}"
        raise DataError(message(f"{name}.csv.gz", rule, got, "Install imbkit again"))
    return {column: list(values) for column, *values in zip(header, *rows, strict=True)}


def _stack(parts: Sequence[dict[str, list[str]]]) -> dict[str, list[str]]:
    return {name: [cell for part in parts for cell in part[name]] for name in parts[0]}


def _joint_target(tables: Sequence[Table]) -> Column:
    """Return the first table's target with the levels of all, sorted where they differ."""
    first = tables[0].target
    if len(tables) == 1:
        return first
    levels = {level for table in tables for level in table.target.levels}
    return Column(first.name, first.kind, tuple(sorted(levels)))


def _parse(column: Column, cells: list[str]) -> FloatArray:
    """Return numbers: values as they are, flags as 0 and 1, levels as their positions."""
    if column.kind == "flag":
        code = {"f": 0.0, "t": 1.0}
    elif column.levels:
        code = {str(level): float(i) for i, level in enumerate(column.levels)} | {"": np.nan}
    else:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    return np.array([code[cell] for cell in cells])


def _series(pandas: Any, column: Column, values: AnyArray) -> Any:
    if column.kind == "flag":
        return pandas.Series(values.astype(bool), name=column.name)
    if column.kind == "count":
        return pandas.Series(values.astype(np.int64), name=column.name)
    if column.kind == "real":
        return pandas.Series(values, name=column.name)
    categorical = pandas.Categorical.from_codes(
        np.where(np.isnan(values), -1, values).astype(np.intp),
        categories=list(column.levels),
        ordered=column.kind == "ordinal",
    )
    return pandas.Series(categorical, name=column.name)
