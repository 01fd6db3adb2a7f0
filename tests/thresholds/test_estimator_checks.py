"""scikit-learn's checks over several learners and rules, beside its own classifiers'."""

import warnings
from unittest import SkipTest

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator

from imbkit.thresholds import (
    AlertBudget,
    BestMetric,
    Constraint,
    LowestCost,
    PriorRule,
    ThresholdClassifierCV,
)

INNER = {
    "LogisticRegression": LogisticRegression(C=0.1),
    "DecisionTree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "HistGradientBoosting": HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "GaussianNB": GaussianNB(),
}
RULES = {
    "f1": BestMetric(),
    "prior": PriorRule(),
    "loss": LowestCost(fn=3.0, decision="expected_loss"),
    "budget": AlertBudget(0.5),
}


class SplitsToo(HistGradientBoostingClassifier):
    """The learner by itself, given the larger tables that the checks keep for models with `cv`."""

    def __init__(self, cv=None):
        super().__init__(max_iter=3, random_state=0)
        self.cv = cv


def failures(model, only=None):
    """Names of the checks that a model fails, and the reasons; of all checks or of some."""
    found = {}
    for each, check in estimator_checks_generator(model, mark=None):
        name = check.func.__name__
        if only is not None and name not in only:
            continue
        with warnings.catch_warnings():
            # The checks feed tiny and odd tables; whether a warning fits is tested elsewhere.
            warnings.simplefilter("ignore")
            try:
                check(each)
            except SkipTest:
                pass
            except Exception as error:
                found[name] = error
    return found


def combinations():
    """Every learner with two rules and every rule with two learners; the rest is slow."""
    for i, inner in enumerate(INNER):
        for j, rule in enumerate(RULES):
            marks = [pytest.mark.slow] if (i - j) % 4 > 1 else []
            yield pytest.param(inner, rule, marks=marks, id=f"{inner}-{rule}")


@pytest.mark.parametrize(("inner", "rule"), [*combinations()])
def test_what_fails_fails_for_scikit_learn_too(inner, rule):
    ours = failures(ThresholdClassifierCV(INNER[inner], RULES[rule], cv=2, n_restarts=1))
    left = dict(ours)
    theirs = [
        FixedThresholdClassifier(INNER[inner], threshold=0.3),
        TunedThresholdClassifierCV(INNER[inner], cv=2),
    ]
    if inner == "HistGradientBoosting":
        # Its bins take weights not quite for repeated rows, with nothing around it.
        theirs.append(SplitsToo())
    for model in theirs:
        if left:
            shared = failures(model, left)
            left = {name: error for name, error in left.items() if name not in shared}
    assert left == {}
    assert len(ours) < 5


@pytest.mark.parametrize(
    ("rule", "many"),
    [
        (BestMetric(), True),
        (BestMetric(method="plugin"), False),
        (LowestCost(fn=3.0), False),
        (LowestCost(cost_matrix=[[0, 1], [1, 0]]), True),
        (PriorRule(), True),
        (Constraint(), False),
        (AlertBudget(), False),
        ("no such rule", True),
    ],
)
def test_the_tag_says_what_the_rule_serves(rule, many):
    for inner in (LogisticRegression(), GaussianNB()):
        tags = get_tags(ThresholdClassifierCV(inner, rule))
        assert tags.classifier_tags.multi_class is many
