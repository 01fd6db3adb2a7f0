"""SMOTEENN, and what it has in common with SMOTETomek: over-sampling, then cleaning."""

import pickle

import imblearn.combine
import imblearn.over_sampling
import imblearn.under_sampling
import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal
from scipy import sparse
from sklearn.base import clone

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.sampling import SMOTE, SMOTEENN, BorderlineSMOTE, RandomOverSampler, SMOTETomek
from imbkit.sampling._edited_nearest_neighbours import EditedNearestNeighbours
from imbkit.sampling._smotenc import SMOTENC
from imbkit.sampling._tomek_links import TomekLinks

BOTH = [
    (SMOTEENN, EditedNearestNeighbours, "enn"),
    (SMOTETomek, TomekLinks, "tomek"),
]
both = pytest.mark.parametrize(("combined", "cleaner", "name"), BOTH)


def overlapping(seed=0, d=2, sizes=(90, 30, 20), dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (rng.normal(size=(y.size, d)) + y[:, None]).astype(dtype), y


def chained(cleaner, X, y, smote=None, **companions):
    """Resample by one sampler after the other; the table, the target, both samplers."""
    first = SMOTE(random_state=0) if smote is None else clone(smote)
    grown, target = first.fit_resample(X, y, **companions)
    second = cleaner(sampling_strategy="all")
    return *second.fit_resample(grown, target, **first.companions_), first, second


def tables():
    """The same measurements in every container; two columns of whole numbers where it can."""
    X, y = overlapping(d=3)
    whole = np.rint(X * 3)
    times = pd.Series(pd.date_range("2024", periods=y.size, freq="h", unit="ns"))
    columns = {"a": X[:, 0], "b": X[:, 1].astype(np.float32), "c": whole[:, 2].astype(np.int16)}
    frame = pd.DataFrame({**columns, "when": times}).set_index(np.arange(y.size) * 7)
    names = np.array(["usual", "fraud", "error"])[y]
    return {
        "float32": (X.astype(np.float32), y),
        "integer": (whole.astype(np.int64), y),
        "list": (X.tolist(), y.tolist()),
        "csr": (sparse.csr_array(whole), y),
        "csc": (sparse.csc_matrix(whole), names),
        "pandas": (frame, pd.Series(names, index=frame.index, name="label")),
        "polars": (pl.DataFrame(columns), pl.Series("label", names)),
        "one-hot": (X, np.eye(3, dtype=int)[y]),
        "Fortran": (np.asfortranarray(X), names),
    }


def assert_same(found, expected):
    assert type(found) is type(expected)
    if sparse.issparse(found):
        found, expected = found.toarray(), expected.toarray()
    if isinstance(found, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected)
    elif isinstance(found, pd.Series):
        pd.testing.assert_series_equal(found, expected)
    elif isinstance(found, pl.DataFrame):
        assert_frame_equal(found, expected)
    elif isinstance(found, pl.Series):
        assert_series_equal(found, expected)
    else:
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("sizes", [(90, 30), (90, 30, 20), (80, 30, 25, 20)])
def test_rows_and_order_are_those_of_the_peer(d, sizes):
    for seed in range(5):
        dtype = np.float32 if seed % 2 else np.float64
        X, y = overlapping(seed, d, sizes, dtype)
        for random in (lambda seed=seed: seed, lambda seed=seed: np.random.RandomState(seed)):
            peer = imblearn.combine.SMOTEENN(random_state=random())
            ours = SMOTEENN(random_state=random())
            expected, found = peer.fit_resample(X, y), ours.fit_resample(X, y)
            assert found[0].dtype == dtype
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])
            assert ours.sampling_strategy_ == peer.sampling_strategy_ == "auto"
            assert ours.smote_.sampling_strategy_ == peer.smote_.sampling_strategy_


@both
@pytest.mark.parametrize("container", list(tables()))
def test_it_gives_what_the_two_samplers_give_one_after_the_other(
    combined, cleaner, name, container
):
    X, y = tables()[container]
    table, target, _, _ = chained(cleaner, X, y)
    found = combined(random_state=0).fit_resample(X, y)
    assert_same(found[0], table)
    assert_same(found[1], target)


