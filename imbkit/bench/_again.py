"""The page of a comparison, made again from its rows alone."""

import json
from pathlib import Path

from imbkit.bench._conclude import EndCard, with_end
from imbkit.bench._files import write_text
from imbkit.bench._plan_card import PlanCard
from imbkit.bench._report import render_html
from imbkit.bench._rows import read_rows
from imbkit.bench._schema import Summary
from imbkit.bench._summary import summarise

__all__ = ["render_again", "write_results"]


def render_again(directory: Path) -> Summary:
    """Write ``summary.json`` and ``report.html`` from ``rows.jsonl``, and return the summary.

    Parameters
    ----------
    directory : Path
        Where a comparison left its rows.

    Raises
    ------
    OutputError
        If there are no rows, they are of another version or were changed, or a file cannot
        be written.
    """
    plan: PlanCard
    end: EndCard | None
    plan, end, rows = read_rows(directory)
    names = {f"{entry['strategy']}/{entry['learner']}" for entry in plan["entries"]}
    kept = [row for row in rows if f"{row['strategy']}/{row['learner']}" in names]
    summary = summarise(plan, kept, wall_seconds=0.0)
    if end is not None:
        summary = with_end(summary, end)
    write_results(summary, directory)
    return summary


def write_results(summary: Summary, directory: Path) -> None:
    """Write the summary and its page."""
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(directory / "summary.json", text + "\n")
    write_text(directory / "report.html", render_html(summary))
