"""How long it takes in a stream of rows until something that goes on is alerted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError
from imbkit.metrics._confusion import check_targets, positive_label
from imbkit.metrics._counts import check_weight
from imbkit.metrics._numbers import check_between
from imbkit.metrics._row_groups import group_codes

__all__ = ["DetectionTimes", "time_to_detection"]


@dataclass(frozen=True, slots=True, eq=False)
class DetectionTimes:
    """One entry an event, that is, for something that goes on over one or more positive rows.

    Parameters
    ----------
    events : ndarray of shape (n_events,)
        The groups that have an event, or its number in the stream.
    onset : ndarray of shape (n_events,)
        Time of the first positive row.
    delay : ndarray of shape (n_events,)
        Time from there to the first positive row that is alerted, in the unit of the times,
        for dates in seconds; ``inf`` where none is.
    missed : ndarray of shape (n_events,)
        Weight of the positive rows before it.
    rows : ndarray of shape (n_events,)
        Weight of all positive rows.

    Examples
    --------
    >>> from imbkit.metrics import time_to_detection
    >>> found = time_to_detection([0, 1, 1, 0, 1], [0, 0, 1, 0, 0], times=[0.0, 1.0, 4.0, 6.0, 7.0])
    >>> found.detected_share, found.within(3.0), found.within(2.0)
    (0.5, 0.5, 0.0)
    """

    events: AnyArray
    onset: AnyArray
    delay: FloatArray
    missed: FloatArray
    rows: FloatArray

    @property
    def detected_share(self) -> float:
        """Share of the events that are ever detected; NaN without an event."""
        return self._mean(np.isfinite(self.delay))

    @property
    def median_delay(self) -> float:
        """Median delay, ``inf`` if half of the events are missed; NaN without an event."""
        return float(np.median(self.delay)) if self.delay.size else float("nan")

    def within(self, limit: float) -> float:
        """Return the share of the events that are detected within a time.

        Parameters
        ----------
        limit : float
            Longest permitted delay, from 0, in the unit of `delay`.

        Returns
        -------
        float
            From 0 to 1; NaN without an event.

        Raises
        ------
        InvalidParameterError
            If `limit` is negative or NaN.
        """
        longest = check_between("DetectionTimes.within", "limit", limit, 0.0, np.inf, "high")
        return self._mean(self.delay <= longest)

    def _mean(self, values: BoolArray) -> float:
        return float(values.mean()) if values.size else float("nan")


def time_to_detection(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    times: ArrayLike,
    groups: ArrayLike | None = None,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> DetectionTimes:
    """Return the time from the first positive row of each event to its first alert.

    Choose it over recall for streams in which one alert ends the matter: of a stolen card
    or an intrusion it counts how soon it is found, not how often.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    times : array-like of shape (n_rows,)
        Time of each row, numbers or NumPy dates; the rows may come in any order.
    groups : array-like of shape (n_rows,), default=None
        What each row belongs to, e.g. the card; all positive rows of a group are one event.
        By default an event is a run of positive rows in the order of time, which a negative
        row ends; rows of equal time keep their order.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row. It counts for `missed` and `rows`; for the delays a
        row of no weight is no row.

    Returns
    -------
    DetectionTimes
        Arrays with one entry an event, and shares made of them.

    Raises
    ------
    DataError
        If the data cannot be used, or times are missing or neither numbers nor dates.

    See Also
    --------
    recall_score : Counts rows.

    Notes
    -----
    Only an alert on a positive row of the event detects it. Events never detected have the
    delay ``inf`` rather than none: their number is part of the median. O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import time_to_detection
    >>> found = time_to_detection(
    ...     [1, 1, 1, 0, 1], [0, 1, 1, 1, 0], times=[1, 2, 5, 6, 9], groups=list("aabba")
    ... )
    >>> found.events.tolist(), found.delay.tolist(), found.missed.tolist()
    (['a', 'b'], [1.0, 0.0], [1.0, 0.0])
    """
    who = "time_to_detection"
    truth, guess, present = check_targets(who, y_true, y_pred)
    positive = truth == (label := positive_label(who, present, pos_label))
    weight = check_weight(sample_weight, truth.size, who)
    weight = np.ones(truth.size) if weight is None else weight
    clock, since = _check_times(who, times, truth.size)
    names, codes = (None, None) if groups is None else group_codes(who, groups, truth.size)
    order = np.argsort(since, kind="stable")
    order = order[weight[order] > 0]
    positive, weight, since = positive[order], weight[order], since[order]
    alert = guess[order] == label
    if codes is None:
        starts = positive & ~np.concatenate(([False], positive[:-1]))
        event = np.cumsum(starts)[positive] - 1
        events = np.arange(int(starts.sum()))
    else:
        present, event = np.unique(codes[order][positive], return_inverse=True)
        events = np.asarray(names)[present]
    times_of, weight, hit = since[positive], weight[positive], alert[positive]
    onset = clock[order][positive][_first_of_each(event)]
    start = times_of[_first_of_each(event)]
    end = np.full(events.size, np.inf)
    found = event[hit]
    end[np.unique(found)] = times_of[hit][_first_of_each(found)]
    before = np.bincount(event, np.where(times_of < end[event], weight, 0.0), events.size)
    return DetectionTimes(
        events,
        onset,
        end - start,
        before.astype(float),
        np.bincount(event, weight, events.size).astype(float),
    )


def _first_of_each(codes: IntArray) -> IntArray:
    """Positions at which each number of `codes` first stands, in the order of the numbers."""
    return np.asarray(np.unique(codes, return_index=True)[1])


def _check_times(who: str, times: ArrayLike, n_rows: int) -> tuple[AnyArray, FloatArray]:
    """Return the times as they are, and as numbers from the first one."""
    clock = np.asarray(times)
    if clock.shape != (n_rows,):
        rule = f"times must hold one time for each of the {n_rows:,} rows"
        raise DataError(message(who, rule, f"shape {clock.shape}"))
    if clock.dtype.kind not in "iufmM":
        rule = "times must be numbers or NumPy dates"
        raise DataError(message(who, rule, f"dtype {clock.dtype}"))
    dated = clock.dtype.kind in "mM"
    missing = np.isnat(clock) if dated else ~np.isfinite(clock)
    if missing.any():
        rule = "times must be finite and not missing"
        raise DataError(message(who, rule, f"{int(missing.sum()):,} bad values"))
    # Differences first: a date in nanoseconds has more digits than a float.
    since = clock - clock.min()
    return clock, since / np.timedelta64(1, "s") if dated else since.astype(float)
