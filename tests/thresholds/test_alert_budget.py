"""AlertBudget: never more alerts than there may be, and exactly so many where it is asked."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.metrics import recall_at_budget
from imbkit.thresholds import AlertBudget
from imbkit.thresholds._curve import average
from imbkit.thresholds._top_rows import codes_of

LEVELS = [-2.0, -0.5, 0.0, 0.1, 0.3, 0.3000000001, 0.75, 4.0]


@st.composite
def tables(draw):
    n = draw(st.integers(2, 25))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    y[:2] = [True, False]
    scores = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=n, max_size=n)))
    weight = draw(st.none() | st.lists(st.integers(1, 4), min_size=n, max_size=n))
    weight = None if weight is None else np.array(weight, dtype=float)
    return y, scores.astype(draw(st.sampled_from([np.float32, np.float64]))), weight


RATES = st.sampled_from([0.01, 0.1, 0.25, 0.3, 0.5, 0.75, 0.99, 1.0])


@settings(max_examples=150)
@given(tables(), RATES)
def test_a_share_equals_brute_force(table, rate):
    y, scores, weight = table
    rule = AlertBudget(rate).prepared(y)
    curve = rule.curve(y, scores, weight)
    ones = np.ones(y.size) if weight is None else weight
    cuts = [math.inf, *np.unique(scores)]
    within = [cut for cut in cuts if ones[scores >= cut].sum() <= rate * ones.sum() + 1e-9]
    values = [ones[y & (scores >= cut)].sum() / ones[y].sum() if cut in within else -math.inf
              for cut in cuts]  # fmt: skip
    np.testing.assert_allclose(curve.at(cuts), values, rtol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("error" if len(within) > 1 else "ignore", ThresholdWarning)
        threshold = rule.threshold(curve)
    alerts = rule.decide(scores, threshold)
    assert ones[alerts].sum() == max(ones[scores >= cut].sum() for cut in within)
    assert float(curve.at(threshold)) == max(values)


@settings(max_examples=60)
@given(tables(), RATES)
def test_the_threshold_lies_midway_to_the_next_score(table, rate):
    y, scores, _ = table
    rule = AlertBudget(rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ThresholdWarning)
        threshold = rule.threshold(rule.curve(y, scores))
    alerted, rest = scores[scores >= np.float64(threshold)], scores[scores < np.float64(threshold)]
    if alerted.size and rest.size:
        middle = (float(alerted.min()) + float(rest.max())) / 2
        assert threshold == pytest.approx(middle, rel=1e-6, abs=1e-6)
        assert scores.dtype.type(threshold) == threshold
    else:
        assert threshold == (-math.inf if alerted.size else math.inf)


@settings(max_examples=60)
@given(tables(), RATES | st.integers(1, 9))
def test_integer_weights_are_repeated_rows(table, budget):
    y, scores, weight = table
    weight = np.ones(y.size) if weight is None else weight
    times = weight.astype(int)
    # A number of alerts counts the rows it is prepared on, which differ here.
    rule = AlertBudget(budget)
    weighted = rule.curve(y, scores, weight)
    repeated = rule.curve(y.repeat(times), scores.repeat(times))
    np.testing.assert_array_equal(weighted.thresholds, repeated.thresholds)
    np.testing.assert_allclose(weighted.objective, repeated.objective, rtol=1e-12)


@settings(max_examples=60)
@given(tables(), RATES, st.sampled_from(["quantile", "topk"]))
def test_an_increasing_transform_leaves_the_decisions(table, rate, mode):
    y, scores, _ = table
    scores = scores.astype(float)
    rule = AlertBudget(rate, mode=mode).prepared(y)
    _, ranks = np.unique(scores, return_inverse=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ThresholdWarning)
        before = rule.decide(scores, rule.threshold(rule.curve(y, scores)))
        for moved in (4 * scores + 1, np.exp(scores), ranks.astype(float)):
            after = rule.decide(moved, rule.threshold(rule.curve(y, moved)))
            np.testing.assert_array_equal(before, after)


def test_a_number_of_alerts_is_a_share_of_the_rows_it_is_prepared_on():
    y, scores = np.arange(100) % 7 == 0, np.arange(100.0)
    rule = AlertBudget(10).prepared(y)
    assert rule.rate_ == 0.1
    assert rule.threshold(rule.curve(y, scores)) == 89.5
    # A fold of half the rows gets half the alerts.
    assert rule.threshold(rule.curve(y[::2], scores[::2])) == 89.0
    day = np.repeat(["mon", "tue", "wed", "thu"], 25)
    daily = AlertBudget(10, period="day").prepared(y, day=day)
    assert daily.rate_ == 0.4
    # A mean day of 20 rows, a busiest one of 35.
    day = np.repeat(["mon", "tue", "wed", "thu", "fri"], [35, 35, 10, 10, 10])
    assert AlertBudget(30, period="day").prepared(y, day=day).rate_ == 1.0
    assert AlertBudget(5, period="day").prepared(y, day=day).rate_ == 0.25


def test_too_many_rows_with_the_highest_score_get_no_alert_and_a_warning():
    y, scores = np.array([True, False, True, False]), np.array([0.9, 0.9, 0.9, 0.1])
    rule = AlertBudget(0.5).prepared(y)
    with pytest.warns(ThresholdWarning, match="more than budget=0.5 with the score 0.9.*topk"):
        assert rule.threshold(rule.curve(y, scores)) == math.inf
    everyone = AlertBudget(1.0)
    assert everyone.threshold(everyone.curve(y, scores)) == -math.inf
    equal = np.full(4, 0.3)
    with pytest.warns(ThresholdWarning, match="with the score 0.3"):
        assert rule.threshold(rule.curve(y, equal)) == math.inf


def test_infinite_scores_that_exceed_the_budget_leave_no_threshold():
    y, scores = np.array([True, False, True, False]), np.array([math.inf, math.inf, 0.9, 0.1])
    assert AlertBudget(0.5).threshold(AlertBudget(0.5).curve(y, scores)) == math.inf
    rule = AlertBudget(0.25)
    with pytest.raises(DataError, match="at least one cut-off must satisfy the rule"):
        rule.threshold(rule.curve(y, scores))


@settings(max_examples=150)
@given(st.data())
def test_topk_alerts_exactly_so_many_of_each_period_and_entity(data):
    n = data.draw(st.integers(1, 25))
    pick = lambda values: np.array(
        data.draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))
    )
    scores = pick([0.1, 0.5, 0.5000001, 0.9]).astype(data.draw(st.sampled_from(["f4", "f8"])))
    keys = np.array(data.draw(st.permutations(range(n))), dtype=np.uint64)
    names = data.draw(st.sampled_from([(), ("day",), ("card",), ("day", "card")]))
    values = {"day": pick(["mon", "tue", "wed"]), "card": pick(["a", "b", "c", "d"])}
    budget = data.draw(st.integers(1, 6) | st.sampled_from([0.1, 0.25, 0.5, 1.0]))
    rule = AlertBudget(budget, mode="topk", period="day" if "day" in names else None,
                       entity="card" if "card" in names else None)  # fmt: skip
    assert rule.decision_names() == (*names, "tie_keys")
    given_values = {name: values[name] for name in names} | {"tie_keys": keys}
    alerts = decided(rule, scores, given_values)

    wanted = np.zeros(n, dtype=bool)
    day = values["day"] if "day" in names else np.zeros(n)
    for each in np.unique(day):
        rows = sorted(np.flatnonzero(day == each), key=lambda i: (-scores[i], keys[i]))
        if "card" in names:
            seen = {}
            for i in rows:
                seen.setdefault(values["card"][i], i)
            rows = list(seen.values())
        k = budget if isinstance(budget, int) else math.floor(budget * len(rows) + 0.5)
        wanted[rows[:k]] = True
    np.testing.assert_array_equal(alerts, wanted)

    order = np.random.default_rng(0).permutation(n)
    moved = {name: each[order] for name, each in given_values.items()}
    np.testing.assert_array_equal(decided(rule, scores[order], moved), alerts[order])


def decided(rule, scores, values):
    """Which rows are alerted, where a batch may be too small for any alert."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*No row is alerted", ThresholdWarning)
        return rule.decide(scores, 0.0, **values)


