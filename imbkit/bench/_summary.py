"""From rows to the summary: plain numbers and words, ready for ``json.dumps``."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import median

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.bench._estimates import mark_ties, summarise_entry
from imbkit.bench._plan_card import EntryCard, PlanCard
from imbkit.bench._rows import Row
from imbkit.bench._schema import (
    SCHEMA_NAME,
    SCHEMA_VERSION,
    EntrySummary,
    MetricCard,
    Policy,
    Problem,
    Summary,
    Timing,
    Verdict,
)
from imbkit.bench._schema_curves import PairMatrix
from imbkit.bench._schema_money import Optimism
from imbkit.bench._schema_promise import PromiseCard
from imbkit.bench._skill import SKILLS
from imbkit.bench._stats import compare_pairs
from imbkit.bench._summary_curves import base_rates, entry_curves
from imbkit.bench._summary_ordered import against_baseline, skill_cautions
from imbkit.bench._summary_promise import breaks_promise, describe_promise, summarise_promise
from imbkit.bench._values import Values
from imbkit.bench._verdict import Contender, judge, rope_of

__all__ = ["summarise"]

MOST_PAIRED = 20
"""Entries whose pairs are compared, the best ones."""


def summarise(card: PlanCard, rows: Iterable[Row], *, wall_seconds: float) -> Summary:
    """Return the summary of a comparison whose rows are known, all or some.

    What only the end of a run finds, the recipe and the test table's scores, is left empty.
    """
    values = Values(card, rows)
    cards, task = card["metrics"], card["task"]
    ranking, decision = task["ranking_metric"], task["decision_metric"]
    verdicts = [_judge_ranking(values, cards[ranking]), _judge_decisions(values, cards[decision])]
    entries = [summarise_entry(values, entry) for entry in card["entries"]]
    mark_ties(values, entries, cards, card["policies"])
    ordered = _order(entries, cards[ranking])
    promise = summarise_promise(values, ordered)
    winner, policy = _choose_winner(values, verdicts, promise)
    if promise is not None:
        promise["sentence"] = describe_promise(promise, winner, card["entries"][0]["id"])
    shown = [card["entries"][0]["id"], winner, *(verdict["best"] for verdict in verdicts)]
    return Summary(
        schema=SCHEMA_NAME,
        schema_version=SCHEMA_VERSION,
        versions=card["versions"],
        command=card["command"],
        task=task,
        data=card["data"],
        metrics=cards,
        verdicts=verdicts,
        cautions=[*card["cautions"], *skill_cautions(ordered, task.get("constant", ""), winner)],
        entries=ordered,
        folds=card["folds"],
        curves=[
            entry_curves(card, entry["id"], values.of_entry(entry))
            for entry in card["entries"]
            if (entry["id"] in shown or entry.get("of_stages")) and task["kind"] == "binary"
        ],
        against_baseline=against_baseline(values),
        pairs=_pairs(values, cards[ranking], cards[decision]),
        money=card["money"],
        budget=card["budget"],
        promise=promise,
        base_rates=base_rates(card, entries, winner, _rows_of(values, winner)),
        optimism=_optimism(values, ranking),
        held_out=None,
        problems=_problems(values),
        recipe="",
        recommended=winner,
        recommended_policy=policy,
        timing=_timing(values, wall_seconds),
    )


def _rows_of(values: Values, entry_id: str) -> list[Row | None]:
    return values.of_entry(next(e for e in values.card["entries"] if e["id"] == entry_id))


def _choose_winner(
    values: Values,
    verdicts: Sequence[Verdict],
    promise: PromiseCard | None,
) -> tuple[str, Policy]:
    """The entry that decides better beyond noise, else the one that ranks better, else none.

    A better ranking whose decisions are worse beyond noise is not recommended; nor is what
    breaks a promise that the baseline keeps. Stages are asked for the probability of the last
    one, so there the two change places.
    """
    entries, task = values.card["entries"], values.card["task"]
    first, second = verdicts if task.get("stages") else reversed(verdicts)
    kept = not breaks_promise(promise, entries[0]["id"])

    def allowed(entry: str) -> bool:
        return not (kept and breaks_promise(promise, entry))

    if first["outcome"] == "beaten" and first["best"] and allowed(first["best"]):
        return first["best"], task["decision_policy"]
    if second["outcome"] == "beaten" and second["best"] and allowed(second["best"]):
        card = values.card["metrics"][first["metric"]]
        best = next(entry for entry in entries if entry["id"] == second["best"])
        sign = 1.0 if card["greater_is_better"] else -1.0
        one, other = (sign * _judged(values, first, entry) for entry in (best, entries[0]))
        common = ~(np.isnan(one) | np.isnan(other))
        pair = compare_pairs(one[common], other[common], values.test_to_train, 0.0)
        if not pair.high < 0:
            return best["id"], task["decision_policy"]
    return entries[0]["id"], task["decision_policy"]


def _judged(values: Values, verdict: Verdict, entry: EntryCard) -> FloatArray:
    """Values of an entry that a verdict is about."""
    if verdict["question"] == "ranking":
        return values.score(entry, verdict["metric"])
    return values.decision(entry, values.card["task"]["decision_policy"], verdict["metric"])


def _rope(values: Values, card: MetricCard, baseline: FloatArray) -> float:
    """Half width of the region of practical equivalence."""
    losses = values.card["task"].get("stages") and card["name"] in SKILLS.values()
    return rope_of(card, baseline, values.of_constant(card["name"]) if losses else None)


def _judge_ranking(values: Values, card: MetricCard) -> Verdict:
    contenders = [
        Contender(entry["id"], entry["title"], "none", values.score(entry, card["name"]))
        for entry in values.contenders
    ]
    base, *others = contenders
    rope = _rope(values, card, base.values)
    return judge("ranking", card, base, others, values.test_to_train, rope=rope)


def _judge_decisions(values: Values, card: MetricCard) -> Verdict:
    policy = values.card["task"]["decision_policy"]
    contenders = [
        Contender(
            entry["id"],
            entry["title"],
            policy,
            values.decision(entry, policy, card["name"]),
            many_classes=values.card["task"]["kind"] == "multiclass",
        )
        for entry in values.contenders
    ]
    promise = values.card["promise"]
    return judge(
        "decisions",
        card,
        contenders[0],
        contenders[1:],
        values.test_to_train,
        within=promise["words"] if promise else "",
    )


def _order(entries: list[EntrySummary], card: MetricCard) -> list[EntrySummary]:
    """The baseline, then the others by the ranking metric, those without a score last."""
    sign = -1.0 if card["greater_is_better"] else 1.0

    def key(entry: EntrySummary) -> tuple[bool, bool, float]:
        estimate = entry["scores"].get(card["name"])
        mean = estimate["mean"] if estimate else None
        return not entry["baseline"], mean is None, sign * (mean or 0.0)

    return sorted(entries, key=key)


def _pairs(values: Values, ranking: MetricCard, decision: MetricCard) -> list[PairMatrix]:
    """Compare every entry with every other, on both questions."""
    policy = values.card["task"]["decision_policy"]
    of_ranking = [values.score(entry, ranking["name"]) for entry in values.card["entries"]]
    of_decisions = [
        values.decision(entry, policy, decision["name"]) for entry in values.card["entries"]
    ]
    matrices = []
    for question, metric, folds in (
        ("ranking", ranking, of_ranking),
        ("decisions", decision, of_decisions),
    ):
        sign = 1.0 if metric["greater_is_better"] else -1.0
        scored = [k for k, each in enumerate(folds) if not np.isnan(each).all()]
        scored.sort(key=lambda k: -sign * float(np.nanmean(folds[k])))
        kept = scored[:MOST_PAIRED]
        rope = _rope(values, metric, folds[0])
        better = [[_better(sign, folds[i], folds[j], values, rope) for j in kept] for i in kept]
        matrices.append(
            PairMatrix(
                question="ranking" if question == "ranking" else "decisions",
                metric=metric["name"],
                entries=[values.card["entries"][k]["id"] for k in kept],
                better=better,
            )
        )
    return matrices


def _better(
    sign: float, first: FloatArray, second: FloatArray, values: Values, rope: float
) -> float | None:
    """Posterior probability that the first is better by more than the region of equivalence."""
    common = ~(np.isnan(first) | np.isnan(second))
    if first is second or common.sum() < 2:
        return None
    pair = compare_pairs(sign * first[common], sign * second[common], values.test_to_train, rope)
    return float(pair.probability_better)


def _optimism(values: Values, metric: str) -> Optimism | None:
    """What random splits claim of the baseline, beside what splits in time say."""
    if not values.card["beside"]:
        return None
    baseline = values.card["entries"][0]
    in_time, at_random = values.score(baseline, metric), values.beside(metric)
    return Optimism(
        entry=baseline["id"],
        metric=metric,
        time_mean=_mean(in_time),
        random_mean=_mean(at_random),
    )


def _mean(values: FloatArray) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))


def _problems(values: Values) -> list[Problem]:
    """What failed, did not run, was left out, or complained; equal texts counted once."""
    problems = list(values.card["problems"])
    for entry in values.card["entries"]:
        rows = values.of_entry(entry)
        failures: dict[str, int] = {}
        warned: dict[str, int] = {}
        for row in rows:
            if row and row["status"] == "failed":
                failures[row["error"]] = failures.get(row["error"], 0) + 1
            for text, count in (row["warnings"] if row else {}).items():
                warned[text] = warned.get(text, 0) + count
        if count := int(np.nansum(values.decision(entry, "tuned", "infeasible"))):
            words = values.card["promise"]["words"] if values.card["promise"] else "the limit"
            text = f"no threshold kept {words} on the training side; the nearest one was taken"
            problems.append(Problem(kind="warning", where=entry["id"], text=text, count=count))
        if untuned := _untuned(values, rows):
            text = (
                "the learner gives no probabilities, so the weights of the classes were not tuned; "
                "only its most probable classes were judged"
            )
            problems.append(Problem(kind="left out", where=entry["id"], text=text, count=untuned))
        for text, count in failures.items():
            problems.append(Problem(kind="failed", where=entry["id"], text=text, count=count))
        if missing := sum(row is None for row in rows):
            text = "the time budget was spent before these cells could start"
            problems.append(Problem(kind="not run", where=entry["id"], text=text, count=missing))
        for text, count in warned.items():
            problems.append(Problem(kind="warning", where=entry["id"], text=text, count=count))
    return problems


def _untuned(values: Values, rows: Sequence[Row | None]) -> int:
    """Count the cells of many classes that lack the tuned decision of the others."""
    if values.card["task"]["kind"] == "binary" or "tuned" not in values.card["policies"]:
        return 0
    return sum(
        row is not None and row["status"] == "done" and not row["class_weights"] for row in rows
    )


def _timing(values: Values, wall_seconds: float) -> Timing:
    costs = {}
    for entry in values.card["entries"]:
        rows = [row for row in values.of_entry(entry) if row and row["status"] == "done"]
        if rows:
            costs[entry["id"]] = {
                "fit_seconds": median(row["fit_seconds"] for row in rows),
                "predict_seconds": median(row["predict_seconds"] for row in rows),
                "model_bytes": float(median(row["model_bytes"] for row in rows)),
            }
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Timing(created=created, wall_seconds=wall_seconds, entries=costs)
