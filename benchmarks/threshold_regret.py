"""What a threshold loses on new rows against the best one in hindsight, and against the peer's.

Run: python benchmarks/threshold_regret.py [--data FOLDER] [--table NAME,...]

Twenty tables, two learners, three outer folds. For each rule: its objective on the test fold at
the threshold chosen on the training side, subtracted from the best objective of any cut-off of
the test fold (the oracle). For F1 and balanced accuracy beside scikit-learn's
TunedThresholdClassifierCV, with the paired difference. The learner is fitted once a fold and its
scores on three inner folds handed to every rule, and to the peer. Printed as Markdown.
"""

import argparse
import warnings

import numpy as np
from _binary_tables import LEARNERS, TABLES, load
from _sampler_tables import folder_of
from _timing import machine
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import (
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
)

from imbkit.metrics import balanced_accuracy_score, f1_score
from imbkit.thresholds import (
    AlertBudget,
    BestMetric,
    Constraint,
    LowestCost,
    PriorRule,
    ThresholdClassifierCV,
)

COST = {"fp": 1.0, "fn": 20.0}
# Rule -> the rule whose objective is measured, for rules that are chosen by another.
RULES = {
    "F1": (BestMetric("f1"), BestMetric("f1")),
    "F1, plug-in": (BestMetric("f1", method="plugin"), BestMetric("f1")),
    "F2": (BestMetric("fbeta", beta=2.0), BestMetric("fbeta", beta=2.0)),
    "MCC": (BestMetric("mcc"), BestMetric("mcc")),
    "G-mean": (BestMetric("gmean"), BestMetric("gmean")),
    "balanced accuracy": (BestMetric("balanced_accuracy"), BestMetric("balanced_accuracy")),
    "balanced accuracy, prior rule": (PriorRule(), BestMetric("balanced_accuracy")),
    "cost a row, swept": (LowestCost(**COST), LowestCost(**COST)),
    "cost a row, expected loss": (
        LowestCost(**COST, decision="expected_loss"),
        LowestCost(**COST),
    ),
    "recall within a budget of 5 %": (AlertBudget(0.05), AlertBudget(0.05)),
}
PROMISES = {
    "precision of 0.5": Constraint("recall_at_precision", 0.5),
    "precision of 0.5, 95 % sure": Constraint("recall_at_precision", 0.5, confidence=0.95),
    "false alarms of 5 %": Constraint("recall_at_fpr", 0.05),
    "false alarms of 5 %, 95 % sure": Constraint("recall_at_fpr", 0.05, confidence=0.95),
}
PEERS = {"f1": f1_score, "balanced_accuracy": balanced_accuracy_score}


class Given(ClassifierMixin, BaseEstimator):
    """Take the only column for the probability of class 1."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def scored(learner, X, y):
    """Yield inner scores and labels of the training side, and scores and labels of the test."""
    # Some tables are sorted: inner folds that are not shuffled would test on unlike rows.
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    for train, test in folds.split(X, y):
        model = clone(learner)
        inner = cross_val_predict(model, X[train], y[train], cv=folds, method="predict_proba")
        outer = model.fit(X[train], y[train]).predict_proba(X[test])
        yield inner[:, 1:], y[train], outer[:, 1:], y[test]


def chosen(rule, scores, y):
    """Return a classifier of scores whose threshold the rule has chosen."""
    model = ThresholdClassifierCV(Given().fit(scores, y), rule, cv="prefit", refit=False)
    return model.fit(scores, y)


def regret(judge, model, X, y):
    """Return what the best cut-off of these rows would add to the model's objective."""
    scores = model.predict_proba(X)[:, 1]
    truth = y == 1
    curve = judge.prepared(truth).curve(truth, scores)
    cut = model.rule_.chosen_by.deployed(model.threshold_)
    best = float(np.fmax.reduce(curve.objective))
    at = float(curve.at(cut))
    if not np.isfinite(at):  # more alerts than the budget: the recall that the budget buys
        at = float(curve.at(judge.threshold(curve)))
    scale = y.size if isinstance(judge, LowestCost) else 1
    return (best - at) / scale


def kept(rule, model, X, y):
    """Return whether a promise holds on new rows, and the recall."""
    alerts, truth = model.predict(X) == 1, y == 1
    hits, false = (alerts & truth).sum(), (alerts & ~truth).sum()
    if rule.metric == "recall_at_precision":
        holds = hits >= rule.limit * (hits + false)
    else:
        holds = false <= rule.limit * (~truth).sum()
    return float(holds), hits / truth.sum()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--table", default=",".join(TABLES))
    options = parser.parse_args()
    tables = options.table.split(",")
    folder = folder_of(options.data)
    warnings.simplefilter("ignore")
    regrets, promises, differences = {}, {}, {}
    for table in tables:
        X, y = load(folder, table)
        for learner in LEARNERS.values():
            for inner, y_inner, outer, y_outer in scored(learner, X, y):
                for name, (rule, judge) in RULES.items():
                    value = regret(judge, chosen(rule, inner, y_inner), outer, y_outer)
                    regrets.setdefault(name, {}).setdefault(table, []).append(value)
                for name, rule in PROMISES.items():
                    model = chosen(rule, inner, y_inner)
                    promises.setdefault(name, []).append(kept(rule, model, outer, y_outer))
                for name, score in PEERS.items():
                    peer = TunedThresholdClassifierCV(Given(), scoring=name, cv=3)
                    peer.fit(inner, y_inner)
                    pair = [
                        score(y_outer, model.predict(outer))
                        for model in (chosen(name, inner, y_inner), peer)
                    ]
                    gains = differences.setdefault(name, {}).setdefault(table, [])
                    gains.append(pair[0] - pair[1])
        print(f"{table} done", flush=True)
    print(f"\n{machine()}\n{len(tables)} tables, 2 learners, 3 folds\n")
    print("| rule | mean regret | median | worst table |\n|---|--:|--:|--:|")
    for name, by_table in regrets.items():
        means = np.array([np.mean(v) for v in by_table.values()])
        worst = list(by_table)[int(means.argmax())]
        print(f"| {name} | {means.mean():.3f} | {np.median(means):.3f} "
              f"| {means.max():.3f} ({worst}) |")  # fmt: skip
    print("\n| promise | kept on test folds | mean recall |\n|---|--:|--:|")
    for name, values in promises.items():
        holds, recall = np.mean(values, axis=0)
        print(f"| {name} | {holds:.0%} of {len(values)} | {recall:.2f} |")
    print("\n| objective | mean difference to the peer | standard error over tables "
          "| tables better / equal / worse |\n|---|--:|--:|--:|")  # fmt: skip
    for name, by_table in differences.items():
        means = np.array([np.mean(v) for v in by_table.values()])
        error = means.std(ddof=1) / np.sqrt(means.size) if means.size > 1 else np.nan
        counts = [(means > 1e-9).sum(), (abs(means) <= 1e-9).sum(), (means < -1e-9).sum()]
        print(f"| {name} | {means.mean():+.4f} | {error:.4f} | {' / '.join(map(str, counts))} |")
    print("\n| table | " + " | ".join(regrets) + " |")
    print("|---|" + "--:|" * len(regrets))
    for table in tables:
        cells = [f"{np.mean(by_table[table]):.3f}" for by_table in regrets.values()]
        print(f"| {table} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
