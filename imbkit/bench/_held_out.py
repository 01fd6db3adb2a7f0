"""A test table that nothing else touches: checked before the run, scored once after it."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from imbkit._core.columns import is_missing
from imbkit._core.containers import stack, wrap
from imbkit._core.messages import listing, message
from imbkit._core.rng import derive
from imbkit._core.row_hash import row_hashes
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.bench._bootstrap import bootstrap_errors, fold_interval
from imbkit.bench._columns import read_columns
from imbkit.bench._final_model import FinalModel
from imbkit.bench._judge_fold import judge_scores
from imbkit.bench._money import Costs, read_costs
from imbkit.bench._options import COSTS, Options
from imbkit.bench._plan import Plan
from imbkit.bench._schema import MetricCard
from imbkit.bench._schema_money import HeldOut, HeldOutEntry
from imbkit.bench._scores import first_line
from imbkit.exceptions import DataError, ImbkitWarning

__all__ = ["TestTable", "describe_test", "read_test", "score_test"]


@dataclass(frozen=True, slots=True)
class TestTable:
    """The rows of the test table, as the training table's are read."""

    X: Any
    """The features, in the order of the training table's."""
    codes: IntArray
    """Class of each row; those that training lacks are not positive."""
    costs: Costs | None
    unseen: tuple[str, ...]
    """Labels that the training table lacks."""
    repeated: int
    """Rows whose features equal those of a training row."""


def read_test(plan: Plan, options: Options) -> TestTable | None:
    """Return the test table; None if there is none.

    Raises
    ------
    DataError
        If it lacks a column, a column has values of another kind, a class of many was never
        seen, or it has no positive row.
    """
    if options.test is None:
        return None
    given, y = options.test
    table, features = wrap(given, who="test table"), wrap(plan.X, who="compare")
    if hasattr(given, "columns") != hasattr(plan.X, "columns"):
        rule = "both tables must have column names, or neither"
        raise DataError(message("test table", rule, f"{type(given).__name__}"))
    missing = [name for name in features.names if name not in table.names]
    if missing:
        rule = "the test table must have every feature of the training table"
        todo = "Add the columns, or leave them out of the comparison with --drop"
        raise DataError(message("test table", rule, f"none of {listing(missing)}", todo))
    roles = {*plan.taken, *(v for v in (options.costs or {}).values() if isinstance(v, str))}
    extra = [n for n in table.names if n not in features.names and n not in roles]
    if extra:
        rule = "columns that the training table lacks are not used"
        warnings.warn(message("test table", rule, listing(extra)), ImbkitWarning, stacklevel=2)
    codes, unseen = _codes(plan, y)
    if codes.size != table.n_rows:
        rule = "table and target must have the same number of rows"
        got = f"{table.n_rows:,} and {codes.size:,}"
        raise DataError(message("test table", rule, got))
    X = table.select(features.names)
    costs = options.costs or {}
    words = [costs.get(key) for key in COSTS]
    by_row = any(value is not None and np.ndim(value) for value in words)
    return TestTable(
        X=X.native,
        codes=codes,
        costs=None if by_row else read_costs(given, *words, n_rows=codes.size),
        unseen=unseen,
        repeated=_repeated(features, X),
    )


def _codes(plan: Plan, y: ArrayLike) -> tuple[IntArray, tuple[str, ...]]:
    """Return the class of each label, and the labels that training lacks."""
    labels = np.asarray(y).reshape(-1)
    missing = is_missing(labels)
    if missing.any():
        rule = "the target must be known for every row of the test table"
        got = f"{int(missing.sum()):,} missing of {labels.size:,}"
        raise DataError(message("test table", rule, got, "Drop those rows"))
    classes = {value: k for k, values in enumerate(plan.target.values) for value in values}
    found = [classes.get(value, -1) for value in labels.tolist()]
    codes = np.array(found, dtype=np.intp)
    unseen = tuple(sorted({str(v) for v, k in zip(labels.tolist(), found, strict=True) if k < 0}))
    binary = plan.target.kind == "binary"
    if unseen and not binary:
        rule = "the test table must have no class that the training table lacks"
        todo = "Drop those rows, or name the positive class"
        raise DataError(message("test table", rule, listing(unseen), todo))
    codes[codes < 0] = 0
    if np.unique(codes).size < 2:
        rule = "the test table must have rows of more than one class"
        got = f"{labels.size:,} rows of {plan.target.labels[int(codes[0])] if codes.size else '-'}"
        if unseen:
            got += f", with the labels {listing(unseen)} that the training table lacks"
        raise DataError(message("test table", rule, got))
    return codes, unseen


