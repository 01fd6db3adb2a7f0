"""Cosines pulled and pushed until they are good enough."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss, Link
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import cross_entropy, sface

__all__ = ["SFaceLoss"]

_PI = 3.141592653589793


class SFaceLoss(BaseLoss):
    """Rows pulled to their class direction and pushed from others, each up to an angle.

    Choose it over a margin where labels are noisy: a row that does not want to come is not
    pulled any harder than others, and one that is near enough is let go. The value says nothing
    of how training goes (it may rise while the net learns), so that early stopping must look
    at a score. It knows no probabilities: the softmax of the scaled cosines orders rows, and
    needs calibration.

    Parameters
    ----------
    scale : float, default=64.0
        What cosines are multiplied by, above 0.
    slope : float, default=80.0
        How suddenly a pull or push ends, above 0.
    intra : float, default=0.80
        Angle to the own class at which the pull is half gone, from 0 to pi.
    inter : float, default=1.23
        Angle to another class at which the push is half gone, from 0 to pi.

    See Also
    --------
    NormalizedSoftmaxLoss : Cosines with a proper likelihood.

    Notes
    -----
    scale times (-r_y c_y + sum over other classes of r_j c_j) for cosines c, where
    r_y = sigmoid(slope (angle_y - intra)) and r_j = sigmoid(-slope (angle_j - inter)) carry no
    gradient: the slope by c_y is -scale r_y, by c_j scale r_j. It is therefore no gradient of the
    value as a function of the cosines. Where nothing is learned, the cross-entropy of the scaled
    cosines is given.

    References
    ----------
    Y. Zhong, W. Deng, J. Hu, D. Zhao, X. Li, D. Wen, "SFace: Sigmoid-constrained hypersphere loss
    for robust face recognition", IEEE Transactions on Image Processing, 2021,
    doi:10.1109/TIP.2020.3048632.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import SFaceLoss
    >>> cosines = torch.tensor([[0.5, -0.5]], requires_grad=True)
    >>> SFaceLoss(scale=1.0)(cosines, torch.tensor([0])).backward()
    >>> cosines.grad.round(decimals=2)
    tensor([[-1.,  0.]])
    """

    card = Card(
        paper="Zhong et al. (2021), doi:10.1109/TIP.2020.3048632",
        cases=({}, {"scale": 10.0, "slope": 5.0}),
    )
    names = ("sface",)
    needs = frozenset({"cosine_head"})
    link: Link = "cosine"

    def __init__(
        self, scale: float = 64.0, slope: float = 80.0, intra: float = 0.80, inter: float = 1.23
    ) -> None:
        super().__init__()
        who = "SFaceLoss"
        self.scale = check_number(scale, who, "scale", low=0.0, open_low=True)
        self.slope = check_number(slope, who, "slope", low=0.0, open_low=True)
        self.intra = check_number(intra, who, "intra", low=0.0, high=_PI)
        self.inter = check_number(inter, who, "inter", low=0.0, high=_PI)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch; its logits are cosines.

        Returns
        -------
        Tensor of shape (n,)
            Of either sign.
        """
        return sface(
            batch.logits,
            batch.target,
            scale=self.scale,
            slope=self.slope,
            intra=self.intra,
            inter=self.inter,
        )

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of each row's scaled cosines.

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
