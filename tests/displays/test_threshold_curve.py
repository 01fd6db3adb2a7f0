"""The threshold curve: what is drawn is the metric of the decisions at each threshold."""

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, fbeta_score, precision_score, recall_score

from imbkit.displays import ThresholdCurveDisplay
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.metrics import expected_cost, gmean_score
from imbkit.thresholds import BestMetric, LowestCost, ThresholdClassifierCV


@pytest.fixture(scope="module")
def model():
    X, y = make_classification(600, weights=[0.9], flip_y=0.05, random_state=0)
    fitted = ThresholdClassifierCV(LogisticRegression(), "f1", store_cv_results=True)
    return fitted.fit(X, y), X, y


def step_values(line, x):
    """Read the heights of a step line at some places."""
    xs, ys = line.get_data()
    assert line.get_drawstyle() == "steps-post"
    assert (np.diff(xs) <= 0).all()
    # Going to the left the step of a corner begins behind it.
    at = np.searchsorted(-xs, -np.asarray(x), side="right") - 1
    return ys[at]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("digits", [None, 1])
def test_curves_are_sklearns_metrics_at_every_threshold(rows, weighted, digits):
    y, p, w = rows(n=120, digits=digits)
    weight = w if weighted else None
    display = ThresholdCurveDisplay.from_predictions(y, p, sample_weight=weight, xscale="linear")
    np.testing.assert_array_equal(display.thresholds, np.append(np.inf, np.unique(p)[::-1]))
    for name, metric in (("precision", precision_score), ("recall", recall_score)):
        right = [
            metric(y, p >= cut, sample_weight=weight, zero_division=0) for cut in display.thresholds
        ]
        np.testing.assert_allclose(display.values[name], right, atol=1e-12)
    f1 = [f1_score(y, p >= cut, sample_weight=weight) for cut in display.thresholds]
    np.testing.assert_allclose(display.values["f1"], f1, atol=1e-12)


def test_the_line_has_its_steps_where_decisions_change(rows):
    y, p, _ = rows(n=60, digits=1)
    display = ThresholdCurveDisplay.from_predictions(y, p, metrics="f1", xscale="linear")
    cuts = np.linspace(-0.1, 1.2, 131) + 1e-4
    right = [f1_score(y, p >= cut) for cut in cuts]
    np.testing.assert_allclose(step_values(display.lines_["f1"], cuts), right, atol=1e-12)


def test_any_metric_rule_or_function_is_drawn(rows):
    y, p, _ = rows()
    amounts = np.random.default_rng(1).gamma(2.0, 50.0, size=y.size)
    metrics = {
        "f2": BestMetric("fbeta", beta=2.0),
        "gmean": gmean_score,
        "mine": lambda tp, fp, fn, tn: tp - fp,
        "cost": LowestCost(fp=5.0, fn="amount"),
    }
    display = ThresholdCurveDisplay.from_predictions(
        y, p, metrics=metrics, row_values={"amount": amounts}
    )
    assert list(display.values) == ["f2", "gmean", "mine", "cost"]
    for k in (0, 5, -1):
        guess = (p >= display.thresholds[k]).astype(int)
        np.testing.assert_allclose(display.values["f2"][k], fbeta_score(y, guess, beta=2.0))
        hits = np.sum(guess[y == 1]) - np.sum(guess[y == 0])
        assert display.values["mine"][k] == hits
        cost = expected_cost(y, guess, fp=5.0, fn=amounts, normalize=None)
        np.testing.assert_allclose(display.values["cost"][k], cost)


def test_what_is_no_share_gets_the_axis_at_the_right(rows, legend):
    y, p, _ = rows()
    display = ThresholdCurveDisplay.from_predictions(y, p, metrics=["recall", LowestCost(fn=9.0)])
    assert display.lines_["recall"].axes is display.ax_
    assert display.lines_["cost"].axes is display.ax_right_
    assert (display.ax_.get_ylabel(), display.ax_right_.get_ylabel()) == ("recall", "cost")
    assert legend(display) == ["recall", "cost"]
    again = display.plot(display.ax_, name="again")
    assert len(again.figure_.axes) == 2
    alone = ThresholdCurveDisplay.from_predictions(y, p, metrics=LowestCost(fn=9.0))
    assert alone.ax_right_ is None


def test_two_models_on_one_picture(rows, legend):
    y, p, _ = rows()
    first = ThresholdCurveDisplay.from_predictions(y, p, metrics="f1", name="one", threshold=0.2)
    second = ThresholdCurveDisplay.from_predictions(
        y, p**2, metrics="f1", name="two", threshold=0.04, ax=first.ax_
    )
    assert second.ax_ is first.ax_
    assert legend(second) == ["one", "threshold 0.2", "two", "two: threshold 0.04"]
    assert first.lines_["f1"].get_color() != second.lines_["f1"].get_color()
    assert second.ax_.get_xscale() == first.ax_.get_xscale()
    # With several metrics a colour is a metric, and a dash a model.
    first = ThresholdCurveDisplay.from_predictions(y, p, name="one")
    second = ThresholdCurveDisplay.from_predictions(y, p**2, name="two", ax=first.ax_)
    assert first.lines_["f1"].get_color() == second.lines_["f1"].get_color()
    assert first.lines_["f1"].get_linestyle() != second.lines_["f1"].get_linestyle()


