"""Penalties on what a map does to rows of one class and to class means, from scatter matrices."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy import linalg

from imbkit._core.types import FloatArray
from imbkit.rvfl._statistics import Statistics

__all__ = ["Form", "Scatter", "class_scatter"]

Form: TypeAlias = Literal["authors", "symmetric"]


@dataclass(frozen=True, slots=True)
class Scatter:
    """The two scatters that a graph is made of; neither is divided by the number of rows.

    Parameters
    ----------
    within : ndarray of shape (d, d)
        Of what the graph holds together: H' L_w H.
    between : ndarray of shape (d, r)
        A factor B of what it holds apart: H' L_b H = B B'.
    mass : float
        Sum of the rows' weights.
    """

    within: FloatArray
    between: FloatArray
    mass: float

    def scaled(self) -> "Scatter":
        """Return both per row."""
        return Scatter(self.within / self.mass, self.between / np.sqrt(self.mass), 1.0)

    def penalty(self, ridge: float, form: Form) -> FloatArray:
        """Return G of shape (d, d): the inverse of (between + ridge I) times within.

        Parameters
        ----------
        ridge : float
            What makes the matrix between regular, above 0.
        form : {"authors", "symmetric"}
            The plain product, which is not symmetric, or the one with half of the inverse on
            either side, which is, and has the same eigenvalues.
        """
        if form == "authors":
            # Woodbury: the factor has few columns.
            B = self.between
            inner = ridge * np.eye(B.shape[1]) + B.T @ B
            return np.asarray((self.within - B @ linalg.solve(inner, B.T @ self.within)) / ridge)
        U, sizes, _ = linalg.svd(self.between, full_matrices=False)
        # (B B' + r I)^(-1/2) = r^(-1/2) I - U diag(r^(-1/2) - (s^2 + r)^(-1/2)) U'
        less = ridge**-0.5 - (sizes**2 + ridge) ** -0.5
        half = ridge**-0.5 * np.eye(len(U)) - (U * less) @ U.T
        both = half @ self.within @ half
        return np.asarray((both + both.T) / 2)


def class_scatter(statistics: Statistics) -> Scatter:
    """Return the scatters of linear discriminant analysis, from sums alone.

    Parameters
    ----------
    statistics : Statistics
        Of all rows, its groups being the classes.
    """
    mass, sums = statistics.mass, statistics.sums()
    kept = mass > 0
    mass, sums = mass[kept], sums[kept]
    means = sums / mass[:, None]
    within = statistics.moment() - means.T @ sums
    middle = sums.sum(axis=0) / mass.sum()
    between = (np.sqrt(mass)[:, None] * (means - middle)).T
    return Scatter((within + within.T) / 2, between, float(mass.sum()))
