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
from imbkit.exceptions import InvalidParameterError

__all__ = ["VERSIONED", "Entry", "choose_entries", "fingerprint", "in_codes"]

VERSIONED = ("imbkit", "scikit-learn", "imbalanced-learn", "numpy", "scipy")
"""Packages whose versions the scores depend on."""
BY_LABEL = ("class_weight", "sampling_strategy")
"""Parameters that may map each label to a number."""


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


def choose_entries(
    strategies: Sequence[object] | None,
    learners: Sequence[object] | None,
    task: Task,
    *,
    quick: bool,
    weighted: bool,
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
            estimator = entry.strategy.build(entry.learner, task)
            if weighted:
                check_weighted(estimator)
            panel[entry.name] = entry, estimator
        except CannotBuildError as error:
            problem = Problem(kind="left out", where=entry.name, text=str(error), count=1)
            problems.append(problem)
    return list(panel.values()), problems


def in_codes(estimator: BaseEstimator, values: Sequence[Sequence[Any]]) -> BaseEstimator:
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
    own = [(entry.name, _estimator_hash(estimator)) for entry, estimator in built if entry.is_own]
    versions = [version(package) for package in VERSIONED]
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
