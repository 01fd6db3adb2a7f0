"""The summary of a comparison: its keys, their types and units.

``summary.json`` is this dictionary. Other programs read it, so a change of meaning or the
removal of a key raises `SCHEMA_VERSION`; a new key does not.
"""

from typing import Literal, NotRequired, TypeAlias, TypedDict

from imbkit.bench._schema_curves import CalibrationCard, EntryCurves, FoldCard, PairMatrix
from imbkit.bench._schema_data import ClassCard, ColumnCard, DataCard, LeakCard, PeriodCard
from imbkit.bench._schema_money import BaseRates, BudgetCard, HeldOut, MoneyCard, Optimism
from imbkit.bench._schema_promise import PromiseCard

__all__ = [
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "ClassCard",
    "ClassWeight",
    "ColumnCard",
    "DataCard",
    "EntrySummary",
    "Estimate",
    "LeakCard",
    "MetricCard",
    "PairedDifference",
    "PeriodCard",
    "Policy",
    "PolicySummary",
    "Problem",
    "Summary",
    "TaskCard",
    "Timing",
    "Verdict",
]

SCHEMA_NAME = "imbkit.comparison"
SCHEMA_VERSION = 3

Policy: TypeAlias = Literal["default", "tuned", "argmax", "budget", "expected_loss"]
"""How scores become decisions: at one half; at the threshold, of many classes by the weights,
tuned on inner folds; the most probable class; as many of the highest scores as the alert budget
allows; wherever the expected loss of silence exceeds that of an alert (with repaired
probabilities)."""


class Estimate(TypedDict):
    """Mean of a metric over the test folds, with the interval that allows for their overlap."""

    mean: float | None
    """None where no cell could be scored."""
    low: float | None
    """Lower end of the 95 % interval (corrected resampled t), cut to the metric's range."""
    high: float | None
    bootstrap_low: float | None
    """Lower end of the 95 % interval by resampling the test rows of each fold within their class
    (whole groups if there are groups): the models stay as they are."""
    bootstrap_high: float | None
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


class TaskCard(TypedDict):
    """What was asked."""

    kind: Literal["binary", "multiclass"]
    target: str
    positive: str
    """The positive class in words; empty for many classes."""
    folds: int
    repeats: int
    inner_folds: int
    """Folds inside each training side on which thresholds, or the weights of many classes, were
    chosen; 0 where one of many classes has too few rows for that."""
    seed: int
    ranking_metric: str
    decision_metric: str
    decision_policy: Policy
    """The policy that the decisions are judged under."""
    weight: str
    """Column of the training weights; empty if there is none."""
    label_delay: str
    """How long after a row its label is known, as it was given; empty if at once."""
    quick: bool
    stages: NotRequired[list[str]]
    """The classes from first to last, if they have an order; the positive class is the last."""
    constant: NotRequired[str]
    """With stages: id of the entry that gives every row the share of the last stage."""


class PolicySummary(TypedDict):
    """Decisions of one entry under one threshold policy."""

    policy: Policy
    threshold: Estimate | None
    """The threshold over the folds; None where there is none."""
    metrics: dict[str, Estimate]
    recalls: dict[str, Estimate]
    """Recall of each of many classes, by label; empty for two."""


class ClassWeight(TypedDict):
    """By what the tuned decision multiplies the probability of one of many classes."""

    median: float
    """Over the cells; that of the commonest class is 1. The recipe decides by these."""
    low: float
    """Least of the cells."""
    high: float
    folds: list[float | None]
    """One value a cell, ordered by repeat, then fold."""


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
    of_stages: NotRequired[bool]
    """Whether it is trained on all stages, instead of the last one against the rest."""
    done: int
    """Cells finished."""
    failed: int
    missing: int
    """Cells not run."""
    scores: dict[str, Estimate]
    """Threshold-free metrics, by name."""
    policies: list[PolicySummary]
    recalls: dict[str, Estimate]
    """Recall of each class under the policy that decisions are judged under, by label."""
    class_weights: dict[str, ClassWeight]
    """Tuned weight of each of many classes, by label; empty where nothing was tuned."""
    calibration: CalibrationCard | None
    """None where the learner gives no probabilities, and for many classes."""


class Verdict(TypedDict):
    """One question, the baseline's answer and the best challenger's."""

    question: Literal["ranking", "decisions"]
    metric: str
    policy: Policy | Literal["none"]
    baseline: str
    """Entry id."""
    baseline_mean: float | None
    best: str | None
    """Entry id of the best challenger; None if there is none."""
    best_policy: Policy | Literal["none"]
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


class PairedDifference(TypedDict):
    """A model held against the baseline, fold by fold."""

    id: str
    """Entry id."""
    metric: str
    difference: float
    """Entry minus baseline, in the metric's unit."""
    low: float | None
    """95 % interval of the difference (corrected resampled t)."""
    high: float | None
    p_value: float | None
    """Two-sided, Holm-adjusted for the number of challengers."""


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
    folds: list[FoldCard]
    """One a cell of an entry, in the order of `Estimate.folds`."""
    curves: list[EntryCurves]
    """Of the baseline, the best challengers and the recommended entry; two classes only."""
    against_baseline: NotRequired[list[PairedDifference]]
    """With stages: every model but the constant against the baseline, in log-loss, then in Brier
    score; else empty."""
    pairs: list[PairMatrix]
    """Ranking, then decisions."""
    money: MoneyCard | None
    """None where no costs were given."""
    budget: BudgetCard | None
    """None where no number of alerts was given."""
    promise: PromiseCard | None
    """None where no rate was to keep a limit."""
    base_rates: BaseRates | None
    """None for many classes."""
    optimism: Optimism | None
    """None where there is no time column."""
    held_out: HeldOut | None
    """None where no test table was given."""
    problems: list[Problem]
    recipe: str
    """Python source that trains the recommended model."""
    recommended: str
    """Entry id of the model in the recipe: the best beyond noise, else the baseline. Decisions
    come before ranking, but with stages the probabilities of the last one come first."""
    recommended_policy: Policy
    timing: Timing
