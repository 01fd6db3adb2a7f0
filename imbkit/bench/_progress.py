"""What a comparison tells while it runs, and to whom."""

from typing import Protocol

__all__ = ["Progress", "SilentProgress"]


class Progress(Protocol):
    """Receiver of a comparison's progress; called from the main thread only."""

    def start(self, total: int, done: int) -> None:
        """Take note that `total` cells are planned, `done` of them finished by an earlier run."""

    def advance(self, cell: str, failed: bool, seconds: float) -> None:
        """Take note that one more cell ended, after so many seconds of work."""

    def close(self) -> None:
        """Take note that nothing more will come; also called after an error."""


class SilentProgress:
    """Progress that tells nobody."""

    def start(self, total: int, done: int) -> None:
        """Do nothing."""

    def advance(self, cell: str, failed: bool, seconds: float) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
