"""Warnings that point at the caller's own line."""

import inspect
import warnings

from imbkit.exceptions import ImbkitWarning, ThresholdWarning

__all__ = ["warn"]

# How many calls lie between the caller and a warning depends on the rule and on whether a
# pipeline or a search is around, so frames of these packages are passed over.
_INSIDE = ("imbkit", "imblearn", "joblib", "sklearn")


def warn(text: str, category: type[ImbkitWarning] = ThresholdWarning) -> None:
    """Warn on behalf of the first line outside of the package and what it builds on."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and _package(frame.f_globals) in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
