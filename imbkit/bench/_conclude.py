"""After the cells: train the recommended model on the whole table, test it once, save it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypedDict

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from imbkit._core.containers import take
from imbkit._core.types import AnyArray
from imbkit.bench._files import write_text
from imbkit.bench._final_model import FinalModel, final_model, reading_lines, training_labels
from imbkit.bench._held_out import TestTable, describe_test, score_test
from imbkit.bench._onnx import save_onnx
from imbkit.bench._plan import Plan
from imbkit.bench._plan_card import PlanCard
from imbkit.bench._recipe import write_recipe
from imbkit.bench._rows import Row
from imbkit.bench._schema import Problem, Summary
from imbkit.bench._schema_money import HeldOut
from imbkit.bench._scores import first_line
from imbkit.bench._shipped import save_model
from imbkit.bench._summary import summarise
from imbkit.bench._warnings import WarningLog
from imbkit.exceptions import OutputError

if TYPE_CHECKING:
    from imbkit.bench._comparison import Source

__all__ = ["NO_ONNX", "Conclusion", "EndCard", "conclude", "with_end"]

NO_ONNX = "there is no model.onnx"
SAMPLE_ROWS = 1000
"""Rows on which the saved model is held against the fitted one."""


class EndCard(TypedDict):
    """What the end of a run found; it stands in ``rows.jsonl`` beside the plan."""

    wall_seconds: float
    recipe: str
    held_out: HeldOut | None
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of a comparison."""

    summary: Summary
    model: FinalModel
    card: EndCard


def conclude(
    plan: Plan,
    card: PlanCard,
    rows: Sequence[Row],
    y: ArrayLike,
    test: TestTable | None,
    source: "Source",
    directory: Path | None,
    *,
    onnx: bool,
    start: float,
) -> Conclusion:
    """Summarise the rows; train, test, save and write down the recommended model.

    A model that cannot be trained on the whole table, or not be saved, is a problem on the
    page, not an error: the comparison stands without it.
    """
    summary = summarise(card, rows, wall_seconds=0.0)
    winner, baseline = summary["recommended"], plan.entries[0].name
    model = final_model(plan, winner, rows)
    problems: list[Problem] = []
    if model.threshold == inf:
        text = (
            "on half of the training sides or more no alert was worth it, so the recommended "
            "model raises none"
        )
        problems.append(Problem(kind="warning", where=winner, text=text, count=1))
    trusted = None
    held_out = None if test is None else describe_test(plan, test, source.test_name)
    finished = {f"{r['strategy']}/{r['learner']}" for r in rows if r["status"] == "done"}
    if winner in finished and (directory is not None or test is not None):
        labels = training_labels(plan.target, y, of_stages=model.of_stages)
        fitted = _fit(plan, winner, model, labels, problems)
        if fitted is not None and directory is not None:
            trusted = _save(plan, winner, fitted, directory, problems, onnx=onnx)
        if fitted is not None and test is not None and held_out is not None:
            scored = {}
            for name in dict.fromkeys(filter(None, [baseline, plan.constant, winner])):
                scored[name] = model, fitted
                if name != winner:
                    final = final_model(plan, name, rows)
                    labels = training_labels(plan.target, y, of_stages=final.of_stages)
                    scored[name] = final, _fit(plan, name, final, labels, problems)
            models = [(k, each, m) for k, (m, each) in scored.items() if each is not None]
            held_out["entries"] = score_test(plan, test, models, card["metrics"])
    reading, needs = reading_lines(plan, source.reading, of_stages=model.of_stages)
    recipe = write_recipe(
        summary, model, reading, needs, weighted=plan.data.weight is not None, trusted=trusted
    )
    if directory is not None:
        write_text(directory / "recipe.py", recipe)
    end = EndCard(
        wall_seconds=monotonic() - start, recipe=recipe, held_out=held_out, problems=problems
    )
    return Conclusion(with_end(summary, end), model, end)


def with_end(summary: Summary, end: EndCard) -> Summary:
    """Return a summary with what the end of the run found."""
    summary["recipe"], summary["held_out"] = end["recipe"], end["held_out"]
    summary["problems"] += end["problems"]
    summary["timing"]["wall_seconds"] = end["wall_seconds"]
    return summary


def _fit(
    plan: Plan, entry: str, model: FinalModel, labels: AnyArray, problems: list[Problem]
) -> BaseEstimator | None:
    # The cells have counted the warnings of this model already.
    with WarningLog():
        try:
            # The best constant for rows that count once each is their plain share.
            weight = None if entry == plan.constant else plan.data.weight
            return model.fit(plan.X, labels, weight)
        except Exception as error:
            text = f"training on the whole table: {type(error).__name__}: {first_line(error)}"
            problems.append(Problem(kind="failed", where=entry, text=text, count=1))
            return None


def _save(
    plan: Plan,
    entry: str,
    fitted: Any,
    directory: Path,
    problems: list[Problem],
    *,
    onnx: bool,
) -> list[str] | None:
    """Write the model; return the types that loading it must trust, None if it failed."""
    sample = take(plan.X, range(min(SAMPLE_ROWS, plan.table.n_rows)))
    if onnx and (reason := save_onnx(fitted, directory / "model.onnx", sample)):
        # One of an earlier run would be taken for this model.
        (directory / "model.onnx").unlink(missing_ok=True)
        text = f"{NO_ONNX}: {reason}"
        problems.append(Problem(kind="left out", where=entry, text=text, count=1))
    try:
        return save_model(fitted, directory / "model.skops", sample)
    except OutputError as error:
        text = f"the model was not saved: {first_line(error)}"
        problems.append(Problem(kind="failed", where=entry, text=text, count=1))
        return None
