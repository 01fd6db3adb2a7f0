"""Dice losses for classification: one less the overlap of prediction and label."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import dice, label_columns, tversky
from imbkit.losses.functional._sets import filled, mean_over, weight_columns

__all__ = ["DiceNLPLoss"]

Kind: TypeAlias = Literal["dsc", "squared", "tversky"]


class DiceNLPLoss(BaseLoss):
    """One less the Dice coefficient of prediction and label, row by row or of a batch.

    Choose it where F1 of a rare class is what counts and rows of the other are many and easy:
    their sum does not drown the rare rows as in cross-entropy. `TverskyLoss` weighs the two
    kinds of error apart, `AnyLoss` takes other scores. Its probabilities are driven to 0 and 1:
    they give labels, not rates, so calibrate them before costs are counted by them.

    Parameters
    ----------
    kind : {"dsc", "squared", "tversky"}, default="dsc"
        The Dice coefficient; the one with squares below the line; or the Tversky index.
    strength : float, default=0.0
        Power of 1 - p by which a probability p is multiplied, 0 or more, of "dsc" only. With
        it, easy rows count less; but see Notes.
    smooth : float, default=1.0
        What is added above and below the line, 0 or more. With 0 a negative row teaches nothing
        by itself.
    level : {"sample", "batch"}, default="sample"
        Whether each row is a set of its own, or the batch is one.
    alpha_fp, beta_fn : float, default=0.3 and 0.7
        Weights of false positives and of false negatives, 0 or more, of "tversky" only.
    negative_ratio : float, default=None
        How many negatives for each positive enter, those of largest probability first; above 0,
        for a whole batch. None takes all.

    See Also
    --------
    TverskyLoss : The same of a batch, with weights for the two kinds of error.
    AnyLoss : Scores of counts, with predictions close to 0 and 1.

    Notes
    -----
    With q = (1 - p)^a p for the strength a, and smoothing g: "dsc" is
    1 - (2 q Y + g) / (q + Y + g), "squared" 1 - (2 p Y + g) / (p^2 + Y^2 + g), and "tversky"
    1 - (p Y + g) / (p Y + A p (1 - Y) + B (1 - p) Y + g). For a whole batch each term is summed
    first, weighted by sample weights; there the authors' code has g = 1e-4.

    q is largest at p = 1 / (1 + a): a strength of 1 leads positives to probabilities of 1/2, no
    further. The order of rows above that is no longer learned, and the default here is 0.

    Two classes give one column, that of the second. Of more, each class of a softmax is taken
    against the rest, and the mean is over classes with rows in the batch (over all columns if
    there is none). Several labels are summed within a row by the usual rule of single rows, and
    averaged over labels that the batch has for a batch.

    Different from the paper: classes that the batch lacks are left out.

    References
    ----------
    X. Li, X. Sun, Y. Meng, J. Liang, F. Wu, J. Li, "Dice loss for data-imbalanced NLP tasks",
    ACL, 2020, doi:10.18653/v1/2020.acl-main.45.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import DiceNLPLoss
    >>> DiceNLPLoss()(torch.zeros(2), torch.tensor([0, 1]))
    tensor(0.2667)
    """

    card = Card(
        paper="Li et al. (2020), doi:10.18653/v1/2020.acl-main.45",
        cases=(
            {},
            {"strength": 1.0},
            {"kind": "squared", "level": "batch"},
            {"kind": "tversky"},
        ),
    )
    names = ("dice_nlp",)
    tasks = frozenset({"binary", "multiclass", "multilabel"})

    def __init__(
        self,
        kind: Kind = "dsc",
        strength: float = 0.0,
        smooth: float = 1.0,
        level: Literal["sample", "batch"] = "sample",
        alpha_fp: float = 0.3,
        beta_fn: float = 0.7,
        negative_ratio: float | None = None,
    ) -> None:
        super().__init__()
        who = "DiceNLPLoss"
        self.kind = check_choice(kind, ("dsc", "squared", "tversky"), who, "kind")
        self.strength = check_number(strength, who, "strength", low=0.0)
        self.smooth = check_number(smooth, who, "smooth", low=0.0)
        # What it gives is a matter of this parameter.
        self.level = check_choice(level, ("sample", "batch"), who, "level")  # type: ignore[misc]
        self.alpha_fp = check_number(alpha_fp, who, "alpha_fp", low=0.0)
        self.beta_fn = check_number(beta_fn, who, "beta_fn", low=0.0)
        self.negative_ratio = check_number(
            negative_ratio, who, "negative_ratio", low=0.0, open_low=True, none=True
        )
        if self.kind != "dsc" and self.strength > 0:
            rule = "strength is for kind='dsc' only"
            raise InvalidParameterError(message(who, rule, strength, "Leave it at 0"))
        if self.kind == "tversky" and self.alpha_fp + self.beta_fn == 0:
            rule = "alpha_fp and beta_fn must not both be 0"
            raise InvalidParameterError(message(who, rule))
        if self.negative_ratio is not None and self.level != "batch":
            rule = "negative_ratio is for level='batch' only"
            raise InvalidParameterError(message(who, rule, negative_ratio))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, of each label of each row, or of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            From 0 to 1; 0 for a label that is missing.
        """
        log_p, log_rest, labels, known = label_columns(batch.logits, batch.target)
        weight = weight_columns(known, log_p, batch.sample_weight)
        if self.level == "batch":
            if self.negative_ratio is not None:
                weight = weight * _hardest(log_p, labels, weight, self.negative_ratio)
            items = self._columns(log_p, log_rest, labels, weight)
            return mean_over(items, filled(labels, weight))
        items = self._columns(log_p, log_rest, labels, None)
        if batch.target.ndim == 2:
            return items.where(known, 0)
        return mean_over(items, filled(labels, weight))

    def _columns(
        self, log_p: Tensor, log_rest: Tensor, labels: Tensor, weight: Tensor | None
    ) -> Tensor:
        """Return the loss of each entry; of each column if there are weights."""
        summed = weight is not None
        if self.kind == "tversky":
            return tversky(
                log_p,
                log_rest,
                labels,
                weight,
                alpha_fp=self.alpha_fp,
                beta_fn=self.beta_fn,
                smooth=self.smooth,
                summed=summed,
            )
        return dice(
            log_p,
            log_rest,
            labels,
            weight,
            strength=self.strength,
            smooth=self.smooth,
            squared=self.kind == "squared",
            summed=summed,
        )


def _hardest(log_p: Tensor, labels: Tensor, weight: Tensor, ratio: float) -> Tensor:
    """Mark positives, and for each column the negatives of largest probability, one at least."""
    positive = labels > 0
    here = weight > 0
    allowed = (ratio * (positive & here).sum(0)).ceil().clamp_min(1)
    lowest = torch.finfo(log_p.dtype).min
    order = log_p.detach().where(here & ~positive, lowest).argsort(0, descending=True)
    rank = torch.zeros_like(order).scatter_(
        0, order, torch.arange(len(order), device=order.device)[:, None].expand_as(order)
    )
    return (positive | (rank < allowed)).to(weight)
