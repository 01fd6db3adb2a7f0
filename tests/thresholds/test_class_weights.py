"""Weights of classes, against the slow way: every interval of every weight tried."""

import itertools

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.thresholds import BestMetric
from imbkit.thresholds._class_objectives import cost_objective, metric_objective
from imbkit.thresholds._class_weights import (
    ClassDecision,
    _best_point,
    _checked,
    _Search,
    best_weights,
)

COST = np.array([[0.0, 1.0, 7.0], [2.0, 0.0, 3.0], [1.0, 0.5, -1.0]])


def cells(truth, guess, weight):
    """Hits, rows and predictions of each class that occurs."""
    for k in set(truth.tolist()) | set(guess.tolist()):
        true, guessed = truth == k, guess == k
        yield tuple(float(weight[rows].sum()) for rows in (true & guessed, true, guessed))


def macro_f1(truth, guess, weight):
    return np.mean([2 * hit / (n + m) for hit, n, m in cells(truth, guess, weight)])


def macro_recall(truth, guess, weight):
    return np.mean([hit / n for hit, n, _ in cells(truth, guess, weight) if n])


def micro_jaccard(truth, guess, weight):
    hit, n, m = np.sum(list(cells(truth, guess, weight)), axis=0)
    return hit / (n + m - hit)


def mcc(truth, guess, weight):
    hit, n, m = np.array(list(cells(truth, guess, weight))).T
    total = weight.sum()
    spread = (total**2 - n @ n) * (total**2 - m @ m)
    return (hit.sum() * total - n @ m) / np.sqrt(spread) if spread > 1e-12 else 0.0


def saved(truth, guess, weight):
    return -float(weight @ COST[guess, truth])


CASES = {
    "f1": (metric_objective("f1"), macro_f1),
    "balanced accuracy": (metric_objective("balanced_accuracy"), macro_recall),
    "jaccard": (metric_objective("jaccard", "micro"), micro_jaccard),
    "mcc": (metric_objective("mcc"), mcc),
    "cost": (cost_objective(COST), saved),
}


@st.composite
def tables(draw, max_rows=14, zeros=True):
    """Rows of three classes; few distinct probabilities, so that ties are common."""
    n = draw(st.integers(1, max_rows))
    truth = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    part = st.sampled_from([0.0, 0.125, 0.25, 0.3, 0.7, 1.0] if zeros else [0.1, 0.3, 0.7, 1.0])
    P = np.array(draw(st.lists(st.tuples(part, part, part), min_size=n, max_size=n)))
    weight = draw(st.none() | st.lists(st.sampled_from([0, 1, 2, 0.3]), min_size=n, max_size=n))
    if weight is not None:
        weight = np.array(weight, dtype=float)
        weight[0] += 1
    return truth, P, weight


def present(truth, P, weight):
    """The rows with a weight, and that weight."""
    weight = np.ones(truth.size) if weight is None else weight
    return truth[weight > 0], P[weight > 0], weight[weight > 0]


def one_weight_tried_out(P, weights, k):
    """The decisions in every interval of one weight."""
    others = np.delete(P * weights, k, axis=1).max(axis=1)
    rows = P[:, k] > 0
    points = np.unique(others[rows] / P[rows, k])
    points = points[points > 0]
    if not points.size:
        return
    inner = np.sqrt(points[1:] * points[:-1])[points[1:] > points[:-1] * (1 + 1e-12)]
    for weight in (points[0] / 3, *inner, points[-1] * 3):
        changed = weights.copy()
        changed[k] = weight
        yield (P * changed).argmax(axis=1)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=80)
@given(tables())
def test_no_single_weight_can_be_improved_and_the_start_is_beaten(name, table):
    objective, by_hand = CASES[name]
    decision = best_weights(*table, objective, random_state=0)
    truth, P, weight = present(*table)
    value = by_hand(truth, decision(P), weight)
    assert decision.value == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert value >= by_hand(truth, P.argmax(axis=1), weight) - 1e-12
    for k in range(3):
        for guess in one_weight_tried_out(P, decision.weights, k):
            assert by_hand(truth, guess, weight) <= value + 1e-9
    assert 1 <= decision.weights.max() < 2


@settings(max_examples=60)
@given(tables(), st.lists(st.sampled_from([0.3, 1.0, 5.0]), min_size=3, max_size=3))
def test_moves_and_points_are_those_of_the_decisions(table, weights):
    search = _Search(*_checked(*table), CASES["cost"][0])
    truth, P, weight = present(*table)
    weights = np.array(weights)
    for k in range(3):
        points, moves = search.moves(search.standing(weights), k)
        along = search.objective.along(moves)
        assert (np.diff(points) >= 0).all()
        ends = np.concatenate(([points[:1].sum() / 4], points, [points[-1:].sum() * 4]))
        for t, (low, high) in enumerate(itertools.pairwise(ends)):
            if points.size and high > low * (1 + 1e-12):
                changed = weights.copy()
                changed[k] = np.sqrt(low * high) if low else high / 2
                guess = (P * changed).argmax(axis=1)
                assert saved(truth, guess, weight) == pytest.approx(along[t], abs=1e-9)


