"""Separated classes have no finite optimum, and that is told from slow convergence."""

import numpy as np
import pytest

from imbkit.ordinal._design import Design
from imbkit.ordinal._existence import runs_away
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solve import null_model, solve_path

RNG = np.random.default_rng(3)
X = RNG.normal(size=(400, 4))
NOISY = np.searchsorted([-1, 0.5, 2.5], X @ [1, -1, 0.5, 0] + RNG.logistic(size=400))
CLEAN = np.searchsorted([-0.5, 1.2], X[:, 0])


def told(X, codes, structure, *, alpha=0.0, link="logit", tol=1e-5, **options):
    loss = Problem(Design.of(X, codes, np.ones(len(X)), codes.max() + 1), LINKS[link])
    penalty = Penalty.of(structure, loss.design, **options)
    null = null_model(loss, penalty, tol=tol, max_iter=100)
    (point,) = solve_path(loss, penalty, [alpha], null=null, tol=tol)
    return runs_away(loss, penalty, alpha, point)


@pytest.mark.parametrize("tol", [1e-4, 1e-9])
@pytest.mark.parametrize("structure", ["adjacent", "shared", "free"])
@pytest.mark.parametrize("link", ["logit", "probit"])
def test_separation_is_seen(structure, link, tol):
    assert told(X, CLEAN, structure, link=link, tol=tol)
    assert not told(X, NOISY, structure, link=link, tol=tol)


def test_one_separating_column_among_others_is_enough():
    flag = (X[:, 1] > 1.8).astype(float)
    codes = np.where(flag == 1, 3, NOISY)
    assert told(np.column_stack([X, flag]), codes, "adjacent")
    assert told(np.column_stack([X, flag]), codes, "shared")


def test_a_penalty_holds_the_weights():
    assert not told(X, CLEAN, "adjacent", alpha=0.01)
    assert told(X, CLEAN, "adjacent", alpha=0.01, level_penalty=0.0)


def test_repeated_and_nearly_repeated_columns_are_no_separation():
    assert not told(np.tile(X, 2), NOISY, "adjacent")
    near = X[:, :1] + 1e-5 * RNG.normal(size=(400, 1))
    assert not told(np.column_stack([X, near]), NOISY, "shared")
