"""Scorers of models whose classes are not sorted equal those of the same model, sorted."""

import pickle

import numpy as np
import pytest
import sklearn
import sklearn.metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import imbkit.metrics as ours
from imbkit.exceptions import DataError
from imbkit.metrics import get_scorer
from imbkit.metrics._scorers import metric_function

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 3))
CODES = np.digitize(X[:, 0] + RNG.logistic(size=240), [0.0, 1.5, 3.0])
STAGES = np.array(["none", "click", "cart", "buy"])
Y = STAGES[CODES]
TWO = (CODES > 1).astype(int)
OF_MANY = (
    "roc_auc",
    "average_precision",
    "brier",
    "log_loss",
    "brier_skill",
    "log_loss_skill",
    "stratified_brier",
    "classwise_calibration_error",
    "predicted_positive_calibration_error",
    "average_precision_skill",
    "partial_roc_auc",
    "h_measure",
    "ks",
    "equal_error_rate",
    "detection_cost_at_fpr_0.2",
)
OF_ORDER = ("rare_log_loss", "rare_brier", "ranked_probability", "macro_mae", "max_mae")


class Unsorted(ClassifierMixin, BaseEstimator):
    """A logistic regression of the places of classes, which keep the order they are given in."""

    def __init__(self, order=()):
        self.order = order

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.array(self.order)
        places = np.array([list(self.order).index(label) for label in y])
        self.model_ = LogisticRegression().fit(X, places, sample_weight)
        return self

    def predict(self, X):
        return self.classes_[self.model_.predict(X)]

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

    def decision_function(self, X):
        return self.model_.decision_function(X)


