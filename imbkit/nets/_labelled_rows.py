"""Rows and labels as a classifier is given them, checked and encoded."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from imbkit._core.containers import take
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["LabelledRows", "checked_labels"]


@dataclass(frozen=True, eq=False, slots=True)
class LabelledRows:
    """Rows of positive weight.

    Parameters
    ----------
    X : frame or ndarray of shape (n, p)
        Rows.
    codes : ndarray of int64, shape (n,)
        Class positions.
    beside : mapping of str to ndarray of shape (n,)
        "sample_weight" and "group", where they were given.
    """

    X: Any
    codes: IntArray
    beside: dict[str, AnyArray]

    @classmethod
    def of(
        cls,
        X: Any,
        labels: AnyArray,
        classes: AnyArray,
        weights: FloatArray | None,
        groups: Any,
        who: str,
    ) -> Self:
        """Return encoded rows, or complain about a label that is no class."""
        codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
        strange = labels[classes[codes] != labels]
        if len(strange):
            rule = f"classes must have every label of y: {listing(classes.tolist())}"
            todo = "Name all classes at the first call of partial_fit, or call fit anew"
            raise DataError(message(who, rule, listing(np.unique(strange).tolist()), todo))
        beside: dict[str, AnyArray] = {}
        if groups is not None:
            column = column_or_1d(groups)
            if len(column) != len(labels):
                rule = f"groups must have a value for each of the {len(labels):,} rows"
                raise DataError(message(who, rule, f"{len(column):,} values"))
            beside["group"] = np.unique(column, return_inverse=True)[1].astype(np.int64)
        if weights is not None:
            beside["sample_weight"] = weights.astype(np.float32)
        rows = cls(X, codes.astype(np.int64), beside)
        return rows if weights is None or weights.all() else rows.part(np.flatnonzero(weights))

    def part(self, at: IntArray) -> Self:
        """Return some of the rows."""
        beside = {name: value[at] for name, value in self.beside.items()}
        return type(self)(take(self.X, at), self.codes[at], beside)

    def check_classes(self, classes: AnyArray, *, every: bool, who: str) -> None:
        """Complain if there is one class only, or one without a row where all must have one."""
        present = np.unique(self.codes)
        if len(classes) > 1 and (not every or len(present) == len(classes)):
            return
        got = f"{len(present)} of {len(classes)} classes, {listing(classes[present].tolist())}"
        if len(classes) < 2:
            got = f"one class only, {listing(classes.tolist())}"
        rule = "there must be rows of two classes or more, each with a positive weight"
        raise DataError(message(who, rule, got))


def _is_missing(label: Any) -> bool:
    """Whether a label is None, NaN, or what pandas has in their place."""
    same = label == label
    return label is None or not isinstance(same, bool | np.bool_) or not same


def checked_labels(y: Any, n_rows: int, who: str) -> AnyArray:
    """Return labels as a column, or complain.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels.
    n_rows : int
        Rows of the table.
    who : str
        The class that messages speak for.
    """
    if y is None:
        raise DataError(message(who, "requires y to be passed, but the target y is None"))
    labels: AnyArray = column_or_1d(y, warn=True)
    # Only these kinds can hold something missing; sorting such labels would fail.
    missing = labels.dtype.kind in "fO" and sum(map(_is_missing, labels.tolist()))
    if missing:
        rule = "Input y contains NaN: every row must have a label"
        raise DataError(message(who, rule, f"{missing:,} rows without", "Leave them out"))
    check_classification_targets(labels)
    if len(labels) != n_rows:
        rule = "X and y must have the same number of rows (inconsistent numbers of samples)"
        raise DataError(message(who, rule, f"{n_rows:,} and {len(labels):,}"))
    return labels