def test_rows_equal_in_everything_are_taken_as_they_come():
    rule = AlertBudget(2, mode="topk")
    scores, keys = np.array([0.5, 0.5, 0.9, 0.5]), np.array([7, 7, 9, 7], dtype=np.uint64)
    assert rule.decide(scores, 0.0, tie_keys=keys).tolist() == [True, False, True, False]
    assert rule.decide(scores[:0], 0.0, tie_keys=keys[:0]).tolist() == []
    assert rule.decide(scores[:1], 0.0, tie_keys=keys[:1]).tolist() == [True]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({}, "a batch should have at least 5 rows for one alert. Got 4 rows with budget=0.1"),
        ({"period": "day"}, "some period of a batch should have at least 5 rows .* Got 3 rows"),
        ({"entity": "card"}, "a batch should have at least 5 entities .* Got 2 entities"),
    ],
)
def test_a_batch_that_is_too_small_for_any_alert_is_warned_of(names, words):
    rule = AlertBudget(0.1, mode="topk", **names)
    values = {"day": np.array([1, 1, 1, 2]), "card": np.array(["a", "b", "a", "b"])}
    values = {name: values.get(name, np.arange(4)) for name in rule.row_names()}
    with pytest.warns(ThresholdWarning, match=f"AlertBudget: .*{words}.*mode='quantile'"):
        assert not rule.decide(np.array([0.5, 0.5, 0.9, 0.5]), 0.0, **values).any()


