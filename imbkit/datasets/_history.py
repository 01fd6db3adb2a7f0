"""What was known of a customer or a terminal when a row came: counts and sums of past windows."""

import numpy as np

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["DAY", "active", "counts_and_sums"]

DAY = 86_400
"""Seconds in a day; all times here are whole seconds."""


def counts_and_sums(
    entity: IntArray, time: IntArray, value: AnyArray, *, window: int, delay: int | None
) -> tuple[IntArray, IntArray]:
    """Count the rows of the same entity in a past window, and sum a value over them.

    Parameters
    ----------
    entity : ndarray of shape (n_rows,)
        Whose row it is: integers from 0.
    time : ndarray of shape (n_rows,)
        Seconds, ascending and not negative.
    value : ndarray of shape (n_rows,)
        Integers to sum, so that the sums are exact.
    window : int
        Length of the window in seconds.
    delay : int or None
        With None the window is (time - window, time], and of rows of the same second only those
        that stand before count, and the row itself. With a number it is
        [time - delay - window, time - delay), without the row itself.

    Returns
    -------
    counts, sums : ndarray of shape (n_rows,)
        One entry a row, in the order given.

    Notes
    -----
    O(n log n): rows are sorted by entity, then the window's ends are found by bisection in one
    ascending key (entity, time).
    """
    order = np.argsort(entity, kind="stable")
    lookback = window + (delay or 0)
    key = _key(entity, time, lookback)[order]
    if delay is None:
        first = np.searchsorted(key, key - window, side="right")
        last = np.arange(1, key.size + 1)
    else:
        first = np.searchsorted(key, key - delay - window, side="left")
        last = np.searchsorted(key, key - delay, side="left")
    total = np.concatenate(([0], np.cumsum(value[order], dtype=np.int64)))
    counts, sums = np.empty(key.size, dtype=np.int64), np.empty(key.size, dtype=np.int64)
    counts[order] = last - first
    sums[order] = total[last] - total[first]
    return counts, sums


def active(
    entity: IntArray, time: FloatArray, owner: IntArray, start: FloatArray, stop: FloatArray
) -> BoolArray:
    """Tell for each row whether its time lies in an interval [start, stop) of its entity.

    Parameters
    ----------
    entity, time : ndarray of shape (n_rows,)
        Whose row it is, and when.
    owner, start, stop : ndarray of shape (n_intervals,)
        Whose interval it is, and when it begins and ends; intervals may overlap.

    Returns
    -------
    ndarray of shape (n_rows,)
        Booleans.
    """
    inside = np.zeros(entity.size, dtype=np.int64)
    for edge, step in ((start, 1), (stop, -1)):
        order = np.lexsort((edge, owner))
        # One ascending list of (entity, time) pairs per kind of edge: the edges of the other
        # entities cancel between the two kinds, because each has as many starts as stops.
        merged = np.lexsort(
            (
                np.concatenate((np.zeros(edge.size), np.ones(entity.size))),
                np.concatenate((edge[order], time)),
                np.concatenate((owner[order], entity)),
            )
        )
        is_edge = merged < edge.size
        before = np.cumsum(is_edge)
        inside[merged[~is_edge] - edge.size] += step * before[~is_edge]
    return inside > 0


def _key(entity: IntArray, time: IntArray, lookback: int) -> IntArray:
    """Integers that ascend with (entity, time) and keep `lookback` seconds between entities."""
    width = lookback + (int(time.max()) + 1 if time.size else 1)
    return entity.astype(np.int64) * width + time + lookback
