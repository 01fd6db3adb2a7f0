"""The adapter: the shares it finds, what it changes, what it takes and what it refuses."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from joblib import parallel_backend
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator

from imbkit._core.deploy import deploy
from imbkit.calibration import LabelShiftAdapter, ScalingCalibrator
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

METHODS = ["mlls", "bbse", "bbse_soft", "rlls"]
SOURCE, TARGET = np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])
MEANS = np.array([[0.0, 0.0], [2.0, 0.5], [0.5, 2.0]])


def rows(n_rows, shares, seed, labels=None):
    """Gaussian rows of each class around its mean, and their labels."""
    rng = np.random.default_rng(seed)
    n_classes = len(shares)
    codes = np.append(np.arange(n_classes), rng.choice(n_classes, n_rows - n_classes, p=shares))
    X = MEANS[codes] + rng.normal(size=(n_rows, 2))
    return X, codes if labels is None else np.asarray(labels)[codes]


@pytest.fixture(scope="module")
def data():
    return rows(2000, SOURCE, 0)


@pytest.fixture(scope="module")
def new():
    return rows(1500, TARGET, 1)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class Column(ClassifierMixin, BaseEstimator):
    """Give the columns as the probabilities, whatever was fitted."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X)[:, : self.classes_.size] * self.factor


# --- what is estimated ---------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_the_new_shares_are_found_and_help(data, new, method):
    model = LabelShiftAdapter(LogisticRegression(), method=method, random_state=0).fit(*data)
    before = model.predict_proba(new[0])
    accuracy = model.score(*new)
    assert model.adapt(new[0]) is model
    share = np.bincount(new[1]) / new[1].size
    assert np.linalg.norm(model.target_prior_ - share) < 0.05
    low, high = model.target_prior_interval_.T
    assert model.target_prior_interval_.shape == (3, 2)
    assert ((low < model.target_prior_) & (model.target_prior_ < high)).all()
    assert ((low < share) & (share < high)).all()
    np.testing.assert_allclose(model.weights_, model.target_prior_ / model.source_prior_)
    after = model.predict_proba(new[0])
    expected = before * model.weights_
    np.testing.assert_allclose(after, expected / expected.sum(axis=1, keepdims=True), atol=1e-12)
    assert log_loss(new[1], after) < log_loss(new[1], before) - 0.05
    assert model.score(*new) > accuracy
    np.testing.assert_array_equal(model.predict(new[0]), after.argmax(axis=1))


def test_the_source_is_what_the_out_of_fold_rows_say(data):
    X, y = data
    model = LabelShiftAdapter(GaussianNB(), cv=4).fit(X, y)
    held_out = cross_val_predict(GaussianNB(), X, y, cv=StratifiedKFold(4), method="predict_proba")
    calibrator = ScalingCalibrator("bias_corrected").fit(held_out, y)
    np.testing.assert_allclose(model.calibrator_.bias_, calibrator.bias_, atol=1e-9)
    np.testing.assert_allclose(
        model.source_prior_, calibrator.predict_proba(held_out).mean(axis=0), atol=1e-9
    )
    inner = GaussianNB().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), calibrator.predict_proba(inner), atol=1e-9)
    hard = LabelShiftAdapter(GaussianNB(), cv=4, method="bbse", calibration=None).fit(X, y)
    assert hard.calibrator_ is None
    np.testing.assert_allclose(hard.source_prior_, np.bincount(y) / y.size)
    np.testing.assert_array_equal(hard.predict_proba(X), inner)
    rates = np.array([np.bincount(held_out[y == k].argmax(axis=1), minlength=3) for k in range(3)])
    rates = rates.T / rates.sum(axis=1)
    assert hard.condition_ == pytest.approx(np.linalg.norm(rates, -2), rel=1e-12)


def test_the_likelihood_is_not_worse_than_the_confusion_matrix():
    """Mean error over 20 seeds; the learner is too sure of itself, calibration mends that."""
    errors = {"mlls": [], "bbse": []}
    for seed in range(20):
        target = np.random.default_rng(seed).dirichlet(np.ones(3))
        X, y = rows(600, SOURCE, 100 + seed)
        T, _ = rows(600, target, 200 + seed)
        X, T = np.repeat(X, 3, axis=1), np.repeat(T, 3, axis=1)
        for method, own in errors.items():
            model = LabelShiftAdapter(GaussianNB(), method=method, n_bootstrap=0).fit(X, y)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ImbkitWarning)
                own.append(np.linalg.norm(model.adapt(T).target_prior_ - target))
    assert np.mean(errors["mlls"]) <= np.mean(errors["bbse"])


