import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from statsmodels.miscmodels.ordinal_model import OrderedModel

from imbkit.ordinal import CumulativeLinkClassifier, PRESTOClassifier, ProportionalOddsClassifier
from imbkit.ordinal._solve import SOLVERS

EXACT = {"tol": 1e-10, "max_iter": 5000}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal([0, 5, -3], [1, 2, 0.1], size=(400, 3))
    score = X[:, 0] + 0.4 * (X[:, 1] - 5) + rng.logistic(size=400)
    return X, np.digitize(score, [-0.5, 1, 2.5])


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.filterwarnings("ignore")  # statsmodels' own
def test_it_is_statsmodels_ordered_model(rows, link):
    X, y = rows
    known = OrderedModel(y, X - X.mean(axis=0), distr=link)
    known = known.fit(method="newton", maxiter=100, tol=1e-13, disp=False)
    model = ProportionalOddsClassifier(link=link, **EXACT).fit(X, y)
    np.testing.assert_allclose(model.coef_[0], known.params[:3], atol=1e-7)
    p = np.asarray(known.model.predict(known.params, X - X.mean(axis=0)))
    np.testing.assert_allclose(model.predict_proba(X), p, atol=1e-7)
    np.testing.assert_allclose(model.objective_, -known.llf / len(y), rtol=1e-12)


def test_two_classes_are_logistic_regression(rows):
    X, y = rows
    y = (y > 1).astype(int)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    alpha = 0.1
    model = ProportionalOddsClassifier(alpha, **EXACT).fit(X, y)
    known = LogisticRegression(C=1 / (alpha * len(y)), solver="newton-cholesky", tol=1e-12)
    known.fit(X, y)
    np.testing.assert_allclose(model.coef_, known.coef_, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, known.intercept_, atol=1e-9)
    for cls in (PRESTOClassifier, CumulativeLinkClassifier):
        other = cls(alpha, l1_ratio=0.0, **EXACT).fit(X, y)
        np.testing.assert_allclose(other.coef_, known.coef_, atol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_agree(rows, solver):
    for settings in ({}, {"alpha": 0.05}, {"alpha": 0.05, "l1_ratio": 1.0}):
        models = [
            ProportionalOddsClassifier(**settings, **EXACT, solver=each).fit(*rows)
            for each in ("auto", solver)
        ]
        np.testing.assert_allclose(*(model.coef_ for model in models), atol=1e-6)
        assert models[1].kkt_violation_ < 1e-9


def test_one_vector_serves_all_boundaries(rows):
    X, y = rows
    model = ProportionalOddsClassifier(**EXACT).fit(X, y)
    assert model.coef_.shape == (1, 3)
    assert not hasattr(model, "delta_")
    assert (np.diff(model.intercept_) < 0).all()
    assert model.n_crossings_ == 0
    assert model.crossing_rate(100 * X) == 0
    odds = model.predict_exceedance(X)
    logits = np.log(odds / (1 - odds))
    np.testing.assert_allclose(
        np.diff(logits, axis=1), np.tile(np.diff(model.intercept_), (400, 1))
    )
    # With free intercepts the mean of the logit's probabilities is the share of the classes.
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, atol=1e-14)


def test_cloglog_makes_hazards_proportional(rows):
    X, y = rows
    model = ProportionalOddsClassifier(link="cloglog", **EXACT).fit(X, y)
    cumulative_hazard = -np.log(model.predict_exceedance(X))
    ratio = cumulative_hazard / cumulative_hazard[:1]
    np.testing.assert_allclose(ratio, np.tile(ratio[:, :1], (1, 3)), rtol=1e-9)
    np.testing.assert_allclose(
        np.log(cumulative_hazard), -(X @ model.coef_.T + model.intercept_), atol=1e-9
    )


def test_the_lasso_selects_and_the_ridge_shrinks(rows):
    X, y = rows
    noise = np.random.default_rng(1).normal(size=(400, 5))
    table = np.hstack([X, noise])
    lasso = ProportionalOddsClassifier(0.05, l1_ratio=1.0, **EXACT).fit(table, y)
    assert lasso.coef_[0, :2].all()
    assert not lasso.coef_[0, 3:].any()
    assert 0 <= abs(lasso.duality_gap_) < 1e-8
    ridge = ProportionalOddsClassifier(0.05, **EXACT).fit(table, y)
    assert ridge.coef_.all()
    assert np.isnan(ridge.duality_gap_)
    free = ProportionalOddsClassifier(**EXACT).fit(table, y)
    assert np.sum((ridge.coef_ * table.std(axis=0)) ** 2) < np.sum(
        (free.coef_ * table.std(axis=0)) ** 2
    )


def test_a_warm_start_and_names(rows):
    X, y = rows
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = ProportionalOddsClassifier(warm_start=True, **EXACT).fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    before = model.coef_
    assert model.fit(frame, y).n_iter_ <= 1
    np.testing.assert_allclose(model.coef_, before, atol=1e-10)
