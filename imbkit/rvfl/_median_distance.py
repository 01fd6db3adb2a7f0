"""The median distance between rows, as a scale for kernels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import pdist
from sklearn.metrics import euclidean_distances

from imbkit._core.types import FloatArray

__all__ = ["median_distance"]

_ROWS = 2000


def median_distance(X: Any, weights: FloatArray, draws: Callable[[], np.random.Generator]) -> float:
    """Return the median distance between two different rows of a sample; 1.0 if all are equal.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        Rows.
    weights : ndarray of shape (n,)
        How often each counts; the weight of a pair is the product of those of its rows.
    draws : callable
        Returns the generator that draws 2,000 rows where there are more.

    Notes
    -----
    Pairs of equal rows do not count, so that a repeated row is one of twice the weight; the
    median is the smallest distance that half of the weight does not exceed.
    """
    ids = np.flatnonzero(weights > 0)
    if len(ids) > _ROWS:
        ids = np.sort(draws().choice(ids, _ROWS, replace=False))
    sample, pairs_of = X[ids], np.triu_indices(len(ids), 1)
    thin = sparse.issparse(X)
    distances = euclidean_distances(sample)[pairs_of] if thin else pdist(sample)
    apart, v = distances > 0, weights[ids]
    if not apart.any():
        return 1.0
    if (v == v[0]).all():
        # As below with pairs of one weight, in a tenth of the time.
        distances = distances[apart]
        place = (len(distances) + 1) // 2 - 1
        return float(np.partition(distances, place)[place])
    i, j = pairs_of
    pairs = v[i] * v[j]
    pairs[~apart] = 0.0
    order = np.argsort(distances, kind="stable")
    reached = np.cumsum(pairs[order])
    # Rounding of the sum must not decide between two distances.
    place = int(np.searchsorted(reached, reached[-1] / 2 * (1 - 1e-12)))
    return float(distances[order[place]])
