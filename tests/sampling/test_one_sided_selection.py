"""OneSidedSelection: imbalanced-learn's rows, by one search instead of two classifiers."""

import warnings

import imblearn.under_sampling
import numpy as np
import pytest
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

import imbkit._core.condense
from imbkit.exceptions import ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.sampling._one_sided_selection import OneSidedSelection
from imbkit.sampling._tomek_links import tomek_links


def overlapping(seed=0, d=3, sizes=(90, 40, 20), shift=0.8):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(y.size, d)) + y[:, None] * shift, y


def indices(X, y, **settings):
    sampler = OneSidedSelection(**{"random_state": 0, **settings})
    sampler.fit_resample(X, y)
    return sampler.sample_indices_.tolist()


@pytest.mark.parametrize("path", [0, 10**6])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_seeds_S": 8},
        {"n_neighbors": 2, "n_seeds_S": 5},
        {"n_neighbors": 3, "n_seeds_S": 30},
        {"n_neighbors": KNeighborsClassifier(1, algorithm="brute")},
        {"n_neighbors": KNeighborsClassifier(3, weights="distance"), "n_seeds_S": 4},
        {"sampling_strategy": [0]},
        {"sampling_strategy": "all", "n_seeds_S": 3},
    ],
)
@pytest.mark.filterwarnings("ignore:OneSidedSelection. the store starts")
def test_rows_and_order_are_those_of_the_peer(settings, path, monkeypatch):
    monkeypatch.setattr(imbkit._core.condense, "_SMALL", path)
    for seed in range(5):
        X, y = overlapping(seed, sizes=(90, 40, 20) if seed else (90, 30))
        peer = imblearn.under_sampling.OneSidedSelection(random_state=seed, **settings)
        peer.fit_resample(X, y)
        assert indices(X, y, random_state=seed, **settings) == peer.sample_indices_.tolist()


def test_what_is_kept_is_wrong_by_its_store_and_in_no_link():
    X, y = overlapping()
    sampler = OneSidedSelection(random_state=3, n_seeds_S=4)
    sampler.fit_resample(X, y)
    kept, expected = sampler.sample_indices_, []
    rng = np.random.RandomState(3)
    for label, estimator in zip((0, 1), sampler.estimators_, strict=True):
        members = np.flatnonzero(y == label)
        seeds = members[rng.randint(0, members.size, 4)]
        rest = np.setdiff1d(members, seeds)
        expected += [*seeds, *rest[estimator.predict(X[rest]) != label]]
    expected = np.array([*expected, *np.flatnonzero(y == 2)])
    links = tomek_links(X[expected], y[expected])
    dropped = expected[links.ravel()]
    dropped = dropped[y[dropped] != 2]
    assert dropped.size
    np.testing.assert_array_equal(kept, expected[~np.isin(expected, dropped)])


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_tables_give_the_same_rows(make):
    X, y = overlapping(d=6)
    X[np.random.default_rng(1).random(X.shape) < 0.3] = 0
    assert indices(make(X), y) == indices(X, y)


def test_missing_values_leave_out_a_column():
    X, y = overlapping()
    assert indices(np.column_stack([X, np.full(y.size, np.nan)]), y) == indices(X, y)


def test_a_smallest_class_that_is_reduced_is_told():
    X, y = overlapping()
    with pytest.warns(ImbkitWarning, match="starts from class 2, .*of it only the seeds"):
        OneSidedSelection(random_state=0, sampling_strategy="all").fit_resample(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        OneSidedSelection(random_state=0).fit_resample(X, y)


def test_fewer_stored_rows_than_voters_all_vote():
    X, y = overlapping(sizes=(30, 3))
    with pytest.warns(SmallClassWarning, match="Got 3 rows of class 1 and 2 seeds"):
        found = indices(X, y, n_neighbors=9, n_seeds_S=2)
    assert found == indices(X, y, n_neighbors=5, n_seeds_S=2)


def test_a_class_of_seeds_alone_is_kept():
    X, y = overlapping(sizes=(5, 4))
    sampler = OneSidedSelection(random_state=0, n_seeds_S=200)
    _, kept = sampler.fit_resample(X, y)
    assert np.count_nonzero(kept == 1) == 4
    assert 5 <= np.unique(sampler.sample_indices_).size <= 9


def test_companions_follow_the_rows():
    X, y = overlapping()
    sampler = OneSidedSelection(random_state=0)
    X_kept, _ = sampler.fit_resample(X, y, sample_weight=np.arange(y.size) + 0.5)
    np.testing.assert_array_equal(X_kept, X[sampler.sample_indices_])
    np.testing.assert_array_equal(
        sampler.companions_["sample_weight"], sampler.sample_indices_ + 0.5
    )


def test_a_finder_without_votes_is_refused():
    X, y = overlapping()
    sampler = OneSidedSelection(n_neighbors=NearestNeighbors(n_neighbors=1))
    with pytest.raises(InvalidParameterError, match=r"classifier.*Got NearestNeighbors"):
        sampler.fit_resample(X, y)
