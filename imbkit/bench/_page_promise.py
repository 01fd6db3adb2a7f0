"""Was the promise kept: the limited rate of every entry on the test folds."""

from collections.abc import Mapping
from dataclasses import dataclass

from imbkit.bench._figures import NOTHING, decimals_for, number, span_text
from imbkit.bench._inert import inert
from imbkit.bench._page_tables import MOST_ENTRIES
from imbkit.bench._schema import Summary

__all__ = ["PromiseLine", "PromisePart", "promise_of"]


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """One entry."""

    title: str
    tags: tuple[str, ...]
    free: str
    free_span: str
    attained: str
    attained_span: str
    kept: str
    infeasible: str


@dataclass(frozen=True, slots=True)
class PromisePart:
    """What was promised, and how every entry kept it."""

    words: str
    finding: str
    free: str
    limited: str
    lines: tuple[PromiseLine, ...]


def promise_of(summary: Summary, titles: Mapping[str, str]) -> PromisePart | None:
    """Return the table; None where no rate was to keep a limit."""
    promise = summary["promise"]
    if promise is None:
        return None
    entries = {entry["id"]: entry for entry in summary["entries"]}
    lines = promise["entries"][:MOST_ENTRIES]
    found = []
    for line in lines:
        policies = entries[line["id"]]["policies"]
        metrics = next((p["metrics"] for p in policies if p["policy"] == "tuned"), {})
        found.append(metrics.get(promise["free"]))
    decimals = decimals_for([promise["limit"], *(line["attained"]["mean"] for line in lines)])
    free_decimals = decimals_for(each and each["mean"] for each in found)
    shown = []
    for line, free in zip(lines, found, strict=True):
        attained = line["attained"]
        tags = ("baseline",) * entries[line["id"]]["baseline"]
        tags += ("recommended",) * (line["id"] == summary["recommended"])
        shown.append(
            PromiseLine(
                title=titles.get(line["id"], inert(line["id"])),
                tags=tags,
                free=number(free["mean"] if free else None, free_decimals),
                free_span=span_text(free["low"], free["high"], free_decimals) if free else "",
                attained=number(attained["mean"], decimals),
                attained_span=span_text(attained["low"], attained["high"], decimals),
                kept=f"{line['kept']} of {line['folds']}" if line["folds"] else NOTHING,
                infeasible=f"{line['infeasible']}" if line["infeasible"] else "none",
            )
        )
    return PromisePart(
        words=inert(promise["words"], 120),
        finding=inert(promise["sentence"], 600),
        free=_title(summary, promise["free"]),
        limited=_title(summary, promise["limited"]),
        lines=tuple(shown),
    )


def _title(summary: Summary, name: str) -> str:
    card = summary["metrics"].get(name)
    return inert(card["title"] if card else name, 40)
