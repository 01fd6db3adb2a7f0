"""Metrics and scorers by name, without touching scikit-learn's own list of names."""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._average_precision import average_precision_skill_score
from imbkit.metrics._budget import (
    captured_amount_at_budget,
    lift_score,
    precision_at_budget,
    recall_at_budget,
    recall_at_fpr,
    recall_at_precision,
)
from imbkit.metrics._calibration_error import (
    classwise_calibration_error,
    predicted_positive_calibration_error,
)
from imbkit.metrics._confusion import check_targets, positive_label
from imbkit.metrics._confusion_norm import confusion_spectral_norm
from imbkit.metrics._cost import expected_cost, savings_score
from imbkit.metrics._count_metric import CountMetric
from imbkit.metrics._detection_cost import detection_cost_at_fpr
from imbkit.metrics._h_measure import h_measure_score
from imbkit.metrics._macro_mae import macro_mae_score, max_mae_score
from imbkit.metrics._partial_roc_auc import partial_roc_auc_score
from imbkit.metrics._ranked_probability import ranked_probability_loss
from imbkit.metrics._rare_loss import rare_brier_loss, rare_log_loss
from imbkit.metrics._separation import equal_error_rate, ks_score
from imbkit.metrics._skill import brier_skill_score, log_loss_skill_score
from imbkit.metrics._stratified_brier import stratified_brier_score

__all__ = ["get_metric", "get_scorer", "metric_function", "metric_names"]


def get_metric(metric: str | Callable[..., Any]) -> CountMetric:
    """Return the count metric of a name.

    Use it wherever a metric may be given by name: a count metric can be a threshold's
    objective, and a curve, as well.

    Parameters
    ----------
    metric : str, CountMetric or function
        A name such as "f1", "f1_score", "mcc" or "matthews_corrcoef"; a count metric, which
        is returned as it is; or the function of scikit-learn or imbalanced-learn that has
        the name of one.

    Returns
    -------
    CountMetric
        The metric.

    Raises
    ------
    InvalidParameterError
        If there is no such count metric.

    See Also
    --------
    get_scorer : A scorer, also for metrics that need scores or probabilities.
    metric_names : All names.

    Examples
    --------
    >>> from imbkit.metrics import get_metric
    >>> get_metric("mcc")
    matthews_corrcoef
    """
    if isinstance(metric, CountMetric):
        return metric
    known = _count_metrics()
    name = metric if isinstance(metric, str) else _name_in_peers(metric)
    if name in known:
        return known[name]
    rule = "metric must be a count metric, its name, or scikit-learn's function of that name"
    raise InvalidParameterError(message("get_metric", rule, metric, _hint(name, known)))


def get_scorer(metric: str | CountMetric, **parameters: Any) -> Any:
    """Return a scorer for ``GridSearchCV(scoring=...)`` and its kin.

    Choose it over scikit-learn's function of the same name for metrics that are not there,
    and to pass parameters along.

    Parameters
    ----------
    metric : str or CountMetric
        A name of :func:`metric_names`. Metrics of one class against the rest take an average
        behind the name ("f1_macro"), metrics with a limit a number ("recall_at_fpr_0.01",
        "precision_at_budget_100", "fbeta_2").
    **parameters
        Keyword parameters of the metric, e.g. ``pos_label="fraud"``, ``fn=10``.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, larger is better: costs, losses and errors, such as
        "expected_cost", "brier" and "log_loss", are negated. It can be pickled, and with
        metadata routing enabled it takes ``set_score_request(sample_weight=True)``, or costs
        a row.

    Raises
    ------
    InvalidParameterError
        If there is no such metric, or it does not have such a parameter.

    See Also
    --------
    metric_names : All names.

    Notes
    -----
    "average_precision", "roc_auc", "brier" and "log_loss" are scikit-learn's functions. With
    more than two classes the first two are means over classes, each against the rest, and
    every class must occur in the rows that are scored.

    Columns of scores are matched with classes by the model's ``classes_``, which need not be
    sorted: models of ordered classes keep the order of the stages, and scikit-learn's scorers
    of probabilities are silently wrong for them. Metrics of ordered classes, or of the last
    one, take the order of ``classes_`` where it is not the sorted one, otherwise `labels`;
    `reference` of a skill is in that order, too.

    Examples
    --------
    >>> from imbkit.metrics import get_scorer
    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier(strategy="constant", constant=0).fit([[0], [1]], [0, 1])
    >>> get_scorer("gmean")(model, [[0], [1]], [0, 1])
    0.0
    >>> get_scorer("expected_cost", fn=10.0)(model, [[0], [1]], [0, 1])
    -5.0
    """
    # It comes with scikit-learn's metrics, which are imported only where they are needed.
    from imbkit.metrics._class_order import ClassOrderScorer

    entry = _find(metric)
    function = entry.load()
    allowed = inspect.signature(function).parameters
    unknown = [name for name in parameters if name not in allowed]
    if unknown:
        rule = f"the parameters must be those of {shorten(metric)}"
        todo = _hint(unknown[0], list(allowed)[2:])
        raise InvalidParameterError(message("get_scorer", rule, unknown[0], todo))
    return ClassOrderScorer(
        function,
        1 if entry.greater_is_better else -1,
        {**entry.parameters, **parameters},
        entry.response,
        entry.columns(),
    )


