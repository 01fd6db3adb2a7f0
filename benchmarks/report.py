"""How long a page takes to make from the rows of a run, and how large it is.

The page holds curves of at most 300 points a fold and no rows of the table, so its size does
not grow with them. There is no peer to compare with; wanted are 2 seconds and 2 MB.

Run: python benchmarks/report.py [--rows 1000000] [--repeats 5]
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from _timing import machine
from sklearn.naive_bayes import GaussianNB

from imbkit.bench import compare
from imbkit.bench._report import render_html
from imbkit.bench._rows import read_rows
from imbkit.bench._summary import summarise


def main() -> None:
    """Compare on a made table, then render its page several times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    y = (rng.random(arguments.rows) < 0.01).astype(int)
    X = rng.normal(size=(arguments.rows, 6)) + y[:, None]
    amount = rng.gamma(2.0, 50.0, size=arguments.rows)
    print(machine())
    with TemporaryDirectory() as folder:
        compare(
            X,
            y,
            quick=True,
            learners=[GaussianNB()],
            costs={"fn_cost": amount, "fp_cost": 5.0},
            alerts=0.005 * arguments.rows,
            output=folder,
            n_jobs=-1,
        )
        plan, _, rows = read_rows(Path(folder))
        summing, rendering = [], []
        for _ in range(arguments.repeats):
            start = perf_counter()
            summary = summarise(plan, rows, wall_seconds=0.0)
            middle = perf_counter()
            page = render_html(summary)
            summing.append(middle - start)
            rendering.append(perf_counter() - middle)
        size = len(page.encode())
        print(f"{arguments.rows:,} rows, {len(summary['entries'])} entries, {len(rows)} cells")
        print(f"summary {np.median(summing):.2f} s, page {np.median(rendering):.2f} s (medians)")
        print(f"page {size / 1e6:.2f} MB, rows.jsonl {_size(folder, 'rows.jsonl'):.2f} MB")


def _size(folder: str, name: str) -> float:
    return Path(folder, name).stat().st_size / 1e6


if __name__ == "__main__":
    main()
