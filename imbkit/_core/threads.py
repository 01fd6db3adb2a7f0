"""One thread a library, torch among them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold numerical libraries to one thread, and torch if it is loaded.

    threadpoolctl asks OpenMP, which has a limit for each thread of Python: one that is new to
    torch is given the number that ``torch.set_num_threads`` was told last. So torch is told.
    """
    # Not imported: who has not loaded it has no threads of it.
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    with threadpool_limits(1):
        if torch is not None:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(before)
