"""Random features and a ridge whose strength is chosen by cross-validation."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.metrics import get_scorer_names

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import Interval, StrOptions
from imbkit._core.messages import message, nearest_names, shorten
from imbkit._core.out_of_fold import make_splits
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.metrics import get_scorer, metric_names
from imbkit.rvfl._base import BaseRVFL, checked_Cs, outputs
from imbkit.rvfl._classifier import BaseRVFLClassifier, check_every_class
from imbkit.rvfl._fold_sums import FoldSums, fold_sums
from imbkit.rvfl._ridge import ridge_path
from imbkit.rvfl._weighting import (
    CLASS_WEIGHT,
    WEIGHTINGS,
    ClassWeight,
    Weighting,
    base_strength,
    class_factors,
    entering,
)

__all__ = ["RVFLClassifierCV"]

_DECADES = 4  # of a grid on either side of 1
_CELLS = 2**22  # scores of test rows that are held at a time: 32 MiB


class RVFLClassifierCV(BaseRVFLClassifier):
    """Classify by random features and one linear system, with the ridge chosen by the data.

    The one to begin with: :class:`RVFLClassifier` needs its `C`. The sums of every training fold
    are put together from those of parts of the rows, so that folds and values of `C` take one
    pass more over the rows, and give what ``GridSearchCV`` would with the same hidden layer.

    Parameters
    ----------
    Cs : int or array-like of shape (n_Cs,), default=17
        Values of `C` to try, each above 0; or a number of them in equal ratios from 1e-4 to 1e4.
    n_hidden : int, default=100
        Number of random features, 0 or more.
    cv : int, float, splitter or iterable, default=5
        A number of stratified folds, not shuffled; a share of the rows to score on; a splitter; or
        pairs of training and test positions. Every training part must have rows of every class.
    scoring : str or callable, default="gmean"
        What the folds are scored by, larger being better: a name that
        :func:`imbkit.metrics.get_scorer` knows, or scikit-learn; or a function
        ``scorer(fitted, X, y)`` that looks at predictions only.
    activation : str or callable, default="relu"
        Function of the random projections; as for :class:`RVFLClassifier`.
    direct_link : bool, default=True
        Whether the columns themselves are features, too.
    fit_output_bias : bool, default=True
        Whether there is an intercept; it is shrunk like every other weight.
    weight_scale : float, default=1.0
        Weights of the hidden layer are drawn from (-weight_scale, weight_scale) and its biases
        from (0, weight_scale), uniformly.
    class_weight : mapping, "balanced" or None, default="balanced"
        Weights of the classes; "balanced" is worked out for each fold by itself.
    weighting : {"wls", "authors", "squared"}, default="wls"
        How class weights enter; as for :class:`RVFLClassifier`.
    chunk_size : int, default=8192
        Rows whose features are held at a time.
    device : {"cpu", "cuda", "auto"} or None, default=None
        What computes the features and sums; as for :class:`RVFLClassifier`.
    random_state : int, RandomState or None, default=None
        Draws the hidden layer, which all folds share.

    Attributes
    ----------
    C_ : float
        The value that was chosen; of equals the smallest.
    Cs_ : ndarray of shape (n_Cs,)
        The values, sorted.
    cv_scores_ : ndarray of shape (n_Cs, n_folds)
        Score of each fold's test rows.
    coef_ : ndarray of shape (n_outputs, n_classes)
        Weights of the columns (if linked), the random features and the one (if any).
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    random_weights_ : ndarray of shape (n_features, n_hidden)
        Weights of the hidden layer.
    random_bias_ : ndarray of shape (n_hidden,)
        Its biases.
    class_count_ : ndarray of shape (n_classes,)
        Sum of the sample weights of each class.
    class_weight_ : ndarray of shape (n_classes,)
        The classes' weights.
    regularization_ : float
        What is added to the diagonal.
    effective_prior_ : ndarray of shape (n_classes,)
        NaN: softmaxed scores are of no class shares.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they have names that are strings.

    See Also
    --------
    RVFLClassifier : With a given `C`; it can go on with more rows.
    sklearn.linear_model.RidgeClassifierCV : Without random features.

    Notes
    -----
    Beside one fit of :class:`RVFLClassifier` it takes a second pass through the hidden layer, to
    score the test rows, and for each fold the eigenvectors of a d x d matrix for d features. It
    holds n_folds times n_classes such matrices while it fits. Where training parts overlap in more
    than a few ways, as repeated splits do, each of them takes a pass.

    The mean of the folds' scores decides; test rows that share a score at many values of `C`
    leave the choice to the strongest ridge. The hidden layer is one draw: look at several.

    References
    ----------
    Y.-H. Pao, G.-H. Park, D. J. Sobajic, "Learning and generalization characteristics of the
    random vector functional-link net", Neurocomputing 6(2), 163-180, 1994,
    doi:10.1016/0925-2312(94)90053-1.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from imbkit.rvfl import RVFLClassifierCV
    >>> X, y = make_classification(500, n_features=5, weights=[0.9], random_state=0)
    >>> model = RVFLClassifierCV(random_state=0).fit(X, y)
    >>> model.cv_scores_.shape, bool(model.C_ in model.Cs_)
    ((17, 5), True)
    """

    card = Card(
        paper="Pao, Park & Sobajic (1994), doi:10.1016/0925-2312(94)90053-1",
        cases=(
            {"Cs": 3, "n_hidden": 10, "cv": 2},
            {
                "Cs": [0.1, 10.0],
                "n_hidden": 5,
                "cv": 3,
                "scoring": "accuracy",
                "class_weight": None,
            },
        ),
    )

    _parameter_constraints: dict[str, list[Any]] = {
        **{k: v for k, v in BaseRVFL._parameter_constraints.items() if k not in ("C", "solver")},
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object", float],
        "scoring": [str, callable],
        "class_weight": CLASS_WEIGHT,
        "weighting": [StrOptions(set(WEIGHTINGS))],
    }

    def __init__(
        self,
        Cs: int | ArrayLike = 17,
        n_hidden: int = 100,
        *,
        cv: int | float | Iterable[Any] | Any = 5,
        scoring: str | Callable[..., float] = "gmean",
        activation: str | Callable[[Any], Any] = "relu",
        direct_link: bool = True,
        fit_output_bias: bool = True,
        weight_scale: float = 1.0,
        class_weight: ClassWeight = "balanced",
        weighting: Weighting = "wls",
        chunk_size: int = 8192,
        device: str | None = None,
        random_state: Seed = None,
    ) -> None:
        self.Cs = Cs
        self.n_hidden = n_hidden
        self.cv = cv
        self.scoring = scoring
        self.activation = activation
        self.direct_link = direct_link
        self.fit_output_bias = fit_output_bias
        self.weight_scale = weight_scale
        self.class_weight = class_weight
        self.weighting = weighting
        self.chunk_size = chunk_size
        self.device = device
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Choose the ridge, and fit the output weights with it on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights, in fits and scores.
        groups : array-like of shape (n_rows,), default=None
            For the splitter.

        Returns
        -------
        RVFLClassifierCV
            The fitted classifier.

        Raises
        ------
        DataError
            If :class:`RVFLClassifier` would refuse the data, a class has no row (of positive
            weight) in some training part, or the score of a fold is no number.
        InvalidParameterError
            If a parameter has a value that is not permitted.
        """
        who, device = type(self).__name__, self._on_device()
        self.Cs_, scorer = _grid(self.Cs, who), _scorer_of(self.scoring, who)
        X, y = self._read(X, y, reset=True)
        weights = self._weights(sample_weight, len(y))
        self.classes_, codes = np.unique(y, return_inverse=True)
        check_every_class(codes, self.classes_, weights, who)
        params = {} if groups is None else {"groups": groups}
        folds = make_splits(self.cv, X, y, params, refit=True, random_state=None, who=who)
        self._hide(X.shape[1])
        trains, self._sums = fold_sums(
            self._layer(),
            X,
            codes,
            weights,
            [train for train, _ in folds],
            n_classes=len(self.classes_),
            size=self.chunk_size,
            device=device,
        )
        _check_folds(trains, [weights[test] for _, test in folds], self.classes_, who)
        given = None if sample_weight is None else weights
        if given is not None and not _takes_weight(scorer):
            rule = "a scorer should take sample_weight where rows have weights"
            todo = "They enter the fits, but not the scores of the folds"
            warn(message(who, rule, "one that does not", todo), ImbkitWarning)
            given = None
        self.cv_scores_ = np.stack(
            [
                self._fold_scores(sums, X, y, test, given, scorer)
                for sums, (_, test) in zip(trains, folds, strict=True)
            ],
            axis=1,
        )
        if not np.isfinite(self.cv_scores_).all():
            at = int(np.argwhere(~np.isfinite(self.cv_scores_))[0][1])
            rule = "scoring must give a finite number for every fold"
            todo = "Use fewer folds, or a score that is defined for any rows"
            raise DataError(message(who, rule, f"none in fold {at}", todo))
        # The first of equals is the smallest.
        self.C_ = float(self.Cs_[self.cv_scores_.mean(axis=1).argmax()])
        mass = self._sums.mass
        self.class_count_ = mass.copy()
        self.class_weight_ = class_factors(self.class_weight, self.classes_, mass, who)
        self.regularization_ = base_strength(self.class_weight, mass) / self.C_
        (self.coef_,) = self._solved([self.C_])
        return self

    def _weighting(self) -> Weighting:
        """Return how class weights enter."""
        return self.weighting

    def _solved(self, Cs: Sequence[float]) -> list[FloatArray]:
        """Return the coefficients of all rows for each C."""
        return self._path(self._sums, Cs)

    def _path(self, sums: FoldSums, Cs: Sequence[float]) -> list[FloatArray]:
        """Return the coefficients of some rows for each C."""
        who = type(self).__name__
        factors = class_factors(self.class_weight, self.classes_, sums.mass, who)
        of_gram, of_right = entering(self.weighting, factors)
        base = base_strength(self.class_weight, sums.mass)
        gram = np.tensordot(of_gram, sums.grams, 1)
        return ridge_path(gram, (of_right[:, None] * sums.rights).T, [base / C for C in Cs])

    def _fold_scores(
        self,
        sums: FoldSums,
        X: Any,
        y: AnyArray,
        test: IntArray,
        weights: FloatArray | None,
        scorer: Callable[..., float],
    ) -> FloatArray:
        """Return the score of test rows for each C."""
        coefs, K = self._path(sums, self.Cs_.tolist()), len(self.classes_)
        rows, truth = X[test], y[test]
        more = {} if weights is None else {"sample_weight": weights[test]}
        size, scores = max(1, _CELLS // (K * max(1, len(test)))), []
        for low in range(0, len(coefs), size):
            some = np.concatenate(coefs[low : low + size], axis=1)
            found = outputs(self._layer(), rows, some, self.chunk_size, self._on_device())
            scores += [
                scorer(_Known(self.classes_, found[:, at : at + K]), rows, truth, **more)
                for at in range(0, found.shape[1], K)
            ]
        return np.array(scores, dtype=np.float64)


class _Known(BaseRVFLClassifier):
    """A classifier of one table whose scores are known."""

    def __init__(self, classes: AnyArray, found: FloatArray) -> None:
        self.classes = classes
        self.found = found
        self.classes_ = classes

    def _outputs(self, X: Any) -> FloatArray:
        """Return the scores."""
        return self.found


def _grid(Cs: Any, who: str) -> FloatArray:
    """Return the values to try, sorted."""
    if isinstance(Cs, Integral):
        return np.logspace(-_DECADES, _DECADES, int(Cs))
    return np.unique(checked_Cs(Cs, who))


def _scorer_of(scoring: str | Callable[..., float], who: str) -> Callable[..., float]:
    """Return a function of a fitted classifier, X and y."""
    if not isinstance(scoring, str):
        return scoring
    try:
        ours: Callable[..., float] = get_scorer(scoring)
        return ours
    except InvalidParameterError as error:
        known = get_scorer_names()
        if scoring in known:
            theirs: Callable[..., float] = sklearn_scorer(scoring)
            return theirs
        near = nearest_names(scoring, [*metric_names(), *known])
        rule = "scoring must be a name of imbkit.metrics.get_scorer or of scikit-learn"
        todo = f"Did you mean {' or '.join(near)}?" if near else "Use 'gmean'"
        raise InvalidParameterError(message(who, rule, scoring, todo)) from error


def _takes_weight(scorer: Callable[..., float]) -> bool:
    """Whether a scorer can be called with sample weights."""
    parameters = inspect.signature(scorer).parameters.values()
    return any(each.name == "sample_weight" or each.kind is each.VAR_KEYWORD for each in parameters)


def _check_folds(
    trains: list[FoldSums], tests: list[FloatArray], classes: AnyArray, who: str
) -> None:
    """Refuse folds whose weights are 0 where there must be some."""
    for number, (train, test) in enumerate(zip(trains, tests, strict=True)):
        if not train.mass.all():
            rule = "every training fold must hold rows of positive weight of every class"
            got = f"none of class {shorten(classes[train.mass.argmin()])} in fold {number}"
            raise DataError(message(who, rule, got, "Use fewer folds, or stratified ones"))
        if not test.any():
            rule = "every test fold must hold rows of positive weight"
            raise DataError(message(who, rule, f"none in fold {number}"))
