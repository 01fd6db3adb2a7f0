"""SMOTENC: imbalanced-learn's rows, levels that exist, gaps, and errors that say what to do."""

import pickle
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTENC as Original
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder

from imbkit._core import mixed
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.sampling._smotenc import SMOTENC

CATEGORIES = [6, 2, 4]


def table(n=240, levels=(3, 40, 1000), classes=3, seed=0):
    """Objects: numbers, text and whole numbers, the columns of categories in between."""
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, n, p=np.arange(1, classes + 1) / sum(range(classes + 1)))
    X = np.empty((n, 7), dtype=object)
    for j in (0, 1, 3, 5):
        X[:, j] = rng.normal(size=n) * (j + 1) + y
    X[:, 2] = np.array([f"level {v}" for v in rng.integers(0, levels[0], n)], dtype=object)
    X[:, 4] = rng.integers(0, levels[1], n)
    X[:, 6] = np.array([f"{v:04d}" for v in rng.integers(0, levels[2], n)], dtype=object)
    return X, y


def both(X, y, categories, seed=0, instance=False, **settings):
    """Resample with both, from the same stream."""
    states = [np.random.RandomState(seed) if instance else seed for _ in range(2)]
    samplers = [
        cls(categories, random_state=state, **settings)
        for cls, state in zip((SMOTENC, Original), states, strict=True)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImbkitWarning)
        (found, y_found), (expected, y_expected) = (s.fit_resample(X, y) for s in samplers)
    np.testing.assert_array_equal(y_found, y_expected)
    if instance:
        assert states[0].randint(2**31) == states[1].randint(2**31)
    return found, expected, *samplers


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("instance", [False, True])
@pytest.mark.parametrize("levels", [(2, 3, 4), (3, 40, 1000)])
def test_rows_of_the_peer_in_objects_and_frames(seed, instance, levels):
    X, y = table(levels=levels, classes=2 + seed % 3, seed=seed)
    found, expected, ours, theirs = both(X, y, CATEGORIES, seed, instance)
    np.testing.assert_array_equal(found, expected)
    assert ours.median_std_ == theirs.median_std_
    assert list(ours.median_std_) == list(theirs.median_std_)
    for name in ("categorical_features_", "continuous_features_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    encoders = ours.categorical_encoder_, theirs.categorical_encoder_
    for one, other in zip(*(each.categories_ for each in encoders), strict=True):
        np.testing.assert_array_equal(one, other)
    frame = pd.DataFrame(X, columns=list("abcdefg")).infer_objects()
    frame["c"] = frame["c"].astype("category")
    found, expected, *_ = both(frame, y, ["g", "c", "e"], seed, instance)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1.0, 1e6, 4e-9, 0.0])
@pytest.mark.parametrize("k", [1, 4])
def test_rows_of_the_peer_at_any_scale_of_numbers(dtype, scale, k):
    # Tiny numbers make votes count alike, and constant ones take the unscaled vote.
    rng = np.random.default_rng(k)
    X = np.column_stack([rng.normal(size=(150, 3)), rng.integers(0, [3, 9], (150, 2))])
    X[:, :2] *= scale
    X, y = X.astype(dtype), rng.choice(3, 150, p=[0.2, 0.3, 0.5])
    found, expected, ours, theirs = both(X, y, [3, 4], k_neighbors=k)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    assert ours.median_std_ == theirs.median_std_


def test_large_classes_give_the_same_rows_by_kernels(monkeypatch):
    X, y = table(seed=9)
    expected, _ = SMOTENC(CATEGORIES, random_state=0).fit_resample(X, y)
    monkeypatch.setattr(mixed, "_FEW", -1)
    for n_jobs in (1, 2):
        found, _ = SMOTENC(CATEGORIES, random_state=0, n_jobs=n_jobs).fit_resample(X, y)
        np.testing.assert_array_equal(found, expected)


