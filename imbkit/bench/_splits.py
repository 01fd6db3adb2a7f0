"""Training and test sides: at random, forward in time, or as a splitter of one's own says."""

import inspect
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.rng import derive
from imbkit._core.types import AnyArray, IntArray
from imbkit.bench._folds import fewest_groups_of_a_class, stratified_folds
from imbkit.bench._target import Target
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.splits import PrequentialSplit
from imbkit.splits._times import Times

__all__ = [
    "FEWEST_ROWS",
    "Design",
    "Split",
    "forward_pairs",
    "given_design",
    "random_design",
    "read_cv",
    "time_design",
]

FEWEST_ROWS = 3
"""Distinct rows that every class must have: to learn from, to tune on, and to test on."""


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of one training and one test side."""

    repeat: int
    fold: int
    train: IntArray
    test: IntArray
    part: Literal["main", "random"] = "main"
    """``random`` splits stand beside those in time, to show what they would have claimed."""


@dataclass(frozen=True, slots=True)
class Design:
    """All splits of a comparison."""

    splits: tuple[Split, ...]
    folds: int
    repeats: int
    cautions: tuple[str, ...] = ()


def read_cv(cv: Any, quick: bool) -> tuple[int, int]:
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


def random_design(
    target: Target,
    groups: IntArray | None,
    folds: int,
    repeats: int,
    seed: int,
    part: Literal["main", "random"] = "main",
) -> Design:
    """Return stratified folds, drawn anew for every repeat."""
    fewest = fewest_groups_of_a_class(target.strata, groups)
    rarest = int(fewest.argmin())
    label = target.strata_labels[rarest]
    if fewest[rarest] < FEWEST_ROWS:
        rule = f"every class needs at least {FEWEST_ROWS} distinct rows (or groups)"
        got = f"{fewest[rarest]} for {label!r}"
        todo = "Merge it with another class, drop its rows, or name the positive class"
        if target.stages is not None:
            todo = "Merge it with the stage beside it, or drop its rows"
        raise DataError(message("compare", rule, got, todo))
    cautions = []
    if fewest[rarest] < folds:
        cautions.append(
            f"Class {label!r} has only {fewest[rarest]} distinct rows, so "
            f"{fewest[rarest]} folds were used instead of {folds}."
        )
        folds = int(fewest[rarest])
    splits = []
    for repeat in range(repeats):
        rng = np.random.default_rng(derive(seed, "folds", repeat))
        fold = stratified_folds(target.strata, groups, folds, rng)
        splits += [
            Split(repeat, k, np.flatnonzero(fold != k), np.flatnonzero(fold == k), part)
            for k in range(folds)
        ]
    return Design(tuple(splits), folds, repeats, tuple(cautions))


def time_design(
    target: Target, times: Times, groups: IntArray | None, folds: int, delay: float
) -> Design:
    """Return splits whose training rows, and their labels, were known before the test."""
    moments: AnyArray = times.values
    late: Any = delay or None
    if times.is_date:
        # As dates, so that messages name dates and days.
        moments = np.round(1e6 * times.values).astype(np.int64).view("M8[us]")
        late = timedelta(seconds=delay)
    pairs = forward_pairs(target.strata, moments, groups, folds, late)
    splits = tuple(Split(0, fold, train, test) for fold, (train, test) in enumerate(pairs))
    return Design(splits, folds, 1)


def forward_pairs(
    codes: IntArray, times: AnyArray, groups: IntArray | None, folds: int, delay: Any = None
) -> list[tuple[IntArray, IntArray]]:
    """Return the training and test positions of splits that go forward in time."""
    splitter = PrequentialSplit(folds, label_delay=delay)
    return list(splitter.split(np.empty((codes.size, 0)), codes, groups, times))


def given_design(
    X: Any, target: Target, groups: IntArray | None, given: IntArray | None, cv: Any
) -> Design:
    """Return a splitter's splits, less the training rows that also stand in the test fold."""
    splits, removed = [], 0
    apart = np.arange(target.codes.size) if groups is None else groups
    for fold, (train, test) in enumerate(_ask_splitter(cv, X, target.strata, given)):
        train, test = np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)
        kept = ~np.isin(apart[train], apart[test])
        removed += int(train.size - kept.sum())
        train = train[kept]
        n_classes = len(target.strata_labels)
        if min(np.bincount(target.strata[train], minlength=n_classes)) < 2 or not test.size:
            rule = "each training side of cv must have at least 2 rows of every class"
            raise DataError(message("compare", rule, f"fewer in split {fold}", "Use fewer splits"))
        splits.append(Split(0, fold, train, test))
    if not splits:
        raise DataError(message("compare", "cv must give at least one split", cv))
    splits = _in_repeats(splits, target.codes.size)
    sizes = np.unique(np.bincount([split.repeat for split in splits]))
    even = sizes.size == 1 and sizes[0] > 1
    folds = int(sizes[0]) if even else len(splits)
    cautions: Iterable[str] = ()
    if removed:
        cautions = (
            f"{removed:,} training rows were left out because an equal row (or one of the same "
            "group) stood in the test fold.",
        )
    return Design(tuple(splits), folds, len(splits) // folds, tuple(cautions))


def _in_repeats(splits: Iterable[Split], n_rows: int) -> list[Split]:
    """Number splits anew: one that tests a row again starts another repeat."""
    numbered: list[Split] = []
    tested = np.zeros(n_rows, dtype=bool)
    repeat = fold = 0
    for split in splits:
        if tested[split.test].any():
            repeat, fold = repeat + 1, 0
            tested[:] = False
        tested[split.test] = True
        numbered.append(Split(repeat, fold, split.train, split.test))
        fold += 1
    return numbered


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
