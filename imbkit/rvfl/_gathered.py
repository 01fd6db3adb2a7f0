"""What a fit keeps of the rows it has seen: the rows while they are few, else their sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._device import Device
from imbkit.rvfl._hidden import HiddenLayer
from imbkit.rvfl._lanes import add_rows
from imbkit.rvfl._stacked import Stack
from imbkit.rvfl._statistics import Statistics

__all__ = ["Gathered", "Rows", "Solver"]

Solver: TypeAlias = Literal["auto", "dual", "primal"]


@dataclass
class Rows:
    """Rows, their features expanded.

    Parameters
    ----------
    H : ndarray of shape (n, d)
        Features.
    groups : ndarray of int, shape (n,)
        Group of each row.
    weights, scores : ndarray of shape (n,)
        How often a row counts, above 0, and how much it is trusted.
    targets : ndarray of shape (n, n_targets) or None
        None for a classifier, whose target is the group.
    """

    H: FloatArray
    groups: IntArray
    weights: FloatArray
    scores: FloatArray
    targets: FloatArray | None

    def rooted(
        self, of_gram: FloatArray, of_right: FloatArray, power: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return A and Y whose A' A is the Gram matrix, and A' Y the right side.

        Parameters
        ----------
        of_gram, of_right : ndarray of shape (n_groups,)
            What those of each group are multiplied by.
        power : int
            Of the scores in the Gram matrix.
        """
        # A row that is not trusted at all is in neither.
        kept = np.flatnonzero(self.scores > 0)
        groups, scores = self.groups[kept], self.scores[kept]
        root = np.sqrt(self.weights[kept])
        inner = np.sqrt(of_gram[groups] * scores**power)
        t = np.eye(len(of_gram))[groups] if self.targets is None else self.targets[kept]
        A = self.H[kept] * (root * inner)[:, None]
        return A, t * (root * of_right[groups] * scores / inner)[:, None]

    def joined(self, more: "Rows") -> "Rows":
        """Return both, one below the other."""
        both = self.targets is not None and more.targets is not None
        return Rows(
            np.concatenate([self.H, more.H]),
            np.concatenate([self.groups, more.groups]),
            np.concatenate([self.weights, more.weights]),
            np.concatenate([self.scores, more.scores]),
            np.concatenate([self.targets, more.targets]) if both else None,
        )


class Gathered:
    """The rows seen so far, in the smaller of two exact forms.

    Fewer rows than columns of h are held as they are, for the dual system. From then on there
    are sums alone. Adding may go on for ever.

    Parameters
    ----------
    n_groups, width, n_targets, power, scatter
        As for `Statistics`.
    solver : {"auto", "primal", "dual"}
        Whether rows are held while they are few, never, or always.
    """

    def __init__(
        self,
        n_groups: int,
        width: int,
        n_targets: int,
        *,
        power: int,
        scatter: bool,
        solver: Solver,
    ) -> None:
        self.n_groups, self.width, self.n_targets = n_groups, width, n_targets
        self.power, self.scatter, self.solver = power, scatter, solver
        self.held: Rows | None = None
        self.sums: Statistics | None = None

    @property
    def mass(self) -> FloatArray:
        """Sum of each group's weights."""
        if self.sums is not None:
            return self.sums.mass
        if self.held is None:
            return np.zeros(self.n_groups)
        return np.asarray(np.bincount(self.held.groups, self.held.weights, self.n_groups), float)

    def add(
        self,
        layer: HiddenLayer | Stack,
        X: Any,
        rows: Sequence[Any],
        *,
        size: int,
        device: Device,
    ) -> None:
        """Add rows.

        Parameters
        ----------
        layer : HiddenLayer or Stack
            What expands them.
        X : ndarray or CSR matrix or array of shape (n, p)
            Columns.
        rows : sequence of four arrays
            Groups, weights (above 0), scores and targets (or None) of the rows.
        size : int
            Rows at a time.
        device : Device
            What computes.
        """
        groups, weights, scores, targets = rows
        n_rows = X.shape[0] + (0 if self.held is None else len(self.held.groups))
        few = self.solver == "dual" or (self.solver == "auto" and n_rows < self.width)
        if few and self.sums is None:
            H = device.get(layer.expand(X, device))
            more = Rows(H, groups, weights, scores, targets)
            self.held = more if self.held is None else self.held.joined(more)
            return
        add_rows(self._sums(device, size), layer, X, rows, size=size, device=device)

    def summed(self, device: Device, size: int) -> Statistics:
        """Return the sums, also where rows are held; those stay."""
        if self.sums is not None:
            return self.sums
        sums = Statistics(
            self.n_groups,
            self.width,
            self.n_targets,
            power=self.power,
            scatter=self.scatter,
            device=device,
        )
        if self.held is not None:
            each = self.held
            for low in range(0, len(each.groups), size):
                span = slice(low, low + size)
                t = None if each.targets is None else each.targets[span]
                H = device.put(each.H[span])
                sums.add(H, each.groups[span], each.weights[span], each.scores[span], t)
        return sums

    def _sums(self, device: Device, size: int) -> Statistics:
        """Turn to sums for good, and have them on the device."""
        if self.sums is None:
            self.sums, self.held = self.summed(device, size), None
        self.sums.move(device)
        return self.sums
