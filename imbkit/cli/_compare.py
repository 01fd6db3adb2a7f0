"""``imbkit compare``: from a file to the page, by way of `imbkit.bench`."""

import argparse
import json
import shlex
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imbkit.cli._compare_options import add_compare_parser
from imbkit.cli._progress import make_progress
from imbkit.exceptions import ImbkitWarning, InvalidParameterError

if TYPE_CHECKING:
    from imbkit.bench._comparison import Source
    from imbkit.bench._schema import Summary

__all__ = ["add_parser", "print_verdict", "run"]

DONE, SOME_FAILED = 0, 1
MOST_FAILURES = 10


def add_parser(commands: Any) -> None:
    """Declare the subcommand."""
    add_compare_parser(commands, run)


def run(arguments: argparse.Namespace) -> int:
    """Run the comparison, print its verdict, and return the exit code."""
    from imbkit.bench._comparison import run_comparison

    if len(arguments.tables) > 1:
        return _run_several(arguments)
    options = _options(arguments)
    X, y, source = _load(arguments, *arguments.tables)
    with _plain_warnings(arguments.quiet):
        comparison = run_comparison(
            X,
            y,
            **options,
            test=_load_test(arguments),
            output=arguments.output,
            budget_minutes=arguments.budget_minutes,
            source=source,
            progress=make_progress(sys.stderr, quiet=arguments.quiet),
        )
    summary = comparison.summary
    if arguments.json:
        print(json.dumps(summary, indent=1, allow_nan=False))
    elif not arguments.quiet:
        print_verdict(summary, arguments.output)
    failures = [problem for problem in summary["problems"] if problem["kind"] == "failed"]
    for line in _failure_lines(failures):
        print(line, file=sys.stderr)
    return SOME_FAILED if failures else DONE


