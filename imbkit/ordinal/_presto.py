"""Weights of their own for each boundary, shrunk towards those of the boundary before."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.card import Card, Limit
from imbkit._core.constraints import Interval, StrOptions
from imbkit.ordinal._base import BaseCumulativeLink
from imbkit.ordinal._crossing import Crossing
from imbkit.ordinal._design import Design
from imbkit.ordinal._penalty import Penalty

__all__ = ["PRESTOClassifier"]


class PRESTOClassifier(BaseCumulativeLink):
    """Estimate the probability of a rare last class with the help of the classes before it.

    Choose it where classes are stages in an order, such as no click, click, purchase, and the
    last stage has few rows. Logistic regression of the last stage against the rest learns from
    those few rows alone; proportional odds lets the frequent stages speak for it, but with the
    same weights at every boundary. PRESTO lies between: each boundary has weights of its own,
    and a lasso on the differences of adjacent boundaries keeps them equal where the data do
    not say otherwise. :class:`PRESTOClassifierCV` chooses `alpha`.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength of the penalty beside the mean loss of a row, 0 or more; from `alpha_max_` on
        all penalised weights are 0 if `l1_ratio` is 1.
    l1_ratio : float, default=1.0
        Share of the lasso in the penalty, from 0 to 1; the rest is a ridge penalty. 0 makes no
        weights or differences exactly 0.
    level_penalty : float, default=1.0
        Factor of the penalty on the first boundary's weights, 0 or more. With 0 only the
        differences are shrunk: large `alpha` then gives proportional odds.
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
        Weights of each boundary for the columns as given; positive ones push to later classes.
    intercept_ : ndarray of shape (n_classes - 1,)
        Intercepts: P(y <= classes_[k] | x) = F(-(intercept_[k] + coef_[k] @ x)).
    delta_ : ndarray of shape (n_classes - 1, n_features)
        The first boundary's weights, then the differences of each from the one before; what
        the penalty sets to 0 is exactly 0.
    classes_ : ndarray of shape (n_classes,)
        Labels in their order.
    n_iter_ : int
        Outer iterations.
    alpha_max_ : float
        The smallest `alpha` that leaves no penalised weight; with `l1_ratio` below 0.01 that
        of 0.01.
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
    PRESTOClassifierCV : The same with `alpha` chosen by cross-validation.
    ProportionalOddsClassifier : The same weights at every boundary.
    CumulativeLinkClassifier : Weights of each boundary shrunk to 0 instead of to each other.
    funnel_target : Ordered classes from columns such as click, cart, purchase.
    sklearn.linear_model.LogisticRegression : What it is for two classes.

    Notes
    -----
    With eta_k = a_k + b_k x on standardised columns, k = 1 .. K - 1, it minimises

    ``mean(-log(F(eta_y) - F(eta_{y-1}))) + alpha (level_penalty |b_1| + sum_k |b_k - b_{k-1}|)``

    where ``l1_ratio |v| + (1 - l1_ratio) v^2 / 2`` of each entry v stands in place of ``|v|``.
    `coef_` and `intercept_` are -b and -a on the columns as given. The problem is convex;
    `kkt_violation_` and `duality_gap_` prove how near the optimum is. The order matters:
    reversing the classes gives another estimator. For two classes it is logistic regression
    with ``C = 1 / (n alpha)``, intercept unpenalised.

    Boundaries with different weights cross somewhere. Training permits it except where a row's
    own class would lose its probability; `n_crossings_` and :meth:`crossing_rate` tell how often
    it happens.

    Different from the paper's code: the loss is a mean, so that `alpha` is its lambda for any
    number of rows; `level_penalty`, other links, weights, sparse columns; intercepts are put
    back to the columns' own means, and rows that cross have valid probabilities.

    A gradient takes 4 n p multiplications for any number of classes, a step of "newton-cd"
    3 n m^2 for m columns in use. ``fit`` holds one sorted copy of X (sparse: two) and some 25
    numbers a row. Sparse columns with zeros are scaled but not centred, which changes nothing, as
    intercepts are free. Constant columns have weight 0.

    References
    ----------
    G. Faletto, J. Bien, "Predicting rare events by shrinking towards proportional odds", ICML
    2023, PMLR 202, 9547-9602, doi:10.48550/arXiv.2305.18700.

    P. McCullagh, "Regression models for ordinal data", Journal of the Royal Statistical Society
    B 42(2), 109-142, 1980, doi:10.1111/j.2517-6161.1980.tb01109.x.

    M. J. Wurm, P. J. Rathouz, B. M. Hanlon, "Regularized ordinal regression and the ordinalNet R
    package", Journal of Statistical Software 99(6), 2021, doi:10.18637/jss.v099.i06.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.ordinal import PRESTOClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 3))
    >>> depth = X[:, 0] + rng.logistic(size=2000)
    >>> y = np.array(["no", "click", "cart", "buy"])[np.digitize(depth, [1, 2.5, 4])]
    >>> model = PRESTOClassifier(categories=["no", "click", "cart", "buy"]).fit(X, y)
    >>> model.coef_.shape, int(np.count_nonzero(model.delta_))
    ((3, 3), 2)
    >>> model.predict_proba(X[:5])[:, -1].round(3).tolist()
    [0.023, 0.023, 0.067, 0.006, 0.002]
    """

    card = Card(
        paper="Faletto & Bien (2023), doi:10.48550/arXiv.2305.18700",
        cases=(
            {},
            {"l1_ratio": 0.5, "level_penalty": 0.0, "crossing": "isotonic", "solver": "cd"},
            {"alpha": 0.1, "link": "cloglog", "standardize": False, "solver": "fista"},
        ),
        # There is one boundary only for two classes.
        limits=(
            Limit(
                when={"alpha": 0.05, "l1_ratio": 0.5},
                equals="CumulativeLinkClassifier",
                other={"alpha": 0.05, "l1_ratio": 0.5},
            ),
        ),
    )

    _parameter_constraints = {
        **BaseCumulativeLink._parameter_constraints,
        "level_penalty": [Interval(Real, 0, np.inf, closed="left")],
        "crossing": [StrOptions({"keep_last", "isotonic", "raw"})],
    }

    def __init__(
        self,
        alpha: float = 0.01,
        *,
        l1_ratio: float = 1.0,
        level_penalty: float = 1.0,
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
        self.level_penalty = level_penalty
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
        """Shrink the first boundary's weights and the differences of adjacent boundaries."""
        return Penalty.of(
            "adjacent",
            design,
            l1_ratio=self.l1_ratio,
            level_penalty=self.level_penalty,
            standardize=self.standardize,
        )
