"""What a fit needs of the rows: sums over chunks of them, in any order."""

from typing import Any

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._device import Device, NumpyDevice

__all__ = ["Statistics"]


class Statistics:
    """Sums over rows h with targets t, weights v and scores s; adding chunks never ends.

    Rows belong to groups, the classes of a classifier, whose Gram matrices are kept apart: what
    a class weighs is known only when all rows are.

    Parameters
    ----------
    n_groups : int
        Number of groups.
    width : int
        Columns of h.
    n_targets : int
        Columns of t, or 0 for a classifier, whose target is the group.
    power : int, default=2
        Of the scores in the Gram matrices: 2, or 1 where weighted least squares are meant.
    scatter : bool, default=False
        Whether the unscored second moments and sums are needed, for graphs.
    device : Device
        What computes.

    Attributes
    ----------
    mass : ndarray of shape (n_groups,)
        Sum of v.
    n_rows : ndarray of shape (n_groups,)
        Rows of positive weight.
    """

    def __init__(
        self,
        n_groups: int,
        width: int,
        n_targets: int,
        *,
        power: int = 2,
        scatter: bool = False,
        device: Device,
    ) -> None:
        self.width, self.n_targets = width, n_targets
        self.power, self.device = power, device
        self.mass, self.n_rows = np.zeros(n_groups), np.zeros(n_groups, dtype=np.int64)
        every = range(n_groups)
        self._gram = [device.zeros(width, width) for _ in every]
        self._right = [device.zeros(width, max(n_targets, 1)) for _ in every]
        self._moment = device.zeros(width, width) if scatter else None
        self._sums = [device.zeros(width, 1) for _ in every] if scatter else []
        self._shift: Any = None
        self._room: Any = None

    def add(
        self,
        H: Any,
        groups: IntArray,
        weights: FloatArray,
        scores: FloatArray,
        targets: FloatArray | None = None,
        *,
        spare: bool = False,
    ) -> None:
        """Add a chunk of rows; the fastest are those sorted by group.

        Parameters
        ----------
        H : array of the device, shape (rows, width)
            Features.
        groups : ndarray of int, shape (rows,)
            Group of each row.
        weights, scores : ndarray of shape (rows,)
            How often a row counts, and how much it is trusted; not negative.
        targets : ndarray of shape (rows, n_targets), default=None
            None for a classifier: 1 for a row's own group.
        spare : bool, default=False
            Whether H may be lost.
        """
        put = self.device.put
        if self._moment is not None:
            self._add_scatter(H, groups, weights)
        for group in range(len(self.mass)):
            rows = np.flatnonzero((groups == group) & (weights > 0))
            if len(rows) == 0:
                continue
            v, s = weights[rows], scores[rows]
            self.mass[group] += v.sum()
            self.n_rows[group] += len(rows)
            first, last = rows[0], rows[-1] + 1
            together = last - first == len(rows)
            part = H[first:last] if together else H[rows]
            t = np.ones((len(rows), 1)) if targets is None else targets[rows]
            self._right[group] += part.T @ put((v * s)[:, None] * t)
            root = np.sqrt(v * s**self.power)
            keep = together and not spare
            self.device.add_square(self._gram[group], self._scaled(part, root, keep=keep))

    def fresh(self) -> "Statistics":
        """Return sums of the same kind without rows, with moments about the same point."""
        other = Statistics(
            len(self.mass),
            self.width,
            self.n_targets,
            power=self.power,
            scatter=self._moment is not None,
            device=self.device,
        )
        other._shift = self._shift
        return other

    def merge(self, other: "Statistics") -> None:
        """Add the sums of other rows, which were begun as `fresh`."""
        self.mass += other.mass
        self.n_rows += other.n_rows
        for name in ("_gram", "_right", "_sums"):
            for mine, more in zip(getattr(self, name), getattr(other, name), strict=True):
                mine += more
        if self._moment is not None:
            self._moment += other._moment

    def _add_scatter(self, H: Any, groups: IntArray, weights: FloatArray) -> None:
        """Add second moments about a point near the mean, where no digits are lost."""
        put = self.device.put
        if self._shift is None:
            total = weights.sum()
            self._shift = (put(weights[None, :]) @ H) / (total if total > 0 else 1.0)
        if self._room is None or len(self._room) < len(H):
            self._room = self.device.empty(len(H), self.width)
        moved = self.device.xp.subtract(H, self._shift, out=self._room[: len(H)])
        own = weights * (groups == np.arange(len(self.mass))[:, None])
        sums = put(own) @ moved
        for group in np.flatnonzero(own.any(axis=1)):
            self._sums[group] += sums[group][:, None]
        self.device.add_square(self._moment, self._scaled(moved, np.sqrt(weights), keep=False))

    def _scaled(self, rows: Any, factors: FloatArray, *, keep: bool) -> Any:
        """Return rows times factors, the rows overwritten unless they are to be kept."""
        if (factors == 1).all():
            return rows
        there = self.device.put(factors[:, None])
        if keep:
            return rows * there
        rows *= there
        return rows

    def let_go(self) -> None:
        """Give back the memory that adding rows took."""
        self._room = None

    def move(self, device: Device) -> None:
        """Go on computing on another device."""
        if device.name == self.device.name:
            return
        self.let_go()
        old, self.device = self.device, device
        for name in ("_gram", "_right", "_sums"):
            setattr(self, name, [device.put(old.get(each)) for each in getattr(self, name)])
        for name in ("_moment", "_shift"):
            value = getattr(self, name)
            setattr(self, name, None if value is None else device.put(old.get(value)))

    def __getstate__(self) -> dict[str, Any]:
        # What is loaded elsewhere may find no such device there.
        here = object.__new__(type(self))
        vars(here).update(vars(self))
        here.let_go()
        here.move(NumpyDevice())
        state = dict(vars(here))
        del state["device"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.device = NumpyDevice()

    def grams(self) -> list[FloatArray]:
        """Return the scored Gram matrix of each group."""
        return [self.device.get(each) for each in self._gram]

    def rights(self) -> list[FloatArray]:
        """Return the scored sums of h times target of each group, (width, n_targets or 1)."""
        return [self.device.get(each) for each in self._right]

    def moment(self) -> FloatArray:
        """Return the second moments of all rows about `shift`."""
        return self.device.get(self._moment)

    def sums(self) -> FloatArray:
        """Return each group's sum of h less `shift`, of shape (n_groups, width)."""
        return np.stack([self.device.get(each)[:, 0] for each in self._sums])
