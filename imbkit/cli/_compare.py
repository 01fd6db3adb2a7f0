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

from imbkit.cli._parser import names, positive_number, whole_number
from imbkit.cli._progress import make_progress
from imbkit.exceptions import ImbkitWarning, InvalidParameterError

if TYPE_CHECKING:
    from imbkit.bench._comparison import Source
    from imbkit.bench._schema import Summary

__all__ = ["add_parser", "run"]

DONE, SOME_FAILED = 0, 1
MOST_FAILURES = 10
DESCRIPTION = """\
Compare strategies for a rare class on your own table, without leaks, always beside the
untouched learner with a tuned threshold. Without TABLE it runs on a shipped medical table.
An interrupted run goes on where it stopped when the same command is given again.
"""
EPILOG = """\
examples:
  imbkit compare --quick
  imbkit compare loans.csv --target default --drop customer_id
  imbkit compare traffic.parquet --target attack --positive r2l,u2r --output r2l-report
  imbkit compare loans.csv --target default --strategy smote --strategy ADASYN --learner logistic

DIR holds report.html (the page), summary.json, rows.jsonl (one line a cell) and recipe.py.
exit codes: 0 done; 1 some cells failed, the rest is reported; 2 bad usage or input
"""


def add_parser(commands: Any) -> None:
    """Declare the subcommand and its options."""
    parser = commands.add_parser(
        "compare",
        help="compare strategies for a rare class on a table",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "table",
        nargs="?",
        metavar="TABLE",
        help="file to read: .csv, .tsv or .txt with a header (also .gz), or .parquet "
        "(default: the shipped table of thyroid patients)",
    )
    task = parser.add_argument_group("what to compare")
    task.add_argument(
        "--target", metavar="NAME", help="column that holds the classes; needed with TABLE"
    )
    task.add_argument(
        "--positive",
        metavar="LABEL[,LABEL]",
        type=names,
        action="extend",
        help="labels that are positive, all others are negative (default: the rarer of two "
        "labels; more than two are compared as they are)",
    )
    task.add_argument(
        "--drop",
        metavar="NAME[,NAME]",
        type=names,
        action="extend",
        default=[],
        help="columns not to use, such as keys or what is known only afterwards (default: none)",
    )
    task.add_argument(
        "--metric",
        metavar="NAME",
        help="measure of the ranking verdict, e.g. roc_auc or recall_at_fpr_0.01, or a count "
        "metric such as f1 for the decisions (default: average_precision, and mcc)",
    )
    task.add_argument(
        "--strategy",
        metavar="NAME",
        action="append",
        help="strategy to run, by name, class name or import path; can be repeated "
        "(default: the panel that `imbkit list strategies` shows)",
    )
    task.add_argument(
        "--learner",
        metavar="NAME",
        action="append",
        help="learner to run, likewise; can be repeated "
        "(default: the panel that `imbkit list learners` shows)",
    )
    _add_run_options(parser.add_argument_group("how to run it"))


def _add_run_options(group: Any) -> None:
    group.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("imbkit-report"),
        help="directory for the results, new or of the same run (default: imbkit-report)",
    )
    group.add_argument(
        "--folds", metavar="N", type=whole_number(2), help="test folds (default: 5; quick: 3)"
    )
    group.add_argument(
        "--repeats",
        metavar="N",
        type=whole_number(1),
        help="times the folds are drawn anew (default: 2; quick: 1)",
    )
    group.add_argument(
        "--seed",
        metavar="N",
        type=whole_number(0),
        default=0,
        help="seed of folds, samplers and learners; the same seed gives the same results "
        "(default: 0)",
    )
    group.add_argument(
        "--jobs",
        metavar="N",
        type=whole_number(1),
        help="cells to run at a time; it does not change any result (default: all free cores)",
    )
    group.add_argument(
        "--quick", action="store_true", help="run three strategies on three folds only"
    )
    group.add_argument(
        "--budget-minutes",
        metavar="M",
        type=positive_number,
        help="start no cell after this time, and say which were not run (default: no limit)",
    )
    group.add_argument("--quiet", action="store_true", help="print nothing but errors")
    group.add_argument(
        "--json", action="store_true", help="print the summary as JSON and nothing else on stdout"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the comparison, print its verdict, and return the exit code."""
    from imbkit._core.parallel import cores
    from imbkit.bench._comparison import run_comparison

    X, y, source = _load(arguments)
    quick = arguments.quick
    with _plain_warnings(arguments.quiet):
        comparison = run_comparison(
            X,
            y,
            strategies=arguments.strategy,
            learners=arguments.learner,
            metric=arguments.metric,
            objective=None,
            cv=(arguments.folds or (3 if quick else 5), arguments.repeats or (1 if quick else 2)),
            groups=None,
            positive=arguments.positive,
            n_jobs=arguments.jobs or cores(),
            random_state=arguments.seed,
            output=arguments.output,
            budget_minutes=arguments.budget_minutes,
            quick=quick,
            source=source,
            progress=make_progress(sys.stderr, quiet=arguments.quiet),
        )
    summary = comparison.summary
    if arguments.json:
        print(json.dumps(summary, indent=1, allow_nan=False))
    elif not arguments.quiet:
        _print_verdict(summary, arguments.output)
    failures = [problem for problem in summary["problems"] if problem["kind"] == "failed"]
    for line in _failure_lines(failures):
        print(line, file=sys.stderr)
    return SOME_FAILED if failures else DONE


def _load(arguments: argparse.Namespace) -> "tuple[Any, Any, Source]":
    """Return features, target, and where they came from."""
    from imbkit._core.messages import message
    from imbkit.bench import choose_columns, read_table
    from imbkit.bench._comparison import Source
    from imbkit.datasets import load_sick

    drop = list(dict.fromkeys(arguments.drop))
    if arguments.table is None:
        bunch = load_sick()
        target = arguments.target or str(bunch.target.name)
        frame, name = bunch.frame, "sick (thyroid patients, shipped with imbkit)"
        where = "load_sick().frame"
        imports = ["from imbkit.datasets import load_sick"]
    elif arguments.target is None:
        rule = "--target must name the column that holds the classes"
        todo = f"Write for instance: imbkit compare {arguments.table} --target NAME"
        raise InvalidParameterError(message("compare", rule, todo=todo))
    else:
        frame, target = read_table(arguments.table), arguments.target
        path = Path(arguments.table).expanduser()
        name, where = path.name, f"read_table({str(path.resolve())!r})"
        imports = ["from imbkit.bench import read_table"]
    X, y = choose_columns(frame, target, drop)
    reading = (
        *imports,
        "from imbkit.bench import choose_columns",
        f"X, y = choose_columns({where}, {target!r}, {drop!r})",
    )
    command = shlex.join(["imbkit", *arguments.argv])
    return X, y, Source(name, target, tuple(drop), command, reading)


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


def _print_verdict(summary: "Summary", output: Path) -> None:
    from imbkit.bench._report import render_text

    width = min(max(shutil.get_terminal_size((88, 24)).columns, 60), 100)
    print(render_text(summary, width))
    not_run = sum(p["count"] for p in summary["problems"] if p["kind"] == "not run")
    if not_run:
        print(f"\n{not_run:,} cells were not run; give the same command again to go on")
    print(f"\nPage: {output / 'report.html'}")


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
