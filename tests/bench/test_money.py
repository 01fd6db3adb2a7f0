"""Costs, budgets and base rates against brute force, the threshold rule and published figures."""

from collections import defaultdict
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from imbkit.bench._money import (
    Budget,
    Costs,
    base_rate_lines,
    read_budget,
    read_costs,
    reweighted_precision,
)
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.thresholds import LowestCost

TABLE = pd.DataFrame(
    {
        "Amount": [10.0, 0.0, 30.5],
        "fee": [1, 2, 3],
        "5": [7.0, 7.0, 8.0],
        "text": ["a", "b", "c"],
        "flag": [True, False, True],
        "gap": [1.0, None, 2.0],
        "minus": [1.0, -2.0, -3.0],
        "huge": [1.0, np.inf, 2.0],
        "zero": [0.0, 0.0, 0.0],
    }
)


def read(fn, fp, gain=None, X=TABLE):
    return read_costs(X, fn, fp, gain, n_rows=3)


def some_costs(seed, n=60, constant=False):
    rng = np.random.default_rng(seed)
    values = [np.full(n, x) for x in rng.random(3)] if constant else list(rng.random((3, n)))
    return Costs(*values, ("a", "b", "c"), constant), rng.random(n) < 0.3, rng.random(n)


def test_no_costs():
    assert read(None, None) is None


@pytest.mark.parametrize("frame", [TABLE, pl.from_pandas(TABLE[["Amount", "fee", "5"]])])
def test_numbers_and_columns(frame):
    costs = read("Amount", 5, "12.5", frame)
    assert_array_equal(costs.fn, TABLE["Amount"])
    assert_array_equal(costs.fp, [5, 5, 5])
    assert_array_equal(costs.gain, [12.5] * 3)
    assert costs.words == ("Amount", "5", "12.5")
    assert not costs.constant
    assert costs.cut is None
    # A column is meant even where its name looks like a number.
    assert_array_equal(read("fee", "5", None, frame).fp, TABLE["5"])


def test_arrays_and_defaults():
    costs = read(pd.Series([1, 2, 3]), np.array([1.0, 1.0, 1.0]))
    assert_array_equal(costs.fn, [1, 2, 3])
    assert not costs.gain.any()
    assert costs.words == ("one value for each row", "one value for each row", "0")
    assert_array_equal(read([Decimal(2), 3, 4.5], 1).fn, [2, 3, 4.5])
    assert_array_equal(read_costs(np.ones((2, 2)), "x1", 1, None, n_rows=2).fn, [1, 1])


def test_constant_costs_have_a_cut():
    costs = read(95, 5)
    assert costs.constant
    assert costs.cut == 0.05
    assert read(75, "5.0", 20).cut == 0.05
    assert read("zero", 5, 1).cut == 5 / 6
    assert costs.words == ("95", "5", "0")
    assert read(1234567.25, 5).words[0] == "1234567.25"
    assert costs.take(np.array([2, 0])).cut == 0.05


