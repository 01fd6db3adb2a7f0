"""Categories as codes: reading them, voting on them, writing them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from imbkit._core.columns import NUMERIC, is_infinite, is_missing
from imbkit._core.containers import Rows
from imbkit._core.messages import listing, message, shorten
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError
from imbkit.sampling._table import assemble

__all__ = [
    "Candidates",
    "Coded",
    "candidates",
    "coded_columns",
    "dense",
    "draw_levels",
    "examples",
    "most_frequent",
    "write_columns",
]

# Kinds of a data frame's columns that can be written from values.
_WRITABLE = (*NUMERIC, "category", "string")


class Coded(NamedTuple):
    """Columns of categories: the level of every row, and what the levels are."""

    codes: NDArray[np.int32]  # (n_rows, c)
    levels: list[AnyArray]  # c arrays, sorted, missing last
    first: list[IntArray]  # a row that has each level


def coded_columns(rows: Rows[Any], columns: Sequence[int]) -> Coded:
    """Return the levels of some columns; missing is a level of its own, the last.

    Raises
    ------
    DataError
        If the values of a column cannot be sorted, are infinite, or cannot be written back.
    """
    codes = np.empty((rows.n_rows, len(columns)), dtype=np.int32, order="F")
    levels, first = [], []
    _check_writable(rows, columns)
    for c, j in enumerate(columns):
        matrix = isinstance(rows.native, np.ndarray)
        values = rows.native[:, j] if matrix else rows.column(j)
        codes[:, c], where = _coded(values, rows.names[j], rows.who)
        levels.append(values[where])
        first.append(where)
        if is_infinite(levels[-1]).any():
            rule = "every value must be finite or missing"
            got = f"infinite (inf) values in {shorten(rows.names[j])}"
            todo = "Give them a name of their own, or make them missing"
            raise DataError(message(rows.who, rule, got, todo))
    return Coded(codes, levels, first)


def _coded(values: AnyArray, name: str, who: str) -> tuple[AnyArray, IntArray]:
    """Return the code of every value, and the first row of every level."""
    if values.dtype != object:
        distinct, codes = np.unique(values, return_inverse=True)
        return codes, _first_rows(codes, distinct.size)
    listed = values.tolist()
    try:
        number = {value: i for i, value in enumerate(dict.fromkeys(listed))}
        codes = np.fromiter(map(number.__getitem__, listed), dtype=np.intp, count=len(listed))
        first = _first_rows(codes, len(number))
        distinct = values[first]
        # NaNs need not be equal to each other, and None is as missing as they are.
        gone = is_missing(distinct)
        present = sorted(np.flatnonzero(~gone), key=distinct.__getitem__)
    except TypeError:
        kinds = sorted({type(value).__name__ for value in listed})
        rule = f"values of column {shorten(name)} must be uniformly strings or numbers"
        todo = "Turn them all into text"
        raise DataError(message(who, rule, f"values of type {listing(kinds)}", todo)) from None
    rank = np.full(len(number), len(present))
    rank[present] = np.arange(len(present))
    level_of_row = rank[codes]
    one = np.flatnonzero(gone)[:1]
    return level_of_row, first[np.concatenate([np.asarray(present, dtype=np.intp), one])]


def _first_rows(codes: IntArray, n_levels: int) -> IntArray:
    """Return the first row with each code; of repeated positions the last assignment holds."""
    first = np.empty(n_levels, dtype=np.intp)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    return first


def _check_writable(rows: Rows[Any], columns: Sequence[int]) -> None:
    if isinstance(rows.native, np.ndarray) or sparse.issparse(rows.native):
        return
    kinds = rows.select(columns).kinds()
    wrong = [
        f"{shorten(rows.names[j])} ({kind})"
        for j, kind in zip(columns, kinds, strict=True)
        # A column without any value has one level, which every row can be copied from.
        if kind not in _WRITABLE and not is_missing(rows.column(j)).all()
    ]
    if wrong:
        rule = "categories must be text, numbers, booleans or of a categorical dtype"
        todo = "Turn these columns into text, or leave them out"
        raise DataError(message(rows.who, rule, ", ".join(wrong[:5]), todo))


def examples(rows: Rows[Any], columns: Sequence[int], coded: Coded) -> Any:
    """Return a few rows of some columns with every level among them, to fit an encoder on."""
    chosen = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *coded.first]))
    missing = any(level.dtype == object and is_missing(level).any() for level in coded.levels)
    if isinstance(rows.native, np.ndarray) or not missing:
        native = rows.take(chosen).select(columns).native
        return dense(native)
    # Encoders do not know the missing values of every data frame.
    table = np.empty((chosen.size, len(columns)), dtype=object)
    for c, level in enumerate(coded.levels):
        table[:, c] = level[coded.codes[chosen, c]]
    return table


def dense(native: Any) -> Any:
    """Return a table as it is, or a sparse one as an array."""
    thin: bool = sparse.issparse(native)
    return native.toarray() if thin else native


class Candidates(NamedTuple):
    """The winning levels of each row's vote, ascending: those of row i from ``starts[i]`` on."""

    levels: NDArray[np.int32]
    starts: IntArray
    counts: IntArray


