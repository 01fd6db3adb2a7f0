"""The classifier: which scores it uses, how folds are combined, and what it refuses."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from joblib import parallel_backend
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.metrics import f1_score, fbeta_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from imbkit._core.deploy import deploy
from imbkit.exceptions import (
    DataError,
    ImbkitWarning,
    InvalidParameterError,
    ThresholdWarning,
)
from imbkit.thresholds import BestMetric, LowestCost, Rule, ThresholdClassifierCV

POOLINGS = ["pooled", "mean", "median", "curve"]


@pytest.fixture(scope="module")
def data():
    return make_classification(600, n_features=6, weights=[0.85], flip_y=0.05, random_state=0)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class Score(ClassifierMixin, BaseEstimator):
    """Give the first column as the score, whatever was fitted."""

    def __init__(self, dtype=float, shift_by_fold=False):
        self.dtype = dtype
        self.shift_by_fold = shift_by_fold

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.shift_ = float(len(y) % 7) if self.shift_by_fold else 0.0
        return self

    def decision_function(self, X):
        return (np.asarray(X)[:, 0] + self.shift_).astype(self.dtype)


def out_of_fold(model, X, y, cv, **fit_params):
    """Positions and scores of each test fold, found without the code under test."""
    for train, test in cv.split(X, y):
        fitted = clone(model).fit(X[train], y[train])
        yield test, fitted.predict_proba(X[test])[:, 1]


# --- which threshold -----------------------------------------------------------------------


def test_the_pooled_threshold_is_the_best_of_all(data):
    X, y = data
    model = ThresholdClassifierCV(LogisticRegression()).fit(X, y)
    folds = list(out_of_fold(LogisticRegression(), X, y, StratifiedKFold(5)))
    scores = np.concatenate([s for _, s in folds])
    truth = np.concatenate([y[test] for test, _ in folds])
    values = [f1_score(truth, scores >= cut, zero_division=0) for cut in np.unique(scores)]
    assert model.best_score_ == pytest.approx(max(values), rel=1e-12)
    alerts = scores >= model.threshold_
    assert f1_score(truth, alerts) == pytest.approx(model.best_score_, rel=1e-12)
    assert (model.rule_.n_alerts, model.rule_.n_rows) == (alerts.sum(), y.size)
    np.testing.assert_array_equal(model.curve_.thresholds[1:], np.unique(scores)[::-1])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_pooling_equals_its_definition(data, pooling):
    X, y = data
    model = ThresholdClassifierCV(LogisticRegression(), "gmean", cv=4, pooling=pooling)
    model.fit(X, y)
    rule = BestMetric("gmean")
    folds = list(out_of_fold(LogisticRegression(), X, y, StratifiedKFold(4)))
    curves = [rule.curve(y[test] == 1, s) for test, s in folds]
    optima = [rule.threshold(curve) for curve in curves]
    assert model.threshold_interval_ == (min(optima), max(optima))
    if pooling in ("mean", "median"):
        assert model.threshold_ == pytest.approx(getattr(np, pooling)(optima), rel=1e-15)
    grid = np.unique(np.concatenate([s for _, s in folds]))
    if pooling == "curve":
        means = np.mean([curve.at(grid) for curve in curves], axis=0)
        np.testing.assert_allclose(model.curve_.at(grid), means, rtol=1e-15)
        assert model.curve_.at(model.threshold_) == pytest.approx(means.max(), rel=1e-14)
    scores, truth = np.concatenate([s for _, s in folds]), np.concatenate([y[t] for t, _ in folds])
    pooled = rule.curve(truth == 1, scores)
    assert model.best_score_ == pooled.at(model.threshold_)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_integer_weights_are_repeated_rows(pooling):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 1)).round(1)
    y = (X[:, 0] + rng.normal(size=120) > 1).astype(int)
    weight = rng.integers(0, 4, size=120)
    amount = rng.integers(1, 30, size=120).astype(float)
    fold = np.arange(120) % 3
    again = np.repeat(np.arange(120), weight)
    for rule in ("f1", LowestCost(5.0, "amount")):
        models = [
            ThresholdClassifierCV(Score(), rule, cv=PredefinedSplit(f), pooling=pooling)
            for f in (fold, fold[again])
        ]
        more = [{}, {}] if rule == "f1" else [{"amount": amount}, {"amount": amount[again]}]
        models[0].fit(X, y, sample_weight=weight, **more[0])
        models[1].fit(X[again], y[again], **more[1])
        assert models[0].threshold_ == models[1].threshold_
        assert models[0].threshold_interval_ == models[1].threshold_interval_
        assert models[0].best_score_ == pytest.approx(models[1].best_score_, rel=1e-12)
        assert models[0].rule_.n_rows == np.count_nonzero(weight)


class Calibrated(Score):
    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def test_the_known_optimum_on_calibrated_scores():
    rng = np.random.default_rng(0)
    p = rng.beta(2.0, 25.0, size=50_000)
    y = (rng.random(p.size) < p).astype(int)
    model = ThresholdClassifierCV(Calibrated()).fit(p[:, None], y)
    assert abs(model.threshold_ - model.best_score_ / 2) < 0.02
    # Without the noise of drawn labels: every row is positive with weight p, else negative.
    half = rng.beta(0.5, 4.0, size=25_000)
    X, y = np.tile(half, 2)[:, None], np.repeat([1, 0], half.size)
    weight = np.concatenate([half, 1 - half])
    for rule, optimum in (
        ("f1", lambda score: score / 2),
        (BestMetric("fbeta", beta=2.0), lambda score: score / 5),
        ("balanced_accuracy", lambda score: half.mean()),
        (LowestCost(fp=1.0, fn=4.0), lambda score: 0.2),
    ):
        model = ThresholdClassifierCV(Calibrated(), rule).fit(X, y, sample_weight=weight)
        assert model.threshold_ == pytest.approx(optimum(model.best_score_), abs=1e-3)


@pytest.mark.parametrize("estimator", [LogisticRegression(), GaussianNB()], ids=repr)
def test_at_least_as_good_as_scikit_learn_on_the_same_folds(data, estimator):
    X, y = data
    ours = ThresholdClassifierCV(estimator, "f1").fit(X, y)
    theirs = TunedThresholdClassifierCV(estimator, scoring="f1", cv=5).fit(X, y)
    scores = cross_val_predict(estimator, X, y, cv=StratifiedKFold(5), method="predict_proba")
    best = f1_score(y, scores[:, 1] >= theirs.best_threshold_)
    assert ours.best_score_ >= best
    assert ours.best_score_ == pytest.approx(f1_score(y, scores[:, 1] >= ours.threshold_))


# --- where the scores come from ------------------------------------------------------------


def test_prefit_means_what_it_means_in_scikit_learn(data):
    X, y = data
    fitted = LogisticRegression().fit(X[:300], y[:300])
    ours = ThresholdClassifierCV(fitted, cv="prefit", refit=False).fit(X[300:], y[300:])
    grid = np.unique(fitted.predict_proba(X[300:])[:, 1])
    theirs = TunedThresholdClassifierCV(
        fitted, scoring="f1", thresholds=grid, cv="prefit", refit=False
    ).fit(X[300:], y[300:])
    assert ours.estimator_ is fitted
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-12)
    assert ours.curve_.at(theirs.best_threshold_) == pytest.approx(ours.best_score_)
    assert ours.threshold_interval_ == (ours.threshold_, ours.threshold_)
    # Both poolings of a single fold are that fold's optimum.
    for pooling in POOLINGS[1:]:
        other = clone(ours).set_params(estimator=fitted, pooling=pooling)
        assert other.fit(X[300:], y[300:]).threshold_ == ours.threshold_


def test_a_share_of_the_rows_is_held_out(data):
    X, y = data
    model = ThresholdClassifierCV(LogisticRegression(), cv=0.3, random_state=4, refit=False)
    model.fit(X, y)
    ((train, test),) = StratifiedShuffleSplit(1, test_size=0.3, random_state=4).split(X, y)
    kept = LogisticRegression().fit(X[train], y[train])
    np.testing.assert_array_equal(model.estimator_.coef_, kept.coef_)
    assert model.rule_.n_rows == test.size
    again = clone(model).set_params(refit=True).fit(X, y)
    assert again.threshold_ == model.threshold_
    np.testing.assert_array_equal(again.estimator_.coef_, LogisticRegression().fit(X, y).coef_)


def test_splits_may_be_given_in_many_ways(data):
    X, y = data
    splits = list(StratifiedKFold(5).split(X, y))
    masks = [(np.isin(np.arange(y.size), a), np.isin(np.arange(y.size), b)) for a, b in splits]
    expected = ThresholdClassifierCV(GaussianNB()).fit(X, y).threshold_
    for cv in (None, 5, StratifiedKFold(5), splits, iter(splits), masks):
        model = ThresholdClassifierCV(GaussianNB(), cv=cv).fit(X, y)
        assert model.threshold_ == expected
    with parallel_backend("threading"):
        assert ThresholdClassifierCV(GaussianNB(), n_jobs=2).fit(X, y).threshold_ == expected
    repeated = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    assert ThresholdClassifierCV(GaussianNB(), cv=repeated).fit(X, y).rule_.n_rows == 2 * y.size


def test_folds_on_different_scales_are_why_medians_exist(data):
    X, y = data
    cv = [(np.arange(100 + k, 600), np.arange(100)) for k in range(5)]
    model = ThresholdClassifierCV(Score(shift_by_fold=True), cv=cv, pooling="median").fit(X, y)
    low, high = model.threshold_interval_
    assert high - low >= 3


@pytest.mark.parametrize("method", ["auto", "predict_proba", "decision_function"])
@pytest.mark.parametrize("pos_label", [0, 1])
def test_either_class_may_be_positive_by_either_method(data, method, pos_label):
    X, y = data
    model = ThresholdClassifierCV(
        LogisticRegression(), pos_label=pos_label, response_method=method
    ).fit(X, y)
    name = "predict_proba" if method == "auto" else method
    scores = cross_val_predict(LogisticRegression(), X, y, cv=StratifiedKFold(5), method=name)
    scores = scores[:, pos_label] if scores.ndim == 2 else scores * (2 * pos_label - 1)
    best = BestMetric("f1").curve(y == pos_label, scores).objective.max()
    assert model.best_score_ == pytest.approx(best, rel=1e-12)
    fixed = FixedThresholdClassifier(
        model.estimator_, threshold=model.threshold_, pos_label=pos_label, response_method=method
    ).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), fixed.predict(X))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, int])
def test_scores_of_any_dtype_are_compared_exactly(dtype):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(400, 1)) * 3, 2)
    y = (X[:, 0] + 2 * rng.normal(size=400) > 3).astype(int)
    for pooling in POOLINGS:
        model = ThresholdClassifierCV(Score(dtype=dtype), cv=3, pooling=pooling).fit(X, y)
        scores = X[:, 0].astype(dtype)
        if np.issubdtype(dtype, np.floating):
            assert float(dtype(model.threshold_)) == model.threshold_
            assert (scores >= model.threshold_).sum() == model.rule_(scores).sum()
        assert f1_score(y, scores >= model.threshold_) == pytest.approx(model.best_score_)
        np.testing.assert_array_equal(model.predict(X), (scores >= model.threshold_).astype(int))


# --- labels --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "pos_label", "expected"),
    [
        ([0, 1], None, 1),
        ([-1, 1], None, 1),
        ([False, True], None, True),
        ([0.0, 1.0], None, 1.0),
        (["legit", "fraud"], "fraud", "fraud"),
        (["legit", "fraud"], "legit", "legit"),
        ([2, 1], 1, 1),
        ([True, False], False, False),
    ],
)
def test_labels_of_any_kind(data, labels, pos_label, expected):
    X, y = data
    target = np.array(labels)[y]
    model = ThresholdClassifierCV(LogisticRegression(), pos_label=pos_label).fit(X, target)
    assert model.pos_label_ == expected
    np.testing.assert_array_equal(model.classes_, np.unique(target))
    assert model.predict(X).dtype == target.dtype
    plain = ThresholdClassifierCV(LogisticRegression()).fit(X, (target == expected).astype(int))
    assert model.threshold_ == pytest.approx(plain.threshold_, rel=1e-6)
    np.testing.assert_array_equal(model.predict(X) == expected, plain.predict(X) == 1)
    assert model.score(X, target) == plain.score(X, target == expected)
    shipped = deploy(pickle.loads(pickle.dumps(model)))
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))


def test_an_ambiguous_positive_label_is_the_rarer_one_with_a_warning(data):
    X, y = data
    with pytest.warns(
        ThresholdWarning, match=r"'fraud' \(\d+ rows\) and 'legit'.*'fraud' is taken"
    ):
        model = ThresholdClassifierCV(GaussianNB()).fit(X, np.where(y, "fraud", "legit"))
    assert model.pos_label_ == "fraud"
    with pytest.warns(ThresholdWarning, match="Pass pos_label=1 or pos_label=2"):
        model = ThresholdClassifierCV(GaussianNB()).fit(X, np.where(y, 1, 2))
    assert model.pos_label_ == 1
    even = np.repeat(["a", "b"], 300)
    with pytest.warns(ThresholdWarning, match="'b' is taken, the last in order"):
        assert ThresholdClassifierCV(GaussianNB()).fit(X, even).pos_label_ == "b"


def test_a_label_that_is_none_is_refused(data):
    X, y = data
    with pytest.raises(DataError, match=r"pos_label must be one of the labels 0, 1\. Got 'yes'"):
        ThresholdClassifierCV(GaussianNB(), pos_label="yes").fit(X, y)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (np.linspace(0, 1, 60), "Unknown label type.*float64 .continuous."),
        (np.linspace(0, 1, 120).reshape(60, 2), "several columns must hold 0 and 1"),
        ([1] * 60, "rows of two classes. Got one class only, 1"),
        ([0.0, 1.0, np.nan] * 20, "must not have missing values. Got 20 of 60"),
        (np.array(["a", "b", None] * 20, dtype=object), "must not have missing values. Got 20"),
        (None, "the target y is None"),
        (np.array([0, 1] * 30, dtype=object), "Unknown label type"),
    ],
)
def test_targets_that_are_no_classes_are_refused(data, target, words):
    with pytest.raises(DataError, match=f"ThresholdClassifierCV: .*{words}"):
        ThresholdClassifierCV(GaussianNB()).fit(data[0][:60], target)


# --- containers and estimators ------------------------------------------------------------


@pytest.mark.parametrize(
    "container",
    [list, pd.DataFrame, pl.DataFrame, sparse.csr_matrix, sparse.csc_array, sparse.coo_array],
    ids=["list", "pandas", "polars", "csr", "csc", "coo"],
)
def test_tables_of_any_kind(data, container):
    X, y = data
    X = X.round(3)
    names = [f"c{j}" for j in range(X.shape[1])]
    framed = container in (pd.DataFrame, pl.DataFrame)
    if container is pd.DataFrame:
        table, target = pd.DataFrame(X, columns=names, index=np.arange(600)[::-1]), pd.Series(y)
    elif container is pl.DataFrame:
        table, target = pl.DataFrame(X, schema=names), pl.Series(y)
    else:
        table, target = container(X.tolist()) if container is list else container(X), y.tolist()
    with warnings.catch_warnings():
        # Not all sparse formats can be predicted from without a conversion.
        warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)
        model = ThresholdClassifierCV(LogisticRegression(C=0.1)).fit(table, target)
    plain = ThresholdClassifierCV(LogisticRegression(C=0.1)).fit(X, y)
    assert model.threshold_ == pytest.approx(plain.threshold_, rel=1e-4)
    np.testing.assert_array_equal(model.predict(table), plain.predict(X))
    assert hasattr(model, "feature_names_in_") == framed
    assert model.n_features_in_ == 6


def test_samplers_inside_run_on_training_rows_only(data):
    X, y = data
    pipe = make_sampling_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    model = ThresholdClassifierCV(pipe).fit(X, y)
    assert model.rule_.n_rows == y.size
    folds = list(out_of_fold(pipe, X, y, StratifiedKFold(5)))
    scores = np.concatenate([s for _, s in folds])
    np.testing.assert_array_equal(model.curve_.thresholds[1:], np.unique(scores)[::-1])
    shipped = deploy(model)
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))
    assert "imblearn" not in str(type(shipped.estimator.estimator))


def test_a_frozen_estimator_serves_all_folds(data):
    X, y = data
    frozen = FrozenEstimator(GaussianNB().fit(X[:200], y[:200]))
    model = ThresholdClassifierCV(frozen).fit(X[200:], y[200:])
    prefit = ThresholdClassifierCV(frozen, cv="prefit", refit=False).fit(X[200:], y[200:])
    assert model.threshold_ == prefit.threshold_


def test_methods_are_there_if_the_estimator_has_them(data):
    X, y = data
    model = ThresholdClassifierCV(LinearSVC()).fit(X, y)
    assert not hasattr(model, "predict_proba")
    np.testing.assert_array_equal(model.decision_function(X), model.estimator_.decision_function(X))
    model = ThresholdClassifierCV(LogisticRegression()).fit(X, y)
    for name in ("predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(model, name)(X), getattr(model.estimator_, name)(X))
    assert not hasattr(ThresholdClassifierCV(GaussianNB()), "decision_function")


def test_not_fitted(data):
    X, y = data
    model = ThresholdClassifierCV(GaussianNB())
    for name in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(model, name)(X)
    # As in scikit-learn, probabilities need the estimator's fit only.
    fitted = GaussianNB().fit(X, y)
    model = ThresholdClassifierCV(fitted)
    np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_it_is_stored_shown_and_shipped(data):
    X, y = data
    model = ThresholdClassifierCV(
        LogisticRegression(), LowestCost(fn=5.0), store_cv_results=True
    ).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert again.rule_ == model.rule_
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert isinstance(model.rule_, Rule)
    assert model.rule_.value == -model.best_score_
    assert "cost=" in repr(model.rule_)
    results = model.cv_results_
    np.testing.assert_array_equal(results["thresholds"], model.curve_.thresholds)
    assert (results["fold_thresholds"].min(), results["fold_thresholds"].max()) == (
        model.threshold_interval_
    )
    # Costs add up over the folds.
    assert results["fold_scores"].sum() == pytest.approx(model.best_score_)
    assert not hasattr(clone(model).set_params(store_cv_results=False).fit(X, y), "cv_results_")
    shipped = model.__deploy__()
    assert type(shipped) is FixedThresholdClassifier
    assert shipped.n_features_in_ == 6
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))
    np.testing.assert_array_equal(shipped.predict_proba(X), model.predict_proba(X))
    with pytest.raises(NotFittedError):
        clone(model).__deploy__()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_shipped_model_agrees_at_the_threshold_itself(dtype):
    X = np.array([[0.1], [0.2], [0.3], [0.4], [0.7], [0.7]] * 5, dtype=dtype)
    y = np.array([0, 0, 1, 0, 1, 1] * 5)
    model = ThresholdClassifierCV(Score(dtype=dtype), cv=3).fit(X, y)
    rows = np.array([[model.threshold_], [np.nextafter(dtype(model.threshold_), dtype(0))]], dtype)
    assert model.predict(rows).tolist() == [1, 0]
    assert deploy(model).predict(rows).tolist() == [1, 0]


# --- searches, weights and row values -----------------------------------------------------


def test_rules_and_their_parameters_can_be_searched(data):
    X, y = data
    model = ThresholdClassifierCV(GaussianNB(), BestMetric("fbeta"))
    search = GridSearchCV(
        model, {"rule__beta": [0.5, 4.0]}, scoring=make_scorer(fbeta_score, beta=4.0), cv=3
    ).fit(X, y)
    assert search.best_params_ == {"rule__beta": 4.0}
    rules = ["f1", LowestCost(fn=50.0), BestMetric("recall")]
    search = GridSearchCV(
        ThresholdClassifierCV(GaussianNB()), {"rule": rules}, scoring="precision", cv=3
    ).fit(X, y)
    assert search.best_params_["rule"] == "f1"
    assert not [
        name for name in ThresholdClassifierCV(GaussianNB()).get_params() if "rule__" in name
    ]


class Spy(GaussianNB):
    """Remember the weights it was fitted with."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = sample_weight
        return super().fit(X, y, sample_weight)


