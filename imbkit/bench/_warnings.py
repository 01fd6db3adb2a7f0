"""Collect the warnings of each thread apart, whichever threads run at once.

`warnings.catch_warnings` swaps state of the whole process, so cells on a thread pool would
take each other's warnings and could restore them in the wrong order. Here the state is
swapped once, by the outermost user, and each thread's warnings go to that thread's own list.
"""

import threading
import warnings
from collections import Counter
from types import TracebackType
from typing import Self, TextIO

__all__ = ["WarningLog"]

_lock = threading.Lock()
_local = threading.local()
_users = 0
_catcher: "warnings.catch_warnings[None] | None" = None


class WarningLog:
    """Context that counts this thread's warnings by category and first line."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        global _users, _catcher
        with _lock:
            _users += 1
            if _users == 1:
                _catcher = warnings.catch_warnings()
                _catcher.__enter__()
                warnings.simplefilter("always")
                warnings.showwarning = _note  # type: ignore[assignment]
        _local.log = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        global _users, _catcher
        _local.log = None
        with _lock:
            _users -= 1
            if _users == 0 and _catcher is not None:
                _catcher.__exit__(kind, error, trace)
                _catcher = None


def _note(
    text: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Stand in for `warnings.showwarning`."""
    log: WarningLog | None = getattr(_local, "log", None)
    if log is not None:
        first = str(text).strip().partition("\n")[0]
        log.counts[f"{category.__name__}: {first[:200]}"] += 1
