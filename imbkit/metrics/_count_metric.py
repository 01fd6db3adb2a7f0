"""A formula over confusion counts that is metric, scorer, curve and objective at once."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial, update_wrapper
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message, nearest_names
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._confusion import binary_counts, class_counts
from imbkit.metrics._counts import Counts

__all__ = ["CountMetric", "count_metric"]

Formula: TypeAlias = Callable[..., Any]
Over: TypeAlias = Literal["counts", "classes"]

AVERAGES = ("auto", "binary", "multiclass", "macro", "micro", "weighted", None)


class CountMetric:
    """A metric made of one formula over :class:`Counts`; use :func:`count_metric` to make one.

    Called with labels and predictions it is a metric like scikit-learn's. :meth:`of` applies
    the formula to counts, so that with :func:`sweep` it is a curve over all cut-offs and the
    objective of a threshold. Keyword parameters of the formula are keyword parameters of
    both.

    Parameters
    ----------
    formula : callable
        Takes :class:`Counts` and keyword parameters that have defaults; works elementwise
        over the fields. Its docstring becomes the metric's, the parameters of the call added.
    name : str, default=None
        Short name; by default the formula's own without a final ``_score``.
    bounds : tuple of two floats, default=(0, 1)
        Smallest and largest possible value.
    greater_is_better : bool, default=True
        Direction.
    paper : str, default=""
        Author (year) of the source.
    over : {"counts", "classes"}, default="counts"
        With "classes" the counts that reach the formula have one entry a class along their
        first axis, two for a binary target, and the formula reduces that axis.

    Attributes
    ----------
    parameters : mapping
        Keyword parameters of the formula and their defaults.
    name, bounds, greater_is_better, paper, over
        As given.

    See Also
    --------
    count_metric : The decorator.
    get_metric : Find a metric by its name.

    Examples
    --------
    >>> from imbkit.metrics import Counts, f1_score, sweep
    >>> f1_score([0, 0, 1, 1], [0, 1, 1, 1])
    0.8
    >>> float(f1_score.of(Counts(tp=2.0, fp=1.0, fn=0.0, tn=1.0)))
    0.8
    >>> cuts, counts = sweep([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> f1_score.of(counts).round(2).tolist()
    [0.0, 0.67, 0.5, 0.8, 0.67]
    """

    __name__: str
    __qualname__: str
    __wrapped__: Formula

    def __init__(
        self,
        formula: Formula,
        *,
        name: str | None = None,
        bounds: tuple[float, float] = (0.0, 1.0),
        greater_is_better: bool = True,
        paper: str = "",
        over: Over = "counts",
    ) -> None:
        update_wrapper(self, formula)
        self.name = name or self.__name__.removesuffix("_score")
        self.bounds = (float(bounds[0]), float(bounds[1]))
        self.greater_is_better = greater_is_better
        self.paper = paper
        self.over = over
        own = list(inspect.signature(formula).parameters.values())[1:]
        self.parameters: Mapping[str, Any] = MappingProxyType({p.name: p.default for p in own})
        call = inspect.signature(type(self).__call__)
        shared = [p for p in call.parameters.values() if p.name not in ("self", "parameters")]
        self.__signature__ = call.replace(parameters=[*shared, *own])
        self.__doc__ = _call_docstring(formula.__doc__, "zero_division" in self.parameters)

    @overload
    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        pos_label: object = 1,
        average: None,
        sample_weight: ArrayLike | None = None,
        **parameters: Any,
    ) -> FloatArray: ...

    @overload
    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        pos_label: object = 1,
        average: str = "auto",
        sample_weight: ArrayLike | None = None,
        **parameters: Any,
    ) -> float: ...

    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        pos_label: object = 1,
        average: str | None = "auto",
        sample_weight: ArrayLike | None = None,
        **parameters: Any,
    ) -> float | FloatArray:
        """Return the metric of predictions; the metric's own docstring has the parameters."""
        self._check_parameters(parameters)
        average = self._check_average(average, labels)
        if average == "binary":
            counts = binary_counts(self.__name__, y_true, y_pred, pos_label, sample_weight)
            return float(self.of(counts, **parameters))
        _, counts = class_counts(self.__name__, y_true, y_pred, labels, sample_weight)
        if average == "multiclass":
            return float(self.of_classes(counts, **parameters))
        if average == "micro":
            return float(self.of(_summed(counts), **parameters))
        return _averaged(self.of(counts, **parameters), average, counts)

    def of(self, counts: Counts, **parameters: Any) -> FloatArray:
        """Return the metric of counts, elementwise over their fields.

        Parameters
        ----------
        counts : Counts
            Scalars, or arrays of any one shape, e.g. one entry a cut-off.
        **parameters
            Keyword parameters of the formula, e.g. ``beta`` or ``zero_division``.

        Returns
        -------
        ndarray
            Of the shape of the fields.
        """
        if self.over == "classes":
            return self.of_classes(_two_classes(counts), **parameters)
        self._check_parameters(parameters)
        return np.asarray(self.__wrapped__(counts, **parameters), dtype=float)

    def of_classes(self, counts: Counts, **parameters: Any) -> FloatArray:
        """Return the metric of all classes at once.

        Parameters
        ----------
        counts : Counts
            One entry a class along the first axis, each class against the rest.
        **parameters
            Keyword parameters of the formula.

        Returns
        -------
        ndarray
            Of the shape of the fields without their first axis.
        """
        self._check_parameters(parameters)
        if self.over != "classes":
            rule = "only a metric with over='classes' is defined for all classes at once"
            todo = "Apply `of` and average over the classes"
            raise InvalidParameterError(message(self.__name__, rule, f"over={self.over!r}", todo))
        return np.asarray(self.__wrapped__(counts, **parameters), dtype=float)

    def __repr__(self) -> str:
        return self.__name__

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self.__module__ != "__main__" and "<locals>" not in self.__qualname__:
            return self.__qualname__
        # No other process can look this name up; joblib's pickler sends the formula itself.
        make = count_metric(
            name=self.name,
            bounds=self.bounds,
            greater_is_better=self.greater_is_better,
            paper=self.paper,
            over=self.over,
        )
        return make, (self.__wrapped__,)

    def _check_parameters(self, parameters: Mapping[str, Any]) -> None:
        unknown = [name for name in parameters if name not in self.parameters]
        if unknown:
            near = nearest_names(unknown[0], self.parameters)
            todo = f"Did you mean {listing(near)}?" if near else ""
            rule = f"parameters of the formula must be among {listing(self.parameters)}"
            raise InvalidParameterError(message(self.__name__, rule, unknown[0], todo))
        value = parameters.get("zero_division", 0.0)
        if not isinstance(value, (int, float)) or not (np.isnan(value) or 0 <= value <= 1):
            rule = "zero_division must be a number between 0 and 1, or NaN"
            raise InvalidParameterError(message(self.__name__, rule, value))

    def _check_average(self, average: str | None, labels: ArrayLike | None) -> str | None:
        """Resolve "auto", and refuse what this metric cannot do."""
        allowed = [a for a in AVERAGES if a != "multiclass" or self.over == "classes"]
        if average not in allowed:
            rule = f"average must be one of {listing(allowed, len(allowed))}"
            raise InvalidParameterError(message(self.__name__, rule, average))
        if average == "auto":
            average = "multiclass" if self.over == "classes" else "binary"
        if average in ("binary", "multiclass") and labels is not None:
            rule = "labels needs an average over classes: None, 'macro', 'micro' or 'weighted'"
            raise InvalidParameterError(message(self.__name__, rule, f"average={average!r}"))
        return average


def count_metric(
    *,
    name: str | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    greater_is_better: bool = True,
    paper: str = "",
    over: Over = "counts",
) -> Callable[[Formula], CountMetric]:
    """Turn a formula over :class:`Counts` into a :class:`CountMetric`.

    Parameters
    ----------
    name : str, default=None
        Short name; by default the formula's own without a final ``_score``.
    bounds : tuple of two floats, default=(0, 1)
        Smallest and largest possible value.
    greater_is_better : bool, default=True
        Direction.
    paper : str, default=""
        Author (year) of the source.
    over : {"counts", "classes"}, default="counts"
        With "classes" the formula receives one entry a class along the first axis of the
        fields and reduces that axis; such a metric is defined for many classes at once.

    Returns
    -------
    callable
        A decorator that makes the metric.

    See Also
    --------
    CountMetric : What the decorator makes.

    Examples
    --------
    >>> from imbkit.metrics import count_metric
    >>> @count_metric(bounds=(0, 1), greater_is_better=False)
    ... def miss_rate(counts):
    ...     return 1 - counts.tpr
    >>> miss_rate([0, 1, 1, 1, 1], [0, 1, 1, 1, 0])
    0.25
    """
    return partial(
        CountMetric,
        name=name,
        bounds=bounds,
        greater_is_better=greater_is_better,
        paper=paper,
        over=over,
    )


def _averaged(values: FloatArray, average: str | None, counts: Counts) -> float | FloatArray:
    """Average one value a class, leaving out NaN, which `zero_division` may ask for."""
    if average is None:
        return values
    defined = ~np.isnan(values)
    if not defined.any():
        return np.nan
    support = counts.positives[defined]
    weights = support if average == "weighted" and support.any() else None
    return float(np.average(values[defined], weights=weights))


def _summed(counts: Counts) -> Counts:
    """Add up the counts of all classes."""
    return Counts(tp=counts.tp.sum(), fp=counts.fp.sum(), fn=counts.fn.sum(), tn=counts.tn.sum())


def _two_classes(counts: Counts) -> Counts:
    """Put the positive class and the negative one along a new first axis."""
    return Counts(
        tp=np.stack([counts.tp, counts.tn]),
        fp=np.stack([counts.fp, counts.fn]),
        fn=np.stack([counts.fn, counts.fp]),
        tn=np.stack([counts.tn, counts.tp]),
    )


def _call_docstring(formula_doc: str | None, divides: bool) -> str:
    """Put the parameters of the call into the docstring of a formula."""
    head, *sections = re.split(
        r"\n(?=[A-Z][A-Za-z ]+\n-{3,}\n)", inspect.cleandoc(formula_doc or "")
    )
    parameters = [_PARAMETERS, _ZERO_DIVISION if divides else ""]
    if sections and sections[0].startswith("Parameters\n"):
        parameters.insert(1, sections.pop(0).split("\n", 2)[2].rstrip() + "\n")
    parts = [head, "".join(parameters), _RETURNS, *sections]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


_PARAMETERS = """\
Parameters
----------
y_true : array-like of shape (n_rows,)
    True labels: strings, booleans or whole numbers.
y_pred : array-like of shape (n_rows,)
    Predicted labels.
labels : array-like, default=None
    Classes to report or to average over, and their order; all that occur if None. A class
    without a row counts with `zero_division`. Not for averages "binary" and "multiclass".
pos_label : str, bool or int, default=1
    The positive class of a binary target. None takes 1 where the labels are 0 and 1, or -1
    and 1.
average : {"auto", "binary", "multiclass", "macro", "micro", "weighted"} or None, \
default="auto"
    "binary": the positive class, of a two-class target. "macro": mean over classes, each
    against the rest. "weighted": that mean weighted by the rows of each class. "micro": the
    counts of all classes added up first. None: one value a class. "multiclass": the formula
    over all classes at once, where it has one. "auto": "multiclass" where the metric has it,
    otherwise "binary", which refuses a target of more than two classes.
sample_weight : array-like of shape (n_rows,), default=None
    Non-negative weight of each row.
"""

_ZERO_DIVISION = """\
zero_division : float, default=0.0
    Value of a ratio without a row in its denominator; NaN leaves it out of averages.
"""

_RETURNS = """
Returns
-------
float or ndarray of shape (n_classes,)
    The metric; an array for ``average=None``.

Raises
------
DataError
    If the labels, their lengths, `pos_label`, `labels` or the weights cannot be used.
InvalidParameterError
    If `average` or a parameter is not one of this metric's.
"""