def test_weights_reach_the_rule_and_the_estimator(data):
    X, y = data
    weight = np.where(y == 1, 3.0, 1.0)
    model = ThresholdClassifierCV(Spy()).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.estimator_.seen_, weight)
    again = np.repeat(np.arange(y.size), weight.astype(int))
    rule = BestMetric("f1")
    folds = list(StratifiedKFold(5).split(X, y))
    scores = np.empty(y.size)
    for train, test in folds:
        fitted = GaussianNB().fit(X[train], y[train], weight[train])
        scores[test] = fitted.predict_proba(X[test])[:, 1]
    assert model.best_score_ == pytest.approx(
        rule.curve(y[again] == 1, scores[again]).objective.max(), rel=1e-12
    )


def test_an_estimator_without_weights_is_told_of(data):
    X, y = data
    weight = np.where(y == 1, 3.0, 1.0)
    with pytest.warns(ImbkitWarning, match="KNeighborsClassifier should accept sample_weight"):
        model = ThresholdClassifierCV(KNeighborsClassifier()).fit(X, y, sample_weight=weight)
    plain = ThresholdClassifierCV(KNeighborsClassifier()).fit(X, y)
    assert model.best_score_ != plain.best_score_
    with pytest.warns(ImbkitWarning, match="switch on metadata routing"):
        ThresholdClassifierCV(make_pipeline(StandardScaler(), GaussianNB())).fit(
            X, y, sample_weight=weight
        )


