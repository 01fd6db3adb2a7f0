"""Class shares between those of the table and equal ones: by a power, or moving with time."""

import numpy as np

from imbkit._core.card import Card, Limit
from imbkit._core.types import FloatArray
from imbkit.losses._checks import check_number
from imbkit.nets._batch_sampler import Length
from imbkit.nets._quota_sampler import BaseShareSampler

__all__ = ["PowerBatchSampler", "ProgressiveBatchSampler"]


class PowerBatchSampler(BaseShareSampler):
    """Batches in which a class has its number of rows, to a power, as its share.

    Choose it where equal classes repeat a rare one too often: the square root, which is the
    default, is the usual compromise. Probabilities are made for the shares of the batches.

    Parameters
    ----------
    q : float, default=0.5
        The power, between 0 (classes alike) and 1 (as in the table).
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.
    use_weight : bool, default=False
        Whether sums of sample weights take the place of numbers of rows, and rows are drawn in
        proportion to them within each class; the loss must then leave the weights out.

    See Also
    --------
    ClassBalancedBatchSampler : All classes alike.
    RepeatFactorBatchSampler : Frequent classes keep their rows, rare ones are repeated.

    Notes
    -----
    The share of class j is n_j^q / sum_k n_k^q. In every batch the places of a class are its
    share, rounded up or down, and over an epoch less than one place away from it; the paper
    draws each row by itself.

    References
    ----------
    D. Mahajan, R. Girshick, V. Ramanathan, K. He, M. Paluri, Y. Li, A. Bharambe,
    L. van der Maaten, "Exploring the limits of weakly supervised pretraining", ECCV, 2018,
    doi:10.48550/arXiv.1805.00932.

    Examples
    --------
    >>> from imbkit.nets import PowerBatchSampler
    >>> sampler = PowerBatchSampler(q=0.5)
    >>> sampler.start([0] * 90 + [1] * 10, n_classes=2, batch_size=8, seed=0)
    >>> sampler.effective_priors()
    array([0.75, 0.25])
    """

    card = Card(
        paper="Mahajan et al. (2018), doi:10.48550/arXiv.1805.00932",
        cases=({}, {"q": 0.0}, {"q": 1.0, "use_weight": True}),
        limits=(Limit(when={"q": 0.0}, equals="ClassBalancedBatchSampler"),),
    )
    names = ("power", "square_root", "sqrt")

    def __init__(
        self, q: float = 0.5, *, length: Length = "auto", use_weight: bool = False
    ) -> None:
        super().__init__(length=length, use_weight=use_weight)
        self.q = check_number(q, "PowerBatchSampler", "q", low=0.0, high=1.0)

    def _shares(self, epoch: int) -> FloatArray:
        """Return the shares, which no epoch changes."""
        power = self._masses**self.q
        return np.asarray(power / power.sum())


class ProgressiveBatchSampler(BaseShareSampler):
    """Class shares that move from those of the table to equal ones, epoch by epoch.

    Choose it in place of two stages: the body learns from all rows first, the head from classes
    of equal size in the end. A loss that corrects class shares is told their mean over the
    epochs, so a plain loss suits it better. Probabilities are made for shares in between.

    Parameters
    ----------
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.
    use_weight : bool, default=False
        Whether sums of sample weights take the place of numbers of rows, and rows are drawn in
        proportion to them within each class; the loss must then leave the weights out.

    See Also
    --------
    PowerBatchSampler : Shares in between that stay.

    Notes
    -----
    In epoch t of E, counted from 0, the share of class j is (1 - l) n_j / N + l / K with
    l = t / (E - 1). A single epoch has the shares of the table, and epochs beyond those that
    were meant to be have equal ones.

    References
    ----------
    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> from imbkit.nets import ProgressiveBatchSampler
    >>> sampler = ProgressiveBatchSampler()
    >>> sampler.start([0] * 90 + [1] * 10, n_classes=2, batch_size=8, seed=0, max_epochs=3)
    >>> [sampler.effective_priors(epoch).round(2).tolist() for epoch in range(3)]
    [[0.9, 0.1], [0.7, 0.3], [0.5, 0.5]]
    """

    card = Card(
        paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217",
        cases=({}, {"use_weight": True}),
    )
    names = ("progressive",)
    _changes = True

    def _shares(self, epoch: int) -> FloatArray:
        """Return the shares of an epoch."""
        moved = min(epoch / max(self._max_epochs - 1, 1), 1.0)
        equal = 1.0 / len(self._masses)
        return np.asarray((1 - moved) * self._masses / self._masses.sum() + moved * equal)