def test_a_neighbours_object_and_an_encoder_are_used_as_by_the_peer():
    X, y = table(levels=(3, 4, 5))
    near = NearestNeighbors(n_neighbors=4, metric="manhattan")
    found, expected, ours, _ = both(X, y, CATEGORIES, k_neighbors=near)
    np.testing.assert_array_equal(found, expected)
    assert ours.nn_k_.get_params() == near.get_params()
    several = [
        ["0003", "0001", "0000", "0002", "0004"],
        ["level 2", "level 0", "level 1"],
        range(9),
    ]
    some = [["0001", "0003"], ["level 1"], [1, 3]]
    for encoder in (
        OneHotEncoder(sparse_output=False),
        OneHotEncoder(categories=several),
        OneHotEncoder(categories=some, handle_unknown="ignore"),
    ):
        found, expected, ours, theirs = both(X, y, [6, 2, 4], categorical_encoder=encoder)
        np.testing.assert_array_equal(found[len(X) :], expected[len(X) :])
        # The peer loses values that an encoder does not know, in rows that were there as well.
        np.testing.assert_array_equal(found[: len(X)], X)
        assert ours.categorical_encoder is encoder
        assert ours.categorical_encoder_ is not encoder
        assert str(ours.categorical_encoder_) == str(theirs.categorical_encoder_)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix])
def test_sparse_tables_come_back_as_they_were(container):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, [3, 9], (90, 2)), rng.normal(size=(90, 3))])
    y = np.repeat([0, 1], [60, 30])
    found, expected, *_ = both(container(X), y, [0, 1])
    assert type(found) is container
    np.testing.assert_array_equal(found.toarray(), expected.toarray())


@st.composite
def frames(draw):
    """Frames of pandas or polars, with gaps, every kind of category and dates."""
    n = draw(st.integers(12, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    gone = rng.random((5, n)) < draw(st.sampled_from([0.0, 0.2]))
    words = [None if g else w for g, w in zip(gone[0], rng.choice(list("xyz"), n), strict=True)]
    counts = [None if g else int(v) for g, v in zip(gone[1], rng.integers(0, 4, n), strict=True)]
    level = [None if g else w for g, w in zip(gone[2], rng.choice(["u", "v"], n), strict=True)]
    number = np.where(gone[3], np.nan, rng.normal(size=n))
    when = np.datetime64("2020-01-01", "us") + np.arange(n)
    columns = {"number": number, "more": rng.normal(size=n), "flag": rng.random(n) < 0.5}
    if draw(st.booleans()):
        X = pd.DataFrame(columns)
        X["words"] = pd.Series(words, dtype=draw(st.sampled_from(["str", "object", "string"])))
        X["counts"] = pd.Series(counts, dtype="Int64")
        X["level"] = pd.Categorical(level, categories=["w", "v", "u"])
        X["when"] = when
        X.index = rng.permutation(n)
    else:
        kind = draw(st.sampled_from([pl.Categorical(), pl.Enum(["w", "v", "u"])]))
        X = pl.DataFrame(columns).with_columns(
            words=pl.Series(words, dtype=pl.String),
            counts=pl.Series(counts, dtype=pl.Int8),
            level=pl.Series(level, dtype=kind),
            when=pl.Series(when),
        )
    y = rng.permutation(np.arange(n) % 5 == 0).astype(int)
    return X, y


@settings(max_examples=40)
@given(frames(), st.integers(1, 4))
def test_no_level_is_invented_and_no_dtype_changed(case, k):
    X, y = case
    n = len(X)
    sampler = SMOTENC(["words", "level", "flag", "counts"], random_state=0, k_neighbors=k)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallClassWarning)
        Z, _ = sampler.fit_resample(X, y)
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(Z[:n], X.reset_index(drop=True))
        assert Z.dtypes.equals(X.dtypes)
        assert Z["level"].cat.categories.equals(X["level"].cat.categories)
        texts = (X.astype(object), Z.astype(object))
    else:
        assert Z[:n].equals(X)
        assert Z.schema == X.schema
        texts = (X.to_pandas().astype(object), Z.to_pandas().astype(object))
    rare, made = texts[0][y == 1], texts[1][n:]
    for name in ("words", "level", "flag", "counts"):
        known = {"missing" if pd.isna(v) else v for v in rare[name]}
        assert {"missing" if pd.isna(v) else v for v in made[name]} <= known
    base, mate = sampler.parents_[n:].T
    assert (y[base] == 1).all()
    assert made["when"].tolist() == texts[0]["when"].iloc[base].tolist()
    numbers = texts[0][["number", "more"]].to_numpy(dtype=float)
    a, b, t = numbers[base], numbers[mate], sampler.steps_[n:, None]
    expected = np.where(np.isnan(a), b, np.where(np.isnan(b), a, a + t * (b - a)))
    np.testing.assert_array_equal(made[["number", "more"]].to_numpy(dtype=float), expected)


def test_missing_values_among_objects_stay_as_they_are():
    X, y = table(levels=(2, 3, 3))
    X[::3, 2], X[1::3, 2], X[::5, 0] = None, np.nan, np.nan
    Z, _ = SMOTENC(CATEGORIES, random_state=0).fit_resample(X, y)
    assert {type(v) for v in Z[len(X) :, 2]} <= {str, type(None), float}
    assert any(v is None or v != v for v in Z[len(X) :, 2])
    assert not (Z[len(X) :, 0] != Z[len(X) :, 0]).all()


def test_integers_are_rounded_and_keep_their_dtype():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 200, (60, 3)).astype(np.uint8)
    X[:, 2] %= 3
    y = np.repeat([0, 1], [45, 15])
    sampler = SMOTENC([2], random_state=0)
    Z, _ = sampler.fit_resample(X, y)
    base, mate = sampler.parents_[60:].T
    values = X[:, :2].astype(float)
    exact = values[base] + sampler.steps_[60:, None] * (values[mate] - values[base])
    assert Z.dtype == np.uint8
    np.testing.assert_array_equal(Z[60:, :2], np.rint(exact))


