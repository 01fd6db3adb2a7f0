"""The recommended model, built for the user's own table instead of the shared matrix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.preprocessing import FunctionTransformer

from imbkit._core.types import AnyArray
from imbkit.bench._cell import seed_estimator, weight_of_model
from imbkit.bench._columns import Table, plain_table
from imbkit.bench._panel import Task
from imbkit.bench._plan import Plan
from imbkit.bench._rows import Row
from imbkit.bench._target import Target

__all__ = ["FinalModel", "final_model", "reading_lines", "training_labels"]


@dataclass(frozen=True, slots=True)
class FinalModel:
    """An entry's estimator for the user's own table, and the threshold that goes with it.

    Parameters
    ----------
    estimator : estimator
        Unfitted, for the columns of the user's table.
    threshold : float or None
        Median of those chosen on the training sides of the comparison, infinite if that alerts
        nothing; None for many classes.
    pos_label : object
        The positive label, which may be the last stage; None for many classes.
    class_weights : dict, default=None
        Label of each of many classes -> what the recommended decision multiplies its
        probability by; None where it is the most probable class. No object of scikit-learn
        does that: the model predicts the most probable class, and the recipe says the rest.
    """

    estimator: BaseEstimator
    threshold: float | None
    pos_label: Any
    class_weights: dict[Any, float] | None = None
    of_stages: bool = False
    """Whether the estimator is trained on all stages. It is not cut at the threshold then, as no
    object of scikit-learn decides by the probability of one class of many: the recipe does."""

    def whole(self) -> BaseEstimator:
        """Return the unfitted model: the estimator, cut at the threshold if there is one."""
        return self._cut(self.estimator)

    def fit(self, X: Any, y: AnyArray, weight: AnyArray | None) -> BaseEstimator:
        """Return the fitted model.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            The features.
        y : ndarray of shape (n_rows,)
            What `training_labels` returns.
        weight : ndarray of shape (n_rows,) or None
            Training weights.
        """
        if weight is None:
            return clone(self.whole()).fit(X, y)
        arguments = weight_of_model(self.estimator, weight)
        fitted = clone(self.estimator).fit(X, y, **arguments)
        if self.threshold is None or self.of_stages:
            return fitted
        # scikit-learn hands weights through a threshold only if routing is switched on.
        return self._cut(FrozenEstimator(fitted)).fit(X, y)

    def _cut(self, estimator: BaseEstimator) -> BaseEstimator:
        if self.threshold is None or self.of_stages:
            return estimator
        return FixedThresholdClassifier(
            estimator, threshold=self.threshold, pos_label=self.pos_label
        )


def final_model(plan: Plan, entry_name: str, rows: Iterable[Row]) -> FinalModel:
    """Return an entry's model, for the table that the plan was made from.

    The threshold is not tuned again: the median of those that the training sides chose, each
    on rows left out there, rests on more of them than one more round would. Where half of
    them or more found no alert worth it, the model raises none.
    """
    entry = next(entry for entry in plan.entries if entry.name == entry_name)
    model = entry.strategy.build(entry.learner, _own_task(plan.task, plan.table, plan.target))
    if plan.table.converted:
        steps = getattr(model, "steps", [("model", model)])
        model = type(model)([("plain", FunctionTransformer(plain_table)), *steps])
    seed_estimator(model, plan.data.seed)
    own = [
        row
        for row in rows
        if (row["strategy"], row["learner"]) == (entry.strategy.name, entry.learner.name)
        and row["part"] == "main"
        and plan.decision_policy in row["policies"]
    ]
    if plan.target.kind != "binary":
        return FinalModel(model, None, None, _class_weights(plan, own))
    chosen = [row["policies"][plan.decision_policy]["threshold"] for row in own]
    # Rows have no infinite numbers: no threshold stands for one that no score reaches.
    cuts = [inf if cut is None else cut for cut in chosen]
    threshold, of_stages = median(cuts) if cuts else 0.5, entry.learner.ordered
    label = _positive_label(plan.target, of_stages=of_stages)
    return FinalModel(model, threshold, label, of_stages=of_stages)


def _class_weights(plan: Plan, rows: Iterable[Row]) -> dict[Any, float] | None:
    """Return the median weight of each label; None where the most probable class is taken."""
    tuned = [row["class_weights"] for row in rows if row["class_weights"]]
    if not tuned:
        return None
    medians = np.median(np.array(tuned), axis=0)
    labels = (values[0] for values in plan.target.values)
    return {label: float(weight) for label, weight in zip(labels, medians, strict=True)}


def training_labels(target: Target, y: ArrayLike, *, of_stages: bool = False) -> AnyArray:
    """Return the labels to train on: the target's own, or 1 where any positive label stands.

    A model of stages is trained on the target's own, however many there are.
    """
    if of_stages and target.stages is not None:
        return np.array(target.stages.values)[target.stages.codes]
    if _is_grouped(target):
        return target.codes
    labels = np.asarray(y).reshape(-1)
    if labels.dtype == object or labels.dtype.kind == "T":
        # scikit-learn takes objects for labels only if they are texts.
        values = np.array([value for group in target.values for value in group])
        return values[target.codes]
    return labels


def reading_lines(
    plan: Plan, reading: Sequence[str], *, of_stages: bool = False
) -> tuple[list[str], set[tuple[str, str]]]:
    """Return the lines of the recipe that define ``X`` and ``y``, and what they import.

    Parameters
    ----------
    plan : Plan
        What was compared.
    reading : sequence of str
        Lines that define ``X`` and the labels ``y`` as in the table; empty if the table came
        from Python, where the reader has both.
    of_stages : bool, default=False
        Whether the model is trained on all stages.
    """
    grouped = _is_grouped(plan.target) and not of_stages
    if not reading:
        lines = ["# X and y are your table and its labels."]
        if plan.taken:
            lines.append(f"# X is without {', '.join(map(repr, plan.taken))}.")
        if not grouped:
            return lines, set()
        lines.append(f"y = isin(y, {list(plan.target.values[1])!r}).astype(int)")
        return lines, {("numpy", "isin")}
    imports = [line.split() for line in reading if line.startswith("from ")]
    lines = [line for line in reading if not line.startswith("from ")]
    if of_stages:
        # An order that the column has of its own may be another one.
        lines.append("y = y.to_numpy()")
    if grouped:
        lines.append(f"y = y.isin({list(plan.target.values[1])!r}).astype(int)")
    return lines, {(words[1], name.strip(",")) for words in imports for name in words[3:]}


def _positive_label(target: Target, *, of_stages: bool) -> Any:
    """Return the positive label among the training labels."""
    return 1 if _is_grouped(target) and not of_stages else target.values[1][0]


def _is_grouped(target: Target) -> bool:
    """Whether one of two classes stands for several labels."""
    return target.kind == "binary" and max(map(len, target.values)) > 1


def _own_task(task: Task, table: Table, target: Target) -> Task:
    """Name the columns and the stages as the table itself does."""

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
        stages=() if target.stages is None else target.stages.values,
    )
