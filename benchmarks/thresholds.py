"""The threshold step beside scikit-learn's: time without the fits, and the objective reached.

Run: python benchmarks/thresholds.py [n_rows] [repeats]

Either side's own share is the time of its ``fit`` less what it spends in the estimator's fits
and predictions, which are the same for both: five folds and a refit.
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

from imbkit.thresholds import ThresholdClassifierCV


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


def main(n_rows: int = 200_000, repeats: int = 5) -> None:
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


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
