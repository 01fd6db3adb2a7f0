"""The class itself: everything that a Pipeline does elsewhere, and companions in searches."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from imblearn.over_sampling import SMOTE as PeerSMOTE
from imblearn.pipeline import Pipeline as PeerPipeline
from imblearn.pipeline import make_pipeline as peer_make_pipeline
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.pipeline import Pipeline, make_pipeline
from imbkit.sampling import SMOTE, RandomOverSampler, RandomUnderSampler
from imbkit.thresholds import ThresholdClassifierCV

CV = StratifiedKFold(3)


def logistic(name="model"):
    return (name, LogisticRegression())


def scaled(name="scaled"):
    """A nested pipeline that scales and then resamples."""
    steps = [("scale", StandardScaler()), ("over", SMOTE(random_state=0))]
    return (name, Pipeline(steps))


def by_hand(X, y, weight):
    """What a pipeline of SMOTE and logistic regression must learn."""
    sampler = SMOTE(random_state=0)
    X_new, y_new = sampler.fit_resample(X, y, sample_weight=weight)
    return LogisticRegression().fit(X_new, y_new, sampler.companions_["sample_weight"])


def smote_then_logistic():
    return Pipeline([("over", SMOTE(random_state=0)), logistic()])


@pytest.mark.parametrize("key", ["sample_weight", "model__sample_weight"])
def test_weights_change_what_is_learnt(data, key):
    X, y, weight = data
    pipeline = smote_then_logistic().fit(X, y, **{key: weight})
    np.testing.assert_array_equal(pipeline["model"].coef_, by_hand(X, y, weight).coef_)
    assert np.any(pipeline["model"].coef_ != smote_then_logistic().fit(X, y)["model"].coef_)


@pytest.mark.parametrize("key", ["sample_weight", "model__sample_weight"])
def test_weights_in_cross_validation_and_searches(data, key):
    X, y, weight = data
    done = cross_validate(
        smote_then_logistic(), X, y, cv=CV, params={key: weight}, return_estimator=True
    )
    for (train, _), fitted in zip(CV.split(X, y), done["estimator"], strict=True):
        expected = by_hand(X[train], y[train], weight[train])
        np.testing.assert_array_equal(fitted["model"].coef_, expected.coef_)
    search = GridSearchCV(smote_then_logistic(), {"model__C": [1.0]}, cv=CV)
    search.fit(X, y, **{key: weight})
    expected = by_hand(X, y, weight)
    np.testing.assert_array_equal(search.best_estimator_["model"].coef_, expected.coef_)


def test_weights_in_cross_validation_and_searches_by_routing(routing, data):
    X, y, weight = data
    model = LogisticRegression().set_fit_request(sample_weight=True)
    model.set_score_request(sample_weight=True)
    pipeline = Pipeline([("over", SMOTE(random_state=0)), ("model", model)])
    done = cross_validate(
        pipeline, X, y, cv=CV, params={"sample_weight": weight}, return_estimator=True
    )
    splits = zip(CV.split(X, y), done["estimator"], done["test_score"], strict=True)
    for (train, test), fitted, score in splits:
        expected = by_hand(X[train], y[train], weight[train])
        np.testing.assert_array_equal(fitted["model"].coef_, expected.coef_)
        assert score == expected.score(X[test], y[test], weight[test])
    search = GridSearchCV(pipeline, {"model__C": [1.0]}, cv=CV).fit(X, y, sample_weight=weight)
    expected = by_hand(X, y, weight)
    np.testing.assert_array_equal(search.best_estimator_["model"].coef_, expected.coef_)
    assert search.score(X, y, sample_weight=weight) == expected.score(X, y, weight)


def test_a_threshold_around_the_pipeline(data):
    X, y, weight = data
    model = ThresholdClassifierCV(smote_then_logistic(), cv=CV)
    model.fit(X, y, model__sample_weight=weight)
    np.testing.assert_array_equal(model.estimator_["model"].coef_, by_hand(X, y, weight).coef_)


def test_a_search_over_nested_names(data):
    X, y, _ = data
    pipeline = Pipeline([scaled(), ("inner", Pipeline([("pca", PCA(2)), logistic()]))])
    names = {"inner__model__C": [0.1, 1.0], "scaled__over__k_neighbors": [3]}
    search = GridSearchCV(pipeline, names, cv=CV).fit(X, y)
    assert search.best_estimator_["scaled"]["over"].k_neighbors == 3
    assert search.best_params_["inner__model__C"] in (0.1, 1.0)
    switched = {"scaled": ["passthrough", pipeline["scaled"]], "inner__pca": [None, PCA(3)]}
    search = GridSearchCV(pipeline, switched, cv=CV, error_score="raise").fit(X, y)
    assert np.unique(search.cv_results_["mean_test_score"]).size > 1


def test_prediction_equals_the_peers_without_companions(data):
    X, y, _ = data
    steps = [("scale", StandardScaler()), ("over", SMOTE(random_state=0)), logistic()]
    ours, peers = (kind(clone(steps, safe=False)).fit(X, y) for kind in (Pipeline, PeerPipeline))
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(ours, method)(X), getattr(peers, method)(X))
    assert ours.score(X, y) == peers.score(X, y)
    assert is_classifier(ours)
    np.testing.assert_array_equal(ours.classes_, [0, 1])


def test_fit_resample_leaves_companions(data, kept):
    X, y, weight = data
    inner = Pipeline([scaled(), ("under", RandomUnderSampler(random_state=0))])
    X_new, y_new = inner.fit_resample(X, y, sample_weight=weight, amount=weight + 1.0)
    assert set(inner.companions_) == {"sample_weight", "amount"}
    assert kept.is_affine(inner.companions_["sample_weight"], X_new)
    assert len(y_new) == len(X_new) == len(inner.companions_["amount"])
    assert not hasattr(pickle.loads(pickle.dumps(inner)), "companions_")
    assert hasattr(inner, "companions_")
    inner.fit_resample(X, y)
    assert inner.companions_ == {}


def test_fit_resample_that_ends_in_nothing_returns_labels_too(data):
    X, y, weight = data
    for last in ("passthrough", None):
        pipeline = Pipeline([("over", SMOTE(random_state=0)), ("last", last)])
        X_new, y_new = pipeline.fit_resample(X, y, amount=weight)
        assert len(X_new) == len(y_new) == len(pipeline.companions_["amount"]) > len(X)


def test_fit_transform_resamples_and_transform_does_not(data, kept):
    X, y, _ = data
    for inner in (("shift", kept.Shift()), ("nested", Pipeline([("shift", kept.Shift())]))):
        pipeline = Pipeline([("over", SMOTE(random_state=0)), inner])
        both, later = pipeline.fit_transform(X, y), pipeline.transform(X)
        np.testing.assert_array_equal(both[: len(X)], later)
        assert len(both) > len(later) == len(X)
    idle = Pipeline([("over", SMOTE(random_state=0)), ("idle", None)])
    assert len(idle.fit_transform(X, y)) == len(both)


def test_fit_predict_predicts_the_rows_that_reach_the_model(data, kept):
    X, y, weight = data
    pipeline = Pipeline([("over", SMOTE(random_state=0)), ("model", kept.Keeper())])
    predictions = pipeline.fit_predict(X, y, sample_weight=weight)
    assert len(predictions) == len(pipeline["model"].X_) > len(X)
    assert kept.is_affine(pipeline["model"].got_["sample_weight"], pipeline["model"].X_)


def test_methods_are_there_if_the_last_step_has_them(kept):
    def has(steps):
        names = ("fit_transform", "fit_predict", "fit_resample", "transform", "predict")
        return [name for name in names if hasattr(Pipeline(steps), name)]

    assert has([("model", kept.Keeper())]) == ["fit_predict", "predict"]
    assert has([("over", SMOTE())]) == ["fit_resample"]
    assert has([scaled()]) == ["fit_resample"]
    assert has([("idle", None)]) == ["fit_transform", "fit_resample", "transform"]
    assert has([("plain", kept.Plain())]) == ["fit_transform", "transform"]
    with pytest.raises(AttributeError, match="has no attribute 'fit_resample'"):
        Pipeline([logistic()]).fit_resample


@pytest.mark.parametrize("wanted", ["pandas", "polars"])
def test_set_output_reaches_nested_steps(data, wanted):
    X, y, _ = data
    module = {"pandas": pd, "polars": pl}[wanted]
    pipeline = Pipeline([scaled(), ("pca", PCA(2)), ("model", HistGradientBoostingClassifier())])
    pipeline.set_output(transform=wanted).fit(X, y)
    out = pipeline[:-1].transform(X)
    assert isinstance(out, module.DataFrame)
    names = pipeline[:-1].get_feature_names_out()
    assert list(names) == list(out.columns) == ["pca0", "pca1"]
    X_new, _ = scaled()[1].set_output(transform=wanted).fit_resample(X, y)
    assert isinstance(X_new, module.DataFrame)


def test_feature_names_pass_nested_steps(data):
    X, y, _ = data
    frame = pd.DataFrame(X, columns=list("abcd"))
    pipeline = Pipeline([scaled(), logistic()]).fit(frame, y)
    assert list(pipeline.feature_names_in_) == list("abcd")
    assert pipeline.n_features_in_ == 4
    assert list(pipeline[:-1].get_feature_names_out()) == list("abcd")
    np.testing.assert_array_equal(pipeline.predict(frame), pipeline.predict(frame.copy()))


def test_inverse_transform_takes_nested_steps_backwards(data):
    X, y, _ = data
    inner = Pipeline([("pca", PCA()), ("under", RandomUnderSampler(random_state=0))])
    pipeline = Pipeline([scaled(), ("inner", inner), ("last", PCA())]).fit(X, y)
    np.testing.assert_allclose(pipeline.inverse_transform(pipeline.transform(X)), X)
    without = Pipeline([("plain", Pipeline([("scale", StandardScaler()), ("k", SelectKBest())]))])
    assert hasattr(without, "inverse_transform")
    without.set_params(plain__scale=TfidfTransformer())
    assert not hasattr(without, "inverse_transform")


def test_the_page_shows_samplers_and_nested_pipelines():
    page = Pipeline([scaled(), logistic()])._repr_html_()
    for words in ("SMOTE", "StandardScaler", "scaled: Pipeline", "LogisticRegression"):
        assert words in page


def test_slices_names_and_length(data):
    X, y, _ = data
    pipeline = Pipeline([scaled(), ("pca", PCA(2)), logistic()]).fit(X, y)
    assert len(pipeline) == 3
    assert type(pipeline[:2]) is Pipeline
    assert pipeline[1] is pipeline["pca"] is pipeline.named_steps.pca
    assert pipeline[:2].transform(X).shape == (len(X), 2)


def test_clones_and_pickles(data):
    X, y, weight = data
    pipeline = Pipeline([scaled(), logistic()]).fit(X, y, sample_weight=weight)
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict_proba(X), pipeline.predict_proba(X))
    assert not hasattr(again["scaled"]["over"], "companions_")
    unfitted = clone(pipeline)
    with pytest.raises(NotFittedError):
        check_is_fitted(unfitted)
    np.testing.assert_array_equal(
        unfitted.fit(X, y, sample_weight=weight).predict_proba(X), pipeline.predict_proba(X)
    )


def test_what_counts_as_fitted(data):
    X, y, _ = data
    check_is_fitted(Pipeline([("idle", "passthrough"), ("none", None)]))
    for last in ("passthrough", None):
        pipeline = Pipeline([("scale", StandardScaler()), ("last", last)])
        with pytest.raises(NotFittedError):
            check_is_fitted(pipeline)
        check_is_fitted(pipeline.fit(X, y))
        assert pipeline.transform(X).shape == X.shape


def test_transform_input_needs_routing(data):
    X, y, _ = data
    pipeline = Pipeline([("pca", PCA()), logistic()], transform_input=["X_val"])
    for fit in (pipeline.fit, Pipeline([("pca", PCA())], transform_input=["X_val"]).fit_transform):
        with pytest.raises(InvalidParameterError, match="only be set if metadata routing"):
            fit(X, y)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline.fit(X, y)


def test_the_message_about_nobody_who_takes_weights(data):
    X, y, weight = data
    pipeline = Pipeline([("over", SMOTE(random_state=0)), ("model", KNeighborsClassifier())])
    words = r"^Pipeline: sample_weight must be named by the fit of at least one step"
    with pytest.raises(InvalidParameterError, match=words):
        pipeline.fit(X, y, sample_weight=weight)


def test_a_meta_estimator_is_addressed_by_its_name(data, kept):
    X, y, weight = data
    search = GridSearchCV(kept.Keeper(), {"C": [1.0]}, cv=CV)
    pipeline = Pipeline([("over", SMOTE(random_state=0)), ("search", search)])
    pipeline.fit(X, y, search__sample_weight=weight)
    best = pipeline["search"].best_estimator_
    assert kept.is_affine(best.got_["sample_weight"], best.X_)
    with pytest.raises(InvalidParameterError, match=r"write search__sample_weight"):
        pipeline.fit(X, y, sample_weight=weight)


def test_a_plain_pipeline_around_ours(data):
    X, y, weight = data
    outer = PlainPipeline([("scale", StandardScaler()), ("ours", smote_then_logistic())])
    outer.fit(X, y, ours__sample_weight=weight)
    expected = by_hand(StandardScaler().fit_transform(X), y, weight)
    np.testing.assert_array_equal(outer["ours"]["model"].coef_, expected.coef_)


def test_tables_of_any_kind(data):
    X, y, weight = data
    steps = [("over", RandomOverSampler(random_state=0)), logistic()]
    expected = Pipeline(steps).fit(X, y, sample_weight=weight).predict_proba(X)
    pandas = pd.DataFrame(X, columns=list("abcd"), index=np.arange(len(X)) + 7)
    weights = pd.Series(weight, index=pandas.index)
    for table, values in (
        (pandas, weights),
        (pl.DataFrame(X, schema=list("abcd")), pl.Series(weight)),
        (X.tolist(), weight.tolist()),
    ):
        model = Pipeline(clone(steps, safe=False)).fit(table, y, sample_weight=values)
        np.testing.assert_allclose(model.predict_proba(table), expected)


def test_a_companion_of_the_wrong_length_says_so(data):
    X, y, weight = data
    with pytest.raises(DataError, match="sample_weight must have one value for each of the 240"):
        smote_then_logistic().fit(X, y, sample_weight=weight[:10])


def test_make_pipeline_names_the_steps_as_the_peer_does():
    steps = [PCA(), SMOTE(), PCA(), "passthrough", None, LogisticRegression()]
    ours, peers = make_pipeline(*steps), peer_make_pipeline(*steps)
    assert type(ours) is Pipeline
    assert [name for name, _ in ours.steps] == [name for name, _ in peers.steps]
    assert [step for _, step in ours.steps] == steps
    settings = {"memory": "folder", "transform_input": ["X_val"], "verbose": True}
    made = make_pipeline(*steps, **settings)
    assert {name: getattr(made, name) for name in settings} == settings


def test_steps_given_as_a_tuple_stay_as_they_are(data):
    X, y, _ = data
    steps = (("over", PeerSMOTE(random_state=0)), logistic())
    pipeline = Pipeline(steps).fit(X, y)
    assert pipeline.steps is steps
    assert pipeline.predict(X).shape == y.shape
