"""Intervals of shares, for the bars of a picture."""

from statistics import NormalDist

import numpy as np

from imbkit._core.types import BoolArray, FloatArray, IntArray

__all__ = ["bootstrap_shares", "wilson"]


def wilson(share: FloatArray, rows: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's interval of shares that were seen among so many rows each.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22, 209-212 (1927), doi:10.1080/01621459.1927.10502953.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    spread = z**2 / rows
    centre = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * np.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    # Rounding must not leave a speck beside 0 or 1.
    low = np.where(share <= 0, 0.0, np.maximum(centre - reach, 0.0))
    high = np.where(share >= 1, 1.0, np.minimum(centre + reach, 1.0))
    return low, high


def bootstrap_shares(
    positive: BoolArray,
    weight: FloatArray,
    starts: IntArray,
    confidence: float,
    n_bootstraps: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return quantiles of the shares of positive weight when each bin's rows are drawn again.

    The rows of a bin stand together; `starts` are the positions of its first ones.
    """
    sizes = np.diff(np.append(starts, positive.size))
    first, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    hits = np.where(positive, weight, 0.0)
    shares = np.empty((n_bootstraps, starts.size))
    for line in shares:
        drawn = first + (rng.random(positive.size) * size).astype(np.intp)
        total = np.add.reduceat(weight[drawn], starts)
        line[:] = np.add.reduceat(hits[drawn], starts) / total
    low, high = np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
