"""Calibration that asks how steady a prediction is when the row changes a little."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from imbkit._core.card import Card
from imbkit._core.class_codes import class_codes
from imbkit._core.compat import fit_context
from imbkit._core.constraints import N_JOBS, RANDOM_STATE, HasMethods, Interval, StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.rng import derive, integer_seed
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit._core.warn import warn
from imbkit.calibration._copies import KINDS, Copies, learn_copies
from imbkit.calibration._labels import check_known
from imbkit.calibration._probabilities import log_probabilities, probabilities_of
from imbkit.calibration._temperature_net import fit_net, row_weights
from imbkit.calibration._wrapper import BaseWrapper, stacked
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

__all__ = ["CorrectnessAwareCalibrator"]


@dataclass(frozen=True, slots=True)
class _Responses:
    """What a classifier says of rows and of their changed copies, side by side.

    The first columns are the probabilities of the rows, the others what the network sees.
    """

    copies: Copies
    top_k: int
    classes: AnyArray
    who: str

    def __call__(self, estimator: Any, X: Any) -> FloatArray:
        """Return an array of shape (n_rows, n_classes + n_inputs)."""
        own = self._probabilities(estimator, X)
        # The same classes in every copy: a copy that prefers another class must show it.
        top = np.argsort(-own, axis=1, kind="stable")[:, : self.top_k]
        seen = [np.take_along_axis(own, top, axis=1)]
        seen += [
            np.take_along_axis(self._probabilities(estimator, copy), top, axis=1)
            for copy in self.copies(X, self.who)
        ]
        return np.hstack([own, *seen])

    def _probabilities(self, estimator: Any, X: Any) -> FloatArray:
        """Probabilities of a classifier, checked."""
        return probabilities_of(estimator, X, classes=self.classes, who=self.who)


class CorrectnessAwareCalibrator(BaseWrapper):
    """Make a classifier sure where it is right, and unsure where it is wrong.

    Each row gets a temperature of its own, which a small network reads off how the
    probabilities of the row and of slightly changed copies of it lie. Choose it where some
    predictions are wrong with great confidence and the table has numeric columns; it never
    changes which class is predicted. For one temperature for all rows, and whenever a row must
    not be scored several times, take :class:`ScalingCalibrator`.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba``.
    top_k : int, default=4
        The network sees the probabilities of so many classes: those that the classifier finds
        most probable for the unchanged row.
    transforms : sequence of {"jitter", "swap", "median"}, default=("jitter", "swap", "median")
        The changed copies: normal noise on every numeric column; some columns replaced by
        values that other rows have there; some columns replaced by their median.
    jitter : float, default=0.1
        Noise of "jitter" in standard deviations of the column.
    share : float, default=0.2
        Share of the numeric columns that "swap" and "median" change in a row; one at least.
    n_hidden : int, default=5
        Hidden units of the network.
    clamp : tuple of two floats, default=(0.1, 10.0)
        Smallest and largest temperature.
    balanced : bool, default=False
        Whether right and wrong rows have the same total weight in the loss. The confidence is
        then right for a sample with as many wrong as right rows, which is lower than for the
        table.
    per_class : bool, default=False
        Whether the rows predicted as each class have the same total weight in the loss, so
        that few alerts count as much as many rows that are let pass.
    cv : int, float, splitter, iterable or "prefit", default=5
        Where the out-of-fold probabilities come from: a number of stratified folds (None means
        5), the share of the rows in one stratified hold-out set, a splitter, a list of
        (train, test) positions, or ``"prefit"``: the estimator is fitted already, on other
        rows, and all rows given to ``fit`` serve the calibration.
    max_iter : int, default=10
        Largest number of training steps of the network. More of them mostly fit noise, and
        magnify rounding errors; see the notes.
    n_jobs : int, default=None
        Number of folds fitted at a time.
    random_state : int, RandomState or None, default=None
        Draws the network to start from, the hold-out set if `cv` is a share, and, together
        with the contents of a row, the changes of its copies.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator that predicts.
    net_ : TemperatureNet
        Maps what the network sees to a temperature.
    copies_ : Copies
        Makes the changed copies of rows.
    loss_ : float
        The loss on the out-of-fold rows after training.
    initial_loss_ : float
        The loss of the probabilities as they were, or at the temperature nearest to 1 that
        `clamp` allows; not below `loss_`.
    n_iter_ : int
        Training steps.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features, if the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the estimator knows them.

    See Also
    --------
    ScalingCalibrator : One temperature for all rows, by the log-loss.
    sklearn.calibration.CalibratedClassifierCV : Sigmoid, isotonic or temperature.

    Notes
    -----
    The loss is the mean of (max_k softmax(z / T)_k - [the prediction is right])**2, where z is
    the logarithm of the probabilities and the prediction the class with the largest. T is the
    output of one hidden layer of rectified linear units, clamped. Where no prediction or
    every prediction is wrong, the rows can only teach to be (un)sure, and a warning says so.

    From the paper: this loss, and that changed copies of a row tell whether a prediction is
    right. From the authors' code: the network, its inputs (4 probabilities of 3 copies), the
    clamp, and the weights of `balanced`. The rest is imbkit's own: changes that suit tables
    (the paper turns and colours images), the unchanged row among the inputs, the classes taken
    in the order of the unchanged row, `per_class`, out-of-fold rows, and the training: all rows
    at once by L-BFGS from the best constant temperature, in place of Adam, so that the loss
    never ends above that of any of 25 constant temperatures and a seed gives one result.

    The change of a row depends on `random_state` and on the row's own contents, not on the
    other rows: each gets the same temperature in every batch. Columns of text, categories and
    times are left as they are; integers are rounded. Sparse input is refused. Probabilities
    below 2**-52 are taken for it.

    The training stops early on purpose. On six tables with three learners each, the loss on
    other rows after ten steps was at most 4% above the lowest of seven numbers of steps from 5
    to 200; after 200 steps it was up to 9% above. Ten steps also keep rounding errors small:
    rows in another order, or repeated rows in place of integer weights, gave the same
    probabilities to 1e-7, after fifty steps another network altogether.

    A prediction scores each row ``1 + len(transforms)`` times; training takes O(n K) a step.

    References
    ----------
    Y. Liu, L. Wang, Y. Zou, J. Zou, L. Zheng, "Optimizing calibration by gaining aware of
    prediction correctness", arXiv:2404.13016, 2024.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from imbkit.calibration import CorrectnessAwareCalibrator
    >>> X, y = make_classification(2000, weights=[0.9], n_redundant=10, random_state=0)
    >>> model = CorrectnessAwareCalibrator(GaussianNB(), random_state=0).fit(X, y)
    >>> bool(model.loss_ < 0.95 * model.initial_loss_)
    True
    """

    card = Card(
        paper="Liu et al. (2024), arXiv:2404.13016",
        cases=({}, {"balanced": True, "per_class": True}),
    )

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "top_k": [Interval(Integral, 1, None, closed="left")],
        "transforms": [tuple, list],
        "jitter": [Interval(Real, 0, None, closed="left")],
        "share": [Interval(Real, 0, 1, closed="right")],
        "n_hidden": [Interval(Integral, 1, None, closed="left")],
        "clamp": [tuple, list],
        "balanced": ["boolean"],
        "per_class": ["boolean"],
        "cv": ["cv_object", StrOptions({"prefit"}), Interval(Real, 0, 1, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": N_JOBS,
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        estimator: Any,
        *,
        top_k: int = 4,
        transforms: Sequence[str] = KINDS,
        jitter: float = 0.1,
        share: float = 0.2,
        n_hidden: int = 5,
        clamp: tuple[float, float] = (0.1, 10.0),
        balanced: bool = False,
        per_class: bool = False,
        cv: int | float | str | Iterable[Any] | Any = 5,
        max_iter: int = 10,
        n_jobs: int | None = None,
        random_state: Seed = None,
    ) -> None:
        self.estimator = estimator
        self.top_k = top_k
        self.transforms = transforms
        self.jitter = jitter
        self.share = share
        self.n_hidden = n_hidden
        self.clamp = clamp
        self.balanced = balanced
        self.per_class = per_class
        self.cv = cv
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Train the network on out-of-fold probabilities, and fit the estimator.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows; at least one column holds numbers or booleans.
        y : array-like of shape (n_rows,)
            Labels, two distinct ones at least.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        **params
            ``groups`` for the splitter; arguments of the estimator's ``fit``.

        Returns
        -------
        CorrectnessAwareCalibrator
            The fitted model.

        Raises
        ------
        DataError
            If `X` is sparse or has no numeric column, a training fold lacks a class, or the
            estimator's probabilities are none.
        InvalidParameterError
            If the estimator has no ``predict_proba``, or a parameter cannot be.
        """
        who = type(self).__name__
        clamp = self._check_parameters()
        if sparse.issparse(X):
            rule = "changed copies of rows need a dense table, but X is sparse"
            raise DataError(message(who, rule, todo="Call X.toarray(), or use ScalingCalibrator"))
        X, target, inputs = self._read(X, y, sample_weight, params)
        seed = integer_seed(self.random_state)
        splits: list[Any] = []
        fitted = self.estimator
        if self._is_prefit():
            check_known(target, np.asarray(fitted.classes_), who)
        else:
            draw = np.random.RandomState(derive(seed, "splits"))
            splits = self._splits(X, target, inputs, draw)
            # First, so that the estimator's own complaints about the rows come first.
            fitted = clone(self.estimator).fit(X, target, **inputs.estimator)
        self._take_over(fitted)
        self.classes_ = self.estimator_.classes_
        self.copies_ = learn_copies(
            X,
            self.transforms,
            jitter=self.jitter,
            share=self.share,
            seed=derive(seed, "copies"),
            weight=inputs.own_weight,
            who=who,
        )
        if self._is_prefit():
            rows, seen = np.arange(target.size), self._responses()(self.estimator_, X)
        else:
            rows, seen = stacked(self._unseen(X, target, inputs, splits, self._responses()))
        codes = class_codes(target[rows], self.classes_)
        own = None if inputs.own_weight is None else inputs.own_weight[rows]
        self._train(seen, codes, own, clamp, np.random.default_rng(derive(seed, "network")))
        return self

    def predict(self, X: Any) -> AnyArray:
        """Predict labels, which the calibration does not change.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            What the estimator itself predicts.
        """
        check_is_fitted(self, "net_")
        return np.asarray(self.estimator_.predict(X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Return calibrated probabilities.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`; rows sum to one.
        """
        logits, temperature = self._logits_and_temperature(X)
        return np.asarray(softmax(logits / temperature[:, None], axis=1))

    def temperature(self, X: Any) -> FloatArray:
        """Return the temperature of each row.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Within `clamp`; above 1 where the estimator is too sure of itself.
        """
        return self._logits_and_temperature(X)[1]

    def __sklearn_tags__(self) -> Tags:
        """Take over what the estimator can take, but for sparse rows."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def __deploy__(self) -> NoReturn:
        """Refuse, as nothing in scikit-learn scores changed copies of a row."""
        rule = "a model that scores changed copies of each row has no form in scikit-learn alone"
        todo = "Ship it with imbkit, or calibrate by ScalingCalibrator or CalibratedClassifierCV"
        raise InvalidParameterError(message(type(self).__name__, rule, todo=todo))

    def _check_parameters(self) -> tuple[float, float]:
        """Refuse settings that no data could make valid; return the clamp."""
        who = type(self).__name__
        self._check_estimator(gives_probabilities=True)
        unknown = [kind for kind in self.transforms if kind not in KINDS]
        if unknown:
            rule = f"transforms must be of {listing(KINDS)}"
            raise InvalidParameterError(message(who, rule, listing(unknown)))
        numbers = all(isinstance(end, Real) and np.isfinite(end) for end in self.clamp)
        if not (len(self.clamp) == 2 and numbers and 0 < self.clamp[0] < self.clamp[1]):
            rule = "clamp must be two finite numbers above 0, the smaller first"
            raise InvalidParameterError(message(who, rule, self.clamp))
        return float(self.clamp[0]), float(self.clamp[1])

    def _responses(self) -> _Responses:
        """What is asked of the estimator."""
        top_k = min(self.top_k, len(self.classes_))
        return _Responses(self.copies_, top_k, self.classes_, type(self).__name__)

    def _train(
        self,
        seen: FloatArray,
        codes: IntArray,
        weight: FloatArray | None,
        clamp: tuple[float, float],
        rng: np.random.Generator,
    ) -> None:
        """Train the network on responses to rows that the estimator has not seen."""
        n_classes = len(self.classes_)
        predicted = seen[:, :n_classes].argmax(axis=1)
        right = predicted == codes
        if weight is not None:
            # A row of weight 0 is no row.
            there = weight > 0
            seen, predicted, right, weight = (
                each[there] for each in (seen, predicted, right, weight)
            )
        if right.all() or not right.any():
            rule = "some predictions should be right and some wrong, or there is nothing to tell"
            got = f"{'no' if right.all() else 'only'} wrong ones in {right.size:,} rows"
            warn(message(type(self).__name__, rule, got, "Calibrate on more rows"), ImbkitWarning)
        self.net_, self.initial_loss_, self.loss_, self.n_iter_ = fit_net(
            seen[:, n_classes:],
            _gaps(seen[:, :n_classes]),
            right,
            row_weights(right, predicted, weight, balanced=self.balanced, per_class=self.per_class),
            n_hidden=self.n_hidden,
            clamp=clamp,
            max_iter=self.max_iter,
            rng=rng,
        )

    def _logits_and_temperature(self, X: Any) -> tuple[FloatArray, FloatArray]:
        """Log-probabilities of rows less the largest of each, and their temperatures."""
        check_is_fitted(self, "net_")
        seen = self._responses()(self.estimator_, X)
        n_classes = len(self.classes_)
        return _gaps(seen[:, :n_classes]), self.net_(seen[:, n_classes:])


def _gaps(probabilities: FloatArray) -> FloatArray:
    """Log-probabilities less the largest of their row."""
    logits = log_probabilities(probabilities)
    return np.asarray(logits - logits.max(axis=1, keepdims=True))
