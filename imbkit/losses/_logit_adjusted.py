"""Cross-entropy that knows the class shares, so that the logits need not."""

import numpy as np
from scipy.special import expit, softmax
from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError
from imbkit.losses._base import BaseLoss, known_labels
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import (
    binary_cross_entropy,
    binary_logit_adjusted,
    cross_entropy,
    logit_adjusted,
)

__all__ = ["LogitAdjustedLoss", "check_kind", "log_shares", "plain_cross_entropy", "shares_of"]

_LEAST = 0.5  # rows that a class without any counts as


class LogitAdjustedLoss(BaseLoss):
    """Cross-entropy of logits to which the log class shares are added while it learns.

    Choose it where every class's recall counts the same: what the net itself has to say is then
    free of the class shares, and the class with the largest logit is the one for equally
    frequent classes. Nothing is lost: adding the log shares again gives the probabilities of the
    training rows, which is what ``predict_prior="train"`` does.

    Parameters
    ----------
    tau : float, default=1.0
        What the log shares are multiplied by, 0 or more: 0 is cross-entropy, 1 balances.

    See Also
    --------
    VectorScalingLoss : Scales the logits of rare classes, too.
    imbkit.calibration.PriorShiftCorrector : The same step after training, for any classifier.

    Notes
    -----
    -log softmax(z + tau log pi)_y. With tau = 1 it is least where softmax(z) is p(y | x) / pi_y,
    normalised. The shares pi are those of the batches, not of the table: with a sampler that
    balances classes they are equal, and the loss is cross-entropy. It would otherwise correct
    twice. A class without rows counts as half a row. Balanced softmax is the same loss.
    Where nothing is learned, the cross-entropy of the logits themselves is given.

    Different from the paper: of several labels a row each is adjusted by itself, by its log-odds
    log(rows with the label / rows without), so that a probability of 1/2 stands for equally many
    of both; labels that are missing are left out.

    References
    ----------
    A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit, S. Kumar, "Long-tail learning via
    logit adjustment", ICLR, 2021, doi:10.48550/arXiv.2007.07314.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, LogitAdjustedLoss
    >>> loss = LogitAdjustedLoss()
    >>> loss.setup(ClassStats.from_labels([0] * 9 + [1]))
    >>> loss(torch.zeros(1, 2), torch.tensor([1]))
    tensor(2.3026)
    """

    card = Card(
        paper="Menon et al. (2021), doi:10.48550/arXiv.2007.07314",
        cases=({}, {"tau": 0.5}),
        limits=(Limit(when={"tau": 0.0}, equals="CrossEntropyLoss"),),
    )
    names = ("logit_adjusted", "la")
    tasks = frozenset({"binary", "multiclass", "multilabel"})
    needs = frozenset({"counts"})

    log_prior: Tensor

    def __init__(self, tau: float = 1.0) -> None:
        super().__init__()
        self.tau = check_number(tau, type(self).__name__, "tau", low=0.0)

    def setup(self, stats: ClassStats) -> None:
        """Take the class shares of the batches.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("log_prior", log_shares(stats))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            At least 0; 0 for a label that is missing.
        """
        check_kind(self, batch.target)
        z, y = batch.logits, batch.target
        if y.ndim == 2:
            known = known_labels(y)
            items = binary_logit_adjusted(z, y.where(known, 0), self.log_prior, tau=self.tau)
            return items.where(known, 0)
        return logit_adjusted(z, y, self.log_prior, tau=self.tau)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of the logits themselves.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            At least 0; 0 for a label that is missing.
        """
        return plain_cross_entropy(batch.logits, batch.target)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the class shares that the outputs are made for.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Equal ones for ``tau=1``; of several labels a row the share of rows with each label,
            1/2 for ``tau=1``.
        """
        return shares_of((1.0 - self.tau) * log_shares(stats), stats)


def log_shares(stats: ClassStats) -> FloatArray:
    """Return logarithms of the shares of classes in batches, or the log-odds of labels.

    Parameters
    ----------
    stats : ClassStats
        Counts, and the class shares of the batches. Less than half a row counts as half a row.
    """
    labels = stats.task == "multilabel"
    # The floor lies where it changes no share that ClassStats itself works out.
    rows = stats.n_samples + (0.0 if labels else _LEAST * stats.n_classes)
    least = _LEAST / max(rows, 1.0)
    p = np.maximum(stats.effective_priors, least)
    if labels:
        p = np.minimum(p, 1.0 - least)
        return np.asarray(np.log(p) - np.log1p(-p))
    return np.asarray(np.log(p))


def shares_of(logits: FloatArray, stats: ClassStats) -> FloatArray:
    """Return shares for their logarithms up to a constant, or for the log-odds of labels.

    Parameters
    ----------
    logits : ndarray of shape (n_classes,)
        What `log_shares` gives, perhaps moved.
    stats : ClassStats
        Says which of the two they are.
    """
    return np.asarray(expit(logits) if stats.task == "multilabel" else softmax(logits))


def plain_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy of rows, or of labels with 0 where one is missing.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes), (n,) or (n, n_labels)
        Scores.
    target : Tensor of shape (n,) or (n, n_labels)
        Class positions, or labels.
    """
    if target.ndim == 2:
        known = known_labels(target)
        return binary_cross_entropy(logits, target.where(known, 0)).where(known, 0)
    return cross_entropy(logits, target)


def check_kind(loss: BaseLoss, target: Tensor) -> None:
    """Refuse labels where classes were counted, and classes where labels were.

    Parameters
    ----------
    loss : BaseLoss
        A loss whose ``setup`` was called.
    target : Tensor
        The target of a batch.
    """
    labels = loss.stats is not None and loss.stats.task == "multilabel"
    if (target.ndim == 2) != labels:
        # A class's share and a label's odds are different numbers: the wrong one goes unnoticed.
        rule = "the target must be of the kind that setup was given"
        kinds = ("class positions", "a column for each label")
        got = f"{kinds[target.ndim == 2]} after {kinds[labels]}"
        raise DataError(message(type(loss).__name__, rule, got, "Call setup with such labels"))
