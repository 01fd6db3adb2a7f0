"""The summary of a comparison: its keys, their types and units.

``summary.json`` is this dictionary. Other programs read it, so a change of meaning or the
removal of a key raises `SCHEMA_VERSION`; a new key does not.
"""

from typing import Literal, NotRequired, TypedDict

__all__ = [
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "ClassCard",
    "ColumnCard",
    "DataCard",
    "EntrySummary",
    "Estimate",
    "MetricCard",
    "PolicySummary",
    "Problem",
    "Summary",
    "TaskCard",
    "Timing",
    "Verdict",
]

SCHEMA_NAME = "imbkit.comparison"
SCHEMA_VERSION = 1


class Estimate(TypedDict):
    """Mean of a metric over the test folds, with the interval that allows for their overlap."""

    mean: float | None
    """None where no cell could be scored."""
    low: float | None
    """Lower end of the 95 % interval (corrected resampled t), cut to the metric's range."""
    high: float | None
    folds: list[float | None]
    """One value a cell, ordered by repeat, then fold."""
    tied_with_best: bool
    """Whether the paired difference from the best entry is within noise."""


class MetricCard(TypedDict):
    """How to read a metric."""

    name: str
    """Identifier, e.g. ``"average_precision"``."""
    title: str
    """For people, e.g. ``"Average precision"``."""
    greater_is_better: bool
    low: float | None
    """Least possible value; None if unbounded."""
    high: float | None
    meaning: str
    """One plain sentence."""


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
    classes: list[ClassCard]
    columns: list[ColumnCard]
    dropped: list[str]
    """Columns dropped on request."""
    warnings: list[str]
    """Sentences about leaks, rare classes and unusable columns."""


class TaskCard(TypedDict):
    """What was asked."""

    kind: Literal["binary", "multiclass"]
    target: str
    positive: str
    """The positive class in words; empty for many classes."""
    folds: int
    repeats: int
    inner_folds: int
    """Folds inside each training side on which thresholds were chosen; 0 for many classes."""
    seed: int
    ranking_metric: str
    decision_metric: str
    quick: bool


class PolicySummary(TypedDict):
    """Decisions of one entry under one threshold policy."""

    policy: Literal["default", "tuned", "argmax"]
    threshold: Estimate | None
    """The threshold over the folds; None where there is none."""
    metrics: dict[str, Estimate]


class EntrySummary(TypedDict):
    """One strategy with one learner."""

    id: str
    """``strategy/learner``."""
    strategy: str
    learner: str
    title: str
    """For people, e.g. ``"SMOTE + logistic regression"``."""
    baseline: bool
    changes_prior: bool
    """Whether its probabilities refer to a class share that training made up."""
    done: int
    """Cells finished."""
    failed: int
    missing: int
    """Cells not run."""
    scores: dict[str, Estimate]
    """Threshold-free metrics, by name."""
    policies: list[PolicySummary]
    recalls: dict[str, Estimate]
    """Recall of each class under the last policy, by label."""


class Verdict(TypedDict):
    """One question, the baseline's answer and the best challenger's."""

    question: Literal["ranking", "decisions"]
    metric: str
    policy: Literal["default", "tuned", "argmax", "none"]
    baseline: str
    """Entry id."""
    baseline_mean: float | None
    best: str | None
    """Entry id of the best challenger; None if there is none."""
    best_policy: Literal["default", "tuned", "argmax", "none"]
    best_mean: float | None
    difference: float | None
    """Challenger minus baseline, in the metric's unit."""
    low: float | None
    """95 % interval of the difference (corrected resampled t)."""
    high: float | None
    p_value: float | None
    """Two-sided, Holm-adjusted for the number of challengers."""
    probability_better: float | None
    """Posterior probability that the challenger is better by more than the region of
    practical equivalence."""
    probability_equivalent: float | None
    rope: float
    """Half width of the region of practical equivalence, in the metric's unit."""
    outcome: Literal["beaten", "not beaten", "undecided"]
    """``beaten``: beyond noise; ``not beaten``: nothing beat it beyond noise; ``undecided``:
    too few cells or rows to say."""
    sentence: str


class Problem(TypedDict):
    """Something that did not run, or ran with a complaint."""

    kind: Literal["failed", "not run", "left out", "warning"]
    where: str
    """Entry id, or cell id."""
    text: str
    count: int


class Timing(TypedDict):
    """Seconds; the only part of a summary that differs between equal runs."""

    created: str
    """UTC, ISO 8601."""
    wall_seconds: float
    """Of the last call; resumed cells are not in it."""
    entries: dict[str, dict[str, float]]
    """Entry id -> ``fit_seconds`` and ``predict_seconds`` (medians over cells, the inner folds
    included) and ``model_bytes``."""


class Summary(TypedDict):
    """All that a page, a table or a program needs to know of a comparison."""

    schema: str
    schema_version: int
    versions: dict[str, str]
    """Package -> version."""
    command: NotRequired[str]
    """The command line that was run."""
    task: TaskCard
    data: DataCard
    metrics: dict[str, MetricCard]
    """Every metric named anywhere in the summary."""
    verdicts: list[Verdict]
    """Ranking first, then decisions."""
    cautions: list[str]
    """Sentences that limit the verdicts; may be empty."""
    entries: list[EntrySummary]
    """The baseline first, then by the ranking metric, best first."""
    problems: list[Problem]
    recipe: str
    """Python source that trains the recommended model."""
    recommended: str
    """Entry id of the model in the recipe: the best beyond noise, else the baseline."""
    recommended_policy: Literal["default", "tuned", "argmax"]
    timing: Timing
