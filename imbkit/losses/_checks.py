"""Parameters of losses, checked when they are given."""

from collections.abc import Collection
from numbers import Real
from typing import Any, overload

import numpy as np

from imbkit._core.messages import listing, message, nearest_names
from imbkit.exceptions import InvalidParameterError

__all__ = ["check_choice", "check_number"]


@overload
def check_number(
    value: float, who: str, name: str, *, low: float = ..., high: float = ..., open_low: bool = ...
) -> float: ...


@overload
def check_number(
    value: float | None,
    who: str,
    name: str,
    *,
    low: float = ...,
    high: float = ...,
    open_low: bool = ...,
    none: bool,
) -> float | None: ...


def check_number(
    value: Any,
    who: str,
    name: str,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    open_low: bool = False,
    none: bool = False,
) -> float | None:
    """Return a parameter as a float, or complain.

    Parameters
    ----------
    value : object
        What was given.
    who, name : str
        The class and its parameter.
    low, high : float
        Bounds, which are permitted themselves.
    open_low : bool, default=False
        Whether `low` itself is not.
    none : bool, default=False
        Whether None is permitted.
    """
    if value is None and none:
        return None
    number = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value))
    inside = number and low <= value <= high and not (open_low and value == low)
    if not inside:
        bounds = [f"{'above' if open_low else 'at least'} {low:g}"] * bool(np.isfinite(low))
        bounds += [f"at most {high:g}"] * bool(np.isfinite(high))
        rule = f"{name} must be a finite number{' ' * bool(bounds)}{' and '.join(bounds)}"
        raise InvalidParameterError(message(who, rule + " or None" * none, value))
    return float(value)


def check_choice(value: Any, choices: Collection[Any], who: str, name: str) -> Any:
    """Return a parameter that must be one of some values, or complain.

    Parameters
    ----------
    value : object
        What was given.
    choices : collection
        What is permitted.
    who, name : str
        The class and its parameter.
    """
    if any(value is each or (type(value) is type(each) and value == each) for each in choices):
        return value
    near = (
        nearest_names(value, [c for c in choices if isinstance(c, str)])
        if isinstance(value, str)
        else []
    )
    todo = f"Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
    rule = f"{name} must be one of {listing(choices, 20)}"
    raise InvalidParameterError(message(who, rule, value, todo))
