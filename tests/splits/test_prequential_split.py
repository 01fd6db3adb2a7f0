"""The past trains, the future tests: held against the definition, row by row."""

import copy
import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, check_cv, cross_val_score

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.splits import PrequentialSplit
from imbkit.thresholds import ThresholdClassifierCV


def splits(cv, *args, **named):
    return list(cv.split(*args, **named))


@st.composite
def records(draw, ties=True):
    """Times with ties and gaps, and groups of any length; rows in any order."""
    steps = st.sampled_from([0, 1, 1, 3, 500] if ties else [1, 3, 500])
    size = draw(st.integers(4, 60))
    times = np.cumsum(draw(st.lists(steps, min_size=size, max_size=size)))
    groups = np.array(draw(st.lists(st.integers(0, 8), min_size=size, max_size=size)))
    order = draw(st.permutations(range(size)))
    n_splits = draw(st.integers(1, 4))
    assume(np.unique(times).size > n_splits)
    return times[list(order)], groups, n_splits


def tried(cv, *args, **named):
    """The splits, or none where the table cannot give them, for which other tests stand."""
    try:
        return splits(cv, *args, **named)
    except DataError:
        assume(False)


@settings(max_examples=150)
@given(records(), st.integers(0, 20), st.booleans())
def test_training_precedes_testing_by_the_delay_and_groups_stay_apart(record, delay, grouped):
    times, groups, n_splits = record
    cv = PrequentialSplit(n_splits, label_delay=delay)
    pairs = tried(cv, None, time=times, groups=groups if grouped else None)
    assert len(pairs) == n_splits
    tested = np.zeros(times.size, dtype=int)
    starts = []
    for train, test in pairs:
        assert train.dtype == test.dtype == np.intp
        assert train.size
        assert test.size
        assert np.all(np.diff(train) > 0)
        assert np.all(np.diff(test) > 0)
        start = times[test].min() if not grouped else None
        if not grouped:
            starts.append(start)
            assert times[train].max() < start
            assert times[train].max() <= start - delay
            # Nothing is left out that could be known.
            known = (times < start) & (times <= start - delay)
            assert set(train) == set(np.flatnonzero(known))
        else:
            assert times[train].max() < times[test].min()
            assert times[train].max() <= times[test].min() - delay
            assert not set(groups[train]) & set(groups[test])
        tested[test] += 1
    assert tested.max() == 1
    if not grouped:
        # The test sides cover everything from the first start on, in whole stretches.
        np.testing.assert_array_equal(tested, times >= starts[0])
        assert starts == sorted(set(starts))


@settings(max_examples=100)
@given(records())
def test_a_group_with_a_past_is_tested_late_in_one_split_at_most(record):
    times, groups, n_splits = record
    plain = splits(PrequentialSplit(n_splits), None, time=times)
    late = {}
    for k, (train, test) in enumerate(tried(PrequentialSplit(n_splits), None, None, groups, times)):
        before, stretch = plain[k]
        assert set(test) <= set(stretch)
        for group in np.unique(groups[stretch]):
            mine = np.intersect1d(stretch, np.flatnonzero(groups == group))
            earlier = np.intersect1d(before, np.flatnonzero(groups == group))
            if not earlier.size:  # new: tested whole
                assert set(mine) <= set(test)
            elif set(mine) <= set(test):  # dealt to this split: its past leaves
                assert not set(earlier) & set(train)
                late.setdefault(group, []).append(k)
            else:  # another split's: untested, its past stays
                assert not set(mine) & set(test)
                assert set(earlier) <= set(train)
        # Whoever is not in this stretch is trained on.
        away = before[~np.isin(groups[before], groups[stretch])]
        assert set(away) <= set(train)
    assert all(len(numbers) == 1 for numbers in late.values())


@settings(max_examples=60)
@given(records(), st.randoms(), st.booleans())
def test_the_order_of_the_rows_plays_no_part(record, random, grouped):
    times, groups, n_splits = record
    y = (np.arange(times.size) % 3 == 0).astype(float) + 0.5  # no classes: nothing to check
    groups = groups if grouped else None
    pairs = tried(PrequentialSplit(n_splits), None, y, groups, times)
    order = np.arange(times.size)
    random.shuffle(order)
    shuffled = splits(
        PrequentialSplit(n_splits), None, y[order], groups[order] if grouped else None, times[order]
    )
    for (train, test), (new_train, new_test) in zip(pairs, shuffled, strict=True):
        assert set(order[new_train]) == set(train)
        assert set(order[new_test]) == set(test)


@settings(max_examples=60)
@given(records(ties=False))
def test_without_ties_the_stretches_are_equal(record):
    times, _, n_splits = record
    pairs = splits(PrequentialSplit(n_splits), None, time=times)
    sizes = [pairs[0][0].size, *(test.size for _, test in pairs)]
    assert sum(sizes) == times.size
    assert max(sizes) - min(sizes) <= 1


