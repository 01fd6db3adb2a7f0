"""Weights, and losses, that wait until most epochs are over."""

import torch
from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, reduced
from imbkit.losses._checks import check_number
from imbkit.losses._combination import Combination, loss_or_complain
from imbkit.losses._context import LossContext
from imbkit.losses._effective_number import EffectiveNumber
from imbkit.losses._reweighting import BaseReweighter
from imbkit.losses._stats import ClassStats

__all__ = ["Deferred", "DeferredLoss", "has_begun"]


def has_begun(batch: LossContext, start: float) -> bool:
    """Say whether a share of the epochs is over.

    Parameters
    ----------
    batch : LossContext
        The batch.
    start : float
        The share.
    """
    # 0.55 * 100 is a little more than 55.
    return batch.epoch >= start * batch.max_epochs - 1e-9


class Deferred(BaseReweighter):
    """Weights of 1 until most epochs are over, and those of another weighting from then on.

    Weights of classes spoil what a net learns of the features, and help its last layer: so let
    them come late. It is the usual companion of `LDAMLoss` (the preset "ldam-drw"). Its
    probabilities are in the end those of the weights.

    Parameters
    ----------
    reweighter : BaseReweighter, default=None
        The weighting; None for ``EffectiveNumber(beta=0.9999)``.
    start : float, default=0.8
        Share of the epochs that must be over, from 0 (all have weights) to 1 (none has).

    See Also
    --------
    DeferredLoss : Another loss for the last epochs.
    EffectiveNumber : The weights themselves.

    Notes
    -----
    A loop of one's own must pass ``epoch=`` and ``max_epochs=``: without them no epoch is ever
    over. The paper divides the learning rate by a large number at the same time, which is for
    the schedule of the optimizer to do.

    References
    ----------
    K. Cao, C. Wei, A. Gaidon, N. Arechiga, T. Ma, "Learning imbalanced datasets with
    label-distribution-aware margin loss", NeurIPS, 2019, doi:10.48550/arXiv.1906.07413.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, CrossEntropyLoss, Deferred, Reweighted
    >>> loss = Reweighted(CrossEntropyLoss(), Deferred(start=0.5))
    >>> loss.setup(ClassStats.from_labels([0, 0, 0, 1]))
    >>> z, y = torch.zeros(1, 2), torch.tensor([1])
    >>> loss(z, y, epoch=4, max_epochs=10), loss(z, y, epoch=5, max_epochs=10)
    (tensor(0.6931), tensor(1.3862))
    """

    card = Card(
        paper="Cao et al. (2019), doi:10.48550/arXiv.1906.07413",
        cases=({}, {"start": 0.0}),
        limits=(Limit(when={"start": 0.0}, equals="EffectiveNumber"),),
    )
    names = ("deferred", "drw")

    def __init__(self, reweighter: BaseReweighter | None = None, start: float = 0.8) -> None:
        super().__init__()
        who = "Deferred"
        self.reweighter = EffectiveNumber() if reweighter is None else reweighter
        if not isinstance(self.reweighter, BaseReweighter):
            rule = "reweighter must be a weighting of rows"
            todo = "Losses are deferred by DeferredLoss(loss, then)"
            raise InvalidParameterError(message(who, rule, reweighter, todo))
        self.start = check_number(start, who, "start", low=0.0, high=1.0)
        self.needs = self.reweighter.needs | {"epoch"}
        self.of_losses = self.reweighter.of_losses  # type: ignore[misc]

    def setup(self, stats: ClassStats) -> None:
        """Hand the counts to the weighting.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self.reweighter.setup(stats)

    def see(self, inputs: FloatArray) -> None:
        """Hand the training rows to the weighting.

        Parameters
        ----------
        inputs : ndarray of shape (n_train, n_features)
            Rows, as the module is given them.
        """
        self.reweighter.see(inputs)

    def weights(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return ones, or the weights once they have begun.

        Parameters
        ----------
        batch : LossContext
            The batch.
        items : Tensor of shape (n,) or (n, n_labels)
            Losses.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            Weights.
        """
        if has_begun(batch, self.start):
            return self.reweighter.weights(batch, items)
        return torch.ones_like(items)

    def class_factors(self, stats: ClassStats) -> FloatArray | None:
        """Return the weights of the classes, as they are in the end.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.

        Returns
        -------
        ndarray of shape (n_classes,) or None
            None if weights are not of classes, or never begin.
        """
        return self.reweighter.class_factors(stats) if self.start < 1 else None


class DeferredLoss(Combination):
    """One loss until most epochs are over, and another from then on.

    Choose it for losses that need a net which knows something already: cross-entropy first, then
    one that ranks (`AUCMarginLoss`) or follows a metric (`AnyLoss`). For weights alone `Deferred`
    is enough.

    Parameters
    ----------
    loss : BaseLoss
        The first.
    then : BaseLoss
        The other, which decides what the outputs are and how probabilities come of them.
    start : float, default=0.8
        Share of the epochs that belong to the first loss, from 0 to 1.

    See Also
    --------
    Deferred : Weights that begin late.
    SumLoss : Two losses at the same time.

    Notes
    -----
    A loop of one's own must pass ``epoch=`` and ``max_epochs=``. Values before and after the
    change are not comparable: choose the best epoch by a score.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import CrossEntropyLoss, DeferredLoss, FocalLoss
    >>> loss = DeferredLoss(CrossEntropyLoss(), FocalLoss(gamma=1.0), start=0.5)
    >>> z, y = torch.zeros(1, 2), torch.tensor([1])
    >>> loss(z, y, epoch=4, max_epochs=10), loss(z, y, epoch=5, max_epochs=10)
    (tensor(0.6931), tensor(0.3466))
    """

    card = Card()
    names = ("deferred_loss",)

    def __init__(self, loss: BaseLoss, then: BaseLoss, start: float = 0.8) -> None:
        super().__init__()
        who = "DeferredLoss"
        self.loss = loss_or_complain(loss, who, "loss")
        self.then = loss_or_complain(then, who, "then")
        self.start = check_number(start, who, "start", low=0.0, high=1.0)
        self._take_after(loss, then)
        self.needs |= {"epoch"}
        self.link = then.link
        # Of unlike ones nothing is left to weight: each gives its own mean.
        self.level = then.level if loss.level == then.level else "batch"  # type: ignore[misc]

    def _main(self) -> BaseLoss:
        """Return the loss of the last epochs."""
        return self.then

    def per_item(self, batch: LossContext) -> Tensor:
        """Return what the loss of this epoch gives.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            A single number if the two losses are of different levels.
        """
        return self._as_declared(self._now(batch).per_item(batch), batch)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return what the loss of this epoch gives where nothing is learned.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            A single number if the two losses are of different levels.
        """
        return self._as_declared(self._now(batch).eval_item(batch), batch)

    def _now(self, batch: LossContext) -> BaseLoss:
        """Return the loss of this epoch."""
        return self.then if has_begun(batch, self.start) else self.loss

    def _as_declared(self, items: Tensor, batch: LossContext) -> Tensor:
        """Return the mean if the loss is declared to be one of batches."""
        return reduced(items, batch.sample_weight) if self.level == "batch" else items
