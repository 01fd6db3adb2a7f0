"""The probit link: F is the normal distribution, a latent score with normal noise."""

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr, ndtri

from imbkit._core.types import FloatArray
from imbkit.ordinal._link import SMALLEST_GAP, SymmetricLink, in_blocks

__all__ = ["Probit"]

_ROOT_HALF = np.sqrt(0.5)
_ROOT_HALF_PI = np.sqrt(np.pi / 2)
_LOG_ROOT_TWO_PI = 0.5 * np.log(2 * np.pi)
_DENSITY_AT_ZERO = 1 / np.sqrt(2 * np.pi)
# Below this gap, as it is and in units of the distance from 0, a difference of two values of F
# loses digits, and six terms of the Taylor series about the middle have them all.
_SHORT = 0.25
_TERMS = 6


class Probit(SymmetricLink):
    """F(eta) = Phi(eta), the standard normal distribution function."""

    name = "probit"

    def cdf(self, eta: FloatArray) -> FloatArray:
        """F, the probability of at most this class."""
        return np.asarray(ndtr(eta))

    def log_cdf(self, eta: FloatArray) -> FloatArray:
        """Log F, also where F underflows."""
        return np.asarray(log_ndtr(eta))

    def quantile(self, p: FloatArray) -> FloatArray:
        """The score at which F is p."""
        return np.asarray(ndtri(p))

    @in_blocks
    def first(self, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Loss -log F(upper) and its slope."""
        # Masks multiply below: to choose by one of random signs takes ten times as long.
        right = (upper > 0.0).astype(np.float64)
        density, mills = _density_right(upper, right), _mills(upper)
        outside = density * (2.0 * right - 1.0) * mills
        mass = right - outside
        # Of 1 - outside on the right, of -outside on the left, where it is not small.
        inner = (right - 1.0) - outside
        loss = np.log1p(inner, out=inner)
        np.negative(loss, out=loss)
        loss += _half_square_left(upper)
        loss += _LOG_ROOT_TWO_PI * (1.0 - right)
        return loss, -density / mass

    @in_blocks
    def between(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Loss -log (F(upper) - F(lower)) and its slopes by both; +inf where upper <= lower."""
        part = _Slice(upper, lower)
        loss = np.log(part.mass)
        sure = np.flatnonzero((part.right > 0.0) & (part.outside < 0.5))
        loss[sure] = np.log1p(-part.outside[sure])
        np.negative(loss, out=loss)
        loss += _half_square_left(part.near)
        loss += _LOG_ROOT_TWO_PI * (1.0 - part.right)
        loss[part.closed] = np.inf
        return loss, -part.hazard_upper, part.hazard_lower

    @in_blocks
    def first_curvature(self, upper: FloatArray) -> FloatArray:
        """Second derivative of the loss of ``first``, 0 or more."""
        hazard = -self.first(upper)[1]
        return np.clip(hazard * (hazard + upper), 0.0, 1.0)

    @in_blocks
    def between_curvature(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Second derivatives by upper twice, lower twice and both: positive semidefinite.

        With t normal between both, f(upper) / p * (upper - E t) and f(lower) / p * (E t - lower)
        are what the diagonal exceeds the barrier by, so rounding cannot make it indefinite.
        """
        part = _Slice(upper, lower)
        to_upper, to_lower = part.distances()
        barrier = part.hazard_upper * part.hazard_lower
        to_upper *= part.hazard_upper
        to_upper += barrier
        to_lower *= part.hazard_lower
        to_lower += barrier
        return to_upper, to_lower, -barrier


class _Slice:
    """The normal distribution between two boundaries.

    It is looked at in the mirror if need be, so that its middle is not positive: ``near`` is
    then its upper boundary, the one nearer to 0, and ``right`` is 1 where that is positive and
    0 elsewhere. ``mass`` is the probability, where not ``right`` over the density at ``near``;
    ``outside`` the rest where ``right``. ``hazard_upper`` and ``hazard_lower`` are the
    densities at both boundaries over the probability.
    """

    def __init__(self, upper: FloatArray, lower: FloatArray) -> None:
        """Compute all that losses and derivatives share."""
        gap = upper - lower
        self.closed = closed = ~(gap > SMALLEST_GAP)
        # Where there is no gap the values serve nothing, but they must be finite.
        gap[closed] = 1.0
        self.gap = gap
        self.near = near = np.minimum(upper, -lower)
        near[closed] = -1.0
        self.side = side = upper + lower
        side[closed] = -1.0
        self.right = right = (near > 0.0).astype(np.float64)
        half = 0.5 * gap
        fall_upper = np.exp(-np.maximum(side, 0.0) * half)
        fall_lower = np.exp(np.minimum(side, 0.0) * half)
        density = _density_right(near, right)
        self.outside = outside = _mills(near - gap)
        outside *= fall_upper
        outside *= fall_lower
        outside += (2.0 * right - 1.0) * _mills(near)
        outside *= density
        self.mass = mass = right - outside
        short = np.flatnonzero((gap < _SHORT) & (np.abs(side) * half < _SHORT))
        if len(short):
            d, m = gap[short], -0.5 * np.abs(side[short])
            rise = np.exp(0.25 * d * (near[short] + m))  # the density at m over that at near
            mass[short] = density[short] * rise * d * _series(m, 0.5 * d)
        density /= mass
        self.hazard_upper, self.hazard_lower = density * fall_upper, density * fall_lower

    def distances(self) -> tuple[FloatArray, FloatArray]:
        """How far the mean between the boundaries lies from the upper and from the lower one."""
        side, half = self.side, 0.5 * self.gap
        # f(lower) / p - f(upper) / p, without its cancellation: exactly one term is not 0.
        mean = self.hazard_lower * -np.expm1(-np.maximum(side, 0.0) * half)
        mean += self.hazard_upper * np.expm1(np.minimum(side, 0.0) * half)
        offset = mean - 0.5 * side
        return np.maximum(half - offset, 0.0), np.maximum(half + offset, 0.0)


def _mills(eta: FloatArray) -> FloatArray:
    """F / f at -|eta|."""
    return np.asarray(_ROOT_HALF_PI * erfcx(_ROOT_HALF * np.abs(eta)))


def _density_right(eta: FloatArray, right: FloatArray) -> FloatArray:
    """The normal density f where eta is positive, 1 elsewhere."""
    density = np.maximum(eta, 0.0)
    density *= density
    density *= -0.5
    np.exp(density, out=density)
    density *= 1.0 - (1.0 - _DENSITY_AT_ZERO) * right
    return np.asarray(density)


def _half_square_left(eta: FloatArray) -> FloatArray:
    """eta**2 / 2 where eta is negative, 0 elsewhere."""
    left = np.minimum(eta, 0.0)
    left *= left
    left *= 0.5
    return np.asarray(left)


def _series(middle: FloatArray, half: FloatArray) -> FloatArray:
    """Mean of f(middle + t) / f(middle) over -half <= t <= half, both small.

    The n-th derivative of f is (-1)^n He_n f with the Hermite polynomials He_n; odd ones cancel.
    """
    square = half * half
    even, odd = np.ones_like(middle), middle.copy()
    power = np.ones_like(middle)  # half**(2 j) / (2 j + 1)!
    mean = np.zeros_like(middle)
    for j in range(_TERMS):
        mean += even * power
        even = middle * odd - (2 * j + 1) * even
        odd = middle * even - (2 * j + 2) * odd
        power = power * square / ((2 * j + 2) * (2 * j + 3))
    return mean
