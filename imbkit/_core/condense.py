"""Which rows of a class a small store of rows gets wrong, and the store grown until none is.

The store holds all rows of a rival class and some rows of the class in question. Each row of
the class is judged by the vote of the k nearest rows of the store. It is judged wrongly if, and
only if, fewer than ``limit`` stored rows of its own class lie nearer than the rival whose vote
would decide. That rival never changes, so a growing store needs no search for it.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from imbkit._core.neighbors import RowIndex
from imbkit._core.parallel import run_blocks
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["POOL", "condensed", "misjudged", "near_rows", "pair_squares", "smallest_class"]

POOL = 1024  # rows up to which clusters are searched faster than a tree
_SMALL = 2_000  # rows below which loading the kernels costs more than they save
_CELLS = 2**20  # entries of a working array: 8 MiB
_FEW = 256  # stored rows that are compared one by one; more of them are put into a tree
_STRIDE = 2**14  # rows between two chances to interrupt
_BLOCK = 2**21  # differences that are worth a thread


class _Contest(NamedTuple):
    """The rows of a class, and how near the deciding rival is to each."""

    rows: Any  # (n, d) the rows themselves, dense float64 or CSR
    numbers: IntArray  # (n,) their numbers in the table
    reach: FloatArray  # (n,) squared distance to the deciding rival
    rivals: IntArray  # (n,) its number
    limit: int  # stored rows of the class, nearer than it, that outvote the rivals


def condensed(
    X: Any,
    members: IntArray,
    rivals: IntArray,
    seeds: IntArray,
    k: int,
    *,
    rival_wins_ties: bool,
    n_jobs: int | None = None,
) -> tuple[IntArray, IntArray]:
    """Walk through a class and store every row that the store gets wrong.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Floats; NaN is missing.
    members : ndarray of int, shape (n,)
        Rows of the class, in order.
    rivals : ndarray of int, shape (m,)
        Rows of the other class, all stored from the start.
    seeds : ndarray of int
        Positions in `members` stored from the start; a repeated one votes twice.
    k : int
        Voters, no more than there are rivals and seeds.
    rival_wins_ties : bool
        Who wins a drawn vote.
    n_jobs : int, default=None
        Threads.

    Returns
    -------
    added : ndarray of int
        Positions in `members` that were stored, in the order of the walk.
    passed : ndarray of int
        Positions that were judged wrongly, yet passed over because they equal the number in
        `X` of a row stored before. That is a slip of the original method's implementation in
        imbalanced-learn, kept because it changes which rows come out.

    Notes
    -----
    Of two rows at the same distance the one with the smaller number in `X` is the nearer.
    O(n d log n) time on data of low intrinsic dimension and O(n d) memory. With missing values
    and sparse matrices O(s^2 d) time, s the size of the store.
    """
    chosen = np.zeros(members.size, dtype=bool)
    contest = _contest(X, members, rivals, k, rival_wins_ties, n_jobs)
    if contest is None:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    if members.size < _SMALL or not _plain(contest.rows):
        verdict = _walk(contest, seeds, chosen)
    else:
        verdict = _walk_compiled(contest, seeds, chosen)
    return np.flatnonzero(verdict == 1), np.flatnonzero(verdict == 2)


def misjudged(
    X: Any,
    members: IntArray,
    rivals: IntArray,
    stored: IntArray,
    k: int,
    *,
    rival_wins_ties: bool,
    n_jobs: int | None = None,
) -> BoolArray:
    """Say of each row of a class whether a fixed store gets it wrong.

    Parameters
    ----------
    X, rivals, k, rival_wins_ties, n_jobs
        As in :func:`condensed`.
    members : ndarray of int, shape (n,)
        Rows of the class to judge.
    stored : ndarray of int
        Rows of the class that are stored.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    needed = _needed(k, rival_wins_ties)
    limit = k - needed + 1
    if needed > rivals.size or stored.size < limit:
        return np.full(members.size, needed <= rivals.size)
    own, others, store = (_rows(X, numbers) for numbers in (members, rivals, np.sort(stored)))
    if members.size >= _SMALL and all(_plain(rows) for rows in (own, others, store)):
        # The other way round: enough rivals are nearer than the last stored row whose vote
        # would be needed. There are few of those, and most rows soon have enough rivals.
        mates, squares = near_rows(own, np.arange(members.size), store, limit, n_jobs)
        reach, marks = squares[:, -1].copy(), np.sort(stored)[mates[:, -1]]
        return _count_near(own, others, rivals, reach, marks, needed, n_jobs) >= needed
    contest = _contest(X, members, rivals, k, rival_wins_ties, n_jobs)
    if contest is None:
        return np.zeros(0, dtype=bool)  # nobody to judge
    found = np.zeros(members.size, dtype=np.int64)
    for number in stored:
        found += _nearer(contest, slice(None), _rows(X, np.array([number])), number)
    return np.asarray(found < limit)


