"""Validation data reach the model transformed as the rows are, and never resampled."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.preprocessing import StandardScaler

from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline import Pipeline
from imbkit.sampling import SMOTE, RandomUnderSampler


@pytest.fixture
def held_out(data):
    """As many rows as there are in training, so that only their name tells them apart."""
    X, y, _ = data
    return X[::-1] + 0.5, y[::-1]


def chain(kept, **settings):
    steps = [
        ("first", PlainPipeline([("scale", StandardScaler()), ("none", None)])),
        ("over", SMOTE(random_state=0)),
        ("shift", kept.Shift(by=10.0)),
        ("model", kept.Keeper()),
    ]
    return Pipeline(steps, **settings)


def transformed(pipeline, X):
    """What the fitted transformers make of a table, computed apart from the pipeline."""
    return (X - pipeline["first"]["scale"].mean_) / pipeline["first"]["scale"].scale_ + 10.0


@pytest.mark.parametrize("key", ["eval_set", "model__eval_set"])
@pytest.mark.parametrize("kind", ["pair", "list", "tuple", "lists", "weighted"])
def test_pairs_are_transformed(kept, data, held_out, key, kind):
    X, y, _ = data
    X_val, y_val = held_out
    given = {
        "pair": (X_val, y_val),
        "list": [(X_val, y_val), (X, y)],
        "tuple": ((X_val, y_val), (X, y)),
        "lists": [[X_val, y_val]],
        "weighted": (X_val, y_val, y_val * 2.0),
    }[kind]
    pipeline = chain(kept).fit(X, y, **{key: given})
    got = pipeline["model"].eval_set_
    assert type(got) is type(given)
    (table, labels, *rest) = got if kind in ("pair", "weighted") else got[0]
    np.testing.assert_allclose(table, transformed(pipeline, X_val))
    assert labels is y_val
    assert len(rest) == (kind == "weighted")
    if kind in ("list", "tuple"):
        np.testing.assert_allclose(got[1][0], transformed(pipeline, X))


def test_a_table_is_transformed_and_a_tuple_of_tables_too(kept, data, held_out):
    X, y, _ = data
    pipeline = chain(kept).fit(X, y, model__X_val=held_out[0])
    np.testing.assert_allclose(pipeline["model"].X_val_, transformed(pipeline, held_out[0]))
    pipeline.fit(X, y, X_val=(held_out[0], X))
    np.testing.assert_allclose(pipeline["model"].X_val_[1], transformed(pipeline, X))


def test_nothing_happens_to_nothing(kept, data, held_out):
    X, y, _ = data
    assert chain(kept).fit(X, y, model__eval_set=None)["model"].eval_set_ is None
    given = [held_out]
    alone = Pipeline([("over", SMOTE()), ("none", None), ("model", kept.Keeper())])
    assert alone.fit(X, y, eval_set=given)["model"].eval_set_ is given


@pytest.mark.parametrize("value", ["text", [1, 2], [(1,)], {"X": 1}])
def test_what_are_no_pairs_is_refused(kept, data, value):
    X, y, _ = data
    with pytest.raises(InvalidParameterError, match=r"^Pipeline: eval_set must be a pair \(X, y\)"):
        chain(kept).fit(X, y, model__eval_set=value)


def test_each_nested_step_sees_what_the_steps_before_it_make(kept, data, held_out):
    X, y, _ = data
    inner = Pipeline([("double", kept.Plain()), ("model", kept.Keeper())])
    outer = Pipeline([("shift", kept.Shift(by=1.0)), ("inner", inner)])
    outer.fit(X, y, inner__model__eval_set=held_out)
    np.testing.assert_allclose(inner["model"].eval_set_[0], (held_out[0] + 1.0) * 2)
    np.testing.assert_array_equal(inner["model"].eval_set_[1], held_out[1])


def test_early_stopping_of_histogram_boosting(data, held_out):
    X, y, _ = data
    boosting = HistGradientBoostingClassifier(max_iter=5, early_stopping=True, random_state=0)
    steps = [("scale", StandardScaler()), ("under", RandomUnderSampler(random_state=0))]
    pipeline = Pipeline([*steps, ("model", boosting)])
    weight = np.ones(len(y))
    X_val, y_val = held_out
    pipeline.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight)
    scaled = StandardScaler().fit(X)
    X_new, y_new = RandomUnderSampler(random_state=0).fit_resample(scaled.transform(X), y)
    alone = HistGradientBoostingClassifier(max_iter=5, early_stopping=True, random_state=0)
    given = {"X_val": scaled.transform(X_val), "y_val": y_val, "sample_weight_val": weight}
    alone.fit(X_new, y_new, **given)
    np.testing.assert_array_equal(pipeline["model"].validation_score_, alone.validation_score_)


def test_with_routing_transform_input_says_which_table(routing, kept, data, held_out):
    X, y, _ = data
    for named, wanted in ((["X_val"], True), (None, False)):
        pipeline = chain(kept, transform_input=named)
        pipeline["model"].set_fit_request(X_val=True, eval_set=True)
        pipeline.fit(X, y, X_val=held_out[0], eval_set=[held_out])
        expected = transformed(pipeline, held_out[0]) if wanted else held_out[0]
        np.testing.assert_allclose(pipeline["model"].X_val_, expected)
        np.testing.assert_allclose(
            pipeline["model"].eval_set_[0][0], transformed(pipeline, held_out[0])
        )


def test_a_nested_pipeline_may_name_its_own(routing, kept, data, held_out):
    X, y, _ = data
    for outer_names, offset in ((["X_val"], 1.0), (None, 0.0)):
        model = kept.Keeper().set_fit_request(X_val=True)
        inner = Pipeline([("double", kept.Plain()), ("model", model)], transform_input=["X_val"])
        steps = [("shift", kept.Shift(by=1.0)), ("inner", inner)]
        Pipeline(steps, transform_input=outer_names).fit(X, y, X_val=held_out[0])
        np.testing.assert_allclose(model.X_val_, (held_out[0] + offset) * 2)


def test_a_transformer_is_handed_what_it_requests_for_its_transform(routing, kept, data, held_out):
    class Times(kept.Plain):
        def transform(self, X, factor=1.0):
            return X * factor

    X, y, _ = data
    times = Times().set_transform_request(factor=True)
    model = kept.Keeper().set_fit_request(X_val=True, sample_weight=True)
    pipeline = Pipeline([("times", times), ("model", model)], transform_input=["X_val"])
    pipeline.fit(X, y, X_val=held_out[0], factor=3.0, sample_weight=np.ones(len(y)))
    np.testing.assert_allclose(model.X_val_, held_out[0] * 3.0)
    np.testing.assert_allclose(model.X_, X * 3.0)


def test_a_table_named_for_transforming_is_not_resampled(routing, kept, data):
    X, y, _ = data
    model = kept.Keeper().set_fit_request(amount=True)
    steps = [("over", SMOTE(random_state=0)), ("shift", kept.Shift()), ("model", model)]
    Pipeline(steps, transform_input=["amount"]).fit(X, y, amount=X)
    np.testing.assert_allclose(model.got_["amount"], X + 1.0)