class Sorted(Unsorted):
    """The same model as scikit-learn's would be: classes and columns sorted."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.stages_, self.columns_ = self.classes_, np.argsort(self.classes_)
        self.classes_ = np.sort(self.classes_)
        return self

    def predict(self, X):
        return self.stages_[self.model_.predict(X)]

    def predict_proba(self, X):
        return self.model_.predict_proba(X)[:, self.columns_]

    def decision_function(self, X):
        return self.model_.decision_function(X)[:, self.columns_]


MODEL = Unsorted(tuple(STAGES.tolist())).fit(X, Y)
SORTED = Sorted(tuple(STAGES.tolist())).fit(X, Y)
PLAIN = LogisticRegression().fit(X, CODES)


@pytest.mark.parametrize("name", OF_MANY)
def test_many_classes(name):
    got = get_scorer(name)(MODEL, X, Y)
    assert got == pytest.approx(get_scorer(name)(SORTED, X, Y), rel=1e-12)
    # Every one of them sees which column is which.
    shuffled = get_scorer(name)(Unsorted(tuple(STAGES[[1, 3, 0, 2]])).fit(X, Y), X, Y)
    assert shuffled == pytest.approx(got, rel=0.02)


@pytest.mark.parametrize("name", OF_ORDER)
def test_metrics_of_ordered_classes_take_the_models_order(name):
    number = {"rare_log_loss": {"pos_label": 3}, "rare_brier": {"pos_label": 3}}.get(name, {})
    expected = get_scorer(name, **number)(PLAIN, X, CODES)
    assert get_scorer(name)(MODEL, X, Y) == pytest.approx(expected, rel=1e-12)


def test_sorted_strings_are_refused_as_before():
    with pytest.raises(DataError, match="labels"):
        get_scorer("ranked_probability")(SORTED, X, Y)


@pytest.mark.parametrize("name", OF_ORDER)
@pytest.mark.parametrize("model", [MODEL, SORTED], ids=["in order", "sorted"])
def test_labels_say_the_order_whatever_the_model_has(name, model):
    expected = get_scorer(name)(PLAIN, X, CODES)
    scorer = get_scorer(name, labels=STAGES.tolist())
    assert scorer(model, X, Y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["brier_skill", "log_loss_skill"])
def test_a_reference_is_in_the_models_order(name):
    shares = [0.4, 0.3, 0.2, 0.1]
    expected = get_scorer(name, reference=shares)(PLAIN, X, CODES)
    assert get_scorer(name, reference=shares)(MODEL, X, Y) == pytest.approx(expected)


@pytest.mark.parametrize("name", [*OF_MANY, *OF_ORDER, "recall_at_fpr_0.1", "lift_0.1", "f1"])
def test_two_classes_with_the_second_label_first(name):
    # The last class is the positive one of metrics of order, 1 that of the others.
    positive = 0 if name in OF_ORDER[:3] else 1
    model = Unsorted((1, 0)).fit(X, TWO)
    plain = LogisticRegression().fit(X, 1 - TWO)
    P = plain.predict_proba(X)[:, 1 - positive]
    function, parameters = metric_function(name)
    if name in ("f1", "macro_mae", "max_mae"):
        expected = function(TWO, 1 - plain.predict(X), **parameters)
    else:
        expected = function(TWO, P, **parameters | ({} if positive else {"pos_label": 0}))
    assert abs(get_scorer(name)(model, X, TWO)) == pytest.approx(abs(expected), rel=1e-9)


@pytest.mark.parametrize("name", ["recall_at_fpr_0.1", "rare_log_loss", "ks", "brier"])
@pytest.mark.parametrize("positive", ["a", "z"])
def test_a_positive_label_of_two(name, positive):
    y = np.array(["z", "a"])[TWO]
    model = Unsorted(("z", "a")).fit(X, y)
    P = model.predict_proba(X)[:, 0 if positive == "z" else 1]
    function, parameters = metric_function(name)
    expected = function(y == positive, P, **{**parameters, "pos_label": True})
    assert abs(get_scorer(name, pos_label=positive)(model, X, y)) == pytest.approx(expected)


def test_a_positive_label_that_is_no_class_is_refused():
    y = np.array(["z", "a"])[TWO]
    with pytest.raises(DataError, match="pos_label"):
        get_scorer("ks", pos_label="b")(Unsorted(("z", "a")).fit(X, y), X, y)


def test_through_a_pipeline_and_a_search():
    model = make_pipeline(StandardScaler(), Unsorted(tuple(STAGES.tolist())))
    search = GridSearchCV(model, {}, scoring=get_scorer("log_loss"), cv=3).fit(X, Y)
    plain = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {},
        scoring="neg_log_loss",
        cv=search.cv,
    ).fit(X, CODES)
    assert search.best_score_ == pytest.approx(plain.best_score_)
    assert search.score(X, Y) == pytest.approx(plain.score(X, CODES))
    assert get_scorer("log_loss")(search, X, Y) == pytest.approx(plain.score(X, CODES))


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_beside_a_scorer_that_shares_its_responses(first):
    scorers = {"ours": get_scorer("log_loss"), "theirs": sklearn.metrics.get_scorer("neg_log_loss")}
    if first == "theirs":
        scorers = dict(reversed(scorers.items()))
    raw = sklearn.metrics.get_scorer("neg_log_loss")(MODEL, X, Y)
    got = sklearn.metrics.check_scoring(MODEL, scorers)(MODEL, X, Y)
    assert got["ours"] > got["theirs"] + 0.3
    assert got["ours"] == pytest.approx(get_scorer("log_loss")(MODEL, X, Y))
    assert got["theirs"] == pytest.approx(raw)


def test_pickles_and_routes():
    scorer = pickle.loads(pickle.dumps(get_scorer("log_loss_skill")))
    assert scorer(MODEL, X, Y) == get_scorer("log_loss_skill")(MODEL, X, Y)
    weight = RNG.integers(1, 4, size=240).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_validate(
            Unsorted(tuple(STAGES.tolist())).set_fit_request(sample_weight=False),
            X,
            Y,
            cv=3,
            scoring=scorer.set_score_request(sample_weight=True),
            params={"sample_weight": weight},
            return_estimator=True,
            return_indices=True,
        )
    test = found["indices"]["test"][0]
    P = found["estimator"][0].predict_proba(X[test])
    expected = ours.log_loss_skill_score(
        Y[test], P, labels=STAGES, pos_label=None, sample_weight=weight[test]
    )
    assert found["test_score"][0] == pytest.approx(expected)
    assert get_scorer("log_loss")._accept_sample_weight()


@pytest.mark.parametrize("name", OF_ORDER[:3])
def test_the_last_of_two_stages_needs_no_positive_label(name):
    y = np.array(["none", "buy"])[TWO]
    model, plain = Unsorted(("none", "buy")).fit(X, y), LogisticRegression().fit(X, TWO)
    assert get_scorer(name)(model, X, y) == pytest.approx(get_scorer(name)(plain, X, TWO))
