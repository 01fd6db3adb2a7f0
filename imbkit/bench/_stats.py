"""Intervals and comparisons for scores of overlapping training sets.

The cells of a repeated cross-validation share most of their training rows, so their scores
are dependent and the usual standard error is far too small. Nadeau and Bengio's correction
replaces 1/J in the variance of the mean of J cells by 1/J + n_test/n_train.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from imbkit._core.types import FloatArray

__all__ = ["Difference", "compare_pairs", "corrected_interval", "holm"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired comparison, in the metric's unit; positive where the first is larger."""

    mean: float
    low: float
    """Lower end of the 95 % interval."""
    high: float
    p_value: float
    """Two-sided; NaN with fewer than two cells."""
    probability_better: float
    """Posterior probability of a difference above the region of practical equivalence."""
    probability_equivalent: float
    cells: int


def corrected_interval(
    values: FloatArray, test_to_train: float, level: float = 0.95
) -> tuple[float, float, float]:
    """Return the mean and its interval by the corrected resampled t.

    Parameters
    ----------
    values : ndarray of shape (n_cells,)
        One value a cell, without NaN.
    test_to_train : float
        Test rows over training rows of a split, e.g. 1/4 with five folds.
    level : float, default=0.95
        Probability that the interval covers.

    Returns
    -------
    mean, low, high : float
        With a single cell the interval is NaN.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52,
    239-281 (2003), doi:10.1023/A:1024068626366.
    """
    mean = float(np.mean(values))
    if values.size < 2:
        return mean, float("nan"), float("nan")
    scale = _corrected_scale(values, test_to_train)
    reach = float(stats.t.ppf((1 + level) / 2, values.size - 1)) * scale
    return mean, mean - reach, mean + reach


def compare_pairs(
    first: FloatArray, second: FloatArray, test_to_train: float, rope: float
) -> Difference:
    """Compare two methods on the same cells.

    Parameters
    ----------
    first, second : ndarray of shape (n_cells,)
        Scores on the same cells, in the same order, without NaN; larger is better.
    test_to_train : float
        Test rows over training rows of a split.
    rope : float
        Half width of the region of practical equivalence.

    Returns
    -------
    Difference
        Of `first` from `second`.

    Notes
    -----
    The posterior of the mean difference is a Student t with the same centre, scale and
    degrees of freedom as the corrected test (Benavoli et al. 2017). Where all differences
    are equal the posterior is a point: it is better, worse or equivalent for certain, but
    the test has no variance to judge by, and the p-value is 1 for no difference, else 0.

    References
    ----------
    A. Benavoli, G. Corani, J. Demsar and M. Zaffalon, "Time for a change: a tutorial for
    comparing multiple classifiers through Bayesian analysis", JMLR 18(77), 1-36 (2017).
    """
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    mean, low, high = corrected_interval(difference, test_to_train)
    nan = float("nan")
    if difference.size < 2:
        return Difference(mean, low, high, nan, nan, nan, difference.size)
    scale = _corrected_scale(difference, test_to_train)
    if scale == 0.0:
        better, equivalent = float(mean > rope), float(abs(mean) <= rope)
        p_value = 1.0 if mean == 0 else 0.0
        return Difference(mean, low, high, p_value, better, equivalent, difference.size)
    posterior = stats.t(difference.size - 1, loc=mean, scale=scale)
    p_value = 2 * float(stats.t.sf(abs(mean) / scale, difference.size - 1))
    better = float(posterior.sf(rope))
    equivalent = float(posterior.cdf(rope) - posterior.cdf(-rope))
    return Difference(mean, low, high, p_value, better, equivalent, difference.size)


def holm(p_values: FloatArray) -> FloatArray:
    """Return Holm's step-down adjustment; NaN stays NaN and is not counted.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
    of Statistics 6, 65-70 (1979).
    """
    adjusted = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def _corrected_scale(values: FloatArray, test_to_train: float) -> float:
    """Corrected standard error of the mean; exact zero where all values are equal."""
    if np.ptp(values) == 0:
        return 0.0
    variance = float(np.var(values, ddof=1))
    return float(np.sqrt(variance * (1 / values.size + test_to_train)))
