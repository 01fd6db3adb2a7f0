"""Render a summary: a page for people, Markdown for files, a few lines for a terminal."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from imbkit._core.messages import require
from imbkit.bench._figures import SPACE
from imbkit.bench._inert import inert, inert_markdown, wrapped
from imbkit.bench._page import page_of
from imbkit.bench._page_money import saving_sentences
from imbkit.bench._page_ordered import constant_sentence, question_title
from imbkit.bench._page_tables import Table, decisions_table, policy_words, ranking_table
from imbkit.bench._page_verdict import LONGEST_SENTENCE, no_caution, promise_sentences
from imbkit.bench._page_worlds import held_out_sentence
from imbkit.bench._schema import Summary

__all__ = ["render_fragment", "render_html", "render_markdown", "render_text", "verdict_sentences"]

TEMPLATES = Path(__file__).with_name("templates")
MOST_LINES = 8
"""Entries that the terminal shows; the page has all."""
MOST_CAUTIONS = 20


def render_html(summary: Summary) -> str:
    """Return the page: one self-contained file that asks for nothing.

    Every text that came from the data is shown as text: it is escaped, and what would not
    print is written out. The only script sorts tables; the page allows no other, and reads the
    same without it.
    """
    script = (TEMPLATES / "sort.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _render(
        "report.html.j2", page=page_of(summary), script=script, script_hash=f"sha256-{digest}"
    )


def render_fragment(summary: Summary) -> str:
    """Return verdict and ranking table as a piece of HTML, for notebooks."""
    return _render(
        "fragment.html.j2", sentences=verdict_sentences(summary), ranking=ranking_table(summary)
    )


def render_markdown(summary: Summary) -> str:
    """Return verdict and tables as Markdown."""
    titles = {entry["id"]: entry["title"] for entry in summary["entries"]}
    lines = [f"# Comparison: {inert_markdown(summary['data']['name'])}", ""]
    for label, sentence in verdict_sentences(summary):
        lines.append(f"- **{label}.** {inert_markdown(sentence, 2 * LONGEST_SENTENCE)}")
    recommended = titles.get(summary["recommended"], summary["recommended"])
    policy = policy_words(summary, summary["recommended_policy"])
    lines += ["", f"Recommended: **{inert_markdown(recommended)}**, {policy}.", ""]
    lines += _markdown_table(ranking_table(summary))
    lines += ["", *_markdown_table(decisions_table(summary)), ""]
    return "\n".join(lines)


def render_text(summary: Summary, width: int = 88) -> str:
    """Return the verdict and the best entries, for a terminal."""
    lines = [wrapped(label, text, width) for label, text in verdict_sentences(summary)]
    table = ranking_table(summary)
    if not table.heads:
        return "\n".join(lines)
    lines += ["", f"{table.heads[0].text}, mean and 95 % interval"]
    title_width = max(len(row.title) for row in table.rows[:MOST_LINES])
    for row in table.rows[:MOST_LINES]:
        cell = row.cells[0]
        tag = "  baseline" if row.baseline else ""
        lines.append(f"  {row.title:<{title_width}}  {cell.text:>7}  {cell.span}{tag}".rstrip())
    if len(table.rows) > MOST_LINES:
        lines.append(f"  and {len(table.rows) - MOST_LINES} more on the page")
    return "\n".join(lines)


def _render(template: str, **view: object) -> str:
    jinja2: Any = require("jinja2", "compare", "compare")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return str(environment.get_template(template).render(**view))


def verdict_sentences(summary: Summary) -> list[tuple[str, str]]:
    """Return the verdict's sentences, safe to show, with their labels."""
    titles = {entry["id"]: inert(entry["title"]) for entry in summary["entries"]}
    pairs = [(question_title(summary, v["question"]), v["sentence"]) for v in summary["verdicts"]]
    if constant := constant_sentence(summary, titles):
        pairs.append(("Constant", constant))
    pairs += promise_sentences(summary)
    if summary["money"] is not None or summary["budget"] is not None:
        pairs += saving_sentences(summary, titles)
    if tested := held_out_sentence(summary):
        pairs.append(("Test table", tested))
    # The page keeps numbers and units on a line; here they would be written as escapes.
    pairs = [(label, text.replace(SPACE, " ")) for label, text in pairs]
    cautions = summary["cautions"][:MOST_CAUTIONS] or [no_caution(summary)]
    pairs += [("Data", text) for text in cautions]
    return [(label, inert(text, LONGEST_SENTENCE)) for label, text in pairs]


def _markdown_table(table: Table) -> list[str]:
    heads = ["Entry", *["Decided by"] * table.policies, *(head.text for head in table.heads)]
    alignments = [":--"] * (1 + table.policies) + ["--:"] * len(table.heads)
    lines = [_markdown_row([inert_markdown(head) for head in heads]), _markdown_row(alignments)]
    for row in table.rows:
        title = inert_markdown(row.title, 200) + (" (baseline)" if row.baseline else "")
        cells = [
            f"{cell.text}{cell.mark}" + (f" ({cell.span})" if cell.span else "")
            for cell in row.cells
        ]
        lines.append(_markdown_row([title, *[row.policy] * table.policies, *cells]))
    return lines


def _markdown_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
