"""Blocks of rows on threads: all of them, once, in any number of threads."""

import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from imbkit._core.parallel import cores, run_blocks
from imbkit.exceptions import InvalidParameterError


@settings(max_examples=40)
@given(st.integers(0, 50), st.integers(1, 60), st.integers(1, 4))
def test_every_row_is_done_once_and_results_are_in_order(n_rows, block, n_jobs):
    done = np.zeros(n_rows, dtype=int)

    def kernel(low, high, out, step):
        out[low:high] += step
        return low, high

    blocks = run_blocks(kernel, n_rows, done, 3, n_jobs=n_jobs, block=block)
    assert (done == 3).all()
    assert [low for low, _ in blocks] == list(range(0, n_rows, block))
    assert all(high == min(low + block, n_rows) for low, high in blocks)


def test_two_threads_run_at_once():
    meeting = threading.Barrier(2, timeout=20)
    run_blocks(lambda low, high: meeting.wait(), 2, n_jobs=2, block=1)


def test_results_are_in_the_order_of_the_rows_whoever_was_first():
    others = threading.Semaphore(0)

    def kernel(low, high):
        if low == 0:
            assert all(others.acquire(timeout=20) for _ in range(4))
        else:
            others.release()
        return low

    assert run_blocks(kernel, 5, n_jobs=2, block=1) == [0, 1, 2, 3, 4]


def test_one_thread_is_the_callers():
    threads = run_blocks(lambda low, high: threading.current_thread(), 5, n_jobs=1, block=1)
    assert set(threads) == {threading.current_thread()}


def test_blocks_are_scheduled_as_threads_become_free():
    slow_began = threading.Event()
    rest_done = threading.Semaphore(0)

    def kernel(low, high):
        if low == 0:
            slow_began.set()
            # The first block waits for all others: they must not be promised to its thread.
            assert all(rest_done.acquire(timeout=20) for _ in range(9))
        else:
            slow_began.wait(20)
            rest_done.release()

    run_blocks(kernel, 10, n_jobs=2, block=1)


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_the_first_failing_block_is_raised(n_jobs):
    def kernel(low, high):
        if low in (3, 4, 7):
            time.sleep(0.01 * (low == 3))
            raise ValueError(f"block {low}")

    with pytest.raises(ValueError, match="block 3"):
        run_blocks(kernel, 10, n_jobs=n_jobs, block=1)


def test_a_failure_stops_the_rest():
    begun = []

    def kernel(low, high):
        begun.append(low)
        raise KeyError(low)

    with pytest.raises(KeyError):
        run_blocks(kernel, 10_000, n_jobs=2, block=1)
    assert len(begun) <= 2


def test_threads_end_with_the_call():
    before = threading.active_count()
    run_blocks(lambda low, high: None, 100, n_jobs=3, block=1)
    assert threading.active_count() == before


def test_bad_block():
    with pytest.raises(InvalidParameterError, match="run_blocks: block must be 1 or more. Got 0"):
        run_blocks(print, 3, block=0)


def test_works_again_in_a_forked_child():
    code = """
import multiprocessing, warnings
from imbkit._core.parallel import run_blocks
def total(_=0):
    return sum(run_blocks(lambda low, high: sum(range(low, high)), 100, n_jobs=2, block=7))
if __name__ == "__main__":
    warnings.simplefilter("ignore")  # newer Pythons warn of any fork beside threads
    first = total()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(first, *pool.map_async(total, range(2)).get(timeout=60))
"""
    if sys.platform == "win32":
        pytest.skip("Windows does not fork")
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.split() == ["4950"] * 3


def test_cores_follow_joblib():
    assert cores(1) == 1
    assert cores(3) == joblib.effective_n_jobs(3) == 3
    assert cores(-1) == joblib.effective_n_jobs(-1)
    assert cores(-1000) == 1
    with joblib.parallel_config(n_jobs=5):
        assert cores() == 5
        assert cores(2) == 2


def test_cores_are_those_left_free():
    with threadpool_limits(1):
        assert cores() == 1
    assert 1 <= cores() <= joblib.cpu_count()


def test_zero_jobs():
    with pytest.raises(InvalidParameterError, match="n_jobs must be a positive or a negative"):
        cores(0)


def test_limits_of_numerical_libraries_are_kept_to(monkeypatch):
    np.dot(np.ones((2, 2)), np.ones((2, 2)))
    monkeypatch.setattr("joblib.cpu_count", lambda *args, **kwargs: 4)
    with threadpool_limits(1):
        assert cores() == 1


def test_a_thread_among_workers_uses_one_core(monkeypatch):
    quiet = SimpleNamespace(info=list)
    monkeypatch.setattr("imbkit._core.parallel._controller", lambda n_modules: quiet)
    monkeypatch.setattr("joblib.cpu_count", lambda *args, **kwargs: 4)
    assert cores() == 4
    with joblib.Parallel(n_jobs=2, backend="threading") as pool:
        assert pool(joblib.delayed(cores)() for _ in range(4)) == [1] * 4


@pytest.mark.parametrize("share", [1, 2])
def test_a_worker_process_uses_its_share(share):
    expected = min(share, joblib.cpu_count())
    with joblib.parallel_config(backend="loky", inner_max_num_threads=share):
        found = joblib.Parallel(n_jobs=2)(joblib.delayed(cores)() for _ in range(2))
    assert found == [expected] * 2
