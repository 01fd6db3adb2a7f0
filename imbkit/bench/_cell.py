"""Fit and score one entry on one split: a pure function of the plan and its seeds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from imbkit._core.rng import derive
from imbkit._core.threads import one_thread
from imbkit._core.types import FloatArray, IntArray
from imbkit.bench._folds import stratified_folds
from imbkit.bench._judge_fold import judge_fold
from imbkit.bench._measures import Measure
from imbkit.bench._money import Budget, Costs
from imbkit.bench._ordered import CONSTANT, LastStage
from imbkit.bench._rows import Row, cell_name, new_row
from imbkit.bench._scores import first_line, model_size, scores_of
from imbkit.bench._splits import Split, forward_pairs
from imbkit.bench._warnings import WarningLog
from imbkit.exceptions import DataError
from imbkit.metrics import CountMetric, sweep
from imbkit.thresholds import (
    AlertBudget,
    BestMetric,
    Constraint,
    LowestCost,
    ThresholdClassifierCV,
)

__all__ = [
    "Cell",
    "CellData",
    "InnerFolds",
    "inner_forward",
    "inner_splits",
    "run_cell",
    "seed_estimator",
    "weight_of_model",
]

N_STARTS = 2
"""Starting points of the search for the weights of many classes: equal ones and the inverse of
the classes' shares. More cost more than they find."""

InnerFolds: TypeAlias = Sequence[tuple[IntArray, IntArray]]
"""Training and test rows of each inner fold, as positions in a training side."""


@dataclass(frozen=True, slots=True)
class CellData:
    """What all cells share; the arrays are memory-mapped into workers."""

    matrix: FloatArray
    codes: IntArray
    """Class of each row, from 0; 1 is the positive class of a two-class task."""
    groups: IntArray | None
    """Rows that stay together: equal rows, joined with the user's groups."""
    n_classes: int
    ranking: Measure
    decision: CountMetric
    inner_folds: int
    seed: int
    times: FloatArray | None = None
    weight: FloatArray | None = None
    costs: Costs | None = None
    by_cost: bool = False
    """Whether thresholds are tuned for the least cost instead of `decision`."""
    promise: Constraint | AlertBudget | None = None
    """What thresholds are tuned for instead, if a rate must keep a limit."""
    budget: Budget | None = None
    resampled_groups: IntArray | None = None
    """The user's groups, which bootstrap intervals draw as wholes."""
    stages: IntArray | None = None
    """Stage of each row, from 0; the last one is the positive class."""
    repairs: bool = True
    """Whether probabilities are repaired, those of all entries in one way."""

    @property
    def strata(self) -> IntArray:
        """What every fold holds in equal shares: stages if there are any, else classes."""
        return self.codes if self.stages is None else self.stages


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
        split = self.split
        return cell_name(self.strategy, self.learner, split.repeat, split.fold, split.part)


def run_cell(cell: Cell, data: CellData) -> Row:
    """Fit on the training side, score on the test side.

    A failure of the estimator is recorded in the row, not raised. Numerical libraries are
    held to one thread: sums over several threads are rounded in another order, and equal
    cells would differ in their last digits.
    """
    row = new_row(cell.strategy, cell.learner, cell.split)
    with one_thread(), WarningLog() as log:
        try:
            _fill(row, cell, data)
        except Exception as error:
            row["status"] = "failed"
            row["error"] = f"{type(error).__name__}: {first_line(error)}"
    # What a promise complains of is counted in a word of its own, not fold by fold; that a
    # constant separates nothing is no news.
    told = [f"ThresholdWarning: {type(data.promise).__name__}:"]
    if _is_constant(cell, data):
        told.append("ThresholdWarning: ThresholdClassifierCV: the scores of")
    counts = {text: n for text, n in log.counts.items() if not text.startswith(tuple(told))}
    row["warnings"] = dict(sorted(counts.items()))
    return row


def seed_estimator(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """Set every ``random_state`` inside an estimator that is still None; return it."""
    states = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if value is None and name.split("__")[-1] == "random_state"
    }
    return estimator.set_params(**states)


