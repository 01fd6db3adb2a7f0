"""The confusion of classes, kept small where it is largest."""

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import soft_confusion, spectral_norm

__all__ = ["ConfusionAwareLoss"]


class ConfusionAwareLoss(BaseLoss):
    """The spectral norm of a running confusion matrix, rare classes weighted up.

    Add it to the cross-entropy (coefficient 0.3) where the worst class matters most: it presses
    on the group of classes that are confused with each other most. By itself it is content with
    any ranking that is right. Probabilities of the sum lie somewhat further from one half:
    calibrate them.

    Parameters
    ----------
    momentum : float, default=0.9
        Share of the confusion that stays from batch to batch, from 0 to below 1.
    offset : float, default=0.2
        Added to class shares before their root is taken, above 0: the larger, the more alike
        classes count.
    temperature : float, default=1.0
        What logits are divided by in the softmax, above 0.

    See Also
    --------
    SumLoss : Adds it to another loss.

    Notes
    -----
    Entry (i, j) of the confusion is the mean over the batch's rows of class j of
    sigmoid(z_i - z_j) softmax(z / temperature)_i; the sigmoid carries no gradient. The running
    matrix is momentum times what it was, without a gradient, plus the rest times the batch's.
    The loss is the largest singular value of it times 1 / sqrt(share + offset) by column,
    divided by the mean of these weights; shares are those of the table.
    Different from the paper: the column of a class that a batch lacks stays, as it would fade
    otherwise; the first batch of a class has a gradient as all later ones. Where nothing is
    learned, the batch's own confusion is taken. It can be trained only at
    1 - momentum of its slope, and its gradient is not that of the value.

    References
    ----------
    Z. Zhu, G. Jin, H. Zhu, S.-Y. Lu, Y. Zhang, Z. Fu, R. Mu, G. Zhang, Z. Sun, Y. Xia, J. Shang,
    X. Li, L. Liu, T. Huang, "Confusion-aware spectral regularizer for long-tailed recognition",
    CVPR, 2026, doi:10.48550/arXiv.2603.16732.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, ConfusionAwareLoss
    >>> loss, y = ConfusionAwareLoss(), torch.tensor([0, 1])
    >>> loss.setup(ClassStats.from_labels(y))
    >>> loss(torch.zeros(2, 2), y)
    tensor(0.2500)
    """

    card = Card(
        paper="Zhu et al. (2026), doi:10.48550/arXiv.2603.16732",
        cases=({}, {"momentum": 0.5, "temperature": 2.0}),
    )
    names = ("car", "confusion_aware")
    level = "batch"
    needs = frozenset({"counts", "memory"})

    confusion: Tensor
    seen: Tensor
    factors: Tensor

    def __init__(
        self, momentum: float = 0.9, offset: float = 0.2, temperature: float = 1.0
    ) -> None:
        super().__init__()
        who = "ConfusionAwareLoss"
        self.momentum = check_number(momentum, who, "momentum", low=0.0, high=1.0 - 1e-9)
        self.offset = check_number(offset, who, "offset", low=0.0, open_low=True)
        self.temperature = check_number(temperature, who, "temperature", low=0.0, open_low=True)

    def setup(self, stats: ClassStats) -> None:
        """Take the class shares, and forget the confusion of all batches.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        factors = 1.0 / (stats.priors + self.offset) ** 0.5
        self._keep("factors", factors / factors.mean())
        self._keep("confusion", torch.zeros(stats.n_classes, stats.n_classes))
        self._keep("seen", torch.zeros(stats.n_classes))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the norm of the running confusion, which takes up the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        own, present = self._of_batch(batch)
        before = torch.where(self.seen > 0, self.confusion.to(own), own.detach())
        blend = self.momentum * before + (1 - self.momentum) * own
        running = torch.where(present, blend, before)
        if batch.training:
            self.confusion.copy_(running.detach())
            self.seen.copy_(torch.where(present, torch.ones_like(self.seen), self.seen))
        return spectral_norm(running * self.factors.to(own))

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the norm of the batch's own confusion.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        own, _ = self._of_batch(batch)
        return spectral_norm(own * self.factors.to(own))

    def _of_batch(self, batch: LossContext) -> tuple[Tensor, Tensor]:
        """Return the confusion of a batch, and which classes have rows in it."""
        y, v = batch.target, batch.sample_weight
        own = soft_confusion(batch.logits, y, temperature=self.temperature, weight=v)
        rows = torch.ones_like(y, dtype=own.dtype) if v is None else v.to(own)
        return own, own.new_zeros(len(own)).index_add(0, y, rows) > 0
