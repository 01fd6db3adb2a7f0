"""Which class comes first, where classes are ordered: given, told by a categorical, or numbers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray
from imbkit.exceptions import DataError
from imbkit.metrics._confusion import check_targets

__all__ = ["categories_of", "classes_in_columns"]


def classes_in_columns(
    who: str, y_true: ArrayLike, labels: ArrayLike | None, *, ordered: bool
) -> AnyArray | None:
    """Return the classes of a matrix's columns; None for the sorted classes that occur.

    Strings sort by their letters, which is no order of stages: theirs must be said where it
    counts. It must be said as well where models differ in it: those of ordered classes keep
    the order of a categorical, all others sort.
    """
    if labels is not None:
        return np.asarray(labels)
    categories = categories_of(y_true)
    todo = "Pass labels=, the classes in the order of the columns (the model's classes_)"
    if categories is not None:
        listed: list[Any] = categories.tolist()
        if listed == sorted(listed):
            return categories
        rule = "labels must be given where the order of y_true's categories is not the sorted one"
        raise DataError(message(who, rule, listing(listed), todo))
    _, _, present = check_targets(who, y_true, y_true)
    if ordered and present.dtype.kind in "OUT":
        rule = "the order of classes that are strings must be known"
        raise DataError(message(who, rule, listing(present.tolist()), todo))
    return None


def categories_of(y_true: Any) -> AnyArray | None:
    """Return the categories of an ordered Categorical or Enum from first to last, or None."""
    dtype: Any = getattr(y_true, "dtype", None)
    # The libraries' dtypes are told by what they have, as neither may be imported here.
    enum = type(dtype).__name__ == "Enum" and type(dtype).__module__.startswith("polars")
    if enum or getattr(dtype, "ordered", None) is True:
        return np.asarray(dtype.categories)
    return None
