"""Softmax for several labels a row, which do not compete with each other."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._labels import columns_of_labels
from imbkit.losses.functional import decoupled_softmax

__all__ = ["DecoupledSoftmaxLoss"]


class DecoupledSoftmaxLoss(BaseLoss):
    """Cross-entropy of each label of a row against the labels that it does not have.

    Choose it for very many labels of which the best few are wanted for each row, as in search:
    it orders the labels of a row. Choose :class:`AsymmetricLoss` where each label is a decision
    of its own: outputs here are scores, which a number added to a whole row does not change, and
    say nothing of how probable a label is.

    Parameters
    ----------
    temperature : float, default=0.05
        What logits are divided by, above 0. Below 1 they are taken to be cosines (head="cosine");
        take 1 for a usual last layer.

    See Also
    --------
    SoftTopKLoss : For the best k labels of a row.

    Notes
    -----
    For each label p of a row log(1 + sum_n exp(z_n - z_p)), with the sum over the labels that
    are 0; averaged over the row's labels. With one label a row it is the cross-entropy of the
    softmax. In the usual softmax the labels of a row share one probability, so that no fit
    brings the loss of two labels below log 2. Missing labels take no part. A row without any
    label adds nothing, and is among the rows that are averaged.

    References
    ----------
    N. Gupta, D. Khatri, A. S. Rawat, S. Bhojanapalli, P. Jain, I. Dhillon, "Dual-encoders for
    extreme multi-label classification", ICLR, 2024, doi:10.48550/arXiv.2310.10636.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import DecoupledSoftmaxLoss
    >>> z, y = torch.tensor([[5.0, 5.0, 0.0, 0.0]]), torch.tensor([[1, 1, 0, 0]])
    >>> DecoupledSoftmaxLoss(temperature=1.0)(z, y)
    tensor(0.0134)
    """

    card = Card(
        paper="Gupta et al. (2024), doi:10.48550/arXiv.2310.10636",
        cases=({}, {"temperature": 1.0}),
    )
    names = ("decoupled_softmax",)
    tasks = frozenset({"multilabel"})
    needs = frozenset({"cosine_head"})
    link = "score"

    def __init__(self, temperature: float = 0.05) -> None:
        super().__init__()
        who = "DecoupledSoftmaxLoss"
        self.temperature = check_number(temperature, who, "temperature", low=0.0, open_low=True)
        self.scale = 1 / self.temperature
        if self.scale <= 1:
            self.needs = frozenset()

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0; 0 for a row without any label.
        """
        z, y = columns_of_labels(batch, "DecoupledSoftmaxLoss")
        return decoupled_softmax(self.scale * z, y)
