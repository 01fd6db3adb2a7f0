"""Weights against rows that hold the decision boundary by themselves."""

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import NEEDS
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._deferred import has_begun
from imbkit.losses._reweighting import BaseReweighter
from imbkit.losses.functional import influence_weights

__all__ = ["InfluenceBalanced"]


class InfluenceBalanced(BaseReweighter):
    """Weights that fall with how much a row moves the last layer, late in training.

    Choose it beside class weights where a net fits every row of the frequent class: by then the
    few rows that it still gets wrong, with long embeddings, pull at the boundary hardest, and
    they count less. It is the opposite of focal loss, so do not take both. Probabilities become
    unreliable: calibrate.

    Parameters
    ----------
    alpha : float, default=1000.0
        What the weights are multiplied by, above 0. ``Reweighted(..., normalize="batch")``
        divides by the weights and makes it immaterial.
    start : float, default=0.5
        Share of the epochs without weights, from 0 to 1.

    See Also
    --------
    Reweighted : Takes it together with `ClassWeight`, as the authors do.
    LossBased : Weights by losses alone.

    Notes
    -----
    ``alpha / (|p - onehot|_1 |e|_1 + 0.001)`` for probabilities p, embedding e. The product is the
    sum of the absolute entries of the gradient of the cross-entropy by the weights of the last
    layer: of a layer with an output for each class. Outputs are taken as logits, also where they
    are cosines. A loop of one's own passes ``embedding=``, ``epoch=`` and ``max_epochs=``.

    Different from the paper's code: no gradient flows through the weights, and class weights are
    objects of their own. Several labels a row, with the sum over labels of the differences, are
    an extension of ours.

    References
    ----------
    S. Park, J. Lim, Y. Jeon, J. Y. Choi, "Influence-balanced loss for imbalanced visual
    classification", ICCV, 2021, doi:10.48550/arXiv.2110.02444.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import InfluenceBalanced, LossContext
    >>> e = torch.tensor([[1.0, -1.0], [4.0, 4.0]])
    >>> batch = LossContext(torch.zeros(2, 2), torch.tensor([0, 1]), embedding=e, epoch=1)
    >>> InfluenceBalanced(alpha=1.0).weights(batch, torch.ones(2))
    tensor([0.4998, 0.1250])
    """

    card = Card(
        paper="Park et al. (2021), doi:10.48550/arXiv.2110.02444",
        cases=({}, {"alpha": 1.0, "start": 0.0}),
    )
    names = ("influence_balanced",)
    needs = frozenset({"embedding", "epoch"})

    def __init__(self, alpha: float = 1000.0, start: float = 0.5) -> None:
        super().__init__()
        who = "InfluenceBalanced"
        self.alpha = check_number(alpha, who, "alpha", low=0.0, open_low=True)
        self.start = check_number(start, who, "start", low=0.0, high=1.0)

    def weights(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return ones, or the weight of each row once they have begun.

        Parameters
        ----------
        batch : LossContext
            The batch, with embeddings.
        items : Tensor of shape (n,) or (n, n_labels)
            Losses.

        Returns
        -------
        Tensor of shape (n,) or that of `items`
            Weights.

        Raises
        ------
        InvalidParameterError
            If there are no embeddings.
        """
        if batch.embedding is None:
            raise InvalidParameterError(message("InfluenceBalanced", f"needs {NEEDS['embedding']}"))
        if not has_begun(batch, self.start):
            return torch.ones_like(items)
        z, e = batch.logits.detach(), batch.embedding.detach()
        return influence_weights(z, batch.target, e, alpha=self.alpha)
