"""Score separation: each class in shares of itself, bins on the axis as drawn."""

import sys

import numpy as np
import pytest
from scipy.special import logit
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from imbkit.displays import ScoreSeparationDisplay
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.thresholds import ThresholdClassifierCV


@pytest.mark.parametrize("weighted", [False, True])
def test_heights_are_shares_of_the_class(rows, weighted):
    y, p, w = rows(n=400, share=0.2)
    weight = w if weighted else None
    edges = np.linspace(0, 1, 9)
    display = ScoreSeparationDisplay.from_predictions(y, p, bins=edges, sample_weight=weight)
    for label, shares, patch in zip(
        (0, 1), (display.negative, display.positive), display.patches_, strict=True
    ):
        own = y == label
        counts, _ = np.histogram(p[own], edges, weights=None if weight is None else w[own])
        np.testing.assert_allclose(shares, counts / counts.sum())
        np.testing.assert_allclose(patch.get_data().values, shares)
        np.testing.assert_array_equal(patch.get_data().edges, edges)


def test_what_lies_beyond_the_edges_is_in_the_outer_bins():
    y, scores = [0, 0, 0, 1, 1], [-np.inf, -9.0, 0.5, 0.7, np.inf]
    display = ScoreSeparationDisplay.from_predictions(y, scores, bins=[0.0, 0.6, 1.0])
    np.testing.assert_allclose(display.negative, [1, 0])
    np.testing.assert_allclose(display.positive, [0, 1])


def test_a_rare_class_stands_on_a_scale_of_log_odds(rows):
    y, p, _ = rows(n=5000, share=0.004)
    display = ScoreSeparationDisplay.from_predictions(y, p, threshold=0.05)
    assert display.xscale == display.ax_.get_xscale() == "logit"
    widths = np.diff(logit(display.edges))
    np.testing.assert_allclose(widths, widths.mean(), rtol=1e-6)
    # Both classes are of one size in the picture.
    assert display.positive.sum() == pytest.approx(1)
    assert display.positive.max() > 0.1
    common, q, _ = rows(share=0.5)
    assert ScoreSeparationDisplay.from_predictions(common, 0.1 + 0.8 * q).xscale == "linear"
    assert ScoreSeparationDisplay.from_predictions(common, 10 * q).xscale == "linear"


def test_bins_of_equal_mass(rows):
    y, p, w = rows(n=2000, share=0.1)
    for weight in (None, w):
        display = ScoreSeparationDisplay.from_predictions(
            y, p, binning="mass", bins=10, sample_weight=weight
        )
        both = (display.negative + display.positive) / 2
        assert both.size == 10
        np.testing.assert_allclose(both, 0.1, atol=0.01)
        heights = display.patches_[1].get_data().values
        place = display._axis().place(display.edges)
        np.testing.assert_allclose(heights * np.diff(place) * 100, display.positive)
    assert display.ax_.get_ylabel() == "Share of the class per 1% of the axis"


def test_the_threshold_says_how_much_of_each_class_reaches_it(rows, legend):
    y, p, w = rows(n=400)
    labels = np.where(y == 1, "fraud", "fine")
    display = ScoreSeparationDisplay.from_predictions(
        labels, p, threshold=0.2, pos_label="fraud", sample_weight=w
    )
    fine = w[(y == 0) & (p >= 0.2)].sum() / w[y == 0].sum()
    fraud = w[(y == 1) & (p >= 0.2)].sum() / w[y == 1].sum()
    assert display.above == pytest.approx((fine, fraud))
    n_fine, n_fraud = (np.count_nonzero((y == k) & (w > 0)) for k in (0, 1))
    last = f"threshold 0.2 reached by {100 * fraud:.3g}% of class fraud"
    texts = legend(display)
    assert texts[:2] == [f"class fine ({n_fine} rows)", f"class fraud ({n_fraud} rows)"]
    assert texts[2] == f"{last} and {100 * fine:.3g}% of class fine"
    assert display.threshold_line_.get_xdata()[0] == 0.2


