"""Warnings that point at the line of the user's own code."""

import sys
import warnings

from imbkit.exceptions import ImbkitWarning

__all__ = ["tell"]

# Between the user and a warning stand this package and scikit-learn's wrappers of methods.
_INSIDE = ("imbkit", "sklearn", "joblib")


def tell(text: str, category: type[ImbkitWarning] = ImbkitWarning) -> None:
    """Warn at the nearest caller outside of this package and scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _package(frame.f_globals) in _INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(text, category, stacklevel=level)


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
