"""Companions of the rows: every policy in every container."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imbkit._core.companions import carry, check_companions, policy_of
from imbkit._core.plan import Plan
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

GROWN = Plan.grown(4, [0, 1, 2, 3], [1, 2, 3, 3], [0.25, 0.5, np.nan, 0.0])
MIXED = GROWN.take([7, 1, 5, 0, 4, 6, 1])  # new rows and copies in any order
FLOATS = [1.0, 2.0, 4.0, 8.0]


def run(values, policy=None, plan=GROWN, renumber=True):
    return carry(values, plan, policy, name="amount", who="Some", renumber=renumber)


def plain(values):
    """Values as Python has them, None for whatever is missing."""
    values = values.to_list() if hasattr(values, "to_list") else np.asarray(values).tolist()
    return [None if value is pd.NA or value != value else value for value in values]


CONTAINERS = {
    "array": np.array,
    "list": list,
    "series": pd.Series,
    "nullable": lambda values: pd.Series(values, dtype="Float64"),
    "arrow": lambda values: pd.Series(values, dtype="double[pyarrow]"),
    "polars": pl.Series,
    "frame": lambda values: pd.DataFrame({"a": values}),
}


@pytest.mark.parametrize("container", list(CONTAINERS))
@pytest.mark.parametrize(
    ("policy", "new"),
    [
        (None, [1.25, 3.0, 4.0, 8.0]),
        ("interpolate", [1.25, 3.0, 4.0, 8.0]),
        ("base", [1.0, 2.0, 4.0, 8.0]),
        ("mean", [1.5, 3.0, 6.0, 8.0]),
        (2.5, [2.5] * 4),
        (lambda base, mate, step: base + 10 * mate, [21.0, 42.0, 84.0, 88.0]),
    ],
)
def test_new_rows_have_what_the_policy_says(container, policy, new):
    values = CONTAINERS[container](FLOATS)
    found = run(values, policy)
    assert type(found) is type(values)
    if container == "frame":
        assert found["a"].dtype == values["a"].dtype
        found = found["a"]
    elif container != "list":
        assert found.dtype == values.dtype
    assert plain(found) == FLOATS + new
    # Any part of the plan gives that part of the values.
    part = run(values, policy, MIXED)
    part = part["a"] if container == "frame" else part
    assert plain(part) == [(FLOATS + new)[row] for row in (7, 1, 5, 0, 4, 6, 1)]


WHOLE = {
    "array": np.array([1, 2, 4, 8], dtype=np.int16),
    "unsigned": np.array([1, 2, 4, 8], dtype=np.uint8),
    "list": [1, 2, 4, 8],
    "series": pd.Series([1, 2, 4, 8]),
    "nullable": pd.Series([1, 2, 4, 8], dtype="Int64"),
    "polars": pl.Series([1, 2, 4, 8], dtype=pl.UInt8),
}


@pytest.mark.parametrize("container", list(WHOLE))
def test_whole_numbers_are_copied_unless_asked_otherwise(container):
    values = WHOLE[container]
    for policy in (None, "base"):
        found = run(values, policy)
        assert plain(found) == [1, 2, 4, 8, 1, 2, 4, 8]
        assert getattr(found, "dtype", None) == getattr(values, "dtype", None)
    assert plain(run(values, "interpolate")) == [1, 2, 4, 8, 1.25, 3, 4, 8]
    assert plain(run(values, "mean")) == [1, 2, 4, 8, 1.5, 3, 6, 8]
    assert plain(run(values, 2.5)) == [1, 2, 4, 8, *[2.5] * 4]
    found = run(values, 3)
    assert plain(found) == [1, 2, 4, 8, *[3] * 4]
    assert getattr(found, "dtype", None) == getattr(values, "dtype", None)


def test_narrow_integers_are_not_wrapped_around():
    values = np.array([250, 251, 255, 1], dtype=np.uint8)
    assert run(values, "mean")[4:].tolist() == [250.5, 253.0, 128.0, 1.0]
    assert run(values, "interpolate")[4:].tolist() == [250.25, 253.0, 255.0, 1.0]
    assert run(values, 300)[-5:].tolist() == [1, 300, 300, 300, 300]


def test_float32_stays():
    for values in (np.array(FLOATS, np.float32), pd.Series(FLOATS, dtype="Float32")):
        for policy in (None, "mean", 2, lambda base, mate, step: base.astype(float)):
            assert run(values, policy).dtype == values.dtype


OTHERS = {
    "text": np.array(["a", "b", "a", "c"]),
    "objects": np.array(["a", 1, None, 2.5], dtype=object),
    "truth": np.array([True, False, True, True]),
    "times": np.array(["2024-01-01", "2024-01-02", "NaT", "2024-02-01"], dtype="M8[s]"),
    "tuple": ("a", "b", "a", "c"),
    "pandas text": pd.Series(["a", "b", None, "c"], dtype="string"),
    "category": pd.Series(["a", "b", "a", "c"], dtype="category"),
    "zones": pd.Series(pd.date_range("2024", periods=4, tz="Europe/Vienna")),
    "polars enum": pl.Series(["a", "b", "a", "c"], dtype=pl.Enum(["c", "b", "a"])),
    "polars lists": pl.Series([[1], [2, 3], [], [4]]),
    "nullable groups": pd.Series([7, None, 9, 7], dtype="Int64"),
    "polars groups": pl.Series([7, None, 9, 7]),
    "nullable truth": pd.Series([True, None, False, True], dtype="boolean"),
    "frame": pd.DataFrame({"shop": ["a", "b", "a", "c"], "till": [1, 2, 3, 4]}),
}


@pytest.mark.parametrize("name", list(OTHERS))
def test_anything_but_floats_comes_from_the_base_row(name):
    values = OTHERS[name]
    found = run(values)
    assert type(found) is (list if name == "tuple" else type(values))
    if name == "frame":
        pd.testing.assert_frame_equal(found, values.iloc[GROWN.base].reset_index(drop=True))
        return
    if name != "tuple":
        assert found.dtype == values.dtype
    shown = [str(value) for value in found]
    assert shown == [str(values[row]) for row in GROWN.base.tolist()]


@pytest.mark.parametrize("policy", ["interpolate", "mean", 2.5])
@pytest.mark.parametrize("name", ["text", "objects", "truth", "times", "category", "polars lists"])
def test_nothing_is_computed_with_what_is_no_number(name, policy):
    with pytest.raises(DataError, match=r"Some: companion amount must hold numbers to be .*base"):
        run(OTHERS[name], policy)


def test_truth_values_may_be_set():
    for values in (OTHERS["truth"], OTHERS["nullable truth"], pl.Series([True, False, None, True])):
        found = run(values, 0)
        assert found.dtype == values.dtype
        assert plain(found)[4:] == [False] * 4
        assert plain(found)[:4] == plain(values)
    with pytest.raises(DataError, match="to be set to 2"):
        run(OTHERS["truth"], 2)


def test_a_missing_value_stays_missing_and_others_stay_themselves():
    for values in (
        np.array([1.5, np.nan, 3.0, 4.0]),
        pd.Series([1.5, None, 3.0, 4.0], dtype="Float64"),
        pl.Series([1.5, None, 3.0, 4.0]),
        pd.Series([1.5, None, 3.0, 4.0], dtype="double[pyarrow]"),
    ):
        found = run(values)
        assert plain(found) == [1.5, None, 3.0, 4.0, None, None, 3.0, 4.0]
        if isinstance(values, pl.Series):
            # Not a number is another thing than missing.
            assert found.null_count() == 3
    # A row on no segment has its base's value, whatever its mate's is.
    assert run(np.array([1, 2, 3, np.nan]))[6] == 3


def test_a_callable_sees_both_parents_and_the_step():
    seen = []

    def policy(base, mate, step):
        seen.append((base.tolist(), mate.tolist(), step.tolist()[:2]))
        return np.array(["much longer than before"] * 4)

    found = run(np.array(["a", "b", "c", "d"]), policy)
    assert found[3:5].tolist() == ["d", "much longer than before"]
    assert seen == [(["a", "b", "c", "d"], ["b", "c", "d", "d"], [0.25, 0.5])]
    assert run(["a", "b", "c", "d"], policy)[-1] == "much longer than before"
    assert run(pl.Series(["a", "b", "c", "d"]), policy)[-1] == "much longer than before"


def test_companions_of_two_dimensions():
    values = np.arange(8.0).reshape(4, 2)
    assert run(values)[4:].tolist() == [[0.5, 1.5], [3, 4], [4, 5], [6, 7]]
    assert run(values, "mean")[4:].tolist() == [[1, 2], [3, 4], [5, 6], [6, 7]]
    assert run(values, 7)[3:5].tolist() == [[6, 7], [7, 7]]
    assert run(values.tolist())[4] == [0.5, 1.5]
    with pytest.raises(DataError, match=r"one value for each new row.*\(4,\) instead of \(4, 2\)"):
        run(values, lambda base, mate, step: step)


def test_a_frame_is_treated_column_by_column():
    frame = pd.DataFrame({"amount": FLOATS, "shop": ["a", "b", "a", "c"], "till": [1, 2, 3, 4]})
    for make in (lambda f: f, lambda f: pl.DataFrame(f.to_dict("list"))):
        found = run(make(frame))
        assert type(found) is type(make(frame))
        assert list(found.columns) == list(frame.columns)
        assert plain(found["amount"]) == [*FLOATS, 1.25, 3.0, 4.0, 8.0]
        assert plain(found["shop"]) == [*"abac", *"abac"]
        assert plain(found["till"]) == [1, 2, 3, 4, 1, 2, 3, 4]
    with pytest.raises(DataError, match=r"companion amount\['shop'\] must hold numbers"):
        run(frame, "mean")


def test_the_index_of_pandas_is_numbered_or_kept():
    values = pd.Series(FLOATS, index=list("wxyz"), name="paid")
    assert run(values).index.tolist() == list(range(8))
    kept = run(values, renumber=False)
    assert kept.index.tolist() == list("wxyzwxyz")
    assert kept.name == "paid"
    assert plain(kept) == [*FLOATS, 1.25, 3.0, 4.0, 8.0]


def test_copies_alone_are_not_looked_at():
    plan = Plan.copies([3, 0])
    for policy in (None, "mean", 2.5, lambda *_: 1 / 0):
        assert run(np.array(["a", "b", "c", "d"]), policy, plan).tolist() == ["d", "a"]


@given(
    hnp.arrays(np.float64, 6, elements=st.floats(-1e6, 1e6)),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0, 1)), max_size=9),
)
def test_an_interpolated_value_lies_between_those_of_the_parents(values, rows):
    base, mate, step = (list(each) for each in zip(*rows, strict=True)) if rows else ([], [], [])
    found = run(values, plan=Plan.grown(6, base, mate, step))
    np.testing.assert_array_equal(found[:6], values)
    low, high = np.minimum(values[base], values[mate]), np.maximum(values[base], values[mate])
    slack = 1e-9 * (1 + np.abs(values).max())
    assert np.all((found[6:] >= low - slack) & (found[6:] <= high + slack))


@pytest.mark.parametrize(
    "answer", [np.zeros(3), np.zeros((4, 1)), 5.0, ["a"] * 4, [None] * 4, np.zeros(4, "M8[s]")]
)
def test_what_a_callable_returns_is_checked(answer):
    with pytest.raises(DataError, match="the policy of companion amount must return"):
        run(np.array(FLOATS), lambda *_: answer)
    with pytest.raises(DataError, match="the policy of companion amount must return"):
        run(np.array([True, False, True, False]), lambda *_: np.full(4, 0.5))


def test_companions_that_were_not_given_are_left_out():
    given_ = {"groups": None, "amount": [1, 2], "pairs": np.zeros((2, 3)), "text": pd.Series("ab")}
    with pytest.raises(DataError, match=r"Some: text must have .* 2 rows. Got 1 values"):
        check_companions(given_, 2, "Some")
    del given_["text"]
    assert list(check_companions(given_, 2, "Some")) == ["amount", "pairs"]


@pytest.mark.parametrize("values", [0.5, "word", np.array(3.0), [1, 2, 3], np.zeros((3, 2))])
def test_a_companion_of_another_length_is_refused(values):
    with pytest.raises(DataError, match="amount must have one value for each of the 2 rows"):
        check_companions({"amount": values}, 2, "Some")


def test_ragged_lists_are_refused():
    with pytest.raises(DataError, match=r"Some: words must have .* Got lists of different lengths"):
        check_companions({"words": [["a"], ["b", "c"]]}, 2, "Some")


def test_policies_are_for_all_or_for_each_by_name():
    for policy in (None, "interpolate", "base", "mean", 0, 2.5, np.float32(1), len):
        assert policy_of(policy, "amount", "Some") is policy
        assert policy_of({"amount": policy}, "amount", "Some") is policy
        assert policy_of({"amount": policy}, "weight", "Some") is None


def test_groups_are_names_unless_a_mapping_says_otherwise():
    for policies in (None, "interpolate", "mean", 2.5, len, {"amount": "mean"}, {"groups": None}):
        assert policy_of(policies, "groups", "Some") == "base"
    assert policy_of({"groups": "mean"}, "groups", "Some") == "mean"


@pytest.mark.parametrize("policy", ["average", True, ["base"], np.array([1.0, 2.0]), b"base"])
def test_other_policies_are_refused(policy):
    with pytest.raises(InvalidParameterError, match="policy of companion amount must be 'interp"):
        policy_of({"amount": policy}, "amount", "Some")


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0, -1.0, 2.0], "Got 1 missing, infinite or negative weights"),
        ([1.0, np.nan, np.inf], "Got 2 missing, infinite or negative weights"),
        (["a", "b", "c"], "must hold finite numbers"),
    ],
)
def test_weights_are_numbers_that_a_learner_can_use(weights, words):
    with pytest.raises(DataError, match=words):
        check_companions({"sample_weight": weights}, 3, "SMOTE")


@pytest.mark.parametrize(
    ("name", "meant"), [("sample_weigth", "sample_weight"), ("group", "groups")]
)
def test_a_misspelt_name_is_asked_about(name, meant):
    with pytest.warns(ImbkitWarning, match=f"Did you mean {meant}"):
        check_companions({name: [1, 2]}, 2, "SMOTE")


def test_other_names_are_taken_silently():
    given = {"amount": [1, 2], "weight": [1, 2], "sample_weight": [1, 0], "groups": ["a", "b"]}
    assert check_companions(given, 2, "SMOTE") == given
