"""The measures a comparison reports: how each is computed on a test fold, and how to read it.

Two kinds never mix. *Ranking* measures look at scores alone; *decision* measures look at the
classes predicted under a threshold policy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from imbkit._core.messages import listing, message, nearest_names
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.bench._schema import MetricCard
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, Counts, get_metric, recall_at_fpr, recall_at_precision

__all__ = [
    "DECISIONS",
    "RANKINGS",
    "Measure",
    "decision_values",
    "find_measure",
    "measure_cards",
    "ranking_values",
]


@dataclass(frozen=True, slots=True)
class Measure:
    """A ranking measure.

    `compute` takes the class codes (n,), and the scores: (n,) of the positive class for two
    classes, (n, n_classes) for more.
    """

    card: MetricCard
    compute: Callable[[IntArray, FloatArray], float]
    needs_probabilities: bool = False
    multiclass: bool = True
    shown: bool = True
    """Whether the ranking table has it without being asked."""


def _card(
    name: str,
    title: str,
    meaning: str,
    *,
    greater: bool = True,
    low: float | None = 0.0,
    high: float | None = 1.0,
) -> MetricCard:
    return MetricCard(
        name=name, title=title, greater_is_better=greater, low=low, high=high, meaning=meaning
    )


def _one_hot(codes: IntArray, scores: FloatArray) -> AnyArray:
    """Indicator of each class, or the codes themselves for two classes."""
    return codes if scores.ndim == 1 else np.eye(scores.shape[1], dtype=int)[codes]


def _average_precision(codes: IntArray, scores: FloatArray) -> float:
    return float(average_precision_score(_one_hot(codes, scores), scores))


def _roc_auc(codes: IntArray, scores: FloatArray) -> float:
    return float(roc_auc_score(_one_hot(codes, scores), scores))


def _brier(codes: IntArray, scores: FloatArray) -> float:
    """Mean squared error of the probabilities; summed over classes if there are many."""
    error = (_one_hot(codes, scores) - scores) ** 2
    return float(error.mean() if scores.ndim == 1 else error.sum(axis=1).mean())


def _log_loss(codes: IntArray, scores: FloatArray) -> float:
    labels = np.arange(2 if scores.ndim == 1 else scores.shape[1])
    return float(log_loss(codes, scores, labels=labels))


def _recall_at_fpr(limit: float) -> Measure:
    def compute(codes: IntArray, scores: FloatArray) -> float:
        return float(recall_at_fpr(codes, scores, max_fpr=limit))

    share = f"{100 * limit:g} %"
    meaning = f"Share of the positives caught while at most {share} of the negatives are flagged."
    card = _card(f"recall_at_fpr_{limit:g}", f"Recall at {share} FPR", meaning)
    return Measure(card, compute, multiclass=False)


def _recall_at_precision(limit: float) -> Measure:
    def compute(codes: IntArray, scores: FloatArray) -> float:
        return float(recall_at_precision(codes, scores, min_precision=limit))

    share = f"{100 * limit:g} %"
    meaning = f"Share of the positives caught while at least {share} of the alerts are right."
    card = _card(f"recall_at_precision_{limit:g}", f"Recall at {share} precision", meaning)
    return Measure(card, compute, multiclass=False)


RANKINGS = {
    measure.card["name"]: measure
    for measure in (
        Measure(
            _card(
                "average_precision",
                "Average precision",
                "Precision averaged over the positives, best ranked first; a random ranking "
                "gets the share of positives.",
            ),
            _average_precision,
        ),
        Measure(
            _card(
                "roc_auc",
                "ROC AUC",
                "Chance that a positive row is ranked above a negative one; 0.5 is random.",
            ),
            _roc_auc,
        ),
        Measure(
            _card(
                "brier",
                "Brier score",
                "Mean squared error of the probabilities; smaller is better.",
                greater=False,
            ),
            _brier,
            needs_probabilities=True,
        ),
        Measure(
            _card(
                "log_loss",
                "Log-loss",
                "Mean negative log-likelihood of the probabilities; smaller is better.",
                greater=False,
                high=None,
            ),
            _log_loss,
            needs_probabilities=True,
        ),
        _recall_at_fpr(0.01),
        _recall_at_fpr(0.001),
    )
}

_PARSED = {"recall_at_fpr_": _recall_at_fpr, "recall_at_precision_": _recall_at_precision}

DECISIONS = {
    name: _card(name, title, meaning, low=low)
    for name, title, meaning, low in (
        (
            "mcc",
            "MCC",
            "Correlation between decision and truth; 1 is perfect, 0 is no better than chance.",
            -1.0,
        ),
        ("recall", "Recall", "Share of the positives that are caught.", 0.0),
        ("precision", "Precision", "Share of the alerts that are right.", 0.0),
        ("f1", "F1", "Harmonic mean of precision and recall.", 0.0),
        ("gmean", "G-mean", "Geometric mean of the classes' recalls.", 0.0),
        ("balanced_accuracy", "Balanced accuracy", "Mean of the classes' recalls.", 0.0),
    )
}
"""Decision measures of every comparison."""

OF_ALERTS = ("precision", "npv", "accuracy")
"""Count metrics that are known of a test fold without rows of one of two classes."""

ALERT_RATE = _card("alert_rate", "Alerts", "Share of all rows that are flagged.")
MONEY = (
    _card(
        "cost_per_1000",
        "Cost per 1,000 rows",
        "What misses and false alarms cost, less what caught positives bring, for every 1,000 "
        "rows.",
        greater=False,
        low=None,
        high=None,
    ),
    _card(
        "saved_per_1000",
        "Saved per 1,000 rows",
        "What the alerts save against alerting nothing, for every 1,000 rows.",
        low=None,
        high=None,
    ),
    _card(
        "captured_amount",
        "Captured amount",
        "Of the amount that is at stake in the positives, the share that the alerts catch.",
    ),
)
FALSE_POSITIVE_RATE = _card(
    "false_positive_rate",
    "False-positive rate",
    "Share of the negatives that are flagged.",
    greater=False,
)
ENTITY_PRECISION = _card(
    "entity_precision",
    "Group precision",
    "Of the groups flagged on a day, the share that has a positive row that day; mean over days.",
)


def find_measure(name: Any) -> Measure | CountMetric:
    """Return the ranking measure of a name, else the count metric of a name or function.

    Raises
    ------
    InvalidParameterError
        If there is neither.
    """
    if isinstance(name, str):
        if name in RANKINGS:
            return RANKINGS[name]
        for prefix, make in _PARSED.items():
            if name.startswith(prefix):
                return make(_limit(name, prefix))
    try:
        return get_metric(name)
    except InvalidParameterError as error:
        known = [*RANKINGS, *DECISIONS]
        near = nearest_names(str(name), known)
        rule = "metric must be a ranking measure or a count metric"
        todo = f"Did you mean {listing(near)}?" if near else f"Known are {', '.join(known)}"
        raise InvalidParameterError(message("compare", rule, name, todo)) from error


def _limit(name: str, prefix: str) -> float:
    """Parse the number at the end of a name such as ``recall_at_fpr_0.01``."""
    try:
        limit = float(name.removeprefix(prefix))
    except ValueError:
        limit = float("nan")
    if not 0 < limit < 1:
        rule = f"{prefix}X needs a number X between 0 and 1"
        raise InvalidParameterError(message("compare", rule, name, f"For example {prefix}0.01"))
    return limit


def measure_cards(
    kind: str,
    ranking: Measure,
    decision: CountMetric,
    *,
    costs: bool = False,
    gains: bool = False,
    entities: bool = False,
) -> dict[str, MetricCard]:
    """Return the cards of all measures that a comparison of this kind reports."""
    cards = {ranking.card["name"]: ranking.card}
    for name, measure in RANKINGS.items():
        if kind == "binary" or measure.multiclass:
            cards[name] = measure.card
    if kind == "multiclass":
        # Summed over classes, a certain but wrong prediction errs by one twice.
        cards["brier"] = cards["brier"] | {"high": 2.0}
    if decision.name == "false_positive_rate":
        cards[decision.name] = FALSE_POSITIVE_RATE
    elif decision.name not in DECISIONS:
        low, high = decision.bounds
        title = decision.name.replace("_", " ")
        cards[decision.name] = _card(
            decision.name, title, "The chosen decision measure.", low=low, high=high
        )
    if costs:
        cards |= {card["name"]: card for card in MONEY}
        if not gains:
            # Decisions that bring nothing cannot cost less than nothing.
            cards["cost_per_1000"] = cards["cost_per_1000"] | {"low": 0.0}
    cards |= DECISIONS
    if entities:
        cards["entity_precision"] = ENTITY_PRECISION
    return cards | ({"alert_rate": ALERT_RATE} if kind == "binary" else {})


def ranking_values(
    codes: IntArray, scores: FloatArray, asked: Measure, *, probabilities: bool
) -> dict[str, float | None]:
    """Compute the ranking measures on one test fold; None where one is undefined.

    Ranks need rows to be ranked above others: they are undefined where a class is absent.
    """
    binary = scores.ndim == 1
    complete = np.bincount(codes, minlength=2 if binary else scores.shape[1]).all()
    measures = {asked.card["name"]: asked} | RANKINGS
    values: dict[str, float | None] = {}
    for name, measure in measures.items():
        if binary or measure.multiclass:
            usable = probabilities if measure.needs_probabilities else complete
            values[name] = measure.compute(codes, scores) if usable else None
    return values


def decision_values(
    codes: IntArray, predicted: IntArray, asked: CountMetric, n_classes: int
) -> dict[str, float | None]:
    """Compute the decision measures on one test fold; macro averages for many classes.

    Of two classes, one may be absent from a fold of the user's own: what compares them is
    undefined there and None; what alerts are right is known.
    """
    metrics = {name: get_metric(name) for name in DECISIONS} | {asked.name: asked}
    if n_classes > 2:
        return {name: _over_classes(metric, codes, predicted) for name, metric in metrics.items()}
    truth, alert = codes == 1, predicted == 1
    tn, fp, fn, tp = np.bincount(2 * truth + alert, minlength=4).astype(float)
    counts = Counts(tp=tp, fp=fp, fn=fn, tn=tn)
    complete = counts.positives and counts.negatives
    values: dict[str, float | None] = {
        name: float(metric.of(counts)) if complete or name in OF_ALERTS else None
        for name, metric in metrics.items()
    }
    return values | {"alert_rate": float(counts.alerts / counts.total)}


def _over_classes(metric: CountMetric, codes: IntArray, predicted: IntArray) -> float:
    average = "auto" if metric.over == "classes" else "macro"
    return float(metric(codes, predicted, average=average))
