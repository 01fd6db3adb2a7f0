"""Batch samplers by name."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from imbkit._core.messages import listing, message, nearest_names
from imbkit.exceptions import InvalidParameterError
from imbkit.nets._batch_sampler import BaseBatchSampler

__all__ = ["batch_sampler_names", "get_batch_sampler"]

# Name -> the name of a sampler, and parameters that differ from its defaults.
_PRESETS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "irfs": ("rfs", {"by": "instances"}),
}


def batch_sampler_names() -> list[str]:
    """Return the names that :func:`get_batch_sampler` knows, without their short forms.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> from imbkit.nets import batch_sampler_names
    >>> {"instance", "class_balanced", "rfs", "irfs"} <= set(batch_sampler_names())
    True
    """
    return sorted({*(cls.names[0] for cls in _classes()), *_PRESETS})


def get_batch_sampler(sampler: Any, **params: Any) -> BaseBatchSampler:
    """Return a batch sampler by name, of a class, or as a copy of an object.

    Parameters
    ----------
    sampler : str, class or BaseBatchSampler
        A name of :func:`batch_sampler_names` (hyphens are underscores), a class, or an object,
        of which a copy is taken that has no training rows yet.
    **params : object
        Parameters of a name or class, or those of an object that are to differ.

    Returns
    -------
    BaseBatchSampler
        A new one.

    Raises
    ------
    InvalidParameterError
        If there is no such name or parameter; near ones are named.

    Examples
    --------
    >>> from imbkit.nets import get_batch_sampler
    >>> get_batch_sampler("power", q=0.25)
    PowerBatchSampler(q=0.25, length='auto', use_weight=False)
    """
    preset: Mapping[str, Any] = {}
    if isinstance(sampler, str):
        sampler, preset = _by_name(sampler)
    elif isinstance(sampler, BaseBatchSampler):
        kept = inspect.signature(type(sampler)).parameters
        sampler, preset = type(sampler), {name: getattr(sampler, name) for name in kept}
    if not (inspect.isclass(sampler) and issubclass(sampler, BaseBatchSampler)):
        rule = "sampler must be a name or a batch sampler"
        raise InvalidParameterError(message("get_batch_sampler", rule, sampler))
    known = list(inspect.signature(sampler).parameters)
    unknown = [name for name in params if name not in known]
    if unknown:
        rule = f"parameters are {listing(known, 20)}"
        todo = _meant(unknown[0], known)
        raise InvalidParameterError(message(sampler.__name__, rule, unknown[0], todo))
    return sampler(**{**preset, **params})


def _classes() -> list[Any]:
    """Return the public samplers, in order of their names."""
    family = import_module("imbkit.nets")
    every = (getattr(family, name) for name in family.__all__)
    kind = [each for each in every if inspect.isclass(each) and issubclass(each, BaseBatchSampler)]
    return [each for each in kind if each.names]


def _by_name(given: str) -> tuple[Any, Mapping[str, Any]]:
    """Return the class of a name, and parameters that go with it."""
    known = {name: cls for cls in _classes() for name in cls.names}
    name = given.strip().lower().replace("-", "_")
    of, preset = _PRESETS.get(name, (name, {}))
    if of not in known:
        names = [*known, *_PRESETS]
        todo = _meant(name, names) or f"Names are {listing(sorted(names), 60)}"
        rule = "there is no such batch sampler"
        raise InvalidParameterError(message("get_batch_sampler", rule, given, todo))
    return known[of], preset


def _meant(name: str, names: list[str]) -> str:
    """Ask whether a near name was meant."""
    near = nearest_names(name, names)
    return f"Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
