"""Texts, legends and lines to compare with."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from imbkit.displays import AlertBudgetDisplay
from imbkit.displays._style import frozen, number_text, reference, share_text, words


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.5, "50%"), (0.001, "0.1%"), (1e-6, "0.0001%"), (1e-8, "1e-6%"), (1, "100%")],
)
def test_shares_are_percentages(share, text):
    assert share_text(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (0.001, "0.001"),
        (1e-4, "1e-4"),
        (2.5e-6, "2.5e-6"),
        (0.99999, "0.99999"),
        (1 - 1e-6, "0.999999"),
        (12345.0, "12,345"),
        (-2.0, "\N{MINUS SIGN}2"),
    ],
)
def test_numbers_are_short(value, text):
    assert number_text(value) == text


def test_texts_are_tamed():
    assert words("a\nb") == "a b"
    assert words("$x_1$") == r"\$x_1\$"
    assert words("_hidden") == " _hidden"
    assert len(words("x" * 500)) == 60


def test_a_line_to_compare_with_is_drawn_once():
    _, ax = plt.subplots()
    first = reference(ax, [0, 1], [0, 1], "same")
    assert reference(ax, [0, 1], [0, 1], "same") is first
    other = reference(ax, [0, 1], [0, 2], "same")
    assert other is not first
    assert ax.get_legend_handles_labels()[1] == ["same"]


def test_the_legend_lies_below_and_inside_the_figure(rows):
    y, p, _ = rows()
    name = "a classifier with a name that goes on and on, " * 3
    for given in (None, plt.subplots(1, 2, layout="constrained")[1][0]):
        display = AlertBudgetDisplay.from_predictions(y, p, name=name, budget=0.1, ax=given)
        display.figure_.canvas.draw()
        box = display.ax_.get_legend().get_window_extent()
        assert box.y1 < display.ax_.get_window_extent().y0
        assert box.y0 >= 0
    _, ax = plt.subplots()
    display = AlertBudgetDisplay.from_predictions(y, p, name="short", ax=ax)
    display.figure_.canvas.draw()
    inside = ax.get_legend().get_window_extent()
    assert inside.y0 > ax.get_window_extent().y0


def test_arrays_are_copied():
    given = np.arange(3.0)
    kept = frozen(given)
    given[0] = 9
    assert kept[0] == 0
    assert not kept.flags.writeable
