"""What a comparison is judged by: the two verdicts' measures, and how decisions are made."""

from dataclasses import dataclass
from typing import Literal

from imbkit._core.messages import message
from imbkit.bench._measures import RANKINGS, Measure, find_measure
from imbkit.bench._options import Options
from imbkit.bench._promise import Promise, false_positive_rate, read_promise, unknown_objective
from imbkit.bench._schema import Policy
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, get_metric

__all__ = ["Aims", "choose_aims"]


@dataclass(frozen=True, slots=True)
class Aims:
    """What entries are judged by."""

    ranking: Measure
    tuned_for: CountMetric
    """What thresholds are tuned for, unless for the cost or a promise; measured in any case."""
    decision_metric: str
    """Measure of the second verdict."""
    policy: Policy
    """How scores become the decisions of the second verdict."""
    promise: Promise | None = None
    """What thresholds are tuned for, if a rate must keep a limit."""

    @property
    def by_cost(self) -> bool:
        """Whether thresholds are tuned for the least cost."""
        return self.decision_metric == "cost_per_1000"


def choose_aims(options: Options, kind: Literal["binary", "multiclass"]) -> Aims:
    """Return what was asked for.

    A count metric given as `metric` is the objective. With a promise, such as
    ``"recall_at_precision:0.9"``, decisions are judged by what is left free, the recall.
    Stages are judged by the log-loss of the last one, unless a measure is named.
    Without an objective, decisions are judged by their cost if costs are given, else by the
    recall among the alerts if a number of alerts is given, else by MCC.

    Raises
    ------
    InvalidParameterError
        If there is no such measure, measures contradict each other, or two classes are
        needed and there are more.
    """
    objective = options.objective
    promise = read_promise(objective)
    if promise is not None:
        objective = promise.free
    usual = "log_loss" if options.has_stages else "average_precision"
    ranking = find_measure(options.metric or usual)
    if not isinstance(ranking, Measure):
        if objective is not None and (promise or _count_metric(objective) is not ranking):
            rule = "metric must be a ranking measure if objective is given"
            todo = "average_precision and roc_auc are ranking measures"
            raise InvalidParameterError(message("compare", rule, ranking.name, todo))
        objective = ranking.name
        ranking = RANKINGS[usual]
    tuned_for = _count_metric(objective or "mcc")
    if promise is not None:
        if kind != "binary":
            rule = "a promise needs one class that is positive"
            todo = "Name it with --positive (positive=)"
            raise InvalidParameterError(message("compare", rule, "more than two classes", todo))
        extra = false_positive_rate if promise.limited == "false_positive_rate" else tuned_for
        return Aims(ranking, extra, promise.free, "tuned", promise)
    if kind != "binary":
        _check_many_classes(options, ranking)
        return Aims(ranking, tuned_for, tuned_for.name, "tuned")
    if objective is None and options.costs is not None:
        return Aims(ranking, tuned_for, "cost_per_1000", "tuned")
    if objective is None and (options.alerts or options.alerts_per_day) is not None:
        return Aims(ranking, tuned_for, "recall", "budget")
    return Aims(ranking, tuned_for, tuned_for.name, "tuned")


def _count_metric(objective: str) -> CountMetric:
    """Return the count metric that is the objective."""
    try:
        return get_metric(objective)
    except InvalidParameterError as error:
        raise unknown_objective(objective) from error


def _check_many_classes(options: Options, ranking: Measure) -> None:
    """Refuse what is defined for two classes only."""
    if not ranking.multiclass:
        rule = "this ranking measure is defined for two classes only"
        todo = "Name the positive class, or choose average_precision or roc_auc"
        raise InvalidParameterError(message("compare", rule, ranking.card["name"], todo))
    for name in ("costs", "alerts", "alerts_per_day", "prevalence"):
        if getattr(options, name) is not None:
            verb = "needs" if name == "prevalence" else "need"
            rule = f"{name} {verb} one class that is positive"
            todo = "Name it with --positive (positive=)"
            raise InvalidParameterError(message("compare", rule, "more than two classes", todo))
