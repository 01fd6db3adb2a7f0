"""What no sampler can use is refused with a word on what to do; odd but good input is not."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.utils._param_validation import InvalidParameterError as TheirParameterError

from imbkit.exceptions import (
    DataError,
    ImbkitWarning,
    InvalidParameterError,
    SmallClassWarning,
)

OVER = ("ADASYN", "BorderlineSMOTE", "RandomOverSampler", "SMOTE", "SMOTEENN", "SMOTEN",
        "SMOTENC", "SMOTETomek")  # fmt: skip
COUNTING = ("NearMiss", "RandomUnderSampler")
CLEANING = ("AllKNN", "CondensedNearestNeighbour", "EditedNearestNeighbours",
            "NeighbourhoodCleaningRule", "OneSidedSelection",
            "RepeatedEditedNearestNeighbours", "TomekLinks")  # fmt: skip
# These take whatever is in the columns.
BLIND = ("RandomOverSampler", "RandomUnderSampler")
NOMINAL = ("SMOTEN", "SMOTENC")


def contents(table):
    """What a table holds, without what its class remembers of it."""
    if sparse.issparse(table):
        parts = ("data", "indices", "indptr", "coords")
        return [
            np.asarray(getattr(table, part)).tobytes() for part in parts if hasattr(table, part)
        ]
    return pickle.dumps(table)


def dense(table):
    return table.toarray() if sparse.issparse(table) else table


def refused(sampler, X, y, *words, error=DataError, **companions):
    """The error's text names the class and says every one of some words."""
    before = contents(X), contents(y)
    with pytest.raises(error) as caught:
        sampler.fit_resample(X, y, **companions)
    text = str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert text.startswith(f"{type(sampler).__name__}: "), text
    assert text.endswith("."), text
    for word in words:
        assert word in text
    # A second look at the data finds it as it was.
    assert (contents(X), contents(y)) == before
    return text


BAD_LABELS = {
    "none": (lambda y: None, "target y is None"),
    "continuous": (lambda y: y + np.linspace(0.1, 0.9, y.size), "Unknown label type: continuous"),
    "one class": (lambda y: np.zeros(y.size, int), "more than 1 class"),
    "missing": (lambda y: np.where(y == 0, np.nan, y), "contains NaN"),
    "no label": (lambda y: np.where(y == 0, None, "a"), "label"),
    "kinds": (lambda y: np.where(y == 0, "a", y.astype(object)), "of one kind"),
    "several labels": (lambda y: np.ones((y.size, 3), int), "Multilabel and multioutput"),
    "columns": (lambda y: np.column_stack([y, y + 5]), "Unknown label type"),
}


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_are_no_classes(kind, name, build, table):
    X, y = table(name)
    make, words = BAD_LABELS[kind]
    refused(build(name), X, make(y), words)


@pytest.mark.parametrize("fewer", [0, 1])
def test_labels_of_another_length(fewer, name, build, table):
    X, y = table(name)
    lengths = [X[: -1 or None], y] if fewer else [X, y[:-1]]
    with pytest.raises(DataError, match=r"one label for each of the \d+ rows\. Got \d+ labels"):
        build(name).fit_resample(*lengths)


