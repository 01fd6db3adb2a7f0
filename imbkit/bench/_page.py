"""The page as strings and places: every number is formatted here, templates only set them."""

from collections.abc import Sequence
from dataclasses import dataclass

from imbkit.bench._figures import (
    Axis,
    chance_text,
    decimals_for,
    number,
    seconds_text,
    share_text,
    signed,
)
from imbkit.bench._inert import inert, inert_code
from imbkit.bench._page_tables import (
    POLICIES,
    Table,
    cost_table,
    decisions_table,
    ranking_table,
    recalls_table,
)
from imbkit.bench._schema import ClassCard, ColumnCard, MetricCard, Problem, Summary, Verdict

__all__ = ["Page", "page_of"]

LONGEST_SENTENCE = 600
MOST_COLUMNS = 400
MOST_CLASSES = 100
MOST_WARNINGS = 40
MOST_PROBLEMS = 100
MOST_RECIPE_LINES = 600
FIGURE_WIDTH = 360.0
QUESTIONS = {"ranking": "Ranking", "decisions": "Decisions"}
OUTCOMES = {
    "beaten": "Baseline beaten",
    "not beaten": "Baseline not beaten",
    "undecided": "Undecided",
}
NO_CAUTION = "The checks of the table raised no caution about these verdicts."
PROBLEMS = {
    "failed": "Failed",
    "not run": "Not run",
    "left out": "Left out",
    "warning": "Warnings raised",
}


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


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class of the target."""

    label: str
    rows: str
    share: str
    bar: str
    fewest: str
    positive: bool


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One feature."""

    name: str
    kind: str
    missing: str
    levels: str
    note: str


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One thing that did not go as planned."""

    where: str
    text: str
    times: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template of the page shows."""

    name: str
    generator: str
    created: str
    asked: str
    figures: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]
    caution: str
    more_cautions: tuple[str, ...]
    recommended: str
    policy: str
    data: tuple[tuple[str, str], ...]
    classes: tuple[ClassLine, ...]
    classes_left_out: str
    columns: tuple[ColumnLine, ...]
    columns_left_out: str
    columns_noted: int
    warnings: tuple[str, ...]
    binary: bool
    ranking: Table
    decisions: Table
    recalls: Table | None
    costs: Table
    recipe: str
    method: tuple[tuple[str, str], ...]
    problems: tuple[tuple[str, tuple[ProblemLine, ...]], ...]
    problems_left_out: str
    versions: tuple[tuple[str, str], ...]
    command: str


def page_of(summary: Summary) -> Page:
    """Return what the page shows of a summary."""
    data, task = summary["data"], summary["task"]
    titles = {entry["id"]: inert(entry["title"]) for entry in summary["entries"]}
    cautions = [inert(text, LONGEST_SENTENCE) for text in summary["cautions"]]
    columns = sorted(data["columns"], key=lambda column: not column["note"])
    classes = data["classes"]
    if task["kind"] == "multiclass":
        classes = sorted(classes, key=lambda c: -c["rows"])
    return Page(
        name=inert(data["name"]),
        generator=f"imbkit {inert(summary['versions'].get('imbkit', ''))}".strip(),
        created=inert(summary["timing"]["created"][:16].replace("T", " "), 20) + " UTC",
        asked=_asked(summary),
        figures=_figures(summary),
        answers=tuple(_answer(summary, verdict, titles) for verdict in summary["verdicts"]),
        caution=cautions[0] if cautions else NO_CAUTION,
        more_cautions=tuple(cautions[1 : MOST_WARNINGS + 1]),
        recommended=titles.get(summary["recommended"], inert(summary["recommended"])),
        policy=POLICIES[summary["recommended_policy"]],
        data=_data(summary),
        classes=tuple(_class_line(card) for card in classes[:MOST_CLASSES]),
        classes_left_out=_more(len(classes), MOST_CLASSES, "classes"),
        columns=tuple(_column_line(card) for card in columns[:MOST_COLUMNS]),
        columns_left_out=_more(len(columns), MOST_COLUMNS, "columns"),
        columns_noted=sum(bool(column["note"]) for column in columns),
        warnings=tuple(inert(text, LONGEST_SENTENCE) for text in data["warnings"][:MOST_WARNINGS]),
        binary=task["kind"] == "binary",
        ranking=ranking_table(summary),
        decisions=decisions_table(summary),
        recalls=recalls_table(summary),
        costs=cost_table(summary),
        recipe=inert_code(summary["recipe"], MOST_RECIPE_LINES),
        method=_method(summary),
        problems=_problems(summary["problems"], titles),
        problems_left_out=_more(len(summary["problems"]), MOST_PROBLEMS, "lines"),
        versions=tuple((inert(k, 40), inert(v, 40)) for k, v in summary["versions"].items()),
        command=inert(summary.get("command", ""), 2000),
    )


def _asked(summary: Summary) -> str:
    """Return the question of the comparison in one sentence."""
    task, target = summary["task"], inert(summary["task"]["target"], 60)
    if task["kind"] == "binary":
        positive = inert(task["positive"], 60)
        return f"Which way of training finds the rows where {target} is {positive}?"
    return f"Which way of training tells the {len(summary['data']['classes'])} classes of {target}?"


