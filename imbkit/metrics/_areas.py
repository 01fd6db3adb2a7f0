"""Areas under the two curves of a ranking, from hits and false alarms at every cut-off."""

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.metrics._counts import ratio

__all__ = ["precision_area", "roc_area"]


def roc_area(tp: FloatArray, fp: FloatArray) -> float:
    """Area under the ROC curve; both rise from 0 to the weight of their class."""
    # A step to the right at its mean height: rows with equal scores count one half.
    area = np.sum(np.diff(fp) * (tp[1:] + tp[:-1])) / 2.0
    return float(area / (tp[-1] * fp[-1]))


def precision_area(tp: FloatArray, fp: FloatArray) -> float:
    """Average precision: the mean, over the positive rows, of the precision down to each."""
    return float(np.sum(np.diff(tp) * ratio(tp[1:], tp[1:] + fp[1:])) / tp[-1])
