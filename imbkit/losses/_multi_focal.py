"""Multi-focal modifier: the asymmetric loss, stronger for rarer labels."""

import numpy as np
from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._labels import label_counts, labels_of
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import asymmetric

__all__ = ["MultiFocalLoss"]


class MultiFocalLoss(BaseLoss):
    """Asymmetric loss whose labels weigh more, and are focused more, the rarer they are.

    Choose it over :class:`AsymmetricLoss` where the labels themselves differ much in how often
    they occur. The weights are mild: a label a thousand times rarer than the most frequent one
    weighs 1.4 times as much. Its probabilities are no more to be trusted than those of the
    asymmetric loss: tune thresholds, or calibrate.

    Parameters
    ----------
    gamma_neg : float, default=4.0
        Power for labels of 0, to which the weight of the label is added; 0 or more.
    power : float, default=1/6
        How much rarity counts, 0 or more; with 0 all labels weigh 1.
    margin : float, default=0.05
        By how much the probability is lowered for labels of 0; from 0 to 1.

    See Also
    --------
    AsymmetricLoss : The same for labels of equal counts, with a power less by 1.
    LabelClassBalancedLoss : Weighs labels of 0 and 1 by their counts.

    Notes
    -----
    Label c with n_c rows has the weight v_c = (1 - log(n_c / n_max))^power, 1 or more. A label of
    1 costs -v_c log p, one of 0 costs -v_c q^(gamma_neg + v_c) log(1 - q) for
    q = max(p - margin, 0). Counts are those of the table and at least 1. Two classes are one
    label, whose weight is 1.

    Different from the paper: this is what the authors' code does by default. The variant that
    it configures, ``gamma_neg=3, power=1/3``, has two factors more, which are left out here: one
    by the attention between labels that occur together, one of 1.2 for labels of 0. The
    transformer that corrects missing labels is no part of this loss; they count for nothing.

    References
    ----------
    W. Zhang, C. Liu, L. Zeng, B. C. Ooi, S. Tang, Y. Zhuang, "Learning in imperfect environment:
    multi-label classification with long-tailed distribution and partial labels", ICCV, 2023,
    doi:10.48550/arXiv.2304.10539.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, MultiFocalLoss
    >>> loss = MultiFocalLoss()
    >>> loss.setup(ClassStats.from_labels([[1, 0]] * 99 + [[1, 1]]))
    >>> loss.factors.numpy().round(3).tolist()
    [1.0, 1.333]
    """

    card = Card(
        paper="Zhang et al. (2023), doi:10.48550/arXiv.2304.10539",
        cases=({}, {"gamma_neg": 3.0, "power": 1 / 3}),
    )
    names = ("mfm", "multi_focal")
    tasks = frozenset({"binary", "multilabel"})
    needs = frozenset({"counts"})
    link = "sigmoid"

    factors: Tensor

    def __init__(self, gamma_neg: float = 4.0, power: float = 1 / 6, margin: float = 0.05) -> None:
        super().__init__()
        who = "MultiFocalLoss"
        self.gamma_neg = check_number(gamma_neg, who, "gamma_neg", low=0.0)
        self.power = check_number(power, who, "power", low=0.0)
        self.margin = check_number(margin, who, "margin", low=0.0, high=1.0)

    def setup(self, stats: ClassStats) -> None:
        """Work the weights of the labels out.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        counts = np.maximum(label_counts(stats, "MultiFocalLoss")[1], 1.0)
        self._keep("factors", (1 - np.log(counts / counts.max())) ** self.power)

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
        z, y = labels_of(batch, "MultiFocalLoss", len(self.factors))
        v = self.factors.to(z)
        return v * asymmetric(z, y, gamma_neg=self.gamma_neg + v, margin=self.margin)
