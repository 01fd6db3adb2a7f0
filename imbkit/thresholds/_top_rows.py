"""The rows with the highest scores: of each period, and one of each entity."""

import numpy as np

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["check_every", "codes_of", "highest", "period_codes", "top_of_each"]


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
    """Return a number for each value, from 0, the same for equal values."""
    try:
        return np.unique(values, return_inverse=True)[1].reshape(-1)
    except TypeError:
        rule, todo = f"{name} must hold values of one kind", "Convert them, for example to text"
        raise DataError(message(who, rule, values[:5].tolist(), todo)) from None


def period_codes(values: AnyArray, every: str | None, name: str, who: str) -> IntArray:
    """Return the number of each row's period: of its value, or of its time rounded down."""
    if every is None:
        return codes_of(values, name, who)
    times = _times(values)
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
    if allowed.size == 1:
        return _highest_of_all(score, ties, int(allowed[0]))
    order = np.lexsort((ties, -score, period))
    sizes = np.bincount(period, minlength=allowed.size)
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rank = np.arange(score.size) - first[period[order]]
    marked = np.zeros(score.size, dtype=bool)
    marked[order] = rank < allowed[period[order]]
    return marked


def top_of_each(score: FloatArray, ties: AnyArray, group: IntArray) -> IntArray:
    """Return the position of the row with the highest score of each group, ties as above."""
    order = np.lexsort((ties, -score, group))
    ordered = group[order]
    return order[np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))]


def _highest_of_all(score: FloatArray, ties: AnyArray, allowed: int) -> BoolArray:
    """Mark the rows with the highest scores, sorting no more than the tied ones."""
    if allowed >= score.size or allowed < 1:
        return np.full(score.size, allowed >= 1)
    cut = np.partition(score, score.size - allowed)[score.size - allowed]
    marked = score > cut
    tied = np.flatnonzero(score == cut)
    order = np.argsort(ties[tied], kind="stable")
    marked[tied[order[: allowed - np.count_nonzero(marked)]]] = True
    return np.asarray(marked)


def _times(values: AnyArray) -> AnyArray | None:
    """Return times, also those written as text or given as objects; None for what is none."""
    if values.dtype.kind == "M":
        return values
    if values.dtype.kind not in "OU":
        return None
    try:
        return values.astype("datetime64[us]")
    except (TypeError, ValueError):
        return None
