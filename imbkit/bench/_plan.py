"""Everything about a comparison that is decided before the first fit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from imbkit._core.messages import message
from imbkit._core.rng import derive, integer_seed
from imbkit._core.types import IntArray
from imbkit.bench._cell import Cell, CellData, Split
from imbkit.bench._columns import Table, duplicate_groups, read_columns
from imbkit.bench._folds import fewest_groups_of_a_class, merge_groups, stratified_folds
from imbkit.bench._measures import RANKINGS, Measure, find_measure
from imbkit.bench._panel import (
    LEARNERS,
    QUICK_STRATEGIES,
    STRATEGIES,
    CannotBuildError,
    Learner,
    Strategy,
    Task,
    outside_limits,
    resolve_learner,
    resolve_strategy,
)
from imbkit.bench._rows import ROWS_VERSION
from imbkit.bench._schema import Problem
from imbkit.bench._target import Target, read_target
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import CountMetric, get_metric

__all__ = ["VERSIONED", "Entry", "Plan", "make_plan"]

FEWEST_ROWS = 3
"""Distinct rows that every class must have: to learn from, to tune on, and to test on."""
INNER_FOLDS = 3
VERSIONED = ("imbkit", "scikit-learn", "imbalanced-learn", "numpy", "scipy")
"""Packages whose versions the scores depend on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A strategy with a learner."""

    strategy: Strategy
    learner: Learner

    @property
    def name(self) -> str:
        """Identifier."""
        return f"{self.strategy.name}/{self.learner.name}"

    @property
    def title(self) -> str:
        """The entry in words."""
        return f"{self.strategy.title or self.strategy.name} + {self.learner.title}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A comparison, checked and ready to run."""

    table: Table
    target: Target
    data: CellData
    splits: tuple[Split, ...]
    folds: int
    repeats: int
    entries: tuple[Entry, ...]
    """The baseline first."""
    cells: tuple[Cell, ...]
    """Split by split, so that a run that stops early has compared all entries on some."""
    task: Task
    problems: tuple[Problem, ...]
    cautions: tuple[str, ...]
    fingerprint: str
    quick: bool
    duplicates: IntArray
    """Group of equal feature rows of each row."""


def make_plan(
    X: Any,
    y: ArrayLike,
    *,
    strategies: Sequence[object] | None,
    learners: Sequence[object] | None,
    metric: str | None,
    objective: str | None,
    cv: Any,
    groups: ArrayLike | None,
    positive: Sequence[object] | None,
    random_state: int,
    quick: bool,
    target_name: str,
) -> Plan:
    """Check the input and decide splits, entries, seeds and cells."""
    seed = integer_seed(random_state)
    if seed >= 2**32:
        rule = "random_state must be less than 2**32"
        raise InvalidParameterError(message("compare", rule, random_state))
    ranking, decision = _choose_measures(metric, objective)
    target = read_target(y, positive, target_name)
    table = read_columns(X)
    if table.n_rows != target.codes.size:
        rule = "table and target must have the same number of rows"
        got = f"{table.n_rows:,} and {target.codes.size:,}"
        raise DataError(message("compare", rule, got))
    duplicates = duplicate_groups(table.matrix)
    together = _groups_to_keep(duplicates, groups)
    splits, folds, repeats, cautions = _make_splits(target, together, cv, quick, seed)
    task, inner = _make_task(table, target, splits)
    data = CellData(
        matrix=table.matrix,
        codes=target.codes,
        groups=together,
        n_classes=len(target.labels),
        ranking=ranking,
        decision=decision,
        inner_folds=inner,
        seed=seed,
    )
    built, problems = _choose_entries(strategies, learners, task, quick)
    cells = tuple(
        Cell(entry.strategy.name, entry.learner.name, estimator, split)
        for split in splits
        for entry, estimator in built
    )
    return Plan(
        table=table,
        target=target,
        data=data,
        splits=splits,
        folds=folds,
        repeats=repeats,
        entries=tuple(entry for entry, _ in built),
        cells=cells,
        task=task,
        problems=tuple(problems),
        cautions=tuple(cautions),
        fingerprint=_fingerprint(table, data, target, splits),
        quick=quick,
        duplicates=duplicates,
    )


