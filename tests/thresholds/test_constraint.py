"""Constraint: every cut-off looked at by hand, bounds against scipy, and what is infeasible."""

import math
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.base import clone

from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.metrics import recall_at_fpr, recall_at_precision
from imbkit.thresholds import Constraint
from imbkit.thresholds._clopper_pearson import lower_bound, reaches
from imbkit.thresholds._curve import average

LEVELS = [-2.0, -0.5, 0.0, 0.1, 0.3, 0.3000000001, 0.75, 4.0]
METRICS = ["recall_at_precision", "precision_at_recall", "recall_at_fpr"]


@st.composite
def tables(draw):
    n = draw(st.integers(2, 25))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    y[:2] = [True, False]
    scores = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=n, max_size=n)))
    weight = draw(st.none() | st.lists(st.integers(1, 4), min_size=n, max_size=n))
    weight = None if weight is None else np.array(weight, dtype=float)
    return y, scores.astype(draw(st.sampled_from([np.float32, np.float64]))), weight


def rates_at(metric, y, alerts, weight):
    """The objective, and the hits and trials of the limited rate."""
    weight = np.ones(y.size) if weight is None else weight
    tp, fp = weight[y & alerts].sum(), weight[~y & alerts].sum()
    positives, negatives = weight[y].sum(), weight[~y].sum()
    precision = tp / (tp + fp) if tp + fp else 0.0
    if metric == "precision_at_recall":
        return precision, tp, positives
    return tp / positives, *((tp, tp + fp) if "precision" in metric else (fp, negatives))


@cache
def bound_by_hand(metric, hits, trials, confidence):
    """The rate, or scipy's bound of it; nan where there is none."""
    if not trials:
        return math.nan
    if confidence is None:
        return hits / trials
    # A two-sided interval has twice the error of a one-sided one.
    test = binomtest(round(hits), round(trials))
    interval = test.proportion_ci(2 * confidence - 1, "exact")
    return interval.high if metric == "recall_at_fpr" else interval.low


def keeps(metric, value, limit):
    return value <= limit + 1e-12 if metric == "recall_at_fpr" else value >= limit - 1e-12


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("confidence", [None, 0.6, 0.9])
@settings(max_examples=50, deadline=None)
@given(table=tables(), limit=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 1.0]))
def test_the_threshold_equals_brute_force(metric, confidence, table, limit):
    y, scores, weight = table
    rule = Constraint(metric, limit, confidence=confidence).prepared(y)
    curve = rule.curve(y, scores, weight)
    cuts = [math.inf, *np.unique(scores)]
    found = []
    for cut in cuts:
        value, hits, trials = rates_at(metric, y, scores >= cut, weight)
        found.append((value, bound_by_hand(metric, hits, trials, confidence)))
    kept = [value for value, rate in found if keeps(metric, rate, limit)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if not kept else "error", ThresholdWarning)
        if kept and max(kept) == found[0][0] == 0:
            warnings.simplefilter("ignore", ThresholdWarning)
        chosen = rule.threshold(curve)
    value, hits, trials = rates_at(metric, y, scores >= chosen, weight)
    rate = bound_by_hand(metric, hits, trials, confidence)
    if kept:
        expected = [v if keeps(metric, r, limit) else -math.inf for v, r in found]
        np.testing.assert_allclose(curve.at(cuts), expected, rtol=1e-12)
        assert keeps(metric, rate, limit)
        assert value == pytest.approx(max(kept), rel=1e-12)
        # Of equally good cut-offs the one furthest inside the limit.
        same = [r for v, r in found if v == pytest.approx(value) and keeps(metric, r, limit)]
        furthest = min(same) if metric == "recall_at_fpr" else max(same)
        assert rate == pytest.approx(furthest, rel=1e-9, abs=1e-12)
    else:
        known = [(r, v) for v, r in found if not math.isnan(r)]
        nearest = min(abs(r - limit) for r, _ in known)
        assert abs(rate - limit) == pytest.approx(nearest, abs=1e-9)
        best = max(v for r, v in known if abs(r - limit) <= nearest + 1e-9)
        assert value == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=40)