BAD_TABLES = {
    "one dimension": (lambda X: X[:, 0], "2D array"),
    "three dimensions": (lambda X: X[:, :, None], "must be a table"),
    "no rows": (lambda X: X[:0], "0 sample"),
    "no columns": (lambda X: X[:, :0], "0 feature"),
    "text": (lambda X: "a table", "must be a table"),
    "ragged": (lambda X: [*X[:-1].tolist(), [1.0]], "different lengths"),
    "coordinates": (sparse.coo_array, ".tocsr()"),
    "lazy": (lambda X: pl.DataFrame(X).lazy(), ".collect()"),
    "twice": (lambda X: pd.DataFrame(X, columns=["a", "a", "b", "c"]), "must be unique"),
    "masked": (lambda X: np.ma.masked_less(X, 0), "masked array"),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_what_is_no_table(kind, name, build, table):
    X, y = table(name)
    make, words = BAD_TABLES[kind]
    X = make(X)
    if kind == "lazy":
        with pytest.raises(DataError, match=r"\.collect\(\)"):
            build(name).fit_resample(X, y)
        return
    refused(build(name), X, y[: len(X)] if kind == "no rows" else y, words)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("container", ["numpy", "pandas", "polars", "csr"])
def test_infinite_values_are_named_by_their_column(sign, container, measuring, build, table):
    X, y = table(measuring)
    X[3, 1] = sign * np.inf
    names = {"numpy": "x1", "csr": "x1"}.get(container, "amount")
    columns = ["time", "amount", "rate", "kind"]
    X = {
        "numpy": lambda: X,
        "csr": lambda: sparse.csr_matrix(X),
        "pandas": lambda: pd.DataFrame(X, columns=columns),
        "polars": lambda: pl.DataFrame(X, schema=columns),
    }[container]()
    refused(build(measuring), X, y, names, "inf")


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array])
def test_missing_values_of_sparse_tables_are_not_measured(make, measuring, build, table):
    if measuring == "SMOTENC":
        pytest.skip("SMOTENC makes numbers dense, so it does measure them")
    X, y = table(measuring)
    X[3, 1] = np.nan
    refused(build(measuring), make(X), y, "NaN", "a sparse matrix with 1 of them", ".toarray()")


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array])
def test_entries_of_sparse_tables_that_are_given_in_parts(make, measuring, build, table, resample):
    X, y = table(measuring)
    whole = make(X)
    parts = np.repeat(whole.data, 2) * np.tile([0.75, 0.25], whole.nnz)
    places = np.repeat(whole.indices, 2), 2 * whole.indptr
    double = make((parts, *places), shape=X.shape)
    before = contents(double)
    for found, expected in zip(
        resample(build(measuring), double, y), resample(build(measuring), whole, y), strict=True
    ):
        np.testing.assert_allclose(np.asarray(dense(found)), np.asarray(dense(expected)))
    assert contents(double) == before


def test_infinite_values_pass_where_nothing_is_measured(build, table):
    X, y = table("SMOTE")
    X[3, 1] = np.inf
    for name in BLIND:
        sampler = build(name)
        out, _ = sampler.fit_resample(X, y)
        np.testing.assert_array_equal(out, X[sampler.sample_indices_])
    refused(build("RandomOverSampler", shrinkage=0.1), X, y, "inf", "x1")


OBJECTS = {
    "text": ["a", "b"],
    "objects": [{"a": 1}, [2]],
}


@pytest.mark.parametrize("container", ["numpy", "pandas", "polars"])
@pytest.mark.parametrize("kind", ["text", "category", "objects"])
def test_columns_that_cannot_be_measured(kind, container, measuring, build, table):
    X, y = table(measuring)
    values = [OBJECTS.get(kind, ["a", "b"])[i % 2] for i in range(y.size)]
    if container == "polars" and kind == "objects":
        frame = pl.DataFrame(X).with_columns(pl.Series("word", values, dtype=pl.Object))
    elif container == "polars":
        dtype = pl.Categorical if kind == "category" else pl.String
        frame = pl.DataFrame(X).with_columns(pl.Series("word", values, dtype=dtype))
    else:
        frame = pd.DataFrame(X).rename(columns=str).assign(word=values)
        if kind == "category":
            frame["word"] = frame["word"].astype("category")
        frame = frame.to_numpy(dtype=object) if container == "numpy" else frame
    settings = {"categorical_features": [3]} if measuring == "SMOTENC" else {}
    name = "x4" if container == "numpy" else "word"
    with pytest.raises(ValueError, match=name) as caught:
        build(measuring, **settings).fit_resample(frame, y)
    assert str(caught.value).startswith(f"{measuring}: ")


def test_complex_numbers(measuring, build, table):
    X, y = table(measuring)
    refused(build(measuring), X + 1j, y, "other" if measuring in NOMINAL else "omplex")


