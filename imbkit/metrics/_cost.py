"""Metrics in money: what decisions cost, and what they save."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._confusion import check_labels, check_targets, positive_label
from imbkit.metrics._counts import check_weight

__all__ = ["expected_cost", "savings_score"]


def expected_cost(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    fp: ArrayLike = 1.0,
    fn: ArrayLike = 1.0,
    tp: ArrayLike = 0.0,
    tn: ArrayLike = 0.0,
    cost_matrix: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    normalize: Literal["row", "constant"] | None = "row",
) -> float:
    """Cost of the decisions; smaller is better.

    Choose it over every other metric when the costs of errors are known. For two classes
    give the cost of each outcome, one number or one a row: for card fraud, ``fp`` is the price
    of a call and ``fn`` the amount of each transaction. For more classes give a matrix.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    fp, fn, tp, tn : float or array-like of shape (n_rows,)
        Cost of a false alarm, a miss, a hit and a row rightly left alone, by default 1, 1, 0
        and 0. A gain is a negative cost. In an array only the entries of the rows that have,
        or could have had, this outcome are used.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        ``cost_matrix[i, j]`` is the cost of predicting class i (axis 0) when the truth is
        class j (axis 1). Replaces the four costs above. Note that confusion matrices are
        usually written with the truth on axis 0.
    labels : array-like of shape (n_classes,), default=None
        The classes of `cost_matrix` in order; by default the sorted labels that occur.
    pos_label : str, bool or int, default=1
        The positive class, when there is no `cost_matrix`.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    normalize : {"row", "constant"} or None, default="row"
        "row": cost per row (per unit of weight). "constant": divided by the cost of the
        cheapest decision that is the same for all rows, such as alerting nothing; below 1
        the predictions are worth having. None: the total.

    Returns
    -------
    float
        The cost.

    Raises
    ------
    DataError
        If the labels, their lengths, a cost a row or the weights cannot be used, or with
        ``normalize="constant"`` if the cheapest constant decision does not cost anything.
    InvalidParameterError
        If `cost_matrix` has a wrong shape or stands beside the other costs.

    See Also
    --------
    savings_score : One minus the cost with ``normalize="constant"``.

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.

    Examples
    --------
    >>> from imbkit.metrics import expected_cost
    >>> y_true, y_pred = [0, 0, 0, 1, 1], [0, 0, 1, 1, 0]
    >>> expected_cost(y_true, y_pred, fp=2.0, fn=[0, 0, 0, 500.0, 20.0])
    4.4
    >>> expected_cost(
    ...     ["a", "b", "c"], ["a", "c", "c"], cost_matrix=[[0, 1, 1], [1, 0, 1], [9, 9, 0]]
    ... )
    3.0
    """
    if normalize not in ("row", "constant", None):
        rule = "normalize must be 'row', 'constant' or None"
        raise InvalidParameterError(message("expected_cost", rule, normalize))
    truth, guess, present = check_targets("expected_cost", y_true, y_pred)
    weight = check_weight(sample_weight, truth.size, "expected_cost")
    weight = np.ones(truth.size) if weight is None else weight
    costs = {"fp": fp, "fn": fn, "tp": tp, "tn": tn}
    if cost_matrix is None:
        if labels is not None:
            rule = "labels= belongs to cost_matrix="
            raise InvalidParameterError(message("expected_cost", rule, "labels alone"))
        positive = positive_label("expected_cost", present, pos_label)
        bill = _bill_of_outcomes(truth == positive, guess == positive, weight, costs)
    else:
        _refuse_both(costs)
        classes = present if labels is None else check_labels("expected_cost", labels, present)
        matrix = _check_matrix(cost_matrix, classes.size)
        order = np.argsort(classes)
        unknown = np.setdiff1d(present, classes)
        if unknown.size:
            rule = "labels must name every class that occurs"
            got = f"no entry for {listing(unknown.tolist())}"
            raise DataError(message("expected_cost", rule, got))
        guessed = order[np.searchsorted(classes, guess, sorter=order)]
        true = order[np.searchsorted(classes, truth, sorter=order)]
        bill = _bill_of_classes(guessed, true, weight, matrix)
    if normalize == "row":
        return bill.total / float(weight.sum())
    return bill.total if normalize is None else bill.total / _cheapest(bill)


def savings_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    fp: ArrayLike = 1.0,
    fn: ArrayLike = 1.0,
    tp: ArrayLike = 0.0,
    tn: ArrayLike = 0.0,
    cost_matrix: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of the cost of the cheapest constant decision that is saved; larger is better.

    Choose it to say what a model is worth: 1 is perfect if right decisions are free, 0 is no
    better than the cheaper of alerting nothing and alerting everything, below 0 is worse.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    fp, fn, tp, tn : float or array-like of shape (n_rows,)
        Cost of a false alarm, a miss, a hit and a row rightly left alone, by default 1, 1, 0
        and 0.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        ``cost_matrix[i, j]`` is the cost of predicting class i when the truth is class j.
    labels : array-like of shape (n_classes,), default=None
        The classes of `cost_matrix` in order.
    pos_label : str, bool or int, default=1
        The positive class, when there is no `cost_matrix`.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    float
        The savings, at most 1 unless a cost is negative.

    Raises
    ------
    DataError
        As :func:`expected_cost`; also if the cheapest constant decision costs nothing.
    InvalidParameterError
        As :func:`expected_cost`.

    See Also
    --------
    expected_cost : The cost itself.

    References
    ----------
    A. C. Bahnsen, D. Aouada, B. Ottersten, "Example-dependent cost-sensitive decision trees",
    Expert Systems with Applications 42, 2015, doi:10.1016/j.eswa.2015.04.042.

    Examples
    --------
    >>> from imbkit.metrics import savings_score
    >>> y_true, y_pred = [0, 0, 0, 1, 1], [0, 0, 1, 1, 0]
    >>> savings_score(y_true, y_pred, fp=2.0, fn=[0, 0, 0, 500.0, 22.0])
    -3.0
    >>> savings_score(y_true, y_pred, fp=20.0, fn=[0, 0, 0, 500.0, 10.0])
    0.5
    """
    return 1.0 - expected_cost(
        y_true,
        y_pred,
        fp=fp,
        fn=fn,
        tp=tp,
        tn=tn,
        cost_matrix=cost_matrix,
        labels=labels,
        pos_label=pos_label,
        sample_weight=sample_weight,
        normalize="constant",
    )


