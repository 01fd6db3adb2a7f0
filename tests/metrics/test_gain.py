import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import cumulative_gain_curve, lift_score, recall_at_budget

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=25
)


@settings(max_examples=60)
@given(ROWS, st.floats(0.01, 1.0))
def test_it_is_recall_and_lift_at_every_budget(rows, share):
    truth, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    assume(truth.any())
    curve = cumulative_gain_curve(truth, score, sample_weight=weight)
    expected = recall_at_budget(truth, score, budget=share, sample_weight=weight)
    assert curve.at(share) == pytest.approx(expected)
    for part, lift in zip(curve.share[1:], curve.lift[1:], strict=True):
        value = lift_score(truth, score, budget=min(float(part), 1.0), sample_weight=weight)
        assert lift == pytest.approx(value)
    for cut, part, gain in zip(curve.thresholds, curve.share, curve.gain, strict=True):
        alert = score >= cut
        assert weight[alert].sum() / weight.sum() == pytest.approx(part)
        assert (weight * truth)[alert].sum() / (weight @ truth) == pytest.approx(gain)
    assert curve.prevalence == pytest.approx(np.average(truth, weights=weight))


def test_the_first_lift_is_the_limit_and_chance_is_the_diagonal():
    curve = cumulative_gain_curve([0, 0, 0, 1], [1, 2, 3, 4])
    assert curve.lift.tolist() == pytest.approx([4.0, 4.0, 2.0, 4 / 3, 1.0])
    flat = cumulative_gain_curve([0, 0, 0, 1], [1, 1, 1, 1])
    assert flat.at([0.1, 0.7]).tolist() == pytest.approx([0.1, 0.7])
    assert flat.lift.tolist() == [1.0, 1.0]


def test_bad_input():
    with pytest.raises(DataError, match="at least one row must be positive"):
        cumulative_gain_curve([0, 0], [1, 2])
    with pytest.raises(InvalidParameterError, match="share must be between 0 and 1"):
        cumulative_gain_curve([0, 1], [1, 2]).at(1.5)
