"""The plain solver finds the optimum of the others, and shares nothing with them."""

import ast
import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from imbkit.ordinal import _fista
from imbkit.ordinal._design import Design
from imbkit.ordinal._fista import fista
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._newton_cd import newton_cd
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solve import null_model

STRUCTURES = ("adjacent", "shared", "free")
GOAL = 1e-9


class Case:
    """A problem with the oracle's reading of it; alpha is a share of the largest."""

    def __init__(self, oracle, X, codes, n_classes, structure="adjacent", link="logit", *,
                 l1_ratio=1.0, level_penalty=1.0, weights=None, share=0.05):  # fmt: skip
        weights = np.ones(len(codes)) if weights is None else weights
        self.design = Design.of(X, codes, weights, n_classes)
        self.loss = Problem(self.design, LINKS[link])
        self.penalty = Penalty.of(
            structure, self.design, l1_ratio=l1_ratio, level_penalty=level_penalty
        )
        self.null = null_model(self.loss, self.penalty, tol=1e-10, max_iter=100)
        self.alpha = share * self.null.alpha_max
        self.truth = oracle.Problem(
            X, codes, n_classes, structure=structure, link=link, alpha=self.alpha,
            l1_ratio=l1_ratio, level_penalty=level_penalty, weights=weights,
        )  # fmt: skip

    def solve(self, solver=fista, *, start=None, **options):
        mask = np.ones_like(self.null.solution.theta, dtype=bool)
        options = {"goal": GOAL, "max_iter": 100, "candidates": mask} | options
        return solver(self.loss, self.penalty, self.alpha, start or self.null.solution, **options)

    def check(self, found, batches=30):
        assert found.converged
        assert found.violation <= GOAL
        assert found.n_iter <= batches
        shift = (self.truth.mean - self.design.mean) / self.design.scale
        intercepts = found.intercepts + self.penalty.spread(found.theta) @ shift
        assert self.truth.violation(intercepts, found.theta) <= 2 * GOAL
        return found


@pytest.mark.parametrize(
    ("structure", "link", "l1_ratio"), list(itertools.product(STRUCTURES, LINKS, (0.0, 0.5, 1.0)))
)
def test_every_penalty_and_link(oracle, structure, link, l1_ratio):
    X, codes, weights = oracle.draw(7, n=150, p=4, n_classes=4)
    case = Case(oracle, X, codes, 4, structure, link, l1_ratio=l1_ratio, weights=weights)
    found, other = case.check(case.solve()), case.solve(newton_cd)
    assert found.objective == pytest.approx(other.objective, abs=1e-10)
    np.testing.assert_allclose(found.theta, other.theta, atol=1e-5)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_free_level(oracle, l1_ratio):
    X, codes, weights = oracle.draw(5, n=200, p=4, n_classes=4)
    case = Case(oracle, X, codes, 4, l1_ratio=l1_ratio, level_penalty=0.0, weights=weights)
    found = case.check(case.solve())
    assert found.objective == pytest.approx(case.solve(newton_cd).objective, abs=1e-10)
    assert found.theta[0].all()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_very_rare_last_class(oracle, structure):
    """Its intercept hardly bends the loss: one step length for all would never get there."""
    X, codes, _ = oracle.draw(1, n=2000, p=4, n_classes=4, rare=3)
    case = Case(oracle, X, codes, 4, structure)
    case.check(case.solve())


@pytest.mark.parametrize("structure", STRUCTURES)
def test_sparse_columns_give_what_dense_ones_give(oracle, structure):
    rng = np.random.default_rng(0)
    X = rng.poisson(0.3, size=(200, 6)) * rng.integers(1, 4, 6).astype(float)
    codes = np.searchsorted([0.5, 2.0, 4.0], X[:, :3].sum(axis=1) + rng.normal(size=200))
    one, two = (Case(oracle, kind(X), codes, 4, structure) for kind in (np.array, sparse.csr_array))
    np.testing.assert_allclose(
        one.check(one.solve()).theta, two.check(two.solve()).theta, atol=1e-6
    )


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_duplicated_columns(oracle, structure, l1_ratio):
    X, codes, _ = oracle.draw(2, n=150, p=3, n_classes=3)
    case = Case(oracle, np.hstack([X, X]), codes, 3, structure, l1_ratio=l1_ratio)
    found = case.check(case.solve())
    assert found.objective == pytest.approx(case.solve(newton_cd).objective, abs=1e-10)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_complete_separation(oracle, structure):
    X = np.random.default_rng(1).normal(size=(120, 3))
    codes = np.searchsorted([-0.5, 0.5, 1.5], X[:, 0])
    case = Case(oracle, X, codes, 4, structure, share=0.01)
    found = case.check(case.solve())
    assert found.objective == pytest.approx(case.solve(newton_cd).objective, abs=1e-10)


def test_an_optimal_start_is_returned(oracle):
    X, codes, weights = oracle.draw(3, n=150, p=4, n_classes=4)
    case = Case(oracle, X, codes, 4, weights=weights)
    found = case.solve()
    again = case.solve(start=found)
    assert again.n_iter == 0
    np.testing.assert_array_equal(again.theta, found.theta)


def test_an_iteration_is_a_hundred_steps(oracle, monkeypatch):
    X, codes, weights = oracle.draw(3, n=150, p=4, n_classes=4)
    case = Case(oracle, X, codes, 4, weights=weights)
    found = case.solve(goal=1e-30, max_iter=1)
    assert found.n_iter == 1
    assert not found.converged
    steps = []
    step = _fista._Objective.step
    monkeypatch.setattr(_fista._Objective, "step", lambda *args: steps.append(1) or step(*args))
    case.solve(goal=1e-30, max_iter=1)
    assert len(steps) <= 100


def test_no_columns(oracle):
    codes = np.repeat([0, 1, 2], [5, 3, 2])
    assert Case(oracle, np.zeros((10, 0)), codes, 3).solve().theta.shape == (2, 0)


def test_nothing_is_taken_from_the_solvers_it_judges():
    tree = ast.parse(Path(_fista.__file__).read_text(encoding="utf-8"))
    taken = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in taken if name.startswith("imbkit")} == {
        "imbkit._core.types",
        *(f"imbkit.ordinal._{name}" for name in ("kkt", "penalty", "problem", "solution")),
    }
