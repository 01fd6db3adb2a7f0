"""How displays look: their colours, the axes they draw on, their texts and legends."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from imbkit._core.messages import message, require
from imbkit._core.types import AnyArray
from imbkit.exceptions import InvalidParameterError

__all__ = [
    "COLORS",
    "DASHES",
    "GREY",
    "MARKERS",
    "axes_for",
    "check_choice",
    "drawn_before",
    "frozen",
    "legend_below",
    "line_look",
    "number_text",
    "reference",
    "share_text",
    "signed",
    "words",
]

# Okabe and Ito's colours, which colour-blind readers can tell apart; markers do it in grey.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "^", "s", "D", "v", "P", "h", "<", ">", "p", "d")
DASHES = ("-", "--", "-.", ":")
GREY = "#8C8C8C"

# A letter of a legend's text is about this many inches wide, and so is what stands before it.
_LETTER, _HANDLE = 0.077, 0.55
_BELOW = -34.0
_SIGN = "imbkit_display"


def frozen(values: Any, dtype: Any = np.float64) -> AnyArray:
    """Return a copy that cannot be written to, so that no plot changes what it draws."""
    array: AnyArray = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


def check_choice(who: str, name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a setting that is not among its choices."""
    if value not in choices:
        rule = f"{name} must be one of {', '.join(map(repr, choices))}"
        raise InvalidParameterError(message(who, rule, value))


def axes_for(ax: Any, who: str) -> Any:
    """Return the axes given, or those of a new figure."""
    pyplot = require("matplotlib.pyplot", "plot", who)
    if ax is None:
        _, ax = pyplot.subplots(layout="constrained")
    return ax


def drawn_before(ax: Any, kind: str) -> int:
    """Return how many displays of a kind were drawn on these axes."""
    return sum(getattr(artist, _SIGN, None) == kind for artist in ax.get_children())


def signed(artist: Any, kind: str) -> Any:
    """Leave a sign on an artist that a display of this kind was drawn; it goes with it."""
    setattr(artist, _SIGN, kind)
    return artist


def reference(
    ax: Any, x: Sequence[float], y: Sequence[float], label: str, *, sign: str = "", **look: Any
) -> Any:
    """Draw a grey line to compare with; one of the same points or sign is not drawn twice."""
    sign = sign or f"{[float(v) for v in (*x, *y)]}"
    sign = f"reference {sign}"
    for artist in ax.lines:
        if getattr(artist, _SIGN, None) == sign:
            return artist
    same_text = label in ax.get_legend_handles_labels()[1]
    settings = {"color": GREY, "linewidth": 1.0, "linestyle": "--", "zorder": 1.5, **look}
    (line,) = ax.plot(x, y, label="_" if same_text else label, **settings)
    return signed(line, sign)


def line_look(given: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """Return the settings of a line: the caller's, under whatever name, before the defaults."""
    cbook = require("matplotlib.cbook", "plot", "displays")
    lines = require("matplotlib.lines", "plot", "displays")
    return {**defaults, **cbook.normalize_kwargs(given, lines.Line2D)}


def legend_below(ax: Any, *others: Any) -> None:
    """Draw the legend below the axes; inside them where nothing makes room below.

    Artists of the `others`, axes that lie upon these, are named in the same legend.
    """
    handles, texts = ax.get_legend_handles_labels()
    for other in others:
        if other is not None:
            more = other.get_legend_handles_labels()
            handles, texts = handles + more[0], texts + more[1]
    if not handles:
        return
    if ax.figure.get_layout_engine() is None:
        ax.legend(handles, texts, fontsize="small")
        return
    transforms = require("matplotlib.transforms", "plot", "displays")
    root = ax.figure.canvas.figure
    width = ax.get_position().width * root.get_figwidth()
    longest = max(len(line) for text in texts for line in text.split("\n"))
    two = len(texts) > 1 and 2 * (_LETTER * longest + _HANDLE) < width + 1.0
    ax.legend(
        handles,
        texts,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=transforms.offset_copy(ax.transAxes, root, y=_BELOW, units="points"),
        ncols=2 if two else 1,
        frameon=False,
        fontsize="small",
    )


def words(text: object, limit: int = 60) -> str:
    """Return a text as a legend shows it: on one line, cut to `limit`, no mathematics in it."""
    shown = " ".join(str(text).split())
    shown = shown if len(shown) <= limit else f"{shown[: limit - 3]}..."
    # A legend leaves out what begins with an underscore.
    return " " * shown.startswith("_") + shown.replace("$", r"\$")


def share_text(share: float, position: object = None) -> str:
    """Return a share in percent, with the digits that it needs."""
    return f"{_plain(100 * share)}%"


def number_text(value: float, position: object = None) -> str:
    """Return a number of an axis of scores: 0.001, 0.999, 1e-5."""
    near_one = 0.9 < value < 1
    return _plain(value, 1e-3) if not near_one else f"{value:.10f}".rstrip("0")


def _plain(value: float, least: float = 1e-4) -> str:
    """Return a number, with a power of ten from `least` down."""
    # Ticks are computed, and 0.001 may come as a little less.
    if value == 0 or 0.999 * least <= abs(value) < 1e7:
        text = f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    else:
        mantissa, _, power = f"{value:.2e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}e{int(power)}" if power else mantissa
    return text.replace("-", "\N{MINUS SIGN}") if text.startswith("-") else text
