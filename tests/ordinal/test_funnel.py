"""Stages as one ordered target: every row at the last stage it reached, none guessed."""

import sys
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.model_selection import StratifiedKFold, train_test_split

from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError
from imbkit.ordinal import funnel_target

NAMES = ["click", "cart", "buy"]
FRAME = pd.DataFrame([[0, 0, 0], [1, 0, 0], [1, 1, 1], [1, 1, 0]], columns=NAMES)
STAGES = ["none", "click", "buy", "cart"]


def in_all_kinds():
    array = FRAME.to_numpy()
    return {
        "frame": FRAME,
        "shuffled index": FRAME.set_axis([3, 0, 2, 1]),
        "booleans": FRAME.astype(bool),
        "floats": FRAME.astype("float32"),
        "nullable": FRAME.astype("boolean"),
        "objects": FRAME.astype(bool).astype(object),
        "mixed dtypes": FRAME.astype({"click": bool, "cart": "uint8", "buy": float}),
        "polars": pl.from_pandas(FRAME),
        "polars booleans": pl.from_pandas(FRAME.astype(bool)),
        "array": array,
        "list": array.tolist(),
        "csr": sparse.csr_array(array),
        "csc": sparse.csc_matrix(array.astype(bool)),
    }


@pytest.mark.parametrize("kind", in_all_kinds())
def test_every_kind_of_table_gives_the_same_target(kind):
    table = in_all_kinds()[kind]
    got = funnel_target(table, names=NAMES)
    assert isinstance(got, pd.Categorical)
    assert got.ordered
    assert got.categories.tolist() == ["none", *NAMES]
    assert got.tolist() == STAGES
    framed = hasattr(table, "columns")
    own = ["none", *NAMES] if framed else ["none", "stage_1", "stage_2", "stage_3"]
    assert funnel_target(table).categories.tolist() == own


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.booleans()] * 4), min_size=1, max_size=20))
def test_rows_that_skip_a_stage(rows):
    deepest = [max((k + 1 for k in range(4) if row[k]), default=0) for row in rows]
    prefix = [next((k for k in range(4) if not row[k]), 4) for row in rows]
    assert funnel_target(rows, on_violation="deepest").codes.tolist() == deepest
    assert funnel_target(rows, on_violation="prefix").codes.tolist() == prefix
    skipping = [k for k in range(len(rows)) if deepest[k] > prefix[k]]
    if not skipping:
        assert funnel_target(rows).codes.tolist() == deepest
        return
    with pytest.raises(DataError, match=f"Got {len(skipping)} row") as caught:
        funnel_target(rows)
    listed = str(caught.value).partition("stage: ")[2].partition(" (")[0]
    shown = [str(k) for k in skipping[:5]] + ["..."] * (len(skipping) > 5)
    assert listed.split(", ") == shown
    first = rows[skipping[0]]
    where = f"(row {skipping[0]} reaches 'stage_{deepest[skipping[0]]}'"
    assert f"{where} without 'stage_{first.index(False) + 1}')" in str(caught.value)


def test_a_row_that_skips_is_shown_with_what_to_do():
    table = FRAME[["buy", "cart", "click"]]
    words = r"2 rows that skip a stage: 1, 3 \(row 1 reaches 'click' without 'buy'\)"
    with pytest.raises(DataError, match=f"funnel_target: .*{words}.*'deepest'.*'prefix'"):
        funnel_target(table)
    with pytest.raises(DataError, match="Got 1 row that skips a stage: 0 "):
        funnel_target([[0, 1]])


def test_a_stage_where_nobody_stopped_keeps_its_category():
    got = funnel_target([[0, 0], [1, 1]], names=["click", "buy"])
    assert got.categories.tolist() == ["none", "click", "buy"]
    assert got.tolist() == ["none", "buy"]
    assert funnel_target([[0]]).categories.tolist() == ["none", "stage_1"]


