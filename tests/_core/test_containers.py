"""Tables of every kind: rows out as they came in, and new rows with the old dtypes."""

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from imbkit._core.containers import stack, take, wrap
from imbkit.exceptions import DataError, InvalidParameterError

N = 4
INDEX = [10, 30, 20, 10]  # neither sorted nor unique
DAYS = pd.to_datetime(["2020-01-01", None, "2021-06-01", "2022-01-01"])

# column -> (kind, missing values)
PANDAS = {
    "float64": ("number", 1, np.array([1.5, np.nan, np.inf, -np.inf])),
    "float32": ("number", 0, np.array([0.1, 0.2, 0.3, 0.4], dtype="float32")),
    "float16": ("number", 0, np.array([0.5, 1, 2, 3], dtype="float16")),
    "uint8": ("integer", 0, np.array([0, 255, 7, 8], dtype="uint8")),
    "int64": ("integer", 0, np.array([2**60 + 1, -5, 0, 3])),
    "bool": ("boolean", 0, np.array([True, False, True, True])),
    "Int64": ("integer", 1, pd.array([1, None, 3, 4], dtype="Int64")),
    "UInt8": ("integer", 1, pd.array([1, None, 255, 4], dtype="UInt8")),
    "Float32": ("number", 1, pd.array([1.5, None, 3, 4], dtype="Float32")),
    "boolean": ("boolean", 1, pd.array([True, None, False, True], dtype="boolean")),
    "string": ("string", 1, pd.array(["a", None, "b", "c"], dtype="string")),
    "str": ("string", 1, pd.Series(["a", None, "b", "c"]).to_numpy()),
    "int64 arrow": ("integer", 1, pd.array([1, None, 3, 4], dtype="int64[pyarrow]")),
    "double arrow": ("number", 1, pd.array([1, None, 3, 4], dtype="double[pyarrow]")),
    "bool arrow": ("boolean", 1, pd.array([True, None, False, True], dtype="bool[pyarrow]")),
    "string arrow": ("string", 1, pd.array(["a", None, "b", "c"], dtype="string[pyarrow]")),
    "category": ("category", 1, pd.Categorical(["x", None, "y", "x"], ["y", "x", "unseen"])),
    "category of integers": ("category", 1, pd.Categorical([1, None, 2, 1])),
    "ordered": ("category", 0, pd.Categorical(list("abab"), ["b", "a"], ordered=True)),
    "sparse": ("number", 0, pd.arrays.SparseArray([0.0, 0, 2, 0])),
    "zoned": ("datetime", 1, DAYS.tz_localize("Europe/Paris")),
    "day": ("datetime", 1, DAYS),
    "duration": ("duration", 1, DAYS - DAYS[0]),
    "period": ("other", 1, DAYS.to_period("D")),
    "complex": ("other", 0, np.arange(N) + 1j),
    "objects: strings": ("string", 1, np.array(["a", None, "b", np.nan][:3] + ["c"], object)),
    "objects: integers": ("integer", 1, np.array([1, None, 3, 4], object)),
    "objects: numbers": ("number", 1, np.array([1, None, 3.5, np.inf], object)),
    "objects: booleans": ("boolean", 0, np.array([True, False, True, True], object)),
    "objects: mixed": ("mixed", 2, np.array([1, "a", pd.NA, pd.NaT], object)),
    "objects: boolean and integer": ("mixed", 0, np.array([1, True, 0, 1], object)),
    "objects: none": ("other", 4, np.array([None] * 4, object)),
    "objects: lists": ("other", 1, pd.Series([[1], [2, 3], None, [4]]).to_numpy()),
}
POLARS = {
    "f64": ("number", 2, pl.Series([1.5, None, float("nan"), float("inf")])),
    "f32": ("number", 0, pl.Series([0.1, 0.2, 0.3, 0.4], dtype=pl.Float32)),
    "u8": ("integer", 0, pl.Series([0, 255, 7, 8], dtype=pl.UInt8)),
    "u8 null": ("integer", 1, pl.Series([0, None, 7, 255], dtype=pl.UInt8)),
    "i64": ("integer", 1, pl.Series([1, None, 3, 4])),
    "bool": ("boolean", 1, pl.Series([True, None, False, True])),
    "string": ("string", 1, pl.Series(["a", None, "b", "c"])),
    "categorical": ("category", 1, pl.Series(["x", None, "y", "x"], dtype=pl.Categorical)),
    "enum": ("category", 1, pl.Series(["x", None, "y", "x"], dtype=pl.Enum(["y", "x", "unseen"]))),
    "decimal": ("number", 1, pl.Series([1.5, None, 2.25, 4]).cast(pl.Decimal(10, 2))),
    "zoned": ("datetime", 1, pl.Series(DAYS.tz_localize("UTC")).dt.convert_time_zone("Asia/Tokyo")),
    "date": ("datetime", 1, pl.Series(DAYS).dt.date()),
    "duration": ("duration", 1, pl.Series(DAYS - DAYS[0])),
    "time": ("other", 1, pl.Series(DAYS).dt.time()),
    "list": ("other", 0, pl.Series([[1], [2], [3], [4]])),
    "null": ("other", 4, pl.Series([None] * 4)),
    "object": ("mixed", 1, pl.Series([1, "a", None, 2.5], dtype=pl.Object)),
}
REBUILT = ("number", "integer", "boolean", "category", "string")