def test_routed_weights(data, routing):
    X, y = data
    weight = np.where(y == 1, 3.0, 1.0)
    pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), Spy())
    pipe[-1].set_fit_request(sample_weight=True)
    model = ThresholdClassifierCV(pipe).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.estimator_[-1].seen_, weight)
    unweighted = ThresholdClassifierCV(pipe).set_fit_request(sample_weight=False)
    unweighted.fit(X, y, sample_weight=weight)
    assert unweighted.best_score_ < model.best_score_  # tripled hits raise F1
    rule_only = ThresholdClassifierCV(Spy().set_fit_request(sample_weight=False))
    rule_only.fit(X, y, sample_weight=weight)
    assert rule_only.estimator_.seen_ is None
    assert rule_only.best_score_ > ThresholdClassifierCV(Spy()).fit(X, y).best_score_
    with pytest.raises(ValueError, match="sample_weight"):
        ThresholdClassifierCV(Spy()).fit(X, y, sample_weight=weight)


@pytest.fixture(scope="module")
def amounts(data):
    return np.random.default_rng(1).gamma(1.0, 100.0, size=data[1].size).round()


def best_cost(X, y, amount, rule):
    scores = cross_val_predict(GaussianNB(), X, y, cv=StratifiedKFold(5), method="predict_proba")
    return rule.curve(y == 1, scores[:, 1], amount=amount).objective.max()


