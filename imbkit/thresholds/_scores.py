"""Scores of the positive class, from one estimator or from each fold's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from imbkit._core.containers import take
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["FoldScores", "no_scores", "out_of_fold", "positive_scores", "response_names"]


@dataclass(frozen=True, slots=True)
class FoldScores:
    """Scores of rows that their estimator has not seen.

    Parameters
    ----------
    rows : ndarray of shape (n_test,)
        Positions of the rows.
    scores : ndarray of shape (n_test,)
        Their scores.
    estimator : estimator
        The fitted estimator, if it was asked for, else None.
    """

    rows: IntArray
    scores: FloatArray
    estimator: Any = None


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


def out_of_fold(
    estimator: Any,
    X: Any,
    y: AnyArray,
    splits: list[tuple[IntArray, IntArray]],
    *,
    fit_params: Mapping[str, Any],
    response_method: str,
    pos_label: Any,
    n_jobs: int | None,
    keep: bool,
    who: str,
) -> list[FoldScores]:
    """Fit a clone on each training fold and score its test fold; keep the clones if asked."""
    parallel = Parallel(n_jobs=n_jobs)
    task = delayed(_fit_and_score)
    folds: list[FoldScores] = parallel(
        task(
            clone(estimator), X, y, train, test, dict(fit_params), response_method, pos_label,
            keep, who,
        )
        for train, test in splits
    )  # fmt: skip
    return folds


def rows_of(params: Mapping[str, Any], indices: IntArray, n_rows: int) -> dict[str, Any]:
    """Cut the parameters that have one entry a row; hand the others on as they are."""
    return {
        name: take(value, indices) if _n_entries(value) == n_rows else value
        for name, value in params.items()
    }


def _fit_and_score(
    estimator: Any,
    X: Any,
    y: AnyArray,
    train: IntArray,
    test: IntArray,
    fit_params: dict[str, Any],
    response_method: str,
    pos_label: Any,
    keep: bool,
    who: str,
) -> FoldScores:
    estimator.fit(take(X, train), y[train], **rows_of(fit_params, train, y.size))
    scores = positive_scores(estimator, take(X, test), response_method, pos_label, who)
    return FoldScores(test, scores, estimator if keep else None)


def _n_entries(value: Any) -> int | None:
    shape = getattr(value, "shape", None)
    if shape:
        return int(shape[0])
    return len(value) if isinstance(value, list | tuple) else None
