"""Everything about a comparison that is decided before the first fit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from imbkit._core.messages import message
from imbkit._core.row_hash import row_hashes
from imbkit._core.types import IntArray
from imbkit.bench._aims import choose_aims
from imbkit.bench._cell import Cell, CellData, InnerFolds, inner_splits
from imbkit.bench._columns import Table, duplicate_groups, read_columns
from imbkit.bench._entries import Entry, choose_entries, fingerprint, for_codes
from imbkit.bench._folds import fewest_groups_of_a_class, merge_groups
from imbkit.bench._leaks import find_leaks, near_duplicate_groups
from imbkit.bench._money import read_budget
from imbkit.bench._options import Options
from imbkit.bench._ordered import CONSTANT
from imbkit.bench._panel import Task
from imbkit.bench._promise import Promise
from imbkit.bench._roles import Roles, read_roles
from imbkit.bench._schema import LeakCard, Policy, Problem
from imbkit.bench._splits import (
    FEWEST_ROWS,
    Design,
    Split,
    given_design,
    random_design,
    read_cv,
    time_design,
)
from imbkit.bench._stages import read_stages
from imbkit.bench._target import Target, read_target
from imbkit.exceptions import DataError
from imbkit.splits._times import Times

__all__ = ["Plan", "make_plan"]

INNER_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """A comparison, checked and ready to run."""

    X: Any
    """The features of the user's table, without the columns that have another role."""
    table: Table
    target: Target
    data: CellData
    splits: tuple[Split, ...]
    """Those that the entries are compared on."""
    beside: tuple[Split, ...]
    """Random splits of the baseline alone, where the others go forward in time."""
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
    near_duplicates: IntArray | None
    """The same without columns like identifiers and times; None if there are none."""
    leaks: tuple[LeakCard, ...]
    decision_metric: str
    """Name of the measure that decisions are judged by."""
    decision_policy: Policy
    promise: Promise | None
    prevalence: float | None
    times: Times | None
    time_name: str
    given_groups: IntArray | None
    group_name: str
    weight_name: str
    label_delay: str
    """As it was given; empty if there is none."""
    taken: tuple[str, ...]
    """Columns that have a role of their own."""

    @property
    def constant(self) -> str:
        """Entry that gives every row the share of the last stage; empty without stages."""
        if self.target.stages is None:
            return ""
        return next(entry.name for entry in self.entries if entry.learner.name == CONSTANT)


def make_plan(X: Any, y: ArrayLike, options: Options, target_name: str) -> Plan:
    """Check the input and decide splits, entries, seeds and cells."""
    seed = options.seed
    if options.has_stages:
        target = read_stages(y, options.ordered, target_name)
    else:
        target = read_target(y, options.positive, target_name)
    aims = choose_aims(options, target.kind)
    roles = read_roles(X, target.codes.size, options)
    promise = None if aims.promise is None else aims.promise.of_rows(target.codes.size)
    table = read_columns(roles.X)
    if table.n_rows != target.codes.size:
        rule = "table and target must have the same number of rows"
        got = f"{table.n_rows:,} and {target.codes.size:,}"
        raise DataError(message("compare", rule, got))
    duplicates = duplicate_groups(table.matrix)
    leaks = find_leaks(
        table,
        target.codes,
        target.labels,
        positive=1 if target.kind == "binary" else None,
        order_matters=roles.times is None,
    )
    near = near_duplicate_groups(table, leaks, duplicates)
    together = _groups_to_keep(duplicates if near is None else near, roles.groups, target)
    design, beside = _make_designs(X, target, roles, together, options, seed)
    data = CellData(
        matrix=table.matrix,
        codes=target.codes,
        groups=together,
        n_classes=len(target.labels),
        ranking=aims.ranking,
        decision=aims.tuned_for,
        inner_folds=_inner_folds(target, together, design.splits),
        seed=seed,
        times=None if roles.times is None else roles.times.values,
        weight=roles.weight,
        costs=roles.costs,
        by_cost=aims.by_cost,
        promise=None if promise is None else promise.rule,
        budget=_read_budget(options, table, target, roles),
        resampled_groups=roles.groups,
        stages=None if target.stages is None else target.stages.codes,
    )
    inner = [inner_splits(split, data) for split in design.splits if data.inner_folds]
    untuned = () if data.inner_folds else (_untuned(target),)
    task = _make_task(table, target, design.splits, inner)
    built, problems = choose_entries(
        options.strategies,
        options.learners,
        task,
        quick=options.quick,
        weighted=roles.weight is not None,
    )
    built = [(entry, for_codes(entry, estimator, target)) for entry, estimator in built]
    if target.stages is not None:
        # Where no entry changed the classes' shares there is nothing to undo.
        data = replace(data, repairs=any(entry.changes_prior for entry, _ in built))
    stratified = () if roles.times is None or not inner else _not_forward(inner, design.splits)
    return Plan(
        X=roles.X,
        table=table,
        target=target,
        data=data,
        splits=design.splits,
        beside=beside.splits,
        folds=design.folds,
        repeats=design.repeats,
        entries=tuple(entry for entry, _ in built),
        cells=_make_cells(design, beside, built),
        task=task,
        problems=tuple(problems),
        cautions=(
            *roles.cautions,
            *_order_doubted(target),
            *design.cautions,
            *stratified,
            *untuned,
        ),
        fingerprint=_fingerprint(table, data, target, design, options, built),
        quick=options.quick,
        duplicates=duplicates,
        near_duplicates=near,
        leaks=tuple(leaks),
        decision_metric=aims.decision_metric,
        decision_policy=aims.policy if data.inner_folds else "argmax",
        promise=promise,
        prevalence=options.prevalence,
        times=roles.times,
        time_name=roles.names["time"],
        given_groups=roles.groups,
        group_name=roles.names["group"],
        weight_name=roles.names["weight"],
        label_delay="" if options.label_delay is None else str(options.label_delay),
        taken=roles.taken,
    )