def _count_near(
    own: FloatArray,
    others: FloatArray,
    numbers: IntArray,
    reach: FloatArray,
    marks: IntArray,
    limit: int,
    n_jobs: int | None,
) -> IntArray:
    """Count other rows nearer than each row's reach, up to `limit`, by kernels."""
    from imbkit._kernels import far

    found = np.empty(len(own), dtype=np.int64)
    positions, clusters = np.arange(len(own)), far.cluster(others)
    block = max(1, 16 * _BLOCK // others.size)
    arguments = own, positions, clusters, numbers, reach, marks, limit, found
    run_blocks(far.count_near, len(own), *arguments, n_jobs=n_jobs, block=block)
    return found


def pair_squares(A: Any, B: Any) -> FloatArray:
    """Squared distances of the rows of `A` and the rows of `B`, pair by pair.

    Parameters
    ----------
    A : ndarray or CSR matrix of shape (m, d)
        Rows.
    B : ndarray or CSR matrix of shape (m, d) or (1, d)
        Rows of the same kind.

    Returns
    -------
    ndarray of float64, shape (m,)
        Squares added column by column. With missing values, over the columns that both rows
        have, scaled up to all columns; infinite where there is none.
    """
    if bool(sparse.issparse(A)):
        if B.shape[0] != A.shape[0]:
            B = B[np.zeros(A.shape[0], dtype=np.intp)]
        gaps = sparse.csr_matrix(A - B)
        gaps.sort_indices()
        owners = np.repeat(np.arange(A.shape[0]), np.diff(gaps.indptr))
        return np.asarray(np.bincount(owners, gaps.data**2, A.shape[0]), dtype=np.float64)
    gaps = A - B
    terms = gaps * gaps
    missing = np.isnan(terms)
    if not missing.any():
        return _in_order(terms)
    seen = terms.shape[1] - missing.sum(axis=1)
    terms[missing] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seen > 0, _in_order(terms) * terms.shape[1] / seen, np.inf)


def smallest_class(y: AnyArray) -> Any:
    """Return the label with the fewest rows; of several, the one that comes first in `y`."""
    labels, first, counts = np.unique(y, return_index=True, return_counts=True)
    return labels[np.lexsort([first, counts])[0]]


def _in_order(terms: FloatArray) -> FloatArray:
    """Sums of the rows, from the first column to the last as a plain loop adds them."""
    return np.add.accumulate(terms, axis=1)[:, -1]


def _contest(
    X: Any, members: IntArray, rivals: IntArray, k: int, rival_wins_ties: bool, n_jobs: int | None
) -> _Contest | None:
    """Find each row's deciding rival; None if the rivals cannot win a vote."""
    needed = _needed(k, rival_wins_ties)
    if needed > rivals.size or not members.size:
        return None
    own, others = _rows(X, members), _rows(X, rivals)
    compiled = members.size >= _SMALL and _plain(own) and _plain(others)
    if compiled and rivals.size <= POOL:
        mates, squares = near_rows(own, np.arange(members.size), others, needed, n_jobs)
        mates, reach = mates[:, -1], squares[:, -1].copy()
    else:
        mates = RowIndex(others, n_jobs=n_jobs).nearest_to(own, needed)[:, -1]
        reach = _pairs(own, others, mates, compiled, n_jobs)
    return _Contest(own, members, reach, rivals[mates], k - needed + 1)