def test_names_and_base():
    got = funnel_target(FRAME, names=["a", "b", "c"], base="left")
    assert got.categories.tolist() == ["left", "a", "b", "c"]
    numbered = pd.DataFrame(FRAME.to_numpy())
    assert funnel_target(numbered).categories.tolist() == ["none", "0", "1", "2"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"base": "cart"}, "the names of the stages must differ, and base.*'cart' twice"),
        ({"names": ["a", "b", "a"]}, "must differ.*'a' twice"),
        ({"names": ["a", "b"]}, "one name for each of 3 columns.*'a', 'b'"),
        ({"names": "abc"}, "names must be a sequence of strings"),
        ({"names": 3}, "names must be a sequence of strings.*Got 3"),
        ({"names": {"a", "b", "c"}}, "names must be a sequence of strings"),
        ({"names": ["a", "b", 3]}, "must be strings"),
        ({"names": ["a", "b", ""]}, "must be strings, none of them empty"),
        ({"base": None}, "must be strings"),
        ({"on_violation": "drop"}, "on_violation must be one of 'raise', 'deepest', 'prefix'"),
        ({"on_violation": None}, "on_violation must be one of .*Got None"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(InvalidParameterError, match=f"funnel_target: .*{words}"):
        funnel_target(FRAME, **settings)


RULE = "stages must hold booleans, or 0 and 1"


@pytest.mark.parametrize(
    ("value", "dtype", "words"),
    [
        (2, int, r"2 in column 'cart', row 2\. Numbers of people.*funnel_from_counts"),
        (-1, int, r"-1 in column 'cart', row 2\."),
        (0.5, float, r"0.5 in column 'cart', row 2\."),
        (np.inf, float, r"inf in column 'cart', row 2\."),
        (np.nan, float, r"a missing value in column 'cart', row 2\.$"),
        (None, "boolean", r"a missing value in column 'cart', row 2\.$"),
        (None, object, r"a missing value in column 'cart', row 2\.$"),
        ("yes", object, r"'yes' in column 'cart', row 2\.$"),
        (pd.Timestamp(0), object, r"Timestamp.* in column 'cart', row 2\.$"),
    ],
)
def test_anything_but_zero_and_one_is_refused(value, dtype, words):
    column = [1, 1, value, 0] if dtype in (int, float) else [True, True, value, False]
    table = FRAME.assign(cart=pd.Series(column, dtype=dtype))
    with pytest.raises(DataError, match=f"funnel_target: {RULE}. Got {words}"):
        funnel_target(table)


def test_several_other_values_are_counted_and_columns_of_text_refused():
    with pytest.raises(DataError, match=r"3 in column 'stage_1', row 1, and 2 more in this col"):
        funnel_target([[0], [3], [3], [5]])
    for table in (FRAME.astype(str), pl.from_pandas(FRAME.astype(str)), FRAME.to_numpy(str)):
        with pytest.raises(DataError, match=f"{RULE}. Got '0' in column"):
            funnel_target(table)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.zeros((0, 2)), r"at least one row and one column. Got shape \(0, 2\)"),
        (np.zeros((3, 0)), r"at least one row and one column. Got shape \(3, 0\)"),
        ([1, 0, 1], "must be a table"),
        (FRAME["click"], "must be a table.*single column"),
        ([[1, 0], [1]], "must be a table.*different lengths"),
        (pd.DataFrame([[1, 0]], columns=["a", "a"]), "'a'"),
    ],
)
def test_what_is_no_table_is_refused(table, words):
    with pytest.raises(DataError, match=f"funnel_target: .*{words}"):
        funnel_target(table)


def test_nothing_is_changed_and_splits_keep_the_order():
    stages = np.array(list(product([0, 1], repeat=3)) * 6)
    before = stages.copy()
    y = funnel_target(stages, on_violation="prefix")
    np.testing.assert_array_equal(stages, before)
    _, part = train_test_split(y, random_state=0, test_size=0.5)
    assert part.ordered
    assert part.categories.equals(y.categories)
    folds = StratifiedKFold(3).split(stages, y)
    assert all(np.bincount(y[test].codes, minlength=4).min() > 0 for _, test in folds)


def test_without_pandas_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"funnel_target.*imbkit\[compare\]"):
        funnel_target([[1, 0]])