class Remember(LowestCost):
    """Note which amounts came with which labels."""

    seen = []

    def prepared(self, y_true, **row_values):
        Remember.seen.append((y_true, row_values["amount"]))
        return super().prepared(y_true, **row_values)


def check_row_values(data, amounts):
    X, y = data
    rule = LowestCost(fp=20.0, fn="amount")
    direct = ThresholdClassifierCV(GaussianNB(), rule).fit(X, y, amount=amounts)
    assert direct.best_score_ == pytest.approx(best_cost(X, y, amounts, rule), rel=1e-12)
    # Inside searches the amounts must follow their rows: make each amount name its row.
    names, Remember.seen = np.arange(1.0, y.size + 1), []
    model = ThresholdClassifierCV(GaussianNB(), Remember(fp=20.0, fn="amount"), cv=2)
    GridSearchCV(model, {"rule__fp": [1.0, 2.0]}, cv=3).fit(X, y, amount=names)
    cross_validate(model, X, y, cv=3, params={"amount": names})
    assert len(Remember.seen) == 2 * 3 + 1 + 3
    for labels, values in Remember.seen:
        np.testing.assert_array_equal(labels, y[values.astype(int) - 1] == 1)


def test_row_values_without_routing(data, amounts):
    check_row_values(data, amounts)


