"""The critical-difference diagram: places of entries, leader lines and bars on one axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from imbkit.bench._figures import Axis, number
from imbkit.bench._inert import inert
from imbkit.bench._schema_several import QuestionCard, RankedEntry

__all__ = ["Diagram", "Group", "Leader", "draw_ranks"]

WIDTH = 1040.0
SIDE = 350.0
"""Room for the names on either side of the axis."""
AXIS_Y = 34.0
BAR_STEP = 11.0
ROW_STEP = 19.0
MOST_ENTRIES = 24
"""More entries than this cannot be told apart in a drawing."""
MOST_GROUPS = 30
LONGEST_TITLE = 44
MOST_TICKS = 15


@dataclass(frozen=True, slots=True)
class Leader:
    """An entry: its name at the side, and the line from it to its rank on the axis."""

    title: str
    rank: str
    path: str
    anchor: str
    x: str
    y: str
    rank_x: str
    baseline: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A bar over entries that cannot be told apart; a dot at each of them."""

    path: str
    dots: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    """Everything in the drawing, placed."""

    width: str
    height: str
    description: str
    axis: str
    ticks: tuple[tuple[str, str], ...]
    """Place and text."""
    tick_marks: str
    leaders: tuple[Leader, ...]
    groups: tuple[Group, ...]


def draw_ranks(card: QuestionCard) -> Diagram | None:
    """Return the diagram of a question; None if there is none, or it could not be read."""
    entries = [entry for entry in card["entries"] if entry["average_rank"] is not None]
    if not card["diagram"] or not 2 <= len(entries) <= MOST_ENTRIES:
        return None
    if len(card["cliques"]) > MOST_GROUPS:
        return None
    axis = Axis(1.0, float(len(entries)), WIDTH - 2 * SIDE, 0.0)
    places = {entry["id"]: SIDE + axis.x(entry["average_rank"] or 1.0) for entry in entries}
    levels = _levels([[places[member] for member in group] for group in card["cliques"]])
    groups = tuple(
        _group([places[member] for member in group], AXIS_Y + BAR_STEP * (1 + level))
        for group, level in zip(card["cliques"], levels, strict=True)
    )
    top = AXIS_Y + BAR_STEP * (2 + max(levels, default=-1)) + 10
    left = math.ceil(len(entries) / 2)
    leaders = [
        _leader(e, places[e["id"]], top + ROW_STEP * k, -1) for k, e in enumerate(entries[:left])
    ]
    # The worst stands highest on the right, so that no two lines cross.
    leaders += [
        _leader(e, places[e["id"]], top + ROW_STEP * k, 1)
        for k, e in enumerate(reversed(entries[left:]))
    ]
    step = max(math.ceil((len(entries) - 1) / (MOST_TICKS - 1)), 1)
    ranks = range(1, len(entries) + 1, step)
    ticks = tuple((_at(SIDE + axis.x(rank)), str(rank)) for rank in ranks)
    return Diagram(
        width=_at(WIDTH),
        height=_at(top + ROW_STEP * left),
        description=(
            f"Average ranks of {len(entries)} entries over {len(card['tables'])} tables, from 1 "
            f"at the left, with {len(groups)} bars over entries that cannot be told apart. The "
            "table below holds the same figures."
        ),
        axis=f"M{_at(SIDE)} {_at(AXIS_Y)}H{_at(WIDTH - SIDE)}",
        ticks=ticks,
        tick_marks="".join(f"M{x} {_at(AXIS_Y)}v-6" for x, _ in ticks),
        leaders=tuple(leaders),
        groups=groups,
    )


def _leader(entry: RankedEntry, place: float, y: float, side: int) -> Leader:
    """Put the name of an entry at the left (-1) or the right (1) side."""
    end = SIDE - 8 if side < 0 else WIDTH - SIDE + 8
    title = inert(entry["title"], 200)
    if len(title) > LONGEST_TITLE:
        title = f"{title[: LONGEST_TITLE - 1].rstrip()}…"
    return Leader(
        title=title,
        rank=number(entry["average_rank"], 2),
        path=f"M{_at(place)} {_at(AXIS_Y)}V{_at(y)}H{_at(end)}",
        anchor="end" if side < 0 else "start",
        x=_at(end + side * 46),
        rank_x=_at(end + side * 6),
        y=_at(y + 4),
        baseline=entry["baseline"],
    )


def _group(places: Sequence[float], y: float) -> Group:
    start, end = min(places) - 4, max(places) + 4
    return Group(
        path=f"M{_at(start)} {_at(y)}H{_at(end)}",
        dots=tuple((_at(x), _at(y)) for x in dict.fromkeys(places)),
    )


def _levels(groups: Sequence[Sequence[float]]) -> list[int]:
    """Return the line on which each bar is drawn, the first one on which it touches none."""
    ends: list[float] = []
    levels = []
    for group in groups:
        fits = (k for k, end in enumerate(ends) if min(group) > end + 14)
        level = next(fits, len(ends))
        ends[level : level + 1] = [max(group)]
        levels.append(level)
    return levels


def _at(place: float) -> str:
    return f"{place:.1f}".removesuffix(".0")
