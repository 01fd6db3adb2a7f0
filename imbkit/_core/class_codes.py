"""Positions of labels among classes, which need not be sorted."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import IntArray

__all__ = ["class_codes"]


def class_codes(labels: ArrayLike, classes: ArrayLike) -> IntArray:
    """Return the position of each label among the classes.

    Parameters
    ----------
    labels : array-like of shape (n_rows,)
        Labels, all of them among `classes`.
    classes : array-like of shape (n_classes,)
        The distinct labels, in any order: models of ordered classes keep that of the stages.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Positions, from 0.
    """
    known = np.asarray(classes)
    order = np.argsort(known)
    return np.asarray(order[np.searchsorted(known, np.asarray(labels), sorter=order)])
