"""An argument parser that says what was probably meant, and checked types of values."""

import argparse
import csv
from collections.abc import Callable
from typing import NoReturn

__all__ = ["Parser", "names", "positive_number", "share", "whole_number"]


class Parser(argparse.ArgumentParser):
    """Parser with one-line errors; an unknown option or command is met with near names."""

    def error(self, message: str) -> NoReturn:
        """Print one line and end with code 2."""
        stop = "" if message.endswith((".", "?")) else "."
        self.exit(2, f"{self.prog}: error: {message}{stop} See `{self.prog} --help`.\n")

    def unknown(self, kind: str, name: str, known: list[str]) -> NoReturn:
        """Complain about a name that is not there."""
        from imbkit._core.messages import nearest_names, shorten

        near = nearest_names(name, known)
        todo = f"Did you mean {' or '.join(near)}?" if near else f"Known are {', '.join(known)}"
        self.error(f"there is no {kind} {shorten(name)}. {todo}")

    def options(self) -> list[str]:
        """Return every option, in its long form."""
        found = [option for action in self._actions for option in action.option_strings]
        return [option for option in found if option.startswith("--")]


def whole_number(least: int) -> Callable[[str], int]:
    """Return a type for whole numbers from `least` on."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {least} on, not {text!r}"
            )
        return value

    return parse


def positive_number(text: str) -> float:
    """Parse a finite number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return value


def share(text: str) -> float:
    """Parse a number between 0 and 1, the ends left out."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, not {text!r}")
    return value


def names(text: str) -> list[str]:
    """Split names at commas; a name with a comma stands in double quotation marks."""
    found = next(csv.reader([text], skipinitialspace=True), [])
    if not found or not all(found):
        raise argparse.ArgumentTypeError(f"must be names with commas between, not {text!r}")
    return found
