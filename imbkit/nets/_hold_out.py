"""Rows held out of training, to judge its epochs by."""

import math
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from imbkit._core.types import AnyArray, IntArray
from imbkit.nets._tensor_table import TensorTable

__all__ = ["HeldOut", "held_out"]


class HeldOut:
    """Take given rows away, as skorch's `train_split`.

    Parameters
    ----------
    train, valid : ndarray of int
        Positions of the rows.
    """

    def __init__(self, train: IntArray, valid: IntArray) -> None:
        self.train, self.valid = train, valid

    def __call__(self, dataset: TensorTable, y: Any = None, **params: Any) -> Any:
        """Return both parts."""
        return dataset.part(self.train), dataset.part(self.valid)


def held_out(
    labels: AnyArray, fraction: float, seed: int, groups: AnyArray | None = None
) -> tuple[IntArray, IntArray] | None:
    """Return positions of the rows to train on and of those held out; None if there are too few.

    Parameters
    ----------
    labels : ndarray of int, shape (n,) or (n, n_labels)
        Class positions, or labels.
    fraction : float
        Share of each class that is held out, rounded, at least one row; a class of one row is
        trained on. Of several labels a row each combination is a class.
    seed : int
        Draws the rows.
    groups : ndarray of shape (n,), default=None
        Rows of a group stay together.
    """
    codes = labels
    if labels.ndim == 2:
        codes = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    rng, every = np.random.default_rng(seed), np.arange(len(codes))
    if groups is not None:
        n_splits = max(2, round(1 / fraction))
        if len(np.unique(groups)) < n_splits:
            return None
        folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed % 2**32)
        train, valid = next(iter(folds.split(every, codes, groups)))
        # A class that only the held-out groups have cannot be learned from none.
        if set(np.unique(codes)) - set(np.unique(codes[train])):
            return None
        return train, valid
    chosen = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        if len(rows) > 1:
            size = min(max(1, math.floor(fraction * len(rows) + 0.5)), len(rows) - 1)
            chosen[rng.choice(rows, size, replace=False)] = True
    if not chosen.any():
        return None
    return every[~chosen], every[chosen]
