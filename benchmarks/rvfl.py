"""Random vector functional links: seconds, memory, the rate of their sums, and other learners.

Run: python benchmarks/rvfl.py [million gram path peers] [--repeats 5] [--data FOLDER]

million  GEIFRVFLClassifier on 1,000,000 x 30, 512 random features, two classes, LDA graph,
         approximate scores, in a process of its own: seconds, and memory above the table
gram     hidden layer and Gram matrices against a bare A.T @ A of the same shape: multiplications
         a second, the one as a share of the other
path     30 values of C against one fit
peers    beside MLPClassifier, HistGradientBoostingClassifier and GrafoRVFL on three real tables:
         seconds of a fit and G-mean, ten seeds (draws of the hidden layer, and of the folds)

Threads are those that OMP_NUM_THREADS allows. What is not installed is left out.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from _binary_tables import load
from _memory import forget_peak, peak, resident
from _timing import alternate, machine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from imbkit.metrics import gmean_score
from imbkit.rvfl import EDRVFLClassifier, GEIFRVFLClassifier, RVFLClassifier
from imbkit.rvfl._device import on_device
from imbkit.rvfl._hidden import HiddenLayer
from imbkit.rvfl._lanes import add_rows
from imbkit.rvfl._statistics import Statistics

TABLES = ["abalone9_18", "mammography", "sick"]
FOLDS = 5


def made(n: int, p: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal columns; a tenth of the rows are of the class 1, by a bent boundary."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    score = X[:, 0] + np.sin(2 * X[:, 1]) * X[:, 2] + 0.5 * rng.standard_normal(n)
    return X, (score > np.quantile(score, 0.9)).astype(int)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one run, by the clock and of the processor: others may use it, too."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def million(options: argparse.Namespace) -> None:
    """Time the large fit in another process, so that its memory is its own."""
    folder = Path(__file__).resolve().parent
    code = f"import rvfl; rvfl.weigh({options.rows})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)


def weigh(n: int, p: int = 30) -> None:
    """Time fits and weigh what they need above the table."""
    X, y = made(n, p)
    settings = {"n_hidden": 512, "graph": "lda", "random_state": 0}
    models = {
        "approximate scores": {
            "n_jobs": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        },
        "no scores": {"fuzzy": None},
    }
    warnings.simplefilter("ignore")
    GEIFRVFLClassifier(**settings, **models["approximate scores"]).fit(X[:2_000], y[:2_000])
    print(f"{n:,} x {p} ({X.nbytes / 1e9:.2f} GB); target 60 s on 2 cores and 1 GB above the table")
    for name, more in models.items():
        model = GEIFRVFLClassifier(**settings, **more)
        before = resident()
        forget_peak()
        wall, cpu = timed(partial(model.fit, X, y))
        above = (peak() - before) / 1e9
        how = f" ({model.score_method_})" if "n_jobs" in more else ""
        print(
            f"{name}{how}: {wall:.1f} s ({cpu:.1f} s of CPU), {above:.2f} GB above the table at "
            f"most; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def gram(options: argparse.Namespace, n: int = 65_536, p: int = 30, n_hidden: int = 512) -> None:
    """Compare the engine's multiplications a second with those of one matrix product."""
    X, y = made(n, p)
    device = on_device(None, "benchmark")
    weights, scores = np.ones(n), np.random.default_rng(1).uniform(0.1, 1, n)
    layer = HiddenLayer.drawn(
        p,
        n_hidden,
        1.0,
        np.random.RandomState(0),
        activation="relu",
        direct_link=True,
        output_bias=True,
    )
    A = np.random.default_rng(2).standard_normal((n, layer.width))
    one, hidden = n * layer.width**2, 2 * n * p * n_hidden

    def bare() -> float:
        return timed(lambda: A.T @ A)[options.cpu]

    def engine(scatter: bool) -> float:
        return timed(partial(run, scatter))[options.cpu]

    def run(scatter: bool) -> None:
        sums = Statistics(2, layer.width, 0, scatter=scatter, device=device)
        add_rows(sums, layer, X, (y, weights, scores, None), size=8192, device=device)

    print("| sums | bare | engine | operations of the engine | rate beside the bare one's |")
    print("|---|--:|--:|--:|--:|")
    for name, scatter in {"Gram by class": False, "and scatter, for a graph": True}.items():
        one_product, whole = alternate(bare, partial(engine, scatter), options.repeats)
        work = hidden + one * (1 + scatter)
        rate = work / whole / (one / one_product)
        print(f"| {name} | {one_product:.3f} s | {whole:.3f} s | {work / 1e9:.1f} G | {rate:.0%} |")


