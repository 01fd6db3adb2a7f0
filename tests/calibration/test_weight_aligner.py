"""Weight alignment: what each mode makes of the norms, and what that does to rare classes."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.metrics import recall_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from imbkit._core.deploy import deploy
from imbkit.calibration import TauNormClassifier, WeightAligner
from imbkit.calibration._linear_head import learned_scales
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

LINEAR = [
    LogisticRegression(C=0.1),
    LinearSVC(random_state=0),
    RidgeClassifier(),
    SGDClassifier(random_state=0),
    LinearDiscriminantAnalysis(),
]
names = [type(each).__name__ for each in LINEAR]


def long_tail(sizes, seed=0, spread=1.5):
    """Normal classes around the corners of a simplex, which lie equally far from each other."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(sizes)), sizes)
    return rng.normal(size=(y.size, len(sizes))) + spread * np.eye(len(sizes))[y], y


@pytest.fixture(scope="module")
def data():
    return long_tail([2000, 1000, 200, 60, 20])


def norms(model):
    return np.linalg.norm(model.coef_, axis=1)


@pytest.mark.parametrize("inner", LINEAR, ids=names)
def test_mean_norms_are_equal_after_group(data, inner):
    X, y = data
    plain = clone(inner).fit(X, y)
    head = [int(each) for each in np.argsort(-norms(plain))[:2]]
    model = WeightAligner(inner, head_classes=head).fit(X, y)
    inside = np.isin(np.arange(5), head)
    assert norms(model)[~inside].mean() == pytest.approx(norms(model)[inside].mean(), rel=1e-12)
    np.testing.assert_allclose(model.coef_[inside], plain.coef_[inside], rtol=1e-12)
    np.testing.assert_array_equal(model.intercept_, plain.intercept_)
    np.testing.assert_allclose(
        model.coef_[~inside] / plain.coef_[~inside], model.scales_[~inside][0], rtol=1e-10
    )


def test_the_order_within_a_group_stays(data):
    X, y = data
    model = WeightAligner(LogisticRegression(), head_classes=[0, 1], bias="zero").fit(X, y)
    before = X @ LogisticRegression().fit(X, y).coef_.T
    after = model.decision_function(X)
    for group in ([0, 1], [2, 3, 4]):
        np.testing.assert_array_equal(before[:, group].argmax(1), after[:, group].argmax(1))
    assert (before.argmax(1) != after.argmax(1)).any()


@pytest.mark.parametrize("mode", ["group", "per_class"])
def test_aligning_twice_is_aligning_once(data, mode):
    X, y = data
    once = WeightAligner(LogisticRegression(), mode).fit(X, y)
    twice = WeightAligner(FrozenEstimator(once.head_), mode).fit(X, y)
    np.testing.assert_allclose(twice.coef_, once.coef_, rtol=1e-12)
    np.testing.assert_allclose(twice.scales_, 1.0, rtol=1e-12)


@pytest.mark.parametrize("mode", ["group", "per_class", "learned"])
def test_balanced_data_change_nothing_to_speak_of(mode):
    X, y = long_tail([2000] * 4)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "WeightAligner: with mode='group'", ImbkitWarning)
        model = WeightAligner(LogisticRegression(), mode).fit(X, y)
    np.testing.assert_allclose(model.scales_, 1.0, atol=0.05)
    plain = LogisticRegression().fit(X, y)
    assert np.mean(plain.predict(X) != model.predict(X)) < 0.05


@pytest.mark.parametrize("mode", ["group", "per_class", "learned"])
def test_recall_of_the_tail_rises(mode):
    X, y = long_tail([2000, 1000, 200, 60, 20], spread=3.0)
    Z, t = long_tail([1000] * 5, seed=1, spread=3.0)
    plain = LogisticRegression(C=0.1).fit(X, y)
    model = WeightAligner(LogisticRegression(C=0.1), mode).fit(X, y)
    tail = [recall_score(t, each.predict(Z), average=None)[2:].mean() for each in (plain, model)]
    assert tail[1] > tail[0] + 0.02


def test_per_class_is_tau_one_rescaled(data):
    X, y = data
    even = WeightAligner(LogisticRegression(), "per_class", bias="zero").fit(X, y)
    unit = TauNormClassifier(LogisticRegression(), 1.0).fit(X, y)
    mean = np.linalg.norm(LogisticRegression().fit(X, y).coef_, axis=1).mean()
    np.testing.assert_allclose(even.coef_, mean * unit.coef_, rtol=1e-10)
    np.testing.assert_array_equal(even.predict(X), unit.predict(X))


def test_rare_classes_are_not_shortened():
    X, y = long_tail([300, 200, 100])
    plain = LogisticRegression().fit(X, y)
    short = int(norms(plain).argmin())
    with pytest.warns(ImbkitWarning, match="Nothing is scaled"):
        model = WeightAligner(LogisticRegression(), head_classes=[short]).fit(X, y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)


