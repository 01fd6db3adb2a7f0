"""The part of the summary that is about money, alerts and other worlds; see `_schema`."""

from typing import Literal, TypedDict

__all__ = [
    "BaseRateLine",
    "BaseRates",
    "BudgetCard",
    "HeldOut",
    "HeldOutEntry",
    "MoneyCard",
    "Optimism",
]


class MoneyCard(TypedDict):
    """What decisions cost; all amounts in the unit of the user's costs, per 1,000 rows."""

    fn_cost: str
    """A missed positive: the number, or the column, as text."""
    fp_cost: str
    """A false alarm."""
    tp_gain: str
    """What a caught positive brings."""
    constant: bool
    """Whether all three are the same for all rows."""
    nothing: float
    """Cost of alerting nothing."""
    everything: float
    """Cost of alerting every row."""
    cut: float | None
    """With constant costs, the threshold that is best for true probabilities."""


class BudgetCard(TypedDict):
    """How many rows can be looked at."""

    alerts: float
    """A day, or for the whole table."""
    per_day: bool
    share: float
    """Share of the rows."""
    entity: str
    """Group column whose members are counted once a day; empty if there is none."""


class BaseRateLine(TypedDict):
    """What one prevalence would mean for the same recall and false-positive rate."""

    prevalence: float
    true_alerts: float
    false_alerts: float
    precision: float
    kind: Literal["table", "asked", "other"]
    """The table's own share of positives, the one asked for, or another for comparison."""
    alerts_per_1000: float
    """Alerts among every 1,000 rows."""
    cost_per_1000: float | None
    """Cost of every 1,000 rows; None without costs."""
    threshold: float | None
    """What would be the right threshold there, on the same probabilities."""


class BaseRates(TypedDict):
    """The recommended entry's alerts among many rows, by prevalence."""

    entry: str
    policy: str
    recall: float
    false_positive_rate: float
    rows: float
    """Rows that the counts refer to."""
    per_day: bool
    """Whether `rows` is the table's rows a day; otherwise it is a round number."""
    threshold: Literal["cost", "tuned", "none"]
    """What the lines' thresholds start from at the table's own share: the best one for true
    probabilities at constant costs; the median of the tuned ones, on probabilities as they come;
    or nothing."""
    lines: list[BaseRateLine]


class Optimism(TypedDict):
    """What a random split would have claimed of the baseline."""

    entry: str
    metric: str
    time_mean: float | None
    """Mean over the folds in which training precedes testing."""
    random_mean: float | None
    """Mean over folds drawn at random."""


class HeldOutEntry(TypedDict):
    """One entry, trained on the whole table and scored once on the test table."""

    id: str
    policy: str
    threshold: float | None
    scores: dict[str, float | None]
    """Metric -> value; threshold-free ones and decisions under the policy."""
    low: dict[str, float | None]
    """Lower end of the 95 % bootstrap interval."""
    high: dict[str, float | None]


class HeldOut(TypedDict):
    """A table that nothing else touched."""

    name: str
    rows: int
    positives: int
    """Rows of the positive class; of the rarest class if there are many."""
    unseen_labels: list[str]
    """Labels that the training table lacks; they count as not positive."""
    repeated_rows: int
    """Rows whose features equal those of a training row."""
    entries: list[HeldOutEntry]
    """The baseline, and the recommended entry if it is another one."""
