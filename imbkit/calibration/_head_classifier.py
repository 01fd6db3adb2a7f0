"""What the classifiers that correct the last linear layer of another one have in common."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_array
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from imbkit._core.containers import take
from imbkit._core.deploy import deploy
from imbkit._core.induced import changes_shares
from imbkit._core.messages import listing, message
from imbkit._core.prior import class_shares, induced_prior
from imbkit._core.types import AnyArray, FloatArray
from imbkit._core.warn import warn
from imbkit.calibration._linear_head import Bias, corrected_bias, one_row, two_rows
from imbkit.calibration._wrapper import BaseWrapper
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

__all__ = [
    "BaseHeadClassifier",
    "LinearHead",
    "check_scores",
    "linear_head",
]

# So many rows tell whether the scores of an estimator are those of its weights.
_N_PROBES = 50


class LinearHead:
    """The transformers and the last, linear step of a fitted classifier.

    Parameters
    ----------
    steps : sequence of transformers
        What is done to the rows first.
    estimator : estimator
        The linear classifier itself.
    weights : ndarray of shape (n_classes, n_head_features)
        Its weights, two rows for two classes.
    bias : ndarray of shape (n_classes,)
        Its intercepts.
    """

    def __init__(
        self, steps: Sequence[Any], estimator: Any, weights: FloatArray, bias: FloatArray
    ) -> None:
        self.steps = steps
        self.estimator = estimator
        self.weights = weights
        self.bias = bias

    def features(self, X: Any) -> Any:
        """Transform rows into what the linear classifier gets."""
        return _through(self.steps, X)

    def products(self, X: Any) -> FloatArray:
        """Return the scores (n_rows, n_classes) of rows, without the intercepts."""
        # Frames and numbers held as objects become arrays; what is missing was refused by fit.
        features = check_array(self.features(X), accept_sparse="csr", ensure_all_finite=False)
        return np.asarray(safe_sparse_dot(features, self.weights.T, dense_output=True))

    def corrected(self, weights: FloatArray, bias: FloatArray) -> LogisticRegression:
        """Return a classifier that has other weights and is like this one otherwise.

        Its softmax is the one that ``predict_proba`` of every head means, and scikit-learn
        alone can load it.
        """
        made = LogisticRegression()
        made.classes_ = self.estimator.classes_
        two = len(made.classes_) == 2
        made.coef_, made.intercept_ = one_row(weights, bias) if two else (weights, bias)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator, name):
                setattr(made, name, getattr(self.estimator, name))
        return made


class BaseHeadClassifier(BaseWrapper):
    """A classifier whose scores are those of another one with a corrected last layer.

    A subclass has `bias` and, in ``fit``, calls `_keep` at the end.
    """

    bias: Bias

    def predict(self, X: Any) -> AnyArray:
        """Predict the class with the largest corrected score.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels.
        """
        check_is_fitted(self)
        return np.asarray(self.head_.predict(_through(self._steps, X)))

    def decision_function(self, X: Any) -> FloatArray:
        """Return the corrected scores.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes), or (n_rows,) for two classes
            Larger means more likely; for two classes, more likely ``classes_[1]``.
        """
        check_is_fitted(self)
        return np.asarray(self.head_.decision_function(_through(self._steps, X)))

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the softmax of the corrected scores, which is not calibrated.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`; rows sum to one.
        """
        check_is_fitted(self)
        return np.asarray(self.head_.predict_proba(_through(self._steps, X)))

    def __deploy__(self) -> Any:
        """Return a LogisticRegression with the new weights, behind the fitted transformers."""
        check_is_fitted(self)
        if not self._steps:
            return self.head_
        return make_pipeline(*(deploy(step) for step in self._steps), self.head_)

    def _prior(
        self, fitted: Any, target: AnyArray, sample_weight: FloatArray | None
    ) -> FloatArray | None:
        """Return the class shares that the estimator was trained on, if `bias` needs them.

        Labels and weights are those that it was fitted on, or with cv="prefit" other ones.
        """
        if self.bias != "prior":
            return None
        who = type(self).__name__
        classes = np.asarray(fitted.classes_)
        prior = None
        if not self._is_prefit():
            prior = induced_prior(fitted, target, classes, sample_weight)
        elif not changes_shares(fitted):
            prior = class_shares(target, classes, sample_weight)
        if not hasattr(fitted, "predict_proba"):
            rule = "with bias='prior' the scores should be log-probabilities up to a constant"
            got = f"{type(fitted).__name__}, which has no predict_proba"
            todo = "Pass bias='zero' or 'keep', or take a learner such as LogisticRegression"
            warn(message(who, rule, got, todo), ImbkitWarning)
        elif prior is None:
            rule = "with bias='prior' it should be known what class shares the estimator saw"
            got = "an estimator where training changed more than the shares, or hides them"
            todo = "Those of y are used; pass bias='zero' or 'keep' if they are not meant"
            warn(message(who, rule, got, todo), ImbkitWarning)
        if prior is None:
            prior = class_shares(target, classes, sample_weight)
        if not prior.all():
            rule = "with bias='prior' every class must have rows of positive weight"
            raise DataError(message(who, rule, f"none for {listing(classes[prior == 0])}"))
        return prior

    def _bias(
        self, head: LinearHead, fitted: Any, target: AnyArray, sample_weight: FloatArray | None
    ) -> FloatArray:
        """Return the corrected intercepts."""
        return corrected_bias(head.bias, self.bias, self._prior(fitted, target, sample_weight))

    def _warn_if_two(self, head: LinearHead) -> None:
        """Say what a change of norms cannot do."""
        if head.bias.size != 2:
            return
        rule = "there should be three classes or more"
        got = "two, whose rows of the last layer have the same norm: no ranking of rows changes"
        todo = "The intercept alone makes a difference; ThresholdClassifierCV chooses it by a rule"
        warn(message(type(self).__name__, rule, got, todo), ImbkitWarning)

    def _keep(self, fitted: Any, head: LinearHead, weights: FloatArray, bias: FloatArray) -> None:
        """Turn the corrected head into fitted attributes."""
        self._take_over(fitted)
        self._steps = list(head.steps)
        self.head_ = head.corrected(weights, bias)
        self.classes_ = self.head_.classes_
        self.coef_ = self.head_.coef_
        self.intercept_ = self.head_.intercept_


