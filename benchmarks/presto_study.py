"""The synthetic study of PRESTO's paper, and its error measure on real data.

Run: python benchmarks/presto_study.py [--settings S3,D1] [--draws 200] [--jobs 2] [--out FILE]
     python benchmarks/presto_study.py --slip [--data FOLDER]
     python benchmarks/presto_study.py --prediabetes FILE.csv --splits 200

Ten settings of 2,500 rows, 10 features, 4 classes of which the last is rare. For each draw:
the mean squared error of the rare class's probability over the training rows, for PRESTO (5-fold
cross-validation by the Brier score over 20 penalties from the largest to a hundredth of it),
a logistic regression of the last class, proportional odds, in two settings PRESTO with a ridge
penalty, and in S3 PRESTO tuned as we read the authors' code, which predicts in the
cross-validation with differences of weights as if they were weights. `--out` keeps every draw as
a line of JSON, and draws that are there already are not made again.

`--slip` shows what the paper's measure of error on real data rewards. Printed as Markdown.
"""

import os

# One core a draw: several draws run side by side.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from _presto_draws import PAPER, SETTINGS, Draw, draw  # noqa: E402
from _timing import machine  # noqa: E402
from scipy.special import expit  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import KFold  # noqa: E402

from imbkit.ordinal import (  # noqa: E402
    PRESTOClassifier,
    PRESTOClassifierCV,
    ProportionalOddsClassifier,
    presto_path,
)

RIDGE = ("S0", "S3")
MISTUNED = ("S3",)
GRID = {"alphas": 20, "eps": 0.01}


