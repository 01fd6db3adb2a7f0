"""How far a threshold depends on the rows that it was chosen on."""

import warnings

import numpy as np
from sklearn.utils import check_random_state

from imbkit._core.types import Seed
from imbkit.exceptions import ThresholdWarning
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._pooling import Fold

__all__ = ["bootstrap_interval"]

_LEVELS = (0.025, 0.975)


def bootstrap_interval(
    rule: BaseRule, rows: Fold, n_bootstrap: int, random_state: Seed
) -> tuple[float, float]:
    """Return a 95 % percentile interval of the threshold.

    Parameters
    ----------
    rule : BaseRule
        What is best.
    rows : Fold
        The rows that the threshold was chosen on.
    n_bootstrap : int
        Samples with replacement, of each class as many rows as it has.
    random_state : int, RandomState or None
        Draws them.

    Returns
    -------
    tuple of two floats
        NaN if no sample allows a threshold.

    Notes
    -----
    O(n log n) a sample. The scores themselves are not made anew: the interval leaves out what
    another training set would change, which the folds' own thresholds show.

    References
    ----------
    B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall, 1993.
    """
    random = check_random_state(random_state)
    members = [np.flatnonzero(rows.y_true == label) for label in (False, True)]
    thresholds = []
    with warnings.catch_warnings():
        # What the sample as a whole allows has been said already.
        warnings.simplefilter("ignore", ThresholdWarning)
        for _ in range(n_bootstrap):
            drawn = [own[random.randint(own.size, size=own.size)] for own in members]
            curve = rows.take(np.concatenate(drawn)).curve(rule)
            if curve.feasible:
                thresholds.append(rule.threshold(curve))
    if not thresholds:
        return np.nan, np.nan
    # Attained values: between finite thresholds and infinity there is nothing to interpolate.
    low, high = np.quantile(thresholds, _LEVELS, method="inverted_cdf")
    return float(low), float(high)
