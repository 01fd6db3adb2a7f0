"""Same rows, order, containers and attributes as imbalanced-learn's, for every sampler."""

import itertools
import warnings
from contextlib import nullcontext
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

import imbkit

VARIANTS = {
    "ADASYN": ("ADASYN", {}),
    "ADASYN few": ("ADASYN", {"n_neighbors": 3}),
    "AllKNN": ("AllKNN", {}),
    "AllKNN mode": ("AllKNN", {"kind_sel": "mode", "n_neighbors": 4}),
    "AllKNN minority": ("AllKNN", {"allow_minority": True}),
    "BorderlineSMOTE 1": ("BorderlineSMOTE", {}),
    "BorderlineSMOTE 2": ("BorderlineSMOTE", {"kind": "borderline-2"}),
    "CondensedNearestNeighbour": ("CondensedNearestNeighbour", {}),
    "CondensedNearestNeighbour 5": ("CondensedNearestNeighbour", {"n_seeds_S": 5}),
    "EditedNearestNeighbours": ("EditedNearestNeighbours", {}),
    "EditedNearestNeighbours mode": ("EditedNearestNeighbours", {"kind_sel": "mode"}),
    "EditedNearestNeighbours all": ("EditedNearestNeighbours", {"sampling_strategy": "all"}),
    "NearMiss 1": ("NearMiss", {}),
    "NearMiss 2": ("NearMiss", {"version": 2}),
    "NearMiss 3": ("NearMiss", {"version": 3}),
    "NeighbourhoodCleaningRule": ("NeighbourhoodCleaningRule", {}),
    "NeighbourhoodCleaningRule 0.1": ("NeighbourhoodCleaningRule", {"threshold_cleaning": 0.1}),
    "OneSidedSelection": ("OneSidedSelection", {}),
    "OneSidedSelection 5": ("OneSidedSelection", {"n_seeds_S": 5}),
    "RandomOverSampler": ("RandomOverSampler", {}),
    "RandomOverSampler shrinkage": ("RandomOverSampler", {"shrinkage": 0.5}),
    "RandomUnderSampler": ("RandomUnderSampler", {}),
    "RandomUnderSampler replacement": ("RandomUnderSampler", {"replacement": True}),
    "RepeatedEditedNearestNeighbours": ("RepeatedEditedNearestNeighbours", {}),
    "RepeatedEditedNearestNeighbours mode": (
        "RepeatedEditedNearestNeighbours",
        {"kind_sel": "mode", "max_iter": 3},
    ),
    "SMOTE": ("SMOTE", {}),
    "SMOTE all": ("SMOTE", {"sampling_strategy": "all", "k_neighbors": 2}),
    "SMOTEENN": ("SMOTEENN", {}),
    "SMOTEN": ("SMOTEN", {}),
    "SMOTENC": ("SMOTENC", {}),
    "SMOTETomek": ("SMOTETomek", {}),
    "TomekLinks": ("TomekLinks", {}),
    "TomekLinks all": ("TomekLinks", {"sampling_strategy": "all"}),
}
SIZES = {2: (110, 35), 3: (90, 35, 25), 4: (80, 32, 26, 20)}
FACTORS = (
    range(5),  # seed
    ("integer", "instance"),
    (2, 3, 4),  # classes
    (2, 8, 40),  # columns
    ("float32", "float64"),
    ("numpy", "pandas", "csr"),
)
# imbalanced-learn's condensed store takes minutes where others take moments.
FEWER = {2: (60, 20), 3: (45, 18, 14), 4: (40, 16, 13, 12)}
# Attributes in which imbalanced-learn is wrong: positions taken twice.
WRONG = {"RepeatedEditedNearestNeighbours": {"sample_indices_"}}
# imbalanced-learn's mode of labels takes numbers only.
NUMBERS_ONLY = ("mode", "NeighbourhoodCleaningRule")
# Samplers that give sparse tables back as another class than they came in.
CONVERTED = ("SMOTEN", "SMOTENC")


def pairwise(factors):
    """Return few combinations in which every pair of values of two factors occurs."""
    left = {
        (i, a, j, b)
        for i, j in itertools.combinations(range(len(factors)), 2)
        for a in factors[i]
        for b in factors[j]
    }
    chosen = []
    every = list(itertools.product(*factors))
    while left:
        best = max(every, key=lambda row: len(left & pairs_of(row)))
        chosen.append(best)
        left -= pairs_of(best)
    return chosen


def pairs_of(row):
    return {(i, row[i], j, row[j]) for i, j in itertools.combinations(range(len(row)), 2)}


FEW = pairwise(FACTORS)


def test_the_few_combinations_are_few_and_meet_every_pair():
    met = set().union(*map(pairs_of, FEW))
    wanted = set().union(*map(pairs_of, itertools.product(*FACTORS)))
    assert met == wanted
    assert len(FEW) <= 20


