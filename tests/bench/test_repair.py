"""Repair puts probabilities right and keeps the ranking; reliability counts add up."""

import numpy as np
import pytest
from imblearn.ensemble import (
    BalancedBaggingClassifier,
)
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from imbkit.bench._repair import (
    EDGES,
    probability_errors,
    reliability_bins,
    reliability_counts,
    repair,
)
from imbkit.calibration import SigmoidCalibrator


def linear_table(seed=0, n=4000, intercept=-3.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    codes = (rng.random(n) < expit(X @ [1.0, -0.5] + intercept)).astype(np.intp)
    return X, codes


def test_repair_is_a_sigmoid_over_rows_left_out():
    rng = np.random.default_rng(6)
    p, inner = rng.random(100), rng.random(200)
    truth = rng.random(200) < inner / 2
    repaired = repair(p, inner, truth)
    sigmoid = SigmoidCalibrator().fit(inner, truth)
    assert_array_equal(repaired, sigmoid.predict_proba(p)[:, 1])
    assert repaired.mean() == pytest.approx(truth.mean(), abs=0.06)
    assert_array_equal(np.argsort(repaired), np.argsort(p))


@pytest.mark.parametrize(
    "model",
    [
        BalancedBaggingClassifier(n_estimators=10, random_state=0),
        LogisticRegression(class_weight="balanced"),
        make_pipeline(RandomUnderSampler(random_state=0), LogisticRegression()),
        make_pipeline(SMOTE(random_state=0), LogisticRegression()),
    ],
    ids=["bagging", "weights", "under", "smote"],
)
def test_whatever_was_balanced_is_recalibrated(model):
    X, codes = linear_table(7, 6000, intercept=-3.5)
    X = np.c_[X, np.random.default_rng(0).normal(size=(6000, 8))]
    first, second, test = np.split(np.arange(6000), [2000, 4000])
    model.fit(X[first], codes[first])
    inner, p = model.predict_proba(X[second])[:, 1], model.predict_proba(X[test])[:, 1]
    repaired = repair(p, inner, codes[second] == 1)
    gap = lambda q: abs(q.mean() - codes[test].mean())
    assert gap(repaired) < 0.01 < gap(p)


def test_reliability_counts_add_up():
    rng = np.random.default_rng(8)
    p = np.append(rng.random(500) ** 6, [0.0, 1.0, 0.1, 0.97])
    truth = rng.random(p.size) < p
    counts = reliability_counts(truth, p)
    assert len(counts) == EDGES.size - 1
    assert (np.diff(EDGES) > 0).all()
    assert_allclose(np.sum(counts, axis=0), [p.size, p.sum(), truth.sum()])
    for (rows, predicted, positives), low, high in zip(counts, EDGES[:-1], EDGES[1:], strict=True):
        inside = (p >= low) & ((p < high) | ((high == 1) & (p == 1)))
        assert (rows, positives) == (inside.sum(), truth[inside].sum())
        assert predicted == pytest.approx(p[inside].sum())
    halves = [reliability_counts(truth[k::2], p[k::2]) for k in (0, 1)]
    assert_allclose(np.sum(halves, axis=0), counts)


def test_reliability_bins():
    rng = np.random.default_rng(9)
    p = rng.random(300) * 0.3
    truth = rng.random(300) < p
    bins = reliability_bins([reliability_counts(truth[k::3], p[k::3]) for k in range(3)])
    assert sum(b["rows"] for b in bins) == 300
    assert all(b["rows"] for b in bins)
    assert len(bins) < EDGES.size - 1
    for b in bins:
        positives = round(b["observed"] * b["rows"])
        wilson = binomtest(positives, b["rows"]).proportion_ci(0.95, method="wilson")
        assert_allclose([b["low"], b["high"]], [wilson.low, wilson.high], atol=1e-9)
        inside = (p >= EDGES[EDGES <= b["predicted"]].max()) & (
            p < EDGES[EDGES > b["predicted"]].min()
        )
        assert b["predicted"] == pytest.approx(p[inside].mean())
    counts = reliability_counts(truth, p)
    once, twice = reliability_bins([counts]), reliability_bins([counts, counts], repeats=2)
    assert [b["rows"] for b in twice] == [2 * b["rows"] for b in once]
    assert_allclose([b["low"] for b in twice], [b["low"] for b in once])
    assert reliability_bins([]) == []


def test_errors_of_probabilities():
    rng = np.random.default_rng(10)
    p = np.append(rng.random(400) ** 4, np.full(60, 0.25))
    truth = rng.random(460) < p / 2
    errors = probability_errors(truth, p)
    assert errors["brier"] == pytest.approx(brier_score_loss(truth, p))
    assert errors["log_loss"] == pytest.approx(log_loss(truth, p))
    assert errors["brier_positive"] == pytest.approx(np.mean((1 - p[truth]) ** 2))
    assert errors["brier_negative"] == pytest.approx(np.mean(p[~truth] ** 2))
    assert errors["mean"] == pytest.approx(p.mean())
    assert errors["share"] == truth.mean()
    # Bins of equally many rows; equal probabilities stay together.
    order = np.argsort(p, kind="stable")
    value, start = np.unique(p[order], return_index=True)
    ends = np.append(start[1:], p.size)
    place = np.minimum(((start + ends) / 2 / p.size * 15).astype(int), 14)
    bins = place[np.searchsorted(value, p)]
    gaps = [
        (bins == b).mean() * abs(p[bins == b].mean() - truth[bins == b].mean())
        for b in np.unique(bins)
    ]
    assert errors["calibration_error"] == pytest.approx(sum(gaps))
    assert 0.05 < errors["calibration_error"] < 0.3


def test_errors_of_a_fold_without_one_of_the_classes():
    p = np.array([0.1, 0.2, 0.9])
    none = probability_errors(np.zeros(3, dtype=bool), p)
    assert (none["brier_positive"], none["share"]) == (None, 0.0)
    assert none["brier_negative"] == none["brier"] == pytest.approx(np.mean(p**2))
    every = probability_errors(np.ones(3, dtype=bool), p)
    assert (every["brier_negative"], every["share"]) == (None, 1.0)
