"""Companions: arguments of ``fit`` that hold a value for every row, and change as rows do.

`companions_of` finds them among the arguments, `resample` takes them through a sampler.
"""

import inspect
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imbkit._core.containers import take, wrap
from imbkit._core.messages import message
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = [
    "Lost",
    "carries",
    "check_not_lost",
    "companions_of",
    "is_validation",
    "parameters_of",
    "resample",
    "short_name",
]

# Never anything else than values of rows, so that another length is an error.
_ALWAYS = ("sample_weight", "groups")
_TEXT = (str, bytes)
_VALIDATION = re.compile(r"^(eval|val|validation)_|_(val|valid|validation|eval_set)$")


@dataclass(frozen=True)
class Lost:
    """Stands for a companion that a sampler could not carry; an error only if a step takes it."""

    sampler: str
    todo: str


def companions_of(
    given: Mapping[str, Any], X: Any, *, bare: Collection[str], spare: Collection[str]
) -> dict[str, Any]:
    """Return the arguments that belong to the rows.

    Parameters
    ----------
    given : mapping of str to object
        The arguments of ``fit``.
    X : table of shape (n_rows, n_features)
        The rows. Where their number cannot be told, nothing belongs to them.
    bare : collection of str
        Arguments given to the pipeline rather than to one of its steps by name; apart from
        validation data they must belong to the rows.
    spare : collection of str
        Names that are known not to belong to the rows.

    Returns
    -------
    dict
        ``sample_weight``, ``groups`` and `bare` ones; of the others those that happen to have
        `n_rows` entries.

    Raises
    ------
    DataError
        If one that must belong to the rows has another length.
    InvalidParameterError
        If a bare argument is no array-like.
    """
    n_rows = _entries(X)
    found = {}
    for key, values in given.items():
        name, length = short_name(key), _entries(values)
        if n_rows is None or name in spare or is_validation(name):
            continue
        if length is None:
            if key in bare and name not in _ALWAYS:
                _refuse_bare(key, values)
        elif length == n_rows:
            found[key] = values
        elif key in bare or name in _ALWAYS:
            rule = f"{key} must have one value for each of the {n_rows:,} rows"
            raise DataError(message("Pipeline", rule, f"{length:,} values"))
    return found


def resample(
    sampler: Any, X: Any, y: Any, companions: Mapping[str, Any], arguments: Mapping[str, Any]
) -> tuple[Any, Any, dict[str, Any]]:
    """Return the resampled rows, labels and companions.

    Parameters
    ----------
    sampler : sampler
        It carries companions itself if its ``fit_resample`` takes `sample_weight`, `groups` and
        any others by name; it then leaves them in ``companions_``. Of another one they are
        taken by its ``sample_indices_``, if the rows out are exactly those rows of `X`.
    X, y : table and array-like of n_rows rows
        The rows and their labels.
    companions : mapping of str to array-like of n_rows values
        They travel along.
    arguments : mapping of str to object
        What the sampler itself is to be told.

    Returns
    -------
    tuple
        Table, labels, and a dict with the keys of `companions`; `Lost` where the sampler can
        do neither of the two.
    """
    lost = {key: values for key, values in companions.items() if isinstance(values, Lost)}
    travelling = {key: values for key, values in companions.items() if key not in lost}
    if travelling and carries(sampler):
        names = _names_in_call(travelling, arguments)
        named = {names[key]: values for key, values in travelling.items()}
        X_new, y_new = sampler.fit_resample(X, y, **{**named, **arguments})
        return X_new, y_new, {**lost, **_left_by(sampler, names)}
    X_new, y_new = sampler.fit_resample(X, y, **arguments)
    if not travelling:
        return X_new, y_new, lost
    rows = _copied_rows(sampler, X, X_new)
    if rows is None:
        note = Lost(type(sampler).__name__, _instead_of(sampler))
        return X_new, y_new, {**lost, **dict.fromkeys(travelling, note)}
    return X_new, y_new, {**lost, **{key: take(each, rows) for key, each in travelling.items()}}


