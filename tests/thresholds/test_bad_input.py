"""What cannot be decided on is refused by a message that says who, what, what came, what to do."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import PredefinedSplit
from sklearn.naive_bayes import GaussianNB

from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.thresholds import (
    AlertBudget,
    BestMetric,
    Constraint,
    LowestCost,
    PriorRule,
    ThresholdClassifierCV,
)

X, Y = make_classification(200, n_features=5, weights=[0.8], flip_y=0.05, random_state=0)
THREE = np.arange(200) % 3
NAMES = np.where(Y == 1, "yes", "no")
AMOUNT = np.arange(1.0, 201.0)


class Given(ClassifierMixin, BaseEstimator):
    """Give the first column as the probability, or the same number for every row."""

    def __init__(self, value=None):
        self.value = value

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = X[:, 0] if self.value is None else np.full(len(X), self.value)
        return np.column_stack((1 - p, p))


def tune(rule="f1", y=Y, estimator=None, *, table=X, values=None, **settings):
    model = ThresholdClassifierCV(estimator or GaussianNB(), rule, **{"cv": 3} | settings)
    return model.fit(table, y, **(values or {}))


def pattern(*sentences):
    """Who and what must hold, what came, what to do: three sentences or more, in this order."""
    assert len(sentences) >= 3
    who, _, _ = sentences[0].partition(":")
    assert who in ("ThresholdClassifierCV", "Rule", *RULES)
    return "^" + ".*".join(sentences)


RULES = ("AlertBudget", "BestMetric", "Constraint", "LowestCost", "PriorRule")
SINGLE = PredefinedSplit(np.where(Y == 1, 0, 1))

REFUSED = {
    "a class missing where an estimator is trained": (
        lambda: tune(cv=SINGLE),
        DataError,
        ("ThresholdClassifierCV: every training fold must hold rows of every class",
         r"Got 0 \(\d+ rows\) and 1 \(0 rows\) in fold 0", "Use fewer folds, stratified ones"),
    ),
    "one class": (
        lambda: tune(y=np.zeros(200)),
        DataError,
        ("ThresholdClassifierCV: the target must have rows of two classes", "Got one class only, ",
         "Get rows of another class"),
    ),
    "NaN scores": (
        lambda: tune(estimator=Given(np.nan)),
        DataError,
        ("ThresholdClassifierCV: the scores of Given must not be NaN", r"Got \d+ NaN in \d+ values",
         "Look for missing values or overflow"),
    ),
    "NaN probabilities of many classes": (
        lambda: tune(y=THREE, estimator=NaNs()),
        DataError,
        ("ThresholdClassifierCV: the probabilities of NaNs must not be NaN", "Got 201 NaN",
         "Look for missing values or overflow"),
    ),
    "infinite probabilities": (
        lambda: tune(PriorRule(), estimator=Given(np.inf)),
        DataError,
        ("PriorRule: the scores must be probabilities, between 0 and 1", "Got values from 0 to inf",
         "Use an estimator with predict_proba, or calibrate"),
    ),
    "pos_label that is no label": (
        lambda: tune(y=NAMES, pos_label="YES"),
        DataError,
        ("ThresholdClassifierCV: pos_label must be one of the labels 'no', 'yes'", "Got 'YES'",
         "Pass one of them as it is written in the target"),
    ),
    "infeasible constraint": (
        lambda: tune(Constraint(limit=1.0, confidence=0.99, infeasible="raise")),
        DataError,
        ("Constraint: the precision must be at least 1 with confidence 0.99 at some cut-off",
         r"Got at most 0\.\d+ at every one", "Loosen the limit, or pass infeasible='nearest'"),
    ),
    "limit in per cent": (
        lambda: tune(Constraint(limit=90)),
        InvalidParameterError,
        ("Constraint: limit must be a number between 0 and 1", "Got 90", "Write 0.9 for 90 %"),
    ),
    "budget larger than the data": (
        lambda: tune(AlertBudget(201)),
        DataError,
        ("AlertBudget: budget must not be above the 200 rows", "Got 201", "Give the number of al"),
    ),
    "budget of zero": (
        lambda: tune(AlertBudget(0)),
        InvalidParameterError,
        ("AlertBudget: budget must be a number of alerts from 1, or a share", "Got 0", "Write 20"),
    ),
    "negative budget": (
        lambda: tune(AlertBudget(-3)),
        InvalidParameterError,
        ("AlertBudget: budget must be a number of alerts from 1, or a share", "Got -3", "Write 20"),
    ),
    "budget that is no number of rows": (
        lambda: tune(AlertBudget(2.5)),
        InvalidParameterError,
        ("AlertBudget: budget as a share of the rows must not be above 1.0", "Got 2.5",
         "Give a number of alerts as a whole number"),
    ),
    "costs of rows missing at fit": (
        lambda: tune(LowestCost(fn="amount"), values={"amuont": AMOUNT}),
        DataError,
        ("ThresholdClassifierCV: the rule LowestCost needs amount for each row",
         "Got none, and 'amuont' instead; the nearest name is 'amuont'",
         r"Call fit\(X, y, amount=...\), or pass a frame with this column"),
    ),
    "costs of rows missing at predict": (
        lambda: tuned_by_loss().predict(X),
        DataError,
        ("ThresholdClassifierCV: the rule LowestCost needs amount for each row", "Got none",
         r"Call predict\(X, amount=...\)"),
    ),
    "a rule called without the costs of rows": (
        lambda: tuned_by_loss().rule_(np.array([0.3, 0.6])),
        DataError,
        ("Rule: the decision depends on more than the score", "Got the score alone",
         r"Call rule\(y_score, amount=...\)"),
    ),
    "costs given as an array": (
        lambda: tune(LowestCost(fn=AMOUNT)),
        InvalidParameterError,
        ("LowestCost: fn must be a finite number, or the name of values for each row",
         "Got array", r"Write fn='amount' and call fit\(X, y, amount=...\)"),
    ),
    "a cost matrix of other classes": (
        lambda: tune(
            LowestCost(cost_matrix=pd.DataFrame(np.eye(2), ["yes", "no"], ["yes", "no"])), y=NAMES,
            pos_label="yes",
        ),
        DataError,
        ("LowestCost: the index of a frame of costs must be the labels 'no', 'yes'",
         "Got 'yes', 'no'", "Put it in this order, or pass the bare matrix"),
    ),
    "labels chosen by a share at a time": (
        lambda: AlertBudget(0.1, mode="topk").labels_decision(np.eye(3, dtype=int), np.eye(3)),
        InvalidParameterError,
        ("AlertBudget: mode='topk' gives each row a whole number of labels, from 1 to 3", "Got 0.1",
         "Pass such a budget, or mode='quantile'"),
    ),
    "a metric of no threshold": (
        lambda: tune("roc_auc"),
        InvalidParameterError,
        ("ThresholdClassifierCV: rule must be a rule, a count metric", "Got 'roc_auc'",
         "It is no function of the decisions at one threshold"),
    ),
    "a metric that is a rule by itself": (
        lambda: tune("recall_at_precision"),
        InvalidParameterError,
        ("ThresholdClassifierCV: rule must be a rule, a count metric", "Got 'recall_at_precision'",
         r"Pass rule=Constraint\('recall_at_precision', limit\)"),
    ),
    "an estimator of other classes": (
        lambda: tune(
            y=NAMES, estimator=GaussianNB().fit(X, Y), cv="prefit", refit=False, pos_label="yes"
        ),
        DataError,
        ("ThresholdClassifierCV: the fitted estimator must know the classes 'no', 'yes' and no o",
         "Got 0, 1", "Fit it on a target with these labels"),
    ),
    "prefit and not fitted": (
        lambda: tune(cv="prefit", refit=False),
        NotFittedError,
        ("ThresholdClassifierCV: with cv='prefit' the estimator must be fitted",
         r"Got GaussianNB\(\)", "Fit it first"),
    ),
    "a prior with a zero": (
        lambda: tune(PriorRule({0: 1.0, 1: 0.0})),
        InvalidParameterError,
        ("PriorRule: target_prior must be finite and above 0 for every class", "Got 0 for class 1",
         "give it a small share"),
    ),
    "a prior that does not sum to one": (
        lambda: tune(PriorRule([0.5, 0.6])),
        InvalidParameterError,
        ("PriorRule: target_prior must sum to one", "Got 1.1", "Divide by the sum"),
    ),
    "a prior of other classes": (
        lambda: tune(PriorRule({"a": 0.5, "b": 0.5})),
        InvalidParameterError,
        ("PriorRule: target_prior must have the classes 0, 1 and no others",
         "Got no share for 0, 1", "and a share for 'a', 'b'"),
    ),
}  # fmt: skip


class NaNs(Given):
    """Give no numbers for many classes."""

    def predict_proba(self, X):
        return np.full((len(X), 3), np.nan)


def tuned_by_loss():
    rule = LowestCost(fp=5.0, fn="amount", decision="expected_loss")
    return tune(rule, values={"amount": AMOUNT})


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_whole_sentences(case):
    act, error, sentences = REFUSED[case]
    with pytest.raises(error, match=pattern(*sentences)):
        act()


@pytest.mark.parametrize(
    ("rule", "todo"),
    [
        (Constraint(), r"Use BestMetric, LowestCost or PriorRule, or call fit\(X, y == label\)"),
        (AlertBudget(), "Use BestMetric, LowestCost or PriorRule"),
        (LowestCost(fn=9.0), r"Pass cost_matrix, whose entry \[i, j\]"),
        (BestMetric(method="plugin"), "Use method='sweep'"),
    ],
)
def test_a_binary_rule_refuses_many_classes_before_anything_is_fitted(rule, todo):
    class Never(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError("fitted")

    who = f"{type(rule).__name__}: Only binary classification is supported by this rule"
    with pytest.raises(DataError, match=pattern(who, "Got 3 classes", todo)):
        tune(rule, THREE, Never())


WARNED = {
    "test folds of one class": (
        lambda: tune(cv=[(np.arange(200), np.flatnonzero(Y == k)) for k in (0, 1)]),
        ("ThresholdClassifierCV: every test fold should hold rows of both classes",
         "Got 2 of 2 test folds with rows of one class only", "All rows are swept together"),
    ),
    "equal scores": (
        lambda: tune(estimator=Given(0.25)),
        ("ThresholdClassifierCV: the scores of Given should differ between rows",
         "Got 0.25 for all 200 rows", "The threshold separates nothing"),
    ),
    "equal scores under a rule that rescores them": (
        lambda: tune(LowestCost(fn=9.0, decision="expected_loss"), estimator=Given(0.25)),
        ("ThresholdClassifierCV: the scores of Given should differ", "Got 0.25 for all 200 rows",
         "The threshold separates nothing"),
    ),
    "an ambiguous positive class": (
        lambda: tune(y=NAMES),
        ("ThresholdClassifierCV: pos_label should be given",
         r"Got 'no' \(\d+ rows\) and 'yes' \(\d+ rows\); 'yes' is taken, the rarer one",
         "Pass pos_label='yes' or pos_label='no'"),
    ),
    "a cost matrix that decides": (
        lambda: tune(LowestCost(cost_matrix=[[0.0, 3.0], [0.0, 0.0]])),
        ("LowestCost: fp should exceed tn, or every row is best alerted at any score",
         r"Got fp = cost_matrix\[1, 0\] = 0.0 and tn = cost_matrix\[0, 0\] = 0.0",
         "Check the costs"),
    ),
    "a cost matrix that decides for the first class": (
        lambda: tune(LowestCost(cost_matrix=[[0.0, 0.0], [3.0, 0.0]]), pos_label=0),
        ("LowestCost: fp should exceed tn, or every row is best alerted at any score",
         r"Got fp = cost_matrix\[0, 1\] = 0.0 and tn = cost_matrix\[1, 1\] = 0.0",
         "Check the costs"),
    ),
    "an infeasible constraint": (
        lambda: tune(Constraint(limit=1.0, confidence=0.99)),
        ("Constraint: the precision must be at least 1 with confidence 0.99 at some cut-off",
         r"Got at most 0\.\d+ at every one", "The nearest cut-off is taken"),
    ),
    "a batch that is too small": (
        lambda: tune(AlertBudget(0.05, mode="topk")).predict(X[:9]),
        ("AlertBudget: with mode='topk' a batch should have at least 10 rows for one alert",
         "Got 9 rows with budget=0.05", "No row is alerted; use mode='quantile'"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNED)
def test_doubtful_input_is_warned_of_where_it_was_given(case):
    act, sentences = WARNED[case]
    with pytest.warns(ThresholdWarning, match=pattern(*sentences)) as caught:
        act()
    assert [each.filename for each in caught] == [__file__]


def test_infinite_scores_are_ordinary_scores():
    table = np.column_stack((np.where(Y == 1, np.inf, np.linspace(-1, 1, 200)), X[:, 0]))
    model = tune(estimator=Given(), table=table)
    assert model.best_score_ == 1.0
    np.testing.assert_array_equal(model.predict(table), Y)


def test_classes_unseen_at_fit_change_no_prediction():
    model = tune(y=NAMES, pos_label="yes")
    later = np.where(np.arange(200) < 9, "new", NAMES)
    assert set(model.predict(X)) == {"no", "yes"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.score(X, later) == np.mean(model.predict(X) == later)
