"""Choose the cut-off that turns a score into a decision.

A *rule* says what is best. Its protocol (``_base.py``):

- ``objective(counts)``: what to maximise, one entry a cut-off; ``-inf`` where forbidden.
- ``name``: what that measures.
- ``row_names()``: the values of each row that it needs, if any (amounts, times, ...).
- ``prepared(y_true, **row_values)``: checks before anything is fitted.
- ``curve(y_true, y_score, sample_weight, **row_values)``: the objective at every cut-off of
  some scores as a :class:`Curve`; overridden where counts are not enough.
- ``threshold(curve)``: which cut-off of a curve to take; the centre of the widest plateau.

The first two must be written, the others have defaults. A decision that is more than one threshold
on the score overrides ``rescored`` (costs of the row) or ``decide`` (the other rows), names in
``decision_names()`` what it needs at ``predict``, and says in ``deployed`` whether plain
scikit-learn can do the same. Rules for more than two classes write ``class_decision``
(`_class_weights.py`), those with something to say on several labels a row ``labels_decision``.

:class:`ThresholdClassifierCV` gets the scores and combines the folds, and leaves behind a
:class:`Rule`, a :class:`ClassDecision` or a :class:`LabelsDecision` to print and to call.
:class:`FrechetMeanClassifier` stands apart: it decides by distances between labels.

To add a rule: one file with a subclass of ``BaseRule`` (`_prior_rule.py` and `_best_metric.py`
show the two ends), its ``card``, and its name below.
"""

from imbkit.thresholds._alert_budget import AlertBudget
from imbkit.thresholds._best_metric import BestMetric
from imbkit.thresholds._class_weights import ClassDecision
from imbkit.thresholds._constraint import Constraint
from imbkit.thresholds._curve import Curve
from imbkit.thresholds._frechet_mean import FrechetMeanClassifier
from imbkit.thresholds._labels_decision import LabelsDecision
from imbkit.thresholds._lowest_cost import LowestCost
from imbkit.thresholds._prior_rule import PriorRule
from imbkit.thresholds._rule import Rule
from imbkit.thresholds._threshold_classifier import ThresholdClassifierCV

__all__ = [
    "AlertBudget",
    "BestMetric",
    "ClassDecision",
    "Constraint",
    "Curve",
    "FrechetMeanClassifier",
    "LabelsDecision",
    "LowestCost",
    "PriorRule",
    "Rule",
    "ThresholdClassifierCV",
]
