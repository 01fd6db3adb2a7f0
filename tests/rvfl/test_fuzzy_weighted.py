"""Scores as weights of any learner: what reaches it, and scikit-learn's own checks."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from imbkit._core.deploy import deploy
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.pipeline import make_pipeline as make_weighted_pipeline
from imbkit.rvfl import FuzzyWeightedClassifier, intuitionistic_fuzzy_scores

LEARNERS = [
    LogisticRegression(C=0.1),
    DecisionTreeClassifier(random_state=0),
    HistGradientBoostingClassifier(max_iter=5),
    GaussianNB(),
]


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it was fitted with."""

    def fit(self, X, y, sample_weight=None, note=None):
        self.classes_, self.X_, self.weight_, self.note_ = np.unique(y), X, sample_weight, note
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.where(rng.random(300) < 0.3, "rare", "usual")
    return rng.normal(size=(300, 3)) + 2.5 * (y == "rare")[:, None], y


@pytest.mark.parametrize("settings", FuzzyWeightedClassifier.card.cases, ids=str)
@pytest.mark.parametrize("learner", LEARNERS, ids=lambda each: type(each).__name__)
def test_scikit_learn_agrees(learner, settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(FuzzyWeightedClassifier(learner, **settings))


@pytest.mark.parametrize("fuzzy", ["kernel", "linear", "dual_center"])
def test_the_learner_gets_scores_times_weights(data, fuzzy):
    X, y = data
    given = np.random.default_rng(1).integers(0, 3, 300)
    wanted = {"fuzzy": fuzzy, "kernel_width": "median", "neighbor_correction": "prior"}
    for weight in (None, given):
        scores = intuitionistic_fuzzy_scores(X, y, sample_weight=weight, **wanted)
        model = FuzzyWeightedClassifier(Recorder(), **wanted).fit(X, y, sample_weight=weight)
        expected = scores if weight is None else scores * weight
        np.testing.assert_allclose(model.estimator_.weight_, expected, rtol=0, atol=1e-8)
        np.testing.assert_array_equal(model.fuzzy_scores_, scores)
        # Zeros stay zeros, and nothing else becomes one.
        np.testing.assert_array_equal(model.estimator_.weight_ == 0, expected == 0)
    assert model.score_method_ == "exact"
    assert np.isnan(model.kernel_width_) == (fuzzy == "linear")
    assert np.isnan(model.effective_prior_).all()


def test_tiny_scores_are_not_rounded_away():
    X = [[0.0], [1e9], [5e9], [6e9], [5.5e9], [5.6e9]]
    with pytest.warns(ImbkitWarning, match="0.01 or more"):
        model = FuzzyWeightedClassifier(Recorder(), fuzzy="linear").fit(X, [0, 0, 1, 1, 1, 1])
    assert (model.fuzzy_scores_[:2] < 1e-12).all()
    assert (model.estimator_.weight_[:2] > 0).all()


def test_scores_can_be_dropped(data):
    X, y = data
    model = FuzzyWeightedClassifier(GaussianNB(), kernel_width="median").fit(X, y)
    assert model.membership_.shape == model.nonmembership_.shape == (300,)
    model.set_params(store_scores=False).fit(X, y)
    assert not {"fuzzy_scores_", "membership_", "nonmembership_"} & set(vars(model))


def test_frames_reach_the_learner_as_they_are(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abc"))
    model = FuzzyWeightedClassifier(Recorder(), kernel_width="median").fit(frame, y, note="seen")
    assert model.estimator_.X_ is frame
    assert model.estimator_.note_ == "seen"
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(InvalidParameterError, match="'extra'"):
        model.fit(frame, y, extra=1)
    with pytest.raises(InvalidParameterError, match="nothing is split"):
        model.fit(frame, y, groups=y)


def test_methods_are_the_learners(data):
    X, y = data
    model = FuzzyWeightedClassifier(LogisticRegression(), kernel_width="median").fit(X, y)
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        found, expected = getattr(model, name)(X), getattr(model.estimator_, name)(X)
        np.testing.assert_array_equal(found, expected)
    assert not hasattr(FuzzyWeightedClassifier(Recorder()), "predict_proba")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    shipped = deploy(model)
    assert type(shipped) is LogisticRegression
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))