@settings(max_examples=60)
@given(records())
def test_groups_of_one_row_change_nothing(record):
    times, _, n_splits = record
    alone = np.random.default_rng(0).permutation(times.size)
    plain = splits(PrequentialSplit(n_splits), None, time=times)
    grouped = splits(PrequentialSplit(n_splits), None, time=times, groups=alone)
    for old, new in zip(plain, grouped, strict=True):
        np.testing.assert_array_equal(old[0], new[0])
        np.testing.assert_array_equal(old[1], new[1])


def test_on_rows_in_order_it_is_scikit_learns_time_series_split():
    times = np.arange(24)
    ours = splits(PrequentialSplit(5), None, time=times)
    theirs = list(TimeSeriesSplit(5).split(times[:, None]))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_heavy_ties_leave_the_other_rows_in_equal_stretches():
    # Nine of ten rows share one time; the other cuts are even all the same.
    times = np.concatenate([np.zeros(900), np.arange(1, 101)])
    sizes = [test.size for _, test in splits(PrequentialSplit(4), None, time=times)]
    assert sizes == [25, 25, 25, 25]
    times = np.concatenate([np.arange(1, 101), np.full(900, 101.0)])
    pairs = splits(PrequentialSplit(2), None, time=times)
    assert [test.size for _, test in pairs] == [1, 900]


def test_customers_of_the_whole_record_are_trained_on_and_tested():
    rng = np.random.default_rng(0)
    times, groups = rng.uniform(size=3000), rng.integers(60, size=3000)
    tested = set()
    for k, (train, test) in enumerate(splits(PrequentialSplit(5), None, None, groups, times)):
        assert np.unique(groups[test]).size == 12
        assert np.unique(groups[train]).size == 48
        assert train.size == pytest.approx(0.8 * 500 * (k + 1), rel=0.1)
        tested |= set(groups[test])
    assert len(tested) == 60


def test_groups_with_the_rarest_class_are_dealt_evenly():
    # Of twelve customers of equal size every other one has frauds, one in each stretch.
    groups, times = np.tile(np.arange(12), 30), np.repeat(np.arange(30), 12)
    y = np.where((groups % 2 == 0) & (times % 5 == 0), "fraud", "good")
    for train, test in splits(PrequentialSplit(2), None, y, groups, times):
        assert np.unique(groups[test]).size == 6
        assert np.unique(groups[test][groups[test] % 2 == 0]).size == 3
        assert not set(groups[train]) & set(groups[test])


def test_groups_that_do_not_last_are_tested_whole():
    # Each group lives within 30 of 600 steps, so hardly a row goes untested.
    times = np.arange(600)
    pairs = splits(PrequentialSplit(4), None, None, times // 30, times)
    assert sum(test.size for _, test in pairs) == 480


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 400
    frame = pd.DataFrame(
        {
            "amount": rng.normal(size=n),
            "hour": rng.integers(24, size=n),
            "when": pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.uniform(0, 100, n), "D"),
            "card": rng.integers(300, size=n).astype(str),
        }
    )
    return frame, (rng.uniform(size=n) < 0.2).astype(int)


def same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_columns_are_the_same_as_arguments_in_any_container(table):
    frame, y = table
    cv = PrequentialSplit(3, time="when", groups="card", label_delay="4d")
    named = splits(cv, frame, y)
    bare = PrequentialSplit(3, label_delay=dt.timedelta(days=4))
    same(named, splits(bare, frame, y, frame["card"], frame["when"]))
    same(named, splits(bare, frame[["amount"]], y.tolist(), list(frame["card"]), frame["when"]))
    polars = pl.DataFrame({name: frame[name].to_list() for name in frame})
    same(named, splits(cv, polars, pl.Series(y)))
    zoned = frame.assign(when=frame["when"].dt.tz_localize("UTC").dt.tz_convert("Europe/Vienna"))
    same(named, splits(cv, zoned, y))
    spelled = frame.assign(when=[moment.isoformat() for moment in frame["when"]])
    same(named, splits(cv, spelled, y))
    # An index that says otherwise is of no concern, and an argument comes before a column.
    same(named, splits(cv, frame.set_axis(np.arange(400)[::-1]), pd.Series(y)))
    swapped = frame.assign(card="x", when=frame["when"].max())
    same(named, splits(cv, swapped, y, groups=frame["card"], time=frame["when"]))
    numbers = frame["when"].to_numpy().astype("M8[us]").astype(np.int64) / 86_400e6
    same(named, splits(PrequentialSplit(3, label_delay=4), frame, y, frame["card"], numbers))


