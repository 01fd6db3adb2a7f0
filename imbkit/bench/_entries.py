"""The entries of a comparison: every strategy with every learner, the baseline first."""

import hashlib
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone

from imbkit._core.messages import message
from imbkit._core.types import AnyArray
from imbkit.bench._more_learners import more_learners
from imbkit.bench._ordered import CONSTANT, PRESTO, STAGE_LEARNERS, LastStage, stage_panel
from imbkit.bench._panel import (
    LEARNERS,
    QUICK_STRATEGIES,
    STRATEGIES,
    CannotBuildError,
    Learner,
    Strategy,
    Task,
    check_weighted,
    outside_limits,
    resolve_learner,
    resolve_strategy,
)
from imbkit.bench._rows import ROWS_VERSION
from imbkit.bench._schema import Problem
from imbkit.bench._target import Target
from imbkit.exceptions import InvalidParameterError

__all__ = ["Entry", "choose_entries", "fingerprint", "for_codes", "versions_of"]

VERSIONED = ("imbkit", "scikit-learn", "imbalanced-learn", "numpy", "scipy")
"""Packages whose versions the scores of any learner depend on."""
BY_LABEL = ("class_weight", "sampling_strategy")
"""Parameters that may map each label to a number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A strategy with a learner."""

    strategy: Strategy
    learner: Learner
    is_own: bool
    """Whether it is the user's own in part, and so not known by its name."""
    alone: bool = False
    """Whether there is no other strategy for it, so that this one is not worth a word."""

    @property
    def name(self) -> str:
        """Identifier."""
        return f"{self.strategy.name}/{self.learner.name}"

    @property
    def title(self) -> str:
        """The entry in words."""
        if self.alone:
            return self.learner.title
        return f"{self.strategy.title or self.strategy.name} + {self.learner.title}"

    @property
    def changes_prior(self) -> bool:
        """Whether the probabilities may be for other class shares than the table has."""
        return self.strategy.changes_prior or self.learner.changes_prior


def choose_entries(
    strategies: Sequence[object] | None,
    learners: Sequence[object] | None,
    task: Task,
    *,
    quick: bool,
    weighted: bool,
) -> tuple[list[tuple[Entry, BaseEstimator]], list[Problem]]:
    """Return the baseline and the panel with their estimators, and what was left out.

    Stages have a panel of their own, and a constant beside the baseline.
    """
    known = dict(stage_panel(task) if task.stages else LEARNERS)
    known |= more_learners(learners or (), task)
    names = QUICK_STRATEGIES if quick else tuple(STRATEGIES)
    if task.stages:
        names = names[:1]
    chosen = [resolve_strategy(s) for s in (names if strategies is None else strategies)]
    models = [_find_learner(m, known, task) for m in (known if learners is None else learners)]
    untouched = next(iter(STRATEGIES.values()))
    pairs = [(untouched, next(iter(known.values())))]
    if task.stages:
        pairs.append((untouched, known[CONSTANT]))
    # A constant learns nothing from the columns, whatever a strategy does to the rows.
    pairs += [(s, m) for m in models for s in chosen if m is not known.get(CONSTANT)]
    alone = bool(task.stages) and all(strategy == untouched for strategy, _ in pairs)
    panel: dict[str, tuple[Entry, BaseEstimator]] = {}
    problems = []
    for strategy, learner in pairs:
        by_name = STRATEGIES.get(strategy.name), known.get(learner.name)
        single = alone or (bool(task.stages) and learner is known[CONSTANT])
        entry = Entry(strategy, learner, by_name != (strategy, learner), single)
        if entry.name in panel:
            if entry == panel[entry.name][0]:
                continue
            rule = "strategies and learners must have different names"
            raise InvalidParameterError(message("compare", rule, entry.name))
        try:
            if task.fewest < 2 and learner is known.get(PRESTO):
                raise CannotBuildError("needs 2 rows of every stage wherever it is trained")
            if strategies is None and (reason := outside_limits(entry.strategy, task)):
                raise CannotBuildError(reason)
            estimator = entry.strategy.build(entry.learner, task)
            if weighted:
                check_weighted(estimator)
            panel[entry.name] = entry, estimator
        except CannotBuildError as error:
            problem = Problem(kind="left out", where=entry.name, text=str(error), count=1)
            problems.append(problem)
    return list(panel.values()), problems


def _find_learner(learner: object, known: Mapping[str, Learner], task: Task) -> Learner:
    """Return a learner; complain of one of stages where there are none."""
    needs_stages = isinstance(learner, str) and learner in STAGE_LEARNERS and learner not in known
    if not needs_stages:
        found = resolve_learner(learner, known)
        if not found.ordered or task.stages:
            return found
    rule = "a learner of stages needs a target whose classes have an order"
    todo = "Name the stages from first to last with --ordered (ordered=), or leave it out"
    name = learner if isinstance(learner, str) else type(learner).__name__
    raise InvalidParameterError(message("compare", rule, f"{name} without an order", todo))


def for_codes(entry: Entry, estimator: BaseEstimator, target: Target) -> BaseEstimator:
    """Return an entry's estimator as the cells fit it, for codes of two classes or of more."""
    if target.stages is None or not entry.learner.ordered:
        return _in_codes(estimator, target.values)
    stages = target.stages.values
    return LastStage(_in_codes(estimator, [(value,) for value in stages]), len(stages) - 1)


def _in_codes(estimator: BaseEstimator, values: Sequence[Sequence[Any]]) -> BaseEstimator:
    """Return an estimator for class codes, its parameters by label turned into such by code.

    Labels that were grouped have no parameters of their own; those keys are codes already.
    """
    if max(map(len, values)) > 1:
        return estimator
    codes = {labels[0]: code for code, labels in enumerate(values)}
    coded = {
        name: {codes[label]: value[label] for label in value}
        for name, value in estimator.get_params(deep=True).items()
        if name.split("__")[-1] in BY_LABEL
        and isinstance(value, Mapping)
        and set(value) <= set(codes)
    }
    return clone(estimator).set_params(**coded) if coded else estimator


def versions_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the versions of the packages that the scores of entries depend on."""
    more = (package for entry in entries for package in entry.learner.packages)
    return {package: version(package) for package in dict.fromkeys((*VERSIONED, *more))}


def fingerprint(
    parts: Sequence[object],
    arrays: Iterable[AnyArray],
    built: Iterable[tuple[Entry, BaseEstimator]],
) -> str:
    """Hash everything that a cell's scores depend on, except the cell's own name.

    The name stands for an entry of the panel. It tells nothing of the parameters of the
    user's own estimators, so these are hashed.
    """
    digest = hashlib.sha256()
    built = list(built)
    own = [(entry.name, _estimator_hash(estimator)) for entry, estimator in built if entry.is_own]
    versions = list(versions_of(entry for entry, _ in built).values())
    digest.update(repr([ROWS_VERSION, versions, *parts, *([own] if own else [])]).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()


def _estimator_hash(estimator: BaseEstimator) -> str:
    """Hash the class and parameters of an estimator; lambdas differ from run to run."""
    try:
        return str(joblib.hash(estimator))
    except (pickle.PicklingError, AttributeError, TypeError):
        return repr(estimator.get_params())
