"""Test each stretch of time with what was known before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator

from imbkit._core.columns import is_missing
from imbkit._core.containers import wrap
from imbkit._core.messages import message, shorten
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.splits._groups import Hands, codes_of, deal_hands, read_groups
from imbkit.splits._times import Times, delay_in, parse_delay, read_column, read_times

__all__ = ["PrequentialSplit"]

MAX_CLASSES = 20
"""A target with more distinct values is not taken for classes."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """Training and test rows of one stretch, and when its time starts and ends."""

    train: IntArray
    test: IntArray
    start: float
    end: float


class PrequentialSplit(BaseCrossValidator):
    """Train on what was known before a stretch of time, and test on that stretch.

    Choose it over a random split wherever the model will be used on rows that come later:
    frauds, attacks and faults change, and a random split lets the future help. The rows are
    cut into ``n_splits + 1`` stretches of time; each but the first is tested once, with all
    earlier rows whose labels were known by then for training. Customers, machines or patients
    with many rows can be kept from being trained on and tested at once.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits, 1 or more.
    time : str, default=None
        Name of the column of `X` with the time of each row; None if ``split`` is given it.
        The column stays in `X`: leave it out of the features if it is none.
    groups : str, default=None
        Name of the column of `X` with the group of each row; None if ``split`` is given it,
        or rows need not stay together.
    label_delay : str, timedelta or number, default=None
        How long after a row its label becomes known. For dates a text such as ``"7d"`` (units
        ``w``, ``d``, ``h``, ``min`` and ``s``) or a timedelta of Python, NumPy or pandas; for
        numeric times a number in their unit. None means at once.
    min_train : int, default=None
        Fewest rows that a training side may have; a split with fewer is an error.

    See Also
    --------
    sklearn.model_selection.TimeSeriesSplit : Rows in order, one a time step, without groups.
    sklearn.model_selection.StratifiedGroupKFold : Groups without time.

    Notes
    -----
    *Stretches* have as equal numbers of rows as ties allow: rows of the same time are never
    cut apart, so every training row is strictly earlier than every test row of its split.
    Gaps in time do no harm. With a delay d, a split whose test starts at t trains on the rows
    with time at most t - d; the first d of the record come on top of the first stretch, so
    that the first training side has rows.

    *Groups.* A group that is new in a stretch is tested there. A group with earlier rows
    would have to leave the training side, and where customers stay for the whole record that
    would leave nothing to train on. So each such group is dealt to one of the stretches it
    reaches into: that stretch tests it, and the group's earlier rows leave that training
    side; in any other stretch its rows are not tested, and its earlier rows are trained on.
    The stretches get hands of about as many rows, dealt on separate counts for groups with
    and without rows of the rarest class. The dealing depends on neither chance nor the order
    of the rows. Groups of one row each change nothing.

    *Classes.* Where the target has at most 20 distinct values and no fractions, every training
    side must hold 2 rows of each class and every test side 1, or an error says which split
    lacks what. Pass ``y=None`` to leave that check out.

    Dates with a time zone are compared in UTC, all dates to the microsecond. Numbers are
    taken as floats. With metadata routing, `groups` and `time` are requested by themselves.
    O(n log n) time; memory is a few numbers a row and the positions of all splits.

    References
    ----------
    A. P. Dawid, "Present position and potential developments: some personal views:
    statistical theory: the prequential approach", Journal of the Royal Statistical Society A
    147, 1984, doi:10.2307/2981683.

    Examples
    --------
    >>> from imbkit.datasets import make_transactions
    >>> from imbkit.splits import PrequentialSplit
    >>> payments = make_transactions(100, 200, 60, fraud_rate=0.05, random_state=0)
    >>> cv = PrequentialSplit(3, time="time", groups="customer", label_delay="7d")
    >>> for train, test in cv.split(payments.frame, payments.target):
    ...     last, first = payments.time[train].max(), payments.time[test].min()
    ...     print(len(train), len(test), (first - last).days)
    1671 842 7
    3394 835 7
    5022 828 7
    """

    __metadata_request__split = {"groups": True, "time": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        time: str | None = None,
        groups: str | None = None,
        label_delay: str | float | timedelta | np.timedelta64 | None = None,
        min_train: int | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.time = time
        self.groups = groups
        self.label_delay = label_delay
        self.min_train = min_train

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not used; scikit-learn passes them.

        Returns
        -------
        int
            `n_splits`.
        """
        return self.n_splits

    def split(
        self,
        X: Any,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        time: ArrayLike | None = None,
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the rows of each split.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            The rows; None if neither times nor groups are columns of it.
        y : array-like of shape (n_rows,), default=None
            Labels, for the check of classes and the dealing of groups.
        groups : array-like of shape (n_rows,), default=None
            Group of each row; instead of the column that the constructor names.
        time : array-like of shape (n_rows,), default=None
            Time of each row: dates, or numbers; instead of the column likewise.

        Yields
        ------
        train, test : ndarray of int
            Positions of the rows, in their order in the table; earlier splits first.

        Raises
        ------
        DataError
            If times or groups are missing or of several kinds, all times or all groups are
            the same, there are too few distinct times after the delay, a training side is
            smaller than `min_train`, or a side lacks rows or a class.
        InvalidParameterError
            If a parameter is none of the values above, or the delay does not fit the times.
        """
        who = type(self).__name__
        self._check_parameters()
        n_rows = _n_rows(X, y, time, groups)
        times = read_times(self._given(X, time, "time", n_rows), who)
        delay = 0.0
        if self.label_delay is not None:
            delay = delay_in(times, self.label_delay, type(self).__name__)
        starts = self._starts(times, delay)
        stretches = np.searchsorted(starts, times.values, side="right").astype(np.intp)
        classes = _classes(y, n_rows, who)
        hands, codes = None, None
        if groups is not None or self.groups is not None:
            codes = read_groups(self._given(X, groups, "groups", n_rows), who)
            hands = deal_hands(codes, stretches, _rarest(classes), self.n_splits + 1)
        folds = [
            _fold_of(k, times, float(starts[k - 1]) - delay, stretches, codes, hands)
            for k in range(1, self.n_splits + 1)
        ]
        self._check_folds(folds, times, classes)
        for fold in folds:
            yield fold.train, fold.test

    def _check_parameters(self) -> None:
        who = type(self).__name__
        counts = {"n_splits": self.n_splits, "min_train": self.min_train}
        for name, value in counts.items():
            whole = isinstance(value, Integral) and not isinstance(value, bool) and value >= 1
            if not whole and not (value is None and name == "min_train"):
                rule = f"{name} must be a whole number of 1 or more"
                raise InvalidParameterError(message(who, rule, shorten(value)))
        for name, column in {"time": self.time, "groups": self.groups}.items():
            if column is not None and not isinstance(column, str):
                rule = f"{name} must be the name of a column of X"
                todo = f"Pass values to split: split(X, y, {name}=...)"
                raise InvalidParameterError(message(who, rule, shorten(column), todo))
        if self.label_delay is not None:
            parse_delay(self.label_delay, who)

    def _given(self, X: Any, values: Any, name: str, n_rows: int) -> AnyArray:
        """Return times or groups as `split` was given them, or from their column of `X`."""
        who = type(self).__name__
        column = getattr(self, name)
        if values is None and column is None:
            rule = f"{name} must be given for each row"
            todo = f'Name a column, {who}({name}="..."), or call split(X, y, {name}=...)'
            raise DataError(message(who, rule, "none", todo))
        if values is None:
            table = wrap(X, who=who)
            return table.column(table.find(column))
        given = read_column(values, who, name)
        _check_length(given.size, n_rows, name, who)
        return given

    def _starts(self, times: Times, delay: float) -> AnyArray:
        """Return the first time of each stretch but the first, shape (n_splits,)."""
        every, counts = np.unique(times.values, return_counts=True)
        # No label is known before; so the first training side gets a stretch's worth of rows.
        late = every >= every[0] + delay
        moments, counts = every[late], counts[late]
        if moments.size <= self.n_splits:
            raise self._too_few_times(times, every, moments.size)
        before = np.concatenate([[0], np.cumsum(counts)])  # rows earlier than each moment
        starts, cut = [], 0
        for left in range(self.n_splits, 0, -1):
            wanted = before[cut] + (before[-1] - before[cut]) / (left + 1)
            at = int(np.searchsorted(before, wanted))
            if wanted - before[at - 1] <= before[at] - wanted:
                at -= 1
            # Every stretch, this one and those still to come, has at least one moment.
            cut = min(max(at, cut + 1), moments.size - left)
            starts.append(moments[cut])
        return np.array(starts)

    def _too_few_times(self, times: Times, every: AnyArray, n_left: int) -> DataError:
        who, needed = type(self).__name__, self.n_splits + 1
        first, last = float(every[0]), float(every[-1])
        if every.size == 1:
            got = f"{times.text(first)} in all {times.values.size:,} rows"
            todo = "Name another column, or use a splitter without time"
            return DataError(message(who, "times must differ between rows", got, todo))
        if every.size < needed:
            rule = f"n_splits={self.n_splits} needs rows of at least {needed} different times"
            return DataError(message(who, rule, f"{every.size:,}", "Use fewer splits"))
        span = f"{(last - first) / 86_400:.4g} days" if times.is_date else f"{last - first:g}"
        rule = f"rows of at least {needed} different times must be left after the label_delay"
        got = f"{n_left:,} after {self.label_delay!s}, with {span} from {times.text(first)} to "
        todo = "Use a shorter delay, fewer splits, or rows from a longer time"
        return DataError(message(who, rule, got + times.text(last), todo))

    def _check_folds(
        self, folds: list[_Fold], times: Times, classes: tuple[AnyArray, IntArray] | None
    ) -> None:
        who = type(self).__name__
        for number, fold in enumerate(folds, start=1):
            where = f"split {number}, tested from {times.text(fold.start)} to "
            where += times.text(fold.end)
            fewest = 1 if self.min_train is None else self.min_train
            if fold.train.size < fewest:
                rule = f"every training side must have at least {fewest:,} rows"
                todo = "Use fewer splits, a shorter label_delay or a smaller min_train"
                got = f"{fold.train.size:,} in {where}"
                raise DataError(message(who, rule, got, todo))
            if not fold.test.size:
                rule = "every stretch must have rows of groups that may be tested"
                todo = "Use fewer splits, or finer groups"
                raise DataError(message(who, rule, f"none in {where}", todo))
            if classes is not None:
                _check_classes(*classes, fold.train, "training", 2, where, who)
                _check_classes(*classes, fold.test, "test", 1, where, who)


def _n_rows(*tables: Any) -> int:
    """Return the number of rows of the first thing that has any."""
    for table in tables:
        if table is not None:
            return int(table.shape[0]) if hasattr(table, "shape") else len(table)
    return 0


def _check_length(size: int, n_rows: int, name: str, who: str) -> None:
    if size != n_rows:
        rule = f"{name} must hold one value for each of the {n_rows:,} rows"
        raise DataError(message(who, rule, f"{size:,} values"))


def _fold_of(
    k: int,
    times: Times,
    known_until: float,
    stretches: IntArray,
    codes: IntArray | None,
    hands: Hands | None,
) -> _Fold:
    """Put the rows of one stretch and those before it on their sides."""
    train = (stretches < k) & (times.values <= known_until)
    test = stretches == k
    start, end = float(times.values[test].min()), float(times.values[test].max())
    if codes is not None and hands is not None:
        dealt = hands.later[codes] == k
        train &= ~dealt
        test &= dealt | (hands.first[codes] == k)
    return _Fold(np.flatnonzero(train), np.flatnonzero(test), start, end)


def _classes(y: Any, n_rows: int, who: str) -> tuple[AnyArray, IntArray] | None:
    """Return the distinct labels and the code of each row; None if these are no classes."""
    if y is None or np.ndim(y) != 1:
        return None
    labels = read_column(y, who, "y")
    _check_length(labels.size, n_rows, "y", who)
    gone = np.count_nonzero(is_missing(labels))
    if gone:
        got = f"{gone:,} missing of {labels.size:,}"
        raise DataError(message(who, "y must have a label in every row", got))
    codes = codes_of(labels, who, "y")
    values, first = np.unique(codes, return_index=True)
    fractions = labels.dtype.kind == "f" and bool(np.any(labels % 1))
    return None if fractions or values.size > MAX_CLASSES else (labels[first], codes)


def _rarest(classes: tuple[AnyArray, IntArray] | None) -> Any:
    """Return which rows are of the class with the fewest rows."""
    if classes is None:
        return None
    codes = classes[1]
    return codes == np.bincount(codes).argmin()


def _check_classes(
    labels: AnyArray, codes: IntArray, rows: IntArray, side: str, least: int, where: str, who: str
) -> None:
    counts = np.bincount(codes[rows], minlength=labels.size)
    if counts.min() >= least:
        return
    order = np.argsort(counts, kind="stable")[:5]
    shown = ", ".join(f"{shorten(labels.tolist()[c])}: {counts[c]:,}" for c in order)
    rule = f"every {side} side must hold at least {least} row{'s' * (least > 1)} of each class"
    got = f"{shown} of {rows.size:,} rows in {where}"
    todo = "Use fewer splits or a shorter label_delay, or merge classes"
    raise DataError(message(who, rule, got, todo))
