import warnings

import imblearn.metrics
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import imbkit.metrics as ours
from imbkit.metrics import Counts

WEIGHT = st.sampled_from([0.1, 0.2, 1.0, 3.0])
LABEL = st.sampled_from(["a", "b", "c", "d"])
ROWS = st.lists(st.tuples(LABEL, LABEL, WEIGHT), min_size=1, max_size=25)
CELL = st.floats(0, 1e6) | st.sampled_from([0.0, 1.0])


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@settings(max_examples=150)
@given(ROWS)
def test_mcc_and_kappa_equal_scikit_learn(rows):
    truth, guess, weight = columns(rows)
    for weights in (None, weight):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = sklearn.metrics.matthews_corrcoef(truth, guess, sample_weight=weights)
        got = ours.matthews_corrcoef(truth, guess, sample_weight=weights)
        assert got == pytest.approx(expected, abs=1e-7)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = sklearn.metrics.cohen_kappa_score(truth, guess, sample_weight=weights)
        undefined = len({*truth, *guess}) == 1
        got = ours.cohen_kappa_score(truth, guess, sample_weight=weights)
        assert got == pytest.approx(0.0 if undefined else expected, abs=1e-12)


def test_zero_division_where_only_one_class_is():
    for metric in (ours.matthews_corrcoef, ours.cohen_kappa_score):
        assert metric([1, 1], [1, 1]) == 0.0
        assert metric([1, 1], [1, 1], zero_division=1.0) == 1.0


def test_mcc_keeps_its_digits_where_one_row_in_ten_million_is_positive():
    counts = Counts(tp=1.0, fp=1.0, fn=1.0, tn=1e7)
    exact = (1e7 - 1) / (2.0 * (1e7 + 1))
    assert ours.matthews_corrcoef.of(counts) == pytest.approx(exact, rel=1e-14)


@settings(max_examples=100)
@given(CELL, CELL, CELL, CELL)
def test_identities(tp, fp, fn, tn):
    assume(min(tp + fn, tn + fp, tp + fp, tn + fn) > 1e-3)
    counts = Counts(tp, fp, fn, tn)
    metrics = {name: getattr(ours, name) for name in ours.__all__}
    value = {n: float(m.of(counts)) for n, m in metrics.items() if isinstance(m, ours.CountMetric)}
    informed, marked = value["informedness_score"], value["markedness_score"]
    assert value["matthews_corrcoef"] ** 2 == pytest.approx(informed * marked, abs=1e-9)
    assert value["balanced_accuracy_score"] == pytest.approx((informed + 1) / 2)
    product = value["precision_score"] * value["recall_score"]
    assert value["fowlkes_mallows_score"] ** 2 == pytest.approx(product)
    jaccard = value["jaccard_score"]
    assert value["f1_score"] == pytest.approx(2 * jaccard / (1 + jaccard))
    assert ours.iba_score.of(counts, alpha=0.0) == pytest.approx(value["gmean_score"] ** 2)


@pytest.mark.usefixtures("imbalanced_learn")
@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=20),
    st.sampled_from([0.0, 0.1, 1.0]),
)
def test_iba_equals_imbalanced_learn_for_two_classes(rows, alpha):
    truth, guess = columns(rows)
    assume(len({*truth}) == 2)
    index = imblearn.metrics.make_index_balanced_accuracy(alpha=alpha)
    theirs = index(imblearn.metrics.geometric_mean_score)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs(truth, guess, average="binary")
    assert ours.iba_score(truth, guess, alpha=alpha) == pytest.approx(float(expected))
