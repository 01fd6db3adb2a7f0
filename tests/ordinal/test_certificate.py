"""The duality gap: against brute force, another solver's optimum, and what a bound must be."""

from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize

from imbkit.ordinal import _certificate
from imbkit.ordinal._certificate import duality_gap
from imbkit.ordinal._design import Design
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solution import solution_at
from imbkit.ordinal._solve import null_model, solve_path

STRUCTURES = ["adjacent", "shared", "free"]


def build(oracle, structure, n_classes, *, seed=0, level=1.0, link="logit", l1_ratio=1.0, to=None):
    """The package's problem and penalty, and the oracle's of the same rows."""
    X, codes, weights = oracle.draw(seed, n=120, p=3, n_classes=n_classes)
    given = X if to is None else to(X)
    design = Design.of(given, codes, weights, n_classes)
    penalty = Penalty.of(structure, design, level_penalty=level, l1_ratio=l1_ratio)
    plain = oracle.Problem(
        X, codes, n_classes, structure=structure, weights=weights, level_penalty=level
    )
    return Problem(design, LINKS[link]), penalty, plain


def fitted(problem, penalty, plain, oracle, share):
    """The optimum for a share of the largest alpha: the oracle's, to the digits of Newton's."""
    plain = plain.but(alpha=share * plain.alpha_max())
    intercepts, theta = oracle.solve(plain)
    # Sparse columns are not centred: other intercepts of the same model.
    off = penalty.spread(theta) @ ((plain.mean - problem.design.mean) / plain.scale)
    near = solution_at(problem, penalty, plain.alpha, intercepts - off, theta)
    null = null_model(problem, penalty, tol=1e-12, max_iter=100)
    (best,) = solve_path(problem, penalty, [plain.alpha], null=null, tol=1e-12, start=near)
    assert best.objective == pytest.approx(near.objective, rel=1e-9)
    return best, plain.alpha


# --- the conjugate


def brute_force_between(s, t):
    """The largest s a - t b + log(F(b) - F(a)), over a and the logarithm of b - a."""

    def negative(z):
        a, gap = z[0], np.exp(z[1])
        loss, by_upper, by_lower = LINKS["logit"].between(np.array([a + gap]), np.array([a]))
        by_a = by_upper[0] + by_lower[0] + t - s
        return loss[0] + t * (a + gap) - s * a, np.array([by_a, gap * (by_upper[0] + t)])

    best = minimize(negative, [0.0, 0.0], jac=True, method="BFGS", options={"gtol": 1e-9})
    return -best.fun


def test_conjugate_between_is_the_largest_value():
    rng = np.random.default_rng(0)
    s = 10.0 ** rng.uniform(-3, 2, size=60)
    t = np.maximum(s + rng.uniform(-0.99, 0.99, size=60), 1e-3)
    t = np.clip(t, s - 0.999, s + 0.999)
    found = _certificate._of_between(s, t, 1 + s - t, 1 - s + t)
    wanted = [brute_force_between(*pair) for pair in zip(s, t, strict=True)]
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_conjugate_of_an_end_is_the_largest_value():
    z = np.linspace(-30, 30, 600_001)
    for u in (0.0, 1e-6, 0.2, 0.5, 0.99, 1.0):
        found = _certificate._of_end(np.array([u]))[0]
        assert found == pytest.approx(np.max(u * z - np.logaddexp(0, z)), abs=1e-8)


@pytest.mark.parametrize("lower", [-600.0, -50.0, -2.0, 0.0, 3.0, 40.0])
@pytest.mark.parametrize("gap", [1e-9, 1e-4, 0.5, 20.0])
def test_conjugate_meets_its_scores_where_slopes_are_extreme(lower, gap):
    """At the slopes of a row's own scores the conjugate is s a - t b - loss."""
    with localcontext() as context:
        context.prec = 700
        a = Decimal(lower)
        b = a + Decimal(gap)

        def cdf(eta):
            return 1 / (1 + (-eta).exp())

        r = 1 / ((b - a).exp() - 1)
        s, t = cdf(a) + r, cdf(-b) + r
        wanted = float(s * a - t * b + (cdf(b) - cdf(a)).ln())
        arguments = [np.array([float(v)]) for v in (s, t, cdf(a) + cdf(b), cdf(-a) + cdf(-b))]
    found = _certificate._of_between(*arguments)[0]
    # The maximum moves by a times an error of s, and a is of the size of the position here.
    slack = 1e-15 * (1 + abs(lower)) * (1 + float(abs(s - t))) + 1e-15 * float(s) * gap
    assert found == pytest.approx(wanted, rel=1e-13, abs=10 * slack)


