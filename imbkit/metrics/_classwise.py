"""A measure of one class's scores, for two classes or for each of many against the rest."""

from collections.abc import Callable
from numbers import Real
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._confusion import check_labels, check_targets, positive_label
from imbkit.metrics._counts import check_ranking, check_weight

__all__ = [
    "Measure",
    "against_the_rest",
    "averaged",
    "check_average",
    "check_zero_division",
    "classes_of_columns",
    "one_class",
]

# Which rows are positive, their scores, their weights (all above zero) -> the value.
Measure: TypeAlias = Callable[[BoolArray, FloatArray, FloatArray], float]

AVERAGES = ("macro", "weighted", None)


def against_the_rest(
    who: str,
    measure: Measure,
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    labels: ArrayLike | None,
    pos_label: object,
    average: str | None,
    sample_weight: ArrayLike | None,
    zero_division: float,
) -> float | FloatArray:
    """Measure the positive class of a column of scores, or each class of a matrix of them."""
    check_average(who, average)
    check_zero_division(who, zero_division)
    scores = np.asarray(y_score)
    if scores.ndim != 2:
        rows = one_class(who, y_true, scores, pos_label, sample_weight)
        return _measured(measure, *rows, zero_division)
    truth, _, present = check_targets(who, y_true, y_true)
    classes = classes_of_columns(who, labels, present, scores.shape[1])
    values, support = np.empty(classes.size), np.empty(classes.size)
    for k, label in enumerate(classes.tolist()):
        rows = _weighed(who, truth == label, scores[:, k], sample_weight)
        values[k] = _measured(measure, *rows, zero_division)
        support[k] = rows[2][rows[0]].sum()
    return averaged(values, average, support)


def one_class(
    who: str,
    y_true: ArrayLike,
    y_score: ArrayLike,
    pos_label: object,
    sample_weight: ArrayLike | None,
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Return which rows are positive, their scores and weights, of the rows that weigh at all."""
    truth, _, present = check_targets(who, y_true, y_true)
    return _weighed(who, truth == positive_label(who, present, pos_label), y_score, sample_weight)


def averaged(values: FloatArray, average: str | None, support: FloatArray) -> float | FloatArray:
    """Average one value a class, leaving out NaN, which `zero_division` may ask for."""
    if average is None:
        return values
    defined = ~np.isnan(values)
    if not defined.any():
        return float("nan")
    if average == "weighted" and support[defined].any():
        return float(np.average(values[defined], weights=support[defined]))
    return float(values[defined].mean())


def classes_of_columns(
    who: str, labels: ArrayLike | None, present: AnyArray, n_columns: int
) -> AnyArray:
    """Return the class of each column of a matrix of scores."""
    classes = present if labels is None else check_labels(who, labels, present)
    if classes.size != n_columns:
        rule = "y_score must have one column for each class"
        got = f"{n_columns:,} columns and the classes {listing(classes.tolist())}"
        todo = "Pass labels=, the classes in the order of the columns (the model's classes_)"
        raise DataError(message(who, rule, got, todo))
    missing = np.setdiff1d(present, classes)
    if missing.size:
        rule = "labels must name every class that occurs"
        raise DataError(message(who, rule, f"no column for {listing(missing.tolist())}"))
    return classes


def check_average(who: str, average: str | None) -> None:
    """Refuse an average that a measure of scores does not have."""
    if average not in AVERAGES:
        rule = f"average must be one of {listing(AVERAGES)}"
        raise InvalidParameterError(message(who, rule, average))


def check_zero_division(who: str, value: float) -> None:
    """Refuse a value for an empty class that is no number from 0 to 1 and not NaN."""
    if isinstance(value, bool) or not isinstance(value, Real) or value < 0 or value > 1:
        rule = "zero_division must be a number between 0 and 1, or NaN"
        raise InvalidParameterError(message(who, rule, value))


def _weighed(
    who: str, positive: BoolArray, y_score: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Check the rows, and leave out those of no weight: they are no rows at all."""
    positive, score, _ = check_ranking(who, positive, y_score, None)
    weight = check_weight(sample_weight, score.size, who)
    if weight is None:
        return positive, score, np.ones(score.size)
    if weight.all():
        return positive, score, weight
    used = weight > 0
    return positive[used], score[used], weight[used]


def _measured(
    measure: Measure,
    positive: BoolArray,
    score: FloatArray,
    weight: FloatArray,
    zero_division: float,
) -> float:
    """Measure, unless one of the two classes has no row."""
    if positive.all() or not positive.any():
        return float(zero_division)
    return float(measure(positive, score, weight))
