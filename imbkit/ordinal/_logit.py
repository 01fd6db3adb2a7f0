"""The logit link: F is the logistic distribution, the model of cumulative odds."""

import numpy as np
from scipy.special import expit, logit

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._link import SMALLEST_GAP, SymmetricLink, in_blocks

__all__ = ["Logit"]


class Logit(SymmetricLink):
    """F(eta) = 1 / (1 + exp(-eta)).

    Between two boundaries the loss is softplus(-upper) + softplus(lower)
    - log(1 - exp(lower - upper)): two smooth hinges and a convex barrier on the gap.
    """

    name = "logit"

    def cdf(self, eta: FloatArray) -> FloatArray:
        """F, the probability of at most this class."""
        return np.asarray(expit(eta))

    def log_cdf(self, eta: FloatArray) -> FloatArray:
        """Log F, also where F underflows."""
        return np.minimum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta)))

    def quantile(self, p: FloatArray) -> FloatArray:
        """The score at which F is p."""
        return np.asarray(logit(p))

    @in_blocks
    def first(self, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Loss -log F(upper) and its slope."""
        z = _decay(upper)
        loss = np.log1p(z)
        loss -= np.minimum(upper, 0.0)
        return loss, -_tail(upper, z)

    @in_blocks
    def between(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Loss -log (F(upper) - F(lower)) and its slopes by both; +inf where upper <= lower."""
        z_upper, z_lower = _decay(upper), _decay(lower)
        closed, shut, ratio = _gap(upper, lower)
        # (1 + z_upper)(1 + z_lower) / (1 - shut) less 1: one logarithm, exact for small losses.
        loss = z_upper * z_lower
        loss += z_upper
        loss += z_lower
        loss += shut
        loss *= ratio
        np.log1p(loss, out=loss)
        loss -= np.minimum(upper, 0.0)
        loss += np.maximum(lower, 0.0)
        loss[closed] = np.inf
        shut *= ratio
        slope_upper = -_tail(upper, z_upper)
        slope_upper -= shut
        slope_lower = _tail(-lower, z_lower)
        slope_lower += shut
        return loss, slope_upper, slope_lower

    @in_blocks
    def first_curvature(self, upper: FloatArray) -> FloatArray:
        """Second derivative of the loss of ``first``, 0 or more."""
        return _density(_decay(upper))

    @in_blocks
    def between_curvature(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Second derivatives by upper twice, lower twice and both: positive semidefinite."""
        z_upper, z_lower = _decay(upper), _decay(lower)
        _, barrier, ratio = _gap(upper, lower)
        barrier *= ratio
        barrier *= ratio
        return _density(z_upper) + barrier, _density(z_lower) + barrier, -barrier


def _decay(eta: FloatArray) -> FloatArray:
    """exp(-|eta|), which cannot overflow."""
    z = np.abs(eta)
    np.negative(z, out=z)
    return np.asarray(np.exp(z, out=z))


def _tail(eta: FloatArray, z: FloatArray) -> FloatArray:
    """1 - F, from z = exp(-|eta|)."""
    # A second exponential costs a tenth of choosing between z and 1 by a mask of random signs.
    tail = np.maximum(eta, 0.0)
    np.negative(tail, out=tail)
    np.exp(tail, out=tail)
    tail /= 1.0 + z
    return tail


def _density(z: FloatArray) -> FloatArray:
    """F (1 - F)."""
    density = 1.0 + z
    density *= density
    return np.asarray(np.divide(z, density, out=density))


def _gap(upper: FloatArray, lower: FloatArray) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Rows without a gap, exp(-gap), 1 / (1 - exp(-gap)); as if the gap were 1 where none is."""
    gap = lower - upper
    closed = ~(gap < -SMALLEST_GAP)
    gap[closed] = -1.0
    shut = np.exp(gap)
    np.expm1(gap, out=gap)
    np.divide(-1.0, gap, out=gap)
    return closed, shut, gap
