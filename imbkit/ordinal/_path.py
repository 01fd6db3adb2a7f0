"""The solutions of PRESTO along a path of penalties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_consistent_length

from imbkit._core.compat import check_parameters
from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.ordinal._alphas import GRID_CONSTRAINTS, alpha_grid, given_alphas
from imbkit.ordinal._classes import class_factors, ordered_target, row_weights
from imbkit.ordinal._design import Design, check_spread, refuse_no_columns
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._presto import PRESTOClassifier
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solution import Solution
from imbkit.ordinal._solve import Null, null_model, solve_path

__all__ = ["Path", "Settings", "follow", "presto_path", "warn_if_unconverged"]

_ENOUGH = 1e-8  # a smaller share of the objective is no improvement
_TINY = 1e-300


def presto_path(
    X: Any,
    y: ArrayLike,
    *,
    alphas: int | ArrayLike = 100,
    eps: float = 1e-3,
    l1_ratio: float = 1.0,
    level_penalty: float = 1.0,
    categories: ArrayLike | None = None,
    link: str = "logit",
    standardize: bool = True,
    class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
    sample_weight: ArrayLike | None = None,
    solver: str = "auto",
    max_iter: int = 100,
    tol: float = 1e-5,
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """Fit PRESTO for many penalties, each fit started from the one before.

    Choose it to see which weights enter, and which boundaries part, as the penalty falls.
    :class:`PRESTOClassifierCV` does the same and chooses one of the penalties.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
        Rows, finite numbers; as in :meth:`PRESTOClassifier.fit`.
    y : array-like of shape (n_rows,)
        Labels.
    alphas : int or array-like of shape (n_alphas,), default=100
        A number of penalties in equal ratios, from the smallest that leaves no penalised weight
        down to `eps` times that; or the penalties themselves, 0 or more, in any order.
    eps : float, default=1e-3
        The smallest penalty as a share of the largest, between 0 and 1.
    l1_ratio : float, default=1.0
        Share of the lasso in the penalty, from 0 to 1.
    level_penalty : float, default=1.0
        Factor of the penalty on the first boundary's weights, 0 or more.
    categories : array-like of shape (n_classes,), default=None
        All classes from the first stage to the last, the rare one last.
    link : {"logit", "probit", "cloglog"}, default="logit"
        The distribution function F.
    standardize : bool, default=True
        Whether the penalty is on the weights of columns of unit standard deviation.
    class_weight : mapping, "balanced" or None, default=None
        Factor of the rows' weights by label, or the same total for all classes.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weights.
    solver : {"auto", "newton-cd", "cd", "fista"}, default="auto"
        How each penalty is solved.
    max_iter : int, default=100
        Outer iterations for each penalty at most.
    tol : float, default=1e-5
        Largest violation of the optimality conditions to stop at, relative to the largest
        slope of the loss where all weights are 0.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The penalties, from the largest to the smallest. Fewer than asked for by number if the
        path stops early; see Notes.
    coefs : ndarray of shape (n_classes - 1, n_features, n_alphas)
        What would be ``coef_``. Where the penalty keeps adjacent boundaries together their rows
        are exactly equal.
    intercepts : ndarray of shape (n_classes - 1, n_alphas)
        What would be ``intercept_``.
    n_iters : ndarray of int, shape (n_alphas,)
        Outer iterations.

    Raises
    ------
    DataError
        For labels, weights or an order of classes that :class:`PRESTOClassifier` refuses.
    InvalidParameterError
        If a parameter has a value that is not permitted.

    See Also
    --------
    PRESTOClassifier : One penalty.
    PRESTOClassifierCV : The penalty chosen by cross-validation.
    sklearn.linear_model.lasso_path : The same for a lasso on a number.

    Notes
    -----
    Coordinates whose slope was small at the last penalty are left out at first and checked at
    the end (the sequential strong rule), so that no solution depends on the path.

    A path of penalties that were asked for by number stops when the objective has twice running
    improved by less than 1e-8 of itself, the second time by no more than the first: the rest
    would not differ. Penalties that were listed are all solved.

    It holds one sorted copy of X (sparse: two) and the solutions; a penalty costs a few
    gradients of 4 n p multiplications each, and 3 n m^2 where the matrix of the m columns in
    use is renewed.

    References
    ----------
    G. Faletto, J. Bien, "Predicting rare events by shrinking towards proportional odds", ICML
    2023, PMLR 202, 9547-9602, doi:10.48550/arXiv.2305.18700.

    R. Tibshirani, J. Bien, J. Friedman, T. Hastie, N. Simon, J. Taylor, R. J. Tibshirani,
    "Strong rules for discarding predictors in lasso-type problems", Journal of the Royal
    Statistical Society B 74(2), 245-266, 2012, doi:10.1111/j.1467-9868.2011.01004.x.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.ordinal import presto_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = np.digitize(X[:, 0] + rng.logistic(size=500), [1, 3])
    >>> alphas, coefs, intercepts, n_iters = presto_path(X, y, alphas=5, eps=0.1)
    >>> coefs.shape
    (2, 3, 5)
    >>> (coefs[-1] != 0).sum(axis=0).tolist()  # columns in use for the last class
    [0, 1, 1, 1, 2]
    """
    who = "presto_path"
    given = {
        "alphas": alphas,
        "eps": eps,
        "l1_ratio": l1_ratio,
        "level_penalty": level_penalty,
        "categories": categories,
        "link": link,
        "standardize": standardize,
        "class_weight": class_weight,
        "solver": solver,
        "max_iter": max_iter,
        "tol": tol,
    }
    check_parameters({**PRESTOClassifier._parameter_constraints, **GRID_CONSTRAINTS}, given, who)
    chosen = given_alphas(alphas, who)
    refuse_no_columns(X, who)
    X = check_array(X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), estimator=who)
    weights = row_weights(sample_weight, X.shape[0], who)
    if y is not None:
        check_consistent_length(X, y)
    classes, codes = ordered_target(y, categories, who, weights)
    if weights is None:
        weights = np.ones(X.shape[0])
    mass = np.bincount(codes, weights, len(classes))
    weights = weights * class_factors(class_weight, classes, mass, who)[codes]
    problem = Problem(Design.of(X, codes, weights, len(classes)), LINKS[link])
    check_spread(problem.design, None, who)
    penalty = Penalty.of(
        "adjacent",
        problem.design,
        l1_ratio=l1_ratio,
        level_penalty=level_penalty,
        standardize=standardize,
    )
    null = null_model(problem, penalty, tol=tol, max_iter=max_iter)
    asked = alpha_grid(alphas, eps, null) if chosen is None else chosen
    how = Settings(solver, tol, max_iter)
    path = follow(problem, penalty, asked, null, how, stop=chosen is None)
    warn_if_unconverged(~path.converged, who)
    n = len(path.n_iters)
    coefs, intercepts = np.moveaxis(path.coefs, 0, -1), path.intercepts.T
    return asked[:n].copy(), np.ascontiguousarray(coefs), intercepts.copy(), path.n_iters


@dataclass(frozen=True, slots=True)
class Settings:
    """How each penalty of a path is solved."""

    solver: str
    tol: float
    max_iter: int


@dataclass(frozen=True, slots=True)
class Path:
    """Solutions on the columns as given, with the public sign.

    Parameters
    ----------
    coefs : ndarray of shape (n_alphas, K - 1, p)
        Weights.
    intercepts : ndarray of shape (n_alphas, K - 1)
        Intercepts.
    n_iters : ndarray of int, shape (n_alphas,)
        Outer iterations.
    converged : ndarray of bool, shape (n_alphas,)
        Whether the violation of the optimality conditions is as small as was asked for.
    kept : Solution or None
        The solution that was to be kept whole.
    """

    coefs: FloatArray
    intercepts: FloatArray
    n_iters: IntArray
    converged: BoolArray
    kept: Solution | None


def follow(
    problem: Problem,
    penalty: Penalty,
    alphas: FloatArray,
    null: Null,
    how: Settings,
    *,
    stop: bool = False,
    keep: int = -1,
) -> Path:
    """Solve penalties one by one and keep what is small of the solutions.

    Parameters
    ----------
    problem, penalty :
        The objective.
    alphas : ndarray of shape (n_alphas,)
        From the largest to the smallest.
    null : Null
        The model without penalised coordinates.
    how : Settings
        How to solve.
    stop : bool, default=False
        Whether to stop when the objective no longer improves.
    keep : int, default=-1
        Position of a solution to be kept whole, with the scores of all rows.
    """
    design = problem.design
    solutions = solve_path(
        problem, penalty, alphas, null=null, solver=how.solver, tol=how.tol, max_iter=how.max_iter
    )
    coefs, intercepts, n_iters, converged = [], [], [], []
    kept, gains, before = None, [np.inf, np.inf], np.nan
    for at, solution in enumerate(solutions):
        # The sum turns -0.0 into 0.0.
        coef = 0.0 - penalty.spread(solution.theta) / design.scale
        coefs.append(coef)
        intercepts.append(0.0 - solution.intercepts - coef @ design.mean)
        n_iters.append(solution.n_iter)
        converged.append(solution.converged)
        kept = solution if at == keep else kept
        gains = [gains[1], (before - solution.objective) / max(before, _TINY)]
        before = solution.objective
        # Near the largest penalty a fine grid improves by little as well, but more each time.
        if stop and gains[1] <= gains[0] < _ENOUGH:
            break
    return Path(np.array(coefs), np.array(intercepts), np.array(n_iters), np.array(converged), kept)


def warn_if_unconverged(failed: BoolArray, who: str) -> None:
    """Say how many fits did not reach the optimum.

    Parameters
    ----------
    failed : ndarray of bool
        Of each fit.
    who : str
        The class or function that was called.
    """
    if failed.any():
        rule = "every fit along the path should reach the optimum"
        got = f"{np.count_nonzero(failed):,} of {failed.size:,} that did not"
        todo = "Raise max_iter, tol, or the smallest alpha"
        warn(message(who, rule, got, todo), ConvergenceWarning)
