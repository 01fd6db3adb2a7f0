"""The map of a sampler: what is drawn is what the sampler did."""

import sys

import imblearn.over_sampling
import imblearn.under_sampling
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib.collections import LineCollection, PathCollection
from scipy import sparse

from imbkit.displays import SamplingMapDisplay
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.sampling import SMOTE, RandomOverSampler, RandomUnderSampler


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    plt.close("all")


def table(n=60, d=2, seed=0, classes=("common", "rare")):
    rng = np.random.default_rng(seed)
    sizes = [n - 12 * (len(classes) - 1)] + [12] * (len(classes) - 1)
    return rng.normal(size=(n, d)), np.repeat(list(classes), sizes)


def texts(display):
    legend = display.ax_.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def segments(display):
    (lines,) = (each for each in display.ax_.collections if isinstance(each, LineCollection))
    return np.array(lines.get_segments())


def drawn(display):
    """Return the points of every scatter of the map."""
    marks = (each for each in display.ax_.collections if isinstance(each, PathCollection))
    return [np.asarray(each.get_offsets()) for each in marks]


def test_new_rows_lie_where_the_sampler_put_them_with_lines_to_their_parents():
    X, y = table()
    sampler = SMOTE(random_state=3)
    display = SamplingMapDisplay.from_sampler(sampler, X, y)
    X_out, y_out = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(display.points, X)
    np.testing.assert_array_equal(display.copies, np.ones(60))
    np.testing.assert_array_equal(display.new_points, X_out[60:])
    np.testing.assert_array_equal(display.new_labels, y_out[60:])
    np.testing.assert_array_equal(display.parents, sampler.parents_[60:])
    lines = segments(display).reshape(36, 2, 2, 2)
    np.testing.assert_array_equal(lines[:, :, 0], np.repeat(X_out[60:, np.newaxis], 2, axis=1))
    np.testing.assert_array_equal(lines[:, :, 1], X[sampler.parents_[60:]])
    assert texts(display) == ["common: kept (48)", "rare: kept (12)", "rare: new (36)"]
    assert display.ax_.get_title() == "SMOTE"
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("x0", "x1")


def test_removed_and_repeated_rows_are_told_apart():
    X, y = table()
    under = RandomUnderSampler(random_state=0, replacement=True)
    display = SamplingMapDisplay.from_sampler(under, X, y)
    under.fit_resample(X, y)
    copies = np.bincount(under.sample_indices_, minlength=60)
    np.testing.assert_array_equal(display.copies, copies)
    kept, gone = np.count_nonzero(copies[:48]), np.count_nonzero(copies[:48] == 0)
    assert texts(display) == [
        f"common: kept ({kept})",
        f"common: repeated ({12 - kept} more rows)",
        f"common: removed ({gone})",
        "rare: kept (12)",
    ]
    outlines = [points for points in drawn(display) if len(points) == gone]
    np.testing.assert_array_equal(outlines[-1], X[:48][copies[:48] == 0])
    over = SamplingMapDisplay.from_sampler(RandomOverSampler(random_state=0), X, y)
    assert not len(over.new_points)
    assert texts(over)[-1] == "rare: repeated (36 more rows)"


def test_a_row_moved_by_shrinkage_is_new_with_one_parent():
    X, y = table()
    for module in (imblearn.over_sampling, sys.modules["imbkit.sampling"]):
        sampler = module.RandomOverSampler(random_state=0, shrinkage=0.5)
        display = SamplingMapDisplay.from_sampler(sampler, X, y)
        assert len(display.new_points) == 36
        np.testing.assert_array_equal(display.parents[:, 0], display.parents[:, 1])
        np.testing.assert_array_equal(display.copies, np.ones(60))


def test_the_sampler_is_not_changed():
    X, y = table()
    rng = np.random.RandomState(0)
    sampler = SMOTE(random_state=rng)
    before = rng.get_state()[1].copy()
    SamplingMapDisplay.from_sampler(sampler, X, y)
    np.testing.assert_array_equal(rng.get_state()[1], before)
    assert not [name for name in vars(sampler) if name.endswith("_")]


