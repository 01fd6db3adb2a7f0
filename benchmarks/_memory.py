"""What processes hold in memory, as the operating system counts it; bytes throughout."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["LINUX", "Worker", "descendants", "forget_peak", "look_at", "peak", "resident"]

LINUX = sys.platform == "linux"
JOBLIB_FOLDER = "joblib_memmapping_folder"


@dataclass
class Worker:
    """The most that was seen of one worker process."""

    mapped: int = 0
    """Resident in maps of the arrays that joblib shares."""
    mapped_own: int = 0
    """Of that, copied because the worker wrote to it."""
    private: int = 0
    """All memory of its own: imports, copies of rows, models."""
    files: dict[str, int] = field(default_factory=dict)
    """Shared files that it mapped, and their sizes."""


def resident() -> int:
    """Memory of this process now; elsewhere than on Linux the most so far."""
    return _status("VmRSS") if LINUX else _most_so_far()


def peak() -> int:
    """The most since `forget_peak`; elsewhere than on Linux since the process began."""
    return _status("VmHWM") if LINUX else _most_so_far()


def forget_peak() -> None:
    """Let the peak start anew from what is held now; does nothing elsewhere than on Linux."""
    if LINUX:
        Path("/proc/self/clear_refs").write_text("5")


def descendants(pid: int) -> Iterator[int]:
    """Processes that a process started, and theirs; Linux only."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, _read(path).split()):
            yield child
            yield from descendants(child)


def look_at(pid: int, worker: Worker) -> None:
    """Raise a worker's figures to what it holds now; Linux only."""
    mapped = mapped_own = private = 0
    shared = False
    for line in _read(Path(f"/proc/{pid}/smaps")).splitlines():
        name, _, rest = line.partition(":")
        if "-" in name:
            path = line.split(maxsplit=5)[5:]
            shared = bool(path) and JOBLIB_FOLDER in path[0]
            if shared and path[0] not in worker.files:
                worker.files[path[0]] = _size(path[0])
        elif name in {"Rss", "Anonymous", "Private_Clean", "Private_Dirty"}:
            size = 1024 * int(rest.split()[0])
            # Pages of a shared file count as private while only one process looks at them;
            # copies of such pages are those that belong to no file any more.
            mapped += size if shared and name == "Rss" else 0
            mapped_own += size if shared and name == "Anonymous" else 0
            private += size if not shared and name.startswith("Private") else 0
    worker.mapped = max(worker.mapped, mapped)
    worker.mapped_own = max(worker.mapped_own, mapped_own)
    worker.private = max(worker.private, private)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _most_so_far() -> int:
    import resource  # not on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _read(path: Path) -> str:
    """A process may end while one looks at it."""
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
