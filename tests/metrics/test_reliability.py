import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import reliability_curve

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=40
)


def columns(rows):
    truth, prob, weight = (np.array(column) for column in zip(*rows, strict=True))
    assume(weight.any())
    return truth, prob / 20, weight


@settings(max_examples=60)
@given(ROWS, st.integers(1, 7))
def test_equal_width_equals_scikit_learn(rows, n_bins):
    truth, prob, _ = columns(rows)
    curve = reliability_curve(truth, prob, n_bins=n_bins, strategy="uniform")
    assume(0 < truth.sum() < truth.size)
    observed, predicted = calibration_curve(truth, prob, n_bins=n_bins)
    np.testing.assert_allclose(curve.observed, observed)
    np.testing.assert_allclose(curve.predicted, predicted)


@pytest.mark.parametrize(("n", "n_bins"), [(60, 10), (60, 7), (9, 4), (5, 8)])
def test_equal_mass_without_ties_is_the_sorted_rows_cut_in_parts(n, n_bins):
    rng = np.random.default_rng(n)
    prob = rng.random(n)
    truth = rng.random(n) < prob
    curve = reliability_curve(truth, prob, n_bins=n_bins)
    assert curve.rows.sum() == n
    assert curve.rows.max() - curve.rows.min() <= 1
    order, start = np.argsort(prob), 0
    for k, size in enumerate(curve.rows.astype(int)):
        part = order[start : start + size]
        start += size
        assert curve.predicted[k] == pytest.approx(prob[part].mean())
        assert curve.observed[k] == pytest.approx(truth[part].mean())
        expected = binomtest(int(truth[part].sum()), size).proportion_ci(method="wilson")
        assert (curve.low[k], curve.high[k]) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
@settings(max_examples=40)
@given(ROWS, st.integers(1, 7), st.randoms(use_true_random=False))
def test_weights_are_repetitions_and_equal_probabilities_stay_together(
    strategy, rows, n_bins, random
):
    truth, prob, times = columns(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    options = {"n_bins": n_bins, "strategy": strategy}
    weighted = reliability_curve(truth[order], prob[order], sample_weight=times[order], **options)
    repeated = reliability_curve(np.repeat(truth, times), np.repeat(prob, times), **options)
    for name in ("predicted", "observed", "low", "high", "rows"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), atol=1e-12)
    assert len(weighted.rows) <= min(n_bins, np.unique(prob[times > 0]).size)
    assert weighted.rows @ weighted.predicted == pytest.approx(times @ prob)
    assert weighted.rows @ weighted.observed == pytest.approx(times @ truth)
    assert (np.diff(weighted.predicted) > 0).all()


def test_rows_of_one_probability_go_where_the_middle_of_their_weight_lies():
    prob = np.repeat([0.1, 0.5, 0.9], [1, 8, 1])
    curve = reliability_curve(prob > 0.3, prob, n_bins=2)
    assert curve.rows.tolist() == [1.0, 9.0]
    prob = np.repeat([0.1, 0.5, 0.9], [1, 7, 2])
    curve = reliability_curve(prob > 0.3, prob, n_bins=2)
    assert curve.rows.tolist() == [8.0, 2.0]


def test_bad_input():
    for options, words in (
        ({"n_bins": 0}, "n_bins must be a whole number from 1"),
        ({"n_bins": 2.5}, "n_bins must be a whole number from 1"),
        ({"strategy": "kmeans"}, "strategy must be 'quantile' or 'uniform'"),
        ({"confidence": 0}, "confidence must be a number"),
    ):
        with pytest.raises(InvalidParameterError, match=words):
            reliability_curve([0, 1], [0.1, 0.9], **options)
    with pytest.raises(DataError, match="reliability_curve: y_prob must hold probabilities"):
        reliability_curve([0, 1], [-2.0, 3.0])
