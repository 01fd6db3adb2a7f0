"""Find columns that give the target away, or that only name or count the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from imbkit._core.messages import shorten
from imbkit._core.row_hash import row_hashes
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.bench._columns import Column, Table
from imbkit.bench._lone_column import Runs, best_ranking, read_runs
from imbkit.bench._schema import LeakCard

__all__ = ["beyond_luck", "find_leaks", "guarded_columns", "near_duplicate_groups"]

NEAR_PERFECT = 0.99
"""Average precision of a column alone, 0 being that of a constant and 1 the best possible."""
FEWEST = 10
"""Rows that a class and its complement need before anything is said of a column."""
LUCK = 1e-6
"""Nothing is said of what chance alone would show in one of this many tables."""
PURE = 0.99
"""Share of the rows with a known (or missing) value that belong to one class."""
MARKED = 0.1
"""Share of a class that must be marked by a value which only that class has."""
TELLING = 0.5
"""Share of a class among the rows with the one value that it has in all its rows."""
MANY_LEVELS = 0.5
"""A category with more levels than this share of its rows looks like an identifier."""
DISTINCT = 0.99
"""Share of distinct values of a whole number that looks like an identifier."""
EVEN = 0.1
"""Farthest that the distribution of numbered identifiers is from an even one."""
FEWEST_IN_ORDER = 20
"""Distinct values of a column that runs with the rows."""
FEWEST_COMPARED = 3
"""Columns that must be left to tell rows apart."""
MOST_SWALLOWED = 0.5
"""Share of the distinct rows that may turn into copies when columns are left out."""
KINDS = ("perfect", "outcome", "identifier", "order")


def find_leaks(
    table: Table,
    codes: IntArray,
    labels: Sequence[str],
    *,
    positive: int | None,
    order_matters: bool = True,
) -> list[LeakCard]:
    """Return the columns that give the target away or seem to, the gravest first.

    Parameters
    ----------
    table : Table
        The features.
    codes : ndarray of shape (n_rows,)
        Class of each row, from 0.
    labels : sequence of str
        The classes in words, by code.
    positive : int or None
        The positive class; None looks at every class against all others.
    order_matters : bool, default=True
        Whether to say of a column that it runs with the rows; of no use once the time is known.

    Returns
    -------
    list of LeakCard
        At most one of ``perfect`` and ``outcome`` a column, and one of ``order`` and
        ``identifier``.

    Notes
    -----
    Every rule needs 10 rows of a class and 10 others, and evidence. Let a mark (a set of s
    rows that a column singles out) hold a share q of rows of a class that has a share p of all
    rows. By Chernoff's bound chance does this with a probability of at most
    exp(-s KL(q, p)), KL being the Kullback-Leibler divergence of two coins; this, times the
    number of columns, must be below 1e-6.

    ``perfect``: the average precision a of the column alone satisfies (a - p) / (1 - p) >=
    0.99. A constant column has a = p, so the rule asks as much of a frequent class as of a
    rare one. Columns rank as `best_ranking` says; the mark is the top of the ranking.

    ``outcome``, one of

    - *known only with a class*: at least 99 % of the rows where the column is known (or where
      it is missing) are of one class;
    - *constant within a class*: all rows of a class have the same value, or none; the mark is
      the rows with any other value, which are all of other classes.

    Such a mark is only worth a word if it tells much: it must hold a tenth of a class that has
    at most half of the rows. Where it falls into a class that has more, nothing odd is seen in
    it until so few rows are left without the mark that at least half of them belong to the
    other class.

    ``identifier``: a category with more levels than half of its rows; whole numbers of which
    99 % are distinct, and which are spread evenly between the lowest and the highest
    (Kolmogorov's distance at most 0.1) or of which half are the successor of another. An
    income is distinct in most rows, too, but not spread evenly.

    ``order``: numbers or dates that never fall (never rise) from row to row, with at least 20
    distinct values.

    O(n log n) time a column; memory for a few columns.
    """
    n_rows, n_columns = table.n_rows, len(table.columns)
    half = np.random.default_rng(0).random(n_rows) < 0.5
    classes = [_Class(label, np.flatnonzero(codes == k)) for k, label in enumerate(labels)]
    ranked = classes if positive is None else [classes[positive]]
    leaks: list[LeakCard | None] = []
    for column, values in zip(table.columns, table.matrix.T, strict=True):
        runs = read_runs(values, ordered=column.kind != "category")
        leaks += [
            _perfect(column, runs, ranked, half, n_columns, binary=positive is not None)
            or _outcome(column, runs, classes, n_columns),
            (_order(column, values) if order_matters else None) or _identifier(column, values),
        ]
    found = [leak for leak in leaks if leak is not None]
    return sorted(found, key=lambda leak: KINDS.index(leak["kind"]))


def guarded_columns(table: Table, leaks: Sequence[LeakCard]) -> IntArray:
    """Return the positions of the columns by which rows are compared for being copies.

    Copies that differ in a key or a time stamp alone must not straddle a fold either, so
    identifiers, columns that run with the rows, and dates are left out.

    Parameters
    ----------
    table : Table
        The features.
    leaks : sequence of LeakCard
        As `find_leaks` returns them.

    Returns
    -------
    ndarray of shape (n_compared,)
        All columns where leaving some out would be unsound: where fewer than 3 columns would
        be left, or where more than half of the distinct rows would turn into copies, as they
        do when the rest is a few flags that many honest rows share.
    """
    names = {leak["column"] for leak in leaks if leak["kind"] in ("identifier", "order")}
    columns = table.columns
    every = np.arange(len(columns))
    kept = every[[c.name not in names and c.kind != "date" for c in columns]]
    if kept.size == every.size or kept.size < FEWEST_COMPARED:
        return every
    distinct = np.unique(row_hashes(table.matrix)).size
    left = np.unique(row_hashes(table.matrix, kept.tolist())).size
    return kept if left >= (1 - MOST_SWALLOWED) * distinct else every


def near_duplicate_groups(
    table: Table, leaks: Sequence[LeakCard], duplicates: IntArray
) -> IntArray | None:
    """Return the groups of rows that are equal in the guarded columns, numbered from 0.

    None if that groups no more rows than `duplicates`, the groups of rows equal in all columns.
    """
    columns = guarded_columns(table, leaks)
    if columns.size == len(table.columns):
        return None
    hashes = row_hashes(table.matrix, columns.tolist())
    near = np.unique(hashes, return_inverse=True)[1].reshape(-1)
    return near if near.max() < duplicates.max() else None


def beyond_luck(marked: int, hits: int, share: float, n_columns: int) -> bool:
    """Whether a mark holds more rows of a class than chance would give it in any column.

    Parameters
    ----------
    marked, hits : int
        Rows that the mark singles out, and how many of them are of the class.
    share : float
        Share of the class among all rows.
    n_columns : int
        Columns that were looked at; the bound is Chernoff's, times their number.
    """
    part = hits / marked
    if part <= share:
        return False
    divergence = part * log(part / share)
    if part < 1:
        divergence += (1 - part) * log((1 - part) / (1 - share))
    return marked * divergence > log(n_columns / LUCK)


@dataclass(frozen=True, slots=True)
class _Class:
    """The rows of a class."""

    label: str
    rows: IntArray


def _perfect(
    column: Column,
    runs: Runs,
    classes: Sequence[_Class],
    half: BoolArray,
    n_columns: int,
    *,
    binary: bool,
) -> LeakCard | None:
    """Whether the column alone ranks the rows of a class near perfectly."""
    found = []
    for each in classes:
        size, share = each.rows.size, each.rows.size / half.size
        rarer = min(size, half.size - size)
        if rarer < FEWEST or not beyond_luck(rarer, rarer, rarer / half.size, n_columns):
            continue
        value = best_ranking(runs, each.rows, half)
        if value - share >= NEAR_PERFECT * (1 - share):
            found.append((value, each.label))
    if not found:
        return None
    value, label = max(found, key=lambda pair: pair[0])
    rows = "the positive rows" if binary else f"the rows of class {shorten(label)}"
    if len(found) > 1:
        rows += f" (and of {len(found) - 1} more)"
    name = shorten(column.name)
    text = (
        f"{name} alone ranks {rows} almost perfectly (average precision {value:.3f}): it may be "
        f"known only afterwards. Drop it with --drop {name} unless you know better."
    )
    return LeakCard(column=column.name, kind="perfect", value=value, text=text)


def _outcome(
    column: Column, runs: Runs, classes: Sequence[_Class], n_columns: int
) -> LeakCard | None:
    """Whether the column is known only with a class, or constant within one."""
    found = _known_only_with(runs, classes, n_columns) or _constant_in(runs, classes, n_columns)
    if not found:
        return None
    value, what = found
    name = shorten(column.name)
    text = (
        f"{name} {what}: it may be known only afterwards. Drop it with --drop {name} unless you "
        "know better."
    )
    return LeakCard(column=column.name, kind="outcome", value=value, text=text)


def _known_only_with(
    runs: Runs, classes: Sequence[_Class], n_columns: int
) -> tuple[float, str] | None:
    """Whether known or missing values mark a class; the share of the class, and in words."""
    if not runs.missing:
        return None
    n_rows, absent = runs.run.size, int(runs.sizes[-1])
    for each in classes:
        missing = int(np.count_nonzero(runs.run[each.rows] == runs.sizes.size - 1))
        for what, marked, hits in (
            ("is filled in", n_rows - absent, each.rows.size - missing),
            ("is missing", absent, missing),
        ):
            if _tells(marked, hits, each.rows.size, n_rows, n_columns):
                only = "only" if hits == marked else "almost only"
                words = (
                    f"{what} {only} in rows of class {shorten(each.label)} ({hits:,} of "
                    f"{each.rows.size:,})"
                )
                return hits / each.rows.size, words
    return None


def _constant_in(runs: Runs, classes: Sequence[_Class], n_columns: int) -> tuple[float, str] | None:
    """Whether a class has one value only, and other values mark the other classes."""
    n_rows = runs.run.size
    for each in classes:
        own = runs.run[each.rows]
        if own.min() < own.max():
            continue
        others, marked = n_rows - own.size, n_rows - int(runs.sizes[own[0]])
        if _tells(marked, marked, others, n_rows, n_columns):
            missing = runs.missing and own[0] == runs.sizes.size - 1
            words = (
                f"{'is missing' if missing else 'has the same value'} in all {own.size:,} rows of "
                f"class {shorten(each.label)}, and {'is known' if missing else 'has others'} in "
                f"{marked:,} of the other {others:,}"
            )
            return marked / others, words
    return None


def _tells(marked: int, hits: int, size: int, n_rows: int, n_columns: int) -> bool:
    """Whether a mark gives a class away; `hits` of the `marked` rows are of it, out of `size`."""
    others = n_rows - size
    if min(size, others) < FEWEST or hits < PURE * marked or not marked:
        return False
    if not beyond_luck(marked, hits, size / n_rows, n_columns):
        return False
    if size <= others:
        return hits >= MARKED * size
    return others - (marked - hits) >= TELLING * (n_rows - marked)


def _identifier(column: Column, values: FloatArray) -> LeakCard | None:
    """Whether the column only names the rows."""
    known = values.size - column.missing
    if column.kind == "category":
        alike = column.levels > MANY_LEVELS * values.size
    else:
        alike = (
            column.kind == "number"
            and known >= FEWEST_IN_ORDER
            and column.levels >= DISTINCT * known
            and _is_numbering(values[~np.isnan(values)])
        )
    if not alike:
        return None
    name = shorten(column.name)
    text = (
        f"{name} looks like an identifier: nearly every row has its own value, so what is learnt "
        f"from it cannot hold for new rows. Drop it with --drop {name}."
    )
    return LeakCard(
        column=column.name, kind="identifier", value=column.levels / max(known, 1), text=text
    )


def _is_numbering(known: FloatArray) -> bool:
    """Whether whole numbers are spread evenly, or are mostly successors of each other."""
    if (known != np.floor(known)).any():
        return False
    ascending = np.sort(known)
    if np.mean(np.diff(ascending) == 1) >= MANY_LEVELS:
        return True
    even = np.linspace(ascending[0], ascending[-1], ascending.size)
    return bool(np.abs(ascending - even).max() <= EVEN * (ascending[-1] - ascending[0]))


def _order(column: Column, values: FloatArray) -> LeakCard | None:
    """Whether the column never falls, or never rises, from row to row."""
    if column.kind == "category" or column.missing or column.levels < FEWEST_IN_ORDER:
        return None
    rises = bool((values[1:] >= values[:-1]).all())
    if not rises and not (values[1:] <= values[:-1]).all():
        return None
    name = shorten(column.name)
    text = (
        f"{name} {'never falls' if rises else 'never rises'} from row to row, like a time stamp or "
        f"a row counter. If it is a time, test forward in time with --time {name}; if it only "
        f"counts the rows, drop it with --drop {name}."
    )
    return LeakCard(column=column.name, kind="order", value=None, text=text)
