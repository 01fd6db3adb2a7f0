"""Cross-entropy beside what an old and a new model say."""

from collections.abc import Sequence
from numbers import Integral
from typing import Literal

import torch
from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import columns_of, cross_entropy, focal_distillation

__all__ = ["FocalDistillationLoss"]

_WHO = "FocalDistillationLoss"


class FocalDistillationLoss(BaseLoss):
    """Cross-entropy, and nearness to teachers, above all where they are right.

    Choose it when a model in use is replaced: rows that the old model got right stay right
    more often than after a training from scratch. Teachers are the old model and, so that new
    classes and new data are not held back, a fresh one trained without regard to the old.
    Probabilities follow the teachers': where those were made for other class shares, or
    `new_classes` are given, calibrate them.

    Parameters
    ----------
    new_classes : sequence of int, default=()
        Positions of classes that the old model did not know.
    boost : float, default=4.0
        Added to the logits of new classes in the cross-entropy only: they must win without
        that much of the distance to old ones.
    kind : {"kl", "lm"}, default="kl"
        Divergence of the softmaxes, or half the mean squared difference of the logits.
    alpha : float, default=1.0
        Weight of the distillation of every row, 0 or more.
    beta : float, default=5.0
        Added to it where the teacher is right, 0 or more.
    temperature : float, default=5.0
        What logits are divided by for "kl", above 0.
    coefficient : float, default=None
        What the distillation is multiplied by, 0 or more; None for 1 with "kl" and 0.4 with
        "lm".

    See Also
    --------
    NormDirectionLoss : Distils embeddings.

    Notes
    -----
    CE(z + boost on new classes, y) + coefficient times the sum over teachers of
    (alpha + beta [teacher right]) d(t, z), for the logits t in ``teacher_logits``. That called
    "old" is compared on the old classes only, of which it may have all columns or just those;
    all others on every class. The divergence is not multiplied by the temperature's square.
    Different from the paper: the models may be of any kind, of tables too; names of teachers
    are free. Where nothing is learned, the cross-entropy of z is given.

    References
    ----------
    S. Ricci, N. Biondi, F. Pernici, A. Del Bimbo, "Mitigating negative flips via margin
    preserving training", AAAI, 2026, doi:10.1609/aaai.v40i11.37825.

    S. Yan, Y. Xiong, K. Kundu, S. Yang, S. Deng, M. Wang, W. Xia, S. Soatto, "Positive-congruent
    training: Towards regression-free model updates", CVPR, 2021,
    doi:10.48550/arXiv.2011.09161.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import FocalDistillationLoss
    >>> z, y = torch.zeros(1, 2), torch.tensor([0])
    >>> old = {"old": torch.tensor([[2.0, 0.0]])}
    >>> FocalDistillationLoss(kind="lm", coefficient=1.0)(z, y, teacher_logits=old)
    tensor(6.6931)
    """

    card = Card(
        paper="Ricci et al. (2026), doi:10.1609/aaai.v40i11.37825",
        cases=({}, {"kind": "lm"}, {"new_classes": (1,)}),
        limits=(Limit(when={"coefficient": 0.0}, equals="CrossEntropyLoss"),),
    )
    names = ("double_source_focal_distillation", "focal_distillation")
    needs = frozenset({"teacher"})

    def __init__(
        self,
        new_classes: Sequence[int] = (),
        boost: float = 4.0,
        kind: Literal["kl", "lm"] = "kl",
        alpha: float = 1.0,
        beta: float = 5.0,
        temperature: float = 5.0,
        coefficient: float | None = None,
    ) -> None:
        super().__init__()
        whole = not isinstance(new_classes, str) and all(
            isinstance(each, Integral) and each >= 0 for each in new_classes
        )
        if not whole:
            rule = "new_classes must be positions of classes, 0 or more"
            raise InvalidParameterError(message(_WHO, rule, new_classes))
        self.new_classes = new_classes
        self.boost = check_number(boost, _WHO, "boost")
        self.kind = check_choice(kind, ("kl", "lm"), _WHO, "kind")
        self.alpha = check_number(alpha, _WHO, "alpha", low=0.0)
        self.beta = check_number(beta, _WHO, "beta", low=0.0)
        self.temperature = check_number(temperature, _WHO, "temperature", low=0.0, open_low=True)
        self.coefficient = check_number(coefficient, _WHO, "coefficient", low=0.0, none=True)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        z, y = columns_of(batch.logits), batch.target
        if not batch.teacher_logits:
            rule = "needs logits of a teacher: pass teacher_logits={'old': ...}"
            raise InvalidParameterError(message(_WHO, rule))
        new = sorted({int(each) for each in self.new_classes})
        if new and (new[-1] >= z.shape[1] or len(new) == z.shape[1]):
            rule = f"new_classes must be some of {z.shape[1]} classes, not all of them"
            raise DataError(message(_WHO, rule, self.new_classes))
        added = torch.zeros_like(z[0])
        added[new] = self.boost
        total = cross_entropy(z + added, y)
        old = [k for k in range(z.shape[1]) if k not in new]
        usual = 1.0 if self.kind == "kl" else 0.4
        coefficient = usual if self.coefficient is None else self.coefficient
        for name, logits in sorted(batch.teacher_logits.items()):
            far = self._distance(z, y, columns_of(logits), old if name == "old" else None)
            total = total + coefficient * far
        return total

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of each row.

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

    def _distance(self, z: Tensor, y: Tensor, t: Tensor, classes: list[int] | None) -> Tensor:
        """Return how far rows are from one teacher, on some classes or all."""
        width = z.shape[1] if classes is None else len(classes)
        if len(t) != len(z) or t.shape[1] not in (width, z.shape[1]):
            rule = f"logits of this teacher must have shape ({len(z)}, {width})"
            raise DataError(message(_WHO, rule, f"shape {tuple(t.shape)}"))
        if classes is not None:
            columns = torch.tensor(classes, device=z.device)
            # Where a class stands among those compared; -1 for one that the teacher never saw.
            places = torch.full((z.shape[1],), -1, dtype=torch.int64, device=z.device)
            places[columns] = torch.arange(len(classes), device=z.device)
            t = t[:, columns] if t.shape[1] == z.shape[1] else t
            z, y = z[:, columns], places[y]
        return focal_distillation(
            z,
            t,
            y,
            alpha=self.alpha,
            beta=self.beta,
            kind=self.kind,
            temperature=self.temperature,
        )