def near_rows(
    X: FloatArray, rows: IntArray, pool: FloatArray, k: int, n_jobs: int | None
) -> tuple[IntArray, FloatArray]:
    """Find the `k` rows of a small pool nearest to the rows ``X[rows]``, by kernels.

    Parameters
    ----------
    X : ndarray of float64, shape (n_rows, d)
        Rows without missing values.
    rows : ndarray of int, shape (n,)
        Rows to find neighbours of.
    pool : ndarray of float64, shape (m, d)
        Rows to find, best no more than `POOL`.
    k : int
        Neighbours, no more than m.
    n_jobs : int or None
        Threads.

    Returns
    -------
    mates : ndarray of int, shape (n, k)
        Positions in the pool, the nearest first; of rows at one distance, the first.
    squares : ndarray of float64, shape (n, k)
        Squared distances.
    """
    from imbkit._kernels import far

    mates = np.empty((rows.size, k), dtype=np.int64)
    squares = np.empty((rows.size, k))
    clusters = far.cluster(pool)
    block = max(1, 16 * _BLOCK // pool.size // pool.shape[1])
    run_blocks(
        far.near_rows, rows.size, X, rows, clusters, mates, squares, n_jobs=n_jobs, block=block
    )
    return mates, squares


def _pairs(
    own: Any, others: Any, mates: IntArray, compiled: bool, n_jobs: int | None
) -> FloatArray:
    """Squared distance of each row and its mate among the others."""
    out = np.empty(mates.size)
    if compiled:
        from imbkit._kernels.condense import squares

        block = max(1, _BLOCK // own.shape[1])
        run_blocks(squares, mates.size, own, others, mates, out, n_jobs=n_jobs, block=block)
        return out
    step = max(1, _CELLS // max(1, own.shape[1]))
    for low in range(0, mates.size, step):
        part = slice(low, low + step)
        out[part] = pair_squares(own[part], others[mates[part]])
    return out


def _needed(k: int, rival_wins_ties: bool) -> int:
    """Votes of `k` that the rivals need."""
    return k // 2 + (0 if rival_wins_ties and k % 2 == 0 else 1)


def _rows(X: Any, numbers: IntArray) -> Any:
    """Some rows of the table, as dense float64 in row order, or as CSR."""
    if bool(sparse.issparse(X)):
        part = sparse.csr_matrix(X)[numbers].astype(np.float64)
        part.sum_duplicates()
        return part
    return np.ascontiguousarray(X[numbers], dtype=np.float64)


def _plain(rows: Any) -> bool:
    """Whether rows are dense, without missing values."""
    return not sparse.issparse(rows) and not bool(np.isnan(rows.sum()))


def _walk(contest: _Contest, seeds: IntArray, chosen: BoolArray) -> AnyArray:
    """Judge the rows in turn with whole arrays: after each addition, all rows still open."""
    verdict = np.zeros(contest.numbers.size, dtype=np.int8)
    found = np.zeros(contest.numbers.size, dtype=np.int64)
    for seed in seeds:
        found += _nearer(contest, slice(None), contest.rows[[seed]], contest.numbers[seed])
        _choose(chosen, contest.numbers[seed])
    still = np.flatnonzero(found < contest.limit)
    while still.size:
        position, still = still[0], still[1:]
        if chosen[position]:
            verdict[position] = 2
            continue
        verdict[position] = 1
        number = contest.numbers[position]
        _choose(chosen, number)
        found[still] += _nearer(contest, still, contest.rows[[position]], number)
        still = still[found[still] < contest.limit]
    return verdict


def _walk_compiled(contest: _Contest, seeds: IntArray, chosen: BoolArray) -> AnyArray:
    """Judge the rows in turn with kernels: against a list first, and a tree once it is full."""
    from imbkit._kernels.condense import condense, condense_few, plant, store_all

    n = contest.numbers.size
    verdict = np.zeros(n, dtype=np.int8)
    rules = contest.numbers, contest.reach, contest.rivals, contest.limit
    store = np.concatenate([seeds, np.zeros(_FEW, dtype=np.int64)])
    for seed in seeds:
        _choose(chosen, contest.numbers[seed])
    position = condense_few(0, n, contest.rows, *rules, store, seeds.size, chosen, verdict)
    if position == n:
        return verdict
    grove = plant(contest.rows)
    store_all(grove, store)
    for low in range(position, n, _STRIDE):
        condense(low, min(low + _STRIDE, n), grove, *rules, chosen, verdict)
    return verdict


def _nearer(contest: _Contest, positions: Any, row: Any, number: int) -> BoolArray:
    """Whether one stored row is nearer to some rows than their rivals."""
    squared = pair_squares(contest.rows[positions], row)
    reach = contest.reach[positions]
    first = number < contest.rivals[positions]
    return np.asarray((squared < reach) | ((squared == reach) & first))


def _choose(chosen: BoolArray, number: int) -> None:
    """Note the number of a stored row among the positions."""
    if number < chosen.size:
        chosen[number] = True