def test_calibration_is_what_the_likelihood_needs():
    errors = {"bias_corrected": [], None: []}
    for seed in range(10):
        X, y = rows(800, SOURCE, 100 + seed)
        T, _ = rows(2000, TARGET, 200 + seed)
        X, T = np.repeat(X, 4, axis=1), np.repeat(T, 4, axis=1)
        for calibration, own in errors.items():
            model = LabelShiftAdapter(GaussianNB(), calibration=calibration, n_bootstrap=0)
            own.append(np.linalg.norm(model.fit(X, y).adapt(T).target_prior_ - TARGET))
    assert np.mean(errors["bias_corrected"]) < 0.7 * np.mean(errors[None])


@pytest.mark.parametrize("method", METHODS)
def test_no_shift_leaves_the_probabilities(data, method):
    model = LabelShiftAdapter(LogisticRegression(), method=method).fit(*data)
    X, _ = rows(2000, SOURCE, 7)
    before = model.predict_proba(X)
    model.adapt(X)
    low, high = model.target_prior_interval_.T
    errors = (high - low) / (2 * 1.96) / model.source_prior_
    assert (np.abs(model.weights_ - 1) < 3 * errors).all()
    assert np.abs(model.predict_proba(X) - before).max() < 0.1


def test_a_higher_confidence_widens_and_no_bootstrap_leaves_out(data, new):
    widths = []
    for confidence in (0.5, 0.95):
        model = LabelShiftAdapter(LogisticRegression(), confidence=confidence, random_state=0)
        widths.append(np.diff(model.fit(*data).adapt(new[0]).target_prior_interval_))
    assert (widths[1] > 2 * widths[0]).all()
    model = LabelShiftAdapter(LogisticRegression(), n_bootstrap=0).fit(*data).adapt(new[0])
    assert np.isnan(model.target_prior_interval_).all()


def test_a_dirichlet_prior_draws_towards_itself(data, new):
    few = new[0][:30]
    found = {}
    for value in (None, 1.0, 50.0, [1.0, 1.0, 400.0]):
        model = LabelShiftAdapter(LogisticRegression(), concentration=value, n_bootstrap=0)
        found[str(value)] = model.fit(*data).adapt(few).target_prior_
    np.testing.assert_allclose(found["None"], found["1.0"], atol=1e-8)
    assert np.ptp(found["50.0"]) < np.ptp(found["None"])
    assert found["[1.0, 1.0, 400.0]"][2] > 0.9


def test_weights_of_target_rows_are_repeated_rows(data, new):
    weight = np.random.default_rng(0).integers(0, 3, size=len(new[0]))
    for method in METHODS:
        model = LabelShiftAdapter(LogisticRegression(), method=method, n_bootstrap=0).fit(*data)
        one = model.adapt(new[0], sample_weight=weight).target_prior_
        other = model.adapt(np.repeat(new[0], weight, axis=0)).target_prior_
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_weights_of_held_out_rows_count():
    fitted = LogisticRegression().fit(*rows(500, SOURCE, 3))
    X, y = rows(400, SOURCE, 4)
    T, _ = rows(400, TARGET, 5)
    weight = np.random.default_rng(0).integers(1, 4, size=400)
    for method in ("mlls", "bbse", "bbse_soft"):
        model = LabelShiftAdapter(fitted, method=method, cv="prefit", n_bootstrap=0)
        one = model.fit(X, y, sample_weight=weight).adapt(T).target_prior_
        again = np.repeat(np.arange(400), weight)
        other = model.fit(X[again], y[again]).adapt(T).target_prior_
        np.testing.assert_allclose(one, other, atol=1e-6)


# --- life of the object --------------------------------------------------------------------


def test_adapting_again_replaces_and_fitting_forgets(data, new):
    model = LabelShiftAdapter(LogisticRegression(), random_state=3).fit(*data)
    source = model.predict_proba(new[0])
    assert not hasattr(model, "target_prior_")
    once = model.adapt(new[0]).target_prior_
    model.adapt(data[0])
    np.testing.assert_allclose(model.target_prior_, model.source_prior_, atol=0.02)
    np.testing.assert_array_equal(model.adapt(new[0]).target_prior_, once)
    model.fit(*data)
    assert not hasattr(model, "target_prior_")
    np.testing.assert_array_equal(model.predict_proba(new[0]), source)


def test_the_same_seed_gives_the_same_and_threads_do_not_matter(data, new):
    model = LabelShiftAdapter(DecisionTreeClassifier(max_depth=3, random_state=0), random_state=5)
    one = model.fit(*data).adapt(new[0]).target_prior_interval_
    with parallel_backend("threading"):
        model.set_params(n_jobs=2).fit(*data)
    np.testing.assert_array_equal(model.adapt(new[0]).target_prior_interval_, one)
    model.set_params(random_state=6).adapt(new[0])
    assert (model.target_prior_interval_ != one).any()


