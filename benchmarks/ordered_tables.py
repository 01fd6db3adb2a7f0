"""The rarest class of ordered tables: PRESTO beside simpler models, by proper scores.

Run: python benchmarks/ordered_tables.py [--data FOLDER] [--table NAME;...] [--repeats 2] [--jobs 1]

Five stratified folds that keep equal rows together, repeated. For the last class against the rest:
log-loss and Brier score on test folds of PRESTO (penalty by 3-fold cross-validation, scored by
the log-loss of all classes, or of the last one), proportional odds, logistic regressions of the
last class alone (scikit-learn's as it comes, and a lasso with its penalty chosen like PRESTO's),
histogram boosting of it, and a constant, the share in training. Beside the means the paired
difference of PRESTO to each of the others with its 95 % interval (corrected for overlapping
training rows). Printed as Markdown, whatever comes out.
"""

import os

# One core a fold: several folds run side by side.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import warnings  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from functools import partial  # noqa: E402

import numpy as np  # noqa: E402
from _ordered_tables import TABLES, load  # noqa: E402
from _sampler_tables import folder_of  # noqa: E402
from _timing import machine  # noqa: E402
from sklearn.dummy import DummyClassifier  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import brier_score_loss, log_loss  # noqa: E402
from sklearn.model_selection import StratifiedKFold  # noqa: E402

from imbkit.bench._stats import corrected_interval  # noqa: E402
from imbkit.ordinal import PRESTOClassifierCV, ProportionalOddsClassifier  # noqa: E402

N_FOLDS = 5
ORDERED = {
    "PRESTO": PRESTOClassifierCV(alphas=50),
    "PRESTO, rare log-loss": PRESTOClassifierCV(alphas=50, scoring="neg_rare_log_loss"),
    "proportional odds": ProportionalOddsClassifier(),
}
BINARY = {
    "logistic": LogisticRegression(max_iter=2_000),
    "logistic, lasso": PRESTOClassifierCV(alphas=50),
    "boosting": HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=0),
    "constant": DummyClassifier(),
}
SCORES = {"log-loss": log_loss, "Brier": brier_score_loss}


def folds_of(y: np.ndarray, same: np.ndarray, n_folds: int, seed: int) -> list:
    """Folds that keep equal rows together, stratified by the largest class among them."""
    groups, position = np.unique(same, return_inverse=True)
    largest = np.zeros(len(groups), dtype=int)
    np.maximum.at(largest, position, y)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    tested = [np.isin(position, test) for _, test in splitter.split(groups, largest)]
    return [(np.flatnonzero(~test), np.flatnonzero(test)) for test in tested]


def cell(
    X: np.ndarray, y: np.ndarray, same: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, list[float]]:
    """Return the test scores of one fold, one row a model in the order of SCORES.

    And the shares of test rows at which the boundaries of the ordered models cross.
    """
    warnings.simplefilter("ignore")
    last = y == y.max()
    found = []
    for models, target in ((ORDERED, y), (BINARY, last)):
        for model in models.values():
            if isinstance(model, PRESTOClassifierCV):
                model.set_params(cv=folds_of(target[train], same[train], 3, seed=0))
            model.fit(X[train], target[train])
            found.append(model.predict_proba(X[test])[:, -1])
    truth = last[test].astype(int)
    scores = [[score(truth, p, labels=[0, 1]) for score in SCORES.values()] for p in found]
    return np.array(scores), [model.crossing_rate(X[test]) for model in ORDERED.values()]


def interval(values: np.ndarray) -> str:
    """A mean and its 95 % interval."""
    mean, low, high = corrected_interval(values, 1 / (N_FOLDS - 1))
    return f"{mean:+.5f} ({low:+.5f} to {high:+.5f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--table", default=";".join(TABLES), help="names, separated by semicolons")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    folder = folder_of(options.data)
    names = [*ORDERED, *BINARY]
    print(f"{machine()}\n{N_FOLDS} folds, {options.repeats} repeats; smaller is better\n")
    for table in options.table.split(";"):
        X, y = load(folder, table)
        counts = np.bincount(y)
        print(f"**{table}**: {len(y):,} rows, {X.shape[1]} columns, classes {counts.tolist()}; ")
        print(f"the last class is {TABLES[table]} ({counts[-1] / len(y):.2%})\n")
        same = np.unique(X, axis=0, return_inverse=True)[1]
        folds = [f for seed in range(options.repeats) for f in folds_of(y, same, N_FOLDS, seed)]
        with ProcessPoolExecutor(options.jobs) as pool:
            found = list(pool.map(partial(cell, X, y, same), *zip(*folds, strict=True)))
        cells = np.array([scores for scores, _ in found])
        rates = np.mean([rates for _, rates in found], axis=0)
        shares = [f"{name} {rate:.1%}" for name, rate in zip(ORDERED, rates, strict=True)]
        print(f"boundaries cross in: {', '.join(shares[:-1])}\n")
        print("| model | log-loss | Brier | PRESTO minus it: log-loss | Brier |")
        print("|---|--:|--:|--:|--:|", flush=True)
        for position, name in enumerate(names):
            means = [f"{value:.5f}" for value in cells[:, position].mean(axis=0)]
            pairs = ["", ""]
            if position:
                pairs = [interval(each) for each in (cells[:, 0] - cells[:, position]).T]
            print(f"| {name} | {' | '.join(means + pairs)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
