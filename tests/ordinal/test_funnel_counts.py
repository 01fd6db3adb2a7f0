"""Counts of a funnel as weighted rows: the same as everybody written out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.ordinal import (
    PRESTOClassifier,
    ProportionalOddsClassifier,
    funnel_from_counts,
    funnel_target,
)

NAMES = ["seen", "click", "buy"]
COUNTS = pd.DataFrame([[10, 3, 1], [0, 0, 0], [5, 5, 0], [7, 4, 4]], columns=NAMES)
X = pd.DataFrame(
    {"price": [1.5, 2.5, 3.5, 4.5], "n": np.int8([1, 2, 3, 4]), "site": list("abca")},
    index=[10, 20, 30, 40],
).astype({"site": "category"})
ROWS, STAGES = [0, 0, 0, 2, 3, 3], ["seen", "click", "buy", "click", "seen", "buy"]
WEIGHTS = [7.0, 2.0, 1.0, 5.0, 3.0, 4.0]


def everybody(counts):
    """Write out each person: their row, and which stages they reached."""
    rows, reached = [], []
    for row, line in enumerate(counts):
        for person in range(int(line[0])):
            rows.append(row)
            reached.append([person < count for count in line[1:]])
    return np.array(rows, dtype=int), np.array(reached, dtype=bool).reshape(-1, len(counts[0]) - 1)


@settings(max_examples=60, deadline=None)
@given(arrays(int, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.integers(0, 9)))
def test_the_weights_are_those_of_everybody_written_out(table):
    counts = -np.sort(-table, axis=1)
    if not counts.any():
        return
    rows, stages = everybody(counts)
    target = funnel_target(stages)
    out, y, weight = funnel_from_counts(np.arange(len(counts))[:, None], counts)
    assert y.categories.equals(target.categories)
    assert y.ordered
    got = np.zeros(counts.shape)
    got[out[:, 0], y.codes] = weight
    each = np.zeros(counts.shape)
    np.add.at(each, (rows, target.codes), 1)
    np.testing.assert_array_equal(got, each)
    # Every pair once, none without weight, stages of a row together and in order.
    assert (weight > 0).all()
    places = out[:, 0] * counts.shape[1] + y.codes
    assert (np.diff(places) > 0).all()


def kinds():
    numbers = X[["price", "n"]].to_numpy()
    return {
        "pandas": (X, COUNTS),
        "polars": (pl.from_pandas(X), pl.from_pandas(COUNTS)),
        "pandas and list": (X, COUNTS.to_numpy().tolist()),
        "array": (numbers.astype(np.float32), COUNTS.to_numpy()),
        "list": (numbers.tolist(), COUNTS),
        "csr": (sparse.csr_array(numbers), COUNTS.astype(float)),
        "csc": (sparse.csc_matrix(numbers), sparse.csr_matrix(COUNTS.to_numpy())),
    }


@pytest.mark.parametrize("kind", kinds())
def test_rows_are_repeated_in_their_own_kind(kind):
    table, counts = kinds()[kind]
    out, y, weight = funnel_from_counts(table, counts, names=NAMES)
    assert type(out) is (np.ndarray if isinstance(table, list) else type(table))
    assert y.tolist() == STAGES
    assert y.categories.tolist() == NAMES
    assert weight.tolist() == WEIGHTS
    assert weight.dtype == np.float64
    if kind.startswith("pandas"):
        pd.testing.assert_frame_equal(out, X.iloc[ROWS])
    elif kind == "polars":
        assert out.equals(table[ROWS])
    elif sparse.issparse(out):
        assert out.format == table.format
        np.testing.assert_array_equal(out.toarray(), table.toarray()[ROWS])
    else:
        assert out.dtype == np.asarray(table).dtype
        np.testing.assert_array_equal(out, np.asarray(table)[ROWS])


def test_names_come_from_the_counts():
    assert funnel_from_counts(X, COUNTS)[1].categories.tolist() == NAMES
    assert funnel_from_counts(X, pl.from_pandas(COUNTS))[1].categories.tolist() == NAMES
    bare = funnel_from_counts(X, COUNTS.to_numpy())[1]
    assert bare.categories.tolist() == ["none", "stage_1", "stage_2"]
    # A stage where nobody stopped keeps its category.
    assert funnel_from_counts([[0.0]], [[4, 2, 2]])[1].categories.tolist() == [*bare.categories]


def test_one_row_a_person_agrees_with_the_target():
    reached = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=bool)
    out, y, weight = funnel_from_counts(np.arange(3)[:, None], reached)
    assert y.tolist() == funnel_target(reached[:, 1:]).tolist()
    assert (out.ravel().tolist(), weight.tolist()) == ([0, 1, 2], [1.0, 1.0, 1.0])


def test_fractions_and_the_rounding_of_their_sums():
    _, y, weight = funnel_from_counts([[0], [1]], [[2.5, 0.5, 0.25], [1.0, 1.0, 0.0]])
    assert (y.codes.tolist(), weight.tolist()) == ([0, 1, 2, 1], [2.0, 0.25, 0.25, 1.0])
    # 0.1 + 0.2 is more than 0.3 by one unit in the last place, and less the other way round.
    for counts in ([0.3, 0.1 + 0.2], [0.1 + 0.2, 0.3]):
        _, y, weight = funnel_from_counts([[0]], [counts])
        assert y.codes.tolist() == [1]
        assert weight.tolist() == pytest.approx([0.3])
    # One person among many is none of that.
    _, y, weight = funnel_from_counts([[0]], [[10**14 + 1, 10**14]])
    assert weight.tolist() == [1.0, 1e14]


@pytest.mark.parametrize(
    "model",
    [
        PRESTOClassifier(0.002, tol=1e-10),
        ProportionalOddsClassifier(0.01, tol=1e-10),
        LogisticRegression(tol=1e-10),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_fit_is_that_of_everybody_written_out(model, share):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(12, 2)) + 3
    counts = -np.sort(-rng.integers(0, 30, size=(12, 3)), axis=1)
    rows, stages = everybody(counts)
    # Only shares of the weights count, where the penalty is one of the mean loss.
    scale = 1.0 if isinstance(model, LogisticRegression) else share
    out, y, weight = funnel_from_counts(features, counts * scale)
    weighted = model.fit(out, y, sample_weight=weight)
    got, order = weighted.predict_proba(features), weighted.classes_.tolist()
    written = model.fit(features[rows], funnel_target(stages))
    assert written.classes_.tolist() == order
    np.testing.assert_allclose(got, written.predict_proba(features), atol=1e-7)
    np.testing.assert_allclose(got.sum(axis=1), 1)


def test_a_funnel_is_learned_in_its_own_order():
    model = ProportionalOddsClassifier().fit(*funnel_from_counts(X[["price", "n"]], COUNTS))
    assert model.classes_.tolist() == NAMES
    assert model.feature_names_in_.tolist() == ["price", "n"]
    lacking = funnel_from_counts(X[["price"]], COUNTS.assign(click=COUNTS["buy"]))
    with pytest.raises(DataError, match="click"):
        ProportionalOddsClassifier().fit(*lacking)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (
            COUNTS[["click", "seen", "buy"]],
            r"more than the stage before it. Got 2 rows that rise, the first 0 "
            r"\('click' 3, 'seen' 10\). Order the columns",
        ),
        ([[3, 2, 0], [9, 9, 8], [5, 1, 2], [1, 1, 1]], "Got 1 row that rises, the first 2"),
        (-COUNTS, "numbers from 0.*Got -10 in column 'seen', row 0"),
        (COUNTS.assign(buy=[1, np.nan, 0, 4]), "a missing value in column 'buy', row 1"),
        (COUNTS.assign(seen=[10, np.inf, 5, 7]), "Got inf in column 'seen', row 1"),
        (COUNTS.astype(str), "Got '10' in column 'seen', row 0"),
        (COUNTS.astype("Int64").mask(COUNTS == 3), "a missing value in column 'click', row 0"),
        (COUNTS * 0, "at least one count must be above 0. Got zeros alone"),
        (COUNTS[:2], "same number of rows. Got 4 and 2 rows"),
        (COUNTS[["seen"]], r"a column for everybody.*Got shape \(4, 1\)"),
        (COUNTS["seen"], "must be a table"),
    ],
)
def test_bad_counts(counts, words):
    with pytest.raises(DataError, match=f"funnel_from_counts: .*{words}"):
        funnel_from_counts(X, counts)


def test_bad_names_and_rows():
    with pytest.raises(InvalidParameterError, match="names must hold one name for each of 3 col"):
        funnel_from_counts(X, COUNTS, names=["click", "buy"])
    with pytest.raises(InvalidParameterError, match="the names of the stages must differ. Got 'a'"):
        funnel_from_counts(X, COUNTS, names=["a", "b", "a"])
    with pytest.raises(DataError, match="must be a table"):
        funnel_from_counts([1, 2, 3, 4], COUNTS)
    with pytest.raises(DataError, match="above 0. Got no rows"):
        funnel_from_counts(np.zeros((0, 1)), np.zeros((0, 2)))


def test_nothing_is_changed():
    counts, table = COUNTS.astype(float), X.copy()
    funnel_from_counts(table, counts)
    pd.testing.assert_frame_equal(counts, COUNTS.astype(float))
    pd.testing.assert_frame_equal(table, X)
    array = np.asfortranarray(COUNTS.to_numpy(float))
    funnel_from_counts(table, array)
    np.testing.assert_array_equal(array, COUNTS.to_numpy(float))
