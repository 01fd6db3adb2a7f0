"""What the classifiers share whose rows are trusted unequally: scores, made here or given."""

from numbers import Real
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if

from imbkit._core.compat import fit_context
from imbkit._core.constraints import N_JOBS, Interval, StrOptions
from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.rvfl._base import BaseRVFL
from imbkit.rvfl._classifier import BaseRVFLClassifier
from imbkit.rvfl._fuzzy import FuzzySettings, fuzzy_scores
from imbkit.rvfl._fuzzy_warnings import warn_of_scores
from imbkit.rvfl._weighting import CLASS_WEIGHT

__all__ = ["BaseScoredClassifier", "Fuzzy"]

Fuzzy: TypeAlias = Literal["dual_center", "given", "kernel", "linear"] | None


def _is_additive(model: "BaseScoredClassifier") -> bool:
    """Whether all that a fit needs of rows are sums; the error says why not."""
    who = type(model).__name__
    if model.fuzzy not in (None, "given"):
        rule = "partial_fit needs scores that do not depend on other rows"
        todo = "Set fuzzy='given' and pass scores=, or fuzzy=None, or call fit"
        raise AttributeError(message(who, rule, f"fuzzy={model.fuzzy!r}", todo))
    graph = getattr(model, "graph", None)
    if graph in ("lfda", "mda"):
        rule = "partial_fit needs a graph that is made of sums over rows"
        todo = "Set graph='lda' or None, or call fit"
        raise AttributeError(message(who, rule, f"graph={graph!r}", todo))
    return True


class BaseScoredClassifier(BaseRVFLClassifier):
    """A classifier whose rows have scores. A subclass stores the parameters below, too."""

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseRVFL._parameter_constraints,
        "class_weight": CLASS_WEIGHT,
        "fuzzy": [StrOptions({"dual_center", "given", "kernel", "linear"}), None],
        "kernel_width": [Interval(Real, 0, np.inf, closed="neither"), StrOptions({"median"})],
        "radius_eps": [Interval(Real, 0, np.inf, closed="neither")],
        "neighbor_correction": [StrOptions({"prior"}), None],
        "score_method": [StrOptions({"auto", "exact", "rff", "subset"})],
        "store_scores": ["boolean"],
        "n_jobs": N_JOBS,
    }

    fuzzy: Fuzzy
    kernel_width: float | Literal["median"]
    radius_eps: float
    neighbor_correction: Literal["prior"] | None
    score_method: Literal["auto", "exact", "rff", "subset"]
    store_scores: bool
    n_jobs: int | None

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        scores: ArrayLike | None = None,
    ) -> Self:
        """Score the rows, draw the hidden layer and fit the output weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; an integer weight counts as so many rows.
        scores : array-like of shape (n_rows,), default=None
            How far each row is trusted, 0 or more; for ``fuzzy="given"`` only.

        Returns
        -------
        BaseScoredClassifier
            The fitted classifier.

        Raises
        ------
        DataError
            If there is one class only, a class has no row of positive weight or none with a
            score above 0, or weights or scores are not as said above.
        InvalidParameterError
            If a parameter has a value that is not permitted.
        """
        self._fit(X, y, sample_weight, scores)
        return self

    @available_if(_is_additive)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        scores: ArrayLike | None = None,
    ) -> Self:
        """Go on with more rows; any number of calls equals one fit to all their rows.

        There is no such method where scores or a graph depend on all rows: it needs
        ``fuzzy="given"`` or None, and no local graph.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed at the first call, unless after ``fit``.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        scores : array-like of shape (n_rows,), default=None
            How far each row is trusted, 0 or more; for ``fuzzy="given"`` only.

        Returns
        -------
        BaseScoredClassifier
            The fitted classifier.

        Raises
        ------
        DataError
            If `y` has a label that is no class, or the columns, weights or scores do not fit.
        InvalidParameterError
            If `classes` is missing at the first call or changes, or a parameter has a value
            that is not permitted or belongs to other sums than those kept.
        """
        self._fit_part(X, y, classes, sample_weight, scores)
        return self

    def _judged(self, X: Any, codes: IntArray, weights: FloatArray, given: Any) -> FloatArray:
        """Return scores, and keep them with what they are made of."""
        who = type(self).__name__
        if self.fuzzy == "given":
            scores = _checked_scores(given, len(codes), who)
            self._keep_scores(scores, None)
            return scores
        if given is not None:
            rule = "scores are for fuzzy='given'"
            got = f"scores with fuzzy={self.fuzzy!r}"
            raise InvalidParameterError(message(who, rule, got, "Leave one of them out"))
        if self.fuzzy is None:
            self._keep_scores(None, None)
            return np.ones(len(codes))
        kept = weights > 0
        judged = X if kept.all() else X[kept]
        found = fuzzy_scores(
            judged,
            codes[kept],
            len(self.classes_),
            weights[kept],
            FuzzySettings(
                fuzzy=self.fuzzy,
                kernel_width=self.kernel_width,
                radius_eps=self.radius_eps,
                neighbor_correction=self.neighbor_correction,
                score_method=self.score_method,
                random_state=self.random_state,
                n_jobs=self.n_jobs,
                who=who,
            ),
        )
        warn_of_scores(found, codes[kept], weights[kept], self.classes_, who)
        self.class_radius_ = found.class_radius
        self.neighborhood_radius_ = found.neighborhood_radius
        self.score_method_ = found.method
        self._keep_scores(_spread(found.scores, kept), (found, kept))
        return _spread(found.scores, kept)

    def _keep_scores(self, scores: FloatArray | None, made: Any) -> None:
        """Set the attributes of rows, and drop those of an earlier fit."""
        for name in ("fuzzy_scores_", "membership_", "nonmembership_"):
            self.__dict__.pop(name, None)
        if made is None:
            for name in ("class_radius_", "neighborhood_radius_", "score_method_"):
                self.__dict__.pop(name, None)
        if scores is None or not self.store_scores:
            return
        self.fuzzy_scores_ = scores
        if made is not None:
            found, kept = made
            self.membership_ = _spread(found.membership, kept)
            self.nonmembership_ = _spread(found.nonmembership, kept)


def _spread(values: FloatArray, kept: Any) -> FloatArray:
    """Return values of the rows kept at their places among all, with zeros elsewhere."""
    if kept.all():
        return values
    every = np.zeros(len(kept))
    every[kept] = values
    return every


def _checked_scores(scores: Any, n_rows: int, who: str) -> FloatArray:
    """Return given scores as floats, or complain."""
    if scores is None:
        rule = "fuzzy='given' needs the scores of the rows"
        raise DataError(message(who, rule, None, "Pass scores=, or choose another fuzzy"))
    values = np.array(scores, dtype=np.float64)
    if values.shape != (n_rows,):
        rule = f"scores must hold one number for each of the {n_rows:,} rows"
        raise DataError(message(who, rule, f"shape {values.shape}"))
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        rule = "scores must be finite and not negative"
        got = f"{bad.sum():,} bad values, the first {values[bad][0]}"
        raise DataError(message(who, rule, got))
    return values
