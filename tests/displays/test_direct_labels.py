"""Names at the ends of lines lie apart, and as near to their lines as that allows."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from imbkit.displays._direct_labels import cut_middle, label_ends, spread_apart

HEIGHTS = st.lists(st.floats(-5, 5), max_size=8)


@settings(max_examples=80)
@given(HEIGHTS, st.floats(0.01, 2))
def test_they_lie_apart_and_in_order(heights, gap):
    places = spread_apart(heights, gap)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(places[order]) >= gap - 1e-9).all()
    if (np.diff(np.sort(heights)) >= gap).all():
        assert places == pytest.approx(heights)
    # Moving all of them together makes none nearer.
    assert places.sum() == pytest.approx(np.sum(heights), abs=1e-9)


def test_no_other_places_are_nearer():
    rng = np.random.default_rng(0)
    for _ in range(10):
        heights, gap = np.sort(rng.normal(size=6)), 0.7
        places = spread_apart(heights, gap)
        best = minimize(
            lambda at, h=heights: np.sum((at - h) ** 2),
            heights + gap * np.arange(6),
            constraints={"type": "ineq", "fun": lambda at, g=gap: np.diff(at) - g},
            tol=1e-12,
        )
        assert np.sum((places - heights) ** 2) == pytest.approx(best.fun, rel=1e-5)


def test_names_are_cut_in_the_middle():
    assert cut_middle("short", 10) == "short"
    for name in ("seconds_on_pages_in_month_1", "seconds_on_pages_in_month_2"):
        cut = cut_middle(name, 20)
        assert len(cut) == 20
        assert cut.startswith("seconds_o...")
        assert cut.endswith(name[-6:])
    assert cut_middle("price in $", 20) == r"price in \$"


def test_notes_stand_at_the_right_edge():
    _, ax = plt.subplots()
    ax.set(xlim=(1.0, 0.01), ylim=(0, 1), xscale="log")
    notes = label_ends(ax, [0.5, 0.5, 0.1], ["a", "b", "c"], ["k", "r", "b"])
    assert [note.get_text() for note in notes] == ["a", "b", "c"]
    assert all(note.xy[0] == 0.01 for note in notes)
    # Two lines of text have room, at the height that the axes have.
    height = ax.get_position().height * ax.figure.get_figheight() * 72
    assert abs(notes[0].xyann[1] - notes[1].xyann[1]) * height >= notes[0].get_fontsize()
    assert label_ends(ax, [], [], []) == []
