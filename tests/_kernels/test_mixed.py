"""Nearest rows over numbers, codes and gaps: the same bits as sorting every distance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit._kernels.mixed import TILE, nearest_by_table, nearest_mixed, warm


@pytest.fixture(autouse=True, scope="module")
def compiled():
    warm()


def squared(x, row):
    """Distance over the columns that both have, added one after another."""
    total, shared = 0.0, 0
    for a, b in zip(x, row, strict=True):
        if not np.isnan(a) and not np.isnan(b):
            total += (a - b) * (a - b)
            shared += 1
    return total * (len(x) / shared) if shared else np.inf


def sorted_rows(x, mark, numbers, codes, weight, own, k):
    """Oracle: all rows by (distance, number), in plain Python."""
    keys = [
        (squared(x, numbers[j]) + weight * float(np.count_nonzero(mark != codes[j])), j)
        for j in range(len(numbers))
        if j != own
    ]
    return [j for _, j in sorted(keys)[:k]]


def boxes(numbers):
    """Boxes of tiles; without end where a value is missing."""
    parts = [numbers[low : low + TILE] for low in range(0, len(numbers), TILE)]
    floor = np.array([np.where(np.isnan(p).any(0), -np.inf, p.min(0)) for p in parts])
    ceiling = np.array([np.where(np.isnan(p).any(0), np.inf, p.max(0)) for p in parts])
    return floor, ceiling


@st.composite
def tables(draw):
    """Rows of few different values or of many, with codes, gaps and twins."""
    n, d = draw(st.integers(2, 2 * TILE + 9)), draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    numbers = rng.integers(0, draw(st.sampled_from([1, 4, 100])), (n, d)).astype(float)
    if draw(st.booleans()):
        numbers += rng.normal(size=(n, d))
    if draw(st.booleans()):
        numbers = numbers[np.argsort(numbers[:, 0])]  # boxes that leave tiles out
    if draw(st.booleans()):
        numbers[rng.random((n, d)) < draw(st.sampled_from([0.05, 0.5]))] = np.nan
    codes = rng.integers(0, 3, (n, draw(st.integers(0, 3)))).astype(np.int32)
    return numbers, codes, draw(st.sampled_from([0.0, 0.3, 2.0])), draw(st.integers(1, n - 1)), rng


def run(numbers, codes, weight, points, marks, own, home, order, k):
    """Call the kernel on a pool that stands in some order."""
    out = np.full((len(points), k), -9)
    floor, ceiling = boxes(numbers[order])
    gaps = bool(np.isnan(numbers).any() or np.isnan(points).any())
    pool = np.ascontiguousarray(numbers[order].T), np.ascontiguousarray(codes[order].T)
    args = (points, marks, own, home, *pool, weight, gaps, order, floor, ceiling, out)
    half = len(points) // 2
    nearest_mixed(0, half, *args)
    nearest_mixed(half, len(points), *args)
    return out


@settings(max_examples=60)
@given(tables())
def test_nearest_other_rows(case):
    numbers, codes, weight, k, rng = case
    asked = rng.choice(len(numbers), min(len(numbers), 9), replace=False)
    order = rng.permutation(len(numbers))
    home = np.argsort(order)[asked] // TILE
    found = run(numbers, codes, weight, numbers[asked], codes[asked], asked, home, order, k)
    for row, nearest in zip(asked, found.tolist(), strict=True):
        expected = sorted_rows(numbers[row], codes[row], numbers, codes, weight, row, k)
        assert nearest == expected


@settings(max_examples=60)
@given(tables())
def test_nearest_rows_of_foreign_ones(case):
    numbers, codes, weight, k, rng = case
    points, nobody = numbers[:5] + rng.normal(size=(len(numbers[:5]), 1)), np.full(5, -1)
    order = np.arange(len(numbers))
    nobody = nobody[: len(points)]
    found = run(numbers, codes, weight, points, codes[:5], nobody, nobody, order, k)
    for x, mark, nearest in zip(points, codes[:5], found.tolist(), strict=True):
        assert nearest == sorted_rows(x, mark, numbers, codes, weight, -1, k)


@settings(max_examples=60)
@given(
    st.integers(1, 2 * TILE + 9),
    st.integers(1, 4),
    st.integers(1, 6),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_distances_that_are_looked_up(n_distinct, n_columns, k, seed, whole):
    rng = np.random.default_rng(seed)
    widths = rng.integers(1, 6, n_columns)
    tables = [rng.random((w, w)) for w in widths]
    if whole:
        tables = [np.rint(3 * table) for table in tables]
    codes = np.stack([rng.integers(0, w, n_distinct) for w in widths]).astype(np.int32)
    sizes = rng.integers(1, 4, n_distinct)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    kind = rng.permutation(np.repeat(np.arange(n_distinct), sizes))
    members = np.argsort(kind, kind="stable")
    k = min(k, members.size)
    asked = rng.permutation(n_distinct)[:7]
    begin = np.cumsum([0, *(w * w for w in widths)])[:-1]
    offsets = np.ascontiguousarray((begin[:, None] + codes[:, asked] * widths[:, None]).T)
    out = np.empty((asked.size, k), dtype=np.intp)
    flat = np.concatenate([table.ravel() for table in tables])
    nearest_by_table(0, asked.size, flat, offsets, asked, codes, starts, members, out)
    for q, found in zip(asked, out.tolist(), strict=True):
        total = np.zeros(n_distinct)
        for table, column in zip(tables, codes, strict=True):
            total += table[column[q]][column]
        assert found == sorted(range(members.size), key=lambda row: (total[kind[row]], row))[:k]
