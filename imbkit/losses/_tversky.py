"""Tversky losses: the overlap of a batch, with false alarms and misses weighed apart."""

from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import label_columns, tversky
from imbkit.losses.functional._sets import filled, mean_over, weight_columns

__all__ = ["FocalTverskyLoss", "TverskyLoss"]


class TverskyLoss(BaseLoss):
    """One less the Tversky index of a batch: false positives and false negatives weighed apart.

    Choose it over `DiceNLPLoss` where a missed row of the rare class is worse than a false
    alarm, or the reverse, and no costs can be named. It looks at the batch as a whole, which
    must be large enough to have rare rows. Its probabilities are driven to 0 and 1: they give
    labels, not rates.

    Parameters
    ----------
    alpha_fp : float, default=0.3
        Weight of false positives, 0 or more.
    beta_fn : float, default=0.7
        Weight of false negatives, 0 or more. With 0.5 for both, the Dice coefficient.
    smooth : float, default=0.0
        What is added above and below the line of the index, 0 or more. With 0 a batch without
        positives teaches nothing.

    See Also
    --------
    FocalTverskyLoss : A root of it.
    DiceNLPLoss : The Dice coefficient, also row by row.
    AnyLoss : Scores of counts, with predictions close to 0 and 1.

    Notes
    -----
    TI = (TP + g) / (TP + a FP + b FN + g), with sums of probabilities, weighted by sample
    weights, for counts; the loss is 1 - TI, computed as (a FP + b FN) / (TP + a FP + b FN + g)
    from logarithms. Two classes give one column, that of the second; of more, each class of a
    softmax is taken against the rest; the mean is over classes, or labels, with rows in the
    batch.

    Different from the paper, which segments images: a row takes the place of a voxel, and
    classes that the batch lacks are left out.

    References
    ----------
    S. S. M. Salehi, D. Erdogmus, A. Gholipour, "Tversky loss function for image segmentation
    using 3D fully convolutional deep networks", Machine Learning in Medical Imaging, 2017,
    doi:10.1007/978-3-319-67389-9_44.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import TverskyLoss
    >>> TverskyLoss()(torch.zeros(2), torch.tensor([0, 1]))
    tensor(0.5000)
    """

    card = Card(
        paper="Salehi et al. (2017), doi:10.1007/978-3-319-67389-9_44",
        cases=({}, {"alpha_fp": 0.8, "beta_fn": 0.0, "smooth": 1.0}),
        limits=(
            Limit(
                when={"alpha_fp": 0.5, "beta_fn": 0.5},
                equals="DiceNLPLoss",
                other={"level": "batch", "smooth": 0.0},
            ),
        ),
    )
    names = ("tversky",)
    tasks = frozenset({"binary", "multiclass", "multilabel"})
    level = "batch"

    def __init__(self, alpha_fp: float = 0.3, beta_fn: float = 0.7, smooth: float = 0.0) -> None:
        super().__init__()
        self.alpha_fp, self.beta_fn = _weights(alpha_fp, beta_fn, "TverskyLoss")
        self.smooth = check_number(smooth, "TverskyLoss", "smooth", low=0.0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            From 0 to 1.
        """
        return _of_batch(batch, self.alpha_fp, self.beta_fn, self.smooth, 1.0)


class FocalTverskyLoss(BaseLoss):
    """A root of one less the Tversky index of a batch.

    Choose it over `TverskyLoss` where training comes to rest too early: close to perfect overlap
    the root keeps its slope. Its probabilities are driven to 0 and 1: they give labels, not
    rates.

    Parameters
    ----------
    alpha_fp : float, default=0.3
        Weight of false positives, 0 or more.
    beta_fn : float, default=0.7
        Weight of false negatives, 0 or more.
    gamma : float, default=4/3
        The root, above 0: the power is 1 / gamma. With 1 it is `TverskyLoss`.
    smooth : float, default=0.0
        What is added above and below the line of the index, 0 or more.

    See Also
    --------
    TverskyLoss : Without the root.

    Notes
    -----
    (1 - TI)^(1 / gamma), for the index TI of `TverskyLoss`, the root being taken of each class
    or label. It is taken of logarithms, so that the gradient stays finite where nothing is
    wrong.

    Different from the paper, which segments images: a row takes the place of a voxel, and
    classes that the batch lacks are left out.

    References
    ----------
    N. Abraham, N. M. Khan, "A novel focal Tversky loss function with improved attention U-Net
    for lesion segmentation", IEEE International Symposium on Biomedical Imaging, 2019,
    doi:10.1109/ISBI.2019.8759329.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import FocalTverskyLoss
    >>> FocalTverskyLoss(gamma=2.0)(torch.zeros(2), torch.tensor([0, 1])) ** 2
    tensor(0.5000)
    """

    card = Card(
        paper="Abraham and Khan (2019), doi:10.1109/ISBI.2019.8759329",
        cases=({}, {"gamma": 0.5, "smooth": 1.0}),
        limits=(Limit(when={"gamma": 1.0}, equals="TverskyLoss"),),
    )
    names = ("focal_tversky",)
    tasks = frozenset({"binary", "multiclass", "multilabel"})
    level = "batch"

    def __init__(
        self,
        alpha_fp: float = 0.3,
        beta_fn: float = 0.7,
        gamma: float = 4 / 3,
        smooth: float = 0.0,
    ) -> None:
        super().__init__()
        who = "FocalTverskyLoss"
        self.alpha_fp, self.beta_fn = _weights(alpha_fp, beta_fn, who)
        self.gamma = check_number(gamma, who, "gamma", low=0.0, open_low=True)
        self.smooth = check_number(smooth, who, "smooth", low=0.0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            From 0 to 1.
        """
        return _of_batch(batch, self.alpha_fp, self.beta_fn, self.smooth, self.gamma)


def _weights(alpha_fp: float, beta_fn: float, who: str) -> tuple[float, float]:
    """Return the weights of the two errors, or complain."""
    alpha = check_number(alpha_fp, who, "alpha_fp", low=0.0)
    beta = check_number(beta_fn, who, "beta_fn", low=0.0)
    if alpha + beta == 0:
        rule = "alpha_fp and beta_fn must not both be 0"
        raise InvalidParameterError(message(who, rule))
    return alpha, beta


def _of_batch(
    batch: LossContext, alpha_fp: float, beta_fn: float, smooth: float, gamma: float
) -> Tensor:
    """Return the mean over classes or labels of the loss of a batch."""
    log_p, log_rest, labels, known = label_columns(batch.logits, batch.target)
    weight = weight_columns(known, log_p, batch.sample_weight)
    columns = tversky(
        log_p,
        log_rest,
        labels,
        weight,
        alpha_fp=alpha_fp,
        beta_fn=beta_fn,
        gamma=gamma,
        smooth=smooth,
        summed=True,
    )
    return mean_over(columns, filled(labels, weight))
