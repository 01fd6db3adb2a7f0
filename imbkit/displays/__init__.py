"""Pictures with matplotlib, for notebooks and papers.

A display is a class like scikit-learn's: its constructor takes the plain arrays that are drawn,
class methods such as ``from_estimator``, ``from_predictions`` and ``from_cv_results`` compute
them, and ``plot(ax=None)`` draws them, sets ``ax_`` and ``figure_`` and returns the display.
Drawn on axes that hold such a display already, it is drawn beside it. ``frame()`` returns what
is drawn as a table. matplotlib is imported inside methods only, so that arrays can be made and
kept without it; no plot changes them.

To add one: a file with the class, its import below, and its name in ``__all__``. A display
learns nothing and needs no card. Labels, scores and weights are read in ``_inputs.py``, colours
and legends stand in ``_style.py``, axes of scores in ``_score_axis.py``, long lines are thinned
in ``_thin.py``, names at the ends of lines moved apart in ``_direct_labels.py``; boundaries
between ordered classes are named in ``_boundaries.py``, and how a table is laid out in a plane
stands in ``_plane.py``.
"""

from imbkit.displays._alert_budget import AlertBudgetDisplay
from imbkit.displays._cost_curve import CostCurveDisplay
from imbkit.displays._ordinal_slopes import OrdinalSlopesDisplay
from imbkit.displays._regularization_path import RegularizationPathDisplay
from imbkit.displays._reliability import ReliabilityDisplay
from imbkit.displays._sampling_map import SamplingMapDisplay
from imbkit.displays._score_separation import ScoreSeparationDisplay
from imbkit.displays._threshold_curve import ThresholdCurveDisplay

__all__ = [
    "AlertBudgetDisplay",
    "CostCurveDisplay",
    "OrdinalSlopesDisplay",
    "RegularizationPathDisplay",
    "ReliabilityDisplay",
    "SamplingMapDisplay",
    "ScoreSeparationDisplay",
    "ThresholdCurveDisplay",
]
