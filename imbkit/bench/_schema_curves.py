"""The part of the summary that is drawn: curves, folds and pairs; see `_schema`."""

from typing import Literal, TypedDict

__all__ = [
    "Band",
    "CalibrationCard",
    "EntryCurves",
    "FoldCard",
    "PairMatrix",
    "ProbabilityErrors",
    "ReliabilityBin",
]


class Band(TypedDict):
    """A curve over the test folds; lists of equal length."""

    x: list[float]
    mean: list[float | None]
    """None where no fold has a value."""
    low: list[float | None]
    """Lowest fold."""
    high: list[float | None]
    """Highest fold."""


class ReliabilityBin(TypedDict):
    """Test rows of all folds whose probability lies in one interval."""

    rows: int
    predicted: float
    """Mean probability."""
    observed: float
    """Share of positive rows."""
    low: float
    """95 % interval of the share (Wilson)."""
    high: float


class ProbabilityErrors(TypedDict):
    """How far probabilities of the positive class are from what came true."""

    brier: float | None
    """Mean squared error over all rows."""
    log_loss: float | None
    brier_positive: float | None
    """Mean squared error over the positive rows alone; None without one."""
    brier_negative: float | None
    calibration_error: float | None
    """Mean gap between probability and share of positives in 15 bins of equal mass, by rows."""
    mean: float | None
    """Mean probability."""
    share: float | None
    """Share of positive rows, which the mean probability should be."""


class CalibrationCard(TypedDict):
    """The probabilities of one entry before and after repair: means over the test folds."""

    before: ProbabilityErrors
    after: ProbabilityErrors | None
    """None where nothing was repaired."""
    repairs: list[Literal["sigmoid"]]
    """How: by a sigmoid fitted to the scores of rows left out on the training side, which were
    not resampled."""


class EntryCurves(TypedDict):
    """The curves of one entry."""

    id: str
    precision_recall: Band
    """Precision at each recall."""
    roc: Band
    """Recall at each false-positive rate; the rates are spaced by their logarithm."""
    objective: Band
    """The decision metric at each threshold (cost: per 1,000 rows), on test rows."""
    thresholds: list[float]
    """The threshold chosen for each fold on its training side."""
    budget_recall: Band
    """Share of positives caught at each share of rows that are alerted (logarithmic)."""
    budget_precision: Band
    budget_amount: Band | None
    """Share of the positives' amount caught; None without costs that differ by row."""
    reliability: list[ReliabilityBin]
    """Probabilities as they come; empty if the learner gives none."""
    repaired: list[ReliabilityBin]
    """The same after the repair; empty if there was none."""


class FoldCard(TypedDict):
    """One split."""

    repeat: int
    fold: int
    n_train: int
    n_test: int
    positives: int
    """Positive rows in the test fold; rows of the rarest class if there are many."""
    start: str
    """First time in the test fold; empty without a time column."""
    end: str


class PairMatrix(TypedDict):
    """Every entry against every other."""

    question: Literal["ranking", "decisions"]
    metric: str
    entries: list[str]
    """Entry ids, best mean first."""
    better: list[list[float | None]]
    """Posterior probability that the entry of the row is better than that of the column by
    more than the region of practical equivalence; None on the diagonal or where unknown."""
