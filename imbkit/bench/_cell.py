"""Fit and score one entry on one split: a pure function of the plan and its seeds."""

import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from imbkit._core.deploy import deploy
from imbkit._core.messages import message, shorten
from imbkit._core.rng import derive
from imbkit._core.types import FloatArray, IntArray
from imbkit.bench._folds import stratified_folds
from imbkit.bench._measures import Measure, decision_values, ranking_values
from imbkit.bench._rows import Row, cell_name
from imbkit.bench._warnings import WarningLog
from imbkit.exceptions import DataError
from imbkit.metrics import CountMetric
from imbkit.thresholds import BestMetric, ThresholdClassifierCV

__all__ = ["Cell", "CellData", "Split", "inner_splits", "run_cell", "seed_estimator"]


@dataclass(frozen=True, slots=True)
class CellData:
    """What all cells share; the arrays are memory-mapped into workers."""

    matrix: FloatArray
    codes: IntArray
    """Class of each row, from 0; 1 is the positive class of a two-class task."""
    groups: IntArray | None
    n_classes: int
    ranking: Measure
    decision: CountMetric
    inner_folds: int
    seed: int


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of one training and one test side."""

    repeat: int
    fold: int
    train: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry on one split."""

    strategy: str
    learner: str
    estimator: BaseEstimator
    split: Split

    @property
    def name(self) -> str:
        """Identifier of the cell."""
        return cell_name(self.strategy, self.learner, self.split.repeat, self.split.fold)


def run_cell(cell: Cell, data: CellData) -> Row:
    """Fit on the training side, score on the test side.

    A failure of the estimator is recorded in the row, not raised. Numerical libraries are
    held to one thread: sums over several threads are rounded in another order, and equal
    cells would differ in their last digits.
    """
    split = cell.split
    row = Row(
        cell=cell.name,
        strategy=cell.strategy,
        learner=cell.learner,
        repeat=split.repeat,
        fold=split.fold,
        status="done",
        n_train=split.train.size,
        n_test=split.test.size,
        scores={},
        policies={},
        recalls={},
        warnings={},
        error="",
        fit_seconds=0.0,
        predict_seconds=0.0,
        model_bytes=0,
    )
    with threadpool_limits(1), WarningLog() as log:
        try:
            _fill(row, cell, data)
        except Exception as error:
            row["status"] = "failed"
            row["error"] = f"{type(error).__name__}: {_first_line(error)}"
    row["warnings"] = dict(sorted(log.counts.items()))
    return row


def seed_estimator(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """Set every ``random_state`` inside an estimator that is still None; return it."""
    states = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if value is None and name.split("__")[-1] == "random_state"
    }
    return estimator.set_params(**states)


def inner_splits(split: Split, data: CellData) -> Sequence[tuple[IntArray, IntArray]]:
    """Return the folds of a training side, as positions in it, that thresholds are tuned on."""
    codes = data.codes[split.train]
    groups = None
    if data.groups is not None:
        groups = np.unique(data.groups[split.train], return_inverse=True)[1]
    rng = np.random.default_rng(derive(data.seed, "inner", split.repeat, split.fold))
    fold = stratified_folds(codes, groups, data.inner_folds, rng)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(data.inner_folds)]


def _fill(row: Row, cell: Cell, data: CellData) -> None:
    split = cell.split
    seed = derive(data.seed, "fit", split.repeat, split.fold)
    estimator = seed_estimator(clone(cell.estimator), seed)
    X, y = data.matrix[split.train], data.codes[split.train]
    start = time.perf_counter()
    if data.n_classes == 2:
        model = ThresholdClassifierCV(
            estimator, BestMetric(data.decision), cv=inner_splits(split, data), pos_label=1
        ).fit(X, y)
        fitted = model.estimator_
    else:
        model, fitted = None, estimator.fit(X, y)
    row["fit_seconds"] = time.perf_counter() - start
    row["model_bytes"] = _size(fitted)

    X, y = data.matrix[split.test], data.codes[split.test]
    start = time.perf_counter()
    scores, probabilities = _scores(fitted, X, data.n_classes)
    row["predict_seconds"] = time.perf_counter() - start
    row["scores"] = ranking_values(y, scores, data.ranking, probabilities=probabilities)
    if model is None:
        row["policies"]["argmax"], row["recalls"] = _decide(data, y, scores.argmax(axis=1))
        return
    for policy, cut in (
        ("default", 0.5 if probabilities else 0.0),
        ("tuned", float(model.threshold_)),
    ):
        values, row["recalls"] = _decide(data, y, (scores >= cut).astype(np.intp))
        row["policies"][policy] = {"threshold": cut if np.isfinite(cut) else None} | values


def _size(fitted: Any) -> int:
    """Bytes of the model as it ships; 0 if it cannot be pickled, which is no failure to learn."""
    try:
        return len(pickle.dumps(deploy(fitted)))
    except (pickle.PicklingError, AttributeError, TypeError):
        return 0


def _decide(
    data: CellData, codes: IntArray, predicted: IntArray
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Decision measures, and the recall of each class by its number."""
    totals = np.bincount(codes, minlength=data.n_classes)
    hits = np.bincount(codes[codes == predicted], minlength=data.n_classes)
    recalls = {
        str(k): float(hits[k] / totals[k]) if totals[k] else None for k in range(data.n_classes)
    }
    return decision_values(codes, predicted, data.decision, data.n_classes), recalls


def _scores(fitted: Any, X: FloatArray, n_classes: int) -> tuple[FloatArray, bool]:
    """Scores with one column a class, or of class 1 for two, and whether they are probabilities.

    Classes that a training side lacked get the score 0.
    """
    probabilities = hasattr(fitted, "predict_proba")
    if not probabilities and not hasattr(fitted, "decision_function"):
        rule = "must have predict_proba or decision_function"
        raise DataError(message(type(fitted).__name__, rule, todo="Use another learner"))
    scores = np.asarray(fitted.predict_proba(X) if probabilities else fitted.decision_function(X))
    if np.isnan(scores).any():
        got = f"{int(np.isnan(scores).sum()):,} NaN in {scores.size:,}"
        raise DataError(message(type(fitted).__name__, "scores must not be NaN", got))
    if n_classes == 2:
        return (scores[:, 1] if scores.ndim == 2 else scores), probabilities
    full = np.zeros((scores.shape[0], n_classes))
    full[:, np.asarray(fitted.classes_, dtype=np.intp)] = scores
    return full, probabilities


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return shorten(text, 300)[1:-1] if text else "no message"
