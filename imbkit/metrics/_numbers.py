"""Parameters that are numbers of a range, or a complaint."""

from numbers import Real

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError

__all__ = ["check_between", "check_whole"]


def check_between(
    who: str, name: str, value: object, low: float, high: float, excluded: str = ""
) -> float:
    """Return a number from `low` to `high`; `excluded` names ends left out: low, high, both."""
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        above = number > low or (number == low and excluded not in ("low", "both"))
        below = number < high or (number == high and excluded not in ("high", "both"))
        if above and below:
            return number
    ends = {"low": f", {low:g} excluded", "high": f", {high:g} excluded", "both": ", excluded"}
    rule = f"{name} must be a number from {low:g} to {high:g}{ends.get(excluded, '')}"
    raise InvalidParameterError(message(who, rule, value))


def check_whole(who: str, name: str, value: object, low: int) -> int:
    """Return a whole number of at least `low`."""
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if number.is_integer() and number >= low:
            return int(number)
    raise InvalidParameterError(message(who, f"{name} must be a whole number from {low}", value))
