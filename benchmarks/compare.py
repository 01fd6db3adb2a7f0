"""What a comparison costs beyond its fits: time, the parent's memory, and what workers copy.

Measured with the default panel (with ``--quick`` the quick one), in a fresh process:

- time: wall time x jobs over the seconds that cells spend in fits and predictions; with
  several jobs this counts the start of the workers and the wait for the last cell, too;
- the parent's memory: its most, phase by phase, above what it holds after the imports and a
  comparison of a few made-up rows, over the size of the table (``memory_usage(deep=True)``);
  some 30 MB do not depend on the table, so that small tables say nothing;
- sharing (Linux): how much of the shared arrays each worker maps, how much of that is a copy
  of its own, and how many files the arrays were dumped to over all cells.

Then, with one job and the panel that ``--beside`` names, each cell is followed by its fits
done bare, in the same process: the same estimators are built and fitted on the same rows, as
often as the tuned threshold needs (inner folds, then the whole training side), their
probabilities asked for, and nothing else. Either side keeps to one thread.

Wanted for nsl_kdd_train: at most 10 % of time beyond the fits, and at most 3 times the table.

Run: python benchmarks/compare.py nsl_kdd_train.parquet --target target --positive r2l,u2r
     --drop target_attack,target_difficulty [--quick] [--jobs 2] [--beside quick] [--rounds 1]
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from _memory import LINUX, Worker, descendants, forget_peak, look_at, peak, resident
from _timing import machine
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone

from imbkit._core.rng import derive
from imbkit.bench import choose_columns, read_table
from imbkit.bench._cell import Cell, CellData, inner_splits, seed_estimator
from imbkit.bench._comparison import Comparison, Source, run_comparison
from imbkit.bench._plan import make_plan
from imbkit.bench._progress import Progress, SilentProgress

SECONDS_BETWEEN_LOOKS = 0.5
MB = 1e6


def main() -> None:
    options = parse()
    if options.child:
        print(json.dumps(run_whole(options)))
        return
    print(machine())
    whole = [watch_child() for _ in range(options.rounds)]
    report_whole([found for found, _ in whole], options)
    if options.jobs > 1 and LINUX:
        report_workers(*whole[-1])
    elif options.jobs > 1:
        print("\nwhat workers hold: measured on Linux only")
    if options.beside != "none":
        quick = options.quick or options.beside == "quick"
        report_beside([run_beside(options, quick) for _ in range(options.rounds)], quick)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", metavar="TABLE", help="as imbkit compare reads it")
    parser.add_argument("--target", required=True, metavar="NAME")
    parser.add_argument("--positive", type=names, metavar="LABEL[,LABEL]")
    parser.add_argument("--drop", type=names, default=[], metavar="NAME[,NAME]")
    parser.add_argument("--quick", action="store_true", help="the quick panel on three folds")
    parser.add_argument("--jobs", type=int, default=2, help="of the first part (default: 2)")
    parser.add_argument(
        "--beside",
        choices=("quick", "whole", "none"),
        default="quick",
        help="panel that is also fitted bare; whole takes as long again (default: quick)",
    )
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many (default: 1)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def names(text: str) -> list[str]:
    return text.split(",")


def run(
    X: Any, y: Any, options: argparse.Namespace, quick: bool, progress: Progress, jobs: int
) -> Comparison:
    """One comparison, all its files included."""
    with TemporaryDirectory() as directory:
        return run_comparison(
            X,
            y,
            **plan_options(options, quick),
            n_jobs=jobs,
            output=Path(directory),
            budget_minutes=None,
            source=Source(target=options.target),
            progress=progress,
        )


def plan_options(options: argparse.Namespace, quick: bool) -> dict[str, Any]:
    """What decides the cells."""
    undecided = ("strategies", "learners", "metric", "objective", "cv", "groups")
    positive = options.positive
    return dict.fromkeys(undecided) | {"positive": positive, "random_state": 0, "quick": quick}


def run_whole(options: argparse.Namespace) -> dict[str, Any]:
    """Run the comparison in this process, which does nothing else; return time and memory."""
    warm_up(options)
    base = resident()
    phases = Phases(base)
    table = read_table(options.table)
    sizes = {"rows": len(table), "table": int(table.memory_usage(deep=True).sum())}
    X, y = choose_columns(table, options.target, options.drop)
    del table
    phases.end("reading the table")
    start = time.perf_counter()
    found = run(X, y, options, options.quick, phases, options.jobs)
    wall = time.perf_counter() - start
    phases.end("summary and files")
    rows = found.rows()
    return sizes | {
        "columns": X.shape[1],
        "matrix": found._plan.data.matrix.nbytes,
        "cells": len(rows),
        "failed": sum(row["status"] == "failed" for row in rows),
        "wall": wall,
        "in_cells": sum(row["fit_seconds"] + row["predict_seconds"] for row in rows),
        "base": base,
        "phases": phases.most,
    }


def warm_up(options: argparse.Namespace) -> None:
    """Import all that reading and comparing need; workers are started anew afterwards."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 4 == 0
    made = pd.DataFrame({"a": rng.normal(size=200) + y, "b": rng.choice(["x", "y"], 200), "y": y})
    with TemporaryDirectory() as directory:
        if Path(options.table).suffix in {".parquet", ".pq"}:
            path = Path(directory, "made.parquet")
            made.to_parquet(path)
        else:
            path = Path(directory, "made.csv")
            made.to_csv(path, index=False)
        X, y = choose_columns(read_table(path), "y")
    own = argparse.Namespace(target="y", positive=None)
    run(X, y, own, True, SilentProgress(), options.jobs)
    if options.jobs > 1:
        get_reusable_executor().shutdown()


