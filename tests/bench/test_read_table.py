import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.bench._read_table import choose_columns, read_table
from imbkit.exceptions import DataError, InvalidParameterError

ROWS = [["id", "x", "name"], ["1", "0.5", "a"], ["2", "", "b c"], ["3", "-2e3", "d"]]


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1)


def text_of(separator, rows=ROWS, end="\n"):
    return "".join(separator.join(row) + end for row in rows)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "T.CSV"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("packed", [False, True])
def test_separators_are_found_out_whatever_the_suffix(tmp_path, name, separator, packed):
    content = text_of(separator).encode()
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(content) if packed else content)
    table = read_table(path)
    assert list(table.columns) == ["id", "x", "name"]
    assert table["id"].tolist() == [1, 2, 3]
    assert table["x"].dtype == float
    np.testing.assert_array_equal(table["x"], [0.5, np.nan, -2000])
    assert table["name"].tolist() == ["a", "b c", "d"]


def test_a_table_equals_the_parquet_of_itself(tmp_path):
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": ["x", "y"], "c": [1, 2], "d": [True, False]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "t.csv"), read_table(tmp_path / "t.parquet")
    )
    pd.testing.assert_frame_equal(read_table(str(tmp_path / "t.csv")), frame)


def test_byte_order_mark_line_ends_and_blank_lines_are_no_data(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text_of(",", end="\r\n").encode() + b"\r\n \r\n")
    table = read_table(path)
    assert list(table.columns) == ["id", "x", "name"]
    assert len(table) == 3


def test_fields_may_hold_separators_and_line_breaks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,"x,\ny"\n2,"say ""no"""\n')
    assert read_table(path)["b"].tolist() == ["x,\ny", 'say "no"']


def test_decimal_commas_are_read_where_they_cannot_separate(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b;c\n1,5;x;2\n-2,25;1,5;3\n3,0;y;4\n")
    table = read_table(path)
    assert table["a"].tolist() == [1.5, -2.25, 3.0]
    assert table["b"].tolist() == ["x", "1,5", "y"]
    path.write_text("a;b\n1,5;0.5\n2,5;1.5\n3,5;1\n")
    assert read_table(path)["a"].tolist() == ["1,5", "2,5", "3,5"]


def test_a_column_that_turns_to_text_late_is_text_throughout(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 600_000 + "x,2\n")
    assert {type(value) for value in read_table(path)["a"]} == {str}


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", "\t"]),
)
def test_any_text_in_quotation_marks_comes_back(tmp_path_factory, rows, separator):
    stream = io.StringIO(newline="")
    rows = [["p" + field for field in row] for row in rows]
    csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(
        [["k", "l", "m"], *rows]
    )
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    assert read_table(path).to_numpy().tolist() == rows