def pandas_table():
    columns = {name: pd.Series(values, index=INDEX) for name, (_, _, values) in PANDAS.items()}
    columns["str"] = pd.Series(["a", None, "b", "c"], index=INDEX)  # this version's own strings
    return pd.DataFrame(columns)


def polars_table():
    return pl.DataFrame({name: values for name, (_, _, values) in POLARS.items()})


def equal(one, other):
    """Equal values, dtypes, names and index."""
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    elif isinstance(one, pl.DataFrame):
        assert one.schema == other.schema
        for name in one.columns:
            if one.schema[name] == pl.Object:
                assert one[name].to_list() == other[name].to_list()
            else:
                assert one[name].equals(other[name], null_equal=True)
    elif sparse.issparse(one):
        assert type(one) is type(other)
        assert one.format == other.format
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one.toarray(), other.toarray())
    else:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    return True


DENSE = np.array([[1.0, 0, 2], [0, np.nan, 3], [0, 0, -np.inf], [4, 5, 6]])
MATRICES = {
    "float64": DENSE,
    "float32": DENSE.astype("float32"),
    "uint8": np.arange(12, dtype="uint8").reshape(4, 3),
    "bool": np.eye(4, 3, dtype=bool),
    "fortran": np.asfortranarray(DENSE),
    "strings": np.array([list("abc")] * 4),
    "objects": np.array([[1, "a", None], [2, "b", 0.5], [3, "c", 1], [None, "d", 2]], object),
    "csr": sparse.csr_matrix(DENSE),
    "csc": sparse.csc_matrix(DENSE),
    "csr array": sparse.csr_array(DENSE),
    "csc array": sparse.csc_array(DENSE.astype("float32")),
    "csr integers": sparse.csr_array(np.eye(4, 3, dtype="uint8")),
}
TABLES = {"pandas": pandas_table(), "polars": polars_table(), **MATRICES}


def rows_of(table, indices):
    """Take rows as the container's own library does."""
    return table.iloc[indices] if isinstance(table, pd.DataFrame) else table[indices]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("indices", [[2, 0, 2], [], [3]])
def test_take_gives_the_same_kind(name, indices):
    table = TABLES[name]
    positions = np.array(indices, dtype=np.intp)
    taken = wrap(table).take(positions)
    assert equal(taken.native, rows_of(table, positions))
    assert equal(take(table, positions), taken.native)
    assert taken.n_rows == len(indices)
    assert taken.names == wrap(table).names


