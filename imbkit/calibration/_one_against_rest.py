"""Two-class maps for any number of classes: one class against the rest, then normalised."""

from collections.abc import Callable, Sequence

import numpy as np

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import ImbkitWarning

__all__ = ["joined", "pairs", "smoothed_targets", "truths", "warn_if_flat"]


def pairs(probabilities: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Return the probabilities of each class and of all others.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Rows sum to one.

    Returns
    -------
    list of tuple of two ndarray of shape (n_rows,)
        Of two classes the second one only, as it determines the first; else one a class.
    """
    if probabilities.shape[1] == 2:
        return [(probabilities[:, 1], probabilities[:, 0])]
    return [(p, np.clip(1 - p, 0, 1)) for p in probabilities.T]


def truths(codes: IntArray, n_classes: int) -> list[BoolArray]:
    """Return whether each row is of the class, in the order of `pairs`."""
    chosen = (1,) if n_classes == 2 else range(n_classes)
    return [np.asarray(codes == code) for code in chosen]


def joined(
    probabilities: FloatArray, maps: Sequence[Callable[[FloatArray, FloatArray], FloatArray]]
) -> FloatArray:
    """Apply the maps in the order of `pairs`, and make the rows sum to one.

    A row that the maps send to zero in every class stays as it was.
    """
    each = [mapped(*pair) for mapped, pair in zip(maps, pairs(probabilities), strict=True)]
    if len(each) == 1:
        return np.column_stack((1 - each[0], each[0]))
    out = np.column_stack(each)
    total = out.sum(axis=1, keepdims=True)
    return np.where(total > 0, out / np.where(total > 0, total, 1.0), probabilities)


def smoothed_targets(truth: BoolArray, weight: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return Platt's targets, and the weights of the rows (ones if None).

    The targets are (n1 + 1) / (n1 + 2) of positive rows and 1 / (n0 + 2) of the others, for
    positives of total weight n1 and others of total weight n0.
    """
    mass = np.ones(truth.size) if weight is None else weight
    n1, n0 = mass[truth].sum(), mass[~truth].sum()
    return np.where(truth, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)), mass


def warn_if_flat(flat: Sequence[bool], classes: AnyArray, who: str) -> None:
    """Say that a map gives one probability to all rows."""
    if not any(flat):
        return
    labels = classes[-1:] if len(flat) == 1 else classes[np.asarray(flat)]
    rule = "the probability of a class should be larger for its own rows than for others"
    got = f"no such relation for class {listing(labels.tolist())}"
    todo = "Its rows all get the same probability; calibrate other scores"
    warn(message(who, rule, got, todo), ImbkitWarning)
