"""Every fit is optimal: judged from the public coefficients by an oracle that shares no code."""

import itertools
import warnings
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from imbkit.ordinal import (
    CumulativeLinkClassifier,
    PRESTOClassifier,
    ProportionalOddsClassifier,
    presto_path,
)
from imbkit.ordinal._design import Design
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solve import SOLVERS, null_model

MODELS = {
    "adjacent": PRESTOClassifier,
    "shared": ProportionalOddsClassifier,
    "free": CumulativeLinkClassifier,
}
CROSSED = {
    "structure": ("adjacent", "shared", "free"),
    "link": ("logit", "probit", "cloglog"),
    "l1_ratio": (0.0, 0.3, 1.0),
    "level_penalty": (0.0, 0.5, 1.0),
    "solver": ("newton-cd", "cd", "fista"),
}
VARIED = {
    "n_classes": (2, 3, 4, 6),
    "size": ((60, 1), (150, 3), (400, 8)),
    "share": (0.6, 0.1, 0.02),
    "standardize": (True, False),
    "weighted": (True, False),
}


def pairwise(levels, seed=0):
    """Few settings that hold every pair of levels of any two factors."""
    names, rng = list(levels), np.random.default_rng(seed)
    left = {
        ((a, i), (b, j))
        for a, b in itertools.combinations(range(len(names)), 2)
        for i in range(len(levels[names[a]]))
        for j in range(len(levels[names[b]]))
    }
    rows = []
    while left:
        tries = [[int(rng.integers(len(levels[name]))) for name in names] for _ in range(60)]
        (a, i), (b, j) = min(left)
        for row in tries:
            row[a], row[b] = i, j
        pairs = [set(itertools.combinations(enumerate(row), 2)) for row in tries]
        best = max(range(len(tries)), key=lambda r: len(left & pairs[r]))
        left -= pairs[best]
        rows.append({name: levels[name][k] for name, k in zip(names, tries[best], strict=True)})
    return rows


def settings():
    """The pairwise settings, without the level penalty where a model has none."""
    rows = pairwise(CROSSED | VARIED)
    for seed, row in enumerate(rows):
        row["seed"] = seed
    return rows


def full_product():
    rng = np.random.default_rng(1)
    for seed, values in enumerate(itertools.product(*CROSSED.values())):
        row = dict(zip(CROSSED, values, strict=True))
        if row["structure"] != "adjacent" and row["level_penalty"] != 1.0:
            continue
        for name, choices in VARIED.items():
            row[name] = choices[int(rng.integers(len(choices)))]
        yield row | {"seed": 100 + seed}


def label(row):
    short = {"newton-cd": "newton"}
    return "-".join(str(short.get(value, value)) for value in row.values()).replace(" ", "")


def pose(oracle, row):
    """Draw rows and pose the problem, with alpha as a share of the oracle's largest."""
    n, p = row["size"]
    # Without a penalty on the level, few rows of a class could be separated from all others.
    rare = 5 if row["level_penalty"] else n // 6
    X, codes, weights = oracle.draw(
        row["seed"], n, p, row["n_classes"], weighted=row["weighted"], rare=rare
    )
    level = row["level_penalty"] if row["structure"] == "adjacent" else 1.0
    problem = oracle.Problem(
        X,
        codes,
        row["n_classes"],
        structure=row["structure"],
        link=row["link"],
        l1_ratio=row["l1_ratio"],
        level_penalty=level,
        weights=weights,
        standardize=row["standardize"],
    )
    most = problem.alpha_max()
    problem.alpha = row["share"] * most if most > 0 else 0.05
    return problem, most


def build(problem, **settings):
    """The estimator that is to solve a problem, to the last digit unless told otherwise."""
    if problem.structure == "adjacent":
        settings.setdefault("level_penalty", problem.level_penalty)
    return MODELS[problem.structure](
        alpha=problem.alpha,
        l1_ratio=problem.l1_ratio,
        link=problem.link,
        standardize=problem.standardize,
        **{"tol": 1e-10, "max_iter": 20_000} | settings,
    )


