"""Targets: classes, positives, and everything that cannot be one."""

import numpy as np
import pytest

from imbkit.bench._target import read_target
from imbkit.exceptions import DataError, InvalidParameterError


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (["no", "no", "yes"], ("no", "yes")),
        ([1, 1, 0], ("1", "0")),
        ([1.0, -1.0, -1.0], ("-1", "1")),
        ([True, False, False], ("False", "True")),
        (np.array(["b", "a", "b"], dtype=object), ("b", "a")),
        ([0, 1], ("0", "1")),
    ],
)
def test_rarer_label_is_positive(y, labels):
    target = read_target(y, None, "y")
    assert target.kind == "binary"
    assert target.labels == labels
    texts = [target.labels[code] for code in target.codes]
    assert texts == [str(int(v)) if isinstance(v, float) else str(v) for v in y]


@pytest.mark.parametrize("positive", [["r2l", "u2r"], ("u2r", "r2l"), ["u2r", "r2l", "u2r"]])
def test_several_labels_can_be_positive(positive):
    target = read_target(["dos", "r2l", "normal", "u2r"], positive, "y")
    assert target.codes.tolist() == [0, 1, 0, 1]
    assert target.positive == "r2l, u2r"
    assert target.values == (("dos", "normal"), ("r2l", "u2r"))


@pytest.mark.parametrize("positive", ["1", 1, [1], [1.0], ["1"]])
def test_a_label_may_be_given_as_value_or_text(positive):
    assert read_target([0, 0, 1, 2], positive, "y").codes.tolist() == [0, 0, 1, 0]


def test_many_labels_are_compared_as_they_are():
    target = read_target([3, 1, 2, 1], None, "y")
    assert target.kind == "multiclass"
    assert target.labels == ("1", "2", "3")
    assert target.codes.tolist() == [2, 0, 1, 0]
    assert target.positive == ""


def test_pandas_and_polars_columns():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    values = ["a", "b", "a"]
    for y in (pd.Series(values), pd.Series(values, dtype="category"), pl.Series(values)):
        assert read_target(y, None, "y").codes.tolist() == [0, 1, 0]
    assert read_target(pd.Series([1, 0, 0], dtype="Int64"), None, "y").codes.tolist() == [1, 0, 0]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_labels(missing):
    with pytest.raises(DataError, match=r"must not have missing values. Got 1 missing of 3 in y"):
        read_target(np.array(["a", missing, "b"], dtype=object), None, "y")


def test_missing_labels_of_pandas():
    pd = pytest.importorskip("pandas")
    for y in (pd.Series([1, None, 0], dtype="Int64"), pd.Series([1.0, None, 0.0])):
        with pytest.raises(DataError, match="1 missing of 3"):
            read_target(y, None, "y")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (["a", "a"], "at least two classes. Got only a"),
        ([], "at least one row"),
        ([[1, 0], [0, 1]], "must be one column"),
        (np.array(["a", 1], dtype=object), "one type. Got numbers and text"),
        (np.linspace(0, 1, 50), "Got 50 distinct fractions"),
        (np.arange(500), "Got 500 distinct labels"),
        (np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"), "numbers, strings or booleans"),
        (np.array([(1,), (2, 3)], dtype=object), "numbers, strings or booleans"),
    ],
)
def test_unusable_targets(y, words):
    with pytest.raises(DataError, match=words):
        read_target(y, None, "y")


@pytest.mark.parametrize(
    ("positive", "words"),
    [
        (["fruad"], "Got 'fruad'. Did you mean 'fraud'"),
        (["zzz"], "Labels are 'fraud', 'genuine'"),
        (["fraud", "genuine"], "left for the negative class"),
        ([], "at least one label"),
    ],
)
def test_wrong_positive(positive, words):
    with pytest.raises(InvalidParameterError, match=words):
        read_target(["fraud", "genuine", "genuine"], positive, "y")
