"""Harrell's concordance of scores with times that are cut off for some rows."""

import numpy as np

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["concordance"]


def concordance(time: AnyArray, event: BoolArray, risk: FloatArray) -> float:
    """Return the share of comparable pairs of rows in which the one with the larger risk is first.

    Parameters
    ----------
    time : ndarray of shape (n,)
        When the event was seen, or the row was last seen without it.
    event : ndarray of bool, shape (n,)
        Whether it was seen.
    risk : ndarray of shape (n,)
        Finite scores, larger where the event is expected sooner.

    Returns
    -------
    float
        Between 0 and 1, one half for scores that say nothing; NaN if no pair is comparable.

    Notes
    -----
    A pair is comparable if the event of one row was seen before the time of the other, or at
    the same time as the other was last seen without it. Equal risks count as one half.
    O(n log n) time, a few arrays of n integers.
    """
    n = len(risk)
    # Of rows at the same time those with the event come first, and are not compared among
    # themselves: a pair is comparable if the key of the one with the event is the smaller.
    key = 2 * _ranks(time) + ~event
    rank = _ranks(risk)
    after = n - np.searchsorted(np.sort(key), key[event], side="right")
    pairs = int(after.sum())
    if pairs == 0:
        return float("nan")
    return (_ordered(key, rank, event) + 0.5 * _tied(key, rank, event)) / pairs


def _ranks(values: AnyArray) -> IntArray:
    """Return ranks from 0, the same for equal values."""
    ranks: IntArray = np.unique(values, return_inverse=True)[1].reshape(-1)
    return ranks


def _tied(key: IntArray, rank: IntArray, event: BoolArray) -> int:
    """Count the pairs of equal rank in which the key of the one with the event is the smaller."""
    both = rank * (int(key.max()) + 1) + key
    ordered = np.sort(both)
    ends = np.searchsorted(np.sort(rank), rank[event], side="right")
    return int((ends - np.searchsorted(ordered, both[event], side="right")).sum())


def _ordered(key: IntArray, rank: IntArray, event: BoolArray) -> int:
    """Count the pairs in which the row with the event has the smaller key and the larger rank."""
    n = len(key)
    # Places: the largest keys first, so that all that a row is compared with is before it. Rows
    # of one key stand by falling rank, so that none has a smaller one of its own key before it.
    place = np.empty(n, dtype=np.intp)
    place[np.lexsort((-rank, -key))] = np.arange(n)
    # Rows by rank, those of one rank by falling place, as equal ranks do not count.
    order = np.lexsort((-place, rank))
    places, seen = place[order], event[order]
    index, total = np.arange(n), 0
    # Halves of the places, of halves, ...: every pair is in the same part until, at one bit, it is
    # not. Places are 0 to n - 1, so a part begins where its first place says, and is full up
    # to the second half if there is anything in it.
    for bit in range(max(n - 1, 0).bit_length() - 1, -1, -1):
        start = (index >> (bit + 1)) << (bit + 1)
        second = (places >> bit) & 1 == 1
        firsts = np.concatenate(([0], np.cumsum(~second)))
        before = firsts[:-1] - firsts[start]  # of the first half, with a smaller rank
        total += int(before[second & seen].sum())
        to = start + np.where(second, (1 << bit) + index - start - before, before)
        places[to], seen[to] = places.copy(), seen.copy()
    return total