def fit(problem, **settings):
    return build(problem, **settings).fit(problem.X, problem.codes, sample_weight=problem.weights)


def judge(oracle, row):
    problem, most = pose(oracle, row)
    model = fit(problem, solver=row["solver"])
    intercepts, theta = problem.of(model)

    value = problem.objective(intercepts, theta)
    assert model.objective_ == pytest.approx(value, rel=1e-11)
    assert model.alpha_max_ == pytest.approx(most, rel=1e-6, abs=1e-12)
    violation = problem.violation(intercepts, theta)
    assert violation <= 1e-8
    assert model.kkt_violation_ == pytest.approx(violation, abs=2e-10)

    best = problem.objective(*oracle.solve(problem))
    assert value == pytest.approx(best, rel=1e-9)
    assert value <= best * (1 + 1e-11)  # the certified one is the better, if any

    if problem.link == "logit" and problem.l1_ratio == 1.0 and problem.alpha > 0:
        assert -1e-11 <= model.duality_gap_ <= 1e-8
    else:
        assert np.isnan(model.duality_gap_)


@pytest.mark.parametrize("row", settings(), ids=label)
def test_fits_are_optimal(oracle, row):
    judge(oracle, row)


@pytest.mark.slow
@pytest.mark.parametrize("row", list(full_product()), ids=label)
def test_every_combination_is_optimal(oracle, row):
    judge(oracle, row)


def test_the_settings_hold_every_pair():
    rows, levels = settings(), CROSSED | VARIED
    for one, two in itertools.combinations(levels, 2):
        seen = {(row[one], row[two]) for row in rows}
        assert seen == set(itertools.product(levels[one], levels[two]))


@lru_cache
def standard_case(oracle, structure="adjacent", link="logit", **more):
    X, codes, weights = oracle.draw(11, n=160, p=4, n_classes=4)
    problem = oracle.Problem(X, codes, 4, structure=structure, link=link, weights=weights)
    problem = problem.but(**more)
    problem.alpha = 0.05 * problem.alpha_max()
    return problem


@pytest.mark.parametrize("structure", MODELS)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_a_general_convex_solver_agrees(oracle, structure, l1_ratio):
    problem = standard_case(oracle, structure, l1_ratio=l1_ratio)
    best = problem.objective(*oracle.solve_by_cones(problem))
    assert fit(problem).objective_ == pytest.approx(best, rel=1e-7)


@pytest.mark.parametrize("solver", CROSSED["solver"])
@pytest.mark.parametrize("link", CROSSED["link"])
def test_solvers_find_the_same_coefficients(oracle, solver, link):
    """With a ridge the optimum is one point."""
    problem = standard_case(oracle, link=link, l1_ratio=0.5)
    model, other = fit(problem, solver=solver), fit(problem, solver="newton-cd")
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-7)
    np.testing.assert_allclose(model.intercept_, other.intercept_, atol=1e-6)
    assert ((model.delta_ == 0) == (other.delta_ == 0)).all()
    intercepts, theta = oracle.solve(problem)
    coef, intercept = problem.public(intercepts, theta)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-4)
    np.testing.assert_allclose(model.intercept_, intercept, atol=1e-3)


@pytest.mark.parametrize("solver", CROSSED["solver"])
@pytest.mark.parametrize("structure", MODELS)
def test_zeros_are_where_the_oracle_has_small_gradients(oracle, structure, solver):
    problem = standard_case(oracle, structure)
    problem = problem.but(alpha=6 * problem.alpha)
    theta = problem.of(fit(problem, solver=solver))[1]
    intercepts, other = oracle.solve(problem)
    slope = np.abs(problem.gradient(intercepts, other)[1])
    surely_zero = slope < 0.999 * problem.alpha * problem.factor
    assert surely_zero.any()
    assert (theta[surely_zero] == 0).all()
    assert (theta[np.abs(other) > 1e-3] != 0).all()


