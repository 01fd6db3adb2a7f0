"""Cosines with pairs of rows as further wrong answers."""

from typing import Literal

from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss, Link, reduced
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._normalized_softmax import MARGINS, usual_margin
from imbkit.losses.functional import cross_entropy, unpg

__all__ = ["UNPGLoss"]


class UNPGLoss(BaseLoss):
    """Cross-entropy of cosines that must also beat those of pairs from different classes.

    Choose it over a plain margin where two classes overlap although their directions differ: the
    rows of a batch themselves serve as wrong answers. It costs a comparison of each row with each
    other, and probabilities as timid as those of any margin: calibrate them.

    Parameters
    ----------
    margin_kind : {"none", "cosface", "arcface"}, default="cosface"
        No margin; taken off the cosine; or added to the angle.
    margin : float, default=None
        The margin, from 0 to 2 for a cosine, to pi for an angle; None for 0.35 or 0.5.
    scale : float, default=30.0
        What cosines are multiplied by, above 0.
    whisker : float, default=1.5
        Pairs whose cosine is further than this many interquartile ranges from the quartiles are
        left out as noise, 0 or more.

    See Also
    --------
    NormalizedSoftmaxLoss : Without the pairs.

    Notes
    -----
    log(exp(s m_y) + sum over other classes of exp(s c_j) + sum over pairs of exp(s c)) - s m_y,
    for the scale s and the own cosine with its margin m_y. It is at least that of
    `NormalizedSoftmaxLoss`, and the same where a batch has one class only. Rows of sample
    weight 0 make no pairs. Where nothing is learned, the cross-entropy of the scaled cosines is
    given. Memory grows with the square of the batch.

    References
    ----------
    J. Jung, S. Lee, H.-S. Oh, Y. Park, J. Park, S. Son, "Unified negative pair generation toward
    well-discriminative feature space for face recognition", BMVC, 2022,
    doi:10.48550/arXiv.2203.11593.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import UNPGLoss
    >>> loss = UNPGLoss("none", scale=1.0)
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]), embedding=torch.eye(2)).exp()
    tensor(3.)
    """

    card = Card(
        paper="Jung et al. (2022), doi:10.48550/arXiv.2203.11593",
        cases=({}, {"margin_kind": "arcface", "whisker": 0.5}),
    )
    names = ("unpg",)
    level = "batch"
    needs = frozenset({"cosine_head", "embedding", "pairs"})
    link: Link = "cosine"

    def __init__(
        self,
        margin_kind: Literal["none", "cosface", "arcface"] = "cosface",
        margin: float | None = None,
        scale: float = 30.0,
        whisker: float = 1.5,
    ) -> None:
        super().__init__()
        who = "UNPGLoss"
        self.margin_kind = check_choice(margin_kind, MARGINS, who, "margin_kind")
        high = 3.141592653589793 if margin_kind == "arcface" else 2.0
        self.margin = check_number(margin, who, "margin", low=0.0, high=high, none=True)
        self.scale = check_number(scale, who, "scale", low=0.0, open_low=True)
        self.whisker = check_number(whisker, who, "whisker", low=0.0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the weighted mean over rows.

        Parameters
        ----------
        batch : LossContext
            The batch; its logits are cosines.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        e: Tensor = batch.embedding  # type: ignore[assignment]
        items = unpg(
            batch.logits,
            e,
            batch.target,
            scale=self.scale,
            margin=usual_margin(self.margin, self.margin_kind),
            kind=self.margin_kind,
            whisker=self.whisker,
            kept=None if batch.sample_weight is None else batch.sample_weight > 0,
        )
        return reduced(items, batch.sample_weight)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the mean cross-entropy of the scaled cosines.

        Parameters
        ----------
        batch : LossContext
            The batch; its logits are cosines.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        items = cross_entropy(self.scale * batch.logits, batch.target)
        return reduced(items, batch.sample_weight)
