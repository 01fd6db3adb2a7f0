"""One-sided Clopper-Pearson bounds of a share, and a quick test of one limit."""

from bisect import bisect_left

import numpy as np
from scipy.special import betainc, betaincinv

from imbkit._core.types import BoolArray, FloatArray

__all__ = ["lower_bound", "reaches"]

# A probability may miss its limit by rounding; equal must pass.
_SLACK = 1e-12


def lower_bound(hits: FloatArray, trials: FloatArray, confidence: float) -> FloatArray:
    """Return the share that is exceeded at this confidence, given hits among trials.

    Parameters
    ----------
    hits, trials : ndarray of shape (n,)
        Counts; sums of weights are taken as counts, whole or not.
    confidence : float
        At least 0.5, below 1.

    Returns
    -------
    ndarray of shape (n,)
        The quantile 1 - confidence of Beta(hits, trials - hits + 1); 0 without a hit. An
        upper bound is one minus the lower bound of the misses.
    """
    some = hits > 0
    bound = np.zeros(hits.shape)
    bound[some] = betaincinv(hits[some], (trials - hits)[some] + 1, 1 - confidence)
    return bound


def reaches(hits: FloatArray, trials: FloatArray, confidence: float, limit: float) -> BoolArray:
    """Say where the lower bound is at least `limit`, many times faster than computing it.

    Parameters
    ----------
    hits, trials : ndarray of shape (n,)
        Counts at the cut-offs in order; the hits never turn where the trials are all the same.
    confidence : float
        At least 0.5, below 1.
    limit : float
        The least share.

    Returns
    -------
    ndarray of bool, shape (n,)
        All true for a limit of 0.
    """
    if limit <= 0:
        return np.ones(hits.shape, dtype=bool)
    if trials.min() == trials.max():
        # The bound grows with the hits, so it crosses the limit once.
        levels = hits if hits[0] <= hits[-1] else hits[::-1]
        total = trials[:1]
        first = bisect_left(
            range(levels.size),
            True,
            key=lambda i: bool(_test(levels[i : i + 1], total, confidence, limit)[0]),
        )
        return np.asarray(hits >= (levels[first] if first < levels.size else np.inf))
    # At confidences from 0.5 the bound lies below the share itself, so only cut-offs whose
    # share is large enough need the incomplete beta function.
    near = np.flatnonzero(hits >= limit * trials * (1 - _SLACK))
    enough = np.zeros(hits.shape, dtype=bool)
    enough[near] = _test(hits[near], trials[near], confidence, limit)
    return enough


def _test(hits: FloatArray, trials: FloatArray, confidence: float, limit: float) -> BoolArray:
    """Whether so many hits would be rare enough if the share were at the limit."""
    some = hits > 0
    tail = betainc(np.where(some, hits, 1.0), trials - hits + 1, limit)
    return np.asarray(some & (tail <= (1 - confidence) * (1 + _SLACK)))
