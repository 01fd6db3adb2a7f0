"""The counts at every cut-off beside the least that any such sweep does.

Measured: ``imbkit.metrics.sweep``, without and with weights, against one ``numpy.argsort`` of
the same scores and two cumulative sums over the rows. The bare side puts nothing in order and
checks nothing; for comparison a third line lets it do what a sweep by hand needs besides: take
labels (and weights) in the order of the scores. At most 1.5 times the bare side is wanted.

Run: python benchmarks/sweep.py [--rows 10000000] [--repeats 5] [--distinct 1000]
"""

import argparse
from collections.abc import Callable

import numpy as np
from _timing import alternate, machine

from imbkit.metrics import sweep


def bare(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> None:
    """One argsort and two cumulative sums."""
    np.argsort(score)
    np.cumsum(y if weight is None else weight)
    np.cumsum(y if weight is None else weight)


def by_hand(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> None:
    """The same, with the sums in the order of the scores."""
    order = np.argsort(score)[::-1]
    hit = y[order]
    if weight is None:
        np.cumsum(hit)
        np.cumsum(~hit)
    else:
        ordered = weight[order]
        np.cumsum(ordered * hit)
        np.cumsum(ordered * ~hit)


def measure(
    other: Callable[..., None],
    y: np.ndarray,
    score: np.ndarray,
    weight: np.ndarray | None,
    repeats: int,
) -> tuple[float, float]:
    """Median seconds of the sweep and of the other side."""
    return alternate(lambda: sweep(y, score, weight), lambda: other(y, score, weight), repeats)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5, help="at least 5 for a firm median")
    parser.add_argument(
        "--distinct", type=int, help="round scores to so many values (default: no ties)"
    )
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    y = rng.random(options.rows) < 0.02
    score = rng.normal(size=options.rows) + y
    if options.distinct:
        edges = np.quantile(score, np.linspace(0, 1, options.distinct + 1)[1:-1])
        score = np.searchsorted(edges, score).astype(float)
    weight = rng.random(options.rows)

    print(machine())
    ties = f"{options.distinct:,} distinct scores" if options.distinct else "no ties"
    print(f"{options.rows:,} rows, {ties}, medians of {options.repeats} runs, alternating")
    print(f"{'':12}{'beside':34}{'sweep':>10}{'other':>10}{'ratio':>8}")
    for title, weights in (("unweighted", None), ("weighted", weight)):
        for name, other in (
            ("argsort and two sums", bare),
            ("the same, in order of the scores", by_hand),
        ):
            ours, theirs = measure(other, y, score, weights, options.repeats)
            times = f"{ours:>8.3f} s{theirs:>8.3f} s{ours / theirs:>8.2f}"
            print(f"{title:12}{name:34}{times}", flush=True)


if __name__ == "__main__":
    main()
