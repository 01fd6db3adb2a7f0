"""The part of the summary that is about a limit that decisions must keep; see `_schema`."""

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from imbkit.bench._schema import Estimate

__all__ = ["PromiseCard", "PromiseEntry"]


class PromiseEntry(TypedDict):
    """How one entry kept the promise on rows that its threshold was not tuned on."""

    id: str
    attained: "Estimate"
    """The limited rate on the test folds."""
    kept: int
    """Test folds in which it was within the limit."""
    folds: int
    """Test folds in which it is known."""
    infeasible: int
    """Training sides on which no threshold kept the limit; the nearest one was taken."""


class PromiseCard(TypedDict):
    """An objective that makes one rate as good as it can be while another keeps a limit."""

    objective: str
    """As it can be given again, e.g. ``"recall_at_precision:0.9"``."""
    free: str
    """Name of the measure that is best; decisions are judged by it."""
    limited: str
    """Name of the measure that keeps the limit."""
    least: bool
    """Whether the limit is the least value, not the largest."""
    limit: float
    confidence: float | None
    """Of the bound that keeps the limit on the training side; None: the rate itself does."""
    words: str
    """E.g. ``"a precision of at least 0.9"``."""
    entries: list[PromiseEntry]
    """In the order of the summary's entries."""
    sentence: str
    """Whether the recommended entry, and the baseline, kept it."""
