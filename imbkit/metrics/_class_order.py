"""Scorers that know which column is which class, also where a model's classes are not sorted."""

from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Any, Literal

import numpy as np

from imbkit._core.compat import scorer_class
from imbkit._core.types import AnyArray

__all__ = ["ClassOrderScorer"]


class ClassOrderScorer(scorer_class()):  # type: ignore[misc]
    """A scorer for models of any order of classes, such as those of ordered classes.

    Where the classes are sorted it is scikit-learn's, which takes that for granted.

    Parameters
    ----------
    function : callable
        The metric.
    sign : {1, -1}
        -1 for a loss.
    parameters : mapping
        Keyword arguments of the metric.
    response_method : str or sequence of str
        What the metric is computed from, in order of preference.
    columns : {"sorted", "labels", "last"}
        What the metric takes its columns for: the sorted classes; its `labels`; or these, of
        which the last is the positive class.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        sign: int,
        parameters: Mapping[str, Any],
        response_method: Any,
        columns: Literal["sorted", "labels", "last"],
    ) -> None:
        super().__init__(function, sign, dict(parameters), response_method)
        self.columns = columns

    def _score(self, method_caller: Any, estimator: Any, X: Any, y_true: Any, **kwargs: Any) -> Any:
        """Score by columns in the order that the metric takes them for."""
        classes = getattr(estimator, "classes_", None)
        if not isinstance(classes, np.ndarray) or classes.ndim != 1:
            return super()._score(method_caller, estimator, X, y_true, **kwargs)
        ordered = np.sort(classes)
        wanted = ordered
        if self.columns != "sorted":
            labels = {**self._kwargs, **kwargs}.get("labels")
            wanted = classes if labels is None else np.asarray(labels)
        if classes.tolist() == ordered.tolist() == wanted.tolist():
            return super()._score(method_caller, estimator, X, y_true, **kwargs)
        scorer = copy(self)
        scorer._kwargs = {**self._kwargs, **self._order(wanted, kwargs)}
        # Not the method caller: it keeps responses for other scorers, which order them otherwise.
        respond = partial(_respond, classes=classes, wanted=wanted, positive=ordered[-1])
        return super(ClassOrderScorer, scorer)._score(respond, estimator, X, y_true, **kwargs)

    def _order(self, wanted: AnyArray, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what tells the metric the order, where it is not the sorted one."""
        if self.columns == "last" and len(wanted) == 2:
            return {} if self._kwargs.get("pos_label") is not None else {"pos_label": wanted[-1]}
        return {} if self.columns == "sorted" or "labels" in given else {"labels": wanted}


def _respond(
    estimator: Any,
    method: str,
    X: Any,
    *,
    pos_label: Any,
    classes: AnyArray,
    wanted: AnyArray,
    positive: Any,
) -> AnyArray:
    """Return labels, or scores: of two classes those of the positive one, else in an order."""
    values = np.asarray(getattr(estimator, method)(X))
    if method == "predict":
        return values
    known = classes.tolist()
    if len(known) == 2:
        # A label that is no class is for the metric to refuse.
        place = known.index(pos_label if pos_label in known else positive)
        if values.ndim == 2:
            return np.asarray(values[:, place])
        return values if place == 1 else -values
    # So are labels that are not the classes.
    if set(known) != set(wanted.tolist()):
        return values
    return np.asarray(values[:, [known.index(label) for label in wanted.tolist()]])
