"""Bootstrap errors by counting draws beside a bootstrap that copies rows.

Measured: ``bootstrap_errors`` of the comparison on one test fold, six ranking measures and seven
decision measures under each of two policies, against resamples that copy their rows (drawn
within their class) and call scikit-learn on them. The copies are few, for they take long: the
ratio is of seconds a resample, preparation included. Under 30 s for 200 resamples of 1,000,000
rows is wanted.

Run: python benchmarks/bootstrap.py [--rows 1000000] [--positives 0.01] [--copies 2] [--repeats 3]
"""

import argparse

import numpy as np
from _timing import alternate, machine
from sklearn import metrics

from imbkit.bench._bootstrap import bootstrap_errors
from imbkit.bench._measures import RANKINGS
from imbkit.metrics import gmean_score, matthews_corrcoef, recall_at_fpr


def by_counts(
    codes: np.ndarray, scores: np.ndarray, flags: dict[str, np.ndarray], n_resamples: int
) -> None:
    """The standard errors as a comparison computes them."""
    bootstrap_errors(
        codes,
        scores,
        flags,
        ranking=list(RANKINGS),
        decision=matthews_corrcoef,
        probabilities=True,
        groups=None,
        costs=None,
        seed=0,
        n_resamples=n_resamples,
    )


def by_copies(
    codes: np.ndarray, scores: np.ndarray, flags: dict[str, np.ndarray], n_resamples: int
) -> None:
    """The same measures of rows that are copied out."""
    rng = np.random.default_rng(0)
    classes = [np.flatnonzero(codes == k) for k in (0, 1)]
    for _ in range(n_resamples):
        rows = np.concatenate([rng.choice(members, members.size) for members in classes])
        y, s = codes[rows], scores[rows]
        metrics.average_precision_score(y, s)
        metrics.roc_auc_score(y, s)
        metrics.brier_score_loss(y, s)
        metrics.log_loss(y, s)
        recall_at_fpr(y, s, max_fpr=0.01)
        recall_at_fpr(y, s, max_fpr=0.001)
        for alerts in flags.values():
            decided = alerts[rows].astype(int)
            metrics.matthews_corrcoef(y, decided)
            metrics.recall_score(y, decided)
            metrics.precision_score(y, decided)
            metrics.f1_score(y, decided)
            metrics.balanced_accuracy_score(y, decided)
            gmean_score(y, decided)
            decided.mean()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--positives", type=float, default=0.01, help="share of positive rows")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--copies", type=int, default=2, help="resamples that copy their rows")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    codes = (rng.random(options.rows) < options.positives).astype(np.intp)
    scores = 1 / (1 + np.exp(3 - rng.normal(size=options.rows) - 2 * codes))
    flags = {"default": scores >= 0.5, "tuned": scores >= 0.3}

    print(machine())
    print(
        f"{options.rows:,} rows, {options.positives:g} positive, 20 measures, "
        f"medians of {options.repeats} runs, alternating"
    )
    ours, theirs = alternate(
        lambda: by_counts(codes, scores, flags, options.resamples),
        lambda: by_copies(codes, scores, flags, options.copies),
        options.repeats,
    )
    each, copied = ours / options.resamples, theirs / options.copies
    print(f"counts  {ours:8.2f} s for {options.resamples} resamples, {1000 * each:9.1f} ms each")
    print(f"copies  {theirs:8.2f} s for {options.copies} resamples, {1000 * copied:9.1f} ms each")
    print(f"ratio   {each / copied:8.4f}")


if __name__ == "__main__":
    main()
