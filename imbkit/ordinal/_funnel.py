"""Stages of a funnel, one column each, as one ordered target whose last class is the rarest."""

from collections.abc import Iterable, Sequence, Set
from numbers import Real
from typing import Any, Literal

import numpy as np

from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import listing, message, require, shorten
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["category_names", "funnel_target", "numbers_of", "ordered_categories"]

_WAYS = ("raise", "deepest", "prefix")
_MOST_ROWS = 5


def funnel_target(
    stages: Any,
    *,
    names: Sequence[str] | None = None,
    base: str = "none",
    on_violation: Literal["raise", "deepest", "prefix"] = "raise",
) -> Any:
    """Return how far each row came in a funnel, as an ordered categorical target.

    Choose it to turn columns such as click, cart and purchase into the one target of
    :class:`PRESTOClassifier` and its kin. Where the table holds numbers of people instead of
    one row a person, take :func:`funnel_from_counts`.

    Parameters
    ----------
    stages : {array-like, frame, sparse matrix} of shape (n_rows, n_stages)
        Whether each row reached each stage: booleans, or 0 and 1. The columns go from the
        first stage to the last.
    names : sequence of n_stages str, default=None
        Names of the stages. None takes the names of a frame's columns, and otherwise
        "stage_1", "stage_2", ...
    base : str, default="none"
        Name of the class of the rows that reached no stage.
    on_violation : {"raise", "deepest", "prefix"}, default="raise"
        What becomes of a row that reached a stage without an earlier one: "raise" refuses the
        table, "deepest" takes the last stage that the row reached, "prefix" the last one
        before its first gap.

    Returns
    -------
    pandas.Categorical of shape (n_rows,)
        Ordered, with n_stages + 1 categories: `base`, then the stages. A stage at which no row
        stopped keeps its category; the estimators refuse to learn a class without rows and
        name it. Merge such a stage with a neighbour then.

    Raises
    ------
    DataError
        If `stages` is not such a table, or a row skips a stage and `on_violation` is "raise".
    InvalidParameterError
        If the names are not distinct strings, or `on_violation` is not permitted.
    MissingExtraError
        If pandas is not installed.

    See Also
    --------
    funnel_from_counts : The same from one row for many people.
    PRESTOClassifier : Learns such a target, lending the rare last stage strength of the others.

    Notes
    -----
    O(n_rows n_stages). Rows are matched to those of `X` by position; the categorical has no
    index.

    A row whose later stages are not known yet (right-censored: the visit of an hour ago may
    still end in a purchase) cannot be told from one that stopped, and is out of scope. Leave
    out rows that are younger than the time the last stage takes.

    Examples
    --------
    >>> from imbkit.ordinal import funnel_target
    >>> visits = [[False, False], [True, False], [True, True], [True, False]]
    >>> y = funnel_target(visits, names=["click", "purchase"])
    >>> y.tolist(), y.categories.tolist()
    (['none', 'click', 'purchase', 'click'], ['none', 'click', 'purchase'])
    >>> funnel_target([[1, 0, 1]], on_violation="deepest").tolist()
    ['stage_3']
    """
    who = "funnel_target"
    if on_violation not in _WAYS:
        rule = f"on_violation must be one of {listing(_WAYS)}"
        raise InvalidParameterError(message(who, rule, shorten(on_violation)))
    rows = wrap(stages, who=who)
    categories = category_names(who, rows, [base], names)
    if not rows.n_rows or not rows.n_columns:
        rule = "stages must have at least one row and one column"
        raise DataError(message(who, rule, f"shape ({rows.n_rows}, {rows.n_columns})"))
    # How many stages lie before the first gap, and how many up to the last one reached.
    before_gap = np.zeros(rows.n_rows, dtype=np.intp)
    deepest = np.zeros(rows.n_rows, dtype=np.intp)
    for position in range(rows.n_columns):
        reached = _reached(rows, position, categories[position + 1])
        before_gap[reached & (before_gap == position)] = position + 1
        deepest[reached] = position + 1
    if on_violation == "raise":
        _refuse_gaps(who, before_gap, deepest, categories)
    return ordered_categories(who, before_gap if on_violation == "prefix" else deepest, categories)


