"""Scores of a net's outputs on held-out rows, and the epoch that had the best."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.metrics import get_scorer_names
from skorch.callbacks import Callback
from torch import Tensor

from imbkit._core.messages import message, nearest_names
from imbkit._core.types import AnyArray, FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import ImbkitWarning, InvalidParameterError
from imbkit.metrics import get_scorer, metric_names
from imbkit.nets._tensor_table import TensorTable

__all__ = ["BestEpoch", "OfLabels", "OutputScore", "Outputs", "scorer_of"]


class Outputs:
    """A classifier of one table whose probabilities are known."""

    _estimator_type = "classifier"

    def __init__(self, probabilities: FloatArray, classes: AnyArray, multilabel: bool) -> None:
        self.probabilities, self.classes_, self.multilabel = probabilities, classes, multilabel

    def predict(self, X: Any) -> AnyArray:
        """Return labels."""
        if self.multilabel:
            return (self.probabilities >= 0.5).astype(int)
        labels: AnyArray = self.classes_[self.probabilities.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> FloatArray:
        """Return probabilities."""
        return self.probabilities

    def decision_function(self, X: Any) -> FloatArray:
        """Return scores."""
        p = self.probabilities
        return p[:, 1] if p.shape[1] == 2 and not self.multilabel else p

    def __sklearn_tags__(self) -> Any:
        """Say that it is a classifier."""
        from sklearn.dummy import DummyClassifier

        return DummyClassifier().__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        """Say that nothing is left to fit."""
        return True


def scorer_of(scoring: str | Callable[..., float], who: str) -> Callable[..., float]:
    """Return a function of a fitted classifier, X and y.

    Parameters
    ----------
    scoring : str or callable
        A name that :func:`imbkit.metrics.get_scorer` or scikit-learn knows.
    who : str
        What messages speak for.
    """
    if not isinstance(scoring, str):
        return scoring
    try:
        ours: Callable[..., float] = get_scorer(scoring)
        return ours
    except InvalidParameterError as error:
        known = get_scorer_names()
        if scoring in known:
            theirs: Callable[..., float] = sklearn_scorer(scoring)
            return theirs
        near = nearest_names(scoring, [*metric_names(), *known])
        rule = "scoring must be a name of imbkit.metrics.get_scorer or of scikit-learn"
        todo = f"Did you mean {' or '.join(near)}?" if near else "Use 'balanced_accuracy'"
        raise InvalidParameterError(message(who, rule, scoring, todo)) from error


class OutputScore:
    """A score of a net's outputs for held-out rows, as an object that pickles.

    Parameters
    ----------
    scoring : str or callable
        See `scorer_of`. Scores that have names know sample weights.
    who : str
        What messages speak for.
    """

    def __init__(self, scoring: str | Callable[..., float], who: str) -> None:
        self.scorer = scorer_of(scoring, who)
        self.weighs = isinstance(scoring, str) or getattr(scoring, "weighs", False)

    def __call__(self, net: Any, outputs: Tensor, table: TensorTable) -> float:
        """Return the score, larger being better."""
        found, truth = outputs.float().cpu().numpy(), table.y.cpu().numpy()
        if net.stats_.task == "survival":  # log hazards, which are no probabilities
            return float(self.scorer(found, truth))
        p = net.probabilities_of(found)
        model = Outputs(p, np.arange(p.shape[1]), truth.ndim == 2)
        weights = table.X.get("sample_weight") if self.weighs else None
        more = {} if weights is None else {"sample_weight": weights.cpu().numpy()}
        return float(self.scorer(model, np.empty((len(truth), 0)), truth, **more))


class OfLabels:
    """A user's score, which is to see labels instead of class positions.

    Parameters
    ----------
    scorer : callable
        Of a classifier, X and y.
    classes : ndarray of shape (n_classes,)
        Labels.
    """

    def __init__(self, scorer: Callable[..., float], classes: AnyArray) -> None:
        self.scorer, self.classes = scorer, classes

    def __call__(self, model: Outputs, X: Any, y: AnyArray) -> float:
        """Return the score."""
        known = Outputs(model.probabilities, self.classes, multilabel=False)
        return float(self.scorer(known, X, self.classes[y]))


class BestEpoch(Callback):
    """Keep the weights of the epoch with the best score, and stop when none gets better.

    Parameters
    ----------
    score : callable, default=None
        ``score(net, outputs, table)`` for the held-out rows, larger being better; None keeps
        the last epoch.
    patience : int, default=None
        Epochs without a better one after which training ends; None goes on to the end.
    name : str, default="valid_score"
        Of the score in the history.
    """

    def __init__(
        self,
        score: Callable[[Any, Tensor, TensorTable], float] | None = None,
        patience: int | None = None,
        name: str = "valid_score",
    ) -> None:
        self.score, self.patience, self.name = score, patience, name

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget what was."""
        self.best_, self.since_, self.weights_ = -np.inf, 0, None

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Score the outputs of the held-out rows, and keep the weights if they are the best."""
        if self.score is None or net.valid_outputs_ is None:
            return
        value = self.score(net, *net.valid_outputs_)
        net.history.record(self.name, value)
        better = value > self.best_
        net.history.record(f"{self.name}_best", better)
        self.since_ += 1
        if better:
            self.best_, self.since_ = value, 0
            self.weights_ = copy.deepcopy(net.module_.state_dict())
        elif self.patience is not None and not np.isnan(value):
            net.stopped_ = self.since_ >= self.patience

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Put the best weights back."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
            self.weights_ = None
        elif self.since_:
            rule = "the score of the rows held out must be a number"
            todo = "The last epoch is kept. Hold out more rows, or judge by another score"
            warn(message(type(net).__name__, rule, "NaN", todo), ImbkitWarning)
