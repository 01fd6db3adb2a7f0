"""Losses of one class's probability equal scikit-learn's of that class against the rest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from imbkit.exceptions import DataError
from imbkit.metrics import (
    brier_skill_score,
    get_scorer,
    log_loss_skill_score,
    rare_brier_loss,
    rare_log_loss,
)

STAGES = ["look", "cart", "buy"]
PAIRS = [(rare_log_loss, log_loss), (rare_brier_loss, brier_score_loss)]
BOTH = [rare_log_loss, rare_brier_loss]


def draw(seed=0, n_rows=60, n_classes=3):
    rng = np.random.default_rng(seed)
    prob = rng.dirichlet([3, 1, 0.3], n_rows)
    return rng.choice(n_classes, n_rows, p=[0.7, 0.2, 0.1]), prob, rng.integers(0, 3, n_rows)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
@pytest.mark.parametrize(("metric", "theirs"), PAIRS)
def test_each_class_equals_scikit_learn(metric, theirs, seed):
    truth, prob, weight = draw(seed)
    weight[0] = 1
    for k in range(3):
        options = {"sample_weight": weight, "labels": [False, True]}
        expected = theirs(truth == k, prob[:, k], **options)
        got = metric(truth, prob, pos_label=k, labels=[0, 1, 2], sample_weight=weight)
        assert got == pytest.approx(expected, rel=1e-9)
        column = metric(truth == k, prob[:, k], sample_weight=weight)
        assert column == pytest.approx(got, rel=1e-12)
    last = metric(truth, prob, labels=[0, 1, 2], sample_weight=weight)
    assert last == pytest.approx(got)
    rows = np.repeat(np.arange(60), weight)
    assert metric(truth[rows], prob[rows], labels=[0, 1, 2]) == pytest.approx(got)


@pytest.mark.parametrize("metric", BOTH)
def test_the_last_class_is_the_last_of_the_order(metric):
    truth, prob, _ = draw()
    named = np.array(STAGES)[truth]
    expected = metric(truth == 2, prob[:, 2])
    assert metric(truth, prob) == pytest.approx(expected)
    assert metric(named, prob, labels=STAGES) == pytest.approx(expected)
    y = pd.Categorical.from_codes(truth, STAGES, ordered=True)
    for options in ({}, {"pos_label": "buy"}):
        with pytest.raises(DataError, match="labels must be given where the order"):
            metric(y, prob, **options)
        assert metric(pd.Series(y), prob, labels=STAGES, **options) == pytest.approx(expected)
    y = pd.Categorical.from_codes(truth, list("abc"), ordered=True)
    assert metric(y, prob) == pytest.approx(expected)
    backwards = metric(named, prob[:, ::-1], labels=STAGES[::-1])
    assert backwards == pytest.approx(metric(truth == 0, prob[:, 0]))
    # A named class needs no order: the columns of letters are sorted, as a learner's are.
    letters = prob[:, [2, 1, 0]]
    assert metric(named, letters, pos_label="buy") == pytest.approx(expected)
    with pytest.raises(DataError, match="the order of classes that are strings must be known"):
        metric(named, letters)


@pytest.mark.parametrize("metric", BOTH)
def test_only_the_class_itself_counts(metric):
    truth, prob, _ = draw()
    other = prob.copy()
    other[:, :2] = other[:, 1::-1]
    assert metric(truth, other) == metric(truth, prob)
    # No row of it at all, and nothing but it.
    assert metric([0, 1], prob[:2], labels=[0, 1, 2]) > 0
    assert metric([2, 2], np.eye(3)[[2, 2]], labels=[0, 1, 2]) == pytest.approx(0, abs=1e-12)


def test_a_constant_has_the_value_that_the_docstrings_state():
    truth = np.repeat([0, 1], [99, 1])
    constant = np.full(100, 0.01)
    assert rare_log_loss(truth, constant) == pytest.approx(0.056, abs=5e-4)
    assert rare_brier_loss(truth, constant) == pytest.approx(0.0099)
    prob = np.where(truth, 0.3, 0.02)
    for loss, skill in (
        (rare_log_loss, log_loss_skill_score),
        (rare_brier_loss, brier_skill_score),
    ):
        assert 1 - loss(truth, prob) / loss(truth, constant) == pytest.approx(skill(truth, prob))


def test_confident_mistakes_stay_finite():
    least = np.finfo(float).eps
    got = rare_log_loss([2, 0], [[1, 0, 0], [0, 0, 1]], labels=[0, 1, 2])
    assert got == pytest.approx(-np.log(least))
    assert rare_log_loss([0], [[1 - 1e-9, 0, 1e-9]], labels=[0, 1, 2]) == pytest.approx(1e-9)
    assert rare_brier_loss([2, 0], [[1, 0, 0], [0, 0, 1]], labels=[0, 1, 2]) == 1.0


@pytest.mark.parametrize(("name", "metric"), [("rare_log_loss", BOTH[0]), ("rare_brier", BOTH[1])])
def test_scorers(name, metric):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2))
    grade = np.digitize(X[:, 0] + rng.normal(size=150), [0, 1])
    model = LogisticRegression().fit(X, grade)
    expected = -metric(grade == 2, model.predict_proba(X)[:, 2])
    assert get_scorer(name)(model, X, grade) == pytest.approx(expected)
    named = np.array(STAGES)[grade]
    model = LogisticRegression().fit(X, named)
    assert get_scorer(name, pos_label="buy")(model, X, named) == pytest.approx(expected, rel=1e-3)
    two = grade == 2
    model = LogisticRegression().fit(X, two)
    expected = -metric(two, model.predict_proba(X)[:, 1])
    assert get_scorer(name)(model, X, two) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y", "prob", "options", "words"),
    [
        (
            [0, 1, 2],
            np.eye(3),
            {"pos_label": 3},
            r"pos_label must be one of the classes.*Got 3 and",
        ),
        (["a", "b"], np.eye(2), {}, "order of classes that are strings"),
        (["a", "b"], [0.5, 0.5], {}, "pos_label may be left out only"),
        ([0, 1], np.eye(3)[:2], {}, "one column for each class"),
        ([0, 3], np.eye(3)[:2], {"labels": [0, 1, 2]}, "labels must name every class"),
        ([0, 1], [[0.5, 0.4], [0.1, 0.9]], {}, "sum to 1"),
        ([0, 1], [-0.5, 0.4], {}, "must hold probabilities"),
        ([0, 1, 1], [0.5, 0.5], {}, "same length"),
    ],
)
@pytest.mark.parametrize("metric", BOTH)
def test_bad_input(metric, y, prob, options, words):
    with pytest.raises(DataError, match=f"{metric.__name__}: .*{words}"):
        metric(y, prob, **options)
