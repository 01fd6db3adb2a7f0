"""The values of each row that a rule asks for: amounts, times, customers."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np

from imbkit._core.containers import wrap
from imbkit._core.messages import listing, message, nearest_names
from imbkit._core.row_hash import hash_rows
from imbkit._core.types import AnyArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._labels import missing_in
from imbkit.thresholds._top_rows import times_of

__all__ = ["TIE_KEYS", "check_known", "row_values_of"]

TIE_KEYS = "tie_keys"
"""What a rule calls the hash of a row's contents, by which it breaks ties."""

_RESERVED = ("X", "y", "sample_weight")


def row_values_of(
    rule: BaseRule,
    names: Iterable[str],
    X: Any,
    n_rows: int,
    params: Mapping[str, Any],
    who: str,
    method: str = "fit",
) -> dict[str, AnyArray]:
    """Return the values of each row that a rule asks for.

    Parameters
    ----------
    rule : BaseRule
        The rule.
    names : iterable of str
        Some of its `row_names`.
    X : table
        Where values are looked for that `params` lacks, if it has named columns.
    n_rows : int
        Number of rows.
    params : mapping
        The keyword arguments of ``fit`` or ``predict``.
    who : str
        The class that messages speak for.
    method : str, default="fit"
        The method that messages speak of.

    Returns
    -------
    dict of ndarray of shape (n_rows,)
        By name, of the kind that the rule says.

    Raises
    ------
    DataError
        If values are missing, or not one for each row, or not finite numbers where they must be.
    """
    return {name: _row_value(rule, name, X, n_rows, params, who, method) for name in names}


def check_known(params: Mapping[str, Any], names: Collection[str], who: str) -> None:
    """Refuse arguments of ``predict`` that no decision depends on."""
    unknown = [name for name in params if name not in names]
    if unknown:
        rule = "predict takes the values of each row that the rule's decision depends on"
        known = f"It depends on {listing(names)}" if names else "It depends on the score alone"
        raise InvalidParameterError(message(who, rule, listing(unknown), known))


def _row_value(
    rule: BaseRule,
    name: str,
    X: Any,
    n_rows: int,
    params: Mapping[str, Any],
    who: str,
    method: str,
) -> AnyArray:
    if name == TIE_KEYS:
        return hash_rows(X, who)
    if name in _RESERVED:
        rule_text = f"row values of a rule may not be called {' or '.join(_RESERVED)}"
        raise InvalidParameterError(message(who, rule_text, rule, "Give them another name"))
    given = params.get(name)
    if given is None and hasattr(X, "columns"):
        table = wrap(X, who=who)
        given = table.column(table.find(name)) if name in table.names else None
    if given is None:
        rule_text = f"the rule {type(rule).__name__} needs {name} for each row"
        got = "a frame without such a column" if hasattr(X, "columns") else "none"
        got += f", and {listing(params)} instead" if params else ""
        near = nearest_names(name, [*getattr(X, "columns", ()), *params])
        got += f"; the nearest name is {near[0]!r}" if near else ""
        call = "fit(X, y" if method == "fit" else f"{method}(X"
        todo = f"Call {call}, {name}=...), or pass a frame with this column"
        raise DataError(message(who, rule_text, got, todo))
    return _checked(given, name, rule.row_kind(name), n_rows, who)


def _checked(given: Any, name: str, kind: str, n_rows: int, who: str) -> AnyArray:
    """Return the values as an array, or complain."""
    try:
        values = np.asarray(given, dtype=float if kind == "number" else None)
    except (TypeError, ValueError):
        raise DataError(message(who, f"{name} must hold numbers", given)) from None
    if values.dtype == object and values.size and isinstance(values.flat[0], date):
        times = times_of(values)
        # Of several kinds they stay as they are; the rule says what it can do with those.
        values = values if times is None else times
    if values.shape != (n_rows,):
        what = "number" if kind == "number" else "value"
        rule_text = f"{name} must hold one {what} for each of the {n_rows:,} rows"
        raise DataError(message(who, rule_text, f"shape {values.shape}"))
    if kind == "number" and not np.isfinite(values).all():
        got = f"{np.count_nonzero(~np.isfinite(values)):,} missing or infinite values"
        raise DataError(message(who, f"{name} must be finite", got))
    missing = missing_in(values)
    if missing.any():
        got = f"{np.count_nonzero(missing):,} missing values"
        raise DataError(message(who, f"{name} must be known for every row", got))
    return values
