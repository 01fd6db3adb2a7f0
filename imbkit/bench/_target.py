"""Read the target: which classes there are, and which of them is the positive one."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.columns import is_missing
from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = [
    "Stages",
    "Target",
    "check_labels",
    "check_number_of_classes",
    "label_text",
    "read_target",
]

MOST_CLASSES = 100
"""More distinct labels than this are taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The classes of a target whose classes have an order, from first to last.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Stage of each row, from 0.
    labels : tuple of str
        The stages in words, by code.
    values : tuple
        The target's own value of each stage, by code.
    """

    codes: IntArray
    labels: tuple[str, ...]
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """The classes of a table.

    Parameters
    ----------
    name : str
        Name of the target column.
    kind : {"binary", "multiclass"}
        Kind of task.
    codes : ndarray of shape (n_rows,)
        Class of each row, from 0; 1 is the positive class of a two-class task.
    labels : tuple of str
        The classes in words, by code.
    values : tuple of tuple
        The target's own values that make up each class, by code.
    stages : Stages or None, default=None
        The stages of an ordered target; its positive class is the last of them.
    """

    name: str
    kind: Literal["binary", "multiclass"]
    codes: IntArray
    labels: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    stages: Stages | None = None

    @property
    def strata(self) -> IntArray:
        """What every split holds in equal shares: the stages if there are any, else classes."""
        return self.codes if self.stages is None else self.stages.codes

    @property
    def strata_labels(self) -> tuple[str, ...]:
        """These in words."""
        return self.labels if self.stages is None else self.stages.labels

    @property
    def positive(self) -> str:
        """The positive class in words; empty for many classes."""
        return self.labels[1] if self.kind == "binary" else ""


def read_target(y: ArrayLike, positive: Sequence[object] | None, name: str) -> Target:
    """Return the classes of a target.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels: numbers, strings or booleans.
    positive : sequence or None
        The labels that are positive, as values or as text; every other label is negative.
        None takes the rarer of two labels (the greater one if both are equally rare), and
        compares many labels as they are.
    name : str
        For messages.

    Raises
    ------
    DataError
        If labels are missing, of several types, continuous, or only one class is left.
    InvalidParameterError
        If a positive label does not occur.
    """
    labels = check_labels(np.asarray(y), name)
    values, codes = np.unique(labels, return_inverse=True)
    codes = codes.reshape(-1).astype(np.intp)
    texts = [label_text(value) for value in values]
    if len(values) < 2:
        rule = "the target must have at least two classes"
        todo = "Choose another target, or add rows of the other class"
        raise DataError(message("compare", rule, f"only {texts[0]} in {name}", todo))
    if positive is None and len(values) > 2:
        check_number_of_classes(values, name)
        singles = tuple((value,) for value in values.tolist())
        return Target(name, "multiclass", codes, tuple(texts), singles)
    chosen = _rarer(codes) if positive is None else _find_positive(positive, values, texts)
    others = [k for k in range(len(values)) if k not in chosen]
    if not others:
        rule = "at least one label must be left for the negative class"
        todo = f"Leave out one of {listing(texts)}"
        raise InvalidParameterError(message("positive", rule, listing(texts), todo))
    negative = texts[others[0]] if len(others) == 1 else f"the other {len(others)} labels"
    joined = ", ".join(texts[k] for k in chosen)
    return Target(
        name,
        "binary",
        np.isin(codes, chosen).astype(np.intp),
        (negative if negative != joined else "the other label", joined),
        (tuple(values[others].tolist()), tuple(values[chosen].tolist())),
    )


def check_labels(labels: AnyArray, name: str) -> AnyArray:
    """Return labels that NumPy can sort, or complain."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not labels.size:
        rule = "the target must be one column with at least one row"
        raise DataError(message("compare", rule, f"shape {labels.shape} for {name}"))
    missing = is_missing(labels)
    if missing.any():
        rule = "the target must not have missing values"
        got = f"{int(missing.sum()):,} missing of {labels.size:,} in {name}"
        todo = "Drop those rows, or give them a class of their own"
        raise DataError(message("compare", rule, got, todo))
    if labels.dtype == object:
        kinds = {_family(value) for value in labels}
        if len(kinds) > 1:
            rule = "the target must hold labels of one type"
            got = f"{' and '.join(sorted(kinds))} in {name}"
            raise DataError(message("compare", rule, got, "Convert them to one type"))
        if kinds <= {"booleans", "numbers", "text"}:
            labels = np.array([str(v) if kinds == {"text"} else v for v in labels])
    elif labels.dtype.kind == "T":
        labels = np.array(labels.tolist())
    if labels.dtype.kind not in "biufU":
        rule = "the target must hold numbers, strings or booleans"
        raise DataError(message("compare", rule, f"{labels.dtype} in {name}"))
    return labels


def _family(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "booleans"
    if isinstance(value, (int, float, np.number)):
        return "numbers"
    return "text" if isinstance(value, str) else type(value).__name__


def check_number_of_classes(values: AnyArray, name: str) -> None:
    """Complain of labels that are measurements, or too many."""
    fractions = values.dtype.kind == "f" and (values != np.floor(values)).any()
    if not fractions and len(values) <= MOST_CLASSES:
        return
    rule = f"the target must name at most {MOST_CLASSES} classes"
    got = f"{len(values):,} distinct {'fractions' if fractions else 'labels'} in {name}"
    todo = "Is it a measurement? Cut it into classes first, or choose another target"
    raise DataError(message("compare", rule, got, todo))


def _rarer(codes: IntArray) -> list[int]:
    counts = np.bincount(codes)
    return [0] if counts[0] < counts[1] else [1]


def _find_positive(positive: Sequence[object], values: AnyArray, texts: list[str]) -> list[int]:
    """Return the numbers of the positive labels, in the order of `values`."""
    if hasattr(positive, "tolist"):
        positive = np.atleast_1d(np.asarray(positive)).tolist()
    if isinstance(positive, (str, bytes)) or not isinstance(positive, (Sequence, Set)):
        positive = [positive]
    found = set()
    for label in positive:
        # A command line knows labels as text only; from Python both forms are welcome.
        matches = [k for k, text in enumerate(texts) if text == label_text(label)]
        if not matches:
            near = nearest_names(label_text(label), texts)
            rule = "a positive label must occur in the target"
            todo = f"Did you mean {listing(near)}?" if near else f"Labels are {listing(texts)}"
            raise InvalidParameterError(message("positive", rule, shorten(label), todo))
        found.update(matches)
    if not found:
        rule = "positive must name at least one label"
        todo = f"Labels are {listing(texts)}"
        raise InvalidParameterError(message("positive", rule, "none", todo))
    return sorted(found)


def label_text(value: object) -> str:
    """Write a label as people do: whole numbers without a point."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
