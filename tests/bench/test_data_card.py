"""The data card: counts that a reader can check by hand."""

import numpy as np
import pytest

from imbkit.bench import compare
from imbkit.bench._columns import duplicate_groups, read_columns
from imbkit.bench._data_card import describe_table
from imbkit.bench._target import read_target
from imbkit.splits._times import read_times

pd = pytest.importorskip("pandas")


def card_of(X, y, **options):
    options = {"strategies": [], "learners": [], "cv": (3, 1)} | options
    return compare(X, y, **options).summary["data"]


def frame(n_rows=60):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=n_rows), "b": rng.normal(size=n_rows)})
    return X, np.where(np.arange(n_rows) % 4 == 0, "bad", "good")


def test_rows_classes_and_folds():
    X, y = frame()
    card = card_of(X, y)
    assert (card["rows"], card["features"], card["missing"]) == (60, 2, 0)
    assert (card["duplicate_rows"], card["contradicting_rows"], card["warnings"]) == (0, 0, [])
    good, bad = card["classes"]
    assert (good["label"], good["rows"], good["positive"]) == ("good", 45, False)
    assert (bad["label"], bad["rows"], bad["share"], bad["positive"]) == ("bad", 15, 0.25, True)
    assert (good["fewest_in_test_fold"], bad["fewest_in_test_fold"]) == (15, 5)


def test_many_classes_have_no_positive_one():
    X, _ = frame()
    card = card_of(X, np.arange(60) % 3)
    assert [c["label"] for c in card["classes"]] == ["0", "1", "2"]
    assert not any(c["positive"] for c in card["classes"])


def test_duplicates_and_contradictions():
    X, y = frame()
    # Rows 0, 1 and 2 become equal ("bad", "good", "good"), and 5 and 6 (both "good").
    X.iloc[[1, 2]] = X.iloc[0]
    X.iloc[6] = X.iloc[5]
    card = card_of(X, y)
    assert (card["duplicate_rows"], card["contradicting_rows"]) == (3, 3)
    repeats, contradicts = card["warnings"]
    assert repeats.startswith("3 rows repeat the features of an earlier row")
    assert contradicts.startswith("3 rows share their features with a row of another class")


def test_duplicates_as_pandas_counts_them():
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.integers(0, 4, (150, 3)), columns=list("abc")).astype({"c": str})
    X.loc[rng.random(150) < 0.2, "a"] = np.nan
    y = rng.integers(0, 2, 150)
    card = card_of(X, y)
    assert card["duplicate_rows"] == X.duplicated().sum() > 0
    labels = pd.Series(y).groupby([X[name].fillna(-1) for name in X]).transform("nunique")
    assert card["contradicting_rows"] == (labels > 1).sum() > 0


def test_missing_values():
    X, y = frame()
    X.loc[:14, "a"] = np.nan
    card = card_of(X, y)
    assert card["missing"] == pytest.approx(15 / 120)
    assert [column["missing"] for column in card["columns"]] == [0.25, 0]


