"""An axis of scores or thresholds on which a rare class can be seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from imbkit._core.messages import message, require
from imbkit._core.types import FloatArray
from imbkit.displays._style import number_text
from imbkit.exceptions import DataError

__all__ = ["SCALES", "ScoreAxis", "usual_scale"]

SCALES = ("auto", "linear", "log", "logit")

_TINY = 1e-12
_NEAR = 0.05
# Most scores as near to 0 or 1 as this stand on a logit axis, which spreads them.
_MOST = 0.6
# Nothing smaller is shown unless it is marked.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class ScoreAxis:
    """A scale and the stretch of it that is shown.

    Parameters
    ----------
    scale : {"linear", "log", "logit"}
        How values are spaced.
    low, high : float
        The ends.
    """

    scale: str
    low: float
    high: float

    @classmethod
    def over(
        cls,
        scale: str,
        scores: FloatArray,
        marks: tuple[float, ...],
        who: str,
        *,
        least: float = _LEAST,
    ) -> "ScoreAxis":
        """Return an axis with room for almost all of some scores, and for all marks.

        On an axis that has no 0, scores below `least` are left out.

        Raises
        ------
        DataError
            If the scores do not fit the scale.
        """
        inside = scores[np.isfinite(scores)]
        if scale == "auto":
            scale = usual_scale(inside)
        _check_fit(scale, inside, who)
        marks_shown = [mark for mark in marks if np.isfinite(mark)]
        if not inside.size and not marks_shown:
            return cls(scale, *{"log": (0.1, 10.0), "logit": (0.1, 0.9)}.get(scale, (-1.0, 1.0)))
        if scale == "linear":
            return cls(scale, *_linear_ends(inside, marks_shown))
        low, high = _inner_ends(scale, inside, marks_shown, least)
        return cls(scale, low, high)

    def place(self, values: FloatArray) -> FloatArray:
        """Return where values stand: 0 at the low end, 1 at the high one."""
        low, high = self._spaced(np.array([self.low, self.high]))
        return np.asarray((self._spaced(values) - low) / (high - low))

    def value(self, places: FloatArray) -> FloatArray:
        """Return the values that stand at some places; the reverse of `place`."""
        low, high = self._spaced(np.array([self.low, self.high]))
        spaced = low + np.asarray(places) * (high - low)
        if self.scale == "linear":
            return np.asarray(spaced)
        return np.asarray(np.exp(spaced) if self.scale == "log" else 1 / (1 + np.exp(-spaced)))

    def within(self, values: FloatArray) -> FloatArray:
        """Return values with those far beyond the ends, infinite ones too, brought nearer."""
        span = self.high - self.low
        ends = {
            "linear": (self.low - 10 * span, self.high + 10 * span),
            "log": (min(_TINY, self.low / 10), self.high * 10),
            "logit": (min(_TINY, self.low / 10), 1 - min(_TINY, (1 - self.high) / 10)),
        }[self.scale]
        return np.clip(values, *ends)

    def show(self, ax: Any, who: str, *, shared: bool) -> None:
        """Set scale, ends and ticks of the horizontal axis; `shared` keeps what was shown."""
        ticker = require("matplotlib.ticker", "plot", who)
        low, high = self.low, self.high
        if shared and ax.get_xscale() == self.scale:
            before = ax.get_xlim()
            low, high = min(low, before[0]), max(high, before[1])
        ax.set_xscale(self.scale, **({"nonpositive": "clip"} if self.scale != "linear" else {}))
        ax.set_xlim(low, high)
        if self.scale != "linear":
            ax.xaxis.set_major_formatter(ticker.FuncFormatter(number_text))
            ax.xaxis.set_minor_formatter(ticker.NullFormatter())

    def _spaced(self, values: FloatArray) -> FloatArray:
        if self.scale == "linear":
            return np.asarray(values, dtype=float)
        inside = self.within(np.asarray(values, dtype=float))
        return np.log(inside) if self.scale == "log" else np.log(inside) - np.log1p(-inside)


def usual_scale(scores: FloatArray) -> str:
    """Return "logit" for probabilities that mostly lie near 0 or 1, and "linear" for others."""
    if not scores.size or scores.min() < 0 or scores.max() > 1:
        return "linear"
    # Exact zeros and ones have no place on that axis.
    inside = scores[(scores > 0) & (scores < 1)]
    near = np.count_nonzero((inside < _NEAR) | (inside > 1 - _NEAR))
    return "logit" if inside.size and near >= _MOST * inside.size else "linear"


def _check_fit(scale: str, scores: FloatArray, who: str) -> None:
    """Refuse scores that have no place on a scale."""
    if not scores.size:
        return
    wrong = {
        "log": scores.min() < 0,
        "logit": scores.min() < 0 or scores.max() > 1,
    }.get(scale, False)
    if wrong:
        kind = "positive scores" if scale == "log" else "scores between 0 and 1"
        rule = f"xscale={scale!r} needs {kind}"
        got = f"scores from {scores.min():.4g} to {scores.max():.4g}"
        raise DataError(message(who, rule, got, "Use xscale='linear'"))


def _linear_ends(scores: FloatArray, marks: list[float]) -> tuple[float, float]:
    """Return the ends of a linear axis: 0 and 1 for probabilities, else almost all scores."""
    every = np.append(scores, marks)
    if every.min() >= 0 and every.max() <= 1 and every.max() > 0.5:
        return 0.0, 1.0
    # The rare class is at the upper end, of which nothing is left out.
    bulk = np.quantile(scores, [0.001, 1.0]) if scores.size else every
    low, high = min([*bulk, *marks]), max([*bulk, *marks])
    room = 0.03 * (high - low) or 0.5 * max(abs(high), 1e-3)
    return float(low - room), float(high + room)


def _inner_ends(
    scale: str, scores: FloatArray, marks: list[float], least: float
) -> tuple[float, float]:
    """Return the ends of an axis that cannot show 0, nor on the logit scale 1."""
    top = 1.0 if scale == "logit" else np.inf
    inner = np.array([v for v in marks if 0 < v < top])
    inside = scores[(scores > 0) & (scores < top)]
    bulk = np.quantile(inside, [0.01, 1.0]) if inside.size else np.array([0.1, 0.9])
    low = max(float(bulk[0]), least)
    low = min([low, *(inner / 3)])
    if scale == "log":
        high = max([float(bulk[1]), *inner])
        return low / 1.3, 1.3 * max(high, low)
    far = max(1 - float(bulk[1]), 1e-4)
    far = min([far, *((1 - inner) / 3), 0.5])
    # Exact zeros and ones stand at the ends, beside the others.
    low = min(low, 0.5) / (4 if (scores <= 0).any() else 1.1)
    far /= 4 if (scores >= 1).any() else 1.1
    return low, 1 - far
