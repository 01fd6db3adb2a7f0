"""Curves of an entry over the test folds, and what its rates mean among other positives."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Literal

from imbkit.bench._money import base_rate_lines
from imbkit.bench._plan_card import PlanCard
from imbkit.bench._repair import reliability_bins
from imbkit.bench._rows import Row
from imbkit.bench._schema import EntrySummary, Estimate
from imbkit.bench._schema_curves import EntryCurves, FoldCard
from imbkit.bench._schema_money import BaseRates
from imbkit.bench._thin import budget_bands, objective_band, recall_precision_band, roc_band
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, get_metric

__all__ = ["base_rates", "entry_curves"]

ROUND_NUMBER = 1e6
"""Rows that base rates refer to where no rows a day are known."""
REPAIRS = {
    "none": "",
    "prior": "The share of positives that training made up was undone by Bayes' rule.",
    "sigmoid": "A sigmoid was fitted to the scores of rows left out on the training side, which "
    "were not resampled.",
}


def entry_curves(card: PlanCard, entry: str, rows: Sequence[Row | None]) -> EntryCurves:
    """Return the curves of an entry's finished cells."""
    done = [row for row in rows if row and row["curve"]]
    curves = [row["curve"] for row in done]
    positives = [int(curve["tp"][-1] or 0) for curve in curves]
    negatives = [int(curve["fp"][-1] or 0) for curve in curves]
    amounts = card["money"] is not None and any("amount" in curve for curve in curves)
    recall, precision, amount = budget_bands(curves, positives, negatives, amounts=amounts)
    repairs = sorted({row["repair"] for row in done} - {"none"})
    cuts = [row["policies"].get("tuned", {}).get("threshold") for row in done]
    repeats = len({row["repeat"] for row in done}) or 1
    return EntryCurves(
        id=entry,
        precision_recall=recall_precision_band(curves, positives),
        roc=roc_band(curves, positives, negatives),
        objective=objective_band(curves, _count_metric(card), positives, negatives),
        thresholds=[cut for cut in cuts if cut is not None],
        budget_recall=recall,
        budget_precision=precision,
        budget_amount=amount,
        reliability=reliability_bins([r["reliability"] for r in done if r["reliability"]], repeats),
        repaired=reliability_bins([r["repaired"] for r in done if r["repaired"]], repeats),
        repair=" ".join(REPAIRS[kind] for kind in repairs),
        repaired_scores={
            name: mean(values)
            for name in ("brier", "log_loss")
            if (values := [v for r in done if (v := r["repaired_scores"].get(name)) is not None])
        },
    )


def base_rates(card: PlanCard, entries: Sequence[EntrySummary], winner: str) -> BaseRates | None:
    """Return what the recommended entry's recall and false alarms mean by prevalence."""
    if card["task"]["kind"] != "binary":
        return None
    policy = card["task"]["decision_policy"]
    entry = next(entry for entry in entries if entry["id"] == winner)
    metrics: Mapping[str, Estimate] = next(
        p["metrics"] for p in entry["policies"] if p["policy"] == policy
    )
    recall = metrics["recall"]["mean"] if "recall" in metrics else None
    rate = _false_positive_rate(card["folds"], metrics)
    if recall is None or rate is None:
        return None
    share = next(c["share"] for c in card["data"]["classes"] if c["positive"])
    return BaseRates(
        entry=winner,
        policy=policy,
        recall=recall,
        false_positive_rate=rate,
        rows=card["rows_a_day"] or ROUND_NUMBER,
        per_day=card["rows_a_day"] is not None,
        lines=base_rate_lines(
            recall, rate, card["rows_a_day"] or ROUND_NUMBER, _prevalences(card, share)
        ),
    )


def _false_positive_rate(
    folds: Sequence[FoldCard], metrics: Mapping[str, Estimate]
) -> float | None:
    """Return the mean share of the negatives that are flagged; None if no fold has it.

    Fold by fold, because test folds may hold other shares of positives than the table, as they
    do where these change in time.
    """
    if "recall" not in metrics or "alert_rate" not in metrics:
        return None
    rates = []
    for fold, recall, alert_rate in zip(
        folds, metrics["recall"]["folds"], metrics["alert_rate"]["folds"], strict=True
    ):
        negatives = fold["n_test"] - fold["positives"]
        if negatives and alert_rate is not None and (recall is not None or not fold["positives"]):
            caught = fold["positives"] * (recall or 0.0)
            rates.append(max(alert_rate * fold["n_test"] - caught, 0.0) / negatives)
    return mean(rates) if rates else None


def _prevalences(
    card: PlanCard, share: float
) -> list[tuple[float, Literal["table", "asked", "other"]]]:
    """Return the table's share of positives, the one asked for, and rarer ones."""
    lines: list[tuple[float, Literal["table", "asked", "other"]]] = [(share, "table")]
    if card["prevalence"] is not None:
        lines.append((card["prevalence"], "asked"))
    lines += [(share / factor, "other") for factor in (10, 100)]
    return sorted(lines, key=lambda line: -line[0])


def _count_metric(card: PlanCard) -> CountMetric | None:
    """Return the metric that the thresholds were chosen by; None where it was the cost."""
    name = card["task"]["decision_metric"]
    if name == "cost_per_1000":
        return None
    try:
        return get_metric("mcc" if card["task"]["decision_policy"] == "budget" else name)
    except InvalidParameterError:
        return get_metric("mcc")
