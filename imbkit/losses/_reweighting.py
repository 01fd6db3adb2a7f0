"""Weights of rows, and losses with them."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, Configured
from imbkit.losses._checks import check_choice
from imbkit.losses._combination import Combination, loss_or_complain
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats

__all__ = ["BaseReweighter", "Reweighted"]

Normalize: TypeAlias = Literal["mean", "batch"]
Order: TypeAlias = Literal["after", "before"]


class BaseReweighter(Configured):
    """What every weighting of rows answers; only `weights` must be written.

    Combine one with a loss by :class:`Reweighted`. Weights carry no gradient.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import BaseReweighter, CrossEntropyLoss, Reweighted
    >>> class SecondClassTwice(BaseReweighter):
    ...     def weights(self, batch, items):
    ...         return 1.0 + batch.target
    >>> loss = Reweighted(CrossEntropyLoss(), SecondClassTwice())
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1])) / torch.tensor(2.0).log()
    tensor(1.5000)
    """

    #: Whether it looks at the losses of the rows, so that its place among others matters.
    of_losses: ClassVar[bool] = False

    @abstractmethod
    def weights(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return the weight of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.
        items : Tensor of shape (n,) or (n, n_labels)
            Losses, without a gradient; weighted already where the order is so.

        Returns
        -------
        Tensor of shape (n,), or that of `items`
            Not negative, without a gradient.
        """

    def class_factors(self, stats: ClassStats) -> FloatArray | None:
        """Return the weights of classes, if that is what the weights are.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.

        Returns
        -------
        ndarray of shape (n_classes,) or None
            By which the class shares are multiplied in effect.
        """
        return None


class Reweighted(Combination):
    """A loss whose rows are weighted, by classes or otherwise.

    Weights change what the net is made to be right about, and with it its probabilities: class
    weights move them as if classes were as frequent as weighted, which can be undone; weights
    that look at losses or clusters move them in no simple way, so calibrate.

    Parameters
    ----------
    base : BaseLoss
        A loss of single rows or labels.
    reweighter : BaseReweighter or sequence of them
        Their weights are multiplied; those that look at losses come last.
    normalize : {"mean", "batch"}, default="mean"
        What the weighted sum is divided by: the sample weights, so that a class of large weight
        counts for more in every batch; or weights and sample weights, as
        ``torch.nn.CrossEntropyLoss(weight=...)`` does.
    order : {"after", "before"}, default="after"
        Whether weightings that look at losses see them after or before the other weights.

    See Also
    --------
    ClassWeight : Weights by class counts.
    EffectiveNumber : Weights by effective numbers of rows.
    Deferred : Weights that wait until most epochs are over.

    Notes
    -----
    Weights carry no gradient. They are no part of what is reported where nothing is learned:
    there the loss stands by itself. Of several labels a row, a weight of the row holds for all
    its labels.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, ClassWeight, CrossEntropyLoss, Reweighted
    >>> loss = Reweighted(CrossEntropyLoss(), ClassWeight())
    >>> loss.setup(ClassStats.from_labels([0, 0, 0, 1]))
    >>> loss(torch.zeros(1, 2), torch.tensor([1])) / torch.tensor(2.0).log()
    tensor(2.)
    """

    card = Card()
    names = ("reweighted",)

    def __init__(
        self,
        base: BaseLoss,
        reweighter: BaseReweighter | Sequence[BaseReweighter],
        normalize: Normalize = "mean",
        order: Order = "after",
    ) -> None:
        super().__init__()
        who = "Reweighted"
        given = list(reweighter) if isinstance(reweighter, Iterable) else [reweighter]
        if loss_or_complain(base, who, "base").level == "batch":
            rule = "base must be a loss of single rows or labels"
            todo = "A loss of whole batches has no rows to weight; use a batch sampler"
            raise InvalidParameterError(message(who, rule, type(base).__name__, todo))
        if not given or not all(isinstance(each, BaseReweighter) for each in given):
            rule = "reweighter must be one weighting or several"
            todo = "get_reweighter(...) makes one of a name"
            raise InvalidParameterError(message(who, rule, reweighter, todo))
        self.base = base
        self.reweighter = nn.ModuleList(given)
        self.normalize = check_choice(normalize, ("mean", "batch"), who, "normalize")
        self.order = check_choice(order, ("after", "before"), who, "order")
        self._take_after(base)
        self.needs = base.needs.union(*(each.needs for each in given))
        self.link = base.link
        self.level = base.level  # type: ignore[misc]

    def _main(self) -> BaseLoss:
        """Return the loss."""
        return self.base

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the weighted loss of each row, or of each label.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            The loss times its weights.
        """
        items = self.base.per_item(batch)
        factors = self._factors(batch, items.detach())
        if self.normalize == "mean":
            return factors * items
        rows = factors.mean(dim=1) if items.ndim == 2 else factors
        v = torch.ones_like(rows) if batch.sample_weight is None else batch.sample_weight.to(rows)
        mass = (v * rows).sum()
        # Without any mass all products are 0 already.
        return factors * items * torch.where(mass > 0, v.sum() / mass, 1.0)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the loss without weights.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            That of the base.
        """
        return self.base.eval_item(batch)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the class shares that the outputs are made for.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Those of the base, times the weights of classes.
        """
        shares = super().induced_prior(stats)
        for each in self._weightings():
            factors = each.class_factors(stats)
            if factors is not None:
                shares = shares * factors
        # Shares of labels do not sum to one, and have no weights of classes.
        return shares if stats.task == "multilabel" else np.asarray(shares / shares.sum())

    def _weightings(self) -> list[BaseReweighter]:
        """Return the weightings, in the order given."""
        return list(self.reweighter)  # type: ignore[arg-type]

    def _factors(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return the product of all weights."""
        factors = torch.ones_like(items)
        for each in sorted(self._weightings(), key=lambda one: one.of_losses):
            seen = factors * items if self.order == "after" else items
            w = each.weights(batch, seen).detach().to(items)
            factors = factors * (w[:, None] if w.ndim < items.ndim else w)
        return factors