def contained(X, y, container, seed, text=True, sparse_class=sparse.csr_array):
    """The table in a container; labels are text in a frame, and in no order."""
    if container == "pandas":
        index = np.random.default_rng(seed).permutation(y.size) + 100
        X = pd.DataFrame(X, columns=[f"column {j}" for j in range(X.shape[1])], index=index)
        words = np.array(["usual", "error", "fraud", "absent"], dtype=object)
        return X, pd.Series(words[y] if text else y, index=index, name="label")
    return (sparse_class(X) if container == "csr" else X), y


def thinned(X, seed):
    """Replace some values by zeros, but not so many that rows become equal."""
    if X.shape[1] > 2:
        X[np.random.default_rng(seed).random(X.shape) < 0.3] = 0
    return X


def assert_same_table(found, expected, name):
    if sparse.issparse(expected):
        assert sparse.issparse(found)
        assert found.dtype == expected.dtype
        if name not in CONVERTED:
            assert type(found) is type(expected)
        np.testing.assert_array_equal(found.toarray(), expected.toarray())
        return
    assert type(found) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
        pd.testing.assert_index_equal(found.index, expected.index, exact=True)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected, check_exact=True)
        pd.testing.assert_index_equal(found.index, expected.index, exact=True)
    elif isinstance(expected, np.ndarray):
        if name == "RandomOverSampler" and found.dtype == np.float32:
            # imbalanced-learn's smoothed bootstrap turns arrays of floats into doubles.
            expected = expected.astype(found.dtype)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def assert_same_attribute(found, expected, name):
    """Compare a fitted attribute, whatever it is."""
    if isinstance(expected, dict):
        # The order of the classes is that of the draws.
        assert list(found) == list(expected), name
        for key, value in expected.items():
            assert_same_attribute(found[key], value, name)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), name
        for one, other in zip(found, expected, strict=True):
            assert_same_attribute(one, other, name)
    elif isinstance(expected, BaseEstimator):
        assert type(found).__name__ == type(expected).__name__, name
        for parameter in set(found.get_params(deep=False)) & set(expected.get_params(deep=False)):
            one, other = getattr(found, parameter), getattr(expected, parameter)
            if not isinstance(other, (BaseEstimator, np.random.RandomState)):
                assert repr(one) == repr(other), f"{name}.{parameter}"
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected, err_msg=name)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-12), name
    else:
        assert found == expected, name


def assert_same_fit(ours, theirs, name):
    """Compare what two samplers remember."""
    for attribute, value in vars(theirs).items():
        fitted = attribute.endswith("_") or attribute == "in_danger_indices"
        if not fitted or attribute.startswith("_") or attribute in WRONG.get(name, ()):
            continue
        assert hasattr(ours, attribute), attribute
        assert_same_attribute(getattr(ours, attribute), value, attribute)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


def outcome(sampler, X, y, seed, how):
    """What a sampler gives, and where its stream of numbers stands then."""
    state = None
    if "random_state" in sampler.get_params(deep=False):
        state = np.random.RandomState(seed) if how == "instance" else seed
        sampler.set_params(random_state=state)
    with warnings.catch_warnings():
        # Both tell of numbers of rows that are off; the rows are compared.
        warnings.simplefilter("ignore")
        found = sampler.fit_resample(X, y)
    return found, state.randint(2**31 - 1, size=4) if how == "instance" and state else None


def assert_same(make, peer, name, settings, X, y, seed=0, how="integer", around=(nullcontext,)):
    """Resample with the peer once, and with ours on each way to do the work."""
    theirs = peer(name, **settings)
    expected, after = outcome(theirs, X, y, seed, how)
    for block in around:
        ours = make(name, **settings)
        with block():
            found, stands = outcome(ours, X, y, seed, how)
        for one, other in zip(found, expected, strict=True):
            assert_same_table(one, other, name)
        assert_same_fit(ours, theirs, name)
        # A stream that is shared with others must stand where it would have stood.
        np.testing.assert_array_equal(stands, after)
    return expected


def check(variant, row, build, peer, table, ways):
    seed, how, n_classes, d, dtype, container = row
    name, settings = VARIANTS[variant]
    sizes = FEWER if name == "CondensedNearestNeighbour" else SIZES
    X, y = table(name, sizes[n_classes], d, seed, dtype)
    if container == "csr" and name not in ("SMOTEN", "SMOTENC"):
        X = thinned(X, seed)
    text = not any(word in variant for word in NUMBERS_ONLY)
    # imbalanced-learn's condensed store takes rows of matrices only.
    own = sparse.csr_matrix if name == "CondensedNearestNeighbour" else sparse.csr_array
    X, y = contained(X, y, container, seed, text, own)
    expected = assert_same(build, peer, name, settings, X, y, seed, how, ways)
    assert len(expected[1]) != len(y) or name in ("TomekLinks", "BorderlineSMOTE")


def words(row):
    return " ".join(map(str, row))


@pytest.fixture
def ways(working_with):
    """Both ways to do the work."""
    return partial(working_with, "numpy"), partial(working_with, "kernels")


