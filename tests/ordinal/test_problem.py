"""Loss, gradient and Hessian of a table: against the definition and finite differences."""

from itertools import product

import numpy as np
import pytest
from scipy import sparse

from imbkit.ordinal import _hessian, _problem
from imbkit.ordinal._design import Design
from imbkit.ordinal._hessian import hessian
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem

STRUCTURES = ["adjacent", "shared", "free"]
TABLES = {
    "dense": np.asarray,
    "float32": np.float32,
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "csr float32": lambda X: sparse.csr_array(X, dtype=np.float32),
}


def rows(n_classes, n=90, p=4, seed=0):
    """A table with zeros, codes in no order, weights of which some are 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(2.0, 3.0, size=(n, p)) * (rng.random((n, p)) < 0.6)
    codes = rng.permutation(np.arange(n) % n_classes)
    weights = rng.choice([0.0, 0.3, 1.0, 2.0], size=n)
    weights[[np.flatnonzero(codes == k)[0] for k in range(n_classes)]] = 1.0
    return X, codes, weights


def problem_and_point(structure, link, n_classes, table="dense", seed=0):
    """A problem and a point at which boundaries cross nowhere, all coordinates apart from 0."""
    X, codes, weights = rows(n_classes, seed=seed)
    design = Design.of(TABLES[table](X), codes, weights, n_classes)
    rng = np.random.default_rng(seed + 1)
    penalty = Penalty.of(structure, design)
    theta = 0.08 * rng.normal(size=penalty.lasso.shape)
    intercepts = np.linspace(-1.5, 1.0, n_classes - 1) + 0.05 * rng.normal(size=n_classes - 1)
    return Problem(design, LINKS[link]), penalty, intercepts, theta


def value_at(problem, penalty, z):
    """The loss of intercepts and theta in one vector."""
    m = problem.design.n_classes - 1
    return problem.evaluate(z[:m], penalty.spread(z[m:].reshape(penalty.lasso.shape))).loss


def gradient_at(problem, penalty, z):
    """The gradient by the same vector."""
    m = problem.design.n_classes - 1
    state = problem.evaluate(z[:m], penalty.spread(z[m:].reshape(penalty.lasso.shape)))
    slopes, by_boundary = problem.gradient(state)
    return np.concatenate([slopes, penalty.collect(by_boundary).ravel()])


def differences(function, z):
    """Central differences of fourth order, of a number or of a vector."""
    step, out = 1e-3, []
    for direction in np.eye(len(z)) * step:
        near = function(z + direction) - function(z - direction)
        far = function(z + 2 * direction) - function(z - 2 * direction)
        out.append((8 * near - far) / (12 * step))
    return np.array(out)


EVERY = list(product(STRUCTURES, LINKS, range(2, 7)))


@pytest.mark.parametrize(("structure", "link", "n_classes"), EVERY)
def test_gradient_is_the_slope_of_the_loss(structure, link, n_classes):
    problem, penalty, *point = problem_and_point(structure, link, n_classes)
    z = np.concatenate([part.ravel() for part in point])
    wanted = differences(lambda at: value_at(problem, penalty, at), z)
    np.testing.assert_allclose(gradient_at(problem, penalty, z), wanted, atol=1e-8)


@pytest.mark.parametrize(("structure", "link", "n_classes"), EVERY)
def test_hessian_is_the_slope_of_the_gradient(structure, link, n_classes):
    problem, penalty, intercepts, theta = problem_and_point(structure, link, n_classes)
    z = np.concatenate([intercepts, theta.ravel()])
    state = problem.evaluate(intercepts, penalty.spread(theta))
    found = hessian(problem, state, np.arange(theta.shape[1]), structure).matrix
    wanted = differences(lambda at: gradient_at(problem, penalty, at), z)
    np.testing.assert_allclose(found, wanted, atol=1e-7)
    np.testing.assert_allclose(found, found.T, atol=1e-15)
    assert np.linalg.eigvalsh(found).min() > -1e-14


@pytest.mark.parametrize("table", list(TABLES))
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_derivatives_of_every_kind_of_table(table, structure, n_classes, monkeypatch):
    # Blocks of few rows, so that a small table has several.
    monkeypatch.setattr(_problem, "_ROWS", 7)
    monkeypatch.setattr(_hessian, "_CELLS", 40)
    problem, penalty, intercepts, theta = problem_and_point(structure, "logit", n_classes, table)
    z = np.concatenate([intercepts, theta.ravel()])
    by_value = differences(lambda at: value_at(problem, penalty, at), z)
    np.testing.assert_allclose(gradient_at(problem, penalty, z), by_value, atol=1e-8)
    state = problem.evaluate(intercepts, penalty.spread(theta))
    found = hessian(problem, state, np.arange(theta.shape[1]), structure).matrix
    wanted = differences(lambda at: gradient_at(problem, penalty, at), z)
    np.testing.assert_allclose(found, wanted, atol=1e-7)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("table", ["dense", "float32", "csr"])
def test_hessian_of_some_columns_is_a_part_of_the_whole(structure, table):
    problem, penalty, intercepts, theta = problem_and_point(structure, "probit", 4, table)
    state = problem.evaluate(intercepts, penalty.spread(theta))
    whole = hessian(problem, state, np.arange(4), structure).matrix
    for columns in ([], [2], [0, 3], [0, 1, 2, 3]):
        columns = np.array(columns, dtype=np.intp)
        kept = np.zeros_like(theta, dtype=bool)
        kept[:, columns] = True
        places = np.concatenate([np.arange(3), 3 + np.flatnonzero(kept)])
        part = hessian(problem, state, columns, structure)
        np.testing.assert_array_equal(part.columns, columns)
        np.testing.assert_allclose(part.matrix, whole[np.ix_(places, places)], atol=1e-14)


@pytest.mark.parametrize("n_classes", range(2, 7))
@pytest.mark.parametrize("link", list(LINKS))
@pytest.mark.parametrize("table", ["dense", "float32", "csr"])
def test_loss_is_the_weighted_mean_of_minus_log_probabilities(link, n_classes, table):
    X, codes, weights = rows(n_classes)
    problem, penalty, intercepts, theta = problem_and_point("free", link, n_classes, table)
    design = problem.design
    eta = intercepts + (X - design.mean) / design.scale @ penalty.spread(theta).T
    below = np.column_stack([np.zeros(len(X)), LINKS[link].cdf(eta), np.ones(len(X))])
    own = np.diff(below, axis=1)[np.arange(len(X)), codes]
    wanted = -np.average(np.log(own), weights=weights)
    # A float32 table holds its columns to 7 digits.
    exact = 1e-6 if table == "float32" else 1e-13
    state = problem.evaluate(intercepts, penalty.spread(theta))
    assert state.loss == pytest.approx(wanted, rel=exact)
    assert problem.crossings(intercepts, penalty.spread(theta)) == 0
    np.testing.assert_allclose(problem.shares().sum(), 1.0)


def test_scores_are_linear_in_the_point():
    problem, penalty, intercepts, theta = problem_and_point("adjacent", "logit", 4)
    rng = np.random.default_rng(2)
    d_intercepts, d_theta = rng.normal(size=3), rng.normal(size=theta.shape)
    state = problem.evaluate(intercepts, penalty.spread(theta))
    d_upper, d_lower = problem.scores(d_intercepts, penalty.spread(d_theta))
    moved = problem.evaluate(intercepts + d_intercepts, penalty.spread(theta + d_theta))
    np.testing.assert_allclose(state.upper + d_upper, moved.upper, atol=1e-13)
    np.testing.assert_allclose(state.lower + d_lower, moved.lower, atol=1e-13)
    again = problem.state(state.upper + 0 * d_upper, state.lower + 0 * d_lower)
    assert again.loss == state.loss


def test_loss_is_infinite_where_a_row_has_no_probability():
    problem, penalty, intercepts, theta = problem_and_point("adjacent", "logit", 4)
    assert problem.evaluate(intercepts[::-1], penalty.spread(0 * theta)).loss == np.inf
    theta[1, 0] = 100.0
    assert problem.evaluate(intercepts, penalty.spread(theta)).loss == np.inf


def test_crossings_are_rows_with_boundaries_out_of_order():
    problem, penalty, intercepts, theta = problem_and_point("free", "logit", 5)
    theta[1] += [3.0, 0.0, 0.0, 0.0]
    eta = problem.design.X @ theta.T + intercepts
    wanted = np.count_nonzero((np.diff(eta, axis=1) < 0).any(axis=1))
    assert 0 < wanted < len(eta)
    assert problem.crossings(intercepts, penalty.spread(theta)) == wanted


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("link", list(LINKS))
def test_integer_weights_are_repeated_rows(structure, link):
    X, codes, _ = rows(4)
    times = np.random.default_rng(3).integers(0, 4, size=len(X))
    times[:20] = 1
    intercepts = np.array([-1.0, 0.2, 1.0])
    results = []
    for table, labels, weights in (
        (X, codes, times.astype(float)),
        (np.repeat(X, times, axis=0), np.repeat(codes, times), np.ones(times.sum())),
    ):
        design = Design.of(table, labels, weights, 4)
        penalty = Penalty.of(structure, design)
        theta = 0.05 * np.random.default_rng(5).normal(size=penalty.lasso.shape)
        problem = Problem(design, LINKS[link])
        state = problem.evaluate(intercepts, penalty.spread(theta))
        slopes, by_boundary = problem.gradient(state)
        matrix = hessian(problem, state, np.arange(4), structure).matrix
        results.append([np.array(state.loss), slopes, by_boundary, matrix])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-13)
