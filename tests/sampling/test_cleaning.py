"""What the five cleaning samplers share: strategies, containers, missing values, tiny tables."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.tree import DecisionTreeClassifier

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.pipeline import Pipeline
from imbkit.sampling import (
    AllKNN,
    EditedNearestNeighbours,
    NeighbourhoodCleaningRule,
    RepeatedEditedNearestNeighbours,
    TomekLinks,
)
from imbkit.sampling._cleaning import (
    Edition,
    Labels,
    enough,
    is_euclidean,
    most_common,
    other_neighbors,
    others_of,
)

VOTING = [
    EditedNearestNeighbours,
    RepeatedEditedNearestNeighbours,
    AllKNN,
    NeighbourhoodCleaningRule,
]
ALL = [TomekLinks, *VOTING]


def table(n=120, d=3, seed=0):
    """Three classes that overlap, without ties."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1, 2], [n - n // 2, n // 3, n // 2 - n // 3]))
    return rng.normal(size=(n, d)) + 1.2 * y[:, None], y


def squares(X):
    """Squared distances with the rule for missing values, the row itself last."""
    gaps = (X[:, None] - X[None]) ** 2
    seen = (~np.isnan(gaps)).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(seen > 0, np.nansum(gaps, axis=2) * X.shape[1] / seen, np.inf)
    np.fill_diagonal(total, np.nan)
    return total


# The parts.


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, -1, 3, 7]),
        np.array(["b", "a", "b", "c"]),
        np.array(["b", "a", "b", "c"], dtype=object),
        np.array([0.5, -2.0, 0.5, 1.5]),
    ],
)
def test_labels_are_numbered_in_sorted_order(labels):
    found = Labels.of(labels)
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(found.classes, classes)
    np.testing.assert_array_equal(found.codes, codes)
    np.testing.assert_array_equal(found.counts, counts)
    assert found.codes.dtype == np.int32
    assert found.first_seen() == [1, 0, 2]
    np.testing.assert_array_equal(found.among({classes[2]: 1}), [False, False, True])


@settings(max_examples=60)
@given(st.integers(1, 6).flatmap(lambda k: st.lists(st.tuples(*[st.integers(0, 3)] * k))))
def test_the_most_common_code_wins_and_the_smallest_of_several(rows):
    codes = np.array(rows, dtype=np.int32).reshape(len(rows), -1 if rows else 1)
    expected = [max(sorted(set(row)), key=row.count) for row in rows]
    assert most_common(codes).tolist() == expected


def test_enough_neighbours():
    assert enough(3, 4, "ENN") == 3
    with pytest.warns(SmallClassWarning, match=r"ENN: 4 neighbours need 5 rows.*Got 4 rows"):
        assert enough(4, 4, "ENN") == 3


def test_which_objects_are_euclidean():
    assert is_euclidean(NearestNeighbors())
    assert is_euclidean(NearestNeighbors(metric="euclidean", p=1))
    assert is_euclidean(KNeighborsClassifier())
    assert not is_euclidean(NearestNeighbors(p=1))
    assert not is_euclidean(NearestNeighbors(metric="cosine"))
    assert not is_euclidean(NearestNeighbors(metric_params={"w": [1, 2]}))
    assert not is_euclidean(object())


def test_an_object_is_asked_for_the_rows_of_a_pool():
    X = np.array([[0.0], [10.0], [1.0], [3.0], [11.0]])
    asked = NearestNeighbors(n_neighbors=2)
    pool, rows = np.array([4, 3, 1, 0]), np.array([0, 1, 4])
    found = other_neighbors(asked, X, pool, rows, None, "ENN")
    assert found.tolist() == [[3], [4], [1]]
    assert not hasattr(asked, "n_samples_fit_")
    with pytest.warns(SmallClassWarning, match="4 neighbours need 5 rows"):
        found = other_neighbors(NearestNeighbors(n_neighbors=5), X, pool, rows, 1, "ENN")
    assert found.shape == (3, 3)
    assert others_of(asked, "ENN") == 1
    with pytest.raises(InvalidParameterError, match="counts the row itself"):
        others_of(NearestNeighbors(n_neighbors=1), "ENN")


