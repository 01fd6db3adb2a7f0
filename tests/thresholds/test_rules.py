"""Rules against the slow way: every cut-off tried, every row looked at."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.metrics import Counts, f1_score, fbeta_score
from imbkit.thresholds import BestMetric, LowestCost
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._best_metric import as_rule

# Few distinct scores, so that ties are common.
LEVELS = [-2.0, -0.5, 0.0, 0.1, 0.3, 0.3000000001, 0.75, 4.0]


@st.composite
def tables(draw):
    n = draw(st.integers(2, 25))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    y[:2] = [True, False]
    scores = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=n, max_size=n)))
    weight = draw(st.none() | st.lists(st.integers(0, 4), min_size=n, max_size=n))
    if weight is not None:
        weight = np.array(weight, dtype=float)
        weight[:2] += 1
    amount = np.array(draw(st.lists(st.integers(0, 50), min_size=n, max_size=n)), dtype=float)
    return y, scores.astype(draw(st.sampled_from([np.float32, np.float64]))), weight, amount


def every_cut(scores):
    """One cut-off for each way of dividing the rows."""
    return [math.inf, *np.unique(scores)]


def counts_at(y, alerts, weight):
    weight = np.ones(y.size) if weight is None else weight
    return [float(weight[a & b].sum()) for a, b in
            ((y, alerts), (~y, alerts), (y, ~alerts), (~y, ~alerts))]  # fmt: skip


def metric_by_hand(name, y, alerts, weight):
    tp, fp, fn, tn = counts_at(y, alerts, weight)
    tpr, tnr = tp / (tp + fn), tn / (tn + fp)
    if name == "f1":
        return 2 * tp / (2 * tp + fp + fn)
    if name == "fbeta":
        return 5 * tp / (5 * tp + fp + 4 * fn)
    if name == "gmean":
        return math.sqrt(tpr * tnr)
    if name == "balanced_accuracy":
        return (tpr + tnr) / 2
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(product) if product else 0.0


@pytest.mark.parametrize("name", ["f1", "fbeta", "gmean", "balanced_accuracy", "mcc"])
@settings(max_examples=60)
@given(tables())
def test_a_metric_equals_brute_force(name, table):
    y, scores, weight, _ = table
    rule = BestMetric(name, beta=2.0 if name == "fbeta" else 1.0).prepared(y)
    curve = rule.curve(y, scores, weight)
    values = [metric_by_hand(name, y, scores >= cut, weight) for cut in every_cut(scores)]
    np.testing.assert_allclose(curve.at(every_cut(scores)), values, rtol=1e-12, atol=1e-15)
    chosen = metric_by_hand(name, y, scores >= rule.threshold(curve), weight)
    assert chosen == pytest.approx(max(values), rel=1e-12)


COSTS = st.sampled_from([0.0, 0.25, 1.0, 3.0, 10.0, "amount", "fee"])


@settings(max_examples=300)
@given(tables(), COSTS, COSTS, COSTS, COSTS)
def test_a_cost_equals_brute_force(table, fp, fn, tp, tn):
    y, scores, weight, amount = table
    rule = LowestCost(fp, fn, tp=tp, tn=tn)
    given_values = {"amount": amount, "fee": amount[::-1].copy()}
    row_values = {name: given_values[name] for name in rule.row_names()}
    assert set(row_values) == {c for c in (fp, fn, tp, tn) if isinstance(c, str)}

    def cost_of(alerts):
        total = 0.0
        for i in range(y.size):
            price = (tp if alerts[i] else fn) if y[i] else (fp if alerts[i] else tn)
            price = given_values[price][i] if isinstance(price, str) else price
            total += price * (1 if weight is None else weight[i])
        return total

    curve = rule.curve(y, scores, weight, **row_values)
    costs = [cost_of(scores >= cut) for cut in every_cut(scores)]
    np.testing.assert_allclose(-curve.at(every_cut(scores)), costs, rtol=1e-12, atol=1e-12)
    assert cost_of(scores >= rule.threshold(curve)) == pytest.approx(min(costs), rel=1e-12)


RULES = [
    BestMetric(),
    BestMetric("mcc"),
    LowestCost(1.0, 7.0),
    LowestCost(1.0, "amount", tp=0.5),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@settings(max_examples=60)
@given(tables())
def test_integer_weights_are_repeated_rows(rule, table):
    y, scores, weight, amount = table
    weight = np.ones(y.size) if weight is None else weight + 1
    times = weight.astype(int)
    own = dict.fromkeys(rule.row_names(), amount)
    more = {name: amount.repeat(times) for name in own}
    weighted = rule.curve(y, scores, weight, **own)
    repeated = rule.curve(y.repeat(times), scores.repeat(times), **more)
    np.testing.assert_array_equal(weighted.thresholds, repeated.thresholds)
    np.testing.assert_allclose(weighted.objective, repeated.objective, rtol=1e-13)
    assert rule.threshold(weighted) == rule.threshold(repeated)
    assert weighted.prevalence == pytest.approx(repeated.prevalence)


@pytest.mark.parametrize("rule", RULES, ids=repr)
@settings(max_examples=60)
@given(tables())
def test_an_increasing_transform_leaves_the_decisions(rule, table):
    y, scores, weight, amount = table
    own = dict.fromkeys(rule.row_names(), amount)
    scores = scores.astype(float)
    before = rule.curve(y, scores, weight, **own)
    # Equidistant new scores: a transform that no formula would give.
    _, ranks = np.unique(scores, return_inverse=True)
    for moved in (4 * scores + 1, np.exp(scores), ranks.astype(float)):
        after = rule.curve(y, moved, weight, **own)
        np.testing.assert_array_equal(before.objective, after.objective)
        best = before.objective >= before.objective.max() - 1e-12
        if best.sum() == 1:
            old, new = scores >= rule.threshold(before), moved >= rule.threshold(after)
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "metric",
    ["f1", "f1_score", f1_score, sklearn.metrics.f1_score,
     lambda tp, fp, fn, tn: tp / (2 * tp + fp + fn)],
    ids=["name", "long name", "metric", "scikit-learn", "formula"],
)  # fmt: skip
def test_one_metric_in_many_spellings(metric):
    rng = np.random.default_rng(0)
    y, scores = rng.random(500) < 0.2, rng.normal(size=500).round(2)
    scores[y] += 1
    rule = BestMetric(metric).prepared(y)
    reference = BestMetric("f1")
    expected = reference.threshold(reference.curve(y, scores))
    assert rule.threshold(rule.curve(y, scores)) == expected


def test_names_and_directions():
    assert BestMetric("f1_score").name == "f1"
    assert BestMetric(lambda tp, fp, fn, tn: tp).name == "objective"

    def hits(tp, fp, fn, tn):
        return tp

    assert BestMetric(hits).name == "hits"
    assert LowestCost().name == "cost"
    assert LowestCost().measure(-3.0) == 3.0
    assert BestMetric().measure(0.5) == 0.5


def test_a_formula_may_be_undefined_somewhere():
    def precision(tp, fp, fn, tn):
        return tp / (tp + fp)

    y, scores = np.array([True, False, True]), np.array([0.9, 0.5, 0.1])
    rule = BestMetric(precision)
    curve = rule.curve(y, scores)
    assert np.isnan(curve.objective[0])
    assert rule.threshold(curve) == pytest.approx(0.7)


def test_a_formula_must_return_one_value_a_cut_off():
    rule = BestMetric(lambda tp, fp, fn, tn: 1.0)
    with pytest.raises(InvalidParameterError, match="one value for each of the 3 cut-offs"):
        rule.curve(np.array([True, False]), np.array([0.2, 0.1]))


def test_beta_weighs_recall():
    counts = Counts(*map(np.array, ([8.0, 4.0], [9.0, 0.0], [0.0, 4.0], [3.0, 12.0])))
    for beta in (0.5, 1.0, 3.0):
        values = BestMetric("fbeta", beta=beta).objective(counts)
        np.testing.assert_array_equal(values, fbeta_score.of(counts, beta=beta))


def test_as_rule_takes_rules_as_they_are():
    rule = LowestCost(2.0)
    assert as_rule(rule) is rule
    assert as_rule("gmean").metric == "gmean"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("f11", "rule must be a rule, a count metric.*Did you mean 'f1'"),
        (3, "rule must be a rule, a count metric"),
        (sklearn.metrics.hamming_loss, "rule must be a rule, a count metric"),
        (lambda tp, fp: tp, "rule must be a rule, a count metric"),
        (BestMetric, r"an object, not a class.*Write rule=BestMetric\(\)"),
    ],
)
def test_what_is_not_a_rule_is_refused(rule, words):
    with pytest.raises(InvalidParameterError, match=f"ThresholdClassifierCV: .*{words}"):
        as_rule(rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (BestMetric("f1", beta=2.0), "beta has a meaning for the metric 'fbeta' only"),
        (BestMetric("fbeta", beta=0), "beta must be a positive number"),
        (BestMetric("fbeta", beta=True), "beta must be a positive number"),
        (BestMetric("fbeta", beta="2"), "beta must be a positive number"),
        (BestMetric("f11"), "Did you mean 'f1'"),
        (LowestCost(fp=np.inf), "fp must be a finite number"),
        (LowestCost(fn=None), "fn must be a finite number"),
        (LowestCost(tp=True), "tp must be a finite number"),
        (LowestCost(tn=np.nan), "tn must be a finite number"),
    ],
)
def test_bad_parameters_are_refused(rule, words):
    with pytest.raises(InvalidParameterError, match=words):
        rule.prepared(np.array([True, False]))


Y = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (LowestCost(fp=0.0), "fp should exceed tn, or every row is best alerted"),
        (LowestCost(fp=1.0, tn=2.0), "fp should exceed tn"),
        (LowestCost(fn=3.0, tp=3.0), "fn should exceed tp, or every row is best left alone"),
        (LowestCost(fn="amount", tp=50.0), "fn should exceed tp"),
    ],
)
def test_costs_that_make_scores_irrelevant_are_warned_of(rule, words):
    values = {name: np.array([10.0, 90.0, 50.0, 90.0]) for name in rule.row_names()}
    with pytest.warns(ThresholdWarning, match=words):
        assert rule.prepared(Y, **values) is rule


@pytest.mark.filterwarnings("error")
def test_one_row_worth_an_alert_is_enough():
    LowestCost(fn="amount", tp=5.0).prepared(Y, amount=np.array([0.0, 0.0, 5.1, 0.0]))
    LowestCost(fp=-1.0, tn=-2.0, tp=-5.0).prepared(Y)


def test_row_costs_need_rows():
    counts = Counts(*(np.array([1.0]),) * 4)
    with pytest.raises(InvalidParameterError, match="need the rows, not their counts"):
        LowestCost(fn="amount").objective(counts)


def test_the_known_optimum_of_a_cost():
    """On calibrated probabilities: (fp - tn) / (fp - tn + fn - tp)."""
    rng = np.random.default_rng(1)
    p = rng.beta(0.6, 3.0, size=200_000)
    y = rng.random(p.size) < p
    rule = LowestCost(fp=2.0, fn=9.0, tp=1.0, tn=0.5)
    assert rule.threshold(rule.curve(y, p)) == pytest.approx(1.5 / 9.5, abs=0.02)
    same = LowestCost(fp=2.0, fn="fn", tp=1.0, tn=0.5)
    by_row = same.curve(y, p, fn=np.full(p.size, 9.0))
    assert same.threshold(by_row) == pytest.approx(rule.threshold(rule.curve(y, p)), rel=1e-12)


def test_rules_are_cloned_and_searched():
    rule = clone(LowestCost(fn="amount").set_params(fp=3.0))
    outcomes = {name: rule.get_params()[name] for name in ("fp", "fn", "tp", "tn")}
    assert outcomes == {"fp": 3.0, "fn": "amount", "tp": 0.0, "tn": 0.0}
    assert clone(BestMetric(expected_cost_rate)).metric is expected_cost_rate


def expected_cost_rate(tp, fp, fn, tn):
    return -(fp + fn)


class AtMost(BaseRule):
    """A limit on alerts: the kind of rule that forbids cut-offs, sized by all rows."""

    def __init__(self, alerts=10, rate=None):
        self.alerts = alerts
        self.rate = rate

    name = "recall"

    def prepared(self, y_true, **row_values):
        return clone(self).set_params(rate=self.alerts / y_true.size)

    def objective(self, counts):
        return np.where(counts.alerts <= self.rate * counts.total, counts.tpr, -np.inf)


class AtPrior(BaseRule):
    """A threshold that is known in advance."""

    name = "tpr"

    def objective(self, counts):
        return counts.tpr

    def threshold(self, curve):
        return curve.prevalence


def test_the_protocol_has_room_for_other_kinds():
    y, scores = np.arange(100) % 5 == 0, np.arange(100.0)
    rule = AtMost(9).prepared(y)
    alerts = scores >= rule.threshold(rule.curve(y, scores))
    assert alerts.sum() <= 9
    assert y[alerts].sum() == 1  # only the row with score 95 is within reach
    assert AtPrior().threshold(AtPrior().curve(y, scores)) == 0.2


def test_a_rule_that_forbids_all_is_refused():
    class Never(AtPrior):
        def objective(self, counts):
            return np.full(counts.tp.shape, -np.inf)

        def threshold(self, curve):
            return curve.best()

    with pytest.raises(DataError, match="at least one cut-off must satisfy"):
        Never().threshold(Never().curve(Y, np.arange(4.0)))
