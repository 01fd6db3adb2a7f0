"""Batches with as many easy rows as difficult ones."""

import numpy as np

from imbkit._core.card import Card
from imbkit._core.types import FloatArray, IntArray
from imbkit.nets._base_body import check_count
from imbkit.nets._batch_sampler import Length
from imbkit.nets._class_cycles import ClassCycles, generator, quota_slots
from imbkit.nets._quota_sampler import BaseQuotaSampler
from imbkit.nets._training_rows import TrainingRows, sorted_by

__all__ = ["DifficultyBatchSampler"]


class DifficultyBatchSampler(BaseQuotaSampler):
    """Batches with as many rows of each level of difficulty, from easy to difficult.

    Choose it where a number says how unusual a row is, or for several labels a row, where
    unusual sets of labels are to come more often. Probabilities are made for the rates of the
    drawn rows.

    Parameters
    ----------
    n_bins : int, default=5
        Levels, between the smallest value and the largest; they are narrower at the upper end.
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.

    See Also
    --------
    RepeatFactorBatchSampler : Rows by their rarest label.

    Notes
    -----
    The difficulty of a row is its value where `start` is given values. Otherwise it is the mean
    over labels of Y_c (1 - 2 m_c), where m_c is the share of rows that have label c; one class
    a row counts as one label. Edges of the levels are min + (max - min) log(1 + 5 x) / log 6
    for equally spaced x. Rows without any label, or with a value of NaN, are a level of their
    own. Levels without rows are left out, the others have equal shares, and a row comes once
    before any of its level comes again. Different from the paper, which resamples the table
    once, in its released code without the row of the largest value: here batches have exact
    shares, rows change from epoch to epoch, and the rows without labels have the same share as
    each other level.

    References
    ----------
    D. S. Jung, K. M. Lee, "Learning dense hand contact estimation from imbalanced data",
    NeurIPS, 2025, doi:10.48550/arXiv.2505.11152.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import DifficultyBatchSampler
    >>> sampler, y = DifficultyBatchSampler(n_bins=2), np.zeros(100, dtype=int)
    >>> values = np.r_[np.zeros(90), np.ones(10)]
    >>> sampler.start(y, n_classes=1, batch_size=10, seed=0, values=values)
    >>> [float(values[batch].sum()) for batch in sampler.batches(0)][:3]
    [5.0, 5.0, 5.0]
    """

    card = Card(
        paper="Jung and Lee (2025), doi:10.48550/arXiv.2505.11152",
        cases=({}, {"n_bins": 3}),
    )
    names = ("grouped", "difficulty")
    tasks = frozenset({"binary", "multiclass", "multilabel"})

    def __init__(self, n_bins: int = 5, *, length: Length = "auto") -> None:
        super().__init__(length=length)
        self.n_bins = check_count(n_bins, "DifficultyBatchSampler", "n_bins")

    def _prepare(self, rows: TrainingRows) -> None:
        """Make a list of each level."""
        difficulty = _difficulty(rows) if rows.values is None else rows.values
        level = np.full(rows.n, self.n_bins)
        known = np.isfinite(difficulty)
        if known.any():
            level[known] = _levels(difficulty[known], self.n_bins)
        filled = np.bincount(level) > 0
        level = (np.cumsum(filled) - 1)[level]
        order, bounds = sorted_by(level)
        sizes = np.diff(bounds)
        self._level_shares = np.full(len(sizes), 1.0 / len(sizes))
        expected = self._level_shares * (self._n_batches * self._batch_size)
        self._begin(
            ClassCycles(self._seed, sizes, lambda j: order[bounds[j] : bounds[j + 1]], expected)
        )
        self._shares = rows.shares(1.0 / sizes[level])

    def _slots(self, epoch: int) -> IntArray:
        """Return the level of each place."""
        rng = generator(self._seed, "places", epoch)
        return quota_slots(self._level_shares, self._n_batches, self._batch_size, rng)

    def _priors(self, epoch: int) -> FloatArray:
        """Return the rates of classes or labels among rows drawn by level."""
        return self._shares.copy()


def _difficulty(rows: TrainingRows) -> FloatArray:
    """Return how rare the labels of each row are; NaN for a row without any."""
    unusual = (1.0 - 2.0 * rows.shares()) / rows.n_classes
    if rows.codes is not None:
        return np.asarray(unusual[rows.codes])
    has = np.asarray(rows.has)
    return np.where(has.any(axis=1), has @ unusual, np.nan)


def _levels(values: FloatArray, n_bins: int) -> IntArray:
    """Return the level of each value, from 0; the largest is in the last one."""
    low, high = values.min(), values.max()
    inner = np.log1p(5.0 * np.arange(1, n_bins) / n_bins) / np.log(6.0)
    return np.searchsorted(low + (high - low) * inner, values, side="right")
