"""The one way to compile a kernel, and the switch of its cache on disk.

A kernel is a plain function over arrays and named tuples of arrays. It is compiled at its first
call with given types, releases the interpreter lock, and keeps its machine code beside the
source file or, where that folder cannot be written, in the user's cache folder. Setting the
environment variable ``IMBKIT_NUMBA_CACHE`` to 0 before imbkit is imported keeps nothing on disk.
"""

import os
from collections.abc import Callable
from typing import Any

import numba

__all__ = ["kernel"]

_CACHE = os.environ.get("IMBKIT_NUMBA_CACHE", "1").strip().lower() not in ("0", "no", "false")


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function without the interpreter lock and without rearranged arithmetic.

    Parameters
    ----------
    function : callable
        It takes arrays, numbers and named tuples of them; no function and no compiled class,
        and it calls kernels of its own file only: both would make the cache useless or stale.

    Returns
    -------
    callable
        The compiled function, a numba dispatcher. Division by zero gives inf or NaN as in
        NumPy, and no sum is reordered, so results equal those of the same loop in Python.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    if _CACHE:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError as error:
            # A read-only install without a home: compile afresh in each process.
            if "no locator available" not in str(error):
                raise
    return numba.njit(**options)(function)
