"""From rows to the summary: plain numbers and words, ready for ``json.dumps``."""

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.bench._data_card import describe_data
from imbkit.bench._measures import measure_cards
from imbkit.bench._plan import VERSIONED, Entry, Plan
from imbkit.bench._rows import Row, cell_name
from imbkit.bench._schema import (
    SCHEMA_NAME,
    SCHEMA_VERSION,
    EntrySummary,
    Estimate,
    MetricCard,
    PolicySummary,
    Problem,
    Summary,
    TaskCard,
    Timing,
    Verdict,
)
from imbkit.bench._stats import compare_pairs, corrected_interval
from imbkit.bench._verdict import Contender, Policy, judge

__all__ = ["FEW_POSITIVES", "summarise"]

FEW_POSITIVES = 50
"""With fewer rows of a class than this, differences in ranking cannot be told from luck."""
THRESHOLD = MetricCard(
    name="threshold", title="Threshold", greater_is_better=True, low=None, high=None, meaning=""
)


class _Values:
    """Values of every entry on the plan's cells, in the order of the splits."""

    def __init__(self, plan: Plan, rows: Iterable[Row]) -> None:
        self.plan = plan
        self.rows = {row["cell"]: row for row in rows}
        sizes = [split.test.size / split.train.size for split in plan.splits]
        self.test_to_train = float(np.mean(sizes))

    def of_entry(self, entry: Entry) -> list[Row | None]:
        """Rows of an entry; None where a cell was not run."""
        names = (
            cell_name(entry.strategy.name, entry.learner.name, split.repeat, split.fold)
            for split in self.plan.splits
        )
        return [self.rows.get(name) for name in names]

    def score(self, entry: Entry, metric: str) -> FloatArray:
        """Return a threshold-free metric on each cell, NaN where unknown."""
        return _floats(row["scores"].get(metric) if row else None for row in self.of_entry(entry))

    def decision(self, entry: Entry, policy: str, metric: str) -> FloatArray:
        """Return a metric of a policy on each cell, NaN where unknown."""
        return _floats(
            row["policies"].get(policy, {}).get(metric) if row else None
            for row in self.of_entry(entry)
        )

    def recall(self, entry: Entry, label: int) -> FloatArray:
        """Recall of a class on each cell."""
        return _floats(
            row["recalls"].get(str(label)) if row else None for row in self.of_entry(entry)
        )


def summarise(
    plan: Plan, rows: Iterable[Row], *, name: str, dropped: list[str], wall_seconds: float
) -> Summary:
    """Return the summary of a plan whose rows are known, all or some.

    The recipe is left empty; it needs the estimators, not the numbers.
    """
    values = _Values(plan, rows)
    ranking, decision = plan.data.ranking.card["name"], plan.data.decision.name
    cards = measure_cards(plan.target.kind, plan.data.ranking, plan.data.decision)
    policies: tuple[Policy, ...] = (
        ("default", "tuned") if plan.target.kind == "binary" else ("argmax",)
    )
    verdicts = [
        _judge_ranking(values, cards[ranking]),
        _judge_decisions(values, cards[decision], policies),
    ]
    entries = [_summarise_entry(values, entry, cards, policies) for entry in plan.entries]
    _mark_ties(values, entries, cards, policies)
    recommended, policy = _recommend(verdicts, plan, policies)
    return Summary(
        schema=SCHEMA_NAME,
        schema_version=SCHEMA_VERSION,
        versions={package: version(package) for package in VERSIONED},
        task=TaskCard(
            kind=plan.target.kind,
            target=plan.target.name,
            positive=plan.target.positive,
            folds=plan.folds,
            repeats=plan.repeats,
            inner_folds=plan.data.inner_folds,
            seed=plan.data.seed,
            ranking_metric=ranking,
            decision_metric=decision,
            quick=plan.quick,
        ),
        data=describe_data(plan, name, dropped),
        metrics=cards,
        verdicts=verdicts,
        cautions=_cautions(plan),
        entries=_order(entries, cards[ranking]),
        problems=_problems(values),
        recipe="",
        recommended=recommended,
        recommended_policy=policy,
        timing=_timing(values, wall_seconds),
    )


