"""The threshold that is best by a count metric."""

import inspect
from collections.abc import Callable
from numbers import Real
from typing import Any, Self

import numpy as np

from imbkit._core.card import Card
from imbkit._core.constraints import Interval
from imbkit._core.messages import message, nearest_names
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, Counts, get_metric, metric_names
from imbkit.thresholds._base import BaseRule

__all__ = ["BestMetric", "as_rule"]


class BestMetric(BaseRule):
    """Take the threshold at which a count metric is best.

    The usual choice when what counts is a summary of the confusion matrix. With amounts of
    money at stake, :class:`LowestCost` says it more directly.

    Parameters
    ----------
    metric : str, count metric or callable, default="f1"
        A name such as ``"f1"``, ``"fbeta"``, ``"gmean"``, ``"mcc"`` or
        ``"balanced_accuracy"``; a metric of :mod:`imbkit.metrics`; scikit-learn's function
        of the same name; or any ``f(tp, fp, fn, tn)`` that takes arrays of shape (n_cuts,)
        and returns one, larger being better. Where a callable gives NaN, the cut-off is not
        considered.
    beta : float, default=1.0
        Weight of recall against precision, positive; for ``metric="fbeta"`` only.

    See Also
    --------
    LowestCost : The threshold at which errors cost least.

    Notes
    -----
    On calibrated probabilities the optimum is known: for F-beta it is F / (1 + beta^2), half
    the attained value for F1; for balanced accuracy it is the prevalence.

    References
    ----------
    Z. C. Lipton, C. Elkan, B. Naryanaswamy, "Optimal thresholding of classifiers to maximize
    F1 measure", ECML PKDD, 2014, doi:10.1007/978-3-662-44851-9_15.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.thresholds import BestMetric, ThresholdClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], flip_y=0.05, random_state=0)
    >>> rule = BestMetric("fbeta", beta=2.0)
    >>> model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y)
    >>> model.rule_
    Rule(score >= 0.18..., fbeta=0.74..., at 140 of 1000 rows)
    """

    card = Card(
        paper="Lipton, Elkan & Naryanaswamy (2014), doi:10.1007/978-3-662-44851-9_15",
        cases=({}, {"metric": "gmean"}, {"metric": "fbeta", "beta": 2.0}),
    )

    _parameter_constraints = {
        "metric": [str, callable],
        "beta": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self, metric: str | CountMetric | Callable[..., Any] = "f1", *, beta: float = 1.0
    ) -> None:
        self.metric = metric
        self.beta = beta

    @property
    def name(self) -> str:
        """Name of the metric."""
        metric = self._metric()
        if isinstance(metric, CountMetric):
            return str(metric.name)
        name = getattr(metric, "__name__", "objective")
        return str(name) if str(name).isidentifier() else "objective"

    @property
    def greater_is_better(self) -> bool:  # type: ignore[override]
        """Direction of the metric."""
        metric = self._metric()
        return not isinstance(metric, CountMetric) or bool(metric.greater_is_better)

    def prepared(self, y_true: BoolArray, **row_values: FloatArray) -> Self:
        """Refuse an unknown metric or a `beta` that would have no effect.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        **row_values : ndarray of shape (n_rows,)
            None are needed.

        Returns
        -------
        BestMetric
            This rule.
        """
        metric = self._metric()
        if isinstance(self.beta, bool) or not isinstance(self.beta, Real) or not self.beta > 0:
            rule, todo = "beta must be a positive number", "Use 1 for equal weights"
            raise InvalidParameterError(message("BestMetric", rule, self.beta, todo))
        if self.beta != 1 and not _takes_beta(metric):
            rule = "beta has a meaning for the metric 'fbeta' only"
            got = f"beta={self.beta} with {self.name}"
            raise InvalidParameterError(message("BestMetric", rule, got, "Pass metric='fbeta'"))
        return self

    def objective(self, counts: Counts) -> FloatArray:
        """Return the metric at every cut-off, larger being better.

        Parameters
        ----------
        counts : Counts
            Weighted counts at each cut-off; arrays of shape (n_cuts,).

        Returns
        -------
        ndarray of shape (n_cuts,)
            The metric; its negative where smaller is better.
        """
        metric = self._metric()
        if not isinstance(metric, CountMetric):
            with np.errstate(divide="ignore", invalid="ignore"):
                values = metric(counts.tp, counts.fp, counts.fn, counts.tn)
            return np.asarray(values, dtype=float)
        values = metric.of(counts, beta=self.beta) if _takes_beta(metric) else metric.of(counts)
        return np.asarray(values if metric.greater_is_better else -values)

    def _metric(self) -> CountMetric | Callable[..., Any]:
        return _resolve(self.metric)


def as_rule(rule: Any) -> BaseRule:
    """Return a rule object: itself, or the rule that maximises the metric given instead."""
    if isinstance(rule, BaseRule):
        return rule
    if isinstance(rule, type):
        todo = f"Write rule={rule.__name__}()"
        text = message("ThresholdClassifierCV", "rule must be an object, not a class", rule, todo)
        raise InvalidParameterError(text)
    try:
        _resolve(rule)
    except InvalidParameterError:
        what = "rule must be a rule, a count metric, its name, or a function f(tp, fp, fn, tn)"
        near = nearest_names(rule, metric_names()) if isinstance(rule, str) else []
        todo = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise InvalidParameterError(message("ThresholdClassifierCV", what, rule, todo)) from None
    return BestMetric(rule)


def _resolve(metric: Any) -> CountMetric | Callable[..., Any]:
    """Return the count metric that is meant, or the function of four counts itself."""
    try:
        return get_metric(metric)
    except InvalidParameterError:
        if not _is_formula(metric):
            raise
        formula: Callable[..., Any] = metric
        return formula


def _takes_beta(metric: object) -> bool:
    return isinstance(metric, CountMetric) and "beta" in metric.parameters


def _is_formula(metric: object) -> bool:
    """Whether it can be called with four counts, rather than with labels and predictions."""
    if not callable(metric) or isinstance(metric, type):
        return False
    try:
        parameters = inspect.signature(metric).parameters
    except ValueError:  # some compiled functions have no signature
        return True
    if "y_true" in parameters:
        return False
    try:
        inspect.signature(metric).bind(0, 0, 0, 0)
    except TypeError:
        return False
    return True
