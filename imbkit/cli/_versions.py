"""``imbkit versions``: what a bug report needs."""

import argparse
from typing import Any

__all__ = ["add_parser", "run"]


def add_parser(commands: Any) -> None:
    """Declare the subcommand."""
    text = "print the versions of Python, imbkit and its companions, for a bug report"
    parser = commands.add_parser("versions", help=text, description=f"P{text[1:]}.")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the versions."""
    from imbkit._core.versions import show_versions

    show_versions()
    return 0
