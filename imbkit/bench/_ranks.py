"""Ranks over several tables: Friedman, Wilcoxon with Holm's adjustment, and who is tied.

One table gives one score an entry here: its mean over the folds. Tables are independent, folds
of one table are not, so these tests are for rows that are tables and never for folds.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from imbkit._core.types import BoolArray, FloatArray
from imbkit.bench._stats import holm

__all__ = [
    "Friedman",
    "SignedRank",
    "average_ranks",
    "cliques",
    "friedman",
    "least_p_value",
    "signed_rank",
    "wilcoxon_holm",
]


class Friedman(NamedTuple):
    """Friedman's test of equal ranks, and Iman and Davenport's less timid form of it."""

    statistic: float
    """Chi-square with k - 1 degrees of freedom, corrected for ties."""
    p_value: float
    f_statistic: float
    """F with k - 1 and (k - 1)(n - 1) degrees of freedom; infinite if all tables agree."""
    f_p_value: float


class SignedRank(NamedTuple):
    """Wilcoxon's signed-rank test."""

    lean: float
    """Sum of the ranks of positive differences, less that of the negative ones."""
    p_value: float
    """Two-sided and exact; 1 if all differences are zero."""


def average_ranks(scores: FloatArray, greater_is_better: bool = True) -> FloatArray:
    """Return the mean rank of every entry over the tables.

    Parameters
    ----------
    scores : ndarray of shape (n_tables, n_entries)
        One score a table and entry, without NaN.
    greater_is_better : bool, default=True
        Whether the greatest score has rank 1, or the smallest.

    Returns
    -------
    ndarray of shape (n_entries,)
        1 is best; equal scores share the mean of their ranks.
    """
    return np.asarray(_ranks(-scores if greater_is_better else scores).mean(axis=0))


