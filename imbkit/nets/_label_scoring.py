"""Scores of several labels a row, some of which may be unknown."""

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer as sklearn_scorer

from imbkit._core.types import AnyArray, FloatArray
from imbkit.nets._scoring import Outputs, scorer_of

__all__ = ["LabelScore"]

# Scores of scikit-learn's that look at an indicator as a whole.
_OF_INDICATORS = re.compile(
    r"accuracy|average_precision|roc_auc"
    r"|(f1|jaccard|precision|recall)_(macro|micro|samples|weighted)"
)


class LabelScore:
    """A score of a classifier's probabilities of labels, as an object that pickles.

    Parameters
    ----------
    scoring : str or callable
        A name of scikit-learn's scores of indicators is taken over all labels; any other name
        is of a score of two classes, and is taken for each label. A callable is given a
        classifier, a table without columns and the indicator.
    who : str
        What messages speak for.

    Notes
    -----
    A label that held-out rows do not have, or all have, cannot be judged and is left out; so are
    unknown labels, in which case a score of indicators is the mean over labels as well.
    """

    def __init__(self, scoring: str | Callable[..., float], who: str) -> None:
        self.whole = isinstance(scoring, str) and bool(_OF_INDICATORS.fullmatch(scoring))
        #: Whether it takes sample weights.
        self.weighs = isinstance(scoring, str)
        self.scorer = sklearn_scorer(scoring) if self.whole else scorer_of(scoring, who)

    def __call__(
        self, model: Any, X: Any, y: AnyArray, sample_weight: FloatArray | None = None
    ) -> float:
        """Return the score; NaN if no label can be judged."""
        if not self.weighs:
            return float(self.scorer(model, X, y))
        p = model.predict_proba(X)
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        judged = np.flatnonzero((y == 1).any(axis=0) & (y == 0).any(axis=0))
        if not len(judged):
            return float("nan")
        if self.whole and len(judged) > 1 and (y[:, judged] >= 0).all():
            return self._of_indicator(p[:, judged], y[:, judged], weight)
        return float(np.mean([self._of_label(p[:, j], y[:, j], weight) for j in judged]))

    def _of_indicator(self, p: FloatArray, y: AnyArray, weight: FloatArray) -> float:
        """Return the score over labels."""
        model = Outputs(p, np.arange(p.shape[1]), multilabel=True)
        return self._score(model, y, weight)

    def _of_label(self, p: FloatArray, y: AnyArray, weight: FloatArray) -> float:
        """Return the score of one label, over the rows where it is known."""
        p, y, weight = p[y >= 0], y[y >= 0], weight[y >= 0]
        if self.whole:
            # scikit-learn takes a single column for two classes, so it is given the label twice.
            return self._of_indicator(np.stack([p, p], axis=1), np.stack([y, y], axis=1), weight)
        model = Outputs(np.stack([1 - p, p], axis=1), np.arange(2), multilabel=False)
        return self._score(model, y, weight)

    def _score(self, model: Outputs, y: AnyArray, weight: FloatArray) -> float:
        """Return what the scorer says."""
        with warnings.catch_warnings():
            # That a label is not predicted yet is no news after the first epochs.
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            return float(self.scorer(model, np.empty((len(y), 0)), y, sample_weight=weight))
