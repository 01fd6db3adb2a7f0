"""What decisions cost and save, and what the same rates mean where positives are rarer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imbkit.bench._figures import (
    NOTHING,
    SPACE,
    decimals_for,
    number,
    share_text,
    span_text,
    weight_text,
)
from imbkit.bench._inert import inert
from imbkit.bench._page_tables import WITH_POLICY
from imbkit.bench._schema import EntrySummary, Estimate, Policy, Summary
from imbkit.bench._schema_money import BaseRateLine

__all__ = ["Money", "MoneyLine", "Rates", "RatesLine", "money_of", "rates_of", "saving_sentences"]

THRESHOLDS = {
    "cost": "The last column is the threshold that would be right for true probabilities of this "
    "table at the costs you gave: where positives are rarer, the same probability stands for a "
    "smaller risk, and the threshold must be higher. The other columns keep the decisions.",
    "tuned": "The last column moves the tuned threshold by the same odds as the positives: if "
    "probabilities are right but for one factor of their odds, it weighs misses and false alarms "
    "there as the tuned threshold does here. The other columns keep the threshold as it is.",
    "none": "",
}
NO_COSTS = (
    "Not known, because no costs were given: say with --fn-cost and --fp-cost what a missed "
    "positive and a false alarm cost."
)


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One way to decide."""

    title: str
    cost: str
    cost_span: str
    saved: str
    saved_span: str
    part: str
    """Length of the bar of the cost, in per cent of the largest."""
    recommended: bool


@dataclass(frozen=True, slots=True)
class Money:
    """Costs per 1,000 rows."""

    costs: tuple[tuple[str, str], ...]
    lines: tuple[MoneyLine, ...]
    cut: str


@dataclass(frozen=True, slots=True)
class RatesLine:
    """One share of positives."""

    kind: str
    prevalence: str
    true_alerts: str
    false_alerts: str
    precision: str
    alerts: str
    cost: str
    threshold: str


@dataclass(frozen=True, slots=True)
class Rates:
    """The alerts of the recommended entry among other shares of positives."""

    title: str
    finding: str
    basis: str
    lines: tuple[RatesLine, ...]
    costs: bool
    """Whether there are costs."""
    threshold: str
    """What the thresholds are; empty if there are none."""


