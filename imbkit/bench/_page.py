"""The page as strings and places: every number is formatted here, templates only set them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imbkit.bench._figures import seconds_text, share_text
from imbkit.bench._inert import inert, inert_code
from imbkit.bench._page_calibration import Calibration, calibration_of
from imbkit.bench._page_curves import Curves, curves_of
from imbkit.bench._page_data import DataPart, data_part, more
from imbkit.bench._page_folds import Matrix, fold_plots, matrix_of
from imbkit.bench._page_money import Money, Rates, money_of, rates_of, saving_sentences
from imbkit.bench._page_ordered import (
    constant_sentence,
    differences_table,
    question_title,
    stages_text,
)
from imbkit.bench._page_promise import PromisePart, promise_of
from imbkit.bench._page_tables import (
    Table,
    cost_table,
    decisions_table,
    intervals_table,
    policy_words,
    ranking_table,
    recalls_table,
    weights_table,
)
from imbkit.bench._page_verdict import (
    LONGEST_SENTENCE,
    Answer,
    advice_of,
    answers_of,
    no_caution,
    promise_sentences,
)
from imbkit.bench._page_worlds import (
    Elsewhere,
    elsewhere_of,
    held_out_sentence,
    optimism_sentence,
)
from imbkit.bench._plots import Plot
from imbkit.bench._schema import Problem, Summary

__all__ = ["Page", "page_of"]

MOST_CAUTIONS = 40
MOST_PROBLEMS = 100
MOST_RECIPE_LINES = 600
PROBLEMS = {
    "failed": "Failed",
    "not run": "Not run",
    "left out": "Left out",
    "warning": "Warnings raised",
}


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One thing that did not go as planned."""

    where: str
    text: str
    times: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template of the page shows; what is None or empty has no section."""

    name: str
    generator: str
    created: str
    asked: str
    compared: str
    figures: tuple[tuple[str, str], ...]
    contents: tuple[tuple[str, str], ...]
    """Sections of this page: id and title."""
    advice: tuple[str, str, str]
    """What to use, how it decides, and why."""
    answers: tuple[Answer, ...]
    constant: str
    """What models save of a constant's loss; empty without stages."""
    savings: tuple[tuple[str, str], ...]
    tested: str
    caution: str
    more_cautions: tuple[str, ...]
    recommended: str
    policy: str
    data: DataPart
    binary: bool
    stages: str
    """The stages in their order; empty if classes have none."""
    question: str
    """What the verdict without thresholds is about."""
    repaired: bool
    """Whether probabilities were repaired, those of all entries alike."""
    ranking: Table
    differences: Table | None
    """Every model against the baseline; None without stages."""
    decisions: Table
    intervals: Table
    promise: PromisePart | None
    recalls: Table | None
    weights: Table | None
    """Tuned weights of many classes."""
    shipped: str
    """What the saved model does not do as recommended; empty if it does."""
    elsewhere: Elsewhere | None
    money: Money | None
    rates: Rates | None
    curves: Curves | None
    calibration: Calibration | None
    fold_plots: tuple[Plot, ...]
    optimism: str
    matrices: tuple[Matrix, ...]
    costs: Table
    recipe: str
    method: tuple[tuple[str, str], ...]
    problems: tuple[tuple[str, tuple[ProblemLine, ...]], ...]
    problems_left_out: str
    versions: tuple[tuple[str, str], ...]
    command: str


