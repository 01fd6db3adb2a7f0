"""The same container comes back: names, dtypes, categories, index; and what values may be."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from imbkit.exceptions import DataError

MAKING = ("ADASYN", "BorderlineSMOTE", "SMOTE", "SMOTENC")
BLIND = ("RandomOverSampler", "RandomUnderSampler")
NAMES = ["rate", "amount", "age", "code"]


def settings_of(name):
    """Settings under which all classes get rows."""
    return {"exact_counts": True} if name in ("ADASYN", "BorderlineSMOTE") else {}


def categories_of(name):
    return {"categorical_features": ["code"]} if name == "SMOTENC" else {}


def nearest_present(X):
    """NaN-aware squared distances between all rows, those without a common column last."""
    gap = X[:, None] - X
    there = ~np.isnan(gap)
    count = there.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = np.where(there, gap, 0) ** 2
        return np.where(count > 0, squared.sum(axis=2) / count * X.shape[1], np.inf)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_come_back_with_the_rows_of_arrays(library, name, build, table, resample):
    X, y = table(name)
    expected, labels = resample(build(name), X, y)
    if library == "pandas":
        index = pd.Index(np.arange(y.size) * 3 + 7, name="id")
        frame = pd.DataFrame(X, columns=NAMES, index=index)
        target = pd.Series(y, index=index, name="target")
    else:
        frame, target = pl.DataFrame(X, schema=NAMES), pl.Series("target", y)
    sampler = build(name, **categories_of(name))
    out, found = resample(sampler, frame, target)
    assert type(out) is type(frame)
    assert type(found) is type(target)
    assert list(out.columns) == NAMES
    assert found.name == "target"
    assert found.dtype == target.dtype
    np.testing.assert_array_equal(out.to_numpy(), expected)
    np.testing.assert_array_equal(found.to_numpy(), labels)
    assert sampler.feature_names_in_.tolist() == NAMES
    assert sampler.get_feature_names_out().tolist() == NAMES
    if library == "pandas":
        kept = index[sampler.sample_indices_]
        wanted = kept if name == "RandomUnderSampler" else pd.RangeIndex(len(labels))
        pd.testing.assert_index_equal(out.index, wanted, exact=True)
        pd.testing.assert_index_equal(found.index, wanted, exact=True)


def test_names_may_be_numbers_or_of_several_levels(name, build, table, resample):
    X, y = table(name)
    for columns in ([3, 1, 2, 0], pd.MultiIndex.from_product([["a", "b"], ["c", "d"]])):
        frame = pd.DataFrame(X, columns=columns)
        out, _ = resample(build(name), frame, y)
        pd.testing.assert_index_equal(out.columns, frame.columns, exact=True)


def of_many_dtypes(X):
    """A frame of pandas whose columns are numbers of every make."""
    return pd.DataFrame(
        {
            "double": X[:, 0],
            "single": X[:, 1].astype(np.float32),
            "small": np.rint(20 * X[:, 2] + 100).clip(0, 255).astype(np.uint8),
            "large": np.rint(1000 * X[:, 3]).astype(np.int64),
            "truth": X[:, 0] > 0,
            "nullable": pd.array(np.rint(5 * X[:, 1]), dtype="Int16"),
            "arrow": pd.array(X[:, 2], dtype="float64[pyarrow]"),
            "nullable float": pd.array(X[:, 3], dtype="Float32"),
            "nullable truth": pd.array(X[:, 1] > 0, dtype="boolean"),
        }
    )


def test_dtypes_are_kept(name, build, table, resample):
    X, y = table("SMOTE", sizes=(60, 24))
    frame = of_many_dtypes(X)
    categories = {"categorical_features": ["truth"]} if name == "SMOTENC" else {}
    sampler = build(name, **categories, **settings_of(name))
    out, _ = resample(sampler, frame, y)
    pd.testing.assert_series_equal(out.dtypes, frame.dtypes)
    kept = sampler.steps_ == 0
    pd.testing.assert_frame_equal(
        out[kept].reset_index(drop=True),
        frame.iloc[sampler.sample_indices_[kept]].reset_index(drop=True),
    )
    frame = pl.from_pandas(frame)
    sampler = build(name, **categories, **settings_of(name))
    out, _ = resample(sampler, frame, y)
    assert out.schema == frame.schema
    assert out.filter(kept).equals(frame[sampler.sample_indices_[kept]])


@pytest.mark.parametrize("name", ["ADASYN", "BorderlineSMOTE", "SMOTE", "SMOTENC", "SMOTETomek"])
def test_new_values_lie_between_the_parents_in_every_dtype(name, build, table, resample):
    X, y = table("SMOTE", sizes=(60, 24))
    frame = of_many_dtypes(X)
    categories = {"categorical_features": ["truth"]} if name == "SMOTENC" else {}
    sampler = build(name, **categories, **settings_of(name))
    out, _ = resample(sampler, frame, y)
    a, b = sampler.parents_.T
    for column in frame.columns.drop(categories.get("categorical_features", [])):
        values = frame[column].to_numpy(np.float64)
        start, end, made = values[a], values[b], out[column].to_numpy(np.float64)
        exact = start + sampler.steps_ * (end - start)
        if "truth" in column:
            exact = exact > 0.5
        elif column in ("small", "large", "nullable"):
            exact = np.rint(exact)
        np.testing.assert_allclose(made, exact, rtol=1e-6, atol=1e-6, err_msg=column)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int64, np.bool_])
def test_narrow_integers_do_not_wrap_around(dtype, name, build, table, resample):
    X, y = table("SMOTE", sizes=(60, 24))
    whole = X > 0 if dtype is np.bool_ else np.rint(40 * X + 100).clip(0, 127)
    whole = whole.astype(dtype)
    sampler = build(name, **settings_of(name))
    out, _ = resample(sampler, whole, y)
    assert out.dtype == dtype
    if name in ("SMOTEN", "SMOTENC"):
        assert set(out[:, -1]) <= set(whole[:, -1])
    if name in ("SMOTEN",):
        return
    numbers = slice(0, -1) if name == "SMOTENC" else slice(None)
    a, b = sampler.parents_.T
    start, end = whole[a].astype(float), whole[b].astype(float)
    exact = start + sampler.steps_[:, None] * (end - start)
    exact = exact > 0.5 if dtype is np.bool_ else np.rint(exact)
    np.testing.assert_array_equal(out[:, numbers], exact.astype(dtype)[:, numbers])


def test_smoothed_copies_of_narrow_integers_stay_in_range(build, table):
    X, y = table("SMOTE", sizes=(60, 24))
    whole = np.rint(60 * X + 128).clip(0, 255).astype(np.uint8)
    sampler = build("RandomOverSampler", shrinkage=1.0)
    out, _ = sampler.fit_resample(whole, y)
    assert out.dtype == np.uint8
    free, _ = build("RandomOverSampler", shrinkage=1.0).fit_resample(whole.astype(float), y)
    np.testing.assert_array_equal(out, np.rint(free).clip(0, 255))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_kept(dtype, name, build, table, resample):
    X, y = table(name, dtype=dtype)
    sampler = build(name)
    out, _ = resample(sampler, X, y)
    assert out.dtype == dtype
    if name == "SMOTENC":
        out, X = out[:, :-1], X[:, :-1]
    if name == "SMOTEN":
        return
    a, b = sampler.parents_.T
    # The difference is rounded in the dtype, the rest is not until the end.
    exact = (X[a] + sampler.steps_[:, None] * (X[b] - X[a])).astype(dtype)
    np.testing.assert_array_equal(out, exact)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array,
                                  sparse.csc_matrix])  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_sparse_tables_come_back_sparse(make, dtype, name, build, table):
    X, y = table(name, d=6)
    X[np.random.default_rng(0).random(X.shape) < 0.4] = 0
    X = np.rint(4 * X).astype(dtype) if dtype is np.int64 else X.astype(dtype)
    if name in ("SMOTEN", "SMOTENC"):
        X = np.abs(X)
    sampler = build(name)
    with warnings.catch_warnings():
        # Numbers of rows, and SMOTEN's dense work.
        warnings.simplefilter("ignore")
        out, _ = sampler.fit_resample(make(X), y)
    assert type(out) is make
    assert out.dtype == dtype
    copies = sampler.parents_[:, 0] == sampler.parents_[:, 1]
    if name not in ("SMOTEN",):
        np.testing.assert_array_equal(out.toarray()[copies], X[sampler.sample_indices_[copies]])
    assert np.isfinite(out.toarray().astype(float)).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_dates_and_durations_come_from_the_base_row(library, name, build, table, resample):
    X, y = table(name)
    frame = pd.DataFrame(X, columns=NAMES).assign(
        day=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(y.size) * 7, "h"),
        zone=pd.date_range("2024-01-01", periods=y.size, freq="D", tz="Europe/Paris"),
        took=pd.to_timedelta(np.arange(y.size)[::-1], "s"),
    )
    frame.loc[3, ["day", "took"]] = pd.NaT
    if name == "SMOTEN":
        # All of its columns are categories; dates among them would be, too.
        frame = frame[["day", *NAMES]]
    plain, _ = resample(build(name, **categories_of(name)), frame[NAMES], y)
    if library == "polars":
        frame = pl.from_pandas(frame)
    sampler = build(name, **categories_of(name))
    out, _ = resample(sampler, frame, y)
    assert list(out.columns) == list(frame.columns)
    base = sampler.sample_indices_
    if name == "SMOTEN":
        assert set(map(str, out["day"])) <= set(map(str, frame["day"]))
        return
    if library == "polars":
        assert out["day", "zone", "took"].equals(frame[base]["day", "zone", "took"])
        assert out.schema == frame.schema
    else:
        carried = frame.loc[base, ["day", "zone", "took"]].set_axis(out.index)
        pd.testing.assert_frame_equal(out[["day", "zone", "took"]], carried)
    # They count in no distance.
    np.testing.assert_array_equal(out[NAMES].to_numpy(), np.asarray(plain))


@pytest.mark.parametrize("name", ["SMOTEN", "SMOTENC", *BLIND])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_categories_are_kept_and_never_invented(library, name, build, table, resample):
    X, y = table("SMOTE", sizes=(60, 24))
    rng = np.random.default_rng(0)
    words = rng.choice(["red", "green", "blue"], y.size)
    frame = pd.DataFrame(
        {
            "number": X[:, 0],
            "colour": pd.Categorical(words, categories=["unused", "blue", "red", "green"]),
            "grade": pd.Categorical(rng.choice([1, 2, 3], y.size), ordered=True),
            "word": pd.Series(rng.choice(["a", "b"], y.size), dtype="str"),
        }
    )
    if name == "SMOTEN":
        frame = frame.drop(columns="number")
    if library == "polars":
        frame = pl.from_pandas(frame.astype({"grade": "str"})).with_columns(
            pl.col("colour").cast(pl.Categorical),
            pl.col("word").cast(pl.Enum(["b", "a", "unused"])),
        )
    chosen = ["colour", "grade", "word"]
    sampler = build(name, **({"categorical_features": chosen} if name == "SMOTENC" else {}))
    out, labels = resample(sampler, frame, y)
    if library == "pandas":
        pd.testing.assert_series_equal(out.dtypes, frame.dtypes)
    else:
        assert out.schema == frame.schema
    for column in chosen:
        for label in (0, 1):
            own = set(np.asarray(frame[column])[y == label])
            assert set(np.asarray(out[column])[labels == label]) <= own


@pytest.mark.parametrize("container", ["numpy", "pandas", "polars"])
@pytest.mark.parametrize("what", ["numpy", "kernels"])
def test_missing_values_count_as_far_as_they_are_there(
    what, container, measuring, build, table, resample, working_with
):
    X, y = table(measuring, d=5)
    numbers = slice(0, 4) if measuring == "SMOTENC" else slice(None)
    gone = np.random.default_rng(0).random(X.shape) < 0.15
    gone[:, 4] &= measuring != "SMOTENC"
    X[gone] = np.nan
    sampler = build(measuring, **settings_of(measuring))
    frames = {"numpy": np.asarray, "pandas": pd.DataFrame, "polars": pl.DataFrame}
    given = frames[container](X)
    with working_with(what):
        out, labels = resample(sampler, given, y)
    out = np.asarray(out)[:, numbers]
    X = X[:, numbers]
    a, b = sampler.parents_.T
    start, end = X[a], X[b]
    # A new value is missing only if both parents lack it, and the other's where one does.
    np.testing.assert_array_equal(np.isnan(out), np.isnan(start) & np.isnan(end))
    exact = start + sampler.steps_[:, None] * (end - start)
    exact = np.where(np.isnan(start), end, np.where(np.isnan(end), start, exact))
    np.testing.assert_array_equal(out, exact)
    np.testing.assert_array_equal(labels, y[a])


@pytest.mark.parametrize("what", ["numpy", "kernels"])
def test_neighbours_with_missing_values_are_those_of_the_sums(
    what, build, table, resample, working_with
):
    X, y = table("SMOTE", d=5)
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    with working_with(what):
        smote, tomek = build("SMOTE"), build("TomekLinks", sampling_strategy="all")
        enn = build("EditedNearestNeighbours", sampling_strategy="all")
        for sampler in (smote, tomek, enn):
            resample(sampler, X, y)
    squared = nearest_present(X)
    np.fill_diagonal(squared, np.nan)
    order = np.argsort(squared, axis=1, kind="stable")
    nearest = order[:, 0]
    linked = (nearest[nearest] == np.arange(y.size)) & (y[nearest] != y)
    np.testing.assert_array_equal(tomek.sample_indices_, np.flatnonzero(~linked))
    pure = (y[order[:, :3]] == y[:, None]).all(axis=1)
    np.testing.assert_array_equal(np.sort(enn.sample_indices_), np.flatnonzero(pure))
    for a, b in smote.parents_[y.size :]:
        own = np.flatnonzero(y == y[a])
        among = own[np.argsort(squared[a, own], kind="stable")][:5]
        assert b in among


@pytest.mark.parametrize("name", MAKING)
def test_missing_values_of_nullable_columns(name, build, table, resample):
    X, y = table("SMOTE", sizes=(60, 24))
    frame = pd.DataFrame(
        {
            "whole": pd.array(np.rint(20 * X[:, 0]), dtype="Int32"),
            "float": pd.array(X[:, 1], dtype="Float64"),
            "truth": pd.array(X[:, 2] > 0, dtype="boolean"),
            "code": np.where(X[:, 3] > 0, 1, 2),
        }
    )
    frame.loc[::7, "whole"] = pd.NA
    frame.loc[::5, "float"] = pd.NA
    frame.loc[::11, "truth"] = pd.NA
    for given in (frame, pl.from_pandas(frame)):
        sampler = build(name, **categories_of(name), **settings_of(name))
        out, _ = resample(sampler, given, y)
        a, b = sampler.parents_.T
        for column in ("whole", "float", "truth"):
            gone = frame[column].isna().to_numpy()
            found = out[column].is_null() if isinstance(out, pl.DataFrame) else out[column].isna()
            np.testing.assert_array_equal(found.to_numpy(), gone[a] & gone[b])
        if given is frame:
            pd.testing.assert_series_equal(out.dtypes, frame.dtypes)
        else:
            assert out.schema == given.schema


def test_columns_of_nothing_but_missing_values(measuring, build, table, resample):
    X, y = table(measuring, d=5)
    X[:, 0] = np.nan
    sampler = build(measuring, **settings_of(measuring))
    out, _ = resample(sampler, X, y)
    assert np.isnan(out[:, 0]).all()
    assert not np.isnan(out[:, 1:]).any()


@pytest.mark.parametrize("name", BLIND)
def test_rows_of_anything_are_copied(name, build, table):
    _, y = table(name, sizes=(60, 24))
    things = np.array([{"row": i} for i in range(y.size)], dtype=object)
    X = np.column_stack([things, np.where(y == 0, None, "text")])
    sampler = build(name)
    out, _ = sampler.fit_resample(X, y)
    assert out.dtype == object
    assert all(
        found is X[i, 0] for found, i in zip(out[:, 0], sampler.sample_indices_, strict=True)
    )
    frame = pd.DataFrame(X, columns=["thing", "word"])
    out, _ = sampler.fit_resample(frame, y)
    assert all(
        found is X[i, 0] for found, i in zip(out["thing"], sampler.sample_indices_, strict=True)
    )


LABELS = {
    "text": lambda y: np.array(["usual", "fraud", "error"])[y],
    "objects": lambda y: np.array(["usual", "fraud", "error"], dtype=object)[y],
    "truth": lambda y: y == 1,
    "negative": lambda y: -y,
    "small": lambda y: y.astype(np.int8),
    "floats": lambda y: y.astype(float),
    "column": lambda y: y.reshape(-1, 1),
    "categories": lambda y: pd.Series(pd.Categorical(y)),
    "nullable": lambda y: pd.Series(y, dtype="Int64"),
    "nullable truth": lambda y: pd.Series(y == 1, dtype="boolean"),
    "arrow": lambda y: pd.Series(np.array(["usual", "fraud", "error"])[y], dtype="string[pyarrow]"),
    "frame": lambda y: pd.DataFrame({"target": y}),
    "polars": lambda y: pl.Series("target", np.array(["usual", "fraud", "error"])[y]),
    "polars categories": lambda y: pl.Series("target", y.astype(str), dtype=pl.Categorical),
    "list": lambda y: y.tolist(),
    "tuple": lambda y: tuple(y.tolist()),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_make_come_back(kind, name, build, table, resample):
    X, y = table(name)
    target = LABELS[kind](y)
    sampler = build(name)
    out, labels = resample(sampler, X, target)
    base = sampler.sample_indices_
    assert len(out) == len(labels)
    if kind in ("list", "tuple"):
        assert labels == [target[i] for i in base]
        return
    assert type(labels) is type(target)
    if isinstance(target, np.ndarray):
        assert labels.dtype == target.dtype
        assert labels.ndim == 1
        np.testing.assert_array_equal(labels, target[base].ravel())
    elif isinstance(target, pl.Series):
        assert labels.equals(target[base])
        assert labels.dtype == target.dtype
    else:
        renumbered = target.iloc[base].set_axis(labels.index)
        assert labels.equals(renumbered)
        kept = name == "RandomUnderSampler"
        assert labels.index.tolist() == (base.tolist() if kept else list(range(len(base))))
    assert set(sampler.sampling_strategy_) <= set(np.unique(np.asarray(target))) or "SMOTE" in name


def test_companions_of_frames_are_renumbered_with_the_rows(name, build, table, resample):
    X, y = table(name)
    index = pd.Index(np.arange(y.size) + 50)
    frame = pd.DataFrame(X, columns=NAMES, index=index)
    weight = pd.Series(np.arange(y.size, dtype=float), index=index, name="weight")
    sampler = build(name, **categories_of(name))
    out, labels = resample(sampler, frame, pd.Series(y, index=index), sample_weight=weight)
    found = sampler.companions_["sample_weight"]
    assert isinstance(found, pd.Series)
    assert found.name == "weight"
    pd.testing.assert_index_equal(found.index, out.index, exact=True)
    pd.testing.assert_index_equal(labels.index, out.index, exact=True)
    for make in (pl.Series, np.asarray, list):
        resample(sampler, frame, y, amount=make(weight.to_numpy()))
        other = sampler.companions_["amount"]
        assert type(other) is type(make(weight.to_numpy()))
        np.testing.assert_array_equal(np.asarray(other), found.to_numpy())


def test_integers_without_missing_values_cannot_take_any(build, table):
    """A column that has no missing value in its dtype has none to pass on."""
    X, y = table("SMOTE")
    frame = pd.DataFrame(np.rint(10 * X), columns=NAMES).astype(np.int64)
    out, _ = build("SMOTE").fit_resample(frame, y)
    assert (out.dtypes == np.int64).all()
    with pytest.raises(DataError):
        build("SMOTE").fit_resample(frame.assign(code="word"), y)