@given(table=tables(), confidence=st.sampled_from([None, 0.9]))
def test_integer_weights_are_repeated_rows(metric, table, confidence):
    y, scores, weight = table
    weight = np.ones(y.size) if weight is None else weight
    times = weight.astype(int)
    rule = Constraint(metric, 0.4, confidence=confidence)
    weighted = rule.curve(y, scores, weight)
    repeated = rule.curve(y.repeat(times), scores.repeat(times))
    np.testing.assert_array_equal(weighted.thresholds, repeated.thresholds)
    np.testing.assert_allclose(weighted.objective, repeated.objective, rtol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ThresholdWarning)
        assert rule.threshold(weighted) == rule.threshold(repeated)


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=40)
@given(table=tables())
def test_an_increasing_transform_leaves_the_decisions(metric, table):
    y, scores, weight = table
    scores = scores.astype(float)
    rule = Constraint(metric, 0.3)
    _, ranks = np.unique(scores, return_inverse=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ThresholdWarning)
        before = scores >= rule.threshold(rule.curve(y, scores, weight))
        for moved in (4 * scores + 1, np.exp(scores), ranks.astype(float)):
            after = moved >= rule.threshold(rule.curve(y, moved, weight))
            # What is equally good and equally far inside the limit has the same counts.
            assert rates_at(metric, y, before, weight) == rates_at(metric, y, after, weight)


def test_the_objective_is_the_metric_of_the_same_name():
    rng = np.random.default_rng(0)
    y = rng.random(2000) < 0.1
    scores = rng.normal(size=2000).round(1) + 1.5 * y
    for limit in (0.2, 0.5):
        curve = Constraint("recall_at_precision", limit).curve(y, scores)
        assert curve.objective.max() == pytest.approx(recall_at_precision(y, scores, limit))
        curve = Constraint("recall_at_fpr", limit / 10).curve(y, scores)
        assert curve.objective.max() == pytest.approx(recall_at_fpr(y, scores, limit / 10))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.5, 0.8, 0.95, 0.999]),
    st.floats(0.001, 1.0),
)
def test_bounds_are_those_of_clopper_and_pearson(counts, confidence, limit):
    hits, trials = counts
    k, n = np.array([float(hits)]), np.array([float(trials)])
    bound = lower_bound(k, n, confidence)[0]
    known = binomtest(hits, trials, limit, alternative="greater")
    assert bound == pytest.approx(known.proportion_ci(confidence, "exact").low, abs=1e-9)
    assert bound <= hits / trials + 1e-12
    if abs(bound - limit) > 1e-9:
        # Alone, and beside another number of trials, which takes the other path.
        both = reaches(np.append(k, 0.0), np.append(n, n + 1), confidence, limit)
        assert [bool(reaches(k, n, confidence, limit)[0]), bool(both[0])] == [bound >= limit] * 2
    if hits:
        assert (known.pvalue <= 1 - confidence) == (bound >= limit) or bound == pytest.approx(limit)


def test_a_bound_is_stricter_than_the_rate_and_keeps_its_promise():
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(200):
        y = rng.random(400) < 0.2
        scores = rng.normal(size=400).round(1) + 3 * y
        plain, sure = Constraint(limit=0.7), Constraint(limit=0.7, confidence=0.95)
        low, high = plain.threshold(plain.curve(y, scores)), sure.threshold(sure.curve(y, scores))
        assert low <= high
        fresh = rng.random(4000) < 0.2
        new = rng.normal(size=4000).round(1) + 3 * fresh
        kept += fresh[new >= high].mean() >= 0.7
    # At one cut-off 190 of 200 are expected; that it is the best of many costs some.
    assert kept >= 170


Y = np.array([True, False, True, False, False])
SCORES = np.array([0.2, 0.9, 0.5, 0.7, 0.1])


def test_the_nearest_cut_off_is_taken_with_a_warning():
    rule = Constraint("recall_at_precision", 0.9)
    curve = rule.curve(Y, SCORES)
    words = "precision must be at least 0.9 at some cut-off. Got at most 0.5 at every one.*nearest"
    with pytest.warns(ThresholdWarning, match=words):
        chosen = rule.threshold(curve)
    # Precision is 2/4 down to 0.2, and 1/3 down to 0.5.
    assert 0.1 < chosen <= 0.2
    assert float(curve.at(chosen)) == 1.0


