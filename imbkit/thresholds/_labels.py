"""What the target must be, and which of its two labels is the positive one."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit.exceptions import DataError, ThresholdWarning

__all__ = [
    "binary_target",
    "check_same_classes",
    "check_weighted_classes",
    "describe",
    "positive_label",
]

# Pairs of labels of which everyone takes the second for the positive one.
_USUAL = ((0, 1), (-1, 1))


def binary_target(y: ArrayLike | None, who: str) -> AnyArray:
    """Return the target as an array of one dimension with two labels, or complain."""
    if y is None:
        rule = "requires y to be passed, but the target y is None"
        raise DataError(message(who, rule, todo="Call fit(X, y)"))
    target: AnyArray = column_or_1d(y, warn=True)
    missing = _missing(target)
    if missing.any():
        rule = "the target must not have missing values"
        todo = "Leave these rows out, or fill them in"
        raise DataError(message(who, rule, f"{missing.sum():,} of {target.size:,}", todo))
    kind = type_of_target(target, input_name="y")
    if kind == "unknown":
        rule = "Unknown label type: labels must be numbers, booleans or strings"
        todo = "Convert them, for example with y.astype(int)"
        raise DataError(message(who, rule, f"a target of dtype {target.dtype}", todo))
    if kind != "binary":
        got = f"a {kind} target"
        if kind != "continuous":
            labels = np.unique(target.astype(str))
            got += f" with the {labels.size:,} labels {listing(labels.tolist())}"
        todo = "For one class against the rest call fit(X, y == label), once for each label"
        raise DataError(message(who, "Only binary classification is supported", got, todo))
    labels = np.unique(target)
    if labels.size < 2:
        rule = "the target must have rows of two classes"
        raise DataError(message(who, rule, f"one class only, {listing(labels.tolist())}"))
    return target


def positive_label(target: AnyArray, classes: Sequence[Any], pos_label: Any, who: str) -> Any:
    """Return the positive one of two labels: the given one, the usual one, or the rarer one."""
    if pos_label is not None:
        for label in classes:
            if label == pos_label:
                return label
        rule = f"pos_label must be one of the labels {listing(classes)}"
        raise DataError(message(who, rule, listing([pos_label])))
    if tuple(classes) in _USUAL:
        return classes[1]
    counts = [int(np.count_nonzero(target == label)) for label in classes]
    chosen, other = (0, 1) if counts[0] < counts[1] else (1, 0)
    rule = "pos_label should be given where the labels are not 0 and 1 or -1 and 1"
    got = f"{describe(classes, counts)}; {classes[chosen]!r} is taken, the rarer one"
    if counts[0] == counts[1]:
        got = f"{describe(classes, counts)}; {classes[chosen]!r} is taken, the last in order"
    todo = f"Pass pos_label={classes[chosen]!r} or pos_label={classes[other]!r}"
    warnings.warn(message(who, rule, got, todo), ThresholdWarning, stacklevel=4)
    return classes[chosen]


def describe(classes: Sequence[Any], counts: Sequence[int]) -> str:
    """Return the labels with their numbers of rows."""
    return " and ".join(f"{c!r} ({n:,} rows)" for c, n in zip(classes, counts, strict=True))


def check_weighted_classes(positive: BoolArray, weight: FloatArray | None, who: str) -> None:
    """Refuse weights that take a whole class away."""
    if weight is not None and not (weight[positive].any() and weight[~positive].any()):
        rule = "rows of both classes must have a positive weight"
        raise DataError(message(who, rule, "one class with weight 0 only"))


def check_same_classes(estimator: Any, labels: Sequence[Any], who: str) -> None:
    """Refuse an estimator that was fitted on other labels."""
    known = np.asarray(estimator.classes_).tolist()
    if len(known) != 2 or set(known) != set(labels):
        rule = f"the fitted estimator must know the classes {listing(labels)} and no others"
        todo = "Fit it on a target with these two labels"
        raise DataError(message(who, rule, listing(known), todo))


def _missing(target: AnyArray) -> BoolArray:
    if target.dtype.kind == "O":
        return np.array([value is None or value != value for value in target], dtype=bool)
    return np.asarray(target != target)
