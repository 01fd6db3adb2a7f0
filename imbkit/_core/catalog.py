"""The families' ``__all__`` lists, walked into one list of entries.

A name in a family's ``__all__`` is registered; nothing else is. This is the one module that
looks upward: it imports a family by name, when it is asked for.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from sklearn.base import BaseEstimator

from imbkit._core.card import Card
from imbkit._core.messages import message, nearest_names, require
from imbkit.exceptions import InvalidParameterError, MissingExtraError

__all__ = ["FAMILIES", "Entry", "catalog", "find", "missing_packages"]

Kind = Literal["method", "class", "function", "object", "unknown"]

# Family -> the extra it needs ("" for none), and extra -> the packages that it installs.
FAMILIES: Mapping[str, str] = {
    "bench": "compare",
    "calibration": "",
    "datasets": "",
    "displays": "plot",
    "losses": "nets",
    "metrics": "",
    "nets": "nets",
    "ordinal": "",
    "pipeline": "",
    "rvfl": "",
    "sampling": "",
    "splits": "",
    "thresholds": "",
}
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "compare": ("pandas", "pyarrow", "jinja2", "rich", "skops", "scikit_posthocs"),
    "nets": ("torch", "skorch"),
    "plot": ("matplotlib",),
}
_PEERS = tuple(
    f"imblearn.{family}" for family in ("over_sampling", "under_sampling", "combine", "ensemble")
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One public name.

    Parameters
    ----------
    name : str
        The name, as in the family's ``__all__``.
    family : str
        The family, e.g. ``"thresholds"``.
    kind : {"method", "class", "function", "object", "unknown"}
        Methods carry a card; "unknown" is a name whose family cannot be imported here.
    obj : object, default=None
        The thing itself; None where the family cannot be imported.
    card : Card, default=None
        The card of a method.
    summary : str, default=""
        First line of the docstring, without markup.
    extra : str, default=""
        The extra of imbkit that the family needs.
    available : bool, default=True
        Whether the packages of that extra are installed.
    """

    name: str
    family: str
    kind: Kind
    obj: Any = None
    card: Card | None = None
    summary: str = ""
    extra: str = ""
    available: bool = True

    @property
    def install(self) -> str:
        """The command that makes an unavailable entry available."""
        return f'pip install "imbkit[{self.extra}]"' if self.extra else "pip install imbkit"


def catalog(family: str | None = None) -> list[Entry]:
    """Return an entry for every public name.

    Parameters
    ----------
    family : str, default=None
        Only this family; None for all.

    Returns
    -------
    list of Entry
        In the order of the families and of their ``__all__``.

    Raises
    ------
    InvalidParameterError
        If there is no such family, or a method class has no card of its own.
    """
    if family is None:
        return [entry for name in FAMILIES for entry in _entries(name)]
    if family not in FAMILIES:
        near = nearest_names(family, FAMILIES) or list(FAMILIES)
        rule, todo = "there is no such family", f"Use {' or '.join(near)}"
        raise InvalidParameterError(message("catalog", rule, family, todo))
    return list(_entries(family))


def find(name: str) -> Any:
    """Return the method of this name: imbkit's, imbalanced-learn's, or from an import path.

    Parameters
    ----------
    name : str
        A class name, or ``"package.module:Name"`` (or with a dot) for anything else.

    Returns
    -------
    object
        Usually a class.

    Raises
    ------
    InvalidParameterError
        If nothing has this name; the message suggests near ones.
    MissingExtraError
        If the method needs an extra that is not installed.
    """
    if ":" in name or "." in name:
        return _from_path(name)
    # Only families that have the name are imported: others may be slow to load.
    for family in (each for each in FAMILIES if name in _names(each)):
        entry = next(entry for entry in _entries(family) if entry.name == name)
        if _may_be_method(entry):
            for package in missing_packages(entry.extra):
                require(package, entry.extra, name)
            return entry.obj
    theirs = {each: module for module in _PEERS for each in import_module(module).__all__}
    if name in theirs:
        return getattr(import_module(theirs[name]), name)
    ours = [entry.name for entry in catalog() if _may_be_method(entry)]
    near = nearest_names(name, [*ours, *theirs])
    rule = "no method of imbkit or imbalanced-learn has this name"
    todo = f"Did you mean {' or '.join(near)}? " if near else ""
    todo += 'For a class of your own write "package.module:Name"'
    raise InvalidParameterError(message("find", rule, name, todo))