class Phases(SilentProgress):
    """The most memory above `base`, phase by phase; plan and cells tell of themselves."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.most: dict[str, int] = {}
        forget_peak()

    def start(self, total: int, done: int) -> None:
        self.end("plan")

    def close(self) -> None:
        self.end("cells")

    def end(self, phase: str) -> None:
        self.most[phase] = peak() - self.base
        forget_peak()


def watch_child() -> tuple[dict[str, Any], dict[int, Worker]]:
    """Run the comparison in a fresh process and look at its workers all the while."""
    command = [sys.executable, __file__, *sys.argv[1:], "--child"]
    workers: dict[int, Worker] = {}
    with TemporaryDirectory() as directory, Path(directory, "found").open("w+") as output:
        child = subprocess.Popen(command, stdout=output)
        while child.poll() is None:
            for pid in descendants(child.pid) if LINUX else ():
                look_at(pid, workers.setdefault(pid, Worker()))
            time.sleep(SECONDS_BETWEEN_LOOKS)
        if child.returncode:
            sys.exit(child.returncode)
        output.seek(0)
        found = json.loads(output.read())
    return found, {pid: worker for pid, worker in workers.items() if worker.files}


def report_whole(found: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    first, jobs = found[0], options.jobs
    panel = "quick" if options.quick else "default"
    print(
        f"{Path(options.table).name}: {first['rows']:,} rows, {first['columns']} features, "
        f"{first['table'] / MB:.1f} MB in memory; {panel} panel, {jobs} jobs, "
        f"{first['cells']} cells, {first['failed']} failed; median of {len(found)}"
    )
    wall, own = (median(each[key] for each in found) for key in ("wall", "in_cells"))
    over = median(jobs * each["wall"] / each["in_cells"] - 1 for each in found)
    print(f"\n{'time':44}{'seconds':>10}{'beyond':>9}")
    print(f"{'fits and predictions, as cells time them':44}{own:>10.2f}")
    print(f"{f'the whole, wall time x {jobs}':44}{jobs * wall:>10.2f}{over:>9.1%}")
    title = f"memory of the parent above {first['base'] / MB:.0f} MB"
    print(f"\n{title:44}{'MB':>10}{'x table':>9}")
    for phase in first["phases"]:
        most = median(each["phases"][phase] for each in found)
        print(f"{phase:44}{most / MB:>10.1f}{most / first['table']:>9.2f}")


def report_workers(found: dict[str, Any], workers: dict[int, Worker]) -> None:
    matrix = found["matrix"]
    files = {path: size for worker in workers.values() for path, size in worker.files.items()}
    large = [size for size in files.values() if size >= matrix]
    print(f"\n{'what workers hold, MB':24}{'shared arrays':>16}{'copies of them':>16}{'else':>10}")
    for pid, worker in sorted(workers.items()):
        sizes = worker.mapped, worker.mapped_own, worker.private
        shown = [f"{size / MB:.1f}" for size in sizes]
        print(f"{f'worker {pid}':24}{shown[0]:>16}{shown[1]:>16}{shown[2]:>10}")
    print(
        f"the matrix of {matrix / MB:.1f} MB stood in {len(large)} of {len(files)} shared files, "
        f"{sum(files.values()) / MB:.1f} MB in all, for {found['cells']} cells"
    )
    if matrix <= 2**20:
        print("arrays up to 1 MiB are handed over with each cell instead, by joblib's default")


def run_beside(options: argparse.Namespace, quick: bool) -> "BareBeside":
    """Run the comparison with one job, and after each cell its bare fits."""
    X, y = choose_columns(read_table(options.table), options.target, options.drop)
    plan = make_plan(X, y, **plan_options(options, quick), target_name=options.target)
    beside = BareBeside({cell.name: cell for cell in plan.cells}, plan.data)
    start = time.perf_counter()
    found = run(X, y, options, quick, beside, 1)
    beside.whole = time.perf_counter() - start - beside.away
    beside.in_cells = sum(row["fit_seconds"] + row["predict_seconds"] for row in found.rows())
    return beside


class BareBeside(SilentProgress):
    """Does a cell's fits bare as soon as the cell ended, and keeps the times apart."""

    def __init__(self, cells: dict[str, Cell], data: CellData) -> None:
        self.cells = cells
        self.data = data
        self.bare = self.away = self.all_cells = self.in_cells = self.whole = 0.0

    def start(self, total: int, done: int) -> None:
        self.started = time.perf_counter()

    def advance(self, cell: str, failed: bool, seconds: float) -> None:
        start = time.perf_counter()
        if not failed:
            self.bare += bare_seconds(self.cells[cell], self.data)
        self.away += time.perf_counter() - start

    def close(self) -> None:
        self.all_cells = time.perf_counter() - self.started - self.away


