"""Levels of columns, votes on them, and the draw among winners."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OrdinalEncoder

from imbkit._core.containers import wrap
from imbkit.exceptions import DataError
from imbkit.sampling._categories import (
    candidates,
    coded_columns,
    draw_levels,
    examples,
    most_frequent,
)

VOTES = st.integers(1, 8).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 4), min_size=k, max_size=k), min_size=1)
)


@given(VOTES)
def test_winners_are_the_most_frequent_levels(votes):
    votes = np.array(votes, dtype=np.int32)
    k = votes.shape[1]
    winners = candidates(votes, np.arange(k + 1), 5)
    for i, row in enumerate(votes.tolist()):
        start, count = winners.starts[i], winners.counts[i]
        top = max(Counter(row).values())
        expected = sorted(level for level, n in Counter(row).items() if n == top)
        assert winners.levels[start : start + count].tolist() == expected
        assert most_frequent(votes)[i] == expected[0]


def test_fewer_votes_may_be_as_good_and_every_level_may_win():
    votes = np.array([[0, 0, 1, 1, 1], [2, 2, 2, 2, 3], [-1, -1, -1, -1, -1]], dtype=np.int32)
    least = np.array([0, 1, 2, 2, 0, 5])
    winners = candidates(votes, least, 4)
    assert winners.counts.tolist() == [2, 4, 4]
    assert winners.levels.tolist() == [0, 1, 0, 1, 2, 3, 0, 1, 2, 3]


def test_draws_are_those_of_shuffled_pairs():
    rng = np.random.default_rng(0)
    votes = rng.integers(0, 3, (40, 4)).astype(np.int32)
    winners = candidates(votes, np.arange(5), 3)
    voters = rng.integers(0, 40, 200)
    counts = np.stack([np.bincount(row, minlength=3) for row in votes])[voters]
    pairs = np.argwhere(counts == counts.max(axis=1, keepdims=True))
    shuffled = np.random.RandomState(3).permutation(pairs)
    _, first = np.unique(shuffled[:, 0], return_index=True)
    found = draw_levels(np.random.RandomState(3), winners, voters)
    np.testing.assert_array_equal(found, shuffled[first, 1])


def test_every_winner_is_as_likely():
    winners = candidates(np.array([[4, 1, 2, 2, 1]], dtype=np.int32), np.arange(6), 5)
    drawn = draw_levels(np.random.RandomState(0), winners, np.zeros(4000, dtype=np.intp))
    assert set(drawn.tolist()) == {1, 2}
    assert abs(np.mean(drawn == 1) - 0.5) < 0.04


def test_no_rows_no_draws():
    winners = candidates(np.array([[0]], dtype=np.int32), np.arange(2), 1)
    assert draw_levels(np.random.RandomState(0), winners, np.empty(0, dtype=np.intp)).size == 0


COLUMNS = {
    "objects": np.array(["b", "a", "b", "c"], dtype=object),
    "gaps": np.array(["b", None, "a", np.nan], dtype=object),
    "many NaN": np.array([float("nan"), 2.5, float("nan"), 1], dtype=object),
    "floats": np.array([2.0, np.nan, -1.0, np.nan]),
    "booleans": np.array([True, False, True, True]),
    "text": np.array(["bb", "a", "bb", "c"]),
}


@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_levels_are_sorted_and_missing_ones_last(values):
    rows = wrap(values.reshape(-1, 1))
    coded = coded_columns(rows, [0])
    (levels,) = coded.levels
    back = levels[coded.codes[:, 0]]
    gone = pd.isna(values)
    np.testing.assert_array_equal(pd.isna(back), gone)
    np.testing.assert_array_equal(back[~gone], values[~gone])
    assert len(levels) == len(set(values[~gone].tolist())) + gone.any()
    known = levels[: len(levels) - gone.any()].tolist()
    assert known == sorted(known)
    # The first row with each level stands for it.
    assert coded.first[0].tolist() == [
        next(i for i, code in enumerate(coded.codes[:, 0]) if code == level)
        for level in range(len(levels))
    ]


def test_an_encoder_fitted_on_examples_has_every_level():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.integers(0, 9, 300), "b": rng.choice(list("xyz"), 300)})
    rows = wrap(X)
    coded = coded_columns(rows, [1, 0])
    few = examples(rows, [1, 0], coded)
    assert len(few) <= 12
    found, expected = OrdinalEncoder().fit(few), OrdinalEncoder().fit(X[["b", "a"]])
    for one, other in zip(found.categories_, expected.categories_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert found.feature_names_in_.tolist() == ["b", "a"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([["a"], [1]], dtype=object), "uniformly strings or numbers"),
        (np.array([[{}], [{}]], dtype=object), "values of type 'dict'"),
        (np.array([[1.0], [np.inf]]), "infinite"),
        (np.array([["a"], [-np.inf]], dtype=object), "uniformly"),
        (pd.DataFrame({"when": pd.date_range("2020", periods=2)}), r"'when' \(datetime\)"),
    ],
)
def test_what_cannot_be_a_category(values, words):
    with pytest.raises(DataError, match=words):
        coded_columns(wrap(values), [0])
