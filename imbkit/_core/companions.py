"""Values that belong to rows without being features, carried through a resampling plan."""

import warnings
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from numbers import Real
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from imbkit._core.containers import plain_array, take
from imbkit._core.messages import listing, message, shorten
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

__all__ = ["Policy", "carry", "check_companions", "policy_of"]

Policy: TypeAlias = Literal["interpolate", "base", "mean"] | float | Callable[..., AnyArray] | None
_KNOWN = ("sample_weight", "groups")
_ALIKE = 0.85  # share of letters in common from which a name looks like another one misspelt
_NAMED = ("interpolate", "base", "mean")
_NUMBERS = {"float", "whole", "truth"}


def check_companions(companions: Mapping[str, Any], n_rows: int, who: str) -> dict[str, Any]:
    """Return the companions that were given, or refuse one that cannot be.

    A name that looks like a misspelt `sample_weight` or `groups` is taken, with a warning.

    Parameters
    ----------
    companions : mapping of str to array-like
        None stands for a companion that was not given.
    n_rows : int
        Rows of the table.
    who : str
        The class that messages speak for.

    Returns
    -------
    dict
        Without those that are None.

    Raises
    ------
    DataError
        If one has no length, or another one than the table, or a weight is no finite number
        of 0 or more.
    """
    given = {name: values for name, values in companions.items() if values is not None}
    for name, values in given.items():
        try:
            length = np.shape(values)[0] if np.ndim(values) else None
        except ValueError:
            rule = f"{name} must have one value, or equally many, for each row"
            todo = "Put lists of different lengths in an array of dtype object"
            raise DataError(message(who, rule, "lists of different lengths", todo)) from None
        if length != n_rows:
            rule = f"{name} must have one value for each of the {n_rows:,} rows"
            got = f"{length:,} values" if length is not None else values
            todo = "Companions travel with the rows; fitted options belong to the constructor"
            raise DataError(message(who, rule, got, todo))
        for meant in _KNOWN:
            if name != meant and SequenceMatcher(None, name, meant).ratio() > _ALIKE:
                rule = f"{name} was resampled under this name"
                warnings.warn(message(who, rule, todo=f"Did you mean {meant}?"), ImbkitWarning, 4)
    if "sample_weight" in given:
        _check_weight(given["sample_weight"], who)
    return given


def _check_weight(values: Any, who: str) -> None:
    """Refuse weights that no learner could use."""
    rule = "sample_weight must hold finite numbers of 0 or more"
    weight = plain_array(values)
    if weight.ndim > 1 and weight.size > len(weight):
        got, todo = f"shape {weight.shape}", "Pass other things under another name"
        raise DataError(message(who, rule, got, todo))
    try:
        weight = weight.astype(np.float64)
    except (TypeError, ValueError):
        got = f"dtype {weight.dtype}"
        raise DataError(message(who, rule, got, "Turn the weights into numbers")) from None
    bad = np.count_nonzero(~np.isfinite(weight) | (weight < 0))
    if bad:
        got = f"{bad:,} missing, infinite or negative weights"
        raise DataError(message(who, rule, got, "Mend or drop these rows"))


def policy_of(policies: object, name: str, who: str) -> Policy:
    """Return what a companion's value in new rows shall be.

    Parameters
    ----------
    policies : {"interpolate", "base", "mean"}, float, callable, mapping of these, or None
        As samplers take it: one policy for all companions, or a mapping from their names.
        Groups are names, even where they are numbers: unless a mapping says otherwise, a new
        row has its base row's.
    name : str
        Name of the companion.
    who : str
        The class that messages speak for.

    Raises
    ------
    InvalidParameterError
        If it is none of these.
    """
    policy = policies.get(name) if isinstance(policies, Mapping) else policies
    if name == "groups" and (policy is None or not isinstance(policies, Mapping)):
        policy = "base"
    real = isinstance(policy, Real) and not isinstance(policy, bool)
    named = isinstance(policy, str) and policy in _NAMED
    if policy is None or real or callable(policy) or named:
        return policy  # type: ignore[return-value]
    rule = f"the policy of companion {name} must be {listing(_NAMED)}, a number or a callable"
    raise InvalidParameterError(message(who, rule, shorten(policy)))