@pytest.mark.parametrize(
    ("error", "words", "fn", "fp", "gain"),
    [
        (InvalidParameterError, "fn_cost and fp_cost must be given together", None, 5, None),
        (InvalidParameterError, "Got fn_cost, tp_gain alone", "Amount", None, 1),
        (InvalidParameterError, "Got tp_gain alone", None, None, 1),
        (InvalidParameterError, "fn_cost must be finite and not negative.*Got -1", -1, 5, None),
        (InvalidParameterError, "fp_cost must be finite and not negative.*Got nan", 1, "nan", None),
        (InvalidParameterError, "tp_gain must be finite", 1, 2, float("inf")),
        (InvalidParameterError, "Got 'amont'. Did you mean 'Amount'?", "amont", 5, None),
        (InvalidParameterError, "column of the features.*Columns are 'Amount'", "zzzzz", 5, None),
        (DataError, "fn_cost .column 'text'. must be numbers", "text", 5, None),
        (DataError, "fn_cost .column 'flag'. must be numbers.*boolean", "flag", 5, None),
        (DataError, "fn_cost .column 'gap'. must not be missing.*1 such.*row 1", "gap", 5, None),
        (DataError, "fn_cost .column 'minus'. must not be negative.*2 such", "minus", 5, None),
        (DataError, "fp_cost .column 'huge'. must be finite", "Amount", "huge", None),
        (DataError, "tp_gain .column 'gap'. must not be missing", "Amount", 1, "gap"),
        (DataError, "fn_cost must hold one number for each of the 3 rows.*shape", [1, 2], 5, None),
        (DataError, "fn_cost must be numbers", ["a", "b", "c"], 5, None),
        (DataError, "fn_cost must be numbers", [True, False, True], 5, None),
        (DataError, "fn_cost must be numbers", [object(), 1, 2], 5, None),
        (DataError, "fn_cost must not be missing", [None, 1, 2], 5, None),
        (DataError, "fn_cost must not be missing", [pd.NA, 1, 2], 5, None),
        (DataError, "fn_cost must not be negative", [1, 1, -1], 5, None),
        (DataError, "fn_cost must not be 0 for every row.*'zero'", "zero", 5, None),
        (DataError, "fn_cost must not be 0 for every row", 0, 5, 0),
        (DataError, "fp_cost must not be 0 for every row", "Amount", "0", None),
    ],
)
def test_costs_that_cannot_be(error, words, fn, fp, gain):
    with pytest.raises(error, match=words) as raised:
        read(fn, fp, gain)
    assert str(raised.value).startswith("compare: ")


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_totals_are_sums_over_rows(seed, constant):
    costs, truth, p = some_costs(seed, constant=constant)
    alerts = p > 0.6
    by_row = [
        (-g if a else f) if t else (c if a else 0)
        for t, a, f, c, g in zip(truth, alerts, costs.fn, costs.fp, costs.gain, strict=True)
    ]
    assert_allclose(costs.total(truth, alerts), sum(by_row), atol=1e-12)
    assert_allclose(costs.nothing(truth), costs.fn[truth].sum())
    assert_allclose(
        costs.everything(truth), costs.fp[~truth].sum() - costs.gain[truth].sum(), atol=1e-12
    )
    rows = np.flatnonzero(p > 0.2)
    assert_allclose(costs.take(rows).total(truth[rows], alerts[rows]), sum(np.array(by_row)[rows]))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_alerts_have_the_least_expected_cost(seed):
    costs, _, p = some_costs(seed)
    alerted = p * -costs.gain + (1 - p) * costs.fp
    silent = p * costs.fn
    assert_array_equal(costs.alerts(p), alerted < silent)


def test_alerts_of_constant_costs_are_those_above_the_cut():
    costs, _, p = some_costs(3, constant=True)
    assert_array_equal(costs.alerts(p), p > costs.cut)
    assert costs.alerts(p).any()
    assert not costs.alerts(p).all()


def test_row_values_are_those_of_the_threshold_rule():
    costs, truth, p = some_costs(4)
    rule = LowestCost(fp="fp_cost", fn="fn_cost", tp="tp_cost")
    curve = rule.prepared(truth, **costs.row_values()).curve(truth, p, **costs.row_values())
    totals = [costs.total(truth, p >= cut) for cut in curve.thresholds]
    assert_allclose(-np.asarray(curve.objective), totals, atol=1e-12)


def budget(alerts, n, *, per_day=False, day=None, entity=None, order=None):
    order = np.zeros(n, dtype=np.uint64) if order is None else order
    return read_budget(alerts, per_day, n_rows=n, order=order, day=day, entity=entity)


def test_a_part_of_the_table_has_its_part_of_the_alerts():
    scores = np.array([0.1, 0.9, 0.5, 0.7])
    flags = budget(10, 20).flags(np.arange(4), scores)
    assert_array_equal(flags, [False, True, False, True])
    # 1.5 is rounded up, and one row is alerted in any case.
    assert budget(10, 20).flags(np.arange(3), scores[:3]).sum() == 2
    assert budget(1, 20).flags(np.arange(3), scores[:3]).sum() == 1
    assert budget(20, 20).flags(np.arange(3), scores[:3]).all()
    assert budget(5, 20).share == 0.25


def test_ties_go_to_the_smaller_hash_then_to_the_earlier_row():
    order = np.array([2**63 + 5, 7, 7, 2**63 + 4], dtype=np.uint64)
    rule = budget(2, 4, order=order)
    rows = np.arange(4)
    assert_array_equal(rule.flags(rows, np.ones(4)), [False, True, True, False])
    assert_array_equal(budget(1, 4, order=order).flags(rows, np.ones(4)), [0, 1, 0, 0])
    backwards = rule.flags(rows[::-1], np.ones(4))
    assert_array_equal(backwards[::-1], [False, True, True, False])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from([0.3, 1, 2.5, 4]))
