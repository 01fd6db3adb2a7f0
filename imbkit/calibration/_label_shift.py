"""Class shares of unlabelled rows, where only these changed: EM, BBSE and RLLS on arrays."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.calibration._mlls import mlls, mlls_draws
from imbkit.calibration._moments import Confusion, confusion, gaussian, moments
from imbkit.calibration._rlls import rlls, rlls_penalty

__all__ = ["METHODS", "Method", "Shift", "Source", "bbse", "estimate_shift", "learn_source"]

Method: TypeAlias = Literal["mlls", "bbse", "bbse_soft", "rlls"]
METHODS = ("mlls", "bbse", "bbse_soft", "rlls")

_KEPT = 2000  # held-out rows of each class, enough for a covariance
_ROUNDING = 1e-12  # relative singular values below are zeros that rounding has moved


class HeldOut(NamedTuple):
    """Some held-out rows of each class, which stand for all of them in sums of squares.

    Parameters
    ----------
    probabilities : ndarray of shape (m, K)
        Probabilities.
    codes : ndarray of shape (m,)
        Classes.
    scale : ndarray of shape (m,)
        The squared share of the row in the weight, times the number of rows it stands for.
    """

    probabilities: FloatArray
    codes: IntArray
    scale: FloatArray

    def noise_at(self, ratio: FloatArray) -> FloatArray:
        """Covariance of the mean slope of the likelihood, for want of held-out rows.

        The target's mean slope is expected to be that of each class, in the target's shares.
        What these means are is known from the held-out rows only: calibrating on them sets
        the mean right for them and not for others.
        """
        slope = self.probabilities / (self.probabilities @ ratio)[:, None]
        share = np.bincount(self.codes, self.scale)
        for code in range(ratio.size):
            own = self.codes == code
            slope[own] -= self.scale[own] @ slope[own] / share[code]
        slope *= (ratio[self.codes] * np.sqrt(self.scale))[:, None]
        return np.asarray(slope.T @ slope)


class Source(NamedTuple):
    """What an estimator of label shift must know of the labelled rows.

    Parameters
    ----------
    method : {"mlls", "bbse", "bbse_soft", "rlls"}
        The estimator.
    prior : ndarray of shape (K,)
        Shares of the classes; for "mlls" the mean probabilities.
    confusion : Confusion
        What is predicted for each class.
    held_out : HeldOut or None
        For "mlls": rows that tell how well the probabilities are known.
    """

    method: Method
    prior: FloatArray
    confusion: Confusion
    held_out: HeldOut | None = None


class Shift(NamedTuple):
    """The estimated class shares.

    Parameters
    ----------
    prior : ndarray of shape (K,)
        The estimate.
    draws : ndarray of shape (n_draws, K)
        What further samples might have given.
    gap : float
        For "mlls": how far the log-likelihood may be from its maximum; else 0.
    converged : bool
        For "mlls": whether that is below the tolerance; else True.
    """

    prior: FloatArray
    draws: FloatArray
    gap: float = 0.0
    converged: bool = True


def learn_source(
    method: Method, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
) -> Source:
    """Summarise labelled rows that the model has not seen.

    Parameters
    ----------
    method : {"mlls", "bbse", "bbse_soft", "rlls"}
        The estimator.
    probabilities : ndarray of shape (n, K)
        Rows sum to one.
    codes : ndarray of shape (n,)
        Class of each row, every class present.
    weight : ndarray of shape (n,) or None
        Non-negative weights.
    """
    what = confusion(probabilities, codes, weight, hard=method in ("bbse", "rlls"))
    if method != "mlls":
        return Source(method, what.shares, what)
    # With label counts instead, a model that is off a little would show as a shift.
    prior = np.average(probabilities, axis=0, weights=weight)
    rows = _some_rows(probabilities, codes, weight)
    return Source(method, prior / prior.sum(), what._replace(noise=None), rows)


def estimate_shift(
    source: Source,
    probabilities: FloatArray,
    weight: FloatArray | None = None,
    *,
    n_draws: int = 0,
    rng: np.random.Generator | None = None,
    alpha: FloatArray | None = None,
) -> Shift:
    """Estimate the class shares of unlabelled rows.

    The draws are a bootstrap in which rows get Gaussian weights instead of counts: the mean
    equation of each method is redrawn with the covariance that the rows of both samples give
    it, and solved anew.

    Parameters
    ----------
    source : Source
        What :func:`learn_source` returned.
    probabilities : ndarray of shape (n, K)
        Of the unlabelled rows; rows sum to one.
    weight : ndarray of shape (n,) or None
        Non-negative weights.
    n_draws : int
        Draws of further samples.
    rng : numpy.random.Generator
        Draws them; needed if there are any.
    alpha : ndarray of shape (K,) or None
        For "mlls": Dirichlet prior of the shares.
    """
    random = np.random.default_rng(0) if rng is None else rng
    if source.held_out is not None:
        best = mlls(probabilities, source.prior, weight=weight, alpha=alpha)
        mass = float(len(probabilities) if weight is None else weight.sum())
        extra = 0.0 if alpha is None else float(np.sum(alpha - 1))
        known = source.held_out.noise_at(best.prior / source.prior)
        noise = best.noise + known * (mass / (mass + extra)) ** 2
        draws = mlls_draws(best, source.prior, noise, n_draws, random)
        return Shift(best.prior, draws, best.gap, best.converged)
    what = source.confusion
    mean, noise = moments(probabilities, weight, hard=source.method != "bbse_soft")
    prior = _solved(source, mean)
    noise = noise + what.noise_at(prior)
    shifts = gaussian(noise, n_draws, random)
    draws = np.array([_solved(source, mean + shift) for shift in shifts])
    return Shift(prior, draws.reshape(n_draws, prior.size))


def bbse(joint: FloatArray, target: FloatArray) -> FloatArray:
    """Return the weight of each class by which the source predicts what the target does.

    Solves ``joint w = target`` (Lipton 2018), and clips w at 0. Of several solutions, as with
    a class that is never predicted, the one closest to no shift is taken.

    Parameters
    ----------
    joint : ndarray of shape (K, K)
        Share of source rows by prediction and class.
    target : ndarray of shape (K,)
        Mean prediction on the target.
    """
    theta = np.linalg.lstsq(joint, target - joint.sum(axis=1), rcond=_ROUNDING)[0]
    return np.asarray(np.maximum(1 + theta, 0.0))


def _solved(source: Source, mean: FloatArray) -> FloatArray:
    """Class shares for a mean prediction on the target."""
    what = source.confusion
    if source.method == "rlls":
        weights = rlls(what.joint, mean, rlls_penalty(mean.size, what.n_rows))
    else:
        weights = bbse(what.joint, mean)
    shares = weights * what.shares
    return np.asarray(shares / shares.sum()) if shares.any() else what.shares


def _some_rows(probabilities: FloatArray, codes: IntArray, weight: FloatArray | None) -> HeldOut:
    """Keep so many rows of each class, evenly spaced."""
    own = np.ones(codes.size) if weight is None else weight
    share = own / own.sum()
    kept, scale = [], []
    for code in range(probabilities.shape[1]):
        rows = np.flatnonzero(codes == code)
        some = rows[np.linspace(0, rows.size - 1, min(rows.size, _KEPT)).astype(np.intp)]
        kept.append(some)
        # What is left out is made up for, exactly so for the squared shares.
        squares = share[some] ** 2
        every = float(np.square(share[rows]).sum())
        scale.append(squares * (every / squares.sum() if squares.any() else 0.0))
    chosen = np.concatenate(kept)
    return HeldOut(probabilities[chosen], codes[chosen], np.concatenate(scale))
