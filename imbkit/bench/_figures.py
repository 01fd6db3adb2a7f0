"""Numbers as people read them, and the places of small drawings."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Axis",
    "Bar",
    "NOTHING",
    "SPACE",
    "bytes_text",
    "chance_text",
    "decimals_for",
    "number",
    "p_value_text",
    "seconds_text",
    "share_text",
    "signed",
    "span_text",
    "weight_text",
]

NOTHING = "–"  # noqa: RUF001
"""Stands where there is no number."""
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
Kind: TypeAlias = Literal["linear", "log", "logit"]
WARPS: dict[Kind, Callable[[float], float]] = {
    "linear": float,
    "log": math.log10,
    "logit": lambda share: math.log(share / (1 - share)),
}
NINES = (1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1 - 1e-4, 1 - 1e-5, 1 - 1e-6)
"""Round shares along a logit axis."""
MOST_DECADES = 7


def decimals_for(values: Iterable[float | None]) -> int:
    """Return how many decimals a column of numbers needs: three digits of the largest."""
    largest = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
    if largest == 0 or 0.1 <= largest < 10:
        return 3
    return min(max(2 - math.floor(math.log10(largest)), 0), 7)


def number(value: float | None, decimals: int = 3) -> str:
    """Return a number with a true minus sign; a dash for None."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    text = f"{abs(value):,.{decimals}f}"
    # Nothing is less than zero if it rounds to it.
    return f"{MINUS}{text}" if value < 0 and float(text.replace(",", "")) else text


def weight_text(value: float) -> str:
    """Return a factor with three significant digits, however large or small it is."""
    if 1e-3 <= value < 1e4:
        return f"{value:.3g}" if value < 1000 else number(value, 0)
    return f"{value:.1e}"


def signed(value: float | None, decimals: int = 3) -> str:
    """Return a number that always has its sign."""
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 and text != NOTHING else text


def span_text(low: float | None, high: float | None, decimals: int = 3) -> str:
    """Return an interval; empty if there is none."""
    if low is None or high is None:
        return ""
    return f"{number(low, decimals)} to {number(high, decimals)}"


def share_text(share: float | None) -> str:
    """Return a share as per cent, with three digits; never 0 or 100 if it is not."""
    if share is None:
        return NOTHING
    percent = 100 * share
    if 0 < percent < 0.001:
        return f"<{SPACE}0.001{SPACE}%"
    if 99.95 <= percent < 100:
        return f">{SPACE}99.9{SPACE}%"
    return f"{percent:.3g}{SPACE}%"


def chance_text(chance: float | None) -> str:
    """Return a probability as per cent; no digits that nobody could vouch for."""
    if chance is not None and 0 < chance < 0.001:
        return f"<{SPACE}0.1{SPACE}%"
    return share_text(chance)


def p_value_text(value: float | None) -> str:
    """Return a p-value; a small one is below a bound, never zero."""
    return f"<{SPACE}0.001" if value is not None and value < 0.001 else number(value, 3)


def seconds_text(seconds: float | None) -> str:
    """Return a duration in the units that suit it."""
    if seconds is None:
        return NOTHING
    if seconds < 0.0995:
        return f"{1000 * seconds:.2g}{SPACE}ms"
    if seconds < 99.5:
        return f"{seconds:.2g}{SPACE}s" if seconds < 9.95 else f"{seconds:.0f}{SPACE}s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes}{SPACE}min"
    return f"{minutes // 60}{SPACE}h {minutes % 60}{SPACE}min"


def bytes_text(size: float | None) -> str:
    """Return a size in kB, MB or GB."""
    if size is None:
        return NOTHING
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= 0.9995 * scale:
            return (
                f"{size / scale:.3g}{SPACE}{unit}" if size < 999.5 * scale else _large(size, unit)
            )
    return f"{size:.0f}{SPACE}B"


def _large(size: float, unit: str) -> str:
    return f"{size / 1e9:,.0f}{SPACE}{unit}"


@dataclass(frozen=True, slots=True)
class Bar:
    """Places of a mean, its interval and a reference, on the axis of a column."""

    start: str
    length: str
    mean: str
    reference: str
    """Empty if there is none."""
    inner_start: str = ""
    """A second interval; empty if there is none."""
    inner_length: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from values to places between 0 and `width`."""

    low: float
    high: float
    width: float
    margin: float = 4.0
    kind: Kind = "linear"
    """Logarithmic for rates that span decades, logit for probabilities near 0 or 1."""

    @classmethod
    def over(
        cls,
        values: Iterable[float | None],
        width: float,
        margin: float = 4.0,
        kind: Kind = "linear",
    ) -> "Axis":
        """Return the axis that has room for all values that are finite and can stand on it."""
        finite = [v for v in values if v is not None and math.isfinite(v)]
        if kind != "linear":
            top = 1.0 if kind == "logit" else math.inf
            finite = [v for v in finite if 0 < v < top]
            low, high = min(finite, default=0.1), max(finite, default=0.9)
            if WARPS[kind](high) - WARPS[kind](low) < 1e-6:
                low, high = (low / 10, high * 10) if kind == "log" else (low / 2, (1 + high) / 2)
            return cls(low, high, width, margin, kind)
        low, high = min(finite, default=0.0), max(finite, default=1.0)
        if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
            reach = max(abs(low), abs(high), 1.0) / 2
            low, high = low - reach, high + reach
        return cls(low, high, width, margin)

    def x(self, value: float) -> float:
        """Return the place of a value; what lies beyond the axis stands at its end."""
        warp = WARPS[self.kind]
        low, high = warp(self.low), warp(self.high)
        part = (warp(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.margin + part * (self.width - 2 * self.margin)

    def place(self, value: float | None) -> str:
        """Return the place for a drawing; empty if there is no value."""
        return "" if value is None or math.isnan(value) else f"{self.x(value):.1f}"

    def bar(
        self,
        mean: float | None,
        low: float | None,
        high: float | None,
        reference: float | None,
        inner: tuple[float | None, float | None] = (None, None),
    ) -> Bar | None:
        """Return the bar of an estimate; None if there is no estimate."""
        if mean is None or math.isnan(mean):
            return None
        low, high = (mean if low is None else low), (mean if high is None else high)
        length = f"{self.x(high) - self.x(low):.1f}"
        start, end = inner
        second = ("", "")
        if start is not None and end is not None:
            second = (self.place(start), f"{self.x(end) - self.x(start):.1f}")
        return Bar(self.place(low), length, self.place(mean), self.place(reference), *second)

    def ticks(self) -> list[float]:
        """Return round values along the axis: three to six, or one for each decade."""
        if self.kind == "logit":
            inside = [v for v in NINES if self.low <= v <= self.high]
            return inside if len(inside) > 1 else self._even_ticks()
        if self.kind == "log":
            first = math.ceil(math.log10(self.low) - 1e-9)
            last = math.floor(math.log10(self.high) + 1e-9)
            if last - first < 1:
                return self._even_ticks()
            every = 1 + (last - first) // MOST_DECADES
            return [10.0**k for k in range(last, first - 1, -every)][::-1]
        return self._even_ticks()

    def tick_decimals(self) -> int:
        """Return how many decimals tell the ticks apart."""
        return max(-math.floor(math.log10(self._step()) + 1e-9), 0)

    def _even_ticks(self) -> list[float]:
        step = self._step()
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]

    def _step(self) -> float:
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
