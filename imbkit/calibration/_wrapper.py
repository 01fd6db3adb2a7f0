"""What the classifiers that wrap another one have in common."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRequest, MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from imbkit._core.fit_inputs import FitInputs, fit_inputs
from imbkit._core.messages import listing, message
from imbkit._core.out_of_fold import FoldScores, make_splits, out_of_fold
from imbkit._core.types import AnyArray, IntArray
from imbkit.calibration._labels import class_target
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._counts import check_weight

__all__ = ["BaseWrapper", "stacked"]


class BaseWrapper(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier that fits another one, and changes what that answers.

    A subclass has `estimator` and, if it needs rows that the estimator has not seen, `cv`,
    `n_jobs` and `random_state`.
    """

    estimator: Any

    __metadata_request__fit = {"sample_weight": True}

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who is routed what.

        Returns
        -------
        MetadataRouter
            The routing: this object's weights, the estimator's ``fit``, and the splitter if
            there is one.
        """
        router = MetadataRouter(owner=self).add_self_request(self._own_request())
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        router.add(estimator=self.estimator, method_mapping=to_fit)
        if hasattr(self, "cv"):
            to_split = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=self.cv, method_mapping=to_split)
        return router

    def __sklearn_tags__(self) -> Tags:
        """Take over what input and targets the estimator can take."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        if inner.classifier_tags is not None:
            tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags

    def _own_request(self) -> MetadataRequest:
        """Return what this object itself wants of the metadata: the weights."""
        return super().get_metadata_routing()

    def _check_estimator(self, *, gives_probabilities: bool) -> None:
        """Refuse an estimator that no data could make valid."""
        who = type(self).__name__
        if gives_probabilities and not hasattr(self.estimator, "predict_proba"):
            rule = "the estimator must have the method predict_proba"
            todo = "Wrap it in scikit-learn's CalibratedClassifierCV, or choose another learner"
            raise InvalidParameterError(message(who, rule, self.estimator, todo))
        if not self._is_prefit():
            return
        try:
            check_is_fitted(self.estimator, "classes_" if gives_probabilities else None)
        except NotFittedError:
            rule = "with cv='prefit' the estimator must be fitted"
            todo = "Fit it first. Where this object is cloned, as in a search, pass "
            todo += "FrozenEstimator(estimator), which stays fitted"
            raise NotFittedError(message(who, rule, self.estimator, todo)) from None

    def _is_prefit(self) -> bool:
        """Whether the estimator is fitted already and shall stay as it is."""
        cv = getattr(self, "cv", None)
        return isinstance(cv, str) and cv == "prefit"

    def _read(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None, params: Mapping[str, Any]
    ) -> tuple[Any, AnyArray, FitInputs]:
        """Check what ``fit`` was given, and find out who gets what."""
        who = type(self).__name__
        target = class_target(y, who)
        X, _ = indexable(X, target)
        weight = check_weight(sample_weight, target.size, who)
        if not self._is_prefit():
            return X, target, fit_inputs(self, self._own_request(), weight, params)
        if params:
            rule = "with cv='prefit' nothing is fitted that could take further arguments"
            got, todo = listing(params), "Leave them out, or pass a number of folds as cv"
            raise InvalidParameterError(message(who, rule, got, todo))
        return X, target, FitInputs(weight, {}, {})

    def _splits(
        self, X: Any, target: AnyArray, inputs: FitInputs, random_state: Any
    ) -> list[tuple[IntArray, IntArray]]:
        """Return the training and test positions of each fold."""
        who, cv = type(self).__name__, getattr(self, "cv", None)
        params = inputs.splitter
        return make_splits(cv, X, target, params, refit=True, random_state=random_state, who=who)

    def _unseen(
        self,
        X: Any,
        target: AnyArray,
        inputs: FitInputs,
        splits: list[tuple[IntArray, IntArray]],
        score: Callable[[Any, Any], AnyArray],
        *,
        keep: bool = False,
    ) -> list[FoldScores]:
        """Return responses of estimators to rows that they have not seen."""
        return out_of_fold(
            self.estimator,
            X,
            target,
            splits,
            score=score,
            fit_params=inputs.estimator,
            n_jobs=getattr(self, "n_jobs", None),
            keep=keep,
        )

    def _take_over(self, fitted: Any) -> None:
        """Know the features that the fitted estimator knows."""
        self.estimator_ = fitted
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))


def stacked(folds: list[FoldScores]) -> tuple[IntArray, AnyArray]:
    """Return the positions of all rows of the test folds, and their responses."""
    rows = np.concatenate([fold.rows for fold in folds])
    return rows, np.concatenate([fold.scores for fold in folds])
