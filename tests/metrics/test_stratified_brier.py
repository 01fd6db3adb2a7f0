import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import stratified_brier_score

RNG = np.random.default_rng(0)
Y, P = np.repeat([0, 1], [40, 5]), RNG.random(45)
Y3 = np.r_[0, 1, 2, RNG.integers(0, 3, 40)]
P3 = RNG.dirichlet([1, 1, 1], 43)


def test_each_class_is_scored_by_itself():
    weight = RNG.random(45)
    low = np.average(P[:40] ** 2, weights=weight[:40])
    high = np.average((1 - P[40:]) ** 2, weights=weight[40:])
    got = stratified_brier_score(Y, P, average=None, sample_weight=weight)
    assert got.tolist() == pytest.approx([low, high])
    assert stratified_brier_score(Y, P, sample_weight=weight) == pytest.approx((low + high) / 2)


def test_weighted_is_the_brier_score_itself():
    assert stratified_brier_score(Y, P, average="weighted") == pytest.approx(brier_score_loss(Y, P))
    expected = brier_score_loss(Y3, P3)
    assert stratified_brier_score(Y3, P3, average="weighted") == pytest.approx(expected)
    two = np.column_stack((1 - P, P))
    np.testing.assert_allclose(
        stratified_brier_score(Y, two, average=None), stratified_brier_score(Y, P, average=None)
    )


def test_many_classes():
    got = stratified_brier_score(Y3, P3, average=None)
    for k in range(3):
        expected = ((P3[Y3 == k] - np.eye(3)[k]) ** 2).sum(axis=1).mean()
        assert got[k] == pytest.approx(expected)


def test_a_class_without_rows_is_left_out():
    assert stratified_brier_score([0, 0], [0.1, 0.3]) == pytest.approx(0.05)
    assert stratified_brier_score([0, 0], [0.1, 0.3], zero_division=1) == pytest.approx(0.525)


def test_bad_average():
    with pytest.raises(InvalidParameterError, match="average must be one of"):
        stratified_brier_score(Y, P, average="micro")
