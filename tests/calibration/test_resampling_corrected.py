"""Probabilities after resampling: exact where it can be, calibrated where it cannot."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
)
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import TomekLinks
from scipy import sparse
from scipy.special import logit
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from imbkit._core.deploy import deploy
from imbkit._core.prior import class_shares, shift
from imbkit.calibration import (
    PriorShiftCorrector,
    ResamplingCorrectedClassifier,
    SigmoidCalibrator,
)
from imbkit.calibration._correction import Shift, is_certain
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.pipeline import make_pipeline as make_carrying_pipeline
from imbkit.sampling import SMOTE, RandomOverSampler, RandomUnderSampler

# As good as no penalty; of an infinite C scikit-learn 1.8.0 warns.
FREE = 1e10


@pytest.fixture(scope="module")
def data():
    """3,000 overlapping rows, 8 % positive, from a logistic model."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    p = 1 / (1 + np.exp(-(X @ [1.0, -0.7, 0.4, 0.0] - 3.0)))
    return X, (rng.random(3000) < p).astype(int)


@pytest.fixture(scope="module")
def three():
    return make_classification(
        900, n_classes=3, n_informative=4, weights=[0.7, 0.2, 0.1], class_sep=0.7, random_state=0
    )


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def corrected(estimator, data, **parameters):
    return ResamplingCorrectedClassifier(estimator, **parameters).fit(*data)


def log_odds(P):
    return np.log(P[:, 1]) - np.log(P[:, 0])


under = make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression())
over = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())

# Exact corrections


def test_under_sampling_shifts_the_log_odds_by_log_beta(data):
    X, y = data
    model = corrected(under, data)
    beta = y.sum() / (y == 0).sum()  # balanced: share of negatives that is kept
    raw = model.estimator_.predict_proba(X)
    moved = log_odds(model.predict_proba(X)) - log_odds(raw)
    np.testing.assert_allclose(moved, np.log(beta), rtol=0, atol=1e-12)
    assert model.correction_ == "prior"
    assert model.calibrator_ is None
    assert model.how_.endswith("which is all that training changed.")
    np.testing.assert_allclose(model.source_prior_, [0.5, 0.5])
    np.testing.assert_allclose(model.target_prior_, [1 - y.mean(), y.mean()])


@pytest.mark.parametrize(
    ("estimator", "factor"),
    [
        (over, None),
        (LogisticRegression(class_weight="balanced"), None),
        (LogisticRegression(class_weight={1: 5.0}), 5.0),
        (LogisticRegression(class_weight={0: 0.1, 1: 2.0}), 20.0),
        (make_pipeline(StandardScaler(), HistGradientBoostingClassifier(
            class_weight={1: 5.0}, max_iter=5)), 5.0),
    ],
)  # fmt: skip
def test_weights_shift_the_log_odds_by_their_logarithm(estimator, factor, data):
    X, y = data
    model = corrected(estimator, data)
    r = (y == 0).sum() / y.sum() if factor is None else factor
    moved = log_odds(model.predict_proba(X)) - log_odds(model.estimator_.predict_proba(X))
    np.testing.assert_allclose(moved, -np.log(r), rtol=0, atol=1e-12)
    assert model.correction_ == "prior"


@pytest.mark.parametrize("estimator", [under, over, LogisticRegression(class_weight="balanced")])
def test_ranking_stays_and_the_mean_is_the_prevalence(estimator, data):
    X, y = data
    model = corrected(estimator, data)
    raw, P = model.estimator_.predict_proba(X)[:, 1], model.predict_proba(X)[:, 1]
    assert roc_auc_score(y, P) == pytest.approx(roc_auc_score(y, raw), abs=1e-12)
    assert raw.mean() > 0.25
    assert P.mean() == pytest.approx(y.mean(), rel=0.15)
    assert log_loss(y, P) < 0.7 * log_loss(y, raw)
    np.testing.assert_array_equal(model.predict(X), (P > 0.5).astype(int))