BAD = {
    "empty": (b"", "empty"),
    "blank": (b" \n\n", "empty"),
    "header only": (b"a,b\n", "header only"),
    "one column": (b"value\n1\n2\n", "at least two columns.*'value'.*semicolon"),
    "prose": (b"Dear reader\n\nthis is a letter.\nYours\n", "two columns.*Dear reader"),
    "binary": (b"PK\x03\x04\x00\x00junk\x00", "binary data.*spreadsheet"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "UTF-16.*Save it as UTF-8"),
    "latin-1": ("a,b\nM\xfcnchen,1\n".encode("latin-1"), "byte 0xfc.*Save it as UTF-8"),
    "late latin-1": (b"a,b\n" + b"1,2\n" * 9_000 + b"\xfc,2\n", "byte 0xfc"),
    "long row": (b"a,b\n1,2\n1,2,3\n", "header, 2.*3 in line 3"),
    "short row": (b"a,b,c\n1,2,3\n\n1,2\n", "header, 3.*2 in line 4"),
    "open quote": (b'a,b\n1,"2\n' + b"3,4\n" * 50_000, "quotation mark that is never closed"),
    "names twice": (b"a,b,a\n1,2,3\n", "distinct.*'a' more than once.*Rename"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_table_is_refused(tmp_path, content, words, packed):
    path = tmp_path / ("bad.csv" + ".gz" * packed)
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=f"(?s){words}") as caught:
        read_table(path)
    assert "bad.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_files_are_refused(tmp_path):
    whole = gzip.compress(text_of(",").encode() * 500)
    for name, content, words in (
        ("cut.csv.gz", whole[:-20], "gzip data"),
        ("not.csv.gz", b"a,b\n1,2\n", "gzip data"),
        ("not.parquet", b"a,b\n1,2\n" * 9, "parquet data"),
        ("empty.parquet", b"", "parquet data"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{words}.*{name}"):
            read_table(tmp_path / name)


def test_parquet_without_rows_or_with_names_twice_is_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "t.parquet"
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(DataError, match="distinct.*'a' more than once"):
        read_table(path)
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="0 rows and 1 columns"):
        read_table(path)


def test_a_missing_file_suggests_near_names(tmp_path):
    (tmp_path / "loans_2024.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"must exist.*Did you mean 'loans_2024\.csv'"):
        read_table(tmp_path / "loan_2024.csv")
    with pytest.raises(DataError, match="must exist.*typing error"):
        read_table(tmp_path / "nowhere" / "zzz.csv")


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.gz", "t.parquet.gz", "t.csv.zip"])
def test_an_unknown_suffix_says_which_are_read(tmp_path, name):
    (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"\.csv, \.tsv, \.txt.*\.gz.*\.parquet"):
        read_table(tmp_path / name)


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(DataError, match="must be a file.*directory"):
        read_table(tmp_path)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_an_unreadable_file_is_refused(tmp_path, monkeypatch, name):
    import pyarrow.parquet

    (tmp_path / name).write_text("a,b\n1,2\n")

    def refuse(*args, **named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", refuse)
    with pytest.raises(DataError, match=f"readable.*Permission denied.*{name}.*permissions"):
        read_table(tmp_path / name)


def frame():
    return pd.DataFrame({"age": [1, 2], "income": [3, 4], "default": ["no", "yes"]})


def test_columns_are_parted_and_the_table_is_not_copied():
    table = frame()
    X, y = choose_columns(table, "default", ["age", "age"])
    assert X is table
    assert list(X.columns) == ["income"]
    assert y.tolist() == ["no", "yes"]
    assert y.name == "default"


@pytest.mark.parametrize(
    ("target", "drop", "error", "words"),
    [
        ("defualt", [], InvalidParameterError, "target must name.*'defualt'.*mean 'default'"),
        ("Default", [], InvalidParameterError, "mean 'default'"),
        ("zzz", [], InvalidParameterError, "Columns are 'age', 'income', 'default'"),
        ("default", ["incone"], InvalidParameterError, "drop must name.*'incone'.*mean 'income'"),
        ("default", ["default"], InvalidParameterError, "target must not be among the dropped"),
        ("default", ["age", "income"], DataError, "at least one column"),
    ],
)
def test_wrong_columns_are_refused(target, drop, error, words):
    table = frame()
    with pytest.raises(error, match=words):
        choose_columns(table, target, drop)
    assert list(table.columns) == ["age", "income", "default"]


def test_a_target_with_missing_values_is_refused():
    table = frame()
    table.loc[0, "default"] = None
    with pytest.raises(DataError, match="missing values.*1 missing of 2 in 'default'.*Drop those"):
        choose_columns(table, "default")


@pytest.mark.realdata
def test_a_real_table_is_read_as_pandas_reads_it(data_folder):
    path = data_folder / "nsl_kdd_train.parquet"
    found, expected = read_table(path), pd.read_parquet(path)
    assert found.equals(expected)
    # What else may differ, such as kinds of indices, shows on a few rows: all take seconds.
    pd.testing.assert_frame_equal(found[::100], expected[::100])
