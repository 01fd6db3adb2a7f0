"""Class weights of a linear classifier divided by a power of their norm."""

from collections.abc import Callable, Iterable
from functools import partial
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from imbkit._core.card import Card
from imbkit._core.class_codes import class_codes
from imbkit._core.compat import fit_context
from imbkit._core.constraints import N_JOBS, RANDOM_STATE, HasMethods, Interval, StrOptions
from imbkit._core.fit_inputs import FitInputs
from imbkit._core.messages import message
from imbkit._core.out_of_fold import FoldScores
from imbkit._core.reached_weight import reached_weight
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit.calibration._head_classifier import (
    BaseHeadClassifier,
    LinearHead,
    check_scores,
    linear_head,
)
from imbkit.calibration._labels import check_known
from imbkit.calibration._linear_head import Bias, tau_scales
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, get_metric

__all__ = ["TauNormClassifier"]


class TauNormClassifier(BaseHeadClassifier):
    """Make the weight norms of frequent and rare classes of a linear classifier alike.

    A linear classifier trained on classes of very different size has longer weight vectors
    for the frequent ones, which win where in doubt. This wrapper divides each vector by a
    power `tau` of its norm and drops the intercepts; the power is chosen by cross-validation.
    Choose it for three classes or more where recall of every class counts the same, and
    beside class weights, which train the model anew. For two classes it has nothing to offer:
    use :class:`~imbkit.thresholds.ThresholdClassifierCV`.

    Parameters
    ----------
    estimator : estimator
        A linear classifier (`coef_` and `intercept_` after ``fit``), or a Pipeline that ends
        in one. Features should be centred, for example by a StandardScaler in the pipeline:
        without intercepts the classes are told apart around the origin.
    tau : float, default=None
        The power: 0 keeps the weights, 1 gives unit norms. None chooses among `taus`.
    taus : array-like of shape (n_taus,), default=None
        The powers tried if `tau` is None; None means 0, 0.1, ..., 2.
    bias : {"zero", "keep", "prior"}, default="zero"
        The intercepts: none, as they are, or less the logarithm of the class shares that the
        estimator was trained on. The last suits scores that are log-probabilities up to a
        constant, such as a logistic regression's.
    scoring : str, count metric or callable, default="balanced_accuracy"
        What is best: a count metric as :func:`~imbkit.metrics.get_metric` takes it. The
        default is the mean of the recalls of the classes; a metric of one class against the
        rest is averaged over the classes.
    cv : int, float, splitter, iterable or "prefit", default=5
        Where the rows for the choice come from: a number of stratified folds (None means 5),
        the share of the rows in one stratified hold-out set, a splitter, a list of
        (train, test) positions, or ``"prefit"``: the estimator is fitted already, on other
        rows, and all rows given to ``fit`` serve the choice. Not used if `tau` is a number,
        other than "prefit".
    n_jobs : int, default=None
        Number of folds fitted at a time.
    random_state : int, RandomState or None, default=None
        Draws the hold-out set if `cv` is a share; not used otherwise.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted on all rows.
    tau_ : float
        The power in use; of equally good ones the smallest.
    cv_results_ : dict
        "taus" and "scores", both of shape (n_taus,): the objective of all out-of-fold rows
        together, negative for a metric of which less is better. Empty if `tau` was given.
    coef_ : ndarray of shape (n_classes, n_head_features), or (1, n_head_features)
        The new weights; one row for two classes.
    intercept_ : ndarray of shape (n_classes,) or (1,)
        The new intercepts.
    head_ : LogisticRegression
        scikit-learn's object around both, which was never trained.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features, if the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the estimator knows them.

    See Also
    --------
    WeightAligner : Makes only the mean norms of two groups of classes alike.
    PriorShiftCorrector : Corrects probabilities for other class shares, and keeps them such.
    imbkit.thresholds.ThresholdClassifierCV : A threshold, or class weights, by a rule.

    Notes
    -----
    With weights w_k the new scores are x . w_k / ||w_k||^tau. Where `bias` leaves intercepts
    b_k they are x . w_k (g / ||w_k||)^tau + b_k with the geometric mean g of the norms, so that
    the intercepts do not drown the weights or drown in them. ``predict_proba`` is their
    softmax, which is not calibrated: wrap the result in scikit-learn's CalibratedClassifierCV
    where probabilities matter. Weights of zero stay zero.

    The scores of the out-of-fold rows are computed once and then only rescaled, so that
    trying a power costs O(n K): the folds' fits are all that takes time. Memory: O(n K).

    A two-class model has one weight vector w. It is taken for the centred pair (-w/2, w/2),
    whose norms are equal: the ranking of rows stays, and the intercept alone makes a
    difference, about which a warning is given.

    The method was made for deep features that are not negative and hardly need intercepts. On
    the columns of an ordinary table the intercepts carry much, and dropping them costs what
    the norms gain: there try ``tau=0, bias="prior"`` on a logistic regression, class weights
    or ``WeightAligner(mode="learned")`` beside it.

    Different from the paper: the head is that of a linear model of the features instead of a
    deep net's last layer, the power is chosen on out-of-fold rows instead of one validation
    set, and intercepts may be kept. To correct a model without training it again, pass
    ``FrozenEstimator(model)`` or ``cv="prefit"``, and rows that it has not seen.

    Sparse and missing input is handed to the estimator as it is. `sample_weight` enters the
    choice, the class shares, and the estimator if its ``fit`` takes it; with metadata routing
    only where it is requested.

    References
    ----------
    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.calibration import TauNormClassifier
    >>> from imbkit.metrics import balanced_accuracy_score
    >>> X, y = make_classification(
    ...     3000, n_informative=6, n_classes=3, weights=[0.9, 0.07], random_state=0
    ... )
    >>> plain = LogisticRegression().fit(X[::2], y[::2])
    >>> model = TauNormClassifier(LogisticRegression()).fit(X[::2], y[::2])
    >>> [round(balanced_accuracy_score(y[1::2], m.predict(X[1::2])), 2) for m in (plain, model)]
    [0.37, 0.54]
    """

    card = Card(
        paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217",
        cases=({}, {"tau": 0.5, "bias": "prior"}),
    )

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "tau": [Interval(Real, 0, None, closed="left"), None],
        "taus": ["array-like", None],
        "bias": [StrOptions({"zero", "keep", "prior"})],
        "scoring": [str, callable],
        "cv": ["cv_object", StrOptions({"prefit"}), Interval(Real, 0, 1, closed="neither")],
        "n_jobs": N_JOBS,
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        estimator: Any,
        tau: float | None = None,
        *,
        taus: ArrayLike | None = None,
        bias: Bias = "zero",
        scoring: str | Callable[..., Any] = "balanced_accuracy",
        cv: int | float | str | Iterable[Any] | Any = 5,
        n_jobs: int | None = None,
        random_state: Seed = None,
    ) -> None:
        self.estimator = estimator
        self.tau = tau
        self.taus = taus
        self.bias = bias
        self.scoring = scoring
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Choose the power, fit the estimator and correct its weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        **params
            ``groups`` for the splitter; arguments of the estimator's ``fit``.

        Returns
        -------
        TauNormClassifier
            The fitted model.

        Raises
        ------
        DataError
            If there is one class only, or a training fold lacks a class.
        InvalidParameterError
            If the estimator is not linear, or `taus` are not numbers from 0 on.
        """
        who = type(self).__name__
        taus = self._candidates()
        metric = get_metric(self.scoring)
        self._check_estimator(gives_probabilities=False)
        X, target, inputs = self._read(X, y, sample_weight, params)
        weight = inputs.own_weight
        if not self._is_prefit():
            weight = reached_weight(self.estimator, inputs.estimator)
        scores: FloatArray = np.empty(0)
        if self.tau is None:
            scores = self._scores(X, target, inputs, weight, taus, metric)
        best = int(np.argmax(scores)) if scores.size else 0
        fitted = self.estimator
        if not self._is_prefit():
            fitted = clone(self.estimator).fit(X, target, **inputs.estimator)
        head = linear_head(fitted, who)
        check_scores(head, X, who)
        check_known(target, np.asarray(fitted.classes_), who)
        self._warn_if_two(head)
        self.tau_ = float(taus[best])
        self.cv_results_ = {"taus": taus, "scores": scores} if scores.size else {}
        bias = self._bias(head, fitted, target, weight)
        weights = head.weights * self._scales(head, self.tau_)[:, np.newaxis]
        self._keep(fitted, head, weights, bias)
        return self

    def _candidates(self) -> FloatArray:
        """Return the powers to try, in increasing order."""
        if self.tau is not None:
            return np.array([self.tau], dtype=float)
        if self.taus is None:
            return np.linspace(0.0, 2.0, 21)
        rule = "taus must hold finite numbers, none of them negative"
        try:
            taus = np.asarray(self.taus, dtype=float)
        except (TypeError, ValueError):
            raise InvalidParameterError(message(type(self).__name__, rule, self.taus)) from None
        if taus.ndim != 1 or not taus.size or not (np.isfinite(taus) & (taus >= 0)).all():
            raise InvalidParameterError(message(type(self).__name__, rule, self.taus))
        return np.unique(taus)

    def _scales(self, head: LinearHead, tau: float) -> FloatArray:
        """Return the factor of each class; beside intercepts, factors that are 1 on average."""
        return tau_scales(head.weights, tau, keep_size=self.bias != "zero")

    def _scores(
        self,
        X: Any,
        target: AnyArray,
        inputs: FitInputs,
        weight: FloatArray | None,
        taus: FloatArray,
        metric: CountMetric,
    ) -> FloatArray:
        """Return the objective of all out-of-fold rows together under each power."""
        who = type(self).__name__
        folds, trained = self._products(X, target, inputs)
        classes = np.asarray(folds[0].estimator.classes_)
        check_known(target, classes, who)
        heads = [linear_head(fold.estimator, who) for fold in folds]
        biases = [
            self._bias(head, fold.estimator, target[on], None if weight is None else weight[on])
            for head, fold, on in zip(heads, folds, trained, strict=True)
        ]
        rows = np.concatenate([fold.rows for fold in folds])
        truth = class_codes(target, classes)[rows]
        kept = None if inputs.own_weight is None else inputs.own_weight[rows]
        average = "multiclass" if metric.over == "classes" else "macro"
        sign = 1.0 if metric.greater_is_better else -1.0
        scores = np.empty(taus.size)
        for i, tau in enumerate(taus):
            guesses = [
                np.argmax(fold.scores * self._scales(head, tau) + bias, axis=1)
                for fold, head, bias in zip(folds, heads, biases, strict=True)
            ]
            value = metric(truth, np.concatenate(guesses), average=average, sample_weight=kept)
            scores[i] = sign * float(value)
        return scores

    def _products(
        self, X: Any, target: AnyArray, inputs: FitInputs
    ) -> tuple[list[FoldScores], list[IntArray]]:
        """Return scores, without intercepts, by estimators that have not seen the rows.

        And the positions of the rows that each estimator was fitted on.
        """
        score = partial(_products_of, who=type(self).__name__)
        if self._is_prefit():
            every = np.arange(target.size)
            return [FoldScores(every, score(self.estimator, X), self.estimator)], [every]
        splits = self._splits(X, target, inputs, self.random_state)
        folds = self._unseen(X, target, inputs, splits, score, keep=True)
        return folds, [train for train, _ in splits]


def _products_of(fitted: Any, X: Any, who: str) -> FloatArray:
    """Return the scores of rows without the intercepts, once they are known to be linear."""
    head = linear_head(fitted, who)
    check_scores(head, X, who)
    return head.products(X)