def test_a_plain_logistic_regression_is_what_comes_out(data):
    X, y = data
    free = {"C": FREE, "tol": 1e-10, "max_iter": 1000}
    plain = LogisticRegression(**free).fit(X, y)
    model = corrected(LogisticRegression(class_weight={1: 3.0}, **free), data)
    # Weights change the estimate, too, but by far less than the shift that is undone.
    gap = np.abs(log_odds(model.predict_proba(X)) - log_odds(plain.predict_proba(X)))
    assert gap.mean() < 0.1 * np.log(3)


def test_the_way_back_is_the_way_there(data):
    X, _ = data
    model = corrected(under, data)
    back = PriorShiftCorrector(model.target_prior_, model.source_prior_)
    back.fit([0.1, 0.9], [0, 1])
    raw = model.estimator_.predict_proba(X)
    np.testing.assert_allclose(back.predict_proba(model.predict_proba(X)), raw, rtol=1e-12)


@pytest.mark.parametrize(
    ("estimator", "source"),
    [
        (make_pipeline(RandomUnderSampler(random_state=0), GaussianNB()), np.full(3, 1 / 3)),
        (LogisticRegression(class_weight="balanced", max_iter=500), np.full(3, 1 / 3)),
        (GaussianNB(priors=[0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5])),
    ],
)
def test_many_classes(estimator, source, three):
    X, y = three
    model = corrected(estimator, three)
    natural = class_shares(y, [0, 1, 2])
    raw = model.estimator_.predict_proba(X)
    product = raw * natural / source
    expected = product / product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-11)
    assert model.correction_ == "prior"
    np.testing.assert_array_equal(model.predict(X), expected.argmax(axis=1))


def test_naive_bayes_with_priors_becomes_the_one_without(three):
    X, y = three
    model = corrected(GaussianNB(priors=[0.2, 0.3, 0.5]), three)
    plain = GaussianNB().fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(X), rtol=1e-9)


def test_text_labels_and_frames(data):
    X, y = data
    table = pd.DataFrame(X, columns=list("abcd"))
    labels = np.where(y == 1, "fraud", "other")
    weighted = LogisticRegression(class_weight={"fraud": 5.0})
    model = corrected(weighted, (table, labels), target_prior={"fraud": 0.5, "other": 0.5})
    assert model.classes_.tolist() == ["fraud", "other"]
    assert model.feature_names_in_.tolist() == list("abcd")
    assert model.n_features_in_ == 4
    assert set(model.predict(table)) == {"fraud", "other"}
    assert model.predict_proba(table)[:, 0].mean() > 0.3


def test_sparse_rows(data):
    X, y = data
    model = corrected(over, (sparse.csr_matrix(X), y))
    np.testing.assert_allclose(
        model.predict_proba(sparse.csr_matrix(X)), model.predict_proba(sparse.csc_matrix(X))
    )


# Nothing to do, and what was asked for


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), DecisionTreeClassifier(), RandomForestClassifier(5)]
)
def test_an_untouched_learner_is_left_alone(estimator, data):
    X, _ = data
    model = corrected(estimator, data)
    assert model.correction_ == "none"
    assert "are the same" in model.how_
    np.testing.assert_array_equal(model.predict_proba(X), model.estimator_.predict_proba(X))
    assert deploy(model) is model.estimator_


def test_correction_none_and_given_priors(data):
    X, _ = data
    none = corrected(under, data, correction="none")
    np.testing.assert_array_equal(none.predict_proba(X), none.estimator_.predict_proba(X))
    assert none.correction_ == "none"
    assert none.how_ == "Left as they are, as asked."
    target = corrected(under, data, target_prior="uniform")
    assert target.correction_ == "none"
    given = corrected(LogisticRegression(), data, source_prior=[0.5, 0.5], target_prior=[0.9, 0.1])
    expected = shift(given.estimator_.predict_proba(X), np.array([1.8, 0.2]))
    np.testing.assert_array_equal(given.predict_proba(X), expected)
    assert given.correction_ == "prior"


