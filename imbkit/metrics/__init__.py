"""Metrics for rare classes: one formula is metric, scorer, curve and threshold objective.

- A count metric is a formula over :class:`Counts`, the four weights of a two-class confusion
  matrix. Its fields are scalars, or arrays with one entry a cut-off or a class.
- Called with labels and predictions it is a metric: ``f1_score(y_true, y_pred)``.
- ``f1_score.of(counts)`` applies it to counts; with ``cuts, counts = sweep(y_true, y_score)``
  that is the curve over all cut-offs, and ``cuts[f1_score.of(counts).argmax()]`` the best.
- ``get_metric("f1")`` finds it by name; ``get_scorer("f1")`` makes it a scorer.
- Metrics in money, of a budget of alerts, or under a limit on errors are plain functions with
  ``pos_label`` and ``sample_weight``; ``get_scorer`` knows them too.

To add a count metric, write a function of :class:`Counts` whose keyword parameters have
defaults, decorate it with :func:`count_metric`, import it here and add its name to
``__all__``. A metric of many classes at once takes ``count_metric(over="classes")``: its counts
then have one entry a class along the first axis.
"""

from imbkit.metrics._aliases import (
    classification_report_imbalanced,
    geometric_mean_score,
    macro_averaged_mean_absolute_error,
    make_index_balanced_accuracy,
    sensitivity_specificity_support,
)
from imbkit.metrics._association import (
    cohen_kappa_score,
    fowlkes_mallows_score,
    iba_score,
    informedness_score,
    markedness_score,
    matthews_corrcoef,
)
from imbkit.metrics._budget import (
    captured_amount_at_budget,
    lift_score,
    precision_at_budget,
    recall_at_budget,
    recall_at_fpr,
    recall_at_precision,
)
from imbkit.metrics._cost import expected_cost, savings_score
from imbkit.metrics._count_metric import CountMetric, count_metric
from imbkit.metrics._counts import Counts, sweep
from imbkit.metrics._rates import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    fbeta_score,
    gmean_score,
    jaccard_score,
    npv_score,
    precision_score,
    recall_score,
    sensitivity_score,
    specificity_score,
)
from imbkit.metrics._scorers import get_metric, get_scorer, metric_names

__all__ = [
    "CountMetric",
    "Counts",
    "accuracy_score",
    "balanced_accuracy_score",
    "captured_amount_at_budget",
    "classification_report_imbalanced",
    "cohen_kappa_score",
    "count_metric",
    "expected_cost",
    "f1_score",
    "fbeta_score",
    "fowlkes_mallows_score",
    "geometric_mean_score",
    "get_metric",
    "get_scorer",
    "gmean_score",
    "iba_score",
    "informedness_score",
    "jaccard_score",
    "lift_score",
    "macro_averaged_mean_absolute_error",
    "make_index_balanced_accuracy",
    "markedness_score",
    "matthews_corrcoef",
    "metric_names",
    "npv_score",
    "precision_at_budget",
    "precision_score",
    "recall_at_budget",
    "recall_at_fpr",
    "recall_at_precision",
    "recall_score",
    "savings_score",
    "sensitivity_score",
    "sensitivity_specificity_support",
    "specificity_score",
    "sweep",
]
