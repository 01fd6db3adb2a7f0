"""What samplers that make rows share: draws, few rows, rounding and bounds of new values."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from imbkit._core.containers import wrap
from imbkit.exceptions import InvalidParameterError, SmallClassWarning
from imbkit.sampling import ADASYN, SMOTE, SMOTEN, SMOTENC, BorderlineSMOTE
from imbkit.sampling._growing import draw_pairs, even_rows, limited, warn_identical

ITSELF = NearestNeighbors(n_neighbors=1)


@given(st.integers(0, 99), st.integers(1, 30), st.integers(1, 9), st.integers(0, 200))
def test_random_draws_are_those_of_the_peer(seed, n_base, k, n):
    row, column, step = draw_pairs(np.random.RandomState(seed), n_base, k, n, "random")
    again = np.random.RandomState(seed)
    drawn = again.randint(low=0, high=n_base * k, size=n)
    np.testing.assert_array_equal(row * k + column, drawn)
    assert row.max(initial=0) < n_base
    assert column.max(initial=0) < k
    np.testing.assert_array_equal(step, again.uniform(size=n))


@given(st.integers(0, 99), st.integers(1, 30), st.integers(0, 200))
def test_even_rows_serve_alike(seed, n_base, n):
    times = np.bincount(even_rows(np.random.RandomState(seed), n_base, n), minlength=n_base)
    assert times.size == n_base
    assert times.sum() == n
    assert times.max() - times.min() <= 1


def test_which_rows_serve_once_more_is_drawn():
    drawn = {tuple(even_rows(np.random.RandomState(seed), 9, 2)) for seed in range(20)}
    assert len(drawn) > 10


def test_even_draws_take_any_neighbour_and_step():
    row, column, step = draw_pairs(np.random.RandomState(0), 50, 4, 1000, "even")
    assert np.bincount(row).tolist() == [20] * 50
    assert np.bincount(column, minlength=4).min() > 200
    assert 0 <= step.min() < 0.01
    assert 0.99 < step.max() < 1


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_a_class_of_identical_rows_is_said(make, recwarn):
    same = np.array([[1.0, np.nan, 2.0]] * 4)
    other = same.copy()
    other[2, 0] = 7
    for X in (other, same[:1], other[:, :1]):
        warn_identical(make(X), "fraud", "Some")
    assert not recwarn
    if make is np.asarray:
        with pytest.warns(SmallClassWarning, match="Some: the rows of class 'fraud' are all id"):
            warn_identical(make(same), np.str_("fraud"), "Some")


def labelled(sizes, d=2):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(y.size, d)), y


def test_small_classes_are_said_once_for_all():
    X, y = labelled((20, 4, 3, 9, 1, 1))
    with pytest.warns(SmallClassWarning) as said:
        _, target = SMOTE(random_state=0).fit_resample(X, y)
    assert [str(each.message) for each in said] == [
        "SMOTE: 5 neighbours need 6 rows of a class; all of the others were used. "
        "Got classes of 1: 4, 2: 3 rows.",
        "SMOTE: a class needs 2 rows to make new ones from; its single row was repeated. "
        "Got class 4, 5.",
    ]
    assert np.bincount(target).tolist() == [20] * 6


def test_classes_that_do_not_grow_are_not_spoken_of():
    X, y = labelled((20, 3, 9, 1))
    SMOTE(sampling_strategy={2: 15, 1: 3, 3: 1}, random_state=0).fit_resample(X, y)


def test_a_neighbours_object_has_its_own_say_about_small_classes():
    X, y = labelled((20, 3))
    sampler = SMOTE(k_neighbors=NearestNeighbors(n_neighbors=6), random_state=0)
    with pytest.raises(ValueError, match="n_neighbors"):
        sampler.fit_resample(X, y)


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (SMOTE, {"k_neighbors": ITSELF}),
        (SMOTENC, {"k_neighbors": ITSELF, "categorical_features": [0]}),
        (SMOTEN, {"k_neighbors": ITSELF}),
        (ADASYN, {"n_neighbors": ITSELF}),
        (BorderlineSMOTE, {"k_neighbors": ITSELF}),
        (BorderlineSMOTE, {"k_neighbors": ITSELF, "kind": "borderline-2"}),
        (BorderlineSMOTE, {"m_neighbors": ITSELF}),
    ],
)
def test_a_neighbours_object_must_find_more_than_the_row_itself(cls, settings):
    X, y = labelled((30, 15))
    X[:, 0] = np.rint(X[:, 0])
    with pytest.raises(InvalidParameterError, match=r"of 2 or more, because it counts .* Got 1"):
        cls(**settings).fit_resample(X, y)


TABLE = pd.DataFrame(
    {
        "share": [0.25, 0.75, 0.5],
        "whole": [1.0, 5.0, np.nan],
        "when": pd.date_range("2024", periods=3),
        "count": [1, 2, 3],
    }
)
VALUES = np.array([[0.3, 2.6, 1.4], [-2.0, 9.7, 2.5], [np.nan, np.nan, 7.0]])
MEASURED = [0, 1, 3]


def limit(integer_features=None, bounds=None, table=TABLE, values=VALUES, columns=MEASURED):
    return limited(values, wrap(table, who="Some"), columns, integer_features, bounds)


def test_nothing_asked_is_nothing_done():
    assert limit() is VALUES


@pytest.mark.parametrize("table", [TABLE, pl.from_pandas(TABLE)], ids=["pandas", "polars"])
@pytest.mark.parametrize("asked", ["auto", ["whole", "count"], [1, 3], np.array([1, 3])])
def test_whole_columns_are_rounded(table, asked):
    found = limit(integer_features=asked, table=table)
    expected = [[0.3, 3, 1], [-2.0, 10, 2], [np.nan, np.nan, 7]]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(VALUES[0], [0.3, 2.6, 1.4])


def test_bounds_are_those_observed_or_those_given():
    found = limit(bounds="observed")
    np.testing.assert_array_equal(found, [[0.3, 2.6, 1.4], [0.25, 5, 2.5], [np.nan, np.nan, 3]])
    found = limit(bounds={"share": (0, None), 3: (None, 2), "whole": (3, 3)})
    np.testing.assert_array_equal(found, [[0.3, 3, 1.4], [0, 3, 2], [np.nan, np.nan, 2]])


def test_a_rounded_value_stays_within_bounds_that_are_no_whole_numbers():
    found = limit(integer_features=["whole", 3], bounds={"whole": (2.7, 9.6), 3: (1.6, 2.4)})
    np.testing.assert_array_equal(found[:, 1], [3, 9, np.nan])
    np.testing.assert_array_equal(found[:, 2], [2, 2, 2])


def test_integer_columns_stay_within_bounds_that_are_no_whole_numbers():
    np.testing.assert_array_equal(limit(bounds={"count": (1.5, 2.6)})[:, 2], [2, 2, 2])
    X, y = labelled((20, 8))
    X = np.rint(3 * X).astype(int)
    out, _ = SMOTE(bounds={0: (0.5, 3.6)}, random_state=0).fit_resample(X, y)
    assert set(out[28:, 0].tolist()) == {1, 2, 3}


@pytest.mark.parametrize("options", [{"integer_features": ["share"]}, {}])
def test_bounds_of_rounded_columns_must_hold_a_whole_number(options):
    bounds = {"share": (0.2, 0.8)} if options else {"count": (1.2, 1.8)}
    with pytest.raises(InvalidParameterError, match="must hold a whole number. Got"):
        limit(bounds=bounds, **options)


@settings(max_examples=50)
@given(
    hnp.arrays(np.float64, (6, 2), elements=st.floats(-9, 9)),
    hnp.arrays(np.float64, (5, 2), elements=st.floats(-99, 99)),
)
def test_observed_bounds_hold(X, values):
    found = limit(bounds="observed", table=X, values=values, columns=[0, 1])
    assert np.all(found >= X.min(axis=0))
    assert np.all(found <= X.max(axis=0))
    inside = (values >= X.min(axis=0)) & (values <= X.max(axis=0))
    np.testing.assert_array_equal(found[inside], values[inside])


def test_a_column_without_a_value_has_no_bound():
    X = np.full((3, 1), np.nan)
    values = np.array([[4.0]])
    found = limit(bounds="observed", integer_features="auto", table=X, values=values, columns=[0])
    assert found.tolist() == [[4.0]]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"bounds": {"share": (2, 1)}}, InvalidParameterError, r"'share' must be a pair.*\(2, 1\)"),
        ({"bounds": {"share": 3}}, InvalidParameterError, "Got 3. Use None for no bound"),
        ({"bounds": {"share": (0, 1, 2)}}, InvalidParameterError, "must be a pair"),
        ({"bounds": {"share": ("a", 1)}}, InvalidParameterError, "must be a pair"),
        ({"bounds": {"share": (np.nan, 1)}}, InvalidParameterError, "must be a pair"),
        ({"bounds": {"when": (0, 1)}}, InvalidParameterError, "bounds must name numeric.*'when'"),
        ({"bounds": {9: (0, 1)}}, InvalidParameterError, "positions from 0. Got 9"),
        ({"bounds": {-1: (0, 1)}}, InvalidParameterError, "positions from 0"),
        ({"bounds": {"shore": (0, 1)}}, ValueError, "Did you mean 'share'"),
        ({"integer_features": [0.5]}, InvalidParameterError, "integer_features must name columns"),
        ({"integer_features": [2]}, InvalidParameterError, "must name numeric columns"),
        ({"integer_features": ["shore"]}, ValueError, "Did you mean 'share'"),
        ({"integer_features": [True, False, False, True]}, InvalidParameterError, "positions"),
    ],
)
def test_options_that_do_not_fit_the_table_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        limit(**options)


def test_sparse_tables_have_no_such_options():
    X = sparse.csr_array(np.eye(3))
    for options in ({"bounds": "observed"}, {"integer_features": "auto"}):
        with pytest.raises(InvalidParameterError, match="for dense tables"):
            limit(**options, table=X, values=X, columns=[0, 1, 2])
    assert limit(table=X, values=X, columns=[0, 1, 2]) is X
