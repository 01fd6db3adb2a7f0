"""Cross-entropy of labels, each balanced by its own counts."""

import math

import numpy as np
import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, known_labels
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._labels import label_counts, labels_of
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import binary_cross_entropy, label_class_balanced

__all__ = ["LabelClassBalancedLoss"]

_TOTAL, _FLOOR = 1000.0, 20.0  # the authors': counts are per thousand, and 20 of them at least


class LabelClassBalancedLoss(BaseLoss):
    """Cross-entropy whose labels of 0 and 1 are weighted by counts, and a price of false alarms.

    Choose it for many outputs of unequal rarity, where weights by each output's own counts
    alone would be too wild: they begin as weights of all outputs together and move towards the
    own counts as epochs pass. Probabilities of rare labels come out too large; lead them back by
    calibration.

    Parameters
    ----------
    beta : float, default=0.9999
        Between 0 and 1; the closer to 1, the more weights go by the inverse counts.
    own : float, default=0.3
        Share of an output's own counts at the last epoch, from 0 to 1.
    penalty : float, default=0.5
        Price of the probability of a label that is 0, 0 or more.

    See Also
    --------
    ClassWeight : Weights by counts, for any loss.
    AsymmetricLoss : Asks for no counts.

    Notes
    -----
    Counts of an output's zeros and ones, as a share of 1000, are mixed with those of all outputs
    together, (1 - v) of the latter and v = own epoch / (max_epochs - 1) of the former. They are
    20 at least and made to sum to 1000 again. Weights are (1 - beta) / (1 - beta^count), those of
    an output summing to 1. A label costs its weight times its cross-entropy, one of 0
    ``penalty`` p more. Where nothing is learned, the cross-entropy without weights is given.
    Labels that are missing cost nothing, but are among the counts of zeros.

    Different from the paper: labels are the vertices of a hand's surface there; any labels of 0
    and 1 are served here. Labels of a row are summed, as by all losses here, not averaged.

    References
    ----------
    D. S. Jung, K. M. Lee, "Learning dense hand contact estimation from imbalanced data",
    NeurIPS, 2025, doi:10.48550/arXiv.2505.11152.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, LabelClassBalancedLoss
    >>> loss = LabelClassBalancedLoss(penalty=0.0)
    >>> loss.setup(ClassStats.from_labels([[0], [0], [0], [1]]))
    >>> loss.weights(epoch=0, max_epochs=1).numpy().round(2).tolist()
    [[0.25], [0.75]]
    """

    card = Card(
        paper="Jung & Lee (2025), doi:10.48550/arXiv.2505.11152",
        cases=({}, {"beta": 0.99, "own": 1.0, "penalty": 0.0}),
    )
    names = ("label_class_balanced",)
    tasks = frozenset({"binary", "multilabel"})
    needs = frozenset({"counts", "epoch"})
    link = "sigmoid"

    shares: Tensor
    pooled: Tensor

    def __init__(self, beta: float = 0.9999, own: float = 0.3, penalty: float = 0.5) -> None:
        super().__init__()
        who = "LabelClassBalancedLoss"
        self.beta = check_number(beta, who, "beta", low=0.0, high=1.0, open_low=True)
        if self.beta == 1.0:
            raise InvalidParameterError(message(who, "beta must be below 1", beta, "Use 0.9999"))
        self.own = check_number(own, who, "own", low=0.0, high=1.0)
        self.penalty = check_number(penalty, who, "penalty", low=0.0)

    def setup(self, stats: ClassStats) -> None:
        """Take the shares of zeros and ones.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        counts = label_counts(stats, "LabelClassBalancedLoss")
        self._keep("shares", counts / np.maximum(counts.sum(axis=0), 1.0))
        self._keep("pooled", counts.sum(axis=1, keepdims=True) / max(counts.sum(), 1.0))

    def weights(self, epoch: int, max_epochs: int) -> Tensor:
        """Return the weights of the labels 0 and 1.

        Parameters
        ----------
        epoch : int
            Epochs that are over.
        max_epochs : int
            Epochs that are meant to be.

        Returns
        -------
        Tensor of shape (2, n_labels)
            Those of a label sum to 1.
        """
        self._counted()
        v = self.own * min(epoch / max(max_epochs - 1, 1), 1.0)
        counts = (_TOTAL * (v * self.shares + (1 - v) * self.pooled)).clamp_min(_FLOOR)
        counts = counts * (_TOTAL / counts.sum(0))
        inverse = 1 / -torch.expm1(counts * math.log(self.beta))
        return inverse / inverse.sum(0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n, n_labels) or (n,)
            At least 0; 0 for a label that is missing.
        """
        z, y = labels_of(batch, "LabelClassBalancedLoss", self.shares.shape[1])
        w = self.weights(batch.epoch, batch.max_epochs)
        return label_class_balanced(z, y, w, penalty=self.penalty)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of each label.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n, n_labels) or (n,)
            At least 0; 0 for a label that is missing.
        """
        z, y = labels_of(batch, "LabelClassBalancedLoss", self.shares.shape[1])
        return binary_cross_entropy(z, y == 1).where(known_labels(y), 0.0)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the class shares that the outputs are made for.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Of two classes, those of the batches times the weights; the price of false alarms
            is no part of it.
        """
        shares = stats.effective_priors
        if stats.task == "multilabel":
            return shares
        weighted = shares * self.weights(0, 1)[:, 0].cpu().numpy()
        return np.asarray(weighted / weighted.sum())