def test_row_values_with_routing(data, amounts, routing):
    check_row_values(data, amounts)
    request = ThresholdClassifierCV(GaussianNB(), LowestCost(fn="amount")).get_metadata_routing()
    assert request.consumes("fit", ["amount", "sample_weight", "other"]) == {
        "amount", "sample_weight",
    }  # fmt: skip


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_row_values_from_a_column(data, amounts, frame):
    X, y = data
    table = frame({f"c{j}": X[:, j] for j in range(6)} | {"amount": amounts})
    model = ThresholdClassifierCV(GaussianNB(), LowestCost(fp=20.0, fn="amount")).fit(table, y)
    given = ThresholdClassifierCV(GaussianNB(), LowestCost(fp=20.0, fn="amount"))
    given.fit(table.to_numpy(), y, amount=amounts)
    assert model.threshold_ == given.threshold_
    with pytest.raises(DataError, match="needs amuont .*without such a column.*is 'amount'"):
        clone(model).set_params(rule__fn="amuont").fit(table, y)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, r"needs amount for each row.*Call fit\(X, y, amount=\.\.\.\)"),
        ({"amount": [1.0, 2.0]}, "one number for each of the 600 rows"),
        ({"amount": ["x"] * 600}, "amount must hold numbers"),
        ({"amount": [np.nan] * 600}, "amount must be finite. Got 600"),
    ],
)
def test_bad_row_values_are_refused(data, values, words):
    with pytest.raises(DataError, match=words):
        ThresholdClassifierCV(GaussianNB(), LowestCost(fn="amount")).fit(*data, **values)


