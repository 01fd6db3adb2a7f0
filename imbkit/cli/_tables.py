"""``imbkit compare A B ...``: several files, one verdict over all of them."""

import argparse
import json
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imbkit.exceptions import DataError, InvalidParameterError

if TYPE_CHECKING:
    from imbkit.bench._comparison import Source
    from imbkit.bench._progress import Progress
    from imbkit.bench._schema_several import SeveralSummary
    from imbkit.bench._several import NamedTable

__all__ = ["run_tables"]

DONE, SOME_FAILED = 0, 1


def run_tables(
    arguments: argparse.Namespace,
    paths: Sequence[str],
    load: "Callable[[str], tuple[Any, Any, Source]]",
    options: Mapping[str, Any],
) -> int:
    """Compare on several files, print the verdict over them, and return the exit code.

    Parameters
    ----------
    arguments : Namespace
        Of ``imbkit compare``.
    paths : sequence of str
        The files.
    load : callable
        Returns features, target and source of a file.
    options : mapping
        Options of `compare`, without ``output`` and ``budget_minutes``.
    """
    from imbkit.bench._several import run_tables as run_all

    tables = _load(paths, load)
    found = run_all(
        tables,
        output=arguments.output,
        budget_minutes=arguments.budget_minutes,
        options=options,
        command=shlex.join(["imbkit", *arguments.argv]),
        progress=_announce(arguments.quiet, [table.source.name for table in tables]),
    )
    summary = found.summary
    if arguments.json:
        print(json.dumps(summary, indent=1, allow_nan=False))
    elif not arguments.quiet:
        _print_verdict(summary, arguments.output)
    lines = _failure_lines(summary)
    for line in lines:
        print(line, file=sys.stderr)
    return SOME_FAILED if lines else DONE


def _load(
    paths: Sequence[str], load: "Callable[[str], tuple[Any, Any, Source]]"
) -> "list[NamedTable]":
    """Read all files before anything runs; a complaint names the file."""
    from imbkit._core.messages import shorten
    from imbkit.bench._several import NamedTable

    _check_files(paths)
    tables = []
    for path, name in zip(paths, _names(paths), strict=True):
        try:
            X, y, source = load(path)
        except (DataError, InvalidParameterError) as error:
            text = str(error).partition(": ")[2] or str(error)
            raise type(error)(f"compare: table {shorten(path, 200)}: {text}") from error
        tables.append(NamedTable(X, y, replace(source, name=name)))
    return tables


def _check_files(paths: Sequence[str]) -> None:
    """Refuse a file that is given twice, under whatever name."""
    from imbkit._core.messages import message, shorten

    seen: dict[Path, str] = {}
    for path in paths:
        real = Path(path).expanduser().resolve()
        if real in seen:
            rule = "every table must be given once"
            got = f"{shorten(path, 200)} again"
            if seen[real] != path:
                got = f"{shorten(path, 200)}, which is {shorten(seen[real], 200)}"
            todo = "A table that counts twice makes differences look surer than they are"
            raise DataError(message("compare", rule, got, todo))
        seen[real] = path


def _names(paths: Sequence[str]) -> list[str]:
    """Return the shortest names that tell the files apart: stem, file name, or whole path."""
    files = [Path(path) for path in paths]
    stems = [file.name.partition(".")[0] or file.name for file in files]
    for names in (stems, [file.name for file in files]):
        if max(Counter(names).values()) == 1:
            return names
    return list(paths)


def _announce(quiet: bool, names: Sequence[str]) -> "Callable[[str], Progress | None]":
    """Return a function that says which table is next, and makes its progress."""
    from imbkit.bench._inert import inert
    from imbkit.cli._progress import make_progress

    def progress(name: str) -> "Progress | None":
        if not quiet:
            place = f"table {names.index(name) + 1} of {len(names)}"
            print(f"imbkit compare: {place}, {inert(name)}", file=sys.stderr)
        return make_progress(sys.stderr, quiet=quiet)

    return progress


def _print_verdict(summary: "SeveralSummary", output: Path) -> None:
    from imbkit.bench._page_several import render_several_text

    width = min(max(shutil.get_terminal_size((88, 24)).columns, 60), 100)
    print(render_several_text(summary, width))
    not_run = sum(card["missing"] for card in summary["tables"])
    if not_run:
        print(f"\n{not_run:,} cells were not run; give the same command again to go on")
    print(f"\nPage: {output / 'report.html'}")


def _failure_lines(summary: "SeveralSummary") -> list[str]:
    """Return one line a table that failed, as a whole or in part."""
    from imbkit.bench._inert import inert

    lines = []
    for card in summary["tables"]:
        if card["problem"]:
            why = inert(card["problem"], 300)
            lines.append(f"imbkit compare: {inert(card['name'])} could not be compared: {why}")
        elif card["failed"]:
            page = f"{card['directory']}/report.html"
            lines.append(
                f"imbkit compare: {inert(card['name'])}: {card['failed']:,} cells failed, the "
                f"rest is reported in {page}"
            )
    return lines
