"""Seesaw: rare rivals of a row's class are spared, those that win are not."""

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.types import FloatArray
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._logit_adjusted import check_kind, log_shares
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import cross_entropy, seesaw

__all__ = ["SeesawLoss"]

_LEAST = 0.5  # rows that a class not seen yet counts as
_LEAST_PROBABILITY = 1e-2
_ROUNDS = 500
_TOLERANCE = 1e-10


class SeesawLoss(BaseLoss):
    """Cross-entropy that pushes rare classes down less, unless they are mistaken for the own.

    Choose it for many classes with a long tail, where a frequent class's rows drown the rare
    ones; for a few classes :class:`LogitAdjustedLoss` does the same more exactly. Its
    probabilities lie between those for the training rows and those for equally frequent
    classes: calibrate them.

    Parameters
    ----------
    p : float, default=0.8
        Power of the ratio of counts, 0 or more, by which rarer rivals count less.
    q : float, default=2.0
        Power of the ratio of probabilities, 0 or more, by which rivals that are likelier than
        the own class count more.
    online : bool, default=False
        Whether to count classes in the batches seen, as the authors do, instead of beforehand.

    See Also
    --------
    LogitAdjustedLoss : Also counts rivals more that are more frequent than the own class.
    EqualizedV2Loss : Weights by gradients instead of counts.

    Notes
    -----
    -log softmax(z + log S_y)_y, where a rival k of class y has S = min(1, n_k / n_y)^p
    max(1, p_k / max(p_y, 0.01))^q, and the own class 1. No gradient passes through S. Counts
    are in the ratios of the batches: with a sampler that balances classes p does nothing.
    `induced_prior` is what the softmax comes to where the features say nothing.
    Different from the paper: counts are known beforehand unless ``online=True``, which weighs
    rows by their sample weights and starts anew with each ``setup``. Where nothing is learned,
    the cross-entropy of the logits themselves is given.

    References
    ----------
    J. Wang, W. Zhang, Y. Zang, Y. Cao, J. Pang, T. Gong, K. Chen, Z. Liu, C. C. Loy, D. Lin,
    "Seesaw loss for long-tailed instance segmentation", CVPR, 2021,
    doi:10.48550/arXiv.2008.10032.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, SeesawLoss
    >>> loss = SeesawLoss()
    >>> loss.setup(ClassStats.from_labels([0] * 9 + [1]))
    >>> loss(torch.zeros(1, 2), torch.tensor([0])), loss(torch.zeros(1, 2), torch.tensor([1]))
    (tensor(0.1591), tensor(0.6931))
    """

    card = Card(
        paper="Wang et al. (2021), doi:10.48550/arXiv.2008.10032",
        cases=({}, {"online": True}, {"p": 0.5, "q": 0.0}),
        limits=(Limit(when={"p": 0.0, "q": 0.0}, equals="CrossEntropyLoss"),),
    )
    names = ("seesaw",)
    needs = frozenset({"counts"})

    log_counts: Tensor
    seen: Tensor

    def __init__(self, p: float = 0.8, q: float = 2.0, online: bool = False) -> None:
        super().__init__()
        who = "SeesawLoss"
        self.p = check_number(p, who, "p", low=0.0)
        self.q = check_number(q, who, "q", low=0.0)
        self.online = check_choice(online, (True, False), who, "online")
        if self.online:
            self.needs = self.needs | {"memory"}

    def setup(self, stats: ClassStats) -> None:
        """Take the class shares of the batches, and forget all batches seen.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("log_counts", log_shares(stats))
        if self.online:
            self._keep("seen", np.zeros(stats.n_classes))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch; counted first if it is learned from, with ``online=True``.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        check_kind(self, batch.target)
        y, level = batch.target, self.log_counts
        if self.online:
            if batch.training:
                v = batch.sample_weight
                rows = torch.ones_like(y, dtype=self.seen.dtype) if v is None else v.detach()
                self.seen += torch.zeros_like(self.seen).index_add_(0, y, rows.to(self.seen))
            level = self.seen.clamp_min(_LEAST).log()
        return seesaw(batch.logits, y, level, p=self.p, q=self.q)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of the logits themselves.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        return cross_entropy(batch.logits, batch.target)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the softmax of the outputs where the features say nothing.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Between the shares of the batches and equal ones.
        """
        level = log_shares(stats)
        shares = softmax(level)
        mitigated = self.p * np.minimum(level[None, :] - level[:, None], 0.0)
        found = shares
        for _ in range(_ROUNDS):
            # Where the gradient is 0: shares_k = sum_y shares_y softmax(z + log S_y)_k.
            won = found / np.maximum(found, _LEAST_PROBABILITY)[:, None]
            factors = np.exp(mitigated) * np.maximum(won, 1.0) ** self.q
            step = shares / ((shares / (factors @ found)) @ factors)
            # Half a step (in logarithms) on each side: compensation answers to the answer.
            step = np.sqrt(step * found)
            step = step / step.sum()
            if np.abs(np.log(step / found)).max() < _TOLERANCE:
                break
            found = step
        return np.asarray(step)
