"""Columns with a role: taken out of the features, read, and complained of."""

import datetime

import numpy as np
import pytest

from imbkit.bench._options import Options
from imbkit.bench._roles import read_roles
from imbkit.exceptions import DataError, InvalidParameterError

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

N = 12
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(k) for k in range(N)]


def frame():
    return pd.DataFrame(
        {
            "a": np.arange(N, dtype=float),
            "when": pd.to_datetime(DAYS),
            "card": [f"c{k // 3}" for k in range(N)],
            "w": np.arange(1.0, N + 1),
            "amount": np.arange(1, N + 1),
        }
    )


def read(X=None, **options):
    return read_roles(frame() if X is None else X, N, Options(**options))


@pytest.mark.parametrize("make", [frame, lambda: pl.from_pandas(frame())])
def test_columns_with_a_role_are_no_features_but_costs_are(make):
    costs = {"fn_cost": "amount", "fp_cost": 2}
    found = read(make(), time="when", groups="card", sample_weight="w", costs=costs)
    assert list(found.X.columns) == ["a", "amount"]
    assert found.taken == ("when", "card", "w")
    assert found.names == {"time": "when", "group": "card", "weight": "w"}
    assert found.times.days().tolist() == list(range(19723, 19723 + N))
    assert found.groups.tolist() == [k // 3 for k in range(N)]
    assert found.weight.tolist() == list(range(1, N + 1))
    assert found.costs.fn.tolist() == list(range(1, N + 1))
    assert found.costs.fp.tolist() == [2] * N
    assert found.costs.gain.tolist() == [0] * N
    assert found.cautions == ()


def test_without_roles_the_table_is_left_as_it_is():
    X = frame()
    found = read(X)
    assert found.X is X
    assert found.taken == ()
    assert found.times is found.groups is found.weight is found.costs is None
    assert set(found.names.values()) == {""}


def test_one_column_may_have_two_roles():
    found = read(time="a", groups="a", cv=None)
    assert found.taken == ("a",)
    assert found.groups.max() == N - 1


@pytest.mark.parametrize(
    "make", [list, np.array, pd.Series, pl.Series, lambda v: pd.Series(v, name="day")]
)
def test_arrays_beside_the_table_may_have_a_role(make):
    X = frame()
    found = read(X, time=make(DAYS), groups=make([k // 3 for k in range(N)]))
    assert found.X is X
    assert found.taken == ()
    assert found.times.is_date
    assert np.diff(found.times.values).tolist() == [86400] * (N - 1)
    assert found.names["time"] in {"time", "day"}


def test_the_delay_is_in_the_unit_of_the_times():
    assert read(time="when", label_delay="36h").delay == 1.5 * 86400
    assert read(time="a", label_delay=3).delay == 3
    assert read(time="a").delay == 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"time": "whne"}, DataError, "Did you mean 'when'"),
        ({"groups": "crad"}, DataError, "Did you mean 'card'"),
        ({"sample_weight": "x"}, DataError, "'x'"),
        ({"time": [1, 2]}, DataError, r"time must hold one value for each of the 12 rows.*\(2,\)"),
        ({"groups": np.ones((N, 2))}, DataError, "groups must hold one value for each"),
        ({"time": "card"}, DataError, "must hold dates in ISO 8601.*'c0'"),
        ({"time": [None, *range(N - 1)]}, DataError, "time must be known for every row.*1 missing"),
        ({"time": [1, "b"] * (N // 2)}, DataError, "all of one kind, so that the rows have an"),
        ({"time": [True, False] * (N // 2)}, DataError, "dates or numbers"),
        ({"time": [np.inf, *range(N - 1)]}, DataError, "finite"),
        ({"time": "a", "label_delay": "7d"}, InvalidParameterError, "number in the unit of the ti"),
        (
            {"time": "when", "label_delay": 7},
            InvalidParameterError,
            "must have a unit.*7d for 7 days",
        ),
        ({"time": "when", "label_delay": "-7d"}, InvalidParameterError, "not negative"),
        ({"time": "when", "label_delay": "soon"}, InvalidParameterError, "such as '7d'"),
        (
            {"groups": ["x"] * N},
            DataError,
            r"more than one group.*same 'groups' in all 12.*--group",
        ),
        ({"groups": [None] * N}, DataError, "more than one group"),
        ({"sample_weight": [-1.0, *[1.0] * (N - 1)]}, DataError, "none below 0.*1 missing, infin"),
        ({"sample_weight": [np.nan, *[1.0] * (N - 1)]}, DataError, "1 missing, infinite or neg"),
        ({"sample_weight": np.zeros(N)}, DataError, "some above.*zeros only"),
        ({"sample_weight": "card"}, DataError, "weights must be finite numbers"),
        ({"costs": {"fn_cost": "card", "fp_cost": 1}}, DataError, r"fn_cost .*'card'.* be numbers"),
        ({"costs": {"fn_cost": [np.nan] * N, "fp_cost": 1}}, DataError, "fn_cost must not be miss"),
        ({"costs": {"fn_cost": -np.ones(N), "fp_cost": 1}}, DataError, "fn_cost must not be negat"),
        ({"costs": {"fn_cost": 1, "fp_cost": -1}}, InvalidParameterError, "fp_cost must be finite"),
        ({"costs": {"fn_cost": 1, "fp_cost": np.ones(3)}}, DataError, "one number for each"),
        ({"costs": {"fn_cost": 1}}, InvalidParameterError, "given together"),
        ({"costs": {"fn_cost": 1, "fp_cost": "amuont"}}, InvalidParameterError, "mean 'amount'"),
    ],
)
def test_bad_values(options, error, words):
    with pytest.raises(error, match=words):
        read(**options)


def test_columns_that_are_all_taken():
    with pytest.raises(DataError, match="left as a feature. Got none beside 'when, a'"):
        read(frame()[["a", "when"]], time="when", groups="a")


def test_missing_cost_in_a_column_is_told_with_its_row():
    X = frame().assign(amount=[1.0] * 5 + [np.nan] * 2 + [1.0] * 5)
    with pytest.raises(DataError, match=r"column 'amount'.*missing. Got 2 such values.*row 5"):
        read(X, costs={"fn_cost": "amount", "fp_cost": 1})


def test_a_group_for_every_row_is_a_caution():
    found = read(groups="a")
    (caution,) = found.cautions
    assert "Every row has its own value of 'a'" in caution
    assert "key of the rows" in caution


def test_rows_without_a_group_are_kept_together_and_told():
    found = read(groups=[None, "x", "x", None, *["y"] * (N - 4)])
    assert found.groups.tolist() == [0, 1, 1, 0, *[2] * (N - 4)]
    assert found.cautions[0].startswith("2 rows name no group")


def test_times_with_gaps_or_of_one_moment_are_read():
    """Gaps do no harm; whether times can be split is for the splitter to say."""
    gaps = [0, 1, 1, 500, *range(1000, 1000 + N - 4)]
    assert read(time=gaps).times.values.tolist() == gaps
    assert np.ptp(read(time=np.ones(N)).times.values) == 0
