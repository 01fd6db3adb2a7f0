"""Means of predictions over rows, what is uncertain about them, and draws from that."""

from typing import NamedTuple

import numpy as np

from imbkit._core.types import BoolArray, FloatArray, IntArray

__all__ = ["Confusion", "confusion", "gaussian", "moments"]


class Confusion(NamedTuple):
    """What a classifier predicts for the rows of each class.

    Parameters
    ----------
    rates : ndarray of shape (K, K)
        Column j: mean prediction for the rows of class j; sums to one.
    shares : ndarray of shape (K,)
        Class shares of the rows.
    spread : ndarray of shape (K,)
        One over the effective number of rows of each class.
    noise : ndarray of shape (K, K, K) or None
        Entry j: covariance of column j; None where this would be larger than the
        probabilities, then :meth:`noise_at` takes the largest that they can have.
    n_rows : float
        Effective number of rows.
    """

    rates: FloatArray
    shares: FloatArray
    spread: FloatArray
    noise: FloatArray | None
    n_rows: float

    @property
    def joint(self) -> FloatArray:
        """Share of the rows by prediction (rows of the matrix) and class (columns)."""
        return np.asarray(self.rates * self.shares)

    @property
    def smallest_singular_value(self) -> float:
        """How far the classes are told apart: 1 perfectly, 0 not at all."""
        return float(np.linalg.svd(self.rates, compute_uv=False)[-1])

    def blind(self, least: float) -> BoolArray:
        """Which classes have shares that the mean prediction says nothing of.

        Those that can be exchanged for others without changing it: they take part in a
        direction with a singular value below `least`.
        """
        _, values, directions = np.linalg.svd(self.rates)
        return np.asarray((np.abs(directions[values < least]) > least).any(axis=0))

    def noise_at(self, prior: FloatArray) -> FloatArray:
        """Covariance of the mean prediction at class shares, for want of rows of the source."""
        if self.noise is not None:
            return np.asarray(np.einsum("j,jkl->kl", prior**2, self.noise))
        scale = prior**2 * self.spread
        return np.asarray(np.diag(self.rates @ scale) - (self.rates * scale) @ self.rates.T)


def confusion(
    probabilities: FloatArray, codes: IntArray, weight: FloatArray | None, *, hard: bool
) -> Confusion:
    """Return what is predicted for each class: labels if `hard`, else probabilities."""
    n_rows, n_classes = probabilities.shape
    own = np.ones(n_rows) if weight is None else weight
    mass = np.bincount(codes, own, n_classes)
    spread = np.bincount(codes, own**2, n_classes) / mass**2
    keep = n_classes**2 <= n_rows
    rates = np.empty((n_classes, n_classes))
    noise = np.empty((n_classes, n_classes, n_classes)) if keep else None
    for code in range(n_classes):
        rows = np.flatnonzero(codes == code)
        mean, covariance = moments(probabilities[rows], own[rows], hard=hard)
        rates[:, code] = mean
        if noise is not None:
            noise[code] = covariance
    n_effective = float(own.sum() ** 2 / (own @ own))
    return Confusion(rates, mass / mass.sum(), spread, noise, n_effective)


def moments(
    probabilities: FloatArray, weight: FloatArray | None, *, hard: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the mean prediction (K,) and the covariance of that mean (K, K)."""
    n_rows, n_classes = probabilities.shape
    own = np.ones(n_rows) if weight is None else weight
    share = own / own.sum()
    if hard:
        predicted = probabilities.argmax(axis=1)
        mean: FloatArray = np.bincount(predicted, share, n_classes).astype(float)
        squares = np.bincount(predicted, share**2, n_classes)
        both = np.outer(squares, mean)
        outer = np.outer(mean, mean) * squares.sum()
        return mean, np.diag(squares) - both - both.T + outer
    mean = np.asarray(share @ probabilities)
    centred = (probabilities - mean) * share[:, None]
    return mean, centred.T @ centred


def gaussian(covariance: FloatArray, n_draws: int, rng: np.random.Generator) -> FloatArray:
    """Draw rows of mean zero; the covariance may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((n_draws, covariance.shape[0])) @ root.T)
