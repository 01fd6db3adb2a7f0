import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import brier_skill_score, log_loss_skill_score

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 10), st.integers(1, 3)), min_size=2, max_size=25
)
RNG = np.random.default_rng(0)
Y3 = np.r_[0, 1, 2, RNG.integers(0, 3, 40)]
P3 = RNG.dirichlet([1, 1, 1], 43)


@settings(max_examples=60)
@given(ROWS)
def test_two_classes_equal_scikit_learn(rows):
    truth, prob, weight = (np.array(column) for column in zip(*rows, strict=True))
    prob = prob / 10
    assume(0 < truth.sum() < truth.size)
    share = np.average(truth, weights=weight)
    brier = brier_score_loss(truth, prob, sample_weight=weight)
    got = brier_skill_score(truth, prob, sample_weight=weight)
    assert got == pytest.approx(1 - brier / (share * (1 - share)))
    loss = log_loss(truth, prob, sample_weight=weight)
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    got = log_loss_skill_score(truth, prob, sample_weight=weight)
    assert got == pytest.approx(1 - loss / entropy)


@pytest.mark.parametrize("metric", [brier_skill_score, log_loss_skill_score])
def test_many_classes_equal_scikit_learn(metric):
    loss = brier_score_loss if metric is brier_skill_score else log_loss
    shares = np.bincount(Y3) / Y3.size
    for reference, base in ((None, shares), ([0.2, 0.3, 0.5], np.array([0.2, 0.3, 0.5]))):
        expected = 1 - loss(Y3, P3) / loss(Y3, np.tile(base, (43, 1)))
        assert metric(Y3, P3, reference=reference) == pytest.approx(expected)
    order = [2, 0, 1]
    permuted = metric(Y3, P3[:, order], labels=order, reference=np.array([0.2, 0.3, 0.5])[order])
    assert permuted == pytest.approx(metric(Y3, P3, reference=[0.2, 0.3, 0.5]))
    two = np.column_stack((P3[:, 0], P3[:, 1] + P3[:, 2]))
    assert metric(Y3 > 0, two) == pytest.approx(metric(Y3 > 0, two[:, 1]))


@pytest.mark.parametrize("metric", [brier_skill_score, log_loss_skill_score])
def test_perfect_the_base_rate_and_worse(metric):
    truth = np.repeat([0, 1], [9, 1])
    assert metric(truth, truth) == pytest.approx(1.0)
    assert metric(truth, np.full(10, 0.1)) == pytest.approx(0.0)
    assert metric(truth, np.full(10, 0.4)) < 0
    assert metric(truth, np.full(10, 0.3), reference=0.3) == pytest.approx(0.0)
    assert metric(truth, np.full(10, 0.1), reference=0.3) > 0


@pytest.mark.parametrize("metric", [brier_skill_score, log_loss_skill_score])
def test_one_class_alone(metric):
    assert metric([0, 0], [0.1, 0.2], zero_division=0.5) == 0.5
    assert np.isnan(metric([1, 1], [0.1, 0.2], zero_division=np.nan))
    assert metric([0, 0], [0.1, 0.2], reference=0.2) > 0


@pytest.mark.parametrize("reference", [1.5, [0.5, 0.4], [0.2, 0.3, 0.5], [-0.1, 1.1], np.nan])
@pytest.mark.parametrize("metric", [brier_skill_score, log_loss_skill_score])
def test_bad_reference(metric, reference):
    with pytest.raises(InvalidParameterError, match="reference must hold 2 probabilities"):
        metric([0, 1], [0.1, 0.9], reference=reference)
