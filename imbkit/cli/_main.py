"""Parse the command line, run the subcommand, and turn errors into one line and a code."""

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from imbkit.cli import _compare, _inspect, _list, _report, _versions
from imbkit.cli._parser import Parser
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError, OutputError

__all__ = ["main"]

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130
EPILOG = """\
examples:
  imbkit compare                              try it on a shipped table
  imbkit compare loans.csv --target default   compare on your own table
  imbkit inspect loans.csv --target default   look for leaks and copies
  imbkit report imbkit-report                 make the page of a run again
  imbkit list                                 what there is

exit codes: 0 done; 1 some cells failed, the rest is reported;
2 bad usage or input; 130 interrupted
"""
# Errors begin with the function that complains; on the command line that is no news.
_COMPLAINANT = re.compile(
    r"^(compare|compare_tables|inspect|report|read_table|choose_columns|catalog|find|"
    r"PrequentialSplit): "
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments without the program's name; those of the process if None.

    Returns
    -------
    int
        0 done, 1 some cells failed, 2 bad usage or input, 130 interrupted.

    Examples
    --------
    >>> from imbkit.cli import main
    >>> main(["--version"])  # doctest: +ELLIPSIS
    imbkit ...
    0
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks must not end a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    prog = "imbkit"
    try:
        arguments = _parse(argv)
        arguments.argv = argv
        prog = f"imbkit {arguments.command}"
        return int(arguments.run(arguments))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else DONE
    except (DataError, InvalidParameterError, MissingExtraError, OutputError) as error:
        print(f"{prog}: error: {_one_line(error)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"{prog}: interrupted; give the same command again to go on", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, for instance `head`, has seen enough; nothing more can be printed.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _parse(argv: list[str]) -> argparse.Namespace:
    parser, commands = _build()
    first = next((word for word in argv if not word.startswith("-")), None)
    if argv and first == argv[0] and first not in commands:
        parser.unknown("command", first, list(commands))
    arguments, rest = parser.parse_known_args(argv)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        parser.exit(BAD_INPUT)
    if rest:
        chosen = commands[arguments.command]
        option = next((word for word in rest if word.startswith("-")), None)
        if option is None:
            chosen.error(f"too many arguments: {' '.join(rest)}")
        chosen.unknown("option", option.partition("=")[0], chosen.options())
    return arguments


def _build() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(
        prog="imbkit",
        description="Tools for rare classes: compare strategies on your own table.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    subparsers: Any = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in (_compare, _report, _inspect, _list, _versions):
        command.add_parser(subparsers)
    return parser, dict(subparsers.choices)


class _Version(argparse.Action):
    """Print the version; it is looked up only when it is asked for."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        from imbkit import __version__

        print(f"imbkit {__version__}")
        parser.exit(DONE)


def _one_line(error: Exception) -> str:
    return _COMPLAINANT.sub("", " ".join(str(error).split()))
