"""Cross-entropy of cosines, with or without a margin."""

from typing import Literal

from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit.losses._base import BaseLoss, Link
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import cosine_margin, cross_entropy

__all__ = ["MARGINS", "NormalizedSoftmaxLoss", "usual_margin"]

MARGINS = ("none", "cosface", "arcface")

_USUAL = {"none": 0.0, "cosface": 0.35, "arcface": 0.5}


class NormalizedSoftmaxLoss(BaseLoss):
    """Cross-entropy of the cosines between embeddings and class directions.

    Choose it where rare classes lose because their weights in the last layer stay short: with
    cosines every class has the same length. A margin asks for more than being nearest and so
    for tighter classes. The same cosines predict, without a margin: the nearest direction is the
    label. Probabilities are bounded away from 0 and 1 by `scale`, and those trained with a margin
    are too timid on new rows: calibrate them.

    Parameters
    ----------
    margin_kind : {"none", "cosface", "arcface"}, default="none"
        No margin; taken off the cosine; or added to the angle.
    margin : float, default=None
        The margin, from 0 to 2 for a cosine, to pi for an angle; None for 0.35 or 0.5.
    scale : float, default=20.0
        What cosines are multiplied by, above 0. Papers with margins use 30 to 64.

    See Also
    --------
    LDAMLoss : Margins that are larger for rarer classes.
    SFaceLoss : Stops to pull rows that are near enough.
    UNPGLoss : Adds pairs of rows as wrong answers.

    Notes
    -----
    -log softmax(scale c)_y for the cosines c that a cosine head gives as logits; with "cosface"
    the own cosine is c_y - margin, with "arcface" cos(angle + margin). Different from the
    papers: where the angle with its margin would exceed pi, it goes on as -2 - cos, which keeps
    falling. Where nothing is learned there is no margin.

    References
    ----------
    A. Zhai, H.-Y. Wu, "Classification is a strong baseline for deep metric learning", BMVC, 2019,
    doi:10.48550/arXiv.1811.12649.

    H. Wang, Y. Wang, Z. Zhou, X. Ji, D. Gong, J. Zhou, Z. Li, W. Liu, "CosFace: Large margin
    cosine loss for deep face recognition", CVPR, 2018, doi:10.48550/arXiv.1801.09414.

    J. Deng, J. Guo, N. Xue, S. Zafeiriou, "ArcFace: Additive angular margin loss for deep face
    recognition", CVPR, 2019, doi:10.48550/arXiv.1801.07698.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import NormalizedSoftmaxLoss
    >>> loss = NormalizedSoftmaxLoss("cosface", scale=10.0)
    >>> loss(torch.tensor([[0.35, 0.0]]), torch.tensor([0]))
    tensor(0.6931)
    """

    card = Card(
        paper="Zhai and Wu (2019), doi:10.48550/arXiv.1811.12649",
        cases=({}, {"margin_kind": "cosface"}, {"margin_kind": "arcface", "scale": 30.0}),
        limits=(
            Limit(when={"scale": 1.0}, equals="CrossEntropyLoss"),
            Limit(when={"margin_kind": "cosface", "margin": 0.0}, equals="NormalizedSoftmaxLoss"),
            Limit(when={"margin_kind": "arcface", "margin": 0.0}, equals="NormalizedSoftmaxLoss"),
        ),
    )
    names = ("normalized_softmax",)
    needs = frozenset({"cosine_head"})
    link: Link = "cosine"

    def __init__(
        self,
        margin_kind: Literal["none", "cosface", "arcface"] = "none",
        margin: float | None = None,
        scale: float = 20.0,
    ) -> None:
        super().__init__()
        who = "NormalizedSoftmaxLoss"
        self.margin_kind = check_choice(margin_kind, MARGINS, who, "margin_kind")
        high = 3.141592653589793 if margin_kind == "arcface" else 2.0
        self.margin = check_number(margin, who, "margin", low=0.0, high=high, none=True)
        self.scale = check_number(scale, who, "scale", low=0.0, open_low=True)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch; its logits are cosines.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        y, kind = batch.target, self.margin_kind
        margin = usual_margin(self.margin, kind)
        return cross_entropy(
            self.scale * cosine_margin(batch.logits, y, margin=margin, kind=kind), y
        )

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of each row without a margin.

        Parameters
        ----------
        batch : LossContext
            The batch; its logits are cosines.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        return cross_entropy(self.scale * batch.logits, batch.target)


def usual_margin(margin: float | None, kind: str) -> float:
    """Return a margin, or that of the papers if none was given.

    Parameters
    ----------
    margin : float or None
        What was given.
    kind : {"none", "cosface", "arcface"}
        Kind of margin.
    """
    return _USUAL[kind] if margin is None else margin
