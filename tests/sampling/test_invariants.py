"""What holds for every table: originals, counts, segments, companions, order of rows, pickles."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import SmallClassWarning

FEW = settings(max_examples=12)
SIZES = st.lists(st.integers(8, 40), min_size=2, max_size=4, unique=True)
NAMED = {
    "auto": lambda counts: {c: max(counts.values()) for c in counts},
    "not minority": lambda counts: {
        c: n if c == min(counts, key=counts.get) else max(counts.values())
        for c, n in counts.items()
    },
    "minority": lambda counts: {
        c: max(counts.values()) if c == min(counts, key=counts.get) else n
        for c, n in counts.items()
    },
}


@st.composite
def problems(draw, sizes=SIZES):
    """Arguments of the function that makes tables."""
    return {
        "sizes": tuple(draw(sizes)),
        "d": draw(st.integers(2, 6)),
        "seed": draw(st.integers(0, 10_000)),
        "dtype": draw(st.sampled_from([np.float64, np.float32])),
        "spread": draw(st.sampled_from([0.5, 1.5])),
    }


def counted(y):
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def exact(name):
    """Settings under which as many rows come out as were asked for."""
    return {"exact_counts": True} if name in ("ADASYN", "BorderlineSMOTE") else {}


def assert_segments(X, out, sampler, columns=slice(None)):
    """Every row is its base plus its step times the difference, rounded in the dtype of X."""
    a, b = sampler.parents_.T
    X, out, step = X[:, columns], out[:, columns], sampler.steps_
    on = ~np.isnan(step)
    expected = (X[a] + step[:, None] * (X[b] - X[a])).astype(X.dtype)
    np.testing.assert_array_equal(out[on], expected[on])
    assert np.all((step[on] >= 0) & (step[on] <= 1))
    return on


@FEW
@given(problem=problems())
def test_originals_come_first_and_untouched(over, problem, build, table, resample):
    X, y = table(over, **problem)
    kept = X.copy(), y.copy()
    sampler = build(over, **exact(over))
    out, labels = resample(sampler, X, y)
    np.testing.assert_array_equal(out[: y.size], kept[0])
    np.testing.assert_array_equal(labels[: y.size], kept[1])
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(sampler.sample_indices_[: y.size], np.arange(y.size))
    assert np.all(sampler.steps_[: y.size] == 0)
    # New rows stand class by class, in the order of the labels.
    assert np.all(np.diff(labels[y.size :]) >= 0)
    assert out.dtype == X.dtype


@FEW
@given(problem=problems(), strategy=st.sampled_from([*NAMED, "counts", "ratios", "callable"]))
def test_counts_are_as_planned(over, problem, strategy, build, table, resample):
    X, y = table(over, **problem)
    counts = counted(y)
    largest = max(counts.values())
    if strategy in NAMED:
        asked, expected = strategy, NAMED[strategy](counts)
    elif strategy == "ratios":
        asked = dict.fromkeys(counts, 0.8)
        expected = {c: max(int(0.8 * largest), n) for c, n in counts.items()}
    else:
        expected = {c: n + 3 * c for c, n in counts.items()}
        asked = (lambda labels: expected) if strategy == "callable" else expected
    sampler = build(over, sampling_strategy=asked, **exact(over))
    _, labels = resample(sampler, X, y)
    assert counted(labels) == expected
    made = {c: expected[c] - n for c, n in counts.items()}
    assert {c: sampler.sampling_strategy_.get(c, 0) for c in counts} == made


@FEW
@given(problem=problems(), kept=st.integers(1, 8), version=st.sampled_from([1, 2]))
def test_counts_are_as_planned_when_rows_go(problem, kept, version, build, table, resample):
    X, y = table("NearMiss", **problem)
    counts = counted(y)
    for sampler in (
        build("RandomUnderSampler"),
        build("NearMiss", version=version),
    ):
        assert set(counted(resample(sampler, X, y)[1]).values()) == {min(counts.values())}
    asked = dict.fromkeys(counts, kept)
    sampler = build("RandomUnderSampler", sampling_strategy=asked)
    assert counted(sampler.fit_resample(X, y)[1]) == asked


@FEW
@given(problem=problems())
def test_new_rows_lie_on_the_stated_segment(segments, problem, build, table, resample):
    X, y = table(segments, **problem)
    sampler = build(segments, **exact(segments))
    out, labels = resample(sampler, X, y)
    assert assert_segments(X, out, sampler).all()
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(labels, y[a])
    np.testing.assert_array_equal(labels, y[b])
    np.testing.assert_array_equal(sampler.sample_indices_, a)
    new = sampler.steps_ > 0
    assert np.all(a[new] != b[new])


@FEW
@given(problem=problems())
def test_pairs_across_classes_claim_their_parents_alone(problem, build, table, resample):
    X, y = table("BorderlineSMOTE", **problem)
    sampler = build("BorderlineSMOTE", kind="borderline-2")
    out, labels = resample(sampler, X, y)
    on = assert_segments(X, out, sampler)
    a, b = sampler.parents_.T
    np.testing.assert_array_equal(y[a] == y[b], on)
    np.testing.assert_array_equal(labels, y[a])
    # The step is below one half there, along one and the same direction.
    gap, moved = (X[b] - X[a])[~on].astype(float), (out - X[a])[~on].astype(float)
    share = (moved * gap).sum(axis=1) / (gap**2).sum(axis=1)
    np.testing.assert_allclose(moved, share[:, None] * gap, atol=1e-5)
    assert np.all((share >= -1e-5) & (share <= 0.5 + 1e-5))


@FEW
@given(problem=problems())
def test_numbers_of_mixed_tables_lie_on_the_segment(problem, build, table, resample):
    X, y = table("SMOTENC", **problem)
    sampler = build("SMOTENC")
    out, _ = resample(sampler, X, y)
    assert assert_segments(X, out, sampler, slice(0, -1)).all()


@FEW
@given(problem=problems())
def test_no_category_is_invented(problem, build, table, resample):
    for name, columns in (("SMOTENC", [-1]), ("SMOTEN", slice(None))):
        X, y = table(name, **problem)
        words = X[:, columns].astype(int).astype(str).astype(object)
        mixed = X.astype(object)
        mixed[:, columns] = words
        out, labels = resample(build(name), mixed, y)
        for column in range(words.shape[1]):
            made = out[:, columns][:, column]
            for label in np.unique(y):
                # All votes are cast by rows of the class.
                assert set(made[labels == label]) == set(words[y == label, column])


@FEW
@given(problem=problems())
def test_rows_are_only_left_out(selecting, problem, build, table, resample):
    X, y = table(selecting, **problem)
    sampler = build(selecting)
    out, labels = resample(sampler, X, y)
    kept = sampler.sample_indices_
    np.testing.assert_array_equal(out, X[kept])
    np.testing.assert_array_equal(labels, y[kept])
    assert np.unique(kept).size == kept.size
    np.testing.assert_array_equal(sampler.parents_, np.column_stack([kept, kept]))
    assert not sampler.steps_.any()
    # Classes that may lose no rows keep all of them; which these are may change from pass to
    # pass, because the strategy is looked at anew.
    if selecting not in ("AllKNN", "RepeatedEditedNearestNeighbours"):
        for label in set(counted(y)) - set(sampler.sampling_strategy_):
            assert counted(labels)[label] == counted(y)[label]


@FEW
@given(problem=problems(), order=st.integers(0, 10_000), mode=st.booleans())
@pytest.mark.parametrize(
    "name",
    [
        "AllKNN",
        "EditedNearestNeighbours",
        "NeighbourhoodCleaningRule",
        "RepeatedEditedNearestNeighbours",
        "TomekLinks",
    ],
)
def test_the_cleaned_set_does_not_depend_on_the_order_of_rows(
    name, problem, order, mode, build, table, resample, working_with
):
    X, y = table(name, **{**problem, "dtype": np.float64})
    options = {"kind_sel": "mode"} if mode and hasattr(build(name), "kind_sel") else {}
    turned = np.random.default_rng(order).permutation(y.size)
    first, second = build(name, **options), build(name, **options)
    resample(first, X, y)
    with working_with("kernels" if order % 2 else "numpy"):
        resample(second, X[turned], y[turned])
    np.testing.assert_array_equal(
        np.sort(turned[second.sample_indices_]), np.sort(first.sample_indices_)
    )


@FEW
@given(problem=problems(), seed=st.integers(0, 100))
def test_companions_are_those_of_the_parents(name, problem, seed, build, table, resample):
    X, y = table(name, **problem)
    rng = np.random.default_rng(seed)
    given_ = {
        "sample_weight": rng.random(y.size).astype(np.float32),
        "groups": rng.choice(["one", "two", "three"], y.size),
        "amount": rng.normal(size=(y.size, 2)),
        "day": pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(y.size), "D")),
        "number": rng.integers(0, 1000, y.size).tolist(),
    }
    sampler = build(name)
    out, labels = resample(sampler, X, y, **given_)
    a, b = sampler.parents_.T
    share = np.where(np.isnan(sampler.steps_), 0, sampler.steps_)
    found = sampler.companions_
    assert list(found) == list(given_)
    assert all(len(values) == len(labels) for values in found.values())
    # Anything but floats comes from the base row.
    np.testing.assert_array_equal(found["groups"], given_["groups"][a])
    assert found["number"] == [given_["number"][i] for i in a]
    expected = given_["day"].iloc[a]
    np.testing.assert_array_equal(found["day"], expected)
    kept = not (expected.index == np.arange(len(a))).all() and name == "RandomUnderSampler"
    np.testing.assert_array_equal(found["day"].index, a if kept else np.arange(len(a)))
    # Floats take the step that their row took.
    for key in ("sample_weight", "amount"):
        start, end = (given_[key].astype(float)[rows] for rows in (a, b))
        step = share if start.ndim == 1 else share[:, None]
        assert found[key].dtype == given_[key].dtype
        np.testing.assert_allclose(found[key], start + step * (end - start), rtol=1e-6, atol=1e-6)
        copies = a == b
        np.testing.assert_array_equal(found[key][copies], given_[key][a[copies]])
    assert len(out) == len(labels)


@FEW
@given(problem=problems())
def test_companions_follow_their_policies(segments, problem, build, table, resample):
    X, y = table(segments, **problem)
    rng = np.random.default_rng(0)
    values = {key: rng.normal(size=y.size) for key in ("a", "b", "c", "d", "e")}
    whole = rng.integers(0, 9, y.size)
    policy = {
        "a": "interpolate",
        "b": "base",
        "c": "mean",
        "d": -5.0,
        "e": lambda base, mate, step: np.maximum(base, mate) + step,
        "whole": "mean",
    }
    sampler = build(segments, companion_policy=policy, **exact(segments))
    resample(sampler, X, y, whole=whole, **values)
    i, j = sampler.parents_.T
    step, new, found = sampler.steps_, i != j, sampler.companions_
    start = {key: column[i] for key, column in values.items()}
    end = {key: column[j] for key, column in values.items()}
    expected = {
        "a": start["a"] + step * (end["a"] - start["a"]),
        "b": start["b"],
        "c": (start["c"] + end["c"]) / 2,
        "d": np.full(i.size, -5.0),
        "e": np.maximum(start["e"], end["e"]) + step,
    }
    for key, column in expected.items():
        np.testing.assert_allclose(found[key][new], column[new], rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(found[key][~new], start[key][~new])
    if new.any():
        assert found["whole"].dtype == float
    np.testing.assert_array_equal(found["whole"], (whole[i] + whole[j]) / 2)


@FEW
@given(problem=problems(), weighted=st.booleans())
def test_the_effective_prior_is_that_of_the_output(name, problem, weighted, build, table, resample):
    X, y = table(name, **problem)
    weights = np.random.default_rng(1).random(y.size) if weighted else None
    sampler = build(name)
    _, labels = resample(sampler, X, y, sample_weight=weights)
    weights = sampler.companions_["sample_weight"] if weighted else np.ones(len(labels))
    prior = sampler.effective_prior_
    assert list(prior) == np.unique(y).tolist()
    for label, found in prior.items():
        assert found == pytest.approx(weights[labels == label].sum() / weights.sum())
    assert sum(prior.values()) == pytest.approx(1)


def test_rows_of_users_are_not_pickled(name, build, table, resample):
    X, y = table(name)
    sampler = build(name)
    out, labels = resample(sampler, X, y, sample_weight=np.ones(y.size))
    copy = pickle.loads(pickle.dumps(sampler))
    for attribute in ("companions_", "parents_", "steps_"):
        assert hasattr(sampler, attribute)
        assert not hasattr(copy, attribute)
    assert copy.sampling_strategy_ == sampler.sampling_strategy_
    assert copy.effective_prior_ == sampler.effective_prior_
    again, labels_again = resample(copy, X, y, sample_weight=np.ones(y.size))
    np.testing.assert_array_equal(again, out)
    np.testing.assert_array_equal(labels_again, labels)
    np.testing.assert_array_equal(copy.parents_, sampler.parents_)


@FEW
@given(problem=problems())
def test_the_plan_is_what_is_written(name, problem, build, table, resample):
    X, y = table(name, **problem)
    sampler, planner = build(name), build(name)
    _, labels = resample(sampler, X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plan = planner.fit_resample_plan(X, y)
    np.testing.assert_array_equal(plan.parents, sampler.parents_)
    np.testing.assert_array_equal(plan.step, sampler.steps_)
    np.testing.assert_array_equal(y[plan.base], labels)
    np.testing.assert_array_equal(planner.sample_indices_, sampler.sample_indices_)
    assert planner.effective_prior_ == sampler.effective_prior_


@FEW
@given(problem=problems(), even=st.booleans())
@pytest.mark.parametrize("name", ["BorderlineSMOTE", "RandomOverSampler", "SMOTE", "SMOTENC"])
def test_even_allocation_uses_rows_alike(name, problem, even, build, table, resample):
    X, y = table(name, **problem)
    sampler = build(name, allocation="even", **exact(name))
    resample(sampler, X, y)
    used = np.bincount(sampler.sample_indices_[y.size :], minlength=y.size)
    danger = getattr(sampler, "in_danger_indices", {})
    for label, n in sampler.sampling_strategy_.items():
        times = used[danger.get(label, np.flatnonzero(y == label))]
        assert times.sum() == n
        assert np.ptp(times) <= 1


@FEW
@given(problem=problems())
@pytest.mark.parametrize("name", ["ADASYN", "BorderlineSMOTE", "RandomOverSampler", "SMOTE"])
def test_bounds_and_whole_columns_are_respected(name, problem, build, table, resample):
    X, y = table(name, **{**problem, "dtype": np.float64})
    X[:, 0] = np.rint(3 * X[:, 0])
    options = {"shrinkage": 1.0} if name == "RandomOverSampler" else exact(name)
    low, high = X.min(axis=0), X.max(axis=0)
    plain, _ = resample(build(name, **options), X, y)
    free, _ = resample(build(name, integer_features="auto", **options), X, y)
    np.testing.assert_array_equal(free[:, 0], np.rint(plain[:, 0]))
    np.testing.assert_array_equal(free[:, 1:], plain[:, 1:])
    out, _ = resample(build(name, bounds="observed", **options), X, y)
    np.testing.assert_array_equal(out, np.clip(plain, low, high))
    out, _ = resample(build(name, bounds={1: (-0.1, None)}, **options), X, y)
    np.testing.assert_array_equal(out[: y.size], X)
    assert out[y.size :, 1].min(initial=0) >= -0.1
    np.testing.assert_array_equal(out[:, 0], plain[:, 0])


@settings(max_examples=25)
@given(problem=problems(st.lists(st.integers(1, 9), min_size=2, max_size=4)))
def test_tiny_classes_stop_nothing(name, problem, build, table):
    X, y = table(name, **problem)
    sampler = build(name, **exact(name))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            out, labels = sampler.fit_resample(X, y)
        except RuntimeError:
            # No row has a neighbour in another class, which ADASYN says.
            assert name == "ADASYN"
            return
    assert np.isfinite(out.astype(float)).all()
    np.testing.assert_array_equal(labels, y[sampler.sample_indices_])
    texts = [str(each.message) for each in told]
    assert len(set(texts)) == len(texts)
    assert all(issubclass(each.category, UserWarning) for each in told)
    if name in ("SMOTE", "SMOTENC") and min(counted(y).values()) < max(counted(y).values()):
        growing = {c: n for c, n in counted(y).items() if n < max(counted(y).values())}
        small = [each for each in told if issubclass(each.category, SmallClassWarning)]
        assert bool(small) == (min(growing.values()) <= 5)
        assert counted(labels) == dict.fromkeys(counted(y), max(counted(y).values()))


def test_many_classes(name, build, table):
    sizes = [5 + i % 7 for i in range(200)]
    X, y = table(name, sizes, d=3, spread=5)
    options = {"kind_sel": "mode"} if hasattr(build(name), "kind_sel") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = build(name, **options, **exact(name))
        _, labels = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(labels, y[sampler.sample_indices_])
    if name in ("SMOTE", "RandomOverSampler", "SMOTEN", "SMOTENC", "BorderlineSMOTE"):
        assert set(counted(labels).values()) == {11}
    if name in ("NearMiss", "RandomUnderSampler"):
        assert set(counted(labels).values()) == {5}
