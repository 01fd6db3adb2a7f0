"""The options that say which table is meant, and which of its columns hold what."""

import argparse
from typing import Any

from imbkit.cli._parser import names

__all__ = ["add_target_options", "add_table"]


def add_table(parser: argparse.ArgumentParser, name: str, nargs: str) -> None:
    """Declare the file, or the files, to read."""
    parser.add_argument(
        name,
        nargs=nargs,
        metavar="TABLE",
        help="file to read: .csv, .tsv or .txt with a header (also .gz), or .parquet "
        "(default: the shipped table of thyroid patients)",
    )


def add_target_options(group: Any) -> None:
    """Declare target, positive labels and columns that are not to be used."""
    group.add_argument(
        "--target", metavar="NAME", help="column that holds the classes; needed with TABLE"
    )
    group.add_argument(
        "--positive",
        metavar="LABEL[,LABEL]",
        type=names,
        action="extend",
        help="labels that are positive, all others are negative (default: the rarer of two "
        "labels; more than two are taken as they are)",
    )
    group.add_argument(
        "--drop",
        metavar="NAME[,NAME]",
        type=names,
        action="extend",
        default=[],
        help="columns not to use, such as keys or what is known only afterwards (default: none)",
    )
