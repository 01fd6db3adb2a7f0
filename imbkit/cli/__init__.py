"""The command ``imbkit``: parse, call the library, print; nothing is computed here.

Each subcommand is one file with two functions: ``add_parser(commands)`` declares its options,
``run(arguments)`` does the work and returns the exit code. To add a subcommand, write such a
file and name it in ``_main.py``. Libraries are imported inside functions, so that
``imbkit --help`` answers at once.
"""

from imbkit.cli._main import main

__all__ = ["main"]