def test_delta_holds_the_differences_with_exact_zeros(oracle):
    problem = standard_case(oracle)
    model = fit(problem)
    theta = problem.of(model)[1]
    np.testing.assert_allclose(model.delta_, -theta / problem.scale, rtol=1e-9, atol=1e-14)
    assert ((model.delta_ == 0) == (theta == 0)).all()
    assert 0 < (model.delta_ == 0).mean() < 1
    np.testing.assert_allclose(np.cumsum(model.delta_, axis=0), model.coef_, rtol=1e-12)


@pytest.mark.parametrize("structure", MODELS)
@pytest.mark.parametrize("tol", [1e-1, 1e-2, 1e-3])
def test_the_gap_bounds_how_far_a_rough_fit_is_from_the_best(oracle, structure, tol):
    """Of a fit stopped early: the dual says at most how much is left to gain."""
    problem = standard_case(oracle, structure)
    best = fit(problem).objective_
    rough = fit(problem, tol=tol, solver="fista")
    assert rough.objective_ - best > 1e-9 or tol < 1e-1
    assert rough.duality_gap_ >= rough.objective_ - best - 1e-9
    assert rough.kkt_violation_ <= tol * problem.alpha_max() * 1.0001


@pytest.mark.parametrize("structure", MODELS)
def test_the_gap_is_that_of_the_conjugates(oracle, structure):
    problem = standard_case(oracle, structure)
    model = fit(problem)
    gap = oracle.gap_of_lasso(problem, *problem.of(model))
    assert gap == pytest.approx(model.duality_gap_, abs=1e-9)
    assert abs(gap) <= 1e-8


@pytest.mark.parametrize("link", CROSSED["link"])
@pytest.mark.parametrize("structure", MODELS)
def test_without_a_penalty_the_gradient_vanishes(oracle, structure, link):
    X, codes, weights = oracle.draw(21, n=400, p=2, n_classes=3, rare=40)
    problem = oracle.Problem(
        X, codes, 3, structure=structure, link=link, weights=weights, alpha=0.0
    )
    model = fit(problem)
    assert problem.violation(*problem.of(model)) <= 1e-8
    assert np.isnan(model.duality_gap_)
    assert model.objective_ == pytest.approx(problem.objective(*oracle.solve(problem)), rel=1e-9)


@pytest.mark.parametrize("solver", CROSSED["solver"])
def test_a_start_from_elsewhere_ends_at_the_same_point(oracle, solver):
    problem = standard_case(oracle)
    model = build(problem, solver=solver, warm_start=True)
    for share in (20.0, 0.1, 1.0):
        model.set_params(alpha=problem.alpha * share)
        model.fit(problem.X, problem.codes, sample_weight=problem.weights)
        now = problem.but(alpha=problem.alpha * share)
        assert now.violation(*now.of(model)) <= 1e-8


@pytest.mark.parametrize("solver", CROSSED["solver"])
@pytest.mark.parametrize("structure", MODELS)
def test_what_screening_leaves_out_is_found(oracle, structure, solver):
    """Solvers are told which coordinates to look at first: none here, so none would move."""
    problem = standard_case(oracle, structure)
    design = Design.of(problem.X, problem.codes, problem.weights, 4)
    rows, penalty = Problem(design, LINKS["logit"]), Penalty.of(structure, design)
    null = null_model(rows, penalty, tol=1e-10, max_iter=100)
    assert (null.solution.theta == 0).all()
    found = SOLVERS[solver](
        rows,
        penalty,
        problem.alpha,
        null.solution,
        goal=1e-9,
        max_iter=20_000,
        candidates=np.zeros(penalty.lasso.shape, dtype=bool),
    )
    assert found.converged
    assert np.count_nonzero(found.theta) > 1
    assert problem.violation(found.intercepts, found.theta) <= 1e-8


