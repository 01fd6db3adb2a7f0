"""At which line a warning points: the caller's own."""

import inspect

__all__ = ["outside"]

# How many calls lie between the caller and a warning depends on the rule and on whether a
# pipeline or a search is around, so frames of these packages are passed over.
_INSIDE = ("imbkit", "imblearn", "joblib", "sklearn")


def outside() -> int:
    """Return the `stacklevel` of the first frame outside of this package and its base."""
    frame = inspect.currentframe()
    frame = None if frame is None else frame.f_back
    level = 1
    while frame is not None and _package(frame.f_globals) in _INSIDE:
        level, frame = level + 1, frame.f_back
    return level


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