def carry(
    values: Any, plan: Plan, policy: Policy, *, name: str, who: str, renumber: bool = True
) -> Any:
    """Return a companion of the resampled rows.

    Parameters
    ----------
    values : Series, ndarray or list of n_rows values, ndarray of shape (n_rows, m), DataFrame
        The companion before. Each column of a frame is treated by itself.
    plan : Plan
        Where the resampled rows come from.
    policy : {"interpolate", "base", "mean"}, float, callable or None
        The value of a new row: on the segment between its parents' values, at the same step
        (at its base where the row is on no segment); its base row's; the mean of both
        parents'; a constant; or ``policy(base_values, mate_values, step)`` for all new rows at
        once. None interpolates floats and takes anything else from the base row.
    name, who : str
        The companion and the class that messages speak for.
    renumber : bool, default=True
        Whether a pandas index is numbered from 0 instead of keeping its labels.

    Returns
    -------
    Series, ndarray, list or DataFrame
        Of the same kind. Values of kept rows stay as they are, but integers become floats
        where new ones are no integers.

    Raises
    ------
    DataError
        If values that are no numbers shall be interpolated, averaged or set to a number, or
        what a callable returns is of another shape or kind.
    """
    copied = take(values, plan.base, renumber=renumber, who=who)
    made = plan.made
    if policy == "base" or not made.any():
        return copied
    frame = nw.from_native(values, pass_through=True, allow_series=True)
    if isinstance(frame, nw.DataFrame):
        options: dict[str, Any] = {"who": who, "renumber": renumber}
        parts = [
            nw.from_native(
                carry(each.to_native(), plan, policy, name=f"{name}[{each.name!r}]", **options),
                series_only=True,
            ).to_frame()
            for each in frame.iter_columns()
        ]
        return nw.concat(parts, how="horizontal").to_native()
    column, kind = _column(frame)
    if policy is None:
        if kind != "float":
            return copied
        policy = "interpolate"
    _check_kind(policy, kind, column, name, who)
    base, mate = column[plan.base[made]], column[plan.mate[made]]
    new = _new_values(policy, base, mate, plan.step[made])
    if new.shape != base.shape:
        rule = f"the policy of companion {name} must return one value for each new row"
        raise DataError(message(who, rule, f"shape {new.shape} instead of {base.shape}"))
    if not _fits(new, kind):
        rule = f"the policy of companion {name} must return values of its kind, {column.dtype}"
        raise DataError(message(who, rule, f"dtype {new.dtype}"))
    return _written(copied, new, np.flatnonzero(made))


def _column(values: Any) -> tuple[AnyArray, str]:
    """Return a companion as an array, and its kind; missing numbers are NaN."""
    if not isinstance(values, nw.Series):
        column = np.asarray(values)
        return column, _kind(column.dtype)
    column, dtype = np.asarray(values.to_numpy()), values.dtype
    # Integers and truth values with a missing one are still what they are.
    if dtype.is_integer():
        return column, "whole"
    return column, "truth" if dtype == nw.Boolean else _kind(column.dtype)


def _kind(dtype: np.dtype[Any]) -> str:
    kinds = {"f": "float", "i": "whole", "u": "whole", "b": "truth", "U": "text", "M": "time"}
    return kinds.get(dtype.kind, "other")


def _fits(new: AnyArray, kind: str) -> bool:
    """Whether new values can stand among values of a kind."""
    if kind == "truth":
        return _kind(new.dtype) in _NUMBERS and bool(np.isin(new, (0, 1)).all())
    return kind in ("other", _kind(new.dtype)) or {_kind(new.dtype), kind} <= _NUMBERS


def _check_kind(policy: Policy, kind: str, column: AnyArray, name: str, who: str) -> None:
    """Refuse to compute with what is no number."""
    if kind in ("float", "whole") or callable(policy):
        return
    if kind == "truth" and policy in (0, 1):
        return
    done = "interpolated or averaged" if policy in _NAMED else f"set to {policy}"
    rule = f"companion {name} must hold numbers to be {done}"
    todo = 'Use the policy "base", which copies the value of the base row'
    raise DataError(message(who, rule, f"dtype {column.dtype}", todo))


def _new_values(policy: Policy, base: AnyArray, mate: AnyArray, step: AnyArray) -> AnyArray:
    if callable(policy):
        return np.asarray(policy(base, mate, step))
    if policy not in ("interpolate", "mean"):
        return np.full(base.shape, policy)
    start, end = np.asarray(base, np.float64), np.asarray(mate, np.float64)
    if policy == "mean":
        share = np.full(step.size, 0.5)
    else:
        share = np.where(np.isnan(step), 0.0, step)
    new: AnyArray = start + share.reshape(-1, *[1] * (base.ndim - 1)) * (end - start)
    # A row on no segment has its base's value, even if that of its mate is missing.
    return np.where((share == 0).reshape(-1, *[1] * (base.ndim - 1)), start, new)


def _written(copied: Any, new: AnyArray, places: IntArray) -> Any:
    """Return a copied companion with the values of the new rows put in."""
    if isinstance(copied, list):
        for place, value in zip(places.tolist(), new.tolist(), strict=True):
            copied[place] = value
        return copied
    series = nw.from_native(copied, pass_through=True, allow_series=True)
    if not isinstance(series, nw.Series):
        return _written_array(np.asarray(copied), new, places)
    if series.dtype.is_integer() and new.dtype.kind == "f":
        series = series.cast(nw.Float64())
    fresh: Any = new
    if new.dtype.kind == "f" and series.null_count():
        # What was missing stays missing, and is not "not a number" beside it.
        fresh = [None if value != value else value for value in new.tolist()]
    elif series.dtype == nw.Boolean:
        fresh = new.astype(bool)
    return series.scatter(places, fresh).to_native()


def _written_array(copied: AnyArray, new: AnyArray, places: IntArray) -> AnyArray:
    dtype = copied.dtype
    if dtype.kind in "iu" and new.dtype.kind == "f":
        dtype = np.dtype(np.float64)
    elif dtype.kind in "iuU" and not np.array_equal(new.astype(dtype), new):
        # A larger number, or a longer text, than the dtype has room for.
        dtype = np.promote_types(dtype, new.dtype)
    out = copied.astype(dtype)
    out[places] = new
    return out