@pytest.mark.parametrize("name", TABLES)
def test_wrap_copies_and_changes_nothing(name):
    table = TABLES[name]
    rows = wrap(table)
    assert rows.native is table
    assert wrap(rows) is rows
    assert (rows.n_rows, rows.n_columns) == table.shape
    assert len(rows.names) == len(rows.kinds()) == len(rows.missing()) == len(rows.infinite())


@pytest.mark.parametrize(
    ("rows", "columns"), [(wrap(TABLES["pandas"]), PANDAS), (wrap(TABLES["polars"]), POLARS)]
)
def test_kinds_and_counts_of_frames(rows, columns):
    assert rows.names == tuple(columns)
    assert dict(zip(rows.names, rows.kinds(), strict=True)) == {k: v[0] for k, v in columns.items()}
    missing = dict(zip(rows.names, rows.missing().tolist(), strict=True))
    assert missing == {k: v[1] for k, v in columns.items()}
    infinite = dict(zip(rows.names, rows.infinite().tolist(), strict=True))
    expected = {"float64": 2, "objects: numbers": 1, "f64": 1}
    assert infinite == {name: expected.get(name, 0) for name in columns}


@pytest.mark.parametrize("name", ["float64", "float32", "csr", "csc", "csr array", "csc array"])
def test_counts_of_matrices(name):
    rows = wrap(TABLES[name])
    assert rows.names == ("x0", "x1", "x2")
    assert rows.kinds() == ("number",) * 3
    assert rows.missing().tolist() == [0, 1, 0]
    assert rows.infinite().tolist() == [0, 0, 1]


def test_kinds_of_other_matrices():
    assert wrap(MATRICES["objects"]).kinds() == ("integer", "string", "number")
    assert wrap(MATRICES["objects"]).missing().tolist() == [1, 0, 1]
    assert wrap(MATRICES["strings"]).kinds() == ("string",) * 3
    assert wrap(MATRICES["bool"]).kinds() == ("boolean",) * 3
    assert wrap(MATRICES["csr integers"]).kinds() == ("integer",) * 3
    assert wrap(np.zeros((1, 1), "M8[s]")).kinds() == ("datetime",)
    assert wrap(np.zeros((1, 1), "S3")).kinds() == ("other",)


def test_an_object_column_is_judged_by_all_its_values():
    table = pd.DataFrame({"a": pd.Series(["a"] * 500 + [1], dtype=object)})
    assert wrap(table).kinds() == ("mixed",)


def test_columns_as_arrays():
    rows = wrap(TABLES["pandas"])
    get = {name: rows.column(j) for j, name in enumerate(rows.names)}
    assert get["uint8"].dtype == "uint8"
    assert get["int64"].tolist() == [2**60 + 1, -5, 0, 3]
    for name in ("Int64", "UInt8", "int64 arrow", "objects: integers"):
        assert get[name].dtype == float
        assert np.isnan(get[name][1])
    assert get["bool"].dtype == get["objects: booleans"].dtype == bool
    assert get["boolean"].tolist() == get["bool arrow"].tolist() == [True, None, False, True]
    for name in ("string", "str", "string arrow"):
        assert get[name].tolist() == ["a", None, "b", "c"]
    assert get["category of integers"].tolist() == [1, None, 2, 1]
    assert type(get["category of integers"][0]) is int
    assert get["zoned"][0] == np.datetime64("2019-12-31T23:00")  # UTC
    assert get["objects: mixed"].tolist() == [1, "a", None, None]

    rows = wrap(TABLES["polars"])
    assert rows.column(rows.find("u8 null")).dtype == float
    assert rows.column(rows.find("u8")).dtype == "uint8"
    assert rows.column(rows.find("enum")).tolist() == ["x", None, "y", "x"]
    assert rows.column(rows.find("decimal"))[2] == 2.25


