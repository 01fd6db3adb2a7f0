"""The threshold that is best by a count metric."""

import inspect
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Literal, Self

import numpy as np

from imbkit._core.card import Card, Limit
from imbkit._core.constraints import Interval, StrOptions
from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit._core.types import BoolArray, FloatArray, IntArray, Seed
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import (
    CountMetric,
    Counts,
    f1_score,
    fbeta_score,
    get_metric,
    metric_names,
)
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._class_weights import ClassDecision, best_weights, metric_objective
from imbkit.thresholds._curve import Curve
from imbkit.thresholds._expected_fbeta import check_probabilities, expected_fbeta
from imbkit.thresholds._labels_decision import LabelsDecision, per_label, shared

__all__ = ["BestMetric", "as_rule"]

_BLOCK = 2**15  # cut-offs
_METHODS = ("sweep", "plugin")
_AVERAGES = ("macro", "micro", "weighted")

# What has a name among the metrics, and a rule of its own.
_OWN_RULES = {
    "expected_cost": "LowestCost(fp=..., fn=...)",
    "precision_at_budget": "AlertBudget(budget)",
    "precision_at_recall": "Constraint('precision_at_recall', limit)",
    "recall_at_budget": "AlertBudget(budget)",
    "recall_at_fpr": "Constraint('recall_at_fpr', limit)",
    "recall_at_precision": "Constraint('recall_at_precision', limit)",
    "savings": "LowestCost(fp=..., fn=...)",
}


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
    method : {"sweep", "plugin"}, default="sweep"
        "sweep" tries every cut-off on the labels. "plugin", for ``"f1"`` and ``"fbeta"``
        only, computes the threshold from probabilities alone: less noise where positive rows
        are few, but only as right as the probabilities are calibrated.
    average : {"macro", "micro", "weighted"}, default="macro"
        For more than two classes only: how the metric of each class against the rest is
        averaged. A metric that is defined for all classes at once is used as it is. Of several
        labels a row, "micro" gives all labels one threshold, and the others each its own.

    See Also
    --------
    LowestCost : The threshold at which errors cost least.
    Constraint : The best threshold within a limit.

    Notes
    -----
    On calibrated probabilities the optimum is known: for F-beta it is F / (1 + beta^2), half
    the attained value for F1; for balanced accuracy it is the prevalence.

    "plugin" takes the fixed point of t = F(t) / (1 + beta^2), where F(t) comes from the counts
    that the probabilities make one expect: with S the rows at or above t,
    F(t) = (1 + beta^2) sum_S p / (beta^2 sum p + sum_S 1), each row by its weight. Adding a
    row to S raises F exactly if p > F / (1 + beta^2), so the fixed point is unique and is the
    largest value that F has at any cut-off, over 1 + beta^2; one sort finds it, O(n log n),
    nothing is iterated. The objective that is reported is that expectation,
    ``expected_fbeta``, not the metric on the labels.

    More than two classes: one weight a class, by a search over the exact breakpoints.

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
        cases=(
            {},
            {"metric": "gmean"},
            {"metric": "fbeta", "beta": 2.0},
            {"method": "plugin"},
            {"metric": "balanced_accuracy", "average": "weighted"},
        ),
        limits=(
            Limit(when={"metric": "fbeta"}, equals="BestMetric", other={"metric": "f1"}),
            Limit(when={"metric": "accuracy"}, equals="LowestCost", other={"fp": 1.0, "fn": 1.0}),
        ),
    )

    _parameter_constraints = {
        "metric": [str, callable],
        "beta": [Interval(Real, 0, None, closed="neither")],
        "method": [StrOptions({"sweep", "plugin"})],
        "average": [StrOptions({"macro", "micro", "weighted"})],
    }

    def __init__(
        self,
        metric: str | CountMetric | Callable[..., Any] = "f1",
        *,
        beta: float = 1.0,
        method: Literal["sweep", "plugin"] = "sweep",
        average: Literal["macro", "micro", "weighted"] = "macro",
    ) -> None:
        self.metric = metric
        self.beta = beta
        self.method = method
        self.average = average

    @property
    def needs_probabilities(self) -> bool:  # type: ignore[override]
        """Whether the scores must be probabilities: for the plug-in method."""
        return self.method == "plugin"

    _instead = "Use method='sweep', or call fit(X, y == label)"

    @property
    def serves_many_classes(self) -> bool:  # type: ignore[override]
        """Whether more than two classes are served: not by the plug-in method."""
        return self.method != "plugin"

    @property
    def name(self) -> str:
        """Name of the metric."""
        metric = self._metric()
        if isinstance(metric, CountMetric):
            return f"expected_{metric.name}" if self.method == "plugin" else str(metric.name)
        name = getattr(metric, "__name__", "objective")
        return str(name) if str(name).isidentifier() else "objective"

    @property
    def greater_is_better(self) -> bool:  # type: ignore[override]
        """Direction of the metric."""
        metric = self._metric()
        return not isinstance(metric, CountMetric) or bool(metric.greater_is_better)

    def prepared(self, y_true: BoolArray, **row_values: FloatArray) -> Self:
        """Refuse an unknown metric, and what would have no effect on it.

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
        self._check()
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
        parameters = {"beta": self.beta} if _takes_beta(metric) else {}
        values = np.empty(counts.tp.shape)
        # Formulas make many temporary arrays; those of a part of the cut-offs stay in the cache.
        for start in range(0, values.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            some = Counts(counts.tp[part], counts.fp[part], counts.fn[part], counts.tn[part])
            values[part] = metric.of(some, **parameters)
        return values if metric.greater_is_better else -values

    def curve(
        self,
        y_true: BoolArray,
        y_score: FloatArray,
        sample_weight: FloatArray | None = None,
        **row_values: FloatArray,
    ) -> Curve:
        """Return the metric, or its expectation for the plug-in method, at every cut-off.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive; the plug-in method does not look at it.
        y_score : ndarray of shape (n_rows,)
            Scores, larger meaning more likely positive; probabilities for the plug-in method.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        **row_values : ndarray of shape (n_rows,)
            None are needed.

        Returns
        -------
        Curve
            The objective, O(n log n).
        """
        if self.method != "plugin":
            return super().curve(y_true, y_score, sample_weight)
        check_probabilities(y_score, "BestMetric")
        thresholds, values = expected_fbeta(y_score, sample_weight, self.beta)
        return Curve(thresholds, values, float(np.average(y_true, weights=sample_weight)))

    def threshold(self, curve: Curve) -> float:
        """Choose the threshold: the centre of the widest optimal plateau, or the fixed point.

        Parameters
        ----------
        curve : Curve
            What :meth:`curve` returned, or the mean of several such curves.

        Returns
        -------
        float
            Rows with at least this score are predicted positive.
        """
        if self.method != "plugin":
            return curve.best()
        # Rows that cannot be positive are never worth an alert, not even if all are such.
        least = float(np.finfo(curve.thresholds.dtype).smallest_subnormal)
        return max(float(curve.objective.max()) / (1 + self.beta**2), least)

    def class_decision(
        self,
        codes: IntArray,
        probabilities: FloatArray,
        sample_weight: FloatArray | None = None,
        *,
        classes: Sequence[Any],
        prior: FloatArray | None = None,
        n_restarts: int = 3,
        random_state: Seed = None,
    ) -> ClassDecision:
        """Choose the weight of each class with which the metric is best.

        Parameters
        ----------
        codes : ndarray of int, shape (n_rows,)
            Class of each row, as its position in `classes`.
        probabilities : ndarray of shape (n_rows, n_classes)
            Of each class.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        classes : sequence
            The labels.
        prior : ndarray of shape (n_classes,), default=None
            Not used.
        n_restarts : int, default=3
            Starting points of the search.
        random_state : int, RandomState or None, default=None
            Draws the starting points beyond the second.

        Returns
        -------
        ClassDecision
            Callable on probabilities.

        Raises
        ------
        DataError
            For the plug-in method, which serves two classes only.
        """
        self._check()
        self.check_classes(len(classes))
        metric = self._metric()
        parameters = {"beta": self.beta} if _takes_beta(metric) else {}
        joint = isinstance(metric, CountMetric) and metric.over == "classes"
        average = "multiclass" if joint else self.average
        objective = metric_objective(metric, average, **parameters)
        return best_weights(
            codes,
            probabilities,
            sample_weight,
            objective,
            n_restarts=n_restarts,
            random_state=random_state,
            classes=classes,
        )

    def labels_decision(
        self,
        y_true: IntArray,
        probabilities: FloatArray,
        sample_weight: FloatArray | None = None,
    ) -> LabelsDecision:
        """Choose a threshold for each label, or one for all where `average` is "micro".

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
            Callable on probabilities.
        """
        decide = shared if self.average == "micro" else per_label
        return decide(self, y_true, probabilities, sample_weight)

    def _check(self) -> None:
        """Refuse parameters that no data could make valid."""
        metric = self._metric()
        for name, known in (("method", _METHODS), ("average", _AVERAGES)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                rule = f"{name} must be one of {listing(known)}"
                raise InvalidParameterError(message("BestMetric", rule, value))
        if (
            isinstance(self.beta, bool)
            or not isinstance(self.beta, Real)
            or not 0 < self.beta < np.inf
        ):
            rule, todo = "beta must be a positive number", "Use 1 for equal weights"
            raise InvalidParameterError(message("BestMetric", rule, self.beta, todo))
        if self.beta != 1 and not _takes_beta(metric):
            rule = "beta has a meaning for the metric 'fbeta' only"
            got = f"beta={self.beta} with {self.name}"
            raise InvalidParameterError(message("BestMetric", rule, got, "Pass metric='fbeta'"))
        if self.method == "plugin" and metric not in (f1_score, fbeta_score):
            rule = "method='plugin' knows the metrics 'f1' and 'fbeta' only"
            raise InvalidParameterError(
                message("BestMetric", rule, f"metric={self.metric!r}", "Use method='sweep'")
            )

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
        text = message("ThresholdClassifierCV", what, shorten(rule), _advice(rule))
        raise InvalidParameterError(text) from None
    return BestMetric(rule)


def _advice(rule: Any) -> str:
    """Return what to pass instead of something that is no rule."""
    known = [name for name in metric_names() if _is_count_metric(name)]
    if not isinstance(rule, str):
        return f"Names of count metrics are {listing(known, 30)}"
    if rule in _OWN_RULES:
        return f"Pass rule={_OWN_RULES[rule]}"
    if rule in metric_names():
        return "It is no function of the decisions at one threshold"
    near = nearest_names(rule, known)
    return (
        f"Did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"Names are {listing(known, 30)}"
    )


def _is_count_metric(name: str) -> bool:
    try:
        get_metric(name)
    except InvalidParameterError:
        return False
    return True


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
