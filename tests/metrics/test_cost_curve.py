import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import cost_curve, expected_cost

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(1, 3)), min_size=2, max_size=25
)


@settings(max_examples=60)
@given(ROWS, st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_it_is_the_lower_envelope_of_all_cut_offs(rows, wanted):
    truth, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < truth.sum() < truth.size)
    curve = cost_curve(truth, score, sample_weight=weight)
    cuts = np.r_[np.inf, np.unique(score)]
    alert = score[None, :] >= cuts[:, None]
    tpr = alert @ (weight * truth) / (weight @ truth)
    fpr = alert @ (weight * (1 - truth)) / (weight @ (1 - truth))
    for x in [0, 1, *wanted, *curve.probability_cost]:
        costs = x * (1 - tpr) + (1 - x) * fpr
        assert curve.at(x) == pytest.approx(costs.min(), abs=1e-12)
        best = curve.threshold_at(x)
        mine = costs[np.flatnonzero(cuts == best)[0]]
        assert mine == pytest.approx(costs.min(), abs=1e-12)
    grid = np.linspace(0, 1, 4001)
    lines = grid * (1 - tpr[:, None]) + (1 - grid) * fpr[:, None]
    assert curve.area == pytest.approx(np.trapezoid(lines.min(axis=0), grid), abs=1e-6)
    assert (np.diff(curve.probability_cost) >= 0).all()


@settings(max_examples=30)
@given(ROWS)
def test_weights_are_repetitions(rows):
    truth, score, times = (np.array(column) for column in zip(*rows, strict=True))
    times = times - 1
    assume(0 < (times * truth).sum() < times.sum())
    weighted = cost_curve(truth, score, sample_weight=times)
    repeated = cost_curve(np.repeat(truth, times), np.repeat(score, times))
    np.testing.assert_allclose(weighted.cost, repeated.cost, atol=1e-12)
    np.testing.assert_array_equal(weighted.thresholds, repeated.thresholds)


def test_it_gives_the_cost_of_the_decision_it_names():
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.1
    score = rng.normal(size=400) + 2 * truth
    p, fp, fn = truth.mean(), 1.0, 20.0
    x = p * fn / (p * fn + (1 - p) * fp)
    curve = cost_curve(truth, score)
    alert = score >= curve.threshold_at(x)
    cost = expected_cost(truth, alert, pos_label=True, fp=fp, fn=fn)
    assert curve.at(x) * (p * fn + (1 - p) * fp) == pytest.approx(cost)
    relative = expected_cost(truth, alert, pos_label=True, fp=fp, fn=fn, normalize="constant")
    assert curve.at(x) / min(x, 1 - x) == pytest.approx(relative)


def test_of_two_cut_offs_as_good_the_higher_one_is_named():
    curve = cost_curve([0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9])
    turn = curve.probability_cost[2]
    beside = curve.threshold_at([turn - 1e-9, turn, turn + 1e-9])
    assert beside.tolist() == [0.9, 0.9, 0.6]


def test_chance_and_perfection():
    truth = np.repeat([0, 1], [30, 10])
    assert cost_curve(truth, truth).area == 0.0
    chance = cost_curve(truth, np.zeros(40))
    assert chance.area == pytest.approx(0.25)
    assert chance.probability_cost.tolist() == [0, 0.5, 1]
    upside_down = cost_curve(truth, -truth)
    assert upside_down.cost.tolist() == [0, 0.5, 0]


def test_bad_input():
    with pytest.raises(DataError, match="cost_curve: both classes must have a row. Got 0 posi"):
        cost_curve([0, 0], [1, 2])
    with pytest.raises(DataError, match="both classes"):
        cost_curve([0, 1], [1, 2], sample_weight=[1, 0])
    for wanted in (-0.1, 1.1, np.nan):
        for call in (cost_curve([0, 1], [1, 2]).at, cost_curve([0, 1], [1, 2]).threshold_at):
            with pytest.raises(InvalidParameterError, match="probability_cost must be between"):
                call(wanted)