STRATEGIES_OF_ALL = {
    "unknown name": ("largest", (InvalidParameterError, TheirParameterError)),
    "none": (None, (InvalidParameterError, TheirParameterError)),
    "zero": (0.0, (InvalidParameterError, TheirParameterError)),
    "negative": (-0.5, (InvalidParameterError, TheirParameterError)),
    "above one": (1.5, (InvalidParameterError, TheirParameterError)),
    "not a number": (float("nan"), (InvalidParameterError, TheirParameterError)),
    "infinite": (float("inf"), (InvalidParameterError, TheirParameterError)),
    "callable": (lambda y: 7j, (InvalidParameterError,)),
}


@pytest.mark.parametrize("kind", STRATEGIES_OF_ALL)
def test_strategies_that_no_sampler_takes(kind, name, build, table):
    strategy, errors = STRATEGIES_OF_ALL[kind]
    X, y = table(name)
    with pytest.raises(ValueError, match=name) as caught:
        build(name, sampling_strategy=strategy).fit_resample(X, y)
    assert isinstance(caught.value, errors)


STRATEGIES_OF_COUNTS = {
    "unknown class": ({9: 50}, DataError, "classes that are not present in the data"),
    "negative count": ({1: -1}, InvalidParameterError, "negative"),
    "negative ratio": ({1: -0.5}, InvalidParameterError, "negative"),
    "large ratio": ({1: 1.5}, InvalidParameterError, "ratio"),
    "not a number": ({1: float("nan")}, InvalidParameterError, "ratio"),
    "infinite": ({1: float("inf")}, InvalidParameterError, "ratio"),
    "text": ({1: "many"}, InvalidParameterError, "number of rows or a ratio"),
    "truth": ({1: True}, InvalidParameterError, "number of rows or a ratio"),
}


@pytest.mark.parametrize("kind", STRATEGIES_OF_COUNTS)
@pytest.mark.parametrize("name", [*OVER, *COUNTING])
def test_dictionaries_that_make_no_sense(kind, name, build, table):
    strategy, error, words = STRATEGIES_OF_COUNTS[kind]
    X, y = table(name)
    refused(build(name, sampling_strategy=strategy), X, y, words, error=error)
    refused(build(name, sampling_strategy=lambda y: strategy), X, y, words, error=error)


@pytest.mark.parametrize("name", OVER)
def test_fewer_rows_than_there_are(name, build, table):
    X, y = table(name)
    text = refused(build(name, sampling_strategy={0: 3}), X, y, "class 0", "Got 3")
    assert str(np.count_nonzero(y == 0)) in text
    assert "under-sampler" in text
    X, y = table(name, sizes=(60, 30))
    refused(build(name, sampling_strategy=0.4), X, y, "0.4", "increase the ratio")


@pytest.mark.parametrize("name", COUNTING)
def test_more_rows_than_there_are(name, build, table):
    X, y = table(name)
    text = refused(build(name, sampling_strategy={0: 300}), X, y, "class 0", "Got 300")
    assert str(np.count_nonzero(y == 0)) in text
    assert "over-sampler" in text
    X, y = table(name, sizes=(60, 30))
    refused(build(name, sampling_strategy=0.4), X, y, "0.4", "increase the ratio")


@pytest.mark.parametrize("name", [*OVER, *COUNTING])
def test_one_ratio_for_several_classes(name, build, table):
    X, y = table(name)
    refused(build(name, sampling_strategy=0.9), X, y, "binary", "3 classes")


@pytest.mark.parametrize("name", CLEANING)
def test_cleaning_takes_classes_alone(name, build, table):
    X, y = table(name)
    for strategy in ({0: 10}, 0.5):
        with pytest.raises(ValueError, match=name):
            build(name, sampling_strategy=strategy).fit_resample(X, y)
    refused(build(name, sampling_strategy=[0, 9]), X, y, "9", "not present")
    refused(build(name, sampling_strategy=lambda y: [0, 9]), X, y, "9", "not present")


@pytest.mark.parametrize("strategy", ["list", "majority"])
@pytest.mark.parametrize("name", OVER)
def test_over_sampling_takes_no_list_and_no_majority(name, strategy, build, table):
    X, y = table(name)
    asked = [0, 1] if strategy == "list" else strategy
    with pytest.raises(ValueError, match=name):
        build(name, sampling_strategy=asked).fit_resample(X, y)