def _choose_measures(metric: str | None, objective: str | None) -> tuple[Measure, CountMetric]:
    """Resolve the two measures; a count metric given as `metric` is the objective."""
    ranking = find_measure(metric or "average_precision")
    if isinstance(ranking, Measure):
        return ranking, get_metric(objective or "mcc")
    if objective is not None and get_metric(objective) is not ranking:
        rule = "metric must be a ranking measure if objective is given"
        todo = "average_precision and roc_auc are ranking measures"
        raise InvalidParameterError(message("compare", rule, ranking.name, todo))
    return RANKINGS["average_precision"], ranking


def _groups_to_keep(duplicates: IntArray, groups: ArrayLike | None) -> IntArray | None:
    """Rows that must not straddle a fold: equal rows, joined with the user's groups."""
    if groups is None:
        return duplicates if duplicates.max() + 1 < duplicates.size else None
    given = np.asarray(groups)
    if given.shape != duplicates.shape:
        rule = f"groups must hold one value for each of the {duplicates.size:,} rows"
        raise DataError(message("compare", rule, f"shape {given.shape}"))
    codes = np.unique(given.astype(str) if given.dtype == object else given, return_inverse=True)[1]
    return merge_groups(duplicates, codes)


def _make_splits(
    target: Target, groups: IntArray | None, cv: Any, quick: bool, seed: int
) -> tuple[tuple[Split, ...], int, int, list[str]]:
    """Return the splits, folds, repeats, and what to say about them."""
    if callable(getattr(cv, "split", None)) and not isinstance(cv, str):
        return _given_splits(target, groups, cv)
    folds, repeats = _read_cv(cv, quick)
    fewest = fewest_groups_of_a_class(target.codes, groups)
    rarest = int(fewest.argmin())
    if fewest[rarest] < FEWEST_ROWS:
        rule = f"every class needs at least {FEWEST_ROWS} distinct rows (or groups)"
        got = f"{fewest[rarest]} for {target.labels[rarest]!r}"
        todo = "Merge it with another class, drop its rows, or name the positive class"
        raise DataError(message("compare", rule, got, todo))
    cautions = []
    if fewest[rarest] < folds:
        cautions.append(
            f"Class {target.labels[rarest]!r} has only {fewest[rarest]} distinct rows, so "
            f"{fewest[rarest]} folds were used instead of {folds}."
        )
        folds = int(fewest[rarest])
    splits = []
    for repeat in range(repeats):
        rng = np.random.default_rng(derive(seed, "folds", repeat))
        fold = stratified_folds(target.codes, groups, folds, rng)
        splits += [
            Split(repeat, k, np.flatnonzero(fold != k), np.flatnonzero(fold == k))
            for k in range(folds)
        ]
    return tuple(splits), folds, repeats, cautions


def _read_cv(cv: Any, quick: bool) -> tuple[int, int]:
    """Return folds and repeats from None, a number of folds, or both."""
    default = (3, 1) if quick else (5, 2)
    given = (cv, None) if cv is None or isinstance(cv, int) else cv
    if (
        isinstance(given, tuple | list)
        and len(given) == 2
        and all(value is None or isinstance(value, int) for value in given)
    ):
        folds, repeats = (
            usual if value is None else value for value, usual in zip(given, default, strict=True)
        )
        if folds >= 2 and repeats >= 1:
            return folds, repeats
    rule = "cv must be at least 2 folds, at least 1 repeat, or a splitter with split(X, y)"
    raise InvalidParameterError(message("compare", rule, cv))


