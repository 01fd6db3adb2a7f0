"""What all cumulative-link classifiers share: reading rows, one fit, and probabilities."""

from abc import abstractmethod
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_consistent_length, gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from imbkit._core.compat import fit_context
from imbkit._core.constraints import Interval, StrOptions
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError
from imbkit.ordinal._certificate import duality_gap
from imbkit.ordinal._classes import (
    check_categories,
    class_factors,
    ordered_target,
    row_weights,
)
from imbkit.ordinal._crossing import (
    Crossing,
    crossed,
    log_probabilities,
    of_scores,
    probabilities,
)
from imbkit.ordinal._design import Design, check_spread, refuse_no_columns
from imbkit.ordinal._existence import runs_away
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solution import Solution, solution_at
from imbkit.ordinal._solve import SOLVERS, Null, null_model, solve_path

__all__ = ["BaseCumulativeLink"]

_ROWS = 8192  # rows of a float32 table that are taken to float64 at a time
_FURTHEST = 1e150  # of a score: its square is a float, and no probability changes out there
_LOWEST = -1e300  # stands for the logarithm of 0


class BaseCumulativeLink(ClassifierMixin, BaseEstimator):
    """A classifier for ordered classes: P(y <= classes_[k] | x) = F(-(b_k + w_k x)).

    A subclass stores its parameters, among them those below, and writes `_penalty`. One whose
    boundaries may cross has the parameter `crossing`.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "alpha": [Interval(Real, 0, np.inf, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "categories": ["array-like", None],
        "link": [StrOptions(set(LINKS))],
        "standardize": ["boolean"],
        "class_weight": [Mapping, StrOptions({"balanced"}), None],
        "solver": [StrOptions({"auto", *SOLVERS})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, np.inf, closed="neither")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    alpha: float
    l1_ratio: float
    categories: ArrayLike | None
    link: str
    standardize: bool
    class_weight: Mapping[Any, float] | Literal["balanced"] | None
    solver: str
    max_iter: int
    tol: float
    warm_start: bool
    verbose: int

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit intercepts and weights of all boundaries together.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers. float32 is kept; sparse input (CSR or CSC) stays sparse. It is
            not written to.
        y : array-like of shape (n_rows,)
            Labels; see `categories` for their order.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; an integer weight counts as so many rows, and a row of weight
            0 as none, but that its label is a class, which needs a row of positive weight.

        Returns
        -------
        BaseCumulativeLink
            The fitted classifier.

        Raises
        ------
        DataError
            If labels are missing or no classes, there is one class only, or a class has no row
            of positive weight; if the order of the classes misses a label; or if the weights
            are not as said above.
        InvalidParameterError
            If a parameter has a value that is not permitted.
        """
        before = getattr(self, "classes_", None) if self.warm_start else None
        X, codes, weights = self._read(X, y, sample_weight)
        problem = Problem(Design.of(X, codes, weights, len(self.classes_)), LINKS[self.link])
        check_spread(problem.design, getattr(self, "feature_names_in_", None), type(self).__name__)
        penalty = self._penalty(problem.design)
        null = null_model(problem, penalty, tol=self.tol, max_iter=self.max_iter)
        start = None
        if before is not None and np.array_equal(before, self.classes_):
            start = self._last_solution(problem, penalty)
        solution = next(
            solve_path(
                problem,
                penalty,
                [self.alpha],
                null=null,
                solver=self.solver,
                tol=self.tol,
                max_iter=self.max_iter,
                start=start,
            )
        )
        self._store(solution, problem, penalty, self.alpha, null)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`; rows sum to one.
        """
        scores = self._scores(X)
        return probabilities(scores, self._how(), LINKS[self.link])

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`. It is exact also where a probability is too small for a
            float (with the cloglog down to about -1e304), and -inf where a crossing leaves a
            class none.
        """
        scores = self._scores(X)
        return log_probabilities(scores, self._how(), LINKS[self.link])

    def predict_exceedance(self, X: Any) -> FloatArray:
        """Return the probability of being beyond each boundary.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes - 1)
            P(y > classes_[k]) by the model alone: where boundaries cross, a later column may be
            larger than an earlier one. The last column is the probability of the last class.
        """
        return of_scores(LINKS[self.link].survival, self._scores(X))

    def crossing_rate(self, X: Any) -> float:
        """Return the share of rows at which boundaries cross, so that `crossing` matters.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        float
            From 0 to 1.
        """
        return float(crossed(self._scores(X)).mean())

    def predict(self, X: Any) -> AnyArray:
        """Return the most probable class.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels. A rare class is seldom the most probable one: to decide, put a threshold or
            costs on the probabilities.
        """
        found = self.predict_proba(X).argmax(axis=1)
        labels: AnyArray = self.classes_[found]
        return labels

    def decision_function(self, X: Any) -> FloatArray:
        """Return scores of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            For two classes the log-odds of the second; else the log-probabilities, -1e300 where
            a crossing leaves a class none, as scikit-learn's metrics want finite numbers.
        """
        scores = self._scores(X)
        link = LINKS[self.link]
        if len(self.classes_) == 2:
            odds = link.log_survival(scores[:, 0]) - link.log_cdf(scores[:, 0])
            return np.clip(odds, _LOWEST, -_LOWEST)
        return np.maximum(log_probabilities(scores, self._how(), link), _LOWEST)

    def __sklearn_tags__(self) -> Tags:
        """Say that sparse rows are taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _penalty(self, design: Design) -> Penalty:
        """Return what is penalised."""

    def _read(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> tuple[Any, IntArray, FloatArray]:
        """Check the rows; return the table, each row's class (0, 1, ...) and its weight.

        Sets `classes_`, `n_features_in_` and `feature_names_in_`.
        """
        who = type(self).__name__
        check_categories(self.categories, who)
        refuse_no_columns(X, who)
        X = validate_data(
            self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), order=None
        )
        n_rows = X.shape[0]
        given = row_weights(sample_weight, n_rows, who)
        if y is not None:
            check_consistent_length(X, y)
        classes, codes = ordered_target(y, self.categories, who, given)
        weights: FloatArray = np.ones(n_rows) if given is None else given
        if self.class_weight is not None:
            mass = np.bincount(codes, weights, len(classes))
            factors = class_factors(self.class_weight, classes, mass, who)
            weights = np.asarray(weights * factors[codes])
        self.classes_ = classes
        return X, codes, weights

    def _store(
        self, solution: Solution, problem: Problem, penalty: Penalty, alpha: float, null: Null
    ) -> None:
        """Set the fitted attributes of one solution, and warn if it is not the optimum.

        Parameters
        ----------
        solution, problem, penalty, alpha :
            What was solved.
        null : Null
            The model without penalised coordinates.
        """
        design = problem.design
        # Of the shared structure one row is enough, and is what users expect.
        rows = solution.theta if penalty.structure == "shared" else penalty.spread(solution.theta)
        # The sum turns -0.0 into 0.0.
        self.coef_ = 0.0 - rows / design.scale
        self.intercept_ = 0.0 - solution.intercepts - self.coef_ @ design.mean
        if penalty.structure == "adjacent":
            self.delta_ = 0.0 - solution.theta / design.scale
        # What no penalty holds was fitted first.
        self.n_iter_ = int(null.solution.n_iter + solution.n_iter)
        self.alpha_max_ = float(null.alpha_max)
        self.objective_ = float(solution.objective)
        self.kkt_violation_ = float(solution.violation)
        self.duality_gap_ = float(duality_gap(problem, penalty, alpha, solution))
        self.effective_prior_ = problem.shares()
        self.n_crossings_ = int(problem.crossings(solution.intercepts, rows))
        if self.verbose:
            print(
                f"{type(self).__name__}: alpha {alpha:.3g}, {self.n_iter_} iterations, "
                f"objective {self.objective_:.9g}, violation {self.kkt_violation_:.1e}"
            )
        self._warn_if_not_optimal(solution, problem, penalty, alpha, null.goal(self.tol))

    def _warn_if_not_optimal(
        self, solution: Solution, problem: Problem, penalty: Penalty, alpha: float, goal: float
    ) -> None:
        """Say that there is no finite optimum, or that it was not reached."""
        who, state = type(self).__name__, solution.state
        # Then whatever is larger by the same factor has a smaller loss and, if that is nothing,
        # the same penalty.
        separated = bool((state.upper > 0).all() and (state.lower < 0).all())
        endless = separated and penalty.value(solution.theta, alpha) == 0
        if endless or runs_away(problem, penalty, alpha, solution):
            rule = "unpenalised weights need classes that no columns separate without error"
            got = f"{'all' if separated else 'some'} rows separated: no finite optimum exists"
            what = "alpha" if alpha == 0 else "level_penalty"
            todo = f"Set {what} above 0; the present weights are arbitrary"
            text = message(who, rule, got, todo)
            warn(text, ConvergenceWarning)
        elif not solution.converged:
            rule = f"the violation of the optimality conditions should be at most {goal:.1e}"
            got = f"{solution.violation:.1e} after {solution.n_iter} iterations"
            text = message(who, rule, got, "Raise max_iter or tol, or alpha")
            warn(text, ConvergenceWarning)

    def _last_solution(self, problem: Problem, penalty: Penalty) -> Solution | None:
        """Return the last fit as a point of this problem, if it is one."""
        design = problem.design
        theta = getattr(self, "delta_", getattr(self, "coef_", None))
        if theta is None or theta.shape != penalty.lasso.shape:
            return None
        intercepts = -(self.intercept_ + self.coef_ @ design.mean)
        start = np.where(design.constant, 0.0, 0.0 - theta * design.scale)
        last = solution_at(problem, penalty, self.alpha, intercepts, start)
        return last if np.isfinite(last.objective) else None

    def _scores(self, X: Any) -> FloatArray:
        """Return the scores eta of P(y <= k) = F(eta_k), of shape (n_rows, n_classes - 1)."""
        check_is_fitted(self)
        X = validate_data(
            self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), reset=False
        )
        weights = self.coef_.T
        with np.errstate(over="ignore", invalid="ignore"):
            if sparse.issparse(X) or X.dtype == np.float64:
                linear = X @ weights
            else:
                linear = np.empty((X.shape[0], weights.shape[1]))
                for rows in gen_batches(X.shape[0], _ROWS):
                    linear[rows] = X[rows] @ weights
            scores = -(np.asarray(linear) + self.intercept_)
        odd: BoolArray = np.asarray(np.isnan(scores).any(axis=1))
        if odd.any():
            rule = "the weights times the columns must add up to a number"
            got = f"NaN in {odd.sum():,} of {len(odd):,} rows, the first {odd.argmax():,}"
            todo = "Look for values beyond 1e300 in these rows"
            raise DataError(message(type(self).__name__, rule, got, todo))
        return np.clip(scores, -_FURTHEST, _FURTHEST)

    def _how(self) -> Crossing:
        """Return what is done about crossing boundaries; parallel ones need nothing."""
        how: Crossing = getattr(self, "crossing", "keep_last")
        return how
