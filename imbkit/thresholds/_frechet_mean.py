"""Predict the label that is nearest, on average, to what the classes may turn out to be."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import HasMethods, Interval, StrOptions
from imbkit._core.fit_inputs import fit_inputs
from imbkit._core.messages import listing, message
from imbkit._core.prior import check_prior, induced_prior, shift
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.metrics._counts import check_weight
from imbkit.thresholds._label_metric import label_distances, leaves
from imbkit.thresholds._labels import read_target

__all__ = ["FrechetMeanClassifier"]

# Costs within this share of each other are equal but for rounding.
_TIE = 1e-12
# A label must win by this share of the cost to count as reachable. The solver takes no
# tolerance below a hundredth of it.
_MARGIN = 1e-8


class FrechetMeanClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Predict the label of least expected distance to the true one.

    Most errors are not equally bad: a severity that is one step off is better than one that
    is three off, and so is a sub-type of the right family. This wrapper takes any
    classifier's probabilities and a distance between labels, and predicts the label whose
    expected distance is smallest. That may be a label of which there was no row to train on,
    if it lies between others. Choose it for ordered or hierarchical labels; for errors whose
    cost is no distance, take :class:`LowestCost`.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba``.
    metric : {"ordinal", "numeric", "discrete", "tree"} or array-like of shape \
(n_labels, n_labels), default="ordinal"
        The distance between labels: the difference of their positions in `labels`, the
        difference of their values, 1 for any two, the number of edges between them in
        `tree`, or a symmetric matrix in the order of `labels`.
    labels : array-like of shape (n_labels,), default=None
        The labels that may be predicted, in their order, among them all classes of the
        target. None takes the sorted classes; with a `tree`, its leaves and the classes.
    tree : mapping, default=None
        With "tree": the parent of each label and inner node; the root has no entry. None
        takes the labels as paths, such as "attack/dos/smurf".
    power : float, default=2.0
        Power of the distance, above 0. With 2 the prediction is near the mean, with 1 near
        the median; small powers tend to the most probable class.
    target_prior : mapping, array-like of shape (n_classes,) or "uniform", default=None
        Class shares where predictions are made, if they differ from those that the estimator
        was trained on; its probabilities are corrected for them first.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    labels_ : ndarray of shape (n_labels,)
        The labels that may be predicted.
    distances_ : ndarray of shape (n_labels, n_labels)
        Distances between them.
    classes_ : ndarray of shape (n_classes,)
        The labels that were seen in ``fit``, in the estimator's order: the columns of
        ``predict_proba``.
    prior_ratio_ : ndarray of shape (n_classes,) or None
        What `target_prior` multiplies the odds of the classes by.
    n_features_in_ : int
        Number of features, if the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the estimator knows them.

    See Also
    --------
    LowestCost : Decisions by the costs of errors.
    imbkit.metrics.macro_mae_score : How far off ordered labels are, class by class.

    Notes
    -----
    With probabilities p_i of the seen classes the prediction is the label y that minimises
    sum_i p_i d(y, i)^power, the Frechet mean for power 2. Of labels with equal sums the first
    in `labels` wins. "discrete" gives the most probable class. O(n K L) for K classes and L
    labels; memory O(n L).

    Predictions lie in `labels_`, which may have labels that `classes_` has not; metrics and
    searches of scikit-learn that look at predictions or probabilities take that as it is.
    ``predict_proba`` are the estimator's probabilities of the seen classes, after the
    correction for `target_prior`: the method gives none to labels without rows. Which of
    those can be predicted at all depends on the distances alone; :meth:`reachable_labels`
    tells. Probabilities should be calibrated, as for any expected cost.

    Different from the paper: any power, a correction for other class shares, a rule for ties.

    Sparse and missing input is handed to the estimator as it is, which gets `sample_weight`
    if its ``fit`` takes it. To take a fitted model as it is, pass ``FrozenEstimator(model)``.

    References
    ----------
    N. Roberts, X. Li, D. Adila, S. Cromp, T.-H. Huang, J. Zhao, F. Sala, "Geometry-aware
    adaptation for pretrained models", NeurIPS, 2023, doi:10.48550/arXiv.2307.12226.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from imbkit.thresholds import FrechetMeanClassifier
    >>> X = [[0.0], [0.5], [1.0], [5.0], [5.5], [6.0]]
    >>> y = ["mild", "mild", "mild", "severe", "severe", "severe"]
    >>> model = FrechetMeanClassifier(GaussianNB(), labels=["mild", "medium", "severe"])
    >>> model.fit(X, y).predict([[0.2], [3.0], [5.1]]).tolist()
    ['mild', 'medium', 'severe']
    >>> model.reachable_labels().tolist()
    ['mild', 'medium', 'severe']
    """

    card = Card(
        paper="Roberts et al. (2023), doi:10.48550/arXiv.2307.12226",
        cases=({}, {"power": 1.0, "target_prior": "uniform"}),
        known_failures={
            "check_classifiers_train": (
                "predict need not give the most probable class; TunedThresholdClassifierCV "
                "declares the same"
            ),
        },
    )

    __metadata_request__fit = {"sample_weight": True}

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "metric": [StrOptions({"ordinal", "numeric", "discrete", "tree"}), "array-like"],
        "labels": ["array-like", None],
        "tree": [Mapping, None],
        "power": [Interval(Real, 0, None, closed="neither")],
        "target_prior": [Mapping, "array-like", StrOptions({"uniform"}), None],
    }

    def __init__(
        self,
        estimator: Any,
        metric: Literal["ordinal", "numeric", "discrete", "tree"] | ArrayLike = "ordinal",
        *,
        labels: ArrayLike | None = None,
        tree: Mapping[Any, Any] | None = None,
        power: float = 2.0,
        target_prior: Any = None,
    ) -> None:
        self.estimator = estimator
        self.metric = metric
        self.labels = labels
        self.tree = tree
        self.power = power
        self.target_prior = target_prior

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the estimator and measure the distances between labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        **params
            Arguments of the estimator's ``fit``.

        Returns
        -------
        FrechetMeanClassifier
            The fitted model.

        Raises
        ------
        DataError
            If there is one class only, `labels` lack a class or have one twice, or the tree
            or the matrix is not of these labels.
        InvalidParameterError
            If the estimator has no probabilities, parameters contradict each other,
            `target_prior` is not one, or it is not known what shares the estimator saw.
        """
        who = type(self).__name__
        self._check_parameters()
        target, kind = read_target(y, who)
        if kind == "multilabel":
            rule = "the target must have one label a row"
            raise DataError(message(who, rule, f"{target.shape[1]} columns"))
        X, _ = indexable(X, target)
        weight = check_weight(sample_weight, target.size, who)
        inputs = fit_inputs(self, super().get_metadata_routing(), weight, params)
        if inputs.splitter:
            rule = "fit takes no groups, as nothing is split"
            raise InvalidParameterError(message(who, rule, "groups", "Leave them out"))
        # What the labels lack is known before anything is fitted.
        seen = np.unique(target)
        self.labels_ = self._candidates(seen)
        self.distances_ = label_distances(self.metric, self.labels_, self.tree, who)
        with np.errstate(over="ignore"):
            finite = bool(np.isfinite(self.distances_**self.power).all())
        if not finite:
            rule = "the power of the largest distance must be finite"
            got = f"{self.distances_.max():g} to the power {self.power:g}"
            raise DataError(message(who, rule, got, "Divide the distances by the largest one"))
        fitted = clone(self.estimator).fit(X, target, **inputs.estimator)
        self.classes_ = np.asarray(fitted.classes_)
        self._places = _positions(self.classes_, self.labels_, who)
        self.prior_ratio_ = self._ratio(fitted, target, inputs.estimator.get("sample_weight"))
        self.estimator_ = fitted
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))
        return self

    def predict(self, X: Any) -> AnyArray:
        """Predict the label of least expected distance.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Members of `labels_`.
        """
        expected = self._expected(X)
        near = expected <= expected.min(axis=1, keepdims=True) * (1 + _TIE)
        labels: AnyArray = self.labels_[near.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the estimator's probabilities, corrected for `target_prior` if there is one.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`, the labels seen in ``fit``.
        """
        check_is_fitted(self)
        given = np.asarray(self.estimator_.predict_proba(X))
        return given if self.prior_ratio_ is None else shift(given, self.prior_ratio_)

    def decision_function(self, X: Any) -> FloatArray:
        """Return minus the expected powers of the distance.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_labels), or (n_rows,) for two labels
            In the order of `labels_`, 0 at best; for two labels the value of the second less
            that of the first.
        """
        expected = self._expected(X)
        if self.labels_.size == 2:
            return np.asarray(expected[:, 0] - expected[:, 1])
        return -expected

    def reachable_labels(self) -> AnyArray:
        """Return the labels that some probabilities make the prediction.

        Returns
        -------
        ndarray of shape (n_reachable,)
            Members of `labels_`, in their order. A label that never does better than to tie
            with an other one is left out.

        Notes
        -----
        A label is reachable if a linear program finds probabilities of the seen classes under
        which it wins by a margin. It says nothing of how often an estimator gives such
        probabilities. One program with K unknowns and L conditions for each label that was
        not seen. With powers above 6 and distances that differ a hundredfold it may miss
        labels: margins are then below its precision.
        """
        check_is_fitted(self)
        costs = self._costs()
        return self.labels_[[_wins(costs, label) for label in range(self.labels_.size)]]

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who is routed what.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        both = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=both)

    def __sklearn_tags__(self) -> Tags:
        """Take over what input the estimator can take."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator).input_tags
        tags.input_tags.sparse = inner.sparse
        tags.input_tags.allow_nan = inner.allow_nan
        return tags

    def __deploy__(self) -> Any:
        """Say why there is nothing of scikit-learn's to ship."""
        rule = "scikit-learn has no classifier that minimises an expected distance"
        todo = "Ship this object, or the estimator and the costs that its notes define"
        raise InvalidParameterError(message(type(self).__name__, rule, todo=todo))

    def _check_parameters(self) -> None:
        """Refuse settings that no data could make valid."""
        who = type(self).__name__
        if not hasattr(self.estimator, "predict_proba"):
            rule = "the estimator must have the method predict_proba"
            todo = "Wrap it in scikit-learn's CalibratedClassifierCV, or choose another learner"
            raise InvalidParameterError(message(who, rule, self.estimator, todo))
        is_tree = isinstance(self.metric, str) and self.metric == "tree"
        if self.tree is not None and not is_tree:
            rule = "a tree needs metric='tree'"
            raise InvalidParameterError(message(who, rule, f"metric={self.metric!r}"))

    def _candidates(self, classes: AnyArray) -> AnyArray:
        """Return the labels that may be predicted, among them all classes."""
        who = type(self).__name__
        if self.labels is not None:
            labels = _one_dimension(self.labels)
            if labels.ndim != 1 or len(set(labels.tolist())) < labels.size:
                rule = "labels must be a list of labels, none of them twice"
                raise DataError(message(who, rule, listing(labels.tolist())))
            _positions(classes, labels, who)
            return labels
        if self.tree is not None:
            known = set(classes.tolist())
            more = [leaf for leaf in leaves(self.tree) if leaf not in known]
            every = [*classes.tolist(), *more]
            return _one_dimension(sorted(every) if _sortable(every) else every)
        ordered = isinstance(self.metric, str) and self.metric == "ordinal"
        if ordered and classes.dtype.kind not in "iufb" and classes.size > 2:
            rule = "with metric='ordinal' labels should be given where they are not numbers"
            got = f"{listing(classes)}, which are taken in this order"
            todo = "Pass labels=[...], from one end to the other"
            warn(message(who, rule, got, todo), ImbkitWarning)
        return classes

    def _ratio(
        self, fitted: Any, target: AnyArray, sample_weight: FloatArray | None
    ) -> FloatArray | None:
        """Return what the odds of the classes are to be multiplied by."""
        if self.target_prior is None:
            return None
        who = type(self).__name__
        prior = check_prior(self.target_prior, self.classes_, who, "target_prior")
        induced = induced_prior(fitted, target, self.classes_, sample_weight)
        if induced is None:
            rule = "with target_prior it must be known what class shares the estimator saw"
            got = "an estimator where training changed more than the shares, or hides them"
            todo = (
                "Leave target_prior out, or put ResamplingCorrectedClassifier around the estimator"
            )
            raise InvalidParameterError(message(who, rule, got, todo))
        return np.asarray(prior / induced)

    def _costs(self) -> FloatArray:
        """Return the power of the distance from each class to each label, (n_classes, n_labels)."""
        return np.asarray(self.distances_[self._places] ** self.power)

    def _expected(self, X: Any) -> FloatArray:
        """Return the expected power of the distance to each label, (n_rows, n_labels)."""
        return np.asarray(self.predict_proba(X) @ self._costs())


