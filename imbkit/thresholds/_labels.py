"""What the target must be, and which of two labels is the positive one."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from imbkit._core.messages import listing, message
from imbkit._core.out_of_fold import describe
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ThresholdWarning

__all__ = [
    "TargetKind",
    "check_same_classes",
    "check_weighted",
    "check_weighted_classes",
    "missing_in",
    "positive_label",
    "read_target",
]

TargetKind = Literal["binary", "multiclass", "multilabel"]

# Pairs of labels of which everyone takes the second for the positive one.
_USUAL = ((0, 1), (-1, 1))


def read_target(y: ArrayLike | None, who: str) -> tuple[AnyArray, TargetKind]:
    """Return the target and what it is, or complain.

    Of two or more classes it has shape (n_rows,), of several labels a row (n_rows, n_labels).
    """
    if y is None:
        rule = "requires y to be passed, but the target y is None"
        raise DataError(message(who, rule, todo="Call fit(X, y)"))
    if issparse(y) or _has_columns(np.asarray(y)):
        return _label_indicator(y, who), "multilabel"
    target: AnyArray = column_or_1d(y, warn=True)
    missing = missing_in(target)
    if missing.any():
        rule = "the target must not have missing values"
        todo = "Leave these rows out, or fill them in"
        raise DataError(message(who, rule, f"{missing.sum():,} of {target.size:,}", todo))
    kind = type_of_target(target, input_name="y")
    if kind not in ("binary", "multiclass"):
        rule = "Unknown label type: labels must be classes, as whole numbers, booleans or strings"
        todo = "Convert them, for example with y.astype(int)"
        raise DataError(message(who, rule, f"a target of dtype {target.dtype} ({kind})", todo))
    labels = np.unique(target)
    if labels.size < 2:
        rule = "the target must have rows of two classes"
        got = f"one class only, {listing(labels.tolist())}"
        raise DataError(message(who, rule, got, "Get rows of another class"))
    return target, "binary" if labels.size == 2 else "multiclass"


def positive_label(target: AnyArray, classes: Sequence[Any], pos_label: Any, who: str) -> Any:
    """Return the positive one of two labels: the given one, the usual one, or the rarer one."""
    if pos_label is not None:
        for label in classes:
            if label == pos_label:
                return label
        rule = f"pos_label must be one of the labels {listing(classes)}"
        todo = "Pass one of them as it is written in the target"
        raise DataError(message(who, rule, listing([pos_label]), todo))
    if tuple(classes) in _USUAL:
        return classes[1]
    counts = [int(np.count_nonzero(target == label)) for label in classes]
    chosen, other = (0, 1) if counts[0] < counts[1] else (1, 0)
    rule = "pos_label should be given where the labels are not 0 and 1 or -1 and 1"
    got = f"{describe(classes, counts)}; {classes[chosen]!r} is taken, the rarer one"
    if counts[0] == counts[1]:
        got = f"{describe(classes, counts)}; {classes[chosen]!r} is taken, the last in order"
    todo = f"Pass pos_label={classes[chosen]!r} or pos_label={classes[other]!r}"
    warn(message(who, rule, got, todo), ThresholdWarning)
    return classes[chosen]


def check_weighted_classes(positive: BoolArray, weight: FloatArray | None, who: str) -> None:
    """Refuse weights that take a whole class away."""
    if weight is not None and not (weight[positive].any() and weight[~positive].any()):
        rule = "rows of both classes must have a positive weight"
        raise DataError(message(who, rule, "one class with weight 0 only"))


def check_weighted(
    codes: IntArray, classes: Sequence[Any], weight: FloatArray | None, who: str
) -> None:
    """Refuse weights that take one of many classes away."""
    if weight is None:
        return
    mass = np.bincount(codes, weight, len(classes))
    if not mass.all():
        rule = "rows of every class must have a positive weight"
        absent = [label for label, own in zip(classes, mass, strict=True) if not own]
        raise DataError(message(who, rule, f"weight 0 only for class {listing(absent)}"))


def check_same_classes(estimator: Any, labels: Sequence[Any], who: str) -> None:
    """Refuse an estimator that was fitted on other labels."""
    known = np.asarray(estimator.classes_).tolist()
    if len(known) != len(labels) or set(known) != set(labels):
        rule = f"the fitted estimator must know the classes {listing(labels)} and no others"
        todo = "Fit it on a target with these labels"
        raise DataError(message(who, rule, listing(known), todo))


def missing_in(values: AnyArray) -> BoolArray:
    """Return which values of an array of any dtype are missing."""
    if values.dtype.kind == "O":
        return np.array([value is None or value != value for value in values], dtype=bool)
    return np.asarray(values != values)


def _has_columns(values: AnyArray) -> bool:
    return values.ndim == 2 and values.shape[1] > 1


def _label_indicator(y: Any, who: str) -> AnyArray:
    """Return several labels a row as zeros and ones."""
    table = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    if table.ndim != 2 or type_of_target(table, input_name="y") != "multilabel-indicator":
        rule = "a target with several columns must hold 0 and 1, one column a label"
        todo = "Pass one column of classes, or scikit-learn's MultiLabelBinarizer's output"
        raise DataError(message(who, rule, f"shape {table.shape}, dtype {table.dtype}", todo))
    return table.astype(np.intp)
