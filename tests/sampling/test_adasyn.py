"""ADASYN: the rows of imbalanced-learn, exact numbers on request, and when there is no way."""

import warnings

import imblearn.over_sampling
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from imbkit.exceptions import DataError, ImbkitWarning, NoEnemyError, SmallClassWarning
from imbkit.sampling import ADASYN
from imbkit.sampling._adasyn import _largest_remainders


def overlapping(seed=0, d=2, sizes=(90, 30, 20), dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (rng.normal(size=(y.size, d)) + y[:, None] * 0.5).astype(dtype), y


def thin():
    """A class of 200 rows, each of which has every third neighbour in the other class."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(520, 2)), rng.permutation(np.repeat([0, 1], [320, 200]))


def quiet(sampler, X, y, **companions):
    """Resample; the numbers are looked at elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImbkitWarning)
        return sampler.fit_resample(X, y, **companions)


@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("sizes", [(90, 30), (90, 30, 20), (80, 30, 25, 20)])
def test_rows_and_order_are_those_of_the_peer(d, sizes):
    for seed in range(5):
        dtype = np.float32 if seed % 2 else np.float64
        X, y = overlapping(seed, d, sizes, dtype)
        for random in (lambda seed=seed: seed, lambda seed=seed: np.random.RandomState(seed)):
            peer = imblearn.over_sampling.ADASYN(random_state=random())
            expected, found = peer.fit_resample(X, y), quiet(ADASYN(random_state=random()), X, y)
            assert found[0].dtype == dtype
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize(("seed", "n"), [(3, 23), (93, 30)])
def test_halves_are_rounded_as_in_the_peer(seed, n):
    # Found by search: one division in another order moves a share off its half.
    X, y = np.random.default_rng(seed).normal(size=(50, 2)), np.repeat([0, 1], [40, 10])
    options = {"sampling_strategy": {1: 10 + n}, "random_state": 0}
    expected = imblearn.over_sampling.ADASYN(**options).fit_resample(X, y)
    np.testing.assert_array_equal(quiet(ADASYN(**options), X, y)[0], expected[0])


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_tables_give_the_same_rows(make):
    X, y = overlapping(d=6)
    X[np.random.default_rng(1).random(X.shape) < 0.4] = 0
    expected, _ = quiet(ADASYN(random_state=0), X, y)
    found, _ = quiet(ADASYN(random_state=0), make(X), y)
    assert type(found) is make
    np.testing.assert_array_equal(found.toarray(), expected)


def test_frames_and_text_labels_give_the_same_rows():
    X, y = overlapping()
    names = np.array(["usual", "fraud", "error"])[y]
    frame, labels = pd.DataFrame(X, columns=["a", "b"]), pd.Series(names, name="label")
    expected = imblearn.over_sampling.ADASYN(random_state=3).fit_resample(frame, labels)
    table, target = quiet(ADASYN(random_state=3), frame, labels)
    pd.testing.assert_frame_equal(table, expected[0])
    pd.testing.assert_series_equal(target, expected[1])


def test_a_neighbours_object_stands_for_a_number():
    X, y = overlapping(4)
    near = NearestNeighbors(n_neighbors=6)
    sampler = ADASYN(n_neighbors=near, random_state=0)
    expected, _ = quiet(ADASYN(random_state=0), X, y)
    np.testing.assert_array_equal(quiet(sampler, X, y)[0], expected)
    assert sampler.nn_.n_neighbors == 6
    assert sampler.nn_ is not near
    assert not hasattr(near, "n_samples_fit_")


@pytest.mark.parametrize("exact", [False, True])
def test_rows_serve_in_proportion_to_their_neighbours_of_other_classes(exact):
    X, y = overlapping(2, sizes=(900, 60))
    sampler = ADASYN(n_neighbors=7, exact_counts=exact, random_state=0)
    quiet(sampler, X, y)
    rows = np.flatnonzero(y == 1)
    squared = ((X[:, None] - X[rows]) ** 2).sum(axis=2)
    squared[rows, np.arange(rows.size)] = np.inf
    enemies = (y[np.argsort(squared, axis=0)[:7]] == 0).sum(axis=0)
    shares = enemies / enemies.sum() * 840
    times = np.bincount(sampler.sample_indices_[y.size :], minlength=y.size)[rows]
    assert np.abs(times - shares).max() <= (1 if exact else 0.5 + 1e-9)
    assert times.sum() == 840 or not exact


def test_rows_lie_between_near_rows_of_the_class():
    X, y = overlapping(1)
    sampler = ADASYN(random_state=0)
    out, target = quiet(sampler, X, y, amount=X[:, 0])
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(out, X[a] + sampler.steps_[:, None] * (X[b] - X[a]))
    np.testing.assert_array_equal(target, y[a])
    np.testing.assert_array_equal(y[a], y[b])
    assert np.all(a[y.size :] != b[y.size :])
    np.testing.assert_allclose(sampler.companions_["amount"], out[:, 0], rtol=1e-14, atol=1e-14)


