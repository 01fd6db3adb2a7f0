"""PRESTO with the strength of its penalty chosen by cross-validation."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.metrics import get_scorer_names
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from imbkit._core.card import Card, Limit
from imbkit._core.compat import fit_context
from imbkit._core.constraints import N_JOBS, Interval, StrOptions
from imbkit._core.messages import listing, message, shorten
from imbkit._core.out_of_fold import make_splits, rows_of
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.ordinal._alphas import GRID_CONSTRAINTS, alpha_grid, given_alphas
from imbkit.ordinal._base import BaseCumulativeLink
from imbkit.ordinal._classes import row_weights
from imbkit.ordinal._crossing import Crossing
from imbkit.ordinal._design import Design, check_spread
from imbkit.ordinal._fold_path import Rows, fold_path
from imbkit.ordinal._fold_scores import ALIASES, SCORES, scorer_of, takes_weight
from imbkit.ordinal._path import Settings, follow, warn_if_unconverged
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._presto import PRESTOClassifier
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solve import Null, null_model

__all__ = ["PRESTOClassifierCV"]

_FOLDS = 5  # where cv is None


class PRESTOClassifierCV(BaseCumulativeLink):
    """Estimate the probability of a rare last class, with the penalty chosen by the data.

    The one to begin with: :class:`PRESTOClassifier` needs its `alpha`, and a good one depends on
    the data. This class fits whole paths of penalties, each fit started from the one before,
    which takes far less time than ``GridSearchCV`` and gives the same.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=100
        A number of penalties in equal ratios, from the smallest that leaves no penalised weight
        on all rows down to `eps` times that; or the penalties themselves, in any order.
    eps : float, default=1e-3
        The smallest penalty as a share of the largest, between 0 and 1. If `alpha_` is the
        smallest one, try less.
    l1_ratio : float or list of float, default=1.0
        Share of the lasso in the penalty, from 0 to 1; of several the best is taken.
    level_penalty : float, default=1.0
        Factor of the penalty on the first boundary's weights, 0 or more.
    cv : int, splitter or iterable, default=None
        A number of stratified folds, not shuffled (None means 5); a splitter; or pairs of
        training and test positions. Every training part must have rows of every class.
    scoring : str or callable, default="neg_log_loss"
        What the folds are scored by, larger being better: "neg_log_loss" or "neg_brier_score"
        over all classes, "neg_rare_log_loss" or "neg_rare_brier_score" of the last class
        against the rest; any other scorer of scikit-learn by its name; or a function
        ``scorer(fitted, X, y)``, which is given a fitted :class:`PRESTOClassifier`. "brier" and
        "rare_log_loss" are accepted for the names above. Give scikit-learn's scorers of
        probabilities by name: as objects (``make_scorer``, ``sklearn.metrics.get_scorer``) they
        take the columns for the sorted labels and score unsorted stages wrongly, without an
        error. Those of :func:`imbkit.metrics.get_scorer` go by ``classes_``.
    selection : {"min", "1se"}, default="min"
        "min" takes the penalty with the smallest loss, that is the best mean score; of equals
        the largest. "1se" takes the largest penalty whose mean score is within one standard
        error of that: fewer weights at no loss that can be told from chance.
    n_jobs : int, default=None
        Number of folds that are worked on at a time, in threads. The result is the same.
    categories : array-like of shape (n_classes,), default=None
        All classes from the first stage to the last, the rare one last.
    link : {"logit", "probit", "cloglog"}, default="logit"
        The distribution function F.
    standardize : bool, default=True
        Whether the penalty is on the weights of columns of unit standard deviation; each fold
        is standardised by its own training rows.
    class_weight : mapping, "balanced" or None, default=None
        Factor of the rows' weights by label when fitting, not when scoring; "balanced" is
        worked out for each fold by itself.
    crossing : {"keep_last", "isotonic", "raw"}, default="keep_last"
        What is done with predictions of a row at which boundaries cross.
    solver : {"auto", "newton-cd", "cd", "fista"}, default="auto"
        How each fit is solved.
    max_iter : int, default=100
        Outer iterations of each fit at most.
    tol : float, default=1e-5
        Largest violation of the optimality conditions of each fit to stop at, relative to the
        largest slope of the loss where all weights are 0, or to the share of the smallest class
        where that is less.
    verbose : int, default=0
        1 prints a line for the last fit, and what joblib says of the folds.

    Attributes
    ----------
    alpha_ : float
        The penalty that was chosen.
    l1_ratio_ : float
        The share of the lasso that was chosen.
    alphas_ : ndarray of shape (n_alphas,)
        The penalties, from the largest to the smallest. Of several `l1_ratio`, if `alphas` is a
        number, those of `l1_ratio_`; others have the same times ``max(l1_ratio_, 0.01)``,
        divided by their own ``max(l1_ratio, 0.01)``.
    cv_scores_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratios, n_alphas, n_folds)
        Mean score of each fold's test rows, larger being better.
    coefs_path_ : ndarray of shape (n_alphas, n_classes - 1, n_features)
        What `coef_` would be with each of `alphas_`, on all rows.
    intercepts_path_ : ndarray of shape (n_alphas, n_classes - 1)
        What `intercept_` would be.
    coef_ : ndarray of shape (n_classes - 1, n_features)
        Weights of each boundary for the columns as given; positive ones push to later classes.
    intercept_ : ndarray of shape (n_classes - 1,)
        Intercepts: P(y <= classes_[k] | x) = F(-(intercept_[k] + coef_[k] @ x)).
    delta_ : ndarray of shape (n_classes - 1, n_features)
        The first boundary's weights, then the differences of each from the one before; zeros
        are exact.
    classes_ : ndarray of shape (n_classes,)
        Labels in their order.
    n_iter_ : int
        Outer iterations of the fit on all rows with `alpha_`, from the penalty before.
    alpha_max_ : float
        The smallest penalty that leaves no penalised weight on all rows.
    objective_ : float
        Mean loss plus penalty.
    kkt_violation_ : float
        Largest violation of the optimality conditions, 0 at the optimum.
    duality_gap_ : float
        How far `objective_` can be above the optimum; NaN but for the logit with a pure lasso
        and `alpha_` above 0.
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
    PRESTOClassifier : One penalty; its page states the model.
    presto_path : All penalties, none chosen.
    sklearn.linear_model.LogisticRegressionCV : The like for classes without order.

    Notes
    -----
    The penalties come from all rows and are the same in every fold. Folds count the same in the
    mean whatever their size; the standard error is that of their scores, divided by the root of
    their number. A row's sample weight enters both the fit and the score. In the scores a
    probability below 2**-52 counts as that, as in scikit-learn. The Brier score of several
    classes is the sum of all squared errors; of two classes, as there, half of it.

    Scorers of scikit-learn that go by name see the classes sorted by label, as they expect it.

    Different from the paper's code: there the model that was scored in a fold was not the one
    that had been fitted, as the differences of the boundaries' weights were taken for the
    weights themselves, which chose too large penalties. The default score is the log-loss
    instead of the Brier score, and folds are stratified.

    Time of ``n_folds + 1`` paths for each `l1_ratio`; see :func:`presto_path`. Each fold in work
    holds one sorted copy of its training rows (sparse: two) and a copy of its test rows.

    References
    ----------
    G. Faletto, J. Bien, "Predicting rare events by shrinking towards proportional odds", ICML
    2023, PMLR 202, 9547-9602, doi:10.48550/arXiv.2305.18700.

    L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone, "Classification and regression trees",
    Wadsworth, 1984, section 3.4.3, doi:10.1201/9781315139470, for "1se".

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.ordinal import PRESTOClassifierCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 5))
    >>> y = np.digitize(X[:, 0] + rng.logistic(size=2000), [1, 3, 4.5])
    >>> model = PRESTOClassifierCV(alphas=20, eps=0.01).fit(X, y)
    >>> model.cv_scores_.shape, model.coefs_path_.shape
    ((20, 5), (20, 3, 5))
    >>> bool(model.alpha_ == model.alphas_[model.cv_scores_.mean(axis=1).argmax()])
    True
    """

    card = Card(
        paper="Faletto & Bien (2023), doi:10.48550/arXiv.2305.18700",
        cases=(
            {"alphas": 5, "cv": 3},
            {
                "alphas": [0.1, 0.01],
                "l1_ratio": [0.5, 1.0],
                "cv": 3,
                "scoring": "accuracy",
                "selection": "1se",
            },
        ),
        limits=(
            Limit(
                when={"alphas": [0.02]},
                equals="PRESTOClassifier",
                other={"alpha": 0.02},
            ),
        ),
    )

    _parameter_constraints = {
        **PRESTOClassifier._parameter_constraints,
        **GRID_CONSTRAINTS,
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions({*SCORES, *ALIASES, *get_scorer_names()}), callable],
        "selection": [StrOptions({"min", "1se"})],
        "n_jobs": N_JOBS,
    }

    l1_ratio: Any  # a list, too

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 100,
        eps: float = 1e-3,
        l1_ratio: float | Sequence[float] = 1.0,
        level_penalty: float = 1.0,
        cv: int | Iterable[Any] | Any = None,
        scoring: str | Callable[..., float] = "neg_log_loss",
        selection: Literal["min", "1se"] = "min",
        n_jobs: int | None = None,
        categories: ArrayLike | None = None,
        link: str = "logit",
        standardize: bool = True,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        crossing: Crossing = "keep_last",
        solver: str = "auto",
        max_iter: int = 100,
        tol: float = 1e-5,
        verbose: int = 0,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.l1_ratio = l1_ratio
        self.level_penalty = level_penalty
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.n_jobs = n_jobs
        self.categories = categories
        self.link = link
        self.standardize = standardize
        self.class_weight = class_weight
        self.crossing = crossing
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Choose the penalty and fit the model with it on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,)
            Labels; see `categories` for their order.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        **params
            ``groups`` for the splitter. With metadata routing, whatever the splitter and the
            scorer request.

        Returns
        -------
        PRESTOClassifierCV
            The fitted classifier.

        Raises
        ------
        DataError
            If :class:`PRESTOClassifier` would refuse the data, a class has no row (of positive
            weight) in some training part, or the score of a fold is no number.
        InvalidParameterError
            If a parameter has a value that is not permitted.
        """
        who = type(self).__name__
        given, ratios = given_alphas(self.alphas, who), self._ratios()
        X, codes, _ = self._read(X, y, sample_weight)
        raw = row_weights(sample_weight, len(codes), who)
        # What is not CSR has no rows to take.
        X = X.tocsr() if hasattr(X, "tocsr") else X
        data = Rows(X, codes, np.ones(len(codes)) if raw is None else raw, self.classes_)
        split_params, score_params = self._routed(raw, params)
        folds = self._folds(data, split_params)
        problem = data.problem(self._model(1.0))
        check_spread(problem.design, getattr(self, "feature_names_in_", None), who)
        grids, nulls = [], []
        for ratio in ratios:
            penalty = self._model(ratio)._penalty(problem.design)
            null = null_model(problem, penalty, tol=self.tol, max_iter=self.max_iter)
            alphas = alpha_grid(self.alphas, self.eps, null) if given is None else given
            grids.append((ratio, alphas))
            nulls.append(null)
        scores, failed = self._cross_validate(data, folds, grids, score_params)
        at, best = _chosen(scores, self.selection)
        self.cv_scores_ = scores[0] if isinstance(self.l1_ratio, Real) else scores
        self.l1_ratio_, self.alphas_ = ratios[at], grids[at][1].copy()
        self.alpha_ = float(self.alphas_[best])
        failed = np.append(failed, self._follow(problem, nulls[at], best))
        warn_if_unconverged(failed, who)
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who is routed what: the splitter, and a scorer that is not built in.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        from_fit = MethodMapping().add
        router = (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(splitter=self.cv, method_mapping=from_fit(caller="fit", callee="split"))
        )
        scorer = scorer_of(self.scoring)
        if not isinstance(scorer, str):
            mapping = MethodMapping().add(caller="fit", callee="score")
            router.add(scorer=scorer, method_mapping=mapping)
        return router

    def _penalty(self, design: Design) -> Penalty:
        """Shrink the first boundary's weights and the differences of adjacent boundaries."""
        return self._model(self.l1_ratio_)._penalty(design)

    def _follow(self, problem: Problem, null: Null, best: int) -> BoolArray:
        """Fit the path on all rows and keep one of its models; return where others failed."""
        penalty = self._penalty(problem.design)
        how = Settings(self.solver, self.tol, self.max_iter)
        path = follow(problem, penalty, self.alphas_, null, how, keep=best)
        self.coefs_path_, self.intercepts_path_ = path.coefs, path.intercepts
        # The model that is kept has its own warning.
        if path.kept is not None:
            self._store(path.kept, problem, penalty, self.alpha_, null)
        return np.delete(~path.converged, best)

    def _model(self, l1_ratio: float) -> PRESTOClassifier:
        """Return the classifier of one penalty, without that penalty."""
        return PRESTOClassifier(
            l1_ratio=l1_ratio,
            level_penalty=self.level_penalty,
            categories=self.categories,
            link=self.link,
            standardize=self.standardize,
            class_weight=self.class_weight,
            crossing=self.crossing,
            solver=self.solver,
            max_iter=self.max_iter,
            tol=self.tol,
        )

    def _ratios(self) -> list[float]:
        """Return the shares of the lasso to try."""
        if isinstance(self.l1_ratio, Real):
            return [float(self.l1_ratio)]
        try:
            ratios = np.asarray(self.l1_ratio, dtype=np.float64)
        except (TypeError, ValueError):
            ratios = np.empty(0)
        if ratios.ndim != 1 or ratios.size == 0 or not ((ratios >= 0) & (ratios <= 1)).all():
            rule = "l1_ratio must be a number from 0 to 1, or a list of such"
            raise InvalidParameterError(message(type(self).__name__, rule, self.l1_ratio))
        listed: list[float] = ratios.tolist()
        return listed

    def _routed(
        self, weights: FloatArray | None, params: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments of the splitter and those of the scorer."""
        who, scorer = type(self).__name__, scorer_of(self.scoring)
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", sample_weight=weights, **params)
            for_scorer = {} if isinstance(scorer, str) else dict(routed.scorer.score)
            return dict(routed.splitter.split), for_scorer
        unknown = [name for name in params if name != "groups"]
        if unknown:
            rule = "fit takes sample_weight and, for the splitter, groups"
            todo = "For more, call sklearn.set_config(enable_metadata_routing=True)"
            raise InvalidParameterError(message(who, rule, listing(unknown), todo))
        if weights is None or isinstance(scorer, str):
            return dict(params), {}
        if takes_weight(scorer):
            return dict(params), {"sample_weight": weights}
        rule = "a scorer should take sample_weight where rows have weights"
        todo = "They enter the fits, but not the scores of the folds"
        warn(message(who, rule, "one that does not", todo), ImbkitWarning)
        return dict(params), {}

    def _folds(self, data: Rows, params: Mapping[str, Any]) -> list[tuple[IntArray, IntArray]]:
        """Return training and test positions, or name the class and the fold that lack rows."""
        who = type(self).__name__
        labels = data.classes[data.codes]
        if self.cv is None or isinstance(self.cv, Integral):
            n_folds = _FOLDS if self.cv is None else int(self.cv)
            rows = np.bincount(data.codes, data.weights > 0, len(data.classes)).astype(int)
            if rows.min() < n_folds:
                # Test folds without the rare class would be scored by what they cannot tell.
                rule = "every class must have a row of positive weight for each of the folds"
                few = shorten(data.classes[rows.argmin()])
                got = f"{rows.min():,} of class {few} for {n_folds} folds"
                todo = "Use fewer folds, merge the class with its neighbour, or give a splitter"
                raise DataError(message(who, rule, got, todo))
        folds = make_splits(self.cv, data.X, labels, params, refit=True, random_state=None, who=who)
        for number, (train, test) in enumerate(folds):
            mass = np.bincount(data.codes[train], data.weights[train], len(data.classes))
            if not mass.all():
                rule = "every training fold must hold rows of positive weight of every class"
                got = f"none of class {shorten(data.classes[mass.argmin()])} in fold {number}"
                raise DataError(message(who, rule, got, "Use fewer folds, or stratified ones"))
            if not data.weights[test].any():
                rule = "every test fold must hold rows of positive weight"
                raise DataError(message(who, rule, f"none in fold {number}"))
        return folds

    def _cross_validate(
        self,
        data: Rows,
        folds: list[tuple[IntArray, IntArray]],
        grids: list[tuple[float, FloatArray]],
        params: Mapping[str, Any],
    ) -> tuple[FloatArray, BoolArray]:
        """Return the scores (n_l1_ratios, n_alphas, n_folds) and which fits missed the optimum."""
        scoring, model = scorer_of(self.scoring), self._model(1.0)
        task, n_rows = delayed(fold_path), len(data.codes)
        done = Parallel(n_jobs=self.n_jobs, verbose=self.verbose, prefer="threads")(
            task(data, model, train, test, grids, scoring, rows_of(params, test, n_rows))
            for train, test in folds
        )
        scores = np.stack([each for each, _ in done], axis=-1)
        odd = np.argwhere(~np.isfinite(scores))
        if len(odd):
            rule = "scoring must give a finite number for every fold"
            found = scores[tuple(odd[0])]
            got = f"{'none' if np.isnan(found) else found} in fold {odd[0][-1]}"
            todo = "Use fewer folds, or a score that is defined for any rows, like neg_log_loss"
            raise DataError(message(type(self).__name__, rule, got, todo))
        return scores, np.stack([each for _, each in done])


def _chosen(scores: FloatArray, selection: str) -> tuple[int, int]:
    """Return which l1_ratio and which alpha are the best; alphas fall, so the first one wins."""
    means = scores.mean(axis=2)
    at, best = (int(each) for each in np.unravel_index(means.argmax(), means.shape))
    if selection == "1se" and scores.shape[2] > 1:
        error = scores[at, best].std(ddof=1) / np.sqrt(scores.shape[2])
        best = int(np.argmax(means[at] >= means[at, best] - error))
    return at, best
