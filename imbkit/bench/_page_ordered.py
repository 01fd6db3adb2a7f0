"""What the page says of a target of stages: the question, the constant, and what is judged."""

from collections.abc import Mapping

from imbkit.bench._figures import decimals_for, number, span_text
from imbkit.bench._inert import inert
from imbkit.bench._page_tables import OF_PROBABILITIES
from imbkit.bench._schema import EntrySummary, Summary

__all__ = ["constant_sentence", "question_title", "stages_text"]

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


def _mean(entry: EntrySummary) -> float | None:
    estimate = entry["scores"].get(SKILL)
    return estimate["mean"] if estimate else None


def _is_asked_for(summary: Summary, entry: EntrySummary) -> bool:
    special = entry["baseline"] or entry.get("of_stages", False)
    return special or entry["id"] == summary["recommended"]