def check_not_lost(values: Any, name: str, taker: str) -> None:
    """Refuse to go on without a companion that is asked for."""
    if isinstance(values, Lost):
        rule = f"every sampler before {taker} must carry {name} along"
        got = f"{values.sampler}, which does not say from which rows its rows came"
        raise InvalidParameterError(message("Pipeline", rule, got, values.todo))


def carries(sampler: Any) -> bool:
    """Whether a sampler resamples companions itself, as those of imbkit do."""
    taken = parameters_of(sampler, "fit_resample")
    kinds = {each.kind for each in taken.values()}
    return {*_ALWAYS} <= set(taken) and inspect.Parameter.VAR_KEYWORD in kinds


def parameters_of(step: Any, method: str) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a method; none where there is no such method."""
    try:
        return inspect.signature(getattr(step, method)).parameters
    except (AttributeError, TypeError, ValueError):  # compiled methods may have no signature
        return {}


def short_name(key: str) -> str:
    """Return the name without those of the steps that it is for."""
    return key.rpartition("__")[2]


def is_validation(name: str) -> bool:
    """Whether an argument is about rows that are held out of the training."""
    return _VALIDATION.search(name) is not None


def _entries(values: Any) -> int | None:
    """Return the number of rows of a table or array; None for anything that is neither."""
    shape = getattr(values, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[0]) if shape else None
    return len(values) if isinstance(values, Sequence) and not isinstance(values, _TEXT) else None


def _refuse_bare(key: str, values: Any) -> None:
    rule = f"{key} must have one value for each row to be given without the name of a step"
    todo = f"For an option of one step write step__{short_name(key)}=..."
    raise InvalidParameterError(message("Pipeline", rule, values, todo))


def _names_in_call(companions: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, str]:
    """Say under which name the sampler is handed each companion.

    ``model__sample_weight`` goes as ``sample_weight``, so that the sampler treats it as weights,
    unless another companion has that name already.
    """
    used = {"X": None, "y": None, **arguments}
    names = {}
    for key in sorted(companions, key=lambda key: key.count("__")):
        values, name = companions[key], short_name(key)
        if used.get(name, values) is not values:
            name = key
        while used.get(name, values) is not values:
            name = f"_{name}"
        names[key], used[name] = name, values
    return names


def _left_by(sampler: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the companions that a sampler has resampled itself, by their own names."""
    left = getattr(sampler, "companions_", {})
    note = Lost(type(sampler).__name__, "Its fit_resample must set companions_ to a dictionary")
    return {key: left.get(name, note) for key, name in names.items()}


def _copied_rows(sampler: Any, X: Any, X_new: Any) -> Any:
    """Return ``sample_indices_`` if the new rows are those rows of `X`, value for value."""
    rows = getattr(sampler, "sample_indices_", None)
    if rows is None or len(rows) != _entries(X_new):
        return None
    return rows if _same_rows(take(X, rows), X_new) else None


def _same_rows(one: Any, other: Any) -> bool:
    if hasattr(one, "nnz"):
        return bool((one != other).nnz == 0)
    if hasattr(one, "columns"):
        first, second = wrap(one), wrap(other)
        columns = range(first.n_columns)
        return all(_same_values(first.column(j), second.column(j)) for j in columns)
    return _same_values(np.asarray(one), np.asarray(other))


def _same_values(one: Any, other: Any) -> bool:
    # Missing values are equal here.
    return bool(np.all((one == other) | ((one != one) & (other != other))))


def _instead_of(sampler: Any) -> str:
    from imbkit._core.catalog import FAMILIES, catalog

    name = type(sampler).__name__
    members = catalog("sampling") if "sampling" in FAMILIES else []
    if any(each.name == name and each.obj.__module__.startswith("imbkit.") for each in members):
        return f"Use imbkit.sampling.{name} instead, which carries companions"
    return (
        "Use a sampler of imbkit.sampling, or one that only selects rows and sets sample_indices_"
    )
