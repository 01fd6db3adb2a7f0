import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.metrics import roc_curve

from imbkit.metrics import equal_error_rate, informedness_score, ks_score, sweep

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=25)


def columns(rows):
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < truth.sum() < truth.size)
    return truth, score


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_ks_equals_scipy_and_the_best_informedness(rows):
    truth, score = columns(rows)
    got = ks_score(truth, score)
    test = ks_2samp(score[truth == 1], score[truth == 0], alternative="less", method="asymp")
    assert got == pytest.approx(test.statistic)
    assert got == pytest.approx(informedness_score.of(sweep(truth, score)[1]).max())
    test = ks_2samp(score[truth == 1], score[truth == 0], alternative="greater", method="asymp")
    assert ks_score(truth, -score) == pytest.approx(test.statistic)


@settings(max_examples=60)
@given(ROWS)
def test_equal_error_rate_lies_where_the_curve_meets_the_other_diagonal(rows):
    truth, score = columns(rows)
    value = equal_error_rate(truth, score)
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
    # fpr - fnr rises along the curve; walk it in small steps and take the nearest point.
    step = np.linspace(0, 1, 2001)[:, None]
    x, y = ((1 - step) * line[:-1] + step * line[1:] for line in (fpr, tpr))
    nearest = np.abs(x + y - 1).argmin()
    assert value == pytest.approx(x.ravel()[nearest], abs=1e-3)
    assert equal_error_rate(truth, -score) == pytest.approx(1 - value)
    assert equal_error_rate(1 - truth, -score) == pytest.approx(value)


def test_chance_and_perfection():
    truth = np.repeat([0, 1], [30, 10])
    assert ks_score(truth, truth) == 1.0
    assert ks_score(truth, -truth) == ks_score(truth, np.zeros(40)) == 0.0
    assert equal_error_rate(truth, truth) == 0.0
    assert equal_error_rate(truth, np.zeros(40)) == pytest.approx(0.5)
    rng = np.random.default_rng(0)
    truth = rng.random(40_000) < 0.3
    assert equal_error_rate(truth, rng.random(truth.size)) == pytest.approx(0.5, abs=0.01)
    assert ks_score(truth, rng.random(truth.size)) < 0.02