def folds_of(y: np.ndarray, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Five random folds, not stratified, dealt again until each training part has all classes."""
    for attempt in range(1_000):
        cv = KFold(5, shuffle=True, random_state=1_000 * number + attempt)
        folds = list(cv.split(y))
        if all(np.unique(y[train]).size == np.unique(y).size for train, _ in folds):
            return folds
    raise RuntimeError("no folds with every class in every training part")


def mistuned(rows: Draw, folds: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Rare probabilities of PRESTO whose penalty was chosen by predictions without summing up."""
    alphas = presto_path(rows.X, rows.y, **GRID)[0]
    brier = np.zeros(len(alphas))
    truth = np.eye(4)[rows.y]
    for train, test in folds:
        _, coefs, intercepts, _ = presto_path(rows.X[train], rows.y[train], alphas=alphas)
        mean = rows.X[train].mean(axis=0)
        for position in range(len(alphas)):
            weights, constants = coefs[:, :, position], intercepts[:, position]
            centred = constants + weights @ mean
            differences = np.diff(weights, axis=0, prepend=0.0)
            beyond = expit(centred + (rows.X[test] - mean) @ differences.T)
            edges = np.column_stack([np.ones(test.size), beyond, np.zeros(test.size)])
            errors = truth[test] + np.diff(edges, axis=1)
            brier[position] += (errors**2).sum(axis=1).mean()
    # Alphas descend: the first of equal ones is the largest.
    model = PRESTOClassifier(alphas[int(brier.argmin())]).fit(rows.X, rows.y)
    return model.predict_exceedance(rows.X)[:, -1]


def measure(name: str, number: int) -> dict:
    """Fit every method to one draw."""
    warnings.simplefilter("ignore")
    rows = draw(name, number)
    folds = folds_of(rows.y, number)
    start = time.perf_counter()
    presto = PRESTOClassifierCV(**GRID, cv=folds, scoring="brier").fit(rows.X, rows.y)
    seconds = time.perf_counter() - start
    logistic = LogisticRegression(C=np.inf, max_iter=1_000, tol=1e-8).fit(rows.X, rows.y == 3)
    found = {
        "PRESTO": presto.predict_exceedance(rows.X)[:, -1],
        "Logit": logistic.predict_proba(rows.X)[:, 1],
        "PO": ProportionalOddsClassifier().fit(rows.X, rows.y).predict_exceedance(rows.X)[:, -1],
    }
    if name in RIDGE:
        ridge = PRESTOClassifierCV(**GRID, cv=folds, scoring="brier", l1_ratio=0.0)
        found["ridge"] = ridge.fit(rows.X, rows.y).predict_exceedance(rows.X)[:, -1]
    if name in MISTUNED:
        found["mis-tuned"] = mistuned(rows, folds)
    return {
        "setting": name,
        "draw": number,
        "rare": float(rows.rare.mean()),
        "seconds": seconds,
        "alpha": float(presto.alpha_),
        "mse": {method: float(((p - rows.rare) ** 2).mean()) for method, p in found.items()},
    }


def quartiles(values: np.ndarray) -> str:
    """Lower quartile, median and upper quartile."""
    return "/".join(f"{value:.3g}" for value in np.quantile(values, [0.25, 0.5, 0.75]))


def report(rows: list[dict]) -> None:
    """Print the tables and what became of the targets."""
    by_setting = {
        name: sorted((row for row in rows if row["setting"] == name), key=lambda r: r["draw"])
        for name in SETTINGS
    }
    errors = {
        name: {
            method: 1e5 * np.array([row["mse"][method] for row in own]) for method in own[0]["mse"]
        }
        for name, own in by_setting.items()
        if own
    }
    print(
        "| setting | draws | rare % | PRESTO | Logit | PO | P/L | P/PO | wins over Logit, PO "
        "| medians of the paper: PRESTO, Logit, PO, P/L, P/PO |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name, error in errors.items():
        ratios = [error["PRESTO"] / error[other] for other in ("Logit", "PO")]
        rare = 100 * np.mean([row["rare"] for row in by_setting[name]])
        cells = [name, str(len(by_setting[name])), f"{rare:.3f}"]
        cells += [quartiles(error[method]) for method in ("PRESTO", "Logit", "PO")]
        cells += [quartiles(ratio) for ratio in ratios]
        cells += [", ".join(f"{(ratio < 1).mean():.0%}" for ratio in ratios)]
        cells += [", ".join(f"{value:.3g}" for value in PAPER[name])]
        print(f"| {' | '.join(cells)} |")
    for other, label in (("ridge", "ridge penalty"), ("mis-tuned", "tuned without summing up")):
        for name, error in errors.items():
            if other in error:
                ratios = {
                    "PRESTO over it": error["PRESTO"] / error[other],
                    "it over Logit": error[other] / error["Logit"],
                    "it over PO": error[other] / error["PO"],
                }
                text = "; ".join(f"{key} {quartiles(ratio)}" for key, ratio in ratios.items())
                print(f"\n{name}, {label}: {quartiles(error[other])}; {text}")
    seconds = np.array([row["seconds"] for row in rows])
    print(f"\nPRESTO with cross-validation: median {np.median(seconds):.2f} s a draw")
    print("\n| target | setting | found | holds |\n|---|---|--:|---|")
    for name, error in errors.items():
        over = [float(np.median(error["PRESTO"] / error[other])) for other in ("Logit", "PO")]
        off = [
            float(np.median(error[other]) / paper - 1)
            for other, paper in zip(("Logit", "PO"), PAPER[name][1:3], strict=True)
        ]
        # The median's own error is 6 % at 200 draws; at 700 the targets are closer.
        reach = 0.15 if len(by_setting[name]) >= 700 else 0.25
        said = f"P/L {over[0]:.3f}, P/PO {over[1]:.3f}"
        line("1: P/L < 0.85, P/PO < 1", name, said, over[0] < 0.85 and over[1] < 1)
        if name == "S3":
            line("1: P/PO in [0.45, 0.62]", name, f"{over[1]:.3f}", 0.45 <= over[1] <= 0.62)
        said = f"Logit {off[0]:+.0%}, PO {off[1]:+.0%}"
        line(f"2: within {reach:.0%} of the paper", name, said, max(map(abs, off)) <= reach)


def line(target: str, name: str, found: str, holds: bool) -> None:
    """Print one line of the table of targets."""
    print(f"| {target} | {name} | {found} | {'yes' if holds else '**no**'} |")


def synthetic(options: argparse.Namespace) -> None:
    """Make the draws that are missing, and report on all of the settings asked for."""
    settings = options.settings.split(",")
    kept = options.out.read_text("utf-8").splitlines() if options.out.exists() else []
    rows = {(row["setting"], row["draw"]): row for row in map(json.loads, kept)}
    wanted = [(name, number) for name in settings for number in range(options.draws)]
    missing = [key for key in wanted if key not in rows]
    with (
        ProcessPoolExecutor(options.jobs) as pool,
        options.out.open("a", encoding="utf-8") as file,
    ):
        for row in pool.map(measure, *zip(*missing, strict=True)) if missing else ():
            rows[row["setting"], row["draw"]] = row
            print(json.dumps(row), file=file, flush=True)
    print(f"{machine()}\n")
    report([rows[key] for key in wanted])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", default=",".join(SETTINGS))
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("presto_study.jsonl"))
    parser.add_argument("--slip", action="store_true", help="the measure of error on real data")
    parser.add_argument("--prediabetes", type=Path, help="PreDiabetes of MLDataR as CSV")
    parser.add_argument("--splits", type=int, default=12, help="random splits a table or cut-off")
    parser.add_argument("--data", help="folder of real tables")
    options = parser.parse_args()
    if options.slip or options.prediabetes:
        import _binned_error

        print(f"{machine()}\n")
        _binned_error.show(options.prediabetes, options.data, options.splits)
    else:
        synthetic(options)


if __name__ == "__main__":
    main()
