"""Confusion counts of several classes while rows go over to one class, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.metrics import Counts

__all__ = ["Moves", "States", "fields", "one_against_rest"]


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """Counts of each class against the rest in all the states that it passes through.

    Parameters
    ----------
    target : Counts
        Of the class that rows go over to, arrays of shape (n_moves + 1,).
    others : Counts
        Of all classes, arrays of shape (n_moves + n_classes,): the states of the first
        class, then those of the second, ... A class has one state more than rows that leave
        it; those of the target are of no use.
    order : ndarray of shape (n_moves,)
        The moves grouped by the class that is left, earlier ones first.
    sizes : ndarray of shape (n_classes,)
        How many states each class has in `others`.
    source : ndarray of shape (n_moves,)
        The class that each move leaves.
    target_class : int
        The class that rows go over to.
    """

    target: Counts
    others: Counts
    order: IntArray
    sizes: IntArray
    source: IntArray
    target_class: int

    def added_up(self, others: FloatArray, target: FloatArray) -> FloatArray:
        """Add up over the classes a value that each of them has in each of its states.

        Parameters
        ----------
        others : ndarray of shape (n_moves + n_classes,)
            The values in the states of `others`.
        target : ndarray of shape (n_moves + 1,)
            The values in the states of `target`.

        Returns
        -------
        ndarray of shape (n_moves + 1,)
            The sum before any row has moved, and after each move.
        """
        first = np.cumsum(self.sizes) - self.sizes
        within = np.ones(others.size - 1, dtype=bool)
        within[first[1:] - 1] = False
        change = np.empty(self.order.size)
        change[self.order] = np.diff(others)[within]
        start = np.delete(others[first], self.target_class).sum()
        return np.asarray(target + (start + _running_sum(change)))

    def tables(self, n_columns: int) -> Iterator[Counts]:
        """Yield the counts of all classes before any move, and after each.

        Parameters
        ----------
        n_columns : int
            How many states of the whole to yield at a time.

        Yields
        ------
        Counts
            Arrays of shape (n_classes, n_columns), the last ones narrower.
        """
        here = np.cumsum(self.sizes) - self.sizes
        n_states = self.source.size + 1
        for low in range(0, n_states, n_columns):
            high = min(low + n_columns, n_states)
            moved = self.source[max(low - 1, 0) : high - 1]
            position = np.zeros((here.size, high - low), dtype=np.intp)
            position[moved, np.arange(high - low - moved.size, high - low)] = 1
            position[:, 0] += here
            np.cumsum(position, axis=1, out=position)
            here = position[:, -1]
            table = Counts(*(each[position] for each in fields(self.others)))
            for all_classes, own in zip(fields(table), fields(self.target), strict=True):
                all_classes[self.target_class] = own[low:high]
            yield table


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Rows that go over to one class, one after the other, and the rows that stay.

    Parameters
    ----------
    target : int
        The class that they go over to.
    stay : ndarray of shape (n_classes, n_classes)
        Weight of the rows that do not move, predicted as class i (axis 0), of class j (axis 1).
    source : ndarray of int, shape (n_moves,)
        The class that each is predicted as before; never `target`. Sorting is fastest if the
        integers are narrow.
    truth : ndarray of int, shape (n_moves,)
        The class that each is of.
    weight : ndarray of shape (n_moves,)
        Weights.

    Notes
    -----
    A count of no rows is exactly zero whatever the weights: nothing is taken from a sum but
    what was added up in the same order.
    """

    target: int
    stay: FloatArray
    source: IntArray
    truth: IntArray
    weight: FloatArray

    @property
    def support(self) -> FloatArray:
        """Weight of the rows of each class."""
        own = np.bincount(self.truth, self.weight, len(self.stay))
        return np.asarray(self.stay.sum(axis=0) + own)

    def added_up(self, value: FloatArray) -> FloatArray:
        """Add up a value that each row has for the class it is predicted as.

        Parameters
        ----------
        value : ndarray of shape (n_classes, n_classes)
            Per unit of weight predicted as class i (axis 0), of class j (axis 1).

        Returns
        -------
        ndarray of shape (n_moves + 1,)
            The sum before any row has moved, and after each move.
        """
        before = _running_sum((self.weight * value[self.source, self.truth])[::-1])[::-1]
        after = _running_sum(self.weight * value[self.target, self.truth])
        return np.asarray((self.stay * value).sum() + (before + after))

    def states(self) -> States:
        """Return the counts of each class in each of its states, O(n_moves + n_classes^2)."""
        n_classes = len(self.stay)
        order = np.argsort(self.source, kind="stable")
        n_moves = np.bincount(self.source, minlength=n_classes)
        still = one_against_rest(self.stay)
        right = self.truth == self.source
        hits = np.where(right, self.weight, 0.0)[order]
        errors = np.where(right, 0.0, self.weight)[order]
        # What the movers out of other classes are to a class: neither tp nor fp, ever.
        cell = np.multiply(self.source, n_classes, dtype=np.intp) + self.truth
        movers = np.bincount(cell, self.weight, n_classes * n_classes).astype(float)
        elsewhere = one_against_rest(movers.reshape(n_classes, n_classes))

        others = Counts(*(np.empty(order.size + n_classes) for _ in range(4)))
        ends = np.cumsum(n_moves)
        for j, (first, end) in enumerate(zip(ends - n_moves, ends, strict=True)):
            out, rows = slice(first + j, end + j + 1), slice(first, end)
            start = still.fn[j] + elsewhere.fn[j]
            _pass_over(hits[rows], start, others.fn[out], still.tp[j], others.tp[out])
            start = still.tn[j] + elsewhere.tn[j]
            _pass_over(errors[rows], start, others.tn[out], still.fp[j], others.fp[out])

        k = self.target
        gained = self.truth == k
        hits, errors = np.where(gained, self.weight, 0.0), np.where(gained, 0.0, self.weight)
        own = Counts(*(np.empty(order.size + 1) for _ in range(4)))
        _pass_over(hits, still.tp[k], own.tp, still.fn[k], own.fn)
        _pass_over(errors, still.fp[k], own.fp, still.tn[k], own.tn)
        return States(own, others, order, n_moves + 1, self.source, k)


