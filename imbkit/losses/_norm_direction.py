"""Embeddings as long as a teacher's, in the direction of its classes."""

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._context import LossContext
from imbkit.losses.functional import class_directions, columns_of, norm_direction, unit_rows

__all__ = ["NormDirectionLoss"]


class NormDirectionLoss(BaseLoss):
    """Embeddings drawn to the teacher's class means, and to at least the teacher's length.

    Add it to the cross-entropy (coefficient 1, up to 4) to hand what a large net, or an ensemble's
    embedding, knows to a small one. A class mean gives rare classes as firm a goal as frequent
    ones. By itself it trains no head; probabilities are those of the loss it is added to.

    Parameters
    ----------
    class_means : array-like of shape (n_classes, n_teacher_features), default=None
        Mean of the teacher's embeddings of each class, over all training rows. None takes those
        of each batch, which are poor where a batch has few rows of a class.
    projector : torch.nn.Module, default=None
        Maps embeddings of the student to the width of the teacher's, and is trained along. None
        for embeddings of the same width.

    See Also
    --------
    FocalDistillationLoss : Distils logits.
    SumLoss : Adds it to another loss.

    Notes
    -----
    ``1 - <s, c_y> / max(|s|, |t|)`` for the student's embedding s, the teacher's t and the
    direction c_y of the class mean; 1 for s = 0, and 0 where s has that direction and is long
    enough. Different from the paper: class means may be those of a batch; then sample weights
    count in them.

    References
    ----------
    Y. Wang, L. Cheng, M. Duan, Y. Wang, Z. Feng, S. Kong, "Improving knowledge distillation via
    regularizing feature direction and norm", ECCV, 2024, doi:10.1007/978-3-031-72691-0_2.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import NormDirectionLoss
    >>> s, t = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0]])
    >>> z, y = torch.zeros(1, 2), torch.tensor([1])
    >>> NormDirectionLoss()(z, y, embedding=s, teacher_embedding=t)
    tensor(0.5000)
    """

    card = Card(paper="Wang et al. (2024), doi:10.1007/978-3-031-72691-0_2")
    names = ("nd", "norm_direction")
    of_outputs = False

    means: Tensor

    def __init__(
        self, class_means: ArrayLike | None = None, projector: nn.Module | None = None
    ) -> None:
        super().__init__()
        who = "NormDirectionLoss"
        self.class_means = class_means
        if class_means is not None:
            means = np.asarray(class_means, dtype=np.float64)
            if means.ndim != 2 or not np.isfinite(means).all():
                rule = "class_means must be a table of finite numbers with a row for each class"
                raise InvalidParameterError(message(who, rule, f"shape {means.shape}"))
            self._keep("means", means)
        if projector is not None and not isinstance(projector, nn.Module):
            rule = "projector must be a module of torch or None"
            raise InvalidParameterError(message(who, rule, projector))
        self.projector = projector
        self.needs = frozenset({"teacher", "embedding"}) | (
            {"learnable"} if projector is not None else frozenset()
        )

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            From 0 to 2.
        """
        s: Tensor = batch.embedding  # type: ignore[assignment]
        who, t, y = "NormDirectionLoss", batch.teacher_embedding, batch.target
        if t is None:
            rule = "needs the embedding of a teacher: pass teacher_embedding="
            raise InvalidParameterError(message(who, rule))
        if self.projector is not None:
            s = self.projector(s)
        t = t.detach().to(s)
        n_classes = columns_of(batch.logits).shape[1]
        if s.shape != t.shape:
            rule = "embeddings of student and teacher must have the same width"
            got = f"shapes {tuple(s.shape)} and {tuple(t.shape)}"
            todo = "Give projector=torch.nn.Linear(student_width, teacher_width)"
            raise DataError(message(who, rule, got, todo))
        if self.class_means is None:
            directions = class_directions(t, y, n_classes, weight=batch.sample_weight)
        else:
            directions = unit_rows(self.means.to(s))
        if directions.shape != (n_classes, t.shape[1]):
            rule = f"class_means must have shape ({n_classes}, {t.shape[1]})"
            raise DataError(message(who, rule, f"shape {tuple(directions.shape)}"))
        return norm_direction(s, t.norm(dim=1), directions[y])
