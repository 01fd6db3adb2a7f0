"""A graph as a part of the linear system: from which rows or sums it is made, and the solution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from imbkit._core.types import FloatArray
from imbkit.rvfl._dual import class_penalty_solver, dual_path, penalty_solver
from imbkit.rvfl._gathered import Rows
from imbkit.rvfl._graph import Form, Scatter
from imbkit.rvfl._ridge import ridge_path

__all__ = ["Graph", "class_rows"]


@dataclass(frozen=True, slots=True)
class Graph:
    """The term ``lam G`` of the penalty.

    Parameters
    ----------
    scatter : Scatter
        What it is made of.
    strength : float
        lam, above 0.
    ridge : float
        What makes the scatter between regular.
    form : {"authors", "symmetric"}
        How the two scatters are put together.
    within_rows : ndarray of shape (n, d), default=None
        Rows whose Gram matrix is the scatter within, where `scatter` does not have that.
    """

    scatter: Scatter
    strength: float
    ridge: float
    form: Form
    within_rows: FloatArray | None = None

    @property
    def condition(self) -> float:
        """Condition number of the scatter between with its ridge."""
        B = self.scatter.between
        values = np.zeros(len(B))
        values[: min(B.shape)] = linalg.svdvals(B)
        squares = values**2 + self.ridge
        return float(squares.max() / squares.min())

    def penalty(self) -> FloatArray:
        """Return I + lam G."""
        G = self.scatter.penalty(self.ridge, self.form)
        return np.asarray(np.eye(len(G)) + self.strength * G)

    def solve_sums(
        self, gram: FloatArray, right: FloatArray, strengths: Sequence[float]
    ) -> list[FloatArray]:
        """Return the coefficients from the Gram matrix and the right side."""
        symmetric = self.form == "symmetric"
        return ridge_path(gram, right, strengths, self.penalty(), symmetric=symmetric)

    def solve_rows(
        self, A: FloatArray, Y: FloatArray, strengths: Sequence[float]
    ) -> list[FloatArray]:
        """Return the coefficients from scaled rows and targets."""
        if self.within_rows is None:
            solve = penalty_solver(self.penalty())
        else:
            solve = class_penalty_solver(
                self.within_rows, self.scatter, self.strength, self.ridge, self.form
            )
        return dual_path(A, Y, strengths, solve)


def class_rows(rows: Rows, n_classes: int) -> tuple[FloatArray, Scatter]:
    """Return rows less the mean of their class, and the scatter between the classes.

    Parameters
    ----------
    rows : Rows
        Rows of weights above 0.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n, d)
        Times the root of their weight: their Gram matrix is the scatter within.
    Scatter
        Its part `within` is empty.
    """
    mass = np.bincount(rows.groups, rows.weights, n_classes)
    seen = np.flatnonzero(mass)
    share = np.zeros((n_classes, len(rows.groups)))
    share[rows.groups, np.arange(len(rows.groups))] = rows.weights / mass[rows.groups]
    means = share @ rows.H
    middle = mass @ means / mass.sum()
    between = (np.sqrt(mass[seen])[:, None] * (means[seen] - middle)).T
    within = np.sqrt(rows.weights)[:, None] * (rows.H - means[rows.groups])
    return within, Scatter(np.empty((0, 0)), between, float(mass.sum()))
