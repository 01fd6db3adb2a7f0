"""The threshold at which the decisions cost least."""

import warnings
from numbers import Real
from typing import Self

import numpy as np

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError, ThresholdWarning
from imbkit.metrics import Counts
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._curve import Curve, cut_offs

__all__ = ["LowestCost"]


class LowestCost(BaseRule):
    """Take the threshold at which the decisions cost least.

    Choose it when the consequences can be priced: a review costs 5, a missed fraud costs its
    amount. Each cost is a number for all rows, or the name of values given for each row:
    ``model.fit(X, y, amount=amounts)``, or else a column of the frame `X`.

    Parameters
    ----------
    fp : float or str, default=1.0
        Cost of alerting a negative row.
    fn : float or str, default=1.0
        Cost of leaving a positive row alone.
    tp : float or str, default=0.0
        Cost of alerting a positive row; below 0 for a gain.
    tn : float or str, default=0.0
        Cost of leaving a negative row alone.

    See Also
    --------
    BestMetric : The threshold that is best by a count metric.

    Notes
    -----
    The total cost is minimised over all cut-offs of the scores, so the scores need not be
    probabilities. On calibrated probabilities and constant costs the optimum is known:
    (fp - tn) / (fp - tn + fn - tp).

    One threshold serves all rows, whatever their own costs. Where alerting never costs more
    than leaving alone, or leaving alone never more than alerting, the scores do not matter
    and a warning says so.

    Per-row costs take one sort and two cumulative sums, O(n log n).

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.thresholds import LowestCost, ThresholdClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], random_state=0)
    >>> amount = np.random.default_rng(0).gamma(2.0, 50.0, size=1000)
    >>> rule = LowestCost(fp=5.0, tp=5.0, fn="amount")
    >>> model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y, amount=amount)
    >>> model.rule_
    Rule(score >= 0.064..., cost=934..., at 159 of 1000 rows)
    """

    card = Card(
        paper="Elkan (2001), IJCAI",
        cases=({}, {"fp": 1.0, "fn": 10.0}, {"fp": 5.0, "fn": 50.0, "tp": 5.0}),
    )

    _parameter_constraints = {name: [Real, str] for name in ("fp", "fn", "tp", "tn")}

    greater_is_better = False

    def __init__(
        self,
        fp: float | str = 1.0,
        fn: float | str = 1.0,
        *,
        tp: float | str = 0.0,
        tn: float | str = 0.0,
    ) -> None:
        self.fp = fp
        self.fn = fn
        self.tp = tp
        self.tn = tn

    @property
    def name(self) -> str:
        """What is minimised."""
        return "cost"

    def row_names(self) -> tuple[str, ...]:
        """Return the names of the costs that differ from row to row."""
        costs = (self.fp, self.fn, self.tp, self.tn)
        return tuple(dict.fromkeys(cost for cost in costs if isinstance(cost, str)))

    def prepared(self, y_true: BoolArray, **row_values: FloatArray) -> Self:
        """Check the costs, and warn if they make the scores irrelevant.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        **row_values : ndarray of shape (n_rows,)
            The costs of each row.

        Returns
        -------
        LowestCost
            This rule.
        """
        for name, cost in self.get_params().items():
            number = isinstance(cost, Real) and not isinstance(cost, bool | np.bool_)
            if not isinstance(cost, str) and not (number and np.isfinite(float(cost))):
                rule = f"{name} must be a finite number, or the name of values for each row"
                todo = "Write a large number for an error that must not happen"
                raise InvalidParameterError(message("LowestCost", rule, cost, todo))
        alerted, passed = self._costs(y_true, row_values)
        saved = np.where(y_true, passed - alerted, alerted - passed)
        for label, error, right, fate in (
            (False, "fp", "tn", "alerted"),
            (True, "fn", "tp", "left alone"),
        ):
            rows = saved[y_true == label]
            if rows.size and not (rows > 0).any():
                rule = f"{error} should exceed {right}, or every row is best {fate} at any score"
                got = f"{error}={getattr(self, error)!r} and {right}={getattr(self, right)!r}"
                text = message("LowestCost", rule, got, "Check the costs")
                warnings.warn(text, ThresholdWarning, stacklevel=3)
        return self

    def objective(self, counts: Counts) -> FloatArray:
        """Return the negative total of constant costs at every cut-off.

        Parameters
        ----------
        counts : Counts
            Weighted counts at each cut-off; arrays of shape (n_cuts,).

        Returns
        -------
        ndarray of shape (n_cuts,)
            Larger is better.
        """
        names = self.row_names()
        if names:
            rule = "costs that differ from row to row need the rows, not their counts"
            raise InvalidParameterError(message("LowestCost", rule, list(names), "Use curve"))
        fp, fn, tp, tn = (float(cost) for cost in (self.fp, self.fn, self.tp, self.tn))
        return np.asarray(-(fp * counts.fp + fn * counts.fn + tp * counts.tp + tn * counts.tn))

    def curve(
        self,
        y_true: BoolArray,
        y_score: FloatArray,
        sample_weight: FloatArray | None = None,
        **row_values: FloatArray,
    ) -> Curve:
        """Return the negative total cost at every cut-off of the scores.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        y_score : ndarray of shape (n_rows,)
            Scores, larger meaning more likely positive.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights that multiply the costs; one for every row if None.
        **row_values : ndarray of shape (n_rows,)
            The costs of each row.

        Returns
        -------
        Curve
            The objective, O(n log n).
        """
        if not self.row_names():
            return super().curve(y_true, y_score, sample_weight)
        alerted, passed = self._costs(y_true, row_values)
        weight = np.ones(y_true.size) if sample_weight is None else sample_weight
        order = np.argsort(y_score)[::-1]
        thresholds = cut_offs(y_score)
        n_alerts = y_score.size - np.searchsorted(y_score[order[::-1]], thresholds, side="left")
        # Two sums of one sign each instead of a difference, so that nothing cancels.
        above = np.concatenate(([0.0], np.cumsum((alerted * weight)[order])))
        below = np.concatenate(([0.0], np.cumsum((passed * weight)[order[::-1]])))[::-1]
        prevalence = float(np.average(y_true, weights=weight))
        return Curve(thresholds, -(above[n_alerts] + below[n_alerts]), prevalence)

    def _costs(
        self, y_true: BoolArray, row_values: dict[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Cost of each row if alerted, and if left alone."""
        fp, fn, tp, tn = (
            row_values[cost] if isinstance(cost, str) else float(cost)
            for cost in (self.fp, self.fn, self.tp, self.tn)
        )
        return np.where(y_true, tp, fp), np.where(y_true, fn, tn)
