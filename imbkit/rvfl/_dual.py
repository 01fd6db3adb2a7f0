"""The same ridge regression where rows are fewer than features: a system of the rows' size."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import linalg

from imbkit._core.types import FloatArray
from imbkit.rvfl._graph import Form, Scatter

__all__ = ["class_penalty_solver", "dual_path", "penalty_solver"]

Solver = Callable[[FloatArray], FloatArray]


def dual_path(
    rows: FloatArray, targets: FloatArray, strengths: Sequence[float], solve: Solver | None = None
) -> list[FloatArray]:
    """Return ``(a P + rows' rows)^-1 rows' targets`` for each strength a.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Features, scaled by what rows weigh.
    targets : ndarray of shape (n, n_targets)
        Targets, scaled so that ``rows' targets`` is the right side.
    strengths : sequence of float
        Each a, above 0.
    solve : callable, default=None
        ``solve(V)`` is ``P^-1 V`` for V of shape (d, m); None for P = I. P need not be
        symmetric.

    Notes
    -----
    By ``(a P + A'A)^-1 A' = P^-1 A' (a I + A P^-1 A')^-1``: n^2 d multiplications.
    """
    spread = rows.T if solve is None else solve(rows.T)
    inner = rows @ spread
    unit = np.eye(len(rows))
    return [spread @ linalg.solve(a * unit + inner, targets) for a in strengths]


def class_penalty_solver(
    within_rows: FloatArray, scatter: Scatter, lam: float, ridge: float, form: Form
) -> Solver:
    """Return ``V -> (I + lam G)^-1 V`` for the graph of classes, without a (d, d) system.

    Parameters
    ----------
    within_rows : ndarray of shape (n, d)
        Z: the rows less the mean of their class, times the root of their weight, so that
        Z'Z is the scatter within.
    scatter : Scatter
        Of these rows; its factor between has few columns.
    lam : float
        Strength of the graph.
    ridge, form :
        As for ``Scatter.penalty``.

    Notes
    -----
    G is M Z'Z, or with half of M on either side, for M the inverse of (between + ridge I).
    ``(I + lam M Z'Z)^-1 V = V - lam M Z' (I + lam Z M Z')^-1 Z V``.
    """
    U, sizes, _ = linalg.svd(scatter.between, full_matrices=False)
    power = 1.0 if form == "authors" else 0.5
    plain = ridge**-power
    less = plain - (sizes**2 + ridge) ** -power

    def times(V: FloatArray) -> FloatArray:
        """Multiply by M, or by its root."""
        return np.asarray(plain * V - U @ (less[:, None] * (U.T @ V)))

    left = times(within_rows.T)
    right = within_rows if form == "authors" else left.T
    factor = linalg.lu_factor(np.eye(len(within_rows)) + lam * (right @ left))

    def solve(V: FloatArray) -> FloatArray:
        return np.asarray(V - lam * (left @ linalg.lu_solve(factor, right @ V)))

    return solve


def penalty_solver(penalty: FloatArray) -> Solver:
    """Return ``V -> P^-1 V`` for any P, by one factorisation."""
    factor = linalg.lu_factor(penalty)
    return lambda V: np.asarray(linalg.lu_solve(factor, V))
