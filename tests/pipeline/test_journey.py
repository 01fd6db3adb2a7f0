"""The way through a pipeline: companions fit the rows, caches return both, steps are timed."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE as PeerSMOTE
from imblearn.under_sampling import RandomUnderSampler as PeerUnder
from joblib import Memory
from sklearn.preprocessing import StandardScaler

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.pipeline import Pipeline
from imbkit.pipeline._flatten import flatten
from imbkit.sampling import SMOTE, RandomOverSampler, RandomUnderSampler

KINDS = {
    "scale": StandardScaler,
    "smote": lambda: SMOTE(random_state=0, sampling_strategy=0.9),
    "over": lambda: RandomOverSampler(random_state=0, sampling_strategy=0.95),
    "under": lambda: RandomUnderSampler(random_state=0, sampling_strategy=1.0),
    "peer": lambda: PeerUnder(random_state=0, sampling_strategy=1.0),
    "idle": lambda: "passthrough",
    "none": lambda: None,
}
ORDERS = st.sampled_from(
    [
        ("scale", "smote", "scale", "under"),
        ("smote", "idle", "over", "scale"),
        ("over", "scale", "peer"),
        ("none", "peer", "scale"),
        ("smote", "peer"),
        ("scale",),
    ]
)


def built(kept, order, cuts):
    """A chain of these kinds: flat without cuts, else with the steps up to a cut nested."""
    steps = [(f"s{k}", KINDS[kind]()) for k, kind in enumerate(order)]
    for depth, cut in enumerate(cuts):
        if 0 < cut <= len(steps):
            steps = [(f"n{depth}", Pipeline(steps[:cut])), *steps[cut:]]
    return Pipeline([*steps, ("model", kept.Keeper())])


@settings(max_examples=40)
@given(order=ORDERS, cuts=st.lists(st.integers(1, 4), max_size=3))
def test_companions_fit_the_rows_and_nesting_changes_nothing(kept, data, order, cuts):
    X, y, weight = data
    flat, nested = built(kept, order, []), built(kept, order, cuts)
    for pipeline in (flat, nested):
        pipeline.fit(X, y, sample_weight=weight, model__amount=weight * 2, groups=list(y))
    for pipeline in (flat, nested):
        model = pipeline["model"]
        assert kept.is_affine(model.got_["sample_weight"], model.X_)
        np.testing.assert_allclose(model.got_["amount"], 2 * model.got_["sample_weight"])
        np.testing.assert_array_equal(model.got_["groups"], model.y_)
        pipeline.predict(X)
    np.testing.assert_array_equal(flat["model"].X_, nested["model"].X_)
    # Prediction sees the transformers of nested pipelines, too, and no sampler.
    np.testing.assert_array_equal(flat["model"].predicted_on_, nested["model"].predicted_on_)
    assert len(nested["model"].predicted_on_) == len(X)


def test_each_step_is_handed_the_weights_of_the_rows_that_reach_it(kept, data):
    X, y, weight = data
    steps = [
        ("before", kept.Shift()),
        ("under", RandomUnderSampler(random_state=0)),
        ("after", kept.Shift()),
        ("model", kept.Keeper()),
    ]
    pipeline = Pipeline(steps).fit(X, y, sample_weight=weight)
    kept_rows = pipeline["under"].sample_indices_
    np.testing.assert_array_equal(pipeline["before"].weight_, weight)
    np.testing.assert_array_equal(pipeline["after"].weight_, weight[kept_rows])
    np.testing.assert_array_equal(pipeline["model"].got_["sample_weight"], weight[kept_rows])


def test_the_same_by_routing(routing, kept, data):
    X, y, weight = data
    shift = kept.Shift().set_fit_request(sample_weight=False)
    model = kept.Keeper().set_fit_request(sample_weight="cost", groups=True)
    steps = [("shift", shift), ("over", SMOTE(random_state=0)), ("model", model)]
    Pipeline(steps).fit(X, y, cost=weight, groups=y)
    assert shift.weight_ is None
    assert len(model.X_) > len(X)
    assert kept.is_affine(model.got_["sample_weight"], model.X_)
    np.testing.assert_array_equal(model.got_["groups"], model.y_)


def test_a_cost_matrix_travels(kept, data):
    X, y, weight = data
    costs = np.stack([weight, -weight], axis=1)
    steps = [("over", SMOTE(random_state=0)), ("model", kept.Keeper())]
    model = Pipeline(steps).fit(X, y, amount=costs)["model"]
    assert kept.is_affine(model.got_["amount"][:, 0], model.X_)
    np.testing.assert_array_equal(model.got_["amount"][:, 0], -model.got_["amount"][:, 1])


def test_weights_that_a_sampler_cannot_carry_are_missed_only_where_they_are_taken(kept, data):
    X, y, weight = data
    steps = [("shift", kept.Shift()), ("over", PeerSMOTE(random_state=0))]
    heedless = Pipeline([*steps, ("model", kept.Heedless())])
    heedless.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(heedless["shift"].weight_, weight)
    heeding = Pipeline([*steps, ("model", kept.Keeper())])
    words = "every sampler before the step 'model' must carry sample_weight.*Got SMOTE"
    for name in ("sample_weight", "model__sample_weight"):
        with pytest.raises(InvalidParameterError, match=words):
            heeding.fit(X, y, **{name: weight})
    with pytest.raises(InvalidParameterError, match="before the end of the pipeline must carry"):
        heeding[:2].fit_resample(X, y, sample_weight=weight)


def test_a_transformer_without_fit_transform(kept, data):
    X, y, weight = data
    steps = [("under", RandomUnderSampler(random_state=0)), ("plain", kept.Plain())]
    pipeline = Pipeline([*steps, ("model", kept.Keeper())]).fit(X, y, sample_weight=weight)
    assert pipeline["plain"].n_rows_ == len(pipeline["model"].X_) < len(X)
    assert kept.is_affine(pipeline["model"].got_["sample_weight"], pipeline["model"].X_)
    # As the last step, too, it sees the labels of the rows that reach it.
    rows = Pipeline(steps).fit_transform(X, y)
    assert len(rows) == pipeline["plain"].n_rows_


def test_a_bare_none_is_not_given(kept, data):
    X, y, _ = data
    steps = [("over", SMOTE(random_state=0)), ("model", kept.Heedless())]
    Pipeline(steps).fit(X, y, sample_weight=None, groups=None)


def test_lengths_are_checked_before_anything_is_fitted(kept, data):
    X, y, weight = data
    pipeline = Pipeline([("shift", kept.Shift()), ("model", kept.Keeper())])
    with pytest.raises(DataError, match=r"one value for each of the 240 rows. Got 239 values"):
        pipeline.fit(X, y, sample_weight=weight[1:])
    assert not hasattr(pipeline["shift"], "n_rows_")


@pytest.mark.filterwarnings("ignore:Persisting input arguments took")  # of a slow disk
def test_a_cache_returns_rows_and_companions_of_one_fit(kept, data, tmp_path):
    X, y, weight = data
    calls = []

    def fitted(weight, memory):
        steps = [
            ("shift", kept.Shift()),
            ("inner", Pipeline([("over", SMOTE(random_state=0))])),
            ("model", kept.Keeper()),
        ]
        pipeline = Pipeline(steps, memory=memory)
        pipeline.fit(X, y, model__sample_weight=weight)
        calls.append(pipeline)
        return pipeline["model"].X_, pipeline["model"].got_["sample_weight"]

    plain = fitted(weight, None)
    memory = Memory(tmp_path, verbose=0)
    for _ in range(2):  # written, then read
        for found, expected in zip(fitted(weight, memory), plain, strict=True):
            np.testing.assert_array_equal(found, expected)
    # Other weights are other companions of the same rows.
    X_new, doubled = fitted(weight * 2, str(tmp_path))
    np.testing.assert_array_equal(X_new, plain[0])
    np.testing.assert_allclose(doubled, 2 * plain[1])
    read = calls[2]
    assert hasattr(read["shift"], "n_rows_")
    assert hasattr(read["inner"]["over"], "sample_indices_")


def test_a_cache_fits_copies_and_none_fits_the_steps_themselves(kept, data, tmp_path):
    X, y, _ = data
    for memory, copies in ((None, False), (Memory(None), False), (str(tmp_path), True)):
        shift, inner = kept.Shift(), kept.Shift()
        given = [("shift", shift), ("in", Pipeline([("a", inner)])), ("model", kept.Keeper())]
        pipeline = Pipeline(given, memory=memory).fit(X, y)
        assert given[0][1] is shift
        assert (pipeline["shift"] is not shift) == copies
        assert (pipeline["in"]["a"] is not inner) == copies
        assert hasattr(shift, "n_rows_") != copies
        assert pipeline.predict(X).shape == y.shape


def test_the_cache_of_the_innermost_pipeline_counts(kept, data, tmp_path):
    X, y, _ = data
    inner = Pipeline([("a", kept.Shift())], memory=str(tmp_path / "inner"))
    steps = [("in", inner), ("b", kept.Shift()), ("model", kept.Keeper())]
    Pipeline(steps, memory=str(tmp_path / "outer")).fit(X, y)
    for name in ("inner", "outer"):
        assert len(list((tmp_path / name).rglob("output.pkl"))) == 1


@pytest.mark.parametrize("method", ["fit", "fit_predict"])
def test_every_step_is_timed(kept, data, capsys, method):
    X, y, _ = data
    inner = Pipeline([("over", SMOTE(random_state=0)), ("none", None)])
    pipeline = Pipeline([("in", inner), ("model", kept.Keeper())], verbose=True)
    getattr(pipeline, method)(X, y)
    lines = capsys.readouterr().out.splitlines()
    names = [leaf.name for leaf in flatten(pipeline)]
    assert len(lines) == len(names) == 3
    for number, (line, name) in enumerate(zip(lines, names, strict=True), start=1):
        words = rf"\[Pipeline\] \.* \(step {number} of 3\) Processing {name}, total=  .*\ds"
        assert re.fullmatch(words, line), line
        assert len(line) == 70
    getattr(pipeline.set_params(verbose=False), method)(X, y)
    assert capsys.readouterr().out == ""
    inner.set_params(verbose=True)
    getattr(pipeline, method)(X, y)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_step_that_fails_is_not_timed(kept, data, capsys):
    X = data[0]
    pipeline = Pipeline([("over", SMOTE()), ("model", kept.Keeper())], verbose=True)
    with pytest.raises(ValueError, match="class"):
        pipeline.fit(X, np.zeros(len(X), int))
    assert capsys.readouterr().out == ""
