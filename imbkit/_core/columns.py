"""One column as an array: its kind, its missing values, and the way back to a dtype."""

from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import AnyArray, BoolArray, FloatArray

__all__ = [
    "NUMERIC",
    "Kind",
    "is_infinite",
    "is_missing",
    "join",
    "kind_of_dtype",
    "kind_of_objects",
    "kind_of_values",
    "plain",
    "whole",
]

Kind: TypeAlias = Literal[
    "number",
    "integer",
    "boolean",
    "category",
    "string",
    "datetime",
    "duration",
    "mixed",
    "other",
]

NUMERIC = ("number", "integer", "boolean")

# Types whose values compare one by one without surprises; pandas' NA does not.
_COMPARABLE = {str, int, float, bool, type(None), np.float64, np.int64, np.str_, np.bool_}
_LETTERS: dict[str, Kind] = {
    "f": "number",
    "i": "integer",
    "u": "integer",
    "b": "boolean",
    "U": "string",
    "T": "string",
    "M": "datetime",
    "m": "duration",
}


def kind_of_values(dtype: np.dtype[Any]) -> Kind:
    """Return the kind that a NumPy dtype other than object stands for."""
    return _LETTERS.get(dtype.kind, "other")


def kind_of_dtype(dtype: nw.dtypes.DType) -> Kind:
    """Return the kind that a data frame's dtype other than Object stands for."""
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    kinds: dict[Any, Kind] = {
        nw.Boolean: "boolean",
        nw.Categorical: "category",
        nw.Enum: "category",
        nw.String: "string",
        nw.Date: "datetime",
        nw.Datetime: "datetime",
        nw.Duration: "duration",
    }
    return next((kind for known, kind in kinds.items() if dtype == known), "other")


def kind_of_objects(values: AnyArray) -> Kind:
    """Return the kind that the values of an object column agree on.

    Integers among other numbers are numbers; other unequal kinds make a mixed column.
    """
    kinds = {_kind_of_type(cls) for cls in set(map(type, values[~is_missing(values)].tolist()))}
    if kinds == {"number", "integer"}:
        return "number"
    return "mixed" if len(kinds) > 1 else next(iter(kinds), "other")


def is_missing(values: AnyArray) -> BoolArray:
    """Tell which values are missing: None, NaN, NaT or pandas' NA."""
    if values.dtype.kind in "fc":
        return np.isnan(values)
    if values.dtype.kind in "mM":
        return np.isnat(values)
    if values.dtype.kind in "OT":
        objects = values.astype(object, copy=False)
        if set(map(type, objects.ravel().tolist())) <= _COMPARABLE:
            # Only None equals None, and only NaN differs from itself.
            return np.asarray((objects == None) | (objects != objects))  # noqa: E711
        return np.fromiter(map(_is_none, objects.flat), bool, objects.size).reshape(objects.shape)
    return np.zeros(values.shape, dtype=bool)


def is_infinite(values: AnyArray) -> BoolArray:
    """Tell which values are numbers of infinite size."""
    if values.dtype.kind == "f":
        return np.isinf(values)
    if values.dtype.kind == "O":
        infinite = (isinstance(v, Real | Decimal) and v in (np.inf, -np.inf) for v in values)
        return np.fromiter(infinite, dtype=bool, count=values.size)
    return np.zeros(values.shape, dtype=bool)


def plain(values: AnyArray, kind: Kind) -> AnyArray:
    """Return a column with one way to be missing for each kind.

    NaN in numbers, and in integers, which are float64 then; None in booleans and in whatever
    else comes as objects. Without missing values integers and booleans keep their dtype.
    """
    if values.dtype != object:
        return values.astype(float) if kind == "integer" and values.dtype.kind == "f" else values
    gone = is_missing(values)
    if kind in ("number", "integer"):
        values = np.where(gone, np.nan, values) if gone.any() else values
        numbers = np.array(values.tolist())
        exact = kind == "integer" and numbers.dtype.kind in "iu"
        return numbers if exact else values.astype(float)
    if kind == "boolean" and not gone.any():
        return values.astype(bool)
    return _with_none(values, gone) if gone.any() else values


def join(columns: Sequence[AnyArray], n_rows: int) -> FloatArray:
    """Put numeric columns side by side; float32 only if every one of them is."""
    kinds = {column.dtype.kind for column in columns}
    dtype = np.result_type(*columns) if kinds == {"f"} else np.dtype(np.float64)
    out = np.empty((n_rows, len(columns)), dtype=dtype)
    for j, column in enumerate(columns):
        out[:, j] = column
    return out


def whole(values: ArrayLike, kind: Kind, dtype: str) -> AnyArray:
    """Round numbers to the integers or booleans that a dtype can hold.

    Returns
    -------
    ndarray
        Of int64, uint64 or bool; of objects, None for NaN, where a value is missing.
    """
    numbers = np.asarray(values)
    if numbers.dtype == object:
        numbers = plain(numbers, "number")
    if numbers.dtype.kind not in "iub":
        numbers = np.rint(numbers)
    gone = is_missing(numbers)
    filled = np.where(gone, 0, numbers) if gone.any() else numbers
    if kind == "boolean":
        out = filled >= 1
    else:
        out = _clip(filled, np.iinfo(dtype if dtype.strip("u").startswith("int") else "int64"))
    return _with_none(out, gone) if gone.any() else out


def _with_none(values: AnyArray, gone: BoolArray) -> AnyArray:
    out = values.astype(object)
    out[gone] = None
    return out


def _clip(numbers: AnyArray, bounds: "np.iinfo[Any]") -> AnyArray:
    """Clip to the bounds of an integer dtype, before a cast could wrap around."""
    wide = np.dtype(np.uint64 if bounds.min == 0 else np.int64)
    if numbers.dtype.kind != "f":
        # Signed and unsigned integers have no common dtype, hence the detour by objects.
        low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
        if low < bounds.min or high > bounds.max:
            numbers = np.clip(numbers.astype(object), bounds.min, bounds.max)
        return numbers.astype(wide)
    # 2**63 - 1 and 2**64 - 1 are no floats; the next one up is out of bounds.
    top = np.nextafter(np.float64(bounds.max), 0) if bounds.bits == 64 else bounds.max
    out = np.clip(numbers, bounds.min, top).astype(wide)
    out[numbers > top] = bounds.max
    return out


def _kind_of_type(cls: type) -> Kind:
    if issubclass(cls, str):
        return "string"
    if issubclass(cls, bool | np.bool_):
        return "boolean"
    if issubclass(cls, Integral):
        return "integer"
    return "number" if issubclass(cls, Real | Decimal) else "other"


def _is_none(value: object) -> bool:
    """Whether one object is a missing value; pandas' own are known by name, not imported."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real | Decimal) and bool(value != value)