def test_an_edition_counts_what_is_left():
    X = np.array([[0.0], [1.0], [2.0], [2.2], [9.0], [9.1]])
    edition = Edition(X, Labels.of(np.array(list("aababb"))), None, None, "ENN")
    assert edition.kept().tolist() == [0, 1, 3, 2, 4, 5]
    assert edition.edit(np.array([True, False]), 1, "all") == 1
    assert edition.kept().tolist() == [0, 1, 2, 4, 5]
    assert edition.counts().tolist() == [2, 3]
    assert edition.left().labels.tolist() == list("aabbb")
    assert edition.left().counts.tolist() == [2, 3]
    assert not edition.fell_below(0)
    assert edition.fell_below(1)
    assert edition.start.counts.tolist() == [3, 3]


def test_a_warning_says_when_the_choice_of_the_rare_class_decides():
    X = np.array([[0.0], [0.1], [10.4], [50.0], [51.0], [52.0], [10.0], [10.01], [10.25], [10.3]])
    y = np.array([1, 1, 1, 0, 0, 0, 2, 2, 2, 2])
    sampler = RepeatedEditedNearestNeighbours().fit(X, y)
    edition = Edition(X, Labels.of(y), None, None, "RENN")
    assert not sampler._stops(edition)
    edition.edit(np.array([False, True, False]), 1, "all")
    # Class 1 is the first of two smallest ones, so its own loss does not count.
    assert edition.counts().tolist() == [3, 2, 4]
    with pytest.warns(ImbkitWarning, match="classes 1 and 0 are equally small.*the passes went on"):
        assert not sampler._stops(edition)
    assert not sampler._stops(edition, allow_minority=True)
    edition.edit(np.array([False, False, True]), 5, "all")
    assert edition.counts().tolist() == [3, 2, 0]
    assert sampler._stops(edition, allow_minority=True)


# What holds of all five.


@pytest.mark.parametrize("cls", ALL)
def test_every_form_of_the_strategy(cls):
    X, y = table()
    kept = {}
    for name in ("auto", "not minority", "majority", "not majority", "all"):
        kept[name] = cls(sampling_strategy=name).fit(X, y).fit_resample(X, y)[1].size
    assert kept["auto"] == kept["not minority"]
    listed = cls(sampling_strategy=[0, 1]).fit_resample(X, y)[0]
    np.testing.assert_array_equal(listed, cls().fit_resample(X, y)[0])
    assert kept["all"] < y.size


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("form", [dict.fromkeys, list, lambda classes: "auto"])
def test_a_callable_may_return_what_a_strategy_may_be(cls, form):
    X, y = table()
    sampler = cls(sampling_strategy=lambda labels: form(sorted(set(labels.tolist()) - {2})))
    _, y_resampled = sampler.fit_resample(X, y)
    other = cls(sampling_strategy=[0, 1])
    np.testing.assert_array_equal(y_resampled, other.fit_resample(X, y)[1])
    np.testing.assert_array_equal(sampler.sample_indices_, other.sample_indices_)


@pytest.mark.parametrize("cls", ALL)
def test_strategies_that_cannot_be(cls):
    X, y = table(30)
    with pytest.raises(InvalidParameterError, match="names classes, not a ratio"):
        cls(sampling_strategy=0.5).fit(X, y)
    with pytest.raises(ValueError, match="sampling_strategy"):
        cls(sampling_strategy={0: 3}).fit(X, y)
    with pytest.raises(ValueError, match="sampling_strategy"):
        cls(sampling_strategy="minority").fit(X, y)
    with pytest.raises(DataError, match="not present in the data"):
        cls(sampling_strategy=[0, 9]).fit(X, y)
    ignoring = cls(sampling_strategy=[0, 9], missing_classes="ignore")
    assert set(ignoring.fit(X, y).sampling_strategy_) == {0}
    ignoring.fit_resample(X, y)


@pytest.mark.parametrize("cls", ALL)
def test_every_container_gives_the_same_rows(cls):
    X, y = table()
    names = ["p", "q", "r"]
    sampler = cls()
    expected, y_expected = sampler.fit_resample(X, y)
    kept = sampler.sample_indices_
    np.testing.assert_array_equal(X[kept], expected)
    np.testing.assert_array_equal(y[kept], y_expected)
    frame, out = pd.DataFrame(X, columns=names), cls()
    got, y_got = out.fit_resample(frame, pd.Series(y, name="t"))
    pd.testing.assert_frame_equal(got, frame.iloc[kept].reset_index(drop=True))
    assert y_got.tolist() == y_expected.tolist()
    assert list(out.feature_names_in_) == names
    got, y_got = cls().fit_resample(pl.DataFrame(X, schema=names), pl.Series("t", y))
    assert isinstance(got, pl.DataFrame)
    np.testing.assert_array_equal(got.to_numpy(), expected)
    assert y_got.to_list() == y_expected.tolist()
    for kind in (sparse.csr_matrix, sparse.csc_array):
        got, _ = cls().fit_resample(kind(X), y)
        assert isinstance(got, kind)
        np.testing.assert_array_equal(got.toarray(), expected)
    for view in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]):
        view.flags.writeable = False
        np.testing.assert_array_equal(cls().fit_resample(view, y)[0], expected)
    got, y_got = cls().fit_resample(X.tolist(), y.tolist())
    assert got == expected.tolist()
    assert y_got == y_expected.tolist()