def saving_sentences(summary: Summary, titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what the recommended entry saves and what its alerts find, each with its label."""
    if summary["task"]["kind"] != "binary":
        return []
    return [("Saves", _saving(summary, titles)), *_alerts(summary, titles)]


def money_of(summary: Summary, titles: Mapping[str, str]) -> Money | None:
    """Return the costs of alerting nothing, everything, and as two entries do; None without."""
    money = summary["money"]
    if money is None:
        return None
    recommended, policy = summary["recommended"], summary["recommended_policy"]
    base = _baseline(summary)
    lines: list[tuple[str, Estimate | None, float | None, Estimate | None, bool]] = [
        ("Alert nothing", None, money["nothing"], None, False),
        ("Alert every row", None, money["everything"], None, False),
    ]
    if base is not None and base["id"] != recommended:
        decided = summary["task"]["decision_policy"]
        lines.append(_entry_line(summary, base["id"], decided, titles, "baseline"))
    words = "recommended" if base and base["id"] != recommended else "recommended, the baseline"
    lines.append(_entry_line(summary, recommended, policy, titles, words))
    by_row = _policy_metric(summary, recommended, "expected_loss", "cost_per_1000")
    if by_row is not None and policy != "expected_loss":
        lines.append(_entry_line(summary, recommended, "expected_loss", titles, "row by row"))
    means = [mean for _, _, mean, _, _ in lines]
    decimals = decimals_for(means)
    largest = max((abs(m) for m in means if m is not None), default=0.0) or 1.0
    return Money(
        costs=(
            ("A missed positive costs", inert(money["fn_cost"])),
            ("A false alarm costs", inert(money["fp_cost"])),
            ("A caught positive brings", inert(money["tp_gain"])),
        ),
        lines=tuple(
            MoneyLine(
                title=title,
                cost=number(mean, decimals),
                cost_span=_span(cost, decimals),
                saved=number(_saved(saved, money["nothing"], mean), decimals),
                saved_span=_span(saved, decimals),
                part=f"{100 * max(mean or 0.0, 0.0) / largest:.1f}",
                recommended=chosen,
            )
            for title, cost, mean, saved, chosen in lines
        ),
        cut=_cut(summary, money["cut"]),
    )


def rates_of(summary: Summary, titles: Mapping[str, str]) -> Rates | None:
    """Return true and false alerts by share of positives; None for many classes."""
    rates = summary["base_rates"]
    if rates is None or not rates["lines"]:
        return None
    rows = f"{_count(rates['rows'])} rows"
    among = f"{rows} a day" if rates["per_day"] else rows
    title = titles.get(rates["entry"], inert(rates["entry"]))
    return Rates(
        title=f"{title} {WITH_POLICY.get(rates['policy'], inert(rates['policy'], 40))}".strip(),
        finding=_rates_finding(summary, among),
        basis=f"Counts are for {among}, with a recall of {share_text(rates['recall'])} and a "
        f"false-positive rate of {share_text(rates['false_positive_rate'])}.",
        lines=tuple(_rates_line(line, rates["lines"]) for line in rates["lines"]),
        costs=any(line["cost_per_1000"] is not None for line in rates["lines"]),
        threshold=THRESHOLDS[rates["threshold"]],
    )


def _saving(summary: Summary, titles: Mapping[str, str]) -> str:
    money = summary["money"]
    if money is None:
        return NO_COSTS
    recommended, policy = summary["recommended"], summary["recommended_policy"]
    cost = _policy_metric(summary, recommended, policy, "cost_per_1000")
    if cost is None or cost["mean"] is None:
        return "Not known: no decision of the recommended entry could be priced."
    base = _baseline(summary)
    decided = summary["task"]["decision_policy"]
    base_cost = _policy_metric(summary, base["id"], decided, "cost_per_1000") if base else None
    mean = cost["mean"]
    decimals = decimals_for([mean, money["nothing"], money["everything"]])
    saved = _policy_metric(summary, recommended, policy, "saved_per_1000")
    gaps = [
        _gap(_saved(saved, money["nothing"], mean) or 0.0, "alerting nothing", decimals),
        _gap(money["everything"] - mean, "alerting every row", decimals),
    ]
    if span := _span(saved, decimals):
        gaps[0] += f" (95 % interval {span}{_if_nothing(saved)})"
    if base and base["id"] != recommended and base_cost and base_cost["mean"] is not None:
        gaps.append(_gap(base_cost["mean"] - mean, "the baseline", decimals))
    listed = f"{', '.join(gaps[:-1])} and {gaps[-1]}"
    said = f"The recommended decisions cost {number(mean, decimals)} per 1,000 rows: {listed}."
    by_row = _policy_metric(summary, recommended, "expected_loss", "cost_per_1000")
    if policy == "expected_loss" or by_row is None or by_row["mean"] is None:
        return said
    return f"{said} Decided row by row, by expected loss, it is {number(by_row['mean'], decimals)}."


def _if_nothing(saved: Estimate | None) -> str:
    """Warn of an interval that holds 0."""
    low = saved["low"] if saved else None
    return ", so it may be nothing" if low is not None and low <= 0 else ""


def _saved(saved: Estimate | None, nothing: float, cost: float | None) -> float | None:
    """Return what was saved on the test folds; without that, what the whole table says."""
    if saved is not None and saved["mean"] is not None:
        return saved["mean"]
    return None if cost is None else nothing - cost


def _gap(saved: float, than: str, decimals: int) -> str:
    word = "less" if saved >= 0 else "more"
    return f"{number(abs(saved), decimals)} {word} than {than}"


def _alerts(summary: Summary, titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what the alerts of the budget find."""
    budget = summary["budget"]
    if budget is None:
        return []
    entry = summary["recommended"]
    recall, precision = (
        _policy_metric(summary, entry, "budget", name) for name in ("recall", "precision")
    )
    if recall is None or precision is None or recall["mean"] is None:
        return []
    many = f"{_count(budget['alerts'])} alerts{' a day' if budget['per_day'] else ''}"
    found = f"{share_text(precision['mean'])} are right, and {share_text(recall['mean'])} of the"
    return [("Alerts", f"Of {many}, {found} positives are found.")]


def _entry_line(
    summary: Summary, entry: str, policy: Policy, titles: Mapping[str, str], words: str
) -> tuple[str, Estimate | None, float | None, Estimate | None, bool]:
    cost = _policy_metric(summary, entry, policy, "cost_per_1000")
    saved = _policy_metric(summary, entry, policy, "saved_per_1000")
    title = f"{titles.get(entry, inert(entry))} {WITH_POLICY[policy]} ({words})"
    chosen = (entry, policy) == (summary["recommended"], summary["recommended_policy"])
    return title, cost, cost["mean"] if cost else None, saved, chosen


def _policy_metric(summary: Summary, entry: str, policy: Policy, name: str) -> Estimate | None:
    found: EntrySummary | None = next((e for e in summary["entries"] if e["id"] == entry), None)
    lines = found["policies"] if found else []
    return next((p["metrics"].get(name) for p in lines if p["policy"] == policy), None)


def _baseline(summary: Summary) -> EntrySummary | None:
    return next((entry for entry in summary["entries"] if entry["baseline"]), None)


def _span(estimate: Estimate | None, decimals: int) -> str:
    return span_text(estimate["low"], estimate["high"], decimals) if estimate else ""


def _cut(summary: Summary, cut: float | None) -> str:
    """Say which threshold theory asks for, and which ones were chosen from the data."""
    if cut is None:
        return "Costs differ by row, so that no single threshold is best for all rows."
    said = f"With these costs and true probabilities the best threshold is {cut:.3g}"
    chosen = next(
        (c["thresholds"] for c in summary["curves"] if c["id"] == summary["recommended"]), []
    )
    if chosen:
        said += f"; the thresholds tuned for the recommended entry run from {min(chosen):.3g} to "
        said += f"{max(chosen):.3g}, on probabilities as they come"
    return f"{said}."


def _rates_finding(summary: Summary, among: str) -> str:
    rates = summary["base_rates"]
    lines = rates["lines"] if rates else []
    asked = next((line for line in lines if line["kind"] == "asked"), None)
    line = asked or next((line for line in lines if line["kind"] == "table"), lines[0])
    total = line["true_alerts"] + line["false_alerts"]
    where = f"Among {among} of which {share_text(line['prevalence'])} are positive"
    if not total:
        return f"{where}, there would be no alert."
    true = _count(line["true_alerts"])
    return (
        f"{where}, {true} of {_count(total)} alerts would be true: {share_text(line['precision'])}."
    )


def _rates_line(line: BaseRateLine, lines: Sequence[BaseRateLine]) -> RatesLine:
    table = next((each["prevalence"] for each in lines if each["kind"] == "table"), None)
    times = f"{line['prevalence'] / table:.3g} times" if table else ""
    kinds = {"table": "as in the table", "asked": "as asked", "other": times}
    decimals = decimals_for(each["cost_per_1000"] for each in lines)
    return RatesLine(
        kind=kinds[line["kind"]],
        prevalence=share_text(line["prevalence"]),
        true_alerts=_count(line["true_alerts"]),
        false_alerts=_count(line["false_alerts"]),
        precision=share_text(line["precision"]),
        alerts=_count(line["alerts_per_1000"]),
        cost=number(line["cost_per_1000"], decimals),
        threshold=NOTHING if line["threshold"] is None else weight_text(line["threshold"]),
    )


def _count(value: float | None) -> str:
    """Return a number of rows: whole if there are ten or more."""
    if value is None:
        return NOTHING
    if 0 < value < 0.05:
        return f"<{SPACE}0.1"
    return number(value, 0 if value >= 10 else 1).removesuffix(".0")
