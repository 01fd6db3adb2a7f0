"""Are the probabilities right: shares of positive rows by probability, before and after repair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from imbkit.bench._figures import NOTHING, decimals_for, number, share_text
from imbkit.bench._inert import inert
from imbkit.bench._page_curves import drawn_entries
from imbkit.bench._page_data import more
from imbkit.bench._page_tables import MOST_ENTRIES, Cell, Head, Row, Table
from imbkit.bench._plots import Canvas, Plot, across, upward
from imbkit.bench._schema import Summary
from imbkit.bench._schema_curves import EntryCurves, ProbabilityErrors, ReliabilityBin

__all__ = ["Calibration", "calibration_of"]

LEAST, NEAREST_TO_ONE = 1e-6, 1e-3
REPAIRS = {"sigmoid": "by a sigmoid"}
AS_THEY_COME = "as they come"
LOWER = "lower is better"
HEADS = {
    "brier": Head("Brier score", LOWER),
    "log_loss": Head("Log-loss", LOWER),
    "brier_positive": Head("Brier score", "of positive rows"),
    "brier_negative": Head("Brier score", "of the others"),
    "calibration_error": Head("Calibration error", LOWER),
    "mean": Head("Mean probability"),
    "share": Head("Share of positives", "what the mean should be"),
}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Drawings and errors."""

    plots: tuple[Plot, ...]
    errors: Table
    """Of every entry, before and after repair."""
    repaired: bool
    """Whether there was a repair."""


def calibration_of(summary: Summary, titles: Mapping[str, str]) -> Calibration | None:
    """Return reliability of the drawn entries; None where no learner gives probabilities."""
    base, others = drawn_entries(summary)
    shown = [c for c in (base, *others) if c is not None and c["reliability"]]
    errors = _errors(summary)
    if not shown and not errors.rows:
        return None
    names = {c["id"]: titles.get(c["id"], inert(c["id"])) for c in shown}
    bins = [b for c in shown for b in (*c["reliability"], *c["repaired"])]
    ends = _ends(bins) if bins else []
    return Calibration(
        plots=tuple(_plot(c, c is base, names[c["id"]], ends) for c in shown),
        errors=errors,
        repaired=errors.policies,
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


def _errors(summary: Summary) -> Table:
    """Return the errors of every entry's probabilities, as they come and repaired."""
    lines: list[tuple[Row, ProbabilityErrors]] = []
    entries = [entry for entry in summary["entries"] if entry["calibration"]]
    for entry in entries[:MOST_ENTRIES]:
        card = entry["calibration"]
        if card is None:
            continue
        repaired = card["after"]
        tags = ("baseline",) * entry["baseline"]
        tags += ("recommended",) * (entry["id"] == summary["recommended"])
        row = Row(
            title=inert(entry["title"]),
            tags=tags,
            cells=(),
            policy=AS_THEY_COME if repaired else f"{AS_THEY_COME}; nothing was repaired",
            lines=2 if repaired else 1,
            baseline=entry["baseline"],
        )
        lines.append((row, card["before"]))
        if repaired:
            how = " or ".join(REPAIRS[kind] for kind in card["repairs"])
            lines.append((replace(row, policy=f"repaired {how}", lines=0), repaired))
    columns = []
    for name in HEADS:
        values: list[float | None] = [
            errors[name]  # type: ignore[literal-required]
            for _, errors in lines
        ]
        decimals = decimals_for(values)
        if name in ("mean", "share"):
            columns.append([NOTHING if v is None else share_text(v) for v in values])
        else:
            columns.append([number(v, decimals) for v in values])
    return Table(
        heads=tuple(HEADS.values()),
        rows=tuple(
            replace(row, cells=tuple(Cell(column[k]) for column in columns))
            for k, (row, _) in enumerate(lines)
        ),
        policies=any(not row.lines for row, _ in lines),
        policy_head="Probabilities",
        left_out=more(len(entries), MOST_ENTRIES, "entries"),
    )
