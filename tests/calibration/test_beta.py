"""Beta calibration: its optimum, its identities, its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from imbkit.calibration import BetaCalibrator, ScalingCalibrator
from imbkit.exceptions import ImbkitWarning


def rows(n=3000, seed=0, a=0.7, b=2.0):
    rng = np.random.default_rng(seed)
    p = rng.beta(a, b, size=n)
    return p, rng.random(n) < p


def parameters(model, k=0):
    return np.array([model.a_[k], model.b_[k], model.c_[k]])


def targets(y, w):
    return np.where(y, (w[y].sum() + 1) / (w[y].sum() + 2), 1 / (w[~y].sum() + 2))


def loss_and_gradient(at, p, y, weight=None):
    """The weighted mean logistic loss of the curve, written down anew."""
    w = np.ones(y.size) if weight is None else weight
    q = expit(at[0] * np.log(p) - at[1] * np.log(1 - p) + at[2])
    t = targets(y, w)
    w = w / w.sum()
    rest = w * (q - t)
    loss = -(w * (t * np.log(q) + (1 - t) * np.log(1 - q))).sum()
    return loss, np.array([rest @ np.log(p), -rest @ np.log(1 - p), rest.sum()])


def test_calibrated_input_gives_the_identity():
    model = BetaCalibrator().fit(*rows(300_000))
    np.testing.assert_allclose(parameters(model), [1, 1, 0], atol=0.04)


@pytest.mark.parametrize("weighted", [False, True])
def test_no_other_solver_gets_lower(weighted):
    p, y = rows(600)
    p = p**2
    weight = np.random.default_rng(1).gamma(1.0, size=y.size) if weighted else None
    at = parameters(BetaCalibrator().fit(p, y, sample_weight=weight))
    bounds = [(0, None), (0, None), (None, None)]
    for start in ([0.0, 0.0, 0.0], [3.0, 0.1, -2.0], [0.2, 4.0, 1.0]):
        other = minimize(
            loss_and_gradient,
            start,
            args=(p, y, weight),
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000},
        )
        assert loss_and_gradient(at, p, y, weight)[0] <= other.fun + 1e-13
        np.testing.assert_allclose(at, other.x, atol=2e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(6, 60))
@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
def test_the_conditions_of_the_constrained_optimum_hold(seed, n):
    rng = np.random.default_rng(seed)
    p = rng.choice([0.02, 0.1, 0.3, 0.5, 0.7, 0.95], size=n)
    y = np.zeros(n, dtype=bool)
    y[rng.choice(n, size=max(1, n // 4), replace=False)] = True
    at = parameters(BetaCalibrator().fit(p, y))
    _, slope = loss_and_gradient(at, p, y)
    assert (at[:2] >= 0).all()
    assert abs(slope[2]) < 1e-8
    assert (slope[:2] > -1e-8).all()
    assert (slope[:2][at[:2] > 0] < 1e-8).all()


def test_some_of_these_optima_lie_at_each_bound():
    """The test above would be empty if the bounds were never met."""
    p, _ = rows(4000)
    draw = np.random.default_rng(3).random(4000)
    falling_above = draw < expit(np.log(p) + 0.3 * np.log(1 - p))
    at = parameters(BetaCalibrator().fit(p, falling_above))
    assert at[0] > 0
    assert at[1] == 0
    falling_below = draw < expit(-0.3 * np.log(p) - np.log(1 - p))
    at = parameters(BetaCalibrator().fit(p, falling_below))
    assert at[0] == 0
    assert at[1] > 0


def test_it_is_vector_scaling_of_soft_labels():
    """With K = 2 the vector scaling is the same curve; each row enters once for each label."""
    p, y = rows(2000, seed=2)
    t = targets(y, np.ones(y.size))
    both, labels = np.r_[p, p], np.r_[np.ones(y.size), np.zeros(y.size)]
    vector = ScalingCalibrator("vector").fit(both, labels, sample_weight=np.r_[t, 1 - t])
    at = parameters(BetaCalibrator().fit(p, y))
    np.testing.assert_allclose(vector.scale_[::-1], at[:2], rtol=1e-6)
    assert vector.bias_[1] - vector.bias_[0] == pytest.approx(at[2], abs=1e-6)


def test_the_ranking_stays():
    p, y = rows(2000)
    out = BetaCalibrator().fit(p**2, y).predict_proba(p)[:, 1]
    assert roc_auc_score(y, out) == roc_auc_score(y, p)


def test_a_curve_that_no_sigmoid_follows_is_found():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.001, 0.999, size=200_000)
    y = rng.random(p.size) < expit(0.5 * np.log(p) - 2.0 * np.log(1 - p) - 1.0)
    np.testing.assert_allclose(parameters(BetaCalibrator().fit(p, y)), [0.5, 2.0, -1.0], atol=0.1)


def test_separated_classes_give_a_finite_map():
    p = np.r_[np.full(50, 0.1), np.full(5, 0.9)]
    model = BetaCalibrator().fit(p, np.arange(55) >= 50)
    expected = [1 / 52, 6 / 7]
    np.testing.assert_allclose(model.predict_proba(np.array([0.1, 0.9]))[:, 1], expected, rtol=1e-8)


@pytest.mark.parametrize(
    "p", [np.full(40, 0.3), np.linspace(0.9, 0.1, 40)], ids=["equal", "turned"]
)
def test_a_flat_map_has_the_mean_target_and_a_warning(p):
    y = np.arange(40) >= 30
    with pytest.warns(ImbkitWarning, match="no such relation for class True"):
        model = BetaCalibrator().fit(p, y)
    np.testing.assert_allclose(
        model.predict_proba(p)[:, 1], targets(y, np.ones(40)).mean(), rtol=1e-10
    )


def test_many_classes_go_one_against_the_rest():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([5.0, 2.0, 1.0], size=800)
    y = (rng.random((800, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    model = BetaCalibrator().fit(p, y)
    each = [BetaCalibrator().fit(p[:, k], y == k).predict_proba(p[:, k])[:, 1] for k in range(3)]
    out = np.column_stack(each)
    np.testing.assert_allclose(
        model.predict_proba(p), out / out.sum(axis=1, keepdims=True), atol=1e-7
    )
