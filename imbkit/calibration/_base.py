"""The protocol of a calibrator: from probabilities and labels to probabilities."""

from abc import abstractmethod
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags, column_or_1d
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from imbkit._core.compat import fit_context
from imbkit._core.messages import listing, message, nearest_names
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._counts import check_weight

__all__ = [
    "FLOOR",
    "BaseCalibrator",
    "as_calibrator",
    "check_labels",
    "check_probabilities",
    "log_probabilities",
]

FLOOR = 2.0**-52
"""Probabilities below this count as this where a logarithm is taken."""

_SUM_TOLERANCE = 1e-6

_NAMED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sigmoid": ("_sigmoid", "SigmoidCalibrator", {}),
    "beta": ("_beta", "BetaCalibrator", {}),
    "isotonic": ("_isotonic", "IsotonicCalibrator", {}),
    "temperature": ("_scaling", "ScalingCalibrator", {"scaling": "temperature"}),
    "bias_corrected": ("_scaling", "ScalingCalibrator", {"scaling": "bias_corrected"}),
    "vector": ("_scaling", "ScalingCalibrator", {"scaling": "vector"}),
}


class BaseCalibrator(BaseEstimator):
    """Learn a map from probabilities to probabilities on rows the model has not seen.

    A subclass writes `_fit_map` and `_map`; the checks are done here. Both get probabilities
    of shape (n_rows, n_classes), also where one column was given.
    """

    _parameter_constraints: dict[str, Any] = {}

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, probabilities: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn the map.

        Parameters
        ----------
        probabilities : array-like of shape (n_rows, n_classes) or (n_rows,)
            Probabilities of rows that the model was not trained on, columns in the order of
            the sorted labels; of one dimension, those of the second of two classes.
        y : array-like of shape (n_rows,)
            Labels, at least one row of every class.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; an integer weight counts as so many rows.

        Returns
        -------
        BaseCalibrator
            The fitted calibrator.

        Raises
        ------
        DataError
            If the probabilities or the labels are not what is said above.
        """
        who = type(self).__name__
        target = check_labels(y, who)
        classes, codes = np.unique(target, return_inverse=True)
        if classes.size < 2:
            rule = "the rows must be of two classes at least"
            got = f"one class only, {listing(classes.tolist())}"
            raise DataError(message(who, rule, got, "Calibrate on rows of every class"))
        checked = check_probabilities(probabilities, classes.size, who, classes)
        if checked.shape[0] != target.size:
            rule = "probabilities and y must have the same number of rows"
            raise DataError(message(who, rule, f"{checked.shape[0]:,} and {target.size:,}"))
        weight = check_weight(sample_weight, target.size, who)
        if weight is not None:
            mass = np.bincount(codes, weights=weight, minlength=classes.size)
            if not mass.all():
                rule = "rows of every class must have a positive weight"
                got = f"weight 0 only for class {listing(classes[mass == 0].tolist())}"
                raise DataError(message(who, rule, got))
        self.classes_ = classes
        self._fit_map(checked, codes, weight)
        return self

    def predict_proba(self, probabilities: ArrayLike) -> FloatArray:
        """Map probabilities.

        Parameters
        ----------
        probabilities : array-like of shape (n_rows, n_classes) or (n_rows,)
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Calibrated probabilities in the order of `classes_`; rows sum to one.
        """
        check_is_fitted(self)
        who = type(self).__name__
        return self._map(check_probabilities(probabilities, len(self.classes_), who, self.classes_))

    @abstractmethod
    def _fit_map(
        self, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
    ) -> None:
        """Learn from checked probabilities (n, K), class codes (n,) and weights (n,)."""

    @abstractmethod
    def _map(self, probabilities: FloatArray) -> FloatArray:
        """Map checked probabilities of shape (n, K)."""

    def __sklearn_tags__(self) -> Tags:
        """Say that the input is no table of features."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags


def as_calibrator(calibration: Any, who: str) -> BaseCalibrator | None:
    """Return the calibrator that is meant, not fitted.

    Parameters
    ----------
    calibration : str, BaseCalibrator or None
        A name ("sigmoid", "beta", "isotonic", "temperature", "bias_corrected", "vector") or a
        calibrator, which is cloned; None means none.
    who : str
        The class that messages speak for.

    Returns
    -------
    BaseCalibrator or None
        A new object.

    Raises
    ------
    InvalidParameterError
        If it is none of these.
    """
    if calibration is None:
        return None
    if isinstance(calibration, BaseCalibrator):
        copy: BaseCalibrator = clone(calibration)
        return copy
    if isinstance(calibration, str) and calibration in _NAMED:
        # Looked up by name, as the modules of the calibrators import this one.
        module, name, parameters = _NAMED[calibration]
        cls: type[BaseCalibrator] = getattr(import_module(f"imbkit.calibration.{module}"), name)
        return cls(**parameters)
    rule = f"calibration must be None, a calibrator, or one of {listing(_NAMED, len(_NAMED))}"
    near = nearest_names(calibration, _NAMED) if isinstance(calibration, str) else []
    todo = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise InvalidParameterError(message(who, rule, calibration, todo))


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
        The values as given; rows sum to one within 1e-6.

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
        raise DataError(message(who, rule, got)) from error
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
        raise DataError(message(who, rule, f"{bad:,} such values in {values.size:,}"))
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        rule = "probabilities must lie between 0 and 1"
        todo = "Pass what predict_proba returns, not decision values"
        raise DataError(message(who, rule, f"values from {low:.6g} to {high:.6g}", todo))
    if one_column:
        return np.column_stack((1 - values, values))
    gap = np.abs(values.sum(axis=1) - 1)
    if gap.max() > _SUM_TOLERANCE:
        row = int(gap.argmax())
        rule = f"the probabilities of a row must sum to one within {_SUM_TOLERANCE:g}"
        got = f"{values[row].sum():.9g} in row {row}"
        raise DataError(message(who, rule, got, "Divide each row by its sum"))
    return values


def log_probabilities(probabilities: FloatArray) -> FloatArray:
    """Logarithms, finite also of 0 (which counts as `FLOOR`)."""
    return np.asarray(np.log(np.maximum(probabilities, FLOOR)))


def check_labels(y: ArrayLike | None, who: str) -> AnyArray:
    """Return labels as an array of one dimension."""
    if y is None:
        raise DataError(message(who, "requires y to be passed, but the target y is None"))
    target: AnyArray = column_or_1d(y, warn=True)
    if target.dtype.kind == "O":
        missing = np.array([each is None or each != each for each in target], dtype=bool)
    else:
        missing = np.asarray(target != target)
    if missing.any():
        rule = "the labels must not be missing"
        raise DataError(message(who, rule, f"{missing.sum():,} of {target.size:,}"))
    kind = type_of_target(target, input_name="y")
    if kind not in ("binary", "multiclass"):
        rule = "Unknown label type: labels must be classes"
        raise DataError(message(who, rule, f"a {kind} target", "Convert them to integers or text"))
    return target