def test_arguments_that_nobody_takes_are_refused(data, amounts):
    with pytest.raises(InvalidParameterError, match="GaussianNB asks for. Got 'amount'"):
        ThresholdClassifierCV(GaussianNB()).fit(*data, amount=amounts)
    with pytest.raises(InvalidParameterError, match="may not be called X or y or sample_weight"):
        ThresholdClassifierCV(GaussianNB(), LowestCost(fn="y")).fit(*data)


def test_groups_reach_the_splitter(data):
    X, y = data
    groups = np.arange(600) % 3
    model = ThresholdClassifierCV(GaussianNB(), cv=GroupKFold(3)).fit(X, y, groups=groups)
    split = PredefinedSplit(groups)
    assert model.threshold_ == ThresholdClassifierCV(GaussianNB(), cv=split).fit(X, y).threshold_
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(model).fit(X, y, groups=groups)
    assert routed.threshold_ == model.threshold_


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
def test_equal_scores_are_warned_of(data, pooling):
    X, y = np.ones((200, 1)), data[1][:200]
    model = ThresholdClassifierCV(Score(), pooling=pooling)
    with pytest.warns(ThresholdWarning, match="scores of Score should differ.*Got 1 for all 200"):
        model.fit(X, y)
    assert model.threshold_ == 1.0
    assert (model.predict(X) == 1).all()
    with pytest.warns(ThresholdWarning, match="should differ"):
        model.set_params(rule=LowestCost(fp=100.0)).fit(X, y)
    assert model.threshold_ == np.inf
    assert (model.predict(X) == 0).all()


