"""Scatters and penalties against matrices of all pairs, written out."""

import numpy as np
import pytest
from scipy import linalg

from imbkit.rvfl import _local_graph
from imbkit.rvfl._device import on_device
from imbkit.rvfl._graph import class_scatter
from imbkit.rvfl._local_graph import local_scatter
from imbkit.rvfl._statistics import Statistics

RNG = np.random.default_rng(2)
N, D, K = 150, 12, 3
H = RNG.normal(size=(N, D)) * RNG.uniform(0.5, 3, D) + 4
CODES = RNG.integers(0, K, N)
SIZES = np.bincount(CODES)
SAME = CODES[:, None] == CODES[None]
SQUARES = ((H[:, None] - H[None]) ** 2).sum(axis=-1)


def laplacian(W):
    return np.diag(W.sum(axis=1)) - W


def dense(kind):
    """H' L_w H and H' L_b H from n x n matrices."""
    if kind == "lda":
        within = np.where(SAME, 1 / SIZES[CODES][:, None], 0)
        between = np.where(SAME, 1 / N - 1 / SIZES[CODES][:, None], 1 / N)
    elif kind == "lfda":
        near = np.exp(-SQUARES / (2 * SQUARES.mean()))
        within = np.where(SAME, near / SIZES[CODES][:, None], 0)
        between = np.where(SAME, near * (1 / N - 1 / SIZES[CODES][:, None]), 1 / N)
    else:
        within, between = nearest(SAME), nearest(~SAME)
    return H.T @ laplacian(within) @ H, H.T @ laplacian(between) @ H


def nearest(mask, k=5):
    W = np.zeros((N, N))
    for i in range(N):
        others = np.flatnonzero(mask[i])
        W[i, others[np.argsort(SQUARES[i, others], kind="stable")[:k]]] = 1
    return np.maximum(W, W.T)


def scatter(kind, weights=None, H=H, codes=CODES):
    weights = np.ones(len(H)) if weights is None else weights
    if kind != "lda":
        return local_scatter(H, codes, weights, kind)
    sums = Statistics(K, D, 0, scatter=True, device=on_device(None, "test"))
    for low in range(0, len(H), 40):
        part = slice(low, low + 40)
        sums.add(H[part], codes[part], weights[part], np.ones(len(H[part])))
    return class_scatter(sums)


@pytest.mark.parametrize("kind", ["lda", "lfda", "mda"])
@pytest.mark.parametrize("cells", [500, 2**22])
def test_equal_to_all_pairs_written_out(kind, cells, monkeypatch):
    monkeypatch.setattr(_local_graph, "_CELLS", cells)
    found, (within, between) = scatter(kind), dense(kind)
    np.testing.assert_allclose(found.within, within, atol=1e-10 * np.abs(within).max())
    made = found.between @ found.between.T
    np.testing.assert_allclose(made, between, atol=1e-10 * np.abs(between).max())


@pytest.mark.parametrize("kind", ["lda", "lfda"])
def test_integer_weights_are_repeated_rows(kind):
    weights = RNG.integers(1, 4, N)
    often = np.repeat(np.arange(N), weights)
    one = scatter(kind, weights.astype(float))
    other = scatter(kind, H=H[often], codes=CODES[often])
    np.testing.assert_allclose(one.within, other.within, atol=1e-11 * np.abs(one.within).max())
    pair = (each.between @ each.between.T for each in (one, other))
    np.testing.assert_allclose(*pair, atol=1e-11 * np.abs(one.between).max() ** 2)


def test_far_rows_of_a_large_class_are_left_out(monkeypatch):
    full = scatter("lfda")
    monkeypatch.setattr(_local_graph, "_DENSE", 10)
    monkeypatch.setattr(_local_graph, "_NEAREST", SIZES.max())
    near = scatter("lfda")
    # All but a few pairs are among the nearest of either row.
    assert linalg.norm(near.within - full.within) < 0.2 * linalg.norm(full.within)


@pytest.mark.parametrize("kind", ["lda", "lfda", "mda"])
@pytest.mark.parametrize("ridge", [1e-3, 10.0])
def test_penalties_by_dense_inverses(kind, ridge):
    found = scatter(kind)
    between = found.between @ found.between.T + ridge * np.eye(D)
    plain = linalg.solve(between, found.within)
    scale = np.abs(plain).max()
    np.testing.assert_allclose(found.penalty(ridge, "authors"), plain, atol=1e-7 * scale)
    root = linalg.inv(linalg.sqrtm(between).real)
    even = found.penalty(ridge, "symmetric")
    np.testing.assert_allclose(even, root @ found.within @ root, atol=1e-7 * np.abs(even).max())
    np.testing.assert_array_equal(even, even.T)


def test_both_forms_have_the_same_eigenvalues():
    found = scatter("lda")
    one = np.sort(linalg.eigvals(found.penalty(0.1, "authors")).real)
    other = linalg.eigvalsh(found.penalty(0.1, "symmetric"))
    np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-9 * other.max())


def test_shifting_the_features_changes_nothing():
    one, other = scatter("lda"), scatter("lda", H=H + 100)
    np.testing.assert_allclose(one.within, other.within, rtol=1e-9, atol=1e-9)


def test_equal_rows_have_no_scatter_within():
    rows = np.repeat(H[:K], 4, axis=0)
    codes = np.repeat(np.arange(K), 4)
    for kind in ("lfda", "mda"):
        found = local_scatter(rows, codes, np.ones(len(rows)), kind)
        np.testing.assert_allclose(found.within, 0, atol=1e-10)


def test_per_row_both_are_divided_by_the_mass():
    found = scatter("lda")
    scaled = found.scaled()
    np.testing.assert_allclose(scaled.within, found.within / N)
    np.testing.assert_allclose(
        scaled.between @ scaled.between.T, found.between @ found.between.T / N
    )
