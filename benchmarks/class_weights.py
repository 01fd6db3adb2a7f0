"""Weights of many classes: how long the search takes, and what it gains on other rows.

Run: python benchmarks/class_weights.py [n_rows] [n_classes] [n_restarts]

The probabilities are right up to the classes' shares, which fall by a factor of 0.6 from class
to class. Weights are found on one half of the rows that are drawn, n_rows of them, and judged
on the other half, beside the plain argmax and weights of one over the share of each class.
"""

import os
import sys
import time

# One core: the target of ten seconds is for one.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402
from _timing import machine  # noqa: E402

from imbkit.thresholds._class_objectives import cost_objective, metric_objective  # noqa: E402
from imbkit.thresholds._class_weights import ClassDecision, best_weights  # noqa: E402


def draw(n_rows: int, n_classes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Classes and probabilities."""
    share = 0.6 ** np.arange(n_classes)
    share /= share.sum()
    codes = rng.choice(n_classes, n_rows, p=share)
    scores = rng.normal(size=(n_rows, n_classes)) + np.log(share)
    scores[np.arange(n_rows), codes] += 2.0
    probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
    return codes, probabilities / probabilities.sum(axis=1, keepdims=True)


def main(n_rows: int = 200_000, n_classes: int = 10, n_restarts: int = 3) -> None:
    rng = np.random.default_rng(0)
    codes, P = draw(2 * n_rows, n_classes, rng)
    matrix = rng.gamma(1.0, 1.0, (n_classes, n_classes)) * (1 - np.eye(n_classes))
    inverse = ClassDecision(n_rows / np.bincount(codes[:n_rows], minlength=n_classes))
    plain = ClassDecision(np.ones(n_classes))

    def held_out(objective, decision):
        cell = decision(P[n_rows:]) * n_classes + codes[n_rows:]
        table = np.bincount(cell, minlength=n_classes**2).reshape(n_classes, n_classes)
        return objective.value(table.astype(float)) / (n_rows if objective.name == "cost" else 1)

    print(machine())
    print(f"{n_rows:,} rows, {n_classes} classes, {n_restarts} starts; larger is better")
    print(f"{'':20}{'wall':>9}{'CPU':>9}{'argmax':>10}{'1/share':>10}{'found':>10}  on other rows")
    for objective in (
        metric_objective("f1"),
        metric_objective("f1", "micro"),
        metric_objective("mcc"),
        metric_objective("cohen_kappa"),
        metric_objective("gmean"),
        metric_objective("balanced_accuracy"),
        cost_objective(matrix),
    ):
        wall, cpu = time.perf_counter(), time.process_time()
        found = best_weights(
            codes[:n_rows],
            P[:n_rows],
            None,
            objective,
            n_restarts=n_restarts,
            random_state=0,
        )
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        values = "".join(f"{held_out(objective, d):>10.4f}" for d in (plain, inverse, found))
        print(f"{objective.name:20}{wall:>7.2f} s{cpu:>7.2f} s{values}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
