"""From scores of the boundaries to probabilities of the classes, also where boundaries cross."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from imbkit._core.types import BoolArray, FloatArray
from imbkit.ordinal._link import Link

__all__ = [
    "Crossing",
    "crossed",
    "kept_last",
    "log_probabilities",
    "nearest_ordered",
    "of_scores",
    "probabilities",
]

Crossing: TypeAlias = Literal["keep_last", "isotonic", "raw"]


def crossed(scores: FloatArray) -> BoolArray:
    """Tell in which rows some boundaries stand in the wrong order.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_boundaries)
        Scores eta of P(y <= k) = F(eta_k).

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        Where a score is below the one before it.
    """
    return np.asarray((scores[:, 1:] < scores[:, :-1]).any(axis=1))


def kept_last(scores: FloatArray) -> FloatArray:
    """Lower each score to the smallest of those behind it; the last one stays as it is."""
    return np.asarray(np.minimum.accumulate(scores[:, ::-1], axis=1)[:, ::-1])


def nearest_ordered(values: FloatArray) -> FloatArray:
    """Return the non-decreasing rows nearest to the given ones by squared distance.

    Parameters
    ----------
    values : ndarray of shape (n_rows, m)
        Rows.

    Returns
    -------
    ndarray of shape (n_rows, m)
        What pooling adjacent violators gives, here by its closed form, the largest over first
        entries i <= k of the smallest over last entries j >= k of the mean of i to j: m passes
        over all rows at once. No entry is below the one before it, not even by rounding.
    """
    m = values.shape[1]
    out = np.full(values.shape, -np.inf)
    for first in range(m):
        means = np.cumsum(values[:, first:], axis=1) / np.arange(1, m - first + 1)
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        np.maximum(out[:, first:], least, out=out[:, first:])
    return out


def probabilities(scores: FloatArray, how: Crossing, link: Link) -> FloatArray:
    """Return the probability of each class.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_boundaries)
        Scores eta of P(y <= k) = F(eta_k).
    how : {"keep_last", "isotonic", "raw"}
        What is done about rows whose boundaries cross: lower boundaries are taken back behind
        later ones, so that the last class keeps its probability; cumulative probabilities are
        replaced by the nearest ordered ones; nothing. Other rows are treated alike by all.
    link : Link
        F.

    Returns
    -------
    ndarray of shape (n_rows, n_boundaries + 1)
        Rows sum to one. Small probabilities are right to the last digits, those of the first
        and the last class in particular. Some are negative where "raw" leaves a crossing.
    """
    ordered = kept_last(scores)
    between = np.exp(-_between(ordered, link))
    ends = of_scores(link.cdf, ordered[:, :1]), of_scores(link.survival, ordered[:, -1:])
    out = np.hstack((ends[0], between, ends[1]))
    if how != "keep_last":
        rows = np.flatnonzero(crossed(scores))
        out[rows] = _of_crossed(scores[rows], how, link)
    return out


def log_probabilities(scores: FloatArray, how: Crossing, link: Link) -> FloatArray:
    """Return the logarithm of :func:`probabilities`, also where these underflow.

    It is -inf where a crossing leaves a class no probability, or a negative one.
    """
    ordered = kept_last(scores)
    ends = of_scores(link.log_cdf, ordered[:, :1]), of_scores(link.log_survival, ordered[:, -1:])
    out = np.hstack((ends[0], -_between(ordered, link), ends[1]))
    if how != "keep_last":
        rows = np.flatnonzero(crossed(scores))
        with np.errstate(divide="ignore"):
            out[rows] = np.log(np.maximum(_of_crossed(scores[rows], how, link), 0.0))
    return out


def of_scores(function: Callable[[FloatArray], FloatArray], scores: FloatArray) -> FloatArray:
    """Apply a function of a link, which takes one dimension, to a table of scores."""
    return np.asarray(function(scores.ravel()).reshape(scores.shape))


def _between(ordered: FloatArray, link: Link) -> FloatArray:
    """Return minus the log-probability of every class but the first and the last."""
    upper, lower = ordered[:, 1:], ordered[:, :-1]
    return np.asarray(link.between(upper.ravel(), lower.ravel())[0].reshape(upper.shape))


def _of_crossed(scores: FloatArray, how: Crossing, link: Link) -> FloatArray:
    """Return the probabilities of rows whose boundaries cross, as differences."""
    below, above = of_scores(link.cdf, scores), of_scores(link.survival, scores)
    if how == "isotonic":
        # Both sides, as 1 - below would lose a small probability of the last class.
        below, above = nearest_ordered(below), -nearest_ordered(-above)
    steps = np.where(below[:, :-1] < 0.5, np.diff(below, axis=1), -np.diff(above, axis=1))
    return np.hstack((below[:, :1], steps, above[:, -1:]))
