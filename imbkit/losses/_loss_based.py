"""Weights by where a row's loss lies among those of its batch."""

from typing import get_args

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._deferred import has_begun
from imbkit.losses._reweighting import BaseReweighter
from imbkit.losses.functional import loss_based_weights
from imbkit.losses.functional._weights import WeightShape

__all__ = ["LossBased"]


class LossBased(BaseReweighter):
    """Weights by losses within the batch, with a say in which of them are to count.

    The default spares a net the rows that it knows already, and unlike focal loss does not give
    the hardest rows, some of which are mislabelled, more than all others. It knows nothing of
    classes: take `ClassWeight` beside it. Probabilities are drawn towards the middle: calibrate.

    Parameters
    ----------
    shape : {"linupper", "quadratic", "extremes", "upper"}, default="linupper"
        Which rows count more: all but those of small loss; those of middling loss; those of
        small and of large loss; the larger the loss.
    temperature : float, default=1.0
        Above 0: the larger it is the more alike are the weights. The authors take 0.4 for large
        runs.
    delta : float, default=1.0
        Half the range that losses are brought to, above 0. A larger one does what a lower
        temperature does, except for "quadratic".
    start : float, default=0.1
        Share of the epochs without weights, from 0 to 1.

    See Also
    --------
    KLDRO : Weights that follow the size of losses and not their place.
    FocalLoss : Weights by probability, the same in every batch.

    Notes
    -----
    Losses are moved to h between -delta and delta over the batch; the weight is a softmax of
    f(h) / temperature, times the number of rows, so that the mean is 1. f is min(h + delta,
    delta), 1 - (h / delta)^2, ``|h|`` or (h + delta) / 2. Of several labels a row the sum of its
    losses counts. A loop of one's own passes ``epoch=`` and ``max_epochs=``.

    Different from the paper: its weights begin after 1,000 steps and sum to 1, and a row is a
    text; sample weights are an extension.

    References
    ----------
    D. Sow, H. Woisetschläger, S. Bulusu, S. Wang, H.-A. Jacobsen, Y. Liang, "Dynamic loss-based
    sample reweighting for improved large language model pretraining", ICLR, 2025,
    doi:10.48550/arXiv.2502.06733.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import LossBased, LossContext
    >>> batch = LossContext(torch.zeros(3, 2), torch.tensor([0, 1, 1]), epoch=1)
    >>> LossBased().weights(batch, torch.tensor([0.0, 1.0, 2.0]))
    tensor([0.4661, 1.2670, 1.2670])
    """

    card = Card(
        paper="Sow et al. (2025), doi:10.48550/arXiv.2502.06733",
        cases=({}, {"shape": "quadratic", "temperature": 0.4, "start": 0.0}),
    )
    names = ("loss_based",)
    needs = frozenset({"epoch"})
    of_losses = True

    def __init__(
        self,
        shape: WeightShape = "linupper",
        temperature: float = 1.0,
        delta: float = 1.0,
        start: float = 0.1,
    ) -> None:
        super().__init__()
        who = "LossBased"
        self.shape: WeightShape = check_choice(shape, get_args(WeightShape), who, "shape")
        self.temperature = check_number(temperature, who, "temperature", low=0.0, open_low=True)
        self.delta = check_number(delta, who, "delta", low=0.0, open_low=True)
        self.start = check_number(start, who, "start", low=0.0, high=1.0)

    def weights(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return ones, or the weight of each row once they have begun.

        Parameters
        ----------
        batch : LossContext
            The batch.
        items : Tensor of shape (n,) or (n, n_labels)
            Losses.

        Returns
        -------
        Tensor of shape (n,) or that of `items`
            Weights.
        """
        if not has_begun(batch, self.start):
            return torch.ones_like(items)
        return loss_based_weights(
            items.sum(dim=1) if items.ndim == 2 else items,
            shape=self.shape,
            temperature=self.temperature,
            delta=self.delta,
            sample_weight=batch.sample_weight,
        )
