"""The class whose mean row is nearest."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler, normalize
from sklearn.utils import Tags
from sklearn.utils.extmath import row_norms, safe_sparse_dot
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray
from imbkit._core.warn import warn
from imbkit.calibration._labels import check_every_class, class_target
from imbkit.calibration._linear_head import class_means, one_row
from imbkit.exceptions import ImbkitWarning
from imbkit.metrics._counts import check_weight

__all__ = ["NearestClassMeanClassifier"]


class NearestClassMeanClassifier(ClassifierMixin, BaseEstimator):
    """Predict the class whose mean row is nearest, by angle or by distance.

    Every class has one mean and the same say, however many rows it has, and nothing is
    optimised: a robust classifier where some classes have a handful of rows, on features that
    another model has learned or that have been standardised. Put it last in a pipeline, after
    a StandardScaler or a feature extractor.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}, default="cosine"
        What is near: a small angle to the mean, or a small distance from it.
    normalize : bool, default=True
        Whether each row is scaled to norm 1 before the means are taken.
    center : {"classes", "rows"} or None, default="classes"
        What is subtracted from the rows first: the mean of the classes' means, the mean of
        all rows (which is nearly that of the largest class), or nothing. Sparse rows need
        None. Without an effect for Euclidean distances of rows that are not normalised.

    Attributes
    ----------
    means_ : ndarray of shape (n_classes, n_features)
        Mean of the transformed rows of each class.
    center_ : ndarray of shape (n_features,) or None
        What is subtracted from the rows.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X is a frame with text names.

    See Also
    --------
    sklearn.neighbors.NearestCentroid : Shrinks centroids, and has a Manhattan distance.
    TauNormClassifier : Corrects the norms of a trained linear head instead.

    Notes
    -----
    With z the transformed row and mu_k the class means, the score of class k is
    z . mu_k / (||z|| ||mu_k||) for "cosine", and z . mu_k - ||mu_k||^2 / 2 for "euclidean",
    which is minus half the squared distance up to a term that all classes share. For
    "euclidean", ``predict_proba`` is the softmax of these scores: the posterior under normal
    classes of unit variance and equal shares, not calibrated. A cosine has no such meaning,
    so there are no probabilities: wrap the classifier in CalibratedClassifierCV. A row of
    zeros has cosine 0 with everything. O(n m) for n rows of m features; memory O(n m) for the
    transformed rows, one class at a time for sparse ones.

    Different from scikit-learn's NearestCentroid: cosine, rows centred and normalised, sample
    weights, features without variance within or between classes; no shrinkage, no priors.
    Different from the paper: rows are centred on the mean of the classes' means by default,
    because with rare classes the mean of all rows leaves the largest class no direction of
    its own; ``center="rows"`` is the paper's way.

    References
    ----------
    T. Mensink, J. Verbeek, F. Perronnin, G. Csurka, "Distance-based image classification:
    generalizing to new classes at near-zero cost", IEEE TPAMI 35(11), 2013,
    doi:10.1109/TPAMI.2013.83.

    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> from imbkit.calibration import NearestClassMeanClassifier
    >>> X = [[5, 0], [4, 1], [6, 1], [5, 1], [1, 4]]
    >>> y = ["usual", "usual", "usual", "usual", "rare"]
    >>> model = NearestClassMeanClassifier().fit(X, y)
    >>> model.predict([[4, 2], [2, 4]]).tolist()
    ['usual', 'rare']
    """

    card = Card(
        paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217",
        cases=(
            {},
            {"metric": "euclidean"},
            {"center": None, "normalize": False},
            {"metric": "euclidean", "center": "rows", "normalize": False},
        ),
    )

    _parameter_constraints = {
        "metric": [StrOptions({"cosine", "euclidean"})],
        "normalize": ["boolean"],
        "center": [StrOptions({"classes", "rows"}), None],
    }

    def __init__(
        self,
        metric: Literal["cosine", "euclidean"] = "cosine",
        *,
        normalize: bool = True,
        center: Literal["classes", "rows"] | None = "classes",
    ) -> None:
        self.metric = metric
        self.normalize = normalize
        self.center = center

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Take the mean of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.

        Returns
        -------
        NearestClassMeanClassifier
            The fitted model.

        Raises
        ------
        DataError
            If there is one class only, or a class has no row of positive weight.
        """
        who = type(self).__name__
        X, y = validate_data(self, X, y, accept_sparse=self._accepts(), dtype=np.float64)
        target = class_target(y, who)
        self.classes_, codes = np.unique(target, return_inverse=True)
        weight = check_weight(sample_weight, target.size, who)
        n_classes = self.classes_.size
        check_every_class(codes, weight, self.classes_, who)
        self.center_: FloatArray | None = None
        if self.center == "classes":
            self.center_ = class_means(X, codes, n_classes, weight).mean(axis=0)
        elif self.center == "rows":
            self.center_ = np.average(X, axis=0, weights=weight)
        rows = self._transformed(X, self.normalize)
        self.means_ = class_means(rows, codes, n_classes, weight)
        norms = np.linalg.norm(self.means_, axis=1)
        # Beside the rows themselves, such a mean is rounding.
        nowhere = norms <= 2.0**-40 * row_norms(rows).max()
        if self.metric == "cosine" and nowhere.any():
            rule = "with metric='cosine' the mean of a class must have a direction"
            got = f"a mean of zero for {listing(self.classes_[nowhere])}"
            todo = "Its score is 0 for every row; take another center, or metric='euclidean'"
            warn(message(who, rule, got, todo), ImbkitWarning)
            self.means_[nowhere] = 0.0
        return self

    def predict(self, X: Any) -> AnyArray:
        """Predict the class with the nearest mean; of equally near ones the first in order.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels.
        """
        scores = self.decision_function(X)
        # A difference of two scores is positive where the second is the larger one.
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        labels: AnyArray = self.classes_[best]
        return labels

    def decision_function(self, X: Any) -> FloatArray:
        """Return how near each mean is.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes), or (n_rows,) for two classes
            The scores that the class's notes define; for two classes that of ``classes_[1]``
            less that of ``classes_[0]``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=self._accepts(), dtype=np.float64, reset=False)
        rows = self._transformed(X, self.normalize or self.metric == "cosine")
        weights, bias = self._head()
        scores = np.asarray(safe_sparse_dot(rows, weights.T, dense_output=True) + bias)
        return scores.ravel() if scores.shape[1] == 1 else scores

    @available_if(lambda model: model.metric == "euclidean")
    def predict_proba(self, X: Any) -> FloatArray:
        """Return the softmax of the scores, which is not calibrated; "euclidean" only.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`; rows sum to one.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack((expit(-scores), expit(scores)))
        return np.asarray(softmax(scores, axis=1))

    def __sklearn_tags__(self) -> Tags:
        """Say whether rows may be sparse: subtracting a mean would fill them."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.center is None
        return tags

    def __deploy__(self) -> Any:
        """Return a LogisticRegression that holds the means, behind what is done to the rows."""
        check_is_fitted(self)
        head = LogisticRegression()
        head.coef_, head.intercept_ = self._head()
        head.classes_, head.n_features_in_ = self.classes_, self.n_features_in_
        steps: list[Any] = []
        if self.center_ is not None:
            # Fitted on the centre alone, its mean is the centre.
            steps.append(StandardScaler(with_std=False).fit(self.center_[np.newaxis]))
        if self.normalize or self.metric == "cosine":
            steps.append(Normalizer())
        return make_pipeline(*steps, head) if steps else head

    def _accepts(self) -> str | bool:
        return "csr" if self.center is None else False

    def _head(self) -> tuple[FloatArray, FloatArray]:
        """Return weights and intercepts for transformed rows, one row for two classes."""
        if self.metric == "cosine":
            weights, bias = normalize(self.means_), np.zeros(self.classes_.size)
        else:
            weights, bias = self.means_, -(self.means_**2).sum(axis=1) / 2
        if self.classes_.size > 2:
            return weights, bias
        return one_row(weights, bias)

    def _transformed(self, X: Any, scaled: bool) -> Any:
        """Centre rows and scale them to norm 1."""
        if self.center_ is not None:
            X = X - self.center_
        return normalize(X) if scaled else X
