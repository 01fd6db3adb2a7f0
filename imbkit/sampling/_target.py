"""The target of a sampler: labels to work with, and the way back to what the user passed."""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from imbkit._core.columns import is_missing
from imbkit._core.containers import plain_array, take
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["Target", "coded"]


class Target:
    """The labels of a table's rows.

    Parameters
    ----------
    y : array-like of shape (n_rows,), or indicator matrix of shape (n_rows, n_classes)
        Labels, in any container; or one column for each class with at most one 1 a row.
    who : str
        The class that messages speak for.
    n_rows : int, default=None
        Rows of the table; None does not compare.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,)
        One label a row; positions of columns for an indicator matrix.
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted.
    codes : ndarray of int, shape (n_rows,)
        Position of each row's label in `classes`.
    counts : ndarray of int, shape (n_classes,)
        Rows of each class.

    Raises
    ------
    DataError
        If `y` is None, has another number of rows, holds continuous numbers, missing labels,
        one class, or several labels a row.
    """

    def __init__(self, y: Any, who: str, n_rows: int | None = None) -> None:
        if y is None:
            rule = "requires y to be passed, but the target y is None"
            raise DataError(message(who, rule, todo="Pass the labels of the rows"))
        self._native = y
        self._who = who
        self.labels = _labels(y, who)
        if n_rows is not None and self.labels.size != n_rows:
            rule = f"y must have one label for each of the {n_rows:,} rows"
            got = f"{self.labels.size:,} labels"
            raise DataError(message(who, rule, got, "Pass the labels of these rows"))
        self.classes, self.codes = coded(self.labels)
        self.counts = np.bincount(self.codes, minlength=self.classes.size)
        if self.classes.size < 2:
            rule = "the target 'y' needs to have more than 1 class"
            got = f"{self.classes.size} class instead: {listing(self.classes.tolist())}"
            todo = "In cross-validation, use a splitter that keeps every class on each side"
            raise DataError(message(who, rule, got, todo))

    def rows_of(self, label: object) -> IntArray:
        """Return the positions of a class's rows, in order."""
        return np.flatnonzero(self.labels == label)

    def take(self, indices: IntArray, *, renumber: bool) -> Any:
        """Return the target of the resampled rows, in the container that it came in."""
        y = self._native
        if isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == 1:
            y = y.ravel()
        if isinstance(y, tuple):
            y = list(y)
        return take(y, indices, renumber=renumber, who=self._who)


def coded(labels: AnyArray) -> tuple[AnyArray, IntArray]:
    """Return the distinct labels, sorted, and the position of every label among them.

    The same as ``numpy.unique`` with its inverse, which sorts all labels, and slowly so where
    they are objects.
    """
    if labels.dtype == object:
        values = labels.tolist()
        classes = np.array(sorted(set(values)), dtype=object)
        place = {label: code for code, label in enumerate(classes.tolist())}
        return classes, np.fromiter(map(place.__getitem__, values), np.intp, len(values))
    classes = np.unique(labels)
    return classes, np.searchsorted(classes, labels)


def _labels(y: Any, who: str) -> AnyArray:
    """Return one label a row."""
    try:
        array = y if hasattr(y, "tocsr") else plain_array(y)
    except ValueError:
        rule = "the target must have one label for each row"
        raise DataError(message(who, rule, "rows of different lengths")) from None
    if array.ndim == 1 and is_missing(array).any():
        rule = "every row must have a label; Input y contains NaN or None"
        got = f"{np.count_nonzero(is_missing(array)):,} rows without one"
        raise DataError(message(who, rule, got, "Drop the rows without a label"))
    if array.ndim == 1 and array.dtype == object:
        array = _of_one_kind(array, who)
    try:
        kind = type_of_target(array)
    except (TypeError, ValueError):
        raise _odd_kinds(array, who) from None  # bytes; complex numbers
    if kind == "multilabel-indicator":
        if np.any(np.asarray(array.sum(axis=1)) > 1):
            rule = (
                "the target must have one class a row: binary, multiclass, or an indicator "
                "matrix with at most one 1 a row. Multilabel and multioutput targets are not "
                "supported"
            )
            raise DataError(message(who, rule, "rows with several labels"))
        return np.asarray(array.argmax(axis=1)).ravel()
    if kind not in ("binary", "multiclass"):
        _refuse(array, kind, who)
    labels: AnyArray = column_or_1d(array)
    return labels


def _of_one_kind(labels: AnyArray, who: str) -> AnyArray:
    """Return labels that came as objects, as a categorical column's do; numbers as numbers."""
    types = set(map(type, labels.tolist()))
    if all(issubclass(each, str) for each in types):
        return labels
    if all(issubclass(each, (Real, np.bool_)) for each in types):
        return np.array(labels.tolist())
    raise _odd_kinds(labels, who)


def _odd_kinds(labels: AnyArray, who: str) -> DataError:
    odd = "Complex data not supported: " if np.iscomplexobj(labels) else ""
    kinds = sorted({type(label).__name__ for label in np.ravel(labels).tolist()})
    rule = f"{odd}labels must be text, whole numbers or truth values, all of one kind"
    got = f"labels of type {', '.join(kinds)}"
    return DataError(message(who, rule, got, "Turn them all into text or numbers"))


def _refuse(array: AnyArray, kind: str, who: str) -> None:
    rule = f"the target must hold classes. Unknown label type: {kind}"
    todo = "Cut continuous numbers into classes first" if "continuous" in kind else ""
    raise DataError(message(who, rule, f"shape {array.shape} of {array.dtype}", todo))
