"""What an estimator says of rows: scores of the positive class, or probabilities of all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imbkit._core.messages import listing, message
from imbkit._core.out_of_fold import FoldScores
from imbkit._core.types import FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.thresholds._labels_decision import label_probabilities

__all__ = [
    "ClassProbabilities",
    "LabelProbabilities",
    "PositiveScores",
    "no_scores",
    "positive_scores",
    "response_names",
    "warn_if_constant",
]


@dataclass(frozen=True, slots=True)
class PositiveScores:
    """`positive_scores` as a function of an estimator and rows."""

    response_method: str
    pos_label: Any
    who: str

    def __call__(self, estimator: Any, X: Any) -> FloatArray:
        """Return the scores; shape (n_rows,)."""
        return positive_scores(estimator, X, self.response_method, self.pos_label, self.who)


@dataclass(frozen=True, slots=True)
class ClassProbabilities:
    """Probabilities of given classes, in their order, as a function of an estimator and rows."""

    classes: Sequence[Any]
    who: str

    def __call__(self, estimator: Any, X: Any) -> FloatArray:
        """Return the probabilities; shape (n_rows, n_classes)."""
        raw = np.asarray(estimator.predict_proba(X))
        known = np.asarray(estimator.classes_).tolist()
        wanted = list(self.classes)
        if raw.shape[1] != len(wanted) or len(known) != len(wanted) or set(known) != set(wanted):
            rule = f"the estimator must give probabilities of the classes {listing(self.classes)}"
            raise DataError(message(self.who, rule, listing(known)))
        if np.isnan(raw).any():
            rule = f"the probabilities of {type(estimator).__name__} must not be NaN"
            todo = "Look for missing values or overflow in its input"
            raise DataError(message(self.who, rule, f"{np.isnan(raw).sum():,} NaN", todo))
        if known == wanted:
            return raw
        return np.asarray(raw[:, [known.index(label) for label in wanted]])


@dataclass(frozen=True, slots=True)
class LabelProbabilities:
    """Probabilities of several labels a row, as a function of an estimator and rows."""

    n_labels: int

    def __call__(self, estimator: Any, X: Any) -> FloatArray:
        """Return the probabilities; shape (n_rows, n_labels)."""
        return label_probabilities(estimator.predict_proba(X), self.n_labels)


def response_names(response_method: str) -> tuple[str, ...]:
    """Return the methods that may give the scores, in order of preference."""
    if response_method == "auto":
        return "predict_proba", "decision_function"
    return (response_method,)


def positive_scores(
    estimator: Any, X: Any, response_method: str, pos_label: Any, who: str
) -> FloatArray:
    """Return the probability or decision value of the positive class.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier of two classes.
    X : array-like of shape (n_rows, n_features)
        Rows.
    response_method : {"auto", "predict_proba", "decision_function"}
        Where the scores come from.
    pos_label : object
        One of the estimator's classes.
    who : str
        The class that messages speak for.

    Returns
    -------
    ndarray of shape (n_rows,)
        Floats, float32 kept; larger means more likely positive.

    Raises
    ------
    DataError
        If a score is NaN.
    InvalidParameterError
        If the estimator has no such method.
    """
    names = response_names(response_method)
    name = next((name for name in names if hasattr(estimator, name)), None)
    if name is None:
        raise no_scores(estimator, names, who)
    raw = np.asarray(getattr(estimator, name)(X))
    position = next(i for i, label in enumerate(estimator.classes_) if label == pos_label)
    if raw.ndim == 2:
        scores = raw[:, position if raw.shape[1] > 1 else 0]
    else:
        scores = raw if position == 1 else -raw
    if scores.dtype.kind != "f" or scores.dtype.itemsize > 8:
        scores = scores.astype(float)
    if np.isnan(scores).any():
        rule = f"the scores of {type(estimator).__name__} must not be NaN"
        got = f"{np.isnan(scores).sum():,} NaN in {scores.size:,} values of {name}"
        todo = "Look for missing values or overflow in its input"
        raise DataError(message(who, rule, got, todo))
    return scores


def no_scores(estimator: object, names: Iterable[str], who: str) -> InvalidParameterError:
    """Return the error for an estimator that only predicts labels."""
    rule = f"the estimator must have the method {' or '.join(names)}"
    todo = "Wrap it in scikit-learn's CalibratedClassifierCV, or choose another learner"
    return InvalidParameterError(message(who, rule, estimator, todo))


def warn_if_constant(estimator: Any, folds: Sequence[FoldScores], who: str) -> None:
    """Warn if scores tell no rows apart.

    Fold by fold: what is constant on one training side is not quite that of another.
    """
    n_rows = sum(fold.rows.size for fold in folds)
    if n_rows == len(folds) > 1 or not all((f.scores == f.scores[0]).all() for f in folds):
        return
    rule = f"the scores of {type(estimator).__name__} should differ between rows"
    shown = ", ".join(f"{value:.6g}" for value in np.atleast_1d(folds[0].scores[0]))
    todo = "The threshold separates nothing: all rows are predicted alike"
    warn(message(who, rule, f"{shown} for all {n_rows:,} rows", todo), ThresholdWarning)
