"""How far rows lie from the centre of their class, in their columns or in a kernel's space."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._row_tiles import Points, mutual_sums, sums_over, tiles_of, weighted_mean

__all__ = ["exact_squares", "gap", "linear_squares"]

_FAR = 40.0  # squared distances, in widths, from which on a kernel is nothing
_CLOSE = 2.0**-10  # of the rows' squares: smaller squared distances lose too many digits
_SMALL = 16.0  # squares of rows up to which no digits that matter are lost
_CHUNK = 8192


def gap(tile: FloatArray, left: Points, right: Points) -> FloatArray:
    """Turn minus squared distances into ``1 - k``, small ones without a loss of digits."""
    size = left.squares.max() + right.squares.max()
    if size > _SMALL:
        i, j = np.nonzero(tile > -min(_FAR, _CLOSE * size) - left.slack(right))
        tile[i, j] = -left.squared_distances(right, i, j)
    np.expm1(tile, out=tile)
    return np.negative(tile, out=tile)


def linear_squares(X: Any, codes: IntArray, n_classes: int, weights: FloatArray) -> FloatArray:
    """Return each row's squared Euclidean distance to the mean of its class.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        Rows.
    codes : ndarray of int, shape (n,)
        Class of each.
    n_classes : int
        Number of classes.
    weights : ndarray of shape (n,)
        How often a row counts in the mean.

    Returns
    -------
    ndarray of shape (n,)
        Squared distances.
    """
    out, thin = np.zeros(len(codes)), sparse.issparse(X)
    for code in range(n_classes):
        own = np.flatnonzero(codes == code)
        if not len(own):
            continue
        centre = weighted_mean(X, own, weights[own])
        for low in range(0, len(own), _CHUNK):
            ids = own[low : low + _CHUNK]
            if thin:
                squares = row_norms(X[ids], squared=True) - 2 * (X[ids] @ centre)
                out[ids] = np.maximum(squares + centre @ centre, 0.0)
            else:
                out[ids] = row_norms(X[ids] - centre, squared=True)
    return out


def exact_squares(
    X: Any,
    codes: IntArray,
    n_classes: int,
    weights: FloatArray,
    width: float,
    *,
    foreign: bool,
    n_jobs: int | None,
) -> tuple[FloatArray, FloatArray]:
    """Return each row's squared distances to centres of classes in the space of the kernel.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        Rows.
    codes : ndarray of int, shape (n,)
        Class of each.
    n_classes : int
        Number of classes.
    weights : ndarray of shape (n,)
        How often a row counts in the centre.
    width : float
        mu of the kernel ``exp(-d**2 / mu**2)``.
    foreign : bool
        Whether other centres than that of a row's own class are wanted.
    n_jobs : int or None
        Threads.

    Returns
    -------
    own, other : ndarray of shape (n,)
        To the centre of the own class, and to the nearest of the others (infinite if not
        wanted); in [0, 2].

    Notes
    -----
    With u = 1 - k and bar(u)_i its weighted mean over a class, the square is
    ``2 bar(u)_i - mean_j bar(u)_j``: unlike the form with k it loses no digits where a kernel is
    wide. The class mean is subtracted before distances are computed.
    """
    own, other = np.zeros(len(codes)), np.full(len(codes), np.inf)
    for code in range(n_classes):
        inside = codes == code
        counted = np.flatnonzero(inside & (weights > 0))
        if not len(counted):
            continue
        v = weights[counted]
        mass, centre = v.sum(), weighted_mean(X, counted, v)
        points = Points(X, counted, centre, width)
        tiles = tiles_of(np.zeros(len(counted), dtype=np.intp))
        means = mutual_sums(points, tiles, v, gap, n_jobs)[0] / mass
        spread = v @ means / mass
        own[counted] = 2 * means - spread
        # Rows without weight are asked about, and so are those of other classes.
        asked = np.flatnonzero(~inside if foreign else inside & (weights == 0))
        asked = np.union1d(asked, np.flatnonzero(inside & (weights == 0)))

        def queries(
            low: int, high: int, asked: IntArray = asked, centre: FloatArray = centre
        ) -> Points:
            return Points(X, asked[low:high], centre, width)

        found = sums_over(queries, len(asked), points, v[:, None] / mass, gap, n_jobs)[:, 0]
        squares, here = 2 * found - spread, inside[asked]
        own[asked[here]] = squares[here]
        there = asked[~here]
        other[there] = np.minimum(other[there], squares[~here])
    return np.maximum(own, 0.0), np.maximum(other, 0.0)
