"""The rows that a display of scores is about: their labels, scores and weights."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.containers import plain_array
from imbkit._core.messages import message, shorten
from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit.displays._style import check_choice
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._counts import check_ranking
from imbkit.thresholds._labels import (
    check_same_classes,
    check_weighted_classes,
    positive_label,
    read_target,
)
from imbkit.thresholds._scores import positive_scores, response_names

__all__ = ["Scored", "of_cv_results", "of_estimator", "of_predictions"]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Rows of two classes with scores.

    Parameters
    ----------
    positive : ndarray of bool, shape (n_rows,)
        Whether each row is positive.
    scores : ndarray of shape (n_rows,)
        In double precision; larger means more likely positive.
    weight : ndarray of shape (n_rows,) or None
        Weights; one for every row if None.
    labels : tuple of two objects
        The negative class and the positive one.
    threshold : float or None
        The estimator's own threshold on these scores, if it has one.
    name : str or None
        Whose scores they are.
    """

    positive: BoolArray
    scores: FloatArray
    weight: FloatArray | None
    labels: tuple[Any, Any]
    threshold: float | None = None
    name: str | None = None

    def weights(self) -> FloatArray:
        """Return the weights, ones where none were given."""
        return np.ones(self.scores.size) if self.weight is None else self.weight

    def weighted_rows(self) -> "Scored":
        """Return the rows without those of weight zero."""
        if self.weight is None or self.weight.all():
            return self
        kept = self.weight > 0
        rows = self.positive[kept], self.scores[kept], self.weight[kept]
        return Scored(*rows, self.labels, self.threshold, self.name)


def of_predictions(
    who: str,
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    threshold: float | None = None,
    name: str | None = None,
) -> Scored:
    """Check labels and scores, and find out which label is the positive one."""
    target, classes = _target(who, y_true)
    chosen = positive_label(target, classes, pos_label, who)
    scores = plain_array(y_score)
    if scores.ndim == 2:
        rule = "y_score must hold one score a row, of the positive class"
        todo = "Pass its column, such as y_score[:, 1]"
        raise DataError(message(who, rule, f"shape {scores.shape}", todo))
    if scores.dtype.kind not in "biuf":
        rule = "y_score must hold numbers"
        raise DataError(message(who, rule, f"dtype {scores.dtype}"))
    weight = None if sample_weight is None else plain_array(sample_weight)
    positive, scores, weight = check_ranking(who, target == chosen, scores, weight)
    check_weighted_classes(positive, weight, who)
    other = classes[0] if chosen == classes[1] else classes[1]
    _check_threshold(who, threshold)
    return Scored(positive, scores.astype(float), weight, (other, chosen), threshold, name)


def of_estimator(
    who: str,
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    response_method: str = "auto",
    threshold: float | None = None,
    name: str | None = None,
) -> Scored:
    """Score the rows of a table by a fitted estimator, and look for its own threshold."""
    check_choice(
        who, "response_method", response_method, ("auto", "predict_proba", "decision_function")
    )
    if isinstance(estimator, type):
        rule, todo = "the estimator must be an object, not a class", "Fit one and pass it"
        raise InvalidParameterError(message(who, rule, shorten(estimator), todo))
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    own_method = getattr(last, "response_method", None)
    if own_method in ("predict_proba", "decision_function") and response_method == "auto":
        response_method = own_method
    if pos_label is None:
        pos_label = getattr(last, "pos_label_", getattr(last, "pos_label", None))
    target, classes = _target(who, y)
    if hasattr(estimator, "classes_"):
        check_same_classes(estimator, classes, who)
    chosen = positive_label(target, classes, pos_label, who)
    scores = positive_scores(estimator, X, response_method, chosen, who)
    if threshold is None and own_method is not None and _same(last, own_method, response_method):
        threshold = _own_threshold(last, chosen)
    return of_predictions(
        who,
        target,
        scores,
        sample_weight=sample_weight,
        pos_label=chosen,
        threshold=threshold,
        name=type(estimator).__name__ if name is None else name,
    )


def of_cv_results(who: str, model: Any, *, name: str | None = None) -> Scored:
    """Take the out-of-fold scores that a threshold classifier of two classes has kept."""
    results = getattr(model, "cv_results_", None)
    needed = ("y_true", "y_score", "thresholds", "scores")
    if not isinstance(results, dict) or any(key not in results for key in needed):
        rule = "the model must be a ThresholdClassifierCV that has kept its out-of-fold scores"
        todo = "Fit it with store_cv_results=True"
        raise InvalidParameterError(message(who, rule, shorten(model), todo))
    classes = np.asarray(model.classes_).tolist()
    scores = np.asarray(results["y_score"], dtype=float)
    if len(classes) != 2 or scores.ndim != 1:
        rule = "the model must have been fitted on two classes"
        raise DataError(message(who, rule, f"{len(classes):,} classes"))
    positive = np.asarray(results["y_true"], dtype=bool)
    other = classes[0] if model.pos_label_ == classes[1] else classes[1]
    label = f"{type(model.estimator).__name__}, out of fold" if name is None else name
    threshold = float(model.threshold_)
    return Scored(positive, scores, None, (other, model.pos_label_), threshold, label)


def _target(who: str, y: ArrayLike) -> tuple[AnyArray, list[Any]]:
    """Return a target of two classes, and these."""
    target, kind = read_target(None if y is None else plain_array(y), who)
    classes = np.unique(target).tolist()
    if kind != "binary":
        rule = "the target must be one column of two classes"
        todo = "For one class against the rest pass y == label, and its column of the scores"
        raise DataError(message(who, rule, f"{len(classes):,} classes ({kind})", todo))
    return target, classes


def _same(model: Any, first: str, second: str) -> bool:
    """Whether two settings of the response method come to the same method of a model."""
    methods = [
        next((name for name in response_names(each) if hasattr(model, name)), None)
        for each in (first, second)
    ]
    return methods[0] == methods[1]


def _own_threshold(model: Any, pos_label: Any) -> float | None:
    """Return the threshold that a model applies to the scores of this class, if it says so."""
    own_label = getattr(model, "pos_label_", getattr(model, "pos_label", None))
    if own_label is not None and own_label != pos_label:
        return None
    rule = getattr(getattr(model, "rule_", None), "chosen_by", None)
    if rule is not None:
        probe = np.array([0.25, 0.75])
        if rule.decision_names() or not np.array_equal(rule.rescored(probe), probe):
            return None  # it is a threshold on something else
    for name in ("threshold_", "best_threshold_", "threshold"):
        value = getattr(model, name, None)
        if isinstance(value, Real) and not isinstance(value, bool):
            return float(value)
    return None


def _check_threshold(who: str, threshold: object) -> None:
    number = isinstance(threshold, Real) and not isinstance(threshold, bool)
    if threshold is not None and not (number and not np.isnan(float(threshold))):  # type: ignore[arg-type]
        rule = "threshold must be a number, or None"
        raise InvalidParameterError(message(who, rule, threshold))
