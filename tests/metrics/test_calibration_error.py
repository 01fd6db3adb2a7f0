import numpy as np
import pytest

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import (
    classwise_calibration_error,
    predicted_positive_calibration_error,
    reliability_curve,
)

RNG = np.random.default_rng(0)
P3 = RNG.dirichlet([1, 1, 1], 400)
Y3 = np.array([RNG.choice(3, p=p) for p in P3])
BOTH = [classwise_calibration_error, predicted_positive_calibration_error]


def gap(truth, prob, n_bins, norm="l1"):
    """Straight from the definition, rows without ties: parts of the sorted rows."""
    order = np.argsort(prob)
    place = np.floor((np.arange(prob.size) + 0.5) / prob.size * n_bins).astype(int)
    gaps, sizes = [], []
    for k in range(n_bins):
        part = order[place == k]
        if part.size:
            gaps.append(abs(truth[part].mean() - prob[part].mean()))
            sizes.append(part.size)
    if norm == "max":
        return max(gaps)
    power = 2 if norm == "l2" else 1
    return np.average(np.power(gaps, power), weights=sizes) ** (1 / power)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
@pytest.mark.parametrize("n_bins", [1, 7, 15])
def test_both_equal_the_definition(n_bins, norm):
    each = [gap(Y3 == k, P3[:, k], n_bins, norm) for k in range(3)]
    got = classwise_calibration_error(Y3, P3, n_bins=n_bins, norm=norm, average=None)
    assert got.tolist() == pytest.approx(each)
    guess = P3.argmax(axis=1)
    each = [gap((Y3 == k)[guess == k], P3[guess == k, k], n_bins, norm) for k in range(3)]
    got = predicted_positive_calibration_error(Y3, P3, n_bins=n_bins, norm=norm, average=None)
    assert got.tolist() == pytest.approx(each)
    alert = P3[:, 1] >= 0.3
    expected = gap((Y3 == 1)[alert], P3[alert, 1], n_bins, norm)
    got = predicted_positive_calibration_error(
        Y3 == 1, P3[:, 1], n_bins=n_bins, norm=norm, threshold=0.3
    )
    assert got == pytest.approx(expected)


def test_it_is_the_mean_gap_of_the_curve():
    weight = RNG.random(400)
    options = {"n_bins": 9, "strategy": "uniform", "sample_weight": weight}
    curve = reliability_curve(Y3 == 0, P3[:, 0], **options)
    expected = np.average(np.abs(curve.observed - curve.predicted), weights=curve.rows)
    assert classwise_calibration_error(Y3 == 0, P3[:, 0], **options) == pytest.approx(expected)


def test_right_probabilities_have_the_error_that_the_docstring_states():
    prob = RNG.random(20_000) * 0.2
    truth = RNG.random(20_000) < prob
    curve = reliability_curve(truth, prob, n_bins=20)
    share = curve.predicted
    noise = np.mean(np.sqrt(2 * share * (1 - share) / (np.pi * curve.rows)))
    got = classwise_calibration_error(truth, prob, n_bins=20)
    assert got == pytest.approx(noise, rel=0.4)
    assert classwise_calibration_error(truth, prob * 3, n_bins=20) > 10 * noise


def test_a_perfect_forecaster_beats_constants_in_bins_of_equal_count():
    # The mean square over bins whose shares stand beside the probabilities of their own rows.
    # Shares beside those of other rows would make the perfect forecaster look the worst of all.
    prob = RNG.beta(0.3, 1.2, 20_000)
    truth = RNG.random(20_000) < prob

    def error(forecast):
        return classwise_calibration_error(truth, forecast, n_bins=50, norm="l2") ** 2

    order = np.argsort(prob)
    parts = np.array_split(order, 50)
    expected = np.mean([(truth[part].mean() - prob[part].mean()) ** 2 for part in parts])
    assert error(prob) == pytest.approx(expected)
    # What chance leaves: p (1 - p) divided by the 400 rows of a bin.
    assert error(prob) < 2 * np.mean(prob * (1 - prob)) / 400
    shuffled = RNG.permutation(prob)
    assert error(shuffled) > 50 * error(prob)
    for factor in (0.8, 1.25):
        assert error(np.full(20_000, factor * truth.mean())) > error(prob)
    assert error(prob**2) > 20 * error(prob)


def test_the_error_of_all_rows_does_not_see_the_alerted_ones():
    prob = np.r_[np.full(9_900, 0.001), np.full(100, 0.9)]
    truth = np.r_[np.arange(9_900) < 10, np.arange(100) < 40]
    assert classwise_calibration_error(truth, prob) < 0.01
    assert predicted_positive_calibration_error(truth, prob) == pytest.approx(0.5)


def test_the_default_threshold_is_a_half():
    prob, truth = [0.1, 0.45, 0.5, 0.7], [0, 1, 1, 0]
    got = predicted_positive_calibration_error(truth, prob, n_bins=1)
    assert got == pytest.approx(abs(0.5 - 0.6))


def test_classes_without_rows():
    labels, prob = [0, 1, 2], np.array([[0.6, 0.3, 0.1], [0.4, 0.5, 0.1]])
    got = classwise_calibration_error([0, 1], prob, labels=labels, average=None)
    assert np.isnan(got).tolist() == [False, False, True]
    mean = classwise_calibration_error([0, 1], prob, labels=labels)
    assert mean == pytest.approx(got[:2].mean())
    got = predicted_positive_calibration_error([0, 1], prob, labels=labels, average=None)
    assert got[2] == 0
    assert classwise_calibration_error([0, 0], [0.2, 0.4], n_bins=1) == pytest.approx(0.3)
    assert predicted_positive_calibration_error([0, 1], [0.1, 0.2], zero_division=1) == 1.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_bins": 0}, "n_bins must be a whole number from 1"),
        ({"n_bins": True}, "n_bins"),
        ({"n_bins": np.inf}, "n_bins"),
        ({"strategy": "x"}, "strategy"),
        ({"norm": "l3"}, "norm must be 'l1', 'l2' or 'max'"),
        ({"average": "micro"}, "average"),
    ],
)
@pytest.mark.parametrize("metric", BOTH)
def test_bad_parameters(metric, options, words):
    with pytest.raises(InvalidParameterError, match=f"{metric.__name__}: {words}"):
        metric([0, 1], [0.1, 0.9], **options)
    with pytest.raises(InvalidParameterError, match="threshold must be a number from 0 to 1"):
        predicted_positive_calibration_error([0, 1], [0.1, 0.9], threshold=2)
