"""The tables of numbers on the page: what stands in each cell, ready to be shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from imbkit.bench._figures import (
    NOTHING,
    Axis,
    Bar,
    bytes_text,
    decimals_for,
    number,
    seconds_text,
    span_text,
    weight_text,
)
from imbkit.bench._inert import inert
from imbkit.bench._schema import EntrySummary, Estimate, MetricCard, Summary

__all__ = [
    "POLICIES",
    "WITH_POLICY",
    "Cell",
    "Head",
    "Row",
    "Table",
    "cost_table",
    "decisions_table",
    "intervals_table",
    "policy_words",
    "ranking_table",
    "recalls_table",
    "title_within",
    "weights_table",
]

POLICIES = {
    "default": "default threshold",
    "tuned": "tuned threshold",
    "argmax": "most probable class",
    "budget": "alert budget",
    "expected_loss": "expected loss of each row",
    "none": "",
}
WITH_POLICY = {
    "default": "at threshold 0.5",
    "tuned": "with a tuned threshold",
    "argmax": "by the most probable class",
    "budget": "at the alert budget",
    "expected_loss": "by expected loss",
    "none": "",
}
SHORT_POLICIES = {
    "default": "default",
    "tuned": "tuned",
    "argmax": "most probable class",
    "budget": "budget",
    "expected_loss": "expected loss",
}
OF_MANY_CLASSES = {"tuned": "tuned weights of the classes"}
OF_PROBABILITIES = frozenset({"brier", "log_loss"})
"""Metrics that are about the probabilities' size, not their order."""
NEITHER_BETTER = frozenset({"alert_rate"})
"""Metrics of which more is neither better nor worse, so that nothing is best."""
MOST_ENTRIES = 60
MOST_CLASSES = 24
MOST_BARS = 12
"""A table of more columns than this goes without drawings."""
MOST_DRAWN = 1000
"""So does one of more cells than this."""
BAR_WIDTH = 84.0


@dataclass(frozen=True, slots=True)
class Head:
    """A column's title, and a word below it."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One number with its interval."""

    text: str
    span: str = ""
    bar: Bar | None = None
    tied: bool = False
    mark: str = ""
    key: str = ""
    """The number that the cell is sorted by; empty if it is the text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the entry, perhaps its policy, and the numbers."""

    title: str
    tags: tuple[str, ...]
    cells: tuple[Cell, ...]
    policy: str = ""
    lines: int = 1
    """How many lines the title stands for; 0 where the line above has it."""
    mark: str = ""
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns, lines and the sentences below it."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    meanings: tuple[tuple[str, str], ...] = ()
    left_out: str = ""
    marked: bool = False
    shaded: bool = False
    policies: bool = False
    """Whether there are several policies an entry, so that they need a column."""
    policy_head: str = "Decided by"
    """Title of that column."""
    sortable: bool = False
    """Whether every line stands by itself, so that a reader may put them in another order."""


def title_within(card: MetricCard | None, name: str) -> str:
    """Return a metric's title as it stands within a sentence; abbreviations stay as they are."""
    words = inert(card["title"] if card else name, 60).split(" ")
    return " ".join(w.lower() if w.capitalize() == w and not w.endswith("1") else w for w in words)


def policy_words(summary: Summary, policy: str) -> str:
    """Return a policy in words; a tuned decision is one of many classes, too."""
    if summary["task"]["kind"] == "multiclass" and policy in OF_MANY_CLASSES:
        return OF_MANY_CLASSES[policy]
    return POLICIES.get(policy, inert(policy, 40))


def ranking_table(summary: Summary) -> Table:
    """Return the threshold-free metrics of every entry, the metric of the verdict first."""
    entries = summary["entries"][:MOST_ENTRIES]
    first = summary["task"]["ranking_metric"]
    found = {name for entry in entries for name in entry["scores"]}
    metrics = _ordered(summary["metrics"], found, first)
    columns = [_estimates([entry["scores"].get(m["name"]) for entry in entries]) for m in metrics]
    rows = []
    for place, entry in enumerate(entries):
        cells = []
        for metric, column in zip(metrics, columns, strict=True):
            made_up = entry["changes_prior"] and metric["name"] in OF_PROBABILITIES
            cells.append(column[place] if not made_up else _marked(column[place]))
        rows.append(_row(summary, entry, cells))
    return Table(
        heads=tuple(_head(metric) for metric in metrics),
        rows=tuple(rows),
        meanings=_meanings(metrics),
        left_out=_left_out(len(summary["entries"]), MOST_ENTRIES, "entries"),
        marked=any(entry["changes_prior"] for entry in entries)
        and not OF_PROBABILITIES.isdisjoint(found),
        shaded=any(cell.tied for row in rows for cell in row.cells),
        sortable=True,
    )


