"""Make probabilities of a table out of those that training has distorted; measure both."""

from collections.abc import Sequence

import numpy as np

from imbkit._core.types import BoolArray, FloatArray
from imbkit.bench._measures import RANKINGS
from imbkit.bench._schema_curves import ProbabilityErrors, ReliabilityBin
from imbkit.calibration import SigmoidCalibrator
from imbkit.metrics import (
    classwise_calibration_error,
    proportion_interval,
    stratified_brier_score,
)

__all__ = [
    "EDGES",
    "probability_errors",
    "reliability_bins",
    "reliability_counts",
    "repair",
]

# Rare classes live near 0, so the bins are narrow there.
EDGES = np.array([0.0, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, *np.arange(1, 10) / 10, 0.97, 0.99, 1.0])
"""Ends of the intervals of probabilities that a reliability curve counts."""

N_BINS = 15
"""Bins of equal mass of the calibration error."""


def repair(
    probabilities: FloatArray, out_of_fold_scores: FloatArray, out_of_fold_truth: BoolArray
) -> FloatArray:
    """Return probabilities at the table's own share of positives.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows,)
        As the model gives them.
    out_of_fold_scores, out_of_fold_truth : ndarray of shape (n_inner,)
        Probabilities of rows left out on inner folds of the training side, as the model gives
        them, and whether each is positive; the rows are not resampled.

    Returns
    -------
    ndarray of shape (n_rows,)
        A sigmoid of the log-odds, in the same order.

    Notes
    -----
    The same for every entry, whatever its training did to the class shares, so that none is
    calibrated better than another. Undoing known shares first would change nothing: it adds a
    constant to the log-odds, and the intercept of the fit takes it up.
    """
    sigmoid = SigmoidCalibrator().fit(out_of_fold_scores, out_of_fold_truth)
    return np.asarray(sigmoid.predict_proba(probabilities)[:, 1])


def probability_errors(truth: BoolArray, probabilities: FloatArray) -> ProbabilityErrors:
    """Return how far probabilities are from what came true on one test fold.

    Parameters
    ----------
    truth : ndarray of bool, shape (n_rows,)
        Whether each row is positive.
    probabilities : ndarray of shape (n_rows,)
        Of the positive class.
    """
    codes = truth.astype(np.intp)
    of_class = np.asarray(stratified_brier_score(codes, probabilities, labels=[0, 1], average=None))
    negative, positive = (None if np.isnan(value) else float(value) for value in of_class)
    return ProbabilityErrors(
        brier=RANKINGS["brier"].compute(codes, probabilities),
        log_loss=RANKINGS["log_loss"].compute(codes, probabilities),
        brier_positive=positive,
        brier_negative=negative,
        calibration_error=float(
            classwise_calibration_error(codes, probabilities, labels=[0, 1], n_bins=N_BINS)
        ),
        mean=float(np.mean(probabilities)),
        share=float(np.mean(truth)),
    )


def reliability_counts(truth: BoolArray, probabilities: FloatArray) -> list[list[float]]:
    """Return rows, sum of probabilities and positives in each interval between `EDGES`.

    An interval contains its lower end, the last one its upper end, too. Counts of several test
    folds can be added.
    """
    place = np.searchsorted(EDGES, probabilities, side="right") - 1
    place = np.clip(place, 0, EDGES.size - 2)
    columns = [
        np.bincount(place, weights=weights, minlength=EDGES.size - 1)
        for weights in (None, probabilities, truth.astype(float))
    ]
    return [[float(value) for value in line] for line in np.stack(columns, axis=1)]


def reliability_bins(
    counts_of_folds: Sequence[Sequence[Sequence[float]]], repeats: int = 1
) -> list[ReliabilityBin]:
    """Add up the counts of folds; intervals without rows are left out.

    Each of `repeats` cross-validations tests the same rows again, which makes no interval
    shorter: Wilson's interval is that of the rows of one of them.
    """
    if not counts_of_folds:
        return []
    bins = []
    for rows, predicted, positives in np.sum(np.asarray(counts_of_folds, dtype=float), axis=0):
        if rows:
            low, high = proportion_interval(positives / repeats, rows / repeats)
            bins.append(
                ReliabilityBin(
                    rows=int(rows),
                    predicted=float(predicted / rows),
                    observed=float(positives / rows),
                    low=float(low),
                    high=float(high),
                )
            )
    return bins
