"""Columns with a role of their own: time, groups, weights, costs. The rest are features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imbkit._core.columns import is_missing
from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import message, shorten
from imbkit._core.types import FloatArray, IntArray
from imbkit.bench._money import Costs, read_costs
from imbkit.bench._options import COSTS, Options
from imbkit.exceptions import DataError
from imbkit.splits._times import Times, delay_in, read_column, read_times

__all__ = ["Roles", "read_roles"]


@dataclass(frozen=True, slots=True)
class Roles:
    """The features of a table, and what else is known of its rows.

    Parameters
    ----------
    X : table of shape (n_rows, n_features)
        The features.
    taken : tuple of str
        Columns that are not features because they have a role; costs stay features.
    times : Times or None
        Time of each row.
    delay : float
        Time until a label is known, in the unit of `times`.
    groups : ndarray of shape (n_rows,) or None
        Group of each row, from 0.
    weight : ndarray of shape (n_rows,) or None
        Training weight of each row.
    costs : Costs or None
        What errors cost.
    names : dict
        Role -> name of its column, empty text if it has none.
    cautions : tuple of str
        What to say about them.
    """

    X: Any
    taken: tuple[str, ...]
    times: Times | None
    delay: float
    groups: IntArray | None
    weight: FloatArray | None
    costs: Costs | None
    names: dict[str, str]
    cautions: tuple[str, ...]


def read_roles(X: Any, n_rows: int, options: Options) -> Roles:
    """Part a table into features and columns with a role; arrays beside the table may have one.

    Raises
    ------
    DataError
        If a column is not there, has another length than the target, or values that its
        role cannot take.
    """
    table = wrap(X, who="compare")
    taken: list[str] = []

    def role(value: Any, what: str) -> tuple[Any, str]:
        """Return the values of a role, and the name of their column."""
        if isinstance(value, str):
            taken.append(value)
            return table.column(table.find(value)), value
        if value is None:
            return None, ""
        if np.shape(value) != (n_rows,):
            rule = f"{what} must hold one value for each of the {n_rows:,} rows"
            raise DataError(message("compare", rule, f"shape {np.shape(value)}"))
        return read_column(value, "compare", what), str(getattr(value, "name", None) or what)

    given_times, time_name = role(options.time, "time")
    given_groups, group_name = role(options.groups, "groups")
    given_weight, weight_name = role(options.sample_weight, "sample_weight")
    times, delay = None, 0.0
    if given_times is not None:
        times = read_times(given_times, "compare", time_name)
        if options.label_delay is not None:
            delay = delay_in(times, options.label_delay, "compare")
    groups, cautions = _read_groups(given_groups, group_name)
    costs = options.costs or {}
    return Roles(
        X=_without(table, X, taken),
        taken=tuple(dict.fromkeys(taken)),
        times=times,
        delay=delay,
        groups=groups,
        weight=None if given_weight is None else _read_weight(given_weight, weight_name),
        costs=read_costs(X, *(costs.get(key) for key in COSTS), n_rows=n_rows),
        names={"time": time_name, "group": group_name, "weight": weight_name},
        cautions=tuple(cautions),
    )


def _without(table: Rows[Any], X: Any, taken: Sequence[str]) -> Any:
    if not taken:
        return X
    features = table.drop(dict.fromkeys(taken))
    if not features.n_columns:
        rule = "at least one column must be left as a feature"
        raise DataError(message("compare", rule, f"none beside {shorten(', '.join(taken))}"))
    return features.native


def _read_groups(given: Any, name: str) -> tuple[IntArray | None, list[str]]:
    """Return the user's groups as numbers from 0, and what to say about them."""
    if given is None:
        return None, []
    cautions = []
    missing = is_missing(given)
    if missing.any():
        cautions.append(
            f"{int(missing.sum()):,} rows name no group; they were kept together as if they "
            "were one, because they may be."
        )
    codes = np.zeros(given.size, dtype=np.intp)
    known = given[~missing]
    known = known.astype(str) if known.dtype == object else known
    codes[~missing] = 1 + np.unique(known, return_inverse=True)[1]
    codes = np.unique(codes, return_inverse=True)[1].reshape(-1)
    count = int(codes.max()) + 1
    if count == 1:
        rule = "the rows must belong to more than one group, or nothing can be held out"
        got = f"the same {shorten(name)} in all {given.size:,} rows"
        todo = "Name another column with --group (groups=), or leave the option out"
        raise DataError(message("compare", rule, got, todo))
    if count == given.size:
        cautions.append(
            f"Every row has its own value of {shorten(name)}, so the groups keep nothing "
            "together. Is it a key of the rows instead of the customer, machine or patient?"
        )
    return codes, cautions


def _read_weight(given: Any, name: str) -> FloatArray:
    rule = f"weights must be finite numbers, none below 0 and some above ({shorten(name)})"
    try:
        weight = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(message("compare", rule, given)) from None
    wrong = ~np.isfinite(weight) | (weight < 0)
    if wrong.any() or not weight.any():
        got = f"{int(wrong.sum()):,} missing, infinite or negative" if wrong.any() else "zeros only"
        raise DataError(message("compare", rule, got))
    return weight
