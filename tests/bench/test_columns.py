"""Tables as matrices: kinds, codes, and columns that cannot be used."""

import numpy as np
import pytest
from sklearn.preprocessing import OrdinalEncoder

from imbkit.bench._columns import duplicate_groups, plain_table, read_columns
from imbkit.exceptions import DataError

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")


def frame():
    return pd.DataFrame(
        {
            "amount": [1.5, np.nan, 3.0, 1.5],
            "count": [1, 2, 3, 4],
            "flag": [True, False, True, True],
            "city": ["b", None, "a", "b"],
            "plan": pd.Categorical(["x", "y", "x", None]),
            "when": pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-01"]),
            "same": [7, 7, 7, 7],
            "empty": [np.nan] * 4,
        }
    )


@pytest.mark.parametrize("make", [frame, lambda: pl.from_pandas(frame())])
def test_kinds_and_values(make):
    table = read_columns(make())
    kinds = [(column.name, column.kind, column.missing) for column in table.columns]
    assert kinds == [
        ("amount", "number", 1),
        ("count", "number", 0),
        ("flag", "number", 0),
        ("city", "category", 1),
        ("plan", "category", 1),
        ("when", "date", 1),
    ]
    assert [column.name for column in table.unused] == ["same", "empty"]
    assert table.positions == (0, 1, 2, 3, 4, 5)
    expected = [1.5, 1.0, 1.0, 1.0, 0.0, 1577836800.0]
    np.testing.assert_array_equal(table.matrix[0], expected)
    np.testing.assert_array_equal(table.matrix[1, [0, 3, 5]], [np.nan, np.nan, 1577923200.0])
    assert table.converted


def test_codes_are_those_of_scikit_learn():
    texts = np.array(["b", "a", "ä", "B", "10", "9", None, "b"], dtype=object)
    table = pd.DataFrame({"t": texts})
    codes = read_columns(table).matrix[:, 0]
    encoder = OrdinalEncoder(encoded_missing_value=np.nan)
    np.testing.assert_array_equal(codes, encoder.fit_transform(plain_table(table))[:, 0])


def test_arrays_and_sparse_matrices():
    from scipy import sparse

    X = np.array([[0.0, 2.0], [1.0, 0.0]])
    for table in (read_columns(X), read_columns(sparse.csr_array(X))):
        np.testing.assert_array_equal(table.matrix, X)
        assert [column.name for column in table.columns] == ["x0", "x1"]
        assert not table.named


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (pd.DataFrame({"a": [1.0, np.inf, 2.0]}), "1 infinite values in 'a'"),
        (pd.DataFrame({"a": [1, "x", 2.0]}), "'a', which holds float and int and str"),
        (pd.DataFrame({"a": [[1], [2], [3]]}), "'a', which holds list"),
        (pd.DataFrame({"a": [1, 1, 1], "b": [None] * 3}), "2 constant or empty columns"),
        (pd.DataFrame({"a": []}), "at least one row"),
        (pd.DataFrame(index=[0, 1]), "at least one row and one feature"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), "names must be unique"),
        ({"a": [1]}, "must be a table"),
        (np.zeros(3), "must be a table"),
    ],
)
def test_unusable_tables(X, words):
    with pytest.raises(DataError, match=words):
        read_columns(X)


def test_many_levels():
    table = read_columns(pd.DataFrame({"id": [f"c{i}" for i in range(50_000)]}))
    assert table.columns[0].levels == 50_000
    assert np.unique(table.matrix).size == 50_000


def test_plain_table():
    for X in (frame(), pl.from_pandas(frame())):
        plain = plain_table(X)
        assert list(plain.columns) == list(frame().columns)
        np.testing.assert_array_equal(plain["flag"], [1.0, 0.0, 1.0, 1.0])
        np.testing.assert_array_equal(plain["when"][:3], [1577836800.0, 1577923200.0, np.nan])
        assert plain["city"].tolist() == ["b", pytest.approx(np.nan, nan_ok=True), "a", "b"]
    array = plain_table(np.array([[True, "a"], [False, None]], dtype=object))
    assert array[0].tolist() == [1.0, "a"]
    assert np.isnan(array[1, 1])


@pytest.mark.parametrize(
    ("X", "converted"),
    [
        (pd.DataFrame({"t": ["a", "b", None]}, dtype="str"), False),
        (pd.DataFrame({"t": pd.Categorical(["a", "b", None])}), False),
        (pd.DataFrame({"t": pd.Series(["a", "b", None], dtype=object)}), True),
        (pl.DataFrame({"t": ["a", "b", None]}), True),
        (pl.DataFrame({"t": ["a", "b", "c"]}), False),
        (pd.DataFrame({"t": [True, False, True]}), True),
    ],
)
def test_tables_that_scikit_learn_reads_otherwise(X, converted):
    assert read_columns(X).converted == converted


def test_duplicates_are_rows_with_equal_values():
    X = np.array([[0.0, np.nan], [-0.0, np.nan], [0.0, 1.0], [1.0, 0.0], [0.0, np.nan]])
    groups = duplicate_groups(X)
    assert groups[0] == groups[1] == groups[4]
    assert np.unique(groups).size == 3


def test_duplicates_agree_with_numpy():
    X = np.random.default_rng(0).integers(0, 3, (500, 4)).astype(float)
    expected = np.unique(X, axis=0, return_inverse=True)[1].reshape(-1)
    pairs = np.unique(np.stack([duplicate_groups(X), expected]), axis=1)
    assert pairs.shape[1] == expected.max() + 1
