"""The options of ``imbkit compare``."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imbkit.cli._parser import names, positive_number, share, whole_number
from imbkit.cli._table_options import add_table, add_target_options

__all__ = ["add_compare_parser"]

DESCRIPTION = """\
Compare strategies for a rare class on your own table, without leaks, always
beside the untouched learner with a tuned threshold. Without TABLE it runs on a
shipped medical table; with several tables it also says what holds over all of
them. An interrupted run goes on where it stopped when the same command is
given again.
"""
EPILOG = """\
examples:
  imbkit compare --quick
  imbkit compare loans.csv --target default --drop customer_id
  imbkit compare cards.parquet --target fraud --fn-cost amount --fp-cost 5 \\
      --alerts 200
  imbkit compare cards.parquet --target fraud --time when --group card \\
      --label-delay 7d --alerts-per-day 100
  imbkit compare train.parquet --target attack --positive r2l,u2r \\
      --test test.parquet
  imbkit compare visits.parquet --target stage --ordered none,cart,buy
  imbkit compare a.csv b.csv c.csv d.csv e.csv --target class

DIR holds report.html (the page), summary.json, rows.jsonl (one line a cell),
recipe.py and model.skops (the recommended model); with several tables, a
directory for each. A cell is one strategy with one learner on one split.
exit codes: 0 done; 1 some cells failed, the rest is reported;
2 bad usage or input; 130 interrupted
"""


def add_compare_parser(commands: Any, run: Callable[[argparse.Namespace], int]) -> None:
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
    add_table(parser, "tables", "*")
    _add_task_options(parser.add_argument_group("what to compare"))
    _add_row_options(parser.add_argument_group("what is known of the rows"))
    _add_money_options(parser.add_argument_group("what matters"))
    _add_run_options(parser.add_argument_group("how to run it"))


def _add_task_options(task: Any) -> None:
    add_target_options(task)
    task.add_argument(
        "--ordered",
        metavar="LABEL,LABEL",
        type=names,
        nargs="?",
        const=[],
        action="append",
        help="all labels as stages, from first to last, the rare one last: compares how well the "
        "probability of the last stage is given, by models of the stages (PRESTO, proportional "
        "odds) among others; alone, behind the TABLE, it takes the order that numbers have",
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
        "(default: the panel that `imbkit list learners` shows, which has its own for --ordered)",
    )
    task.add_argument(
        "--test",
        metavar="TABLE",
        help="file of rows on which the baseline and the recommended model are scored once, "
        "and which nothing else touches",
    )


def _add_row_options(rows: Any) -> None:
    rows.add_argument(
        "--time",
        metavar="COLUMN",
        help="when each row happened: training then precedes testing (no feature any more)",
    )
    rows.add_argument(
        "--group",
        metavar="COLUMN",
        help="rows of a group, such as a customer, stay on one side of every split (no feature "
        "any more)",
    )
    rows.add_argument(
        "--label-delay",
        metavar="SPAN",
        help="how long after a row its label is known, e.g. 7d, 12h or 2w, or a number if the "
        "times are numbers; needs --time",
    )
    rows.add_argument(
        "--weight",
        metavar="COLUMN",
        help="training weights, for the learners that take them (no feature any more)",
    )


def _add_money_options(group: Any) -> None:
    group.add_argument(
        "--metric",
        metavar="NAME",
        help="measure of the ranking verdict, e.g. roc_auc or recall_at_fpr_0.01, or a count "
        "metric such as f1 for the decisions (default: average_precision, or log_loss with "
        "--ordered; and the cost if costs are given, else the recall among the alerts, else mcc)",
    )
    group.add_argument(
        "--objective",
        metavar="NAME",
        help="what thresholds are tuned for and decisions judged by: a count metric such as f1, or "
        "a promise: recall_at_precision:0.9, precision_at_recall:0.8 or recall_at_fpr:0.01, and "
        "@0.95 behind it for a confidence (default: as for --metric)",
    )
    group.add_argument(
        "--fn-cost",
        metavar="COST",
        help="what a missed positive costs: a number, or a column such as the amount",
    )
    group.add_argument("--fp-cost", metavar="COST", help="what a false alarm costs, likewise")
    group.add_argument(
        "--tp-gain", metavar="GAIN", help="what a caught positive brings, likewise (default: 0)"
    )
    group.add_argument(
        "--alerts",
        metavar="N",
        type=positive_number,
        help="rows of the whole table that can be looked at",
    )
    group.add_argument(
        "--alerts-per-day",
        metavar="N",
        type=positive_number,
        help="rows that can be looked at on a day; needs --time",
    )
    group.add_argument(
        "--prevalence",
        metavar="SHARE",
        type=share,
        help="share of positives, e.g. 0.001, to translate the results to",
    )


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
    group.add_argument(
        "--onnx",
        action="store_true",
        help="write model.onnx, too, where the converter supports the model (extra: export)",
    )
    group.add_argument("--quiet", action="store_true", help="print nothing but errors")
    group.add_argument(
        "--json", action="store_true", help="print the summary as JSON and nothing else on stdout"
    )
