"""The protocol of a batch sampler: the rows of each batch, as a function of seed and epoch."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.rng import integer_seed
from imbkit._core.types import FloatArray, IntArray, Seed
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._checks import check_choice
from imbkit.nets._base_body import check_count
from imbkit.nets._training_rows import TrainingRows

__all__ = ["BaseBatchSampler", "Length"]

Length: TypeAlias = Literal["auto", "majority"] | int


class BaseBatchSampler(ABC):
    """What every batch sampler answers; `_draw` and `_priors` must be written.

    A sampler holds parameters. A net calls `start` with the labels of the training part, after
    the validation rows were taken away, and then `batches` in every epoch.

    Parameters
    ----------
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch. "auto" is the rows divided by the batch size, so that all samplers
        take the same number of steps; "majority" the rows that there would be if all classes
        were as large as the largest; or the number itself.

    See Also
    --------
    imbkit.nets.get_batch_sampler : A sampler by name.

    Notes
    -----
    The batch size is cut to the number of rows. What `start` makes of the rows is not pickled:
    a copy holds parameters alone. A batch sampler ignores sample weights, which are for the
    loss, unless it has a parameter `use_weight` and that is true; then the loss must not have
    them a second time.

    Examples
    --------
    >>> from imbkit.nets import InstanceBatchSampler
    >>> sampler = InstanceBatchSampler()
    >>> sampler.start([0, 0, 0, 0, 1], n_classes=2, batch_size=3, seed=0)
    >>> [len(batch) for batch in sampler.batches(0)], len(sampler)
    ([3, 2], 2)
    """

    #: Looked for by the catalogue: a class with this mark is a method, and carries a card.
    _is_method: ClassVar[bool] = True
    #: Its names in ``get_batch_sampler``, the first being the usual one.
    names: ClassVar[tuple[str, ...]] = ()
    #: Targets whose rows it can draw.
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass"})
    #: What `start` must be given beside labels: names of its parameters.
    needs: ClassVar[frozenset[str]] = frozenset()
    #: Needs of a loss that its batches serve.
    serves: frozenset[str] = frozenset()
    #: Whether rows are drawn by their sample weights, which then are no longer for the loss.
    use_weight: bool = False
    #: Whether the class shares of the batches depend on the epoch.
    _changes: ClassVar[bool] = False

    _rows: TrainingRows | None = None

    def __init__(self, *, length: Length = "auto") -> None:
        who = type(self).__name__
        if isinstance(length, str):
            check_choice(length, ("auto", "majority"), who, "length")
        else:
            check_count(length, who, "length", what='"auto", "majority" or an integer')
        self.length = length

    def start(
        self,
        labels: ArrayLike,
        *,
        n_classes: int,
        batch_size: int,
        seed: Seed,
        max_epochs: int = 1,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        values: ArrayLike | None = None,
    ) -> None:
        """Take the training rows.

        Parameters
        ----------
        labels : array-like of int, shape (n,) or (n, n_labels)
            Class positions from 0; or an indicator of labels, where -1 and NaN are unknown.
        n_classes : int
            Classes or labels; 0 for a target that is neither.
        batch_size : int
            Rows of a batch, at least 1.
        seed : int, RandomState, Generator or None
            Seed of all epochs.
        max_epochs : int, default=1
            Epochs that are meant to be.
        groups : array-like of shape (n,), default=None
            The group of each row.
        sample_weight : array-like of shape (n,), default=None
            Weights, none below 0.
        values : array-like of shape (n,), default=None
            A number for each row, where a sampler asks for one.

        Raises
        ------
        InvalidParameterError
            If the sampler cannot serve such a target or batch size.
        DataError
            If there is no row, or a label is none.
        """
        who = type(self).__name__
        self._rows = None  # if this fails, no rows of an earlier start are left
        given = {"groups": groups, "sample_weight": sample_weight, "values": values}
        for need in sorted(self.needs):
            if given[need] is None:
                raise InvalidParameterError(message(who, f"needs {need}", todo=f"Pass {need}"))
        size = check_count(batch_size, who, "batch_size")
        count = check_count(n_classes, who, "n_classes", low=0)
        self._max_epochs = check_count(max_epochs, who, "max_epochs")
        self._seed = integer_seed(seed)
        rows = TrainingRows.checked(who, labels, count, groups, sample_weight, values)
        self._check_task(rows)
        self._batch_size = min(size, rows.n)
        self._n_batches = self._planned(rows)
        self._prepare(rows)
        self._rows = rows

    def batches(self, epoch: int) -> Iterator[IntArray]:
        """Return the batches of an epoch.

        Parameters
        ----------
        epoch : int
            Its number, from 0. The same number gives the same batches.

        Returns
        -------
        iterator of ndarray of int64
            Positions of the rows of each batch; as many arrays as the sampler's length.
        """
        self._started()
        rows, edges = self._draw(check_count(epoch, type(self).__name__, "epoch", low=0))
        return (rows[a:b] for a, b in pairwise(edges))

    def groups_of(self, batch: IntArray) -> IntArray | None:
        """Return the group of each row of a batch, where a loss is to know it.

        Parameters
        ----------
        batch : ndarray of int64, shape (n,)
            One of the batches.

        Returns
        -------
        ndarray of int64, shape (n,) or None
            Groups; None where there are none.
        """
        return None

    def effective_priors(self, epoch: int | None = None) -> FloatArray:
        """Return the class shares of the batches.

        Parameters
        ----------
        epoch : int, default=None
            Number of the epoch; None for the mean of those that are meant to be.

        Returns
        -------
        ndarray of shape (n_classes,)
            Shares that sum to one, 0 for a class without rows; of several labels a row the rate
            of each. Sample weights are not in them, unless rows are drawn by weights.
        """
        self._started()
        if epoch is None and self._changes:
            every = [self._priors(each) for each in range(self._max_epochs)]
            return np.asarray(np.mean(every, axis=0))
        return self._priors(epoch or 0)

    def __len__(self) -> int:
        self._started()
        return self._n_batches

    def __bool__(self) -> bool:
        return True  # a sampler is one before it has a length

    def __repr__(self) -> str:
        params = (f"{name}={getattr(self, name)!r}" for name in _parameters(type(self)))
        return f"{type(self).__name__}({', '.join(params)})"

    def __getstate__(self) -> dict[str, Any]:
        # Row numbers of a training part are of no use without it.
        return {name: getattr(self, name) for name in _parameters(type(self))}

    @abstractmethod
    def _prepare(self, rows: TrainingRows) -> None:
        """Work out what all epochs share."""

    @abstractmethod
    def _draw(self, epoch: int) -> tuple[IntArray, IntArray]:
        """Return the rows of an epoch, and where its batches begin and the last one ends."""

    @abstractmethod
    def _priors(self, epoch: int) -> FloatArray:
        """Return the class shares of the batches of an epoch."""

    def _started(self) -> TrainingRows:
        """Return the training rows, or complain that there are none."""
        if self._rows is None:
            rule = "has no training rows yet"
            raise InvalidParameterError(message(type(self).__name__, rule, todo="Call start first"))
        return self._rows

    def _planned(self, rows: TrainingRows) -> int:
        """Return the batches of an epoch."""
        if not isinstance(self.length, str):
            return int(self.length)
        wanted = float(rows.n)
        counts = rows.masses()
        if self.length == "majority" and counts.size:
            wanted = max(np.count_nonzero(counts) * counts.max(), 1.0)
        return int(np.ceil(wanted / self._batch_size))

    def _check_task(self, rows: TrainingRows) -> None:
        """Refuse a kind of target that the sampler does not know."""
        who = type(self).__name__
        if rows.has is not None and "multilabel" not in self.tasks:
            got = f"{rows.n_classes} labels a row"
            todo = 'Use "instance", "rfs", "dual" or "grouped" for several labels a row'
            raise InvalidParameterError(message(who, "needs one class for each row", got, todo))
        if rows.has is None and rows.codes is None and "aggregate" not in self.tasks:
            todo = 'Use "instance" for targets that are no classes'
            raise InvalidParameterError(message(who, "needs classes or labels", todo=todo))


def _parameters(cls: type) -> list[str]:
    """Return the names of the constructor's parameters."""
    return list(inspect.signature(cls).parameters)
