"""Where every row of a resampled table comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The rows of a resampled table, as positions in the table before.

    A row is either a copy of row `base`, or made from rows `base` and `mate`. Writing the rows
    out is another matter: a plan holds no data, so tables, sparse matrices, weights, groups and
    lazy batches can all follow the same one.

    Parameters
    ----------
    base : ndarray of int, shape (n_rows,)
        The row that is copied, or that a new row starts from. Its label is the new row's.
    mate : ndarray of int, shape (n_rows,)
        The other parent; equal to `base` where there is none.
    step : ndarray of float, shape (n_rows,)
        A new row is ``X[base] + step * (X[mate] - X[base])``; 0 for copies. NaN where a new
        row is not on that segment.
    made : ndarray of bool, shape (n_rows,)
        Whether the row's values are new.
    extras : mapping of str to ndarray of shape (n_made, ...)
        What writing the new rows needs besides, in their order.
    """

    base: IntArray
    mate: IntArray
    step: FloatArray
    made: BoolArray
    extras: Mapping[str, AnyArray] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def copies(cls, indices: ArrayLike) -> Self:
        """Return the plan that copies the rows at these positions, in this order."""
        base = np.asarray(indices, dtype=np.intp)
        return cls(base, base, np.zeros(base.size), np.zeros(base.size, dtype=bool))

    @classmethod
    def grown(
        cls,
        n_rows: int,
        base: ArrayLike,
        mate: ArrayLike,
        step: ArrayLike,
        **extras: AnyArray,
    ) -> Self:
        """Return the plan that copies all `n_rows` rows and puts new ones below."""
        kept, new = np.arange(n_rows), np.asarray(base, dtype=np.intp)
        return cls(
            np.concatenate([kept, new]),
            np.concatenate([kept, np.asarray(mate, dtype=np.intp)]),
            np.concatenate([np.zeros(n_rows), np.asarray(step, dtype=np.float64)]),
            np.arange(n_rows + new.size) >= n_rows,
            extras,
        )

    @property
    def n_rows(self) -> int:
        """Number of rows of the resampled table."""
        return self.base.size

    @property
    def n_made(self) -> int:
        """Number of new rows among them."""
        return int(np.count_nonzero(self.made))

    @property
    def parents(self) -> IntArray:
        """Both parents of every row, shape (n_rows, 2)."""
        return np.column_stack([self.base, self.mate])

    def take(self, positions: ArrayLike) -> Self:
        """Return the plan for some of the resampled rows, in the given order."""
        chosen = np.asarray(positions, dtype=np.intp)
        made = self.made[chosen]
        # Position of every new row among the new rows.
        number = np.cumsum(self.made) - 1
        extras = {name: values[number[chosen[made]]] for name, values in self.extras.items()}
        return type(self)(self.base[chosen], self.mate[chosen], self.step[chosen], made, extras)
