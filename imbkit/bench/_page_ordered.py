"""What the page says of a target of stages: the question, the constant, and what is judged."""

from collections.abc import Mapping

from imbkit.bench._figures import NOTHING, decimals_for, number, p_value_text, signed, span_text
from imbkit.bench._inert import inert
from imbkit.bench._page_tables import MOST_ENTRIES, OF_PROBABILITIES, Cell, Head, Row, Table
from imbkit.bench._schema import EntrySummary, Summary

__all__ = ["constant_sentence", "differences_table", "question_title", "stages_text"]

QUESTIONS = {"ranking": "Ranking", "decisions": "Decisions"}
SKILL, LOSS = "log_loss_skill", "log_loss"
MOST_STAGES = 12
MOST_MODELS = 4


def question_title(summary: Summary, question: str) -> str:
    """Return what a verdict is about; of stages a loss is judged, which is no ranking."""
    of_loss = summary["task"]["ranking_metric"] in OF_PROBABILITIES
    if question == "ranking" and of_loss and summary["task"].get("stages"):
        return "Probability"
    return QUESTIONS[question]


def stages_text(summary: Summary) -> str:
    """Return the stages from first to last; empty if classes have no order."""
    stages = [inert(label, 40) for label in summary["task"].get("stages", [])]
    if len(stages) > MOST_STAGES:
        left = len(stages) - MOST_STAGES
        stages = [*stages[: MOST_STAGES - 1], f"{left:,} more", stages[-1]]
    return " < ".join(stages)


def constant_sentence(summary: Summary, titles: Mapping[str, str]) -> str:
    """Return what models save of the loss of a constant; empty without stages."""
    name = summary["task"].get("constant", "")
    constant = next((e for e in summary["entries"] if e["id"] == name), None)
    loss = constant["scores"].get(LOSS) if constant else None
    if not name:
        return ""
    if loss is None or loss["mean"] is None:
        return "The constant share of the last stage was not scored, so no skill is known."
    models = [e for e in summary["entries"] if e["id"] != name and _mean(e) is not None]
    # Who is recommended and who knows the stages is of more interest than who scored best.
    models.sort(key=lambda e: not _is_asked_for(summary, e))
    shown = models[:MOST_MODELS]
    decimals = decimals_for(_mean(e) for e in shown)
    parts = []
    for entry in shown:
        estimate = entry["scores"][SKILL]
        span = span_text(estimate["low"], estimate["high"], decimals)
        interval = f" (95 % interval {span})" if span else ""
        title = titles.get(entry["id"], inert(entry["id"]))
        parts.append(f"{title} {number(estimate['mean'], decimals)}{interval}")
    said = (
        "Giving every row the share of the last stage among the training rows has a log-loss of "
        f"{number(loss['mean'], decimals_for([loss['mean']]))}"
    )
    if not parts:
        return f"{said}; nothing else was scored."
    return f"{said}. The part of it that is saved, the skill: {', '.join(parts)}."


def differences_table(summary: Summary, titles: Mapping[str, str]) -> Table | None:
    """Return the difference of every model from the baseline; None where there is none."""
    differences = summary.get("against_baseline", [])
    metrics = list(dict.fromkeys(d["metric"] for d in differences))
    names = list(dict.fromkeys(d["id"] for d in differences))
    found = {(d["id"], d["metric"]): d for d in differences}
    # The order is that of the other tables.
    names = [entry["id"] for entry in summary["entries"] if entry["id"] in names][:MOST_ENTRIES]
    columns: list[list[Cell]] = []
    heads: list[Head] = []
    for metric in metrics:
        column = [found.get((name, metric)) for name in names]
        base = next((e["scores"].get(metric) for e in summary["entries"] if e["baseline"]), None)
        decimals = decimals_for([base["mean"] if base else None])
        heads.append(Head(inert(summary["metrics"][metric]["title"], 40), "minus the baseline's"))
        heads.append(Head("p-value", "two-sided, Holm"))
        columns.append(
            [
                Cell(NOTHING)
                if d is None
                else Cell(
                    signed(d["difference"], decimals), span_text(d["low"], d["high"], decimals)
                )
                for d in column
            ]
        )
        columns.append([Cell(p_value_text(d["p_value"] if d else None)) for d in column])
    rows = [
        Row(
            title=titles.get(name, inert(name)),
            tags=("recommended",) * (name == summary["recommended"]),
            cells=tuple(column[place] for column in columns),
        )
        for place, name in enumerate(names)
    ]
    return Table(heads=tuple(heads), rows=tuple(rows)) if rows else None


def _mean(entry: EntrySummary) -> float | None:
    estimate = entry["scores"].get(SKILL)
    return estimate["mean"] if estimate else None


def _is_asked_for(summary: Summary, entry: EntrySummary) -> bool:
    special = entry["baseline"] or entry.get("of_stages", False)
    return special or entry["id"] == summary["recommended"]
