import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import isotonic_regression

from imbkit.ordinal._crossing import (
    crossed,
    kept_last,
    log_probabilities,
    nearest_ordered,
    of_scores,
    probabilities,
)
from imbkit.ordinal._links import LINKS

HOW = ("keep_last", "isotonic", "raw")
few = st.integers(1, 6).flatmap(
    lambda m: arrays(float, (5, m), elements=st.floats(-4, 4, allow_subnormal=False))
)


@pytest.fixture(scope="module")
def scores():
    """Rows in order and rows that cross."""
    made = np.random.default_rng(0).normal(scale=3, size=(300, 5))
    made[::2].sort(axis=1)
    return made


def test_who_has_crossed():
    scores = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0], [0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    assert crossed(scores).tolist() == [False, False, True, True]
    assert not crossed(scores[:, :1]).any()


def test_boundaries_are_lowered_to_those_behind():
    scores = np.array([[1.0, 5.0, 2.0, 3.0], [4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    assert kept_last(scores).tolist() == [[1, 2, 2, 3], [1, 1, 1, 1], [1, 2, 3, 4]]


@given(few)
def test_the_nearest_ordered_rows_are_scipys(values):
    found = nearest_ordered(values)
    oracle = np.array([isotonic_regression(row).x for row in values])
    np.testing.assert_allclose(found, oracle, atol=1e-12)
    inside = ~crossed(values)
    np.testing.assert_allclose(found[inside], values[inside], atol=1e-15)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", LINKS)
def test_probabilities_are_differences(name, how, scores):
    link = LINKS[name]
    p = probabilities(scores, how, link)
    assert p.shape == (300, 6)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-14)
    below = of_scores(link.cdf, scores)
    rows = crossed(scores)
    if how == "keep_last":
        below[rows] = np.minimum.accumulate(below[rows, ::-1], axis=1)[:, ::-1]
    if how == "isotonic":
        below[rows] = [isotonic_regression(row).x for row in below[rows]]
    edges = np.hstack([np.zeros((300, 1)), below, np.ones((300, 1))])
    np.testing.assert_allclose(p, np.diff(edges, axis=1), atol=1e-13)
    assert (p.min() < -0.1) if how == "raw" else (p.min() >= 0)


@pytest.mark.parametrize("name", LINKS)
def test_the_last_column_is_kept_to_the_bit(name, scores):
    link = LINKS[name]
    kept, raw = (probabilities(scores, how, link) for how in ("keep_last", "raw"))
    np.testing.assert_array_equal(kept[:, -1], raw[:, -1])
    np.testing.assert_array_equal(kept[:, -1], link.survival(scores[:, -1]))
    rows = ~crossed(scores)
    for how in HOW[1:]:
        np.testing.assert_array_equal(probabilities(scores, how, link)[rows], kept[rows])
    moved = probabilities(scores, "isotonic", link)[~rows, -1] != kept[~rows, -1]
    assert moved.any()


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", LINKS)
def test_logarithms(name, how, scores):
    link, scores = LINKS[name], scores / 3
    p, logs = probabilities(scores, how, link), log_probabilities(scores, how, link)
    there = p > 0
    np.testing.assert_allclose(logs[there], np.log(p[there]), atol=1e-11)
    assert (logs[~there] == -np.inf).all()
    assert (~there).any()
    np.testing.assert_array_equal(p.argmax(axis=1), logs.argmax(axis=1))


def test_far_tails_keep_their_digits():
    link = LINKS["logit"]
    scores = np.array([[30.0, 40.0, 50.0], [-50.0, -40.0, -30.0], [700.0, 800.0, 900.0]])
    p, logs = (f(scores, "keep_last", link) for f in (probabilities, log_probabilities))
    gap = np.log1p(-np.exp(-10))
    expected = [[-np.exp(-30), -30 + gap, -40 + gap, -50], [-50, -40 + gap, -30 + gap, 0]]
    np.testing.assert_allclose(logs[:2], expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(logs[2], [0, -700, -800, -900], rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(p[0, 1:], np.exp(expected[0][1:]), rtol=1e-12)
    # The mean of two tails of e**-40 or so: 1 - F would have no digit of it.
    low = probabilities(np.array([[41.0, 40.0]]), "isotonic", link)
    np.testing.assert_allclose(low[0, -1], (np.exp(-41) + np.exp(-40)) / 2, rtol=1e-12)
    assert low[0, 1] == 0


@given(few, st.sampled_from(sorted(LINKS)), st.sampled_from(HOW[:2]))
def test_repaired_rows_are_probabilities(scores, name, how):
    p = probabilities(scores, how, LINKS[name])
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-14)
