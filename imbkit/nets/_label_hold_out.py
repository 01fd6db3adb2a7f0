"""Rows held out of a table with several labels a row, so that each label is in both parts."""

import numpy as np

from imbkit._core.types import BoolArray, IntArray

__all__ = ["held_out_labels"]


def held_out_labels(
    labels: IntArray, fraction: float, seed: int
) -> tuple[IntArray, IntArray] | None:
    """Return positions of the rows to train on and of those held out; None if there are none.

    Combinations of many labels hardly ever occur twice, so labels are taken one by one, the
    rarest first: of its rows that are not placed yet as many are held out as are missing to
    its share. Rows without the label count as a label of their own.

    Parameters
    ----------
    labels : ndarray of int, shape (n, n_labels)
        1 with the label, 0 without; anything else is unknown.
    fraction : float
        Share of the rows with and of those without each label that is held out, rounded, at
        least one row; the only one of its kind is trained on.
    seed : int
        Draws the rows.
    """
    # A label and its absence are two kinds of row. Rows of neither would judge nothing.
    kinds = np.asfortranarray(np.concatenate([labels == 1, labels == 0], axis=1))
    rng = np.random.default_rng(seed)
    # Rows of one kind come in the order of one draw for all.
    order = rng.permutation(len(labels))
    sizes = kinds.sum(axis=0)
    missing, judged = _shares(sizes, fraction), sizes > 0
    open_, held = np.ones(len(labels), bool), np.zeros(len(labels), bool)
    for _ in range(np.count_nonzero(judged)):
        rarest = int(np.argmin(np.where(judged, sizes, len(labels) + 1)))
        judged[rarest] = False
        rows = order[(kinds[:, rarest] & open_)[order]]
        chosen = rows[: max(missing[rarest], 0)]
        held[chosen], open_[rows] = True, False
        sizes = sizes - np.count_nonzero(kinds[rows], axis=0)
        missing = missing - np.count_nonzero(kinds[chosen], axis=0)
    _give_back(kinds, held)
    if not held.any():
        return None
    return np.flatnonzero(~held), np.flatnonzero(held)


def _shares(sizes: IntArray, fraction: float) -> IntArray:
    """Return how many rows of each size are held out."""
    found = np.maximum(np.floor(fraction * sizes + 0.5).astype(np.intp), 1)
    return np.asarray(np.minimum(found, np.maximum(sizes - 1, 0)))


def _give_back(kinds: BoolArray, held: BoolArray) -> None:
    """Train on one row of each kind at least."""
    for j in np.flatnonzero(~kinds[~held].any(axis=0)):
        rows = np.flatnonzero(kinds[:, j])
        if len(rows) and held[rows].all():
            held[rows[0]] = False
