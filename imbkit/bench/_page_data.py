"""The table that was compared on: facts, leaks, classes, features, and the classes over time."""

from dataclasses import dataclass

from imbkit.bench._figures import NOTHING, decimals_for, number, share_text
from imbkit.bench._inert import inert
from imbkit.bench._page_folds import FoldLine, fold_lines, period_text
from imbkit.bench._plots import Canvas, Plot, across, upward
from imbkit.bench._schema import ClassCard, ColumnCard, LeakCard, Summary

__all__ = ["ClassLine", "ColumnLine", "DataPart", "LeakLine", "PeriodLine", "data_part", "more"]

LONGEST_SENTENCE = 600
MOST_COLUMNS = 400
MOST_CLASSES = 100
MOST_WARNINGS = 40
MOST_LEAKS = 40
MOST_DROPPED = 20
LONGEST_TICK = 16
LEAKS = {
    "perfect": "gives the target away",
    "outcome": "known only afterwards",
    "identifier": "identifier",
    "order": "runs with the order of the rows",
}


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class of the target."""

    label: str
    rows: str
    share: str
    bar: str
    fewest: str
    positive: bool


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One feature."""

    name: str
    kind: str
    missing: str
    levels: str
    note: str


@dataclass(frozen=True, slots=True)
class LeakLine:
    """A column that gives the target away, or seems to."""

    column: str
    kind: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """One stretch of time."""

    start: str
    rows: str
    positives: str
    share: str


@dataclass(frozen=True, slots=True)
class DataPart:
    """All that the page says of the table."""

    facts: tuple[tuple[str, str], ...]
    leaks: tuple[LeakLine, ...]
    leaks_left_out: str
    warnings: tuple[str, ...]
    classes: tuple[ClassLine, ...]
    classes_left_out: str
    stages: bool
    """Whether the classes have an order."""
    columns: tuple[ColumnLine, ...]
    columns_left_out: str
    columns_noted: int
    periods: tuple[PeriodLine, ...]
    period_plots: tuple[Plot, ...]
    counted: str
    """What is counted over time and in folds: positive rows, or those of the rarest class."""
    folds: tuple[FoldLine, ...]
    in_time: bool


def data_part(summary: Summary) -> DataPart:
    """Return what the page says of the table."""
    data, binary = summary["data"], summary["task"]["kind"] == "binary"
    columns = sorted(data["columns"], key=lambda column: not column["note"])
    stages = data.get("stages", [])
    classes = stages or data["classes"]
    if not binary:
        classes = sorted(classes, key=lambda c: -c["rows"])
    # A leak may also stand among the warnings.
    leaks = data["leaks"]
    told = {leak["text"] for leak in leaks}
    warnings = [text for text in data["warnings"] if text not in told]
    folds = fold_lines(summary)
    return DataPart(
        facts=_facts(summary),
        leaks=tuple(_leak_line(leak) for leak in leaks[:MOST_LEAKS]),
        leaks_left_out=more(len(leaks), MOST_LEAKS, "columns"),
        warnings=tuple(inert(text, LONGEST_SENTENCE) for text in warnings[:MOST_WARNINGS]),
        classes=tuple(_class_line(card) for card in classes[:MOST_CLASSES]),
        classes_left_out=more(len(classes), MOST_CLASSES, "classes"),
        columns=tuple(_column_line(card) for card in columns[:MOST_COLUMNS]),
        columns_left_out=more(len(columns), MOST_COLUMNS, "columns"),
        columns_noted=sum(bool(column["note"]) for column in columns),
        periods=_period_lines(summary),
        period_plots=_period_plots(summary, binary),
        stages=bool(stages),
        counted=_counted(binary, bool(stages)),
        folds=folds,
        in_time=any(fold.span for fold in folds),
    )


def _counted(binary: bool, stages: bool) -> str:
    if stages:
        return "Rows of the last stage"
    return "Positive rows" if binary else "Rows of the rarest class"


def more(count: int, shown: int, what: str) -> str:
    """Return the sentence on what is not shown; empty if everything is."""
    return "" if count <= shown else f"{count - shown:,} more {what} are in summary.json."


