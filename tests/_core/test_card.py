"""Cards are values that cannot be changed by accident."""

import dataclasses
import pickle

import pytest

from imbkit._core.card import Card, Limit


def test_an_empty_card_asks_for_one_case_with_the_defaults():
    card = Card()
    assert [dict(case) for case in card.cases] == [{}]
    assert (card.paper, card.limits, card.cost, dict(card.known_failures)) == ("", (), "fast", {})


def test_cards_are_frozen():
    card = Card(limits=(Limit({"beta": 1.0}, equals="Other"),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.cost = "slow"
    with pytest.raises(TypeError):
        card.known_failures["check"] = "reason"
    with pytest.raises(TypeError):
        card.cases[0]["beta"] = 2.0
    with pytest.raises(TypeError):
        card.limits[0].other["beta"] = 2.0


def test_two_cards_with_the_same_facts_are_equal():
    assert Card(paper="A (2001)") == Card(paper="A (2001)") != Card(paper="B (2002)")


def test_a_class_with_a_card_still_pickles():
    # The card stands on the class, so instances never carry it.
    assert pickle.loads(pickle.dumps(Limit({"a": 1}, "B", {"c": 2}))).equals == "B"
