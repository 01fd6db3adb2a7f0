"""Comp-sum losses: cross-entropy, generalised cross-entropy and mean absolute error in one."""

from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import comp_sum

__all__ = ["CompSumLoss"]


class CompSumLoss(BaseLoss):
    """A family from the sum of exponentials over cross-entropy to the mean absolute error.

    Choose a `tau` between 1 and 2 where labels are wrong: it does not insist on rows that it
    gets badly wrong. Among them are the rows of a rare class, so never use it alone there: by
    itself it falls behind cross-entropy. Combine it with class weights (`ClassWeight`,
    `EffectiveNumber`) or with a sampler that balances classes.

    Parameters
    ----------
    tau : float, default=1.7
        0 or more: 0 is the sum of exponentials, 1 cross-entropy; between 1 and 2 generalised
        cross-entropy with the power ``tau - 1`` (the name "gce"); 2 one minus the probability
        of the own class ("mae").

    Attributes
    ----------
    scale : float
        What logits are multiplied by for probabilities: ``2 - tau``, or 1 for `tau` of 2 and
        more, which has no probabilities.

    See Also
    --------
    SmoothAdversarialCompSumLoss : The same, made steady against small moves of the rows.
    LDRKLLoss : Another one for labels that may be wrong.

    Notes
    -----
    With p the probability of the own class, (p^(tau - 1) - 1) / (1 - tau), and -log p for
    ``tau=1``; it is a function of the sum of exp(z_k - z_y) over the other classes, which is
    1 / p - 1. The expected loss is least where softmax(z) is proportional to
    p(y | x)^(1 / (2 - tau)), so that ``softmax((2 - tau) z)`` has the probabilities of the rows.

    Different from the paper: for ``tau < 1`` the loss would overflow; where its exponential
    passes exp(40) it goes on as a straight line.

    References
    ----------
    A. Mao, M. Mohri, Y. Zhong, "Cross-entropy loss functions: theoretical analysis and
    applications", ICML, 2023, doi:10.48550/arXiv.2304.07288.

    Z. Zhang, M. R. Sabuncu, "Generalized cross entropy loss for training deep neural networks
    with noisy labels", NeurIPS, 2018, doi:10.48550/arXiv.1805.07836.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import CompSumLoss
    >>> CompSumLoss(tau=2.0)(torch.zeros(1, 4), torch.tensor([1]))
    tensor(0.7500)
    """

    card = Card(
        paper="Mao et al. (2023), doi:10.48550/arXiv.2304.07288",
        cases=({}, {"tau": 0.0}, {"tau": 2.0}),
        limits=(Limit(when={"tau": 1.0}, equals="CrossEntropyLoss"),),
    )
    names = ("comp_sum",)

    def __init__(self, tau: float = 1.7) -> None:
        super().__init__()
        self.tau = check_number(tau, "CompSumLoss", "tau", low=0.0)
        self.scale = 2.0 - self.tau if self.tau < 2.0 else 1.0

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0; at most 1 / (tau - 1) for ``tau > 1``.
        """
        return comp_sum(batch.logits, batch.target, tau=self.tau)
