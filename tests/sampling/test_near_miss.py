"""NearMiss: imbalanced-learn's rows by all three measures, without a table of distances."""

import warnings

import imblearn.under_sampling
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

import imbkit.sampling._near_miss as module
from imbkit.exceptions import ImbkitWarning, SmallClassWarning
from imbkit.sampling._near_miss import NearMiss

VERSIONS = pytest.mark.parametrize("version", [1, 2, 3])


def overlapping(seed=0, d=3, sizes=(90, 40, 20), dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (rng.normal(size=(y.size, d)) + y[:, None]).astype(dtype), y


def indices(X, y, **settings):
    sampler = NearMiss(**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImbkitWarning)
        sampler.fit_resample(X, y)
    return sampler.sample_indices_.tolist()


def expected(X, y, **settings):
    sampler = imblearn.under_sampling.NearMiss(**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        sampler.fit_resample(X, y)
    return sampler.sample_indices_.tolist()


class Counted(NearestNeighbors):
    """A neighbours object of the user's own."""


@VERSIONS
@pytest.mark.parametrize("path", [0, 10**6])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_neighbors": 1},
        {"n_neighbors": 7, "n_neighbors_ver3": 9},
        {"n_neighbors": NearestNeighbors(n_neighbors=4)},
        {"n_neighbors": NearestNeighbors(n_neighbors=2, metric="manhattan")},
        {"n_neighbors": Counted(n_neighbors=2), "n_neighbors_ver3": Counted(n_neighbors=6)},
        {"sampling_strategy": {0: 30, 1: 25, 2: 10}},
        {"sampling_strategy": "majority"},
    ],
)
def test_rows_and_order_are_those_of_the_peer(version, settings, path, monkeypatch):
    monkeypatch.setattr(module, "_SMALL", path)
    monkeypatch.setattr(module, "_BLOCK", 2**8)
    for seed, d in enumerate((2, 8, 40)):
        X, y = overlapping(seed, d, dtype=np.float32 if seed == 1 else np.float64)
        found = indices(X, y, version=version, n_jobs=2, **settings)
        assert found == expected(X, y, version=version, **settings)


@VERSIONS
def test_the_measures_are_what_they_are_said_to_be(version):
    X, y = overlapping(sizes=(60, 15))
    own, rare = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    table = np.sort(np.linalg.norm(X[own, None] - X[rare], axis=2), axis=1)
    sums = (table[:, -3:] if version == 2 else table[:, :3]).sum(axis=1)
    if version == 3:
        near = np.argsort(np.linalg.norm(X[rare, None] - X[own], axis=2), axis=1)[:, :3]
        proposed = np.unique(near)
        best = own[proposed[np.argsort(-sums[proposed])]]
    else:
        best = own[np.argsort(sums)]
    kept = indices(X, y, version=version)
    assert [row for row in kept if y[row] == 0] == best[: rare.size].tolist()


@VERSIONS
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_tables_give_the_same_rows(version, make):
    X, y = overlapping(d=6)
    X[np.random.default_rng(1).random(X.shape) < 0.3] = 0
    assert indices(make(X), y, version=version) == indices(X, y, version=version)


@VERSIONS
def test_rows_do_not_depend_on_path_blocks_or_threads(version, monkeypatch):
    X, y = overlapping(sizes=(300, 90))
    found = []
    for small, block, cells, n_jobs in [
        (10**6, 2**24, 2**20, 1),
        (10**6, 2**24, 100, 1),
        (0, 2**24, 2**20, 1),
        (0, 50, 2**20, 3),
    ]:
        monkeypatch.setattr(module, "_SMALL", small)
        monkeypatch.setattr(module, "_BLOCK", block)
        monkeypatch.setattr(module, "_CELLS", cells)
        found.append(indices(X, y, version=version, n_jobs=n_jobs))
    assert found[1:] == found[:1] * 3


@pytest.mark.parametrize("version", [1, 2])
def test_both_paths_add_to_the_same_bit(version, monkeypatch):
    X, y = overlapping(sizes=(200, 70), d=9)
    own, rare = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    mates = np.random.default_rng(0).integers(0, rare.size, (own.size, 4))
    sums = []
    for small in (0, 10**6):
        monkeypatch.setattr(module, "_SMALL", small)
        if version == 1:
            sums.append(module._sums_to(X, own, rare, mates, 1))
        else:
            sums.append(module._far_sums(X, own, rare, 4, 1))
    np.testing.assert_array_equal(*sums)


