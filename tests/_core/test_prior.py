"""Class shares: what a prior must be, exact exchange, and what training made of the shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
)
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler, TomekLinks
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from imbkit import sampling
from imbkit._core.induced import members_of
from imbkit._core.prior import averages_members, check_prior, class_shares, induced_prior, shift
from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline import Pipeline
from imbkit.pipeline import make_pipeline as make_carrying_pipeline

COUNTS = {"c": 20, "a": 120, "b": 60}
CLASSES = np.array(["a", "b", "c"])
NATURAL = np.array([0.6, 0.3, 0.1])
EVEN = np.full(3, 1 / 3)


@pytest.fixture(scope="module")
def rows():
    """200 rows of three overlapping classes, with weights that differ by class on average."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(list(COUNTS), list(COUNTS.values())))
    X = rng.normal(size=(200, 3)) + np.searchsorted(CLASSES, y)[:, None]
    weight = rng.uniform(0.5, 1.5, 200) * np.where(y == "c", 3.0, 1.0)
    return X, y, weight


def prior_after(model, rows, **fit):
    X, y, _ = rows
    model.fit(X, y, **fit)
    return induced_prior(model, y, CLASSES)


# Checking a prior


@pytest.mark.parametrize(
    "prior",
    [{"c": 0.1, "a": 0.6, "b": 0.3}, [0.6, 0.3, 0.1], np.array([0.6, 0.3, 0.1]), (0.6, 0.3, 0.1)],
)
def test_a_prior_is_put_in_the_order_of_the_classes(prior):
    np.testing.assert_allclose(check_prior(prior, CLASSES, "Who", "prior"), NATURAL, rtol=1e-15)


def test_a_uniform_prior_gives_every_class_the_same():
    np.testing.assert_array_equal(check_prior("uniform", CLASSES, "Who", "prior"), EVEN)


def test_labels_of_numpy_are_keys_too():
    prior = {np.int64(1): 0.25, 0: 0.75}
    np.testing.assert_array_equal(check_prior(prior, np.array([0, 1]), "W", "p"), [0.75, 0.25])


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ([0.5, 0.5, 0.0], "above 0 for every class. Got 0 for class 'c'"),
        ([0.7, 0.5, -0.2], "above 0 for every class. Got -0.2"),
        ([0.5, 0.5, np.nan], "finite"),
        ([0.5, 0.5, np.inf], "finite"),
        ([0.5, 0.3, 0.1], "sum to one within 1e-06. Got 0.9"),
        ([0.5, 0.5], "one share for each of the 3 classes"),
        ([[0.6, 0.3, 0.1]], r"shape \(1, 3\)"),
        (0.5, "one share for each"),
        (None, "one share for each"),
        ({"a": 0.6, "b": 0.4}, "no share for 'c'"),
        ({"a": 0.5, "b": 0.3, "c": 0.1, "d": 0.1}, "a share for 'd'"),
        ({1: 0.6, 2: 0.4}, "no share for 'a', 'b', 'c' and a share for 1, 2"),
        (["x", "y", "z"], "hold numbers"),
        ("train", 'a mapping, an array or "uniform". Got train'),
    ],
)
def test_a_bad_prior_is_refused(prior, said):
    with pytest.raises(InvalidParameterError, match=f"Who: target_prior must .*{said}"):
        check_prior(prior, CLASSES, "Who", "target_prior")


def test_a_sum_within_rounding_is_mended():
    prior = check_prior([0.6, 0.3, 0.1000005], CLASSES, "Who", "prior")
    assert prior.sum() == pytest.approx(1, abs=1e-15)


def test_shares_of_labels_and_of_weights(rows):
    _, y, weight = rows
    np.testing.assert_allclose(class_shares(y, CLASSES), NATURAL, rtol=1e-15)
    expected = [weight[y == label].sum() / weight.sum() for label in CLASSES]
    np.testing.assert_allclose(class_shares(y, CLASSES, weight), expected, rtol=1e-12)


# Exchanging it

probability = st.floats(0, 1)
factor = st.floats(1e-3, 1e3)


@given(st.lists(st.lists(factor, min_size=4, max_size=4), min_size=1, max_size=5), st.data())
def test_shifting_is_bayes_rule_and_its_inverse_undoes_it(table, data):
    P = np.array(table)
    P /= P.sum(axis=1, keepdims=True)
    ratio = np.array(data.draw(st.lists(factor, min_size=4, max_size=4)))
    shifted = shift(P, ratio)
    for row, new in zip(P, shifted, strict=True):
        total = sum(p * r for p, r in zip(row, ratio, strict=True))
        expected = [p * r / total for p, r in zip(row, ratio, strict=True)]
        np.testing.assert_allclose(new, expected, rtol=1e-12)
    np.testing.assert_allclose(shift(shifted, 1 / ratio), P, rtol=1e-12)