def test_an_estimators_own_threshold_is_marked(model):
    fitted, X, y = model
    display = ThresholdCurveDisplay.from_estimator(fitted, X, y)
    assert display.threshold == fitted.threshold_
    assert display.threshold_line_.get_xdata()[0] == fitted.threshold_
    other = ThresholdCurveDisplay.from_estimator(fitted, X, y, response_method="decision_function")
    assert other.threshold is None
    assert other.ax_.get_xscale() == "linear"
    plain = ThresholdCurveDisplay.from_estimator(fitted.estimator_, X, y, threshold=0.3)
    np.testing.assert_array_equal(plain.values["f1"], display.values["f1"])
    assert plain.threshold == 0.3
    assert plain.name == "LogisticRegression"


def test_cv_results_give_the_objective_its_folds_and_the_choice(model, legend):
    fitted, _, _ = model
    display = ThresholdCurveDisplay.from_cv_results(fitted, metrics="recall", name="mine")
    np.testing.assert_array_equal(display.thresholds, fitted.curve_.thresholds)
    np.testing.assert_array_equal(display.values["f1"], fitted.curve_.objective)
    truth, scores = fitted.cv_results_["y_true"], fitted.cv_results_["y_score"]
    right = [recall_score(truth, scores >= cut) for cut in display.thresholds[1:]]
    np.testing.assert_allclose(display.values["recall"][1:], right)
    assert len(display.folds) == len(display.fold_lines_) == 5
    for (name, x, values), curve in zip(
        display.folds, fitted.cv_results_["fold_curves"], strict=True
    ):
        assert name == "f1"
        np.testing.assert_array_equal(x, curve.thresholds)
        np.testing.assert_array_equal(values, curve.objective)
    assert display.threshold == fitted.threshold_
    assert display.interval == fitted.threshold_interval_
    low, high = (f"{cut:.3g}" for cut in fitted.threshold_interval_)
    chosen = f"threshold {fitted.threshold_:.3g} (single folds: {low} to {high})"
    assert legend(display) == ["mine: f1", "f1 of single folds", "mine: recall", chosen]


def test_a_cost_is_a_cost_and_a_folds_total_is_brought_to_the_same_rows(model):
    _, X, y = model
    rule = LowestCost(fn=10.0)
    fitted = ThresholdClassifierCV(LogisticRegression(), rule, store_cv_results=True).fit(X, y)
    display = ThresholdCurveDisplay.from_cv_results(fitted)
    np.testing.assert_array_equal(display.values["cost"], -fitted.curve_.objective)
    for (_, _, values), curve in zip(display.folds, fitted.cv_results_["fold_curves"], strict=True):
        np.testing.assert_allclose(values, -5 * curve.objective)
    everything = [values[-1] for _, _, values in display.folds]
    np.testing.assert_allclose(np.mean(everything), display.values["cost"][-1])


def test_a_bootstrap_interval_is_preferred(model):
    fitted, _, _ = model
    fitted.bootstrap_interval_ = (0.1, 0.3)
    try:
        display = ThresholdCurveDisplay.from_cv_results(fitted)
    finally:
        del fitted.bootstrap_interval_
    assert display.interval == (0.1, 0.3)
    assert display.interval_name == "bootstrap"


def test_forbidden_thresholds_are_gaps():
    thresholds = np.array([np.inf, 0.9, 0.5, 0.1])
    display = ThresholdCurveDisplay(thresholds, {"x": [0.1, np.nan, 0.5, 0.2]}).plot()
    assert np.isnan(display.lines_["x"].get_ydata()).sum() == 1


def test_a_threshold_that_alerts_no_row_is_named(legend):
    display = ThresholdCurveDisplay([np.inf, 0.5], {"x": [0.5, 0.1]}, threshold=np.inf).plot()
    assert legend(display)[-1] == "threshold inf, no row is alerted"


def test_a_rare_class_gets_a_logit_axis_on_which_its_thresholds_differ(rows):
    y, p, _ = rows(n=5000, share=0.004)
    display = ThresholdCurveDisplay.from_predictions(y, p, threshold=1e-3)
    assert display.ax_.get_xscale() == "logit"
    low, high = display.ax_.get_xlim()
    assert 0 < low < 1e-3 < np.quantile(p, 0.999) < high < 1
    even, p, _ = rows(share=0.5)
    p = 0.1 + 0.8 * p
    assert ThresholdCurveDisplay.from_predictions(even, p).ax_.get_xscale() == "linear"
    log = ThresholdCurveDisplay.from_predictions(even, p * 50, xscale="log")
    assert log.ax_.get_xscale() == "log"
    with pytest.raises(DataError, match="xscale='logit' needs scores between 0 and 1"):
        ThresholdCurveDisplay.from_predictions(even, p * 50, xscale="logit")