@pytest.mark.parametrize("cls", ALL)
def test_labels_of_any_kind(cls):
    X, y = table()
    sampler = cls()
    expected = sampler.fit_resample(X, y)[0]
    text = np.array(["a", "b", "c"])
    for names in (text, text.astype(object), np.array([-5, 0, 900]), np.array([0.0, 2.0, 4.0])):
        other = cls()
        got, y_got = other.fit_resample(X, names[y])
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(y_got, names[y[sampler.sample_indices_]])
        assert set(other.sampling_strategy_) == set(names[:2].tolist())
    indicators = np.eye(3, dtype=int)[y]
    got, y_got = cls().fit_resample(X, indicators)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(y_got, indicators[sampler.sample_indices_])


@pytest.mark.parametrize("cls", ALL)
def test_dates_are_carried_and_do_not_count(cls):
    X, y = table(60)
    frame = pd.DataFrame(X, columns=["p", "q", "r"])
    frame.insert(1, "when", pd.date_range("2024-01-01", periods=60)[::-1])
    sampler = cls()
    got, _ = sampler.fit_resample(frame, y)
    plain = cls()
    plain.fit_resample(X, y)
    np.testing.assert_array_equal(sampler.sample_indices_, plain.sample_indices_)
    kept = frame.iloc[sampler.sample_indices_].reset_index(drop=True)
    pd.testing.assert_frame_equal(got, kept)


@pytest.mark.parametrize("cls", ALL)
def test_companions_follow_the_rows(cls):
    X, y = table()
    weights, groups = np.arange(120.0), np.arange(120).astype(str)
    sampler = cls()
    sampler.fit_resample(X, y, sample_weight=weights, groups=groups, day=list(range(120)))
    kept = sampler.sample_indices_
    assert kept.size < 120
    np.testing.assert_array_equal(sampler.companions_["sample_weight"], weights[kept])
    np.testing.assert_array_equal(sampler.companions_["groups"], groups[kept])
    np.testing.assert_array_equal(sampler.companions_["day"], kept)
    np.testing.assert_array_equal(sampler.parents_, np.column_stack([kept, kept]))
    assert not sampler.steps_.any()
    shares = [weights[kept][y[kept] == label].sum() / weights[kept].sum() for label in range(3)]
    assert list(sampler.effective_prior_.values()) == pytest.approx(shares)
    saved = pickle.loads(pickle.dumps(sampler))
    assert not {"companions_", "parents_", "steps_"} & set(vars(saved))
    plan = clone(sampler).fit_resample_plan(X, y)
    np.testing.assert_array_equal(plan.base, kept)
    assert not plan.n_made


@pytest.mark.parametrize("cls", ALL)
def test_the_input_is_left_as_it_was_and_threads_change_nothing(cls):
    X, y = table(700)
    before = X.copy(), y.copy()
    one, two = (cls(n_jobs=jobs) for jobs in (1, 2))
    one.fit_resample(X, y)
    two.fit_resample(X, y)
    np.testing.assert_array_equal(one.sample_indices_, two.sample_indices_)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("cls", ALL)
