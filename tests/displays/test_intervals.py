"""Intervals of shares against scipy's."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from imbkit.displays._intervals import bootstrap_shares, wilson


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize(("hits", "rows"), [(0, 7), (3, 7), (7, 7), (12, 4000)])
def test_wilsons_interval_is_scipys(hits, rows, confidence):
    right = binomtest(hits, rows).proportion_ci(confidence, method="wilson")
    low, high = wilson(np.array([hits / rows]), np.array([float(rows)]), confidence)
    assert low[0] == pytest.approx(right.low, abs=1e-12)
    assert high[0] == pytest.approx(right.high, abs=1e-12)


def test_the_bootstrap_draws_each_bin_from_its_own_rows():
    positive = np.repeat([True, False, True], 100)
    positive[250:] = False
    starts = np.array([0, 100, 200])
    rng = np.random.default_rng(0)
    low, high = bootstrap_shares(positive, np.ones(300), starts, 0.9, 500, rng)
    assert (low[0], high[0]) == (1, 1)
    assert (low[1], high[1]) == (0, 0)
    right = binom(100, 0.5).ppf([0.05, 0.95]) / 100
    assert (low[2], high[2]) == pytest.approx(tuple(right), abs=0.02)
