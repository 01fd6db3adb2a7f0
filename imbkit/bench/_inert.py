"""Text that came from data, made safe to look at."""

import re
import textwrap

__all__ = ["inert", "inert_code", "inert_markdown", "wrapped"]

LONGEST_LINE = 1000
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#|~&])")


def inert(text: object, limit: int = 80) -> str:
    r"""Return a text on one line, with everything that does not print written as an escape.

    Control characters, line breaks, direction marks, characters of no width, lone surrogates
    and odd spaces become ``\n``, ``\u202e`` and the like. A text longer than `limit`
    characters is cut, and its length said. Escaping for HTML is the template's business.
    """
    whole = str(text)
    shown = whole if len(whole) <= limit else whole[: limit - 1].rstrip()
    shown = "".join(map(_visible, shown))
    return shown if len(whole) <= limit else f"{shown}… ({len(whole):,} characters)"


def inert_code(source: str, most_lines: int) -> str:
    """Do the same with source code, whose lines stay lines; cut after `most_lines`."""
    lines = source.splitlines()
    shown = ["".join(map(_visible, line[:LONGEST_LINE])) for line in lines[:most_lines]]
    if len(lines) > most_lines or any(len(line) > LONGEST_LINE for line in lines):
        shown.append("# Cut here; the whole text is in recipe.py.")
    return "\n".join(shown)


def inert_markdown(text: object, limit: int = 80) -> str:
    """Do the same with a text that stands in Markdown; its signs lose their meaning."""
    return _MARKDOWN.sub(r"\\\1", inert(text, limit))


def wrapped(label: str, text: str, width: int) -> str:
    """Return a paragraph beside its label, wrapped for a terminal."""
    indent = " " * 12
    start = f"{label:<12}"
    return textwrap.fill(text, width, initial_indent=start, subsequent_indent=indent)


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