def test_unnamed_columns_have_the_usual_names():
    X = np.column_stack([np.arange(8), np.arange(8)[::-1]])
    first, last = (splits(PrequentialSplit(1, time=f"x{j}"), X)[0] for j in (0, 1))
    assert first[1].tolist() == last[0].tolist() == [4, 5, 6, 7]


def test_it_is_a_cv_of_scikit_learn(table):
    frame, y = table
    cv = PrequentialSplit(3, time="when", groups="card", label_delay="4d")
    assert check_cv(cv) is cv
    assert cv.get_n_splits() == cv.get_n_splits(frame, y, None) == 3
    # Dates are no features of a linear model, so the model looks at two columns.
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        make_column_transformer(("passthrough", ["amount", "hour"])), LogisticRegression()
    )
    scores = cross_val_score(model, frame, y, cv=cv, scoring="average_precision")
    by_hand = cross_val_score(model, frame, y, cv=splits(cv, frame, y), scoring="average_precision")
    np.testing.assert_array_equal(scores, by_hand)
    search = GridSearchCV(model, {"logisticregression__C": [0.1, 1.0]}, cv=cv).fit(frame, y)
    assert search.n_splits_ == 3
    tuned = ThresholdClassifierCV(model, cv=cv).fit(frame, y)
    assert 0 < tuned.threshold_ < 1
    held_out = ThresholdClassifierCV(model, cv=PrequentialSplit(1, time="when"), refit=False)
    assert held_out.fit(frame, y).rule_.n_rows == 200


def test_groups_and_times_are_routed(table):
    frame, y = table
    X, bare = frame[["amount"]], PrequentialSplit(3)
    params = {"groups": frame["card"].to_numpy(), "time": frame["when"].to_numpy()}
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_score(DummyClassifier(), X, y, cv=bare, params=params)
        refusing = PrequentialSplit(3, time="when").set_split_request(groups=False)
        requests = refusing.get_metadata_routing().split.requests
    assert requests == {"groups": False, "time": True}
    pairs = splits(bare, X, y, params["groups"], params["time"])
    np.testing.assert_array_equal(routed, cross_val_score(DummyClassifier(), X, y, cv=pairs))


def test_it_prints_and_copies():
    cv = PrequentialSplit(3, time="when", label_delay="7d")
    text = repr(cv)
    assert text.startswith("PrequentialSplit(")
    assert "label_delay='7d'" in text
    assert repr(copy.deepcopy(cv)) == text == repr(eval(text))


# Bad input ------------------------------------------------------------------------------------

TEN = np.arange(10)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"n_splits": 0}, "n_splits must be a whole number of 1 or more. Got 0"),
        ({"n_splits": 2.0}, "n_splits must be a whole number"),
        ({"n_splits": True}, "n_splits must be a whole number"),
        ({"n_splits": None}, "n_splits must be a whole number"),
        ({"min_train": 0}, "min_train must be a whole number"),
        ({"min_train": "many"}, "min_train must be a whole number"),
        ({"time": TEN}, r"time must be the name of a column.*split\(X, y, time=...\)"),
        ({"groups": 3}, r"groups must be the name of a column.*split\(X, y, groups=...\)"),
        ({"label_delay": "soon"}, "label_delay must be a span.*Got 'soon'"),
        ({"label_delay": -1}, "label_delay must be a span"),
    ],
)
def test_bad_parameters_are_refused_before_any_data(named, words):
    with pytest.raises(InvalidParameterError, match=f"^PrequentialSplit: {words}"):
        splits(PrequentialSplit(**named), None)


def test_a_delay_must_fit_the_times():
    days = np.arange(10).astype("M8[D]")
    with pytest.raises(InvalidParameterError, match=r"a unit where times are dates.*Write 7d"):
        splits(PrequentialSplit(2, label_delay=7), None, time=days)
    with pytest.raises(InvalidParameterError, match=r"number in the unit.*Got '7d'.*Write 7 for 7"):
        splits(PrequentialSplit(2, label_delay="7d"), None, time=TEN)


