"""CondensedNearestNeighbour: imbalanced-learn's rows, its two slips said aloud, any classifier."""

import warnings

import imblearn.under_sampling
import numpy as np
import pytest
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.tree import DecisionTreeClassifier

import imbkit._core.condense
from imbkit.exceptions import ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.sampling._condensed_nearest_neighbour import CondensedNearestNeighbour


def overlapping(seed=0, d=3, sizes=(70, 30, 15), shift=0.5):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(y.size, d)) + y[:, None] * shift, y


def quiet(sampler, X, y, **companions):
    """Resample; what was passed over is looked at elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImbkitWarning)
        return sampler.fit_resample(X, y, **companions)


def indices(module, X, y, **settings):
    settings = {"random_state": 0, **settings}
    sampler = module.CondensedNearestNeighbour(**settings)
    quiet(sampler, X, y)
    return sampler.sample_indices_.tolist()


class Ours:
    CondensedNearestNeighbour = CondensedNearestNeighbour


@pytest.mark.parametrize("path", [0, 10**6])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_seeds_S": 4},
        {"n_neighbors": 2},
        {"n_neighbors": 3, "n_seeds_S": 2},
        {"n_neighbors": KNeighborsClassifier(1, algorithm="brute")},
        {"n_neighbors": KNeighborsClassifier(3, weights="distance")},
        {"n_neighbors": KNeighborsClassifier(2, metric="manhattan")},
        {"sampling_strategy": [1, 2]},
        {"sampling_strategy": "majority"},
        {"sampling_strategy": "all", "n_seeds_S": 2},
    ],
)
def test_rows_and_order_are_those_of_the_peer(settings, path, monkeypatch):
    monkeypatch.setattr(imbkit._core.condense, "_SMALL", path)
    monkeypatch.setattr(imbkit._core.condense, "_FEW", 4)
    for seed in range(3):
        X, y = overlapping(seed, sizes=(70, 30, 15) if seed else (60, 20))
        if seed == 0 and settings.get("sampling_strategy") == [1, 2]:
            continue
        expected = indices(imblearn.under_sampling, X, y, **settings)
        assert indices(Ours, X, y, **settings) == expected


def test_a_random_state_goes_on_from_class_to_class():
    X, y = overlapping()
    one, other = (np.random.RandomState(5) for _ in range(2))
    expected = indices(imblearn.under_sampling, X, y, random_state=one)
    assert indices(Ours, X, y, random_state=other) == expected
    assert one.randint(10**6) == other.randint(10**6)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_tables_give_the_same_rows(make):
    X, y = overlapping(d=6)
    X[np.random.default_rng(1).random(X.shape) < 0.3] = 0
    assert indices(Ours, make(X), y) == indices(Ours, X, y)


def first_of_equal_size(y):
    """Tell apart by place what sorts the other way round."""
    return np.where(y == 1, "a", "z")


def test_of_two_smallest_classes_the_first_in_the_table_is_the_ground():
    X, y = overlapping(sizes=(20, 20))
    for labels in (y, 1 - y, first_of_equal_size(y)):
        expected = indices(imblearn.under_sampling, X, labels)
        assert indices(Ours, X, labels) == expected


@pytest.mark.filterwarnings("ignore:CondensedNearestNeighbour. rows that the store got wrong")
def test_a_smallest_class_that_is_reduced_is_told():
    X, y = overlapping()
    sampler = CondensedNearestNeighbour(random_state=0, sampling_strategy="all")
    with pytest.warns(ImbkitWarning, match="starts from class 2, .*of it only the seeds") as told:
        _, kept = sampler.fit_resample(X, y)
    assert np.count_nonzero(kept == 2) == 1
    assert sum("starts from" in str(one.message) for one in told) == 1
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        CondensedNearestNeighbour(random_state=0).fit_resample(X, y)
    assert "starts from" not in "".join(str(one.message) for one in told)


def test_rows_that_are_passed_over_are_told():
    X, y = overlapping()
    sampler = CondensedNearestNeighbour(random_state=0)
    with pytest.warns(ImbkitWarning, match=r"were passed over.*Got (\d+) of class 0"):
        sampler.fit_resample(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler.set_params(sampling_strategy=[0]).fit_resample(*without_slip())


def without_slip():
    """A class behind more other rows than it has, so that no position equals a number."""
    X, y = overlapping(sizes=(60, 20, 70))
    order = np.argsort(-y, kind="stable")
    return X[order], y[order]


@pytest.mark.parametrize("k", [1, 3])
def test_without_a_slip_the_store_gets_every_row_right(k):
    X, y = without_slip()
    sampler = CondensedNearestNeighbour(random_state=0, sampling_strategy=[0], n_neighbors=k)
    sampler.fit_resample(X, y)
    (estimator,) = sampler.estimators_
    own = y == 0
    stored = sampler.sample_indices_[y[sampler.sample_indices_] == 0]
    assert estimator.n_samples_fit_ == stored.size + 20
    wrong = np.flatnonzero((estimator.predict(X) != y) & own)
    # Three voters may outvote a row that is stored itself, and no other one.
    assert set(wrong) <= (set(stored) if k > 1 else set())


def test_any_classifier_is_asked_anew_after_each_addition():
    X, y = overlapping(sizes=(60, 20))
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    sampler = CondensedNearestNeighbour(random_state=0, n_neighbors=Bridge(tree))
    quiet(sampler, X, y)
    store, members = sampler.sample_indices_, np.flatnonzero(y == 0)
    kept = store[y[store] == 0]
    rivals = np.flatnonzero(y == 1)
    added = [kept[0]]
    for position, row in enumerate(members):
        now = np.concatenate([rivals, added])
        wrong = Bridge(tree).fit(X[now], y[now]).predict(X[[row]])[0] != 0
        if wrong and position not in added:
            added.append(row)
    assert added == kept.tolist()
    assert isinstance(sampler.estimators_[0], Bridge)


class Bridge(DecisionTreeClassifier):
    """A tree that passes for a neighbours object."""

    def __init__(self, tree=None):
        super().__init__()
        self.tree = tree

    def fit(self, X, y):
        self.tree.fit(X, y)
        return self

    def predict(self, X):
        return self.tree.predict(X)

    def kneighbors(self):
        raise NotImplementedError

    kneighbors_graph = kneighbors


def test_a_finder_without_votes_is_refused():
    X, y = overlapping()
    sampler = CondensedNearestNeighbour(n_neighbors=NearestNeighbors(n_neighbors=1))
    with pytest.raises(InvalidParameterError, match=r"classifier.*Got NearestNeighbors"):
        sampler.fit_resample(X, y)


def test_fewer_stored_rows_than_voters_all_vote():
    X, y = overlapping(sizes=(30, 3))
    sampler = CondensedNearestNeighbour(random_state=0, n_neighbors=9)
    with pytest.warns(SmallClassWarning, match="9 neighbours.*Got 3 rows of class 1 and 1 seeds"):
        sampler.fit_resample(X, y)
    assert sampler.estimators_[0].n_neighbors == 4
    assert indices(Ours, X, y, n_neighbors=9) == indices(Ours, X, y, n_neighbors=4)


def test_missing_values_leave_out_a_column():
    X, y = overlapping(d=2)
    wide = np.column_stack([X, X])
    wide[::3, 2] = np.nan
    holes = wide.copy()
    holes[::3, 0] = np.nan
    sampler = CondensedNearestNeighbour(random_state=0)
    quiet(sampler, holes, y)
    assert sampler.estimators_[0].metric == "nan_euclidean"
    # A constant column that is missing nowhere, and one that is missing everywhere.
    found = indices(Ours, np.column_stack([X, np.full(y.size, np.nan)]), y)
    assert found == indices(Ours, X, y)


def test_companions_and_estimators_follow_the_rows():
    X, y = overlapping()
    sampler = CondensedNearestNeighbour(random_state=0)
    X_kept, y_kept = quiet(sampler, X, y, amount=np.arange(y.size))
    kept = sampler.sample_indices_
    np.testing.assert_array_equal(X_kept, X[kept])
    np.testing.assert_array_equal(y_kept, y[kept])
    np.testing.assert_array_equal(sampler.companions_["amount"], kept)
    assert [e.n_samples_fit_ for e in sampler.estimators_] == [
        np.isin(y_kept, [label, 2]).sum() for label in (0, 1)
    ]


def test_parameters_and_seeds_are_left_as_they_were():
    X, y = overlapping()
    given = KNeighborsClassifier(n_neighbors=40)
    sampler = CondensedNearestNeighbour(random_state=0, n_neighbors=given)
    before = X.copy()
    quiet(sampler, X, y)
    assert given.n_neighbors == 40
    assert sampler.n_neighbors is given
    np.testing.assert_array_equal(X, before)


class OwnVotes(KNeighborsClassifier):
    """A classifier that is not known to be a plain vote."""


def test_the_slow_way_passes_over_and_tells_the_same():
    X, y = overlapping()
    told = []
    for n_neighbors in (1, OwnVotes(n_neighbors=1)):
        sampler = CondensedNearestNeighbour(random_state=0, n_neighbors=n_neighbors)
        with pytest.warns(ImbkitWarning, match="were passed over") as warned:
            sampler.fit_resample(X, y)
        told.append((sampler.sample_indices_.tolist(), str(warned[0].message)))
    assert told[0] == told[1]
