"""Values that belong to rows without being features, carried through a resampling plan."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from imbkit._core.containers import take
from imbkit._core.messages import listing, message, shorten
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["Policy", "carry", "check_companions", "policy_of"]

Policy: TypeAlias = Literal["interpolate", "base", "mean"] | float | Callable[..., AnyArray] | None
_NAMED = ("interpolate", "base", "mean")


def check_companions(companions: Mapping[str, Any], n_rows: int, who: str) -> dict[str, Any]:
    """Return the companions that were given, or refuse one of another length.

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
        If one has no length, or another one than the table.
    """
    given = {name: values for name, values in companions.items() if values is not None}
    for name, values in given.items():
        length = np.shape(values)[0] if np.ndim(values) else None
        if length != n_rows:
            rule = f"{name} must have one value for each of the {n_rows:,} rows"
            got = f"{length:,} values" if length is not None else values
            todo = "Companions travel with the rows; fitted options belong to the constructor"
            raise DataError(message(who, rule, got, todo))
    return given


def policy_of(policies: object, name: str, who: str) -> Policy:
    """Return what a companion's value in new rows shall be.

    Parameters
    ----------
    policies : {"interpolate", "base", "mean"}, float, callable, mapping of these, or None
        As samplers take it: one policy for all companions, or a mapping from their names.
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
    real = isinstance(policy, Real) and not isinstance(policy, bool)
    if policy is None or real or callable(policy) or policy in _NAMED:
        return policy  # type: ignore[return-value]
    rule = f"the policy of companion {name} must be {listing(_NAMED)}, a number or a callable"
    raise InvalidParameterError(message(who, rule, policy))


def carry(
    values: Any, plan: Plan, policy: Policy, *, name: str, who: str, renumber: bool = True
) -> Any:
    """Return a companion of the resampled rows.

    Parameters
    ----------
    values : Series, ndarray or list of n_rows values, or ndarray of shape (n_rows, m)
        The companion before.
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
    Series, ndarray or list
        Of the same kind. Integers become floats unless copied.

    Raises
    ------
    DataError
        If values that are no numbers shall be interpolated or averaged, or a callable returns
        another number of values than there are new rows.
    """
    copied = take(values, plan.base, renumber=renumber, who=who)
    if policy == "base" or not plan.made.any():
        return copied
    column = _column(values)
    if policy is None:
        if column.dtype.kind != "f":
            return copied
        policy = "interpolate"
    if policy in ("interpolate", "mean") and column.dtype.kind not in "fiu":
        rule = f"companion {name} must hold numbers to be interpolated or averaged"
        todo = 'Use the policy "base", which copies the value of the base row'
        raise DataError(message(who, rule, f"dtype {column.dtype}", todo))
    made = plan.made
    base, mate, step = column[plan.base[made]], column[plan.mate[made]], plan.step[made]
    new = _new_values(policy, base, mate, step)
    if np.shape(new)[:1] != (step.size,):
        rule = f"the policy of companion {name} must return one value for each new row"
        got = f"shape {np.shape(new)} for {step.size:,} rows"
        raise DataError(message(who, rule, got))
    whole = column.dtype.kind in "iu" and new.dtype.kind == "f"
    out = column[plan.base].astype(np.float64 if whole else column.dtype)
    out[made] = new
    return _like(copied, out, shorten(name))


def _new_values(policy: Policy, base: AnyArray, mate: AnyArray, step: AnyArray) -> AnyArray:
    if callable(policy):
        return np.asarray(policy(base, mate, step))
    if policy == "mean":
        return base + (mate - base) / 2 if base.dtype.kind == "f" else (base + mate) / 2
    if policy == "interpolate":
        share = np.where(np.isnan(step), 0.0, step).reshape(-1, *[1] * (base.ndim - 1))
        start, end = np.asarray(base, np.float64), np.asarray(mate, np.float64)
        return start + share * (end - start)
    return np.full(base.shape, policy)


def _column(values: Any) -> AnyArray:
    """Return a companion as an array; missing numbers are NaN."""
    series = nw.from_native(values, pass_through=True, allow_series=True)
    if isinstance(series, nw.Series):
        if series.dtype.is_float():
            return np.asarray(series.to_numpy(), dtype=series.to_numpy().dtype)
        return np.asarray(series.to_numpy())
    return np.asarray(values)


def _like(copied: Any, out: AnyArray, name: str) -> Any:
    """Return an array as the kind of container that a plain copy came in."""
    if isinstance(copied, list):
        return out.tolist()
    series = nw.from_native(copied, pass_through=True, allow_series=True)
    if not isinstance(series, nw.Series):
        return out
    made = nw.new_series(series.name, out, backend=series.implementation).to_native()
    if series.implementation.is_pandas():
        made.index = copied.index
        # A nullable float stays one.
        return made.astype(copied.dtype) if series.dtype.is_float() else made
    return made