def _judge_ranking(values: _Values, card: MetricCard) -> Verdict:
    contenders = [
        Contender(entry.name, entry.title, "none", values.score(entry, card["name"]))
        for entry in values.plan.entries
    ]
    return judge("ranking", card, contenders[0], contenders[1:], values.test_to_train)


def _judge_decisions(values: _Values, card: MetricCard, policies: tuple[Policy, ...]) -> Verdict:
    """The last policy is the one that entries are judged by."""
    policy = policies[-1]
    contenders = [
        Contender(entry.name, entry.title, policy, values.decision(entry, policy, card["name"]))
        for entry in values.plan.entries
    ]
    return judge("decisions", card, contenders[0], contenders[1:], values.test_to_train)


def _summarise_entry(
    values: _Values, entry: Entry, cards: dict[str, MetricCard], policies: tuple[Policy, ...]
) -> EntrySummary:
    rows = values.of_entry(entry)
    ratio = values.test_to_train
    scored = next((row for row in rows if row and row["scores"]), None)
    ranked = [name for name in cards if scored and name in scored["scores"]]
    decided = [name for name in cards if name not in ranked] if scored else []
    summaries = []
    for policy in policies:
        cuts = values.decision(entry, policy, "threshold")
        estimates = {
            name: _estimate(values.decision(entry, policy, name), cards[name], ratio)
            for name in decided
        }
        threshold = None if np.isnan(cuts).all() else _estimate(cuts, THRESHOLD, ratio)
        summaries.append(PolicySummary(policy=policy, threshold=threshold, metrics=estimates))
    return EntrySummary(
        id=entry.name,
        strategy=entry.strategy.name,
        learner=entry.learner.name,
        title=entry.title,
        baseline=entry is values.plan.entries[0],
        changes_prior=entry.strategy.changes_prior,
        done=sum(row is not None and row["status"] == "done" for row in rows),
        failed=sum(row is not None and row["status"] == "failed" for row in rows),
        missing=sum(row is None for row in rows),
        scores={name: _estimate(values.score(entry, name), cards[name], ratio) for name in ranked},
        policies=summaries,
        recalls={
            label: _estimate(values.recall(entry, k), cards["recall"], ratio)
            for k, label in enumerate(values.plan.target.labels)
        },
    )


def _estimate(folds: FloatArray, card: MetricCard, test_to_train: float) -> Estimate:
    """Mean and interval over the cells that have a value, cut to the metric's range."""
    known = folds[~np.isnan(folds)]
    listed = [None if np.isnan(value) else float(value) for value in folds]
    if not known.size:
        return Estimate(mean=None, low=None, high=None, folds=listed, tied_with_best=False)
    mean, low, high = corrected_interval(known, test_to_train)
    return Estimate(
        mean=mean,
        low=_within(low, card),
        high=_within(high, card),
        folds=listed,
        tied_with_best=False,
    )


def _within(end: float, card: MetricCard) -> float | None:
    """Cut an end of an interval to the metric's range; None if it is not known."""
    if np.isnan(end):
        return None
    low = -np.inf if card["low"] is None else card["low"]
    high = np.inf if card["high"] is None else card["high"]
    return min(max(end, low), high)


def _mark_ties(
    values: _Values,
    entries: list[EntrySummary],
    cards: dict[str, MetricCard],
    policies: tuple[Policy, ...],
) -> None:
    """Mark, metric by metric, the estimates that the best one does not beat beyond noise."""
    columns = [[entry["scores"].get(name) for entry in entries] for name in cards]
    titles = list(cards)
    for k in range(len(policies)):
        columns += [[entry["policies"][k]["metrics"].get(n) for entry in entries] for n in cards]
        titles += list(cards)
    for name, column in zip(titles, columns, strict=True):
        known = [estimate for estimate in column if estimate and estimate["mean"] is not None]
        if not known:
            continue
        sign = 1.0 if cards[name]["greater_is_better"] else -1.0
        best = max(known, key=lambda estimate: sign * (estimate["mean"] or 0.0))
        for estimate in known:
            estimate["tied_with_best"] = estimate is best or _tied(
                best, estimate, values.test_to_train
            )


