import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import proportion_interval


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(1, 40), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_both_equal_scipy(hits, rows, confidence):
    hits = min(hits, rows)
    test = binomtest(hits, rows)
    for method in ("wilson", "exact"):
        expected = test.proportion_ci(confidence, method=method)
        got = proportion_interval(hits, rows, confidence=confidence, method=method)
        assert [float(end) for end in got] == pytest.approx([expected.low, expected.high], abs=1e-9)


def test_arrays_and_no_rows():
    for method in ("wilson", "exact"):
        low, high = proportion_interval([0, 3, 3], [0, 3, 10], method=method)
        assert low[0] == 0
        assert high[0] == high[1] == 1
        one = proportion_interval(3, 10, method=method)
        assert (low[2], high[2]) == (one[0], one[1])


def test_exact_covers_at_least_as_often_as_asked():
    rows = np.arange(21)
    low, high = proportion_interval(rows, 20, confidence=0.9, method="exact")
    for share in np.linspace(0.01, 0.99, 25):
        covered = binom.pmf(rows, 20, share)[(low <= share) & (share <= high)].sum()
        assert covered >= 0.9


@pytest.mark.parametrize(("hits", "rows"), [(3, 2), (-1, 2), (1, np.inf), (np.nan, 2), (0, -1)])
def test_bad_numbers(hits, rows):
    with pytest.raises(DataError, match="proportion_interval: hits must be from 0 to rows"):
        proportion_interval(hits, rows)


def test_bad_parameters():
    with pytest.raises(InvalidParameterError, match="confidence must be a number from 0 to 1"):
        proportion_interval(1, 2, confidence=1.0)
    with pytest.raises(InvalidParameterError, match="method must be 'wilson' or 'exact'"):
        proportion_interval(1, 2, method="wald")
