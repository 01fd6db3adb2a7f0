"""Which loss, when: losses, samplers and second stages of one net on ten real tables.

Run: python benchmarks/nets_study.py [--tables NAME,...] [--seeds 5] [--jobs 2] [--out FILE]

One body (two hidden layers of 128) and one optimizer for all; epochs are judged by balanced
accuracy on a tenth of the training rows. For each seed three tenths of the rows, stratified, are
for testing. Labels are those of each model as it comes; probabilities are led back to the class
shares of the training rows before the Brier score is taken. Beside the nets histogram gradient
boosting, untouched but for a threshold (or class weights) tuned for balanced accuracy by
cross-validation. Ranks and tests over tables. `--out` keeps every fit as a line of JSON, and fits
that are there already are not made again. Printed as Markdown.
"""

import os

# One core a fit: several run side by side.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from itertools import product  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402
from _binary_tables import load  # noqa: E402
from _sampler_tables import folder_of  # noqa: E402
from _timing import machine  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.metrics import (  # noqa: E402
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
)
from sklearn.model_selection import train_test_split  # noqa: E402

from imbkit.bench._ranks import average_ranks, friedman, wilcoxon_holm  # noqa: E402
from imbkit.nets import ImbalancedNetClassifier  # noqa: E402
from imbkit.thresholds import BestMetric, ThresholdClassifierCV  # noqa: E402

TABLES = (
    "ai4i2020",
    "creditcard_subset",
    "mammography",
    "nsl_kdd",
    "online_shoppers",
    "page_blocks0",
    "phoneme",
    "satimage_4",
    "sick",
    "uci_credit_default",
)
MOST_OF_A_CLASS = 4_000
SETTINGS: dict[str, Any] = {
    "max_epochs": 60,
    "patience": 12,
    "batch_size": 256,
    "lr": 2e-3,
    "device": "cpu",
}
METHODS: dict[str, dict[str, Any]] = {
    "cross-entropy": {},
    "class weights": {"class_weight": "balanced"},
    "balanced sampler": {"sampler": "class_balanced"},
    "focal": {"loss": "focal"},
    "class-balanced focal": {"loss": "cb_focal"},
    "LDAM-DRW": {"loss": "ldam_drw"},
    "balanced softmax": {"loss": "balanced_softmax"},
    "logit adjustment, tau 0.5": {"loss": "logit_adjusted", "loss_params": {"tau": 0.5}},
    "vector scaling": {"loss": "vector_scaling"},
    "AUC margin": {"loss": "auc_margin", "sampler": "dual"},
    "AnyLoss": {"loss": "any_loss", "loss_params": {"metric": "balanced_accuracy"}},
    "cRT": {"two_stage": "crt"},
}
BOOSTING = "boosting, tuned threshold"
BASELINE = "cross-entropy"
MEASURES = ("balanced accuracy", "average precision", "macro F1", "Brier score")