def _repeated(features: Any, test: Any) -> int:
    """Count the test rows that equal a training row in every feature."""
    try:
        both = read_columns(stack([features, test]).native)
    except Exception as error:  # pandas and polars complain in ways of their own
        rule = "both tables must be of one library, and each column of one kind in both"
        todo = "Read both tables in the same way, or convert the column"
        raise DataError(message("test table", rule, first_line(error).rstrip("."), todo)) from error
    hashes = row_hashes(both.matrix)
    return int(np.isin(hashes[features.n_rows :], hashes[: features.n_rows]).sum())


def describe_test(plan: Plan, test: TestTable, name: str) -> HeldOut:
    """Return the card of a test table that no model was scored on yet."""
    binary = plan.target.kind == "binary"
    rare = 1 if binary else int(np.bincount(plan.data.codes).argmin())
    return HeldOut(
        name=name,
        rows=test.codes.size,
        positives=int(np.count_nonzero(test.codes == rare)),
        unseen_labels=list(test.unseen),
        repeated_rows=test.repeated,
        entries=[],
    )


def score_test(
    plan: Plan,
    test: TestTable,
    models: Iterable[tuple[str, BaseEstimator, FinalModel]],
    cards: dict[str, MetricCard],
) -> list[HeldOutEntry]:
    """Score fitted models on the test table.

    Parameters
    ----------
    plan : Plan
        What was compared.
    test : TestTable
        The rows.
    models : iterable of (entry id, fitted model, FinalModel)
        The models, and what they decide by.
    cards : dict
        Metric -> card, for the ranges of intervals.
    """
    return [_score(plan, test, entry, model, final, cards) for entry, model, final in models]


def _score(
    plan: Plan,
    test: TestTable,
    entry: str,
    model: BaseEstimator,
    final: FinalModel,
    cards: dict[str, MetricCard],
) -> HeldOutEntry:
    scores, probabilities = _scores(plan, model, test.X, final.pos_label)
    policy, cut = plan.decision_policy, final.threshold
    flagged: AnyArray
    if cut is None:
        policy, weighed, weights = "argmax", scores, final.class_weights
        if weights is not None:
            policy = "tuned"
            weighed = scores * [weights[values[0]] for values in plan.target.values]
        flagged = weighed.argmax(axis=1)
    elif policy == "budget" and plan.data.budget is not None:
        order = row_hashes(read_columns(test.X).matrix)
        share = plan.data.budget.share
        budget = replace(
            plan.data.budget,
            alerts=max(share * test.codes.size, 1.0),
            n_rows=test.codes.size,
            order=order,
            day=None,
            entity=None,
        )
        flagged = budget.flags(np.arange(test.codes.size), scores)
    else:
        flagged = scores >= cut
    ranked, decided = judge_scores(
        plan.data, test.codes, scores, flagged, test.costs, probabilities=probabilities
    )
    rank_errors, errors = bootstrap_errors(
        test.codes,
        scores,
        {policy: flagged},
        ranking=list(ranked),
        decision=plan.data.decision,
        probabilities=probabilities,
        groups=None,
        costs=test.costs,
        seed=derive(plan.data.seed, "test"),
    )
    values, every = ranked | decided, rank_errors | errors[policy]
    low: dict[str, float | None] = {}
    high: dict[str, float | None] = {}
    for name, value in values.items():
        if value is not None and (error := every.get(name)) is not None and name in cards:
            card = cards[name]
            low[name], high[name] = fold_interval(value, [[error]], card["low"], card["high"])
    by_threshold = cut is not None and np.isfinite(cut) and policy != "budget"
    shown = cut if by_threshold else None
    return HeldOutEntry(id=entry, policy=policy, threshold=shown, scores=values, low=low, high=high)


def _scores(plan: Plan, model: Any, X: Any, positive: Any) -> tuple[FloatArray, bool]:
    """Return scores with a column a class code, or of the positive class of two."""
    probabilities = hasattr(model, "predict_proba")
    raw = np.asarray(model.predict_proba(X) if probabilities else model.decision_function(X))
    classes = list(np.asarray(model.classes_).tolist())
    if plan.target.kind == "binary":
        place = classes.index(positive)
        if raw.ndim == 2:
            return raw[:, place], probabilities
        return raw if place == 1 else -raw, probabilities
    order = [classes.index(values[0]) for values in plan.target.values]
    return raw[:, order], probabilities
