"""Axes of scores: there and back, room for what matters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit.displays._score_axis import ScoreAxis, usual_scale


@pytest.mark.parametrize("scale", ["linear", "log", "logit"])
def test_places_go_there_and_back(scale):
    axis = ScoreAxis(scale, 1e-4, 0.97)
    places = np.linspace(0, 1, 11)
    np.testing.assert_allclose(axis.place(axis.value(places)), places, atol=1e-12)
    np.testing.assert_allclose(axis.value(np.array([0.0, 1.0])), [1e-4, 0.97])
    assert np.isfinite(axis.within(np.array([-np.inf, np.inf]))).all()


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.sampled_from(["auto", "linear", "log", "logit"]),
    st.lists(st.sampled_from([0.0, 1e-9, 0.3, 1 - 1e-9, 1.0, np.inf]), max_size=2),
)
def test_ends_ascend_and_hold_the_marks(scores, scale, marks):
    axis = ScoreAxis.over(scale, np.array(scores), tuple(marks), "Test")
    assert axis.low < axis.high
    if axis.scale != "linear":
        assert axis.low > 0
    if axis.scale == "logit":
        assert axis.high < 1
    for mark in marks:
        if np.isfinite(mark) and (axis.scale == "linear" or 0 < mark < 1):
            assert axis.low <= mark <= axis.high


def test_the_usual_scale():
    rng = np.random.default_rng(0)
    assert usual_scale(rng.beta(0.1, 20, size=500)) == "logit"
    assert usual_scale(1 - rng.beta(0.1, 20, size=500)) == "logit"
    assert usual_scale(rng.random(500)) == "linear"
    assert usual_scale(rng.normal(size=500)) == "linear"
    assert usual_scale(np.array([0.0, 0.0, 0.0, 0.3, 0.6])) == "linear"
    assert usual_scale(np.array([])) == "linear"
