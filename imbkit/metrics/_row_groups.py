"""A column that says which group each row belongs to."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["group_codes"]


def group_codes(who: str, groups: ArrayLike, n_rows: int) -> tuple[AnyArray, IntArray]:
    """Return the sorted groups, and for each row the number of its group."""
    column = np.asarray(groups)
    if column.dtype.kind == "U" and not hasattr(groups, "dtype"):
        # A list that mixes strings with numbers or None arrives as strings; look again.
        column = np.asarray(groups, dtype=object)
    if column.shape != (n_rows,):
        rule = f"groups must hold one value for each of the {n_rows:,} rows"
        raise DataError(message(who, rule, f"shape {column.shape}"))
    if column.dtype.kind == "f" and np.isnan(column).any():
        raise _missing(who)
    if column.dtype.kind in "mM" and np.isnat(column).any():
        raise _missing(who)
    if column.dtype == object and any(value is None or value != value for value in column):
        raise _missing(who)
    try:
        names, codes = np.unique(column, return_inverse=True)
    except TypeError as error:
        rule = "groups must hold values of one kind that can be sorted"
        raise DataError(message(who, rule, str(error))) from error
    return names, codes.astype(np.intp, copy=False)


def _missing(who: str) -> DataError:
    rule = "groups must not have missing values"
    return DataError(message(who, rule, todo="Give these rows a group of their own"))
