"""The rule that tuning leaves behind: a value to print, to call and to store."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit.exceptions import DataError
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._row_values import TIE_KEYS

__all__ = ["Rule"]


@dataclass(frozen=True, slots=True, repr=False)
class Rule:
    """A decision rule on scores, with what it attained where it was chosen.

    Printing shows six digits of the threshold; the attribute holds all of them.

    Parameters
    ----------
    threshold : float
        Rows with at least this score are alerted.
    name : str
        What `value` measures, e.g. ``"f1"`` or ``"cost"``.
    value : float
        The measure on the rows that the threshold was chosen on, in its natural direction
        (a cost is shown as a cost).
    n_alerts, n_rows : int
        How many of those rows are alerted, and how many there were.
    chosen_by : rule, default=None
        The rule, where its decision is more than a threshold on the score: it may depend on
        costs of the row, or on the other rows.

    Examples
    --------
    >>> from imbkit.thresholds import Rule
    >>> rule = Rule(threshold=0.173, name="f1", value=0.88, n_alerts=412, n_rows=5000)
    >>> rule
    Rule(score >= 0.173, f1=0.88, at 412 of 5000 rows)
    >>> rule([0.05, 0.173, 0.9]).tolist()
    [False, True, True]
    """

    threshold: float
    name: str
    value: float
    n_alerts: int
    n_rows: int
    chosen_by: BaseRule | None = field(default=None, compare=False)

    def __call__(self, y_score: ArrayLike, **row_values: AnyArray) -> BoolArray:
        """Say which rows are alerted.

        Parameters
        ----------
        y_score : array-like of any shape
            Scores, larger meaning more likely positive.
        **row_values : ndarray of shape (n_rows,)
            What the rule needs to know of each row, if its decision depends on that.

        Returns
        -------
        ndarray of bool, of the shape of `y_score`
            True where ``score >= threshold``, without rounding either to the other's dtype.

        Raises
        ------
        DataError
            If the decision depends on values of each row that are not given.
        """
        scores: FloatArray = np.asarray(y_score)
        if self.chosen_by is None:
            # A Python float would be rounded to the dtype of the scores first.
            return np.asarray(scores >= np.float64(self.threshold))
        missing = set(self.chosen_by.decision_names()) - set(row_values) - {TIE_KEYS}
        if missing:
            rule_text = "the decision depends on more than the score"
            todo = f"Call rule(y_score, {', '.join(f'{name}=...' for name in sorted(missing))})"
            raise DataError(message("Rule", rule_text, "the score alone", todo))
        rescored = self.chosen_by.rescored(scores, **row_values)
        return self.chosen_by.decide(rescored, self.threshold, **row_values)

    def __repr__(self) -> str:
        decision = f"score >= {self.threshold:.6g}"
        if self.chosen_by is not None:
            decision = self.chosen_by.describe(self.threshold)
        where = f"at {self.n_alerts} of {self.n_rows} rows"
        return f"Rule({decision}, {self.name}={self.value:.4g}, {where})"
