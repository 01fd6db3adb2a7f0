"""Every sampler beside imbalanced-learn's of the same name: time, memory, and whether rows agree.

Without a mode: one process for each sampler and table, in which the two sides run in turn,
A B A B, each making the same rows. Told for each pair: medians of seconds, their ratio
imbalanced-learn / imbkit, the share of the rows put out that both sides have ("all": the same
rows in the same order), the most memory above the data, and imbkit's first call in a process of
its own. Imports are never part of a time. Kernels are loaded before by ``imbkit.warmup()``,
except for first calls; what loading and compiling them takes stands above the table.
imbalanced-learn runs once where one run takes longer than `--patience` seconds.

Real tables: their numeric columns, standardised, plus normal jitter of 1e-4, because thousands
of their rows are duplicates and imbalanced-learn leaves open which of two rows at the same
distance is nearer. nsl_kdd_train: r2l and u2r against the rest. synthetic: 100,000 x 30, eight
latent dimensions and a little noise, 2 % positives. mixed: 20,000 x 6 numbers and three columns
of 5, 50 and 1,000 categories. categories: 20,000 x 8 columns of 3 to 100 categories.
CondensedNearestNeighbour and NearMiss version 2 run on stratified samples of 3,000 and 20,000
rows. Outputs must be equal: the script ends with status 1 where a share is below
`--share`. It is not quite 1 because imbalanced-learn's distances between more than 15 columns
are differences of large numbers, so that its own order of near rows is off in the last digits;
SMOTEN, where ties are the rule, is told and not judged.

Modes:

--small    1,000 rows x 10, a new process for each measurement, first call included
--raw      shares of equal rows on the tables without jitter, duplicates and all; one run each
--scale    imbkit alone, 100,000 and 1,000,000 rows x 10: seconds, memory, growth exponent from
           the first to each later number of rows
--levels   imbkit's SMOTENC, 100,000 rows with a column of 100,000 categories: seconds, memory

Run: python benchmarks/samplers.py [--small | --raw | --scale | --levels] [--sampler NAME,...]
     [--table NAME,...] [--repeats 5] [--data FOLDER] [--out FILE.jsonl]
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _memory import forget_peak, peak, resident
from _sampler_tables import (
    CASES,
    REAL,
    TABLES,
    Case,
    Data,
    folder_of,
    load,
    made,
    mixed_columns,
    runner,
    sample,
)
from _timing import machine

MB = 1e6
SCALE = ("TomekLinks", "EditedNearestNeighbours", "RepeatedEditedNearestNeighbours", "SMOTE",
         "CondensedNearestNeighbour")  # fmt: skip
Record = dict[str, Any]


def main() -> int:
    options = parse()
    if options.child:
        task = json.loads(options.child)
        warnings.simplefilter("ignore")
        print(json.dumps(MEASURES[task["measure"]](task, options)))
        return 0
    packages = ("imbalanced-learn", "numba", "scipy", "imbkit")
    where = ", ".join([machine(), *(f"{name} {version(name)}" for name in packages)])
    print(where, flush=True)
    found = []
    try:
        for task in tasks(options):
            found.append(record := in_process(task))
            if options.out:
                with Path(options.out).open("a", encoding="utf-8") as file:
                    file.write(json.dumps({**record, "machine": where}) + "\n")
            result = "failed" if record.get("failed") else "done"
            print(f"  {record['case']} on {record['table']}: {result}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; what was measured so far:", file=sys.stderr)
    REPORTS[options.mode](found, options)
    return any(record.get("agree") is False for record in found)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    modes = parser.add_mutually_exclusive_group()
    for mode in ("small", "raw", "scale", "levels"):
        modes.add_argument(
            f"--{mode}", dest="mode", action="store_const", const=mode, default="pair"
        )
    parser.add_argument("--sampler", type=names, help="some of: " + ", ".join(CASES))
    parser.add_argument("--table", type=names, help="some of: " + ", ".join(TABLES))
    parser.add_argument("--repeats", type=int, default=5, help="at least 5 for a firm median")
    parser.add_argument(
        "--rows",
        type=lambda text: [int(rows) for rows in text.split(",")],
        default=[100_000, 1_000_000],
        help="of --scale (default: 100000,1000000)",
    )
    parser.add_argument("--patience", type=float, default=20, help="seconds (default: 20)")
    parser.add_argument("--share", type=float, default=0.999, help="equal rows (default: 0.999)")
    parser.add_argument("--data", help="folder of real tables; else IMBKIT_DATA, or shared/data")
    parser.add_argument("--out", metavar="FILE", help="append one line of JSON a measurement")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for asked, known in ((options.sampler, CASES), (options.table, TABLES)):
        if unknown := [name for name in asked or () if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)}. Known: {', '.join(known)}")
    return options


def names(text: str) -> list[str]:
    return text.split(",")


def tasks(options: argparse.Namespace) -> Iterator[Record]:
    """What is measured, one after the other, in a process each."""
    chosen = options.sampler or list(CASES)
    if options.mode == "levels":
        yield {"measure": "levels", "case": "SMOTENC", "table": "100,000 levels"}
    elif options.mode == "small":
        for name in chosen:
            yield {"measure": "small", "case": name, "table": "1,000 x 10"}
    elif options.mode == "scale":
        for name in options.sampler or SCALE:
            for rows in options.rows:
                yield {"measure": "scale", "case": name, "table": f"{rows:,} x 10", "rows": rows}
    else:
        known = REAL if options.mode == "raw" else TABLES
        for table in [name for name in options.table or known if name in known]:
            for name in chosen:
                if CASES[name].kind == TABLES[table]:
                    yield {"measure": options.mode, "case": name, "table": table}


def in_process(task: Record, *, environment: dict[str, str] | None = None) -> Record:
    """Measure one thing in a new process."""
    command = [sys.executable, __file__, *sys.argv[1:], "--child", json.dumps(task)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        print(f"  {task} failed", file=sys.stderr, flush=True)
        return {**task, "failed": True, "agree": False}
    return {**task, **json.loads(done.stdout.splitlines()[-1])}


def measure_pair(task: Record, options: argparse.Namespace) -> Record:
    """Both sides in turn in this process."""
    case, data = CASES[task["case"]], data_of(task, options)
    first = in_process({**task, "measure": "first"})["seconds"]
    ours, theirs = (runner(case, side, data) for side in ("imbkit", "peer"))
    warm(case)
    output, memory = with_memory(ours)
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    memories = {"ours": memory}
    expected = None
    for _ in range(options.repeats):
        seconds["ours"].append(timed(ours))
        if not seconds["theirs"] or seconds["theirs"][0] < options.patience:
            start = time.perf_counter()
            if expected is None:
                expected, memories["theirs"] = with_memory(theirs)
            else:
                theirs()
            seconds["theirs"].append(time.perf_counter() - start)
    agreement = compare(output, expected)
    return {
        "rows": data.y.size,
        "columns": data.X.shape[1],
        "ours": median(seconds["ours"]),
        "theirs": median(seconds["theirs"]),
        "runs": [len(seconds["ours"]), len(seconds["theirs"])],
        "ratio": median(seconds["theirs"]) / median(seconds["ours"]),
        "first": first,
        "memory": memories,
        **agreement,
        "agree": case.ties or bool(agreement["common"] >= options.share),
    }


def measure_first(task: Record, options: argparse.Namespace) -> Record:
    """The first call of a process: what it imports, loads and compiles is part of it."""
    case, data = CASES[task["case"]], data_of(task, options)
    return {"seconds": timed(runner(case, task.get("side", "imbkit"), data))}


def measure_small(task: Record, options: argparse.Namespace) -> Record:
    """First calls on few rows, in turn, in a process each."""
    seconds: dict[str, list[float]] = {"imbkit": [], "peer": []}
    for repeat in range(options.repeats + 1):
        for side, own in seconds.items():
            found = in_process({**task, "measure": "first", "small": True, "side": side})
            # The first round fills caches of the operating system.
            if repeat:
                own.append(found["seconds"])
    ours, theirs = (median(own) for own in seconds.values())
    return {"ours": ours, "theirs": theirs, "ratio": theirs / ours, "runs": [options.repeats] * 2}


def measure_raw(task: Record, options: argparse.Namespace) -> Record:
    """One run of each side on a table with its duplicates."""
    case, data = CASES[task["case"]], data_of(task, options)
    output, expected = (runner(case, side, data)() for side in ("imbkit", "peer"))
    distinct = len(np.unique(data.X, axis=0)) / data.y.size
    return {"rows": data.y.size, "distinct": distinct, **compare(output, expected)}


def measure_scale(task: Record, options: argparse.Namespace) -> Record:
    """Imbkit alone on a large table."""
    data = made(task["rows"], 10, latent=8)
    case = CASES[task["case"]]
    warm(case)
    run = runner(case, "imbkit", data)
    start = time.perf_counter()
    output, memory = with_memory(run)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "memory": memory, "data": data.X.nbytes, "kept": len(output[1])}


def measure_levels(task: Record, options: argparse.Namespace) -> Record:
    """SMOTENC with as many categories as rows."""
    data = mixed_columns(100_000, (100_000,))
    case = CASES["SMOTENC"]
    warm(case)
    start = time.perf_counter()
    _, memory = with_memory(runner(case, "imbkit", data))
    return {"seconds": time.perf_counter() - start, "memory": memory, "data": data.X.nbytes}


def measure_start(task: Record, options: argparse.Namespace) -> Record:
    """Import beyond imbalanced-learn, and `warmup` with what the cache holds."""
    import imblearn.combine
    import imblearn.over_sampling
    import imblearn.under_sampling

    start = time.perf_counter()
    import imbkit.sampling

    imported = time.perf_counter()
    import numba

    numba_in = time.perf_counter()
    imbkit.warmup()
    ready = time.perf_counter()
    assert imblearn.combine
    assert numba.__version__
    return {"import": imported - start, "numba": numba_in - imported, "warmup": ready - numba_in}


def data_of(task: Record, options: argparse.Namespace) -> Data:
    """The rows that a task runs on."""
    case = CASES[task["case"]]
    if task.get("small"):
        return small(case)
    data = load(task["table"], folder_of(options.data), jitter=options.mode != "raw")
    return sample(data, case.rows)


def small(case: Case) -> Data:
    """1,000 rows of ten columns, of the kind that the case needs."""
    data = made(1_000, 10, latent=8, share=0.1)
    if case.kind == "numbers":
        return data
    codes = np.floor(4 * (data.X - data.X.min(axis=0))).astype(np.int64)
    if case.kind == "categories":
        return Data(codes, data.y)
    X = np.column_stack([data.X[:, :7], codes[:, 7:]])
    return Data(X, data.y, {"categorical_features": [7, 8, 9]})


def warm(case: Case) -> None:
    """Load kernels, and do once on few rows what both sides do at their first call."""
    import imbkit

    imbkit.warmup()
    few = sample(small(case), 300)
    for side in ("imbkit", "peer"):
        runner(case, side, few)()


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def with_memory(run: Callable[[], Any]) -> tuple[Any, int]:
    """What a function returns, and the most memory it held above what was held before."""
    forget_peak()
    before = resident()
    result = run()
    return result, peak() - before


def compare(output: Any, expected: Any) -> Record:
    """Shares of rows that are equal at their place, and that both outputs have somewhere."""
    ours, theirs = (np.column_stack([np.asarray(X, float), y]) for X, y in (output, expected))
    most, least = max(len(ours), len(theirs)), min(len(ours), len(theirs))
    equal = int(np.count_nonzero((ours[:least] == theirs[:least]).all(axis=1)))
    counts = [Counter(row.tobytes() for row in rows) for rows in (ours, theirs)]
    return {"out": [len(ours), len(theirs)], "equal": equal / most,
            "common": (counts[0] & counts[1]).total() / most}  # fmt: skip


def report_pairs(found: list[Record], options: argparse.Namespace) -> None:
    print(f"\nmedians of {options.repeats} runs, alternating; imbalanced-learn fewer where told")
    report_start()
    rows = []
    for record in found:
        case = CASES[record["case"]]
        if record.get("failed"):
            rows.append([record["case"], record["table"], *["failed"] * 9])
            continue
        wanted = case.aim if record["table"] in ("nsl_kdd_train", "mixed") else case.least
        times = f" ({record['runs'][1]})" if record["runs"][1] < record["runs"][0] else ""
        rows.append([
            record["case"], record["table"], f"{record['rows']:,} x {record['columns']}",
            f"{record['theirs']:.3f}{times}", f"{record['ours']:.4f}", f"{record['ratio']:.1f}",
            "" if wanted is None else f"{wanted:g}{'' if record['ratio'] >= wanted else ' missed'}",
            share(record), f"{record['first']:.3f}",
            f"{record['memory']['theirs'] / MB:.0f}", f"{record['memory']['ours'] / MB:.0f}",
        ])  # fmt: skip
    markdown(
        ["sampler", "table", "rows x columns", "imbalanced-learn s", "imbkit s", "ratio", "wanted",
         "equal rows", "first call s", "imbalanced-learn MB", "imbkit MB"], rows)  # fmt: skip


def report_start() -> None:
    """Print what imports and compilation take, from an empty cache and from a filled one."""
    task = {"measure": "start", "case": "", "table": ""}
    with TemporaryDirectory() as folder:
        # Compiled files go there only, so the first of the two compiles everything.
        for title in ("an empty cache", "the cache"):
            took = in_process(task, environment={"NUMBA_CACHE_DIR": folder})
            if took.get("failed"):
                return
            print(
                f"import imbkit.sampling beyond imbalanced-learn {took['import']:.2f} s, "
                f"numba {took['numba']:.2f} s, warmup() from {title} {took['warmup']:.2f} s"
            )


def report_small(found: list[Record], options: argparse.Namespace) -> None:
    print(f"\n1,000 rows, new processes, first calls; medians of {options.repeats}, alternating")
    markdown(
        ["sampler", "imbalanced-learn ms", "imbkit ms", "ratio", "wanted"],
        [
            [record["case"], f"{1e3 * record['theirs']:.1f}", f"{1e3 * record['ours']:.1f}",
             f"{record['ratio']:.2f}", f"0.8{'' if record['ratio'] >= 0.8 else ' missed'}"]
            for record in found
            if not record.get("failed")
        ],
    )  # fmt: skip


def report_raw(found: list[Record], options: argparse.Namespace) -> None:
    print("\nthe tables as they are, with their duplicates; one run each")
    markdown(
        ["sampler", "table", "distinct rows", "rows out, imbalanced-learn", "rows out, imbkit",
         "equal rows"],
        [
            [record["case"], record["table"], f"{record['distinct']:.1%}",
             f"{record['out'][1]:,}", f"{record['out'][0]:,}", share(record)]
            for record in found
            if not record.get("failed")
        ],
    )  # fmt: skip


def report_scale(found: list[Record], options: argparse.Namespace) -> None:
    print("\nimbkit alone; eight latent dimensions seen through 10 columns, 2 % positives")
    rows = []
    for record in found:
        if record.get("failed"):
            rows.append([record["case"], record["table"], "failed", "", "", ""])
            continue
        before = next((each for each in found if each["case"] == record["case"]), record)
        growth = ""
        if before is not record and not before.get("failed"):
            powers = math.log(record["rows"] / before["rows"])
            growth = f"{math.log(record['seconds'] / before['seconds']) / powers:.2f}"
        rows.append([record["case"], record["table"], f"{record['seconds']:.2f}",
                     f"{record['memory'] / MB:.0f}", f"{record['kept']:,}", growth])  # fmt: skip
    markdown(["sampler", "rows x columns", "seconds", "MB above data", "rows out", "growth"], rows)


def report_levels(found: list[Record], options: argparse.Namespace) -> None:
    for record in found:
        print(
            f"\nSMOTENC, 100,000 rows, 6 numbers and 100,000 categories: "
            f"{record['seconds']:.2f} s, {record['memory'] / MB:.0f} MB above the data of "
            f"{record['data'] / MB:.0f} MB"
        )


def share(record: Record) -> str:
    """Rows that both outputs have; "all" only if they are the same in the same order."""
    if record["equal"] == 1:
        return "all"
    if record["common"] == 1:
        return "all, in another order"
    return f"{min(record['common'], 0.99999):.3%}"


def markdown(head: list[str], rows: list[list[str]]) -> None:
    print()
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")


MEASURES = {
    "pair": measure_pair,
    "first": measure_first,
    "small": measure_small,
    "raw": measure_raw,
    "scale": measure_scale,
    "levels": measure_levels,
    "start": measure_start,
}
REPORTS = {
    "pair": report_pairs,
    "small": report_small,
    "raw": report_raw,
    "scale": report_scale,
    "levels": report_levels,
}

if __name__ == "__main__":
    sys.exit(main())
