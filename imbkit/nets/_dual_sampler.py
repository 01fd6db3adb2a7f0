"""Batches with a fixed number of positive rows."""

import numpy as np

from imbkit._core.card import Card
from imbkit._core.messages import listing, message
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, InvalidParameterError, SmallClassWarning
from imbkit.losses._checks import check_number
from imbkit.nets._batch_sampler import Length
from imbkit.nets._class_cycles import ClassCycles
from imbkit.nets._quota_sampler import BaseQuotaSampler
from imbkit.nets._training_rows import TrainingRows

__all__ = ["DualBatchSampler"]

_CHUNK = 65_536


class DualBatchSampler(BaseQuotaSampler):
    """Batches with a fixed number of positive rows, of two classes or of one label at a time.

    Choose it for losses that compare positive rows with negative ones, such as those of the
    area under a curve: every batch has both. Probabilities are made for the share of positives
    in the batches.

    Parameters
    ----------
    pos_fraction : float, default=0.5
        Share of positive rows in a batch, between 0 and 1; at least one row is positive, and one
        is not. Somewhat more than the share in the table often does better than a half.
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.

    See Also
    --------
    ClassBalancedBatchSampler : More than two classes.
    RepeatFactorBatchSampler : All labels of a row at once.

    Notes
    -----
    Of two classes the second is the positive one. Of several labels a row each batch is made
    for one label, labels taking turns in random order: rows that have it, and rows that have
    not, whatever their other labels are; rows where it is unknown are left out. With many
    labels an epoch takes time in proportion to rows times labels, as each label has a shuffled
    list of its own.

    References
    ----------
    Z. Yuan, D. Zhu, Z.-H. Qiu, G. Li, X. Wang, T. Yang, "LibAUC: a deep learning library for
    X-risk optimization", KDD, 2023, doi:10.1145/3580305.3599861.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import DualBatchSampler
    >>> y = np.array([0] * 97 + [1] * 3)
    >>> sampler = DualBatchSampler(pos_fraction=0.25)
    >>> sampler.start(y, n_classes=2, batch_size=8, seed=0)
    >>> [int(y[batch].sum()) for batch in sampler.batches(0)][:4]
    [2, 2, 2, 2]
    """

    card = Card(
        paper="Yuan et al. (2023), doi:10.1145/3580305.3599861",
        cases=({}, {"pos_fraction": 0.2}),
    )
    names = ("dual",)
    tasks = frozenset({"binary", "multilabel"})
    serves = frozenset({"pairs"})

    def __init__(self, pos_fraction: float = 0.5, *, length: Length = "auto") -> None:
        super().__init__(length=length)
        who = "DualBatchSampler"
        self.pos_fraction = check_number(
            pos_fraction, who, "pos_fraction", low=0.0, high=1.0, open_low=True
        )
        if self.pos_fraction == 1.0:
            raise InvalidParameterError(message(who, "pos_fraction must be below 1", pos_fraction))

    def _prepare(self, rows: TrainingRows) -> None:
        """Make lists of negative and of positive rows."""
        size = self._batch_size
        if size < 2 or (rows.has is None and rows.n_classes != 2):
            rule = "needs two classes, or labels, and a batch of two rows at least"
            got = f"{rows.n_classes} classes and a batch_size of {size}"
            todo = 'For more classes use "class_balanced"'
            raise InvalidParameterError(message("DualBatchSampler", rule, got, todo))
        self._n_positive = int(np.clip(round(size * self.pos_fraction), 1, size - 1))
        self._list_both(rows)
        places = np.array([size - self._n_positive, self._n_positive])
        expected = np.tile(places * (self._n_batches / len(self._labels)), len(self._labels))
        sizes = self._sizes[self._labels].ravel()
        self._begin(ClassCycles(self._seed, sizes, self._members, expected))
        labels = self._labels
        self._turns = ClassCycles(
            self._seed, [len(labels)], lambda j: np.arange(len(labels)), [self._n_batches]
        )

    def _list_both(self, rows: TrainingRows) -> None:
        """Find the labels that have both negative and positive rows, and say which have not."""
        if rows.has is None or rows.lacks is None:
            order, bounds = rows.by_class()
            self._sizes = rows.masses()[None].astype(np.int64)
            self._members = lambda j: order[bounds[j] : bounds[j + 1]]
        else:
            sides = (rows.lacks, rows.has)
            self._sizes = np.stack([np.count_nonzero(side, axis=0) for side in sides], axis=1)
            self._members = lambda j: np.flatnonzero(sides[j % 2][:, self._labels[j // 2]])
        both = (self._sizes > 0).all(axis=1)
        self._labels = np.flatnonzero(both)
        if not both.any():
            rule = "needs positive and negative rows"
            got = f"{self._sizes[0, 1]} of {rows.n} rows positive"
            raise DataError(message("DualBatchSampler", rule, got))
        if not both.all():
            rule = "a label that all rows have, or none, has no batches"
            got = f"labels at {listing(np.flatnonzero(~both).tolist())}"
            todo = "Leave those labels out"
            warn(message("DualBatchSampler", rule, got, todo), SmallClassWarning)

    def _slots(self, epoch: int) -> IntArray:
        """Return the list of each place."""
        start = np.array([epoch * self._n_batches])
        labels = self._turns.read(start, np.array([self._n_batches]))
        positive = np.arange(self._batch_size) < self._n_positive
        return 2 * labels[:, None] + positive

    def _priors(self, epoch: int) -> FloatArray:
        """Return the shares of the places, or the rate of each label in such batches."""
        rows, share = self._started(), self._n_positive / self._batch_size
        if rows.has is None or rows.lacks is None:
            return np.array([1.0 - share, share])
        rates = np.zeros(rows.n_classes)
        for side, part in ((rows.has, share), (rows.lacks, 1.0 - share)):
            chosen = side[:, self._labels]
            together = _both_true(chosen, rows.has)
            rates += part * (together / np.count_nonzero(chosen, axis=0)[:, None]).mean(axis=0)
        return rates


def _both_true(left: BoolArray, right: BoolArray) -> FloatArray:
    """Count the rows in which a column of one table and a column of the other are true."""
    found = np.zeros((left.shape[1], right.shape[1]))
    for begin in range(0, len(left), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        found += left[part].T.astype(np.float64) @ right[part].astype(np.float64)
    return found
