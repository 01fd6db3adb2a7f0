"""Both steps by their definition, and the same rows as imbalanced-learn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from imblearn.under_sampling import EditedNearestNeighbours as OriginalEdited
from imblearn.under_sampling import NeighbourhoodCleaningRule as Original
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor, NearestNeighbors

from imbkit.exceptions import ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.sampling import (
    EditedNearestNeighbours,
    NeighbourhoodCleaningRule,
    TomekLinks,
)


def made(n, d, n_classes, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shares = np.array([0.6, 0.25, 0.1, 0.05])[:n_classes]
    y = rng.choice(n_classes, n, p=shares / shares.sum())
    return (rng.normal(size=(n, d)) + 2 * y[:, None] / np.sqrt(d)).astype(dtype), 5 - 2 * y


def by_definition(X, y, k, threshold, targets):
    """Rows kept, with the smaller row number as the nearer one of a tie."""
    labels = y.tolist()
    counts = {label: labels.count(label) for label in dict.fromkeys(labels)}
    rarest = min(counts, key=counts.get)
    cleaned = [c for c in counts if c in targets and counts[c] > threshold * counts[rarest]]
    gone = set()
    for i, label in enumerate(labels):
        others = sorted((sum((X[i] - X[j]) ** 2), j) for j in range(len(X)) if j != i)
        near = [j for _, j in others[:k]]
        votes = [labels[j] for j in near]
        if label in targets and max(sorted(set(votes)), key=votes.count) != label:
            gone.add(i)
        votes = [label, *votes[: k - 1]]
        if label == rarest and max(sorted(set(votes)), key=votes.count) != label:
            gone |= {j for j in near if labels[j] in cleaned}
    return [i for i in range(len(X)) if i not in gone], cleaned


def equal(ours, theirs, X, y):
    """Whether two samplers, ours and the original, keep the same rows; how many went."""
    X_ours, y_ours = ours.fit_resample(X, y)
    X_theirs, y_theirs = theirs.fit_resample(X, y)
    np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)
    np.testing.assert_array_equal(y_ours, y_theirs)
    assert ours.classes_to_clean_ == theirs.classes_to_clean_
    assert ours.nn_.n_neighbors == theirs.nn_.n_neighbors
    assert type(X_ours) is type(X_theirs)
    return y.size - y_ours.size


@pytest.mark.parametrize("n", [300, 4_000])
@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_same_rows_as_imbalanced_learn(n, d, n_classes):
    X, y = made(n, d, n_classes, np.float32 if n_classes == 3 else np.float64)
    cases = [
        {},
        {"n_neighbors": 4, "threshold_cleaning": 0.1, "sampling_strategy": "all"},
        {"n_neighbors": 1},
        {"n_neighbors": 6, "threshold_cleaning": 3.0, "sampling_strategy": "majority"},
    ]
    for case in cases[: 4 if n == 300 else 1]:
        assert equal(NeighbourhoodCleaningRule(**case), Original(**case), X, y)


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_matrix, sparse.csc_matrix])
def test_same_rows_from_other_containers(kind):
    X, y = made(300, 8, 3, seed=1)
    assert equal(NeighbourhoodCleaningRule(), Original(), kind(X), y)


def test_an_editing_sampler_takes_the_first_step():
    X, y = made(300, 4, 3, seed=2)
    expected = {}
    for given_ in (OriginalEdited(), OriginalEdited(n_neighbors=7, kind_sel="mode")):
        case = {"edited_nearest_neighbours": given_, "n_neighbors": 5, "threshold_cleaning": 0.2}
        assert equal(NeighbourhoodCleaningRule(**case), Original(**case), X, y)
        expected[given_.n_neighbors] = Original(**case).fit_resample(X, y)[0]
    ours = NeighbourhoodCleaningRule(
        edited_nearest_neighbours=EditedNearestNeighbours(),
        n_neighbors=5,
        threshold_cleaning=0.2,
    )
    np.testing.assert_array_equal(ours.fit_resample(X, y)[0], expected[3])
    assert hasattr(ours.edited_nearest_neighbours_, "sample_indices_")
    assert not hasattr(ours.edited_nearest_neighbours, "sample_indices_")
    links = NeighbourhoodCleaningRule(edited_nearest_neighbours=TomekLinks())
    links.fit_resample(X, y)
    kept = set(TomekLinks().fit(X, y).fit_resample_plan(X, y).base)
    assert set(links.sample_indices_) <= kept

    class Silent:
        def fit_resample(self, X, y):
            return X, y

        def get_params(self, deep=False):
            return {}

    with pytest.raises(InvalidParameterError, match="sample_indices_"):
        NeighbourhoodCleaningRule(edited_nearest_neighbours=Silent()).fit_resample(X, y)
    with pytest.raises(ValueError, match="edited_nearest_neighbours"):
        NeighbourhoodCleaningRule(edited_nearest_neighbours=KNeighborsClassifier()).fit(X, y)


def test_a_neighbours_object_is_asked_in_the_first_step():
    X, y = made(300, 4, 3, seed=3)
    case = {"n_neighbors": NearestNeighbors(n_neighbors=4)}
    assert equal(NeighbourhoodCleaningRule(**case), Original(**case), X, y)
    case = {"n_neighbors": NearestNeighbors(n_neighbors=5, metric="manhattan")}
    with pytest.warns(ImbkitWarning, match="distances were Euclidean"):
        assert equal(NeighbourhoodCleaningRule(**case), Original(**case), X, y)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_a_classifier_is_asked(metric):
    X, y = made(300, 4, 3, seed=4)
    classifier = KNeighborsClassifier(n_neighbors=5, metric=metric)
    case = {"n_neighbors": classifier, "edited_nearest_neighbours": OriginalEdited()}
    assert equal(NeighbourhoodCleaningRule(**case), Original(**case), X, y)
    # Alone it serves both steps, which the original has no way for.
    ours = NeighbourhoodCleaningRule(n_neighbors=classifier)
    ours.fit_resample(X, y)
    edited = EditedNearestNeighbours(
        n_neighbors=NearestNeighbors(n_neighbors=5, metric=metric), kind_sel="mode"
    )
    case = {"n_neighbors": classifier, "edited_nearest_neighbours": edited}
    apart = NeighbourhoodCleaningRule(**case)
    apart.fit_resample(X, y)
    np.testing.assert_array_equal(ours.sample_indices_, apart.sample_indices_)
    with pytest.warns(SmallClassWarning, match="9 neighbours need 10 rows"):
        NeighbourhoodCleaningRule(n_neighbors=KNeighborsClassifier(n_neighbors=9)).fit_resample(
            np.arange(5.0)[:, None], [0, 0, 0, 1, 1]
        )
    with pytest.raises(InvalidParameterError, match="must predict"):
        NeighbourhoodCleaningRule(n_neighbors=LocalOutlierFactor()).fit_resample(X, y)


@settings(max_examples=150)
@given(st.data())
def test_by_definition_with_ties_and_duplicates(data):
    d, k = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * d), min_size=k + 3, max_size=25))
    X = np.array(rows, dtype=np.float64)
    y = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X))))
    # One class that is the smallest; a tie is another test's.
    counts = np.unique(y, return_counts=True)[1]
    assume(counts.size > 1 and np.count_nonzero(counts == counts.min()) == 1)
    threshold = data.draw(st.sampled_from([0.1, 0.5, 2.0]))
    sampler = NeighbourhoodCleaningRule(n_neighbors=k, threshold_cleaning=threshold)
    sampler.set_params(sampling_strategy=data.draw(st.sampled_from(["auto", "all", "majority"])))
    sampler.fit_resample(X, y)
    kept, cleaned = by_definition(X, y, k, threshold, sampler.sampling_strategy_)
    assert sampler.sample_indices_.tolist() == kept
    assert sampler.classes_to_clean_ == cleaned


@pytest.mark.parametrize("n", [200, 3_000])
def test_the_order_of_the_rows_does_not_matter(n):
    X, y = made(n, 3, 3, seed=5)
    shuffled = np.random.default_rng(0).permutation(n)
    once, again = NeighbourhoodCleaningRule(), NeighbourhoodCleaningRule()
    once.fit_resample(X, y)
    again.fit_resample(X[shuffled], y[shuffled])
    assert set(shuffled[again.sample_indices_]) == set(once.sample_indices_) != set(range(n))


def test_the_parts_are_stated():
    X, y = made(100, 2, 2, seed=6)
    sampler = NeighbourhoodCleaningRule(n_neighbors=5, n_jobs=1)
    sampler.fit_resample(X, y)
    assert isinstance(sampler.nn_, KNeighborsClassifier)
    assert sampler.nn_.n_neighbors == 5
    edited = sampler.edited_nearest_neighbours_
    assert isinstance(edited, EditedNearestNeighbours)
    assert (edited.kind_sel, edited.n_neighbors, edited.n_jobs) == ("mode", 5, 1)


def test_a_warning_says_when_the_order_of_rows_decided():
    """Two equally small classes: the first in y is the rare one, the first in order is spared."""
    X, y = made(300, 3, 3, seed=7)
    y = np.where(y == 5, 5, np.where(np.cumsum(y != 5) % 2, 3, 1))
    sizes = {label: np.count_nonzero(y == label) for label in (1, 3)}
    while sizes[1] != sizes[3]:
        y[np.flatnonzero(y == 3)[-1]] = 5
        sizes = {label: np.count_nonzero(y == label) for label in (1, 3)}
    assert np.argmax(y == 3) < np.argmax(y == 1)
    with pytest.warns(ImbkitWarning, match="classes 3 and 1 are equally small; 1 keeps its rows"):
        assert equal(NeighbourhoodCleaningRule(), Original(), X, y)
    # Nothing to tell where the strategy does not choose between the two.
    for strategy in ("all", [5], [1, 5]):
        case = {"sampling_strategy": strategy}
        assert equal(NeighbourhoodCleaningRule(**case), Original(**case), X, y)
