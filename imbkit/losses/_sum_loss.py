"""Several losses at the same time."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, Level, reduced
from imbkit.losses._checks import check_number
from imbkit.losses._combination import Combination, loss_or_complain
from imbkit.losses._context import LossContext

__all__ = ["SumLoss"]


class SumLoss(Combination):
    """A sum of losses, each with a coefficient.

    Choose it for a loss that cannot stand alone: one of embeddings beside cross-entropy, say. The
    first of the losses decides what the outputs are and how probabilities come of them; what
    others add moves them in ways that only calibration after training can tell.

    Parameters
    ----------
    terms : sequence of (float, BaseLoss)
        Coefficient and loss; the first is the main one.

    See Also
    --------
    DeferredLoss : Two losses one after the other.
    Reweighted : A loss times weights of rows.

    Notes
    -----
    As long as all losses are of single rows or labels, so is the sum, and it can be weighted. A
    loss of whole batches among them makes it one: the others then give their own mean, with
    sample weights.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import CrossEntropyLoss, FocalLoss, SumLoss
    >>> loss = SumLoss([(1.0, CrossEntropyLoss()), (0.5, FocalLoss(gamma=1.0))])
    >>> loss(torch.zeros(1, 2), torch.tensor([1])) / torch.tensor(2.0).log()
    tensor(1.2500)
    """

    card = Card()
    names = ("sum_loss",)

    def __init__(self, terms: Sequence[tuple[float, BaseLoss]]) -> None:
        super().__init__()
        who = "SumLoss"
        listed = isinstance(terms, Sequence) and len(terms) > 0
        if not listed or not all(isinstance(each, Sequence) and len(each) == 2 for each in terms):
            rule = "terms must be pairs of a coefficient and a loss, at least one"
            raise InvalidParameterError(message(who, rule, terms))
        self.coefficients = [check_number(c, who, "a coefficient") for c, _ in terms]
        losses = [
            loss_or_complain(each, who, "the second of each of the terms") for _, each in terms
        ]
        self.losses = nn.ModuleList(losses)
        self._take_after(*losses)
        self.link = losses[0].link
        levels = {each.level for each in losses}
        # Labels and rows add up to rows; a batch has neither.
        level: Level = "batch" if "batch" in levels else "sample"
        self.level = losses[0].level if len(levels) == 1 else level  # type: ignore[misc]

    @property
    def terms(self) -> list[tuple[float, BaseLoss]]:
        """Coefficients and losses."""
        return list(zip(self.coefficients, self.losses, strict=True))  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """Return the coefficients.

        Returns
        -------
        str
            In the order of the losses.
        """
        return f"coefficients={self.coefficients}"

    def _main(self) -> BaseLoss:
        """Return the first loss."""
        return self.losses[0]  # type: ignore[return-value]

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the sum for each row, for each label, or for the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            What all of the losses can give.
        """
        return self._sum([each.per_item(batch) for _, each in self.terms], batch)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the sum of what stands in for the losses where nothing is learned.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            What all of the losses can give.
        """
        return self._sum([each.eval_item(batch) for _, each in self.terms], batch)

    def _sum(self, items: list[Tensor], batch: LossContext) -> Tensor:
        """Return the sum of tensors, at the level of the loss."""
        if self.level == "batch":
            items = [reduced(each, batch.sample_weight) for each in items]
        elif len({each.ndim for each in items}) > 1:
            items = [each.sum(dim=1) if each.ndim == 2 else each for each in items]
        scaled = [c * each for c, each in zip(self.coefficients, items, strict=True)]
        return torch.stack(scaled).sum(dim=0)
