"""Weights against the penalty: what is drawn, which features are named, what was chosen."""

import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from imbkit.displays import RegularizationPathDisplay
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.ordinal import PRESTOClassifierCV, presto_path

STAGES = ["look", "cart", "buy"]
ALPHAS = np.geomspace(0.1, 0.001, 5)
RNG = np.random.default_rng(0)
# Four features: one level, one difference, both, and one that never enters.
DELTA = np.zeros((2, 4, 5))
DELTA[0, 0] = [0, 0.5, 1, 1.5, 2]
DELTA[1, 1] = [0, 0, 0, -0.5, -3]
DELTA[:, 2] = [[0, 0, 0.1, 0.2, 0.3], [0, 0.2, 0.3, 0.4, 0.5]]
COEFS = np.cumsum(DELTA, axis=0)
SCORES = np.array([-1.0, -0.8, -0.7, -0.9, -1.2])[:, None] + RNG.normal(size=(1, 4)) * 0.1


def curves(ax):
    """The lines with as many points as there are penalties."""
    return [line for line in ax.lines if len(line.get_xdata()) == ALPHAS.size]


def notes(ax):
    return [text.get_text() for text in ax.texts]


def test_differences_and_weights():
    display = RegularizationPathDisplay(ALPHAS, COEFS, classes=STAGES)
    np.testing.assert_allclose(display.drawn, DELTA, atol=1e-15)
    np.testing.assert_array_equal(display.coefs, COEFS)
    plain = RegularizationPathDisplay(ALPHAS, COEFS, show="weights")
    np.testing.assert_array_equal(plain.drawn, COEFS)
    assert display.boundaries == ("y > look", "y > cart")
    assert plain.boundaries == ("boundary 1", "boundary 2")


@pytest.mark.parametrize("show", ["differences", "weights"])
def test_every_line_that_leaves_zero_is_drawn(show):
    display = RegularizationPathDisplay.from_path(ALPHAS, COEFS, show=show)
    lines = curves(display.ax_)
    expected = [line for line in display.drawn.reshape(-1, 5) if line.any()]
    assert len(lines) == len(expected) == (4 if show == "differences" else 5)
    got = {tuple(line.get_ydata()) for line in lines}
    assert got == {tuple(line) for line in expected}
    assert all(line.get_xdata().tolist() == ALPHAS.tolist() for line in lines)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlim() == pytest.approx((0.1, 0.001))
    assert display.ax_scores_ is None


def test_the_order_of_the_penalties_does_not_matter():
    order = RNG.permutation(5)
    display = RegularizationPathDisplay(ALPHAS[order], COEFS[:, :, order], scores=SCORES[order])
    np.testing.assert_array_equal(display.alphas, ALPHAS)
    np.testing.assert_array_equal(display.coefs, COEFS)
    np.testing.assert_array_equal(display.scores, SCORES)


def test_features_that_weigh_most_at_the_chosen_penalty_are_named():
    names = ["level", "late", "both", "never"]
    options = {"feature_names": names, "classes": STAGES}
    chosen = RegularizationPathDisplay.from_path(ALPHAS, COEFS, alpha=ALPHAS[2], **options)
    assert chosen.named.tolist() == [0, 2, 1]
    assert notes(chosen.ax_) == ["level", "both", "late"]
    weakest = RegularizationPathDisplay.from_path(ALPHAS, COEFS, **options)
    assert weakest.named.tolist() == [1, 0, 2]
    one = RegularizationPathDisplay.from_path(ALPHAS, COEFS, n_features=1, **options)
    assert notes(one.ax_) == ["late"]
    greys = [line for line in curves(one.ax_) if line.get_alpha() < 1]
    assert len(greys) == 3
    none = RegularizationPathDisplay.from_path(ALPHAS, COEFS, n_features=0)
    assert notes(none.ax_) == []
    zeros = RegularizationPathDisplay.from_path(ALPHAS, COEFS * 0)
    assert (notes(zeros.ax_), curves(zeros.ax_)) == ([], [])


def test_names_stand_at_the_line_that_ends_furthest():
    display = RegularizationPathDisplay.from_path(ALPHAS, COEFS)
    heights = [note.xy[1] for note in display.ax_.texts]
    assert heights == [-3.0, 2.0, 0.5]


