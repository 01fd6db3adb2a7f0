"""Time two things side by side, and say on which machine."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["alternate", "machine"]


def alternate(
    a: Callable[[], object], b: Callable[[], object], repeats: int = 5
) -> tuple[float, float]:
    """Return the median seconds of `a` and of `b`, run as A B A B after one unmeasured round.

    Load from elsewhere then falls on both alike. What a function returns as a float is taken
    for its time instead of the clock's, so that it can leave its preparation out.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for round_ in range(repeats + 1):
        for run, own in zip((a, b), times, strict=True):
            start = time.perf_counter()
            result = run()
            seconds = time.perf_counter() - start
            if round_:
                own.append(result if isinstance(result, float) else seconds)
    return statistics.median(times[0]), statistics.median(times[1])


def machine() -> str:
    """Return the processor, its cores, and the versions that matter."""
    import numpy
    import sklearn

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, {platform.system()}, Python {platform.python_version()}, "
        f"NumPy {numpy.__version__}, scikit-learn {sklearn.__version__}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