@given(st.lists(probability, min_size=1, max_size=30), factor, factor)
def test_two_classes_keep_their_order_to_the_last_bit(values, first, second):
    p = np.sort(np.array(values))
    shifted = shift(np.column_stack([1 - p, p]), np.array([first, second]))
    assert (np.diff(shifted[:, 1]) >= 0).all()
    assert (np.diff(shifted[:, 0]) <= 0).all()
    np.testing.assert_allclose(shifted.sum(axis=1), 1, rtol=1e-15)
    exact = p * second / (p * second + (1 - p) * first)
    np.testing.assert_allclose(shifted[:, 1], exact, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_certainty_stays_and_rows_without_probability_stay(n_classes):
    P = np.vstack([np.eye(n_classes), np.zeros(n_classes)])
    ratio = np.arange(1.0, n_classes + 1)
    np.testing.assert_array_equal(shift(P, ratio), P)


def test_equal_factors_change_nothing_and_the_input_stays():
    P = np.array([[0.1, 0.2, 0.7]])
    shifted = shift(P, np.full(3, 7.0))
    np.testing.assert_array_equal(shifted, P)
    assert not np.shares_memory(shifted, P)
    before = P.copy()
    shift(P, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(P, before)


# What training made of it


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LogisticRegression(), NATURAL),
        (LogisticRegression(class_weight="balanced"), EVEN),
        (LogisticRegression(class_weight={"c": 6.0}), np.array([12, 6, 12]) / 30),
        (HistGradientBoostingClassifier(class_weight="balanced", max_iter=2), EVEN),
        (DecisionTreeClassifier(class_weight={"a": 0.5, "b": 1.0, "c": 3.0}), EVEN),
        (GaussianNB(), NATURAL),
        (GaussianNB(priors=[0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5])),
        (make_pipeline(StandardScaler(), SGDClassifier(class_weight="balanced")), EVEN),
        (make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression()), EVEN),
        (make_pipeline(RandomOverSampler(random_state=0), LogisticRegression()), EVEN),
        (
            make_pipeline(
                RandomUnderSampler(sampling_strategy={"a": 60}, random_state=0),
                RandomOverSampler(sampling_strategy={"c": 40}, random_state=0),
                LogisticRegression(class_weight={"c": 2.0}),
            ),
            np.array([60, 60, 80]) / 200,
        ),
        (
            make_pipeline(
                sampling.RandomUnderSampler(sampling_strategy={"a": 60}, random_state=0),
                DecisionTreeClassifier(),
            ),
            np.array([60, 60, 20]) / 140,
        ),
        (
            Pipeline(
                [
                    ("outer", Pipeline([("s", StandardScaler()), ("u", RandomUnderSampler())])),
                    ("idle", None),
                    ("model", Pipeline([("s", None), ("m", LogisticRegression())])),
                ]
            ),
            EVEN,
        ),
        (
            GridSearchCV(
                make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression()),
                {"logisticregression__C": [1.0]},
                cv=2,
            ),
            EVEN,
        ),
    ],
)
def test_shares_after_sampling_and_class_weights(model, expected, rows):
    np.testing.assert_allclose(prior_after(model, rows), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(SMOTE(random_state=0), LogisticRegression()),
        make_pipeline(sampling.SMOTE(random_state=0), LogisticRegression()),
        make_pipeline(TomekLinks(), LogisticRegression()),
        make_pipeline(sampling.NearMiss(), LogisticRegression()),
        make_pipeline(RandomOverSampler(shrinkage=0.5, random_state=0), LogisticRegression()),
        make_pipeline(RandomUnderSampler(), SMOTE(random_state=0), GaussianNB()),
        CalibratedClassifierCV(LogisticRegression(class_weight="balanced"), cv=2),
        AdaBoostClassifier(n_estimators=2),
        EasyEnsembleClassifier(n_estimators=2, random_state=0),
        BaggingClassifier(make_pipeline(SMOTE(), GaussianNB()), 2, random_state=0),
    ],
)
def test_what_is_not_known_is_not_claimed(model, rows):
    assert prior_after(model, rows) is None


