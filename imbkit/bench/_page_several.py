"""The page of several tables as strings and places; the template only sets them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from imbkit._core.messages import require
from imbkit.bench._diagram import Diagram, draw_ranks
from imbkit.bench._figures import NOTHING, decimals_for, number, seconds_text, share_text, signed
from imbkit.bench._inert import inert, wrapped
from imbkit.bench._schema_several import (
    QuestionCard,
    RankedEntry,
    SeveralSummary,
    TableCard,
)

__all__ = ["SeveralPage", "page_of_several", "render_several", "render_several_text"]

TEMPLATES = Path(__file__).with_name("templates")
SPACE = "\N{NO-BREAK SPACE}"
LONGEST_SENTENCE = 1000
LONGEST_LINK = 200
MOST_TABLES = 60
MOST_COLUMNS = 24
MOST_ENTRIES = 60
MOST_CAUTIONS = 40
MOST_NAMES = 3
"""Tables named in the title."""
MOST_LINES = 8
"""Entries that the terminal shows; the page has all."""
QUESTIONS = {"ranking": "Ranking", "decisions": "Decisions"}
OUTCOMES = {
    "beaten": "Baseline beaten",
    "not beaten": "Baseline not beaten",
    "undecided": "Undecided",
}
POLICIES = {
    "default": "at a threshold of one half",
    "tuned": "at a threshold tuned on inner folds",
    "argmax": "with the most probable class",
    "budget": "with the alert budget",
    "expected_loss": "by the expected loss of each row",
}


@dataclass(frozen=True, slots=True)
class TableLine:
    """One table."""

    name: str
    link: str
    rows: str
    features: str
    rare: str
    rare_rows: str
    outcomes: tuple[tuple[str, str, bool], ...]
    """One a question: the outcome, the best challenger, and whether it won."""
    problem: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry in the table of ranks."""

    title: str
    baseline: bool
    beats: bool
    rank: str
    wins: str
    ties: str
    losses: str
    difference: str
    p_value: str
    left_out: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A score with its difference from the baseline; or a p-value."""

    text: str
    note: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of cells with a title a line."""

    heads: tuple[str, ...]
    lines: tuple[tuple[str, bool, tuple[Cell, ...]], ...]
    """Title, whether it is the baseline, and the cells."""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One question with its verdict, ranks and grids."""

    key: str
    title: str
    outcome: str
    sentence: str
    recommended: str
    metric: str
    meaning: str
    better: str
    tested: bool
    friedman: str
    diagram: Diagram | None
    entries: tuple[EntryLine, ...]
    scores: Grid
    pairs: Grid | None


@dataclass(frozen=True, slots=True)
class SeveralPage:
    """The whole page."""

    title: str
    asked: str
    figures: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    cautions: tuple[str, ...]
    tables: tuple[TableLine, ...]
    tables_left_out: str
    rare_head: str
    method: tuple[tuple[str, str], ...]
    level: str
    command: str
    versions: tuple[tuple[str, str], ...]
    created: str
    generator: str


def render_several(summary: SeveralSummary, linked: Collection[str]) -> str:
    """Return the page of several tables: one self-contained file without scripts.

    Parameters
    ----------
    summary : dict
        Of the tables.
    linked : collection of str
        Directories of tables whose own pages lie beside this one.
    """
    jinja2: Any = require("jinja2", "compare", "compare_tables")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = page_of_several(summary, linked)
    return str(environment.get_template("several.html.j2").render(page=page))


def render_several_text(summary: SeveralSummary, width: int = 88) -> str:
    """Return the verdict and the best ranks, for a terminal."""
    page = page_of_several(summary, frozenset())
    lines = [wrapped(part.title, part.sentence, width) for part in page.parts]
    lines += [wrapped("Tables", caution, width) for caution in page.cautions]
    for part in page.parts:
        shown = part.entries[:MOST_LINES]
        longest = max((len(line.title) for line in shown), default=0)
        lines += ["", f"{part.metric}: average rank, and wins, ties, losses against the baseline"]
        for line in shown:
            counts = "baseline" if line.baseline else f"{line.wins} {line.ties} {line.losses}"
            lines.append(f"  {line.title:<{longest}}  {line.rank:>5}  {counts}".rstrip())
        if len(part.entries) > MOST_LINES:
            lines.append(f"  and {len(part.entries) - MOST_LINES} more on the page")
    return "\n".join(lines)


def page_of_several(summary: SeveralSummary, linked: Collection[str]) -> SeveralPage:
    """Return what stands on the page."""
    tables = summary["tables"]
    compared = [card for card in tables if not card["problem"]]
    ranking, decisions = summary["questions"]
    baseline = next(entry for entry in ranking["entries"] if entry["baseline"])
    measures = f"Ranking by {_metric(ranking)}; decisions by {_metric(decisions)}"
    policy = POLICIES.get(decisions["policy"], "")
    if decisions["policy"] == "tuned" and summary["kind"] == "multiclass":
        policy = "with weights of the classes tuned on inner folds"
    rows = sum(card["rows"] for card in compared)
    return SeveralPage(
        title=_names([inert(card["name"], 40) for card in tables]),
        asked=f"{measures}{f', {policy}' if policy else ''}.",
        figures=(
            ("Tables compared", f"{len(compared)} of {len(tables)}"),
            ("Rows in all", f"{rows:,}"),
            ("Entries", f"{len(ranking['entries'])}"),
            ("Baseline", inert(baseline["title"], 60)),
        ),
        parts=tuple(_part(card, summary["level"]) for card in summary["questions"]),
        cautions=tuple(
            inert(text, LONGEST_SENTENCE) for text in summary["cautions"][:MOST_CAUTIONS]
        ),
        tables=tuple(_table_line(card, linked) for card in tables[:MOST_TABLES]),
        tables_left_out=_left_out(len(tables), MOST_TABLES, "tables"),
        rare_head="Positive" if summary["kind"] == "binary" else "Rarest class",
        method=_method(summary),
        level=number(summary["level"], 2),
        command=inert(summary.get("command", ""), LONGEST_SENTENCE),
        versions=tuple((inert(k, 40), inert(v, 40)) for k, v in summary["versions"].items()),
        created=inert(summary["timing"]["created"][:16].replace("T", " "), 20) + " UTC",
        generator=f"imbkit {inert(summary['versions'].get('imbkit', ''), 40)}".strip(),
    )


def _names(names: Sequence[str]) -> str:
    """Name the first tables, and count the others."""
    shown = names[:MOST_NAMES]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _part(card: QuestionCard, level: float) -> Part:
    entries = card["entries"]
    decimals = decimals_for(entry["mean_difference"] for entry in entries)
    return Part(
        key=card["question"],
        title=QUESTIONS[card["question"]],
        outcome=OUTCOMES[card["outcome"]],
        sentence=inert(card["sentence"], LONGEST_SENTENCE),
        recommended=inert(next(e["title"] for e in entries if e["id"] == card["recommended"])),
        metric=inert(card["metric"]["title"], 40),
        meaning=inert(card["metric"]["meaning"], 300),
        better="higher is better" if card["metric"]["greater_is_better"] else "lower is better",
        tested=card["p_values"] is not None,
        friedman=_friedman(card, level),
        diagram=draw_ranks(card),
        entries=tuple(_entry_line(entry, decimals) for entry in entries[:MOST_ENTRIES]),
        scores=_scores(card),
        pairs=_pairs(card, level),
    )


def _entry_line(entry: RankedEntry, decimals: int) -> EntryLine:
    def count(n: int) -> str:
        return NOTHING if entry["baseline"] else str(n)

    return EntryLine(
        title=inert(entry["title"]),
        baseline=entry["baseline"],
        beats=entry["beats"],
        rank=number(entry["average_rank"], 2),
        wins=count(entry["wins"]),
        ties=count(entry["ties"]),
        losses=count(entry["losses"]),
        difference=signed(entry["mean_difference"], decimals),
        p_value=_p_text(entry["p_value"]),
        left_out=inert(entry["left_out"], 200),
    )


def _scores(card: QuestionCard) -> Grid:
    """Mean scores, entries x tables, with the difference from the baseline below each."""
    entries = card["entries"][:MOST_ENTRIES]
    tables = card["tables"][:MOST_COLUMNS]
    base = next(k for k, entry in enumerate(card["entries"]) if entry["baseline"])
    best = max if card["metric"]["greater_is_better"] else min
    columns = []
    for row in card["scores"][:MOST_COLUMNS]:
        known = [value for value in row if value is not None]
        decimals = decimals_for(row)
        columns.append(
            [_score_cell(v, row[base], k == base, best(known), decimals) for k, v in enumerate(row)]
        )
    return Grid(
        heads=tuple(inert(name, 40) for name in tables),
        lines=tuple(
            (inert(entry["title"]), entry["baseline"], tuple(column[k] for column in columns))
            for k, entry in enumerate(entries)
        ),
        left_out=_left_out(len(card["tables"]), MOST_COLUMNS, "tables")
        or _left_out(len(card["entries"]), MOST_ENTRIES, "entries"),
    )


def _score_cell(
    value: float | None, base: float | None, is_base: bool, best: float, decimals: int
) -> Cell:
    if value is None:
        return Cell(NOTHING)
    note = "" if is_base or base is None else signed(value - base, decimals)
    return Cell(number(value, decimals), note, value == best)


def _pairs(card: QuestionCard, level: float) -> Grid | None:
    """P-values of every two ranked entries; those under the level stand out."""
    matrix = card["p_values"]
    if matrix is None:
        return None
    ranked = [k for k, entry in enumerate(card["entries"]) if not entry["left_out"]][:MOST_COLUMNS]
    lines = []
    for place, i in enumerate(ranked, 1):
        entry = card["entries"][i]
        cells = [
            Cell(_p_text(p), strong=p is not None and p < level)
            for p in (matrix[i][j] for j in ranked)
        ]
        lines.append((f"{place}. {inert(entry['title'])}", entry["baseline"], tuple(cells)))
    heads = tuple(str(place) for place in range(1, len(ranked) + 1))
    count = sum(not entry["left_out"] for entry in card["entries"])
    return Grid(heads, tuple(lines), _left_out(count, MOST_COLUMNS, "entries"))


def _friedman(card: QuestionCard, level: float) -> str:
    found = card["friedman"]
    if found is None:
        return ""
    differ = found["f_p_value"] < level
    f = "without bound" if found["f_statistic"] is None else number(found["f_statistic"], 2)
    p_value, chi_p = _p_text(found["f_p_value"]), _p_text(found["p_value"])
    return (
        f"Friedman's test {'sees' if differ else 'sees no'} differences between the entries: "
        f"F{SPACE}{f}, p{SPACE}{p_value} (chi-square{SPACE}{number(found['statistic'], 2)}, "
        f"p{SPACE}{chi_p})." + ("" if differ else " So no pair was looked at, and all are joined.")
    )


def _table_line(card: TableCard, linked: Collection[str]) -> TableLine:
    directory = card["directory"]
    return TableLine(
        name=inert(card["name"]),
        link=_link(directory) if directory in linked else "",
        rows=NOTHING if card["problem"] else f"{card['rows']:,}",
        features=NOTHING if card["problem"] else f"{card['features']:,}",
        rare=inert(card["rare"], 40),
        rare_rows=_rare_rows(card),
        outcomes=tuple(
            (
                OUTCOMES[verdict["outcome"]],
                f"{inert(verdict['best'], 60)} {signed(verdict['difference'])}"
                if verdict["best"]
                else "",
                verdict["outcome"] == "beaten",
            )
            for verdict in card["verdicts"]
        ),
        problem=inert(card["problem"], 300),
    )


def _link(directory: str) -> str:
    """Return the way to a table's page; whatever its name, it leads nowhere else."""
    part = quote(directory, safe="")
    return f"{part}/report.html" if 0 < len(part) <= LONGEST_LINK else ""


