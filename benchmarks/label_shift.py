"""Label shift on many rows: Newton steps beside plain EM, with the memory that either takes.

Run: python benchmarks/label_shift.py [n_rows] [n_classes] [repeats]

Both maximise the same likelihood. EM runs to the usual rule, no share changing by more than
1e-6 in a step. "below maximum" is the mean log-likelihood that is missing, by the bound that
the Newton steps certify; "off" is the largest difference of a share from their result.
"""

import sys
import time

import numpy as np
from _memory import forget_peak, peak, resident
from _timing import alternate, machine

from imbkit.calibration._label_shift import METHODS, estimate_shift, learn_source
from imbkit.calibration._mlls import mlls


def table(n_rows: int, n_classes: int, shares: np.ndarray, source: np.ndarray, seed: int):
    """Return calibrated probabilities of Gaussian rows, and the rows' classes."""
    rng = np.random.default_rng(seed)
    y = rng.choice(n_classes, n_rows, p=shares)
    X = rng.normal(size=(n_rows, n_classes))
    X[np.arange(n_rows), y] += 1.0
    P = source * np.exp(X)
    return P / P.sum(axis=1, keepdims=True), y


def plain_em(P: np.ndarray, source: np.ndarray, tol: float = 1e-6) -> tuple[np.ndarray, int]:
    """Return the shares and the number of steps of EM as it is usually written."""
    prior = source.copy()
    change, n_iter = np.inf, 0
    while change >= tol and n_iter < 10_000:
        joint = P * (prior / source)
        new = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
        change, prior, n_iter = np.abs(new - prior).max(), new, n_iter + 1
    return prior, n_iter


def extra(P: np.ndarray, run) -> float:
    """Return what a call holds at its peak beside the probabilities, as a share of these."""
    forget_peak()
    before = resident()
    run()
    return (peak() - before) / P.nbytes


def main(n_rows: int = 1_000_000, n_classes: int = 10, repeats: int = 3) -> None:
    rng = np.random.default_rng(0)
    source, target = rng.dirichlet(np.full(n_classes, 2.0), size=2)
    P, _ = table(n_rows, n_classes, target, source, seed=1)
    P_held_out, y = table(n_rows // 10, n_classes, source, source, seed=2)
    ours, theirs = mlls(P, source), plain_em(P, source)
    t_ours, t_theirs = alternate(lambda: mlls(P, source), lambda: plain_em(P, source), repeats)
    print(machine())
    print(f"{n_rows:,} rows, {n_classes} classes, median of {repeats} runs")
    print(f"{'':12}{'seconds':>10}{'steps':>8}{'below maximum':>16}{'off':>11}{'extra memory':>14}")
    for name, seconds, steps, shares, run in (
        ("Newton", t_ours, ours.n_iter, ours.prior, lambda: mlls(P, source)),
        ("plain EM", t_theirs, theirs[1], theirs[0], lambda: plain_em(P, source)),
    ):
        below = ours.value - np.mean(np.log(P @ (shares / source))) + max(ours.gap, 0.0)
        off = np.abs(shares - ours.prior).max()
        held = f"{extra(P, run):.2f} x input"
        print(f"{name:12}{seconds:>10.3f}{steps:>8}{below:>16.1e}{off:>11.1e}{held:>14}")
    print(f"ratio {t_theirs / t_ours:.1f}")
    print(f"{'whole step':12}{'seconds':>10}{'error (L2)':>12}   200 draws for intervals included")
    for method in METHODS:
        learnt = learn_source(method, P_held_out, y, None)
        start = time.perf_counter()
        found = estimate_shift(learnt, P, n_draws=200, rng=rng)
        seconds = time.perf_counter() - start
        print(f"{method:12}{seconds:>10.3f}{np.linalg.norm(found.prior - target):>12.4f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
