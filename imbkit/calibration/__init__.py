"""Probabilities that mean what they say: after resampling, under another base rate, or at all.

A *calibrator* maps probabilities to probabilities. Its protocol (``_base.py``):

- ``fit(probabilities, y)``: learns the map on rows that the model was not trained on.
- ``predict_proba(probabilities)``: applies it; shape (n_rows, n_classes).

The meta-estimators wrap a classifier, get such rows by themselves and give ``predict_proba`` of
features. To add a calibrator: one file with a subclass of ``BaseCalibrator``, its ``card``, and
its name below.
"""

from imbkit.calibration._beta import BetaCalibrator
from imbkit.calibration._class_mean import NearestClassMeanClassifier
from imbkit.calibration._correctness_aware import CorrectnessAwareCalibrator
from imbkit.calibration._isotonic import IsotonicCalibrator
from imbkit.calibration._label_shift_adapter import LabelShiftAdapter
from imbkit.calibration._prior_shift import PriorShiftCorrector, reweighted_prior
from imbkit.calibration._resampling_corrected import ResamplingCorrectedClassifier
from imbkit.calibration._scaling import ScalingCalibrator
from imbkit.calibration._sigmoid import SigmoidCalibrator
from imbkit.calibration._tau_norm import TauNormClassifier
from imbkit.calibration._weight_aligner import WeightAligner

__all__ = [
    "BetaCalibrator",
    "CorrectnessAwareCalibrator",
    "IsotonicCalibrator",
    "LabelShiftAdapter",
    "NearestClassMeanClassifier",
    "PriorShiftCorrector",
    "ResamplingCorrectedClassifier",
    "ScalingCalibrator",
    "SigmoidCalibrator",
    "TauNormClassifier",
    "WeightAligner",
    "reweighted_prior",
]
