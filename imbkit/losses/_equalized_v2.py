"""Equalization by gradients: labels are weighted until both of their kinds pull alike."""

import numpy as np
import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.types import FloatArray
from imbkit.losses._base import BaseLoss, known_labels
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._equalized import labels_of, shares_after, weighted_items
from imbkit.losses._logit_adjusted import check_kind
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import gradient_balance

__all__ = ["EqualizedV2Loss"]


class EqualizedV2Loss(BaseLoss):
    """Cross-entropy of each class against the rest, balanced by the gradients of both so far.

    Each class has an output of its own, with a sigmoid. It begins as plain cross-entropy; a
    class whose own rows have pulled less than those of all others is weighted up, and the
    others down. Choose it for many labels of very different frequency. The probabilities of
    rare classes become too large by an amount that changes with every batch: calibrate them,
    and do not choose an epoch by this loss.

    Parameters
    ----------
    gamma : float, default=12.0
        How steeply weights answer to the ratio of gradients, 0 or more.
    mu : float, default=0.8
        The ratio at which a label 0 has half its weight, 0 or more.
    alpha : float, default=4.0
        By how much a label 1 is weighted up where labels 0 have no weight left, 0 or more.

    See Also
    --------
    EqualizedLoss : By shares, so that the effect on probabilities is known.
    SeesawLoss : For a softmax.

    Notes
    -----
    Binary cross-entropy of each output, summed over classes, with the weight
    w0 = sigmoid(gamma (r - mu)) of labels 0 and 1 + alpha (1 - w0) of labels 1. The ratio r is
    that of all gradients so far of labels 1 to those of labels 0, and 100 to begin with; the
    size of a gradient is the distance of sigmoid(z) from the label, times the weight. The sums
    are buffers, which ``setup`` sets to 0 and only batches that are learned from change; sample
    weights count in them. Two classes are better served by a softmax.
    Where nothing is learned, the weights are 1.

    References
    ----------
    J. Tan, X. Lu, G. Zhang, C. Yin, Q. Li, "Equalization loss v2: a new gradient balance approach
    for long-tailed object detection", CVPR, 2021, doi:10.48550/arXiv.2012.08548.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, EqualizedV2Loss
    >>> loss = EqualizedV2Loss()
    >>> loss.setup(ClassStats.from_labels([0] * 9 + [1]))
    >>> z, y = torch.zeros(10, 2), torch.tensor([0] * 9 + [1])
    >>> [round(loss(z, y).item(), 3) for _ in range(2)]
    [1.386, 1.04]
    """

    card = Card(
        paper="Tan et al. (2021), doi:10.48550/arXiv.2012.08548",
        cases=({}, {"gamma": 6.0, "alpha": 1.0}),
    )
    names = ("equalized_v2", "eqlv2")
    tasks = frozenset({"multiclass", "multilabel"})
    needs = frozenset({"counts", "memory"})
    link = "sigmoid"

    positive: Tensor
    negative: Tensor

    def __init__(self, gamma: float = 12.0, mu: float = 0.8, alpha: float = 4.0) -> None:
        super().__init__()
        who = "EqualizedV2Loss"
        self.gamma = check_number(gamma, who, "gamma", low=0.0)
        self.mu = check_number(mu, who, "mu", low=0.0)
        self.alpha = check_number(alpha, who, "alpha", low=0.0)

    def setup(self, stats: ClassStats) -> None:
        """Forget all gradients seen.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("positive", np.zeros(stats.n_classes))
        self._keep("negative", np.zeros(stats.n_classes))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch; its gradients are added to the sums if it is learned from.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            Of class positions the sum over classes; 0 for a label that is missing.
        """
        check_kind(self, batch.target)
        up, down = self._weights()
        items = weighted_items(self, batch, up, down)
        if batch.training:
            self._add(batch, up, down)
        return items

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the loss without weights.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            Of class positions the sum over classes; 0 for a label that is missing.
        """
        one = torch.ones_like(self.positive)
        return weighted_items(self, batch, one, one)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the shares that the sigmoids are made for, by the weights of this moment.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Larger for rare classes; of class positions they are made to sum to one.
        """
        if self.stats is None:
            return stats.effective_priors
        up, down = (each.cpu().numpy() for each in self._weights())
        return shares_after(stats, up, down)

    def _weights(self) -> tuple[Tensor, Tensor]:
        """Return the weights of labels 1 and 0, by the gradients so far."""
        return gradient_balance(
            self.positive, self.negative, gamma=self.gamma, mu=self.mu, alpha=self.alpha
        )

    @torch.no_grad()
    def _add(self, batch: LossContext, up: Tensor, down: Tensor) -> None:
        """Add the sizes of the gradients of a batch to the sums."""
        labels = labels_of(self, batch)
        size = (torch.sigmoid(batch.logits) - labels).abs().where(known_labels(labels), 0)
        if batch.sample_weight is not None:
            size = size * batch.sample_weight.to(size)[:, None]
        own = labels == 1
        self.positive += up * size.where(own, 0).sum(dim=0).to(up)
        self.negative += down * size.where(~own, 0).sum(dim=0).to(down)