@both
@pytest.mark.parametrize("policy", [None, "base", "mean", 2.5])
def test_companions_go_through_both_samplers(combined, cleaner, name, policy):
    X, y = overlapping(3)
    rng = np.random.default_rng(0)
    given = {"sample_weight": rng.random(y.size), "amount": pd.Series(rng.random(y.size) * 9)}
    smote = SMOTE(random_state=0, companion_policy=policy)
    _, _, _, second = chained(cleaner, X, y, smote, **given)
    sampler = combined(companion_policy=policy, random_state=0)
    sampler.fit_resample(X, y, **given)
    for key, column in second.companions_.items():
        assert_same(sampler.companions_[key], column)
    assert sampler.effective_prior_ == second.effective_prior_


@both
def test_every_row_is_traced_to_rows_of_the_input(combined, cleaner, name):
    X, y = overlapping(4)
    sampler = combined(random_state=0)
    out, target = sampler.fit_resample(X, y)
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(out, X[a] + sampler.steps_[:, None] * (X[b] - X[a]))
    np.testing.assert_array_equal(target, y[a])
    np.testing.assert_array_equal(sampler.sample_indices_, a)
    _, _, first, second = chained(cleaner, X, y)
    np.testing.assert_array_equal(sampler.parents_, first.parents_[second.sample_indices_])
    np.testing.assert_array_equal(sampler.steps_, first.steps_[second.sample_indices_])
    assert 0 < np.count_nonzero(sampler.steps_) < out.shape[0] < first.steps_.size
    plan = combined(random_state=0).fit_resample_plan(X, y)
    np.testing.assert_array_equal(plan.parents, sampler.parents_)
    np.testing.assert_array_equal(plan.made, sampler.steps_ != 0)


@both
def test_values_are_made_once(combined, cleaner, name, monkeypatch):
    calls = []
    original = SMOTE._make

    def counted(self, X, plan):
        calls.append(plan.n_made)
        return original(self, X, plan)

    monkeypatch.setattr(SMOTE, "_make", counted)
    X, y = overlapping()
    combined(random_state=0).fit_resample(X, y, amount=X[:, 0])
    assert calls == [130]


@both
def test_samplers_of_the_peer_become_our_own(combined, cleaner, name):
    X, y = overlapping()
    smote = imblearn.over_sampling.SMOTE(random_state=3, k_neighbors=3)
    peer = getattr(imblearn.under_sampling, cleaner.__name__)(sampling_strategy=[0])
    sampler = combined(smote=smote, **{name: peer})
    out, _ = sampler.fit_resample(X, y)
    assert type(sampler.smote_) is SMOTE
    assert sampler.smote_.get_params()["k_neighbors"] == 3
    assert type(getattr(sampler, f"{name}_")) is cleaner
    original = getattr(imblearn.combine, combined.__name__)(smote=smote, **{name: peer})
    np.testing.assert_array_equal(out, original.fit_resample(X, y)[0])
    assert sampler.smote is smote
    assert not hasattr(smote, "sampling_strategy_")


@both
def test_a_cleaner_of_the_users_own_is_kept(combined, cleaner, name):
    class Own(getattr(imblearn.under_sampling, cleaner.__name__)):
        def _fit_resample(self, X, y):
            self.sample_indices_ = np.arange(len(y))[::-2]
            return X[::-2], y[::-2]

    X, y = overlapping()
    sampler = combined(random_state=0, **{name: Own(sampling_strategy="all")})
    out, target = sampler.fit_resample(X, y)
    assert type(getattr(sampler, f"{name}_")) is Own
    grown, labels = SMOTE(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out, grown[::-2])
    np.testing.assert_array_equal(target, labels[::-2])


@both
def test_an_over_sampler_whose_rows_have_unknown_parents_is_refused(combined, cleaner, name):
    class Own(imblearn.over_sampling.SMOTE):
        pass

    with pytest.raises(InvalidParameterError, match=r"smote must be .* Got Own\(\)\. Chain it"):
        combined(smote=Own()).fit_resample(*overlapping())


@both
@pytest.mark.parametrize(
    "smote",
    [
        SMOTE(random_state=1, allocation="even", bounds={0: (0, 1)}, integer_features=[1]),
        BorderlineSMOTE(random_state=1, kind="borderline-2"),
        RandomOverSampler(random_state=1),
        RandomOverSampler(random_state=1, shrinkage=0.5),
    ],
)
def test_other_over_samplers_serve_too(combined, cleaner, name, smote):
    X, y = overlapping(2)
    table, target, _, second = chained(cleaner, X, y, smote, amount=X[:, 0])
    sampler = combined(smote=smote)
    out, labels = sampler.fit_resample(X, y, amount=X[:, 0])
    np.testing.assert_array_equal(out, table)
    np.testing.assert_array_equal(labels, target)
    np.testing.assert_array_equal(sampler.companions_["amount"], second.companions_["amount"])


