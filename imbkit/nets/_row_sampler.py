"""The plain shuffle, and the base of samplers that give each row a weight of its own."""

from abc import abstractmethod

import numpy as np

from imbkit._core.card import Card
from imbkit._core.types import FloatArray, IntArray
from imbkit.losses._checks import check_choice
from imbkit.nets._batch_sampler import BaseBatchSampler, Length
from imbkit.nets._class_cycles import ClassCycles
from imbkit.nets._training_rows import TrainingRows

__all__ = ["BaseRowSampler", "InstanceBatchSampler"]


class BaseRowSampler(BaseBatchSampler):
    """A sampler that draws rows one by one; only `_row_weights` must be written."""

    tasks = frozenset({"binary", "multiclass", "multilabel", "survival", "aggregate"})

    @abstractmethod
    def _row_weights(self, rows: TrainingRows) -> FloatArray | None:
        """Return how often each row is to come, in proportion; None for all alike."""

    def _prepare(self, rows: TrainingRows) -> None:
        """Make one list of all rows."""
        weight = self._row_weights(rows)
        size = self._batch_size
        # Of its own accord an epoch ends with the last row, with batches asked for they are full.
        self._total = rows.n if self.length == "auto" else self._n_batches * size
        self._edges = np.minimum(np.arange(self._n_batches + 1) * size, self._total)
        if size > 2 and self._edges[-1] - self._edges[-2] == 1 and self._n_batches > 1:
            self._edges[-2] -= 1  # batch normalisation fails on a batch of one row
        everything = np.arange(rows.n, dtype=np.int64)
        self._list = ClassCycles(
            self._seed, [rows.n], lambda j: everything, [self._total], weight=weight
        )
        self._shares = rows.shares(weight)

    def _draw(self, epoch: int) -> tuple[IntArray, IntArray]:
        """Return the rows of an epoch, and the edges of its batches."""
        rows = self._list.read(np.array([epoch * self._total]), np.array([self._total]))
        return rows, self._edges

    def _priors(self, epoch: int) -> FloatArray:
        """Return the class shares, which no epoch changes."""
        return self._shares.copy()


class InstanceBatchSampler(BaseRowSampler):
    """All rows in random order, each once an epoch: the plain shuffle.

    Choose it with losses that correct the class shares themselves, and wherever probabilities
    are to be those of the table. Of a class of one row in a thousand most batches see nothing;
    losses that compare classes within a batch need another sampler.

    Parameters
    ----------
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.
    use_weight : bool, default=False
        Whether rows are drawn in proportion to their sample weights, which the loss must then
        leave out.

    See Also
    --------
    ClassBalancedBatchSampler : Batches with all classes alike.
    PowerBatchSampler : What lies between.

    Notes
    -----
    The last batch holds what is left; a single row is joined by one of the batch before it. With
    a length of one's own all batches are full, and the next epoch goes on in the shuffled list.
    Drawn by weights, a row comes as often as its weight says, rounded up or down.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import InstanceBatchSampler
    >>> sampler = InstanceBatchSampler()
    >>> sampler.start([0, 0, 0, 0, 1], n_classes=2, batch_size=2, seed=0)
    >>> np.sort(np.concatenate(list(sampler.batches(0)))), sampler.effective_priors()
    (array([0, 1, 2, 3, 4]), array([0.8, 0.2]))
    """

    card = Card(cases=({}, {"use_weight": True}))
    names = ("instance", "shuffle")

    def __init__(self, *, length: Length = "auto", use_weight: bool = False) -> None:
        super().__init__(length=length)
        who = "InstanceBatchSampler"
        self.use_weight = check_choice(use_weight, (True, False), who, "use_weight")

    def _row_weights(self, rows: TrainingRows) -> FloatArray | None:
        """Return the sample weights, if they are asked for."""
        return rows.sample_weight if self.use_weight else None
