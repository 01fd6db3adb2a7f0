"""What the labels given to ``fit`` must be."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["check_every_class", "check_known", "class_target"]


def class_target(y: ArrayLike | None, who: str) -> AnyArray:
    """Return labels of two classes or more as an array of one dimension, or complain."""
    if y is None:
        rule = "requires y to be passed, but the target y is None"
        raise DataError(message(who, rule, todo="Call fit with the labels as y"))
    target: AnyArray = column_or_1d(y, warn=True)
    if target.dtype.kind == "O":
        odd = np.array([_is_missing(each) for each in target], dtype=bool)
    else:
        odd = ~np.isfinite(target) if target.dtype.kind == "f" else np.asarray(target != target)
    if odd.any():
        rule = "the labels must not be missing, NaN or infinite"
        got = f"{odd.sum():,} such labels in {target.size:,}"
        raise DataError(message(who, rule, got, "Leave these rows out, or fill the labels in"))
    kind = type_of_target(target, input_name="y")
    if kind not in ("binary", "multiclass"):
        rule = "Unknown label type: labels must be classes"
        todo = "Convert them to integers or text, for example with y.astype(int)"
        raise DataError(message(who, rule, f"a {kind} target of dtype {target.dtype}", todo))
    labels = np.unique(target)
    if labels.size < 2:
        rule = "the target must have rows of two classes or more"
        got = f"one class only, {listing(labels.tolist())}"
        raise DataError(message(who, rule, got, "Take a sample with rows of every class"))
    return target


def _is_missing(label: Any) -> bool:
    if label is None:
        return True
    try:
        return bool(label != label)
    except TypeError:
        return True  # the missing value of pandas refuses to be compared


def check_every_class(
    codes: IntArray, weight: FloatArray | None, classes: AnyArray, who: str, which: str = "the rows"
) -> None:
    """Refuse rows that lack a class, or whose weights take a whole class away."""
    rows = np.bincount(codes, minlength=classes.size)
    mass = np.bincount(codes, weights=weight, minlength=classes.size)
    if mass.all():
        return
    rule = f"{which} must be of every class, with a positive weight"
    absent, weightless = classes[rows == 0], classes[(rows > 0) & (mass == 0)]
    got = [f"none of class {listing(absent.tolist())}"] if absent.size else []
    got += [f"weight 0 only for class {listing(weightless.tolist())}"] if weightless.size else []
    todo = "Take more rows or other folds" if absent.size else "Leave these rows out of X and y"
    raise DataError(message(who, rule, " and ".join(got), todo))


def check_known(target: AnyArray, classes: AnyArray, who: str) -> None:
    """Refuse labels that a fitted estimator does not know."""
    unknown = np.setdiff1d(target, classes).tolist()
    if unknown:
        known = listing(np.asarray(classes).tolist())
        rule = f"the fitted estimator must know every class of y. It knows {known}"
        raise DataError(message(who, rule, listing(unknown), "Leave these rows out"))