@pytest.mark.parametrize("name", TABLES)
def test_select_and_drop(name):
    table = TABLES[name]
    rows = wrap(table)
    last = rows.n_columns - 1
    part = rows.select([last, rows.names[0]])
    assert part.names == (rows.names[last], rows.names[0])
    assert part.n_rows == rows.n_rows
    assert type(part.native) is type(table)
    assert part.kinds() == (rows.kinds()[last], rows.kinds()[0])
    rest = rows.drop([rows.names[0], -1])
    assert rest.names == rows.names[1:-1]
    assert equal(rest.native, rows.select(range(1, last)).native)
    assert rows.drop(rows.names).n_columns == 0


def test_unknown_columns_get_a_suggestion():
    rows = wrap(pd.DataFrame({"target": [1], "amount": [2]}), who="compare")
    with pytest.raises(
        DataError, match=r"compare: a column must be .* Got 'targte'.*mean 'target'"
    ):
        rows.find("targte")
    with pytest.raises(DataError, match=r"Columns are 'target', 'amount'"):
        rows.drop(["zzzz"])
    with pytest.raises(IndexError):
        rows.select([2])


def test_numbered_and_nested_column_names():
    numbered = pd.DataFrame([[1.0, 2.0]], columns=[5, 6])
    assert wrap(numbered).names == ("5", "6")
    assert wrap(numbered).select(["6"]).native.columns.tolist() == [6]
    columns = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")], names=["one", "two"])
    nested = pd.DataFrame([[1.0, 2.0]], columns=columns)
    assert equal(wrap(nested).rebuild(np.array([[1.0, 2.0]])).native, nested)


@pytest.mark.parametrize("table", [TABLES["pandas"], TABLES["polars"]])
def test_every_column_survives_the_way_to_arrays_and_back(table):
    rows = wrap(table)
    columns = [j for j, kind in enumerate(rows.kinds()) if kind in REBUILT]
    assert columns
    base = np.array([3, 1, 1, 0])
    new = [rows.column(j)[base] for j in columns]
    again = rows.rebuild(new, columns=columns, base=base)
    expected = rows.take(base, renumber=True).native
    if isinstance(table, pl.DataFrame):
        # Of the two ways to be missing in a column of floats, nulls are the one that is left.
        expected = expected.with_columns(pl.col("f64").fill_nan(None))
    # The base rows give the columns that cannot be made anew, whatever the rest says.
    assert equal(again.native, expected)


def test_object_matrices_survive_the_way_back():
    rows = wrap(MATRICES["objects"])
    again = rows.rebuild([rows.column(j) for j in range(3)])
    assert again.native.dtype == object
    assert again.kinds() == rows.kinds()
    for j in range(3):
        np.testing.assert_array_equal(again.column(j), rows.column(j))


@pytest.mark.parametrize("name", ["float64", "float32", "uint8", "bool", "fortran"])
def test_matrices_survive_the_way_back(name):
    rows = wrap(MATRICES[name])
    assert equal(rows.rebuild(rows.matrix()).native, MATRICES[name])


@pytest.mark.parametrize("name", ["csr", "csc", "csr array", "csc array", "csr integers"])
def test_sparse_matrices_survive_the_way_back(name):
    rows = wrap(MATRICES[name])
    assert rows.matrix().format == MATRICES[name].format
    for values in (
        rows.matrix(),
        sparse.csr_matrix(rows.matrix()),
        sparse.csc_array(rows.matrix()),
    ):
        assert equal(rows.rebuild(values).native, MATRICES[name])


