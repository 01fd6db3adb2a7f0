"""The data card: counts that a reader can check by hand."""

import numpy as np
import pytest

from imbkit.bench import compare

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
    notes = {name for name, column in columns.items() if column["note"]}
    assert notes == {"customer", "same", "empty"}
    assert card["features"] == 5
    assert any("'same', 'empty'" in text and "not used" in text for text in card["warnings"])
    assert any("identifiers: 'customer'" in text for text in card["warnings"])


@pytest.mark.parametrize(("levels", "noted"), [(30, False), (31, True)])
def test_more_levels_than_half_the_rows_look_like_an_identifier(levels, noted):
    X, y = frame()
    X["t"] = [f"v{min(i, levels - 1)}" for i in range(60)]
    column = next(c for c in card_of(X, y)["columns"] if c["name"] == "t")
    assert column["levels"] == levels
    assert bool(column["note"]) == noted
