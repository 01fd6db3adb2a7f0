"""The verdict as the page shows it: what to use, its sentences, its drawings, their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from imbkit.bench._figures import (
    Axis,
    chance_text,
    decimals_for,
    number,
    p_value_text,
    signed,
)
from imbkit.bench._inert import inert
from imbkit.bench._page_ordered import question_title
from imbkit.bench._page_tables import policy_words
from imbkit.bench._schema import MetricCard, Summary, Verdict
from imbkit.bench._summary_promise import breaks_promise

__all__ = [
    "LONGEST_SENTENCE",
    "Answer",
    "Figure",
    "Tick",
    "advice_of",
    "answers_of",
    "no_caution",
    "promise_sentences",
]

LONGEST_SENTENCE = 600
FIGURE_WIDTH = 360.0
OUTCOMES = {
    "beaten": "Baseline beaten",
    "not beaten": "Baseline not beaten",
    "undecided": "Undecided",
}
ADVICE = {
    "default": "with the default threshold of one half",
    "tuned": "with a tuned threshold",
    "argmax": "and take the most probable class",
    "budget": "and alert the highest scores, as many as the budget allows",
    "expected_loss": "and alert where silence would cost more",
}
NO_CAUTION = "The checks of the table raised no caution about these verdicts."
SOME_WARNINGS = "Nothing limits these verdicts but what the section on the data warns of."


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    x: str
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """The difference between the best challenger and the baseline, with its interval."""

    description: str
    zero: str
    rope_start: str
    rope_length: str
    low: str
    high: str
    mean: str
    ticks: tuple[Tick, ...]
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One verdict: its sentence, its drawing and the numbers behind it."""

    key: str
    question: str
    outcome: str
    sentence: str
    metric: str
    figure: Figure | None
    facts: tuple[tuple[str, str, str], ...]
    """What, of whom, how much."""


def no_caution(summary: Summary) -> str:
    """Return what to say where no caution limits the verdicts."""
    data = summary["data"]
    return SOME_WARNINGS if data["warnings"] or data["leaks"] else NO_CAUTION


def promise_sentences(summary: Summary) -> list[tuple[str, str]]:
    """Return whether the limit of the objective was kept, with its label; empty without one."""
    promise = summary["promise"]
    return [] if promise is None else [("Promise", inert(promise["sentence"], LONGEST_SENTENCE))]


def answers_of(summary: Summary, titles: Mapping[str, str]) -> tuple[Answer, ...]:
    """Return the verdicts."""
    return tuple(_answer(summary, verdict, titles) for verdict in summary["verdicts"])


def advice_of(summary: Summary, titles: Mapping[str, str]) -> tuple[str, str, str]:
    """Return what to use, how it decides, and why, in words."""
    recommended = summary["recommended"]
    title = titles.get(recommended, inert(recommended))
    decides = ADVICE[summary["recommended_policy"]]
    if summary["recommended_policy"] == "tuned" and summary["task"]["kind"] == "multiclass":
        decides = "with tuned weights of the classes"
    won = [
        question_title(summary, v["question"]).lower()
        for v in summary["verdicts"]
        if v["outcome"] == "beaten" and v["best"] == recommended
    ]
    if won:
        return title, decides, f"It beat the baseline beyond noise, in {' and '.join(won)}."
    if recommended not in {e["id"] for e in summary["entries"] if e["baseline"]}:
        return title, decides, "It is not the baseline; the verdicts say how far apart they are."
    beaten = [v for v in summary["verdicts"] if v["outcome"] == "beaten"]
    if any(breaks_promise(summary["promise"], v["best"] or "") for v in beaten):
        return title, decides, "It is the baseline; what beat it broke the promise."
    if beaten:
        return title, decides, "It is the baseline; what beat it did so in one question alone."
    if all(v["outcome"] == "not beaten" for v in summary["verdicts"]):
        return title, decides, "It is the baseline: nothing beat it beyond noise."
    return title, decides, "It is the baseline: nothing could be shown to beat it."


