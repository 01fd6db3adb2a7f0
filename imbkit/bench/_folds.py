"""Stratified folds that keep groups of rows together, in one sort."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imbkit._core.types import FloatArray, IntArray

__all__ = ["fewest_groups_of_a_class", "merge_groups", "stratified_folds"]


def stratified_folds(
    codes: IntArray, groups: IntArray | None, n_folds: int, rng: np.random.Generator
) -> IntArray:
    """Return the fold of each row.

    Every class is spread over the folds as evenly as the groups allow, and no group
    straddles two folds.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Class of each row, from 0.
    groups : ndarray of shape (n_rows,) or None
        Group of each row, from 0; None means that every row is a group of its own.
    n_folds : int
        Number of folds.
    rng : Generator
        Decides which of the equally good assignments is taken.

    Returns
    -------
    ndarray of shape (n_rows,)
        Numbers from 0 to ``n_folds - 1``.

    Notes
    -----
    Groups of several rows go first, the largest first, each to the fold where its classes
    are scarcest (the choice that least raises the sum of squared class shares). The single
    rows then fill the folds up class by class. O(n log n) time plus a short loop over the
    groups of several rows, where a greedy choice over all groups would loop over all rows.
    """
    n_classes = int(codes.max()) + 1
    load = np.zeros((n_folds, n_classes))
    fold = np.full(codes.size, -1, dtype=np.intp)
    if groups is not None:
        _place_groups(fold, load, codes, groups, rng)
    for label in np.argsort(np.bincount(codes, minlength=n_classes)):
        rows = rng.permutation(np.flatnonzero((codes == label) & (fold < 0)))
        counts = _fill_up(load[:, label], load.sum(axis=1), rows.size)
        fold[rows] = np.repeat(np.arange(n_folds), counts)
        load[:, label] += counts
    return fold


def _place_groups(
    fold: IntArray, load: FloatArray, codes: IntArray, groups: IntArray, rng: np.random.Generator
) -> None:
    """Assign the groups of several rows, writing to `fold` and `load`."""
    sizes = np.bincount(groups)
    many = np.flatnonzero(sizes > 1)
    many = rng.permutation(many)
    many = many[np.argsort(-sizes[many], kind="stable")]
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(sizes)
    n_classes = load.shape[1]
    scarcity = 1.0 / np.bincount(codes, minlength=n_classes).clip(1) ** 2
    for group in many:
        rows = order[ends[group] - sizes[group] : ends[group]]
        count = np.bincount(codes[rows], minlength=n_classes)
        cost = load @ (count * scarcity)
        best = np.flatnonzero(cost == cost.min())
        chosen = best[load[best].sum(axis=1).argmin()]
        fold[rows] = chosen
        load[chosen] += count


def _fill_up(load: FloatArray, total: FloatArray, amount: int) -> IntArray:
    """Rows to add to each fold so that the loads of a class become as equal as possible.

    Where equal shares leave a remainder, it goes to the folds with the fewest rows in all.
    """
    order = np.lexsort((total, load))
    added = np.zeros(load.size, dtype=np.intp)
    for used in range(load.size, 0, -1):
        lowest = order[:used]
        level, rest = divmod(int(load[lowest].sum()) + amount, used)
        if level >= load[lowest].max():
            added[lowest] = level - load[lowest].astype(np.intp)
            shortest = lowest[np.argsort(total[lowest], kind="stable")]
            added[shortest[:rest]] += 1
            break
    return added


def merge_groups(first: IntArray, second: IntArray) -> IntArray:
    """Return the finest grouping that keeps both groupings' rows together."""
    n_first, n_second = int(first.max()) + 1, int(second.max()) + 1
    size = n_first + n_second
    links = coo_array((np.ones(first.size), (first, n_first + second)), shape=(size, size))
    _, component = connected_components(links, directed=False)
    return np.unique(component[first], return_inverse=True)[1]


def fewest_groups_of_a_class(codes: IntArray, groups: IntArray | None) -> IntArray:
    """Return, for each class, the number of distinct groups that hold it."""
    if groups is None:
        return np.bincount(codes)
    pairs = np.unique(np.stack([codes, groups]), axis=1)
    return np.bincount(pairs[0], minlength=int(codes.max()) + 1)