def test_clones_and_pickles(data, new):
    model = LabelShiftAdapter(LogisticRegression(), method="bbse", random_state=0)
    adapted = model.fit(*data).adapt(new[0])
    loaded = pickle.loads(pickle.dumps(adapted))
    np.testing.assert_array_equal(loaded.predict_proba(new[0]), adapted.predict_proba(new[0]))
    assert loaded.adapt(new[0]).target_prior_.tolist() == adapted.target_prior_.tolist()
    fresh = clone(adapted)
    assert not hasattr(fresh, "source_prior_")
    assert fresh.get_params()["method"] == "bbse"
    # A pickle holds some probabilities of held-out rows, and never their features.
    many = LabelShiftAdapter(Column(), calibration=None, n_bootstrap=0)
    P = np.random.default_rng(0).dirichlet(np.ones(2), size=40_000)
    y = (np.random.default_rng(1).random(40_000) < P[:, 1]).astype(int)
    assert len(pickle.dumps(many.fit(P, y))) < 150_000


def test_a_search_and_a_pipeline(data, new):
    search = GridSearchCV(
        LabelShiftAdapter(make_pipeline(StandardScaler(), LogisticRegression())),
        {"method": ["mlls", "bbse"], "estimator__logisticregression__C": [0.1, 1.0]},
        cv=3,
        scoring="neg_log_loss",
    ).fit(*data)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    search.best_estimator_.adapt(new[0])
    assert search.score(*new) > -0.75


@pytest.mark.parametrize("kind", ["pandas", "polars", "sparse", "missing"])
def test_tables_reach_the_estimator_as_they_are(data, new, kind):
    (X, y), (T, _) = data, new
    learner = LogisticRegression()
    if kind == "pandas":
        X, T = (pd.DataFrame(each, columns=["a", "b"]) for each in (X, T))
    elif kind == "polars":
        X, T = (pl.DataFrame(each, schema=["a", "b"]) for each in (X, T))
    elif kind == "sparse":
        X, T = sparse.csr_array(X), sparse.csr_array(T)
    else:
        X, T = X.copy(), T.copy()
        X[::7, 0] = T[::7, 0] = np.nan
        learner = HistGradientBoostingClassifier(max_iter=20)
    model = LabelShiftAdapter(learner, n_bootstrap=0).fit(X, y).adapt(T)
    assert np.linalg.norm(model.target_prior_ - TARGET) < 0.1
    assert model.n_features_in_ == 2
    if kind in ("pandas", "polars"):
        assert model.feature_names_in_.tolist() == ["a", "b"]


def test_labels_may_be_text(data, new):
    labels = np.array(["low", "mid", "high"])
    named = LabelShiftAdapter(LogisticRegression(), n_bootstrap=0).fit(data[0], labels[data[1]])
    assert named.classes_.tolist() == ["high", "low", "mid"]
    plain = LabelShiftAdapter(LogisticRegression(), n_bootstrap=0).fit(*data).adapt(new[0])
    found = named.adapt(new[0]).target_prior_
    np.testing.assert_allclose(found, plain.target_prior_[[2, 0, 1]], atol=1e-4)
    assert set(named.predict(new[0])) == set(labels)


def test_prefit_and_other_sources_of_rows(data, new):
    X, y = data
    fitted = LogisticRegression().fit(X[:1000], y[:1000])
    model = LabelShiftAdapter(fitted, cv="prefit").fit(X[1000:], y[1000:]).adapt(new[0])
    assert model.estimator_ is fitted
    assert np.linalg.norm(model.target_prior_ - TARGET) < 0.06
    for cv in (0.3, 3, PredefinedSplit(np.arange(2000) % 2), None):
        model = LabelShiftAdapter(LogisticRegression(), cv=cv, random_state=0).fit(X, y)
        assert np.linalg.norm(model.adapt(new[0]).target_prior_ - TARGET) < 0.06


def test_routing_off(data):
    X, y = data
    groups = np.arange(y.size) % 40
    model = LabelShiftAdapter(LogisticRegression(), cv=GroupKFold(4)).fit(X, y, groups=groups)
    parts = list(GroupKFold(4).split(X, y, groups))
    listed = LabelShiftAdapter(LogisticRegression(), cv=parts).fit(X, y)
    np.testing.assert_array_equal(model.source_prior_, listed.source_prior_)
    with pytest.raises(InvalidParameterError, match="LabelShiftAdapter: fit takes what"):
        model.fit(X, y, groups=groups, amount=y)
    P = np.random.default_rng(0).dirichlet(np.ones(3), size=y.size)
    with pytest.warns(ImbkitWarning, match="should accept sample_weight"):
        LabelShiftAdapter(Column()).fit(P, y, sample_weight=np.ones(y.size))


