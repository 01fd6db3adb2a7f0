"""A classifier whose decision threshold is chosen by a rule on out-of-fold scores."""

import warnings
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRequest, MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import N_JOBS, RANDOM_STATE, HasMethods, Interval, StrOptions
from imbkit._core.deploy import deploy
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray, Seed
from imbkit.exceptions import InvalidParameterError, ThresholdWarning
from imbkit.metrics._counts import check_weight
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._best_metric import as_rule
from imbkit.thresholds._fit_inputs import FitInputs, fit_inputs, row_values_of
from imbkit.thresholds._labels import (
    binary_target,
    check_same_classes,
    check_weighted_classes,
    positive_label,
)
from imbkit.thresholds._pooling import Choice, Pooling, choose, fold_of
from imbkit.thresholds._rule import Rule
from imbkit.thresholds._scores import (
    FoldScores,
    no_scores,
    out_of_fold,
    positive_scores,
    response_names,
)
from imbkit.thresholds._splits import make_splits

__all__ = ["ThresholdClassifierCV"]


def _delegates(name: str) -> Callable[["ThresholdClassifierCV"], bool]:
    """Return a check for a method that the estimator may or may not have."""

    def check(model: "ThresholdClassifierCV") -> bool:
        # Let the estimator's own AttributeError say why the method is missing.
        getattr(getattr(model, "estimator_", model.estimator), name)
        return True

    return check


class ThresholdClassifierCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Choose the decision threshold of any two-class classifier by a rule.

    The default threshold of 0.5 is rarely right for a rare class. This wrapper scores every
    row by an estimator that has not seen it, finds the best cut-off among all there are, and
    refits the estimator on all rows. Try it before any resampling: it leaves the scores
    as they are and changes only what is done with them.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba`` or ``decision_function``.
    rule : rule, str, count metric or callable, default="f1"
        What is best: a rule of this package such as ``LowestCost(fn=10.0)``, or whatever
        :class:`BestMetric` takes.
    cv : int, float, splitter, iterable or "prefit", default=5
        Where the out-of-fold scores come from: a number of stratified folds (None means 5),
        the share of the rows in one stratified hold-out set, a splitter, a list of
        (train, test) positions, or ``"prefit"``: the estimator is fitted already, on other
        rows, and all rows given to ``fit`` serve the threshold.
    pooling : {"pooled", "mean", "median", "curve"}, default="pooled"
        How the folds are combined. "pooled" sweeps all out-of-fold scores at once. "mean"
        and "median" average the folds' own optima; "curve" takes the optimum of the folds'
        average objective, each fold counting the same. Prefer "median" where the scores of
        different folds are on different scales.
    refit : bool, default=True
        Whether to fit the estimator on all rows at the end. False needs a single split,
        whose estimator is kept, or ``cv="prefit"``.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Where the scores come from; "auto" takes the first that the estimator has.
    pos_label : int, float, bool or str, default=None
        The positive class. None takes 1 of the labels {0, 1} and {-1, 1} and True of
        booleans. Of any other two labels it takes the one with fewer rows (of equally
        frequent ones the last in order), with a warning that names both.
    n_jobs : int, default=None
        Number of folds fitted at a time.
    random_state : int, RandomState or None, default=None
        Draws the hold-out set if `cv` is a share; not used otherwise.
    store_cv_results : bool, default=False
        Whether to keep `cv_results_`.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator that predicts.
    threshold_ : float
        Rows with at least this score are predicted positive. ``inf`` means that alerting no
        row at all was best.
    threshold_interval_ : tuple of two floats
        Smallest and largest of the folds' own optima, without folds that lack a class: how
        far the threshold depends on the sample. NaN if every fold lacks one.
    best_score_ : float
        The rule's objective (larger is better, a cost counts as negative) at `threshold_` on
        all out-of-fold scores together.
    rule_ : Rule
        The decision rule, to print or to call on scores.
    curve_ : Curve
        The objective at every cut-off; unpacks into thresholds and values. The folds'
        average for "curve", otherwise that of all out-of-fold scores together.
    pos_label_ : object
        The positive class.
    classes_ : ndarray of shape (2,)
        The labels.
    n_features_in_ : int
        Number of features, if the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the estimator knows them.
    cv_results_ : dict
        With `store_cv_results` only: "thresholds" and "scores" (the curve), "fold_curves"
        (None where a fold lacks a class), "fold_thresholds" and "fold_scores" (each fold's
        own optimum, and its objective at `threshold_`), "y_true" and "y_score" (of all test
        rows, fold by fold: whether positive, and the out-of-fold score).

    See Also
    --------
    BestMetric : The rule behind a metric's name.
    LowestCost : The threshold at which errors cost least.
    sklearn.model_selection.TunedThresholdClassifierCV : Interpolates between 100 cut-offs.

    Notes
    -----
    A row is predicted positive where ``score >= threshold_``. The objective is evaluated at
    every cut-off that makes a difference, O(n log n) in all. Where several attain the
    optimum, the centre of the widest plateau is taken (:meth:`Curve.best`). Increasing
    transforms of the scores leave the attainable objective unchanged; where the optimum is
    not unique the plateau that is widest may differ. For "mean" and "median" a fold that
    would rather alert no row counts by its largest score.

    `sample_weight` enters the rule, and the estimator if its ``fit`` takes it. With metadata
    routing it enters the rule unless ``set_fit_request(sample_weight=False)``, and the
    estimator if that requests it; the row values that a rule names are requested by
    themselves. A search over several rules that need row values must start from a model
    whose own rule names them.

    Different from scikit-learn's TunedThresholdClassifierCV: every cut-off instead of 100
    equally spaced ones, no interpolation, all out-of-fold scores in one sweep, the spread
    of the threshold over the folds, costs of single rows, and sample weights without
    routing. The meaning of `cv`, `refit` and `response_method` is the same.

    Sparse and missing input is handed to the estimator as it is. Memory: a few arrays of one
    float a row beside what the estimator needs.

    References
    ----------
    Z. C. Lipton, C. Elkan, B. Naryanaswamy, "Optimal thresholding of classifiers to maximize
    F1 measure", ECML PKDD, 2014, doi:10.1007/978-3-662-44851-9_15.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.thresholds import ThresholdClassifierCV
    >>> X, y = make_classification(2000, weights=[0.95], flip_y=0.02, random_state=0)
    >>> model = ThresholdClassifierCV(LogisticRegression(), rule="f1").fit(X, y)
    >>> model.rule_
    Rule(score >= 0.23..., f1=0.92..., at 101 of 2000 rows)
    >>> low, high = model.threshold_interval_
    >>> low <= model.threshold_ <= high
    True
    """

    card = Card(
        paper="Lipton, Elkan & Naryanaswamy (2014), doi:10.1007/978-3-662-44851-9_15",
        known_failures={
            "check_classifiers_train": (
                "predict need not agree with a threshold of 0.5 on the probability; "
                "TunedThresholdClassifierCV declares the same"
            ),
        },
    )

    __metadata_request__fit = {"sample_weight": True}

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "rule": "no_validation",
        "cv": ["cv_object", StrOptions({"prefit"}), Interval(Real, 0, 1, closed="neither")],
        "pooling": [StrOptions({"pooled", "mean", "median", "curve"})],
        "refit": ["boolean"],
        "response_method": [StrOptions({"auto", "predict_proba", "decision_function"})],
        "pos_label": [Real, str, "boolean", None],
        "n_jobs": N_JOBS,
        "random_state": RANDOM_STATE,
        "store_cv_results": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        rule: Any = "f1",
        *,
        cv: int | float | str | Iterable[Any] | Any = 5,
        pooling: Pooling = "pooled",
        refit: bool = True,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        pos_label: float | str | None = None,
        n_jobs: int | None = None,
        random_state: Seed = None,
        store_cv_results: bool = False,
    ) -> None:
        self.estimator = estimator
        self.rule = rule
        self.cv = cv
        self.pooling = pooling
        self.refit = refit
        self.response_method = response_method
        self.pos_label = pos_label
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_cv_results = store_cv_results

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Choose the threshold and fit the estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Labels, two distinct ones.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        **params
            Row values that the rule names, each of shape (n_rows,); ``groups`` for the
            splitter; arguments of the estimator's ``fit``.

        Returns
        -------
        ThresholdClassifierCV
            The fitted model.

        Raises
        ------
        DataError
            If the target is not binary, a training fold lacks a class, no test fold has
            both, a score is NaN, or row values are missing.
        InvalidParameterError
            If the estimator has no scores, or parameters contradict each other.
        """
        who = type(self).__name__
        rule = as_rule(self.rule)
        self._check_estimator()
        target = binary_target(y, who)
        X, _ = indexable(X, target)
        weight = check_weight(sample_weight, target.size, who)
        row_values = row_values_of(rule, X, target.size, params, who)
        inputs = fit_inputs(self, rule, self._own_request(), weight, params)
        classes = np.unique(target).tolist()
        pos_label = positive_label(target, classes, self.pos_label, who)
        positive = np.asarray(target == pos_label, dtype=bool)
        if not inputs.weighs_rule:
            weight = None
        check_weighted_classes(positive, weight, who)
        rule = rule.prepared(positive, **row_values)

        scored = self._scores(X, target, pos_label, inputs)
        folds = [fold_of(f.rows, f.scores, positive, weight, row_values) for f in scored]
        choice = choose(rule, folds, self.pooling, who)
        self._warn_if_constant(choice.everything.y_score)
        if self.cv != "prefit" and self.refit:
            self.estimator_ = clone(self.estimator).fit(X, target, **inputs.estimator)
        else:
            self.estimator_ = scored[0].estimator
        self.pos_label_ = pos_label
        self._keep(rule, choice)
        return self

    def predict(self, X: Any) -> AnyArray:
        """Predict labels: the positive one where the score reaches the threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels.
        """
        check_is_fitted(self, "rule_")
        scores = positive_scores(
            self.estimator_, X, self.response_method, self.pos_label_, type(self).__name__
        )
        positive = 0 if self.classes_[0] == self.pos_label_ else 1
        labels: AnyArray = self.classes_[np.where(self.rule_(scores), positive, 1 - positive)]
        return labels

    @available_if(_delegates("predict_proba"))
    def predict_proba(self, X: Any) -> FloatArray:
        """Return the estimator's probabilities, which the threshold does not change.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, 2)
            In the order of `classes_`.
        """
        return np.asarray(self._fitted_estimator().predict_proba(X))

    @available_if(_delegates("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithms of the estimator's probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, 2)
            In the order of `classes_`.
        """
        return np.asarray(self._fitted_estimator().predict_log_proba(X))

    @available_if(_delegates("decision_function"))
    def decision_function(self, X: Any) -> FloatArray:
        """Return the estimator's decision values, which the threshold does not change.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Larger means more likely ``classes_[1]``.
        """
        return np.asarray(self._fitted_estimator().decision_function(X))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who is routed what: the rule's row values are requested by themselves.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        fit_to = MethodMapping().add
        return (
            MetadataRouter(owner=self)
            .add_self_request(self._own_request())
            .add(estimator=self.estimator, method_mapping=fit_to(caller="fit", callee="fit"))
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )

    def __sklearn_tags__(self) -> Tags:
        """Say that the target is binary, and take over what input the estimator can take."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        inner = get_tags(self.estimator).input_tags
        tags.input_tags.sparse = inner.sparse
        tags.input_tags.allow_nan = inner.allow_nan
        return tags

    def __deploy__(self) -> FixedThresholdClassifier:
        """Return scikit-learn's FixedThresholdClassifier around the fitted estimator."""
        check_is_fitted(self, "rule_")
        shipped = FixedThresholdClassifier(
            FrozenEstimator(deploy(self.estimator_)),
            threshold=self.threshold_,
            pos_label=self.pos_label_,
            response_method=self.response_method,
        )
        # The frozen estimator looks at no rows; fitting only marks the object as fitted.
        return shipped.fit(self.classes_, self.classes_)

    def _check_estimator(self) -> None:
        """Refuse settings that no data could make valid."""
        who = type(self).__name__
        names = response_names(self.response_method)
        if not any(hasattr(self.estimator, name) for name in names):
            raise no_scores(self.estimator, names, who)
        if self.cv != "prefit":
            return
        if self.refit:
            todo = "Pass refit=False, or another cv to have the estimator fitted"
            raise InvalidParameterError(
                message(who, "with cv='prefit' nothing can be refitted", "refit=True", todo)
            )
        try:
            check_is_fitted(self.estimator, "classes_")
        except NotFittedError:
            rule = "with cv='prefit' the estimator must be fitted"
            raise NotFittedError(message(who, rule, self.estimator, "Fit it first")) from None

    def _own_request(self) -> MetadataRequest:
        """What this object itself wants of the metadata: weights and the rule's row values."""
        request = super().get_metadata_routing()
        for name in as_rule(self.rule).row_names():
            request.fit.add_request(param=name, alias=True)
        return request

    def _scores(
        self, X: Any, target: AnyArray, pos_label: Any, inputs: FitInputs
    ) -> list[FoldScores]:
        """Score rows by estimators that have not seen them."""
        who = type(self).__name__
        if self.cv == "prefit":
            check_same_classes(self.estimator, np.unique(target).tolist(), who)
            scores = positive_scores(self.estimator, X, self.response_method, pos_label, who)
            return [FoldScores(np.arange(target.size), scores, self.estimator)]
        splits = make_splits(
            self.cv,
            X,
            target,
            inputs.splitter,
            refit=self.refit,
            random_state=self.random_state,
            who=who,
        )
        return out_of_fold(
            self.estimator,
            X,
            target,
            splits,
            fit_params=inputs.estimator,
            response_method=self.response_method,
            pos_label=pos_label,
            n_jobs=self.n_jobs,
            keep=not self.refit,
            who=who,
        )

    def _warn_if_constant(self, scores: FloatArray) -> None:
        if scores.min() == scores.max():
            rule = f"the scores of {type(self.estimator).__name__} should differ between rows"
            todo = "The threshold separates nothing: all rows are predicted alike"
            got = f"{scores[0]:.6g} for all {scores.size:,} rows"
            warnings.warn(
                message(type(self).__name__, rule, got, todo), ThresholdWarning, stacklevel=4
            )

    def _keep(self, rule: BaseRule, choice: Choice) -> None:
        """Turn the choice into fitted attributes."""
        scores = choice.everything.y_score
        own = choice.fold_thresholds[~np.isnan(choice.fold_thresholds)]
        self.classes_ = self.estimator_.classes_
        self.threshold_ = choice.threshold
        self.threshold_interval_ = (
            (float(own.min()), float(own.max())) if own.size else (np.nan, np.nan)
        )
        self.best_score_ = choice.score
        self.curve_ = choice.curve
        self.rule_ = Rule(
            threshold=choice.threshold,
            name=rule.name,
            value=rule.measure(choice.score),
            n_alerts=int(np.count_nonzero(scores >= np.float64(choice.threshold))),
            n_rows=scores.size,
        )
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        if self.store_cv_results:
            curves = choice.fold_curves
            at_threshold = [float(c.at(choice.threshold)) if c else np.nan for c in curves]
            self.cv_results_ = {
                "thresholds": choice.curve.thresholds,
                "scores": choice.curve.objective,
                "fold_curves": curves,
                "fold_thresholds": choice.fold_thresholds,
                "fold_scores": np.array(at_threshold),
                "y_true": choice.everything.y_true,
                "y_score": choice.everything.y_score,
            }

    def _fitted_estimator(self) -> Any:
        """Return what predicts; like scikit-learn, an estimator fitted beforehand will do."""
        try:
            check_is_fitted(self.estimator)
        except NotFittedError:
            check_is_fitted(self, "estimator_")
        return getattr(self, "estimator_", self.estimator)
