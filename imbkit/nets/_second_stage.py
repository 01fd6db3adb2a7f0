"""The protocol of a second stage: another last layer for a body that is trained already."""

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from imbkit._core.messages import listing, message, nearest_names
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import InvalidParameterError

__all__ = ["BaseSecondStage", "Embedded", "balanced_recall", "get_second_stage"]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Rows as the last layer sees them.

    Parameters
    ----------
    embeddings : ndarray of shape (n, m)
        What the body gives.
    codes : ndarray of int, shape (n,)
        Class positions.
    weights : ndarray of shape (n,) or None
        Sample weights, above 0.
    """

    embeddings: FloatArray
    codes: IntArray
    weights: FloatArray | None = None


class BaseSecondStage(ABC):
    """What every second stage answers; `fit_head` must be written.

    A body is trained on rows as they are, which makes the best features, and the last layer is
    then made anew or corrected so that every class counts the same.

    See Also
    --------
    imbkit.nets.get_second_stage : A second stage by name.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import BaseSecondStage
    >>> class WithoutIntercepts(BaseSecondStage):
    ...     def fit_head(self, weight, bias, train, valid=None):
    ...         return weight, np.zeros_like(bias), {}
    >>> WithoutIntercepts().fit_head(np.eye(2), np.ones(2), None)[1]
    array([0., 0.])
    """

    #: Looked for by the catalogue: a class with this mark is a method, and carries a card.
    _is_method: ClassVar[bool] = True
    #: Its names in ``get_second_stage``, the first being the usual one.
    names: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def fit_head(
        self, weight: FloatArray, bias: FloatArray, train: Embedded, valid: Embedded | None = None
    ) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
        """Return another last layer.

        Parameters
        ----------
        weight : ndarray of shape (n_classes, m)
            Weights of the trained layer.
        bias : ndarray of shape (n_classes,)
            Its intercepts.
        train : Embedded
            Training rows.
        valid : Embedded, default=None
            Rows held out, where there are any.

        Returns
        -------
        weight : ndarray of shape (n_classes, m)
            New weights.
        bias : ndarray of shape (n_classes,)
            New intercepts.
        found : dict
            What was found on the way.
        """

    def __repr__(self) -> str:
        names = inspect.signature(type(self)).parameters
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"


def balanced_recall(weight: FloatArray, bias: FloatArray, rows: Embedded) -> float:
    """Return the mean recall over the classes that there are."""
    found = (rows.embeddings @ weight.T + bias).argmax(axis=1)
    v = np.ones(len(rows.codes)) if rows.weights is None else rows.weights
    mass = np.bincount(rows.codes, v)
    right = np.bincount(rows.codes, v * (found == rows.codes))
    return float((right[mass > 0] / mass[mass > 0]).mean())


def get_second_stage(stage: Any, **params: Any) -> BaseSecondStage:
    """Return a second stage by name, of a class, or as it is.

    Parameters
    ----------
    stage : str, class or BaseSecondStage
        "crt", "lws", "tau", "tau_crt", "ncm" or "align", a class or an object.
    **params : object
        Parameters of a name or class.

    Returns
    -------
    BaseSecondStage
        The second stage.

    Raises
    ------
    InvalidParameterError
        If there is no such name or parameter; near ones are named.

    Examples
    --------
    >>> from imbkit.nets import get_second_stage
    >>> get_second_stage("tau", tau=0.5)
    TauNormalization(tau=0.5)
    """
    who = "get_second_stage"
    family = import_module("imbkit.nets")
    every = [getattr(family, name) for name in family.__all__]
    classes = [
        c for c in every if inspect.isclass(c) and issubclass(c, BaseSecondStage) and c.names
    ]
    known = {name: cls for cls in classes for name in cls.names}
    if isinstance(stage, str):
        name = stage.strip().lower().replace("-", "_")
        if name not in known:
            near = nearest_names(name, known)
            todo = f"Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
            rule = "there is no such second stage"
            raise InvalidParameterError(
                message(who, rule, stage, todo or f"Names are {listing(sorted(known), 20)}")
            )
        stage = known[name]
    if inspect.isclass(stage) and issubclass(stage, BaseSecondStage):
        own = list(inspect.signature(stage).parameters)
        wrong = [name for name in params if name not in own]
        if wrong:
            rule = f"parameters are {listing(own, 20)}" if own else "has no parameters"
            raise InvalidParameterError(message(stage.__name__, rule, wrong[0]))
        return stage(**params)
    if isinstance(stage, BaseSecondStage) and not params:
        return stage
    rule = "two_stage must be a name, or a second stage without further parameters"
    raise InvalidParameterError(message(who, rule, stage))
