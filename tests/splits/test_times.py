"""Times of every origin as the same numbers, and delays of every spelling as the same span."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.splits._times import Times, parse_delay, read_times

MOMENTS = [dt.datetime(2024, 1, 31, 13, 45), dt.datetime(1969, 12, 31, 23, 59, 59, 250_000)]
SECONDS = [1_706_708_700.0, -0.75]


def read(values):
    return read_times(values, "Here")


@pytest.mark.parametrize(
    "values",
    [
        MOMENTS,
        np.array(MOMENTS, dtype="datetime64[ms]"),
        np.array(MOMENTS, dtype="datetime64[us]"),
        list(np.array(MOMENTS, dtype="datetime64[us]")),
        pd.Series(MOMENTS),
        pd.Series(MOMENTS, dtype="datetime64[ns]"),
        pd.Series(MOMENTS, dtype=object),
        pd.DatetimeIndex(MOMENTS),
        list(map(pd.Timestamp, MOMENTS)),
        pl.Series("t", MOMENTS),
        [m.isoformat() for m in MOMENTS],
        np.array([m.isoformat() for m in MOMENTS]),
        pd.Series([m.isoformat(" ") for m in MOMENTS], dtype="category"),
        pl.Series([m.isoformat() for m in MOMENTS]),
        ["2024-01-31T15:45:00+02:00", "1969-12-31T23:59:59.250Z"],
        pd.Series(MOMENTS).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
        pd.DatetimeIndex(MOMENTS).tz_localize("UTC").tz_convert("Asia/Tokyo"),
        pl.Series(MOMENTS).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
        [m.replace(tzinfo=dt.UTC) for m in MOMENTS],
    ],
)
def test_dates_of_any_origin_are_the_same_seconds(values):
    times = read(values)
    assert times.is_date
    assert times.values.dtype == np.float64
    assert times.values.tolist() == SECONDS


@pytest.mark.parametrize(
    "values",
    [[date] for date in ("2024-02-29", dt.date(2024, 2, 29), np.datetime64("2024-02-29"))]
    + [pl.Series([dt.date(2024, 2, 29)])],
)
def test_days_without_a_clock(values):
    times = read(values)
    assert times.is_date
    assert times.values.tolist() == [1_709_164_800.0]
    assert times.days().tolist() == [19_782]
    assert times.text(times.values[0]) == "2024-02-29"


@pytest.mark.parametrize(
    "values",
    [
        [3, -1.5],
        np.array([3, -1.5], dtype=np.float32),
        np.array([3, -1.5], dtype=object),
        [Decimal(3), Decimal("-1.5")],
        pd.Series([3, -1.5], dtype="Float64"),
        pl.Series([3.0, -1.5]),
    ],
)
def test_numbers_stay_numbers(values):
    times = read(values)
    assert not times.is_date
    assert times.values.tolist() == [3.0, -1.5]
    assert times.days().tolist() == [3, -2]
    assert [times.text(value) for value in times.values] == ["3", "-1.5"]


@settings(max_examples=50)
@given(st.lists(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)), min_size=1))
def test_texts_lead_back_and_days_are_calendar_days(moments):
    times = read(moments)
    back = [dt.datetime.fromisoformat(times.text(value)) for value in times.values]
    assert back == moments
    epoch = dt.date(1970, 1, 1).toordinal()
    assert times.days().tolist() == [m.toordinal() - epoch for m in moments]


def test_the_clock_is_shown_unless_every_row_is_at_midnight():
    assert Times(np.array([0.0, 86_400.0]), is_date=True).text(86_400.0) == "1970-01-02"
    assert Times(np.array([0.0, 60.0]), is_date=True).text(0.0) == "1970-01-01T00:00:00"
    assert Times(np.array([1e15]), is_date=False).text(1e15) == "1000000000000000"


BAD_TIMES = {
    "missing": ([1.0, None], "known for every row. Got 1 missing of 2"),
    "nan": ([1.0, np.nan], "1 missing of 2"),
    "nat": (np.array(["2024-01-01", "NaT"], dtype="M8[s]"), "1 missing of 2"),
    "null": (pl.Series([dt.date(2024, 1, 1), None]), "1 missing of 2"),
    "infinite": ([1.0, np.inf, -np.inf], "finite. Got 2 infinite of 3"),
    "infinite object": (np.array([1, np.inf], dtype=object), "1 infinite of 2"),
    "text": (["2024-01-01", "31.01.2024"], "ISO 8601.*Got '31.01.2024'.*convert the column"),
    "number as text": (["3", "4"], "ISO 8601.*Got '3'"),
    "text and number": (["2024-01-01", 3], "all of one kind.*'int', 'str'"),
    "date and number": ([dt.date(2024, 1, 1), 3], "all of one kind.*'date', 'int'"),
    "zones": ([MOMENTS[0], MOMENTS[1].replace(tzinfo=dt.UTC)], "time zone in every row or in none"),
    "text zones": (["2024-01-01", "2024-01-01T00:00Z"], "in every row or in none.*to UTC"),
    "truth": ([True, False], "dates or numbers.*bool"),
    "truth objects": (np.array([True, 2], dtype=object), "truth values"),
    "spans": (np.array([1, 2], dtype="m8[s]"), "timedelta64"),
    "table": (np.zeros((3, 1)), r"one value for each row. Got an array of shape \(3, 1\)"),
    "clock": ([dt.time(3, 4)], "dates or numbers.*'time'"),
}


@pytest.mark.parametrize(("values", "words"), BAD_TIMES.values(), ids=BAD_TIMES)
def test_what_has_no_order_is_refused(values, words):
    with pytest.raises(DataError, match=f"^Here: when .*{words}"):
        read_times(values, "Here", "when")


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("7d", 7),
        (" 1.5 d ", 1.5),
        ("2w", 14),
        ("12h", 0.5),
        ("30min", 1 / 48),
        ("45s", 45 / 86_400),
        ("0d", 0),
        (dt.timedelta(days=7, hours=12), 7.5),
        (np.timedelta64(36, "h"), 1.5),
        (pd.Timedelta("3D"), 3),
    ],
)
def test_spans_of_every_spelling(value, days):
    delay = parse_delay(value)
    assert isinstance(delay, np.timedelta64)
    assert delay / np.timedelta64(1, "s") == pytest.approx(days * 86_400)


@pytest.mark.parametrize("value", [7, 7.0, np.float32(7), np.int64(7), "7", " 7.0"])
def test_a_number_is_a_number(value):
    assert parse_delay(value) == 7.0
    assert isinstance(parse_delay(value), float)


@pytest.mark.parametrize(
    "value",
    [
        "soon", "7 days", "d", "7m", "-7d", "", "nan", "inf", -1, -0.5, np.nan, np.inf, True, None,
        np.timedelta64("NaT"), np.timedelta64(1, "M"), np.timedelta64(3), dt.timedelta(days=-1),
        pd.NaT, [7],
    ],
)  # fmt: skip
def test_other_delays_are_refused(value):
    with pytest.raises(InvalidParameterError, match=r"^compare: label_delay must be a span.*'7d'"):
        parse_delay(value, "compare")
