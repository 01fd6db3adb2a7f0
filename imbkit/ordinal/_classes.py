"""The labels given to ``fit``: which classes there are, in which order, and what they weigh."""

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from imbkit._core.columns import is_infinite, is_missing
from imbkit._core.containers import plain_array
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, InvalidParameterError, OrderWarning
from imbkit.metrics._counts import check_weight

__all__ = ["check_categories", "class_factors", "ordered_target", "row_weights"]

_LIGHTEST = 1e-14  # of all weight: beyond it a boundary's score is a matter of rounding
_LARGE = 1e100  # of a factor: its products with weights are floats
_ORDER = "from the first stage to the last, the rare one last"


def check_categories(categories: Any, who: str) -> list[Any] | None:
    """Return an explicit order of classes as a list, or complain; None stays None."""
    if categories is None:
        return None
    try:
        listed = plain_array(categories)
    except ValueError:  # parts of different lengths
        listed = np.array(None)
    if listed.ndim != 1 or len(listed) == 0 or is_missing(listed).any():
        rule = f"categories must list the classes {_ORDER}"
        raise InvalidParameterError(message(who, rule, categories))
    order: list[Any] = listed.tolist()
    twice = [label for at, label in enumerate(order) if label in order[:at]]
    if twice:
        rule = "categories must name every class once"
        got = f"{listing(dict.fromkeys(twice))} more than once"
        raise InvalidParameterError(message(who, rule, got, "Leave the repetitions out"))
    return order


def ordered_target(
    y: Any, categories: Any, who: str, sample_weight: FloatArray | None = None
) -> tuple[AnyArray, IntArray]:
    """Return the classes in their order and the position of each row's class, or complain.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels. The order is that of an ordered Categorical of pandas or an Enum of polars;
        else that of `categories`; else labels are sorted, with an OrderWarning for text.
    categories : array-like of shape (n_classes,) or None
        All labels from first to last; it may not contradict the order that `y` has.
    who : str
        The class that messages speak for.
    sample_weight : ndarray of shape (n_rows,), default=None
        Checked weights; rows of weight 0 do not count.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The labels in their order.
    codes : ndarray of int, shape (n_rows,)
        Position of each row's label in `classes`.
    """
    order = check_categories(categories, who)
    own = _own_order(y)
    if own is not None:
        order = _agreed(own, order, who)
    labels = _labels(y, who)
    found, codes = _distinct(labels)
    if order is None:
        order = found.tolist()
        if isinstance(order[0], str) and len(order) > 1:
            _warn_sorted(order, who)
    else:
        codes = _places(found.tolist(), order, who)[codes]
    _check_every_class(codes, order, sample_weight, who, of_y=own is not None)
    places = {label: at for at, label in enumerate(found.tolist())}
    # Taken from the labels found, so that predictions are of the kind that `y` is.
    return found[[places[label] for label in order]], codes


def row_weights(sample_weight: Any, n_rows: int, who: str) -> FloatArray | None:
    """Return checked weights of the rows, whose sum is a float, or None if none were given."""
    try:
        weight = check_weight(sample_weight, n_rows, who)
    except (TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        rule = "sample_weight must hold a number for each row"
        raise DataError(message(who, rule, str(error))) from None
    if weight is None or weight.max() <= np.finfo(np.float64).max / n_rows:
        return weight
    return np.asarray(weight / weight.max())


def class_factors(
    class_weight: Mapping[Any, float] | str | None, classes: AnyArray, mass: AnyArray, who: str
) -> FloatArray:
    """Return what the weights of each class's rows are multiplied by.

    Parameters
    ----------
    class_weight : mapping, "balanced" or None
        Factor by label, 1 for labels without; or factors that give every class the same weight.
    classes : ndarray of shape (n_classes,)
        The labels.
    mass : ndarray of shape (n_classes,)
        Sum of each class's sample weights, positive.
    who : str
        The class that messages speak for.

    Returns
    -------
    ndarray of shape (n_classes,)
        Positive factors.
    """
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str):
        return np.asarray(mass.mean() / mass)
    known: list[Any] = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        rule = f"class_weight must name classes of the target only: {listing(known)}"
        raise DataError(message(who, rule, listing(unknown), "Leave these out"))
    for label, factor in class_weight.items():
        if not (isinstance(factor, Real) and 0 < factor < np.inf):
            rule = "class_weight must be a finite number above 0 for every class"
            got = f"{factor!r} for class {listing([label])}"
            todo = "To do without a class, leave its rows out of X and y"
            raise InvalidParameterError(message(who, rule, got, todo))
    factors = np.array([float(class_weight.get(label, 1.0)) for label in known])
    if not 1 / _LARGE < factors.max() < _LARGE:
        factors = factors / factors.max()  # no product overflows
    share = factors / factors.max() * (mass / mass.max())
    light = [label for label, each in zip(known, share, strict=True) if each <= _LIGHTEST]
    if light:
        rule = f"class_weight must leave every class more than {_LIGHTEST:g} of all weight"
        got = f"less for class {listing(light)}"
        raise InvalidParameterError(message(who, rule, got, "Take factors that differ by less"))
    return factors


def _own_order(y: Any) -> list[Any] | None:
    """Return the categories of an ordered column, or None."""
    columns = getattr(y, "columns", None)
    if columns is not None and len(columns) == 1:
        y = y[columns[0]]
    # The libraries' dtypes are told by what they have, as neither may be imported here.
    dtype = getattr(y, "dtype", None)
    categories = getattr(dtype, "categories", None)
    if categories is None or not (getattr(dtype, "ordered", None) or _is_enum(dtype)):
        return None
    return list(np.asarray(categories).tolist())


