"""Decisions on several labels a row, against each label and each pair looked at by itself."""

import numpy as np
import pytest
import scipy.sparse
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neural_network import MLPClassifier

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.thresholds import BestMetric, LowestCost
from imbkit.thresholds._labels_decision import (
    LabelsDecision,
    label_probabilities,
    per_label,
    shared,
    top_k,
)


@st.composite
def tables(draw, n_labels=3):
    n = draw(st.integers(2, 12))
    shape = {"min_size": n * n_labels, "max_size": n * n_labels}
    truth = np.array(draw(st.lists(st.integers(0, 1), **shape))).reshape(n, n_labels)
    truth[0], truth[1] = 0, 1
    level = st.sampled_from([0.0, 0.1, 0.3, 0.30000001, 0.8, 1.0])
    P = np.array(draw(st.lists(level, **shape))).reshape(n, n_labels)
    P = P.astype(draw(st.sampled_from([np.float32, np.float64])))
    weight = draw(st.none() | st.lists(st.integers(0, 3), min_size=n, max_size=n))
    if weight is not None:
        weight = np.array(weight, dtype=float)
        weight[:2] += 1
    return truth, P, weight


def f1(truth, guess, weight):
    weight = np.ones(len(truth)) if weight is None else weight
    hit, n, m = (weight @ each for each in (truth & guess, truth, guess))
    return np.where(n + m > 0, 2 * hit / np.maximum(n + m, 1e-9), 0.0)


@settings(max_examples=80)
@given(tables())
def test_each_label_has_its_own_best_threshold(table):
    truth, P, weight = table
    decision = per_label(BestMetric("f1"), truth, P, weight)
    attained = f1(truth, decision(P), weight)
    best = np.zeros(3)
    for label in range(3):
        for cut in [*np.unique(P[:, label]), np.inf]:
            guess = (P[:, label] >= cut).astype(int)
            best[label] = max(best[label], f1(truth[:, label], guess, weight))
    np.testing.assert_allclose(attained, best, rtol=1e-12)
    np.testing.assert_allclose(decision.values, best, rtol=1e-12)
    assert decision.value == pytest.approx(best.mean())


@settings(max_examples=80)
@given(tables())
def test_one_threshold_for_all_is_best_over_all_pairs(table):
    truth, P, weight = table
    decision = shared(BestMetric("f1"), truth, P, weight)
    assert np.unique(decision.thresholds).size == 1
    every = None if weight is None else np.repeat(weight, 3)
    best = max(
        f1(truth.ravel(), (P.ravel() >= cut).astype(int), every) for cut in [*np.unique(P), np.inf]
    )
    assert f1(truth.ravel(), decision(P).ravel(), every) == pytest.approx(best, rel=1e-12)
    assert decision.value == pytest.approx(best, rel=1e-12)
    if weight is None:
        micro = sklearn.metrics.f1_score(truth, decision(P), average="micro", zero_division=0)
        assert decision.value == pytest.approx(micro, rel=1e-12)


def test_a_cost_is_negated_and_printed_as_it_is():
    truth, P = np.array([[1, 0], [0, 1], [1, 1]]), np.array([[0.9, 0.2], [0.3, 0.1], [0.8, 0.7]])
    decision = per_label(LowestCost(1.0, 5.0), truth, P, classes=["a", "b"])
    assert decision.values.tolist() == [0, -1]
    assert decision.value == -0.5
    assert repr(decision) == "LabelsDecision('a' >= 0.55, 'b' >= 0.1, mean cost=0.5)"
    assert repr(shared(LowestCost(1.0, 5.0), truth, P)).endswith(", cost=2)")


@settings(max_examples=60)
@given(tables(), st.integers(1, 3))
def test_the_k_likeliest_labels(table, k):
    _, P, _ = table
    found = top_k(k)(P)
    for row, marks in zip(P, found, strict=True):
        by_hand = sorted(range(3), key=lambda label: (-row[label], label))[:k]
        assert np.flatnonzero(marks).tolist() == sorted(by_hand)


def test_a_threshold_is_compared_without_rounding():
    low = np.float32(0.3)
    high = np.nextafter(low, np.float32(1))
    between = (float(low) + float(high)) / 2
    assert LabelsDecision([between])(np.array([[low], [high]])).tolist() == [[0], [1]]
    assert LabelsDecision([np.inf, -np.inf])([[0.5, 0.5]]).tolist() == [[0, 1]]


def test_sparse_labels_and_single_labels():
    rng = np.random.default_rng(0)
    truth, P = rng.integers(0, 2, size=(30, 2)), rng.random((30, 2))
    plain = per_label(BestMetric(), truth, P)
    found = per_label(BestMetric(), scipy.sparse.csr_matrix(truth), P)
    np.testing.assert_array_equal(plain.thresholds, found.thresholds)
    one = per_label(BestMetric(), truth[:, :1] == 1, P[:, :1])
    assert one.thresholds.tolist() == plain.thresholds[:1].tolist()


