"""RandomUnderSampler: the rows of imbalanced-learn, of any kind."""

import imblearn.under_sampling
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from imbkit.sampling import RandomUnderSampler


def drawn(seed=0, sizes=(60, 30, 20)):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(y.size, 3)), y


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("strategy", ["auto", "majority", "all", {0: 40, 2: 5}])
def test_rows_and_order_are_those_of_the_peer(replacement, strategy):
    for seed in range(5):
        X, y = drawn(seed)
        for random in (lambda seed=seed: seed, lambda seed=seed: np.random.RandomState(seed)):
            options = {"sampling_strategy": strategy, "replacement": replacement}
            peer = imblearn.under_sampling.RandomUnderSampler(random_state=random(), **options)
            ours = RandomUnderSampler(random_state=random(), **options)
            expected, found = peer.fit_resample(X, y), ours.fit_resample(X, y)
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])
            np.testing.assert_array_equal(ours.sample_indices_, peer.sample_indices_)
            assert ours.sampling_strategy_ == peer.sampling_strategy_


def test_every_row_is_a_copy():
    X, y = drawn()
    sampler = RandomUnderSampler(random_state=0)
    out, target = sampler.fit_resample(X, y, sample_weight=np.arange(110.0))
    kept = sampler.sample_indices_
    np.testing.assert_array_equal(out, X[kept])
    np.testing.assert_array_equal(target, y[kept])
    np.testing.assert_array_equal(sampler.parents_, np.column_stack([kept, kept]))
    np.testing.assert_array_equal(sampler.companions_["sample_weight"], kept)
    assert not sampler.steps_.any()
    assert np.unique(kept).size == kept.size == 60
    weights = [kept[target == label].sum() / kept.sum() for label in range(3)]
    np.testing.assert_allclose(list(sampler.effective_prior_.values()), weights)


def mixed():
    table = pd.DataFrame(
        {
            "text": ["a", None, "c", "d", "e", "f"],
            "level": pd.Categorical(["x", "y", "x", None, "y", "x"]),
            "when": pd.date_range("2024", periods=6, tz="UTC"),
            "number": [1.0, np.nan, np.inf, 4, 5, 6],
            "maybe": pd.array([1, None, 3, 4, 5, 6], dtype="Int8"),
        },
        index=list("uvwxyz"),
    )
    return table, pd.Series([0, 0, 0, 0, 1, 1], index=table.index, name="label")


def test_pandas_keeps_its_labels_and_columns_of_any_kind():
    X, y = mixed()
    sampler = RandomUnderSampler(random_state=0)
    out, target = sampler.fit_resample(X, y, amount=X["number"])
    pd.testing.assert_frame_equal(out, X.iloc[sampler.sample_indices_])
    pd.testing.assert_series_equal(target, y.iloc[sampler.sample_indices_])
    pd.testing.assert_series_equal(sampler.companions_["amount"], out["number"])


def test_other_tables_pass_untouched_too():
    X, y = mixed()
    kept = RandomUnderSampler(random_state=0).fit_resample_plan(X, y).base
    frame = pl.from_pandas(X.drop(columns="when").reset_index(drop=True))
    objects = np.array([["a", 1], [None, 2], ["c", {}], ["d", 4], ["e", 5], ["f", 6]], object)
    numbers = sparse.csc_matrix(np.eye(6, dtype=np.int8))
    for table in (frame, objects, numbers, objects.tolist()):
        out, _ = RandomUnderSampler(random_state=0).fit_resample(table, y.to_numpy())
        assert type(out) is type(table)
        if isinstance(table, pl.DataFrame):
            assert out.equals(frame[kept])
        elif sparse.issparse(table):
            assert out.dtype == np.int8
            np.testing.assert_array_equal(out.toarray(), table.toarray()[kept])
        else:
            assert np.asarray(out, dtype=object).tolist() == objects[kept].tolist()


def test_a_class_that_is_not_named_is_kept_whole():
    X, y = drawn()
    _, target = RandomUnderSampler(sampling_strategy={0: 7}, random_state=0).fit_resample(X, y)
    assert np.bincount(target).tolist() == [7, 30, 20]
    _, target = RandomUnderSampler(sampling_strategy={0: 0}, random_state=0).fit_resample(X, y)
    assert np.bincount(target).tolist() == [0, 30, 20]
