"""Ridge regression with a graph's penalty, for many strengths from one factorisation."""

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from imbkit._core.types import FloatArray

__all__ = ["ridge_path", "ridge_rows_path"]

_JITTERS = (0.0, 1e-10, 1e-9, 1e-8, 1e-7)  # of the mean diagonal


def ridge_path(
    gram: FloatArray,
    right: FloatArray,
    strengths: Sequence[float],
    penalty: FloatArray | None = None,
    *,
    symmetric: bool = True,
) -> list[FloatArray]:
    """Return ``(a P + gram)^-1 right`` for each strength a.

    Parameters
    ----------
    gram : ndarray of shape (d, d)
        Symmetric, positive semidefinite.
    right : ndarray of shape (d, n_targets)
        Right side.
    strengths : sequence of float
        Each a, above 0.
    penalty : ndarray of shape (d, d), default=None
        P; None for the identity.
    symmetric : bool, default=True
        Whether P is symmetric and positive definite. If not, every strength is a
        factorisation of its own.

    Returns
    -------
    list of ndarray of shape (d, n_targets)
        Coefficients.
    """
    d = len(gram)
    if not symmetric:
        P = np.eye(d) if penalty is None else penalty
        return [linalg.solve(a * P + gram, right) for a in strengths]
    if len(strengths) == 1:
        (a,) = strengths
        return [_solved(gram + a * (np.eye(d) if penalty is None else penalty), right)]
    root = None if penalty is None else linalg.cholesky(penalty, lower=True)
    turned, at = gram, right
    if root is not None:
        turned = linalg.solve_triangular(root, gram, lower=True)
        turned = linalg.solve_triangular(root, turned.T, lower=True)
        at = linalg.solve_triangular(root, right, lower=True)
    values, vectors = linalg.eigh((turned + turned.T) / 2)
    along = vectors.T @ at
    values = np.maximum(values, 0.0)[:, None]
    path: list[FloatArray] = [vectors @ (along / (values + a)) for a in strengths]
    if root is not None:
        path = [linalg.solve_triangular(root, each, lower=True, trans="T") for each in path]
    return path


def ridge_rows_path(A: FloatArray, Y: FloatArray, strengths: Sequence[float]) -> list[FloatArray]:
    """Return ``(a I + A' A)^-1 A' Y`` for each strength a, by a system as large as the rows.

    Parameters
    ----------
    A : ndarray of shape (n, d)
        Rows.
    Y : ndarray of shape (n, n_targets)
        Their targets.
    strengths : sequence of float
        Each a, above 0.

    Returns
    -------
    list of ndarray of shape (d, n_targets)
        Coefficients.
    """
    return [A.T @ each for each in ridge_path(A @ A.T, Y, strengths)]


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a positive definite system; rounding may ask for a little more on its diagonal."""
    unit = np.trace(matrix) / len(matrix)
    for jitter in _JITTERS:
        try:
            factor = linalg.cho_factor(matrix + jitter * unit * np.eye(len(matrix)), lower=True)
        except linalg.LinAlgError:
            continue
        return np.asarray(linalg.cho_solve(factor, right))
    values, vectors = linalg.eigh(matrix)
    kept = values > _JITTERS[-1] * unit
    along = vectors[:, kept]
    return np.asarray(along @ ((along.T @ right) / values[kept][:, None]))
