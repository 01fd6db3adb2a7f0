"""The label of least expected distance: known cases, unseen labels, and what is refused."""

import itertools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from imbkit._core.deploy import deploy
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.thresholds import FrechetMeanClassifier


class Given(ClassifierMixin, BaseEstimator):
    """Take the columns for the probabilities of the classes."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X, dtype=float)


def simplex(n_rows, n_classes, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.5), size=n_rows)


def fitted(n_classes, metric="ordinal", *, classes=None, **more):
    """The rule over given probabilities of so many classes."""
    y = np.arange(n_classes) if classes is None else np.asarray(classes)
    return FrechetMeanClassifier(Given(), metric, **more).fit(np.eye(n_classes), y)


@pytest.fixture
def data():
    return make_classification(
        300, n_features=6, n_informative=5, n_redundant=0, n_classes=4, weights=[0.6, 0.2, 0.1],
        random_state=0,
    )  # fmt: skip


# --- known cases ---------------------------------------------------------------------------


@given(st.integers(1, 6), st.sampled_from([0.5, 1.0, 2.0, 3.0]), st.integers(0, 20))
def test_it_is_the_least_of_all_expected_distances(n_more, power, seed):
    n_classes = n_more + 1
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_classes + 3, 2))
    matrix = np.linalg.norm(points[:, None] - points, axis=2)
    P = simplex(50, n_classes, seed)
    model = fitted(n_classes, matrix, labels=np.arange(n_classes + 3), power=power)
    costs = [
        [sum(p[i] * matrix[i, j] ** power for i in range(n_classes)) for j in range(len(points))]
        for p in P
    ]
    np.testing.assert_allclose(model.decision_function(P), -np.array(costs), rtol=1e-10)
    np.testing.assert_array_equal(model.predict(P), np.argmin(costs, axis=1))


def test_discrete_is_the_most_probable_class():
    P = simplex(500, 5)
    np.testing.assert_array_equal(fitted(5, "discrete").predict(P), P.argmax(axis=1))


def test_power_two_is_next_to_the_mean_and_power_one_is_the_median():
    P, places = simplex(500, 6), np.arange(6)
    mean = P @ places
    nearest = np.abs(mean[:, None] - places).argmin(axis=1)
    np.testing.assert_array_equal(fitted(6).predict(P), nearest)
    median = (np.cumsum(P, axis=1) >= 0.5).argmax(axis=1)
    np.testing.assert_array_equal(fitted(6, power=1.0).predict(P), median)


def test_numeric_uses_the_values():
    P = simplex(500, 3)
    values = np.array([0, 1, 10])
    model = fitted(3, "numeric", classes=values)
    nearest = np.abs((P @ values)[:, None] - values).argmin(axis=1)
    np.testing.assert_array_equal(model.predict(P), values[nearest])


def test_the_order_of_the_labels_matters_to_ties_alone():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(4, 3))
    matrix = np.linalg.norm(points[:, None] - points, axis=2)
    P = simplex(300, 3)
    expected = fitted(3, matrix, labels=[0, 1, 2, 3]).predict(P)
    for order in itertools.permutations(range(4)):
        order = list(order)
        model = fitted(3, matrix[np.ix_(order, order)], labels=order)
        np.testing.assert_array_equal(model.predict(P), expected)


def test_of_equal_sums_the_first_label_wins():
    even = np.full((1, 3), 1 / 3)
    assert fitted(3, "discrete").predict(even) == [0]
    assert fitted(3, "discrete", labels=[2, 1, 0]).predict(even) == [2]


@pytest.mark.filterwarnings("ignore:.*triangle inequality")
def test_sums_that_differ_by_rounding_are_equal():
    matrix = 10.0 * (np.ones((6, 6)) - np.eye(6))
    matrix[:, 4] = matrix[4] = [1, 1, 0, 0, 0, 10]
    matrix[:, 5] = matrix[5] = [0, 0, 1, 0, 10, 0]
    P = np.array([[0.1, 0.2, 0.3, 0.4]])
    model = fitted(4, matrix, labels=np.arange(6))
    sums = -model.decision_function(P)[0, 4:]
    assert sums[0] > sums[1] == pytest.approx(sums[0], rel=1e-15)
    assert model.predict(P) == [4]


# --- labels without rows -------------------------------------------------------------------


def test_the_middle_of_a_path_is_predicted_unseen():
    model = fitted(2, classes=["low", "top"], labels=["low", "mid", "top"])
    P = np.array([[0.9, 0.1], [0.5, 0.5], [0.26, 0.74], [0.2, 0.8]])
    assert model.predict(P).tolist() == ["low", "mid", "mid", "top"]
    assert model.classes_.tolist() == ["low", "top"]
    assert model.predict_proba(P).shape == (4, 2)
    assert model.decision_function(P).shape == (4, 3)
    assert model.score(P, ["low", "mid", "mid", "low"]) == 0.75
    assert model.reachable_labels().tolist() == ["low", "mid", "top"]
    median = fitted(2, classes=["low", "top"], labels=["low", "mid", "top"], power=1.0)
    assert median.reachable_labels().tolist() == ["low", "top"]


@pytest.mark.parametrize("power", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("seed", range(6))
def test_reachable_labels_are_those_that_many_draws_meet(seed, power):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(9, 2))
    matrix = np.linalg.norm(points[:, None] - points, axis=2)
    model = fitted(3, matrix, labels=np.arange(9), power=power)
    reachable = set(model.reachable_labels().tolist())
    flat, near = rng.dirichlet(np.ones(3), 40_000), rng.dirichlet(np.full(3, 0.3), 40_000)
    met = np.unique(model.predict(np.vstack((flat, near))))
    assert set(met.tolist()) <= reachable
    assert reachable <= set(met.tolist())


@pytest.mark.parametrize("power", [2.0, 6.0])
def test_a_long_scale_between_two_ends_is_reachable(power):
    model = fitted(3, classes=[3, 5, 30], labels=np.arange(31), power=power)
    assert model.reachable_labels().tolist() == list(range(3, 31))


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_the_distances_does_not_matter(unit):
    matrix = unit * np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    model = fitted(2, matrix, classes=[0, 4], labels=np.arange(5))
    assert model.reachable_labels().tolist() == [0, 1, 2, 3, 4]


def test_the_second_of_two_labels_in_one_place_is_not_reachable():
    matrix = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    model = fitted(3, matrix)
    assert model.reachable_labels().tolist() == [0, 2]
    assert set(model.predict(simplex(200, 3)).tolist()) == {0, 2}
    assert fitted(2, "discrete", labels=[0, 7, 1]).reachable_labels().tolist() == [0, 1]


def test_trees():
    tree = {"smurf": "dos", "neptune": "dos", "dos": "attack", "scan": "attack", "attack": "all",
            "normal": "all"}  # fmt: skip
    model = fitted(3, "tree", classes=["normal", "scan", "smurf"], tree=tree)
    assert model.labels_.tolist() == ["neptune", "normal", "scan", "smurf"]
    paths = ["normal", "attack/scan", "attack/dos/smurf"]
    other = fitted(3, "tree", classes=paths)
    assert other.labels_.tolist() == sorted(paths)
    # An attack of some kind is more probable than none, though no kind is.
    P = np.array([[0.4, 0.3, 0.3]])
    assert model.predict(P).tolist() == ["scan"]
    inner = fitted(
        3, "tree", classes=["normal", "scan", "smurf"], tree=tree, labels=[*model.labels_, "attack"]
    )
    assert inner.predict([[0.2, 0.4, 0.4]]).tolist() == ["attack"]


# --- around an estimator -------------------------------------------------------------------


def test_the_prior_is_corrected_first(data):
    X, y = data
    prior = {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4}
    model = FrechetMeanClassifier(LogisticRegression(), target_prior=prior).fit(X, y)
    shifted = LogisticRegression().fit(X, y).predict_proba(X)
    shifted *= np.array(list(prior.values())) / (np.bincount(y) / y.size)
    shifted /= shifted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), shifted, rtol=1e-10)
    expected = np.abs((shifted @ np.arange(4))[:, None] - np.arange(4)).argmin(axis=1)
    np.testing.assert_array_equal(model.predict(X), expected)
    balanced = LogisticRegression(class_weight="balanced")
    same = FrechetMeanClassifier(balanced, target_prior="uniform").fit(X, y)
    np.testing.assert_allclose(
        same.predict_proba(X), balanced.fit(X, y).predict_proba(X), rtol=1e-10
    )
    made_up = make_sampling_pipeline(SMOTE(random_state=0), LogisticRegression())
    with pytest.raises(InvalidParameterError, match="must be known what class shares"):
        FrechetMeanClassifier(made_up, target_prior="uniform").fit(X, y)


def test_pipelines_frames_searches_and_scorers(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcdef"))
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    model = FrechetMeanClassifier(inner, labels=[0, 1, 2, 3, 4]).fit(frame, y)
    assert model.feature_names_in_.tolist() == list("abcdef")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(frame), model.predict(frame))
    scoring = ["accuracy", "balanced_accuracy", "neg_log_loss", "roc_auc_ovr", "f1_macro"]
    found = cross_validate(model, frame, y, cv=3, scoring=scoring)
    assert all(np.isfinite(found[f"test_{name}"]).all() for name in scoring)
    search = GridSearchCV(model, {"power": [1.0, 2.0], "metric": ["ordinal", "discrete"]}, cv=2)
    assert search.fit(frame, y).best_score_ > 0.3


def test_weights_reach_the_estimator(data):
    X, y = data
    weight = np.arange(y.size) % 3 + 1.0
    expected = LogisticRegression().fit(X, y, sample_weight=weight).predict_proba(X)
    model = FrechetMeanClassifier(LogisticRegression()).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    with sklearn.config_context(enable_metadata_routing=True):
        for wanted, other in (
            (True, expected),
            (False, LogisticRegression().fit(X, y).predict_proba(X)),
        ):
            inner = LogisticRegression().set_fit_request(sample_weight=wanted)
            model = FrechetMeanClassifier(inner).fit(X, y, sample_weight=weight)
            np.testing.assert_array_equal(model.predict_proba(X), other)


def test_a_fitted_estimator_can_be_taken_as_it_is(data):
    X, y = data
    inner = LogisticRegression().fit(X, y)
    model = FrechetMeanClassifier(FrozenEstimator(inner)).fit(X[:20], y[:20])
    np.testing.assert_array_equal(model.predict_proba(X), inner.predict_proba(X))


def test_text_in_alphabetical_order_is_a_warning():
    with pytest.warns(ImbkitWarning, match="'high', 'low', 'medium', which are taken"):
        fitted(3, classes=["low", "medium", "high"])


# --- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"labels": [0, 1]}, "every class of the target"),
        ({"labels": ["0", "1", "2"]}, "every class of the target"),
        ({"labels": [0, 1, 2, 2]}, "none of them twice"),
        ({"labels": [[0, 1, 2]]}, "none of them twice"),
        ({"metric": np.zeros((2, 2))}, "one row and one column"),
        ({"metric": [[0, 1, 2], [1, 0, 1], [2, 5, 0]]}, "both ways"),
        ({"metric": "tree"}, "must be paths"),
        ({"metric": "tree", "tree": {0: 9, 1: 9}}, "must be a node"),
        ({"metric": np.ones((3, 3)) * 1e200 - np.eye(3) * 1e200}, "must be finite"),
    ],
)
def test_bad_labels_and_metrics(settings, text):
    with pytest.raises(DataError, match=text):
        fitted(3, **settings)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"tree": {0: 1}}, "a tree needs metric='tree'"),
        ({"metric": "nosuch"}, "metric"),
        ({"power": 0.0}, "power"),
        ({"target_prior": [0.5, 0.5]}, "target_prior"),
        ({"target_prior": [0.5, 0.5, 0.0]}, "target_prior"),
        ({"target_prior": [0.5, 0.5, 0.5]}, "target_prior"),
    ],
)
def test_bad_parameters(settings, text):
    with pytest.raises(ValueError, match=text):
        FrechetMeanClassifier(GaussianNB(), **settings).fit(np.eye(3), [0, 1, 2])


def test_estimators_and_targets_that_do_not_serve(data):
    X, y = data
    with pytest.raises(InvalidParameterError, match="predict_proba"):
        FrechetMeanClassifier(LinearSVC()).fit(X, y)
    with pytest.raises(DataError, match="two classes"):
        FrechetMeanClassifier(GaussianNB()).fit(X, np.zeros(y.size))
    with pytest.raises(DataError, match="one label a row"):
        FrechetMeanClassifier(GaussianNB()).fit(X, np.eye(4, dtype=int)[y])
    with pytest.raises(InvalidParameterError, match="groups"):
        FrechetMeanClassifier(GaussianNB()).fit(X, y, groups=y)
    with pytest.raises(InvalidParameterError, match="expected distance"):
        deploy(FrechetMeanClassifier(GaussianNB()).fit(X, y))


INNER = [
    LogisticRegression(C=0.1),
    DecisionTreeClassifier(random_state=0),
    HistGradientBoostingClassifier(max_iter=5),
    GaussianNB(),
]


@pytest.mark.parametrize("metric", ["ordinal", "discrete"])
@pytest.mark.parametrize("inner", INNER, ids=[type(each).__name__ for each in INNER])
def test_estimator_checks(inner, metric):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = FrechetMeanClassifier(inner, metric)
        results = check_estimator(model, on_fail=None, on_skip=None)
    failed = {each["check_name"] for each in results if each["status"] == "failed"}
    assert failed <= (set() if metric == "discrete" else set(model.card.known_failures))
