"""Weights of their own for each boundary, each shrunk to zero."""

from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import ArrayLike

from imbkit._core.card import Card, Limit
from imbkit._core.constraints import StrOptions
from imbkit.ordinal._base import BaseCumulativeLink
from imbkit.ordinal._crossing import Crossing
from imbkit.ordinal._design import Design
from imbkit.ordinal._penalty import Penalty

__all__ = ["CumulativeLinkClassifier"]


class CumulativeLinkClassifier(BaseCumulativeLink):
    """Classify ordered classes with weights of their own at each boundary.

    The nonparallel cumulative model with an elastic net on the weights. Choose it to see
    whether boundaries differ at all, with many rows of every class: where a class is rare, its
    boundary is estimated from its few rows, as by logistic regression, and
    :class:`PRESTOClassifier` does better.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength of the penalty beside the mean loss of a row, 0 or more; from `alpha_max_` on
        all weights are 0 if `l1_ratio` is 1.
    l1_ratio : float, default=1.0
        Share of the lasso in the penalty, from 0 to 1; the rest is a ridge penalty.
    categories : array-like of shape (n_classes,), default=None
        All classes from the first stage to the last, the rare one last. None takes the order
        of an ordered Categorical (pandas) or Enum (polars), or sorts the labels.
    link : {"logit", "probit", "cloglog"}, default="logit"
        The distribution function F: logistic, normal, or 1 - exp(-exp(.)).
    standardize : bool, default=True
        Whether the penalty is on the weights of columns of unit standard deviation. If not, on
        those of the columns as they are.
    class_weight : mapping, "balanced" or None, default=None
        Factor of the rows' weights by label, or the same total for all classes. Probabilities
        are then those of the reweighted rows, with too much for rare classes.
    crossing : {"keep_last", "isotonic", "raw"}, default="keep_last"
        What is done with predictions of a row at which boundaries cross, so that a class would
        have a negative probability: boundaries before a lower one are lowered to it, which
        leaves the last class its probability; cumulative probabilities are replaced by the
        nearest ordered ones; nothing.
    solver : {"auto", "newton-cd", "cd", "fista"}, default="auto"
        Newton's method with coordinate descent inside; blocks of one column's weights without
        a matrix of second derivatives, for very many columns; accelerated gradients, slow and
        simple. "auto" takes the first unless thousands of weights take part. All find the same
        optimum.
    max_iter : int, default=100
        Outer iterations at most.
    tol : float, default=1e-5
        Largest violation of the optimality conditions to stop at, relative to the largest
        slope of the loss where all weights are 0, or to the share of the smallest class where
        that is less.
    warm_start : bool, default=False
        Whether ``fit`` starts from the last solution if classes and columns are the same.
    verbose : int, default=0
        1 prints a line a fit.

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes - 1, n_features)
        Weights of each boundary for the columns as given; positive ones push to later classes,
        and zeros are exact.
    intercept_ : ndarray of shape (n_classes - 1,)
        Intercepts: P(y <= classes_[k] | x) = F(-(intercept_[k] + coef_[k] @ x)).
    classes_ : ndarray of shape (n_classes,)
        Labels in their order.
    n_iter_ : int
        Outer iterations.
    alpha_max_ : float
        The smallest `alpha` that leaves no weight; with `l1_ratio` below 0.01 that of 0.01.
    objective_ : float
        Mean loss plus penalty.
    kkt_violation_ : float
        Largest violation of the optimality conditions, 0 at the optimum; in units of the slope
        of the mean loss in the weights of standardised columns.
    duality_gap_ : float
        How far `objective_` can be above the optimum; NaN but for the logit with a pure lasso
        and `alpha` above 0.
    n_crossings_ : int
        Rows of ``fit`` at which boundaries cross.
    effective_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows as weighted, by `class_weight`, too: what the probabilities
        are those of.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they have names that are strings.

    See Also
    --------
    PRESTOClassifier : Shrinks the differences of adjacent boundaries.
    ProportionalOddsClassifier : The same weights at every boundary.

    Notes
    -----
    With eta_k = a_k + b_k x on standardised columns, k = 1 .. K - 1, it minimises
    ``mean(-log(F(eta_y) - F(eta_{y-1}))) + alpha (l1_ratio |b_k| + (1 - l1_ratio) b_k^2 / 2)``,
    summed over boundaries and columns; `coef_` and `intercept_` are -b and -a on the columns as
    given.

    Different from ordinalNet's nonparallel model: rows may cross in training as long as their
    own class keeps its probability, predictions that cross are repaired, and steps use observed
    second derivatives.

    A gradient takes 4 n p multiplications for any number of classes, a step of "newton-cd"
    3 n m^2 for m columns in use. ``fit`` holds one sorted copy of X (sparse: two) and some 25
    numbers a row.

    References
    ----------
    P. McCullagh, "Regression models for ordinal data", Journal of the Royal Statistical Society
    B 42(2), 109-142, 1980, doi:10.1111/j.2517-6161.1980.tb01109.x.

    M. J. Wurm, P. J. Rathouz, B. M. Hanlon, "Regularized ordinal regression and the ordinalNet R
    package", Journal of Statistical Software 99(6), 2021, doi:10.18637/jss.v099.i06.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.ordinal import CumulativeLinkClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 2))
    >>> y = (X[:, 0] + rng.logistic(size=2000) > 0).astype(int)
    >>> y += y * (X[:, 1] + rng.logistic(size=2000) > 1)
    >>> CumulativeLinkClassifier(alpha=0.02).fit(X, y).coef_.round(1).tolist()
    [[0.8, 0.0], [0.2, 0.5]]
    """

    card = Card(
        paper="Wurm, Rathouz & Hanlon (2021), doi:10.18637/jss.v099.i06",
        cases=({}, {"l1_ratio": 0.0, "link": "probit", "crossing": "isotonic"}),
        # There is one boundary only for two classes.
        limits=(
            Limit(
                when={"alpha": 0.05, "l1_ratio": 0.0},
                equals="PRESTOClassifier",
                other={"alpha": 0.05, "l1_ratio": 0.0},
            ),
        ),
    )

    _parameter_constraints = {
        **BaseCumulativeLink._parameter_constraints,
        "crossing": [StrOptions({"keep_last", "isotonic", "raw"})],
    }

    def __init__(
        self,
        alpha: float = 0.01,
        *,
        l1_ratio: float = 1.0,
        categories: ArrayLike | None = None,
        link: str = "logit",
        standardize: bool = True,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        crossing: Crossing = "keep_last",
        solver: str = "auto",
        max_iter: int = 100,
        tol: float = 1e-5,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.categories = categories
        self.link = link
        self.standardize = standardize
        self.class_weight = class_weight
        self.crossing = crossing
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose

    def _penalty(self, design: Design) -> Penalty:
        """Shrink every weight by itself."""
        return Penalty.of("free", design, l1_ratio=self.l1_ratio, standardize=self.standardize)