class Reporting(ClassifierMixin, BaseEstimator):
    """A model that says itself what it was trained on."""

    def __init__(self, reported=None):
        self.reported = reported

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.effective_prior_ = self.reported
        return self


@pytest.mark.parametrize("reported", [{"c": 0.5, "a": 0.2, "b": 0.3}, np.array([0.2, 0.3, 0.5])])
def test_a_model_s_own_report_is_believed(reported, rows):
    np.testing.assert_array_equal(prior_after(Reporting(reported), rows), [0.2, 0.3, 0.5])


@pytest.mark.parametrize("reported", [{"a": 1.0}, [0.5, 0.5]])
def test_a_report_of_other_classes_is_not_used(reported, rows):
    assert prior_after(Reporting(reported), rows) is None


def test_sampling_agrees_with_the_samplers_own_report(rows):
    X, y, weight = rows
    for sampler in (
        sampling.RandomUnderSampler(random_state=0),
        sampling.RandomOverSampler(random_state=0),
    ):
        model = make_carrying_pipeline(sampler, LogisticRegression())
        model.fit(X, y, sample_weight=weight)
        reported = model.steps[0][1].effective_prior_
        expected = [reported[label] for label in CLASSES]
        found = induced_prior(model, y, CLASSES, weight)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert np.abs(found - EVEN).max() > 0.05


def test_weights_of_repeated_rows_that_a_policy_changes_are_not_known(rows):
    X, y, weight = rows
    sampler = sampling.RandomOverSampler(random_state=0, companion_policy=0.5)
    model = make_carrying_pipeline(sampler, LogisticRegression()).fit(X, y, sample_weight=weight)
    assert induced_prior(model, y, CLASSES, weight) is None
    assert induced_prior(model, y, CLASSES) is not None


def test_weights_and_class_weights_multiply(rows):
    X, y, weight = rows
    shares = class_shares(y, CLASSES, weight)
    for model in (LogisticRegression(), GaussianNB(), DecisionTreeClassifier()):
        found = induced_prior(model.fit(X, y, weight), y, CLASSES, weight)
        np.testing.assert_allclose(found, shares, rtol=1e-12)
    model = LogisticRegression(class_weight={"c": 4.0}).fit(X, y, weight)
    expected = shares * [1, 1, 4] / (shares * [1, 1, 4]).sum()
    np.testing.assert_allclose(induced_prior(model, y, CLASSES, weight), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(class_weight="balanced", tol=1e-10, max_iter=1000),
        HistGradientBoostingClassifier(class_weight="balanced", max_iter=3),
    ],
)
def test_balanced_class_weights_over_row_weights_are_those_of_the_learner(model, rows):
    X, y, weight = rows
    found = induced_prior(model.fit(X, y, sample_weight=weight), y, CLASSES, weight)
    # The same learner without class weights, on weights of which each class has that share.
    factors = found / class_shares(y, CLASSES, weight)
    by_row = weight * factors[np.searchsorted(CLASSES, y)]
    by_row *= weight.size / by_row.sum()
    scale = total_weight(model, weight, y) / weight.size
    twin = type(model)(**{**model.get_params(), "class_weight": None})
    twin.fit(X, y, sample_weight=by_row * scale)
    np.testing.assert_allclose(twin.predict_proba(X), model.predict_proba(X), atol=1e-6)


def total_weight(model, weight, y):
    """Total weight under the class weights, which regularisation is relative to."""
    if isinstance(model, LogisticRegression):
        return weight.sum()
    means = [weight[y == label].mean() for label in CLASSES]
    return np.mean(means) * weight.size


class Stranger(ClassifierMixin, BaseEstimator):
    """A learner whose "balanced" may mean either."""

    def __init__(self, class_weight="balanced"):
        self.class_weight = class_weight


def test_balanced_class_weights_over_row_weights_are_unknown_for_other_learners(rows):
    _, y, weight = rows
    assert induced_prior(Stranger(), y, CLASSES, weight) is None
    for same in (None, np.full(200, 2.0)):
        np.testing.assert_allclose(induced_prior(Stranger(), y, CLASSES, same), EVEN, rtol=1e-12)


class Booster(ClassifierMixin, BaseEstimator):
    """The parameters of gradient boosting libraries."""

    def __init__(self, scale_pos_weight=None, is_unbalance=False, class_weight=None):
        self.scale_pos_weight = scale_pos_weight
        self.is_unbalance = is_unbalance
        self.class_weight = class_weight


