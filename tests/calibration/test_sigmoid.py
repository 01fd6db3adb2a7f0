"""Sigmoid calibration: its optimum, its identities, its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from imbkit.calibration import SigmoidCalibrator
from imbkit.calibration._one_against_rest import smoothed_targets
from imbkit.calibration._sigmoid import fit_sigmoid
from imbkit.exceptions import ImbkitWarning


def rows(n=3000, seed=0, a=0.5, b=5.0):
    rng = np.random.default_rng(seed)
    p = rng.beta(a, b, size=n)
    return p, rng.random(n) < p


def platt_loss(at, p, y, weight=None):
    """Platt's loss, written down anew."""
    w = np.ones(y.size) if weight is None else weight
    n1, n0 = w[y].sum(), w[~y].sum()
    target = np.where(y, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    margin = at[0] * logit(p) + at[1]
    return (w * (np.logaddexp(0, margin) - target * margin)).sum() / w.sum()


def gradient(at, p, y, weight=None):
    w = np.ones(y.size) if weight is None else weight
    n1, n0 = w[y].sum(), w[~y].sum()
    target = np.where(y, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    rest = w / w.sum() * (expit(at[0] * logit(p) + at[1]) - target)
    return np.array([rest @ logit(p), rest.sum()])


def test_calibrated_input_gives_the_identity():
    model = SigmoidCalibrator().fit(*rows(200_000))
    # Some four standard errors, which the Hessian gives.
    assert model.slope_[0] == pytest.approx(1, abs=0.03)
    assert model.intercept_[0] == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_vanishes_and_no_other_solver_gets_lower(weighted):
    p, y = rows(400)
    p = p**1.7
    weight = np.random.default_rng(1).gamma(1.0, size=y.size) if weighted else None
    found = fit_sigmoid(p, y, weight)
    at = np.array([found.slope, found.intercept])
    assert np.abs(gradient(at, p, y, weight)).max() < 1e-8
    for start in ([0.0, 0.0], [3.0, -5.0], [-1.0, 2.0]):
        other = minimize(platt_loss, start, args=(p, y, weight), method="Nelder-Mead", tol=1e-12)
        np.testing.assert_allclose(at, other.x, atol=1e-4)
        assert platt_loss(at, p, y, weight) <= other.fun + 1e-13


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40))
def test_the_slope_is_never_negative_and_the_optimum_is_that_of_the_constraint(seed, n):
    rng = np.random.default_rng(seed)
    p = rng.choice([0.01, 0.2, 0.5, 0.9], size=n)
    y = np.arange(n) < max(1, n // 4)
    found = fit_sigmoid(p, y)
    at = np.array([found.slope, found.intercept])
    slope, intercept = gradient(at, p, y)
    assert found.slope >= 0
    assert abs(intercept) < 1e-8
    assert slope > -1e-8
    assert slope < 1e-8 or found.slope == 0


def test_random_resampling_is_turned_back():
    p, y = rows(50_000)
    plain = fit_sigmoid(p, y)
    for factor in (9.0, 0.1):
        shifted = expit(logit(p) + np.log(factor))
        found = fit_sigmoid(shifted, y)
        assert found.slope == pytest.approx(plain.slope, rel=1e-7)
        moved = found.intercept + found.slope * np.log(factor)
        assert moved == pytest.approx(plain.intercept, abs=1e-7)


def test_the_ranking_stays():
    p, y = rows(2000)
    out = SigmoidCalibrator().fit(p**2, y).predict_proba(p)[:, 1]
    assert roc_auc_score(y, out) == roc_auc_score(y, p)
    assert (np.argsort(out, kind="stable") == np.argsort(p, kind="stable")).all()


def test_balanced_gives_the_same_shares_and_another_slope():
    p, y = rows(200_000)
    bent = p**2
    plain, even = fit_sigmoid(bent, y), fit_sigmoid(bent, y, balanced=True)
    assert abs(plain.slope - even.slope) > 1e-3
    # On rows that a sigmoid fits both find it.
    plain, even = fit_sigmoid(p, y), fit_sigmoid(p, y, balanced=True)
    assert even.slope == pytest.approx(1, abs=0.04)
    assert even.intercept == pytest.approx(0, abs=0.1)


def test_balanced_is_a_weighted_fit_put_back():
    p, y = rows(700, seed=5)
    weight = np.where(y, np.count_nonzero(~y), np.count_nonzero(y)) / y.size
    found = fit_sigmoid(p, y, balanced=True)
    target, _ = smoothed_targets(y, None)

    def loss(at):
        margin = at[0] * logit(p) + at[1]
        return (weight * (np.logaddexp(0, margin) - target * margin)).sum()

    inner = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9})
    shift = logit(target.mean()) - logit(np.average(target, weights=weight))
    assert found.slope == pytest.approx(inner.x[0], abs=1e-6)
    assert found.intercept == pytest.approx(inner.x[1] + shift, abs=1e-6)


def test_separated_classes_give_a_finite_map():
    p = np.r_[np.full(50, 0.1), np.full(5, 0.9)]
    found = fit_sigmoid(p, np.arange(55) >= 50)
    np.testing.assert_allclose(found(np.array([0.1, 0.9])), [1 / 52, 6 / 7], rtol=1e-8)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(
    "p", [np.full(40, 0.3), np.linspace(0.9, 0.1, 40)], ids=["equal", "turned"]
)
def test_a_flat_map_has_the_mean_target_and_a_warning(p, balanced):
    y = np.arange(40) >= 30
    with pytest.warns(ImbkitWarning, match="no such relation for class True"):
        model = SigmoidCalibrator(balanced=balanced).fit(p, y)
    target, _ = smoothed_targets(y, None)
    assert model.slope_[0] == 0
    np.testing.assert_allclose(model.predict_proba(p)[:, 1], target.mean())


def test_many_classes_go_one_against_the_rest():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([5.0, 2.0, 1.0], size=800)
    y = (rng.random((800, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    model = SigmoidCalibrator().fit(p, y)
    each = np.column_stack([fit_sigmoid(p[:, k], y == k)(p[:, k]) for k in range(3)])
    expected = each / each.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(p), expected, atol=1e-10)
    assert model.slope_.shape == model.intercept_.shape == (3,)
