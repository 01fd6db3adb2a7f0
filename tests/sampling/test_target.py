"""Labels in, labels of the same kind out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal
from scipy import sparse

from imbkit.exceptions import DataError
from imbkit.sampling._target import Target

VALUES = ["b", "a", "b", "c", "b"]
ROWS = np.array([4, 0, 3, 3])
TAKEN = ["b", "b", "c", "c"]


def one_dimensional():
    numbers = [2, 1, 2, 3, 2]
    return {
        "array": np.array(VALUES),
        "objects": np.array(VALUES, dtype=object),
        "list": VALUES,
        "tuple": tuple(VALUES),
        "numbers": np.array(numbers, dtype=np.int16),
        "negative": np.array(numbers) - 4,
        "floats": np.array(numbers, dtype=float),
        "truth": np.array([True, False, True, False, True]),
        "series": pd.Series(VALUES, name="label", index=[9, 8, 7, 6, 5]),
        "category": pd.Series(VALUES, dtype=pd.CategoricalDtype(["c", "b", "a", "unused"])),
        "nullable": pd.Series(numbers, dtype="Int64"),
        "boolean": pd.Series([True, False, True, False, True], dtype="boolean"),
        "string": pd.Series(VALUES, dtype="string"),
        "arrow": pd.Series(numbers, dtype="int32[pyarrow]"),
        "polars": pl.Series("label", VALUES),
        "polars category": pl.Series("label", VALUES, dtype=pl.Categorical),
        "enum": pl.Series("label", VALUES, dtype=pl.Enum(["c", "b", "a"])),
        "polars numbers": pl.Series("label", numbers, dtype=pl.UInt8),
    }


def plain(y):
    return y.tolist() if isinstance(y, np.ndarray) else list(y)


@pytest.mark.parametrize("kind", list(one_dimensional()))
def test_labels_are_numbered_and_come_back_in_their_container(kind):
    y = one_dimensional()[kind]
    target = Target(y, "Some")
    values = plain(y)
    assert target.labels.tolist() == values
    assert target.classes.tolist() == sorted(set(values))
    assert target.classes[target.codes].tolist() == values
    assert target.counts.tolist() == [values.count(label) for label in sorted(set(values))]
    for position, label in enumerate(target.classes):
        rows = target.rows_of(label)
        np.testing.assert_array_equal(rows, np.flatnonzero(target.codes == position))
    for renumber in (True, False):
        taken = target.take(ROWS, renumber=renumber)
        assert type(taken) is (list if kind == "tuple" else type(y))
        assert plain(taken) == [values[row] for row in ROWS]
        if isinstance(y, pd.Series):
            index = [0, 1, 2, 3] if renumber else y.index[ROWS].tolist()
            assert (taken.name, taken.dtype, taken.index.tolist()) == (y.name, y.dtype, index)
        elif isinstance(y, pl.Series):
            assert (taken.name, taken.dtype) == (y.name, y.dtype)
        elif isinstance(y, np.ndarray):
            assert taken.dtype == y.dtype


def test_a_column_is_taken_as_labels():
    column = np.array(VALUES).reshape(-1, 1)
    target = Target(column, "Some")
    assert target.labels.tolist() == VALUES
    assert target.take(ROWS, renumber=True).tolist() == TAKEN
    frame = pd.DataFrame({"label": VALUES})
    target = Target(frame, "Some")
    assert target.labels.tolist() == VALUES
    pd.testing.assert_frame_equal(target.take(ROWS, renumber=True), pd.DataFrame({"label": TAKEN}))
    frame = pl.DataFrame({"label": VALUES})
    assert_frame_equal(
        Target(frame, "Some").take(ROWS, renumber=True), pl.DataFrame({"label": TAKEN})
    )


CODES = np.array([1, 0, 2, 2, 1])


@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        np.ndarray.tolist,
        sparse.csr_matrix,
        sparse.csc_array,
        lambda y: pd.DataFrame(y, columns=["x", "y", "z"], index=[9, 8, 7, 6, 5]),
        lambda y: pl.DataFrame(y, schema=["x", "y", "z"]),
    ],
    ids=["array", "list", "csr_matrix", "csc_array", "pandas", "polars"],
)
def test_an_indicator_matrix_is_one_label_a_row(make):
    y = make(np.eye(3, dtype=int)[CODES])
    target = Target(y, "Some")
    assert target.labels.tolist() == CODES.tolist()
    assert target.classes.tolist() == [0, 1, 2]
    taken = target.take(ROWS, renumber=True)
    assert type(taken) is type(y)
    dense = taken.toarray() if sparse.issparse(taken) else np.asarray(taken)
    np.testing.assert_array_equal(dense, np.eye(3)[CODES[ROWS]])
    if isinstance(y, pd.DataFrame):
        assert taken.index.tolist() == [0, 1, 2, 3]


def test_a_row_without_any_mark_belongs_to_the_first_class():
    assert Target(np.array([[0, 0], [0, 1], [1, 0]]), "Some").labels.tolist() == [0, 1, 0]


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=2).filter(lambda y: len(set(y)) > 1))
def test_taking_all_rows_changes_nothing(values):
    series = pl.Series("label", values)
    taken = Target(series, "Some").take(np.arange(len(values)), renumber=True)
    assert_series_equal(taken, series)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (np.linspace(0, 1, 9), "Unknown label type: continuous.*Cut continuous numbers"),
        (pd.Series([0.5, 1.5, 2.25]), "Unknown label type: continuous"),
        (np.ones((4, 2)), r"Some: .*rows with several labels"),
        (np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]]), "Multilabel and multioutput"),
        (np.array([[1, 2], [3, 1], [2, 2]]), "multiclass-multioutput"),
        ([1, 1, 1], "more than 1 class. Got 1 class instead: 1. In cross-validation"),
        (["a", "a"], "Got 1 class instead: 'a'"),
        (["a", None, "b"], "Input y contains NaN or None. Got 1 rows"),
        ([0, 1, np.nan], "Input y contains NaN"),
        (pd.Series([1, None, 0], dtype="Int64"), "Input y contains NaN"),
        (pd.Series(["a", None, "b"]), "Input y contains NaN"),
        (pl.Series(["a", None, "b"]), "Input y contains NaN"),
        (pl.Series([1, None, 0]), "Input y contains NaN"),
        (np.array(["a", 1, "b"], dtype=object), "all of one kind. Got labels of type int, str"),
        (np.array([b"a", b"b"]), "labels of type bytes. Turn them all into text"),
        (np.array([1 + 0j, 2]), "labels of type complex"),
        (["a", ["b"], "c"], "rows of different lengths"),
        (np.array([[["a"]]]), "shape .1, 1, 1."),
        ("abc", "the target must hold classes"),
        ([], "Got 0 class"),
    ],
)
def test_what_is_no_target_is_refused(y, words):
    with pytest.raises(DataError, match=words) as caught:
        Target(y, "Some")
    assert str(caught.value).startswith("Some: ")