def _is_enum(dtype: Any) -> bool:
    """Whether a dtype is polars' Enum, whose order is that of its categories."""
    return type(dtype).__name__ == "Enum" and type(dtype).__module__.startswith("polars")


def _agreed(own: list[Any], order: list[Any] | None, who: str) -> list[Any]:
    """Return the order that a column has; or the given one, if it leaves out classes only."""
    if order is None:
        return own
    if [label for label in own if label in order] != [label for label in order if label in own]:
        rule = "categories must have the order of the categories of y"
        got = f"{listing(order)} for y with {listing(own)}"
        raise DataError(message(who, rule, got, "Leave categories out, or reorder those of y"))
    return order


def _labels(y: Any, who: str) -> AnyArray:
    """Return one label a row, without missing ones."""
    if y is None:
        rule = "requires y to be passed, but the target y is None"
        raise DataError(message(who, rule, todo="Call fit with the labels as y"))
    labels: AnyArray = column_or_1d(plain_array(y), warn=True)
    odd = is_missing(labels) | is_infinite(labels)
    if odd.any():
        rule = "the labels must not be missing, NaN or infinite"
        got = f"{odd.sum():,} such labels in {labels.size:,}"
        raise DataError(message(who, rule, got, "Leave these rows out, or fill the labels in"))
    if labels.dtype == object:
        labels = _of_one_kind(labels, who)
    if labels.dtype.kind == "S":
        rule = "Unknown label type: labels must be text, numbers or truth values"
        raise DataError(message(who, rule, "bytes", "Decode them, as by y.astype(str)"))
    with np.errstate(invalid="ignore"):  # of numbers beyond all integers
        kind = type_of_target(labels, input_name="y")
    if kind not in ("binary", "multiclass"):
        rule = "Unknown label type: labels must be classes"
        todo = "Cut continuous numbers into classes first"
        raise DataError(message(who, rule, f"a {kind} target of dtype {labels.dtype}", todo))
    return labels


def _of_one_kind(labels: AnyArray, who: str) -> AnyArray:
    """Return labels that came as objects, as those of a categorical column do."""
    types = set(map(type, labels.tolist()))
    if all(issubclass(each, str) for each in types):
        return labels
    if all(issubclass(each, (Real, np.bool_)) for each in types):
        return np.array(labels.tolist())
    names = ", ".join(sorted(each.__name__ for each in types))
    rule = "Unknown label type: labels must be text, whole numbers or truth values of one kind"
    todo = "Turn them all into text or numbers"
    if names == "Interval":
        todo = "Take their positions: pandas.cut(..., labels=False), or y.cat.codes"
    raise DataError(message(who, rule, f"labels of type {names}", todo))


def _distinct(labels: AnyArray) -> tuple[AnyArray, IntArray]:
    """Return the distinct labels, sorted, and each label's position among them."""
    if labels.dtype != object:
        found, codes = np.unique(labels, return_inverse=True)
        return found, codes
    # numpy.unique sorts all rows, which takes long where they are objects.
    values = labels.tolist()
    found = np.array(sorted(set(values)), dtype=object)
    places = {label: code for code, label in enumerate(found.tolist())}
    return found, np.fromiter(map(places.__getitem__, values), np.intp, len(values))


def _places(found: list[Any], order: list[Any], who: str) -> IntArray:
    """Return where in the order the labels stand that were found."""
    unknown = [label for label in found if label not in order]
    if unknown:
        rule = "categories must have every label of y"
        got = f"{listing(unknown)} in y beside categories {listing(order)}"
        todo = f"Put these in their places, {_ORDER}"
        if found == list(range(len(order))):
            todo += (
                "; or, if something like cross_val_predict has numbered text labels by the "
                "alphabet, give it numbers in the order of the stages"
            )
        raise DataError(message(who, rule, got, todo))
    return np.array([order.index(label) for label in found], dtype=np.intp)


def _check_every_class(
    codes: IntArray, order: list[Any], weight: FloatArray | None, who: str, *, of_y: bool
) -> None:
    """Refuse empty classes, whose boundaries would have infinite intercepts, and one class."""
    rows = np.bincount(codes, minlength=len(order))
    mass = np.bincount(codes, weights=weight, minlength=len(order))
    absent = [label for label, n in zip(order, rows, strict=True) if not n]
    least = _LIGHTEST * mass.sum()
    light = [label for label, n, m in zip(order, rows, mass, strict=True) if n and m <= least]
    if absent or light:
        empty = [f"no row of class {listing(absent)}"] if absent else []
        what = "next to no weight" if mass[[order.index(each) for each in light]].any() else ""
        empty += [f"{what or 'weight 0 only'} for class {listing(light)}"] if light else []
        todo = _to_do_without(absent, light, of_y)
        rule = "every class must have a row of positive weight"
        raise DataError(message(who, rule, " and ".join(empty), todo))
    if len(order) < 2:
        rule = "the target must have rows of two classes or more"
        got = f"one class only, {listing(order)}"
        raise DataError(message(who, rule, got, "Take a sample with rows of every class"))


def _to_do_without(absent: Iterable[Any], light: Iterable[Any], of_y: bool) -> str:
    """Say how to leave a class out."""
    if light and not absent:
        return "Leave its rows out of X and y"
    if of_y:
        return "Remove the unused categories of y, or take a sample with rows of them"
    return "Leave it out of categories, or take a sample with rows of it"


def _warn_sorted(order: list[Any], who: str) -> None:
    """Say that the order of text is a guess."""
    rule = "labels that are text should come with their order"
    got = f"none, so that they were sorted: {listing(order)}, with {order[-1]!r} as the last stage"
    todo = f"Pass categories=[...], {_ORDER}, or an ordered Categorical as y"
    warn(message(who, rule, got, todo), OrderWarning)