def test_another_base_rate_than_the_table_s(data):
    X, _ = data
    natural = corrected(under, data)
    rare = corrected(under, data, target_prior=[0.99, 0.01])
    ratio = rare.target_prior_ / natural.target_prior_
    expected = shift(natural.predict_proba(X), ratio)
    np.testing.assert_allclose(rare.predict_proba(X), expected, rtol=1e-12)
    smote = make_pipeline(SMOTE(random_state=0), LogisticRegression())
    first, second = (corrected(smote, data, target_prior=t) for t in (None, [0.99, 0.01]))
    expected = shift(first.predict_proba(X), second.target_prior_ / first.target_prior_)
    np.testing.assert_allclose(second.predict_proba(X), expected, rtol=1e-12)


# Calibrations


@pytest.mark.parametrize("sampler", [SMOTE(random_state=0), TomekLinks()])
def test_other_samplers_are_calibrated_on_untouched_rows(sampler, data):
    X, y = data
    pipe = make_pipeline(sampler, LogisticRegression())
    model = corrected(pipe, data)
    assert model.correction_ == "calibrated"
    assert isinstance(model.calibrator_, SigmoidCalibrator)
    assert "SigmoidCalibrator on out-of-fold rows, because training changed more" in model.how_
    assert model.source_prior_ is None
    # The same out-of-fold probabilities by scikit-learn, whose folds resample for themselves.
    P = cross_val_predict(pipe, X, y, cv=5, method="predict_proba")
    twin = SigmoidCalibrator().fit(P, y)
    expected = twin.predict_proba(model.estimator_.predict_proba(X))
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-10)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.05)


def test_a_calibration_that_is_asked_for_follows_the_correction(data):
    X, y = data
    model = corrected(under, data, calibration="temperature")
    assert model.correction_ == "calibrated"
    assert "as asked" in model.how_
    folds = np.zeros((y.size, 2))
    natural = class_shares(y, [0, 1])
    for train, test in model_splits(X, y):
        fitted = clone(under).fit(X[train], y[train])
        folds[test] = shift(fitted.predict_proba(X[test]), natural / 0.5)
    twin = clone(model.calibrator_).fit(folds, y)
    before = shift(model.estimator_.predict_proba(X), natural / 0.5)
    np.testing.assert_allclose(model.predict_proba(X), twin.predict_proba(before), rtol=1e-6)


def model_splits(X, y):
    return list(sklearn.model_selection.StratifiedKFold(5).split(X, y))


@pytest.mark.parametrize("calibration", ["sigmoid", "beta", SigmoidCalibrator(balanced=True)])
def test_calibrators_by_name_and_as_objects(calibration, data):
    X, y = data
    model = corrected(over, data, calibration=calibration, cv=3)
    assert model.correction_ == "calibrated"
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.1)
    if not isinstance(calibration, str):
        assert model.calibrator_ is not calibration
        assert not hasattr(calibration, "classes_")


def test_prefit_and_hold_out(data):
    X, y = data
    smote = make_pipeline(SMOTE(random_state=0), LogisticRegression())
    fitted = clone(smote).fit(X[:2000], y[:2000])
    model = ResamplingCorrectedClassifier(fitted, cv="prefit").fit(X[2000:], y[2000:])
    assert model.estimator_ is fitted
    assert "on the rows given, because the rows that" in model.how_
    twin = SigmoidCalibrator().fit(fitted.predict_proba(X[2000:]), y[2000:])
    expected = twin.predict_proba(fitted.predict_proba(X))
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    given = ResamplingCorrectedClassifier(fitted, cv="prefit", source_prior="uniform")
    assert given.fit(X[2000:], y[2000:]).correction_ == "prior"
    share = corrected(smote, data, cv=0.3, random_state=0)
    assert share.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.25)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(class_weight="balanced", random_state=0),
        RandomForestClassifier(20, class_weight="balanced", random_state=0),
        make_pipeline(RandomUnderSampler(random_state=0), KNeighborsClassifier(1)),
        BalancedRandomForestClassifier(20, random_state=0),
        BalancedBaggingClassifier(random_state=0),
        EasyEnsembleClassifier(2, random_state=0),
    ],
)
def test_models_that_factors_do_not_reach_are_calibrated(estimator, data):
    X, y = data
    model = corrected(estimator, (X[:2000], y[:2000]), cv=3)
    assert model.correction_ == "calibrated"
    P, raw = model.predict_proba(X[2000:])[:, 1], model.estimator_.predict_proba(X[2000:])[:, 1]
    assert P.mean() == pytest.approx(y.mean(), rel=0.35)
    assert brier_score_loss(y[2000:], P) < min(0.08, 1.02 * brier_score_loss(y[2000:], raw))


