"""Sentences for errors: who, what must hold, what came, what to do."""

import difflib
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

import numpy as np

from imbkit.exceptions import MissingExtraError

__all__ = ["listing", "message", "nearest_names", "require", "shorten"]


def message(who: str, rule: str, got: object = None, todo: str = "") -> str:
    """Compose an error message of imbkit's usual form.

    Parameters
    ----------
    who : str
        The class or command that complains.
    rule : str
        What must hold, without a final full stop.
    got : object, default=None
        What came instead; strings are taken as they are, anything else is shown by its
        shortened ``repr``. None leaves the sentence out.
    todo : str, default=""
        What to do about it, without a final full stop; a question keeps its mark.

    Returns
    -------
    str
        ``who: rule. Got got. Todo.``, one line whose control characters and direction marks
        are escaped, and whose parts are cut to 1,000 characters each.
    """
    sentences = [f"{_inert(who)}: {_inert(rule)}."]
    if got is not None:
        sentences.append(f"Got {_inert(got) if isinstance(got, str) else shorten(got)}.")
    if todo:
        sentences.append(_inert(todo) + "." * (not todo.endswith("?")))
    return " ".join(sentences)


def shorten(value: object, limit: int = 60) -> str:
    """Return ``repr(value)`` on one line, cut to `limit` characters.

    Control characters and direction marks are escaped, so that a name taken from data
    cannot disturb a terminal. A number of NumPy's is shown without the name of its type.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    return _inert(repr(plain), limit)


def listing(values: Iterable[object], limit: int = 5) -> str:
    """Return the first `limit` values as ``'a', 'b' and 7 more``."""
    values = list(values)
    shown = ", ".join(shorten(value) for value in values[:limit])
    return shown if len(values) <= limit else f"{shown} and {len(values) - limit:,} more"


def nearest_names(name: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """Return the members of `names` that look most like `name`, best first."""
    names = list(dict.fromkeys(names))
    by_folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=limit, cutoff=0.6)
    return [by_folded[folded] for folded in found]


def require(module: str, extra: str, who: str) -> ModuleType:
    """Import an optional dependency, or say which extra installs it.

    Parameters
    ----------
    module : str
        Name to import, e.g. ``"jinja2"``.
    extra : str
        The extra of imbkit that installs it, e.g. ``"compare"``.
    who : str
        The feature that needs it.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingExtraError
        If the module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        rule = f"needs the package {module.split('.')[0]}, which is not installed"
        todo = f'Run: pip install "imbkit[{extra}]"'
        raise MissingExtraError(message(who, rule, todo=todo), name=error.name) from error


def _inert(text: str, limit: int = 1000) -> str:
    """Escape what a terminal might obey, and cut to `limit` characters."""
    # Escapes only lengthen a text, so what lies beyond the limit need not be looked at.
    shown = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: limit + 1]
    )
    return shown if len(shown) <= limit else f"{shown[: max(limit - 3, 0)]}..."[:limit]