def test_routing_on(routing, data):
    X, y = data
    weight = np.random.default_rng(0).exponential(size=y.size)
    groups = np.arange(y.size) % 40
    folds = list(GroupKFold(4).split(X, y, groups))
    unweighted = LabelShiftAdapter(LogisticRegression(), cv=folds).fit(X, y)
    found = {}
    for inner in (False, True):
        for outer in (False, True):
            model = LabelShiftAdapter(
                LogisticRegression().set_fit_request(sample_weight=inner), cv=GroupKFold(4)
            ).set_fit_request(sample_weight=outer)
            # scikit-learn refuses what nobody wants.
            given = {"sample_weight": weight} if inner or outer else {}
            model.fit(X, y, groups=groups, **given)
            found[inner, outer] = (model.source_prior_, model.estimator_.coef_)
    np.testing.assert_array_equal(found[False, False][0], unweighted.source_prior_)
    np.testing.assert_array_equal(found[False, True][1], unweighted.estimator_.coef_)
    assert np.abs(found[False, True][0] - unweighted.source_prior_).max() > 1e-3
    assert np.abs(found[True, False][1] - unweighted.estimator_.coef_).max() > 1e-3


# --- what is told --------------------------------------------------------------------------


def test_predictions_that_tell_nothing_apart_are_told():
    X, y = rows(900, SOURCE, 0)
    model = LabelShiftAdapter(LogisticRegression(C=1e-6), method="bbse", n_bootstrap=0)
    with pytest.warns(ImbkitWarning, match="smallest singular value .* also learns of classes"):
        model.fit(X, y).adapt(rows(500, TARGET, 1)[0])
    assert model.condition_ < 1e-12
    # The classes that are never predicted keep their share as far as may be.
    assert (model.target_prior_ > 0).all()
    soft = LabelShiftAdapter(Column(), calibration=None, n_bootstrap=0)
    same = np.tile([0.7, 0.2, 0.1], (900, 1))
    with pytest.warns(ImbkitWarning, match="take a better estimator. *$"):
        soft.fit(same, y).adapt(same)
    np.testing.assert_allclose(soft.weights_, 1)


def test_shares_that_nothing_is_known_of_may_be_anything():
    """Classes 1 and 2 look alike; class 0 is told apart from them."""
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=3000, p=[0.5, 0.3, 0.2])
    P = np.array([[0.9, 0.06, 0.04], [0.1, 0.54, 0.36], [0.1, 0.54, 0.36]])[y]
    new = np.where(rng.random((1000, 1)) < 0.3, [[0.9, 0.06, 0.04]], [[0.1, 0.54, 0.36]])
    for method in ("bbse", "bbse_soft", "rlls"):
        model = LabelShiftAdapter(Column(), method=method, calibration=None, random_state=0)
        with pytest.warns(ImbkitWarning, match="smallest singular value") as caught:
            model.fit(P, y).adapt(new)
        assert len(caught) == 1
        np.testing.assert_array_equal(model.target_prior_interval_[1:], [[0, 1], [0, 1]])
        low, high = model.target_prior_interval_[0]
        assert 0.2 < low < 0.3 < high < 0.4


def test_a_rare_class_is_no_singular_matrix():
    rng = np.random.default_rng(0)
    y = np.arange(20_000) < 10
    X = rng.normal(size=(20_000, 2)) + 9.0 * y[:, None]
    model = LabelShiftAdapter(GaussianNB(), method="bbse", calibration=None).fit(X, y)
    assert model.adapt(X).condition_ > 0.5
    assert model.target_prior_[1] == pytest.approx(0.0005, rel=0.01)


def test_too_few_rows_are_refused_or_told(data, new):
    model = LabelShiftAdapter(LogisticRegression(), random_state=0).fit(*data)
    with pytest.raises(DataError, match="at least as many rows as there are classes, 3. Got 2"):
        model.adapt(new[0][:2])
    with pytest.raises(DataError, match="Got 2 rows"):
        model.adapt(new[0], sample_weight=(np.arange(len(new[0])) < 2).astype(float))
    assert not hasattr(model, "target_prior_")
    with pytest.warns(ImbkitWarning, match=r"narrower than 0\.5\. Got 0\.\d\d to .* from 8 rows"):
        model.adapt(new[0][:8])
    model.adapt(new[0][:300])


