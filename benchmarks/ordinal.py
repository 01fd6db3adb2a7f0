"""Ordinal models beside other packages, and on large tables: seconds, likelihood, memory.

Run: python benchmarks/ordinal.py [odds cv path million convex] [--repeats 5]

odds     proportional odds without a penalty: statsmodels' OrderedModel and mord's LogisticAT, on
         white wines (4,898 x 11, 7 grades) and 50,000 x 20 with 5 classes; log-likelihood too
cv       PRESTO with 5-fold cross-validation, 2,500 x 10, 4 classes, 20 penalties
path     100 penalties from the largest to a thousandth, 100,000 x 60, 4 classes
million  the same on 1,000,000 x 50 in a process of its own, with its memory above the table
convex   one PRESTO fit of 2,000 rows beside cvxpy with Clarabel, at how equal an objective

Peers run as they come but for what is said in the output; what is not installed is left out.
"""

import os

# One core: the targets are for one.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable  # noqa: E402
from functools import partial  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from _memory import forget_peak, peak, resident  # noqa: E402
from _presto_draws import draw  # noqa: E402
from _timing import alternate, machine  # noqa: E402
from scipy.special import expit  # noqa: E402

from imbkit.datasets import load_wine_quality  # noqa: E402
from imbkit.ordinal import (  # noqa: E402
    PRESTOClassifier,
    PRESTOClassifierCV,
    ProportionalOddsClassifier,
    presto_path,
)

PATIENCE = 20.0
"""A peer that takes more seconds than this runs once."""


