"""What a cost matrix must be, and which classes it leaves no choice about."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message, shorten
from imbkit._core.types import FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import InvalidParameterError, ThresholdWarning
from imbkit.thresholds._label_metric import check_names

__all__ = ["check_cost_matrix", "warn_if_decided"]


def check_cost_matrix(
    cost_matrix: ArrayLike, n_classes: int, who: str, classes: Sequence[Any] | None = None
) -> FloatArray:
    """Return the matrix as floats of shape (n_classes, n_classes), or complain.

    The names of a frame are looked at if the classes are given.
    """
    if classes is not None:
        check_names(cost_matrix, classes, "costs", who)
    try:
        matrix = np.asarray(cost_matrix, dtype=float)
    except (TypeError, ValueError):
        rule = "cost_matrix must hold numbers, as many in each row as there are classes"
        raise InvalidParameterError(message(who, rule, cost_matrix)) from None
    if matrix.shape != (n_classes, n_classes):
        rule = f"cost_matrix must be {n_classes} x {n_classes} for {n_classes} classes"
        raise InvalidParameterError(message(who, rule, f"shape {matrix.shape}"))
    if not np.isfinite(matrix).all():
        rule = "cost_matrix must be finite"
        todo = "Write a large number for an error that must not happen"
        got = f"{matrix[~np.isfinite(matrix)][0]}"
        raise InvalidParameterError(message(who, rule, got, todo))
    return matrix


def warn_if_decided(matrix: FloatArray, classes: Sequence[Any], who: str) -> None:
    """Warn of a class that is the cheapest whatever the truth, or of classes that never are."""
    always = [i for i, row in enumerate(matrix) if (row <= matrix).all()]
    if always:
        rule = "the probabilities should matter to a decision by cost_matrix"
        chosen = shorten(classes[always[0]])
        got = f"costs with which predicting {chosen} is never dearer than any other class"
        text = message(who, rule, got, f"Check the row of {chosen}, axis 0 being the prediction")
        warn(text, ThresholdWarning)
        return
    never = [i for i in range(len(matrix)) if _is_dominated(matrix, i)]
    if never:
        names = listing([classes[i] for i in never])
        rule = "every class should be the cheapest to predict in some case"
        got = f"costs with which another class is never dearer than {names}"
        todo = "It will not be predicted; check its row, axis 0 being the prediction"
        warn(message(who, rule, got, todo), ThresholdWarning)


def _is_dominated(matrix: FloatArray, i: int) -> bool:
    """Whether some other row is nowhere above row i, and somewhere below or earlier."""
    others = np.delete(np.arange(len(matrix)), i)
    nowhere_above = (matrix[others] <= matrix[i]).all(axis=1)
    somewhere_below = (matrix[others] < matrix[i]).any(axis=1)
    return bool((nowhere_above & (somewhere_below | (others < i))).any())
