"""Two axes to draw a table on: two of its columns, or its first two principal directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from imbkit._core.columns import NUMERIC
from imbkit._core.containers import Rows
from imbkit._core.messages import message, shorten
from imbkit._core.types import AnyArray, FloatArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["Plane", "spread"]

_MISSING = "missing"
# A sparse matrix is made dense for its principal directions up to this many cells.
_MOST_CELLS = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Where rows are drawn.

    Parameters
    ----------
    names : tuple of two str
        What stands at the axes.
    levels : tuple of two tuples of str
        The levels of an axis that is a column of categories, in order; empty for numbers.
    columns : tuple of int
        The columns of the table that are looked at.
    centre : ndarray of shape (n_columns,)
        Their means, which stand in for missing values.
    directions : ndarray of shape (n_columns, 2) or None
        Principal directions; None where the two columns are the axes.
    """

    names: tuple[str, str]
    levels: tuple[tuple[str, ...], tuple[str, ...]]
    columns: tuple[int, ...]
    centre: FloatArray
    directions: FloatArray | None

    @classmethod
    def of(cls, rows: Rows[Any], features: Sequence[int | str] | None) -> "Plane":
        """Choose the axes for a table: `features`, its only two columns, or directions.

        Raises
        ------
        InvalidParameterError
            If `features` are not two columns.
        DataError
            If the table lacks such a column, or has fewer than two columns to draw.
        """
        if features is None and rows.n_columns != 2:
            return cls._principal(rows)
        first, second = _two_columns((0, 1) if features is None else features, rows)
        levels = tuple(_levels(rows, j) for j in (first, second))
        values = _numbers(rows, (first, second), levels)
        names = str(rows.names[first]), str(rows.names[second])
        return cls(names, levels, (first, second), _means(values), None)  # type: ignore[arg-type]

    @classmethod
    def _principal(cls, rows: Rows[Any]) -> "Plane":
        """Take the two directions in which the rows differ most, by the columns as they are."""
        columns = tuple(j for j, kind in enumerate(rows.kinds()) if kind in NUMERIC)
        if len(columns) < 2:
            rule = "a map needs two columns of numbers, or two named features"
            raise DataError(message(rows.who, rule, f"{len(columns)} columns of numbers"))
        cells = rows.n_rows * rows.n_columns
        if hasattr(rows.native, "nnz") and cells > _MOST_CELLS:
            rule = "so large a sparse matrix is not turned into principal directions"
            raise DataError(message(rows.who, rule, f"{cells:,} cells", "Name two features"))
        values = _numbers(rows, columns, ((),) * len(columns))
        centre = _means(values)
        centred = np.where(np.isnan(values), 0.0, values - centre)
        variances, vectors = np.linalg.eigh(centred.T @ centred)
        directions = vectors[:, [-1, -2]]
        # The sign is free; the largest part of each direction is made positive.
        largest = np.abs(directions).argmax(axis=0)
        directions = directions * np.where(directions[largest, [0, 1]] < 0, -1.0, 1.0)
        shares = variances[[-1, -2]] / (variances.sum() or 1.0)
        first, second = (
            f"{word} principal direction ({share:.0%} of variance)"
            for word, share in zip(("first", "second"), shares, strict=True)
        )
        return cls((first, second), ((), ()), columns, centre, directions)

    def place(self, rows: Rows[Any]) -> FloatArray:
        """Return the points of a table of the same columns, shape (n_rows, 2)."""
        levels = self.levels if self.directions is None else ((),) * len(self.columns)
        values = _numbers(rows, self.columns, levels)
        values = np.where(np.isnan(values), self.centre, values)
        return values if self.directions is None else (values - self.centre) @ self.directions


def spread(points: FloatArray, plane: Plane, rng: np.random.Generator) -> FloatArray:
    """Return points of which those on an axis of levels are moved aside a little."""
    moved = points.copy()
    for axis, levels in enumerate(plane.levels):
        if levels:
            moved[:, axis] += rng.uniform(-0.25, 0.25, size=len(points))
    return moved


def _two_columns(features: Sequence[int | str], rows: Rows[Any]) -> list[int]:
    """Return the positions of two features given by name or position."""
    single = isinstance(features, (str, Integral))
    given: list[Any] = [features] if single else list(features)
    places = []
    for feature in given:
        if isinstance(feature, str):
            places.append(rows.find(feature))
        elif isinstance(feature, Integral) and 0 <= int(feature) < rows.n_columns:
            places.append(int(feature))
    if len(given) != 2 or len(places) != 2:
        rule = f"features must be two names or positions among {rows.n_columns:,} columns"
        raise InvalidParameterError(message(rows.who, rule, shorten(features)))
    return places


def _levels(rows: Rows[Any], position: int) -> tuple[str, ...]:
    """Return the levels of a column in order; none for a column of numbers."""
    kind = rows.kinds()[position]
    if kind in ("number", "integer"):
        return ()
    if kind not in ("boolean", "category", "string", "mixed"):
        rule = "a feature must hold numbers or categories to be drawn"
        raise DataError(message(rows.who, rule, f"{shorten(rows.names[position])} ({kind})"))
    texts = set(_texts(rows.column(position)))
    return tuple(sorted(texts - {_MISSING})) + (_MISSING,) * (_MISSING in texts)


def _texts(column: AnyArray) -> list[str]:
    # Only a missing value differs from itself.
    return [_MISSING if value is None or value != value else str(value) for value in column]


def _numbers(
    rows: Rows[Any], columns: Sequence[int], levels: Sequence[tuple[str, ...]]
) -> FloatArray:
    """Return some columns as numbers, levels by their place; shape (n_rows, n_columns)."""
    out = np.empty((rows.n_rows, len(columns)))
    for k, (j, names) in enumerate(zip(columns, levels, strict=True)):
        column = rows.column(j)
        if names:
            place = {name: float(at) for at, name in enumerate(names)}
            out[:, k] = [place.get(text, np.nan) for text in _texts(column)]
        else:
            out[:, k] = column
    return out


def _means(values: FloatArray) -> FloatArray:
    """Return the mean of the present values of every column; 0 where there are none."""
    present = ~np.isnan(values)
    sums = np.where(present, values, 0.0).sum(axis=0)
    means: FloatArray = sums / np.maximum(present.sum(axis=0), 1)
    return means
