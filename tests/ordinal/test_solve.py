"""The null model, paths, and what Newton's method leaves nothing to wish for."""

import itertools

import numpy as np
import pytest

from imbkit.ordinal import _solve
from imbkit.ordinal._design import Design
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solution import solution_at
from imbkit.ordinal._solve import null_model, solve_path

STRUCTURES = ("adjacent", "shared", "free")


def problem(seed=0, n=300, p=5, n_classes=4, link="logit", repeat=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ np.triu(rng.normal(size=(p, p)))
    latent = X @ rng.normal(size=p) / 2 + rng.logistic(size=n)
    cuts = np.quantile(latent, np.linspace(0, 1, n_classes + 1)[1:-1])
    design = Design.of(
        np.tile(X, repeat), np.searchsorted(cuts, latent), rng.uniform(0.5, 2, n), n_classes
    )
    return Problem(design, LINKS[link])


def path(loss, penalty, *, ratio=1e-2, count=8, tol=1e-10, **options):
    null = null_model(loss, penalty, tol=tol, max_iter=100)
    alphas = null.alpha_max * np.geomspace(1, ratio, count)
    return null, alphas, list(solve_path(loss, penalty, alphas, null=null, tol=tol, **options))


@pytest.mark.parametrize(("link", "structure"), list(itertools.product(LINKS, STRUCTURES)))
def test_null_intercepts_are_optimal_in_closed_form(link, structure):
    loss = problem(link=link)
    penalty = Penalty.of(structure, loss.design)
    null = null_model(loss, penalty, tol=1e-10, max_iter=100)
    assert np.max(np.abs(null.solution.slopes)) < 1e-14
    np.testing.assert_array_equal(null.solution.theta, 0)


def test_a_free_level_is_fitted_in_the_null_model():
    loss = problem()
    level = Penalty.of("adjacent", loss.design, level_penalty=0.0)
    null = null_model(loss, level, tol=1e-10, max_iter=50)
    odds = Penalty.of("shared", loss.design)
    start = null_model(loss, odds, tol=1e-10, max_iter=50)
    (alone,) = solve_path(loss, odds, [0.0], null=start, tol=1e-10)
    np.testing.assert_allclose(null.solution.theta[:1], alone.theta, rtol=1e-8)
    np.testing.assert_array_equal(null.solution.theta[1:], 0)


@pytest.mark.parametrize(
    ("link", "structure", "l1_ratio"),
    list(itertools.product(LINKS, STRUCTURES, (1.0, 0.4, 0.0))),
)
def test_every_point_of_a_path_meets_the_conditions(link, structure, l1_ratio):
    loss = problem(link=link)
    penalty = Penalty.of(structure, loss.design, l1_ratio=l1_ratio)
    null, _, points = path(loss, penalty)
    for point in points:
        assert point.converged
        assert point.violation <= null.goal(1e-10)


def test_the_path_starts_where_the_first_coordinate_moves():
    loss = problem()
    penalty = Penalty.of("adjacent", loss.design)
    null = null_model(loss, penalty, tol=1e-10, max_iter=100)
    above, below = (
        next(iter(solve_path(loss, penalty, [factor * null.alpha_max], null=null, tol=1e-10)))
        for factor in (1.0001, 0.99)
    )
    assert not above.theta.any()
    assert below.theta.any()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_warm_points_equal_cold_ones(structure):
    loss = problem()
    penalty = Penalty.of(structure, loss.design, l1_ratio=0.9)
    null, alphas, points = path(loss, penalty)
    for alpha, warm in zip(alphas[2:], points[2:], strict=True):
        fresh = Problem(loss.design, loss.link)
        (cold,) = solve_path(fresh, penalty, [alpha], null=null, tol=1e-10)
        np.testing.assert_allclose(warm.theta, cold.theta, atol=1e-7)
        np.testing.assert_allclose(warm.objective, cold.objective, rtol=1e-12)


def test_screening_changes_nothing_but_the_work(monkeypatch):
    loss = problem(p=30)
    penalty = Penalty.of("adjacent", loss.design)
    _, _, screened = path(loss, penalty)

    def look_at_all(*parts, candidates, **options):
        return newton(*parts, candidates=np.ones_like(candidates), **options)

    newton = _solve.SOLVERS["newton-cd"]
    monkeypatch.setitem(_solve.SOLVERS, "newton-cd", look_at_all)
    _, _, whole = path(Problem(loss.design, loss.link), penalty)
    for one, other in zip(screened, whole, strict=True):
        np.testing.assert_allclose(one.theta, other.theta, atol=1e-7)


def test_repeated_columns_share_one_optimum():
    once, twice = problem(), problem(repeat=2)
    objectives = [
        [point.objective for point in path(loss, Penalty.of("adjacent", loss.design))[2]]
        for loss in (once, twice)
    ]
    np.testing.assert_allclose(*objectives, rtol=1e-10)


def test_constant_columns_stay_at_zero_also_without_a_penalty():
    loss = problem()
    X = np.column_stack([loss.design.X, np.ones(len(loss.design.X))])
    codes = np.repeat(np.arange(4), np.diff(loss.design.starts))
    wider = Problem(Design.of(X, codes, loss.design.weights, 4), loss.link)
    penalty = Penalty.of("adjacent", wider.design)
    null = null_model(wider, penalty, tol=1e-10, max_iter=100)
    (point,) = solve_path(wider, penalty, [0.0], null=null, tol=1e-10)
    np.testing.assert_array_equal(point.theta[:, -1], 0)
    assert point.converged


def test_too_few_iterations_are_not_called_converged():
    loss = problem()
    penalty = Penalty.of("adjacent", loss.design)
    null = null_model(loss, penalty, tol=1e-10, max_iter=100)
    (point,) = solve_path(loss, penalty, [null.alpha_max / 100], null=null, tol=1e-10, max_iter=1)
    assert not point.converged
    told = solution_at(loss, penalty, null.alpha_max / 100, point.intercepts, point.theta)
    assert told.violation == point.violation > null.goal(1e-10)


def test_each_alpha_is_better_than_its_neighbours_at_its_own_objective():
    loss = problem()
    penalty = Penalty.of("adjacent", loss.design, l1_ratio=0.7)
    _, alphas, points = path(loss, penalty)
    for own, alpha in zip(points, alphas, strict=True):
        for other in points:
            assert own.objective <= other.loss + penalty.value(other.theta, alpha) + 1e-12
