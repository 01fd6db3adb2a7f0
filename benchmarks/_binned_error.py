"""What the paper's error measure on real data rewards, as we read the authors' code.

Test rows are sorted by their predicted probability and cut into bins of equal counts; the measure
is the mean squared distance of a row's prediction to the share of the rare class in its bin. By
our reading the code pairs the shares of the sorted rows with the predictions in their first
order. A prediction is then held against the bin of an unrelated row.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _ordered_tables import load
from _sampler_tables import folder_of
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from imbkit.ordinal import PRESTOClassifierCV, ProportionalOddsClassifier

__all__ = ["binned_error", "show"]

CUTOFFS = (30, 35, 40, 45, 50, 55, 60, 65)
SHARES = (0.0092, 0.0206, 0.0399, 0.0771, 0.1442, 0.2556, 0.3808, 0.5093)
"""Of the rare class in the prediabetes table at each cut-off."""
PAPER = {
    "Logit": (0.0096, 0.0237, 0.0468, 0.1152, 0.2111, 0.3360, 0.4135, 0.4480),
    "PO": (0.0092, 0.0218, 0.0481, 0.1175, 0.2131, 0.3401, 0.4182, 0.4473),
}
"""Means of the paper's figure 4, read off."""
TABLES = ("car_evaluation", "online_shoppers", "winequality_white, 8 or 9")
SHARPNESS = 6.0
PRESTO_SPLITS = 12
"""Of the splits, the first ones on which PRESTO is fitted, too: it takes long."""


def binned_error(truth: np.ndarray, predicted: np.ndarray, *, slipped: bool = False) -> float:
    """Mean squared distance of predictions to the rare share of their bin.

    Slipped, the shares stand in the order of the sorted rows and the predictions do not.
    """
    order = np.argsort(predicted, kind="stable")
    n_bins = max(round(truth.size / 100), 10)
    shares = np.concatenate(
        [np.full(part.size, truth[part].mean()) for part in np.array_split(order, n_bins)]
    )
    partners = predicted if slipped else predicted[order]
    return float(((partners - shares) ** 2).mean())


def show(prediabetes: Path | None, data: str | None, n_splits: int) -> None:
    """Print the demonstrations, and the paper's figure where its table is given."""
    # Cars for two are all refused: proportional odds without a penalty has no optimum there.
    warnings.simplefilter("ignore", ConvergenceWarning)
    if prediabetes is not None:
        figure(pd.read_csv(prediabetes), n_splits)
        return
    simulated()
    real_tables(folder_of(data), n_splits)
    print("\nfigure 4 is made by --prediabetes alone")


def simulated(n_test: int = 306, n_draws: int = 200) -> None:
    """The true probabilities against one constant, at the shares of the paper's table."""
    print("One feature, test sets of 306 rows, means of 200 draws. True: the true probability")
    print("of each row; constant: the share of the rare class in all rows.\n")
    print("| rare share p | 2p(1-p) | slipped: true | constant | correct: true | constant ", end="")
    print("| Brier: true | constant |\n|--:|--:|--:|--:|--:|--:|--:|--:|")
    rng = np.random.default_rng(0)
    grid = np.linspace(-4, 4, 2_001)
    density = np.exp(-(grid**2) / 2) / np.exp(-(grid**2) / 2).sum()
    for share in SHARES:
        constant = brentq(lambda c, s=share: density @ expit(c + SHARPNESS * grid) - s, -60, 60)
        found = []
        for _ in range(n_draws):
            p = expit(constant + SHARPNESS * rng.normal(size=n_test))
            truth = (rng.random(n_test) < p).astype(float)
            pair = (p, np.full(n_test, share))
            found.append(
                [binned_error(truth, q, slipped=slipped) for slipped in (True, False) for q in pair]
                + [((q - truth) ** 2).mean() for q in pair]
            )
        means = np.mean(found, axis=0)
        cells = [f"{share:.4f}", f"{2 * share * (1 - share):.4f}", *(f"{m:.4f}" for m in means)]
        print(f"| {' | '.join(cells)} |")