def inner_splits(split: Split, data: CellData) -> InnerFolds:
    """Return the folds of a training side, as positions in it, that thresholds are tuned on.

    They go forward in time where the splits do and the training side is long enough; all its
    labels are known, so there is no delay.
    """
    forward = inner_forward(split, data)
    if forward is not None:
        return forward
    codes, groups = data.strata[split.train], _renumbered(split, data)
    rng = np.random.default_rng(derive(data.seed, "inner", split.repeat, split.fold))
    fold = stratified_folds(codes, groups, data.inner_folds, rng)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(data.inner_folds)]


def inner_forward(split: Split, data: CellData) -> InnerFolds | None:
    """Return the inner folds that go forward in time; None if there are none."""
    if data.times is None or split.part != "main":
        return None
    codes, times = data.strata[split.train], data.times[split.train]
    try:
        return forward_pairs(codes, times, _renumbered(split, data), data.inner_folds)
    except DataError:
        return None


def _renumbered(split: Split, data: CellData) -> IntArray | None:
    """Return the groups of a training side, numbered without gaps."""
    if data.groups is None:
        return None
    return np.unique(data.groups[split.train], return_inverse=True)[1]


def weight_of_model(estimator: BaseEstimator, weight: FloatArray | None) -> dict[str, FloatArray]:
    """Return the argument of ``fit`` that hands training weights to a pipeline's model."""
    if weight is None:
        return {}
    if isinstance(estimator, LastStage):
        estimator = estimator.estimator
    if isinstance(estimator, Pipeline):
        return {f"{estimator.steps[-1][0]}__sample_weight": weight}
    return {"sample_weight": weight}


def _fill(row: Row, cell: Cell, data: CellData) -> None:
    split = cell.split
    seed = derive(data.seed, "fit", split.repeat, split.fold)
    estimator = seed_estimator(clone(cell.estimator), seed)
    X, y = data.matrix[split.train], data.codes[split.train]
    weight = None if data.weight is None else data.weight[split.train]
    if _is_constant(cell, data):
        # Test rows count once each, and the best constant for them is the plain share.
        weight = None
    arguments: dict[str, Any] = dict(weight_of_model(estimator, weight))
    if isinstance(estimator, LastStage) and data.stages is not None:
        arguments["stages"] = data.stages[split.train]
    start = time.perf_counter()
    if data.n_classes == 2:
        rule = data.promise or BestMetric(data.decision)
        if data.by_cost and data.costs is not None:
            rule = LowestCost("fp_cost", "fn_cost", tp="tp_cost")
            arguments |= data.costs.take(split.train).row_values()
        inner = inner_splits(split, data)
        model = ThresholdClassifierCV(
            estimator, rule, cv=inner, pos_label=1, store_cv_results=True
        ).fit(X, y, **arguments)
        fitted = model.estimator_
    elif data.inner_folds and hasattr(estimator, "predict_proba"):
        inner = inner_splits(split, data)
        model = ThresholdClassifierCV(
            estimator, BestMetric(data.decision), cv=inner, n_restarts=N_STARTS
        ).fit(X, y, **arguments)
        fitted = model.estimator_
    else:
        model, fitted = None, estimator.fit(X, y, **arguments)
    row["fit_seconds"] = time.perf_counter() - start
    row["model_bytes"] = model_size(fitted)

    start = time.perf_counter()
    scores, probabilities = scores_of(fitted, data.matrix[split.test], data.n_classes)
    row["predict_seconds"] = time.perf_counter() - start
    judge_fold(row, split, data, model, scores, probabilities=probabilities)
    if data.promise is not None and model is not None:
        row["policies"]["tuned"]["infeasible"] = float(_infeasible(data.promise, model))


def _is_constant(cell: Cell, data: CellData) -> bool:
    return data.stages is not None and cell.learner == CONSTANT


def _infeasible(promise: Constraint | AlertBudget, model: ThresholdClassifierCV) -> bool:
    """Whether no threshold kept the promise on the rows that it was tuned on."""
    truth, scores = model.cv_results_["y_true"], model.cv_results_["y_score"]
    if isinstance(promise, AlertBudget):
        promise = promise.prepared(truth)
    counts = sweep(truth, scores)[1]
    # Alerting no row keeps a budget, and is what is left where the first scores are tied.
    kept = promise.objective(counts)[counts.alerts > 0]
    return not bool((kept > -np.inf).any())