def candidates(votes: NDArray[np.int32], least: IntArray, n_levels: int) -> Candidates:
    """Return the levels with the most votes in each row.

    Parameters
    ----------
    votes : ndarray of int32, shape (m, k)
        Levels; -1 is no vote.
    least : ndarray of int, shape (k + 1,)
        Votes that are as good as the highest number of votes; with 0 every level wins.
    n_levels : int
        Number of levels.

    Returns
    -------
    Candidates
        One or more levels for each row.
    """
    levels, counts = _counted(votes)
    needed = least[counts.max(axis=1)]
    wins = (counts > 0) & (counts >= needed[:, np.newaxis])
    every = needed == 0
    wins[every] = False
    size = np.where(every, n_levels, np.count_nonzero(wins, axis=1))
    out = np.empty(size.sum(), dtype=np.int32)
    some = np.repeat(~every, size)
    out[some] = levels[wins]
    out[~some] = np.tile(np.arange(n_levels, dtype=np.int32), np.count_nonzero(every))
    return Candidates(out, np.cumsum(size) - size, size)


def most_frequent(votes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the level with the most votes in each row, the smallest of several."""
    levels, counts = _counted(votes)
    return np.take_along_axis(levels, counts.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]


def _counted(votes: NDArray[np.int32]) -> tuple[NDArray[np.int32], IntArray]:
    """Sort each row's votes and count them at the first of each level; 0 at the others."""
    levels = np.sort(votes, axis=1)
    first = np.ones(levels.shape, dtype=bool)
    first[:, 1:] = levels[:, 1:] != levels[:, :-1]
    # Every row begins with a first one, so no run of equal levels goes beyond its row.
    begin = np.flatnonzero(first)
    counts = np.zeros(levels.size, dtype=np.intp)
    counts[begin] = np.diff(begin, append=levels.size)
    table: IntArray = counts.reshape(levels.shape)
    table[levels < 0] = 0
    return levels, table


def draw_levels(
    rng: np.random.RandomState, winners: Candidates, voters: IntArray
) -> NDArray[np.int32]:
    """Draw one of the winning levels for each new row, all alike likely.

    The pairs (new row, level) are shuffled as imbalanced-learn shuffles them, and the first
    pair of each row counts.
    """
    size = winners.counts[voters]
    end = np.cumsum(size)
    start = end - size
    order = rng.permutation(int(end[-1]) if end.size else 0)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    pair = order[np.minimum.reduceat(place, start)] if start.size else order
    return winners.levels[winners.starts[voters] + pair - start]


def write_columns(
    rows: Rows[Any],
    plan: Plan,
    numbers: AnyArray | None,
    continuous: Sequence[int],
    levels: Sequence[AnyArray],
    categorical: Sequence[int],
    *,
    renumber: bool,
) -> Any:
    """Write the resampled table with new numbers and new levels.

    Parameters
    ----------
    rows : Rows
        The table before.
    plan : Plan
        Where the resampled rows come from.
    numbers : ndarray of shape (n_made, d) or None
        New values of the `continuous` columns; None if there are none.
    continuous, categorical : sequence of int
        Positions of the columns; others are copied from base rows.
    levels : sequence of ndarray of shape (n_made,)
        New values of the `categorical` columns.
    renumber : bool
        Whether a pandas index is numbered from 0.

    Returns
    -------
    DataFrame, ndarray, or sparse matrix
        Shape (plan.n_rows, n_features).
    """
    columns, new = list(continuous), [] if numbers is None else list(numbers.T)
    native = rows.native
    array = isinstance(native, np.ndarray)
    if sparse.issparse(native) or (array and native.dtype.kind == "f"):
        dtype = native.dtype if array else np.float64
        table = np.empty((plan.n_made, rows.n_columns), dtype=dtype)
        for j, values in zip([*columns, *categorical], [*new, *levels], strict=True):
            table[:, j] = values
        return assemble(rows, plan, table, None, renumber=renumber)
    if array:
        # Levels are written as the objects that they are, whatever their kind; so are floats,
        # while other numbers need to be rounded.
        floats = set(map(type, native[:, columns].ravel().tolist())) <= {float}
        given = None if floats else new
        out = assemble(rows, plan, given, columns, renumber=renumber)
        below = np.flatnonzero(plan.made)
        direct = zip([*columns, *categorical], [*new, *levels], strict=True)
        for j, values in direct if floats else zip(categorical, levels, strict=True):
            out[below, j] = values
        return out
    kinds = rows.select(categorical).kinds()
    for j, values, kind in zip(categorical, levels, kinds, strict=True):
        # Others have one level, which the base row has as well.
        if kind in _WRITABLE:
            columns.append(j)
            new.append(values)
    return assemble(rows, plan, new, columns, renumber=renumber)
