"""Write an estimator as the Python source that builds it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

from imbkit.bench._cell import weight_of_model
from imbkit.bench._final_model import FinalModel
from imbkit.bench._schema import Policy, Summary

__all__ = ["SourceWriter", "write_recipe"]

WIDTH = 88
"""Longest line of the recipe's expressions, where they can be broken."""
_PUBLIC_DEPTH = 2


class CannotWriteError(Exception):
    """An object has no source that makes it; its text is the object's repr."""


class SourceWriter:
    """Turns objects into source and remembers what must be imported.

    Estimators and splitters become constructor calls with the parameters that differ from
    the defaults.
    """

    def __init__(self) -> None:
        self.imports: set[tuple[str, str]] = set()

    def write(self, value: Any, indent: int = 0) -> str:
        """Return an expression that makes `value`, to stand at a depth of `indent` spaces."""
        if isinstance(value, (BaseEstimator, BaseCrossValidator)):
            return self._call(type(value), _changed(value), indent)
        if isinstance(value, dict):
            items = [f"{self.write(k)}: {self.write(v, indent + 4)}" for k, v in value.items()]
            return _join("{", items, "}", indent)
        if isinstance(value, (list, tuple)):
            items = [self.write(item, indent + 4) for item in value]
            if all(isinstance(item, (str, int, float)) for item in value):
                items = _filled(items, WIDTH - indent - 4)
            if isinstance(value, tuple):
                close = ",)" if len(items) == 1 else ")"
                return _join("(", items, close, indent)
            return _join("[", items, "]", indent)
        if isinstance(value, np.generic):
            return self.write(value.item(), indent)
        if isinstance(value, float) and not np.isfinite(value):
            return f'float("{value}")'
        if inspect.isfunction(value) or inspect.isclass(value):
            return self._name(value)
        return _literal(value)

    def lines(self) -> list[str]:
        """Return the import statements, sorted."""
        modules: dict[str, set[str]] = {}
        for module, name in self.imports:
            modules.setdefault(module, set()).add(name)
        return [f"from {m} import {', '.join(sorted(modules[m]))}" for m in sorted(modules)]

    def _call(self, cls: type, parameters: Mapping[str, Any], indent: int) -> str:
        items = [f"{key}={self.write(v, indent + 4)}" for key, v in parameters.items()]
        if list(parameters)[:1] in (["estimator"], ["steps"], ["transformers"]):
            items[0] = items[0].partition("=")[2]
        return _join(f"{self._name(cls)}(", items, ")", indent)

    def _name(self, obj: Callable[..., Any]) -> str:
        """Import an object from the shortest public module that has it."""
        if "<" in obj.__qualname__:
            raise CannotWriteError(repr(obj))
        module = obj.__module__
        public = [part for part in module.split(".") if not part.startswith("_")]
        if public and len(public) < len(module.split(".")):
            module = ".".join(public[:_PUBLIC_DEPTH])
        self.imports.add((module, obj.__qualname__))
        return obj.__qualname__


def write_recipe(
    summary: Summary,
    model: FinalModel,
    reading: list[str],
    needs: set[tuple[str, str]],
    *,
    weighted: bool = False,
    trusted: Sequence[str] | None = None,
) -> str:
    """Return a script that trains a model, and holds the saved one against it.

    Parameters
    ----------
    summary : Summary
        Names the model and the versions.
    model : FinalModel
        What to train.
    reading : list of str
        Lines that define ``X`` and ``y``, and ``weight`` if there are weights.
    needs : set of (module, name)
        What those lines import.
    weighted : bool, default=False
        Whether training has weights.
    trusted : sequence of str, default=None
        Types in ``model.skops`` that skops must be told to trust; None if there is no such
        file.
    """
    writer = SourceWriter()
    try:
        training = _training_lines(writer, model, summary["recommended_policy"], weighted)
    except CannotWriteError as error:
        return f"# This model has a part that no source can make: {_literal(str(error))}\n"
    writer.imports |= needs
    loading = []
    if trusted is not None:
        writer.imports |= {("pathlib", "Path"), ("skops.io", "load")}
        names = _join("[", [_literal(name) for name in trusted], "]", 0)
        loading = [
            "",
            "# The same model as it was saved, without its sampler.",
            'saved = Path(__file__).with_name("model.skops")',
            "if saved.exists():",
            *f"    shipped = load(saved, trusted={names})".replace("\n", "\n    ").split("\n"),
            "    same = (model.predict(X) == shipped.predict(X)).mean()",
            '    print(f"model.skops and this model agree on {same:.2%} of the rows")',
        ]
    versions = ", ".join(f"{name} {number}" for name, number in summary["versions"].items())
    lines = [
        '"""Train the model that the comparison recommends.',
        "",
        f"Entry {summary['recommended']}, seed {summary['task']['seed']}.",
        f"Made with {versions}.",
        '"""',
        "",
        *writer.lines(),
        "",
        *reading,
        "",
        *training,
        "print(model)",
        *loading,
    ]
    return "\n".join(lines) + "\n"


