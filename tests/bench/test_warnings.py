"""Warnings are counted thread by thread, and the state outside is left alone."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from imbkit.bench._warnings import WarningLog


def test_counts_by_category_and_first_line():
    with WarningLog() as log:
        for _ in range(3):
            warnings.warn("first\nsecond", RuntimeWarning, stacklevel=1)
    assert log.counts == {"RuntimeWarning: first": 3}


def test_threads_do_not_mix():
    barrier = Barrier(4)

    def work(number):
        with WarningLog() as log:
            barrier.wait()
            for _ in range(number):
                warnings.warn(f"from {number}", UserWarning, stacklevel=1)
            barrier.wait()
        return log.counts

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, [1, 2, 3, 4]))
    assert found == [{f"UserWarning: from {n}": n} for n in (1, 2, 3, 4)]


def test_state_is_restored():
    before = warnings.showwarning, list(warnings.filters)
    with WarningLog():
        pass
    assert (warnings.showwarning, list(warnings.filters)) == before
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)
