from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import precision_at_budget, proportion_interval, top_share_reliability

SMALL = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=5)


@settings(max_examples=40)
@given(SMALL, st.data())
def test_expected_over_all_orders_of_tied_rows(rows, data):
    truth, prob = (np.array(column) for column in zip(*rows, strict=True))
    prob = prob / 3
    n = data.draw(st.integers(1, len(rows)))
    orders = permutations(range(len(rows)))
    tops = [sorted(order, key=lambda i: -prob[i])[:n] for order in orders]
    got = top_share_reliability(truth, prob, share=n / len(rows))
    assert got.rows == pytest.approx(n)
    assert got.observed == pytest.approx(np.mean([truth[top].mean() for top in tops]))
    assert got.predicted == pytest.approx(np.mean([prob[top].mean() for top in tops]))
    assert got.gap == pytest.approx(got.observed - got.predicted)


def test_it_is_precision_with_its_interval_and_weights_are_repetitions():
    rng = np.random.default_rng(0)
    prob = rng.random(500).round(2)
    truth, times = (rng.random(500) < prob).astype(int), rng.integers(0, 4, 500)
    got = top_share_reliability(truth, prob, share=0.1, sample_weight=times)
    expected = precision_at_budget(truth, prob, budget=0.1, sample_weight=times)
    assert got.observed == pytest.approx(expected)
    low, high = proportion_interval(got.observed * got.rows, got.rows)
    assert (got.low, got.high) == pytest.approx((float(low), float(high)))
    again = top_share_reliability(np.repeat(truth, times), np.repeat(prob, times), share=0.1)
    assert (again.rows, again.predicted) == pytest.approx((got.rows, got.predicted))
    assert got.agrees
    too_high = top_share_reliability(truth, np.sqrt(prob * 0.5 + 0.5), share=0.5)
    assert not too_high.agrees
    assert too_high.gap < 0


def test_bad_input():
    for share in (0, 1.1, np.nan, "x"):
        with pytest.raises(InvalidParameterError, match="share must be a number from 0 to 1, 0"):
            top_share_reliability([0, 1], [0, 1], share=share)
    with pytest.raises(DataError, match="top_share_reliability: y_prob must hold probabilities"):
        top_share_reliability([0, 1], [0, 2])
