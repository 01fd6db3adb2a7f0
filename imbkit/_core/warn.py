"""Warnings that point at the caller's own line."""

import inspect
import warnings

from imbkit.exceptions import ImbkitWarning

__all__ = ["warn"]

# How many calls lie between the caller and a warning depends on wrappers, pipelines and
# searches, so frames of these packages are passed over.
_INSIDE = ("imbkit", "imblearn", "joblib", "sklearn")


def warn(text: str, category: type[ImbkitWarning]) -> None:
    """Warn on behalf of the first line outside of the package and what it builds on."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_back is not None and _inside(frame.f_globals):
        frame = frame.f_back
    if frame is None:  # an interpreter without frames
        warnings.warn_explicit(text, category, "<unknown>", 0)
        return
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        text,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=registry,
    )


def _inside(names: dict[str, object]) -> bool:
    return str(names.get("__name__", "")).partition(".")[0] in _INSIDE
