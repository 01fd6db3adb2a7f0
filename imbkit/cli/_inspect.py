"""``imbkit inspect``: what a table is like, before anything is fitted."""

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imbkit.cli._table_options import add_table, add_target_options
from imbkit.exceptions import InvalidParameterError, OutputError

if TYPE_CHECKING:
    from imbkit.bench._schema_data import DataCard

__all__ = ["add_parser", "run"]

SCHEMA_NAME = "imbkit.data"
SCHEMA_VERSION = 1
FILE = "data.json"
DESCRIPTION = """\
Say what a table is like, without fitting anything: its classes, copies of rows,
rows that contradict each other, columns that may give the target away, missing
values, and the classes over time. Without TABLE it looks at a shipped medical
table.
"""
EPILOG = """\
examples:
  imbkit inspect
  imbkit inspect loans.csv --target default
  imbkit inspect cards.parquet --target fraud --time when --group card --json

DIR holds data.json, which is also what --json prints.
exit codes: 0 done; 2 bad usage or input
"""


def add_parser(commands: Any) -> None:
    """Declare the subcommand and its options."""
    parser = commands.add_parser(
        "inspect",
        help="describe a table: classes, copies, suspected leaks, missing values",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    add_table(parser, "table", "?")
    add_target_options(parser)
    parser.add_argument(
        "--time", metavar="NAME", help="column that says when each row happened (default: none)"
    )
    parser.add_argument(
        "--group",
        metavar="NAME",
        help="column that says which rows belong together, e.g. the customer (default: none)",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("imbkit-inspect"),
        help=f"directory for {FILE} (default: imbkit-inspect)",
    )
    parser.add_argument(
        "--json", action="store_true", help=f"print what {FILE} holds and nothing else"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the data card, write it, and return the exit code."""
    from imbkit.bench._files import ensure_directory, write_text
    from imbkit.bench._inspect import render_card

    card = _inspect(arguments)
    ensure_directory(arguments.output)
    path = arguments.output / FILE
    _check_own(path)
    content = {"schema": SCHEMA_NAME, "schema_version": SCHEMA_VERSION, "data": card}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")
    if arguments.json:
        print(text)
    else:
        width = min(max(shutil.get_terminal_size((88, 24)).columns, 60), 100)
        print(f"{render_card(card, width)}\n\nData: {path}")
    return 0


def _inspect(arguments: argparse.Namespace) -> "DataCard":
    from imbkit._core.messages import message
    from imbkit.bench import choose_columns, read_table
    from imbkit.bench._inspect import inspect_table
    from imbkit.datasets import load_sick

    drop = list(dict.fromkeys(arguments.drop))
    if arguments.table is None:
        bunch = load_sick()
        frame, name = bunch.frame, "sick (thyroid patients, shipped with imbkit)"
        target = arguments.target or str(bunch.target.name)
    elif arguments.target is None:
        rule = "--target must name the column that holds the classes"
        todo = f"Write for instance: imbkit inspect {arguments.table} --target NAME"
        raise InvalidParameterError(message("inspect", rule, todo=todo))
    else:
        frame, target = read_table(arguments.table), arguments.target
        name = Path(arguments.table).expanduser().name
    X, y = choose_columns(frame, target, drop)
    return inspect_table(
        X,
        y,
        positive=arguments.positive,
        time=arguments.time,
        groups=arguments.group,
        name=name,
        target_name=target,
        dropped=drop,
    )


def _check_own(path: Path) -> None:
    """Complain of a file of the same name that is of something else."""
    from imbkit._core.messages import message, shorten

    if not path.exists():
        return
    try:
        found = json.loads(path.read_text("utf-8"))
        own = isinstance(found, dict) and found.get("schema") == SCHEMA_NAME
    except (OSError, ValueError):
        own = False
    if not own:
        rule = f"{FILE} in the output directory must be of an earlier inspection"
        got = f"another file at {shorten(str(path), 200)}"
        todo = "Name another directory with --output"
        raise OutputError(message("inspect", rule, got, todo))