def test_conjugate_of_slopes_that_are_zero():
    zero, t = np.zeros(3), np.array([0.0, 0.3, 0.9])
    for found in (
        _certificate._of_between(zero, t, 1 - t, 1 + t),
        _certificate._of_between(t, zero, 1 + t, 1 - t),
    ):
        np.testing.assert_allclose(found, _certificate._of_end(t), atol=1e-15)


# --- the gap


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("share", [0.6, 0.05])
def test_no_gap_at_the_optimum(oracle, structure, n_classes, share):
    problem, penalty, plain = build(oracle, structure, n_classes, seed=n_classes)
    best, alpha = fitted(problem, penalty, plain, oracle, share)
    assert best.objective == pytest.approx(
        plain.but(alpha=alpha).objective(best.intercepts, best.theta)
    )
    assert -1e-12 <= duality_gap(problem, penalty, alpha, best) <= 1e-8


@pytest.mark.parametrize(
    "to", [sparse.csr_array, np.float32, lambda X: sparse.csr_array(X, dtype=np.float32)]
)
def test_sparse_and_single_precision_tables(oracle, to):
    problem, penalty, plain = build(oracle, "adjacent", 4, seed=1, to=to)
    best, alpha = fitted(problem, penalty, plain, oracle, 0.2)
    assert -1e-12 <= duality_gap(problem, penalty, alpha, best) <= 1e-8


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("level", [1.0, 0.0])
def test_the_gap_bounds_how_far_any_point_is_from_the_best(oracle, structure, level):
    problem, penalty, plain = build(oracle, structure, 4, seed=2, level=level)
    best, alpha = fitted(problem, penalty, plain, oracle, 0.1)
    rng = np.random.default_rng(3)
    for size in (1e-4, 1e-3, 1e-2, 0.05):
        for _ in range(3):
            theta = best.theta + size * rng.normal(size=best.theta.shape)
            moved = solution_at(problem, penalty, alpha, best.intercepts, theta)
            gap = duality_gap(problem, penalty, alpha, moved)
            assert gap >= moved.objective - best.objective - 1e-10
            assert gap < 20 * np.sqrt(best.theta.size) * size
    nothing = solution_at(problem, penalty, alpha, plain.null_intercepts(), 0 * best.theta)
    assert duality_gap(problem, penalty, alpha, nothing) >= nothing.objective - best.objective


