"""Groups that live through time: which of them is tested in which stretch."""

from dataclasses import dataclass

import numpy as np

from imbkit._core.columns import is_missing
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["Hands", "codes_of", "deal_hands", "read_groups"]


@dataclass(frozen=True, slots=True)
class Hands:
    """Where each group may be tested.

    Parameters
    ----------
    first : ndarray of shape (n_groups,)
        The stretch of a group's first row; it is new there, and so always tested there.
    later : ndarray of shape (n_groups,)
        The one stretch that tests the group although it has earlier rows; -1 for a group
        that never has any.
    """

    first: IntArray
    later: IntArray


def read_groups(column: AnyArray, who: str) -> IntArray:
    """Return the group of each row as numbers from 0, in the order of the groups' values.

    Raises
    ------
    DataError
        If a group is missing, all rows are of one group, or the values are of several kinds.
    """
    gone = np.count_nonzero(is_missing(column))
    if gone:
        rule = "groups must be known for every row"
        got = f"{gone:,} missing of {column.size:,}"
        todo = "Give these rows one value to keep them together, or a value each to treat them "
        raise DataError(message(who, rule, got, todo + "as unrelated"))
    groups = codes_of(column, who, "groups")
    if groups.max(initial=0) == 0:
        rule = "there must be several groups, as none may be trained on and tested"
        todo = "Leave groups out if the rows need not stay together"
        got = f"the one group {column[0]!s} in all {column.size:,} rows"
        raise DataError(message(who, rule, got, todo))
    return groups


def codes_of(column: AnyArray, who: str, name: str) -> IntArray:
    """Return numbers from 0 in the order of the distinct values.

    Raises
    ------
    DataError
        If the values have no order, such as texts beside numbers.
    """
    try:
        codes = np.unique(column, return_inverse=True)[1]
    except TypeError:
        rule = f"{name} must be all of one kind, such as texts or numbers"
        todo = "Convert them, for example all to texts"
        raise DataError(message(who, rule, "several kinds", todo)) from None
    return codes.astype(np.intp)


def deal_hands(
    groups: IntArray, stretches: IntArray, rare: BoolArray | None, n_stretches: int
) -> Hands:
    """Deal each group that lasts through several stretches to one stretch that tests it.

    Parameters
    ----------
    groups : ndarray of shape (n_rows,)
        Group of each row, from 0.
    stretches : ndarray of shape (n_rows,)
        Stretch of time of each row, from 0.
    rare : ndarray of shape (n_rows,) or None
        Which rows are of the rarest class, if that is known.
    n_stretches : int
        Number of stretches, the first of which tests nothing.

    Returns
    -------
    Hands
        Where each group may be tested.

    Notes
    -----
    A group can be dealt to the stretches after its first in which it has rows. It goes to
    the one whose hand is smallest in rows, the groups with rows of the rarest class before
    the others and on a count of their own, larger groups first. Neither the order of the
    rows nor when a group's rare rows happen plays a part. O(n log n) time plus a loop over
    the groups that last.
    """
    n_groups = int(groups.max()) + 1
    first = np.full(n_groups, n_stretches)
    np.minimum.at(first, groups, stretches)
    last = np.zeros(n_groups, dtype=np.intp)
    np.maximum.at(last, groups, stretches)
    lasting = np.flatnonzero(first < last)
    later = np.full(n_groups, -1, dtype=np.intp)

    place = np.full(n_groups, -1, dtype=np.intp)
    place[lasting] = np.arange(lasting.size)
    rows = np.flatnonzero(place[groups] >= 0)
    present = np.zeros((lasting.size, n_stretches), dtype=bool)
    present[place[groups[rows]], stretches[rows]] = True
    present[np.arange(lasting.size), first[lasting]] = False

    sizes = np.bincount(groups, minlength=n_groups)[lasting]
    holds = np.zeros(n_groups, dtype=bool)
    if rare is not None:
        holds[groups[rare]] = True
    holds = holds[lasting]
    loads = {True: [0] * n_stretches, False: [0] * n_stretches}
    # Lists, because the loop looks at single values.
    reached, size_of, is_rare = present.tolist(), sizes.tolist(), holds.tolist()
    for at in np.lexsort((-sizes, ~holds)).tolist():
        load = loads[is_rare[at]]
        hand = min((k for k, here in enumerate(reached[at]) if here), key=load.__getitem__)
        load[hand] += size_of[at]
        later[lasting[at]] = hand
    return Hands(first, later)
