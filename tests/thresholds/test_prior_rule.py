"""PriorRule: the threshold that the priors give, and the decisions it must agree with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import balanced_accuracy_score
from imbkit.thresholds import BestMetric, PriorRule

shares = st.floats(0.01, 0.99)


@settings(max_examples=200)
@given(shares, shares, st.sampled_from([0.0, 0.5, 1.0, 2.0]), shares)
def test_the_threshold_is_where_weighted_probabilities_cross(q, pi, tau, p):
    rule = PriorRule([1 - q, q], tau=tau).with_prior(np.array([1 - pi, pi]))
    y, scores = np.array([True, False]), np.array([p, p / 2])
    threshold = rule.threshold(rule.prepared(y).curve(y, scores))
    negative = (1 - p) * ((1 - q) / (1 - pi)) ** tau
    positive = p * (q / pi) ** tau
    if abs(positive - negative) > 1e-9:
        assert bool(rule.decide(scores, threshold)[0]) == (positive > negative)


def test_a_uniform_target_puts_the_threshold_at_the_prior():
    y, p = np.arange(100) < 7, np.linspace(0.9, 0.0, 100)
    rule = PriorRule()
    assert rule.threshold(rule.curve(y, p)) == pytest.approx(0.07, rel=1e-12)
    resampled = rule.with_prior(np.array([0.8, 0.2]))
    assert resampled.threshold(resampled.curve(y, p)) == pytest.approx(0.2, rel=1e-12)
    stated = PriorRule(train_prior=[0.6, 0.4]).with_prior(np.array([0.8, 0.2]))
    assert stated.threshold(stated.curve(y, p)) == pytest.approx(0.4, rel=1e-12)
    # Weights are rows.
    weight = np.where(y, 3.0, 1.0)
    assert rule.threshold(rule.curve(y, p, weight)) == pytest.approx(21 / 114, rel=1e-12)


@pytest.mark.parametrize("positive", [0, 1])
def test_the_prior_of_training_changes_no_prediction_not_even_ties(positive):
    X, y = make_classification(300, weights=[0.7], flip_y=0.3, random_state=0)
    model = DecisionTreeClassifier(max_depth=3, min_samples_leaf=10, random_state=0)
    # Two equal halves make leaves of exactly one half.
    model.fit(np.r_[X, X], np.r_[y, 1 - y])
    tied = model.predict_proba(X)
    assert (tied == 0.5).any()
    for rule in (PriorRule("train"), PriorRule(tau=0.0)):
        ready = rule.for_classes([0, 1], positive).prepared(y == positive)
        ready = ready.with_prior(np.array([0.35, 0.65]))
        p = tied[:, positive]
        alerts = ready.decide(p, ready.threshold(ready.curve(y == positive, p)))
        np.testing.assert_array_equal(np.where(alerts, positive, 1 - positive), model.predict(X))
        assert ready.threshold(ready.curve(y == positive, p)) == pytest.approx(0.5, abs=1e-15)


def test_priors_by_label_follow_the_positive_class():
    y, p = np.arange(50) < 10, np.linspace(1.0, 0.0, 50)
    prior = {"fraud": 0.25, "good": 0.75}
    by_label = PriorRule(prior, train_prior={"good": 0.9, "fraud": 0.1})
    first = by_label.for_classes(["fraud", "good"], 0)
    np.testing.assert_array_equal(first.target_prior, [0.75, 0.25])
    weights = np.array([0.75 / 0.9, 0.25 / 0.1])
    cut = first.threshold(first.curve(y, p))
    assert cut == pytest.approx(weights[0] / weights.sum(), rel=1e-12)
    second = by_label.for_classes(["fraud", "good"], 1)
    cut = second.threshold(second.curve(y, p))
    assert cut == pytest.approx(weights[1] / weights.sum(), rel=1e-12)
    # Without being told, the last label in order is the positive one, as everywhere.
    assert by_label.threshold(by_label.curve(y, p)) == cut


@settings(max_examples=50)
@given(st.lists(st.booleans(), min_size=2, max_size=30), shares, st.integers(0, 100))
def test_the_objective_is_the_accuracy_under_the_target_prior(labels, q, seed):
    y = np.array(labels)
    y[:2] = [True, False]
    rng = np.random.default_rng(seed)
    p, weight = rng.random(y.size).round(1), rng.integers(1, 4, y.size).astype(float)
    rule = PriorRule([1 - q, q])
    curve = rule.curve(y, p, weight)
    for cut in (np.inf, *np.unique(p)):
        alerts = p >= cut
        tpr = weight[y & alerts].sum() / weight[y].sum()
        tnr = weight[~y & ~alerts].sum() / weight[~y].sum()
        assert float(curve.at(cut)) == pytest.approx(q * tpr + (1 - q) * tnr, rel=1e-12)
    uniform = PriorRule().curve(y, p, weight)
    known = BestMetric("balanced_accuracy").curve(y, p, weight)
    np.testing.assert_allclose(uniform.objective, known.objective, rtol=1e-12)


def test_on_calibrated_probabilities_no_cut_off_is_better():
    rng = np.random.default_rng(0)
    p = rng.beta(0.6, 4.0, size=50_000)
    y = rng.random(p.size) < p
    for target in ("uniform", [0.7, 0.3], "train"):
        rule = PriorRule(target)
        curve = rule.curve(y, p)
        attained = float(curve.at(rule.threshold(curve)))
        assert attained >= curve.objective.max() - 0.002


def test_balanced_accuracy_is_no_worse_than_that_of_the_argmax():
    rng = np.random.default_rng(0)
    y = (rng.random(4000) < 0.1).astype(int)
    X = rng.normal(size=(4000, 3)) + y[:, None]
    P = GaussianNB().fit(X[:2000], y[:2000]).predict_proba(X[2000:])
    truth = y[2000:]
    rule = PriorRule().with_prior(np.bincount(y[:2000]) / 2000)
    alerts = P[:, 1] >= rule.threshold(rule.curve(truth == 1, P[:, 1]))
    plain = balanced_accuracy_score(truth, P.argmax(axis=1))
    assert balanced_accuracy_score(truth, alerts.astype(int)) > plain + 0.05


def three_classes(n=500):
    rng = np.random.default_rng(1)
    P = rng.dirichlet([4.0, 1.0, 0.4], size=n)
    return (P.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1), P


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
def test_many_classes_are_weighed_by_their_priors(tau):
    codes, P = three_classes()
    weight = np.random.default_rng(0).integers(1, 4, codes.size).astype(float)
    target, trained = np.array([0.2, 0.3, 0.5]), np.array([0.7, 0.2, 0.1])
    by_label = dict(zip("abc", target.tolist(), strict=True))
    rule = PriorRule(by_label, tau=tau)
    chosen = rule.class_decision(codes, P, weight, classes=["a", "b", "c"], prior=trained)
    guess = (P * (target / trained) ** tau).argmax(axis=1)
    np.testing.assert_array_equal(chosen(P), guess)
    recalls = [
        weight[(codes == k) & (guess == k)].sum() / weight[codes == k].sum() for k in range(3)
    ]
    assert chosen.value == pytest.approx(target @ recalls, rel=1e-12)
    assert chosen.name == "accuracy_at_prior"


def test_many_classes_under_the_prior_of_training_are_the_argmax():
    codes, P = three_classes()
    P[:50] = [0.4, 0.4, 0.2]
    for rule in (PriorRule("train"), PriorRule([0.2, 0.3, 0.5], tau=0)):
        chosen = rule.class_decision(codes, P, classes=[0, 1, 2])
        np.testing.assert_array_equal(chosen(P), P.argmax(axis=1))
    uniform = PriorRule().class_decision(codes, P, classes=[0, 1, 2])
    buda = (P / np.bincount(codes)).argmax(axis=1)
    np.testing.assert_array_equal(uniform(P), buda)
    stated = PriorRule(train_prior=[0.5, 0.4, 0.1])
    other = stated.class_decision(codes, P, classes=[0, 1, 2], prior=np.array([0.8, 0.1, 0.1]))
    np.testing.assert_array_equal(other(P), (P / [0.5, 0.4, 0.1]).argmax(axis=1))


def test_a_class_that_training_never_showed_is_never_predicted():
    codes, P = three_classes(60)
    P[:, 2] = 0.0
    rule = PriorRule()
    chosen = rule.class_decision(codes, P, classes=[0, 1, 2], prior=np.array([0.8, 0.2, 0.0]))
    assert set(chosen(P)) <= {0, 1}
    assert np.isfinite(chosen.weights).all()


Y = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (PriorRule("even"), "target_prior must be"),
        (PriorRule([0.5, 0.0]), "target_prior must be finite and above 0"),
        (PriorRule([0.5, 0.6]), "target_prior must sum to one"),
        (PriorRule([0.2, 0.3, 0.5]), "target_prior must have one share for each of the 2"),
        (PriorRule({0: 0.2, 1: 0.3, 2: 0.5}), "target_prior must have the classes 0, 1"),
        (PriorRule({0: 0.2}), "target_prior must have the classes 0, 1"),
        (PriorRule(0.5), "target_prior must have one share"),
        (PriorRule(train_prior=[1.0, 0.0]), "train_prior must be finite and above 0"),
        (PriorRule(train_prior="uniform"), "train_prior must be a mapping, an array or None"),
        (PriorRule(tau=-1.0), "tau must be a finite number from 0"),
        (PriorRule(tau=np.inf), "tau must be"),
        (PriorRule(tau=True), "tau must be"),
        (PriorRule(tau="1"), "tau must be"),
    ],
)
def test_bad_parameters_are_refused(rule, words):
    with pytest.raises(InvalidParameterError, match=f"PriorRule: .*{words}"):
        rule.prepared(Y)


def test_priors_of_other_classes_are_refused():
    with pytest.raises(InvalidParameterError, match="target_prior must have the classes 'a', 'b'"):
        PriorRule({"a": 0.5, "c": 0.5}).for_classes(["a", "b"], 1)
    codes, P = three_classes(20)
    with pytest.raises(InvalidParameterError, match="train_prior must have one share for each of"):
        PriorRule(train_prior=[0.5, 0.5]).class_decision(codes, P, classes=[0, 1, 2])


def test_scores_must_be_probabilities():
    assert PriorRule.needs_probabilities
    assert PriorRule().uses_prior
    assert not PriorRule(train_prior=[0.9, 0.1]).uses_prior
    with pytest.raises(DataError, match="PriorRule: the scores must be probabilities"):
        PriorRule().curve(Y, np.array([-1.0, 0.2, 3.0, 0.1]))


def test_it_is_cloned_and_searched():
    rule = clone(PriorRule({0: 0.5, 1: 0.5}, tau=0.5)).set_params(tau=0.25)
    assert rule.get_params() == {
        "target_prior": {0: 0.5, 1: 0.5}, "tau": 0.25, "train_prior": None,
    }  # fmt: skip
