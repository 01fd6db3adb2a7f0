"""Means of an entry's metrics with their two intervals, and who is tied with the best."""

from collections.abc import Mapping, Sequence

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.bench._bootstrap import fold_interval
from imbkit.bench._plan_card import EntryCard
from imbkit.bench._schema import (
    ClassWeight,
    EntrySummary,
    Estimate,
    MetricCard,
    Policy,
    PolicySummary,
)
from imbkit.bench._skill import SKILLS
from imbkit.bench._stats import compare_pairs, corrected_interval
from imbkit.bench._summary_curves import calibration_card
from imbkit.bench._values import Values, floats

__all__ = ["mark_ties", "summarise_entry"]

THRESHOLD = MetricCard(
    name="threshold", title="Threshold", greater_is_better=True, low=None, high=None, meaning=""
)


def summarise_entry(values: Values, entry: EntryCard) -> EntrySummary:
    """Return what an entry's rows come to."""
    rows, card = values.of_entry(entry), values.card
    scored = next((row for row in rows if row and row["scores"]), None)
    known = scored["scores"] if scored else {}
    ranked = [name for name in card["metrics"] if SKILLS.get(name, name) in known]
    summaries = []
    for policy in card["policies"]:
        found = scored["policies"].get(policy, {}) if scored else {}
        cuts = values.decision(entry, policy, "threshold")
        nothing = np.full(cuts.shape, np.nan)
        summaries.append(
            PolicySummary(
                policy=policy,
                threshold=None
                if np.isnan(cuts).all()
                else _estimate(values, cuts, nothing, THRESHOLD),
                metrics={
                    name: _estimate(
                        values,
                        values.decision(entry, policy, name),
                        values.decision_errors(entry, policy, name),
                        card["metrics"][name],
                    )
                    for name in card["metrics"]
                    if name in found
                },
                recalls={} if card["task"]["kind"] == "binary" else _recalls(values, entry, policy),
            )
        )
    return EntrySummary(
        id=entry["id"],
        strategy=entry["strategy"],
        learner=entry["learner"],
        title=entry["title"],
        baseline=entry is card["entries"][0],
        changes_prior=entry["changes_prior"],
        of_stages=entry.get("of_stages", False),
        done=sum(row is not None and row["status"] == "done" for row in rows),
        failed=sum(row is not None and row["status"] == "failed" for row in rows),
        missing=sum(row is None for row in rows),
        scores={
            name: _estimate(
                values,
                values.score(entry, name),
                values.score_errors(entry, name),
                card["metrics"][name],
            )
            for name in ranked
        },
        policies=summaries,
        recalls=_recalls(values, entry, card["task"]["decision_policy"]),
        class_weights=_class_weights(values, entry),
        calibration=calibration_card(rows),
    )


def _recalls(values: Values, entry: EntryCard, policy: Policy) -> dict[str, Estimate]:
    """Recall of each class under a policy, by label."""
    card, recalls = values.card["metrics"]["recall"], {}
    for k, each in enumerate(values.card["data"]["classes"]):
        folds = values.recall(entry, policy, k)
        recalls[each["label"]] = _estimate(values, folds, np.full(folds.shape, np.nan), card)
    return recalls


def _class_weights(values: Values, entry: EntryCard) -> dict[str, ClassWeight]:
    """Tuned weight of each class over the cells, by label."""
    weights = {}
    for k, each in enumerate(values.card["data"]["classes"]):
        folds = values.class_weight(entry, k)
        known = folds[~np.isnan(folds)]
        if known.size:
            weights[each["label"]] = ClassWeight(
                median=float(np.median(known)),
                low=float(known.min()),
                high=float(known.max()),
                folds=[None if np.isnan(value) else float(value) for value in folds],
            )
    return weights


def _estimate(values: Values, folds: FloatArray, errors: FloatArray, card: MetricCard) -> Estimate:
    """Mean and intervals over the cells that have a value, cut to the metric's range."""
    known = ~np.isnan(folds)
    listed = [None if np.isnan(value) else float(value) for value in folds]
    estimate = Estimate(
        mean=None,
        low=None,
        high=None,
        bootstrap_low=None,
        bootstrap_high=None,
        folds=listed,
        tied_with_best=False,
    )
    if not known.any():
        return estimate
    mean, low, high = corrected_interval(folds[known], values.test_to_train)
    estimate["mean"] = mean
    estimate["low"], estimate["high"] = _within(low, card), _within(high, card)
    if not np.isnan(errors[known]).any():
        repeats = values.repeats[known]
        by_repeat = [errors[known][repeats == repeat].tolist() for repeat in np.unique(repeats)]
        ends = fold_interval(mean, by_repeat, card["low"], card["high"])
        estimate["bootstrap_low"], estimate["bootstrap_high"] = ends
    return estimate


def _within(end: float, card: MetricCard) -> float | None:
    """Cut an end of an interval to the metric's range; None if it is not known."""
    if np.isnan(end):
        return None
    low = -np.inf if card["low"] is None else card["low"]
    high = np.inf if card["high"] is None else card["high"]
    return min(max(end, low), high)


def mark_ties(
    values: Values,
    entries: list[EntrySummary],
    cards: Mapping[str, MetricCard],
    policies: Sequence[Policy],
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
    first, second = floats(best["folds"]), floats(other["folds"])
    common = ~(np.isnan(first) | np.isnan(second))
    if not common.any():
        return False
    pair = compare_pairs(first[common], second[common], test_to_train, 0.0)
    return not pair.p_value < 0.05
