"""What imbalance costs: a score relative to that of training on a balanced set."""

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.rng import integer_seed
from imbkit._core.types import IntArray, Seed
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._classwise import check_zero_division
from imbkit.metrics._confusion import check_targets
from imbkit.metrics._numbers import check_whole

__all__ = ["balanced_reference_rows", "relative_score"]


def relative_score(score: float, references: ArrayLike, *, zero_division: float = 0.0) -> float:
    """Score of a method, relative to the best that a balanced training set allows.

    Choose it to say how much of the harm of imbalance a method undoes, apart from what a
    better learner would gain on any data.

    Parameters
    ----------
    score : float
        Score of the method trained on imbalanced rows, larger is better; on a balanced test
        set the accuracy.
    references : float or array-like
        Scores on the same test set of models trained on balanced rows, as many as there were
        imbalanced ones: of the plain learner and of the method itself.
    zero_division : float, default=0.0
        The value where the best reference is zero.

    Returns
    -------
    float
        1 where nothing is lost; above 1 is possible.

    Raises
    ------
    InvalidParameterError
        If a score is negative or not finite, or there is no reference.

    See Also
    --------
    balanced_reference_rows : Draw the balanced set.

    Notes
    -----
    score / max(references).

    References
    ----------
    Y. Zhang, B. Kang, B. Hooi, S. Yan, J. Feng, "Deep long-tailed learning: a survey", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 45, 2023, arXiv:2110.04596.

    Examples
    --------
    >>> from imbkit.metrics import relative_score
    >>> round(relative_score(0.60, [0.75, 0.80]), 3)
    0.75
    """
    who = "relative_score"
    check_zero_division(who, zero_division)
    values = np.append(np.ravel(np.asarray(references, dtype=float)), float(score))
    if values.size < 2:
        raise InvalidParameterError(message(who, "there must be a reference", "none"))
    if not (np.isfinite(values) & (values >= 0)).all():
        rule = "the scores must be finite and not negative"
        raise InvalidParameterError(message(who, rule, listing(values.tolist())))
    best = float(values[:-1].max())
    return float(score) / best if best else float(zero_division)


def balanced_reference_rows(
    y: ArrayLike, *, n_rows: int | None = None, random_state: Seed = None
) -> IntArray:
    """Draw as many rows of each class, for the balanced reference of :func:`relative_score`.

    Choose it with `n_rows`, the size of the imbalanced training set, on a pool of rows in
    which every class has enough.

    Parameters
    ----------
    y : array-like of shape (n_pool,)
        Labels of the rows to draw from.
    n_rows : int, default=None
        Number of rows to draw; each class gets that number over the number of classes,
        rounded down. By default as many as the rarest class allows.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the draws.

    Returns
    -------
    ndarray of shape (n_drawn,)
        Row numbers, sorted; none occurs twice.

    Raises
    ------
    DataError
        If `y` cannot be used, or a class has fewer rows than are asked of it.
    InvalidParameterError
        If `n_rows` is not a whole number, or below the number of classes.

    See Also
    --------
    relative_score : What it is for.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.metrics import balanced_reference_rows
    >>> y = np.repeat([0, 1, 2], [100, 20, 10])
    >>> np.bincount(y[balanced_reference_rows(y, n_rows=17, random_state=0)]).tolist()
    [5, 5, 5]
    """
    who = "balanced_reference_rows"
    labels, _, classes = check_targets(who, y, y)
    codes = np.searchsorted(classes, labels)
    sizes = np.bincount(codes, minlength=classes.size)
    each = int(sizes.min())
    if n_rows is not None:
        each = check_whole(who, "n_rows", n_rows, classes.size) // classes.size
    if each > sizes.min():
        rarest = classes[sizes.argmin()]
        rule = f"every class must have {each:,} rows"
        got = f"{int(sizes.min()):,} rows of {listing([rarest])}"
        raise DataError(message(who, rule, got, "Draw fewer rows, or from a larger pool"))
    generator = np.random.default_rng(integer_seed(random_state))
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1])
    drawn = [generator.choice(rows, each, replace=False) for rows in members]
    return np.sort(np.concatenate(drawn))
