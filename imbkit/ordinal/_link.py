"""What a link of the cumulative model gives: probabilities, losses of a row, derivatives."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from imbkit._core.types import FloatArray

__all__ = ["SMALLEST_GAP", "Link", "SymmetricLink", "in_blocks"]

# A row whose two boundaries lie closer than this has no probability: its loss is infinite.
SMALLEST_GAP = 1e-150

_BLOCK = 8192  # rows whose intermediate results fit the cache: thrice as fast as 100,000 at once

_Method = TypeVar("_Method", bound=Callable[..., Any])


def in_blocks(method: _Method) -> _Method:
    """Make a method that works row by row take some thousand rows at a time."""

    @wraps(method)
    def blocked(self: Any, *scores: FloatArray) -> Any:
        n = len(scores[0])
        if n <= _BLOCK:
            return method(self, *scores)
        whole: list[FloatArray] = []
        for low in range(0, n, _BLOCK):
            part = method(self, *(each[low : low + _BLOCK] for each in scores))
            single = not isinstance(part, tuple)
            parts = (part,) if single else part
            whole = whole or [np.empty(n) for _ in parts]
            for out, values in zip(whole, parts, strict=True):
                out[low : low + _BLOCK] = values
        return whole[0] if single else tuple(whole)

    return cast(_Method, blocked)


class Link(ABC):
    """A distribution function F with a log-concave density, which makes the loss convex.

    P(y <= k) = F(eta_k). A row of the first class has one boundary above it, ``upper``; one of
    the last class has one below it, ``lower``; any other lies between both. Its loss is minus
    the logarithm of its probability. Arrays are float64 of one dimension and finite; none is
    written to.
    """

    name: str

    @abstractmethod
    def cdf(self, eta: FloatArray) -> FloatArray:
        """F, the probability of at most this class."""

    @abstractmethod
    def survival(self, eta: FloatArray) -> FloatArray:
        """1 - F, right to the last digit also where F is near 1."""

    @abstractmethod
    def log_cdf(self, eta: FloatArray) -> FloatArray:
        """Log F, also where F underflows."""

    @abstractmethod
    def log_survival(self, eta: FloatArray) -> FloatArray:
        """Log (1 - F), also where this underflows."""

    @abstractmethod
    def quantile(self, p: FloatArray) -> FloatArray:
        """The score at which F is p."""

    @abstractmethod
    def first(self, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Loss -log F(upper) and its slope."""

    @abstractmethod
    def last(self, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Loss -log (1 - F(lower)) and its slope."""

    @abstractmethod
    def between(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Loss -log (F(upper) - F(lower)) and its slopes by both; +inf where upper <= lower."""

    @abstractmethod
    def first_curvature(self, upper: FloatArray) -> FloatArray:
        """Second derivative of the loss of ``first``, 0 or more."""

    @abstractmethod
    def last_curvature(self, lower: FloatArray) -> FloatArray:
        """Second derivative of the loss of ``last``, 0 or more."""

    @abstractmethod
    def between_curvature(
        self, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Second derivatives by upper twice, lower twice and both: positive semidefinite."""


class SymmetricLink(Link):
    """A link with 1 - F(eta) = F(-eta): the last class is the first one in the mirror."""

    def survival(self, eta: FloatArray) -> FloatArray:
        """1 - F, right to the last digit also where F is near 1."""
        return self.cdf(-eta)

    def log_survival(self, eta: FloatArray) -> FloatArray:
        """Log (1 - F), also where this underflows."""
        return self.log_cdf(-eta)

    def last(self, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Loss -log (1 - F(lower)) and its slope."""
        loss, slope = self.first(-lower)
        return loss, -slope

    def last_curvature(self, lower: FloatArray) -> FloatArray:
        """Second derivative of the loss of ``last``, 0 or more."""
        return self.first_curvature(-lower)
