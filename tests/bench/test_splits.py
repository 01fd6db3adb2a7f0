"""Designs: at random, forward in time, or as a splitter says."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, RepeatedStratifiedKFold, ShuffleSplit

from imbkit.bench._splits import (
    FEWEST_ROWS,
    given_design,
    random_design,
    read_cv,
    time_design,
)
from imbkit.bench._target import read_target
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.splits._times import Times

Y = np.arange(60) % 3 == 0


def target(y=Y):
    return read_target(np.asarray(y), None, "y")


@pytest.mark.parametrize(
    ("cv", "quick", "expected"),
    [
        (None, False, (5, 2)),
        (None, True, (3, 1)),
        (4, False, (4, 2)),
        ((4, None), True, (4, 1)),
        ([None, 3], False, (5, 3)),
    ],
)
def test_folds_and_repeats(cv, quick, expected):
    assert read_cv(cv, quick) == expected


@pytest.mark.parametrize("cv", [1, 0, -3, (5, 0), (5,), (5, 1, 1), "five", 2.0, (2.0, 1)])
def test_what_is_no_cv(cv):
    with pytest.raises(InvalidParameterError, match="at least 2 folds, at least 1 repeat"):
        read_cv(cv, False)


def test_random_folds_are_stratified_and_drawn_anew():
    design = random_design(target(), None, 4, 2, seed=0)
    assert (design.folds, design.repeats, len(design.splits)) == (4, 2, 8)
    for split in design.splits:
        assert Y[split.test].sum() == 5
        assert np.array_equal(np.sort(np.r_[split.train, split.test]), np.arange(60))
        assert split.part == "main"
    assert design.splits[0].test.tolist() != design.splits[4].test.tolist()
    assert random_design(target(), None, 4, 2, seed=0).splits[5].test.tolist() == (
        design.splits[5].test.tolist()
    )
    assert random_design(target(), None, 4, 1, 0, "random").splits[0].part == "random"


def test_folds_of_a_tiny_class():
    y = np.arange(60) < FEWEST_ROWS
    design = random_design(target(y), None, 5, 1, seed=0)
    assert design.folds == 3
    assert design.cautions == (
        "Class 'True' has only 3 distinct rows, so 3 folds were used instead of 5.",
    )
    with pytest.raises(DataError, match=r"3 distinct rows \(or groups\)\. Got 2 for 'True'"):
        random_design(target(np.arange(60) < 2), None, 5, 1, seed=0)
    with pytest.raises(DataError, match="Got 1 for 'True'"):
        random_design(target(y), np.maximum(np.arange(60) - 2, 0), 5, 1, seed=0)


def test_time_and_groups_and_delay_at_once():
    rng = np.random.default_rng(0)
    times, groups = rng.permutation(60).astype(float), rng.integers(0, 20, 60)
    design = time_design(target(), Times(times, is_date=False), groups, 3, delay=4.0)
    assert (design.folds, design.repeats) == (3, 1)
    for split in design.splits:
        assert times[split.train].max() <= times[split.test].min() - 4
        assert not set(groups[split.train]) & set(groups[split.test])


@pytest.mark.parametrize(
    ("times", "delay", "words"),
    [
        (np.ones(60), 0.0, "times must differ between rows"),
        (np.arange(60.0), 60.0, "left after the label_delay.*Use a shorter delay"),
        (np.arange(60.0), 57.0, "left after the label_delay"),
        (np.where(np.arange(60) < 58, 0.0, 9.0), 0.0, "different times. Got 2"),
    ],
)
def test_times_that_leave_nothing_to_train_on(times, delay, words):
    with pytest.raises(DataError, match=words):
        time_design(target(), Times(times, is_date=False), None, 3, delay)


class Fixed:
    def __init__(self, *pairs):
        self.pairs = pairs

    def split(self, X, y):
        return iter(self.pairs)


def test_rows_on_both_sides_leave_the_training_side():
    design = given_design(np.empty((60, 1)), target(), None, None, Fixed((range(60), range(6))))
    assert design.splits[0].train.tolist() == list(range(6, 60))
    assert "6 training rows were left out" in design.cautions[0]


def test_groups_on_both_sides_leave_it_too():
    groups = np.arange(60) // 4
    cv = Fixed((np.arange(2, 60), np.arange(2)))
    design = given_design(np.empty((60, 1)), target(), groups, None, cv)
    assert design.splits[0].train.tolist() == list(range(4, 60))


@pytest.mark.parametrize(
    ("cv", "words"),
    [
        (Fixed(), "at least one split"),
        (Fixed(([0, 1, 2, 4], [5, 6])), "at least 2 rows of every class.*fewer in split 0"),
        (Fixed((range(30), [])), "at least 2 rows of every class"),
    ],
)
def test_splitters_that_do_not_split(cv, words):
    with pytest.raises(DataError, match=words):
        given_design(np.empty((60, 1)), target(), None, None, cv)


def test_a_splitter_that_ignores_groups_does_not_warn():
    groups = np.arange(60) // 4
    design = given_design(np.empty((60, 1)), target(), groups, groups, KFold(5))
    for split in design.splits:
        assert not set(groups[split.train]) & set(groups[split.test])


def test_dates_split_as_their_seconds_do_and_messages_name_dates():
    seconds = 86400.0 * np.random.default_rng(0).permutation(60)
    dates = time_design(target(), Times(seconds, is_date=True), None, 3, 4 * 86400.0)
    plain = time_design(target(), Times(seconds, is_date=False), None, 3, 4 * 86400.0)
    for one, other in zip(dates.splits, plain.splits, strict=True):
        assert one.train.tolist() == other.train.tolist()
        assert one.test.tolist() == other.test.tolist()
        assert seconds[one.train].max() <= seconds[one.test].min() - 4 * 86400
    with pytest.raises(DataError, match="1970-01-01 to 1970-03-01"):
        time_design(target(), Times(seconds, is_date=True), None, 3, 60 * 86400.0)


@pytest.mark.parametrize(
    ("cv", "shape", "repeats"),
    [
        (RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0), (3, 2), 2),
        (KFold(4), (4, 1), 1),
        (ShuffleSplit(4, test_size=0.5, random_state=0), (4, 1), 4),
    ],
)
def test_a_splitter_that_tests_rows_again_repeats(cv, shape, repeats):
    """Intervals and curves count the rows of a repeat once."""
    design = given_design(np.empty((60, 1)), target(), None, None, cv)
    assert (design.folds, design.repeats) == shape
    assert len({(split.repeat, split.fold) for split in design.splits}) == len(design.splits)
    for repeat in range(repeats):
        tested = [split.test for split in design.splits if split.repeat == repeat]
        assert np.unique(np.concatenate(tested)).size == sum(map(len, tested))