def test_columns_and_their_notes():
    X, y = frame()
    X["same"], X["empty"] = 1, np.nan
    X["customer"] = [f"c{i // 1.5:.0f}" for i in range(60)]
    X["city"] = np.where(X["a"] > 0, "Oslo", "Bergen")
    X["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(60), "D")
    card = card_of(X, y)
    columns = {column["name"]: column for column in card["columns"]}
    assert {name: c["kind"] for name, c in columns.items()} == {
        "a": "number",
        "b": "number",
        "customer": "category",
        "city": "category",
        "when": "date",
        "same": "number",
        "empty": "number",
    }
    assert columns["city"]["levels"] == 2
    assert columns["customer"]["note"].startswith("looks like an identifier")
    assert columns["when"]["note"] == "runs with the position of the rows"
    notes = {name for name, column in columns.items() if column["note"]}
    assert notes == {"customer", "when", "same", "empty"}
    assert card["features"] == 5
    assert any("'same', 'empty'" in text and "not used" in text for text in card["warnings"])
    found = {leak["column"]: leak for leak in card["leaks"]}
    assert {name: leak["kind"] for name, leak in found.items()} == {
        "customer": "identifier",
        "when": "order",
    }
    assert all(leak["text"] in card["warnings"] for leak in found.values())


@pytest.mark.parametrize(("levels", "noted"), [(30, False), (31, True)])
def test_more_levels_than_half_the_rows_look_like_an_identifier(levels, noted):
    X, y = frame()
    X["t"] = [f"v{min(i, levels - 1)}" for i in range(60)]
    column = next(c for c in card_of(X, y)["columns"] if c["name"] == "t")
    assert column["levels"] == levels
    assert bool(column["note"]) == noted


# -- without a comparison ------------------------------------------------------------------------


def describe(X, y, **changes):
    table = read_columns(X)
    options = {
        "name": "table",
        "dropped": [],
        "duplicates": duplicate_groups(table.matrix),
        "near_duplicates": None,
        "leaks": [],
        "times": None,
        "time_name": "",
        "groups": None,
        "group_name": "",
        "test_folds": None,
    }
    return describe_table(table, read_target(y, None, "y"), **(options | changes))


def over(times, y=None):
    """The periods of a table with these times."""
    times = read_times(times, "test")
    n_rows = times.values.size
    X = pd.DataFrame({"a": np.random.default_rng(0).normal(size=n_rows)})
    y = (np.arange(n_rows) % 5 == 0).astype(int) if y is None else y
    return describe(X, y, times=times, time_name="when")


def test_nothing_is_split_and_there_are_no_times_or_groups():
    X, y = frame()
    card = describe(X, y, dropped=["id"])
    assert [each["fewest_in_test_fold"] for each in card["classes"]] == [0, 0]
    assert (card["time_column"], card["time_start"], card["periods"]) == ("", "", [])
    assert (card["group_column"], card["groups"], card["dropped"]) == ("", 0, ["id"])


def test_groups_are_counted():
    X, y = frame()
    card = describe(X, y, groups=np.arange(60) % 7, group_name="customer")
    assert (card["group_column"], card["groups"]) == ("customer", 7)


def test_near_duplicates():
    X, y = frame()
    X.iloc[10] = X.iloc[11]
    card = describe(X, y, near_duplicates=np.arange(60) // 2)
    assert (card["duplicate_rows"], card["near_duplicate_rows"]) == (1, 30)
    assert any(text.startswith("29 more rows repeat an earlier one") for text in card["warnings"])
    assert describe(X, y)["near_duplicate_rows"] == 1


def test_the_classes_of_every_day():
    hours = pd.Timestamp("2024-03-01T05:00") + pd.to_timedelta(np.arange(240), "h")
    y = (np.arange(240) >= 200).astype(int)
    card = over(hours, y)
    assert card["time_start"] == "2024-03-01T05:00:00"
    assert card["time_end"] == "2024-03-11T04:00:00"
    days = pd.Series(y).groupby(hours.floor("D"))
    assert [p["rows"] for p in card["periods"]] == days.size().tolist()
    assert [p["positives"] for p in card["periods"]] == days.sum().tolist()
    assert [p["start"][:10] for p in card["periods"]] == [str(d)[:10] for d in days.size().index]


TIMES = {
    "days": (pd.date_range("2024-01-01", periods=21, freq="D"), 21),
    "years": (pd.date_range("1990-01-01", periods=400, freq="30D"), 17),
    "seconds": (pd.date_range("2024-01-01", periods=90, freq="s"), 9),
    "whole numbers": (np.arange(11), 11),
    "large numbers": (np.arange(500) + 10**9, 10),
    "negative fractions": (np.linspace(-0.3, 0.3, 61), 13),
    "two far apart": (np.repeat([-5.0, 1e6], 10), 2),
    "all equal": (np.full(30, 7), 1),
    "one day": (pd.DatetimeIndex(["2024-01-01"] * 30), 1),
}


@pytest.mark.parametrize(("times", "count"), TIMES.values(), ids=TIMES)
def test_periods_are_few_and_hold_every_row(times, count):
    periods = over(times)["periods"]
    assert len(periods) == count <= 24
    assert sum(p["rows"] for p in periods) == len(times)
    assert sum(p["positives"] for p in periods) == -(-len(times) // 5)
    assert periods[0]["rows"] > 0
    assert periods[-1]["rows"] > 0
    assert all(len(p["start"]) <= 19 for p in periods)


def test_periods_of_many_classes_count_the_rarest():
    y = np.array([0] * 30 + [1] * 20 + [2] * 10)
    periods = over(np.arange(60), y)["periods"]
    assert sum(p["positives"] for p in periods) == 10
    assert periods[-1]["positives"] == periods[-1]["rows"]


def test_values_missing_in_one_class_far_more_than_in_the_other():
    X, y = frame(400)
    rng = np.random.default_rng(0)
    X["c"] = rng.normal(size=400)
    X.loc[rng.random(400) < np.where(y == "bad", 0.7, 0.1), "a"] = np.nan
    X.loc[rng.random(400) < 0.4, "b"] = np.nan
    (text,) = describe(X, y)["warnings"]
    missing = X["a"].isna().groupby(y).mean()
    assert text.startswith(
        f"'a' is missing in {missing['bad']:.0%} of the rows of class 'bad' and in "
        f"{missing['good']:.0%} of the others."
    )
    X.loc[:, "a"] = np.where(y == "good", X["a"], 1.0)  # now the others lack more
    X.loc[(y == "good") & (rng.random(400) < 0.6), "a"] = np.nan
    assert any(text.startswith("'a' is missing in 0% of") for text in describe(X, y)["warnings"])


def test_missing_values_of_a_few_rows_are_luck():
    X, y = frame(40)
    X.loc[y == "bad", "a"] = np.where(np.arange(10) < 6, np.nan, 1.0)
    X.loc[2:9, "a"] = np.nan
    assert describe(X, y)["warnings"] == []


def test_further_leaks_of_a_kind_are_named_in_one_sentence():
    X, y = frame()
    leaks = [
        {"column": f"c{k}", "kind": "perfect", "value": 1.0, "text": f"c{k} leaks."}
        for k in range(6)
    ]
    warnings = describe(X, y, leaks=leaks)["warnings"]
    assert warnings == [
        "c0 leaks.",
        "c1 leaks.",
        "c2 leaks.",
        "The same goes for 'c3', 'c4', 'c5'.",
    ]


def test_the_gravest_leak_of_a_column_is_its_note():
    X, y = frame()
    leaks = [
        {"column": "a", "kind": kind, "value": 1.0, "text": kind} for kind in ("perfect", "order")
    ]
    assert describe(X, y, leaks=leaks)["columns"][0]["note"].startswith("gives the target away")
