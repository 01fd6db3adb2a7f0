"""Probabilities of classes, checked: those that are given, and those of an estimator."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray
from imbkit.exceptions import DataError

__all__ = ["FLOOR", "check_probabilities", "log_probabilities", "probabilities_of"]

FLOOR = 2.0**-52
"""Probabilities below this count as this where a logarithm is taken."""

# As lenient as imbkit.metrics: rows of four digits, or of single precision, are taken, ...
_SLACK = 1e-3
_ROUNDING = 1e-6
# ... and sums are mended that are further from one than double precision leaves them.
_EXACT = 1e-12


def check_probabilities(
    probabilities: ArrayLike, n_classes: int, who: str, classes: AnyArray | None = None
) -> FloatArray:
    """Return probabilities as floats of shape (n_rows, n_classes), or complain.

    Parameters
    ----------
    probabilities : array-like of shape (n_rows, n_classes) or (n_rows,)
        Of one dimension: those of the second of two classes.
    n_classes : int
        Number of classes.
    who : str
        The class that messages speak for.
    classes : ndarray of shape (n_classes,), default=None
        The labels, for the message.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_classes)
        From 0 to 1; rows sum to one: those that miss it by up to 1e-3 are divided by their sum.

    Raises
    ------
    DataError
        If a value is not a number from 0 to 1, the columns are not one for each class, or a
        row does not sum to one.
    """
    try:
        # In one layout, so that a frame and an array give the same sums to the last bit.
        values = np.ascontiguousarray(probabilities, dtype=float)
    except (TypeError, ValueError) as error:
        rule = "probabilities must be an array of numbers"
        got = f"an object of type {type(probabilities).__name__}"
        todo = "Pass what predict_proba returns"
        raise DataError(message(who, rule, got, todo)) from error
    one_column = values.ndim == 1 and n_classes == 2
    if not one_column and (values.ndim != 2 or values.shape[1] != n_classes):
        named = "" if classes is None else f": {listing(np.asarray(classes).tolist())}"
        rule = f"probabilities must have one column for each of the {n_classes} classes{named}"
        todo = "Of two classes, those of the second will do as an array of one dimension"
        raise DataError(message(who, rule, f"shape {values.shape}", todo * (n_classes == 2)))
    if not values.shape[0]:
        raise DataError(message(who, "probabilities must have rows", "none"))
    if not np.isfinite(values).all():
        bad = np.count_nonzero(~np.isfinite(values))
        rule = "probabilities must not be NaN or infinite"
        todo = "Look for missing values or overflow in the input of the model"
        raise DataError(message(who, rule, f"{bad:,} such values in {values.size:,}", todo))
    low, high = float(values.min()), float(values.max())
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        rule = "probabilities must lie between 0 and 1"
        todo = "Pass what predict_proba returns, not decision values"
        raise DataError(message(who, rule, f"values from {low:.6g} to {high:.6g}", todo))
    if low < 0 or high > 1:
        values = np.clip(values, 0.0, 1.0)
    if one_column:
        return np.column_stack((1 - values, values))
    total = values.sum(axis=1)
    gap = np.abs(total - 1)
    worst = int(gap.argmax())
    if gap[worst] > _SLACK:
        rule = f"the probabilities of a row must sum to one within {_SLACK:g}"
        got = f"{total[worst]:.6g} in row {worst}"
        todo = "Pass what predict_proba returns, or divide each row by its sum"
        raise DataError(message(who, rule, got, todo))
    if gap[worst] > _EXACT:
        # Rows that are exact stay as they are, to the last bit.
        values = values / np.where(gap > _EXACT, total, 1.0)[:, np.newaxis]
    return values


def probabilities_of(estimator: Any, X: Any, *, classes: AnyArray, who: str) -> FloatArray:
    """Return an estimator's probabilities of shape (n_rows, n_classes), checked.

    Columns are in the order of `classes`, which need not be the estimator's.
    """
    known, wanted = np.asarray(estimator.classes_).tolist(), np.asarray(classes).tolist()
    if len(known) != len(wanted) or set(known) != set(wanted):
        rule = f"the fitted estimator must know the classes {listing(classes.tolist())} "
        rule += "and no others"
        todo = "Fit it on rows of all of them, and resample none of them away"
        raise DataError(message(who, rule, listing(known), todo))
    found = check_probabilities(estimator.predict_proba(X), len(known), who, classes)
    if known == wanted:
        return found
    return np.asarray(found[:, [known.index(label) for label in wanted]])


def log_probabilities(probabilities: FloatArray) -> FloatArray:
    """Logarithms, finite also of 0 (which counts as `FLOOR`)."""
    return np.asarray(np.log(np.maximum(probabilities, FLOOR)))
