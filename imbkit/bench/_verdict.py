"""The two verdicts, never mixed: who ranks better, and who decides better.

A challenger beats the baseline only if the interval of the paired difference excludes zero
and Holm's adjustment for the number of challengers leaves its p-value under 0.05.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.bench._figures import decimals_for, number, signed
from imbkit.bench._schema import MetricCard, Policy, Verdict
from imbkit.bench._stats import Difference, compare_pairs, holm

__all__ = ["ROPE", "Contender", "judge", "rope_of"]

ROPE = 0.01
"""Half width of the region of practical equivalence, in the metric's unit; for amounts of money,
which have none of their own, as a share of the baseline's; for losses of the last stage as a share
of the constant's."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Contender:
    """An entry under a policy, with its values on the cells."""

    entry: str
    title: str
    policy: Policy | Literal["none"]
    values: FloatArray
    """One value a cell of the plan; NaN where it was not run, failed, or is undefined."""
    many_classes: bool = False


def rope_of(card: MetricCard, baseline: FloatArray, constant: FloatArray | None = None) -> float:
    """Return the half width of the region of practical equivalence.

    Parameters
    ----------
    card : MetricCard
        The metric.
    baseline : ndarray of shape (n_cells,)
        The baseline's values.
    constant : ndarray of shape (n_cells,), default=None
        Those of a constant, where the metric is a loss of probabilities of a rare class: it
        may be so small that only the part of it that is saved can be judged.
    """
    if constant is not None:
        return ROPE * (_mean(constant) or 0.0)
    if card["high"] is not None or not card["name"].endswith("_per_1000"):
        return ROPE
    return ROPE * abs(_mean(baseline) or 0.0)


def judge(
    question: Literal["ranking", "decisions"],
    card: MetricCard,
    baseline: Contender,
    challengers: Sequence[Contender],
    test_to_train: float,
    *,
    within: str = "",
    rope: float | None = None,
) -> Verdict:
    """Compare the baseline with every challenger.

    Parameters
    ----------
    question : {"ranking", "decisions"}
        What is judged.
    card : MetricCard
        The metric.
    baseline : Contender
        Who is to be beaten.
    challengers : sequence of Contender
        The others.
    test_to_train : float
        Test rows over training rows of a split.
    within : str, default=""
        Limit that the decisions keep, e.g. ``"a precision of at least 0.9"``.
    rope : float, default=None
        Half width of the region of practical equivalence; that of the metric if None.
    """
    sign = 1.0 if card["greater_is_better"] else -1.0
    rope = rope_of(card, baseline.values) if rope is None else rope
    verdict = Verdict(
        question=question,
        metric=card["name"],
        policy=baseline.policy,
        baseline=baseline.entry,
        baseline_mean=_mean(baseline.values),
        best=None,
        best_policy="none",
        best_mean=None,
        difference=None,
        low=None,
        high=None,
        p_value=None,
        probability_better=None,
        probability_equivalent=None,
        rope=rope,
        outcome="undecided",
        sentence="",
    )
    pairs = [(c, _compare(c, baseline, sign, test_to_train, rope)) for c in challengers]
    known = [(contender, pair) for contender, pair in pairs if pair is not None]
    if not known:
        verdict["sentence"] = _undecided_sentence(card, baseline, bool(challengers))
        return verdict
    adjusted = holm(np.array([pair.p_value for _, pair in known]))
    # A challenger that is ahead by more, but within noise, does not hide one beyond it.
    beats = [
        pair.mean > 0 and pair.low > 0 and p_value < LEVEL
        for (_, pair), p_value in zip(known, adjusted, strict=True)
    ]
    best = max(range(len(known)), key=lambda i: (beats[i], known[i][1].mean))
    contender, pair = known[best]
    low, high = sorted((sign * pair.low, sign * pair.high))
    verdict["best"] = contender.entry
    verdict["best_policy"] = contender.policy
    # Of the cells that the difference is taken over, where others were not run or failed.
    common = ~(np.isnan(contender.values) | np.isnan(baseline.values))
    verdict["baseline_mean"] = _mean(baseline.values[common])
    verdict["best_mean"] = _mean(contender.values[common])
    verdict["difference"] = sign * pair.mean
    verdict["low"], verdict["high"] = _finite(low), _finite(high)
    verdict["p_value"] = _finite(float(adjusted[best]))
    verdict["probability_better"] = _finite(pair.probability_better)
    verdict["probability_equivalent"] = _finite(pair.probability_equivalent)
    if pair.cells >= 2:
        verdict["outcome"] = "beaten" if beats[best] else "not beaten"
    verdict["sentence"] = _sentence(card, baseline, contender, verdict, len(known), within)
    return verdict