def test_companions_bounds_and_even_allocation():
    X, y = table(levels=(2, 3, 3), classes=2)
    n = len(y)
    sampler = SMOTENC(
        CATEGORIES, random_state=0, allocation="even", bounds={0: (0, 1)}, integer_features=[1]
    )
    weight = np.arange(n, dtype=float)
    Z, _ = sampler.fit_resample(X, y, sample_weight=weight, groups=y)
    made = Z[n:]
    assert made[:, 0].min() >= 0
    assert made[:, 0].max() <= 1
    assert all(v == round(v) for v in made[:, 1])
    base, mate = sampler.parents_[n:].T
    expected = weight[base] + sampler.steps_[n:] * (weight[mate] - weight[base])
    np.testing.assert_allclose(sampler.companions_["sample_weight"][n:], expected)
    uses = np.bincount(base, minlength=n)[y == 0]
    assert uses.max() - uses.min() <= 1


def test_tiny_classes_shrink_k_or_are_repeated():
    X, _ = table(n=40, levels=(2, 3, 3))
    y = np.repeat(["many", "few", "one"], [36, 3, 1])
    sampler = SMOTENC(CATEGORIES, random_state=0)
    with pytest.warns(SmallClassWarning) as seen:
        Z, y_new = sampler.fit_resample(X, y)
    assert len(seen) == 2
    assert (Z[40:][y_new[40:] == "one"] == X[39]).all()
    parents = sampler.parents_[40:][y_new[40:] == "few"]
    assert set(parents.ravel()) == {36, 37, 38}
    assert (parents[:, 0] != parents[:, 1]).all()


def test_a_tiny_spread_is_told():
    X, y = table(levels=(3, 3, 3), classes=2)
    X[:, [0, 1, 3, 5]] = X[:, [0, 1, 3, 5]].astype(float) * 1e-10
    with pytest.warns(ImbkitWarning, match="among all levels"):
        SMOTENC(CATEGORIES, random_state=0).fit_resample(X, y)


def test_plan_draws_follow_fit_resample_and_nothing_private_is_pickled():
    X, y = table(levels=(3, 4, 5))
    sampler = SMOTENC(CATEGORIES, random_state=0)
    plan = sampler.fit_resample_plan(X, y)
    sampler.fit_resample(X, y)
    np.testing.assert_array_equal(plan.parents, sampler.parents_)
    again = pickle.loads(pickle.dumps(sampler))
    assert not hasattr(again, "parents_")
    assert again.median_std_ == sampler.median_std_


