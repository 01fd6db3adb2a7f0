"""Intuitionistic fuzzy scores of the rows of a table, as weights for any learner."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_X_y
from sklearn.utils.multiclass import check_classification_targets

from imbkit._core.compat import check_parameters
from imbkit._core.constraints import N_JOBS, RANDOM_STATE, Interval, StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit.exceptions import DataError
from imbkit.metrics._counts import check_weight
from imbkit.rvfl._fuzzy import Fuzzy, FuzzySettings, ScoreMethod, fuzzy_scores
from imbkit.rvfl._fuzzy_warnings import warn_of_scores

__all__ = ["SCORE_CONSTRAINTS", "LabelledRows", "intuitionistic_fuzzy_scores", "labelled_rows"]

SCORE_CONSTRAINTS: Final[Mapping[str, list[Any]]] = {
    "fuzzy": [StrOptions({"dual_center", "kernel", "linear"})],
    "kernel_width": [Interval(Real, 0, np.inf, closed="neither"), StrOptions({"median"})],
    "radius_eps": [Interval(Real, 0, np.inf, closed="neither")],
    "neighbor_correction": [StrOptions({"prior"}), None],
    "score_method": [StrOptions({"auto", "exact", "rff", "subset"})],
    "random_state": RANDOM_STATE,
    "n_jobs": N_JOBS,
}


class LabelledRows(NamedTuple):
    """Classes, the class of each row, and how often it counts."""

    classes: AnyArray
    codes: IntArray
    weights: FloatArray


def labelled_rows(y: AnyArray, sample_weight: ArrayLike | None, who: str) -> LabelledRows:
    """Return what is known of the rows but their columns, or complain.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.
    sample_weight : array-like of shape (n,) or None
        Weights.
    who : str
        What messages speak for.
    """
    check_classification_targets(y)
    given = check_weight(sample_weight, len(y), who)
    weights = np.ones(len(y)) if given is None else given
    classes, codes = np.unique(y, return_inverse=True)
    left = classes[np.bincount(codes, weights) > 0]
    if len(left) < len(classes) or len(classes) < 2:
        rule = "there must be rows of two classes or more, each with a positive weight"
        gone = np.setdiff1d(classes, left).tolist()
        got = f"weight 0 only for class {listing(gone)}" if gone else ""
        got = got or f"one class only, {listing(classes.tolist())}"
        raise DataError(message(who, rule, got, "Take more rows, or leave that class out"))
    return LabelledRows(classes, codes, weights)


def intuitionistic_fuzzy_scores(
    X: Any,
    y: ArrayLike,
    *,
    fuzzy: Fuzzy = "kernel",
    kernel_width: float | Literal["median"] = "median",
    radius_eps: float = 1e-4,
    neighbor_correction: Literal["prior"] | None = "prior",
    score_method: ScoreMethod = "auto",
    sample_weight: ArrayLike | None = None,
    random_state: Seed = None,
    n_jobs: int | None = None,
) -> FloatArray:
    """Score how far each row is to be trusted as a member of its class.

    A row near the centre of its class, among rows of that class, has a score near 1; outliers
    score low, and rows whose neighbours are mostly of other classes score 0. The scores are made
    to be weights, ``fit(X, y, sample_weight=scores)``: for rows with wrong labels or wild values.
    They do nothing for a rare class: use class weights, too. Without `neighbor_correction` they
    take it away where it overlaps with a frequent one, whose rows outnumber its own among the
    neighbours.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
        Rows; columns should have been brought to one scale.
    y : array-like of shape (n_rows,)
        Labels, of two classes or more.
    fuzzy : {"kernel", "linear", "dual_center"}, default="kernel"
        What is far: the distance in the space of a Gaussian kernel, or in the columns. With
        "dual_center" the distance to the nearest centre of another class stands in for
        neighbours, in the space of the kernel.
    kernel_width : float or "median", default="median"
        Width mu of the kernel ``exp(-||x - z||**2 / mu**2)``, in the unit of X. "median" is the
        median distance between rows, 2,000 of them drawn where there are more. Much below the
        distance of neighbouring rows, every row is as far from the centre as any other, and all
        scores are next to 0; much above the spread of the rows, all memberships are nearly 1.
    radius_eps : float, default=1e-4
        Added to the radius of a class, above 0: keeps the farthest row's membership above 0. From
        the largest radius on, such as 1.5 for "kernel", every membership is above one half and
        no score is 0.
    neighbor_correction : {"prior"} or None, default="prior"
        "prior" counts a neighbour as one over the size of its class, so that frequent classes
        do not outvote rare ones.
    score_method : {"auto", "exact", "rff", "subset"}, default="auto"
        "exact" compares all pairs of rows. "subset" compares all rows with some drawn ones,
        equally many of each class: 4,096 for centres, and for neighbours as many as take 5
        seconds of one core, at least 8,192. "rff" has the distances to centres from 512 random
        Fourier frequencies, and neighbours as "subset". "auto" is exact as long as that takes
        about 5 seconds of one core for distances and as much for neighbours (some 50,000 rows
        of 20 columns), and "subset" beyond.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weights: an integer counts as so many rows. Rows of weight 0 are scored, but
        count neither for centres nor as neighbours.
    random_state : int, RandomState or None, default=None
        For what is drawn.
    n_jobs : int, default=None
        Threads; None for the cores that are free. The scores do not depend on it.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        In [0, 1].

    Raises
    ------
    DataError
        If there is one class only, a class has no row of positive weight, weights are not as
        said above, or squared distances overflow.
    InvalidParameterError
        If a parameter has a value that is not permitted, or "rff" meets "linear".

    See Also
    --------
    FuzzyWeightedClassifier : Fits any learner with these weights, inside of every fold.
    IFRVFLClassifier : Random features with these scores.

    Notes
    -----
    With r_i the distance of row i from the centre of its class c, and R_c the largest of them,

        membership_i = 1 - r_i / (R_c + radius_eps),
        nonmembership_i = (1 - membership_i) * share of other classes among neighbours,

    where neighbours are nearer than the largest R_c, the row itself being one. The score is the
    membership where the nonmembership is 0, else 0 where the membership is not larger, else
    (1 - nonmembership) / (2 - membership - nonmembership). For "dual_center" distances are
    squared, the nonmembership is own / (own + other) and the score is the root of the mean of
    the squares of membership and 1 - nonmembership, times the share of the other classes.
    Two rows alone in a class are equally far from its centre, so that both score about 0.

    "exact" takes O(n**2 p) operations but no array larger than a tile of 512 x 512 distances and
    O(n) numbers besides a copy of X: the neighbourhood is turned into one in the columns, where
    products of centred rows decide, pairs too close to its radius are compared again by their
    differences, and a tree counts instead where that is less work. A pair at the radius itself,
    within 1e-12 of it, is not one of neighbours, and a membership within 1e-12 of the
    nonmembership equals it. "subset" and "rff" take O(n m p); their errors fall with the root of
    the number of rows or frequencies drawn. Memberships are right to some 0.02; the share among
    neighbours is rough where a row has few of them, so that narrow kernels on many columns need
    "exact". "rff" is for wide kernels: with all memberships near 0 its error is larger than
    they are.

    Different from the paper: any number of classes, sample weights, the correction for class
    sizes, estimates for large tables. "dual_center" has `radius_eps` instead of 1e-6, and of
    several other centres the nearest. Scores depend on all rows given: compute them within each
    training fold, as FuzzyWeightedClassifier does, never before a split. Sparse rows are
    not centred; products of sparse rows are slow beyond some 10,000 rows.

    References
    ----------
    M. A. Ganaie, M. Sajid, A. K. Malik, M. Tanveer, "Graph embedded intuitionistic fuzzy random
    vector functional link neural network for class imbalance learning", IEEE Transactions on
    Neural Networks and Learning Systems, 2024, doi:10.48550/arXiv.2307.07881.

    M. H. Ha, C. Wang, J. Q. Chen, "The support vector machine based on intuitionistic fuzzy
    number and kernel function", Soft Computing 17(4), 2013, doi:10.1007/s00500-012-0937-y.

    Examples
    --------
    >>> from imbkit.rvfl import intuitionistic_fuzzy_scores
    >>> X = [[1], [2], [3], [4], [5], [11], [12], [13], [14], [15], [3]]
    >>> y = list("aaaaabbbbbb")  # the last row has the wrong label
    >>> intuitionistic_fuzzy_scores(X, y, kernel_width=5).round(2).tolist()
    [0.0, 0.62, 0.8, 0.62, 0.0, 0.54, 0.67, 0.73, 0.66, 0.52, 0.0]
    """
    who = "intuitionistic_fuzzy_scores"
    settings = {
        "fuzzy": fuzzy,
        "kernel_width": kernel_width,
        "radius_eps": radius_eps,
        "neighbor_correction": neighbor_correction,
        "score_method": score_method,
        "random_state": random_state,
        "n_jobs": n_jobs,
    }
    check_parameters(SCORE_CONSTRAINTS, settings, caller_name=who)
    X, target = check_X_y(X, y, accept_sparse="csr", dtype=np.float64, estimator=who)
    rows = labelled_rows(target, sample_weight, who)
    wanted = FuzzySettings(**settings, who=who)  # type: ignore[arg-type]
    found = fuzzy_scores(X, rows.codes, len(rows.classes), rows.weights, wanted)
    warn_of_scores(found, rows.codes, rows.weights, rows.classes, who)
    return found.scores
