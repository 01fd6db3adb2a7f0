"""Which columns are measured, and how new rows get into a table again."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import sparse

from imbkit._core.containers import wrap
from imbkit._core.plan import Plan
from imbkit.exceptions import ColumnTypeError, DataError
from imbkit.sampling._table import assemble, check_finite, measured_columns, numeric_matrix


def rows_of(X):
    return wrap(X, who="Some")


def frame():
    return pd.DataFrame(
        {
            "amount": [1.5, 2.5, 4.5],
            "count": np.array([1, 2, 4], dtype=np.int8),
            "when": pd.date_range("2024-01-01", periods=3, unit="s"),
            "small": np.array([1.0, 2.0, 4.0], dtype=np.float32),
            "maybe": pd.array([1, None, 4], dtype="Int64"),
            "flag": [True, False, True],
            "lasted": pd.to_timedelta([1, 2, 3], unit="s"),
        },
        index=[7, 8, 9],
    )


def test_dates_and_durations_are_not_measured():
    rows = rows_of(frame())
    assert measured_columns(rows) == [0, 1, 3, 4, 5]
    X = numeric_matrix(rows)
    assert X.dtype == np.float64
    expected = [[1.5, 1, 1, 1, 1], [2.5, 2, 2, np.nan, 0], [4.5, 4, 4, 4, 1]]
    np.testing.assert_array_equal(X, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_dtype(dtype):
    X = np.arange(6).reshape(3, 2).astype(dtype)
    for table in (X, sparse.csr_array(X.astype(np.float32)), pd.DataFrame(X)):
        assert numeric_matrix(rows_of(table)).dtype == (
            np.float32 if sparse.issparse(table) else dtype
        )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool])
def test_narrow_integers_become_wide_floats(dtype):
    X = np.array([[1, 0], [0, 1]], dtype=dtype)
    for table in (X, sparse.csc_matrix(X), pd.DataFrame(X), pl.DataFrame(X)):
        assert numeric_matrix(rows_of(table)).dtype == np.float64


def test_missing_values_are_no_reason_to_complain():
    X = np.array([[1.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(numeric_matrix(rows_of(X)), X)


@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        sparse.csr_array,
        sparse.csc_matrix,
        lambda X: pd.DataFrame(X, columns=["x0", "x1", "x2"]),
        lambda X: pl.DataFrame(X, schema=["x0", "x1", "x2"]),
    ],
)
def test_infinite_values_are_refused_with_their_columns(make):
    X = np.array([[1.0, np.inf, 3.0], [4.0, -np.inf, 6.0], [np.inf, 2.0, np.nan]])
    with pytest.raises(DataError, match="Some: .*Got 3 infinite .inf. values in 'x0', 'x1'. Cap"):
        numeric_matrix(rows_of(make(X)))


def test_a_sum_may_overflow_without_infinite_values():
    X = np.full((3, 2), 1e308)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_finite(X, rows_of(X))
    wide = np.full((2, 9), np.inf)
    with pytest.raises(DataError, match="and 4 more"):
        check_finite(wide, rows_of(wide))


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), DataError, r"Got 'b' \(string\). Use SMOTENC"),
        (pd.DataFrame({"b": pd.Categorical(["x"])}), DataError, r"'b' \(category\)"),
        (pl.DataFrame({"b": ["x"]}), DataError, r"'b' \(string\)"),
        (pd.DataFrame({"b": [{}]}), ColumnTypeError, "each a time, a string or a number"),
        (np.array([[{}]], dtype=object), ColumnTypeError, "Turn objects into numbers first"),
        (np.array([[1 + 1j]]), DataError, "Complex data not supported.*Got dtype complex128"),
        (sparse.csr_array(np.array([[1j]])), DataError, "Complex data not supported"),
        (pd.DataFrame({f"c{i}": ["x"] for i in range(9)}), DataError, "and 4 more"),
    ],
)
def test_what_cannot_be_measured_is_refused(table, error, words):
    with pytest.raises(error, match=words) as caught:
        numeric_matrix(rows_of(table))
    assert isinstance(caught.value, DataError)
    assert str(caught.value).startswith("Some: ")


# Two new rows among three old ones; first below them, then in between.
BELOW = Plan.grown(3, [0, 2], [1, 1], [0.5, 0.5])
AMONG = BELOW.take([3, 2, 4, 0, 0])
NEW = np.array([[10.6, 20.4], [30.0, 40.0]])


def expected_of(plan, old, new):
    out, k = [], 0
    for base, made in zip(plan.base, plan.made, strict=True):
        out.append(new[k] if made else old[base])
        k += made
    return out


@pytest.mark.parametrize("plan", [BELOW, AMONG, BELOW.take([1, 0]), BELOW.take([4])])
@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        np.asfortranarray,
        sparse.csr_matrix,
        sparse.csc_array,
        lambda X: pd.DataFrame(X, columns=["a", "b"]),
        lambda X: pl.DataFrame(X, schema=["a", "b"]),
    ],
    ids=["array", "Fortran", "csr", "csc", "pandas", "polars"],
)
def test_copies_and_new_rows_come_in_the_order_of_the_plan(plan, make):
    X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    table = make(X)
    new = NEW[-plan.n_made :] if plan.n_made else None
    values = make(new) if sparse.issparse(table) and new is not None else new
    found = assemble(rows_of(table), plan, values, None, renumber=True)
    assert type(found) is type(table)
    if isinstance(found, pd.DataFrame):
        assert found.index.tolist() == list(range(plan.n_rows))
        assert list(found.columns) == ["a", "b"]
    dense = found.toarray() if sparse.issparse(found) else np.asarray(found)
    np.testing.assert_array_equal(dense, expected_of(plan, X, new))
    np.testing.assert_array_equal(X, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@given(st.lists(st.integers(0, 4), max_size=12))
def test_any_part_of_a_plan_writes_that_part_of_the_table(chosen):
    X = np.arange(6.0).reshape(3, 2)
    whole = assemble(rows_of(X), BELOW, NEW, None, renumber=True)
    plan = BELOW.take(chosen)
    values = NEW[[row - 3 for row in chosen if row > 2]] if plan.n_made else None
    table = pl.DataFrame(X, schema=["a", "b"])
    for each in (X, table):
        found = assemble(rows_of(each), plan, values, None, renumber=True)
        np.testing.assert_array_equal(np.asarray(found), whole[chosen])


@pytest.mark.parametrize("plan", [BELOW, AMONG])
def test_columns_that_are_not_measured_come_from_the_base_row(plan):
    table = frame()
    values = np.array([[9.0, 9.6, 9.25, np.nan, 0.2], [8.0, 200.0, 8.25, 8.4, 0.9]])
    found = assemble(rows_of(table), plan, values, [0, 1, 3, 4, 5], renumber=True)
    pd.testing.assert_series_equal(found.dtypes, table.dtypes)
    assert list(found.columns) == list(table.columns)
    for name in ("when", "lasted"):
        assert found[name].tolist() == table[name].iloc[plan.base].tolist()
    new = found[plan.made]
    assert new["amount"].tolist() == [9.0, 8.0]
    # Rounded, and clipped to what the dtype holds.
    assert new["count"].tolist() == [10, 127]
    assert new["maybe"].tolist() == [pd.NA, 8]
    assert new["flag"].tolist() == [False, True]
    kept = table.iloc[plan.base[~plan.made]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[~plan.made].reset_index(drop=True), kept)


def test_without_new_rows_the_index_may_stay():
    plan = BELOW.take([2, 0])
    found = assemble(rows_of(frame()), plan, None, None, renumber=False)
    pd.testing.assert_frame_equal(found, frame().iloc[[2, 0]])


def test_dtypes_of_arrays_are_kept():
    for dtype in (np.uint8, np.int64, np.float32):
        X = np.array([[1, 2], [3, 4], [5, 6]], dtype=dtype)
        found = assemble(rows_of(X), BELOW, NEW, None, renumber=True)
        assert found.dtype == dtype
        shown = [[11, 20], [30, 40]] if dtype != np.float32 else NEW.astype(np.float32)
        np.testing.assert_array_equal(found[3:], shown)


def test_polars_keeps_its_dtypes_and_columns():
    table = pl.DataFrame(
        {"a": [1, 2, 3], "t": pl.Series([1, 2, 3]).cast(pl.Datetime("ms")), "b": [0.5, 1.5, 2.5]},
        schema_overrides={"a": pl.UInt8, "b": pl.Float32},
    )
    found = assemble(rows_of(table), BELOW, NEW, [0, 2], renumber=True)
    new = pl.DataFrame(
        {"a": [11, 30], "t": table["t"].gather([0, 2]), "b": [20.4, 40.0]}, schema=table.schema
    )
    assert_frame_equal(found, pl.concat([table, new]))