def test_votes_get_one_more_before_they_are_calibrated(data):
    X, y = data[0][:1500], data[1][:1500]
    forest = make_pipeline(
        RandomOverSampler(random_state=0), RandomForestClassifier(15, random_state=0)
    )
    model = corrected(forest, (X, y), cv=3)
    splitter = sklearn.model_selection.StratifiedKFold(3)
    votes = cross_val_predict(forest, X, y, cv=splitter, method="predict_proba") * 15
    twin = SigmoidCalibrator().fit((votes + 0.5) / 16, y)
    seen = model.estimator_.predict_proba(X) * 15
    expected = twin.predict_proba((seen + 0.5) / 16)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-10)


# Members of ensembles


def bagging(max_features=1.0, n_estimators=15, max_samples=0.1):
    return BalancedBaggingClassifier(
        LogisticRegression(C=FREE), n_estimators, max_features=max_features, random_state=0,
        max_samples=max_samples,
    )  # fmt: skip


def test_members_are_corrected_before_they_are_averaged(data):
    X, y = data
    model = corrected(bagging(max_features=0.5), data)
    assert model.correction_ == "members"
    assert "Each of 15 members" in model.how_
    natural, total = class_shares(y, [0, 1]), 0.0
    ensemble = model.estimator_
    for member, features in zip(ensemble.estimators_, ensemble.estimators_features_, strict=True):
        p = member.predict_proba(X[:, features])[:, 1]
        total += p * natural[1] / (p * natural[1] + (1 - p) * natural[0])
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], total / 15, rtol=1e-10)


def test_averaging_first_is_biased(data):
    X, _ = data
    model = corrected(bagging(), data)
    members_first = model.predict_proba(X)[:, 1]
    mean_first = shift(model.estimator_.predict_proba(X), model.target_prior_ / 0.5)[:, 1]
    # The map is convex where the rare class is, so that the mean's value is too small.
    assert mean_first.mean() < members_first.mean()
    assert (mean_first - members_first).mean() < -0.002
    rare = members_first < 0.2
    assert (mean_first[rare] <= members_first[rare] + 1e-12).all()


def test_trees_of_a_forest_are_corrected_one_by_one(data):
    X, y = data
    forest = RandomForestClassifier(
        10, min_samples_leaf=100, class_weight={1: 10.0}, random_state=0
    )
    model = corrected(forest, data)
    assert model.correction_ == "members"
    natural, total = class_shares(y, [0, 1]), 0.0
    roots = {tree.tree_.value[0, 0, 1] for tree in model.estimator_.estimators_}
    assert len(roots) > 1  # bootstraps differ, and so do the factors
    for tree in model.estimator_.estimators_:
        total += shift(tree.predict_proba(X), natural / tree.tree_.value[0, 0])
    np.testing.assert_allclose(model.predict_proba(X), total / 10, rtol=1e-10)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.1)
    table = pd.DataFrame(X, columns=list("abcd"))
    behind = make_pipeline(StandardScaler().set_output(transform="pandas"), forest)
    named = corrected(behind, (table, y))
    assert named.correction_ == "members"
    np.testing.assert_allclose(named.predict_proba(table), model.predict_proba(X), atol=0.02)


def test_a_calibration_after_members(data):
    X, y = data
    model = corrected(bagging(max_samples=1.0), data, calibration="beta", cv=3)
    assert model.correction_ == "calibrated"
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.05)


# Weights


@pytest.fixture(scope="module")
def weight(data):
    """Weights that depend on the features, and are larger for positives."""
    X, y = data
    return np.random.default_rng(1).uniform(0.5, 1.5, y.size) * np.exp(0.3 * X[:, 0]) * (1 + y)


