"""The measures of the two verdicts follow from what is known: costs, then alerts, then MCC."""

import numpy as np
import pytest

from imbkit.bench._aims import choose_aims
from imbkit.bench._options import Options
from imbkit.exceptions import InvalidParameterError
from imbkit.thresholds import AlertBudget

COSTS = {"fn_cost": 10, "fp_cost": 1}


def test_a_promise_is_judged_by_what_it_leaves_free():
    for objective, free, limited, extra in (
        ("recall_at_precision:0.9", "recall", "precision", "recall"),
        ("precision_at_recall:0.8", "precision", "recall", "precision"),
        ("recall_at_fpr:0.01", "recall", "false_positive_rate", "false_positive_rate"),
        (AlertBudget(0.05), "recall", "alert_rate", "recall"),
    ):
        found = aims(objective=objective, costs=COSTS, alerts=5)
        assert (found.decision_metric, found.policy, found.by_cost) == (free, "tuned", False)
        assert (found.promise.limited, found.tuned_for.name) == (limited, extra)
    with pytest.raises(InvalidParameterError, match="a promise needs one class that is positive"):
        aims("multiclass", objective="recall_at_precision:0.9")


def aims(kind="binary", **options):
    return choose_aims(Options(**options), kind)


@pytest.mark.parametrize(
    ("options", "decision", "policy", "tuned_for", "by_cost"),
    [
        ({}, "mcc", "tuned", "mcc", False),
        ({"objective": "f1"}, "f1", "tuned", "f1", False),
        ({"metric": "f1"}, "f1", "tuned", "f1", False),
        ({"metric": "roc_auc"}, "mcc", "tuned", "mcc", False),
        ({"costs": COSTS}, "cost_per_1000", "tuned", "mcc", True),
        ({"costs": COSTS, "objective": "f1"}, "f1", "tuned", "f1", False),
        ({"alerts": 5}, "recall", "budget", "mcc", False),
        ({"alerts_per_day": 5, "time": "t"}, "recall", "budget", "mcc", False),
        ({"alerts": 5, "objective": "f1"}, "f1", "tuned", "f1", False),
        ({"alerts": 5, "costs": COSTS}, "cost_per_1000", "tuned", "mcc", True),
    ],
)
def test_decisions(options, decision, policy, tuned_for, by_cost):
    found = aims(**options)
    assert (found.decision_metric, found.policy) == (decision, policy)
    assert (found.tuned_for.name, found.by_cost) == (tuned_for, by_cost)


@pytest.mark.parametrize(
    ("options", "ranking"),
    [
        ({}, "average_precision"),
        ({"metric": "f1"}, "average_precision"),
        ({"metric": "roc_auc"}, "roc_auc"),
        ({"metric": "recall_at_fpr_0.05", "costs": COSTS}, "recall_at_fpr_0.05"),
        ({"metric": "f1", "objective": "f1"}, "average_precision"),
    ],
)
def test_ranking(options, ranking):
    assert aims(**options).ranking.card["name"] == ranking


def test_many_classes_take_tuned_weights():
    found = aims("multiclass", objective="gmean")
    assert (found.decision_metric, found.policy, found.by_cost) == ("gmean", "tuned", False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"costs": COSTS}, r"costs need one class that is positive.*--positive \(positive=\)"),
        ({"alerts": 5}, "alerts need one class"),
        ({"alerts_per_day": 5, "time": np.arange(3)}, "alerts_per_day need one class"),
        ({"prevalence": 0.1}, "prevalence needs one class"),
        ({"metric": "recall_at_fpr_0.01"}, "defined for two classes only"),
    ],
)
def test_what_needs_two_classes(options, words):
    aims("binary", **options)
    with pytest.raises(InvalidParameterError, match=words):
        aims("multiclass", **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metric": "f1", "objective": "mcc"}, "must be a ranking measure if objective is given"),
        ({"metric": "average_precison"}, "mean 'average_precision'"),
        ({"objective": "roc_auc"}, "roc_auc. Promises are recall_at_precision:0.9"),
        ({"objective": "gmaen"}, "mean 'gmean'"),
        ({"objective": "recall_at_precison"}, "mean 'recall_at_precision:0.9'"),
        ({"metric": "f1", "objective": "recall_at_fpr:0.1"}, "must be a ranking measure"),
    ],
)
def test_measures_that_do_not_fit(options, words):
    with pytest.raises(InvalidParameterError, match=words):
        aims(**options)