def test_the_choice_and_the_dashes_are_in_the_legend():
    display = RegularizationPathDisplay.from_path(ALPHAS, COEFS, classes=STAGES, alpha=ALPHAS[3])
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [
        "chosen penalty 0.00316: 4 of 8 weights and differences are not zero",
        "weight at y > look",
        "difference at y > cart",
    ]
    upright = [line for line in display.ax_.lines if list(line.get_xdata()) == [ALPHAS[3]] * 2]
    assert len(upright) == 1
    plain = RegularizationPathDisplay.from_path(ALPHAS, COEFS, classes=STAGES, show="weights")
    texts = [text.get_text() for text in plain.ax_.get_legend().get_texts()]
    assert texts == ["y > look", "y > cart"]
    two = RegularizationPathDisplay.from_path(ALPHAS, COEFS[:1], classes=[0, 1])
    assert two.ax_.get_legend() is None
    many = RegularizationPathDisplay.from_path(ALPHAS, np.ones((9, 1, 5)), show="weights")
    assert [t.get_text() for t in many.ax_.get_legend().get_texts()] == ["boundary 1", "boundary 9"]


def test_scores_stand_below():
    display = RegularizationPathDisplay.from_path(ALPHAS, COEFS, scores=SCORES, alpha=ALPHAS[2])
    below = display.ax_scores_
    (line,) = curves(below)
    mean, error = SCORES.mean(axis=1), SCORES.std(axis=1, ddof=1) / 2
    np.testing.assert_allclose(line.get_ydata(), mean)
    band = below.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx((mean + error).max())
    assert band[:, 1].min() == pytest.approx((mean - error).min())
    assert below.get_xlim() == display.ax_.get_xlim()
    assert any(list(other.get_xdata()) == [ALPHAS[2]] * 2 for other in below.lines)
    assert "4 folds" in below.get_ylabel()
    assert below.get_xlabel().startswith("Penalty")
    lone = RegularizationPathDisplay.from_path(ALPHAS, COEFS, scores=SCORES[:, :1])
    np.testing.assert_allclose(curves(lone.ax_scores_)[0].get_ydata(), SCORES[:, 0])


def test_axes_of_the_caller():
    _, both = plt.subplots(1, 2)
    display = RegularizationPathDisplay(ALPHAS, COEFS, scores=SCORES)
    assert display.plot(both).ax_ is both[0]
    assert display.ax_scores_ is both[1]
    _, one = plt.subplots()
    assert display.plot(one).ax_ is one
    assert display.ax_scores_ is None
    with pytest.raises(InvalidParameterError, match="ax must be one Axes, or two"):
        display.plot([one])
    thick = display.plot(lw=5)
    assert {line.get_linewidth() for line in curves(thick.ax_)} == {5}


def test_a_penalty_of_zero_is_left_out_and_said_so():
    alphas, coefs = np.append(ALPHAS, 0.0), np.concatenate([COEFS, COEFS[:, :, -1:]], axis=-1)
    scores = np.vstack([SCORES, SCORES[-1:]])
    display = RegularizationPathDisplay.from_path(alphas, coefs, scores=scores, alpha=0.0)
    np.testing.assert_array_equal(display.alphas, ALPHAS)
    assert display.scores.shape == (5, 4)
    assert "0 is left out" in display.ax_scores_.get_xlabel()
    texts = [t.get_text() for t in display.ax_scores_.get_legend().get_texts()]
    assert texts[0] == "chosen penalty 0, off the axis"
    assert "left out" not in RegularizationPathDisplay.from_path(ALPHAS, COEFS).ax_.get_xlabel()


def test_the_table():
    display = RegularizationPathDisplay(
        ALPHAS, COEFS, classes=STAGES, feature_names=list("abcd"), scores=SCORES
    )
    frame = display.frame()
    assert len(frame) == 5 * 2 * 4
    row = frame[
        (frame.alpha == ALPHAS[3]) & (frame.boundary == "y > cart") & (frame.feature == "c")
    ]
    assert row["weight"].item() == pytest.approx(COEFS[1, 2, 3])
    assert row["difference"].item() == pytest.approx(DELTA[1, 2, 3])
    assert row["score"].item() == pytest.approx(SCORES[3].mean())
    assert row["standard_error"].item() == pytest.approx(SCORES[3].std(ddof=1) / 2)
    wide = frame.pivot_table(index="alpha", columns=["boundary", "feature"], values="weight")
    np.testing.assert_allclose(
        wide.to_numpy()[::-1], np.moveaxis(COEFS[::-1], -1, 0).reshape(5, -1)
    )
    assert "score" not in RegularizationPathDisplay(ALPHAS, COEFS).frame()


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(240, 3)) * [1.0, 5.0, 0.2]
    eta = X @ [1.0, -0.1, 0.0] + rng.logistic(size=240)
    return X, np.array(STAGES)[np.digitize(eta, [0.0, 1.5])]


