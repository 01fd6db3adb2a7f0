"""How well one column alone ranks the rows of a class, from one sort of the column."""

from dataclasses import dataclass

import numpy as np

from imbkit._core.types import BoolArray, FloatArray, IntArray

__all__ = ["Runs", "average_precision", "best_ranking", "read_runs"]

MOST_LEVELS = 1000
"""Numbers with at most this many distinct values are ranked value by value, too."""
WORTHWHILE = 0.85
"""Share of a class among as many top rows as it has rows. With less, its average precision
cannot reach 0.99: every row that ranks lower has been overtaken by others."""


@dataclass(frozen=True, slots=True)
class Runs:
    """A column as runs of equal values, numbered by their order; missing values come last.

    Parameters
    ----------
    run : ndarray of shape (n_rows,)
        Number of each row's run.
    sizes : ndarray of shape (n_runs,)
        Rows of each run.
    missing : bool
        Whether the last run is that of the missing values.
    ordered : bool
        Whether the order of the values means anything.
    """

    run: IntArray
    sizes: IntArray
    missing: bool
    ordered: bool


def read_runs(values: FloatArray, *, ordered: bool) -> Runs:
    """Return the runs of a column, missing values being NaN."""
    order = np.argsort(values)
    by_size = values[order]
    missing = int(np.count_nonzero(np.isnan(values)))
    starts = np.append(True, by_size[1:] != by_size[:-1])
    starts[values.size - missing + 1 :] = False  # NaN is unlike itself
    run = np.empty(values.size, dtype=np.intp)
    run[order] = np.cumsum(starts) - 1
    sizes = np.diff(np.append(np.flatnonzero(starts), values.size))
    return Runs(run, sizes, missing > 0, ordered)


def best_ranking(runs: Runs, members: IntArray, half: BoolArray) -> float:
    """Return the highest average precision with which a column ranks some rows first.

    Parameters
    ----------
    runs : Runs
        The column.
    members : ndarray of shape (n_members,)
        Positions of the rows that should rank first.
    half : ndarray of shape (n_rows,)
        Which half a row belongs to, where the shares of one half rank the other.

    Returns
    -------
    float
        The best of these rankings: by the value and by its negative, where the order means
        something, with missing values first or last; and by the share of members among the
        rows of the same value in the other half, so that nothing is gained by remembering.
        0 if none can be near 1.
    """
    own = runs.run[members]
    by_value = runs.ordered and _may_rank(runs, own)
    by_share = runs.sizes.size <= (MOST_LEVELS if runs.ordered else runs.run.size // 2)
    if not by_value and not by_share:
        return 0.0
    hits = np.bincount(own, minlength=runs.sizes.size)
    best = _share_ranking(runs, members, hits, half) if by_share else 0.0
    if by_value:
        rising = np.arange(runs.sizes.size)
        rolled = np.roll(rising, int(runs.missing))
        for way in (rising, rising[::-1], rolled, rolled[::-1]):
            best = max(best, average_precision(hits[way], runs.sizes[way]))
    return best


def average_precision(hits: IntArray, sizes: IntArray) -> float:
    """Return the average precision of groups of tied rows, the highest-ranked first."""
    precision = np.cumsum(hits) / np.cumsum(sizes)
    return float(hits @ precision / hits.sum())


def _may_rank(runs: Runs, own: IntArray) -> bool:
    """Whether the value or its negative may rank the rows of the given runs near perfectly."""
    known = runs.sizes[: runs.sizes.size - runs.missing]
    seen = np.cumsum(known)
    absent = np.count_nonzero(own >= known.size)
    # The runs that fill the first and the last places; those that reach beyond count in full.
    low = np.searchsorted(seen, own.size)
    high = np.searchsorted(seen, seen[-1] - own.size, side="right") if known.size else 0
    lowest = np.count_nonzero(own[own < known.size] <= low)
    highest = np.count_nonzero(own[own < known.size] >= high)
    return bool(max(lowest, highest) + absent >= WORTHWHILE * own.size)


def _share_ranking(runs: Runs, members: IntArray, hits: IntArray, half: BoolArray) -> float:
    """Average precision of the share of members that a value has in the other half."""
    n_runs, share = runs.sizes.size, members.size / runs.run.size
    first_sizes = np.bincount(runs.run[half], minlength=n_runs)
    first_hits = np.bincount(runs.run[members[half[members]]], minlength=n_runs)
    sizes = np.concatenate([first_sizes, runs.sizes - first_sizes])
    cell_hits = np.concatenate([first_hits, hits - first_hits])
    # One more row with the share of the whole table: a value seen once tells less than one
    # seen often, and one that was never seen tells nothing.
    scores = (np.roll(cell_hits, n_runs) + share) / (np.roll(sizes, n_runs) + 1)
    order = np.argsort(-scores)
    ends = np.append(np.flatnonzero(np.diff(scores[order])), order.size - 1)
    tied_hits, tied_sizes = (
        np.diff(np.cumsum(counts[order])[ends], prepend=0) for counts in (cell_hits, sizes)
    )
    return average_precision(tied_hits[tied_sizes > 0], tied_sizes[tied_sizes > 0])