BAD_DATA = {
    "no time": ({}, {}, r'time must be given for each row.*time="..."\), or call split'),
    "no such column": ({"time": "wen"}, {"X": pd.DataFrame({"when": TEN})}, "Did you mean 'when'"),
    "no table": ({"time": "when"}, {"X": None}, "must be a table"),
    "missing time": ({}, {"time": [1.0, None]}, "time must be known for every row"),
    "all equal": ({}, {"time": ["2024-05-01"] * 4}, "must differ.*Got 2024-05-01 in all 4 rows"),
    "few times": ({}, {"time": [1, 1, 2, 2, 3]}, "n_splits=5 needs.*6 different times. Got 3"),
    "one group": ({"n_splits": 2}, {"time": TEN, "groups": TEN * 0}, "several groups"),
    "missing group": ({"n_splits": 2}, {"time": TEN, "groups": [None] + [1] * 9}, "groups must be"),
    "short groups": ({"n_splits": 2}, {"time": TEN, "groups": [1, 2]}, "10 rows. Got 2 values"),
    "short time": ({}, {"X": TEN[:, None], "time": [1, 2]}, "time must hold.*10 rows. Got 2"),
    "short y": ({}, {"X": TEN[:, None], "time": TEN, "y": [1, 2]}, "y must hold.*10 rows. Got 2"),
    "missing y": (
        {},
        {"time": TEN, "y": [1.0] * 9 + [np.nan]},
        "label in every row. Got 1 missing",
    ),
    "mixed y": (
        {},
        {"time": TEN, "y": np.array([1, "a"] * 5, dtype=object)},
        "y must be all of one",
    ),
    "long delay": (
        {"n_splits": 1, "label_delay": "30d"},
        {"time": TEN.astype("M8[D]")},
        "2 different times must be left after the label_delay. Got 0 after 30d, with 9 days from "
        "1970-01-01 to 1970-01-10. Use a shorter delay",
    ),
    "some delay": ({"n_splits": 2, "label_delay": 1}, {"time": TEN % 3}, "Got 2 after 1, with 2"),
    "long number": (
        {"n_splits": 2, "label_delay": 8},
        {"time": TEN},
        "3 different times must be left.*Got 2 after 8, with 9 from 0 to 9",
    ),
    "small training": (
        {"n_splits": 4, "min_train": 3},
        {"time": TEN},
        "training side must have at least 3 rows. Got 2 in split 1, tested from 2 to 3",
    ),
    "nothing to test": (
        {"n_splits": 4},
        {"time": TEN, "groups": [0, 1] * 5},
        "rows of groups that may be tested. Got none in split",
    ),
    "nothing to train": (
        {"n_splits": 1},
        {"time": TEN, "groups": [0] * 9 + [1]},
        "at least 1 rows. Got 0 in split 1",
    ),
    "class to train": (
        {"n_splits": 1},
        {"time": TEN, "y": [0, 0, 0, 0, 1, 1, 1, 0, 0, 0]},
        "every training side must hold at least 2 rows of each class. "
        "Got 1: 1, 0: 4 of 5 rows in split 1, tested from 5 to 9. Use fewer splits",
    ),
    "class to test": (
        {"n_splits": 2},
        {"time": [0, *TEN], "y": list("bbaabbaaaaa")},
        "every test side must hold at least 1 row of each class. Got 'b': 0, 'a': 4 of 4 rows in "
        "split 2, tested from 6 to 9",
    ),
}


@pytest.mark.parametrize(("made", "given_", "words"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_is_refused(made, given_, words):
    given_ = {"X": None, **given_}
    with pytest.raises(DataError, match=f"^PrequentialSplit: .*{words}"):
        splits(PrequentialSplit(**made), **given_)


def test_an_error_comes_before_the_first_pair():
    # The last of the test sides lacks a class.
    pairs = PrequentialSplit(2).split(None, [0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0], time=[0, *TEN])
    with pytest.raises(DataError, match="split 2"):
        next(pairs)


def test_the_delay_comes_on_top_of_the_first_stretch():
    # Of 30 days the last 20 are cut in four; the first test waits for a stretch of labels.
    times = np.repeat(np.arange(30), 7)
    pairs = splits(PrequentialSplit(3, label_delay=10), None, time=times)
    assert [(times[test].min(), times[test].max()) for _, test in pairs] == [
        (15, 19),
        (20, 24),
        (25, 29),
    ]
    assert [times[train].max() for train, _ in pairs] == [5, 10, 15]
    # A gap after the first rows is no reason to fail.
    gap = [0, 1, 2, 3, 500, 501]
    pairs = splits(PrequentialSplit(1, label_delay=100), None, time=gap)
    assert [(train.tolist(), test.tolist()) for train, test in pairs] == [([0, 1, 2, 3], [5])]


def test_numbers_and_many_values_are_no_classes():
    y = np.arange(10) / 4
    assert len(splits(PrequentialSplit(4), None, y, time=TEN)) == 4
    many = np.arange(100)
    assert len(splits(PrequentialSplit(4), None, many, time=many)) == 4
    assert len(splits(PrequentialSplit(9), None, many % 21, time=many)) == 9
    assert len(splits(PrequentialSplit(4), None, np.zeros((10, 2)), time=TEN)) == 4
    # Twenty values are still classes, in whole floats too.
    for labels in (many % 20, (many % 20).astype(float)):
        assert len(splits(PrequentialSplit(1), None, labels, time=many)) == 1
        labels[labels == 3] = 4
        labels[-1] = 3
        with pytest.raises(DataError, match=r"Got 3(\.0)?: 0, "):
            splits(PrequentialSplit(1), None, labels, time=many)
