import numpy as np
import pandas as pd
import polars as pl
import pytest

from imbkit.exceptions import DataError, InvalidParameterError, OrderWarning
from imbkit.ordinal._classes import class_factors, ordered_target, row_weights

STAGES = ["no", "cart", "buy"]
Y = ["no", "buy", "no", "cart", "no"]
CODES = [0, 2, 0, 1, 0]


def of(y, categories=None, weight=None):
    classes, codes = ordered_target(y, categories, "Who", weight)
    return classes.tolist(), codes.tolist()


ORDERED = {
    "series": pd.Series(pd.Categorical(Y, categories=STAGES, ordered=True)),
    "categorical": pd.Categorical(Y, categories=STAGES, ordered=True),
    "index": pd.CategoricalIndex(Y, categories=STAGES, ordered=True),
    "frame": pd.DataFrame({"y": pd.Categorical(Y, categories=STAGES, ordered=True)}),
    "enum": pl.Series(Y, dtype=pl.Enum(STAGES)),
    "polars frame": pl.DataFrame({"y": pl.Series(Y, dtype=pl.Enum(STAGES))}),
}
PLAIN = {
    "list": Y,
    "array": np.array(Y),
    "objects": np.array(Y, dtype=object),
    "series": pd.Series(Y),
    "python strings": pd.Series(Y, dtype=object),
    "unordered": pd.Series(Y, dtype="category"),
    "polars": pl.Series(Y),
    "polars categorical": pl.Series(Y, dtype=pl.Categorical),
}


@pytest.mark.parametrize("kind", ORDERED)
def test_an_ordered_column_has_its_own_order(kind):
    assert of(ORDERED[kind]) == (STAGES, CODES)
    assert of(ORDERED[kind], STAGES) == (STAGES, CODES)


@pytest.mark.parametrize("kind", PLAIN)
def test_text_is_sorted_with_a_warning_or_takes_the_given_order(kind):
    assert of(PLAIN[kind], STAGES) == (STAGES, CODES)
    assert of(PLAIN[kind], np.array(STAGES)) == (STAGES, CODES)
    with pytest.warns(OrderWarning, match="'buy', 'cart', 'no', with 'no' as the last") as found:
        assert of(PLAIN[kind]) == (["buy", "cart", "no"], [2, 0, 2, 1, 2])
    assert len(found) == 1


@pytest.mark.parametrize(
    "y",
    [
        [3, 1, 2, 1],
        [3.0, 1.0, 2.0, 1.0],
        pd.Series([3, 1, 2, 1], dtype="Int8"),
        pd.Series([3, 1, 2, 1], dtype="category"),
        np.array([3, 1, 2, 1], dtype=object),
    ],
)
def test_numbers_are_sorted_or_take_the_given_order(y):
    assert of(y) == ([1, 2, 3], [2, 0, 1, 0])
    assert of(y, [2, 3, 1]) == ([2, 3, 1], [1, 2, 0, 2])
    assert ordered_target(y, None, "Who")[0].dtype.kind in "iuf"


def test_labels_keep_their_dtype():
    for dtype in (np.int8, np.uint16, np.float32, bool, "U3", object):
        y = np.array([0, 1, 1]).astype(dtype)
        classes, _ = ordered_target(y, np.unique(y).tolist()[::-1], "Who")
        assert classes.dtype == (np.dtype(int) if dtype is object else y.dtype)


def test_truth_values_and_whole_floats():
    assert of([True, False, True]) == ([False, True], [1, 0, 1])
    assert of(pd.Series([True, False], dtype="boolean"), [1, 0]) == ([True, False], [0, 1])


def test_a_column_may_have_numbers_in_an_order_of_their_own():
    y = pd.Series(pd.Categorical([3, 1, 2], categories=[2, 3, 1], ordered=True))
    assert of(y) == ([2, 3, 1], [1, 2, 0])


def test_categories_may_leave_out_an_unused_category():
    y = pd.Categorical(["a", "c"], categories=["a", "b", "c"], ordered=True)
    assert of(y, ["a", "c"]) == (["a", "c"], [0, 1])


def test_rows_without_weight_do_not_count():
    weight = np.array([1.0, 1.0, 0.0, 2.0, 0.0])
    assert of(Y, STAGES, weight) == (STAGES, CODES)
    weight[1] = 0
    with pytest.raises(DataError, match="weight 0 only for class 'buy'. Leave its rows out"):
        of(Y, STAGES, weight)
    with pytest.raises(DataError, match="weight 0 only for class 2"):
        of([0, 2, 0, 1, 0], None, weight)


EMPTY = pd.Categorical(Y, categories=["no", "look", "cart", "ship", "buy"], ordered=True)


