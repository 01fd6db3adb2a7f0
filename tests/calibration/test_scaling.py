"""Temperature, bias-corrected and vector scaling: optimum, identities, limits."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from imbkit.calibration import ScalingCalibrator
from imbkit.calibration._probabilities import log_probabilities
from imbkit.calibration._scaling import _Loss
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

SCALINGS = ["temperature", "bias_corrected", "vector"]


def rows(n=2000, seed=0, alpha=(4.0, 2.0, 1.0)):
    rng = np.random.default_rng(seed)
    p = np.maximum(rng.dirichlet(alpha, size=n), 1e-9)
    p /= p.sum(axis=1, keepdims=True)
    return p, (rng.random((n, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)


def sharpened(p, power=2.5):
    return p**power / (p**power).sum(axis=1, keepdims=True)


def mean_loss(scale, bias, p, y, weight=None):
    """The weighted mean log-loss, written down anew."""
    q = softmax(np.log(p) * scale + bias, axis=1)
    return np.average(-np.log(q[np.arange(y.size), y]), weights=weight)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_calibrated_input_gives_the_identity(scaling):
    model = ScalingCalibrator(scaling).fit(*rows(200_000))
    np.testing.assert_allclose(model.temperature_, 1, atol=0.05)
    np.testing.assert_allclose(model.bias_, 0, atol=0.05)


def test_a_temperature_and_biases_are_found_again():
    p, y = rows(200_000)
    model = ScalingCalibrator().fit(sharpened(p), y)
    np.testing.assert_allclose(model.temperature_, 2.5, atol=0.05)
    tilted = p * [1.0, 5.0, 20.0]
    tilted /= tilted.sum(axis=1, keepdims=True)
    model = ScalingCalibrator("bias_corrected").fit(tilted, y)
    bias = -np.log([1.0, 5.0, 20.0])
    np.testing.assert_allclose(model.bias_, bias - bias.mean(), atol=0.05)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_no_other_solver_gets_lower(scaling, weighted):
    p, y = rows(500)
    p = sharpened(p)
    weight = np.random.default_rng(1).gamma(1.0, size=y.size) if weighted else None
    model = ScalingCalibrator(scaling).fit(p, y, sample_weight=weight)
    n_slopes = 3 if scaling == "vector" else 1
    n_biases = 0 if scaling == "temperature" else 3

    def loss(at):
        bias = at[n_slopes:] if n_biases else 0.0
        return mean_loss(at[:n_slopes], bias, p, y, weight)

    mine = mean_loss(model.scale_, model.bias_, p, y, weight)
    bounds = [(1e-3, 1e3)] * n_slopes + [(None, None)] * n_biases
    for slope in (0.2, 1.0, 3.0):
        start = np.r_[np.full(n_slopes, slope), np.zeros(n_biases)]
        options = {"maxfun": 100_000}
        other = minimize(loss, start, bounds=bounds, method="L-BFGS-B", options=options)
        assert mine <= other.fun + 1e-12
        assert mine == pytest.approx(other.fun, abs=1e-6)
        found = np.broadcast_to(other.x[:n_slopes], 3)
        np.testing.assert_allclose(model.scale_, found, atol=0.02)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_gradient_vanishes(scaling):
    p, y = rows(500)
    model = ScalingCalibrator(scaling).fit(sharpened(p), y)
    z, q = np.log(sharpened(p)), model.predict_proba(sharpened(p))
    left = q - np.eye(3)[y]
    by_slope, by_bias = (left * z).mean(axis=0), left.mean(axis=0)
    if scaling == "vector":
        np.testing.assert_allclose(by_slope, 0, atol=1e-9)
    else:
        assert abs(by_slope.sum()) < 1e-9
    if scaling != "temperature":
        np.testing.assert_allclose(by_bias, 0, atol=1e-9)


@pytest.mark.parametrize("shape", ["temperature", "bias_corrected", "vector", "groups"])
def test_gradient_and_hessian_are_those_of_the_loss(shape):
    p, y = rows(60)
    slopes = {
        "vector": np.eye(3),
        "groups": np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]),
    }.get(shape, np.ones((3, 1)))
    biases = np.empty((3, 0)) if shape == "temperature" else np.eye(3)[:, 1:]
    weight = np.random.default_rng(0).gamma(1.0, size=60)
    loss = _Loss(log_probabilities(p), y, weight, slopes, biases)
    at = np.random.default_rng(1).uniform(0.3, 1.5, size=slopes.shape[1] + biases.shape[1])
    value, gradient, hessian = loss(at)
    n = slopes.shape[1]
    assert value == pytest.approx(mean_loss(slopes @ at[:n], biases @ at[n:], p, y, weight))
    np.testing.assert_allclose(gradient, approx_fprime(at, lambda a: loss(a)[0], 1e-7), atol=1e-6)
    numeric = np.array(
        [approx_fprime(at, lambda a, i=i: loss(a)[1][i], 1e-7) for i in range(at.size)]
    )
    np.testing.assert_allclose(hessian, numeric, atol=1e-5)


def test_each_scaling_is_at_least_as_good_as_the_one_it_contains():
    p, y = rows(300, seed=4)
    p = sharpened(p)
    losses = [log_loss(y, ScalingCalibrator(s).fit(p, y).predict_proba(p)) for s in SCALINGS]
    assert losses[0] >= losses[1] >= losses[2]
    assert log_loss(y, p) > losses[0]


def test_it_is_the_temperature_of_scikit_learn():
    X, y = make_classification(1500, n_classes=3, n_informative=5, class_sep=0.5, random_state=0)
    base = LogisticRegression().fit(X[:700], y[:700])
    theirs = CalibratedClassifierCV(FrozenEstimator(base), method="temperature", ensemble=False)
    theirs.fit(X[700:], y[700:])
    mine = ScalingCalibrator().fit(base.predict_proba(X[700:]), y[700:])
    np.testing.assert_allclose(
        mine.predict_proba(base.predict_proba(X)), theirs.predict_proba(X), atol=1e-6
    )


def test_a_temperature_keeps_the_ranking_and_the_most_probable_class():
    p, y = rows()
    out = ScalingCalibrator().fit(sharpened(p), y).predict_proba(p)
    assert (out.argmax(axis=1) == p.argmax(axis=1)).all()
    p, y = rows(alpha=(5.0, 1.0))
    for scaling in SCALINGS:
        out = ScalingCalibrator(scaling).fit(sharpened(p), y).predict_proba(p)
        assert roc_auc_score(y, out[:, 1]) == roc_auc_score(y, p[:, 1])


def test_biases_make_the_mean_probabilities_the_shares():
    p, y = rows()
    for scaling in ("bias_corrected", "vector"):
        out = ScalingCalibrator(scaling).fit(sharpened(p), y).predict_proba(sharpened(p))
        np.testing.assert_allclose(out.mean(axis=0), np.bincount(y) / y.size, atol=1e-9)


def test_groups_lie_between_one_slope_and_a_slope_a_class():
    p, y = rows()
    p = sharpened(p)
    one = ScalingCalibrator("bias_corrected").fit(p, y)
    same = ScalingCalibrator("bias_corrected", groups=["a", "a", "a"]).fit(p, y)
    np.testing.assert_allclose(same.scale_, one.scale_, rtol=1e-9)
    each = ScalingCalibrator("bias_corrected", groups=[2, 0, 1]).fit(p, y)
    vector = ScalingCalibrator("vector").fit(p, y)
    np.testing.assert_allclose(each.scale_, vector.scale_, rtol=1e-7)
    two = ScalingCalibrator(groups=["head", "tail", "tail"]).fit(p, y)
    assert two.scale_[1] == two.scale_[2] != two.scale_[0]
    assert (two.bias_ == 0).all()


def test_bad_groups_are_refused():
    p, y = rows()
    with pytest.raises(DataError, match="a label for each of the 3 classes"):
        ScalingCalibrator(groups=["a", "b"]).fit(p, y)
    with pytest.raises(InvalidParameterError, match="'vector' has one slope a class"):
        ScalingCalibrator("vector", groups=["a", "b", "b"]).fit(p, y)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_separated_classes_give_a_finite_map_and_a_warning(scaling):
    p = np.r_[np.full(30, 0.4), np.full(30, 0.6)]
    y = np.arange(60) >= 30
    with pytest.warns(ImbkitWarning, match="should not separate the classes"):
        model = ScalingCalibrator(scaling).fit(p, y)
    assert model.scale_.max() <= 1e3
    assert np.isfinite(model.bias_).all()
    np.testing.assert_allclose(model.predict_proba(p)[:, 1], y, atol=1e-6)


def test_probabilities_that_say_the_contrary_end_flat_with_a_warning():
    p, y = rows(alpha=(2.0, 2.0))
    with pytest.warns(ImbkitWarning, match="larger for its own rows"):
        model = ScalingCalibrator().fit(p, 1 - y)
    np.testing.assert_allclose(model.predict_proba(p), 0.5, atol=0.01)
    assert model.predict_proba(np.array([0.4]))[0, 1] < 0.5


def test_equal_probabilities_give_the_shares():
    y = np.arange(600) % 6 // 3 + np.arange(600) % 6 // 5
    model = ScalingCalibrator("bias_corrected").fit(np.full((600, 3), 1 / 3), y)
    np.testing.assert_allclose(
        model.predict_proba(np.full((1, 3), 1 / 3))[0], np.bincount(y) / 600, atol=1e-9
    )
