"""BestMetric: the plug-in method, many classes, and the thresholds that theory knows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import (
    Counts,
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    get_metric,
    gmean_score,
    matthews_corrcoef,
)
from imbkit.thresholds import BestMetric, Curve

LEVELS = [0.0, 0.05, 0.1, 0.1000001, 0.3, 0.5, 0.75, 1.0]


@st.composite
def tables(draw):
    n = draw(st.integers(2, 25))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    y[:2] = [True, False]
    p = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=n, max_size=n)))
    weight = draw(st.none() | st.lists(st.integers(1, 4), min_size=n, max_size=n))
    weight = None if weight is None else np.array(weight, dtype=float)
    return y, p.astype(draw(st.sampled_from([np.float32, np.float64]))), weight


def expected_by_hand(p, alerts, weight, beta):
    """F-beta of the counts that probabilities promise, one row at a time."""
    tp = fp = fn = 0.0
    for probability, alert, times in zip(p.tolist(), alerts, weight, strict=True):
        tp += times * probability * alert
        fp += times * (1 - probability) * alert
        fn += times * probability * (not alert)
    bottom = (1 + beta**2) * tp + beta**2 * fn + fp
    return (1 + beta**2) * tp / bottom if bottom else 0.0


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@settings(max_examples=100)
@given(tables())
def test_the_plug_in_threshold_equals_brute_force(beta, table):
    y, p, weight = table
    rule = BestMetric("fbeta", beta=beta, method="plugin").prepared(y)
    assert rule.needs_probabilities
    curve = rule.curve(y, p, weight)
    ones = np.ones(y.size) if weight is None else weight
    cuts = [np.inf, *np.unique(p)]
    values = [expected_by_hand(p, p >= cut, ones, beta) for cut in cuts]
    np.testing.assert_allclose(curve.at(cuts), values, rtol=1e-12, atol=1e-300)
    threshold = rule.threshold(curve)
    attained = expected_by_hand(p, rule.decide(p, threshold), ones, beta)
    assert attained == pytest.approx(max(values), rel=1e-12)
    # The fixed point, and no alert for a row that cannot be positive.
    assert threshold * (1 + beta**2) == pytest.approx(attained, rel=1e-12, abs=1e-40)
    assert not rule.decide(p, threshold)[p == 0].any()


@settings(max_examples=50)
@given(tables())
def test_the_plug_in_threshold_takes_integer_weights_for_repeated_rows(table):
    y, p, weight = table
    weight = np.ones(y.size) if weight is None else weight
    times = weight.astype(int)
    rule = BestMetric(method="plugin")
    weighted = rule.curve(y, p, weight)
    repeated = rule.curve(y.repeat(times), p.repeat(times))
    np.testing.assert_array_equal(weighted.thresholds, repeated.thresholds)
    np.testing.assert_allclose(weighted.objective, repeated.objective, rtol=1e-12)
    assert rule.threshold(weighted) == pytest.approx(rule.threshold(repeated), rel=1e-12)
    assert weighted.prevalence == pytest.approx(repeated.prevalence)


def test_the_plug_in_threshold_does_not_look_at_labels():
    rng = np.random.default_rng(0)
    p, rule = rng.random(200), BestMetric(method="plugin")
    one = rule.curve(rng.random(200) < 0.5, p)
    other = rule.curve(np.arange(200) == 7, p)
    assert rule.threshold(one) == rule.threshold(other)
    np.testing.assert_array_equal(one.objective, other.objective)


@pytest.fixture(scope="module")
def calibrated():
    rng = np.random.default_rng(0)
    p = rng.beta(0.6, 4.0, size=50_000)
    return rng.random(p.size) < p, p


@pytest.mark.parametrize("method", ["sweep", "plugin"])
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_on_calibrated_probabilities_fbeta_is_best_at_its_share(calibrated, method, beta):
    y, p = calibrated
    rule = BestMetric("fbeta", beta=beta, method=method).prepared(y)
    curve = rule.curve(y, p)
    best = float(curve.objective.max())
    assert rule.threshold(curve) == pytest.approx(best / (1 + beta**2), abs=0.02)


def test_plug_in_and_sweep_agree_on_calibrated_probabilities(calibrated):
    y, p = calibrated
    sweep, plugin = BestMetric("f1"), BestMetric("f1", method="plugin")
    curve = sweep.curve(y, p)
    chosen = plugin.threshold(plugin.curve(y, p))
    assert float(curve.at(chosen)) == pytest.approx(curve.objective.max(), abs=0.003)
    assert chosen == pytest.approx(sweep.threshold(curve), abs=0.02)


def test_on_calibrated_probabilities_balanced_accuracy_is_best_at_the_prevalence(calibrated):
    y, p = calibrated
    rule = BestMetric("balanced_accuracy")
    assert rule.threshold(rule.curve(y, p)) == pytest.approx(y.mean(), abs=0.02)


def test_on_calibrated_probabilities_gmean_is_best_where_its_odds_say(calibrated):
    y, p = calibrated
    rule = BestMetric("gmean")
    t = rule.threshold(rule.curve(y, p))
    tpr, tnr, share = (p[y] >= t).mean(), (p[~y] < t).mean(), y.mean()
    assert t / (1 - t) == pytest.approx(share / (1 - share) * tpr / tnr, abs=0.03)


def test_no_row_is_alerted_where_none_can_be_positive():
    rule, y = BestMetric(method="plugin"), np.array([True, False])
    for dtype in (np.float32, np.float64):
        p = np.zeros(2, dtype=dtype)
        threshold = rule.threshold(rule.curve(y, p))
        assert not rule.decide(p, threshold).any()
        assert rule.decide(np.array([1e-30], dtype=dtype), threshold).all()


def test_names():
    assert BestMetric(method="plugin").name == "expected_f1"
    assert BestMetric("fbeta", beta=2.0, method="plugin").name == "expected_fbeta"
    assert BestMetric("fbeta", beta=2.0).name == "fbeta"
    assert not BestMetric().needs_probabilities


Y = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (BestMetric("mcc", method="plugin"), "knows the metrics 'f1' and 'fbeta' only.*'mcc'"),
        (BestMetric(method="em"), "method must be one of 'sweep', 'plugin'.*em"),
        (BestMetric(method=3), "method must be one of"),
        (BestMetric(average="binary"), "average must be one of 'macro', 'micro', 'weighted'"),
        (BestMetric("fbeta", beta=np.inf), "beta must be a positive number"),
        (BestMetric("fbeta", beta=np.nan), "beta must be a positive number"),
    ],
)
def test_bad_parameters_are_refused(rule, words):
    with pytest.raises(InvalidParameterError, match=f"BestMetric: .*{words}"):
        rule.prepared(Y)


@pytest.mark.parametrize("scores", [[-0.5, 0.2, 0.4, 1.0], [0.1, 0.2, 0.4, 1.5], [0, 1, 2, np.inf]])
def test_scores_that_are_no_probabilities_are_refused(scores):
    rule = BestMetric(method="plugin")
    with pytest.raises(DataError, match="BestMetric: the scores must be probabilities"):
        rule.curve(Y, np.array(scores, dtype=float))


def three_classes(n=300):
    rng = np.random.default_rng(1)
    P = rng.dirichlet([4.0, 1.0, 0.4], size=n)
    return (P.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1), P


@pytest.mark.parametrize(
    ("rule", "name", "measure"),
    [
        (BestMetric("f1"), "f1_macro", lambda y, g: f1_score(y, g, average="macro")),
        (BestMetric("f1", average="weighted"), "f1_weighted",
         lambda y, g: f1_score(y, g, average="weighted")),
        (BestMetric("f1", average="micro"), "f1_micro",
         lambda y, g: f1_score(y, g, average="micro")),
        (BestMetric("mcc", average="micro"), "mcc", matthews_corrcoef),
        (BestMetric("balanced_accuracy"), "balanced_accuracy", balanced_accuracy_score),
        (BestMetric("gmean", average="weighted"), None, None),
    ],
)  # fmt: skip
def test_many_classes_are_weighed(rule, name, measure):
    codes, P = three_classes()
    decision = rule.class_decision(codes, P, classes=["a", "b", "c"], random_state=0)
    assert decision.classes == ("a", "b", "c")
    if measure is None:
        measure = gmean_score
        name = "gmean"
    assert decision.name == name
    assert decision.value == pytest.approx(measure(codes, decision(P)), rel=1e-12)
    assert decision.value >= measure(codes, P.argmax(axis=1))
    grid = [np.array([1.0, u, v]) for u in np.logspace(-1, 2, 13) for v in np.logspace(-1, 2, 13)]
    best_of_grid = max(measure(codes, (P * weights).argmax(axis=1)) for weights in grid)
    assert decision.value >= best_of_grid - 0.02


def test_of_two_classes_the_weights_make_the_same_decisions_as_the_threshold():
    codes, P = three_classes()
    codes, p = (codes > 0).astype(int), 1 - P[:, 0]
    rule = BestMetric("accuracy")
    decision = rule.class_decision(codes, np.column_stack([1 - p, p]), classes=[0, 1])
    curve = rule.curve(codes == 1, p)
    assert decision.value == pytest.approx(curve.objective.max())
    assert accuracy_score(codes, p >= rule.threshold(curve)) == pytest.approx(decision.value)


def test_weights_count_rows_of_many_classes_too():
    codes, P = three_classes(80)
    times = np.random.default_rng(0).integers(1, 4, codes.size)
    weighted = BestMetric().class_decision(codes, P, times.astype(float), classes=[0, 1, 2])
    repeated = BestMetric().class_decision(
        codes.repeat(times), P.repeat(times, 0), classes=[0, 1, 2]
    )
    assert weighted.value == pytest.approx(repeated.value, rel=1e-12)


def test_the_plug_in_method_refuses_many_classes():
    codes, P = three_classes(20)
    with pytest.raises(DataError, match="Only binary classification .* Got 3 classes"):
        BestMetric(method="plugin").class_decision(codes, P, classes=[0, 1, 2])


def test_beta_reaches_many_classes():
    codes, P = three_classes()
    two = BestMetric("fbeta", beta=2.0).class_decision(codes, P, classes=[0, 1, 2])
    one = BestMetric("f1").class_decision(codes, P, classes=[0, 1, 2])
    assert two.name == "fbeta_macro"
    assert two.value != one.value


def test_the_mean_of_folds_has_a_plug_in_threshold():
    # What pooling="curve" hands over is a plain curve.
    curve = Curve(np.array([np.inf, 0.9, 0.4]), np.array([0.0, 0.5, 0.6]), 0.2)
    assert BestMetric(method="plugin").threshold(curve) == 0.3


def test_many_cut_offs_are_evaluated_in_parts_and_all_of_them():
    tp = np.arange(70_000.0)
    counts = Counts(tp=tp, fp=tp[::-1], fn=70_000 - tp, tn=tp + 1)
    for name in ("mcc", "gmean"):
        np.testing.assert_array_equal(
            BestMetric(name).objective(counts), get_metric(name).of(counts)
        )
