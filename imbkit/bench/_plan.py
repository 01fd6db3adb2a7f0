"""Everything about a comparison that is decided before the first fit."""

import hashlib
import inspect
import pickle
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from imbkit._core.columns import is_missing
from imbkit._core.messages import message
from imbkit._core.rng import derive, integer_seed
from imbkit._core.types import IntArray
from imbkit.bench._cell import Cell, CellData, Split, inner_splits
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

    @property
    def is_own(self) -> bool:
        """Whether it is the user's own in part, and so not known by its name."""
        known = STRATEGIES.get(self.strategy.name), LEARNERS.get(self.learner.name)
        return known != (self.strategy, self.learner)


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
    seed = _read_seed(random_state)
    ranking, decision = _choose_measures(metric, objective)
    target = read_target(y, positive, target_name)
    if target.kind != "binary" and not ranking.multiclass:
        rule = "this ranking measure is defined for two classes only"
        todo = "Name the positive class, or choose average_precision or roc_auc"
        raise InvalidParameterError(message("compare", rule, ranking.card["name"], todo))
    table = read_columns(X)
    if table.n_rows != target.codes.size:
        rule = "table and target must have the same number of rows"
        got = f"{table.n_rows:,} and {target.codes.size:,}"
        raise DataError(message("compare", rule, got))
    duplicates = duplicate_groups(table.matrix)
    given, cautions = _read_groups(groups, table.n_rows)
    together = _groups_to_keep(duplicates, given)
    splitter = cv if callable(getattr(cv, "split", None)) and not isinstance(cv, str) else None
    if splitter is None:
        splits, folds, repeats, more = _make_splits(target, together, cv, quick, seed)
    else:
        splits, more = _given_splits(X, target, together, given, splitter)
        folds, repeats = len(splits), 1
    cautions += more
    inner = _inner_folds(target, together, splits)
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
    task = _make_task(table, target, splits, data)
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
        fingerprint=_fingerprint(
            table, data, target, splits, own_splits=splitter is not None, built=built
        ),
        quick=quick,
        duplicates=duplicates,
    )


def _read_seed(random_state: Any) -> int:
    """Return the seed as an integer that scikit-learn takes, too."""
    seed = integer_seed(random_state)
    if not isinstance(random_state, (int, np.integer)):
        return seed % 2**32
    if seed >= 2**32:
        rule = "random_state must be less than 2**32"
        raise InvalidParameterError(message("compare", rule, random_state))
    return seed


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


def _read_groups(groups: ArrayLike | None, n_rows: int) -> tuple[IntArray | None, list[str]]:
    """Return the user's groups as numbers from 0, and what to say about them."""
    if groups is None:
        return None, []
    given = np.asarray(groups)
    if given.shape != (n_rows,):
        rule = f"groups must hold one value for each of the {n_rows:,} rows"
        raise DataError(message("compare", rule, f"shape {given.shape}"))
    cautions = []
    missing = is_missing(given)
    if missing.any():
        cautions.append(
            f"{int(missing.sum()):,} rows name no group; they were kept together as if they "
            "were one, because they may be."
        )
    codes = np.zeros(n_rows, dtype=np.intp)
    known = given[~missing]
    known = known.astype(str) if known.dtype == object else known
    codes[~missing] = 1 + np.unique(known, return_inverse=True)[1]
    return np.unique(codes, return_inverse=True)[1], cautions


def _groups_to_keep(duplicates: IntArray, given: IntArray | None) -> IntArray | None:
    """Rows that must not straddle a fold: equal rows, joined with the user's groups."""
    if given is not None:
        return merge_groups(duplicates, given)
    return duplicates if duplicates.max() + 1 < duplicates.size else None