def test_the_objective_of_topk_is_the_recall_of_its_decisions():
    rng = np.random.default_rng(0)
    y, scores = rng.random(300) < 0.2, rng.normal(size=300).round(1)
    keys = rng.permutation(300).astype(np.uint64)
    day = rng.integers(0, 5, 300)
    for budget, period in ((20, None), (0.1, None), (4, "day"), (0.1, "day")):
        rule = AlertBudget(budget, mode="topk", period=period)
        values = {"tie_keys": keys} | ({"day": day} if period else {})
        rule = rule.prepared(y, **values)
        curve = rule.curve(y, scores, **values)
        threshold = rule.threshold(curve)
        alerts = rule.decide(scores, threshold, **values)
        assert float(curve.at(threshold)) == pytest.approx(y[alerts].sum() / y.sum())
        assert (curve.objective == curve.at(threshold)).all()
        assert scores[alerts].min() == threshold
    # With no ties it is what the metric says.
    scores = rng.permutation(300).astype(float)
    rule = AlertBudget(30, mode="topk").prepared(y, tie_keys=keys)
    curve = rule.curve(y, scores, tie_keys=keys)
    known = recall_at_budget(y, scores, budget=30)
    assert float(curve.at(rule.threshold(curve))) == pytest.approx(known)


def test_part_of_the_rows_gets_part_of_the_alerts():
    y, scores = np.arange(100) % 3 == 0, np.arange(100.0)
    keys = np.zeros(100, dtype=np.uint64)
    rule = AlertBudget(10, mode="topk").prepared(y, tie_keys=keys)
    half = rule.curve(y[::2], scores[::2], tie_keys=keys[::2])
    assert rule.threshold(half) == 90.0
    whole = rule.curve(y, scores, tie_keys=keys)
    assert rule.threshold(whole) == 90.0
    mean = average([half, half])
    assert float(mean.at(rule.threshold(mean))) == float(half.objective[0]) == 2 / 17


