"""What every sampler does around its own algorithm."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.sampling import SMOTE, RandomOverSampler, RandomUnderSampler
from imbkit.sampling._base import PlannedSampler

SAMPLERS = [SMOTE, RandomOverSampler, RandomUnderSampler]
every = pytest.mark.parametrize("sampler_class", SAMPLERS)


def drawn(sizes=(40, 15, 10), d=3):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(y.size, d)), y


def containers():
    X, y = drawn()
    labels = np.array(["usual", "fraud", "error"])[y]
    columns = {f"c{j}": X[:, j] for j in range(3)}
    index = np.arange(y.size) + 100
    return {
        "array": (X, y),
        "list": (X.tolist(), y.tolist()),
        "tuple": (tuple(map(tuple, X.tolist())), tuple(y.tolist())),
        "csr": (sparse.csr_matrix(X), labels),
        "csc": (sparse.csc_array(X), pd.Series(labels)),
        "pandas": (pd.DataFrame(columns, index=index), pd.Series(labels, index=index)),
        "pandas and list": (pd.DataFrame(columns), labels.tolist()),
        "nullable": (
            pd.DataFrame(columns).astype("Float64"),
            pd.Series(y, dtype="Int64", name="label"),
        ),
        "polars": (pl.DataFrame(columns), pl.Series("label", labels)),
        "one-hot": (X, np.eye(3, dtype=np.int8)[y]),
        "sparse one-hot": (X, sparse.csr_array(np.eye(3)[y])),
        "column": (X, y.reshape(-1, 1)),
        "frames": (pd.DataFrame(columns), pd.DataFrame({"label": labels})),
    }


def dense(values):
    return values.toarray() if sparse.issparse(values) else np.asarray(values)


@every
@pytest.mark.parametrize("container", list(containers()))
def test_what_comes_out_is_of_the_kind_that_went_in(sampler_class, container):
    X, y = containers()[container]
    out, target = sampler_class(random_state=0).fit_resample(X, y)
    lists = {"list": (list, list), "tuple": (list, list)}
    kinds = lists.get(container, (type(X), type(y)))
    assert (type(out), type(target)) == kinds
    plain, codes = sampler_class(random_state=0).fit_resample(*drawn())
    labels = dense(target)
    if labels.ndim == 2 and labels.shape[1] == 3:
        np.testing.assert_array_equal(labels.sum(axis=1), 1)
        labels = labels.argmax(axis=1)
    labels = labels.ravel()
    if labels.dtype.kind not in "iu":
        labels = np.array([["usual", "fraud", "error"].index(each) for each in labels])
        # Classes come in the order of their names: the rows are others, not so their number.
        assert np.bincount(labels).tolist() == np.bincount(codes).tolist()
        assert dense(out).shape == plain.shape
    else:
        np.testing.assert_array_equal(labels, codes)
        np.testing.assert_array_equal(dense(out).astype(float), plain)
    if hasattr(X, "columns"):
        assert list(out.columns) == list(X.columns)
        assert list(map(str, out.dtypes)) == list(map(str, X.dtypes))


@every
def test_the_index_is_numbered_unless_rows_are_only_left_out(sampler_class):
    X, y = containers()["pandas"]
    sampler = sampler_class(random_state=0)
    out, target = sampler.fit_resample(X, y, sample_weight=pd.Series(np.ones(65), index=X.index))
    if sampler_class is RandomUnderSampler:
        expected = X.index[sampler.sample_indices_].tolist()
    else:
        expected = list(range(len(out)))
    for each in (out, target, sampler.companions_["sample_weight"]):
        assert each.index.tolist() == expected


@every
def test_input_is_never_changed_and_may_be_laid_out_in_any_way(sampler_class):
    X, y = drawn()
    expected, _ = sampler_class(random_state=0).fit_resample(X, y)
    fixed = X.copy()
    fixed.flags.writeable = y.flags.writeable = False
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    for layout in (fixed, np.asfortranarray(X), wide, X[::-1][::-1]):
        before = layout.copy()
        out, target = sampler_class(random_state=0).fit_resample(layout, y, amount=layout[:, 0])
        np.testing.assert_array_equal(out, expected)
        np.testing.assert_array_equal(layout, before)
        out[:] = 0
        target[:] = 0
        np.testing.assert_array_equal(layout, before)


@every
def test_a_memory_map_serves(sampler_class, tmp_path):
    X, y = drawn()
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    out, _ = sampler_class(random_state=0).fit_resample(mapped, y)
    np.testing.assert_array_equal(out, sampler_class(random_state=0).fit_resample(X, y)[0])


@every
def test_the_plan_is_that_of_the_table(sampler_class):
    X, y = drawn()
    sampler = sampler_class(random_state=0)
    plan = sampler.fit_resample_plan(X, y)
    again = sampler_class(random_state=0)
    out, _ = again.fit_resample(X, y)
    assert plan.n_rows == len(out)
    for one in (sampler, again):
        np.testing.assert_array_equal(one.sample_indices_, plan.base)
        np.testing.assert_array_equal(one.parents_, plan.parents)
        np.testing.assert_array_equal(one.steps_, plan.step)
    assert sampler.effective_prior_ == again.effective_prior_


def test_a_plan_after_other_data_forgets_their_companions():
    X, y = drawn()
    sampler = RandomUnderSampler(random_state=0)
    sampler.fit_resample(X, y, sample_weight=np.arange(65.0))
    sampler.fit_resample_plan(X[:40], y[:40])
    assert not getattr(sampler, "companions_", {})
    assert set(sampler.effective_prior_.values()) == {1 / 3}


def test_the_prior_is_that_of_the_rows_or_of_their_weights():
    X, y = drawn((60, 20, 10))
    sampler = RandomUnderSampler(sampling_strategy={0: 30}, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.effective_prior_ == {0: 30 / 60, 1: 20 / 60, 2: 10 / 60}
    sampler.fit_resample(X, y, sample_weight=np.where(y == 2, 5.0, 1.0))
    assert sampler.effective_prior_ == {0: 30 / 100, 1: 20 / 100, 2: 50 / 100}
    weights = np.random.default_rng(1).random(90)
    grown = SMOTE(random_state=0)
    _, target = grown.fit_resample(X, y, sample_weight=weights.tolist())
    after = np.array(grown.companions_["sample_weight"])
    for label, share in grown.effective_prior_.items():
        assert share == pytest.approx(after[target == label].sum() / after.sum())
    sampler.fit_resample(X, y, sample_weight=np.zeros(90))
    assert sum(sampler.effective_prior_.values()) == 0


@every
def test_weights_are_one_number_for_each_row(sampler_class):
    X, y = drawn()
    for wrong in (np.ones((65, 2)), ["heavy"] * 65, [{}] * 65):
        with pytest.raises(DataError, match="sample_weight must hold finite numbers"):
            sampler_class().fit_resample(X, y, sample_weight=wrong)
    sampler = sampler_class(random_state=0)
    sampler.fit_resample(X, y, sample_weight=np.ones((65, 1)))
    assert sampler.effective_prior_ == pytest.approx({0: 1 / 3, 1: 1 / 3, 2: 1 / 3})


@every
def test_a_saved_sampler_holds_no_rows(sampler_class):
    X, y = drawn()
    sampler = sampler_class(random_state=0)
    sampler.fit_resample(X, y, amount=np.full(65, 0.123456789), sample_weight=np.ones(65))
    saved = pickle.dumps(sampler)
    assert np.float64(0.123456789).tobytes() not in saved
    again = pickle.loads(saved)
    assert not {"companions_", "parents_", "steps_"} & set(vars(again))
    np.testing.assert_array_equal(again.sample_indices_, sampler.sample_indices_)
    assert again.effective_prior_ == sampler.effective_prior_
    assert {"companions_", "parents_", "steps_"} <= set(vars(sampler))
    np.testing.assert_array_equal(again.fit_resample(X, y)[0], sampler.fit_resample(X, y)[0])


@every
def test_a_clone_is_unfitted_and_equal(sampler_class):
    sampler = sampler_class(random_state=3, missing_classes="ignore", sampling_strategy={1: 12})
    sampler.set_params(sampling_strategy={0: 41} if sampler_class is SMOTE else "auto")
    sampler.fit_resample(*drawn())
    again = clone(sampler)
    assert again.get_params() == sampler.get_params()
    assert not [name for name in vars(again) if name.endswith("_")]


@every
def test_fit_resolves_the_strategy_alone(sampler_class):
    X, y = drawn()
    sampler = sampler_class().fit(X, y)
    over = sampler_class is not RandomUnderSampler
    assert sampler.sampling_strategy_ == ({1: 25, 2: 30} if over else {0: 10, 1: 10})
    assert sampler.n_features_in_ == 3
    assert not hasattr(sampler, "sample_indices_")


def test_a_callable_sees_the_labels_as_an_array():
    seen = []

    def strategy(y):
        seen.append(y)
        return {"error": 25}

    X, y = containers()["polars"]
    sampler = SMOTE(sampling_strategy=strategy, random_state=0)
    _, target = sampler.fit_resample(X, y)
    assert isinstance(seen[0], np.ndarray)
    assert seen[0].tolist() == y.to_list()
    assert target.value_counts().sort("label")["count"].to_list() == [25, 15, 40]


@every
def test_companions_can_be_routed(sampler_class):
    with sklearn.config_context(enable_metadata_routing=True):
        sampler = sampler_class().set_fit_resample_request(sample_weight=True, groups="shop")
        requests = sampler.get_metadata_routing().fit_resample.requests
        assert requests["sample_weight"] is True
        assert requests["groups"] == "shop"
        assert clone(sampler).get_metadata_routing().fit_resample.requests == requests


def test_companions_of_every_kind_follow_their_rows():
    X, y = drawn()
    sampler = SMOTE(random_state=0, companion_policy={"amount": "mean", "flag": 0})
    sampler.fit_resample(
        X,
        y,
        sample_weight=np.arange(65.0),
        groups=pl.Series(np.arange(65) % 9),
        amount=np.arange(65.0),
        flag=np.ones(65, dtype=bool),
        when=pd.Series(pd.date_range("2024", periods=65)),
        nothing=None,
    )
    a, b = sampler.parents_.T
    found = sampler.companions_
    assert set(found) == {"sample_weight", "groups", "amount", "flag", "when"}
    step = sampler.steps_
    np.testing.assert_allclose(found["sample_weight"], a + step * (b - a))
    assert found["groups"].to_list() == (a % 9).tolist()
    np.testing.assert_array_equal(found["amount"], (a + b) / 2)
    np.testing.assert_array_equal(found["flag"], np.arange(a.size) < 65)
    assert found["when"].dt.day_of_year.tolist() == (a + 1).tolist()


def test_resampling_again_forgets_the_companions_of_before():
    X, y = drawn()
    sampler = SMOTE(random_state=0)
    sampler.fit_resample(X, y, amount=y)
    sampler.fit_resample(X, y)
    assert sampler.companions_ == {}


@every
@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros(5), [0, 1, 0, 1, 0], "Expected 2D array, got 1D array instead"),
        (np.zeros((0, 2)), [], "0 sample.s. .shape=.0, 2.. while a minimum of 1 is required"),
        (np.zeros((2, 0)), [0, 1], "0 feature.s. .shape=.2, 0.. while a minimum of 1"),
        (np.zeros((3, 2)), [0, 1], "one label for each of the 3 rows"),
        (np.zeros((3, 2)), [0, 0, 0], "more than 1 class"),
        (np.zeros((3, 2)), None, "requires y to be passed"),
        (np.zeros((2, 2, 2)), [0, 1], "an array of shape"),
        (sparse.coo_matrix(np.eye(2)), [0, 1], "Call .tocsr"),
        ("table", [0, 1], "must be a table"),
        (pd.DataFrame([[1, 2]] * 2, columns=["a", "a"]), [0, 1], "column names must be unique"),
    ],
)
def test_what_is_no_table_is_refused(sampler_class, X, y, words):
    with pytest.raises(ValueError, match=words):
        sampler_class().fit_resample(X, y)


@every
def test_companions_are_checked_before_anything_is_drawn(sampler_class):
    X, y = drawn()
    sampler = sampler_class()
    with pytest.raises(DataError, match="sample_weight must have one value for each of the 65"):
        sampler.fit_resample(X, y, sample_weight=np.ones(64))
    assert not hasattr(sampler, "sample_indices_")
    with pytest.raises(DataError, match="groups must have one value"):
        sampler.fit_resample(X, y, groups="shop")
    if sampler_class is not RandomUnderSampler:
        sampler.set_params(companion_policy={"amount": "average"})
        with pytest.raises(InvalidParameterError, match="the policy of companion amount"):
            sampler.fit_resample(X, y, amount=y)


def test_a_sampler_has_to_say_its_plan():
    class Unfinished(PlannedSampler):
        pass

    with pytest.raises(TypeError, match="_plan"):
        Unfinished()


def test_parameters_are_checked_before_the_data():
    with pytest.raises(ValueError, match="k_neighbors"):
        SMOTE(k_neighbors=-1).fit_resample(None, None)


@every
def test_names_of_columns_are_remembered(sampler_class):
    X, y = containers()["polars"]
    sampler = sampler_class(random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.feature_names_in_.tolist() == ["c0", "c1", "c2"]
    assert sampler.get_feature_names_out().tolist() == ["c0", "c1", "c2"]
    sampler.fit_resample(*drawn())
    assert not hasattr(sampler, "feature_names_in_")
