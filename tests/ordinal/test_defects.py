"""Slips known from published code of the method: each is emulated, and must not be ours.

Tuning that reads the differences as the boundaries' weights; intercepts moved back by the
differences; a calibration error that pairs sorted predictions with unsorted shares.
"""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from imbkit.metrics import classwise_calibration_error
from imbkit.ordinal import PRESTOClassifier, PRESTOClassifierCV

EXACT = {"tol": 1e-9, "max_iter": 10_000}


@pytest.fixture(scope="module")
def rows(oracle):
    X, codes, _ = oracle.draw(4, n=300, p=3, n_classes=4, rare=25, weighted=False)
    return X, codes


def probabilities(intercepts, weights, X):
    """Of P(y <= k) = 1 / (1 + exp(intercepts + X weights')), repaired from the rare end."""
    later = 1 / (1 + np.exp(-(intercepts + X @ weights.T)))
    later = np.maximum.accumulate(later[:, ::-1], axis=1)[:, ::-1]
    bounds = np.column_stack([np.ones(len(X)), later, np.zeros(len(X))])
    return -np.diff(bounds, axis=1)


def log_loss(codes, proba):
    return -np.mean(np.log(np.maximum(proba[np.arange(len(codes)), codes], 2.3e-16)))


def brier(codes, proba):
    return np.mean(np.sum((np.eye(proba.shape[1])[codes] - proba) ** 2, axis=1))


# --- a. tuning


