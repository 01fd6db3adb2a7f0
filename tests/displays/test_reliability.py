"""Reliability: equal masses, right means, bars that are Wilson's."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from imbkit.displays import ReliabilityDisplay
from imbkit.displays._inputs import of_predictions
from imbkit.displays._intervals import wilson
from imbkit.displays._reliability import _bins, _How
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.thresholds import ThresholdClassifierCV


def how(**changes):
    usual = {"n_bins": 4, "tail": None, "interval": "wilson", "confidence": 0.95}
    return _How(**{**usual, "n_bootstraps": 50, "random_state": 0, **changes})


def bins_of(y, p, weight=None, **changes):
    return _bins("Test", of_predictions("Test", y, p, sample_weight=weight), how(**changes))


def test_bins_are_sklearns_where_nothing_is_tied(rows):
    y, p, _ = rows(n=400)
    display = ReliabilityDisplay.from_predictions(y, p, n_bins=8, tail=None)
    observed, predicted = calibration_curve(y, p, n_bins=8, strategy="quantile")
    np.testing.assert_allclose(display.predicted, predicted)
    np.testing.assert_allclose(display.observed, observed)
    np.testing.assert_array_equal(display.rows, 50)


@settings(max_examples=60)
@given(st.data())
def test_weights_are_repeated_rows_and_means_are_right(data):
    n = data.draw(st.integers(4, 40))
    p = np.array(data.draw(st.lists(st.integers(0, 10), min_size=n, max_size=n))) / 10
    weight = np.array(data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)))
    y = np.arange(n) % 2
    tail = data.draw(st.sampled_from([None, 0.3]))
    found = bins_of(y, p, weight, tail=tail)
    again = bins_of(np.repeat(y, weight), np.repeat(p, weight), tail=tail)
    for name in ("predicted", "observed", "weight"):
        np.testing.assert_allclose(found[name], again[name], atol=1e-12)
    assert found["weight"].sum() == pytest.approx(weight.sum())
    mean = np.average(found["predicted"], weights=found["weight"])
    assert mean == pytest.approx(np.average(p, weights=weight))
    assert (np.diff(found["predicted"]) > 0).all()
    assert (found["low"] <= found["observed"]).all()
    assert (found["high"] >= found["observed"]).all()


@settings(max_examples=60)
@given(st.data())
def test_masses_are_equal_up_to_one_group_of_equal_scores(data):
    n = data.draw(st.integers(8, 60))
    p = np.array(data.draw(st.lists(st.integers(0, 30), min_size=n, max_size=n))) / 30
    w = np.array(data.draw(st.lists(st.floats(0.1, 3), min_size=n, max_size=n)))
    found = bins_of(np.arange(n) % 2, p, w)
    largest = max(w[p == value].sum() for value in p)
    assert (found["weight"] <= w.sum() / 4 + largest + 1e-9).all()


def test_a_tail_is_binned_by_itself(rows):
    y, p, _ = rows(n=2000, share=0.01)
    display = ReliabilityDisplay.from_predictions(y, p, n_bins=10, tail=0.05)
    np.testing.assert_array_equal(display.rows, [190] * 10 + [10] * 10)
    np.testing.assert_array_equal(display.tail, [False] * 10 + [True] * 10)
    top = np.sort(p)[-100:]
    np.testing.assert_allclose(display.predicted[10:], top.reshape(10, 10).mean(axis=1))
    # Five times the share of positive rows, but at least 20 rows a bin.
    auto = ReliabilityDisplay.from_predictions(y, p, n_bins=5)
    assert auto.rows[auto.tail].sum() == 100
    auto = ReliabilityDisplay.from_predictions(y, p, n_bins=10)
    assert auto.rows[auto.tail].sum() == 200
    common, p, _ = rows(n=2000, share=0.2)
    assert not ReliabilityDisplay.from_predictions(common, p).tail.any()


def test_equal_probabilities_stay_together_in_any_order():
    p = np.repeat([0.1, 0.2, 0.7], [50, 30, 20])
    y = np.arange(100) % 3 == 0
    order = np.random.default_rng(0).permutation(100)
    found, mixed = bins_of(y, p), bins_of(y[order], p[order])
    for name in found:
        np.testing.assert_array_equal(found[name], mixed[name])
    np.testing.assert_allclose(found["predicted"], [0.1, 0.2, 0.7])
    np.testing.assert_array_equal(found["rows"], [50, 30, 20])


def test_bars_of_the_bootstrap_are_those_of_a_share(rows):
    y, p, w = rows(n=2000, share=0.3)
    wilson = bins_of(y, p)
    boot = bins_of(y, p, interval="bootstrap", n_bootstraps=400)
    np.testing.assert_allclose(boot["low"], wilson["low"], atol=0.02)
    np.testing.assert_allclose(boot["high"], wilson["high"], atol=0.02)
    weighted = bins_of(y, p, w + 1, interval="bootstrap", n_bootstraps=400)
    assert (weighted["low"] <= weighted["observed"]).all()
    assert (weighted["observed"] <= weighted["high"]).all()
    assert np.isnan(bins_of(y, p, interval=None)["high"]).all()


def test_before_and_after_stand_in_one_picture(rows, legend):
    y, p, _ = rows(n=1000, share=0.3)
    sets = {"before": p**2, "after": p}
    display = ReliabilityDisplay.from_predictions(y, sets, n_bins=5)
    assert legend(display) == ["before", "after", "right probabilities"]
    alone = ReliabilityDisplay.from_predictions(y, p, n_bins=5)
    after = display.series == "after"
    np.testing.assert_array_equal(display.predicted[after], alone.predicted)
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), alone.observed)
    # Two displays on the same axes make the same picture.
    first = ReliabilityDisplay.from_predictions(y, p**2, n_bins=5, name="before")
    second = ReliabilityDisplay.from_predictions(y, p, n_bins=5, name="after", ax=first.ax_)
    assert sorted(legend(second)) == sorted(legend(display))
    assert first.lines_[0].get_color() == display.lines_[0].get_color()
    assert second.lines_[0].get_color() == display.lines_[1].get_color()


def test_a_rare_class_gets_log_axes_with_empty_bins_at_the_edge(rows):
    y, p, _ = rows(n=4000, share=0.01)
    display = ReliabilityDisplay.from_predictions(y, p)
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    low, high = display.ax_.get_ylim()
    assert display.ax_.get_xlim() == (low, high)
    assert low < display.observed[display.observed > 0].min()
    none = display.observed == 0
    assert none.any()
    line = display.lines_[0].get_ydata()
    np.testing.assert_array_equal(np.isnan(line), none)
    np.testing.assert_array_equal(line[~none], display.observed[~none])
    hollow = [each for each in display.ax_.lines if each.get_markerfacecolor() == "white"]
    np.testing.assert_array_equal(hollow[0].get_ydata(), low)
    linear = ReliabilityDisplay.from_predictions(y, p, scale="linear")
    np.testing.assert_array_equal(linear.lines_[0].get_ydata(), linear.observed)


def test_estimators_and_kept_scores():
    X, y = make_classification(400, weights=[0.8], random_state=0)
    model = ThresholdClassifierCV(LogisticRegression(), store_cv_results=True).fit(X, y)
    direct = ReliabilityDisplay.from_estimator(model, X, y, n_bins=5)
    same = ReliabilityDisplay.from_predictions(y, model.predict_proba(X)[:, 1], n_bins=5)
    np.testing.assert_array_equal(direct.predicted, same.predicted)
    kept = ReliabilityDisplay.from_cv_results(model, n_bins=5)
    np.testing.assert_array_equal(kept.rows, 80)
    assert kept.predicted @ kept.weight / 400 == pytest.approx(model.cv_results_["y_score"].mean())
    text = f"Share of class {model.pos_label_}"
    assert kept.ax_.get_ylabel() == text


def test_frame_and_arrays(rows):
    y, p, _ = rows()
    display = ReliabilityDisplay.from_predictions(y, {"a": p, "b": p}, n_bins=3)
    frame = display.frame()
    names = ["series", "predicted", "observed", "low", "high", "rows", "weight", "tail"]
    assert list(frame.columns) == names
    assert frame["series"].tolist() == ["a"] * 3 + ["b"] * 3
    before = {name: getattr(display, name).copy() for name in names}
    display.plot(markersize=9)
    for name, each in before.items():
        np.testing.assert_array_equal(getattr(display, name), each)
    with pytest.raises(ValueError, match="read-only"):
        display.observed[0] = 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_bins": 0}, "n_bins must be a whole number from 1"),
        ({"n_bins": 2.5}, "n_bins must be"),
        ({"tail": 1.0}, "tail must be between 0 and 1"),
        ({"tail": "large"}, "tail must be"),
        ({"confidence": 0}, "confidence must be"),
        ({"interval": "exact"}, "interval must be one of 'wilson', 'bootstrap', None"),
        ({"n_bootstraps": 0}, "n_bootstraps must be"),
        ({"scale": "logit"}, "scale must be one of"),
    ],
)
def test_wrong_settings_are_refused(rows, changes, words):
    y, p, _ = rows()
    with pytest.raises(InvalidParameterError, match=f"ReliabilityDisplay: {words}"):
        ReliabilityDisplay.from_predictions(y, p, **changes)


def test_what_is_no_probability_is_refused(rows):
    y, p, _ = rows()
    with pytest.raises(DataError, match="between 0 and 1.*Got -0.5 to"):
        ReliabilityDisplay.from_predictions(y, np.append(p[1:], -0.5))
    with pytest.raises(DataError, match="one set of probabilities or more"):
        ReliabilityDisplay.from_predictions(y, {})
    for changes, words in (
        ({"observed": [0.1]}, "observed must have one entry for each of 2 bins"),
        ({"observed": [0.1, 1.2]}, "shares between 0 and 1"),
        ({"low": [0.1]}, "low must have one entry"),
    ):
        with pytest.raises(DataError, match=words):
            ReliabilityDisplay(**{"predicted": [0.1, 0.2], "observed": [0.1, 0.2], **changes})


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    display = ReliabilityDisplay([0.1], [0.2])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'ReliabilityDisplay.*imbkit\[plot\]"'):
        display.plot()


def test_unequal_weights_make_bars_longer(rows):
    y, p, w = rows(n=800, share=0.3)
    found = bins_of(y, p, w + 0.5, n_bins=2)
    upper = np.argsort(p)[-found["rows"][1] :]
    own = (w + 0.5)[upper]
    effective = own.sum() ** 2 / np.sum(own**2)
    assert effective < 0.9 * found["rows"][1]
    low, high = wilson(found["observed"][1:], np.array([effective]), 0.95)
    np.testing.assert_allclose((found["low"][1], found["high"][1]), (low[0], high[0]))
