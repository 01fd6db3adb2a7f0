"""Distances to centres of classes in the space of a kernel, by random Fourier features."""

from typing import Any

import numpy as np

from imbkit._core.product_blocks import run_product_blocks
from imbkit._core.types import FloatArray, IntArray

__all__ = ["FREQUENCIES", "fourier_squares"]

FREQUENCIES = 512  # each with a cosine and a sine
_BLOCK = 256  # rows whose features a processor's cache holds


def fourier_squares(
    X: Any,
    codes: IntArray,
    n_classes: int,
    weights: FloatArray,
    width: float,
    rng: np.random.Generator,
    n_frequencies: int = FREQUENCIES,
    *,
    n_jobs: int | None,
) -> FloatArray:
    """Estimate each row's squared distance to each centre.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        Rows.
    codes : ndarray of int, shape (n,)
        Class of each.
    n_classes : int
        Number of classes.
    weights : ndarray of shape (n,)
        How often a row counts in the centre.
    width : float
        mu of the kernel ``exp(-d**2 / mu**2)``.
    rng : Generator
        What draws the frequencies.
    n_frequencies : int
        How many.
    n_jobs : int or None
        Threads.

    Returns
    -------
    ndarray of shape (n, n_classes)
        In [0, 4]; the kernel is off by about ``(2 n_frequencies) ** -0.5``.

    Notes
    -----
    With w from N(0, 2 / mu**2), exp(i w x) has the kernel as its expected product, and every
    row has norm 1: the square is 1 - 2 Re(z conj(m)) + abs(m)**2, averaged over w. Features
    are computed in single precision, which is far below the error of so few frequencies.
    """
    # In turns of the circle, whole ones of which are dropped before digits are.
    turns = rng.normal(scale=np.sqrt(2) / width, size=(X.shape[1], n_frequencies)) / (2 * np.pi)
    mass = np.bincount(codes, weights, n_classes)
    portions = np.zeros((len(codes), n_classes))
    portions[np.arange(len(codes)), codes] = np.divide(
        weights, mass[codes], out=np.zeros(len(codes)), where=mass[codes] > 0
    )

    def features(low: int, high: int) -> FloatArray:
        phases = np.asarray(X[low:high] @ turns, dtype=np.float64)
        phases -= np.rint(phases)
        angles = phases.astype(np.float32)
        angles *= np.float32(2 * np.pi)
        return np.hstack((np.cos(angles), np.sin(angles)))

    step = max(_BLOCK, -(-len(codes) // 16))  # few sums to hold, and the same for any threads

    def centre_sums(low: int, high: int) -> FloatArray:
        total = np.zeros((n_classes, 2 * n_frequencies))
        for first in range(low, high, _BLOCK):
            last = min(first + _BLOCK, high)
            total += portions[first:last].T.astype(np.float32) @ features(first, last)
        return total

    centres = np.sum(run_product_blocks(centre_sums, len(codes), n_jobs=n_jobs, block=step), axis=0)
    constant = 1 + (centres**2).sum(axis=1) / n_frequencies
    single = centres.T.astype(np.float32)
    out = np.empty((len(codes), n_classes))

    def squares(low: int, high: int) -> None:
        out[low:high] = constant - 2 / n_frequencies * (features(low, high) @ single)

    run_product_blocks(squares, len(codes), n_jobs=n_jobs, block=_BLOCK)
    return np.maximum(out, 0.0)