def decisions_table(summary: Summary) -> Table:
    """Return the decision metrics of every entry under each threshold policy."""
    entries = summary["entries"][:MOST_ENTRIES]
    pairs = [(entry, policy) for entry in entries for policy in entry["policies"]]
    found = {name for _, policy in pairs for name in policy["metrics"]}
    metrics = _ordered(summary["metrics"], found, summary["task"]["decision_metric"])
    with_threshold = any(policy["threshold"] is not None for _, policy in pairs)
    # The verdict holds the others against the baseline under this policy.
    judged = summary["task"]["decision_policy"]
    first = entries[0]["policies"] if entries else []
    reference = next((k for k, line in enumerate(first) if line["policy"] == judged), 0)
    drawn = len(pairs) * len(metrics) <= MOST_DRAWN and len(metrics) <= MOST_BARS
    columns = [
        _estimates(
            [policy["metrics"].get(m["name"]) for _, policy in pairs],
            bars=drawn,
            reference=reference,
            ties=m["name"] not in NEITHER_BETTER,
        )
        for m in metrics
    ]
    if with_threshold:
        columns = [[_threshold(policy["threshold"]) for _, policy in pairs], *columns]
    rows = []
    for place, (entry, policy) in enumerate(pairs):
        cells = [column[place] for column in columns]
        if policy["policy"] != judged:
            # What is not judged stands in fewer lines.
            cells = [replace(cell, bar=None) for cell in cells]
        lines = len(entry["policies"]) if policy is entry["policies"][0] else 0
        words = _short(summary, policy["policy"])
        rows.append(_row(summary, entry, cells, policy=words, lines=lines))
    return Table(
        heads=(Head("Threshold", "range over folds"),) * with_threshold
        + tuple(_head(metric) for metric in metrics),
        rows=tuple(rows),
        meanings=_meanings(metrics),
        left_out=_left_out(len(summary["entries"]), MOST_ENTRIES, "entries"),
        shaded=any(cell.tied for row in rows for cell in row.cells),
        policies=any(row.lines > 1 for row in rows),
    )


def recalls_table(summary: Summary) -> Table | None:
    """Return the recall of each class, rarest first; None for two classes."""
    if summary["task"]["kind"] == "binary":
        return None
    entries = summary["entries"][:MOST_ENTRIES]
    classes = sorted(summary["data"]["classes"], key=lambda c: c["rows"])
    shown = classes[:MOST_CLASSES]
    judged = summary["task"]["decision_policy"]
    pairs = [(entry, policy) for entry in entries for policy in entry["policies"]]
    first = entries[0]["policies"] if entries else []
    reference = next((k for k, line in enumerate(first) if line["policy"] == judged), 0)
    drawn = len(shown) <= MOST_BARS and len(pairs) * len(shown) <= MOST_DRAWN
    columns = [
        _estimates(
            [policy["recalls"].get(c["label"]) for _, policy in pairs],
            bars=drawn,
            reference=reference,
        )
        for c in shown
    ]
    rows = []
    for place, (entry, policy) in enumerate(pairs):
        cells = [column[place] for column in columns]
        if policy["policy"] != judged:
            cells = [replace(cell, bar=None) for cell in cells]
        lines = len(entry["policies"]) if policy is entry["policies"][0] else 0
        words = _short(summary, policy["policy"])
        rows.append(_row(summary, entry, cells, policy=words, lines=lines))
    return Table(
        heads=tuple(Head(inert(c["label"], 40), f"{c['rows']:,} rows") for c in shown),
        rows=tuple(rows),
        left_out=_left_out(len(classes), MOST_CLASSES, "classes"),
        shaded=any(cell.tied for row in rows for cell in row.cells),
        policies=any(row.lines > 1 for row in rows),
    )


