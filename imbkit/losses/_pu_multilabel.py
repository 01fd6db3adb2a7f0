"""Several labels a row of which only those that are 1 can be trusted."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._labels import columns_of_labels
from imbkit.losses.functional import pu_multilabel

__all__ = ["PUMultilabelLoss"]


class PUMultilabelLoss(BaseLoss):
    """Variational loss of labels that are positive or unlabelled.

    Choose it where a label of 1 was seen and one of 0 only means that nobody looked, as with
    reports of faults or tags of users. Where zeros can be trusted, :class:`AsymmetricLoss` learns
    more of the same rows. It wants batches in which most labels occur. What comes out is a score,
    no probability: tune thresholds on rows with labels that can be trusted.

    Parameters
    ----------
    gamma : float, default=0.55
        Power of a label's mean probability by which the term of all rows is weighted, 0 or more:
        the larger, the less rare labels are pressed down. 0 weighs all alike.
    spread : float, default=1.0
        A label's logits are divided by this many standard deviations of the batch, but never
        by more than 1, so that they stay apart; above 0. None divides by 1.

    See Also
    --------
    AsymmetricLoss : For labels of 0 that can be trusted.

    Notes
    -----
    For the probabilities q of a label over the rows of the batch: m^gamma log m minus the mean of
    log q over the positives, where m is the mean of q, and m^gamma carries no gradient; summed
    over labels. A label without positives in the batch has the first term alone. Missing labels
    (-1 or NaN) and zeros are the same: unlabelled. ``gamma=0, spread=None`` is the variational
    loss for positive and unlabelled rows by Chen et al. (2020). The authors' settings are
    ``gamma=0.55, spread=1`` for COCO and ``gamma=0.85, spread=2`` for VOC. The value can be
    negative and says little: choose epochs by a score.

    Different from the paper: its consistency term for mixtures of two rows is left out, which
    needs the model, as are its changes of the network. A divisor of logits is 0.001 at least, and
    1 for a batch of one row.

    References
    ----------
    Z. Yuan, K. Zhang, T. Huang, "Positive label is all you need for multi-label classification",
    2023, doi:10.48550/arXiv.2306.16016.

    H. Chen, F. Liu, Y. Wang, L. Zhao, H. Wu, "A variational approach for learning from positive
    and unlabeled data", NeurIPS, 2020, doi:10.48550/arXiv.1906.00642.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import PUMultilabelLoss
    >>> z, y = torch.tensor([[2.0], [0.0], [-2.0]]), torch.tensor([[1], [0], [-1]])
    >>> PUMultilabelLoss(gamma=0.0, spread=None)(z, y)
    tensor(-0.5662)
    """

    card = Card(
        paper="Yuan et al. (2023), doi:10.48550/arXiv.2306.16016",
        cases=({}, {"gamma": 0.0, "spread": None}, {"gamma": 0.85, "spread": 2.0}),
    )
    names = ("pu_mlc",)
    tasks = frozenset({"binary", "multilabel"})
    level = "batch"
    link = "sigmoid"

    def __init__(self, gamma: float = 0.55, spread: float | None = 1.0) -> None:
        super().__init__()
        who = "PUMultilabelLoss"
        self.gamma = check_number(gamma, who, "gamma", low=0.0)
        self.spread = check_number(spread, who, "spread", low=0.0, open_low=True, none=True)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch; sample weights are those of the rows in both means.

        Returns
        -------
        Tensor of shape ()
            Of either sign.
        """
        z, y = columns_of_labels(batch, "PUMultilabelLoss")
        weight = batch.sample_weight
        return pu_multilabel(z, y, gamma=self.gamma, spread=self.spread, sample_weight=weight).sum()
