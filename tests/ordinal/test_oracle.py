"""The oracle is held against numbers of other kinds before it judges anybody."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy.optimize import minimize

LINKS = ("logit", "probit", "cloglog")
STRUCTURES = ("adjacent", "shared", "free")


def decimal_cdf(link, eta):
    eta = Decimal(eta)
    if link == "logit":
        return 1 / (1 + (-eta).exp())
    if link == "cloglog":
        return 1 - (-(eta.exp())).exp()
    # The series of the normal distribution: exact enough with many digits for |eta| <= 9.
    term = total = eta
    for k in range(1, 400):
        term = -term * eta * eta / (2 * k)
        total += term / (2 * k + 1)
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620")
    return Decimal("0.5") + total / (2 * pi).sqrt()


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(-1.0, 0.5), (0.3, 0.3 + 2**-20), (-9.0, -8.75), (-7.5, 4.0), (2.0, 2.5)],
)
@pytest.mark.parametrize("link", LINKS)
def test_probabilities_between_two_boundaries(oracle, link, lower, upper):
    with localcontext() as context:
        context.prec = 75
        low, high = decimal_cdf(link, lower), decimal_cdf(link, upper)
        logs = {
            "between": float((high - low).ln()),
            "cdf": float(high.ln()),
            "survival": float((1 - high).ln()),
        }
    found = oracle.log_between(link, np.array([upper]), np.array([lower]))[0]
    assert found == pytest.approx(logs["between"], rel=1e-10, abs=1e-10)
    at = np.array([upper])
    assert oracle.log_cdf(link, at)[0] == pytest.approx(logs["cdf"], rel=1e-13)
    assert oracle.log_survival(link, at)[0] == pytest.approx(logs["survival"], rel=1e-13)


def random_point(oracle, structure, link, seed=3):
    X, codes, weights = oracle.draw(seed, n=80, p=3, n_classes=4)
    problem = oracle.Problem(
        X, codes, 4, structure=structure, link=link, weights=weights, l1_ratio=0.4
    )
    rng = np.random.default_rng(seed)
    theta = 0.05 * rng.normal(size=problem.factor.shape)
    return problem, problem.null_intercepts(), theta


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("link", LINKS)
def test_the_gradient_is_that_of_the_loss(oracle, structure, link):
    problem, intercepts, theta = random_point(oracle, structure, link)
    assert problem.smallest_gap(intercepts, theta) > 0.01

    def loss(x):
        return problem.loss_and_slopes(x[:3], x[3:].reshape(theta.shape))[0]

    by_intercepts, by_theta = problem.gradient(intercepts, theta)
    x = np.concatenate([intercepts, theta.ravel()])
    steps = [(loss(x + h) - loss(x - h)) / 2e-5 for h in 1e-5 * np.eye(len(x))]
    np.testing.assert_allclose(np.concatenate([by_intercepts, by_theta.ravel()]), steps, atol=1e-8)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_public_coefficients_come_back(oracle, structure):
    problem, intercepts, theta = random_point(oracle, structure, "logit")

    class Model:
        coef_, intercept_ = problem.public(intercepts, theta)

    if structure == "shared":
        Model.coef_ = Model.coef_[:1]
    again = problem.of(Model)
    np.testing.assert_allclose(again[0], intercepts, atol=1e-12)
    np.testing.assert_allclose(again[1], theta, atol=1e-14)
    # P(y <= k) = F(-(intercept_ + coef_ @ x)) on the original columns
    eta = -(Model.intercept_ + problem.X @ np.asarray(Model.coef_).T)
    np.testing.assert_allclose(eta, problem.scores(intercepts, theta), atol=1e-11)


@pytest.mark.parametrize(("s", "t"), [(0.4, 0.7), (3.0, 2.5), (0.01, 0.9), (50.0, 50.2)])
def test_conjugate_is_a_supremum(oracle, s, t):
    def minus(x):
        lower, upper = x[0], x[0] + np.exp(x[1])
        return -(s * lower - t * upper + oracle.log_between("logit", upper, lower))

    best = -minimize(minus, [0.0, 0.0], method="Nelder-Mead", tol=1e-13).fun
    assert oracle.conjugate(s, t, False, False) == pytest.approx(best, abs=1e-9)


def test_the_violation_sees_a_coordinate_that_is_off(oracle):
    problem, *_ = random_point(oracle, "adjacent", "logit")
    problem = problem.but(alpha=0.05)
    best = oracle.solve(problem)
    assert problem.violation(*best) < 1e-7
    value = problem.objective(*best)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = (best[0] + 1e-3 * rng.normal(size=3), best[1] + 1e-3 * rng.normal(size=(3, 3)))
        assert problem.objective(*other) > value
        assert problem.violation(*other) > 1e-5


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_two_oracles_agree(oracle, structure, l1_ratio):
    X, codes, weights = oracle.draw(5, n=120, p=3, n_classes=4)
    problem = oracle.Problem(
        X, codes, 4, structure=structure, weights=weights, alpha=0.02, l1_ratio=l1_ratio
    )
    value = problem.objective(*oracle.solve(problem))
    assert problem.objective(*oracle.solve_by_cones(problem)) == pytest.approx(value, rel=1e-8)


def test_the_gap_of_the_best_point_is_nothing(oracle):
    X, codes, weights = oracle.draw(6, n=120, p=3, n_classes=4)
    problem = oracle.Problem(X, codes, 4, weights=weights, alpha=0.02)
    assert abs(oracle.gap_of_lasso(problem, *oracle.solve(problem))) < 1e-7
