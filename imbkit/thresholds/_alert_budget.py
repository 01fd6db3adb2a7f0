"""As many alerts as people can look at."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import clone

from imbkit._core.card import Card
from imbkit._core.constraints import Interval, StrOptions
from imbkit._core.messages import listing, message, shorten
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.metrics import Counts
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._curve import Curve, cut_offs
from imbkit.thresholds._labels_decision import LabelsDecision, per_label, top_k
from imbkit.thresholds._top_rows import (
    check_every,
    codes_of,
    highest,
    period_codes,
    top_of_each,
)

__all__ = ["AlertBudget"]

_MODES = ("quantile", "topk")
_TIE_KEYS = "tie_keys"

# Shares of weight may miss the budget by rounding; equal must pass.
_SLACK = 1e-12


class AlertBudget(BaseRule):
    """Alert as many rows as there is time to look at.

    Choose it where the number of alerts is given and not their price: a team reviews 200
    cases a day, a system may stop one payment in a thousand. ``mode="quantile"`` learns a
    threshold, so that each row is decided by itself and about the right share is alerted;
    ``mode="topk"`` looks at all rows given to ``predict`` and alerts the highest scores,
    exactly as many as there may be.

    Parameters
    ----------
    budget : int or float, default=0.01
        Whole number: alerts, from 1; in each period if `period` is given, else among the rows
        given to ``fit`` ("quantile") or ``predict`` ("topk"). Fraction: share of the rows,
        above 0 and up to 1.0. Rows without regard to their weights, where it is a whole number.
    mode : {"quantile", "topk"}, default="quantile"
        "quantile": the threshold whose share of alerts is the largest that is not above the
        budget. "topk": of the rows (of each period) given to ``predict`` the ones with the
        highest scores, a share rounded to whole rows, one half upwards; all rows of a batch
        with fewer.
    period : str, default=None
        Name of the values that say which period a row belongs to, e.g. its day.
    entity : str, default=None
        Name of the values that say whom a row belongs to, e.g. the card of a payment. Each
        entity is then alerted at most once (in each period), by its row with the highest
        score among the rows given to ``predict``, and the budget counts entities.
    every : str, default=None
        Length of a period where `period` names times: ``"1D"``, ``"12h"``, ``"15m"``, ``"1W"``
        (from Thursday), ``"1M"`` (month). None: each distinct value is a period. Times with a
        time zone are taken in UTC; for days by the clock of a place, leave its zone out.

    See Also
    --------
    Constraint : Limits a rate of errors instead.
    imbkit.metrics.recall_at_budget : The metric that is attained.

    Notes
    -----
    The objective is the recall, with `entity` that of entities, of which one is positive if
    any of its rows is, and weighs as much as its row with the highest score.

    "quantile": rows with equal scores are alerted together, hence never more than the budget
    on the scores that the threshold was chosen on. If already the rows with the highest score
    are more, no row is alerted, and a warning says so. The threshold lies midway to the next
    lower score. A whole number becomes a share of the rows given to ``fit``, of a mean period
    if there are periods.

    "topk": rows with equal scores are taken in the order of a hash of their contents, so the
    order of the rows does not matter; only rows that are equal in all features are taken as
    they come. The threshold that is shown is the lowest score that gets an alert on the rows
    given to ``fit``; decisions do not depend on it.

    O(n log n).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.thresholds import AlertBudget, ThresholdClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], flip_y=0.05, random_state=0)
    >>> model = ThresholdClassifierCV(LogisticRegression(), AlertBudget(0.05)).fit(X, y)
    >>> model.rule_
    Rule(score >= 0.89..., recall_at_budget=0.38..., at 50 of 1000 rows)
    >>> rule = AlertBudget(20, mode="topk")
    >>> model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y)
    >>> int(model.predict(X[:300]).sum())
    20
    """

    card = Card(
        cases=(
            {},
            {"budget": 3},
            {"budget": 0.1, "mode": "topk"},
            {"budget": 2, "mode": "topk", "period": "day", "entity": "card", "every": "1D"},
        ),
    )

    _parameter_constraints = {
        "budget": [Interval(Real, 0, None, closed="neither")],
        "mode": [StrOptions(set(_MODES))],
        "period": [str, None],
        "entity": [str, None],
        "every": [str, None],
    }

    def __init__(
        self,
        budget: float = 0.01,
        *,
        mode: Literal["quantile", "topk"] = "quantile",
        period: str | None = None,
        entity: str | None = None,
        every: str | None = None,
    ) -> None:
        self.budget = budget
        self.mode = mode
        self.period = period
        self.entity = entity
        self.every = every

    @property
    def name(self) -> str:
        """What is maximised."""
        return "recall_at_budget"

    def row_names(self) -> tuple[str, ...]:
        """Return the names of the period and the entity, and of the keys that break ties."""
        needed = self._decides_by_batch
        names = (self.period, self.entity, _TIE_KEYS if needed else None)
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))

    def decision_names(self) -> tuple[str, ...]:
        """Return the same names where a decision depends on the other rows, else none."""
        return self.row_names() if self._decides_by_batch else ()

    def row_kind(self, name: str) -> Literal["number", "raw"]:
        """Return "raw": periods and entities may be anything.

        Parameters
        ----------
        name : str
            One of `row_names`.

        Returns
        -------
        {"number", "raw"}
            "raw".
        """
        return "raw"

    def prepared(self, y_true: BoolArray, **row_values: AnyArray) -> Self:
        """Check the budget, and note which share of these rows it is.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        **row_values : ndarray of shape (n_rows,)
            Period and entity of each row.

        Returns
        -------
        AlertBudget
            A clone with the attributes `rate_`, the share, and `n_rows_`.

        Raises
        ------
        DataError
            If the budget exceeds the rows or entities, or those of the busiest period.
        """
        self._check()
        ready: Self = clone(self)
        ready.n_rows_ = y_true.size
        ready.rate_ = float(self.budget)
        if isinstance(self.budget, Integral):
            period, group = self._groups(y_true.size, row_values)
            if group is not None:
                # One row stands for each entity in each period.
                period = period[np.unique(group, return_index=True)[1]]
            sizes = np.bincount(period)
            if self.budget > sizes.max():
                what = "rows" if self.entity is None else "entities"
                where = "" if self.period is None else " of the busiest period"
                rule = f"budget must not be above the {sizes.max():,} {what}{where}"
                todo = "Give the number of alerts that people can look at"
                raise DataError(message("AlertBudget", rule, self.budget, todo))
            ready.rate_ = min(1.0, int(self.budget) * sizes.size / period.size)
        return ready

    def objective(self, counts: Counts) -> FloatArray:
        """Return the recall at every cut-off.

        Parameters
        ----------
        counts : Counts
            Weighted counts at each cut-off; arrays of shape (n_cuts,).

        Returns
        -------
        ndarray of shape (n_cuts,)
            Larger is better; ``-inf`` where the alerts exceed the budget.
        """
        share = self._rate(float(counts.total[0])) * counts.total
        return np.where(counts.alerts <= share * (1 + _SLACK), counts.tpr, -np.inf)

    def curve(
        self,
        y_true: BoolArray,
        y_score: FloatArray,
        sample_weight: FloatArray | None = None,
        **row_values: AnyArray,
    ) -> Curve:
        """Return the recall at every cut-off of the scores.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        y_score : ndarray of shape (n_rows,)
            Scores, larger meaning more likely positive.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        **row_values : ndarray of shape (n_rows,)
            Period and entity of each row, and the keys that break ties.

        Returns
        -------
        Curve
            ``-inf`` where the alerts exceed the budget. For "topk" the recall of the decisions,
            which do not depend on the cut-off.
        """
        period, group = self._groups(y_true.size, row_values)
        ties = row_values.get(_TIE_KEYS, np.zeros(y_true.size, dtype=np.uint64))
        # The number of alerts is meant for all rows; part of them gets its share.
        exact = y_true.size == getattr(self, "n_rows_", y_true.size)
        if group is not None:
            some = np.zeros(group.max() + 1, dtype=bool)
            some[group[y_true]] = True
            top = top_of_each(y_score, ties, group)
            y_true, y_score, period, ties = some, y_score[top], period[top], ties[top]
            sample_weight = None if sample_weight is None else sample_weight[top]
        if self.mode == "quantile":
            return super().curve(y_true, y_score, sample_weight)
        alerted = highest(y_score, ties, period, self._allowed(period, exact=exact))
        weight = np.ones(y_true.size) if sample_weight is None else sample_weight
        positives = weight[y_true].sum()
        recall = weight[y_true & alerted].sum() / positives if positives else 0.0
        thresholds = cut_offs(y_score)
        return _Batch(
            thresholds=thresholds,
            objective=np.full(thresholds.size, float(recall)),
            prevalence=float(positives / weight.sum()),
            lowest=float(y_score[alerted].min(initial=np.inf)),
        )

    def threshold(self, curve: Curve) -> float:
        """Choose the threshold: the lowest that keeps the budget.

        Parameters
        ----------
        curve : Curve
            What :meth:`curve` returned, or the mean of several such curves.

        Returns
        -------
        float
            Rows with at least this score are predicted positive; for "topk" the lowest score
            of them. ``inf`` if no row can be alerted, ``-inf`` if all are.
        """
        if self.mode == "topk":
            return curve.lowest if isinstance(curve, _Batch) else curve.best()
        within = np.flatnonzero(curve.objective > -np.inf)
        if not within.size:
            return curve.best()  # which says that there is no cut-off
        last = int(within[-1])
        if last == curve.thresholds.size - 1:
            return -np.inf
        upper, lower = curve.thresholds[last], curve.thresholds[last + 1]
        if upper == np.inf and curve.objective[last] <= 0:
            rule = "the rows with the highest score should not be more than the budget"
            got = f"more than budget={self.budget!r} with the score {lower:.6g}"
            todo = "No row will be alerted; use mode='topk', or scores with fewer ties"
            text = message("AlertBudget", rule, got, todo)
            warn(text, ThresholdWarning)
            return np.inf
        middle = curve.thresholds.dtype.type(float(upper) / 2 + float(lower) / 2)
        return float(middle if lower < middle <= upper else upper)

    def decide(self, y_score: FloatArray, threshold: float, **row_values: AnyArray) -> BoolArray:
        """Say which rows are alerted.

        Parameters
        ----------
        y_score : ndarray of shape (n_rows,)
            Scores.
        threshold : float
            The threshold; not used by "topk".
        **row_values : ndarray of shape (n_rows,)
            Period and entity of each row, and the keys that break ties.

        Returns
        -------
        ndarray of bool, shape (n_rows,)
            True for the rows that are alerted.
        """
        if not self._decides_by_batch:
            return super().decide(y_score, threshold)
        if not y_score.size:
            return np.zeros(0, dtype=bool)
        period, group = self._groups(y_score.size, row_values)
        ties = row_values.get(_TIE_KEYS, np.zeros(y_score.size, dtype=np.uint64))
        top = np.arange(y_score.size) if group is None else top_of_each(y_score, ties, group)
        alerted = np.zeros(y_score.size, dtype=bool)
        if self.mode == "quantile":
            alerted[top] = super().decide(y_score[top], threshold)
        else:
            allowed = self._allowed(period[top], n_periods=int(period.max()) + 1)
            if not allowed.any():
                self._warn_of_small_batch(np.bincount(period[top]).max())
            alerted[top] = highest(y_score[top], ties[top], period[top], allowed)
        return alerted

    def describe(self, threshold: float) -> str:
        """Return the decision in a few words.

        Parameters
        ----------
        threshold : float
            The threshold.

        Returns
        -------
        str
            E.g. ``"score >= 0.173"``, or ``"the 20 highest scores of each day"``.
        """
        text = super().describe(threshold)
        if self.mode == "topk":
            share = not isinstance(self.budget, Integral)
            text = f"the highest {100 * self.budget:g} % of scores" if share else ""
            text = text or f"the {self.budget} highest scores"
            part = "" if self.every is None else f"{self.every} of "
            text += "" if self.period is None else f" of each {part}{self.period}"
        text += "" if self.entity is None else f", one row a {self.entity}"
        return text

    def deployed(self, threshold: float) -> float:
        """Return the threshold, where it makes the decisions.

        Parameters
        ----------
        threshold : float
            The threshold that was chosen.

        Returns
        -------
        float
            The same.

        Raises
        ------
        InvalidParameterError
            If a decision depends on the other rows.
        """
        if self._decides_by_batch:
            rule = "no threshold alerts a given number of rows, or each entity once"
            got = f"mode={self.mode!r}, entity={self.entity!r}"
            todo = "Use mode='quantile' without entity, or ship the model with imbkit installed"
            raise InvalidParameterError(message("AlertBudget", rule, got, todo))
        return threshold

    def labels_decision(
        self,
        y_true: IntArray,
        probabilities: FloatArray,
        sample_weight: FloatArray | None = None,
    ) -> LabelsDecision:
        """Give each row its likeliest labels ("topk"), or each label its rows ("quantile").

        Parameters
        ----------
        y_true : ndarray of int, shape (n_rows, n_labels)
            1 where the row has the label, else 0.
        probabilities : ndarray of shape (n_rows, n_labels)
            Of each label.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.

        Returns
        -------
        LabelsDecision
            With mode "topk" the budget is how many labels each row gets.
        """
        self._check()
        if self.mode == "quantile":
            return per_label(self, y_true, probabilities, sample_weight)
        n_labels = y_true.shape[1]
        if not isinstance(self.budget, Integral) or self.budget > n_labels:
            rule = f"mode='topk' gives each row a whole number of labels, from 1 to {n_labels}"
            todo = "Pass such a budget, or mode='quantile' for a share of the rows for each label"
            raise InvalidParameterError(message("AlertBudget", rule, self.budget, todo))
        return top_k(int(self.budget))

    @property
    def _decides_by_batch(self) -> bool:
        return self.mode == "topk" or self.entity is not None

    def _check(self) -> None:
        """Refuse parameters that no data could make valid."""
        budget = self.budget
        if isinstance(budget, bool | np.bool_) or not isinstance(budget, Real) or not budget > 0:
            rule = "budget must be a number of alerts from 1, or a share of the rows above 0.0"
            todo = "Write 20 for twenty alerts, 0.01 for one row in a hundred"
            raise InvalidParameterError(message("AlertBudget", rule, shorten(budget), todo))
        if not isinstance(budget, Integral) and budget > 1:
            rule = "budget as a share of the rows must not be above 1.0"
            todo = "Give a number of alerts as a whole number"
            raise InvalidParameterError(message("AlertBudget", rule, budget, todo))
        if not isinstance(self.mode, str) or self.mode not in _MODES:
            rule = f"mode must be one of {listing(_MODES)}"
            raise InvalidParameterError(message("AlertBudget", rule, self.mode))
        for name in ("period", "entity"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or value == _TIE_KEYS):
                rule = f"{name} must be the name of values for each row, other than '{_TIE_KEYS}'"
                raise InvalidParameterError(message("AlertBudget", rule, value))
        if self.every is not None:
            check_every(self.every, "AlertBudget")
            if self.period is None:
                rule = "every has a meaning for times that period names"
                got = f"every={self.every!r} without period"
                raise InvalidParameterError(message("AlertBudget", rule, got, "Name the times"))

    def _warn_of_small_batch(self, n_rows: int) -> None:
        """Say that a share of so few rows is no alert at all."""
        what = "rows" if self.entity is None else "entities"
        where = "a batch" if self.period is None else "some period of a batch"
        least = int(np.ceil(0.5 / self.budget))
        rule = f"with mode='topk' {where} should have at least {least:,} {what} for one alert"
        got = f"{n_rows:,} {what} with budget={self.budget!r}"
        todo = "No row is alerted; use mode='quantile' to decide row by row, or a whole number"
        warn(message("AlertBudget", rule, got, todo), ThresholdWarning)

    def _rate(self, total: float) -> float:
        """Return the budget as a share of the rows, those given if it was not prepared."""
        if isinstance(self.budget, Integral):
            return float(getattr(self, "rate_", min(1.0, int(self.budget) / total)))
        return float(self.budget)

    def _groups(self, n_rows: int, row_values: dict[str, Any]) -> tuple[IntArray, IntArray | None]:
        """Return the number of each row's period, and of its entity in this period, if any."""
        period = np.zeros(n_rows, dtype=np.intp)
        if self.period is not None:
            period = period_codes(row_values[self.period], self.every, self.period, "AlertBudget")
        if self.entity is None:
            return period, None
        entity = codes_of(row_values[self.entity], self.entity, "AlertBudget")
        pairs = period * (entity.max(initial=0) + 1) + entity
        return period, codes_of(pairs, self.entity, "AlertBudget")

    def _allowed(
        self, period: IntArray, *, n_periods: int | None = None, exact: bool = True
    ) -> IntArray:
        """Return how many rows of each period get an alert."""
        sizes = np.bincount(period, minlength=n_periods or int(period.max()) + 1)
        if isinstance(self.budget, Integral) and exact:
            return np.minimum(int(self.budget), sizes)
        return np.asarray(np.floor(self._rate(period.size) * sizes + 0.5), dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch(Curve):
    """The curve of decisions that depend on the other rows instead of on a cut-off.

    Parameters
    ----------
    lowest : float
        The lowest score that is alerted, ``inf`` if none is.
    """

    lowest: float
