"""Thinned lines keep every column's ends, highest and lowest point."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imbkit.displays._thin import thin


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_every_column_keeps_its_reach(seed, descending, gaps):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.normal(0.5, 0.5, size=500))
    y = rng.integers(0, 50, size=500).astype(float)
    if gaps:
        y[rng.random(500) < 0.3] = np.nan
    x = x[::-1] if descending else x
    kept = thin(x, y, 10)
    assert kept[0] == 0
    assert kept[-1] == 499
    assert (np.diff(kept) > 0).all()
    column = np.floor(np.clip(x, -1, 2) * 10)
    for each in np.unique(column):
        own = np.flatnonzero(column == each)
        own_kept = np.intersect1d(own, kept)
        assert {own[0], own[-1]} <= set(own_kept.tolist())
        assert own_kept.size <= 4
        if not np.isnan(y[own]).all():
            assert np.nanmax(y[own]) == np.nanmax(y[own_kept])
            assert np.nanmin(y[own]) == np.nanmin(y[own_kept])


def test_short_lines_stay_whole():
    np.testing.assert_array_equal(thin(np.linspace(0, 1, 40), np.zeros(40), 10), np.arange(40))
