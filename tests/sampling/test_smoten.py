"""SMOTEN: imbalanced-learn's rows without ties, a stated order with them, no large matrix."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.metrics.pairwise import ValueDifferenceMetric
from imblearn.over_sampling import SMOTEN as Original
from scipy import sparse
from scipy.stats import mode
from sklearn.exceptions import DataConversionWarning
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OrdinalEncoder

from imbkit._core import mixed
from imbkit.exceptions import DataError, SmallClassWarning
from imbkit.sampling._smoten import SMOTEN


def table(n=260, levels=(90, 120, 150, 80, 60), classes=3, seed=0):
    """Whole numbers, of so many levels that hardly two distances are equal."""
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, n, p=np.arange(1, classes + 1) / sum(range(classes + 1)))
    X = np.column_stack([rng.integers(0, size, n) // 3 * 3 for size in levels])
    return X, y


def ties_at(X, y, label, k):
    """Whether the k-th and the next distance of any row of a class are equal."""
    codes = OrdinalEncoder(dtype=np.int32).fit_transform(X)
    rows = codes[y == label]
    distances = np.sort(ValueDifferenceMetric().fit(codes, y).pairwise(rows), axis=1)
    return bool((distances[:, k] == distances[:, k + 1]).any() or (distances[:, 1] == 0).any())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("instance", [False, True])
def test_rows_of_the_peer_where_no_distances_are_equal(seed, instance):
    X, y = table(seed=seed + 20)
    assert not any(ties_at(X, y, label, 5) for label in (0, 1))
    words = np.array([f"w{v:03d}" for v in X.ravel()], dtype=object).reshape(X.shape)
    for data in (X, words, pd.DataFrame(words, columns=list("abcde")).astype("category")):
        states = [np.random.RandomState(seed) if instance else seed for _ in range(2)]
        pairs = zip((SMOTEN, Original), states, strict=True)
        found, expected = (cls(random_state=rs).fit_resample(data, y) for cls, rs in pairs)
        np.testing.assert_array_equal(found[1], expected[1])
        if isinstance(data, pd.DataFrame):
            pd.testing.assert_frame_equal(found[0], expected[0])
        else:
            np.testing.assert_array_equal(found[0], expected[0])
            assert found[0].dtype == expected[0].dtype


def by_definition(X, y, label, n, k, seed):
    """New rows of a class: itself and the k nearest others, the smaller row number first."""
    codes = OrdinalEncoder(dtype=np.int32).fit_transform(X)
    rows = codes[y == label]
    distances = ValueDifferenceMetric().fit(codes, y).pairwise(rows)
    np.fill_diagonal(distances, -1)
    near = np.argsort(distances, axis=1, kind="stable")[:, : k + 1]
    base = np.random.RandomState(seed).randint(0, len(rows), n)
    return base, mode(rows[near[base]], axis=1).mode


@pytest.mark.parametrize("levels", [(2, 2), (3, 4, 5), (40, 50)])
@pytest.mark.parametrize("few", [10**9, -1])
def test_ties_go_to_the_row_itself_and_then_to_smaller_numbers(levels, few, monkeypatch):
    monkeypatch.setattr(mixed, "_FEW", few)
    monkeypatch.setattr(mixed, "_compiled", lambda name: False)
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.integers(0, size, 200) for size in levels])
    y = np.repeat([0, 1], [140, 60])
    sampler = SMOTEN(random_state=3, k_neighbors=4)
    Z, _ = sampler.fit_resample(X, y)
    base, expected = by_definition(X, y, 1, 80, 4, 3)
    np.testing.assert_array_equal(sampler.sample_indices_[200:], base + 140)
    known = sampler.categorical_encoder_.categories_
    decoded = np.column_stack([known[c][expected[:, c]] for c in range(len(levels))])
    np.testing.assert_array_equal(Z[200:], decoded)


def test_new_rows_have_one_parent_and_no_step():
    X, y = table()
    n = len(y)
    sampler = SMOTEN(random_state=0)
    sampler.fit_resample(X, y, amount=np.arange(n, dtype=float))
    assert (sampler.parents_[:, 0] == sampler.parents_[:, 1]).all()
    assert np.isnan(sampler.steps_[n:]).all()
    assert (sampler.steps_[:n] == 0).all()
    np.testing.assert_array_equal(sampler.companions_["amount"], sampler.sample_indices_)


def test_a_neighbours_object_and_an_encoder_are_used_as_by_the_peer():
    X, y = table(seed=21)
    for settings in (
        {"k_neighbors": NearestNeighbors(n_neighbors=4)},
        {"categorical_encoder": OrdinalEncoder(dtype=np.int64)},
        {"categorical_encoder": OrdinalEncoder(categories=[range(200)] * 5)},
    ):
        ours = SMOTEN(random_state=0, **settings)
        found, _ = ours.fit_resample(X, y)
        expected, _ = Original(random_state=0, **settings).fit_resample(X, y)
        np.testing.assert_array_equal(found, expected)
        assert ours.nn_k_.metric == "precomputed"
    assert ours.categorical_encoder_ is not ours.categorical_encoder


def test_encoders_that_do_not_count_levels_are_refused():
    X, y = table()
    encoder = OrdinalEncoder(categories=[[3, 6]] * 5, handle_unknown="use_encoded_value")
    encoder.set_params(unknown_value=-1)
    with pytest.raises(DataError, match="from 0"):
        SMOTEN(encoder).fit_resample(X, y)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_tables_become_dense_inside_and_come_back(container):
    X, y = table()
    expected, _ = SMOTEN(random_state=0).fit_resample(X, y)
    with pytest.warns(DataConversionWarning, match="is not really efficient"):
        found, _ = SMOTEN(random_state=0).fit_resample(container(X), y)
    assert type(found) is container
    np.testing.assert_array_equal(found.toarray(), expected)


def test_missing_values_are_a_level_and_dates_are_carried():
    rng = np.random.default_rng(0)
    n = 90
    gone = rng.random(n) < 0.3
    words = np.where(gone, None, rng.choice(["a", "b"], n))
    when = np.datetime64("2020-01-01", "us") + np.arange(n)
    y = np.repeat([0, 1], [60, 30])
    text, counts = pd.Series(words, dtype="str"), rng.integers(0, 3, n)
    frames = (
        pd.DataFrame({"w": text, "when": when, "x": counts, "none": [None] * n}),
        pl.DataFrame({"w": pl.Series(words.tolist(), dtype=pl.Categorical), "when": when}),
    )
    for X in frames:
        sampler = SMOTEN(random_state=0)
        Z, _ = sampler.fit_resample(X, y)
        made = Z.to_pandas() if isinstance(Z, pl.DataFrame) else Z
        column = made["w"][n:]
        assert column.isna().any()
        assert set(column.dropna()) == {"a", "b"}
        assert made["when"].tolist() == when[sampler.sample_indices_].tolist()
        dtypes = (X.dtypes, Z.dtypes)
        assert list(dtypes[0]) == list(dtypes[1])


def test_missing_numbers_are_a_level():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (90, 2)).astype(float), np.repeat([0, 1], [60, 30])
    X[rng.random(X.shape) < 0.3] = np.nan
    sampler = SMOTEN(random_state=0)
    Z, _ = sampler.fit_resample(X, y)
    assert np.isnan(Z[90:]).any()
    assert set(Z[90:][~np.isnan(Z[90:])]) <= {0, 1, 2}
    assert np.isnan(sampler.categorical_encoder_.categories_[0][-1])


def test_tiny_classes_use_all_rows_or_are_repeated():
    X = np.array([[1, 1], [2, 2], [2, 2], [3, 3], *([[0, 9]] * 20)])
    y = np.repeat([0, 1, 2], [3, 1, 20])
    with pytest.warns(SmallClassWarning) as seen:
        Z, y_new = SMOTEN(random_state=0).fit_resample(X, y)
    assert len(seen) == 2
    assert (Z[24:][y_new[24:] == 0] == 2).all()
    assert (Z[24:][y_new[24:] == 1] == 3).all()


def test_even_allocation_takes_every_row_as_often():
    X, y = table(classes=2)
    sampler = SMOTEN(random_state=0, allocation="even")
    sampler.fit_resample(X, y)
    uses = np.bincount(sampler.sample_indices_[len(y) :], minlength=len(y))[y == 0]
    assert uses.max() - uses.min() <= 1


def test_memory_does_not_grow_with_pairs_of_rows():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 1500, (4000, 2)), np.repeat([0, 1], [2400, 1600])
    tracemalloc.start()
    SMOTEN(random_state=0).fit_resample(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All distances of the class would take 20 MB, and again for each step of a sum.
    assert peak < 20e6


def test_infinite_values_and_no_columns_are_refused():
    X, y = table()
    X = X.astype(float)
    X[0, 2] = np.inf
    with pytest.raises(DataError, match=r"infinite.*'x2'"):
        SMOTEN().fit_resample(X, y)
    dates = pd.DataFrame({"when": pd.date_range("2020", periods=len(y))})
    with pytest.raises(DataError, match="0 columns of categories"):
        SMOTEN().fit_resample(dates, y)


def test_labels_of_any_kind_give_the_same_rows():
    X, y = table()
    expected, _ = SMOTEN(random_state=0).fit_resample(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, labels = SMOTEN(random_state=0).fit_resample(X, np.array(["a", "b", "c"])[y])
    np.testing.assert_array_equal(found, expected)
    assert set(labels) == {"a", "b", "c"}
