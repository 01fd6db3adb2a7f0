"""Predicted probabilities, checked and put into one form."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError
from imbkit.metrics._classwise import classes_of_columns
from imbkit.metrics._confusion import check_targets, positive_label
from imbkit.metrics._counts import check_weight

__all__ = ["Probabilities", "check_probabilities", "refuse_other_than_probabilities"]

# Rows written with four digits, or computed in half precision, still sum to one.
_SLACK = 1e-3
# What float32 arithmetic may leave beyond 0 and 1.
_ROUNDING = 1e-6


class Probabilities(NamedTuple):
    """Class numbers (n,), probabilities (n, K), weights (n,) above zero, classes (K,).

    `two_sided` says that one column was given: class 0 is then all but the positive one.
    """

    codes: IntArray
    matrix: FloatArray
    weight: FloatArray
    classes: AnyArray
    two_sided: bool


def check_probabilities(
    who: str,
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None,
    pos_label: object,
    sample_weight: ArrayLike | None,
) -> Probabilities:
    """Return probabilities of all classes, of the rows that weigh at all, or complain."""
    column = refuse_other_than_probabilities(who, y_prob)
    truth, _, present = check_targets(who, y_true, y_true)
    if column.shape[0] != truth.size:
        rule = "y_true and y_prob must have the same length"
        raise DataError(message(who, rule, f"{truth.size:,} and {column.shape[0]:,} rows"))
    if column.ndim == 1:
        positive = positive_label(who, present, pos_label)
        codes = (truth == positive).astype(np.intp)
        matrix = np.column_stack((1.0 - column, column))
        classes = np.array([False, True])
    else:
        classes = classes_of_columns(who, labels, present, column.shape[1])
        off = np.abs(column.sum(axis=1) - 1.0)
        if (off > _SLACK).any():
            rule = "the probabilities of each row must sum to 1"
            got = f"a sum of {column[off.argmax()].sum():.6g} in row {int(off.argmax()):,}"
            raise DataError(message(who, rule, got))
        order = np.argsort(classes)
        codes = order[np.searchsorted(classes, truth, sorter=order)]
        matrix = column
    weight = check_weight(sample_weight, truth.size, who)
    weight = np.ones(truth.size) if weight is None else weight
    if not weight.all():
        used = weight > 0
        codes, matrix, weight = codes[used], matrix[used], weight[used]
    return Probabilities(codes, matrix, weight, classes, column.ndim == 1)


def refuse_other_than_probabilities(who: str, y_prob: ArrayLike) -> FloatArray:
    """Return one or two axes of numbers from 0 to 1, or complain."""
    values = np.asarray(y_prob, dtype=float)
    if values.ndim not in (1, 2) or not values.size:
        rule = "y_prob must have one column, or one column a class, and not be empty"
        raise DataError(message(who, rule, f"shape {values.shape}"))
    good = (values >= -_ROUNDING) & (values <= 1.0 + _ROUNDING)
    if not good.all():
        rule = "y_prob must hold probabilities, from 0 to 1 and not NaN"
        got = f"{int((~good).sum()):,} other values, the first {values[~good][0]:.6g}"
        todo = "Scores that are no probabilities need a calibrator first"
        raise DataError(message(who, rule, got, todo))
    return np.asarray(np.clip(values, 0.0, 1.0))