@pytest.mark.parametrize(("scoring", "loss"), [("neg_log_loss", log_loss), ("brier", brier)])
def test_folds_are_scored_by_what_their_models_predict(oracle, rows, scoring, loss):
    X, codes = rows
    folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, codes))
    most = oracle.Problem(X, codes, 4).alpha_max()
    alphas = most * np.array([0.5, 0.1, 0.02])
    model = PRESTOClassifierCV(alphas=alphas, cv=folds, scoring=scoring, **EXACT).fit(X, codes)
    np.testing.assert_allclose(model.alphas_, alphas)
    assert model.cv_scores_.shape == (3, 3)
    wrong = np.empty((3, 3))
    for i, alpha in enumerate(alphas):
        for j, (train, test) in enumerate(folds):
            problem = oracle.Problem(X[train], codes[train], 4, alpha=alpha)
            coef, intercepts = problem.public(*oracle.solve(problem))
            score = -loss(codes[test], probabilities(intercepts, coef, X[test]))
            assert model.cv_scores_[i, j] == pytest.approx(score, abs=1e-4)
            fold = PRESTOClassifier(alpha, **EXACT).fit(X[train], codes[train])
            score = -loss(codes[test], fold.predict_proba(X[test]))
            assert model.cv_scores_[i, j] == pytest.approx(score, abs=1e-6)
            # the slip: differences taken for weights
            delta = np.vstack([coef[:1], np.diff(coef, axis=0)])
            wrong[i, j] = -loss(codes[test], probabilities(intercepts, delta, X[test]))
    assert np.abs(wrong - model.cv_scores_)[1:].min() > 1e-2
    best = model.cv_scores_.mean(axis=1).argmax()
    assert model.alpha_ == alphas[best]
    refit = PRESTOClassifier(model.alpha_, **EXACT).fit(X, codes)
    np.testing.assert_allclose(model.predict_proba(X), refit.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_slip_would_have_chosen_otherwise(oracle, seed):
    """On rows of strongly unequal slopes it prefers more shrinkage, as the published runs did."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(1500, 3))
    coef = np.array([[1.0, 0.0, 1.5], [2.5, 0.0, 1.5], [2.5, 1.5, 1.5]])
    proba = probabilities(np.array([1.0, -1.5, -3.0]), coef, X)
    codes = (rng.random(1500)[:, None] > np.cumsum(proba, axis=1)).sum(axis=1)
    folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, codes))
    alphas = oracle.Problem(X, codes, 4).alpha_max() * np.geomspace(0.5, 0.005, 8)
    model = PRESTOClassifierCV(alphas=alphas, cv=folds).fit(X, codes)
    wrong = np.zeros(8)
    for i, alpha in enumerate(alphas):
        for train, test in folds:
            fold = PRESTOClassifier(alpha).fit(X[train], codes[train])
            slip = probabilities(fold.intercept_, fold.delta_, X[test])
            wrong[i] -= log_loss(codes[test], slip) / 3
    assert model.alpha_ < alphas[wrong.argmax()]


# --- b. intercepts


@pytest.mark.parametrize("shift", [0.0, 3.0, 100.0])
def test_intercepts_belong_to_the_columns_as_they_came(oracle, rows, shift):
    X, codes = rows
    X = X - X.mean(axis=0) + shift
    problem = oracle.Problem(X, codes, 4, alpha=0.01)
    model = PRESTOClassifier(0.01, **EXACT).fit(X, codes)
    intercepts, theta = oracle.solve(problem)
    eta = -problem.scores(intercepts, theta)
    np.testing.assert_allclose(model.intercept_ + X @ model.coef_.T, eta, atol=1e-4)
    # the slip: the means times the differences
    slip = model.intercept_ + X.mean(axis=0) @ (model.coef_ - model.delta_).T
    apart = np.abs(slip - model.intercept_).max()
    assert (apart > 0.5) if shift else (apart < 1e-9)


def test_a_shift_by_a_hundred_changes_no_probability(rows):
    X, codes = rows
    here = PRESTOClassifier(0.01, **EXACT).fit(X, codes)
    there = PRESTOClassifier(0.01, **EXACT).fit(X + 100.0, codes)
    np.testing.assert_allclose(there.predict_proba(X + 100.0), here.predict_proba(X), atol=1e-8)
    np.testing.assert_allclose(there.coef_, here.coef_, atol=1e-8)
    both = PRESTOClassifierCV(alphas=[0.02, 0.005], cv=3, **EXACT)
    scores = both.fit(X, codes).cv_scores_
    np.testing.assert_allclose(both.fit(X + 100.0, codes).cv_scores_, scores, atol=1e-7)


def test_shares_are_met_in_the_mean(rows):
    """Free intercepts: predicted shares are close to those of the rows, far from the origin too."""
    X, codes = rows
    proba = PRESTOClassifier(0.003, **EXACT).fit(X + 50.0, codes).predict_proba(X + 50.0)
    shares = np.bincount(codes) / len(codes)
    np.testing.assert_allclose(proba.mean(axis=0), shares, atol=0.01)


# --- c. the calibration error


def published_error(positive, prob, n_bins):
    """Bins of equal count of the sorted predictions; their shares beside the unsorted ones."""
    order = np.argsort(prob, kind="stable")
    total = 0.0
    places = np.array_split(np.arange(len(prob)), n_bins)
    for rows in places:
        total += np.sum((prob[rows] - positive[order[rows]].mean()) ** 2)
    return total / len(prob)


@pytest.fixture(scope="module")
def forecasts():
    """Sharp true probabilities, what came true, and their share."""
    rng = np.random.default_rng(0)
    prob = np.where(rng.random(20_000) < 0.2, rng.beta(30, 1, 20_000), rng.beta(1, 40, 20_000))
    positive = rng.random(20_000) < prob
    return prob, positive.astype(int)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_a_perfect_forecaster_is_well_calibrated(forecasts, norm):
    prob, positive = forecasts
    found = classwise_calibration_error(positive, prob, n_bins=20, norm=norm)
    assert found < 0.01
    for constant in (0.0, 0.1, 0.5, 1.0):
        flat = np.full(len(prob), constant)
        error = classwise_calibration_error(positive, flat, n_bins=20, norm=norm)
        assert error == pytest.approx(abs(constant - positive.mean()))
        assert found < error / 5


def test_the_published_error_prefers_a_constant(forecasts):
    """What ours must not do: sharp true probabilities are punished, the share is not."""
    prob, positive = forecasts
    flat = np.full(len(prob), positive.mean())
    slip = published_error(positive, prob, 20)
    share = positive.mean()
    assert slip == pytest.approx(2 * share * (1 - share), rel=0.2)
    assert published_error(positive, flat, 20) < slip / 100


def test_the_order_of_rows_is_nothing_to_it(forecasts):
    prob, positive = forecasts
    order = np.argsort(prob)
    for rows in (order, order[::-1], np.random.default_rng(1).permutation(len(prob))):
        for norm in ("l1", "l2", "max"):
            one = classwise_calibration_error(positive, prob, norm=norm)
            two = classwise_calibration_error(positive[rows], prob[rows], norm=norm)
            assert one == pytest.approx(two, abs=1e-12)


def test_the_rare_class_of_a_true_model_is_well_calibrated():
    rng = np.random.default_rng(3)
    X = rng.uniform(-1, 1, size=(8000, 2))
    coef = np.array([[1.0, 0.5], [1.0, 1.5]])
    proba = probabilities(np.array([0.0, -2.5]), coef, X)
    codes = (rng.random(8000)[:, None] > np.cumsum(proba, axis=1)).sum(axis=1)
    model = PRESTOClassifier(1e-3).fit(X[:4000], codes[:4000])
    rare = model.predict_proba(X[4000:])[:, -1]
    came = (codes[4000:] == 2).astype(int)
    assert classwise_calibration_error(came, rare, n_bins=10) < 0.02
    assert classwise_calibration_error(came, 1 - rare, n_bins=10) > 0.5