@both
def test_categories_in_numbers_may_be_made_before_the_cleaning(combined, cleaner, name):
    X, y = overlapping(3, sizes=(60, 25))
    codes = np.random.default_rng(1).integers(0, 4, y.size)
    X = np.column_stack([X, codes])
    smote = SMOTENC(categorical_features=[2], random_state=0)
    sampler = combined(smote=smote)
    out, _ = sampler.fit_resample(X, y, amount=X[:, 0])
    original = imblearn.over_sampling.SMOTENC(categorical_features=[2], random_state=0)
    peer = getattr(imblearn.combine, combined.__name__)(smote=original)
    np.testing.assert_array_equal(out, peer.fit_resample(X, y)[0])
    np.testing.assert_array_equal(sampler.companions_["amount"], out[:, 0])
    frame = pd.DataFrame(X[:, :2]).assign(kind=pd.Categorical(np.array(list("wxyz"))[codes]))
    frame.columns = ["a", "b", "kind"]
    smote.set_params(categorical_features=["kind"])
    with pytest.raises(DataError, match=r"'kind' .category.*or use SMOTENC without cleaning"):
        sampler.fit_resample(frame, y)


@both
def test_classes_of_equal_size_are_cleaned_all_the_same(combined, cleaner, name):
    X, y = overlapping(sizes=(40, 40))
    out, _ = combined(random_state=0).fit_resample(X, y)
    expected, _ = cleaner(sampling_strategy="all").fit_resample(X, y)
    np.testing.assert_array_equal(out, expected)
    assert out.shape[0] < 80


@both
def test_parameters_of_both_samplers_are_checked(combined, cleaner, name):
    X, y = overlapping()
    for options, words in [
        ({"smote": SMOTE(k_neighbors=0)}, "k_neighbors"),
        ({name: cleaner(n_jobs="many")}, "n_jobs"),
        ({"smote": cleaner()}, "smote"),
        ({name: SMOTE()}, name),
        ({"sampling_strategy": "majority"}, "sampling_strategy"),
        ({"companion_policy": [1]}, "companion_policy"),
    ]:
        with pytest.raises(ValueError, match=words):
            combined(**options).fit_resample(X, y)


@both
def test_parameters_reach_the_samplers_made_here(combined, cleaner, name):
    sampler = combined(
        sampling_strategy={1: 40, 7: 9}, random_state=5, n_jobs=2, missing_classes="ignore"
    )
    X, y = overlapping()
    sampler.fit_resample(X, y)
    assert sampler.sampling_strategy_ == {1: 40, 7: 9}
    assert sampler.smote_.sampling_strategy_ == {1: 10}
    assert sampler.smote_.get_params()["random_state"] == 5
    inner = getattr(sampler, f"{name}_")
    assert (sampler.smote_.n_jobs, inner.n_jobs) == (2, 2)
    assert inner.sampling_strategy == "all"
    one = combined(random_state=0, n_jobs=1).fit_resample(X, y)[0]
    np.testing.assert_array_equal(one, combined(random_state=0, n_jobs=2).fit_resample(X, y)[0])


@both
def test_fit_resolves_and_does_not_resample(combined, cleaner, name):
    sampler = combined().fit(*overlapping())
    assert sampler.sampling_strategy_ == {1: 60, 2: 70}
    assert not hasattr(sampler, "sample_indices_")


@both
def test_what_cannot_be_measured_is_refused(combined, cleaner, name):
    X, y = overlapping()
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(kind="card")
    with pytest.raises(DataError, match=rf"{combined.__name__}: columns must be numbers.*'kind'"):
        combined().fit_resample(frame, y)
    with pytest.raises(DataError, match=r"measures distances.*Got 'kind' .string.*use RandomO"):
        combined(smote=RandomOverSampler()).fit_resample(frame, y)


@both
def test_a_saved_sampler_holds_no_rows(combined, cleaner, name):
    X, y = overlapping()
    sampler = combined(random_state=0)
    sampler.fit_resample(X, y, amount=np.arange(y.size))
    again = pickle.loads(pickle.dumps(sampler))
    for each in (again, again.smote_, getattr(again, f"{name}_")):
        assert not {"companions_", "parents_", "steps_"} & set(vars(each))
    np.testing.assert_array_equal(again.sample_indices_, sampler.sample_indices_)


@both
def test_input_is_not_changed(combined, cleaner, name):
    X, y = overlapping()
    before = X.copy()
    X.flags.writeable = y.flags.writeable = False
    combined(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(X, before)
