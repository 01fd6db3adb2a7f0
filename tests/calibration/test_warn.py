"""Where warnings point: at the line that called this package."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from imbkit.calibration import (
    IsotonicCalibrator,
    LabelShiftAdapter,
    NearestClassMeanClassifier,
    ScalingCalibrator,
    SigmoidCalibrator,
    TauNormClassifier,
    WeightAligner,
)
from imbkit.exceptions import ImbkitWarning

X = np.random.default_rng(0).normal(size=(60, 2))
y = np.arange(60) % 2
P = np.full(60, 0.5)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (IsotonicCalibrator(), P),
        (SigmoidCalibrator(), P),
        (ScalingCalibrator("vector"), np.where(y == 1, 0.1, 0.9)),
        (TauNormClassifier(LogisticRegression(), 0.0), X),
        (WeightAligner(LogisticRegression()), X),
        (make_pipeline(WeightAligner(LogisticRegression())), X),
        (NearestClassMeanClassifier(center=None), np.vstack((X, -X))),
    ],
)
def test_a_warning_points_at_the_caller(model, table):
    labels = np.tile(y, len(table) // 60)
    with pytest.warns(ImbkitWarning) as caught:
        model.fit(table, labels)
    assert {each.filename for each in caught} == {__file__}


def test_a_warning_of_adapt_points_at_the_caller():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LabelShiftAdapter(LogisticRegression()).fit(X, y)
    with pytest.warns(ImbkitWarning) as caught:
        model.adapt(X[:4])
    assert {each.filename for each in caught} == {__file__}