def test_an_entity_is_positive_if_any_of_its_rows_is():
    card = np.array(["a", "a", "b", "b", "c", "d"])
    y = np.array([False, True, False, False, True, False])
    scores = np.array([0.9, 0.2, 0.8, 0.7, 0.6, 0.5])
    keys = np.arange(6, dtype=np.uint64)
    weight = np.array([1.0, 9.0, 2.0, 9.0, 3.0, 4.0])
    quantile = AlertBudget(2, entity="card").prepared(y, card=card, tie_keys=keys)
    assert quantile.rate_ == 0.5
    curve = quantile.curve(y, scores, card=card, tie_keys=keys)
    assert curve.objective[:3].tolist() == [0.0, 0.5, 0.5]
    assert np.isneginf(curve.objective[3:]).all()
    threshold = quantile.threshold(curve)
    assert threshold == pytest.approx(0.7)
    alerts = quantile.decide(scores, 0.65, card=card, tie_keys=keys)
    assert alerts.tolist() == [True, False, True, False, False, False]
    # An entity weighs as much as its highest row: "a" one, "c" three.
    topk = AlertBudget(3, mode="topk", entity="card").prepared(y, card=card, tie_keys=keys)
    curve = topk.curve(y, scores, weight, card=card, tie_keys=keys)
    assert curve.objective.tolist() == [1.0] * 5
    one = AlertBudget(1, mode="topk", entity="card").prepared(y, card=card, tie_keys=keys)
    curve = one.curve(y, scores, weight, card=card, tie_keys=keys)
    assert curve.objective.tolist() == [0.25] * 5


def test_periods_may_be_times():
    times = np.array(["2024-01-01T01", "2024-01-01T23", "2024-01-02T00", "2024-02-01T00"], "M8[s]")
    scores, keys = np.array([0.1, 0.2, 0.3, 0.4]), np.arange(4, dtype=np.uint64)

    def alerts(every, values=times):
        rule = AlertBudget(1, mode="topk", period="time", every=every)
        return rule.decide(scores, 0.0, time=values, tie_keys=keys).tolist()

    assert alerts("1D") == [False, True, True, True]
    assert alerts("1M") == [False, False, True, True]
    assert alerts("12h") == [True, True, True, True]
    assert alerts(None) == [True] * 4
    assert alerts("1D", times.astype(str)) == alerts("1D")
    assert alerts("1D", times.astype(object)) == alerts("1D")
    # Times before 1970 are rounded down as well.
    assert alerts("1D", times - np.timedelta64(70 * 365, "D")) == alerts("1D")


Y = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (AlertBudget(0), "budget must be a number of alerts from 1, or a share"),
        (AlertBudget(-3), "budget must be"),
        (AlertBudget(-0.5), "budget must be"),
        (AlertBudget(0.0), "budget must be"),
        (AlertBudget(True), "budget must be"),
        (AlertBudget(math.nan), "budget must be"),
        (AlertBudget("many"), "budget must be"),
        (AlertBudget(2.5), "as a share of the rows must not be above 1.0.*whole number"),
        (AlertBudget(mode="top"), "mode must be one of 'quantile', 'topk'"),
        (AlertBudget(period=3), "period must be the name of values for each row"),
        (AlertBudget(entity="tie_keys"), "entity must be the name .* other than 'tie_keys'"),
        (AlertBudget(every="1D"), "every has a meaning for times that period names"),
        (AlertBudget(period="day", every="daily"), "every must be a number and a unit of time"),
        (AlertBudget(period="day", every=7), "every must be"),
        (AlertBudget(period="day", every="0D"), "every must be"),
        (AlertBudget(period="day", every=""), "every must be"),
    ],
)
def test_bad_parameters_are_refused(rule, words):
    with pytest.raises(InvalidParameterError, match=f"AlertBudget: .*{words}"):
        rule.prepared(Y, day=np.arange(4), tie_keys=np.arange(4))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (AlertBudget(5), "must not be above the 4 rows. Got 5"),
        (AlertBudget(5, mode="topk"), "must not be above the 4 rows. Got 5"),
        (AlertBudget(4, period="day"), "above the 3 rows of the busiest period"),
        (AlertBudget(3, entity="card"), "above the 2 entities. Got 3"),
        (AlertBudget(3, entity="card", period="day"), "the 2 entities of the busiest period"),
    ],
)
def test_a_budget_larger_than_the_data_is_refused(rule, words):
    values = {"day": np.array([1, 1, 1, 2]), "card": np.array(["a", "b", "a", "b"])}
    values = {name: values.get(name, np.arange(4)) for name in rule.row_names()}
    with pytest.raises(DataError, match=f"AlertBudget: .*{words}"):
        rule.prepared(Y, **values)


