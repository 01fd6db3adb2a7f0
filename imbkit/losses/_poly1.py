"""Poly-1: cross-entropy with its leading term changed."""

from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import poly1

__all__ = ["Poly1Loss"]


class Poly1Loss(BaseLoss):
    """Cross-entropy or focal loss, with more weight on the probability that is missing.

    Choose it to try a change of cross-entropy with a single number to tune. It knows nothing of
    the classes: where one is rare, combine it with class weights or a sampler. With ``eps1``
    above 0 its probabilities are more extreme than those of the base; calibrate them.

    Parameters
    ----------
    eps1 : float, default=1.0
        What is added to the coefficient of the leading term, -1 or more. 0 leaves the base; -1
        takes the leading term of cross-entropy away.
    gamma : float, default=0.0
        Power of the focal loss that is the base, 0 or more; 0 for cross-entropy.

    See Also
    --------
    FocalLoss : The base for ``gamma`` above 0.
    CompSumLoss : Another family around cross-entropy.

    Notes
    -----
    -(1 - p)^gamma log p + eps1 (1 - p)^(gamma + 1) for the probability p of the own class:
    log p is a sum of powers of 1 - p, the first of which gets the coefficient 1 + eps1.

    References
    ----------
    Z. Leng, M. Tan, C. Liu, E. D. Cubuk, X. Shi, S. Cheng, D. Anguelov, "PolyLoss: a polynomial
    expansion perspective of classification loss functions", ICLR, 2022,
    doi:10.48550/arXiv.2204.12511.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import Poly1Loss
    >>> Poly1Loss(eps1=2.0)(torch.zeros(1, 2), torch.tensor([1]))
    tensor(1.6931)
    """

    card = Card(
        paper="Leng et al. (2022), doi:10.48550/arXiv.2204.12511",
        cases=({}, {"eps1": -0.5, "gamma": 1.0}),
        limits=(
            Limit(when={"eps1": 0.0}, equals="CrossEntropyLoss"),
            Limit(when={"eps1": 0.0, "gamma": 2.0}, equals="FocalLoss"),
        ),
    )
    names = ("poly1",)

    def __init__(self, eps1: float = 1.0, gamma: float = 0.0) -> None:
        super().__init__()
        self.eps1 = check_number(eps1, "Poly1Loss", "eps1", low=-1.0)
        self.gamma = check_number(gamma, "Poly1Loss", "gamma", low=0.0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0 for ``eps1 >= -1``.
        """
        return poly1(batch.logits, batch.target, eps1=self.eps1, gamma=self.gamma)