def _groups_to_keep(
    duplicates: IntArray, given: IntArray | None, target: Target
) -> IntArray | None:
    """Rows that must not straddle a fold: equal rows, joined with the user's groups."""
    if given is not None:
        joined = merge_groups(duplicates, given)
        left, before = (
            int(fewest_groups_of_a_class(target.strata, each).min()) for each in (joined, given)
        )
        if left < FEWEST_ROWS <= before:
            rule = f"at least {FEWEST_ROWS} sets of groups of each class must share no equal row"
            got = f"{left} sets, into which equal rows tie the {int(given.max()) + 1:,} groups"
            todo = "Add features that tell such rows apart, or leave the groups out"
            raise DataError(message("compare", rule, got, todo))
        return joined
    return duplicates if duplicates.max() + 1 < duplicates.size else None


def _make_designs(
    X: Any,
    target: Target,
    roles: Roles,
    together: IntArray | None,
    options: Options,
    seed: int,
) -> tuple[Design, Design]:
    """Return the splits of the comparison, and those beside them."""
    cv = options.cv
    if callable(getattr(cv, "split", None)) and not isinstance(cv, str):
        return given_design(X, target, together, roles.groups, cv), Design((), 0, 0)
    folds, repeats = read_cv(cv, options.quick)
    if roles.times is None:
        return random_design(target, together, folds, repeats, seed), Design((), 0, 0)
    forward = time_design(target, roles.times, together, folds, roles.delay)
    return forward, random_design(target, together, folds, 1, seed, "random")


def _inner_folds(target: Target, groups: IntArray | None, splits: Iterable[Split]) -> int:
    """Return the number of folds that thresholds are tuned on; 0 where there can be none."""
    folds = INNER_FOLDS
    for split in splits:
        among = None if groups is None else groups[split.train]
        distinct = fewest_groups_of_a_class(target.strata[split.train], among)
        rarest, labels = int(distinct.argmin()), target.strata_labels
        if target.kind != "binary":
            # Fewer would take away rows that a strategy needs of the class: its most probable
            # class can be predicted all the same.
            if distinct.size < len(target.labels) or distinct[rarest] < INNER_FOLDS:
                return 0
            continue
        if distinct.size < len(labels) or distinct[rarest] < 2:
            rule = "every training side needs 2 distinct rows (or groups) of each class"
            got = f"{distinct[rarest]} of {labels[rarest]!r} in split {split.fold}"
            if distinct.size < len(labels):
                got = f"none of {labels[-1]!r} in split {split.fold}"
            todo = "Hold out fewer rows at a time, for example by more folds or smaller groups"
            raise DataError(message("compare", rule, got, todo))
        folds = min(folds, int(distinct[rarest]))
    return folds


def _order_doubted(target: Target) -> tuple[str, ...]:
    """Say that the order of the stages may be the wrong way round."""
    if target.stages is None:
        return ()
    counts = np.bincount(target.stages.codes)
    if counts.argmax() < counts.size - 1:
        return ()
    return (
        f"The last stage, {target.positive!r}, is the commonest one: is the order the wrong way "
        "round? Models of stages are made for a rare last one.",
    )