def test_the_weight_of_the_positive_class_of_two():
    y = np.repeat([0, 1], [90, 10])
    assert induced_prior(Booster(9.0), y, [0, 1])[1] == pytest.approx(0.5, abs=1e-15)
    assert induced_prior(Booster(1), y, [0, 1])[1] == pytest.approx(0.1, abs=1e-15)
    assert induced_prior(Booster(9.0, class_weight="balanced"), y, [0, 1]) is None
    assert induced_prior(Booster(is_unbalance=True), y, [0, 1]) is None
    three = np.repeat([0, 1, 2], [80, 10, 10])
    assert induced_prior(Booster(9.0), three, [0, 1, 2]) is None


def test_discrete_naive_bayes_holds_its_shares():
    y = np.repeat([0, 1], [90, 10])
    X = np.random.default_rng(0).poisson(2, size=(100, 3))
    model = MultinomialNB(class_prior=[0.3, 0.7]).fit(X, y)
    np.testing.assert_allclose(induced_prior(model, y, [0, 1]), [0.3, 0.7], rtol=1e-12)


# Members of ensembles


@pytest.mark.parametrize(
    ("model", "averages"),
    [
        (BalancedBaggingClassifier(), True),
        (BalancedRandomForestClassifier(), True),
        (EasyEnsembleClassifier(), True),
        (RandomForestClassifier(), True),
        (make_pipeline(StandardScaler(), BaggingClassifier()), True),
        (LogisticRegression(), False),
        (make_pipeline(RandomUnderSampler(), LogisticRegression()), False),
    ],
)
def test_which_models_average(model, averages):
    assert averages_members(model) is averages


def test_members_of_balanced_bagging_know_their_own_shares(rows):
    X, y, _ = rows
    strategy = {"a": 30}
    model = BalancedBaggingClassifier(
        LogisticRegression(), 5, sampling_strategy=strategy, random_state=0
    ).fit(X, y)
    members = members_of(model, y, CLASSES)
    assert len({tuple(member.prior) for member in members}) > 1  # bootstraps differ
    for member, drawn in zip(members, model.estimators_samples_, strict=True):
        sampler = member.estimator.steps[0][1]
        codes = np.searchsorted(CLASSES, y)[drawn][sampler.sample_indices_]
        np.testing.assert_allclose(member.prior, np.bincount(codes, minlength=3) / codes.size)
        assert np.bincount(codes)[0] == 30
    mean = np.mean([member.prior for member in members], axis=0)
    np.testing.assert_allclose(induced_prior(model, y, CLASSES), mean, rtol=1e-12)


def test_members_of_plain_bagging_are_the_bootstraps(rows):
    X, y, _ = rows
    learner = LogisticRegression(class_weight={2: 5.0})  # members know classes by number
    model = BaggingClassifier(learner, 3, random_state=0).fit(X, y)
    for member, drawn in zip(members_of(model, y, CLASSES), model.estimators_samples_, strict=True):
        counts = np.bincount(np.searchsorted(CLASSES, y)[drawn], minlength=3)
        expected = counts * [1, 1, 5] / (counts * [1, 1, 5]).sum()
        np.testing.assert_allclose(member.prior, expected, rtol=1e-12)


def test_trees_of_a_balanced_forest_saw_balanced_rows(rows):
    X, y, _ = rows
    settings = {"sampling_strategy": "all", "replacement": True, "bootstrap": False}
    model = BalancedRandomForestClassifier(5, random_state=0, **settings).fit(X, y)
    np.testing.assert_allclose(induced_prior(model, y, CLASSES), EVEN, rtol=1e-12)


def test_trees_of_a_forest_hold_draws_and_weights(rows):
    X, y, weight = rows
    model = RandomForestClassifier(30, class_weight="balanced_subsample", random_state=0)
    np.testing.assert_allclose(prior_after(model, rows), EVEN, rtol=1e-12)
    model = RandomForestClassifier(200, max_depth=1, random_state=0)
    model.fit(X, y, weight)
    expected = class_shares(y, CLASSES, weight)
    np.testing.assert_allclose(induced_prior(model, y, CLASSES, weight), expected, atol=0.02)


def test_an_ensemble_after_a_sampler_that_makes_rows_is_not_known(rows):
    model = make_pipeline(SMOTE(random_state=0), RandomForestClassifier(3))
    assert prior_after(model, rows) is None
    assert all(member.prior is None for member in members_of(model, rows[1], CLASSES))
