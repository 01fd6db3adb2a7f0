"""Several labels a row, or two classes as a single label."""

import numpy as np
from torch import Tensor

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats

__all__ = ["columns_of_labels", "label_counts", "labels_of"]


def labels_of(batch: LossContext, who: str, n_labels: int | None = None) -> tuple[Tensor, Tensor]:
    """Return logits and labels of one shape, or complain.

    Parameters
    ----------
    batch : LossContext
        The batch; of two classes the logits are log-odds of the second, or a column for each.
    who : str
        The loss.
    n_labels : int, default=None
        Labels that it was set up for.

    Returns
    -------
    tuple of Tensor of shape (n, n_labels) or (n,)
        Logits and labels.
    """
    z, y = batch.logits, batch.target
    if y.ndim == 1 and z.ndim == 2 and z.shape[1] <= 2:
        z = z[:, -1] - z[:, 0] if z.shape[1] == 2 else z[:, 0]
    if z.shape != y.shape:
        rule = "every logit must have a label of 0, 1 or -1 (unknown)"
        got = f"logits of shape {tuple(z.shape)} and a target of shape {tuple(y.shape)}"
        raise DataError(message(who, rule, got, "Classes that exclude each other need no labels"))
    columns = z.shape[1] if z.ndim == 2 else 1
    if n_labels is not None and columns != n_labels:
        rule = f"was set up for {n_labels} label(s)"
        raise DataError(message(who, rule, f"{columns}", "Call setup with counts of these labels"))
    return z, y


def columns_of_labels(
    batch: LossContext, who: str, n_labels: int | None = None
) -> tuple[Tensor, Tensor]:
    """Return logits and labels with a column for each label; see `labels_of`."""
    z, y = labels_of(batch, who, n_labels)
    return (z, y) if z.ndim == 2 else (z[:, None], y[:, None])


def label_counts(stats: ClassStats, who: str) -> FloatArray:
    """Return the rows without and with each label, of shape (2, n_labels).

    Parameters
    ----------
    stats : ClassStats
        Counts; of two classes the second is the label.
    who : str
        The loss.
    """
    if stats.task == "multilabel":
        return np.ascontiguousarray(stats.positives_negatives.T[::-1])
    if len(stats.counts) != 2:
        rule = "needs labels of 0 and 1: a column for each, or two classes"
        got = f"{len(stats.counts)} classes"
        raise InvalidParameterError(message(who, rule, got))
    return np.asarray(stats.counts, dtype=np.float64)[:, None]
