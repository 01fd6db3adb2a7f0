"""RandomOverSampler: the rows of imbalanced-learn, of any kind, and noise on request."""

import imblearn.over_sampling
import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import sparse

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.sampling import RandomOverSampler


def drawn(seed=0, sizes=(60, 30, 20), d=3, dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(y.size, d)).astype(dtype), y


@pytest.mark.parametrize("shrinkage", [None, 0, 1, 0.3, {0: 1.0, 1: 0.5, 2: 0}])
@pytest.mark.parametrize("strategy", ["auto", "minority", "all", {1: 31, 2: 90}])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_rows_and_order_are_those_of_the_peer(shrinkage, strategy, make):
    for seed in range(5):
        X, y = drawn(seed, dtype=np.float32 if seed % 2 else np.float64)
        X = make(X)
        for random in (lambda seed=seed: seed, lambda seed=seed: np.random.RandomState(seed)):
            options = {"sampling_strategy": strategy, "shrinkage": shrinkage}
            peer = imblearn.over_sampling.RandomOverSampler(random_state=random(), **options)
            ours = RandomOverSampler(random_state=random(), **options)
            expected, found = peer.fit_resample(X, y), ours.fit_resample(X, y)
            assert type(found[0]) is type(expected[0])
            dense, wanted = (
                each.toarray() if sparse.issparse(each) else each
                for each in (found[0], expected[0])
            )
            # The peer lets float32 become float64 where noise is put on arrays.
            assert dense.dtype == X.dtype
            wanted = wanted.astype(X.dtype)
            # The deviations of sparse columns are summed in another order.
            slack = 0 if make is np.asarray else 1e-5
            np.testing.assert_allclose(dense, wanted, rtol=slack, atol=slack)
            np.testing.assert_array_equal(found[1], expected[1])
            np.testing.assert_array_equal(ours.sample_indices_, peer.sample_indices_)
            assert ours.shrinkage_ == peer.shrinkage_


def test_every_row_is_a_copy():
    X, y = drawn()
    sampler = RandomOverSampler(random_state=0, companion_policy="mean")
    out, target = sampler.fit_resample(X, y, amount=np.arange(110.0), shop=np.arange(110) % 7)
    rows = sampler.sample_indices_
    np.testing.assert_array_equal(rows[:110], np.arange(110))
    np.testing.assert_array_equal(out, X[rows])
    np.testing.assert_array_equal(target, y[rows])
    np.testing.assert_array_equal(sampler.parents_, np.column_stack([rows, rows]))
    # Copies keep their own companions, whatever the policy.
    np.testing.assert_array_equal(sampler.companions_["amount"], rows)
    np.testing.assert_array_equal(sampler.companions_["shop"], rows % 7)
    assert not sampler.steps_.any()


def test_noise_is_around_the_base_row_and_on_no_segment():
    X, y = drawn(sizes=(900, 300), d=2)
    X *= [1.0, 100.0]
    sampler = RandomOverSampler(shrinkage=1.0, random_state=0)
    out, _ = sampler.fit_resample(X, y, amount=X[:, 0], step=np.arange(1200))
    np.testing.assert_array_equal(out[:1200], X)
    base = sampler.sample_indices_[1200:]
    noise = out[1200:] - X[base]
    width = (4 / ((2 + 2) * 1200)) ** (1 / 6) * X[y == 1].std(axis=0)
    np.testing.assert_allclose(noise.std(axis=0) / width, 1, rtol=0.1)
    np.testing.assert_allclose(noise.mean(axis=0) / width, 0, atol=0.15)
    assert np.isnan(sampler.steps_[1200:]).all()
    assert not sampler.steps_[:1200].any()
    np.testing.assert_array_equal(sampler.companions_["amount"][1200:], X[base, 0])
    np.testing.assert_array_equal(sampler.companions_["step"][1200:], base)


def test_missing_values_stay_missing_under_noise():
    X, y = drawn()
    X[::7, 1] = np.nan
    X[:, 2] = np.nan
    sampler = RandomOverSampler(shrinkage=1.0, random_state=0)
    out, _ = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(X[sampler.sample_indices_]))
    assert len(np.unique(out[110:, 0])) == 70


def test_columns_of_any_kind_are_repeated():
    table = pd.DataFrame(
        {
            "text": ["a", None, "c", "d"],
            "level": pd.Categorical(["x", "y", None, "x"], categories=["y", "x", "unused"]),
            "when": pd.date_range("2024", periods=4, tz="UTC"),
            "number": [1.0, np.nan, np.inf, 4],
            "maybe": pd.array([1, None, 3, 4], dtype="Int8"),
            "small": np.array([1, 2, 3, 4], dtype=np.uint8),
        },
        index=[9, 8, 7, 6],
    )
    y = [0, 0, 0, 1]
    sampler = RandomOverSampler(random_state=0)
    out, target = sampler.fit_resample(table, y)
    pd.testing.assert_frame_equal(out, table.iloc[[0, 1, 2, 3, 3, 3]].reset_index(drop=True))
    assert target == [0, 0, 0, 1, 1, 1]
    frame = pl.from_pandas(table.reset_index(drop=True))
    assert_frame_equal(sampler.fit_resample(frame, y)[0], frame[[0, 1, 2, 3, 3, 3]])


def test_even_allocation_repeats_every_row_alike():
    X, y = drawn()
    sampler = RandomOverSampler(allocation="even", shrinkage=0.1, random_state=0)
    sampler.fit_resample(X, y)
    times = np.bincount(sampler.sample_indices_)
    for label in (1, 2):
        assert np.ptp(times[y == label]) <= 1


def test_noise_may_be_rounded_and_clipped():
    X, y = drawn()
    X[:, 1] = np.rint(X[:, 1])
    sampler = RandomOverSampler(
        shrinkage=2.0, integer_features="auto", bounds="observed", random_state=0
    )
    out, _ = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(out[:, 1], np.rint(out[:, 1]))
    assert np.all((out >= X.min(axis=0)) & (out <= X.max(axis=0)))
    plain, _ = RandomOverSampler(shrinkage=2.0, random_state=0).fit_resample(X, y)
    assert plain.max() > X.max()


def test_integers_are_rounded_under_noise():
    X, y = drawn()
    X = np.rint(X * 9).astype(np.int16)
    sampler = RandomOverSampler(shrinkage=1.0, random_state=0)
    out, _ = sampler.fit_resample(X, y)
    wide, _ = RandomOverSampler(shrinkage=1.0, random_state=0).fit_resample(X.astype(float), y)
    assert out.dtype == np.int16
    np.testing.assert_array_equal(out, np.rint(wide))


@pytest.mark.parametrize(
    ("shrinkage", "error", "words"),
    [
        ({1: 1.0}, DataError, "missing classes are: .*2"),
        ({1: 1.0, 2: -1.0}, InvalidParameterError, "needs to be >= 0"),
        ({1: 1.0, 2: np.nan}, InvalidParameterError, "needs to be >= 0"),
        (-1, ValueError, "shrinkage"),
    ],
)
def test_wrong_widths_are_refused(shrinkage, error, words):
    with pytest.raises(error, match=words):
        RandomOverSampler(shrinkage=shrinkage).fit_resample(*drawn())


def test_noise_needs_numbers():
    X, y = drawn()
    frame = pd.DataFrame(X).assign(kind="card")
    frame.columns = frame.columns.astype(str)
    with pytest.raises(DataError, match="X needs to contain only numerical data.*'kind'"):
        RandomOverSampler(shrinkage=1.0).fit_resample(frame, y)
