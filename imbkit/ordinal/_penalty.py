"""What is shrunk: which combinations of the boundaries' weights, and how much each."""

from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.ordinal._design import Design

__all__ = ["Penalty", "Structure"]

Structure: TypeAlias = Literal["adjacent", "shared", "free"]


@dataclass(frozen=True, slots=True)
class Penalty:
    """An elastic net on coordinates theta (q, p) from which the weights B (K - 1, p) are made.

    Parameters
    ----------
    structure : {"adjacent", "shared", "free"}
        "adjacent": theta holds the first boundary's weights and the differences of adjacent
        boundaries, q = K - 1. "shared": one weight vector for all boundaries, q = 1. "free":
        theta is B.
    n_boundaries : int
        K - 1.
    l1_ratio : float
        Share of the lasso, 0 to 1; the rest is half a square.
    lasso, ridge : ndarray of shape (q, p)
        Factors of the two terms of each coordinate; 0 leaves it unpenalised.
    """

    structure: Structure
    n_boundaries: int
    l1_ratio: float
    lasso: FloatArray
    ridge: FloatArray

    @classmethod
    def of(
        cls,
        structure: Structure,
        design: Design,
        *,
        l1_ratio: float = 1.0,
        level_penalty: float = 1.0,
        standardize: bool = True,
    ) -> Self:
        """Return the penalty of a model on a table.

        Parameters
        ----------
        structure : {"adjacent", "shared", "free"}
            As above.
        design : Design
            The table.
        l1_ratio : float, default=1.0
            As above.
        level_penalty : float, default=1.0
            Factor of the first row of theta, if the structure is "adjacent".
        standardize : bool, default=True
            Whether weights of standardised columns are penalised. If not, those of the columns
            as given: the solver's columns are standardised all the same.
        """
        n_boundaries = design.n_classes - 1
        factor = np.ones((1 if structure == "shared" else n_boundaries, design.n_columns))
        if structure == "adjacent":
            factor[0] = level_penalty
        unit = np.ones(design.n_columns) if standardize else 1 / design.scale
        return cls(structure, n_boundaries, l1_ratio, factor * unit, factor * unit**2)

    def spread(self, theta: FloatArray) -> FloatArray:
        """Return the weights B (K - 1, p); rows between which nothing differs are equal."""
        if self.structure == "adjacent":
            return np.cumsum(theta, axis=0)
        if self.structure == "shared":
            return np.repeat(theta, self.n_boundaries, axis=0)
        return theta.copy()

    def collect(self, slopes: FloatArray) -> FloatArray:
        """Return the gradient in theta (q, p) from the one in B (K - 1, p)."""
        if self.structure == "adjacent":
            return np.asarray(np.cumsum(slopes[::-1], axis=0)[::-1])
        if self.structure == "shared":
            return np.asarray(slopes.sum(axis=0, keepdims=True))
        return slopes

    def l1(self, alpha: float) -> FloatArray:
        """Return the factors of the absolute values, of shape (q, p)."""
        return (alpha * self.l1_ratio) * self.lasso

    def l2(self, alpha: float) -> FloatArray:
        """Return the factors of half the squares, of shape (q, p)."""
        return (alpha * (1 - self.l1_ratio)) * self.ridge

    def value(self, theta: FloatArray, alpha: float) -> float:
        """Return the penalty of some coordinates."""
        absolute = np.sum(self.l1(alpha) * np.abs(theta))
        return float(absolute + np.sum(self.l2(alpha) * theta**2) / 2)
