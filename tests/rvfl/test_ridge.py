"""The closed form: one strength or many, by features or by rows, against plain solves."""

import itertools

import numpy as np
import pytest
from scipy import linalg

from imbkit.rvfl._device import on_device
from imbkit.rvfl._dual import class_penalty_solver, dual_path, penalty_solver
from imbkit.rvfl._graph import class_scatter
from imbkit.rvfl._ridge import ridge_path
from imbkit.rvfl._statistics import Statistics

RNG = np.random.default_rng(4)
STRENGTHS = [1e-4, 0.3, 50.0]


def system(n, d):
    H = RNG.normal(size=(n, d))
    codes = np.arange(n) % 2
    scores = RNG.uniform(0.2, 2, n)
    sums = Statistics(2, d, 0, scatter=True, device=on_device(None, "test"))
    sums.add(H, codes, np.ones(n), scores)
    means = np.stack([H[codes == c].mean(axis=0) for c in (0, 1)])
    return scores[:, None] * H, np.eye(2)[codes], class_scatter(sums), H - means[codes]


@pytest.mark.parametrize("form", [None, "symmetric", "authors"])
def test_a_path_is_so_many_solves(form):
    rows, targets, scatter, _ = system(200, 20)
    P = None if form is None else np.eye(20) + 0.1 * scatter.penalty(0.5, form)
    gram, right = rows.T @ rows, rows.T @ targets
    found = ridge_path(gram, right, STRENGTHS, P, symmetric=form != "authors")
    for a, coef in zip(STRENGTHS, found, strict=True):
        alone = ridge_path(gram, right, [a], P, symmetric=form != "authors")[0]
        plain = np.linalg.solve(a * (np.eye(20) if P is None else P) + gram, right)
        np.testing.assert_allclose(coef, plain, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(alone, plain, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("form", "ridge"), list(itertools.product([None, "symmetric", "authors"], [1e-3, 1.0]))
)
def test_by_rows_and_by_features_it_is_the_same(form, ridge):
    rows, targets, scatter, within = system(40, 90)
    P = None if form is None else np.eye(90) + 0.1 * scatter.penalty(ridge, form)
    direct = None if P is None else penalty_solver(P)
    short = None if P is None else class_penalty_solver(within, scatter, 0.1, ridge, form)
    expected = ridge_path(
        rows.T @ rows, rows.T @ targets, STRENGTHS, P, symmetric=form != "authors"
    )
    for solver in (direct, short):
        for coef, plain in zip(dual_path(rows, targets, STRENGTHS, solver), expected, strict=True):
            assert linalg.norm(coef - plain) <= 1e-6 * linalg.norm(plain)


def test_singular_systems_have_finite_solutions():
    column = RNG.normal(size=(50, 1))
    rows = np.hstack([column, column, np.zeros((50, 1))])
    (coef,) = ridge_path(rows.T @ rows, rows.T @ column, [1e-300])
    assert np.isfinite(coef).all()
    np.testing.assert_allclose(rows @ coef, column, atol=1e-4)
