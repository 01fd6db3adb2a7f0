"""Rows held out of training, to judge its epochs by."""

import math
import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from imbkit._core.types import AnyArray, IntArray
from imbkit.nets._label_hold_out import held_out_labels
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
        trained on. Several labels a row: see ``held_out_labels``; with groups each combination
        is a class.
    seed : int
        Draws the rows.
    groups : ndarray of shape (n,), default=None
        Rows of a group stay together.
    """
    if labels.ndim == 2 and groups is None:
        return held_out_labels(labels, fraction, seed)
    codes = labels
    if labels.ndim == 2:
        codes = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    if groups is not None:
        return _held_out_groups(codes, fraction, seed, groups)
    rng, every = np.random.default_rng(seed), np.arange(len(codes))
    chosen = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        if len(rows) > 1:
            size = min(max(1, math.floor(fraction * len(rows) + 0.5)), len(rows) - 1)
            chosen[rng.choice(rows, size, replace=False)] = True
    if not chosen.any():
        return None
    return every[~chosen], every[chosen]


def _held_out_groups(
    codes: IntArray, fraction: float, seed: int, groups: AnyArray
) -> tuple[IntArray, IntArray] | None:
    """Return the same where rows of a group stay together."""
    # Of the two parts the smaller one is a fold.
    wanted = round(1 / min(fraction, 1 - fraction))
    n_splits = min(max(2, wanted), len(np.unique(groups)), int(np.bincount(codes).max()))
    if n_splits < 2:
        return None
    folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed % 2**32)
    with warnings.catch_warnings():
        # That a class has fewer rows than there are folds is nothing to worry about here.
        warnings.simplefilter("ignore", UserWarning)
        parts = list(folds.split(np.zeros(len(codes)), codes, groups))
    if fraction > 0.5:
        parts = [(fold, rest) for rest, fold in parts]
    # A class that only the held-out groups have could not be learned.
    n_classes = len(np.unique(codes))
    able = [part for part in parts if len(np.unique(codes[part[0]])) == n_classes]
    # Of equal ones the first, which is as random as any.
    return max(able, key=lambda part: len(np.unique(codes[part[1]])), default=None)