def page_of(summary: Summary) -> Page:
    """Return what the page shows of a summary."""
    titles = {entry["id"]: inert(entry["title"]) for entry in summary["entries"]}
    cautions = [inert(text, LONGEST_SENTENCE) for text in summary["cautions"]]
    money, rates = money_of(summary, titles), rates_of(summary, titles)
    curves, plots = curves_of(summary, titles), fold_plots(summary, titles)
    calibration = calibration_of(summary, titles)
    found = (
        matrix_of(summary, pairs, titles, k) for k, pairs in enumerate(summary["pairs"], start=1)
    )
    matrices = tuple(matrix for matrix in found if matrix is not None)
    optimism = optimism_sentence(summary)
    return Page(
        name=inert(summary["data"]["name"]),
        generator=f"imbkit {inert(summary['versions'].get('imbkit', ''))}".strip(),
        created=inert(summary["timing"]["created"][:16].replace("T", " "), 20) + " UTC",
        asked=_asked(summary),
        compared=_compared(summary),
        figures=_figures(summary),
        contents=_contents(
            money=money is not None or rates is not None,
            curves=curves is not None or calibration is not None,
            folds=bool(plots or matrices or optimism),
        ),
        advice=advice_of(summary, titles),
        answers=answers_of(summary, titles),
        constant=constant_sentence(summary, titles),
        savings=(*promise_sentences(summary), *saving_sentences(summary, titles)),
        tested=held_out_sentence(summary),
        caution=cautions[0] if cautions else no_caution(summary),
        more_cautions=tuple(cautions[1 : MOST_CAUTIONS + 1]),
        recommended=titles.get(summary["recommended"], inert(summary["recommended"])),
        policy=policy_words(summary, summary["recommended_policy"]),
        data=data_part(summary),
        binary=summary["task"]["kind"] == "binary",
        stages=stages_text(summary),
        question=question_title(summary, "ranking"),
        repaired=any(e["calibration"] and e["calibration"]["after"] for e in summary["entries"]),
        ranking=ranking_table(summary),
        differences=differences_table(summary, titles),
        decisions=decisions_table(summary),
        intervals=intervals_table(summary),
        promise=promise_of(summary, titles),
        recalls=recalls_table(summary),
        weights=weights_table(summary),
        shipped=_shipped(summary),
        elsewhere=elsewhere_of(summary, titles),
        money=money,
        rates=rates,
        curves=curves,
        calibration=calibration,
        fold_plots=plots,
        optimism=optimism,
        matrices=matrices,
        costs=cost_table(summary),
        recipe=inert_code(summary["recipe"], MOST_RECIPE_LINES),
        method=_method(summary),
        problems=_problems(summary["problems"], titles),
        problems_left_out=more(len(summary["problems"]), MOST_PROBLEMS, "lines"),
        versions=tuple((inert(k, 40), inert(v, 40)) for k, v in summary["versions"].items()),
        command=inert(summary.get("command", ""), 2000),
    )


def _contents(*, money: bool, curves: bool, folds: bool) -> tuple[tuple[str, str], ...]:
    parts = [
        ("verdict", "Verdict", True),
        ("data", "Data", True),
        ("results", "Results", True),
        ("money", "Money and alerts", money),
        ("curves", "Curves", curves),
        ("folds", "Folds and pairs", folds),
        ("costs", "Cost of training", True),
        ("recipe", "Recipe", True),
        ("method", "Method and limits", True),
    ]
    return tuple((key, title) for key, title, there in parts if there)


def _asked(summary: Summary) -> str:
    """Return the question of the comparison in one sentence."""
    task, target = summary["task"], inert(summary["task"]["target"], 60)
    if stages := task.get("stages"):
        last = f"{inert(task['positive'], 60)}, the last of {len(stages)} stages"
        return f"How well do models give the probability that {target} is {last}?"
    if task["kind"] == "binary":
        positive = inert(task["positive"], 60)
        return f"Which way of training finds the rows where {target} is {positive}?"
    return f"Which way of training tells the {len(summary['data']['classes'])} classes of {target}?"


def _compared(summary: Summary) -> str:
    """Return what was held against what, in one sentence."""
    strategies = {entry["strategy"] for entry in summary["entries"]}
    learners = {entry["learner"] for entry in summary["entries"]}
    base = next((inert(e["title"]) for e in summary["entries"] if e["baseline"]), "")
    if not base:
        return "Nothing was compared."
    if summary["task"].get("stages") and len(strategies) == 1:
        what = f"{_many(len(learners) - 1, 'model', 'models')} beside a constant"
    elif len(summary["entries"]) < len(strategies) * len(learners):
        what = f"{len(summary['entries'])} combinations of a strategy with a learner"
    else:
        what = f"{_many(len(strategies), 'strategy', 'strategies')} with "
        what += _many(len(learners), "learner", "learners")
    return f"{what}, each against the baseline: {base}."


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _figures(summary: Summary) -> tuple[tuple[str, str], ...]:
    """Return the key figures at the head of the page."""
    data, entries = summary["data"], summary["entries"]
    done = sum(entry["done"] for entry in entries)
    rarest = min(data["classes"], key=lambda c: c["rows"], default=None)
    pairs = [("Rows", f"{data['rows']:,}"), ("Features", f"{data['features']:,}")]
    what = "Rows of the last stage" if summary["task"].get("stages") else "Positive rows"
    pairs += [
        (what, f"{card['rows']:,} ({share_text(card['share'])})")
        for card in data["classes"]
        if card["positive"]
    ]
    if summary["task"]["kind"] == "multiclass" and rarest is not None:
        pairs.append(("Rarest class", f"{rarest['rows']:,} ({share_text(rarest['share'])})"))
    pairs += [("Entries compared", f"{len(entries)}"), ("Models trained and tested", f"{done:,}")]
    return tuple(pairs)


