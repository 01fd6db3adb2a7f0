"""Progress with the time left: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from imbkit.bench._progress import Progress

__all__ = ["BarProgress", "LineProgress", "make_progress", "time_left"]

SECONDS_BETWEEN_LINES = 5.0


def make_progress(stream: TextIO, *, quiet: bool) -> "Progress | None":
    """Return what suits a stream: a bar, lines, or None to keep silent."""
    if quiet:
        return None
    if stream.isatty():
        try:
            return BarProgress(stream)
        except ImportError:
            # Without rich there are still the lines.
            return LineProgress(stream)
    return LineProgress(stream)


def time_left(seconds: float) -> str:
    """Return a duration as one says it."""
    if seconds < 55:
        return f"about {max(5 * round(seconds / 5), 5):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {max(minutes, 1)} min"
    return f"about {minutes // 60} h {minutes % 60} min"


class LineProgress:
    """Prints a line at the start, every few seconds, at a failure, and at the end.

    Parameters
    ----------
    stream : file
        Where to print.
    clock : callable, default=time.monotonic
        Tells the time in seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._total = self._done = self._earlier = 0
        self._start = self._last = 0.0

    def start(self, total: int, done: int) -> None:
        """Say how many cells are to be run."""
        self._total, self._done, self._earlier = total, done, done
        self._start = self._last = self._clock()
        if done:
            self._say(f"{done:,} of {total:,} cells were finished before, {total - done:,} to run")
        else:
            self._say(f"{total:,} cells to run")

    def advance(self, cell: str, failed: bool, seconds: float) -> None:
        """Count the cell, and say so if it is time."""
        self._done += 1
        now = self._clock()
        if failed:
            self._say(f"{_shown(cell)} failed")
        if self._done == self._total or now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self._say(self._line(now))

    def close(self) -> None:
        """Nothing is left to be said."""

    def _line(self, now: float) -> str:
        share = f"{100 * self._done // max(self._total, 1)} % done"
        text = f"{self._done:,} of {self._total:,} cells, {share}"
        if self._done == self._total:
            return text
        a_cell = (now - self._start) / (self._done - self._earlier)
        return f"{text}, {time_left(a_cell * (self._total - self._done))} left"

    def _say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class BarProgress:
    """A bar with the share done, the time left and the cell that ended last.

    Parameters
    ----------
    stream : file
        A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich import console, progress

        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.TextColumn("{task.completed:.0f} of {task.total:.0f} cells"),
            progress.TextColumn("{task.fields[left]}", markup=False),
            progress.TextColumn("{task.fields[last]}", markup=False, style="dim"),
            console=console.Console(file=stream),
            transient=True,
        )
        self._task: Any = None
        self._total = self._done = self._earlier = 0
        self._start = 0.0

    def start(self, total: int, done: int) -> None:
        """Draw the bar."""
        self._total, self._done, self._earlier = total, done, done
        self._start = time.monotonic()
        self._task = self._bar.add_task("", total=total, completed=done, left="", last="")
        self._bar.start()

    def advance(self, cell: str, failed: bool, seconds: float) -> None:
        """Move the bar by one cell."""
        self._done += 1
        a_cell = (time.monotonic() - self._start) / (self._done - self._earlier)
        left = f"{time_left(a_cell * (self._total - self._done))} left"
        last = f"{_shown(cell)} failed" if failed else _shown(cell)
        self._bar.update(self._task, completed=self._done, left=left, last=last)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def _shown(cell: str) -> str:
    from imbkit.bench._inert import inert

    return inert(cell, 60)
