"""How far probabilities of ordered classes lie from the class that came true."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._grade_order import classes_in_columns
from imbkit.metrics._probabilities import check_probabilities

__all__ = ["ranked_probability_loss"]

_AVERAGES = ("macro", None)


def ranked_probability_loss(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: object = None,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
) -> float | FloatArray:
    """Mean Brier score over the boundaries between ordered classes; smaller is better.

    Choose it over the log-loss and the Brier score of ordered classes: these do not see
    whether a row that bought was taken for one that filled its cart or for one that only
    looked. It is proper, so models may be chosen by it. Boundaries before frequent classes
    decide it; take ``average=None`` to see that of the rare last class by itself.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True classes.
    y_prob : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probability of each class, columns from the first class to the last; or of the later
        one of two.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns, from first to last (the ``classes_`` of a model of ordered
        classes). By default the sorted numbers that occur; needed for strings, and for a
        categorical `y_true` whose order is not the sorted one.
    pos_label : str, bool or int, default=None
        The later class, for one column of probabilities; None takes 1 of {0, 1} or {-1, 1}.
    average : {"macro"} or None, default="macro"
        Mean over boundaries, or one value for each.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    float or ndarray of shape (n_classes - 1,)
        From 0, perfect, to 1; an array for ``average=None``, from the boundary after the first
        class to the one before the last.

    Raises
    ------
    DataError
        If the data cannot be used, or the order of the classes is not known.
    InvalidParameterError
        If `average` is not permitted.

    See Also
    --------
    rare_brier_loss : The last boundary alone.
    rare_log_loss : Harder on confident mistakes about the rare class.
    macro_mae_score : The distance of predicted classes.

    Notes
    -----
    ``1/(K - 1) sum_k (P(class > k) - [y > k])^2``, averaged over rows; the Brier score for two
    classes. Epstein's form is 1 minus this one. Some authors sum instead of averaging over
    boundaries: multiply by K - 1. O(n K).

    References
    ----------
    E. S. Epstein, "A scoring system for probability forecasts of ranked categories", Journal
    of Applied Meteorology 8, 1969.

    A. H. Murphy, "A note on the ranked probability score", Journal of Applied Meteorology 10,
    1971.

    Examples
    --------
    >>> from imbkit.metrics import ranked_probability_loss
    >>> stages = ["look", "cart", "buy"]
    >>> near, far = [[0.1, 0.8, 0.1]], [[0.8, 0.1, 0.1]]
    >>> round(ranked_probability_loss(["buy"], near, labels=stages), 3)
    0.41
    >>> round(ranked_probability_loss(["buy"], far, labels=stages), 3)
    0.725
    """
    who = "ranked_probability_loss"
    if average not in _AVERAGES:
        rule = f"average must be one of {listing(_AVERAGES)}"
        raise InvalidParameterError(message(who, rule, average))
    if np.ndim(y_prob) == 2:
        labels = classes_in_columns(who, y_true, labels, ordered=True)
    given = check_probabilities(
        who, y_true, y_prob, labels=labels, pos_label=pos_label, sample_weight=sample_weight
    )
    n_classes = given.classes.size
    if n_classes < 2:
        rule = "there must be two or more ordered classes"
        raise DataError(message(who, rule, listing(given.classes.tolist())))
    # Summed from the rare end, whose small probabilities would drown in those before them.
    beyond = np.cumsum(given.matrix[:, :0:-1], axis=1)[:, ::-1]
    reached = given.codes[:, None] > np.arange(n_classes - 1)
    each = given.weight @ (beyond - reached) ** 2 / given.weight.sum()
    return np.asarray(each) if average is None else float(each.mean())
