"""Blocks of a column's weights, against the whole quadratic model written out as matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from imbkit._kernels import ordinal as kernels
from imbkit._kernels import ordinal_columns as tables

FORMS = ("double", "single", "sparse")
MADE_OF = {
    tables.ADJACENT: np.tri,
    tables.SHARED: lambda n: np.ones((n, 1)),
    tables.FREE: np.eye,
}


def columns_of(X, codes, form):
    """A table in one of the kernels' forms; X holds numbers that float32 can hold."""
    empty = [np.zeros((0, 0)), np.zeros((0, 0), np.float32), np.zeros(0)]
    empty += [np.zeros(0, np.int32), np.zeros(0, np.int32)]
    starts = np.searchsorted(codes, np.arange(codes.max() + 2))
    if form == "double":
        empty[0] = np.ascontiguousarray(X.T)
    elif form == "single":
        empty[1] = np.ascontiguousarray(X.T, dtype=np.float32)
    else:
        held = sparse.csc_array(X)
        kind = np.int64 if form == "long indices" else np.int32
        empty[2:] = held.data, held.indices.astype(kind), held.indptr.astype(kind)
    return tables.Columns(*empty, starts, codes)


def draw(seed, p, n_classes, per_class):
    """Rows sorted by class, their curvatures and slopes."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_classes), rng.integers(1, per_class + 1, n_classes))
    n = len(codes)
    X = (rng.normal(size=(n, p)) + rng.normal(size=p)).astype(np.float32).astype(float)
    X[rng.random((n, p)) < 0.3] = 0.0
    barrier = rng.exponential(size=n) * (codes > 0) * (codes < n_classes - 1)
    upper = np.where(codes < n_classes - 1, rng.uniform(0.1, 1, n) + barrier, 0.0)
    lower = np.where(codes > 0, rng.uniform(0.1, 1, n) + barrier, 0.0)
    slopes = rng.normal(size=n) * (upper > 0), rng.normal(size=n) * (lower > 0)
    return X, codes, tables.Curvature(upper, lower, -barrier), slopes


def scores_of(X, codes, n_classes):
    """Matrices from weights (boundary by boundary) to the upper and the lower scores."""
    n, p = X.shape
    upper, lower = np.zeros((2, n, n_classes - 1, p))
    for i, c in enumerate(codes):
        if c < n_classes - 1:
            upper[i, c] = X[i]
        if c > 0:
            lower[i, c - 1] = X[i]
    return upper.reshape(n, -1), lower.reshape(n, -1)


def matrix_of(curvature, left, right):
    """The second derivatives between two sets of weights, given their score matrices."""
    total = left[0].T @ (curvature.upper[:, None] * right[0])
    total += left[1].T @ (curvature.lower[:, None] * right[1])
    total += left[0].T @ (curvature.mixed[:, None] * right[1])
    return total + left[1].T @ (curvature.mixed[:, None] * right[0])


def bands_of(matrix):
    out = np.zeros((len(matrix), 2))
    out[:, 0], out[1:, 1] = np.diag(matrix), np.diag(matrix, 1)
    return out


@pytest.mark.parametrize("form", FORMS)
@given(
    p=st.integers(1, 4),
    n_classes=st.integers(2, 6),
    per_class=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_sums_over_the_rows_of_each_boundary(form, p, n_classes, per_class, seed):
    X, codes, curvature, (upper, lower) = draw(seed, p, n_classes, per_class)
    columns, m = columns_of(X, codes, form), n_classes - 1
    which = np.arange(p)[::-1].copy()
    above, below = scores_of(X, codes, n_classes)

    out = np.full((p, m), np.nan)
    kernels.project(columns, which, upper, lower, out)
    twin = (above.T @ upper + below.T @ lower).reshape(m, p).T[which]
    np.testing.assert_allclose(out, twin, rtol=1e-12, atol=1e-12)

    moves = np.random.default_rng(seed).normal(size=(p, m))
    up, down = np.ones((2, len(X)))
    tables.score(columns, which, moves, up, down)
    flat = np.zeros((m, p))
    flat[:, which] = moves.T
    np.testing.assert_allclose(up, 1 + above @ flat.ravel(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(down, 1 + below @ flat.ravel(), rtol=1e-12, atol=1e-12)

    squares, crosses = np.full((2, p, m, 2), np.nan)
    tables.curve(columns, which, curvature, squares, crosses)
    ones = scores_of(np.ones((len(X), 1)), codes, n_classes)
    for w, j in enumerate(which):
        own = scores_of(X[:, [j]], codes, n_classes)
        for made, other in ((squares, own), (crosses, ones)):
            whole = matrix_of(curvature, own, other)
            np.testing.assert_allclose(made[w], bands_of(whole), rtol=1e-12, atol=1e-12)
            assert np.abs(np.triu(whole, 2)).max(initial=0) == 0


@pytest.mark.parametrize("structure", MADE_OF)
@pytest.mark.parametrize("form", FORMS)
@given(
    p=st.integers(1, 4),
    n_classes=st.integers(2, 6),
    lasso=st.sampled_from([0.0, 0.3, 2.0]),
    ridge=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 999),
)
def test_the_descent_ends_where_the_model_is_least(
    structure, form, p, n_classes, lasso, ridge, seed
):
    X, codes, curvature, slopes = draw(seed, p, n_classes, 20)
    columns, m, rng = columns_of(X, codes, form), n_classes - 1, np.random.default_rng(seed)
    which, weights = np.arange(p), MADE_OF[structure](m)
    q = weights.shape[1]
    l1 = lasso * rng.integers(0, 2, (p, q))
    l2 = ridge * np.ones((p, q))
    squares, crosses = np.empty((2, p, m, 2))
    tables.curve(columns, which, curvature, squares, crosses)
    ones = scores_of(np.ones((len(X), 1)), codes, n_classes)
    plain = bands_of(matrix_of(curvature, ones, ones))
    model = kernels.Model(squares, crosses, plain, X.mean(axis=0))
    start = rng.normal(size=(p, q)) * rng.integers(0, 2, (p, q))
    theta, (upper, lower), shift = start.copy(), (s.copy() for s in slopes), np.zeros(m)
    sweeps, worst = kernels.descend(
        columns, which, curvature, model, structure, l1, l2, 1e-9, 50_000, theta, upper, lower,
        shift,
    )  # fmt: skip
    assert 0 < sweeps < 50_000
    assert worst <= 1e-9

    # The same model over (intercepts, weights) as one matrix.
    whole = [np.hstack(pair) for pair in zip(ones, scores_of(X, codes, n_classes), strict=True)]
    matrix = matrix_of(curvature, whole, whole)
    moved = np.concatenate([shift, ((theta - start) @ weights.T).T.ravel()])
    slope = whole[0].T @ slopes[0] + whole[1].T @ slopes[1] + matrix @ moved
    by_theta = slope[m:].reshape(m, p).T @ weights + l2 * theta
    off = np.abs(by_theta + l1 * np.sign(theta))
    off[theta == 0] = np.maximum(np.abs(by_theta) - l1, 0)[theta == 0]
    assert np.abs(slope[:m]).max() < 1e-7
    assert off.max() < 1e-7

    # What the rows' slopes have become, but for the change of the intercepts.
    up, down = (side[:, m:] @ moved[m:] for side in whole)
    np.testing.assert_allclose(
        upper, slopes[0] + curvature.upper * up + curvature.mixed * down, atol=1e-7
    )
    np.testing.assert_allclose(
        lower, slopes[1] + curvature.lower * down + curvature.mixed * up, atol=1e-7
    )


@pytest.mark.parametrize("structure", MADE_OF)
def test_a_column_alone_is_solved_in_few_sweeps(structure):
    """Its neighbouring weights hang together tightly, which must not make the block crawl."""
    rng, n_classes = np.random.default_rng(0), 30
    codes = np.repeat(np.arange(n_classes), 10)
    X = rng.normal(size=(300, 1))
    inner = (codes > 0) * (codes < n_classes - 1)
    density = np.full(300, 0.02)
    curvature = tables.Curvature(
        density * (codes < n_classes - 1) + 5.0 * inner, density * (codes > 0) + 5.0 * inner,
        -5.0 * inner,
    )  # fmt: skip
    columns, which = columns_of(X, codes, "double"), np.arange(1)
    m = n_classes - 1
    squares, crosses = np.empty((2, 1, m, 2))
    tables.curve(columns, which, curvature, squares, crosses)
    ones = scores_of(np.ones((300, 1)), codes, n_classes)
    model = kernels.Model(squares, crosses, bands_of(matrix_of(curvature, ones, ones)), np.zeros(1))
    q = 1 if structure == tables.SHARED else m
    theta = np.zeros((1, q))
    upper, lower = rng.normal(size=(2, 300)) * [codes < m, codes > 0]
    sweeps, worst = kernels.descend(
        columns, which, curvature, model, structure, np.full((1, q), 0.01), np.zeros((1, q)),
        1e-9, 1000, theta, upper, lower, np.zeros(m),
    )  # fmt: skip
    assert worst <= 1e-9
    assert sweeps < 60


def test_one_compilation_serves_all_tables():
    kernels.warm()
    for form in FORMS:
        X, codes, _, slopes = draw(0, 2, 3, 5)
        kernels.project(columns_of(X, codes, form), np.arange(2), *slopes, np.empty((2, 2)))
    assert len(kernels.project.signatures) <= 2  # long indices have their own


def test_indices_may_be_long():
    X, codes, _, slopes = draw(0, 3, 4, 9)
    short, long = np.empty((2, 3, 3))
    for form, out in (("sparse", short), ("long indices", long)):
        kernels.project(columns_of(X, codes, form), np.arange(3), *slopes, out)
    np.testing.assert_array_equal(short, long)
