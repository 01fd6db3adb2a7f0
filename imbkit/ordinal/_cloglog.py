"""The complementary log-log link: a proportional hazard of stopping at each stage."""

import numpy as np

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._link import SMALLEST_GAP, Link, in_blocks

__all__ = ["Cloglog"]

# exp of more than this is not finite, of less than its negative not normal.
_LARGEST_SCORE = 700.0
_SMALLEST = 1e-300
_LARGEST = 1e300
# Coefficients of (x / (1 - exp(-x)) - 1) / x - 1/2 by odd powers of x: even Bernoulli numbers
# over factorials; used below _SMALL, where the difference loses digits.
_BERNOULLI = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160)
_SMALL = 0.25


class Cloglog(Link):
    """F(eta) = 1 - exp(-exp(eta)), whose right tail is much the shorter one.

    With y = exp(lower) and t = exp(upper) - y the loss between is y - log(1 - exp(-t)).
    """

    name = "cloglog"

    def cdf(self, eta: FloatArray) -> FloatArray:
        """F, the probability of at most this class."""
        return -np.expm1(-_exp(eta))

    def survival(self, eta: FloatArray) -> FloatArray:
        """1 - F, right to the last digit also where F is near 1."""
        return np.asarray(np.exp(-_exp(eta)))

    def log_cdf(self, eta: FloatArray) -> FloatArray:
        """Log F, also where F underflows."""
        return -self.first(eta)[0]

    def log_survival(self, eta: FloatArray) -> FloatArray:
        """Log (1 - F), also where this underflows."""
        return -_exp(eta)

    def quantile(self, p: FloatArray) -> FloatArray:
        """The score at which F is p."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(-np.log1p(-p)))

    @in_blocks
    def first(self, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Loss -log F(upper) and its slope."""
        loss, pull = _loss(_hazard(upper), upper)
        return loss, -pull

    def last(self, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Loss -log (1 - F(lower)) and its slope."""
        hazard = _exp(lower)
        return hazard, hazard.copy()

    @in_blocks
    def between(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Loss -log (F(upper) - F(lower)) and its slopes by both; +inf where upper <= lower."""
        closed, y, odds, t = _gap(upper, lower)
        # Of a wide gap the odds are cut off.
        wide = upper - lower > _LARGEST_SCORE
        loss, pull = _loss(t, np.where(wide, upper, lower + np.log(odds)))
        loss += y
        loss[closed] = np.inf
        by_lower = pull / odds
        return loss, -(pull + by_lower), y + by_lower

    @in_blocks
    def first_curvature(self, upper: FloatArray) -> FloatArray:
        """Second derivative of the loss of ``first``, 0 or more."""
        pull, excess = _bend(_hazard(upper))
        return pull * excess

    def last_curvature(self, lower: FloatArray) -> FloatArray:
        """Second derivative of the loss of ``last``, 0 or more."""
        return _exp(lower)

    @in_blocks
    def between_curvature(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Second derivatives by upper twice, lower twice and both: positive semidefinite.

        Both entries of the diagonal are written as the barrier plus what exceeds it, so
        rounding cannot make it indefinite.
        """
        _, y, odds, t = _gap(upper, lower)
        pull, excess = _bend(t)
        x_over_t, y_over_t = 1.0 + 1.0 / odds, 1.0 / odds
        barrier = x_over_t * y_over_t * pull * (pull + t)
        by_upper = barrier + x_over_t * pull * excess
        by_lower = barrier + y * np.maximum(1.0 - pull * excess / t, 0.0)
        return by_upper, by_lower, -barrier


def _exp(eta: FloatArray) -> FloatArray:
    """exp(eta), finite."""
    return np.asarray(np.exp(np.minimum(eta, _LARGEST_SCORE)))


def _hazard(eta: FloatArray) -> FloatArray:
    """exp(eta), finite and positive."""
    return np.maximum(_exp(eta), _SMALLEST)


def _loss(x: FloatArray, log_x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """-log(1 - exp(-x)) and minus its slope by log x, x / (exp(x) - 1)."""
    s, e = np.exp(-x), -np.expm1(-x)
    # One logarithm: of (1 - exp(-x)) / x where x < 1, of 1 - exp(-x) elsewhere. Multiplied by
    # the mask, because to choose by one of random signs takes ten times as long.
    inner = e / x
    inner -= 1.0
    inner += s
    inner *= log_x < 0.0
    inner -= s
    loss = np.log1p(inner, out=inner)
    loss += np.minimum(log_x, 0.0)
    np.negative(loss, out=loss)
    s *= x
    s /= e
    return loss, s


def _bend(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both x / (exp(x) - 1) and x / (1 - exp(-x)) - 1."""
    e = -np.expm1(-x)
    excess = (x - e) / e
    small = np.flatnonzero(x < _SMALL)
    z = x[small]
    square = z * z
    series = np.zeros_like(z)
    for coefficient in reversed(_BERNOULLI):
        series *= square
        series += coefficient
    excess[small] = z * (0.5 + z * series)
    return x * np.exp(-x) / e, excess


def _gap(
    upper: FloatArray, lower: FloatArray
) -> tuple[BoolArray, FloatArray, FloatArray, FloatArray]:
    """Rows without a gap, y = exp(lower), exp(upper - lower) - 1 and t, their product.

    As if the gap were 1 where there is none.
    """
    gap = upper - lower
    closed = ~(gap > SMALLEST_GAP)
    gap[closed] = 1.0
    wide = np.flatnonzero(gap > _LARGEST_SCORE)
    np.minimum(gap, _LARGEST_SCORE, out=gap)
    odds = np.expm1(gap)
    y = _exp(lower)
    with np.errstate(over="ignore"):
        t = np.clip(y * odds, _SMALLEST, _LARGEST)
    t[wide] = np.minimum(_hazard(upper[wide]), _LARGEST)
    return closed, y, odds, t
