"""Logistic regression with fractional targets and slopes of 0 or more."""

import numpy as np
from scipy.special import expit, logit

from imbkit._core.types import FloatArray
from imbkit.calibration._newton import minimise

__all__ = ["fit_logistic"]


def fit_logistic(
    features: FloatArray, target: FloatArray, weight: FloatArray, who: str
) -> tuple[FloatArray, float]:
    """Minimise the mean logistic loss over slopes and intercept.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_slopes)
        Finite values.
    target : ndarray of shape (n_rows,)
        Between 0 and 1; the optimum is finite if all lie inside.
    weight : ndarray of shape (n_rows,)
        Non-negative, not all 0; only ratios matter.
    who : str
        The class that warnings speak for.

    Returns
    -------
    slopes : ndarray of shape (n_slopes,)
        0 or more; 0 of a constant feature.
    intercept : float
        If all slopes are 0, the log-odds of the mean target.
    """
    mass = weight / weight.sum()
    centre = mass @ features
    scale = np.sqrt(mass @ (features - centre) ** 2)
    varies = scale > 1e-12 * np.maximum(1.0, np.abs(centre))
    # Standardised, so that one tolerance serves features of any spread.
    scale = np.where(varies, scale, 1.0)
    z = np.where(varies, (features - centre) / scale, 0.0)
    start = float(logit(mass @ target))
    n_slopes = z.shape[1]

    def loss(at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        margin = z @ at[:-1] + at[-1]
        p = expit(margin)
        value = float(mass @ (np.logaddexp(0.0, margin) - target * margin))
        left, curve = mass * (p - target), mass * p * (1 - p)
        gradient = np.append(left @ z, left.sum())
        hessian = np.empty((n_slopes + 1, n_slopes + 1))
        hessian[:-1, :-1] = (z * curve[:, None]).T @ z
        hessian[:-1, -1] = hessian[-1, :-1] = curve @ z
        hessian[-1, -1] = curve.sum()
        return value, gradient, hessian

    low = np.append(np.zeros(n_slopes), -np.inf)
    found = minimise(
        loss, np.append(np.zeros(n_slopes), start), low, np.full(low.size, np.inf), who
    )
    slopes = np.where(varies, found[:-1] / scale, 0.0)
    if not slopes.any():
        return slopes, start
    return slopes, float(found[-1] - slopes @ centre)