def _one_dimension(values: Any) -> AnyArray:
    """Return labels as an array; of mixed types as objects, so that none becomes another."""
    array = np.asarray(values)
    if array.ndim == 1 and array.tolist() != list(values):
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
    return array


def _sortable(values: list[Any]) -> bool:
    """Whether labels have an order of their own."""
    return len({type(value) for value in values}) == 1


def _positions(classes: AnyArray, labels: AnyArray, who: str) -> IntArray:
    """Return the position of each class among the labels."""
    places = {label: i for i, label in enumerate(labels.tolist())}
    absent = [label for label in classes.tolist() if label not in places]
    if absent:
        rule = "labels must have every class of the target"
        got = f"{listing(labels)} without {listing(absent)}"
        raise DataError(message(who, rule, got))
    return np.array([places[label] for label in classes.tolist()], dtype=np.intp)


def _wins(costs: FloatArray, label: int) -> bool:
    """Whether some mixture of the classes (rows) makes a label (column) the cheapest of all."""
    worse = costs[:, [label]] - costs
    same = np.abs(worse).max(axis=0) <= _TIE * costs.max(initial=0.0)
    if same[:label].any():
        return False
    worse = worse[:, ~same]
    if (worse < 0).all(axis=1).any():
        return True
    # Whether all of `mixture @ worse` can be negative does not depend on the scale of a row
    # or of a column, but how well it can be told does.
    for axis in (0, 1, 0):
        size = np.abs(worse).max(axis=axis, keepdims=True)
        worse = worse / np.where(size > 0, size, 1.0)
    n_classes, n_others = worse.shape
    found = linprog(
        np.append(np.zeros(n_classes), -1.0),
        A_ub=np.column_stack((worse.T, np.ones(n_others))),
        b_ub=np.zeros(n_others),
        A_eq=np.append(np.ones(n_classes), 0.0)[np.newaxis],
        b_eq=[1.0],
        bounds=[(0, None)] * n_classes + [(-1, 1)],
        options={"primal_feasibility_tolerance": _MARGIN / 100},
    )
    # Equal chances for all are a solution of sorts, so that there always is one.
    return found.x is not None and bool(found.x[-1] > _MARGIN)