def every_decision(P):
    """All that weights of three classes can decide, ties of rows left out."""
    a, b, c = P.T
    ratios = np.concatenate([(a / b), np.outer(a / c, c / b).ravel()])
    first = np.unique(ratios[np.isfinite(ratios) & (ratios > 0)])
    for u in (first[0] / 2, *np.sqrt(first[1:] * first[:-1]), first[-1] * 2):
        second = np.unique(np.maximum(a, u * b) / c)
        for v in (second[0] / 2, *np.sqrt(second[1:] * second[:-1]), second[-1] * 2):
            yield (P * [1.0, u, v]).argmax(axis=1)


@pytest.mark.parametrize("name", ["f1", "mcc", "cost"])
@pytest.mark.parametrize("seed", range(6))
def test_with_many_starts_it_is_the_best_there_is_on_tiny_tables(name, seed):
    rng = np.random.default_rng(seed)
    truth = np.append(rng.integers(0, 3, size=4), [0, 1, 2])
    scores = rng.normal(size=(truth.size, 3))
    scores[np.arange(truth.size), truth] += 0.5
    P, weight = np.exp(scores), np.ones(truth.size)
    objective, by_hand = CASES[name]
    decisions = {guess.tobytes(): guess for guess in every_decision(P)}.values()
    best = max(by_hand(truth, guess, weight) for guess in decisions)
    found = best_weights(truth, P, None, objective, n_restarts=30, random_state=0)
    assert found.value == pytest.approx(best, rel=1e-12)


BINARY = {
    "gmean": (BestMetric("gmean"), metric_objective("gmean")),
    "mcc": (BestMetric("mcc"), metric_objective("mcc")),
    "balanced accuracy": (
        BestMetric("balanced_accuracy"),
        metric_objective("balanced_accuracy"),
    ),
    "macro f1": (
        BestMetric(lambda tp, fp, fn, tn: tp / (2 * tp + fp + fn) + tn / (2 * tn + fp + fn)),
        metric_objective("f1"),
    ),
}


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=40)
@given(tables(zeros=False))
def test_two_classes_are_the_binary_rule(name, table):
    truth, P, weight = present(*table)
    P, positive = P[:, :2], truth > 0
    if positive.all() or not positive.any():
        return
    rule, objective = BINARY[name]
    curve = rule.curve(positive, P[:, 1] / P[:, 0], weight)
    decision = best_weights(positive.astype(int), P, weight, objective, n_restarts=1)
    assert decision.value == pytest.approx(np.fmax.reduce(curve.objective), rel=1e-12, abs=1e-15)
    # Ratios a rounding apart are one to the weights; there is none such among these.
    alerts = P[:, 1] / P[:, 0] >= curve.best()
    if np.unique(curve.objective).size == curve.objective.size:
        np.testing.assert_array_equal(decision(P) == 1, alerts)


@settings(max_examples=20)
@given(tables(max_rows=30), st.data())
def test_whole_weights_are_repeated_rows(table, data):
    truth, P, _ = table
    times = data.draw(st.lists(st.integers(0, 3), min_size=truth.size, max_size=truth.size))
    times[0] += 1
    for objective, _ in (CASES["f1"], CASES["mcc"], CASES["cost"]):
        one = best_weights(truth, P, np.array(times), objective, random_state=1)
        other = best_weights(
            np.repeat(truth, times), np.repeat(P, times, axis=0), None, objective, random_state=1
        )
        assert one.value == pytest.approx(other.value, rel=1e-12)
        np.testing.assert_allclose(one.weights, other.weights, rtol=1e-12)


@settings(max_examples=20)
@given(tables(max_rows=30))
def test_the_scale_of_rows_and_of_weights_changes_nothing(table):
    truth, P, weight = table
    objective = CASES["f1"][0]
    decision = best_weights(truth, P, weight, objective, random_state=1)
    scaled = best_weights(truth, P * 2.0**-40, weight, objective, random_state=1)
    np.testing.assert_array_equal(decision.weights, scaled.weights)
    many = ClassDecision(decision.weights * 2.0**30)
    np.testing.assert_array_equal(decision(P), many(P))


