"""SMOTE: the rows of imbalanced-learn, where they came from, and what small classes do."""

import imblearn.over_sampling
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from imbkit.exceptions import SmallClassWarning
from imbkit.sampling import SMOTE


def drawn(seed=0, d=2, sizes=(90, 30, 20), dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (rng.normal(size=(y.size, d)) + y[:, None]).astype(dtype), y


@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("sizes", [(90, 30), (90, 30, 20), (80, 30, 25, 20)])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, sparse.csc_matrix, pd.DataFrame])
def test_rows_and_order_are_those_of_the_peer(d, sizes, make):
    for seed in range(2):
        X, y = drawn(seed, d, sizes, np.float32 if seed % 2 else np.float64)
        X = make(X)
        for random in (lambda seed=seed: seed, lambda seed=seed: np.random.RandomState(seed)):
            peer = imblearn.over_sampling.SMOTE(random_state=random()).fit_resample(X, y)
            out, target = SMOTE(random_state=random()).fit_resample(X, y)
            assert type(out) is type(peer[0])
            dense, expected = (
                each.toarray() if sparse.issparse(each) else np.asarray(each)
                for each in (out, peer[0])
            )
            assert dense.dtype == expected.dtype
            np.testing.assert_array_equal(dense, expected)
            np.testing.assert_array_equal(target, peer[1])


@pytest.mark.parametrize("strategy", ["minority", "all", {1: 35, 2: 20}, {2: 91}])
@pytest.mark.parametrize("k", [1, 3, NearestNeighbors(n_neighbors=4)])
def test_options_mean_what_they_do_in_the_peer(strategy, k):
    X, y = drawn()
    options = {"sampling_strategy": strategy, "k_neighbors": k, "random_state": 3}
    ours, peer = SMOTE(**options), imblearn.over_sampling.SMOTE(**options)
    np.testing.assert_array_equal(ours.fit_resample(X, y)[0], peer.fit_resample(X, y)[0])
    assert ours.nn_k_.n_neighbors == peer.nn_k_.n_neighbors
    assert ours.sampling_strategy_ == peer.sampling_strategy_


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from(["random", "even"]))
def test_every_new_row_lies_between_a_row_and_one_of_its_nearest(seed, k, allocation):
    X, y = drawn(seed, sizes=(30, 12, 9))
    sampler = SMOTE(k_neighbors=k, allocation=allocation, random_state=seed)
    out, target = sampler.fit_resample(X, y)
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(out[: y.size], X)
    np.testing.assert_array_equal(sampler.sample_indices_, a)
    np.testing.assert_array_equal(target, y[a])
    assert np.bincount(target).tolist() == [30, 30, 30]
    np.testing.assert_array_equal(out, X[a] + sampler.steps_[:, None] * (X[b] - X[a]))
    for row in range(y.size, a.size):
        members = np.flatnonzero(y == y[a[row]])
        others = members[members != a[row]]
        squared = ((X[others] - X[a[row]]) ** 2).sum(axis=1)
        assert b[row] in others[np.argsort(squared)[:k]]
    for label in (1, 2):
        times = np.bincount(a[y.size :], minlength=y.size)[y == label]
        assert allocation == "random" or times.max() - times.min() <= 1


def test_equal_distances_go_to_the_smaller_row_number():
    X = np.array([[0.0], [1], [-1], [9], [9], [9], [9], [9], [9]])
    y = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    sampler = SMOTE(k_neighbors=1, random_state=0)
    sampler.fit_resample(X, y)
    pairs = {tuple(pair) for pair in sampler.parents_[9:].tolist()}
    assert pairs <= {(0, 1), (1, 0), (2, 0)}


def test_an_integer_seed_starts_every_class_anew_and_a_stream_goes_on():
    X, y = drawn(sizes=(40, 20, 20))
    X[y == 2] = X[y == 1]
    for seed, same in ((5, True), (np.random.RandomState(5), False)):
        sampler = SMOTE(random_state=seed)
        out, target = sampler.fit_resample(X, y)
        assert np.array_equal(out[80:][target[80:] == 1], out[80:][target[80:] == 2]) == same


