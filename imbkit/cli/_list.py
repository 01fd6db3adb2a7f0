"""``imbkit list``: what there is, family by family, and what the comparison knows by name."""

import argparse
import json
import shutil
import textwrap
from typing import Any, TypedDict

from imbkit.exceptions import InvalidParameterError, MissingExtraError

__all__ = ["add_parser", "run"]

PANEL = ("strategies", "learners")
"""Names that `imbkit compare` takes; they are listed like a family."""


class Line(TypedDict):
    """One name."""

    name: str
    family: str
    kind: str
    names: list[str]
    """What it is called where it is given by name, such as a loss of `net:LOSS`."""
    summary: str
    available: bool
    install: str
    """The command that makes it available; empty if it is."""


def add_parser(commands: Any) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "list",
        help="list everything there is, family by family",
        description="List every public name, family by family, with its one-line summary; then "
        "the strategies and learners that `imbkit compare` knows by name. Works where an extra "
        "is missing, and says how to install it.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "family",
        nargs="?",
        metavar="FAMILY",
        help="only this family, e.g. metrics, or strategies, or learners (default: all)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of tables")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the catalogue."""
    lines = _lines(arguments.family)
    if arguments.json:
        print(json.dumps(lines, indent=1))
        return 0
    width = max(shutil.get_terminal_size((100, 24)).columns, 60)
    families = list(dict.fromkeys(line["family"] for line in lines))
    print("\n\n".join(_table([x for x in lines if x["family"] == f], width) for f in families))
    return 0


def _lines(family: str | None) -> list[Line]:
    from imbkit._core.catalog import FAMILIES, catalog
    from imbkit._core.messages import message, nearest_names

    known = [*FAMILIES, *PANEL]
    if family is not None and family not in known:
        near = nearest_names(family, known)
        todo = f"Did you mean {' or '.join(near)}?" if near else f"Use {' or '.join(known)}"
        raise InvalidParameterError(message("catalog", "there is no such family", family, todo))
    lines = []
    if family not in PANEL:
        for entry in catalog(family):
            install = "" if entry.available else entry.install
            lines.append(
                Line(
                    name=entry.name,
                    family=entry.family,
                    kind=entry.kind,
                    names=_names_of(entry.obj),
                    summary=entry.summary,
                    available=entry.available,
                    install=install,
                )
            )
    for name in PANEL:
        if family in (None, name):
            lines += _panel(name)
    return lines


def _names_of(obj: object) -> list[str]:
    """Return what a loss, a sampler of batches or a body is called by."""
    names = getattr(obj, "names", ())
    return list(names) if isinstance(names, tuple) else []


def _panel(family: str) -> list[Line]:
    """Return the names that are known; nothing where the comparison cannot be imported."""
    try:
        from imbkit.bench._more_learners import more_learner_names
        from imbkit.bench._ordered import stage_learner_names
        from imbkit.bench._panel import learner_names, strategy_names
    except (ModuleNotFoundError, MissingExtraError):
        return []
    pairs = strategy_names() if family == "strategies" else learner_names()
    if family == "learners":
        pairs += [(name, f"{title}; only where named") for name, title in more_learner_names()]
        pairs += [(name, f"{title}; needs --ordered") for name, title in stage_learner_names()]
    return [
        Line(
            name=name,
            family=family,
            kind=family,
            names=[],
            summary=title,
            available=True,
            install="",
        )
        for name, title in pairs
    ]


def _table(lines: list[Line], width: int) -> str:
    """Return a family as aligned columns; a summary that is too long goes on below itself."""
    family, install = lines[0]["family"], lines[0]["install"]
    option = {"strategies": "--strategy", "learners": "--learner"}.get(family)
    heading = f"{family} (for imbkit compare {option})" if option else f"imbkit.{family}"
    if install:
        heading += f"   needs: {install}"
    column = min(max(len(line["name"]) for line in lines), 36) + 2
    text = [heading]
    for line in lines:
        start = f"  {line['name']:<{column}}"
        called = f" [{', '.join(line['names'])}]" if line["names"] else ""
        text += textwrap.wrap(
            (line["summary"] or "-") + called,
            width,
            initial_indent=start,
            subsequent_indent=" " * (column + 2),
            break_on_hyphens=False,
        )
    return "\n".join(text)
