"""Bodies by name, of a class, or as a copy of an object."""

import copy
import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from torch import nn

from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit.exceptions import InvalidParameterError
from imbkit.nets._base_body import BaseBody, check_count
from imbkit.nets._seeded import seeded

__all__ = ["body_names", "get_body"]

_WHO = "get_body"


def body_names() -> list[str]:
    """Return the names that :func:`get_body` knows, without their short forms.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> from imbkit.nets import body_names
    >>> body_names()
    ['mlp', 'residual', 'tabular']
    """
    return sorted(cls.names[0] for cls in _classes())


def get_body(
    module: Any,
    n_features: int,
    n_outputs: int,
    cardinalities: Sequence[int] = (),
    *,
    seed: int = 0,
    **params: Any,
) -> nn.Module:
    """Return a body by name, of a class, or as a copy of an object.

    Parameters
    ----------
    module : str, class, callable or torch.nn.Module
        A name of :func:`body_names` (hyphens are underscores); a class of modules, or a
        function that returns one, which is called with those of the next three parameters
        that it takes; or a module, of which a copy is taken, weights and all.
    n_features : int
        Columns of numbers.
    n_outputs : int
        Logits of a row.
    cardinalities : sequence of int, default=()
        Codes of each categorical column, the code 0 (unknown or missing) among them.
    seed : int, default=0
        For the weights, which are drawn on the CPU without a trace in torch's own generator.
    **params : object
        Parameters of a name or class.

    Returns
    -------
    torch.nn.Module
        On the CPU if it is new. Its ``forward(X)``, or ``forward(X, codes)`` where there are
        categorical columns, gives logits of shape (n, n_outputs).

    Raises
    ------
    InvalidParameterError
        If there is no such name or parameter (near ones are named), if a module is no module,
        was made for other columns, or does not know categorical columns though there are some.

    Examples
    --------
    >>> from imbkit.nets import get_body
    >>> get_body("mlp", n_features=4, n_outputs=2, hidden=(8,)).head
    Linear(in_features=8, out_features=2, bias=True)
    """
    sizes: dict[str, Any] = {
        "n_features": check_count(n_features, _WHO, "n_features", low=0),
        "n_outputs": check_count(n_outputs, _WHO, "n_outputs"),
        "cardinalities": tuple(cardinalities),
    }
    if isinstance(module, str):
        module = _named(module)
    if isinstance(module, nn.Module):
        body = _copied(module, sizes, params)
    elif callable(module) and (not inspect.isclass(module) or issubclass(module, nn.Module)):
        body = _called(module, sizes, params, check_count(seed, _WHO, "seed", low=0))
    else:
        rule = "module must be a name, a class of torch modules or a module"
        raise InvalidParameterError(message(_WHO, rule, module, _all_names()))
    if sizes["cardinalities"] and not _takes(body.forward, "codes"):
        rule = "the module's forward must take codes where there are categorical columns"
        got = f"{len(sizes['cardinalities'])} of them, and {shorten(type(body).__name__)}"
        todo = "Write forward(self, X, codes), or encode these columns as numbers"
        raise InvalidParameterError(message(_WHO, rule, got, todo))
    return body


def _classes() -> list[type[BaseBody]]:
    """Return the public bodies, in order of their names."""
    family = import_module("imbkit.nets")
    every = (getattr(family, name) for name in family.__all__)
    return [each for each in every if inspect.isclass(each) and issubclass(each, BaseBody)]


def _all_names() -> str:
    """Return the advice to use one of the names."""
    return f"Names are {listing(body_names(), 20)}"


def _named(name: str) -> type[BaseBody]:
    """Return the class of a name."""
    known = {each: cls for cls in _classes() for each in cls.names}
    found = known.get(name.strip().lower().replace("-", "_"))
    if found is None:
        near = nearest_names(name.replace("-", "_"), known)
        todo = f"Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
        rule = "there is no such module"
        raise InvalidParameterError(message(_WHO, rule, name, todo or _all_names()))
    return found


def _called(
    maker: Any, sizes: Mapping[str, Any], params: Mapping[str, Any], seed: int
) -> nn.Module:
    """Return a new module."""
    who = getattr(maker, "__name__", type(maker).__name__)
    parameters = inspect.signature(maker).parameters
    wrong = [name for name in params if name in sizes or not _takes(maker, name)]
    if wrong:
        own = [name for name in parameters if name not in sizes]
        rule = f"parameters are {listing(own, 20)}" if own else "has no parameters of its own"
        near = nearest_names(wrong[0], own)
        todo = f"Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
        raise InvalidParameterError(message(who, rule, wrong[0], todo))
    given = {name: value for name, value in sizes.items() if _takes(maker, name)} | {**params}
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    asked = [
        name
        for name, each in parameters.items()
        if each.default is each.empty and each.kind not in kinds and name not in given
    ]
    if asked:
        rule = f"a module is given {listing(sizes)} by these names, and what else it asks for"
        todo = "Give it as a parameter, or call it so"
        raise InvalidParameterError(message(who, rule, f"no {listing(asked)}", todo))
    with seeded(seed):
        made = maker(**given)
    if not isinstance(made, nn.Module):
        rule = "module must be a class of torch modules, or a function that returns one"
        got = f"{shorten(who)}, which gives {shorten(made)}"
        raise InvalidParameterError(message(_WHO, rule, got, _all_names()))
    return made


def _copied(module: nn.Module, sizes: Mapping[str, Any], params: Mapping[str, Any]) -> nn.Module:
    """Return a copy of a module that fits the table."""
    if params:
        rule = "a module has its parameters already"
        got, todo = f"{next(iter(params))} for a module", "Give its class instead of an object"
        raise InvalidParameterError(message(_WHO, rule, got, todo))
    if isinstance(module, BaseBody):
        for name, value in sizes.items():
            if (own := getattr(module, name)) != value:
                rule = f"the module must be made for the table, whose {name} is {shorten(value)}"
                todo = "Give its name or class instead of an object"
                raise InvalidParameterError(message(_WHO, rule, own, todo))
    return copy.deepcopy(module)


def _takes(function: Any, name: str) -> bool:
    """Whether a function has a parameter, or takes any."""
    parameters = inspect.signature(function).parameters
    anything = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return anything or name in parameters
