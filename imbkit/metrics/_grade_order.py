"""Which class comes first, where classes are ordered: given, told by a categorical, or numbers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray
from imbkit.exceptions import DataError
from imbkit.metrics._confusion import check_targets

__all__ = ["categories_of", "grades_of_columns"]


def grades_of_columns(who: str, y_true: ArrayLike, labels: ArrayLike | None) -> AnyArray | None:
    """Return the classes of a matrix's columns from first to last; None for sorted numbers.

    Strings sort by their letters, which is no order of stages: theirs must be known.
    """
    grades = categories_of(y_true) if labels is None else labels
    if grades is not None:
        return np.asarray(grades)
    _, _, present = check_targets(who, y_true, y_true)
    if present.dtype.kind in "OUT":
        rule = "the order of classes that are strings must be known"
        todo = "Pass labels=, the classes from first to last, or an ordered categorical y_true"
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
