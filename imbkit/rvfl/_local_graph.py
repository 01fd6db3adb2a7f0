"""Scatters of graphs that look at distances: who is near, within a class and across classes."""

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy import linalg, sparse
from sklearn.neighbors import NearestNeighbors

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._graph import Scatter

__all__ = ["LocalGraph", "local_scatter"]

LocalGraph: TypeAlias = Literal["lfda", "mda"]

_CELLS = 2**22  # entries of a tile of similarities: 32 MiB
_DENSE = 50_000  # rows of a class above which only its rows' nearest count as similar
_NEAREST = 15


def local_scatter(
    H: FloatArray, codes: IntArray, weights: FloatArray, kind: LocalGraph, *, n_neighbors: int = 5
) -> Scatter:
    """Return the scatters of a local graph.

    Parameters
    ----------
    H : ndarray of shape (n, d)
        Features of the rows.
    codes : ndarray of int, shape (n,)
        Classes.
    weights : ndarray of shape (n,)
        How often a row counts, above 0. A pair of rows counts by their product.
    kind : {"lfda", "mda"}
        "lfda": rows of a class are held together by exp(-distance^2 / (2 s)), s the mean of all
        squared distances, and classes apart. "mda": the nearest rows are held together within
        classes, and apart across them.
    n_neighbors : int, default=5
        Of "mda". The row itself is counted among those of its class, as in the authors' code.

    Notes
    -----
    No array has n^2 entries: similarities are made in tiles, and above 50,000 rows of a class
    only the 15 nearest of each row are similar to it.
    """
    if kind == "mda":
        return _nearest(H, codes, weights, n_neighbors)
    return _similar(H, codes, weights)


def _similar(H: FloatArray, codes: IntArray, weights: FloatArray) -> Scatter:
    n, mean = weights.sum(), weights @ H / weights.sum()
    centred = H - mean
    # The mean of all squared distances, in closed form.
    width = 2.0 * (weights @ np.einsum("ij,ij->i", centred, centred)) / n
    d = H.shape[1]
    within, between = np.zeros((d, d)), np.zeros((d, d))
    for c in np.unique(codes):
        rows, v = centred[codes == c], weights[codes == c]
        mass = v.sum()
        pulled = _laplacian(rows, v, width)
        within += pulled / mass
        middle = v @ rows / mass
        between += (1 / n - 1 / mass) * pulled
        between += (1 - mass / n) * (rows.T @ (v[:, None] * rows))
        between += mass**2 / n * np.outer(middle, middle)
    return Scatter(_even(within), _factor(between), float(n))


def _laplacian(rows: FloatArray, v: FloatArray, width: float) -> FloatArray:
    """Return rows' (D - A) rows for similarities A within a class, weighted by v on both sides."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    weighted = v[:, None] * rows
    for span, A in _similarities(rows, width):
        degree = v[span] * np.asarray(A @ v).ravel()
        total += rows[span].T @ (degree[:, None] * rows[span])
        total -= weighted[span].T @ np.asarray(A @ weighted)
    return total


def _similarities(rows: FloatArray, width: float) -> Iterator[tuple[slice, Any]]:
    """Yield slices of rows and their similarities to all."""
    n = len(rows)
    if width <= 0:
        yield slice(0, n), sparse.csr_array((n, n))  # all rows are equal: nothing to hold
        return
    if n > _DENSE:
        graph = NearestNeighbors(n_neighbors=min(_NEAREST, n - 1)).fit(rows)
        near = sparse.csr_array(graph.kneighbors_graph(mode="distance"))
        near.data = np.exp(-(near.data**2) / (2 * width))
        yield slice(0, n), near.maximum(near.T).tocsr()
        return
    squares = np.einsum("ij,ij->i", rows, rows)
    size = max(1, _CELLS // n)
    for low in range(0, n, size):
        span = slice(low, min(low + size, n))
        A = rows[span] @ rows.T
        A *= -2.0
        A += squares[span, None]
        A += squares
        np.maximum(A, 0.0, out=A)
        A /= -2.0 * width
        np.exp(A, out=A)
        yield span, A


def _nearest(H: FloatArray, codes: IntArray, weights: FloatArray, n_neighbors: int) -> Scatter:
    within = _of_edges(H, weights, _edges(H, codes, n_neighbors, same=True))
    between = _of_edges(H, weights, _edges(H, codes, n_neighbors, same=False))
    return Scatter(_even(within), _factor(between), float(weights.sum()))


def _edges(H: FloatArray, codes: IntArray, n_neighbors: int, *, same: bool) -> Any:
    """Return the 0-1 matrix of near rows, either one being near to the other."""
    n = len(codes)
    rows, columns = [], []
    for c in np.unique(codes):
        own = np.flatnonzero(codes == c)
        pool = own if same else np.flatnonzero(codes != c)
        k = min(n_neighbors, len(pool))
        if k == 0:
            continue
        near = NearestNeighbors(n_neighbors=k).fit(H[pool]).kneighbors(H[own])[1]
        rows.append(np.repeat(own, k))
        columns.append(pool[near.ravel()])
    at = (np.concatenate(rows), np.concatenate(columns))
    one_way = sparse.csr_array((np.ones(len(at[0])), at), shape=(n, n))
    both = one_way.maximum(one_way.T).tocsr()
    both.setdiag(0)
    return both


def _of_edges(H: FloatArray, v: FloatArray, edges: Any) -> FloatArray:
    """Return H' L H of a graph whose edges weigh the product of their ends."""
    degree = v * (edges @ v)
    weighted = v[:, None] * H
    return np.asarray(H.T @ (degree[:, None] * H) - weighted.T @ (edges @ weighted))


def _even(matrix: FloatArray) -> FloatArray:
    return np.asarray((matrix + matrix.T) / 2)


def _factor(matrix: FloatArray) -> FloatArray:
    """Return B with B B' the positive part of a symmetric matrix."""
    values, vectors = linalg.eigh(_even(matrix))
    kept = values > 0
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))
