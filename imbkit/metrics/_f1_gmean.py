"""F1 first, then the G-mean: two models of about the same F1 are told apart by the second."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._count_metric import count_metric
from imbkit.metrics._counts import Counts
from imbkit.metrics._numbers import check_between
from imbkit.metrics._rates import f1_score, gmean_score

__all__ = ["f1_gmean_key", "f1_gmean_score"]


def f1_gmean_key(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    f1_tol: float = 0.005,
    pos_label: object = 1,
    average: str = "binary",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> tuple[int, float]:
    """Return a key to sort models by: their F1 in steps of a tolerance, then their G-mean.

    Choose it over F1 where models differ by less than F1 can tell, and no class may be given
    up for that last digit.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    f1_tol : float, default=0.005
        Width of the steps in which F1 counts, above 0 and up to 1.
    pos_label : str, bool or int, default=1
        The positive class, for "binary".
    average : {"binary", "macro"}, default="binary"
        F1 of the positive class, or the mean over classes. The G-mean is that of the recalls
        of all classes in either case.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    zero_division : float, default=0.0
        Value of a ratio without a row in its denominator.

    Returns
    -------
    tuple of int and float
        F1 in steps, and the G-mean; Python compares such keys in this order.

    Raises
    ------
    DataError
        If the data cannot be used.
    InvalidParameterError
        If `f1_tol`, `average` or `zero_division` is not permitted.

    See Also
    --------
    f1_gmean_score : The same order in one number, for scorers.

    References
    ----------
    G. Kulatilleke, S. Samarakoon, "Empirical study of machine learning classifier evaluation
    metrics behavior in massively imbalanced and noisy data", 2022, arXiv:2208.11904.

    Examples
    --------
    >>> from imbkit.metrics import f1_gmean_key
    >>> y_true = [0, 0, 0, 0, 1, 1]
    >>> key = f1_gmean_key(y_true, [0, 0, 0, 1, 1, 1])
    >>> key[0], round(key[1], 3)
    (160, 0.866)
    >>> key > f1_gmean_key(y_true, [0, 0, 0, 0, 0, 1])
    True
    """
    tolerance = check_between("f1_gmean_key", "f1_tol", f1_tol, 0.0, 1.0, excluded="low")
    if average not in ("binary", "macro"):
        rule = "average must be 'binary' or 'macro'"
        raise InvalidParameterError(message("f1_gmean_key", rule, average))
    f1 = f1_score(
        y_true,
        y_pred,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
        zero_division=zero_division,
    )
    gmean = gmean_score(y_true, y_pred, sample_weight=sample_weight, zero_division=zero_division)
    return int(np.rint(f1 / tolerance)), gmean


@count_metric(bounds=(0.0, 2.0), paper="Kulatilleke & Samarakoon (2022)")
def f1_gmean_score(
    counts: Counts, *, f1_tol: float = 0.005, zero_division: float = 0.0
) -> FloatArray:
    """F1 in steps of a tolerance, and within a step the G-mean, in one number.

    Choose it over F1 as a scorer, or as the objective of a threshold, where F1 is flat.

    Parameters
    ----------
    f1_tol : float, default=0.005
        Width of the steps in which F1 counts, above 0 and up to 1.

    See Also
    --------
    f1_gmean_key : The two numbers by themselves.

    Notes
    -----
    f1_tol (round(F1 / f1_tol) + G / 2), at most half a step from F1 + f1_tol G / 2. As the
    G-mean is at most one, a higher step of F1 always wins; with F1 itself in place of its
    step it would not, near the border of two steps. The source ranks by both "in that
    order" and gives no number.

    References
    ----------
    G. Kulatilleke, S. Samarakoon, "Empirical study of machine learning classifier evaluation
    metrics behavior in massively imbalanced and noisy data", 2022, arXiv:2208.11904.

    Examples
    --------
    >>> from imbkit.metrics import f1_gmean_score
    >>> round(f1_gmean_score([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]), 5)
    0.80217
    """
    tolerance = check_between("f1_gmean_score", "f1_tol", f1_tol, 0.0, 1.0, excluded="low")
    f1 = f1_score.of(counts, zero_division=zero_division)
    gmean = gmean_score.of(counts, zero_division=zero_division)
    return np.asarray(tolerance * (np.rint(f1 / tolerance) + gmean / 2.0))
