"""Weights of ordered classes find their features' and boundaries' names."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from imbkit.displays._boundaries import (
    boundary_colors,
    boundary_names,
    named_features,
    per_scale,
    read_fitted,
)
from imbkit.exceptions import DataError, InvalidParameterError

WHO = "Display"


def test_names_of_boundaries():
    assert boundary_names(WHO, ["look", "cart", "buy"], 2) == ("y > look", "y > cart")
    assert boundary_names(WHO, np.array([1, 2]), 1) == ("y > 1",)
    assert boundary_names(WHO, [1, 2, 3], 1) == ("every boundary",)
    assert boundary_names(WHO, None, 2) == ("boundary 1", "boundary 2")
    with pytest.raises(InvalidParameterError, match="Display: classes must hold 4 labels.*Got 2"):
        boundary_names(WHO, ["a", "b"], 3)


def test_names_of_features():
    assert named_features(WHO, None, 2) == ("x0", "x1")
    assert named_features(WHO, np.array(["a", "b"]), 2) == ("a", "b")
    for names in (["a"], "ab"):
        with pytest.raises(InvalidParameterError, match="one name for each of 2 features. Got 1"):
            named_features(WHO, names, 2)


def test_colors_differ_and_the_last_stands_out():
    for n in (1, 2, 3, 6, 30):
        colors = boundary_colors(n)
        assert len(colors) == len(set(colors)) == n
    light = [sum(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in boundary_colors(6)[:-1]]
    assert light == sorted(light, reverse=True)
    assert boundary_colors(6)[-1] == boundary_colors(2)[-1]


def test_a_scale_multiplies_each_feature():
    coef = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(per_scale(WHO, coef, [1, 10, 0], -1), coef * [1, 10, 0])
    path = np.arange(24.0).reshape(2, 3, 4)
    got = per_scale(WHO, path, [1, 10, 0], 1)
    np.testing.assert_array_equal(got[:, 1], path[:, 1] * 10)
    np.testing.assert_array_equal(got[:, 0], path[:, 0])
    for scale in ([1, 2], [1, 2, -1], [1, 2, np.nan]):
        with pytest.raises(InvalidParameterError, match="scale must hold one number from 0"):
            per_scale(WHO, coef, scale, -1)
    with pytest.raises(DataError, match="the weights must be finite. Got 1 that"):
        per_scale(WHO, [[np.nan, 1.0]], None, -1)


def test_models_pipelines_and_searches():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), np.repeat([0, 1], 30)
    model = LogisticRegression().fit(X, y)
    assert read_fitted(WHO, model, "coef_", None) == (
        model,
        "LogisticRegression",
        ("x0", "x1", "x2"),
    )
    assert read_fitted(WHO, model, "coef_", ["a", "b", "c"]).features == ("a", "b", "c")
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    got = read_fitted(WHO, pipe, "coef_", None)
    assert got.model is pipe[-1]
    assert got.features == ("x0", "x1", "x2")
    search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(X, y)
    assert read_fitted(WHO, search, "coef_", None).model is search.best_estimator_
    # Steps that cannot say what they make.
    mute = make_pipeline(FunctionTransformer(), LogisticRegression()).fit(X, y)
    assert read_fitted(WHO, mute, "coef_", None).features == ("x0", "x1", "x2")
    named = SimpleNamespace(coef_=np.zeros((2, 2)), feature_names_in_=np.array(["a", "b"]))
    assert read_fitted(WHO, named, "coef_", None).features == ("a", "b")


def test_pipelines_name_what_their_last_step_gets():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "pages": [2.0, 1.0, 0.0, 5.0]})
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, [0, 1, 0, 1])
    assert read_fitted(WHO, pipe, "coef_", None).features == ("age", "pages")


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (LogisticRegression, "must be an object, not a class"),
        (LogisticRegression(), "must be fitted and have coef_"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "must be fitted and have coef_"),
        (None, "must be fitted and have coef_"),
    ],
)
def test_what_has_no_weights_is_refused(estimator, words):
    with pytest.raises(InvalidParameterError, match=f"Display: the estimator {words}"):
        read_fitted(WHO, estimator, "coef_", None)