def test_imbalanced_learns_samplers_are_drawn_where_they_say_which_rows():
    X, y = table()
    cleaner = imblearn.under_sampling.EditedNearestNeighbours()
    display = SamplingMapDisplay.from_sampler(cleaner, X, y)
    cleaner.fit_resample(X, y)
    np.testing.assert_array_equal(np.flatnonzero(display.copies), np.sort(cleaner.sample_indices_))
    with pytest.raises(InvalidParameterError, match=r"imblearn's SMOTE.*imbkit\.sampling"):
        SamplingMapDisplay.from_sampler(imblearn.over_sampling.SMOTE(), X, y)
    with pytest.raises(InvalidParameterError, match="fit_resample"):
        SamplingMapDisplay.from_sampler("SMOTE", X, y)


def test_more_columns_are_shown_by_their_principal_directions():
    X, y = table(d=5)
    X = X * [1.0, 5.0, 1.0, 3.0, 1.0] + 7.0
    display = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), X, y)
    centred = X - X.mean(axis=0)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ rows[:2].T
    signs = np.sign(np.sum(expected * display.points, axis=0))
    np.testing.assert_allclose(display.points, expected * signs, atol=1e-9)
    share = values[0] ** 2 / np.sum(values**2)
    assert display.names[0] == f"first principal direction ({share:.0%} of variance)"
    # A projection keeps a point on its segment.
    start, end = (display.points[display.parents[:, k]] for k in (0, 1))
    along = np.linalg.norm(display.new_points - start, axis=1)
    rest = np.linalg.norm(display.new_points - end, axis=1)
    np.testing.assert_allclose(along + rest, np.linalg.norm(end - start, axis=1), atol=1e-9)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_two_features_are_drawn_by_name_or_position(make):
    X, y = table(d=4)
    frame = make({f"col{j}": X[:, j] for j in range(4)})
    display = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), frame, y, features=["col3", 1])
    np.testing.assert_array_equal(display.points, X[:, [3, 1]])
    assert display.names == ("col3", "col1")


def test_sparse_lists_and_indicators_are_read():
    X, y = table(d=3)
    codes = (y == "rare").astype(int)
    dense = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), X, codes)
    for given in (sparse.csr_matrix(X), sparse.csc_array(X), X.tolist()):
        other = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), given, codes)
        np.testing.assert_allclose(other.new_points, dense.new_points)
    hot = np.column_stack([codes == k for k in range(3)]).astype(int)
    hot[:5] = [0, 0, 1]
    display = SamplingMapDisplay.from_sampler(RandomUnderSampler(random_state=0), X, hot)
    np.testing.assert_array_equal(display.labels, hot.argmax(axis=1))


def test_categories_become_levels_whose_rows_are_spread():
    X, y = table()
    frame = pd.DataFrame({"size": X[:, 0], "colour": np.where(X[:, 1] > 0, "red", "blue")})
    frame.loc[0, "colour"] = None
    display = SamplingMapDisplay.from_sampler(RandomUnderSampler(random_state=0), frame, y)
    assert display.levels == ((), ("blue", "red", "missing"))
    np.testing.assert_array_equal(display.points[:, 0], X[:, 0])
    level = np.rint(display.points[:, 1])
    assert level[0] == 2
    np.testing.assert_array_equal(level[1:] == 1, frame["colour"][1:] == "red")
    assert np.ptp(display.points[level == 1, 1]) > 0
    shown = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert shown == ["blue", "red", "missing"]


def test_many_levels_get_few_ticks():
    labels = [f"level {k}" for k in range(40)]
    points = np.column_stack([np.arange(40.0), np.zeros(40)])
    display = SamplingMapDisplay(points, np.zeros(40), np.ones(40), levels=(labels, ())).plot()
    shown = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert shown == labels[::4]


def test_a_missing_value_is_drawn_at_the_mean():
    X, y = table(d=3)
    X[4, 0] = np.nan
    sampler = RandomUnderSampler(random_state=0)
    display = SamplingMapDisplay.from_sampler(sampler, X, y, features=(0, 2))
    assert display.points[4].tolist() == [np.nanmean(X[:, 0]), X[4, 2]]
    assert np.isfinite(SamplingMapDisplay.from_sampler(sampler, X, y).points).all()


def test_many_rows_are_drawn_in_part_and_the_legend_says_so():
    X, y = table(n=3000)
    display = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), X, y, max_rows=200)
    assert texts(display) == [
        "common: kept (188 of 2,988 drawn)",
        "rare: kept (12)",
        "rare: new (200 of 2,976 drawn)",
    ]
    common, rare, new = drawn(display)
    assert [len(points) for points in (common, rare, new)] == [188, 12, 200]
    assert len(display.points) == 3000
    again = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), X, y, max_rows=200)
    other = SamplingMapDisplay.from_sampler(
        SMOTE(random_state=0), X, y, max_rows=200, random_state=1
    )
    np.testing.assert_array_equal(drawn(again)[0], common)
    assert not np.array_equal(drawn(other)[0], common)


