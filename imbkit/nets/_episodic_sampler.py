"""Batches of some classes with many rows of each."""

from math import gcd

import numpy as np

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._checks import check_choice
from imbkit.nets._base_body import check_count
from imbkit.nets._batch_sampler import Length
from imbkit.nets._class_cycles import generator
from imbkit.nets._quota_sampler import BaseQuotaSampler
from imbkit.nets._training_rows import TrainingRows

__all__ = ["EpisodicBatchSampler"]


class EpisodicBatchSampler(BaseQuotaSampler):
    """Batches of some classes, drawn without replacement, with as many rows of each.

    Choose it for losses of embeddings, which need several rows of a class in a batch, and where
    there are too many classes for :class:`ClassBalancedBatchSampler`. Probabilities are made
    for classes of equal size.

    Parameters
    ----------
    way : int, default=None
        Classes of a batch; all where there are no more. None for as many as fit with `shot`
        rows each, or with two if that is None, too.
    shot : int, default=None
        Rows of each class; None for the batch size divided by the classes.
    halves : bool, default=False
        Whether a batch is a support half, of group 0, and a query half, of group 1, each with
        rows of all its classes.
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.

    See Also
    --------
    ClassBalancedBatchSampler : All classes in every batch.

    Notes
    -----
    Classes take turns in random order, so that each comes as often. A row comes once before any
    of its class comes again; so a class with fewer rows than `shot` has some twice in a batch,
    and another may have, where its list begins anew. A batch has ``way * shot`` rows, which may
    be fewer than its size. Different from the paper: classes take turns, where it draws them
    anew each time, and the numbers where `way` or `shot` is None are ours.

    References
    ----------
    J. Snell, K. Swersky, R. Zemel, "Prototypical networks for few-shot learning", NeurIPS,
    2017, doi:10.48550/arXiv.1703.05175.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import EpisodicBatchSampler
    >>> y = np.repeat([0, 1, 2, 3], [60, 30, 8, 2])
    >>> sampler = EpisodicBatchSampler(way=2, shot=5)
    >>> sampler.start(y, n_classes=4, batch_size=10, seed=0)
    >>> [np.unique(y[batch], return_counts=True)[1].tolist() for batch in sampler.batches(0)][:2]
    [[5, 5], [5, 5]]
    """

    card = Card(
        paper="Snell et al. (2017), doi:10.48550/arXiv.1703.05175",
        cases=({}, {"shot": 2}, {"halves": True}),
    )
    names = ("episodic",)

    def __init__(
        self,
        way: int | None = None,
        shot: int | None = None,
        halves: bool = False,
        *,
        length: Length = "auto",
    ) -> None:
        super().__init__(length=length)
        who = "EpisodicBatchSampler"
        self.way = None if way is None else check_count(way, who, "way")
        self.shot = None if shot is None else check_count(shot, who, "shot")
        self.halves = check_choice(halves, (True, False), who, "halves")

    @property
    def serves(self) -> frozenset[str]:  # type: ignore[override]
        """The needs of a loss that its batches serve."""
        return frozenset({"pairs", "group"}) if self.halves else frozenset({"pairs"})

    def groups_of(self, batch: IntArray) -> IntArray | None:
        """Return the half of each row of a batch.

        Parameters
        ----------
        batch : ndarray of int64, shape (n,)
            One of the batches.

        Returns
        -------
        ndarray of int64, shape (n,) or None
            0 for support and 1 for query; None without halves.
        """
        self._started()
        if not self.halves:
            return None
        return (np.arange(len(batch)) >= self._n_support).astype(np.int64)

    def _prepare(self, rows: TrainingRows) -> None:
        """Make a list of each class, and settle how many come in a batch."""
        self._list_classes(rows, rows.masses())
        found, size = len(self._present), self._batch_size
        fitting = size // (self.shot or min(2, size))
        self._way = min(found, fitting if self.way is None else self.way)
        self._shot = self.shot or size // max(self._way, 1)
        least = 2 if self.halves else 1
        if self._way < 1 or self._shot < least or self._way * self._shot > size:
            rule = f"batch_size must hold way times shot rows, and shot be at least {least}"
            got = f"batch_size={size}, way={self.way} and shot={self.shot}"
            todo = "Use larger batches, or a smaller way or shot"
            raise InvalidParameterError(message("EpisodicBatchSampler", rule, got, todo))
        self._n_support = self._way * (self._shot // 2)
        self._begin(self._class_cycles(np.full(found, 1.0 / found)))

    def _slots(self, epoch: int) -> IntArray:
        """Return the class of each place."""
        found, way = len(self._present), self._way
        # Windows of a shuffled circle of all classes: in one round each class is in as many.
        n_windows = found // gcd(found, way)
        rounds = -(-self._n_batches // n_windows)
        rng = generator(self._seed, "places", epoch)
        circles = rng.permuted(np.tile(np.arange(found), (rounds, 1)), axis=1)
        windows = (np.arange(n_windows)[:, None] * way + np.arange(way)) % found
        picks = circles[:, windows].reshape(-1, way)[: self._n_batches]
        return np.tile(picks, (1, self._shot))

    def _arranged(self, rows: IntArray, epoch: int) -> IntArray:
        """Return the rows of each batch in random order, with halves within each of them."""
        if not self.halves:
            return super()._arranged(rows, epoch)
        rng, half = generator(self._seed, "order", epoch), self._n_support
        parts = [rng.permuted(part, axis=1) for part in (rows[:, :half], rows[:, half:])]
        return np.concatenate(parts, axis=1)

    def _priors(self, epoch: int) -> FloatArray:
        """Return equal shares."""
        return self._scattered(np.full(len(self._present), 1.0 / len(self._present)))
