"""From the scores of several folds to one threshold."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ThresholdWarning
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._curve import Curve, average

__all__ = ["Choice", "Fold", "Pooling", "choose", "fold_of"]

Pooling = Literal["pooled", "mean", "median", "curve"]


@dataclass(frozen=True, slots=True)
class Fold:
    """What a rule needs to know of some rows.

    Parameters
    ----------
    y_true : ndarray of bool, shape (n_rows,)
        Whether each row is positive.
    y_score : ndarray of shape (n_rows,)
        Scores, as the rule rescored them.
    sample_weight : ndarray of shape (n_rows,) or None
        Positive weights.
    row_values : dict of ndarray of shape (n_rows,)
        The values that the rule asks for.
    """

    y_true: BoolArray
    y_score: FloatArray
    sample_weight: FloatArray | None
    row_values: dict[str, AnyArray]

    def take(self, rows: IntArray) -> "Fold":
        """Return some of the rows, as often as they are asked for."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        values = {name: each[rows] for name, each in self.row_values.items()}
        return Fold(self.y_true[rows], self.y_score[rows], weight, values)

    def curve(self, rule: BaseRule) -> Curve:
        """Return the rule's objective at every cut-off of these rows."""
        return rule.curve(self.y_true, self.y_score, self.sample_weight, **self.row_values)

    def has_both_classes(self) -> bool:
        """Whether there is anything to separate."""
        return bool(self.y_true.any() and not self.y_true.all())


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and where it comes from.

    Parameters
    ----------
    threshold : float
        The threshold.
    curve : Curve
        The objective it was read from, or for thresholds averaged over folds the objective
        on all rows.
    score : float
        The objective at the threshold on all rows.
    everything : Fold
        The rows of all folds.
    fold_thresholds : ndarray of shape (n_folds,)
        Each fold's own optimum; NaN where it has none.
    fold_curves : list of Curve or None
        Each fold's own objective; None where it lacks a class.
    """

    threshold: float
    curve: Curve
    score: float
    everything: Fold
    fold_thresholds: FloatArray
    fold_curves: list[Curve | None]


def choose(rule: BaseRule, folds: Sequence[Fold], pooling: Pooling, who: str) -> Choice:
    """Choose one threshold for all folds.

    Parameters
    ----------
    rule : BaseRule
        What is best.
    folds : sequence of Fold
        At least one.
    pooling : {"pooled", "mean", "median", "curve"}
        How the folds are combined.
    who : str
        The class that messages speak for.

    Returns
    -------
    Choice
        The threshold and its circumstances.

    Raises
    ------
    DataError
        If no fold (for "pooled": not all folds together) has rows of both classes.
    """
    everything = _concatenate(folds)
    usable = [fold.has_both_classes() for fold in folds]
    _check_classes(usable, everything, pooling, who)
    pooled = everything.curve(rule)
    curves = [fold.curve(rule) if ok else None for fold, ok in zip(folds, usable, strict=True)]
    optima = np.array([_own_optimum(rule, curve) for curve in curves])
    curve = pooled
    if pooling == "curve":
        curve = average([each for each in curves if each is not None])
    if pooling in ("pooled", "curve"):
        threshold = rule.threshold(curve)
    else:
        threshold = _middle(folds, optima, pooling, who)
    score = float(pooled.at(threshold))
    if score == -np.inf and pooled.feasible:
        what = f"the {pooling} of the folds' thresholds should satisfy the rule on all rows"
        todo = "It breaks the rule's limit; pooling='pooled' keeps it"
        warn(message(who, what, f"{threshold:.6g}", todo), ThresholdWarning)
    return Choice(threshold, curve, score, everything, optima, curves)


def fold_of(
    rule: BaseRule,
    rows: IntArray,
    scores: FloatArray,
    positive: BoolArray,
    weight: FloatArray | None,
    row_values: dict[str, AnyArray],
) -> Fold:
    """Put together what a rule needs of some rows; rows without weight are as good as absent."""
    if weight is not None:
        present = weight[rows] > 0
        rows, scores = rows[present], scores[present]
    values = {name: each[rows] for name, each in row_values.items()}
    scores = rule.rescored(scores, **{name: values[name] for name in rule.decision_names()})
    return Fold(positive[rows], scores, None if weight is None else weight[rows], values)


def _own_optimum(rule: BaseRule, curve: Curve | None) -> float:
    """Return what a fold by itself would choose; NaN where it has no choice."""
    if curve is None or not curve.feasible:
        return np.nan
    with warnings.catch_warnings():
        # A warning for each fold would say no more than the one for all rows.
        warnings.simplefilter("ignore", ThresholdWarning)
        return rule.threshold(curve)


def _concatenate(folds: Sequence[Fold]) -> Fold:
    if len(folds) == 1:
        return folds[0]
    weights = [fold.sample_weight for fold in folds if fold.sample_weight is not None]
    return Fold(
        y_true=np.concatenate([fold.y_true for fold in folds]),
        y_score=np.concatenate([fold.y_score for fold in folds]),
        sample_weight=np.concatenate(weights) if weights else None,
        row_values={
            name: np.concatenate([fold.row_values[name] for fold in folds])
            for name in folds[0].row_values
        },
    )


def _check_classes(usable: list[bool], everything: Fold, pooling: Pooling, who: str) -> None:
    """Complain about folds in which there is nothing to separate."""
    if all(usable):
        return
    single = usable.count(False)
    got = f"{single} of {len(usable)} test folds with rows of one class only"
    if not (everything.has_both_classes() if pooling == "pooled" else any(usable)):
        rule = "the threshold must be chosen on rows of both classes"
        todo = "Use fewer folds, or stratified ones"
        raise DataError(message(who, rule, got, todo))
    rule = "every test fold should hold rows of both classes"
    fate = "All rows are swept together; only the interval of the threshold leaves these folds out"
    if pooling != "pooled":
        fate = "These folds are left out; pooling='pooled' would use their rows"
    warn(message(who, rule, got, fate), ThresholdWarning)


def _middle(folds: Sequence[Fold], optima: FloatArray, pooling: Pooling, who: str) -> float:
    """Return the mean or median of the folds' optima, a number of the scores' dtype."""
    known = ~np.isnan(optima)
    if not known.any():
        rule, todo = "at least one fold must satisfy the rule", "Loosen the rule's constraint"
        raise DataError(message(who, rule, f"none of {len(folds)}", todo))
    optima = optima[known]
    if np.isfinite(optima).any():
        # A fold that would rather alert no row counts by its largest score: the mean with
        # infinity would tell nothing of the other folds.
        kept = [fold.y_score for fold, ok in zip(folds, known, strict=True) if ok]
        ends = np.array([_finite_ends(scores) for scores in kept])
        optima = np.where(np.isinf(optima), np.clip(optima, ends[:, 0], ends[:, 1]), optima)
    middle = np.mean(optima) if pooling == "mean" else np.median(optima)
    return float(np.result_type(*(fold.y_score for fold in folds)).type(middle))


def _finite_ends(scores: FloatArray) -> tuple[float, float]:
    finite = scores[np.isfinite(scores)]
    if not finite.size:
        return -np.inf, np.inf
    return float(finite.min()), float(finite.max())
