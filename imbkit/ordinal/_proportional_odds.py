"""The same weights at every boundary: the proportional-odds model."""

from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import ArrayLike
from sklearn.utils import Tags

from imbkit._core.card import Card
from imbkit.ordinal._base import BaseCumulativeLink
from imbkit.ordinal._design import Design
from imbkit.ordinal._penalty import Penalty

__all__ = ["ProportionalOddsClassifier"]


class ProportionalOddsClassifier(BaseCumulativeLink):
    """Classify ordered classes by one score and cut-offs on it.

    The usual ordinal regression, also called cumulative logit or ordered logit. Choose it as
    the baseline for ordered classes, and where rows are too few for more: p + K - 1 numbers are
    estimated. It assumes that a column's effect on the odds is the same at every boundary;
    where it is not, a rare last class is predicted badly, and :class:`PRESTOClassifier` relaxes
    the assumption as far as the data ask for it.

    Parameters
    ----------
    alpha : float, default=0.0
        Strength of the penalty beside the mean loss of a row, 0 or more; 0 is maximum
        likelihood.
    l1_ratio : float, default=0.0
        Share of the lasso in the penalty, from 0 to 1; the rest is a ridge penalty.
    categories : array-like of shape (n_classes,), default=None
        All classes from the first stage to the last, the rare one last. None takes the order
        of an ordered Categorical (pandas) or Enum (polars), or sorts the labels.
    link : {"logit", "probit", "cloglog"}, default="logit"
        The distribution function F: logistic, normal, or 1 - exp(-exp(.)), which makes hazards
        proportional.
    standardize : bool, default=True
        Whether the penalty is on the weights of columns of unit standard deviation. If not, on
        those of the columns as they are.
    class_weight : mapping, "balanced" or None, default=None
        Factor of the rows' weights by label, or the same total for all classes. Probabilities
        are then those of the reweighted rows, with too much for rare classes.
    solver : {"auto", "newton-cd", "cd", "fista"}, default="auto"
        Newton's method with coordinate descent inside; one column's weight at a time without a
        matrix of second derivatives, for very many columns; accelerated gradients, slow and
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
    coef_ : ndarray of shape (1, n_features)
        Weights for the columns as given; positive ones push to later classes.
    intercept_ : ndarray of shape (n_classes - 1,)
        Intercepts: P(y <= classes_[k] | x) = F(-(intercept_[k] + coef_[0] @ x)).
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
        0: parallel boundaries do not cross.
    effective_prior_ : ndarray of shape (n_classes,)
        Class shares of the rows as weighted, by `class_weight`, too: what the probabilities
        are those of.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they have names that are strings.

    See Also
    --------
    PRESTOClassifier : Weights that differ between boundaries where the data say so.
    CumulativeLinkClassifier : Weights of their own at each boundary.

    Notes
    -----
    With eta_k = a_k + b x on standardised columns, k = 1 .. K - 1, it minimises
    ``mean(-log(F(eta_y) - F(eta_{y-1}))) + alpha (l1_ratio |b| + (1 - l1_ratio) b^2 / 2)``, summed
    over columns; `coef_` and `intercept_` are -b and -a on the columns as given. With
    ``alpha=0`` there is no finite optimum if columns separate classes without error; a warning
    says so.

    A gradient takes 2 n p multiplications for any number of classes, a step of "newton-cd"
    n p^2. ``fit`` holds one sorted copy of X (sparse: two) and some 25 numbers a row. There are no
    standard errors or tests.

    References
    ----------
    P. McCullagh, "Regression models for ordinal data", Journal of the Royal Statistical Society
    B 42(2), 109-142, 1980, doi:10.1111/j.2517-6161.1980.tb01109.x.

    Examples
    --------
    >>> from imbkit.ordinal import ProportionalOddsClassifier
    >>> X = [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]
    >>> y = ["low", "low", "mid", "low", "mid", "high", "mid", "high"]
    >>> model = ProportionalOddsClassifier(categories=["low", "mid", "high"]).fit(X, y)
    >>> model.coef_.round(2).tolist()
    [[1.2]]
    >>> model.predict([[1.5], [5.0], [8.0]]).tolist()
    ['low', 'mid', 'high']
    """

    card = Card(
        paper="McCullagh (1980), doi:10.1111/j.2517-6161.1980.tb01109.x",
        cases=({}, {"alpha": 0.01, "l1_ratio": 1.0, "link": "probit", "solver": "cd"}),
    )

    _parameter_constraints = {**BaseCumulativeLink._parameter_constraints}

    def __init__(
        self,
        alpha: float = 0.0,
        *,
        l1_ratio: float = 0.0,
        categories: ArrayLike | None = None,
        link: str = "logit",
        standardize: bool = True,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
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
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose

    def __sklearn_tags__(self) -> Tags:
        """Say that classes without an order along some direction are not told apart well."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def _penalty(self, design: Design) -> Penalty:
        """Shrink the one vector of weights."""
        return Penalty.of("shared", design, l1_ratio=self.l1_ratio, standardize=self.standardize)
