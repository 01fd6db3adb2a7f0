"""BorderlineSMOTE: the rows of imbalanced-learn, and what it says where those had no word."""

import warnings

import imblearn.over_sampling
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from imbkit.exceptions import ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.sampling import SMOTE, BorderlineSMOTE

KINDS = ["borderline-1", "borderline-2"]


def overlapping(seed=0, d=2, sizes=(90, 30, 20), dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (rng.normal(size=(y.size, d)) + y[:, None] * 0.5).astype(dtype), y


def apart(seed=0):
    """Class 1 overlaps class 0; class 2 stands alone."""
    X, y = overlapping(seed)
    X[y == 2] += 50
    return X, y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("sizes", [(90, 30), (90, 30, 20), (80, 30, 25, 20)])
def test_rows_and_order_are_those_of_the_peer(kind, d, sizes):
    for seed in range(5):
        dtype = np.float32 if seed % 2 else np.float64
        X, y = overlapping(seed, d, sizes, dtype)
        for random in (lambda seed=seed: seed, lambda seed=seed: np.random.RandomState(seed)):
            peer = imblearn.over_sampling.BorderlineSMOTE(kind=kind, random_state=random())
            ours = BorderlineSMOTE(kind=kind, random_state=random())
            expected, found = peer.fit_resample(X, y), ours.fit_resample(X, y)
            assert found[0].dtype == dtype
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])
            assert ours.in_danger_indices.keys() == peer.in_danger_indices.keys()
            for label, rows in peer.in_danger_indices.items():
                np.testing.assert_array_equal(ours.in_danger_indices[label], rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_tables_give_the_same_rows(kind, make):
    X, y = overlapping(d=6)
    X[np.random.default_rng(1).random(X.shape) < 0.4] = 0
    expected, _ = BorderlineSMOTE(kind=kind, random_state=0).fit_resample(X, y)
    found, _ = BorderlineSMOTE(kind=kind, random_state=0).fit_resample(make(X), y)
    assert type(found) is make
    np.testing.assert_array_equal(found.toarray(), expected)


def test_frames_and_text_labels_give_the_same_rows():
    X, y = overlapping()
    names = np.array(["usual", "fraud", "error"])[y]
    frame, labels = pd.DataFrame(X, columns=["a", "b"]), pd.Series(names, name="label")
    peer = imblearn.over_sampling.BorderlineSMOTE(random_state=3)
    expected, found = peer.fit_resample(frame, labels), BorderlineSMOTE(random_state=3)
    table, target = found.fit_resample(frame, labels)
    pd.testing.assert_frame_equal(table, expected[0])
    pd.testing.assert_series_equal(target, expected[1])


def test_danger_is_at_least_half_but_not_all_of_the_neighbours():
    X, y = overlapping(2)
    sampler = BorderlineSMOTE(m_neighbors=7, random_state=0)
    sampler.fit_resample(X, y)
    for label in (1, 2):
        danger = []
        for row in np.flatnonzero(y == label):
            squared = ((X - X[row]) ** 2).sum(axis=1)
            squared[row] = np.inf
            enemies = np.count_nonzero(y[np.argsort(squared)[:7]] != label)
            if 3.5 <= enemies < 7:
                danger.append(row)
        assert sampler.in_danger_indices[label].tolist() == danger
        new = sampler.sample_indices_[y.size :]
        assert set(new[y[new] == label]) <= set(danger)


def test_mates_of_the_first_kind_are_near_rows_of_the_class():
    X, y = overlapping(1)
    sampler = BorderlineSMOTE(random_state=0)
    out, target = sampler.fit_resample(X, y)
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(out, X[a] + sampler.steps_[:, None] * (X[b] - X[a]))
    np.testing.assert_array_equal(target, y[a])
    np.testing.assert_array_equal(y[a], y[b])


def test_a_mate_of_another_class_pulls_less_than_half_way():
    X, y = overlapping(1)
    sampler = BorderlineSMOTE(kind="borderline-2", random_state=0)
    out, _ = sampler.fit_resample(X, y, amount=X[:, 0])
    a, b = sampler.parents_.T
    foreign = y[a] != y[b]
    assert 10 < np.count_nonzero(foreign) < foreign.size - y.size
    np.testing.assert_array_equal(np.isnan(sampler.steps_), foreign)
    share = ((out - X[a]) * (X[b] - X[a])).sum(axis=1)[foreign]
    share /= ((X[b] - X[a]) ** 2).sum(axis=1)[foreign]
    assert share.min() > 0
    assert share.max() < 0.5
    same = ~foreign
    between = X[a] + sampler.steps_[:, None] * (X[b] - X[a])
    np.testing.assert_array_equal(out[same], between[same])
    # The companion of a row on no segment is the base row's.
    np.testing.assert_array_equal(sampler.companions_["amount"][foreign], X[a, 0][foreign])
    np.testing.assert_allclose(sampler.companions_["amount"][same], out[same, 0], rtol=1e-14)


def test_the_peer_leaves_a_class_without_danger_and_so_do_we_with_a_word():
    X, y = apart()
    sampler = BorderlineSMOTE(random_state=0)
    with pytest.warns(ImbkitWarning, match=r"none among the 20 rows of 2\. Set exact") as said:
        out, target = sampler.fit_resample(X, y)
    assert len(said) == 1
    expected = imblearn.over_sampling.BorderlineSMOTE(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out, expected[0])
    assert np.bincount(target).tolist() == [90, 90, 20]
    assert set(sampler.in_danger_indices) == {1}


@pytest.mark.parametrize("kind", KINDS)
def test_exact_counts_grow_such_a_class_as_smote_does(kind):
    X, y = apart()
    sampler = BorderlineSMOTE(kind=kind, exact_counts=True, random_state=0)
    out, target = sampler.fit_resample(X, y)
    assert np.bincount(target).tolist() == [90, 90, 90]
    assert set(sampler.in_danger_indices) == {1}
    plain, labels = SMOTE(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out[target == 2], plain[labels == 2])
    assert not np.isnan(sampler.steps_[target == 2]).any()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        usual, labels = BorderlineSMOTE(kind=kind, random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out[target == 1], usual[labels == 1])


def test_exact_counts_change_nothing_where_every_class_has_a_border():
    X, y = overlapping()
    np.testing.assert_array_equal(
        BorderlineSMOTE(exact_counts=True, random_state=0).fit_resample(X, y)[0],
        BorderlineSMOTE(random_state=0).fit_resample(X, y)[0],
    )


@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_objects_stand_for_numbers(kind):
    X, y = overlapping(4)
    expected, _ = BorderlineSMOTE(kind=kind, random_state=0).fit_resample(X, y)
    k, m = NearestNeighbors(n_neighbors=6), NearestNeighbors(n_neighbors=11)
    for options in ({"k_neighbors": k}, {"m_neighbors": m}, {"k_neighbors": k, "m_neighbors": m}):
        sampler = BorderlineSMOTE(kind=kind, random_state=0, **options)
        np.testing.assert_array_equal(sampler.fit_resample(X, y)[0], expected)
        assert (sampler.nn_k_.n_neighbors, sampler.nn_m_.n_neighbors) == (6, 11)
    assert not hasattr(k, "n_samples_fit_")


@pytest.mark.parametrize(("k", "m"), [(3, 12), (12, 3), (7, 7)])
def test_one_list_of_neighbours_serves_both_searches(k, m):
    X, y = overlapping(5)
    options = {"kind": "borderline-2", "k_neighbors": k, "m_neighbors": m, "random_state": 1}
    np.testing.assert_array_equal(
        BorderlineSMOTE(**options).fit_resample(X, y)[0],
        imblearn.over_sampling.BorderlineSMOTE(**options).fit_resample(X, y)[0],
    )


def test_a_class_with_few_rows_in_danger_uses_all_of_its_rows():
    X, y = overlapping(0, sizes=(60, 4))
    X[y == 1] = X[y == 0][:4] + 0.01
    sampler = BorderlineSMOTE(m_neighbors=30, random_state=0)
    with pytest.warns(SmallClassWarning, match="5 neighbours need 6 rows of a class") as said:
        _, target = sampler.fit_resample(X, y)
    assert len(said) == 1
    assert np.bincount(target).tolist() == [60, 60]
    assert np.all(y[sampler.parents_[64:]] == 1)


def test_a_single_row_is_never_in_danger():
    X, y = overlapping(0, sizes=(30, 1))
    with pytest.warns(ImbkitWarning, match="none among the 1 rows of 1"):
        out, _ = BorderlineSMOTE(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out, X)
    sampler = BorderlineSMOTE(exact_counts=True, random_state=0)
    with pytest.warns(SmallClassWarning, match="its single row was repeated") as said:
        out, target = sampler.fit_resample(X, y)
    assert len(said) == 1
    np.testing.assert_array_equal(out[target == 1], np.repeat(X[y == 1], 30, axis=0))


def test_a_table_of_fewer_rows_than_neighbours_uses_them_all():
    X, y = overlapping(0, sizes=(5, 3))
    sampler = BorderlineSMOTE(kind="borderline-2", random_state=0)
    with pytest.warns(SmallClassWarning, match="10 neighbours need 11 rows; all") as said:
        _, target = sampler.fit_resample(X, y)
    assert len(said) == 1
    assert np.bincount(target).tolist() == [5, 5]


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_a_new_value_is_missing_only_if_both_parents_are(make):
    X, y = overlapping(3, d=4)
    rng = np.random.default_rng(0)
    X[rng.random(X.shape) < 0.2] = np.nan
    if make is np.asarray:
        sampler = BorderlineSMOTE(kind="borderline-2", random_state=0)
    else:
        # Sparse tables have no distance for missing values, but a user's object may.
        near = Shuffled(n_neighbors=6)
        sampler = BorderlineSMOTE(
            kind="borderline-2", k_neighbors=near, m_neighbors=near, random_state=0
        )
    out, _ = sampler.fit_resample(make(X), y)
    out = out if make is np.asarray else out.toarray()
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(np.isnan(out), np.isnan(X[a]) & np.isnan(X[b]))
    lone = np.isnan(X[a]) & ~np.isnan(X[b])
    assert lone.any()
    np.testing.assert_array_equal(out[lone], X[b][lone])
    lone = np.isnan(X[b]) & ~np.isnan(X[a])
    np.testing.assert_array_equal(out[lone], X[a][lone])


class Shuffled(NearestNeighbors):
    """Rows that follow one another stand for near rows."""

    def fit(self, X, y=None):
        self.n_ = X.shape[0]
        return self

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        return (np.arange(X.shape[0])[:, None] * 3 + np.arange(self.n_neighbors)) % self.n_


@pytest.mark.parametrize("kind", KINDS)
def test_even_allocation_uses_every_row_in_danger_alike(kind):
    X, y = overlapping()
    sampler = BorderlineSMOTE(kind=kind, allocation="even", random_state=0)
    sampler.fit_resample(X, y)
    new = sampler.sample_indices_[y.size :]
    for label, rows in sampler.in_danger_indices.items():
        found, times = np.unique(new[y[new] == label], return_counts=True)
        np.testing.assert_array_equal(found, rows)
        assert times.max() - times.min() <= 1


def test_the_plan_is_what_is_written():
    X, y = overlapping()
    sampler = BorderlineSMOTE(kind="borderline-2", random_state=0)
    plan = sampler.fit_resample_plan(X, y)
    again = BorderlineSMOTE(kind="borderline-2", random_state=0)
    out, _ = again.fit_resample(X, y)
    np.testing.assert_array_equal(plan.parents, again.parents_)
    # Any part of it can be written by itself.
    part = plan.take([out.shape[0] - 1, 3, y.size + 5])
    np.testing.assert_array_equal(sampler._make(X, part), out[[-1, y.size + 5]])


def test_nothing_to_make_is_no_reason_to_speak():
    X, y = overlapping(sizes=(20, 20))
    out, _ = BorderlineSMOTE(kind="borderline-2", random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out, X)


def test_any_number_of_threads_gives_the_same_rows():
    X, y = overlapping()
    one, two = (
        BorderlineSMOTE(n_jobs=n_jobs, random_state=0).fit_resample(X, y)[0] for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "options", [{"kind": "borderline-3"}, {"exact_counts": "yes"}, {"m_neighbors": 0}]
)
def test_wrong_options_are_refused(options):
    with pytest.raises((InvalidParameterError, ValueError), match=next(iter(options))):
        BorderlineSMOTE(**options).fit_resample(*overlapping())
