"""One number for the errors of all classes: a norm of the confusion matrix."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._confusion import check_labels, check_targets
from imbkit.metrics._counts import check_weight, ratio
from imbkit.metrics._numbers import check_between

__all__ = ["confusion_spectral_norm"]


def confusion_spectral_norm(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    prior: ArrayLike | None = None,
    smoothing: float = 0.2,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Spectral norm of the errors between classes, rare classes weighing more.

    Choose it as a report beside :func:`worst_class_recall_score`: it bounds the error of the
    worst class, moves when any pair of classes is confused, and is larger where the errors
    of several classes pile up on the same wrong class. Smaller is better.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    prior : array-like of shape (n_classes,), default=None
        How frequent each class is, in the order of `labels`, such as the numbers of training
        rows; by default the shares in `y_true`. Scaled to sum to one.
    smoothing : float, default=0.2
        Added to each share, from above 0; infinity weighs all classes alike.
    labels : array-like of shape (n_classes,), default=None
        The classes; by default the sorted labels that occur.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    float
        0 for perfect predictions. A class without a row in `y_true` adds nothing.

    Raises
    ------
    DataError
        If the labels, their lengths or the weights cannot be used.
    InvalidParameterError
        If `prior` or `smoothing` is not permitted.

    See Also
    --------
    worst_class_recall_score : One less the error of the worst class.

    Notes
    -----
    The largest singular value of M diag(w): M_ij is the share of class j predicted as i, with
    a zero diagonal, and w_j = 1 / sqrt(pi_j + smoothing) divided by its mean. The regulariser
    of the paper smooths M over batches and puts sigmoids in place of counts; this is the
    quantity itself. O(n log n + K^3) for K classes.

    References
    ----------
    Z. Zhu et al., "Confusion-aware spectral regularizer for long-tailed recognition", 2026,
    arXiv:2603.16732.

    Examples
    --------
    >>> from imbkit.metrics import confusion_spectral_norm
    >>> round(confusion_spectral_norm([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0]), 3)
    0.56
    """
    who = "confusion_spectral_norm"
    smooth = check_between(who, "smoothing", smoothing, 0.0, np.inf, excluded="low")
    truth, guess, present = check_targets(who, y_true, y_pred)
    weight = check_weight(sample_weight, truth.size, who)
    weight = np.ones(truth.size) if weight is None else weight
    if not weight.all():
        used = weight > 0
        truth, guess, weight = truth[used], guess[used], weight[used]
        present = np.union1d(truth, guess)
    classes = present if labels is None else np.sort(check_labels(who, labels, present))
    unknown = np.setdiff1d(present, classes)
    if unknown.size:
        rule = "labels must name every class that occurs"
        raise DataError(message(who, rule, f"no entry for {listing(unknown.tolist())}"))
    n = classes.size
    cell = np.searchsorted(classes, guess) * n + np.searchsorted(classes, truth)
    counts = np.bincount(cell, weight, n * n).reshape(n, n).astype(float)
    support = counts.sum(axis=0)
    share = support / support.sum()
    if prior is not None:
        given = _check_prior(who, prior, n)
        order = np.argsort(np.asarray(present if labels is None else labels))
        share = given[order]
    column = np.ones(n) if np.isinf(smooth) else 1.0 / np.sqrt(share + smooth)
    np.fill_diagonal(counts, 0.0)
    errors = ratio(counts, support[None, :]) * (column / column.mean())
    return float(np.linalg.norm(errors, 2))


def _check_prior(who: str, prior: ArrayLike, n_classes: int) -> FloatArray:
    share = np.asarray(prior, dtype=float)
    if share.shape != (n_classes,) or not (np.isfinite(share) & (share >= 0)).all():
        rule = f"prior must hold a number of at least 0 for each of the {n_classes} classes"
        raise InvalidParameterError(message(who, rule, prior))
    if not share.any():
        raise InvalidParameterError(message(who, "prior must not be all zero", prior))
    return np.asarray(share / share.sum())