def test_it_does_not_ship_without_imbkit(data):
    model = LabelShiftAdapter(LogisticRegression()).fit(*data)
    with pytest.raises(InvalidParameterError, match="ships with imbkit only"):
        deploy(model)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"method": "em"}, "method"),
        ({"calibration": "platt"}, "calibration must be None"),
        ({"calibration": 3}, "calibration"),
        ({"cv": 1.5}, "cv"),
        ({"confidence": 1.0}, "confidence"),
        ({"n_bootstrap": -1}, "n_bootstrap"),
        ({"concentration": 0.5}, "concentration"),
        ({"concentration": [1.0, 2.0]}, "concentration must be a number, or 3 numbers, from 1"),
        ({"concentration": [1.0, 2.0, np.nan]}, "concentration must be"),
        ({"concentration": 2.0, "method": "bbse"}, "for method='mlls' only"),
        ({"estimator": Perceptron()}, "must have the method predict_proba"),
    ],
)
def test_bad_parameters(data, parameters, text):
    model = LabelShiftAdapter(LogisticRegression()).set_params(**parameters)
    with pytest.raises(ValueError, match=text):
        model.fit(*data)


def test_bad_rows(data, new):
    X, y = data
    model = LabelShiftAdapter(LogisticRegression())
    with pytest.raises(NotFittedError):
        model.adapt(X)
    with pytest.raises(NotFittedError, match="the estimator must be fitted"):
        LabelShiftAdapter(LogisticRegression(), cv="prefit").fit(X, y)
    with pytest.raises(DataError, match="one class only"):
        model.fit(X, np.zeros(len(y)))
    with pytest.raises(DataError, match="every training fold must hold rows of every class"):
        model.fit(X, np.where(np.arange(len(y)) == 5, 9, y))
    only = [(np.arange(1000, 2000), np.flatnonzero(y[:1000] < 2))]
    with pytest.raises(DataError, match="held-out rows must be of every class.*none of class 2"):
        LabelShiftAdapter(LogisticRegression(), cv=only).fit(X, y)
    with pytest.raises(DataError, match="held-out rows must be of every class"):
        model.fit(X, y, sample_weight=np.where(y == 2, 0.0, 1.0))
    fitted = LogisticRegression().fit(X, y)
    for labels in (np.where(y == 2, 3, y), np.minimum(y, 1)):
        with pytest.raises(DataError, match="the fitted estimator must know the classes"):
            LabelShiftAdapter(fitted, cv="prefit").fit(X, labels)
    P = np.random.default_rng(0).dirichlet(np.ones(3), size=len(y))
    with pytest.raises(DataError, match="NaN"):
        LabelShiftAdapter(Column(np.nan)).fit(P, y)
    with pytest.raises(DataError, match="sum to one"):
        LabelShiftAdapter(Column(0.5)).fit(P, y)
    with pytest.raises(DataError, match="positive mean probability. Got 0 for class 2"):
        LabelShiftAdapter(Column(), calibration=None).fit(np.eye(3)[np.minimum(y, 1)], y)
    model.fit(X, y)
    with pytest.raises(DataError, match="sample_weight"):
        model.adapt(new[0], sample_weight=-np.ones(len(new[0])))
    with pytest.raises(ValueError, match="features"):
        model.adapt(new[0][:, :1])


def test_single_precision_probabilities_are_taken():
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=3000).astype(np.float32)
    y = (rng.random((3000, 1)) > P.astype(float).cumsum(axis=1)).sum(axis=1)
    model = LabelShiftAdapter(Column(), calibration=None).fit(P, np.minimum(y, 2)).adapt(P)
    np.testing.assert_allclose(model.weights_, 1, atol=1e-6)


# The contract suite runs them over LogisticRegression.
INNER = [
    DecisionTreeClassifier(random_state=0),
    GaussianNB(),
    HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2),
]


@pytest.mark.parametrize("inner", INNER, ids=lambda each: type(each).__name__)
def test_scikit_learn_checks(inner):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        failed = {}
        outer = LabelShiftAdapter(inner, cv=2, n_bootstrap=0)
        for model, check in estimator_checks_generator(outer, mark="skip"):
            try:
                check(model)
            except Exception as error:
                if type(error).__name__ != "SkipTest":
                    failed[check.func.__name__] = error
    # The learner alone does not keep this promise either: it bins the rows.
    if isinstance(inner, HistGradientBoostingClassifier):
        failed.pop("check_sample_weight_equivalence_on_dense_data", None)
    assert failed == {}
