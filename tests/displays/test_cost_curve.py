"""The cost curve: at every place the cost of the best threshold of all."""

import sys

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from imbkit.displays import CostCurveDisplay
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.metrics import expected_cost, sweep
from imbkit.thresholds import ThresholdClassifierCV

PLACES = np.linspace(0, 1, 201)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("digits", [None, 1, 0])
def test_the_curve_is_the_lowest_of_all_thresholds(rows, weighted, digits):
    y, p, w = rows(n=150, digits=digits)
    weight = w if weighted else None
    display = CostCurveDisplay.from_predictions(y, p, sample_weight=weight)
    _, counts = sweep(y, p, weight)
    every = np.outer(1 - counts.tpr, PLACES) + np.outer(counts.fpr, 1 - PLACES)
    np.testing.assert_allclose(display.at(PLACES), every.min(axis=0), atol=1e-12)
    drawn = np.interp(PLACES, *display.line_.get_data())
    np.testing.assert_allclose(drawn, every.min(axis=0), atol=1e-12)


def test_ends_and_trivial_decisions(rows):
    y, p, _ = rows()
    display = CostCurveDisplay.from_predictions(y, p)
    assert display.at(0.0) == display.at(1.0) == 0.0
    assert (display.probability_cost[0], display.probability_cost[-1]) == (0.0, 1.0)
    assert (display.at(PLACES) <= np.minimum(PLACES, 1 - PLACES) + 1e-12).all()
    lines = {line.get_label(): line for line in display.ax_.lines}
    for text, slope in (("alert nothing", 1), ("alert everything", -1)):
        x, values = lines[text].get_data()
        np.testing.assert_allclose(values, x if slope > 0 else 1 - x)
    # Scores that say nothing buy nothing beyond these two.
    flat = CostCurveDisplay.from_predictions(y, np.zeros(y.size))
    np.testing.assert_allclose(flat.at(PLACES), np.minimum(PLACES, 1 - PLACES))
    perfect = CostCurveDisplay.from_predictions(y, y.astype(float))
    np.testing.assert_allclose(perfect.at(PLACES), 0, atol=1e-12)


def test_the_curve_is_the_expected_cost_divided_by_the_worst(rows):
    y, p, _ = rows()
    fp, fn, share = 2.0, 30.0, y.mean()
    display = CostCurveDisplay.from_predictions(y, p, fp=fp, fn=fn)
    worst = share * fn + (1 - share) * fp
    costs = [expected_cost(y, (p >= cut).astype(int), fp=fp, fn=fn) for cut in np.append(p, 2)]
    assert display.operating_point == pytest.approx(share * fn / worst)
    assert display.at(display.operating_point) == pytest.approx(min(costs) / worst)
    # Another base rate leaves the curve and moves the point.
    other = CostCurveDisplay.from_predictions(y, p, prevalence=0.001)
    assert other.operating_point == pytest.approx(0.001)
    np.testing.assert_array_equal(other.fpr, display.fpr)


def test_each_line_is_the_best_where_the_table_says(rows):
    y, p, _ = rows(n=150)
    display = CostCurveDisplay.from_predictions(y, p)
    frame = display.frame()
    columns = ["from", "to", "cost_from", "cost_to", "threshold", "fpr", "fnr"]
    assert list(frame.columns) == columns
    assert (frame["from"] <= frame["to"]).all()
    for row in frame.itertuples():
        guess = p >= row.threshold
        assert row.fpr == pytest.approx(guess[y == 0].mean())
        assert row.fnr == pytest.approx(1 - guess[y == 1].mean())
        middle = (row[1] + row.to) / 2
        line = row.fnr * middle + row.fpr * (1 - middle)
        assert line == pytest.approx(display.at(middle), abs=1e-12)
        assert display.at(row.to) == pytest.approx(row.cost_to, abs=1e-12)


def test_a_threshold_is_a_straight_line(rows, legend):
    y, p, _ = rows()
    display = CostCurveDisplay.from_predictions(y, p, threshold=0.5)
    x, values = display.fixed_line_.get_data()
    fpr, fnr = np.mean(p[y == 0] >= 0.5), np.mean(p[y == 1] < 0.5)
    np.testing.assert_allclose(values, fnr * x + fpr * (1 - x))
    texts = ["best threshold", "alert nothing", "alert everything", "threshold 0.5"]
    assert legend(display) == texts


