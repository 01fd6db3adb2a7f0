"""Folds: every row once, classes even, groups whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from imbkit.bench._folds import fewest_groups_of_a_class, merge_groups, stratified_folds


@st.composite
def tables(draw):
    n_rows = draw(st.integers(6, 80))
    codes = draw(st.lists(st.integers(0, 3), min_size=n_rows, max_size=n_rows))
    groups = draw(st.lists(st.integers(0, n_rows - 1), min_size=n_rows, max_size=n_rows))
    number = [np.unique(values, return_inverse=True)[1] for values in (codes, groups)]
    return number[0], number[1], draw(st.integers(2, 6)), draw(st.integers(0, 99))


def spread(codes, fold, n_folds):
    """Rows of each class in each fold."""
    table = np.zeros((n_folds, codes.max() + 1), dtype=int)
    np.add.at(table, (fold, codes), 1)
    return table


@given(tables())
@settings(deadline=None, max_examples=200)
def test_single_rows_are_spread_evenly(table):
    codes, _, n_folds, seed = table
    fold = stratified_folds(codes, None, n_folds, np.random.default_rng(seed))
    counts = spread(codes, fold, n_folds)
    assert counts.sum() == codes.size
    assert np.ptp(counts, axis=0).max() <= 1
    # Remainders of the classes go to different folds, so fold sizes stay even, too.
    assert np.ptp(counts.sum(axis=1)) <= 1


@given(tables())
@settings(deadline=None, max_examples=200)
def test_groups_never_straddle(table):
    codes, groups, n_folds, seed = table
    fold = stratified_folds(codes, groups, n_folds, np.random.default_rng(seed))
    assert set(fold.tolist()) <= set(range(n_folds))
    for group in np.unique(groups):
        assert np.unique(fold[groups == group]).size == 1


def test_every_fold_gets_a_class_that_has_enough_groups():
    rng = np.random.default_rng(0)
    for _ in range(100):
        codes = (rng.random(300) < 0.05).astype(int)
        codes[:6] = 1
        groups = np.arange(300)
        groups[rng.integers(0, 300, 60)] = rng.integers(0, 300, 60)
        groups = np.unique(groups, return_inverse=True)[1]
        n_folds = min(5, fewest_groups_of_a_class(codes, groups)[1])
        counts = spread(codes, stratified_folds(codes, groups, n_folds, rng), n_folds)
        assert counts[:, 1].min() >= 1


def test_as_even_as_scikit_learn_with_groups():
    rng = np.random.default_rng(1)
    ours, theirs = [], []
    for seed in range(20):
        codes = (rng.random(400) < 0.1).astype(int)
        groups = np.unique(rng.integers(0, 150, 400), return_inverse=True)[1]
        fold = stratified_folds(codes, groups, 5, np.random.default_rng(seed))
        ours.append(np.std(spread(codes, fold, 5), axis=0))
        cv = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        splits = cv.split(np.zeros((400, 1)), codes, groups)
        theirs.append(np.std([np.bincount(codes[test], minlength=2) for _, test in splits], axis=0))
    assert (np.mean(ours, axis=0) <= 1.1 * np.mean(theirs, axis=0)).all()


def test_seed_decides():
    codes = np.array([0] * 50 + [1] * 10)
    first, again, other = (
        stratified_folds(codes, None, 5, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_merge_groups_is_the_transitive_closure():
    merged = merge_groups(np.array([0, 0, 1, 2, 3]), np.array([0, 1, 1, 2, 3]))
    assert merged[0] == merged[1] == merged[2]
    assert np.unique(merged).size == 3


@pytest.mark.parametrize(("groups", "expected"), [(None, [2, 3]), ([0, 1, 2, 2, 2], [2, 1])])
def test_fewest_groups(groups, expected):
    codes = np.array([0, 0, 1, 1, 1])
    groups = None if groups is None else np.array(groups)
    assert fewest_groups_of_a_class(codes, groups).tolist() == expected