def _rare_rows(card: TableCard) -> str:
    if card["problem"] or not card["rows"]:
        return NOTHING
    return f"{card['rare_rows']:,} ({share_text(card['rare_rows'] / card['rows'])})"


def _method(summary: SeveralSummary) -> tuple[tuple[str, str], ...]:
    failed = sum(card["failed"] for card in summary["tables"])
    missing = sum(card["missing"] for card in summary["tables"])
    repeats = summary["repeats"]
    drawn = "" if repeats == 1 else f", drawn {repeats} times"
    facts: list[tuple[str, str]] = [
        ("Splits of each table", f"up to {summary['folds']} folds{drawn}"),
        ("Seed", str(summary["seed"])),
        ("Cells that failed", f"{failed:,}"),
        ("Cells that were not run", f"{missing:,}"),
        ("Time of the last call", seconds_text(summary["timing"]["wall_seconds"])),
    ]
    if summary["quick"]:
        facts.insert(0, ("Panel", "quick: three strategies and three folds"))
    return tuple(facts)


def _metric(card: QuestionCard) -> str:
    """Write a metric's title within a sentence; abbreviations keep their capitals."""
    words = inert(card["metric"]["title"], 40).split()
    return " ".join(word if word.isupper() else word.lower() for word in words)


def _p_text(p_value: float | None) -> str:
    if p_value is None:
        return NOTHING
    return f"<{SPACE}0.001" if p_value < 0.001 else number(p_value, 3)


def _left_out(count: int, shown: int, what: str) -> str:
    return f"{count - shown:,} more {what} are in summary.json." if count > shown else ""
