"""The ranked probability loss: squared distances of sums of probabilities, boundary by boundary."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, make_scorer
from sklearn.model_selection import cross_val_score

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import get_scorer, ranked_probability_loss, rare_brier_loss

STAGES = np.array(["look", "cart", "buy", "again"])
CASES = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(1, 12))


def draw(seed, n_classes, n_rows):
    rng = np.random.default_rng(seed)
    prob = rng.dirichlet(np.full(n_classes, 0.5), n_rows)
    return rng.integers(0, n_classes, n_rows), prob, rng.integers(0, 4, n_rows)


def explicit(truth, prob):
    """One entry a boundary, by sums over classes and rows."""
    n_classes = len(prob[0])
    out = []
    for boundary in range(n_classes - 1):
        total = 0.0
        for row, k in zip(prob, truth, strict=True):
            upto = sum(row[: boundary + 1])
            total += (upto - (1.0 if k <= boundary else 0.0)) ** 2
        out.append(total / len(truth))
    return out


@settings(max_examples=80, deadline=None)
@given(CASES)
def test_it_is_the_sum_of_its_definition(case):
    truth, prob, times = draw(*case)
    labels = np.arange(case[1])
    each = explicit(truth.tolist(), prob.tolist())
    got = ranked_probability_loss(truth, prob, labels=labels, average=None)
    assert got.tolist() == pytest.approx(each, abs=1e-14)
    assert ranked_probability_loss(truth, prob, labels=labels) == pytest.approx(np.mean(each))
    named = [f"z{k}" for k in labels[::-1]]
    again = ranked_probability_loss([named[k] for k in truth], prob, labels=named, average=None)
    assert again.tolist() == got.tolist()
    # The last boundary is the last class's Brier score, bit for bit.
    assert got[-1] == pytest.approx(rare_brier_loss(truth, prob, labels=labels), rel=1e-14)
    if times.any():
        weighted = ranked_probability_loss(truth, prob, labels=labels, sample_weight=times)
        rows = np.repeat(np.arange(truth.size), times)
        expected = np.mean(explicit(truth[rows].tolist(), prob[rows].tolist()))
        assert weighted == pytest.approx(expected, abs=1e-14)


def test_two_classes_have_the_brier_score():
    truth, prob, weight = draw(0, 2, 50)
    expected = brier_score_loss(truth, prob[:, 1], sample_weight=weight)
    assert ranked_probability_loss(truth, prob, sample_weight=weight) == pytest.approx(expected)
    got = ranked_probability_loss(truth, prob[:, 1], sample_weight=weight)
    assert got == pytest.approx(expected)
    names = STAGES[truth]
    got = ranked_probability_loss(names, prob[:, 1], pos_label="cart", sample_weight=weight)
    assert got == pytest.approx(expected)
    alone = ranked_probability_loss(truth, prob[:, 1], average=None, sample_weight=weight)
    assert alone.tolist() == pytest.approx([expected])


def test_near_misses_cost_less_and_the_order_matters():
    sure = np.eye(4)
    losses = [ranked_probability_loss([3], sure[[k]], labels=range(4)) for k in range(4)]
    assert losses == pytest.approx([1, 2 / 3, 1 / 3, 0])
    flipped = [
        ranked_probability_loss([3], sure[[k]][:, ::-1], labels=[3, 2, 1, 0]) for k in range(4)
    ]
    assert flipped == pytest.approx(losses)


def test_it_is_proper():
    truth = np.array([0.6, 0.3, 0.08, 0.02])
    rng = np.random.default_rng(0)

    def expected_loss(forecast):
        each = [ranked_probability_loss([k], [forecast], labels=range(4)) for k in range(4)]
        return truth @ each

    best = expected_loss(truth)
    for other in rng.dirichlet(np.ones(4), 50):
        assert expected_loss(0.9 * truth + 0.1 * other) > best


def test_small_probabilities_of_the_last_class_are_kept():
    prob = np.array([[1 - 1e-12, 1e-12 - 1e-20, 1e-20]])
    got = ranked_probability_loss([0], prob, average=None, labels=range(3))
    assert got.tolist() == pytest.approx([1e-24, 1e-40], rel=1e-6)


def test_columns_are_not_guessed_where_models_differ_in_their_order():
    # A learner of ordered classes keeps the order of a categorical, any other one sorts.
    truth, prob, _ = draw(1, 4, 20)
    expected = ranked_probability_loss(truth, prob, labels=range(4))
    y = pd.Categorical.from_codes(truth, STAGES, ordered=True)
    enum = pl.Series(STAGES[truth].tolist(), dtype=pl.Enum(STAGES.tolist()))
    for each in (y, pd.Series(y, index=np.arange(20) + 5), enum):
        with pytest.raises(DataError, match="labels must be given where the order.*'look', 'cart'"):
            ranked_probability_loss(each, prob)
        assert ranked_probability_loss(each, prob, labels=STAGES) == pytest.approx(expected)
    with pytest.raises(DataError, match="the order of classes that are strings must be known"):
        ranked_probability_loss(y.as_unordered(), prob)
    # Sorted, both kinds of learner agree, and classes without a row keep their columns.
    y = pd.Categorical.from_codes(truth, list("abcd"), ordered=True)
    assert ranked_probability_loss(y, prob) == pytest.approx(expected)
    some = truth < 3
    expected = ranked_probability_loss(truth[some], prob[some], labels=range(4))
    assert ranked_probability_loss(y[some], prob[some]) == pytest.approx(expected)


def test_scorers_of_ordered_classes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    grade = np.digitize(X[:, 0] + rng.normal(size=120), [0, 1])
    model = LogisticRegression()
    own = make_scorer(
        ranked_probability_loss, response_method="predict_proba", greater_is_better=False
    )
    scores = cross_val_score(model, X, grade, scoring=own, cv=3)
    assert scores == pytest.approx(
        cross_val_score(model, X, grade, scoring=get_scorer("ranked_probability"), cv=3)
    )
    assert (scores < 0).all()
    # Columns in the order of letters, which is not that of the grades: labels say so.
    names = np.array(["a-last", "c-first", "b-middle"])[[1, 2, 0]][grade]
    fitted = model.fit(X, names)
    prob = fitted.predict_proba(X)[:, [2, 1, 0]]
    expected = ranked_probability_loss(grade, prob)
    got = ranked_probability_loss(names, prob, labels=["c-first", "b-middle", "a-last"])
    assert got == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y", "prob", "options", "words"),
    [
        (["a", "b"], np.eye(2), {}, "order of classes that are strings.*labels=, the classes"),
        ([0, 1], np.eye(3)[:2], {}, "one column for each class.*3 columns"),
        ([0, 3], np.eye(3)[:2], {"labels": [0, 1, 2]}, "labels must name every class.*3"),
        ([0, 1], np.eye(2) * 0.5, {}, "sum to 1"),
        ([0, 1], [0.5, 1.5], {}, "must hold probabilities"),
        ([0, 1], [np.nan, 0.5], {}, "must hold probabilities"),
        ([0, 1, 1], [0.5, 0.5], {}, "same length.*3 and 2"),
        (["a", "b"], [0.5, 0.5], {}, "pos_label may be left out only"),
        ([0, 0], np.ones((2, 1)), {}, "two or more ordered classes"),
        ([0, 1], [0.5, 0.5], {"sample_weight": [-1, 1]}, "sample_weight must be finite"),
    ],
)
def test_bad_input(y, prob, options, words):
    with pytest.raises(DataError, match=f"ranked_probability_loss: .*{words}"):
        ranked_probability_loss(y, prob, **options)


def test_bad_average():
    with pytest.raises(InvalidParameterError, match="average must be one of 'macro', None"):
        ranked_probability_loss([0, 1], [0.1, 0.9], average="weighted")
