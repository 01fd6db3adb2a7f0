"""The recommended model, built for the user's own table instead of the shared matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import FunctionTransformer

from imbkit._core.types import AnyArray
from imbkit.bench._cell import seed_estimator
from imbkit.bench._columns import Table, plain_table
from imbkit.bench._panel import Task
from imbkit.bench._plan import Plan
from imbkit.bench._target import Target
from imbkit.thresholds import BestMetric, ThresholdClassifierCV

__all__ = ["final_model", "reading_lines", "training_labels"]


def final_model(plan: Plan, entry_name: str) -> BaseEstimator:
    """Return the unfitted estimator of an entry, for the table that the plan was made from.

    A two-class model comes with its threshold, tuned on as many folds as in the comparison.
    """
    entry = next(entry for entry in plan.entries if entry.name == entry_name)
    model = entry.strategy.build(entry.learner, _own_task(plan.task, plan.table))
    if plan.table.converted:
        steps = getattr(model, "steps", [("model", model)])
        model = type(model)([("plain", FunctionTransformer(plain_table)), *steps])
    seed_estimator(model, plan.data.seed)
    if plan.target.kind != "binary":
        return model
    folds = StratifiedKFold(plan.data.inner_folds, shuffle=True, random_state=plan.data.seed)
    rule = BestMetric(plan.data.decision.name)
    return ThresholdClassifierCV(model, rule, cv=folds, pos_label=_positive_label(plan.target))


def training_labels(target: Target, y: ArrayLike) -> AnyArray:
    """Return the labels to train on: the target's own, or 1 where any positive label stands."""
    if _is_grouped(target):
        return target.codes
    labels = np.asarray(y).reshape(-1)
    if labels.dtype == object or labels.dtype.kind == "T":
        # scikit-learn takes objects for labels only if they are texts.
        values = np.array([value for group in target.values for value in group])
        return values[target.codes]
    return labels


def reading_lines(plan: Plan, reading: Sequence[str]) -> tuple[list[str], set[tuple[str, str]]]:
    """Return the lines of the recipe that define ``X`` and ``y``, and what they import.

    Parameters
    ----------
    plan : Plan
        What was compared.
    reading : sequence of str
        Lines that define ``X`` and the labels ``y`` as in the table; empty if the table came
        from Python, where the reader has both.
    """
    if not reading:
        lines = ["# X and y are your table and its labels."]
        if not _is_grouped(plan.target):
            return lines, set()
        lines.append(f"y = isin(y, {list(plan.target.values[1])!r}).astype(int)")
        return lines, {("numpy", "isin")}
    imports = [line.split() for line in reading if line.startswith("from ")]
    lines = [line for line in reading if not line.startswith("from ")]
    if _is_grouped(plan.target):
        lines.append(f"y = y.isin({list(plan.target.values[1])!r}).astype(int)")
    return lines, {(words[1], name.strip(",")) for words in imports for name in words[3:]}


def _positive_label(target: Target) -> Any:
    """Return the positive label among the training labels."""
    return 1 if _is_grouped(target) else target.values[1][0]


def _is_grouped(target: Target) -> bool:
    """Whether one of two classes stands for several labels."""
    return target.kind == "binary" and max(map(len, target.values)) > 1


def _own_task(task: Task, table: Table) -> Task:
    """Name the columns as the table itself does."""

    def own(position: int) -> int | str:
        return table.columns[position].name if table.named else table.positions[position]

    return Task(
        kind=task.kind,
        numbers=tuple(own(int(i)) for i in task.numbers),
        categories=tuple(own(int(i)) for i in task.categories),
        missing=task.missing,
        n_train=task.n_train,
        fewest=task.fewest,
        complete=not table.unused,
    )