def table(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features and class positions; of five-class NSL-KDD at most 4,000 rows a class."""
    if name != "nsl_kdd":
        return load(folder, name)
    frame = pd.read_parquet(folder / "nsl_kdd_train.parquet")
    y = frame["target"].astype(str).to_numpy()
    rng = np.random.default_rng(0)
    kept = np.concatenate(
        [rng.permutation(np.flatnonzero(y == label))[:MOST_OF_A_CLASS] for label in np.unique(y)]
    )
    features = frame.iloc[kept].drop(columns=[c for c in frame if c.startswith("target")])
    X = pd.get_dummies(features, dtype=float).to_numpy(dtype=float)
    return X, np.unique(y[kept], return_inverse=True)[1]


def judged(truth: np.ndarray, labels: np.ndarray, p: np.ndarray) -> list[float]:
    """Return the measures, in the order of MEASURES; the last is better when smaller."""
    hot = np.eye(p.shape[1])[truth]
    ranked = (
        average_precision_score(truth == 1, p[:, 1])
        if p.shape[1] == 2
        else (average_precision_score(hot, p, average="macro"))
    )
    return [
        float(balanced_accuracy_score(truth, labels)),
        float(ranked),
        float(f1_score(truth, labels, average="macro")),
        float(((p - hot) ** 2).sum(axis=1).mean()),
    ]


def led_back(p: np.ndarray, of: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Return probabilities for other class shares."""
    moved = p * (to / of)
    return moved / moved.sum(axis=1, keepdims=True)


def one(key: tuple[str, int, str], folder: Path) -> dict:
    """Fit one method to one training part, and judge it on the test rows."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    name, seed, method = key
    X, y = table(folder, name)
    train, test, codes, truth = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    start = time.perf_counter()
    if method == BOOSTING:
        inner = HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
        model = ThresholdClassifierCV(inner, BestMetric("balanced_accuracy"))
        model.fit(train, codes)
        p, labels = model.predict_proba(test), model.predict(test)
    else:
        settings = {**SETTINGS, **METHODS[method], "random_state": seed}
        if len(np.unique(y)) > 2 and method == "AUC margin":
            settings |= {"loss": "mann_whitney", "sampler": "class_balanced"}
        model = ImbalancedNetClassifier(**settings).fit(train, codes)
        p, labels = model.predict_proba(test), model.predict(test)
        shares = np.bincount(codes) / len(codes)
        p = led_back(p, model.effective_prior_, shares)
    return {
        "table": name,
        "seed": seed,
        "method": method,
        "found": judged(truth, labels, p),
        "seconds": time.perf_counter() - start,
        "epochs": len(getattr(model, "history_", [])),
    }


def report(rows: list[dict], tables: list[str], seeds: int, folder: Path) -> None:
    """Print the tables."""
    names = [*METHODS, BOOSTING]
    found = {(r["table"], r["seed"], r["method"]): r for r in rows}
    # tables x methods x measures, means over seeds
    cube = np.array(
        [
            [
                np.mean([found[each, s, name]["found"] for s in range(seeds)], axis=0)
                for name in names
            ]
            for each in tables
        ]
    )
    print(f"{len(tables)} tables, {seeds} seeds\n\nBalanced accuracy\n")
    heads = [each.replace("_", " ") for each in tables]
    print(f"| | {' | '.join(heads)} |\n|---|{'--:|' * len(tables)}")
    for place, name in enumerate(names):
        line = cube[:, place, 0]
        best = cube[:, :, 0].max(axis=1)
        cells = [f"**{v:.3f}**" if v == b else f"{v:.3f}" for v, b in zip(line, best, strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")
    heads = ["method", *MEASURES, "rank", "better than cross-entropy on", "p", "seconds"]
    print(f"\n| {' | '.join(heads)} |\n|---|{'--:|' * (len(heads) - 1)}")
    scores = cube[:, :, 0]
    ranks, p_values, base = average_ranks(scores), wilcoxon_holm(scores), names.index(BASELINE)
    for place, name in enumerate(names):
        cells = [f"{v:.3f}" for v in cube[:, place].mean(axis=0)] + [f"{ranks[place]:.2f}"]
        more = (scores[:, place] > scores[:, base]).sum()
        cells += ["", ""] if place == base else [f"{more}", f"{p_values[place, base]:.3f}"]
        cells.append(f"{np.median([r['seconds'] for r in rows if r['method'] == name]):.1f}")
        print(f"| {name} | {' | '.join(cells)} |")
    test = friedman(scores)
    print(f"\nFriedman's chi-square {test.statistic:.1f}, p = {test.p_value:.2g} ", end="")
    print(f"(balanced accuracy); F form p = {test.f_p_value:.2g}")
    for at, name in enumerate(MEASURES[1:], start=1):
        sign = -1 if name == "Brier score" else 1
        ranked = average_ranks(sign * cube[:, :, at])
        order = np.argsort(ranked)[:4]
        said = ", ".join(f"{names[each]} {ranked[each]:.1f}" for each in order)
        print(f"\nBest ranks by {name}: {said}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("nets_study.jsonl"))
    parser.add_argument("--data", help="folder of real tables")
    options = parser.parse_args()
    folder, tables = folder_of(options.data), options.tables.split(",")
    # Seed by seed, so that a run that is stopped has all tables.
    wanted = list(product(range(options.seeds), tables, [*METHODS, BOOSTING]))
    keys = [(name, seed, method) for seed, name, method in wanted]
    kept = options.out.read_text("utf-8").splitlines() if options.out.exists() else []
    rows = {(r["table"], r["seed"], r["method"]): r for r in map(json.loads, kept)}
    missing = [key for key in keys if key not in rows]
    with (
        ProcessPoolExecutor(options.jobs) as pool,
        options.out.open("a", encoding="utf-8") as file,
    ):
        for key, row in zip(missing, pool.map(one, missing, [folder] * len(missing)), strict=True):
            rows[key] = row
            print(json.dumps(row), file=file, flush=True)
    print(f"{machine()}, torch {torch.__version__}\n")
    report([rows[key] for key in keys], tables, options.seeds, folder)


if __name__ == "__main__":
    main()