@pytest.mark.parametrize(
    ("y", "categories", "words"),
    [
        (None, None, "requires y to be passed, but the target y is None"),
        (Y, ["no", "buy"], "every label of y. Got 'cart' in y beside categories 'no', 'buy'"),
        ([1, 2, 3], ["1", "2", "3"], "every label of y. Got 1, 2, 3 in y beside"),
        (Y, ["no", "look", "cart", "buy"], "no row of class 'look'. Leave it out of categories"),
        (EMPTY, None, "no row of class 'look', 'ship'. Remove the unused categories of y"),
        (ORDERED["enum"], ["no", "buy", "cart"], "the order of the categories of y. Got 'no', 'bu"),
        (ORDERED["enum"], ["no", "buy"], "every label of y. Got 'cart'"),
        ([1, 1, 1], None, "two classes or more. Got one class only, 1"),
        (["a", "a"], ["a"], "two classes or more. Got one class only, 'a'"),
        (["a", "a"], None, "two classes or more. Got one class only, 'a'"),
        ([0.5, 1.7, 2.0], None, "Unknown label type.*Got a continuous target"),
        ([1.0, np.nan], None, "missing, NaN or infinite. Got 1 such labels in 2"),
        ([1.0, np.inf], None, "missing, NaN or infinite"),
        (["a", None, "b"], None, "missing, NaN or infinite"),
        (pd.Series([1, None, 2], dtype="Int64"), None, "missing, NaN or infinite"),
        (pd.Series(["a", None], dtype="category"), None, "missing, NaN or infinite"),
        ([1, "a"], None, None),
        (np.array([1, "a"], dtype=object), None, "one kind. Got labels of type int, str"),
        ([[1, 2], [2, 1]], None, "1d array"),
    ],
)
def test_bad_labels(y, categories, words):
    if words is None:  # numpy makes them text
        with pytest.warns(OrderWarning):
            assert of(y) == (["1", "a"], [0, 1])
        return
    with pytest.raises(ValueError, match=words):
        of(y, categories)


@pytest.mark.parametrize(
    ("categories", "words"),
    [
        (["a", "b", "a", "b", "a"], "name every class once. Got 'a', 'b' more than once"),
        ([1, 1.0], "name every class once. Got 1.0 more than once"),
        ([], "must list the classes from the first stage to the last"),
        (["a", None], "must list the classes"),
        ([1.0, np.nan], "must list the classes"),
        ([["a", "b"]], "must list the classes"),
        ([["a"], ["b", "c"]], "must list the classes"),
        ("abc", "must list the classes"),
    ],
)
def test_bad_categories(categories, words):
    with pytest.raises(InvalidParameterError, match=words):
        of(["a", "b"], categories)


def test_factors_of_classes():
    classes, mass = np.array(["a", "b"]), np.array([3.0, 1.0])
    assert class_factors(None, classes, mass, "Who").tolist() == [1, 1]
    np.testing.assert_allclose(class_factors("balanced", classes, mass, "Who") * mass, [2, 2])
    assert class_factors({"b": 5}, classes, mass, "Who").tolist() == [1, 5]
    with pytest.raises(DataError, match="classes of the target only: 'a', 'b'. Got 'c'"):
        class_factors({"c": 5}, classes, mass, "Who")
    for bad in (0, -1, np.nan, np.inf, "1"):
        with pytest.raises(InvalidParameterError, match="finite number above 0 for every class"):
            class_factors({"b": bad}, classes, mass, "Who")


def test_factors_that_leave_a_class_next_to_nothing():
    classes, mass = np.array(["a", "b"]), np.array([3.0, 1.0])
    for bad in ({"a": 1e300}, {"b": 1e-300}, {"a": 1e20, "b": 1e3}):
        with pytest.raises(InvalidParameterError, match="Who: class_weight .* for class 'b'"):
            class_factors(bad, classes, mass, "Who")
    for size in (1e308, 1e-308):
        factors = class_factors({"a": size, "b": 0.5 * size}, classes, mass, "Who")
        np.testing.assert_allclose(factors, [1, 0.5])


def test_weights_whose_sum_overflows():
    assert row_weights(None, 3, "Who") is None
    given = np.array([1.0, 0.5, 0.0])
    np.testing.assert_array_equal(row_weights(given, 3, "Who"), given)
    np.testing.assert_allclose(row_weights(given * 1e308, 3, "Who"), given)
    with pytest.raises(DataError, match="Who: sample_weight must hold a number.*'a'"):
        row_weights(["a", "b", "c"], 3, "Who")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.array([b"a", b"b"]), "Got bytes. Decode them"),
        (pd.cut([1.0, 5.0], 2), r"labels of type Interval. .*pandas.cut\(..., labels=False\)"),
        (np.array([0.0, 1e300, 2e300]), "a continuous target"),
    ],
)
def test_labels_of_an_odd_kind_come_with_what_to_do(y, words):
    with pytest.raises(DataError, match=f"Who: Unknown label type: .*{words}"):
        of(y)


def test_labels_that_something_has_numbered():
    with pytest.raises(DataError, match="cross_val_predict has numbered text labels"):
        of([0, 1, 2], STAGES)
    with pytest.raises(DataError) as found:
        of([0, 1], STAGES)
    assert "cross_val_predict" not in str(found.value)