def _compare(
    challenger: Contender,
    baseline: Contender,
    sign: float,
    test_to_train: float,
    rope: float,
) -> Difference | None:
    """Compare on the cells that both have; None if there are none."""
    common = ~(np.isnan(challenger.values) | np.isnan(baseline.values))
    if not common.any():
        return None
    first, second = sign * challenger.values[common], sign * baseline.values[common]
    return compare_pairs(first, second, test_to_train, rope)


def _sentence(
    card: MetricCard,
    baseline: Contender,
    challenger: Contender,
    verdict: Verdict,
    n_challengers: int,
    within: str,
) -> str:
    """Say who won, by how much, and whether that is beyond noise."""
    difference = verdict["difference"] or 0.0
    lead = "By" if verdict["question"] == "ranking" else "For decisions, by"
    measure = _in_sentence(card["title"])
    if baseline.policy == "budget":
        measure += " among the alerts"
    if within:
        measure += f" with thresholds tuned to keep {within}"
    decimals = decimals_for([verdict["baseline_mean"], verdict["best_mean"]])
    base = f"{_name(baseline)} ({_number(verdict['baseline_mean'], decimals)})"
    other = f"{_name(challenger)} ({_number(verdict['best_mean'], decimals)})"
    gap = f"a difference of {signed(difference, decimals)}"
    if verdict["low"] is not None and verdict["high"] is not None:
        low, high = signed(verdict["low"], decimals), signed(verdict["high"], decimals)
        gap += f" (95 % interval {low} to {high})"
    ahead = difference > 0 if card["greater_is_better"] else difference < 0
    if verdict["outcome"] == "undecided":
        return f"{lead} {measure}, one cell cannot separate {base} from {other}: {gap}."
    if verdict["outcome"] == "beaten":
        return f"{lead} {measure}, {other} beat the baseline, {base}, by more than noise: {gap}."
    if ahead:
        if (verdict["low"] or 0.0) > 0 or (verdict["high"] or 0.0) < 0:
            # Without this a reader would take the interval for the whole truth.
            gap += f", which the best of {n_challengers} challengers can reach by luck"
        return (
            f"{lead} {measure}, nothing beat the baseline, {base}, beyond noise; the best "
            f"challenger was {other}, {gap}."
        )
    return (
        f"{lead} {measure}, nothing beat the baseline, {base}; the best challenger was "
        f"{other}, {gap}."
    )


def _undecided_sentence(card: MetricCard, baseline: Contender, challenged: bool) -> str:
    reason = (
        "no cell was finished by both the baseline and a challenger"
        if challenged
        else "the baseline had no challenger"
    )
    lead = "By" if baseline.policy == "none" else "For decisions, by"
    measure = _in_sentence(card["title"])
    return f"{lead} {measure}, nothing can be said of {_name(baseline)}: {reason}."


def _in_sentence(title: str) -> str:
    """Write a metric's title within a sentence; abbreviations keep their capitals."""
    return " ".join(word if word.isupper() else word.lower() for word in title.split())


def _name(contender: Contender) -> str:
    words = {
        "default": " at threshold 0.5",
        "tuned": " with a tuned threshold",
        "budget": " at the alert budget",
        "expected_loss": " by expected loss",
    }
    if contender.many_classes:
        words["tuned"] = " with tuned weights of the classes"
    return contender.title + words.get(contender.policy, "")


def _number(value: float | None, decimals: int) -> str:
    return "not known" if value is None else number(value, decimals)


def _mean(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