def test_weights_count_for_source_and_target(data, weight):
    X, y = data
    shares = class_shares(y, [0, 1], weight)
    learner = LogisticRegression(class_weight={1: 4.0})
    model = ResamplingCorrectedClassifier(learner).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.target_prior_, shares)
    moved = log_odds(model.predict_proba(X)) - log_odds(model.estimator_.predict_proba(X))
    np.testing.assert_allclose(moved, -np.log(4), rtol=0, atol=1e-12)
    mean = np.average(model.predict_proba(X)[:, 1], weights=weight)
    assert mean == pytest.approx(shares[1], rel=0.1)


def test_weights_travel_through_a_sampler(data, weight):
    X, y = data
    pipe = make_carrying_pipeline(RandomUnderSampler(random_state=0), LogisticRegression())
    model = ResamplingCorrectedClassifier(pipe)
    model.fit(X, y, logisticregression__sample_weight=weight)
    # Given to the learner alone they are not those of the table: no change of shares.
    assert model.correction_ == "calibrated"
    assert "weights that differ" in model.how_
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(pipe)
        asking[-1].set_fit_request(sample_weight=True)
        routed = ResamplingCorrectedClassifier(asking).fit(X, y, sample_weight=weight)
    assert routed.correction_ == "prior"
    reported = routed.estimator_[0].effective_prior_
    np.testing.assert_allclose(routed.source_prior_, [reported[0], reported[1]], rtol=1e-12)
    np.testing.assert_allclose(routed.target_prior_, class_shares(y, [0, 1], weight))


def test_weights_by_class_alone_are_a_change_of_shares(data):
    X, y = data
    pipe = make_carrying_pipeline(LogisticRegression())
    by_class = np.where(y == 1, 4.0, 1.0)
    model = ResamplingCorrectedClassifier(pipe)
    model.fit(X, y, logisticregression__sample_weight=by_class)
    assert model.correction_ == "prior"
    moved = log_odds(model.predict_proba(X)) - log_odds(model.estimator_.predict_proba(X))
    np.testing.assert_allclose(moved, -np.log(4), rtol=0, atol=1e-12)


def test_an_estimator_without_weights_is_calibrated_by_weight(data, weight):
    X, y = data
    model = ResamplingCorrectedClassifier(KNeighborsClassifier(50), cv=3)
    with pytest.warns(ImbkitWarning, match="should accept sample_weight"):
        model.fit(X, y, sample_weight=weight)
    assert model.correction_ == "calibrated"
    mean = np.average(model.predict_proba(X)[:, 1], weights=weight)
    assert mean == pytest.approx(class_shares(y, [0, 1], weight)[1], rel=0.05)


def test_integer_weights_are_repeated_rows(data):
    X, y = data[0][:600], data[1][:600]
    counts = np.random.default_rng(0).integers(1, 4, y.size)
    learner = LogisticRegression(class_weight={1: 3.0}, tol=1e-10)
    weighted = ResamplingCorrectedClassifier(learner).fit(X, y, sample_weight=counts)
    repeated = corrected(learner, (np.repeat(X, counts, axis=0), np.repeat(y, counts)))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)


def test_requests_and_groups_are_routed(data, weight, routing):
    X, y = data
    groups = np.arange(y.size) % 30
    learner = LogisticRegression(class_weight="balanced").set_fit_request(sample_weight=True)
    model = ResamplingCorrectedClassifier(learner, calibration="sigmoid", cv=GroupKFold(3))
    model.fit(X, y, sample_weight=weight, groups=groups)
    apart = clone(model).set_fit_request(sample_weight=False)
    apart.fit(X, y, sample_weight=weight, groups=groups)
    np.testing.assert_allclose(apart.target_prior_, class_shares(y, [0, 1]))
    np.testing.assert_allclose(model.target_prior_, class_shares(y, [0, 1], weight))


def test_groups_without_routing(data):
    X, y = data
    groups = np.arange(y.size) % 30
    model = ResamplingCorrectedClassifier(under, calibration="sigmoid", cv=GroupKFold(3))
    assert model.fit(X, y, groups=groups).correction_ == "calibrated"