@pytest.mark.parametrize("row", FEW, ids=words)
@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_order_containers_and_attributes(variant, row, build, peer, table, ways):
    check(variant, row, build, peer, table, ways)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_combination(variant, build, peer, table, ways):
    # One test for all, because collecting thousands takes every run seconds.
    wrong = {}
    for row in itertools.product(*FACTORS):
        try:
            check(variant, row, build, peer, table, ways)
        except Exception as error:
            wrong[words(row)] = str(error).strip()[:200]
    assert not wrong


LARGE = {
    "CondensedNearestNeighbour": ((2_300, 60), 6),
    "SMOTEN": ((2_600, 2_300), 2),
    "SMOTENC": ((2_600, 2_300), 2),
}


def check_large(variant, d, build, peer, table):
    """Large enough for kernels to be chosen by themselves."""
    imbkit.warmup()
    name, settings = VARIANTS[variant]
    sizes, spread = LARGE.get(name, ((4_800, 900, 500), 3))
    # Few columns of categories have few rows that differ, so that most distances are equal.
    d = max(d, 8) if name == "SMOTEN" else d
    X, y = table(name, sizes, d, 11, spread=spread)
    assert_same(build, peer, name, settings, X, y, 3, "instance")


@pytest.mark.parametrize("variant", ["EditedNearestNeighbours", "NearMiss 2", "SMOTE"])
def test_large_tables(variant, build, peer, table):
    check_large(variant, 8, build, peer, table)


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("variant", VARIANTS)
def test_large_tables_of_every_sampler(variant, d, build, peer, table):
    check_large(variant, d, build, peer, table)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_classes_in_any_order_and_of_equal_size(variant, ties, build, peer, table):
    """Which class is the smallest is decided by order of sorting, or of appearance."""
    name, settings = VARIANTS[variant]
    X, y = table(name, (20, 20, 45, 45) if ties else (45, 30, 24, 18), 4, 5)
    y = np.array([7, -3, 12, 0])[y]
    assert_same(build, peer, name, settings, X, y, 1)


NEIGHBOURS = {
    "ADASYN": "n_neighbors",
    "AllKNN": "n_neighbors",
    "BorderlineSMOTE": "k_neighbors",
    "EditedNearestNeighbours": "n_neighbors",
    "NearMiss": "n_neighbors",
    "NeighbourhoodCleaningRule": "n_neighbors",
    "RepeatedEditedNearestNeighbours": "n_neighbors",
    "SMOTE": "k_neighbors",
    "SMOTEN": "k_neighbors",
    "SMOTENC": "k_neighbors",
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbours_objects_give_the_rows_of_the_peer(name, build, peer, table):
    metric = "precomputed" if name == "SMOTEN" else "manhattan"
    near = NearestNeighbors(n_neighbors=5, metric=metric)
    X, y = table(name, SIZES[3], 4, 2)
    assert_same(build, peer, name, {NEIGHBOURS[name]: near}, X, y)


@pytest.mark.parametrize("name", ["CondensedNearestNeighbour", "OneSidedSelection"])
def test_classifiers_give_the_rows_of_the_peer(name, build, peer, table):
    X, y = table(name, FEWER[3], 4, 2)
    near = KNeighborsClassifier(n_neighbors=3, metric="manhattan")
    assert_same(build, peer, name, {"n_neighbors": near, "n_seeds_S": 4}, X, y)


@pytest.mark.parametrize(
    "make", [sparse.csc_matrix, sparse.csc_array, sparse.csr_matrix, sparse.csr_array]
)
def test_every_class_of_sparse_tables_comes_back(make, name, build, peer, table):
    sizes = FEWER if name == "CondensedNearestNeighbour" else SIZES
    X, y = table(name, sizes[2], 8, 3)
    if name not in ("SMOTEN", "SMOTENC"):
        X = thinned(X, 0)
    (found, labels), _ = outcome(build(name), make(X), y, 0, "integer")
    assert type(found) is make
    if name == "CondensedNearestNeighbour" and make is not sparse.csr_matrix:
        # imbalanced-learn takes apart only matrices that can be indexed by one row.
        make = np.asarray
    expected, expected_labels = outcome(peer(name), make(X), y, 0, "integer")[0]
    expected = expected.toarray() if sparse.issparse(expected) else expected
    np.testing.assert_array_equal(found.toarray(), expected)
    np.testing.assert_array_equal(labels, expected_labels)


def test_labels_as_indicator_columns_come_back_so(name, build, peer, table):
    sizes = FEWER if name == "CondensedNearestNeighbour" else SIZES
    X, y = table(name, sizes[3], 4, 4)
    assert_same(build, peer, name, {}, X, np.eye(3, dtype=int)[y])


def test_lists_come_back_as_lists(name, build, peer, table):
    sizes = FEWER if name == "CondensedNearestNeighbour" else SIZES
    X, y = table(name, sizes[2], 3, 6)
    assert_same(build, peer, name, {}, X.tolist(), y.tolist())