def bare_seconds(cell: Cell, data: CellData) -> float:
    """Seconds of a cell's fits and predictions, done without imbkit."""
    split = cell.split
    seed = derive(data.seed, "fit", split.repeat, split.fold)
    inner = inner_splits(split, data) if data.n_classes == 2 else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        X, y = data.matrix[split.train], data.codes[split.train]
        for train, test in inner:
            score(seed_estimator(clone(cell.estimator), seed).fit(X[train], y[train]), X[test])
        score(seed_estimator(clone(cell.estimator), seed).fit(X, y), data.matrix[split.test])
        return time.perf_counter() - start


def score(fitted: Any, X: np.ndarray) -> np.ndarray:
    method = "predict_proba" if hasattr(fitted, "predict_proba") else "decision_function"
    return getattr(fitted, method)(X)


def report_beside(found: Sequence[BareBeside], quick: bool) -> None:
    panel = "quick" if quick else "default"
    title = f"time beside bare fits, 1 job, {panel} panel"
    print(f"\n{title:44}{'seconds':>10}{'beyond':>9}")
    for name, key in (
        ("fits and predictions, bare", "bare"),
        ("fits and predictions, as cells time them", "in_cells"),
        ("all cells", "all_cells"),
        ("the whole, with plan, summary and files", "whole"),
    ):
        seconds = median(getattr(each, key) for each in found)
        beyond = median(getattr(each, key) / each.bare - 1 for each in found)
        print(f"{name:44}{seconds:>10.2f}{beyond:>9.1%}")


if __name__ == "__main__":
    main()
