"""Temperature scaling and its kin: one softmax over scaled and shifted logarithms."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import logsumexp, softmax

from imbkit._core.card import Card
from imbkit._core.constraints import StrOptions
from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.calibration._base import BaseCalibrator
from imbkit.calibration._newton import minimise
from imbkit.calibration._probabilities import log_probabilities
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

__all__ = ["ScalingCalibrator"]

_LOWEST, _HIGHEST = 1e-3, 1e3


class ScalingCalibrator(BaseCalibrator):
    """Scale and shift the log-probabilities of all classes together.

    The natural choice for many classes, as it fits one map instead of one for each class
    against the rest. "temperature" only makes the model more or less sure of itself;
    "bias_corrected" also moves the shares of the classes, and is the one to put before an
    estimate of a label shift; "vector" has two parameters a class and needs some hundred
    rows of each.

    Parameters
    ----------
    scaling : {"temperature", "bias_corrected", "vector"}, default="temperature"
        One slope; one slope and an intercept a class; a slope and an intercept a class.
    groups : array-like of shape (n_classes,), default=None
        A label for each class, in the order of the sorted classes, such as
        ``["head", "head", "tail"]``: classes of one group share their slope, in place of
        one slope for all. Not with "vector".

    Attributes
    ----------
    scale_ : ndarray of shape (n_classes,)
        Slope of each class, from 0.001 to 1000.
    bias_ : ndarray of shape (n_classes,)
        Intercept of each class; their mean is 0.
    temperature_ : ndarray of shape (n_classes,)
        ``1 / scale_``.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    See Also
    --------
    SigmoidCalibrator : "bias_corrected" for two classes, with smoothed targets.
    BetaCalibrator : "vector" for two classes, with smoothed targets.
    sklearn.calibration.CalibratedClassifierCV : Its ``method="temperature"`` fits the
        temperature around a classifier.

    Notes
    -----
    p' = softmax(a * log p + b): one a = 1/T and b = 0; one a and free b; free a and b. The
    mean log-loss is convex in (a, b) and is minimised by a projected Newton's method to a
    gradient of 1e-10. Slopes are kept between 0.001 and 1000. There is no finite optimum where
    the map makes no error on its rows, and a warning says so; another one where all slopes end
    at the lower bound, as the probabilities say nothing, or the contrary of the labels.
    Probabilities below 2**-52 are taken for it, also those that are exactly 0.

    A temperature leaves the most probable class as it is; biases, and slopes that differ,
    may change it. Slopes by group are imbkit's own.

    O(n K) a step for the first two, O(n K**2) for "vector"; memory of some n K floats.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
    ICML 2017, PMLR 70, 1321-1330.

    A. Alexandari, A. Kundaje, A. Shrikumar, "Maximum likelihood with bias-corrected calibration
    is hard-to-beat at label shift adaptation", ICML 2020, PMLR 119, 222-232.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.calibration import ScalingCalibrator
    >>> rng = np.random.default_rng(0)
    >>> p = rng.dirichlet([8.0, 3.0, 1.0], size=5000)
    >>> y = (rng.random((5000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    >>> sure = p**3 / (p**3).sum(axis=1, keepdims=True)
    >>> model = ScalingCalibrator().fit(sure, y)
    >>> print(f"{model.temperature_[0]:.1f}")
    3.0
    """

    card = Card(
        paper="Guo et al. (2017), PMLR 70; Alexandari, Kundaje & Shrikumar (2020), PMLR 119",
        cases=({}, {"scaling": "bias_corrected"}, {"scaling": "vector"}),
    )

    _parameter_constraints = {
        "scaling": [StrOptions({"temperature", "bias_corrected", "vector"})],
        "groups": ["array-like", None],
    }

    def __init__(
        self,
        scaling: Literal["temperature", "bias_corrected", "vector"] = "temperature",
        *,
        groups: Sequence[object] | None = None,
    ) -> None:
        self.scaling = scaling
        self.groups = groups

    def _fit_map(
        self, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
    ) -> None:
        """Fit slopes and biases."""
        n_classes = probabilities.shape[1]
        slopes = self._slopes(n_classes)
        biased = self.scaling != "temperature"
        # The first bias stays 0: a constant on all of them changes nothing.
        biases = np.eye(n_classes)[:, 1:] if biased else np.empty((n_classes, 0))
        n_slopes = slopes.shape[1]
        start = np.append(np.ones(n_slopes), np.zeros(biases.shape[1]))
        low = np.append(np.full(n_slopes, _LOWEST), np.full(biases.shape[1], -np.inf))
        high = np.append(np.full(n_slopes, _HIGHEST), np.full(biases.shape[1], np.inf))
        loss = _Loss(log_probabilities(probabilities), codes, weight, slopes, biases)
        found = minimise(loss, start, low, high, type(self).__name__)
        self.scale_ = slopes @ found[:n_slopes]
        self.temperature_ = 1 / self.scale_
        bias = biases @ found[n_slopes:]
        self.bias_ = bias - bias.mean()
        self._warn_if_improper(probabilities, codes, weight)

    def _map(self, probabilities: FloatArray) -> FloatArray:
        """Apply slopes and biases."""
        margin = log_probabilities(probabilities) * self.scale_ + self.bias_
        return np.asarray(softmax(margin, axis=1))

    def _slopes(self, n_classes: int) -> FloatArray:
        """Return which class (rows) has which free slope (columns)."""
        if self.groups is None:
            return np.eye(n_classes) if self.scaling == "vector" else np.ones((n_classes, 1))
        who = type(self).__name__
        if self.scaling == "vector":
            rule = "groups are for one slope a group, but 'vector' has one slope a class"
            raise InvalidParameterError(message(who, rule, self.groups, "Leave groups out"))
        names, group = np.unique(np.asarray(self.groups), return_inverse=True)
        if group.shape != (n_classes,):
            rule = f"groups must hold a label for each of the {n_classes} classes"
            raise DataError(message(who, rule, self.groups))
        return np.eye(names.size)[group]

    def _warn_if_improper(
        self, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
    ) -> None:
        """Say that there is no finite optimum, or that the map is flat."""
        there = np.ones(codes.size, dtype=bool) if weight is None else weight > 0
        right = self._map(probabilities[there]).argmax(axis=1) == codes[there]
        if (self.scale_ <= _LOWEST).all():
            rule = "the probabilities of a class should be larger for its own rows than for others"
            got = "probabilities that say nothing of the classes, or the contrary"
            todo = "They are now almost the same for all rows"
        elif right.all():
            # Larger and larger slopes would then go on improving the loss.
            rule = "the probabilities should not separate the classes without any error"
            got = f"no error in {right.size:,} rows"
            todo = "Calibrate on more rows, and on rows that the model has not seen"
        else:
            return
        text = message(type(self).__name__, rule, got, todo)
        warn(text, ImbkitWarning)


class _Loss:
    """Mean log-loss of softmax(z * slopes + biases), its gradient and Hessian."""

    def __init__(
        self,
        z: FloatArray,
        codes: IntArray,
        weight: FloatArray | None,
        slopes: FloatArray,
        biases: FloatArray,
    ) -> None:
        mass = np.ones(codes.size) if weight is None else weight
        self.z, self.mass = z, mass / mass.sum()
        self.slopes, self.biases = slopes, biases
        self.own = np.arange(codes.size), codes
        share = np.bincount(codes, weights=self.mass, minlength=z.shape[1])
        mean = np.bincount(codes, weights=self.mass * z[self.own], minlength=z.shape[1])
        self.pull = np.append(mean @ slopes, share @ biases)

    def __call__(self, at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Return value, gradient and Hessian at slopes and biases."""
        n_slopes = self.slopes.shape[1]
        margin = self.z * (self.slopes @ at[:n_slopes]) + self.biases @ at[n_slopes:]
        total = logsumexp(margin, axis=1)
        value = float(self.mass @ (total - margin[self.own]))
        p = np.exp(margin - total[:, None])
        pz = p * self.z
        # Derivatives of the log of the sum of a row, then of its square.
        rows = np.hstack((pz @ self.slopes, p @ self.biases))
        gradient = self.mass @ rows - self.pull
        first, second = self.mass @ pz, self.mass @ (pz * self.z)
        plain = self.mass @ p
        cross = self.slopes.T @ (first[:, None] * self.biases)
        hessian = np.block(
            [
                [self.slopes.T @ (second[:, None] * self.slopes), cross],
                [cross.T, self.biases.T @ (plain[:, None] * self.biases)],
            ]
        )
        hessian -= (rows * self.mass[:, None]).T @ rows
        return value, gradient, hessian
