"""A path is its single fits: where it starts, where it may stop, and what it gives back."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from imbkit.exceptions import DataError
from imbkit.ordinal import PRESTOClassifier, presto_path
from imbkit.ordinal._alphas import alpha_grid
from imbkit.ordinal._path import warn_if_unconverged

EXACT = {"tol": 1e-10, "max_iter": 500}
CASES = {
    "lasso": {},
    "elastic net": {"l1_ratio": 0.4},
    "ridge": {"l1_ratio": 0.0},
    "free level": {"level_penalty": 0.0},
    "probit": {"link": "probit", "level_penalty": 2.0},
    "columns as given": {"link": "cloglog", "standardize": False},
    "factors of classes": {"class_weight": {0: 0.3, 3: 4.0}},
}


@pytest.fixture(scope="module")
def rows(oracle):
    return oracle.draw(5, n=220, p=4, n_classes=4, rare=10)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_point_equals_a_single_fit(rows, case):
    X, codes, weights = rows
    settings = {**EXACT, **case}
    path = presto_path(X, codes, sample_weight=weights, alphas=6, eps=1e-2, **settings)
    alphas, coefs, intercepts, n_iters = path
    assert alphas.shape == n_iters.shape == (6,)
    assert coefs.shape == (3, 4, 6)
    assert intercepts.shape == (3, 6)
    for at, alpha in enumerate(alphas):
        alone = PRESTOClassifier(alpha, **settings).fit(X, codes, sample_weight=weights)
        np.testing.assert_allclose(coefs[:, :, at], alone.coef_, atol=1e-7, rtol=1e-6)
        np.testing.assert_allclose(intercepts[:, at], alone.intercept_, atol=1e-6, rtol=1e-6)
        np.testing.assert_array_equal(
            np.diff(coefs[:, :, at], axis=0) == 0, np.diff(alone.coef_, axis=0) == 0
        )


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_points_agree_with_a_solver_apart(rows, oracle, l1_ratio):
    X, codes, weights = rows
    alphas, coefs, intercepts, _ = presto_path(
        X, codes, sample_weight=weights, alphas=4, eps=0.05, l1_ratio=l1_ratio, **EXACT
    )
    for at in (1, 3):
        problem = oracle.Problem(X, codes, 4, weights=weights, alpha=alphas[at], l1_ratio=l1_ratio)
        coef, intercept = problem.public(*oracle.solve(problem))
        np.testing.assert_allclose(coefs[:, :, at], coef, atol=2e-4, rtol=1e-3)
        np.testing.assert_allclose(intercepts[:, at], intercept, atol=3e-3, rtol=1e-3)


@pytest.mark.parametrize("level_penalty", [1.0, 0.5, 0.0])
def test_the_first_penalty_is_the_smallest_that_leaves_nothing(rows, level_penalty):
    X, codes, weights = rows
    settings = {"sample_weight": weights, "level_penalty": level_penalty, **EXACT}
    (most, *_), coefs, _, _ = presto_path(X, codes, alphas=3, **settings)
    held = slice(1, None) if level_penalty == 0 else slice(None)
    alphas, coefs, _, _ = presto_path(X, codes, alphas=[1.0001 * most, 0.99 * most], **settings)
    deltas = np.diff(coefs, axis=0, prepend=0)[held]
    assert (deltas[:, :, 0] == 0).all()
    assert (deltas[:, :, 1] != 0).sum() == 1
    assert alphas[0] > most > alphas[1]


def test_the_largest_penalty_is_that_of_the_definition(rows, oracle):
    X, codes, weights = rows
    alphas, *_ = presto_path(X, codes, sample_weight=weights, alphas=5, eps=0.2, l1_ratio=0.5)
    problem = oracle.Problem(X, codes, 4, weights=weights, l1_ratio=0.5)
    np.testing.assert_allclose(alphas, problem.alpha_max() * 0.2 ** (np.arange(5) / 4), rtol=1e-9)


def test_penalties_may_come_in_any_order_and_twice(rows):
    X, codes, _ = rows
    alphas, coefs, _, n_iters = presto_path(X, codes, alphas=[0.01, 0.3, 0.01, 0, 10.0])
    np.testing.assert_array_equal(alphas, [10, 0.3, 0.01, 0.01, 0])
    np.testing.assert_array_equal(coefs[:, :, 2], coefs[:, :, 3])
    assert n_iters[3] == 0
    assert (coefs[:, :, 0] == 0).all()
    assert (coefs[:, :, 4] != 0).all()


def test_a_listed_path_never_stops_early(rows):
    X, codes, _ = rows
    listed = np.array([9.0, 8.0, 7.0, 6.0, 0.1, 0.0999999999, 0.0999999998, 0.02])
    alphas, coefs, _, _ = presto_path(X, codes, alphas=listed)
    np.testing.assert_array_equal(alphas, listed)
    assert np.abs(coefs[:, :, -1]).sum() > np.abs(coefs[:, :, -2]).sum() > 0


def test_a_path_stops_when_nothing_improves(rows, oracle):
    X, codes, _ = rows
    asked = 60
    alphas, coefs, intercepts, n_iters = presto_path(X, codes, alphas=asked, eps=1e-15, **EXACT)
    n = len(alphas)
    assert n == len(n_iters) == coefs.shape[2] == intercepts.shape[1] < asked

    def objective(at):
        problem = oracle.Problem(X, codes, 4, alpha=alphas[at])
        theta = -np.diff(coefs[:, :, at], axis=0, prepend=0) * problem.scale
        return problem.objective(-intercepts[:, at] - coefs[:, :, at] @ problem.mean, theta)

    values = np.array([objective(at) for at in range(n)])
    gains = -np.diff(values) / values[:-1]
    assert (gains[-2:] < 1e-8).all()
    assert (gains[:-2] > 1e-8).all()
    # what is left out differs by nothing that matters
    _, last, *_ = presto_path(X, codes, alphas=[alphas[0], 1e-13], **EXACT)
    np.testing.assert_allclose(coefs[:, :, -1], last[:, :, -1], rtol=1e-4, atol=1e-6)


def test_a_fine_grid_does_not_stop_at_its_top(rows):
    X, codes, _ = rows
    alphas, coefs, _, _ = presto_path(X, codes, alphas=600, eps=0.99)
    # the first steps improve the objective by less than the limit, but by more and more
    assert len(alphas) == 600
    assert (coefs[:, :, -1] != 0).any()


def test_tables_of_any_kind_give_the_same(rows):
    X, codes, weights = rows
    X = np.where(np.abs(X) > 4, X, 0)
    settings = {"sample_weight": weights, "alphas": 5, **EXACT}
    expected = presto_path(X, codes, **settings)
    frame = pd.DataFrame(X, columns=list("abcd"))
    for table in (
        sparse.csr_array(X),
        sparse.csc_matrix(X),
        frame,
        X.tolist(),
        np.asfortranarray(X),
    ):
        for mine, other in zip(presto_path(table, codes, **settings)[:3], expected, strict=False):
            np.testing.assert_allclose(mine, other, atol=1e-7)
    narrow = presto_path(X.astype(np.float32), codes, **settings)
    assert narrow[1].dtype == np.float64
    np.testing.assert_allclose(narrow[1], expected[1], atol=1e-4)


def test_weights_are_repetitions(rows):
    X, codes, _ = rows
    times = np.arange(len(codes)) % 3
    times[[np.flatnonzero(codes == k)[0] for k in range(4)]] = 2
    one = presto_path(X, codes, sample_weight=times, alphas=4, **EXACT)
    two = presto_path(np.repeat(X, times, axis=0), np.repeat(codes, times), alphas=4, **EXACT)
    for mine, other in zip(one[:3], two[:3], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-9)


def test_the_order_of_classes_is_that_of_the_estimator(rows):
    X, codes, _ = rows
    names = np.array(["none", "click", "cart", "buy"])
    _, coefs, _, _ = presto_path(X, codes, alphas=3)
    _, named, _, _ = presto_path(X, names[codes], alphas=3, categories=list(names))
    ordered = pd.Categorical(names[codes], categories=names, ordered=True)
    _, typed, _, _ = presto_path(X, ordered, alphas=3)
    np.testing.assert_array_equal(coefs, named)
    np.testing.assert_array_equal(coefs, typed)


def test_columns_that_say_nothing_have_weight_zero():
    codes = np.repeat([0, 1, 2], 5)
    alphas, coefs, intercepts, _ = presto_path(np.full((15, 2), 7.0), codes, alphas=4)
    assert (coefs == 0).all()
    assert (alphas > 0).all()
    np.testing.assert_allclose(intercepts.T, np.log([[2.0, 0.5]] * len(alphas)))


def test_an_unfinished_path_warns(rows):
    X, codes, _ = rows
    with pytest.warns(ConvergenceWarning, match=r"presto_path: .* of 5 that did not\. Raise max"):
        alphas, *_ = presto_path(X, codes, alphas=5, max_iter=1, tol=1e-12)
    assert len(alphas) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_unconverged(np.zeros(3, dtype=bool), "me")


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"alphas": 0}, "alphas"),
        ({"alphas": [0.1, -1e-9]}, "presto_path: alphas must be"),
        ({"alphas": []}, "presto_path: alphas must be"),
        ({"alphas": [[0.1]]}, "presto_path: alphas must be"),
        ({"alphas": [0.1, np.nan]}, "presto_path: alphas must be"),
        ({"alphas": [0.1, np.inf]}, "presto_path: alphas must be"),
        ({"alphas": ["much"]}, "presto_path: alphas must be"),
        ({"eps": 0.0}, "'eps' parameter of presto_path"),
        ({"eps": 1.0}, "'eps' parameter of presto_path"),
        ({"l1_ratio": 1.1}, "'l1_ratio' parameter of presto_path"),
        ({"level_penalty": -1}, "'level_penalty' parameter of presto_path"),
        ({"link": "cauchit"}, "'link' parameter of presto_path"),
        ({"solver": "best"}, "'solver' parameter of presto_path"),
        ({"categories": [0, 1]}, "presto_path: categories must"),
        ({"sample_weight": [1.0]}, "presto_path: sample_weight must"),
    ],
)
def test_a_wrong_parameter_is_refused(rows, wrong, match):
    X, codes, _ = rows
    with pytest.raises(ValueError, match=match):
        presto_path(X, codes, **wrong)


def test_wrong_data_are_refused(rows):
    X, codes, _ = rows
    with pytest.raises(DataError, match=r"presto_path: .* two classes"):
        presto_path(X, np.ones(len(X)))
    with pytest.raises(ValueError, match="NaN"):
        presto_path(np.where(X > 0, np.nan, X), codes)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        presto_path(X, codes[1:])
    with pytest.raises(DataError, match="presto_path"):
        presto_path(X, None)


def test_the_grid_falls_in_equal_ratios():
    class Null:
        alpha_max = 3.0

    grid = alpha_grid(5, 1e-2, Null())
    assert grid[0] == 3.0
    np.testing.assert_allclose(grid[1:] / grid[:-1], 10**-0.5)
    np.testing.assert_array_equal(alpha_grid(1, 1e-2, Null()), [3.0])