def category_names(
    who: str, rows: Rows[Any], base: Sequence[str], names: Sequence[str] | None
) -> list[str]:
    """Return the categories from first to last: `base`, then a name for each column."""
    framed = not (isinstance(rows.native, np.ndarray) or hasattr(rows.native, "tocsr"))
    if names is not None:
        # A set has no order.
        if isinstance(names, str | Set) or not isinstance(names, Iterable):
            rule = "names must be a sequence of strings, one for each column"
            raise InvalidParameterError(message(who, rule, names))
        own = list(names)
        if len(own) != rows.n_columns:
            rule = f"names must hold one name for each of {rows.n_columns:,} columns"
            raise InvalidParameterError(message(who, rule, listing(own)))
    elif framed:
        own = list(rows.names)
    else:
        # Without a base the first column is everybody, and its class those who went no further.
        first = 1 if base else 0
        own = [f"stage_{k}" if k else "none" for k in range(first, first + rows.n_columns)]
    every = [*base, *own]
    if not all(isinstance(name, str) and name for name in every):
        rule = "the names of the stages must be strings, none of them empty"
        raise InvalidParameterError(message(who, rule, listing(every)))
    twice = [name for k, name in enumerate(every) if name in every[:k]]
    if twice:
        rule = "the names of the stages must differ" + ", and base from all of them" * bool(base)
        todo = "Pass names=" + " or base=" * bool(base)
        raise InvalidParameterError(message(who, rule, f"{listing(twice)} twice", todo))
    return every


def numbers_of(who: str, rows: Rows[Any], position: int, name: str, rule: str) -> FloatArray:
    """Return a column as float64, or complain that it holds no numbers."""
    column = rows.column(position)
    if column.dtype.kind not in "biuf":
        # Of objects, numbers and booleans without a missing value come as such already.
        gone = [k for k, value in enumerate(column.tolist()) if value is None]
        if gone:
            got = f"a missing value in column {shorten(name)}, row {gone[0]:,}"
        else:
            odd = (k for k, value in enumerate(column) if not isinstance(value, Real))
            row = next(odd, None)
            kind = "categories" if column.dtype == object else str(column.dtype)
            got = f"a column {shorten(name)} of {kind}"
            if row is not None:
                got = f"{shorten(column[row])} in column {shorten(name)}, row {row:,}"
        raise DataError(message(who, rule, got))
    return column.astype(np.float64)


def ordered_categories(who: str, codes: IntArray, categories: Sequence[str]) -> Any:
    """Return an ordered pandas categorical."""
    pandas = require("pandas", "compare", who)
    return pandas.Categorical.from_codes(codes, categories=list(categories), ordered=True)


def _reached(rows: Rows[Any], position: int, name: str) -> BoolArray:
    """Return which rows reached a stage; anything but 0 and 1 is refused."""
    who = "funnel_target"
    rule = "stages must hold booleans, or 0 and 1"
    values = numbers_of(who, rows, position, name, rule)
    odd = np.flatnonzero((values != 0) & (values != 1))
    if odd.size:
        value = values[odd[0]]
        shown = "a missing value" if np.isnan(value) else f"{value:.6g}"
        got = f"{shown} in column {shorten(name)}, row {int(odd[0]):,}"
        more = f", and {odd.size - 1:,} more in this column" if odd.size > 1 else ""
        todo = "Numbers of people in each stage are for funnel_from_counts"
        raise DataError(message(who, rule, got + more, "" if np.isnan(value) else todo))
    return np.asarray(values == 1)


def _refuse_gaps(who: str, before_gap: IntArray, deepest: IntArray, names: Sequence[str]) -> None:
    """Complain about rows that reached a stage without an earlier one."""
    skipping = np.flatnonzero(before_gap < deepest)
    if not skipping.size:
        return
    first = int(skipping[0])
    reached, missed = names[deepest[first]], names[before_gap[first] + 1]
    shown = ", ".join(f"{int(row):,}" for row in skipping[:_MOST_ROWS])
    if skipping.size > _MOST_ROWS:
        shown += ", ..."
    rule = "a row that reaches a stage must have reached every earlier one"
    noun = "row that skips" if skipping.size == 1 else "rows that skip"
    got = f"{skipping.size:,} {noun} a stage: {shown}"
    got += f" (row {first:,} reaches {shorten(reached)} without {shorten(missed)})"
    todo = "Check the order of the columns, mend the rows, or pass on_violation='deepest' "
    todo += "(the last stage reached) or 'prefix' (the last before the gap)"
    raise DataError(message(who, rule, got, todo))