def _training_lines(
    writer: SourceWriter, model: FinalModel, policy: Policy, weighted: bool
) -> list[str]:
    comment = "# The threshold is the median of those chosen in the comparison."
    if policy == "budget":
        comment = (
            "# At a budget, alert the rows with the highest predict_proba, as many as it allows.\n"
            "# The threshold, a median over the folds, only stands in for that."
        )
    cut = [] if model.threshold is None else [comment]
    if model.of_stages:
        named = weight_of_model(model.estimator, np.empty(0) if weighted else None)
        given = "".join(f", {argument}=weight" for argument in named)
        lines = [f"model = {writer.write(model.estimator)}", f"model.fit(X, y{given})"]
        return [*lines, *_stage_lines(writer, model, comment)]
    if not weighted:
        lines = [*cut, f"model = {writer.write(model.whole())}", "model.fit(X, y)"]
        return [*lines, *_weighing_lines(writer, model)]
    argument = next(iter(weight_of_model(model.estimator, np.empty(0))))
    lines = [f"model = {writer.write(model.estimator)}", f"model.fit(X, y, {argument}=weight)"]
    if model.threshold is None:
        return [*lines, *_weighing_lines(writer, model)]
    writer.imports |= {
        ("sklearn.frozen", "FrozenEstimator"),
        ("sklearn.model_selection", "FixedThresholdClassifier"),
    }
    given = f"threshold={writer.write(model.threshold)}, pos_label={writer.write(model.pos_label)}"
    cutter = f"model = FixedThresholdClassifier(FrozenEstimator(model), {given})"
    return [*lines, comment, cutter, "model.fit(X, y)"]


def _stage_lines(writer: SourceWriter, model: FinalModel, comment: str) -> list[str]:
    """Return the lines that give the probability of the last stage, and decide by it."""
    return [
        "",
        "# The model gives the probability of every stage, and predicts the most probable one.",
        "# Compared was the probability of the last stage.",
        f"last = model.classes_.tolist().index({writer.write(model.pos_label)})",
        "probability = model.predict_proba(X)[:, last]",
        comment,
        f"alert = probability >= {writer.write(model.threshold)}",
    ]


def _weighing_lines(writer: SourceWriter, model: FinalModel) -> list[str]:
    """Return the lines that decide between many classes as the comparison recommends."""
    if model.class_weights is None:
        return []
    weights = {label: float(f"{weight:.6g}") for label, weight in model.class_weights.items()}
    return [
        "",
        "# model.predict gives the most probable class. The recommended decision multiplies the",
        "# probability of each class by its weight first: the median of those that were tuned in",
        "# the comparison. No object of scikit-learn does that, so it takes this line.",
        f"class_weights = {writer.write(weights)}",
        "weights = [class_weights[label] for label in model.classes_.tolist()]",
        "predicted = model.classes_[(model.predict_proba(X) * weights).argmax(axis=1)]",
    ]


def _changed(obj: Any) -> dict[str, Any]:
    """Return the parameters that differ from the constructor's defaults, in its order."""
    parameters = inspect.signature(type(obj)).parameters.values()
    values = {parameter: getattr(obj, parameter.name) for parameter in parameters}
    return {p.name: value for p, value in values.items() if not _same(value, p.default)}


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, float) and isinstance(default, float):
        return value == default or (np.isnan(value) and np.isnan(default))
    return type(value) is type(default) and bool(value == default)


def _join(start: str, items: list[str], end: str, indent: int) -> str:
    """Put items on one line if they fit, else on a line each."""
    short = f"{start}{', '.join(items)}{end}"
    if len(short) + indent <= WIDTH and "\n" not in short:
        return short
    pad = " " * (indent + 4)
    body = "".join(f"{pad}{item},\n" for item in items)
    return f"{start}\n{body}{' ' * indent}{end.lstrip(',')}"


def _filled(items: list[str], width: int) -> list[str]:
    """Join short items to lines that are as full as `width` allows."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 3 > width:
            lines.append("")
        lines[-1] += f", {item}" if lines[-1] else item
    return lines if items else []


def _literal(value: Any) -> str:
    """Write a constant; text in double quotes, with every unusual character escaped."""
    if not isinstance(value, str):
        text = repr(value)
        if text.startswith("<"):
            raise CannotWriteError(text)
        return text
    plain = value.isprintable()
    text = value.replace("\\", "\\\\") if plain else value.encode("unicode_escape").decode("ascii")
    return '"' + text.replace('"', '\\"') + '"'
