"""A logistic curve over log-odds: Platt's calibration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

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

__all__ = ["Sigmoid", "SigmoidCalibrator", "fit_sigmoid"]


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """A logistic curve over the log-odds of a probability."""

    slope: float
    """0 or more, so that no ranking is turned round."""
    intercept: float

    def __call__(self, positive: ArrayLike, rest: ArrayLike | None = None) -> FloatArray:
        """Return the calibrated probabilities of the positive class."""
        return np.asarray(expit(self.slope * _log_odds(positive, rest) + self.intercept))


class SigmoidCalibrator(BaseCalibrator):
    """Fit a logistic curve over the log-odds.

    The steady choice for few rows of a class: two parameters, and targets that are smoothed
    so that they stay finite. It can turn any constant factor on the odds back, such as random
    resampling leaves behind. With some hundred rows of each class :class:`BetaCalibrator`
    bends where a sigmoid cannot.

    Parameters
    ----------
    balanced : bool, default=False
        Whether both classes have the same total weight in the fit, after which the intercept
        is put back to their true shares. The slope then depends as much on the few rows of
        the rare class as on the many others.

    Attributes
    ----------
    slope_ : ndarray of shape (n_maps,)
        Slope over the log-odds, 0 or more; one map for two classes, else one a class.
    intercept_ : ndarray of shape (n_maps,)
        Log-odds of a row whose log-odds were 0.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    See Also
    --------
    BetaCalibrator : Three parameters, and the identity among its maps.
    ScalingCalibrator : All classes at once instead of one against the rest.
    sklearn.calibration.CalibratedClassifierCV : Fits a sigmoid around a classifier; over raw
        scores, with a slope of either sign.

    Notes
    -----
    logit p' = slope * logit p + intercept, by maximum likelihood with the targets
    (n1 + 1) / (n1 + 2) and 1 / (n0 + 2) for n1 positive and n0 other rows (or their weights).
    Where the slope would be negative it is 0, all rows get the same probability, and a
    warning says so. Probabilities below 2**-52 and above 1 - 2**-52 are taken for these.

    Different from Platt: over log-odds, so that the identity is among the maps; slope not
    negative. With `balanced` the log-odds are shifted by the difference between the mean
    target without and with the weights; that form is imbkit's own. More than two classes: a
    map for each class against the rest, then each row is divided by its sum.

    Newton's method to a gradient of 1e-10; O(n K) a step, some ten steps.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
    likelihood methods", Advances in Large Margin Classifiers, 61-74, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.calibration import SigmoidCalibrator
    >>> rng = np.random.default_rng(0)
    >>> p = rng.beta(0.5, 5.0, size=5000)
    >>> y = rng.random(5000) < p
    >>> shifted = 9 * p / (9 * p + 1 - p)  # as if every positive row were there nine times
    >>> model = SigmoidCalibrator().fit(shifted, y)
    >>> after = model.predict_proba(shifted)[:, 1]
    >>> print(f"{shifted.mean():.2f} {after.mean():.3f} {y.mean():.3f}")
    0.35 0.090 0.090
    """

    card = Card(paper="Platt (2000)", cases=({}, {"balanced": True}))

    _parameter_constraints = {"balanced": ["boolean"]}

    def __init__(self, balanced: bool = False) -> None:
        self.balanced = balanced

    def _fit_map(
        self, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
    ) -> None:
        """Fit a sigmoid for each class, or one for two classes."""
        n_classes = probabilities.shape[1]
        maps = [
            fit_sigmoid(p, truth, weight, rest=rest, balanced=self.balanced)
            for (p, rest), truth in zip(pairs(probabilities), truths(codes, n_classes), strict=True)
        ]
        self.slope_ = np.array([each.slope for each in maps])
        self.intercept_ = np.array([each.intercept for each in maps])
        warn_if_flat((self.slope_ == 0).tolist(), self.classes_, type(self).__name__)

    def _map(self, probabilities: FloatArray) -> FloatArray:
        """Apply the sigmoids."""
        maps = [Sigmoid(*each) for each in zip(self.slope_, self.intercept_, strict=True)]
        return joined(probabilities, maps)


def fit_sigmoid(
    probabilities: FloatArray,
    truth: BoolArray,
    weight: FloatArray | None = None,
    *,
    rest: FloatArray | None = None,
    balanced: bool = False,
) -> Sigmoid:
    """Fit a sigmoid over log-odds by maximum likelihood with Platt's smoothed targets.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows,)
        Probabilities of rows that the model was not trained on.
    truth : ndarray of bool, shape (n_rows,)
        Whether each row is positive; both kinds must be there.
    weight : ndarray of shape (n_rows,), default=None
        Weights of the rows; one for every row if None.
    rest : ndarray of shape (n_rows,), default=None
        Probabilities of the other classes; ``1 - probabilities`` if None.
    balanced : bool, default=False
        As in :class:`SigmoidCalibrator`.

    Returns
    -------
    Sigmoid
        Its slope is 0 where the log-odds are all the same or would have to be turned round.
    """
    x = _log_odds(probabilities, rest)
    target, mass = smoothed_targets(truth, weight)
    shift = 0.0
    if balanced:
        n1 = mass[truth].sum()
        even = mass * np.where(truth, mass.sum() - n1, n1)
        shift = float(logit(mass @ target / mass.sum()) - logit(even @ target / even.sum()))
        mass = even
    (slope,), intercept = fit_logistic(x[:, None], target, mass, "SigmoidCalibrator")
    return Sigmoid(float(slope), intercept + shift)


def _log_odds(positive: ArrayLike, rest: ArrayLike | None) -> FloatArray:
    """Log-odds, finite also of 0 and 1."""
    p = np.asarray(positive, dtype=float)
    return log_probabilities(p) - log_probabilities(1 - p if rest is None else np.asarray(rest))