@pytest.mark.parametrize(
    "values",
    [
        np.array([5, 3, 3, 900, -2]),
        np.array([5, 3, 3, 9, -2], dtype=np.int8),
        np.array([-128, 127, *range(-90, 90, 2)], dtype=np.int8),
        np.array([2**64 - 1, 2**64 - 3, 2**64 - 1], dtype=np.uint64),
        np.array([0, 2**64 - 1], dtype=np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        np.array([True, False]),
        np.array([], dtype=int),
        np.array(["2024-02-03", "2024-02-01"], dtype="M8[D]"),
        np.array([0.5, -1.0, 0.5]),
    ],
)
def test_numbers_of_values_are_their_ranks(values):
    np.testing.assert_array_equal(
        codes_of(values, "day", "X"), np.unique(values, return_inverse=True)[1]
    )


def test_row_values_of_no_use_are_refused():
    rule = AlertBudget(1, period="day", every="1D")
    for values in (np.arange(4), np.array(list("abcd"))):
        with pytest.raises(DataError, match="day must hold times where every='1D'"):
            rule.prepared(Y, day=values)
    mixed = np.array(["a", 1, "b", 2.0], dtype=object)
    with pytest.raises(DataError, match="day must hold values of one kind"):
        AlertBudget(1, period="day").prepared(Y, day=mixed)


def test_what_it_asks_for_and_shows():
    assert AlertBudget().row_names() == ()
    assert AlertBudget(3, period="day").row_names() == ("day",)
    assert AlertBudget(3, period="day").decision_names() == ()
    assert AlertBudget(3, entity="card").decision_names() == ("card", "tie_keys")
    assert AlertBudget().row_kind("day") == "raw"
    assert AlertBudget().name == "recall_at_budget"
    assert AlertBudget().describe(0.25) == "score >= 0.25"
    assert AlertBudget(20, mode="topk").describe(0.25) == "the 20 highest scores"
    rule = AlertBudget(0.01, mode="topk", period="time", every="1D", entity="card")
    assert rule.describe(0.25) == "the highest 1 % of scores of each 1D of time, one row a card"
    assert clone(rule).get_params() == rule.get_params()


def test_only_a_threshold_can_be_shipped():
    assert AlertBudget(0.1).deployed(0.25) == 0.25
    assert AlertBudget(3, period="day").deployed(0.25) == 0.25
    for rule in (AlertBudget(3, mode="topk"), AlertBudget(3, entity="card")):
        with pytest.raises(InvalidParameterError, match="no threshold alerts a given number"):
            rule.deployed(0.25)


def test_parameters_stay_what_they_were():
    rule = AlertBudget(2)
    ready = rule.prepared(Y)
    assert ready is not rule
    assert ready.get_params() == rule.get_params()
    assert not hasattr(rule, "rate_")
    assert not hasattr(clone(ready), "rate_")


def test_times_as_text_with_a_zone_do_not_warn():
    texts = np.array(["2024-01-01T01:00:00+02:00", "2024-01-02T01:00:00+02:00"])
    rule = AlertBudget(1, mode="topk", period="t", every="1D")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alerts = rule.decide(
            np.array([0.1, 0.2, 0.3]),
            0.0,
            t=texts[[0, 0, 1]],
            tie_keys=np.arange(3, dtype=np.uint64),
        )
    # In UTC both rows of the first text are on the last day of December.
    assert alerts.tolist() == [False, True, True]