def test_parents_of_the_drawn_new_rows_are_drawn():
    X, y = table(n=1000)
    y[:500] = "rare"
    sampler = SMOTE(random_state=0, sampling_strategy={"common": 508})
    display = SamplingMapDisplay.from_sampler(sampler, X, y, max_rows=100)
    ends = {tuple(end) for end in segments(display)[:, 1]}
    points = {tuple(point) for group in drawn(display) for point in group}
    assert len(points) == 100 + 20
    assert ends <= points


def test_no_group_crowds_out_another():
    sizes = np.array([5000, 3, 400])
    labels = np.repeat([0, 1, 2], sizes)
    points = np.random.default_rng(0).normal(size=(labels.size, 2))
    display = SamplingMapDisplay(points, labels, np.ones(labels.size)).plot(max_rows=100)
    assert [len(group) for group in drawn(display)] == [49, 3, 48]


def test_plotting_changes_no_array_and_returns_the_display():
    X, y = table()
    display = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), X, y)
    names = ("points", "labels", "copies", "new_points", "new_labels", "parents")
    before = {name: getattr(display, name).copy() for name in names}
    _, ax = plt.subplots()
    assert display.plot(ax, max_rows=10, legend=False) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert texts(display) == []
    for name in names:
        np.testing.assert_array_equal(getattr(display, name), before[name])
    np.testing.assert_array_equal(X, table()[0])


def test_classes_differ_in_marker_and_colour():
    X, y = table(n=120, classes=[f"class {k}" for k in range(7)])
    display = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), X, y, legend=True)
    kept = [each for each in display.ax_.collections if each.get_zorder() == 4]
    assert len(kept) == 7
    assert len({tuple(each.get_facecolor()[0]) for each in kept}) == 7
    assert len({each.get_paths()[0].vertices.tobytes() for each in kept}) == 7


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (["x0"], "two names or positions"),
        ("x0", "two names or positions"),
        ([0, 9], "two names or positions among 3 columns"),
        ([0, 1.5], "two names or positions"),
        ([0, "x1x"], "must be in the table.*Did you mean 'x1'"),
    ],
)
def test_wrong_features_are_refused(features, words):
    X, y = table(d=3)
    with pytest.raises((InvalidParameterError, DataError), match=words):
        SamplingMapDisplay.from_sampler(RandomUnderSampler(), X, y, features=features)


def test_a_table_that_no_plane_shows_is_refused():
    X, y = table(d=1)
    with pytest.raises(DataError, match="two columns of numbers.*Got 1 column"):
        SamplingMapDisplay.from_sampler(RandomUnderSampler(), X, y)
    when = np.arange(60).astype("datetime64[D]")
    frame = pd.DataFrame({"when": when, "amount": X[:, 0]})
    with pytest.raises(DataError, match=r"numbers or categories.*'when' \(datetime\)"):
        SamplingMapDisplay.from_sampler(RandomUnderSampler(), frame, y)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": [0]}, "labels must have one entry for each of 2 points. Got 1"),
        ({"copies": [1, 1, 1]}, "copies must have one entry"),
        ({"new_labels": [0, 0]}, "new_labels must have one entry for each of 1 points"),
        ({"parents": [[0, 1], [0, 1]]}, "parents must have one entry"),
        ({"parents": [[0, 2]]}, "positions among the 2 rows"),
        ({"parents": [[-1, 0]]}, "positions among the 2 rows"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes, words):
    good = {
        "points": [[0.0, 0.0], [1.0, 1.0]],
        "labels": [0, 1],
        "copies": [1, 1],
        "new_points": [[0.5, 0.5]],
        "new_labels": [0],
        "parents": [[0, 1]],
    }
    SamplingMapDisplay(**good)
    with pytest.raises(DataError, match=words):
        SamplingMapDisplay(**{**good, **changes})


def test_max_rows_must_be_positive():
    display = SamplingMapDisplay([[0.0, 0.0]], [0], [1])
    with pytest.raises(InvalidParameterError, match="max_rows must be at least 1. Got 0"):
        display.plot(max_rows=0)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    display = SamplingMapDisplay([[0.0, 0.0]], [0], [1])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r'imbkit\[plot\]"'):
        display.plot()