def metric_function(name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function behind a scorer's name, and the parameters that the name stands for."""
    entry = _find(name)
    return entry.load(), dict(entry.parameters)


def metric_names() -> list[str]:
    """Return the names that :func:`get_scorer` knows, sorted.

    Returns
    -------
    list of str
        Without the forms with an average or a number behind the name.

    See Also
    --------
    get_scorer : Make a scorer of a name.
    get_metric : The count metric of a name.

    Examples
    --------
    >>> from imbkit.metrics import metric_names
    >>> "gmean" in metric_names(), "average_precision" in metric_names()
    (True, True)
    """
    return sorted({*(metric.name for metric in _count_metrics().values()), *_ENTRIES})


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a scorer needs to know of a metric; a string names a function of scikit-learn."""

    function: Callable[..., Any] | str
    response: str | tuple[str, ...] = "predict"
    greater_is_better: bool = True
    number: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    def columns(self) -> Literal["sorted", "labels", "last"]:
        """Return what the metric takes its columns for."""
        if self.function in _OF_THE_LAST:
            return "last"
        # Those of scikit-learn sort their `labels`; of predictions few have an order.
        if isinstance(self.function, str):
            return "sorted"
        if self.response == "predict" and self.function not in (macro_mae_score, max_mae_score):
            return "sorted"
        return "labels" if "labels" in inspect.signature(self.function).parameters else "sorted"

    def load(self) -> Any:
        """Return the function; scikit-learn's metrics are imported only here."""
        if isinstance(self.function, str):
            return getattr(import_module("sklearn.metrics"), self.function)
        return self.function


def average_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: object = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Call scikit-learn's function, which has no `pos_label` that fits two and many classes."""
    from sklearn.metrics import average_precision_score

    truth, _, present = check_targets("average_precision", y_true, y_true)
    if np.ndim(y_score) == 1:
        truth = truth == positive_label("average_precision", present, pos_label)
    return float(average_precision_score(truth, y_score, sample_weight=sample_weight))


_OF_THE_LAST = (rare_log_loss, rare_brier_loss, ranked_probability_loss)
_SCORES = ("decision_function", "predict_proba")
# scikit-learn would look for the default label 1 among the classes; None leaves it to us.
_UNSET = {"pos_label": None}
_ENTRIES = {
    "average_precision": _Entry(average_precision, _SCORES),
    # Of many classes, scikit-learn takes scores only if they sum to one.
    "roc_auc": _Entry("roc_auc_score", _SCORES[::-1], parameters={"multi_class": "ovr"}),
    "brier": _Entry("brier_score_loss", "predict_proba", greater_is_better=False),
    "log_loss": _Entry("log_loss", "predict_proba", greater_is_better=False),
    "brier_skill": _Entry(brier_skill_score, "predict_proba", parameters=_UNSET),
    "log_loss_skill": _Entry(log_loss_skill_score, "predict_proba", parameters=_UNSET),
    "stratified_brier": _Entry(stratified_brier_score, "predict_proba", False, "", _UNSET),
    "rare_brier": _Entry(rare_brier_loss, "predict_proba", False, "", _UNSET),
    "rare_log_loss": _Entry(rare_log_loss, "predict_proba", False, "", _UNSET),
    "ranked_probability": _Entry(ranked_probability_loss, "predict_proba", False, "", _UNSET),
    "classwise_calibration_error": _Entry(
        classwise_calibration_error, "predict_proba", False, "n_bins", _UNSET
    ),
    "predicted_positive_calibration_error": _Entry(
        predicted_positive_calibration_error, "predict_proba", False, "threshold", _UNSET
    ),
    "average_precision_skill": _Entry(average_precision_skill_score, _SCORES, True, "", _UNSET),
    "partial_roc_auc": _Entry(partial_roc_auc_score, _SCORES, True, "max_fpr", _UNSET),
    "h_measure": _Entry(h_measure_score, _SCORES, True, "", _UNSET),
    "ks": _Entry(ks_score, _SCORES, True, "", _UNSET),
    "equal_error_rate": _Entry(equal_error_rate, _SCORES, False, "", _UNSET),
    "detection_cost_at_fpr": _Entry(detection_cost_at_fpr, _SCORES, False, "max_fpr", _UNSET),
    "confusion_spectral_norm": _Entry(confusion_spectral_norm, greater_is_better=False),
    "macro_mae": _Entry(macro_mae_score, greater_is_better=False),
    "max_mae": _Entry(max_mae_score, greater_is_better=False),
    "expected_cost": _Entry(expected_cost, greater_is_better=False, parameters=_UNSET),
    "normalized_expected_cost": _Entry(
        expected_cost,
        greater_is_better=False,
        parameters={"pos_label": None, "normalize": "constant"},
    ),
    "savings": _Entry(savings_score, parameters=_UNSET),
    "precision_at_budget": _Entry(precision_at_budget, _SCORES, True, "budget", _UNSET),
    "recall_at_budget": _Entry(recall_at_budget, _SCORES, True, "budget", _UNSET),
    "captured_amount_at_budget": _Entry(captured_amount_at_budget, _SCORES, True, "budget", _UNSET),
    "lift": _Entry(lift_score, _SCORES, True, "budget", _UNSET),
    "recall_at_fpr": _Entry(recall_at_fpr, _SCORES, True, "max_fpr", _UNSET),
    "recall_at_precision": _Entry(recall_at_precision, _SCORES, True, "min_precision", _UNSET),
}


def _find(metric: str | CountMetric) -> _Entry:
    """Look a metric up, with an average or a number behind its name if need be."""
    if isinstance(metric, CountMetric):
        number = "beta" if "beta" in metric.parameters else ""
        better = metric.greater_is_better
        return _Entry(metric, "predict", better, number, _UNSET)
    counted = _count_metrics()
    if metric in _ENTRIES:
        return _ENTRIES[metric]
    if metric in counted:
        return _find(counted[metric])
    head, _, tail = metric.rpartition("_") if isinstance(metric, str) else ("", "", "")
    if head in counted and tail in ("macro", "micro", "weighted"):
        return _extended(_find(counted[head]), average=tail)
    if (head in counted or head in _ENTRIES) and re.fullmatch(r"\d+|\d*\.\d+(e-?\d+)?", tail):
        entry = _find(head)
        if entry.number:
            return _extended(entry, **{entry.number: int(tail) if tail.isdigit() else float(tail)})
    rule = "metric must be a known name or a count metric"
    raise InvalidParameterError(
        message("get_scorer", rule, metric, _hint(metric, [*_ENTRIES, *counted]))
    )


def _extended(entry: _Entry, **parameters: Any) -> _Entry:
    return replace(entry, parameters={**entry.parameters, **parameters})


def _count_metrics() -> dict[str, CountMetric]:
    """Every name of the public count metrics, in the family's own list, and the metric."""
    family = import_module("imbkit.metrics")
    known: dict[str, CountMetric] = {}
    for name in family.__all__:
        metric = getattr(family, name)
        if isinstance(metric, CountMetric):
            known |= {name: metric, name.removesuffix("_score"): metric, metric.name: metric}
    # imbalanced-learn's longer name of the same formula.
    return known | {"geometric_mean_score": known["gmean"], "geometric_mean": known["gmean"]}


def _name_in_peers(metric: object) -> str:
    """Name of a function of scikit-learn or imbalanced-learn that scores predictions."""
    module = getattr(metric, "__module__", "") or ""
    if module.startswith(("sklearn.metrics.", "imblearn.metrics.")) and ".cluster" not in module:
        return str(getattr(metric, "__name__", ""))
    return ""


def _hint(name: object, names: Iterable[str]) -> str:
    names = list(names)
    near = nearest_names(name, names) if isinstance(name, str) and name else []
    return f"Did you mean {listing(near)}?" if near else f"Known are {listing(sorted(names), 40)}"