def test_a_long_curve_is_thinned_where_it_does_not_show(rows):
    y, p, _ = rows(n=60_000, share=0.01)
    display = ThresholdCurveDisplay.from_predictions(y, p, metrics="precision", xscale="linear")
    x, values = display.lines_["precision"].get_data()
    assert display.thresholds.size == 60_001
    assert x.size < 10_000
    assert np.max(values) == np.max(display.values["precision"])
    cuts = np.linspace(1e-4, 0.99, 40)
    right = [precision_score(y, p >= cut, zero_division=0) for cut in cuts]
    np.testing.assert_allclose(step_values(display.lines_["precision"], cuts), right, atol=0.01)


def test_frame_holds_every_step(model):
    fitted, _, _ = model
    display = ThresholdCurveDisplay.from_cv_results(fitted)
    frame = display.frame()
    assert list(frame.columns) == ["curve", "metric", "threshold", "value"]
    main = frame[frame["curve"] == "all"]
    np.testing.assert_array_equal(main["threshold"], display.thresholds)
    np.testing.assert_array_equal(main["value"], display.values["f1"])
    assert sorted(set(frame["curve"])) == ["all", *(f"fold {k}" for k in range(5))]


def test_plotting_changes_no_array(rows):
    y, p, _ = rows()
    truth, scores = y.copy(), p.copy()
    display = ThresholdCurveDisplay.from_predictions(y, p)
    before = {name: each.copy() for name, each in display.values.items()}
    _, ax = plt.subplots()
    assert display.plot(ax, linewidth=3, color="red") is display
    assert display.ax_ is ax
    assert display.lines_["f1"].get_color() == "red"
    for name, each in before.items():
        np.testing.assert_array_equal(display.values[name], each)
    np.testing.assert_array_equal(y, truth)
    np.testing.assert_array_equal(p, scores)
    given = np.array([np.inf, 0.5])
    display = ThresholdCurveDisplay(given, {"x": [0.0, 1.0]})
    given[1] = 0.7
    assert display.thresholds[1] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        display.thresholds[1] = 0.7


def test_scores_that_are_all_equal_or_few_are_drawn():
    for scores in ([0.3] * 6, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [-5.0] * 6):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            display = ThresholdCurveDisplay.from_predictions([0, 1, 0, 1, 0, 1], scores)
            display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ("f1s", "metrics must be rules, count metrics.*Got 'f1s'.*Did you mean 'f1'"),
        ([], "metrics must name at least one"),
        (["f1", "f1"], "metrics must have different names"),
        (BestMetric, "metrics must be rules"),
    ],
)
def test_wrong_metrics_are_refused(rows, metrics, words):
    y, p, _ = rows()
    with pytest.raises(InvalidParameterError, match=f"ThresholdCurveDisplay: {words}"):
        ThresholdCurveDisplay.from_predictions(y, p, metrics=metrics)


def test_missing_row_values_and_wrong_arrays_are_refused(rows):
    y, p, _ = rows()
    rule = LowestCost(fn="amount")
    with pytest.raises(DataError, match="LowestCost needs row_values with the values 'amount'"):
        ThresholdCurveDisplay.from_predictions(y, p, metrics=rule)
    with pytest.raises(DataError, match="row_values.*one value for each row"):
        ThresholdCurveDisplay.from_predictions(y, p, metrics=rule, row_values={"amount": [1.0]})
    for thresholds, values in (([0.5, 0.1], [1, 2]), ([np.inf, 0.1], [1, 2, 3])):
        with pytest.raises(DataError):
            ThresholdCurveDisplay(thresholds, {"x": values})
    with pytest.raises(DataError, match="one metric or more"):
        ThresholdCurveDisplay([np.inf], {})
    with pytest.raises(DataError, match="a fold's metric must be one of 'x'"):
        ThresholdCurveDisplay([np.inf], {"x": [1.0]}, folds=[("y", [np.inf], [1.0])])
    with pytest.raises(InvalidParameterError, match="xscale must be one of"):
        ThresholdCurveDisplay([np.inf], {"x": [1.0]}, xscale="cube")


def test_a_model_without_kept_scores_is_refused(model):
    fitted, X, y = model
    bare = ThresholdClassifierCV(LogisticRegression(), "f1").fit(X, y)
    for other in (bare, fitted.estimator_):
        with pytest.raises(InvalidParameterError, match="store_cv_results=True"):
            ThresholdCurveDisplay.from_cv_results(other)


def test_without_matplotlib_or_pandas_the_extra_is_named(monkeypatch):
    display = ThresholdCurveDisplay([np.inf, 0.5], {"x": [0.0, 1.0]})
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'ThresholdCurveDisplay.*imbkit\[plot\]"'):
        display.plot()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r'ThresholdCurveDisplay.*imbkit\[compare\]"'):
        display.frame()