def _facts(summary: Summary) -> tuple[tuple[str, str], ...]:
    data, rows = summary["data"], summary["data"]["rows"]
    facts = [
        ("Target", inert(summary["task"]["target"])),
        ("Missing cells", share_text(data["missing"])),
        ("Duplicate rows", _count_and_share(data["duplicate_rows"], rows)),
        ("Equal rows with different labels", f"{data['contradicting_rows']:,}"),
        ("Near duplicates", _count_and_share(data["near_duplicate_rows"], rows)),
    ]
    if counts := [fold["positives"] for fold in summary["folds"]]:
        low, high = min(counts), max(counts)
        each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        what = "Positives" if summary["task"]["kind"] == "binary" else "Rarest class"
        what = "Last stage" if data.get("stages") else what
        facts.append((f"{what} in a test fold", each))
    if data["group_column"]:
        facts.append(("Groups", f"{data['groups']:,}, by {inert(data['group_column'], 60)}"))
    if data["time_column"]:
        span = f"{period_text(data['time_start'])} to {period_text(data['time_end'])}"
        facts.append(("Time", f"{span}, by {inert(data['time_column'], 60)}"))
    if summary["task"]["weight"]:
        facts.append(("Weights in training", inert(summary["task"]["weight"], 60)))
    dropped = ", ".join(inert(name, 40) for name in data["dropped"][:MOST_DROPPED])
    if len(data["dropped"]) > MOST_DROPPED:
        dropped += f" and {len(data['dropped']) - MOST_DROPPED:,} more"
    return (*facts, ("Dropped on request", dropped or "none"))


def _count_and_share(count: int, of: int) -> str:
    return f"{count:,} ({share_text(count / of if of else 0.0)})"


def _class_line(card: ClassCard) -> ClassLine:
    return ClassLine(
        label=inert(card["label"]),
        rows=f"{card['rows']:,}",
        share=share_text(card["share"]),
        bar=f"{max(120 * card['share'], 1):.1f}",
        fewest=f"{card['fewest_in_test_fold']:,}",
        positive=card["positive"],
    )


def _column_line(card: ColumnCard) -> ColumnLine:
    return ColumnLine(
        name=inert(card["name"]),
        kind=card["kind"],
        missing=share_text(card["missing"]) if card["missing"] else "none",
        levels=f"{card['levels']:,}",
        note=inert(card["note"], 200),
    )


def _leak_line(card: LeakCard) -> LeakLine:
    value = card["value"]
    return LeakLine(
        column=inert(card["column"]),
        kind=LEAKS[card["kind"]],
        value="" if value is None else number(value, decimals_for([value])),
        text=inert(card["text"], LONGEST_SENTENCE),
    )


def _period_lines(summary: Summary) -> tuple[PeriodLine, ...]:
    return tuple(
        PeriodLine(
            start=period_text(period["start"]),
            rows=f"{period['rows']:,}",
            positives=f"{period['positives']:,}",
            share=share_text(period["positives"] / period["rows"]) if period["rows"] else NOTHING,
        )
        for period in summary["data"]["periods"]
    )


def _period_plots(summary: Summary, binary: bool) -> tuple[Plot, ...]:
    """Return rows and positives over time, as bars on a common horizontal axis."""
    periods = summary["data"]["periods"]
    if len(periods) < 2:
        return ()
    rows = [period["rows"] for period in periods]
    shares = [p["positives"] / p["rows"] if p["rows"] else None for p in periods]
    what = "positive" if binary else "of the rarest class"
    starts = [period_text(period["start"])[:LONGEST_TICK] for period in periods]
    known = [share for share in shares if share is not None]
    span = f"{share_text(min(known))} and {share_text(max(known))}" if known else NOTHING
    total = f"{min(rows):,} and {max(rows):,}"
    return (
        _bars("Rows over time", "Rows", rows, starts, f"Each period has between {total} rows."),
        _bars(
            "Rare class over time" if not binary else "Positives over time",
            f"Share {what}",
            shares,
            starts,
            f"Between {span} of a period's rows are {what}.",
            shown_as_share=True,
        ),
    )


def _bars(
    title: str,
    y_title: str,
    heights: list[int] | list[float | None],
    starts: list[str],
    finding: str,
    *,
    shown_as_share: bool = False,
) -> Plot:
    x, y = across([0.0, float(len(heights))]), upward([0.0, *heights])
    canvas = Canvas(x, y)
    canvas.frame(
        "Start of the period",
        y_title,
        lambda place: starts[round(place - 0.5)],
        share_text if shown_as_share else lambda v: f"{v:,.0f}",
        x_ticks=[0.5 + k for k in (0, len(heights) // 2, len(heights) - 1)],
    )
    for place, height in enumerate(heights):
        if height:
            canvas.bar(place + 0.12, place + 0.88, float(height), "column")
    return canvas.plot(title, finding)
