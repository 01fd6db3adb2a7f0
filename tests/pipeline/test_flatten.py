"""A pipeline as a chain, and the steps that cannot be chained."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE as PeerSMOTE
from imblearn.pipeline import Pipeline as PeerPipeline
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.preprocessing import StandardScaler

from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline import Pipeline
from imbkit.pipeline._flatten import flatten, is_nested, training_calls
from imbkit.sampling import SMOTE

X, y = np.zeros((4, 1)), [0, 1, 0, 1]


def nested():
    inner = Pipeline([("scale", StandardScaler()), ("over", SMOTE())])
    middle = Pipeline([("inner", inner), ("none", None)])
    plain = PlainPipeline([("pca", PCA()), ("idle", "passthrough")])
    peer = PeerPipeline([("over", SMOTE()), ("model", LogisticRegression())])
    return Pipeline([("middle", middle), ("plain", plain), ("peer", peer)])


def test_steps_of_nested_pipelines_stand_in_their_place():
    chain = flatten(pipeline := nested())
    assert [leaf.name for leaf in chain] == [
        "middle__inner__scale",
        "middle__inner__over",
        "middle__none",
        "plain__pca",
        "plain__idle",
        "peer__over",
        "peer__model",
    ]
    assert [leaf.last for leaf in chain] == [False] * 6 + [True]
    for leaf in chain:
        assert leaf.places[0][0] is pipeline
        holder, number = leaf.places[-1]
        assert holder.steps[number][1] is leaf.step
    assert [training_calls(leaf, "fit") for leaf in chain] == [
        ("fit_transform",),
        ("fit_resample",),
        (),
        ("fit_transform",),
        (),
        ("fit_resample",),
        ("fit",),
    ]


def test_what_a_step_is_called_with(kept):
    only = Pipeline([("plain", kept.Plain())])
    (leaf,) = flatten(only)
    assert training_calls(leaf, "fit_transform") == ("fit", "transform")
    assert training_calls(leaf, "fit_predict") == ("fit_predict",)
    before = flatten(Pipeline([("plain", kept.Plain()), ("model", LogisticRegression())]))[0]
    assert training_calls(before, "fit") == ("fit", "transform")


def test_a_subclass_with_its_own_fit_is_left_whole():
    class Own(Pipeline):
        def fit(self, X, y=None, **params):
            return self

    class Named(Pipeline):
        pass

    steps = [("scale", StandardScaler())]
    assert is_nested(Named(steps))
    assert not is_nested(Own(steps))
    assert [leaf.name for leaf in flatten(Pipeline([("own", Own(steps))]))] == ["own"]


class Both(StandardScaler):
    def fit_resample(self, X, y):
        return X, y


class Own(Pipeline):
    def fit(self, X, y=None):
        return self


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "there must be a step"),
        ([("a", LogisticRegression()), ("b", LogisticRegression())], "a: Logistic.*with neither"),
        ([("a", Both()), ("b", LogisticRegression())], "not both. Got a: Both.*with both"),
        ([("a", object())], "Last step of Pipeline should implement fit"),
        ([("a", StandardScaler), ("b", LogisticRegression())], r"not a class.*StandardScaler\(\)"),
        ([("a", StandardScaler()), ("a", LogisticRegression())], "not unique"),
        ([("a__b", StandardScaler())], "must not contain __"),
        ([("memory", StandardScaler())], "conflict with constructor"),
        ([("a", Pipeline([("m", LogisticRegression())])), ("b", LogisticRegression())], "a: Pipel"),
        ([("a", Pipeline([("x", object()), ("y", SMOTE())])), ("b", LogisticRegression())], "x: <"),
        ([("a", Own([("s", SMOTE())])), ("b", LogisticRegression())], "fit of its own. Got a"),
    ],
)
def test_steps_that_cannot_be_chained_are_refused(steps, words):
    with pytest.raises((InvalidParameterError, ValueError, TypeError), match=words):
        Pipeline(steps).fit(X, y)


def test_each_kind_of_nested_pipeline_allows_what_it_allows():
    inner = Pipeline([("scale", StandardScaler()), ("over", SMOTE())])
    last = ("model", LogisticRegression())
    # Their own predict would pass over the scaler.
    for kind in (PeerPipeline, PlainPipeline):
        with pytest.raises(TypeError):
            Pipeline([("outer", kind([("inner", inner), last]))]).fit(X, y)
    with pytest.raises(TypeError):
        Pipeline([("outer", PlainPipeline([("over", PeerSMOTE()), last]))]).fit(X, y)