def test_memory_does_not_grow_with_levels():
    rng = np.random.default_rng(0)
    n = 4000
    X = np.column_stack([rng.normal(size=(n, 2)), rng.permutation(n)])
    y = (np.arange(n) % 20 == 0).astype(int)
    tracemalloc.start()
    SMOTENC([2], random_state=0).fit_resample(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One-hot columns of the new rows alone would take 120 MB.
    assert peak < 12e6


def test_small_tables_do_without_numba():
    code = (
        "import sys, numpy as np\n"
        "from imbkit.sampling._smotenc import SMOTENC\n"
        "from imbkit.sampling._smoten import SMOTEN\n"
        "X = np.random.rand(900, 4).round(2); y = np.arange(900) % 3 // 2\n"
        "SMOTENC([3]).fit_resample(X, y); SMOTEN().fit_resample(X, y)\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("categories", "error", "words"),
    [
        ([0, 10], InvalidParameterError, "all features must be in"),
        ([2, 2], InvalidParameterError, "twice"),
        ([1.5], InvalidParameterError, "all features must be in"),
        (["c"], InvalidParameterError, "data frame"),
        ([True, False], InvalidParameterError, "2 entries"),
        ([], DataError, "not designed to work only with numerical"),
        (list(range(7)), DataError, "not designed to work only with categorical"),
        ([2, 4], DataError, r"'x6' \(string\)"),
        ("auto", DataError, "should be a pandas.DataFrame"),
    ],
)
def test_wrong_columns_are_refused(categories, error, words):
    X, y = table()
    with pytest.raises(error, match=words):
        SMOTENC(categories).fit_resample(X, y)


def test_columns_by_mask_name_dtype_and_from_the_end():
    X, y = table(levels=(3, 4, 5))
    expected, _ = SMOTENC([2, 4, 6], random_state=0).fit_resample(X, y)
    mask = np.isin(np.arange(7), [2, 4, 6])
    for asked in (mask, mask.tolist(), [-5, -3, -1], np.array([2, 4, 6], dtype=np.int8)):
        found, _ = SMOTENC(asked, random_state=0).fit_resample(X, y)
        np.testing.assert_array_equal(found, expected)
    frame = pd.DataFrame(X, columns=list("abcdefg")).infer_objects()
    with pytest.raises(DataError, match="only with numerical"):
        SMOTENC("auto").fit_resample(frame, y)
    frame = frame.astype(dict.fromkeys("ceg", "category"))
    for library, asked in ((frame, "auto"), (frame, ["c", "e", "g"])):
        found, _ = SMOTENC(asked, random_state=0).fit_resample(library, y)
        np.testing.assert_array_equal(found.astype(object).to_numpy(), expected)
    with pytest.raises(DataError, match="Did you mean"):
        SMOTENC(["cc"]).fit_resample(frame.rename(columns={"c": "ccc"}), y)


@pytest.mark.parametrize("column", [0, 4])
def test_infinite_values_are_refused_by_name(column):
    X, y = table()
    X[3, column] = np.inf
    for data in (X, pd.DataFrame(X, columns=[f"name{j}" for j in range(7)])):
        with pytest.raises(DataError, match=r"infinite.*(x|name)" + str(column)):
            SMOTENC(CATEGORIES).fit_resample(data, y)


def test_encoders_that_lose_levels_are_refused():
    X, y = table(levels=(3, 4, 5))
    for encoder in (OneHotEncoder(drop="first"), OneHotEncoder(max_categories=2)):
        with pytest.raises(DataError, match="one column per category"):
            SMOTENC(CATEGORIES, categorical_encoder=encoder).fit_resample(X, y)


def test_input_is_not_changed():
    X, y = table()
    before = X.copy()
    X.flags.writeable = False
    SMOTENC(CATEGORIES, random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(X, before)