def fields(counts: Counts) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the four counts in their usual order."""
    return counts.tp, counts.fp, counts.fn, counts.tn


def one_against_rest(confusion: FloatArray) -> Counts:
    """Return the counts of each class against the rest, as sums only.

    Parameters
    ----------
    confusion : ndarray of shape (n_classes, n_classes)
        Weight of the rows predicted as class i (axis 0), of class j (axis 1).

    Returns
    -------
    Counts
        Arrays of shape (n_classes,).
    """
    other = 1.0 - np.eye(len(confusion))
    without = confusion @ other  # axis 1: all true classes but one
    return Counts(
        tp=np.diagonal(confusion).copy(),
        fp=np.diagonal(without).copy(),
        fn=np.einsum("ij,ij->j", other, confusion),
        tn=np.einsum("ij,ij->j", other, without),
    )


def _pass_over(
    steps: FloatArray, start: float, rising: FloatArray, end: float, falling: FloatArray
) -> None:
    """Write a count that begins at `start` and gains, and one that loses and ends at `end`."""
    rising[0] = 0.0
    np.cumsum(steps, out=rising[1:])
    # Where no step is left, a number is taken from itself: exactly zero.
    np.subtract(rising[-1], rising, out=falling)
    falling += end
    rising += start


def _running_sum(values: FloatArray) -> FloatArray:
    """Sums of the first 0, 1, ... values, in blocks, so that few roundings add up in any."""
    width = int(values.size**0.5) + 1
    n_blocks = -(-values.size // width)
    padded = np.zeros(n_blocks * width)
    padded[: values.size] = values
    inner = np.cumsum(padded.reshape(n_blocks, width), axis=1)
    out = np.zeros(values.size + 1)
    before = np.concatenate(([0.0], np.cumsum(inner[:-1, -1]))) if n_blocks else np.zeros(0)
    out[1:] = (inner + before[:, np.newaxis]).ravel()[: values.size]
    return out
