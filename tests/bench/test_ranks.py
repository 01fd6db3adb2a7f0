"""Ranks over tables against scipy, scikit-posthocs, brute force and arithmetic by hand."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from imbkit.bench._ranks import (
    average_ranks,
    cliques,
    friedman,
    least_p_value,
    signed_rank,
    wilcoxon_holm,
)


def some_scores(n, k):
    return arrays(float, (n, k), elements=st.integers(0, 6).map(float))


tables = st.tuples(st.integers(2, 8), st.integers(3, 6)).flatmap(lambda shape: some_scores(*shape))
differences = arrays(float, st.integers(1, 9), elements=st.integers(-5, 5).map(float))


def made(n=12, k=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)) + np.array([0.0, 0.0, 0.8, 1.6, 2.4])[:k]


def test_ranks_by_hand():
    scores = np.array([[0.9, 0.8, 0.8, 0.1], [0.5, 0.7, 0.6, 0.4]])
    # First table: 1, then two that share 2 and 3, then 4. Second: 3, 1, 2, 4.
    assert average_ranks(scores, True) == pytest.approx([2.0, 1.75, 2.25, 4.0])
    assert average_ranks(scores, False) == pytest.approx([3.0, 3.25, 2.75, 1.0])


@given(tables)
@settings(max_examples=40)
def test_ranks_turn_around_with_the_direction(scores):
    up, down = average_ranks(scores, True), average_ranks(scores, False)
    assert up + down == pytest.approx(np.full(up.size, up.size + 1))
    assert up.sum() == pytest.approx(up.size * (up.size + 1) / 2)
    assert average_ranks(-scores, False) == pytest.approx(up)


@given(tables)
@settings(max_examples=60)
def test_friedman_is_scipys(scores):
    found = friedman(scores)
    if all(np.ptp(row) == 0 for row in scores):
        assert found == (0.0, 1.0, 0.0, 1.0)
        return
    usual = stats.friedmanchisquare(*scores.T)
    assert found.statistic == pytest.approx(usual.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(usual.pvalue)


def test_friedman_by_hand():
    # Six tables, three entries; ranks 1, 2, 3 in four tables, 2, 1, 3 in one, 1, 3, 2 in one.
    ranks = np.array([[1, 2, 3]] * 4 + [[2, 1, 3], [1, 3, 2]], dtype=float)
    # Sums 7, 12, 17. Q = 12 / (6 * 3 * 4) * (49 + 144 + 289) - 3 * 6 * 4 = 241/3 - 72 = 25/3.
    # F = 5 * 25/3 / (6 * 2 - 25/3) = (125/3) / (11/3) = 125/11, with 2 and 10 degrees.
    found = friedman(ranks)
    assert found.statistic == pytest.approx(25 / 3)
    assert found.p_value == pytest.approx(np.exp(-25 / 6))  # a chi-square of 2 degrees
    assert found.f_statistic == pytest.approx(125 / 11)
    # With 2 and 10 degrees the tail of F is (1 + 2 F / 10) ** -5.
    assert found.f_p_value == pytest.approx((1 + 2 * (125 / 11) / 10) ** -5)


def test_friedman_of_tables_that_agree():
    found = friedman(np.tile([3.0, 1.0, 2.0, 7.0], (5, 1)))
    assert found.statistic == pytest.approx(15.0)
    assert (found.f_statistic, found.f_p_value) == (np.inf, 0.0)


def brute_force(d):
    """Go through all signs of the ranks; zeros are ranked and then stand aside."""
    ranks = stats.rankdata(np.abs(d))[d != 0]
    seen = abs(float(ranks @ np.sign(d[d != 0])))
    signs = list(product([-1, 1], repeat=ranks.size))
    return np.mean([abs(float(ranks @ np.array(s))) >= seen - 1e-9 for s in signs])


@given(differences)
@settings(max_examples=60)
def test_signed_rank_goes_through_all_signs(d):
    found = signed_rank(d)
    assert found.p_value == pytest.approx(brute_force(d))
    assert found.lean == pytest.approx(stats.rankdata(np.abs(d)) @ np.sign(d))
    assert signed_rank(-d) == pytest.approx((-found.lean, found.p_value))
    assert signed_rank(1e-3 * d) == pytest.approx(found)


@pytest.mark.parametrize("n", [2, 5, 6, 12, 40])
def test_signed_rank_without_ties_is_scipys(n):
    rng = np.random.default_rng(n)
    for shift in (0.0, 0.5, 2.0):
        d = rng.normal(size=n) + shift
        expected = stats.wilcoxon(d, method="exact").pvalue
        assert signed_rank(d).p_value == pytest.approx(expected)
    assert signed_rank(np.arange(1.0, n + 1)).p_value == pytest.approx(least_p_value(n))


def test_equal_tables_count_against_a_difference():
    apart = np.array([1.0, 2, 3, 4, 5, 6])
    assert signed_rank(apart) == pytest.approx((21.0, 2 / 64))
    # The zeros take the low ranks, so the one negative difference weighs more than before:
    # ranks 3 to 8, of which 3 is negative; only it or nothing is as lopsided: 2 * 2 / 64.
    assert signed_rank(np.array([0.0, 0, -1, 2, 3, 4, 5, 6])).p_value == pytest.approx(4 / 64)
    assert signed_rank(np.zeros(6)) == (0.0, 1.0)
    # Demsar's even split of the zeros' ranks is the same test: scipy's "zsplit" statistic
    # differs from Pratt's by half the ranks of the zeros on both sides.
    d = np.array([0.0, 0, -1, 2, 3, 4, 5, 6])
    split = stats.wilcoxon(d, zero_method="zsplit", method="approx").statistic
    pratt = stats.wilcoxon(d, zero_method="pratt", method="approx").statistic
    assert split - pratt == pytest.approx((1 + 2) / 2)


def test_pairs_are_those_of_scikit_posthocs():
    posthocs = pytest.importorskip("scikit_posthocs")
    for seed in range(3):
        scores = made(seed=seed)
        found = wilcoxon_holm(scores)
        expected = posthocs.posthoc_wilcoxon(list(scores.T), method="exact", p_adjust="holm")
        assert found == pytest.approx(expected.to_numpy())
        assert (found == found.T).all()
        assert (np.diag(found) == 1).all()


def test_ranks_and_friedman_carry_the_nemenyi_test_of_scikit_posthocs():
    posthocs = pytest.importorskip("scikit_posthocs")
    scores = made()
    n, k = scores.shape
    ranks = average_ranks(scores, True)
    gaps = np.abs(ranks[:, None] - ranks) / np.sqrt(k * (k + 1) / (6 * n)) * np.sqrt(2)
    by_ranks = stats.studentized_range.sf(gaps, k, np.inf)
    off = ~np.eye(k, dtype=bool)
    expected = posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
    assert by_ranks[off] == pytest.approx(expected[off], abs=1e-6)


def test_the_order_of_tables_and_the_direction_do_not_matter():
    scores = made()
    shuffled = scores[np.random.default_rng(1).permutation(len(scores))]
    assert wilcoxon_holm(shuffled) == pytest.approx(wilcoxon_holm(scores))
    assert wilcoxon_holm(-scores) == pytest.approx(wilcoxon_holm(scores))
    assert friedman(-shuffled) == pytest.approx(friedman(scores))


def test_five_tables_can_never_separate_two_of_many():
    scores = np.tile(np.arange(6.0), (5, 1)) + np.arange(5.0)[:, None] ** 2
    assert wilcoxon_holm(scores).min() > 0.05
    assert friedman(scores).p_value < 0.001


def all_groups(p_values, level=0.05):
    k = len(p_values)
    fine = [
        set(group)
        for size in range(2, k + 1)
        for group in combinations(range(k), size)
        if all(not p_values[i, j] < level for i, j in combinations(group, 2))
    ]
    return [group for group in fine if not any(group < other for other in fine)]


@st.composite
def some_p_values(draw):
    k = draw(st.integers(1, 7))
    p_values = np.ones((k, k))
    for i, j in combinations(range(k), 2):
        p_values[i, j] = p_values[j, i] = draw(st.sampled_from([0.001, 0.049, 0.05, 0.9]))
    ranks = draw(arrays(float, k, elements=st.integers(1, 7).map(float)))
    return ranks, p_values


@given(some_p_values())
@settings(max_examples=60)
def test_cliques_are_the_largest_groups_without_a_difference(case):
    ranks, p_values = case
    found = cliques(ranks, p_values)
    expected = all_groups(p_values)
    assert len(found) == len(expected)
    assert {frozenset(group) for group in found} == {frozenset(group) for group in expected}
    for group in found:
        assert all(ranks[i] <= ranks[j] for i, j in pairwise(group))
    for i, j in combinations(range(ranks.size), 2):
        assert (p_values[i, j] < 0.05) == (not any({i, j} <= set(group) for group in found))


def test_cliques_by_hand():
    ranks = np.array([3.5, 1.0, 2.0, 3.4])
    p_values = np.ones((4, 4))
    for i, j in [(1, 0), (1, 3)]:
        p_values[i, j] = p_values[j, i] = 0.01
    assert cliques(ranks, p_values) == [(1, 2), (2, 3, 0)]
    assert cliques(ranks, p_values, level=0.005) == [(1, 2, 3, 0)]
    assert cliques(ranks, np.zeros((4, 4))) == []