class Flaky(GaussianNB):
    def predict_proba(self, X):
        return np.where(np.arange(len(X))[:, None] < 3, np.nan, super().predict_proba(X))


def test_scores_that_are_no_numbers_are_refused(data):
    X, y = data
    words = "scores of Flaky must not be NaN. Got 3 NaN in 120 values of predict_proba"
    with pytest.raises(DataError, match=words):
        ThresholdClassifierCV(Flaky()).fit(X, y)
    fitted = Flaky().fit(X, y)
    with pytest.raises(DataError, match="Got 3 NaN in 600"):
        ThresholdClassifierCV(fitted, cv="prefit", refit=False).fit(X, y)


def test_infinite_scores_are_taken_as_they_are():
    X = np.array([-np.inf, -1.0, 0.0, 1.0, np.inf, np.inf] * 4)[:, None]
    y = np.array([0, 0, 0, 1, 1, 1] * 4)
    for pooling in POOLINGS:
        model = ThresholdClassifierCV(Score(), cv=2, pooling=pooling).fit(X, y)
        assert np.isfinite(model.threshold_)
        np.testing.assert_array_equal(model.predict(X), y)


def test_folds_of_one_class(data):
    X, y = data
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    tests = [np.arange(0, 300), np.arange(300, 600)]  # the first holds negative rows only
    assert y[tests[0]].max() == 0
    cv = [(np.arange(0, 600, 2), test) for test in tests]
    words = "1 of 2 test folds with rows of one class only. "
    with pytest.warns(ThresholdWarning, match=words + "All rows are swept together"):
        model = ThresholdClassifierCV(GaussianNB(), cv=cv).fit(X, y)
    assert model.rule_.n_rows == 600
    second = ThresholdClassifierCV(GaussianNB(), cv=cv[1:]).fit(X, y)
    assert model.threshold_interval_ == second.threshold_interval_
    for pooling in POOLINGS[1:]:
        with pytest.warns(ThresholdWarning, match=words + "These folds are left out"):
            other = ThresholdClassifierCV(GaussianNB(), cv=cv, pooling=pooling).fit(X, y)
        assert other.threshold_ == second.threshold_
    for pooling in POOLINGS:
        with pytest.raises(DataError, match="1 of 1 test folds with rows of one class only"):
            ThresholdClassifierCV(GaussianNB(), cv=cv[:1], pooling=pooling).fit(X, y)


