"""The protocol of a calibrator: from probabilities and labels to probabilities."""

from abc import abstractmethod
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from imbkit._core.compat import fit_context
from imbkit._core.messages import listing, message, nearest_names
from imbkit._core.types import FloatArray, IntArray
from imbkit.calibration._labels import check_every_class, class_target
from imbkit.calibration._probabilities import check_probabilities
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._counts import check_weight

__all__ = ["BaseCalibrator", "as_calibrator"]

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
        target = class_target(y, who)
        classes, codes = np.unique(target, return_inverse=True)
        checked = check_probabilities(probabilities, classes.size, who, classes)
        if checked.shape[0] != target.size:
            rule = "probabilities and y must have the same number of rows"
            raise DataError(message(who, rule, f"{checked.shape[0]:,} and {target.size:,}"))
        weight = check_weight(sample_weight, target.size, who)
        check_every_class(codes, weight, classes, who)
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
