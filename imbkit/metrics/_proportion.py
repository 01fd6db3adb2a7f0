"""Interval of a share of independent rows, such as a recall or the precision of alerts."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtri

from imbkit._core.messages import message, shorten
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._numbers import check_between

__all__ = ["proportion_interval"]


def proportion_interval(
    hits: ArrayLike,
    rows: ArrayLike,
    *,
    confidence: float = 0.95,
    method: Literal["wilson", "exact"] = "wilson",
) -> tuple[FloatArray, FloatArray]:
    """Return the interval of a plain share: hits among rows.

    Choose it over :func:`bootstrap_interval` for one share of independent rows at a cut-off
    that these rows did not choose: it needs no resampling, and holds for few rows and for
    shares of 0 or 1, where a bootstrap interval shrinks to a point.

    Parameters
    ----------
    hits : float or array-like
        Number of successes, from 0 to `rows`.
    rows : float or array-like
        Number of rows, of a shape that goes with `hits`.
    confidence : float, default=0.95
        Between 0 and 1.
    method : {"wilson", "exact"}, default="wilson"
        "wilson": covers as often as asked on average. "exact": Clopper and Pearson's, covers
        at least as often as asked, and is wider.

    Returns
    -------
    low : ndarray
        The lower end; 0 where there is no row.
    high : ndarray
        The upper end; 1 where there is no row.

    Raises
    ------
    DataError
        If there are fewer rows than hits, or either is negative or not finite.
    InvalidParameterError
        If `confidence` or `method` is not permitted.

    See Also
    --------
    bootstrap_interval : For everything that is not a plain share.

    Notes
    -----
    Wilson: the shares p for which the score test of p does not reject. Exact: quantiles of
    Beta(hits, rows - hits + 1) and Beta(hits + 1, rows - hits). Weights of rows are taken
    for numbers of rows.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 1927,
    doi:10.1080/01621459.1927.10502953.

    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26, 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> from imbkit.metrics import proportion_interval
    >>> [round(float(end), 3) for end in proportion_interval(8, 10)]
    [0.49, 0.943]
    >>> [round(float(end), 3) for end in proportion_interval(8, 10, method="exact")]
    [0.444, 0.975]
    """
    who = "proportion_interval"
    level = check_between(who, "confidence", confidence, 0.0, 1.0, excluded="both")
    if method not in ("wilson", "exact"):
        raise InvalidParameterError(message(who, "method must be 'wilson' or 'exact'", method))
    x, n = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(rows, dtype=float))
    # A sum of weights may exceed the total by rounding.
    if not (np.isfinite(n) & (x >= 0) & (x <= n * (1.0 + 1e-9))).all():
        rule = "hits must be from 0 to rows, and both finite"
        raise DataError(message(who, rule, f"hits {shorten(hits)} of rows {shorten(rows)}"))
    x = np.minimum(x, n)
    low, high = _wilson(x, n, level) if method == "wilson" else _exact(x, n, level)
    empty = n == 0
    return np.where(empty, 0.0, low), np.where(empty, 1.0, high)


def _wilson(x: FloatArray, n: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    squared = float(ndtri(0.5 + confidence / 2.0)) ** 2
    rows = np.where(n == 0, 1.0, n)
    share = x / rows
    centre = (share + squared / (2.0 * rows)) / (1.0 + squared / rows)
    spread = np.sqrt(squared * (share * (1.0 - share) + squared / (4.0 * rows)) / rows)
    half = spread / (1.0 + squared / rows)
    # At the ends the formula gives 0 and 1, but for rounding.
    low = np.where(x == 0, 0.0, np.maximum(centre - half, 0.0))
    return low, np.where(x == n, 1.0, np.minimum(centre + half, 1.0))


def _exact(x: FloatArray, n: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    tail = (1.0 - confidence) / 2.0
    with np.errstate(invalid="ignore"):
        low = betaincinv(np.where(x == 0, 1.0, x), n - x + 1.0, tail)
        high = betaincinv(x + 1.0, np.where(x == n, 1.0, n - x), 1.0 - tail)
    return np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)
