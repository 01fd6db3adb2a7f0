"""Maximum likelihood of the class shares of unlabelled rows."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.calibration._moments import gaussian
from imbkit.calibration._nonnegative import lowest_nonnegative

__all__ = ["Likelihood", "mlls", "mlls_draws"]

_BLOCK = 131_072  # entries of a block of rows: its working arrays stay in the cache
_EM_STEPS = 2  # cheap, and enough for the quadratic model to be good
_HALVINGS = 30
_FLAT = 1e-13
_ROUNDING = 8 * float(np.finfo(float).eps)


class Likelihood(NamedTuple):
    """Where the likelihood is largest, and how sharp it is there.

    Parameters
    ----------
    prior : ndarray of shape (K,)
        The class shares.
    value : float
        Mean log-likelihood ratio of a row to the source shares, the Dirichlet term included.
    gap : float
        The largest possible value is at most this much above `value`.
    n_iter : int
        Steps made.
    converged : bool
        Whether both `gap` and the last step are below the tolerance.
    curvature : ndarray of shape (K, K)
        Negative second derivative of the mean log-likelihood by the ratios.
    noise : ndarray of shape (K, K)
        Covariance of the mean slope by the ratios, over samples of rows.
    """

    prior: FloatArray
    value: float
    gap: float
    n_iter: int
    converged: bool
    curvature: FloatArray
    noise: FloatArray


class _Pass(NamedTuple):
    """Sums over all rows at some ratios: value, slope and curvature."""

    value: float
    slope: FloatArray
    curvature: FloatArray


class _Rows:
    """The rows, their weights and the Dirichlet prior, ready to be summed over.

    A prior of alpha acts as alpha_k - 1 further rows that are of class k for certain.
    """

    def __init__(
        self,
        probabilities: FloatArray,
        source: FloatArray,
        weight: FloatArray | None,
        alpha: FloatArray | None,
    ) -> None:
        n_rows, n_classes = probabilities.shape
        self.probabilities, self.source, self.weight = probabilities, source, weight
        self.extra = np.zeros(n_classes) if alpha is None else np.asarray(alpha, dtype=float) - 1
        mass = float(n_rows) if weight is None else float(weight.sum())
        self.total = mass + float(self.extra.sum())

    def __call__(self, ratio: FloatArray, *, curved: bool = True) -> _Pass:
        n_classes = self.source.size
        value, slope = 0.0, np.zeros(n_classes)
        curvature = np.zeros((n_classes, n_classes))
        # A ratio of zero may leave a row without probability: the value is -inf, the step is
        # not taken, and the other sums do not matter.
        with np.errstate(divide="ignore", invalid="ignore"):
            for rows, weight in self._blocks():
                mixed = rows @ ratio
                inverse = 1 / mixed
                share = inverse if weight is None else weight * inverse
                logs = np.log(mixed)
                value += float(logs.sum() if weight is None else weight @ logs)
                slope += share @ rows
                if curved:
                    scaled = rows * inverse[:, None]
                    other = scaled if weight is None else scaled * weight[:, None]
                    curvature += scaled.T @ other
            held = self.extra > 0
            value += float(self.extra[held] @ np.log(ratio[held]))
            slope[held] += self.extra[held] / ratio[held]
            curvature[held, held] += self.extra[held] / ratio[held] ** 2
        value = value if np.isfinite(value) else -np.inf
        return _Pass(value / self.total, slope / self.total, curvature / self.total)

    def noise(self, ratio: FloatArray) -> FloatArray:
        """Covariance of the mean slope, each row being a draw of its own."""
        n_classes = self.source.size
        mean, cross, squares = np.zeros(n_classes), np.zeros(n_classes), 0.0
        outer = np.zeros((n_classes, n_classes))
        for rows, weight in self._blocks():
            own = np.ones(rows.shape[0]) if weight is None else weight
            scaled = rows / (rows @ ratio)[:, None]
            mean += own @ scaled
            scaled *= own[:, None]
            cross += own @ scaled
            outer += scaled.T @ scaled
            squares += float(own @ own)
        mean /= self.total - float(self.extra.sum())
        both = np.outer(cross, mean)
        covariance = outer - both - both.T + squares * np.outer(mean, mean)
        return np.asarray(covariance / self.total**2)

    def _blocks(self) -> Iterator[tuple[FloatArray, FloatArray | None]]:
        n_rows, n_classes = self.probabilities.shape
        step = max(_BLOCK // n_classes, 1)
        for start in range(0, n_rows, step):
            rows = np.asarray(self.probabilities[start : start + step], dtype=float)
            weight = None if self.weight is None else self.weight[start : start + step]
            yield rows, weight


def mlls(
    probabilities: FloatArray,
    source: FloatArray,
    *,
    weight: FloatArray | None = None,
    alpha: FloatArray | None = None,
    tol: float = 1e-6,
    max_iter: int = 100,
) -> Likelihood:
    """Return the class shares under which unlabelled rows are most likely.

    Maximises ``mean_i log sum_k (q_k / source_k) p_ik``, which is concave in q (Saerens 2002).
    Two EM steps, then steps to the top of the quadratic model over non-negative ratios, halved
    until the value rises: the same optimum as EM in some 5 steps instead of hundreds where the
    classes overlap. Were no such step to help, an EM step is made, so the value never falls.

    With r = q / source and the multiplier of the sum known to be 1, the problem is to minimise
    ``-L(r) + source' r`` over r >= 0. At shares q the value is at most ``max_k slope_k /
    source_k - 1`` below the largest, by concavity: the `gap` that is reported.

    O(n K^2 + K^3) a step; one block of rows is held beside `probabilities`.

    Parameters
    ----------
    probabilities : ndarray of shape (n, K)
        Calibrated on the source; rows sum to one.
    source : ndarray of shape (K,)
        Class shares of the source, positive.
    weight : ndarray of shape (n,) or None
        Non-negative weights of the rows.
    alpha : ndarray of shape (K,) or None
        Dirichlet prior of the shares, each at least 1: the posterior mode is found.
    tol : float
        The steps end when no share changes by more and `gap` is below.
    max_iter : int
        Most steps.
    """
    rows = _Rows(probabilities, source, weight, alpha)
    ratio: FloatArray = np.ones(source.size)
    for _ in range(_EM_STEPS):
        ratio = _em(rows(ratio, curved=False), ratio, source)
    # A short step of EM says little about how far the maximum is.
    change, n_iter = np.inf, _EM_STEPS
    now = rows(ratio)
    gap = _gap(now, source)
    # Where the classes look alike the value is flat, and steps only follow the rounding.
    while n_iter < max_iter and gap > _FLAT and not (change <= tol and gap <= tol):
        n_iter += 1
        top = lowest_nonnegative(now.curvature, source - 2 * now.slope, ratio)
        found = _climb(rows, now, ratio, top)
        if found is None:
            new = _em(now, ratio, source)
            found = new, rows(new)
        new, after = found
        change = float(np.abs(source * (new - ratio)).max())
        ratio, now, gap = new, after, _gap(after, source)
    converged = gap <= _FLAT or (change <= tol and gap <= tol)
    noise = rows.noise(ratio)
    return Likelihood(source * ratio, now.value, gap, n_iter, converged, now.curvature, noise)


def mlls_draws(
    best: Likelihood,
    source: FloatArray,
    noise: FloatArray,
    n_draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return class shares of further samples of rows, shape (n_draws, K).

    A bootstrap of the slope: the mean slope is redrawn with covariance `noise`, and the
    quadratic model at the optimum is maximised anew over non-negative ratios.
    """
    ratio = best.prior / source
    slope = best.curvature @ ratio
    shifts = gaussian(noise, n_draws, rng)
    draws = np.empty((n_draws, source.size))
    for draw, shift in zip(draws, shifts, strict=True):
        linear = source - 2 * slope - shift
        draw[:] = source * lowest_nonnegative(best.curvature, linear, ratio)
    return np.asarray(draws / draws.sum(axis=1, keepdims=True))


def _em(now: _Pass, ratio: FloatArray, source: FloatArray) -> FloatArray:
    """Make one step of expectation and maximisation."""
    shares = ratio * now.slope
    return np.asarray(shares / shares.sum() / source)


def _climb(
    rows: _Rows, now: _Pass, ratio: FloatArray, top: FloatArray
) -> tuple[FloatArray, _Pass] | None:
    """Go towards the top of the model as far as the value rises; None if it nowhere does."""
    source, length = rows.source, 1.0
    for _ in range(_HALVINGS):
        new = ratio + length * (top - ratio)
        total = float(source @ new)
        if total > 0:
            # Shares that sum to one are the best of all multiples of these ratios.
            new = new / total
            after = rows(new)
            if after.value >= now.value - _ROUNDING * (1 + abs(now.value)):
                return new, after
        length /= 2
    return None


def _gap(now: _Pass, source: FloatArray) -> float:
    """Upper bound of what is missing to the largest value."""
    return float((now.slope / source).max() - 1)
