"""Drawings of two axes as lists of marks, whose places are known: a template only sets them.

A `Canvas` collects lines, bands and points in the order in which they cover each other, and
`Canvas.plot` hands out the finished drawing. Whatever is not a number leaves a gap; whatever
lies beyond an axis stands at its end, so that no mark leaves the drawing.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, TypeVar

from imbkit.bench._figures import Axis, Kind

__all__ = ["Canvas", "Dot", "Path", "Plot", "Words", "across", "upward"]

WIDTH, HEIGHT = 320.0, 232.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 26.0, 40.0
LETTER = 7.0
"""Width of a letter, about."""
HALF_LINE = 7.0
Values: TypeAlias = Sequence[float | None]
Point: TypeAlias = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Path:
    """A line or an area."""

    style: str
    d: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point."""

    style: str
    x: str
    y: str
    r: str


@dataclass(frozen=True, slots=True)
class Words:
    """A short text; `x` is where its `anchor` stands: start, middle or end."""

    style: str
    x: str
    y: str
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished drawing with its caption."""

    title: str
    finding: str
    """What the drawing shows, in words and numbers."""
    width: str
    height: str
    paths: tuple[Path, ...]
    dots: tuple[Dot, ...]
    words: tuple[Words, ...]


def across(values: Iterable[float | None], kind: Kind = "linear") -> Axis:
    """Return the horizontal axis of a drawing that has room for all values."""
    return Axis.over(values, WIDTH - LEFT - RIGHT, 0.0, kind)


def upward(values: Iterable[float | None], kind: Kind = "linear") -> Axis:
    """Return the upright axis of a drawing that has room for all values."""
    return Axis.over(values, HEIGHT - TOP - BOTTOM, 0.0, kind)


class Canvas:
    """A drawing in the making.

    Parameters
    ----------
    x, y : Axis
        As `across` and `upward` return them.
    """

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x_axis, self.y_axis = x, y
        self._paths: list[Path] = []
        self._dots: list[Dot] = []
        self._words: list[Words] = []
        self._taken: list[tuple[float, float, float, float]] = []

    def x(self, value: float) -> float:
        """Return the place of a value, from the left edge."""
        return LEFT + self.x_axis.x(value)

    def y(self, value: float) -> float:
        """Return the place of a value, from the upper edge."""
        return HEIGHT - BOTTOM - self.y_axis.x(value)

    def frame(
        self,
        x_title: str,
        y_title: str,
        x_text: Callable[[float], str],
        y_text: Callable[[float], str],
        *,
        x_ticks: Sequence[float] | None = None,
    ) -> None:
        """Draw grid, ticks and the axes' titles; the upright axis has its title above it."""
        bottom = HEIGHT - BOTTOM
        for value in self.y_axis.ticks():
            self._path("grid", [(LEFT, self.y(value)), (WIDTH - RIGHT, self.y(value))])
            self._say(LEFT - 5, self.y(value) + 4, y_text(value), "tick", "end")
        ticks = self.x_axis.ticks() if x_ticks is None else x_ticks
        for value, text in self._spread(ticks, x_text):
            self._path("axis", [(self.x(value), bottom), (self.x(value), bottom + 4)])
            self._say(_within(self.x(value), text), bottom + 16, text, "tick", "middle")
        self._path("axis", [(LEFT, bottom), (WIDTH - RIGHT, bottom)])
        self._say(4, 12, y_title, "title", "start")
        self._say(WIDTH - RIGHT, HEIGHT - 6, x_title, "title", "end")

    def line(self, xs: Values, ys: Values, style: str) -> None:
        """Draw a line through the points that have both values; others interrupt it."""
        for run in _runs(self._places(xs, ys)):
            self._path(style, run)

    def band(self, xs: Values, lows: Values, highs: Values, style: str) -> None:
        """Draw the area between two lines, where both are known."""
        lower, upper = self._places(xs, lows), self._places(xs, highs)
        both = [
            None if a is None or b is None else (a, b) for a, b in zip(lower, upper, strict=True)
        ]
        for run in _runs(both):
            self._path(style, [a for a, _ in run] + [b for _, b in reversed(run)], close=True)

    def dots(self, xs: Values, ys: Values, style: str, r: float = 3.0) -> None:
        """Draw points."""
        for place in self._places(xs, ys):
            if place is not None:
                self._dots.append(Dot(style, _text(place[0]), _text(place[1]), _text(r)))

    def segment(self, start: tuple[float, float], end: tuple[float, float], style: str) -> None:
        """Draw a straight line between two points, given by their values."""
        places = self._places([start[0], end[0]], [start[1], end[1]])
        self._path(style, [place for place in places if place is not None])

    def bar(self, left: float, right: float, value: float, style: str) -> None:
        """Draw a bar that stands on the lower axis."""
        x0, x1, top, foot = self.x(left), self.x(right), self.y(value), HEIGHT - BOTTOM
        self._path(style, [(x0, foot), (x0, top), (x1, top), (x1, foot)], close=True)

    def upright(self, value: float, style: str, text: str = "") -> None:
        """Draw an upright line over the whole height, with a text at its upper end."""
        x = self.x(value)
        self._path(style, [(x, TOP), (x, HEIGHT - BOTTOM)])
        if text:
            reach = 4 + LETTER * len(text)
            right = x + reach < WIDTH - RIGHT
            sides = (x, x + reach) if right else (x - reach, x)
            self._taken.append((sides[0], TOP, sides[1], TOP + 2 * HALF_LINE))
            self._say(x + (4 if right else -4), TOP + 9, text, "aside", "start" if right else "end")

    def feet(self, values: Iterable[float], style: str) -> None:
        """Draw a short upright stroke at the lower axis for each value."""
        bottom = HEIGHT - BOTTOM
        for value in values:
            self._path(style, [(self.x(value), bottom), (self.x(value), bottom - 9)])

    def name_lines(self, lines: Sequence[tuple[str, Values, Values, str]]) -> None:
        """Write each line's name beside it: text, values, values, style.

        The name stands above the line where it is the highest of all, else below it, at the
        place that is farthest from the other lines and where nothing else is written.
        """
        places = [[p for p in self._places(xs, ys) if p is not None] for _, xs, ys, _ in lines]
        for k, (text, _, _, style) in enumerate(lines):
            others = [line for other, line in enumerate(places) if other != k and len(line) > 1]
            if len(places[k]) > 1:
                self._name(text, places[k], others, style)

    def plot(self, title: str, finding: str) -> Plot:
        """Return the drawing."""
        marks = tuple(self._paths), tuple(self._dots), tuple(self._words)
        return Plot(title, finding, f"{WIDTH:g}", f"{HEIGHT:g}", *marks)

    def _places(self, xs: Values, ys: Values) -> list[Point | None]:
        return [
            None
            if x is None or y is None or not (math.isfinite(x) and math.isfinite(y))
            else (self.x(x), self.y(y))
            for x, y in zip(xs, ys, strict=True)
        ]

    def _path(self, style: str, places: Sequence[Point], *, close: bool = False) -> None:
        texts = [f"{_text(x)} {_text(y)}" for x, y in places]
        kept = texts[:1] + [b for a, b in pairwise(texts) if a != b]
        if len(kept) > 1:
            self._paths.append(Path(style, f"M{'L'.join(kept)}{'z' if close else ''}"))

    def _say(self, x: float, y: float, text: str, style: str, anchor: str) -> None:
        self._words.append(Words(style, _text(x), _text(y), text, anchor))

    def _spread(
        self, ticks: Sequence[float], text: Callable[[float], str]
    ) -> list[tuple[float, str]]:
        """Return ticks with their texts, without those that would cover the one before."""
        shown: list[tuple[float, str]] = []
        end = -4.0
        for value in ticks:
            words = text(value)
            place, half = _within(self.x(value), words), LETTER * len(words) / 2
            if place - half > end + 4:
                shown.append((value, words))
                end = place + half
        return shown

    def _name(
        self, text: str, line: Sequence[Point], others: Sequence[Sequence[Point]], style: str
    ) -> None:
        half = LETTER * len(text) / 2
        best: tuple[float, float, float] | None = None
        first, last = max(line[0][0], LEFT) + half, min(line[-1][0], WIDTH - RIGHT) - half
        for step in range(25):
            x = first + (last - first) * step / 24
            here = _height(line, x)
            gaps = [_height(other, x) - here for other in others]
            above = all(gap >= 0 for gap in gaps)
            reach = [_height(line, x + half * part) for part in (-1, -0.5, 0, 0.5, 1)]
            y = min(reach) - 5 - HALF_LINE if above else max(reach) + 4 + HALF_LINE
            box = (x - half, y - HALF_LINE, x + half, y + HALF_LINE)
            inside = box[0] >= 0 and box[2] <= WIDTH and box[1] >= TOP and box[3] <= HEIGHT - BOTTOM
            if not inside or any(_meet(box, taken) for taken in self._taken):
                continue
            room = min((abs(gap) for gap in gaps), default=0.0) - (max(reach) - min(reach))
            if best is None or room > best[0]:
                best = (room, x, y)
        if best is not None:
            _, x, y = best
            self._taken.append((x - half, y - HALF_LINE, x + half, y + HALF_LINE))
            self._say(x, y + 4, text, style, "middle")


def _runs(places: Iterable[T | None]) -> list[list[T]]:
    """Return the stretches without gaps, of two members or more."""
    runs: list[list[T]] = [[]]
    for place in places:
        if place is not None:
            runs[-1].append(place)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _within(x: float, text: str) -> float:
    """Return where the middle of a text stands, so that it does not leave the drawing."""
    half = LETTER * len(text) / 2
    return min(max(x, half), WIDTH - half)


def _height(line: Sequence[Point], x: float) -> float:
    """Return the height of a line at a place; beyond its ends that of the end."""
    if x <= line[0][0]:
        return line[0][1]
    for (x0, y0), (x1, y1) in pairwise(line):
        if x0 <= x <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return line[-1][1]


def _meet(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    """Whether two boxes (left, top, right, bottom) have a point in common."""
    apart = first[2] < second[0] or second[2] < first[0]
    return not (apart or first[3] < second[1] or second[3] < first[1])


def _text(place: float) -> str:
    return f"{place:.1f}".removesuffix(".0")
