import warnings

import imblearn.metrics
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

import imbkit.metrics as ours
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import Counts

LABEL = st.integers(0, 3)
WEIGHT = st.sampled_from([0.25, 1.0, 2.0])
ROWS = st.lists(st.tuples(LABEL, LABEL, WEIGHT), min_size=1, max_size=25)
BINARY = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), WEIGHT), min_size=1, max_size=15)
NAMES = np.array(["ant", "bee", "cow", "dog"])


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


def quiet(function, *args, **options):
    """Their value, without their warnings about ratios of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **options)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
@pytest.mark.parametrize("zero_division", [0.0, 1.0, np.nan])
@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("precision_score", {}),
        ("recall_score", {}),
        ("f1_score", {}),
        ("fbeta_score", {"beta": 0.3}),
        ("fbeta_score", {"beta": 2.0}),
        ("fbeta_score", {"beta": np.inf}),
        ("jaccard_score", {}),
    ],
)
@settings(max_examples=15)
@given(ROWS, st.sampled_from([None, [0, 1], [3, 0]]))
def test_averages_equal_scikit_learn(name, extra, average, zero_division, rows, labels):
    truth, guess, weight = columns(rows)
    if labels is not None and not {*truth, *guess} & set(labels):
        labels = None
    if name == "jaccard_score" and np.isnan(zero_division):
        zero_division = 0.0
    if labels is not None:
        labels = NAMES[labels]
    options = {"average": average, "zero_division": zero_division, "labels": labels, **extra}
    got = getattr(ours, name)(NAMES[truth], NAMES[guess], sample_weight=weight, **options)
    if name == "jaccard_score" and average == "weighted" and labels is not None:
        return  # scikit-learn returns 0 where the chosen classes have no row
    expected = quiet(
        getattr(sklearn.metrics, name), NAMES[truth], NAMES[guess], sample_weight=weight, **options
    )
    np.testing.assert_allclose(got, expected, atol=1e-12)


@settings(max_examples=100)
@given(BINARY, st.sampled_from([0, 1]), st.sampled_from([0.0, 1.0]))
def test_binary_equals_scikit_learn(rows, positive, zero_division):
    truth, guess, weight = columns(rows)
    options = {"pos_label": positive, "sample_weight": weight, "zero_division": zero_division}
    for name in ("precision_score", "recall_score", "f1_score", "jaccard_score"):
        expected = quiet(getattr(sklearn.metrics, name), truth, guess, **options)
        assert getattr(ours, name)(truth, guess, **options) == pytest.approx(expected), name
    expected = quiet(
        sklearn.metrics.recall_score, truth, guess, **options | {"pos_label": 1 - positive}
    )
    assert ours.specificity_score(truth, guess, **options) == pytest.approx(expected)
    expected = quiet(
        sklearn.metrics.precision_score, truth, guess, **options | {"pos_label": 1 - positive}
    )
    assert ours.npv_score(truth, guess, **options) == pytest.approx(expected)


@settings(max_examples=100)
@given(ROWS)
def test_metrics_of_all_classes_equal_scikit_learn(rows):
    truth, guess, weight = columns(rows)
    for name in ("accuracy_score", "balanced_accuracy_score"):
        expected = quiet(getattr(sklearn.metrics, name), truth, guess, sample_weight=weight)
        assert getattr(ours, name)(truth, guess, sample_weight=weight) == pytest.approx(expected)


@settings(max_examples=100)
@given(ROWS, st.sampled_from([0.0, 0.001]))
def test_gmean_equals_imbalanced_learn(rows, correction):
    truth, guess, weight = columns(rows)
    options = {"sample_weight": weight, "correction": correction}
    expected = quiet(imblearn.metrics.geometric_mean_score, truth, guess, **options)
    assert ours.gmean_score(truth, guess, **options) == pytest.approx(float(expected))


@pytest.mark.usefixtures("imbalanced_learn")
@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
@settings(max_examples=40)
@given(ROWS)
def test_specificity_equals_imbalanced_learn_without_weights(average, rows):
    truth, guess, _ = columns(rows)
    expected = quiet(imblearn.metrics.specificity_score, truth, guess, average=average)
    np.testing.assert_allclose(ours.specificity_score(truth, guess, average=average), expected)


@pytest.mark.usefixtures("imbalanced_learn")
@pytest.mark.parametrize("average", ["binary", "macro", "micro", "weighted"])
def test_weighted_specificity_of_imbalanced_learn_takes_rows_for_weights(average):
    truth, guess = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0])
    weight = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    theirs = quiet(
        imblearn.metrics.specificity_score, truth, guess, average=average, sample_weight=weight
    )
    repeated = [np.repeat(column, weight.astype(int)) for column in (truth, guess)]
    right = imblearn.metrics.specificity_score(*repeated, average=average)
    ours_ = ours.specificity_score(truth, guess, average=average, sample_weight=weight)
    assert ours_ == pytest.approx(right)
    assert theirs != pytest.approx(right)
    # The defect is the one that the docstring states, and nothing else.
    if average == "binary":
        tn = truth.size - (weight.sum() - 3.0)
        assert theirs == pytest.approx(tn / (tn + 3.0))
    scaled = weight * truth.size / weight.sum()
    theirs = imblearn.metrics.specificity_score(truth, guess, average=average, sample_weight=scaled)
    assert theirs == pytest.approx(right)


def test_gmean_of_a_thousand_classes_does_not_underflow():
    y_true = np.repeat(np.arange(1000), 2)
    y_pred = np.where(np.arange(2000) % 2, y_true, (y_true + 1) % 1000)
    assert ours.gmean_score(y_true, y_pred) == pytest.approx(0.5)


def test_gmean_of_counts_without_negative_rows():
    counts = Counts(tp=3.0, fp=0.0, fn=1.0, tn=0.0)
    assert ours.gmean_score.of(counts) == 0.0
    assert ours.gmean_score.of(counts, zero_division=1.0) == pytest.approx(0.75**0.5)


def test_fbeta_at_one_is_f1_and_its_limits_are_precision_and_recall():
    counts = Counts(*(np.array([3.0, 0.0]), np.array([2.0, 1.0]), np.array([5.0, 0.0]), np.ones(2)))
    same = [(1.0, ours.f1_score), (1e-9, ours.precision_score), (np.inf, ours.recall_score)]
    for beta, metric in same:
        np.testing.assert_allclose(ours.fbeta_score.of(counts, beta=beta), metric.of(counts))


def test_sensitivity_is_recall():
    assert ours.sensitivity_score is ours.recall_score


@pytest.mark.parametrize("beta", [0, -1.0, np.nan])
def test_beta_must_be_positive(beta):
    with pytest.raises(InvalidParameterError, match="beta must be above zero"):
        ours.fbeta_score([0, 1], [0, 1], beta=beta)


def test_correction_must_not_be_negative():
    with pytest.raises(InvalidParameterError, match="correction must not be negative"):
        ours.gmean_score([0, 1], [0, 1], correction=-0.1)