@pytest.mark.parametrize("strategy", ["list", "minority"])
@pytest.mark.parametrize("name", COUNTING)
def test_under_sampling_takes_no_list_and_no_minority(name, strategy, build, table):
    X, y = table(name)
    asked = [0, 1] if strategy == "list" else strategy
    with pytest.raises(ValueError, match=name):
        build(name, sampling_strategy=asked).fit_resample(X, y)


def test_absent_classes_may_be_passed_over(name, build, table, resample):
    X, y = table(name)
    if name in CLEANING:
        asked, same = [0, 9], [0]
    else:
        counts = np.bincount(y)
        asked = {0: int(counts[0]) + (9 if name in OVER else -9), 9: 50}
        same = {0: asked[0]}
    settings = {"exact_counts": True} if name in ("ADASYN", "BorderlineSMOTE") else {}
    found = resample(
        build(name, sampling_strategy=asked, missing_classes="ignore", **settings), X, y
    )
    expected = resample(build(name, sampling_strategy=same, **settings), X, y)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    refused(build(name, sampling_strategy=asked), X, y, "9", 'missing_classes="ignore"')


def test_ratios_beyond_reach_leave_classes_alone(build, table):
    """In a grid or a fold, a class may be there already."""
    X, y = table("SMOTE", sizes=(60, 50, 20))
    counts = dict(enumerate(np.bincount(y).tolist()))
    asked = dict.fromkeys(counts, 0.5)
    _, labels = build("SMOTE", sampling_strategy=asked).fit_resample(X, y)
    assert sorted(np.bincount(labels).tolist()) == [30, 50, 60]


BAD_COMPANIONS = {
    "short": lambda y: np.ones(y.size - 1),
    "long": lambda y: np.ones(y.size + 1).tolist(),
    "scalar": lambda y: 3.5,
    "row": lambda y: np.ones((1, y.size)),
}


@pytest.mark.parametrize("kind", BAD_COMPANIONS)
@pytest.mark.parametrize("key", ["sample_weight", "groups", "amount"])
def test_companions_of_another_length(kind, key, name, build, table):
    X, y = table(name)
    values = BAD_COMPANIONS[kind](y)
    refused(build(name), X, y, key, f"{y.size}", **{key: values})


@pytest.mark.parametrize("policy", ["interpolate", "mean"])
def test_companions_that_cannot_be_averaged(policy, segments, build, table):
    X, y = table(segments)
    words = np.where(y == 0, "a", "b")
    sampler = build(segments, companion_policy={"shop": policy})
    refused(sampler, X, y, "shop", '"base"', shop=words)
    days = np.arange(y.size).astype("datetime64[D]")
    refused(sampler, X, y, "shop", '"base"', shop=days)
    refused(sampler, X, y, "shop", '"base"', shop=pd.Series(words))


@pytest.mark.parametrize("policy", ["median", [1], {"shop": "median"}, True])
def test_policies_that_do_not_exist(policy, segments, build, table):
    X, y = table(segments)
    with pytest.raises(ValueError, match=segments):
        build(segments, companion_policy=policy).fit_resample(X, y, shop=np.ones(y.size))


def test_policies_that_return_too_little(segments, build, table):
    X, y = table(segments)
    sampler = build(segments, companion_policy=lambda base, mate, step: base[:1])
    refused(sampler, X, y, "shop", "each new row", shop=np.ones(y.size))


