import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import multilabel_confusion_matrix

from imbkit.exceptions import DataError
from imbkit.metrics import f1_score
from imbkit.metrics._confusion import binary_counts, class_counts

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.1, 0.2, 0.7])), min_size=1
)


@settings(max_examples=100)
@given(ROWS)
def test_class_counts_equal_scikit_learn(rows):
    truth, guess, weight = (np.array(column) for column in zip(*rows, strict=True))
    classes, counts = class_counts("f", truth, guess, None, weight)
    cells = multilabel_confusion_matrix(truth, guess, sample_weight=weight).reshape(-1, 4).T
    assert classes.tolist() == sorted({*truth, *guess})
    for got, expected in zip((counts.tn, counts.fp, counts.fn, counts.tp), cells, strict=True):
        assert got == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100)
@given(ROWS)
def test_a_cell_without_rows_is_exactly_zero(rows):
    truth, guess, weight = (np.array(column) for column in zip(*rows, strict=True))
    classes, counts = class_counts("f", truth, guess, None, weight)
    for i, k in enumerate(classes):
        empty = not ((truth != k) & (guess != k)).any()
        assert (counts.tn[i] == 0) == empty


def test_a_row_of_weight_zero_leaves_no_speck():
    truth, guess, weight = [1, 2, 0, 1], [0, 0, 0, 1], [0.1, 0.1, 0.1, 0.0]
    _, counts = class_counts("f", truth, guess, [0], weight)
    assert counts.tn.tolist() == [0.0]


def test_labels_choose_and_order():
    classes, counts = class_counts("f", [0, 1, 2, 2], [0, 1, 1, 2], [2, 7, 0])
    assert classes.tolist() == [2, 7, 0]
    assert (counts.tp.tolist(), counts.fn.tolist()) == ([1, 0, 1], [1, 0, 0])


@pytest.mark.parametrize(
    "kind",
    [
        list,
        np.array,
        lambda y: np.array(y, dtype=object),
        pd.Series,
        lambda y: pd.Series(y, dtype="category"),
        pl.Series,
    ],
)
@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [False, True], [0.0, 1.0]])
def test_containers_and_kinds_of_labels(kind, labels):
    truth, guess = [0, 1, 1, 0, 1], [0, 1, 0, 0, 1]
    pair = (kind([labels[i] for i in column]) for column in (truth, guess))
    assert f1_score(*pair, pos_label=labels[1]) == pytest.approx(0.8)


def test_nullable_integers():
    truth = pd.Series([0, 1, 1], dtype="Int64")
    assert f1_score(truth, [0, 1, 1]) == 1.0
    with pytest.raises(DataError, match="y_true must not have missing"):
        f1_score(pd.Series([0, None, 1], dtype="Int64"), [0, 1, 1])


def test_pos_label_none_takes_one():
    assert binary_counts("f", [-1, 1, 1], [1, 1, -1], None).tp == 1
    assert binary_counts("f", [0, 1, 1], [1, 1, 0], None).tp == 1


def test_a_single_negative_class_is_no_error():
    counts = binary_counts("f", [0, 0], [0, 0])
    assert (counts.tn, counts.total) == (2, 2)


@pytest.mark.parametrize(
    ("truth", "guess", "options", "words"),
    [
        ([], [], {}, "y_true must be one-dimensional and not empty"),
        ([[0, 1]], [[0, 1]], {}, "one-dimensional"),
        ([0, 1], [0], {}, "same length"),
        ([0, np.nan], [0, 1], {}, "y_true must not have missing"),
        ([0, 1], [0, np.nan], {}, "y_pred must not have missing"),
        (["a", None], ["a", "b"], {}, "missing"),
        (["a", np.nan], ["a", "b"], {}, "missing"),
        (["a", 1], ["a", "b"], {}, "strings or numbers, not both"),
        (["a", "b"], [0, 1], {}, "both hold strings or both hold numbers"),
        ([0, 1], [0.2, 0.9], {}, "class labels, not scores"),
        ([0, 1], [0, np.inf], {}, "class labels"),
        ([0, 1], np.array(["2020", "2021"], dtype="M8[Y]"), {}, "whole numbers"),
        ([0, 1, 2], [0, 1, 2], {}, "two classes"),
        ([1, 2], [1, 2], {"pos_label": 0}, "pos_label must be one of the labels"),
        (["a", "b"], ["a", "b"], {}, "pos_label must be one of the labels"),
        (["a", "a"], ["a", "a"], {}, "pos_label must be one of the labels"),
        ([1, 2], [1, 2], {"pos_label": None}, "pos_label may be left out only"),
        (["a", "b"], ["a", "b"], {"pos_label": None}, "pos_label may be left out only"),
        ([0, 1], [0, 1], {"labels": [5], "average": None}, "labels must occur"),
        ([0, 1], [0, 1], {"labels": ["0"], "average": None}, "labels must occur"),
        ([0, 1], [0, 1], {"labels": [], "average": None}, "labels must be one-dimensional"),
        ([0, 1], [0, 1], {"labels": [0, 0], "average": None}, "labels must be distinct"),
        ([0, 1], [0, 1], {"sample_weight": [1, -1]}, "not negative"),
        ([0, 1], [0, 1], {"sample_weight": [1, 1, 1]}, "sample_weight"),
        ([0, 1], [0, 1], {"sample_weight": [0, 0]}, "zero for every row"),
    ],
)
def test_bad_input(truth, guess, options, words):
    with pytest.raises(DataError, match=f"f1_score: .*{words}"):
        f1_score(truth, guess, **options)
