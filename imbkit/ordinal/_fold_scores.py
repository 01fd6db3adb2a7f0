"""Scores of a fold: proper scores of probabilities by name, and whatever scores a classifier."""

from collections.abc import Callable

import numpy as np

from imbkit._core.types import BoolArray, FloatArray, IntArray

__all__ = ["ALIASES", "SCORES", "fold_score"]

# As in scikit-learn's log-loss, so that a single row of probability 0 does not decide alone.
_LEAST = np.finfo(np.float64).eps


def fold_score(name: str, probabilities: FloatArray, codes: IntArray, weights: FloatArray) -> float:
    """Return the weighted mean of a score over rows, larger being better.

    Parameters
    ----------
    name : str
        One of `SCORES` or `ALIASES`.
    probabilities : ndarray of shape (n_rows, n_classes)
        What the model says of each row.
    codes : ndarray of int, shape (n_rows,)
        The class of each row; the rare one has the largest code.
    weights : ndarray of shape (n_rows,)
        Not negative, some positive.
    """
    score = SCORES[ALIASES.get(name, name)]
    there = weights > 0  # a row without weight may have any score
    return float(np.average(score(probabilities, codes)[there], weights=weights[there]))


def _log_loss(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Log-probability of each row's class."""
    own = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0]
    return np.asarray(np.log(np.maximum(own, _LEAST)))


def _brier_score(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Minus the squared distance from the class; half of it for two classes."""
    off = probabilities.copy()
    off[np.arange(len(codes)), codes] -= 1
    squares = np.einsum("ik,ik->i", off, off)
    return -squares / 2 if probabilities.shape[1] == 2 else -squares


def _rare_log_loss(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Log-probability of being, or of not being, in the last class."""
    last, rare = probabilities[:, -1], _rare(probabilities, codes)
    # The complement is summed up: next to 1 the last column alone would lose its digits.
    rest = probabilities[:, :-1].sum(axis=1)
    return np.asarray(np.log(np.maximum(np.where(rare, last, rest), _LEAST)))


def _rare_brier_score(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Minus the squared error of the last class's probability."""
    return -((probabilities[:, -1] - _rare(probabilities, codes)) ** 2)


def _rare(probabilities: FloatArray, codes: IntArray) -> BoolArray:
    return np.asarray(codes == probabilities.shape[1] - 1)


# The first two equal scikit-learn's scorers of these names.
SCORES: dict[str, Callable[[FloatArray, IntArray], FloatArray]] = {
    "neg_log_loss": _log_loss,
    "neg_brier_score": _brier_score,
    "neg_rare_log_loss": _rare_log_loss,
    "neg_rare_brier_score": _rare_brier_score,
}
# The plain words, without the hint that larger is better.
ALIASES: dict[str, str] = {
    "log_loss": "neg_log_loss",
    "brier": "neg_brier_score",
    "rare_log_loss": "neg_rare_log_loss",
    "rare_brier": "neg_rare_brier_score",
}