def splits_of(y: np.ndarray, n_splits: int):
    """Yield random splits into 90 and 10 %, dealt again until both parts have every class."""
    rng = np.random.default_rng(0)
    n_test = round(0.1 * y.size)
    while n_splits:
        order = rng.permutation(y.size)
        test, train = order[:n_test], order[n_test:]
        if np.unique(y[test]).size == np.unique(y[train]).size == np.unique(y).size:
            n_splits -= 1
            yield train, test


def predictions(
    X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, *, slow: bool
) -> dict:
    """Probabilities of the last class on test rows, by method; PRESTO if `slow`."""
    last = y == y.max()
    # Columns on one scale: the optimisers of the peers stop early otherwise.
    mean, spread = X[train].mean(axis=0), X[train].std(axis=0)
    X = (X - mean) / np.where(spread > 0, spread, 1.0)
    logistic = LogisticRegression(C=np.inf, max_iter=2_000).fit(X[train], last[train])
    ordered = {"PO": ProportionalOddsClassifier()}
    if slow:
        ordered["PRESTO"] = PRESTOClassifierCV(alphas=50, cv=5)
    found = {"Logit": logistic.predict_proba(X[test])[:, 1]}
    for name, model in ordered.items():
        found[name] = model.fit(X[train], y[train]).predict_proba(X[test])[:, -1]
    found["constant"] = np.full(test.size, last[train].mean())
    return found


def measured(X: np.ndarray, y: np.ndarray, n_splits: int) -> dict[str, np.ndarray]:
    """Means over splits of the slipped measure, the correct one and the Brier score."""
    rows: dict[str, list] = {}
    for number, (train, test) in enumerate(splits_of(y, n_splits)):
        truth = (y[test] == y.max()).astype(float)
        slow = number < PRESTO_SPLITS
        for name, p in predictions(X, y, train, test, slow=slow).items():
            three = [binned_error(truth, p, slipped=slipped) for slipped in (True, False)]
            rows.setdefault(name, []).append([*three, brier_score_loss(truth, p)])
    return {name: np.mean(each, axis=0) for name, each in rows.items()}


def real_tables(folder: Path, n_splits: int) -> None:
    """The same on real tables, beside the Brier score of the last class."""
    if not folder.is_dir():
        print(f"\nno real tables at {folder}")
        return
    print(f"\n{n_splits} random splits 90 : 10\n")
    print("| table | model | slipped | correct | Brier |\n|---|---|--:|--:|--:|")
    for table in TABLES:
        for name, means in measured(*load(folder, table), n_splits).items():
            print(f"| {table} | {name} | {' | '.join(f'{m:.4f}' for m in means)} |", flush=True)


def figure(frame: pd.DataFrame, n_splits: int) -> None:
    """The paper's figure 4 at each cut-off of age, slipped, and what the table says unslipped."""
    X = frame[["Age", "Sex", "IMD_Decile", "BMI", "HbA1C"]].to_numpy(dtype=float)
    print(f"\nPrediabetes, {len(frame):,} rows, {n_splits} random splits 90 : 10\n")
    print("| cut-off | model | slipped | the paper | off | correct | Brier |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    for position, cutoff in enumerate(CUTOFFS):
        ill = frame["Age_Diabetes"].to_numpy() < cutoff
        before = ~ill & (frame["Age_PreDiabetes"].to_numpy() < cutoff)
        for name, means in measured(X, np.where(ill, 2, before.astype(int)), n_splits).items():
            paper, off = "", ""
            if name in PAPER:
                paper = f"{PAPER[name][position]:.4f}"
                off = f"{means[0] / PAPER[name][position] - 1:+.1%}"
            cells = [f"{means[0]:.4f}", paper, off, f"{means[1]:.4f}", f"{means[2]:.4f}"]
            print(f"| {cutoff} | {name} | {' | '.join(cells)} |", flush=True)
