import numpy as np
import pytest
from scipy import sparse

from imbkit.ordinal import CumulativeLinkClassifier, PRESTOClassifier
from imbkit.ordinal._solve import SOLVERS

EXACT = {"tol": 1e-10, "max_iter": 5000}


@pytest.fixture(scope="module")
def rows():
    """Each boundary has a column of its own."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 3))
    y = (X[:, 0] + rng.logistic(size=800) > 0).astype(int)
    y += y * (X[:, 1] + rng.logistic(size=800) > 0)
    return X, y


def test_every_boundary_finds_its_column(rows):
    X, y = rows
    model = CumulativeLinkClassifier(0.02, **EXACT).fit(X, y)
    assert model.coef_.shape == (2, 3)
    assert not hasattr(model, "delta_")
    assert np.abs(model.coef_[0]).argmax() == 0
    assert model.coef_[1, 1] > 0.3
    assert not model.coef_[:, 2].any()
    assert (model.coef_ == 0).sum() >= 2
    assert model.kkt_violation_ < 1e-9
    assert 0 <= abs(model.duality_gap_) < 1e-8


def test_without_a_penalty_it_is_presto(rows):
    free = CumulativeLinkClassifier(0.0, **EXACT).fit(*rows)
    other = PRESTOClassifier(0.0, **EXACT).fit(*rows)
    np.testing.assert_allclose(free.coef_, other.coef_, atol=1e-7)
    np.testing.assert_allclose(free.objective_, other.objective_, rtol=1e-12)
    assert np.isnan(free.duality_gap_)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_the_objective_is_the_smallest_nearby(rows, solver, link):
    """From what is public alone, and not better after small moves."""
    X, y = rows
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = CumulativeLinkClassifier(
        0.02, l1_ratio=0.7, link=link, solver=solver, crossing="raw", **EXACT
    ).fit(X, y)

    def objective():
        own = model.predict_log_proba(X)[np.arange(len(y)), y]
        v = model.coef_
        return -own.mean() + 0.02 * (0.7 * np.abs(v).sum() + 0.3 * (v**2).sum() / 2)

    least = objective()
    np.testing.assert_allclose(model.objective_, least, rtol=1e-11)
    rng = np.random.default_rng(0)
    coef, intercept = model.coef_, model.intercept_
    for size in (1e-4, 1e-2):
        for _ in range(20):
            model.coef_ = coef + size * rng.normal(size=coef.shape)
            model.intercept_ = intercept + size * rng.normal(size=2)
            assert objective() > least


def test_sparse_rows_are_the_dense_ones(rows):
    X, y = rows
    X = np.where(np.abs(X) < 0.7, 0, X)
    dense, other = (
        CumulativeLinkClassifier(0.01, **EXACT).fit(table, y) for table in (X, sparse.csc_array(X))
    )
    np.testing.assert_allclose(dense.coef_, other.coef_, atol=1e-9)
    np.testing.assert_allclose(dense.intercept_, other.intercept_, atol=1e-9)