def weights_table(summary: Summary) -> Table | None:
    """Return the tuned weight of each class, rarest first; None where none was tuned."""
    entries = [entry for entry in summary["entries"] if entry["class_weights"]][:MOST_ENTRIES]
    if not entries:
        return None
    shown = sorted(summary["data"]["classes"], key=lambda c: c["rows"])[:MOST_CLASSES]
    rows = []
    for entry in entries:
        known = [entry["class_weights"].get(c["label"]) for c in shown]
        cells = [
            Cell(NOTHING)
            if weight is None
            else Cell(
                weight_text(weight["median"]),
                f"{weight_text(weight['low'])} to {weight_text(weight['high'])}"
                if weight["low"] != weight["high"]
                else "",
            )
            for weight in known
        ]
        rows.append(_row(summary, entry, cells))
    return Table(
        heads=tuple(Head(inert(c["label"], 40), f"{c['rows']:,} rows") for c in shown),
        rows=tuple(rows),
        left_out=_left_out(len(summary["data"]["classes"]), MOST_CLASSES, "classes"),
    )


def intervals_table(summary: Summary) -> Table:
    """Return both intervals of the two metrics that the verdicts rest on, in numbers."""
    entries, task = summary["entries"][:MOST_ENTRIES], summary["task"]
    ranking, judged = task["ranking_metric"], task["decision_policy"]
    decided = [
        next((p["metrics"] for p in e["policies"] if p["policy"] == judged), {}) for e in entries
    ]
    heads: list[Head] = []
    columns: list[list[Cell]] = []
    for name, estimates in (
        (ranking, [entry["scores"].get(ranking) for entry in entries]),
        (task["decision_metric"], [m.get(task["decision_metric"]) for m in decided]),
    ):
        if name in summary["metrics"] and any(e and e["mean"] is not None for e in estimates):
            title = inert(summary["metrics"][name]["title"], 40)
            heads += [Head(title, "over folds"), Head(title, "over test rows")]
            columns += _both_intervals(estimates)
    rows = [
        _row(summary, entry, [column[place] for column in columns])
        for place, entry in enumerate(entries)
    ]
    return Table(heads=tuple(heads), rows=tuple(rows) if heads else ())


def cost_table(summary: Summary) -> Table:
    """Return what training costs: seconds and the size of the model."""
    entries = summary["entries"][:MOST_ENTRIES]
    timing = [summary["timing"]["entries"].get(entry["id"], {}) for entry in entries]
    columns = [
        _sizes([times.get(key) for times in timing], text)
        for key, text in (
            ("fit_seconds", seconds_text),
            ("predict_seconds", seconds_text),
            ("model_bytes", bytes_text),
        )
    ]
    cells = [Cell(_cells_text(entry)) for entry in entries]
    rows = [
        _row(summary, entry, [*(column[place] for column in columns), cells[place]])
        for place, entry in enumerate(entries)
    ]
    heads = (
        Head("Fit", "inner folds included"),
        Head("Predict", "one test fold"),
        Head("Model", "size"),
        Head("Cells", "done of planned"),
    )
    return Table(heads=heads, rows=tuple(rows), sortable=True)


def _short(summary: Summary, policy: str) -> str:
    """Return a policy in few words."""
    if policy == "tuned" and summary["task"]["kind"] == "multiclass":
        return "tuned weights"
    return SHORT_POLICIES[policy]


def _row(
    summary: Summary,
    entry: EntrySummary,
    cells: Sequence[Cell],
    *,
    policy: str = "",
    lines: int = 1,
) -> Row:
    tags = ("baseline",) * entry["baseline"]
    tags += ("recommended",) * (entry["id"] == summary["recommended"])
    return Row(
        title=inert(entry["title"]),
        tags=tags,
        cells=tuple(cells),
        policy=policy,
        lines=lines,
        mark="†" if entry["changes_prior"] else "",
        baseline=entry["baseline"],
    )