def test_leaving_one_out(data):
    X, y = data[0][:40], np.arange(40) % 4 == 0
    with pytest.warns(ThresholdWarning, match="40 of 40 test folds"):
        model = ThresholdClassifierCV(GaussianNB(), cv=LeaveOneOut()).fit(X, y)
    assert np.isfinite(model.threshold_)
    assert np.isnan(model.threshold_interval_).all()
    with pytest.raises(DataError, match="40 of 40 test folds"):
        ThresholdClassifierCV(GaussianNB(), cv=LeaveOneOut(), pooling="curve").fit(X, y)


def test_a_rare_class_with_fewer_rows_than_folds(data):
    X = data[0][:60]
    y = np.zeros(60, dtype=int)
    y[:3] = 1
    with pytest.warns(ThresholdWarning, match="2 of 5 test folds") as caught:
        ThresholdClassifierCV(GaussianNB()).fit(X, y)
    assert len(caught) == 1
    y[1:3] = 0
    with pytest.raises(DataError, match="training fold.*class 1 has 1 of all 60 rows"):
        ThresholdClassifierCV(GaussianNB()).fit(X, y)
    with pytest.raises(DataError, match="rows must suffice for the splits"):
        ThresholdClassifierCV(GaussianNB(), cv=40).fit(X[:8], y[:8])


def test_a_fold_that_would_rather_alert_nobody_counts_by_its_largest_score():
    # In the second fold the only positive row has the smallest score.
    X = np.array([0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0])[:, None]
    y = np.array([0, 0, 1, 1, 1, 0, 0, 0])
    model = ThresholdClassifierCV(
        Score(), LowestCost(), cv=PredefinedSplit([0] * 4 + [1] * 4), pooling="mean"
    ).fit(X, y)
    assert model.threshold_interval_ == (1.5, np.inf)
    assert model.threshold_ == (1.5 + 3.0) / 2


@pytest.mark.parametrize(
    ("estimator", "method", "words"),
    [
        (Perceptron(), "predict_proba", "method predict_proba. Got Perceptron"),
        (LinearRegression(), "auto", "predict_proba or decision_function. Got LinearReg"),
        (GaussianNB(), "decision_function", "must have the method decision_function"),
    ],
)
def test_an_estimator_without_scores_is_refused(data, estimator, method, words):
    with pytest.raises(InvalidParameterError, match=words):
        ThresholdClassifierCV(estimator, response_method=method).fit(*data)


def test_settings_that_contradict_each_other_are_refused(data):
    X, y = data
    fitted = GaussianNB().fit(X, y)
    with pytest.raises(InvalidParameterError, match="cv='prefit' nothing can be refitted"):
        ThresholdClassifierCV(fitted, cv="prefit").fit(X, y)
    with pytest.raises(NotFittedError, match="cv='prefit' the estimator must be fitted"):
        ThresholdClassifierCV(GaussianNB(), cv="prefit", refit=False).fit(X, y)
    with pytest.raises(InvalidParameterError, match="refit=False needs a single split.*5 splits"):
        ThresholdClassifierCV(GaussianNB(), refit=False).fit(X, y)
    other = GaussianNB().fit(X, np.where(y, "a", "b"))
    with pytest.raises(DataError, match="must know the classes 0, 1 and no others. Got 'a', 'b'"):
        ThresholdClassifierCV(other, cv="prefit", refit=False).fit(X, y)
    with pytest.raises(DataError, match="both classes must have a positive weight"):
        ThresholdClassifierCV(GaussianNB()).fit(X, y, sample_weight=(y == 0).astype(float))
    with pytest.raises(DataError, match="every test fold must hold rows"):
        ThresholdClassifierCV(GaussianNB(), cv=[(np.arange(600), [])]).fit(X, y)
    with pytest.raises(DataError, match="at least one split"):
        ThresholdClassifierCV(GaussianNB(), cv=[]).fit(X, y)


def test_calibrated_and_nested_learners_work_inside(data):
    X, y = data
    model = ThresholdClassifierCV(CalibratedClassifierCV(LinearSVC(), cv=3), cv=3).fit(X, y)
    assert 0 < model.threshold_ < 1
