"""Batches with as many rows of each class."""

import numpy as np

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import InvalidParameterError
from imbkit.nets._base_body import check_count
from imbkit.nets._batch_sampler import Length
from imbkit.nets._class_cycles import generator
from imbkit.nets._quota_sampler import BaseShareSampler
from imbkit.nets._training_rows import TrainingRows

__all__ = ["ClassBalancedBatchSampler"]


class ClassBalancedBatchSampler(BaseShareSampler):
    """Batches with as many rows of each class.

    Choose it for the second stage of a two-stage net, for losses that compare classes within a
    batch, and with a plain loss when balanced accuracy is what counts. Rows of a rare class
    come again and again: watch for overfitting, and prefer a power between 0 and 1 when a class
    has a handful of rows. Probabilities are made for classes of equal size.

    Parameters
    ----------
    per_class : int, default=None
        Rows of a class that come one after the other, classes taking turns in random order; a
        batch then may have fewer classes than there are. None puts every class in every batch.
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.
    use_weight : bool, default=False
        Whether rows are drawn in proportion to their sample weights within each class; the
        loss must then leave the weights out.

    See Also
    --------
    PowerBatchSampler : Shares between those of the table and equal ones.
    EpisodicBatchSampler : Some classes a batch, many rows of each.

    Notes
    -----
    A class has the batch size divided by the number of classes as its places, rounded up or
    down, and over an epoch less than one place more or fewer than its share. Its rows come
    from a shuffled list, each once before any comes again, over all epochs. The second stage of
    Kang et al. has ``per_class=4``. Different from the paper: the places are exact quotas unless
    `per_class` is set.

    References
    ----------
    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import ClassBalancedBatchSampler
    >>> y = np.array([0] * 90 + [1] * 10)
    >>> sampler = ClassBalancedBatchSampler()
    >>> sampler.start(y, n_classes=2, batch_size=20, seed=0)
    >>> [np.bincount(y[batch]).tolist() for batch in sampler.batches(0)][:2]
    [[10, 10], [10, 10]]
    """

    card = Card(
        paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217",
        cases=({}, {"per_class": 4}, {"use_weight": True}),
        limits=(Limit(when={}, equals="PowerBatchSampler", other={"q": 0.0}),),
    )
    names = ("class_balanced", "balanced")

    def __init__(
        self,
        per_class: int | None = None,
        *,
        length: Length = "auto",
        use_weight: bool = False,
    ) -> None:
        super().__init__(length=length, use_weight=use_weight)
        who = "ClassBalancedBatchSampler"
        self.per_class = None if per_class is None else check_count(per_class, who, "per_class")

    @property
    def serves(self) -> frozenset[str]:  # type: ignore[override]
        """The needs of a loss that its batches serve."""
        return frozenset() if self.per_class else frozenset({"pairs"})

    def _prepare(self, rows: TrainingRows) -> None:
        """Make a list of each class, if they fit into a batch."""
        super()._prepare(rows)
        if self.per_class is None and len(self._present) > self._batch_size:
            rule = f"batch_size must be at least the number of classes, {len(self._present)}"
            todo = "Use larger batches, or per_class=1, with which classes take turns"
            who = "ClassBalancedBatchSampler"
            raise InvalidParameterError(message(who, rule, self._batch_size, todo))

    def _shares(self, epoch: int) -> FloatArray:
        """Return equal shares."""
        return np.full(len(self._present), 1.0 / len(self._present))

    def _slots(self, epoch: int) -> IntArray:
        """Return the class of each place."""
        if self.per_class is None:
            return super()._slots(epoch)
        size = (self._n_batches, self._batch_size)
        turns = -(-self._n_batches * self._batch_size // self.per_class)
        passes = -(-turns // len(self._present))
        rng = generator(self._seed, "places", epoch)
        classes = np.tile(np.arange(len(self._present)), (passes, 1))
        order = rng.permuted(classes, axis=1).ravel()[:turns]
        return np.repeat(order, self.per_class)[: size[0] * size[1]].reshape(size)