def rare_table(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    prior = np.array([0.9, 0.07, 0.03])
    truth = rng.choice(3, size=n, p=prior)
    scores = rng.normal(size=(n, 3)) + np.log(prior)
    scores[np.arange(n), truth] += 1.5
    P = np.exp(scores)
    return truth, P / P.sum(axis=1, keepdims=True)


def test_the_same_seed_gives_the_same_weights_and_more_starts_are_never_worse():
    truth, P = rare_table()
    objective = metric_objective("f1")
    runs = [best_weights(truth, P, None, objective, random_state=3) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].weights, runs[1].weights)
    values = [
        best_weights(truth, P, None, objective, n_restarts=n, random_state=3).value
        for n in (1, 2, 3, 6)
    ]
    assert values == sorted(values)
    plain = sklearn.metrics.f1_score(truth, P.argmax(axis=1), average="macro")
    assert values[0] > plain + 0.05
    # The random starts are random.
    search = _Search(*_checked(truth, P, None), objective)
    one, other = (search.starts(4, seed)[2:] for seed in (0, 1))
    assert not np.allclose(one, other)
    assert not np.allclose(one[0], one[1])


def test_recall_weights_of_right_probabilities_are_inverse_shares():
    # Macro recall of the truth is best where each class is weighted by the inverse of its share.
    rng = np.random.default_rng(0)
    prior = np.array([0.8, 0.15, 0.05])
    truth = rng.choice(3, size=60_000, p=prior)
    x = rng.normal(size=(truth.size, 2)) + np.array([[0, 0], [1.5, 0], [0, 1.5]])[truth]
    centres = np.array([[0, 0], [1.5, 0], [0, 1.5]])
    P = prior * np.exp(-0.5 * ((x[:, np.newaxis] - centres) ** 2).sum(axis=2))
    P /= P.sum(axis=1, keepdims=True)
    decision = best_weights(truth, P, None, metric_objective("balanced_accuracy"), n_restarts=2)
    share = decision.weights * prior
    np.testing.assert_allclose(share / share[0], 1.0, atol=0.2)


def test_a_class_that_never_has_a_probability_and_one_without_rows():
    truth, P = rare_table(400)
    P = np.column_stack([P[:, 0], np.zeros(400), P[:, 1:]])
    codes = np.array([0, 2, 3])[truth]
    for objective in (metric_objective("f1"), metric_objective("mcc"), metric_objective("gmean")):
        decision = best_weights(codes, P, None, objective, random_state=0)
        three = best_weights(truth, P[:, [0, 2, 3]], None, objective, random_state=0)
        assert decision.value == pytest.approx(three.value, abs=0.02)
        assert 1 not in decision(P)
        # A class that only the model knows: predicting it can only be wrong.
        P2 = P.copy()
        P2[:, 1] = P[:, 0] / 2
        decision = best_weights(codes, P2, None, objective, random_state=0)
        assert decision.value > 0
        assert 1 not in decision(P2)


def test_tiny_probabilities_and_rows_without_any():
    tiny = 1e-300
    P = np.array([[1, tiny, 0], [1, 3 * tiny, 0], [1, 0, 5e-324], [0, 0, 0], [1, 0, 0]])
    truth = np.array([0, 1, 2, 0, 0])
    decision = best_weights(truth, P, None, metric_objective("f1"), random_state=0)
    # 5e-324 is out of reach; the row of zeros goes to the first class.
    assert decision(P).tolist() == [0, 1, 0, 0, 0]
    assert np.isfinite(decision.weights).all()
    assert decision.weights.min() > 0


def test_where_the_best_weight_lies():
    points = np.array([1.0, 4.0, 16.0, 256.0])
    for values, best in (
        ([0, 1, 0, 0, 0], 2.0),
        ([0, 1, 0, 1, 0], 64.0),  # the wider, in terms of the logarithm
        ([0, 0, 1, 1, 0], 32.0),
        ([1, 0, 0, 0, 0], 0.5),
        ([0, 0, 0, 0, 1], 512.0),
        ([1, 0, 1, 0, 0], 8.0),  # open ends are no width
        ([np.nan, -np.inf, -2, np.nan, np.nan], 8.0),
    ):
        assert _best_point(points, np.array(values, float), -np.inf) == pytest.approx(best)
        assert _best_point(points, np.array(values, float), np.nanmax(values)) is None
    # Its centre is a row's own breakpoint: take the widest interval of the run.
    assert _best_point(points[:3], np.array([0.0, 1, 1, 0]), 0.5) == pytest.approx(2.0)
    # Breakpoints a rounding apart are one.
    near = np.array([1.0, 1.0 + 2e-16, 2.0])
    assert _best_point(near, np.array([0.0, 9.0, 1.0, 0.0]), 0.5) == pytest.approx(np.sqrt(2))
    assert _best_point(np.array([]), np.array([1.0]), 0.0) is None
    assert _best_point(points, np.full(5, np.nan), -np.inf) is None


