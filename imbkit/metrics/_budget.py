"""Metrics of a ranking: what a number of alerts, or a limit on errors, buys.

A budget may end inside a group of rows with the same score. The value is then the expected
one over all orders of these rows, which is exact and does not depend on the order of the
rows: hits grow in proportion to the part of the group that is alerted.
"""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._confusion import check_targets, positive_label
from imbkit.metrics._counts import (
    Counts,
    check_ranking,
    check_weight,
    cumulate_weights,
    sweep_for,
)

__all__ = [
    "captured_amount_at_budget",
    "lift_score",
    "precision_at_budget",
    "recall_at_budget",
    "recall_at_fpr",
    "recall_at_precision",
]

# A rate may miss its limit by rounding where weights are fractions; equal must pass.
_SLACK = 1e-12


def precision_at_budget(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    budget: float,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of right alerts among the rows with the highest scores.

    Choose it when people can look at a fixed number of alerts and no cut-off is set.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    budget : int or float
        Whole number: alerts (weight, if weighted), from 1. Fraction: share of the rows (of
        the weight), above 0 and up to 1.0; it is not rounded to whole rows.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row; a weight of 2 is the same as the row twice.

    Returns
    -------
    float
        The expected precision over all orders of tied rows.

    Raises
    ------
    DataError
        If the data cannot be used or has fewer rows than `budget`.
    InvalidParameterError
        If `budget` is not positive, or a fraction above 1.

    See Also
    --------
    recall_at_budget : The share of positive rows that are found.
    lift_score : The precision relative to alerting at random.

    Notes
    -----
    O(n log n).

    Examples
    --------
    >>> from imbkit.metrics import precision_at_budget
    >>> precision_at_budget([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.7, 0.1], budget=2)
    0.5
    >>> precision_at_budget([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.7, 0.1], budget=3)
    0.5
    """
    who = "precision_at_budget"
    positive, weight = _check_truth(who, y_true, pos_label, sample_weight)
    alerts, hits, _ = _hits_at(who, positive, y_score, weight, budget)
    return hits / alerts


def recall_at_budget(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    budget: float,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Share of the positive rows among the rows with the highest scores.

    Choose it to ask how much of the fraud a team finds with the alerts it can look at.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    budget : int or float
        Number of alerts, or share of the rows; see :func:`precision_at_budget`.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value where there is no positive row.

    Returns
    -------
    float
        The expected recall over all orders of tied rows.

    Raises
    ------
    DataError
        If the data cannot be used or has fewer rows than `budget`.
    InvalidParameterError
        If `budget` is not positive, or a fraction above 1.

    See Also
    --------
    captured_amount_at_budget : The same in money.

    Examples
    --------
    >>> from imbkit.metrics import recall_at_budget
    >>> recall_at_budget([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.7, 0.1], budget=3)
    0.75
    >>> recall_at_budget([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.7, 0.1], budget=0.2)
    0.5
    """
    who = "recall_at_budget"
    positive, weight = _check_truth(who, y_true, pos_label, sample_weight)
    _, hits, every = _hits_at(who, positive, y_score, weight, budget)
    return hits / every if every else zero_division


def captured_amount_at_budget(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    amount: ArrayLike,
    budget: float,
    normalize: bool = False,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Amount of the positive rows among the rows with the highest scores.

    Choose it when the loss a team can stop counts, not the number of cases.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive, or more expected loss.
    amount : array-like of shape (n_rows,)
        Non-negative amount of each row, e.g. of each transaction.
    budget : int or float
        Number of alerts, or share of the rows; see :func:`precision_at_budget`.
    normalize : bool, default=False
        Divide by the amount of all positive rows.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The normalised value where the positive rows have no amount.

    Returns
    -------
    float
        The expected amount over all orders of tied rows.

    Raises
    ------
    DataError
        If the data cannot be used or has fewer rows than `budget`, or an amount is missing
        or negative.
    InvalidParameterError
        If `budget` is not positive, or a fraction above 1.

    See Also
    --------
    recall_at_budget : The same by number of rows.

    Examples
    --------
    >>> from imbkit.metrics import captured_amount_at_budget
    >>> captured_amount_at_budget(
    ...     [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], amount=[50.0, 10.0, 150.0, 5.0], budget=2
    ... )
    50.0
    """
    who = "captured_amount_at_budget"
    positive, weight = _check_truth(who, y_true, pos_label, sample_weight)
    worth = _check_amount(who, amount, positive.size)
    _, captured, every = _hits_at(who, positive, y_score, weight, budget, worth)
    if not normalize:
        return captured
    return captured / every if every else zero_division


def lift_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    budget: float = 0.1,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Precision among the rows with the highest scores, relative to alerting at random.

    Choose it to compare rankings across tables in which the class is not equally rare.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    budget : int or float, default=0.1
        Number of alerts, or share of the rows; see :func:`precision_at_budget`.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value where there is no positive row.

    Returns
    -------
    float
        1 is as good as chance; at most one over the share of positive rows.

    Raises
    ------
    DataError
        If the data cannot be used or has fewer rows than `budget`.
    InvalidParameterError
        If `budget` is not positive, or a fraction above 1.

    See Also
    --------
    precision_at_budget : The numerator.

    Examples
    --------
    >>> from imbkit.metrics import lift_score
    >>> lift_score([1, 0, 1, 0, 0, 0, 0, 0], [8, 7, 6, 5, 4, 3, 2, 1], budget=1)
    4.0
    """
    who = "lift_score"
    positive, weight = _check_truth(who, y_true, pos_label, sample_weight)
    alerts, hits, every = _hits_at(who, positive, y_score, weight, budget)
    return (hits / alerts) / (every / float(weight.sum())) if every else zero_division


def recall_at_fpr(
    y_true: ArrayLike,
    y_score: ArrayLike,
    max_fpr: float = 0.01,
    *,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Best recall of any cut-off whose false positive rate is within a limit.

    Choose it when false alarms are limited by law or by patience.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    max_fpr : float, default=0.01
        Largest permitted share of negative rows that are alerted, from 0 to 1.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value where one of the two classes has no row.

    Returns
    -------
    float
        The recall.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `max_fpr` is not between 0 and 1.

    See Also
    --------
    recall_at_precision : Limits the share of wrong alerts instead.

    Notes
    -----
    Exact over all cut-offs; nothing is interpolated, so rows with equal scores are alerted
    together or not at all.

    Examples
    --------
    >>> from imbkit.metrics import recall_at_fpr
    >>> recall_at_fpr([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.1], 0.4)
    1.0
    >>> recall_at_fpr([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.1], 0.3)
    0.5
    """
    _check_share("recall_at_fpr", "max_fpr", max_fpr)
    counts = _every_cut("recall_at_fpr", y_true, y_score, pos_label, sample_weight)
    if not counts.positives[0] or not counts.negatives[0]:
        return zero_division
    return float(counts.tpr[counts.fpr <= max_fpr + _SLACK].max(initial=0.0))


def recall_at_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    min_precision: float = 0.5,
    *,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Best recall of any cut-off whose precision reaches a limit.

    Choose it when a given share of the alerts must be right.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of two classes.
    y_score : array-like of shape (n_rows,)
        Scores, larger meaning more likely positive.
    min_precision : float, default=0.5
        Smallest permitted share of right alerts, from 0 to 1.
    pos_label : str, bool or int, default=1
        The positive class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value where there is no positive row.

    Returns
    -------
    float
        The recall; 0 where no cut-off reaches the precision, for then nothing is alerted.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `min_precision` is not between 0 and 1.

    See Also
    --------
    recall_at_fpr : Limits the share of negative rows that are alerted instead.

    Notes
    -----
    Exact over all cut-offs; nothing is interpolated, so rows with equal scores are alerted
    together or not at all.

    Examples
    --------
    >>> from imbkit.metrics import recall_at_precision
    >>> recall_at_precision([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.1], 0.6)
    1.0
    >>> recall_at_precision([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.1], 0.7)
    0.5
    """
    _check_share("recall_at_precision", "min_precision", min_precision)
    counts = _every_cut("recall_at_precision", y_true, y_score, pos_label, sample_weight)
    if not counts.positives[0]:
        return zero_division
    return float(counts.tpr[counts.precision >= min_precision - _SLACK].max(initial=0.0))


def _check_truth(
    who: str, y_true: ArrayLike, pos_label: object, sample_weight: ArrayLike | None
) -> tuple[BoolArray, FloatArray]:
    """Return which rows are positive, and a weight for each."""
    truth, _, present = check_targets(who, y_true, y_true)
    weight = check_weight(sample_weight, truth.size, who)
    positive = truth == positive_label(who, present, pos_label)
    return positive, np.ones(truth.size) if weight is None else weight


def _every_cut(
    who: str,
    y_true: ArrayLike,
    y_score: ArrayLike,
    pos_label: object,
    sample_weight: ArrayLike | None,
) -> Counts:
    positive, weight = _check_truth(who, y_true, pos_label, sample_weight)
    return sweep_for(who, positive, y_score, None if sample_weight is None else weight)[1]


def _hits_at(
    who: str,
    positive: BoolArray,
    y_score: ArrayLike,
    weight: FloatArray,
    budget: float,
    worth: FloatArray | float = 1.0,
) -> tuple[float, float, float]:
    """Return the alerts of a budget, their expected hits, and the hits that there are.

    A hit counts its weight times its worth.
    """
    _, score, _ = check_ranking(who, positive, y_score, None)
    _, tp, fp = cumulate_weights(positive, score, weight)
    _, hits, _ = cumulate_weights(positive, score, weight * worth)
    alerts = _check_budget(who, budget, float(tp[-1] + fp[-1]))
    # Between two cut-offs lie the tied rows.
    return alerts, float(np.interp(alerts, tp + fp, hits)), float(hits[-1])


def _check_budget(who: str, budget: float, total: float) -> float:
    """Return the budget as alerts."""
    if isinstance(budget, bool) or not isinstance(budget, Real) or not budget > 0:
        rule = "budget must be a number of alerts from 1, or a share of the rows above 0.0"
        raise InvalidParameterError(message(who, rule, budget))
    if not isinstance(budget, Integral):
        if budget > 1:
            rule = "budget as a share of the rows must not be above 1.0"
            todo = "Give a number of alerts as a whole number"
            raise InvalidParameterError(message(who, rule, budget, todo))
        return float(budget) * total
    if budget > total:
        rule = "budget must not be above the number of rows (their weight, if weighted)"
        raise DataError(message(who, rule, f"{budget} alerts and {total:,.15g} rows"))
    return float(budget)


def _check_amount(who: str, amount: ArrayLike, n_rows: int) -> FloatArray:
    amounts = np.asarray(amount, dtype=float)
    if amounts.shape != (n_rows,):
        rule = f"amount must hold one number for each of the {n_rows:,} rows"
        raise DataError(message(who, rule, f"shape {amounts.shape}"))
    good = np.isfinite(amounts) & (amounts >= 0)
    if not good.all():
        rule = "amount must be finite and not negative"
        raise DataError(message(who, rule, f"{(~good).sum():,} bad values"))
    return amounts


def _check_share(who: str, name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= 1:
        raise InvalidParameterError(message(who, f"{name} must be between 0 and 1", value))