def made(n: int, p: int, n_classes: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Correlated features; a few weights differ between boundaries; later classes are rarer."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X += 0.7 * rng.normal(size=(n, 1))
    weights = np.zeros((n_classes - 1, p))
    used = max(3, p // 4)
    weights[:, :used] = rng.normal(size=used) / np.sqrt(used)
    weights[:, : used // 3] += 0.15 * rng.normal(size=(n_classes - 1, used // 3))
    # Every row has one uniform number for all boundaries: they cannot cross.
    reached = rng.random((n, 1)) < expit(X @ weights.T - np.linspace(0.0, 4.0, n_classes - 1))
    return X, reached.cumprod(axis=1).sum(axis=1)


def likelihood(beyond: np.ndarray, y: np.ndarray) -> float:
    """Log-likelihood of the classes 0 to K - 1 under P(y > k), one column a boundary."""
    edges = np.column_stack([np.ones(y.size), beyond, np.zeros(y.size)])
    rows = np.arange(y.size)
    return float(np.log(edges[rows, y] - edges[rows, y + 1]).sum())


def statsmodels_fit(X: np.ndarray, y: np.ndarray) -> tuple[Callable[[], Any], Callable]:
    """A fit by statsmodels, and what its log-likelihood is."""
    model = import_module("statsmodels.miscmodels.ordinal_model").OrderedModel

    def fit():
        return model(y, X, distr="logit").fit(method="bfgs", maxiter=1_000, disp=False)

    return fit, lambda result: float(result.llf)


def mord_fit(X: np.ndarray, y: np.ndarray) -> tuple[Callable[[], Any], Callable]:
    """A fit by mord, and its log-likelihood under the cumulative model."""
    model = import_module("mord").LogisticAT
    return lambda: model(alpha=0.0).fit(X, y), lambda found: likelihood(
        1 - expit(found.theta_ - (X @ found.coef_)[:, None]), y
    )


def odds(repeats: int) -> None:
    """Proportional odds beside statsmodels and mord."""
    wine = load_wine_quality(color="white", as_frame=False)
    tables = {
        "white wines": (wine.data, np.unique(wine.target, return_inverse=True)[1]),
        "synthetic 50,000 x 20, K = 5": made(50_000, 20, 5),
    }
    print(
        "| table | peer | imbkit | peer | ratio | log-likelihood: imbkit | peer | relative gain |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for table, (X, y) in tables.items():
        # Columns on one scale: the peers' optimisers stop early otherwise.
        X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))

        def ours(X=X, y=y):
            return ProportionalOddsClassifier().fit(X, y)

        own = likelihood(ours().predict_exceedance(X), y)
        for peer, build in {"statsmodels": statsmodels_fit, "mord": mord_fit}.items():
            try:
                fit, score = build(X, y)
            except ImportError as error:
                print(f"| {table} | {peer} | | | left out: {error} | | | |")
                continue
            start = time.perf_counter()
            theirs = score(fit())
            once = time.perf_counter() - start
            if once > PATIENCE:
                seconds = (median(timed(ours)[0] for _ in range(repeats)), once)
            else:
                seconds = alternate(ours, fit, repeats)
            gain = (own - theirs) / abs(theirs)
            print(
                f"| {table} | {peer} | {seconds[0]:.4f} s | {seconds[1]:.3f} s "
                f"| {seconds[1] / seconds[0]:.1f} | {own:.6f} | {theirs:.6f} | {gain:+.1e} |",
                flush=True,
            )


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one run, by the clock and of the processor: others may use it, too."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def cv(repeats: int) -> None:
    """PRESTO with cross-validation on draws of the paper's settings."""
    for name in ("S0", "S3", "D1"):
        rows = draw(name, 0)
        model = PRESTOClassifierCV(alphas=20, eps=0.01, cv=5)
        first, *warm = [timed(partial(model.fit, rows.X, rows.y)) for _ in range(repeats + 1)]
        walls, cpus = zip(*warm, strict=True)
        print(
            f"{name}: median {median(walls):.3f} s of {repeats} warm runs ({min(walls):.3f} to "
            f"{max(walls):.3f}), of the processor {median(cpus):.3f} s; the first of the process "
            f"{first[0]:.2f} s; target 0.5 s",
            flush=True,
        )


def path(repeats: int, n: int = 100_000, p: int = 60) -> None:
    """A path of a hundred penalties."""
    X, y = made(n, p, 4)
    presto_path(X[:1_000], y[:1_000], alphas=5)
    runs = [timed(partial(presto_path, X, y)) for _ in range(min(repeats, 3))]
    wall, cpu = (median(each) for each in zip(*runs, strict=True))
    alphas, coefs, _, n_iters = presto_path(X, y)
    print(
        f"{n:,} x {p}, classes {np.bincount(y).tolist()}: {len(alphas)} penalties in {wall:.1f} s "
        f"({cpu:.1f} s of CPU), {n_iters.sum()} outer steps, "
        f"{np.count_nonzero(np.diff(coefs[:, :, -1], axis=0, prepend=0))} of {coefs[:, :, -1].size}"
        f" coefficients at the end; target 15 s"
    )


def million(_: int, n: int = 1_000_000, p: int = 50) -> None:
    """The same in another process, so that its memory is its own."""
    code = f"import ordinal; ordinal.weigh({n}, {p})"
    folder = Path(__file__).resolve().parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)


def weigh(n: int, p: int) -> None:
    """Time a path and weigh what it needs above the table."""
    X, y = made(n, p, 4)
    presto_path(X[:1_000], y[:1_000], alphas=5)
    before = resident()
    forget_peak()
    wall, cpu = timed(partial(presto_path, X, y))
    above = (peak() - before) / 2**30
    print(
        f"{n:,} x {p} ({X.nbytes / 2**30:.2f} GiB): 100 penalties in {wall:.0f} s ({cpu:.0f} s of "
        f"CPU), {above:.2f} GiB above the table at most; target 4 GB ({4e9 / 2**30:.2f} GiB)"
    )


def convex(repeats: int, n: int = 2_000, alpha: float = 0.005) -> None:
    """One fit beside a general solver of convex problems."""
    rows = draw("S3", 1)
    X, y = rows.X[:n], rows.y[:n]
    X = (X - X.mean(axis=0)) / X.std(axis=0)

    def ours():
        return PRESTOClassifier(alpha).fit(X, y)

    try:
        import_module("clarabel")
        build = general(import_module("cvxpy"), X, y, alpha)
    except ImportError as error:
        print(f"left out: {error}")
        return
    model = ours()
    inside, values = [], []

    def theirs() -> None:
        problem = build()
        values.append(problem.solve(solver="CLARABEL"))
        inside.append(problem.solver_stats.solve_time)

    own, whole = alternate(ours, theirs, repeats)
    solver = median(inside[1:])
    differences = np.diff(-model.coef_, axis=0, prepend=0.0)
    objective = alpha * np.abs(differences).sum() - likelihood(model.predict_exceedance(X), y) / n
    print(
        f"{n:,} x {X.shape[1]}, K = 4: imbkit {own:.4f} s, cvxpy with Clarabel {whole:.2f} s "
        f"(solver alone {solver:.2f} s): {whole / own:.0f} and {solver / own:.0f} times; target 50"
    )
    print(
        f"objective {objective:.12f} and {values[0]:.12f}, imbkit's minus the other's "
        f"{objective - values[0]:+.1e}; KKT violation {model.kkt_violation_:.1e}, "
        f"duality gap {model.duality_gap_:.1e}"
    )


def general(cvxpy: Any, X: np.ndarray, y: np.ndarray, alpha: float) -> Callable[[], Any]:
    """A maker of PRESTO's problem in the language of a general solver."""

    def build() -> Any:
        intercepts, psi = cvxpy.Variable(3), cvxpy.Variable((3, X.shape[1]))
        weights = [sum(psi[m] for m in range(k + 1)) for k in range(3)]
        loss = 0
        for k in range(4):
            own = X[y == k]
            if k < 3:
                upper = own @ weights[k] + intercepts[k]
                loss += cvxpy.sum(cvxpy.logistic(-upper))
            if k > 0:
                lower = own @ weights[k - 1] + intercepts[k - 1]
                loss += cvxpy.sum(cvxpy.logistic(lower))
            if 0 < k < 3:
                loss -= cvxpy.sum(cvxpy.log(1 - cvxpy.exp(lower - upper)))
        penalty = alpha * cvxpy.sum(cvxpy.abs(psi))
        return cvxpy.Problem(cvxpy.Minimize(loss / len(y) + penalty))

    return build


PARTS = {"odds": odds, "cv": cv, "path": path, "million": million, "convex": convex}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=[*PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"parts are {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")
    print(machine())
    for name in options.parts:
        print(f"\n## {name}\n", flush=True)
        PARTS[name](options.repeats)


if __name__ == "__main__":
    main()
