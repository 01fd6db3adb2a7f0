"""Interval of any metric, from resampled rows or groups of each class."""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.rng import integer_seed
from imbkit._core.types import BoolArray, FloatArray, IntArray, Seed
from imbkit.exceptions import ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.metrics._confusion import check_targets
from imbkit.metrics._counts import check_weight
from imbkit.metrics._numbers import check_between, check_whole
from imbkit.metrics._row_groups import group_codes
from imbkit.metrics._scorers import metric_function

__all__ = ["BootstrapInterval", "bootstrap_interval"]

WHO = "bootstrap_interval"


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapInterval:
    """A metric and its interval.

    Parameters
    ----------
    estimate : float or ndarray of shape (n_values,)
        The metric of the rows as they are.
    low, high : float or ndarray of shape (n_values,)
        The ends of the interval.
    confidence : float
        Share of resamples between them.
    resampled : ndarray of shape (n_resamples,) or (n_resamples, n_values)
        The metric of each resample.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.metrics import BootstrapInterval
    >>> BootstrapInterval(0.5, 0.2, 0.8, 0.95, np.array([0.2, 0.5, 0.8]))
    BootstrapInterval(0.5, 95% from 0.2 to 0.8 by 3 resamples)
    """

    estimate: float | FloatArray
    low: float | FloatArray
    high: float | FloatArray
    confidence: float
    resampled: FloatArray

    def __repr__(self) -> str:
        estimate, low, high = (
            np.array2string(np.asarray(each), precision=4)
            for each in (self.estimate, self.low, self.high)
        )
        return (
            f"BootstrapInterval({estimate}, {100.0 * self.confidence:.4g}% from {low} to {high} "
            f"by {len(self.resampled):,} resamples)"
        )


def bootstrap_interval(
    metric: str | Callable[..., Any],
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: Seed = None,
    **parameters: Any,
) -> BootstrapInterval:
    """Return a metric with the interval that resampling the rows of each class gives.

    Choose it for recall or precision of a budget of alerts, areas, skills and costs, which
    are no plain shares. The rows of each class are drawn separately, so no resample is
    without the rare class, and the interval says nothing of how frequent it is.

    Parameters
    ----------
    metric : str or callable
        A name that :func:`get_scorer` knows, such as "recall_at_fpr_0.01", or a function
        ``metric(y_true, y_score, sample_weight=..., **parameters)`` that returns a number or
        one number a class: any metric of imbkit, and most of scikit-learn's.
    y_true : array-like of shape (n_rows,)
        True labels.
    y_score : array-like of shape (n_rows,) or (n_rows, n_classes)
        What the metric takes: predictions, scores or probabilities.
    confidence : float, default=0.95
        Between 0 and 1.
    n_resamples : int, default=1000
        Number of resamples, from 2.
    groups : array-like of shape (n_rows,), default=None
        The group of each row, e.g. the customer. Whole groups are then drawn, separately
        for each class: a group counts for the rarest class among its rows.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row, handed to the metric.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the draws.
    **parameters
        Keyword parameters of the metric, such as ``budget=100`` or ``pos_label="fraud"``;
        arrays of one entry a row go along with their rows.

    Returns
    -------
    BootstrapInterval
        The metric, the two quantiles of its resampled values, and these values.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If a parameter is out of range, or the metric does not take weights.

    Warns
    -----
    SmallClassWarning
        If a class has a single row or group, so that its draws never differ.
    ImbkitWarning
        If the metric is NaN for some resamples, which are then left out.

    See Also
    --------
    proportion_interval : Of a plain share, without resampling.

    Notes
    -----
    A row drawn m times has its weight times m, so every resample is one call of the metric
    with other weights and no row is copied: `n_resamples` times the metric's own time, which
    for a ranking of a million rows is about half a second. The quantiles are those of the
    values themselves (percentile interval); on few rows it is too short, and where a metric
    is at its bound for all resamples it has no length. A threshold or model is taken for
    given, and a budget as a whole number needs as many rows in every resample: with groups
    give it as a share.

    References
    ----------
    B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall, 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.metrics import bootstrap_interval, recall_at_budget
    >>> rng = np.random.default_rng(0)
    >>> y_true = np.repeat([0, 1], [950, 50])
    >>> y_score = rng.normal(size=1000) + 2.0 * y_true
    >>> bootstrap_interval(
    ...     recall_at_budget, y_true, y_score, budget=50, n_resamples=200, random_state=0
    ... )
    BootstrapInterval(0.42, 95% from 0.28 to 0.5205 by 200 resamples)
    """
    level = check_between(WHO, "confidence", confidence, 0.0, 1.0, excluded="both")
    n_resamples = check_whole(WHO, "n_resamples", n_resamples, 2)
    function, parameters = _callable(metric, parameters)
    generator = np.random.default_rng(integer_seed(random_state))
    truth, _, classes = check_targets(WHO, y_true, y_true)
    weight = check_weight(sample_weight, truth.size, WHO)
    weight = np.ones(truth.size) if weight is None else weight
    codes = np.searchsorted(classes, truth)
    unit = np.arange(truth.size) if groups is None else group_codes(WHO, groups, truth.size)[1]
    strata = _strata(codes, unit, weight > 0, classes.size)
    _warn_of_small([classes[k] for k, units in enumerate(strata) if units.size == 1], groups)
    given = None if sample_weight is None else weight
    estimate = np.asarray(function(y_true, y_score, sample_weight=given, **parameters), float)
    resampled = np.empty((n_resamples, *estimate.shape))
    times = np.zeros(int(unit.max()) + 1)
    for i in range(n_resamples):
        for units in strata:
            draws = generator.integers(0, max(units.size, 1), units.size)
            times[units] = np.bincount(draws, minlength=units.size)
        drawn = weight * times[unit]
        resampled[i] = function(y_true, y_score, sample_weight=drawn, **parameters)
    low, high = _quantiles(resampled, level)
    if not estimate.ndim:
        return BootstrapInterval(float(estimate), float(low), float(high), level, resampled)
    return BootstrapInterval(estimate, low, high, level, resampled)


