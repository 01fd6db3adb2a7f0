"""Run a kernel over blocks of rows on a thread pool."""

import functools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import joblib
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError

__all__ = ["cores", "run_blocks"]

Result = TypeVar("Result")


def run_blocks(
    function: Callable[..., Result],
    n_rows: int,
    *args: Any,
    n_jobs: int | None = None,
    block: int = 1024,
) -> list[Result]:
    """Call ``function(low, high, *args)`` for every block of rows, and wait for all.

    Parameters
    ----------
    function : callable
        Usually a kernel that releases the interpreter lock and writes to rows `low` to
        ``high - 1`` of arrays among `args`. It must not touch other rows.
    n_rows : int
        Number of rows; with 0 nothing is called.
    *args : object
        Passed on to every call.
    n_jobs : int, default=None
        Number of threads, as in :func:`cores`.
    block : int, default=1024
        Rows a call, fewer in the last one. The blocks do not depend on the number of
        threads, so neither does any result.

    Returns
    -------
    list
        What the calls returned, in the order of the rows.

    Raises
    ------
    Exception
        What a call raised; of several, the one of the first block. Blocks not yet begun
        are then left out.

    Notes
    -----
    Threads take the next block when they are done with one. They live as long as the call:
    no pool is kept that a fork could break, and starting one takes some 50 microseconds.
    """
    if block < 1:
        raise InvalidParameterError(message("run_blocks", "block must be 1 or more", block))
    starts = range(0, n_rows, block)
    workers = min(cores(n_jobs), len(starts)) if len(starts) > 1 else 1
    if workers == 1:
        return [function(low, min(low + block, n_rows), *args) for low in starts]
    return _run_threads(function, starts, n_rows, args, workers)


def cores(n_jobs: int | None = None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    n_jobs : int, default=None
        A positive number is taken as it is; -1 means every core, -2 all but one, and so on,
        as in joblib. None means the number that ``joblib.parallel_config`` sets around the
        call, and else the free cores: those the process may use, no more than threadpoolctl
        says the numerical libraries may, and inside a joblib worker only that worker's share.

    Returns
    -------
    int
        1 or more.

    Raises
    ------
    InvalidParameterError
        If `n_jobs` is 0.
    """
    if n_jobs is None:
        backend, configured = get_active_backend()
        return _free_cores(backend.nesting_level) if configured is None else cores(configured)
    if n_jobs == 0:
        rule = "n_jobs must be a positive or a negative number, or None"
        raise InvalidParameterError(message("cores", rule, n_jobs, "Use 1 for a single thread"))
    return max(1, int(joblib.effective_n_jobs(n_jobs)))


def _free_cores(nesting_level: int) -> int:
    """Cores that nobody else was promised."""
    # A joblib worker that is a thread shares the process with its siblings. One that is a
    # process was told its share through the environment (loky), or nothing at all.
    thread = threading.current_thread() is not threading.main_thread()
    if nesting_level and (thread or "OMP_NUM_THREADS" not in os.environ):
        return 1
    limits = [int(pool["num_threads"]) for pool in _controller(len(sys.modules)).info()]
    return max(1, min([int(joblib.cpu_count()), *limits]))


@functools.lru_cache(maxsize=1)
def _controller(n_modules: int) -> Any:
    """Find the libraries with threads of their own; again only when modules were imported.

    To look for them takes milliseconds, to ask those that are known does not.
    """
    return ThreadpoolController()


def _run_threads(
    function: Callable[..., Result],
    starts: range,
    n_rows: int,
    args: tuple[Any, ...],
    workers: int,
) -> list[Result]:
    """Let the threads draw block numbers from one counter."""
    results: dict[int, Result] = {}
    errors: dict[int, BaseException] = {}
    pending = iter(starts)
    lock = threading.Lock()

    def work() -> None:
        while not errors:
            with lock:
                low = next(pending, None)
            if low is None:
                return
            try:
                results[low] = function(low, min(low + starts.step, n_rows), *args)
            except BaseException as error:
                errors[low] = error

    with ThreadPoolExecutor(workers - 1, "imbkit") as pool:
        for _ in range(workers - 1):
            pool.submit(work)
        work()
    # Blocks are handed out in order and finished once begun, so the first block that fails
    # is always among the errors, whatever the threads did.
    if errors:
        raise errors[min(errors)]
    return [results[low] for low in starts]
