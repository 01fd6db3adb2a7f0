"""Block coordinate descent reaches the optimum that Newton's method and the oracle know."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from imbkit.ordinal._block_cd import block_cd
from imbkit.ordinal._design import Design
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

    def solve(self, solver=block_cd, *, candidates=True, **options):
        mask = np.full_like(self.null.solution.theta, candidates, dtype=bool)
        options = {"goal": GOAL, "max_iter": 100, "candidates": mask} | options
        start = options.pop("start", self.null.solution)
        return solver(self.loss, self.penalty, self.alpha, start, **options)

    def violation(self, found):
        """The oracle's, whose columns are centred also where they are sparse."""
        shift = (self.truth.mean - self.design.mean) / self.design.scale
        intercepts = found.intercepts + self.penalty.spread(found.theta) @ shift
        return self.truth.violation(intercepts, found.theta)

    def check(self, found):
        assert found.converged
        assert found.violation <= GOAL
        assert self.violation(found) <= 2 * GOAL
        return found


@pytest.mark.parametrize(
    ("structure", "link", "l1_ratio"), list(itertools.product(STRUCTURES, LINKS, (0.0, 0.5, 1.0)))
)
def test_every_penalty_and_link(oracle, structure, link, l1_ratio):
    X, codes, weights = oracle.draw(3, n=150, p=5, n_classes=4)
    case = Case(oracle, X, codes, 4, structure, link, l1_ratio=l1_ratio, weights=weights)
    found, other = case.check(case.solve()), case.solve(newton_cd)
    assert found.objective == pytest.approx(other.objective, abs=1e-10)
    np.testing.assert_allclose(found.theta, other.theta, atol=1e-5)
    if l1_ratio == 0:
        assert found.theta.all()


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_free_level(oracle, link, l1_ratio):
    X, codes, weights = oracle.draw(5, n=200, p=4, n_classes=4)
    case = Case(
        oracle, X, codes, 4, link=link, l1_ratio=l1_ratio, level_penalty=0.0, weights=weights
    )
    found = case.check(case.solve())
    assert found.objective == pytest.approx(case.solve(newton_cd).objective, abs=1e-10)
    assert found.theta[0].all()


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_columns_give_what_dense_ones_give(oracle, structure, dtype):
    rng = np.random.default_rng(0)
    X = (rng.poisson(0.3, size=(250, 12)) * rng.integers(1, 4, 12)).astype(dtype)
    codes = np.searchsorted([0.5, 2.0, 4.0], X[:, :4].sum(axis=1) + rng.normal(size=250))
    dense = Case(oracle, X, codes, 4, structure)
    held = sparse.csr_array(X)
    held.indices, held.indptr = held.indices.astype(np.int64), held.indptr.astype(np.int64)
    thin = Case(oracle, held, codes, 4, structure)
    assert sparse.issparse(thin.design.X)
    one, two = dense.solve(), thin.solve()
    assert one.converged
    assert two.converged
    # Standardised columns are rounded to float32, each form in its own way.
    tight = 1e-10 if dtype == np.float64 else 1e-6
    assert one.objective == pytest.approx(two.objective, abs=tight)
    np.testing.assert_allclose(one.theta, two.theta, atol=np.sqrt(tight))
    if dtype == np.float64:
        dense.check(one)
        thin.check(two)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_columns_far_from_zero_do_no_harm(oracle, structure):
    X, codes, weights = oracle.draw(8, n=200, p=4, n_classes=4)
    far = sparse.csr_array(X + 100 * X.std(axis=0))
    case = Case(oracle, far, codes, 4, structure, weights=weights)
    near = Case(oracle, X, codes, 4, structure, weights=weights)
    found, other = case.solve(goal=1e-8), near.check(near.solve())
    assert found.converged
    assert found.n_iter <= other.n_iter + 3
    assert found.objective == pytest.approx(other.objective, abs=1e-10)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_duplicated_and_constant_columns(oracle, structure, l1_ratio):
    X, codes, _ = oracle.draw(2, n=150, p=3, n_classes=3)
    twice = np.hstack([X, X, np.full((150, 1), 7.0)])
    case = Case(oracle, twice, codes, 3, structure, l1_ratio=l1_ratio)
    found = case.check(case.solve())
    assert found.objective == pytest.approx(case.solve(newton_cd).objective, abs=1e-10)
    assert not found.theta[:, -1].any()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_duplicated_columns_without_penalty(oracle, structure):
    X, codes, _ = oracle.draw(2, n=300, p=3, n_classes=3, rare=60)
    case = Case(oracle, np.hstack([X, X]), codes, 3, structure, share=0.0)
    case.check(case.solve())


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_complete_separation(oracle, structure, l1_ratio):
    X = np.random.default_rng(1).normal(size=(120, 3))
    codes = np.searchsorted([-0.5, 0.5, 1.5], X[:, 0])
    case = Case(oracle, X, codes, 4, structure, l1_ratio=l1_ratio, share=1e-3)
    found = case.check(case.solve())
    assert found.objective == pytest.approx(case.solve(newton_cd).objective, abs=1e-10)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_fifty_classes(oracle, structure, l1_ratio):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(500, 4))
    latent = X @ rng.normal(size=4) + rng.logistic(size=500)
    codes = np.argsort(np.argsort(latent)) // 10
    case = Case(oracle, X, codes, 50, structure, l1_ratio=l1_ratio)
    case.check(case.solve())


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("n_classes", [2, 7])
def test_one_row_a_class(oracle, structure, n_classes):
    X = np.random.default_rng(6).normal(size=(n_classes, 3))
    case = Case(oracle, X, np.arange(n_classes), n_classes, structure, share=0.1)
    case.check(case.solve())


