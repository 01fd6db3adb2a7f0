"""The arithmetic on (W, b): norms, scales and means against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

from imbkit.calibration import _linear_head as linear_head


def head(seed, n_classes=5, n_features=4):
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-3, 3, size=(n_classes, 1))
    return rng.normal(size=(n_classes, n_features)) * sizes, rng.normal(size=n_classes)


@given(st.integers(0, 200), st.floats(0, 2))
def test_tau_norm_is_its_definition(seed, tau):
    weights, _ = head(seed)
    expected = [w / np.sqrt((w**2).sum()) ** tau for w in weights]
    np.testing.assert_allclose(linear_head.tau_normalized(weights, tau), expected, rtol=1e-12)


def test_tau_zero_is_the_identity_and_tau_one_gives_unit_norms():
    weights, _ = head(0)
    np.testing.assert_array_equal(linear_head.tau_normalized(weights, 0.0), weights)
    norms = np.linalg.norm(linear_head.tau_normalized(weights, 1.0), axis=1)
    np.testing.assert_allclose(norms, 1.0, rtol=1e-14)


@given(st.integers(0, 200), st.floats(0, 2))
def test_scales_that_keep_the_size_keep_the_geometric_mean(seed, tau):
    weights, _ = head(seed)
    kept = weights * linear_head.tau_scales(weights, tau, keep_size=True)[:, None]
    before, after = (np.log(np.linalg.norm(w, axis=1)).mean() for w in (weights, kept))
    assert after == pytest.approx(before, abs=1e-12)
    plain = linear_head.tau_scales(weights, tau)
    ratio = linear_head.tau_scales(weights, tau, keep_size=True) / plain
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-10)


@given(st.integers(0, 200), st.integers(1, 4))
def test_group_scales_make_the_mean_norms_equal(seed, n_head):
    weights, _ = head(seed)
    chosen = np.arange(5) < n_head
    scales = linear_head.group_scales(weights, chosen)
    new = np.linalg.norm(weights * scales[:, None], axis=1)
    assert new[~chosen].mean() == pytest.approx(new[chosen].mean(), rel=1e-13)
    assert (scales[chosen] == 1).all()
    assert np.unique(scales[~chosen]).size == 1
    again = linear_head.group_scales(weights * scales[:, None], chosen)
    np.testing.assert_allclose(again, 1.0, rtol=1e-13)


@given(st.integers(0, 200))
def test_even_scales_are_tau_one_rescaled(seed):
    weights, _ = head(seed)
    even = weights * linear_head.even_scales(weights)[:, None]
    unit = linear_head.tau_normalized(weights, 1.0)
    np.testing.assert_allclose(even, unit * np.linalg.norm(weights, axis=1).mean(), rtol=1e-12)


def test_rows_of_zeros_stay():
    weights = np.array([[3.0, 4.0], [0.0, 0.0], [0.6, 0.8]])
    for keep in (False, True):
        scales = linear_head.tau_scales(weights, 2.0, keep_size=keep)
        assert np.isfinite(scales).all()
        assert scales[1] == 1.0
    assert linear_head.even_scales(weights)[1] == 1.0
    nothing = np.array([False, True, False])
    np.testing.assert_array_equal(linear_head.group_scales(weights, ~nothing), 1.0)
    np.testing.assert_array_equal(linear_head.tau_scales(np.zeros((3, 2)), 1.0), 1.0)


def test_one_row_and_two_rows_are_the_same_head():
    rng = np.random.default_rng(1)
    weights, bias, X = rng.normal(size=(1, 3)), rng.normal(size=1), rng.normal(size=(20, 3))
    two, both = linear_head.two_rows(weights, bias)
    scores = X @ two.T + both
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], X @ weights[0] + bias, rtol=1e-12)
    np.testing.assert_array_equal(two.sum(axis=0), 0.0)
    assert np.unique(linear_head.row_norms(two)).size == 1
    for got, expected in zip(linear_head.one_row(two, both), (weights, bias), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_the_bias_of_each_kind():
    bias, prior = np.array([1.0, -2.0]), np.array([0.75, 0.25])
    np.testing.assert_array_equal(linear_head.corrected_bias(bias, "zero", None), [0.0, 0.0])
    kept = linear_head.corrected_bias(bias, "keep", None)
    np.testing.assert_array_equal(kept, bias)
    assert kept is not bias
    expected = [1 - np.log(0.75), -2 - np.log(0.25)]
    np.testing.assert_allclose(linear_head.corrected_bias(bias, "prior", prior), expected)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.9, 0.05, 0.05], [True, False, False]),
        ([0.1, 0.3, 0.3, 0.3], [False, True, True, False]),
        ([0.25, 0.25, 0.25, 0.25], [True, True, False, False]),
        ([0.2, 0.2, 0.2, 0.2, 0.2], [True, True, True, False, False]),
        ([0.5, 0.5], [True, False]),
    ],
)
def test_the_head_holds_half_of_the_rows_with_the_fewest_classes(shares, expected):
    assert linear_head.head_of_half(np.array(shares)).tolist() == expected


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_class_means(kind):
    rng = np.random.default_rng(2)
    X, codes = rng.normal(size=(30, 4)), np.arange(30) % 3
    weight = rng.integers(0, 4, size=30).astype(float)
    for given_weight in (None, weight):
        expected = [
            np.average(X[codes == k], axis=0, weights=None if w is None else w[codes == k])
            for k in range(3)
            for w in [given_weight]
        ]
        found = linear_head.class_means(kind(X), codes, 3, given_weight)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_learned_scales_are_the_best_there_are(weighted):
    rng = np.random.default_rng(3)
    codes = rng.choice(3, size=300, p=[0.8, 0.15, 0.05])
    scores = rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[codes]
    bias = np.array([1.0, 0.0, -1.0])
    weight = rng.integers(1, 4, size=300).astype(float) if weighted else None
    scales, good = linear_head.learned_scales(scores, bias, codes, weight)
    assert good

    def loss(factors):
        rows = -log_softmax(scores * factors + bias, axis=1)[np.arange(300), codes]
        each = np.ones(300) if weight is None else weight
        return np.mean([np.average(rows[codes == k], weights=each[codes == k]) for k in range(3)])

    other = minimize(
        loss, np.ones(3), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-13}
    )
    assert loss(scales) <= other.fun + 1e-10
    np.testing.assert_allclose(scales, other.x, atol=1e-4)
    repeated = np.repeat(np.arange(300), 1 if weight is None else weight.astype(int))
    again, _ = linear_head.learned_scales(scores[repeated], bias, codes[repeated])
    np.testing.assert_allclose(again, scales, atol=1e-5)


def test_learned_scales_of_separable_scores_say_so():
    scores = np.eye(3)[np.arange(30) % 3]
    scales, good = linear_head.learned_scales(scores, np.zeros(3), np.arange(30) % 3)
    assert not good
    assert np.isfinite(scales).all()
