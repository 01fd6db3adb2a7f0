"""Losses and weightings by name."""

import copy
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from torch import nn

from imbkit._core.messages import listing, message, nearest_names
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, Configured
from imbkit.losses._module_loss import ModuleLoss
from imbkit.losses._reweighting import BaseReweighter

__all__ = ["PRESETS", "get_loss", "get_reweighter", "loss_names", "reweighter_names"]

_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _ldam_drw() -> BaseLoss:
    """LDAM, whose rows are weighted by effective numbers from four fifths of the epochs on."""
    losses = import_module("imbkit.losses")
    drw = losses.Deferred(losses.EffectiveNumber(beta=0.9999), start=0.8)
    made: BaseLoss = losses.Reweighted(losses.LDAMLoss(), drw)
    return made


def _cb_focal() -> BaseLoss:
    """Focal loss with class weights by effective numbers."""
    losses = import_module("imbkit.losses")
    made: BaseLoss = losses.Reweighted(losses.FocalLoss(), losses.EffectiveNumber())
    return made


def _gce(tau: float = 1.7) -> BaseLoss:
    """Generalised cross-entropy with the power 0.7."""
    return import_module("imbkit.losses").CompSumLoss(tau=tau)  # type: ignore[no-any-return]


def _mae() -> BaseLoss:
    """One minus the probability of the own class."""
    return import_module("imbkit.losses").CompSumLoss(tau=2.0)  # type: ignore[no-any-return]


PRESETS: Final[Mapping[str, Callable[[], BaseLoss]]] = {
    "cb_focal": _cb_focal,
    "gce": _gce,
    "ldam_drw": _ldam_drw,
    "mae": _mae,
}
"""Combinations with a name of their own."""


def loss_names() -> list[str]:
    """Return the names that :func:`get_loss` knows, without their short forms.

    Returns
    -------
    list of str
        Sorted, presets among them.

    Examples
    --------
    >>> from imbkit.losses import loss_names
    >>> {"focal", "ldam", "cb_focal"} <= set(loss_names())
    True
    """
    return sorted({*(cls.names[0] for cls in _classes(BaseLoss)), *PRESETS})


def reweighter_names() -> list[str]:
    """Return the names that :func:`get_reweighter` knows, without their short forms.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> from imbkit.losses import reweighter_names
    >>> "class_weight" in reweighter_names()
    True
    """
    return sorted(cls.names[0] for cls in _classes(BaseReweighter))


def get_loss(loss: Any, /, **params: Any) -> BaseLoss:
    """Return a loss by name, of a class, or as a copy of an object.

    Parameters
    ----------
    loss : str, class, BaseLoss or torch.nn.Module
        A name of :func:`loss_names` (hyphens are underscores), a class, or an object, of which
        a copy is taken. Another module of torch is called with logits and target.
    **params : object
        Parameters of a name or class; attributes of an object.

    Returns
    -------
    BaseLoss
        A new one.

    Raises
    ------
    InvalidParameterError
        If there is no such name or parameter; near ones are named.

    Examples
    --------
    >>> from imbkit.losses import get_loss
    >>> get_loss("focal", gamma=1.0)
    FocalLoss(gamma=1.0, alpha=None)
    """
    found = _made(loss, params, BaseLoss, "loss", {**PRESETS})
    if isinstance(found, BaseLoss):
        return found
    if isinstance(found, nn.Module) and not isinstance(found, Configured):
        return ModuleLoss(found)
    rule = "loss must be a name, a loss or a module of torch"
    raise InvalidParameterError(message("get_loss", rule, found))


def get_reweighter(reweighter: Any, /, **params: Any) -> BaseReweighter:
    """Return a weighting of rows by name, of a class, or as a copy of an object.

    Parameters
    ----------
    reweighter : str, class or BaseReweighter
        A name of :func:`reweighter_names`, a class or an object.
    **params : object
        Parameters of a name or class; attributes of an object.

    Returns
    -------
    BaseReweighter
        A new one.

    Raises
    ------
    InvalidParameterError
        If there is no such name or parameter; near ones are named.

    Examples
    --------
    >>> from imbkit.losses import get_reweighter
    >>> get_reweighter("class-weight", scheme="sqrt")
    ClassWeight(scheme='sqrt', normalize='mean_sample')
    """
    found = _made(reweighter, params, BaseReweighter, "reweighter", {})
    if isinstance(found, BaseReweighter):
        return found
    rule = "reweighter must be a name or a weighting of rows"
    raise InvalidParameterError(message("get_reweighter", rule, found))


def _classes(base: type) -> list[Any]:
    """Return the public classes of a kind, in order of their names."""
    family = import_module("imbkit.losses")
    every = (getattr(family, name) for name in family.__all__)
    kind: list[Any] = [c for c in every if inspect.isclass(c) and issubclass(c, base)]
    return [each for each in kind if each.names]


def _made(
    given: Any, params: dict[str, Any], base: type, what: str, more: Mapping[str, Any]
) -> Any:
    """Return an object for a name, a class or an object."""
    who = f"get_{what}"
    if isinstance(given, str):
        known = {name: cls for cls in _classes(base) for name in cls.names} | dict(more)
        name = given.strip().lower().replace("-", "_")
        if name not in known:
            near = nearest_names(name, known)
            todo = f"Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
            todo = todo or f"Names are {listing(sorted(known), 60)}"
            raise InvalidParameterError(message(who, f"there is no such {what}", given, todo))
        given = known[name]
    makes = inspect.isclass(given) and issubclass(given, nn.Module)
    if makes or any(given is each for each in more.values()):
        _check_names(params, given, complete=True)
        return given(**params)
    if not params or not isinstance(given, nn.Module):
        return copy.deepcopy(given)
    _check_names(params, type(given))
    if not isinstance(given, Configured):
        rule = f"parameters of a {what} can be changed only if it is one of imbkit"
        todo = "Give the class instead of the object"
        raise InvalidParameterError(message(who, rule, type(given).__name__, todo))
    # A new one, so that parameters are checked as the constructor does.
    kept = {name: getattr(given, name) for name in inspect.signature(type(given)).parameters}
    return type(given)(**{**copy.deepcopy(kept), **params})


def _check_names(params: dict[str, Any], maker: Callable[..., Any], complete: bool = False) -> None:
    """Refuse parameters that are not there, and, if `complete`, to leave out one that must be."""
    who, known = maker.__name__.lstrip("_"), inspect.signature(maker).parameters
    named = [name for name, each in known.items() if each.kind not in _ANY]
    unknown = [name for name in params if name not in named]
    if unknown and len(named) == len(known):
        near = nearest_names(unknown[0], named) or named
        rule = f"parameters are {listing(named, 20)}" if named else "has no parameters"
        todo = f"Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
        raise InvalidParameterError(message(who, rule, unknown[0], todo))
    must = [name for name in named if known[name].default is inspect.Parameter.empty]
    if complete and not set(must) <= params.keys():
        todo = f"Give {' and '.join(f'{name}=' for name in must)}, or an object"
        raise InvalidParameterError(message(who, f"cannot do without {listing(must)}", todo=todo))
