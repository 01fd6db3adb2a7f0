"""Thinned curves are exact where they have points, close elsewhere; bands are means of folds."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from imbkit.bench._money import Costs
from imbkit.bench._thin import (
    budget_bands,
    objective_band,
    recall_precision_band,
    roc_band,
    thin_curve,
)
from imbkit.metrics import (
    captured_amount_at_budget,
    f1_score,
    precision_at_budget,
    recall_at_budget,
    recall_at_fpr,
    sweep,
)


def fold(seed, n=200, share=0.2, decimals=2):
    rng = np.random.default_rng(seed)
    codes = (rng.random(n) < share).astype(np.intp)
    codes[:2] = 0, 1
    return codes, np.round(rng.normal(size=n) + codes, decimals)


def costs_of(seed, n):
    values = np.random.default_rng(seed).random((3, n))
    return Costs(*values, ("a", "b", "c"), False)


def sizes(codes):
    return int(codes.sum()), int((codes == 0).sum())


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000), st.integers(2, 600), st.integers(0, 3), st.sampled_from([8, 30, 300])
)
def test_points_are_exact(seed, n, decimals, most):
    codes, scores = fold(seed, n, 0.3, decimals)
    costs = costs_of(seed, n)
    curve = thin_curve(codes, scores, costs, most)
    assert json.loads(json.dumps(curve, allow_nan=False)) == curve
    assert len(curve["cut"]) <= most
    truth = codes == 1
    assert curve["cut"][0] is None
    assert (curve["tp"][-1], curve["fp"][-1]) == sizes(codes)
    for j, cut in enumerate(curve["cut"]):
        alerts = np.zeros(n, dtype=bool) if cut is None else scores >= cut
        assert cut is None or cut in scores
        assert curve["tp"][j] == np.sum(alerts & truth)
        assert curve["fp"][j] == np.sum(alerts & ~truth)
        assert curve["cost"][j] == pytest.approx(costs.total(truth, alerts), abs=1e-9)
        assert curve["amount"][j] == pytest.approx(costs.fn[alerts & truth].sum(), abs=1e-9)


def test_short_curves_are_whole():
    codes, scores = fold(1, decimals=1)
    curve = thin_curve(codes, scores, None)
    cuts, counts = sweep(codes, scores)
    assert len(curve["cut"]) == cuts.size < 300
    assert_array_equal(curve["tp"], counts.tp)
    assert_array_equal(curve["fp"], counts.fp)
    assert set(curve) == {"cut", "fp", "tp"}


def test_rare_positives_keep_every_corner():
    codes, scores = fold(2, n=20_000, share=0.003, decimals=9)
    curve = thin_curve(codes, scores, None)
    tp, fp = sweep(codes, scores)[1].tp, sweep(codes, scores)[1].fp
    assert tp.size > 300 >= len(curve["tp"]) > 200
    assert_array_equal(np.interp(fp + tp, np.add(curve["fp"], curve["tp"]), curve["tp"]), tp)


@pytest.mark.parametrize("shift", [0.5, 3.0])
@pytest.mark.parametrize("decimals", [9, 2])
@pytest.mark.parametrize("straight", [True, False])
def test_interpolation_errs_less_than_stated(shift, decimals, straight):
    rng = np.random.default_rng(4)
    codes = (rng.random(30_000) < 0.4).astype(np.intp)
    scores = np.round(rng.normal(size=codes.size) + shift * codes, decimals)
    if straight:  # great ties without negative rows, at which the curve jumps straight up
        half = np.flatnonzero(codes)[::2]
        scores[half] = scores[half].round() + 1e-5
    else:
        scores[:4000] = scores.max() - 1
    most = 100
    curve = thin_curve(codes, scores, None, most)
    assert len(curve["tp"]) <= most
    _, counts = sweep(codes, scores)
    # Interpolate at each point of the full curve inside its own pair of kept points.
    kept = np.add(curve["tp"], curve["fp"])
    right = np.clip(np.searchsorted(kept, counts.alerts), 1, kept.size - 1)
    x, x0, x1 = (
        np.log1p(v) for v in (counts.fp, *(np.take(curve["fp"], right - k) for k in (1, 0)))
    )
    y0, y1 = np.take(curve["tp"], right - 1), np.take(curve["tp"], right)
    part = np.divide(x - x0, x1 - x0, out=np.ones_like(x), where=x1 > x0)
    error = np.abs(y0 + part * (y1 - y0) - counts.tp)[(x1 > x0)]
    assert error.max() < 4 / (most - 4) * codes.sum()


def test_infinite_scores_are_json():
    codes = np.array([1, 0, 1, 0])
    curve = thin_curve(codes, np.array([np.inf, np.inf, -np.inf, -np.inf]), None)
    json.dumps(curve, allow_nan=False)
    assert curve["tp"] == [0, 1, 2]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(4, 120), st.integers(0, 3))
def test_precision_at_recall_and_recall_at_rate(seed, n, decimals):
    codes, scores = fold(seed, n, 0.3, decimals)
    p, m = sizes(codes)
    curve = thin_curve(codes, scores, None)
    band = recall_precision_band([curve], [p])
    assert band["mean"] == band["low"] == band["high"]
    cuts = np.sort(np.unique(scores))[::-1]
    for recall, precision in zip(band["x"], band["mean"], strict=True):
        need = max(recall * p - 1e-9, 1)
        cut = next(c for c in cuts if np.sum(codes[scores >= c]) >= need)
        assert precision == pytest.approx(np.mean(codes[scores >= cut]))
    roc = roc_band([curve], [p], [m])
    assert roc["x"][0] == pytest.approx(max(1e-5, 1 / m))
    assert roc["x"][-1] == 1.0
    assert len(roc["x"]) == 60
    for rate, recall in zip(roc["x"], roc["mean"], strict=True):
        wanted = recall_at_fpr(codes, scores, max_fpr=min(rate + 1e-12, 1.0))
        assert recall == pytest.approx(wanted)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(4, 120), st.integers(0, 3))
def test_budgets_are_those_of_the_metrics(seed, n, decimals):
    codes, scores = fold(seed, n, 0.3, decimals)
    p, m = sizes(codes)
    costs = costs_of(seed, n)
    curve = thin_curve(codes, scores, costs)
    recall, precision, amount = budget_bands([curve], [p], [m], amounts=True)
    assert recall["x"][0] == pytest.approx(1 / n)
    for j, share in enumerate(recall["x"]):
        budget = float(min(share, 1.0))
        assert recall["mean"][j] == pytest.approx(recall_at_budget(codes, scores, budget=budget))
        assert precision["mean"][j] == pytest.approx(
            precision_at_budget(codes, scores, budget=budget)
        )
        wanted = captured_amount_at_budget(
            codes, scores, amount=costs.fn, budget=budget, normalize=True
        )
        assert amount["mean"][j] == pytest.approx(wanted)
    assert budget_bands([curve], [p], [m], amounts=False)[2] is None


def test_objective_at_each_threshold():
    folds = [fold(seed, 150, 0.3, 2) for seed in (1, 2, 3)]
    costs = [costs_of(seed, 150) for seed in (1, 2, 3)]
    curves = [thin_curve(*both, c) for both, c in zip(folds, costs, strict=True)]
    p, m = zip(*(sizes(codes) for codes, _ in folds), strict=True)
    band = objective_band(curves, f1_score, p, m)
    money = objective_band(curves, None, p, m)
    assert 100 < len(band["x"]) <= 120
    assert band["x"] == money["x"] == sorted(band["x"])
    assert band["x"][0] == min(s.min() for _, s in folds)
    assert band["x"][-1] == max(s.max() for _, s in folds)
    for j, t in enumerate(band["x"]):
        values = [f1_score(codes, (scores >= t).astype(int)) for codes, scores in folds]
        assert band["mean"][j] == pytest.approx(np.mean(values))
        assert band["low"][j] == pytest.approx(min(values))
        assert band["high"][j] == pytest.approx(max(values))
        totals = [
            1000 * c.total(codes == 1, scores >= t) / 150
            for (codes, scores), c in zip(folds, costs, strict=True)
        ]
        assert money["mean"][j] == pytest.approx(np.mean(totals))


def test_bands_are_mean_lowest_and_highest_fold():
    folds = [fold(seed) for seed in (5, 6)]
    curves = [thin_curve(*both, None) for both in folds]
    p = [sizes(codes)[0] for codes, _ in folds]
    both = recall_precision_band(curves, p)
    alone = [recall_precision_band([c], [q])["mean"] for c, q in zip(curves, p, strict=True)]
    assert_allclose(both["mean"], np.mean(alone, axis=0))
    assert_allclose(both["low"], np.min(alone, axis=0))
    assert_allclose(both["high"], np.max(alone, axis=0))


def test_folds_without_positives_are_left_out():
    codes, scores = fold(7)
    none = np.zeros_like(codes)
    curves = [thin_curve(codes, scores, None), thin_curve(none, scores, None)]
    p, m = [*zip(sizes(codes), sizes(none), strict=True)]
    assert recall_precision_band(curves, p) == recall_precision_band(curves[:1], p[:1])
    assert roc_band(curves, p, m) == roc_band(curves[:1], p[:1], m[:1])
    assert budget_bands(curves, p, m, amounts=False) == budget_bands(
        curves[:1], p[:1], m[:1], amounts=False
    )
    empty = recall_precision_band(curves[1:], p[1:])
    assert empty["mean"] == empty["low"] == empty["high"] == [None] * 101
    assert objective_band([], f1_score, [], [])["x"] == []