def test_missing_values_are_filled_from_the_other_parent():
    X, y = drawn(3, d=4)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    sampler = SMOTE(random_state=0)
    out, _ = sampler.fit_resample(X, y)
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(np.isnan(out), np.isnan(X[a]) & np.isnan(X[b]))
    lone = np.isnan(X[a]) & ~np.isnan(X[b])
    np.testing.assert_array_equal(out[lone], X[b][lone])


def test_narrow_integers_are_not_wrapped_around():
    y = np.repeat([0, 1], [30, 8])
    X = np.random.default_rng(0).integers(0, 256, size=(38, 3)).astype(np.uint8)
    sampler = SMOTE(random_state=0)
    out, _ = sampler.fit_resample(X, y)
    assert out.dtype == np.uint8
    a, b = sampler.parents_.T
    wide = X.astype(float)
    exact = wide[a] + sampler.steps_[:, None] * (wide[b] - wide[a])
    np.testing.assert_array_equal(out, np.rint(exact))


def test_columns_of_dates_are_carried_and_the_others_made():
    X, y = drawn(sizes=(20, 8))
    frame = pd.DataFrame(X, columns=["a", "b"])
    frame["when"] = pd.date_range("2024", periods=28, freq="h")
    sampler = SMOTE(random_state=0)
    out, _ = sampler.fit_resample(frame, y)
    plain, _ = SMOTE(random_state=0).fit_resample(frame[["a", "b"]], y)
    pd.testing.assert_frame_equal(out[["a", "b"]], plain)
    assert out["when"].tolist() == frame["when"].iloc[sampler.sample_indices_].tolist()


def test_whole_numbers_and_bounds_are_kept_to():
    X, y = drawn()
    X[:, 1] = np.rint(X[:, 1] * 4)
    sampler = SMOTE(
        integer_features="auto", bounds={0: (1, None)}, random_state=0, sampling_strategy="all"
    )
    out, _ = sampler.fit_resample(X, y)
    plain, _ = SMOTE(random_state=0).fit_resample(X, y)
    new = out[y.size :]
    np.testing.assert_array_equal(new[:, 1], np.rint(plain[y.size :, 1]))
    np.testing.assert_array_equal(new[:, 0], np.maximum(plain[y.size :, 0], 1))
    assert 0 < np.count_nonzero(new[:, 0] == 1) < new.shape[0]
    np.testing.assert_array_equal(out[: y.size], X)


def test_two_hundred_classes():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(200), rng.integers(6, 12, 200)))
    X = rng.normal(size=(y.size, 3))
    out, target = SMOTE(random_state=0).fit_resample(X, y)
    expected = imblearn.over_sampling.SMOTE(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out, expected[0])
    assert set(np.bincount(target)) == {11}


def test_a_pair_makes_rows_between_its_two():
    X, y = drawn(sizes=(20, 2))
    with pytest.warns(SmallClassWarning, match="5 neighbours need 6 rows") as said:
        out, target = SMOTE(random_state=0).fit_resample(X, y)
    assert len(said) == 1
    one, two = X[y == 1]
    share = (out[target == 1] - one) / (two - one)
    np.testing.assert_allclose(share[:, 0], share[:, 1])


def test_identical_rows_are_repeated_with_a_word():
    X, y = drawn(sizes=(20, 8))
    X[y == 1] = [3.0, 4.0]
    with pytest.warns(SmallClassWarning, match="SMOTE: the rows of class 1 are all identical"):
        out, target = SMOTE(random_state=0).fit_resample(X, y)
    assert np.unique(out[target == 1], axis=0).tolist() == [[3.0, 4.0]]


def test_any_number_of_threads_gives_the_same_rows():
    X, y = drawn(sizes=(400, 300), d=8)
    one, two = (SMOTE(n_jobs=n, random_state=0).fit_resample(X, y)[0] for n in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "options",
    [
        {"k_neighbors": 0},
        {"allocation": "odd"},
        {"bounds": "given"},
        {"integer_features": "all"},
        {"missing_classes": "drop"},
        {"n_jobs": 1.5},
        {"companion_policy": object()},
    ],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SMOTE(**options).fit_resample(*drawn())