# Bad input


@pytest.mark.parametrize("name", ["source_prior", "target_prior"])
@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ([1.0, 0.0], "above 0"),
        ([0.5, 0.4], "sum to one"),
        ({0: 0.5, 2: 0.5}, "no share for 1 and a share for 2"),
        ([0.2, 0.3, 0.5], "one share for each of the 2 classes"),
    ],
)
def test_a_bad_prior_is_refused_before_anything_is_fitted(name, prior, said, data):
    class Unfittable(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError

    with pytest.raises(InvalidParameterError, match=f"{name}.*{said}"):
        corrected(Unfittable(), data, **{name: prior})


def test_too_many_folds_and_folds_without_a_class(data):
    X, y = data
    few = np.flatnonzero(y)[3:]
    X, y = np.delete(X, few, axis=0), np.delete(y, few)
    smote = make_pipeline(SMOTE(k_neighbors=1, random_state=0), LogisticRegression())
    with pytest.raises(DataError, match="cv asks for"):
        corrected(smote, (X, y), cv=y.size + 1)
    order = np.argsort(y, kind="stable")
    with pytest.raises(DataError, match="every training fold must hold rows of every class"):
        corrected(smote, (X[order], y[order]), cv=KFold(3))
    negative = np.flatnonzero(y == 0)
    split = [(np.setdiff1d(np.arange(y.size), negative[:50]), negative[:50])]
    with pytest.raises(DataError, match="test folds must be of every class.*Got none of class 1"):
        corrected(smote, (X, y), cv=split)
    assert corrected(under, (X, y), cv=y.size + 1).correction_ == "prior"  # needs no folds


def test_one_class_and_classes_without_weight(data):
    X, y = data
    with pytest.raises(DataError, match="rows of two classes.*one class only, 0"):
        corrected(under, (X, np.zeros_like(y)))
    with pytest.raises(DataError, match="weight 0 only for class 1"):
        ResamplingCorrectedClassifier(LogisticRegression()).fit(X, y, sample_weight=1 - y)
    with pytest.raises(DataError, match="requires y"):
        ResamplingCorrectedClassifier(under).fit(X, None)


def test_estimators_that_cannot_serve(data):
    with pytest.raises(InvalidParameterError, match="must have the method predict_proba"):
        corrected(RidgeClassifier(), data)
    with pytest.raises(NotFittedError, match="with cv='prefit' the estimator must be fitted"):
        corrected(LogisticRegression(), data, cv="prefit")
    smote = make_pipeline(SMOTE(random_state=0), LogisticRegression())
    with pytest.raises(InvalidParameterError, match="Pass source_prior"):
        corrected(smote, data, correction="prior")
    with pytest.warns(ImbkitWarning, match="stay as they are"):
        model = corrected(smote, data, calibration=None)
    assert model.correction_ == "none"
    assert "although training changed more" in model.how_
    with pytest.raises(InvalidParameterError, match="Did you mean 'sigmoid'"):
        corrected(smote, data, calibration="sigmoids")


def test_a_fitted_estimator_of_other_classes_is_refused(data):
    X, y = data
    fitted = LogisticRegression().fit(X, y)
    model = ResamplingCorrectedClassifier(fitted, cv="prefit")
    with pytest.raises(DataError, match="must know the classes 1, 2"):
        model.fit(X, y + 1)


# scikit-learn's habits

CHECKED = [
    LogisticRegression(class_weight="balanced"),
    DecisionTreeClassifier(class_weight="balanced", random_state=0),
    HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5, random_state=0),
    GaussianNB(),
]


@pytest.mark.parametrize("estimator", CHECKED, ids=lambda each: type(each).__name__)
@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
def test_scikit_learn_s_checks(estimator):
    expected = {}
    if isinstance(estimator, HistGradientBoostingClassifier):
        # scikit-learn declares the same of the learner itself.
        expected = {
            f"check_sample_weight_equivalence_on_{kind}_data": "weights are no repeated rows"
            for kind in ("dense", "sparse")
        }
    check_estimator(
        ResamplingCorrectedClassifier(estimator), expected_failed_checks=expected, on_skip=None
    )


