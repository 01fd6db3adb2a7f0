"""Which arguments belong to the rows, and how they get through a sampler."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn import FunctionSampler
from imblearn.over_sampling import SMOTE as PeerSMOTE
from imblearn.over_sampling import RandomOverSampler as PeerOver
from imblearn.under_sampling import (
    EditedNearestNeighbours,
    RandomUnderSampler,
    RepeatedEditedNearestNeighbours,
    TomekLinks,
)
from scipy import sparse

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.pipeline import _companions as module
from imbkit.pipeline._companions import (
    Lost,
    carries,
    check_not_lost,
    companions_of,
    is_validation,
    resample,
)
from imbkit.sampling import SMOTE
from imbkit.sampling import RandomOverSampler as OurOver

X = np.arange(12.0).reshape(6, 2)
SIX = np.arange(6.0)


def found(given, bare=(), spare=(), rows=X):
    return set(companions_of(given, rows, bare=bare, spare=spare))


@pytest.mark.parametrize(
    "values",
    [
        SIX,
        list(SIX),
        tuple(SIX),
        np.zeros((6, 2, 2)),
        pd.Series(SIX),
        pl.Series(SIX),
        pd.DataFrame({"a": SIX}),
        sparse.csr_matrix(np.ones((6, 3))),
    ],
    ids=lambda values: f"{type(values).__module__}.{type(values).__name__}",
)
def test_what_has_a_value_for_each_row_is_a_companion(values):
    assert found({"amount": values}, bare=["amount"]) == {"amount"}
    assert found({"model__amount": values}) == {"model__amount"}


@pytest.mark.parametrize(
    "value", [None, 1.0, "abcdef", dict.fromkeys("abcdef"), set("abcdef"), X[:5]]
)
def test_what_has_not_is_an_option_of_its_step(value):
    assert found({"model__option": value}) == set()


@pytest.mark.parametrize(
    "name", ["eval_set", "X_val", "y_val", "sample_weight_val", "eval_X", "sample_weight_eval_set"]
)
def test_validation_data_do_not_belong_to_the_rows(name):
    assert is_validation(name)
    assert found({name: SIX, f"model__{name}": SIX}, bare=[name]) == set()


@pytest.mark.parametrize("name", ["valid_from", "interval", "value", "set", "X", "evaluation"])
def test_other_names_are_no_validation_data(name):
    assert not is_validation(name)
    assert found({f"model__{name}": SIX}) == {f"model__{name}"}


def test_spared_names_stay():
    assert found({"extra": SIX}, spare=["extra"]) == set()


def test_rows_without_a_number_have_no_companions():
    assert found({"sample_weight": SIX, "model__x": SIX}, rows=None) == set()


@pytest.mark.parametrize("key", ["sample_weight", "groups", "model__sample_weight", "a__b__groups"])
def test_weights_of_another_length_are_refused(key):
    with pytest.raises(DataError, match=f"^Pipeline: {key} must have one value for each of the 6"):
        found({key: SIX[:5]})


def test_bare_arguments_must_belong_to_the_rows():
    with pytest.raises(DataError, match="amount must have one value for each of the 6 rows. Got 5"):
        found({"amount": SIX[:5]}, bare=["amount"])
    for value in (3, "text", {"a": 1}):
        with pytest.raises(
            InvalidParameterError, match=r"without the name of a step.*step__amount"
        ):
            found({"amount": value}, bare=["amount"])
    # What scikit-learn's estimators accept as one weight for all rows.
    assert found({"sample_weight": 2.0}, bare=["sample_weight"]) == set()


def test_samplers_of_imbkit_carry_and_those_of_imbalanced_learn_do_not(kept):
    assert carries(SMOTE())
    assert carries(OurOver())
    assert carries(kept.Halves())
    assert not carries(PeerSMOTE())
    assert not carries(FunctionSampler())


def test_a_sampler_that_carries_is_handed_the_plain_names(kept, data):
    rows, y, weight = data
    sampler, other = kept.Halves(), weight * 2
    given = {"z__model__sample_weight": other, "sample_weight": weight, "a__model__groups": y}
    _, _, carried = resample(sampler, rows, y, given, {})
    assert sampler.called_with_ == {"sample_weight", "groups", "z__model__sample_weight"}
    np.testing.assert_array_equal(sampler.companions_["sample_weight"], weight[::2])
    np.testing.assert_array_equal(carried["sample_weight"], weight[::2])
    np.testing.assert_array_equal(carried["z__model__sample_weight"], other[::2])
    np.testing.assert_array_equal(carried["a__model__groups"], y[::2])


def test_names_that_a_sampler_cannot_take_are_changed(kept, data):
    rows, y, weight = data
    sampler = kept.Halves()
    given = {"sample_weight": weight, "model__X": weight + 1, "model__y": weight + 2}
    own = {"sample_weight": weight + 3}
    _, _, carried = resample(sampler, rows, y, given, own)
    for k, key in enumerate(given):
        np.testing.assert_array_equal(carried[key], weight[::2] + k)
    np.testing.assert_array_equal(sampler.companions_["sample_weight"], weight[::2] + 3)


def test_the_same_weights_for_two_steps_are_handed_over_once(kept, data):
    rows, y, weight = data
    sampler = kept.Halves()
    resample(sampler, rows, y, {"a__sample_weight": weight, "b__sample_weight": weight}, {})
    assert sampler.called_with_ == {"sample_weight"}


def containers(rows):
    names = [f"f{k}" for k in range(rows.shape[1])]
    mixed = pd.DataFrame(rows, columns=names)
    mixed["text"] = pd.Series(np.where(rows[:, 0] > 0, "a", None), dtype=object)
    mixed["maybe"] = pd.array(np.where(rows[:, 1] > 0, 1, None), dtype="Int64")
    return {
        "array": rows,
        "list": rows.tolist(),
        "frame": pd.DataFrame(rows, columns=names),
        "mixed": mixed,
        "csr": sparse.csr_matrix(rows),
        "csc": sparse.csc_array(rows),
    }


@pytest.mark.parametrize("kind", containers(X))
@pytest.mark.parametrize("make", [RandomUnderSampler, PeerOver], ids=lambda make: make.__name__)
def test_imbalanced_learns_selections_carry_by_their_indices(data, kind, make):
    rows, y, weight = data
    sampler = make(random_state=0)
    X_new, y_new, carried = resample(sampler, containers(rows)[kind], y, {"w": weight}, {})
    assert (
        carried["w"].shape == (len(y_new),) == (X_new.shape[0] if kind != "list" else len(X_new),)
    )
    np.testing.assert_array_equal(carried["w"], weight[sampler.sample_indices_])


@pytest.mark.parametrize("make", [TomekLinks, EditedNearestNeighbours])
def test_cleaners_of_imbalanced_learn_carry(data, kept, make):
    rows, y, weight = data
    X_new, _, carried = resample(make(), rows, y, {"w": weight}, {})
    assert len(X_new) < len(rows)
    assert kept.is_affine(carried["w"], X_new)


def test_missing_values_are_equal_to_themselves(data):
    rows, y, weight = data
    gaps = np.where(rows > 0.5, np.nan, rows)
    _, y_new, carried = resample(RandomUnderSampler(random_state=0), gaps, y, {"w": weight}, {})
    assert carried["w"].shape == (len(y_new),)


def test_indices_that_do_not_give_the_rows_are_not_believed():
    # Its indices are wrong where it converges in the first pass and y is not sorted.
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    rows = rng.normal(size=(60, 2)) + 30 * y[:, None]
    sampler = RepeatedEditedNearestNeighbours()
    X_new, _ = sampler.fit_resample(rows, y)
    assert not np.array_equal(rows[sampler.sample_indices_], X_new)
    _, _, carried = resample(sampler, rows, y, {"w": rows[:, 0]}, {})
    assert isinstance(carried["w"], Lost)


@pytest.mark.parametrize(
    ("sampler", "words"),
    [
        (PeerSMOTE(random_state=0), "Got SMOTE, which.*Use imbkit.sampling.SMOTE instead"),
        (PeerOver(shrinkage=0.5), "Got RandomOverSampler, .*imbkit.sampling.RandomOverSampler"),
        (FunctionSampler(func=lambda X, y: (X[:9], y[:9])), "Got FunctionSampler.*only selects"),
    ],
    ids=["SMOTE", "smoothed", "function"],
)
def test_what_cannot_carry_leaves_a_note_that_names_it(data, sampler, words):
    rows, y, weight = data
    _, _, carried = resample(sampler, rows, y, {"w": weight}, {})
    with pytest.raises(InvalidParameterError, match=f"every sampler before the end.*{words}"):
        check_not_lost(carried["w"], "w", "the end")
    # A later sampler that could carry leaves the note as it is.
    for able in (OurOver(), RandomUnderSampler()):
        _, _, later = resample(able, rows, y, {"w": carried["w"], "v": weight}, {})
        assert later["w"] is carried["w"]
        check_not_lost(later["v"], "v", "the end")


def test_indices_of_another_length_are_not_believed(data):
    class Stale(FunctionSampler):
        sample_indices_ = np.arange(3)

    rows, y, weight = data
    _, _, carried = resample(Stale(), rows, y, {"w": weight}, {})
    assert isinstance(carried["w"], Lost)


def test_a_sampler_that_promises_to_carry_and_does_not(data, kept):
    class Forgetful(kept.Halves):
        def fit_resample(self, X, y, *, sample_weight=None, groups=None, **companions):
            return X, y

    rows, y, weight = data
    _, _, carried = resample(Forgetful(), rows, y, {"w": weight}, {})
    with pytest.raises(InvalidParameterError, match="Got Forgetful.*must set companions_"):
        check_not_lost(carried["w"], "w", "the end")


def test_methods_without_a_signature_name_nothing():
    class Odd:
        fit = int.__new__
        __signature__ = None

    assert not carries(Odd())
    assert set(module.parameters_of(Odd(), "fit")) <= set(inspect.signature(int.__new__).parameters)
