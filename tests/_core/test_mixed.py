"""Nearest rows over numbers with gaps and over codes: two ways, one result."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.metrics.pairwise import ValueDifferenceMetric
from sklearn.metrics.pairwise import nan_euclidean_distances

from imbkit._core import mixed
from imbkit._core.mixed import (
    level_tables,
    mixed_nearest,
    nan_nearest,
    nan_nearest_to,
    profile_distances,
    profile_nearest,
)
from imbkit._kernels.mixed import nearest_by_table, nearest_mixed, warm


@pytest.fixture(autouse=True, scope="module")
def compiled():
    warm()


def both_ways(search):
    """The result by NumPy and by the kernels, which must be the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixed, "_compiled", lambda name: False)
        patch.setattr(mixed, "_CELLS", 50)  # several blocks
        patch.setattr(mixed, "_FEW", 10**9)
        small = search()
        patch.setattr(mixed, "_FEW", -1)
        large = search()
    np.testing.assert_array_equal(small, large)
    assert small.dtype == large.dtype == np.intp
    return small


@st.composite
def tables(draw):
    """Numbers with ties or without, gaps and codes, and rows to ask for."""
    n, d = draw(st.integers(2, 200)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4, d)
    if draw(st.booleans()):
        X = np.rint(X)
    X[rng.random((n, d)) < draw(st.sampled_from([0.0, 0.1, 0.6]))] = np.nan
    codes = rng.integers(0, draw(st.sampled_from([2, 50])), (n, 2)).astype(np.int32)
    rows = rng.permutation(n)[: draw(st.integers(1, n))]
    return X.astype(draw(st.sampled_from([np.float32, np.float64]))), codes, rows, rng


@settings(max_examples=60)
@given(tables(), st.integers(1, 7))
def test_numpy_and_kernels_agree(case, k):
    X, codes, rows, _ = case
    k = min(k, len(X) - 1)
    both_ways(lambda: mixed_nearest(X, codes, 0.7, rows, k))
    found = both_ways(lambda: nan_nearest(X, rows, k))
    assert not (found == rows[:, None]).any()
    assert all(len(set(row)) == k for row in found.tolist())
    both_ways(lambda: nan_nearest_to(X, X[rows] + 0.5, k))


@settings(max_examples=40)
@given(tables())
def test_distances_are_those_of_scikit_learn(case):
    X, _, rows, _ = case
    X = X.astype(np.float64)
    everything = both_ways(lambda: nan_nearest(X, rows, len(X) - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        distances = nan_euclidean_distances(X[rows], X, squared=True)
    along = np.take_along_axis(np.where(np.isnan(distances), np.inf, distances), everything, 1)
    scale = np.nanmax(np.where(np.isnan(X), 0, X) ** 2) + 1
    with np.errstate(invalid="ignore"):
        gap = np.diff(along, axis=1)
    assert np.all((gap >= -1e-9 * scale) | np.isnan(gap))


def test_a_missing_value_scales_the_distance_up():
    # From row 0: row 1 is 1 away in one of two columns, so 2 in the squared distance.
    X = np.array([[0.0, 0.0], [1.0, np.nan], [1.3, 0.0], [1.5, 0.0], [np.nan, np.nan]])
    assert both_ways(lambda: nan_nearest(X, np.array([0]), 4)).tolist() == [[2, 1, 3, 4]]


def test_rows_without_a_common_column_come_last_by_number():
    X = np.array([[0.0, np.nan], [np.nan, 1.0], [np.nan, 5.0], [9.0, np.nan]])
    assert both_ways(lambda: nan_nearest(X, np.array([0, 2]), 3)).tolist() == [[3, 1, 2], [1, 0, 3]]


def test_equal_distances_go_to_the_smaller_row():
    X = np.zeros((150, 2))
    found = both_ways(lambda: nan_nearest(X, np.array([0, 77, 149]), 3))
    assert found.tolist() == [[1, 2, 3], [0, 1, 2], [0, 1, 2]]


def test_a_weight_stands_for_each_code_that_differs():
    X = np.array([[0.0], [2.0], [0.0], [0.0]])
    codes = np.array([[0, 0], [0, 0], [1, 0], [1, 1]], dtype=np.int32)
    for weight, expected in (
        (1.0, [2, 3, 1]),
        (3.0, [2, 1, 3]),
        (5.0, [1, 2, 3]),
        (4.0, [1, 2, 3]),
    ):
        assert both_ways(lambda w=weight: mixed_nearest(X, codes, w, [0], 3)).tolist() == [expected]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3])
def test_tiles_are_left_out_only_if_too_far(share):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 2))
    X[rng.random(X.shape) < share] = np.nan
    both_ways(lambda: nan_nearest(X, np.arange(1500), 3))
    both_ways(lambda: nan_nearest_to(X, 2 * X[::3], 3))


