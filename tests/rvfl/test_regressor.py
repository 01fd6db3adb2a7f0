"""The regressor: the formula, the two systems, chunks and weights."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import Ridge

from imbkit.rvfl import RVFLRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
Y = np.column_stack([np.sin(X[:, 0]), X[:, 1] ** 2, X.sum(axis=1)])


def features(model, rows):
    hidden = np.maximum(rows @ model.random_weights_ + model.random_bias_, 0)
    return np.column_stack([rows, hidden, np.ones(len(rows))])


@pytest.mark.parametrize("solver", ["primal", "dual"])
@pytest.mark.parametrize("y", [Y, Y[:, :1], Y[:, 0]], ids=["three", "column", "flat"])
def test_the_solution_is_that_of_ridge(solver, y):
    weights = RNG.integers(0, 3, 200).astype(float)
    model = RVFLRegressor(15, C=4.0, solver=solver, chunk_size=33, random_state=0)
    model.fit(X, y, weights)
    H = features(model, X)
    known = Ridge(alpha=0.25, fit_intercept=False, solver="cholesky").fit(H, y, weights)
    assert_allclose(model.coef_, known.coef_.T.reshape(model.coef_.shape), rtol=1e-8, atol=1e-11)
    assert model.coef_.shape == (19, *y.shape[1:])
    assert_allclose(model.predict(X), H @ model.coef_, atol=1e-10)
    assert model.predict(X).shape == y.shape
    assert model.regularization_ == 0.25


@pytest.mark.parametrize("solver", ["primal", "dual"])
@pytest.mark.parametrize("y", [Y, Y[:, 0]], ids=["three", "flat"])
def test_a_path_is_the_direct_solutions(solver, y):
    model = RVFLRegressor(15, solver=solver, random_state=0).fit(X, y)
    Cs = np.logspace(-4, 4, 5)
    for C, coef in zip(Cs, model.coef_path(Cs), strict=True):
        known = clone(model).set_params(C=C).fit(X, y).coef_
        assert_allclose(coef, known, rtol=1e-8, atol=1e-8 * abs(known).max())


@pytest.mark.parametrize("n_hidden", [10, 300])
def test_any_chunks_give_the_fit(n_hidden):
    weights = RNG.integers(0, 3, 200).astype(float)
    known = RVFLRegressor(n_hidden, random_state=0).fit(X, Y, weights)
    model = RVFLRegressor(n_hidden, chunk_size=9, random_state=0)
    for rows in np.array_split(np.arange(200), 7):
        model.partial_fit(X[rows], Y[rows], weights[rows])
        model = pickle.loads(pickle.dumps(model))
    assert_allclose(model.coef_, known.coef_, rtol=1e-8, atol=1e-9)
    assert model.solver_ == known.solver_
    repeated = [np.repeat(each, weights.astype(int), axis=0) for each in (X, Y)]
    again = RVFLRegressor(n_hidden, random_state=0).fit(*repeated)
    assert_allclose(again.coef_, known.coef_, rtol=1e-7, atol=1e-9)


def test_rows_of_weight_0_do_not_count_for_the_choice_of_the_system():
    weights = np.where(np.arange(200) < 15, 1.0, 0.0)
    model = RVFLRegressor(30, random_state=0).fit(X, Y, weights)
    known = RVFLRegressor(30, random_state=0).fit(X[:15], Y[:15])
    assert model.solver_ == known.solver_ == "dual"
    assert_allclose(model.coef_, known.coef_, rtol=1e-9)


def test_sparse_rows_are_dense_ones():
    rows = np.where(abs(X) > 0.7, X, 0.0)
    model = RVFLRegressor(12, random_state=0)
    assert_allclose(
        clone(model).fit(sparse.csr_array(rows), Y).predict(sparse.csr_array(rows)),
        model.fit(rows, Y).predict(rows),
        atol=1e-10,
    )


def test_it_learns_what_a_line_cannot():
    model = RVFLRegressor(200, C=1e3, random_state=0).fit(X[:150], Y[:150, 1])
    linear = RVFLRegressor(0, C=1e3).fit(X[:150], Y[:150, 1])
    assert model.score(X[150:], Y[150:, 1]) > 0.9 > 0.5 > linear.score(X[150:], Y[150:, 1])


def test_targets_stay_as_many():
    model = RVFLRegressor(5).fit(X, Y)
    with pytest.raises(ValueError, match="y must have 3 targets, as at the calls before. Got 1"):
        model.partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match="2 features, but RVFLRegressor is expecting 3"):
        model.partial_fit(X[:, :2], Y)
    with pytest.raises(ValueError, match="shape what is kept"):
        model.set_params(direct_link=False).partial_fit(X, Y)
    assert_array_equal(model.set_params(direct_link=True).coef_path([1.0])[0], model.coef_)
