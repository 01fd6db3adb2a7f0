"""Columns: kinds, missing values, and rounding that agrees with Python's integers."""

from decimal import Decimal
from fractions import Fraction

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit._core.columns import (
    is_infinite,
    is_missing,
    join,
    kind_of_dtype,
    kind_of_objects,
    kind_of_values,
    plain,
    whole,
)


def objects(*values):
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("a", np.str_("b"), None), "string"),
        ((True, np.bool_(False), np.nan), "boolean"),
        ((1, np.int8(2), pd.NA), "integer"),
        ((1, 2.5), "number"),
        ((Decimal(1), Decimal("nan"), Fraction(1, 3)), "number"),
        ((1, "1"), "mixed"),
        ((1, True), "mixed"),
        (((1,), None), "other"),
        ((b"a",), "other"),
        ((None, np.nan, pd.NaT), "other"),
        ((), "other"),
    ],
)
def test_kinds_of_objects(values, kind):
    assert kind_of_objects(objects(*values)) == kind


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [("f2", "number"), ("u1", "integer"), ("?", "boolean"), ("U1", "string"), ("M8[D]", "datetime"),
     ("m8[s]", "duration"), ("S1", "other"), ("c16", "other"), ("V4", "other")],
)  # fmt: skip
def test_kinds_of_dtypes(dtype, kind):
    assert kind_of_values(np.dtype(dtype)) == kind


def test_every_dtype_of_frames_has_a_kind():
    assert kind_of_dtype(nw.Int128()) == "integer"
    assert kind_of_dtype(nw.Decimal()) == "number"
    assert kind_of_dtype(nw.Date()) == kind_of_dtype(nw.Datetime("ns", "UTC")) == "datetime"
    assert kind_of_dtype(nw.Enum(["a"])) == kind_of_dtype(nw.Categorical()) == "category"
    assert kind_of_dtype(nw.Time()) == kind_of_dtype(nw.Binary()) == "other"


def test_missing_and_infinite():
    values = objects(None, np.nan, pd.NA, pd.NaT, Decimal("nan"), "nan", 0, np.inf, [np.nan])
    assert is_missing(values).tolist() == [True] * 5 + [False] * 4
    assert is_infinite(values).tolist() == [False] * 7 + [True, False]
    assert is_infinite(objects(Decimal("-inf"), "inf", True)).tolist() == [True, False, False]
    assert is_missing(np.array(["NaT", "2020"], "M8[D]")).tolist() == [True, False]
    assert not is_missing(np.array(["nan", "None"])).any()
    variable = np.array(["a", np.nan], dtype=np.dtypes.StringDType(na_object=np.nan))
    assert is_missing(variable).tolist() == [False, True]


def test_plain():
    assert plain(objects(1, 2), "integer").dtype == np.intp
    assert plain(objects(2**63, 1), "integer").tolist() == [2**63, 1]
    assert plain(objects(2**70, 1), "integer").dtype == float
    np.testing.assert_array_equal(plain(objects(1, None), "integer"), [1.0, np.nan])
    np.testing.assert_array_equal(plain(objects(Decimal("1.5"), None), "number"), [1.5, np.nan])
    assert plain(objects(True, False), "boolean").dtype == bool
    assert plain(objects(True, pd.NA), "boolean").tolist() == [True, None]
    assert plain(objects("a", np.nan), "string").tolist() == ["a", None]
    assert plain(np.array([1, np.nan], "f4"), "integer").dtype == np.float64
    assert plain(np.array([1, np.nan], "f4"), "number").dtype == np.float32


def test_plain_leaves_its_argument_alone():
    values = objects("a", np.nan)
    plain(values, "string")
    assert np.isnan(values[1])


def test_join():
    small, large = np.ones(2, "f4"), np.ones(2, "f8")
    assert join([small, small], 2).dtype == np.float32
    assert join([small, large], 2).dtype == np.float64
    assert join([small, np.ones(2, "u1")], 2).dtype == np.float64
    assert join([np.ones(2, "u1")], 2).dtype == np.float64
    assert join([], 3).shape == (3, 0)


numbers = st.one_of(st.floats(), st.integers(-(2**66), 2**66).map(float), st.floats(-300, 300))


@given(st.sampled_from(["int8", "uint8", "int32", "uint32", "int64", "uint64"]), st.lists(numbers))
def test_whole_agrees_with_exact_arithmetic(dtype, values):
    out = whole(np.array(values, dtype=float), "integer", dtype)
    bounds = np.iinfo(dtype)
    for value, got in zip(values, out.tolist(), strict=True):
        if np.isnan(value):
            assert got is None
        elif np.isinf(value):
            assert got == (bounds.max if value > 0 else bounds.min)
        else:
            assert got == max(bounds.min, min(bounds.max, round(value)))


@given(
    st.sampled_from(["int8", "uint8", "int64", "uint64"]),
    st.lists(st.integers(-(2**63), 2**63 - 1)) | st.lists(st.integers(0, 2**64 - 1)),
)
def test_whole_clips_integers_exactly(dtype, values):
    unsigned = any(value > 2**63 - 1 for value in values)
    out = whole(np.array(values, dtype=np.uint64 if unsigned else np.int64), "integer", dtype)
    bounds = np.iinfo(dtype)
    assert out.tolist() == [max(bounds.min, min(bounds.max, value)) for value in values]


def test_whole_of_booleans():
    assert whole([0.2, 0.8, 7, -1], "boolean", "bool").tolist() == [False, True, True, False]
    assert whole([1.0, np.nan], "boolean", "bool").tolist() == [True, None]
    assert whole(objects(True, None), "boolean", "bool").tolist() == [True, None]
    assert whole([1.4, np.nan], "integer", "object").tolist() == [1, None]
