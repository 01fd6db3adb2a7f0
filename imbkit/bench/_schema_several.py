"""The summary of several comparisons: its keys, their types and units.

``summary.json`` beside the tables' directories is this dictionary; each directory has the
summary of its own table, described in `_schema`. A change of meaning or the removal of a key
raises `SEVERAL_VERSION`; a new key does not.
"""

from typing import Literal, NotRequired, TypedDict

from imbkit.bench._schema import MetricCard

__all__ = [
    "SEVERAL_NAME",
    "SEVERAL_VERSION",
    "FriedmanCard",
    "OneVerdict",
    "QuestionCard",
    "RankedEntry",
    "SeveralSummary",
    "SeveralTiming",
    "TableCard",
]

SEVERAL_NAME = "imbkit.comparisons"
SEVERAL_VERSION = 1


class OneVerdict(TypedDict):
    """What the comparison of one table came to, for one question."""

    question: Literal["ranking", "decisions"]
    outcome: Literal["beaten", "not beaten", "undecided"]
    best: str
    """Title of the best challenger; empty if there is none."""
    difference: float | None
    """Of the best challenger from the baseline, in the metric's unit."""


class TableCard(TypedDict):
    """One table."""

    name: str
    directory: str
    """Of its own page, beside this file; empty if nothing was written."""
    rows: int
    features: int
    rare: str
    """The positive class in words; the rarest class if there are many."""
    rare_rows: int
    verdicts: list[OneVerdict]
    problem: str
    """Why it could not be compared; empty if it was."""
    failed: int
    """Cells that failed."""
    missing: int
    """Cells that were not run."""


class RankedEntry(TypedDict):
    """One strategy with one learner, over the tables."""

    id: str
    title: str
    baseline: bool
    average_rank: float | None
    """1 is best; ties share the mean of their ranks. None if it is left out of the ranks."""
    left_out: str
    """Why it is left out of the ranks; empty if it is not."""
    wins: int
    """Tables on which its mean is better than the baseline's, however little."""
    ties: int
    losses: int
    mean_difference: float | None
    """From the baseline, over the tables where both have a score; in the metric's unit."""
    p_value: float | None
    """Signed-rank test against the baseline, Holm-adjusted for the number of challengers; None
    without a test."""
    beats: bool
    """Whether it beat the baseline beyond noise over the tables."""


class FriedmanCard(TypedDict):
    """The test of equal ranks."""

    statistic: float
    """Chi-square."""
    p_value: float
    f_statistic: float | None
    """Iman and Davenport's F; None where it is infinite, because all tables agree."""
    f_p_value: float
    """The one that decides."""


class QuestionCard(TypedDict):
    """One question over all tables."""

    question: Literal["ranking", "decisions"]
    policy: str
    """The threshold policy that is judged; ``"none"`` for the ranking."""
    metric: MetricCard
    baseline: str
    """Entry id."""
    tables: list[str]
    """Names of the tables on which the baseline has a score: the rows of `scores`."""
    entries: list[RankedEntry]
    """By average rank, best first, then those without one: the columns of `scores`."""
    scores: list[list[float | None]]
    """Mean over the folds, tables x entries; None where a cell failed or was not run."""
    friedman: FriedmanCard | None
    """None with fewer than five tables or three entries with a rank."""
    p_values: list[list[float | None]] | None
    """Signed-rank test of every two entries, Holm-adjusted for all pairs; None for an entry
    without a rank, and altogether without a test."""
    cliques: list[list[str]]
    """Ids of the largest groups within which no difference is significant, best first."""
    diagram: bool
    """Whether a critical-difference diagram may be drawn: five tables or more."""
    tables_needed: int | None
    """Least number of tables with which one of so many challengers could pass the test."""
    outcome: Literal["beaten", "not beaten", "undecided"]
    """``undecided``: no difference, however clear, could have passed with so few tables."""
    recommended: str
    """Entry id: the best average rank among those that beat the baseline, else the baseline."""
    sentence: str


class SeveralTiming(TypedDict):
    """The only part of a summary that differs between equal runs."""

    created: str
    """UTC, ISO 8601."""
    wall_seconds: float


class SeveralSummary(TypedDict):
    """All that the page of several tables needs."""

    schema: str
    schema_version: int
    versions: dict[str, str]
    command: NotRequired[str]
    kind: Literal["binary", "multiclass"]
    folds: int
    repeats: int
    seed: int
    quick: bool
    level: float
    """Differences with a p-value below this are called significant."""
    tables: list[TableCard]
    questions: list[QuestionCard]
    """Ranking first, then decisions."""
    cautions: list[str]
    """Sentences that limit the verdicts; may be empty."""
    timing: SeveralTiming