def test_matrix_dtypes():
    assert wrap(MATRICES["float32"]).matrix() is MATRICES["float32"]
    assert wrap(MATRICES["uint8"]).matrix().dtype == np.float64
    assert wrap(MATRICES["csr integers"]).matrix().dtype == np.float64
    rows = wrap(TABLES["pandas"])
    assert rows.select(["float32", "Float32"]).matrix().dtype == np.float32
    assert rows.select(["float32", "uint8"]).matrix().dtype == np.float64
    mixed = rows.select(["Int64", "bool", "boolean", "objects: numbers"]).matrix()
    np.testing.assert_array_equal(mixed[:2], [[1, 1, 1, 1], [np.nan, 0, np.nan, np.nan]])


@pytest.mark.parametrize("table", [TABLES["pandas"], TABLES["polars"], MATRICES["objects"]])
def test_matrix_names_the_columns_that_are_no_numbers(table):
    rows = wrap(table, who="SMOTE")
    with pytest.raises(DataError, match=r"^SMOTE: every column must be numeric. Got '.*\(string\)"):
        rows.matrix()


@pytest.mark.parametrize("kind", ["numpy", "pandas", "Int", "arrow", "polars", "csr"])
@settings(max_examples=25)
@given(data=st.data())
def test_integers_are_rounded_and_never_wrap_around(kind, data):
    dtype = data.draw(st.sampled_from(["int8", "uint8", "int16", "uint32", "int64", "uint64"]))
    old = np.ones((2, 1), dtype=dtype)
    table = {
        "numpy": lambda: old,
        "pandas": lambda: pd.DataFrame(old),
        "Int": lambda: pd.DataFrame(old).astype(dtype.replace("i", "I").replace("u", "U")),
        "arrow": lambda: pd.DataFrame(old).astype(f"{dtype}[pyarrow]"),
        "polars": lambda: pl.DataFrame(old),
        "csr": lambda: sparse.csr_matrix(old),
    }[kind]()
    values = data.draw(
        st.lists(st.floats(allow_nan=False, width=64) | st.floats(-300, 300), min_size=1)
    )
    new = wrap(table).rebuild(np.array(values)[:, None])
    bounds = np.iinfo(dtype)
    clipped = (max(bounds.min, min(bounds.max, v)) for v in values)
    expected = [v if isinstance(v, int) else round(v) for v in clipped]
    assert new.column(0).dtype == dtype
    assert new.column(0).tolist() == expected


def test_booleans_are_rounded():
    values = np.array([[0.2], [0.8], [0.5]])
    table = pd.DataFrame({"a": [True]})
    assert wrap(table).rebuild(values).native["a"].tolist() == [False, True, False]


@pytest.mark.parametrize(
    "table",
    [
        np.ones((1, 1), int),
        np.ones((1, 1), bool),
        pd.DataFrame({"a": [1]}),
        pd.DataFrame({"a": [True]}),
        sparse.csr_array(np.ones((1, 1), int)),
    ],
)
def test_missing_values_need_a_dtype_for_them(table):
    with pytest.raises(DataError, match=r"must not be missing where the dtype .* Got NaN for"):
        wrap(table).rebuild(np.array([[np.nan]]))


def test_nan_of_polars_stays_where_there_are_no_nulls():
    rows = wrap(pl.DataFrame({"a": [1.0, float("nan")]}))
    assert rows.rebuild(np.array([[np.nan]])).native["a"].null_count() == 0


@pytest.mark.parametrize("name", ["category", "ordered", "category of integers"])
def test_pandas_categories_are_never_invented(name):
    rows = wrap(TABLES["pandas"]).select([name])
    with pytest.raises(DataError, match=rf"column '{name}' takes its own categories.* Got 'new'"):
        rows.rebuild([["new"]])


@pytest.mark.parametrize("name", ["categorical", "enum"])
def test_polars_categories_are_never_invented(name):
    pl.Series(["new"], dtype=pl.Categorical)  # known to the library, not to the column
    rows = wrap(TABLES["polars"]).select([name])
    with pytest.raises(DataError, match=rf"column '{name}' takes its own categories.* Got 'new'"):
        rows.rebuild([["x", "new"]])


