"""What a fitted model says of rows, and what it weighs."""

import pickle
from typing import Any

import numpy as np

from imbkit._core.deploy import deploy
from imbkit._core.messages import message, shorten
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError

__all__ = ["first_line", "model_size", "scores_of"]


def scores_of(fitted: Any, X: Any, n_classes: int) -> tuple[FloatArray, bool]:
    """Scores with one column a class, or of class 1 for two, and whether they are probabilities.

    Classes that a training side lacked get the score 0.
    """
    probabilities = hasattr(fitted, "predict_proba")
    if not probabilities and not hasattr(fitted, "decision_function"):
        rule = "must have predict_proba or decision_function"
        raise DataError(message(type(fitted).__name__, rule, todo="Use another learner"))
    scores = np.asarray(fitted.predict_proba(X) if probabilities else fitted.decision_function(X))
    if np.isnan(scores).any():
        got = f"{int(np.isnan(scores).sum()):,} NaN in {scores.size:,}"
        raise DataError(message(type(fitted).__name__, "scores must not be NaN", got))
    if n_classes == 2:
        # Models of ordered classes may have class 1 first.
        first = np.asarray(getattr(fitted, "classes_", (0, 1))).tolist()[0] == 1
        if scores.ndim == 2:
            return scores[:, 0 if first and scores.shape[1] == 2 else 1], probabilities
        return (-scores if first else scores), probabilities
    full = np.zeros((scores.shape[0], n_classes))
    full[:, np.asarray(fitted.classes_, dtype=np.intp)] = scores
    return full, probabilities


def model_size(fitted: Any) -> int:
    """Bytes of the model as it ships; 0 if it cannot be pickled, which is no failure to learn."""
    try:
        return len(pickle.dumps(deploy(fitted)))
    except (pickle.PicklingError, AttributeError, TypeError):
        return 0


def first_line(error: Exception) -> str:
    """Return the first line of an error's text."""
    text = str(error).strip().partition("\n")[0]
    return shorten(text, 300)[1:-1] if text else "no message"
