"""The time of each row as a number, and how long a label takes to become known."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from imbkit._core.columns import is_missing
from imbkit._core.containers import wrap
from imbkit._core.messages import listing, message, shorten
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["Times", "delay_in", "parse_delay", "read_column", "read_times"]

DAY = 86_400.0
UNITS = {"w": 7 * DAY, "d": DAY, "h": 3600.0, "min": 60.0, "s": 1.0}
"""Seconds of each unit that a delay may be written in."""
SPAN = re.compile(r"(\d+(?:\.\d*)?)\s*(w|d|h|min|s)")


@dataclass(frozen=True, slots=True)
class Times:
    """When each row happened.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Finite floats: seconds since 1970 (UTC) of dates, or the numbers themselves.
    is_date : bool
        Whether they are dates.
    """

    values: FloatArray
    is_date: bool

    def text(self, value: float) -> str:
        """Return a time for people: ISO 8601 in UTC, or the number.

        The clock is left out where every row is at midnight.
        """
        if not self.is_date:
            return f"{value:.0f}" if float(value).is_integer() else repr(float(value))
        moment = np.datetime64(round(float(value) * 1e6), "us")
        if not np.any(self.values % DAY):
            return str(np.datetime_as_string(moment, unit="D"))
        return str(np.datetime_as_string(moment, unit="us" if value % 1 else "s"))

    def days(self) -> IntArray:
        """Return the day of each row: days since 1970 in UTC, or the number rounded down."""
        scale = DAY if self.is_date else 1.0
        days: IntArray = np.floor(self.values / scale).astype(np.intp)
        return days


def read_times(values: Any, who: str, name: str = "time") -> Times:
    """Read the time of each row.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Datetimes or dates of NumPy, Python, pandas or polars (those with a time zone are
        taken to UTC), texts in ISO 8601 if every one of them is, or numbers. Dates are read
        to the microsecond, those after 2105 to the next of 64 bits.
    who : str
        The class or command that messages speak for.
    name : str, default="time"
        What messages call the values.

    Returns
    -------
    Times
        Finite floats.

    Raises
    ------
    DataError
        If a value is missing or infinite, or the values are of none of these kinds or of
        several, so that they have no order.
    """
    column = read_column(values, who, name)
    gone = np.count_nonzero(is_missing(column))
    if gone:
        todo = "Fill them or leave these rows out"
        got = f"{gone:,} missing of {column.size:,}"
        raise DataError(message(who, f"{name} must be known for every row", got, todo))
    if column.dtype.kind == "M":
        return Times(_seconds(column), is_date=True)
    if column.dtype.kind in "OUT":
        return _times_of_objects(column.astype(object), who, name)
    if column.dtype.kind not in "iuf":
        raise _without_order(f"values of dtype {column.dtype}", who, name)
    return Times(_finite(column, who, name), is_date=False)


def parse_delay(value: object, who: str = "PrequentialSplit") -> np.timedelta64 | float:
    """Read how long after a row its label becomes known.

    Parameters
    ----------
    value : str, number or timedelta of Python, NumPy or pandas
        Texts are a number and a unit such as ``"7d"`` (``w``, ``d``, ``h``, ``min`` or
        ``s``), or a number alone.
    who : str, default="PrequentialSplit"
        The class or command that messages speak for.

    Returns
    -------
    numpy.timedelta64 or float
        A span in microseconds for dates, or a number in the unit of numeric times; 0 or
        more.

    Raises
    ------
    InvalidParameterError
        If it is none of these, negative or not finite.
    """
    delay = _read_delay(value)
    if delay is None or not delay >= type(delay)(0):
        rule = "label_delay must be a span of time such as '7d', '12h', '30min', '45s' or '2w', "
        rule += "a timedelta, or a number in the unit of numeric times; not negative"
        raise InvalidParameterError(message(who, rule, shorten(value)))
    return delay


def delay_in(times: Times, value: object, who: str) -> float:
    """Return a delay in the unit of the times: seconds for dates.

    Raises
    ------
    InvalidParameterError
        If it is no delay, has no unit where the times are dates, or has one where they are
        numbers.
    """
    delay = parse_delay(value, who)
    if isinstance(delay, np.timedelta64) and not times.is_date:
        rule = "label_delay must be a number in the unit of the times where they are numbers"
        todo = "Write 7 for 7 of these units"
        raise InvalidParameterError(message(who, rule, shorten(value), todo))
    if isinstance(delay, float) and times.is_date:
        rule = "label_delay must have a unit where times are dates"
        todo = "Write 7d for 7 days"
        raise InvalidParameterError(message(who, rule, shorten(value), todo))
    return delay if isinstance(delay, float) else float(delay.astype(np.int64)) / 1e6


def read_column(values: Any, who: str, name: str) -> AnyArray:
    """Return one value a row as an array, wherever it came from.

    Raises
    ------
    DataError
        If it has not one dimension.
    """
    if hasattr(values, "to_frame"):  # a series of pandas or polars, or a pandas index
        return wrap(values.to_frame(), who=who).column(0)
    column = np.asarray(values)
    if column.dtype.kind in "US":  # numbers beside texts must not become texts
        column = np.asarray(values, dtype=object)
    if column.ndim != 1:
        rule = f"{name} must hold one value for each row"
        raise DataError(message(who, rule, f"an array of shape {column.shape}"))
    return column


def _seconds(moments: AnyArray) -> FloatArray:
    return moments.astype("datetime64[us]").astype(np.int64) / 1e6


def _finite(numbers: AnyArray, who: str, name: str) -> FloatArray:
    values = numbers.astype(np.float64)
    wrong = np.count_nonzero(~np.isfinite(values))
    if wrong:
        got = f"{wrong:,} infinite of {values.size:,}"
        raise DataError(message(who, f"{name} must be finite", got))
    return values


def _times_of_objects(column: AnyArray, who: str, name: str) -> Times:
    """Read texts, dates or numbers that came as Python objects."""
    values = column.tolist()
    kinds = set(map(type, values))
    if kinds and all(issubclass(kind, str) for kind in kinds):
        values = [_moment(text, who, name) for text in values]
    elif any(issubclass(kind, bool | np.bool_) for kind in kinds):
        raise _without_order("truth values", who, name)
    elif all(issubclass(kind, Real | Decimal) for kind in kinds):
        return Times(_finite(column, who, name), is_date=False)
    elif not all(issubclass(kind, date | np.datetime64) for kind in kinds):
        raise _without_order(f"values of {listing(sorted(k.__name__ for k in kinds))}", who, name)
    zoned = {isinstance(value, datetime) and value.tzinfo is not None for value in values}
    if len(zoned) > 1:
        got = "some of either"
        rule = f"{name} must have a time zone in every row or in none"
        raise DataError(message(who, rule, got, "Convert all of them to UTC"))
    if True in zoned:
        values = [value.astimezone(UTC).replace(tzinfo=None) for value in values]
    return Times(_seconds(np.array(values, dtype="datetime64[us]")), is_date=True)


def _moment(text: str, who: str, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        rule = f"{name} must hold dates in ISO 8601 if it holds texts"
        todo = "Write 2024-01-31 or 2024-01-31T13:45:00, or convert the column to dates or "
        raise DataError(message(who, rule, shorten(text), todo + "numbers first")) from None


def _without_order(got: str, who: str, name: str) -> DataError:
    rule = f"{name} must hold dates or numbers, all of one kind, so that the rows have an order"
    return DataError(message(who, rule, got, "Convert the column to one of them first"))


def _read_delay(value: object) -> np.timedelta64 | float | None:
    """Return a span or a number; None where it is neither or not finite."""
    if isinstance(value, str):
        return _delay_of_text(value.strip())
    if isinstance(value, np.timedelta64):
        unit = np.datetime_data(value.dtype)[0]
        # Months and years have no fixed length.
        known = not np.isnat(value) and unit not in ("Y", "M", "generic")
        return value.astype("timedelta64[us]") if known else None
    if isinstance(value, timedelta):
        return np.timedelta64(value // timedelta(microseconds=1), "us")
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        return float(value) if np.isfinite(float(value)) else None
    return None


def _delay_of_text(text: str) -> np.timedelta64 | float | None:
    found = SPAN.fullmatch(text)
    if found:
        return np.timedelta64(round(float(found[1]) * UNITS[found[2]] * 1e6), "us")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
