"""Times and events, from the forms in which they are handed over."""

from typing import Any

import numpy as np

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit.exceptions import DataError

__all__ = ["survival_target"]

_FORMS = "Give columns time and event, or a structured array of a boolean and a number"


def survival_target(y: Any, n_rows: int, who: str) -> tuple[FloatArray, BoolArray]:
    """Return time and event of each row, or complain.

    Parameters
    ----------
    y : array-like of shape (n, 2), frame with columns "time" and "event", or structured array
        The target. Of two fields with other names the boolean one is the event.
    n_rows : int
        Rows that there are.
    who : str
        The class that messages speak for.
    """
    if y is None:
        raise DataError(message(who, "requires y to be passed, but the target y is None"))
    time, event = (np.asarray(each) for each in _both(y, who))
    if len(time) != n_rows:
        rule = "X and y must have the same number of rows (inconsistent numbers of samples)"
        raise DataError(message(who, rule, f"{n_rows:,} and {len(time):,}"))
    times = _numbers(time, who, "times")
    bad = times[~(np.isfinite(times) & (times >= 0))]
    if len(bad):
        rule = "times must be finite numbers, none below 0"
        raise DataError(message(who, rule, f"{len(bad):,} other values, the first {bad[0]}"))
    seen = _numbers(event, who, "events")
    bad = seen[~np.isin(seen, (0, 1))]
    if len(bad):
        rule = "events must be 1 where the event was seen and 0 where it was not"
        todo = "If that is the time, swap the columns"
        raise DataError(message(who, rule, f"{len(bad):,} other values, the first {bad[0]}", todo))
    return times, seen == 1


def _both(y: Any, who: str) -> tuple[AnyArray, AnyArray]:
    """Return the columns of time and of event."""
    columns = getattr(y, "columns", None)
    if columns is not None:
        names = list(y.column_names) if hasattr(y, "column_names") else list(columns)
        if not {"time", "event"} <= set(names):
            rule = "a frame y must have the columns time and event"
            raise DataError(message(who, rule, listing(names)))
        return y["time"], y["event"]
    table = np.asarray(y)
    if table.dtype.names is not None:
        return _fields(table.reshape(-1), who)
    if table.ndim != 2 or table.shape[1] != 2:
        rule = "y must have two columns, time and event"
        raise DataError(message(who, rule, f"shape {table.shape}", _FORMS))
    return table[:, 0], table[:, 1]


def _fields(table: AnyArray, who: str) -> tuple[AnyArray, AnyArray]:
    """Return both of a structured array."""
    names = list(table.dtype.names or ())
    if {"time", "event"} <= set(names):
        return table["time"], table["event"]
    flags = [name for name in names if table.dtype[name].kind == "b"]
    numbers = [name for name in names if table.dtype[name].kind in "iuf"]
    if len(names) != 2 or len(flags) != 1 or len(numbers) != 1:
        rule = "a structured y must have a boolean field for the event and a number for the time"
        raise DataError(message(who, rule, listing(names), _FORMS))
    return table[numbers[0]], table[flags[0]]


def _numbers(values: AnyArray, who: str, what: str) -> FloatArray:
    """Return numbers as floats."""
    try:
        if values.dtype.kind in "biufO":
            return values.astype(np.float64)
    except (TypeError, ValueError):
        pass  # objects that are no numbers, for which the same is to be said
    rule = f"{what} must be numbers"
    todo = "Divide differences of dates by a unit of time" if values.dtype.kind in "mM" else None
    raise DataError(message(who, rule, f"type {values.dtype}", todo or _FORMS))
