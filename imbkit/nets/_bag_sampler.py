"""Batches of whole bags of rows."""

import numpy as np

from imbkit._core.card import Card
from imbkit._core.types import FloatArray, IntArray
from imbkit.nets._batch_sampler import BaseBatchSampler, Length
from imbkit.nets._class_cycles import ClassCycles
from imbkit.nets._training_rows import TrainingRows, sorted_by

__all__ = ["BagBatchSampler"]


class BagBatchSampler(BaseBatchSampler):
    """Batches of whole bags: rows of a group are always together.

    Choose it for losses of bags, of which only the mean response is known, and wherever a loss
    compares the rows of a group. Class shares, and so probabilities, are those of the table.

    Parameters
    ----------
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`. There are never more than bags, unless
        the number is given.

    See Also
    --------
    InstanceBatchSampler : Rows one by one.

    Notes
    -----
    Bags are shuffled, and the list is cut where the rows come closest to equal parts; so batches
    have about as many rows as asked for, but more where a bag is larger. Each bag comes once an
    epoch, or with a length of one's own once before any comes again.

    References
    ----------
    A. Javanmard, L. Chen, V. Mirrokni, A. Badanidiyuru, G. Fu, "Learning from aggregate
    responses: instance level versus bag level loss functions", ICLR, 2024,
    doi:10.48550/arXiv.2401.11081.

    Examples
    --------
    >>> from imbkit.nets import BagBatchSampler
    >>> sampler, bags = BagBatchSampler(), ["a", "a", "b", "b", "c", "c"]
    >>> sampler.start([0, 0, 1, 0, 0, 0], n_classes=2, batch_size=2, seed=0, groups=bags)
    >>> sorted([bags[row] for row in batch] for batch in sampler.batches(0))
    [['a', 'a'], ['b', 'b'], ['c', 'c']]
    """

    card = Card(paper="Javanmard et al. (2024), doi:10.48550/arXiv.2401.11081")
    names = ("bags", "bag")
    tasks = frozenset({"binary", "multiclass", "multilabel", "survival", "aggregate"})
    needs = frozenset({"groups"})
    serves = frozenset({"group"})

    def __init__(self, *, length: Length = "auto") -> None:
        super().__init__(length=length)

    def groups_of(self, batch: IntArray) -> IntArray | None:
        """Return the bag of each row of a batch.

        Parameters
        ----------
        batch : ndarray of int64, shape (n,)
            One of the batches.

        Returns
        -------
        ndarray of int64, shape (n,)
            Positions of the bags among their sorted names.
        """
        self._started()
        return np.asarray(self._bag[batch])

    def _prepare(self, rows: TrainingRows) -> None:
        """List the rows of each bag."""
        self._bag = np.unique(np.asarray(rows.groups), return_inverse=True)[1].astype(np.int64)
        self._by_bag, self._bounds = sorted_by(self._bag)
        n_bags = len(self._bounds) - 1
        self._n_drawn = n_bags
        if self.length == "auto":
            self._n_batches = min(self._n_batches, n_bags)
        else:
            wanted = self._n_batches * self._batch_size
            self._n_drawn = max(-(-wanted * n_bags // rows.n), self._n_batches)
        self._list = ClassCycles(self._seed, [n_bags], lambda j: np.arange(n_bags), [self._n_drawn])
        self._shares = rows.shares()

    def _draw(self, epoch: int) -> tuple[IntArray, IntArray]:
        """Return the rows of an epoch, and the edges of its batches."""
        bags = self._list.read(np.array([epoch * self._n_drawn]), np.array([self._n_drawn]))
        sizes = np.diff(self._bounds)[bags]
        ends = np.append(0, np.cumsum(sizes))
        rows = np.arange(ends[-1]) + np.repeat(self._bounds[bags] - ends[:-1], sizes)
        return self._by_bag[rows], ends[self._cuts(ends)]

    def _cuts(self, ends: IntArray) -> IntArray:
        """Return the bags at which batches begin, and the number of bags."""
        parts = self._n_batches
        wanted = np.arange(parts + 1) * (ends[-1] / parts)
        after = np.clip(np.searchsorted(ends, wanted), 1, len(ends) - 1)
        nearer = wanted - ends[after - 1] < ends[after] - wanted
        cuts = np.where(nearer, after - 1, after)
        cuts[0], cuts[-1] = 0, len(ends) - 1
        # No batch is empty: each begins a bag after the one before it, and leaves one to each.
        steps = np.arange(parts + 1)
        cuts = np.maximum.accumulate(cuts - steps) + steps
        return np.asarray(np.minimum(cuts, len(ends) - 1 - steps[::-1]))

    def _priors(self, epoch: int) -> FloatArray:
        """Return the class shares of the table."""
        return self._shares.copy()
