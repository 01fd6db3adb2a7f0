"""``imbkit report DIR``: make the page of a comparison again from its rows."""

import argparse
import json
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

DONE = 0
DESCRIPTION = """\
Make report.html and summary.json again from rows.jsonl, without the table:
after an interrupted run to see what there is, or to have the page of a newer
version.
"""


def add_parser(commands: Any) -> None:
    """Declare the subcommand and its options."""
    parser = commands.add_parser(
        "report",
        help="make the page of a comparison again from its rows",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="directory that `imbkit compare` wrote"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the summary as JSON and nothing else on stdout"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def run(arguments: argparse.Namespace) -> int:
    """Write the page, print its verdict, and return the exit code."""
    from imbkit.bench._again import render_again
    from imbkit.cli._compare import print_verdict

    summary = render_again(arguments.directory)
    if arguments.json:
        print(json.dumps(summary, indent=1, allow_nan=False))
    elif not arguments.quiet:
        print_verdict(summary, arguments.directory)
    return DONE
