"""What it costs to import imbkit and to ask the command for its help, in fresh processes.

Measured, each in a process of its own, alternating with the thing that it is set against:

- ``import imbkit`` and ``import imbkit.metrics`` after ``import numpy``, timed inside the
  process, beside ``import numpy`` timed likewise; the first is wanted under 0.1 s;
- ``imbkit --help`` from start to end, beside a Python that does nothing; wanted under 0.5 s.

The files are in the disk cache and compiled, because one round goes first unmeasured.

Run: python benchmarks/imports.py [--repeats 11]
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from _timing import alternate, machine

TIMED = (
    "{before}; import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
)


def importing(statement: str, before: str = "pass") -> Callable[[], float]:
    """A function that runs a statement in a fresh process and returns its seconds."""
    code = TIMED.format(before=before, statement=statement)

    def run() -> float:
        command = [sys.executable, "-c", code]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return run


def process(*command: str) -> Callable[[], None]:
    """A function that runs a command from start to end."""

    def run() -> None:
        subprocess.run(command, check=True, capture_output=True)

    return run


def command_line() -> list[str]:
    """The installed command, or the module where there is none beside this Python."""
    script = shutil.which("imbkit", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "imbkit"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=11, help="at least 11 for a firm median")
    options = parser.parse_args()

    numpy = importing("import numpy")
    nothing = process(sys.executable, "-c", "pass")
    print(machine())
    print(f"fresh processes, medians of {options.repeats}, alternating")
    print(f"{'':34}{'seconds':>10}{'bound':>8}   {'beside':24}{'seconds':>10}{'ratio':>8}")
    for name, bound, run, other_name, other in (
        ("import imbkit (beyond numpy)", "0.1", importing("import imbkit", "import numpy"),
         "import numpy", numpy),
        ("import imbkit.metrics (likewise)", "", importing("import imbkit.metrics", "import numpy"),
         "import numpy", numpy),
        ("imbkit --help", "0.5", process(*command_line(), "--help"),
         "python -c pass", nothing),
    ):  # fmt: skip
        ours, theirs = alternate(run, other, options.repeats)
        left = f"{name:34}{ours:>10.4f}{bound:>8}"
        print(f"{left}   {other_name:24}{theirs:>10.4f}{ours / theirs:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
