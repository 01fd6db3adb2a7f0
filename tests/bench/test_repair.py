"""Repair is exact where theory says so, keeps the ranking, and knows what it does not know."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.combine import SMOTEENN
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.under_sampling import NearMiss, RandomUnderSampler, TomekLinks
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline as plain_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from imbkit._core.prior import averages_members
from imbkit.bench._repair import (
    EDGES,
    Repair,
    induced_share,
    probability_errors,
    reliability_bins,
    reliability_counts,
    repair,
)
from imbkit.calibration import SigmoidCalibrator

SHARES = st.floats(1e-4, 1 - 1e-4)
CHANCES = st.floats(0, 1)


def undo_prior(probabilities, induced, natural):
    return repair(probabilities, induced, natural, None, None, exact=True).probabilities


def linear_table(seed=0, n=4000, intercept=-3.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    codes = (rng.random(n) < expit(X @ [1.0, -0.5] + intercept)).astype(np.intp)
    return X, codes


@settings(deadline=None, max_examples=60)
@given(CHANCES, SHARES, SHARES)
def test_undo_prior_is_bayes_rule(p, induced, natural):
    (found,) = undo_prior(np.array([p]), induced, natural)
    positive, negative = p * natural / induced, (1 - p) * (1 - natural) / (1 - induced)
    assert found == pytest.approx(positive / (positive + negative), rel=1e-12)
    elkan = natural * (p - p * induced) / (induced - p * induced + natural * p - induced * natural)
    assert found == pytest.approx(elkan, rel=1e-6, abs=1e-12)
    assert 0 <= found <= 1


@settings(deadline=None, max_examples=60)
@given(CHANCES, SHARES, SHARES)
def test_undoing_twice_the_other_way_is_nothing(p, induced, natural):
    there = undo_prior(np.array([p]), induced, natural)
    # Log-odds of a probability next to 1 lose their last digits.
    assert_allclose(undo_prior(there, natural, induced), [p], rtol=1e-6, atol=1e-9)


def test_under_sampling_and_its_inverse_are_undone():
    # Of the negatives a share beta is kept (Dal Pozzolo et al. 2015).
    p, beta, natural = np.linspace(0, 1, 101), 0.05, 0.02
    sampled = p / (p + beta * (1 - p))
    induced = natural / (natural + beta * (1 - natural))
    assert_allclose(undo_prior(sampled, induced, natural), p, atol=1e-14)
    inner = slice(1, -1)
    shift = logit(sampled[inner]) - logit(undo_prior(sampled, induced, natural)[inner])
    assert_allclose(shift, -np.log(beta))


def test_undo_prior_keeps_ends_ranks_and_the_input():
    p = np.array([0.0, 1e-300, 1e-9, 0.3, 1 - 1e-12, 1.0])
    before = p.copy()
    found = undo_prior(p, 0.5, 1e-3)
    assert (found[0], found[-1]) == (0.0, 1.0)
    assert (np.diff(found) > 0).all()
    assert_array_equal(p, before)
    assert_array_equal(undo_prior(p, 0.3, 0.3), p)
    codes = np.random.default_rng(0).random(500) < 0.2
    scores = np.random.default_rng(1).random(500) ** 3 + 0.2 * codes
    scores = scores / scores.max()
    assert roc_auc_score(codes, undo_prior(scores, 0.5, 0.01)) == roc_auc_score(codes, scores)


def test_logistic_regression_on_fewer_negatives_has_another_intercept_only():
    X, codes = linear_table(1, 200_000)
    whole = LogisticRegression(C=np.inf).fit(X, codes)
    model = make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression(C=np.inf))
    model.fit(X, codes)
    natural = codes.mean()
    induced = induced_share(model, codes)
    beta = natural / (1 - natural)
    assert induced == 0.5
    shift = model[-1].intercept_[0] - whole.intercept_[0]
    assert shift == pytest.approx(-np.log(beta), abs=0.06)
    p = model.predict_proba(X)[:, 1]
    repaired = repair(p, induced, natural, None, None, exact=True)
    assert repaired.kind == "prior"
    assert repaired.probabilities.mean() == pytest.approx(natural, rel=0.03)
    assert p.mean() > 3 * natural
    assert_allclose(repaired.probabilities, whole.predict_proba(X)[:, 1], atol=0.03)


class Reporter(ClassifierMixin, BaseEstimator):
    """Reports the class shares that it made up."""

    def __init__(self, prior=(0.7, 0.3)):
        self.prior = prior

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.effective_prior_ = self.prior
        return self


class Positive:
    """Has a parameter that boosting libraries know."""

    def __init__(self, **parameters):
        self.parameters = parameters

    def get_params(self, deep=True):
        return self.parameters


LOGISTIC = LogisticRegression()


@pytest.mark.parametrize(
    ("model", "induced"),
    [
        (LogisticRegression(), "natural"),
        (plain_pipeline(StandardScaler(), LogisticRegression()), "natural"),
        (Pipeline([("s", "passthrough"), ("m", LogisticRegression())]), "natural"),
        (GaussianNB(), "natural"),
        (LogisticRegression(class_weight="balanced"), 0.5),
        (plain_pipeline(StandardScaler(), DecisionTreeClassifier(class_weight="balanced")), 0.5),
        (LogisticRegression(class_weight={0: 1, 1: 4}), "weighted"),
        (LogisticRegression(class_weight={1: 4}), "weighted"),
        (RandomForestClassifier(3, class_weight="balanced_subsample", random_state=0), 0.5),
        (make_pipeline(RandomUnderSampler(random_state=0), GaussianNB()), 0.5),
        (make_pipeline(RandomOverSampler(random_state=0), GaussianNB()), 0.5),
        (
            make_pipeline(
                StandardScaler(),
                RandomOverSampler(sampling_strategy=0.25, random_state=0),
                LOGISTIC,
            ),
            0.2,
        ),
        (make_pipeline(RandomOverSampler(random_state=0, shrinkage=1.0), GaussianNB()), None),
        (
            make_pipeline(
                RandomUnderSampler(sampling_strategy=0.5), RandomOverSampler(), GaussianNB()
            ),
            0.5,
        ),
        (
            make_pipeline(
                RandomUnderSampler(sampling_strategy=0.25, random_state=0),
                LogisticRegression(class_weight={1: 4}),
            ),
            0.5,
        ),
        (make_pipeline(SMOTE(random_state=0), GaussianNB()), None),
        (make_pipeline(SMOTEENN(random_state=0), GaussianNB()), None),
        (make_pipeline(TomekLinks(), LogisticRegression(class_weight="balanced")), None),
        (make_pipeline(NearMiss(), GaussianNB()), None),
        (make_pipeline(StandardScaler(), make_pipeline(SMOTE(random_state=0), LOGISTIC)), None),
        (
            make_pipeline(
                StandardScaler(), make_pipeline(RandomUnderSampler(random_state=0), LOGISTIC)
            ),
            0.5,
        ),
        (Reporter(), 0.3),
        (Reporter({0: 0.1, 1: 0.9}), 0.9),
        (make_pipeline(StandardScaler(), Reporter(np.array([0.6, 0.4]))), 0.4),
        (BalancedBaggingClassifier(n_estimators=2, random_state=0), 0.5),
        (BalancedBaggingClassifier(LOGISTIC, n_estimators=2, random_state=0), 0.5),
        (
            BalancedBaggingClassifier(
                LogisticRegression(class_weight={1: 3}), n_estimators=2, random_state=0
            ),
            0.75,
        ),
        (BalancedBaggingClassifier(n_estimators=2, sampler=SMOTE(), random_state=0), None),
        (BalancedBaggingClassifier(n_estimators=2, sampling_strategy=0.5, random_state=0), 1 / 3),
        (BalancedRandomForestClassifier(3, random_state=0), 0.5),
        (EasyEnsembleClassifier(2, random_state=0), None),
        (RUSBoostClassifier(n_estimators=2, random_state=0), None),
        (BaggingClassifier(n_estimators=200, max_samples=1.0, random_state=0), "natural"),
        (CalibratedClassifierCV(GaussianNB(), cv=2), None),
        (Positive(scale_pos_weight=4), "weighted"),
        (Positive(scale_pos_weight=1), "natural"),
        (Positive(scale_pos_weight=None, class_weight=None), "natural"),
        (Positive(scale_pos_weight=4, class_weight="balanced"), None),
        (Positive(is_unbalance=True), None),
    ],
)
def test_induced_share(model, induced):
    X, codes = linear_table(2, 800, intercept=-2.0)
    if hasattr(model, "fit"):
        model.fit(X, codes)
    natural = float(codes.mean())
    known = {"natural": natural, "weighted": 4 * natural / (1 + 3 * natural)}
    found = induced_share(model, codes)
    # A ratio asked of a sampler is rounded down to whole rows.
    wanted = known.get(induced, induced)
    assert found is None if wanted is None else found == pytest.approx(wanted, abs=2e-3)


def test_averages_are_told_from_single_models():
    assert averages_members(BalancedBaggingClassifier())
    assert averages_members(make_pipeline(StandardScaler(), BalancedRandomForestClassifier()))
    assert not averages_members(LogisticRegression())
    assert not averages_members(make_pipeline(RandomUnderSampler(), LogisticRegression()))


def test_repair_picks_the_simplest_that_is_right():
    rng = np.random.default_rng(6)
    p, inner = rng.random(100), rng.random(200)
    truth = rng.random(200) < inner / 2
    same = repair(p, 0.1, 0.1, inner, truth, exact=True)
    assert (same.kind, same.probabilities is p) == ("none", True)
    prior = repair(p, 0.5, 0.1, inner, truth, exact=True)
    assert prior.kind == "prior"
    assert_array_equal(prior.probabilities, undo_prior(p, 0.5, 0.1))
    for induced, exact in ((None, True), (None, False), (0.5, False)):
        fitted = repair(p, induced, 0.1, inner, truth, exact=exact)
        assert fitted.kind == "sigmoid"
        sigmoid = SigmoidCalibrator().fit(inner, truth)
        assert_array_equal(fitted.probabilities, sigmoid.predict_proba(p)[:, 1])
        assert fitted.probabilities.mean() == pytest.approx(truth.mean(), abs=0.06)
    assert repair(p, 0.5, 0.1, None, None, exact=False).kind == "prior"
    assert repair(p, None, 0.1, None, None, exact=True).kind == "none"
    assert isinstance(same, Repair)


def test_averaged_ensemble_is_recalibrated():
    X, codes = linear_table(7, 6000, intercept=-3.5)
    X = np.c_[X, np.random.default_rng(0).normal(size=(6000, 8))]
    first, second, test = np.split(np.arange(6000), [2000, 4000])
    model = BalancedBaggingClassifier(n_estimators=10, random_state=0).fit(X[first], codes[first])
    inner, p = model.predict_proba(X[second])[:, 1], model.predict_proba(X[test])[:, 1]
    natural = codes[first].mean()
    induced = induced_share(model, codes[first])
    fitted = repair(
        p, induced, natural, inner, codes[second] == 1, exact=not averages_members(model)
    )
    assert fitted.kind == "sigmoid"
    gap = lambda q: abs(q.mean() - codes[test].mean())
    assert gap(fitted.probabilities) < 0.01 < gap(p)


def test_reliability_counts_add_up():
    rng = np.random.default_rng(8)
    p = np.append(rng.random(500) ** 6, [0.0, 1.0, 0.1, 0.97])
    truth = rng.random(p.size) < p
    counts = reliability_counts(truth, p)
    assert len(counts) == EDGES.size - 1
    assert (np.diff(EDGES) > 0).all()
    assert_allclose(np.sum(counts, axis=0), [p.size, p.sum(), truth.sum()])
    for (rows, predicted, positives), low, high in zip(counts, EDGES[:-1], EDGES[1:], strict=True):
        inside = (p >= low) & ((p < high) | ((high == 1) & (p == 1)))
        assert (rows, positives) == (inside.sum(), truth[inside].sum())
        assert predicted == pytest.approx(p[inside].sum())
    halves = [reliability_counts(truth[k::2], p[k::2]) for k in (0, 1)]
    assert_allclose(np.sum(halves, axis=0), counts)


def test_reliability_bins():
    rng = np.random.default_rng(9)
    p = rng.random(300) * 0.3
    truth = rng.random(300) < p
    bins = reliability_bins([reliability_counts(truth[k::3], p[k::3]) for k in range(3)])
    assert sum(b["rows"] for b in bins) == 300
    assert all(b["rows"] for b in bins)
    assert len(bins) < EDGES.size - 1
    for b in bins:
        positives = round(b["observed"] * b["rows"])
        wilson = binomtest(positives, b["rows"]).proportion_ci(0.95, method="wilson")
        assert_allclose([b["low"], b["high"]], [wilson.low, wilson.high], atol=1e-9)
        inside = (p >= EDGES[EDGES <= b["predicted"]].max()) & (
            p < EDGES[EDGES > b["predicted"]].min()
        )
        assert b["predicted"] == pytest.approx(p[inside].mean())
    counts = reliability_counts(truth, p)
    once, twice = reliability_bins([counts]), reliability_bins([counts, counts], repeats=2)
    assert [b["rows"] for b in twice] == [2 * b["rows"] for b in once]
    assert_allclose([b["low"] for b in twice], [b["low"] for b in once])
    assert reliability_bins([]) == []


def test_errors_of_probabilities():
    rng = np.random.default_rng(10)
    p = np.append(rng.random(400) ** 4, np.full(60, 0.25))
    truth = rng.random(460) < p / 2
    errors = probability_errors(truth, p)
    assert errors["brier"] == pytest.approx(brier_score_loss(truth, p))
    assert errors["log_loss"] == pytest.approx(log_loss(truth, p))
    assert errors["brier_positive"] == pytest.approx(np.mean((1 - p[truth]) ** 2))
    assert errors["brier_negative"] == pytest.approx(np.mean(p[~truth] ** 2))
    assert errors["mean"] == pytest.approx(p.mean())
    assert errors["share"] == truth.mean()
    # Bins of equally many rows; equal probabilities stay together.
    order = np.argsort(p, kind="stable")
    value, start = np.unique(p[order], return_index=True)
    ends = np.append(start[1:], p.size)
    place = np.minimum(((start + ends) / 2 / p.size * 15).astype(int), 14)
    bins = place[np.searchsorted(value, p)]
    gaps = [
        (bins == b).mean() * abs(p[bins == b].mean() - truth[bins == b].mean())
        for b in np.unique(bins)
    ]
    assert errors["calibration_error"] == pytest.approx(sum(gaps))
    assert 0.05 < errors["calibration_error"] < 0.3


def test_errors_of_a_fold_without_one_of_the_classes():
    p = np.array([0.1, 0.2, 0.9])
    none = probability_errors(np.zeros(3, dtype=bool), p)
    assert (none["brier_positive"], none["share"]) == (None, 0.0)
    assert none["brier_negative"] == none["brier"] == pytest.approx(np.mean(p**2))
    every = probability_errors(np.ones(3, dtype=bool), p)
    assert (every["brier_negative"], every["share"]) == (None, 1.0)
