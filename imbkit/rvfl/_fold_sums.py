"""Sums of rows kept so that those of every training fold can be put together without a pass."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._device import Device
from imbkit.rvfl._hidden import HiddenLayer
from imbkit.rvfl._lanes import add_rows
from imbkit.rvfl._statistics import Statistics

__all__ = ["FoldSums", "fold_sums"]


@dataclass(frozen=True, slots=True)
class FoldSums:
    """Sums of the training rows of a fold, by class.

    Parameters
    ----------
    grams : ndarray of shape (n_classes, d, d)
        Gram matrices.
    rights : ndarray of shape (n_classes, d)
        Sums of features.
    mass : ndarray of shape (n_classes,)
        Sums of weights.
    """

    grams: FloatArray
    rights: FloatArray
    mass: FloatArray


def fold_sums(
    layer: HiddenLayer,
    X: Any,
    codes: IntArray,
    weights: FloatArray,
    trains: list[IntArray],
    *,
    n_classes: int,
    size: int,
    device: Device,
) -> tuple[list[FoldSums], FoldSums]:
    """Return the sums of each training fold and of all rows, by one pass if folds are disjoint.

    Parameters
    ----------
    layer : HiddenLayer
        What expands rows.
    X : ndarray or CSR matrix or array of shape (n, p)
        Rows.
    codes : ndarray of int, shape (n,)
        Their classes.
    weights : ndarray of shape (n,)
        How often they count, 0 or more.
    trains : list of ndarray of int
        Positions of each training fold; one that is repeated counts as often.
    n_classes : int
        Number of classes.
    size : int
        Rows at a time.
    device : Device
        What computes.
    """
    # Rows that the same folds train on are one part; of k folds there are k parts.
    times = np.stack([np.bincount(train, minlength=len(codes)) for train in trains], axis=1)
    parts, part = np.unique(times, axis=0, return_inverse=True)
    if len(parts) > 2 * len(trains):
        everything = np.ones((len(codes), 1), dtype=np.intp)
        every = [
            _summed(layer, X, codes, weights * v, n_classes, size, device)
            for v in np.concatenate([times, everything], axis=1).T
        ]
        return every[:-1], every[-1]
    whole = _summed(
        layer, X, codes + n_classes * part.ravel(), weights, n_classes * len(parts), size, device
    )
    grams = whole.grams.reshape(len(parts), n_classes, *whole.grams.shape[1:])
    rights = whole.rights.reshape(len(parts), n_classes, -1)
    mass = whole.mass.reshape(len(parts), n_classes)

    def together(times: IntArray) -> FoldSums:
        return FoldSums(*(np.tensordot(times, each, 1) for each in (grams, rights, mass)))

    return [together(each) for each in parts.T], together(np.ones(len(parts), dtype=np.intp))


def _summed(
    layer: HiddenLayer,
    X: Any,
    groups: IntArray,
    weights: FloatArray,
    n_groups: int,
    size: int,
    device: Device,
) -> FoldSums:
    """Return sums by group."""
    sums = Statistics(n_groups, layer.width, 0, power=1, device=device)
    rows = (groups, weights, np.ones(len(groups)), None)
    add_rows(sums, layer, X, rows, size=size, device=device)
    rights = np.stack([each[:, 0] for each in sums.rights()])
    return FoldSums(np.stack(sums.grams()), rights, sums.mass)