def missing_packages(extra: str) -> list[str]:
    """Return the packages of an extra that are not installed."""
    return [package for package in _PACKAGES.get(extra, ()) if find_spec(package) is None]


def _entries(family: str) -> Iterator[Entry]:
    extra = FAMILIES[family]
    missing = missing_packages(extra)
    module = _load(family, missing)
    for name in _names_in_source(family) if module is None else module.__all__:
        if module is None:
            yield Entry(name, family, "unknown", extra=extra, available=False)
            continue
        obj = getattr(module, name)
        first_line = (inspect.getdoc(obj) or "").partition("\n")[0]
        summary = re.sub(r":\w+:`([^`]+)`", r"\1", first_line).replace("`", "")
        card = _card_of(obj) if _is_method(obj) else None
        yield Entry(name, family, _kind_of(obj), obj, card, summary, extra, not missing)


def _load(family: str, missing: list[str]) -> ModuleType | None:
    """Import a family; None where a missing package of its extra is the reason that it fails."""
    try:
        return import_module(f"imbkit.{family}")
    except (ModuleNotFoundError, MissingExtraError) as error:
        if (error.name or "").partition(".")[0] not in missing:
            raise
        return None


def _may_be_method(entry: Entry) -> bool:
    """Whether it is a method, or cannot be looked at."""
    return entry.kind in ("method", "unknown")


def _names(family: str) -> list[str]:
    """Return ``__all__`` of a family without importing it."""
    module = sys.modules.get(f"imbkit.{family}")
    return _names_in_source(family) if module is None else list(module.__all__)


def _names_in_source(family: str) -> list[str]:
    """Read ``__all__`` of a family without importing it."""
    spec = find_spec(f"imbkit.{family}")
    source = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def _is_method(obj: object) -> bool:
    # What a family hands on from imbalanced-learn is a class, not a method of ours.
    foreign = getattr(obj, "__module__", "").startswith("imblearn.")
    if not inspect.isclass(obj) or foreign or obj.__name__.startswith("Base"):
        return False
    # What is no estimator says itself that it is a method: losses, batch samplers.
    return issubclass(obj, BaseEstimator) or bool(getattr(obj, "_is_method", False))


def _kind_of(obj: object) -> Kind:
    if _is_method(obj):
        return "method"
    if inspect.isclass(obj):
        return "class"
    return "function" if callable(obj) else "object"


def _card_of(cls: type) -> Card:
    """Return the card that stands in the class itself; an inherited one describes another."""
    card = vars(cls).get("card")
    if not isinstance(card, Card):
        rule = f"the public method {cls.__module__}.{cls.__qualname__} must state its own card"
        todo = "Add the class attribute `card = Card(...)`"
        raise InvalidParameterError(message("catalog", rule, card, todo))
    return card


def _from_path(path: str) -> Any:
    """Import ``package.module:Name`` or ``package.module.Name``."""
    module_name, _, name = path.rpartition(":" if ":" in path else ".")
    try:
        # An empty name would be a ValueError; "." is the TypeError caught below.
        return getattr(import_module(module_name or "."), name)
    except ModuleNotFoundError as error:
        # The module may exist and one of its own imports be missing.
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise
        cause: Exception = error
    except (AttributeError, TypeError) as error:
        cause = error
    rule = "an import path must lead to something that exists"
    todo = 'Write it as "package.module:Name"'
    raise InvalidParameterError(message("find", rule, path, todo)) from cause
