"""Run functions that multiply matrices over blocks of rows, one thread each."""

from collections.abc import Callable
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from imbkit._core.parallel import cores, run_blocks

__all__ = ["run_product_blocks"]

Result = TypeVar("Result")


def run_product_blocks(
    function: Callable[..., Result],
    n_rows: int,
    *args: Any,
    n_jobs: int | None = None,
    block: int = 1024,
) -> list[Result]:
    """Do as `run_blocks`, while the linear algebra library starts no threads of its own.

    Parameters
    ----------
    function : callable
        See :func:`imbkit._core.parallel.run_blocks`.
    n_rows : int
        Number of rows.
    *args : object
        Passed on to every call.
    n_jobs : int, default=None
        Number of threads, as in :func:`imbkit._core.parallel.cores`.
    block : int, default=1024
        Rows a call.

    Returns
    -------
    list
        What the calls returned, in the order of the rows.

    Notes
    -----
    Small products on threads of two kinds wait for each other most of the time: on a machine
    that others use, tiles of 512 rows took 15 times as long. The limit holds for the process,
    as long as the call lasts.
    """
    if n_rows <= block:
        return run_blocks(function, n_rows, *args, n_jobs=1, block=block)
    workers = cores(n_jobs)  # before the limit, which it respects
    with threadpool_limits(1, user_api="blas"):
        return run_blocks(function, n_rows, *args, n_jobs=workers, block=block)
