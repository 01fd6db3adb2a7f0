"""Corrected intervals and paired comparisons against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from imbkit.bench._stats import compare_pairs, corrected_interval, holm

values = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=12).filter(
    lambda v: np.ptp(v) > 1e-3
)


@given(values)
@settings(deadline=None, max_examples=50)
def test_without_overlap_it_is_the_usual_t(sample):
    x = np.array(sample, dtype=float)
    mean, low, high = corrected_interval(x, 0.0)
    usual = stats.t.interval(0.95, x.size - 1, loc=x.mean(), scale=stats.sem(x))
    assert (mean, low, high) == pytest.approx((x.mean(), *usual))
    pair = compare_pairs(x, np.zeros_like(x), 0.0, rope=0.01)
    assert pair.p_value == pytest.approx(stats.ttest_1samp(x, 0.0).pvalue)


@given(values, st.floats(0.05, 1.0))
@settings(deadline=None, max_examples=50)
def test_overlap_widens_by_the_correction(sample, ratio):
    x = np.array(sample, dtype=float)
    _, low, high = corrected_interval(x, ratio)
    _, narrow_low, narrow_high = corrected_interval(x, 0.0)
    factor = np.sqrt((1 / x.size + ratio) / (1 / x.size))
    assert high - low == pytest.approx(factor * (narrow_high - narrow_low))


@given(values, st.floats(0.0, 0.5))
@settings(deadline=None, max_examples=50)
def test_interval_and_p_value_agree(sample, ratio):
    x = np.array(sample, dtype=float)
    pair = compare_pairs(x, np.zeros_like(x), ratio, rope=0.01)
    assert (pair.low > 0 or pair.high < 0) == (pair.p_value < 0.05)


@given(values, st.floats(0.0, 0.5), st.floats(0.0, 0.2))
@settings(deadline=None, max_examples=50)
def test_posterior_shares_add_up(sample, ratio, rope):
    x = np.array(sample, dtype=float)
    ahead = compare_pairs(x, np.zeros_like(x), ratio, rope)
    behind = compare_pairs(np.zeros_like(x), x, ratio, rope)
    total = ahead.probability_better + ahead.probability_equivalent + behind.probability_better
    assert total == pytest.approx(1.0)


def test_corrected_t_by_hand():
    first = np.array([0.82, 0.74, 0.91, 0.63, 0.85])
    second = np.array([0.80, 0.70, 0.90, 0.60, 0.80])
    # Differences 0.02, 0.04, 0.01, 0.03, 0.05: mean 0.15 / 5 = 0.03; squared distances from
    # it 1e-4 (1 + 1 + 4 + 0 + 4) = 1e-3, variance 1e-3 / 4 = 2.5e-4. Five folds test a fifth
    # and train on four: 1/5 + 1/4 = 0.45, and the squared standard error is 1.125e-4.
    # t = 0.03 / sqrt(1.125e-4), so t^2 = 9e-4 / 1.125e-4 = 8, with 4 degrees of freedom.
    # Student's distribution with 4 degrees: F(t) = 1/2 + 3/8 u (1 - u^2 / 12), where
    # u = t / sqrt(1 + t^2 / 4) = sqrt(8 / 3); so p = 2 (1 - F) = 1 - 3/4 sqrt(8/3) 7/9.
    pair = compare_pairs(first, second, 1 / 4, rope=0.0)
    assert pair.mean == pytest.approx(0.03)
    assert pair.p_value == pytest.approx(1 - 3 / 4 * np.sqrt(8 / 3) * 7 / 9)
    # The printed table of t has 2.776 for 95 % and 4 degrees.
    assert pair.low == pytest.approx(0.03 - 2.776 * np.sqrt(1.125e-4), abs=1e-5)
    assert pair.high == pytest.approx(0.03 + 2.776 * np.sqrt(1.125e-4), abs=1e-5)
    # Without a region of equivalence the posterior is the one-sided test.
    assert pair.probability_better == pytest.approx(1 - pair.p_value / 2)


def test_equal_differences_leave_no_doubt():
    x = np.full(4, 0.75)
    same, ahead = compare_pairs(x, x, 0.25, 0.01), compare_pairs(x, x - 0.5, 0.25, 0.01)
    assert (same.p_value, same.probability_equivalent) == (1.0, 1.0)
    assert (ahead.p_value, ahead.probability_better) == (0.0, 1.0)


def test_one_cell_says_nothing():
    mean, low, high = corrected_interval(np.array([0.5]), 0.25)
    assert mean == 0.5
    assert np.isnan([low, high]).all()
    assert np.isnan(compare_pairs(np.array([0.5]), np.array([0.1]), 0.25, 0.01).p_value)


def test_holm_by_hand():
    adjusted = holm(np.array([0.01, 0.04, 0.03, np.nan, 0.005]))
    assert adjusted[[0, 1, 2, 4]] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(adjusted[3])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
@settings(deadline=None, max_examples=50)
def test_holm_is_between_no_adjustment_and_bonferroni(p):
    p = np.array(p)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(p * p.size, 1.0) + 1e-15).all()


def test_error_rate_on_overlapping_training_sets():
    """The correction holds the error rate where the usual test breaks down."""
    rng = np.random.default_rng(0)
    wrong = {0.0: 0, 1 / 9: 0}
    for _ in range(300):
        # Ten folds whose scores share most of their training rows: a common error beside
        # the fold's own, in the ratio that the correction was derived for.
        shared = rng.normal(scale=np.sqrt(1 / 9))
        x = shared + rng.normal(size=10)
        for ratio in wrong:
            wrong[ratio] += compare_pairs(x, np.zeros(10), ratio, 0.0).p_value < 0.05
    assert wrong[1 / 9] / 300 < 0.08
    assert wrong[0.0] / 300 > 0.1