PARAMETERS = {
    "ADASYN": [{"n_neighbors": 0}, {"n_neighbors": 2.5}, {"exact_counts": "yes"}],
    "AllKNN": [{"n_neighbors": 0}, {"kind_sel": "any"}, {"allow_minority": "yes"}],
    "BorderlineSMOTE": [{"kind": "borderline-3"}, {"k_neighbors": 0}, {"m_neighbors": 0},
                        {"allocation": "odd"}],
    "CondensedNearestNeighbour": [{"n_seeds_S": 0}, {"n_neighbors": 0}, {"n_jobs": 1.5}],
    "EditedNearestNeighbours": [{"n_neighbors": 0}, {"kind_sel": "any"}],
    "NearMiss": [{"version": 4}, {"n_neighbors": 0}, {"n_neighbors_ver3": 0}],
    "NeighbourhoodCleaningRule": [{"n_neighbors": 0}, {"threshold_cleaning": -1.0}],
    "OneSidedSelection": [{"n_seeds_S": 0}, {"n_neighbors": 0}],
    "RandomOverSampler": [{"shrinkage": -1.0}, {"shrinkage": "much"}, {"allocation": "odd"}],
    "RandomUnderSampler": [{"replacement": "yes"}, {"random_state": "seed"}],
    "RepeatedEditedNearestNeighbours": [{"max_iter": 0}, {"kind_sel": "any"}],
    "SMOTE": [{"k_neighbors": 0}, {"k_neighbors": "five"}, {"bounds": "all"},
              {"integer_features": "all"}, {"missing_classes": "drop"}],
    "SMOTEENN": [{"smote": "SMOTE"}, {"enn": "ENN"}],
    "SMOTEN": [{"k_neighbors": 0}, {"categorical_encoder": "one-hot"}],
    "SMOTENC": [{"k_neighbors": 0}, {"categorical_encoder": "one-hot"}],
    "SMOTETomek": [{"smote": "SMOTE"}, {"tomek": "Tomek"}],
    "TomekLinks": [{"missing_classes": "drop"}, {"n_jobs": "all"}],
}  # fmt: skip


def test_parameters_are_looked_at_before_the_data(name, build):
    for settings in PARAMETERS[name]:
        with pytest.raises(ValueError, match=next(iter(settings))) as caught:
            build(name, **settings).fit_resample("no table", None)
        assert name in str(caught.value)


LIMITS = [
    {"bounds": {0: (2, 1)}},
    {"bounds": {0: 3}},
    {"bounds": {0: (np.nan, 1)}},
    {"bounds": {9: (0, 1)}},
    {"bounds": {"nope": (0, 1)}},
    {"integer_features": [9]},
    {"integer_features": ["nope"]},
    {"integer_features": [-1]},
]


@pytest.mark.parametrize("settings", LIMITS, ids=str)
@pytest.mark.parametrize("name", ["ADASYN", "BorderlineSMOTE", "SMOTE", "SMOTENC"])
def test_limits_that_fit_no_column(settings, name, build, table):
    X, y = table(name)
    refused(build(name, **settings), X, y, error=(InvalidParameterError, DataError))


@pytest.mark.parametrize("name", ["ADASYN", "BorderlineSMOTE", "SMOTE"])
def test_limits_are_for_dense_tables(name, build, table):
    X, y = table(name)
    sampler = build(name, bounds="observed")
    refused(sampler, sparse.csr_array(X), y, "dense", error=InvalidParameterError)


@pytest.mark.parametrize("features", [[], [0, 1, 2, 3], [9], ["nope"], "auto", [True, False]])
def test_categories_must_be_some_columns_but_not_all(features, build, table):
    X, y = table("SMOTENC")
    refused(
        build("SMOTENC", categorical_features=features),
        X,
        y,
        error=(DataError, InvalidParameterError),
    )


def test_categories_told_by_dtype_must_be_there(build, table):
    X, y = table("SMOTENC")
    frame = pd.DataFrame(X, columns=list("abcd"))
    refused(build("SMOTENC", categorical_features="auto"), frame, y)
    refused(
        build("SMOTENC", categorical_features=["e"]),
        frame,
        y,
        error=(DataError, InvalidParameterError),
    )


