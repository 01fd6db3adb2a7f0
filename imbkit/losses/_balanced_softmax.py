"""Balanced softmax: logit adjustment by the whole of the class counts."""

from imbkit._core.card import Card, Limit
from imbkit.losses._logit_adjusted import LogitAdjustedLoss

__all__ = ["BalancedSoftmaxLoss"]


class BalancedSoftmaxLoss(LogitAdjustedLoss):
    """Cross-entropy of logits to which the log class counts are added while it learns.

    The simplest loss for equal recalls: there is nothing to set. The softmax of the outputs is
    that for equally frequent classes; adding the log shares gives the probabilities of the
    training rows (``predict_prior="train"``). Choose :class:`LogitAdjustedLoss` to go only a
    part of the way.

    See Also
    --------
    LogitAdjustedLoss : The same with a number in front of the log counts.
    VectorScalingLoss : Scales the logits of rare classes, too.

    Notes
    -----
    -log softmax(z + log n)_y, which is logit adjustment with tau = 1. The counts n are those
    of the rows that batches are made of, up to a factor: with a sampler that balances classes
    the loss is cross-entropy. A class without rows counts as half a row. Where nothing is
    learned, the cross-entropy of the logits themselves is given.

    Different from the paper: its second half, a sampler learned together with the net, is no
    part of it. Several labels a row are adjusted one by one, by log(rows with / rows without).

    References
    ----------
    J. Ren, C. Yu, S. Sheng, X. Ma, H. Zhao, S. Yi, H. Li, "Balanced meta-softmax for long-tailed
    visual recognition", NeurIPS, 2020, doi:10.48550/arXiv.2007.10740.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import BalancedSoftmaxLoss, ClassStats
    >>> loss = BalancedSoftmaxLoss()
    >>> loss.setup(ClassStats.from_labels([0] * 9 + [1]))
    >>> loss(torch.zeros(1, 2), torch.tensor([1]))
    tensor(2.3026)
    >>> loss.induced_prior(loss.stats).tolist()
    [0.5, 0.5]
    """

    card = Card(
        paper="Ren et al. (2020), doi:10.48550/arXiv.2007.10740",
        limits=(Limit(when={}, equals="LogitAdjustedLoss", other={"tau": 1.0}),),
    )
    names = ("balanced_softmax", "bsm")

    def __init__(self) -> None:
        super().__init__(tau=1.0)
