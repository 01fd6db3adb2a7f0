"""Weights of each boundary: which features are shown, where their dots lie, whose they are."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from imbkit.displays import OrdinalSlopesDisplay
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.ordinal import PRESTOClassifier, ProportionalOddsClassifier

STAGES = ["look", "click", "cart", "buy"]
COEF = np.array([[0.5, 0.0, -1.0, 0.1], [0.5, 0.2, -1.0, 0.1], [0.9, 0.2, -1.0, 0.1]])


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    eta = X @ [1.0, -0.5, 0.0, 0.3] + rng.logistic(size=300)
    return X, np.array(STAGES)[np.digitize(eta, [0.0, 1.0, 2.0])]


def drawn(display):
    """The weights as drawn, one column a row of the picture, and the rows' names."""
    dots = np.array([np.asarray(points.get_offsets()) for points in display.points_])
    xs, places = dots[:, :, 0], dots[0, :, 1]
    return xs, places, [text.get_text() for text in display.ax_.get_yticklabels()]


@pytest.mark.parametrize("by", ["weight", "change"])
def test_features_are_ranked_and_the_first_stands_at_the_top(by):
    rng = np.random.default_rng(0)
    coef = rng.normal(size=(3, 20)).round(1)
    display = OrdinalSlopesDisplay(coef, n_features=6, by=by).plot()
    size = np.abs(coef).max(axis=0) if by == "weight" else coef.max(axis=0) - coef.min(axis=0)
    assert sorted(size[display.shown], reverse=True) == sorted(size, reverse=True)[:6]
    assert (np.diff(size[display.shown]) <= 0).all()
    xs, places, names = drawn(display)
    np.testing.assert_array_equal(xs, coef[:, display.shown])
    assert places.tolist() == list(range(6))
    assert names == [f"x{j}" for j in display.shown]
    bottom, top = display.ax_.get_ylim()
    assert top < 0 < 5 < bottom
    assert display.ax_.get_ylabel() == f"6 of 20 features, by {by}"
    assert OrdinalSlopesDisplay(COEF).plot().ax_.get_ylabel() == ""


def test_equal_features_keep_their_order():
    assert OrdinalSlopesDisplay(np.ones((2, 5))).shown.tolist() == [0, 1, 2, 3, 4]
    assert OrdinalSlopesDisplay(COEF, by="change").shown.tolist() == [0, 1, 2, 3]
    assert OrdinalSlopesDisplay(COEF, by="weight").shown.tolist() == [2, 0, 1, 3]


def test_the_table_holds_every_feature():
    display = OrdinalSlopesDisplay(COEF, classes=STAGES, n_features=2, feature_names=list("abcd"))
    frame = display.frame()
    assert list(frame.columns) == ["feature", "y > look", "y > click", "y > cart", "change"]
    assert frame["feature"].tolist() == ["c", "a", "b", "d"]
    np.testing.assert_array_equal(
        frame[["y > look", "y > click", "y > cart"]], COEF.T[[2, 0, 1, 3]]
    )
    assert frame["change"].tolist() == pytest.approx([0.0, 0.4, 0.2, 0.0])


def test_boundaries_are_named_and_the_last_differs(legend):
    display = OrdinalSlopesDisplay(COEF, classes=STAGES).plot()
    assert legend(display) == ["y > look", "y > click", "y > cart"]
    sizes = [points.get_sizes()[0] for points in display.points_]
    assert sizes == sorted(sizes, reverse=True)
    paths = [points.get_paths()[0].vertices.shape for points in display.points_]
    assert paths[0] == paths[1] != paths[2]
    # Of very many boundaries the ends are named.
    many = OrdinalSlopesDisplay(np.ones((49, 2)), classes=range(50)).plot()
    assert legend(many) == ["y > 0", "y > 48"]
    assert len(many.points_) == 49


def test_a_fitted_model(table, legend):
    X, y = table
    model = PRESTOClassifier(0.01, categories=STAGES).fit(X, y)
    display = OrdinalSlopesDisplay.from_estimator(model, ["a", "b", "c", "d"], n_features=3)
    np.testing.assert_array_equal(display.coef, model.coef_)
    assert display.features == ("a", "b", "c", "d")
    assert display.boundaries == ("y > look", "y > click", "y > cart")
    assert legend(display) == list(display.boundaries)
    scaled = OrdinalSlopesDisplay.from_estimator(model, scale=[1, 0, 2, 3], by="change")
    np.testing.assert_array_equal(scaled.coef, model.coef_ * [1, 0, 2, 3])


