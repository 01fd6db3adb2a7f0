"""What every calibrator checks, and what it may be called."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from imbkit.calibration import (
    BetaCalibrator,
    IsotonicCalibrator,
    ScalingCalibrator,
    SigmoidCalibrator,
)
from imbkit.calibration._base import BaseCalibrator, as_calibrator
from imbkit.calibration._probabilities import FLOOR, check_probabilities
from imbkit.exceptions import DataError, InvalidParameterError

ALL = [
    SigmoidCalibrator(),
    SigmoidCalibrator(balanced=True),
    BetaCalibrator(),
    IsotonicCalibrator(min_positives=0),
    ScalingCalibrator(),
    ScalingCalibrator("bias_corrected"),
    ScalingCalibrator("vector"),
]


@pytest.fixture(params=ALL, ids=str)
def calibrator(request):
    return clone(request.param)


def binary(n=400, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.7, 3.0, size=n)
    return p, (rng.random(n) < p).astype(int)


def many(n=600, seed=0, k=3):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.arange(1, k + 1), size=n)
    return p, (rng.random((n, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)


def test_one_column_is_that_of_the_second_class(calibrator):
    p, y = binary()
    one = clone(calibrator).fit(p, y).predict_proba(p)
    both = np.column_stack((1 - p, p))
    two = clone(calibrator).fit(both, y).predict_proba(both)
    np.testing.assert_array_equal(one, two)
    assert one.shape == (p.size, 2)


@pytest.mark.parametrize("make", [binary, many])
def test_rows_sum_to_one_and_lie_between_0_and_1(calibrator, make):
    p, y = make()
    out = calibrator.fit(p, y).predict_proba(p)
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=1e-12)
    assert (out >= 0).all()
    assert (out <= 1).all()


def test_labels_may_be_of_any_kind(calibrator):
    p, y = many()
    plain = calibrator.fit(p, y).predict_proba(p)
    for names in (np.array(["a", "b", "c"]), np.array(["a", "b", "c"], dtype=object)):
        named = clone(calibrator).fit(p, names[y])
        assert named.classes_.tolist() == ["a", "b", "c"]
        np.testing.assert_array_equal(named.predict_proba(p), plain)


def test_frames_and_float32_are_taken(calibrator):
    p, y = many()
    plain = calibrator.fit(p, y).predict_proba(p)
    framed = clone(calibrator).fit(pd.DataFrame(p), pd.Series(y)).predict_proba(pd.DataFrame(p))
    np.testing.assert_array_equal(framed, plain)
    narrow = clone(calibrator).fit(p.astype(np.float32), y).predict_proba(p.astype(np.float32))
    np.testing.assert_allclose(narrow, plain, atol=1e-3)


@pytest.mark.parametrize("make", [binary, many])
def test_integer_weights_are_repeated_rows(calibrator, make):
    p, y = make()
    weight = np.random.default_rng(1).integers(0, 4, size=y.size)
    weighted = clone(calibrator).fit(p, y, sample_weight=weight).predict_proba(p)
    repeated = clone(calibrator).fit(np.repeat(p, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted, repeated.predict_proba(p), atol=1e-8)


@pytest.mark.parametrize("make", [binary, many])
def test_the_order_of_the_rows_does_not_matter(calibrator, make):
    p, y = make()
    order = np.random.default_rng(2).permutation(y.size)
    a = clone(calibrator).fit(p, y).predict_proba(p)
    b = clone(calibrator).fit(p[order], y[order]).predict_proba(p)
    np.testing.assert_allclose(a, b, atol=1e-8)


def test_zeros_and_ones_give_finite_maps(calibrator):
    p, y = binary()
    p[:40] = 0.0
    p[-40:] = 1.0
    out = calibrator.fit(p, y).predict_proba(np.array([0.0, FLOOR / 8, 0.5, 1.0]))
    assert np.isfinite(out).all()
    assert (np.diff(out[:, 1]) >= 0).all()
    assert out[0, 1] == out[1, 1]


def bad_probabilities():
    p, _ = many()
    yield p[:, :2], "one column for each of the 3 classes: 0, 1, 2"
    yield p[:, 0], "one column for each of the 3 classes"
    yield np.where(np.arange(3) == 1, np.nan, p), "must not be NaN or infinite"
    yield np.where(np.arange(3) == 1, np.inf, p), "must not be NaN or infinite"
    yield p * 2 - 0.5, "between 0 and 1"
    yield p * 0.9, "sum to one"
    yield p[:-1], "same number of rows"
    yield np.empty((0, 3)), "must have rows"
    yield [["a", "b", "c"]], "array of numbers"
    yield [[0.5], [0.5, 0.5]], "array of numbers"


@pytest.mark.parametrize(("p", "text"), list(bad_probabilities()))
def test_bad_probabilities_are_refused(calibrator, p, text):
    good, y = many()
    with pytest.raises(DataError, match=text):
        calibrator.fit(p, y)
    if "number of rows" not in text:
        with pytest.raises(DataError, match=text):
            calibrator.fit(good, y).predict_proba(p)


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (None, "requires y to be passed"),
        (np.zeros(600), "two classes or more. Got one class only, 0.0"),
        (np.full(600, None), "must not be missing, NaN or infinite"),
        (np.where(np.arange(600) > 5, 1.0, np.nan), "must not be missing, NaN or infinite"),
        (np.linspace(0.1, 1.7, 600), "Unknown label type"),
        (np.arange(600) % 2, "one column for each of the 2 classes"),
    ],
)
def test_bad_labels_are_refused(calibrator, y, text):
    p, _ = many()
    with pytest.raises(DataError, match=text):
        calibrator.fit(p, y)


def test_bad_weights_are_refused(calibrator):
    p, y = many()
    for weight, text in [
        (np.ones(5), "one number for each"),
        (np.full(600, -1.0), "not negative"),
        (np.where(y == 1, 0.0, 1.0), "weight 0 only for class 1"),
    ]:
        with pytest.raises(DataError, match=text):
            calibrator.fit(p, y, sample_weight=weight)


def test_sums_may_be_off_by_rounding():
    exact = np.array([[0.25, 0.75], [0.3, 0.7]])
    np.testing.assert_array_equal(check_probabilities(exact, 2, "X"), exact)
    # Four digits, and single precision that goes beyond 1, are mended; exact rows stay.
    near = check_probabilities(np.vstack((exact, [[0.3333, 0.6664]])), 2, "X")
    np.testing.assert_array_equal(near[:2], exact)
    np.testing.assert_allclose(near[2], [0.3333 / 0.9997, 0.6664 / 0.9997], rtol=1e-15)
    beyond = check_probabilities(np.array([[0.0, 1.0000002]], dtype=np.float32), 2, "X")
    np.testing.assert_array_equal(beyond, [[0.0, 1.0]])
    with pytest.raises(DataError, match=r"within 0\.001\. Got 1\.0011 in row 0"):
        check_probabilities(np.array([[0.5, 0.5011]]), 2, "X")
    with pytest.raises(DataError, match=r"from 0 to 1\.00001"):
        check_probabilities(np.array([[0.0, 1.00001]]), 2, "X")


def test_single_precision_of_many_classes_is_taken(calibrator):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(60, 0.3), size=3000).astype(np.float32)
    p *= np.float32(1 + 3e-6)  # as sums of many rounded numbers may be off
    y = (rng.random((3000, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    assert np.unique(y).size == 60
    out = calibrator.fit(p, y).predict_proba(p)
    np.testing.assert_allclose(out.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "cls", "settings"),
    [
        ("sigmoid", SigmoidCalibrator, {"balanced": False}),
        ("beta", BetaCalibrator, {}),
        ("isotonic", IsotonicCalibrator, {"min_positives": 200}),
        ("temperature", ScalingCalibrator, {"scaling": "temperature", "groups": None}),
        ("bias_corrected", ScalingCalibrator, {"scaling": "bias_corrected", "groups": None}),
        ("vector", ScalingCalibrator, {"scaling": "vector", "groups": None}),
    ],
)
def test_names_of_calibrators(name, cls, settings):
    made = as_calibrator(name, "X")
    assert type(made) is cls
    assert made.get_params() == settings


def test_an_object_is_cloned_and_none_is_none():
    fitted = SigmoidCalibrator(balanced=True).fit(*binary())
    made = as_calibrator(fitted, "X")
    assert isinstance(made, BaseCalibrator)
    assert made is not fitted
    assert made.balanced
    assert not hasattr(made, "slope_")
    assert as_calibrator(None, "X") is None


@pytest.mark.parametrize("wrong", ["Platt", "sigmoidal", 3, SigmoidCalibrator, object()])
def test_anything_else_is_refused(wrong):
    with pytest.raises(InvalidParameterError, match="calibration must be None, a calibrator"):
        as_calibrator(wrong, "X")
    if wrong == "sigmoidal":
        with pytest.raises(InvalidParameterError, match="Did you mean 'sigmoid'"):
            as_calibrator(wrong, "X")


def test_the_input_is_no_table_of_features(calibrator):
    assert not calibrator.__sklearn_tags__().input_tags.two_d_array