def friedman(scores: FloatArray) -> Friedman:
    """Test whether all entries have the same expected rank.

    Parameters
    ----------
    scores : ndarray of shape (n_tables, n_entries)
        One score a table and entry, without NaN; at least two tables and three entries.
        The direction does not matter.

    Returns
    -------
    Friedman
        Where every table ties all entries, statistics are 0 and p-values 1.

    Notes
    -----
    With few tables the chi-square is timid; its F form, Q (n - 1) / (n (k - 1) - Q) for the
    chi-square Q of n tables and k entries, is the one to decide by (Demsar 2006).

    References
    ----------
    R. L. Iman and J. M. Davenport, "Approximations of the critical region of the Friedman
    statistic", Communications in Statistics A9, 571-595 (1980).
    J. Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 1-30
    (2006).
    """
    n, k = scores.shape
    ranks = _ranks(scores)
    spread = float(((ranks - (k + 1) / 2) ** 2).sum())
    if spread == 0:
        return Friedman(0.0, 1.0, 0.0, 1.0)
    between = float(((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2).sum())
    most = n * (k - 1)
    statistic = min((k - 1) * between / spread, float(most))
    p_value = float(stats.chi2.sf(statistic, k - 1))
    if most - statistic < 1e-9 * most:
        return Friedman(statistic, p_value, float("inf"), 0.0)
    f_statistic = (n - 1) * statistic / (most - statistic)
    f_p_value = float(stats.f.sf(f_statistic, k - 1, (k - 1) * (n - 1)))
    return Friedman(statistic, p_value, f_statistic, f_p_value)


def signed_rank(differences: FloatArray) -> SignedRank:
    """Test whether differences are as often large below zero as above it.

    Parameters
    ----------
    differences : ndarray of shape (n_tables,)
        Paired differences, without NaN.

    Returns
    -------
    SignedRank
        Its p-value is the share of all ways to sign the ranks that lean at least as far.

    Notes
    -----
    Zeros take part in the ranking and are then set aside (Pratt 1959): a table on which two
    entries are equal speaks against a difference. Sharing the zeros' ranks out to both sides
    evenly, as Demsar (2006) does, changes neither the lean nor the p-value. The
    distribution is that of the signs, given the ranks as they are, so that it is exact with
    ties and zeros, too, where the usual normal approximation is poor for few tables.
    O(n^3) time in n tables.
    """
    # Twice the mid-ranks are whole numbers, so that sums of them can be counted.
    doubled = np.rint(2 * stats.rankdata(np.abs(differences))).astype(np.intp)
    positive = int(doubled[differences > 0].sum())
    moved = doubled[differences != 0]
    total = int(moved.sum())
    at_most = _chances(tuple(np.sort(moved).tolist()))
    smaller = min(positive, total - positive)
    p_value = min(2 * float(at_most[smaller]), 1.0)
    return SignedRank((2 * positive - total) / 2, p_value)


def wilcoxon_holm(scores: FloatArray) -> FloatArray:
    """Compare every two entries by the signed-rank test, adjusted by Holm for all pairs.

    Parameters
    ----------
    scores : ndarray of shape (n_tables, n_entries)
        One score a table and entry, without NaN. The direction does not matter.

    Returns
    -------
    ndarray of shape (n_entries, n_entries)
        Symmetric p-values; 1 on the diagonal.
    """
    k = scores.shape[1]
    first, second = np.triu_indices(k, 1)
    pairs = zip(first, second, strict=True)
    plain = np.array([signed_rank(scores[:, i] - scores[:, j]).p_value for i, j in pairs])
    p_values = np.ones((k, k))
    p_values[first, second] = p_values[second, first] = holm(plain)
    return p_values


def least_p_value(n_tables: int) -> float:
    """Return the least p-value that the signed-rank test can give with so many tables."""
    return 2.0 ** (1 - n_tables)


def cliques(ranks: FloatArray, p_values: FloatArray, level: float = 0.05) -> list[tuple[int, ...]]:
    """Return the largest groups in which no two entries differ significantly.

    Parameters
    ----------
    ranks : ndarray of shape (n_entries,)
        Average ranks, for the order.
    p_values : ndarray of shape (n_entries, n_entries)
        Symmetric, adjusted.
    level : float, default=0.05
        Pairs with a p-value below this differ.

    Returns
    -------
    list of tuple of int
        Positions of the members, best rank first, of every group of two or more that no other
        group contains; the groups by their best members. Two entries differ exactly where
        they share no group.

    Notes
    -----
    The signed-rank test can find A different from B and not from C although B lies between
    them in rank. Such a group has a gap, so a drawing has to mark its members.
    """
    tied = ~(p_values < level)
    np.fill_diagonal(tied, False)
    order = np.argsort(ranks, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    found = [
        tuple(sorted(group, key=lambda i: int(place[i])))
        for group in _maximal(tied, frozenset(), frozenset(range(ranks.size)), frozenset())
        if len(group) > 1
    ]
    return sorted(found, key=lambda group: [int(place[i]) for i in group])


def _ranks(values: FloatArray) -> FloatArray:
    """Rank within each row, 1 for the smallest."""
    return np.asarray(stats.rankdata(values, axis=1), dtype=float)


@lru_cache(maxsize=16)
def _chances(weights: tuple[int, ...]) -> FloatArray:
    """Return the chance that the weights taken by fair coins sum to at most 0, 1, 2, ..."""
    chances = np.zeros(sum(weights) + 1)
    chances[0] = 1.0
    for weight in weights:
        taken = np.zeros_like(chances)
        taken[weight:] = chances[: chances.size - weight]
        chances = (chances + taken) / 2
    return np.cumsum(chances)


def _maximal(
    tied: BoolArray, group: frozenset[int], open_: frozenset[int], closed: frozenset[int]
) -> Iterator[frozenset[int]]:
    """Yield the groups that nobody can join (Bron and Kerbosch 1973, with a pivot)."""
    if not open_ and not closed:
        yield group
        return
    friends = {i: frozenset(np.flatnonzero(tied[i]).tolist()) for i in open_ | closed}
    pivot = max(friends, key=lambda i: (len(friends[i] & open_), -i))
    for i in sorted(open_ - friends[pivot]):
        yield from _maximal(tied, group | {i}, open_ & friends[i], closed & friends[i])
        open_, closed = open_ - {i}, closed | {i}