def test_a_decision_can_be_read():
    assert repr(ClassDecision([1, 0.25], name="f1_macro", value=0.71234, classes=["a", "b"])) == (
        "ClassDecision(weights {'a': 1, 'b': 0.25}, f1_macro=0.7123)"
    )
    many = repr(ClassDecision(np.arange(1, 21)))
    assert "7: 8, ... 12 more}" in many
    text = repr(ClassDecision(cost=COST, name="cost", value=-3.5, greater_is_better=False))
    assert text == "ClassDecision(least expected cost of 3 classes, cost=3.5)"
    truth, P = rare_table(300)
    found = best_weights(truth, P, None, cost_objective(COST), classes=np.array(["x", "y", "z"]))
    assert found.classes == ("x", "y", "z")
    assert f"cost={-found.value:.4g}" in repr(found)


def test_a_decision_by_costs_is_the_least_expected_cost():
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=200)
    expected = [[sum(COST[i, j] * p[j] for j in range(3)) for i in range(3)] for p in P]
    np.testing.assert_array_equal(ClassDecision(cost=COST)(P), np.argmin(expected, axis=1))
    both = ClassDecision([1, 2, 3], COST)
    np.testing.assert_array_equal(both(P), ClassDecision(cost=COST)(P * [1, 2, 3]))
    plain = ClassDecision(cost=1 - np.eye(3))
    np.testing.assert_array_equal(plain(P), P.argmax(axis=1))
    assert ClassDecision([1, 1, 1])([[0.2, 0.4, 0.4], [0, 0, 0]]).tolist() == [1, 0]
    assert ClassDecision(cost=np.zeros((3, 3)))(P[:2]).tolist() == [0, 0]


def test_a_decision_keeps_its_own_arrays():
    weights = np.array([1.0, 2.0])
    decision = ClassDecision(weights)
    weights[0] = 9
    assert decision.weights.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        decision.weights[0] = 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "weights of the classes, a matrix of costs, or both"),
        ({"weights": [1.0, -1.0]}, "weights must be finite"),
        ({"weights": [0.0, 0.0]}, "not all zero"),
        ({"weights": [1.0, np.nan]}, "weights must be finite"),
        ({"weights": [[1.0]]}, "weights must be finite"),
        ({"cost": [[0, 1]]}, "finite square matrix"),
        ({"cost": [[0, np.inf], [1, 0]]}, "finite square matrix"),
        ({"weights": [1, 1, 1], "cost": [[0, 1], [1, 0]]}, "the same number of classes"),
        ({"weights": [1, 1], "classes": "abc"}, "the same number of classes"),
    ],
)
def test_what_decides_nothing_is_refused(arguments, words):
    if arguments.get("classes"):
        arguments = {**arguments, "classes": tuple(arguments["classes"])}
    with pytest.raises(InvalidParameterError, match=words):
        ClassDecision(**arguments)


@pytest.mark.parametrize("P", [np.ones((3, 2)), np.ones(3), np.full((2, 3), np.nan)])
def test_probabilities_of_other_classes_are_refused(P):
    with pytest.raises(DataError, match="probabilities must"):
        ClassDecision([1, 2, 3])(P)


TRUTH, TABLE = rare_table(50)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((TRUTH[:-1], TABLE, None), "as many rows"),
        ((TRUTH, TABLE[:, :1], None), "at least two columns"),
        ((TRUTH + 1, TABLE, None), "integers from 0 to 2"),
        ((TRUTH * 1.0, TABLE, None), "integers from 0 to 2"),
        ((TRUTH, -TABLE, None), "finite and not negative"),
        ((TRUTH, TABLE * np.nan, None), "finite and not negative"),
        ((TRUTH, TABLE, TRUTH * 0), "must not be zero for every row"),
        ((TRUTH, TABLE, -np.ones(50)), "finite and not negative"),
    ],
)
def test_bad_rows_are_refused(arguments, words):
    with pytest.raises(DataError, match=words):
        best_weights(*arguments, metric_objective("f1"))


def test_an_objective_that_is_never_defined_is_refused():
    def nothing(tp, fp, fn, tn):
        return tp * np.nan

    with pytest.raises(DataError, match="must be defined for some decisions"):
        best_weights(TRUTH, TABLE, None, metric_objective(nothing))
    for wrong in (0, 1.5, True):
        with pytest.raises(InvalidParameterError, match="n_restarts must be"):
            best_weights(TRUTH, TABLE, None, metric_objective("f1"), n_restarts=wrong)
