"""Curves of an entry over the test folds, and what its rates mean among other positives."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Literal

from imbkit.bench._money import base_rate_lines
from imbkit.bench._plan_card import PlanCard
from imbkit.bench._repair import reliability_bins
from imbkit.bench._rows import Row
from imbkit.bench._schema import EntrySummary, Estimate
from imbkit.bench._schema_curves import (
    CalibrationCard,
    EntryCurves,
    FoldCard,
    ProbabilityErrors,
)
from imbkit.bench._schema_money import BaseRates
from imbkit.bench._thin import budget_bands, objective_band, recall_precision_band, roc_band
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, get_metric

__all__ = ["base_rates", "calibration_card", "entry_curves"]

FACTORS = (0.1, 0.3, 3.0, 10.0)
"""Shares of positives to look at, as multiples of the table's."""
ROUND_NUMBER = 1e6
"""Rows that base rates refer to where no rows a day are known."""


def entry_curves(card: PlanCard, entry: str, rows: Sequence[Row | None]) -> EntryCurves:
    """Return the curves of an entry's finished cells."""
    done = [row for row in rows if row and row["curve"]]
    curves = [row["curve"] for row in done]
    positives = [int(curve["tp"][-1] or 0) for curve in curves]
    negatives = [int(curve["fp"][-1] or 0) for curve in curves]
    amounts = card["money"] is not None and any("amount" in curve for curve in curves)
    recall, precision, amount = budget_bands(curves, positives, negatives, amounts=amounts)
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
    )


def calibration_card(rows: Iterable[Row | None]) -> CalibrationCard | None:
    """Return the errors of an entry's probabilities; None where it gives none."""
    done = [row for row in rows if row and row["calibration"]]
    if not done:
        return None
    repairs = sorted({row["repair"] for row in done if row["repair"] != "none"})
    return CalibrationCard(
        before=_mean_errors([row["calibration"]["before"] for row in done]),
        after=_mean_errors([row["calibration"]["after"] for row in done]) if repairs else None,
        repairs=repairs,
    )


def _mean_errors(errors: Sequence[ProbabilityErrors]) -> ProbabilityErrors:
    """Return the means over test folds; what no fold knows is None."""

    def over(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return mean(known) if known else None

    return ProbabilityErrors(
        brier=over(each["brier"] for each in errors),
        log_loss=over(each["log_loss"] for each in errors),
        brier_positive=over(each["brier_positive"] for each in errors),
        brier_negative=over(each["brier_negative"] for each in errors),
        calibration_error=over(each["calibration_error"] for each in errors),
        mean=over(each["mean"] for each in errors),
        share=over(each["share"] for each in errors),
    )


def base_rates(
    card: PlanCard, entries: Sequence[EntrySummary], winner: str, rows: Sequence[Row | None]
) -> BaseRates | None:
    """Return what the recommended entry's recall and false alarms mean by prevalence.

    Parameters
    ----------
    card : PlanCard
        The plan.
    entries : sequence of EntrySummary
        All entries.
    winner : str
        The recommended one.
    rows : sequence of Row or None
        Its cells.
    """
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
    threshold, basis = _start_of_threshold(card, entry, policy)
    return BaseRates(
        entry=winner,
        policy=policy,
        recall=recall,
        false_positive_rate=rate,
        rows=card["rows_a_day"] or ROUND_NUMBER,
        per_day=card["rows_a_day"] is not None,
        threshold=basis,
        lines=base_rate_lines(
            recall,
            rate,
            card["rows_a_day"] or ROUND_NUMBER,
            _prevalences(card, share),
            class_costs=_class_costs(rows, policy),
            threshold=threshold,
            share=share,
        ),
    )


def _class_costs(rows: Iterable[Row | None], policy: str) -> tuple[float, float] | None:
    """Return the mean cost of a negative and of a positive row over the test folds."""
    known = [row["class_costs"].get(policy) for row in rows if row]
    negative = [each[0] for each in known if each and each[0] is not None]
    positive = [each[1] for each in known if each and each[1] is not None]
    return (mean(negative), mean(positive)) if negative and positive else None


def _start_of_threshold(
    card: PlanCard, entry: EntrySummary, policy: str
) -> tuple[float | None, Literal["cost", "tuned", "none"]]:
    """Return the threshold that is right at the table's share of positives, and what it is."""
    if entry["calibration"] is None or policy == "budget":
        return None, "none"
    cut = card["money"]["cut"] if card["money"] else None
    if cut is not None and card["task"]["decision_metric"] == "cost_per_1000":
        return (cut, "cost") if 0 < cut < 1 else (None, "none")
    estimate = next(p["threshold"] for p in entry["policies"] if p["policy"] == policy)
    known = [value for value in (estimate["folds"] if estimate else []) if value is not None]
    tuned = median(known) if known else 0.0
    # Of probabilities that are certain no odds can be shifted.
    return (tuned, "tuned") if 0 < tuned < 1 else (None, "none")


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
    """Return the table's share of positives, the one asked for, and some around it."""
    lines: list[tuple[float, Literal["table", "asked", "other"]]] = [(share, "table")]
    if card["prevalence"] is not None:
        lines.append((card["prevalence"], "asked"))
    lines += [(share * factor, "other") for factor in FACTORS if share * factor < 1]
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
