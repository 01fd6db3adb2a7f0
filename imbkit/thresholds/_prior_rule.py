"""The decision that suits other class shares than those of the training rows."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from imbkit._core.card import Card
from imbkit._core.constraints import Interval
from imbkit._core.messages import message
from imbkit._core.prior import check_prior, class_shares
from imbkit._core.types import BoolArray, FloatArray, IntArray, Seed
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import Counts
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._class_weights import ClassDecision
from imbkit.thresholds._curve import Curve
from imbkit.thresholds._expected_fbeta import check_probabilities

__all__ = ["PriorRule"]


class PriorRule(BaseRule):
    """Decide as if the classes were as frequent as they will be, or equally frequent.

    Choose it where probabilities are right for the rows that the estimator was trained on,
    but decisions are made where the classes have other shares, or where every class shall
    count the same. Nothing is searched for, so it needs no positive rows to tune on.

    Parameters
    ----------
    target_prior : "uniform", "train", mapping or array-like of shape (n_classes,), \
default="uniform"
        Class shares to decide for: the same for all; those of training, which gives the
        estimator's own decisions; or a share by label, or in the sorted order of the labels.
    tau : float, default=1.0
        Strength, from 0 (no correction) to 1 (all of it); more is possible.
    train_prior : mapping or array-like of shape (n_classes,), default=None
        Class shares that the estimator was trained on. None: what is known of the estimator;
        after resampling the shares that the sampler put out. Where they may have changed and
        nothing is known, those of the target are taken, with a warning; with ``cv="prefit"``
        the target is that of the rows given.

    See Also
    --------
    BestMetric : Searches for the threshold on the labels.
    imbkit.calibration.PriorShiftCorrector : Corrects the probabilities themselves.

    Notes
    -----
    A row's class is the largest of w_k p_k with w_k = (q_k / pi_k)^tau, where q is the target
    and pi the training prior: p_k / pi_k for the uniform target, which is the thresholding of
    Buda et al.; tau is an addition. The first class wins ties, as it does in the estimator's own
    predictions. Of two classes the threshold on the probability of the positive one is
    w_0 / (w_0 + w_1): with a uniform target the positive class's share in training.

    The objective that is reported is the accuracy under the target prior, sum_k q_k recall_k,
    for the uniform one the balanced accuracy. It is exact only if the shares are all that
    changes between training and target. O(n log n), for the report alone.

    References
    ----------
    M. Buda, A. Maki, M. A. Mazurowski, "A systematic study of the class imbalance problem in
    convolutional neural networks", Neural Networks 106, 2018, arXiv:1710.05381.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.thresholds import PriorRule, ThresholdClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], flip_y=0.05, random_state=0)
    >>> model = ThresholdClassifierCV(LogisticRegression(), PriorRule()).fit(X, y)
    >>> model.rule_
    Rule(score >= 0.1..., accuracy_at_prior=0.8..., at ... of 1000 rows)
    >>> bool(abs(model.threshold_ - y.mean()) < 1e-12)
    True
    """

    card = Card(
        paper="Buda, Maki & Mazurowski (2017), arXiv:1710.05381",
        cases=(
            {},
            {"target_prior": "train"},
            {"target_prior": {0: 0.7, 1: 0.3}, "tau": 0.5, "train_prior": (0.9, 0.1)},
        ),
    )

    _parameter_constraints = {
        "target_prior": [str, Mapping, "array-like"],
        "tau": [Interval(Real, 0, None, closed="left")],
        "train_prior": [Mapping, "array-like", None],
    }

    needs_probabilities = True
    serves_many_classes = True

    def __init__(
        self,
        target_prior: str | Mapping[Any, float] | ArrayLike = "uniform",
        *,
        tau: float = 1.0,
        train_prior: Mapping[Any, float] | ArrayLike | None = None,
    ) -> None:
        self.target_prior = target_prior
        self.tau = tau
        self.train_prior = train_prior

    @property
    def name(self) -> str:
        """What is reported."""
        return "accuracy_at_prior"

    @property
    def uses_prior(self) -> bool:  # type: ignore[override]
        """Whether `train_prior` is not given, and so has to be found."""
        return self.train_prior is None

    def for_classes(self, classes: Sequence[Any], positive: int) -> Self:
        """Return the rule with its priors in the order negative, positive.

        Parameters
        ----------
        classes : sequence
            The two labels, sorted.
        positive : {0, 1}
            Position of the positive one.

        Returns
        -------
        PriorRule
            A clone that knows which of the classes wins ties.
        """
        self._check()
        ready: Self = clone(self)
        for name in ("target_prior", "train_prior"):
            prior = getattr(self, name)
            if prior is not None and not isinstance(prior, str):
                shares = check_prior(prior, classes, "PriorRule", name)
                ready.set_params(**{name: shares[:: 1 if positive else -1]})
        ready.ties_are_positive_ = not positive
        return ready

    def prepared(self, y_true: BoolArray, **row_values: FloatArray) -> Self:
        """Refuse priors and strengths that no data could make valid.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        **row_values : ndarray of shape (n_rows,)
            None are needed.

        Returns
        -------
        PriorRule
            This rule.
        """
        self._check()
        self._two("target_prior", np.array([0.5, 0.5]))
        self._two("train_prior", np.array([0.5, 0.5]))
        return self

    def with_prior(self, prior: FloatArray) -> Self:
        """Return the rule for an estimator that was trained on these class shares.

        Parameters
        ----------
        prior : ndarray of shape (2,)
            Shares of the negative and the positive class.

        Returns
        -------
        PriorRule
            A clone, or this rule if `train_prior` is given.
        """
        if self.train_prior is not None:
            return self
        ready: Self = clone(self)
        ready.set_params(train_prior=np.asarray(prior, dtype=float))
        ready.ties_are_positive_ = getattr(self, "ties_are_positive_", False)
        return ready

    def objective(self, counts: Counts) -> FloatArray:
        """Return the accuracy under the target prior at every cut-off.

        Parameters
        ----------
        counts : Counts
            Weighted counts at each cut-off; arrays of shape (n_cuts,).

        Returns
        -------
        ndarray of shape (n_cuts,)
            Larger is better.
        """
        total = np.atleast_1d(counts.total)[0]
        positive = float(np.atleast_1d(counts.positives)[0] / total)
        target, _ = self._priors(positive)
        return np.asarray(target[0] * counts.tnr + target[1] * counts.tpr)

    def curve(
        self,
        y_true: BoolArray,
        y_score: FloatArray,
        sample_weight: FloatArray | None = None,
        **row_values: FloatArray,
    ) -> Curve:
        """Return the accuracy under the target prior at every cut-off of the probabilities.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        y_score : ndarray of shape (n_rows,)
            Probabilities of the positive class.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        **row_values : ndarray of shape (n_rows,)
            None are needed.

        Returns
        -------
        Curve
            The objective, O(n log n).
        """
        check_probabilities(y_score, "PriorRule")
        return super().curve(y_true, y_score, sample_weight)

    def threshold(self, curve: Curve) -> float:
        """Return the threshold that the priors make the best one.

        Parameters
        ----------
        curve : Curve
            What :meth:`curve` returned; its prevalence is the training prior if that is not
            known otherwise.

        Returns
        -------
        float
            Rows with at least this probability are predicted positive.
        """
        target, trained = self._priors(curve.prevalence)
        weight = _weights(target, trained, self.tau)
        cut = float(weight[0] / weight.sum())
        # The first class in order wins ties; it is the negative one unless said otherwise.
        return cut if getattr(self, "ties_are_positive_", False) else float(np.nextafter(cut, 2))

    def class_decision(
        self,
        codes: IntArray,
        probabilities: FloatArray,
        sample_weight: FloatArray | None = None,
        *,
        classes: Sequence[Any],
        prior: FloatArray | None = None,
        n_restarts: int = 3,
        random_state: Seed = None,
    ) -> ClassDecision:
        """Return the weight of each class that its priors give it.

        Parameters
        ----------
        codes : ndarray of int, shape (n_rows,)
            Class of each row, as its position in `classes`; for the report, and the training
            prior if that is not known otherwise.
        probabilities : ndarray of shape (n_rows, n_classes)
            Of each class.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        classes : sequence
            The labels, sorted.
        prior : ndarray of shape (n_classes,), default=None
            Class shares that the estimator was trained on.
        n_restarts : int, default=3
            Not used: nothing is searched for.
        random_state : int, RandomState or None, default=None
            Not used.

        Returns
        -------
        ClassDecision
            Callable on probabilities.

        Raises
        ------
        InvalidParameterError
            If a prior is not one of these classes.
        """
        self._check()
        every = np.arange(len(classes))
        trained = class_shares(codes, every, sample_weight) if prior is None else prior
        if self.train_prior is not None:
            trained = check_prior(self.train_prior, classes, "PriorRule", "train_prior")
        target = trained
        if not isinstance(self.target_prior, str) or self.target_prior != "train":
            target = check_prior(self.target_prior, classes, "PriorRule", "target_prior")
        weights = _weights(target, trained, self.tau)
        decided = ClassDecision(weights)(probabilities)
        weight = np.ones(codes.size) if sample_weight is None else sample_weight
        right = np.bincount(codes, weight * (decided == codes), len(classes))
        mass = np.bincount(codes, weight, len(classes))
        recall = np.divide(right, mass, out=np.zeros(len(classes)), where=mass > 0)
        value = float(target @ recall)
        return ClassDecision(weights, name=self.name, value=value, classes=tuple(classes))

    def _check(self) -> None:
        """Refuse what has a meaning for no classes."""
        tau = self.tau
        bad = isinstance(tau, bool | np.bool_) or not isinstance(tau, Real)
        if bad or not 0 <= tau < np.inf:
            rule = "tau must be a finite number from 0"
            raise InvalidParameterError(message("PriorRule", rule, tau))
        if isinstance(self.target_prior, str) and self.target_prior not in ("uniform", "train"):
            rule = "target_prior must be 'uniform', 'train', a mapping or an array"
            raise InvalidParameterError(message("PriorRule", rule, self.target_prior))
        if isinstance(self.train_prior, str):
            rule = "train_prior must be a mapping, an array or None"
            raise InvalidParameterError(message("PriorRule", rule, self.train_prior))

    def _priors(self, positive: float) -> tuple[FloatArray, FloatArray]:
        """Return target and training prior, of the negative class first."""
        trained = self._two("train_prior", np.array([1 - positive, positive]))
        return self._two("target_prior", trained), trained

    def _two(self, name: str, default: FloatArray) -> FloatArray:
        """Return a prior of two classes; by label, the first in order is the negative one."""
        prior = getattr(self, name)
        if prior is None or (isinstance(prior, str) and prior == "train"):
            return default
        classes = sorted(prior) if isinstance(prior, Mapping) else [0, 1]
        if len(classes) != 2:
            classes = [0, 1]
        return check_prior(prior, classes, "PriorRule", name)


def _weights(target: FloatArray, trained: FloatArray, tau: float) -> FloatArray:
    """Weight of each class; they sum to one."""
    # A class that training never showed has no probability to weigh.
    seen = trained > 0
    logs = np.log(target, where=seen, out=np.zeros(target.shape))
    logs -= np.log(trained, where=seen, out=np.zeros(target.shape))
    weights = np.where(seen, np.exp(tau * (logs - logs.max())), 0.0)
    return np.asarray(weights / weights.sum())