def test_levels_without_a_row_are_levels():
    rows = wrap(TABLES["pandas"]).select(["category"])
    assert rows.rebuild([["unseen", None]]).native["category"].tolist()[0] == "unseen"
    rows = wrap(TABLES["polars"]).select(["enum"])
    assert rows.rebuild([["unseen", None]]).native["enum"].to_list() == ["unseen", None]


def test_dates_come_from_base_rows_only():
    rows = wrap(TABLES["pandas"]).select(["zoned", "float32"])
    with pytest.raises(DataError, match=r"kind datetime cannot be made anew.* Got 'zoned'"):
        rows.rebuild([rows.column(0), rows.column(1)])
    new = rows.rebuild(np.array([[9.0], [8.0]]), columns=[1], base=[2, 2])
    assert new.native["zoned"].dtype == TABLES["pandas"]["zoned"].dtype
    assert new.native["zoned"].tolist() == [TABLES["pandas"]["zoned"].iloc[2]] * 2
    assert new.native["float32"].tolist() == [9.0, 8.0]


def test_bad_rebuilds():
    rows = wrap(DENSE)
    with pytest.raises(
        InvalidParameterError, match="new values must be given for 3 columns. Got 2"
    ):
        rows.rebuild(np.ones((5, 2)))
    with pytest.raises(InvalidParameterError, match="need the rows that the others are copied"):
        rows.rebuild(np.ones((5, 1)), columns=[0])
    with pytest.raises(
        InvalidParameterError, match="sparse matrix can only be made anew as a whole"
    ):
        wrap(sparse.csr_matrix(DENSE)).rebuild(np.ones((5, 1)), columns=[0], base=[0] * 5)


def test_rebuild_leaves_the_old_table_alone():
    table = DENSE.copy()
    wrap(table).rebuild(np.full((2, 1), 9.0), columns=[0], base=[0, 1])
    np.testing.assert_array_equal(table, DENSE)
    table.flags.writeable = False
    assert wrap(table).rebuild(table[:1]).native.flags.writeable


@pytest.mark.parametrize("name", TABLES)
def test_stack_undoes_a_split(name):
    rows = wrap(TABLES[name])
    whole = stack([rows.take([0, 1]), rows.take([]), rows.take([2, 3])])
    expected = rows.take(range(4), renumber=True).native
    assert equal(whole.native, expected)


def test_index_policy():
    rows = wrap(TABLES["pandas"])
    assert rows.take([2, 0]).native.index.tolist() == [20, 10]
    assert rows.take([2, 0], renumber=True).native.index.tolist() == [0, 1]
    new = rows.select(["float32"]).rebuild(np.ones((3, 1)))
    assert new.native.index.equals(pd.RangeIndex(3))
    assert stack([rows, rows]).native.index.equals(pd.RangeIndex(8))
    series = TABLES["pandas"]["Int64"]
    assert take(series, [2, 0]).index.tolist() == [20, 10]
    assert take(series, [2, 0], renumber=True).index.tolist() == [0, 1]
    assert rows.native.index.tolist() == INDEX


def test_take_from_single_columns():
    series = TABLES["pandas"]["category"]
    pd.testing.assert_series_equal(take(series, [3, 1]), series.iloc[[3, 1]])
    series = TABLES["polars"]["enum"]
    assert take(series, [3, 1]).equals(series[[3, 1]])
    assert take(["a", "b"], [1, 1, 0]) == ["b", "b", "a"]
    assert take(np.array([5, 6]), [1]).tolist() == [6]
    assert take(np.zeros((4, 2, 2)), [1]).shape == (1, 2, 2)
    assert take(pd.array([1, None], dtype="Int64"), [1, 0]).dtype == "Int64"
    assert take(pd.Index(["a", "b"]), [1]).equals(pd.Index(["b"]))