def test_scores_are_made_in_every_fold(data):
    X, y = data
    model = FuzzyWeightedClassifier(GaussianNB(), kernel_width="median")
    assert cross_val_score(model, X, y, cv=3).min() > 0.8
    grid = {"kernel_width": [2.0, 4.0], "estimator__var_smoothing": [1e-9, 1e-2]}
    found = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert found.best_estimator_.fuzzy_scores_.shape == (300,)


def test_sparse_rows_if_the_learner_takes_them(data):
    X, y = data
    model = FuzzyWeightedClassifier(LogisticRegression(), kernel_width="median")
    dense = model.fit(X, y).predict_proba(X)
    thin = clone(model).fit(sparse.csr_array(X), y).predict_proba(sparse.csr_array(X))
    np.testing.assert_allclose(thin, dense, rtol=0, atol=1e-6)
    with pytest.raises(TypeError, match="dense data is required"):
        FuzzyWeightedClassifier(GaussianNB()).fit(sparse.csr_array(X), y)


def test_pipelines(data):
    X, y = data
    plain = make_pipeline(StandardScaler(), LogisticRegression())
    with pytest.raises(InvalidParameterError, match=r"must take sample_weight.*imbkit\.pipeline"):
        FuzzyWeightedClassifier(plain).fit(X, y)
    handing = make_weighted_pipeline(LogisticRegression())
    model = FuzzyWeightedClassifier(handing, kernel_width="median").fit(X, y)
    alone = FuzzyWeightedClassifier(LogisticRegression(), kernel_width="median").fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X), rtol=1e-12)


def test_metadata_routing(data):
    X, y = data
    weight = np.random.default_rng(1).integers(1, 4, 300).astype(float)
    with config_context(enable_metadata_routing=True):
        wants = Recorder().set_fit_request(sample_weight=True, note=True)
        model = FuzzyWeightedClassifier(wants, kernel_width="median")
        model.fit(X, y, sample_weight=weight, note=1)
        expected = model.fuzzy_scores_ * weight
        np.testing.assert_allclose(model.estimator_.weight_, expected, rtol=0, atol=1e-8)
        assert model.estimator_.note_ == 1
        # Weights for the scores alone.
        spurns = Recorder().set_fit_request(sample_weight=False, note=True)
        only = FuzzyWeightedClassifier(spurns, kernel_width="median")
        only.fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(only.fuzzy_scores_, model.fuzzy_scores_)
        np.testing.assert_allclose(only.estimator_.weight_, model.fuzzy_scores_, rtol=0, atol=1e-8)
        # Weights for the learner alone.
        other = FuzzyWeightedClassifier(wants, kernel_width="median")
        other.set_fit_request(sample_weight=False).fit(X, y, sample_weight=weight)
        unweighted = intuitionistic_fuzzy_scores(X, y, kernel_width="median")
        np.testing.assert_array_equal(other.fuzzy_scores_, unweighted)
        np.testing.assert_allclose(other.estimator_.weight_, unweighted * weight, rtol=0, atol=1e-8)
        routed = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            LogisticRegression().set_fit_request(sample_weight=True),
        )
        assert FuzzyWeightedClassifier(routed, kernel_width="median").fit(X, y).predict(X).size


def test_bad_input(data):
    X, y = data
    with pytest.raises(InvalidParameterError, match="must take sample_weight"):
        FuzzyWeightedClassifier(KNeighborsClassifier()).fit(X, y)
    with pytest.raises(DataError, match="weight 0 only for class 'rare'"):
        FuzzyWeightedClassifier(GaussianNB()).fit(X, y, sample_weight=(y == "usual") * 1.0)
    # One row of a class among many of another.
    cloud = np.random.default_rng(0).normal(size=(40, 2))
    labels = np.where(np.arange(40) < 2, "lost", "more")
    with pytest.raises(DataError, match="class 'lost' that lost all.*kernel_width"):
        FuzzyWeightedClassifier(GaussianNB(), kernel_width=4.0).fit(cloud, labels)
    with pytest.raises(ValueError, match="NaN"):
        FuzzyWeightedClassifier(HistGradientBoostingClassifier()).fit(np.where(X > 2, np.nan, X), y)
    with pytest.raises(ValueError, match="kernel_width"):
        FuzzyWeightedClassifier(GaussianNB(), kernel_width=-1).fit(X, y)
