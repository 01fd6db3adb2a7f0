"""The Brier score of the rows of each class by itself."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.types import FloatArray
from imbkit.metrics._classwise import averaged, check_average, check_zero_division
from imbkit.metrics._counts import ratio
from imbkit.metrics._probabilities import check_probabilities

__all__ = ["stratified_brier_score"]


def stratified_brier_score(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = np.nan,
) -> float | FloatArray:
    """Brier score over the rows of each class separately; smaller is better.

    Choose it beside the Brier score, which the frequent class decides: probabilities may be
    far too low for all rows of a rare class and hardly change it. It is not proper: moving
    probabilities towards the rare class may lower the mean, so do not select or calibrate
    models by it alone. It keeps the name of the paper although it is a loss.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of the positive class, or of each class.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns; by default the sorted labels that occur.
    pos_label : str, bool or int, default=1
        The positive class, for one column of probabilities.
    average : {"macro", "weighted"} or None, default="macro"
        Mean over classes; that mean weighted by the rows of each class, which is the Brier
        score itself; or one value a class, for one column of probabilities the negative
        class first.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=NaN
        The value of a class without a row; NaN leaves it out of averages.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        From 0 to 1 for two classes, to 2 for more; an array for ``average=None``.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `average` or `zero_division` is not permitted.

    See Also
    --------
    brier_skill_score : One number for all rows, relative to the base rate.

    Notes
    -----
    For class k the mean over its rows of sum_j (p_j - [j = k])^2, halved for two classes as
    scikit-learn does: (1 - p)^2 over the positive rows and p^2 over the negative ones.

    References
    ----------
    B. C. Wallace, I. J. Dahabreh, "Class probability estimates are unreliable for imbalanced
    data (and how to fix them)", ICDM, 2012, doi:10.1109/ICDM.2012.115.

    Examples
    --------
    >>> from imbkit.metrics import stratified_brier_score
    >>> stratified_brier_score([0, 0, 0, 1], [0.1, 0.1, 0.1, 0.2], average=None).round(3).tolist()
    [0.01, 0.64]
    """
    who = "stratified_brier_score"
    check_average(who, average)
    check_zero_division(who, zero_division)
    given = check_probabilities(
        who, y_true, y_prob, labels=labels, pos_label=pos_label, sample_weight=sample_weight
    )
    n_classes = given.classes.size
    hit = np.take_along_axis(given.matrix, given.codes[:, None], axis=1)[:, 0]
    errors = (given.matrix**2).sum(axis=1) - 2.0 * hit + 1.0
    if n_classes == 2:
        errors /= 2.0
    support = np.bincount(given.codes, given.weight, n_classes).astype(float)
    total = np.bincount(given.codes, given.weight * np.maximum(errors, 0.0), n_classes)
    return averaged(ratio(total.astype(float), support, zero_division), average, support)