def test_the_gap_grows_as_the_solution_moves_away(oracle):
    problem, penalty, plain = build(oracle, "adjacent", 4, seed=4)
    best, alpha = fitted(problem, penalty, plain, oracle, 0.2)
    away = np.random.default_rng(5).normal(size=best.theta.shape)
    gaps = []
    for size in (0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
        point = solution_at(problem, penalty, alpha, best.intercepts, best.theta + size * away)
        gaps.append(duality_gap(problem, penalty, alpha, point))
    assert np.all(np.diff(gaps) > 0)


def test_unpenalised_coordinates_off_their_optimum_add_their_own_loss_alone(oracle):
    problem, penalty, plain = build(oracle, "adjacent", 4, seed=6, level=0.0)
    best, alpha = fitted(problem, penalty, plain, oracle, 0.2)
    base = duality_gap(problem, penalty, alpha, best)
    theta = best.theta.copy()
    theta[0] += [0.2, -0.1, 0.3]
    moved = solution_at(problem, penalty, alpha, best.intercepts + [0.3, 0.4, 0.5], theta)
    gap = duality_gap(problem, penalty, alpha, moved)
    rise = moved.objective - best.objective
    assert rise > 1e-3
    assert gap == pytest.approx(base + rise, abs=1e-10)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_gap_is_the_one_written_out_from_its_definition(oracle, structure):
    """Away from the optimum too, where slopes are shrunk, once the intercepts are best."""
    problem, penalty, plain = build(oracle, structure, 4, seed=7)
    plain = plain.but(alpha=0.01)
    theta = 0.1 * np.random.default_rng(8).normal(size=plain.factor.shape)
    start = solution_at(problem, penalty, 0.01, plain.null_intercepts(), theta)

    def value(intercepts):
        loss, slopes = plain.loss_and_slopes(intercepts, theta)
        return loss, slopes.sum(axis=0)

    intercepts = minimize(value, start.intercepts, jac=True, options={"gtol": 1e-10}).x
    wanted = oracle.gap_of_lasso(plain, intercepts, theta)
    point = solution_at(problem, penalty, 0.01, intercepts, theta)
    assert wanted > 1e-3
    assert duality_gap(problem, penalty, 0.01, point) == pytest.approx(wanted, abs=1e-8)


def test_penalty_factors_scale_each_coordinate_by_its_own(oracle):
    problem, penalty, _ = build(oracle, "free", 3, seed=9)
    factor = np.array([[1.0, 3.0, 0.2], [0.5, 1.0, 0.0]])
    penalty = replace(penalty, lasso=factor)
    alpha = 0.03

    def value(z):
        intercepts, theta = z[:2], (z[2:8] - z[8:]).reshape(2, 3)
        state = problem.evaluate(intercepts, theta)
        if not np.isfinite(state.loss):
            return 1e10, np.zeros(14)
        slopes, gradient = problem.gradient(state)
        cost = alpha * factor.ravel()
        both = [slopes, gradient.ravel() + cost, cost - gradient.ravel()]
        return state.loss + cost @ (z[2:8] + z[8:]), np.concatenate(both)

    start = np.concatenate([[0.0, 2.0], np.zeros(12)])
    bounds = [(None, None)] * 2 + [(0, None)] * 12
    z = minimize(value, start, jac=True, bounds=bounds, options={"ftol": 0, "gtol": 1e-11}).x
    z[2:] -= np.tile(np.minimum(z[2:8], z[8:]), 2)
    best = solution_at(problem, penalty, alpha, z[:2], (z[2:8] - z[8:]).reshape(2, 3))
    assert best.violation < 1e-5
    assert -1e-12 <= duality_gap(problem, penalty, alpha, best) <= 1e-8
    rng = np.random.default_rng(0)
    for _ in range(10):
        theta = best.theta + 0.02 * rng.normal(size=(2, 3))
        moved = solution_at(problem, penalty, alpha, best.intercepts, theta)
        assert duality_gap(problem, penalty, alpha, moved) >= moved.objective - best.objective


def test_rows_whose_boundaries_nearly_meet(oracle):
    """Slopes of 1e8 and more: the bound is loose there but holds, and it is a number."""
    problem, penalty, plain = build(oracle, "adjacent", 4, seed=10)
    best, alpha = fitted(problem, penalty, plain, oracle, 0.2)
    eta = best.intercepts.copy()
    eta[1] = eta[0] + 1e-9
    close = solution_at(problem, penalty, alpha, eta, 0 * best.theta)
    gap = duality_gap(problem, penalty, alpha, close)
    assert np.isfinite(gap)
    assert gap >= close.objective - best.objective


@pytest.mark.parametrize(
    ("link", "l1_ratio", "alpha"),
    [("probit", 1.0, 0.1), ("cloglog", 1.0, 0.1), ("logit", 0.99, 0.1), ("logit", 1.0, 0.0)],
)
def test_no_number_where_no_dual_value_is_at_hand(oracle, link, l1_ratio, alpha):
    problem, penalty, plain = build(oracle, "adjacent", 3, link=link, l1_ratio=l1_ratio)
    point = solution_at(problem, penalty, alpha, np.array([0.0, 1.5]), 0 * plain.factor)
    assert np.isnan(duality_gap(problem, penalty, alpha, point))


def test_no_number_where_unpenalised_coordinates_do_not_settle(oracle, monkeypatch):
    problem, penalty, plain = build(oracle, "adjacent", 3)
    point = solution_at(problem, penalty, 0.1, np.array([0.0, 1.5]), 0 * plain.factor)
    assert np.isfinite(duality_gap(problem, penalty, 0.1, point))
    monkeypatch.setattr(_certificate, "_STEPS", 1)
    assert np.isnan(duality_gap(problem, penalty, 0.1, point))


def test_separated_rows_with_an_unpenalised_level():
    """The level goes to infinity and the loss to 0: the bound is the whole loss, or no number."""
    X = np.arange(30.0)[:, None]
    design = Design.of(X, np.repeat([0, 1, 2], 10), np.ones(30), 3)
    problem = Problem(design, LINKS["logit"])
    penalty = Penalty.of("adjacent", design, level_penalty=0.0)
    point = solution_at(problem, penalty, 0.1, np.array([-0.7, 0.7]), np.zeros((2, 1)))
    gap = duality_gap(problem, penalty, 0.1, point)
    assert np.isnan(gap) or gap == pytest.approx(point.objective, abs=1e-6)