def _untuned(target: Target) -> str:
    """Say why the decision between many classes is not tuned."""
    rarest = target.labels[int(np.bincount(target.codes).argmin())]
    return (
        f"The weights of the classes were not tuned, because a training side has fewer than "
        f"{INNER_FOLDS} distinct rows (or groups) of a class, such as {rarest!r}: every row is "
        "given its most probable class."
    )


def _read_budget(options: Options, table: Table, target: Target, roles: Roles) -> Any:
    """Return the alert budget; None if none was given."""
    per_day = options.alerts_per_day is not None
    alerts = options.alerts_per_day if per_day else options.alerts
    if alerts is None:
        return None
    return read_budget(
        alerts,
        per_day,
        n_rows=target.codes.size,
        order=row_hashes(table.matrix),
        day=roles.times.days() if per_day and roles.times is not None else None,
        entity=roles.groups,
    )


def _not_forward(inner: Sequence[InnerFolds], splits: tuple[Split, ...]) -> tuple[str, ...]:
    """Say in how many splits that go forward in time the thresholds cannot be tuned so."""
    # Forward in time, the first stretch is never tested; stratified folds test every row.
    short = sum(
        sum(test.size for _, test in folds) == split.train.size
        for folds, split in zip(inner, splits, strict=True)
    )
    if not short:
        return ()
    return (
        f"In {short} of {len(splits)} splits the training side was too short, or had too few rows "
        "of a class, to tune the threshold forward in time; it was tuned on stratified folds of "
        "that side.",
    )


def _make_task(
    table: Table, target: Target, splits: tuple[Split, ...], inner: Sequence[InnerFolds]
) -> Task:
    """Return what strategies may know of the table."""
    n_classes = len(target.strata_labels)
    fewest = table.n_rows
    for split, folds in zip(splits, inner or [()] * len(splits), strict=True):
        codes = target.strata[split.train]
        sides = [train for train, _ in folds] or [np.arange(codes.size)]
        for train in sides:
            fewest = min(fewest, int(np.bincount(codes[train], minlength=n_classes).min()))
    return Task(
        kind=target.kind,
        numbers=tuple(i for i, c in enumerate(table.columns) if c.kind != "category"),
        categories=tuple(i for i, c in enumerate(table.columns) if c.kind == "category"),
        missing=any(c.missing and c.kind != "category" for c in table.columns),
        n_train=max(split.train.size for split in splits),
        fewest=fewest,
        stages=() if target.stages is None else tuple(range(n_classes)),
    )


def _make_cells(
    design: Design, beside: Design, built: list[tuple[Entry, BaseEstimator]]
) -> tuple[Cell, ...]:
    pairs = [(split, each) for split in design.splits for each in built]
    pairs += [(split, built[0]) for split in beside.splits]
    return tuple(
        Cell(entry.strategy.name, entry.learner.name, estimator, split)
        for split, (entry, estimator) in pairs
    )


def _fingerprint(
    table: Table,
    data: CellData,
    target: Target,
    design: Design,
    options: Options,
    built: list[tuple[Entry, BaseEstimator]],
) -> str:
    """Hash everything that a cell's scores depend on, except the cell's own name."""
    parts = [
        [(column.name, column.kind) for column in table.columns],
        target.labels,
        data.ranking.card["name"],
        data.decision.name,
        data.by_cost,
        data.inner_folds,
        data.seed,
        None if data.budget is None else (data.budget.alerts, data.budget.day is None),
    ]
    if data.promise is not None:
        parts.append((type(data.promise).__name__, sorted(data.promise.get_params().items())))
    if target.stages is not None:
        parts += [target.stages.labels, data.repairs]
    own_splits = hasattr(options.cv, "split")
    arrays = [table.matrix, target.codes, *(split.test for split in design.splits)]
    if own_splits or data.times is not None or data.groups is None:
        arrays += [split.train for split in design.splits]
    costs = () if data.costs is None else (data.costs.fn, data.costs.fp, data.costs.gain)
    # Equal numbers may be seconds of dates or days.
    day = None if data.budget is None else data.budget.day
    more = (data.groups, data.resampled_groups, data.times, data.weight, day, *costs, data.stages)
    arrays += [array for array in more if array is not None]
    return fingerprint(parts, arrays, built)