def test_a_decision_can_be_read():
    assert repr(top_k(3)) == "LabelsDecision(3 likeliest of each row)"
    many = repr(LabelsDecision(np.linspace(0, 1, 12), name="f1", value=0.5))
    assert "7 >= 0.6364, ... 4 more, f1=0.5)" in many
    decision = LabelsDecision([0.5], classes=np.array(["x"]))
    assert decision.classes == ("x",)
    with pytest.raises(ValueError, match="read-only"):
        decision.thresholds[0] = 1


X, Y = make_multilabel_classification(200, n_features=6, n_classes=3, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        OneVsRestClassifier(LogisticRegression()),
        ClassifierChain(LogisticRegression()),
        MultiOutputClassifier(LogisticRegression()),
        RandomForestClassifier(10, random_state=0),
        MLPClassifier([4], max_iter=20, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_probabilities_of_every_kind_of_estimator_are_read(model):
    model.fit(X, Y)
    P = label_probabilities(model.predict_proba(X), 3)
    assert P.shape == (200, 3)
    # Those of presence, not of absence.
    assert sklearn.metrics.roc_auc_score(Y, P, average="macro") > 0.6
    decision = per_label(BestMetric("f1"), Y, P)
    plain = sklearn.metrics.f1_score(Y, P >= 0.5, average="macro")
    assert sklearn.metrics.f1_score(Y, decision(P), average="macro") >= plain
    assert decision.value == pytest.approx(
        sklearn.metrics.f1_score(Y, decision(P), average="macro")
    )


def test_a_label_that_the_estimator_saw_with_one_value_is_refused():
    single = Y.copy()
    single[:, 1] = 0
    raw = RandomForestClassifier(3, random_state=0).fit(X, single).predict_proba(X)
    with pytest.raises(DataError, match="one value only of label 1. Leave the label out"):
        label_probabilities(raw, 3)
    with pytest.raises(DataError, match="one value only of label 'billing'"):
        label_probabilities(raw, 3, classes=["urgent", "billing", "other"])


PAIR, TABLE = np.full((4, 2), 0.5), np.full((4, 3), 0.5)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([PAIR, PAIR], "a list of 2 arrays"),
        ([PAIR, PAIR, TABLE], "the two values 0 and 1"),
        ([PAIR, PAIR, PAIR[:, 0]], "the two values 0 and 1"),
        (PAIR, "3 columns, one a label"),
        (TABLE * np.nan, "must not be NaN"),
        ([PAIR, PAIR * np.nan, PAIR], "must not be NaN"),
        (TABLE.astype(str), "must be numbers"),
    ],
)
def test_what_are_no_probabilities_of_labels_is_refused(raw, words):
    with pytest.raises(DataError, match=words):
        label_probabilities(raw, 3)


TRUTH = np.array([[0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("choose", [per_label, shared])
@pytest.mark.parametrize(
    ("y", "P", "weight", "words"),
    [
        (TRUTH[:, 0], TABLE, None, "a table of 0 and 1"),
        (TRUTH + 1, TABLE, None, "a table of 0 and 1"),
        (TRUTH, TABLE[:, :2], None, "3 columns, one a label"),
        (TRUTH, TABLE[:3], None, "as many rows"),
        (TRUTH, TABLE, np.zeros(4), "must not be zero for every row"),
        (TRUTH * 0, TABLE, None, "no row"),
        (TRUTH * 0 + 1, TABLE, None, "every row"),
    ],
)
def test_tables_that_do_not_fit_are_refused(choose, y, P, weight, words):
    with pytest.raises(DataError, match=words):
        choose(BestMetric(), y, P, weight)


def test_a_label_with_one_class_is_named():
    truth = TRUTH.copy()
    truth[:, 2] = 0
    with pytest.raises(DataError, match="label 'rare' on no row"):
        per_label(BestMetric(), truth, TABLE, classes=["a", "b", "rare"])
    with pytest.raises(DataError, match="label 2 on no row"):
        per_label(BestMetric(), TRUTH, TABLE, np.array([1, 0, 1, 1]))
    # One threshold for all needs no more than some row with a label.
    assert shared(BestMetric(), truth, TABLE).thresholds.shape == (3,)


def test_a_rule_that_needs_values_of_rows_is_refused():
    with pytest.raises(InvalidParameterError, match="needs amount"):
        per_label(LowestCost(fn="amount"), TRUTH, TABLE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either the thresholds of the labels or their number k"),
        ({"thresholds": [0.5], "k": 1}, "either the thresholds"),
        ({"k": 0}, "an integer of 1 or more"),
        ({"k": 1.5}, "an integer of 1 or more"),
        ({"thresholds": []}, "one for each label"),
        ({"thresholds": [np.nan]}, "one for each label"),
        ({"thresholds": [[0.5]]}, "one for each label"),
        ({"thresholds": [0.5], "classes": ("a", "b")}, "one for each label"),
    ],
)
def test_what_decides_nothing_is_refused(arguments, words):
    with pytest.raises(InvalidParameterError, match=words):
        LabelsDecision(**arguments)


def test_a_table_of_other_labels_is_refused():
    with pytest.raises(DataError, match="2 columns, one a label"):
        LabelsDecision([0.5, 0.5])(TABLE)
    with pytest.raises(DataError, match="k=4 of 3 labels"):
        top_k(4)(TABLE)
    with pytest.raises(DataError, match="must be numbers in one column for each label"):
        top_k(1)(TABLE[0])
