"""What to say where scores leave little of the rows."""

import numpy as np

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning
from imbkit.rvfl._fuzzy import FuzzyScores

__all__ = ["check_scores_left", "warn_of_scores"]

_FLOOR = 1e-2


def warn_of_scores(
    found: FuzzyScores, codes: IntArray, weights: FloatArray, classes: AnyArray, who: str
) -> None:
    """Warn of classes that lose most of their rows, and of memberships that are all near 0.

    Parameters
    ----------
    found : FuzzyScores
        The scores.
    codes : ndarray of int, shape (n,)
        Class of each row.
    weights : ndarray of shape (n,)
        How often a row counts.
    classes : ndarray of shape (n_classes,)
        The labels.
    who : str
        What messages speak for.
    """
    mass = np.bincount(codes, weights, len(classes))
    lost = np.bincount(codes, weights * (found.scores == 0), len(classes))
    worst = classes[lost > 0.5 * mass]
    kernel = bool(np.isfinite(found.kernel_width))
    if len(worst):
        rule = "at most half of a class should have the score 0"
        got = f"more of class {listing(worst.tolist())}, whose neighbours are mostly of others"
        todo = "Use neighbor_correction='prior'" + ", another kernel_width" * kernel
        warn(message(who, rule, got, f"{todo} or no scores at all"), ImbkitWarning)
    best = np.zeros(len(classes))
    np.maximum.at(best, codes, np.where(weights > 0, found.membership, 0.0))
    floor = classes[(mass > 0) & (best < _FLOOR)]
    if len(floor):
        rule = f"some row of every class should have a membership of {_FLOOR:g} or more"
        got = f"none in class {listing(floor.tolist())}, whose rows then hardly count"
        todo = "A class of two rows is as far from its centre as can be: leave its scores out"
        if kernel and len(floor) == len(classes):
            todo = "The kernel is too narrow for any two rows to be alike. Increase kernel_width"
        warn(message(who, rule, got, todo), ImbkitWarning)


def check_scores_left(
    scores: FloatArray, codes: IntArray, weights: FloatArray, classes: AnyArray, who: str
) -> None:
    """Refuse scores that take all weight from a class; parameters as of `warn_of_scores`."""
    left = np.bincount(codes, weights * scores, len(classes))
    gone = classes[(left <= 0) & (np.bincount(codes, weights, len(classes)) > 0)]
    if len(gone):
        rule = "the scores must leave every class some weight"
        got = f"class {listing(gone.tolist())} that lost all of it"
        todo = "Increase kernel_width or radius_eps, or set neighbor_correction='prior'"
        raise DataError(message(who, rule, got, todo))