def test_two_models_share_the_rows(table, legend):
    X, y = table
    names = ["a", "b", "c", "d"]
    first = OrdinalSlopesDisplay.from_estimator(
        PRESTOClassifier(0.01, categories=STAGES).fit(X, y), names, n_features=3
    )
    assert "PRESTOClassifier" not in legend(first)[0]
    model = ProportionalOddsClassifier(categories=STAGES).fit(X[:, ::-1], y)
    second = OrdinalSlopesDisplay.from_estimator(model, names[::-1], ax=first.ax_)
    xs, places, rows = drawn(second)
    assert rows == [names[j] for j in first.shown]
    assert places == pytest.approx(np.arange(3) + 0.3)
    np.testing.assert_array_equal(xs[0], model.coef_[0, ::-1][first.shown])
    whose = [f"PRESTOClassifier: {name}" for name in first.boundaries]
    assert legend(second) == [*whose, "ProportionalOddsClassifier: every boundary"]
    other = OrdinalSlopesDisplay([[1.0]], feature_names=["z"])
    with pytest.raises(DataError, match="features of the same names. Got z and"):
        other.plot(first.ax_)
    third = OrdinalSlopesDisplay(COEF, feature_names=names, name="mine").plot(first.ax_)
    np.testing.assert_array_equal(drawn(third)[0], COEF[:, first.shown])
    assert third.shown.tolist() != first.shown.tolist()
    assert legend(third)[:4] == [*whose, "ProportionalOddsClassifier: every boundary"]
    assert legend(third)[4] == "mine: boundary 1"


def test_binary_models_and_settings_of_the_dots():
    display = OrdinalSlopesDisplay([[1.0, -2.0]], classes=[0, 1]).plot(alpha=0.5, s=11)
    assert display.boundaries == ("y > 0",)
    assert display.points_[0].get_alpha() == 0.5
    assert display.points_[0].get_sizes().tolist() == [11]
    _, ax = plt.subplots(figsize=(3, 7))
    assert display.plot(ax).figure_.get_figheight() == 7


def test_figures_grow_with_rows_and_long_names_stay_apart():
    names = [f"average_seconds_on_pages_of_products_in_month_{j}" for j in range(40)]
    coef = np.random.default_rng(0).normal(size=(3, 40))
    tall = OrdinalSlopesDisplay(coef, feature_names=names, n_features=40).plot()
    assert tall.figure_.get_figheight() > 10
    _, _, rows = drawn(tall)
    assert len(set(rows)) == 40
    assert max(map(len, rows)) <= 36


def test_no_array_can_be_changed():
    coef = COEF.copy()
    display = OrdinalSlopesDisplay(coef)
    coef[:] = 7
    np.testing.assert_array_equal(display.coef, COEF)
    with pytest.raises(ValueError, match="read-only"):
        display.coef[0, 0] = 1


@pytest.mark.parametrize(
    "coef", [[1.0, 2.0], np.zeros((0, 2)), np.zeros((2, 0)), np.zeros((1, 1, 1))]
)
def test_weights_of_other_shapes_are_refused(coef):
    with pytest.raises(DataError, match="OrdinalSlopesDisplay: coef must have one row for each"):
        OrdinalSlopesDisplay(coef)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"by": "size"}, "by must be one of 'weight', 'change'"),
        ({"n_features": 0}, "n_features must be a whole number from 1"),
        ({"n_features": 2.5}, "n_features must be a whole number from 1"),
        ({"n_features": True}, "n_features must be a whole number from 1"),
        ({"classes": ["a", "b"]}, "classes must hold 4 labels"),
        ({"feature_names": ["a"]}, "one name for each of 4 features"),
    ],
)
def test_wrong_settings_are_refused(settings, words):
    with pytest.raises(InvalidParameterError, match=f"OrdinalSlopesDisplay: .*{words}"):
        OrdinalSlopesDisplay(COEF, **settings)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    display = OrdinalSlopesDisplay(COEF)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'OrdinalSlopesDisplay.*imbkit\[plot\]"'):
        display.plot()
