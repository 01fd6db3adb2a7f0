"""What ships: the same predictions without the parts that only training needs."""

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline as SamplingPipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from imbkit._core.deploy import Deployable, deploy
from imbkit.exceptions import InvalidParameterError

X, y = make_classification(n_samples=200, weights=[0.9], random_state=0)


class Wrapper:
    """Ships the model it holds, or refuses."""

    def __init__(self, model=None):
        self.model = model

    def __deploy__(self):
        if self.model is None:
            raise InvalidParameterError("Wrapper: the costs differ by row")
        return self.model

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


def fitted(*steps):
    names = [f"s{k}" for k in range(len(steps))]
    return SamplingPipeline(list(zip(names, steps, strict=True))).fit(X, y)


def test_a_pipeline_loses_its_samplers():
    model = fitted(
        StandardScaler(),
        RandomOverSampler(random_state=0),
        RandomUnderSampler(random_state=0),
        LogisticRegression(),
    )
    shipped = deploy(model)
    assert type(shipped) is Pipeline
    assert [name for name, _ in shipped.steps] == ["s0", "s3"]
    assert shipped.named_steps["s3"] is model.named_steps["s3"]
    check_is_fitted(shipped)
    np.testing.assert_array_equal(shipped.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(shipped.classes_, model.classes_)
    assert len(model.steps) == 4


def test_a_sampling_pipeline_without_samplers_becomes_a_plain_one():
    model = fitted(StandardScaler(), LogisticRegression())
    assert type(deploy(model)) is Pipeline


def test_nested_pipelines_and_parts_are_deployed():
    inner = fitted(RandomOverSampler(random_state=0), LogisticRegression())
    scaler = StandardScaler().fit(X)
    outer = Pipeline([("scale", Wrapper(scaler)), ("none", "passthrough"), ("model", inner)])
    shipped = deploy(outer)
    assert shipped.named_steps["scale"] is scaler
    assert shipped.named_steps["none"] == "passthrough"
    assert type(shipped.named_steps["model"]) is Pipeline
    assert outer.named_steps["model"] is inner


def test_a_step_in_the_middle_is_no_reason_to_keep_the_old_pipeline():
    # The kept steps are the first ones of the old pipeline, and one is replaced.
    last = Pipeline([("scale", StandardScaler().fit(X)), ("model", Wrapper("the model"))])
    assert deploy(last).named_steps["model"] == "the model"


def test_plain_objects_ship_as_they_are():
    model = LogisticRegression().fit(X, y)
    assert deploy(model) is model
    plain = Pipeline([("model", model)])
    assert deploy(plain) is plain
    held = FixedThresholdClassifier(fitted(RandomOverSampler(), LogisticRegression()))
    assert deploy(held) is held


def test_objects_decide_for_themselves():
    assert isinstance(Wrapper(), Deployable)
    assert not isinstance(LogisticRegression(), Deployable)
    assert deploy(Wrapper("anything")) == "anything"
    with pytest.raises(InvalidParameterError, match="costs differ by row"):
        deploy(Pipeline([("model", Wrapper())]))


def test_the_class_itself_is_no_model():
    assert deploy(Wrapper) is Wrapper


def test_samplers_alone_cannot_ship():
    model = SamplingPipeline([("over", RandomOverSampler()), ("under", RandomUnderSampler())])
    with pytest.raises(InvalidParameterError, match=r"that is not a sampler\. Got \['over', 'und"):
        deploy(model)
