"""Everything that is measured on one test fold, from the scores of its rows."""

from typing import TYPE_CHECKING, cast

import numpy as np

from imbkit._core.rng import derive
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.bench._bootstrap import bootstrap_errors
from imbkit.bench._measures import decision_values, ranking_values
from imbkit.bench._money import Costs
from imbkit.bench._repair import probability_errors, reliability_counts, repair
from imbkit.bench._rows import Row
from imbkit.bench._splits import Split
from imbkit.bench._thin import thin_curve
from imbkit.thresholds import ClassDecision, ThresholdClassifierCV

if TYPE_CHECKING:
    from imbkit.bench._cell import CellData

__all__ = ["judge_fold", "judge_scores"]


def judge_fold(
    row: Row,
    split: Split,
    data: "CellData",
    model: ThresholdClassifierCV | None,
    scores: FloatArray,
    *,
    probabilities: bool,
) -> None:
    """Write scores, decisions, errors and curves of a test fold to its row.

    Parameters
    ----------
    row : Row
        Filled in.
    split, data : Split, CellData
        The rows.
    model : ThresholdClassifierCV or None
        Tuned on the training side; None where nothing could be tuned for many classes.
    scores : ndarray of shape (n_test,) or (n_test, n_classes)
        Of the test rows.
    probabilities : bool
        Whether they are probabilities.
    """
    codes = data.codes[split.test]
    groups = data.resampled_groups
    flags: dict[str, AnyArray] = {}
    if data.n_classes > 2:
        flags = {"argmax": scores.argmax(axis=1)}
        if model is not None:
            decision = cast(ClassDecision, model.rule_)
            flags["tuned"] = decision(scores)
            row["class_weights"] = _relative(decision, data.codes[split.train])
    elif model is not None:
        flags = _policies(row, split, data, model, scores, probabilities=probabilities)
    thresholds = {policy: values["threshold"] for policy, values in row["policies"].items()}
    costs = None if data.costs is None else data.costs.take(split.test)
    row["scores"] = ranking_values(codes, scores, data.ranking, probabilities=probabilities)
    for policy, flagged in flags.items():
        values, row["recalls"][policy] = _decide(data, codes, flagged.astype(np.intp))
        if costs is not None:
            values |= _money(costs, codes == 1, flagged)
            row["class_costs"][policy] = costs.by_class(codes == 1, flagged)
        if policy == "budget" and data.budget is not None:
            share = data.budget.entity_precision(split.test, codes == 1, scores)
            values |= {} if share is None else {"entity_precision": share}
        given = {"threshold": thresholds[policy]} if policy in thresholds else {}
        row["policies"][policy] = given | values
    row["errors"], row["policy_errors"] = bootstrap_errors(
        codes,
        scores,
        flags,
        ranking=list(row["scores"]),
        decision=data.decision,
        probabilities=probabilities,
        groups=None if groups is None else groups[split.test],
        costs=costs,
        seed=derive(data.seed, "bootstrap", split.part, split.repeat, split.fold),
    )
    if data.n_classes == 2:
        row["curve"] = thin_curve(codes, scores, costs)


def _relative(decision: ClassDecision, codes: IntArray) -> list[float]:
    """Weights of the classes, that of the commonest training class being 1.

    Weights have no scale of their own; over folds they can only be compared on a common one.
    """
    weights = np.asarray(decision.weights, dtype=float)
    return [float(w) for w in weights / weights[np.bincount(codes).argmax()]]


def _policies(
    row: Row,
    split: Split,
    data: "CellData",
    model: ThresholdClassifierCV,
    scores: FloatArray,
    *,
    probabilities: bool,
) -> dict[str, BoolArray]:
    """Return which rows each policy flags; write thresholds and reliability to the row."""
    truth = data.codes[split.test] == 1
    flags: dict[str, BoolArray] = {}
    for policy, cut in (
        ("default", 0.5 if probabilities else 0.0),
        ("tuned", float(model.threshold_)),
    ):
        flags[policy] = scores >= cut
        row["policies"][policy] = {"threshold": cut if np.isfinite(cut) else None}
    if probabilities:
        row["reliability"] = reliability_counts(truth, scores)
        row["calibration"] = {"before": probability_errors(truth, scores)}
        believed = scores
        if data.repairs:
            believed = repair(
                scores,
                np.asarray(model.cv_results_["y_score"]),
                np.asarray(model.cv_results_["y_true"]),
            )
            row["repaired"] = reliability_counts(truth, believed)
            row["repair"] = "sigmoid"
            row["calibration"]["after"] = probability_errors(truth, believed)
        if data.costs is not None:
            costs = data.costs.take(split.test)
            flags["expected_loss"] = costs.alerts(believed)
    if data.budget is not None:
        flags["budget"] = data.budget.flags(split.test, scores)
        row["policies"]["budget"] = {"threshold": float(scores[flags["budget"]].min())}
    return flags


def judge_scores(
    data: "CellData",
    codes: IntArray,
    scores: FloatArray,
    flagged: AnyArray,
    costs: Costs | None,
    *,
    probabilities: bool,
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Return the ranking measures, and the decision measures of one way to decide."""
    ranked = ranking_values(codes, scores, data.ranking, probabilities=probabilities)
    decided = _decide(data, codes, flagged.astype(np.intp))[0]
    return ranked, decided | (_money(costs, codes == 1, flagged) if costs is not None else {})


def _decide(
    data: "CellData", codes: IntArray, predicted: IntArray
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Decision measures, and the recall of each class by its number."""
    totals = np.bincount(codes, minlength=data.n_classes)
    hits = np.bincount(codes[codes == predicted], minlength=data.n_classes)
    recalls = {
        str(k): float(hits[k] / totals[k]) if totals[k] else None for k in range(data.n_classes)
    }
    return decision_values(codes, predicted, data.decision, data.n_classes), recalls


def _money(costs: Costs, truth: BoolArray, flagged: BoolArray) -> dict[str, float | None]:
    """What a fold's decisions cost and save for every 1,000 rows, and the amount they catch."""
    total, amount = costs.total(truth, flagged), float(costs.fn[truth].sum())
    caught = float(costs.fn[truth & flagged].sum())
    return {
        "cost_per_1000": 1000 * total / truth.size,
        "saved_per_1000": 1000 * (costs.nothing(truth) - total) / truth.size,
        "captured_amount": caught / amount if amount else None,
    }
