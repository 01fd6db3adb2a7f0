"""Verdicts: who beat whom, beyond noise or not."""

import numpy as np
import pytest

from imbkit.bench._schema import MetricCard
from imbkit.bench._stats import compare_pairs
from imbkit.bench._verdict import ROPE, Contender, judge, rope_of

RATIO = 0.25


def card(greater=True):
    return MetricCard(
        name="m", title="Measure", greater_is_better=greater, low=0.0, high=1.0, meaning=""
    )


def contender(name, values, policy="none"):
    return Contender(name, name.title(), policy, np.array(values, dtype=float))


def noisy(mean, seed, scale=0.01, n=10):
    return mean + scale * np.random.default_rng(seed).normal(size=n)


def test_a_clear_winner():
    base = contender("base", noisy(0.5, 0))
    verdict = judge("ranking", card(), base, [contender("new", noisy(0.7, 1))], RATIO)
    assert (verdict["outcome"], verdict["best"]) == ("beaten", "new")
    expected = compare_pairs(noisy(0.7, 1), noisy(0.5, 0), RATIO, ROPE)
    assert verdict["difference"] == pytest.approx(expected.mean)
    assert (verdict["low"], verdict["high"]) == pytest.approx((expected.low, expected.high))
    assert "New (0.7" in verdict["sentence"]
    assert "beat the baseline, Base (0.5" in verdict["sentence"]


def test_noise_beats_nothing():
    base = contender("base", noisy(0.5, 0, 0.1))
    verdict = judge("ranking", card(), base, [contender("new", noisy(0.52, 1, 0.1))], RATIO)
    assert verdict["outcome"] == "not beaten"
    assert "nothing beat the baseline" in verdict["sentence"]
    assert "beyond noise" in verdict["sentence"] or verdict["difference"] < 0


def test_smaller_is_better_turns_the_comparison_round():
    base = contender("base", noisy(0.7, 0))
    verdict = judge("ranking", card(greater=False), base, [contender("new", noisy(0.5, 1))], RATIO)
    assert verdict["outcome"] == "beaten"
    assert verdict["difference"] == pytest.approx(-0.2, abs=0.02)
    assert verdict["low"] < verdict["difference"] < verdict["high"] < 0


def test_many_challengers_raise_the_bar():
    """One of twenty random challengers looks better by luck; Holm's adjustment tells."""
    base = contender("base", noisy(0.5, 0))
    rng = np.random.default_rng(3)
    challengers, alone = [], 0
    for k in range(20):
        values = base.values + 0.01 * rng.normal(size=10)
        challengers.append(contender(f"c{k}", values))
    lucky = base.values + 0.007 + 0.006 * np.linspace(-1, 1, 10)
    challengers.append(contender("lucky", lucky))
    alone = judge("ranking", card(), base, challengers[-1:], RATIO)
    crowd = judge("ranking", card(), base, challengers, RATIO)
    assert alone["best"] == crowd["best"] == "lucky"
    assert alone["outcome"] == "beaten"
    assert crowd["outcome"] == "not beaten"
    assert crowd["low"] > 0  # a reader who sees that must be told why it is not enough
    assert "which the best of 21 challengers can reach by luck" in crowd["sentence"]
    assert "by luck" not in alone["sentence"]


def test_only_common_cells_count():
    base = contender("base", [0.5, 0.5, np.nan, 0.4])
    new = contender("new", [0.7, 0.71, 0.1, np.nan])
    verdict = judge("ranking", card(), base, [new], RATIO)
    assert verdict["difference"] == pytest.approx(0.205)


@pytest.mark.parametrize(
    ("base", "others", "words"),
    [
        ([0.5, 0.5], [], "had no challenger"),
        ([np.nan, np.nan], [[0.5, 0.5]], "no cell was finished"),
        ([0.5], [[0.6]], "one cell cannot separate"),
    ],
)
def test_too_little_to_say(base, others, words):
    challengers = [contender(f"c{k}", values) for k, values in enumerate(others)]
    verdict = judge("ranking", card(), contender("base", base), challengers, RATIO)
    assert verdict["outcome"] == "undecided"
    assert words in verdict["sentence"]


def test_sentences_name_the_policy():
    base = contender("base", noisy(0.5, 0), "tuned")
    verdict = judge("decisions", card(), base, [contender("new", noisy(0.4, 1), "tuned")], RATIO)
    assert verdict["sentence"].startswith("For decisions, by measure, nothing beat the baseline")
    assert "Base with a tuned threshold" in verdict["sentence"]


def money():
    return MetricCard(
        name="cost_per_1000",
        title="Cost per 1,000 rows",
        greater_is_better=False,
        low=None,
        high=None,
        meaning="",
    )


def test_amounts_of_money_are_equivalent_within_a_share_of_the_baselines():
    spent = np.array([400.0, np.nan, 600.0])
    assert rope_of(money(), spent) == pytest.approx(5.0)
    assert rope_of(money(), -spent) == pytest.approx(5.0)
    assert rope_of(money(), np.full(3, np.nan)) == 0
    assert rope_of(card(), spent) == ROPE
    base = contender("base", noisy(500, 0, 5), "tuned")
    verdict = judge(
        "decisions", money(), base, [contender("new", noisy(450, 1, 5), "tuned")], RATIO
    )
    assert verdict["rope"] == pytest.approx(5.0, rel=0.01)
    assert verdict["outcome"] == "beaten"
    assert verdict["difference"] == pytest.approx(-50, abs=5)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("tuned", "Base with a tuned threshold"),
        ("budget", "Base at the alert budget"),
        ("expected_loss", "Base by expected loss"),
        ("argmax", "baseline, Base ("),
    ],
)
def test_every_policy_is_named(policy, words):
    base = contender("base", noisy(0.5, 0), policy)
    verdict = judge("decisions", card(), base, [contender("new", noisy(0.4, 1), policy)], RATIO)
    assert words in verdict["sentence"]
    assert (verdict["policy"], verdict["best_policy"]) == (policy, policy)


def test_means_are_of_the_cells_that_are_compared():
    """An easy cell that only one of them finished turns no difference round."""
    base = contender("base", [0.5, 0.52, 0.51, 0.99])
    verdict = judge("ranking", card(), base, [contender("new", [0.6, 0.61, 0.6, np.nan])], RATIO)
    assert verdict["baseline_mean"] == pytest.approx(0.51)
    assert verdict["best_mean"] - verdict["baseline_mean"] == pytest.approx(verdict["difference"])