def test_huge_numbers_are_infinitely_far_and_silent():
    X = np.array([[1e300, 0.0], [-1e300, 0.0], [1e300, np.nan]])
    assert both_ways(lambda: nan_nearest(X, np.arange(3), 2)).tolist() == [[2, 1], [0, 2], [0, 1]]


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_threads_and_blocks_change_nothing(n_jobs, monkeypatch):
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(700, 4)), rng.integers(0, 5, (700, 2)).astype(np.int32)
    rows = np.arange(700)
    monkeypatch.setattr(mixed, "_FEW", -1)
    expected = mixed_nearest(X, codes, 0.5, rows, 5, n_jobs=1)
    monkeypatch.setattr(mixed, "_BLOCK", 37 * n_jobs)
    found = mixed_nearest(X, codes, 0.5, rows, 5, n_jobs=n_jobs)
    np.testing.assert_array_equal(found, expected)


@st.composite
def nominal(draw):
    """Codes with many equal rows, labels, and profiles of which some are equal."""
    n, c = draw(st.integers(2, 150)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    levels = draw(st.sampled_from([2, 6, 60]))
    codes = rng.integers(0, levels, (n, c)).astype(np.int32)
    profiles = [rng.dirichlet(np.ones(draw(st.integers(2, 10))), levels) for _ in range(c)]
    if draw(st.booleans()):
        profiles = [np.round(profile, 1) for profile in profiles]
    rows = rng.permutation(n)[: draw(st.integers(1, n))]
    return codes, profiles, rows


@settings(max_examples=60)
@given(nominal(), st.integers(1, 7), st.booleans())
def test_nearest_by_profile_sorts_all_distances(case, k, few_tables):
    codes, profiles, rows = case
    k = min(k, len(codes) - 1)
    with pytest.MonkeyPatch.context() as patch:
        if few_tables:
            patch.setattr(mixed, "_TABLE", 30)
        found = both_ways(lambda: profile_nearest(codes, profiles, rows, k))
    distances = profile_distances(codes, profiles)
    for row, nearest in zip(rows, found.tolist(), strict=True):
        others = [j for j in range(len(codes)) if j != row]
        assert nearest == sorted(others, key=lambda j: (distances[row, j], j))[:k]


@pytest.mark.parametrize("n_classes", [2, 3, 9, 20])
def test_profile_distances_have_the_bits_of_imbalanced_learn(n_classes):
    rng = np.random.default_rng(n_classes)
    codes = rng.integers(0, [3, 40, 7], (300, 3)).astype(np.int32)
    y = rng.integers(0, n_classes, 300)
    metric = ValueDifferenceMetric().fit(codes, y)
    expected = metric.pairwise(codes)
    found = profile_distances(codes, metric.proba_per_class_)
    np.testing.assert_array_equal(found, expected)


def test_tables_do_not_depend_on_their_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    these, those = rng.random((17, 9)), rng.random((11, 9))
    whole = level_tables(these, those)
    monkeypatch.setattr(mixed, "_CELLS", 20)
    np.testing.assert_array_equal(level_tables(these, those), whole)


def test_no_input_makes_a_kernel_compile_again(monkeypatch):
    monkeypatch.setattr(mixed, "_FEW", -1)
    X, codes = np.eye(9, dtype=np.float32), np.zeros((9, 2), dtype=np.int32)
    profiles = [np.ones((1, 2), dtype=np.float32)] * 2
    for array in (X, codes, *profiles):
        array.flags.writeable = False
    for rows in ([0, 1], np.arange(9, dtype=np.int32), range(3)):
        mixed_nearest(np.asfortranarray(X), codes[:, ::-1], 1, rows, 2)
        mixed_nearest(X[::2], codes[::2], 1, [0], 2)
        nan_nearest(X.astype(int), rows, 2)
        nan_nearest_to(X, X[:2], 2)
        profile_nearest(codes, profiles, rows, 2)
    assert [len(each.signatures) for each in (nearest_mixed, nearest_by_table)] == [1, 1]


def test_small_searches_do_without_numba():
    code = (
        "import sys, numpy as np\n"
        "from imbkit._core.mixed import nan_nearest, profile_nearest\n"
        "nan_nearest(np.random.rand(1500, 3), np.arange(1500), 5)\n"
        "codes = np.random.randint(0, 9, (1500, 2)).astype(np.int32)\n"
        "profile_nearest(codes, [np.random.rand(9, 2)] * 2, np.arange(1500), 5)\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_compiled_kernels_serve_small_searches_as_well(monkeypatch):
    used = []
    monkeypatch.setattr(mixed, "_small_search", lambda *args: used.append(args))
    X = np.random.default_rng(0).normal(size=(30, 2))
    nan_nearest(X, np.arange(30), 2)
    assert used == []
    monkeypatch.setattr(mixed, "_compiled", lambda name: False)
    nan_nearest(X, np.arange(30), 2)
    assert len(used) == 1
