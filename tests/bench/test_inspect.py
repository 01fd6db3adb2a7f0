"""Inspecting a table: the card of a comparison, without one; and as text."""

import json

import numpy as np
import pytest

from imbkit.bench import compare
from imbkit.bench._inspect import inspect_table, render_card
from imbkit.exceptions import DataError, InvalidParameterError

pd = pytest.importorskip("pandas")


def payments(n_rows=300):
    rng = np.random.default_rng(0)
    y = (rng.random(n_rows) < 0.2).astype(int)
    X = pd.DataFrame(
        {
            "amount": rng.gamma(2.0, 10.0, n_rows) + 20 * y,
            "hour": np.where(rng.random(n_rows) < 0.1, np.nan, rng.integers(0, 24, n_rows)),
            "city": rng.choice(["Oslo", "Bergen"], n_rows),
            "key": rng.permutation(n_rows),
            "customer": rng.integers(0, 40, n_rows),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n_rows), "h"),
        }
    )
    X.loc[n_rows - 50 :, ["amount", "hour", "city", "customer"]] = X.loc[
        :49, ["amount", "hour", "city", "customer"]
    ].to_numpy()
    return X.infer_objects(), y


def test_the_card_is_that_of_the_comparison():
    X, y = payments()
    card = inspect_table(X, y)
    other = compare(X, y, strategies=[], learners=[], cv=(2, 1)).summary["data"]
    for each in other["classes"]:
        each["fewest_in_test_fold"] = 0
    assert card == other
    assert card["near_duplicate_rows"] == 50
    assert {leak["column"]: leak["kind"] for leak in card["leaks"]} == {
        "key": "identifier",
        "when": "order",
    }


def test_time_and_groups_are_no_features():
    X, y = payments()
    X["row"] = np.arange(300)
    card = inspect_table(X, y, time="when", groups="customer", dropped=["tip"])
    assert (card["time_column"], card["group_column"]) == ("when", "customer")
    assert card["groups"] == X["customer"].nunique()
    assert {c["name"] for c in card["columns"]} == {"amount", "hour", "city", "key", "row"}
    assert sum(p["rows"] for p in card["periods"]) == 300
    assert sum(p["positives"] for p in card["periods"]) == y.sum()
    # The time is known, so nobody needs to be told that a column may be one.
    assert [leak["kind"] for leak in card["leaks"]] == ["identifier", "identifier"]
    assert card["dropped"] == ["tip"]


def test_the_text_says_what_the_card_says():
    X, y = payments()
    card = inspect_table(X, y, time="when", groups="customer", name="payments.csv")
    text = render_card(card, 80)
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        "payments.csv",
        "300, 4 features",
        "50 rows do so but for identifiers and times",
        f"{card['groups']} in customer",
        "2024-01-01T00:00:00 to 2024-01-13T11:00:00 in when",
        "Rows over time (in brackets those of class 1)",
        "'key' looks like an identifier",
    ):
        assert part in " ".join(text.split())
    for each in card["classes"]:
        assert f"{each['rows']:,}" in text
    for period in card["periods"]:
        watched = f"({period['positives']:,})"
        assert f"{period['start']}  {period['rows']:>10,}  {watched:>8}" in text
    assert "  hour  " in text
    json.dumps(card, allow_nan=False)


def test_a_plain_table_has_nothing_odd():
    rng = np.random.default_rng(0)
    text = render_card(inspect_table(rng.normal(size=(80, 3)), np.arange(80) % 4 == 0))
    assert "Nothing odd was found." in text
    assert "Missing values" not in text
    assert "over time" not in text


def test_long_lists_are_cut():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 30))
    X[rng.random(X.shape) < 0.05] = np.nan
    text = render_card(inspect_table(X, np.arange(600) % 30))
    assert "and 20 more columns" in text
    assert "and 10 more classes" in text


def test_what_the_data_say_cannot_disturb_the_terminal():
    X, y = payments()
    X = X.rename(columns={"key": "key\x1b[2J\u202e\n" + "x" * 300})
    y = np.where(y == 1, "bad\x1b]0;\n", "good")
    card = inspect_table(X, y, name="a\x1b[1m.csv")
    card["warnings"].append("raw \x1b[2J")
    text = render_card(card)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_bad_input():
    X, y = payments()
    with pytest.raises(DataError, match="same number of rows. Got 300 and 299"):
        inspect_table(X, y[1:])
    with pytest.raises(InvalidParameterError, match="must occur in the target"):
        inspect_table(X, y, positive="fraud")
    with pytest.raises(DataError, match="Did you mean 'when'"):
        inspect_table(X, y, time="whem")
    with pytest.raises(DataError, match="must hold dates or numbers|ISO 8601"):
        inspect_table(X, y, time="city")
    with pytest.raises(DataError, match="more than one group"):
        inspect_table(X.assign(customer=1), y, groups="customer")