def linear_head(fitted: Any, who: str) -> LinearHead:
    """Return the last layer of a fitted classifier.

    Parameters
    ----------
    fitted : estimator
        A linear classifier, or a Pipeline that ends in one; samplers in it are left out.
    who : str
        The class that messages speak for.

    Returns
    -------
    LinearHead
        Copies of its weights and intercepts, one row a class.

    Raises
    ------
    InvalidParameterError
        If the estimator is not linear, or has not one weight vector for each class.
    """
    steps: list[Any] = []
    last = fitted
    while isinstance(last, FrozenEstimator | Pipeline):
        if isinstance(last, FrozenEstimator):
            last = last.estimator
        else:
            steps += [step for _, step in last.steps[:-1] if _transforms(step)]
            last = last.steps[-1][1]
    missing = [name for name in ("coef_", "intercept_", "classes_") if not hasattr(last, name)]
    if missing:
        rule = "the estimator must be a linear classifier, or a Pipeline that ends in one"
        got = f"{type(last).__name__}, which has no {' and no '.join(missing)} after fit"
        todo = "Take for example LogisticRegression, LinearSVC or LinearDiscriminantAnalysis"
        raise InvalidParameterError(message(who, rule, got, todo))
    n_classes = len(last.classes_)
    coef = last.coef_.toarray() if hasattr(last.coef_, "toarray") else np.asarray(last.coef_)
    weights = np.atleast_2d(np.array(coef, copy=True))
    n_scores = 1 if n_classes == 2 else n_classes
    intercepts = np.ravel(last.intercept_).astype(weights.dtype)
    if weights.shape[0] != n_scores or intercepts.size not in (1, n_scores):
        shapes = f"coef_ of shape {coef.shape} for {n_classes} classes"
        raise _not_one_a_class(last, shapes, who)
    bias = np.broadcast_to(intercepts, n_scores).copy()
    if n_classes == 2:
        weights, bias = two_rows(weights, bias)
    return LinearHead(steps, last, weights, bias)


def check_scores(head: LinearHead, X: Any, who: str) -> None:
    """Refuse an estimator whose scores are not those of its weights, such as one-vs-one."""
    if not hasattr(head.estimator, "decision_function"):
        return
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    probes = take(X, np.unique(np.linspace(0, n_rows - 1, _N_PROBES).astype(int)))
    expected = np.asarray(head.estimator.decision_function(head.features(probes)))
    scores = head.products(probes) + head.bias
    if expected.ndim == 1:
        scores = scores[:, -1] - scores[:, 0]
    size = max(1.0, float(np.abs(expected).max()))
    tolerance = size * np.sqrt(np.finfo(np.float32).eps)
    if expected.shape != scores.shape or not np.allclose(expected, scores, atol=tolerance):
        got = "a decision_function that is not X @ coef_.T + intercept_"
        raise _not_one_a_class(head.estimator, got, who)


def _through(steps: Sequence[Any], X: Any) -> Any:
    """Apply fitted transformers one after the other."""
    for step in steps:
        X = step.transform(X)
    return X


def _transforms(step: Any) -> bool:
    """Whether a step does something in prediction; a sampler does not."""
    return not (step is None or isinstance(step, str) or hasattr(step, "fit_resample"))


def _not_one_a_class(estimator: Any, got: str, who: str) -> InvalidParameterError:
    """Return the error for a head that is no linear function of the features for each class."""
    rule = "the estimator must have one linear score for each class"
    todo = "Take one that fits each class against the rest or all at once, such as LinearSVC"
    got = f"{type(estimator).__name__} with {got}"
    return InvalidParameterError(message(who, rule, got, todo))
