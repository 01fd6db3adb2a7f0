"""What a fold is scored by: proper scores of its probabilities by name, or any scorer."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["ALIASES", "SCORES", "NamedScorer", "row_scores", "scorer_of", "takes_weight"]

# As in scikit-learn's log-loss, so that a single row of probability 0 does not decide alone.
_LEAST = np.finfo(np.float64).eps


def row_scores(name: str, probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Return the score of each row, larger being better.

    Parameters
    ----------
    name : str
        One of `SCORES`.
    probabilities : ndarray of shape (n_rows, n_classes)
        What the model says of each row.
    codes : ndarray of int, shape (n_rows,)
        The class of each row; the rare one has the largest code.
    """
    return SCORES[name](probabilities, codes)


def scorer_of(scoring: str | Callable[..., float]) -> str | Callable[..., float]:
    """Return one of the names in `SCORES`, or a function of a fitted classifier, X and y.

    Parameters
    ----------
    scoring : str or callable
        A name of `SCORES` or `ALIASES`, or of a scorer of scikit-learn; or a scorer.
    """
    if not isinstance(scoring, str):
        return scoring
    name = ALIASES.get(scoring, scoring)
    return name if name in SCORES else NamedScorer(get_scorer(name))


def takes_weight(scorer: Callable[..., float]) -> bool:
    """Say whether a scorer can be called with sample weights.

    Parameters
    ----------
    scorer : callable
        What `scorer_of` returned.
    """
    parameters = inspect.signature(scorer).parameters
    return "sample_weight" in parameters or any(
        each.kind is each.VAR_KEYWORD for each in parameters.values()
    )


class NamedScorer:
    """A scorer of scikit-learn, for which classes are sorted by label, not by stage."""

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, model: Any, X: Any, y: AnyArray, **params: Any) -> float:
        """Score a fitted classifier, its columns of probabilities sorted by label."""
        order = np.argsort(model.classes_)
        if (order[1:] < order[:-1]).any():
            model = _Sorted(model, order)
        return float(self.scorer(model, X, y, **params))

    def get_metadata_routing(self) -> Any:
        """Return what the scorer asks for."""
        return self.scorer.get_metadata_routing()


class _Sorted(ClassifierMixin, BaseEstimator):
    """A fitted classifier of three classes or more, or of two, with its classes sorted."""

    def __init__(self, model: Any, order: IntArray) -> None:
        self.model = model
        self.order = order
        self.classes_ = model.classes_[order]

    def predict(self, X: Any) -> AnyArray:
        """Return labels."""
        return np.asarray(self.model.predict(X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Return probabilities in the order of the labels."""
        return np.asarray(self.model.predict_proba(X)[:, self.order])

    def decision_function(self, X: Any) -> FloatArray:
        """Return decision values in the order of the labels; of two classes the second's."""
        values = np.asarray(self.model.decision_function(X))
        return -values if values.ndim == 1 else values[:, self.order]


def _log_loss(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Log-probability of each row's class."""
    own = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0]
    return np.asarray(np.log(np.maximum(own, _LEAST)))


def _brier_score(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Minus the squared distance from the class; half of it for two classes."""
    off = probabilities.copy()
    off[np.arange(len(codes)), codes] -= 1
    squares = np.einsum("ik,ik->i", off, off)
    return np.asarray(-squares / 2 if probabilities.shape[1] == 2 else -squares)


def _rare_log_loss(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Log-probability of being, or of not being, in the last class."""
    # The complement is summed up: next to 1 the last column alone would lose its digits.
    rest = probabilities[:, :-1].sum(axis=1)
    own = np.where(_rare(probabilities, codes), probabilities[:, -1], rest)
    return np.asarray(np.log(np.maximum(own, _LEAST)))


def _rare_brier_score(probabilities: FloatArray, codes: IntArray) -> FloatArray:
    """Minus the squared error of the last class's probability."""
    off = probabilities[:, -1] - _rare(probabilities, codes)
    return np.asarray(-(off**2))


def _rare(probabilities: FloatArray, codes: IntArray) -> BoolArray:
    return np.asarray(codes == probabilities.shape[1] - 1)


# The first two equal scikit-learn's scorers of these names.
SCORES: Mapping[str, Callable[[FloatArray, IntArray], FloatArray]] = {
    "neg_log_loss": _log_loss,
    "neg_brier_score": _brier_score,
    "neg_rare_log_loss": _rare_log_loss,
    "neg_rare_brier_score": _rare_brier_score,
}
# The plain words, without the hint that larger is better.
ALIASES: Mapping[str, str] = {
    "log_loss": "neg_log_loss",
    "brier": "neg_brier_score",
    "rare_log_loss": "neg_rare_log_loss",
    "rare_brier": "neg_rare_brier_score",
}
