"""Beta calibration: a curve of three parameters that bends at both ends by itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from imbkit._core.card import Card
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.calibration._base import BaseCalibrator
from imbkit.calibration._logistic import fit_logistic
from imbkit.calibration._one_against_rest import (
    joined,
    pairs,
    smoothed_targets,
    truths,
    warn_if_flat,
)
from imbkit.calibration._probabilities import log_probabilities

__all__ = ["BetaCalibrator"]


@dataclass(frozen=True, slots=True)
class _BetaMap:
    """logit p' = a log p - b log(1 - p) + c."""

    a: float
    b: float
    c: float

    def __call__(self, positive: ArrayLike, rest: ArrayLike) -> FloatArray:
        """Return the calibrated probabilities of the positive class."""
        features = _features(np.asarray(positive), np.asarray(rest))
        return np.asarray(expit(features @ (self.a, self.b) + self.c))


class BetaCalibrator(BaseCalibrator):
    """Fit a beta calibration curve.

    Choose it from some hundred rows of the rare class upwards: it bends towards 0 and towards
    1 separately, as boosted trees and naive Bayes need, and leaves probabilities that are right
    already as they are. Below that :class:`SigmoidCalibrator` is steadier; from a thousand
    rows on :class:`IsotonicCalibrator` assumes less.

    Attributes
    ----------
    a_, b_ : ndarray of shape (n_maps,)
        Slopes over log p and over -log(1 - p), 0 or more; one map for two classes, else one a
        class.
    c_ : ndarray of shape (n_maps,)
        Intercept.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    See Also
    --------
    SigmoidCalibrator : The same with a = b.
    ScalingCalibrator : ``scaling="vector"`` is the same curve for two classes, without the
        smoothing of the targets.

    Notes
    -----
    logit p' = a log p - b log(1 - p) + c with a, b >= 0, by maximum likelihood. Where both
    would be negative all rows get the same probability, and a warning says so. Probabilities
    below 2**-52 and above 1 - 2**-52 are taken for these.

    Different from the paper: the constrained optimum itself, where the paper fits again
    without a parameter that came out negative; Platt's smoothed targets (see
    :class:`SigmoidCalibrator`), so that it is finite also where the classes are separated.
    More than two classes: a map for each class against the rest, then each row is divided by
    its sum.

    Projected Newton's method to a gradient of 1e-10; O(n K) a step, some ten steps.

    References
    ----------
    M. Kull, T. M. Silva Filho, P. Flach, "Beyond sigmoids: how to obtain well-calibrated
    probabilities from binary classifiers with beta calibration", Electronic Journal of
    Statistics 11, 5052-5080, 2017, doi:10.1214/17-EJS1338SI.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.calibration import BetaCalibrator
    >>> rng = np.random.default_rng(0)
    >>> p = rng.beta(0.5, 2.0, size=20_000)
    >>> y = rng.random(20_000) < p
    >>> model = BetaCalibrator().fit(p**2, y)  # as of a model that is too timid
    >>> print(f"{(p**2).mean():.2f} {model.predict_proba(p**2)[:, 1].mean():.2f} {y.mean():.2f}")
    0.09 0.20 0.20
    """

    card = Card(paper="Kull, Silva Filho & Flach (2017), doi:10.1214/17-EJS1338SI")

    def _fit_map(
        self, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
    ) -> None:
        """Fit a curve for each class, or one for two classes."""
        n_classes = probabilities.shape[1]
        maps = [
            _fit_beta(p, rest, truth, weight)
            for (p, rest), truth in zip(pairs(probabilities), truths(codes, n_classes), strict=True)
        ]
        self.a_ = np.array([each.a for each in maps])
        self.b_ = np.array([each.b for each in maps])
        self.c_ = np.array([each.c for each in maps])
        flat = (self.a_ == 0) & (self.b_ == 0)
        warn_if_flat(flat.tolist(), self.classes_, type(self).__name__)

    def _map(self, probabilities: FloatArray) -> FloatArray:
        """Apply the curves."""
        maps = [_BetaMap(*each) for each in zip(self.a_, self.b_, self.c_, strict=True)]
        return joined(probabilities, maps)


def _fit_beta(
    positive: FloatArray, rest: FloatArray, truth: BoolArray, weight: FloatArray | None
) -> _BetaMap:
    """Fit one curve."""
    target, mass = smoothed_targets(truth, weight)
    (a, b), c = fit_logistic(_features(positive, rest), target, mass, "BetaCalibrator")
    return _BetaMap(float(a), float(b), c)


def _features(positive: FloatArray, rest: FloatArray) -> FloatArray:
    """Both logarithms, finite also of 0 and 1."""
    return np.column_stack((log_probabilities(positive), -log_probabilities(rest)))