@pytest.mark.parametrize("indices", [[True, False, True, False], [0.0], [[0]], "a"])
@pytest.mark.parametrize("name", ["pandas", "polars", "float64", "csr"])
def test_positions_must_be_integers(name, indices):
    with pytest.raises(InvalidParameterError, match=r"by a one-dimensional array of integer pos"):
        wrap(TABLES[name]).take(indices)


def test_lists_become_arrays():
    assert wrap([[1, 2.5], [3, 4]]).native.dtype == float
    assert wrap(([1, 2], [3, 4])).kinds() == ("integer", "integer")
    assert wrap([[1, "a"], [None, "b"]]).kinds() == ("integer", "string")
    assert wrap([["a"], ["b"]]).column(0).tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"a": [1]}, "Got dict."),
        ((row for row in [[1], [2]]), "Got generator."),
        (None, "Got NoneType."),
        ("table.csv", "Got str."),
        (np.zeros(3), r"Got an array of shape \(3,\). Use .reshape\(-1, 1\)"),
        ([1, 2, 3], r"Got an array of shape \(3,\)"),
        ([], r"Got an array of shape \(0,\)"),
        (np.zeros((2, 2, 2)), r"Got an array of shape \(2, 2, 2\)"),
        (np.float64(3), r"Got an array of shape \(\)"),
        ([[1, 2], [3]], "Got rows of different lengths."),
        (pd.Series([1.0]), "Got a single column. Use .to_frame"),
        (pl.Series([1.0]), "Got a single column. Use .to_frame"),
        (pl.DataFrame({"a": [1]}).lazy(), "Got a lazy frame. Call .collect"),
        (pl.DataFrame({"a": [1]}).to_arrow(), "Got a Table. Convert it"),
        (np.ma.array([[1.0]], mask=[[True]]), "Got a masked array. Fill it"),
        (sparse.coo_array(np.eye(2)), r"Got a sparse coo matrix. Call .tocsr"),
    ],
)
def test_what_is_no_table(table, words):
    with pytest.raises(DataError, match=f"^SMOTE: the data must be a table.*{words}"):
        wrap(table, who="SMOTE")


@pytest.mark.parametrize("names", [["a", "b", "a"], [1, "1", "b"]])
def test_duplicated_names(names):
    with pytest.raises(DataError, match=rf"names must be unique. Got '{names[0]}'. Rename"):
        wrap(pd.DataFrame([[1, 2, 3]], columns=names))


def test_names_from_hostile_data_are_inert_in_messages():
    name = "<b>\n\u202e" * 3000
    table = pd.DataFrame([[1, 2, "x"]], columns=[name, name, "c"])
    with pytest.raises(DataError) as caught:
        wrap(table)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    with pytest.raises(DataError) as caught:
        wrap(pd.DataFrame({name: ["x"]})).matrix()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_tables_without_rows_or_columns():
    empty = pd.DataFrame({"a": pd.Series([], dtype=float)})
    for table in (empty, np.zeros((0, 1)), sparse.csr_array((0, 1)), pl.DataFrame(empty)):
        rows = wrap(table)
        assert (rows.n_rows, rows.n_columns) == (0, 1)
        assert rows.matrix().shape == (0, 1)
        assert rows.missing().tolist() == rows.infinite().tolist() == [0]
        assert equal(rows.rebuild(rows.matrix()).native, table)


def test_no_data_frame_library_is_needed_or_imported():
    code = """
import sys
for name in ("pandas", "polars", "pyarrow"):
    sys.modules[name] = None  # importing it fails
import numpy, scipy.sparse
from imbkit._core.containers import stack, take, wrap
rows = wrap(numpy.eye(3))
print(stack([rows, rows.take([0])]).n_rows, wrap(scipy.sparse.csr_array(rows.native)).n_rows)
print(take(["a", "b"], [1]), wrap([[1, "a"]]).kinds())
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.split("\n")[:2] == ["4 3", "['b'] ('integer', 'string')"], found.stderr