@VERSIONS
def test_missing_values_leave_out_a_column(version):
    X, y = overlapping()
    wide = np.column_stack([X, np.full(y.size, np.nan)])
    assert indices(wide, y, version=version) == indices(X, y, version=version)
    sampler = NearMiss(version=version)
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImbkitWarning)
        sampler.fit_resample(holes, y)
    assert sampler.nn_.metric == "nan_euclidean"


def test_a_row_without_a_common_column_comes_last():
    X = np.array([[np.nan, 0.0], [1.0, 5.0], [2.0, np.nan], [0.0, np.nan], [0.5, np.nan]])
    y = np.array([0, 0, 0, 1, 1])
    assert indices(X, y, version=2, n_neighbors=1)[:2] == [1, 2]


def test_fewer_proposed_rows_than_asked_for_are_told():
    X, y = overlapping(sizes=(80, 20))
    with pytest.warns(
        ImbkitWarning, match=r"number of the samples to be selected is larger.*of 60 rows of cl"
    ):
        NearMiss(version=3, sampling_strategy={0: 60}).fit_resample(X, y)


def test_fewer_rows_than_neighbours_are_all_used():
    X, y = overlapping(sizes=(30, 3))
    for version in (1, 2, 3):
        sampler = NearMiss(version=version, n_neighbors=5)
        with pytest.warns(SmallClassWarning, match="n_neighbors=5.*classes of 1: 3 rows"):
            sampler.fit_resample(X, y)
        found = sampler.sample_indices_.tolist()
        assert found == indices(X, y, version=version, n_neighbors=3)
    with pytest.warns(SmallClassWarning, match="n_neighbors_ver3=50.*classes of 0: 30 rows"):
        NearMiss(version=3, n_neighbors_ver3=50).fit_resample(X, y)


def test_of_two_smallest_classes_the_first_in_the_table_counts():
    X, y = overlapping(sizes=(50, 20, 20))
    for labels in (y, np.array([2, 0, 1])[y], np.array(["m", "z", "a"])[y]):
        for version in (1, 2, 3):
            assert indices(X, labels, version=version) == expected(X, labels, version=version)


def test_a_smallest_class_that_is_reduced_is_told():
    X, y = overlapping()
    settings = {"sampling_strategy": {0: 20, 2: 10}}
    with pytest.warns(ImbkitWarning, match="distances are taken to class 2.*against themselves"):
        NearMiss(**settings).fit_resample(X, y)
    assert indices(X, y, **settings) == expected(X, y, **settings)


def test_the_users_object_is_left_alone_and_the_fitted_ones_are_kept():
    X, y = overlapping()
    given = NearestNeighbors(n_neighbors=2)
    sampler = NearMiss(
        version=3, n_neighbors=given, n_neighbors_ver3=NearestNeighbors(n_neighbors=20), n_jobs=1
    )
    sampler.fit_resample(X, y, amount=np.arange(y.size))
    assert not hasattr(given, "n_samples_fit_")
    assert (sampler.nn_.n_neighbors, sampler.nn_.n_samples_fit_) == (2, 20)
    assert sampler.nn_ver3_.n_samples_fit_ == 40
    np.testing.assert_array_equal(sampler.companions_["amount"], sampler.sample_indices_)


class Lone:
    """A neighbours object that knows of no threads."""

    def __init__(self, n_neighbors=3):
        self.n_neighbors = n_neighbors

    def get_params(self, deep=True):
        return {"n_neighbors": self.n_neighbors}

    def fit(self, X, y=None):
        self.inner = NearestNeighbors().fit(X)
        return self

    def kneighbors(self, X, n_neighbors=None, return_distance=True):
        return self.inner.kneighbors(X, n_neighbors or self.n_neighbors, return_distance)

    def kneighbors_graph(self, X):
        return self.inner.kneighbors_graph(X)


@VERSIONS
def test_any_neighbours_object_will_do(version):
    X, y = overlapping()
    found = indices(X, y, version=version, n_neighbors=Lone(), n_neighbors_ver3=Lone(5))
    assert found == indices(X, y, version=version, n_neighbors_ver3=5)


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 50))
def test_the_lowest_values_are_found_in_stable_order(values, n):
    values = np.array(values, dtype=float)
    np.testing.assert_array_equal(module._lowest(values, n), np.argsort(values, kind="stable")[:n])
