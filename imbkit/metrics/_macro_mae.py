"""Distance between true and predicted grade: the mean over grades, and the worst of them."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError
from imbkit.metrics._classwise import averaged, check_average, check_zero_division
from imbkit.metrics._confusion import check_labels, check_targets
from imbkit.metrics._counts import check_weight, ratio
from imbkit.metrics._grade_order import categories_of

__all__ = ["macro_mae_score", "max_mae_score"]


def macro_mae_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: float = np.nan,
) -> float | FloatArray:
    """Mean over grades of the mean distance to the predicted grade; smaller is better.

    Choose it for ordered classes of which some are rare: the mean over rows hardly notices
    that a rare last stage is taken for the first. It keeps the literature's name although it
    is an error.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True grades.
    y_pred : array-like of shape (n_rows,)
        Predicted grades.
    labels : array-like of shape (n_classes,), default=None
        The grades from first to last, each one step from the next; needed for strings, unless
        `y_true` is an ordered categorical. By default grades are whole numbers and their
        difference is the distance.
    average : {"macro", "weighted"} or None, default="macro"
        Mean over grades; that mean weighted by the rows of each grade, which is the plain
        mean absolute error; or one value a grade.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=NaN
        The value of a grade of `labels` without a row in `y_true`; NaN leaves it out of
        averages.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        0 is perfect; an array for ``average=None``, of `labels` or of the sorted grades of
        `y_true`.

    Raises
    ------
    DataError
        If the grades, their lengths or the weights cannot be used.
    InvalidParameterError
        If `average` or `zero_division` is not permitted.

    See Also
    --------
    macro_averaged_mean_absolute_error : imbalanced-learn's name, without these options.
    max_mae_score : The grade that fares worst.
    ranked_probability_loss : The same distance for probabilities, and proper.
    sklearn.metrics.cohen_kappa_score : With ``weights="quadratic"`` the agreement beyond chance.

    Notes
    -----
    ``1/K sum_k 1/n_k sum over rows of grade k of abs(k - predicted)``.

    References
    ----------
    S. Baccianella, A. Esuli, F. Sebastiani, "Evaluation measures for ordinal regression",
    ISDA, 2009, doi:10.1109/ISDA.2009.230.

    Examples
    --------
    >>> from imbkit.metrics import macro_mae_score
    >>> macro_mae_score([1, 1, 1, 3], [1, 1, 1, 1])
    1.0
    >>> macro_mae_score(["mild", "grave"], ["mild", "mild"], labels=["mild", "worse", "grave"])
    1.0
    """
    who = "macro_mae_score"
    check_average(who, average)
    check_zero_division(who, zero_division)
    error, support = _error_of_grades(who, y_true, y_pred, labels, sample_weight, zero_division)
    return averaged(error, average, support)


def max_mae_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean distance to the predicted grade, of the grade that fares worst; smaller is better.

    Choose it beside :func:`macro_mae_score` when no stage may be given up: there many frequent
    grades make up for a rare one. It looks at one grade alone, often one of few rows: it is
    noisy, and no guide among models that all give up some grade. It is named like its
    companion although it is an error.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True grades.
    y_pred : array-like of shape (n_rows,)
        Predicted grades.
    labels : array-like of shape (n_classes,), default=None
        The grades from first to last, each one step from the next; needed for strings, unless
        `y_true` is an ordered categorical. By default grades are whole numbers and their
        difference is the distance.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    float
        0 is perfect, and the most that K grades one step apart allow is K - 1. Grades without
        a row in `y_true` are left out.

    Raises
    ------
    DataError
        If the grades, their lengths or the weights cannot be used.

    See Also
    --------
    macro_mae_score : The mean over grades; one value a grade with ``average=None``.
    worst_class_recall_score : The worst class where grades are not ordered.

    Notes
    -----
    ``max_k 1/n_k sum over rows of grade k of abs(k - predicted)``, called MMAE by its authors.

    References
    ----------
    M. Cruz-Ramirez, C. Hervas-Martinez, J. Sanchez-Monedero, P. A. Gutierrez, "Metrics to guide
    a multi-objective evolutionary algorithm for ordinal classification", Neurocomputing 135,
    2014, doi:10.1016/j.neucom.2013.05.058.

    Examples
    --------
    >>> from imbkit.metrics import macro_mae_score, max_mae_score
    >>> y_true, y_pred = [1, 1, 1, 2, 2, 3], [1, 1, 1, 2, 1, 1]
    >>> max_mae_score(y_true, y_pred), round(macro_mae_score(y_true, y_pred), 3)
    (2.0, 0.833)
    """
    error, _ = _error_of_grades("max_mae_score", y_true, y_pred, labels, sample_weight, np.nan)
    return float(np.nanmax(error))


def _error_of_grades(
    who: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    labels: ArrayLike | None,
    sample_weight: ArrayLike | None,
    zero_division: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the mean distance of each grade, and the weight of its rows."""
    truth, guess, present = check_targets(who, y_true, y_pred)
    weight = check_weight(sample_weight, truth.size, who)
    weight = np.ones(truth.size) if weight is None else weight
    if labels is None and present.dtype.kind not in "biuf":
        labels = categories_of(y_true)
        if labels is None:
            rule = "grades must be whole numbers"
            todo = "Pass labels=, the grades from first to last, or an ordered categorical y_true"
            raise DataError(message(who, rule, listing(present.tolist()), todo))
    if labels is None:
        grades, codes = np.unique(truth, return_inverse=True)
        error = np.abs(truth.astype(float) - guess.astype(float))
    else:
        grades = check_labels(who, labels, present)
        unknown = np.setdiff1d(present, grades)
        if unknown.size:
            rule = "labels must name every grade that occurs"
            raise DataError(message(who, rule, f"no place for {listing(unknown.tolist())}"))
        order = np.argsort(grades)
        codes = order[np.searchsorted(grades, truth, sorter=order)]
        guessed = order[np.searchsorted(grades, guess, sorter=order)]
        error = np.abs(codes - guessed).astype(float)
    support = np.bincount(codes, weight, grades.size).astype(float)
    total = np.bincount(codes, weight * error, grades.size).astype(float)
    return ratio(total, support, zero_division), support
