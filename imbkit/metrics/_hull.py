"""The ROC convex hull, from the rows pooled until their class shares rise with the score."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from imbkit._core.types import BoolArray, FloatArray
from imbkit.metrics._counts import cumulate_weights

__all__ = ["Hull", "roc_hull"]


class Hull(NamedTuple):
    """Blocks of rows between neighbouring corners of the hull, highest scores first.

    `hits` and `alarms` are the weights of the positive and the negative rows of each block,
    `share` the share of positive rows in it (never rising), `lowest` its lowest score.
    """

    hits: FloatArray
    alarms: FloatArray
    share: FloatArray
    lowest: FloatArray


def roc_hull(positive: BoolArray, score: FloatArray, weight: FloatArray) -> Hull:
    """Pool the distinct scores into the blocks of the hull; weights are above zero."""
    distinct, tp, fp = cumulate_weights(positive, score, weight)
    hits, alarms = np.diff(tp), np.diff(fp)
    total = hits + alarms
    pooled = isotonic_regression(hits / total, weights=total, increasing=False)
    # The pooled means of neighbouring blocks may be equal; then they are one line.
    first = pooled.blocks[:-1]
    hits, alarms = np.add.reduceat(hits, first), np.add.reduceat(alarms, first)
    return Hull(hits, alarms, hits / (hits + alarms), distinct[pooled.blocks[1:] - 1])
