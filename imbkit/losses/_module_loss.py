"""Any loss of torch as one of imbkit's."""

from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._context import LossContext

__all__ = ["ModuleLoss"]


class ModuleLoss(BaseLoss):
    """A module of torch that is called with logits and target.

    A net makes one of any ``torch.nn`` loss that it is given. If the module has an attribute
    `reduction`, rows are taken one by one, so that sample weights and class weights apply.

    Parameters
    ----------
    module : torch.nn.Module
        Called as ``module(logits, target)``.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ModuleLoss
    >>> loss = ModuleLoss(torch.nn.CrossEntropyLoss())
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor(0.6931)
    """

    card = Card()
    tasks = frozenset({"binary", "multiclass", "multilabel"})
    level = "batch"

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        if not isinstance(module, nn.Module):
            rule = "module must be a module of torch"
            raise InvalidParameterError(message("ModuleLoss", rule, module))
        self.module = module
        if getattr(module, "reduction", None) == "mean":
            module.reduction = "none"  # type: ignore[assignment]
            self.level = "sample"  # type: ignore[misc, assignment]
        if isinstance(module, nn.BCEWithLogitsLoss):
            self.link = "sigmoid"

    def per_item(self, batch: LossContext) -> Tensor:
        """Return what the module makes of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            For each row if the module can be asked for that.
        """
        z, y = batch.logits, batch.target
        # Where torch wants a label for each logit, it wants a number of the same type.
        found: Tensor = self.module(z, y.to(z) if y.shape == z.shape else y)
        if found.ndim == 0:
            self._without_weights(batch)
        return found
