import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.bench._figures import Axis, number
from imbkit.bench._plots import HEIGHT, LETTER, WIDTH, Canvas, across, upward

SHARES = st.floats(0, 1)
ANY = st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([math.nan, math.inf, -math.inf]))
KINDS = st.sampled_from(["linear", "log", "logit"])
NUMBER = r"-?\d+(?:\.\d)?"


def places(plot):
    """Return every place (x, y) of a drawing."""
    for path in plot.paths:
        assert re.fullmatch(rf"M{NUMBER} {NUMBER}(L{NUMBER} {NUMBER})+z?", path.d)
        for point in re.split("[MLz]", path.d):
            if point:
                yield tuple(map(float, point.split()))
    for mark in (*plot.dots, *plot.words):
        yield float(mark.x), float(mark.y)


def inside(plot):
    assert (plot.width, plot.height) == ("320", "232")
    for x, y in places(plot):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    for words in plot.words:
        reach = LETTER * len(words.text)
        left = float(words.x) - {"start": 0, "middle": 0.5, "end": 1}[words.anchor] * reach
        if words.style != "title" and len(words.text) < 12:
            assert left >= -1 - reach * (words.anchor == "end")
            assert left + reach <= WIDTH + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANY, ANY, ANY, ANY), min_size=1, max_size=12), KINDS, KINDS)
def test_no_mark_leaves_the_drawing(points, x_kind, y_kind):
    xs, means, lows, highs = (list(values) for values in zip(*points, strict=True))
    canvas = Canvas(across(xs, x_kind), upward([*means, *lows, *highs], y_kind))
    canvas.frame("x", "y", number, number)
    canvas.band(xs, lows, highs, "band")
    canvas.line(xs, means, "line")
    canvas.dots(xs, means, "point")
    finite = [x for x in xs if x is not None and math.isfinite(x)]
    canvas.feet(finite, "foot")
    for x in finite[:2]:
        canvas.upright(x, "asked", "asked")
        canvas.bar(x, x + 1, x, "column")
    canvas.name_lines([("baseline", xs, means, "name"), ("challenger", xs, highs, "name")])
    inside(canvas.plot("title", "finding"))


def test_a_gap_interrupts_line_and_band():
    canvas = Canvas(across([0, 4]), upward([0, 1]))
    canvas.line([0, 1, 2, 3, 4], [0, 0.5, None, 0.5, 1], "line")
    canvas.band([0, 1, 2, 3, 4], [0, 0, 0, 0, 0], [1, 1, None, 1, math.nan], "band")
    drawn = canvas.plot("", "")
    assert [path.style for path in drawn.paths] == ["line", "line", "band"]
    assert drawn.paths[2].d.endswith("z")
    first, second = (places_of(path) for path in drawn.paths[:2])
    assert first[0] == (canvas.x(0), canvas.y(0))
    assert second[-1] == (canvas.x(4), canvas.y(1))


def places_of(path):
    return [tuple(map(float, p.split())) for p in re.split("[MLz]", path.d) if p]


def test_larger_values_stand_to_the_right_and_above():
    canvas = Canvas(across([1e-4, 1], "log"), upward([0.001, 0.999], "logit"))
    assert canvas.x(0.1) - canvas.x(0.01) == pytest.approx(canvas.x(0.01) - canvas.x(0.001))
    assert canvas.y(0.9) < canvas.y(0.5) < canvas.y(0.1)
    assert canvas.y(0.5) - canvas.y(0.9) == pytest.approx(canvas.y(0.1) - canvas.y(0.5))
    assert canvas.x(1e-9) == canvas.x(1e-4)
    assert canvas.y(1.0) == canvas.y(0.999)


def test_lines_are_named_on_their_own_side():
    canvas = Canvas(across([0, 1]), upward([0, 1]))
    xs = [k / 20 for k in range(21)]
    canvas.name_lines(
        [
            ("low", xs, [0.2 + 0.1 * x for x in xs], "name base"),
            ("high", xs, [0.4 + 0.3 * x for x in xs], "name"),
        ]
    )
    low, high = canvas.plot("", "").words
    assert (low.text, high.text) == ("low", "high")
    assert float(high.y) < float(low.y)
    # The lines part towards the right, and there they are named.
    assert float(high.x) > canvas.x(0.7)
    assert float(low.y) > canvas.y(0.3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(1e-9, 1), min_size=2, max_size=9), st.sampled_from(["log", "logit"]))
def test_bent_axes_keep_order_and_have_few_round_ticks(values, kind):
    axis = Axis.over(values, 200.0, 0.0, kind)
    found = [axis.x(value) for value in sorted(values)]
    assert found == sorted(found)
    assert all(-1e-9 <= place <= 200 + 1e-9 for place in found)
    ticks = axis.ticks()
    assert len(ticks) <= 13
    assert ticks == sorted(ticks)
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= tick * (1 + 1e-9) for tick in ticks)
    assert all(tick <= axis.high * (1 + 1e-9) + slack for tick in ticks)


def test_ticks_of_rates_are_powers_of_ten():
    assert Axis.over([3e-4, 1], 200, 0, "log").ticks() == [0.001, 0.01, 0.1, 1.0]
    assert Axis.over([0.005, 0.95], 200, 0, "logit").ticks() == [0.01, 0.1, 0.5, 0.9]
    assert len(Axis.over([1e-12, 1], 200, 0, "log").ticks()) <= 8


def test_ticks_that_would_cover_each_other_are_left_out():
    canvas = Canvas(across([0, 10]), upward([0, 1]))
    canvas.frame("", "", lambda v: f"a long text {v}", number, x_ticks=[0, 1, 2, 10])
    texts = [words.text for words in canvas.plot("", "").words if "long" in words.text]
    assert texts == ["a long text 0", "a long text 10"]
