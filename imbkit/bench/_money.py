"""What decisions cost, how many alerts can be looked at, and what other prevalences would mean."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Literal

import numpy as np

from imbkit._core.containers import wrap
from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.bench._schema_money import BaseRateLine
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = [
    "Budget",
    "Costs",
    "base_rate_lines",
    "read_budget",
    "read_costs",
    "reweighted_precision",
]


@dataclass(frozen=True, slots=True)
class Costs:
    """What each row costs, or brings; arrays of shape (n_rows,), finite and not negative."""

    fn: FloatArray
    """If the row is positive and no alert is raised."""
    fp: FloatArray
    """If it is negative and an alert is raised."""
    gain: FloatArray
    """Brought by the row if it is positive and an alert is raised."""
    words: tuple[str, str, str]
    """The three as the user gave them, e.g. ``("Amount", "5", "0")``."""
    constant: bool
    """Whether each of the three is the same for all rows."""

    def take(self, rows: IntArray) -> "Costs":
        """Return the costs of some rows."""
        return Costs(self.fn[rows], self.fp[rows], self.gain[rows], self.words, self.constant)

    def total(self, truth: BoolArray, alerts: BoolArray) -> float:
        """Return the cost of all decisions: missed rows and false alarms less the gains."""
        missed = self.fn[truth & ~alerts].sum()
        false_alarms = self.fp[alerts & ~truth].sum()
        return float(missed + false_alarms - self.gain[truth & alerts].sum())

    def nothing(self, truth: BoolArray) -> float:
        """Return the cost of alerting no row."""
        return self.total(truth, np.zeros(truth.shape, dtype=bool))

    def everything(self, truth: BoolArray) -> float:
        """Return the cost of alerting every row."""
        return self.total(truth, np.ones(truth.shape, dtype=bool))

    def alerts(self, probabilities: FloatArray) -> BoolArray:
        """Return the rows whose expected loss is smaller with an alert than without one."""
        silence = probabilities * (self.fn + self.gain)
        return np.asarray(silence > (1 - probabilities) * self.fp)

    def by_class(self, truth: BoolArray, alerts: BoolArray) -> list[float | None]:
        """Return the mean cost of the negative rows and of the positive ones; None without any."""
        wrong = np.where(alerts, self.fp, 0.0)[~truth]
        right = np.where(alerts, -self.gain, self.fn)[truth]
        return [float(each.mean()) if each.size else None for each in (wrong, right)]

    @property
    def cut(self) -> float | None:
        """With constant costs, the probability above which an alert is worth it."""
        if not self.constant or not self.fn.size:
            return None
        fn, fp, gain = float(self.fn[0]), float(self.fp[0]), float(self.gain[0])
        return fp / (fp + fn + gain) if fp + fn + gain else None

    def row_values(self) -> dict[str, FloatArray]:
        """Return the values that ``LowestCost(fp="fp_cost", fn="fn_cost", tp="tp_cost")`` names."""
        return {"fn_cost": self.fn, "fp_cost": self.fp, "tp_cost": -self.gain}


def read_costs(
    X: Any, fn_cost: object, fp_cost: object, tp_gain: object, *, n_rows: int
) -> Costs | None:
    """Return the costs of each row; None if none were given.

    Each of the three is None, a number (also as text), the name of a column of `X`, or an
    array of shape (n_rows,). A text that names a column is that column, whatever it looks like.

    Raises
    ------
    InvalidParameterError
        If only one kind of error has a cost, a column is unknown, or a number cannot be a cost.
    DataError
        If the values of a column or array cannot be costs.
    """
    if fn_cost is None and fp_cost is None and tp_gain is None:
        return None
    if fn_cost is None or fp_cost is None:
        given = {"fn_cost": fn_cost, "fp_cost": fp_cost, "tp_gain": tp_gain}
        names = ", ".join(name for name, value in given.items() if value is not None)
        rule = "fn_cost and fp_cost must be given together"
        todo = "Say what a missed positive costs, and what a false alarm does"
        raise InvalidParameterError(message("compare", rule, f"{names} alone", todo))
    fn, fn_word = _read(X, "fn_cost", fn_cost, n_rows)
    fp, fp_word = _read(X, "fp_cost", fp_cost, n_rows)
    gain, gain_word = _read(X, "tp_gain", 0 if tp_gain is None else tp_gain, n_rows)
    if not fn.any() and not gain.any():
        rule = "fn_cost must not be 0 for every row, or no alert is ever worth it"
        raise DataError(message("compare", rule, f"{shorten(fn_word)}", "Check the costs"))
    if not fp.any():
        rule = "fp_cost must not be 0 for every row, or every row is best alerted"
        raise DataError(message("compare", rule, f"{shorten(fp_word)}", "Check the costs"))
    constant = all(values.min() == values.max() for values in (fn, fp, gain))
    return Costs(fn, fp, gain, (fn_word, fp_word, gain_word), constant)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many rows can be looked at."""

    alerts: float
    """For the whole table, or a day."""
    n_rows: int
    order: AnyArray
    """Stable hash of each row (n_rows,): of equal scores the smaller hash is alerted first,
    and of equal hashes the row that comes first."""
    day: IntArray | None
    """Day of each row (n_rows,) where alerts are per day."""
    entity: IntArray | None
    """Group of each row (n_rows,)."""

    @property
    def share(self) -> float:
        """Share of the table's rows that are alerted."""
        if self.day is None:
            return self.alerts / self.n_rows
        rows = np.unique(self.day, return_counts=True)[1]
        return float(np.minimum(rows, self.alerts).sum() / self.n_rows)

    def flags(self, rows: IntArray, scores: FloatArray) -> BoolArray:
        """Return which of some rows are alerted, shape (rows.size,).

        A part of the table has its part of the alerts, rounded to whole rows, halves up, and
        one at least; where alerts are per day, this holds for each day by itself.
        """
        place, allowed = self._allowances(rows)
        return _highest(place, scores, self.order[rows], allowed)

    def excess(self, parts: Iterable[IntArray]) -> float:
        """Return how many times as many alerts parts of the table raise as their sizes allow.

        More than 1 where the one alert that a part has at least is more than its share.
        """
        raised = due = 0.0
        for rows in parts:
            _, tested, share = self._shares(rows)
            raised += float(self._allowances(rows)[1].sum())
            due += float(np.minimum(share, tested).sum())
        return raised / due if due else 1.0

    def entity_precision(
        self, rows: IntArray, truth: BoolArray, scores: FloatArray
    ) -> float | None:
        """Return the share of alerted entities that are positive, averaged over days.

        On each day an entity has the highest score of its rows of that day and is positive if
        any of them is. As many entities are alerted as rows would be. This is the card
        precision of fraud detection, except that an entity found on one day is not taken out
        of the following ones. None without days or without entities.
        """
        if self.day is None or self.entity is None or not rows.size:
            return None
        place, allowed = self._allowances(rows)
        member = np.unique(self.entity[rows], return_inverse=True)[1].reshape(-1)
        key = place * (int(member.max()) + 1) + member
        by_key = np.argsort(key, kind="stable")
        first = np.flatnonzero(np.diff(key[by_key], prepend=-1))
        day = place[by_key][first]
        best = np.maximum.reduceat(scores[by_key], first)
        positive = np.logical_or.reduceat(truth[by_key], first)
        ties = np.minimum.reduceat(self.order[rows][by_key], first)
        alerted = _highest(day, best, ties, allowed)
        hits = np.bincount(day[alerted & positive], minlength=allowed.size)
        return float(np.mean(hits / np.bincount(day[alerted], minlength=allowed.size)))

    def _allowances(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Number of the day of each row among those that occur, and the alerts of each."""
        place, tested, share = self._shares(rows)
        allowed = np.floor(share + 0.5).astype(np.intp)
        return place, np.minimum(np.maximum(allowed, 1), tested)

    def _shares(self, rows: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Number of the day of each row, the rows of each day, and its part of the alerts."""
        if self.day is None:
            place = np.zeros(rows.size, dtype=np.intp)
            tested, every = np.array([rows.size]), np.array([self.n_rows])
        else:
            days, place = np.unique(self.day[rows], return_inverse=True)
            place = place.reshape(-1)
            tested = np.bincount(place, minlength=days.size)
            every = np.bincount(place, minlength=days.size)
            if days.size:
                spot = np.minimum(np.searchsorted(days, self.day), days.size - 1)
                every = np.bincount(spot[days[spot] == self.day], minlength=days.size)
        return place, tested, self.alerts * tested / every


def read_budget(
    alerts: object,
    per_day: bool,
    *,
    n_rows: int,
    order: AnyArray,
    day: IntArray | None,
    entity: IntArray | None,
) -> Budget:
    """Return the budget of a number of alerts, for the whole table or per day.

    Raises
    ------
    InvalidParameterError
        If the number is not positive and finite, or alerts are per day without a day.
    DataError
        If it exceeds the rows of the table, or of its busiest day.
    """
    name = "alerts_per_day" if per_day else "alerts"
    number = _number(alerts)
    if number is None or not math.isfinite(number) or number <= 0:
        rule = f"{name} must be a number above 0"
        raise InvalidParameterError(message("compare", rule, alerts))
    if per_day and day is None:
        rule = "alerts_per_day needs the time of each row"
        todo = "Name the time column, or give alerts for the whole table"
        raise InvalidParameterError(message("compare", rule, "no time column", todo))
    most, where = n_rows, "the table"
    if per_day and day is not None:
        most, where = int(np.unique(day, return_counts=True)[1].max()), "its busiest day"
    if number > most:
        rule = f"{name} must not exceed the {most:,} rows of {where}"
        todo = "Give the number of rows that people can look at"
        raise DataError(message("compare", rule, f"{number:,g}", todo))
    return Budget(number, n_rows, order, day if per_day else None, entity)


def reweighted_precision(recall: float, false_positive_rate: float, prevalence: float) -> float:
    """Return the precision that two rates give at a prevalence; 0 where nothing is alerted."""
    right, wrong = recall * prevalence, false_positive_rate * (1 - prevalence)
    return right / (right + wrong) if right + wrong else 0.0


def base_rate_lines(
    recall: float,
    false_positive_rate: float,
    rows: float,
    prevalences: Sequence[tuple[float, Literal["table", "asked", "other"]]],
    *,
    class_costs: tuple[float, float] | None = None,
    threshold: float | None = None,
    share: float | None = None,
) -> list[BaseRateLine]:
    """Return true and false alerts among a number of rows, one line for each prevalence.

    Parameters
    ----------
    recall, false_positive_rate : float
        Of the decisions; they are kept.
    rows : float
        Rows that the counts are for.
    prevalences : sequence of (float, str)
        Shares of positives, and what each stands for.
    class_costs : tuple of two floats, default=None
        Mean cost of a negative and of a positive row; None if there are no costs.
    threshold : float, default=None
        What is right at the table's share; None if that is not known.
    share : float, default=None
        The table's share of positives.

    References
    ----------
    S. Axelsson, "The base-rate fallacy and the difficulty of intrusion detection", ACM
    Transactions on Information and System Security 3(3), 186-205 (2000),
    doi:10.1145/357830.357849.
    """
    return [
        BaseRateLine(
            prevalence=prevalence,
            true_alerts=rows * prevalence * recall,
            false_alerts=rows * (1 - prevalence) * false_positive_rate,
            precision=reweighted_precision(recall, false_positive_rate, prevalence),
            kind=kind,
            alerts_per_1000=1000 * (prevalence * recall + (1 - prevalence) * false_positive_rate),
            cost_per_1000=None
            if class_costs is None
            else 1000 * ((1 - prevalence) * class_costs[0] + prevalence * class_costs[1]),
            threshold=None
            if threshold is None or share is None
            else _moved(threshold, share, prevalence),
        )
        for prevalence, kind in prevalences
    ]


def _moved(threshold: float, share: float, prevalence: float) -> float:
    """Return the threshold on the same probabilities that is right among another prevalence.

    Among other shares of the classes the true odds of every row change by one factor. The same
    odds are then reached where those of the table are that factor smaller.
    """
    odds = threshold / (1 - threshold) * share / (1 - share) * (1 - prevalence) / prevalence
    return odds / (1 + odds)


def _read(X: Any, option: str, given: object, n_rows: int) -> tuple[FloatArray, str]:
    """Return one cost of each row, and what the user called it."""
    if isinstance(given, str):
        table = wrap(X, who="compare")
        if given in table.names:
            position = table.names.index(given)
            where = f"{option} (column {shorten(given)})"
            kind = table.kinds()[position]
            if kind not in ("number", "integer"):
                raise _unusable(where, f"a column of kind {kind}", "must be numbers")
            return _checked(table.column(position), where, n_rows), given
    number = _number(given)
    if number is not None:
        if not math.isfinite(number) or number < 0:
            rule = f"{option} must be finite and not negative"
            raise InvalidParameterError(message("compare", rule, given))
        return np.full(n_rows, number), given if isinstance(given, str) else f"{number:.12g}"
    if isinstance(given, str):
        near = nearest_names(given, table.names)
        todo = f"Did you mean {listing(near)}?" if near else f"Columns are {listing(table.names)}"
        rule = f"{option} must be a number or a column of the features"
        raise InvalidParameterError(message("compare", rule, shorten(given), todo))
    return _checked(np.asarray(given), option, n_rows), "one value for each row"


def _number(given: object) -> float | None:
    """Return a number, or a text that spells one, as a float; None for anything else."""
    if isinstance(given, Real) and not isinstance(given, bool | np.bool_):
        return float(given)
    if isinstance(given, str):
        try:
            return float(given)
        except ValueError:
            return None
    return None


def _checked(values: AnyArray, where: str, n_rows: int) -> FloatArray:
    """Return the values of a column or array as floats, or complain."""
    if values.shape != (n_rows,):
        rule = f"must hold one number for each of the {n_rows:,} rows"
        raise _unusable(where, f"shape {values.shape}", rule)
    if values.dtype == object:
        numbers = [_plain(value) for value in values.tolist()]
        values = values if None in numbers else np.array(numbers)
    if values.dtype.kind not in "iuf":
        raise _unusable(where, f"values of type {values.dtype}", "must be numbers")
    values = values.astype(float)
    for bad, rule in (
        (np.isnan(values), "must not be missing"),
        (np.isinf(values), "must be finite"),
        (values < 0, "must not be negative"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            got = f"{int(bad.sum()):,} such values, the first in row {row:,}"
            raise _unusable(where, got, rule)
    return values


def _plain(value: object) -> float | None:
    """Return a value of an array of objects as a float, missing ones as NaN; None if neither."""
    if isinstance(value, Real | Decimal) and not isinstance(value, bool):
        return float(value)
    return math.nan if value is None or type(value).__name__ == "NAType" else None


def _unusable(where: str, got: str, rule: str) -> DataError:
    return DataError(message("compare", f"{where} {rule}", got, "Repair or replace these values"))


def _highest(place: IntArray, scores: FloatArray, order: AnyArray, allowed: IntArray) -> BoolArray:
    """Flag the highest scores of each place, as many as it is allowed."""
    ranked = np.lexsort((order, -scores, place))
    start = np.cumsum(np.bincount(place, minlength=allowed.size)) - np.bincount(
        place, minlength=allowed.size
    )
    sorted_place = place[ranked]
    flags = np.zeros(scores.size, dtype=bool)
    flags[ranked] = np.arange(scores.size) - start[sorted_place] < allowed[sorted_place]
    return flags
