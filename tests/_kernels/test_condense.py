"""Kernels of the condensed store: the same rows as a plain walk that compares every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit._kernels.condense import (
    condense,
    condense_few,
    plant,
    squares,
    store_all,
    warm,
)


@pytest.fixture(autouse=True, scope="module")
def compiled():
    warm()


def square(a, b):
    """A squared distance, column by column."""
    total = 0.0
    for value, other in zip(a.tolist(), b.tolist(), strict=True):
        total += (value - other) * (value - other)
    return total


class Case:
    """Rows of a class among rows of a table, and rivals that set how near help must be."""

    def __init__(self, X, numbers, reach, rivals, limit, seeds):
        self.X, self.numbers, self.reach, self.rivals = X, numbers, reach, rivals
        self.limit, self.seeds = limit, seeds
        self.rules = numbers, reach, rivals, limit

    def walk(self):
        """The verdicts, pair by pair in Python."""
        store = self.seeds.tolist()
        chosen = set(self.numbers[store].tolist())
        verdict = np.zeros(len(self.X), dtype=np.int8)
        for position, row in enumerate(self.X):
            edge = self.reach[position], self.rivals[position]
            found = sum((square(row, self.X[s]), self.numbers[s]) < edge for s in store)
            if found < self.limit and position in chosen:
                verdict[position] = 2
            elif found < self.limit:
                verdict[position] = 1
                store.append(position)
                chosen.add(int(self.numbers[position]))
        return verdict

    def compiled(self, few, stride=10**6):
        """The verdicts by kernels, with room for `few` stored rows before the tree."""
        n = len(self.X)
        verdict, chosen = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=bool)
        first = self.numbers[self.seeds]
        chosen[first[first < n]] = True
        store = np.concatenate([self.seeds, np.zeros(few, dtype=np.int64)])
        position = condense_few(0, n, self.X, *self.rules, store, self.seeds.size, chosen, verdict)
        if position < n:
            grove = plant(self.X)
            store_all(grove, store)
            for low in range(position, n, stride):
                condense(low, min(low + stride, n), grove, *self.rules, chosen, verdict)
        return verdict


@st.composite
def cases(draw, most=60):
    n, d = draw(st.integers(1, most)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    table = rng.permutation(n + draw(st.integers(0, n)))
    # Few distinct values make ties and twins.
    X = rng.integers(0, draw(st.sampled_from([1, 3, 8])), (n, d)).astype(float)
    if draw(st.booleans()):
        X += rng.normal(size=(n, d))
    others = X[rng.integers(0, n, n)] + rng.integers(0, 2, (n, d))
    reach = np.array([square(a, b) for a, b in zip(X, others, strict=True)])
    seeds = rng.integers(0, n, draw(st.integers(1, 3)))
    numbers, rivals = np.sort(table[:n]), rng.integers(0, 2 * n, n)
    return Case(X, numbers, reach, rivals, draw(st.integers(1, 4)), seeds)


@settings(max_examples=150)
@given(cases(), st.sampled_from([0, 1, 5, 100]), st.sampled_from([1, 7, 10**6]))
def test_the_walk_stores_and_passes_over_the_same_rows(case, few, stride):
    np.testing.assert_array_equal(case.compiled(few, stride), case.walk())


def test_a_large_tree_agrees_with_the_list():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 3))
    reach = rng.exponential(0.01, 3000)
    rivals = rng.integers(0, 3000, 3000)
    case = Case(X, np.arange(3000) + 3000, reach, rivals, 1, np.array([5, 5]))
    few, many = case.compiled(3000), case.compiled(2)
    assert 300 < np.count_nonzero(few) < 2700
    np.testing.assert_array_equal(few, many)


@given(cases(most=40))
def test_boxes_hold_the_stored_rows_and_no_more(case):
    grove = plant(case.X)
    np.testing.assert_array_equal(np.sort(grove.numbers), np.arange(len(case.X)))
    np.testing.assert_array_equal(grove.points[grove.places], case.X)
    store_all(grove, case.seeds)
    np.testing.assert_array_equal(grove.low[0], case.X[case.seeds].min(axis=0))
    np.testing.assert_array_equal(grove.high[0], case.X[case.seeds].max(axis=0))
    assert grove.copies.sum() == case.seeds.size


@given(cases(most=30))
def test_squares_are_summed_column_by_column(case):
    rng = np.random.default_rng(0)
    others, mates = case.X[::-1] + 0.1, rng.integers(0, len(case.X), len(case.X))
    out = np.full(len(case.X), -1.0)
    squares(1, len(case.X), case.X, others, mates, out)
    assert out[0] == -1  # only its own rows
    for i in range(1, len(case.X)):
        assert out[i] == square(case.X[i], others[mates[i]])
