"""Reading labels, scores and weights: the same rules and messages for every display."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from imbkit.displays import (
    AlertBudgetDisplay,
    CostCurveDisplay,
    ReliabilityDisplay,
    ScoreSeparationDisplay,
    ThresholdCurveDisplay,
)
from imbkit.displays._inputs import of_cv_results, of_estimator, of_predictions
from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.thresholds import AlertBudget, ThresholdClassifierCV

DISPLAYS = [
    AlertBudgetDisplay,
    CostCurveDisplay,
    ReliabilityDisplay,
    ScoreSeparationDisplay,
    ThresholdCurveDisplay,
]


@pytest.fixture(scope="module")
def table():
    return make_classification(300, weights=[0.8], random_state=0)


@pytest.mark.parametrize("make", [list, np.asarray, pd.Series, pl.Series])
def test_any_column_is_read(make):
    y, p = [0, 1, 0, 1], [0.1, 0.7, 0.4, 0.9]
    scored = of_predictions("Test", make(y), make(p), sample_weight=make([1.0, 2.0, 0.0, 1.0]))
    np.testing.assert_array_equal(scored.positive, [False, True, False, True])
    np.testing.assert_array_equal(scored.scores, p)
    assert scored.labels == (0, 1)
    assert scored.weighted_rows().scores.tolist() == [0.1, 0.7, 0.9]


def test_the_positive_label_follows_the_rules_of_thresholds():
    y, p = np.array(["a", "b", "b", "b"]), [0.9, 0.1, 0.2, 0.3]
    with pytest.warns(ThresholdWarning, match="pos_label should be given.*'a' is taken"):
        scored = of_predictions("Test", y, p)
    assert scored.labels == ("b", "a")
    assert of_predictions("Test", y, p, pos_label="b").labels == ("a", "b")
    assert of_predictions("Test", [-1, 1, -1], [1, 2, 3]).labels == (-1, 1)
    assert of_predictions("Test", [True, False], [1, 2]).labels == (False, True)
    with pytest.raises(DataError, match="pos_label must be one of the labels 'a', 'b'. Got 'c'"):
        of_predictions("Test", y, p, pos_label="c")


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize(
    ("y", "scores", "weight", "words"),
    [
        ([0, 0, 0], [0.1, 0.2, 0.3], None, "rows of two classes"),
        ([0, 1, 2], [0.1, 0.2, 0.3], None, "one column of two classes. Got 3 classes"),
        ([0, 1], [0.1, 0.2, 0.3], None, "of the same length"),
        ([0, 1, 0], [0.1, np.nan, 0.3], None, "scores must not be NaN. Got 1 NaN in 3"),
        ([0, 1], [[0.1, 0.9], [0.2, 0.8]], None, r"one score a row.*Got shape.*\[:, 1\]"),
        ([0, 1], ["x", "y"], None, "y_score must hold numbers|y_prob must hold numbers"),
        ([0, 1, 0], [0.1, 0.2, 0.3], [1.0, 1.0], "one number for each of the 3 rows"),
        ([0, 1, 0], [0.1, 0.2, 0.3], [1.0, -1.0, 1.0], "finite and not negative"),
        ([0, 1, 0], [0.1, 0.2, 0.3], [1.0, 0.0, 1.0], "rows of both classes must have a pos"),
        (None, [0.1], None, "target y is None"),
    ],
)
def test_bad_rows_are_refused_by_every_display(display, y, scores, weight, words):
    with pytest.raises(DataError, match=f"{display.__name__}: .*({words})"):
        display.from_predictions(y, scores, sample_weight=weight)


def test_scores_come_from_the_method_asked_for(table):
    X, y = table
    model = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(
        of_estimator("Test", model, X, y).scores, model.predict_proba(X)[:, 1]
    )
    decision = of_estimator("Test", model, X, y, response_method="decision_function")
    np.testing.assert_array_equal(decision.scores, model.decision_function(X))
    other = of_estimator("Test", model, X, y, pos_label=0)
    np.testing.assert_array_equal(other.scores, model.predict_proba(X)[:, 0])
    assert other.labels == (1, 0)
    svm = LinearSVC().fit(X, y)
    np.testing.assert_array_equal(of_estimator("Test", svm, X, y).scores, svm.decision_function(X))
    assert of_estimator("Test", svm, X, y).name == "LinearSVC"
    with pytest.raises(InvalidParameterError, match="must have the method predict_proba"):
        ReliabilityDisplay.from_estimator(svm, X, y)
    with pytest.raises(InvalidParameterError, match="response_method must be one of"):
        of_estimator("Test", model, X, y, response_method="predict")
    with pytest.raises(InvalidParameterError, match="an object, not a class"):
        of_estimator("Test", LogisticRegression, X, y)
    many = LogisticRegression().fit(X, np.arange(300) % 3)
    with pytest.raises(DataError, match="must know the classes 0, 1 and no others"):
        of_estimator("Test", many, X, y)


def test_a_threshold_is_found_where_it_belongs_to_the_scores(table):
    X, y = table
    tuned = TunedThresholdClassifierCV(LogisticRegression()).fit(X, y)
    assert of_estimator("Test", tuned, X, y).threshold == tuned.best_threshold_
    fixed = FixedThresholdClassifier(
        LogisticRegression(), threshold=-1.0, response_method="decision_function"
    ).fit(X, y)
    scored = of_estimator("Test", fixed, X, y)
    assert scored.threshold == -1.0
    np.testing.assert_array_equal(scored.scores, fixed.decision_function(X))
    asked = of_estimator("Test", fixed, X, y, response_method="predict_proba")
    assert asked.threshold is None
    model = ThresholdClassifierCV(LogisticRegression()).fit(X, y)
    assert of_estimator("Test", model, X, y).threshold == model.threshold_
    same = of_estimator("Test", model, X, y, response_method="predict_proba")
    assert same.threshold == model.threshold_
    assert of_estimator("Test", model, X, y, pos_label=0).threshold is None
    piped = make_pipeline(StandardScaler(), ThresholdClassifierCV(LogisticRegression())).fit(X, y)
    assert of_estimator("Test", piped, X, y).threshold == piped[-1].threshold_
    # The highest rows of a batch are no threshold.
    top = ThresholdClassifierCV(LogisticRegression(), AlertBudget(20, mode="topk")).fit(X, y)
    assert of_estimator("Test", top, X, y).threshold is None
    assert of_estimator("Test", LogisticRegression().fit(X, y), X, y).threshold is None


def test_a_models_own_positive_label_is_taken(table):
    X, y = table
    labels = np.where(y == 1, "b", "a")
    model = ThresholdClassifierCV(LogisticRegression(), pos_label="a", store_cv_results=True)
    model.fit(X, labels)
    scored = of_estimator("Test", model, X, labels)
    assert scored.labels == ("b", "a")
    np.testing.assert_array_equal(scored.scores, model.predict_proba(X)[:, 0])
    kept = of_cv_results("Test", model)
    assert kept.labels == ("b", "a")
    assert kept.positive.sum() == np.count_nonzero(labels == "a")
    assert kept.name == "LogisticRegression, out of fold"


@pytest.mark.parametrize("display", DISPLAYS)
def test_models_of_more_classes_are_refused(table, display):
    X, _ = table
    model = ThresholdClassifierCV(LogisticRegression(), store_cv_results=True)
    model.fit(X, np.arange(300) % 3)
    with pytest.raises((DataError, InvalidParameterError), match=display.__name__):
        display.from_cv_results(model)
