from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import (
    captured_amount_at_budget,
    lift_score,
    precision_at_budget,
    recall_at_budget,
    recall_at_fpr,
    recall_at_precision,
)

Y, S = [0, 1, 0, 1, 1], [0.1, 0.4, 0.4, 0.8, np.inf]
AT_BUDGET = [precision_at_budget, recall_at_budget, lift_score]
SMALL = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=6
)
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 3)), min_size=1)


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@settings(max_examples=40)
@given(SMALL, st.data())
def test_expected_over_all_orders_of_tied_rows(rows, data):
    truth, score, amount = columns(rows)
    budget = data.draw(st.integers(1, len(rows)))
    hits, money = [], []
    for order in permutations(range(len(rows))):
        top = sorted(order, key=lambda i: -score[i])[:budget]
        hits.append(Fraction(int(truth[top].sum())))
        money.append(Fraction(int((truth * amount)[top].sum())))
    expected = float(sum(hits) / len(hits))
    assert precision_at_budget(truth, score, budget=budget) == pytest.approx(expected / budget)
    if truth.any():
        recall = recall_at_budget(truth, score, budget=budget)
        assert recall == pytest.approx(expected / truth.sum())
        chance = expected / budget / truth.mean()
        assert lift_score(truth, score, budget=budget) == pytest.approx(chance)
    captured = captured_amount_at_budget(truth, score, amount=amount, budget=budget)
    assert captured == pytest.approx(float(sum(money) / len(money)))


@settings(max_examples=60)
@given(ROWS, st.randoms(use_true_random=False), st.data())
def test_weights_are_repetitions_and_order_is_nothing(rows, random, data):
    truth, score, times = columns(rows)
    assume(times.any())
    amount = np.arange(len(rows)) + 0.5
    order = list(range(len(rows)))
    random.shuffle(order)
    budget = data.draw(st.integers(1, int(times.sum())) | st.floats(0.01, 1.0))
    repeated = [np.repeat(column, times) for column in (truth, score)]
    for metric, options in (
        *((metric, {"budget": budget}) for metric in AT_BUDGET),
        *((recall_at_fpr, {"max_fpr": limit}) for limit in (0.0, 0.3, 1.0)),
        *((recall_at_precision, {"min_precision": limit}) for limit in (0.0, 0.5, 1.0)),
    ):
        value = metric(truth[order], score[order], sample_weight=times[order], **options)
        assert value == pytest.approx(metric(*repeated, **options)), metric
    value = captured_amount_at_budget(
        truth[order], score[order], amount=amount[order], budget=budget, sample_weight=times[order]
    )
    amounts = np.repeat(amount, times)
    assert value == pytest.approx(
        captured_amount_at_budget(*repeated, amount=amounts, budget=budget)
    )


@settings(max_examples=80)
@given(ROWS, st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 1.0]))
def test_limits_equal_brute_force(rows, limit):
    truth, score, _ = columns(rows)
    assume(0 < truth.sum() < truth.size)
    within_fpr, within_precision = [0.0], [0.0]
    for cut in score:
        alert = score >= cut
        recall = alert[truth == 1].mean()
        within_fpr += [recall] * int(alert[truth == 0].mean() <= limit)
        within_precision += [recall] * int(truth[alert].mean() >= limit)
    assert recall_at_fpr(truth, score, limit) == pytest.approx(max(within_fpr))
    assert recall_at_precision(truth, score, limit) == pytest.approx(max(within_precision))


@pytest.mark.parametrize("scale", [0.1, 0.3, 7.0, 1e-9])
def test_a_limit_met_exactly_is_met_whatever_the_scale_of_the_weights(scale):
    truth, score = np.array([1] * 10 + [0] * 100), np.r_[np.ones(10), np.ones(1), np.zeros(99)]
    weight = np.full(110, scale)
    assert recall_at_fpr(truth, score, 0.01, sample_weight=weight) == pytest.approx(1.0)
    assert recall_at_precision(truth, score, 10 / 11, sample_weight=weight) == pytest.approx(1.0)


