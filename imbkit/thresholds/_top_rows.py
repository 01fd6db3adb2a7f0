"""The rows with the highest scores: of each period, and one of each entity."""

import warnings

import numpy as np

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["check_every", "codes_of", "highest", "period_codes", "times_of", "top_of_each"]


# Whole numbers are near to each other if they span at most so many times their number.
_DENSE = 4


def check_every(every: object, who: str) -> None:
    """Refuse what is no length of time such as ``"1D"``."""
    try:
        if isinstance(every, str):
            unit, number = np.datetime_data(np.dtype(f"datetime64[{every}]"))
            if unit != "generic" and number > 0:
                return
    except TypeError:
        pass
    rule = "every must be a number and a unit of time: '1D', '12h', '15m', '1W' or '1M' (month)"
    raise InvalidParameterError(message(who, rule, every))


def codes_of(values: AnyArray, name: str, who: str) -> IntArray:
    """Return a number for each value, from 0, in the order of the values."""
    if values.dtype.kind in "iuM" and values.size:
        whole = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64)
        span = int(whole.max()) - int(whole.min()) + 1
        # Neighbouring whole numbers, such as days, are numbered without a sort.
        if span <= _DENSE * values.size:
            place = (whole - whole.min()).astype(np.intp)
            occurs = np.zeros(span, dtype=bool)
            occurs[place] = True
            return np.asarray((np.cumsum(occurs) - 1)[place])
    try:
        return np.unique(values, return_inverse=True)[1].reshape(-1)
    except TypeError:
        rule, todo = f"{name} must hold values of one kind", "Convert them, for example to text"
        raise DataError(message(who, rule, values[:5].tolist(), todo)) from None


def period_codes(values: AnyArray, every: str | None, name: str, who: str) -> IntArray:
    """Return the number of each row's period: of its value, or of its time rounded down."""
    if every is None:
        return codes_of(values, name, who)
    times = times_of(values)
    if times is None:
        rule = f"{name} must hold times where every={every!r}"
        todo = "Convert it, for example with pandas.to_datetime, or leave every out"
        raise DataError(message(who, rule, values[:5].tolist(), todo))
    return codes_of(times.astype(f"datetime64[{every}]"), name, who)


def highest(score: FloatArray, ties: AnyArray, period: IntArray, allowed: IntArray) -> BoolArray:
    """Mark the rows with the highest scores of each period.

    Parameters
    ----------
    score : ndarray of shape (n_rows,)
        Scores.
    ties : ndarray of shape (n_rows,)
        Of equal scores the smaller key comes first; of equal keys the row that comes first.
    period : ndarray of int, shape (n_rows,)
        Number of the period of each row.
    allowed : ndarray of int, shape (n_periods,)
        How many rows of each period.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        Exactly as many as are allowed, or all of a period with fewer rows.
    """
    sizes = np.bincount(period, minlength=allowed.size)
    taken = np.minimum(allowed, sizes)
    cut = _lowest_taken(score, period, sizes, taken)[period]
    marked = score > cut
    # Only rows at the lowest score that is taken compete for what is left.
    tied = np.flatnonzero((score == cut) & (taken[period] > 0))
    left = taken - np.bincount(period[marked], minlength=allowed.size)
    order = tied[np.lexsort((ties[tied], period[tied]))]
    groups = np.bincount(period[order], minlength=allowed.size)
    first = np.cumsum(groups) - groups
    rank = np.arange(order.size) - first[period[order]]
    marked[order[rank < left[period[order]]]] = True
    return np.asarray(marked)


def top_of_each(score: FloatArray, ties: AnyArray, group: IntArray) -> IntArray:
    """Return the position of the row with the highest score of each group, ties as above."""
    best = np.full(group.max(initial=-1) + 1, -np.inf, dtype=score.dtype)
    np.maximum.at(best, group, score)
    tied = np.flatnonzero(score == best[group])
    order = tied[np.lexsort((ties[tied], group[tied]))]
    return np.asarray(order[np.append(True, group[order][1:] != group[order][:-1])])


def _lowest_taken(
    score: FloatArray, period: IntArray, sizes: IntArray, taken: IntArray
) -> FloatArray:
    """Return the lowest score that is taken in each period, ``inf`` where none is."""
    cut = np.full(sizes.size, np.inf, dtype=score.dtype)
    some = taken > 0
    place = (np.cumsum(sizes) - taken)[some]
    if sizes.size == 1:
        cut[some] = np.partition(score, place)[place]
        return cut
    order = np.argsort(score)
    # Small integers are sorted without comparisons.
    narrow = np.uint16 if sizes.size <= 2**16 else np.intp
    order = order[np.argsort(period[order].astype(narrow), kind="stable")]
    cut[some] = score[order[place]]
    return cut


def times_of(values: AnyArray) -> AnyArray | None:
    """Return times, also text and objects, with a zone in UTC; None for what is none."""
    if values.dtype.kind == "M":
        return values
    if values.dtype.kind not in "OU":
        return None
    try:
        with warnings.catch_warnings():
            # NumPy says of every single value that it forgets the zone.
            warnings.filterwarnings("ignore", "no explicit representation of timezones")
            return values.astype("datetime64[us]")
    except (TypeError, ValueError):
        return None