def test_flags_and_entity_precision_by_brute_force(seed, n, alerts):
    rng = np.random.default_rng(seed)
    day = rng.integers(-2, 3, n) * 10
    entity = rng.integers(0, 5, n)
    order = rng.integers(0, 4, n).astype(np.uint64)
    scores, truth = rng.integers(0, 4, n) / 4, rng.random(n) < 0.3
    rows = np.flatnonzero(rng.random(n) < 0.6)
    alerts = min(alerts, np.unique(day, return_counts=True)[1].max())
    rule = budget(alerts, n, per_day=True, day=day, entity=entity, order=order)

    flagged, precisions = set(), []
    for today in np.unique(day[rows]):
        tested = [r for r in rows if day[r] == today]
        k = max(1, int(np.floor(alerts * len(tested) / np.sum(day == today) + 0.5)))
        ranked = sorted(tested, key=lambda r: (-scores[r], order[r], r))
        flagged.update(ranked[:k])
        members = defaultdict(list)
        for r in tested:
            members[entity[r]].append(r)
        best = sorted(
            (-max(scores[m]), min(order[m]), e, any(truth[m])) for e, m in members.items()
        )[:k]
        precisions.append(np.mean([hit for *_, hit in best]))
    assert set(rows[rule.flags(rows, scores[rows])]) == flagged
    found = rule.entity_precision(rows, truth[rows], scores[rows])
    assert found is None if not rows.size else found == pytest.approx(np.mean(precisions))


def test_share_of_alerts_per_day_stops_at_quiet_days():
    day = np.array([1, 1, 1, 2])
    assert budget(2, 4, per_day=True, day=day).share == 3 / 4


def test_entity_precision_needs_days_and_entities():
    day, entity = np.array([1, 1]), np.array([0, 1])
    call = (np.arange(2), np.array([True, False]), np.array([0.9, 0.1]))
    assert budget(1, 2, day=day, entity=entity).entity_precision(*call) is None
    assert budget(1, 2, per_day=True, day=day).entity_precision(*call) is None
    both = budget(1, 2, per_day=True, day=day, entity=entity)
    assert both.entity_precision(*call) == 1.0
    assert isinstance(both, Budget)


@pytest.mark.parametrize(
    ("error", "words", "alerts", "per_day", "day"),
    [
        (InvalidParameterError, "alerts must be a number above 0. Got 0", 0, False, None),
        (InvalidParameterError, "alerts must be a number above 0. Got -3", -3, False, None),
        (InvalidParameterError, "alerts must be a number.*nan", float("nan"), False, None),
        (InvalidParameterError, "alerts must be a number.*inf", float("inf"), False, None),
        (InvalidParameterError, "alerts must be a number.*True", True, False, None),
        (InvalidParameterError, "alerts must be a number.*many", "many", False, None),
        (InvalidParameterError, "alerts must be a number", [1], False, None),
        (InvalidParameterError, "alerts_per_day needs the time of each row", 1, True, None),
        (DataError, "alerts must not exceed the 4 rows of the table. Got 5", 5, False, None),
        (DataError, "alerts_per_day must not.*3 rows of its busiest day", 4, True, [1, 1, 1, 2]),
    ],
)
def test_budgets_that_cannot_be(error, words, alerts, per_day, day):
    with pytest.raises(error, match=words):
        budget(alerts, 4, per_day=per_day, day=None if day is None else np.array(day))


def test_axelsson():
    (line,) = base_rate_lines(0.9, 0.001, 10_000_000, [(0.0001, "other")])
    assert line["true_alerts"] == pytest.approx(900)
    assert line["false_alerts"] == pytest.approx(9999)
    assert line["precision"] == pytest.approx(0.08257, abs=1e-5)
    assert line["kind"] == "other"


def test_costs_by_class_add_up():
    rng = np.random.default_rng(0)
    truth, alerts = rng.random(40) < 0.3, rng.random(40) < 0.5
    costs = Costs(*rng.random((3, 40)), ("a", "b", "c"), False)
    negative, positive = costs.by_class(truth, alerts)
    total = negative * (~truth).sum() + positive * truth.sum()
    assert total == pytest.approx(costs.total(truth, alerts))
    assert costs.by_class(np.ones(40, dtype=bool), alerts)[0] is None
    assert costs.by_class(np.zeros(40, dtype=bool), alerts)[1] is None


def test_reweighted_precision_is_that_of_repeated_positives():
    tp, fn, fp, tn = 30, 10, 20, 140
    recall, fpr = tp / (tp + fn), fp / (fp + tn)
    assert reweighted_precision(recall, fpr, 0.2) == pytest.approx(tp / (tp + fp))
    assert reweighted_precision(recall, fpr, 3 * 40 / (3 * 40 + 160)) == pytest.approx(90 / 110)
    assert reweighted_precision(0.0, 0.0, 0.5) == 0.0
