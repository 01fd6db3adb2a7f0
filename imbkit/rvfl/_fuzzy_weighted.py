"""Any learner, fitted with intuitionistic fuzzy scores as weights."""

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import HasMethods
from imbkit._core.deploy import deploy
from imbkit._core.fit_inputs import fit_inputs, takes_weight
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray, Seed
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._counts import check_weight
from imbkit.rvfl._fuzzy import Fuzzy, FuzzyScores, FuzzySettings, ScoreMethod, fuzzy_scores
from imbkit.rvfl._fuzzy_warnings import check_scores_left, warn_of_scores
from imbkit.rvfl._intuitionistic_scores import SCORE_CONSTRAINTS, labelled_rows

__all__ = ["FuzzyWeightedClassifier"]

_DIGITS = 30  # binary ones of the weights handed on


def _delegates(name: str) -> Callable[["FuzzyWeightedClassifier"], bool]:
    """Return a check for a method that the estimator may or may not have."""

    def check(model: "FuzzyWeightedClassifier") -> bool:
        # Let the estimator's own AttributeError say why the method is missing.
        getattr(getattr(model, "estimator_", model.estimator), name)
        return True

    return check


class FuzzyWeightedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit any classifier with intuitionistic fuzzy scores as weights of the rows.

    Rows far from the centre of their class count less, rows amid another class not at all: for
    learners that wrong labels and wild values lead astray. The scores are made from the rows that
    ``fit`` is given, so that cross-validation is honest, which scores of a whole table made
    beforehand are not. They are no help for a rare class: give the learner
    ``class_weight="balanced"`` as well, and compare with that learner alone.

    Parameters
    ----------
    estimator : estimator
        A classifier whose ``fit`` takes `sample_weight`; it is cloned.
    fuzzy : {"kernel", "linear", "dual_center"}, default="kernel"
        What is far from the centre; see :func:`intuitionistic_fuzzy_scores` for this and the
        following parameters.
    kernel_width : float or "median", default="median"
        Width of the kernel, in the unit of the columns, which should have one scale.
    radius_eps : float, default=1e-4
        Added to the radius of a class, above 0.
    neighbor_correction : {"prior"} or None, default="prior"
        "prior" counts a neighbour as one over the size of its class; None as one.
    score_method : {"auto", "exact", "rff", "subset"}, default="auto"
        How scores are computed.
    store_scores : bool, default=True
        Whether the attributes of rows are kept.
    random_state : int, RandomState or None, default=None
        For scores that are estimated; the estimator has its own.
    n_jobs : int, default=None
        Threads for the scores; None for the cores that are free.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    fuzzy_scores_, membership_, nonmembership_ : ndarray of shape (n_rows,)
        Of each row that ``fit`` was given; if `store_scores`.
    class_radius_ : ndarray of shape (n_classes,)
        Largest distance of a row from the centre of its class.
    neighborhood_radius_ : float
        Rows nearer than this are neighbours; NaN for "dual_center".
    kernel_width_ : float
        The width used; NaN for "linear".
    score_method_ : {"exact", "rff", "subset"}
        How scores were computed.
    effective_prior_ : ndarray of shape (n_classes,)
        NaN: training changed more than the shares of the classes, so no factors turn its
        probabilities back. Calibrate them.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X is a frame with text names.

    See Also
    --------
    intuitionistic_fuzzy_scores : The scores alone.
    IFRVFLClassifier : Random features with these scores.

    Notes
    -----
    Row i has the weight score_i v_i, with v_i its `sample_weight`, which also counts as
    repetition of the row in the scores. Rows are handed to the estimator as they are, but must be
    finite numbers. Weights are rounded to 2**-30 of the largest score, which makes their sums
    exact. With metadata routing, the scores reach the estimator in any case,
    multiplied by the weights that it requests; the scores use the weights that this object
    requests, which it does by default. Time and memory are those of the scores and of the
    estimator.

    References
    ----------
    M. A. Ganaie, M. Sajid, A. K. Malik, M. Tanveer, "Graph embedded intuitionistic fuzzy random
    vector functional link neural network for class imbalance learning", IEEE Transactions on
    Neural Networks and Learning Systems, 2024, doi:10.48550/arXiv.2307.07881.

    M. H. Ha, C. Wang, J. Q. Chen, "The support vector machine based on intuitionistic fuzzy
    number and kernel function", Soft Computing 17(4), 2013, doi:10.1007/s00500-012-0937-y.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.rvfl import FuzzyWeightedClassifier
    >>> X, y = make_classification(300, class_sep=2.0, flip_y=0.1, random_state=0)
    >>> learner = LogisticRegression(class_weight="balanced")
    >>> model = FuzzyWeightedClassifier(learner, kernel_width="median").fit(X, y)
    >>> model.score_method_, model.fuzzy_scores_.shape
    ('exact', (300,))
    """

    card = Card(
        paper="Ganaie, Sajid, Malik & Tanveer (2024), doi:10.48550/arXiv.2307.07881",
        # On labels without any pattern, as checks have them, narrower settings leave a class
        # nothing, which is an error.
        cases=(
            {"kernel_width": "median", "radius_eps": 1.5},
            {"fuzzy": "linear", "neighbor_correction": "prior", "radius_eps": 100.0},
            {"fuzzy": "dual_center", "kernel_width": "median"},
        ),
    )

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        **SCORE_CONSTRAINTS,
        "store_scores": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        fuzzy: Fuzzy = "kernel",
        kernel_width: float | Literal["median"] = "median",
        radius_eps: float = 1e-4,
        neighbor_correction: Literal["prior"] | None = "prior",
        score_method: ScoreMethod = "auto",
        store_scores: bool = True,
        random_state: Seed = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.fuzzy = fuzzy
        self.kernel_width = kernel_width
        self.radius_eps = radius_eps
        self.neighbor_correction = neighbor_correction
        self.score_method = score_method
        self.store_scores = store_scores
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Score the rows, and fit the estimator with the scores as weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; an integer counts as so many rows.
        **params
            Arguments of the estimator's ``fit``.

        Returns
        -------
        FuzzyWeightedClassifier
            The fitted classifier.

        Raises
        ------
        DataError
            If there is one class only, a class has no row of positive weight, or the scores
            take all weight from a class.
        InvalidParameterError
            If the estimator takes no `sample_weight`, or a parameter has a value that is not
            permitted.
        """
        who = type(self).__name__
        if not takes_weight(self.estimator) and not _routes_weight(self.estimator):
            rule = "the estimator's fit must take sample_weight"
            todo = "Choose another learner; as a pipeline take imbkit.pipeline.Pipeline"
            raise InvalidParameterError(message(who, rule, self.estimator, todo))
        table, target = validate_data(self, X, y, **self._accepted())
        X, _ = indexable(X, target)
        weight = check_weight(sample_weight, len(target), who)
        inputs = fit_inputs(self, super().get_metadata_routing(), weight, params)
        if inputs.splitter:
            rule = "fit takes no groups, as nothing is split"
            raise InvalidParameterError(message(who, rule, "groups", "Leave them out"))
        rows = labelled_rows(target, inputs.own_weight, who)
        settings = FuzzySettings(
            fuzzy=self.fuzzy,
            kernel_width=self.kernel_width,
            radius_eps=self.radius_eps,
            neighbor_correction=self.neighbor_correction,
            score_method=self.score_method,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
            who=who,
        )
        found = fuzzy_scores(table, rows.codes, len(rows.classes), rows.weights, settings)
        rest = dict(inputs.estimator)
        given = rest.pop("sample_weight", np.ones(len(target)))
        check_scores_left(found.scores, rows.codes, given, rows.classes, who)
        warn_of_scores(found, rows.codes, rows.weights, rows.classes, who)
        fitted = clone(self.estimator)
        fitted.fit(X, target, sample_weight=_on_grid(found.scores) * given, **rest)
        self.estimator_, self.classes_ = fitted, fitted.classes_
        self._keep(found)
        return self

    def predict(self, X: Any) -> AnyArray:
        """Return the estimator's labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels.
        """
        self._check_rows(X)
        return np.asarray(self.estimator_.predict(X))

    @available_if(_delegates("predict_proba"))
    def predict_proba(self, X: Any) -> FloatArray:
        """Return the estimator's probabilities, which the weights have changed.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        self._check_rows(X)
        return np.asarray(self.estimator_.predict_proba(X))

    @available_if(_delegates("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithms of the estimator's probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        self._check_rows(X)
        return np.asarray(self.estimator_.predict_log_proba(X))

    @available_if(_delegates("decision_function"))
    def decision_function(self, X: Any) -> FloatArray:
        """Return the estimator's decision values.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            As the estimator has them.
        """
        self._check_rows(X)
        return np.asarray(self.estimator_.decision_function(X))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who is routed what.

        Returns
        -------
        MetadataRouter
            The routing: this object's weights, and the estimator's ``fit``.
        """
        router = MetadataRouter(owner=self).add_self_request(super().get_metadata_routing())
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        return router.add(estimator=self.estimator, method_mapping=to_fit)

    def __sklearn_tags__(self) -> Tags:
        """Take over what the estimator can take; missing values have no distances."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = False
        if inner.classifier_tags is not None:
            tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags

    def __deploy__(self) -> Any:
        """Return the fitted estimator, which needs no scores to predict."""
        check_is_fitted(self)
        return deploy(self.estimator_)

    def _accepted(self) -> dict[str, Any]:
        """Say what kinds of rows are read."""
        inner = get_tags(self.estimator)
        return {"accept_sparse": "csr" if inner.input_tags.sparse else False, "dtype": np.float64}

    def _check_rows(self, X: Any) -> None:
        """Complain of rows that ``fit`` would not take, whatever the estimator can do with them."""
        check_is_fitted(self)
        validate_data(self, X, reset=False, **self._accepted())

    def _keep(self, found: FuzzyScores) -> None:
        """Turn what was found into fitted attributes."""
        for name in ("fuzzy_scores_", "membership_", "nonmembership_"):
            self.__dict__.pop(name, None)
        if self.store_scores:
            self.fuzzy_scores_ = found.scores
            self.membership_ = found.membership
            self.nonmembership_ = found.nonmembership
        self.class_radius_ = found.class_radius
        self.neighborhood_radius_ = found.neighborhood_radius
        self.kernel_width_ = found.kernel_width
        self.score_method_ = found.method
        self.effective_prior_ = np.full(len(self.classes_), np.nan)


def _on_grid(scores: FloatArray) -> FloatArray:
    """Round scores to multiples of a power of two, none of them to zero.

    Sums of such weights are exact in any order, so that a row of weight 2 and one that occurs
    twice grow the same trees, whose splits hang on the last digit.
    """
    unit = 2.0 ** (np.ceil(np.log2(scores.max())) - _DIGITS)
    return np.where(scores > 0, np.maximum(np.rint(scores / unit), 1.0) * unit, 0.0)


def _routes_weight(estimator: Any) -> bool:
    """Whether a pipeline hands weights on by metadata routing."""
    if not get_config()["enable_metadata_routing"]:
        return False
    return bool(get_routing_for_object(estimator).consumes("fit", ("sample_weight",)))