@dataclass(frozen=True, slots=True)
class _Bill:
    """Total cost of the decisions, and of each decision that is the same for all rows."""

    total: float
    constant: FloatArray


def _bill_of_outcomes(
    positive: BoolArray, alert: BoolArray, weight: FloatArray, costs: dict[str, ArrayLike]
) -> _Bill:
    a_row = {name: _check_cost(name, cost, weight.size) for name, cost in costs.items()}
    if_alerted = weight * np.where(positive, a_row["tp"], a_row["fp"])
    if_quiet = weight * np.where(positive, a_row["fn"], a_row["tn"])
    total = float(np.where(alert, if_alerted, if_quiet).sum())
    return _Bill(total, np.array([if_quiet.sum(), if_alerted.sum()]))


def _bill_of_classes(
    guess: IntArray, truth: IntArray, weight: FloatArray, matrix: FloatArray
) -> _Bill:
    class_weight = np.bincount(truth, weight, len(matrix))
    return _Bill(float(weight @ matrix[guess, truth]), matrix @ class_weight)


def _cheapest(bill: _Bill) -> float:
    cheapest = float(bill.constant.min())
    if cheapest > 0:
        return cheapest
    rule = "the cheapest decision that is the same for all rows must cost something"
    todo = "Without costs to save from, use normalize='row' or None"
    raise DataError(message("expected_cost", rule, cheapest, todo))


def _check_cost(name: str, cost: ArrayLike, n_rows: int) -> FloatArray:
    values = np.asarray(cost, dtype=float)
    if values.shape not in ((), (n_rows,)):
        rule = f"{name} must be one number, or one for each of the {n_rows:,} rows"
        raise DataError(message("expected_cost", rule, f"shape {values.shape}"))
    if not np.isfinite(values).all():
        rule = f"{name} must be finite"
        raise DataError(message("expected_cost", rule, float(values[~np.isfinite(values)][0])))
    return values


def _check_matrix(cost_matrix: ArrayLike, n_classes: int) -> FloatArray:
    matrix = np.asarray(cost_matrix, dtype=float)
    if matrix.shape != (n_classes, n_classes) or not np.isfinite(matrix).all():
        rule = f"cost_matrix must be finite, {n_classes} x {n_classes} for these classes"
        todo = "Pass labels= where a class has no row"
        raise InvalidParameterError(message("expected_cost", rule, f"shape {matrix.shape}", todo))
    return matrix


def _refuse_both(costs: dict[str, ArrayLike]) -> None:
    usual = {"fp": 1.0, "fn": 1.0, "tp": 0.0, "tn": 0.0}
    given = [name for name, cost in costs.items() if not np.array_equal(cost, usual[name])]
    if given:
        rule = "either cost_matrix or the costs of outcomes may be given"
        raise InvalidParameterError(message("expected_cost", rule, f"both, with {given[0]}="))