def test_a_share_and_a_number_of_rows_agree():
    for metric in AT_BUDGET:
        for n in range(1, 6):
            assert metric(Y, S, budget=n / 5) == pytest.approx(metric(Y, S, budget=n))
        assert metric(Y, S, budget=np.int64(2)) == metric(Y, S, budget=2)
    assert recall_at_budget(Y, S, budget=1) == pytest.approx(1 / 3)
    assert recall_at_budget(Y, S, budget=1.0) == 1.0


def test_captured_share():
    amount = [1.0, 2.0, 3.0, 4.0, 10.0]
    options = {"amount": amount, "budget": 2, "normalize": True}
    assert captured_amount_at_budget(Y, S, **options) == pytest.approx(14 / 16)
    assert captured_amount_at_budget(Y, S, **options | {"amount": [0.0] * 5}) == 0.0


@pytest.mark.parametrize("metric", [*AT_BUDGET, recall_at_fpr, recall_at_precision])
def test_string_labels(metric):
    named = np.array(["ok", "bad"])[Y]
    budget = {"budget": 0.4} if metric in AT_BUDGET else {}
    assert metric(named, S, pos_label="bad", **budget) == metric(Y, S, **budget)
    with pytest.raises(DataError, match="pos_label must be one of the labels"):
        metric(named, S, **budget)


def test_one_class_alone():
    nobody, all_of_them = [0, 0], [1, 1]
    for metric in (recall_at_budget, lift_score):
        assert metric(nobody, [1, 2], budget=1, zero_division=0.5) == 0.5
    assert precision_at_budget(nobody, [1, 2], budget=1) == 0.0
    for metric in (recall_at_fpr, recall_at_precision):
        assert metric(nobody, [1, 2], zero_division=0.5) == 0.5
    assert recall_at_fpr(all_of_them, [1, 2], zero_division=0.5) == 0.5
    assert recall_at_precision(all_of_them, [1, 2]) == 1.0


@pytest.mark.parametrize("budget", [0, -1, 0.0, -0.5, np.nan, True, "10", None])
@pytest.mark.parametrize("metric", AT_BUDGET)
def test_budget_must_be_positive(metric, budget):
    with pytest.raises(InvalidParameterError, match="budget must be a number of alerts"):
        metric(Y, S, budget=budget)


@pytest.mark.parametrize("metric", AT_BUDGET)
def test_budget_must_not_be_above_the_rows(metric):
    with pytest.raises(InvalidParameterError, match=r"share of the rows must not be above 1\.0"):
        metric(Y, S, budget=1.5)
    with pytest.raises(DataError, match="must not be above the number of rows.*6 alerts and 5"):
        metric(Y, S, budget=6)


@pytest.mark.parametrize("limit", [-0.1, 1.1, np.nan, True, "1%"])
def test_limits_must_be_shares(limit):
    with pytest.raises(InvalidParameterError, match="max_fpr must be between 0 and 1"):
        recall_at_fpr(Y, S, limit)
    with pytest.raises(InvalidParameterError, match="min_precision must be between 0 and 1"):
        recall_at_precision(Y, S, limit)


@pytest.mark.parametrize(
    ("truth", "score", "options", "words"),
    [
        ([], [], {}, "empty"),
        ([0, 1], [1], {}, "same length"),
        ([0, 1], [1, np.nan], {}, "NaN"),
        ([0, np.nan], [1, 2], {}, "missing"),
        ([0, 1, 2], [1, 2, 3], {}, "two classes"),
        ([0, 1], [1, 2], {"pos_label": 3}, "pos_label"),
        ([0, 1], [1, 2], {"sample_weight": [1, -1]}, "not negative"),
        ([0, 1], [1, 2], {"sample_weight": [0, 0]}, "zero for every row"),
    ],
)
@pytest.mark.parametrize("metric", [*AT_BUDGET, recall_at_fpr, recall_at_precision])
def test_bad_data(metric, truth, score, options, words):
    budget = {"budget": 0.5} if metric in AT_BUDGET else {}
    with pytest.raises(DataError, match=f"{metric.__name__}: .*{words}"):
        metric(truth, score, **budget, **options)


@pytest.mark.parametrize(
    ("amount", "words"),
    [([1.0], "one number for each"), ([1, 2, 3, 4, -5], "not negative"), ([np.nan] * 5, "finite")],
)
def test_bad_amounts(amount, words):
    with pytest.raises(DataError, match=words):
        captured_amount_at_budget(Y, S, amount=amount, budget=2)