def _make_splits(
    target: Target, groups: IntArray | None, cv: Any, quick: bool, seed: int
) -> tuple[tuple[Split, ...], int, int, list[str]]:
    """Return the splits, folds, repeats, and what to say about them."""
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
    X: Any, target: Target, groups: IntArray | None, given: IntArray | None, cv: Any
) -> tuple[tuple[Split, ...], list[str]]:
    """Splits of a splitter, less the training rows that also stand in the test fold."""
    splits, removed = [], 0
    apart = np.arange(target.codes.size) if groups is None else groups
    for fold, (train, test) in enumerate(_ask_splitter(cv, X, target.codes, given)):
        train, test = np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)
        kept = ~np.isin(apart[train], apart[test])
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
    return tuple(splits), cautions


def _ask_splitter(
    cv: Any, X: Any, codes: IntArray, given: IntArray | None
) -> list[tuple[ArrayLike, ArrayLike]]:
    """Let a splitter split; it learns the user's groups if it can take them."""
    if given is None or "groups" not in inspect.signature(cv.split).parameters:
        return list(cv.split(X, codes))
    with warnings.catch_warnings():
        # They are kept together afterwards, whether the splitter heeds them or not.
        warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
        return list(cv.split(X, codes, given))


def _inner_folds(target: Target, groups: IntArray | None, splits: Iterable[Split]) -> int:
    """Return the number of folds that thresholds are tuned on; 0 for many classes."""
    if target.kind != "binary":
        return 0
    folds = INNER_FOLDS
    for split in splits:
        among = None if groups is None else groups[split.train]
        distinct = fewest_groups_of_a_class(target.codes[split.train], among)
        rarest = int(distinct.argmin())
        if distinct.size < 2 or distinct[rarest] < 2:
            rule = "every training side needs 2 distinct rows (or groups) of each class"
            got = f"{distinct[rarest]} of {target.labels[rarest]!r} in split {split.fold}"
            if distinct.size < 2:
                got = f"none of {target.labels[1]!r} in split {split.fold}"
            todo = "Hold out fewer rows at a time, for example by more folds or smaller groups"
            raise DataError(message("compare", rule, got, todo))
        folds = min(folds, int(distinct[rarest]))
    return folds


def _make_task(table: Table, target: Target, splits: tuple[Split, ...], data: CellData) -> Task:
    """Return what strategies may know of the table."""
    n_classes = len(target.labels)
    fewest = table.n_rows
    for split in splits:
        codes = target.codes[split.train]
        sides = inner_splits(split, data) if target.kind == "binary" else ((slice(None), None),)
        for train, _ in sides:
            fewest = min(fewest, int(np.bincount(codes[train], minlength=n_classes).min()))
    return Task(
        kind=target.kind,
        numbers=tuple(i for i, c in enumerate(table.columns) if c.kind != "category"),
        categories=tuple(i for i, c in enumerate(table.columns) if c.kind == "category"),
        missing=any(c.missing and c.kind != "category" for c in table.columns),
        n_train=max(split.train.size for split in splits),
        fewest=fewest,
    )


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


def _fingerprint(
    table: Table,
    data: CellData,
    target: Target,
    splits: tuple[Split, ...],
    *,
    own_splits: bool,
    built: Iterable[tuple[Entry, BaseEstimator]],
) -> str:
    """Hash everything that a cell's scores depend on, except the cell's own name.

    The name stands for an entry of the panel. It tells nothing of the parameters of the
    user's own estimators, so these are hashed.
    """
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
    own = [(entry.name, _estimator_hash(estimator)) for entry, estimator in built if entry.is_own]
    if own:
        parts.append(own)
    if own_splits:
        # Test folds alone tell neither where one ends nor what was trained on.
        parts.append([joblib.hash((split.train, split.test)) for split in splits])
    digest.update(repr(parts).encode())
    arrays = [table.matrix, target.codes, *(split.test for split in splits)]
    arrays += [split.train for split in splits] if data.groups is None else [data.groups]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()


def _estimator_hash(estimator: BaseEstimator) -> str:
    """Hash the class and parameters of an estimator; lambdas differ from run to run."""
    try:
        return str(joblib.hash(estimator))
    except (pickle.PicklingError, AttributeError, TypeError):
        return repr(estimator.get_params())
