"""What a loss is given of one batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from torch import Tensor

__all__ = ["LossContext"]


@dataclass(slots=True, eq=False)
class LossContext:
    """A batch: logits, targets, and what else some losses need.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes), (n, n_labels) or (n,)
        Outputs of the module.
    target : Tensor of shape (n,) or (n, n_labels)
        Class positions (int64), labels 0 and 1 (missing ones -1 or NaN), or numbers.
    sample_weight : Tensor of shape (n,), default=None
        Non-negative weights.
    embedding : Tensor of shape (n, n_features), default=None
        What the last layer is given.
    index : Tensor of int64, shape (n,), default=None
        Positions of the rows in the training part.
    group : Tensor of int64, shape (n,), default=None
        Group of each row: a bag, or the half of an episode.
    time, event : Tensor of shape (n,), default=None
        Of survival: when, and whether the event was seen (1) or the row was lost sight of (0).
    head_weight : Tensor of shape (n_outputs, n_features), default=None
        Weights of the last layer.
    head_bias : Tensor of shape (n_outputs,), default=None
        Its intercepts.
    inputs : Tensor or mapping of Tensor, default=None
        What the module was given.
    model : callable, default=None
        Maps inputs to logits once more.
    teacher_logits : mapping of str to Tensor, default={}
        Logits of other models.
    teacher_embedding : Tensor of shape (n, n_features), default=None
        Embedding of another model.
    epoch : int, default=0
        Epochs that are over.
    max_epochs : int, default=1
        Epochs that are meant to be.
    training : bool, default=True
        Whether the batch is learned from. Margins, schedules, buffers and random numbers are
        for training only.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import FocalLoss, LossContext
    >>> batch = LossContext(torch.zeros(2, 2), torch.tensor([0, 1]))
    >>> FocalLoss(gamma=0).per_item(batch).exp()
    tensor([2., 2.])
    """

    logits: Tensor
    target: Tensor
    sample_weight: Tensor | None = None
    embedding: Tensor | None = None
    index: Tensor | None = None
    group: Tensor | None = None
    time: Tensor | None = None
    event: Tensor | None = None
    head_weight: Tensor | None = None
    head_bias: Tensor | None = None
    inputs: Tensor | Mapping[str, Tensor] | None = None
    model: Callable[..., Any] | None = None
    teacher_logits: Mapping[str, Tensor] = field(default_factory=dict)
    teacher_embedding: Tensor | None = None
    epoch: int = 0
    max_epochs: int = 1
    training: bool = True

    def changed(self, **fields: Any) -> Self:
        """Return the same batch with other fields.

        Parameters
        ----------
        **fields : object
            New values by name.

        Returns
        -------
        LossContext
            The batch.
        """
        return replace(self, **fields)