def _tied(best: Estimate, other: Estimate, test_to_train: float) -> bool:
    first, second = _floats(best["folds"]), _floats(other["folds"])
    common = ~(np.isnan(first) | np.isnan(second))
    if not common.any():
        return False
    pair = compare_pairs(first[common], second[common], test_to_train, 0.0)
    return not pair.p_value < 0.05


def _order(entries: list[EntrySummary], card: MetricCard) -> list[EntrySummary]:
    """The baseline, then the others by the ranking metric, those without a score last."""
    sign = -1.0 if card["greater_is_better"] else 1.0

    def key(entry: EntrySummary) -> tuple[bool, bool, float]:
        estimate = entry["scores"].get(card["name"])
        mean = estimate["mean"] if estimate else None
        return not entry["baseline"], mean is None, sign * (mean or 0.0)

    return sorted(entries, key=key)


def _recommend(
    verdicts: list[Verdict], plan: Plan, policies: tuple[Policy, ...]
) -> tuple[str, Policy]:
    """The entry that decides better beyond noise, else the one that ranks better, else none."""
    for verdict in reversed(verdicts):
        if verdict["outcome"] == "beaten" and verdict["best"] is not None:
            return verdict["best"], policies[-1]
    return plan.entries[0].name, policies[-1]


def _cautions(plan: Plan) -> list[str]:
    """Sentences that limit what the verdicts can mean."""
    counts = np.bincount(plan.data.codes)
    rarest = int(counts[1] if plan.target.kind == "binary" else counts.min())
    cautions = list(plan.cautions)
    if rarest < FEW_POSITIVES:
        what = "positive rows" if plan.target.kind == "binary" else "rows of the rarest class"
        cautions.append(
            f"There are only {rarest} {what}: differences between strategies cannot be told from "
            "luck on a table like this, whatever their size."
        )
    if len(plan.splits) < 5:
        cautions.append(
            f"Only {len(plan.splits)} test folds were used; intervals from so few are wide and "
            "rough. Run the full panel before you decide."
        )
    return cautions


def _problems(values: _Values) -> list[Problem]:
    """What failed, did not run, was left out, or complained; equal texts counted once."""
    problems = list(values.plan.problems)
    for entry in values.plan.entries:
        rows = values.of_entry(entry)
        failures: dict[str, int] = {}
        warned: dict[str, int] = {}
        for row in rows:
            if row and row["status"] == "failed":
                failures[row["error"]] = failures.get(row["error"], 0) + 1
            for text, count in (row["warnings"] if row else {}).items():
                warned[text] = warned.get(text, 0) + count
        for text, count in failures.items():
            problems.append(Problem(kind="failed", where=entry.name, text=text, count=count))
        if missing := sum(row is None for row in rows):
            text = "the time budget was spent before these cells could start"
            problems.append(Problem(kind="not run", where=entry.name, text=text, count=missing))
        for text, count in warned.items():
            problems.append(Problem(kind="warning", where=entry.name, text=text, count=count))
    return problems


def _timing(values: _Values, wall_seconds: float) -> Timing:
    costs = {}
    for entry in values.plan.entries:
        rows = [row for row in values.of_entry(entry) if row and row["status"] == "done"]
        if rows:
            costs[entry.name] = {
                "fit_seconds": median(row["fit_seconds"] for row in rows),
                "predict_seconds": median(row["predict_seconds"] for row in rows),
                "model_bytes": float(median(row["model_bytes"] for row in rows)),
            }
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Timing(created=created, wall_seconds=wall_seconds, entries=costs)


def _floats(values: Iterable[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)