def _strata(codes: IntArray, unit: IntArray, used: BoolArray, n_classes: int) -> list[IntArray]:
    """Return the units (rows or groups) of each class: of the rarest one among their rows."""
    codes, unit = codes[used], unit[used]
    size = np.bincount(codes, minlength=n_classes)
    # Ranks fall with the number of rows, so the rarest class of a unit has the highest one.
    by_size = np.argsort(-size, kind="stable")
    rank = np.empty(n_classes, dtype=np.intp)
    rank[by_size] = np.arange(n_classes)
    highest = np.full(int(unit.max()) + 1, -1, dtype=np.intp)
    np.maximum.at(highest, unit, rank[codes])
    return [np.flatnonzero(highest == rank[k]) for k in range(n_classes)]


def _callable(
    metric: str | Callable[..., Any], parameters: dict[str, Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function of a metric and its parameters, or complain."""
    if isinstance(metric, str):
        metric, own = metric_function(metric)
        parameters = {**own, **parameters}
    if not callable(metric):
        rule = "metric must be the name of a metric or a function"
        raise InvalidParameterError(message(WHO, rule, metric))
    try:
        allowed = inspect.signature(metric).parameters
    except ValueError:
        return metric, parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in allowed.values())
    if not open_ended and "sample_weight" not in allowed:
        rule = "the metric must take sample_weight, for a resample is a weight of each row"
        raise InvalidParameterError(message(WHO, rule, metric))
    unknown = [name for name in parameters if name not in allowed]
    if unknown and not open_ended:
        rule = f"the parameters must be those of the metric: {listing(list(allowed)[2:], 20)}"
        raise InvalidParameterError(message(WHO, rule, unknown[0]))
    return metric, parameters


def _warn_of_small(alone: list[Any], groups: ArrayLike | None) -> None:
    if alone:
        what = "row" if groups is None else "group"
        rule = f"class {listing(alone)} has one {what}, which every resample draws"
        todo = "The interval does not show what another one would have changed"
        warnings.warn(message(WHO, rule, todo=todo), SmallClassWarning, stacklevel=3)


def _quantiles(values: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Return both ends, leaving out resamples for which the metric is not defined."""
    ends = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    undefined = np.isnan(values)
    if not undefined.any():
        low, high = np.quantile(values, ends, axis=0)
        return low, high
    rule = "the metric must be defined for every resample"
    got = f"NaN for {int(undefined.sum()):,} of {undefined.size:,} values, which are left out"
    warnings.warn(message(WHO, rule, got), ImbkitWarning, stacklevel=3)
    nothing = undefined.all(axis=0)
    low, high = np.nanquantile(np.where(nothing, 0.0, values), ends, axis=0)
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