def test_a_models_own_threshold_is_drawn(rows):
    X, y = make_classification(400, weights=[0.9], random_state=0)
    model = ThresholdClassifierCV(LogisticRegression(), store_cv_results=True).fit(X, y)
    display = CostCurveDisplay.from_cv_results(model, fp=1.0, fn=5.0)
    truth, scores = model.cv_results_["y_true"], model.cv_results_["y_score"]
    assert display.fixed[1] == pytest.approx(np.mean(scores[truth] < model.threshold_))
    assert display.threshold == model.threshold_
    direct = CostCurveDisplay.from_estimator(model, X, y)
    assert direct.fixed[0] == pytest.approx(np.mean(model.predict(X)[y == 0]))
    assert CostCurveDisplay.from_estimator(model.estimator_, X, y).fixed is None


def test_two_models_share_the_trivial_lines(rows, legend):
    y, p, _ = rows()
    first = CostCurveDisplay.from_predictions(y, p, name="one")
    second = CostCurveDisplay.from_predictions(y, p + y, name="two", ax=first.ax_)
    assert legend(second) == ["one", "alert nothing", "alert everything", "two"]
    assert first.line_.get_color() != second.line_.get_color()


def test_near_an_end_both_axes_spread(rows):
    y, p, _ = rows(n=3000, share=0.01)
    display = CostCurveDisplay.from_predictions(y, p, prevalence=0.01)
    assert (display.ax_.get_xscale(), display.ax_.get_yscale()) == ("logit", "log")
    low, high = display.ax_.get_xlim()
    assert low < 0.01 < high
    x, values = display.line_.get_data()
    np.testing.assert_allclose(values, display.at(x))
    again = CostCurveDisplay.from_predictions(y, p**2 + y / 9, ax=display.ax_)
    assert again.ax_.get_xscale() == "logit"
    assert CostCurveDisplay.from_predictions(y, p).ax_.get_xscale() == "linear"
    forced = CostCurveDisplay.from_predictions(y, p, prevalence=0.01, scale="linear")
    assert forced.ax_.get_xscale() == "linear"


def test_plotting_changes_no_array_and_few_lines_are_drawn(rows):
    y, p, _ = rows(n=20_000, share=0.3)
    display = CostCurveDisplay.from_predictions(y, p)
    before = {name: getattr(display, name).copy() for name in ("fpr", "fnr", "thresholds")}
    assert display.fpr.size > 40
    assert len(display.ax_.lines) <= 30
    bare = display.plot(lines=False)
    assert len(bare.ax_.lines) == 3
    for name, each in before.items():
        np.testing.assert_array_equal(getattr(display, name), each)
    with pytest.raises(ValueError, match="read-only"):
        display.normalized_cost[0] = 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fp": 1.0}, "fp and fn must be given together"),
        ({"fp": 0.0, "fn": 1.0}, "fp must be a positive number"),
        ({"fp": 1.0, "fn": "amount"}, "fn must be a positive number"),
        ({"prevalence": 0.0}, "prevalence must be between 0 and 1"),
        ({"scale": "log"}, "scale must be one of"),
        ({"threshold": np.nan}, "threshold must be a number"),
        ({"threshold": "0.5"}, "threshold must be a number"),
    ],
)
def test_wrong_settings_are_refused(rows, settings, words):
    y, p, _ = rows()
    with pytest.raises(InvalidParameterError, match=f"CostCurveDisplay: {words}"):
        CostCurveDisplay.from_predictions(y, p, **settings)


@pytest.mark.parametrize(
    ("fpr", "fnr", "words"),
    [
        ([0.0, 1.0], [1.0], "one entry for each"),
        ([0.0, 0.5], [1.0, 0.0], "fpr must rise from 0 to 1"),
        ([0.0, 0.6, 0.5, 1.0], [1.0, 0.5, 0.2, 0.0], "fpr must rise"),
        ([0.0, 0.9, 1.0], [1.0, 0.9, 0.0], "corners of a convex hull"),
    ],
)
def test_rates_that_make_no_curve_are_refused(fpr, fnr, words):
    with pytest.raises(DataError, match=words):
        CostCurveDisplay(fpr, fnr)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    display = CostCurveDisplay([0.0, 1.0], [1.0, 0.0])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'CostCurveDisplay.*imbkit\[plot\]"'):
        display.plot()