def _given_splits(
    target: Target, groups: IntArray | None, cv: Any
) -> tuple[tuple[Split, ...], int, int, list[str]]:
    """Splits of a splitter, less the training rows that also stand in the test fold."""
    splits, removed = [], 0
    for fold, (train, test) in enumerate(cv.split(np.zeros((target.codes.size, 1)), target.codes)):
        train, test = np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)
        if groups is not None:
            kept = ~np.isin(groups[train], groups[test])
            removed += int(train.size - kept.sum())
            train = train[kept]
        n_classes = len(target.labels)
        if min(np.bincount(target.codes[train], minlength=n_classes)) < 2 or not test.size:
            rule = "each training side of cv must have at least 2 rows of every class"
            raise DataError(message("compare", rule, f"fewer in split {fold}", "Use fewer splits"))
        splits.append(Split(0, fold, train, test))
    if not splits:
        raise DataError(message("compare", "cv must give at least one split", cv))
    cautions = []
    if removed:
        cautions.append(
            f"{removed:,} training rows were left out because an equal row (or one of the same "
            "group) stood in the test fold."
        )
    return tuple(splits), len(splits), 1, cautions


def _make_task(table: Table, target: Target, splits: tuple[Split, ...]) -> tuple[Task, int]:
    """Return what strategies may know of the table, and the number of inner folds."""
    n_classes = len(target.labels)
    fewest = min(
        int(np.bincount(target.codes[split.train], minlength=n_classes).min()) for split in splits
    )
    inner = 0
    if target.kind == "binary":
        inner = min(INNER_FOLDS, fewest)
        fewest -= -(-fewest // inner)
    task = Task(
        kind=target.kind,
        numbers=tuple(i for i, c in enumerate(table.columns) if c.kind != "category"),
        categories=tuple(i for i, c in enumerate(table.columns) if c.kind == "category"),
        missing=any(c.missing and c.kind != "category" for c in table.columns),
        n_train=max(split.train.size for split in splits),
        fewest=fewest,
    )
    return task, inner


def _choose_entries(
    strategies: Sequence[object] | None, learners: Sequence[object] | None, task: Task, quick: bool
) -> tuple[list[tuple[Entry, BaseEstimator]], list[Problem]]:
    """Return the baseline and the panel with their estimators, and what was left out."""
    names = QUICK_STRATEGIES if quick else tuple(STRATEGIES)
    chosen = [resolve_strategy(s) for s in (names if strategies is None else strategies)]
    models = [resolve_learner(m) for m in (LEARNERS if learners is None else learners)]
    baseline = Entry(next(iter(STRATEGIES.values())), next(iter(LEARNERS.values())))
    panel: dict[str, tuple[Entry, BaseEstimator]] = {}
    problems = []
    for entry in [baseline, *(Entry(s, m) for m in models for s in chosen)]:
        if entry.name in panel:
            if entry == panel[entry.name][0]:
                continue
            rule = "strategies and learners must have different names"
            raise InvalidParameterError(message("compare", rule, entry.name))
        try:
            if strategies is None and (reason := outside_limits(entry.strategy, task)):
                raise CannotBuildError(reason)
            panel[entry.name] = entry, entry.strategy.build(entry.learner, task)
        except CannotBuildError as error:
            problem = Problem(kind="left out", where=entry.name, text=str(error), count=1)
            problems.append(problem)
    return list(panel.values()), problems


def _fingerprint(table: Table, data: CellData, target: Target, splits: tuple[Split, ...]) -> str:
    """Hash everything that a cell's scores depend on, except the cell's own name."""
    digest = hashlib.sha256()
    parts = [
        ROWS_VERSION,
        [version(package) for package in VERSIONED],
        [(column.name, column.kind) for column in table.columns],
        target.labels,
        data.ranking.card["name"],
        data.decision.name,
        data.inner_folds,
        data.seed,
    ]
    digest.update(repr(parts).encode())
    arrays = [table.matrix, target.codes, *(split.test for split in splits)]
    arrays += [split.train for split in splits] if data.groups is None else [data.groups]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()