def _figures(summary: Summary) -> tuple[tuple[str, str], ...]:
    """Return the key figures at the head of the page."""
    data, entries = summary["data"], summary["entries"]
    done = sum(entry["done"] for entry in entries)
    rarest = min(data["classes"], key=lambda c: c["rows"], default=None)
    pairs = [("Rows", f"{data['rows']:,}"), ("Features", f"{data['features']:,}")]
    pairs += [
        ("Positive rows", f"{card['rows']:,} ({share_text(card['share'])})")
        for card in data["classes"]
        if card["positive"]
    ]
    if summary["task"]["kind"] == "multiclass" and rarest is not None:
        pairs.append(("Rarest class", f"{rarest['rows']:,} ({share_text(rarest['share'])})"))
    pairs += [("Entries compared", f"{len(entries)}"), ("Models trained and tested", f"{done:,}")]
    return tuple(pairs)


def _answer(summary: Summary, verdict: Verdict, titles: dict[str, str]) -> Answer:
    card = summary["metrics"].get(verdict["metric"])
    title = inert(card["title"] if card else verdict["metric"], 60)
    return Answer(
        key=verdict["question"],
        question=QUESTIONS[verdict["question"]],
        outcome=OUTCOMES[verdict["outcome"]],
        sentence=inert(verdict["sentence"], LONGEST_SENTENCE),
        metric=title,
        figure=_figure(verdict, card, title, titles),
        facts=_facts(verdict, titles),
    )


def _figure(
    verdict: Verdict, card: MetricCard | None, title: str, titles: dict[str, str]
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


def _facts(verdict: Verdict, titles: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Return the numbers behind a verdict."""
    decimals = _decimals(verdict)
    facts = [
        (
            "Baseline",
            _with_policy(verdict["baseline"], verdict["policy"], titles),
            number(verdict["baseline_mean"], decimals),
        )
    ]
    if verdict["best"] is None:
        return tuple(facts)
    facts.append(
        (
            "Best challenger",
            _with_policy(verdict["best"], verdict["best_policy"], titles),
            number(verdict["best_mean"], decimals),
        )
    )
    facts.append(("Difference", _interval(verdict), signed(verdict["difference"], decimals)))
    rope = f"{verdict['rope']:g}"
    for what, of, value in (
        ("Chance of better", f"by more than {rope}", chance_text(verdict["probability_better"])),
        ("Chance of a tie", f"within {rope}", chance_text(verdict["probability_equivalent"])),
        ("p-value", "two-sided, Holm", number(verdict["p_value"], 3)),
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


def _with_policy(entry: str, policy: str, titles: dict[str, str]) -> str:
    title, words = titles.get(entry, inert(entry)), POLICIES[policy]
    return f"{title}, {words}" if words else title


def _data(summary: Summary) -> tuple[tuple[str, str], ...]:
    data, copies = summary["data"], summary["data"]["duplicate_rows"]
    dropped = ", ".join(inert(name, 40) for name in data["dropped"][:20])
    if len(data["dropped"]) > 20:
        dropped += f" and {len(data['dropped']) - 20:,} more"
    return (
        ("Target", inert(summary["task"]["target"])),
        ("Missing cells", share_text(data["missing"])),
        ("Duplicate rows", f"{copies:,} ({share_text(_part(copies, data['rows']))})"),
        ("Equal rows with different labels", f"{data['contradicting_rows']:,}"),
        ("Dropped on request", dropped or "none"),
    )


def _part(count: int, of: int) -> float:
    return count / of if of else 0.0


def _class_line(card: ClassCard) -> ClassLine:
    return ClassLine(
        label=inert(card["label"]),
        rows=f"{card['rows']:,}",
        share=share_text(card["share"]),
        bar=f"{max(120 * card['share'], 1):.1f}",
        fewest=f"{card['fewest_in_test_fold']:,}",
        positive=card["positive"],
    )


def _column_line(card: ColumnCard) -> ColumnLine:
    return ColumnLine(
        name=inert(card["name"]),
        kind=card["kind"],
        missing=share_text(card["missing"]) if card["missing"] else "none",
        levels=f"{card['levels']:,}",
        note=inert(card["note"], 200),
    )


def _method(summary: Summary) -> tuple[tuple[str, str], ...]:
    task, metrics = summary["task"], summary["metrics"]

    def title(name: str) -> str:
        return inert(metrics[name]["title"] if name in metrics else name, 60)

    inner = f"{task['inner_folds']} folds inside each training side"
    if not task["inner_folds"]:
        inner = "none; the most probable class is predicted"
    return (
        ("Test folds", f"{task['folds']} folds, {_times(task['repeats'])}"),
        ("Threshold chosen on", inner),
        ("Ranking judged by", title(task["ranking_metric"])),
        ("Decisions judged by", title(task["decision_metric"])),
        ("Seed", f"{task['seed']}"),
        ("Panel", "quick: fewer strategies and folds" if task["quick"] else "full"),
        ("Time of the last call", seconds_text(summary["timing"]["wall_seconds"])),
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"repeated {count} times"


def _problems(
    problems: Sequence[Problem], titles: dict[str, str]
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


def _more(count: int, shown: int, what: str) -> str:
    return "" if count <= shown else f"{count - shown:,} more {what} are in summary.json."