@pytest.mark.parametrize("solver", CROSSED["solver"])
def test_a_fit_cut_short_says_so_and_no_other(oracle, solver):
    problem, tol = standard_case(oracle), 1e-9
    model = build(problem, solver=solver, tol=tol)
    quiet = 0
    for max_iter in (*range(1, 12), *range(15, 3000, 15)):
        model.set_params(max_iter=max_iter)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.fit(problem.X, problem.codes, sample_weight=problem.weights)
        violation = problem.violation(*problem.of(model))
        assert model.kkt_violation_ == pytest.approx(violation, abs=1e-11)
        if said:
            assert issubclass(said[0].category, ConvergenceWarning)
            assert "max_iter" in str(said[0].message)
            assert violation > tol * 1e-4
        else:
            assert violation <= tol
            quiet += 1
        if quiet == 2:
            break
    assert quiet == 2
    assert max_iter > 2


@pytest.mark.parametrize("n_alphas", [3, 30])
def test_a_path_is_optimal_everywhere(oracle, n_alphas):
    """Each fit starts from the last one and the strong rule's choice, and ends at the optimum."""
    problem = standard_case(oracle)
    most = problem.alpha_max()
    alphas = most * np.geomspace(0.95, 0.02, n_alphas)
    found, coefs, intercepts, _ = presto_path(
        problem.X,
        problem.codes,
        alphas=alphas,
        sample_weight=problem.weights,
        tol=1e-10,
        max_iter=1000,
    )
    np.testing.assert_allclose(found, alphas)
    assert coefs.shape == (3, 4, n_alphas)
    counts = []
    for at, alpha in enumerate(alphas):
        now = problem.but(alpha=alpha)
        model = SimpleNamespace(coef_=coefs[:, :, at], intercept_=intercepts[:, at])
        assert now.violation(*now.of(model)) <= 1e-8
        counts.append(np.count_nonzero(now.of(model)[1]))
    assert counts[0] < counts[-1]


@pytest.mark.parametrize("link", CROSSED["link"])
def test_rows_close_to_the_edge_of_the_domain(oracle, link):
    """Little penalty on strongly crossing slopes: the optimum leans on the barrier."""
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 90)
    codes = np.where(x > 0.2, 2, np.where(x < -0.2, 0, 1))
    codes[rng.permutation(90)[:25]] = rng.integers(0, 3, 25)
    X = np.column_stack([x, np.abs(x), rng.normal(size=90)])
    problem = oracle.Problem(X, codes, 3, link=link, alpha=1e-4)
    for solver in ("newton-cd", "cd"):
        model = fit(problem, solver=solver)
        intercepts, theta = problem.of(model)
        assert problem.violation(intercepts, theta) <= 1e-8
        assert problem.smallest_gap(intercepts, theta) > 0


def test_sparse_and_dense_rows_have_one_optimum(oracle):
    from scipy import sparse

    X, codes, weights = oracle.draw(31, n=200, p=5, n_classes=4)
    X = np.where(np.abs(X) > np.quantile(np.abs(X), 0.6), X, 0.0)
    problem = oracle.Problem(X, codes, 4, weights=weights)
    problem.alpha = 0.05 * problem.alpha_max()
    dense = fit(problem)
    kinds = (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array)
    for kind, solver in zip(kinds, CROSSED["solver"], strict=True):
        model = build(problem, solver=solver)
        model.fit(kind(X), codes, sample_weight=weights)
        assert problem.violation(*problem.of(model)) <= 1e-8
        assert model.objective_ == pytest.approx(dense.objective_, rel=1e-11)


def test_rows_of_single_precision(oracle):
    """Rounded columns, sums in double precision: the optimum of the rounded rows."""
    X, codes, weights = oracle.draw(32, n=200, p=4, n_classes=4)
    X = X.astype(np.float32)
    problem = oracle.Problem(X, codes, 4, weights=weights)
    problem.alpha = 0.05 * problem.alpha_max()
    model = build(problem, tol=1e-6).fit(X, codes, sample_weight=weights)
    assert problem.violation(*problem.of(model)) <= 1e-5
    best = problem.objective(*oracle.solve(problem))
    assert problem.objective(*problem.of(model)) == pytest.approx(best, rel=1e-6)