def test_a_tree_gives_the_same_rows_as_lists(cls, monkeypatch):
    """Large tables are searched by kernels; here small ones are, with and without ties."""
    cases = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n, d = int(rng.integers(5, 500)), int(rng.integers(1, 5))
        y = rng.permutation(np.append([0, 1, 1], rng.choice(3, n, p=[0.1, 0.3, 0.6])))
        X = rng.normal(size=(n + 3, d)) * 1.5 + y[:, None]
        cases.append((np.rint(X) if seed % 2 else X, y))
    settings = [{}, {"sampling_strategy": "all"}]
    if cls in VOTING:
        settings += [{"n_neighbors": 1}, {"n_neighbors": 6}]
    if "kind_sel" in cls().get_params():
        settings += [{"kind_sel": "mode"}, {"kind_sel": "mode", "n_neighbors": 4}]

    def rows():
        samplers = [cls(**each) for each in settings]
        return [s.fit_resample_plan(X, y).base for X, y in cases for s in samplers]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImbkitWarning)
        lists = rows()
        for module in ("neighbors", "neighborhood"):
            monkeypatch.setattr(f"imbkit._core.{module}.tree_pays", lambda *sizes: True)
        for a, b in zip(lists, rows(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("scale", [1e-160, 1.0, 1e150])
def test_the_scale_of_a_table_changes_nothing(cls, scale):
    X, y = table(80)
    plain, scaled = cls(), cls()
    plain.fit_resample(X, y)
    scaled.fit_resample(X * 2.0 ** np.round(np.log2(scale)), y)
    np.testing.assert_array_equal(plain.sample_indices_, scaled.sample_indices_)


def test_missing_values_count_by_the_columns_that_both_rows_have():
    X, y = table(80)
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    X = X[~np.isnan(X).all(axis=1)]
    y = y[: len(X)]
    order = np.argsort(squares(X), axis=1, kind="stable")
    sampler = EditedNearestNeighbours(sampling_strategy="all")
    sampler.fit_resample(X, y)
    keep = (y[order[:, :3]] == y[:, None]).all(axis=1)
    assert sorted(sampler.sample_indices_) == np.flatnonzero(keep).tolist()
    sampler = TomekLinks(sampling_strategy="all")
    sampler.fit_resample(X, y)
    nearest = order[:, 0]
    link = (nearest[nearest] == np.arange(y.size)) & (y[nearest] != y)
    assert sampler.sample_indices_.tolist() == np.flatnonzero(~link).tolist()
    for cls in VOTING[1:]:
        got, _ = cls().fit_resample(X, y)
        assert np.isnan(got).any()


@pytest.mark.parametrize("cls", VOTING)
def test_fewer_rows_than_neighbours(cls):
    X, y = np.array([[0.0], [1.0], [2.5], [9.0], [9.5]]), np.array([0, 0, 0, 1, 1])
    vote = {} if cls is NeighbourhoodCleaningRule else {"kind_sel": "mode"}
    with pytest.warns(SmallClassWarning, match="7 neighbours need 8 rows.*Got 5 rows") as caught:
        got, _ = cls(n_neighbors=7, **vote).fit_resample(X, y)
    assert len(caught) == 1
    expected, _ = cls(n_neighbors=4, **vote).fit_resample(X, y)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("cls", ALL)
def test_the_smallest_tables(cls):
    X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got, _ = cls().fit_resample(X, y)
    assert got.tolist() in ([[0.0]], [[1.0]])
    X, y = np.zeros((6, 2)), np.array([0, 0, 0, 1, 1, 0])
    got, y_got = cls().fit_resample(X, y)
    assert (got == 0).all()
    assert np.count_nonzero(y_got == 1) == 2


@pytest.mark.parametrize("cls", ALL)
def test_many_classes(cls):
    rng = np.random.default_rng(3)
    y = np.concatenate([np.arange(200), rng.integers(0, 200, 400)])
    X = rng.normal(size=(600, 2)) + np.column_stack([y % 20, y // 20]) * 6.0
    sampler = cls()
    sampler.fit_resample(X, y)
    kept = sampler.sample_indices_
    assert np.unique(kept).size == kept.size
    spared = np.flatnonzero(~np.isin(y, list(sampler.sampling_strategy_)))
    assert np.isin(spared, kept).all()


@pytest.mark.parametrize("cls", VOTING)
def test_bad_neighbours(cls):
    X, y = table(30)
    for wrong in (0, -1, 2.5, "three", object()):
        with pytest.raises(ValueError, match="n_neighbors"):
            cls(n_neighbors=wrong).fit(X, y)
    with pytest.raises(InvalidParameterError, match="counts the row itself"):
        cls(n_neighbors=NearestNeighbors(n_neighbors=1)).fit_resample(X, y)


def test_in_a_pipeline_and_a_search():
    X, y = table()
    steps = [("clean", EditedNearestNeighbours()), ("tree", DecisionTreeClassifier(max_depth=2))]
    search = GridSearchCV(Pipeline(steps), {"clean__n_neighbors": [1, 3]}, cv=3)
    search.fit(X, y)
    assert search.best_score_ > 0.5
