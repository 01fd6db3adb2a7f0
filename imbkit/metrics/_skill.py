"""Losses of probabilities, relative to those of knowing only how frequent each class is."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._classwise import check_zero_division
from imbkit.metrics._probabilities import Probabilities, check_probabilities

__all__ = ["brier_skill_score", "log_loss_skill_score"]


def brier_skill_score(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    reference: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Share of the Brier score of the base rate that the probabilities save.

    Choose it over the Brier score where a class is rare: there the score is small for any
    model, and 0.002 says nothing without the base rate beside it.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of the positive class, or of each class.
    reference : float or array-like of shape (n_classes,), default=None
        Probability of the positive class, or of each class, to compare with, such as the
        shares of the training rows; by default the shares in `y_true`.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns; by default the sorted labels that occur.
    pos_label : str, bool or int, default=1
        The positive class, for one column of probabilities.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value where the reference makes no error, as when all rows are of one class.

    Returns
    -------
    float
        1 is perfect, 0 no better than the reference, below 0 worse.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `reference` or `zero_division` is not permitted.

    See Also
    --------
    stratified_brier_score : The Brier score of each class by itself.
    log_loss_skill_score : The same for the log-loss, harder on confident mistakes.

    Notes
    -----
    1 - B / B0, with B the mean over rows of sum_k (p_k - [y = k])^2 and B0 that of the
    reference; for two classes B0 = 2 pi (1 - pi) if the reference is the share pi of the
    positive class. Natively of many classes.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
    Weather Review 78, 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> from imbkit.metrics import brier_skill_score
    >>> round(brier_skill_score([0, 0, 0, 1], [0.1, 0.2, 0.2, 0.6]), 3)
    0.667
    >>> brier_skill_score([0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25])
    0.0
    """
    who = "brier_skill_score"
    given, shares = _both(
        who, y_true, y_prob, reference, labels, pos_label, sample_weight, zero_division
    )
    hit = np.take_along_axis(given.matrix, given.codes[:, None], axis=1)[:, 0]
    errors = (given.matrix**2).sum(axis=1) - 2.0 * hit + 1.0
    of_reference = (shares**2).sum() - 2.0 * shares[given.codes] + 1.0
    return _saved(given.weight @ errors, given.weight @ of_reference, zero_division)


def log_loss_skill_score(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    reference: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> float:
    """Share of the log-loss of the base rate that the probabilities save.

    Choose it over :func:`brier_skill_score` where small probabilities must be right to a
    factor: 0.001 and 0.01 are much the same to the Brier score.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of the positive class, or of each class.
    reference : float or array-like of shape (n_classes,), default=None
        Probability of the positive class, or of each class, to compare with, such as the
        shares of the training rows; by default the shares in `y_true`.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns; by default the sorted labels that occur.
    pos_label : str, bool or int, default=1
        The positive class, for one column of probabilities.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        The value where the reference has no loss, as when all rows are of one class.

    Returns
    -------
    float
        1 is perfect, 0 no better than the reference, below 0 worse.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `reference` or `zero_division` is not permitted.

    See Also
    --------
    brier_skill_score : Bounded, and kinder to confident mistakes.

    Notes
    -----
    1 - L / L0, with L the mean of -log p of the true class, p kept 2.2e-16 away from 0 as in
    scikit-learn, and L0 that of the reference; the entropy of the class shares by default.
    Natively of many classes. In the information-theory literature it is the proportion of
    entropy explained, in regression McFadden's pseudo R squared.

    Examples
    --------
    >>> from imbkit.metrics import log_loss_skill_score
    >>> round(log_loss_skill_score([0, 0, 0, 1], [0.1, 0.2, 0.2, 0.6]), 3)
    0.528
    """
    who = "log_loss_skill_score"
    given, shares = _both(
        who, y_true, y_prob, reference, labels, pos_label, sample_weight, zero_division
    )
    hit = np.take_along_axis(given.matrix, given.codes[:, None], axis=1)[:, 0]
    least = np.finfo(float).eps
    loss = -np.log(np.clip(hit, least, 1.0))
    of_reference = -np.log(np.clip(shares[given.codes], least, 1.0))
    return _saved(given.weight @ loss, given.weight @ of_reference, zero_division)


def _both(
    who: str,
    y_true: ArrayLike,
    y_prob: ArrayLike,
    reference: ArrayLike | None,
    labels: ArrayLike | None,
    pos_label: object,
    sample_weight: ArrayLike | None,
    zero_division: float,
) -> tuple[Probabilities, FloatArray]:
    """Return the checked probabilities, and the reference's of each class."""
    check_zero_division(who, zero_division)
    given = check_probabilities(
        who, y_true, y_prob, labels=labels, pos_label=pos_label, sample_weight=sample_weight
    )
    n_classes = given.classes.size
    if reference is None:
        support = np.bincount(given.codes, given.weight, n_classes)
        return given, support / support.sum()
    return given, _check_reference(who, reference, n_classes, given.two_sided)


def _check_reference(who: str, reference: Any, n_classes: int, two_sided: bool) -> FloatArray:
    shares = np.asarray(reference, dtype=float)
    if two_sided and shares.shape == ():
        shares = np.array([1.0 - shares, shares])
    good = shares.shape == (n_classes,) and bool(((shares >= 0) & (shares <= 1)).all())
    if not good or abs(shares.sum() - 1.0) > 1e-6:
        rule = f"reference must hold {n_classes} probabilities that sum to 1"
        rule += ", or be the probability of the positive class" * two_sided
        raise InvalidParameterError(message(who, rule, reference))
    return shares


def _saved(loss: Any, of_reference: Any, zero_division: float) -> float:
    return 1.0 - float(loss) / float(of_reference) if of_reference > 0 else float(zero_division)