def _ordered(known: Mapping[str, MetricCard], found: Iterable[str], first: str) -> list[MetricCard]:
    """Return the cards of the metrics that were found, `first` in front."""
    found = set(found)
    names = [name for name in known if name in found]
    return [known[name] for name in sorted(names, key=lambda name: name != first)]


def _head(metric: MetricCard) -> Head:
    if metric["name"] in NEITHER_BETTER:
        return Head(inert(metric["title"], 40), "share of rows")
    note = "higher is better" if metric["greater_is_better"] else "lower is better"
    return Head(inert(metric["title"], 40), note)


def _meanings(metrics: Iterable[MetricCard]) -> tuple[tuple[str, str], ...]:
    return tuple((inert(m["title"], 40), inert(m["meaning"], 300)) for m in metrics)


def _estimates(
    estimates: Sequence[Estimate | None],
    *,
    bars: bool = True,
    reference: int = 0,
    ties: bool = True,
) -> list[Cell]:
    """Return a column's cells; all have the same decimals and their bars the same axis.

    Every bar is held against the mean of the cell at `reference`, the baseline's.
    """
    known = [estimate for estimate in estimates if estimate is not None]
    decimals = decimals_for(estimate["mean"] for estimate in known)
    keys = ("mean", "low", "high", "bootstrap_low", "bootstrap_high")
    ends = [e[key] for e in known for key in keys]  # type: ignore[literal-required]
    axis = Axis.over(ends, BAR_WIDTH)
    base = estimates[reference] if estimates else None
    cells = []
    for estimate in estimates:
        if estimate is None or estimate["mean"] is None:
            cells.append(Cell(NOTHING))
            continue
        mean, low, high = estimate["mean"], estimate["low"], estimate["high"]
        rows = estimate["bootstrap_low"], estimate["bootstrap_high"]
        bar = axis.bar(mean, low, high, base and base["mean"], rows) if bars else None
        cells.append(
            Cell(
                text=number(mean, decimals),
                span=span_text(low, high, decimals),
                bar=bar,
                tied=ties and estimate["tied_with_best"],
                key=f"{mean:.6g}",
            )
        )
    return cells


def _both_intervals(estimates: Sequence[Estimate | None]) -> list[list[Cell]]:
    """Return a column of fold intervals and one of bootstrap intervals."""
    decimals = decimals_for(e["mean"] for e in estimates if e is not None)
    pairs: list[list[Cell]] = [[], []]
    for e in estimates:
        spans = ["", ""]
        if e is not None:
            spans[0] = span_text(e["low"], e["high"], decimals)
            spans[1] = span_text(e["bootstrap_low"], e["bootstrap_high"], decimals)
        for column, span in zip(pairs, spans, strict=True):
            column.append(Cell(span or NOTHING))
    return pairs


def _threshold(estimate: Estimate | None) -> Cell:
    """Return a threshold with the range of its values over the folds."""
    if estimate is None or estimate["mean"] is None:
        return Cell(NOTHING)
    folds = [value for value in estimate["folds"] if value is not None]
    decimals = decimals_for([estimate["mean"]])
    spread = span_text(min(folds), max(folds), decimals) if len(set(folds)) > 1 else ""
    return Cell(number(estimate["mean"], decimals), spread)


def _sizes(values: Sequence[float | None], text: object) -> list[Cell]:
    """Return cells whose bars start at zero."""
    axis = Axis.over([0.0, *values], BAR_WIDTH)
    say = text if callable(text) else str
    return [
        Cell(NOTHING) if v is None else Cell(say(v), bar=axis.bar(v, 0.0, v, None), key=f"{v:.6g}")
        for v in values
    ]


def _cells_text(entry: EntrySummary) -> str:
    planned = entry["done"] + entry["failed"] + entry["missing"]
    text = f"{entry['done']} of {planned}"
    return f"{text}, {entry['failed']} failed" if entry["failed"] else text


def _marked(cell: Cell) -> Cell:
    """Say of a probability that it is not one of the real world."""
    return replace(cell, mark="†" if cell.text != NOTHING else "")


def _left_out(count: int, shown: int, what: str) -> str:
    if count <= shown:
        return ""
    return f"{count - shown:,} more {what} are in summary.json."
