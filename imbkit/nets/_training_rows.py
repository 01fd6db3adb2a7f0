"""The training rows as a batch sampler sees them: labels, weights and groups, checked."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["TrainingRows"]

_TINY = np.finfo(float).tiny  # instead of no mass at all, to divide by


@dataclass(frozen=True, eq=False, slots=True)
class TrainingRows:
    """Labels of the training rows, and what else was handed over with them.

    Parameters
    ----------
    n : int
        Rows, at least one.
    n_classes : int
        Classes or labels; 0 for a target that is neither.
    codes : ndarray of shape (n,), default=None
        Class positions; None for several labels a row.
    has : ndarray of bool, shape (n, n_classes), default=None
        Which labels each row has; None for one class a row.
    lacks : ndarray of bool, shape (n, n_classes), default=None
        Which it has not; a label that is unknown is in neither.
    sample_weight : ndarray of shape (n,), default=None
        Weights, none below 0.
    groups : ndarray of shape (n,), default=None
        The group of each row.
    values : ndarray of float64, shape (n,), default=None
        A number for each row.
    """

    n: int
    n_classes: int
    codes: IntArray | None = None
    has: BoolArray | None = None
    lacks: BoolArray | None = None
    sample_weight: FloatArray | None = None
    groups: AnyArray | None = None
    values: FloatArray | None = None

    @classmethod
    def checked(
        cls,
        who: str,
        labels: ArrayLike,
        n_classes: int,
        groups: ArrayLike | None,
        sample_weight: ArrayLike | None,
        values: ArrayLike | None,
    ) -> Self:
        """Return them, or complain on behalf of a sampler."""
        y = np.asarray(labels)
        if y.ndim not in (1, 2) or len(y) == 0:
            raise DataError(message(who, "needs at least one training row", f"shape {y.shape}"))
        n = len(y)
        more: dict[str, Any] = {
            "groups": _column(who, "groups", groups, n),
            "sample_weight": _weights(who, sample_weight, n),
            "values": _column(who, "values", values, n),
        }
        if more["values"] is not None:
            more["values"] = more["values"].astype(np.float64)
        if y.ndim == 2:
            # Labels are looked at one by one, so each lies in one piece.
            has, lacks = np.asfortranarray(y == 1), np.asfortranarray(y == 0)
            return cls(n, y.shape[1], has=has, lacks=lacks, **more)
        if n_classes == 0:
            return cls(n, 0, **more)
        if y.dtype.kind not in "iub" or y.min() < 0 or y.max() >= n_classes:
            rule = f"labels must be class positions from 0 to {n_classes - 1}"
            todo = "Encode labels by numpy.unique(y, return_inverse=True)"
            raise DataError(message(who, rule, y[:5].tolist(), todo))
        return cls(n, n_classes, codes=y.astype(np.intp, copy=False), **more)

    def masses(self, weight: FloatArray | None = None) -> FloatArray:
        """Return the rows of each class or with each label, or the sum of their weights."""
        if self.codes is not None:
            found = np.bincount(self.codes, weight, minlength=self.n_classes)
            return found.astype(np.float64)
        if self.has is None:
            return np.zeros(0)
        if weight is None:
            return np.asarray(self.has.sum(axis=0), dtype=np.float64)
        return np.asarray(weight @ self.has)

    def shares(self, weight: FloatArray | None = None) -> FloatArray:
        """Return the class shares, or the rate of each label, among rows drawn by weights."""
        if self.has is not None and self.lacks is not None:
            # Of a label only the rows are asked in which it is known.
            known = self.has | self.lacks
            total = known.sum(axis=0) if weight is None else weight @ known
            return np.asarray(self.masses(weight) / np.maximum(total, _TINY))
        total = self.n if weight is None else weight.sum()
        return np.asarray(self.masses(weight) / total)

    def by_class(self) -> tuple[IntArray, IntArray]:
        """Return the rows sorted by class, and where each class begins and the last one ends."""
        return sorted_by(self.codes if self.codes is not None else np.zeros(self.n, np.intp))


def sorted_by(codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return positions sorted by code, and where each code begins and the last one ends."""
    # Integers of 16 bits or fewer are sorted in linear time.
    narrow = codes.astype(np.min_scalar_type(int(codes.max())), copy=False)
    return np.argsort(narrow, kind="stable"), np.append(0, np.cumsum(np.bincount(codes)))


def _column(who: str, name: str, given: ArrayLike | None, n: int) -> AnyArray | None:
    """Return a value for each row, or complain."""
    if given is None:
        return None
    column = np.asarray(given)
    if column.shape != (n,):
        rule = f"{name} must have a value for each of the {n} training rows"
        raise DataError(message(who, rule, f"shape {column.shape}"))
    return column


def _weights(who: str, given: ArrayLike | None, n: int) -> FloatArray | None:
    """Return the weights of rows, or complain."""
    column = _column(who, "sample_weight", given, n)
    if column is None:
        return None
    weight = column.astype(np.float64)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        rule = "sample_weight must be finite numbers, none below 0 and not all 0"
        raise DataError(message(who, rule, column[:5].tolist()))
    return weight
