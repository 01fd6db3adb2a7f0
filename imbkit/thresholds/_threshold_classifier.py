"""A classifier whose decision is chosen by a rule on out-of-fold scores."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral, Real
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
from imbkit._core.fit_inputs import FitInputs, fit_inputs
from imbkit._core.messages import listing, message
from imbkit._core.out_of_fold import FoldScores, make_splits, out_of_fold
from imbkit._core.types import AnyArray, FloatArray, Seed
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._counts import check_weight
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._best_metric import as_rule
from imbkit.thresholds._bootstrap import bootstrap_interval
from imbkit.thresholds._class_weights import ClassDecision
from imbkit.thresholds._labels import (
    TargetKind,
    check_same_classes,
    check_weighted,
    check_weighted_classes,
    positive_label,
    read_target,
)
from imbkit.thresholds._labels_decision import LabelsDecision
from imbkit.thresholds._pooling import Choice, Pooling, choose, fold_of
from imbkit.thresholds._row_values import TIE_KEYS, check_known, row_values_of
from imbkit.thresholds._rule import Rule
from imbkit.thresholds._scores import (
    ClassProbabilities,
    LabelProbabilities,
    PositiveScores,
    no_scores,
    positive_scores,
    response_names,
    warn_if_constant,
)
from imbkit.thresholds._training_prior import training_prior

__all__ = ["ThresholdClassifierCV"]


def _delegates(name: str) -> Callable[["ThresholdClassifierCV"], bool]:
    """Return a check for a method that the estimator may or may not have."""

    def check(model: "ThresholdClassifierCV") -> bool:
        # Let the estimator's own AttributeError say why the method is missing.
        getattr(getattr(model, "estimator_", model.estimator), name)
        return True

    return check


class ThresholdClassifierCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Choose the decision threshold of any classifier by a rule.

    The default threshold of 0.5 is rarely right for a rare class. This wrapper scores every
    row by an estimator that has not seen it, finds the best cut-off among all there are, and
    refits the estimator on all rows. Try it before any resampling: it leaves the scores
    as they are and changes only what is done with them. Of more than two classes each gets a
    weight on its probability, of several labels a row each gets a threshold.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba`` or ``decision_function``.
    rule : rule, str, count metric or callable, default="f1"
        What is best: a rule of this package such as ``LowestCost(fn=10.0)``, or whatever
        :class:`BestMetric` takes. A search over ``rule__beta`` and the like needs the object.
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
        Draws the hold-out set if `cv` is a share, the bootstrap samples, and the starting
        points of the search between many classes beyond the second.
    n_bootstrap : int, default=0
        Bootstrap samples of the out-of-fold rows for `bootstrap_interval_`; 200 or more give
        a usable interval, 0 none.
    n_restarts : int, default=3
        Starting points of the search for the weights of more than two classes.
    store_cv_results : bool, default=False
        Whether to keep `cv_results_`.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator that predicts.
    threshold_ : float
        Rows with at least this score are predicted positive. ``inf`` means that alerting no
        row, but those with a score of ``inf``, was best.
    threshold_interval_ : tuple of two floats
        Smallest and largest of the folds' own optima, without folds that lack a class: how
        far the threshold depends on the sample. NaN if every fold lacks one.
    bootstrap_interval_ : tuple of two floats
        With `n_bootstrap` only: 95 % percentile interval of the threshold over samples of the
        out-of-fold rows, drawn with replacement from each class.
    best_score_ : float
        The rule's objective (larger is better, a cost counts as negative) at `threshold_` on
        all out-of-fold scores together.
    rule_ : Rule, ClassDecision or LabelsDecision
        The decision, to print or to call on scores: of two classes, of more, or of several
        labels a row. The latter two have the `weights` of the classes and the `thresholds` of
        the labels in place of `threshold_`, its intervals and `curve_`; the classes are sorted.
    curve_ : Curve
        The objective at every cut-off; unpacks into thresholds and values. The folds'
        average for "curve", otherwise that of all out-of-fold scores together.
    pos_label_ : object
        The positive class of two.
    classes_ : ndarray of shape (n_classes,)
        The labels in the estimator's order, which is that of the probabilities.
    n_features_in_ : int
        Number of features, if the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the estimator knows them.
    cv_results_ : dict
        With `store_cv_results` only: "thresholds" and "scores" (the curve), "fold_curves"
        (None where a fold lacks a class), "fold_thresholds" and "fold_scores" (each fold's
        own optimum, and its objective at `threshold_`), "y_true" and "y_score" (of all test
        rows, fold by fold: whether positive, and the out-of-fold score). Of more than two
        classes or of several labels only the last two: labels, and probabilities.

    See Also
    --------
    BestMetric : The rule behind a metric's name.
    LowestCost : The threshold at which errors cost least.
    Constraint : The best threshold that keeps a promise.
    AlertBudget : As many alerts as can be looked at.
    PriorRule : Decide as if the classes had other shares.
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
    of the threshold over the folds, costs of single rows, constraints and budgets, more than
    two classes, and sample weights without routing. The meaning of `cv`, `refit` and
    `response_method` is the same.

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
        "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
        "store_cv_results": ["boolean"],
    }

    rule_: Rule | ClassDecision | LabelsDecision

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
        n_bootstrap: int = 0,
        n_restarts: int = 3,
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
        self.n_bootstrap = n_bootstrap
        self.n_restarts = n_restarts
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
        y : array-like of shape (n_rows,) or (n_rows, n_labels)
            Labels, at least two distinct ones; or zeros and ones, one column a label.
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
            If the rule does not serve so many classes, a training fold lacks a class, no test
            fold has both of two classes, a score is NaN, or row values are missing.
        InvalidParameterError
            If the estimator has no scores, or parameters contradict each other.
        """
        who = type(self).__name__
        rule = as_rule(self.rule)
        self._check_estimator(rule)
        target, kind = read_target(y, who)
        if kind == "multiclass":
            rule.check_classes(np.unique(target).size)
        X, _ = indexable(X, target)
        weight = check_weight(sample_weight, target.shape[0], who)
        names = rule.row_names()
        row_values = row_values_of(rule, names, X, target.shape[0], params, who)
        inputs = fit_inputs(self, self._own_request(), weight, params, names)
        data = _Rows(X, target, inputs, row_values)
        if kind == "binary":
            self._fit_two_classes(rule, data)
        else:
            self._check_many(rule, kind)
            fit = self._fit_classes if kind == "multiclass" else self._fit_labels
            fit(rule, data)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def predict(self, X: Any, **params: Any) -> AnyArray:
        """Predict labels: the positive one where the score reaches the threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        **params
            Values of each row that the rule's decision depends on, each of shape (n_rows,),
            unless `X` is a frame that has them as columns.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_labels)
            Labels.
        """
        check_is_fitted(self, "rule_")
        who = type(self).__name__
        if not isinstance(self.rule_, Rule):
            check_known(params, (), who)
            if isinstance(self.rule_, LabelsDecision):
                table = LabelProbabilities(self.n_labels_)(self.estimator_, X)
                return np.asarray(self.rule_(table))
            # The rule's classes are sorted; the estimator's are in an order of their own.
            classes = np.sort(self.classes_)
            scores = ClassProbabilities(classes.tolist(), who)(self.estimator_, X)
            return np.asarray(classes[self.rule_(scores)])
        rule = self.rule_.chosen_by or as_rule(self.rule)
        names = rule.decision_names()
        check_known(params, names, who)
        scores = positive_scores(self.estimator_, X, self._response(rule), self.pos_label_, who)
        values = row_values_of(rule, names, X, scores.size, params, who, "predict")
        positive = 0 if self.classes_[0] == self.pos_label_ else 1
        alerts = self.rule_(scores, **values)
        labels: AnyArray = self.classes_[np.where(alerts, positive, 1 - positive)]
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
        """Take over what targets and what input the estimator can take."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        if inner.classifier_tags is not None:
            multi_class = inner.classifier_tags.multi_class and self._serves_many_classes()
            tags.classifier_tags.multi_class = multi_class
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        return tags

    def __deploy__(self) -> FixedThresholdClassifier:
        """Return scikit-learn's FixedThresholdClassifier around the fitted estimator."""
        check_is_fitted(self, "rule_")
        if not isinstance(self.rule_, Rule):
            rule = "scikit-learn has no object that decides by one threshold a class"
            todo = "Ship the model as it is, with imbkit installed"
            raise InvalidParameterError(message(type(self).__name__, rule, self.rule_, todo))
        rule = self.rule_.chosen_by or as_rule(self.rule)
        shipped = FixedThresholdClassifier(
            FrozenEstimator(deploy(self.estimator_)),
            threshold=rule.deployed(self.threshold_),
            pos_label=self.pos_label_,
            response_method=self._response(rule),
        )
        # The frozen estimator looks at no rows; fitting only marks the object as fitted.
        return shipped.fit(self.classes_, self.classes_)

    def _fit_two_classes(self, rule: BaseRule, data: "_Rows") -> None:
        """Choose one threshold on the score of the positive class."""
        who, target, weight = type(self).__name__, data.target, data.inputs.own_weight
        classes = np.unique(target).tolist()
        pos_label = positive_label(target, classes, self.pos_label, who)
        positive = np.asarray(target == pos_label, dtype=bool)
        check_weighted_classes(positive, weight, who)
        rule = rule.for_classes(classes, classes.index(pos_label))
        rule = rule.prepared(positive, **data.row_values)
        scored = self._scored(data, classes, PositiveScores(self._response(rule), pos_label, who))
        if rule.uses_prior:
            prior = training_prior(self.estimator_, target, classes, weight, who)
            rule = rule.with_prior(prior if classes[1] == pos_label else prior[::-1])
        folds = [fold_of(rule, f.rows, f.scores, positive, weight, data.row_values) for f in scored]
        choice = choose(rule, folds, self.pooling, who)
        warn_if_constant(self.estimator, scored, who)
        self.pos_label_ = pos_label
        self.classes_ = self.estimator_.classes_
        self._keep(rule, choice)

    def _fit_classes(self, rule: BaseRule, data: "_Rows") -> None:
        """Choose a weight for the probability of each class."""
        who, weight = type(self).__name__, data.inputs.own_weight
        labels, codes = np.unique(data.target, return_inverse=True)
        classes = labels.tolist()
        check_weighted(codes, classes, weight, who)
        scored = self._scored(data, classes, ClassProbabilities(classes, who))
        self.classes_ = self.estimator_.classes_
        rows = np.concatenate([fold.rows for fold in scored])
        probabilities = np.concatenate([fold.scores for fold in scored])
        warn_if_constant(self.estimator, scored, who)
        prior = None
        if rule.uses_prior:
            prior = training_prior(self.estimator_, data.target, classes, weight, who)
        self.rule_ = rule.class_decision(
            codes[rows],
            probabilities,
            None if weight is None else weight[rows],
            classes=classes,
            prior=prior,
            n_restarts=self.n_restarts,
            random_state=self.random_state,
        )
        self.best_score_ = float(self.rule_.value)
        if self.store_cv_results:
            self.cv_results_ = {"y_true": data.target[rows], "y_score": probabilities}

    def _fit_labels(self, rule: BaseRule, data: "_Rows") -> None:
        """Choose a threshold for each of several labels."""
        n_labels = data.target.shape[1]
        scored = self._scored(data, None, LabelProbabilities(n_labels))
        rows = np.concatenate([fold.rows for fold in scored])
        probabilities = np.concatenate([fold.scores for fold in scored])
        weight = data.inputs.own_weight
        self.rule_ = rule.labels_decision(
            data.target[rows], probabilities, None if weight is None else weight[rows]
        )
        self.classes_ = np.asarray(getattr(self.estimator_, "classes_", np.arange(n_labels)))
        self.n_labels_ = n_labels
        self.best_score_ = float(self.rule_.value)
        if self.store_cv_results:
            self.cv_results_ = {"y_true": data.target[rows], "y_score": probabilities}

    def _scored(
        self, data: "_Rows", classes: list[Any] | None, score: Callable[[Any, Any], AnyArray]
    ) -> list[FoldScores]:
        """Score rows by estimators that have not seen them, and fit the one that predicts."""
        who, X, target, inputs = type(self).__name__, data.X, data.target, data.inputs
        if self.cv == "prefit":
            if classes is not None:
                check_same_classes(self.estimator, classes, who)
            self.estimator_ = self.estimator
            return [FoldScores(np.arange(target.shape[0]), score(self.estimator, X))]
        splits = make_splits(
            self.cv,
            X,
            target,
            inputs.splitter,
            refit=self.refit,
            random_state=self.random_state,
            who=who,
        )
        folds = out_of_fold(
            self.estimator,
            X,
            target,
            splits,
            score=score,
            fit_params=inputs.estimator,
            n_jobs=self.n_jobs,
            keep=not self.refit,
        )
        self.estimator_ = folds[0].estimator
        if self.refit:
            self.estimator_ = clone(self.estimator).fit(X, target, **inputs.estimator)
        return folds

    def _response(self, rule: BaseRule) -> str:
        return "predict_proba" if rule.needs_probabilities else self.response_method

    def _check_estimator(self, rule: BaseRule) -> None:
        """Refuse settings that no data could make valid."""
        who = type(self).__name__
        if rule.needs_probabilities and self.response_method == "decision_function":
            what = f"the rule {type(rule).__name__} needs probabilities"
            todo = "Pass response_method='auto' or 'predict_proba'"
            raise InvalidParameterError(message(who, what, "decision_function", todo))
        names = response_names(self._response(rule))
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
            what = "with cv='prefit' the estimator must be fitted"
            raise NotFittedError(message(who, what, self.estimator, "Fit it first")) from None

    def _check_many(self, rule: BaseRule, kind: TargetKind) -> None:
        """Refuse what has a meaning for two classes only."""
        who = type(self).__name__
        what, one = "more than two classes", "fit(X, y == label)"
        if kind == "multilabel":
            what, one = "several labels a row", "fit one column of y at a time"
        if not hasattr(self.estimator, "predict_proba"):
            raise no_scores(self.estimator, ("predict_proba",), who)
        for name, neutral in (("pooling", "pooled"), ("pos_label", None), ("n_bootstrap", 0)):
            value = getattr(self, name)
            if value != neutral:
                todo = f"Pass {name}={neutral!r}, or {one}"
                text = f"{name} has a meaning for two classes only"
                got = f"{name}={value!r} with {what}"
                raise InvalidParameterError(message(who, text, got, todo))
        names = [name for name in rule.row_names() if name != TIE_KEYS]
        if names:
            text = "row values have a meaning for two classes only"
            got = f"{listing(names)} with {what}"
            todo = f"Use a rule that needs none, or {one}"
            raise InvalidParameterError(message(who, text, got, todo))

    def _serves_many_classes(self) -> bool:
        try:
            return as_rule(self.rule).serves_many_classes
        except InvalidParameterError:
            return True  # what is no rule is refused by fit, and can be shown until then

    def _own_request(self) -> MetadataRequest:
        """What this object itself wants of the metadata: weights and the rule's row values."""
        request = super().get_metadata_routing()
        rule = as_rule(self.rule)
        for name in rule.row_names():
            if name != TIE_KEYS:
                request.fit.add_request(param=name, alias=True)
        for name in rule.decision_names():
            if name != TIE_KEYS:
                request.predict.add_request(param=name, alias=True)
        return request

    def _keep(self, rule: BaseRule, choice: Choice) -> None:
        """Turn the choice into fitted attributes."""
        everything = choice.everything
        own = choice.fold_thresholds[~np.isnan(choice.fold_thresholds)]
        self.threshold_ = choice.threshold
        self.threshold_interval_ = (
            (float(own.min()), float(own.max())) if own.size else (np.nan, np.nan)
        )
        self.best_score_ = choice.score
        self.curve_ = choice.curve
        named = {name: everything.row_values[name] for name in rule.decision_names()}
        alerts = rule.decide(everything.y_score, choice.threshold, **named)
        self.rule_ = Rule(
            threshold=choice.threshold,
            name=rule.name,
            value=rule.measure(choice.score),
            n_alerts=int(np.count_nonzero(alerts)),
            n_rows=alerts.size,
            chosen_by=rule,
        )
        if self.n_bootstrap:
            self.bootstrap_interval_ = bootstrap_interval(
                rule, everything, self.n_bootstrap, self.random_state
            )
        if self.store_cv_results:
            curves = choice.fold_curves
            at_threshold = [float(c.at(choice.threshold)) if c else np.nan for c in curves]
            self.cv_results_ = {
                "thresholds": choice.curve.thresholds,
                "scores": choice.curve.objective,
                "fold_curves": curves,
                "fold_thresholds": choice.fold_thresholds,
                "fold_scores": np.array(at_threshold),
                "y_true": everything.y_true,
                "y_score": everything.y_score,
            }

    def _fitted_estimator(self) -> Any:
        """Return what predicts; like scikit-learn, an estimator fitted beforehand will do."""
        try:
            check_is_fitted(self.estimator)
        except NotFittedError:
            check_is_fitted(self, "estimator_")
        return getattr(self, "estimator_", self.estimator)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is fitted: rows, their labels, who gets which argument, and the rule's values."""

    X: Any
    target: AnyArray
    inputs: FitInputs
    row_values: dict[str, AnyArray]
