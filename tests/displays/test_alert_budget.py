"""The alert-budget curve: every point is the metric of that name."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from imbkit.displays import AlertBudgetDisplay
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.metrics import captured_amount_at_budget, precision_at_budget, recall_at_budget
from imbkit.thresholds import ThresholdClassifierCV

METRICS = {"recall": recall_at_budget, "precision": precision_at_budget}


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("measure", METRICS)
def test_the_curve_is_the_metric_at_every_number_of_alerts(rows, measure, digits):
    y, p, _ = rows(n=150, digits=digits)
    display = AlertBudgetDisplay.from_predictions(y, p, measure=measure)
    for k in range(1, 151):
        right = METRICS[measure](y, p, budget=k)
        assert display.at(k) == pytest.approx(right, abs=1e-12)
    # The stored points themselves, and what is drawn of them.
    for alerts, value in zip(display.alerts, display.values, strict=True):
        if alerts:
            right = METRICS[measure](y, p, budget=min(float(alerts) / 150, 1.0))
            assert value == pytest.approx(right, abs=1e-9)
    x, drawn = display.line_.get_data()
    for share, value in zip(x, drawn, strict=True):
        assert value == pytest.approx(METRICS[measure](y, p, budget=min(share, 1.0)), abs=1e-9)
    assert x[0] == pytest.approx(1 / 150)
    assert x[-1] == 1.0


@settings(max_examples=25)
@given(st.data())
def test_weights_are_repeated_rows(data):
    n = data.draw(st.integers(4, 12))
    score = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=float)
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    y = np.arange(n) % 2
    weight[:2] += 1
    k = data.draw(st.integers(1, int(weight.sum())))
    for measure, metric in METRICS.items():
        scored = AlertBudgetDisplay.from_predictions(
            y, score, measure=measure, sample_weight=weight
        )
        right = metric(np.repeat(y, weight), np.repeat(score, weight), budget=k)
        assert scored.at(k) == pytest.approx(right, abs=1e-12)
        plt.close("all")


@pytest.mark.parametrize("weighted", [False, True])
def test_the_amount_is_the_captured_amount(rows, weighted):
    y, p, w = rows(n=150, digits=1)
    amount = np.random.default_rng(1).gamma(2.0, 10.0, size=150)
    weight = w if weighted else None
    display = AlertBudgetDisplay.from_predictions(
        y, p, measure="amount", amount=amount, sample_weight=weight
    )
    for share in (0.01, 0.05, 0.1, 0.5, 1.0):
        right = captured_amount_at_budget(
            y, p, amount=amount, budget=share, normalize=True, sample_weight=weight
        )
        assert display.at(share) == pytest.approx(right, abs=1e-12)


def test_chance_and_budget_are_marked(rows, legend):
    y, p, _ = rows(n=200)
    display = AlertBudgetDisplay.from_predictions(y, p, budget=20, unit="count")
    x, chance = display.chance_line_.get_data()
    np.testing.assert_allclose(chance, x / 200)
    assert display.budget_line_.get_xdata()[0] == 20
    found = recall_at_budget(y, p, budget=20)
    text = f"budget 20 alerts: recall {100 * found:.3g}%"
    assert legend(display) == ["recall", "alerts at random", text]
    assert display.ax_.get_xscale() == "log"
    precise = AlertBudgetDisplay.from_predictions(y, p, measure="precision", budget=0.1)
    np.testing.assert_allclose(precise.chance_line_.get_ydata(), y.mean())
    assert precise.budget_line_.get_xdata()[0] == pytest.approx(0.1)
    assert legend(precise)[-1].startswith("budget 10%: precision ")


def test_two_models_are_compared_on_one_picture(rows, legend):
    y, p, _ = rows()
    first = AlertBudgetDisplay.from_predictions(y, p, name="one", budget=0.1)
    second = AlertBudgetDisplay.from_predictions(y, -p, name="two", budget=0.1, ax=first.ax_)
    texts = legend(second)
    assert texts[0] == "one"
    assert texts[1] == "alerts at random"
    assert texts[3] == "two"
    assert texts[4].startswith("two, budget 10%")
    assert len(texts) == 5
    assert first.line_.get_color() != second.line_.get_color()


def test_the_band_is_that_of_samples_of_the_rows(rows):
    y, p, w = rows(n=300)
    display = AlertBudgetDisplay.from_predictions(y, p, n_bootstraps=200, random_state=1)
    alerts, low, high = display.band
    middle = np.array([display.at(float(a) / 300) for a in alerts])
    assert (low <= middle + 0.02).all()
    assert (high >= middle - 0.02).all()
    assert (high - low)[alerts < 250].max() > 0.05
    # One sample, by itself.
    chosen = np.argsort(-p)[np.random.default_rng(5).integers(0, 300, size=300)]
    single = AlertBudgetDisplay.from_predictions(
        y, p, n_bootstraps=1, random_state=5, measure="precision", sample_weight=w
    )
    for k in (0, 50, 120, 199):
        share = min(float(single.band[0][k] / w.sum()), 1.0)
        right = precision_at_budget(y[chosen], p[chosen], budget=share, sample_weight=w[chosen])
        assert single.band[1][k] == pytest.approx(right, abs=1e-9)
    again = AlertBudgetDisplay.from_predictions(y, p, n_bootstraps=200, random_state=1)
    np.testing.assert_array_equal(again.band, display.band)


def test_out_of_fold_scores_are_drawn_with_the_models_own_number_of_alerts():
    X, y = make_classification(400, weights=[0.9], random_state=0)
    model = ThresholdClassifierCV(LogisticRegression(), store_cv_results=True).fit(X, y)
    display = AlertBudgetDisplay.from_cv_results(model)
    truth, scores = model.cv_results_["y_true"], model.cv_results_["y_score"]
    assert display.budget == model.rule_.n_alerts
    assert display.at(30) == pytest.approx(recall_at_budget(truth, scores, budget=30))
    direct = AlertBudgetDisplay.from_estimator(model, X, y)
    scores = model.predict_proba(X)[:, 1]
    assert direct.at(30) == pytest.approx(recall_at_budget(y, scores, budget=30))
    assert direct.name == "ThresholdClassifierCV"


def test_many_rows_are_thinned_and_few_scores_follow_the_bend():
    y = np.r_[np.ones(5), np.zeros(995)]
    display = AlertBudgetDisplay.from_predictions(y, np.zeros(1000), measure="precision")
    np.testing.assert_allclose(display.values, 0.005)
    recall = AlertBudgetDisplay.from_predictions(y, np.zeros(1000))
    x, values = recall.line_.get_data()
    np.testing.assert_allclose(values, x)
    assert x.size > 50
    rng = np.random.default_rng(0)
    y, p = rng.random(50_000) < 0.01, rng.random(50_000)
    long = AlertBudgetDisplay.from_predictions(y, p)
    assert long.alerts.size == 50_001
    assert long.line_.get_xdata().size < 9000


def test_frame_and_arrays(rows):
    y, p, _ = rows()
    display = AlertBudgetDisplay.from_predictions(y, p)
    frame = display.frame()
    assert list(frame.columns) == ["alerts", "share", "recall", "chance"]
    np.testing.assert_array_equal(frame["recall"], display.values)
    np.testing.assert_allclose(frame["chance"], frame["share"])
    before = display.alerts.copy(), display.values.copy()
    display.plot(color="k", name="again")
    np.testing.assert_array_equal(display.alerts, before[0])
    np.testing.assert_array_equal(display.values, before[1])
    with pytest.raises(ValueError, match="read-only"):
        display.values[0] = 1


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"budget": 0}, InvalidParameterError, "budget must be a number of alerts from 1"),
        ({"budget": -0.1}, InvalidParameterError, "budget must be"),
        ({"budget": 1.5}, InvalidParameterError, "must not be above 1.0"),
        ({"budget": True}, InvalidParameterError, "budget must be"),
        ({"budget": 401}, DataError, "401 alerts and 400 rows"),
        ({"measure": "lift"}, InvalidParameterError, "measure must be one of 'recall'"),
        ({"unit": "rows"}, InvalidParameterError, "unit must be one of"),
        ({"measure": "amount"}, InvalidParameterError, "needs amount="),
        ({"amount": np.ones(400)}, InvalidParameterError, "for measure='amount' only"),
        ({"measure": "amount", "amount": np.ones(3)}, DataError, "one number for each of the 400"),
        ({"measure": "amount", "amount": -np.ones(400)}, DataError, "not negative. Got 400 bad"),
        ({"measure": "amount", "amount": np.zeros(400)}, DataError, "an amount above zero"),
        ({"n_bootstraps": -1}, InvalidParameterError, "n_bootstraps must be"),
        ({"n_bootstraps": 9, "confidence": 1.0}, InvalidParameterError, "confidence must be"),
    ],
)
def test_wrong_settings_are_refused(rows, settings, error, words):
    y, p, _ = rows()
    with pytest.raises(error, match=words):
        AlertBudgetDisplay.from_predictions(y, p, **settings)
    assert not plt.get_fignums()


def test_wrong_arrays_and_missing_matplotlib(monkeypatch):
    for alerts, values in (([1, 1], [0, 1]), ([1, 2], [0]), ([0], [1])):
        with pytest.raises(DataError, match="alerts must ascend"):
            AlertBudgetDisplay(alerts, values)
    with pytest.raises(DataError, match="band must hold"):
        AlertBudgetDisplay([1, 2], [0, 1], band=([1, 2], [0, 0], [1]))
    display = AlertBudgetDisplay([0, 1], [0, 1])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'AlertBudgetDisplay.*imbkit\[plot\]"'):
        display.plot()
