"""Objectives that keep one rate within a limit, such as ``"recall_at_precision:0.9"``."""

from dataclasses import dataclass
from math import nan
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone

from imbkit._core.messages import listing, message, nearest_names
from imbkit._core.types import FloatArray
from imbkit.bench._schema_promise import PromiseCard
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import Counts, count_metric, get_metric, metric_names
from imbkit.thresholds import AlertBudget, Constraint

__all__ = ["FORMS", "Promise", "false_positive_rate", "read_promise", "unknown_objective"]

# Rule -> what is best, what is limited, and whether the limit is the least or the largest value.
_RATES = {
    "recall_at_precision": ("recall", "precision", True),
    "precision_at_recall": ("precision", "recall", True),
    "recall_at_fpr": ("recall", "false_positive_rate", False),
}
_WORDS = {"false_positive_rate": "false-positive rate"}
FORMS = "recall_at_precision:0.9, precision_at_recall:0.8 and recall_at_fpr:0.01"
"""How a promise is written; ``@0.95`` at the end gives its confidence."""

MOST_ALERTS = 10**7


@count_metric(name="false_positive_rate", greater_is_better=False)
def false_positive_rate(counts: Counts) -> FloatArray:
    """Share of the negatives that are flagged."""
    return np.asarray(counts.fpr)


@dataclass(frozen=True, slots=True)
class Promise:
    """A rule that makes one rate as good as it can be while another keeps a limit."""

    rule: Constraint | AlertBudget
    free: str
    """What is best: the measure of the second verdict."""
    limited: str
    """Name of the measure that keeps the limit."""
    least: bool
    """Whether the limit is the least value, not the largest."""

    @property
    def limit(self) -> float:
        """The limit."""
        by_rate = isinstance(self.rule, Constraint)
        return float(self.rule.limit if by_rate else self.rule.budget)

    @property
    def card(self) -> PromiseCard:
        """What is promised, in words and numbers."""
        side = "at least" if self.least else "at most"
        if isinstance(self.rule, AlertBudget):
            text, confidence = f"alerts for at most {100 * self.limit:g} % of the rows", None
            objective = f"alert_rate:{self.limit:g}"
        else:
            confidence = self.rule.confidence
            text = f"a {_WORDS.get(self.limited, self.limited)} of {side} {self.limit:g}"
            objective = f"{self.rule.metric}:{self.limit:g}"
        if confidence is not None:
            text += f", with confidence {confidence:g}"
            objective += f"@{confidence:g}"
        return PromiseCard(
            objective=objective,
            free=self.free,
            limited=self.limited,
            least=self.least,
            limit=self.limit,
            confidence=None if confidence is None else float(confidence),
            words=text,
            entries=[],
            sentence="",
        )

    def of_rows(self, n_rows: int) -> "Promise":
        """Return the promise for parts of a table of so many rows.

        A number of alerts is meant for the whole table; a part of it has its part of them.
        """
        budget = self.rule.budget if isinstance(self.rule, AlertBudget) else 1.0
        if isinstance(budget, float) and budget <= 1:
            return self
        if budget > n_rows:
            rule = "the budget of alerts must not exceed the rows of the table"
            raise InvalidParameterError(message("compare", rule, f"{budget} of {n_rows:,} rows"))
        rule = AlertBudget(float(budget / n_rows))
        return Promise(rule, self.free, self.limited, self.least)


def read_promise(objective: Any) -> Promise | None:
    """Return the promise that an objective makes; None if it is a measure without a limit.

    Raises
    ------
    InvalidParameterError
        If it is meant as a promise and is none.
    """
    if isinstance(objective, str):
        name, _, budget = objective.strip().partition(":")
        if name == "recall_at_budget" and budget:
            number = _number(budget)
            return read_promise(AlertBudget(int(number) if budget.isdigit() else number))
        return _parsed(objective)
    if isinstance(objective, Constraint):
        # A limit that cannot be kept is noted on the page: the other cells go on.
        rule = clone(objective).set_params(infeasible="nearest")
        rule.prepared(np.array([False, True]))
        return Promise(rule, *_RATES[rule.metric])
    if isinstance(objective, AlertBudget):
        rule = clone(objective)
        if rule.mode != "quantile" or rule.period is not None or rule.entity is not None:
            text = "an AlertBudget as objective must be one threshold for all rows"
            todo = "Give alerts= or alerts_per_day= and groups= for the highest scores of a batch"
            raise InvalidParameterError(message("compare", text, rule, todo))
        rows = int(rule.budget) if isinstance(rule.budget, Integral) else 2
        rule.prepared(np.arange(min(max(rows, 2), MOST_ALERTS)) > 0)
        return Promise(rule, "recall", "alert_rate", least=False)
    return None


def unknown_objective(objective: Any) -> InvalidParameterError:
    """Return the complaint about an objective that is no measure and no promise."""
    name = objective if isinstance(objective, str) else repr(objective)
    near = nearest_names(name, [*filter(_is_count_metric, metric_names()), *_RATES])
    near = [f"{each}:0.9" if each in _RATES else each for each in near if each != name]
    rule = "objective must be a count metric such as 'f1', or a promise such as "
    rule += "'recall_at_precision:0.9'"
    todo = f"Did you mean {listing(near)}?" if near else f"Promises are {FORMS}"
    return InvalidParameterError(message("compare", rule, objective, todo))


def _parsed(text: str) -> Promise | None:
    """Read ``metric:limit`` or ``metric:limit@confidence``."""
    metric, colon, rest = text.strip().partition(":")
    if not colon:
        # With an underscore it is a ranking measure; so somebody may write it here.
        bare = next((name for name in _RATES if metric.startswith(name)), None)
        if bare is None:
            return None
        what = f"the objective {bare} needs a limit behind a colon"
        raise InvalidParameterError(message("compare", what, text, f"For example {bare}:0.9"))
    if metric not in _RATES:
        near = nearest_names(metric, _RATES)
        what = f"a promise must be one of {listing(_RATES)}"
        todo = f"Did you mean '{near[0]}:{rest}'?" if near else f"Write it as in {FORMS}"
        raise InvalidParameterError(message("compare", what, text, todo))
    limit, at, confidence = rest.partition("@")
    share, sure = _number(limit), _number(confidence) if at else None
    if not 0 < share < 1:
        what = f"the limit of {metric} must be a number between 0 and 1"
        raise InvalidParameterError(message("compare", what, text, f"For example {metric}:0.9"))
    if sure is not None and not 0.5 <= sure < 1:
        what = "the confidence behind @ must be a number from 0.5 and below 1"
        todo = f"For example {metric}:{limit}@0.95"
        raise InvalidParameterError(message("compare", what, text, todo))
    rule = Constraint(limit=share, confidence=sure).set_params(metric=metric)
    return Promise(rule, *_RATES[metric])


def _is_count_metric(name: str) -> bool:
    """Whether a threshold can be tuned for a metric; for one of scores there is nothing to."""
    try:
        get_metric(name)
    except InvalidParameterError:
        return False
    return True


def _number(text: str) -> float:
    """Parse a number; NaN if it is none."""
    try:
        return float(text)
    except ValueError:
        return nan
