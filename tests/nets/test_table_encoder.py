"""Tables as numbers and codes: the same from any library, and learned from training rows."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from imbkit.exceptions import DataError
from imbkit.nets import _table_encoder
from imbkit.nets._table_encoder import TableEncoder

NAN = float("nan")
COLUMNS = {
    "amount": [1.0, 2.0, None, 4.0, 9.0],
    "count": [3, 1, 4, 1, 5],
    "paid": [True, False, True, True, False],
    "city": ["Oslo", None, "Bergen", "Oslo", "Tromsø"],
    "level": ["b", "a", "b", "c", "b"],
}


def pandas_table(columns=COLUMNS):
    frame = pd.DataFrame(columns)
    return frame.astype({"level": "category"}) if "level" in frame else frame


def polars_table(columns=COLUMNS):
    frame = pl.DataFrame(columns)
    return frame.cast({"level": pl.Categorical}) if "level" in frame.columns else frame


def object_table(columns=COLUMNS):
    table = np.empty((len(next(iter(columns.values()))), len(columns)), dtype=object)
    for j, values in enumerate(columns.values()):
        table[:, j] = values
    return table


every_container = pytest.mark.parametrize("make", [pandas_table, polars_table, object_table])


class TestColumns:
    @every_container
    def test_numbers_and_codes_by_hand(self, make):
        encoder = TableEncoder()
        X, codes = encoder.fit_transform(make())
        amount, count = np.array([1, 2, 4, 9.0]), np.array([3, 1, 4, 1, 5.0])
        scaled = (amount - 4) / amount.std()
        expected = np.column_stack(
            [
                [scaled[0], scaled[1], 0, scaled[2], scaled[3]],
                (count - count.mean()) / count.std(),
                [1, 0, 1, 1, 0],
                [0, 0, 1, 0, 0],
            ]
        )
        np.testing.assert_allclose(X, expected, atol=1e-6)
        assert codes.tolist() == [[2, 2], [0, 1], [1, 2], [2, 3], [3, 2]]
        assert (X.dtype, codes.dtype) == (np.float32, np.int64)
        assert X.flags.c_contiguous
        assert codes.flags.c_contiguous
        assert encoder.n_features_ == 4
        assert encoder.cardinalities_ == (4, 4)

    def test_pandas_polars_and_numpy_agree_exactly(self):
        (X, codes), *others = [
            TableEncoder().fit_transform(make())
            for make in (pandas_table, polars_table, object_table)
        ]
        for other_X, other_codes in others:
            assert np.array_equal(X, other_X)
            assert np.array_equal(codes, other_codes)

    @every_container
    def test_fitted_on_one_library_it_reads_another(self, make):
        X, codes = TableEncoder().fit(make()).transform(pandas_table())
        expected = TableEncoder().fit_transform(pandas_table())
        assert np.array_equal(X, expected[0])
        assert np.array_equal(codes, expected[1])

    @pytest.mark.parametrize(
        "dtypes",
        [
            {"count": "Int8", "paid": "boolean", "city": "string", "amount": "Float32"},
            {"city": "category", "level": "object", "paid": "object", "count": "uint16"},
            {"city": "object", "count": "float64"},
        ],
    )
    def test_dtypes_of_pandas_make_no_difference(self, dtypes):
        plain, other = pandas_table(), pandas_table().astype(dtypes)
        encoder = TableEncoder().fit(plain)
        for table in (plain, other):
            for fitted in (encoder, TableEncoder().fit(other)):
                X, codes = fitted.transform(table)
                np.testing.assert_allclose(X, encoder.transform(plain)[0], atol=1e-6)
                assert np.array_equal(codes, encoder.transform(plain)[1])

    def test_enumerations_and_decimals_of_polars(self):
        plain = polars_table()
        other = plain.cast({"level": pl.Enum(["c", "b", "a", "z"]), "count": pl.Decimal(10, 2)})
        for one, two in zip(
            TableEncoder().fit_transform(plain), TableEncoder().fit_transform(other), strict=True
        ):
            assert np.array_equal(one, two)

    def test_levels_are_those_of_the_training_rows(self):
        frame = pd.DataFrame({"c": pd.Categorical(["b", "b"], categories=["a", "b", "z"])})
        encoder = TableEncoder().fit(frame)
        assert encoder.levels_ == [["b"]]
        assert encoder.cardinalities_ == (2,)

    def test_levels_that_are_numbers(self):
        encoder = TableEncoder().fit(pd.DataFrame({"c": pd.Categorical([10, 2, 10])}))
        for values in (pd.Categorical([2, 10, 7]), [2, 10, 7], [2.0, 10.0, NAN]):
            X, codes = encoder.transform(pd.DataFrame({"c": values}))
            assert codes.tolist() == [[1], [2], [0]]
            assert X.shape == (3, 0)

    def test_no_categories_no_codes(self):
        assert TableEncoder().fit_transform(pd.DataFrame({"a": [1, 2]}))[1] is None

    def test_columns_are_found_by_name(self):
        frame = pandas_table()
        expected = TableEncoder().fit_transform(frame)
        other = frame[frame.columns[::-1]].assign(more="x")
        for one, two in zip(expected, TableEncoder().fit(frame).transform(other), strict=True):
            assert np.array_equal(one, two)
        with pytest.raises(DataError, match="must be in the table. Got 'city'"):
            TableEncoder().fit(frame).transform(frame.drop(columns="city"))

    def test_the_index_of_pandas_plays_no_role(self):
        frame = pandas_table()
        shuffled = frame.set_axis([7, 7, 1, 0, -3])
        assert np.array_equal(
            TableEncoder().fit_transform(frame)[0], TableEncoder().fit_transform(shuffled)[0]
        )

    def test_nothing_is_changed_in_place(self):
        array = np.array([[1.0, NAN], [2.0, 3.0], [5.0, 1.0]])
        before = array.copy()
        frame, kept = pandas_table(), pandas_table()
        TableEncoder().fit_transform(array)
        TableEncoder().fit_transform(frame)
        np.testing.assert_array_equal(array, before)
        pd.testing.assert_frame_equal(frame, kept)


class TestCodes:
    @every_container
    def test_unknown_and_missing_are_0(self, make):
        encoder = TableEncoder().fit(make())
        codes = encoder.transform(make({**COLUMNS, "city": ["Rome", None, "Oslo", "oslo", ""]}))[1]
        assert codes[:, 0].tolist() == [0, 0, 2, 0, 0]

    def test_all_missing_in_training(self):
        empty = pd.DataFrame({"a": [1.0, 2.0], "c": pd.Categorical([None, None], ["x"])})
        encoder = TableEncoder().fit(empty)
        assert encoder.cardinalities_ == (1,)
        assert encoder.transform(empty)[1].tolist() == [[0], [0]]

    @pytest.mark.parametrize("values", [[None] * 2, [NAN] * 2, pd.array([None] * 2, "string")])
    def test_all_missing_at_prediction(self, values):
        encoder = TableEncoder().fit(pd.DataFrame({"c": ["x", "y"], "n": [1.0, 3.0]}))
        X, codes = encoder.transform(pd.DataFrame({"c": values, "n": [2.0, 3.0]}))
        assert codes.tolist() == [[0], [0]]
        assert X.tolist() == [[0], [1]]

    def test_numbers_where_texts_were(self):
        encoder = TableEncoder().fit(pd.DataFrame({"c": ["1", "2"]}))
        with pytest.raises(DataError, match="'c' must hold texts or cat.*of kind integer"):
            encoder.transform(pd.DataFrame({"c": [1, 2]}))

    def test_dates_where_texts_were(self):
        encoder = TableEncoder().fit(pd.DataFrame({"c": ["1", "2"]}))
        with pytest.raises(DataError, match="of kind datetime"):
            encoder.transform(pd.DataFrame({"c": pd.to_datetime(["2020-01-01"])}))


class TestMissingNumbers:
    def test_zero_and_a_mark_where_training_had_them(self):
        train = np.array([[1.0, NAN, 5.0], [3.0, 2.0, 5.0], [5.0, 4.0, NAN]])
        encoder = TableEncoder().fit(train)
        assert encoder.marked_.tolist() == [1, 2]
        X = encoder.transform(np.array([[NAN, NAN, NAN], [3.0, 3.0, 5.0]]))[0]
        assert X.tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]]

    def test_missing_at_prediction_alone_is_zero(self):
        encoder = TableEncoder().fit(np.array([[1.0], [3.0]]))
        assert encoder.transform(np.array([[NAN], [3.0]]))[0].tolist() == [[0], [1]]

    def test_mean_and_deviation_are_those_of_known_values(self):
        rng = np.random.default_rng(0)
        train = rng.normal(3, 7, (500, 4))
        train[rng.random(train.shape) < 0.2] = NAN
        X = TableEncoder().fit_transform(train)[0]
        expected = np.nan_to_num(StandardScaler().fit_transform(train))
        np.testing.assert_allclose(X[:, :4], expected, atol=1e-5)
        assert np.array_equal(X[:, 4:], np.isnan(train))

    @every_container
    def test_all_missing_in_training(self, make):
        columns = {"a": [1.0, 2.0], "empty": [None, None]}
        encoder = TableEncoder().fit(make(columns))
        assert encoder.transform(make(columns))[0].tolist() == [[-1, 0, 1], [1, 0, 1]]
        later = {"a": [1.0, 2.0], "empty": [3.0, None]}
        assert encoder.transform(make(later))[0].tolist() == [[-1, 0, 0], [1, 0, 1]]

    @every_container
    def test_missing_booleans(self, make):
        X = TableEncoder().fit_transform(make({"p": [True, None, False]}))[0]
        assert X.tolist() == [[1, 0], [0, 1], [0, 0]]

    def test_texts_where_numbers_were(self):
        encoder = TableEncoder().fit(pd.DataFrame({"n": [1, 2]}))
        with pytest.raises(DataError, match="'n' must hold numbers, as in training. Got a colum"):
            encoder.transform(pd.DataFrame({"n": ["1", "2"]}))


class TestStandardisation:
    def test_as_scikit_learn_does(self):
        rng = np.random.default_rng(0)
        train = rng.lognormal(sigma=2, size=(300, 5)) * [1, 1e-6, 1e6, 1, 1] + [0, 0, 1e9, -3, 5]
        test = rng.lognormal(sigma=2, size=(40, 5)) * [1, 1e-6, 1e6, 1, 1] + [0, 0, 1e9, -3, 5]
        found = TableEncoder().fit(train).transform(test)[0]
        expected = StandardScaler().fit(train).transform(test)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)

    def test_blocks_make_no_difference(self, monkeypatch):
        rng = np.random.default_rng(0)
        train = rng.normal(size=(101, 3))
        train[rng.random(train.shape) < 0.1] = NAN
        whole = TableEncoder().fit_transform(train)[0]
        monkeypatch.setattr(_table_encoder, "_CELLS", 21)
        np.testing.assert_allclose(TableEncoder().fit_transform(train)[0], whole, atol=1e-6)

    @pytest.mark.parametrize("value", [0.1, -3.7, 1e9 + 0.3, 0.0, 1e-310])
    def test_constant_columns_are_zero(self, value):
        encoder = TableEncoder().fit(np.full((777, 1), value))
        assert (encoder.transform(np.full((3, 1), value))[0] == 0).all()
        assert (encoder.transform(np.array([[value + 1]]))[0] == 0).all()

    def test_differences_too_small_to_be_measured_are_none(self):
        assert (TableEncoder().fit_transform(np.array([[0.0], [1e-310]]))[0] == 0).all()

    def test_a_constant_column_with_missing_values(self):
        X = TableEncoder().fit_transform(np.array([[5.0], [NAN]]))[0]
        assert X.tolist() == [[0, 0], [0, 1]]

    def test_small_differences_of_large_numbers_are_kept(self):
        X = TableEncoder().fit_transform(np.array([[1e9], [1e9 + 1]]))[0]
        assert X.tolist() == [[-1], [1]]

    def test_it_can_be_left_out(self):
        train = np.array([[2.0, 5.0], [4.0, NAN], [9.0, 5.0]])
        X = TableEncoder(standardize=False).fit_transform(train)[0]
        assert X.tolist() == [[2, 5, 0], [4, 0, 1], [9, 5, 0]]

    def test_booleans_stay_as_they_are(self):
        flags = np.array([[True, True], [False, True]])
        assert TableEncoder().fit_transform(flags)[0].tolist() == [[1, 1], [0, 1]]
        frame = pd.DataFrame(flags, columns=["a", "b"])
        assert TableEncoder().fit_transform(frame)[0].tolist() == [[1, 1], [0, 1]]

    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u2", "i8", "O"])
    def test_types_of_arrays(self, dtype):
        train = np.array([[1, 2], [3, 2], [5, 8]])
        expected = TableEncoder().fit_transform(train)[0]
        found = TableEncoder().fit_transform(train.astype(dtype))[0]
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_orders_of_memory_and_lists(self):
        train = np.random.default_rng(0).normal(size=(50, 3))
        expected = TableEncoder().fit_transform(train)[0]
        for other in (np.asfortranarray(train), train.tolist(), np.repeat(train, 2, 0)[::2]):
            assert np.array_equal(TableEncoder().fit_transform(other)[0], expected)


class TestRefusals:
    @pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, pl.DataFrame])
    @pytest.mark.parametrize("bad", [np.inf, -np.inf])
    def test_infinite_numbers(self, make, bad):
        good, table = make(np.array([[1.0, 2.0], [3.0, 4.0]])), np.array([[1.0, 2.0], [3.0, bad]])
        with pytest.raises(DataError, match="finite or missing. Got infinite .inf. values in '"):
            TableEncoder().fit(make(table))
        with pytest.raises(DataError, match="infinite"):
            TableEncoder().fit(good).transform(make(table))

    def test_numbers_beyond_float32(self):
        rule = "Net: numbers must not be too large for float32. Got them in 'x1'. Take logarithms"
        with pytest.raises(DataError, match=rule):
            TableEncoder(who="Net").fit(np.array([[1.0, 1e200], [2.0, -1e200]]))
        encoder = TableEncoder(who="Net").fit(np.array([[1.0, 1.0], [2.0, 2.0]]))
        with pytest.raises(DataError, match=rule):
            encoder.transform(np.array([[1.0, 1e39]]))
        raw = TableEncoder(who="Net", standardize=False)
        with pytest.raises(DataError, match=rule):
            raw.fit_transform(np.array([[1.0, 1e39], [2.0, 1.0]]))

    @pytest.mark.parametrize(
        ("values", "advice"),
        [
            (pd.to_datetime(["2020-01-01", "2021-01-01"]), "Turn dates into numbers"),
            ([datetime.date(2020, 1, 1)] * 2, "Spread the column"),
            (pd.to_timedelta([1, 2], "D"), "Turn durations into numbers"),
            ([[1, 2], [3]], "Spread the column"),
            ([{"a": 1}, {}], "Spread the column"),
            (["a", 1], "Convert the column to one type"),
            ([1j, 2j], "Spread the column"),
        ],
    )
    def test_other_columns_of_pandas(self, values, advice):
        frame = pd.DataFrame({"a": [1, 2], "when": pd.Series(values)})
        rule = "Net: a column must hold numbers, texts, booleans or categories, of one type"
        with pytest.raises(DataError, match=f"{rule}. Got 'when' .*{advice}"):
            TableEncoder(who="Net").fit(frame)

    @pytest.mark.parametrize(
        "values", [[datetime.date(2020, 1, 1)], [datetime.timedelta(1)], [[1, 2]], [{"a": 1}]]
    )
    def test_other_columns_of_polars(self, values):
        with pytest.raises(DataError, match="Got 'when' "):
            TableEncoder().fit(pl.DataFrame({"when": values}))

    def test_sparse_matrices(self):
        with pytest.raises(DataError, match="no sparse matrix.*toarray"):
            TableEncoder().fit(sparse.csr_matrix(np.eye(2)))

    @pytest.mark.parametrize("shape", [(0, 2), (2, 0)])
    def test_empty_tables(self, shape):
        with pytest.raises(DataError, match="a row and a column at least"):
            TableEncoder().fit(np.empty(shape))

    def test_another_number_of_columns(self):
        with pytest.raises(DataError, match="must have 2 columns, as in training. Got 3"):
            TableEncoder().fit(np.eye(2)).transform(np.eye(3))


def test_rows_are_encoded_one_by_one():
    frame = pandas_table()
    encoder = TableEncoder().fit(frame)
    X, codes = encoder.transform(frame)
    for i in range(len(frame)):
        one, own = encoder.transform(frame.iloc[[i]])
        assert np.array_equal(one, X[[i]])
        assert np.array_equal(own, codes[[i]])
    nothing, none = encoder.transform(frame.iloc[:0])
    assert nothing.shape == (0, 4)
    assert none.shape == (0, 2)


def test_pickled_it_is_the_same():
    encoder = TableEncoder().fit(pandas_table())
    other = pickle.loads(pickle.dumps(encoder))
    for one, two in zip(
        encoder.transform(polars_table()), other.transform(polars_table()), strict=True
    ):
        assert np.array_equal(one, two)


def test_fitted_again_it_forgets():
    encoder = TableEncoder().fit(pandas_table())
    fresh = TableEncoder().fit(np.eye(3))
    assert vars(encoder.fit(np.eye(3))).keys() == vars(fresh).keys()
    assert np.array_equal(encoder.transform(np.eye(3))[0], fresh.transform(np.eye(3))[0])
    assert encoder.cardinalities_ == ()
