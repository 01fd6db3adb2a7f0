"""Class weights of a linear classifier scaled so that rare classes are as long as frequent ones."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from imbkit._core.card import Card
from imbkit._core.class_codes import class_codes
from imbkit._core.compat import fit_context
from imbkit._core.constraints import HasMethods, StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.prior import class_shares
from imbkit._core.reached_weight import reached_weight
from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit._core.warn import warn
from imbkit.calibration._head_classifier import (
    BaseHeadClassifier,
    LinearHead,
    check_scores,
    linear_head,
)
from imbkit.calibration._labels import check_known
from imbkit.calibration._linear_head import (
    Bias,
    even_scales,
    group_scales,
    head_of_half,
    learned_scales,
)
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

__all__ = ["WeightAligner"]

# Norms this near to each other are equal but for rounding.
_EQUAL = 1e-9


class WeightAligner(BaseHeadClassifier):
    """Scale the weights of a linear classifier's rare classes to those of the frequent ones.

    A linear classifier trained on classes of very different size has longer weight vectors
    for the frequent ones. This wrapper multiplies the vectors of the rare classes by one
    factor, so that their mean norm is that of the frequent classes, and leaves the order
    among the rare ones alone; or it scales every class by itself. It needs no hold-out rows.
    Choose it for three classes or more, and ``mode="learned"`` where the features are plain
    columns of a table; for two classes use :class:`~imbkit.thresholds.ThresholdClassifierCV`.

    Parameters
    ----------
    estimator : estimator
        A linear classifier (`coef_` and `intercept_` after ``fit``), or a Pipeline that ends
        in one. Features should be centred, for example by a StandardScaler in the pipeline,
        as a weight vector is scaled about the origin.
    mode : {"group", "per_class", "learned"}, default="group"
        "group" scales all classes outside the head by one factor of 1 or more, "per_class"
        gives each class the mean norm of all, "learned" finds a factor for each class that
        minimises the log-loss on the training rows, every class weighing the same.
    head_classes : array-like of shape (n_head_classes,), default=None
        The frequent classes; None takes the fewest classes that hold half of the rows. Used
        by "group" only.
    bias : {"keep", "zero", "prior"}, default="keep"
        The intercepts: as they are, none, or less the logarithm of the class shares that the
        estimator was trained on. The last suits scores that are log-probabilities up to a
        constant, such as a logistic regression's.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted on all rows.
    scales_ : ndarray of shape (n_classes,)
        What the weights of each class were multiplied by.
    head_classes_ : ndarray of shape (n_head_classes,)
        The frequent classes; with "group" only.
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
    TauNormClassifier : Chooses by cross-validation how far the norms are made alike.
    PriorShiftCorrector : Corrects probabilities for other class shares, and keeps them such.

    Notes
    -----
    With weights w_k, head classes H and the others T, "group" multiplies w_k for k in T by

        gamma = mean over H of ||w_k|| / mean over T of ||w_k||,

    unless gamma is below 1, where nothing is scaled and a warning is given: rare classes need
    no shorter weights. "per_class" multiplies each w_k by (mean of all norms) / ||w_k||, which
    ranks classes as tau-normalisation with tau = 1 does where no intercept is left. "learned"
    is learnable weight scaling: a convex problem in K numbers, solved by L-BFGS-B within 0 and
    100, O(n K) a step; with classes that the weights separate without error it has no solution
    in between, about which a warning is given. The other two cost O(K m) for m features.
    Weights of zero stay zero. ``predict_proba`` is the softmax of the new scores, which is not
    calibrated.

    A two-class model has one weight vector w. It is taken for the centred pair (-w/2, w/2),
    whose norms are equal: "group" and "per_class" change nothing but the intercept, "learned"
    one factor, about which a warning is given.

    Different from the paper: that aligns classes seen later to those seen before, when a
    model learns class after class, and clips negative weights during training; here the
    groups are rare and frequent classes of one training, nothing is clipped, and the factor
    lengthens the rare ones instead of shortening the new ones.

    Sparse and missing input is handed to the estimator as it is. `sample_weight` enters the
    class shares and the learned factors, and the estimator if its ``fit`` takes it; with
    metadata routing only where it is requested. To correct a fitted model, pass
    ``FrozenEstimator(model)`` and the rows it was trained on.

    References
    ----------
    B. Zhao, X. Xiao, G. Gan, B. Zhang, S.-T. Xia, "Maintaining discrimination and fairness in
    class incremental learning", CVPR, 2020, doi:10.1109/CVPR42600.2020.01322.

    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.calibration import WeightAligner
    >>> X, y = make_classification(
    ...     3000, n_informative=6, n_classes=3, weights=[0.9, 0.07], random_state=0
    ... )
    >>> model = WeightAligner(LogisticRegression(), mode="group").fit(X, y)
    >>> model.head_classes_
    array([0])
    """

    card = Card(
        paper="Zhao et al. (2020), doi:10.1109/CVPR42600.2020.01322",
        cases=({}, {"mode": "per_class", "bias": "zero"}, {"mode": "learned", "bias": "prior"}),
    )

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "mode": [StrOptions({"group", "per_class", "learned"})],
        "head_classes": ["array-like", None],
        "bias": [StrOptions({"zero", "keep", "prior"})],
    }

    def __init__(
        self,
        estimator: Any,
        mode: Literal["group", "per_class", "learned"] = "group",
        *,
        head_classes: ArrayLike | None = None,
        bias: Bias = "keep",
    ) -> None:
        self.estimator = estimator
        self.mode = mode
        self.head_classes = head_classes
        self.bias = bias

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the estimator and scale its weights.

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
        WeightAligner
            The fitted model.

        Raises
        ------
        DataError
            If there is one class only, or `head_classes` are not some but not all classes.
        InvalidParameterError
            If the estimator is not linear.
        """
        who = type(self).__name__
        X, target, inputs = self._read(X, y, sample_weight, params)
        if inputs.splitter:
            rule = "fit takes no groups, as nothing is split"
            raise InvalidParameterError(message(who, rule, "groups", "Leave them out"))
        fitted = clone(self.estimator).fit(X, target, **inputs.estimator)
        head = linear_head(fitted, who)
        check_scores(head, X, who)
        check_known(target, np.asarray(fitted.classes_), who)
        self._warn_if_two(head)
        bias = self._bias(head, fitted, target, reached_weight(self.estimator, inputs.estimator))
        self.scales_ = self._scales(head, bias, X, target, inputs.own_weight)
        self._keep(fitted, head, head.weights * self.scales_[:, np.newaxis], bias)
        return self

    def _scales(
        self,
        head: LinearHead,
        bias: FloatArray,
        X: Any,
        target: AnyArray,
        weight: FloatArray | None,
    ) -> FloatArray:
        """Return the factor of each class."""
        if self.mode == "per_class":
            return even_scales(head.weights)
        classes = np.asarray(head.estimator.classes_)
        shares = class_shares(target, classes, weight)
        if self.mode == "group":
            chosen = self._head(classes, shares)
            self.head_classes_ = classes[chosen]
            return self._lengthened(group_scales(head.weights, chosen), head)
        who = type(self).__name__
        if not shares.all():
            rule = "with mode='learned' every class must have rows of positive weight"
            raise DataError(message(who, rule, f"none for {listing(classes[shares == 0])}"))
        codes = class_codes(target, classes)
        scales, good = learned_scales(head.products(X), bias, codes, weight)
        if not good:
            rule = "with mode='learned' there should be factors between 0 and 100 of least loss"
            got = f"a search that stopped at {scales.round(2).tolist()}"
            todo = "If the training rows are told apart without error, regularise more"
            warn(message(who, rule, got, todo), ImbkitWarning)
        return scales

    def _lengthened(self, scales: FloatArray, head: LinearHead) -> FloatArray:
        """Return the factors, or ones if they would shorten the rare classes' weights."""
        factor = float(scales.min())
        if factor < 1 - _EQUAL and head.bias.size > 2:
            rule = "with mode='group' the weights of the rare classes should be the shorter ones"
            got = f"a mean norm that is {1 / factor:.3g} times that of the frequent classes"
            todo = "Nothing is scaled; mode='learned' finds factors that serve every class"
            text = message(type(self).__name__, rule, got, todo)
            warn(text, ImbkitWarning)
        return np.maximum(scales, 1.0)

    def _head(self, classes: AnyArray, shares: FloatArray) -> BoolArray:
        """Mark the frequent classes."""
        if self.head_classes is None:
            return head_of_half(shares)
        who = type(self).__name__
        chosen = np.asarray(self.head_classes)
        rule = f"head_classes must be some, but not all, of the classes {listing(classes)}"
        inside = np.isin(classes, chosen)
        if chosen.ndim != 1 or not np.isin(chosen, classes).all() or inside.all() | ~inside.any():
            raise DataError(message(who, rule, self.head_classes))
        return inside
