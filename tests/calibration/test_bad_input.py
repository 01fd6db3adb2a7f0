"""What no data could make right: who complains, what must hold, what came, what to do."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score

from imbkit.calibration import (
    BetaCalibrator,
    CorrectnessAwareCalibrator,
    IsotonicCalibrator,
    LabelShiftAdapter,
    NearestClassMeanClassifier,
    PriorShiftCorrector,
    ResamplingCorrectedClassifier,
    ScalingCalibrator,
    SigmoidCalibrator,
    TauNormClassifier,
    WeightAligner,
)
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

RNG = np.random.default_rng(0)
LABELS = np.array(["low", "mid", "top"])
CODES = RNG.choice(3, size=240, p=[0.6, 0.25, 0.15])
X = RNG.normal(size=(240, 3)) + 1.5 * np.eye(3)[CODES]
Y = LABELS[CODES]

PROBABLE = [ResamplingCorrectedClassifier, LabelShiftAdapter, CorrectnessAwareCalibrator]
SPLITTING = [*PROBABLE, TauNormClassifier]
WRAPPERS = [*SPLITTING, WeightAligner]


def wrapped(cls, estimator=None, **settings):
    """Return a wrapper that needs rows which its estimator has not seen."""
    if cls is ResamplingCorrectedClassifier:
        settings = {"calibration": "sigmoid", **settings}
    return cls(LogisticRegression() if estimator is None else estimator, **settings)


def said(cls, *parts):
    """Return the pattern of a message of a class with these parts, in this order."""
    return f"^{cls.__name__}: .*" + ".*".join(map(re.escape, parts))


class Gives(ClassifierMixin, BaseEstimator):
    """A classifier that gives the same row of probabilities whatever it sees."""

    def __init__(self, row):
        self.row = row

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.tile(np.asarray(self.row, dtype=float), (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


# --- labels --------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [*WRAPPERS, NearestClassMeanClassifier])
def test_one_class(cls):
    model = cls() if cls is NearestClassMeanClassifier else wrapped(cls)
    parts = "two classes or more", "Got one class only, 'low'", "rows of every class"
    with pytest.raises(DataError, match=said(cls, *parts)):
        model.fit(X, np.full(240, "low"))


@pytest.mark.parametrize("cls", WRAPPERS)
@pytest.mark.parametrize(
    "y",
    [
        np.where(np.arange(240) < 3, np.nan, CODES),
        np.where(np.arange(240) < 3, np.inf, CODES),
        np.where(np.arange(240) < 3, None, Y.astype(object)),
        pd.Series(Y, dtype="string").where(np.arange(240) >= 3),
    ],
    ids=["nan", "infinite", "none", "NA"],
)
def test_labels_that_are_missing_or_infinite(cls, y):
    parts = "must not be missing, NaN or infinite", "Got 3 such labels in 240", "Leave these rows"
    with pytest.raises(DataError, match=said(cls, *parts)):
        wrapped(cls).fit(X, y)


@pytest.mark.parametrize("cls", WRAPPERS)
def test_labels_that_are_no_classes(cls):
    parts = "labels must be classes", "Got a continuous target of dtype float64", "Convert them"
    with pytest.raises(DataError, match=said(cls, *parts)):
        wrapped(cls).fit(X, X[:, 0])
    with pytest.raises(DataError, match=said(cls, "requires y to be passed", "Call fit")):
        wrapped(cls).fit(X, None)


@pytest.mark.parametrize("cls", [ResamplingCorrectedClassifier, LabelShiftAdapter])
def test_weights_that_take_a_class_away(cls):
    parts = "of every class, with a positive weight", "Got weight 0 only for class 'top'", "Leave"
    with pytest.raises(DataError, match=said(cls, *parts)):
        wrapped(cls).fit(X, Y, sample_weight=(CODES != 2).astype(float))


@pytest.mark.parametrize("cls", SPLITTING)
def test_folds_that_lack_a_class(cls):
    order = np.argsort(CODES, kind="stable")
    parts = "every training fold must hold rows of every class", "'top' (0 rows)", "Use fewer folds"
    with pytest.raises(DataError, match=said(cls, *parts)):
        wrapped(cls, cv=KFold(4)).fit(X[order], Y[order])
    with pytest.raises(DataError, match=said(cls, "the rows must suffice for the splits", "300")):
        wrapped(cls, cv=300).fit(X, Y)


# --- the estimator -------------------------------------------------------------------------


@pytest.mark.parametrize("cls", SPLITTING)
def test_prefit_without_a_fit(cls):
    parts = "with cv='prefit' the estimator must be fitted", "Got LogisticReg", "FrozenEstimator"
    with pytest.raises(NotFittedError, match=said(cls, *parts)):
        wrapped(cls, cv="prefit").fit(X, Y)
    fitted = LogisticRegression().fit(X, Y)
    with pytest.raises(NotFittedError, match=said(cls, *parts)):
        cross_val_score(wrapped(cls, fitted, cv="prefit"), X, Y, error_score="raise")
    # What the message advises works.
    frozen = wrapped(cls, FrozenEstimator(fitted), cv="prefit")
    assert np.isfinite(cross_val_score(frozen, X, Y, error_score="raise")).all()


@pytest.mark.parametrize("cls", SPLITTING)
def test_prefit_takes_no_arguments_for_a_fit(cls):
    fitted = LogisticRegression().fit(X, Y)
    parts = "nothing is fitted that could take further arguments", "Got 'amount'", "Leave them out"
    with pytest.raises(InvalidParameterError, match=said(cls, *parts)):
        wrapped(cls, fitted, cv="prefit").fit(X, Y, amount=X[:, 0])
    # Weights are for the wrapper: the estimator need not take them, and nothing is said.
    wrapped(cls, fitted, cv="prefit").fit(X, Y, sample_weight=np.ones(240))


@pytest.mark.parametrize("cls", SPLITTING)
def test_classes_unseen_at_fit(cls):
    fitted = LogisticRegression().fit(X[CODES < 2], Y[CODES < 2])
    with pytest.raises(DataError, match=said(cls, "the fitted estimator must know", "Got ")):
        wrapped(cls, fitted, cv="prefit").fit(X, Y)


@pytest.mark.parametrize("cls", PROBABLE)
@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ([np.nan, 0.5, 0.5], ("must not be NaN or infinite", "such values in", "Look for")),
        ([np.inf, 0.0, 0.0], ("must not be NaN or infinite", "such values in", "Look for")),
        ([2.0, -1.0, 0.0], ("between 0 and 1", "values from -1 to 2", "not decision values")),
        ([0.5, 0.1, 0.1], ("must sum to one", "Got 0.7 in row 0", "divide each row")),
        ([0.5, 0.5], ("one column for each of the 3 classes: 'low', 'mid', 'top'", "shape (")),
    ],
)
def test_probabilities_that_are_none(cls, row, parts):
    with pytest.raises(DataError, match=said(cls, *parts)):
        wrapped(cls, Gives(row)).fit(X, Y)


@pytest.mark.parametrize("cls", PROBABLE)
@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
def test_scores_all_equal(cls):
    """Nothing can be learnt of the rows: the shares of the classes, finite and in order."""
    model = wrapped(cls, DummyClassifier()).fit(X, Y)
    P = model.predict_proba(X)
    np.testing.assert_allclose(P, np.tile(P[0], (240, 1)), rtol=1e-9)
    if cls is not CorrectnessAwareCalibrator:  # it says how sure to be, not of what
        np.testing.assert_allclose(P[0], np.bincount(CODES) / 240, atol=0.02)


@pytest.mark.parametrize(
    ("calibrator", "text"),
    [
        (SigmoidCalibrator(), "larger for its own rows"),
        (BetaCalibrator(), "larger for its own rows"),
        (IsotonicCalibrator(), "should have 200 rows of each class"),
        (ScalingCalibrator("bias_corrected"), None),
        (ScalingCalibrator("vector"), None),
    ],
)
def test_scores_all_equal_in_a_calibrator(calibrator, text):
    labels = Y[CODES < 2]
    scores = np.full(labels.size, 0.3)
    if text is None:
        calibrator.fit(scores, labels)
    else:
        with pytest.warns(ImbkitWarning, match=said(type(calibrator), text)):
            calibrator.fit(scores, labels)
    share = np.mean(labels == "mid")
    np.testing.assert_allclose(calibrator.predict_proba([0.3])[0, 1], share, atol=0.01)


# --- priors --------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [PriorShiftCorrector, ResamplingCorrectedClassifier])
@pytest.mark.parametrize("name", ["source_prior", "target_prior"])
@pytest.mark.parametrize(
    ("prior", "parts"),
    [
        ([0.5, 0.5, 0.0], ("above 0 for every class", "Got 0 for class 'top'", "a small share")),
        ([0.7, 0.5, -0.2], ("above 0 for every class", "Got -0.2 for class 'top'")),
        ([0.5, 0.5, np.nan], ("must be finite", "Got nan for class 'top'")),
        ([0.5, 0.3, 0.1], ("must sum to one", "Got 0.9", "Divide by the sum")),
        ([0.5, 0.5], ("one share for each of the 3 classes 'low', 'mid', 'top'", "shape (2,)")),
        ({"low": 0.5, "mid": 0.5}, ("classes 'low', 'mid', 'top'", "no share for 'top'")),
        (
            {"low": 0.5, "mid": 0.2, "top": 0.2, "new": 0.1},
            ("classes 'low', 'mid', 'top' and no others", "a share for 'new'"),
        ),
        (["a", "b", "c"], ("must hold numbers",)),
    ],
)
def test_priors_that_are_none(cls, name, prior, parts):
    if cls is PriorShiftCorrector:
        model, table = cls(**{name: prior}), np.full((240, 3), 1 / 3)
    else:
        model, table = cls(LogisticRegression(), **{name: prior}), X
    with pytest.raises(InvalidParameterError, match=said(cls, name, *parts)):
        model.fit(table, Y)


# --- the target of a shift -----------------------------------------------------------------


def test_a_target_that_is_too_small():
    model = LabelShiftAdapter(LogisticRegression(), random_state=0).fit(X, Y)
    parts = "at least as many rows as there are classes, 3", "Got 2 row", "Adapt to more rows"
    with pytest.raises(DataError, match=said(LabelShiftAdapter, *parts)):
        model.adapt(X[:2])
    parts = "enough rows for intervals narrower than 0.5", "from 6 rows", "Adapt to more rows"
    with pytest.warns(ImbkitWarning, match=said(LabelShiftAdapter, *parts)):
        model.adapt(X[:6])
    np.testing.assert_allclose(model.target_prior_.sum(), 1)


def test_a_target_with_missing_values_keeps_what_was_adapted():
    model = LabelShiftAdapter(LogisticRegression(), random_state=0).fit(X, Y).adapt(X)
    before = model.target_prior_
    with pytest.raises(ValueError, match="contains NaN"):
        model.adapt(np.where(X > 0, np.nan, X))
    assert model.target_prior_ is before
