"""F-beta that probabilities promise, at every cut-off, without looking at labels."""

import numpy as np

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError

__all__ = ["check_probabilities", "expected_fbeta"]

# What rounding may add to a sum of probabilities.
_SLACK = 1e-6


def check_probabilities(y_score: FloatArray, who: str) -> FloatArray:
    """Return the scores in double precision, or complain if they are no probabilities."""
    low, high = y_score.min(initial=0.0), y_score.max(initial=1.0)
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        rule = "the scores must be probabilities, between 0 and 1"
        todo = "Use an estimator with predict_proba, or calibrate its scores"
        got = f"values from {low:.6g} to {high:.6g}"
        raise DataError(message(who, rule, got, todo))
    return y_score.astype(float, copy=False)


def expected_fbeta(
    probability: FloatArray, sample_weight: FloatArray | None, beta: float
) -> tuple[FloatArray, FloatArray]:
    """Return all cut-offs, descending from ``inf``, and F-beta of the expected counts at each.

    Parameters
    ----------
    probability : ndarray of shape (n_rows,)
        Probability of each row that it is positive.
    sample_weight : ndarray of shape (n_rows,) or None
        Weight of each row.
    beta : float
        Weight of recall against precision.

    Returns
    -------
    thresholds, values : ndarray of shape (n_distinct + 1,)
        With S the rows at or above a cut-off, the value is
        ``(1 + beta^2) sum_S w p / (beta^2 sum w p + sum_S w)``, 0 where S is empty.
    """
    if sample_weight is None:
        descending = np.sort(probability)[::-1]
        alerts = np.arange(1.0, probability.size + 1)
        hits = np.cumsum(descending, dtype=float)
    else:
        order = np.argsort(probability)
        descending = probability.take(order)[::-1]
        weight = sample_weight.take(order)[::-1]
        alerts, hits = np.cumsum(weight), np.cumsum(weight * descending)
    # Tied rows are alerted together: only the last of each tie counts.
    last = np.append(descending[1:] != descending[:-1], True)
    alerts, hits = alerts[last], hits[last]
    squared = beta * beta
    values = (1 + squared) * hits / (squared * hits[-1] + alerts)
    first = np.array([np.inf], dtype=probability.dtype)
    thresholds = np.concatenate((first, descending[last]))
    return thresholds, np.concatenate((np.zeros(1), values))