def wide(n=600, p=3000, density=2e-3):
    rng = np.random.default_rng(0)
    # Not scipy's random_array, whose argument for the generator has changed its name.
    X = sparse.csr_array(np.where(rng.random((n, p)) < density, rng.random((n, p)), 0.0))
    latent = 5 * X[:, :300].sum(axis=1) + rng.logistic(size=n)
    codes = np.searchsorted(np.quantile(latent, [0.5, 0.8, 0.95]), latent)
    return X, codes


@pytest.mark.parametrize("structure", STRUCTURES)
def test_more_sparse_columns_than_rows(oracle, structure):
    X, codes = wide()
    case = Case(oracle, X, codes, 4, structure, share=0.3)
    found = case.check(case.solve())
    assert 20 < np.count_nonzero(found.theta) < 1500


def test_columns_left_out_at_first_come_in(oracle):
    X, codes = wide(p=800)
    case = Case(oracle, X, codes, 4, share=0.3)
    found, whole = case.check(case.solve(candidates=False)), case.solve()
    assert found.objective == pytest.approx(whole.objective, abs=1e-10)


def test_the_solution_is_left_at_once(oracle):
    X, codes, weights = oracle.draw(3, n=150, p=5, n_classes=4)
    case = Case(oracle, X, codes, 4, weights=weights)
    found = case.solve()
    again = case.solve(start=found)
    assert again.n_iter == 0
    assert again.theta is found.theta


def test_too_few_steps_are_told(oracle):
    X, codes, weights = oracle.draw(3, n=150, p=5, n_classes=4)
    case = Case(oracle, X, codes, 4, weights=weights)
    found = case.solve(max_iter=1)
    assert found.n_iter == 1
    assert not found.converged
    assert found.violation > GOAL
    assert found.objective < case.null.solution.objective


def test_a_goal_beyond_the_numbers_ends_the_search(oracle):
    X, codes, weights = oracle.draw(3, n=150, p=5, n_classes=4)
    case = Case(oracle, X, codes, 4, weights=weights)
    found = case.solve(goal=1e-30, max_iter=50)
    assert not found.converged
    assert found.violation < 1e-13


def test_no_columns(oracle):
    codes = np.repeat([0, 1, 2], [5, 3, 2])
    case = Case(oracle, np.zeros((10, 0)), codes, 3)
    assert case.solve().theta.shape == (2, 0)


def test_the_module_leaves_numba_alone():
    code = "import sys, imbkit.ordinal._block_cd; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