def path(options: argparse.Namespace) -> None:
    """Compare a path of 30 values of C with a fit."""
    X, y = made(50_000, 30)
    Cs = np.logspace(-4, 4, 30)
    shown = {
        "RVFLClassifier(512)": RVFLClassifier(512, class_weight="balanced", random_state=0),
        "GEIFRVFLClassifier(512), symmetric graph": GEIFRVFLClassifier(
            512, fuzzy=None, graph_form="symmetric", random_state=0
        ),
        "GEIFRVFLClassifier(512), the authors' graph": GEIFRVFLClassifier(
            512, fuzzy=None, random_state=0
        ),
    }
    for name, model in shown.items():

        def both(model: Any = model) -> None:
            model.fit(X, y).coef_path(Cs)

        alone, whole = alternate(partial(model.fit, X, y), both, options.repeats)
        print(
            f"{name}, {len(X):,} x 30: fit {alone:.3f} s, fit and path {whole:.3f} s: "
            f"{whole / alone:.2f} times; target 1.5",
            flush=True,
        )


def learners(seed: int) -> dict[str, Any]:
    """The learners, with their defaults but for what is named; classes weigh alike where named."""
    found = {
        "RVFL": RVFLClassifier(random_state=seed),
        "RVFL, balanced": RVFLClassifier(class_weight="balanced", random_state=seed),
        "GE-IFRVFL": GEIFRVFLClassifier(random_state=seed),
        "edRVFL, balanced": EDRVFLClassifier(class_weight="balanced", random_state=seed),
        "MLPClassifier": MLPClassifier(max_iter=500, random_state=seed),
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
        "HistGradientBoosting, balanced": HistGradientBoostingClassifier(
            class_weight="balanced", random_state=seed
        ),
    }
    try:
        peer = import_module("graforvfl").RvflClassifier
    except ImportError:
        return found
    found["GrafoRVFL"] = peer(size_hidden=100, act_name="relu", reg_alpha=1.0, seed=seed)
    return found


def peers(options: argparse.Namespace) -> None:
    """Compare learners on real tables."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(options.data or os.environ.get("IMBKIT_DATA", default))
    if not (folder / f"{TABLES[0]}.parquet").is_file():
        print(f"left out: no tables at {folder}; pass --data FOLDER")
        return
    if "GrafoRVFL" not in learners(0):
        print("GrafoRVFL is left out: it is not installed\n")
    print("| table | learner | seconds of a fit | G-mean, mean and deviation over seeds |")
    print("|---|---|--:|--:|")
    for table in TABLES:
        X, y = load(folder, table)
        y = y.astype(int)
        seconds: dict[str, list[float]] = {name: [] for name in learners(0)}
        means: dict[str, list[float]] = {name: [] for name in seconds}
        for seed in range(options.seeds):
            folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(X, y))
            for name, learner in learners(seed).items():
                found = np.empty_like(y)
                for train, test in folds:
                    scale = StandardScaler().fit(X[train])
                    rows = scale.transform(X[train])
                    start = time.perf_counter()
                    learner.fit(rows, y[train])
                    seconds[name].append(time.perf_counter() - start)
                    found[test] = np.ravel(learner.predict(scale.transform(X[test])))
                means[name].append(gmean_score(y, found))
        for name, each in means.items():
            print(
                f"| {table} ({X.shape[0]:,} x {X.shape[1]}, {y.mean():.1%}) | {name} "
                f"| {median(seconds[name]):.4f} | {np.mean(each):.3f} +- {np.std(each):.3f} |",
                flush=True,
            )


PARTS = {"million": million, "gram": gram, "path": path, "peers": peers}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=[*PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of million")
    parser.add_argument("--seeds", type=int, default=10, help="of peers")
    parser.add_argument("--data")
    parser.add_argument("--cpu", action="store_true", help="of gram: seconds of the processor")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"parts are {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")
    print(machine())
    for name in options.parts:
        print(f"\n## {name}\n", flush=True)
        PARTS[name](options)


if __name__ == "__main__":
    main()
