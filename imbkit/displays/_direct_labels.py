"""Names at the ends of lines, moved apart so that all can be read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import FloatArray
from imbkit.displays._style import words

__all__ = ["cut_middle", "label_ends", "spread_apart"]

_POINTS = 8.0
# Distance of two lines of text, in heights of a letter.
_LEADING = 1.35
_LONGEST = 28


def label_ends(ax: Any, ends: ArrayLike, texts: Sequence[str], colors: Sequence[Any]) -> list[Any]:
    """Write a text beside the right end of each line, which lies at the edge of the axes."""
    heights = np.asarray(ends, dtype=float)
    low, high = sorted(ax.get_ylim())
    tall = ax.get_position().height * ax.figure.canvas.figure.get_figheight() * 72
    gap = (high - low) * _POINTS * _LEADING / max(tall, 1.0)
    places = spread_apart(heights, gap)
    # The right edge of the axes, whichever way they run.
    edge = ax.get_xlim()[1]
    notes = []
    for text, height, place, color in zip(texts, heights, places, colors, strict=True):
        line = {"arrowstyle": "-", "color": color, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 0}
        notes.append(
            ax.annotate(
                cut_middle(text, _LONGEST),
                xy=(edge, height),
                xytext=(1.04, place),
                textcoords=ax.get_yaxis_transform(),
                arrowprops=line,
                color=color,
                fontsize=_POINTS,
                va="center",
                annotation_clip=False,
            )
        )
    return notes


def cut_middle(text: object, limit: int) -> str:
    """Return a name cut to `limit` letters: names of one table often begin, or end, alike."""
    shown = " ".join(str(text).split())
    if len(shown) > limit:
        tail = (limit - 3) // 2
        shown = f"{shown[: limit - 3 - tail]}...{shown[len(shown) - tail :]}"
    return words(shown, limit)


def spread_apart(wanted: ArrayLike, gap: float) -> FloatArray:
    """Return the places nearest to those wanted, in squares, that lie `gap` or more apart."""
    places = np.asarray(wanted, dtype=float)
    order = np.argsort(places, kind="stable")
    steps = gap * np.arange(places.size)
    # Without the steps they must not descend: pool neighbours that do.
    blocks: list[tuple[float, int]] = []
    for value in places[order] - steps:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] >= mean:
            before, many = blocks.pop()
            mean, size = (before * many + mean * size) / (many + size), many + size
        blocks.append((mean, size))
    out = np.empty(places.size)
    out[order] = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks]) + steps
    return out