@pytest.mark.parametrize("name", ["ADASYN", "BorderlineSMOTE", "SMOTE", "SMOTENC"])
def test_a_class_of_identical_rows_is_told_and_repeated(name, build, table):
    X, y = table(name, sizes=(60, 20), spread=0.5)
    rare = np.argmin(np.bincount(y))
    X[y == rare] = X[y == 1 - rare][0]
    settings = {"exact_counts": True} if name in ("ADASYN", "BorderlineSMOTE") else {}
    with pytest.warns(SmallClassWarning, match=r"identical") as told:
        out, labels = build(name, **settings).fit_resample(X, y)
    assert len([each for each in told if "identical" in str(each.message)]) == 1
    assert np.unique(out[labels == rare], axis=0).shape[0] == 1
    assert np.bincount(labels).tolist() == [60, 60]


@pytest.mark.parametrize("kind", ["borderline-1", "borderline-2"])
def test_a_class_without_danger_is_told(kind, build, table):
    X, y = table("BorderlineSMOTE", sizes=(60, 20), spread=100)
    with pytest.warns(ImbkitWarning, match="BorderlineSMOTE: .*left as they") as told:
        out, labels = build("BorderlineSMOTE", kind=kind).fit_resample(X, y)
    assert len(told) == 1
    assert "exact_counts=True" in str(told[0].message)
    np.testing.assert_array_equal(out, X)
    np.testing.assert_array_equal(labels, y)


def test_a_class_without_enemies_is_refused(build, table):
    X, y = table("ADASYN", sizes=(60, 20), spread=100)
    text = refused(build("ADASYN"), X, y, "neighbour in another class")
    assert "SMOTE" in text
    # imbalanced-learn's users may catch this.
    with pytest.raises(RuntimeError):
        build("ADASYN").fit_resample(X, y)


def versions(X, folder):
    """The same values in arrays of any make."""
    locked = X.copy()
    locked.flags.writeable = False
    path = folder / "table.npy"
    np.save(path, X)
    wide = np.zeros((X.shape[0] * 2, X.shape[1] * 3), dtype=X.dtype)
    wide[::2, ::3] = X
    yield "read-only", locked
    yield "Fortran-ordered", np.asfortranarray(X)
    yield "non-contiguous", wide[::2, ::3]
    yield "reversed", np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    yield "memory-mapped", np.load(path, mmap_mode="r")
    yield "byte-swapped", X.astype(X.dtype.newbyteorder())


@pytest.mark.parametrize("what", ["numpy", "kernels"])
def test_arrays_of_any_make_give_the_same_and_stay_as_they_are(
    what, name, build, table, resample, working_with, tmp_path
):
    X, y = table(name, dtype=np.float32 if what == "kernels" else np.float64)
    weights = np.random.default_rng(0).random(y.size)
    first = build(name)
    expected = resample(first, X, y, sample_weight=weights)
    locked = y.copy(), weights.copy()
    for each in locked:
        each.flags.writeable = False
    for title, version in versions(X, tmp_path):
        before, sampler = version.tobytes(), build(name)
        with working_with(what):
            found = resample(sampler, version, locked[0], sample_weight=locked[1])
        assert version.tobytes() == before, title
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=title)
        np.testing.assert_array_equal(
            sampler.companions_["sample_weight"], first.companions_["sample_weight"]
        )


def test_what_comes_out_is_not_what_went_in(name, build, table, resample):
    """Writing to the output must not reach the input, even if nothing was resampled."""
    X, y = table(name, sizes=(20, 20))
    weights = np.ones(y.size)
    sampler = build(name)
    out, labels = resample(sampler, X, y, sample_weight=weights)
    for found, given in (
        (out, X),
        (labels, y),
        (sampler.companions_["sample_weight"], weights),
    ):
        assert not np.shares_memory(found, given)


def test_tables_stay_as_they_are(name, build, table, resample):
    X, y = table(name)
    for make in (pd.DataFrame, pl.DataFrame, sparse.csr_array, sparse.csc_matrix):
        given = make(X)
        if sparse.issparse(given):
            # Explicit zeros and indices in no order are allowed.
            given.data[::5] = 0
            copy = given.copy()
        else:
            copy = given.copy() if make is pd.DataFrame else given.clone()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            resample(build(name), given, y)
        if sparse.issparse(given):
            for part in ("data", "indices", "indptr"):
                np.testing.assert_array_equal(getattr(given, part), getattr(copy, part))
        else:
            assert given.equals(copy)