def _run_several(arguments: argparse.Namespace) -> int:
    """Compare on several tables."""
    from imbkit._core.messages import message
    from imbkit.cli._tables import run_tables

    for option, given in (("--test", arguments.test), ("--ordered", arguments.ordered)):
        if given is not None:
            rule = f"{option} must come with one table only"
            got = f"{len(arguments.tables)} tables"
            raise InvalidParameterError(message("compare", rule, got))
    with _plain_warnings(arguments.quiet):
        return run_tables(
            arguments,
            arguments.tables,
            lambda path: _load(arguments, path),
            _options(arguments),
        )


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the comparison that do not depend on the table."""
    from imbkit._core.parallel import cores

    quick = arguments.quick
    costs = {
        name: value
        for name in ("fn_cost", "fp_cost", "tp_gain")
        if (value := getattr(arguments, name)) is not None
    }
    return {
        "strategies": arguments.strategy,
        "learners": arguments.learner,
        "metric": arguments.metric,
        "objective": arguments.objective,
        "cv": (arguments.folds or (3 if quick else 5), arguments.repeats or (1 if quick else 2)),
        "groups": arguments.group,
        "time": arguments.time,
        "label_delay": arguments.label_delay,
        "sample_weight": arguments.weight,
        "costs": costs or None,
        "alerts": arguments.alerts,
        "alerts_per_day": arguments.alerts_per_day,
        "prevalence": arguments.prevalence,
        "positive": arguments.positive,
        "ordered": _order(arguments),
        "n_jobs": arguments.jobs or cores(),
        "random_state": arguments.seed,
        "quick": quick,
        "onnx": arguments.onnx,
    }


def _order(arguments: argparse.Namespace) -> list[str] | bool | None:
    """Return the stages, True if they have an order of their own, None if they have none."""
    from imbkit._core.messages import message, shorten

    given: list[list[str]] | None = arguments.ordered
    if given is None:
        return None
    stages = [label for labels in given for label in labels]
    if not stages:
        return True
    if not arguments.tables and len(stages) == 1:
        # The option has swallowed what was meant to be the table.
        rule = "--ordered must name the stages, or stand alone behind the table"
        todo = f"For numbers write: imbkit compare {stages[0]} --target NAME --ordered"
        raise InvalidParameterError(message("compare", rule, shorten(stages[0], 200), todo))
    return stages


def _load(arguments: argparse.Namespace, path: str | None = None) -> "tuple[Any, Any, Source]":
    """Return features, target, and where they came from."""
    from imbkit.bench import choose_columns, read_table
    from imbkit.bench._comparison import Source
    from imbkit.datasets import load_sick

    if path is None:
        bunch = load_sick()
        target = arguments.target or str(bunch.target.name)
        frame, name = bunch.frame, "sick (thyroid patients, shipped with imbkit)"
        where, imports = "load_sick().frame", ["from imbkit.datasets import load_sick"]
    else:
        target = _target(arguments, path)
        frame, name = read_table(path), Path(path).name
        where = f"read_table({str(Path(path).expanduser().resolve())!r})"
        imports = ["from imbkit.bench import read_table"]
    roles = _roles(arguments, target)
    # Columns with a role leave the features by themselves.
    drop = [each for each in dict.fromkeys(arguments.drop) if each not in roles]
    X, y = choose_columns(frame, target, drop)
    lines = [f"X, y = choose_columns({where}, {target!r}, {[*drop, *roles]!r})"]
    if arguments.weight is not None:
        lines = [
            f"table = {where}",
            f"weight = table[{arguments.weight!r}].to_numpy()",
            f"X, y = choose_columns(table, {target!r}, {[*drop, *roles]!r})",
        ]
    return (
        X,
        y,
        Source(
            name=name,
            target=target,
            dropped=tuple(drop),
            command=shlex.join(["imbkit", *arguments.argv]),
            reading=(*imports, "from imbkit.bench import choose_columns", *lines),
            test_name=Path(arguments.test).name if arguments.test else "test table",
        ),
    )


def _load_test(arguments: argparse.Namespace) -> "tuple[Any, Any] | None":
    """Return features and target of the test table; it may lack what is dropped."""
    from imbkit.bench import choose_columns, read_table

    if arguments.test is None:
        return None
    target = _target(arguments, arguments.test)
    frame = read_table(arguments.test)
    drop = [name for name in dict.fromkeys(arguments.drop) if name in frame.columns]
    return choose_columns(frame, target, drop)


def _target(arguments: argparse.Namespace, path: str) -> str:
    from imbkit._core.messages import message

    if arguments.target is None:
        rule = "--target must name the column that holds the classes"
        todo = f"Write for instance: imbkit compare {path} --target NAME"
        raise InvalidParameterError(message("compare", rule, todo=todo))
    return str(arguments.target)


def _roles(arguments: argparse.Namespace, target: str) -> list[str]:
    """Return the columns that have a role; none may be the target, costs included."""
    from imbkit._core.messages import message, shorten

    named = {
        f"--{name.replace('_', '-')}": getattr(arguments, name)
        for name in ("time", "group", "weight", "fn_cost", "fp_cost", "tp_gain")
    }
    for option, column in named.items():
        if column == target:
            rule = f"{option} must not name the target"
            raise InvalidParameterError(message("compare", rule, shorten(column)))
        if option in {"--fn-cost", "--fp-cost", "--tp-gain"} and column in arguments.drop:
            rule = f"{option} must not name a dropped column"
            todo = "Leave it in, or call compare from Python with an array of costs"
            raise InvalidParameterError(message("compare", rule, shorten(column), todo))
    columns = (named["--time"], named["--group"], named["--weight"])
    return [column for column in dict.fromkeys(columns) if column is not None]


@contextmanager
def _plain_warnings(quiet: bool) -> Iterator[None]:
    """Print imbkit's own warnings as one line each, or not at all."""
    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore", ImbkitWarning)
        shown = warnings.showwarning

        def show(text: Any, category: type[Warning], *rest: Any, **named: Any) -> None:
            if issubclass(category, ImbkitWarning):
                print(f"imbkit compare: warning: {text}", file=sys.stderr)
            else:
                shown(text, category, *rest, **named)

        warnings.showwarning = show  # type: ignore[assignment]
        yield


def print_verdict(summary: "Summary", output: Path) -> None:
    from imbkit.bench._conclude import NO_ONNX
    from imbkit.bench._inert import inert
    from imbkit.bench._report import render_text

    width = min(max(shutil.get_terminal_size((88, 24)).columns, 60), 100)
    print(render_text(summary, width))
    not_run = sum(p["count"] for p in summary["problems"] if p["kind"] == "not run")
    if not_run:
        print(f"\n{not_run:,} cells were not run; give the same command again to go on")
    print(f"\nPage: {output / 'report.html'}")
    for problem in summary["problems"]:
        if problem["kind"] == "left out" and problem["text"].startswith(NO_ONNX):
            print(inert(problem["text"], 300))


def _failure_lines(failures: list[Any]) -> list[str]:
    from imbkit.bench._inert import inert

    if not failures:
        return []
    count = sum(problem["count"] for problem in failures)
    lines = [f"imbkit compare: {count:,} cells failed, the rest is reported:"]
    lines += [f"  {inert(p['where'])}: {inert(p['text'], 200)}" for p in failures[:MOST_FAILURES]]
    if len(failures) > MOST_FAILURES:
        lines.append(f"  and {len(failures) - MOST_FAILURES} more kinds on the page")
    return lines
