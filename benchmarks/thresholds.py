"""The threshold step beside scikit-learn's and beside one sort, and the objective reached.

Run: python benchmarks/thresholds.py [n_rows] [repeats] [n_scores]

Either side's own share is the time of its ``fit`` less what it spends in the estimator's fits
and predictions, which are the same for both: five folds and a refit. Then every rule's step on
one million scores, from scores to threshold, beside ``numpy.argsort`` of the same scores.
"""

import sys
import time

import numpy as np
from _timing import alternate, machine
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB

from imbkit.thresholds import (
    AlertBudget,
    BestMetric,
    Constraint,
    LowestCost,
    PriorRule,
    ThresholdClassifierCV,
)

# Each rule, and whether the rows have weights.
RULES = [
    (BestMetric("f1"), False),
    (BestMetric("f1"), True),
    (BestMetric("mcc"), False),
    (BestMetric("gmean"), False),
    (BestMetric("balanced_accuracy"), False),
    (BestMetric("f1", method="plugin"), False),
    (BestMetric("f1", method="plugin"), True),
    (LowestCost(fn=10.0), False),
    (LowestCost(fn=10.0), True),
    (LowestCost(fp=5.0, fn="amount"), False),
    (LowestCost(fp=5.0, fn="amount"), True),
    (LowestCost(fn=10.0, decision="expected_loss"), False),
    (LowestCost(fp=5.0, fn="amount", decision="expected_loss"), False),
    (Constraint("recall_at_precision", 0.3), False),
    (Constraint("recall_at_precision", 0.3, confidence=0.9), False),
    (Constraint("precision_at_recall", 0.5), False),
    (Constraint("recall_at_fpr", 0.01), False),
    (Constraint("recall_at_fpr", 0.01), True),
    (AlertBudget(1000), False),
    (AlertBudget(0.01), True),
    (AlertBudget(1000, mode="topk"), False),
    (AlertBudget(10, mode="topk", period="day"), False),
    (AlertBudget(10, mode="topk", period="day", entity="card"), False),
    (PriorRule(), False),
]


class TimedNB(GaussianNB):
    """A cheap learner that adds up the time spent in it."""

    spent = 0.0

    def fit(self, X, y, sample_weight=None):
        start = time.perf_counter()
        super().fit(X, y, sample_weight)
        TimedNB.spent += time.perf_counter() - start
        return self

    def predict_proba(self, X):
        start = time.perf_counter()
        result = super().predict_proba(X)
        TimedNB.spent += time.perf_counter() - start
        return result


def own_share(model: BaseEstimator, X: np.ndarray, y: np.ndarray) -> float:
    """Seconds of a fit outside the estimator."""
    TimedNB.spent = 0.0
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start - TimedNB.spent


def beside_one_sort(n_scores: int, repeats: int) -> None:
    """Print each rule's time from scores to threshold, and its ratio to one argsort."""
    random = np.random.default_rng(0)
    positive = random.random(n_scores) < 0.02
    scores = 1 / (1 + np.exp(4 - 2 * positive - random.normal(size=n_scores)))
    weight = random.gamma(2.0, size=n_scores)
    values = {
        "amount": random.gamma(2.0, 50.0, size=n_scores),
        "day": random.integers(0, 100, n_scores),
        "card": random.integers(0, max(n_scores // 10, 1), n_scores),
        "tie_keys": random.integers(0, 2**63, n_scores).astype(np.uint64),
    }
    print(f"\n{n_scores:,} scores, alternating with argsort, median of {repeats} runs")
    print(f"{'':66}{'rule':>9}{'argsort':>10}{'ratio':>7}")
    for rule, weighted in RULES:
        own = {name: values[name] for name in rule.row_names()}
        ready = rule.prepared(positive, **own)
        needed = {name: values[name] for name in rule.decision_names()}

        def step(rule=ready, own=own, needed=needed, weight=weight if weighted else None):
            curve = rule.curve(positive, rule.rescored(scores, **needed), weight, **own)
            return str(rule.threshold(curve))

        seconds, sort = alternate(step, lambda: np.argsort(scores), repeats)
        label = " ".join(repr(rule).split()) + (", weights" if weighted else "")
        times = f"{1e3 * seconds:>6.0f} ms{1e3 * sort:>7.0f} ms"
        print(f"{label:66}{times}{seconds / sort:>7.2f}")


def main(n_rows: int = 200_000, repeats: int = 5, n_scores: int = 1_000_000) -> None:
    X, y = make_classification(
        n_rows, n_features=10, n_informative=5, weights=[0.98], flip_y=0.01, random_state=0
    )
    ours = ThresholdClassifierCV(TimedNB(), "f1", cv=5)
    theirs = TunedThresholdClassifierCV(TimedNB(), scoring="f1", cv=5)
    t_ours, t_theirs = alternate(
        lambda: own_share(ours, X, y), lambda: own_share(theirs, X, y), repeats
    )
    scores = cross_val_predict(GaussianNB(), X, y, cv=StratifiedKFold(5), method="predict_proba")[
        :, 1
    ]
    print(machine())
    print(f"{n_rows:,} rows, {y.mean():.1%} positive, f1, 5 folds, median of {repeats} runs")
    print(f"{'':32}{'own share':>12}{'threshold':>12}{'pooled f1':>12}")
    for name, seconds, threshold in (
        ("ThresholdClassifierCV", t_ours, ours.threshold_),
        ("TunedThresholdClassifierCV", t_theirs, theirs.best_threshold_),
    ):
        value = f1_score(y, scores >= threshold)
        print(f"{name:32}{seconds:>10.3f} s{threshold:>12.4f}{value:>12.5f}")
    print(f"ratio {t_theirs / t_ours:.0f}")
    beside_one_sort(n_scores, repeats)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
