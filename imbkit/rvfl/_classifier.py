"""What the classifiers share: classes and their weights, the linear system, and predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from imbkit._core.class_codes import class_codes
from imbkit._core.messages import listing, message, shorten
from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.rvfl._base import FLOATS, BaseRVFL
from imbkit.rvfl._fuzzy_warnings import check_scores_left
from imbkit.rvfl._gathered import Gathered
from imbkit.rvfl._hidden import HiddenLayer
from imbkit.rvfl._ridge import ridge_path, ridge_rows_path
from imbkit.rvfl._weighting import (
    ClassWeight,
    Weighting,
    base_strength,
    class_factors,
    entering,
)

__all__ = ["BaseRVFLClassifier", "check_every_class"]


class BaseRVFLClassifier(ClassifierMixin, BaseRVFL):
    """Scores of classes by random features and a ridge on their indicators.

    A subclass has the parameters of `BaseRVFL` and `class_weight`, and says by `_weighting` how
    weights enter. One whose rows are trusted unequally writes `_judged`.
    """

    class_weight: ClassWeight

    def predict(self, X: Any) -> AnyArray:
        """Return the class with the largest score.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels; of equal scores the first class.
        """
        found = self._outputs(X).argmax(axis=1)
        labels: AnyArray = self.classes_[found]
        return labels

    def decision_function(self, X: Any) -> FloatArray:
        """Return the scores of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            For two classes the score of ``classes_[1]`` less that of ``classes_[0]``.
        """
        scores = self._outputs(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the softmax of the scores: numbers that rank and sum to one, not probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`. Scores lie near 0 and 1, so that even certain classes
            have about 0.73 of two: they are not calibrated. For probabilities take
            :class:`sklearn.calibration.CalibratedClassifierCV` around the classifier, or a
            calibrator of ``imbkit.calibration``.
        """
        return np.asarray(softmax(self._outputs(X), axis=1))

    def _weighting(self) -> Weighting:
        """Return how weights and scores enter."""
        return "wls"

    def _judged(
        self, X: Any, codes: IntArray, weights: FloatArray, given: FloatArray | None
    ) -> FloatArray:
        """Return the scores of rows, as many as positive weights."""
        return np.ones(len(codes))

    def _fit(self, X: Any, y: Any, sample_weight: Any, scores: Any = None) -> None:
        """Fit to all rows at once."""
        who, device = type(self).__name__, self._on_device()
        X, y = self._read(X, y, reset=True)
        weights = self._weights(sample_weight, len(y))
        self.classes_, codes = np.unique(y, return_inverse=True)
        check_every_class(codes, self.classes_, weights, who)
        self._set_up(X.shape[1])
        self._learn(X, codes, weights, scores, device, whole=True)

    def _fit_part(
        self, X: Any, y: Any, classes: Any, sample_weight: Any, scores: Any = None
    ) -> None:
        """Go on with more rows, or begin."""
        who, device = type(self).__name__, self._on_device()
        first = not hasattr(self, "_gathered")
        known = _known_classes(classes, getattr(self, "classes_", None), who)
        if not first:
            self._check_kept()
        X, y = self._read(X, y, reset=first)
        strange = np.setdiff1d(y, known)
        if len(strange):
            rule = f"classes must have every label of y: {listing(known.tolist())}"
            todo = "Name all classes at the first call of partial_fit"
            raise DataError(message(who, rule, listing(strange.tolist()), todo))
        weights = self._weights(sample_weight, len(y), whole=False)
        self.classes_ = known
        if first:
            self._set_up(X.shape[1])
        self._learn(X, class_codes(y, known), weights, scores, device, whole=False)

    def _read(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, AnyArray]:
        """Return checked columns and labels."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=FLOATS, reset=reset)
        check_classification_targets(y)
        return X, y

    def _set_up(self, n_columns: int) -> None:
        """Begin anew."""
        power = 2 if self._weighting() == "authors" else 1
        self._start(n_columns, len(self.classes_), power=power, scatter=self._sums_scatter())

    def _hide(self, n_columns: int) -> HiddenLayer:
        """Draw the hidden layer, and report what stands behind the probabilities."""
        # Softmaxed scores are of no class shares at all; what undoes shares must not try.
        self.effective_prior_ = np.full(len(self.classes_), np.nan)
        return super()._hide(n_columns)

    def _learn(
        self, X: Any, codes: IntArray, weights: FloatArray, scores: Any, device: Any, *, whole: bool
    ) -> None:
        """Take rows in, and solve."""
        # Whatever is refused must be refused before a row is added.
        class_factors(
            self.class_weight, self.classes_, np.ones(len(self.classes_)), type(self).__name__
        )
        trusted = self._judged(X, codes, weights, scores)
        if whole:
            check_scores_left(trusted, codes, weights, self.classes_, type(self).__name__)
        kept = weights > 0
        if not kept.all():
            X, codes, weights, trusted = X[kept], codes[kept], weights[kept], trusted[kept]
        if self._weighting() == "squared":
            # Both sides have the square, which is least squares weighted by the squares.
            trusted = trusted**2
        self._gather(X, codes, weights, trusted, None, device)
        mass = self._gathered.mass
        self.class_count_ = mass.copy()
        self.class_weight_ = class_factors(
            self.class_weight, self.classes_, mass, type(self).__name__
        )
        self.regularization_ = base_strength(self.class_weight, mass) / self.C
        self._finish()

    def _shaping(self) -> list[str]:
        """Return the parameters that what is kept of the rows depends on."""
        return [*super()._shaping(), *(["weighting"] if hasattr(self, "weighting") else [])]

    def _sums_scatter(self) -> bool:
        """Whether the sums need unscored moments, for a graph."""
        return False

    def _solved(self, Cs: Sequence[float]) -> list[FloatArray]:
        """Return the coefficients (d, n_classes) for each C."""
        return self._solved_from(self._gathered, Cs)

    def _solved_from(self, gathered: Gathered, Cs: Sequence[float]) -> list[FloatArray]:
        """Return the coefficients (d, n_classes) for each C, from these rows or sums."""
        mass = gathered.mass
        factors = class_factors(self.class_weight, self.classes_, mass, type(self).__name__)
        of_gram, of_right = entering(self._weighting(), factors)
        base = base_strength(self.class_weight, mass)
        strengths = [base / C for C in Cs]
        if gathered.held is not None:
            A, Y = gathered.held.rooted(of_gram, of_right, gathered.power)
            return self._solved_rows(A, Y, strengths)
        sums = gathered.summed(self._on_device(), self.chunk_size)
        gram = sum(w * each for w, each in zip(of_gram, sums.grams(), strict=True))
        right = np.column_stack(
            [w * each[:, 0] for w, each in zip(of_right, sums.rights(), strict=True)]
        )
        return self._solved_sums(np.asarray(gram), right, strengths)

    def _solved_sums(
        self, gram: FloatArray, right: FloatArray, strengths: Sequence[float]
    ) -> list[FloatArray]:
        """Solve the system of the sums."""
        return ridge_path(gram, right, strengths)

    def _solved_rows(
        self, A: FloatArray, Y: FloatArray, strengths: Sequence[float]
    ) -> list[FloatArray]:
        """Solve the system of the rows, where they are fewer than the columns of h."""
        return ridge_rows_path(A, Y, strengths)


def check_every_class(codes: IntArray, classes: AnyArray, weights: FloatArray, who: str) -> None:
    """Refuse a target of one class, and a class without weight."""
    if len(classes) < 2:
        rule = "the target must have rows of two classes or more"
        got = f"one class only, {listing(classes.tolist())}"
        raise DataError(message(who, rule, got, "Take a sample with rows of every class"))
    mass = np.bincount(codes, weights, len(classes))
    if not mass.all():
        rule = "every class must have a row of positive weight"
        got = f"weight 0 only for class {shorten(classes[mass.argmin()])}"
        raise DataError(message(who, rule, got, "Leave its rows out of X and y"))


def _known_classes(classes: Any, known: AnyArray | None, who: str) -> AnyArray:
    """Return the classes of all calls of ``partial_fit``, sorted."""
    if classes is None and known is not None:
        return known
    if classes is None:
        rule = "the first call of partial_fit needs all classes"
        raise InvalidParameterError(message(who, rule, None, "Pass classes=[...]"))
    named = np.unique(column_or_1d(classes))
    if known is not None and not np.array_equal(named, known):
        rule = f"classes must be those of the calls before: {listing(known.tolist())}"
        raise InvalidParameterError(message(who, rule, listing(named.tolist()), "Leave them out"))
    if len(named) < 2:
        rule = "classes must name two classes or more"
        raise InvalidParameterError(
            message(who, rule, f"one class only, {listing(named.tolist())}")
        )
    return named
