"""What a loss may know of the training rows before it sees any."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError

__all__ = ["ClassStats", "Task"]

Task: TypeAlias = Literal["binary", "multiclass", "multilabel", "survival", "aggregate"]

_LEAST = 0.5  # rows that a class without any counts as in a prior: its logarithm must be finite


@dataclass(frozen=True, eq=False, slots=True)
class ClassStats:
    """Counts of the training rows, handed to a loss by its ``setup``.

    Parameters
    ----------
    counts : ndarray of float64, shape (n_classes,)
        Rows of each class; of a multi-label target the rows that have each label. Empty for
        other targets.
    n_samples : int
        Training rows.
    task : {"binary", "multiclass", "multilabel", "survival", "aggregate"}
        The kind of target.
    cooccurrence : ndarray of shape (n_labels, n_labels), default=None
        Rows that have both of two labels; of a multi-label target only.
    known : ndarray of shape (n_labels,), default=None
        Rows whose label is known, of a multi-label target; None for all.
    embedding_dim : int, default=None
        Width of the module's embedding, if it gives one.
    effective_priors : ndarray of shape (n_classes,), default=None
        Shares of the classes among the rows that batches are made of; None for those of the
        rows. A sampler that balances classes sets it, so that no loss corrects a second time.

    Examples
    --------
    >>> from imbkit.losses import ClassStats
    >>> ClassStats.from_labels([0, 0, 0, 1]).priors.tolist()
    [0.75, 0.25]
    """

    counts: FloatArray
    n_samples: int
    task: Task = "multiclass"
    cooccurrence: FloatArray | None = None
    known: FloatArray | None = None
    embedding_dim: int | None = None
    effective_priors: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.effective_priors is None:
            object.__setattr__(self, "effective_priors", self.priors)

    @property
    def n_classes(self) -> int:
        """Classes, or labels of a multi-label target."""
        return len(self.counts)

    @property
    def priors(self) -> FloatArray:
        """Share of each class, above 0; of a multi-label target the share of rows with a label."""
        counts = np.maximum(self.counts, _LEAST)
        total = self._rows() if self.task == "multilabel" else counts.sum()
        return np.asarray(np.minimum(counts / np.maximum(total, 1), 1.0))

    @property
    def positives_negatives(self) -> FloatArray:
        """Rows with and without each label, of shape (n_labels, 2)."""
        return np.stack([self.counts, self._rows() - self.counts], axis=1)

    def _rows(self) -> FloatArray:
        """Return the rows whose label is known, for each label."""
        if self.known is None:
            return np.full(len(self.counts), float(self.n_samples))
        return self.known

    @classmethod
    def from_labels(cls, y: ArrayLike, *, n_classes: int | None = None, **more: Any) -> Self:
        """Count labels.

        Parameters
        ----------
        y : array-like of int, shape (n,) or (n, n_labels)
            Class positions from 0; or an indicator of labels, where -1 is unknown.
        n_classes : int, default=None
            Classes; None for the largest position and one more.
        **more : object
            Further fields.

        Returns
        -------
        ClassStats
            The counts.

        Raises
        ------
        DataError
            If there is no row, or a class position is no integer from 0 to ``n_classes - 1``.
        """
        labels = np.asarray(y)
        if labels.ndim == 2:
            has = (labels == 1).astype(np.float64)
            together = has.T @ has
            counts = np.diag(together).copy()
            known = (labels >= 0).sum(axis=0).astype(np.float64)
            more = {"cooccurrence": together, "known": known, **more}
            return cls(counts, len(labels), "multilabel", **more)
        whole = labels.dtype.kind in "iub" and labels.ndim == 1 and labels.size > 0
        top = int(labels.max()) + 1 if whole else 0
        size = top if n_classes is None else n_classes
        if not whole or labels.min() < 0 or top > size:
            rule = "class positions must be integers from 0 to n_classes - 1, at least one of them"
            todo = "Encode labels by numpy.unique(y, return_inverse=True)"
            raise DataError(message("ClassStats", rule, labels[:5].tolist(), todo))
        counts = np.bincount(labels.astype(np.intp), minlength=size).astype(np.float64)
        more.setdefault("task", "binary" if size == 2 else "multiclass")
        return cls(counts, len(labels), **more)

    def sampled(self, effective_priors: FloatArray) -> Self:
        """Return the same counts with the class shares of a sampler's batches.

        Parameters
        ----------
        effective_priors : ndarray of shape (n_classes,)
            Shares; of a multi-label target the rate of each label.

        Returns
        -------
        ClassStats
            The counts.
        """
        shares = np.asarray(effective_priors, dtype=np.float64)
        # A class that no batch has would make a logarithm of 0.
        shares = np.maximum(shares, _LEAST / max(self.n_samples, 1))
        if self.task == "multilabel":
            return replace(self, effective_priors=np.minimum(shares, 1.0))
        return replace(self, effective_priors=shares / shares.sum())
