"""Are the probabilities right: shares of positive rows by probability, before and after repair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imbkit.bench._figures import NOTHING, decimals_for, number, share_text
from imbkit.bench._inert import inert
from imbkit.bench._page_curves import drawn_entries
from imbkit.bench._plots import Canvas, Plot, across, upward
from imbkit.bench._schema import EntrySummary, Summary
from imbkit.bench._schema_curves import EntryCurves, ReliabilityBin

__all__ = ["Calibration", "CalibrationLine", "calibration_of"]

LEAST, NEAREST_TO_ONE = 1e-6, 1e-3


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """The errors of one entry's probabilities."""

    title: str
    baseline: bool
    cells: tuple[str, ...]
    """Brier score before and after, log-loss before and after."""
    repair: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Drawings and errors."""

    plots: tuple[Plot, ...]
    lines: tuple[CalibrationLine, ...]


def calibration_of(summary: Summary, titles: Mapping[str, str]) -> Calibration | None:
    """Return reliability of the drawn entries; None where no learner gives probabilities."""
    base, others = drawn_entries(summary)
    shown = [c for c in (base, *others) if c is not None and c["reliability"]]
    if not shown:
        return None
    entries = {entry["id"]: entry for entry in summary["entries"]}
    names = {c["id"]: titles.get(c["id"], inert(c["id"])) for c in shown}
    bins = [b for c in shown for b in (*c["reliability"], *c["repaired"])]
    ends = _ends(bins)
    return Calibration(
        plots=tuple(_plot(c, c is base, names[c["id"]], ends) for c in shown),
        lines=tuple(_line(c, c is base, names[c["id"]], entries.get(c["id"])) for c in shown),
    )


def _plot(curves: EntryCurves, base: bool, name: str, ends: Sequence[float]) -> Plot:
    """Both axes are the same, so that right probabilities stand on the diagonal."""
    x, y = across(ends, "logit"), upward(ends, "logit")
    canvas = Canvas(x, y)
    canvas.frame("Mean probability", "Share of positive rows", share_text, share_text)
    canvas.segment((x.low, y.low), (x.high, y.high), "chance")
    before, after = curves["reliability"], curves["repaired"]
    _points(canvas, before, "before" if after else ("only base" if base else "only"))
    _points(canvas, after, "after")
    finding = f"The gap between probability and share of positives is {_gap(before)} on average"
    if after:
        finding += f" before the repair, and {_gap(after)} after it"
    return canvas.plot(f"{name} ({'baseline' if base else 'challenger'})", f"{finding}.")


def _points(canvas: Canvas, bins: Sequence[ReliabilityBin], style: str) -> None:
    for one in bins:
        at = one["predicted"]
        canvas.segment((at, one["low"]), (at, one["high"]), f"whisker {style}")
    places = [b["predicted"] for b in bins]
    canvas.line(places, [b["observed"] for b in bins], f"joint {style}")
    canvas.dots(places, [b["observed"] for b in bins], f"point {style}", 3.2)


def _ends(bins: Sequence[ReliabilityBin]) -> list[float]:
    """Return what the axes must have room for: nothing finer than a row of the largest bin."""
    low = max(0.5 / max(b["rows"] for b in bins), LEAST)
    high = 1 - max(low, NEAREST_TO_ONE)
    shares = [v for b in bins for v in (b["predicted"], b["observed"], b["high"])]
    return [min(max(share, low), high) for share in shares]


def _gap(bins: Sequence[ReliabilityBin]) -> str:
    rows = sum(b["rows"] for b in bins)
    gaps = sum(b["rows"] * abs(b["predicted"] - b["observed"]) for b in bins)
    return f"{100 * gaps / rows:.2g} percentage points" if rows else NOTHING


def _line(
    curves: EntryCurves, base: bool, name: str, entry: EntrySummary | None
) -> CalibrationLine:
    cells = []
    for metric in ("brier", "log_loss"):
        estimate = entry["scores"].get(metric) if entry else None
        pair = [estimate["mean"] if estimate else None, curves["repaired_scores"].get(metric)]
        decimals = decimals_for(pair)
        cells += [number(value, decimals) for value in pair]
    repair = inert(curves["repair"], 300) or "Nothing was repaired."
    return CalibrationLine(name, base, tuple(cells), repair)
