"""LowestCost: matrices, decisions by expected loss, and many classes."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.metrics import expected_cost
from imbkit.thresholds import LowestCost

LEVELS = [0.0, 0.05, 0.1, 0.3, 0.5, 0.75, 1.0]


@st.composite
def tables(draw):
    n = draw(st.integers(2, 20))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    y[:2] = [True, False]
    p = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=n, max_size=n)))
    weight = draw(st.none() | st.lists(st.integers(1, 4), min_size=n, max_size=n))
    weight = None if weight is None else np.array(weight, dtype=float)
    amount = np.array(draw(st.lists(st.integers(0, 50), min_size=n, max_size=n)), dtype=float)
    return y, p, weight, amount


MATRICES = [
    [[0.0, 10.0], [1.0, 0.0]],
    [[-1.0, 7.0], [2.0, 1.0]],
    [[0.5, 3.0], [4.0, -20.0]],
]


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("positive", [0, 1])
@settings(max_examples=40)
@given(table=tables())
def test_a_matrix_costs_what_the_metric_says(matrix, positive, table):
    y, scores, weight, _ = table
    labels = np.array(["ham", "spam"])
    truth = labels[np.where(y, positive, 1 - positive)]
    rule = LowestCost(cost_matrix=matrix).for_classes(labels.tolist(), positive)

    def cost_of(alerts):
        guess = labels[np.where(alerts, positive, 1 - positive)]
        return expected_cost(
            truth, guess, cost_matrix=matrix, labels=labels, sample_weight=weight, normalize=None
        )

    curve = rule.curve(y, scores, weight)
    cuts = [np.inf, *np.unique(scores)]
    costs = [cost_of(scores >= cut) for cut in cuts]
    np.testing.assert_allclose(-curve.at(cuts), costs, rtol=1e-12, atol=1e-12)
    assert cost_of(scores >= rule.threshold(curve)) == pytest.approx(min(costs), abs=1e-9)


def test_a_matrix_alone_takes_the_second_class_for_the_positive_one():
    y, scores = np.array([False, True, False, True]), np.array([0.1, 0.2, 0.3, 0.9])
    rule = LowestCost(cost_matrix=[[0, 7], [2, 1]])
    same = LowestCost(fp=2, fn=7, tp=1)
    np.testing.assert_array_equal(rule.curve(y, scores).objective, same.curve(y, scores).objective)
    assert rule.for_classes(["a", "b"], 1).get_params() == same.get_params()
    other = LowestCost(fp=7, fn=2, tn=1)
    assert rule.for_classes(["a", "b"], 0).get_params() == other.get_params()
    assert same.for_classes(["a", "b"], 0) is same


COSTS = st.sampled_from([0.0, 0.25, 1.0, 3.0, 10.0, "amount", "fee"])


@settings(max_examples=200)
@given(tables(), COSTS, COSTS, COSTS, COSTS)
def test_expected_loss_decides_every_row_by_itself(table, fp, fn, tp, tn):
    y, p, weight, amount = table
    rule = LowestCost(fp, fn, tp=tp, tn=tn, decision="expected_loss")
    values = {"amount": amount, "fee": amount[::-1].copy()}
    values = {name: values[name] for name in rule.row_names()}
    assert rule.decision_names() == rule.row_names()
    saving = rule.rescored(p, **values)
    curve = rule.curve(y, saving, weight, **values)
    threshold = rule.threshold(curve)
    alerts = rule.decide(saving, threshold)
    assert threshold == 0.0
    total = 0.0
    for i in range(y.size):
        of = {name: values[cost][i] if isinstance(cost, str) else cost
              for name, cost in {"fp": fp, "fn": fn, "tp": tp, "tn": tn}.items()}  # fmt: skip
        with_alert = p[i] * of["tp"] + (1 - p[i]) * of["fp"]
        without = p[i] * of["fn"] + (1 - p[i]) * of["tn"]
        if abs(with_alert - without) > 1e-9:
            assert alerts[i] == (with_alert < without)
        outcome = ("tp" if alerts[i] else "fn") if y[i] else ("fp" if alerts[i] else "tn")
        total += of[outcome] * (1 if weight is None else weight[i])
    assert -float(curve.at(threshold)) == pytest.approx(total, abs=1e-9)


def test_a_row_whose_alert_costs_as_much_as_none_is_alerted():
    rule = LowestCost(decision="expected_loss")
    saving = rule.rescored(np.array([0.5, 0.49999]))
    assert rule.decide(saving, 0.0).tolist() == [True, False]


def test_expected_loss_equals_the_threshold_that_theory_knows():
    rng = np.random.default_rng(0)
    p = rng.random(2000)
    rule = LowestCost(fp=2.0, fn=9.0, tp=1.0, tn=0.5, decision="expected_loss")
    known = 1.5 / (1.5 + 8.0)
    assert rule.deployed(0.0) == pytest.approx(known, rel=1e-15)
    np.testing.assert_array_equal(rule.decide(rule.rescored(p), 0.0), p >= rule.deployed(0.0))
    assert LowestCost(fn=3.0).deployed(0.123) == 0.123


@pytest.fixture(scope="module")
def calibrated():
    rng = np.random.default_rng(0)
    p = rng.beta(0.6, 4.0, size=50_000)
    return rng.random(p.size) < p, p


@pytest.mark.parametrize(("fp", "fn"), [(1.0, 1.0), (1.0, 4.0), (1.0, 9.0), (3.0, 2.0)])
def test_on_calibrated_probabilities_the_threshold_is_the_share_of_fp(calibrated, fp, fn):
    y, p = calibrated
    rule = LowestCost(fp, fn)
    curve = rule.curve(y, p)
    assert rule.threshold(curve) == pytest.approx(fp / (fp + fn), abs=0.03)
    # The objective is flat there: what theory says costs hardly more.
    known = float(-curve.at(fp / (fp + fn)))
    assert known <= -curve.objective.max() * 1.01


def test_expected_loss_costs_less_than_any_threshold_where_amounts_differ(calibrated):
    y, p = calibrated
    amount = np.random.default_rng(1).lognormal(3.0, 1.0, size=p.size)
    by_row = LowestCost(fp=10.0, tp=10.0, fn="amount", decision="expected_loss")
    saving = by_row.rescored(p, amount=amount)
    cost = -float(by_row.curve(y, saving, amount=amount).at(0.0))
    one_cut = LowestCost(fp=10.0, tp=10.0, fn="amount").curve(y, p, amount=amount)
    assert cost < 0.98 * -one_cut.objective.max()


@pytest.mark.parametrize("decision", ["threshold", "expected_loss"])
@settings(max_examples=40)
@given(table=tables())
def test_integer_weights_are_repeated_rows(decision, table):
    y, p, weight, amount = table
    weight = np.ones(y.size) if weight is None else weight
    times = weight.astype(int)
    rule = LowestCost(2.0, "amount", tp=1.0, decision=decision)
    own, more = {"amount": amount}, {"amount": amount.repeat(times)}
    weighted = rule.curve(y, rule.rescored(p, **own), weight, **own)
    repeated = rule.curve(y.repeat(times), rule.rescored(p.repeat(times), **more), **more)
    np.testing.assert_array_equal(weighted.thresholds, repeated.thresholds)
    np.testing.assert_allclose(weighted.objective, repeated.objective, rtol=1e-12, atol=1e-12)
    assert rule.threshold(weighted) == rule.threshold(repeated)


def test_single_precision_scores_are_rescored_in_double():
    rule = LowestCost(fn=1e9, decision="expected_loss")
    assert rule.rescored(np.array([0.3, 1e-8], dtype=np.float32)).dtype == np.float64
    scores = np.array([1.0, 2.0], dtype=np.float32)
    assert LowestCost().rescored(scores) is scores


def test_what_is_printed():
    assert LowestCost().describe(0.25) == "score >= 0.25"
    assert LowestCost(decision="expected_loss").describe(0.0) == "expected saving >= 0"
    assert LowestCost(decision="expected_loss").needs_probabilities
    assert not LowestCost().needs_probabilities


Y = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (LowestCost(cost_matrix=[[0, 1], [1, 0]], fp=2.0), "either cost_matrix or .*fp="),
        (LowestCost(cost_matrix=[[0, 1], [1, 0]], tn="amount"), "either cost_matrix or .*tn="),
        (LowestCost(cost_matrix=[[0, 1, 2], [1, 0, 2]]), r"2 x 2 for 2 classes.*shape \(2, 3\)"),
        (LowestCost(cost_matrix=np.zeros((3, 3))), r"2 x 2 for 2 classes.*shape \(3, 3\)"),
        (LowestCost(cost_matrix=[[0, np.nan], [1, 0]]), "cost_matrix must be finite.*nan"),
        (LowestCost(cost_matrix=[[0, 1], [1]]), "cost_matrix must hold numbers"),
        (LowestCost(cost_matrix="costly"), "cost_matrix must"),
        (LowestCost(decision="row"), "decision must be 'threshold' or 'expected_loss'"),
    ],
)
def test_bad_parameters_are_refused(rule, words):
    with pytest.raises(InvalidParameterError, match=f"LowestCost: .*{words}"):
        rule.prepared(Y)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[0.0, 5.0], [0.0, 0.0]], "fp should exceed tn, or every row is best alerted"),
        ([[0.0, 1.0], [1.0, 1.0]], "fn should exceed tp, or every row is best left alone"),
    ],
)
def test_a_matrix_that_makes_the_scores_irrelevant_is_warned_of(matrix, words):
    for rule in (
        LowestCost(cost_matrix=matrix),
        LowestCost(cost_matrix=matrix).for_classes("ab", 1),
    ):
        with pytest.warns(ThresholdWarning, match=words):
            rule.prepared(Y)


def test_scores_must_be_probabilities_for_expected_loss():
    with pytest.raises(DataError, match="LowestCost: the scores must be probabilities"):
        LowestCost(decision="expected_loss").rescored(np.array([-3.0, 2.0]))


def test_what_cannot_be_one_threshold_says_why():
    with pytest.raises(InvalidParameterError, match="the costs of each row.*'amount'"):
        LowestCost(fn="amount", decision="expected_loss").deployed(0.0)
    with pytest.raises(InvalidParameterError, match="save more on rows"):
        LowestCost(fp=0.0, tn=1.0, tp=1.0, fn=0.0, decision="expected_loss").deployed(0.0)


MATRIX = np.array([[0.0, 5.0, 20.0], [1.0, 0.0, 8.0], [2.0, 1.0, 0.0]])


def three_classes(n=400):
    rng = np.random.default_rng(1)
    P = rng.dirichlet([4.0, 1.0, 0.4], size=n)
    return (P.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1), P


@pytest.mark.parametrize("decision", ["threshold", "expected_loss"])
def test_many_classes(decision):
    codes, P = three_classes()
    weight = np.random.default_rng(2).integers(1, 4, codes.size).astype(float)
    rule = LowestCost(cost_matrix=MATRIX, decision=decision)
    chosen = rule.class_decision(codes, P, weight, classes=["a", "b", "c"], random_state=0)
    guess = chosen(P)
    cost = expected_cost(codes, guess, cost_matrix=MATRIX, sample_weight=weight, normalize=None)
    assert chosen.value == pytest.approx(-cost, rel=1e-12)
    assert chosen.name == "cost"
    assert chosen.classes == ("a", "b", "c")
    assert f"cost={cost:.4g}" in repr(chosen)
    if decision == "expected_loss":
        by_hand = [min(range(3), key=lambda i: float(MATRIX[i] @ row)) for row in P]
        assert guess.tolist() == by_hand
    argmax = expected_cost(
        codes, P.argmax(axis=1), cost_matrix=MATRIX, sample_weight=weight, normalize=None
    )
    assert cost < argmax


def test_the_usual_matrix_is_the_argmax():
    codes, P = three_classes()
    rule = LowestCost(cost_matrix=1 - np.eye(3), decision="expected_loss")
    chosen = rule.class_decision(codes, P, classes=[0, 1, 2])
    np.testing.assert_array_equal(chosen(P), P.argmax(axis=1))
    # Scaling, and a constant for each truth, change no decision.
    moved = LowestCost(cost_matrix=3 * MATRIX + [4.0, -2.0, 7.0], decision="expected_loss")
    plain = LowestCost(cost_matrix=MATRIX, decision="expected_loss")
    np.testing.assert_array_equal(
        moved.class_decision(codes, P, classes=[0, 1, 2])(P),
        plain.class_decision(codes, P, classes=[0, 1, 2])(P),
    )


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[0, 0, 0], [1, 0, 1], [1, 1, 0]], "predicting 'a' is never dearer than any other"),
        ([[0, 1, 1], [2, 2, 2], [1, 1, 0]], "another class is never dearer than 'b'"),
        ([[0, 1, 1], [1, 0, 1], [1, 0, 1]], "another class is never dearer than 'c'"),
    ],
)
def test_classes_that_costs_rule_out_are_warned_of(matrix, words):
    codes, P = three_classes(50)
    rule = LowestCost(cost_matrix=matrix, decision="expected_loss")
    with pytest.warns(ThresholdWarning, match=f"LowestCost: .*{words}"):
        chosen = rule.class_decision(codes, P, classes=["a", "b", "c"])
    name = words[words.index("'") + 1]
    never = chosen(P) != "abc".index(name)
    assert never.all() if "another" in words else not never.any()


def test_usual_costs_of_many_classes_are_not_warned_of():
    codes, P = three_classes(50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LowestCost(cost_matrix=MATRIX).class_decision(codes, P, classes=[0, 1, 2])


def test_many_classes_need_a_matrix_of_theirs():
    codes, P = three_classes(20)
    with pytest.raises(DataError, match="Only binary .* Got 3 classes. Pass cost_matrix"):
        LowestCost(fn=3.0).class_decision(codes, P, classes=[0, 1, 2])
    with pytest.raises(InvalidParameterError, match="3 x 3 for 3 classes"):
        LowestCost(cost_matrix=np.zeros((2, 2))).class_decision(codes, P, classes=[0, 1, 2])


def test_it_is_cloned_with_its_matrix():
    rule = clone(LowestCost(cost_matrix=MATRIX, decision="expected_loss"))
    np.testing.assert_array_equal(rule.cost_matrix, MATRIX)
    assert rule.decision == "expected_loss"
