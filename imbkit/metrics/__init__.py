"""Metrics for rare classes: one formula is metric, scorer, curve and threshold objective.

- A count metric is a formula over :class:`Counts`, the four weights of a two-class confusion
  matrix. Its fields are scalars, or arrays with one entry a cut-off or a class.
- Called with labels and predictions it is a metric: ``f1_score(y_true, y_pred)``.
- ``f1_score.of(counts)`` applies it to counts; with ``cuts, counts = sweep(y_true, y_score)``
  that is the curve over all cut-offs, and ``cuts[f1_score.of(counts).argmax()]`` the best.
- ``get_metric("f1")`` finds it by name; ``get_scorer("f1")`` makes it a scorer.
- Metrics in money, of a budget of alerts, or under a limit on errors are plain functions with
  ``pos_label`` and ``sample_weight``; ``get_scorer`` knows them too. Those of scores and
  probabilities also take one column a class, each class against the rest.
- Curves and reports are frozen dataclasses of arrays. :func:`bootstrap_interval` gives any
  metric an interval, :func:`proportion_interval` a plain share.

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
from imbkit.metrics._average_precision import (
    average_precision_from_fpr,
    average_precision_skill_score,
)
from imbkit.metrics._bootstrap import BootstrapInterval, bootstrap_interval
from imbkit.metrics._budget import (
    captured_amount_at_budget,
    lift_score,
    precision_at_budget,
    recall_at_budget,
    recall_at_fpr,
    recall_at_precision,
)
from imbkit.metrics._calibration_error import (
    classwise_calibration_error,
    predicted_positive_calibration_error,
)
from imbkit.metrics._confusion_norm import confusion_spectral_norm
from imbkit.metrics._cost import expected_cost, savings_score
from imbkit.metrics._cost_curve import CostCurve, cost_curve
from imbkit.metrics._count_metric import CountMetric, count_metric
from imbkit.metrics._counts import Counts, sweep
from imbkit.metrics._detection_cost import detection_cost_at_fpr
from imbkit.metrics._f1_gmean import f1_gmean_key, f1_gmean_score
from imbkit.metrics._flips import negative_flip_rate, positive_flip_rate
from imbkit.metrics._gain import GainCurve, cumulative_gain_curve
from imbkit.metrics._group_ranking import GroupRanking, per_group_ranking_report
from imbkit.metrics._h_measure import h_measure_score
from imbkit.metrics._macro_mae import macro_mae_score, max_mae_score
from imbkit.metrics._partial_roc_auc import partial_roc_auc_score
from imbkit.metrics._proportion import proportion_interval
from imbkit.metrics._ranked_probability import ranked_probability_loss
from imbkit.metrics._rare_loss import rare_brier_loss, rare_log_loss
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
from imbkit.metrics._relative import balanced_reference_rows, relative_score
from imbkit.metrics._reliability import ReliabilityCurve, reliability_curve
from imbkit.metrics._scorers import get_metric, get_scorer, metric_names
from imbkit.metrics._separation import equal_error_rate, ks_score
from imbkit.metrics._shots import ShotReport, shot_report
from imbkit.metrics._skill import brier_skill_score, log_loss_skill_score
from imbkit.metrics._stratified_brier import stratified_brier_score
from imbkit.metrics._time_to_detection import DetectionTimes, time_to_detection
from imbkit.metrics._top_share import TopShare, top_share_reliability
from imbkit.metrics._worst_class import worst_class_recall_score

__all__ = [
    "BootstrapInterval",
    "CostCurve",
    "CountMetric",
    "Counts",
    "DetectionTimes",
    "GainCurve",
    "GroupRanking",
    "ReliabilityCurve",
    "ShotReport",
    "TopShare",
    "accuracy_score",
    "average_precision_from_fpr",
    "average_precision_skill_score",
    "balanced_accuracy_score",
    "balanced_reference_rows",
    "bootstrap_interval",
    "brier_skill_score",
    "captured_amount_at_budget",
    "classification_report_imbalanced",
    "classwise_calibration_error",
    "cohen_kappa_score",
    "confusion_spectral_norm",
    "cost_curve",
    "count_metric",
    "cumulative_gain_curve",
    "detection_cost_at_fpr",
    "equal_error_rate",
    "expected_cost",
    "f1_gmean_key",
    "f1_gmean_score",
    "f1_score",
    "fbeta_score",
    "fowlkes_mallows_score",
    "geometric_mean_score",
    "get_metric",
    "get_scorer",
    "gmean_score",
    "h_measure_score",
    "iba_score",
    "informedness_score",
    "jaccard_score",
    "ks_score",
    "lift_score",
    "log_loss_skill_score",
    "macro_averaged_mean_absolute_error",
    "macro_mae_score",
    "make_index_balanced_accuracy",
    "markedness_score",
    "matthews_corrcoef",
    "max_mae_score",
    "metric_names",
    "negative_flip_rate",
    "npv_score",
    "partial_roc_auc_score",
    "per_group_ranking_report",
    "positive_flip_rate",
    "precision_at_budget",
    "precision_score",
    "predicted_positive_calibration_error",
    "proportion_interval",
    "ranked_probability_loss",
    "rare_brier_loss",
    "rare_log_loss",
    "recall_at_budget",
    "recall_at_fpr",
    "recall_at_precision",
    "recall_score",
    "relative_score",
    "reliability_curve",
    "savings_score",
    "sensitivity_score",
    "sensitivity_specificity_support",
    "shot_report",
    "specificity_score",
    "stratified_brier_score",
    "sweep",
    "time_to_detection",
    "top_share_reliability",
    "worst_class_recall_score",
]