@pytest.mark.parametrize(("n_certain", "certain"), [(1, False), (4, True)])
def test_how_much_certainty_is_too_much(n_certain, certain):
    """Of 100 rows at even odds, so many answers of exactly 1: more or less than 0.02 of all."""
    P = np.full((100, 2), 0.5)
    P[:n_certain] = [1.0, 0.0]
    model = SimpleNamespace(classes_=np.arange(2), predict_proba=lambda X: P)
    shifted = Shift(np.array([0.5, 0.5]))
    goal, classes = np.array([0.1, 0.9]), np.arange(2)
    assert is_certain(model, shifted, goal, np.zeros((100, 1)), classes, "X") is certain
    # Of the class whose share rises, nothing has to be taken away.
    assert not is_certain(model, shifted, goal[::-1], np.zeros((100, 1)), classes, "X")


def test_a_search_around_and_inside(data):
    X, _ = data
    model = ResamplingCorrectedClassifier(under)
    search = GridSearchCV(
        model,
        {"estimator__logisticregression__C": [0.01, 1.0], "correction": ["auto", "none"]},
        scoring="neg_log_loss",
        cv=3,
    ).fit(*data)
    assert search.best_params_["correction"] == "auto"
    inside = GridSearchCV(under, {"logisticregression__C": [0.1, 1.0]}, cv=3)
    found = corrected(inside, data)
    assert found.correction_ == "prior"
    raw = found.estimator_.predict_proba(X)
    np.testing.assert_array_equal(
        found.predict_proba(X), shift(raw, found.target_prior_ / found.source_prior_)
    )


@pytest.mark.parametrize("inside", [False, True])
def test_a_frozen_model_is_calibrated(data, inside):
    """Nobody knows which rows it has seen, and a sampler may hide in it."""
    X, y = data
    frozen = FrozenEstimator(clone(under).fit(X, y))
    model = corrected(make_pipeline(StandardScaler(), frozen) if inside else frozen, data, cv=3)
    assert model.correction_ == "calibrated"
    assert model.source_prior_ is None
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.05)


@pytest.mark.parametrize("estimator", [under, bagging(n_estimators=3)])
def test_clone_and_pickle(estimator, data):
    X, _ = data
    model = corrected(estimator, data)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert not hasattr(clone(model), "correction_")


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(class_weight="balanced", max_iter=500),
        make_carrying_pipeline(RandomUnderSampler(random_state=0), StandardScaler(), GaussianNB()),
        make_pipeline(RandomOverSampler(random_state=0), LinearDiscriminantAnalysis()),
    ],
)
@pytest.mark.parametrize("kind", ["two", "three"])
def test_what_ships_predicts_the_same(estimator, kind, data, three):
    rows = data if kind == "two" else three
    model = corrected(estimator, rows)
    before = model.estimator_.predict_proba(rows[0])
    shipped = deploy(model)
    assert type(shipped).__module__.startswith("sklearn.")
    np.testing.assert_allclose(
        shipped.predict_proba(rows[0]), model.predict_proba(rows[0]), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_array_equal(shipped.predict(rows[0]), model.predict(rows[0]))
    np.testing.assert_array_equal(model.estimator_.predict_proba(rows[0]), before)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(SMOTE(random_state=0), LogisticRegression()),
        bagging(n_estimators=3),
        HistGradientBoostingClassifier(class_weight="balanced", max_iter=3),
    ],
)
def test_what_cannot_ship_says_why(estimator, data):
    with pytest.raises(InvalidParameterError, match="has a form in scikit-learn"):
        deploy(corrected(estimator, data))


def test_the_log_odds_of_a_corrected_half(data):
    # A row that the balanced model calls even has the odds of the table's shares.
    model = corrected(under, data)
    found = PriorShiftCorrector(model.source_prior_, model.target_prior_).fit([0.1, 0.9], [0, 1])
    assert logit(found.predict_proba([0.5])[0, 1]) == pytest.approx(
        logit(model.target_prior_[1]), rel=1e-12
    )
