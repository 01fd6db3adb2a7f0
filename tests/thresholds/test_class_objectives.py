"""Objectives of several classes: the metric itself, and the same along every sequence of moves."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import Counts, count_metric, f1_score, gmean_score, precision_score
from imbkit.thresholds import _class_objectives
from imbkit.thresholds._class_moves import Moves, one_against_rest
from imbkit.thresholds._class_objectives import cost_objective, metric_objective


def plain_f1(tp, fp, fn, tn):
    return 2 * tp / (2 * tp + fp + fn)


def smooth_f1(tp, fp, fn, tn):
    return 2 * tp / (2 * tp + fp + fn + 1e-3)


COST = np.random.default_rng(5).gamma(1.0, 3.0, size=(4, 4)) - 1.0
OBJECTIVES = {
    "f1 macro": metric_objective("f1"),
    "f1 weighted": metric_objective("f1", "weighted"),
    "f1 micro": metric_objective("f1", "micro"),
    "fbeta": metric_objective("fbeta", beta=3.0),
    "specificity micro": metric_objective("specificity", "micro"),
    "precision without alerts": metric_objective("precision", zero_division=np.nan),
    "precision weighted": metric_objective("precision", "weighted", zero_division=np.nan),
    "mcc": metric_objective("mcc"),
    "mcc macro": metric_objective("mcc", "macro"),
    "kappa": metric_objective("cohen_kappa"),
    "gmean": metric_objective("gmean"),
    "gmean corrected": metric_objective("gmean", correction=0.01),
    "accuracy": metric_objective("accuracy"),
    "balanced accuracy": metric_objective("balanced_accuracy"),
    "function": metric_objective(smooth_f1),
    "function weighted": metric_objective(smooth_f1, "weighted"),
    "function with NaN": metric_objective(plain_f1),
    "cost": cost_objective(COST),
}


@st.composite
def tables(draw, max_rows=12):
    """Rows of up to four classes, what they are predicted as, and weights."""
    n = draw(st.integers(1, max_rows))
    codes = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    weights = st.sampled_from([0.1, 0.3, 0.7, 1.0, 50.0])
    weight = draw(st.none() | st.lists(weights, min_size=n, max_size=n))
    weight = np.ones(n) if weight is None else np.array(weight)
    return np.array(draw(codes)), np.array(draw(codes)), weight


def confusion_of(truth, guess, weight, n_classes=4):
    out = np.zeros((n_classes, n_classes))
    for g, t, w in zip(guess, truth, weight, strict=True):
        out[g, t] += w
    return out


@pytest.mark.parametrize("name", OBJECTIVES)
@settings(max_examples=30)
@given(tables(), st.integers(0, 3), st.integers(1, 5))
def test_along_moves_it_is_the_value_of_every_state(name, table, target, n_columns):
    objective = OBJECTIVES[name]
    truth, guess, weight = table
    movers = np.flatnonzero(guess != target)[: truth.size * 3 // 4 + 1]
    still = np.setdiff1d(np.arange(truth.size), movers)
    stay = confusion_of(truth[still], guess[still], weight[still])
    moves = Moves(target, stay, guess[movers], truth[movers], weight[movers])
    _class_objectives._CHUNK, before = 4 * n_columns, _class_objectives._CHUNK
    try:
        found = objective.along(moves)
    finally:
        _class_objectives._CHUNK = before
    now, expected = guess.copy(), []
    for moved in [None, *movers]:
        if moved is not None:
            now[moved] = target
        expected.append(objective.value(confusion_of(truth, now, weight)))
    scale = np.abs(COST).max() * weight.sum() if name == "cost" else 1.0
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * scale)


def by_scikit_learn(name, truth, guess, weight):
    """The metric by another library, or by hand."""
    means = {"f1 macro": "macro", "f1 weighted": "weighted", "f1 micro": "micro"}
    if name in means:
        return sklearn.metrics.f1_score(
            truth, guess, average=means[name], zero_division=0, sample_weight=weight
        )
    if name == "fbeta":
        return sklearn.metrics.fbeta_score(
            truth, guess, beta=3, average="macro", zero_division=0, sample_weight=weight
        )
    if name == "mcc":
        if np.unique([*truth, *guess]).size == 1:  # scikit-learn warns
            return 0.0
        return sklearn.metrics.matthews_corrcoef(truth, guess, sample_weight=weight)
    if name == "accuracy":
        return sklearn.metrics.accuracy_score(truth, guess, sample_weight=weight)
    if name == "balanced accuracy":
        return sklearn.metrics.recall_score(
            truth, guess, labels=np.unique(truth), average="macro", sample_weight=weight
        )
    if name == "gmean":
        recalls = sklearn.metrics.recall_score(
            truth, guess, average=None, zero_division=0, sample_weight=weight
        )
        return np.prod(recalls) ** (1 / recalls.size)
    return -sum(w * COST[g, t] for g, t, w in zip(guess, truth, weight, strict=True))


@pytest.mark.parametrize(
    "name",
    ["f1 macro", "f1 weighted", "f1 micro", "fbeta", "mcc", "accuracy", "balanced accuracy",
     "gmean", "cost"],
)  # fmt: skip
@settings(max_examples=25)
@given(tables())
def test_the_value_is_the_metric_of_the_predictions(name, table):
    truth, guess, weight = table
    value = OBJECTIVES[name].value(confusion_of(truth, guess, weight))
    assert value == pytest.approx(by_scikit_learn(name, *table), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "average"),
    [("specificity", "micro"), ("gmean", "macro"), ("jaccard", "weighted"), ("cohen_kappa", "auto"),
     ("npv", "macro"), ("iba", "macro"), ("mcc", "multiclass")],
)  # fmt: skip
@settings(max_examples=20)
@given(tables())
def test_the_value_is_what_the_metric_gives_when_it_is_called(metric, average, table):
    truth, guess, weight = table
    objective = metric_objective(metric, average)
    counted = _class_objectives.get_metric(metric)
    how = "macro" if average == "auto" and counted.over == "counts" else average
    expected = counted(truth, guess, average=how, sample_weight=weight)
    value = objective.value(confusion_of(truth, guess, weight))
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_metric_to_be_minimised_is_negated():
    @count_metric(greater_is_better=False)
    def miss_rate(counts):
        return 1 - counts.tpr

    @count_metric(greater_is_better=False, over="classes")
    def error_rate(classes):
        return 1 - classes.tp.sum(axis=0) / classes.total[0]

    table = confusion_of([0, 0, 1, 2], [0, 1, 1, 1], np.ones(4))
    for metric, average, value in (
        (miss_rate, "macro", -0.5),
        (miss_rate, "micro", -0.5),
        (error_rate, "auto", -0.5),
    ):
        objective = metric_objective(metric, average)
        assert not objective.greater_is_better
        assert objective.value(table) == value
    assert not cost_objective(COST).greater_is_better


def test_counts_of_no_rows_are_exactly_zero():
    # 0.1 + 0.2 + 0.3 leaves a speck if what has been added is taken away again.
    weight = np.array([0.1, 0.2, 0.3, 0.7])
    moves = Moves(2, np.zeros((3, 3)), np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), weight)
    states = moves.states()
    for counts, empty in ((states.others, [3, 5]), (states.target, [0])):
        assert (counts.alerts[empty] == 0).all()
    assert states.target.tn[-1] == 0
    table = list(states.tables(2))
    assert [part.tp.shape for part in table] == [(3, 2), (3, 2), (3, 1)]
    np.testing.assert_array_equal(table[-1].tp[:, 0], [0, 0, 0])
    np.testing.assert_array_equal((table[-1].alerts[:2]), 0)


@settings(max_examples=20)
@given(tables())
def test_one_class_against_the_rest(table):
    truth, guess, weight = table
    counts = one_against_rest(confusion_of(truth, guess, weight))
    for k in range(4):
        cells = {
            "tp": (truth == k) & (guess == k),
            "fp": (truth != k) & (guess == k),
            "fn": (truth == k) & (guess != k),
            "tn": (truth != k) & (guess != k),
        }
        for name, rows in cells.items():
            found = getattr(counts, name)[k]
            assert found == pytest.approx(weight[rows].sum(), rel=1e-12)
            assert (found == 0) == (not rows.any())


def test_names():
    names = {key: objective.name for key, objective in OBJECTIVES.items()}
    assert names["f1 macro"] == "f1_macro"
    assert names["f1 micro"] == "f1_micro"
    assert names["mcc"] == "mcc"
    assert names["mcc macro"] == "mcc_macro"
    assert names["function weighted"] == "smooth_f1_weighted"
    assert names["cost"] == "cost"
    assert metric_objective(lambda tp, fp, fn, tn: tp).name == "objective_macro"
    assert metric_objective(sklearn.metrics.f1_score).name == "f1_macro"
    assert metric_objective(gmean_score).name == "gmean"


def test_where_a_function_is_undefined_for_a_class_that_occurs_there_is_no_value():
    def precision(tp, fp, fn, tn):
        return tp / (tp + fp)

    table = confusion_of([0, 1, 1], [0, 0, 0], np.ones(3))
    assert np.isnan(metric_objective(precision).value(table))
    skipping = metric_objective(precision_score, zero_division=np.nan)
    assert skipping.value(table) == pytest.approx(1 / 3)
    # Class 3 has no row and is never predicted: it has no part in the mean.
    table = confusion_of([0, 1], [0, 1], np.ones(2))
    assert metric_objective(precision).value(table) == 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metric_objective("f2"), "metric must be a count metric, its name"),
        (lambda: metric_objective(Counts), "metric must be a count metric, its name"),
        (lambda: metric_objective("f1", "multiclass"), "average of f1 must be one of 'auto'"),
        (lambda: metric_objective("mcc", "binary"), "average of mcc must be one of"),
        (lambda: metric_objective(f1_score, beta=2.0), "parameters of the formula"),
        (lambda: metric_objective("fbeta", beta=-1.0), "beta must be above zero"),
        (lambda: metric_objective(smooth_f1, "micro"), "a mean over the classes"),
        (lambda: metric_objective(smooth_f1, beta=2), "a mean over the classes"),
        (lambda: cost_objective([[0, 1]]), "square and finite"),
        (lambda: cost_objective([[0, np.nan], [1, 0]]), "square and finite"),
        (lambda: cost_objective(COST).value(np.zeros((3, 3))), "must be 3 x 3"),
        (
            lambda: metric_objective(lambda tp, fp, fn, tn: 1.0).value(np.ones((2, 2))),
            "one value for each of the 2 counts",
        ),
    ],
)
def test_what_cannot_be_an_objective_is_refused(call, words):
    with pytest.raises(InvalidParameterError, match=words):
        call()
