"""From labels and predictions to confusion counts, binary or one entry a class."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message, shorten
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError
from imbkit.metrics._counts import Counts, check_weight

__all__ = ["binary_counts", "check_labels", "check_targets", "class_counts", "positive_label"]


def binary_counts(
    who: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> Counts:
    """Count hits and errors of a two-class prediction, as scalars."""
    truth, guess, present = check_targets(who, y_true, y_pred)
    positive = positive_label(who, present, pos_label)
    weight = check_weight(sample_weight, truth.size, who)
    cell = 2 * (truth == positive) + (guess == positive)
    tn, fp, fn, tp = np.bincount(cell, weights=weight, minlength=4).astype(float)
    return Counts(tp=tp, fp=fp, fn=fn, tn=tn)


def class_counts(
    who: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> tuple[AnyArray, Counts]:
    """Take each class in turn as the positive one: the classes, and one entry for each."""
    truth, guess, present = check_targets(who, y_true, y_pred)
    weight = check_weight(sample_weight, truth.size, who)
    wanted = present if labels is None else check_labels(who, labels, present)
    every = np.union1d(present, wanted)
    chosen = np.searchsorted(every, wanted)
    truth, guess = np.searchsorted(every, truth), np.searchsorted(every, guess)
    counts = _tally(truth, guess, None, every.size)
    if weight is not None:
        # Rounding may leave a speck where no row is; whether one is, whole numbers tell.
        used = weight > 0
        rows = _tally(truth[used], guess[used], None, every.size)
        counts = _tally(truth, guess, weight, every.size)
        tn = np.where(rows.tn > 0, np.maximum(counts.tn, 0.0), 0.0)
        counts = Counts(tp=counts.tp, fp=counts.fp, fn=counts.fn, tn=tn)
    return wanted, Counts(
        tp=counts.tp[chosen], fp=counts.fp[chosen], fn=counts.fn[chosen], tn=counts.tn[chosen]
    )


def _tally(truth: IntArray, guess: IntArray, weight: FloatArray | None, n_classes: int) -> Counts:
    """Count the rows of each class code, one class against the rest."""
    right = truth == guess
    wrong = ~right
    hits, errors = (None, None) if weight is None else (weight[right], weight[wrong])
    tp = np.bincount(truth[right], hits, n_classes).astype(float)
    fn = np.bincount(truth[wrong], errors, n_classes).astype(float)
    fp = np.bincount(guess[wrong], errors, n_classes).astype(float)
    return Counts(tp=tp, fp=fp, fn=fn, tn=(tp.sum() + fn.sum()) - tp - fn - fp)


def check_targets(
    who: str, y_true: ArrayLike, y_pred: ArrayLike
) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Return both columns of labels as arrays, and the sorted labels that occur in them."""
    truth, in_truth = _check_column(who, y_true, "y_true")
    guess, in_guess = _check_column(who, y_pred, "y_pred")
    if truth.size != guess.size:
        rule = "y_true and y_pred must have the same length"
        raise DataError(message(who, rule, f"{truth.size:,} and {guess.size:,} rows"))
    if _is_text(truth) != _is_text(guess):
        rule = "y_true and y_pred must both hold strings or both hold numbers"
        raise DataError(message(who, rule, _both(in_truth, in_guess)))
    return truth, guess, np.union1d(in_truth, in_guess)


def positive_label(who: str, present: AnyArray, pos_label: object) -> Any:
    """Return the label of the positive class; None takes 1 where that is not ambiguous."""
    if present.size > 2:
        rule = "the target must have two classes here"
        got = f"{present.size:,} classes: {listing(present.tolist())}"
        todo = "Choose average='macro' where the metric has it, or take one class against the rest"
        raise DataError(message(who, rule, got, todo))
    todo = "Pass pos_label=, the label of the rare class"
    if pos_label is None:
        if not (set(present.tolist()) <= {0, 1} or set(present.tolist()) <= {-1, 1}):
            rule = "pos_label may be left out only where the labels are 0 and 1, or -1 and 1"
            raise DataError(message(who, rule, f"labels {listing(present.tolist())}", todo))
        return 1
    # One class alone may well be the negative one, as long as it is of the same kind.
    alone = present.size < 2 and _is_text(present) == isinstance(pos_label, str)
    if not alone and pos_label not in present.tolist():
        rule = "pos_label must be one of the labels"
        got = f"pos_label={shorten(pos_label)} and the labels {listing(present.tolist())}"
        raise DataError(message(who, rule, got, todo))
    return pos_label


def check_labels(who: str, labels: ArrayLike, present: AnyArray) -> AnyArray:
    """Return the classes asked for, in the order asked for; some must be in the data."""
    wanted, distinct = _check_column(who, labels, "labels")
    if distinct.size < wanted.size:
        raise DataError(message(who, "labels must be distinct", wanted.tolist()))
    if _is_text(wanted) != _is_text(present) or not np.isin(distinct, present).any():
        rule = "at least one of labels must occur in y_true or y_pred"
        raise DataError(message(who, rule, f"labels {_both(wanted, present)} in the data"))
    return wanted


def _check_column(who: str, values: ArrayLike, name: str) -> tuple[AnyArray, AnyArray]:
    """Return a column of labels as an array, and its sorted distinct values."""
    column = np.asarray(values)
    if column.dtype.kind == "U" and not hasattr(values, "dtype"):
        # A list that mixes strings with numbers or NaN arrives as strings; look again.
        column = np.asarray(values, dtype=object)
    if column.ndim != 1 or not column.size:
        rule = f"{name} must be one-dimensional and not empty"
        raise DataError(message(who, rule, f"shape {column.shape}"))
    if column.dtype != object:
        distinct = np.unique(column)
    else:
        # Hashing beats sorting for boxed values, and shows each kind of value once.
        boxed = list(set(column.tolist()))
        _refuse_missing(who, name, any(_is_missing(value) for value in boxed))
        if all(isinstance(value, str) for value in boxed):
            return column, np.array(sorted(boxed), dtype=object)
        if any(isinstance(value, str) for value in boxed):
            rule = f"{name} must hold strings or numbers, not both"
            raise DataError(message(who, rule, listing(sorted(boxed, key=str))))
        column = np.array(column.tolist())
        distinct = np.unique(column)
    if distinct.dtype.kind == "f":
        _refuse_missing(who, name, bool(np.isnan(distinct).any()))
        if not (np.isfinite(distinct) & (distinct == np.rint(distinct))).all():
            todo = "Turn scores into predictions with a threshold first"
            rule = f"{name} must hold class labels, not scores"
            raise DataError(message(who, rule, listing(distinct.tolist()), todo))
    elif distinct.dtype.kind not in "biuUT":
        rule = f"{name} must hold strings, booleans or whole numbers"
        raise DataError(message(who, rule, f"dtype {distinct.dtype}"))
    return column, distinct


def _refuse_missing(who: str, name: str, missing: bool) -> None:
    if missing:
        rule = f"{name} must not have missing values"
        raise DataError(message(who, rule, todo="Drop the rows without a label"))


def _is_missing(value: Any) -> bool:
    """Whether a boxed value is None, NaN or pandas' NA (which has no truth value)."""
    try:
        return value is None or not bool(value == value)
    except TypeError:
        return True


def _is_text(column: AnyArray) -> bool:
    return column.dtype.kind in "OUT"


def _both(first: AnyArray, second: AnyArray) -> str:
    return f"{listing(first.tolist(), 3)} and {listing(second.tolist(), 3)}"
