import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import detection_cost_at_fpr, expected_cost, recall_at_fpr

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=20)


@settings(max_examples=80)
@given(ROWS, st.sampled_from([0.0, 0.25, 1 / 3, 1.0]), st.sampled_from([1.0, 30.0]))
def test_it_is_the_cost_of_the_best_recall_within_the_limit(rows, limit, fn):
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < truth.sum() < truth.size)
    found = []
    for cut in (np.inf, *score):
        alert = score >= cut
        alarms = alert[truth == 0].mean()
        if alarms <= limit:
            cost = expected_cost(truth, alert.astype(int), fp=2.0, fn=fn)
            found.append((-alert[truth == 1].mean(), alarms, cost))
    recall, _, cost = min(found)
    assert detection_cost_at_fpr(truth, score, limit, fp=2.0, fn=fn) == pytest.approx(cost)
    assert recall_at_fpr(truth, score, limit) == pytest.approx(-recall)
    constant = min(fn * truth.mean(), 2.0 * (1 - truth.mean()))
    relative = detection_cost_at_fpr(truth, score, limit, fp=2.0, fn=fn, normalize=True)
    assert relative == pytest.approx(cost / constant)


def test_another_prevalence_weighs_the_two_errors():
    truth, score = [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9]
    cost = detection_cost_at_fpr(truth, score, 0.25, prevalence=0.01, fn=30)
    assert cost == pytest.approx(0.99 * 0.25)
    cost = detection_cost_at_fpr(truth, score, 0.1, prevalence=0.01, fn=30)
    assert cost == pytest.approx(0.01 * 30 * 0.5)


def test_free_constant_decision():
    value = detection_cost_at_fpr([0, 1], [0, 1], fn=0.0, normalize=True, zero_division=1.0)
    assert value == 1.0


@pytest.mark.parametrize("scale", [0.1, 0.3, 1e-9])
def test_a_limit_met_exactly_is_met(scale):
    truth, score = np.array([1] * 10 + [0] * 100), np.r_[np.ones(11), np.zeros(99)]
    value = detection_cost_at_fpr(truth, score, 0.01, sample_weight=np.full(110, scale))
    assert value == pytest.approx(1 / 110)


@pytest.mark.parametrize(
    "options", [{"max_fpr": 2}, {"fp": -1}, {"fn": np.inf}, {"prevalence": 0}, {"fn": None}]
)
def test_bad_parameters(options):
    name = next(iter(options))
    with pytest.raises(InvalidParameterError, match=f"detection_cost_at_fpr: {name} must be"):
        detection_cost_at_fpr([0, 1], [0, 1], **options)
