"""The part of the summary that describes the table; see `_schema`."""

from typing import Literal, NotRequired, TypedDict

__all__ = ["ClassCard", "ColumnCard", "DataCard", "LeakCard", "PeriodCard"]


class ClassCard(TypedDict):
    """One class of the target."""

    label: str
    rows: int
    share: float
    """Share of all rows, 0 to 1."""
    fewest_in_test_fold: int
    """Rows of the class in the test fold that has fewest of them."""
    positive: bool
    """Whether a two-class task takes it as the positive class."""


class ColumnCard(TypedDict):
    """One feature of the table."""

    name: str
    kind: Literal["number", "category", "date"]
    missing: float
    """Share of missing values, 0 to 1."""
    levels: int
    """Number of distinct values."""
    note: str
    """Why it was left out or is suspect; empty if nothing is to be said."""


class LeakCard(TypedDict):
    """A column that gives the target away, or seems to."""

    column: str
    kind: Literal["perfect", "outcome", "identifier", "order"]
    """``perfect``: alone it ranks the rows of a class almost without error. ``outcome``: known
    only where a class is, or constant within one class. ``identifier``: nearly every row has
    its own value. ``order``: it runs with the position of the rows."""
    value: float | None
    """What was measured, e.g. the average precision of the column alone."""
    text: str
    """One plain sentence, with what to do."""


class PeriodCard(TypedDict):
    """The rows of one stretch of time."""

    start: str
    rows: int
    positives: int
    """Rows of the positive class; of the rarest class if there are many."""


class DataCard(TypedDict):
    """What the table is like."""

    name: str
    rows: int
    features: int
    """Features that were used."""
    missing: float
    """Share of missing cells among the features, 0 to 1."""
    duplicate_rows: int
    """Rows whose features equal those of an earlier row."""
    contradicting_rows: int
    """Rows in groups of equal features that carry more than one label."""
    near_duplicate_rows: int
    """Rows that repeat an earlier one but for columns that look like identifiers or times."""
    group_column: str
    """Empty if there is none."""
    groups: int
    """Number of groups; 0 if there is no group column."""
    time_column: str
    """Empty if there is none."""
    time_start: str
    """ISO 8601, or the number as text; empty without a time column."""
    time_end: str
    periods: list[PeriodCard]
    """The classes over time, at most 24 periods of equal length; empty without a time column."""
    leaks: list[LeakCard]
    """Columns that give the target away, or seem to."""
    classes: list[ClassCard]
    stages: NotRequired[list[ClassCard]]
    """The stages from first to last, if classes have an order; `classes` are then the earlier
    stages and the last one."""
    columns: list[ColumnCard]
    dropped: list[str]
    """Columns dropped on request."""
    warnings: list[str]
    """Sentences about leaks, rare classes and unusable columns."""
