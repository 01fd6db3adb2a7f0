"""The same entries elsewhere: on a table that nothing else touched, and on a random split."""

from collections.abc import Mapping
from dataclasses import dataclass

from imbkit.bench._figures import decimals_for, number, share_text, signed, span_text
from imbkit.bench._inert import inert
from imbkit.bench._page_tables import Cell, Head, Row, Table, policy_words, title_within
from imbkit.bench._schema import MetricCard, Summary
from imbkit.bench._schema_money import HeldOut

__all__ = ["Elsewhere", "elsewhere_of", "held_out_sentence", "optimism_sentence"]

MOST_LABELS = 8
MOST_METRICS = 12


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The test table: what it is, what to beware of, and the scores on it."""

    name: str
    rows: str
    cautions: tuple[str, ...]
    table: Table


def elsewhere_of(summary: Summary, titles: Mapping[str, str]) -> Elsewhere | None:
    """Return the scores on the test table; None where none was given."""
    held_out = summary["held_out"]
    if held_out is None:
        return None
    what = "positive" if summary["task"]["kind"] == "binary" else "of the rarest class"
    rows = f"{held_out['rows']:,} rows, {held_out['positives']:,} of them {what}"
    return Elsewhere(
        name=inert(held_out["name"]),
        rows=rows,
        cautions=_cautions(held_out),
        table=_table(summary, held_out, titles),
    )


def held_out_sentence(summary: Summary) -> str:
    """Return the recommended entry's score on the test table beside the baseline's."""
    held_out, name = summary["held_out"], summary["task"]["ranking_metric"]
    if held_out is None:
        return ""
    by_id = {entry["id"]: entry for entry in held_out["entries"]}
    base = next((by_id.get(e["id"]) for e in summary["entries"] if e["baseline"]), None)
    best = by_id.get(summary["recommended"])
    lead = f"On {inert(held_out['name'], 60)}, which nothing else touched"
    value = best["scores"].get(name) if best else None
    if best is None or value is None:
        return f"{lead}, the recommended model could not be scored."
    title = title_within(summary["metrics"].get(name), name)
    other = base["scores"].get(name) if base else None
    decimals = decimals_for([value, other])
    said = f"{lead}, the recommended model reaches {number(value, decimals)} in {title}"
    if span := span_text(best["low"].get(name), best["high"].get(name), decimals):
        said += f" (95 % interval {span})"
    if base is not None and base["id"] != best["id"] and other is not None:
        said += f", the baseline {number(other, decimals)}"
    entry = next(e for e in summary["entries"] if e["id"] == best["id"])
    folds = entry["scores"].get(name)
    if folds is not None and folds["mean"] is not None:
        said += f"; on the folds it had {number(folds['mean'], decimals)}"
    return f"{said}."


def optimism_sentence(summary: Summary) -> str:
    """Return what a random split would have claimed, always beside the split in time."""
    optimism = summary["optimism"]
    if optimism is None or optimism["time_mean"] is None or optimism["random_mean"] is None:
        return ""
    title = title_within(summary["metrics"].get(optimism["metric"]), optimism["metric"])
    in_time, at_random = optimism["time_mean"], optimism["random_mean"]
    decimals = decimals_for([in_time, at_random])
    return (
        f"Tested on rows later than all it learned from, the baseline reaches "
        f"{number(in_time, decimals)} in {title}; folds drawn at random would have claimed "
        f"{number(at_random, decimals)}, an optimism of {signed(at_random - in_time, decimals)}. "
        "Only the first is what to expect of rows to come."
    )


def _cautions(held_out: HeldOut) -> tuple[str, ...]:
    cautions = []
    labels = held_out["unseen_labels"]
    if labels:
        names = ", ".join(inert(label, 40) for label in labels[:MOST_LABELS])
        more = f" and {len(labels) - MOST_LABELS:,} more" if len(labels) > MOST_LABELS else ""
        cautions.append(
            f"Labels that the training table lacks: {names}{more}. Their rows count as not "
            "positive."
        )
    if held_out["repeated_rows"]:
        part = share_text(held_out["repeated_rows"] / max(held_out["rows"], 1))
        cautions.append(
            f"{held_out['repeated_rows']:,} rows ({part}) have the features of a training row: "
            "the model may know them by heart."
        )
    return tuple(cautions)


def _table(summary: Summary, held_out: HeldOut, titles: Mapping[str, str]) -> Table:
    entries = held_out["entries"]
    found = {name for e in entries for name, value in e["scores"].items() if value is not None}
    names = [name for name in summary["metrics"] if name in found]
    first = (summary["task"]["ranking_metric"], summary["task"]["decision_metric"])
    names = sorted(names, key=lambda name: name not in first)[:MOST_METRICS]
    decimals = {name: decimals_for(e["scores"].get(name) for e in entries) for name in names}
    bases = {entry["id"] for entry in summary["entries"] if entry["baseline"]}
    rows = []
    for entry in entries:
        cells = [
            Cell(
                number(entry["scores"].get(name), decimals[name]),
                span_text(entry["low"].get(name), entry["high"].get(name), decimals[name]),
            )
            for name in names
        ]
        tags = ("baseline",) * (entry["id"] in bases)
        tags += ("recommended",) * (entry["id"] == summary["recommended"])
        rows.append(
            Row(
                title=titles.get(entry["id"], inert(entry["id"])),
                tags=tags,
                cells=tuple(cells),
                policy=policy_words(summary, entry["policy"]),
                baseline=entry["id"] in bases,
            )
        )
    return Table(
        heads=tuple(_head(summary["metrics"][name]) for name in names),
        rows=tuple(rows),
        policies=True,
    )


def _head(card: MetricCard) -> Head:
    note = "higher is better" if card["greater_is_better"] else "lower is better"
    return Head(inert(card["title"], 40), note)
