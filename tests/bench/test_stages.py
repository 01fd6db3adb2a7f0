"""A target of stages: the order that is asked for or that labels have, and what is refused."""

import numpy as np
import pytest

from imbkit.bench._options import Options
from imbkit.bench._stages import read_stages
from imbkit.bench._target import read_target
from imbkit.exceptions import DataError, InvalidParameterError

Y = np.array(["cart", "none", "buy", "none", "cart", "none"])


def test_the_last_stage_is_positive_and_the_others_are_earlier_stages():
    target = read_stages(Y, ["none", "cart", "buy"], "stage")
    assert target.kind == "binary"
    assert target.codes.tolist() == [0, 0, 1, 0, 0, 0]
    assert target.labels == ("an earlier stage", "buy")
    assert target.values == (("none", "cart"), ("buy",))
    assert target.stages.codes.tolist() == [1, 0, 2, 0, 1, 0]
    assert target.stages.labels == target.strata_labels == ("none", "cart", "buy")
    assert target.stages.values == ("none", "cart", "buy")
    assert target.strata.tolist() == target.stages.codes.tolist()


def test_the_order_decides_not_the_alphabet_or_the_counts():
    target = read_stages(Y, ["buy", "none", "cart"], "stage")
    assert target.positive == "cart"
    assert target.codes.tolist() == [1, 0, 0, 0, 1, 0]


def test_without_an_order_of_stages_the_strata_are_the_classes():
    target = read_target(Y, ["buy"], "stage")
    assert target.stages is None
    assert target.strata is target.codes
    assert target.strata_labels == target.labels


@pytest.mark.parametrize("y", [[9, 3, 5, 3], [9.0, 3.0, 5.0, 3.0], np.array([9, 3, 5, 3], "int8")])
def test_numbers_have_an_order_of_their_own(y):
    target = read_stages(y, True, "grade")
    assert target.stages.labels == ("3", "5", "9")
    assert target.stages.codes.tolist() == [2, 0, 1, 0]
    # A command line knows labels as text only.
    again = read_stages(y, ["3", "5", "9"], "grade")
    assert again.stages.values == target.stages.values == (3, 5, 9)


def test_an_ordered_categorical_has_one_too():
    pandas = pytest.importorskip("pandas")
    y = pandas.Categorical(Y, categories=["none", "cart", "buy"], ordered=True)
    for given in (y, pandas.Series(y)):
        assert read_stages(given, True, "stage").stages.labels == ("none", "cart", "buy")
    # What is written down wins.
    asked = read_stages(pandas.Series(y), ["buy", "cart", "none"], "stage")
    assert asked.positive == "none"
    more = y.add_categories("returned")
    with pytest.raises(InvalidParameterError, match="every stage must occur.*Got 'returned'"):
        read_stages(more, True, "stage")
    with pytest.raises(InvalidParameterError, match="texts must be put into an order"):
        read_stages(y.as_unordered(), True, "stage")


def test_an_enum_of_polars_has_one_too():
    polars = pytest.importorskip("polars")
    y = polars.Series(Y.tolist(), dtype=polars.Enum(["none", "cart", "buy"]))
    assert read_stages(y, True, "stage").stages.labels == ("none", "cart", "buy")


def test_two_stages_are_two_classes():
    target = read_stages([1, 0, 0], True, "bought")
    assert target.labels == ("0", "1")
    assert target.values == ((0,), (1,))


def test_a_label_may_be_called_like_the_others_together():
    y = ["a", "b", "an earlier stage"]
    target = read_stages(y, y, "stage")
    assert target.labels == ("any other stage", "an earlier stage")


@pytest.mark.parametrize(
    ("ordered", "words"),
    [
        (
            ["none", "buy"],
            r"every label .* its place in the order\. Got none for 'cart' in stage\.",
        ),
        (["none", "cart", "buyy"], r"must occur in the target\. Got 'buyy', .*mean 'buy'\?"),
        (["none", "cart", "zzz", "buy"], r"Got 'zzz', which is not in stage\. Labels are 'buy'"),
        (True, r"put into an order by you\. Got no order of 'buy', 'cart', 'none' in stage"),
    ],
)
def test_an_order_that_is_not_the_targets(ordered, words):
    with pytest.raises(InvalidParameterError, match=words):
        read_stages(Y, ordered, "stage")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (["a", None, "b"], "must not have missing values"),
        (["a", "a"], r"at least two stages\. Got only a in stage"),
        (np.linspace(0, 1, 9), "fractions in stage"),
        (np.arange(300), "300 distinct labels"),
    ],
)
def test_labels_that_are_no_stages(y, words):
    with pytest.raises(DataError, match=words):
        read_stages(y, True, "stage")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"ordered": "none,cart,buy"},
            r"a list of labels from first to last, or True\. Got none,c",
        ),
        ({"ordered": 3}, r"a list of labels from first to last, or True\. Got 3"),
        ({"ordered": {"a", "b"}}, "Got a set, which has no order"),
        ({"ordered": ["buy"]}, r"at least two stages must be named.*Got only 'buy'"),
        ({"ordered": []}, r"at least two stages must be named.*Got none\."),
        ({"ordered": ["a", "b", "a"]}, r"named once\. Got 'a' more than once"),
        ({"ordered": [1, 1.0]}, r"named once\. Got '1' more than once"),
        (
            {"ordered": ["a", "b"], "positive": ["b"]},
            r"positive and ordered must not be given together\. Got \['b'\]\. Leave out --positive",
        ),
        ({"ordered": True, "positive": "b"}, "must not be given together"),
    ],
)
def test_orders_that_no_target_could_have(options, words):
    with pytest.raises(InvalidParameterError, match=words):
        Options(**options).checked()


@pytest.mark.parametrize("ordered", [None, False, np.False_])
def test_no_order_is_asked_for(ordered):
    assert not Options(ordered=ordered, positive=["b"]).checked().has_stages
