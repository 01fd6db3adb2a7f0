"""Splits that can be used, and responses of rows to estimators that have not seen them."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold, PredefinedSplit, StratifiedKFold

from imbkit._core.out_of_fold import describe, make_splits, out_of_fold, rows_of
from imbkit.exceptions import DataError, InvalidParameterError

X = np.arange(60.0).reshape(30, 2)
Y = np.repeat(["a", "b", "c"], 10)


class Remembers(ClassifierMixin, BaseEstimator):
    """Keep what it was fitted on."""

    def fit(self, X, y, sample_weight=None, note=None):
        self.rows_, self.y_, self.weight_, self.note_ = X[:, 0] / 2, y, sample_weight, note
        return self


def seen(estimator, X):
    """For each row, whether the estimator was fitted on it, and its number."""
    return np.column_stack([np.isin(X[:, 0] / 2, estimator.rows_), X[:, 0] / 2])


def split(cv, target=Y, params=None, refit=True):
    return make_splits(cv, X, target, params or {}, refit=refit, random_state=0, who="Who")


def test_no_row_is_scored_by_an_estimator_that_saw_it():
    folds = out_of_fold(
        Remembers(), X, Y, split(5), score=seen, fit_params={}, n_jobs=None, keep=True
    )
    scores = np.concatenate([fold.scores for fold in folds])
    rows = np.concatenate([fold.rows for fold in folds])
    assert not scores[:, 0].any()
    np.testing.assert_array_equal(scores[:, 1], rows)
    assert sorted(rows) == list(range(30))
    assert all(fold.estimator.y_.size == 24 for fold in folds)


def test_only_arguments_with_one_entry_a_row_are_cut():
    folds = out_of_fold(
        Remembers(),
        X,
        Y,
        split(3),
        score=seen,
        fit_params={"sample_weight": np.arange(30.0), "note": ["x", "y"]},
        n_jobs=None,
        keep=True,
    )
    for fold in folds:
        np.testing.assert_array_equal(fold.estimator.weight_, fold.estimator.rows_)
        assert fold.estimator.note_ == ["x", "y"]
    assert rows_of({"a": 3, "b": "thirty"}, np.array([1]), 30) == {"a": 3, "b": "thirty"}


def test_estimators_are_dropped_unless_asked_for():
    folds = out_of_fold(Remembers(), X, Y, split(3), score=seen, fit_params={}, n_jobs=2)
    assert [fold.estimator for fold in folds] == [None] * 3


def test_a_share_makes_one_stratified_hold_out():
    ((train, test),) = split(0.5)
    assert np.unique(Y[test], return_counts=True)[1].tolist() == [5, 5, 5]
    assert sorted([*train, *test]) == list(range(30))


def test_several_labels_a_row_are_not_stratified():
    labels = np.eye(3, dtype=int)[np.repeat([0, 1, 2], 10)]
    assert len(split(5, labels)) == 5
    assert len(split(0.2, labels)[0][1]) == 6


def test_splitters_get_their_arguments():
    splits = split(GroupKFold(3), params={"groups": np.arange(30) % 3})
    assert all(len(set(test % 3)) == 1 for _, test in splits)


def test_boolean_masks_are_positions():
    mask = np.arange(30) % 3 == 0
    ((train, test),) = split([(~mask, mask)])
    np.testing.assert_array_equal(test, np.flatnonzero(mask))
    assert np.intersect1d(train, test).size == 0


@pytest.mark.parametrize(
    ("cv", "words"),
    [
        (StratifiedKFold(11), "Who: the rows must suffice for the splits"),
        (PredefinedSplit(np.repeat([0, 1, 2], 10)), "rows of every class.*'a' .0 rows.*fold 0"),
        ([], "at least one split. Got none"),
        ([(np.arange(30), np.array([], dtype=int))], "every test fold must hold rows"),
    ],
)
def test_splits_that_cannot_be_used(cv, words):
    with pytest.raises(DataError, match=words):
        split(cv)


def test_without_refit_there_is_one_split():
    with pytest.raises(InvalidParameterError, match="single split, whose estimator is kept"):
        split(5, refit=False)
    assert len(split(0.3, refit=False)) == 1


def test_classes_are_described_with_their_rows():
    assert describe(["a", 1], [1200, 3]) == "'a' (1,200 rows) and 1 (3 rows)"
    assert describe([0, 1, 2], [5, 4, 3]) == "0 (5 rows), 1 (4 rows) and 2 (3 rows)"