@pytest.mark.parametrize("l1_ratio", [1.0, [0.5, 1.0]])
def test_a_fitted_model(table, l1_ratio):
    X, y = table
    model = PRESTOClassifierCV(alphas=8, l1_ratio=l1_ratio, cv=3, categories=STAGES).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model, ["a", "b", "c"])
    np.testing.assert_array_equal(display.alphas, model.alphas_)
    at = int(np.flatnonzero(model.alphas_ == model.alpha_)[0])
    np.testing.assert_allclose(display.coefs[:, :, at], model.coef_, atol=1e-6)
    assert (display.alpha, display.features) == (model.alpha_, ("a", "b", "c"))
    assert display.boundaries == ("y > look", "y > cart")
    assert display.scores.mean(axis=1).argmax() == at
    scaled = RegularizationPathDisplay.from_estimator(model, scale=X.std(axis=0))
    np.testing.assert_allclose(scaled.coefs, display.coefs * X.std(axis=0)[:, None])


@pytest.mark.parametrize("chosen", [0, 1])
def test_scores_of_several_shares_of_the_lasso(chosen):
    both = np.stack([SCORES, SCORES - 1])
    model = SimpleNamespace(
        alphas_=ALPHAS,
        coefs_path_=np.moveaxis(COEFS, -1, 0),
        cv_scores_=both,
        l1_ratio=(0.5, 1.0),
        l1_ratio_=(0.5, 1.0)[chosen],
    )
    display = RegularizationPathDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.scores, both[chosen])
    np.testing.assert_array_equal(display.coefs, COEFS)


def test_the_path_function(table):
    X, y = table
    alphas, coefs, _, _ = presto_path(X, y, alphas=6, categories=STAGES)
    display = RegularizationPathDisplay.from_path(alphas, coefs, classes=STAGES)
    np.testing.assert_array_equal(display.coefs, coefs)
    assert not display.drawn[:, :, 0].any()


@pytest.mark.parametrize(
    ("alphas", "coefs", "words"),
    [
        (ALPHAS[:4], COEFS, r"coefs must have the shape.*Got shapes \(2, 4, 5\) and \(4,\)"),
        (ALPHAS, COEFS[0], "coefs must have the shape"),
        (ALPHAS, np.zeros((2, 0, 5)), "coefs must have the shape"),
        (-ALPHAS, COEFS, "alphas must be finite and not negative.*Got -0.1"),
        (ALPHAS * np.nan, COEFS, "alphas must be finite and not negative.*Got nan"),
        (ALPHAS * 0, COEFS, "and one above 0. Got 0"),
        (ALPHAS, np.full((2, 4, 5), np.inf), "the weights must be finite"),
    ],
)
def test_what_is_no_path_is_refused(alphas, coefs, words):
    with pytest.raises(DataError, match=f"RegularizationPathDisplay: .*{words}"):
        RegularizationPathDisplay(alphas, coefs)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"show": "all"}, "show must be one of 'differences', 'weights'"),
        ({"n_features": -1}, "n_features must be a whole number from 0"),
        ({"n_features": 1.5}, "n_features must be a whole number from 0"),
        ({"alpha": -1}, "alpha must be a number from 0"),
        ({"alpha": "0.1"}, "alpha must be a number from 0"),
        ({"classes": [1, 2]}, "classes must hold 3 labels"),
        ({"feature_names": ["a"]}, "one name for each of 4 features"),
    ],
)
def test_wrong_settings_are_refused(settings, words):
    with pytest.raises(InvalidParameterError, match=f"RegularizationPathDisplay: .*{words}"):
        RegularizationPathDisplay(ALPHAS, COEFS, **settings)


def test_scores_of_other_shapes_and_models_without_a_path_are_refused():
    for scores in (SCORES[:3], SCORES[:, 0], SCORES[:, :0]):
        with pytest.raises(DataError, match="scores must have one row for each of 5 alphas"):
            RegularizationPathDisplay(ALPHAS, COEFS, scores=scores)
    with pytest.raises(InvalidParameterError, match="must be fitted and have coefs_path_"):
        RegularizationPathDisplay.from_estimator(SimpleNamespace(coef_=COEFS[:, :, 0]))


def test_no_array_can_be_changed_and_one_penalty_is_enough():
    coefs = COEFS.copy()
    display = RegularizationPathDisplay(ALPHAS, coefs)
    coefs[:] = 7
    np.testing.assert_array_equal(display.coefs, COEFS)
    with pytest.raises(ValueError, match="read-only"):
        display.drawn[0, 0, 0] = 1
    assert RegularizationPathDisplay.from_path([0.1], COEFS[:, :, :1]).alphas.tolist() == [0.1]


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    display = RegularizationPathDisplay(ALPHAS, COEFS)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'RegularizationPathDisplay.*imbkit\[plot\]"'):
        display.plot()
