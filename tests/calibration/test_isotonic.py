"""Isotonic calibration: its optimum and its guard."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from imbkit.calibration import IsotonicCalibrator
from imbkit.exceptions import SmallClassWarning


def rows(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.7, 3.0, size=n)
    return p, rng.random(n) < p


def test_it_is_the_non_decreasing_function_of_least_squares():
    rng = np.random.default_rng(0)
    p, y = np.sort(rng.random(12)), np.arange(12) % 3 == 0
    model = IsotonicCalibrator(min_positives=0).fit(p, y)
    found = model.predict_proba(p)[:, 1]
    assert (np.diff(found) >= 0).all()
    rise = [{"type": "ineq", "fun": lambda f, i=i: f[i + 1] - f[i]} for i in range(11)]
    other = minimize(lambda f: ((f - y) ** 2).sum(), np.full(12, 0.3), constraints=rise)
    assert ((found - y) ** 2).sum() == pytest.approx(other.fun, abs=1e-6)


def test_beyond_the_rows_it_is_constant():
    p, y = rows()
    p = 0.2 + 0.5 * p
    model = IsotonicCalibrator().fit(p, y)
    out = model.predict_proba(np.array([0.0, p.min(), p.max(), 1.0]))[:, 1]
    assert out[0] == out[1]
    assert out[2] == out[3]


def test_calibrated_input_stays_about_as_it_is():
    p, y = rows(50_000)
    out = IsotonicCalibrator().fit(p, y).predict_proba(p)[:, 1]
    assert np.abs(out - p).mean() < 0.02


@pytest.mark.parametrize("n1", [1, 199, 200])
def test_few_rows_of_a_class_give_a_warning_that_names_others(n1):
    p = np.linspace(0.01, 0.99, 1000)
    y = np.arange(1000) >= 1000 - n1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        IsotonicCalibrator().fit(p, y)
    text = [str(each.message) for each in caught if each.category is SmallClassWarning]
    assert len(text) == (n1 < 200)
    for line in text:
        assert f"{n1} of class True" in line
        assert "SigmoidCalibrator" in line
        assert "BetaCalibrator" in line


def test_a_row_of_weight_0_is_no_row():
    p, y = np.linspace(0.1, 0.9, 500), np.arange(500) >= 250
    weight = np.where(np.arange(500) >= 400, 0.0, 1.0)
    with pytest.warns(SmallClassWarning, match="Got 150 of class True"):
        model = IsotonicCalibrator().fit(p, y, sample_weight=weight)
    plain = IsotonicCalibrator(min_positives=0).fit(p[:400], y[:400])
    np.testing.assert_array_equal(model.predict_proba(p), plain.predict_proba(p))


def test_equal_probabilities_give_the_share():
    y = np.arange(1000) >= 700
    out = IsotonicCalibrator().fit(np.full(1000, 0.5), y).predict_proba(np.array([0.1, 0.9]))
    np.testing.assert_allclose(out[:, 1], 0.3)


def test_many_classes_go_one_against_the_rest_and_a_row_of_zeros_stays():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([2.0, 2.0, 2.0], size=900)
    y = p.argmax(axis=1)
    model = IsotonicCalibrator().fit(p, y)
    each = np.column_stack(
        [
            IsotonicRegression(out_of_bounds="clip").fit(p[:, k], y == k).predict(p[:, k])
            for k in range(3)
        ]
    )
    expected = each / each.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(p), expected, atol=1e-12)
    even = np.full((1, 3), 1 / 3)
    low = [curve.predict([1 / 3])[0] for curve in model.curves_]
    assert low == [0, 0, 0]
    np.testing.assert_array_equal(model.predict_proba(even), even)