def test_infeasible_may_be_an_error_that_names_what_is_attained():
    rule = Constraint("recall_at_precision", 0.9, infeasible="raise")
    curve = rule.curve(Y, SCORES)
    assert not curve.feasible
    with pytest.raises(DataError, match="at least 0.9 at some cut-off. Got at most 0.5.*nearest"):
        rule.threshold(curve)
    sure = Constraint("recall_at_fpr", 0.1, confidence=0.9, infeasible="raise")
    with pytest.raises(DataError, match="at most 0.1 with confidence 0.9.* Got at least 0.53"):
        sure.threshold(sure.curve(Y, SCORES))


def test_a_bound_on_a_small_sample_is_nearest_where_the_rate_is_best():
    rule = Constraint("precision_at_recall", 0.9, confidence=0.95)
    with pytest.warns(ThresholdWarning, match="recall must be at least 0.9 with confidence 0.95"):
        chosen = rule.threshold(rule.curve(Y, SCORES))
    assert 0.1 < chosen <= 0.2


def test_scores_that_are_all_equal():
    scores = np.full(5, 0.3)
    rule = Constraint("recall_at_precision", 0.4)
    assert rule.threshold(rule.curve(Y, scores)) == 0.3
    tight = Constraint("recall_at_precision", 0.5)
    with pytest.warns(ThresholdWarning, match="Got at most 0.4"):
        assert tight.threshold(tight.curve(Y, scores)) == 0.3
    rate = Constraint("recall_at_fpr", 0.1)
    with pytest.warns(ThresholdWarning, match="No row will be alerted"):
        assert rate.threshold(rate.curve(Y, scores)) == math.inf


def test_no_alert_has_no_precision():
    rule = Constraint("recall_at_precision", 0.0)
    assert rule.curve(Y, SCORES).at(math.inf) == -math.inf
    assert rule.threshold(rule.curve(Y, SCORES)) <= 0.2


def test_infinite_scores_are_ordinary_ones():
    scores = np.array([math.inf, math.inf, 0.5, -math.inf, -math.inf])
    rule = Constraint("recall_at_precision", 0.6)
    assert rule.threshold(rule.curve(Y, scores)) <= 0.5
    strict = Constraint("recall_at_fpr", 0.0)
    curve = strict.curve(Y, scores)
    with pytest.warns(ThresholdWarning, match="at most 0 at some.*at least 0.3333"):
        assert strict.threshold(curve) == 0.5


def test_the_mean_of_curves_keeps_the_limit_of_each():
    rule = Constraint("recall_at_fpr", 0.5)
    curves = [rule.curve(Y, SCORES), rule.curve(Y, SCORES[::-1].copy())]
    mean = average(curves)
    chosen = rule.threshold(mean)
    assert all(curve.at(chosen) > -math.inf for curve in curves)
    never = Constraint("recall_at_precision", 0.9, infeasible="raise")
    mean = average([never.curve(Y, SCORES)])
    with pytest.raises(DataError, match="every fold.*pooling='pooled'"):
        never.threshold(mean)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Constraint("recall"), "metric must be one of 'precision_at_recall'.*recall"),
        (Constraint(None), "metric must be one of"),
        (Constraint(limit=1.5), "limit must be a number between 0 and 1.*1.5"),
        (Constraint(limit=-0.1), "limit must be"),
        (Constraint(limit=True), "limit must be"),
        (Constraint(limit="0.9"), "limit must be"),
        (Constraint(limit=math.nan), "limit must be"),
        (Constraint(confidence=1.0), "confidence must be a number from 0.5 and below 1"),
        (Constraint(confidence=0.05), "confidence must be"),
        (Constraint(confidence=True), "confidence must be"),
        (Constraint(infeasible="nan"), "infeasible must be one of 'nearest', 'raise'"),
    ],
)
def test_bad_parameters_are_refused(rule, words):
    with pytest.raises(InvalidParameterError, match=f"Constraint: .*{words}"):
        rule.prepared(Y)


def test_what_it_serves():
    rule = clone(Constraint("recall_at_fpr", 0.01, confidence=0.9))
    assert rule.name == "recall_at_fpr"
    assert not rule.needs_probabilities
    assert rule.deployed(0.25) == 0.25
    with pytest.raises(DataError, match="Only binary classification"):
        rule.class_decision(np.array([0, 1, 2]), np.eye(3), classes=[0, 1, 2])
