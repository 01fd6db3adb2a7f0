"""Hands: each lasting group is tested late in one stretch, whatever the order of the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError
from imbkit.splits._groups import deal_hands, read_groups


@st.composite
def dealings(draw):
    n_stretches = draw(st.integers(2, 5))
    size = draw(st.integers(1, 40))
    groups = np.array(draw(st.lists(st.integers(0, 6), min_size=size, max_size=size)))
    groups = np.unique(groups, return_inverse=True)[1]
    stretches = draw(st.lists(st.integers(0, n_stretches - 1), min_size=size, max_size=size))
    rare = draw(st.none() | st.lists(st.booleans(), min_size=size, max_size=size).map(np.array))
    return groups, np.array(stretches), rare, n_stretches


@settings(max_examples=100)
@given(dealings(), st.randoms())
def test_a_group_is_dealt_to_a_later_stretch_that_it_reaches(dealing, random):
    groups, stretches, rare, n_stretches = dealing
    hands = deal_hands(groups, stretches, rare, n_stretches)
    for group in range(groups.max() + 1):
        reached = set(stretches[groups == group].tolist())
        first = min(reached)
        assert hands.first[group] == first
        assert hands.later[group] in ((reached - {first}) or {-1})

    order = np.arange(groups.size)
    random.shuffle(order)
    again = deal_hands(
        groups[order], stretches[order], None if rare is None else rare[order], n_stretches
    )
    np.testing.assert_array_equal(again.later, hands.later)


def test_hands_are_of_equal_rows_with_and_without_the_rare_class():
    # 40 groups that last throughout; every fourth has a rare row, and those are the larger ones.
    sizes = np.where(np.arange(40) % 4 == 0, 12, 4)
    groups = np.repeat(np.arange(40), sizes)
    stretches = np.concatenate([np.arange(size) % 4 for size in sizes])
    rare = np.zeros(groups.size, dtype=bool)
    rare[np.cumsum(sizes)[::4] - sizes[::4]] = True
    hands = deal_hands(groups, stretches, rare, 4)
    for kind in (np.arange(40) % 4 == 0, np.arange(40) % 4 != 0):
        counts = np.bincount(hands.later[kind], minlength=4)
        assert counts[0] == 0
        assert counts[1:].max() - counts[1:].min() <= 1


def test_the_moment_of_the_rare_rows_plays_no_part():
    groups = np.repeat(np.arange(30), 3)
    stretches = np.tile(np.arange(3), 30)
    early, late = np.zeros((2, 90), dtype=bool)
    early[0:9:3], late[2:9:3] = True, True  # three groups, an odd number for two hands
    first, second = (deal_hands(groups, stretches, rare, 3) for rare in (early, late))
    np.testing.assert_array_equal(first.later, second.later)
    unknown = deal_hands(groups, stretches, None, 3)
    assert not np.array_equal(first.later, unknown.later)


def test_groups_are_numbered_by_their_values():
    assert read_groups(np.array(["b", "a", "b"], dtype=object), "Here").tolist() == [1, 0, 1]
    assert read_groups(np.array([9, 3, 3]), "Here").tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["a", None], "known for every row. Got 1 missing of 2.*one value.*unrelated"),
        ([1.0, np.nan], "1 missing of 2"),
        (["a", "a"], "several groups.*Got the one group a in all 2 rows.*Leave groups out"),
        (["a", 1], "groups must be all of one kind.*all to texts"),
    ],
)
def test_groups_that_are_none_are_refused(values, words):
    array = np.array(values, dtype=object if "a" in values else float)
    with pytest.raises(DataError, match=f"^Here: .*{words}"):
        read_groups(array, "Here")