def test_exact_counts_are_exact_for_every_class():
    for seed in range(5):
        X, y = overlapping(seed, sizes=(80, 33, 21, 12))
        _, target = ADASYN(exact_counts=True, random_state=0).fit_resample(X, y)
        assert np.bincount(target).tolist() == [80] * 4
        wanted = {1: 33, 2: 22, 3: 61}
        sampler = ADASYN(sampling_strategy=wanted, exact_counts=True, random_state=0)
        assert np.bincount(sampler.fit_resample(X, y)[1]).tolist() == [80, 33, 22, 61]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40).filter(any), st.integers(1, 500))
def test_largest_remainders_are_within_one_row_and_exact(weights, n):
    shares = np.array(weights) / np.sum(weights) * n
    times = _largest_remainders(shares, n)
    assert times.sum() == n
    assert np.abs(times - shares).max() < 1 + 1e-9
    assert np.all(times[np.array(weights) == 0] == 0)
    up, down = shares[times > shares], shares[times < shares - 1e-9]
    if up.size and down.size:
        assert (up - np.floor(up)).min() >= (down - np.floor(down)).max() - 1e-9


def test_of_equal_remainders_the_first_win():
    assert _largest_remainders(np.array([1.5, 1.5, 1.5, 1.5]), 6).tolist() == [2, 2, 1, 1]


def test_a_number_far_from_the_one_asked_for_is_said():
    X, y = thin()
    with pytest.warns(ImbkitWarning, match=r"\d+ rows of class 1 where 120 were") as said:
        _, target = ADASYN(random_state=0).fit_resample(X, y)
    assert len(said) == 1
    made = np.bincount(target)[1] - 200
    assert abs(made - 120) > 2
    assert str(said[0].message).count(f"{made} rows of class") == 1
    np.testing.assert_array_equal(
        np.bincount(target),
        np.bincount(imblearn.over_sampling.ADASYN(random_state=0).fit_resample(X, y)[1]),
    )
    # Nothing is said where the number is exact, nor where it is off by a row or two.
    ADASYN(exact_counts=True, random_state=0).fit_resample(X, y)
    X, y = overlapping(sizes=(900, 60))
    _, target = ADASYN(random_state=0).fit_resample(X, y)
    assert 0 < abs(np.bincount(target)[1] - 900) <= 0.05 * 840


def test_no_neighbour_of_another_class_is_an_error_that_says_what_to_do():
    X, y = overlapping(sizes=(30, 10))
    X[y == 1] += 100
    for kind in (RuntimeError, DataError, NoEnemyError):
        with pytest.raises(kind, match=r"none among its 10 rows\. Use SMOTE instead"):
            ADASYN(exact_counts=True).fit_resample(X, y)
    with pytest.raises(RuntimeError):
        imblearn.over_sampling.ADASYN().fit_resample(X, y)


def test_shares_that_all_round_to_nothing_are_an_error():
    X, y = thin()
    sampler = ADASYN(sampling_strategy={1: 210}, random_state=0)
    with pytest.raises(DataError, match="No samples will be generated .*Set exact_counts=True"):
        sampler.fit_resample(X, y)
    sampler.set_params(exact_counts=True)
    assert np.bincount(sampler.fit_resample(X, y)[1])[1] == 210


def test_a_small_class_uses_all_of_its_rows():
    X, y = overlapping(0, sizes=(60, 4, 3))
    with pytest.warns(SmallClassWarning, match="5 neighbours need 6 rows of a class") as said:
        _, target = ADASYN(exact_counts=True, random_state=0).fit_resample(X, y)
    assert len(said) == 1
    assert np.bincount(target).tolist() == [60, 60, 60]


def test_a_single_row_is_repeated():
    X, y = overlapping(0, sizes=(30, 1))
    with pytest.warns(SmallClassWarning, match="its single row was repeated") as said:
        out, target = ADASYN(random_state=0).fit_resample(X, y)
    assert len(said) == 1
    np.testing.assert_array_equal(out[target == 1], np.repeat(X[y == 1], 30, axis=0))


def test_a_class_of_identical_rows_is_said():
    X, y = overlapping(0, sizes=(30, 5))
    X[y == 1] = X[y == 0][0]
    sampler = ADASYN(n_neighbors=4, exact_counts=True, random_state=0)
    # Of five equal rows and their twin of the other class, four are nearest by number.
    X, y = np.vstack([X[y == 0], X[y == 1]]), np.sort(y)
    with pytest.warns(SmallClassWarning, match="all identical") as said:
        out, target = sampler.fit_resample(X, y)
    assert len(said) == 1
    assert np.unique(out[target == 1], axis=0).shape == (1, 2)


def test_missing_values_are_taken_from_the_other_parent():
    X, y = overlapping(3, d=4)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    sampler = ADASYN(random_state=0)
    out, _ = quiet(sampler, X, y)
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(np.isnan(out), np.isnan(X[a]) & np.isnan(X[b]))


def test_any_number_of_threads_gives_the_same_rows():
    X, y = overlapping()
    one, two = (quiet(ADASYN(n_jobs=n, random_state=0), X, y)[0] for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_nothing_to_make_is_no_reason_to_speak():
    X, y = overlapping(sizes=(20, 20))
    out, _ = ADASYN(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out, X)


@pytest.mark.parametrize("options", [{"exact_counts": "yes"}, {"n_neighbors": 0}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ADASYN(**options).fit_resample(*overlapping())