def _answer(summary: Summary, verdict: Verdict, titles: Mapping[str, str]) -> Answer:
    card = summary["metrics"].get(verdict["metric"])
    title = inert(card["title"] if card else verdict["metric"], 60)
    return Answer(
        key=verdict["question"],
        question=question_title(summary, verdict["question"]),
        outcome=OUTCOMES[verdict["outcome"]],
        sentence=inert(verdict["sentence"], LONGEST_SENTENCE),
        metric=title,
        figure=_figure(verdict, card, title, titles),
        facts=_facts(summary, verdict, titles),
    )


def _figure(
    verdict: Verdict, card: MetricCard | None, title: str, titles: Mapping[str, str]
) -> Figure | None:
    """Return the drawing of a difference; None where there is no difference."""
    mean, low, high, rope = (
        verdict["difference"],
        verdict["low"],
        verdict["high"],
        verdict["rope"],
    )
    best = verdict["best"]
    if mean is None or best is None:
        return None
    reach = [0.0, mean, -1.5 * rope, 1.5 * rope, low, high]
    axis = Axis.over(reach, FIGURE_WIDTH, margin=16.0)
    ticks = axis.ticks()
    greater = card is None or card["greater_is_better"]
    words = ("challenger worse", "challenger better")
    left, right = words if greater else words[::-1]
    said = f"{title}: {titles.get(best, inert(best))} minus baseline, "
    said += signed(mean, _decimals(verdict))
    if low is not None:
        said += f", {_interval(verdict)}"
    return Figure(
        description=said,
        zero=axis.place(0.0),
        rope_start=axis.place(-rope),
        rope_length=f"{axis.x(rope) - axis.x(-rope):.1f}",
        low=axis.place(low),
        high=axis.place(high),
        mean=axis.place(mean),
        ticks=tuple(Tick(axis.place(v), signed(v, axis.tick_decimals())) for v in ticks),
        left=f"← {left}",
        right=f"{right} →",
    )


def _facts(
    summary: Summary, verdict: Verdict, titles: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    """Return the numbers behind a verdict."""
    decimals = _decimals(verdict)
    facts = [
        (
            "Baseline",
            _with_policy(summary, verdict["baseline"], verdict["policy"], titles),
            number(verdict["baseline_mean"], decimals),
        )
    ]
    if verdict["best"] is None:
        return tuple(facts)
    facts.append(
        (
            "Best challenger",
            _with_policy(summary, verdict["best"], verdict["best_policy"], titles),
            number(verdict["best_mean"], decimals),
        )
    )
    facts.append(("Difference", _interval(verdict), signed(verdict["difference"], decimals)))
    rope = f"{verdict['rope']:.3g}"
    for what, of, value in (
        ("Chance of better", f"by more than {rope}", chance_text(verdict["probability_better"])),
        ("Chance of a tie", f"within {rope}", chance_text(verdict["probability_equivalent"])),
        ("p-value", "two-sided, Holm", p_value_text(verdict["p_value"])),
    ):
        facts.append((what, of, value))
    return tuple(facts)


def _decimals(verdict: Verdict) -> int:
    """A difference has as many decimals as what it is the difference of."""
    return decimals_for([verdict["baseline_mean"], verdict["best_mean"]])


def _interval(verdict: Verdict) -> str:
    if verdict["low"] is None or verdict["high"] is None:
        return ""
    decimals = _decimals(verdict)
    low, high = signed(verdict["low"], decimals), signed(verdict["high"], decimals)
    return f"95 % interval {low} to {high}"


def _with_policy(summary: Summary, entry: str, policy: str, titles: Mapping[str, str]) -> str:
    title, words = titles.get(entry, inert(entry)), policy_words(summary, policy)
    return f"{title}, {words}" if words else title