def _method(summary: Summary) -> tuple[tuple[str, str], ...]:
    task, metrics = summary["task"], summary["metrics"]

    def title(name: str) -> str:
        return inert(metrics[name]["title"] if name in metrics else name, 60)

    policy = policy_words(summary, task["decision_policy"])
    data, folds = summary["data"], f"{task['folds']} folds, {_times(task['repeats'])}"
    if data["time_column"]:
        folds = f"{task['folds']} stretches of {inert(data['time_column'], 60)}, each tested by "
        folds += "what came before it"
        if task["label_delay"]:
            folds += f"; labels were known {inert(task['label_delay'], 40)} late"
    inner = f"{task['inner_folds']} folds inside each training side"
    if not task["inner_folds"]:
        inner = "none; the most probable class is predicted"
    question = question_title(summary, "ranking")
    panel = "quick: fewer strategies and folds" if task["quick"] else "full"
    facts: list[tuple[str, str]] = []
    if stages := stages_text(summary):
        facts.append(("Stages, each in equal shares in all folds", stages))
        panel = "quick: fewer folds" if task["quick"] else panel
    return (
        *facts,
        ("Test folds", folds),
        ("Threshold chosen on" if task["kind"] == "binary" else "Weights chosen on", inner),
        (f"{question} judged by", title(task["ranking_metric"])),
        ("Decisions judged by", f"{title(task['decision_metric'])}, {policy}{_within(summary)}"),
        ("Seed", f"{task['seed']}"),
        ("Panel", panel),
        ("Time of the last call", seconds_text(summary["timing"]["wall_seconds"])),
    )


def _shipped(summary: Summary) -> str:
    """Say where the saved model decides otherwise than is recommended."""
    if any(e.get("of_stages") for e in summary["entries"] if e["id"] == summary["recommended"]):
        return (
            "The saved model gives a probability of every stage and predicts the most probable "
            "one, which a rare stage seldom is. What was compared is the probability of the last "
            "stage; the recommended decision, a threshold on it, stands in the recipe."
        )
    if summary["task"]["kind"] == "binary" or summary["recommended_policy"] != "tuned":
        return ""
    return (
        "scikit-learn has no model that weighs classes, so the saved model predicts the most "
        "probable class. The recommended decision multiplies its probabilities by the weights of "
        "the classes first: the last lines of the recipe."
    )


def _within(summary: Summary) -> str:
    """Say which limit the decisions were to keep."""
    promise = summary["promise"]
    return f" that keeps {inert(promise['words'], 120)}" if promise else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"repeated {count} times"


def _problems(
    problems: Sequence[Problem], titles: Mapping[str, str]
) -> tuple[tuple[str, tuple[ProblemLine, ...]], ...]:
    """Return the problems by kind, the worst kind first."""
    worst_first = sorted(problems, key=lambda problem: list(PROBLEMS).index(problem["kind"]))
    shown = worst_first[:MOST_PROBLEMS]
    groups = []
    for kind, heading in PROBLEMS.items():
        lines = tuple(
            ProblemLine(
                where=titles.get(problem["where"], inert(problem["where"])),
                text=inert(problem["text"], LONGEST_SENTENCE),
                times=f"{problem['count']:,}",
            )
            for problem in shown
            if problem["kind"] == kind
        )
        if lines:
            groups.append((heading, lines))
    return tuple(groups)
