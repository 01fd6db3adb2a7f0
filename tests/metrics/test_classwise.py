import inspect
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import imbkit.metrics as ours
from imbkit.exceptions import DataError, InvalidParameterError

RANKINGS = [
    ours.average_precision_from_fpr,
    ours.average_precision_skill_score,
    ours.detection_cost_at_fpr,
    ours.equal_error_rate,
    ours.h_measure_score,
    ours.ks_score,
    ours.partial_roc_auc_score,
]
PROBABILITIES = [
    ours.brier_skill_score,
    ours.classwise_calibration_error,
    ours.log_loss_skill_score,
    ours.predicted_positive_calibration_error,
    ours.stratified_brier_score,
]
NAMED = {metric.__name__: metric for metric in (*RANKINGS, *PROBABILITIES)}
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 3)), min_size=1)
RNG = np.random.default_rng(0)
Y3 = np.r_[0, 1, 2, RNG.integers(0, 3, 60)]
P3 = RNG.dirichlet([1, 1, 1], 63) + 0.5 * np.eye(3)[Y3]
P3 /= P3.sum(axis=1, keepdims=True)


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("name", NAMED)
@settings(max_examples=40)
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_weights_are_repetitions_and_order_is_nothing(name, rows, random):
    truth, score, times = columns(rows)
    assume(times.any())
    order = list(range(len(rows)))
    random.shuffle(order)
    metric = partial(NAMED[name], zero_division=0.25)
    repeated = metric(np.repeat(truth, times), np.repeat(score / 8, times))
    weighted = metric(truth[order], score[order] / 8, sample_weight=times[order])
    assert weighted == pytest.approx(repeated)
    scaled = metric(truth, score / 8, sample_weight=times * 1e-7)
    assert scaled == pytest.approx(repeated)


@pytest.mark.parametrize("metric", RANKINGS)
@settings(max_examples=30)
@given(rows=ROWS)
def test_only_the_order_of_the_scores_counts(metric, rows):
    truth, score, _ = columns(rows)
    assert metric(truth, score) == metric(truth, np.exp(score) - 7.0)


@pytest.mark.parametrize(
    "name", [n for n in NAMED if "average" in inspect.signature(NAMED[n]).parameters]
)
def test_many_classes_are_each_against_the_rest(name):
    metric = NAMED[name]
    if name == "predicted_positive_calibration_error":
        metric = partial(metric, threshold=0.4)
    share = np.bincount(Y3) / Y3.size
    each = [metric(Y3 == k, P3[:, k]) for k in range(3)]
    got = metric(Y3, P3, average=None)
    if name == "stratified_brier_score":  # natively of many classes, see its own tests
        each = got
    np.testing.assert_allclose(got, each)
    assert metric(Y3, P3) == pytest.approx(np.mean(each))
    assert metric(Y3, P3, average="weighted") == pytest.approx(share @ np.asarray(each))
    named, order = np.array(["c", "a", "b"])[Y3], ["c", "a", "b"]
    np.testing.assert_allclose(metric(named, P3, labels=order, average=None), each)
    np.testing.assert_allclose(metric(named, P3[:, [1, 2, 0]], average=None), np.roll(each, -1))


@pytest.mark.parametrize("metric", RANKINGS)
def test_a_class_without_rows_counts_with_zero_division(metric):
    alone, scores = [0, 0], [0.1, 0.2]
    assert metric(alone, scores, zero_division=0.75) == 0.75
    assert metric([1, 1], scores, zero_division=0.75) == 0.75
    assert np.isnan(metric(alone, scores, zero_division=np.nan))
    weight = [1, 1, 0]  # the only positive row is no row
    assert metric([0, 0, 1], [1, 2, 3], sample_weight=weight, zero_division=0.75) == 0.75
    labels = ["a", "b", "c"]
    truth, matrix = ["a", "b", "a"], [[0.8, 0.1, 0.1], [0.3, 0.5, 0.2], [0.2, 0.5, 0.3]]
    values = metric(truth, matrix, labels=labels, average=None, zero_division=np.nan)
    assert np.isnan(values).tolist() == [False, False, True]
    mean = metric(truth, matrix, labels=labels, zero_division=np.nan)
    assert mean == pytest.approx(values[:2].mean())
    assert np.isnan(metric(["a"], [[0.8, 0.2]], labels=["a", "b"], zero_division=np.nan))


@pytest.mark.parametrize("metric", NAMED.values())
def test_string_labels(metric):
    truth, score = np.array([0, 1, 0, 1, 1]), [0.1, 0.4, 0.4, 0.8, 1.0]
    named = np.array(["ok", "bad"])[truth]
    assert metric(named, score, pos_label="bad") == metric(truth, score)
    with pytest.raises(DataError, match="pos_label must be one of the labels"):
        metric(named, score)


@pytest.mark.parametrize(
    ("truth", "score", "options", "words"),
    [
        ([], [], {}, "empty"),
        ([0, 1], [1], {}, "same length"),
        ([0, 1], [1, np.nan], {}, "NaN"),
        ([0, np.nan], [0, 1], {}, "missing"),
        ([0, 1, 2], [0, 1, 1], {}, "two classes"),
        ([0, 1], [0, 1], {"pos_label": 3}, "pos_label"),
        ([0, 1], [0, 1], {"sample_weight": [1, -1]}, "not negative"),
        ([0, 1], [0, 1], {"sample_weight": [0, 0]}, "zero for every row"),
        ([0, 1], [0, 1], {"sample_weight": [1]}, "one number for each of the 2 rows"),
        ([0, 1], [[1, 0, 0], [0, 1, 0]], {}, "one column for each class.*Pass labels="),
        ([0, 1], [[1, 0], [0, 1]], {"labels": [0, 2]}, "labels must name every class"),
        ([0, 1, 1], [[1, 0], [0, 1]], {}, "same length"),
    ],
)
@pytest.mark.parametrize("metric", NAMED.values())
def test_bad_data(metric, truth, score, options, words):
    with pytest.raises(DataError, match=f"{metric.__name__}: .*{words}"):
        metric(truth, score, **options)


@pytest.mark.parametrize("value", [-0.1, 1.5, "warn", None, True])
@pytest.mark.parametrize("metric", NAMED.values())
def test_bad_zero_division(metric, value):
    with pytest.raises(InvalidParameterError, match="zero_division must be a number between"):
        metric([0, 1], [0, 1], zero_division=value)


@pytest.mark.parametrize("metric", RANKINGS)
def test_bad_average(metric):
    with pytest.raises(InvalidParameterError, match="average must be one of 'macro', 'weighted'"):
        metric([0, 1], [0, 1], average="micro")


@pytest.mark.parametrize(
    ("prob", "words"),
    [
        ([0.2, 1.2], "1 other values, the first 1.2.*calibrator"),
        ([-3.0, 0.2], "the first -3"),
        ([[0.5, 0.4], [0.5, 0.5]], "must sum to 1.*0.9 in row 0"),
        ([[[0.5]]], "one column a class"),
    ],
)
@pytest.mark.parametrize("metric", PROBABILITIES)
def test_other_numbers_are_no_probabilities(metric, prob, words):
    with pytest.raises(DataError, match=words):
        metric([0, 1], prob)


@pytest.mark.parametrize("metric", PROBABILITIES)
def test_float32_rounding_is_no_error(metric):
    prob = np.array([1.0000001, 0.5, 0.25], dtype=np.float32)
    assert metric([1, 0, 0], prob) == pytest.approx(metric([1, 0, 0], [1, 0.5, 0.25]))
