"""The threshold that is best within a limit on another rate."""

from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, Self

import numpy as np

from imbkit._core.card import Card
from imbkit._core.constraints import Interval, StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.types import BoolArray, FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.metrics import Counts
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._clopper_pearson import lower_bound, reaches
from imbkit.thresholds._curve import Curve
from imbkit.thresholds._every_cut import every_cut

__all__ = ["Constraint"]

# What is limited by each metric, and whether the limit is the least or the largest value.
_LIMITED = {
    "precision_at_recall": ("recall", True),
    "recall_at_fpr": ("false positive rate", False),
    "recall_at_precision": ("precision", True),
}
_INFEASIBLE = ("nearest", "raise")

# A rate may miss its limit by rounding where weights are fractions; equal must pass.
_SLACK = 1e-12


class Constraint(BaseRule):
    """Take the threshold at which one rate is best while another one keeps a limit.

    Choose it where something is promised: nine of ten alerts are right, no more than one
    good customer in a thousand is stopped, at least 95 % of the attacks are seen. With a
    `confidence` the promise is kept by a bound that allows for how few rows it rests on.

    Parameters
    ----------
    metric : {"recall_at_precision", "precision_at_recall", "recall_at_fpr"}, \
default="recall_at_precision"
        What is best, and after ``_at_`` what is limited: a precision or a recall of at least
        `limit`, or a false positive rate of at most `limit`.
    limit : float, default=0.9
        The limit, between 0 and 1.
    confidence : float, default=None
        If given, from 0.5 and below 1, the limit must be kept by the one-sided
        Clopper-Pearson bound of the limited rate at this confidence: the lower bound of a
        precision or recall, the upper bound of a false positive rate. None: by the rate.
    infeasible : {"nearest", "raise"}, default="nearest"
        What to do where no cut-off keeps the limit: take the one that comes nearest to it,
        of equally near ones the best, with a warning; or raise a DataError.

    See Also
    --------
    AlertBudget : Limits the number of alerts instead.
    imbkit.metrics.recall_at_precision : The objective that is attained.

    Notes
    -----
    All cut-offs are tried; nothing is interpolated. Where no row is alerted there is no
    precision, so such a cut-off keeps no limit on it. Of cut-offs that are equally good the
    one whose limited rate is furthest inside the limit is taken: the same recall with fewer
    false alarms; what remains is open within one gap between scores, whose centre is taken.

    The bound holds at each cut-off by itself. The chosen one is the best of many on the same
    rows, so that its confidence on new rows is somewhat less; out-of-fold scores and a stricter
    `confidence` are the remedy. With sample weights, sums of weights are taken as counts of
    rows: right for weights that count repeated rows, too sure of itself for weights whose sum
    exceeds the number of rows.

    O(n log n); a bound on a precision adds one incomplete beta function for each cut-off whose
    precision reaches the limit.

    References
    ----------
    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26, 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.thresholds import Constraint, ThresholdClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], flip_y=0.05, random_state=0)
    >>> rule = Constraint("recall_at_precision", 0.8)
    >>> ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y).rule_
    Rule(score >= 0.3..., recall_at_precision=0.7..., at ... of 1000 rows)
    >>> rule = Constraint("recall_at_fpr", 0.05, confidence=0.9)
    >>> ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y).rule_
    Rule(score >= 0.2..., recall_at_fpr=0.7..., at ... of 1000 rows)
    """

    card = Card(
        paper="Clopper & Pearson (1934), doi:10.1093/biomet/26.4.404",
        cases=(
            {},
            {"metric": "precision_at_recall", "limit": 0.5},
            {"metric": "recall_at_fpr", "limit": 0.1},
            {"limit": 0.5, "confidence": 0.9, "infeasible": "raise"},
        ),
    )

    _parameter_constraints = {
        "metric": [StrOptions(set(_LIMITED))],
        "limit": [Interval(Real, 0, 1, closed="both")],
        "confidence": [Interval(Real, 0.5, 1, closed="left"), None],
        "infeasible": [StrOptions(set(_INFEASIBLE))],
    }

    def __init__(
        self,
        metric: Literal[
            "recall_at_precision", "precision_at_recall", "recall_at_fpr"
        ] = "recall_at_precision",
        limit: float = 0.9,
        *,
        confidence: float | None = None,
        infeasible: Literal["nearest", "raise"] = "nearest",
    ) -> None:
        self.metric = metric
        self.limit = limit
        self.confidence = confidence
        self.infeasible = infeasible

    @property
    def name(self) -> str:
        """Name of the metric."""
        return self.metric

    def prepared(self, y_true: BoolArray, **row_values: FloatArray) -> Self:
        """Refuse parameters that no data could make valid.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        **row_values : ndarray of shape (n_rows,)
            None are needed.

        Returns
        -------
        Constraint
            This rule.
        """
        for name, known in (("metric", sorted(_LIMITED)), ("infeasible", _INFEASIBLE)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                rule = f"{name} must be one of {listing(known)}"
                raise InvalidParameterError(message("Constraint", rule, value))
        if not _is_number(self.limit) or not 0 <= self.limit <= 1:
            rule, todo = "limit must be a number between 0 and 1", "Write 0.9 for 90 %"
            raise InvalidParameterError(message("Constraint", rule, self.limit, todo))
        sure = self.confidence
        if sure is not None and (not _is_number(sure) or not 0.5 <= sure < 1):
            rule = "confidence must be a number from 0.5 and below 1, or None"
            todo = "Write 0.95 for 95 %"
            raise InvalidParameterError(message("Constraint", rule, sure, todo))
        return self

    def objective(self, counts: Counts) -> FloatArray:
        """Return the metric at every cut-off.

        Parameters
        ----------
        counts : Counts
            Weighted counts at each cut-off; arrays of shape (n_cuts,).

        Returns
        -------
        ndarray of shape (n_cuts,)
            Larger is better; ``-inf`` where the limit is not kept.
        """
        return np.where(self._kept(counts), self._free(counts), -np.inf)

    def curve(
        self,
        y_true: BoolArray,
        y_score: FloatArray,
        sample_weight: FloatArray | None = None,
        **row_values: FloatArray,
    ) -> Curve:
        """Return the metric at every cut-off of the scores.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        y_score : ndarray of shape (n_rows,)
            Scores, larger meaning more likely positive.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        **row_values : ndarray of shape (n_rows,)
            None are needed.

        Returns
        -------
        Curve
            ``-inf`` where the limit is not kept. Where none is kept at all, for "nearest" the
            metric at the nearest cut-offs.
        """
        thresholds, counts = every_cut(y_true, y_score, sample_weight)
        objective, attained = self.objective(counts), None
        if not (objective > -np.inf).any():
            rate = self._rate(counts, self.confidence)
            attained = float(rate.max())
            if self.infeasible == "nearest":
                near = rate >= attained - _SLACK
                objective = np.where(near, self._free(counts), -np.inf)
        return _Limited(
            thresholds=thresholds,
            objective=objective,
            prevalence=float(counts.positives[0] / counts.total[0]),
            rate=self._rate(counts, None),
            attained=attained,
        )

    def threshold(self, curve: Curve) -> float:
        """Choose the threshold: the best that keeps the limit, or the nearest to the limit.

        Parameters
        ----------
        curve : Curve
            What :meth:`curve` returned, or the mean of several such curves.

        Returns
        -------
        float
            Rows with at least this score are predicted positive.

        Raises
        ------
        DataError
            If no cut-off keeps the limit, and the nearest one may not be taken.
        """
        limited, least = _LIMITED[self.metric]
        rule = f"the {limited} must be {'at least' if least else 'at most'} {self.limit:g}"
        if self.confidence is not None:
            rule += f" with confidence {self.confidence:g}"
        got, todo = "none that keeps it in every fold", "Loosen the limit, or use pooling='pooled'"
        if isinstance(curve, _Limited) and curve.attained is not None:
            value = curve.attained if least else -curve.attained
            got = f"{'at most' if least else 'at least'} {value:.4g} at every one"
            todo = "The nearest cut-off is taken"
            if self.infeasible == "raise":
                todo = "Loosen the limit, or pass infeasible='nearest'"
        if not curve.feasible:
            raise DataError(message("Constraint", f"{rule} at some cut-off", got, todo))
        if not isinstance(curve, _Limited):
            return curve.best()
        if curve.attained is not None:
            text = message("Constraint", f"{rule} at some cut-off", got, todo)
            warn(text, ThresholdWarning)
        chosen = curve.inside().best()
        if chosen == np.inf:
            got = "only cut-offs above every score"
            todo = "No row will be alerted; loosen the limit"
            warn(message("Constraint", rule, got, todo), ThresholdWarning)
        return chosen

    def _free(self, counts: Counts) -> FloatArray:
        """What is maximised, without the limit."""
        return counts.precision if self.metric == "precision_at_recall" else counts.tpr

    def _rate(self, counts: Counts, confidence: float | None) -> FloatArray:
        """Return the limited rate or its bound, its negative where small is good."""
        hits, trials = self._hits(counts)
        least = _LIMITED[self.metric][1]
        if confidence is None:
            rate = np.divide(hits, trials, out=np.zeros(hits.shape), where=trials > 0)
        else:
            rate = lower_bound(hits, trials, confidence)
        rate = rate if least else rate - 1
        # There is no precision without an alert.
        return np.where(counts.alerts > 0, rate, -np.inf) if self._on_precision else rate

    def _kept(self, counts: Counts) -> BoolArray:
        """Say which cut-offs keep the limit."""
        least = _LIMITED[self.metric][1]
        limit = float(self.limit if least else -self.limit)
        if self.confidence is None:
            return np.asarray(self._rate(counts, None) >= limit - _SLACK)
        kept = reaches(*self._hits(counts), self.confidence, limit if least else 1 + limit)
        return kept & (counts.alerts > 0) if self._on_precision else kept

    def _hits(self, counts: Counts) -> tuple[FloatArray, FloatArray]:
        """Return the counts whose ratio is limited from below: false alarms are misses."""
        if self.metric == "recall_at_fpr":
            return counts.tn, counts.negatives
        return counts.tp, counts.alerts if self._on_precision else counts.positives

    @property
    def _on_precision(self) -> bool:
        return self.metric == "recall_at_precision"


@dataclass(frozen=True, slots=True, eq=False)
class _Limited(Curve):
    """A curve that knows the limited rate as well, negative where small is good.

    Parameters
    ----------
    rate : ndarray of shape (n_entries,)
        The rate at each cut-off.
    attained : float or None
        The rate or bound that comes nearest to the limit, where no cut-off keeps it.
    """

    rate: FloatArray
    attained: float | None

    def inside(self) -> Curve:
        """Return the same curve without cut-offs that are as good but nearer to the limit."""
        best = np.flatnonzero(self.objective >= self.objective.max() - _SLACK)
        furthest = best[self.rate[best] >= self.rate[best].max() - _SLACK]
        objective = np.full(self.objective.shape, -np.inf)
        objective[furthest] = self.objective[furthest]
        return Curve(self.thresholds, objective, self.prevalence)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)
