"""Run the command as ``python -m imbkit``."""

import sys


def _run() -> int:
    from imbkit.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(_run())
