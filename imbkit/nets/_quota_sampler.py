"""The base of samplers that give each class a number of places in every batch."""

from abc import abstractmethod

import numpy as np

from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import SmallClassWarning
from imbkit.losses._checks import check_choice
from imbkit.nets._batch_sampler import BaseBatchSampler, Length
from imbkit.nets._class_cycles import ClassCycles, fill, generator, quota_slots
from imbkit.nets._training_rows import TrainingRows

__all__ = ["BaseQuotaSampler", "BaseShareSampler"]


class BaseQuotaSampler(BaseBatchSampler):
    """A sampler whose places each belong to a list of rows; `_slots` must be written.

    Batches are full. Rows within a batch are in random order.
    """

    _lists: ClassCycles

    @abstractmethod
    def _slots(self, epoch: int) -> IntArray:
        """Return the list of each place, of shape (n_batches, width)."""

    def _begin(self, lists: ClassCycles) -> None:
        """Begin with lists of which nothing has been read."""
        self._lists = lists
        self._read = [np.zeros(len(lists), dtype=np.int64)]

    def _list_classes(self, rows: TrainingRows, masses: FloatArray) -> None:
        """Find the classes that have rows, and say which have none."""
        self._present = np.flatnonzero(masses > 0)
        gone = np.flatnonzero(masses <= 0)
        if gone.size:
            rule = "a class without training rows is in no batch"
            got = f"no rows of the classes at {listing(gone.tolist())}"
            todo = "Split by class, so that every class has rows to train on"
            warn(message(type(self).__name__, rule, got, todo), SmallClassWarning)
        self._order, self._bounds = rows.by_class()

    def _class_cycles(self, shares: FloatArray, weight: FloatArray | None = None) -> ClassCycles:
        """Return the lists of the classes that have rows."""
        order, bounds, present = self._order, self._bounds, self._present
        return ClassCycles(
            self._seed,
            np.diff(bounds)[present],
            lambda j: order[bounds[present[j]] : bounds[present[j] + 1]],
            shares * (self._n_batches * self._batch_size),
            weight,
        )

    def _draw(self, epoch: int) -> tuple[IntArray, IntArray]:
        """Return the rows of an epoch, and the edges of its batches."""
        while len(self._read) <= epoch:
            self._note(self._slots(len(self._read) - 1))
        slots = self._slots(epoch)
        counts = np.bincount(slots.ravel(), minlength=len(self._lists))
        if len(self._read) == epoch + 1:
            self._note(slots, counts)
        rows = self._arranged(fill(slots, self._lists, self._read[epoch], counts), epoch)
        return rows.ravel(), np.arange(len(slots) + 1) * slots.shape[1]

    def _note(self, slots: IntArray, counts: IntArray | None = None) -> None:
        """Note how far the lists have been read after an epoch."""
        if counts is None:
            counts = np.bincount(slots.ravel(), minlength=len(self._lists))
        self._read.append(self._read[-1] + counts)

    def _arranged(self, rows: IntArray, epoch: int) -> IntArray:
        """Return the rows of each batch in random order."""
        return generator(self._seed, "order", epoch).permuted(rows, axis=1)

    def _scattered(self, shares: FloatArray) -> FloatArray:
        """Return shares of the classes that have rows as shares of all."""
        priors = np.zeros(self._started().n_classes)
        priors[self._present] = shares
        return priors


class BaseShareSampler(BaseQuotaSampler):
    """A sampler that gives each class a share of the places; `_shares` must be written."""

    def __init__(self, *, length: Length = "auto", use_weight: bool = False) -> None:
        super().__init__(length=length)
        who = type(self).__name__
        self.use_weight = check_choice(use_weight, (True, False), who, "use_weight")

    @abstractmethod
    def _shares(self, epoch: int) -> FloatArray:
        """Return the share of each class that has rows."""

    def _prepare(self, rows: TrainingRows) -> None:
        """Make a list of each class."""
        weight = rows.sample_weight if self.use_weight else None
        masses = rows.masses(weight)
        self._list_classes(rows, masses)
        self._masses = masses[self._present]
        last = self._max_epochs - 1
        expected = np.maximum(self._shares(0), self._shares(last))
        self._begin(self._class_cycles(expected, weight))

    def _slots(self, epoch: int) -> IntArray:
        """Return the class of each place."""
        rng = generator(self._seed, "places", epoch)
        return quota_slots(self._shares(epoch), self._n_batches, self._batch_size, rng)

    def _priors(self, epoch: int) -> FloatArray:
        """Return the shares, which are those of the batches."""
        return self._scattered(self._shares(epoch))