def test_two_models_on_one_picture(rows, legend):
    y, p, _ = rows()
    first = ScoreSeparationDisplay.from_predictions(y, p, name="one", threshold=0.2)
    second = ScoreSeparationDisplay.from_predictions(y, p**2, name="two", ax=first.ax_)
    assert len(legend(second)) == 5
    assert legend(second)[3].startswith("two: class 0")
    assert first.patches_[0].get_linestyle() != second.patches_[0].get_linestyle()
    assert second.patches_[0].get_facecolor()[3] == 0


def test_estimators_and_kept_scores():
    X, y = make_classification(400, weights=[0.8], random_state=0)
    model = ThresholdClassifierCV(LogisticRegression(), store_cv_results=True).fit(X, y)
    direct = ScoreSeparationDisplay.from_estimator(model, X, y)
    predicted = model.predict(X)
    assert direct.above == pytest.approx((predicted[y == 0].mean(), predicted[y == 1].mean()))
    kept = ScoreSeparationDisplay.from_cv_results(model)
    reached = model.cv_results_["y_score"] >= model.threshold_
    assert kept.above[1] == pytest.approx(reached[model.cv_results_["y_true"]].mean())
    other = ScoreSeparationDisplay.from_estimator(model, X, y, response_method="decision_function")
    assert other.threshold is None


def test_scores_that_are_all_equal_or_few_or_at_the_ends_are_drawn():
    for scores in ([0.3] * 6, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [0.0] * 6, [-np.inf] * 6):
        for binning in ("width", "mass"):
            display = ScoreSeparationDisplay.from_predictions(
                [0, 1, 0, 1, 0, 1], scores, binning=binning
            )
            display.figure_.canvas.draw()
            assert display.positive.sum() == pytest.approx(1)


def test_frame_and_arrays(rows):
    y, p, _ = rows()
    display = ScoreSeparationDisplay.from_predictions(y, p, bins=7)
    frame = display.frame()
    assert list(frame.columns) == ["from", "to", "negative", "positive"]
    assert len(frame) == 7
    before = {name: getattr(display, name).copy() for name in ("edges", "negative", "positive")}
    display.plot(linewidth=3)
    assert display.patches_[0].get_linewidth() == 3
    for name, each in before.items():
        np.testing.assert_array_equal(getattr(display, name), each)
    with pytest.raises(ValueError, match="read-only"):
        display.edges[0] = 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bins": 0}, "bins must be at least 1"),
        ({"bins": 2.5}, "bins must be a whole number"),
        ({"bins": True}, "bins must be a whole number"),
        ({"bins": "many"}, "bins must be a whole number"),
        ({"bins": [1.0, 0.0]}, "bins as edges must ascend"),
        ({"binning": "log"}, "binning must be one of"),
        ({"xscale": "cube"}, "xscale must be one of"),
    ],
)
def test_wrong_settings_are_refused(rows, changes, words):
    y, p, _ = rows()
    with pytest.raises(InvalidParameterError, match=f"ScoreSeparationDisplay: {words}"):
        ScoreSeparationDisplay.from_predictions(y, p, **changes)


def test_arrays_that_do_not_fit_are_refused():
    for edges, negative, positive, words in (
        ([0, 1], [0.5, 0.5], [1.0], "edges must ascend"),
        ([1, 0], [1.0], [1.0], "edges must ascend"),
        ([0, 1], [1.0], [0.5], "add up to 1"),
    ):
        with pytest.raises(DataError, match=words):
            ScoreSeparationDisplay(edges, negative, positive)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    display = ScoreSeparationDisplay([0, 1], [1.0], [1.0])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'ScoreSeparationDisplay.*imbkit\[plot\]"'):
        display.plot()


def test_a_score_on_an_edge_or_a_threshold_belongs_above_it():
    y, scores = [0, 0, 1, 1], [0.2, 0.5, 0.5, 1.0]
    display = ScoreSeparationDisplay.from_predictions(y, scores, bins=[0, 0.5, 1.0], threshold=0.5)
    assert display.negative.tolist() == [0.5, 0.5]
    assert display.positive.tolist() == [0.0, 1.0]
    assert display.above == (0.5, 1.0)
