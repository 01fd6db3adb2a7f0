"""Proper losses of one class's probability, taken from the probabilities of all classes."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message, shorten
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import DataError
from imbkit.metrics._grade_order import classes_in_columns
from imbkit.metrics._probabilities import check_probabilities

__all__ = ["rare_brier_loss", "rare_log_loss"]


def rare_log_loss(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    pos_label: object = None,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Log-loss of one class against the rest, the last class by default; smaller is better.

    Choose it to compare models of many classes by the probability of the one that matters,
    such as the rare last stage of a funnel: in the log-loss of all classes the frequent ones
    decide. It is proper, so models may be chosen by it. It is 0.056 for a class of one row in a
    hundred of which only the share is known: compare with a constant, or by
    :func:`log_loss_skill_score` of that class's column.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True classes.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probability of each class, or of the one class.
    pos_label : str, bool or int, default=None
        The class. None takes the last column; for one column of probabilities 1 of {0, 1} or
        {-1, 1}.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns (the model's ``classes_``). By default the sorted classes
        that occur; of strings, which class is the last must then be said by `pos_label`. A
        categorical `y_true` whose order is not the sorted one needs `labels`: some models keep
        that order, others sort.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    float
        0 is perfect.

    Raises
    ------
    DataError
        If the data cannot be used, or it is not known which class is the last.

    See Also
    --------
    rare_brier_loss : Bounded, and kinder to confident mistakes.
    log_loss_skill_score : Of all classes, relative to their shares.
    sklearn.metrics.log_loss : Of all classes; its columns must be in sorted order.

    Notes
    -----
    The mean of ``-log p`` over the rows of the class and of ``-log(1 - p)`` over the others,
    both kept 2.2e-16 away from ``log 0`` as in scikit-learn. The other columns count only for
    their sum.

    Examples
    --------
    >>> from imbkit.metrics import rare_log_loss
    >>> stages, y = ["look", "cart", "buy"], ["look", "buy", "cart"]
    >>> y_prob = [[0.7, 0.2, 0.1], [0.2, 0.3, 0.5], [0.5, 0.4, 0.1]]
    >>> round(rare_log_loss(y, y_prob, labels=stages), 3)
    0.301
    """
    who = "rare_log_loss"
    hit, prob, weight = _one_class(who, y_true, y_prob, pos_label, labels, sample_weight)
    least = np.finfo(np.float64).eps
    prob = np.clip(prob, least, 1.0 - least)
    return float(np.average(-np.where(hit, np.log(prob), np.log1p(-prob)), weights=weight))


def rare_brier_loss(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    pos_label: object = None,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Brier score of one class against the rest, the last class by default; smaller is better.

    Choose it over the Brier score of all classes to compare models by the probability of the
    one that matters, and over :func:`rare_log_loss` where one confident mistake must not
    decide. It is proper. It is 0.0099 for a class of one row in a hundred of which only the
    share is known: compare with a constant, or by :func:`brier_skill_score` of that class's column.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True classes.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probability of each class, or of the one class.
    pos_label : str, bool or int, default=None
        The class. None takes the last column; for one column of probabilities 1 of {0, 1} or
        {-1, 1}.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns (the model's ``classes_``). By default the sorted classes
        that occur; of strings, which class is the last must then be said by `pos_label`. A
        categorical `y_true` whose order is not the sorted one needs `labels`: some models keep
        that order, others sort.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    float
        From 0, perfect, to 1.

    Raises
    ------
    DataError
        If the data cannot be used, or it is not known which class is the last.

    See Also
    --------
    rare_log_loss : Tells probabilities of 0.001 and 0.01 apart.
    ranked_probability_loss : All boundaries of ordered classes; this is its last.
    brier_skill_score : Of all classes, relative to their shares.
    stratified_brier_score : Over the rows of each class by itself; not proper.

    Notes
    -----
    The mean of ``(p - [y is the class])^2``, from 0 to 1 as for two classes. The other columns
    are not looked at.

    Examples
    --------
    >>> from imbkit.metrics import rare_brier_loss
    >>> stages, y = ["look", "cart", "buy"], ["look", "buy", "cart"]
    >>> y_prob = [[0.7, 0.2, 0.1], [0.2, 0.3, 0.5], [0.5, 0.4, 0.1]]
    >>> round(rare_brier_loss(y, y_prob, labels=stages), 3)
    0.09
    """
    who = "rare_brier_loss"
    hit, prob, weight = _one_class(who, y_true, y_prob, pos_label, labels, sample_weight)
    return float(np.average((prob - hit) ** 2, weights=weight))


def _one_class(
    who: str,
    y_true: ArrayLike,
    y_prob: ArrayLike,
    pos_label: object,
    labels: ArrayLike | None,
    sample_weight: ArrayLike | None,
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Return which rows are of the class, its probabilities and the weights."""
    if np.ndim(y_prob) == 2:
        # Where the class is named, columns of strings may well stand in the order of letters.
        labels = classes_in_columns(who, y_true, labels, ordered=pos_label is None)
    given = check_probabilities(
        who, y_true, y_prob, labels=labels, pos_label=pos_label, sample_weight=sample_weight
    )
    column = given.classes.size - 1
    if pos_label is not None and not given.two_sided:
        found = [k for k, label in enumerate(given.classes.tolist()) if label == pos_label]
        if not found:
            rule = "pos_label must be one of the classes of the columns"
            got = f"{shorten(pos_label)} and the classes {listing(given.classes.tolist())}"
            raise DataError(message(who, rule, got))
        column = found[0]
    return given.codes == column, given.matrix[:, column], given.weight
