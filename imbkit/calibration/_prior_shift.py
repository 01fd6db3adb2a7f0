"""Probabilities under other class shares than those a model was trained on."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.card import Card
from imbkit._core.constraints import Interval, StrOptions
from imbkit._core.messages import message
from imbkit._core.prior import check_prior, shift
from imbkit._core.types import FloatArray, IntArray
from imbkit.calibration._base import BaseCalibrator
from imbkit.exceptions import InvalidParameterError

__all__ = ["PriorShiftCorrector", "reweighted_prior"]


class PriorShiftCorrector(BaseCalibrator):
    """Turn probabilities under one set of class shares into those under another.

    Use it where the base rate changes and the classes themselves do not: a model trained on
    balanced rows that meets natural ones, or a training table whose fraud was collected over
    years. Nothing is estimated. Where the new shares are not known, estimate them first
    (:class:`LabelShiftAdapter`); around a classifier that resamples,
    :class:`ResamplingCorrectedClassifier` finds the shares by itself.

    Parameters
    ----------
    source_prior : mapping, array-like of shape (n_classes,), "uniform" or None, default=None
        Class shares behind the probabilities: share by class, or shares in the order of the
        sorted labels, positive and summing to one. None takes those of the labels given to
        ``fit``, by weight where there are weights.
    target_prior : mapping, array-like of shape (n_classes,), "uniform" or None, \
default="uniform"
        Class shares to have instead, in the same forms.
    tau : float, default=1.0
        Strength: 0 changes nothing, 1 is Bayes' rule, values between go part of the way.

    Attributes
    ----------
    source_prior_, target_prior_ : ndarray of shape (n_classes,)
        The class shares, in the order of `classes_`.
    ratio_ : ndarray of shape (n_classes,)
        Factors on the probabilities before they are made to sum to one.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    See Also
    --------
    ResamplingCorrectedClassifier : The same around a classifier, shares found by itself.
    LabelShiftAdapter : Estimates the new shares from unlabelled rows.
    reweighted_prior : The shares that sampling or class weights leave behind.

    Notes
    -----
    p'_k = (q_k / pi_k)^tau p_k / sum_j (q_j / pi_j)^tau p_j for source shares pi and target
    shares q; in logits, tau (log q_k - log pi_k) is added. With `tau` = 1 it is exact if the
    distribution of the features within each class is the same under both. Swapping the priors
    undoes it; from pi to q and from q to r is from pi to r. Of two classes it is increasing:
    rankings stay, and a cut-off on p becomes what the corrector makes of that cut-off. The
    largest of several probabilities under uniform shares is the decision of Buda et al.

    For negatives kept with probability beta, pi_1 / (1 - pi_1) = q_1 / (beta (1 - q_1)), and
    the formula is Dal Pozzolo's p' = beta p / ((beta - 1) p + 1).

    Different from the papers: any number of classes, `tau`. O(n K).

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, 973-978.

    M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a
    priori probabilities", Neural Computation 14, 2002, doi:10.1162/089976602753284446.

    A. Dal Pozzolo, O. Caelen, R. A. Johnson, G. Bontempi, "Calibrating probability with
    undersampling for unbalanced classification", IEEE SSCI, 2015, doi:10.1109/SSCI.2015.33.

    M. Buda, A. Maki, M. A. Mazurowski, "A systematic study of the class imbalance problem in
    convolutional neural networks", Neural Networks 106, 2018,
    doi:10.1016/j.neunet.2018.07.011.

    Examples
    --------
    >>> from imbkit.calibration import PriorShiftCorrector
    >>> balanced = [0.2, 0.5, 0.9]
    >>> corrector = PriorShiftCorrector(source_prior="uniform", target_prior={0: 0.99, 1: 0.01})
    >>> corrector.fit(balanced, [0, 0, 1]).predict_proba(balanced)[:, 1].round(4).tolist()
    [0.0025, 0.01, 0.0833]
    """

    card = Card(
        paper="Saerens, Latinne & Decaestecker (2002), doi:10.1162/089976602753284446",
        cases=({}, {"source_prior": "uniform", "target_prior": None, "tau": 0.5}),
    )

    _parameter_constraints = {
        "source_prior": ["array-like", dict, StrOptions({"uniform"}), None],
        "target_prior": ["array-like", dict, StrOptions({"uniform"}), None],
        "tau": [Interval(Real, None, None, closed="neither")],
    }

    def __init__(
        self, source_prior: Any = None, target_prior: Any = "uniform", *, tau: float = 1.0
    ) -> None:
        self.source_prior = source_prior
        self.target_prior = target_prior
        self.tau = tau

    def _fit_map(
        self, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
    ) -> None:
        who = type(self).__name__
        mass = np.bincount(codes, weights=weight, minlength=len(self.classes_))
        shares = [
            mass / mass.sum() if prior is None else check_prior(prior, self.classes_, who, name)
            for prior, name in (
                (self.source_prior, "source_prior"),
                (self.target_prior, "target_prior"),
            )
        ]
        self.source_prior_, self.target_prior_ = shares
        ratio = self.target_prior_ / self.source_prior_
        # Factors count relative to each other: the largest is 1 before it is raised to a power.
        self.ratio_ = ratio if self.tau == 1 else (ratio / ratio.max()) ** self.tau

    def _map(self, probabilities: FloatArray) -> FloatArray:
        return shift(probabilities, self.ratio_)


def reweighted_prior(prior: ArrayLike, factors: ArrayLike) -> FloatArray:
    """Return the class shares after each class's rows are kept, repeated or weighted.

    Parameters
    ----------
    prior : array-like of shape (n_classes,)
        Class shares before, positive and summing to one.
    factors : array-like of shape (n_classes,)
        Positive: the share of each class's rows that is kept, how often they are repeated, or
        the class weight; common factors do not matter.

    Returns
    -------
    ndarray of shape (n_classes,)
        The shares that a model is trained on then: prior_k factor_k / sum_j prior_j factor_j.

    Raises
    ------
    InvalidParameterError
        If a prior is no prior, or a factor is not finite and above 0.

    See Also
    --------
    PriorShiftCorrector : Takes these shares as ``source_prior``.

    Examples
    --------
    >>> from imbkit.calibration import reweighted_prior
    >>> reweighted_prior([0.96, 0.04], [1 / 24, 1.0]).round(3).tolist()
    [0.5, 0.5]
    """
    who = "reweighted_prior"
    before = np.asarray(prior, dtype=float)
    shares = check_prior(before, np.arange(before.size), who, "prior")
    by = np.asarray(factors, dtype=float)
    if by.shape != shares.shape or not (np.isfinite(by) & (by > 0)).all():
        rule = f"factors must hold {shares.size} finite numbers above 0, one for each class"
        raise InvalidParameterError(message(who, rule, factors))
    mass = shares * (by / by.max())
    return np.asarray(mass / mass.sum())
