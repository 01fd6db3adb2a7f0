"""Arithmetic on the last linear layer of a model: weights (K, m) and intercepts (K,)."""

from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from imbkit._core.types import BoolArray, FloatArray, IntArray

__all__ = [
    "Bias",
    "class_means",
    "corrected_bias",
    "even_scales",
    "group_scales",
    "head_of_half",
    "learned_scales",
    "one_row",
    "row_norms",
    "tau_normalized",
    "tau_scales",
    "two_rows",
]

Bias: TypeAlias = Literal["zero", "keep", "prior"]

# Beside the longest row, one shorter than this points nowhere: it is rounding or all zero.
_NOTHING = 2.0**-52
# Learned scales may not run away on classes that the head separates without error.
_MAX_SCALE = 100.0
_NO_LOSS = 1e-6


def two_rows(weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a two-class head of one row (1, m) as the centred one of two rows (2, m).

    The score of the second class less that of the first is the score of the one row, and the
    two rows sum to zero, as the rows of a multinomial head with a ridge penalty do.
    """
    return np.vstack((-weights, weights)) / 2, np.concatenate((-bias, bias)) / 2


def one_row(weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a head of two rows (2, m) as the one row (1, m) of their difference."""
    return weights[1:] - weights[:1], bias[1:] - bias[:1]


def row_norms(weights: FloatArray) -> FloatArray:
    """Return the Euclidean norm of each class's weights, shape (K,)."""
    return np.asarray(np.linalg.norm(weights, axis=1))


def tau_scales(weights: FloatArray, tau: float, *, keep_size: bool = False) -> FloatArray:
    """Return 1 / norm^tau of each row, shape (K,); 1 for a row of zeros.

    With `keep_size` the norms are taken relative to their geometric mean, which the scaled
    weights then have as well: intercepts beside them keep their part in the scores.
    """
    norms = row_norms(weights)
    nothing = _is_nothing(norms)
    logs = np.log(np.where(nothing, 1.0, norms))
    if keep_size and not nothing.all():
        logs -= logs[~nothing].mean()
    return np.asarray(np.where(nothing, 1.0, np.exp(-tau * logs)))


def tau_normalized(weights: FloatArray, tau: float) -> FloatArray:
    """Return w_k / ||w_k||^tau: the weights themselves for tau = 0, unit norms for tau = 1."""
    return weights * tau_scales(weights, tau)[:, np.newaxis]


def group_scales(weights: FloatArray, head: BoolArray) -> FloatArray:
    """Return factors (K,) that give the other classes the mean norm of the head classes.

    Those of the head are 1. So are all of them if every other class has weights of zero.
    """
    norms = row_norms(weights)
    if _is_nothing(norms)[~head].all():
        return np.ones(norms.size)
    return np.asarray(np.where(head, 1.0, norms[head].mean() / norms[~head].mean()))


def even_scales(weights: FloatArray) -> FloatArray:
    """Return factors (K,) that give each class the mean norm of all; 1 for a row of zeros."""
    norms = row_norms(weights)
    nothing = _is_nothing(norms)
    return np.asarray(np.where(nothing, 1.0, norms.mean() / np.where(nothing, 1.0, norms)))


def learned_scales(
    scores: FloatArray, bias: FloatArray, codes: IntArray, sample_weight: FloatArray | None = None
) -> tuple[FloatArray, bool]:
    """Return factors (K,) of least class-balanced log-loss, and whether the search ended well.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, K)
        Scores without intercept.
    bias : ndarray of shape (K,)
        Intercepts, which are added to the scaled scores.
    codes : ndarray of shape (n_rows,)
        Class of each row, from 0 to K - 1; every class has a row of positive weight.
    sample_weight : ndarray of shape (n_rows,), default=None
        Weights; their sum is made the same in each class.
    """
    n_rows, n_classes = scores.shape
    mass = np.bincount(codes, weights=sample_weight, minlength=n_classes)
    share = 1.0 / (n_classes * mass[codes])
    if sample_weight is not None:
        share = share * sample_weight
    every = np.arange(n_rows)

    def loss(scales: FloatArray) -> tuple[float, FloatArray]:
        logs = log_softmax(scores * scales + bias, axis=1)
        value = -float(share @ logs[every, codes])
        rest = np.exp(logs, out=logs)
        rest[every, codes] -= 1.0
        rest *= scores
        return value, np.asarray(share @ rest)

    found = minimize(
        loss,
        np.ones(n_classes),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, _MAX_SCALE)] * n_classes,
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-9},
    )
    good = found.success and found.x.max() < _MAX_SCALE and found.fun > _NO_LOSS
    return np.asarray(found.x), bool(good)


def corrected_bias(bias: FloatArray, kind: Bias, prior: FloatArray | None) -> FloatArray:
    """Return the intercepts as they are, none, or without the logarithm of the class shares."""
    if kind == "zero":
        return np.zeros_like(bias)
    return bias - np.log(prior) if kind == "prior" and prior is not None else bias.copy()


def head_of_half(shares: FloatArray) -> BoolArray:
    """Mark the fewest classes that hold half of the rows; of equal ones the first in order."""
    order = np.argsort(-shares, kind="stable")
    before = np.cumsum(shares[order]) - shares[order]
    head = np.zeros(shares.size, dtype=bool)
    head[order] = before < shares.sum() / 2
    return head


def class_means(
    X: Any, codes: IntArray, n_classes: int, sample_weight: FloatArray | None = None
) -> FloatArray:
    """Return the mean row of each class, shape (K, m), of a dense or CSR matrix (n_rows, m)."""
    rows = []
    for code in range(n_classes):
        inside = np.flatnonzero(codes == code)
        weight = np.ones(inside.size) if sample_weight is None else sample_weight[inside]
        rows.append(np.asarray(weight @ X[inside]).ravel() / weight.sum())
    return np.vstack(rows)


def _is_nothing(norms: FloatArray) -> BoolArray:
    """Mark the rows that are zero, or so beside the longest."""
    return np.asarray((norms <= _NOTHING * norms.max()), dtype=bool)