def test_learned_factors_are_those_of_the_training_rows(data):
    X, y = data
    weight = np.random.default_rng(0).integers(1, 4, y.size).astype(float)
    model = WeightAligner(LogisticRegression(), "learned").fit(X, y, sample_weight=weight)
    plain = LogisticRegression().fit(X, y, sample_weight=weight)
    scales, _ = learned_scales(X @ plain.coef_.T, plain.intercept_, y, weight)
    np.testing.assert_allclose(model.scales_, scales, rtol=1e-8)
    np.testing.assert_allclose(model.coef_, plain.coef_ * scales[:, None], rtol=1e-8)


def test_learned_factors_of_separable_rows_are_a_warning():
    X, y = long_tail([30, 20, 10], spread=50.0)
    with pytest.warns(ImbkitWarning, match="factors between 0 and 100"):
        model = WeightAligner(LinearSVC(C=0.01), "learned").fit(X, y)
    assert np.isfinite(model.coef_).all()


def test_the_head_holds_half_of_the_weight(data):
    X, y = data
    assert WeightAligner(LogisticRegression()).fit(X, y).head_classes_.tolist() == [0]
    weight = np.where(y == 4, 1000.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = WeightAligner(LogisticRegression()).fit(X, y, sample_weight=weight)
    assert model.head_classes_.tolist() == [4]


def test_two_classes_change_by_the_intercept_alone():
    X, y = make_classification(300, weights=[0.9], random_state=0)
    plain = LogisticRegression().fit(X, y)
    for mode in ("group", "per_class"):
        with pytest.warns(ImbkitWarning, match="three classes"):
            model = WeightAligner(LogisticRegression(), mode).fit(X, y)
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-12)
        np.testing.assert_array_equal(model.predict(X), plain.predict(X))


def test_a_pipeline_ships_with_its_transformers(data):
    X, y = data
    labels = np.array(["e", "d", "c", "b", "a"])[y]
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    model = WeightAligner(inner, "learned").fit(X, labels)
    shipped = deploy(pickle.loads(pickle.dumps(model)))
    assert [type(step) for _, step in shipped.steps] == [StandardScaler, LogisticRegression]
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))
    np.testing.assert_array_equal(shipped.predict_proba(X), model.predict_proba(X))


def test_a_search_over_modes(data):
    X, y = data
    grid = {"mode": ["per_class", "learned"], "bias": ["keep", "prior"]}
    search = GridSearchCV(
        WeightAligner(LogisticRegression()), grid, cv=2, scoring="balanced_accuracy"
    )
    assert search.fit(X, y).best_score_ > 0.5


def test_routing(data):
    X, y = data
    weight = np.arange(y.size) % 3 + 1.0
    expected = WeightAligner(LogisticRegression(), "learned").fit(X, y, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        both = WeightAligner(inner, "learned").fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(both.coef_, expected.coef_, rtol=1e-10)
        inner = LogisticRegression().set_fit_request(sample_weight=False)
        own = WeightAligner(inner, "learned").fit(X, y, sample_weight=weight)
    plain = LogisticRegression().fit(X, y)
    scales, _ = learned_scales(X @ plain.coef_.T, plain.intercept_, y, weight)
    np.testing.assert_allclose(own.scales_, scales, rtol=1e-8)


@pytest.mark.parametrize("head", [[], [0, 1, 2, 3, 4], [7], [[0]]])
def test_bad_head_classes(data, head):
    with pytest.raises(DataError, match="head_classes must be some"):
        WeightAligner(LogisticRegression(), head_classes=head).fit(*data)


def test_bad_input(data):
    X, y = data
    with pytest.raises(InvalidParameterError, match="linear classifier"):
        WeightAligner(DecisionTreeClassifier()).fit(X, y)
    with pytest.raises(DataError, match="two classes"):
        WeightAligner(LogisticRegression()).fit(X, np.zeros(y.size))
    with pytest.raises(InvalidParameterError, match="groups"):
        WeightAligner(LogisticRegression()).fit(X, y, groups=y)
    fitted = LogisticRegression().fit(X[y < 4], y[y < 4])
    with pytest.raises(DataError, match="know every class"):
        WeightAligner(FrozenEstimator(fitted)).fit(X, y)
    fitted = LogisticRegression().fit(X, y)
    with pytest.raises(DataError, match="rows of positive weight"):
        WeightAligner(FrozenEstimator(fitted), "learned").fit(X[y < 4], y[y < 4])


@pytest.mark.parametrize("mode", ["group", "learned"])
@pytest.mark.parametrize("inner", LINEAR, ids=names)
def test_estimator_checks(inner, mode):
    exact = isinstance(inner, LogisticRegression | RidgeClassifier)
    permitted = {f"check_sample_weight_equivalence_on_{k}_data" for k in ("dense", "sparse")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(WeightAligner(inner, mode), on_fail=None, on_skip=None)
    failed = {each["check_name"] for each in results if each["status"] == "failed"}
    assert failed <= (set() if exact else permitted)
